//! JSON in other clothes: the same values with the white space and the escapes of another writer.

use std::fmt::Write as _;

/// How a writer puts white space between the parts of JSON.
#[derive(Clone, Copy)]
pub(super) enum Layout {
    /// None: JavaScript's `JSON.stringify`, serde, Go.
    Compact,
    /// One behind `,` and `:`: Python's `json.dumps`.
    Spaced,
    /// A line for each member, indented by so many spaces.
    Indented(usize),
}

/// `json` with the white space of `layout`; texts and numbers stay as they are. `None` where it is not JSON.
pub(super) fn laid_out(json: &str, layout: Layout) -> Option<String> {
    serde_json::from_str::<serde::de::IgnoredAny>(json).ok()?;
    let mut out = String::with_capacity(json.len());
    let (mut depth, mut is_in_text, mut is_escaped) = (0_usize, false, false);
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        if is_in_text {
            out.push(c);
            is_in_text = c != '"' || is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            continue;
        }
        match c {
            '"' => {
                is_in_text = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = rest.next_if(|next| ['}', ']'].contains(next)) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, layout, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, layout, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                match layout {
                    Layout::Spaced => out.push(' '),
                    Layout::Compact | Layout::Indented(_) => line(&mut out, layout, depth),
                }
            }
            ':' => out.push_str(if matches!(layout, Layout::Compact) { ":" } else { ": " }),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    Some(out)
}

fn line(out: &mut String, layout: Layout, depth: usize) {
    if let Layout::Indented(width) = layout {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * depth));
    }
}

/// `json` with every letter beyond ASCII as a `\u` escape.
pub(super) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a String never fails.
                let _written = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// `json` with the `\u` escapes of letters beyond ASCII as letters; `None` where there is none.
pub(super) fn unescaped(json: &str) -> Option<String> {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    let mut is_other = false;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let units =
            |text: &str| text.strip_prefix("\\u")?.get(..4).and_then(|hex| u16::from_str_radix(hex, 16).ok());
        let first = units(escape);
        let second = escape.get(6..).and_then(units);
        let letter = first.and_then(|first| char::decode_utf16([first]).next()?.ok().map(|c| (c, 6)));
        let pair = first.zip(second).and_then(|(first, second)| {
            char::decode_utf16([first, second])
                .next()?
                .ok()
                .map(|c| (c, if c.len_utf16() == 2 { 12 } else { 6 }))
        });
        match letter.or(pair) {
            Some((c, bytes)) if !c.is_ascii() => {
                out.push(c);
                is_other = true;
                rest = escape.get(bytes..).unwrap_or("");
            }
            _ => {
                let bytes = escape.char_indices().nth(2).map_or(escape.len(), |(at, _)| at);
                out.push_str(escape.get(..bytes).unwrap_or(""));
                rest = escape.get(bytes..).unwrap_or("");
            }
        }
    }
    out.push_str(rest);
    is_other.then_some(out)
}
