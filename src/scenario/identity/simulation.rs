//! `[simulation]` and `[sweep]`.

use serde_json::{Value as Json, json};

use super::Writer;
use super::quantity::quantity;
use crate::language::Words as _;
use crate::spec::{Design, Redraws, Seeds, Simulation, SpikeTimes, Sweep};
use spikedeck_core::units::Quantity;
use spikedeck_signal::TimeBase;

impl Writer<'_> {
    pub(super) fn simulation(&self, simulation: &Simulation) -> Json {
        let Simulation {
            time_base,
            dt,
            steps,
            transient_steps,
            seed,
            seeds,
            trial,
            memory,
            spike_times,
            check_halve_dt,
        } = simulation;
        let mut object = json!({
            "time": match time_base {
                TimeBase::Milliseconds => "seconds",
                TimeBase::Dimensionless => "plain numbers",
            },
            "dt": quantity(*dt, self.time()),
            "steps": steps,
            "transient_steps": transient_steps,
            "seed": seed,
            "spike_times": match spike_times {
                SpikeTimes::Grid => "grid",
                SpikeTimes::Interpolated => "interpolated",
                SpikeTimes::Exact => "exact",
            },
            "check_halve_dt": check_halve_dt,
        });
        // Where they say nothing new they are not written: such runs have the identity that they had before these keys.
        let Seeds { wiring, values, noise } = seeds;
        for (name, own) in [("wiring_seed", wiring), ("values_seed", values), ("noise_seed", noise)] {
            if own != seed {
                object[name] = json!(own);
            }
        }
        if *trial > 0 {
            object["trial"] = json!(trial);
        }
        // It decides how often what nobody asked to be recorded is sampled for the analyses.
        if let Some(bytes) = memory {
            object["memory_bytes"] = json!(bytes);
        }
        object
    }
}

/// A sweep as canonical JSON: paths with the values of each, and the number of seeds. It is no part of the identity of
/// a run, but says what the runs of an ensemble are.
pub fn sweep(sweep: &Sweep) -> Json {
    let Sweep { axes, seeds, redraws, design } = sweep;
    let axes: Vec<Json> = axes
        .iter()
        .map(|(path, values)| json!({ "path": path, "values": values.iter().map(|v| swept(v)).collect::<Vec<_>>() }))
        .collect();
    let mut object = json!({ "axes": axes, "seeds": seeds });
    if *redraws != Redraws::All {
        object["redraws"] = json!(redraws.word());
    }
    // Where the values were drawn they stand above, in pairs, triples and so on.
    if *design != Design::Product {
        object["design"] = json!(design.word());
    }
    object
}

/// A value of an axis: a quantity in canonical form, or the TOML text as it stands.
fn swept(toml: &str) -> String {
    let written = toml.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(toml);
    Quantity::parse(written).map_or_else(|_| toml.to_owned(), |q| quantity(q.value, q.dimension))
}
