//! Channels, receptors and whole cells beside NEURON's numbers (data/reference/trees_neuron.json).

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::trees::{close, column, crossings, recorded, reference, voltage};

fn scenario(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)).unwrap()
}

/// `{ "25": -66.9, ... }` as pairs; other keys are left out.
fn samples(value: &Value) -> Vec<(f64, f64)> {
    value.as_object().unwrap().iter().filter_map(|(k, v)| Some((k.parse().ok()?, v.as_f64()?))).collect()
}

/// The channel file, its conductance in mS/cm2, and the greatest distance from NEURON in mV.
const CHANNELS: [(&str, &str, f64); 6] = [
    ("im", "0.3", 2e-4),
    ("ih", "0.05", 2e-4),
    ("it", "0.6", 2e-3),
    ("ia", "4", 2e-4),
    ("il", "0.3", 2e-4),
    ("ik_ca", "5", 2e-3),
];

#[test]
fn channels_follow_neuron_at_a_temperature_that_is_not_their_own() {
    let mut text = "[simulation]\nduration = \"350 ms\"\ndt = \"0.0125 ms\"\n".to_owned();
    for (name, g, _) in CHANNELS {
        let calcium = if name == "ik_ca" {
            "channels.il = { kind = \"il\", g = \"2 mS/cm**2\" }
channels.ca = { kind = \"calcium\", depth = \"0.1 um\", tau = \"100 ms\" }"
        } else {
            ""
        };
        let cell = format!(
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
        );
        text.push_str(&cell);
    }
    let recording = recorded(&text, 1);
    let neuron = &reference()["channels"];
    for (name, _, tolerance) in CHANNELS {
        let v = column(&voltage(&recording, name), 0);
        let theirs = samples(&neuron[name.replace('_', "").as_str()]);
        assert_eq!(theirs.len(), 9);
        for (t, expected) in theirs {
            close(v[(t / 5.0) as usize], expected, tolerance, &format!("{name} at {t} ms"));
        }
    }
}

#[test]
fn an_nmda_spike_is_that_of_neuron() {
    let text =
        scenario("nmda-spike.toml").replace("dt = \"0.05 ms\"", "dt = \"0.0025 ms\"").replace("0.25 ms", "0.0025 ms");
    let text = text.replace(
        "parameters = { R_a = \"150 ohm*cm\" }",
        "parameters = { R_a = \"150 ohm*cm\" }\nintegrator = \"crank_nicolson\"",
    );
    let recording = recorded(&text, 1);
    for name in ["one", "six", "twelve"] {
        let neuron = &reference()["nmda_spike"][name];
        assert_eq!(
            recording.population(name).unwrap().size,
            neuron["compartments"].as_u64().unwrap() as usize + 4,
            "compartments"
        );
        let trace = voltage(&recording, name);
        for (n, place) in ["soma(0.5)", "dendrite(0.8)"].into_iter().enumerate() {
            let v = column(&trace, n);
            let peak = (0..v.len()).max_by(|a, b| v[*a].total_cmp(&v[*b])).unwrap();
            close(v[peak], neuron[place]["peak"].as_f64().unwrap(), 1e-3, name);
            close(peak as f64 * 0.0025, neuron[place]["peak_time"].as_f64().unwrap(), 0.03, name);
            for (t, expected) in samples(&neuron[place]) {
                close(v[(t / 0.0025).round() as usize], expected, 1e-3, &format!("{name} {place} at {t} ms"));
            }
        }
    }
}

#[test]
fn a_detailed_cell_fires_and_rests_as_in_neuron() {
    let recording = recorded(&scenario("detailed-neuron.toml"), 1);
    let neuron = &reference()["detailed"];
    let trace = voltage(&recording, "original");
    // The axon has an even number of compartments: its middle is the border of two, and NEURON takes the second.
    let times = crossings(&column(&trace, 1).iter().map(|v| v + 10.0).collect::<Vec<_>>(), 0.0125);
    let theirs: Vec<f64> = neuron["axon_times"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert_eq!(times.len(), theirs.len(), "{times:?}");
    // The synapse's event is of order 1 there and of order 2 here: half a step of 12.5 us between them.
    for (k, (a, b)) in times.iter().zip(&theirs).enumerate() {
        close(*a, *b, if k < 6 { 1e-6 } else { 1e-3 }, "spike in the axon");
    }
    for (n, place) in ["soma(0.5)", "axon(0.5)", "apical(0.7)", "tuft_0(0.9)"].into_iter().enumerate() {
        let v = column(&trace, n);
        let peak = v.iter().copied().fold(f64::MIN, f64::max);
        close(peak, neuron[place]["peak"].as_f64().unwrap(), if n == 1 { 1e-5 } else { 0.06 }, place);
        for (key, t, tolerance) in [("at_39", 39.0, 1e-5), ("at_41", 41.0, 0.06), ("at_100", 100.0, 1e-5)] {
            close(v[(t / 0.0125_f64).round() as usize], neuron[place][key].as_f64().unwrap(), tolerance, place);
        }
    }
}
