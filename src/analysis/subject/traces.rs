//! The columns of a recorded variable.

use super::{Columns, place, population};
use crate::{AnalysisError, Request};
use spikedeck_scenario::Subject;
use spikedeck_signal::{Trace, Window};

/// Values up to which sums of their fourth powers are numbers, also of many; the least are one over it.
const LARGEST: f64 = 1e70;

pub(super) fn trace_columns(
    request: &Request<'_>,
    subject: &Subject,
    variable: &str,
    window: Window,
) -> Result<Columns, AnalysisError> {
    let place = place(request, subject)?;
    let not_recorded = |hint: String| AnalysisError::NotRecorded { subject: subject.text.clone(), hint };
    // Another trace of the variable, coarser or of fewer units, is not what would be looked at if it were here.
    let stored = request.recording.on_disk.as_ref();
    let stored = |t: &Trace| stored.filter(|d| d.traces.iter().any(|s| std::ptr::eq(s, t)));
    let on_disk = request.recording.on_disk.iter().flat_map(|d| &d.traces);
    let mut candidates: Vec<&Trace> = on_disk.filter(|t| t.population == place && t.variable == variable).collect();
    if let Some(why) = request.recording.trace_is_absent(place, variable).filter(|_| candidates.is_empty()) {
        return Err(AnalysisError::Absent { subject: subject.text.clone(), why: why.to_owned() });
    }
    candidates.extend(request.recording.traces_of(place, variable));
    if candidates.is_empty() {
        return Err(not_recorded(format!(
            "add `{variable}` to a trace under [record.{place}], such as `traces = \
             [{{ name = \"slow\", variables = [\"{variable}\"] }}]`"
        )));
    }
    // The finest trace that holds all units asked for; without a subset, the one with most units, then the finest.
    let holds = |t: &&&Trace| subject.units.iter().all(|u| t.units.contains(u));
    let finest = |a: &&&Trace, b: &&&Trace| a.interval.total_cmp(&b.interval);
    let trace = if subject.units.is_empty() {
        candidates.iter().min_by(|a, b| b.units.len().cmp(&a.units.len()).then(finest(a, b)))
    } else {
        candidates.iter().filter(holds).min_by(finest)
    };
    let Some(trace) = trace else {
        let missing: Vec<String> = subject
            .units
            .iter()
            .filter(|u| !candidates.iter().any(|t| t.units.contains(u)))
            .map(ToString::to_string)
            .collect();
        return Err(not_recorded(if missing.is_empty() {
            "its units stand in different traces; record them in one, so that they share one time axis".into()
        } else {
            format!(
                "`{variable}` was recorded, but not of unit {}; add it to `units` of the trace under [record.{place}]",
                missing.join(", ")
            )
        }));
    };
    let units = if subject.units.is_empty() { trace.units.clone() } else { subject.units.clone() };
    let place: Vec<usize> = units.iter().filter_map(|u| trace.units.iter().position(|v| v == u)).collect();
    let range = trace.range(window);
    let width = trace.units.len();
    let averaged = if subject.mean { units.len() } else { 1 };
    let is_stored = stored(trace).is_some();
    let columns = if let Some(disk) = stored(trace) {
        disk.columns(trace, &place, subject.mean, window).map_err(|why| super::on_disk(subject, &why))?
    } else if subject.mean {
        let n = place.len().max(1) as f64;
        vec![range.clone().map(|k| place.iter().map(|&j| trace.values[k * width + j]).sum::<f64>() / n).collect()]
    } else {
        place.iter().map(|&j| range.clone().map(|k| trace.values[k * width + j]).collect()).collect()
    };
    let largest = columns.iter().flatten().filter(|v| v.is_finite()).fold(0.0, |most: f64, v| most.max(v.abs()));
    if largest > LARGEST || (largest > 0.0 && largest < 1.0 / LARGEST) {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: its values are beyond what can be squared (1e-70 to 1e70): record it in another unit, or multiplied \
             by a factor",
            subject.text
        )));
    }
    let tree = request
        .scenario
        .and_then(|s| s.population_at(subject.place))
        .and_then(|p| p.tree.as_ref())
        .filter(|_| !subject.mean);
    let called = population(request, subject).ok().filter(|p| !p.names.is_empty() && !subject.mean);
    let names = match (tree, called) {
        (Some(tree), _) => units.iter().map(|&u| tree.name(u as usize)).collect(),
        (None, Some(p)) => units.iter().map(|&u| p.unit_name(u).into_owned()).collect(),
        (None, None) => Vec::new(),
    };
    Ok(Columns {
        names,
        subject: subject.text.clone(),
        stem: super::stem(request, subject),
        label: variable.to_owned(),
        unit: trace.unit.clone(),
        units: if subject.mean { Vec::new() } else { units },
        columns,
        start: trace.time(if is_stored { trace.indices(window).start } else { range.start }),
        interval: trace.interval,
        base: request.recording.time_base,
        averaged,
    })
}
