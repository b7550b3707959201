//! The size of lines and functions.

use std::path::Path;

use crate::failure::Result;
use crate::source::{self, Line};
use crate::tidy::our_files;
use crate::workspace;

/// Columns of a comment. rustfmt sees to the code.
const COLUMNS_MAX: usize = 110;
/// Columns of a line of ARCHITECTURE.md, tables too.
const ARCHITECTURE_COLUMNS_MAX: usize = 120;
/// The crates whose functions are counted.
const COUNTED: [&str; 3] = ["core", "ledger", "edge"];
/// Lines of a function.
const FUNCTION_LINES_MAX: usize = 70;
/// Functions that may be longer: each is a table.
const LONG_MAX: usize = 3;

/// The comments of Rust and the lines of ARCHITECTURE.md that are too long.
pub(crate) fn long_lines() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in our_files(&["rs"])? {
        let text = workspace::read(&path)?;
        found.extend(
            too_wide(&text)
                .into_iter()
                .map(|line| format!("{}:{line}", workspace::relative(&path).display())),
        );
    }
    let architecture = workspace::read(&workspace::root().join("ARCHITECTURE.md"))?;
    let lines = architecture.lines().enumerate();
    let long = lines.filter(|(_index, line)| line.chars().count() > ARCHITECTURE_COLUMNS_MAX);
    found.extend(long.map(|(index, _line)| format!("ARCHITECTURE.md:{}", index + 1)));
    Ok(found)
}

/// The functions that are too long, if there are more than a few.
pub(crate) fn long_functions() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in our_files(&["rs"])? {
        let relative = workspace::relative(&path);
        let is_counted = COUNTED.iter().any(|name| relative.starts_with(Path::new(name).join("src")));
        if !is_counted || path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        let lines = source::lines(&workspace::read(&path)?);
        let long =
            functions(source::without_tests(&lines)).filter(|function| function.lines > FUNCTION_LINES_MAX);
        found.extend(long.map(|Function { name, at, lines }| {
            format!("{}:{at}: {name}, {lines} lines", relative.display())
        }));
    }
    Ok(if found.len() > LONG_MAX { found } else { Vec::new() })
}

/// The lines, numbered from 1, that are a comment and too long.
fn too_wide(source: &str) -> Vec<usize> {
    let is_wide = |line: &str| line.trim_start().starts_with("//") && line.chars().count() > COLUMNS_MAX;
    let wide = source.lines().enumerate().filter(|(_index, line)| is_wide(line));
    wide.map(|(index, _line)| index + 1).collect()
}

struct Function {
    name: String,
    /// The line of its name, from 1.
    at: usize,
    /// Its lines, from its name to its last brace.
    lines: usize,
}

/// The functions with a body.
fn functions(lines: &[Line]) -> impl Iterator<Item = Function> + '_ {
    lines.iter().enumerate().filter_map(|(index, line)| {
        let (before, after) = line.code.split_once("fn ")?;
        let is_start = before.split_whitespace().all(|word| {
            word.starts_with("pub")
                || ["const", "async", "unsafe", "extern", "\"\"", "crate)"].contains(&word)
        });
        let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let lines = (is_start && !name.is_empty()).then(|| body_lines(lines.get(index..)?)).flatten()?;
        Some(Function { name, at: index + 1, lines })
    })
}

/// The lines of a function that starts with the first of `lines`; `None` if it has no body.
fn body_lines(lines: &[Line]) -> Option<usize> {
    let (mut open, mut is_in_body) = (0usize, false);
    for (index, line) in lines.iter().enumerate() {
        for letter in line.code.chars() {
            match letter {
                ';' if open == 0 => return None,
                '{' if open == 0 => (open, is_in_body) = (1, true),
                '(' | '[' | '{' => open += 1,
                ')' | ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            if is_in_body && open == 0 {
                return Some(index + 1);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_comment_is_named_and_a_long_string_is_not() {
        let comment = format!("//! {}", "word ".repeat(30));
        let string = format!("let text = \"{}\";", "word ".repeat(30));
        assert_eq!(too_wide(&[comment, string, String::from("// short")].join("\n")), [1]);
    }

    #[test]
    fn the_lines_of_a_function_are_counted_to_its_last_brace() {
        let source = "trait T {\n    fn none(&self, of: [u8; 2]);\n}\npub(crate) async fn a<T>(\n    b: T,\n) {\n    let fn_ = '}';\n    if c { d }\n}\n// fn e() {\nfn f() {}\n";
        let lines = source::lines(source);
        let found: Vec<_> = functions(&lines).map(|found| (found.name, found.at, found.lines)).collect();
        assert_eq!(found, [(String::from("a"), 4, 6), (String::from("f"), 11, 1)]);
    }
}
