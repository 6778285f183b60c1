//! README.md and data/guide.md as a newcomer follows them: every block, as it stands, in the order of the page and in
//! one folder. What is not run stands in [`NOT_RUN`].

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::pty::Dashboard;
use crate::{slurm, update_pages};

/// Blocks that a test does not run: the page, the first line, and what does it instead.
const NOT_RUN: [(&str, &str, &str); 4] = [
    ("README.md", "cargo install --path . --locked", "builds the program"),
    ("README.md", "cargo test", "is what runs this"),
    (
        "README.md",
        "spikedeck = { path = \"...\", default-features = false }     # 115 packages instead of 299",
        "a line of a manifest",
    ),
    (
        "data/guide.md",
        "spikedeck cluster submit rhythm.toml --set sweep.seeds=100 --out big --shards 50 -- --time=2:00:00",
        "submits to Slurm; tests/it/slurm.rs does so where it is installed",
    ),
];

/// The picture of README's scenario, which is what its command draws.
const PICTURE: &str = "data/pictures/rhythm.svg";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A fenced block of a page.
#[derive(Debug)]
struct Block {
    /// Where it stands.
    at: String,
    /// What follows the fence.
    language: String,
    /// What the comment on the line before it says.
    comment: Option<String>,
    text: String,
}

impl Block {
    fn first(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }
}

/// All blocks of a page.
fn blocks(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    let mut before = "";
    for (k, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                let comment = before.strip_prefix("<!--").and_then(|c| c.strip_suffix("-->"));
                open = Some(Block {
                    at: format!("{page}:{}", k + 1),
                    language: language.to_owned(),
                    comment: comment.map(|c| c.trim().to_owned()),
                    text: String::new(),
                });
            }
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
        before = line;
    }
    assert!(open.is_none(), "{page}: a block does not end");
    blocks
}

/// Where a newcomer stands: a folder with files of his own.
struct Desk {
    folder: tempfile::TempDir,
    path: String,
    /// The names of subcommands: a line without one opens the dashboard.
    commands: BTreeSet<String>,
}

impl Desk {
    fn new() -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_spikedeck"));
        let help = Command::new(program).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let commands = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
        let commands = commands.filter_map(|l| l.split_whitespace().next().map(str::to_owned)).collect();
        let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
        let desk = Self { folder: tempfile::tempdir().unwrap(), path, commands };
        let stored = root().join("data/reference/recordings");
        for (name, from) in [("session.nwb", "units.nwb"), ("lfp.npy", "lfp.npy")] {
            fs::copy(stored.join(from), desk.at(name)).unwrap();
        }
        // Three units that fire at 5, 7 and 11 Hz for three seconds; two events.
        let rows = [5, 7, 11].iter().enumerate().flat_map(|(unit, rate)| {
            (0..3 * rate).map(move |k| format!("{},{unit}\n", f64::from(k) * 1000.0 / f64::from(*rate)))
        });
        fs::write(desk.at("spikes.csv"), format!("time_ms,unit\n{}", rows.collect::<String>())).unwrap();
        fs::write(desk.at("events.csv"), "start_s\n0.5\n1.5\n").unwrap();
        let rows = (0..4000).map(|k| format!("{k},{}\n", (f64::from(k) * 0.1).sin()));
        fs::write(desk.at("lfp.csv"), format!("time_ms,value\n{}", rows.collect::<String>())).unwrap();
        let packed = desk.shell("gzip lfp.csv");
        assert!(packed.status.success(), "{}", said(&packed));
        desk
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn command(&self, program: &str, args: &[&str]) -> Output {
        Command::new(program)
            .args(args)
            .current_dir(self.folder.path())
            .envs([("PATH", self.path.as_str()), ("NO_COLOR", "1"), ("HOME", "/nonexistent")])
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn shell(&self, line: &str) -> Output {
        self.command("sh", &["-c", line])
    }

    /// The arguments of a line that opens the dashboard, as the shell parts them.
    fn opens(&self, line: &str) -> Option<Vec<String>> {
        let rest = line.strip_prefix("spikedeck").filter(|rest| rest.is_empty() || rest.starts_with(' '))?;
        // Up to what is the shell's own: a pipe, a file, another command, a comment.
        let mut quote = None;
        let end = rest.char_indices().find(|&(_, c)| {
            match quote {
                None if matches!(c, '"' | '\'') => quote = Some(c),
                Some(open) if open == c => quote = None,
                _ => {}
            }
            quote.is_none() && matches!(c, '|' | '<' | '>' | '&' | ';' | '#')
        });
        let rest = end.map_or(rest, |(at, _)| &rest[..at]);
        let parted = self.shell(&format!("for word in {rest}; do printf '%s\\n' \"$word\"; done"));
        assert!(parted.status.success(), "{line}: {}", said(&parted));
        let words: Vec<String> = String::from_utf8(parted.stdout).unwrap().lines().map(str::to_owned).collect();
        let is_page = words.iter().any(|w| w == "--describe");
        let is_command = words.first().is_some_and(|w| self.commands.contains(w));
        (!is_page && !is_command).then_some(words)
    }

    /// Opens the dashboard in a terminal, waits for what was named, and leaves.
    fn look(&self, at: &str, words: &[String]) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut dashboard = Dashboard::start_in(self.folder.path(), &words, (140, 40));
        if words.is_empty() {
            dashboard.shows("scenarios and runs");
        }
        for named in words.iter().take_while(|w| !w.starts_with('-')) {
            let stem = Path::new(named).file_stem().unwrap().to_string_lossy().into_owned();
            dashboard.shows(&stem);
        }
        // What was named has been read, or has run to its end: a column that is over says so; a recording has panes.
        let named: Vec<&&str> = words.iter().take_while(|w| !w.starts_with('-')).collect();
        let is_recording = |name: &str| Path::new(name).extension().is_some_and(|e| e != "toml");
        let runs = named.iter().filter(|n| !is_recording(n)).count();
        let over = |s: &str| {
            let expected = s.matches(" expected").count() - s.matches("as expected").count();
            expected + s.matches(" done").count()
        };
        // A busy machine takes minutes for two networks side by side.
        let start = Instant::now();
        while over(&dashboard.text()) < runs && !dashboard.text().contains(" failed ") {
            assert!(start.elapsed() < Duration::from_mins(10), "{at}: {words:?}\n{}", dashboard.text());
            std::thread::sleep(Duration::from_millis(50));
        }
        if runs < named.len() {
            dashboard.wait("panes of the recording", |s| s.contains("Spikes"));
        }
        assert!(!dashboard.text().contains(" failed "), "{at}: {words:?}\n{}", dashboard.text());
        // What runs, or took long, is asked about: `y` leaves all the same.
        dashboard.press("q");
        dashboard.press("y");
        assert!(dashboard.ended().success(), "{at}: {words:?}");
    }

    /// Runs a block as its language says.
    fn follow(&self, block: &Block) {
        let (at, text) = (&block.at, &block.text);
        match (block.language.as_str(), block.comment.as_deref().and_then(|c| c.strip_prefix("file: "))) {
            ("toml", Some(name)) => {
                fs::write(self.at(name), text).unwrap();
                let checked = self.shell(&format!("spikedeck check {name}"));
                assert!(checked.status.success(), "{at}: {}", said(&checked));
            }
            ("sh", None) => {
                for line in text.lines() {
                    if let Some(words) = self.opens(line) {
                        self.look(at, &words);
                        continue;
                    }
                    let status = line.rsplit_once(": status ").map_or(0, |(_, n)| n.parse().unwrap());
                    let ran = self.shell(line);
                    assert_eq!(ran.status.code(), Some(status), "{at}: {line}\n{}", said(&ran));
                }
            }
            ("python", None) => self.python(at, "polars", text),
            ("sql", None) => {
                let each = "s.strip() and duckdb.sql(s).show()";
                let program = format!("import duckdb\nfor s in '''{text}'''.split(';'):\n  {each}");
                self.python(at, "duckdb", &program);
            }
            ("rust", None) => assert!(library_example().contains(text.as_str()), "{at} is not what the doc test runs"),
            (language, _) => panic!("{at}: nothing says what becomes of a block of `{language}`"),
        }
    }

    /// Runs a program of Python, where the package that it needs is installed.
    fn python(&self, at: &str, package: &str, program: &str) {
        let python = std::env::var("SPIKEDECK_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
        let has = Command::new(&python).args(["-c", &format!("import {package}")]).output();
        if !has.is_ok_and(|o| o.status.success()) {
            slurm::skipped(&format!("{at}: {package} is not installed for {python}"));
            return;
        }
        let ran = self.command(&python, &["-c", program]);
        assert!(ran.status.success(), "{at}: {}", said(&ran));
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What the head of the crate shows, which is run with the doc tests.
fn library_example() -> String {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let docs: Vec<&str> = library.lines().filter_map(|l| l.strip_prefix("//!")).collect();
    docs.join("\n").replace("\n ", "\n")
}

/// Both pages, one after the other: the guide goes on with README's scenario.
#[test]
fn every_block_of_readme_and_the_guide_does_what_it_says() {
    let desk = Desk::new();
    let mut not_run = Vec::new();
    for page in ["README.md", "data/guide.md"] {
        let blocks = blocks(page);
        assert!(blocks.len() > 8, "{page} has {} blocks", blocks.len());
        for block in blocks {
            match block.comment.as_deref() {
                Some(c) if c == "test command" || c.starts_with("not run: ") => {
                    not_run.push((page, block.first().to_owned(), c.trim_start_matches("not run: ").to_owned()));
                }
                _ => desk.follow(&block),
            }
        }
        if page == "README.md" {
            let (drawn, shown) = (fs::read(desk.at("rhythm.svg")).unwrap(), root().join(PICTURE));
            if update_pages() {
                fs::write(&shown, &drawn).unwrap();
            }
            assert!(fs::read(&shown).unwrap() == drawn, "{PICTURE} is out of date; UPDATE_PAGES=1 draws it");
        }
    }
    let known: Vec<(&str, String, String)> = NOT_RUN
        .iter()
        .map(|(page, first, why)| {
            let why = if *first == "cargo test" { "test command" } else { why };
            (*page, (*first).to_owned(), why.to_owned())
        })
        .collect();
    assert_eq!(not_run, known, "blocks that are not run");
}

/// Pictures and pages that README and the guide point to are there, and sections that they name.
#[test]
fn links_lead_somewhere() {
    for page in ["README.md", "data/guide.md", "CONTRIBUTING.md", "data/benchmarks.md"] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let beside = root().join(page).parent().unwrap().to_owned();
        let targets: Vec<&str> =
            text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|t| !t.contains("://")).collect();
        assert!(page != "README.md" || targets.len() > 8, "{targets:?}");
        for target in targets {
            let (file, section) = target.split_once('#').unwrap_or((target, ""));
            let linked = fs::read(beside.join(file)).unwrap_or_else(|e| panic!("{page}: {target}: {e}"));
            let linked = String::from_utf8_lossy(&linked).into_owned();
            let heading = |l: &str| l.starts_with('#') && l.trim_start_matches(['#', ' ']).to_lowercase() == section;
            assert!(section.is_empty() || linked.lines().any(heading), "{page}: {target}");
        }
    }
}

/// The page of what is built in is the program's own. `UPDATE_PAGES=1` writes it.
#[test]
fn the_page_of_lists_is_the_programs_own() {
    let list = |what: &str| {
        let out = Command::new(env!("CARGO_BIN_EXE_spikedeck")).args(["list", what, "--markdown"]).output().unwrap();
        assert!(out.status.success());
        String::from_utf8(out.stdout).unwrap()
    };
    let definitions = ["models", "receptors", "channels", "plasticity"].map(list).join("\n");
    let wanted = format!(
        "# What there is\n\nModels, receptors, channels, rules of plasticity and analyses that are built in, as \
         `spikedeck list` prints them;\n`spikedeck explain NAME` shows the card of each. Made by `UPDATE_PAGES=1 cargo \
         test --test it`; a test keeps it true.\n\n## Models, receptors, channels, \
         plasticity\n\n{definitions}\n## Analyses\n\n{}",
        list("analyses")
    );
    let path = root().join("data/lists.md");
    if update_pages() {
        fs::write(&path, &wanted).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == wanted,
        "data/lists.md is out of date; UPDATE_PAGES=1 writes it"
    );
}

/// README's table of speed is eight rows of what the page of benchmarks holds.
#[test]
fn readmes_speed_is_of_the_page_of_benchmarks() {
    let rows = |page: &str| -> Vec<Vec<String>> {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let table =
            text.lines().skip_while(|l| *l != "## Speed" && *l != "## Sittings").filter(|l| l.starts_with("| "));
        table.map(|l| l.split('|').map(|c| c.trim().to_owned()).collect()).collect()
    };
    let (short, long) = (rows("README.md"), rows("data/benchmarks.md"));
    assert_eq!(short.len(), 9, "a heading and eight rows");
    for row in short.iter().skip(1) {
        let (ours, peer, ratio) = (&row[2], &row[3], &row[4]);
        let is_there = |l: &Vec<String>| &l[2] == ours && &l[3] == peer && &l[4] == ratio;
        assert!(long.iter().any(is_there), "{row:?}");
    }
}
