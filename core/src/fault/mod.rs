//! Faults of an input: every bad field at once, each with a JSON pointer (RFC 6901) to where it is.
//!
//! [`parse_json`] reads a body; `Fields` reads the fields of an object one by one, notes what is wrong with each and
//! reports the unknown ones at the end. Every parser of outside input in this crate is written with it.
//!
//! What a fault says is bounded, and so is how many are named ([`Faults`]): a refusal must not be larger, or more work, than
//! the input that it refuses.

mod repeated;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use self::repeated::repeated_members;
use crate::decimal::Decimal;
use crate::json;
use crate::problem::{Problem, ProblemType};

/// Levels of nesting of a JSON body at most.
pub const JSON_DEPTH_MAX: usize = 64;
/// Characters of an outside field name that a fault repeats at most.
const POINTER_KEY_CHARS_MAX: usize = 100;
/// Faults of one input that are named at most; the others are counted.
pub const FAULTS_MAX: usize = 50;
/// Bytes of a fault's pointer at most.
pub const POINTER_BYTES_MAX: usize = 256;
/// Bytes of a fault's words at most.
pub const DETAIL_BYTES_MAX: usize = 512;

/// One thing that is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Fault {
    /// RFC 6901 pointer into the body, such as `/headers/0/key`; `""` is the whole body. Query parameters are
    /// pointed at as `?name`.
    pub pointer: String,
    /// What is wrong and what would be right, in words for the person who wrote the input. Never repeats a secret.
    pub detail: String,
}

impl Fault {
    /// A fault at `pointer`. A pointer of more than [`POINTER_BYTES_MAX`] bytes becomes that of the nearest part around it that
    /// has a shorter one, words of more than [`DETAIL_BYTES_MAX`] bytes are cut.
    #[must_use]
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let (mut pointer, mut detail) = (pointer.into(), detail.into());
        if pointer.len() > POINTER_BYTES_MAX {
            pointer.truncate(pointer.floor_char_boundary(POINTER_BYTES_MAX));
            pointer.truncate(pointer.rfind('/').unwrap_or(pointer.len()));
            detail.insert_str(0, "further below: ");
        }
        shorten(&mut detail, DETAIL_BYTES_MAX);
        Self { pointer, detail }
    }
}

/// Cuts `text` to `bytes_max` bytes, and shows that it was cut.
pub(crate) fn shorten(text: &mut String, bytes_max: usize) {
    const CUT: &str = "…";
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max.saturating_sub(CUT.len())));
        text.push_str(CUT);
    }
}

/// What is wrong with one input: the first [`FAULTS_MAX`] faults, and how many more there are.
///
/// It reads as the slice of those that are named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    named: Vec<Fault>,
    more: u32,
}

impl Faults {
    /// Notes a fault, or counts it where enough are named.
    pub fn push(&mut self, fault: Fault) {
        self.note(|| fault);
    }

    /// Notes a fault that is only made where it is named.
    pub fn note(&mut self, fault: impl FnOnce() -> Fault) {
        if self.is_full() {
            self.more = self.more.saturating_add(1);
        } else {
            self.named.push(fault());
        }
    }

    /// Counts what was not read because enough is wrong already: `parts` of the input, each as one fault.
    pub fn count_unread(&mut self, parts: usize) {
        self.more = self.more.saturating_add(u32::try_from(parts).unwrap_or(u32::MAX));
    }

    /// Takes over the faults of a part.
    pub fn absorb(&mut self, part: impl Into<Self>) {
        let part = part.into();
        self.extend(part.named);
        self.more = self.more.saturating_add(part.more);
    }

    /// Each named one, changed.
    #[must_use]
    pub fn map(self, change: impl FnMut(Fault) -> Fault) -> Self {
        Self { named: self.named.into_iter().map(change).collect(), more: self.more }
    }

    /// Whether as many are named as may be: more of the input need not be read to refuse it.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.named.len() >= FAULTS_MAX
    }

    /// How many there are beside those that are named.
    #[must_use]
    pub const fn more(&self) -> u32 {
        self.more
    }

    /// Those that are named.
    #[must_use]
    pub fn into_named(self) -> Vec<Fault> {
        self.named
    }

    /// All of them in one line: see [`sentence`].
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence(&self.named, self.more)
    }
}

impl std::ops::Deref for Faults {
    type Target = [Fault];

    fn deref(&self) -> &[Fault] {
        &self.named
    }
}

impl Extend<Fault> for Faults {
    fn extend<T: IntoIterator<Item = Fault>>(&mut self, faults: T) {
        faults.into_iter().for_each(|fault| self.push(fault));
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<T: IntoIterator<Item = Fault>>(faults: T) -> Self {
        let mut collected = Self::default();
        collected.extend(faults);
        collected
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    /// Those that are named.
    fn into_iter(self) -> Self::IntoIter {
        self.named.into_iter()
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(faults: Vec<Fault>) -> Self {
        faults.into_iter().collect()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { named: vec![fault], more: 0 }
    }
}

/// Why a body was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputFault {
    /// It is not JSON: where and why, in words (400).
    Malformed(String),
    /// It is JSON, and these fields are wrong (422 natively, 400 for UbiOps).
    Invalid(Faults),
}

impl InputFault {
    /// One line that names everything, for APIs whose errors are a single text (docs/wire.md A.6).
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Malformed(detail) => detail.clone(),
            Self::Invalid(faults) => faults.sentence(),
        }
    }
}

impl From<Faults> for InputFault {
    fn from(faults: Faults) -> Self {
        Self::Invalid(faults)
    }
}

impl From<Fault> for InputFault {
    fn from(fault: Fault) -> Self {
        Self::Invalid(Faults::from(fault))
    }
}

impl From<Vec<Fault>> for InputFault {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Invalid(Faults::from(faults))
    }
}

impl From<InputFault> for Problem {
    fn from(fault: InputFault) -> Self {
        match fault {
            InputFault::Malformed(detail) => Self::new(ProblemType::MalformedJson, detail),
            InputFault::Invalid(faults) => Self::invalid(faults),
        }
    }
}

/// All faults in one line: `url: must start with https://; timeout: must be …; and 3 more`.
#[must_use]
pub fn sentence(faults: &[Fault], more: u32) -> String {
    let mut parts: Vec<String> = faults
        .iter()
        .map(|fault| match fault.pointer.trim_start_matches(['/', '?']) {
            "" => fault.detail.clone(),
            pointer => format!(
                "{}: {}",
                pointer.replace('/', ".").replace("~1", "/").replace("~0", "~"),
                fault.detail
            ),
        })
        .collect();
    if more > 0 {
        parts.push(format!("and {more} more"));
    }
    parts.join("; ")
}

/// Reads a JSON body.
///
/// # Errors
/// Not JSON (with line and column in words), nested deeper than [`JSON_DEPTH_MAX`], or with members that are given twice: of those
/// one would be lost.
pub fn parse_json(body: &str) -> Result<Value, InputFault> {
    if depth(body) > JSON_DEPTH_MAX {
        return Err(InputFault::from(too_deep("")));
    }
    let value = json::read(body).map_err(|error| malformed(body, &error))?;
    let repeated = repeated_members(body, "");
    if repeated.is_empty() { Ok(value) } else { Err(InputFault::Invalid(repeated)) }
}

/// Reads the body of a call that takes none: `{}` is nothing as well.
///
/// # Errors
/// Not JSON, no object, or any field: it would be ignored.
pub fn no_fields(body: &str) -> Result<(), InputFault> {
    let body = parse_json(body)?;
    let faults = Fields::of(&body, "")?.finish();
    if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
}

/// What a body is that serde refuses.
fn malformed(body: &str, error: &serde_json::Error) -> InputFault {
    if body.trim().is_empty() {
        return InputFault::Malformed(String::from("The body is empty; a JSON object is needed."));
    }
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let cause = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    InputFault::Malformed(format!("The body is not valid JSON: line {line}, column {column}: {cause}."))
}

fn too_deep(pointer: &str) -> Fault {
    Fault::new(pointer, format!("must not be nested more than {JSON_DEPTH_MAX} levels deep"))
}

/// Levels of nesting of a JSON text; brackets inside strings do not count.
fn depth(json: &str) -> usize {
    let (mut open, mut deepest, mut in_string, mut escaped) = (0usize, 0usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// `text` as one segment of a JSON pointer (RFC 6901 section 3), cut where somebody sends a novel.
pub(crate) fn pointer_segment(text: &str) -> String {
    text.chars().take(POINTER_KEY_CHARS_MAX).collect::<String>().replace('~', "~0").replace('/', "~1")
}

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
        // What is no object may be no JSON either, further on.
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
                split.faults.note(|| Fault::new(at(), "is given twice"));
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
            split.faults.note(|| Fault::new(at(), "is given twice"));
        } else {
            match json::read(value.get()) {
                Ok(parsed) => {
                    split.faults.absorb(repeated_members(value.get(), &at()));
                    split.rest.insert(key, parsed);
                }
                Err(error) => split.faults.note(|| Fault::new(at(), format!("cannot be read: {error}"))),
            }
        }
    }
    Ok(split)
}

/// Whether a JSON text has a `\ud800`–`\udfff` escape without its other half. The JSON grammar allows it, but it is no
/// text: Rust and Python receivers fail on it.
fn has_lone_surrogate(json: &str) -> bool {
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
    pub(crate) fn of(value: &'a Value, pointer: impl Into<String>) -> Result<Self, Fault> {
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
        faults.note(|| Fault::new(format!("{pointer}/{}", pointer_segment(key)), detail));
    }

    /// Notes a fault further below, at a path such as `events/3`.
    pub(crate) fn fault_below(&mut self, path: &str, detail: impl Into<String>) {
        let Self { faults, pointer, .. } = self;
        faults.note(|| Fault::new(format!("{pointer}/{path}"), detail));
    }

    /// Takes over the faults of a part that was read on its own.
    pub(crate) fn absorb(&mut self, faults: impl Into<Faults>) {
        self.faults.absorb(faults);
    }

    /// The items of a list with their places, until enough is wrong: the others are counted without being read.
    pub(crate) fn each_of<'i, T>(&mut self, items: &'i [T], mut read: impl FnMut(&mut Self, usize, &'i T)) {
        for (index, item) in items.iter().enumerate() {
            if self.faults.is_full() {
                self.faults.count_unread(items.len() - index);
                return;
            }
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

    /// Every fault noted, and one for each field that nobody asked for.
    pub(crate) fn finish(self) -> Faults {
        let Self { map, pointer, known, mut faults } = self;
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            faults.note(|| {
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

/// `text`, or its beginning and `…` where it has more than `chars_max` characters. Looks at no more than it keeps.
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

/// Bytes of a text of which `chars_max` characters are kept: the longest character has four, and one more shows that there is more.
const fn bytes_of(chars_max: usize) -> usize {
    (chars_max + 1) * 4
}

/// A value whose texts end after so many bytes: who writes a text first searches all of it for what must be escaped.
struct Short<'a>(&'a Value, usize);

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

/// Checks the length of a text in characters and that it has no control characters.
pub(crate) fn check_text(text: &str, chars_min: usize, chars_max: usize) -> Result<(), String> {
    let chars = text.chars().count();
    if chars < chars_min {
        return Err(String::from("must not be empty"));
    }
    if chars > chars_max {
        return Err(format!("must be at most {chars_max} characters, this has {chars}"));
    }
    if text.chars().any(char::is_control) {
        return Err(String::from("must not contain control characters"));
    }
    Ok(())
}

/// As [`check_text`], for what people read as a name or a description of something: without characters that nobody sees or that
/// change the order of what stands around them (Unicode's `Cf`, `Co`, unassigned ones, line and paragraph separators, fillers).
pub(crate) fn check_name(text: &str, chars_min: usize, chars_max: usize) -> Result<(), String> {
    check_text(text, chars_min, chars_max)?;
    check_visible(text)
}

/// The last part of [`check_name`], for texts of several lines.
pub(crate) fn check_visible(text: &str) -> Result<(), String> {
    match text.chars().find(|c| is_invisible(*c)) {
        None => Ok(()),
        Some(c) => Err(format!(
            "must not contain characters that are invisible or change the direction of text, such as U+{:04X}",
            u32::from(c)
        )),
    }
}

/// Whether nobody sees `c`, which is neither a control character nor white space.
pub(crate) fn is_invisible(c: char) -> bool {
    /// Letters and marks that are drawn as nothing (Unicode's `Default_Ignorable_Code_Point` beyond `Cf`). Variation selectors stay:
    /// emoji are made with them.
    const BLANK: [char; 11] = [
        '\u{34f}', '\u{115f}', '\u{1160}', '\u{17b4}', '\u{17b5}', '\u{180b}', '\u{180c}', '\u{180d}',
        '\u{180f}', '\u{3164}', '\u{ffa0}',
    ];
    if c.is_ascii() {
        return false;
    }
    let is_separator = matches!(c, '\u{2028}' | '\u{2029}');
    if c.is_control() || (c.is_whitespace() && !is_separator) {
        return false;
    }
    // The standard library escapes what is not printable: the general categories C and Z. It has that table anyway. Behind a
    // letter, because it also escapes a combining mark that comes first.
    let shown: String = ['a', c].iter().collect();
    BLANK.contains(&c) || shown.escape_debug().nth(1) == Some('\\')
}

/// The whole number that a JSON number is: `15`, and `15.0` or `1.5e1`, which JSON Schema calls integers, too.
pub(crate) fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => Decimal::of(number).to_i64(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_without_a_fraction_is_whole_however_it_is_written() {
        for (text, whole) in [
            ("15", Some(15)),
            ("15.0", Some(15)),
            ("-2e1", Some(-20)),
            ("1.5", None),
            ("1e300", None),
            ("\"15\"", None),
        ] {
            let value = serde_json::from_str(text).unwrap_or_default();
            assert_eq!(whole_number(&value), whole, "{text}");
        }
    }

    fn malformed_text(body: &str) -> String {
        match parse_json(body) {
            Err(InputFault::Malformed(text)) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_json_is_said_with_line_and_column() {
        assert_eq!(
            malformed_text("{\n  \"a\" 1}"),
            "The body is not valid JSON: line 2, column 7: expected `:`."
        );
        assert_eq!(malformed_text("  "), "The body is empty; a JSON object is needed.");
        assert_eq!(
            parse_json("[1e999]").map(|value| value.to_string()).ok().as_deref(),
            Some("[1e999]"),
            "a number of any size"
        );
    }

    #[test]
    fn nesting_is_limited_and_brackets_in_strings_are_not_nesting() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse_json(&nested(64)).is_ok());
        assert!(matches!(parse_json(&nested(65)), Err(InputFault::Invalid(_))));
        assert!(matches!(parse_json(&nested(100_000)), Err(InputFault::Invalid(_))));
        assert!(parse_json(&format!("\"\\\"{}\"", "[".repeat(1_000))).is_ok());
    }

    #[test]
    fn every_wrong_field_is_named_with_its_pointer() -> Result<(), Fault> {
        let body = json!({"text": 1, "flag": "yes", "integer": 1.5, "list": {}, "nothing": null, "a/b~c": 1});
        let mut fields = Fields::of(&body, "/at")?;
        assert_eq!(fields.text("text"), Sent::Wrong);
        assert_eq!(fields.flag("flag"), Sent::Wrong);
        assert_eq!(fields.integer("integer"), Sent::Wrong);
        assert_eq!(fields.list("list"), Sent::Wrong);
        let nothing = fields.text("nothing");
        assert_eq!(fields.required("nothing", nothing), None);
        let missing = fields.text("missing");
        assert_eq!(fields.required("missing", missing), None);
        let faults = fields.finish();
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            ["/at/text", "/at/flag", "/at/integer", "/at/list", "/at/nothing", "/at/missing", "/at/a~1b~0c"]
        );
        Ok(())
    }

    #[test]
    fn a_sentence_names_every_field() {
        let faults = [
            Fault::new("/url", "is required"),
            Fault::new("/headers/0/key", "is bad"),
            Fault::new("?limit", "is odd"),
            Fault::new("", "all wrong"),
        ];
        assert_eq!(sentence(&faults, 0), "url: is required; headers.0.key: is bad; limit: is odd; all wrong");
        assert_eq!(sentence(&faults[..1], 984), "url: is required; and 984 more");
    }

    #[test]
    fn only_so_many_faults_are_named_and_the_others_are_counted() -> Result<(), Fault> {
        let body: Value = (0..1_000).map(|n| (format!("field-{n}"), json!(n))).collect::<Map<_, _>>().into();
        let unknown = Fields::of(&body, "")?.finish();
        assert_eq!((unknown.len(), unknown.more()), (FAULTS_MAX, 950));
        assert!(unknown.sentence().ends_with("; and 950 more"), "{}", unknown.sentence());
        let mut all = Faults::default();
        all.push(Fault::new("/first", "is required"));
        all.absorb(unknown);
        assert_eq!((all.len(), all.more(), all[0].pointer.as_str()), (FAULTS_MAX, 951, "/first"));
        let mapped = all.map(|fault| Fault::new(format!("/below{}", fault.pointer), fault.detail));
        assert_eq!(
            (mapped.len(), mapped.more(), mapped[0].pointer.as_str()),
            (FAULTS_MAX, 951, "/below/first")
        );
        Ok(())
    }

    #[test]
    fn a_fault_that_is_only_counted_is_never_made() {
        let mut faults = Faults::default();
        let mut made = 0;
        for _ in 0..10_000 {
            faults.note(|| {
                made += 1;
                Fault::new("/a", "is wrong")
            });
        }
        assert_eq!((made, faults.len(), faults.more()), (FAULTS_MAX, FAULTS_MAX, 9_950));
    }

    #[test]
    fn items_are_no_longer_read_once_enough_is_wrong() -> Result<(), Fault> {
        let body = json!({});
        let items = vec![0; 100_000];
        let (mut fields, mut read) = (Fields::of(&body, "")?, 0);
        fields.each_of(&items, |fields, index, _item| {
            read += 1;
            fields.fault_below(&format!("list/{index}"), "is wrong");
        });
        let faults = fields.finish();
        assert_eq!((read, faults.len(), faults.more()), (FAULTS_MAX, FAULTS_MAX, 99_950));
        Ok(())
    }

    #[test]
    fn pointer_and_words_of_a_fault_are_bounded() {
        let deep = Fault::new("/ä".repeat(10_000), "is wrong");
        assert!(deep.pointer.len() <= POINTER_BYTES_MAX && deep.pointer.ends_with("/ä"), "{}", deep.pointer);
        assert_eq!(deep.detail, "further below: is wrong");
        let long = Fault::new("/a", "ü".repeat(10_000));
        assert!(long.detail.len() <= DETAIL_BYTES_MAX && long.detail.ends_with("ü…"), "{}", long.detail);
        assert_eq!(Fault::new(format!("?{}", "k".repeat(1_000)), "").pointer.len(), POINTER_BYTES_MAX);
    }

    #[test]
    fn a_raw_member_is_kept_as_it_was_written() -> Result<(), InputFault> {
        let split = split_object(r#"{"a":1, "data" : { "n" : 1.0e+5 , "n":2 } }"#, "", "data")?;
        assert_eq!(split.raw.as_deref().map(RawValue::get), Some(r#"{ "n" : 1.0e+5 , "n":2 }"#));
        assert_eq!(split.rest.get("a"), Some(&json!(1)));
        assert!(split.faults.is_empty());
        Ok(())
    }

    #[test]
    fn no_member_of_a_body_is_dropped_because_it_is_given_twice() -> Result<(), InputFault> {
        let pointers = |faults: Faults| faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>();
        let twice = parse_json(r#"{"name":"a","labels":{"a":"1","a":"2"},"name":"b"}"#);
        assert!(
            matches!(twice, Err(InputFault::Invalid(faults)) if pointers(faults.clone()) == ["/labels/a", "/name"])
        );
        let split = split_object(r#"{"labels":{"a":"1","a":"2"},"data":{"n":1,"n":2}}"#, "", "data")?;
        assert_eq!(pointers(split.faults), ["/labels/a"], "data is kept as it was written");
        Ok(())
    }

    #[test]
    fn a_call_without_a_body_takes_nothing_and_says_so() {
        assert_eq!(no_fields(" {} "), Ok(()));
        assert!(
            matches!(no_fields(r#"{"at":1}"#), Err(InputFault::Invalid(faults)) if faults[0].pointer == "/at")
        );
    }

    #[test]
    fn members_given_twice_are_faults() -> Result<(), InputFault> {
        let split = split_object(r#"{"a":1,"data":1,"a":2,"data":2}"#, "", "data")?;
        let pointers: Vec<&str> = split.faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a", "/data"]);
        Ok(())
    }

    #[test]
    fn half_characters_are_found() {
        for (json, is_half) in [
            (r#""\ud83c\udf0d""#, false),
            (r#""\ud83c""#, true),
            (r#""\udf0d""#, true),
            (r#""\ud83c\u0041""#, true),
            (r#""\ud83cx\udf0d""#, true),
            (r#""\ud83c\n""#, true),
            (r#""\\ud83c""#, false),
            (r#""\u00e4 \" \\""#, false),
            (r#""\ud83c\ud83c\udf0d""#, true),
        ] {
            assert_eq!(has_lone_surrogate(json), is_half, "{json}");
        }
    }

    #[test]
    fn what_is_shown_of_a_value_is_the_beginning_of_its_json_and_nothing_behind_it_is_looked_at() {
        let long = "ä\"x".repeat(100_000);
        for value in [
            Value::from(long.as_str()),
            serde_json::json!([1, long, { "a": long }]),
            serde_json::json!({ "a": [[], {}, null], "name": "é" }),
            Value::from("é".repeat(40)),
            serde_json::json!({ long.as_str(): 1 }),
            Value::Null,
        ] {
            for chars_max in [1, 2, 39, 40, 41, 42, 43, 200] {
                assert_eq!(shown(&value, chars_max), cut(&value.to_string(), chars_max));
            }
            assert_eq!(
                shown_list(&[&value, &value], 99),
                cut(&serde_json::json!([value, value]).to_string(), 99)
            );
            // What a writer is given, and looks through: of each text no more than is kept of all.
            let given = serde_json::to_string(&Short(&value, 50)).map(|text| text.len());
            assert!(given.is_ok_and(|bytes| bytes < 400), "{chars} characters", chars = long.len());
        }
    }

    #[test]
    fn a_name_is_what_people_see() {
        for name in [
            "Billing",
            "Zürich 東京",
            "Großkunde “A”",
            "naïve\u{301}",
            "🚀 ❤\u{fe0f}",
            "עברית",
            "a\u{a0}b",
            "back\\slash's \"x\"",
            "\u{3000}x",
        ] {
            assert_eq!(check_name(name, 1, 64), Ok(()), "{name:?}");
        }
        for c in [
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{61c}',
            '\u{feff}',
            '\u{fff9}',
            '\u{e0041}',
            '\u{2028}',
            '\u{2029}',
            '\u{e000}',
            '\u{10fffd}',
            '\u{378}',
            '\u{ffff}',
            '\u{3164}',
            '\u{34f}',
            '\u{7}',
            '\u{85}',
        ] {
            assert!(check_name(&format!("a{c}b"), 1, 64).is_err(), "U+{:04X}", u32::from(c));
        }
        assert_eq!(check_visible("two\nlines\tof text"), Ok(()));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in "[\\[\\]{}\",:0-9a-eu\\\\ .-]{0,60}") {
            let _value = parse_json(&body);
            let _split = split_object(&body, "/at", "data");
        }
    }
}
