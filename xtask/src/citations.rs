//! Citations: a comment that says `docs/platform.md 2.3` names a section that exists, and no comment cites a
//! document that is not in the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::tidy::{MEMBERS, files_of};
use crate::workspace;

/// The documents whose sections are cited by number.
const CITED: [&str; 2] = ["docs/platform.md", "docs/wire.md"];

/// Papers that were cited once and are not in the repository.
const PAPERS: [&str; 5] = ["PLATFORM", "WIRE", "PEERS", "DESIGN", "STYLE"];

/// Where comments and documents are, besides the members.
const FOLDERS: [&str; 3] = ["docs", "fuzz", "findings"];

const ENDINGS: [&str; 10] = ["rs", "toml", "md", "json", "jsonc", "js", "mjs", "py", "sh", "html"];

/// The citations that lead nowhere.
pub(crate) fn that_lead_nowhere() -> Result<Vec<String>> {
    let mut documents = Vec::new();
    for name in CITED {
        let path = workspace::root().join(name);
        let text = workspace::read(&path)?;
        documents.push(Document { name, sections: sections_of(&text) });
    }
    let root = workspace::root();
    let mut files =
        files_of(MEMBERS.iter().chain(&FOLDERS).map(|folder| root.join(folder)).collect(), &ENDINGS)?;
    for entry in fs::read_dir(root).map_err(|cause| Failure::path("read", root, &cause))?.flatten() {
        let path = entry.path();
        if path.is_file()
            && path.extension().is_some_and(|ending| ENDINGS.iter().any(|wanted| ending == *wanted))
        {
            files.push(path);
        }
    }
    let mut broken = Vec::new();
    for path in files {
        let text = workspace::read(&path)?;
        let relative = path.strip_prefix(root).unwrap_or(&path);
        let found = dead_citations(&text, comment_mark(&path), &documents);
        broken.extend(
            found.into_iter().map(|(line, citation)| format!("{}:{line}: {citation}", relative.display())),
        );
    }
    Ok(broken)
}

/// A document that is cited by section.
struct Document {
    name: &'static str,
    /// `2.3`, and `1.9, trap 7` for a row of a table of traps.
    sections: BTreeSet<String>,
}

/// The sections that can be cited: the first word of each heading that is a number, and traps by their rows.
fn sections_of(text: &str) -> BTreeSet<String> {
    let mut sections = BTreeSet::new();
    let mut current = "";
    let mut lists_traps = false;
    for line in text.lines() {
        if line.starts_with('#') {
            current = section_at(line.trim_start_matches('#').trim_start()).unwrap_or_default();
            if !current.is_empty() {
                sections.insert(String::from(current));
            }
        }
        let cell = line.strip_prefix("| ").and_then(|rest| rest.split(" |").next());
        lists_traps = cell.is_some_and(|cell| lists_traps || cell == "trap");
        if let Some(number) = cell.filter(|cell| lists_traps && cell.parse::<u32>().is_ok()) {
            sections.insert(format!("{current}, trap {number}"));
        }
    }
    sections
}

/// The number that `text` starts with: `2`, `1.8b`, `A`, `B.5`. A word that only starts like one is not a
/// number.
fn section_at(text: &str) -> Option<&str> {
    let end =
        text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.').unwrap_or(text.len());
    let word = text.get(..end)?.trim_end_matches('.');
    let mut parts = word.split('.');
    let is_number = |part: &str| part.starts_with(|letter: char| letter.is_ascii_digit());
    let first = parts.next().filter(|part| {
        is_number(part) || (part.len() == 1 && part.starts_with(|letter: char| letter.is_ascii_uppercase()))
    });
    (first.is_some() && parts.all(is_number)).then_some(word)
}

/// What starts a comment in a file of this kind. The whole of a document is one (`""`); `None` for a file
/// that has none.
fn comment_mark(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "rs" | "jsonc" | "js" | "mjs" => Some("//"),
        "toml" | "py" | "sh" => Some("#"),
        "md" => Some(""),
        _ => None,
    }
}

/// The citations of a text that lead nowhere, by line, numbered from 1. One with a section counts wherever it
/// stands (reasons of lints and messages cite too), a bare name only in a comment, because code may have a
/// constant of that name.
fn dead_citations(text: &str, comment_mark: Option<&str>, documents: &[Document]) -> Vec<(usize, String)> {
    let mut dead = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for document in documents {
            for after in line.split(document.name).skip(1) {
                let missing =
                    sections_cited(after).into_iter().filter(|section| !document.sections.contains(section));
                dead.extend(
                    missing.map(|section| (index + 1, format!("{} has no section {section}", document.name))),
                );
            }
        }
        let comment_from = comment_mark.and_then(|mark| line.find(mark));
        for paper in PAPERS {
            for (at, _) in line.match_indices(paper) {
                let (before, after) =
                    (line.get(..at).unwrap_or_default(), line.get(at + paper.len()..).unwrap_or_default());
                let joins = |letter: char| letter.is_alphanumeric() || letter == '_';
                let is_word = !before.ends_with(joins) && !after.starts_with(joins);
                let has_section = after
                    .strip_prefix(' ')
                    .is_some_and(|after| section_at(after.trim_start_matches('§')).is_some());
                if is_word && (has_section || comment_from.is_some_and(|from| from <= at)) {
                    dead.push((index + 1, format!("{paper} is not in the repository")));
                }
            }
        }
    }
    dead
}

/// The sections in what follows the name of a document: ` 2.3, 2.6`, ` B.4 and B.5`, ` 1.9, trap 7`.
fn sections_cited(after: &str) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    let mut rest = after.strip_prefix(' ');
    while let Some(text) = rest {
        if let Some((section, number)) =
            sections.last_mut().zip(text.strip_prefix("trap ").and_then(section_at))
        {
            section.push_str(", trap ");
            section.push_str(number);
            break;
        }
        let Some(section) = section_at(text) else { break };
        sections.push(String::from(section));
        rest = text
            .strip_prefix(section)
            .and_then(|text| text.strip_prefix(", ").or_else(|| text.strip_prefix(" and ")));
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Facts\n\n## 2. Limits\n\n### 2.3 Objects\n\n### 1.8b Tools\n\n## A. UbiOps\n\n### A.3. Objects\n\n### 1.9 Traps\n\n| trap | what |\n| --- | --- |\n| 1 | maps |\n\n| 5 | no trap |\n";

    fn dead(text: &str, comment_mark: Option<&str>) -> Vec<(usize, String)> {
        dead_citations(text, comment_mark, &[Document { name: "docs/page.md", sections: sections_of(PAGE) }])
    }

    #[test]
    fn sections_are_headings_with_numbers_and_rows_of_traps() {
        let expected = ["1.8b", "1.9", "1.9, trap 1", "2", "2.3", "A", "A.3"];
        assert_eq!(sections_of(PAGE).into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_citation_that_leads_nowhere_is_named() {
        let fine = "//! Limits (docs/page.md 2.3, 2, 1.9, trap 1).\n/// docs/page.md A.3 and A: more\n// see docs/page.md, A word; docs/page.md 1.8b.\n";
        assert_eq!(dead(fine, Some("//")), []);
        let named = |line: usize, section: &str| (line, format!("docs/page.md has no section {section}"));
        let bad = "// docs/page.md 2.4\nlet reason = \"docs/page.md 2.3, 9\";\n// (docs/page.md 1.9, trap 2) and docs/page.md B.\n";
        assert_eq!(
            dead(bad, Some("//")),
            [named(1, "2.4"), named(2, "9"), named(3, "1.9, trap 2"), named(3, "B")]
        );
    }

    #[test]
    fn a_citation_of_a_paper_outside_is_named() {
        let [platform, wire, ..] = PAPERS;
        let bad = format!(
            "// {platform} 1.4\nlet reason = \"{wire} A.3\";\n//! as {wire} says\n// ({platform} §4)\n"
        );
        let lines = |text: &str, mark| dead(text, mark).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        assert_eq!(lines(&bad, Some("//")), [1, 2, 3, 4]);
        assert_eq!(lines(&format!("{platform}.md says\n{platform}_1 RE{wire} {wire}D\n"), Some("")), [1]);
        assert_eq!(lines(&format!("{wire} = Wire(1)\nusage: drive.py {wire} PROJECT\n"), Some("#")), [0; 0]);
        assert_eq!(lines(&format!("{{\"note\": \"{wire} A.3\"}}"), None), [1]);
    }

    #[test]
    fn every_citation_of_the_repository_leads_somewhere() {
        assert_eq!(that_lead_nowhere().expect("the repository"), [""; 0]);
        let cited =
            fs::read_to_string(workspace::root().join("edge/clippy.toml")).expect("a file with citations");
        assert_eq!(sections_cited(cited.split(CITED[0]).nth(1).expect("a citation")), ["1.7"]);
    }
}
