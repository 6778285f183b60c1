//! Signals from elsewhere: columns of samples as the traces of a recording.

use super::elsewhere::{Sampling, axis};
use spikedeck_signal::data::{Even, FileUnit, Refused, SignalColumn, SignalFile, even_in};
use spikedeck_signal::{Population, Recording, TimeBase, Trace, Window};

/// What is to be left out, as it is called on the command line and in a scenario: files are read for both.
fn leave_out(option: &str, key: &str) -> String {
    format!("leave out `{option}` (`{key}` of a `[recordings]` table)")
}

/// The unit that a column surely is in. A single letter at the end of a name is more often part of it (`V_m`).
fn own_unit(column: &SignalColumn) -> Option<&FileUnit> {
    column.unit.as_ref().filter(|u| column.is_stated || u.text.len() > 1)
}

/// What to say of a column whose name ends with a letter that may be its unit.
fn perhaps(column: &SignalColumn) -> Option<String> {
    // Nothing is recorded in metres so often as membranes are called `V_m`.
    let unit = column.unit.as_ref().filter(|u| u.text != "m")?;
    let (name, base, letter) = (&column.name, &column.base, &unit.text);
    Some(format!(
        "`{letter}` at the end of `{name}` is taken for part of the name, and its values for plain numbers: called \
         `{base} ({letter})` they are in {letter}"
    ))
}

/// When samples were taken: the time base, what its unit is in the file's, a note about it, and the even grid.
type Grid = (TimeBase, f64, Option<String>, Even);

fn grid_of(file: &SignalFile, samples: usize, sampling: &Sampling) -> Result<Grid, Refused> {
    Ok(match (&file.times, sampling.rate) {
        (Some(_), None) if sampling.start.is_some() => {
            return Err(Refused::new("this file has a column of times", leave_out("--start", "first")));
        }
        (Some(times), None) => {
            let (base, scale, note) = axis(file.unit.as_ref());
            let grid = even_in(times, &file.rows, &file.time_column)?;
            (base, scale, note, grid)
        }
        (Some(_), Some(_)) => {
            return Err(Refused::new("this file has a column of times", leave_out("--rate", "rate")));
        }
        (None, Some(rate)) => {
            if samples < 2 {
                return Err(Refused::new("a signal has at least two samples", "there are fewer in this file"));
            }
            let (start, interval) = (sampling.start.unwrap_or(0.0), 1.0 / rate);
            (TimeBase::Milliseconds, 1000.0, None, Even { start, interval, precision: 0.0 })
        }
        (None, None) => {
            return Err(Refused::new(
                "this file has no column of times",
                "a recording has a column `time_ms` or `time_s`; spikes name their `unit`, signals have columns of \
                 values; of a signal without times `analyze` takes `--rate \"1 kHz\"` (and `--start`), a \
                 `[recordings]` table `rate = \"1 kHz\"` (and `first`)",
            )
            .in_heading());
        }
    })
}

/// The traces of a file of signals, with what should be known of them.
///
/// # Errors
/// When times are said twice or not at all, are not even, or a unit is said twice.
pub(super) fn of_signal(
    label: &str,
    file: SignalFile,
    sampling: &Sampling,
) -> Result<(Recording, Vec<String>), Refused> {
    let samples = file.columns.first().map_or(0, |c| c.values.len());
    let (base, scale, note, grid) = grid_of(&file, samples, sampling)?;
    let mut warnings = file.notes;
    warnings.extend(note);
    let (start, interval) = (grid.start * scale, grid.interval * scale);
    let mut variables = Vec::new();
    let mut from = 0;
    while from < file.columns.len() {
        // Units that stood below each other are one variable.
        let first = &file.columns[from];
        let to = if file.long {
            file.columns[from..].iter().position(|c| c.name != first.name).map_or(file.columns.len(), |n| from + n)
        } else {
            from + 1
        };
        variables.push(&file.columns[from..to]);
        from = to;
    }
    // Names that differ by their units alone stay whole: each variable is another.
    let called = |units: &[SignalColumn]| -> String {
        let base = &units[0].base;
        let alone = variables.iter().filter(|v| own_unit(&v[0]).is_some() && v[0].base == *base).count() == 1;
        if own_unit(&units[0]).is_some() && alone { base.clone() } else { units[0].name.clone() }
    };
    let mut traces: Vec<Trace> = Vec::new();
    for units in &variables {
        let first = &units[0];
        let stated = match (own_unit(first), &sampling.unit) {
            (Some(own), Some(_)) => {
                return Err(Refused::new(
                    format!("column `{}` is in {} by its name", first.name, own.text),
                    leave_out("--unit", "unit"),
                )
                .in_name(first.name.as_str()));
            }
            (Some(own), None) => own.text.replace("_per_", "/"),
            (None, Some(said)) => said.clone(),
            (None, None) => {
                warnings.extend(perhaps(first));
                String::new()
            }
        };
        traces.push(Trace {
            population: label.to_owned(),
            name: "file".to_owned(),
            variable: called(units),
            unit: stated,
            column: first.name.clone(),
            units: if file.long { (0..units.len() as u32).collect() } else { vec![0] },
            start,
            interval,
            values: (0..samples).flat_map(|k| units.iter().map(move |c| c.values[k])).collect(),
        });
    }
    let size = traces.iter().map(|t| t.units.len()).max().unwrap_or(0);
    if file.long && file.columns.iter().take(size).enumerate().any(|(k, c)| c.id != k as i64) {
        warnings.push(format!("the {size} units of this file are numbered in the order of their ids"));
    }
    // As everywhere each sample ends an interval: the first is part of the stretch.
    let window = Window { start: start - interval, stop: start + interval * (samples - 1) as f64 };
    let recording = Recording {
        time_base: base,
        window,
        populations: vec![Population { name: label.to_owned(), size, names: file.names, ..Population::default() }],
        traces,
        ..Recording::default()
    };
    Ok((recording, warnings))
}
