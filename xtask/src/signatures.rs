//! What functions take, and where they may stand.

use std::path::{Path, PathBuf};

use crate::failure::Result;
use crate::source::{self, Line};
use crate::tidy::our_files;
use crate::workspace;

/// The crates whose functions take no `bool`.
const CRATES: [&str; 5] = ["core", "ledger", "engine", "edge", "app"];

/// The functions that take a `bool`: what `true` means cannot be read where they are called, so they are two
/// functions, or take an enum. A trait's signature is not ours to choose, and a component's parameters are
/// named where it is used (`<TextField mono=true />`).
pub(crate) fn boolean_parameters() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (path, lines) in looked_at()? {
        let named = with_a_flag(source::without_tests(&lines));
        found.extend(named.into_iter().map(|(at, name)| format!("{}:{at}: {name}", path.display())));
    }
    Ok(found)
}

/// The functions in a `mod.rs`, which says what is in its folder and holds nothing itself.
pub(crate) fn functions_in_mod_files() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (path, lines) in looked_at()?.into_iter().filter(|(path, _lines)| path.ends_with("mod.rs")) {
        let code = source::without_tests(&lines).iter().enumerate();
        let functions = code.filter(|(_index, line)| line.code.split_whitespace().any(|word| word == "fn"));
        found.extend(functions.map(|(index, _line)| format!("{}:{}", path.display(), index + 1)));
    }
    Ok(found)
}

/// The files of the crates that are looked at, below the root, but for those of unit tests.
fn looked_at() -> Result<Vec<(PathBuf, Vec<Line>)>> {
    let mut files = Vec::new();
    for path in our_files(&["rs"])? {
        let relative = workspace::relative(&path).to_path_buf();
        let is_ours = CRATES.iter().any(|name| relative.starts_with(Path::new(name).join("src")));
        if is_ours && relative.file_stem().is_none_or(|name| name != "tests") {
            files.push((relative, source::lines(&workspace::read(&path)?)));
        }
    }
    Ok(files)
}

/// The functions that take a `bool`, each with its line from 1; not those of a trait for a type, and not
/// components.
fn with_a_flag(lines: &[Line]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_in_trait = false;
    for (index, line) in lines.iter().enumerate() {
        if line.code.starts_with("impl") {
            let until_brace = lines.iter().skip(index).take_while(|line| !line.code.starts_with("    "));
            is_in_trait = until_brace.take(4).any(|line| line.code.split(' ').any(|word| word == "for"));
        } else if line.code == "}" {
            is_in_trait = false;
        }
        let is_component = index
            .checked_sub(1)
            .and_then(|before| lines.get(before))
            .is_some_and(|before| before.code.trim() == "#[component]");
        let is_exempt = is_in_trait || is_component;
        let Some((_before, after)) = line.code.split_once("fn ").filter(|_| !is_exempt) else { continue };
        let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let rest = lines.iter().skip(index + 1).map(|line| line.code.as_str());
        let text: String = std::iter::once(after).chain(rest.take(20)).collect();
        let types = parameters(text.get(name.len()..).unwrap_or_default());
        if types
            .iter()
            .any(|parameter| parameter.rsplit(':').next().is_some_and(|kind| kind.trim() == "bool"))
        {
            found.push((index + 1, name));
        }
    }
    found
}

/// The parameters of a function, from what follows its name.
fn parameters(text: &str) -> Vec<String> {
    let mut parameters = vec![String::new()];
    let (mut round, mut sharp, mut before) = (0usize, 0usize, ' ');
    for letter in text.chars() {
        match letter {
            '<' => sharp += 1,
            '>' if before != '-' => sharp = sharp.saturating_sub(1),
            '(' if sharp == 0 || round > 0 => round += 1,
            ')' if round == 1 => break,
            ')' => round = round.saturating_sub(1),
            _ => {}
        }
        before = letter;
        if letter == ',' && round == 1 && sharp == 0 {
            parameters.push(String::new());
        } else if let Some(last) = parameters.last_mut().filter(|_| round > 0) {
            last.push(letter);
        }
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_takes_a_flag_is_named_and_one_of_a_trait_or_a_component_is_not() {
        let text = "fn a(b: bool) {}\npub(crate) fn c<T: Fn(u8) -> bool>(\n    d: T,\n    e: bool,\n) {}\nfn f(g: impl Fn(bool) -> bool, h: &[bool]) -> bool {}\nimpl From<bool> for I {\n    fn from(j: bool) -> Self {}\n}\nimpl K {\n    fn l(&self, m: bool) {}\n}\n// fn n(o: bool)\n#[component]\nfn P(q: bool) -> AnyView {}\n";
        let named: Vec<_> = with_a_flag(&source::lines(text)).into_iter().collect();
        assert_eq!(named, [(1, String::from("a")), (2, String::from("c")), (11, String::from("l"))]);
    }

    #[test]
    fn the_parts_of_a_parameter_s_type_are_not_parameters() {
        assert_eq!(
            parameters("<T>(a: Map<u8, bool>, (b, c): (u8, u8)) -> bool"),
            ["(a: Map<u8, bool>", " (b, c): (u8, u8)"]
        );
    }
}
