//! Signals of subjects on one time grid, and which of them make pairs.

use crate::prelude::*;
use crate::subject::Columns;
use spikedeck_core::units::short;
use spikedeck_scenario::{Observable, Subject};
use spikedeck_signal::{Axis, Matrix, TimeBase, Window};

/// Most signals on one side of the pairs.
const MOST_SIGNALS: usize = 128;

/// One signal, sampled regularly.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Its name: `exc.V_m[3]`, `exc.rate`.
    pub name: String,
    /// What the one unit that it is of is called, by its number where it has no name; nothing of a mean or a rate.
    pub unit: Option<String>,
    /// Values, in display units, or counts.
    pub values: Vec<f64>,
    /// Whether the values are spike counts.
    pub counts: bool,
    /// Number of spikes that counts and rates rest on.
    pub events: Option<usize>,
    /// Spikes after the last whole bin, and what to say of them.
    pub outside: Option<String>,
    /// Seconds (or time units) between samples.
    pub interval: f64,
    /// Time of the first sample in seconds (or time units).
    pub start: f64,
}

/// Signals of both sides and the pairs (source, target) among them, as indices.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// Sources.
    pub sources: Vec<Signal>,
    /// Targets.
    pub targets: Vec<Signal>,
    /// Pairs to look at.
    pub links: Vec<(usize, usize)>,
    /// Whether sources and targets are the same signals.
    pub same: bool,
}

/// The pairs that a request asks for: every source with every target but itself; with `of` alone, all pairs among its
/// signals (each once if `symmetric`).
///
/// # Errors
/// `NotRecorded`, or `Unsuitable` for too many signals, no pair at all, or signals that share no time grid.
pub fn pairs(request: &Request<'_>, bin: Option<Time>, symmetric: bool) -> Result<Pairs, AnalysisError> {
    let spec = request.spec;
    let directed = !(spec.source.is_empty() && spec.target.is_empty());
    let (from, to) = if directed { (&spec.source, &spec.target) } else { (&spec.of, &spec.of) };
    if from.is_empty() || to.is_empty() {
        return Err(AnalysisError::Unsuitable("write `source` and `target`, each a subject or a list of them".into()));
    }
    let all: Vec<&Subject> = from.iter().chain(to).collect();
    known(request, bin, &all)?;
    let sources = resolve(request, from, bin)?;
    let targets = if directed { resolve(request, to, bin)? } else { sources.clone() };
    let same = sources == targets;
    let pairs: Vec<(usize, usize)> = (0..sources.len())
        .flat_map(|i| (0..targets.len()).map(move |j| (i, j)))
        .filter(|&(i, j)| sources[i].name != targets[j].name && !(same && symmetric && j < i))
        .collect();
    if pairs.is_empty() {
        return Err(AnalysisError::Unsuitable(format!(
            "{} is one signal, and a signal makes no pair with itself",
            sources.first().map_or("this", |s| s.name.as_str())
        )));
    }
    let mut pairs = Pairs { sources, targets, links: pairs, same };
    pairs.align()?;
    Ok(pairs)
}

/// The signals of some subjects, each looked at alone: counts, rates and states as [`pairs`] takes them.
///
/// # Errors
/// `NotRecorded`, or `Unsuitable` for too many signals.
pub fn of(request: &Request<'_>, subjects: &[Subject], bin: Option<Time>) -> Result<Vec<Signal>, AnalysisError> {
    let all: Vec<&Subject> = subjects.iter().collect();
    known(request, bin, &all)?;
    resolve(request, subjects, bin)
}

/// Each signal of some subjects paired with itself: what its past tells of its present.
///
/// # Errors
/// As [`pairs`].
pub fn alone(request: &Request<'_>, bin: Option<Time>) -> Result<Pairs, AnalysisError> {
    let sources = aligned(request, &request.spec.of, bin)?;
    let links = (0..sources.len()).map(|i| (i, i)).collect();
    Ok(Pairs { targets: sources.clone(), sources, links, same: true })
}

/// The signals of some subjects on one time grid, of equal length.
///
/// # Errors
/// As [`pairs`].
pub fn aligned(request: &Request<'_>, subjects: &[Subject], bin: Option<Time>) -> Result<Vec<Signal>, AnalysisError> {
    let sources = of(request, subjects, bin)?;
    if sources.is_empty() {
        return Err(AnalysisError::Unsuitable(format!(
            "{} needs `of`, such as `of = \"POP.rate\"` or `of = \"POP.V_m\"`",
            request.spec.kind
        )));
    }
    let mut pairs = Pairs { sources, targets: Vec::new(), links: Vec::new(), same: true };
    pairs.align()?;
    Ok(pairs.sources)
}

/// Where time has no unit, spikes and rates need a bin that somebody says; elsewhere the option has one for them.
fn known(request: &Request<'_>, bin: Option<Time>, subjects: &[&Subject]) -> Measured {
    let events = subjects.iter().any(|s| matches!(s.what, Observable::Spikes | Observable::Rate));
    if bin.is_none() && events && request.recording.time_base == TimeBase::Dimensionless {
        return Err(AnalysisError::Unsuitable("time has no unit here: say `bin`, a plain number".into()));
    }
    Ok(())
}

fn resolve(request: &Request<'_>, subjects: &[Subject], bin: Option<Time>) -> Result<Vec<Signal>, AnalysisError> {
    let mut signals = Vec::new();
    for one in subjects {
        match (&one.what, bin) {
            (Observable::Spikes, Some(bin)) => spike_counts(request, one, bin, &mut signals)?,
            (Observable::Rate, Some(bin)) => {
                let rate = subject::rate(request, one, bin)?;
                take_columns(&rate.columns, None, Some((rate.spikes, rate.outside)), &mut signals)?;
            }
            _ => {
                let columns = subject::variable(request, one)?;
                take_columns(&columns, bin.map(|b| (b, request.recording.analysis_window())), None, &mut signals)?;
            }
        }
    }
    if signals.len() > MOST_SIGNALS {
        return Err(AnalysisError::Unsuitable(format!(
            "{} signals are too many for pairs (at most {MOST_SIGNALS}): choose units, as in `{}[0..20]`, or take \
             `rate` or `mean(...)`",
            signals.len(),
            subject::stem(request, &subjects[0])
        )));
    }
    Ok(signals)
}

/// Name, unit and trains of what is counted together.
type Group<'t> = (String, Option<String>, Vec<&'t [f64]>);

/// Spikes of each unit counted in bins (left, right]; for `mean(...)`, of all units together.
fn spike_counts(
    request: &Request<'_>,
    one: &Subject,
    bin: Time,
    signals: &mut Vec<Signal>,
) -> Result<(), AnalysisError> {
    let trains = subject::trains(request, one)?;
    let width = bin.axis;
    let bins = subject::bin_count(trains.window, width);
    if bins == 0 {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: a bin of {} s does not fit into the window",
            one.text,
            short(bin.seconds)
        )));
    }
    if !one.mean && trains.trains.len() > MOST_SIGNALS {
        return Err(AnalysisError::Unsuitable(format!(
            "{} means {} units, too many for pairs (at most {MOST_SIGNALS}): choose some, as in `{}[0..20]`, or take \
             the rate",
            one.text,
            trains.trains.len(),
            subject::stem(request, one)
        )));
    }
    let called = |k: usize| trains.names.get(k).cloned().unwrap_or_else(|| trains.units[k].to_string());
    let groups: Vec<Group<'_>> = if one.mean || trains.trains.len() == 1 {
        let unit = (!one.mean).then(|| called(0));
        vec![(one.text.clone(), unit, trains.trains.iter().map(|t| &**t).collect())]
    } else {
        let each = trains.units.iter().zip(&trains.trains).enumerate();
        each.map(|(k, (&u, t))| (subject::unit_name(request, one, u), Some(called(k)), vec![&**t])).collect()
    };
    for (name, unit, members) in groups {
        let mut values = vec![0.0; bins];
        for &t in members.iter().copied().flatten() {
            if let Some(count) = subject::bin_of(t, trains.window.start, width).and_then(|i| values.get_mut(i)) {
                *count += 1.0;
            }
        }
        let events = Some(members.iter().map(|m| m.len()).sum());
        signals.push(Signal {
            name,
            unit,
            values,
            counts: true,
            events,
            outside: trains.outside(bin),
            interval: bin.seconds,
            start: (trains.window.start + width) * trains.base.seconds(),
        });
    }
    Ok(())
}

/// Columns as signals; averaged in bins (left, right] of the window if a bin is given.
fn take_columns(
    columns: &Columns,
    bin: Option<(Time, Window)>,
    spikes: Option<(usize, Option<String>)>,
    signals: &mut Vec<Signal>,
) -> Result<(), AnalysisError> {
    let seconds = columns.base.seconds();
    for (i, values) in columns.columns.iter().enumerate() {
        let name = columns.name(i);
        let (values, interval, start) = match bin {
            None => (values.clone(), columns.interval * seconds, columns.start * seconds),
            Some((bin, window)) => {
                let width = bin.axis;
                if width < columns.interval * (1.0 - 1e-9) {
                    return Err(AnalysisError::Unsuitable(format!(
                        "{name}: a bin of {} s is shorter than the recorded interval of {} s",
                        short(bin.seconds),
                        short(columns.interval * seconds)
                    )));
                }
                let mut sums = vec![(0.0, 0_u32); subject::bin_count(window, width)];
                for (k, v) in values.iter().enumerate() {
                    let t = columns.start + k as f64 * columns.interval;
                    if let Some(sum) = subject::bin_of(t, window.start, width).and_then(|b| sums.get_mut(b)) {
                        sum.0 += v;
                        sum.1 += 1;
                    }
                }
                (
                    sums.into_iter().map(|(sum, n)| sum / f64::from(n)).collect(),
                    bin.seconds,
                    window.start * seconds + bin.seconds,
                )
            }
        };
        let (events, outside) = spikes.clone().unzip();
        let (unit, outside) = (columns.unit_of(i), outside.flatten());
        signals.push(Signal { name, unit, values, counts: false, events, outside, interval, start });
    }
    Ok(())
}

impl Pairs {
    /// All signals must stand on one grid; a sample more at the end is cut.
    fn align(&mut self) -> Result<(), AnalysisError> {
        let first = &self.sources[0];
        let (interval, start) = (first.interval, first.start);
        let mut least = usize::MAX;
        for s in self.sources.iter().chain(&self.targets) {
            if (s.interval - interval).abs() > 1e-9 * interval || (s.start - start).abs() > 1e-6 * interval {
                return Err(AnalysisError::Unsuitable(format!(
                    "{} (every {} s from {} s) and {} (every {} s from {} s) share no times: give `bin`, and both are \
                     averaged in it",
                    self.sources[0].name,
                    short(interval),
                    short(start),
                    s.name,
                    short(s.interval),
                    short(s.start)
                )));
            }
            least = least.min(s.values.len());
        }
        for s in self.sources.iter_mut().chain(&mut self.targets) {
            s.values.truncate(least);
        }
        Ok(())
    }

    /// Number of samples of every signal.
    pub fn len(&self) -> usize {
        self.sources.first().map_or(0, |s| s.values.len())
    }

    /// What pairs of source and target gave, as a matrix ([`Matrix::of_pairs`]).
    pub fn matrix(
        &self,
        value: Axis,
        [rows, columns]: [&str; 2],
        mirrored: bool,
        cells: impl IntoIterator<Item = ((usize, usize), f64, bool)>,
    ) -> Matrix {
        let names = |signals: &[Signal]| signals.iter().map(|s| s.name.clone()).collect();
        Matrix::of_pairs(value, (rows, names(&self.sources)), (columns, names(&self.targets)), mirrored, cells)
    }

    /// Seconds (or time units) between samples.
    pub fn interval(&self) -> f64 {
        self.sources.first().map_or(0.0, |s| s.interval)
    }

    /// Warns of spikes that no bin holds, once a subject.
    pub fn tell_outside(&self, f: &mut Findings<'_>) {
        let all = self.sources.iter().chain(&self.targets).filter_map(|s| s.outside.as_ref());
        let once: std::collections::BTreeSet<&String> = all.collect();
        for told in once {
            f.warn(told);
        }
    }

    /// An option in time as a whole number of samples.
    ///
    /// # Errors
    /// `Unsuitable` when it is negative or no multiple of the interval: never rounded.
    pub fn samples(&self, key: &str, time: Time) -> Result<usize, AnalysisError> {
        usize::try_from(self.signed_samples(key, time)?).map_err(|_| {
            AnalysisError::Unsuitable(format!("`{key}` is {} s, and must not be negative", short(time.seconds)))
        })
    }

    /// The same for an option that may be negative.
    ///
    /// # Errors
    /// `Unsuitable` when it is no multiple of the interval.
    pub fn signed_samples(&self, key: &str, time: Time) -> Result<isize, AnalysisError> {
        let steps = time.seconds / self.interval();
        if (steps - steps.round()).abs() > 1e-6 {
            return Err(AnalysisError::Unsuitable(format!(
                "`{key}` is {} s, which is no multiple of the {} s between samples",
                short(time.seconds),
                short(self.interval())
            )));
        }
        Ok(steps.round() as isize)
    }
}
