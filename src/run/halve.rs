//! How far a run moves when its step is halved: numerical error as an output.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::measure::measure;
use super::watch::Watch;
use super::{Finished, RunError, Tell};
use spikedeck_core::number::counted;
use spikedeck_core::units::short;
use spikedeck_scenario::{Boundary, PopulationSpec, Spec, Stimulus as _};
use spikedeck_signal::{Metric, NamedShape, Outcome, Scalars, Shape, Spikes, Trace};
use spikedeck_sim::{BuildError, Network, Stop};

/// How far the spike moves that moves farthest.
const LARGEST_SHIFT: &str = "largest_shift";

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

/// What became of a run at half the step.
pub(super) enum Halved {
    /// How far it is from the other.
    Shifts(Box<Outcome>),
    /// It did not reach its end, and why.
    Failed(String),
    /// It was cancelled.
    Cancelled,
}

/// How much further than a run that failed one at half the step has to come to be better.
const FURTHER: f64 = 1.25;

/// Whether a run that failed after `steps` steps goes on at half the step; nothing where that is not found out.
pub(super) fn helps(
    spec: &Spec,
    steps: u64,
    threads: usize,
    cancel: &AtomicBool,
    tell: &Tell,
) -> Result<Option<bool>, RunError> {
    let mut half = halved(spec);
    half.records.clear();
    half.simulation.transient_steps = 0;
    half.simulation.steps = ((2.0 * FURTHER * steps as f64).ceil() as u64 + 2).min(half.simulation.steps);
    let network = Network::build_untried(&half, threads, cancel)?;
    let mut watch = Watch::new(tell, cancel, None, None, half.simulation.dt, half.simulation.time_base.seconds());
    Ok(match network.run(&mut watch).stopped {
        None => Some(true),
        Some(Stop::Cancelled) => None,
        Some(_) => Some(false),
    })
}

/// Repeats `whole` at half its step and reports the shift of spike times and metrics, and of traces where nothing was
/// analysed.
pub(super) fn check(spec: &Arc<Spec>, whole: &Finished, threads: usize, cancel: &AtomicBool, tell: &Tell) -> Halved {
    let half = halved(spec);
    // What was simulated is there whether or not it can be repeated.
    let network = match Network::build_untried(&half, threads, cancel) {
        Ok(network) => network,
        Err(BuildError::Cancelled) => return Halved::Cancelled,
        Err(why) => return Halved::Shifts(Box::new(without_result(&why.to_string()))),
    };
    let mut watch = Watch::new(tell, cancel, None, None, half.simulation.dt, half.simulation.time_base.seconds());
    let mut result = network.run(&mut watch);
    // Recordings beside the simulation do not depend on the step.
    let traces = result.recording.traces.len();
    result.recording = half.with_recordings(result.recording);
    let mut outcome = empty();
    match &result.stopped {
        None => {}
        Some(Stop::Cancelled) => return Halved::Cancelled,
        // It goes nowhere but into memory.
        Some(Stop::Sink(_)) => {
            let why =
                "what is recorded does not fit into memory a second time; record less, or raise simulation.memory";
            return Halved::Shifts(Box::new(without_result(why)));
        }
        Some(stop) => {
            let why = stop.sentence(&half.simulation);
            return Halved::Failed(format!(
                "at half the step the run did not reach its end, so no shift is known: {why}"
            ));
        }
    }
    for absent in &whole.recording.absent {
        let what = absent.variable.as_deref().unwrap_or("spikes");
        outcome.warnings.push(format!("{}.{what}: {}; its shift is not told", absent.population, absent.why));
    }
    let (outcomes, _) = measure(&half, &result.recording, false, cancel);
    let unit = whole.recording.time_base.unit();
    let simulated = |s: &&Spikes| half.populations.iter().any(|p| p.name == s.population);
    for spikes in whole.recording.spikes.iter().filter(simulated) {
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
    if whole.outcomes.iter().all(|o| o.metrics.is_empty()) {
        outcome.metrics.extend(trace_shifts(&whole.recording.traces[..traces], &result.recording.traces[..traces]));
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
    Halved::Shifts(Box::new(outcome))
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
            .note(format!("{} at dt, {} at dt/2", counted(at_dt.len(), "spike", "spikes"), at_half.len()));
    let Some(&largest) = shifts.last() else {
        return vec![count];
    };
    vec![
        Metric::new(subject.clone(), "median_shift", shifts[shifts.len() / 2], unit, n)
            .note("k-th spikes of each unit against each other"),
        Metric::new(subject, LARGEST_SHIFT, largest, unit, n).note("grows without bound in chaotic networks"),
        count,
    ]
}

fn empty() -> Outcome {
    Outcome {
        name: "halve_dt".into(),
        kind: "halve_dt".into(),
        title: "Shift at half the step".into(),
        ..Outcome::default()
    }
}

/// The check where no shift is known.
fn without_result(why: &str) -> Outcome {
    let why = format!("the run cannot be repeated at half the step, so no shift is known: {why}");
    Outcome { summary: format!("no result: {why}"), warnings: vec![why.clone()], failure: Some(why), ..empty() }
}

/// The shift of each trace against the one of the same place, name and column; what is not in both is left out.
fn trace_shifts(at_dt: &[Trace], at_half: &[Trace]) -> Vec<Metric> {
    let key = |t: &Trace| (t.population.clone(), t.name.clone(), t.column.clone());
    let other: BTreeMap<_, &Trace> = at_half.iter().map(|t| (key(t), t)).collect();
    at_dt.iter().filter_map(|t| Some(trace_shift(t, other.get(&key(t))?))).collect()
}

/// The largest difference between samples at the same times.
fn trace_shift(at_dt: &Trace, at_half: &Trace) -> Metric {
    let differences = at_dt.values.iter().zip(&at_half.values).map(|(a, b)| (a - b).abs());
    let finite: Vec<f64> = differences.filter(|d| d.is_finite()).collect();
    let (subject, n) = (format!("{}.{}", at_dt.population, at_dt.variable), finite.len() as u64);
    let Some(largest) = finite.into_iter().max_by(f64::total_cmp) else {
        let why = "no sample is a number in both runs";
        return Metric::missing(subject, "largest_difference", at_dt.unit.clone(), 0, why);
    };
    Metric::new(subject, "largest_difference", largest, at_dt.unit.clone(), n)
        .note("samples at the same times that are numbers in both runs")
}

fn summary(metrics: &[Metric]) -> String {
    let largest = metrics
        .iter()
        .filter(|m| m.metric == LARGEST_SHIFT)
        .filter_map(|m| m.value.map(|v| (v, &m.unit)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match largest {
        Some((shift, unit)) => {
            format!("at half the step spikes move by at most {} {unit}", short(shift)).trim_end().to_owned()
        }
        None => format!("{} compared at half the step", counted(metrics.len(), "metric", "metrics")),
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

    /// Traces are held against their like wherever they stand in the list, and what is no number is no difference of 0.
    #[test]
    fn traces_are_held_against_their_like() {
        let trace = |population: &str, values: &[f64]| Trace {
            population: population.into(),
            name: "v".into(),
            variable: "V_m".into(),
            column: "V_m_mV".into(),
            unit: "mV".into(),
            units: vec![0],
            values: values.to_vec(),
            ..Trace::default()
        };
        let nan = f64::NAN;
        let half = [trace("a", &[1.0, 2.0]), trace("b", &[10.0, 20.0]), trace("c", &[nan, nan])];
        let shift =
            |whole: &[Trace]| trace_shifts(whole, &half).into_iter().map(|m| (m.value, m.n)).collect::<Vec<_>>();
        assert_eq!(shift(&[trace("b", &[10.0, 20.5])]), [(Some(0.5), Some(2))]);
        assert_eq!(
            shift(&[trace("b", &[nan, 20.5]), trace("a", &[1.0, 2.0])]),
            [(Some(0.5), Some(1)), (Some(0.0), Some(2))]
        );
        assert_eq!(shift(&[trace("c", &[1.0, 2.0]), trace("a", &[])]), [(None, Some(0)), (None, Some(0))]);
        assert_eq!(shift(&[trace("gone", &[1.0])]), []);
    }
}
