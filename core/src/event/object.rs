//! What an event happened to.

use serde::{Deserialize, Serialize};

use crate::fault::{self, Fields};

/// Characters of an object's type, name and version at most.
pub const OBJECT_PART_CHARS_MAX: usize = 128;

/// What an event happened to: UbiOps' deployment or pipeline, or anything of the producer's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ObjectRef {
    /// Such as `deployment`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Such as `d1`.
    pub name: String,
    /// Such as `v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Checks a part of an object: its `type`, which ends at a slash where objects are searched for, its `name`
/// or its `version`.
pub(crate) fn check_object_part(key: &str, text: &str) -> Result<(), String> {
    if key == "type" && text.contains('/') {
        return Err(String::from("must not contain /, which stands between type and name in a search"));
    }
    fault::check_name(text, 1, OBJECT_PART_CHARS_MAX)
}

pub(super) fn object_ref(fields: &mut Fields<'_>) -> Option<ObjectRef> {
    let part = |fields: &mut Fields<'_>, key: &'static str, is_required: bool| {
        let sent = fields.text(key);
        let text = if is_required { fields.required(key, sent) } else { sent.value() };
        if let Some(Err(detail)) = text.map(|text| check_object_part(key, text)) {
            fields.fault(key, detail);
        }
        text.map(String::from)
    };
    let kind = part(fields, "type", true);
    let name = part(fields, "name", true);
    let version = part(fields, "version", false);
    Some(ObjectRef { kind: kind?, name: name?, version })
}
