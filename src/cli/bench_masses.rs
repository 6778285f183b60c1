//! The benchmark cases of neural masses: what a loop of a few equations costs, alone and in lanes.

use super::bench::{Measured, recorded};
use super::error::CliError;
use spikedeck_run as run;

/// Jansen and Rit's column with white noise around 220 pulses per s for 1000 s, or many, which differ in the mean, for
/// 100 s. The potential every ms is kept.
pub(super) fn columns(count: usize, threads: usize) -> Result<Measured, CliError> {
    let duration = if count == 1 { 1000 } else { 100 };
    let mean = if count == 1 { "\"220 Hz\"" } else { "{ linspace = [\"50 Hz\", \"350 Hz\"] }" };
    let text = format!(
        r#"
title = "Jansen-Rit columns"
[simulation]
duration = "{duration} s"
dt = "0.1 ms"
[populations.column]
model = "jansen_rit"
size = {count}
integrator = "euler"
[stimuli.noise]
target = "column.p"
kind = "white_noise"
mean = {mean}
amplitude = "2 Hz*s**0.5"
[record.column]
spikes = false
traces = [{{ variables = ["v_p"], interval = "1 ms" }}]
"#
    );
    let source = run::Source { text, origin: None, name: "jansen-rit-bench".to_owned(), variant: None };
    let (spec, _) = run::resolve(&source, &[])?;
    let steps = spec.simulation.steps as f64 * count as f64;
    let mut measured = recorded(spec, threads)?;
    measured.per = Some(("ns_per_column_step", steps));
    Ok(measured)
}
