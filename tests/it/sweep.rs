//! Sweeps by several processes, by the binary as people run it: shards, kills, other folders, and equal bytes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) const SCENARIO: &str = r#"
[simulation]
duration = "200 ms"
dt = "0.1 ms"
[populations.p]
model = "lif"
size = 10
initial = { V_m = { uniform = ["-70 mV", "-55 mV"] } }
[stimuli.s]
target = "p.I"
kind = "constant"
amplitude = "400 pA"
[record.p]
spikes = true
[analyses.rates]
kind = "rates"
of = "p.spikes"
[sweep]
seeds = 3
[sweep.axes]
"stimuli.s.amplitude" = { from = "300 pA", to = "900 pA", steps = 5 }
[expect.much]
metric = "rates.p.spikes.mean_rate"
min = "1 Hz"
"#;

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
    command.current_dir(folder).args(args).args(["--threads", "1", "-q"]).stdin(Stdio::null());
    command
}

pub(crate) fn spikedeck(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

pub(crate) fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), text).unwrap();
    folder
}

/// Tables of two sweeps: equal to the byte.
pub(crate) fn assert_same_tables(one: &Path, other: &Path) {
    for table in ["metrics.parquet", "across.parquet", "analyses/rates.parquet"] {
        let of = |run: &Path| fs::read(run.join(table)).unwrap();
        assert!(of(one) == of(other), "{table} of {} and {}", one.display(), other.display());
    }
}

/// However the points were dealt out, the tables are those of `run` in one process.
#[test]
fn shards_gather_to_the_bytes_of_one_process() {
    let folder = folder(SCENARIO);
    let at = folder.path();
    assert_eq!(spikedeck(at, &["run", "s.toml", "--out", "run"]).status.code(), Some(1), "a check fails");
    let whole = spikedeck(at, &["sweep", "s.toml", "--out", "whole"]);
    assert_eq!(whole.status.code(), Some(1), "{}", said(&whole));
    assert_same_tables(&at.join("run"), &at.join("whole"));
    for (k, status) in [("2/3", 0), ("1/3", 0), ("3/3", 1)] {
        let made = spikedeck(at, &["sweep", "s.toml", "--out", "three", "--shard", k]);
        assert_eq!(made.status.code(), Some(status), "{}", said(&made));
        assert_eq!(at.join("three/metrics.parquet").exists(), k == "3/3");
    }
    assert_same_tables(&at.join("run"), &at.join("three"));
    // The folder is a run like any.
    assert_eq!(spikedeck(at, &["compare", "run", "three"]).status.code(), Some(0));
}

/// The curves and numbers of a sweep are drawn and reported, of one that is half made as far as it is; what needs a
/// recording says that there is none.
#[test]
fn a_sweep_is_plotted_and_reported() {
    let folder = folder(SCENARIO);
    let at = folder.path();
    spikedeck(at, &["sweep", "s.toml", "--out", "whole"]);
    spikedeck(at, &["sweep", "s.toml", "--out", "half", "--shard", "1/3"]);
    let program = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_spikedeck")).current_dir(at).args(args).stdin(Stdio::null()).output().unwrap()
    };
    // What a half-made sweep holds is drawn, and that it is not whole is the status.
    for (sweep, status) in [("whole", 0), ("half", 130)] {
        let (figure, report) = (format!("{sweep}.svg"), format!("{sweep}.md"));
        let plotted = program(&["plot", sweep, "--analysis", "rates", "-o", &figure]);
        assert_eq!(plotted.status.code(), Some(status), "{}", said(&plotted));
        assert!(fs::read_to_string(at.join(&figure)).unwrap().contains("amplitude"), "{sweep}");
        let reported = program(&["report", sweep, "-o", &report]);
        assert_eq!(reported.status.code(), Some(status), "{}", said(&reported));
        assert!(fs::read_to_string(at.join(&report)).unwrap().contains("mean_rate"), "{sweep}");
        let measured = program(&["analyze", sweep]);
        assert_eq!(measured.status.code(), Some(2), "{}", said(&measured));
        let points = if sweep == "whole" { "15 of 15" } else { "5 of 15" };
        let told = said(&measured);
        assert!(told.contains(points) && told.contains("--keep all"), "{told}");
    }
}

/// `ro-crate-metadata.json` that somebody has completed is nowhere written over: not when a sweep is gathered again,
/// and not by a run that replaces another.
#[test]
fn a_crate_that_was_completed_stays() {
    let folder = folder(SCENARIO);
    let at = folder.path();
    let gather = || spikedeck(at, &["sweep", "s.toml", "--out", "whole", "--resume"]);
    spikedeck(at, &["run", "s.toml", "--out", "run"]);
    let first = gather();
    assert!(!said(&first).contains("changed by somebody"), "{}", said(&first));
    let again = gather();
    assert!(!said(&again).contains("changed by somebody"), "what it wrote itself is its own: {}", said(&again));
    let complete = |run: &str| {
        let file = at.join(run).join("ro-crate-metadata.json");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replacen("\"@graph\"", "\"license\": \"CC-BY-4.0\", \"@graph\"", 1)).unwrap();
        file
    };
    let crates = ["run", "whole"].map(complete);
    for _ in 0..2 {
        let resumed = gather();
        assert!(said(&resumed).contains("ro-crate-metadata.json was changed by somebody"), "{}", said(&resumed));
    }
    let replaced = spikedeck(at, &["run", "s.toml", "--out", "run", "--force"]);
    assert_eq!(replaced.status.code(), Some(1), "{}", said(&replaced));
    assert!(said(&replaced).contains("is not written over"), "{}", said(&replaced));
    for file in crates {
        assert!(fs::read_to_string(&file).unwrap().contains("CC-BY-4.0"), "{}", file.display());
    }
    assert!(at.join("run-new/manifest.json").is_file(), "the new run is beside it");
}

/// A sweep that is killed keeps the points that were done; what is there can be looked at, also a line that was cut
/// short; `--resume` makes what is missing, and the bytes are those of a sweep that nobody disturbed.
#[test]
fn a_killed_sweep_goes_on() {
    let folder = folder(&SCENARIO.replace("\"200 ms\"", "\"20 s\""));
    let at = folder.path();
    let mut child = command(at, &["sweep", "s.toml", "--out", "killed"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ledger = at.join("killed/points/1-of-1.jsonl");
    let points = || fs::read(&ledger).map_or(0, |text| text.split(|b| *b == b'\n').count() - 1);
    let began = Instant::now();
    while points() < 2 && began.elapsed() < Duration::from_mins(2) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = points();
    assert!((2..15).contains(&kept), "{kept}");
    let looked = Command::new(env!("CARGO_BIN_EXE_spikedeck")).current_dir(at).args(["--describe", "killed"]).output();
    let looked = looked.unwrap();
    assert_eq!(looked.status.code(), Some(130), "{}", said(&looked));
    assert!(said(&looked).contains(&format!("{kept} of 15 points")), "{}", said(&looked));
    // As if it had been killed within a line.
    fs::write(&ledger, [fs::read(&ledger).unwrap(), b"{\"point\":7,\"lab".to_vec()].concat()).unwrap();
    let refused = spikedeck(at, &["sweep", "s.toml", "--out", "killed"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("--resume"), "{}", said(&refused));
    let resumed = spikedeck(at, &["sweep", "s.toml", "--out", "killed", "--resume"]);
    assert!(said(&resumed).contains(&format!("{} points made", 15 - kept)), "{}", said(&resumed));
    spikedeck(at, &["sweep", "s.toml", "--out", "whole"]);
    assert_same_tables(&at.join("whole"), &at.join("killed"));
    // Nothing is left to do, and nothing is done.
    let again = spikedeck(at, &["sweep", "s.toml", "--out", "killed", "--resume"]);
    assert!(said(&again).contains("0 points made"), "{}", said(&again));
}

/// A line of a ledger that was changed is told and its point made again.
#[test]
fn a_damaged_ledger_is_told_and_mended() {
    let folder = folder(SCENARIO);
    let at = folder.path();
    spikedeck(at, &["sweep", "s.toml", "--out", "whole"]);
    let ledger = at.join("whole/points/1-of-1.jsonl");
    let before = fs::read(at.join("whole/metrics.parquet")).unwrap();
    let text = fs::read_to_string(&ledger).unwrap().replacen("\"point\":3,", "\"point\":x,", 1);
    fs::write(&ledger, text.replacen("\"point\":4,", "\"point\":4000,", 1)).unwrap();
    let mended = spikedeck(at, &["sweep", "s.toml", "--out", "whole", "--resume"]);
    assert!(said(&mended).contains("line 4 of") && said(&mended).contains("2 points made"), "{}", said(&mended));
    assert!(before == fs::read(at.join("whole/metrics.parquet")).unwrap());
}

/// Points that cannot be made fail alone: the others are there, it is said which failed and why, and the status is 3.
#[test]
fn points_that_fail_stand_beside_those_that_do_not() {
    let text = SCENARIO
        .replace("seeds = 3", "seeds = 1")
        .replace("[sweep.axes]", "[sweep.axes]\n\"populations.p.parameters.tau_m\" = [\"10 ms\", \"0 ms\"]");
    let folder = folder(&text);
    let at = folder.path();
    let made = spikedeck(at, &["sweep", "s.toml", "--out", "some"]);
    assert_eq!(made.status.code(), Some(3), "{}", said(&made));
    assert!(said(&made).contains("10 of 10 points are there, 5 of which failed"), "{}", said(&made));
    let table = spikedeck::store::read(&at.join("some/metrics.parquet"), None).unwrap();
    assert!(table.rows() > 0);
    let rows = table.numbers("populations.p.parameters.tau_m_ms").unwrap();
    assert!(rows.iter().all(|tau| *tau == 10.0), "what failed has no rows");
}

/// A folder of another sweep, of something else, a shard that is not there, points to keep that are not there.
#[test]
fn what_is_no_place_for_a_sweep_is_refused() {
    let folder = folder(SCENARIO);
    let at = folder.path();
    spikedeck(at, &["sweep", "s.toml", "--out", "one", "--shard", "1/2"]);
    for (args, word) in [
        (&["sweep", "s.toml", "--out", "one", "--seed", "9", "--resume"][..], "its scenario is another"),
        (
            &["sweep", "s.toml", "--out", "one", "--set", "sweep.seeds=4", "--resume"],
            "its axes, seeds or trials are others",
        ),
        (&["sweep", "s.toml", "--out", ".", "--resume"], "is not empty"),
        (&["sweep", "s.toml", "--out", "s.toml"], "is a file"),
        (&["sweep", "s.toml", "--out", "two", "--shard", "3/2"], "no shard 3 of 2"),
        (&["sweep", "s.toml", "--out", "two", "--keep", "15"], "no point 15"),
        (&["sweep", "lif-fi:fine", "--out", "two"], "no sweep"),
    ] {
        let refused = spikedeck(at, args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {}", said(&refused));
        assert!(said(&refused).contains(word), "{args:?}: {}", said(&refused));
    }
    assert!(!at.join("two").exists());
}

/// What is asked to be kept of single points is a run each.
#[test]
fn recordings_of_chosen_points_are_runs() {
    let folder = folder(SCENARIO);
    let at = folder.path();
    spikedeck(at, &["sweep", "s.toml", "--out", "kept", "--keep", "1,14"]);
    let mut runs: Vec<_> = fs::read_dir(at.join("kept/runs")).unwrap().map(|e| e.unwrap().file_name()).collect();
    runs.sort();
    assert_eq!(runs, ["000001", "000014"]);
    let spikes = spikedeck::store::describe(&at.join("kept/runs/000014/spikes.parquet")).unwrap();
    assert!(spikes.rows > 0);
    assert_eq!(spikedeck(at, &["analyze", "kept/runs/000014"]).status.code(), Some(0));
    // It is repeated as what it is, and not as the sweep that it is of.
    let again = spikedeck(at, &["run", "kept/runs/000014", "--out", "again"]);
    let spikes = |run: &str| fs::read(at.join(run).join("spikes.parquet")).unwrap();
    assert!(spikes("again") == spikes("kept/runs/000014"), "{}", said(&again));
    assert!(!at.join("again/across.parquet").exists());
}

/// The file that a plan writes makes all points when its shards are started: here by the shell, one after the other.
#[test]
fn a_plan_starts_every_shard() {
    let folder = folder(SCENARIO);
    let at = folder.path();
    for (engine, file) in
        [("slurm", "planned.slurm"), ("hyperqueue", "planned.hq.sh"), ("parallel", "planned.parallel.sh")]
    {
        let planned = spikedeck(at, &["sweep", "s.toml", "--out", "planned", "--plan", engine, "--shards", "4"]);
        assert_eq!(planned.status.code(), Some(0), "{}", said(&planned));
        assert!(at.join(file).exists());
    }
    // As Slurm does: the file once for each index of the array.
    for k in 1..=4 {
        let status = Command::new("sh")
            .arg(at.join("planned.slurm"))
            .env("SLURM_ARRAY_TASK_ID", k.to_string())
            .current_dir("/")
            .output()
            .unwrap();
        assert!(matches!(status.status.code(), Some(0 | 1)), "{}", said(&status));
    }
    spikedeck(at, &["sweep", "s.toml", "--out", "whole"]);
    assert_same_tables(&at.join("whole"), &at.join("planned"));
    let again = spikedeck(at, &["sweep", "s.toml", "--out", "planned", "--plan", "slurm"]);
    assert_eq!(again.status.code(), Some(2), "a plan is not written over: {}", said(&again));
}

/// Points are of one sweep: trials that are others, and a file of an axis that has changed, are not mixed in.
#[test]
fn points_of_another_sweep_are_not_mixed_in() {
    let trials = SCENARIO.split("[sweep]").next().unwrap().to_owned()
        + "[trials.axes]\n\"stimuli.s.amplitude\" = [\"300 pA\", \"500 pA\"]\n";
    let folder = folder(&trials);
    let at = folder.path();
    spikedeck(at, &["sweep", "s.toml", "--out", "trials", "--shard", "1/2"]);
    fs::write(at.join("s.toml"), trials.replace("500 pA", "900 pA")).unwrap();
    let refused = spikedeck(at, &["sweep", "s.toml", "--out", "trials", "--resume"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("axes, seeds or trials"), "{}", said(&refused));

    let files = SCENARIO
        .split("[sweep]")
        .next()
        .unwrap()
        .replace("kind = \"constant\"", "kind = \"file\"")
        .replace("amplitude = \"400 pA\"", "file = \"a.csv\"\nunit = \"pA\"")
        + "[sweep.axes]\n\"stimuli.s.file\" = [\"a.csv\", \"b.csv\"]\n";
    fs::write(at.join("f.toml"), files).unwrap();
    let current = |pa: u32| (0..=2).map(|k| format!("{},{pa}\n", k * 100)).collect::<String>();
    fs::write(at.join("a.csv"), format!("time_ms,value\n{}", current(500))).unwrap();
    fs::write(at.join("b.csv"), format!("time_ms,value\n{}", current(700))).unwrap();
    let made = spikedeck(at, &["sweep", "f.toml", "--out", "files"]);
    assert!(at.join("files/metrics.parquet").exists(), "{}", said(&made));
    let copies = || fs::read_dir(at.join("files/files")).unwrap().count();
    assert_eq!(copies(), 2, "the files of the axis are kept");
    spikedeck(at, &["sweep", "f.toml", "--out", "files", "--resume"]);
    assert_eq!(copies(), 2, "and not once more");
    fs::write(at.join("b.csv"), format!("time_ms,value\n{}", current(900))).unwrap();
    let refused = spikedeck(at, &["sweep", "f.toml", "--out", "files", "--resume"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("b.csv has changed"), "{}", said(&refused));
}

/// What was kept of a point when the process was killed is no obstacle, and a folder whose manifest is missing is
/// described again.
#[test]
fn what_a_kill_left_is_no_obstacle() {
    let folder = folder(SCENARIO);
    let at = folder.path();
    spikedeck(at, &["sweep", "s.toml", "--out", "a", "--shard", "1/15", "--keep", "0"]);
    let (run, ledger) = (at.join("a/runs/000000"), at.join("a/points/1-of-15.jsonl"));
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    // As if it had been killed between the beginning of the kept run and the line of its point.
    fs::write(run.join("manifest.json"), manifest.replace("\"complete\"", "\"interrupted\"")).unwrap();
    fs::write(&ledger, "").unwrap();
    fs::remove_file(at.join("a/manifest.json")).unwrap();
    let made = spikedeck(at, &["sweep", "s.toml", "--out", "a", "--shard", "1/15", "--keep", "0", "--resume"]);
    assert!(said(&made).contains("1 point made"), "{}", said(&made));
    assert!(fs::read_to_string(run.join("manifest.json")).unwrap().contains("\"complete\""));
    assert!(at.join("a/manifest.json").exists());
}

/// A plan hands on what it was asked for, and a name with blanks and signs of the shell stays a name.
#[test]
fn a_plan_hands_on_its_options() {
    let folder = folder(SCENARIO);
    let at = folder.path();
    fs::rename(at.join("s.toml"), at.join("my sweep; touch x.toml")).unwrap();
    let scenario = "my sweep; touch x.toml";
    let asked = ["--format", "csv", "--keep", "1,3", "--plan", "hyperqueue"];
    let planned = spikedeck(at, &[&["sweep", scenario, "--out", "planned/"][..], &asked].concat());
    assert_eq!(planned.status.code(), Some(0), "{}", said(&planned));
    let text = fs::read_to_string(at.join("planned.hq.sh")).unwrap();
    assert!(text.contains("--format csv") && text.contains("--keep 1,3") && text.contains("--cpus 1"), "{text}");
    assert!(text.contains("--name spikedeck-my-sweep--touch-x "), "{text}");
    let refused = spikedeck(at, &["sweep", "-", "--out", "x", "--plan", "slurm"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
}
