//! JSON as text: what can be done to it without reading its values.
//!
//! No number type holds all that JSON can write, so a producer's data is never parsed and written again.
//! These functions look only at where strings start and end (RFC 8259 §2, §7); every token stays as it was
//! written.

use std::borrow::Cow;

/// The same JSON in one line, for NDJSON: no white space between tokens, every token as it was written.
///
/// A line ends at a line feed only, but many readers also split at U+0085, U+2028 and U+2029, which JSON
/// takes raw in strings (Python's `str.splitlines`, and what is made of it). They are written as escapes,
/// which stand for the same text.
///
/// `json` is one valid JSON value.
#[must_use]
pub fn one_line(json: &str) -> Cow<'_, str> {
    if spans(json).all(|(byte, in_string)| in_string || !is_space(byte))
        && !json.contains(is_line_break_of_some)
    {
        return Cow::Borrowed(json);
    }
    let mut line = String::with_capacity(json.len());
    let mut in_string = false;
    let mut is_escaped = false;
    for character in json.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            ' ' | '\t' | '\n' | '\r' if !in_string => continue,
            '\u{85}' => {
                line.push_str("\\u0085");
                continue;
            }
            '\u{2028}' => {
                line.push_str("\\u2028");
                continue;
            }
            '\u{2029}' => {
                line.push_str("\\u2029");
                continue;
            }
            _ => {}
        }
        line.push(character);
    }
    Cow::Owned(line)
}

/// Bytes of a JSON text without the white space between its tokens.
#[must_use]
pub fn compact_bytes(json: &str) -> usize {
    spans(json).filter(|(byte, in_string)| *in_string || !is_space(*byte)).count()
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

const fn is_line_break_of_some(character: char) -> bool {
    matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Every byte, and whether it belongs to a string.
fn spans(json: &str) -> impl Iterator<Item = (u8, bool)> + '_ {
    let (mut in_string, mut is_escaped) = (false, false);
    json.bytes().map(move |byte| {
        let was_in_string = in_string;
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        (byte, was_in_string || in_string)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_line_has_every_token_as_it_was_written_and_no_space_between_them() {
        let written = "{\r\n\t\"a b\" : [ 12345678901234567890123 , 1.10,\n1E+400, -0.0 ],\n\"s\":\"x \\\" \\\\\" , \"n\"\n:\nnull }\n";
        assert_eq!(
            one_line(written),
            r#"{"a b":[12345678901234567890123,1.10,1E+400,-0.0],"s":"x \" \\","n":null}"#
        );
        assert_eq!(compact_bytes(written), one_line(written).len());
    }

    #[test]
    fn what_is_a_line_already_is_not_copied() {
        for json in ["7", "\"a b\"", r#"{"a":"x \" y","b":[1,2]}"#] {
            assert!(matches!(one_line(json), Cow::Borrowed(same) if same == json), "{json}");
        }
    }

    #[test]
    fn no_reader_finds_another_line_break_in_it() {
        let written = "{\"a\u{85}\":\"\u{2028}x\u{2029}\\\\\u{2028}\"}";
        let line = one_line(written);
        assert_eq!(line, r#"{"a\u0085":"\u2028x\u2029\\\u2028"}"#);
        assert_eq!(serde_json::from_str::<Value>(&line).ok(), serde_json::from_str(written).ok());
    }

    proptest! {
        #[test]
        fn a_line_stands_for_the_same_value(text in ".{0,20}", key in ".{0,8}", spaces in "[ \t\r\n]{0,4}") {
            let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
            let json = format!("{spaces}{{{spaces}{}{spaces}:{spaces}[{spaces}{}{spaces},{spaces}1{spaces}]{spaces}}}{spaces}", quoted(&key), quoted(&text));
            let line = one_line(&json);
            prop_assert_eq!(serde_json::from_str::<Value>(&line).ok(), serde_json::from_str(&json).ok());
            let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
            prop_assert!(!line.contains(breaks));
        }
    }
}
