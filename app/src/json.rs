//! JSON text for the eye: laid out and cut into coloured tokens without going through a value, so that
//! numbers, key order and escapes are shown exactly as they were sent.

use serde::de::IgnoredAny;

/// What a piece of JSON text is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// The name of a member.
    Key,
    /// A string value.
    Text,
    /// A number, `true`, `false` or `null`.
    Literal,
    /// Brackets, commas, colons and white space.
    Punctuation,
}

/// Longest text that is coloured, in bytes: each token is an element, and thousands of them would be slow.
pub(crate) const COLOURED_BYTES_MAX: usize = 24 * 1024;

/// Whether `text` is one JSON value.
///
/// Read without keeping anything: a body may be megabytes long.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Lays `text` out with two spaces a level; `None` where it is not JSON. Empty objects and arrays stay on one
/// line.
pub(crate) fn pretty(text: &str) -> Option<String> {
    is_json(text).then(|| tokens(text).into_iter().map(|(_, piece)| piece).collect())
}

/// The laid out text in pieces. `text` must be JSON; anything else gives some pieces, but no panic.
pub(crate) fn tokens(text: &str) -> Vec<(Token, String)> {
    let mut pieces: Vec<(Token, String)> = Vec::new();
    let mut level = 0usize;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => rest.find([',', ':', '{', '}', '[', ']', '"', ' ', '\t', '\r', '\n']).unwrap_or(rest.len()),
        };
        let (piece, after) = rest.split_at(length);
        rest = after.trim_start();
        match first {
            '{' | '[' => {
                let closes = rest.chars().next().filter(|next| matches!(next, '}' | ']'));
                if let Some(close) = closes {
                    pieces.push((Token::Punctuation, format!("{first}{close}")));
                    rest = rest[1..].trim_start();
                } else {
                    level += 1;
                    pieces.push((Token::Punctuation, format!("{first}{}", line_break(level))));
                }
            }
            '}' | ']' => {
                level = level.saturating_sub(1);
                pieces.push((Token::Punctuation, format!("{}{first}", line_break(level))));
            }
            ',' => pieces.push((Token::Punctuation, format!(",{}", line_break(level)))),
            ':' => pieces.push((Token::Punctuation, String::from(": "))),
            '"' if rest.starts_with(':') => pieces.push((Token::Key, String::from(piece))),
            '"' => pieces.push((Token::Text, String::from(piece))),
            _ => pieces.push((Token::Literal, String::from(piece))),
        }
    }
    pieces
}

/// A line break, and the white space before what stands so deep.
fn line_break(level: usize) -> String {
    format!("\n{}", "  ".repeat(level))
}

/// Bytes of the string that `text` starts with, quotes included.
///
/// Counted in bytes because a quote and a backslash are one byte each in UTF-8, and stand in no other letter.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keys_and_escapes_are_kept_as_they_were_sent() {
        let sent = r#"{"b":1.0,"a":[1e400,-0],"s":"a\"b,{}\u00e9","empty":{},"none":[ ]}"#;
        let shown = pretty(sent).expect("is JSON");
        assert_eq!(
            shown,
            "{\n  \"b\": 1.0,\n  \"a\": [\n    1e400,\n    -0\n  ],\n  \"s\": \"a\\\"b,{}\\u00e9\",\n  \"empty\": {},\n  \"none\": []\n}"
        );
    }

    #[test]
    fn laying_out_twice_changes_nothing() {
        let once = pretty(r#"[{"a":{"b":[true,null,"x"]}},[],0]"#).expect("is JSON");
        assert_eq!(pretty(&once).as_deref(), Some(once.as_str()));
    }

    #[test]
    fn what_is_not_json_is_left_alone() {
        for text in ["", "<b>", "{\"a\":", "{} {}"] {
            assert_eq!(pretty(text), None, "{text}");
        }
    }

    #[test]
    fn keys_and_values_have_their_own_colour() {
        let kinds: Vec<Token> = tokens(r#"{"a":"b","c":1}"#)
            .into_iter()
            .map(|(kind, _)| kind)
            .filter(|kind| *kind != Token::Punctuation)
            .collect();
        assert_eq!(kinds, [Token::Key, Token::Text, Token::Key, Token::Literal]);
    }
}
