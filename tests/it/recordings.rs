//! Recordings of other programs: NWB and SONATA files, arrays, as pynwb, h5py and NumPy write them
//! (`data/reference/recordings`), and spikes in the layout of SONATA.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use spikedeck::run::{Finished, Sampling, recording_from, recording_from_bytes};
use spikedeck::signal::{Spikes, Trace, Window};
use spikedeck::store::write_sonata;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/reference/recordings").join(name)
}

fn open(name: &str) -> Finished {
    recording_from(&file(name), &Sampling::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn refusal(name: &str) -> String {
    recording_from(&file(name), &Sampling::default()).unwrap_err().to_string()
}

fn expected(name: &str) -> Value {
    let text = std::fs::read_to_string(file("expected.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[name].take()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn spikedeck(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
    command.env("NO_COLOR", "1").current_dir(folder).stdin(Stdio::null()).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The value of a metric in `analyze ... --json`.
fn value(output: &Output, subject: &str, metric: &str) -> f64 {
    let stdout = text(&output.stdout);
    let rows = stdout.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
    let found = rows.into_iter().find(|v| v["subject"] == subject && v["metric"] == metric);
    let found = found.unwrap_or_else(|| panic!("{subject} {metric} in {stdout}{}", text(&output.stderr)));
    found["value"].as_f64().unwrap()
}

fn near(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (k, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= 1e-12 * y.abs().max(1e-3), "{k}: {x} {y}");
    }
}

fn channel(trace: &Trace, k: usize) -> Vec<f64> {
    trace.values.iter().skip(k).step_by(trace.units.len()).copied().collect()
}

fn warns(run: &Finished, words: &str) {
    assert!(run.warnings.iter().any(|w| w.contains(words)), "{words}: {:?}", run.warnings);
}

#[test]
fn units_of_nwb_have_regions_names_and_an_observed_stretch() {
    let (run, wanted) = (open("units.nwb"), expected("units.nwb"));
    let recording = &run.recording;
    for region in ["CA1", "V1"] {
        let spikes = recording.spikes_of(region).unwrap();
        let times: Vec<f64> = numbers(&wanted[region]["times_s"]).iter().map(|t| t * 1000.0).collect();
        near(&spikes.times, &times);
        assert_eq!(Some(spikes.size as u64), wanted[region]["size"].as_u64(), "{region}");
    }
    // The second unit never fired and is one all the same.
    assert!(recording.spikes_of("CA1").unwrap().units.iter().all(|&u| u == 0));
    assert_eq!(recording.window, Window { start: 0.0, stop: 5000.0 });
    warns(&run, "CA1: units are numbered in the order of the file: `cell_0` is unit 0, `cell_1` is unit 1");
    warns(&run, "units were not all observed at all times: analyses look at 0 s to 5 s");
    warns(&run, "`units` columns quality");
    // What tells conditions is read too, and the trials are known.
    assert!(!run.warnings.iter().any(|w| w.contains("intervals/trials")), "{:?}", run.warnings);
    let [trials] = &recording.trial_times[..] else { panic!("one table of trials") };
    assert_eq!((trials.at.as_slice(), trials.window.stop), (&[0.0, 2e3, 4e3, 6e3, 8e3][..], 1500.0));
    assert_eq!(trials.populations, ["CA1", "V1"]);
    let [labels] = &run.facts.trial_tables[0].labels[..] else { panic!("one column of conditions") };
    assert_eq!((labels.0.as_str(), labels.1.join("")), ("stimulus", "ababa".to_owned()));
    // Trials are events: their starts and stops.
    warns(&run, "`trials.spikes` are events: [0] start_time, [1] stop_time");
    assert_eq!(recording.spikes_of("trials").unwrap().len(), 10);
    assert_eq!(run.facts.event_populations, ["trials"]);
    warns(&run, "`acquisition/licks` (the samples of this file are not evenly spaced");
    assert!(!run.warnings.iter().any(|w| w.contains("silent units")), "{:?}", run.warnings);
}

#[test]
fn series_of_nwb_have_their_times_units_and_conversions() {
    let (run, wanted) = (open("units.nwb"), expected("units.nwb"));
    let trace = |name: &'static str| run.recording.traces_of(name, "data").next().unwrap();
    let (raw, lfp, eye) = (trace("raw"), trace("lfp"), trace("eye"));
    near(&channel(raw, 1), &numbers(&wanted["raw"]));
    near(&channel(lfp, 0), &numbers(&wanted["lfp"]));
    assert_eq!((raw.start, raw.interval, raw.unit.as_str(), raw.column.as_str()), (500.0, 100.0, "V", "data_V"));
    assert_eq!((lfp.start, lfp.interval, lfp.units.len()), (0.0, 50.0, 2));
    // Its times are written one by one, and `degrees` is no unit here.
    assert_eq!((eye.start, eye.interval, eye.unit.as_str()), (0.0, 500.0, ""));
    warns(&run, "`acquisition/eye` is in `degrees`");
    let run = open("compressed.nwb");
    let [wave] = &run.recording.traces[..] else { panic!("one series") };
    near(&channel(wave, 2), &numbers(&expected("compressed.nwb")));
    assert_eq!((run.recording.window, wave.unit.as_str()), (Window { start: -10.0, stop: 2990.0 }, "V"));
}

/// Silence and absence are different things: what one unit alone was seen in says nothing of both.
#[test]
fn two_equal_trains_of_which_one_ends_half_way_are_equal_over_what_both_saw() {
    let folder = tempfile::tempdir().unwrap();
    let path = file("halves.nwb");
    let args = ["analyze", path.to_str().unwrap(), "--with", "synchrony", "--with", "rates", "--json"];
    let output = spikedeck(folder.path(), &args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let each = expected("halves.nwb")["each"].as_f64().unwrap();
    for (metric, wanted) in
        [("isi_distance", 0.0), ("spike_distance", 0.0), ("spike_sync", 1.0), ("mean_rate", each / 10.0)]
    {
        let found = value(&output, "halves.spikes", metric);
        assert!((found - wanted).abs() < 1e-12, "{metric} {found}");
    }
}

#[test]
fn populations_of_sonata_are_read_in_their_units_of_time() {
    let (run, wanted) = (open("spikes.h5"), expected("spikes.h5"));
    for name in ["v1", "lgn"] {
        near(&run.recording.spikes_of(name).unwrap().times, &numbers(&wanted[name]));
    }
    assert_eq!(run.recording.spikes_of("lgn").unwrap().size, 9);
    warns(&run, "lgn: ids in this file are 5 to 8");
    for name in ["newest.h5", "oldest.h5"] {
        let run = open(name);
        let spikes = run.recording.spikes_of("p").unwrap();
        assert_eq!((spikes.len(), spikes.times[99], spikes.units[99], spikes.size), (100, 99.0, 1, 7), "{name}");
        warns(&run, "has no attribute `units`: its times are milliseconds");
    }
    let run = open("report.h5");
    let [trace] = &run.recording.traces[..] else { panic!("one report") };
    near(&channel(trace, 3), &numbers(&expected("report.h5")));
    assert_eq!((trace.population.as_str(), trace.interval, trace.unit.as_str()), ("v1", 0.1, "mV"));
}

/// Times are in the unit that stands beside them, wherever they stand; what is said twice and differently is not taken.
#[test]
fn times_of_nwb_are_in_the_unit_that_they_state() {
    let run = open("milliseconds.nwb");
    let spikes = run.recording.spikes.iter().find(|s| s.size == 2 && s.len() == 5).expect("two units");
    near(&spikes.times, &[100.0, 250.0, 400.0, 500.0, 900.0]);
    let own = run.recording.population(&spikes.population).unwrap();
    near(&[own.observed[0][0].0, own.observed[0][0].1], &[0.0, 1000.0]);
    let trials = run.recording.spikes.iter().find(|s| s.population == "trials").expect("trials are events");
    assert!(trials.times.iter().all(|t| [0.0, 500.0, 1000.0].contains(t)), "{:?}", trials.times);
    let signals: Vec<&str> = run.recording.traces.iter().map(|t| t.population.as_str()).collect();
    assert_eq!(signals, ["both", "by_start", "by_times"], "{:?}", run.warnings);
    for trace in &run.recording.traces {
        near(&[trace.start, trace.interval], &[20.0, 10.0]);
    }
    warns(&run, "its rate and its `timestamps` say different times: it lasts from 0.02 s to 1.01 s by the one");
    warns(&run, "its `conversion` is 0, which makes all samples alike");
}

#[test]
fn a_report_has_the_rows_that_its_time_says() {
    let told = refusal("rows.h5");
    assert!(told.contains("from 0 to 100 in steps of 1 there are 100 rows, and it has 90"), "{told}");
}

/// Writes a table of `rows` under a heading, and opens it.
fn table(heading: &str, rows: impl Iterator<Item = String>) -> Result<Finished, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let rows: Vec<String> = rows.collect();
    std::fs::write(&path, format!("{heading}\n{}\n", rows.join("\n"))).unwrap();
    recording_from(&path, &Sampling::default()).map_err(|e| e.to_string())
}

/// However a column of ids is spelled and whatever its case, rows are spikes of these units.
#[test]
fn ids_of_units_are_known_however_they_are_spelled() {
    for name in
        ["unit", "unitID", "Unit ID", "unit-id", "NEURON", "cell", "cellId", "electrode", "Channel", "gid", "clusters"]
    {
        let rows = (0..40).map(|k| format!("{},{}", 3.7 * f64::from(k * k), k % 5));
        let run = table(&format!("time_ms,{name}"), rows).unwrap();
        assert_eq!((run.recording.traces.len(), run.recording.spikes[0].size), (0, 5), "{name}");
    }
    // What nobody knows for ids is taken for a signal, and what would be right is said.
    let rows = (0..40).map(|k| format!("{},{}", 3.7 * f64::from(k * k), k % 5));
    let told = table("time_ms,probe", rows).unwrap_err();
    assert!(told.contains("not evenly spaced") && told.contains("of spikes a column `unit`"), "{told}");
    // Where units were recorded is told beside them, and is not what they are.
    let rows = (0..40).map(|k| format!("{},{},{}", 3.7 * f64::from(k * k), k % 5, k % 2));
    let run = table("time_ms,unit,electrode", rows).unwrap();
    assert_eq!(run.recording.spikes[0].size, 5);
    warns(&run, "column `electrode`");
}

/// Each column of values is a variable with the unit that it states, and none is lost where names are alike.
#[test]
fn every_column_of_values_is_a_variable_with_its_unit() {
    let wave = |k: i32| format!("{k},{:.4},{:.4}", (f64::from(k) * 0.1).sin(), (f64::from(k) * 0.2).cos());
    for (heading, wanted) in [
        ("time_ms,v_mV,w_pA", [("v", "mV"), ("w", "pA")]),
        ("time_ms,v_mV,v_uV", [("v_mV", "mV"), ("v_uV", "uV")]),
        ("time_ms,v_mV,v (V)", [("v_mV", "mV"), ("v (V)", "V")]),
        ("time_ms,v (V),w [A]", [("v", "V"), ("w", "A")]),
        ("time_ms,V_m,v_V", [("V_m", ""), ("v_V", "")]),
    ] {
        let run = table(heading, (0..200).map(wave)).unwrap();
        let found: Vec<_> = run.recording.traces.iter().map(|t| (t.variable.as_str(), t.unit.as_str())).collect();
        assert_eq!(found, wanted, "{heading}");
        let told = run.warnings.iter().any(|w| w.contains("`V` at the end of `v_V` is taken for part of the name"));
        assert_eq!(told, heading.ends_with("v_V"), "{:?}", run.warnings);
    }
    // A column of units of measure says it of the values, and is no unit of a population.
    let run = table("time_ms,value,unit", (0..200).map(|k| format!("{k},{},mV", k % 7))).unwrap();
    let [trace] = &run.recording.traces[..] else { panic!("{:?}", run.recording.traces) };
    assert_eq!((trace.variable.as_str(), trace.unit.as_str(), trace.units.len()), ("value", "mV", 1));
    let two = (0..200).map(|k| format!("{},{},{}", k / 2, k % 7, if k % 2 == 0 { "mV" } else { "pA" }));
    let told = table("time_ms,value,unit", two).unwrap_err();
    assert!(told.contains("some rows are in mV and others in pA") && told.contains("a column of its own"), "{told}");
    let all = |unit: &'static str| (0..200).map(move |k| format!("{k},{},{unit}", k % 7));
    for (heading, unit, wanted) in [("value", "V", "V"), ("v_uV", "uV", "uV"), ("v_V", "V", "V"), ("value", "B", "")] {
        let run = table(&format!("time_ms,{heading},unit"), all(unit)).unwrap();
        assert_eq!(run.recording.traces[0].unit, wanted, "{heading} {unit}");
        assert_eq!(run.warnings.iter().any(|w| w.contains("is measured in")), !wanted.is_empty(), "{:?}", run.warnings);
    }
    let told = table("time_ms,v_uV,unit", all("mV")).unwrap_err();
    assert!(told.contains("in uV by its name and in mV by column `unit`"), "{told}");
    let run = table("time_ms,v,w,unit", (0..200).map(|k| format!("{k},{},{},mV", k % 7, k % 5))).unwrap();
    assert_eq!(run.recording.traces.iter().map(|t| t.unit.as_str()).collect::<Vec<_>>(), ["", ""]);
    warns(&run, "says `mV` and not of which of 2 columns of values");
    for unit in ["ms", "s"] {
        let told = table("time,unit", (0..50).map(|k| format!("{},{unit}", k * k))).unwrap_err();
        assert!(told.contains("a unit of measure and no name of a unit") && told.contains("`time_ms`"), "{told}");
    }
}

/// Samples of which some are missing are no spikes.
#[test]
fn a_signal_with_gaps_is_not_read_as_spikes() {
    let rows = |keep: fn(i32, i32) -> bool| {
        let all = (0..300).flat_map(move |t| (0..3).map(move |unit| (t, unit)));
        all.filter(move |(t, unit)| keep(*t, *unit)).map(|(t, unit)| format!("{t},{unit},{}", t % 11))
    };
    assert_eq!(table("time_ms,unit,value", rows(|_, _| true)).unwrap().recording.traces.len(), 1);
    for keep in [(|t, unit| unit != 2 || t < 200) as fn(i32, i32) -> bool, |t, unit| unit != 0 || t >= 50] {
        let told = table("time_ms,unit,value", rows(keep)).unwrap_err();
        assert!(told.contains("no sample of unit"), "{told}");
    }
    // Spikes with a column of their own beside them stay spikes.
    let spikes = (0..100).map(|k| format!("{},{},{}", 1.3 * f64::from(k * k), k % 4, 0.1 * f64::from(k)));
    assert_eq!(table("time_ms,unit,amplitude", spikes).unwrap().recording.spikes[0].len(), 100);
}

/// Trials whose times begin anew are not laid on each other: a run's table with trials is refused, its folder opens.
#[test]
fn rows_of_several_trials_are_not_laid_on_each_other() {
    let trials = |n: i32| (0..60).map(move |k| format!("{},{},{}", 7.1 * f64::from(k / n), k % 3, k % n));
    for heading in ["time_ms,unit,trial", "time_ms,Unit,TrialID", "time_ms,value_mV,trial"] {
        let told = table(heading, trials(3)).unwrap_err();
        assert!(told.contains("of 3 trials") && told.contains("open the folder of the run"), "{told}");
        table(heading, trials(1)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let scenario = "
        simulation = { duration = '300 ms', dt = '0.1 ms', seed = 1 }
        trials.count = 3
        populations.p = { model = 'lif', size = 3 }
        stimuli.n = { target = 'p.I', kind = 'ou_noise', mean = '0.4 nA', sigma = '0.2 nA', tau = '5 ms' }
        record.p = { spikes = true, traces = [{ variables = ['V_m'] }] }
    ";
    std::fs::write(folder.path().join("t.toml"), scenario).unwrap();
    let ran = spikedeck(folder.path(), &["run", "t.toml", "--out", "t"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let tables = std::fs::read_dir(folder.path().join("t/traces")).unwrap().map(|f| f.unwrap().path());
    for path in tables.chain([folder.path().join("t/spikes.parquet")]) {
        let told = recording_from(&path, &Sampling::default()).unwrap_err().to_string();
        assert!(told.contains("of 3 trials (column `trial`"), "{told}");
    }
    assert!(spikedeck(folder.path(), &["analyze", "t", "--with", "rates"]).status.success());
}

/// A signal that begins where the run does: its first sample is of the time before, which is told, and what is told
/// takes it in.
#[test]
fn the_first_sample_of_a_signal_is_told_and_can_be_taken() {
    for interval in [1.0, 0.25, 10.0] {
        let folder = tempfile::tempdir().unwrap();
        let rows: Vec<String> = (0..40).map(|k| format!("{},{}", interval * f64::from(k), k * k)).collect();
        std::fs::write(folder.path().join("x.csv"), format!("time_ms,x_mV\n{}\n", rows.join("\n"))).unwrap();
        let ran = |start: &str| {
            let duration = interval * 40.0;
            let scenario = format!(
                "simulation = {{ duration = '{duration} ms', dt = '0.05 ms', seed = 1 }}
                recordings.r = {{ file = 'x.csv'{start} }}
                analyses.l = {{ kind = 'levels', of = 'r.x' }}"
            );
            std::fs::write(folder.path().join("r.toml"), scenario).unwrap();
            let ran = spikedeck(folder.path(), &["run", "r.toml", "--json"]);
            assert!(ran.status.success(), "{}{}", text(&ran.stdout), text(&ran.stderr));
            text(&ran.stdout)
        };
        let mean =
            |values: std::ops::Range<i32>| f64::from(values.clone().map(|k| k * k).sum::<i32>()) / values.len() as f64;
        let found = |told: &str| {
            let all: Vec<serde_json::Value> = told.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            all.iter().find(|o| o["metric"] == "mean").and_then(|o| o["value"].as_f64()).expect("a mean")
        };
        let told = ran("");
        assert!(told.contains(&format!("`start = \\\"-{interval} ms\\\"` takes it in")), "{told}");
        near(&[found(&told)], &[mean(1..40)]);
        let whole = ran(&format!(", start = '-{interval} ms'"));
        assert!(!whole.contains("takes it in"), "{whole}");
        near(&[found(&whole)], &[mean(0..40)]);
    }
}

/// What was never written is its fill value, as for every reader of HDF5, and what has no rows is silence.
#[test]
fn datasets_that_were_never_written_are_their_fill_value() {
    let run = open("unwritten.h5");
    let spikes = run.recording.spikes_of("p").unwrap();
    assert_eq!((spikes.times.as_slice(), spikes.units.as_slice()), (&[2.5; 3][..], &[0; 3][..]));
    assert!(run.recording.spikes_of("q").unwrap().is_empty());
}

#[test]
fn files_without_a_recording_say_what_they_hold() {
    let told = refusal("other.h5");
    assert!(told.contains("without spikes") && told.contains("`group`, `ragged`, `spikes`"), "{told}");
    assert!(refusal("empty.nwb").contains("without spikes"), "{}", refusal("empty.nwb"));
    let folder = tempfile::tempdir().unwrap();
    let text_file = folder.path().join("text.nwb");
    std::fs::write(&text_file, "time_ms,unit\n1,0\n").unwrap();
    let told = recording_from(&text_file, &Sampling::default()).unwrap_err().to_string();
    assert!(told.contains("text.nwb is no readable table: as HDF5"), "{told}");
    let edges = spikedeck::store::file_table(&file("spikes.h5"), &spikedeck::signal::data::EDGES, 1 << 30);
    assert!(edges.unwrap_err().to_string().contains("connections are not read from HDF5 files"));
    let small = spikedeck::store::recorded(&file("spikes.h5"), 1000).unwrap_err().to_string();
    assert!(small.contains("in memory"), "{small}");
}

/// The kind of a file is what it begins with, also where its name says another or there is none.
#[test]
fn files_are_known_by_what_they_begin_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spikes.csv");
    std::fs::copy(file("spikes.h5"), &path).unwrap();
    let named = recording_from(&path, &Sampling::default()).unwrap();
    let bytes = std::fs::read(file("spikes.h5")).unwrap().into();
    let piped = recording_from_bytes("spikes", Path::new("standard input"), &bytes, &Sampling::default()).unwrap();
    assert_eq!((&*named.recording, &named.warnings), (&*piped.recording, &piped.warnings));
    assert_eq!(*open("spikes.h5").recording, *named.recording);
}

#[test]
fn arrays_are_signals_where_their_rate_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = file("lfp.npy");
    let sampling = Sampling { rate: Some(1000.0), start: Some(-0.5), unit: Some("mV".into()) };
    let run = recording_from(&path, &sampling).unwrap();
    let [trace] = &run.recording.traces[..] else { panic!("one signal") };
    assert_eq!((trace.start, trace.interval, trace.unit.as_str(), trace.len()), (-500.0, 1.0, "mV", 400));
    near(&trace.values, &numbers(&expected("lfp.npy")));
    assert_eq!(run.recording.window, Window { start: -501.0, stop: -101.0 });
    let two = recording_from(&file("two.npy"), &sampling).unwrap();
    let [first, second] = &two.recording.traces[..] else { panic!("two channels") };
    assert!((0..40).all(|k| second.values[k] == 2.0 * first.values[k] && first.values[k].abs() <= 1.0));
    let counts = recording_from(&file("counts.npy"), &sampling).unwrap();
    assert_eq!(counts.recording.traces[1].values[..3], [1.0, 3.0, 5.0]);

    let told = text(&spikedeck(folder.path(), &["analyze", path.to_str().unwrap()]).stderr);
    assert!(told.contains("--rate \"1 kHz\""), "{told}");
    let args = ["analyze", path.to_str().unwrap(), "--rate", "1 kHz", "--start", "-1 s", "--unit", "mV", "--json"];
    let output = spikedeck(folder.path(), &args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let greatest = value(&output, "lfp.value", "max");
    assert!(greatest > 0.99 && greatest <= 1.0, "{greatest}");
    for wrong in [["--rate", "1 mV"], ["--rate", "0 Hz"], ["--unit", "mW3x"], ["--start", "1 s"]] {
        let output = spikedeck(folder.path(), &[&["analyze", path.to_str().unwrap()][..], &wrong[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", text(&output.stderr));
    }
    let path = file("spikes.h5");
    let told = text(&spikedeck(folder.path(), &["analyze", path.to_str().unwrap(), "--rate", "1 kHz"]).stderr);
    assert!(told.contains("leave out `--rate`"), "{told}");
}

/// Wherever a table opens, these open too.
#[test]
fn recordings_are_stimuli_figures_and_pages() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["halves.nwb", "compressed.nwb", "lfp.npy"] {
        std::fs::copy(file(name), folder.path().join(name)).unwrap();
    }
    let scenario = r#"
        simulation = { duration = "20 s", dt = "1 ms" }
        [populations.played]
        model = "spike_source"
        spikes = { kind = "spikes", file = "halves.nwb" }
        [populations.cell]
        model = "lif"
        size = 3
        [stimuli.wave]
        target = "cell.I"
        kind = "file"
        file = "compressed.nwb"
        unit = "pA"
        outside = "0 pA"
        interpolation = "hold"
        [stimuli.lfp]
        target = "cell.I"
        kind = "file"
        file = "lfp.npy"
        rate = "1 kHz"
        start = "2 s"
        unit = "pA"
        outside = "hold"
        [record.played]
        spikes = true
    "#;
    std::fs::write(folder.path().join("s.toml"), scenario).unwrap();
    let output = spikedeck(folder.path(), &["run", "s.toml", "--out", "run", "--format", "sonata", "--threads", "1"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (played, recorded) = (folder.path().join("run/spikes.h5"), open("halves.nwb"));
    let played = recording_from(&played, &Sampling::default()).unwrap();
    let (a, b) = (played.recording.spikes_of("played").unwrap(), &recorded.recording.spikes[0]);
    assert_eq!((a.len(), &a.units), (b.len(), &b.units));
    assert!(a.times.iter().zip(&b.times).all(|(x, y)| (x - y).abs() < 0.5 + 1e-9));

    let output = spikedeck(folder.path(), &["plot", "halves.nwb", "--analysis", "raster", "-o", "r.svg"]);
    assert!(output.status.success() && folder.path().join("r.svg").is_file(), "{}", text(&output.stderr));
    let output = spikedeck(folder.path(), &["run", "halves.nwb"]);
    let told = text(&output.stderr);
    assert!(told.contains("is an HDF5 file (NWB, SONATA)") && told.contains("spikedeck analyze"), "{told}");
    let output = spikedeck(folder.path(), &["run", "lfp.npy"]);
    assert!(text(&output.stderr).contains("--rate"), "{}", text(&output.stderr));
}

#[test]
fn spikes_that_are_written_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spikes.h5");
    let exc = Spikes { population: "exc".into(), size: 3, times: vec![0.5, 2.0, 9.25], units: vec![2, 0, 1] };
    let inh = Spikes { population: "inh".into(), size: 2, ..Spikes::default() };
    assert_eq!(write_sonata(&path, &[exc, inh]).unwrap(), 3);
    let back = recording_from(&path, &Sampling::default()).unwrap();
    assert_eq!(back.recording.spikes_of("exc").unwrap().times, [0.5, 2.0, 9.25]);
    let named = Spikes { population: "a/b".into(), ..Spikes::default() };
    assert!(write_sonata(&path, &[named]).unwrap_err().to_string().contains("`a/b`"));
}

/// The spikes of a region of units.nwb in seconds, and of which of its units each is: the first of CA1 fired, and the
/// last of V1 was seen to the end.
fn seconds(region: &str) -> Vec<f64> {
    numbers(&expected("units.nwb")[region]["times_s"])
}

/// A unit has the name that its file gives it wherever it is told of, and an analysis looks at the time in which all
/// units were observed that it is about: not all of the file.
#[test]
fn units_are_told_by_name_and_seen_as_long_as_they_were_observed() {
    let folder = tempfile::tempdir().unwrap();
    let path = file("units.nwb");
    let path = path.to_str().unwrap();
    let with =
        ["--with", "rates:of=CA1.spikes", "--with", "rates:of=V1.spikes[cell_3]", "--with", "rates:of=V1.spikes"];
    let args = [&["analyze", path, "--json", "--threads", "1", "--out", "out", "--format", "csv"][..], &with].concat();
    let output = spikedeck(folder.path(), &args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    // 40 spikes of two units in 10 s; the recording as a whole is 5 s long.
    assert!((value(&output, "CA1.spikes", "mean_rate") - 2.0).abs() < 1e-12);
    assert_eq!(value(&output, "CA1.spikes[cell_0]", "spike_count"), 40.0);
    assert!((value(&output, "V1.spikes[cell_3]", "mean_rate") - 3.0).abs() < 1e-12, "30 spikes in 10 s");
    // Two units together: what both saw.
    let both = seconds("V1").iter().filter(|t| **t <= 5.0).count() as f64 / 2.0 / 5.0;
    assert!((value(&output, "V1.spikes", "mean_rate") - both).abs() < 1e-12);
    let units = std::fs::read_to_string(folder.path().join("out/units.csv")).unwrap();
    assert!(units.contains("population,unit,name") && units.contains("CA1,1,cell_1"), "{units}");
    let again = spikedeck(folder.path(), &["analyze", "out", "--with", "rates:of=V1.spikes[cell_3]", "--json"]);
    assert!((value(&again, "V1.spikes[cell_3]", "mean_rate") - 3.0).abs() < 1e-12, "{}", text(&again.stderr));
    let wrong = spikedeck(folder.path(), &["analyze", path, "--with", "rates:of=V1.spikes[cell_9]"]);
    let told = text(&wrong.stderr);
    assert!(wrong.status.code() == Some(2) && told.contains("no unit called `cell_9`"), "{told}");
}

/// Beside a scenario the same: a unit that was seen all the time has all of the run, two have what both saw.
#[test]
fn units_of_a_recording_in_a_scenario_are_seen_as_long_as_they_were_observed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(file("halves.nwb"), folder.path().join("halves.nwb")).unwrap();
    let scenario = r#"
        simulation = { duration = "20 s", dt = "1 ms" }
        recordings.data = { file = "halves.nwb" }
        analyses.one = { kind = "rates", of = "data.spikes[0]" }
        analyses.both = { kind = "rates", of = "data.spikes" }
        analyses.pair = { kind = "synchrony", of = "data.spikes" }
    "#;
    std::fs::write(folder.path().join("s.toml"), scenario).unwrap();
    let output = spikedeck(folder.path(), &["run", "s.toml", "--json", "--threads", "1"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let each = expected("halves.nwb")["each"].as_f64().unwrap();
    let all = open("halves.nwb").recording.spikes[0].units.iter().filter(|u| **u == 0).count() as f64;
    assert!((value(&output, "data.spikes[0]", "mean_rate") - all / 20.0).abs() < 1e-12);
    assert!((value(&output, "data.spikes", "mean_rate") - each / 10.0).abs() < 1e-12);
    for (metric, wanted) in [("isi_distance", 0.0), ("spike_distance", 0.0), ("spike_sync", 1.0)] {
        assert!((value(&output, "data.spikes", metric) - wanted).abs() < 1e-12, "{metric}");
    }
}

/// Trials of a file, also where they are a table of their own, are what analyses of trials look at.
#[test]
fn trials_of_a_recording_are_trials() {
    let folder = tempfile::tempdir().unwrap();
    let path = file("units.nwb");
    let path = path.to_str().unwrap();
    let counted = |of: &[f64], at: f64, stop: f64| of.iter().filter(|t| **t > at && **t <= at + stop).count() as f64;
    let of = seconds("CA1");
    let rate = |trials: &[f64]| trials.iter().map(|at| counted(&of, *at, 1.5)).sum::<f64>() / trials.len() as f64 / 3.0;
    let psth = ["--with", "psth:of=CA1.spikes,bin=\"500 ms\""];
    let output = spikedeck(folder.path(), &[&["analyze", path, "--json"][..], &psth].concat());
    assert!((value(&output, "CA1.spikes", "mean_rate") - rate(&[0.0, 2.0, 4.0, 6.0, 8.0])).abs() < 1e-12);
    let args = [&["analyze", path, "--json", "--trials", "trials:by=stimulus"][..], &psth];
    let more = ["--with", "noise_correlation:of=CA1.spikes", "--with", "stimulus_information:of=CA1.spikes[0]"];
    let output = spikedeck(folder.path(), &[args[0], args[1], &more].concat());
    for (name, trials) in [("a", &[0.0, 4.0, 8.0][..]), ("b", &[2.0, 6.0])] {
        let found = value(&output, &format!("CA1.spikes stimulus={name}"), "mean_rate");
        assert!((found - rate(trials)).abs() < 1e-12, "{name} {found}");
    }
    let told = text(&output.stdout);
    assert!(told.contains("\"metric\":\"information\"") && told.contains("noise_correlation"), "{told}");
    // Of the other region two trials lie in what both units were observed in.
    let args = ["analyze", path, "--json", "--with", "psth:of=V1.spikes,bin=\"500 ms\""];
    let output = spikedeck(folder.path(), &args);
    let told = text(&output.stdout);
    assert!(told.contains("3 of 5 trials of `trials` were not observed in all of its units"), "{told}");

    // Spikes 20 ms after each event, and once between them.
    let events = [100.0, 300.0, 550.0, 700.0];
    let spikes: String = events.iter().map(|t| format!("{},0\n{},0\n", t + 20.0, t + 80.0)).collect();
    std::fs::write(folder.path().join("s.csv"), format!("time_ms,unit\n{spikes}2000,0\n")).unwrap();
    let rows: String = events.iter().map(|t| format!("{t},{}\n", if *t < 400.0 { "x" } else { "y" })).collect();
    std::fs::write(folder.path().join("events.csv"), format!("onset_ms,side\n{rows}")).unwrap();
    let trials = "events.csv:before=\"50 ms\",after=\"50 ms\"";
    let args = ["analyze", "s.csv", "--trials", trials, "--with"];
    let with = "psth:onset=\"0 s\",response=\"50 ms\",bin=\"10 ms\"";
    let output = spikedeck(folder.path(), &[&args[..], &[with, "--json"]].concat());
    assert_eq!(value(&output, "s.spikes", "baseline"), 0.0, "{}", text(&output.stderr));
    assert!((value(&output, "s.spikes", "response") - 20.0).abs() < 1e-9, "one spike in 50 ms");
    assert!((value(&output, "s.spikes", "peak_time") - 15.0).abs() < 1e-9, "in (10, 20] ms");

    // The same in a scenario.
    let scenario = "simulation = { duration = '2 s', dt = '1 ms' }\n[recordings.d]\nfile = 's.csv'\n\
         trials = 'events.csv'\nbefore = '50 ms'\nafter = '50 ms'\nby = ['side']\n[analyses.p]\nkind = 'psth'\n\
         of = 'd.spikes'\nbin = '10 ms'\nonset = '0 s'\nresponse = '50 ms'\n";
    std::fs::write(folder.path().join("s.toml"), scenario).unwrap();
    let output = spikedeck(folder.path(), &["run", "s.toml", "--json", "--threads", "1"]);
    for side in ["x", "y"] {
        let found = value(&output, &format!("d.spikes side={side}"), "response");
        assert!((found - 20.0).abs() < 1e-9, "{found}");
    }

    for (keys, words) in [
        ("trails", "there is no table and no file of trials `trails`"),
        ("trials:align=go", "its moments are `start_time`, `stop_time`"),
        ("trials:by=stimulis", "did you mean `stimulus`"),
        ("trials:after=2", "is a time"),
    ] {
        let output = spikedeck(folder.path(), &["analyze", path, "--with", "psth", "--trials", keys]);
        let told = text(&output.stderr);
        assert!(output.status.code() == Some(2) && told.contains(words), "{keys}: {told}");
    }
}

/// A heading without rows is told, and no number stands for what is not there.
#[test]
fn a_table_without_rows_is_told_with_its_count() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("e.csv"), "time_ms,unit\n").unwrap();
    let output = spikedeck(folder.path(), &["analyze", "e.csv", "--with", "rates", "--json"]);
    let told = text(&output.stdout);
    assert!(told.contains("0 rows") && !told.contains("\"value\":0"), "{told}");
}

/// When units were observed can be said beside a list of spikes: two equal trains of which one ends half-way are equal
/// over what both saw, and a unit that never fired is silent, not absent.
#[test]
fn a_table_says_when_units_were_observed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let train: Vec<f64> = (1..100).map(|k| f64::from(k) + 0.3 * f64::from(k * k % 7) / 7.0).collect();
    let rows = |unit: u32, to: f64| -> String {
        train.iter().filter(|t| **t <= to).map(|t| format!("{t},{unit}\n")).collect()
    };
    std::fs::write(at.join("s.csv"), format!("time_s,unit\n{}{}", rows(0, 100.0), rows(1, 50.0))).unwrap();
    std::fs::write(at.join("seen.csv"), "unit,start_s,stop_s\n0,0,100\n1,0,50\n2,0,100\n").unwrap();
    let with = ["--with", "synchrony:of=s.spikes[0..2]", "--with", "rates:of=s.spikes[0, 2]", "--with", "rates"];
    let output = spikedeck(at, &[&["analyze", "s.csv", "--observed", "seen.csv", "--json"][..], &with].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (metric, wanted) in [("isi_distance", 0.0), ("spike_distance", 0.0), ("spike_sync", 1.0)] {
        assert!((value(&output, "s.spikes[0..2]", metric) - wanted).abs() < 1e-12, "{metric}");
    }
    // 99 spikes of one unit, none of the other, in 100 s; of all three what they saw together.
    assert!((value(&output, "s.spikes[0, 2]", "mean_rate") - 99.0 / 2.0 / 100.0).abs() < 1e-12);
    let half = train.iter().filter(|t| **t <= 50.0).count() as f64;
    assert!((value(&output, "s.spikes", "mean_rate") - 2.0 * half / 3.0 / 50.0).abs() < 1e-12);
    let scenario = "simulation = { duration = '100 s', dt = '1 ms' }\n\
                    recordings.d = { file = 's.csv', observed = 'seen.csv' }\n\
                    analyses.a = { kind = 'isi_distance', of = 'd.spikes[0..2]' }\n";
    std::fs::write(at.join("s.toml"), scenario).unwrap();
    let output = spikedeck(at, &["run", "s.toml", "--json", "--threads", "1"]);
    assert!(value(&output, "d.spikes[0..2]", "isi_distance").abs() < 1e-12, "{}", text(&output.stderr));
    std::fs::write(at.join("wrong.csv"), "unit,start_s,stop_s\n0,0,100\n1,60,50\n").unwrap();
    for (file, words) in [("wrong.csv", "wrong.csv:3:6"), ("none.csv", "there is no file")] {
        let output = spikedeck(at, &["analyze", "s.csv", "--observed", file]);
        let told = text(&output.stderr);
        assert!(output.status.code() == Some(2) && told.contains(words), "{told}");
    }
}
