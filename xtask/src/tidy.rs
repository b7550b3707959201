//! `cargo xtask tidy`: rules of this repository that the compiler does not check.
//!
//! Each rule is a function from the repository to the places that break it. To add one, write the function
//! and a line in [`RULES`].

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::Parser;
use serde_json::Value;

use crate::circles;
use crate::citations;
use crate::failure::{Failure, Result};
use crate::process::must_succeed;
use crate::report;
use crate::signatures;
use crate::sizes;
use crate::source;
use crate::test;
use crate::test_program;
use crate::tools;
use crate::workspace;

/// The folders of the members of the workspace, where our own files are.
pub(crate) const MEMBERS: [&str; 8] =
    ["core", "ledger", "engine", "edge", "app", "tests", "xtask", "examples"];

/// Who may depend on whom: `edge -> engine -> ledger -> core <- app`. The tests talk HTTP and know only the
/// wire types.
const MAY_DEPEND_ON: [(&str, &[&str]); 10] = [
    ("postern-core", &[]),
    ("postern-ledger", &["postern-core"]),
    ("postern-engine", &["postern-core", "postern-ledger"]),
    ("postern-edge", &["postern-core", "postern-ledger", "postern-engine"]),
    ("postern-app", &["postern-core"]),
    ("postern-executor", &[]),
    ("postern-receiver", &[]),
    ("postern-tests", &["postern-core", "postern-executor", "postern-receiver"]),
    ("postern-vectors", &["postern-core"]),
    ("postern-xtask", &[]),
];

/// Names that say nothing about what is inside.
const DRAWER_NAMES: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "misc", "shared", "stuff"];

/// The files of the Worker that may bind the platform's `fetch`: calls to webhooks, and calls to project
/// objects. Whatever else calls out would pass by the egress policy. Clippy's ban on `worker::Fetch` does not
/// see a binding.
const MAY_BIND_FETCH: [&str; 2] = ["edge/src/sender.rs", "edge/src/project_do/call.rs"];

/// Other ways to the same function.
const WAYS_TO_FETCH: [&str; 4] = ["Fetch::Request", "Fetch::Url", "fetch_with_", "\"fetch\""];

/// What the floors of the ledger below its operations may import. The rows know the database only; memory
/// knows rows. What an operation needs stands above both, or each file needs all others.
const LEDGER_FLOORS: [(&str, &[&str]); 2] =
    [("ledger/src/row", &["row", "sql", "error"]), ("ledger/src/memory", &["memory", "row", "sql", "error"])];

/// The tables of the ledger, with the one file that may write each. Migrations ([`MIGRATIONS`]) may write all
/// of them.
const TABLES: [(&str, &str); 21] = [
    ("audit", "ledger/src/row/audit.rs"),
    ("delivery", "ledger/src/row/delivery.rs"),
    ("event", "ledger/src/row/event.rs"),
    ("event_type", "ledger/src/row/event_type.rs"),
    ("idempotency", "ledger/src/row/idempotency.rs"),
    ("inbox", "ledger/src/row/inbox.rs"),
    ("inbox_request", "ledger/src/row/inbox.rs"),
    ("leftover", "ledger/src/row/leftover.rs"),
    ("live_ticket", "ledger/src/row/live_ticket.rs"),
    ("meta", "ledger/src/row/meta.rs"),
    ("metric", "ledger/src/row/metric.rs"),
    ("outbox", "ledger/src/row/outbox.rs"),
    ("rate_window", "ledger/src/row/rate_window.rs"),
    ("replay", "ledger/src/row/replay.rs"),
    ("run", "ledger/src/row/run.rs"),
    ("run_callback", "ledger/src/row/run.rs"),
    ("stat", "ledger/src/row/stat.rs"),
    ("test", "ledger/src/row/trial.rs"),
    ("token", "ledger/src/row/token.rs"),
    ("webhook", "ledger/src/row/webhook.rs"),
    ("webhook_health", "ledger/src/row/health.rs"),
];

/// The file with the tables and their migrations.
const MIGRATIONS: &str = "ledger/src/schema.rs";

/// What comes before the name of a table that is written.
const WRITES: [&str; 3] = ["INSERT INTO ", "UPDATE ", "DELETE FROM "];

/// The names of one operation, for example, and how many files may hold them: the table of operations, its
/// description, the ledger's operation, its question, its handler, its call in the page and the screen that
/// makes it.
const OPERATION_NAMES: [&str; 3] = ["CancelReplay", "ReplayCancel", "cancel_replay"];
const OPERATION_FILES_MAX: usize = 7;

/// A rule's check: the places that break it, each a line.
type Check = fn() -> Result<Vec<String>>;

/// Every rule, by the claim it makes.
pub(crate) const RULES: [(&str, Check); 16] = [
    ("dependencies point one way", dependencies_that_point_back),
    ("rows and memory import no operation", operations_imported_below),
    ("each table is written by one file", tables_written_elsewhere),
    ("an operation stands in few files", operation_in_many_files),
    ("names say what is inside", files_named_like_drawers),
    ("one wasm-bindgen", wasm_bindgen_versions),
    ("two files may call out", fetch_bound_elsewhere),
    ("nothing is left to do", unfinished_code),
    ("no test is left out", tests_left_out),
    ("every test file asserts", test_files_without_assertions),
    ("citations lead somewhere", citations::that_lead_nowhere),
    ("comments fit the screen", sizes::long_lines),
    ("functions are short, but for a few tables", sizes::long_functions),
    ("no circle of imports", circles::of_imports),
    ("no function takes a bool", signatures::boolean_parameters),
    ("a mod.rs holds no functions", signatures::functions_in_mod_files),
];

/// Runs every rule on its own.
///
/// # Errors
/// The repository could not be read.
pub(crate) fn run(mut arguments: Parser) -> Result<ExitCode> {
    if let Some(argument) = arguments.next()? {
        return Err(Failure::argument("tidy", "no arguments", argument));
    }
    let mut code = ExitCode::SUCCESS;
    for (claim, check) in RULES {
        let broken = check()?;
        report::say(format!("  {} {claim}", if broken.is_empty() { '✓' } else { '✗' }));
        for place in broken {
            report::say(format!("      {place}"));
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn dependencies_that_point_back() -> Result<Vec<String>> {
    let mut metadata = test_program::cargo();
    metadata.args(["metadata", "--format-version", "1", "--no-deps", "--quiet"]);
    let printed = must_succeed(metadata, "cargo metadata")?;
    // Warnings of cargo may come first.
    let json = printed.lines().find(|line| line.starts_with('{')).unwrap_or_default();
    let metadata: Value = serde_json::from_str(json)
        .map_err(|cause| Failure::new(format!("cargo metadata is not JSON: {cause}.")))?;
    Ok(wrong_dependencies(&metadata))
}

fn wrong_dependencies(metadata: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = MAY_DEPEND_ON.iter().find(|(package, _)| *package == name) else {
            broken.push(format!("{name}: a new package; say in xtask/src/tidy.rs what it may depend on"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let dependency = dependency["name"].as_str().unwrap_or_default();
            if MAY_DEPEND_ON.iter().any(|(ours, _)| *ours == dependency) && !allowed.contains(&dependency) {
                broken.push(format!("{name} depends on {dependency}"));
            }
        }
    }
    broken
}

fn operations_imported_below() -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for path in our_files(&["rs"])? {
        let relative = workspace::relative(&path);
        let Some((_, allowed)) = LEDGER_FLOORS.iter().find(|(floor, _)| relative.starts_with(floor)) else {
            continue;
        };
        let text = workspace::read(&path)?;
        let found = imports_beyond(&text, allowed);
        broken.extend(
            found.into_iter().map(|(line, module)| format!("{}:{line}: crate::{module}", relative.display())),
        );
    }
    Ok(broken)
}

/// The lines, numbered from 1, that name a module of their crate which is not `allowed`, with that module.
/// Comments and the unit tests at the end of a file may name all.
fn imports_beyond(source: &str, allowed: &[&str]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, code) in source::text_without_comments(source) {
        for path in code.split("crate::").skip(1) {
            let named: Vec<&str> = match path.strip_prefix('{') {
                // `use crate::{error::LedgerError, sql::Sql};`
                Some(list) => {
                    list.split(['{', '}', ',']).map(str::trim).filter(|item| !item.is_empty()).collect()
                }
                None => vec![path],
            };
            for name in named {
                let module: String = name
                    .chars()
                    .take_while(|character| character.is_alphanumeric() || *character == '_')
                    .collect();
                if !module.is_empty() && !allowed.contains(&module.as_str()) {
                    found.push((line, module));
                }
            }
        }
    }
    found
}

fn tables_written_elsewhere() -> Result<Vec<String>> {
    let schema = workspace::root().join(MIGRATIONS);
    let schema = workspace::read(&schema)?;
    let mut broken: Vec<String> = tables_created(&schema)
        .into_iter()
        .filter(|table| TABLES.iter().all(|(known, _)| known != table))
        .map(|table| format!("{table}: a new table; say in xtask/src/tidy.rs which file writes it"))
        .collect();
    for path in our_files(&["rs"])? {
        let relative = workspace::relative(&path);
        if !relative.starts_with("ledger/src") || relative == Path::new(MIGRATIONS) || is_tests(relative) {
            continue;
        }
        let text = workspace::read(&path)?;
        for (line, table) in tables_written(&text) {
            if !TABLES.iter().any(|(known, file)| *known == table && relative == Path::new(file)) {
                broken.push(format!("{}:{line}: {table}", relative.display()));
            }
        }
    }
    Ok(broken)
}

/// Whether a file holds unit tests only.
fn is_tests(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
}

/// The tables that statements of a file create, without those that a migration renames on its way.
fn tables_created(source: &str) -> Vec<String> {
    source.split("CREATE TABLE ").skip(1).map(name_at_start).filter(|name| !name.is_empty()).collect()
}

/// The lines, numbered from 1, that write a table, with its name; not those of the unit tests at the end of
/// a file. A table whose name is put in by `format!` is named by its braces.
fn tables_written(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, code) in source::text_without_comments(source) {
        for write in WRITES {
            for rest in code.split(write).skip(1) {
                // `ON CONFLICT … DO UPDATE SET` writes the table of its `INSERT`.
                let table = name_at_start(rest);
                if table != "SET" {
                    found.push((line, table));
                }
            }
        }
    }
    found
}

fn name_at_start(text: &str) -> String {
    text.chars().take_while(|next| next.is_alphanumeric() || ['_', '{', '}'].contains(next)).collect()
}

fn operation_in_many_files() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in our_files(&["rs"])? {
        let relative = workspace::relative(&path);
        if is_tests(&path) || !relative.components().any(|part| part.as_os_str() == "src") {
            continue;
        }
        let text = workspace::read(&path)?;
        if names_one_of(&text, &OPERATION_NAMES) {
            found.push(relative.display().to_string());
        }
    }
    found.sort_unstable();
    // This file names it only to count.
    found.retain(|file| file != "xtask/src/tidy.rs");
    Ok(if found.len() > OPERATION_FILES_MAX { found } else { Vec::new() })
}

/// Whether the code holds one of these names as a whole word; not in comments, nor in the unit tests at the
/// end of a file.
fn names_one_of(source: &str, names: &[&str]) -> bool {
    let is_of_a_word = |character: char| character.is_alphanumeric() || character == '_';
    source::text_without_comments(source)
        .flat_map(|(_line, code)| code.split(|character| !is_of_a_word(character)))
        .any(|word| names.contains(&word))
}

fn files_named_like_drawers() -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for path in our_files(&["rs", "py", "js", "mjs", "css"])? {
        let relative = workspace::relative(&path);
        let is_drawer = relative.components().any(|part| {
            let name =
                Path::new(part.as_os_str()).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            DRAWER_NAMES.contains(&name.as_str())
        });
        if is_drawer {
            broken.push(relative.display().to_string());
        }
    }
    Ok(broken)
}

fn wasm_bindgen_versions() -> Result<Vec<String>> {
    let file = workspace::root().join("Cargo.lock");
    let lock = workspace::read(&file)?;
    let pinned = tools::WASM_BINDGEN_VERSION;
    let found = versions_in_lock(&lock, "wasm-bindgen");
    Ok(if found == [pinned] {
        Vec::new()
    } else {
        vec![format!("Cargo.lock has {found:?}, xtask/src/tools.rs has {pinned}")]
    })
}

/// The versions of a package in a Cargo.lock.
fn versions_in_lock<'a>(lock: &'a str, package: &str) -> Vec<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    let mut versions = Vec::new();
    while let Some(line) = lines.next() {
        if line == name {
            versions
                .extend(lines.next().and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"')));
        }
    }
    versions
}

fn fetch_bound_elsewhere() -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for path in our_files(&["rs"])? {
        let relative = workspace::relative(&path);
        if !relative.starts_with("edge/src") || MAY_BIND_FETCH.iter().any(|file| relative == Path::new(file))
        {
            continue;
        }
        let text = workspace::read(&path)?;
        broken.extend(
            ways_to_fetch(&text)
                .into_iter()
                .map(|(line, text)| format!("{}:{line}: {text}", relative.display())),
        );
    }
    Ok(broken)
}

/// The lines, numbered from 1, that bind the platform's `fetch` or reach it in another way.
fn ways_to_fetch(source: &str) -> Vec<(usize, String)> {
    let mut in_extern = false;
    let mut found = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        in_extern = (in_extern || code.contains("extern \"C\"")) && !code.starts_with('}');
        if (in_extern && code.contains("fetch")) || WAYS_TO_FETCH.iter().any(|way| code.contains(way)) {
            found.push((index + 1, line.trim().to_owned()));
        }
    }
    found
}

fn unfinished_code() -> Result<Vec<String>> {
    // Put together so that this line does not break the rule.
    places_with(&[
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("TO", "DO:"),
        concat!("FIX", "ME"),
    ])
}

fn tests_left_out() -> Result<Vec<String>> {
    let mut broken = places_with(&[concat!("#[ign", "ore"), concat!("#[should_", "panic")])?;
    for target in test::targets()? {
        if test::Part::of_target(&target).is_none() {
            broken.push(format!(
                "tests/tests/{target}.rs belongs to no part of `cargo xtask test`: see Part::of_target"
            ));
        }
    }
    Ok(broken)
}

fn test_files_without_assertions() -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for path in our_files(&["rs"])? {
        let text = workspace::read(&path)?;
        let has_tests = ["#[test]", "#[tokio::test", "#[wasm_bindgen_test"]
            .iter()
            .any(|attribute| text.lines().any(|line| line.trim_start().starts_with(attribute)));
        if has_tests && !text.contains("assert") {
            broken.push(path.display().to_string());
        }
    }
    Ok(broken)
}

/// The lines of our Rust files that hold one of these texts.
fn places_with(needles: &[&str]) -> Result<Vec<String>> {
    let mut places = Vec::new();
    for path in our_files(&["rs"])? {
        let text = workspace::read(&path)?;
        for (index, line) in text.lines().enumerate() {
            if needles.iter().any(|needle| line.contains(needle)) {
                let relative = workspace::relative(&path);
                places.push(format!("{}:{}: {}", relative.display(), index + 1, line.trim()));
            }
        }
    }
    Ok(places)
}

/// The files of our own, by ending.
pub(crate) fn our_files(endings: &[&str]) -> Result<Vec<PathBuf>> {
    files_of(MEMBERS.iter().map(|member| workspace::root().join(member)).collect(), endings)
}

/// The files in these folders and below, by ending, without what tools make.
pub(crate) fn files_of(folders: Vec<PathBuf>, endings: &[&str]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = folders;
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).map_err(|cause| Failure::path("read", &dir, &cause))?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let path = entry.path();
            if path.is_dir() {
                let is_made_by_a_tool = name.starts_with('.')
                    || ["build", "target", "dist", "node_modules", "__pycache__"].contains(&&*name);
                if !is_made_by_a_tool {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operation_is_named_by_a_whole_word_of_code() {
        let names = |source: &str| names_one_of(source, &OPERATION_NAMES);
        assert!(names("    Replays::CancelReplay { id } => cancel(session, id).await,"));
        assert!(names("let replay = ledger.cancel_replay(&id, now)?;"));
        assert!(!names("    ReplayCancelled,\n// CancelReplay\n"));
        assert!(!names("fn f() {}\n#[cfg(test)]\nmod tests { use super::CancelReplay; }"));
    }

    #[test]
    fn a_dependency_against_the_direction_is_named() {
        let package = |name: &str, dependencies: &[&str]| {
            let named: Vec<Value> = dependencies.iter().map(|name| json!({ "name": name })).collect();
            json!({ "name": name, "dependencies": named })
        };
        let good = json!({ "packages": [package("postern-core", &["serde"]), package("postern-edge", &["postern-ledger", "worker"])] });
        assert_eq!(wrong_dependencies(&good), [""; 0]);
        let bad =
            json!({ "packages": [package("postern-app", &["postern-ledger"]), package("newcomer", &[])] });
        let broken = wrong_dependencies(&bad);
        assert_eq!(broken.len(), 2);
        assert!(
            broken[0].contains("postern-app depends on postern-ledger") && broken[1].contains("newcomer"),
            "{broken:?}"
        );
    }

    #[test]
    fn a_row_that_imports_an_operation_is_named() {
        let rows = LEDGER_FLOORS[0].1;
        let fine = "//! See [`crate::lease`].\nuse crate::row::text::to_json;\nuse crate::sql::{Row, Sql};\nlet damaged = crate::error::damaged;\n\n#[cfg(test)]\nmod tests {\n    use crate::support::native::Native;\n}\n";
        assert_eq!(imports_beyond(fine, rows), []);
        let bad = "use crate::row::keys::first_key;\nuse crate::project::Ledger;\npub(crate) fn f(gates: &crate::memory::gate::Gates) {}\nuse crate::{error::LedgerError, lease::Leased};\n";
        let named = |line: usize, module: &str| (line, String::from(module));
        assert_eq!(imports_beyond(bad, rows), [named(2, "project"), named(3, "memory"), named(4, "lease")]);
        assert_eq!(imports_beyond(bad, LEDGER_FLOORS[1].1), [named(2, "project"), named(4, "lease")]);
    }

    #[test]
    fn a_statement_that_writes_a_table_is_found_and_one_that_reads_it_is_not() {
        let fine = "\"SELECT seq FROM delivery WHERE seq = ?1\"\n// UPDATE delivery SET a = 1\n\"ON CONFLICT (id) DO UPDATE SET a = 1\"\n#[cfg(test)]\n\"UPDATE delivery SET a = 1\"\n";
        assert_eq!(tables_written(fine), []);
        let bad = "\"UPDATE delivery SET a = 1\"\nlet x = 1;\n\"DELETE FROM {table}\"\n\"INSERT INTO run_callback (run) VALUES (1)\"\n";
        let written = |line: usize, table: &str| (line, String::from(table));
        assert_eq!(
            tables_written(bad),
            [written(1, "delivery"), written(3, "{table}"), written(4, "run_callback")]
        );
        assert_eq!(tables_created("\"CREATE TABLE meta (\n\"CREATE TABLE stat (hour"), ["meta", "stat"]);
        assert_eq!(tables_written_elsewhere().expect("the repository"), [""; 0]);
    }

    #[test]
    fn rows_and_memory_are_looked_at() {
        for (floor, _) in LEDGER_FLOORS {
            let files = our_files(&["rs"]).expect("the repository");
            assert!(
                files.iter().any(|file| file.starts_with(workspace::root().join(floor))),
                "{floor} is gone"
            );
        }
        assert_eq!(operations_imported_below().expect("the repository"), [""; 0]);
    }

    #[test]
    fn a_binding_of_fetch_is_found_and_a_handler_of_that_name_is_not() {
        let bound = "extern \"C\" {\n    #[wasm_bindgen(catch, js_name = fetch)]\n    fn call_out(url: &str);\n}\nasync fn fetch() {}\n";
        assert_eq!(ways_to_fetch(bound).into_iter().map(|(line, _)| line).collect::<Vec<_>>(), [2]);
        let fine = "// fetch_with_request\n#[event(fetch)]\nasync fn fetch(request: Request) {}\nenv.assets(\"A\")?.fetch(url, None)\n";
        assert_eq!(ways_to_fetch(fine), []);
        assert_eq!(
            ways_to_fetch("stub.fetch_with_request(request)\nReflect::get(&global, &\"fetch\".into())").len(),
            2
        );
    }

    #[test]
    fn every_version_of_a_package_in_a_lock_file_is_found() {
        let lock = "[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.129\"\n\n[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.1\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(versions_in_lock(lock, "wasm-bindgen"), ["0.2.129", "0.2.130"]);
    }

    #[test]
    fn this_file_keeps_its_own_rules() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tidy.rs").display().to_string();
        for check in [unfinished_code, files_named_like_drawers, test_files_without_assertions] {
            assert!(
                check()
                    .expect("the repository")
                    .iter()
                    .all(|place| !own.ends_with(place.split(':').next().unwrap_or_default()))
            );
        }
    }
}
