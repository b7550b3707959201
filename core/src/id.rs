//! Identifiers: one monotonic number per row of a project, shown to the world as a prefixed UUIDv7.
//!
//! A [`Seq`] is a SQL row key that is ordered by time and stays below 2^53, the largest integer that survives
//! the trip through a JavaScript number (docs/platform.md 1.3). An [`IdSpace`] (the project's random salt)
//! turns it into a public id and back, so that no index is needed to find a row by its public id and ids of
//! different projects never collide.

use std::fmt;

use serde::{Deserialize, Serialize};

/// 2026-01-01T00:00:00Z in Unix milliseconds. 41 bits of milliseconds from here reach the year 2095.
const EPOCH_UNIX_MS: i64 = 1_767_225_600_000;
/// Ids that share one millisecond: 12 bits, the `rand_a` field of a UUIDv7 (RFC 9562 section 6.2, method 1).
const COUNTER_BITS: u32 = 12;
/// The variable part of `rand_b` of a UUIDv7: 62 bits, here the project's salt.
const SALT_MASK: u64 = (1 << 62) - 1;

/// A row key: unique and increasing within one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub i64);

impl Seq {
    /// Smaller than every allocated key.
    pub const ZERO: Self = Self(0);
    /// Greater than every key that can be allocated before the year 2095, and the largest that a JavaScript
    /// number holds.
    pub const LAST: Self = Self((1 << 53) - 1);

    /// The first key of the millisecond `now_ms` (Unix), or the one after `last` where the clock has not
    /// moved on (or went back): the result is always greater than `last`.
    #[must_use]
    pub const fn after(last: Self, now_ms: i64) -> Self {
        let elapsed_ms = now_ms.saturating_sub(EPOCH_UNIX_MS);
        let fresh = if elapsed_ms > 0 { elapsed_ms << COUNTER_BITS } else { 1 };
        if fresh > last.0 { Self(fresh) } else { Self(last.0 + 1) }
    }

    /// The Unix millisecond in which the key was allocated (a little later where one millisecond held over
    /// 4,096 keys).
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        (self.0 >> COUNTER_BITS) + EPOCH_UNIX_MS
    }
}

/// What an id names; decides its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `evt_`
    Event,
    /// `dlv_`
    Delivery,
    /// `msg_`: the `webhook-id` of a delivery, the same on each of its attempts (docs/wire.md D.1).
    Message,
    /// `whk_`
    Webhook,
    /// `tst_`
    Test,
    /// `ibx_`
    Inbox,
    /// `req_`: a request that an inbox recorded.
    Request,
    /// `tok_`
    Token,
    /// `rpl_`
    Replay,
    /// `run_`
    Run,
    /// `aud_`: an entry of the audit log.
    Audit,
}

impl Kind {
    /// The prefix with its underscore.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Event => "evt_",
            Self::Delivery => "dlv_",
            Self::Message => "msg_",
            Self::Webhook => "whk_",
            Self::Test => "tst_",
            Self::Inbox => "ibx_",
            Self::Request => "req_",
            Self::Token => "tok_",
            Self::Replay => "rpl_",
            Self::Run => "run_",
            Self::Audit => "aud_",
        }
    }
}

/// The salt that makes a project's ids its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdSpace {
    salt: u64,
}

impl IdSpace {
    /// Takes the low 62 bits of `random`.
    #[must_use]
    pub const fn new(random: u64) -> Self {
        Self { salt: random & SALT_MASK }
    }

    /// The salt, for storing.
    #[must_use]
    pub const fn salt(self) -> u64 {
        self.salt
    }

    /// The public id, such as `evt_019a91c2-77f0-7b41-9d2e-5f6f1b0c8a11`.
    #[must_use]
    pub fn id(self, kind: Kind, seq: Seq) -> String {
        format!("{}{}", kind.prefix(), self.uuid(seq))
    }

    /// The row that a public id names; `None` where the prefix, the form or the salt is not this project's.
    #[must_use]
    pub fn seq(self, kind: Kind, id: &str) -> Option<Seq> {
        self.seq_of_uuid(id.strip_prefix(kind.prefix())?)
    }

    /// The id as a bare UUIDv7 (UbiOps and UP42 show ids so).
    #[must_use]
    pub fn uuid(self, seq: Seq) -> Uuid {
        let unix_ms = seq.unix_ms().cast_unsigned() & 0xffff_ffff_ffff;
        let counter = seq.0.cast_unsigned() & 0xfff;
        Uuid { high: unix_ms << 16 | 0x7000 | counter, low: 0b10 << 62 | self.salt }
    }

    /// The row that a bare UUID names; see [`IdSpace::seq`].
    #[must_use]
    pub fn seq_of_uuid(self, uuid: &str) -> Option<Seq> {
        let uuid = Uuid::parse(uuid)?;
        if uuid.low != (0b10 << 62 | self.salt) || uuid.high & 0xf000 != 0x7000 {
            return None;
        }
        let unix_ms = (uuid.high >> 16).cast_signed();
        let elapsed_ms = unix_ms - EPOCH_UNIX_MS;
        let counter = (uuid.high & 0xfff).cast_signed();
        (0..1 << 41).contains(&elapsed_ms).then_some(Seq(elapsed_ms << COUNTER_BITS | counter))
    }
}

/// 128 bits in the usual text form. Displays in lower case with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid {
    high: u64,
    low: u64,
}

impl Uuid {
    /// Reads the hyphenated form; nothing else is accepted, so an id has one spelling.
    fn parse(text: &str) -> Option<Self> {
        let hyphens_fit = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            });
        if !hyphens_fit {
            return None;
        }
        let bits = u128::from_str_radix(&text.replace('-', ""), 16).ok()?;
        let high = u64::try_from(bits >> 64).ok()?;
        let low = u64::try_from(bits & u128::from(u64::MAX)).ok()?;
        Some(Self { high, low })
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (h, l) = (self.high, self.low);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            h >> 32,
            h >> 16 & 0xffff,
            h & 0xffff,
            l >> 48,
            l & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: i64 = EPOCH_UNIX_MS + 1_234_567;

    #[test]
    fn keys_increase_even_when_the_clock_goes_back() {
        let first = Seq::after(Seq::ZERO, NOW_MS);
        let second = Seq::after(first, NOW_MS);
        let third = Seq::after(second, NOW_MS - 60_000);
        assert!(first < second && second < third);
        assert_eq!(first.unix_ms(), NOW_MS);
    }

    #[test]
    fn an_id_of_another_project_or_kind_is_unknown() {
        let (mine, theirs) = (IdSpace::new(7), IdSpace::new(8));
        let id = mine.id(Kind::Event, Seq::after(Seq::ZERO, NOW_MS));
        assert_eq!(theirs.seq(Kind::Event, &id), None);
        assert_eq!(mine.seq(Kind::Delivery, &id), None);
        assert_eq!(mine.seq(Kind::Event, &id.to_uppercase()), None);
        assert_eq!(mine.seq(Kind::Event, "evt_"), None);
    }

    proptest! {
        #[test]
        fn an_id_names_the_row_it_was_made_of(salt: u64, elapsed_ms in 1i64..1 << 40, counter in 0i64..4096) {
            let space = IdSpace::new(salt);
            let seq = Seq(elapsed_ms << COUNTER_BITS | counter);
            prop_assert_eq!(space.seq(Kind::Delivery, &space.id(Kind::Delivery, seq)), Some(seq));
            prop_assert!(seq.0 < 1 << 53);
        }
    }
}
