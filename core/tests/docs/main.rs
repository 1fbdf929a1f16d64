//! The documents say what the code says: rules, files, tests and links.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod subprotocols;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use framescope_core::diagnostics::{Scope, rules};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All Rust sources below these folders, in one text.
fn sources(folders: &[&str]) -> String {
    let mut text = String::new();
    let mut left: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    text
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// `docs/DIAGNOSTICS.md`, as the catalogue of rules has it.
fn diagnostics() -> String {
    let mut out = String::from(
        "# Diagnostics\n\n\
         Every finding that Framescope reports, in the order of the standards.\n\
         This page is made from `core/src/diagnostics/rules/`: \
         `UPDATE_DOCS=1 cargo test -p framescope-core --test docs` writes it anew.\n\
         `framescope explain CODE` says the same in the terminal.\n\n\
         | severity | means |\n|---|---|\n\
         | error | against a MUST of the standard |\n\
         | warning | allowed, or against a SHOULD; likely to hurt |\n\
         | note | worth knowing; nothing is wrong |\n\n\
         Each rule has a conversation in which it fires, and one that is nearly the same in which no rule does; a test (`core/tests/catalogue.rs`) runs them all.\n\
         `framescope explain CODE --capture FILE` writes the first as a capture, to be opened here or in Wireshark.\n\
         A conversation begins with a clean opening handshake, of which `request` and `answer` lines tell what is different; `↑` is what the client sends, `↓` what the server does.\n\n\
         | code | severity | section | what was seen |\n|---|---|---|---|\n",
    );
    for rule in rules::ALL {
        let anchor = rule.code.to_ascii_lowercase();
        let (code, severity) = (rule.code, rule.severity.name());
        let _ = writeln!(
            out,
            "| [`{code}`](#{anchor}) | {severity} | {} | {} |",
            rule.section, rule.title
        );
    }
    for rule in rules::ALL {
        let seen = match rule.scope {
            Scope::Lane => String::new(),
            scope => format!(", told from {}", scope.name()),
        };
        let _ = writeln!(
            out,
            "\n## {}\n\n{}, {}{seen}: {}.\n\n{}\n\n*What to do:* {}",
            rule.code,
            rule.severity.name(),
            rule.section,
            rule.title,
            rule.meaning.replace(". ", ".\n"),
            rule.advice.replace(". ", ".\n"),
        );
        let _ = write!(out, "\nIt fires:\n\n```text\n{}```\n", rule.fires.text(""));
        let _ = write!(out, "\nNothing fires:\n\n```text\n{}```\n", rule.near_miss.text(""));
    }
    out
}

#[test]
fn the_page_of_diagnostics_is_that_of_the_rules() {
    let path = root().join("docs/DIAGNOSTICS.md");
    let made = diagnostics();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == made,
        "docs/DIAGNOSTICS.md is stale: run UPDATE_DOCS=1 cargo test -p framescope-core --test docs"
    );
}

#[test]
fn the_page_of_the_protocol_names_files_rules_and_tests_that_exist_and_every_rule() {
    let page = read("docs/PROTOCOL.md");
    let code = sources(&["core/src", "core/tests", "proxy/src", "proxy/tests", "tests"]);
    let mut told = BTreeSet::new();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| RFC "))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 20, "the table is not read: {} rows", rows.len());
    for row in rows {
        let [section, _, files, codes, tests] = row[..] else { panic!("five columns: {row:?}") };
        assert!(quoted(files).count() > 0 && quoted(tests).count() > 0, "{section}: {row:?}");
        for file in quoted(files) {
            assert!(root().join(file).is_file(), "{section}: no file {file}");
        }
        for name in quoted(codes) {
            assert!(rules::by_code(name).is_some(), "{section}: no rule {name}");
            told.insert(name);
        }
        for test in quoted(tests) {
            assert!(code.contains(&format!("fn {test}(")), "{section}: no test {test}");
        }
    }
    let untold: Vec<_> = rules::ALL.iter().filter(|rule| !told.contains(rule.code)).collect();
    assert!(untold.is_empty(), "rules that docs/PROTOCOL.md does not name: {untold:?}");
}

#[test]
fn relative_links_of_the_documents_lead_somewhere() {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut checked = 0;
    for page in pages.chain(["README.md", "CHANGELOG.md"].map(|name| root().join(name))) {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", page.display());
            if !fragment.is_empty() {
                let headings = fs::read_to_string(&target).unwrap();
                let mut headings = headings.lines().filter(|line| line.starts_with('#'));
                assert!(headings.any(|h| anchor(h) == fragment), "{}: {link}", page.display());
            }
            checked += 1;
        }
    }
    assert!(checked > rules::ALL.len(), "links are not read: {checked}");
}

/// As Markdown viewers name a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
