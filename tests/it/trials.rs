//! Trials of one network, by the binary as people run it: what stays, what is drawn anew, and what is kept.

use std::path::Path;
use std::process::{Command, Output};

fn spikedeck(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spikedeck")).args(args).args(["--threads", "1"]).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const SCENARIO: &str = r#"
[simulation]
duration = "200 ms"
dt = "0.1 ms"
seed = 3
[populations.in]
model = "spike_source"
size = 40
spikes = { kind = "poisson", rate = "30 Hz" }
[populations.cell]
model = "lif"
size = 10
initial = { V_m = { uniform = ["-70 mV", "-55 mV"] } }
receptors.ampa = { kind = "exp_current", tau = "5 ms" }
[projections.p]
from = "in"
to = "cell.ampa"
connect = { rule = "fixed_indegree", indegree = 8 }
weight = { normal = { mean = "100 pA", sd = "20 pA" } }
delay = "1 ms"
[record.in]
spikes = true
connections = true
[record.cell]
spikes = true
traces = [{ name = "v", variables = ["V_m"], units = [0, 1], interval = "1 ms" }]
[analyses.rates]
kind = "rates"
of = "in.spikes"
[analyses.psth]
kind = "psth"
of = ["in.spikes", "cell.spikes"]
bin = "10 ms"
"#;

/// Runs of some seeds with trials, compared from their folders and from their scenarios: what each trial measures by
/// itself is no value of a seed, what all trials of a network say together is.
#[test]
fn trials_are_no_seeds_in_a_comparison() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = |weight: &str| SCENARIO.replace("100 pA", weight) + "[trials]\ncount = 3\n[sweep]\nseeds = 4\n";
    let runs = [("weak", "100 pA"), ("strong", "130 pA")];
    let stored = runs.map(|(name, weight)| text(&ran(folder.path(), name, &scenario(weight), &[])).to_owned());
    let unsaved = runs.map(|(name, _)| text(&folder.path().join(format!("{name}.toml"))).to_owned());
    let compared = |of: &[String; 2]| {
        let out = spikedeck(&["compare", &of[0], &of[1], "--json", "-q"]);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let rows = String::from_utf8(out.stdout).unwrap();
        let rows = rows.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
        let row =
            |r: serde_json::Value| Some((r["metric"].as_str()?.to_owned(), r["pairs"].clone(), r["p_value"].clone()));
        rows.filter_map(row).collect::<Vec<_>>()
    };
    let (of_folders, of_scenarios) = (compared(&stored), compared(&unsaved));
    assert_eq!(of_folders, of_scenarios);
    let of = |analysis: &str| of_folders.iter().filter(|r| r.0.starts_with(analysis)).cloned().collect::<Vec<_>>();
    let (single, joint) = (of("rates."), of("psth."));
    assert!(!single.is_empty() && single.iter().all(|r| r.1 == 0 && r.2.is_null()), "{single:?}");
    assert!(joint.iter().any(|r| r.1 == 4), "{joint:?}");
}

/// Rows of a run's table of spikes: trial (none where there is no such column), population, unit, time.
fn spikes(run: &Path) -> Vec<(Option<u64>, String, u32, f64)> {
    let table = spikedeck::store::read(&run.join("spikes.parquet"), None).unwrap();
    let (times, units) = (table.numbers("time_ms").unwrap(), table.unit_numbers("unit").unwrap());
    let names = table.texts("population").unwrap();
    let trials = match table.get("trial") {
        Some(_) => table.optional_whole_numbers("trial").unwrap(),
        None => vec![None; times.len()],
    };
    (0..times.len()).map(|k| (trials[k], names[k].clone(), units[k], times[k])).collect()
}

/// The values of all columns of a table, as text.
fn rows(path: &Path, columns: &[&str]) -> Vec<Vec<String>> {
    let table = spikedeck::store::read(path, None).unwrap();
    columns.iter().map(|c| table.numbers(c).unwrap().iter().map(ToString::to_string).collect()).collect()
}

fn ran(folder: &Path, name: &str, scenario: &str, more: &[&str]) -> std::path::PathBuf {
    let (path, out) = (folder.join(format!("{name}.toml")), folder.join(name));
    std::fs::write(&path, scenario).unwrap();
    let run = spikedeck(&[&["run", text(&path), "--out", text(&out)], more].concat());
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    out
}

#[test]
fn trials_share_the_network_and_nothing_of_the_noise_and_all_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let all = ran(here, "all", &format!("{SCENARIO}[trials]\ncount = 4\n"), &[]);
    let whole = spikes(&all);
    let of = |trial: u64| -> Vec<(String, u32, f64)> {
        whole.iter().filter(|s| s.0 == Some(trial)).map(|s| (s.1.clone(), s.2, s.3)).collect()
    };
    let without = |name: &str, more: &[&str]| {
        ran(
            here,
            name,
            &SCENARIO
                .replace("[analyses.psth]", "[analyses.other]")
                .replace("kind = \"psth\"", "kind = \"isi\"")
                .replace("bin = \"10 ms\"\n", ""),
            more,
        )
    };
    // Each trial by itself is the run that `simulation.trial` repeats; the first is the run without trials.
    for trial in 0..4_u64 {
        let number = format!("simulation.trial={trial}");
        let alone = without(&format!("alone{trial}"), &["--set", &number]);
        let own: Vec<(String, u32, f64)> = spikes(&alone).into_iter().map(|s| (s.1, s.2, s.3)).collect();
        assert_eq!(own, of(trial), "{trial}");
        let columns = ["source", "target", "weight", "delay_ms"];
        assert_eq!(
            rows(&alone.join("connections.parquet"), &columns),
            rows(&all.join("connections.parquet"), &columns)
        );
        let others: Vec<u64> = (0..4).filter(|k| *k != trial).collect();
        assert!(others.iter().all(|k| of(*k) != of(trial)), "{trial}");
    }
    let plain: Vec<(String, u32, f64)> = spikes(&without("plain", &[])).into_iter().map(|s| (s.1, s.2, s.3)).collect();
    assert_eq!(plain, of(0));
    // Initial values are drawn once.
    let traces = spikedeck::store::read(&all.join("traces/cell-v.parquet"), None).unwrap();
    let (times, trials) = (traces.numbers("time_ms").unwrap(), traces.optional_whole_numbers("trial").unwrap());
    let values = traces.numbers("V_m_mV").unwrap();
    let first = |trial: u64| -> Vec<f64> {
        (0..times.len()).filter(|&k| times[k] == 0.0 && trials[k] == Some(trial)).map(|k| values[k]).collect()
    };
    assert_eq!(first(0).len(), 2);
    assert!((1..4).all(|k| first(k) == first(0)));
    // Metrics have the trial as a column, and the folder opens with all trials: what looks at all of them is the same.
    let metrics = spikedeck::store::read(&all.join("metrics.parquet"), None).unwrap();
    assert_eq!(metrics.optional_whole_numbers("trial").unwrap().iter().flatten().max(), Some(&3));
    let across = spikedeck::store::read(&all.join("across.parquet"), None).unwrap();
    let (names, values) = (across.texts("analysis").unwrap(), across.optional_numbers("value").unwrap());
    for (kind, more) in [
        ("psth", &["psth:bin=\"10 ms\"", "--of", "in.spikes", "--of", "cell.spikes"][..]),
        ("rates", &["rates", "--of", "in.spikes"]),
    ] {
        let out: Output = spikedeck(&[&["analyze", text(&all), "--json", "--with"], more].concat());
        let lines = String::from_utf8(out.stdout).unwrap();
        let told: Vec<&str> = lines.lines().filter(|l| l.contains(&format!("\"analysis\":\"{kind}\""))).collect();
        let kept: Vec<Option<f64>> = names.iter().zip(&values).filter(|(n, _)| *n == kind).map(|(_, v)| *v).collect();
        assert!(told.len() == kept.len() && !told.is_empty(), "{kind}: {lines}");
        for (line, value) in told.iter().zip(&kept) {
            let value = value.map_or("null".to_owned(), |v| serde_json::json!(v).to_string());
            assert!(line.contains(&format!("\"value\":{value}")), "{value} in {line}");
        }
    }
}

/// Another seed draws anew what it is asked to, and nothing else.
#[test]
fn seeds_redraw_what_they_are_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let columns = ["source", "target", "weight"];
    let scenario = SCENARIO.replace("kind = \"psth\"", "kind = \"isi\"").replace("bin = \"10 ms\"\n", "");
    let run = |name: &str, set: &str| {
        let more = ["--set", set];
        let out = ran(folder.path(), name, &scenario, if set.is_empty() { &[] } else { &more });
        let input: Vec<(u32, f64)> = spikes(&out).into_iter().filter(|s| s.1 == "in").map(|s| (s.2, s.3)).collect();
        let traces = spikedeck::store::read(&out.join("traces/cell-v.parquet"), None).unwrap();
        (input, rows(&out.join("connections.parquet"), &columns), traces.numbers("V_m_mV").unwrap()[..2].to_vec())
    };
    let base = run("base", "");
    for (key, noise, wiring, values) in [
        ("noise_seed", true, false, false),
        ("wiring_seed", false, true, false),
        ("values_seed", false, false, true),
        ("seed", true, true, true),
    ] {
        let other = run(key, &format!("simulation.{key}=99"));
        assert_eq!((other.0 != base.0, other.1 != base.1, other.2 != base.2), (noise, wiring, values), "{key}");
    }
    // Of a sweep, too: seeds of noise alone are trials of one network.
    let path = folder.path().join("sweep.toml");
    let with = |redraws: &str| format!("{scenario}[sweep]\nseeds = 3\nredraws = \"{redraws}\"\n");
    let mean = |redraws: &str| {
        std::fs::write(&path, with(redraws)).unwrap();
        let out = spikedeck(&["run", text(&path), "--json"]);
        assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
        let lines = String::from_utf8(out.stdout).unwrap();
        let of = |l: &&str| l.contains("\"metric\":\"mean_rate\"");
        lines
            .lines()
            .filter(of)
            .map(|l| l.split("\"value\":").nth(1).unwrap().split(',').next().unwrap().to_owned())
            .collect::<Vec<String>>()
    };
    let wiring = mean("wiring");
    assert!(wiring.len() == 3 && wiring.iter().all(|v| *v == wiring[0]), "the input is not drawn anew: {wiring:?}");
    let noise = mean("noise");
    assert!(noise.iter().any(|v| *v != noise[0]), "{noise:?}");
}
