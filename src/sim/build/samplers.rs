//! Samplers on connections: which connections a request names is known only when all threads have theirs.
//!
//! Connections are numbered by source, then target, then as the rule of connection made them.

use super::unsuitable;
use crate::BuildError;
use crate::plasticity::{ConnectionSampler, Slot};
use crate::worker::Worker;
use spikedeck_core::units::display_unit;
use spikedeck_scenario::{
    ConnectionVariableId, Coupling, Place, ProjectionId, Spec, TraceId, TraceRequest, Traced, TracedId,
};

/// Puts samplers on the connections that `spec` records; returns it with the connections of each request named, since
/// only now their number is known.
///
/// # Errors
/// When a connection is asked for that does not exist, or a value that it does not keep.
pub(super) fn attach(spec: &Spec, workers: &mut [Worker]) -> Result<Spec, BuildError> {
    let mut recorded = spec.clone();
    let mut ids = spec.recorded().map(|r| r.id);
    for record in &mut recorded.records {
        for request in &mut record.traces {
            let traces: Vec<TraceId> = ids.by_ref().take(request.variables.len()).collect();
            let Place::Projection(id) = record.place else { continue };
            let projection = spec.projection(id);
            let attached = match projection.coupling {
                Coupling::Event => {
                    let sources = projection.ends(&spec.populations).0;
                    of_events(workers, (id, sources), request, &traces)
                }
                Coupling::Continuous { .. } => of_values(workers, id, request, &traces),
            };
            attached.map_err(|m| unsuitable(format!("record.{}", projection.name), m))?;
        }
    }
    Ok(recorded)
}

/// Names all connections where a request names none.
///
/// # Errors
/// When it names one that does not exist, or there are too many.
fn name_connections(request: &mut TraceRequest, total: u64) -> Result<(), String> {
    if request.units.is_empty() {
        let all = u32::try_from(total).map_err(|_| format!("{total} connections are too many to record"))?;
        request.units = (0..all).collect();
    }
    match request.units.iter().find(|u| u64::from(**u) >= total) {
        Some(u) => Err(format!("there is no connection {u}: this projection has {total}, numbered from 0")),
        None => Ok(()),
    }
}

/// Which value of a connection a trace is of.
fn id_of(variable: &Traced) -> ConnectionVariableId {
    match variable.id {
        TracedId::Connection(id) => id,
        TracedId::Unit(_) => unreachable!("the scenario records values of connections of a projection"),
    }
}

/// A sampler on the connections of one thread, with the columns of the trace that they are.
fn sampler(
    request: &TraceRequest,
    (trace, traced): (TraceId, &Traced),
    variable: Option<usize>,
    connections: impl Iterator<Item = (usize, Slot)>,
) -> ConnectionSampler {
    let (columns, places) = connections.map(|(column, slot)| (column as u32, slot)).unzip();
    let scale = display_unit(traced.dimension).scale;
    ConnectionSampler { trace, columns, places, variable, every: request.every.max(1), scale }
}

/// Samplers on the connections of an event projection from so many sources.
fn of_events(
    workers: &mut [Worker],
    (projection, sources): (ProjectionId, usize),
    request: &mut TraceRequest,
    traces: &[TraceId],
) -> Result<(), String> {
    let counts = counts(workers, projection, sources);
    name_connections(request, counts[sources])?;
    let found = locate(workers, projection, &counts, &request.units);
    let inputs =
        workers.iter_mut().enumerate().flat_map(|(w, worker)| worker.event_inputs.iter_mut().map(move |i| (w, i)));
    let plastic = inputs.filter_map(|(w, i)| i.plastic.as_mut().map(|p| (w, p)));
    for (worker, input) in plastic.filter(|(_, p)| p.projection == projection) {
        for (traced, &trace) in request.variables.iter().zip(traces) {
            let variable = input.plastic.number(id_of(traced));
            if variable.is_none() && !input.plastic.keeps_efficacy() {
                return Err("the efficacy differs between the connections of a source and is not kept; record the \
                            states that it is made of"
                    .to_owned());
            }
            let mine = found.iter().enumerate().filter(|(_, f)| f.0 == worker).map(|(column, f)| (column, f.1));
            input.samplers.push(sampler(request, (trace, traced), variable, mine));
        }
        input.samplers.retain(|t| !t.places.is_empty());
    }
    Ok(())
}

/// Samplers on the connections of a continuous projection.
fn of_values(
    workers: &mut [Worker],
    projection: ProjectionId,
    request: &mut TraceRequest,
    traces: &[TraceId],
) -> Result<(), String> {
    // Source, target, thread, place.
    let mut all: Vec<(u32, u32, usize, u32)> = Vec::new();
    for (w, worker) in workers.iter().enumerate() {
        let mine =
            worker.continuous_inputs.iter().filter(|i| i.plastic.as_ref().is_some_and(|p| p.projection == projection));
        for input in mine {
            let first = worker.groups[input.to].first;
            let numbered = (0..).zip(input.coupling.connections());
            all.extend(numbered.map(|(c, (source, lane, ..))| (source, lane + first, w, c)));
        }
    }
    all.sort_by_key(|l| (l.0, l.1));
    name_connections(request, all.len() as u64)?;
    for (w, worker) in workers.iter_mut().enumerate() {
        let chosen = || {
            let places = request.units.iter().enumerate().map(|(column, u)| (column, all[*u as usize]));
            let mine = places.filter(|(_, l)| l.2 == w);
            mine.map(|(column, l)| (column, Slot { source: l.0, block: 0, connection: l.3 }))
        };
        if chosen().next().is_none() {
            continue;
        }
        for input in &mut worker.continuous_inputs {
            let Some(learning) = input.plastic.as_mut().filter(|p| p.projection == projection) else { continue };
            for (traced, &trace) in request.variables.iter().zip(traces) {
                let variable = Some(input.coupling.number(id_of(traced)));
                learning.samplers.push(sampler(request, (trace, traced), variable, chosen()));
            }
        }
    }
    Ok(())
}

/// Connections of all threads before each source, and their total.
fn counts(workers: &[Worker], projection: ProjectionId, sources: usize) -> Vec<u64> {
    let mut starts = vec![0_u64; sources + 1];
    for input in workers
        .iter()
        .flat_map(|w| &w.event_inputs)
        .filter(|i| i.plastic.as_ref().is_some_and(|p| p.projection == projection))
    {
        for block in &input.table.blocks {
            starts.iter_mut().zip(&block.starts).for_each(|(sum, s)| *sum += u64::from(*s));
        }
    }
    starts
}

/// Thread and place of each connection.
fn locate(workers: &[Worker], projection: ProjectionId, counts: &[u64], wanted: &[u32]) -> Vec<(usize, Slot)> {
    // Target, thread and place of the connections of the last source.
    let mut known: (usize, Vec<(u32, usize, Slot)>) = (usize::MAX, Vec::new());
    let mut out = Vec::new();
    for &number in wanted {
        let source = counts.partition_point(|&c| c <= u64::from(number)) - 1;
        if known.0 != source {
            let mut list = Vec::new();
            for (w, worker) in workers.iter().enumerate() {
                for input in &worker.event_inputs {
                    if input.plastic.as_ref().is_none_or(|p| p.projection != projection) {
                        continue;
                    }
                    let first = input.first as usize;
                    for (b, block) in input.table.blocks.iter().enumerate() {
                        for c in block.starts[source]..block.starts[source + 1] {
                            let target = first + b * input.table.block_lanes + usize::from(block.targets[c as usize]);
                            list.push((
                                target as u32,
                                w,
                                Slot { source: source as u32, block: b as u32, connection: c },
                            ));
                        }
                    }
                }
            }
            list.sort_by_key(|l| l.0);
            known = (source, list);
        }
        let (_, worker, place) = known.1[(u64::from(number) - counts[source]) as usize];
        out.push((worker, place));
    }
    out
}
