//! Doors that take what somebody wrote, each with inputs to begin from: equations, scenarios with overrides,
//! morphologies, tables in CSV and in Parquet, HDF5 files, arrays, folders of runs, and states of runs.
//!
//! A target takes any bytes and must come back: with what they say or with a refusal, never with a panic, and within
//! bounds of time and memory. `fuzz/run` drives them with libFuzzer, which looks for new paths through the program;
//! `tests/it/fuzz.rs` tries some thousand fixed mutations of the same inputs in every test run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use spikedeck::core::units::Dimension;
use spikedeck::equation::expression::Expression;
use spikedeck::model::morphology::{cut, swc};
use spikedeck::model::{Report, library};
use spikedeck::run::Sampling;
use spikedeck::scenario::{NoFiles, Overrides, load};
use spikedeck::signal::TimeBase;
use spikedeck::signal::data::{
    EDGES, EdgeKeys, Refused, SIGNAL, SPANS, SPIKES, SignalKeys, SpikeKeys, TRIALS, TrialKeys, edges, signal, spans,
    spikes, trials,
};
use spikedeck::store::Format;
use spikedeck::{run, sim, store, table};

/// A door.
pub struct Target {
    /// Its name for `fuzz/run`.
    pub name: &'static str,
    /// Inputs to begin from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Takes any bytes.
    pub take: fn(&[u8]),
    /// Words that its inputs are made of, for mutations.
    pub words: &'static [&'static str],
}

/// Every door.
pub const TARGETS: &[Target] = &[
    Target { name: "equation", seeds: equations, take: equation, words: EQUATION_WORDS },
    Target { name: "scenario", seeds: scenarios, take: scenario, words: SCENARIO_WORDS },
    Target { name: "swc", seeds: morphologies, take: morphology, words: &["-1", "1e308", "nan", "\n", " ", "#", "0"] },
    Target { name: "csv", seeds: csv_tables, take: csv_table, words: CSV_WORDS },
    Target { name: "parquet", seeds: parquet_tables, take: parquet_table, words: &[] },
    Target { name: "hdf5", seeds: hdf5_files, take: hdf5_file, words: &[] },
    Target { name: "npy", seeds: npy_arrays, take: npy_array, words: &["'>f8'", "True", "(3, 2)", "-1", "}", "\n"] },
    Target { name: "folder", seeds: folders, take: folder, words: CSV_WORDS },
    Target { name: "state", seeds: states, take: state, words: &["\0\0\0\0", "population 0", "/", "state", "axis"] },
];

const EQUATION_WORDS: &[&str] = &[
    "d",
    "/dt = ",
    "**",
    "[13 mV]",
    " : V",
    "exp(",
    "where(",
    "min(",
    "xi",
    "\n",
    "-",
    "(",
    ")",
    "1e308",
    "t",
    "and",
    "not ",
    "lag(",
    "laplacian(",
];

const SCENARIO_WORDS: &[&str] = &[
    "\"1 ms\"",
    "1e308",
    "-1",
    "nan",
    "[",
    "]",
    "{",
    "}",
    "kind = ",
    "\"",
    "\n",
    "=",
    "true",
    "0",
    "size = ",
    "units = ",
    "\"exc\"",
    "\0simulation.dt=",
    "seed = ",
    "grid = ",
];

const CSV_WORDS: &[&str] = &[
    "time_ms",
    "time_s",
    "unit",
    "population",
    "source",
    "target",
    "weight_pA",
    "delay",
    ",",
    ";",
    "\t",
    "\n",
    "\"",
    "nan",
    "1e400",
    "-1",
    "9223372036854775808",
    "#",
    "\u{feff}",
    "1,5",
];

/// Text that the bytes stand for; what is no text is replaced as the readers do.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn equations() -> Vec<Vec<u8>> {
    let models = library();
    let kinds = [spikedeck::model::DefinitionKind::Model, spikedeck::model::DefinitionKind::Receptor];
    let files = kinds.iter().flat_map(|kind| models.names(*kind).into_iter().filter_map(|n| models.text(*kind, n)));
    let value = |text: &str| toml::from_str::<toml::Table>(text).ok()?.get("equations")?.as_str().map(str::to_owned);
    files.filter_map(value).map(String::into_bytes).collect()
}

/// Text as the equations of a model of its own, line by line as expressions, and what a step of them costs.
fn equation(bytes: &[u8]) {
    let text = text(bytes);
    for line in text.lines().take(20) {
        let right = line.split_once('=').map_or(line, |(_, right)| right);
        let right = right.rsplit_once(" : ").map_or(right, |(value, _)| value);
        if let Ok(expression) = Expression::parse(right, &[]) {
            let _ = expression.has_dimension(Dimension::NONE);
        }
    }
    let quoted = toml::Value::String(text);
    scenario_text(
        &format!(
            "[simulation]
duration = \"2 ms\"
dt = \"1 ms\"
[models.m]
equations = {quoted}
[populations.p]
model = \
             \"m\"
"
        ),
        &Overrides::default(),
    );
}

fn scenarios() -> Vec<Vec<u8>> {
    spikedeck::scenario::built_in().iter().map(|s| s.text.as_bytes().to_vec()).collect()
}

/// A scenario, and after each NUL an override `PATH=VALUE`, or the name of a variant.
fn scenario(bytes: &[u8]) {
    let text = text(bytes);
    let mut parts = text.split('\0');
    let file = parts.next().unwrap_or_default().to_owned();
    let mut overrides = Overrides::default();
    for part in parts.take(4) {
        match part.split_once('=') {
            Some((path, value)) => overrides.set.push((path.to_owned(), value.to_owned())),
            None => overrides.variant = Some(part.to_owned()),
        }
    }
    scenario_text(&file, &overrides);
}

/// Steps times units up to which a scenario is simulated, too.
const SMALL: u64 = 2_000;

fn scenario_text(text: &str, overrides: &Overrides) {
    let catalog = run::catalog();
    let read = || load(text, None, "fuzz", overrides, library(), &catalog, &NoFiles);
    match read() {
        Err(report) => {
            let _ = report.to_string();
        }
        Ok((spec, _)) => {
            let again = read().map(|(again, _)| again.hash).ok();
            assert!(again.as_ref() == Some(&spec.hash), "a scenario that is read twice is the same");
            let units: u64 = spec.populations.iter().map(|p| p.size as u64).sum();
            let steps = spec.simulation.steps;
            let (memory, _) = sim::Network::estimate(&spec);
            if units.saturating_mul(steps) <= SMALL && memory < 50_000_000 {
                let cancel = AtomicBool::new(false);
                if let Ok(network) = sim::Network::build(&spec, 1, &cancel) {
                    let _ = network.run(&mut sim::Unobserved);
                }
            }
        }
    }
}

fn morphologies() -> Vec<Vec<u8>> {
    [
        "1 1 0 0 0 10 -1\n2 3 10 0 0 1 1\n3 3 60 0 0 1 2\n4 3 100 30 0 0.5 3\n5 3 100 -30 0 0.5 3\n",
        "# three points\n1 1 0 0 0 10 -1\n2 1 0 10 0 10 1\n3 1 0 -10 0 10 1\n4 2 10 0 0 1 1\n5 2 110 0 0 1 4\n",
        "1 1 0 0 0 10 -1\n2 1 10 0 0 9 1\n3 1 20 0 0 8 2\n4 4 30 0 0 1 3\n5 4 60 0 0 0.5 4\n6 5 60 9 0 0.5 4\n",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}

fn morphology(bytes: &[u8]) {
    let text = text(bytes);
    for (_, soma) in swc::Soma::LIST {
        for least in [None, Some(1e-7)] {
            if let Ok(tree) = swc::read(&text, soma, least)
                && tree.sections.len() < 1_000
            {
                let _ = cut(&tree, &vec![1; tree.sections.len()]);
            }
        }
    }
}

/// A file in a folder of its own.
fn with_file(name: &str, bytes: &[u8], take: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("the folder for temporary files can be written");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("the folder for temporary files can be written");
    take(&path);
}

/// What is refused of a table has a place in it, if it is a text, and can be shown there.
fn shown<T>(path: &Path, read: Result<T, Refused>) {
    if let Err(why) = read
        && let Some(wrong) = store::located(path, &why)
    {
        let _ = Report::of_text(&wrong).render(false);
    }
}

/// A table by all that is ever asked of one.
fn tabled(path: &Path) {
    const MOST: u64 = 50_000_000;
    if let Ok(table) = store::file_table(path, &SPIKES, MOST) {
        shown(path, spikes(&table, &SpikeKeys { several: true, ..SpikeKeys::default() }));
    }
    if let Ok(table) = store::file_table(path, &EDGES, MOST) {
        shown(path, edges(&table, &EdgeKeys::default()));
    }
    if let Ok(table) = store::file_table(path, &SIGNAL, MOST) {
        shown(path, signal(&table, &SignalKeys::default()));
    }
    if let Ok(table) = store::file_table(path, &SPANS, MOST) {
        shown(path, spans(&table, TimeBase::Milliseconds));
    }
    if let Ok(table) = store::file_table(path, &TRIALS, MOST) {
        let keys = TrialKeys::default();
        let read = trials(&table, "trials", &keys, TimeBase::Milliseconds);
        shown(path, read.and_then(|t| t.times(&keys, TimeBase::Milliseconds, Vec::new())));
    }
    let _ = store::describe(path);
    let _ = run::recording_from(path, &Sampling { rate: Some(1000.0), ..Sampling::default() });
    let _ = run::recording_from(path, &Sampling::default());
}

/// The small recordings of other programs in `data/reference/recordings`.
fn recordings(endings: &[&str]) -> Vec<Vec<u8>> {
    // The doors are part of the tests and of a package of their own.
    let roots = ["", ".."].map(|up| Path::new(env!("CARGO_MANIFEST_DIR")).join(up).join("data/reference/recordings"));
    let folder = roots.iter().find(|f| f.is_dir()).expect("the examples are part of the source");
    let list = fs::read_dir(folder).expect("the examples are part of the source");
    let paths = list.map(|entry| entry.expect("its entries can be listed").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|p| p.extension().is_some_and(|e| endings.iter().any(|own| e == *own))).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("the examples are part of the source")).collect()
}

fn hdf5_files() -> Vec<Vec<u8>> {
    recordings(&["nwb", "h5"])
}

fn hdf5_file(bytes: &[u8]) {
    with_file("recording.h5", bytes, tabled);
}

fn npy_arrays() -> Vec<Vec<u8>> {
    recordings(&["npy"])
}

fn npy_array(bytes: &[u8]) {
    with_file("signal.npy", bytes, tabled);
}

fn csv_tables() -> Vec<Vec<u8>> {
    [
        "time_ms,unit\n1.5,0\n2.5,1\n",
        "time_s;unit_id;population\n0,0015;a;exc\n0,5;b;inh\n",
        "# a recording\ntime_ms\tV_m_mV\n0\t-70\n0.1\t-69.5\n0.2\t-69\n",
        "source,target,weight_pA,delay_ms\n0,1,500,1.5\n1,0,-20,0.1\n",
        "1.5,0\n2.5,1\n",
        "time_ms,unit,V_m_mV\n0,0,-70\n0,1,-70\n1,0,-69\n1,1,-68\n",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}

fn csv_table(bytes: &[u8]) {
    with_file("table.csv", bytes, tabled);
}

/// A small run that is whole, in its folder: every table that a run writes.
fn small_run() -> &'static Vec<(String, Vec<u8>)> {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let text = "[simulation]
duration = \"20 ms\"
dt = \"0.1 ms\"
[populations.p]
model = \"lif\"
receptors = { in = { kind = \"delta\" } }
size = 3
[stimuli.d]
target = \"p.I\"
kind = \"constant\"
amplitude = \"700 pA\"
[projections.q]
from = \"p\"
to = \"p.in\"
connect = \"all_to_all\"
weight = \"0.1 mV\"
delay = \"1 ms\"
[record.p]
spikes = true
connections = true
traces = [{ variables = [\"V_m\"], interval = \"1 ms\" }]
[analyses.r]
kind = \"rates\"
of = \"p.spikes\"
";
        let source = run::Source { text: text.into(), origin: None, name: "small".into(), variant: None };
        let (spec, _) =
            run::resolve(&source, &[]).unwrap_or_else(|e| unreachable!("the small run: {}", e.render(false)));
        let tell: run::Tell = Arc::new(|_| ());
        let options = run::Options { threads: 1, ..run::Options::default() };
        let finished = run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell).expect("it fits");
        let folder = tempfile::tempdir().expect("the folder for temporary files can be written");
        let place = folder.path().join("run");
        table::save(&place, &finished, Format::Parquet, false).expect("a run can be stored");
        let mut files = Vec::new();
        let mut open = vec![place.clone()];
        while let Some(at) = open.pop() {
            for entry in fs::read_dir(&at).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else if let (Ok(bytes), Ok(name)) = (fs::read(&path), path.strip_prefix(&place)) {
                    files.push((name.to_string_lossy().into_owned(), bytes));
                }
            }
        }
        files.sort();
        files
    })
}

fn parquet_tables() -> Vec<Vec<u8>> {
    small_run().iter().filter(|f| f.0.ends_with(".parquet")).map(|f| f.1.clone()).collect()
}

fn parquet_table(bytes: &[u8]) {
    with_file("table.parquet", bytes, tabled);
}

/// For each file of the small run its number and its bytes: one file of a folder is replaced.
fn folders() -> Vec<Vec<u8>> {
    let of = |(k, file): (usize, &(String, Vec<u8>))| [&[k as u8], file.1.as_slice()].concat();
    small_run().iter().enumerate().map(of).collect()
}

fn folder(bytes: &[u8]) {
    let Some((which, content)) = bytes.split_first() else { return };
    let files = small_run();
    let which = usize::from(*which) % files.len();
    let folder = tempfile::tempdir().expect("the folder for temporary files can be written");
    for (k, (name, whole)) in files.iter().enumerate() {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder.path())).expect("the folder can be written");
        fs::write(&path, if k == which { content } else { whole }).expect("the folder can be written");
    }
    let same = files[which].1 == content;
    match table::open_telling(folder.path()) {
        Ok((_, told)) => assert!(
            same || !files[which].0.ends_with(".parquet") || !told.is_empty(),
            "{} was changed, and nobody says so",
            files[which].0
        ),
        Err(error) => {
            assert!(!same, "a whole run is refused: {error}");
        }
    }
}

/// A small network with a bit of everything that has a state.
fn network() -> sim::Network {
    let text = "[simulation]
duration = \"20 ms\"
dt = \"0.1 ms\"
[populations.p]
model = \"lif\"
receptors = { in = { kind = \"delta\" }, s = { kind = \"saturating_conductance\" } }
size = 3
[stimuli]
n = { target = \"p.I\", kind = \"ou_noise\", mean = \"700 pA\", sigma = \"20 pA\", tau = \"3 ms\" }
r = { target = \"p.s\", units = [2, 0], kind = \"renewal\", rate = \"300 Hz\", cv = 0.5, weight = 0.1 }
[projections]
q = { from = \"p\", to = \"p.in\", connect = \"all_to_all\", weight = \"0.1 mV\", delay = \"1 ms\", \
    plasticity = { kind = \"stdp_pair\", w_max = \"1 mV\" } }
c = { from = \"p\", to = \"p.I\", connect = \"all_to_all\", kind = \"continuous\", value = \"w*(V_m_pre - V_m_post)\", \
    weight = \"1 nS\", delay = \"0.5 ms\" }
[record.p]
spikes = true
traces = [{ variables = [\"V_m\"], interval = \"1 ms\" }]
";
    let (spec, _) = sim::understand(text).unwrap_or_else(|e| unreachable!("the small network: {e}"));
    sim::Network::build(&spec, 1, &AtomicBool::new(false)).unwrap_or_else(|e| unreachable!("the small network: {e}"))
}

/// Keeps the state after every epoch.
#[derive(Default)]
struct Keeping(Vec<Vec<u8>>);

impl sim::Observer for Keeping {
    fn progress(&mut self, _: u64, _: u64) -> bool {
        true
    }

    fn wants_state(&mut self, _: bool) -> bool {
        true
    }

    fn state(&mut self, state: sim::State) {
        self.0.push(state.to_bytes());
    }
}

fn states() -> Vec<Vec<u8>> {
    let mut keeping = Keeping::default();
    let _ = network().run(&mut keeping);
    keeping.0.dedup();
    keeping.0.truncate(3);
    keeping.0
}

/// A state is read, and put into a network that it may not be of.
fn state(bytes: &[u8]) {
    if let Ok(state) = sim::State::from_bytes(bytes) {
        let _ = network().go_on_from(state);
    }
}
