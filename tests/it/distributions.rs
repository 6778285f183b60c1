//! `compare --distributions`: what is a member of a set, what is not, and what is told of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::sweep::said;

const SCENARIO: &str = "
simulation = { duration = '1 s', dt = '0.1 ms' }
populations.p = { model = 'spike_source', size = 20, spikes = { kind = 'poisson', rate = '30 Hz' } }
record.p = { spikes = true }
analyses.rates = { kind = 'rates', of = 'p.spikes' }
";

fn spikedeck(at: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spikedeck")).current_dir(at).args(args).stdin(Stdio::null()).output().unwrap()
}

/// A folder with the scenario, and runs of it by seeds.
fn runs(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("s.toml"), SCENARIO).unwrap();
    for (seed, name) in names.iter().enumerate() {
        let made = spikedeck(at, &["run", "s.toml", "-q", "--seed", &seed.to_string(), "--out", name]);
        assert!(made.status.success(), "{}", said(&made));
    }
    folder
}

/// Rows of `compare --distributions --json`, and all that was said.
fn compared(at: &Path, args: &[&str]) -> (Vec<serde_json::Value>, String) {
    let out = spikedeck(at, &[&["compare", "--distributions", "--json"], args].concat());
    assert!(out.status.success(), "{}", said(&out));
    let objects = String::from_utf8(out.stdout.clone()).unwrap();
    let rows = objects.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    (rows.filter(|r| r.get("quantity").is_some()).collect(), said(&out))
}

/// Three runs a side: what is hidden, did not come to its end or is a table beside them is no member, so that the ways
/// to deal the runs out are those of three and three.
#[test]
fn a_set_is_its_whole_runs() {
    let folder = runs(&["a/1", "a/2", "a/3", "b/1", "b/2", "b/3", "a/failed"]);
    let at = folder.path();
    let manifest = at.join("a/failed/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains("\"status\": \"complete\""));
    fs::write(&manifest, text.replacen("\"status\": \"complete\"", "\"status\": \"failed\"", 1)).unwrap();
    // The folder in which a run is written that replaces another.
    fs::create_dir(at.join("b/.1.here-9-1.part")).unwrap();
    for file in ["manifest.json", "scenario.toml", "spikes.parquet"] {
        fs::copy(at.join("b/1").join(file), at.join("b/.1.here-9-1.part").join(file)).unwrap();
    }
    fs::write(at.join("b/notes.csv"), "who,what\nme,nothing\n").unwrap();
    let (rows, told) = compared(at, &["a", "b"]);
    assert_eq!(rows.len(), 3, "{told}");
    assert!(rows.iter().all(|r| r["population"] == "p" && r["p"].as_f64().is_some_and(|p| p >= 0.1)), "{told}");
    assert_eq!((rows[0]["n_a"].as_u64(), rows[0]["n_b"].as_u64()), (Some(60), Some(60)));
    for words in ["p is at least 0.1", "20 ways", "a/failed failed, and is left out", "1 table or recording"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    // Its table is no member of the next comparison.
    let spoilt = spikedeck(at, &["compare", "--distributions", "a", "b", "--out", "a/found"]);
    assert!(spoilt.status.code() == Some(2) && said(&spoilt).contains("--out is in a"), "{}", said(&spoilt));
    let (kept, _) = compared(at, &["a", "b", "--out", "found"]);
    assert!(kept == rows && at.join("found/distributions.parquet").is_file());
    // What would do nothing is refused.
    for option in [&["--threads", "2"][..], &["-q"], &["--seed", "1"]] {
        let refused = spikedeck(at, &[&["compare", "--distributions", "a", "b"], option].concat());
        assert_eq!(refused.status.code(), Some(2), "{option:?}");
    }
}

/// Of a run with trials all of them are looked at, and nothing is said of sweeps.
#[test]
fn trials_are_all_looked_at() {
    let folder = runs(&["one"]);
    let at = folder.path();
    let made = spikedeck(at, &["run", "s.toml", "-q", "--set", "trials.count=3", "--out", "three"]);
    assert!(made.status.success(), "{}", said(&made));
    let (rows, told) = compared(at, &["three", "one"]);
    assert_eq!((rows[0]["n_a"].as_u64(), rows[0]["n_b"].as_u64()), (Some(60), Some(20)), "{told}");
    assert!(told.contains("each of its 3 trials") && !told.contains("--keep all"), "{told}");
}

/// Trials and epochs of a file are no population of neurons.
#[test]
fn moments_of_trials_are_no_units() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/reference/recordings/units.nwb");
    for name in ["one.nwb", "other.nwb"] {
        fs::copy(&stored, at.join(name)).unwrap();
    }
    let (rows, told) = compared(at, &["one.nwb", "other.nwb"]);
    assert!(!rows.is_empty() && rows.iter().all(|r| r["population"] != "trials"), "{told}");
    assert!(told.contains("`trials.spikes` are events"), "the file has them: {told}");
    let equal = rows.iter().filter_map(|r| r["distance"].as_f64());
    assert!(equal.clone().count() > 0 && equal.into_iter().all(|d| d == 0.0), "{told}");
}
