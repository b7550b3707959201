//! Members of JSON objects that are given twice. A reader keeps one of them, and which one depends on the
//! reader (RFC 8259 4), so in a body of ours they are a fault.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::faults::{Fault, Faults, pointer_segment};

/// A fault for each member of an object in `json` that its object has already; `json` stands at `pointer` of
/// the body. Text that is not JSON has no such members.
pub(crate) fn repeated_members(json: &str, pointer: &str) -> Faults {
    let mut found = Faults::default();
    let mut reader = serde_json::Deserializer::from_str(json);
    let place = Location { parent: None, step: Step::Root(pointer) };
    // Text that is not JSON is reported by the reader of the values.
    let _reported_elsewhere = Walk { place: &place, found: &mut found }.deserialize(&mut reader);
    found
}

/// Where a value stands. Its pointer is only written where there is something to say.
struct Location<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
}

enum Step<'a> {
    Root(&'a str),
    Member(&'a str),
    Item(usize),
}

impl Location<'_> {
    fn pointer(&self) -> String {
        let above = self.parent.map(Location::pointer).unwrap_or_default();
        match self.step {
            Step::Root(pointer) => String::from(pointer),
            Step::Member(key) => format!("{above}/{}", pointer_segment(key)),
            Step::Item(index) => format!("{above}/{index}"),
        }
    }
}

struct Walk<'a, 'f> {
    place: &'a Location<'a>,
    found: &'f mut Faults,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut known: BTreeSet<String> = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let place = Location { parent: Some(self.place), step: Step::Member(&key) };
            if known.contains(&key) {
                self.found.push_with(|| Fault::new(place.pointer(), "is given twice"));
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Walk { place: &place, found: &mut *self.found })?;
                known.insert(key);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            let place = Location { parent: Some(self.place), step: Step::Item(index) };
            if items.next_element_seed(Walk { place: &place, found: &mut *self.found })?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _value: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _value: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _value: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_given_twice_are_found_wherever_they_stand() {
        let pointers = |json: &str| {
            repeated_members(json, "/at").into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
        };
        for (json, found) in [
            (r#"{"a":1,"b":{"c":[{"d":1,"d":2}]},"a":{"x":1,"x":2}}"#, vec!["/at/b/c/0/d", "/at/a"]),
            (r#"{"a/b":1,"a\/b":2}"#, vec!["/at/a~1b"]),
            (r#"{"\u0061":1,"a":2}"#, vec!["/at/a"]),
            (r#"[{"a":1},{"a":1}]"#, vec![]),
            (r#"{"a":"{\"b\":1,\"b\":2}","n":12345678901234567890123,"x":1e400}"#, vec![]),
            ("not json", vec![]),
            (r#"{"a":1,"a":"#, vec!["/at/a"]),
        ] {
            assert_eq!(pointers(json), found, "{json}");
        }
        let many = format!("{{{}}}", vec![r#""a":1"#; 1_000].join(","));
        assert_eq!(pointers(&many).len(), crate::fault::FAULTS_MAX);
    }
}
