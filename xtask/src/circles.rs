//! Circles of imports: files of a crate of which each needs the others, so that none can be read or tested
//! alone. Unit tests may import what they want.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::failure::Result;
use crate::source::{self, Line};
use crate::tidy::files_of;
use crate::workspace;

/// The crates that are looked at.
const CRATES: [&str; 4] = ["core", "ledger", "edge", "app"];
/// The one circle there may be: an error of the database is one of the ledger's errors.
const ALLOWED: [&str; 2] = ["ledger/src/error.rs", "ledger/src/sql.rs"];
/// How often a name is looked up behind a `pub use`.
const REEXPORTS_MAX: usize = 8;

/// The circles, each a line with its files.
pub(crate) fn of_imports() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for name in CRATES {
        let folder = workspace::root().join(name).join("src");
        let mut sources = Vec::new();
        for path in files_of(vec![folder.clone()], &["rs"])? {
            let text = workspace::read(&path)?;
            sources.push((path.strip_prefix(&folder).unwrap_or(&path).to_owned(), text));
        }
        let sources: Vec<_> = sources.iter().map(|(path, text)| (path.as_path(), text.as_str())).collect();
        for circle in circles(&sources) {
            let files: Vec<String> = circle.iter().map(|file| format!("{name}/src/{file}")).collect();
            if files != ALLOWED {
                found.push(format!("{} files: {}", files.len(), files.join(", ")));
            }
        }
    }
    Ok(found)
}

/// A module by its names from the root: empty for the root.
type Module = Vec<String>;

/// The circles among these files of one crate; paths are below its `src`.
fn circles(sources: &[(&Path, &str)]) -> Vec<Vec<String>> {
    let mut files = BTreeMap::new();
    let mut tests = BTreeSet::new();
    for (path, text) in sources {
        let lines = source::lines(text);
        let module = module_of(path);
        tests.extend(test_modules(&lines).map(|name| [module.clone(), vec![name]].concat()));
        let code: Vec<&str> = source::without_tests(&lines).iter().map(|line| line.code.as_str()).collect();
        files.insert(module, File { name: path.display().to_string(), paths: paths(&code.join("\n")) });
    }
    files.retain(|module, _file| !tests.iter().any(|test| module.starts_with(test)));
    let tree = Tree { files };
    let imports: BTreeMap<&Module, BTreeSet<Module>> =
        tree.files.keys().map(|module| (module, tree.imports(module))).collect();
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        imports.keys().map(|module| (*module, reachable(&imports, module))).collect();
    let mut circles = BTreeSet::new();
    for (module, others) in &reached {
        let mutual =
            others.iter().filter(|other| reached.get(*other).is_some_and(|back| back.contains(module)));
        let circle: BTreeSet<&str> =
            mutual.filter_map(|other| tree.files.get(*other)).map(|file| file.name.as_str()).collect();
        if circle.len() > 1 {
            circles.insert(circle.into_iter().map(String::from).collect::<Vec<_>>());
        }
    }
    circles.into_iter().collect()
}

fn reachable<'a>(imports: &'a BTreeMap<&Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<&'a Module> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in imports.get(module).into_iter().flatten() {
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}

/// The module of a file: `a/b.rs` and `a/b/mod.rs` are both `a::b`.
fn module_of(path: &Path) -> Module {
    let mut names: Module =
        path.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        names.pop();
    }
    names
}

/// The modules in files of their own that a file declares for tests only.
fn test_modules(lines: &[Line]) -> impl Iterator<Item = String> + '_ {
    lines.windows(2).filter_map(|pair| {
        let [attribute, module] = pair else { return None };
        let declared = module.code.trim().strip_suffix(';')?.rsplit(' ').next()?;
        (attribute.code.trim() == "#[cfg(test)]" && module.code.contains("mod "))
            .then(|| String::from(declared))
    })
}

struct File {
    name: String,
    paths: Vec<Named>,
}

/// A path that a file names.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    /// Its names, `crate`, `self` and `super` included.
    names: Vec<String>,
    /// What it is called in this file, if it is imported.
    alias: Option<String>,
    /// Whether others can import it from here.
    is_public: bool,
}

struct Tree {
    files: BTreeMap<Module, File>,
}

impl Tree {
    /// The files that a file needs. What it only hands on (`pub use` in a file of modules) counts for those
    /// who use it.
    fn imports(&self, module: &Module) -> BTreeSet<Module> {
        let Some(file) = self.files.get(module) else { return BTreeSet::new() };
        let needed = file.paths.iter().filter(|path| !path.is_public);
        needed
            .filter_map(|path| self.resolve(module, &path.names, 0))
            .filter(|found| found != module)
            .collect()
    }

    /// The file that holds what `names` names in `module`; `None` if it is another crate's.
    fn resolve(&self, module: &Module, names: &[String], depth: usize) -> Option<Module> {
        let (first, mut rest) = names.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Module::new(),
            "self" => module.clone(),
            "super" => module.get(..module.len().checked_sub(1)?)?.to_vec(),
            child => [module.clone(), vec![String::from(child)]].concat(),
        };
        while let Some((next, after)) = rest.split_first().filter(|(next, _after)| *next == "super") {
            debug_assert_eq!(next, "super");
            at.pop()?;
            rest = after;
        }
        // The root of a crate may have another name than the ones above.
        at.is_empty().then_some(()).or_else(|| self.files.get(&at).map(|_file| ()))?;
        while let Some((next, after)) = rest.split_first() {
            let child = [at.clone(), vec![next.clone()]].concat();
            if self.files.contains_key(&child) {
                (at, rest) = (child, after);
                continue;
            }
            let handed_on = self.files.get(&at)?.paths.iter().find(|path| path.alias.as_ref() == Some(next));
            let origin = handed_on
                .filter(|path| path.is_public && depth < REEXPORTS_MAX)
                .and_then(|path| self.resolve(&at, &[path.names.as_slice(), after].concat(), depth + 1));
            return Some(origin.unwrap_or(at));
        }
        Some(at)
    }
}

/// The paths that code names: those of `use`, and others that start at `crate`, `self` or `super`, or at a
/// module that the file declares.
fn paths(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let declared: BTreeSet<&str> = tokens
        .windows(3)
        .filter(|three| three[0] == "mod" && three[2] == ";")
        .map(|three| three[1])
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at).copied() {
        if token == "use" {
            let is_public = at > 0 && matches!(tokens.get(at - 1), Some(&("pub" | ")")));
            let mut tree = UseTree { tokens: &tokens, at: at + 1, is_public, found: &mut found };
            tree.read(&[]);
            at = tree.at;
            continue;
        }
        let starts = ["crate", "self", "super"].contains(&token) || declared.contains(token);
        let is_path = tokens.get(at + 1) == Some(&"::") && (at == 0 || tokens.get(at - 1) != Some(&"::"));
        if starts && is_path {
            let mut names = vec![String::from(token)];
            while let (Some(&"::"), Some(name)) = (tokens.get(at + 1), tokens.get(at + 2)) {
                names.push(String::from(*name));
                at += 2;
            }
            found.push(Named { names, alias: None, is_public: false });
        }
        at += 1;
    }
    found
}

/// Words, `::` and other characters.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = match first {
            _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        found.push(token);
        rest = after.trim_start();
    }
    found
}

/// Reads `a::{b, c as d, e::*};`.
struct UseTree<'a> {
    tokens: &'a [&'a str],
    at: usize,
    is_public: bool,
    found: &'a mut Vec<Named>,
}

impl<'a> UseTree<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    /// Reads one tree below `before`, up to the `,`, `}` or `;` behind it.
    fn read(&mut self, before: &[String]) {
        let mut names = before.to_vec();
        while let Some(token) = self.peek() {
            match token {
                "," | "}" | ";" => break,
                "{" => {
                    self.at += 1;
                    self.read_list(&names);
                    return;
                }
                "as" => {
                    self.at += 1;
                    let alias = self.next().map(String::from);
                    self.add(names, alias);
                    return;
                }
                "::" => self.at += 1,
                "*" => {
                    self.at += 1;
                    self.add(names, None);
                    return;
                }
                name => {
                    self.at += 1;
                    // `a::{self}` is `a`.
                    if name != "self" || names.is_empty() {
                        names.push(String::from(name));
                    }
                }
            }
        }
        let alias = names.last().cloned();
        self.add(names, alias);
    }

    fn read_list(&mut self, before: &[String]) {
        while let Some(token) = self.peek() {
            match token {
                "}" => {
                    self.at += 1;
                    return;
                }
                ";" => return,
                "," => self.at += 1,
                _ => self.read(before),
            }
        }
    }

    fn add(&mut self, names: Vec<String>, alias: Option<String>) {
        if !names.is_empty() {
            self.found.push(Named { names, alias, is_public: self.is_public });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let sources: Vec<_> = files.iter().map(|(path, text)| (Path::new(*path), *text)).collect();
        circles(&sources)
    }

    #[test]
    fn two_files_that_import_each_other_are_a_circle() {
        let a = ("a.rs", "use crate::b::{self, f as g};");
        assert_eq!(found(&[a, ("b.rs", "fn f() { super::a::h(); }")]), [["a.rs", "b.rs"]]);
        assert_eq!(found(&[a, ("b.rs", "//! See [`crate::a`].\nlet text = \"crate::a\";")]), [[""; 0]; 0]);
        assert_eq!(found(&[a, ("b.rs", "#[cfg(test)]\nmod tests {\n    use crate::a;\n}\n")]), [[""; 0]; 0]);
    }

    #[test]
    fn a_longer_circle_is_one() {
        let files = [
            ("a.rs", "use crate::c::d::D;"),
            ("c/mod.rs", "pub mod d;"),
            ("c/d.rs", "fn f() -> crate::e::E {}"),
            ("e.rs", "use crate::a;"),
            ("f.rs", "use crate::a;"),
        ];
        assert_eq!(found(&files), [["a.rs", "c/d.rs", "e.rs"]]);
    }

    #[test]
    fn a_file_of_modules_hands_on_and_needs_nothing() {
        let files = [
            (
                "a/mod.rs",
                "mod b;\nmod c;\n#[cfg(test)]\nmod tests;\npub use self::b::B;\npub(crate) use c::C;",
            ),
            ("a/b.rs", "use super::C;"),
            ("a/c.rs", "pub struct C;"),
            ("a/tests.rs", "use super::B;"),
        ];
        assert_eq!(found(&files), [[""; 0]; 0]);
        let files = [("a/mod.rs", "mod b;\nfn f() { b::g(); }"), ("a/b.rs", "use super::f;")];
        assert_eq!(found(&files), [["a/b.rs", "a/mod.rs"]]);
    }
}
