//! The house keeps its shape: direction of dependence, file sizes, who prints, who knows names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms from the top: a room uses only rooms above it. `table` and `plot` do not know each other.
const ROOMS: [&str; 13] =
    ["core", "signal", "store", "equation", "model", "scenario", "sim", "analysis", "run", "table", "plot", "tui", "cli"];
/// Lines a file may have before its tests.
const BUDGET: usize = 450;

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

fn room_of(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    inside.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The part before the tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap()
}

fn is_test_file(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy();
    name.ends_with("tests") || ["testing", "samples", "screens", "reference_sets", "equation_fixtures"].contains(&name.as_ref())
}

/// Rooms named after `crate::` in the code of a file.
fn uses(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for line in code(text).lines().filter(|l| !l.trim_start().starts_with("//")) {
        for piece in line.split("crate::").skip(1) {
            let rest: Vec<String> = match piece.strip_prefix('{') {
                Some(list) => list.split(',').map(|s| s.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect(),
                None => vec![piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()],
            };
            rooms.extend(rest.into_iter().filter(|r| ROOMS.contains(&r.as_str())));
        }
    }
    rooms
}

#[test]
fn rooms_use_only_rooms_above_them() {
    let place = |room: &str| ROOMS.iter().position(|r| *r == room);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, text) in sources() {
        let room = room_of(&path);
        let Some(own) = place(&room) else { continue };
        if is_test_file(&path) {
            continue;
        }
        for used in uses(&text) {
            seen += 1;
            let other = place(&used).unwrap();
            if other > own || (room == "plot" && used == "table") {
                wrong.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(seen > 100, "the reader of `use` lines finds something: {seen}");
    // `stepper` is named by `scenario::SpikeTimes` upwards only; no exceptions are listed here on purpose.
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_stay_small_enough_to_hold_in_the_head() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|(path, _)| !is_test_file(path))
        .map(|(path, text)| (path, code(&text).lines().count()))
        .filter(|(_, lines)| *lines > BUDGET)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "more than {BUDGET} lines before tests:\n{}", long.join("\n"));
}

#[test]
fn only_the_command_line_prints() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if ["cli", "main"].contains(&room_of(&path).as_str()) || is_test_file(&path) {
            continue;
        }
        for (k, line) in code(&text).lines().enumerate() {
            let line = line.trim_start();
            if !line.starts_with("//") && ["println!", "eprintln!", "print!(", "eprint!("].iter().any(|p| line.contains(p)) {
                wrong.push(format!("{}:{}", path.display(), k + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_store_knows_polars() {
    let wrong: Vec<String> = sources()
        .into_iter()
        .filter(|(path, text)| room_of(path) != "store" && code(text).lines().any(|l| l.trim_start().starts_with("use polars")))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Panes, tables and figures know shapes, never analyses; nobody matches on the name of a model or an analysis outside its file.
#[test]
fn nobody_knows_an_analysis_or_a_model_by_name() {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for analysis in spikedeck::run::analyses() {
        names.insert(analysis.declaration().kind.to_owned(), "analysis");
    }
    for name in spikedeck::model::library().names(spikedeck::model::Kind::Model) {
        names.insert(name.to_owned(), "model");
    }
    assert!(names.len() > 10, "there are analyses and models");
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let room = room_of(&path);
        if !["run", "table", "plot", "tui", "sim", "store", "signal"].contains(&room.as_str()) || is_test_file(&path) {
            continue;
        }
        for (k, line) in code(&text).lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            for (name, kind) in &names {
                let quoted = format!("\"{name}\"");
                if line.contains(&format!("{quoted} =>")) || line.contains(&format!("== {quoted}")) {
                    wrong.push(format!("{}:{}: the {kind} {name}", path.display(), k + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
