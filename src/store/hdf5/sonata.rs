//! Spikes and reports of SONATA files.

use super::super::error::StoreError;
use super::super::recorded::{Recorded, RecordedSignal, RecordedSpikes, RecordedUnits};
use super::file::{Hdf5, product};

/// Adds the spikes of a file.
///
/// # Errors
/// When they are damaged or do not fit.
pub(super) fn spikes(file: &Hdf5<'_>, found: &mut Recorded) -> Result<(), StoreError> {
    for name in file.groups("spikes")? {
        population(file, &format!("spikes/{name}"), Some(name), ("timestamps", "node_ids"), found)?;
    }
    // Before populations had names.
    let columns = file.datasets("spikes")?;
    if columns.iter().any(|c| c == "timestamps") {
        let ids = if columns.iter().any(|c| c == "gids") { "gids" } else { "node_ids" };
        population(file, "spikes", None, ("timestamps", ids), found)?;
    }
    Ok(())
}

fn population(
    file: &Hdf5<'_>,
    place: &str,
    name: Option<String>,
    (times, ids): (&str, &str),
    found: &mut Recorded,
) -> Result<(), StoreError> {
    let columns = file.datasets(place)?;
    let (at, whose) = (format!("{place}/{times}"), format!("{place}/{ids}"));
    if let Some(lacking) = [times, ids].iter().find(|c| !columns.iter().any(|d| d == *c)) {
        found.left.push(format!("`{place}` (without `{lacking}`)"));
        return Ok(());
    }
    let others: Vec<&str> = columns.iter().map(String::as_str).filter(|c| *c != times && *c != ids).collect();
    if !others.is_empty() && name.is_some() {
        found.left.push(format!("`{place}` {}", others.join(", ")));
    }
    let scale = scale(file, &at, found)?;
    let values = file.numbers(&at)?.values;
    if let Some(bad) = values.iter().position(|t| !t.is_finite()) {
        return Err(file.wrong(&at, format!("spike {bad} is not a number or infinite")));
    }
    let ids = file.whole_numbers(&whose)?;
    if ids.len() != values.len() {
        return Err(file.wrong(&whose, format!("{} ids for {} times", ids.len(), values.len())));
    }
    let units = RecordedUnits::Ids(ids);
    found.spikes.push(RecordedSpikes { name, times: values, scale, units, observed: Vec::new() });
    Ok(())
}

/// Seconds of one of the times in a dataset: milliseconds where it says nothing, which is noted.
fn scale(file: &Hdf5<'_>, at: &str, found: &mut Recorded) -> Result<f64, StoreError> {
    Ok(file.seconds(at)?.unwrap_or_else(|| {
        found.notes.push(format!("`{at}` has no attribute `units`: its times are milliseconds, as SONATA has it"));
        1e-3
    }))
}

/// Adds the reports of a file: variables of nodes, sampled.
///
/// # Errors
/// When they are damaged.
pub(super) fn reports(file: &Hdf5<'_>, found: &mut Recorded) -> Result<(), StoreError> {
    for name in file.groups("report")? {
        let place = format!("report/{name}");
        let data = format!("{place}/data");
        if !file.has(&data)? || !file.has(&format!("{place}/mapping/time"))? {
            found.left.push(format!("`{place}` (without data or times)"));
            continue;
        }
        let shape = file.shape(&data)?;
        let [samples, channels] = shape[..] else {
            found.left.push(format!("`{place}` ({} dimensions)", shape.len()));
            continue;
        };
        if samples < 2 || channels == 0 || !file.fits(product(&shape)) {
            found.left.push(format!("`{place}` ({samples} samples of {channels} elements)"));
            continue;
        }
        let at = format!("{place}/mapping/time");
        let scale = scale(file, &at, found)?;
        let times = file.numbers(&at)?.values;
        let [start, stop, interval] = times[..] else {
            return Err(file.wrong(&at, "a start, a stop and a step are needed"));
        };
        if !(start.is_finite() && interval.is_finite() && interval > 0.0) {
            return Err(file.wrong(&at, format!("it starts at {start} in steps of {interval}")));
        }
        // Some programs count the end in, and some leave it out.
        let rows = (stop - start) / interval;
        if (rows - samples as f64).abs() > 1.5 || rows.is_nan() {
            let what =
                format!("from {start} to {stop} in steps of {interval} there are {rows:.0} rows, and it has {samples}");
            return Err(file.wrong(&at, what));
        }
        let nodes = format!("{place}/mapping/node_ids");
        if file.has(&nodes)? && file.shape(&nodes)? != [channels] {
            let count = product(&file.shape(&nodes)?);
            found.notes.push(format!("units of `{place}` are the {channels} elements of its {count} nodes"));
        }
        let unit = file.said(&data)?.text("units").unwrap_or_default();
        let values = file.numbers(&data)?.values;
        if values.iter().any(|v| !v.is_finite()) {
            found.left.push(format!("`{place}` (a sample is not a number)"));
            continue;
        }
        let (start, interval, channels) = (start * scale, interval * scale, channels as usize);
        found.signals.push(RecordedSignal { place, unit, start, interval, channels, values });
    }
    Ok(())
}
