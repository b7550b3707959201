//! Taking one member out of a JSON object exactly as it was written.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::body::{JSON_DEPTH_MAX, depth, malformed, too_deep};
use super::faults::{Fault, Faults, pointer_segment};
use super::input::InputFault;
use super::repeated::repeated_members;
use crate::json;

/// The members of a JSON object in their order, values untouched.
struct RawMembers(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for RawMembers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = RawMembers;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<RawMembers, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(RawMembers(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// An object of which one member is kept exactly as it was written.
pub(crate) struct SplitObject {
    /// The other members.
    pub(crate) rest: Map<String, Value>,
    /// The member that was asked for.
    pub(crate) raw: Option<Box<RawValue>>,
    /// Members given twice, unreadable ones, a raw member that is nested too deep.
    pub(crate) faults: Faults,
}

/// Splits the object `json`, which stands at `pointer` of the body, into its member `raw_key` and the rest.
pub(crate) fn split_object(json: &str, pointer: &str, raw_key: &str) -> Result<SplitObject, InputFault> {
    let members = match serde_json::from_str::<RawMembers>(json) {
        Ok(RawMembers(members)) => members,
        // Text that is not an object may be malformed further on.
        Err(error) => match serde_json::from_str::<serde::de::IgnoredAny>(json) {
            Ok(_) if error.is_data() => {
                return Err(InputFault::from(Fault::new(pointer, "must be a JSON object")));
            }
            Ok(_) => return Err(malformed(json, &error)),
            Err(error) => return Err(malformed(json, &error)),
        },
    };
    let mut split = SplitObject { rest: Map::new(), raw: None, faults: Faults::default() };
    for (key, value) in members {
        let at = || format!("{pointer}/{}", pointer_segment(&key));
        if key == raw_key {
            if split.raw.is_some() {
                split.faults.push_with(|| Fault::new(at(), "is given twice"));
            } else if depth(value.get()) > JSON_DEPTH_MAX {
                split.faults.push(too_deep(&at()));
                split.raw = Some(value);
            } else {
                if has_lone_surrogate(value.get()) {
                    split.faults.push(Fault::new(
                        at(),
                        "holds a \\u escape that is half of a character (a lone surrogate)",
                    ));
                }
                split.raw = Some(value);
            }
        } else if split.rest.contains_key(&key) {
            split.faults.push_with(|| Fault::new(at(), "is given twice"));
        } else {
            match json::read(value.get()) {
                Ok(parsed) => {
                    split.faults.absorb(repeated_members(value.get(), &at()));
                    split.rest.insert(key, parsed);
                }
                Err(error) => split.faults.push_with(|| Fault::new(at(), format!("cannot be read: {error}"))),
            }
        }
    }
    Ok(split)
}

/// Whether a JSON text has a `\ud800`–`\udfff` escape without its other half. The JSON grammar allows it, but
/// it is not text: Rust and Python receivers fail on it.
pub(super) fn has_lone_surrogate(json: &str) -> bool {
    let mut rest = json;
    let mut awaits_low = false;
    while let Some(at) = rest.find('\\') {
        if awaits_low && at > 0 {
            return true;
        }
        let escape = rest.get(at + 1..).unwrap_or("");
        let unit = escape.strip_prefix('u').and_then(|hex| u16::from_str_radix(hex.get(..4)?, 16).ok());
        match unit {
            Some(0xd800..=0xdbff) if !awaits_low => awaits_low = true,
            Some(0xdc00..=0xdfff) if awaits_low => awaits_low = false,
            Some(0xd800..=0xdfff) => return true,
            _ if awaits_low => return true,
            _ => {}
        }
        let skip = if unit.is_some() { 5 } else { 1 };
        rest = escape.get(skip..).unwrap_or("");
    }
    awaits_low
}
