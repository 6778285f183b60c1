//! The identity of a run: of all that is shipped, and of a run that is repeated from its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sha2::{Digest as _, Sha256};
use spikedeck::run;
use spikedeck::scenario::{built_in, identity};

fn spikedeck(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
    command.env("NO_COLOR", "1").env_remove("SPIKEDECK_THEME").stdin(Stdio::null());
    command.args(args).output().unwrap()
}

/// What was said on standard error, on one line.
fn said(out: &Output) -> String {
    let text = String::from_utf8(out.stderr.clone()).unwrap();
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// Of every scenario and variant that is shipped: JSON that is read back the same, whose hash is the scenario's, and
/// which a change of one value changes.
#[test]
fn all_shipped_scenarios_have_an_identity() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for scenario in built_in() {
        let variants = scenario.variants.iter().map(|v| format!("{}:{v}", scenario.name));
        for name in std::iter::once(scenario.name.clone()).chain(variants) {
            let (spec, _) = run::load(&name, &[]).unwrap_or_else(|e| panic!("{name}: {}", e.render(false)));
            let json: serde_json::Value = serde_json::from_str(&spec.canonical).unwrap();
            assert_eq!(json.to_string(), *spec.canonical, "{name}");
            assert_eq!(json["schema"], identity::SCHEMA);
            assert_eq!(format!("{:x}", Sha256::digest(spec.canonical.as_bytes())), spec.hash, "{name}");
            assert!(!spec.canonical.contains("NaN"), "{name}: {}", spec.canonical);
            for (key, text) in [("populations", spec.populations.len()), ("analyses", spec.analyses.len())] {
                assert_eq!(json[key].as_array().unwrap().len(), text, "{name}: {key}");
            }
            let seed = (spec.simulation.seed + 1).to_string();
            let (other, _) = run::load(&name, &[("simulation.seed".into(), seed)]).unwrap();
            assert_ne!(other.hash, spec.hash, "{name}");
            if let Some(same) = seen.insert(spec.hash.clone(), name.clone()) {
                // A variant that only states other expectations, or another sweep, is the same run.
                assert_eq!(same.split(':').next(), name.split(':').next(), "{same} and {name} are one");
            }
        }
    }
}

/// A scenario with a file of edges, one of spikes, a model beside it, a variant and a sweep's worth of settings.
const SCENARIO: &str = r#"
title = "Repeated"
[simulation]
duration = "300 ms"
dt = "0.1 ms"
seed = 5
[populations.cells]
model = "mine"
size = 4
receptors.syn = { kind = "exp_current", tau = "5 ms" }
[projections.listed]
from = "cells"
to = "cells.syn"
connect = { edges = "wiring/edges.csv" }
[stimuli.drive]
target = "cells.I"
kind = "ou_noise"
mean = "0.6 nA"
sigma = "0.1 nA"
tau = "5 ms"
[stimuli.kick]
target = "cells.syn"
kind = "spikes"
file = "spikes.csv"
weight = "100 pA"
[record.cells]
spikes = true
connections = true
traces = [{ name = "v", variables = ["V_m"], interval = "1 ms" }]
[analyses.rates]
kind = "rates"
of = "cells.spikes"
[variants.strong]
"stimuli.drive.mean" = "0.7 nA"
"#;

const MODEL: &str = r#"
title = "A neuron of one's own"
equations = "dV_m/dt = (E_L - V_m + R_m*I)/tau_m : V"
threshold = "V_m > V_th"
reset = "V_m = E_L"
refractory = { time = "t_ref", hold = ["V_m"] }
inputs = { I = "A" }
initial = { V_m = "E_L" }
parameters = { tau_m = "20 ms", E_L = "-70 mV", V_th = "-50 mV", R_m = "40 Mohm", t_ref = "2 ms" }
"#;

fn write_scenario(folder: &Path) -> String {
    fs::create_dir_all(folder.join("wiring")).unwrap();
    fs::write(folder.join("mine.toml"), MODEL).unwrap();
    fs::write(
        folder.join("wiring/edges.csv"),
        "source,target,weight_A,delay_ms\n0,1,1e-10,1\n1,2,2e-10,2\n3,0,-1e-10,1.5\n",
    )
    .unwrap();
    fs::write(folder.join("spikes.csv"), "time_ms,unit\n10,0\n50,3\n120,1\n").unwrap();
    fs::write(folder.join("net.toml"), SCENARIO).unwrap();
    path(folder, "net.toml")
}

/// All files below a folder, by their path in it.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_dir() {
                folders.push(entry);
            } else {
                found.insert(entry.strip_prefix(folder).unwrap().to_owned(), fs::read(&entry).unwrap());
            }
        }
    }
    found
}

fn manifest(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

/// The same bytes from the folder alone, when all that the run was made from is gone; from the repeated folder too.
#[test]
fn a_run_is_repeated_from_its_folder_when_the_originals_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there");
    let scenario = write_scenario(&there);
    let (first, second, third) =
        (path(folder.path(), "first"), path(folder.path(), "second"), path(folder.path(), "third"));
    let set = ["--set", "populations.cells.parameters.tau_m=18 ms", "--seed", "9"];
    let out = spikedeck(&[&["run", &format!("{scenario}:strong"), "-q", "--out", &first][..], &set].concat());
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    fs::remove_dir_all(&there).unwrap();
    for (from, to) in [(&first, &second), (&second, &third)] {
        let out = spikedeck(&["run", from, "-q", "--out", to, "--threads", "1"]);
        assert_eq!(out.status.code(), Some(0), "{}", said(&out));
        let (a, b) = (tree(Path::new(from)), tree(Path::new(to)));
        assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
        let tables = a.keys().filter(|k| k.extension().is_some_and(|e| e == "parquet")).count();
        assert!(tables >= 5, "spikes, units, connections, a trace, metrics: {:?}", a.keys());
        // These two say when it was.
        let dated = ["manifest.json", "ro-crate-metadata.json"].map(Path::new);
        for (name, bytes) in a.iter().filter(|(name, _)| !dated.contains(&name.as_path())) {
            assert!(*bytes == b[name], "{} differs", name.display());
        }
        let (a, b) = (manifest(Path::new(from)), manifest(Path::new(to)));
        for key in ["status", "label", "seed", "scenario", "counts", "rows", "files", "recording", "resolved"] {
            assert_eq!(a[key], b[key], "{key}");
        }
    }
    let kept: Vec<String> = manifest(Path::new(&first))["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["copy"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
    // Opened as ever, with its scenario.
    let back = spikedeck::table::open(Path::new(&second)).unwrap();
    let spec = back.spec.unwrap_or_else(|| panic!("{:?}", back.warnings));
    assert_eq!((spec.variant.as_deref(), spec.simulation.seed), (Some("strong"), 9));
    // What is set on top counts.
    let changed = path(folder.path(), "changed");
    let out = spikedeck(&["run", &first, "-q", "--seed", "10", "--out", &changed]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    assert_eq!(manifest(Path::new(&changed))["seed"], 10);
    assert_ne!(
        fs::read(Path::new(&changed).join("spikes.parquet")).unwrap(),
        fs::read(Path::new(&first).join("spikes.parquet")).unwrap()
    );
    // Over itself: what it was made from is in memory by then; what is not a run's stays.
    fs::write(Path::new(&third).join("files/notes.txt"), "mine").unwrap();
    let out = spikedeck(&["run", &third, "-q", "--out", &third, "--force"]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let (a, b) = (tree(Path::new(&first)), tree(Path::new(&third)));
    assert_eq!(b[Path::new("files/notes.txt")], b"mine");
    assert_eq!(a.len() + 1, b.len(), "{:?}", b.keys());
    assert_eq!(a[Path::new("spikes.parquet")], b[Path::new("spikes.parquet")]);
}

/// A kept file that was changed, one that is gone, and a scenario that was edited are told in words.
#[test]
fn what_is_missing_or_changed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there");
    let scenario = write_scenario(&there);
    let stored = folder.path().join("run");
    let out = spikedeck(&["run", &scenario, "-q", "--out", &stored.display().to_string()]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let again = || spikedeck(&["run", &stored.display().to_string(), "-q"]);
    // Without its copy the original serves, as long as it is what it was.
    fs::remove_file(stored.join("files/edges.csv")).unwrap();
    assert_eq!(again().status.code(), Some(0));
    let edges = there.join("wiring/edges.csv");
    let text = fs::read_to_string(&edges).unwrap();
    fs::write(&edges, text.replace("2e-10", "3e-10")).unwrap();
    let out = again();
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("edges.csv has changed since the run"), "{}", said(&out));
    let back = spikedeck::table::open(&stored).unwrap();
    assert!(back.spec.is_none() && !back.recording.spikes.is_empty());
    assert!(back.warnings.iter().any(|w| w.contains("has changed since the run")), "{:?}", back.warnings);
    fs::remove_file(&edges).unwrap();
    let out = again();
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("which the run read, is gone"), "{}", said(&out));
    fs::write(&edges, &text).unwrap();
    assert_eq!(again().status.code(), Some(0));

    let written = fs::read_to_string(stored.join("scenario.toml")).unwrap();
    fs::write(stored.join("scenario.toml"), written.replace("seed = 5", "seed = 6")).unwrap();
    let out = again();
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("simulation.seed: 5 then, 6 now"), "{}", said(&out));
    let back = spikedeck::table::open(&stored).unwrap();
    assert!(back.warnings.iter().any(|w| w.contains("simulation.seed: 5 then, 6 now")), "{:?}", back.warnings);
    // A title decides nothing.
    fs::write(stored.join("scenario.toml"), written.replace("\"Repeated\"", "\"Renamed\"")).unwrap();
    assert_eq!(again().status.code(), Some(0));
    assert!(spikedeck::table::open(&stored).unwrap().spec.is_some());
}

/// A manifest of a program that stated the identity otherwise: the run opens and is repeated, and the words say what is
/// not known.
#[test]
fn a_run_of_an_older_program_opens() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = write_scenario(folder.path());
    let stored = folder.path().join("run");
    let out = spikedeck(&["run", &scenario, "-q", "--out", &stored.display().to_string()]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let mut old = manifest(&stored);
    old["version"] = "0.0.9".into();
    old["scenario"]["hash"] = "00".repeat(32).into();
    old["resolved"] = serde_json::json!({ "simulation": { "dt": "0.1 ms" } });
    old.as_object_mut().unwrap().remove("files");
    fs::write(stored.join("manifest.json"), old.to_string()).unwrap();
    let back = spikedeck::table::open(&stored).unwrap();
    assert!(back.spec.is_some(), "{:?}", back.warnings);
    let words = back.warnings.join("\n");
    assert!(words.contains("version 0.0.9") && words.contains("cannot be told"), "{words}");
    assert!(!words.contains("a file it names"), "{words}");
    let out = spikedeck(&["run", &stored.display().to_string()]);
    assert_eq!(out.status.code(), Some(0));
    assert!(said(&out).contains("cannot be told"), "{}", said(&out));
    // Other populations than were recorded cannot be shown.
    let text = fs::read_to_string(stored.join("scenario.toml")).unwrap();
    fs::write(stored.join("scenario.toml"), text.replace("size = 4", "size = 5")).unwrap();
    let back = spikedeck::table::open(&stored).unwrap();
    assert!(back.spec.is_none(), "{:?}", back.warnings);
}

/// A sweep over files is repeated with all of them.
#[test]
fn a_sweep_is_repeated_with_the_files_of_all_its_points() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there");
    let scenario = write_scenario(&there);
    fs::write(there.join("late.csv"), "time_ms,unit\n110,0\n150,3\n").unwrap();
    let sweep = "[sweep.axes]\n\"stimuli.kick.file\" = [\"spikes.csv\", \"late.csv\"]\n";
    fs::write(there.join("net.toml"), format!("{SCENARIO}{sweep}")).unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let out = spikedeck(&["run", &scenario, "-q", "--out", &first.display().to_string()]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    fs::remove_dir_all(&there).unwrap();
    let out = spikedeck(&["run", &first.display().to_string(), "-q", "--out", &second.display().to_string()]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    for name in ["spikes.parquet", "metrics.parquet", "across.parquet"] {
        assert_eq!(fs::read(first.join(name)).unwrap(), fs::read(second.join(name)).unwrap(), "{name}");
    }
    assert_eq!(manifest(&second)["files"].as_array().unwrap().len(), 4);
    assert!(spikedeck::table::open(&second).unwrap().spec.is_some());
    let text = fs::read_to_string(second.join("scenario.toml")).unwrap();
    fs::write(second.join("scenario.toml"), text.replace(", \"late.csv\"]", "]")).unwrap();
    let out = spikedeck(&["run", &second.display().to_string(), "-q"]);
    assert!(said(&out).contains("sweep.axes"), "{}", said(&out));
}

/// A scenario that is called as a model that its neighbour uses is no model.
#[test]
fn a_scenario_called_as_a_model_does_not_hide_it() {
    let folder = tempfile::tempdir().unwrap();
    let neighbour = "[simulation]\nduration = 1\ndt = 0.01\n[models.m]\ntime_unit = \"1\"\n\
                     equations = \"dx/dt = -x : 1\"\n[populations.p]\nmodel = \"m\"\nsize = 1\n";
    fs::write(folder.path().join("theta.toml"), neighbour).unwrap();
    let own = "[simulation]\nduration = 1\ndt = 0.01\n[populations.p]\nmodel = \"theta\"\nsize = 1\n";
    fs::write(folder.path().join("own.toml"), own).unwrap();
    for name in ["own.toml", "theta.toml"] {
        let out = spikedeck(&["check", &path(folder.path(), name)]);
        assert_eq!(out.status.code(), Some(0), "{name}: {}", said(&out));
    }
    // A model of that name does hide the built-in one.
    fs::write(folder.path().join("theta.toml"), "time_unit = \"1\"\nequations = \"dx/dt = -x : 1\"\n").unwrap();
    let out = spikedeck(&["check", &path(folder.path(), "own.toml")]);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("hides the built-in model `theta`"), "{}", said(&out));
    // One with a slip in it is not passed over either.
    fs::write(folder.path().join("mine.toml"), "equations = \"dx/dt = -x : 1\"\n[parameters\n").unwrap();
    fs::write(folder.path().join("own.toml"), own.replace("\"theta\"", "\"mine\"")).unwrap();
    let out = spikedeck(&["check", &path(folder.path(), "own.toml")]);
    assert!(said(&out).contains("mine.toml"), "{}", said(&out));
}
