//! What must not happen: a finished run that is lost, a file of somebody else's that is touched, a number for what is
//! not there, a signal that is not heard, a character that acts on the terminal.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use spikedeck::run::Status;
use spikedeck::table::open_telling;

const SMALL: &str = r#"
[simulation]
duration = "100 ms"
dt = "0.1 ms"
[populations.p]
model = "lif"
size = 3
[stimuli.d]
target = "p.I"
kind = "constant"
amplitude = "500 pA"
[record.p]
spikes = true
traces = [{ name = "v", variables = ["V_m"], interval = "1 ms" }]
[analyses.r]
kind = "rates"
of = "p.spikes"
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
        command.env("NO_COLOR", "1").current_dir(self.0.path()).stdin(Stdio::null()).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// What lies there whose name is not said to be there for good.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.0.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Whether the run in a folder is whole, to the last byte.
    fn is_whole(&self, name: &str) -> Result<(), String> {
        let (run, damage) = open_telling(&self.path(name)).map_err(|e| e.to_string())?;
        match (run.status, damage.as_slice()) {
            (Status::Complete, []) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A refused build, a foreign folder, an input of the scenario: nothing of it is touched.
#[test]
fn nothing_is_deleted_that_is_not_replaced_by_a_whole_run() {
    let place = Place::new();
    place.write("s.toml", SMALL);
    assert_eq!(place.run(&["run", "s.toml", "--out", "a", "-q"]).status.code(), Some(0));
    let refused = place.run(&["run", "s.toml", "--out", "a", "--force", "--set", "simulation.memory=\"1 kB\""]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    place.is_whole("a").unwrap();
    assert_eq!(place.names(), ["a", "s.toml"]);
    // A new folder of a run that was refused does not stay.
    let refused = place.run(&["run", "s.toml", "--out", "new", "--set", "simulation.memory=\"1 kB\""]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert_eq!(place.names(), ["a", "s.toml"]);
    place.write("b/traces/mydata.h5", "precious");
    place.write("b/spikes.csv", "precious");
    let foreign = place.run(&["run", "s.toml", "--out", "b", "--force", "-q"]);
    assert_eq!(foreign.status.code(), Some(2));
    assert!(said(&foreign).contains("no run") && place.path("b/traces/mydata.h5").exists(), "{}", said(&foreign));
    assert!(place.path("b/spikes.csv").exists());
    let reads = SMALL.replace("size = 3", "size = 3\nreceptors.in = { kind = \"delta\" }")
        + "[projections.q]\nfrom = \"p\"\nto = \"p.in\"\nconnect = { edges = \"connections.csv\" }\nweight = \"1 mV\"\n\
           delay = \"1 ms\"\n";
    place.write("c/connections.csv", "source,target\n0,1\n");
    place.write("c/s.toml", &reads);
    let input = place.run(&["run", "c/s.toml", "--out", "c", "--force", "-q"]);
    assert_eq!(input.status.code(), Some(2));
    assert!(place.path("c/connections.csv").exists() && place.path("c/s.toml").exists());
    // Also where a run wrote it.
    let wrote =
        place.run(&["run", "c/s.toml", "--out", "d", "--format", "csv", "-q", "--set", "record.p.connections=true"]);
    assert_eq!(wrote.status.code(), Some(0), "{}", said(&wrote));
    place.write("again.toml", &reads.replace("\"connections.csv\"", "\"d/connections.csv\""));
    let own = place.run(&["run", "again.toml", "--out", "d", "--force", "-q"]);
    assert_ne!(own.status.code(), Some(0));
    place.is_whole("d").unwrap();
}

/// What somebody put into a run's folder stays, also empty folders, and is not written over.
#[test]
fn what_no_run_wrote_survives_a_run_that_replaces_another() {
    let place = Place::new();
    place.write("s.toml", SMALL);
    assert_eq!(place.run(&["run", "s.toml", "--out", "a", "-q"]).status.code(), Some(0));
    for mine in ["a/notes.txt", "a/traces/mine.h5", "a/analyses/deep/er/mine.csv", "a/.hidden"] {
        place.write(mine, "mine");
    }
    fs::create_dir(place.path("a/empty")).unwrap();
    std::os::unix::fs::symlink("/nowhere", place.path("a/link")).unwrap();
    assert_eq!(place.run(&["run", "s.toml", "--out", "a", "--force", "-q"]).status.code(), Some(0));
    for mine in ["a/notes.txt", "a/traces/mine.h5", "a/analyses/deep/er/mine.csv", "a/.hidden"] {
        assert_eq!(fs::read_to_string(place.path(mine)).unwrap(), "mine");
    }
    assert!(place.path("a/empty").is_dir() && fs::symlink_metadata(place.path("a/link")).is_ok());
    place.is_whole("a").unwrap();
    assert_eq!(place.names(), ["a", "s.toml"]);
    // The name of a table of the new run: nothing is written over, and nothing is lost.
    place.write("a/spikes.csv", "mine");
    let taken = place.run(&["run", "s.toml", "--out", "a", "--force", "-q", "--format", "csv"]);
    assert_eq!(taken.status.code(), Some(1), "{}", said(&taken));
    assert_eq!(fs::read_to_string(place.path("a/spikes.csv")).unwrap(), "mine");
    place.is_whole("a").unwrap();
    place.is_whole("a-new").unwrap();
}

/// However soon a run that replaces another is killed, one of the two is whole; the next run clears what is left.
#[test]
fn a_killed_run_leaves_the_old_one_or_the_new_one() {
    let place = Place::new();
    place.write("s.toml", SMALL);
    let began = Instant::now();
    assert_eq!(place.run(&["run", "s.toml", "--out", "a", "-q"]).status.code(), Some(0));
    place.write("a/notes.txt", "mine");
    let took = began.elapsed();
    for k in 0..24 {
        let mut child = place.start(&["run", "s.toml", "--out", "a", "--force", "-q", "--seed", &k.to_string()]);
        std::thread::sleep(took.mul_f64(f64::from(k) / 20.0));
        child.kill().unwrap();
        child.wait().unwrap();
        place.is_whole("a").unwrap_or_else(|e| panic!("killed after {k}/20 of its time: {e}"));
    }
    assert_eq!(place.run(&["run", "s.toml", "--out", "a", "--force", "-q"]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(place.path("a/notes.txt")).unwrap(), "mine");
    assert_eq!(place.names(), ["a", "s.toml"]);
    let inside: Vec<String> =
        fs::read_dir(place.path("a")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!inside.iter().any(|n| n.contains(".part")), "{inside:?}");
}

/// Two runs into one folder: one of them is refused or follows, and what is there is whole.
#[test]
fn two_runs_at_once_do_not_mix() {
    let place = Place::new();
    place.write("s.toml", &SMALL.replace("100 ms", "2 s"));
    assert_eq!(place.run(&["run", "s.toml", "--out", "a", "-q"]).status.code(), Some(0));
    for round in 0..3 {
        let seeds = [2 * round, 2 * round + 1].map(|s| s.to_string());
        let children: Vec<Child> =
            seeds.iter().map(|s| place.start(&["run", "s.toml", "--out", "a", "--force", "-q", "--seed", s])).collect();
        let codes: Vec<Option<i32>> = children.into_iter().map(|mut c| c.wait().unwrap().code()).collect();
        assert!(codes.contains(&Some(0)) && codes.iter().all(|c| matches!(c, Some(0 | 2))), "{codes:?}");
        place.is_whole("a").unwrap();
    }
    assert_eq!(place.names(), ["a", "s.toml"]);
}

/// A run that is stopped does not replace one that came to its end.
#[test]
fn an_interrupted_run_stands_beside_the_finished_one() {
    let place = Place::new();
    place.write("s.toml", SMALL);
    assert_eq!(place.run(&["run", "s.toml", "--out", "a", "-q"]).status.code(), Some(0));
    let long = ["run", "s.toml", "--out", "a", "--force", "-q", "--set", "simulation.duration=\"100000 s\""];
    let code = stopped(&place, &long, Signal::TERM, Duration::from_secs(2)).0;
    assert_eq!(code, Some(143));
    place.is_whole("a").unwrap();
    let (beside, damage) = open_telling(&place.path("a-interrupted")).unwrap();
    assert_eq!((beside.status, damage.len()), (Status::Interrupted, 0), "{damage:?}");
    assert!(beside.recording.window.stop > 100.0, "{:?}", beside.recording.window);
}

/// Any bit of any file of a run that is changed, and any file that is cut or gone, is told or refused.
#[test]
fn a_folder_is_held_against_its_manifest() {
    let place = Place::new();
    place.write("s.toml", SMALL);
    assert_eq!(place.run(&["run", "s.toml", "--out", "a", "-q"]).status.code(), Some(0));
    place.is_whole("a").unwrap();
    let mut files = vec![];
    let mut folders = vec![place.path("a")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() { folders.push(entry) } else { files.push(entry) }
        }
    }
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let told = |what: &str| {
            if let Ok((_, damage)) = open_telling(&place.path("a")) {
                assert!(!damage.is_empty(), "{} {what}", file.display());
            }
        };
        for k in 0..12 {
            let (at, bit) = (bytes.len() * k / 12, k % 8);
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            fs::write(&file, changed).unwrap();
            told(&format!("with bit {bit} of byte {at} changed"));
        }
        fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
        told("cut by a byte");
        fs::remove_file(&file).unwrap();
        told("removed");
        fs::write(&file, bytes).unwrap();
    }
    place.is_whole("a").unwrap();
    // In words, where runs are compared.
    assert_eq!(place.run(&["run", "s.toml", "--out", "b", "-q"]).status.code(), Some(0));
    let spikes = place.path("a/spikes.parquet");
    let table = spikedeck::store::read(&spikes, None).unwrap();
    let units = spikedeck::store::Column::U32(table.unit_numbers("unit").unwrap()[..2].to_vec());
    let cut = spikedeck::store::Table::new().with("unit", units);
    spikedeck::store::write(&spikes, &cut, spikedeck::store::Format::Parquet).unwrap();
    let told = said(&place.run(&["compare", "a", "b"]));
    assert!(told.contains("spikes.parquet") && told.contains("2 rows"), "{told}");
    fs::remove_file(&spikes).unwrap();
    let told = said(&place.run(&["compare", "a", "b"]));
    assert!(told.contains("spikes.parquet") && told.contains("missing"), "{told}");
    let (run, _) = open_telling(&place.path("a")).unwrap();
    assert!(run.recording.spikes.is_empty(), "nothing stands for what is gone: {:?}", run.recording.spikes);
}

/// Spikes that stay on disk are not silence: what looks at one unit after another reads them back, what needs all of
/// them at once has no number, and no expectation is met by it.
#[test]
fn what_does_not_fit_into_memory_is_read_back_or_has_no_value() {
    let place = Place::new();
    let text = r#"
[simulation]
duration = "40 s"
dt = "0.1 ms"
memory = "3 MB"
[populations.exc]
model = "lif"
size = 100
initial = { V_m = { uniform = ["-70 mV", "-50 mV"] } }
[stimuli.d]
target = "exc.I"
kind = "constant"
amplitude = "500 pA"
[record.exc]
spikes = true
[analyses.r]
kind = "rates"
of = "exc.spikes"
[analyses.i]
kind = "isi"
of = "exc.spikes"
[analyses.p]
kind = "population_rate"
of = "exc.spikes"
[analyses.one]
kind = "lags"
of = "exc.spikes[0..2]"
[analyses.c]
kind = "avalanches"
of = "exc.spikes"
[expect.quiet]
metric = "r.exc.spikes.mean_rate"
max = "1 Hz"
[expect.loud]
metric = "r.exc.spikes.mean_rate"
min = "1 Hz"
[expect.pairs]
metric = "c.exc.spikes.mean_size"
max = 1e9
"#;
    place.write("s.toml", text);
    let out = place.run(&["run", "s.toml", "--out", "a", "--json"]);
    let shown = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(1), "{shown}{}", said(&out));
    assert!(shown.contains("exc.spikes: it stays on disk") && said(&out).contains("`c` has no result"), "{shown}");
    let (run, damage) = open_telling(&place.path("a")).unwrap();
    assert!(damage.is_empty(), "{damage:?}");
    let passed: Vec<_> = run.checks.iter().map(|c| (c.name.as_str(), c.passed, c.found.is_some())).collect();
    assert_eq!(passed, [("quiet", false, true), ("loud", true, true), ("pairs", false, false)]);
    assert!(run.checks[2].note.contains("stays on disk"), "{:?}", run.checks[2]);
    // The numbers are those of memory.
    place.write("whole.toml", &text.replace("memory = \"3 MB\"\n", ""));
    let whole = place.run(&["run", "whole.toml", "--json"]);
    let of = |out: &Output| -> Vec<String> {
        String::from_utf8_lossy(&out.stdout)
            .lines()
            .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap())
            .filter(|v| v["subject"].is_string() && v["analysis"] != "c")
            .map(|mut v| {
                v.as_object_mut().unwrap().remove("scenario");
                v.to_string()
            })
            .collect()
    };
    assert_eq!(of(&out), of(&whole));
    assert!(of(&whole).len() > 12, "{:?}", of(&whole));
    // All of it is in the folder, and told.
    assert_eq!(run.facts.spikes, run.recording.spikes[0].len() as u64);
    assert!((run.facts.spikes as f64 / 100.0 / 40.0 - 62.89).abs() < 0.5, "{}", run.facts.spikes);
    // What left memory and fits again is measured from its beginning.
    let fits = text.replace("3 MB", "12 MB");
    place.write("fits.toml", &fits);
    let (a, b) = (place.run(&["run", "fits.toml", "--out", "f", "--json"]), {
        place.write("whole.toml", &text.replace("memory = \"3 MB\"\n", ""));
        place.run(&["run", "whole.toml", "--json"])
    });
    let value = |out: &Output| {
        String::from_utf8_lossy(&out.stdout)
            .lines()
            .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap())
            .find(|v| v["metric"] == "mean_rate")
            .and_then(|v| v["value"].as_f64())
    };
    assert_eq!(value(&a), value(&b), "{}", said(&a));
    assert!(value(&b).is_some());
}

/// A recorded expression that is no number somewhere is counted and told.
#[test]
fn an_expression_that_is_no_number_is_told() {
    let place = Place::new();
    place.write(
        "s.toml",
        r#"
[simulation]
duration = "20 ms"
dt = "1 ms"
[models.decay]
equations = """
dx/dt = -x/tau : 1
y = log(x - 0.5) : 1
"""
parameters = { tau = "10 ms" }
initial = { x = 1 }
[populations.p]
model = "decay"
[record.p]
traces = [{ variables = ["y"], interval = "1 ms" }]
[analyses.levels]
kind = "levels"
of = "p.y"
"#,
    );
    let out = place.run(&["run", "s.toml"]);
    let shown = String::from_utf8_lossy(&out.stdout).into_owned();
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("p.y is no finite number in 14 of 21 samples, at 7 ms"), "{words}");
}

/// `plot` says how the run ended as `run` does.
#[test]
fn a_figure_of_a_failed_run_has_its_status() {
    let place = Place::new();
    let text = format!(
        "{SMALL}[models.m]
equations = \"dx/dt = x*x/[1 ms] : 1\"
initial = {{ x = 1 }}
[populations.q]
model = \"m\"
"
    );
    place.write("f.toml", &text);
    assert_eq!(place.run(&["run", "f.toml", "--out", "f"]).status.code(), Some(3));
    for run in ["f.toml", "f"] {
        let plot = place.run(&["plot", run, "--analysis", "r"]);
        assert_eq!(plot.status.code(), Some(3), "{run}: {}", said(&plot));
        assert!(said(&plot).contains("f: "), "{run}: {}", said(&plot));
    }
    // A file that is there is somebody's.
    place.write("s.toml", SMALL);
    place.write("r.svg", "mine");
    let plot = place.run(&["plot", "s.toml", "--analysis", "r", "-o", "r.svg"]);
    assert_eq!((plot.status.code(), fs::read_to_string(place.path("r.svg")).unwrap().as_str()), (Some(2), "mine"));
    assert!(said(&plot).contains("--force"));
    assert_eq!(place.run(&["plot", "s.toml", "--analysis", "r", "-o", "r.svg", "--force"]).status.code(), Some(0));
    assert!(fs::read_to_string(place.path("r.svg")).unwrap().starts_with("<svg"));
}

/// Starts, waits, sends a signal; the exit status (of a shell) and how long the end took.
fn stopped(place: &Place, args: &[&str], signal: Signal, after: Duration) -> (Option<i32>, Duration) {
    let mut child = place.start(args);
    std::thread::sleep(after);
    assert!(child.try_wait().unwrap().is_none(), "it was over before it was stopped: {args:?}");
    kill_process(Pid::from_child(&child), signal).unwrap();
    let sent = Instant::now();
    let status = child.wait().unwrap();
    (status.code().or_else(|| status.signal().map(|s| 128 + s)), sent.elapsed())
}

/// Every signal is heard soon, whatever the program is at, and the exit status says which it was.
#[test]
fn signals_are_heard_while_simulating_building_and_analysing() {
    let place = Place::new();
    let traces = "traces = [{ name = \"v\", variables = [\"V_m\"], interval = \"1 ms\" }]\n";
    place.write("long.toml", &SMALL.replace("100 ms", "100000 s").replace(traces, ""));
    let many = r#"
[simulation]
duration = "100 ms"
dt = "0.1 ms"
[populations.p]
model = "lif"
size = 20000
receptors.in = { kind = "delta" }
[projections.q]
from = "p"
to = "p.in"
connect = { rule = "probability", p = 0.3 }
weight = "1 mV"
delay = "1 ms"
"#;
    place.write("build.toml", many);
    let analysis = SMALL.replace("100 ms", "60 s").replace("size = 3", "size = 100")
        + "[analyses.rate]
kind = \"population_rate\"
of = \"p.spikes\"
bin = \"0.01 ms\"
kernel = \"gaussian\"
width = \"1 s\"
";
    place.write("analyse.toml", &analysis);
    let cases = [
        ("long.toml", Signal::INT, 130, 2),
        ("long.toml", Signal::TERM, 143, 2),
        ("long.toml", Signal::HUP, 129, 2),
        ("build.toml", Signal::TERM, 143, 1),
        ("analyse.toml", Signal::TERM, 143, 6),
    ];
    for (file, signal, status, after) in cases {
        for command in ["run", "plot"] {
            let args = if command == "run" { vec!["run", file, "-q"] } else { vec!["plot", file, "--analysis", "r"] };
            let (code, took) = stopped(&place, &args, signal, Duration::from_secs(after));
            assert_eq!(code, Some(status), "{args:?} {signal:?}");
            // Half a second on a machine that does nothing else.
            assert!(took < Duration::from_secs(2), "{args:?} {signal:?}: {took:?}");
        }
    }
}

/// A sweep that is killed keeps the points that were done.
#[test]
fn a_killed_sweep_keeps_its_points() {
    let place = Place::new();
    let text = SMALL.replace("100 ms", "2 s") + "[sweep]\nseeds = 2000\n";
    place.write("s.toml", &text);
    let mut child = place.start(&["run", "s.toml", "--out", "a", "-q"]);
    let metrics = place.path("a/metrics.parquet");
    let began = Instant::now();
    // However slow the machine is: until several points are written.
    let seeds = || -> std::collections::BTreeSet<Option<u64>> {
        let table = spikedeck::store::read(&metrics, None);
        table.ok().and_then(|t| t.optional_whole_numbers("seed").ok()).into_iter().flatten().collect()
    };
    while seeds().len() < 2 && began.elapsed() < Duration::from_mins(2) {
        std::thread::sleep(Duration::from_millis(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let seeds = seeds();
    assert!(seeds.len() >= 2, "{seeds:?}");
    let (run, damage) = open_telling(&place.path("a")).unwrap();
    assert_eq!(run.status, Status::Interrupted);
    assert!(damage.is_empty(), "{damage:?}");
    assert!(run.outcomes.iter().any(|o| o.metrics.iter().any(|m| m.value.is_some())));
    assert!(run.warnings.iter().any(|w| w.contains("points")), "{:?}", run.warnings);
}

/// Sizes are told before anything of that size is asked for.
#[test]
fn sizes_are_refused_before_they_are_allocated() {
    let place = Place::new();
    place.write("bins.toml", &SMALL.replace("kind = \"rates\"", "kind = \"population_rate\"\nbin = \"1e-12 s\""));
    let points = |more: &str| format!("{SMALL}[sweep.axes]\n{more}\n");
    place.write("points.toml", &points("\"simulation.seed\" = { from = 1, to = 1000000000, steps = 1000000000 }"));
    let axis = |name: &str| format!("\"{name}\" = {{ from = \"1 pA\", to = \"2 pA\", steps = 2000 }}");
    place.write(
        "product.toml",
        &points(&format!(
            "{}\n\"simulation.seed\" = {{ from = 1, to = 1000, steps = 1000 }}",
            axis("stimuli.d.amplitude")
        )),
    );
    place.write("seeds.toml", &format!("{SMALL}[sweep]\nseeds = 4294967296\n"));
    let delay = SMALL.replace("size = 3", "size = 3\nreceptors.in = { kind = \"delta\" }")
        + "[projections.q]
from = \"p\"
to = \"p.in\"
connect = \"all_to_all\"
weight = \"1 mV\"
delay = \"1e15 s\"
";
    place.write("delay.toml", &delay);
    for (file, words) in [
        ("bins.toml", "pieces"),
        ("points.toml", "1,000,000,000 points"),
        ("product.toml", "2,000,000 points"),
        ("seeds.toml", "4,294,967,296 points"),
        ("delay.toml", ""),
    ] {
        let began = Instant::now();
        let out = place.run(&["run", file, "-q"]);
        assert_eq!(out.status.code(), Some(2), "{file}: {}", said(&out));
        assert!(said(&out).contains(words), "{file}: {}", said(&out));
        assert!(began.elapsed() < Duration::from_secs(20), "{file}: {:?}", began.elapsed());
    }
    // Names are parts of file names.
    let name = "n".repeat(260);
    place.write("name.toml", &SMALL.replace("populations.p]", &format!("populations.{name}]")));
    let out = place.run(&["check", "name.toml"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("260 bytes"), "{}", said(&out));
    for (file, text) in [
        ("infinite.toml", SMALL.replace("500 pA", "1e999 pA")),
        ("scaled.toml", SMALL.replace("500 pA", "1e308 GA")),
        (
            "exponents.toml",
            "[simulation]
duration = \"1 ms\"
dt = \"0.1 ms\"
[models.m]
equations = \"dx/dt = -x*k*k*k*k*k*k*k*k/[1 ms] : 1\"
parameters = { k = \"1 m**682.6666666666666\" }
[populations.p]
model = \"m\"
"
            .to_owned(),
        ),
    ] {
        place.write(file, &text);
        let out = place.run(&["check", file]);
        assert_eq!(out.status.code(), Some(2), "{file}: {}", said(&out));
    }
}

/// Characters that act on a terminal are written out, wherever they come from.
#[test]
fn nothing_from_a_file_acts_on_the_terminal() {
    let place = Place::new();
    let escape = "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}";
    place.write("value.toml", &format!("[simulation]\nduration = \"1 m{escape}s\"\n"));
    place.write("key.toml", &SMALL.replace("size = 3", &format!("\"si{escape}ze\" = 3")));
    let written: String = escape.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect::<Vec<_>>().concat();
    place.write("title.toml", &format!("title = \"a{written}b\"\n{SMALL}"));
    place.write("header.csv", &format!("time_ms,we{escape}ight\n1,1\n"));
    place.write(
        "file.toml",
        &(SMALL.replace("size = 3", "size = 3\nreceptors.in = { kind = \"delta\" }")
            + "[stimuli.s]\ntarget = \"p.in\"\nkind = \"spikes\"\nfile = \"header.csv\"\nweight = \"1 mV\"\n"),
    );
    let label = format!("na{escape}me");
    assert_eq!(place.run(&["run", "title.toml", "--out", "a", "-q"]).status.code(), Some(0));
    let manifest = fs::read_to_string(place.path("a/manifest.json")).unwrap();
    let hostile = manifest.replace("\"label\": \"title\"", &format!("\"label\": {}", serde_json::json!(label)));
    assert_ne!(manifest, hostile);
    fs::write(place.path("a/manifest.json"), hostile).unwrap();
    place.write(&format!("{label}.toml"), SMALL);
    let hostile_file = format!("{label}.toml");
    for args in [
        vec!["check", "value.toml", "key.toml", "title.toml", "file.toml"],
        vec!["run", "title.toml"],
        vec!["run", "title.toml", "--json"],
        vec!["run", &hostile_file],
        vec!["run", &label],
        vec!["compare", "a", "title.toml"],
        vec!["compare", "a", "title.toml", "--json"],
        vec!["plot", "a", "--analysis", &label],
        vec!["plot", &hostile_file, "--analysis", "r"],
        vec!["--describe", "a", "title.toml"],
        vec![&label, &label, "--theme"],
        vec!["list", &label],
    ] {
        let out = place.run(&args);
        for stream in [&out.stdout, &out.stderr] {
            let text = String::from_utf8(stream.clone()).unwrap();
            let acts =
                text.char_indices().find(|(_, c)| spikedeck::core::visible::is_hidden(*c) && !matches!(c, '\n' | '\t'));
            assert_eq!(acts, None, "{args:?}: {text:?}");
        }
    }
    let json = place.run(&["compare", "a", "title.toml", "--json"]);
    let lines = String::from_utf8(json.stdout).unwrap();
    assert!(lines.lines().count() > 0);
    for line in lines.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        if row.get("note").is_some_and(serde_json::Value::is_string) && row.get("base").is_none() {
            continue;
        }
        assert!(row["base"].as_str().unwrap().contains(&label), "JSON reads back what was meant: {line}");
    }
}

/// 20,000 things that are wrong fit on a few screens, and finding them takes no longer than they are.
#[test]
fn messages_have_an_end_and_checks_take_no_longer_than_the_file() {
    let place = Place::new();
    let wrong: String = (0..20_000).fold(SMALL.to_owned(), |text, k| {
        if k == 0 { text + "[populations.p.parameters]\nx0 = 1\n" } else { text + &format!("x{k} = 1\n") }
    });
    place.write("many.toml", &wrong);
    let letters = "a".repeat(1_000_000);
    place.write("word.toml", &SMALL.replace("\"lif\"", &format!("\"{letters}\"")));
    let n = 200;
    let chain: Vec<String> = (0..n).map(|i| format!("dx{i}/dt = (x{} - x{i})/tau : 1", (i + 1) % n)).collect();
    let chain = chain.join("\n") + "\n";
    place.write(
        "states.toml",
        &format!(
            "[simulation]\nduration = \"20 ms\"\ndt = \"0.1 ms\"\n[models.chain]\nequations = \"\"\"\n{chain}\"\"\"\n\
             parameters = {{ tau = \"10 ms\" }}\n[populations.p]\nmodel = \"chain\"\n"
        ),
    );
    for (file, code) in [("many.toml", 2), ("word.toml", 2), ("states.toml", 0)] {
        let began = Instant::now();
        let out = place.run(&["check", file]);
        assert_eq!(out.status.code(), Some(code), "{file}: {}", said(&out));
        assert!(out.stderr.len() < 60_000, "{file}: {} bytes", out.stderr.len());
        assert!(began.elapsed() < Duration::from_secs(20), "{file}: {:?}", began.elapsed());
    }
    assert!(said(&place.run(&["check", "many.toml"])).contains("and 19950 more errors"));
}

/// Devices and pipes are not replaced by a file.
#[test]
fn a_device_is_not_replaced() {
    let place = Place::new();
    place.write("s.toml", SMALL);
    std::os::unix::fs::symlink("/dev/null", place.path("r.svg")).unwrap();
    let out = place.run(&["plot", "s.toml", "--analysis", "r", "-o", "r.svg", "--force"]);
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(fs::symlink_metadata(place.path("r.svg")).unwrap().is_symlink());
    assert!(!Path::new("/dev/null").is_file());
}

/// Whatever somebody named as the place of a result, by mistake or because it is there from before, stays as it was.
#[test]
fn no_command_writes_over_what_is_there() {
    let place = Place::new();
    place.write("s.toml", SMALL);
    for run in ["a", "b"] {
        assert_eq!(place.run(&["run", "s.toml", "--out", run, "-q"]).status.code(), Some(0));
    }
    let mine = ["notes", "mine.svg", "mine.html", "mine.toml", "mine.h5", "d/differences.parquet"];
    let mine =
        [&mine[..], &["d/distributions.parquet", "sweep.slurm", "folder/notes", "folder/spikes.parquet"]].concat();
    for file in &mine {
        place.write(file, &format!("three years of work, in {file}"));
    }
    let commands: [&[&str]; 18] = [
        &["run", "s.toml", "--out", "notes"],
        &["run", "s.toml", "--out", "notes", "--force"],
        &["run", "s.toml", "--out", "folder"],
        &["run", "s.toml", "--out", "folder", "--force"],
        &["run", "s.toml", "--checkpoint", "notes"],
        &["run", "s.toml", "--checkpoint", "notes", "--resume"],
        &["run", "s.toml", "--checkpoint", "s.toml:every=10 s"],
        &["run", "s.toml", "--checkpoint", "folder"],
        &["plot", "s.toml", "--analysis", "r", "-o", "mine.svg"],
        &["plot", "a", "--analysis", "r", "-o", "mine.h5", "--force"],
        &["report", "a", "-o", "mine.html"],
        &["new", "scenario/accommodation", "-o", "mine.toml"],
        &["compare", "a", "b", "--out", "d"],
        &["compare", "--distributions", "a", "b", "--out", "d"],
        &["analyze", "a", "--out", "notes"],
        &["analyze", "a", "--out", "folder", "--force"],
        &["sweep", "s.toml", "--set", "sweep.seeds=2", "--out", "folder"],
        &["sweep", "s.toml", "--set", "sweep.seeds=2", "--out", "sweep", "--plan", "slurm"],
    ];
    for command in commands {
        let out = place.run(command);
        assert_ne!(out.status.code(), Some(0), "{command:?}: {}", said(&out));
        assert!(!said(&out).contains("unexpected argument"), "{command:?}: {}", said(&out));
        for file in &mine {
            let now = fs::read_to_string(place.path(file)).unwrap_or_default();
            assert_eq!(now, format!("three years of work, in {file}"), "{command:?}");
        }
        assert_eq!(fs::read_to_string(place.path("s.toml")).unwrap(), SMALL, "{command:?}");
        for run in ["a", "b"] {
            place.is_whole(run).unwrap();
        }
    }
}
