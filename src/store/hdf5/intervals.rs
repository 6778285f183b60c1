//! Tables of intervals of NWB files: trials and epochs, whose times are events, and times that are to be left out.

use super::super::error::StoreError;
use super::super::recorded::{Recorded, RecordedEvents};
use super::file::Hdf5;

/// The table of stretches that are to be left out.
const INVALID: &str = "invalid_times";
/// Most rows of a table; more are no trials.
const ROWS: u64 = 10_000_000;

/// Adds the tables of a file: each column of times (`start_time`, `stop_time`, `go_cue_time`) is a list of events, and
/// the others say in which condition each row is.
///
/// # Errors
/// When they are damaged or do not fit.
pub(super) fn intervals(file: &Hdf5<'_>, found: &mut Recorded) -> Result<(), StoreError> {
    for name in file.groups("intervals")? {
        let place = format!("intervals/{name}");
        let Columns { times, labels, left, rows } = columns(file, &place)?;
        if !left.is_empty() || times.is_empty() {
            found.left.push(format!("`{place}` ({rows} rows: {})", left.join(", ")));
        }
        if name == INVALID {
            let times = |column: &str| times.iter().find(|(name, _)| name == column).map(|(_, times)| times);
            if let Some((starts, stops)) = times("start_time").zip(times("stop_time")) {
                let spans = starts.iter().copied().zip(stops.iter().copied());
                found.invalid.extend(spans.filter(|(start, stop)| start < stop));
            }
            continue;
        }
        let missing: usize = times.iter().map(|(_, times)| times.iter().filter(|t| !t.is_finite()).count()).sum();
        if missing > 0 {
            found.notes.push(format!("{missing} times of `{place}` are not numbers: they are no events"));
        }
        if times.iter().any(|(_, times)| times.iter().any(|t| t.is_finite())) {
            found.events.push(RecordedEvents { name, columns: times, labels });
        }
    }
    Ok(())
}

/// The columns of a table of intervals.
#[derive(Default)]
struct Columns {
    /// Those of times.
    times: Vec<(String, Vec<f64>)>,
    /// Others, in words.
    labels: Vec<(String, Vec<String>)>,
    /// Names of those that are not read.
    left: Vec<String>,
    rows: u64,
}

fn columns(file: &Hdf5<'_>, place: &str) -> Result<Columns, StoreError> {
    let names = file.datasets(place)?;
    let mut read = Columns::default();
    for name in names.iter().filter(|n| *n != "id") {
        let own = format!("{place}/{name}");
        let shape = file.shape(&own)?;
        read.rows = read.rows.max(shape.first().copied().unwrap_or(0));
        // A column of lists has an index beside it.
        let list = names.iter().any(|n| n.strip_suffix("_index") == Some(name))
            || name.strip_suffix("_index").is_some_and(|list| names.iter().any(|n| n == list));
        let plain = shape.len() == 1 && shape[0] <= ROWS && !list;
        match (plain, plain && file.is_numeric(&own)?) {
            (true, true) if name.ends_with("_time") => read.times.push((name.clone(), file.times(&own)?.values)),
            (true, true) => {
                let text = |v: f64| if v.is_nan() { String::new() } else { v.to_string() };
                read.labels.push((name.clone(), file.numbers(&own)?.values.into_iter().map(text).collect()));
            }
            (true, false) => match file.texts(&own)? {
                Some(texts) if !name.ends_with("_time") => read.labels.push((name.clone(), texts)),
                _ => read.left.push(name.clone()),
            },
            (false, _) => read.left.push(name.clone()),
        }
    }
    // Rows stand beside each other only where all columns have as many.
    let start = read.times.iter().find(|(name, _)| name == "start_time").map(|(_, times)| times.len());
    let rows = start.unwrap_or(read.rows as usize);
    read.left.extend(read.labels.extract_if(.., |(_, texts)| texts.len() != rows).map(|(name, _)| name));
    read.left.extend(read.times.extract_if(.., |(_, times)| times.len() != rows).map(|(name, _)| name));
    Ok(read)
}
