//! Who acts, and who was shown which secret lately.
//!
//! Does not write the audit log.

use std::collections::BTreeMap;

use postern_core::api::audit::Actor;
use postern_core::id::Seq;
use postern_core::time::Timestamp;

/// Milliseconds for which one who looks again at the same secret is not noted again: a client that shows
/// secrets with every read (UP42's, docs/wire.md B.3) would bury what is worth reading.
pub(crate) const READING_NOTED_FOR_MS: i64 = 60 * 60 * 1_000;

/// Readings that are remembered at most.
const READINGS_MAX: usize = 10_000;

/// Who acts, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acting {
    /// Who.
    pub actor: Actor,
    /// The network address, where there is one.
    pub address: Option<String>,
    /// The request, where there is one.
    pub request_id: Option<String>,
}

impl Acting {
    /// Postern, of its own accord.
    #[must_use]
    pub fn postern() -> Self {
        Self { actor: Actor::postern(), address: None, request_id: None }
    }
}

/// Who was shown which secret lately, and when that was noted: in memory, so that a secret that is read all
/// day costs nothing. Where memory is lost the next look is noted once more.
#[derive(Debug, Default)]
pub(crate) struct Readings(BTreeMap<Reading, Timestamp>);

/// Whose token (its id, where it is one of the project's, and its name), which webhook, and which version of
/// it: another secret is another reading.
pub(crate) type Reading = (Option<String>, String, Seq, u32);

impl Readings {
    fn is_recent(noted: Timestamp, now: Timestamp) -> bool {
        (0..READING_NOTED_FOR_MS).contains(&now.ms_since(noted))
    }

    /// Whether it was noted within the last hour.
    pub(crate) fn is_noted(&self, reading: &Reading, now: Timestamp) -> bool {
        self.0.get(reading).is_some_and(|noted| Self::is_recent(*noted, now))
    }

    /// It was noted at `now`.
    pub(crate) fn remember(&mut self, reading: Reading, now: Timestamp) {
        if self.0.len() >= READINGS_MAX {
            self.0.retain(|_reading, noted| Self::is_recent(*noted, now));
        }
        if self.0.len() < READINGS_MAX {
            self.0.insert(reading, now);
        }
    }
}
