//! Trials of a recording: a table of moments, with what tells their conditions.

use std::borrow::Cow;
use std::path::PathBuf;

use super::super::file_columns::{FileColumn, FileColumns};
use super::super::recording::TrialTimes;
use super::super::time::{TimeBase, Window};
use super::columns::{Opened, numbers};
use super::unit::splits;
use super::{FileTable, FileUnit, Refused, counted, quoted};
use spikedeck_core::diagnostic::did_you_mean;
use spikedeck_core::number::brief;
use spikedeck_core::units::Dimension;

const UNIT: &str = "at the end of its name, in its type, in the metadata, or as `time_unit` of `--trials`; none in \
                    dimensionless scenarios";

/// Columns of a file of trials, or of any events.
pub static TRIALS: FileColumns = FileColumns {
    name: "trials",
    about: "one trial or event a row: `trials` of a recording",
    columns: &[
        FileColumn {
            names: &[
                "start",
                "start_time",
                "starts",
                "onset",
                "onsets",
                "time",
                "times",
                "t",
                "event",
                "event_time",
                "timestamp",
                "timestamps",
            ],
            unit: UNIT,
            required: true,
            about: "when it begins",
            ending: "ms",
        },
        FileColumn {
            names: &["stop", "stop_time", "stops", "end", "end_time", "offset"],
            unit: UNIT,
            required: false,
            about: "when it ends; without it at the next one",
            ending: "ms",
        },
    ],
    others: Some("other moments, with a unit of time at the end of their names; all else tells conditions"),
};

/// How trials are taken from a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrialKeys {
    /// The table, as it is named: one of the recording's file (`trials`), else a file of its own.
    pub table: String,
    /// Where that file would be.
    pub path: PathBuf,
    /// The column whose moments are time 0 of each trial; its start without one.
    pub align: Option<String>,
    /// Seconds (or time units) before that moment that belong to a trial.
    pub before: Option<f64>,
    /// The same after it.
    pub after: Option<f64>,
    /// The columns that tell conditions.
    pub by: Vec<String>,
    /// The unit of times that was stated beside the file.
    pub time_unit: Option<FileUnit>,
}

/// A table of trials.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrialTable {
    /// What it is called.
    pub name: String,
    /// Its columns of moments, in seconds (or time units); not a number where a row has none.
    pub moments: Vec<(String, Vec<f64>)>,
    /// Its other columns, in words; empty where a row has none.
    pub labels: Vec<(String, Vec<String>)>,
    /// Columns of moments under their whole names as they are written: a duration may be a condition.
    pub written: Vec<(String, Vec<String>)>,
    /// Whether the kind of file says that all times are in seconds: any column of numbers is moments then, if one is
    /// named as such.
    pub in_seconds: bool,
}

/// Reads a file of trials for a recording on a time axis of `base`.
///
/// # Errors
/// Every row and column that cannot be taken, with what is accepted and what is there.
pub fn trials(table: &FileTable, name: &str, keys: &TrialKeys, base: TimeBase) -> Result<TrialTable, Refused> {
    let mut file = Opened::new(table, &TRIALS)?;
    let plain = base == TimeBase::Dimensionless;
    let (start, stop) = (file.need("start")?, file.find("stop")?);
    if table.rows == 0 {
        return Err(Refused::new("this file has a heading and no rows: 0 trials", "a row is a trial").in_heading());
    }
    let mut read = TrialTable { name: name.to_owned(), ..TrialTable::default() };
    for (called, found) in [("start", Some(start)), ("stop", stop)] {
        let Some(found) = found else { continue };
        let unit = file.time_unit(&found, "time", keys.time_unit.as_ref(), plain)?;
        let scale = unit.map_or(1.0, |u| u.scale);
        read.moments.push((called.to_owned(), numbers(found.column)?.iter().map(|t| t * scale).collect()));
    }
    for column in file.unused().filter(|c| !c.name.trim().is_empty()) {
        let name = column.name.trim();
        let ending = splits(name).next().filter(|(_, unit)| unit.dimension == Dimension::SECOND && !plain);
        match (ending, column.as_numbers(), column.as_texts()) {
            (Some((base, unit)), Some(values), texts) => {
                read.written.extend(texts.map(|texts| (name.to_owned(), texts)));
                read.moments.push((base.to_owned(), values.into_iter().map(|t| t * unit.scale).collect()));
            }
            (_, _, Some(texts)) => read.labels.push((name.to_owned(), texts)),
            (_, _, None) => {}
        }
    }
    Ok(read)
}

impl TrialTable {
    /// The column of moments called `name`, with `_time` at its end or without.
    fn moment(&self, name: &str) -> Option<&[f64]> {
        let is = |column: &str| column == name || column.strip_suffix("_time") == Some(name);
        let found = self.moments.iter().find(|(column, times)| is(column) && times.len() == self.rows());
        found.map(|(_, times)| times.as_slice())
    }

    /// Number of trials: columns of another length, which a damaged file may have, are not of them.
    fn rows(&self) -> usize {
        self.moments.first().map_or(0, |(_, times)| times.len())
    }

    /// When its trials were, on a time axis of `base`, for a recording of `populations`.
    ///
    /// # Errors
    /// When a column is named that is not there, or no trial has a length.
    pub fn times(&self, keys: &TrialKeys, base: TimeBase, populations: Vec<String>) -> Result<TrialTimes, Refused> {
        let zero = self.zeros(keys)?;
        let (start, stop) = (self.moment("start"), self.moment("stop"));
        let labels = keys.by.iter().map(|by| self.label(by)).collect::<Result<Vec<_>, _>>()?;
        let condition = |row: usize| -> Option<String> {
            let texts: Option<Vec<String>> = keys
                .by
                .iter()
                .zip(&labels)
                .map(|(by, texts)| Some(&texts[row]).filter(|t| !t.is_empty()).map(|text| format!("{by}={text}")))
                .collect();
            Some(texts?.join(", "))
        };
        let known = |times: Option<&[f64]>, row: usize| times.is_none_or(|t| t[row].is_finite());
        let all: Vec<(usize, String)> = (0..zero.len())
            .filter(|&row| {
                let begins = keys.before.is_some() || known(start, row);
                zero[row].is_finite() && begins && (keys.after.is_some() || known(stop, row))
            })
            .filter_map(|row| Some((row, condition(row)?)))
            .collect();
        let mut notes = Vec::new();
        let left = zero.len() - all.len();
        if left > 0 {
            let of = zero.len();
            notes.push(format!(
                "{left} of {of} trials of `{}` have no time or no condition and are left out",
                self.name
            ));
        }
        let least = |f: &dyn Fn(usize) -> f64| all.iter().map(|(row, _)| f(*row)).min_by(f64::total_cmp);
        let before = match (keys.before, start) {
            (Some(before), _) => before,
            (None, Some(start)) => least(&|row| zero[row] - start[row]).unwrap_or(0.0),
            (None, None) => 0.0,
        };
        let mut sorted: Vec<f64> = all.iter().map(|(row, _)| zero[*row]).collect();
        sorted.sort_by(f64::total_cmp);
        let gap = sorted.array_windows().map(|[a, b]| b - a).min_by(f64::total_cmp);
        let after = match (keys.after, stop) {
            (Some(after), _) => Some(after),
            (None, Some(stop)) => least(&|row| stop[row] - zero[row]),
            (None, None) => gap.map(|gap| gap - before),
        };
        let Some(after) = after.filter(|after| -before < *after && before.is_finite() && after.is_finite()) else {
            return Err(Refused::new(
                format!("the trials of `{}` have no length that all share", self.name),
                "say how long they are, with `before` and `after`: times before and after the moment of `align`",
            ));
        };
        if let (None, Some(stop)) = (keys.after, stop) {
            let most = all.iter().map(|(row, _)| stop[*row] - zero[*row]).fold(f64::NEG_INFINITY, f64::max);
            if most > after * (1.0 + 1e-6) {
                let unit = if base == TimeBase::Milliseconds { " s" } else { "" };
                notes.push(format!(
                    "trials of `{}` are of different lengths: each is looked at up to {}{unit}, as the shortest (the \
                     longest goes on to {}{unit}); `after` says another end",
                    self.name,
                    brief(after),
                    brief(most)
                ));
            }
        }
        if let (None, None, Some(gap)) = (keys.after, stop, gap) {
            let widest = sorted.array_windows().map(|[a, b]| b - a).fold(0.0, f64::max);
            if widest > gap * (1.0 + 1e-6) {
                let unit = if base == TimeBase::Milliseconds { " s" } else { "" };
                notes.push(format!(
                    "trials of `{}` have no end: each is looked at up to {}{unit}, as far as those that are nearest to \
                     each other are apart; `after` says another end",
                    self.name,
                    brief(after)
                ));
            }
        }
        let overlap = gap.filter(|gap| *gap < (before + after) * (1.0 - 1e-9)).map(|_| {
            let apart = sorted.array_windows().filter(|[a, b]| b - a < (before + after) * (1.0 - 1e-9));
            let many = apart.count();
            let word = if many == 1 { "overlaps" } else { "overlap" };
            format!("{} of `{}` {word} with the next", counted(many, "trial", "trials"), self.name)
        });
        notes.extend(overlap);
        if keys.by.is_empty() && !self.labels.is_empty() {
            notes.push(format!(
                "trials of `{}` are taken as alike; `by` tells conditions apart, by {}",
                self.name,
                quoted(self.labels.iter().map(|(name, _)| name.as_str()))
            ));
        }
        let axis = |t: f64| t / base.seconds();
        Ok(TrialTimes {
            name: self.name.clone(),
            populations,
            at: all.iter().map(|(row, _)| axis(zero[*row])).collect(),
            window: Window { start: axis(-before), stop: axis(after) },
            conditions: all.into_iter().map(|(_, condition)| condition).collect(),
            notes,
        })
    }

    /// The moment of each row that is time 0.
    fn zeros(&self, keys: &TrialKeys) -> Result<Cow<'_, [f64]>, Refused> {
        let name = keys.align.as_deref().unwrap_or("start");
        if let Some(moments) = self.moment(name) {
            return Ok(Cow::Borrowed(moments));
        }
        // A column of plain numbers is a condition until somebody says that it is moments.
        let label = self.labels.iter().find(|(column, texts)| column == name && texts.len() == self.rows());
        let number = |text: &String| if text.is_empty() { Some(f64::NAN) } else { text.trim().parse().ok() };
        let numbers: Option<Vec<f64>> = label.and_then(|(_, texts)| texts.iter().map(number).collect());
        match (label, numbers) {
            (Some(_), Some(numbers)) if self.in_seconds => return Ok(Cow::Owned(numbers)),
            (Some(_), numbers) => {
                let help = match numbers {
                    Some(_) => format!("call it `{name}_s` or `{name}_ms`, and it is moments"),
                    None => "`by` takes it as the conditions of trials".to_owned(),
                };
                let what = format!("column `{name}` of the trials of `{}` has no unit of time", self.name);
                return Err(Refused::new(what, help));
            }
            (None, _) => {}
        }
        let names = self.moments.iter().map(|(name, _)| name.as_str());
        let help = did_you_mean(name, names.clone())
            .map_or_else(|| format!("its moments are {}", quoted(names)), |near| format!("did you mean `{near}`?"));
        Err(Refused::new(format!("the trials of `{}` have no moments called `{name}`", self.name), help))
    }

    /// The column of labels called `name`.
    fn label(&self, name: &str) -> Result<&[String], Refused> {
        let mut all = self.labels.iter().chain(&self.written);
        let found = all.find(|(column, texts)| column == name && texts.len() == self.rows());
        found.map(|(_, texts)| texts.as_slice()).ok_or_else(|| {
            let names = self.labels.iter().map(|(name, _)| name.as_str());
            let help = match (did_you_mean(name, names.clone()), self.labels.is_empty()) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, false) => format!("conditions are told by {}", quoted(names)),
                (None, true) => "no column of it tells conditions".to_owned(),
            };
            Refused::new(format!("the trials of `{}` have no column `{name}`", self.name), help)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cells, FileData};
    use super::*;

    fn table() -> TrialTable {
        TrialTable {
            name: "trials".into(),
            moments: vec![
                ("start_time".into(), vec![1.0, 3.0, 5.0, 7.0]),
                ("stop_time".into(), vec![2.0, 4.5, 6.0, f64::NAN]),
                ("cue_time".into(), vec![1.25, 3.5, 5.25, 7.5]),
            ],
            labels: vec![("side".into(), vec!["left".into(), "right".into(), String::new(), "left".into()])],
            ..TrialTable::default()
        }
    }

    fn keys() -> TrialKeys {
        TrialKeys { table: "trials".into(), ..TrialKeys::default() }
    }

    #[test]
    fn trials_are_as_long_as_the_shortest_unless_it_is_said() {
        let base = TimeBase::Milliseconds;
        let times = table().times(&keys(), base, vec!["p".into()]).unwrap();
        assert_eq!((times.at.as_slice(), times.window), (&[1e3, 3e3, 5e3][..], Window { start: 0.0, stop: 1e3 }));
        assert!(times.conditions.iter().all(String::is_empty));
        for words in ["1 of 4 trials", "different lengths", "by `side`"] {
            assert!(times.notes.iter().any(|n| n.contains(words)), "{words}: {:?}", times.notes);
        }
        let cue = TrialKeys {
            align: Some("cue".into()),
            before: Some(0.2),
            after: Some(2.5),
            by: vec!["side".into()],
            ..keys()
        };
        let times = table().times(&cue, base, Vec::new()).unwrap();
        assert_eq!(times.at, [1250.0, 3500.0, 7500.0], "the third has no condition");
        assert_eq!(times.window, Window { start: -200.0, stop: 2500.0 });
        assert_eq!(times.conditions, ["side=left", "side=right", "side=left"]);
        assert!(times.notes.iter().any(|n| n.contains("1 trial of `trials` overlaps")), "{:?}", times.notes);
        let aligned = TrialKeys { align: Some("cue".into()), ..keys() };
        let times = table().times(&aligned, base, Vec::new()).unwrap();
        assert_eq!(times.window, Window { start: -250.0, stop: 750.0 }, "inside every trial");
    }

    /// A column of numbers whose name does not say that it is moments is taken as such by name, where files of its kind
    /// have times in seconds; else it has no unit.
    #[test]
    fn plain_numbers_are_moments_where_files_say_what_times_are_in() {
        let go = |in_seconds: bool, texts: [&str; 4]| {
            let labels = vec![("go_cue".to_owned(), texts.map(str::to_owned).to_vec())];
            let aligned = TrialKeys { align: Some("go_cue".into()), before: Some(0.1), after: Some(0.5), ..keys() };
            TrialTable { labels, in_seconds, ..table() }.times(&aligned, TimeBase::Milliseconds, Vec::new())
        };
        let numbers = ["1.5", "3.25", "", "7.75"];
        assert_eq!(go(true, numbers).unwrap().at, [1500.0, 3250.0, 7750.0]);
        assert!(go(false, numbers).unwrap_err().to_string().contains("no unit of time"));
        assert!(go(true, ["a", "b", "c", "d"]).unwrap_err().to_string().contains("`by` takes it"));
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let base = TimeBase::Milliseconds;
        let refused = |keys: &TrialKeys| table().times(keys, base, Vec::new()).unwrap_err().to_string();
        assert!(refused(&TrialKeys { align: Some("cue_tme".into()), ..keys() }).contains("did you mean `cue_time`"));
        assert!(refused(&TrialKeys { by: vec!["stimulus".into()], ..keys() }).contains("told by `side`"));
        assert!(refused(&TrialKeys { after: Some(-1.0), ..keys() }).contains("no length"));
        let uneven = TrialTable {
            moments: vec![("start".into(), vec![1.0, 2.0, 3.0]), ("stop".into(), vec![1.5])],
            labels: vec![("side".into(), vec!["left".into()])],
            ..TrialTable::default()
        };
        assert_eq!(uneven.times(&keys(), base, Vec::new()).unwrap().window.stop, 1000.0, "up to the next");
        assert!(uneven.times(&TrialKeys { by: vec!["side".into()], ..keys() }, base, Vec::new()).is_err());
        let one = TrialTable { moments: vec![("start".into(), vec![1.0])], ..TrialTable::default() };
        assert!(one.times(&keys(), base, Vec::new()).is_err(), "one event has no end");
    }

    #[test]
    fn a_file_of_events_has_moments_and_conditions() {
        let gap = FileData { missing: vec![1], ..FileData::texts("side", ["left", "", "right"]) };
        let file = FileTable::of(vec![
            FileData::numbers("onset_s", vec![1.0, 2.0, 3.5]),
            FileData { missing: vec![0], ..FileData::numbers("lick_ms", vec![f64::NAN, 2100.0, 3600.0]) },
            FileData::new("block", Cells::Whole(vec![1, 1, 2])),
            gap,
        ]);
        let read = trials(&file, "events.csv", &keys(), TimeBase::Milliseconds).unwrap();
        assert_eq!(read.moments[0], ("start".into(), vec![1.0, 2.0, 3.5]));
        assert_eq!((read.moments[1].0.as_str(), &read.moments[1].1[1..]), ("lick", &[2.1, 3.6][..]));
        assert!(read.moments[1].1[0].is_nan());
        assert_eq!(read.labels[0], ("block".into(), ["1", "1", "2"].map(str::to_owned).to_vec()));
        assert_eq!(read.labels[1].1, ["left", "", "right"]);
        let times = read.times(&keys(), TimeBase::Milliseconds, Vec::new()).unwrap();
        assert_eq!(times.window, Window { start: 0.0, stop: 1000.0 }, "up to the next, of those that are nearest");
        assert!(times.notes.iter().any(|n| n.contains("have no end")), "{:?}", times.notes);
        // A time may tell a condition, as it is written.
        let by = TrialKeys { by: vec!["lick_ms".into()], ..keys() };
        assert_eq!(read.times(&by, TimeBase::Milliseconds, Vec::new()).unwrap().conditions[0], "lick_ms=2100");
        let bare = FileTable::of(vec![FileData::numbers("onset", vec![1.0])]);
        let refused = trials(&bare, "e.csv", &keys(), TimeBase::Milliseconds).unwrap_err();
        assert!(refused.message.contains("has no unit"), "{refused}");
        let empty = FileTable::of(vec![FileData::numbers("onset_s", Vec::new())]);
        let refused = trials(&empty, "e.csv", &keys(), TimeBase::Milliseconds).unwrap_err();
        assert!(refused.message.contains("no rows"), "{refused}");
    }
}
