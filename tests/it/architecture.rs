//! The house keeps its shape: direction of dependence, file sizes, who prints, who knows names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms from the top: a room uses only rooms above it. `table` and `plot` do not know each other.
const ROOMS: [&str; 13] = [
    "core", "signal", "store", "equation", "model", "scenario", "sim", "analysis", "run", "table", "plot", "tui", "cli",
];
/// Lines a file may have before its tests.
const BUDGET: usize = 450;
/// Characters a line may have.
const WIDTH: usize = 120;
/// Lines a function may have.
const LONGEST: usize = 120;

fn sources() -> Vec<(PathBuf, String)> {
    sources_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

fn sources_in(folder: &Path) -> Vec<(PathBuf, String)> {
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
    walk(folder, &mut found);
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
    name.ends_with("tests")
        || path.components().any(|c| ["tests", "coverage"].iter().any(|folder| c.as_os_str() == *folder))
        || ["testing", "samples", "screens", "reference_sets", "equation_fixtures"].contains(&name.as_ref())
}

/// Rooms that the manifest of a room names, for its code or for its tests.
fn depends_on(room: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room).join("Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let names = |key: &str| -> Vec<String> {
        let table = manifest.get(key).and_then(toml::Value::as_table);
        table.into_iter().flatten().filter_map(|(k, _)| k.strip_prefix("spikedeck-").map(str::to_owned)).collect()
    };
    [names("dependencies"), names("dev-dependencies")].concat()
}

/// Cargo holds that a room uses only what its manifest names; that the manifests keep the order of the map, only this
/// does.
#[test]
fn rooms_depend_only_on_rooms_above_them() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (own, room) in ROOMS.iter().enumerate() {
        for used in depends_on(room).iter().filter(|u| *u != "data") {
            seen += 1;
            let other = ROOMS.iter().position(|r| r == used).expect("a dependency named spikedeck-… is a room");
            if other > own || (*room == "plot" && used == "table") {
                wrong.push(format!("{room} depends on {used}"));
            }
        }
    }
    assert!(seen > 50, "the manifests are read: {seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The engine is for programs without terminal, tables and figures: its rooms need no package of these.
#[test]
fn the_engine_needs_neither_terminal_nor_tables() {
    let out = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--package", "spikedeck", "--no-default-features"])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let tree = String::from_utf8(out.stdout).unwrap();
    let packages: BTreeSet<&str> = tree.lines().filter_map(|l| l.split(' ').next()).collect();
    assert!(packages.contains("spikedeck-sim"), "{tree}");
    for heavy in ["polars", "ratatui", "crossterm", "clap", "resvg"] {
        assert!(!packages.contains(heavy), "the engine needs {heavy}");
    }
    assert!(packages.len() < 115, "the engine needs {} packages", packages.len());
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

/// Lines that a person reads without moving sideways, in strings and tests as well, which rustfmt leaves as they are.
#[test]
fn lines_are_no_longer_than_a_screen_is_wide() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut long = Vec::new();
    for folder in ["src", "tests", "benches", "fuzz"] {
        for (path, text) in sources_in(&root.join(folder)) {
            let lines = text.lines().enumerate().filter(|(_, l)| l.chars().count() > WIDTH);
            long.extend(lines.map(|(k, _)| format!("{}:{}", path.display(), k + 1)));
        }
    }
    assert!(long.is_empty(), "more than {WIDTH} characters:\n{}", long.join("\n"));
}

/// Functions with their number of lines, as rustfmt writes them: from the line with `fn` to a brace below its first
/// letter.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (k, line) in lines.iter().enumerate() {
        let begins = line.trim_start();
        let qualifiers = ["pub ", "pub(super) ", "pub(crate) ", "const "];
        let bare = qualifiers.iter().fold(begins, |rest, q| rest.strip_prefix(q).unwrap_or(rest));
        let Some(rest) = bare.strip_prefix("fn ") else { continue };
        // A declaration has no body, and a body on the line itself is short.
        let head = lines[k..].iter().find(|l| l.ends_with(['{', '}', ';']));
        if !head.is_some_and(|l| l.ends_with('{')) {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - begins.len()]);
        if let Some(length) = lines[k..].iter().position(|l| *l == end) {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push((name, length + 1));
        }
    }
    found
}

/// What a function does is seen at one glance; a longer one is made of stages that have names.
#[test]
fn functions_are_short_enough_to_be_seen_at_once() {
    let example = "pub fn a() -> u8 {\n    1\n}\nimpl T {\n    fn c(\n        x: u8,\n    );\n    const fn b(\n        \
                   x: u8,\n    ) {\n    }\n}\n";
    assert_eq!(functions(example), [("a".to_owned(), 3), ("b".to_owned(), 4)], "the reader sees what it looks for");
    let mut long = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_test_file(path)) {
        let all = functions(code(&text)).into_iter().filter(|(_, lines)| *lines > LONGEST);
        long.extend(all.map(|(name, lines)| format!("{}: {name} has {lines} lines", path.display())));
    }
    assert!(long.is_empty(), "more than {LONGEST} lines:\n{}", long.join("\n"));
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
            if !line.starts_with("//")
                && ["println!", "eprintln!", "print!(", "eprint!("].iter().any(|p| line.contains(p))
            {
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
        .filter(|(path, text)| {
            room_of(path) != "store" && code(text).lines().any(|l| l.trim_start().starts_with("use polars"))
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Packages and their features that cargo would compile, for a choice of members and kinds of edges.
fn features(members: &[&str], edges: &str) -> BTreeSet<String> {
    let mut command = std::process::Command::new(env!("CARGO"));
    command.args(["tree", "--locked", "--offline", "--edges", edges, "--prefix", "none", "--format", "{p}|{f}"]);
    command.args(members).current_dir(env!("CARGO_MANIFEST_DIR"));
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|l| l.trim_end_matches(" (*)").to_owned()).collect()
}

/// `cargo build`, `cargo test` and the tests of one room compile the dependencies once: a dev-dependency that switches
/// a feature of a shared package on would compile it, and all that use it, a second time. Cargo.toml then names that
/// feature among the dependencies.
#[test]
fn tests_do_not_change_the_features_of_dependencies() {
    // What looks for broken inputs is outside the default build.
    let all = ["--workspace", "--exclude", "spikedeck-fuzz"];
    let whole = features(&all, "normal,build,dev");
    assert!(whole.len() > 50, "the tree is read: {}", whole.len());
    let mut changed: Vec<String> = features(&all, "normal,build").difference(&whole).cloned().collect();
    for room in ROOMS {
        let members = ["-p", "spikedeck", "-p", &format!("spikedeck-{room}")];
        let other = features(&members, "normal,build,dev");
        changed.extend(other.difference(&whole).map(|p| format!("{room}: {p}")));
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

/// Panes, tables and figures know shapes, never analyses; nobody matches on the name of a model or an analysis outside
/// its file.
#[test]
fn nobody_knows_an_analysis_or_a_model_by_name() {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for analysis in spikedeck::run::analyses() {
        names.insert(analysis.declaration().kind.to_owned(), "analysis");
    }
    for name in spikedeck::model::library().names(spikedeck::model::DefinitionKind::Model) {
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

/// Rooms in which what cannot happen is an assertion with its reason, never a number that goes on.
const ASSERTING: [&str; 6] = ["equation", "scenario", "sim", "analysis", "run", "table"];

/// Line numbers at which a text hides what cannot happen: a place that is not found becomes a number, a case that
/// cannot be becomes nothing, a value that is missing becomes not-a-number.
fn hidden(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let line = |at: usize| text[..at].lines().count();
    for (at, _) in text.match_indices("position(") {
        let mut open = 0;
        let end = text[at..].char_indices().find_map(|(i, c)| {
            open += i32::from(c == '(') - i32::from(c == ')');
            (c == ')' && open == 0).then_some(at + i + 1)
        });
        if end.is_some_and(|end| text[end..].trim_start().starts_with(".unwrap_or(")) {
            found.push(line(at));
        }
    }
    for pattern in ["unwrap_or(f64::NAN)", "map_or(f64::NAN, |v| v)", " _ => {}", " _ => (),"] {
        found.extend(text.match_indices(pattern).map(|(at, _)| line(at)));
    }
    found
}

#[test]
fn what_cannot_happen_is_an_assertion() {
    let example = "let a = list.iter().position(|x| f(x)).unwrap_or(0);
list
.iter()
.position(f)
.unwrap_or(1);
match a { 1 => f(), _ => {} }
";
    assert_eq!(hidden(example), [1, 4, 6], "the reader sees what it looks for");
    assert_eq!(hidden("a.position(f).map_or(0, g); x.unwrap_or(0); match a { Some(_) => {} None => () }"), [0; 0]);
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if is_test_file(&path) || !ASSERTING.contains(&room_of(&path).as_str()) {
            continue;
        }
        let name = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
        let name = name.to_string_lossy().replace('\\', "/");
        wrong.extend(hidden(code(&text)).into_iter().map(|line| format!("{name}:{line}")));
    }
    assert!(
        wrong.is_empty(),
        "`expect` or `unreachable` with the reason, or a default that is one:\n{}",
        wrong.join("\n")
    );
}

/// Line numbers at which a text writes what a type looks like in Rust where it is no assertion that ends the program.
fn debug_texts(text: &str) -> Vec<usize> {
    let asserts = ["unreachable!(", "assert!(", "assert_eq!(", "panic!("];
    let formats = [":?}", ":#?}"].into_iter().flat_map(|form| text.match_indices(form));
    let mut found: Vec<usize> = formats
        .filter(|&(at, _)| {
            // From the start of the statement or of the arm of a match.
            let starts = ["{\n", "}\n", ";\n", "=> "].iter().filter_map(|start| text[..at].rfind(start));
            let before = &text[starts.max().unwrap_or(0)..at];
            !asserts.iter().any(|a| before.contains(a))
        })
        .map(|(at, _)| text[..at].lines().count())
        .collect();
    found.sort_unstable();
    found
}

/// What a person reads is said in words: the name of a variant in Rust is none, and renaming it would change what is
/// said.
#[test]
fn nobody_reads_what_a_type_looks_like_in_rust() {
    let example = "fn f() {\n    format!(\"{x:?}\");\n    write!(f, \"{} {:#?}\", a, b);\n    match a {\n\
                   1 => unreachable!(\"{x:?} is none\"),\n_ => format!(\"{x:?}\"),\n}\n}\n";
    assert_eq!(debug_texts(example), [2, 3, 6], "the reader sees what it looks for");
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if is_test_file(&path) || path.components().any(|c| c.as_os_str() == "tests") {
            continue;
        }
        let name = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap().display().to_string();
        wrong.extend(debug_texts(code(&text)).into_iter().map(|line| format!("{name}:{line}")));
    }
    assert!(wrong.is_empty(), "say it in words:\n{}", wrong.join("\n"));
}
