//! Which projects there are, as one isolate remembers it: so that nobody who makes a name up costs more than
//! a look-up.
//!
//! That a project is there is remembered for good: where it was deleted meanwhile, its object says so. That a
//! project does not exist is remembered for a moment only: somebody else may be making the project just now.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Timestamp;
use crate::webhook::ProjectName;

/// Milliseconds for which a project that was not found is not looked up again.
pub const ABSENT_FOR_MS: i64 = 10_000;
/// Names that are remembered at most, of each kind; beyond them memory starts again.
const NAMES_MAX: usize = 10_000;

/// What is remembered.
#[derive(Debug, Default)]
pub struct Presence {
    present: BTreeSet<ProjectName>,
    absent: BTreeMap<ProjectName, Timestamp>,
}

impl Presence {
    /// Whether the project is there; `None` where that has to be looked up.
    #[must_use]
    pub fn recall(&self, project: &ProjectName, now: Timestamp) -> Option<bool> {
        if self.present.contains(project) {
            return Some(true);
        }
        self.absent
            .get(project)
            .filter(|since| (0..ABSENT_FOR_MS).contains(&now.ms_since(**since)))
            .map(|_since| false)
    }

    /// The project is there.
    pub fn note_present(&mut self, project: &ProjectName) {
        self.absent.remove(project);
        if !self.present.contains(project) {
            if self.present.len() >= NAMES_MAX {
                self.present.clear();
            }
            self.present.insert(project.clone());
        }
    }

    /// The project was deleted.
    pub fn note_deleted(&mut self, project: &ProjectName, now: Timestamp) {
        self.present.remove(project);
        self.note_absent(project, now);
    }

    /// A look-up that started at `asked_at` found no such project. It does not take back what was learned
    /// meanwhile.
    pub fn note_absent(&mut self, project: &ProjectName, asked_at: Timestamp) {
        if self.present.contains(project) {
            return;
        }
        if self.absent.len() >= NAMES_MAX {
            self.absent.clear();
        }
        self.absent.insert(project.clone(), asked_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_270_051_204);

    fn name(text: &str) -> Result<ProjectName, String> {
        ProjectName::parse(text).ok_or_else(|| String::from(text))
    }

    #[test]
    fn a_project_is_remembered_for_good_and_its_absence_for_a_moment() -> Result<(), String> {
        let (there, nowhere) = (name("there")?, name("nowhere")?);
        let mut presence = Presence::default();
        assert_eq!(presence.recall(&there, NOW), None);
        presence.note_present(&there);
        presence.note_absent(&nowhere, NOW);
        assert_eq!(presence.recall(&there, NOW.plus_ms(1_000_000_000)), Some(true));
        assert_eq!(presence.recall(&nowhere, NOW.plus_ms(ABSENT_FOR_MS - 1)), Some(false));
        assert_eq!(presence.recall(&nowhere, NOW.plus_ms(ABSENT_FOR_MS)), None);
        presence.note_deleted(&there, NOW);
        assert_eq!(presence.recall(&there, NOW), Some(false));
        presence.note_present(&there);
        assert_eq!(presence.recall(&there, NOW), Some(true), "it was made anew");
        Ok(())
    }

    #[test]
    fn a_project_that_was_just_made_is_there_whatever_an_older_look_up_says() -> Result<(), String> {
        let made = name("made")?;
        let mut presence = Presence::default();
        presence.note_absent(&made, NOW);
        presence.note_present(&made);
        assert_eq!(presence.recall(&made, NOW), Some(true));
        presence.note_absent(&made, NOW);
        assert_eq!(presence.recall(&made, NOW), Some(true));
        Ok(())
    }

    #[test]
    fn memory_is_bounded() -> Result<(), String> {
        let mut presence = Presence::default();
        for n in 0..NAMES_MAX + 5 {
            presence.note_absent(&name(&format!("absent-{n}"))?, NOW);
            presence.note_present(&name(&format!("present-{n}"))?);
        }
        assert!(presence.absent.len() <= NAMES_MAX && presence.present.len() <= NAMES_MAX);
        assert_eq!(presence.recall(&name(&format!("present-{}", NAMES_MAX + 4))?, NOW), Some(true));
        Ok(())
    }
}
