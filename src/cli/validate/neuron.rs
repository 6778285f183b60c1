//! Numbers of NEURON that ship (`data/reference/trees_neuron.py` made them): channels, cables, whole cells.

use serde_json::Value;

use super::{Bench, Case, CliError, Row, column, crossings};

const SOURCE: &str = "NEURON 9.0.2, data/reference/trees_neuron.py";

pub(super) const CASES: &[Case] = &[
    Case { name: "channels", group: "neuron", is_quick: true, source: SOURCE, rows: channels },
    Case { name: "axon", group: "neuron", is_quick: true, source: SOURCE, rows: axon },
    Case { name: "branched-dendrite", group: "neuron", is_quick: true, source: SOURCE, rows: branched },
    Case { name: "pyramidal-cell", group: "neuron", is_quick: false, source: SOURCE, rows: pyramidal },
    Case { name: "detailed-neuron", group: "neuron", is_quick: false, source: SOURCE, rows: detailed },
];

fn reference() -> Value {
    serde_json::from_str(spikedeck_data::TREES_NEURON).expect("a file that is built in is JSON")
}

/// A number of the file; what it does not have is no number, and fails.
fn of(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// Times of spikes one after the other, against a list: also their number must be the same.
fn times(row: Row, what: &str, ours: &[f64], list: &Value) -> Row {
    let right: Vec<f64> = list.as_array().into_iter().flatten().map(of).collect();
    let row = if ours.len() == right.len() { row } else { row.with(format!("{what}: number"), f64::NAN, 0.0) };
    row.with_each(ours.iter().zip(&right).enumerate().map(|(k, (a, b))| (format!("{what} {}", k + 1), *a, *b)))
}

/// The channel file, its conductance in mS/cm2, and the bar in mV.
const CHANNELS: [(&str, &str, f64); 6] = [
    ("im", "0.3", 2e-4),
    ("ih", "0.05", 2e-4),
    ("it", "0.6", 2e-3),
    ("ia", "4", 2e-4),
    ("il", "0.3", 2e-4),
    ("ik_ca", "5", 2e-3),
];

/// Steps of current into one compartment at 30 degrees, which is the own temperature of none of the channels.
fn channels(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let mut text = "[simulation]\nduration = \"350 ms\"\ndt = \"0.0125 ms\"\n".to_owned();
    for (name, g, _) in CHANNELS {
        let calcium = if name == "ik_ca" {
            "channels.il = { kind = \"il\", g = \"2 mS/cm**2\" }\n\
             channels.ca = { kind = \"calcium\", depth = \"0.1 um\", tau = \"100 ms\" }"
        } else {
            ""
        };
        text.extend([format!(
            r#"
[populations.{name}]
model = "membrane"
cable = {{ length = "20 um", diameter = "20 um", compartments = 1 }}
parameters = {{ celsius = "30 degC" }}
initial = {{ V_m = "-70 mV" }}
integrator = "crank_nicolson"
channels.leak = {{ kind = "leak", g = "0.05 mS/cm**2", E = "-70 mV" }}
channels.own = {{ kind = "{name}", g = "{g} mS/cm**2" }}
{calcium}
[stimuli.{name}_down]
target = "{name}.I"
units = ["cable(0.5)"]
kind = "step"
amplitude = "-15 pA"
start = "50 ms"
stop = "150 ms"
[stimuli.{name}_up]
target = "{name}.I"
units = ["cable(0.5)"]
kind = "step"
amplitude = "15 pA"
start = "200 ms"
stop = "300 ms"
[record.{name}]
traces = [{{ variables = ["V_m"], units = ["cable(0.5)"], interval = "5 ms" }}]
"#
        )]);
    }
    let recording = bench.recorded(&text)?;
    let reference = reference();
    let row = |(name, _, bar): (&str, &str, f64)| -> Result<Row, CliError> {
        let values = column(&recording, name, "V_m", 0)?;
        let theirs = reference["channels"][name.replace('_', "").as_str()].as_object();
        let samples = theirs.into_iter().flatten().filter_map(|(at, v)| Some((at.parse::<f64>().ok()?, of(v))));
        let ours = |t: f64| values.get((t / 5.0).round() as usize).copied().unwrap_or(f64::NAN);
        let each = samples.map(|(t, right)| (format!("{t} ms"), ours(t), right));
        Ok(Row::new(format!("voltage with {name}"), "mV", bar).with_each(each))
    };
    CHANNELS.into_iter().map(row).collect()
}

/// An action potential that travels along the squid axon.
fn axon(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let recording = bench.recorded(
        r#"
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
"#,
    )?;
    let theirs = &reference()["hh_cable"];
    let mut arrival = Row::new("action potential on an axon", "ms", 2e-6);
    for (n, key) in ["time_0.25", "time_0.5", "time_0.75"].into_iter().enumerate() {
        let found = crossings(&column(&recording, "a", "V_m", n)?, 0.005, -10.0);
        arrival = times(arrival, key, &found, &theirs[key]);
    }
    let peak = column(&recording, "a", "V_m", 1)?.into_iter().fold(f64::MIN, f64::max);
    Ok(vec![arrival, Row::new("its peak", "mV", 2e-5).with("middle", peak, of(&theirs["peak_0.5"]))])
}

fn branched(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let recording = bench.recorded(
        r#"
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
"#,
    )?;
    let theirs = &reference()["branched"];
    let mut row = Row::new("charging of a branched dendrite", "mV", 2e-8);
    for (n, key) in ["parent(0)", "parent(1)", "wide(1)", "thin(1)"].into_iter().enumerate() {
        let values = column(&recording, "a", "V_m", n)?;
        for (sample, at) in [(1, "at_10"), (40, "at_400")] {
            let ours = values.get(sample).copied().unwrap_or(f64::NAN) + 65.0;
            row = row.with(format!("{key} {at}"), ours, of(&theirs[key][at]));
        }
    }
    Ok(vec![row])
}

/// A cell of 336 compartments from an SWC file, with channels by region (scenario `pyramidal-cell`).
fn pyramidal(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let recording = bench.shipped("pyramidal-cell")?;
    let theirs = &reference()["pyramidal"];
    let places = recording.traces.iter().find(|t| t.name == "places");
    let places = places.ok_or_else(|| CliError::Other("the scenario records no `places`".to_owned()))?;
    let of_place = |n: usize| places.values.chunks_exact(places.units.len()).map(|row| row[n]).collect::<Vec<f64>>();
    let mut spikes = Row::new("spikes of a pyramidal cell", "ms", 2e-6);
    for (n, key) in [(0, "soma_times"), (2, "axon_times")] {
        spikes = times(spikes, key, &crossings(&of_place(n), places.interval, -10.0), &theirs[key]);
    }
    let peak = |n: usize| of_place(n).into_iter().fold(f64::MIN, f64::max);
    let peaks = Row::new("its peaks", "mV", 2e-5).with("soma", peak(0), of(&theirs["soma_peak"])).with(
        "tip",
        peak(3),
        of(&theirs["tip_peak"]),
    );
    Ok(vec![spikes, peaks])
}

/// A cell whose axon fires six times before the soma does (scenario `detailed-neuron`).
fn detailed(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let recording = bench.shipped("detailed-neuron")?;
    let theirs = &reference()["detailed"];
    let interval = recording.traces_of("original", "V_m").next().map_or(f64::NAN, |t| t.interval);
    // The tall cell of the axon crosses -10 mV late or not at all; the reference is taken at -20 mV too.
    let found = crossings(&column(&recording, "original", "V_m", 1)?, interval, -20.0);
    let spikes = times(Row::new("spikes in an axon", "ms", 1e-3), "spike", &found, &theirs["axon_times"]);
    let mut rest = Row::new("rest before and after", "mV", 1e-5);
    for (n, place) in ["soma(0.5)", "axon(0.5)", "apical(0.7)", "tuft_0(0.9)"].into_iter().enumerate() {
        let values = column(&recording, "original", "V_m", n)?;
        for (key, t) in [("at_39", 39.0), ("at_100", 100.0_f64)] {
            let ours = values.get((t / interval).round() as usize).copied().unwrap_or(f64::NAN);
            rest = rest.with(format!("{place} {key}"), ours, of(&theirs[place][key]));
        }
    }
    Ok(vec![spikes, rest])
}
