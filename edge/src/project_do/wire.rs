//! How questions and replies travel between the Worker and the object: JSON text under a name.
//!
//! A question is `{"show_webhook": {"name": …}}`, a reply `{"webhook": {…}}`. A dot in a name stands for an
//! object in an object: `runs.create` is `{"runs": {"create": …}}`. The Worker and its objects are deployed
//! together, but an old Worker may still speak with a new object for a moment, and replies are kept under an
//! `Idempotency-Key`: so a change must be additive. `tests` pin the form.

use std::fmt;

use postern_core::problem::Problem;
use postern_core::webhook::ProjectName;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::caller::Caller;
use crate::log::RequestId;

/// One question to a project, with who asks it. `C` is the question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call<C> {
    /// Which project; the object is addressed by the same name.
    pub(crate) project: ProjectName,
    /// Who asks.
    pub(crate) caller: Caller,
    /// For the logs of the object.
    pub(crate) request_id: RequestId,
    /// `https://host` under which the request came in; inbox addresses start with it. Empty if there was no
    /// request.
    pub(crate) origin: String,
    /// The network address of the caller, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// Answer as the first time if this was asked before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) once: Option<Once>,
    /// What is asked.
    pub(crate) command: C,
}

impl<C> Call<C> {
    /// The same caller with another question.
    pub(crate) fn asking<D>(&self, command: D) -> Call<D> {
        Call {
            project: self.project.clone(),
            caller: self.caller.clone(),
            request_id: self.request_id.clone(),
            origin: self.origin.clone(),
            address: self.address.clone(),
            once: self.once.clone(),
            command,
        }
    }
}

/// A call that its caller may repeat with the same key (`Idempotency-Key`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Once {
    /// The key.
    pub(crate) key: String,
    /// SHA-256 of method, path and body: another call must not have the same key.
    pub(crate) digest: String,
}

/// A value under its name, to be written.
pub(super) struct Named<'a, T>(pub(super) &'a str, pub(super) &'a T);

impl<T: Serialize> Serialize for Named<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(name, value) = self;
        let mut map = serializer.serialize_map(Some(1))?;
        match name.split_once('.') {
            Some((outer, inner)) => map.serialize_entry(outer, &Named(inner, *value))?,
            None => map.serialize_entry(name, value)?,
        }
        map.end()
    }
}

/// The outermost name of a JSON text and what stands under it. A name alone, as a string, stands for a name
/// with `null` under it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a RawValue,
}

impl<'de> Deserialize<'de> for Entry<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;
        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = Entry<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or an object with one name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Entry { name, value: RawValue::NULL })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let Some((name, value)) = map.next_entry()? else {
                    return Err(A::Error::custom("an object without a name"));
                };
                match map.next_key::<&str>()? {
                    None => Ok(Entry { name, value }),
                    Some(_) => Err(A::Error::custom("an object with several names")),
                }
            }
        }
        deserializer.deserialize_any(EntryVisitor)
    }
}

/// What stands in `text` under `name`.
///
/// # Errors
/// `text` does not read, or holds something under another name.
pub(super) fn value_of<'a>(text: &'a str, name: &str) -> Result<&'a RawValue, serde_json::Error> {
    let (outer, inner) = name.split_once('.').map_or((name, None), |(outer, inner)| (outer, Some(inner)));
    let entry: Entry<'a> = serde_json::from_str(text)?;
    match inner {
        _ if entry.name != outer => Err(serde_json::Error::custom(format!("{:?}, not {name:?}", entry.name))),
        Some(inner) => value_of(entry.value.get(), inner),
        None => Ok(entry.value),
    }
}

/// Why there is no answer, as it stands in the place of a reply.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NoReply {
    /// The question was refused.
    Refused(Box<Problem>),
    /// The object failed; the text is for the log.
    Failed(String),
}
