//! `analyze`: what was recorded is measured after the fact, of runs that were killed, of tables, and through a pipe.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use spikedeck::run::Status;
use spikedeck::store::{Column, Format, Table};
use spikedeck::table::open_telling;

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
    command.env("NO_COLOR", "1").current_dir(folder).stdin(Stdio::null()).args(args);
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

/// The same with `input` on standard input.
fn piped(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child =
        command(folder, args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let bytes = input.to_vec();
    // What is refused before its end was read closes the pipe.
    let writer = std::thread::spawn(move || drop(to.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Every metric with its interval, by name.
fn metrics(output: &Output) -> Vec<(String, Value, Value, Value)> {
    let of = |v: &Value| {
        let name = format!("{}.{}.{}", v["analysis"], v["subject"], v["metric"]);
        (name, v["value"].clone(), v["ci_low"].clone(), v["ci_high"].clone())
    };
    lines(output).iter().filter(|v| v["metric"].is_string() && v["subject"].is_string()).map(of).collect()
}

const LONG: &str = r#"
title = "goes on"
[simulation]
duration = "600 s"
dt = "0.1 ms"
seed = 3
[populations.p-1]
model = "lif"
size = 300
receptors.in = { kind = "delta" }
[populations.silent]
model = "lif"
size = 2
[stimuli.noise]
target = "p-1.in"
kind = "poisson"
rate = "8 kHz"
weight = "0.25 mV"
[record.p-1]
spikes = true
traces = [
    { name = "v-m_mV", variables = ["V_m"], units = [1, 0], interval = "5 ms" },
    { name = "w", variables = ["V_m"], units = [7], interval = "12.5 ms" },
]
[record.silent]
spikes = true
[analyses.rates]
kind = "rates"
of = "p-1.spikes"
[analyses.none]
kind = "rates"
of = "silent.spikes"
[analyses.isi]
kind = "isi"
of = "p-1.spikes"
[analyses.v]
kind = "levels"
of = "p-1.V_m[1]"
[analyses.w]
kind = "levels"
of = "p-1.V_m[7]"
"#;

fn wait_for(child: &mut Child, there: impl Fn() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < Duration::from_secs(90), "nothing was written");
        assert!(child.try_wait().unwrap().is_none(), "the run is still going");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn until(out: &Path) -> Option<f64> {
    let manifest: Value = serde_json::from_str(&fs::read_to_string(out.join("manifest.json")).ok()?).ok()?;
    manifest["recording"]["until"].as_f64().filter(|t| *t > 0.0)
}

/// A run that was killed is, up to where it says, the run that would have ended there: every spike, every sample, every
/// number.
#[test]
fn a_killed_run_is_measured_as_far_as_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("long.toml"), LONG).unwrap();
    for (format, memory) in [("parquet", "2 GB"), ("csv", "2 GB"), ("parquet", "30 MB")] {
        let out = here.join(format!("{format}-{}", &memory[..1]));
        let memory = format!("simulation.memory={memory}");
        let mut args = vec!["run", "long.toml", "-q", "--threads", "1", "--format", format, "--set", &memory];
        args.extend(["--out", out.to_str().unwrap()]);
        let mut child = command(here, &args).stdout(Stdio::null()).spawn().unwrap();
        wait_for(&mut child, || until(&out).is_some());
        child.kill().unwrap();
        child.wait().unwrap();
        let reached = until(&out).unwrap();
        let (killed, damage) = open_telling(&out).unwrap();
        assert_eq!((killed.status, damage.as_slice()), (Status::Interrupted, &[][..]));
        assert_eq!(killed.recording.window.stop, reached);
        assert!(killed.warnings.iter().any(|w| w.contains("is known up to")), "{:?}", killed.warnings);

        let whole = here.join("whole");
        let duration = format!("simulation.duration=\"{reached} ms\"");
        let args = ["run", "long.toml", "-q", "--threads", "1", "--set", &duration, "--out", "whole", "--json"];
        let unbroken = run(here, &args);
        assert_eq!(unbroken.status.code(), Some(0), "{}", text(&unbroken.stderr));
        let (same, _) = open_telling(&whole).unwrap();
        assert_eq!(killed.recording.spikes, same.recording.spikes, "{format}");
        assert_eq!(killed.recording.traces.len(), 2);
        for (a, b) in killed.recording.traces.iter().zip(&same.recording.traces) {
            assert_eq!(a.without_values(), b.without_values());
            // The sample at the very end belongs to what would have come next.
            assert!(a.len() + 1 >= b.len() && b.values.starts_with(&a.values), "{} of {}", a.len(), b.len());
        }
        let analysed = run(here, &["analyze", out.to_str().unwrap(), "--threads", "1", "--json"]);
        assert_eq!(analysed.status.code(), Some(0), "{}", text(&analysed.stderr));
        let spikes = |all: Vec<(String, Value, Value, Value)>| -> Vec<(String, Value, Value, Value)> {
            all.into_iter().filter(|m| !m.0.contains("V_m")).collect()
        };
        assert_eq!(spikes(metrics(&analysed)), spikes(metrics(&unbroken)), "{format}");
        assert!(metrics(&analysed).iter().any(|m| m.0.contains("V_m") && m.1.is_number()));
        let words = text(&analysed.stdout);
        assert!(words.contains("is known up to") && words.contains("\"status\":\"interrupted\""), "{words}");
        // Made whole: tables instead of parts.
        let kept = run(here, &["analyze", out.to_str().unwrap(), "--out", "kept"]);
        assert_eq!(kept.status.code(), Some(0), "{}", text(&kept.stderr));
        assert!(text(&kept.stdout).contains("(interrupted)"), "{}", text(&kept.stdout));
        let (kept, damage) = open_telling(&here.join("kept")).unwrap();
        assert!(damage.is_empty(), "{damage:?}");
        assert_eq!((&kept.recording.spikes, kept.outcomes.len()), (&killed.recording.spikes, 5));
        let figure = run(here, &["plot", out.to_str().unwrap(), "--analysis", "rates", "-o", "r.svg", "--force"]);
        assert!(here.join("r.svg").exists(), "{}", text(&figure.stderr));
        fs::remove_dir_all(here.join("kept")).unwrap();
        fs::remove_dir_all(whole).unwrap();
    }
}

/// A run that was killed before anything was written has nothing, and says so; it is not silent.
#[test]
fn a_run_that_was_killed_at_once_has_no_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("long.toml"), LONG).unwrap();
    let mut child = command(here, &["run", "long.toml", "-q", "--out", "out"]).stdout(Stdio::null()).spawn().unwrap();
    wait_for(&mut child, || here.join("out/scenario.toml").exists() && here.join("out/manifest.json").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let analysed = run(here, &["analyze", "out", "--json"]);
    if until(&here.join("out")).is_none() {
        assert_eq!(analysed.status.code(), Some(1));
        assert!(metrics(&analysed).is_empty(), "{:?}", metrics(&analysed));
        assert!(text(&analysed.stdout).contains("before anything that it recorded was written"));
    }
}

/// A finished run analysed again gives what it gave, and whatever else is asked of it.
#[test]
fn a_finished_run_is_measured_again() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("s.toml"), LONG.replace("600 s", "2 s")).unwrap();
    let ran = run(here, &["run", "s.toml", "--json", "--out", "out"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    assert_eq!(metrics(&run(here, &["analyze", "out", "--json"])), metrics(&ran));
    let more = run(
        here,
        &[
            "analyze",
            "out",
            "--json",
            "--with",
            "psd:of=p-1.rate,bin=2 ms",
            "--with",
            "isi",
            "--of",
            "p-1.spikes[0..3]",
        ],
    );
    assert_eq!(more.status.code(), Some(0), "{}", text(&more.stderr));
    let names: Vec<String> = metrics(&more).into_iter().map(|m| m.0).collect();
    assert!(names.iter().any(|n| n == "\"isi\".\"p-1.spikes[0..3]\".\"cv\""), "{names:?}");
    assert!(names.iter().any(|n| n.starts_with("\"psd\".\"p-1.rate\"")), "{names:?}");
    for (args, words) in [
        (&["--with", "psd:of=p-1.rte"][..], "p-1.rate"),
        (&["--with", "psdd"][..], "psd"),
        (&["--with", "isi:fano_window=5 mV"][..], "fano_window"),
        (&["--with", "lyapunov:of=p-1"][..], "equations"),
    ] {
        let wrong = run(here, &[&["analyze", "out"], args].concat());
        assert_eq!(wrong.status.code(), Some(2), "{args:?}");
        assert!(text(&wrong.stderr).contains(words), "{args:?}: {}", text(&wrong.stderr));
    }
    for (source, words) in [("s.toml", "spikedeck run"), ("nowhere.csv", "nowhere.csv"), (".", "manifest.json")] {
        let wrong = run(here, &["analyze", source]);
        assert_eq!(wrong.status.code(), Some(2), "{source}");
        assert!(text(&wrong.stderr).contains(words), "{source}: {}", text(&wrong.stderr));
    }
}

/// A table is measured as it is, as a file and through a pipe, as text and as Parquet.
#[test]
fn tables_are_measured_wherever_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // A clock of 10 ms, and one of 25 ms.
    let mut spikes: Vec<(u32, f64)> = (1..=100).map(|k| (0, 10.0 * f64::from(k))).collect();
    spikes.extend((1..=40).map(|k| (1, 25.0 * f64::from(k))));
    spikes.sort_by(|a, b| a.1.total_cmp(&b.1));
    let csv: String =
        std::iter::once("unit,time_ms\n".to_owned()).chain(spikes.iter().map(|(u, t)| format!("{u},{t}\n"))).collect();
    fs::write(here.join("input.csv"), &csv).unwrap();
    let table = Table::new()
        .with("unit", Column::U32(spikes.iter().map(|s| s.0).collect()))
        .with("time_ms", Column::F64(spikes.iter().map(|s| s.1).collect()));
    spikedeck::store::write(&here.join("input.parquet"), &table, Format::Parquet).unwrap();
    let parquet = fs::read(here.join("input.parquet")).unwrap();
    let of_file = run(here, &["analyze", "input.csv", "--json"]);
    assert_eq!(of_file.status.code(), Some(0), "{}", text(&of_file.stderr));
    let rate = metrics(&of_file).into_iter().find(|m| m.0.contains("mean_rate")).unwrap().1;
    assert_eq!(rate.as_f64(), Some(70.0));
    for other in [
        run(here, &["analyze", "input.parquet", "--json"]),
        piped(here, &["analyze", "-", "--json"], csv.as_bytes()),
        piped(here, &["analyze", "-", "--json"], &parquet),
    ] {
        assert_eq!(other.status.code(), Some(0), "{}", text(&other.stderr));
        assert_eq!(metrics(&other), metrics(&of_file));
    }
    for (args, input) in [
        (&["plot", "input.csv", "--analysis", "raster"][..], &b""[..]),
        (&["plot", "-", "--analysis", "raster"], csv.as_bytes()),
        (&["plot", "-", "--analysis", "isi/intervals of input.spikes"], &parquet),
    ] {
        let drawn = piped(here, args, input);
        assert_eq!(drawn.status.code(), Some(0), "{args:?} {}", text(&drawn.stderr));
        assert!(text(&drawn.stdout).lines().count() > 5, "{args:?}");
    }
    // A signal: the sine is 10 Hz.
    let sine: String = std::iter::once("time_ms;lfp_mV\n".to_owned())
        .chain((0..4000).map(|k| format!("{k};{}\n", (f64::from(k) * 1e-3 * 10.0 * std::f64::consts::TAU).sin())))
        .collect();
    let signal = piped(here, &["analyze", "-", "--json"], sine.as_bytes());
    assert_eq!(signal.status.code(), Some(0), "{}", text(&signal.stderr));
    let peak = metrics(&signal).into_iter().find(|m| m.0.ends_with("\"peak\"")).map(|m| m.1);
    assert!(peak.as_ref().and_then(Value::as_f64).is_some_and(|f| (f - 10.0).abs() < 0.6), "{peak:?}");
    // What is no table, and nothing at all.
    for (input, words) in [(&b""[..], "nothing came"), (b"PAR1 no footer", "standard input"), (b"\xff\xfe", "UTF-16")] {
        let refused = piped(here, &["analyze", "-"], input);
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
        let told = text(&refused.stderr);
        assert!(told.contains(words) && told.lines().count() == 1, "{told}");
    }
}

/// A scenario from standard input is the scenario in a file.
#[test]
fn scenarios_come_from_standard_input_too() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let scenario = LONG.replace("600 s", "1 s").replace("\"8 kHz\"", "\"7 kHz\"")
        + "[variants.fast]\n\"stimuli.noise.rate\" = \"9 kHz\"\n[sweep]\nseeds = 2\n";
    fs::write(here.join("s.toml"), &scenario).unwrap();
    for (name, piped_name) in [("s.toml", "-"), ("s.toml:fast", "-:fast")] {
        let file = run(here, &["run", name, "--json"]);
        // What begins with a dash and goes on is an option but behind `--`.
        let input = piped(here, &["run", "--json", "--", piped_name], scenario.as_bytes());
        assert_eq!((file.status.code(), input.status.code()), (Some(0), Some(0)), "{}", text(&input.stderr));
        assert_eq!(metrics(&file), metrics(&input));
    }
    let checked = piped(here, &["check", "-"], scenario.as_bytes());
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    let wrong = piped(here, &["check", "-"], scenario.replace("lif", "lief").as_bytes());
    let told = text(&wrong.stderr);
    assert!(wrong.status.code() == Some(2) && told.contains("standard input:") && told.contains("lief"), "{told}");
    // Files that it names start from the current folder.
    fs::write(here.join("times.csv"), "time_ms\n5\n").unwrap();
    let named = "simulation = { duration = '20 ms', dt = '0.1 ms' }
populations.p = { model = 'lif', receptors.in = { kind \
                 = 'delta' } }
stimuli.s = { target = 'p.in', kind = 'spikes', weight = '1 mV', file = 'times.csv' }
";
    let read = piped(here, &["check", "-"], named.as_bytes());
    assert_eq!(read.status.code(), Some(0), "{}", text(&read.stderr));
    for (input, words) in [(&b""[..], "nothing came"), (b"time_ms,unit\n1,0\n", "no scenario"), (b"PAR1", "Parquet")] {
        let refused = piped(here, &["run", "-"], input);
        assert_eq!(refused.status.code(), Some(2));
        let told = text(&refused.stderr);
        assert!(told.contains(words) && told.lines().count() == 1, "{told}");
    }
}
