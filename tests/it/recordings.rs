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
    warns(&run, "`intervals/trials` (5 rows: stimulus)");
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
