//! Points in time, as values: nothing in this crate reads a clock.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Unix milliseconds. On the wire an RFC 3339 UTC string with milliseconds, such as
/// `2026-11-21T09:30:00.125Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// `0000-01-01T00:00:00Z` in Unix milliseconds.
const YEAR_0_MS: i64 = -62_167_219_200_000;
/// The end of the year 9999.
const YEAR_10000_MS: i64 = 253_402_300_800_000;

/// Shown when a time is malformed.
pub(crate) const TIME_RULE: &str = "must be a time such as 2026-11-21T09:30:00Z (RFC 3339)";

impl Timestamp {
    /// Unix seconds, rounded down: `webhook-timestamp` (Standard Webhooks) carries these.
    #[must_use]
    pub const fn unix_s(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This instant plus `ms` milliseconds (saturating).
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; negative where `earlier` is later.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The first instant that can be written and read ([`Timestamp::parse_rfc3339`]).
    pub const FIRST: Self = Self(YEAR_0_MS);
    /// The last one.
    pub const LAST: Self = Self(YEAR_10000_MS - 1);

    /// RFC 3339 in UTC with exactly three decimals.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let nanos = i128::from(self.0) * 1_000_000;
        let Ok(at) = OffsetDateTime::from_unix_timestamp_nanos(nanos) else {
            return String::from("1970-01-01T00:00:00.000Z");
        };
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
    }

    /// The form of an HTTP date that is in use, such as `Sat, 21 Nov 2026 14:07:31 GMT` (RFC 9110 5.6.7,
    /// IMF-fixdate).
    #[must_use]
    pub fn to_http_date(self) -> String {
        const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let Ok(at) = OffsetDateTime::from_unix_timestamp(self.unix_s()) else {
            return String::from("Thu, 01 Jan 1970 00:00:00 GMT");
        };
        let weekday = WEEKDAYS[usize::from(at.weekday().number_days_from_monday())];
        let month = MONTHS[usize::from(u8::from(at.month()) - 1)];
        format!(
            "{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
            at.day(),
            at.year(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }

    /// Reads any RFC 3339 time; an offset is converted to UTC, digits beyond milliseconds are dropped. `None`
    /// also where the time in UTC is before the year 0 or after 9999, which RFC 3339 can't write.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let at = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok()?;
        (YEAR_0_MS..YEAR_10000_MS).contains(&at).then_some(Self(at))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse_rfc3339(&text).ok_or_else(|| de::Error::custom("must be an RFC 3339 time"))
    }
}

#[cfg(feature = "openapi")]
impl schemars::JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time", "examples": ["2026-11-21T14:07:31.204Z"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_it_was_written() {
        let at = Timestamp(1_795_270_051_204);
        assert_eq!(at.to_rfc3339(), "2026-11-21T14:07:31.204Z");
        assert_eq!(Timestamp::parse_rfc3339(&at.to_rfc3339()), Some(at));
        assert_eq!(Timestamp::parse_rfc3339("2026-11-21T15:07:31.2041+01:00"), Some(at));
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn a_time_that_utc_cannot_write_is_none() {
        for text in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"] {
            let read = Timestamp::parse_rfc3339(text).map(Timestamp::to_rfc3339);
            assert_eq!(
                read.and_then(|text| Timestamp::parse_rfc3339(&text)),
                Timestamp::parse_rfc3339(text),
                "{text}"
            );
            assert!(Timestamp::parse_rfc3339(text).is_some(), "{text}");
        }
        // Their offset leads into a year that has no four digits.
        for text in ["0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"] {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn an_http_date_has_the_form_that_is_in_use() {
        for (unix_s, text) in [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (1_795_270_051, "Sat, 21 Nov 2026 14:07:31 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ] {
            assert_eq!(Timestamp(unix_s * 1_000 + 999).to_http_date(), text);
        }
    }

    #[test]
    fn seconds_before_1970_round_down() {
        assert_eq!(Timestamp(-1).unix_s(), -1);
    }
}
