//! Reading the fields of a JSON object.

use serde_json::{Map, Value};

use super::faults::{Fault, Faults, pointer_segment};
use crate::decimal::Decimal;

/// What an input says about one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent<T> {
    /// Nothing.
    Missing,
    /// `null`.
    Null,
    /// Something of the wrong type; the fault is noted.
    Wrong,
    /// A value.
    Value(T),
}

impl<T> Sent<T> {
    /// The value, if there is one.
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Null | Self::Wrong => None,
        }
    }
}

/// Reads the fields of one JSON object and remembers what is wrong with them.
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    pointer: String,
    known: Vec<&'static str>,
    faults: Faults,
}

impl<'a> Fields<'a> {
    /// The fields of `map`, which stands at `pointer`.
    pub(crate) fn new(map: &'a Map<String, Value>, pointer: impl Into<String>) -> Self {
        Self { map, pointer: pointer.into(), known: Vec::new(), faults: Faults::default() }
    }

    /// The fields of a value that must be an object.
    pub(crate) fn from_value(value: &'a Value, pointer: impl Into<String>) -> Result<Self, Fault> {
        match value {
            Value::Object(map) => Ok(Self::new(map, pointer)),
            other => Err(Fault::new(pointer, format!("must be a JSON object, not {}", type_name(other)))),
        }
    }

    /// The pointer of the field `key`.
    pub(crate) fn pointer_of(&self, key: &str) -> String {
        format!("{}/{}", self.pointer, pointer_segment(key))
    }

    /// Notes a fault of the field `key`.
    pub(crate) fn fault(&mut self, key: &str, detail: impl Into<String>) {
        let Self { faults, pointer, .. } = self;
        faults.push_with(|| Fault::new(format!("{pointer}/{}", pointer_segment(key)), detail));
    }

    /// Notes a fault further below, at a path such as `events/3`.
    pub(crate) fn fault_below(&mut self, path: &str, detail: impl Into<String>) {
        let Self { faults, pointer, .. } = self;
        faults.push_with(|| Fault::new(format!("{pointer}/{path}"), detail));
    }

    /// Takes over the faults of a part that was read on its own.
    pub(crate) fn absorb(&mut self, faults: impl Into<Faults>) {
        self.faults.absorb(faults);
    }

    /// The items of a list with their places. All are read, so that what is wrong beyond the faults that are
    /// named is counted, and what is right is not.
    pub(crate) fn each_of<'i, T>(&mut self, items: &'i [T], mut read: impl FnMut(&mut Self, usize, &'i T)) {
        for (index, item) in items.iter().enumerate() {
            read(self, index, item);
        }
    }

    /// Counts `key` as known although it is read elsewhere.
    pub(crate) fn expect(&mut self, key: &'static str) {
        self.known.push(key);
    }

    /// The field `key`, of any type (`null` included).
    pub(crate) fn any(&mut self, key: &'static str) -> Option<&'a Value> {
        self.expect(key);
        self.map.get(key)
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Sent<T> {
        match self.any(key) {
            None => Sent::Missing,
            Some(Value::Null) => Sent::Null,
            Some(value) => read(value).map_or_else(
                || {
                    self.fault(key, format!("must be {wanted}, not {}", type_name(value)));
                    Sent::Wrong
                },
                Sent::Value,
            ),
        }
    }

    /// A string.
    pub(crate) fn text(&mut self, key: &'static str) -> Sent<&'a str> {
        self.typed(key, "a string", Value::as_str)
    }

    /// A boolean.
    pub(crate) fn flag(&mut self, key: &'static str) -> Sent<bool> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, key: &'static str) -> Sent<i64> {
        self.typed(key, "a whole number", whole_number)
    }

    /// An array.
    pub(crate) fn list(&mut self, key: &'static str) -> Sent<&'a [Value]> {
        self.typed(key, "an array", |value| value.as_array().map(Vec::as_slice))
    }

    /// An object.
    pub(crate) fn object(&mut self, key: &'static str) -> Sent<&'a Map<String, Value>> {
        self.typed(key, "an object", Value::as_object)
    }

    /// Turns `null` into a fault: for fields where it has no meaning.
    pub(crate) fn not_null<T>(&mut self, key: &'static str, sent: Sent<T>) -> Sent<T> {
        if matches!(sent, Sent::Null) {
            self.fault(key, "must not be null");
            return Sent::Wrong;
        }
        sent
    }

    /// Turns a missing value into a fault.
    pub(crate) fn required<T>(&mut self, key: &'static str, sent: Sent<T>) -> Option<T> {
        if matches!(sent, Sent::Missing) {
            self.fault(key, "is required");
        }
        self.not_null(key, sent).value()
    }

    /// Every fault so far, and one for each field that is not known.
    pub(crate) fn finish(self) -> Faults {
        let Self { map, pointer, known, mut faults } = self;
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            faults.push_with(|| {
                let known = if known.is_empty() { String::from("none") } else { known.join(", ") };
                Fault::new(
                    format!("{pointer}/{}", pointer_segment(key)),
                    format!("is not a known field; known are {known}"),
                )
            });
        }
        faults
    }
}

/// What a JSON value is, in words.
pub(crate) const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number like this",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The whole number that a JSON number is: `15`, and `15.0` or `1.5e1`, which JSON Schema calls integers,
/// too.
pub(crate) fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => Decimal::from_number(number).to_i64(),
        _ => None,
    }
}
