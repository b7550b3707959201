//! Foreign values in messages: cut to a length, and no more of them made or looked at than is kept.

use serde::Serialize;
use serde_json::Value;

/// Cuts `text` to `bytes_max` bytes, and shows that it was cut.
pub(crate) fn shorten(text: &mut String, bytes_max: usize) {
    const CUT: &str = "…";
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max.saturating_sub(CUT.len())));
        text.push_str(CUT);
    }
}

/// `text`, or its start and `…` if it has more than `chars_max` characters. Looks at no more than it keeps.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    if text.len() <= chars_max || text.chars().nth(chars_max).is_none() {
        return String::from(text);
    }
    let mut short: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// [`cut`] of `value` as JSON, of which no more is made, and no more looked at, than is kept.
pub(crate) fn shown(value: &Value, chars_max: usize) -> String {
    written(&Short(value, bytes_of(chars_max)), chars_max)
}

/// The same of a list of `values`.
pub(crate) fn shown_list(values: &[&Value], chars_max: usize) -> String {
    written(&ShortList(values, bytes_of(chars_max)), chars_max)
}

/// Bytes of a text of which `chars_max` characters are kept: the longest character has four, and one more
/// shows that there is more.
const fn bytes_of(chars_max: usize) -> usize {
    (chars_max + 1) * 4
}

/// A value whose texts end after so many bytes: who writes a text first searches all of it for what must be
/// escaped.
pub(super) struct Short<'a>(pub(super) &'a Value, pub(super) usize);

/// A list of such values.
struct ShortList<'a>(&'a [&'a Value], usize);

impl Serialize for Short<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, bytes_max) = *self;
        match value {
            Value::String(text) => serializer.serialize_str(beginning(text, bytes_max)),
            Value::Array(items) => serializer.collect_seq(items.iter().map(|item| Self(item, bytes_max))),
            Value::Object(members) => serializer.collect_map(
                members.iter().map(|(name, member)| (beginning(name, bytes_max), Self(member, bytes_max))),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.serialize(serializer),
        }
    }
}

impl Serialize for ShortList<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|value| Short(value, self.1)))
    }
}

/// At most `bytes_max` bytes of `text`, whole characters.
fn beginning(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}

fn written<T: Serialize>(value: &T, chars_max: usize) -> String {
    /// Takes a text until it is long enough to be cut.
    struct Beginning {
        bytes: Vec<u8>,
        bytes_max: usize,
    }
    impl std::io::Write for Beginning {
        fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
            let room = self.bytes_max.saturating_sub(self.bytes.len());
            self.bytes.extend(more.iter().take(room));
            if more.len() > room { Err(std::io::ErrorKind::WriteZero.into()) } else { Ok(more.len()) }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut beginning = Beginning { bytes: Vec::new(), bytes_max: bytes_of(chars_max) };
    let _long_enough = serde_json::to_writer(&mut beginning, value);
    let mut text = String::from_utf8_lossy(&beginning.bytes).into_owned();
    if beginning.bytes.len() == beginning.bytes_max {
        // What it ends with may be a part of a character.
        text.pop();
    }
    cut(&text, chars_max)
}
