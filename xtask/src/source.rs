//! Rust source as lines that rules can look at: without what stands in strings and comments.

/// A line of a source file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its code. Literals are empty (`""`), comments are left out.
    pub(crate) code: String,
}

/// The lines of `source`.
pub(crate) fn lines(source: &str) -> Vec<Line> {
    let mut scanner = Scanner { rest: source, lines: vec![Line::default()] };
    while !scanner.rest.is_empty() {
        scanner.step();
    }
    scanner.lines
}

/// The lines that are built without `cfg(test)`, from the first on: unit tests stand at the end of a file.
pub(crate) fn without_tests(lines: &[Line]) -> &[Line] {
    let is_start = |pair: &[Line]| {
        let [attribute, module] = pair else { return false };
        attribute.code.trim() == "#[cfg(test)]" && module.code.trim_end().ends_with('{')
    };
    let end = lines.windows(2).position(is_start).unwrap_or(lines.len());
    lines.get(..end).unwrap_or(lines)
}

/// The lines, numbered from 1, as text without comments; those of the unit tests at the end of a file are
/// left out. What stands in strings stays, for rules that look at SQL or at names.
pub(crate) fn text_without_comments(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = source.lines().enumerate().take_while(|(_index, line)| *line != "#[cfg(test)]");
    code.map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
}

struct Scanner<'a> {
    rest: &'a str,
    lines: Vec<Line>,
}

impl Scanner<'_> {
    /// Takes what starts here: a comment, a literal or a character of code.
    fn step(&mut self) {
        let rest = self.rest;
        if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            self.comment(end);
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").map_or(rest.len(), |at| at + 2);
            self.comment(end);
        } else if let Some(end) = raw_string(rest).or_else(|| string(rest)) {
            self.literal(end);
        } else if let Some(end) = character(rest) {
            self.literal(end);
        } else if let Some(letter) = rest.chars().next() {
            // A whole word, so that the `r` at its end does not start a raw string.
            let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
            let word = rest.find(|next: char| !is_word(next)).unwrap_or(rest.len());
            let end = if is_word(letter) { word } else { letter.len_utf8() };
            self.code(end);
        }
    }

    fn take(&mut self, bytes: usize) -> &str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn comment(&mut self, bytes: usize) {
        let breaks = self.take(bytes).matches('\n').count();
        self.lines.extend((0..breaks).map(|_break| Line::default()));
    }

    fn literal(&mut self, bytes: usize) {
        let breaks = self.take(bytes).matches('\n').count();
        self.push("\"");
        self.lines.extend((0..breaks).map(|_break| Line::default()));
        self.push("\"");
    }

    fn code(&mut self, bytes: usize) {
        let text = String::from(self.take(bytes));
        if text == "\n" {
            self.lines.push(Line::default());
        } else {
            self.push(&text);
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(line) = self.lines.last_mut() {
            line.code.push_str(text);
        }
    }
}

/// The bytes of the string that starts here, with a `b` or `c` before it or not.
fn string(text: &str) -> Option<usize> {
    let body = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('"')?;
    let mut is_escaped = false;
    let end = body.find(|letter: char| {
        let ends = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        ends
    });
    Some(end.map_or(text.len(), |end| text.len() - body.len() + end + 1))
}

/// The bytes of the raw string that starts here.
fn raw_string(text: &str) -> Option<usize> {
    let marks = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let body = marks.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(marks.len() - body.len()));
    let body = body.strip_prefix('"')?;
    Some(body.find(&end).map_or(text.len(), |at| text.len() - body.len() + at + end.len()))
}

/// The bytes of the character that starts here; a lifetime is not one.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('b').unwrap_or(text).strip_prefix('\'')?;
    let before = text.len() - body.len();
    if body.starts_with('\\') {
        let end = body.char_indices().skip(2).find(|(_at, letter)| *letter == '\'')?.0;
        return Some(before + end + 1);
    }
    let letter = body.chars().next()?;
    body.get(letter.len_utf8()..)?.starts_with('\'').then_some(before + letter.len_utf8() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> Vec<String> {
        lines(source).into_iter().map(|line| line.code).collect()
    }

    #[test]
    fn literals_are_empty_and_comments_are_no_code() {
        for (source, expected) in [
            ("let a = \"{ // \\\" }\"; // b {", "let a = \"\"; "),
            ("let a = r#\"\"{\"#;", "let a = \"\";"),
            ("let a = br\"{\\\";", "let a = \"\";"),
            (
                "let a: &'a str = for_r(\"{\", '{', '\\'', b'\"', '\\u{7b}');",
                "let a: &'a str = for_r(\"\", \"\", \"\", \"\", \"\");",
            ),
            ("a /* { */ b", "a  b"),
        ] {
            assert_eq!(code(source), [expected], "{source}");
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(code("a\n\"b\nc\" d\n// e\n/* f\n */ g"), ["a", "\"", "\" d", "", "", " g"]);
    }

    #[test]
    fn unit_tests_at_the_end_are_left_out() {
        let file = lines("fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n#[cfg(test)]\nmod more {\n}");
        assert_eq!(without_tests(&file).len(), 4);
    }
}
