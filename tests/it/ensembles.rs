//! What many points say together: whichever of them failed, however many there are, and whatever their axes are.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use spikedeck::signal::Shape;
use spikedeck::table;

fn run(folder: &Path, text: &str, args: &[&str]) -> Output {
    fs::write(folder.join("s.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
    command.current_dir(folder).env("NO_COLOR", "1").env("COLUMNS", "400").args(args);
    command.args(["--threads", "1"]).output().unwrap()
}

fn objects(out: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&out.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// `x` is `x0/(1 - x0 t/tau)`: beyond all numbers at `tau/x0`, which is inside the run for `x0 = 1` alone.
fn grow(axis: &str, expect: &str) -> String {
    format!(
        r#"
        [simulation]
        duration = "50 ms"
        dt = "0.1 ms"
        [models.grow]
        equations = "dx/dt = x*x/tau : 1"
        parameters = {{ tau = "10 ms" }}
        [populations.p]
        model = "grow"
        initial = {{ x = 0.02 }}
        [record.p]
        traces = [{{ variables = ["x"] }}]
        [analyses.l]
        kind = "levels"
        of = "p.x"
        [sweep.axes]
        "populations.p.initial.x" = {axis}
        [expect.mean]
        metric = "{expect}"
        max = 0.015
        "#
    )
}

/// The point that fails is nowhere among the numbers, wherever it stands, and every other point is checked.
#[test]
fn a_point_that_fails_takes_nothing_from_the_others() {
    for (axis, failed) in [("[1.0, 0.01, 0.02]", 0), ("[0.01, 1.0, 0.02]", 1), ("[0.01, 0.02, 1.0]", 2)] {
        let folder = tempfile::tempdir().unwrap();
        let out = run(folder.path(), &grow(axis, "l.p.x.mean"), &["run", "s.toml", "--out", "o"]);
        assert_eq!(out.status.code(), Some(3), "{}", said(&out));
        let text = said(&out);
        assert!(
            text.contains("x=1.0 seed=1: x of unit 0 of p is no longer finite") && !text.contains("e173"),
            "{text}"
        );
        let back = table::open(&folder.path().join("o")).unwrap();
        let checks: Vec<(&str, bool)> = back.checks.iter().map(|c| (c.name.as_str(), c.passed)).collect();
        assert_eq!(checks, [("mean (x=0.01)", true), ("mean (x=0.02)", false)], "{failed}");
        let shape = back.outcomes[0].shapes.iter().find(|s| s.name == "p.x mean").unwrap();
        let Shape::Series(series) = &shape.shape else { panic!("{shape:?}") };
        assert_eq!(series.curves[0].x, [0.01, 0.02, 1.0]);
        let y = &series.curves[0].y;
        assert!((y[0] - 0.0103).abs() < 1e-3 && (y[1] - 0.021).abs() < 1e-3 && y[2].is_nan(), "{y:?}");
        // What the failed point measured until then says so.
        let metrics = spikedeck::store::read(&folder.path().join("o/metrics.parquet"), None).unwrap();
        let (at, status) = (metrics.numbers("populations.p.initial.x").unwrap(), metrics.texts("status").unwrap());
        assert!(at.iter().zip(&status).all(|(x, s)| (*x == 1.0) == (s == "failed")), "{status:?}");
        let json = objects(&run(folder.path(), &grow(axis, "l.p.x.mean"), &["run", "s.toml", "--json"]));
        let is_failed = |o: &Value| o["populations.p.initial.x"] == 1.0;
        assert!(json.iter().filter(|o| o["metric"].is_string()).all(|o| is_failed(o) == (o["status"] == "failed")));
    }
}

#[test]
fn a_failure_that_is_expected_is_checked_in_a_sweep_too() {
    let folder = tempfile::tempdir().unwrap();
    let text = grow("[1.0, 2.0]", "run.failure.time").replace("max = 0.015", "max = \"11 ms\"");
    let alone = run(
        folder.path(),
        &text.replace("[sweep.axes]", "[variants.v]").replace("= [1.0, 2.0]", "= 1.0"),
        &["run", "s.toml:v", "--json"],
    );
    let one: Vec<Value> = objects(&alone).into_iter().filter(|o| o["check"].is_string()).collect();
    let swept: Vec<Value> = objects(&run(folder.path(), &text, &["run", "s.toml", "--json"]))
        .into_iter()
        .filter(|o| o["check"].is_string())
        .collect();
    assert_eq!((one.len(), swept.len()), (1, 2), "{one:?} {swept:?}");
    for (k, check) in swept.iter().enumerate() {
        assert_eq!(check["check"], format!("mean (x={}.0 seed=1)", k + 1));
        assert_eq!(check["passed"], true);
    }
    assert_eq!(one[0]["found"], swept[0]["found"]);
}

const NEURON: &str = r#"
[simulation]
duration = "300 ms"
dt = "0.1 ms"
[populations.p]
model = "lif"
[stimuli.s]
target = "p.I"
kind = "constant"
amplitude = "500 pA"
[record.p]
spikes = true
[analyses.r]
kind = "rates"
of = "p.spikes"
"#;

/// Five seeds without noise give one number five times: that is no interval of width zero.
#[test]
fn seeds_of_what_has_no_noise_have_no_interval() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), &format!("{NEURON}[sweep]\nseeds = 5\n"), &["run", "s.toml", "--out", "o"]);
    assert!(out.status.success(), "{}", said(&out));
    let metrics = &table::open(&folder.path().join("o")).unwrap().outcomes[0].metrics;
    let valued: Vec<_> = metrics.iter().filter(|m| m.value.is_some()).collect();
    assert!(!valued.is_empty());
    for metric in valued {
        assert_eq!((metric.ends(), metric.n), (None, Some(5)), "{metric:?}");
        assert!(metric.note.contains("the same in all of them") && !metric.note.contains("Student"), "{}", metric.note);
    }
}

#[test]
fn an_axis_of_names_has_a_row_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let axes = "[sweep]\nseeds = 2\n[sweep.axes]\n\"populations.p.model\" = [\"lif\", \"adex\"]\n";
    let out = run(folder.path(), &format!("{NEURON}{axes}"), &["run", "s.toml", "--out", "o"]);
    assert!(out.status.success(), "{}", said(&out));
    let back = table::open(&folder.path().join("o")).unwrap();
    let shape = back.outcomes[0].shapes.iter().find(|s| s.name == "p.spikes mean_rate").unwrap();
    let Shape::Scalars(list) = &shape.shape else { panic!("{shape:?}") };
    let rows: Vec<(&str, Option<u64>)> = list.rows.iter().map(|r| (r.name.as_str(), r.measured.n)).collect();
    assert_eq!(rows, [("lif", Some(2)), ("adex", Some(2))]);
}

/// A picture says what it rests on as a table does.
#[test]
fn plot_says_the_warnings_of_a_scenario_and_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let text = NEURON.replace("kind = \"rates\"", "kind = \"raster\"").replace("500 pA", "0 pA");
    let ran = run(folder.path(), &text, &["run", "s.toml", "--json", "--out", "o"]);
    let warnings: Vec<String> =
        objects(&ran).iter().filter_map(|o| o["warning"].as_str().map(ToOwned::to_owned)).collect();
    assert!(!warnings.is_empty(), "{}", said(&ran));
    for what in ["s.toml", "o"] {
        let out = Command::new(env!("CARGO_BIN_EXE_spikedeck"))
            .current_dir(folder.path())
            .env("NO_COLOR", "1")
            .args(["plot", what, "--analysis", "r"])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(
            warnings.iter().all(|w| told.contains(&format!("warning: {w}"))),
            "{what}: {told} without {warnings:?}"
        );
    }
}

/// Scenarios whose names differ by a sign that folders cannot have are not written over each other.
#[test]
fn two_scenarios_never_get_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), format!("{NEURON}[variants.b]\n\"simulation.seed\" = 2\n")).unwrap();
    fs::write(folder.path().join("a-b.toml"), NEURON).unwrap();
    let out = run(folder.path(), NEURON, &["run", "a.toml:b", "a-b.toml", "--out", "o", "--force"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("a-b and a:b would both be written to the folder a-b"), "{}", said(&out));
    assert!(!folder.path().join("o").exists());
}

/// Spikes of a run that was cut short, and of one that has none in its folder, are not those of a whole one.
#[test]
fn a_run_that_is_not_whole_is_no_list_of_spikes() {
    let player = "simulation = { duration = '100 ms', dt = '0.1 ms', seed = 1 }
        populations.s = { model = 'spike_source', size = 1, spikes = { kind = 'spikes', file = 'FILE' } }
        record.s.spikes = true";
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (name, expect, told) in [
        ("failed", Some("its run ended before its time (failed)"), "failed/spikes.parquet` takes these"),
        ("csv", None, "csv/spikes.csv` takes its spikes"),
        ("none", None, "has no `spikes.parquet`"),
    ] {
        // A spike at 10 ms, and a value beyond all numbers at 50 ms.
        let tau = if name == "failed" { 50 } else { 5000 };
        let spikes = "populations.s = { model = 'spike_source', spikes = { kind = 'spikes', times = ['10 ms'] } }";
        let text = format!(
            "simulation = {{ duration = '100 ms', dt = '0.1 ms' }}
            models.grow = {{ equations = 'dx/dt = x*x/tau : 1', parameters = {{ tau = '{tau} ms' }} }}
            populations.g = {{ model = 'grow', initial = {{ x = 1.0 }} }}
            {}
            record.g.traces = [{{ variables = ['x'] }}]",
            if name == "none" { "" } else { spikes }
        );
        let format = if name == "csv" { "csv" } else { "parquet" };
        let ran = run(here, &text, &["run", "s.toml", "--out", name, "--format", format]);
        assert_eq!(ran.status.success(), name != "failed", "{}", said(&ran));
        let taken = run(here, &player.replace("FILE", name), &["run", "s.toml"]);
        assert!(!taken.status.success() && said(&taken).contains(told), "{}", said(&taken));
        if let Some(expect) = expect {
            assert!(said(&taken).contains(expect), "{}", said(&taken));
            let file = here.join(name).join("spikes.parquet");
            let named = said(&run(here, "", &["analyze", &file.to_string_lossy()]));
            assert!(named.contains(expect), "{named}");
        }
    }
}

/// Whoever takes what an ensemble recorded is told that it is of the first point: of the folder in words and in JSON,
/// of its table, and of neither where the run is whole.
#[test]
fn what_was_recorded_of_the_first_point_alone_is_told() {
    let scenario = |seeds: u32, duration: &str| {
        format!(
            "simulation = {{ duration = '{duration}', dt = '0.1 ms', seed = 1 }}
            populations.p = {{ model = 'lif', size = 3 }}
            stimuli.n = {{ target = 'p.I', kind = 'ou_noise', mean = '0.4 nA', sigma = '0.2 nA', tau = '5 ms' }}
            record.p.spikes = true
            analyses.rates = {{ kind = 'rates', of = 'p.spikes' }}
            sweep.seeds = {seeds}"
        )
    };
    let player = |file: &str| {
        format!(
            "simulation = {{ duration = '100 ms', dt = '0.1 ms', seed = 1 }}
            populations.s = {{ model = 'spike_source', size = 3, spikes = {{ kind = 'spikes', file = '{file}' }} }}
            record.s.spikes = true"
        )
    };
    for (seeds, told) in [(1, false), (3, true)] {
        let folder = tempfile::tempdir().unwrap();
        let (here, text) = (folder.path(), scenario(seeds, "300 ms"));
        assert!(run(here, &text, &["run", "s.toml", "--out", "o"]).status.success());
        for source in ["o", "o/spikes.parquet"] {
            let json = objects(&run(here, &text, &["analyze", source, "--json"]));
            let warned = json.iter().filter_map(|o| o["warning"].as_str()).any(|w| w.contains("the first of 3 points"));
            assert_eq!(warned, told, "{source}: {json:?}");
            let words = said(&run(here, &text, &["analyze", source]));
            assert_eq!(words.contains("the first of 3 points"), told, "{source}: {words}");
        }
        let taken = said(&run(here, &player("o"), &["run", "s.toml"]));
        assert_eq!(taken.contains("whose spikes are not all there"), told, "{taken}");
        assert_eq!(taken.contains("o/spikes.parquet` takes these"), told, "{taken}");
        let named = run(here, &player("o/spikes.parquet"), &["run", "s.toml"]);
        assert!(named.status.success(), "{}", said(&named));
    }
}
