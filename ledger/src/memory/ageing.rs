//! What was given up before its retention was over, and how far the ageing at hand has come.
//!
//! Does not know how anything is given up, nor when.

use postern_core::api::project::Aged;
use postern_core::id::Seq;
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What was given up: the column `meta.aged`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GivenUp {
    pub(crate) aged: Aged,
    /// Answers were given up to this key.
    pub(crate) answers_to: Seq,
    /// Whether it was told that answers are given up, and that deliveries and events are.
    pub(crate) told: (bool, bool),
}

impl Default for GivenUp {
    fn default() -> Self {
        Self { aged: Aged::default(), answers_to: Seq::ZERO, told: (false, false) }
    }
}

impl GivenUp {
    /// What is to be told by now.
    pub(crate) const fn to_tell(&self) -> (bool, bool) {
        (self.aged.answers > 0, self.aged.deliveries > 0 || self.aged.events > 0)
    }

    /// Whether all of it would be gone at `ended_before` without having been given up.
    pub(crate) fn is_over(&self, ended_before: Timestamp) -> bool {
        let is_old = |since: Option<Timestamp>| since.is_none_or(|since| since < ended_before);
        is_old(self.aged.answers_kept_since) && is_old(self.aged.kept_since) && self.aged != Aged::default()
    }
}

/// What is given up at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Bodies of answers, after [`GivenUp::answers_to`].
    Answers,
    /// Ended deliveries and their events, after this key.
    Records(Seq),
}

/// How far ageing has come.
#[derive(Debug, Default)]
pub(crate) struct Ageing {
    /// `None`: nothing is aged now.
    pub(crate) stage: Option<Stage>,
    /// All that may be given up is gone; looked at again then.
    pub(crate) rests_until: Option<Timestamp>,
    pub(crate) given_up: GivenUp,
}
