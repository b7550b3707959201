//! Checks of texts: length, control characters, invisible characters.

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

/// As [`check_text`], for what people read as a name or a description of something: without characters that
/// nobody sees or that change the order of what stands around them (Unicode's `Cf`, `Co`, unassigned ones,
/// line and paragraph separators, fillers).
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

/// Whether `c` is invisible, and neither a control character nor white space.
pub(crate) fn is_invisible(c: char) -> bool {
    /// Letters and marks that are drawn as nothing (Unicode's `Default_Ignorable_Code_Point` beyond `Cf`).
    /// Variation selectors stay: emoji are made with them.
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
    // The standard library escapes what is not printable: the general categories C and Z. It has that table
    // anyway. Behind a letter, because it also escapes a combining mark that comes first.
    let shown: String = ['a', c].iter().collect();
    BLANK.contains(&c) || shown.escape_debug().nth(1) == Some('\\')
}
