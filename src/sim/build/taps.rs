//! Taps on connections: which connections a request names is known only when all threads have theirs.

use super::unsuitable;
use crate::BuildError;
use crate::plasticity::{ConnectionTap, Slot};
use crate::worker::{ContinuousInput, PlasticInput, Worker};
use spikedeck_core::units::display_unit;
use spikedeck_equation::rule::EFFICACY;
use spikedeck_scenario::{Coupling, Place, ProjectionId, Spec, TraceId, TraceRequest};

/// Hangs taps on the connections that `spec` records; returns it with the connections of each request named, since only
/// now their number is known. Connections are numbered by source, then target, then as the rule of connection made
/// them.
///
/// # Errors
/// When a connection is asked for that does not exist, or a value that it does not keep.
pub(super) fn attach(spec: &Spec, workers: &mut [Worker]) -> Result<Spec, BuildError> {
    let mut recorded = spec.clone();
    let mut ids = spec.recorded().map(|r| r.id);
    for record in &mut recorded.records {
        for request in &mut record.traces {
            let traces: Vec<TraceId> = ids.by_ref().take(request.variables.len()).collect();
            let Place::Projection(projection) = record.place else { continue };
            if spec.projection(projection).coupling != Coupling::Event {
                learning(spec, workers, projection, request, &traces)?;
                continue;
            }
            let place = || format!("record.{}", spec.projection(projection).name);
            let counts = counts(workers, projection, spec.projection(projection).ends(&spec.populations).0);
            let total = counts.last().copied().unwrap_or(0);
            if request.units.is_empty() {
                let all = u32::try_from(total)
                    .map_err(|_| unsuitable(place(), format!("{total} connections are too many to record")))?;
                request.units = (0..all).collect();
            }
            if let Some(u) = request.units.iter().find(|u| u64::from(**u) >= total) {
                return Err(unsuitable(
                    place(),
                    format!("there is no connection {u}: this projection has {total}, numbered from 0"),
                ));
            }
            let found = locate(workers, projection, &counts, &request.units);
            for ((variable, dimension), trace) in request.variables.iter().zip(traces) {
                let scale = display_unit(*dimension).scale;
                for (worker, input) in plastic_inputs(workers, projection) {
                    if variable == EFFICACY && !input.plastic.keeps_efficacy() {
                        let message = "the efficacy differs between the connections of a source and is not kept; record the \
                                       states that it is made of";
                        return Err(unsuitable(place(), message));
                    }
                    let mine = || found.iter().enumerate().filter(|(_, f)| f.0 == worker);
                    input.taps.push(ConnectionTap {
                        trace,
                        columns: mine().map(|(c, _)| c as u32).collect(),
                        places: mine().map(|(_, f)| f.1).collect(),
                        variable: variable.clone(),
                        every: request.every.max(1),
                        scale,
                    });
                    input.taps.retain(|t| !t.places.is_empty());
                }
            }
        }
    }
    Ok(recorded)
}

/// The same for a continuous projection.
fn learning(
    spec: &Spec,
    workers: &mut [Worker],
    projection: ProjectionId,
    request: &mut TraceRequest,
    traces: &[TraceId],
) -> Result<(), BuildError> {
    let mine = |i: &ContinuousInput| i.plastic.as_ref().is_some_and(|p| p.projection == projection);
    // Source, target, thread, place.
    let mut all: Vec<(u32, u32, usize, u32)> = Vec::new();
    for (w, worker) in workers.iter().enumerate() {
        for input in worker.continuous_inputs.iter().filter(|i| mine(i)) {
            let first = worker.groups[input.to].first;
            all.extend(
                input
                    .coupling
                    .connections()
                    .into_iter()
                    .enumerate()
                    .map(|(c, (s, lane, ..))| (s, lane + first, w, c as u32)),
            );
        }
    }
    all.sort_by_key(|l| (l.0, l.1));
    if request.units.is_empty() {
        request.units = (0..all.len() as u32).collect();
    }
    if let Some(u) = request.units.iter().find(|u| **u as usize >= all.len()) {
        let message = format!("there is no connection {u}: this projection has {}, numbered from 0", all.len());
        return Err(unsuitable(format!("record.{}", spec.projection(projection).name), message));
    }
    for ((variable, dimension), &trace) in request.variables.iter().zip(traces) {
        for (w, worker) in workers.iter_mut().enumerate() {
            let chosen =
                || request.units.iter().enumerate().map(|(c, u)| (c, all[*u as usize])).filter(|(_, l)| l.2 == w);
            if chosen().next().is_none() {
                continue;
            }
            for input in worker.continuous_inputs.iter_mut().filter(|i| mine(i)) {
                let tap = ConnectionTap {
                    trace,
                    columns: chosen().map(|(c, _)| c as u32).collect(),
                    places: chosen().map(|(_, l)| Slot { source: l.0, block: 0, connection: l.3 }).collect(),
                    variable: variable.clone(),
                    every: request.every.max(1),
                    scale: display_unit(*dimension).scale,
                };
                if let Some(p) = &mut input.plastic {
                    p.taps.push(tap);
                }
            }
        }
    }
    Ok(())
}

fn plastic_inputs(
    workers: &mut [Worker],
    projection: ProjectionId,
) -> impl Iterator<Item = (usize, &mut PlasticInput)> {
    let all =
        workers.iter_mut().enumerate().flat_map(|(w, worker)| worker.event_inputs.iter_mut().map(move |i| (w, i)));
    all.filter_map(|(w, i)| i.plastic.as_mut().map(|p| (w, p))).filter(move |(_, p)| p.projection == projection)
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
