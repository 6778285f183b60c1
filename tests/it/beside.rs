//! Recordings beside what is simulated (`[recordings]`), and what `analyze` makes of files that are empty, damaged or
//! without what is asked for.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/reference/recordings").join(name)
}

fn spikedeck(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
    command.env("NO_COLOR", "1").current_dir(folder).stdin(Stdio::null()).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn rows(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
}

/// The value of a metric of the output as JSON lines.
fn value(output: &Output, subject: &str, metric: &str) -> f64 {
    let found = rows(output).into_iter().find(|v| v["subject"] == subject && v["metric"] == metric);
    let shown = || format!("{}{}", text(&output.stdout), text(&output.stderr));
    found.and_then(|v| v["value"].as_f64()).unwrap_or_else(|| panic!("{subject} {metric} in {}", shown()))
}

/// A model beside the data that it should explain: a table of spikes, from the 60th second of the file on.
const SCENARIO: &str = r#"
    simulation = { duration = "2 s", dt = "1 ms" }
    [populations.model]
    model = "spike_source"
    size = 2
    spikes = { kind = "spikes", times = ["500 ms", "1.5 s"] }
    [record.model]
    spikes = true
    [recordings.data]
    file = "cells.csv"
    start = "60 s"
    [recordings.field]
    file = "lfp.npy"
    rate = "1 kHz"
    first = "-1 s"
    unit = "mV"
    start = "-0.9 s"
    [analyses.rates]
    kind = "rates"
    of = ["model.spikes", "data.spikes", "data.spikes[1]"]
    [analyses.levels]
    kind = "levels"
    of = "field.value"
    [expect.same]
    metric = "rates.data.spikes.mean_rate"
    min = "1.4 Hz"
    max = "1.6 Hz"
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Three spikes of each of two cells within 60 to 62 s, and some before and after.
    let mut table = "time_s,unit\n10,0\n".to_owned();
    for k in 0..3 {
        write!(table, "{},0\n{},1\n", 60.25 + 0.5 * f64::from(k), 60.3 + 0.5 * f64::from(k)).unwrap();
    }
    table += "62.5,1\n70,1\n71,0\n72,1\n";
    std::fs::write(folder.path().join("cells.csv"), table).unwrap();
    std::fs::copy(file("lfp.npy"), folder.path().join("lfp.npy")).unwrap();
    std::fs::write(folder.path().join("s.toml"), SCENARIO).unwrap();
    folder
}

#[test]
fn recordings_stand_beside_what_is_simulated() {
    let folder = folder();
    let at = folder.path();
    let output = spikedeck(at, &["run", "s.toml", "--out", "run", "--json", "--threads", "1"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(value(&output, "data.spikes", "mean_rate"), 1.5);
    assert_eq!(value(&output, "data.spikes[1]", "mean_rate"), 1.5);
    assert_eq!(value(&output, "model.spikes", "mean_rate"), 1.0);
    assert!(value(&output, "field.value", "max") <= 1.0);
    // The field ends before the run does, and that is said.
    let told = text(&output.stdout) + &text(&output.stderr);
    assert!(told.contains("`field`: it was recorded from"), "{told}");
    // The folder opens again with all of it, and is the same run.
    let again = spikedeck(at, &["analyze", "run", "--with", "rates:of=data.spikes", "--json"]);
    assert_eq!(value(&again, "data.spikes", "mean_rate"), 1.5);
    let again = spikedeck(at, &["run", "run", "--out", "again", "--threads", "1"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    let spikes = |folder: &str| std::fs::read(at.join(folder).join("spikes.parquet")).unwrap();
    assert_eq!(spikes("run"), spikes("again"));
    let compared = spikedeck(at, &["compare", "run", "again"]);
    assert!(compared.status.success(), "{}", text(&compared.stderr));
    let plotted = spikedeck(at, &["plot", "s.toml", "--analysis", "rates", "-o", "r.svg"]);
    assert!(plotted.status.success() && at.join("r.svg").is_file(), "{}", text(&plotted.stderr));
    let page = spikedeck(at, &["--describe", "s.toml"]);
    assert!(text(&page.stdout).contains("data.spikes"), "{}{}", text(&page.stdout), text(&page.stderr));
}

/// Where the run begins in the file is a value as any other: of `--set`, and of a sweep.
#[test]
fn what_of_a_recording_is_looked_at_can_be_changed() {
    let folder = folder();
    let at = folder.path();
    let set = ["run", "s.toml", "--set", "recordings.data.start=70 s", "--set", "expect.same=false", "--json"];
    let output = spikedeck(at, &set);
    // 70 s itself is not after the start of the run; 71 s and 72 s are within it.
    assert_eq!(value(&output, "data.spikes", "mean_rate"), 0.5, "{}", text(&output.stderr));
    let sweep = SCENARIO.replace(
        "[expect.same]",
        "[sweep.axes]\n\"recordings.data.start\" = [\"60 s\", \"70 s\"]\n\
        [expect.same]",
    );
    std::fs::write(at.join("sweep.toml"), sweep).unwrap();
    let output = spikedeck(at, &["run", "sweep.toml", "--set", "expect.same=false", "--json", "--threads", "1"]);
    let found: Vec<f64> = rows(&output)
        .iter()
        .filter(|v| v["subject"] == "data.spikes" && v["metric"] == "mean_rate")
        .filter_map(|v| v["value"].as_f64())
        .collect();
    assert!(found.contains(&1.5) && found.contains(&0.5), "{found:?} {}", text(&output.stderr));
}

/// In place of a simulation: no population at all. Several regions are places of their own, and so are trials.
#[test]
fn a_scenario_of_recordings_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::copy(file("units.nwb"), at.join("units.nwb")).unwrap();
    let scenario = r#"
        simulation = { duration = "5 s", dt = "1 ms" }
        [recordings.day]
        file = "units.nwb"
        [analyses.rates]
        kind = "rates"
        of = ["day.CA1.spikes", "day.V1.spikes"]
        [analyses.around]
        kind = "event_average"
        source = "day.trials.spikes[0]"
        target = ["day.CA1.spikes", "day.lfp"]
        before = "100 ms"
        after = "500 ms"
    "#;
    std::fs::write(at.join("s.toml"), scenario).unwrap();
    let output = spikedeck(at, &["run", "s.toml", "--json", "--threads", "1"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(value(&output, "day.CA1.spikes", "mean_rate") > 0.0);
    assert!(value(&output, "day.trials.spikes[0]->day.lfp[1]", "response").is_finite());
}

#[test]
fn what_is_wrong_with_a_recording_is_said_at_its_place() {
    let folder = folder();
    let at = folder.path();
    let told = |from: &str, to: &str| {
        let changed = SCENARIO.replacen(from, to, 1);
        assert_ne!(changed, SCENARIO, "{from}");
        std::fs::write(at.join("w.toml"), changed).unwrap();
        let output = spikedeck(at, &["check", "w.toml"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        text(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (from, to, words) in [
        ("cells.csv", "nothing.csv", "there is no file"),
        ("recordings.data]", "recordings.model]", "is the name of a population"),
        ("start = \"60 s\"", "start = \"100 s\"", "nothing of this recording lies within the run"),
        ("start = \"60 s\"", "start = \"60 mV\"", "start"),
        ("data.spikes[1]", "data.spikes[7]", "there is no unit 7"),
        ("data.spikes[1]", "data.voltage", "there are: data.spikes, data.rate"),
        ("field.value", "field.val", "no `val` of `field` was recorded"),
        ("rate = \"1 kHz\"", "", "no column of times"),
        ("unit = \"mV\"", "unit = \"mVx\"", "mVx"),
        ("file = \"cells.csv\"", "fil = \"cells.csv\"", "file"),
    ] {
        let told = told(from, to);
        assert!(told.contains(words), "{to}: {told}");
    }
}

/// Empty trains, one spike, duplicates, unsorted times, constant and broken signals, files without what is asked for.
#[test]
fn bad_input_has_a_defined_result_or_an_error_that_says_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let all =
        ["rates", "isi", "correlogram", "synchrony", "raster", "autocorrelogram", "event_average", "levels", "psd"];
    let tables: &[(&str, &str)] = &[
        ("one.csv", "time_ms,unit\n5,0\n"),
        ("two.csv", "time_ms,unit\n5,0\n5,0\n"),
        ("unsorted.csv", "time_ms,unit\n50,0\n5,1\n20,0\n1,0\n5,1\n"),
        ("alike.csv", "time_ms,unit\n7,0\n7,1\n7,2\n7,3\n"),
        ("constant.csv", "time_ms,x_mV\n0,1\n1,1\n2,1\n3,1\n4,1\n5,1\n"),
        ("empty.csv", "time_ms,unit\n"),
        ("broken.csv", "time_ms,x_mV\n0,1\n1,nan\n2,3\n3,4\n"),
        ("late.csv", "time_s,unit\n1700000000.5,0\n1700000000.9,1\n1700000001.1,0\n1700000002,1\n"),
    ];
    for (name, table) in tables {
        std::fs::write(at.join(name), table).unwrap();
        for kind in all {
            let signal = table.contains("x_mV");
            let stem = name.strip_suffix(".csv").unwrap();
            let subject = if signal { format!("{stem}.x") } else { format!("{stem}.spikes") };
            let with = match kind {
                "event_average" => format!("{kind}:source={subject},target={subject},before=\"1 ms\",after=\"1 ms\""),
                _ => format!("{kind}:of={subject}"),
            };
            let output = spikedeck(at, &["analyze", name, "--with", &with, "--json"]);
            let told = text(&output.stdout) + &text(&output.stderr);
            assert!(output.status.code().is_some_and(|c| c <= 2), "{name} {kind}: {told}");
            assert!(!told.contains("panicked") && !told.contains("a mistake"), "{name} {kind}: {told}");
            // A number or a reason, and never a number that is none.
            for row in rows(&output).iter().filter(|v| v["metric"].is_string()) {
                let known = row["value"].as_f64().is_some_and(f64::is_finite);
                let why = row["note"].as_str().is_some_and(|n| !n.is_empty());
                assert!(known || why, "{name} {kind}: {row}");
            }
        }
    }
    let late = spikedeck(at, &["analyze", "late.csv", "--with", "rates", "--with", "isi", "--json"]);
    assert!((value(&late, "late.spikes", "mean_isi") - 850.0).abs() < 1e-3, "{}", text(&late.stdout));
}

/// Files that are cut short, of other kinds, or without units.
#[test]
fn damaged_recordings_are_refused_with_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let whole = std::fs::read(file("units.nwb")).unwrap();
    for cut in [0, 8, 100, 3000, whole.len() / 2, whole.len() - 1] {
        std::fs::write(at.join("cut.nwb"), &whole[..cut]).unwrap();
        let output = spikedeck(at, &["analyze", "cut.nwb"]);
        let told = text(&output.stderr);
        assert!(output.status.success() || told.contains("cut.nwb"), "{cut}: {told}");
        assert!(!told.contains("panicked"), "{cut}: {told}");
    }
    let absent = spikedeck(at, &["analyze", file("units.nwb").to_str().unwrap(), "--with", "rates:of=CA3.spikes"]);
    assert_eq!(absent.status.code(), Some(2));
    assert!(text(&absent.stderr).contains("CA1.spikes"), "{}", text(&absent.stderr));
    let beyond = spikedeck(at, &["analyze", file("units.nwb").to_str().unwrap(), "--with", "rates:of=CA1.spikes[9]"]);
    assert!(text(&beyond.stderr).contains("there is no unit 9"), "{}", text(&beyond.stderr));
}
