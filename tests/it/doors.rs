//! Files that people bring, given to the real binary: each gives the right numbers, or is refused in words; nothing
//! of a file is lost without being told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use spikedeck::store;

/// What a run said and left.
struct Run {
    status: Option<i32>,
    said: String,
    folder: tempfile::TempDir,
}

impl Run {
    fn spikes(&self) -> Vec<(f64, u32)> {
        assert_eq!(self.status, Some(0), "{}", self.said);
        let table = store::read(&self.folder.path().join("out/spikes.parquet"), None).unwrap();
        table.numbers("time_ms").unwrap().into_iter().zip(table.unit_numbers("unit").unwrap()).collect()
    }

    fn trace(&self, file: &str, column: &str) -> Vec<f64> {
        assert_eq!(self.status, Some(0), "{}", self.said);
        store::read(&self.folder.path().join("out/traces").join(file), None).unwrap().numbers(column).unwrap()
    }

    fn refused(&self, words: &[&str]) {
        assert_eq!(self.status, Some(2), "{}", self.said);
        for word in words {
            assert!(self.plain().contains(word), "{word}: {}", self.said);
        }
        assert!(!self.said.contains("panick") && !self.said.contains("made a mistake"), "{}", self.said);
    }

    /// Without the line breaks of a narrow report.
    fn plain(&self) -> String {
        self.said.replace("│", " ").split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn run(scenario: &str, files: &[(&str, &str)]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    run_in(folder, scenario)
}

fn run_in(folder: tempfile::TempDir, scenario: &str) -> Run {
    fs::write(folder.path().join("s.toml"), scenario).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_spikedeck"))
        .args(["run", "s.toml", "--out", "out", "--threads", "1"])
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    Run { status: out.status.code(), said, folder }
}

/// Three relays that spike once for each event, and a file of events.
fn relays(file: &str, more: &str) -> String {
    format!(
        r#"
[simulation]
duration = "100 ms"
dt = "0.1 ms"
[models.relay]
equations = "dV_m/dt = -V_m/tau : V"
threshold = "V_m > V_th"
reset = "V_m = V_reset"
parameters = {{ tau = "1 ms", V_th = "0.5 mV", V_reset = "0 mV" }}
[populations.p]
model = "relay"
size = 3
receptors.in = {{ kind = "delta" }}
[stimuli.s]
target = "p.in"
kind = "spikes"
file = "{file}"
weight = "1 mV"
{more}
[record.p]
spikes = true
"#
    )
}

/// The right answer: three spikes of unit 0, two of units 1 and 2.
fn is_right(run: &Run) {
    let spikes = run.spikes();
    let times: Vec<f64> = spikes.iter().map(|s| (s.0 * 10.0).round() / 10.0).collect();
    let wanted = [10.0, 20.0, 30.0, 40.0, 55.0, 60.0, 80.0];
    assert!(
        times.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 0.11) && times.len() == 7,
        "{spikes:?}\n{}",
        run.said
    );
    assert_eq!(spikes.iter().map(|s| s.1).collect::<Vec<_>>(), [0, 1, 0, 1, 2, 0, 2]);
}

const ROWS: [(f64, u32); 7] = [(10.0, 0), (20.0, 1), (30.0, 0), (40.0, 1), (55.0, 2), (60.0, 0), (80.0, 2)];

/// The seven spikes under a heading, separated by `by`; each cell as `cell` writes it.
fn rows(heading: &str, by: &str, time: impl Fn(f64) -> String, unit: impl Fn(u32) -> String) -> String {
    let lines: Vec<String> = ROWS.iter().map(|r| format!("{}{by}{}", time(r.0), unit(r.1))).collect();
    format!("{heading}\n{}\n", lines.join("\n"))
}

#[test]
fn the_seven_spikes_are_seven_spikes_however_they_are_written() {
    let ms = |t: f64| t.to_string();
    let id = |u: u32| u.to_string();
    let plain = |heading: &str| rows(heading, ",", ms, id);
    for (name, text, more) in [
        ("unit", plain("time_ms,unit"), ""),
        ("neuron", plain("time_ms,neuron"), ""),
        ("id", plain("time_ms,id"), ""),
        ("node_id", plain("time_ms,node_id"), ""),
        ("Unit", plain("time_ms,Unit"), ""),
        ("blank", plain("time_ms, unit"), ""),
        ("sender", plain("spike_times_ms,sender"), ""),
        ("comment", format!("# exported by a rig\n{}", plain("time_ms,unit")), ""),
        ("mark", format!("\u{feff}{}", plain("time_ms,unit")), ""),
        ("semicolon", rows("time_ms;unit", ";", ms, id), ""),
        ("tab", rows("time_ms\tunit", "\t", ms, id), ""),
        ("comma", rows("time_s;unit", ";", |t| format!("{:.4}", t / 1e3).replace('.', ","), id), ""),
        ("seconds", rows("time_s,unit", ",", |t| (t / 1e3).to_string(), id), ""),
        ("stated", rows("time,unit", ",", |t| (t / 1e3).to_string(), id), "time_unit = \"s\""),
        ("text", rows("time_ms,unit", ",", ms, |u| format!("ch_{u}")), ""),
        ("from one", rows("time_ms,unit", ",", ms, |u| (u + 1).to_string()), "first_id = 1"),
        (
            "large",
            rows("time_ms,unit", ",", ms, |u| (u64::from(u) * 7 + 10_000_000_000).to_string()),
            "ids = \"in_order\"",
        ),
        (
            "population",
            rows("time_ms,unit,population", ",", ms, |u| format!("{u},exc")) + "50,1,inh\n",
            "population = \"exc\"",
        ),
    ] {
        let run = run(&relays("f.csv", more), &[("f.csv", &text)]);
        assert!(!run.plain().contains("not used"), "{name}: {}", run.said);
        is_right(&run);
    }
}

#[test]
fn what_a_file_cannot_say_is_asked_for() {
    let ms = |t: f64| t.to_string();
    let id = |u: u32| u.to_string();
    for (text, words) in [
        (
            rows("time,unit", ",", |t| (t / 1e3).to_string(), id),
            &["`time` of this file has no unit", "time_ms", "time_unit"][..],
        ),
        (rows("when,unit", ",", ms, id), &["no column `time_ms`; its columns are `when`, `unit`", "spike_times"]),
        (
            rows("time_ms,unit,population", ",", ms, |u| format!("{u},exc")) + "50,1,inh\n",
            &["`exc`, `inh`", "population = \"exc\""],
        ),
        (rows("10,0", ",", ms, id), &["has no heading", "`10,0`"]),
        (rows("time_ms,unit", ",", ms, |u| (u + 1).to_string()), &["unit 3", "first_id = 1"]),
        (rows("time_ms,unit", ",", ms, id) + ",0\nNaN,1\n", &["row 8 of column `time_ms`"]),
        (rows("time_ms,unit", ",", ms, id) + "-50,0\n", &["row 8 of this file", "negative", "-50 ms"]),
        (rows("time_ms,unit", ",", ms, id) + "60,0.5\n", &["row 8 of column `unit`", "0.5"]),
        (rows("time_ms,unit", ",", ms, id) + "60\n", &["line 9 has 1 cell"]),
    ] {
        run(&relays("f.csv", ""), &[("f.csv", &text)]).refused(words);
    }
    let misnamed = run(&relays("f.csv", ""), &[("f.csv", &rows("time_ms,unti", ",", ms, id))]);
    assert!(
        misnamed.plain().contains("`unti`") && misnamed.plain().contains("did you mean `unit`?"),
        "{}",
        misnamed.said
    );
}

#[test]
fn late_moved_doubled_and_merged_spikes_are_counted_in_text_and_in_files_alike() {
    let file = "time_ms,unit\n0,0\n10,1\n55,2\n55,2\n99.96,2\n1700000000000,0\n";
    let listed = "times = [\"0 ms\", \"10 ms\", \"55 ms\", \"55 ms\", \"99.96 ms\", \"1700000000000 ms\"]";
    for (scenario, text) in [(relays("f.csv", ""), file), (relays("f.csv", "").replace("file = \"f.csv\"", listed), "")]
    {
        let run = run(&scenario, &[("f.csv", text)]);
        let said = run.plain();
        for words in [
            "of 6 spikes",
            "5 arrive",
            "1 is after the end of the run",
            "1 is not on the grid",
            "at most 0.04 ms away",
            "twice",
        ] {
            assert!(said.contains(words), "{words}: {}", run.said);
        }
        let manifest = fs::read_to_string(run.folder.path().join("out/manifest.json")).unwrap();
        assert!(manifest.contains("of 6 spikes"), "the manifest knows it too");
    }
    let merged: String = (1..=20).map(|k| format!("{},0\n", f64::from(k) * 0.5)).collect();
    let coarse = relays("f.csv", "").replace("dt = \"0.1 ms\"", "dt = \"1 ms\"");
    let run = run(&coarse, &[("f.csv", &format!("time_ms,unit\n{merged}"))]);
    assert!(run.plain().contains("10 arrive at the same step and unit as another"), "{}", run.said);
    assert!(run.plain().contains("10 are not on the grid of 1 ms"), "{}", run.said);
    let on_grid = self::run(&relays("f.csv", ""), &[("f.csv", "time_ms,unit\n1,0\n2,1\n")]);
    assert!(!on_grid.said.contains("warning"), "{}", on_grid.said);
}

#[test]
fn times_off_the_grid_arrive_at_the_nearest_point() {
    let counter = r#"
[simulation]
duration = "50 ms"
dt = "0.1 ms"
[models.counter]
equations = "dV_m/dt = I/C : V"
inputs = { I = "A" }
parameters = { C = "1 nF" }
initial = { V_m = "0 mV" }
[populations.n]
model = "counter"
receptors.in = { kind = "delta" }
[stimuli.c]
target = "n.in"
kind = "spikes"
times = ["10.04 ms", "10.06 ms", "70 ms"]
weight = "1 mV"
[record.n]
traces = [{ name = "v", variables = ["V_m"], interval = "0.1 ms" }]
"#;
    let run = run(counter, &[]);
    let v = run.trace("n-v.parquet", "V_m_mV");
    let jumps: Vec<(usize, f64)> =
        (1..v.len()).filter(|&k| v[k] - v[k - 1] > 0.1).map(|k| (k, v[k] - v[k - 1])).collect();
    assert_eq!(jumps.len(), 2, "two events, two steps: {jumps:?}");
    assert!(jumps[1].0 - jumps[0].0 == 1 && jumps.iter().all(|j| (j.1 - 1.0).abs() < 1e-9), "{jumps:?}");
    assert!(run.plain().contains("2 are not on the grid of 0.1 ms"), "{}", run.said);
    assert!(run.plain().contains("1 is after the end of the run (50 ms)"), "{}", run.said);
}

fn tables() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables")
}

fn with_table(name: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(tables().join(format!("{name}.parquet")), folder.path().join("f.parquet")).unwrap();
    run_in(folder, &relays("f.parquet", ""))
}

#[test]
fn numbers_of_every_type_are_read_and_other_types_refused_by_name() {
    let names =
        ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"];
    let more = ["decimal", "decimal_wide", "duration", "metadata", "dictionary", "text", "beside"];
    for name in names.into_iter().chain(more) {
        is_right(&with_table(name));
    }
    let beside = with_table("beside");
    assert!(beside.plain().contains("`list`") && beside.plain().contains("not used"), "{}", beside.said);
    for (name, what) in [
        ("timestamp", "dates"),
        ("date", "dates"),
        ("clock", "times of day"),
        ("list", "lists"),
        ("struct", "structs"),
        ("map", "lists"),
        ("binary", "bytes"),
        ("nested", "lists"),
    ] {
        with_table(&format!("time_is_{name}")).refused(&["`time_ms`", what]);
    }
}

#[test]
fn damaged_tables_pipes_and_folders_are_refused_by_name() {
    let whole = fs::read(tables().join("int64.parquet")).unwrap();
    let cuts = [0, 4, 11, whole.len() / 2, whole.len() - 1];
    for (k, bytes) in cuts.iter().map(|&n| whole[..n].to_vec()).enumerate() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("f.parquet"), bytes).unwrap();
        let run = run_in(folder, &relays("f.parquet", ""));
        run.refused(&["f.parquet"]);
        assert!(k < cuts.len());
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("f.csv")).unwrap();
    run_in(folder, &relays("f.csv", "")).refused(&["f.csv is a folder"]);
    #[cfg(unix)]
    {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("mkfifo").arg(folder.path().join("f.csv")).status();
        if made.is_ok_and(|s| s.success()) {
            run_in(folder, &relays("f.csv", "")).refused(&["f.csv is a pipe or a device"]);
        }
    }
}

/// Ten neurons in a chain of four connections that a file lists.
fn chain(connect: &str, more: &str) -> String {
    format!(
        r#"
[simulation]
duration = "100 ms"
dt = "0.1 ms"
seed = 2
[populations.n]
model = "lif"
size = 10
receptors.exc = {{ kind = "exp_current", tau = "2 ms" }}
[projections.chain]
from = "n"
to = "n.exc"
connect = {{ {connect} }}
{more}
[record.n]
spikes = true
connections = true
"#
    )
}

fn weights(run: &Run) -> Vec<f64> {
    assert_eq!(run.status, Some(0), "{}", run.said);
    let table = store::read(&run.folder.path().join("out/connections.parquet"), None).unwrap();
    // In pA, to nine decimals.
    table.numbers("weight").unwrap().into_iter().map(|w| (w * 1e9).round() / 1e9).collect()
}

#[test]
fn weights_are_in_the_unit_that_is_stated_and_none_is_guessed() {
    let pairs = "0,1\n1,2\n3,4\n5,6\n";
    let each = |heading: &str, more: &str| {
        format!("{heading}\n{}", pairs.lines().map(|p| format!("{p}{more}\n")).collect::<String>())
    };
    let delay = "delay = \"2 ms\"";
    let said = run(
        &chain("edges = \"e.csv\"", "weight = \"500 pA\"\ndelay = \"2 ms\""),
        &[("e.csv", &each("source,target", ""))],
    );
    assert_eq!(weights(&said), [500.0; 4]);
    for (text, connect) in [
        (each("source,target,weight,weight_unit", ",500,pA"), "edges = \"e.csv\""),
        (each("source,target,weight_pA", ",500"), "edges = \"e.csv\""),
        (each("source,target,weight_nA", ",0.5"), "edges = \"e.csv\""),
        (each("source,target,weight", ",500"), "edges = \"e.csv\", weight_unit = \"pA\""),
    ] {
        assert_eq!(weights(&run(&chain(connect, delay), &[("e.csv", &text)])), [500.0; 4], "{text}");
    }
    for (text, words) in [
        (each("source,target,weight", ",500"), &["no unit", "weight_pA", "weight_unit"][..]),
        (each("source,target,weight_mV", ",500"), &["n.exc"]),
        (each("source,target,weigth_pA", ",500"), &["`weigth_pA`", "did you mean `weight`?"]),
        (each("source,target,weight_pA", ",500") + "0,2,x\n", &["row 5 of column `weight_pA` is no number: `x`"]),
        (each("source,target,weight_pA", ",500") + "0,2,\n1,2,inf\n", &["row 5 of column `weight_pA` is empty"]),
        (each("source,target,weight_pA,delay_ms", ",500,1") + "0,2,1,1.05\n", &["row 5", "no multiple of the step"]),
        (each("source,target,weight_pA,delay", ",500,1"), &["`delay` of this file has no unit"]),
        (each("source,target", "") + "0,10\n", &["row 5 of column `target` holds 10", "from 0 to 9"]),
        (each("source,target", "") + "0,b\n", &["row 5 of column `target` is no number: `b`"]),
    ] {
        run(&chain("edges = \"e.csv\"", "weight = \"7 pA\"\ndelay = \"1 ms\""), &[("e.csv", &text)]).refused(words);
    }
    let shifted =
        run(&chain("edges = \"e.csv\", first_id = 1", "weight = \"7 pA\""), &[("e.csv", "source,target\n1,10\n")]);
    let table = store::read(&shifted.folder.path().join("out/connections.parquet"), None).unwrap();
    assert_eq!((table.unit_numbers("source").unwrap(), table.unit_numbers("target").unwrap()), (vec![0], vec![9]));
}

/// The connections of a run, given to another, make the same network, in units of voltage, current and conductance, and
/// in both formats.
#[test]
fn connections_that_were_written_read_back_as_the_same_network() {
    let scenario = |receptor: &str, connect: &str, drawn: &str| {
        format!(
            r#"
[simulation]
duration = "30 ms"
dt = "0.1 ms"
seed = 5
[populations.src]
model = "lif"
size = 3
receptors.in = {{ kind = "delta" }}
[populations.n]
model = "lif"
size = 3
parameters = {{ V_th = "1000 V" }}
receptors.in = {{ {receptor} }}
[stimuli.s]
target = "src.in"
kind = "spikes"
times = ["5 ms"]
weight = "50 mV"
[projections.p]
from = "src"
to = "n.in"
connect = {{ {connect} }}
{drawn}
[projections.q]
from = "src"
to = "n.in"
connect = {{ {} }}
{drawn}
[record.src]
connections = true
[record.n]
traces = [{{ name = "v", variables = ["V_m"], interval = "0.1 ms" }}]
"#,
            connect.replace("projection = \"p\"", "projection = \"q\"")
        )
    };
    for (receptor, unit) in [
        ("kind = \"delta\"", "mV"),
        ("kind = \"exp_current\", tau = \"3 ms\"", "pA"),
        ("kind = \"exp_conductance\", tau = \"3 ms\"", "nS"),
    ] {
        let drawn = format!(
            "weight = {{ uniform = [\"1 {unit}\", \"2 {unit}\"] }}\ndelay = {{ uniform = [\"1 ms\", \"3 ms\"] }}"
        );
        let first = run(&scenario(receptor, "rule = \"fixed_indegree\", indegree = 2", &drawn), &[]);
        assert_eq!(first.status, Some(0), "{}", first.said);
        let folder = tempfile::tempdir().unwrap();
        let wiring = first.folder.path().join("out/connections.parquet");
        fs::copy(&wiring, folder.path().join("c.parquet")).unwrap();
        let again = run_in(folder, &scenario(receptor, "edges = \"c.parquet\", projection = \"p\"", ""));
        let [a, b] =
            [&first, &again].map(|r| store::read(&r.folder.path().join("out/connections.parquet"), None).unwrap());
        let sorted = |t: &store::Table| {
            let (s, d) = (t.unit_numbers("source").unwrap(), t.unit_numbers("target").unwrap());
            let (w, l) = (t.numbers("weight").unwrap(), t.numbers("delay_ms").unwrap());
            let names = t.texts("projection").unwrap();
            let mut rows: Vec<String> =
                (0..s.len()).map(|k| format!("{} {} {} {} {}", names[k], s[k], d[k], w[k], l[k])).collect();
            rows.sort();
            rows
        };
        assert_eq!(sorted(&a), sorted(&b), "{unit}");
        let (v, w) = (first.trace("n-v.parquet", "V_m_mV"), again.trace("n-v.parquet", "V_m_mV"));
        assert!(v.iter().zip(&w).all(|(a, b)| (a - b).abs() <= 1e-12 * a.abs()), "{unit}");
        assert!(v.iter().any(|a| (a - v[0]).abs() > 1e-6), "something arrives");
    }
}

/// A probe of an input, and a file that drives it.
fn probe(duration: &str, dt: &str, file: &str, more: &str) -> String {
    format!(
        r#"
[simulation]
duration = "{duration}"
dt = "{dt}"
[models.probe]
equations = """
dz/dt = -z/tau : 1
x = I : 1
"""
inputs = {{ I = "1" }}
parameters = {{ tau = "1 s" }}
[populations.s]
model = "probe"
[stimuli.f]
target = "s.I"
kind = "file"
file = "{file}"
{more}
[record.s]
traces = [{{ name = "x", variables = ["x"], interval = "{dt}" }}]
"#
    )
}

#[test]
fn a_signal_is_itself_from_its_first_sample_to_its_last_and_nothing_is_appended() {
    let constant: String = (0..1000).map(|k| format!("{k},-70\n")).collect();
    let run_of = |more: &str, text: &str| run(&probe("1 s", "1 ms", "f.csv", more), &[("f.csv", text)]);
    let values = run_of("", &format!("time_ms,V\n{constant}")).trace("s-x.parquet", "x");
    assert!(values.iter().all(|v| *v == -70.0) && values.len() == 1001, "{values:?}");
    let ramp: String = (0..=1000).map(|k| format!("{k},{}\n", k + 1)).collect();
    let values = run_of("", &format!("time_ms,V\n{ramp}")).trace("s-x.parquet", "x");
    assert_eq!((values[0], values[1], values[1000]), (1.0, 2.0, 1001.0), "the first sample is kept");
    let half: String = (0..500).map(|k| format!("{k},3\n")).collect();
    let text = format!("time_ms,V\n{half}");
    run_of("", &text).refused(&[
        "from 0 ms to 500 ms, and the run from 0 to 1000 ms",
        "outside = 0.0",
        "outside = \"hold\"",
    ]);
    let held = run_of("outside = \"hold\"", &text).trace("s-x.parquet", "x");
    assert!(held.iter().all(|v| *v == 3.0));
    let stated = run_of("outside = -1.0", &text).trace("s-x.parquet", "x");
    assert!(stated[..500].iter().all(|v| *v == 3.0) && stated[500..].iter().all(|v| *v == -1.0), "{stated:?}");
    let plain: String = (0..1000).map(|k| format!("{}\n", k % 2)).collect();
    let rated = run_of("rate = \"1 kHz\"", &format!("V\n{plain}")).trace("s-x.parquet", "x");
    assert_eq!(rated[..4], [0.0, 1.0, 0.0, 1.0]);
    run_of("", &format!("V\n{plain}")).refused(&["no column of times", "interval = \"1 ms\""]);
    let nan = "time_ms,x\n0,1\n1,NaN\n2,1\n";
    run_of("", nan).refused(&["row 2 of column `x`", "NaN"]);
    run_of("", "time_ms,x\n0,1\n1,1\n3,1\n").refused(&["row 3 is 2 after row 2, others are 1 apart"]);
}

#[test]
fn an_interval_that_is_not_the_step_is_told_with_both() {
    let fine: String = (0..=2000).map(|k| format!("{},{k}\n", f64::from(k) * 0.05)).collect();
    let run_of =
        |dt: &str, more: &str| run(&probe("100 ms", dt, "f.csv", more), &[("f.csv", &format!("time_ms,x\n{fine}"))]);
    let coarse = run_of("0.1 ms", "");
    assert!(coarse.plain().contains("0.05 ms apart, and the step is 0.1 ms"), "{}", coarse.said);
    assert_eq!(coarse.trace("s-x.parquet", "x")[..3], [0.0, 2.0, 4.0]);
    let finer = run_of("0.025 ms", "");
    assert!(finer.plain().contains("each holds until the next"), "{}", finer.said);
    let stated = run_of("0.025 ms", "interpolation = \"linear\"");
    assert!(!stated.said.contains("warning"), "{}", stated.said);
    let drawn = stated.trace("s-x.parquet", "x");
    assert!((0..4).all(|k| (drawn[k] - 0.5 * k as f64).abs() < 1e-9), "{:?}", &drawn[..4]);
    let same = run_of("0.05 ms", "");
    assert!(!same.said.contains("warning"), "{}", same.said);
}

/// Times in 32 bits are k dt as far as the file can tell: sample k acts at step k, at the end of a long file too.
#[test]
fn times_in_32_bits_and_rounded_times_do_not_drift() {
    let times = |write: &dyn Fn(f64) -> String| -> String {
        (0..=3000).map(|k| format!("{},{k}\n", write(f64::from(k) * 0.1))).collect()
    };
    let single = times(&|t| f64::from(t as f32).to_string());
    let third: String = (0..=900).map(|k| format!("{:.3},{k}\n", f64::from(k) / 3.0)).collect();
    let duration = "300 ms";
    for (dt, text, n) in [("0.1 ms", single, 3000), ("0.25 ms", third, 900)] {
        let run =
            run(&probe(duration, dt, "f.csv", "interpolation = \"hold\""), &[("f.csv", &format!("time_ms,x\n{text}"))]);
        let values = run.trace("s-x.parquet", "x");
        if n == 3000 {
            assert!(values.iter().enumerate().all(|(k, v)| *v == k as f64), "sample k at step k");
        } else {
            assert_eq!((values[0], values[4], values[1200]), (0.0, 3.0, 900.0));
        }
    }
}

#[test]
fn what_is_no_scenario_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String =
        std::iter::once("time_ms,unit\n".into()).chain((0..20_000).map(|k| format!("{k},0\n"))).collect();
    fs::write(folder.path().join("t.csv"), &rows).unwrap();
    fs::write(folder.path().join("t.toml"), &rows).unwrap();
    fs::write(folder.path().join("p.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    for name in ["t.csv", "t.toml", "p.png", "empty", "nothing.toml"] {
        for args in
            [vec!["run", name], vec!["check", name], vec!["compare", name, name], vec!["plot", name, "--analysis", "a"]]
        {
            let out = Command::new(env!("CARGO_BIN_EXE_spikedeck"))
                .args(&args)
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&out.stderr);
            assert_eq!(out.status.code(), Some(2), "{args:?}: {said}");
            assert!(said.lines().count() == 1 && said.len() < 500 && said.contains(name), "{args:?}: {said}");
        }
    }
}

/// Where a report says something is: the text under its caret, and `file:line:column`.
fn under_caret(said: &str) -> (String, String) {
    let lines: Vec<&str> = said.lines().collect();
    // Warnings about the scenario may stand before it.
    let is_place = |l: &&str| l.contains('╭') && l.contains(".csv:");
    let at = lines.iter().position(is_place).unwrap_or_else(|| panic!("no place in {said}"));
    let place = lines[at].split_once('[').unwrap().1.trim_end_matches(']').to_owned();
    let mark = |c: char| matches!(c, '─' | '┬' | '▲');
    let caret = lines.iter().skip(at + 1).position(|l| l.contains('·')).unwrap() + at + 1;
    let column = |l: &str| l.chars().position(|c| matches!(c, '│' | '·')).unwrap();
    let above: Vec<char> = lines[caret - 1].chars().collect();
    let below: Vec<char> = lines[caret].chars().collect();
    let from = column(lines[caret]);
    let marked = (from..below.len()).filter(|&k| mark(below[k])).filter_map(|k| above.get(k));
    (marked.collect(), place)
}

/// Whatever is wrong with a file of data is shown as what is wrong with a scenario is: the file, the line, its text,
/// and a caret under the field; also where a comment, a byte order mark, quotes or another separator stand before it.
#[test]
fn what_is_wrong_with_a_file_of_data_is_shown_under_its_field() {
    let one = |text: &str| run(&relays("f.csv", ""), &[("f.csv", text)]);
    for (text, field, place) in [
        ("time_ms,unit\n5,0\nten,1\n", "ten", "f.csv:3:1"),
        ("# of ours\n\ntime_ms;unit\n5;0\n\n  7 ; 1.5 \n", "1.5", "f.csv:6:7"),
        ("\u{feff}unit\ttime_ms\n0\t5\n1\t-7\n", "-7", "f.csv:3:3"),
        ("time_ms,unit,note\n5,0,\"a, \"\"b\"\"\"\n6,7,x\n", "7", "f.csv:3:3"),
        ("time_ms,note,unit\n5,\"two\nlines\",0\n6,x,9\n", "9", "f.csv:4:5"),
        ("time_ms unit\n5 0\n  nan 1\n", "nan", "f.csv:3:3"),
        ("time_ms,unit\r\n5,0\r\n6,1,2\r\n", "2", "f.csv:3:5"),
        ("time_ms,unit\n5,0\n6\n", "6", "f.csv:3:1"),
        ("time_ms,unit\n5,0\n6,\"1\n", "\"", "f.csv:3:3"),
        ("when,unit\n5,0\n", "when,unit", "f.csv:1:1"),
        ("time,unit\n5,0\n", "time", "f.csv:1:1"),
        ("time_ms,unit,time_s\n5,0,1\n", "time_s", "f.csv:1:14"),
        ("time_ms,unit,unit\n5,0,1\n", "unit", "f.csv:1:14"),
        ("5,0\n6,1\n", "5,0", "f.csv:1:1"),
    ] {
        let run = one(text);
        run.refused(&[]);
        assert_eq!(under_caret(&run.said), (field.to_owned(), place.to_owned()), "{text}\n{}", run.said);
    }
    // An empty field has a caret where it would stand.
    let empty = one("time_ms,unit\n5,0\n,1\n");
    assert!(empty.said.contains("f.csv:3:1") && empty.plain().contains("row 2 of column `time_ms` is empty"));
}

/// The same in lists of connections and in signals, and for `analyze`.
#[test]
fn connections_signals_and_recordings_show_their_fields_too() {
    let edges =
        |text: &str| run(&chain("edges = \"e.csv\"", "weight = \"7 pA\"\ndelay = \"1 ms\""), &[("e.csv", text)]);
    for (text, field, place) in [
        ("source,target\n0,1\n0,77\n", "77", "e.csv:3:3"),
        ("source,target\n0,1\nx,1\n", "x", "e.csv:3:1"),
        ("source,target,delay_ms\n0,1,1\n0,1,1.05\n", "1.05", "e.csv:3:5"),
        ("source,target,weight,weight_unit\n0,1,1,pA\n0,1,1,zz\n", "zz", "e.csv:3:7"),
        ("source,target,weigth_pA\n0,1,1\n", "weigth_pA", "e.csv:1:15"),
    ] {
        let run = edges(text);
        run.refused(&[]);
        assert_eq!(under_caret(&run.said), (field.to_owned(), place.to_owned()), "{text}\n{}", run.said);
    }
    let folder = tempfile::tempdir().unwrap();
    for (text, field, place) in [
        ("time_ms,v_mV\n0,1\n1,2\n2,oops\n3,4\n", "oops", "f.csv:4:3"),
        ("time_ms,v_mV\n0,1\n1,2\n1,3\n", "1", "f.csv:4:1"),
        ("time_ms,v_mV\n0,1\n1,2\n5,3\n6,4\n", "5", "f.csv:4:1"),
        ("time_ms,v_mV\n", "time_ms,v_mV", "f.csv:1:1"),
    ] {
        fs::write(folder.path().join("f.csv"), text).unwrap();
        let out = Command::new(env!("CARGO_BIN_EXE_spikedeck"))
            .args(["analyze", "f.csv"])
            .current_dir(folder.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{said}");
        assert_eq!(under_caret(&said), (field.to_owned(), place.to_owned()), "{text}\n{said}");
    }
}

/// A heading without rows brings nothing, and that is said wherever such a table is read.
#[test]
fn a_table_without_rows_is_told() {
    for scenario in [
        relays("f.csv", ""),
        relays("f.csv", "").replace("model = \"relay\"\nsize = 3\nreceptors.in = { kind = \"delta\" }", SOURCE),
    ] {
        let scenario = if scenario.contains("spike_source") {
            let (before, rest) = scenario.split_once("[stimuli.s]").unwrap();
            format!("{before}[record.p]{}", rest.split_once("[record.p]").unwrap().1)
        } else {
            scenario
        };
        let run = run(&scenario, &[("f.csv", "time_ms,unit\n")]);
        assert!(run.plain().contains("0 rows") && run.spikes().is_empty(), "{}", run.said);
    }
    let connected = chain("edges = \"f.csv\"", "weight = \"7 pA\"\ndelay = \"1 ms\"");
    let none = run(&connected, &[("f.csv", "source,target\n")]);
    assert!(none.plain().contains("0 rows"), "{}", none.said);
    // A table that another program wrote, and the own of a run in which nothing fired, also by its population.
    let folder = tempfile::tempdir().unwrap();
    fs::copy(tables().join("no_rows.parquet"), folder.path().join("f.parquet")).unwrap();
    let other = run_in(folder, &relays("f.parquet", ""));
    assert!(other.plain().contains("0 rows") && other.spikes().is_empty(), "{}", other.said);
    let silent = run(&relays("f.csv", ""), &[("f.csv", "time_ms,unit\n")]);
    let own = silent.folder.path().join("out/spikes.parquet").display().to_string();
    for more in ["", "population = \"p\""] {
        let again = run(&relays(&own, more), &[]);
        assert!(again.plain().contains("0 rows") && again.spikes().is_empty(), "{}", again.said);
    }
}

const SOURCE: &str = "model = \"spike_source\"\nsize = 3\nspikes = { kind = \"spikes\", file = \"f.csv\" }";

/// A morphology that cannot be read has its own error, and what names its places, which are not known, has none.
#[test]
fn a_broken_morphology_is_told_once() {
    let scenario = |morphology: &str| {
        format!(
            r#"
[simulation]
duration = "10 ms"
dt = "0.1 ms"
[populations.cell]
model = "membrane"
morphology = "{morphology}"
threshold_at = "dendrite_0(0.5)"
channels.leak = {{ kind = "leak", at = "soma" }}
[record.cell]
traces = [{{ name = "v", variables = ["V_m"], units = ["soma", "dendrite_0(0.5)"] }}]
[stimuli.i]
kind = "step"
target = "cell.I[soma]"
amplitude = "1 nA"
start = "1 ms"
[analyses.l]
kind = "levels"
of = "cell.V_m[soma]"
"#
        )
    };
    let broken = "1 1 0 0 0 1 -1\n2 3 0 0 oops 1 1\n3 3 0 20 0 1 2\n";
    let run = run(&scenario("broken.swc"), &[("broken.swc", broken)]);
    run.refused(&["`oops` is no number", "broken.swc:2"]);
    assert_eq!(run.said.matches('×').count(), 1, "{}", run.said);
    // The caret is under the word.
    assert!(run.said.contains("broken.swc:2:9"), "{}", run.said);
}
