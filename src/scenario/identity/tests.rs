//! What is in the identity of a run, and what is not.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value as Json;

use super::quantity::{hexadecimal, sha256};
use super::*;
use crate::spec::{Distribution, Outside, Signal, Value};
use crate::tests::catalog;
use crate::{FileError, FileLoader, FileTable, Overrides, load};
use spikedeck_core::units::{Quantity, parse_unit};
use spikedeck_model::library;
use spikedeck_signal::FileColumns;
use spikedeck_signal::data::FileData;

/// Files that scenarios of these tests name: edges, spikes and signals; those called `other` hold other values.
struct Files;

impl FileLoader for Files {
    fn text(&self, _path: &std::path::Path) -> Result<Option<String>, FileError> {
        Ok(None)
    }

    fn table(&self, path: &std::path::Path, columns: &FileColumns) -> Result<FileTable, FileError> {
        let shift = if path.to_string_lossy().contains("other") { 1.0 } else { 0.0 };
        let column = |name: &str, values: Vec<f64>| FileData::numbers(name, values);
        let long = |f: &dyn Fn(usize) -> f64| (0..202).map(f).collect::<Vec<_>>();
        let signal = columns.others.is_some();
        let all = vec![
            column("source", long(&|k| (k % 8) as f64)),
            column("target", long(&|k| ((k / 8 + usize::from(shift > 0.0)) % 8) as f64)),
            column("weight_A", long(&|k| 1e-9 + k as f64 * 1e-12)),
            column("delay_ms", long(&|_| 1.0)),
            column("time_ms", long(&|k| k as f64)),
            column("current", long(&|k| k as f64 + shift)),
        ];
        let meant = |name: &str| if signal { matches!(name, "time_ms" | "current") } else { columns.asks_for(name) };
        Ok(FileTable::of(all.into_iter().filter(|c| meant(&c.name)).collect()))
    }
}

fn read(text: &str, set: &[(&str, &str)]) -> Spec {
    let set = set.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    load(text, None, "s", &Overrides { variant: None, set }, library(), &catalog(), &Files)
        .unwrap_or_else(|r| panic!("{r}"))
        .0
}

/// A small network whose identity is pinned: if it changes, hashes of stored runs do.
const PINNED: &str = r#"
title = "A network"
[simulation]
duration = "0.5 s"
dt = "0.1 ms"
transient = "0.2 s"
[populations.exc]
model = "lif"
size = 10
parameters = { tau_m = { normal = { mean = "20 ms", sd = "2 ms", min = "1 ms" } }, V_th = "E_L  + [15 mV]" }
receptors.ampa = { kind = "exp_conductance", tau = "5 ms" }
[projections.rec]
from = "exc"
to = "exc.ampa"
connect = { rule = "fixed_indegree", indegree = 3 }
weight = "6 nS"
delay = "1.5 ms"
[projections.gap]
from = "exc"
to = "exc.I"
kind = "continuous"
connect = "all_to_all"
weight = "2 nS"
value = "w*(V_m_pre - V_m_post)"
[stimuli.background]
target = "exc.ampa"
kind = "poisson"
rate = "8 Hz"
sources = 100
weight = "1 nS"
[record.exc]
spikes = true
traces = [{ variables = ["V_m", "ampa.g"], units = "0..3", interval = "0.5 ms" }]
[analyses.spectrum]
kind = "psd"
of = ["exc.rate", "mean(exc.V_m[0..3])"]
[expect.peak]
metric = "spectrum.exc.rate.peak"
min = "8 Hz"
"#;

#[test]
fn the_identity_of_a_small_network_is_pinned() {
    let spec = read(PINNED, &[]);
    let found: Json = serde_json::from_str(&spec.canonical).unwrap();
    let pretty = serde_json::to_string_pretty(&found).unwrap() + "\n";
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/identity/pinned.json");
    // What is read; the hash below is what is pinned.
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(page, &pretty).unwrap();
    }
    assert_eq!(pretty, std::fs::read_to_string(page).unwrap(), "UPDATE_PAGES=1 writes it");
    assert_eq!(spec.hash, "e6f5a9f493779279008600cc9b92ddf0daf18b5c80f93ddcd29f0036ba767355");
}

#[test]
fn the_hash_is_that_of_the_text_and_the_text_is_one_line_of_json_that_is_read_back_the_same() {
    for text in [PINNED, EVERYTHING, PLAIN] {
        let spec = read(text, &[]);
        assert_eq!(spec.hash, hexadecimal(&sha256(spec.canonical.as_bytes())));
        let back: Json = serde_json::from_str(&spec.canonical).unwrap();
        assert_eq!(back.to_string(), *spec.canonical);
        assert_eq!(back["schema"], SCHEMA);
        assert_eq!(canonical(&spec, &catalog()), *spec.canonical);
    }
}

#[test]
fn every_value_has_its_unit() {
    let spec = read(PINNED, &[]);
    let found: Json = serde_json::from_str(&spec.canonical).unwrap();
    assert_eq!(found["projections"][1]["weight"], "2 nS", "the weight of a continuous projection");
    assert_eq!(found["projections"][0]["weight"], "6 nS");
    assert_eq!(found["populations"][0]["parameters"]["tau_m"]["normal"]["mean"], "20 ms");
    assert_eq!(found["analyses"][0]["options"]["segment"], "1000 ms", "a default");
}

/// All kinds of parts of a scenario with units.
const EVERYTHING: &str = r#"
title = "Everything"
description = "..."
[simulation]
duration = "200 ms"
dt = "0.1 ms"
[models.heat]
equations = """
du/dt = D*laplacian(u) - u/tau : V   # a comment
"""
parameters = { D = "1 um**2/ms", tau = "10 ms" }
[models.cell]
equations = """
dV_m/dt = (E_L - V_m + R_m*I)/tau_m : V
"""
threshold = "V_m > V_th"
reset = "V_m = E_L"
refractory = { time = "t_ref", hold = ["V_m"] }
inputs = { I = "A" }
initial = { V_m = "E_L" }
parameters = { tau_m = "20 ms", E_L = "-70 mV", V_th = "-50 mV", R_m = "40 Mohm", t_ref = "2 ms" }
[populations.exc]
model = "cell"
size = 8
positions = { grid = [2, 4], spacing = "100 um" }
parameters = { E_L = { uniform = ["-71 mV", "-69 mV"] }, tau_m = { linspace = ["18 ms", "22 ms"] } }
initial = { V_m = "E_L + i*[0.1 mV]" }
receptors.ampa = { kind = "exp_conductance", tau = { lognormal = { mu = 1.6, sigma = 0.1, unit = "ms" } } }
[populations.inh]
model = "lif"
size = 8
positions = { uniform = ["1 mm", "1 mm"] }
parameters = { tau_m = { gamma = { shape = 400.0, scale = "0.05 ms" } }, R_m = { values = [
  "40 Mohm", "41 Mohm", "40 Mohm", "40 Mohm", "40 Mohm", "40 Mohm", "40 Mohm", "40 Mohm",
] } }
receptors.gaba = { kind = "exp_current" }
[populations.sheet]
model = "heat"
grid = { shape = [8, 8], spacing = "50 um" }
[populations.tree]
model = "membrane"
sections.soma = { length = "20 um", diameter = "20 um" }
sections.dendrite = { length = "100 um", diameter = "2 um", parent = "soma(0.5)" }
channels.pas = { kind = "leak" }
channels.na = { kind = "hh_na", in = ["soma"] }
receptors.syn = { kind = "exp_conductance", at = ["dendrite"] }
[projections.a]
from = "exc"
to = "exc.ampa"
connect = { rule = "probability", p = 0.5 }
weight = { normal = { mean = "6 nS", sd = "1 nS", min = "0 nS" } }
delay = { uniform = ["1 ms", "2 ms"] }
plasticity = { kind = "stdp_pair", w_max = "10 nS" }
[projections.b]
from = "exc"
to = "inh.gaba"
connect = { edges = "edges.csv" }
[projections.c]
from = "inh"
to = "exc.ampa"
connect = { rule = "gaussian", p_max = 0.9, sigma = "200 um" }
weight = "1 nS"
[projections.d]
from = "exc"
to = "exc.ampa"
connect = { rule = "small_world", neighbours = 2, p_rewire = 0.1 }
weight = "1 nS"
[projections.e]
from = "inh"
to = "inh.gaba"
connect = { rule = "fixed_total_number", total = 12 }
weight = "-10 pA"
draws_of = "d"
[projections.f]
from = "exc"
to = "exc.ampa"
connect = { rule = "neighbours", radius = "150 um" }
weight = "1 nS"
[projections.g]
from = "exc"
to = "exc.I"
kind = "continuous"
connect = "one_to_one"
weight = "2 nS"
value = "w*(V_m_pre - V_m_post)"
delay = "1 ms"
[projections.h]
from = "inh"
to = "inh.gaba"
connect = { rule = "fixed_outdegree", outdegree = 2 }
weight = "-10 pA"
[stimuli.constant]
target = "exc.I"
kind = "constant"
amplitude = "0.1 nA"
units = [0, 2]
[stimuli.step]
target = "exc.I"
kind = "step"
amplitude = "0.1 nA"
start = "10 ms"
stop = "20 ms"
[stimuli.ramp]
target = "exc.I"
kind = "ramp"
from = "0.1 nA"
to = "0.2 nA"
start = "10 ms"
[stimuli.pulses]
target = "exc.I"
kind = "pulse_train"
amplitude = "0.1 nA"
period = "20 ms"
width = "5 ms"
[stimuli.gaussian]
target = "exc.I"
kind = "gaussian_pulse"
amplitude = "0.1 nA"
center = "50 ms"
sigma = "5 ms"
[stimuli.sine]
target = "exc.I"
kind = "sine"
amplitude = "0.1 nA"
frequency = "40 Hz"
phase = 0.5
[stimuli.chirp]
target = "exc.I"
kind = "chirp"
amplitude = "0.1 nA"
f_start = "1 Hz"
f_stop = "40 Hz"
[stimuli.ou]
target = "exc.I"
kind = "ou_noise"
sigma = "0.1 nA"
tau = "5 ms"
[stimuli.white]
target = "exc.I"
kind = "white_noise"
amplitude = "5 pA*s**0.5"
[stimuli.redrawn]
target = "exc.I"
kind = "gaussian_steps"
sigma = "0.1 nA"
interval = "1 ms"
[stimuli.poisson]
target = "exc.ampa"
kind = "poisson"
rate = "8 Hz"
weight = "1 nS"
[stimuli.listed]
target = "exc.ampa"
kind = "spikes"
times = ["10 ms", "20 ms"]
weight = "1 nS"
[stimuli.from_file]
target = "exc.ampa"
kind = "spikes"
file = "spikes.csv"
weight = "1 nS"
[stimuli.signal]
target = "exc.I"
kind = "file"
file = "signal.csv"
unit = "pA"
[stimuli.formula]
target = "exc.I"
kind = "expression"
value = "[0.1 nA]*sin(t/[10 ms])"
[record.exc]
spikes = true
traces = [{ name = "slow", variables = ["V_m"], units = [0, 1, 2], interval = "0.5 ms" }]
[record.inh]
spikes = true
[record.a]
traces = [{ variables = ["w"], interval = "10 ms" }]
[analyses.spectrum]
kind = "psd"
of = "exc.rate"
[expect.peak]
metric = "spectrum.exc.rate.peak"
min = "8 Hz"
[variants.loud]
"stimuli.constant.amplitude" = "1 nA"
"#;

/// A change of each kind of value, with the path at which it shows.
const CHANGES: &[(&str, &str)] = &[
    ("simulation.duration", "201 ms"),
    ("simulation.dt", "0.05 ms"),
    ("simulation.transient", "50 ms"),
    ("simulation.seed", "2"),
    ("simulation.wiring_seed", "2"),
    ("simulation.values_seed", "2"),
    ("simulation.noise_seed", "2"),
    ("simulation.trial", "1"),
    ("simulation.trial", "2"),
    ("simulation.memory", "1 GB"),
    ("simulation.spike_times", "interpolated"),
    ("simulation.check", "halve_dt"),
    ("models.heat.equations", "du/dt = D*laplacian(u) - 2*u/tau : V"),
    ("models.cell.threshold", "V_m >= V_th"),
    ("models.cell.reset", "V_m = E_L - [1 mV]"),
    ("models.cell.refractory.hold", "[]"),
    ("populations.exc.positions.spacing", "101 um"),
    ("populations.exc.parameters.E_L", "{ uniform = [\"-72 mV\", \"-69 mV\"] }"),
    ("populations.exc.parameters.E_L", "{ uniform = [\"-71 mV\", \"-68 mV\"] }"),
    ("populations.exc.parameters.E_L", "{ linspace = [\"-71 mV\", \"-69 mV\"] }"),
    ("populations.exc.parameters.tau_m", "{ linspace = [\"18 ms\", \"23 ms\"] }"),
    ("populations.exc.parameters.t_ref", "3 ms"),
    ("populations.exc.initial.V_m", "E_L + i*[0.2 mV]"),
    ("populations.exc.receptors.ampa.tau", "{ lognormal = { mu = 1.7, sigma = 0.1, unit = \"ms\" } }"),
    ("populations.exc.receptors.ampa.tau", "{ lognormal = { mu = 1.6, sigma = 0.2, unit = \"ms\" } }"),
    ("populations.exc.receptors.ampa.tau", "{ lognormal = { mu = 1.6, sigma = 0.1, unit = \"s\" } }"),
    ("populations.exc.receptors.ampa.kind", "alpha_conductance"),
    ("populations.exc.integrator", "heun"),
    ("populations.exc.substeps", "2"),
    ("populations.inh.positions", "{ uniform = [\"1 mm\", \"2 mm\"] }"),
    ("populations.inh.parameters.tau_m", "{ gamma = { shape = 401.0, scale = \"0.05 ms\" } }"),
    ("populations.inh.parameters.tau_m", "{ gamma = { shape = 400.0, scale = \"0.06 ms\" } }"),
    ("populations.inh.receptors.gaba.tau", "6 ms"),
    ("populations.sheet.grid.spacing", "51 um"),
    ("populations.sheet.grid.boundary", "periodic"),
    ("populations.sheet.grid.allow_unstable", "true"),
    ("populations.sheet.grid.noise_per", "1 mm"),
    ("populations.tree.sections.dendrite.diameter", "3 um"),
    ("populations.tree.channels.na.in", "[\"dendrite\"]"),
    ("populations.tree.receptors.syn.at", "[\"soma\"]"),
    ("populations.tree.size", "2"),
    ("projections.a.connect.p", "0.6"),
    ("projections.a.connect.autapses", "true"),
    ("projections.a.weight", "{ normal = { mean = \"7 nS\", sd = \"1 nS\", min = \"0 nS\" } }"),
    ("projections.a.weight", "{ normal = { mean = \"6 nS\", sd = \"1 nS\", min = \"0 nS\", clip = true } }"),
    ("projections.a.weight", "{ normal = { mean = \"6 nS\", sd = \"1 nS\", min = \"0 nS\", max = \"9 nS\" } }"),
    ("projections.a.delay", "{ uniform = [\"1 ms\", \"3 ms\"] }"),
    ("projections.a.allow_unstable", "true"),
    ("projections.a.plasticity.w_max", "11 nS"),
    ("projections.a.plasticity.mu_plus", "1"),
    ("projections.b.connect", "{ edges = \"other-edges.csv\" }"),
    ("projections.c.connect.p_max", "0.8"),
    ("projections.c.connect.sigma", "201 um"),
    ("projections.d.connect.p_rewire", "0.2"),
    ("projections.e.connect.total", "13"),
    ("projections.e.draws_of", "c"),
    ("projections.f.connect.radius", "151 um"),
    ("projections.g.weight", "3 nS"),
    ("projections.g.value", "2*w*(V_m_pre - V_m_post)"),
    ("projections.h.connect.outdegree", "3"),
    ("stimuli.constant.amplitude", "0.2 nA"),
    ("stimuli.constant.units", "[0, 3]"),
    ("stimuli.step.amplitude", "0.2 nA"),
    ("stimuli.step.start", "11 ms"),
    ("stimuli.step.stop", "21 ms"),
    ("stimuli.ramp.from", "0.15 nA"),
    ("stimuli.ramp.to", "0.25 nA"),
    ("stimuli.pulses.period", "21 ms"),
    ("stimuli.pulses.width", "6 ms"),
    ("stimuli.gaussian.center", "51 ms"),
    ("stimuli.gaussian.sigma", "6 ms"),
    ("stimuli.sine.frequency", "41 Hz"),
    ("stimuli.sine.phase", "0.6"),
    ("stimuli.sine.offset", "1 pA"),
    ("stimuli.sine.rectified", "true"),
    ("stimuli.chirp.f_start", "2 Hz"),
    ("stimuli.chirp.f_stop", "41 Hz"),
    ("stimuli.chirp.exponential", "true"),
    ("stimuli.ou.mean", "1 pA"),
    ("stimuli.ou.sigma", "0.2 nA"),
    ("stimuli.ou.tau", "6 ms"),
    ("stimuli.white.amplitude", "6 pA*s**0.5"),
    ("stimuli.white.generator", "numpy_pcg64"),
    ("stimuli.redrawn.interval", "2 ms"),
    ("stimuli.poisson.rate", "9 Hz"),
    ("stimuli.poisson.sources", "2"),
    ("stimuli.listed.times", "[\"10 ms\", \"21 ms\"]"),
    ("stimuli.listed.weight", "2 nS"),
    ("stimuli.signal.file", "other-signal.csv"),
    ("stimuli.signal.gain", "2.0"),
    ("stimuli.signal.interpolation", "linear"),
    ("stimuli.formula.value", "[0.2 nA]*sin(t/[10 ms])"),
    ("stimuli.formula", "false"),
    ("record.exc.traces", "[{ name = \"fast\", variables = [\"V_m\"], units = [0, 1, 2], interval = \"0.5 ms\" }]"),
    ("record.exc.traces", "[{ name = \"slow\", variables = [\"V_m\"], units = [0, 1, 3], interval = \"0.5 ms\" }]"),
    ("record.exc.traces", "[{ name = \"slow\", variables = [\"V_m\"], units = [0, 1, 2], interval = \"1 ms\" }]"),
    ("record.exc.connections", "true"),
    ("record.a.traces", "[{ variables = [\"w\"], interval = \"20 ms\" }]"),
    ("analyses.spectrum.of", "inh.rate"),
    ("analyses.spectrum.overlap", "0.6"),
    ("analyses.spectrum.segment", "100 ms"),
    ("analyses.spectrum.window", "boxcar"),
];

#[test]
fn every_value_that_decides_the_result_is_in_it_and_titles_expectations_and_variants_are_not() {
    let base = read(EVERYTHING, &[]);
    let mut seen = BTreeSet::from([base.hash.clone()]);
    for change in CHANGES {
        let spec = read(EVERYTHING, &[*change]);
        assert!(seen.insert(spec.hash), "{change:?} leaves the identity as it was, or makes it that of another change");
    }
    for change in [
        ("title", "Another"),
        ("description", "Another"),
        ("expect.peak.min", "9 Hz"),
        ("expect.peak", "false"),
        // The same values, written otherwise.
        ("simulation.duration", "0.2 s"),
        ("simulation.seed", "1"),
        ("simulation.noise_seed", "1"),
        ("simulation.trial", "0"),
        ("projections.g.weight", "0.002 uS"),
        ("stimuli.constant.units", "[ 0, 2 ]"),
        ("stimuli.formula.value", "[0.1 nA]*sin(t/[10 ms])  "),
        ("analyses.spectrum.segment", "1 s"),
        ("populations.exc.integrator", "auto"),
        ("models.heat.equations", "# heat\n\n   du/dt =  D*laplacian(u) - u/tau : V\n"),
    ] {
        assert_eq!(read(EVERYTHING, &[change]).canonical, base.canonical, "{change:?}");
    }
    let other = EVERYTHING.replace("[variants.loud]", "[variants.quiet]");
    assert_eq!(read(&other, &[]).canonical, base.canonical, "the names of variants");
    let sweep = format!("{EVERYTHING}[sweep]\nseeds = 3\n");
    assert_eq!(read(&sweep, &[]).canonical, base.canonical, "a sweep");
    let trials = format!("{EVERYTHING}[trials]\ncount = 3\n");
    assert_eq!(read(&trials, &[]).canonical, base.canonical, "trials");
}

/// A system in plain numbers.
const PLAIN: &str = r#"
[simulation]
duration = 10
dt = 0.01
[populations.p]
model = "lorenz"
[record.p]
traces = [{ variables = ["x"], interval = 0.1 }]
[analyses.spectrum]
kind = "psd"
of = "p.x"
segment = 5
"#;

#[test]
fn plain_numbers_have_no_unit() {
    let spec = read(PLAIN, &[]);
    let found: Json = serde_json::from_str(&spec.canonical).unwrap();
    assert_eq!(found["simulation"]["dt"], "0.01");
    assert_eq!(found["simulation"]["time"], "plain numbers");
    assert_eq!(found["analyses"][0]["options"]["segment"], "5");
}

#[test]
fn keys_stand_in_the_order_of_the_writer_and_things_in_that_of_the_file() {
    let turned = PINNED
        .replace("size = 10\n", "")
        .replace("model = \"lif\"\n", "size = 10\nmodel = \"lif\"\n")
        .replace("rate = \"8 Hz\"\nsources = 100\n", "sources = 100\nrate = \"8 Hz\"\n");
    assert_ne!(turned, PINNED);
    assert_eq!(read(&turned, &[]).canonical, read(PINNED, &[]).canonical);
    let start = PINNED.find("[projections.rec]").unwrap();
    let gap = PINNED.find("[projections.gap]").unwrap();
    let end = PINNED.find("[stimuli.background]").unwrap();
    let swapped = format!("{}{}{}{}", &PINNED[..start], &PINNED[gap..end], &PINNED[start..gap], &PINNED[end..]);
    assert_ne!(read(&swapped, &[]).hash, read(PINNED, &[]).hash, "the order of projections is that of sums");
}

#[test]
fn quantities_read_as_people_write_them() {
    for text in [
        "0.5",
        "20 ms",
        "-70.6 mV",
        "281 pF",
        "0.3 mS/cm**2",
        "8 Hz",
        "100 Mohm",
        "5 pA*s**0.5",
        "1000000 um",
        "0 mV",
        "1e-9",
        "1e30 V",
        "0.000001",
    ] {
        let q = Quantity::parse(text).unwrap();
        assert_eq!(quantity(q.value, q.dimension), text);
    }
    assert_eq!(quantity(f64::INFINITY, Dimension::SECOND), "inf ms");
    assert_eq!(quantity(-0.0, Dimension::NONE), "-0");
}

/// Units of all kinds: with display units that are powers of ten of the SI unit, with one that is not, without any.
const UNITS: [&str; 12] = ["1", "V", "A", "S/m**2", "F", "s", "m", "Hz", "V*s**0.5", "A/m**2", "kg*m**2", "mol/m**3"];

proptest! {
    /// The text of a quantity is read back as the same bits: other bits have another text.
    #[test]
    fn quantities_are_exact(bits: u64, unit in 0..UNITS.len()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        let dimension = if unit == 0 { Dimension::NONE } else { parse_unit(UNITS[unit]).unwrap().1 };
        let text = quantity(value, dimension);
        let back = Quantity::parse(&text).unwrap();
        prop_assert_eq!(back.value.to_bits(), value.to_bits(), "{}", text);
        prop_assert_eq!(back.dimension, dimension, "{}", text);
    }

    /// The same of numbers of every day.
    #[test]
    fn everyday_quantities_are_exact(digits in -99_999_999i64..99_999_999, power in -18i32..6, unit in 0..UNITS.len()) {
        let value: f64 = format!("{digits}e{power}").parse().unwrap();
        let dimension = if unit == 0 { Dimension::NONE } else { parse_unit(UNITS[unit]).unwrap().1 };
        let text = quantity(value, dimension);
        prop_assert_eq!(Quantity::parse(&text).unwrap().value.to_bits(), value.to_bits(), "{}", text);
    }

    /// One bit of any value changes the hash: of a parameter, in a list, in a long list that stands by its hash.
    #[test]
    fn one_bit_changes_the_hash(bits: u64, place in 0usize..5, at in 0usize..100) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite() && f64::from_bits(bits ^ 1).is_finite());
        let pinned = read(PINNED, &[]);
        let with = |v: f64| {
            let mut spec = pinned.clone();
            let list = |n: usize| { let mut l = vec![0.25; n]; l[at % n] = v; l };
            match place {
                0 => spec.populations[0].parameters[0] = Value::Constant(v),
                1 => spec.projections[0].weight = Value::Each(list(10).into()),
                2 => spec.projections[0].weight = Value::Each(list(100).into()),
                3 => spec.projections[0].delay = Value::Drawn(Distribution::Linspace { from: 0.0, to: v }),
                _ => spec.stimuli[0].kind = Signal {
                    start: 0.0,
                    interval: 1e-3,
                    columns: vec![list(100)].into(),
                    linear: false,
                    gain: 1.0,
                    outside: Outside::Hold,
                }
                .into(),
            }
            identify(&mut spec, &catalog());
            spec.hash
        };
        let one = with(value);
        prop_assert_eq!(&one, &with(value));
        prop_assert_ne!(one, with(f64::from_bits(bits ^ 1)));
    }
}
