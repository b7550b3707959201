//! How fast webhooks have answered lately, as far as this isolate has seen. Only order and size of claims
//! follow from it.

use std::collections::BTreeMap;

use postern_core::id::Seq;
use postern_core::time::Timestamp;
use postern_core::webhook::ProjectName;

/// Below this a call is quick.
pub(crate) const QUICK_MS: i64 = 500;
/// A call that takes longer than this hangs, as far as the others are concerned.
pub(crate) const HANGS_AFTER_MS: i64 = 1_000;
/// How long a webhook's pace is known, from the last time it was seen.
const KNOWN_MS: i64 = 60_000;
/// Webhooks whose pace is known at most.
const KNOWN_MAX: usize = 1_000;

/// How a webhook has answered lately. The order is the one in which tickets are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// Within 500 ms.
    Quick,
    /// Neither of the others, or not seen.
    Unknown,
    /// Not within a second.
    Hanging,
}

impl Pace {
    /// The pace of a call that took so long.
    #[must_use]
    pub const fn of(duration_ms: i64) -> Self {
        if duration_ms < QUICK_MS {
            Self::Quick
        } else if duration_ms >= HANGS_AFTER_MS {
            Self::Hanging
        } else {
            Self::Unknown
        }
    }
}

/// What an isolate has seen of webhooks, and when.
#[derive(Debug, Default)]
pub struct Paces(BTreeMap<(ProjectName, Seq), (Pace, Timestamp)>);

impl Paces {
    /// Nothing was seen yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Notes how a webhook answered.
    pub fn note(&mut self, project: &ProjectName, webhook: Seq, pace: Pace, now: Timestamp) {
        if self.0.len() >= KNOWN_MAX {
            self.0.clear();
        }
        self.0.insert((project.clone(), webhook), (pace, now));
    }

    /// How a webhook answers.
    #[must_use]
    pub fn of(&self, project: &ProjectName, webhook: Seq, now: Timestamp) -> Pace {
        match self.0.get(&(project.clone(), webhook)) {
            Some((pace, seen)) if now.ms_since(*seen) < KNOWN_MS => *pace,
            _ => Pace::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_known_for_a_minute() {
        let project = ProjectName::parse("p1").unwrap();
        let now = Timestamp(1_000_000);
        let mut paces = Paces::new();
        assert_eq!(paces.of(&project, Seq(1), now), Pace::Unknown);
        paces.note(&project, Seq(1), Pace::Hanging, now);
        assert_eq!(paces.of(&project, Seq(1), now.plus_ms(59_999)), Pace::Hanging);
        assert_eq!(paces.of(&project, Seq(1), now.plus_ms(60_000)), Pace::Unknown);
        paces.note(&project, Seq(1), Pace::Quick, now);
        assert_eq!(paces.of(&project, Seq(1), now), Pace::Quick);
        assert!(Pace::Quick < Pace::Unknown && Pace::Unknown < Pace::Hanging);
    }

    #[test]
    fn a_call_is_quick_or_hangs_by_its_duration() {
        assert_eq!([0, 499, 500, 999, 1_000].map(Pace::of), {
            [Pace::Quick, Pace::Quick, Pace::Unknown, Pace::Unknown, Pace::Hanging]
        });
    }
}
