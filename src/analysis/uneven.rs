//! Bins of spikes that lie on the steps of a run: a bin that is no whole number of steps holds more of them now and
//! then, and what counts in bins finds a rhythm, a scatter and peaks that are none of the network.

use super::Request;
use spikedeck_core::units::short;
use spikedeck_scenario::Observable;
use spikedeck_signal::Spikes;

/// From so many steps on the one that a bin has more or less than others is no matter.
const MANY: f64 = 100.0;
/// How far a time may lie from a step, in steps, and a bin from a whole number of them as a part of it.
const ROUNDING: f64 = 1e-6;
/// Spikes of a population that tell whether its spikes lie on steps.
const LOOKED_AT: usize = 1000;

/// What to say of lengths of pieces (keys, and seconds or units of time) into which time is cut for `request`.
pub(super) fn told(request: &Request<'_>, pieces: &[(&'static str, f64)]) -> Vec<String> {
    let (recording, spec) = (request.recording, request.spec);
    let (step, base) = (recording.dt, recording.time_base);
    let counts = |s: &spikedeck_scenario::Subject| matches!(s.what, Observable::Spikes | Observable::Rate);
    let looks_at_spikes = spec.of.iter().chain(&spec.source).chain(&spec.target).any(counts);
    if !(step > 0.0 && looks_at_spikes && are_on_steps(&recording.spikes, step)) {
        return Vec::new();
    }
    let time = |axis: f64| format!("{} {}", short(axis), base.unit()).trim_end().to_owned();
    let of = |(key, seconds): &(&str, f64)| {
        let bin = seconds / base.seconds();
        let steps = bin / step;
        let whole = (steps - steps.round()).abs() <= ROUNDING * steps.max(1.0);
        if whole || steps >= MANY {
            return None;
        }
        let (below, above) = (steps.floor(), steps.ceil());
        let cure = if below > 0.0 {
            format!("{} or {} has none", time(below * step), time(above * step))
        } else {
            format!("{} is the shortest that has none", time(step))
        };
        Some(format!(
            "spikes lie on steps of {}, and `{key}` of {} holds {below} or {above} of them in turn: what is counted in \
             it has a rhythm and a scatter of that; {cure}",
            time(step),
            time(bin)
        ))
    };
    pieces.iter().filter_map(of).collect()
}

/// Whether all spikes lie on steps, as far as they are here. Of none nobody knows.
fn are_on_steps(all: &[Spikes], step: f64) -> bool {
    let on = |t: &f64| (t / step - (t / step).round()).abs() <= ROUNDING.max(4.0 * f64::EPSILON * (t / step).abs());
    let mut times = all.iter().flat_map(|s| s.times.iter().take(LOOKED_AT)).peekable();
    times.peek().is_some() && times.all(on)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{recording, run, subject};
    use super::super::{Estimator, population_rate::PopulationRate, psd::Psd};
    use spikedeck_scenario::OptionValue;

    /// Trains on steps of 0.1, or between them.
    fn trains(between: f64) -> Vec<Vec<f64>> {
        (0..5)
            .map(|u| (1..400).map(|k| f64::from((k * 37 + u * 11) % 9973) * 0.1 + between).collect())
            .map(sorted)
            .collect()
    }

    fn sorted(mut train: Vec<f64>) -> Vec<f64> {
        train.sort_by(f64::total_cmp);
        train
    }

    fn warnings<E: Estimator>(estimator: &E, bin: f64, between: f64, dt: f64) -> Vec<String> {
        let mut r = recording(&trains(between), 1000.0);
        r.dt = dt;
        let options = [("bin", OptionValue::Number(bin * 1e-3))];
        let o = run(estimator, &r, vec![subject("spikes", &[])], &options).unwrap();
        o.warnings.into_iter().filter(|w| w.contains("spikes lie on steps")).collect()
    }

    /// Exactly the bins that are no whole number of few steps are told, whatever counts in them.
    #[test]
    fn bins_that_hold_steps_in_turn_are_told() {
        for (bin, wanted) in [
            (0.25, Some("holds 2 or 3 of them in turn")),
            (0.05, Some("0.1 ms is the shortest that has none")),
            (1.05, Some("1 ms or 1.1 ms has none")),
            (9.99, Some("holds 99 or 100")),
            (0.1, None),
            (0.3, None),
            (1.0, None),
            (10.05, None),
        ] {
            for found in [warnings(&PopulationRate, bin, 0.0, 0.1), warnings(&Psd, bin, 0.0, 0.1)] {
                match wanted {
                    Some(words) => assert!(found.len() == 1 && found[0].contains(words), "{bin}: {found:?}"),
                    None => assert!(found.is_empty(), "{bin}: {found:?}"),
                }
            }
        }
        // Spikes between steps, and those of which no step is known, may be counted in any bin.
        assert!(warnings(&PopulationRate, 0.25, 0.037, 0.1).is_empty());
        assert!(warnings(&PopulationRate, 0.25, 0.0, 0.0).is_empty());
    }
}
