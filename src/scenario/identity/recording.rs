//! Recordings beside what is simulated, by what they hold.

use serde_json::{Value as Json, json};

use super::quantity::Digest;
use crate::spec::RecordingSpec;
use spikedeck_signal::{Population, Spikes, Trace, TrialTimes};

/// A recording: its populations, and a digest of all its numbers.
pub(super) fn recording(of: &RecordingSpec) -> Json {
    // Where the run begins in the file decides which spikes it holds, and by these alone.
    let RecordingSpec { name, start: _, populations, spikes, traces, trials } = of;
    let mut digest = Digest::default();
    // What units are called decides no number.
    for Population { name, size, positions: _, parameters: _, names: _, observed } in populations {
        digest.text(name);
        digest.count(*size);
        for own in observed {
            digest.count(own.len());
            for &(start, stop) in own {
                digest.numbers(&[start, stop]);
            }
        }
    }
    for Spikes { population, size, times, units } in spikes.iter() {
        digest.text(population);
        digest.count(*size);
        digest.count(times.len());
        digest.numbers(times);
        for &unit in units {
            digest.count(unit as usize);
        }
    }
    for Trace { population, name: _, variable, unit, column: _, units, start, interval, values } in traces.iter() {
        for text in [population, variable, unit] {
            digest.text(text);
        }
        for &unit in units {
            digest.count(unit as usize);
        }
        digest.numbers(&[*start, *interval]);
        digest.count(values.len());
        digest.numbers(values);
    }
    if let Some(TrialTimes { name: _, populations: _, at, window, conditions, notes: _ }) = trials {
        digest.numbers(at);
        digest.numbers(&[window.start, window.stop]);
        for condition in conditions {
            digest.text(condition);
        }
    }
    let places: Vec<Json> = populations.iter().map(|p| json!({ "name": p.name, "size": p.size })).collect();
    json!({ "name": name, "populations": places, "sha256": digest.finish() })
}
