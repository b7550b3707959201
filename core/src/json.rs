//! JSON read as it was written: a number keeps its text, so that `1.10`, `1e5`, `-0` and
//! 12345678901234567890123 are shown again as they were sent, and no member is taken for anything but a
//! member.
//!
//! serde's own reader of [`Value`] writes `1e5` as `1e+5`, and takes an object whose first member has one of
//! its private names (`$serde_json::private::…`) for something else. Whatever somebody sent us is read here
//! instead.

use std::borrow::Cow;

use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// Levels of nesting that are read; serde's own limit.
const DEPTH_MAX: usize = 127;

/// Reads a JSON text. Of two members with one name the last counts.
///
/// # Errors
/// It is not JSON, holds half of a surrogate pair, or is nested more than 127 levels deep.
pub fn read(text: &str) -> Result<Value, serde_json::Error> {
    // What is JSON is said by serde; what follows may take it for granted.
    serde_json::from_str::<IgnoredAny>(text)?;
    match Reader::new(text).value(0) {
        Some(value) => Ok(value),
        // serde says what is wrong with it.
        None => serde_json::from_str(text),
    }
}

/// What `value` serialises to, read with [`read`]: [`serde_json::to_value`] for what may hold numbers that
/// somebody sent.
#[must_use]
pub fn to_value<T: Serialize>(value: &T) -> Value {
    // What serde has just written need not be checked before it is read.
    serde_json::to_string(value).ok().and_then(|text| Reader::new(&text).value(0)).unwrap_or_default()
}

/// For `#[serde(deserialize_with)]`: a value as it was written.
///
/// # Errors
/// See [`read`]; the deserializer is not one of JSON text.
pub fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    read(raw.get()).map_err(D::Error::custom)
}

/// [`written`] where null is nothing.
///
/// # Errors
/// See [`written`].
pub fn written_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    written(deserializer).map(|value| Some(value).filter(|value| !value.is_null()))
}

/// For `#[serde(deserialize_with)]` of a float in a struct that is flattened: there serde hands on what it
/// has read already, and a number with a fraction has been read as its text.
///
/// The float is right to its last digit or the one before: the standard library's own reader, which is right
/// to the last, brings tables of 10 KB into the page.
///
/// # Errors
/// It is neither a number nor null.
pub fn float_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Number>::deserialize(deserializer)?.map(|number| float(number.as_str())))
}

/// The float that a JSON number is nearly. Digits beyond the seventeenth do not count.
fn float(number: &str) -> f64 {
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (mut mantissa, mut scale, mut is_fraction) =
        (0u64, exponent.parse::<i32>().unwrap_or_default().clamp(-400, 400), false);
    for byte in digits.bytes() {
        match byte {
            b'.' => is_fraction = true,
            b'0'..=b'9' if mantissa < 10_000_000_000_000_000 => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                scale -= i32::from(is_fraction);
            }
            b'0'..=b'9' => scale += i32::from(!is_fraction),
            _ => {}
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "a mantissa of seventeen digits is rounded to the float next to it"
    )]
    let mantissa = mantissa as f64;
    let value = if scale < 0 { mantissa / 10f64.powi(-scale) } else { mantissa * 10f64.powi(scale) };
    if number.starts_with('-') { -value } else { value }
}

/// At a byte of a text that is JSON. Of another text it reads something, or nothing.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is not white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.text.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Whether the next byte is `wanted`; goes behind it if it is.
    pub(crate) fn takes(&mut self, wanted: u8) -> bool {
        let is_wanted = self.peek() == Some(wanted);
        self.at += usize::from(is_wanted);
        is_wanted
    }

    /// The text up to the first byte that `ends` it.
    fn until(&mut self, ends: impl Fn(u8) -> bool) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        #[cfg(test)]
        counted::count();
        match self.peek()? {
            b'{' | b'[' if depth >= DEPTH_MAX => None,
            b'{' => {
                let mut map = Map::new();
                self.at += 1;
                while !self.takes(b'}') {
                    let _comma = self.takes(b',');
                    self.peek()?;
                    let key = self.string()?;
                    let _colon = self.takes(b':');
                    map.insert(key, self.value(depth + 1)?);
                }
                Some(Value::Object(map))
            }
            b'[' => {
                let mut items = Vec::new();
                self.at += 1;
                while !self.takes(b']') {
                    let _comma = self.takes(b',');
                    items.push(self.value(depth + 1)?);
                }
                Some(Value::Array(items))
            }
            b'"' => self.string().map(Value::String),
            _ => match self.scalar()? {
                "null" => Some(Value::Null),
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                number => Some(Value::Number(Number::from_string_unchecked(String::from(number)))),
            },
        }
    }

    /// The number, `true`, `false` or `null` that starts here.
    pub(crate) fn scalar(&mut self) -> Option<&'a str> {
        self.until(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t'))
    }

    /// The string that starts here.
    fn string(&mut self) -> Option<String> {
        unescaped(self.quoted()?).map(Cow::into_owned)
    }

    /// The string that starts here, with its quotes and escapes.
    pub(crate) fn quoted(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.at += 1;
        self.until(|byte| matches!(byte, b'"' | b'\\'))?;
        while self.text.as_bytes().get(self.at) == Some(&b'\\') {
            self.at += 2;
            self.until(|byte| matches!(byte, b'"' | b'\\'))?;
        }
        self.at += 1;
        self.text.get(start..self.at)
    }
}

/// What a string with quotes and escapes says; copied only if there is an escape.
pub(crate) fn unescaped(quoted: &str) -> Option<Cow<'_, str>> {
    if quoted.contains('\\') {
        return serde_json::from_str(quoted).ok().map(Cow::Owned);
    }
    quoted.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
}

/// How many values are read, for tests of what something costs.
#[cfg(test)]
pub(crate) mod counted {
    use std::cell::Cell;

    thread_local! {
        static VALUES: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        VALUES.set(VALUES.get() + 1);
    }

    /// The values that are read while `act` runs.
    pub(crate) fn values_read(act: impl FnOnce()) -> u64 {
        let before = VALUES.get();
        act();
        VALUES.get() - before
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_float_is_read_to_its_last_digits() {
        for (text, expected) in [
            ("0", 0.0),
            ("0.8", 0.8),
            ("-2.5", -2.5),
            ("1e-7", 1e-7),
            ("12345678901234567890123", 1.234_567_890_123_456_8e22),
            ("3E2", 300.0),
        ] {
            let found = float(text);
            assert!((found - expected).abs() <= expected.abs() * 4.0 * f64::EPSILON, "{text}: {found}");
        }
        for part in 0..=1_000u32 {
            let rate = f64::from(part) / 1_000.0;
            assert!((float(&rate.to_string()) - rate).abs() < 1e-15, "{rate}");
        }
    }

    #[test]
    fn numbers_are_kept_as_they_were_sent() {
        for text in
            ["[1.10,1e5,1E+05,-0,-0.0,1e309,12345678901234567890123,0.1000000000000000055,0]", "1e5", "-0"]
        {
            assert_eq!(read(text).map(|value| value.to_string()).ok().as_deref(), Some(text));
            assert_eq!(to_value(&read(text).ok()).to_string(), text);
        }
    }

    #[test]
    fn a_member_is_a_member_whatever_it_is_called() {
        for text in
            [r#"{"$serde_json::private::Number":"1"}"#, r#"{"$serde_json::private::RawValue":"[[1]]"}"#]
        {
            assert_eq!(read(text).map(|value| value.to_string()).ok().as_deref(), Some(text));
        }
    }

    #[test]
    fn what_serde_refuses_is_refused() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for text in [
            "",
            "{",
            "[1,]",
            "01",
            "1.",
            "nul",
            "\"\\ud800\"",
            "{\"a\" 1}",
            "1 2",
            "{\"\\ud800\":1}",
            &deep(128),
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&deep(127)).is_ok() && read(&deep(126).replacen("[]", "[1]", 1)).is_ok());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-c\"\\\\ü\\n\\x01🌍{},:\\[\\] ]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 30, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab\"\\\\:]{0,2}", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_reads(value in any_json()) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap_or_default()] {
                prop_assert_eq!(read(&text).ok(), Some(value.clone()));
            }
        }

        #[test]
        fn what_is_no_json_for_serde_is_none_here(text in "[\\[\\]{}\",:0-9a\\\\u .eE+-]{0,14}") {
            let (ours, theirs) = (read(&text), serde_json::from_str::<Value>(&text));
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}", text);
        }
    }

    #[test]
    fn a_float_is_read_in_a_struct_that_is_flattened() {
        #[derive(Deserialize)]
        struct Inner {
            #[serde(deserialize_with = "float_or_none")]
            rate: Option<f64>,
        }
        #[derive(Deserialize)]
        struct Outer {
            #[serde(flatten)]
            inner: Inner,
        }
        for (text, rate) in
            [(r#"{"rate":0.25}"#, Some(0.25)), (r#"{"rate":1}"#, Some(1.0)), (r#"{"rate":null}"#, None)]
        {
            assert_eq!(
                serde_json::from_str::<Outer>(text).ok().map(|outer| outer.inner.rate),
                Some(rate),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_stored_reads_back_as_it_was_written() {
        #[derive(Serialize, Deserialize)]
        struct Stored {
            #[serde(default, deserialize_with = "written_or_none")]
            example: Option<Value>,
            #[serde(deserialize_with = "written")]
            document: Value,
        }
        let text = r#"{"example":1.10e5,"document":[-0]}"#;
        let stored: Option<Stored> = serde_json::from_str(text).ok();
        assert_eq!(
            stored.map(|stored| json!(null).is_null()
                && serde_json::to_string(&stored).is_ok_and(|again| again == text)),
            Some(true)
        );
        let none: Option<Stored> = serde_json::from_str(r#"{"document":null,"example":null}"#).ok();
        assert!(none.is_some_and(|stored| stored.example.is_none() && stored.document.is_null()));
    }
}
