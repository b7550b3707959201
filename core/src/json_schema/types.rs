//! The values of `type` and `format`.

use serde_json::Value;
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use crate::decimal::Decimal;
use crate::variants::spelled;

/// The values of `type`, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

/// Spelling and bit of each type. `integer` is a `number` without a fraction.
const TYPES: [(&str, u8); 7] = [
    ("null", 1),
    ("boolean", 2),
    ("integer", 4),
    ("number", 8),
    ("string", 16),
    ("array", 32),
    ("object", 64),
];

impl Types {
    pub(super) fn with(self, name: &str) -> Option<Self> {
        TYPES.iter().find(|(known, _bit)| *known == name).map(|(_name, bit)| Self(self.0 | bit))
    }

    pub(super) fn hold(self, value: &Value) -> bool {
        let bits = match value {
            Value::Null => 1,
            Value::Bool(_) => 2,
            Value::Number(number) => {
                if Decimal::from_number(number).is_whole() {
                    4 | 8
                } else {
                    8
                }
            }
            Value::String(_) => 16,
            Value::Array(_) => 32,
            Value::Object(_) => 64,
        };
        self.0 & bits != 0
    }

    pub(super) fn names(self) -> String {
        let names: Vec<&str> =
            TYPES.iter().filter(|(_name, bit)| self.0 & bit != 0).map(|(name, _bit)| *name).collect();
        names.join(" or ")
    }
}

/// The values of `format` that are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumCount, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub(super) enum Format {
    DateTime,
    Uuid,
    Email,
    Uri,
}

spelled!(pub(super) Format, "The spelling in a schema.");
