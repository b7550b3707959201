//! Numbers as JSON writes them, compared by their value: exactly, whatever their size, and without making
//! anything as large as an exponent says (`1e999999999` costs what eleven characters cost).
//!
//! Not here: arithmetic. Postern compares numbers, and asks whether one is a multiple of another.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde_json::Number;

/// Digits of an exponent that are counted with; longer ones are compared by their text.
const EXPONENT_DIGITS_MAX: usize = 36;
/// What an exponent with more digits counts as: beyond any that has fewer, whatever digits stand before it.
const BEYOND: i128 = 10_000_000_000_000_000_000_000_000_000_000_000_000;
/// Significant digits of a [`Step`] at most: one digit more than the remainder still fits a `u128`.
pub(crate) const STEP_DIGITS_MAX: usize = 37;

/// A number, taken apart: `0.d₁d₂d₃… × 10^point`. Two that are the same number are equal, however they are
/// written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal<'a> {
    is_negative: bool,
    /// Significant digits, without zeros at either end of the whole; both are empty for zero.
    head: &'a str,
    tail: &'a str,
    point: i128,
    /// The digits of an exponent that is [`BEYOND`]; else empty.
    beyond: &'a str,
}

impl<'a> Decimal<'a> {
    /// Takes the text of a JSON number apart.
    pub(crate) fn from_number(number: &'a Number) -> Self {
        Self::read(number.as_str())
    }

    /// `text` must be a JSON number; anything else gives some number.
    fn read(text: &'a str) -> Self {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (significand, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = significand.split_once('.').unwrap_or((significand, ""));
        let whole = whole.trim_start_matches('0');
        let tail = fraction.trim_end_matches('0');
        let (head, tail, point) = if whole.is_empty() {
            let digits = tail.trim_start_matches('0');
            ("", digits, -length(tail.len() - digits.len()))
        } else if tail.is_empty() {
            (whole.trim_end_matches('0'), "", length(whole.len()))
        } else {
            (whole, tail, length(whole.len()))
        };
        if head.is_empty() && tail.is_empty() {
            return Self { is_negative: false, head, tail, point: 0, beyond: "" };
        }
        let (is_small, digits) = exponent.strip_prefix('-').map_or((false, exponent), |rest| (true, rest));
        let digits = digits.trim_start_matches('+').trim_start_matches('0');
        let (size, beyond) = if digits.len() > EXPONENT_DIGITS_MAX {
            (BEYOND, digits)
        } else {
            (digits.parse().unwrap_or(0), "")
        };
        let point = if is_small { point - size } else { point + size };
        Self { is_negative, head, tail, point, beyond }
    }

    const fn is_zero(&self) -> bool {
        self.head.is_empty() && self.tail.is_empty()
    }

    const fn digit_count(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    fn digits(&self) -> impl Iterator<Item = u8> + use<'a> {
        // Values, not letters.
        self.head.bytes().chain(self.tail.bytes()).map(|letter| letter & 0x0f)
    }

    /// The power of ten of the last significant digit.
    fn unit(&self) -> i128 {
        self.point - length(self.digit_count())
    }

    /// Whether it has no fraction: `5`, `5.0`, `0.5e1`.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_zero() || self.unit() >= 0
    }

    /// The number, where it is whole and an `i64` holds it.
    pub(crate) fn to_i64(self) -> Option<i64> {
        if self.is_zero() {
            return Some(0);
        }
        if !self.is_whole() || self.point > 19 {
            return None;
        }
        let digits = self
            .digits()
            .try_fold(0i128, |number, digit| number.checked_mul(10)?.checked_add(i128::from(digit)))?;
        let number = digits.checked_mul(10i128.checked_pow(u32::try_from(self.unit()).ok()?)?)?;
        i64::try_from(if self.is_negative { -number } else { number }).ok()
    }

    /// The number without its fraction, where an `i64` surely holds it.
    pub(crate) fn truncated(&self) -> Option<i64> {
        let places = usize::try_from(self.point.max(0)).ok().filter(|places| *places <= 18)?;
        let whole = self.digits().chain(std::iter::repeat(0)).take(places);
        let number = whole.fold(0, |number: i64, digit| number * 10 + i64::from(digit));
        Some(if self.is_negative { -number } else { number })
    }

    /// Whether it is below zero.
    pub(crate) const fn is_negative(&self) -> bool {
        self.is_negative
    }

    /// The order of the two without their signs; neither is zero.
    fn compare_sizes(&self, other: &Self) -> Ordering {
        let is_told_by_text =
            !self.beyond.is_empty() && !other.beyond.is_empty() && (self.point < 0) == (other.point < 0);
        let exponents =
            match self.beyond.len().cmp(&other.beyond.len()).then_with(|| self.beyond.cmp(other.beyond)) {
                order if is_told_by_text && self.point < 0 => order.reverse(),
                order if is_told_by_text => order,
                _ => Ordering::Equal,
            };
        exponents.then_with(|| self.point.cmp(&other.point)).then_with(|| self.digits().cmp(other.digits()))
    }

    /// How many divisions [`Self::is_multiple_of`] takes.
    pub(crate) fn divisions_by(&self, step: &Step) -> u64 {
        let powers = self.unit().saturating_sub(step.unit).clamp(0, 128);
        self.digit_count() as u64 + u64::try_from(powers).unwrap_or(0)
    }

    /// Whether `self / step` is whole. Exact: `0.3` is a multiple of `0.1`.
    pub(crate) fn is_multiple_of(&self, step: &Step) -> bool {
        if self.is_zero() {
            return true;
        }
        // Neither ends with a zero, so that a smaller unit can't be made up for by a factor.
        let Some(power) = self.unit().checked_sub(step.unit).filter(|power| *power >= 0) else {
            return false;
        };
        let next = |rest: u128, digit: u8| (rest * 10 + u128::from(digit)) % step.digits;
        let mut rest = self.digits().fold(0, next);
        // Each factor ten cancels one two and one five of the step, which has at most 128 of either.
        for _factor in 0..power.min(128) {
            rest = next(rest, 0);
        }
        rest == 0
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| {
            if number.is_zero() {
                0
            } else if number.is_negative {
                -1
            } else {
                1
            }
        };
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => self.compare_sizes(other),
            _ => other.compare_sizes(self),
        })
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal<'_> {}

impl Hash for Decimal<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.is_negative.hash(state);
        self.point.hash(state);
        self.beyond.hash(state);
        // Where the point stands between the digits is a matter of writing.
        for digit in self.digits() {
            state.write_u8(digit);
        }
        state.write_u8(0);
    }
}

/// What `multipleOf` asks for: greater than zero, with at most [`STEP_DIGITS_MAX`] significant digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    digits: u128,
    unit: i128,
}

impl Step {
    /// The step, if `number` can be one.
    pub(crate) fn from_number(number: &Number) -> Option<Self> {
        let number = Decimal::from_number(number);
        let fits = !number.is_zero()
            && !number.is_negative
            && number.beyond.is_empty()
            && number.digit_count() <= STEP_DIGITS_MAX;
        fits.then(|| Self {
            digits: number.digits().fold(0, |sum, digit| sum * 10 + u128::from(digit)),
            unit: number.unit(),
        })
    }
}

/// A length of a text in memory is far below what an `i128` holds.
const fn length(bytes: usize) -> i128 {
    bytes as i128
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use proptest::prelude::*;

    use super::*;

    fn order(one: &str, other: &str) -> Ordering {
        Decimal::read(one).cmp(&Decimal::read(other))
    }

    fn hash(text: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        Decimal::read(text).hash(&mut hasher);
        hasher.finish()
    }

    fn is_multiple(number: &str, step: &str) -> Option<bool> {
        let step = Step::from_number(&Number::from_string_unchecked(String::from(step)))?;
        Some(Decimal::read(number).is_multiple_of(&step))
    }

    #[test]
    fn one_number_has_many_spellings() {
        for [one, other] in [
            ["1", "1.0"],
            ["1", "10e-1"],
            ["1", "0.1E1"],
            ["100", "1e2"],
            ["100", "1E+02"],
            ["0", "-0.000e99"],
            ["-0", "0e-5"],
            ["-1.10", "-1.1"],
            ["1e999999999", "10e999999998"],
            ["0.00120", "12e-4"],
            ["12.34", "1.234e1"],
        ] {
            assert_eq!((order(one, other), hash(one)), (Ordering::Equal, hash(other)), "{one} {other}");
        }
    }

    #[test]
    fn numbers_are_ordered_exactly_whatever_their_size() {
        let rising = [
            "-1e99999999999999999999999999999999999999999999",
            "-1e309",
            "-18446744073709551616",
            "-18446744073709551615.5",
            "-2",
            "-1.5",
            "-1e-400",
            "0",
            "1e-99999999999999999999999999999999999999999999",
            "1e-9999999999999999999999999999999999999999",
            "1e-400",
            "2e-400",
            "0.1",
            "0.1000000000000000055511151231257827",
            "1",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551615.5",
            "18446744073709551616",
            "12345678901234567890123",
            "1e309",
            "1e999999999",
            "1.5e999999999",
            "1e1000000000",
            "1e9999999999999999999999999999999999999999",
            "1e99999999999999999999999999999999999999999999",
        ];
        for (at, one) in rising.iter().enumerate() {
            for (other_at, other) in rising.iter().enumerate() {
                assert_eq!(order(one, other), at.cmp(&other_at), "{one} {other}");
            }
        }
    }

    #[test]
    fn whole_numbers_are_known_and_read() {
        for (text, whole) in [
            ("5", Some(5)),
            ("5.0", Some(5)),
            ("0.5e1", Some(5)),
            ("-1e3", Some(-1_000)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1e999999999", None),
            ("0.5", None),
            ("-0", Some(0)),
            ("5e-1", None),
        ] {
            assert_eq!(Decimal::read(text).to_i64(), whole, "{text}");
        }
        assert!(Decimal::read("1e999999999").is_whole() && !Decimal::read("1e-999999999").is_whole());
    }

    #[test]
    fn multiples_are_exact() {
        for (number, step, expected) in [
            ("0.3", "0.1", true),
            ("0.35", "0.1", false),
            ("1", "0.1", true),
            ("9007199254740993", "2", false),
            ("9007199254740992", "2", true),
            ("1e999999999", "7", false),
            ("7e999999999", "7", true),
            ("1e999999999", "0.00000001", true),
            ("1e-999999999", "1", false),
            ("12345678901234567890123", "3", true),
            ("12345678901234567890124", "3", false),
            ("1e40", "1024", true),
            ("37037036703703703670369", "12345678901234567890123", true),
            ("37037036703703703670370", "12345678901234567890123", false),
            ("0", "3", true),
            ("-9", "3", true),
        ] {
            assert_eq!(is_multiple(number, step), Some(expected), "{number} {step}");
        }
        assert_eq!(is_multiple("1", "0"), None);
        assert_eq!(is_multiple("1", "-1"), None);
        assert_eq!(is_multiple("1", &"1".repeat(38)), None);
    }

    proptest! {
        #[test]
        fn whole_numbers_are_ordered_as_integers_are(a: i64, b: i64) {
            prop_assert_eq!(order(&a.to_string(), &b.to_string()), a.cmp(&b));
        }

        #[test]
        fn floats_are_ordered_as_their_values_are(a: f64, b: f64) {
            if let (Some(one), Some(other)) = (Number::from_f64(a), Number::from_f64(b)) {
                // Each prints as the shortest text that no other float has.
                prop_assert_eq!(Decimal::from_number(&one).cmp(&Decimal::from_number(&other)), a.partial_cmp(&b).unwrap_or(Ordering::Equal));
            }
        }

        #[test]
        fn multiples_of_integers_are_those_of_integers(a: i64, b in 1i64..1_000) {
            prop_assert_eq!(is_multiple(&a.to_string(), &b.to_string()), Some(a % b == 0));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9.eE]{0,12}") {
            let number = Decimal::read(&text);
            let _read = (number.to_i64(), number.is_whole(), number.cmp(&Decimal::read("1")));
        }
    }
}
