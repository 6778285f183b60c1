//! The part of one thread: groups of lanes, the connections into them, and room for what is under way.

use super::buffers::{histories, make_room};
use super::group::{attach_stimuli, group};
use super::inputs::inputs;
use super::lanes::lanes;
use super::prepare::Prepared;
use crate::BuildError;
use crate::recorder::EpochRecord;
use crate::worker::Worker;

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
    worker.groups = groups;
    worker.event_inputs = event_inputs;
    worker.continuous_inputs = continuous_inputs;
    Ok(worker)
}
