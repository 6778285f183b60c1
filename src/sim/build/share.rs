//! The part of one thread: groups of lanes, the connections into them, and room for what is under way.

use super::buffers::{histories, make_room};
use super::group::{attach_stimuli, group};
use super::inputs::inputs;
use super::lanes::lanes;
use super::prepare::Prepared;
use crate::BuildError;
use crate::recorder::EpochRecord;
use crate::stepper::stages;
use crate::worker::{Rounds, Worker};

/// The share of thread `index` of `threads`.
///
/// # Errors
/// When values of its lanes, or connections into them, do not fit, or the network is no longer wanted.
pub(super) fn share(prepared: &Prepared<'_>, index: usize, threads: usize) -> Result<Worker, BuildError> {
    let spec = prepared.spec;
    let mut groups = Vec::new();
    for (p, population) in spec.population_ids() {
        let range = lanes(population, p, index, threads);
        if !range.is_empty() {
            groups.push(group(prepared, p, range)?);
        }
    }
    let (event_inputs, continuous_inputs) = inputs(prepared, &groups)?;
    attach_stimuli(prepared, &mut groups);
    make_room(prepared, &mut groups, &event_inputs, &continuous_inputs)?;
    let histories = histories(prepared, &continuous_inputs)?;
    let (spikes, traces) = (spec.records.iter().filter(|r| r.spikes).count(), spec.recorded().count());
    let mut worker = Worker::new(prepared.axis, prepared.emitters.len(), histories, EpochRecord::new(spikes, traces));
    worker.rounds = rounds(prepared);
    worker.groups = groups;
    worker.event_inputs = event_inputs;
    worker.continuous_inputs = continuous_inputs;
    Ok(worker)
}

/// What is exchanged within a step, the same on every thread: one round where a coupling is solved for, otherwise one
/// for each stage but the last.
fn rounds(prepared: &Prepared<'_>) -> Rounds {
    let spec = prepared.spec;
    let stages = spec.population_ids().filter(|(p, _)| prepared.whole.is_in_stages(spec, *p));
    let stages = stages.map(|(p, _)| stages::count(prepared.choices[p.index()].integrator)).max().unwrap_or(0);
    let joint = prepared.whole.joint.clone();
    let count = if joint.is_some() { 1 } else { stages.saturating_sub(1) };
    let sizes = prepared.histories.iter().map(|(p, _)| spec.population(*p).size);
    Rounds::new(count, sizes.filter(|_| count > 0), joint)
}
