//! Trees beside NEURON's numbers, closed forms, and themselves.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use spikedeck::run;
use spikedeck::signal::{Recording, Trace};

/// Runs the text of a scenario.
pub fn recorded(text: &str, threads: usize) -> Recording {
    let source = run::Source { text: text.to_owned(), origin: None, name: "tree".to_owned(), variant: None };
    let (spec, _) = run::resolve(&source, &[]).unwrap_or_else(|e| panic!("{}", e.render(false)));
    let tell: run::Tell = Arc::new(|_| {});
    let options = run::Options { threads, ..run::Options::default() };
    let finished = run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell).unwrap();
    assert_eq!(finished.status, run::Status::Complete, "{:?}", finished.failure);
    Recording::clone(&finished.recording)
}

/// One column of a trace: the `n`-th unit that was recorded.
pub fn column(trace: &Trace, n: usize) -> Vec<f64> {
    trace.values.chunks_exact(trace.units.len()).map(|row| row[n]).collect()
}

pub fn voltage(recording: &Recording, population: &str) -> Trace {
    recording.traces_of(population, "V_m").next().unwrap().clone()
}

/// Upward crossings of -10 mV, interpolated.
pub fn crossings(values: &[f64], interval: f64) -> Vec<f64> {
    (1..values.len())
        .filter(|&k| values[k - 1] < -10.0 && values[k] >= -10.0)
        .map(|k| (k as f64 - 1.0 + (-10.0 - values[k - 1]) / (values[k] - values[k - 1])) * interval)
        .collect()
}

pub fn reference() -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/reference/trees_neuron.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance, "{what}: {a}, expected {b} within {tolerance}");
}

#[test]
fn an_action_potential_on_a_cable_comes_when_neuron_says() {
    let text = r#"
[simulation]
duration = "12 ms"
dt = "0.005 ms"
[populations.a]
model = "membrane"
cable = { length = "5 mm", diameter = "10 um", compartments = 101 }
parameters = { R_a = "100 ohm*cm" }
channels.na = { kind = "hh_na" }
channels.k = { kind = "hh_k" }
channels.leak = { kind = "leak", g = "0.3 mS/cm**2", E = "-54.3 mV" }
integrator = "crank_nicolson"
[stimuli.i]
target = "a.I"
units = ["cable(0)"]
kind = "step"
amplitude = "5 nA"
start = "1 ms"
stop = "1.5 ms"
[record.a]
traces = [{ variables = ["V_m"], units = ["cable(0.25)", "cable(0.5)", "cable(0.75)"] }]
"#;
    let v = voltage(&recorded(text, 1), "a");
    let neuron = &reference()["hh_cable"];
    for (n, key) in ["time_0.25", "time_0.5", "time_0.75"].into_iter().enumerate() {
        let mine = crossings(&column(&v, n), 0.005);
        assert_eq!(mine.len(), 1);
        close(mine[0], neuron[key][0].as_f64().unwrap(), 2e-6, key);
    }
    let peak = column(&v, 1).into_iter().fold(f64::MIN, f64::max);
    close(peak, neuron["peak_0.5"].as_f64().unwrap(), 2e-5, "peak");
}

#[test]
fn a_branched_dendrite_charges_as_in_neuron() {
    let text = r#"
[simulation]
duration = "400 ms"
dt = "0.1 ms"
[populations.a]
model = "membrane"
parameters = { R_a = "150 ohm*cm" }
channels.leak = { kind = "leak", g = "0.05 mS/cm**2", E = "-65 mV" }
compartments = { per_section = 21 }
integrator = "backward_euler"
[populations.a.sections]
parent = { length = "300 um", diameter = "4 um" }
wide = { parent = "parent(1)", length = "400 um", diameter = "2 um" }
thin = { parent = "parent(1)", length = "250 um", diameter = "1 um" }
[stimuli.i]
target = "a.I"
units = ["parent(0)"]
kind = "constant"
amplitude = "10 pA"
[record.a]
traces = [{ variables = ["V_m"], units = ["parent(0)", "parent(1)", "wide(1)", "thin(1)"], interval = "10 ms" }]
"#;
    let v = voltage(&recorded(text, 1), "a");
    let neuron = &reference()["branched"];
    for (n, key) in ["parent(0)", "parent(1)", "wide(1)", "thin(1)"].into_iter().enumerate() {
        let mine = column(&v, n);
        close(mine[1] + 65.0, neuron[key]["at_10"].as_f64().unwrap(), 2e-8, key);
        close(mine[40] + 65.0, neuron[key]["at_400"].as_f64().unwrap(), 2e-8, key);
    }
}

#[test]
fn a_pyramidal_cell_fires_when_neuron_says() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/pyramidal-cell.toml")).unwrap();
    let recording = recorded(&text, 1);
    let neuron = &reference()["pyramidal"];
    let places = recording.traces.iter().find(|t| t.name == "places").unwrap();
    for (n, key) in [(0, "soma_times"), (2, "axon_times")] {
        let mine = crossings(&column(places, n), 0.0125);
        assert_eq!(mine.len(), neuron[key].as_array().unwrap().len());
        close(mine[0], neuron[key][0].as_f64().unwrap(), 2e-6, key);
    }
    let peak = |n| column(places, n).into_iter().fold(f64::MIN, f64::max);
    close(peak(0), neuron["soma_peak"].as_f64().unwrap(), 2e-5, "soma");
    close(peak(3), neuron["tip_peak"].as_f64().unwrap(), 2e-5, "tip");
    let population = recording.population("cell").unwrap();
    assert_eq!(
        population.size,
        neuron["compartments"].as_u64().unwrap() as usize + neuron["sections"].as_u64().unwrap() as usize + 1
    );
}

#[test]
fn calcium_stops_a_cell_as_in_neuron() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/calcium-afterhyperpolarisation.toml");
    let text = fs::read_to_string(path).unwrap().replace("0.0125 ms", "0.003125 ms");
    let recording = recorded(&text, 1);
    let neuron = &reference()["ahp"];
    let v = column(&voltage(&recording, "cell"), 0);
    let mine = crossings(&v, 0.003125);
    let theirs: Vec<f64> = neuron["times"].as_array().unwrap().iter().filter_map(serde_json::Value::as_f64).collect();
    assert_eq!(mine.len(), theirs.len(), "{mine:?} {theirs:?}");
    // The last spike starts from just above threshold, where time depends most on everything before.
    for (a, (b, tolerance)) in mine.iter().zip(theirs.iter().zip([2e-5, 2e-4, 1e-3, 0.02])) {
        close(*a, *b, tolerance, "spike");
    }
    let ca = recording.traces_of("cell", "ca.Ca").next().unwrap().values.iter().copied().fold(0.0, f64::max);
    close(ca * 1e3, neuron["greatest_calcium_uM"].as_f64().unwrap(), 0.01, "calcium");
    close(v[v.len() - 1], neuron["v_at_200"].as_f64().unwrap(), 0.02, "voltage at the end");
}

/// The input resistance of the sealed cable with `n` compartments, in megaohm.
fn resistance(n: usize) -> f64 {
    let text = format!(
        r#"
[simulation]
duration = "600 ms"
dt = "1 ms"
[populations.a]
model = "membrane"
cable = {{ length = "1000 um", diameter = "2 um", compartments = {n} }}
parameters = {{ R_a = "150 ohm*cm" }}
channels.leak = {{ kind = "leak", g = "0.05 mS/cm**2", E = "-65 mV" }}
[stimuli.i]
target = "a.I"
units = ["cable(0)"]
kind = "constant"
amplitude = "1 pA"
[record.a]
traces = [{{ variables = ["V_m"], units = ["cable(0)"], interval = "100 ms" }}]
"#
    );
    (column(&voltage(&recorded(&text, 1), "a"), 0)[6] + 65.0) * 1e3
}

#[test]
fn the_input_resistance_converges_to_the_second_order_in_space() {
    let exact = 463.526_79;
    close(resistance(11), 464.347, 1e-3, "11 compartments, as NEURON");
    close(resistance(51), 463.565, 1e-3, "51 compartments, as NEURON");
    close(resistance(201), 463.529, 1e-3, "201 compartments, as NEURON");
    let (coarse, fine) = (resistance(15) - exact, resistance(45) - exact);
    let order = (coarse / fine).ln() / 3f64.ln();
    close(order, 2.0, 0.02, "order");
}

/// What is left of a cosine of `mode` half waves on the sealed cable after 4 ms.
fn left(mode: u32, dt: &str, integrator: &str) -> f64 {
    let text = format!(
        r#"
[simulation]
duration = "4 ms"
dt = "{dt}"
[populations.a]
model = "membrane"
cable = {{ length = "1000 um", diameter = "2 um", compartments = 401 }}
parameters = {{ R_a = "150 ohm*cm" }}
channels.leak = {{ kind = "leak", g = "0.05 mS/cm**2", E = "-65 mV" }}
initial = {{ V_m = "-[65 mV] + [1 mV]*cos({mode}*3.141592653589793*distance/[1000 um])" }}
integrator = "{integrator}"
[record.a]
traces = [{{ variables = ["V_m"], units = ["cable(0)"], interval = "4 ms" }}]
"#
    );
    let v = column(&voltage(&recorded(&text, 1), "a"), 0);
    (v[1] + 65.0) / (v[0] + 65.0)
}

#[test]
fn modes_of_a_sealed_cable_decay_with_their_own_time_constants() {
    // tau_n = tau/(1 + (n pi lambda/L)^2): 2.63861 and 0.73209 ms.
    for (mode, tau) in [(1, 2.638_61), (2, 0.732_09)] {
        let measured = -4.0 / left(mode, "0.005 ms", "crank_nicolson").ln();
        close(measured, tau, 2e-4 * tau, "time constant");
    }
    let exact = left(1, "0.002 ms", "crank_nicolson");
    let error = |dt: &str, name: &str| (left(1, dt, name) - exact).abs();
    let order = |name: &str| (error("0.4 ms", name) / error("0.1 ms", name)).ln() / 4f64.ln();
    close(order("crank_nicolson"), 2.0, 0.05, "order of crank_nicolson");
    close(order("backward_euler"), 1.0, 0.1, "order of backward_euler");
}

/// Nine small cells that differ, drive each other, and are noisy.
fn network(record: &str) -> String {
    format!(
        r#"
[simulation]
duration = "60 ms"
dt = "0.05 ms"
seed = 3
[populations.cells]
model = "membrane"
size = 9
compartments = {{ per_section = 5 }}
parameters = {{ R_a = "150 ohm*cm", C_m = {{ uniform = ["0.9 uF/cm**2", "1.1 uF/cm**2"] }} }}
channels.na = {{ kind = "hh_na", in = ["soma"] }}
channels.k = {{ kind = "hh_k", in = ["soma"] }}
channels.leak = {{ kind = "leak", g = "0.3 mS/cm**2", E = "-54.387 mV" }}
receptors.ampa = {{ kind = "exp_conductance", at = ["dendrite(0.9)", "dendrite(0.3)"], tau = "2 ms", E_rev = "0 mV" }}
[populations.cells.sections]
soma = {{ length = "20 um", diameter = "20 um" }}
dendrite = {{ parent = "soma(1)", length = "200 um", diameter = "2 um" }}
[projections.all]
from = "cells"
to = "cells.ampa"
connect = {{ rule = "fixed_indegree", indegree = 3 }}
weight = "4 nS"
delay = "1 ms"
[stimuli.noise]
target = "cells.I"
units = ["soma(0.5)"]
kind = "ou_noise"
mean = "90 pA"
sigma = "60 pA"
tau = "5 ms"
[stimuli.first]
target = "cells.ampa"
units = ["dendrite(0.9)"]
kind = "poisson"
rate = "40 Hz"
weight = "6 nS"
[record.cells]
spikes = true
{record}
"#
    )
}

#[test]
fn threads_and_recording_leave_the_bits_of_trees_alone() {
    let traced = network("traces = [{ variables = [\"V_m\", \"na.h\", \"ampa.g\", \"I_m\"], interval = \"1 ms\" }]");
    let (one, two) = (recorded(&traced, 1), recorded(&traced, 2));
    let plain = recorded(&network(""), 1);
    let spikes = one.spikes_of("cells").unwrap();
    assert!(spikes.times.len() > 9 && spikes.size == 9, "{}", spikes.times.len());
    assert_eq!(spikes, two.spikes_of("cells").unwrap());
    assert_eq!(spikes, plain.spikes_of("cells").unwrap());
    for (a, b) in one.traces.iter().zip(&two.traces) {
        assert!(a.values.iter().zip(&b.values).all(|(x, y)| x.to_bits() == y.to_bits()), "{}", a.variable);
    }
    // Gates are where their channel is, and nothing elsewhere.
    let h = one.traces_of("cells", "na.h").next().unwrap();
    let per_cell = h.units.len() / 9;
    assert!(h.values[..per_cell].iter().filter(|v| **v > 0.0).count() == 5, "five compartments of the soma");
}

/// Cells that nobody meets make many steps before the next ones do; against those that are looked at in every step, and
/// those that might be met. Two of 43 units of a cell are driven: more than one in sixteen would be stepped singly
/// (`is_driven_at_few`).
#[test]
fn cells_of_their_own_have_the_bits_of_single_steps() {
    let text = |integrator: &str, record: &str, more: &str| {
        format!(
            "[simulation]
duration = \"40 ms\"
dt = \"0.05 ms\"
seed = 3
spike_times = \"interpolated\"
[populations.cells]
model = \"membrane\"
size = 21
integrator = \"{integrator}\"
compartments = {{ per_section = 20 }}
parameters = {{ C_m = {{ uniform = [\"0.9 uF/cm**2\", \"1.1 uF/cm**2\"] }} }}
channels.na = {{ kind = \"hh_na\", in = [\"soma\"] }}
channels.k = {{ kind = \"hh_k\", in = [\"soma\"] }}
channels.leak = {{ kind = \"leak\", g = \"0.3 mS/cm**2\", E = \"-54.387 mV\" }}
[populations.cells.sections]
soma = {{ length = \"20 um\", diameter = \"20 um\" }}
dendrite = {{ parent = \"soma(1)\", length = \"200 um\", diameter = \"2 um\" }}
[stimuli.noise]
target = \"cells.I\"
units = [\"soma(0.5)\"]
kind = \"ou_noise\"
mean = \"90 pA\"
sigma = \"60 pA\"
tau = \"5 ms\"
[stimuli.pulses]
target = \"cells.I\"
units = [\"dendrite(0.9)\"]
kind = \"pulse_train\"
amplitude = \"0.3 nA\"
start = \"1 ms\"
period = \"7 ms\"
width = \"1 ms\"
[record.cells]
spikes = true
{record}{more}"
        )
    };
    let every = |interval: &str| {
        let where_ = "units = [\"soma(0.5)\", \"dendrite(0.9)\"], ";
        format!("traces = [{{ variables = [\"V_m\", \"na.h\", \"I_m\"], {where_}interval = \"{interval}\" }}]\n")
    };
    let others = "[populations.others]
model = \"lif\"
size = 2
receptors.syn = { kind = \"delta\" }
[projections.pp]
from = \"others\"
to = \"others.syn\"
connect = \"all_to_all\"
weight = \"1 mV\"
delay = \"1 ms\"
";
    for integrator in ["backward_euler", "crank_nicolson"] {
        let single = recorded(&text(integrator, &every("0.05 ms"), ""), 1);
        let spikes = single.spikes_of("cells").unwrap();
        assert!(spikes.times.len() > 21, "{}", spikes.times.len());
        for (record, step, more, threads) in [
            (every("1 ms"), 20, "", 1),
            (every("0.85 ms"), 17, "", 2),
            (every("1 ms"), 20, others, 1),
            (String::new(), 1, "", 1),
        ] {
            let found = recorded(&text(integrator, &record, more), threads);
            assert_eq!(spikes, found.spikes_of("cells").unwrap(), "{integrator}, every {step} steps");
            for (all, some) in single.traces.iter().zip(&found.traces) {
                let expected: Vec<u64> =
                    all.values.chunks(all.units.len()).step_by(step).flatten().map(|v| v.to_bits()).collect();
                let found: Vec<u64> = some.values.iter().map(|v| v.to_bits()).collect();
                assert!(expected == found, "{integrator}: {} every {step} steps", all.variable);
            }
        }
    }
}

#[test]
fn a_spike_of_one_cell_reaches_a_dendrite_of_another() {
    let text = r#"
[simulation]
duration = "30 ms"
dt = "0.025 ms"
[populations.a]
model = "membrane"
cable = { length = "1 mm", diameter = "2 um", compartments = 51 }
channels.na = { kind = "hh_na" }
channels.k = { kind = "hh_k" }
channels.leak = { kind = "leak", g = "0.3 mS/cm**2", E = "-54.387 mV" }
threshold_at = ["cable(0)", "cable(1)"]
[populations.b]
model = "membrane"
cable = { length = "300 um", diameter = "1 um", compartments = 11 }
channels.leak = { kind = "leak" }
receptors.ampa = { kind = "exp_conductance", at = ["cable(0.5)"], tau = "2 ms", E_rev = "0 mV" }
initial = { V_m = "-70 mV" }
[projections.ab]
from = "a"
to = "b.ampa"
connect = "all_to_all"
weight = "1 nS"
delay = "2 ms"
[stimuli.i]
target = "a.I"
units = ["cable(0)"]
kind = "step"
amplitude = "1 nA"
start = "1 ms"
stop = "2 ms"
[record.a]
spikes = true
[record.b]
traces = [{ variables = ["V_m", "ampa.g"], units = ["cable(0.5)"] }]
"#;
    let recording = recorded(text, 1);
    let spikes = recording.spikes_of("a").unwrap();
    assert_eq!((spikes.size, &spikes.units[..2]), (2, &[0, 1][..]));
    let delay = spikes.times[1] - spikes.times[0];
    assert!((1.0..3.0).contains(&delay), "1 mm of 2 um takes its time: {delay}");
    let g = column(recording.traces_of("b", "ampa.g").next().unwrap(), 0);
    let arrival = ((spikes.times[0] + 2.0) / 0.025).round() as usize;
    assert_eq!(g[arrival - 1], 0.0);
    close(g[arrival], 1.0, 1e-9, "conductance when the spike arrives");
    let v = column(&voltage(&recording, "b"), 0);
    assert!(v[arrival + 100] > v[0] + 1.0);
}

/// Reconstructions lie beside the project, not in it.
#[test]
fn a_reconstructed_cell_is_read_and_carries_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/morphologies");
    let file = folder.join("ca1_n120.swc");
    if !file.exists() {
        eprintln!("skipped: there is no {}", file.display());
        return;
    }
    let scenario = |file: &Path, more: &str| {
        format!(
            r#"
[simulation]
duration = "400 ms"
dt = "5 ms"
[populations.a]
model = "membrane"
morphology = "{}"
{more}
parameters = {{ R_a = "150 ohm*cm" }}
channels.leak = {{ kind = "leak", g = "0.05 mS/cm**2", E = "-65 mV" }}
[stimuli.i]
target = "a.I"
units = [0]
kind = "constant"
amplitude = "10 pA"
[record.a]
traces = [{{ variables = ["V_m"], interval = "100 ms" }}]
"#,
            file.display()
        )
    };
    let recording = recorded(&scenario(&file, ""), 1);
    let v = voltage(&recording, "a");
    let last = &v.values[v.values.len() - v.units.len()..];
    assert!(last.len() > 300, "{} units", last.len());
    assert!(last.iter().all(|x| *x > -65.0 && *x < -55.0), "current reaches every unit, and none explodes");
    // Current in equals current out through the leak: g times area times deviation, over all compartments.
    let retina = scenario(&folder.join("retina_20161028_1.swc"), "");
    let source = run::Source { text: retina, origin: None, name: "retina".to_owned(), variant: None };
    let refused = run::resolve(&source, &[]).err().map(|e| e.render(false)).unwrap_or_default();
    assert!(refused.contains("has the radius 0") && refused.contains("least_diameter"), "{refused}");
    let retina = recorded(
        &scenario(&folder.join("retina_20161028_1.swc"), "least_diameter = \"0.5 um\"\nsoma = \"as-samples\""),
        1,
    );
    assert!(voltage(&retina, "a").units.len() > 300);
}

/// The voltage at the end of a passive dendrite 25 ms after two events, by `integrator` in steps of `dt` ms.
fn after_events(receptor: &str, integrator: &str, dt: f64) -> f64 {
    let text = format!(
        r#"
[simulation]
duration = "40 ms"
dt = "{dt} ms"
[populations.a]
model = "membrane"
cable = {{ length = "500 um", diameter = "2 um", compartments = 21 }}
parameters = {{ R_a = "150 ohm*cm" }}
channels.leak = {{ kind = "leak", g = "0.05 mS/cm**2", E = "-65 mV" }}
initial = {{ V_m = "-65 mV" }}
integrator = "{integrator}"
receptors.s = {{ {receptor}, at = ["cable(0.8)"] }}
[stimuli.e]
target = "a.s"
kind = "spikes"
times = ["12.8 ms", "14.4 ms"]
weight = "5 nS"
[record.a]
traces = [{{ variables = ["V_m"], units = ["cable(0)"], interval = "40 ms" }}]
"#
    );
    column(&voltage(&recorded(&text, 1), "a"), 0)[1]
}

#[test]
fn events_keep_the_order_of_the_scheme() {
    let order = |receptor: &str, integrator: &str| {
        let at = |k: u32| after_events(receptor, integrator, 0.2 / f64::from(1 << k));
        let (a, b, c) = (at(0), at(1), at(2));
        ((a - b) / (b - c)).abs().log2()
    };
    for receptor in [
        "kind = \"exp_conductance\", tau = \"2 ms\", E_rev = \"0 mV\"",
        "kind = \"alpha_conductance\", tau = \"2 ms\", E_rev = \"0 mV\"",
        "kind = \"nmda\", tau_rise = \"2 ms\", tau_decay = \"20 ms\"",
    ] {
        let (second, first) = (order(receptor, "crank_nicolson"), order(receptor, "backward_euler"));
        assert!((second - 2.0).abs() < 0.2, "{receptor}: order {second} of crank_nicolson");
        assert!((first - 1.0).abs() < 0.35, "{receptor}: order {first} of backward_euler");
    }
}
