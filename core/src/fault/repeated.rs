//! Members of JSON objects that are given twice. A reader keeps one of them, and which one depends on the
//! reader (RFC 8259 4), so in a body of ours they are a fault.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::faults::{Fault, Faults, pointer_segment};
use crate::json::{Reader, unescaped};

/// Names of an object that are compared one by one; more of them are sorted.
const COMPARED_MAX: usize = 16;

/// A fault for each member of an object in `json` that its object has already; `json` stands at `pointer` of
/// the body. Copies nothing but names with escapes.
pub(crate) fn repeated_members(json: &str, pointer: &str) -> Faults {
    let mut walk = Walk { reader: Reader::new(json), found: Faults::default(), is_told: true };
    let place = Location { parent: None, step: Step::Root(pointer) };
    // What is not JSON is named by the reader of its values.
    let _named_elsewhere = walk.value(&place);
    walk.found
}

/// Where a value stands. Its pointer is only written if there is something to say.
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

/// The names of an object so far.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: BTreeSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    fn contains(&self, name: &str) -> bool {
        self.few.iter().any(|known| known == name) || self.many.contains(name)
    }

    fn insert(&mut self, name: Cow<'a, str>) {
        if self.few.len() < COMPARED_MAX && self.many.is_empty() {
            self.few.push(name);
        } else {
            self.many.extend(self.few.drain(..));
            self.many.insert(name);
        }
    }
}

struct Walk<'a> {
    reader: Reader<'a>,
    found: Faults,
    /// Not inside a member that is a repetition itself.
    is_told: bool,
}

impl Walk<'_> {
    /// Goes behind the value that starts here; `None` if the text is not JSON.
    fn value(&mut self, place: &Location<'_>) -> Option<()> {
        match self.reader.peek()? {
            b'{' => self.object(place),
            b'[' => self.list(place),
            b'"' => self.reader.quoted().map(|_text| ()),
            _ => self.reader.scalar().filter(|text| !text.is_empty()).map(|_text| ()),
        }
    }

    fn object(&mut self, place: &Location<'_>) -> Option<()> {
        let mut names = Names::default();
        let _start = self.reader.takes(b'{');
        while !self.reader.takes(b'}') {
            let _comma = self.reader.takes(b',');
            if self.reader.peek()? != b'"' {
                return None;
            }
            let name = unescaped(self.reader.quoted()?)?;
            let _colon = self.reader.takes(b':');
            let member = Location { parent: Some(place), step: Step::Member(&name) };
            let is_new = !names.contains(&name);
            if !is_new && self.is_told {
                self.found.push_with(|| Fault::new(member.pointer(), "is given twice"));
            }
            let was_told = self.is_told;
            self.is_told = was_told && is_new;
            self.value(&member)?;
            self.is_told = was_told;
            if is_new {
                names.insert(name);
            }
        }
        Some(())
    }

    fn list(&mut self, place: &Location<'_>) -> Option<()> {
        let _start = self.reader.takes(b'[');
        let mut index = 0;
        while !self.reader.takes(b']') {
            let _comma = self.reader.takes(b',');
            self.value(&Location { parent: Some(place), step: Step::Item(index) })?;
            index += 1;
        }
        Some(())
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
