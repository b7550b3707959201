//! Which projects the watchdog asks in a minute.
//!
//! One invocation may make a bounded number of calls, so many projects take turns: each has its minute by a
//! hash of its name. What is created or deleted beside it moves nobody's turn, unless the number of turns
//! changes.

/// The projects whose turn it is in this minute (counted since 1970), at most `at_most`. Where there are no
/// more than that, all of them, every minute; else each once in as many minutes as it takes to ask all (256
/// of 100,000 projects by 800). Where a turn has more than `at_most`, others of it are asked in each round.
pub fn asked<T>(projects: Vec<T>, name_of: impl Fn(&T) -> &str, at_most: usize, minute: i64) -> Vec<T> {
    let turns = turns(projects.len(), at_most);
    let turn = minute.rem_euclid(turns);
    let its_turn = |project: &T| {
        i64::try_from(hash(name_of(project)) % turns.unsigned_abs()).is_ok_and(|own| own == turn)
    };
    let mut asked: Vec<T> = projects.into_iter().filter(its_turn).collect();
    if asked.len() > at_most {
        let round = usize::try_from(minute.div_euclid(turns)).unwrap_or(0);
        let first = round.saturating_mul(at_most) % asked.len();
        asked.rotate_left(first);
        asked.truncate(at_most);
    }
    asked
}

/// Minutes until each of so many projects was asked: a power of two, so that it seldom changes. A turn is
/// filled to three quarters on average, because hashes do not spread evenly.
fn turns(projects: usize, at_most: usize) -> i64 {
    if projects <= at_most {
        return 1;
    }
    let on_average = (at_most.saturating_mul(3) / 4).max(1);
    i64::try_from(projects.div_ceil(on_average).next_power_of_two()).unwrap_or(i64::MAX)
}

/// FNV-1a, 64 bits, with its halves mixed: the low bits decide.
fn hash(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn names(number: usize) -> Vec<String> {
        (0..number).map(|number| format!("project-{number}")).collect()
    }

    fn asked_in(projects: &[String], at_most: usize, minute: i64) -> Vec<String> {
        asked(projects.to_vec(), String::as_str, at_most, minute)
    }

    #[test]
    fn few_projects_are_all_asked_every_minute() {
        let projects = names(800);
        for minute in 0..3 {
            assert_eq!(asked_in(&projects, 800, minute), projects);
        }
    }

    #[test]
    fn of_a_hundred_thousand_each_has_its_minute_and_no_minute_has_too_many() {
        let (projects, at_most, began) = (names(100_000), 800, 29_900_000);
        let turns = turns(projects.len(), at_most);
        assert_eq!(turns, 256, "hours, not days");
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        for minute in began..began + turns {
            let asked = asked_in(&projects, at_most, minute);
            assert!(asked.len() <= at_most, "{} in one minute", asked.len());
            assert_eq!(asked, asked_in(&projects, at_most, minute + turns), "the same, a round later");
            for name in asked {
                *times.entry(name).or_default() += 1;
            }
        }
        assert_eq!(times.len(), projects.len());
        assert!(times.values().all(|times| *times == 1));
    }

    #[test]
    fn nobody_is_left_out_for_good_where_a_turn_has_too_many() {
        let (projects, at_most) = (names(500), 2);
        let turns = turns(projects.len(), at_most);
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        for minute in 0..turns * 8 {
            let asked = asked_in(&projects, at_most, minute);
            assert!(asked.len() <= at_most);
            for name in asked {
                *times.entry(name).or_default() += 1;
            }
        }
        assert_eq!(times.len(), projects.len());
    }

    #[test]
    fn who_comes_and_goes_moves_no_other_turn() {
        let (mut projects, at_most) = (names(5_000), 800);
        let before: Vec<_> = (0..8).map(|minute| asked_in(&projects, at_most, minute)).collect();
        projects.retain(|name| name != "project-17");
        projects.push(String::from("a-new-one"));
        for (minute, before) in before.into_iter().enumerate() {
            let now = asked_in(&projects, at_most, i64::try_from(minute).unwrap_or(0));
            let gone = before.iter().filter(|name| !now.contains(name));
            assert!(gone.into_iter().all(|name| name == "project-17"));
        }
    }
}
