//! Quotas: how much one project may hold and be asked for, so that nobody fills the store or the clock of
//! others.
//!
//! Each has a variable of the deployment (`QUOTA_…`) and a generous default; 0 lifts it. What is over a quota
//! is refused with the problem `quota` (`storage-full` of bytes), which names it, its limit, what is used and
//! what to do. Nothing else changes: a project that is full still lists, deletes, delivers and records
//! attempts. Before that, what has ended is aged early ([`ages`]).

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::variants::spelled;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[derive(EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Quota {
    /// Webhooks of the project.
    Webhooks,
    /// Webhooks of the project with one origin: scheme, host and port of their URLs.
    OriginWebhooks,
    /// Inboxes of the project.
    Inboxes,
    /// Requests that one inbox takes in a minute.
    InboxRequestsPerMinute,
    /// Deliveries of the project that have not ended.
    OpenDeliveries,
    /// Deliveries that one request makes: its events times the webhooks that want them.
    RequestDeliveries,
    /// Bytes that the project's store takes.
    StoredBytes,
    /// Events that one token posts in a minute.
    EventsPerMinute,
    /// Runs of the project that have not ended.
    OpenRuns,
    /// Live feeds that are open with one token.
    LiveSockets,
}

spelled!(pub Quota, "Its name, as problems and a project's detail say it.");

impl Quota {
    /// The variable of the deployment that sets it.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Webhooks => "QUOTA_WEBHOOKS",
            Self::OriginWebhooks => "QUOTA_ORIGIN_WEBHOOKS",
            Self::Inboxes => "QUOTA_INBOXES",
            Self::InboxRequestsPerMinute => "QUOTA_INBOX_REQUESTS_PER_MINUTE",
            Self::OpenDeliveries => "QUOTA_OPEN_DELIVERIES",
            Self::RequestDeliveries => "QUOTA_REQUEST_DELIVERIES",
            Self::StoredBytes => "QUOTA_STORED_BYTES",
            Self::EventsPerMinute => "QUOTA_EVENTS_PER_MINUTE",
            Self::OpenRuns => "QUOTA_OPEN_RUNS",
            Self::LiveSockets => "QUOTA_LIVE_SOCKETS",
        }
    }

    /// The limit of a deployment that says nothing. Stored bytes stay below the 10 GB of a Durable Object
    /// (docs/platform.md 2.3), so that there is room to delete and to record attempts.
    #[must_use]
    pub const fn default_limit(self) -> u64 {
        match self {
            Self::Webhooks | Self::RequestDeliveries | Self::OpenRuns => 10_000,
            Self::OriginWebhooks => 2_000,
            Self::Inboxes => 1_000,
            Self::InboxRequestsPerMinute => 6_000,
            Self::OpenDeliveries => 1_000_000,
            Self::StoredBytes => 8_000_000_000,
            Self::EventsPerMinute => 600_000,
            Self::LiveSockets => 50,
        }
    }

    /// What is counted, such as `webhooks of this project`.
    #[must_use]
    pub const fn counted(self) -> &'static str {
        match self {
            Self::Webhooks => "webhooks of this project",
            Self::OriginWebhooks => "webhooks of this project with one origin (scheme, host and port)",
            Self::Inboxes => "inboxes of this project",
            Self::InboxRequestsPerMinute => "requests to this inbox in a minute",
            Self::OpenDeliveries => "open deliveries of this project",
            Self::RequestDeliveries => "deliveries made by one request",
            Self::StoredBytes => "stored bytes of this project",
            Self::EventsPerMinute => "events of this token in a minute",
            Self::OpenRuns => "runs of this project that have not ended",
            Self::LiveSockets => "live feeds of this token",
        }
    }

    /// What helps a project that is over it, as the end of a sentence.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Webhooks | Self::Inboxes => "delete one that is not needed",
            Self::OriginWebhooks => "let one webhook take more event types, or delete one of them",
            Self::InboxRequestsPerMinute | Self::EventsPerMinute => "wait, and send fewer",
            Self::OpenDeliveries => {
                "wait until some were delivered, or cancel some: those of a disabled or paused webhook wait until it is deleted or resumed"
            }
            Self::RequestDeliveries => "post the events in smaller batches, or let fewer webhooks want them",
            Self::StoredBytes => {
                "cancel deliveries that wait, delete what is not needed, or shorten the retention: what has ended for an hour already makes room by itself, so what is left is open or new; lists, deletions and deliveries go on"
            }
            Self::OpenRuns => "wait until some have ended, or terminate some",
            Self::LiveSockets => "close one, or use another token",
        }
    }
}

/// The limits of a deployment. 0 means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas([u64; Quota::ALL.len()]);

impl Quotas {
    /// No limit at all.
    pub const NONE: Self = Self([0; Quota::ALL.len()]);

    /// These limits with another one for `quota`.
    #[must_use]
    pub fn with(mut self, quota: Quota, limit: u64) -> Self {
        if let Some(own) = self.0.get_mut(quota as usize) {
            *own = limit;
        }
        self
    }

    /// The limit, where there is one.
    #[must_use]
    pub fn limit(&self, quota: Quota) -> Option<u64> {
        self.0.get(quota as usize).copied().filter(|limit| *limit > 0)
    }

    /// Whether `used` and `more` of it are allowed.
    ///
    /// # Errors
    /// They are over the limit.
    pub fn allow(&self, quota: Quota, used: u64, more: u64) -> Result<(), Exceeded> {
        match self.limit(quota) {
            Some(limit) if used.saturating_add(more) > limit => {
                Err(Exceeded { quota, limit, used, more, retry_after_s: None })
            }
            _ => Ok(()),
        }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Quota::ALL.into_iter().fold(Self::NONE, |quotas, quota| quotas.with(quota, quota.default_limit()))
    }
}

/// A quota does not allow what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which.
    pub quota: Quota,
    /// Its limit.
    pub limit: u64,
    /// What is used now.
    pub used: u64,
    /// What was asked for beside that.
    pub more: u64,
    /// Seconds after which the same may be allowed, where time helps.
    pub retry_after_s: Option<u32>,
}

impl std::fmt::Display for Exceeded {
    /// What is over, in numbers, and what to do.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { quota, limit, used, more, retry_after_s } = self;
        write!(f, "the quota of {} is {limit}", quota.counted())?;
        match quota {
            Quota::RequestDeliveries => write!(f, ", this one would make more: "),
            _ => write!(f, ", {used} are used and {more} more were asked for: "),
        }?;
        f.write_str(quota.advice())?;
        retry_after_s.map_or(Ok(()), |seconds| write!(f, " (the next in {seconds} s)"))
    }
}

impl std::error::Error for Exceeded {}

/// A quota of a project with its use, as the project's detail shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct QuotaUse {
    /// Which.
    pub quota: Quota,
    /// Its limit; null if it has no limit.
    pub limit: Option<u64>,
    /// What is used now; of `origin_webhooks` the most of any origin; null where it is counted for each
    /// token, inbox or request.
    pub used: Option<u64>,
}

impl QuotaUse {
    /// Whether so much is used ([`FULL_PERCENT`]) that somebody should know before the limit is reached.
    #[must_use]
    pub fn is_nearly_used_up(&self) -> bool {
        match (self.used, self.limit) {
            (Some(used), Some(limit)) => has_reached(used, limit, FULL_PERCENT),
            _ => false,
        }
    }
}

/// Whether `used` is at least so many percent of `limit`.
const fn has_reached(used: u64, limit: u64, percent: u64) -> bool {
    used.saturating_mul(100) >= limit.saturating_mul(percent)
}

/// Percent of the stored bytes at which a project is said to be full (`postern.project.full`).
pub const FULL_PERCENT: u64 = 80;
/// Percent below which it is no longer, so that the next time is told again.
pub const FULL_NO_MORE_PERCENT: u64 = 70;

/// Whether a project becomes full that uses so many bytes of `limit`.
#[must_use]
pub const fn is_full(used: u64, limit: u64) -> bool {
    has_reached(used, limit, FULL_PERCENT)
}

/// Whether a project that is full stays so with so many bytes of `limit`.
#[must_use]
pub const fn is_still_full(used: u64, limit: u64) -> bool {
    has_reached(used, limit, FULL_NO_MORE_PERCENT)
}

/// Percent of the stored bytes from which what has ended is aged early.
pub const AGE_PERCENT: u64 = 70;
/// Percent to which it is then aged, so that ageing seldom starts.
pub const AGE_TO_PERCENT: u64 = 65;

/// Whether what has ended starts to be aged before its retention is over, where so many bytes of `limit` are
/// used.
#[must_use]
pub const fn ages(used: u64, limit: u64) -> bool {
    has_reached(used, limit, AGE_PERCENT)
}

/// As [`ages`], where it is being aged.
#[must_use]
pub const fn still_ages(used: u64, limit: u64) -> bool {
    has_reached(used, limit, AGE_TO_PERCENT)
}

/// What a minute has taken so far: a window of 60 s that starts with the first of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    began_ms: i64,
    used: u64,
}

impl Minute {
    const MS: i64 = 60_000;

    /// Whether the window is over at `now_ms`. A clock that went back ends it too, or it would last for too
    /// long.
    #[must_use]
    pub const fn is_over(&self, now_ms: i64) -> bool {
        now_ms < self.began_ms || now_ms - self.began_ms >= Self::MS
    }

    /// Takes `more` of `quota` at `now_ms`.
    ///
    /// # Errors
    /// The minute has not so many left; nothing was taken.
    pub fn take(&mut self, quotas: &Quotas, quota: Quota, more: u64, now_ms: i64) -> Result<(), Exceeded> {
        if self.is_over(now_ms) {
            *self = Self { began_ms: now_ms, used: 0 };
        }
        quotas.allow(quota, self.used, more).map_err(|exceeded| {
            let left_ms = Self::MS - (now_ms - self.began_ms);
            let left_s = u32::try_from((left_ms + 999) / 1_000).unwrap_or(60).clamp(1, 60);
            // More than a whole minute has: waiting does not help.
            Exceeded { retry_after_s: (more <= exceeded.limit).then_some(left_s), ..exceeded }
        })?;
        self.used = self.used.saturating_add(more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quota_has_a_name_a_variable_and_a_default_of_its_own_place() {
        for quota in Quota::ALL {
            assert_eq!(quota.variable(), format!("QUOTA_{}", quota.as_str().to_uppercase()));
            assert_eq!(serde_json::to_value(quota).ok(), Some(quota.as_str().into()));
            assert_eq!(Quota::parse(quota.as_str()), Some(quota));
            assert_eq!(Quotas::default().limit(quota), Some(quota.default_limit()));
            assert_eq!(Quotas::default().with(quota, 0).limit(quota), None, "0 lifts it");
            assert_eq!(Quotas::NONE.with(quota, 7).limit(quota), Some(7));
        }
    }

    #[test]
    fn what_is_over_is_said_in_numbers_with_what_to_do() {
        let quotas = Quotas::NONE.with(Quota::Webhooks, 3);
        assert_eq!(quotas.allow(Quota::Webhooks, 2, 1), Ok(()));
        assert_eq!(quotas.allow(Quota::Inboxes, u64::MAX, u64::MAX), Ok(()));
        let exceeded = quotas.allow(Quota::Webhooks, 3, 2).expect_err("it is over");
        assert_eq!((exceeded.limit, exceeded.used, exceeded.more), (3, 3, 2));
        assert_eq!(
            exceeded.to_string(),
            "the quota of webhooks of this project is 3, 3 are used and 2 more were asked for: delete one that is not needed"
        );
    }

    #[test]
    fn a_minute_is_over_after_sixty_seconds_and_says_when() {
        let quotas = Quotas::NONE.with(Quota::EventsPerMinute, 10);
        let mut minute = Minute::default();
        let mut take = |more, now_ms| minute.take(&quotas, Quota::EventsPerMinute, more, now_ms);
        assert_eq!(take(10, 100_000), Ok(()));
        let refused = take(1, 130_500).expect_err("it is over");
        assert_eq!((refused.used, refused.retry_after_s), (10, Some(30)));
        assert!(refused.to_string().ends_with("wait, and send fewer (the next in 30 s)"), "{refused}");
        assert_eq!(take(4, 160_000), Ok(()));
        assert_eq!(take(7, 160_001).map_err(|refused| refused.used), Err(4));
        assert_eq!(take(6, 160_001), Ok(()), "what was refused was not counted");
        assert_eq!(
            take(11, 220_001).map_err(|refused| refused.retry_after_s),
            Err(None),
            "no minute has so many"
        );
        assert_eq!(take(10, 150_000), Ok(()), "the clock went back");
    }

    #[test]
    fn a_quota_is_nearly_used_up_from_eighty_percent_on() {
        let of = |used, limit| QuotaUse { quota: Quota::Webhooks, limit, used }.is_nearly_used_up();
        assert!(of(Some(80), Some(100)) && of(Some(100), Some(100)) && of(Some(1), Some(1)));
        assert!(!of(Some(79), Some(100)) && !of(Some(0), Some(1)));
        assert!(!of(None, Some(1)) && !of(Some(u64::MAX), None), "nothing to compare");
    }

    #[test]
    fn a_project_is_full_from_eighty_percent_on_until_it_is_below_seventy() {
        assert!(!is_full(799, 1_000) && is_full(800, 1_000));
        assert!(is_still_full(700, 1_000) && !is_still_full(699, 1_000));
    }
}
