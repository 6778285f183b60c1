//! The benchmark cases of trees, with the models of `bench_cable.py` on NEURON's and Arbor's side.

use super::bench::{Measured, simulated};
use super::error::CliError;
use spikedeck_run as run;

/// 1 um across, 10 um a compartment, a pulse of 0.5 nA into the first one every 20 ms.
pub(super) fn axon(threads: usize) -> Result<Measured, CliError> {
    let text = r#"
title = "Unmyelinated Hodgkin-Huxley axon"
[simulation]
duration = "100 ms"
dt = "0.025 ms"
[populations.axon]
model = "membrane"
cable = { length = "10 mm", diameter = "1 um", compartments = 1000 }
parameters = { R_a = "35.4 ohm*cm", V_spike = "-20 mV" }
channels.na = { kind = "hh_na" }
channels.k = { kind = "hh_k" }
channels.leak = { kind = "leak", g = "0.3 mS/cm**2", E = "-54.3 mV" }
threshold_at = ["cable(0.0005)", "cable(0.2505)", "cable(0.5005)", "cable(0.7505)", "cable(0.9995)"]
[stimuli.pulses]
target = "axon.I"
units = ["cable(0.0005)"]
kind = "pulse_train"
amplitude = "0.5 nA"
start = "1 ms"
period = "20 ms"
width = "1 ms"
[record.axon]
spikes = true
"#;
    timed(text, threads)
}

/// Soma and axon active, dendrites passive, a pulse of 1.5 nA into the soma at 5 ms and every 20 ms.
pub(super) fn branched(cells: usize, threads: usize) -> Result<Measured, CliError> {
    let text = format!(
        r#"
title = "Branched neuron"
[simulation]
duration = "100 ms"
dt = "0.025 ms"
[populations.cell]
model = "membrane"
size = {cells}
morphology = "branched.swc"
compartments = {{ longest = "7.5 um" }}
parameters = {{ R_a = "100 ohm*cm", V_spike = "-20 mV" }}
channels.na = {{ kind = "hh_na", in = ["soma", "axon"] }}
channels.k = {{ kind = "hh_k", in = ["soma", "axon"] }}
channels.leak = {{ kind = "leak", g = {{ default = "0.3 mS/cm**2", dendrite = "0.1 mS/cm**2" }}, E = {{ default = "-54.3 mV", dendrite = "-65 mV" }} }}
threshold_at = ["soma(0.5)", "axon(0.999)"]
[stimuli.pulses]
target = "cell.I"
units = ["soma(0.5)"]
kind = "pulse_train"
amplitude = "1.5 nA"
start = "5 ms"
period = "20 ms"
width = "2 ms"
[record.cell]
spikes = true
"#
    );
    timed(&text, threads)
}

fn timed(text: &str, threads: usize) -> Result<Measured, CliError> {
    let source = run::Source { text: text.to_owned(), origin: None, name: "trees-bench".to_owned(), variant: None };
    let (spec, _) = run::resolve(&source, &[])?;
    let compartments: usize =
        spec.populations.iter().filter_map(|p| p.tree.as_ref()).map(|t| t.cells * t.compartments.count).sum();
    let steps = spec.simulation.steps as f64;
    let mut measured = simulated(spec, threads)?;
    measured.extra.push(("compartments", compartments as f64));
    measured.per = Some(("ns_per_compartment_step", steps * compartments as f64));
    Ok(measured)
}
