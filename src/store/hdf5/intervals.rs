//! Tables of intervals of NWB files: trials and epochs, whose times are events, and times that are to be left out.

use super::super::error::StoreError;
use super::super::recorded::{Recorded, RecordedEvents};
use super::file::Hdf5;

/// The table of stretches that are to be left out.
const INVALID: &str = "invalid_times";
/// Most rows of a table; more are no trials.
const ROWS: u64 = 10_000_000;

/// Adds the tables of a file: each column of times (`start_time`, `stop_time`, `go_cue_time`) is a list of events.
///
/// # Errors
/// When they are damaged or do not fit.
pub(super) fn intervals(file: &Hdf5<'_>, found: &mut Recorded) -> Result<(), StoreError> {
    for name in file.groups("intervals")? {
        let place = format!("intervals/{name}");
        let columns = file.datasets(&place)?;
        let (times, others): (Vec<&String>, Vec<&String>) =
            columns.iter().filter(|c| *c != "id").partition(|c| c.ends_with("_time"));
        let mut read = Vec::new();
        let mut left: Vec<String> = others.iter().map(ToString::to_string).collect();
        let mut rows = 0;
        for column in times {
            let own = format!("{place}/{column}");
            let shape = file.shape(&own)?;
            rows = rows.max(shape.first().copied().unwrap_or(0));
            if !file.is_numeric(&own)? || shape.len() != 1 || shape[0] > ROWS {
                left.push(column.clone());
                continue;
            }
            read.push((column.clone(), file.numbers(&own)?.values));
        }
        if !left.is_empty() || read.is_empty() {
            found.left.push(format!("`{place}` ({rows} rows: {})", left.join(", ")));
        }
        if name == INVALID {
            let times = |column: &str| read.iter().find(|(name, _)| name == column).map(|(_, times)| times);
            if let Some((starts, stops)) = times("start_time").zip(times("stop_time")) {
                let spans = starts.iter().copied().zip(stops.iter().copied());
                found.invalid.extend(spans.filter(|(start, stop)| start < stop));
            }
            continue;
        }
        let mut missing = 0;
        for (_, times) in &mut read {
            let before = times.len();
            times.retain(|t| t.is_finite());
            missing += before - times.len();
        }
        if missing > 0 {
            found.notes.push(format!("{missing} times of `{place}` are not numbers: they are no events"));
        }
        read.retain(|(_, times)| !times.is_empty());
        if !read.is_empty() {
            found.events.push(RecordedEvents { name, columns: read });
        }
    }
    Ok(())
}
