//! Spikes that populations play from files and from finished runs, and rates from files, by the binary as people run
//! it.

use std::path::Path;
use std::process::{Command, Output};

/// Times and units of the spikes of a population in a run's folder.
type Train = Vec<(f64, f64)>;

fn spikedeck(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spikedeck")).args(args).args(["--threads", "1"]).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs `scenario` into `folder/out` and reads what `population` fired there; with what was said.
fn ran(folder: &Path, name: &str, scenario: &str, population: &str) -> (Train, String) {
    let (path, out) = (folder.join(format!("{name}.toml")), folder.join(name));
    std::fs::write(&path, scenario).unwrap();
    let run = spikedeck(&["run", text(&path), "--out", text(&out)]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(0), "{said}");
    (spikes(&out, population), said)
}

fn spikes(run: &Path, population: &str) -> Train {
    let table = spikedeck::store::read(&run.join("spikes.parquet"), None).unwrap();
    let (times, units) = (table.numbers("time_ms").unwrap(), table.numbers("unit").unwrap());
    let names = table.texts("population").unwrap();
    (0..times.len()).filter(|&k| names[k] == population).map(|k| (times[k], units[k])).collect()
}

fn source(spikes: &str) -> String {
    format!(
        "[simulation]\nduration = \"200 ms\"\ndt = \"0.1 ms\"\nseed = 9\n[populations.in]\n\
         model = \"spike_source\"\n{spikes}\n\
         [record.in]\nspikes = true\n"
    )
}

/// A file says how many units there are, and names populations; what a run fired is played again spike by spike, from
/// its folder too, and that run repeats from its own folder when the other is gone.
#[test]
fn files_and_runs_are_played_again() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(
        here.join("recorded.csv"),
        "time_ms,unit,population\n12.5,0,a\n3.0,4,a\n3.0,4,a\n50.02,2,a\n7,1,b\n900,1,a\n",
    )
    .unwrap();
    let file = "spikes = { kind = \"spikes\", file = \"recorded.csv\", population = \"a\" }";
    let (first, said) = ran(here, "first", &source(file), "in");
    assert_eq!(first, [(3.0, 4.0), (3.0, 4.0), (12.5, 0.0), (50.0, 2.0)]);
    for part in
        ["of 5 spikes of this file 4 are played", "1 is after the end of the run", "is never played", "at most 0.02 ms"]
    {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let units = spikedeck::store::read(&here.join("first/units.parquet"), None).unwrap();
    assert_eq!(units.numbers("unit").unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0]);
    let manifest = std::fs::read_to_string(here.join("first/manifest.json")).unwrap();
    assert!(manifest.contains("nothing to integrate") && manifest.contains("spike_source"), "{manifest}");

    let neurons = "[simulation]\nduration = \"200 ms\"\ndt = \"0.1 ms\"\nseed = 9\n[populations.cells]\n\
                   model = \"lif\"\nsize = 30\n\
                   receptors.e = { kind = \"exp_current\", tau = \"3 ms\" }\n[stimuli.s]\n\
                   target = \"cells.e\"\nkind = \"poisson\"\n\
                   rate = \"900 Hz\"\nweight = \"170 pA\"\n[record.cells]\nspikes = true\n";
    let (fired, _) = ran(here, "neurons", neurons, "cells");
    assert!(fired.len() > 30, "{}", fired.len());
    let replay = source("size = 30\nspikes = { kind = \"spikes\", file = \"neurons\", population = \"cells\" }");
    let (again, said) = ran(here, "replay", &replay, "in");
    assert_eq!(again, fired, "{said}");
    std::fs::rename(here.join("neurons"), here.join("gone")).unwrap();
    let repeated = here.join("repeated");
    let run = spikedeck(&["run", text(&here.join("replay")), "--out", text(&repeated)]);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(spikes(&repeated, "in"), fired);
}

/// Spikes up to a time in milliseconds.
type Integral<'a> = &'a dyn Fn(f64) -> f64;

/// The number of spikes up to a time is the integral of a rate that a file samples: held, linear, with a column each.
#[test]
fn a_rate_from_a_file_is_counted_as_its_integral() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // 20 Hz, then 220 Hz from 60 ms on; and a ramp from 0 to 400 Hz.
    let rows: String = (0..=20).map(|k| format!("{},{},{}\n", 10 * k, if k < 6 { 20 } else { 220 }, 20 * k)).collect();
    std::fs::write(here.join("rate.csv"), format!("time_ms,step,ramp\n{rows}")).unwrap();
    let held = |t: f64| if t < 60.0 { 0.02 * t } else { 1.2 + 0.22 * (t - 60.0) };
    let line = |t: f64| 0.002 * t * t / 2.0;
    let cases: [(&str, &str, &str, Integral<'_>); 4] = [
        ("poisson", "columns = [\"step\"], interpolation = \"hold\"", "", &held),
        ("poisson", "columns = [\"ramp\"], interpolation = \"linear\"", "", &line),
        ("renewal", "columns = [\"step\"], interpolation = \"hold\"", ", cv = 0.5", &held),
        ("renewal", "columns = [\"ramp\"], interpolation = \"linear\", gain = 0.5", ", cv = 1.4", &|t| 0.5 * line(t)),
    ];
    for (k, (kind, keys, more, integral)) in cases.into_iter().enumerate() {
        let spikes = format!(
            "size = 2000\n\
             spikes = {{ kind = \"{kind}\", rate = {{ file = \"rate.csv\", unit = \"Hz\", {keys} }}{more} }}"
        );
        let (train, _) = ran(here, &format!("rate{k}"), &source(&spikes), "in");
        for until in [30.0, 60.0, 90.0, 200.0] {
            let mut counts = vec![0.0; 2000];
            train.iter().filter(|s| s.0 <= until + 1e-6).for_each(|s| counts[s.1 as usize] += 1.0);
            let mean = counts.iter().sum::<f64>() / 2000.0;
            let variance = counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / 2000.0;
            let (expected, error) = (integral(until), (variance / 2000.0).sqrt());
            assert!((mean - expected).abs() < 4.5 * error, "{kind} {keys} until {until}: {mean}, expected {expected}");
        }
    }
    // A file without its unit, one that ends before the run, and rates below zero are told.
    for (keys, why) in [
        ("columns = [\"step\"]", "needs `unit`"),
        ("columns = [\"step\"], unit = \"mV\"", "is the unit of"),
        ("columns = [\"step\"], unit = \"Hz\", wight = 1", "unknown key `wight`"),
    ] {
        let spikes = format!("spikes = {{ kind = \"poisson\", rate = {{ file = \"rate.csv\", {keys} }} }}");
        let path = here.join("wrong.toml");
        std::fs::write(&path, source(&spikes)).unwrap();
        let checked = Command::new(env!("CARGO_BIN_EXE_spikedeck")).args(["check", text(&path)]).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stderr).into_owned() + &String::from_utf8_lossy(&checked.stdout);
        assert_eq!(checked.status.code(), Some(2), "{said}");
        assert!(said.contains(why), "{why} is not in\n{said}");
    }
}

/// Every face knows a population without states: check, run without records, JSON, estimators that need equations, the
/// dashboard's page as text, explain, list.
#[test]
fn every_face_knows_a_population_that_plays_spikes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("source.toml");
    let scenario = "[simulation]\nduration = \"500 ms\"\ndt = \"0.1 ms\"\n[populations.in]\n\
                    model = \"spike_source\"\nsize = 40\n\
                    spikes = { kind = \"poisson\", rate = \"30 Hz\" }\n";
    std::fs::write(&path, scenario).unwrap();
    let run = |args: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_spikedeck")).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        (ran.status.code(), said)
    };
    for args in [
        vec!["check", text(&path)],
        vec!["run", text(&path), "--threads", "1"],
        vec!["run", text(&path), "--json"],
        vec!["run", text(&path), "--set", "populations.in.spikes.rate=\"60 Hz\"", "--set", "sweep.seeds=2"],
        vec!["run", text(&path), "--check", "halve_dt"],
        vec!["--describe", text(&path)],
        vec!["explain", "spike_source"],
        vec!["explain", "renewal"],
        vec!["explain", "correlated"],
        vec!["show", "model/spike_source"],
    ] {
        let (status, said) = run(&args);
        assert_eq!(status, Some(0), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{args:?}: {said}");
    }
    assert!(run(&["explain", "spike_source"]).1.contains("no equations"));
    assert!(run(&["list", "models"]).1.contains("spike_source"));
    assert!(run(&["--describe", text(&path)]).1.contains("in"), "the raster is described");
    // What needs equations says that there are none.
    for kind in ["lyapunov", "phase_plane", "fi_curve"] {
        std::fs::write(&path, format!("{scenario}[analyses.a]\nkind = \"{kind}\"\nof = \"in\"\n")).unwrap();
        let (status, said) = run(&["run", text(&path), "--threads", "1"]);
        assert!(matches!(status, Some(1 | 2)), "{kind}: {status:?} {said}");
        assert!(!said.contains("panicked"), "{kind}: {said}");
    }
}
