//! The checklist of earlier programs: every line once, shown by what exists, or open by name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use spikedeck::scenario::{coverage, find_built_in};

/// Lines of each system.
const LINES: [(&str, usize); 5] = [("000", 17), ("001", 34), ("002", 10), ("003", 20), ("004", 35)];

/// Names of all test functions in a folder.
fn tests_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_in(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for piece in text.split("#[test]").skip(1) {
                if let Some(rest) = piece.split("fn ").nth(1) {
                    found.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
                }
            }
        }
    }
}

#[test]
fn the_checklist_is_whole_and_what_it_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeSet::new();
    tests_in(&root.join("src"), &mut tests);
    tests_in(&root.join("tests"), &mut tests);
    assert!(tests.len() > 200, "tests are found: {}", tests.len());
    let lines = coverage().unwrap();
    let wanted: Vec<String> =
        LINES.iter().flat_map(|(system, count)| (1..=*count).map(move |k| format!("{system}.{k}"))).collect();
    assert_eq!(wanted.len(), 116);
    assert_eq!(lines.iter().map(|l| l.id.clone()).collect::<Vec<_>>(), wanted, "each line once, in order");
    let mut wrong = Vec::new();
    for l in lines {
        let id = &l.id;
        let mapped = !l.scenarios.is_empty() || !l.tests.is_empty();
        if mapped == l.open.is_some() {
            wrong.push(format!("{id}: either something shows it, or it is open with a reason"));
        }
        if l.open.is_some() && l.missing.is_some() {
            wrong.push(format!("{id}: what is open as a whole has nothing missing"));
        }
        if l.what.is_empty() || l.open.as_ref().or(l.missing.as_ref()).is_some_and(String::is_empty) {
            wrong.push(format!("{id}: an empty text"));
        }
        for name in &l.scenarios {
            let (scenario, variant) = name.split_once(':').map_or((name.as_str(), None), |(s, v)| (s, Some(v)));
            match find_built_in(scenario) {
                None => wrong.push(format!("{id}: there is no scenario {scenario}")),
                Some(s) if variant.is_some_and(|v| !s.variants.iter().any(|w| w == v)) => {
                    wrong.push(format!("{id}: there is no variant {name}"));
                }
                Some(_) => {}
            }
        }
        wrong.extend(l.tests.iter().filter(|t| !tests.contains(*t)).map(|t| format!("{id}: there is no test {t}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `UPDATE_PAGES=1` writes the page.
#[test]
fn the_page_of_the_checklist_is_the_programs_own() {
    let run = |args: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_spikedeck")).args(args).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let wanted = run(&["list", "scenarios", "--coverage", "--markdown"]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/coverage.md");
    if crate::update_pages() {
        fs::write(&path, &wanted).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        wanted,
        "data/coverage.md is out of date; UPDATE_PAGES=1 writes it"
    );
    let json = run(&["list", "scenarios", "--coverage", "--json"]);
    assert_eq!(
        json.lines()
            .filter(|l| serde_json::from_str::<serde_json::Value>(l).is_ok_and(|v| v["id"].is_string()))
            .count(),
        116
    );
    assert_eq!(run(&["list", "scenarios", "--coverage"]).lines().count(), 117);
    let refused = std::process::Command::new(env!("CARGO_BIN_EXE_spikedeck"))
        .args(["list", "models", "--coverage"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
}
