//! What an analysis looks at, resolved to data: trains, rates in bins, columns of traces.
//!
//! Windows are (start, stop]; the transient is left out. Times stay in units of the recording's axis unless a field
//! says seconds.

mod bins;
mod traces;

pub use bins::{Outside, Rate, bin_count, bin_of, rate};

use super::prefilter;
use super::value::Time;
use super::{AnalysisError, Request};
use spikedeck_scenario::{Observable, Place, PopulationId, Subject};
use spikedeck_signal::{Population, Recording, TimeBase, Trace, Train, UnitTable, Window, written};
use traces::trace_columns;

/// Sorted spike trains of some units.
#[derive(Debug, Clone, PartialEq)]
pub struct Trains {
    /// The subject as written.
    pub subject: String,
    /// Which units the trains are.
    pub units: Vec<u32>,
    /// What they are called, where they have names; else empty.
    pub names: Vec<String>,
    /// One train a unit, in units of the time axis, inside the window.
    pub trains: Vec<Train>,
    /// The stretch looked at.
    pub window: Window,
    /// What the numbers on the time axis mean.
    pub base: TimeBase,
}

impl Trains {
    /// Length of the stretch in seconds.
    pub fn duration(&self) -> f64 {
        self.window.length() * self.base.seconds()
    }

    /// Number of spikes of all units.
    pub fn count(&self) -> usize {
        self.trains.iter().map(|t| t.len()).sum()
    }

    /// What to say of spikes after the last whole bin of `width`: they are in no bin. Nothing where there are none.
    pub fn outside(&self, width: Time) -> Option<String> {
        let mut bins = Outside::new(self.window, width);
        self.trains.iter().for_each(|t| bins.look(t));
        bins.told(&self.subject, self.base)
    }
}

/// Regularly sampled columns: traces of some units, their mean, or a rate in bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// The subject as written.
    pub subject: String,
    /// The subject without its choice of units ([`stem`]).
    pub stem: String,
    /// Name of the quantity (`V_m`, `rate`).
    pub label: String,
    /// Display unit of the values.
    pub unit: String,
    /// Which units the columns are; empty for a mean or a population rate.
    pub units: Vec<u32>,
    /// What the units are called where they have names (the places of a tree, units of a file); else empty.
    pub names: Vec<String>,
    /// The columns, each as long as the others.
    pub columns: Vec<Vec<f64>>,
    /// Time of the first sample (right edge of the first bin for rates), on the recording's axis.
    pub start: f64,
    /// Time between samples on the recording's axis.
    pub interval: f64,
    /// What the numbers on the time axis mean.
    pub base: TimeBase,
    /// Number of units that a mean or a population rate is over (1 for columns of single units).
    pub averaged: usize,
}

impl Columns {
    /// Samples per second (or per time unit).
    pub fn sampling_rate(&self) -> f64 {
        1.0 / (self.interval * self.base.seconds())
    }

    /// Number of samples of each column.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of a column for legends: the subject, with the unit (on a tree the place) where there are several.
    pub fn name(&self, column: usize) -> String {
        match self.units.get(column) {
            Some(_) if self.columns.len() > 1 && column < self.names.len() => {
                format!("{}[{}]", self.stem, written(&self.names[column]))
            }
            Some(unit) if self.columns.len() > 1 => format!("{}[{unit}]", self.stem),
            _ => self.subject.clone(),
        }
    }

    /// What the unit of a column is called, by its number where it has no name; nothing of a mean.
    pub fn unit_of(&self, column: usize) -> Option<String> {
        let unit = self.units.get(column)?;
        Some(self.names.get(column).cloned().unwrap_or_else(|| unit.to_string()))
    }
}

/// A subject without its choice of units: `exc.V_m` of `exc.V_m[0..10]`; all of it where units are averaged.
pub fn stem(request: &Request<'_>, subject: &Subject) -> String {
    let of = match &subject.what {
        Observable::Spikes => "spikes",
        Observable::Rate => "rate",
        Observable::Variable(name) => name,
        Observable::Population => return subject.text.clone(),
    };
    match place(request, subject) {
        Ok(place) if !subject.mean => format!("{place}.{of}"),
        _ => subject.text.clone(),
    }
}

/// Name of one unit of a subject: `exc.spikes[3]`, by its name where it has one.
pub fn unit_name(request: &Request<'_>, subject: &Subject, unit: u32) -> String {
    let stem = stem(request, subject);
    match population(request, subject) {
        Ok(p) => format!("{stem}[{}]", p.unit_written(unit)),
        Err(_) => format!("{stem}[{unit}]"),
    }
}

/// What the units of a table are called, where the population of its subject has names.
pub fn unit_names(request: &Request<'_>, table: &UnitTable) -> Option<Vec<String>> {
    let subjects = of_or_all_spikes(request).ok()?;
    let of = population(request, subjects.iter().find(|s| s.text == table.subject)?).ok()?;
    (!of.names.is_empty()).then(|| table.units.iter().map(|&unit| of.unit_name(unit).into_owned()).collect())
}

/// The subjects of `of`; without any, the spikes of every population that recorded them.
///
/// # Errors
/// `NotRecorded` when there are neither.
pub fn of_or_all_spikes(request: &Request<'_>) -> Result<Vec<Subject>, AnalysisError> {
    if !request.spec.of.is_empty() {
        return Ok(request.spec.of.clone());
    }
    let recording = request.recording;
    // Those that are not at hand are asked for too: that they are missing is said, not passed over.
    let recorded = |name: &str| recording.spikes_of(name).is_some() || recording.spikes_are_absent(name).is_some();
    let names = recording.populations.iter().map(|p| p.name.as_str()).filter(|name| recorded(name));
    let all: Vec<Subject> = names.filter_map(|name| spikes_subject(recording, name)).collect();
    if all.is_empty() {
        return Err(AnalysisError::NotRecorded {
            subject: "spikes".into(),
            hint: "write `of = \"POP.spikes\"` and, under [record.POP], `spikes = true`".into(),
        });
    }
    Ok(all)
}

/// The subject `POP.spikes` of a population of the recording.
pub fn spikes_subject(recording: &Recording, population: &str) -> Option<Subject> {
    let index = recording.populations.iter().position(|p| p.name == population)?;
    Some(Subject {
        text: format!("{population}.spikes"),
        place: Place::Population(PopulationId::of_recording(index)),
        what: Observable::Spikes,
        units: Vec::new(),
        mean: false,
    })
}

/// The population that a subject names.
///
/// # Errors
/// `NotRecorded` when the recording has no such population.
pub fn population<'a>(request: &Request<'a>, subject: &Subject) -> Result<&'a Population, AnalysisError> {
    let Place::Population(id) = subject.place else {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: this analysis looks at the units of a population, and this names connections",
            subject.text
        )));
    };
    request.recording.populations.get(id.index()).ok_or_else(|| AnalysisError::NotRecorded {
        subject: subject.text.clone(),
        hint: format!(
            "the recording holds {} populations, and this is number {}",
            request.recording.populations.len(),
            id.index() + 1
        ),
    })
}

/// The name under which the traces of a subject are kept: of its population, or of its projection.
fn place<'a>(request: &Request<'a>, subject: &Subject) -> Result<&'a str, AnalysisError> {
    match (subject.place, request.scenario) {
        (Place::Population(_), _) => Ok(&population(request, subject)?.name),
        (Place::Projection(id), Some(spec)) => Ok(&spec.projection(id).name),
        (Place::Projection(_), None) => Err(AnalysisError::Unsuitable(format!(
            "{}: connections belong to a scenario, and this recording has none",
            subject.text
        ))),
    }
}

/// The units that a subject means: the listed ones, or all.
fn selected(subject: &Subject, size: usize) -> Result<Vec<u32>, AnalysisError> {
    if let Some(&beyond) = subject.units.iter().find(|&&u| u as usize >= size) {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: unit {beyond} does not exist, the population has {size} units (0 to {})",
            subject.text,
            size.saturating_sub(1)
        )));
    }
    Ok(if subject.units.is_empty() { (0..size as u32).collect() } else { subject.units.clone() })
}

/// Spike trains of a subject (`POP.spikes`, and `POP.rate`, which is made of them), one a unit, in the analysis window.
/// O(spikes + units).
///
/// # Errors
/// `NotRecorded` without recorded spikes; `Unsuitable` for a variable or a unit that does not exist.
pub fn trains(request: &Request<'_>, subject: &Subject) -> Result<Trains, AnalysisError> {
    trains_within(request, subject, request.recording.analysis_window())
}

/// The same in a window of the caller's (`recording.window` for the whole run).
///
/// # Errors
/// As [`trains`].
pub fn trains_within(request: &Request<'_>, subject: &Subject, window: Window) -> Result<Trains, AnalysisError> {
    let (population, size, stored) = spiking(request, subject)?;
    let units = selected(subject, size)?;
    let whole = if stored {
        let read = request.trains.of_stored(&population.name, &subject.units);
        read.expect("it was found to be on disk").map_err(|why| on_disk(subject, &why))?
    } else {
        let whole = request.trains.of(&population.name, &subject.units);
        whole.expect("the trains are those of the recording, which has the spikes of this population")
    };
    let trains = whole.iter().map(|t| t.within(window)).collect();
    let named: &[u32] = if population.names.is_empty() { &[] } else { &units };
    let names = named.iter().map(|&u| population.unit_name(u).into_owned()).collect();
    let base = request.recording.time_base;
    Ok(Trains { subject: subject.text.clone(), units, names, trains, window, base })
}

/// Whether the spikes of a subject stay on disk.
///
/// # Errors
/// As [`trains`].
pub fn is_on_disk(request: &Request<'_>, subject: &Subject) -> Result<bool, AnalysisError> {
    Ok(spiking(request, subject)?.2)
}

/// The units whose trains [`each_train`] hands over.
///
/// # Errors
/// As [`trains`].
pub fn units(request: &Request<'_>, subject: &Subject) -> Result<Vec<u32>, AnalysisError> {
    selected(subject, spiking(request, subject)?.1)
}

/// Hands over the trains of a subject one after another, each over the whole recording: also of a population that stays
/// on disk, which is read in as many rounds as it takes. O(spikes + units), and one train in memory where they are on
/// disk.
///
/// # Errors
/// As [`trains`], and what `look` fails with.
pub fn each_train(
    request: &Request<'_>,
    subject: &Subject,
    mut look: impl FnMut(u32, &Train) -> Result<(), AnalysisError>,
) -> Result<(), AnalysisError> {
    let (population, size, stored) = spiking(request, subject)?;
    if stored && request.recording.time_base == TimeBase::Dimensionless {
        // What stands for defaults there is found from all spikes at once.
        return Err(on_disk(subject, "it does not fit into memory"));
    }
    let units = selected(subject, size)?;
    let mut rows = units.iter();
    let mut ended = Ok(());
    let read = request.trains.each(&population.name, &subject.units, &mut |train| {
        let unit = *rows.next().expect("there is one train a unit");
        ended = request.check_cancelled().and_then(|()| look(unit, train));
        ended.is_ok()
    });
    ended?;
    read.expect("its spikes were found to be recorded").map_err(|why| on_disk(subject, &why))
}

/// The population of a subject that is about spikes, how many trains it has, and whether they stay on disk.
fn spiking<'a>(request: &Request<'a>, subject: &Subject) -> Result<(&'a Population, usize, bool), AnalysisError> {
    let population = population(request, subject)?;
    if !matches!(subject.what, Observable::Spikes | Observable::Rate) {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: this analysis needs spikes; write `{}.spikes`",
            subject.text, population.name
        )));
    }
    let (recording, name) = (request.recording, &population.name);
    if let Some(why) = recording.spikes_are_absent(name) {
        let stored = recording.on_disk.iter().flat_map(|d| &d.spikes).find(|s| s.population == *name);
        let absent = || AnalysisError::Absent { subject: subject.text.clone(), why: why.to_owned() };
        return stored.map(|s| (population, s.size, true)).ok_or_else(absent);
    }
    let spikes = recording.spikes_of(name).ok_or_else(|| AnalysisError::NotRecorded {
        subject: subject.text.clone(),
        hint: format!("write `spikes = true` under [record.{name}]"),
    })?;
    Ok((population, spikes.size, false))
}

/// Why something that stays on disk is not looked at.
fn on_disk(subject: &Subject, why: &str) -> AnalysisError {
    AnalysisError::Absent { subject: subject.text.clone(), why: format!("it stays on disk: {why}") }
}

/// Regular samples of a subject: columns of a variable (their mean for `mean(...)`), or the population rate in bins of
/// `bin`; after the filter that the analysis asks for.
///
/// # Errors
/// `NotRecorded` when the variable or the spikes were not recorded, `Unsuitable` for subjects without samples.
pub fn columns(request: &Request<'_>, subject: &Subject, bin: Time) -> Result<Columns, AnalysisError> {
    match &subject.what {
        Observable::Rate => Ok(rate(request, subject, bin)?.columns),
        Observable::Variable(_) | Observable::Spikes | Observable::Population => variable(request, subject),
    }
}

/// Columns of a variable (their mean for `mean(...)`), for an estimator that has no bins and takes no rate.
///
/// # Errors
/// `NotRecorded` when the variable was not recorded, `Unsuitable` for what is no variable.
pub fn variable(request: &Request<'_>, subject: &Subject) -> Result<Columns, AnalysisError> {
    match &subject.what {
        Observable::Variable(variable) => {
            let columns = trace_columns(request, subject, variable, request.recording.analysis_window())?;
            prefilter::applied(request, columns)
        }
        Observable::Rate => Err(AnalysisError::Unsuitable(format!(
            "{}: a rate is counted in bins, of which this analysis knows nothing: it looks at variables of units, such \
             as `{}.V_m`",
            subject.text,
            population(request, subject)?.name
        ))),
        Observable::Spikes => Err(AnalysisError::Unsuitable(format!(
            "{}: this analysis needs a sampled signal; write `{}.rate` for the population rate in bins",
            subject.text,
            population(request, subject)?.name
        ))),
        Observable::Population => {
            let name = &population(request, subject)?.name;
            Err(AnalysisError::Unsuitable(format!(
                "{}: say what of it, such as `{name}.spikes`, `{name}.rate` or a variable",
                subject.text
            )))
        }
    }
}

/// Samples a second (or unit of time) of the traces of a variable that may be looked at.
pub fn sampling_rates(request: &Request<'_>, subject: &Subject, variable: &str) -> Vec<f64> {
    let Ok(place) = place(request, subject) else { return Vec::new() };
    let on_disk = request.recording.on_disk.iter().flat_map(|d| &d.traces);
    let all = on_disk.filter(|t| t.population == place && t.variable == variable);
    let all = all.chain(request.recording.traces_of(place, variable));
    let holds = |t: &&Trace| subject.units.iter().all(|u| t.units.contains(u));
    all.filter(holds).map(|t| 1.0 / (t.interval * request.recording.time_base.seconds())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{recording, subject, traces};
    use spikedeck_scenario::AnalysisSpec;
    use spikedeck_signal::SpikeTrains;
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicBool;

    fn with<T>(recording: &Recording, look: impl Fn(&Request<'_>) -> T) -> T {
        let spec = AnalysisSpec {
            name: "x".into(),
            kind: "x".into(),
            of: vec![],
            source: vec![],
            target: vec![],
            options: BTreeMap::new(),
        };
        look(&Request {
            spec: &spec,
            scenario: None,
            recording,
            trains: &SpikeTrains::new(recording),
            seed: 1,
            cancel: &AtomicBool::new(false),
        })
    }

    #[test]
    fn the_transient_is_left_out_and_units_are_chosen() {
        let mut r = recording(&[vec![5.0, 10.0, 15.0], vec![12.0], vec![]], 20.0);
        r.transient = 10.0;
        let t = with(&r, |q| trains(q, &subject("spikes", &[1, 0])).unwrap());
        assert_eq!((t.trains, t.units), (vec![vec![12.0].into(), vec![15.0].into()], vec![1, 0]));
        assert!((with(&r, |q| trains(q, &subject("spikes", &[])).unwrap()).duration() - 0.01).abs() < 1e-15);
        let rate =
            with(&r, |q| columns(q, &subject("rate", &[]), Time::of_seconds(0.005, q.recording.time_base)).unwrap());
        assert_eq!((rate.start, rate.interval, rate.averaged, rate.unit.as_str()), (15.0, 5.0, 3, "Hz"));
        // Two spikes of three units in (10, 15], none in (15, 20].
        assert!((rate.columns[0][0] - 2.0 / 3.0 / 0.005).abs() < 1e-9 && rate.columns[0][1] == 0.0);
        assert!((rate.sampling_rate() - 200.0).abs() < 1e-9);
    }

    #[test]
    fn the_finest_trace_that_holds_the_units_is_taken() {
        let mut r = traces(&[(0..20).map(f64::from).collect(), vec![3.0; 20]], 1.0);
        let mut fine = r.traces[0].clone();
        fine.units = vec![1];
        fine.interval = 0.5;
        fine.values = vec![7.0; 40];
        r.traces.push(fine);
        let all =
            with(&r, |q| columns(q, &subject("V_m", &[]), Time::of_seconds(1e-3, q.recording.time_base)).unwrap());
        assert_eq!((all.columns.len(), all.interval, all.name(1).as_str()), (2, 1.0, "p.V_m[1]"));
        let one =
            with(&r, |q| columns(q, &subject("V_m", &[1]), Time::of_seconds(1e-3, q.recording.time_base)).unwrap());
        assert_eq!((one.interval, one.columns[0][0]), (0.5, 7.0));
        let mut mean = subject("V_m", &[]);
        mean.mean = true;
        let m = with(&r, |q| columns(q, &mean, Time::of_seconds(1e-3, q.recording.time_base)).unwrap());
        assert_eq!((m.columns[0][4], m.averaged), (3.5, 2));
    }

    /// Nothing is measured of what is not at hand, whatever else there is of the same place.
    #[test]
    fn what_is_absent_is_not_silence() {
        let absent = |variable: Option<&str>| spikedeck_signal::Absent {
            population: "p".into(),
            variable: variable.map(ToOwned::to_owned),
            why: "it stays on disk".into(),
        };
        let mut r = recording(&[vec![5.0]], 20.0);
        r.traces = traces(&[vec![0.0; 10]], 1.0).traces;
        r.absent = vec![absent(Some("V_m"))];
        let why = |r: &Recording, what: &str| {
            with(r, |q| columns(q, &subject(what, &[]), Time::of_seconds(1e-3, q.recording.time_base)))
                .map_err(|e| e.to_string())
                .map(|c| c.columns.len())
        };
        assert_eq!(why(&r, "V_m"), Err("p.V_m was recorded, but it stays on disk".into()));
        assert_eq!(why(&r, "rate"), Ok(1));
        r.spikes.clear();
        r.absent = vec![absent(None)];
        assert_eq!(why(&r, "rate"), Err("p.rate was recorded, but it stays on disk".into()));
        assert_eq!(why(&r, "V_m"), Ok(1));
        let all = with(&r, |q| of_or_all_spikes(q).map_err(|e| e.to_string()));
        assert_eq!(all.unwrap().len(), 1, "what is not at hand is asked for");
    }

    #[test]
    fn what_is_missing_says_what_to_write() {
        let r = traces(&[vec![0.0; 10]], 1.0);
        let fails = |s: Subject| {
            with(&r, |q| columns(q, &s, Time::of_seconds(1e-3, q.recording.time_base)).unwrap_err().to_string())
        };
        assert!(fails(subject("V_m", &[3])).contains("not of unit 3; add it to `units` of the trace under [record.p]"));
        assert!(fails(subject("rate", &[])).contains("`spikes = true` under [record.p]"));
        assert!(fails(subject("spikes", &[])).contains("write `p.rate`"));
        let mut beyond = subject("rate", &[]);
        beyond.place = Place::Population(PopulationId::of_recording(4));
        assert!(fails(beyond).contains("holds 1 populations"));
    }

    #[test]
    fn bins_hold_grid_times_whatever_the_rounding() {
        for k in 1..=10_000u32 {
            let t = f64::from(k) * 0.1;
            assert_eq!(bin_of(t, 0.0, 0.1), Some(k as usize - 1), "{t}");
            assert_eq!(bin_of(t, 0.0, 0.5), Some((k as usize - 1) / 5), "{t}");
        }
        assert_eq!(bin_of(0.0, 0.0, 0.1), None);
        assert_eq!(bin_count(Window { start: 0.0, stop: 0.3 }, 0.1), 3);
        assert_eq!(bin_count(Window { start: 0.0, stop: 0.35 }, 0.1), 3);
    }
}
