//! What a run says beside its numbers reaches everybody who reads it: people, `-q`, JSON, the exit status, tables.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use spikedeck::core::vector;
use spikedeck::store;

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
    command.env("NO_COLOR", "1").env("COLUMNS", "400").env_remove(vector::VARIABLE).args(args).output().unwrap()
}

fn objects(out: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&out.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn written(folder: &Path, text: &str) -> String {
    let path = folder.join("scenario.toml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A sine wave: its spectrum by segments that are longer than the recording is warned of.
const LONG_SEGMENT: &str = r#"
[simulation]
duration = "10 s"
dt = "5 ms"
[models.wave]
equations = """
dz/dt = -z/tau : 1
x = sin(6.283185307179586*t*[50 Hz]) : 1
"""
parameters = { tau = "1 s" }
[populations.s]
model = "wave"
[record.s]
traces = [{ variables = ["x"], interval = "5 ms" }]
[analyses.long]
kind = "psd"
of = "s.x"
segment = "1000 s"
"#;

/// Neurons that fire for some drives only; every seed and drive is a point.
const SWEPT: &str = r#"
[simulation]
duration = "200 ms"
dt = "0.1 ms"
seed = 1
[populations.p]
model = "lif"
size = 2
[stimuli.drive]
target = "p.I"
kind = "constant"
amplitude = "300 pA"
[record.p]
spikes = true
[sweep.axes]
"stimuli.drive.amplitude" = { from = "300 pA", to = "600 pA", steps = 7 }
[analyses.isi]
kind = "isi"
of = "p.spikes"
"#;

/// An analysis that cannot say anything, of a population that could.
const NO_RESULT: &str = r#"
[simulation]
duration = "50 ms"
dt = "0.1 ms"
[populations.p]
model = "rate_unit"
[record.p]
traces = [{ variables = ["h"] }]
[analyses.curve]
kind = "fi_curve"
of = "p"
from = "0"
to = "1"
"#;

#[test]
fn every_warning_of_the_text_is_in_the_json_and_under_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), LONG_SEGMENT);
    let needle = "is longer than";
    for args in [&["run", &path][..], &["run", &path, "-q"]] {
        let out = run(args);
        assert!(String::from_utf8_lossy(&out.stdout).contains(needle), "{args:?}");
    }
    let objects = objects(&run(&["run", &path, "--json"]));
    let warned = |o: &Value| o["warning"].as_str().is_some_and(|w| w.contains(needle));
    assert_eq!(objects.iter().filter(|o| warned(o)).count(), 1, "{objects:?}");
    assert_eq!(objects.last().unwrap()["status"], "complete");
    assert!(objects.iter().filter(|o| o.get("metric").is_some_and(Value::is_string)).count() > 3);
}

/// What reading a scenario warns of is told once, wherever it is told.
#[test]
fn what_reading_warned_of_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = "simulation = { duration = '20 ms', dt = '0.1 ms' }
populations.p = { model = 'lif', receptors.in = { kind \
                = 'delta' } }
stimuli.s = { target = 'p.in', kind = 'spikes', weight = '1 mV', times = ['5.04 ms'] }
";
    let path = written(folder.path(), text);
    for args in [&["run", &path][..], &["run", &path, "--json"], &["check", &path]] {
        let out = run(args);
        assert_eq!(out.status.code(), Some(0), "{out:?}");
        let told = [&out.stdout, &out.stderr].map(|b| String::from_utf8_lossy(b).matches("not on the grid").count());
        // JSON is for programs, and people look at the other stream.
        assert!(told.contains(&1) && told.iter().all(|n| *n <= 1), "{args:?}: {out:?}");
    }
}

#[test]
fn an_analysis_without_result_is_told_everywhere_and_by_the_status() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), NO_RESULT);
    let (plain, quiet, json) = (run(&["run", &path]), run(&["run", &path, "-q"]), run(&["run", &path, "--json"]));
    for out in [&plain, &quiet, &json] {
        assert_eq!(out.status.code(), Some(1), "{out:?}");
    }
    let why = "has no threshold";
    assert!(String::from_utf8_lossy(&plain.stdout).contains(why));
    let told = String::from_utf8_lossy(&quiet.stderr).into_owned();
    assert!(told.contains("analysis `curve` has no result") && told.contains(why), "{told}");
    let objects = objects(&json);
    let failed: Vec<_> = objects.iter().filter(|o| o["analysis"] == "curve").collect();
    assert!(failed.len() == 1 && failed[0]["failure"].as_str().unwrap().contains(why), "{objects:?}");
    assert!(objects.iter().all(|o| o.get("warning").is_none()), "the reason is told once: {objects:?}");
}

#[test]
fn points_of_an_axis_are_the_numbers_that_were_written_and_every_point_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), SWEPT);
    let out = folder.path().join("out");
    let ran = run(&["run", &path, "--out", out.to_str().unwrap(), "--threads", "1"]);
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(said.contains("metrics of all 7 points, recordings of the first (amplitude=300 pA seed=1)"), "{said}");
    let table = store::read(&out.join("metrics.parquet"), None).unwrap();
    let mut points = table.numbers("stimuli.drive.amplitude_pA").unwrap();
    points.dedup();
    assert_eq!(points, [300.0, 350.0, 400.0, 450.0, 500.0, 550.0, 600.0]);
    // The first point is silent and has no interval: what the others have is there all the same.
    let objects = objects(&run(&["run", &path, "--json", "--threads", "1"]));
    let means: Vec<_> = objects.iter().filter(|o| o["metric"] == "mean_isi").collect();
    assert!(means.iter().any(|o| o["value"].is_number()), "{objects:?}");
    let shapes = store::read(&out.join("across.parquet"), None);
    assert!(shapes.is_ok() && fs::read_dir(out.join("analyses")).unwrap().count() > 1);
}

/// As other tools write equations: units as names, told once, with what is written here.
#[test]
fn units_that_stand_as_names_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let model = "[simulation]\nduration = \"10 ms\"\ndt = \"0.01 ms\"\n[models.gate]\nequations = \"\"\"\n\
                 dV_m/dt = (13*mV - V_m)/(5*ms) : V\ndm/dt = 0.32/mV*(13*mV - V_m)/ms*(1 - m) : 1\n\"\"\"\n\
                 [populations.p]\nmodel = \"gate\"\n";
    let path = written(folder.path(), model);
    let said = String::from_utf8_lossy(&run(&["check", &path]).stderr).into_owned();
    assert_eq!(said.matches("is a unit, and units are no names").count(), 1, "{said}");
    assert!(said.contains("[13 mV]") && said.contains("`[1 ms]`") && !said.contains("did you mean"), "{said}");
}

/// Words of other tools whose meaning is clear: names of units, a bare refractory time, a step that is a ratio.
#[test]
fn other_tools_words_mean_what_they_mean_there() {
    let folder = tempfile::tempdir().unwrap();
    let model = |dt: &str, tau: &str, refractory: &str| {
        format!(
            "[simulation]
duration = \"100 ms\"
dt = \"{dt}\"
[models.cell]
equations = \"dv/dt = ([20 mV] - v)/tau : V\"
threshold = \"v > [10 mV]\"
reset = \"v = [0 mV]\"
refractory = {refractory}
parameters = {{ tau = \"{tau}\", t_ref = \"2 ms\" }}
[populations.p]
model = \"cell\"
[record.p]
spikes = true
[analyses.rates]
kind = \"rates\"
of = \"p.spikes\"
"
        )
    };
    let spikes = |text: &str| {
        let path = written(folder.path(), text);
        let out = run(&["run", &path, "--json"]);
        let objects = objects(&out);
        let mean = objects.iter().find(|o| o["metric"] == "mean_rate").unwrap_or_else(|| panic!("{out:?}"));
        mean["value"].as_f64().unwrap()
    };
    let held = spikes(&model("0.1 ms", "10 ms", "{ time = \"t_ref\", hold = [\"v\"] }"));
    for (tau, refractory) in [("10 msecond", "\"2 ms\""), ("0.01 second", "\"t_ref\""), ("10 ms", "\"[2 ms]\"")] {
        assert_eq!(spikes(&model("0.1 ms", tau, refractory)), held, "{tau} {refractory}");
    }
    assert!(spikes(&model("1/30000 s", "10 ms", "\"2 ms\"")) > 0.9 * held);
    let two = model("0.1 ms", "10 ms", "\"2 ms\"").replace("v > [10 mV]", "t > [1 ms]");
    let said = String::from_utf8_lossy(&run(&["check", &written(folder.path(), &two)]).stderr).into_owned();
    assert!(said.contains("holds the state of the threshold") && said.contains("hold ="), "{said}");
}
