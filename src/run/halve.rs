//! How far a run moves when its step is halved: numerical error as an output.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::measure::measure;
use super::watch::Watch;
use super::{Finished, RunError, Tell};
use spikedeck_core::units::short;
use spikedeck_scenario::{Boundary, PopulationSpec, Spec, Stimulus as _};
use spikedeck_signal::{Metric, NamedShape, Outcome, Scalars, Shape, Spikes};
use spikedeck_sim::Network;

/// The same scenario at half the step: as long, with samples at the same times.
fn halved(spec: &Spec) -> Spec {
    let mut half = spec.clone();
    half.simulation.dt /= 2.0;
    half.simulation.steps *= 2;
    half.simulation.transient_steps *= 2;
    for request in half.records.iter_mut().flat_map(|r| &mut r.traces) {
        request.every *= 2;
    }
    half
}

/// Whether what is drawn step by step would be drawn differently at half the step.
fn draws_in_time(spec: &Spec) -> bool {
    let noisy_ends = |p: &PopulationSpec| p.grid.as_ref().is_some_and(|g| g.boundary.contains(&Boundary::Noisy));
    spec.populations.iter().any(|p| p.system.is_stochastic() || noisy_ends(p))
        || spec.stimuli.iter().any(|s| s.kind.drawn_in_steps())
}

/// Repeats `whole` at half its step and reports the shift of spike times and metrics.
pub(super) fn check(
    spec: &Arc<Spec>,
    whole: &Finished,
    threads: usize,
    cancel: &AtomicBool,
    tell: &Tell,
) -> Result<Outcome, RunError> {
    let half = halved(spec);
    let network = Network::build(&half, threads, cancel)?;
    let mut watch = Watch::new(tell, cancel, None, None, half.simulation.dt, half.simulation.time_base.seconds());
    let result = network.run(&mut watch);
    let mut outcome = Outcome {
        name: "halve_dt".into(),
        kind: "halve_dt".into(),
        title: "Shift at half the step".into(),
        ..Outcome::default()
    };
    if result.stopped.is_some() {
        outcome.warnings.push("the run at half the step did not reach its end; no shift can be told".into());
        return Ok(outcome);
    }
    let (outcomes, _) = measure(&half, &result.recording, false, cancel, &|_, _| {});
    let unit = whole.recording.time_base.unit();
    for spikes in &whole.recording.spikes {
        if let Some(other) = result.recording.spikes_of(&spikes.population) {
            outcome.metrics.extend(spike_shift(spikes, other, unit));
        }
    }
    let after: BTreeMap<String, &Metric> =
        outcomes.iter().flat_map(|o| &o.metrics).map(|m| (m.full_name(), m)).collect();
    for metric in whole.outcomes.iter().flat_map(|o| &o.metrics) {
        if let (Some(a), Some(b)) = (metric.value, after.get(&metric.full_name()).and_then(|m| m.value)) {
            let mut shift = Metric::new(metric.full_name(), "shift", b - a, metric.unit.clone(), 1);
            shift.note = format!("{} at dt, {} at dt/2", short(a), short(b));
            outcome.metrics.push(shift);
        }
    }
    if draws_in_time(spec) {
        outcome.warnings.push(
            "noise is drawn step by step, so the run at half the step has other noise: shifts hold numerical error \
             and chance together"
                .into(),
        );
    }
    for metric in &mut outcome.metrics {
        metric.analysis.clone_from(&outcome.name);
    }
    outcome.summary = summary(&outcome.metrics);
    outcome.shapes.push(NamedShape::new("shifts", Shape::Scalars(Scalars::from_metrics(&outcome.metrics))));
    Ok(outcome)
}

/// Shifts of the k-th spike of each unit, as long as both runs have a k-th spike of it.
fn spike_shift(at_dt: &Spikes, at_half: &Spikes, unit: &str) -> Vec<Metric> {
    let trains = |s: &Spikes| {
        let mut trains = vec![Vec::new(); s.size];
        for (&t, &u) in s.times.iter().zip(&s.units) {
            if let Some(train) = trains.get_mut(u as usize) {
                train.push(t);
            }
        }
        trains
    };
    let mut shifts: Vec<f64> = Vec::new();
    for (a, b) in trains(at_dt).iter().zip(&trains(at_half)) {
        shifts.extend(a.iter().zip(b).map(|(x, y)| (x - y).abs()));
    }
    shifts.sort_by(f64::total_cmp);
    let subject = format!("{}.spikes", at_dt.population);
    let n = shifts.len() as u64;
    let count =
        Metric::new(subject.clone(), "count_shift", at_half.len() as f64 - at_dt.len() as f64, "", at_dt.len() as u64)
            .note(format!("{} spikes at dt, {} at dt/2", at_dt.len(), at_half.len()));
    let Some(&largest) = shifts.last() else {
        return vec![count];
    };
    vec![
        Metric::new(subject.clone(), "median_shift", shifts[shifts.len() / 2], unit, n)
            .note("k-th spikes of each unit against each other"),
        Metric::new(subject, "largest_shift", largest, unit, n).note("grows without bound in chaotic networks"),
        count,
    ]
}

fn summary(metrics: &[Metric]) -> String {
    let largest = metrics
        .iter()
        .filter(|m| m.metric == "largest_shift")
        .filter_map(|m| m.value.map(|v| (v, &m.unit)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match largest {
        Some((shift, unit)) => {
            format!("at half the step spikes move by at most {} {unit}", short(shift)).trim_end().to_owned()
        }
        None => format!("{} metrics compared at half the step", metrics.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands beyond a noisy end is drawn anew at every step.
    #[test]
    fn noisy_ends_of_a_grid_are_drawn_in_time() {
        let draws = |boundary: &str| {
            let set = [("populations.line.grid.boundary", boundary), ("populations.line.grid.noise", "0.02")];
            let set: Vec<(String, String)> = set.map(|(path, value)| (path.to_owned(), value.to_owned())).to_vec();
            draws_in_time(&crate::load("nagumo-front", &set).unwrap().0)
        };
        assert!(draws("noisy") && draws("[\"no_flux\", \"noisy\"]"));
        assert!(!draws("no_flux"));
    }

    #[test]
    fn the_kth_spikes_of_each_unit_are_held_against_each_other() {
        let a = Spikes { population: "p".into(), size: 2, times: vec![1.0, 2.0, 3.0], units: vec![0, 1, 0] };
        let b = Spikes { population: "p".into(), size: 2, times: vec![1.25, 2.0, 3.5, 9.0], units: vec![0, 1, 0, 0] };
        let metrics = spike_shift(&a, &b, "ms");
        let value = |name: &str| metrics.iter().find(|m| m.metric == name).unwrap().value;
        assert_eq!(
            (value("median_shift"), value("largest_shift"), value("count_shift")),
            (Some(0.25), Some(0.5), Some(1.0))
        );
        let silent =
            spike_shift(&Spikes { size: 2, ..Spikes::default() }, &Spikes { size: 2, ..Spikes::default() }, "ms");
        assert_eq!(silent.len(), 1, "no shift without spikes");
    }
}
