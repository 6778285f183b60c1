//! Measures of pairs of spike trains: which trains are compared with one another, what all pairs together say, and what
//! surrogates of the trains give.

mod surrogates;

pub use surrogates::{DITHER, Surrogates, each_surrogate};

use std::sync::atomic::Ordering;

use crate::prelude::*;
use spikedeck_core::number::shown;
use spikedeck_core::spike_distance::{Edges, pairs, prepared, symmetric};
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::{Correction, adjust, jackknife_interval, student_quantile};
use spikedeck_scenario::Subject;
use spikedeck_signal::{Axis, Matrix, Shape, TimeBase};

options! {
    /// What everything that compares trains pair by pair can be told.
    pub struct PairOptions {
        made: Surrogates = shared();
        fdr: Correction = choice(Correction::BenjaminiHochberg), "correction of p-values over all pairs";
        level: f64 = number("0.05").between(1e-4, 0.5), "corrected p-value up to which a pair counts as significant";
        max_units: usize = integer("100").between(2.0, 5000.0),
            "units that are compared pair by pair (evenly spaced over the population)";
    }
}

/// Trains that are compared with one another, and what each is called: by its unit, or where they are of several
/// subjects by these.
pub struct Group {
    /// The trains.
    pub trains: subject::Trains,
    /// Their names.
    pub names: Vec<String>,
}

/// Subjects with several trains are groups, and single trains are compared with one another: two neurons are often two
/// populations.
#[derive(Default)]
pub struct Groups {
    single: Option<Group>,
    several: Vec<Group>,
}

impl Groups {
    /// With the trains of one more subject.
    pub fn add(&mut self, s: &Subject, trains: subject::Trains) {
        if trains.trains.len() > 1 {
            let numbers = || trains.units.iter().map(ToString::to_string).collect();
            let names = if trains.names.is_empty() { numbers() } else { trains.names.clone() };
            self.several.push(Group { trains, names });
            return;
        }
        match &mut self.single {
            None => self.single = Some(Group { names: vec![s.text.clone()], trains }),
            Some(Group { trains: all, names }) => {
                all.subject = format!("{}+{}", all.subject, trains.subject);
                all.trains.extend(trains.trains);
                all.units.extend(trains.units);
                names.push(s.text.clone());
            }
        }
    }

    /// The groups: those of several trains first.
    pub fn all(mut self) -> Vec<Group> {
        self.several.extend(self.single);
        self.several
    }
}

/// Trains as they are compared.
pub struct Compared {
    /// The subject as written.
    pub subject: String,
    /// What each train is called.
    pub names: Vec<String>,
    /// The spikes in the window.
    pub trains: Vec<Vec<f64>>,
    /// The window.
    pub edges: Edges,
    /// What the numbers on the time axis mean.
    pub base: TimeBase,
}

impl Compared {
    /// At most `most` trains of a group, evenly spaced; of repeated times one each, if `once`.
    ///
    /// # Errors
    /// `Unsuitable` with fewer than two trains.
    pub fn of(group: &Group, most: usize, once: bool, f: &mut Findings<'_>) -> Result<Self, AnalysisError> {
        let Group { trains: t, names } = group;
        let all = t.trains.len();
        if all < 2 {
            let why = format!("{} needs at least two units", f.request.spec.kind);
            return Err(AnalysisError::Unsuitable(format!("{}: {why}", t.subject)));
        }
        let chosen: Vec<usize> =
            if all <= most { (0..all).collect() } else { (0..most).map(|k| k * all / most).collect() };
        if chosen.len() < all {
            f.warn(format!("{}: pairs of {} of {all} units are compared (option max_units)", t.subject, chosen.len()));
        }
        let (trains, repeated): (Vec<Vec<f64>>, Vec<usize>) = chosen.iter().map(|&i| prepared(&t.trains[i])).unzip();
        let repeated: usize = repeated.iter().sum();
        let trains =
            if once || repeated == 0 { trains } else { chosen.iter().map(|&i| t.trains[i].to_vec()).collect() };
        if once && repeated > 0 {
            f.warn(format!("{}: {repeated} repeated spike times were taken once", t.subject));
        }
        Ok(Self {
            subject: t.subject.clone(),
            names: chosen.iter().map(|&i| names[i].clone()).collect(),
            trains,
            edges: Edges { start: t.window.start, stop: t.window.stop },
            base: t.base,
        })
    }

    /// A guard against rounding of times, in units of the axis: 1e-9 s.
    pub fn guard(&self) -> f64 {
        1e-9 / self.base.seconds()
    }

    /// Looks at each pair of trains, the earlier first.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn each_pair(&self, f: &Findings<'_>, mut look: impl FnMut(&[f64], &[f64])) -> Measured {
        for (k, a) in self.trains.iter().enumerate() {
            f.request.check_cancelled()?;
            self.trains[k + 1..].iter().for_each(|b| look(a, b));
        }
        Ok(())
    }

    /// The line in words of what was found.
    pub fn word(&self, label: &str, found: Option<f64>, how: Option<String>) -> String {
        match found {
            Some(v) => {
                format!("{}: {label} {}{}", self.subject, shown(v), how.map_or(String::new(), |h| format!(" ({h})")))
            }
            None => format!("{}: no two trains have spikes", self.subject),
        }
    }

    /// Number of trains without a spike.
    pub fn silent(&self) -> usize {
        self.trains.iter().filter(|t| t.is_empty()).count()
    }
}

/// Looks at each group of trains that `of` names, of repeated times one each if `once`.
///
/// # Errors
/// What `look` fails with; `Unsuitable` where a group has one train.
pub fn each_group(
    f: &mut Findings<'_>,
    most: usize,
    once: bool,
    mut look: impl FnMut(&mut Findings<'_>, &Compared) -> Measured,
) -> Measured {
    let mut groups = Groups::default();
    f.each_spiking(|f, s| {
        groups.add(s, subject::trains(f.request, s)?);
        Ok(())
    })?;
    f.each(&groups.all(), |f, group| {
        let compared = Compared::of(group, most, once, f)?;
        look(f, &compared)
    })
}

/// Which values a p-value counts as more extreme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// As far from the middle of the surrogates to either side.
    Both,
    /// At least as large: of what grows with likeness.
    Above,
    /// At most as large: of distances.
    Below,
}

/// A measure of two trains: one number over all pairs, and a matrix.
pub struct Measure<'m> {
    /// Name of the number.
    pub name: &'static str,
    /// What the matrix is called.
    pub label: &'static str,
    /// Unit of both.
    pub unit: &'m str,
    /// Its value for a train and itself.
    pub itself: f64,
    /// Least and greatest value.
    pub range: (f64, f64),
    /// Whether zero is the natural middle.
    pub diverging: bool,
    /// What is expected by chance, and of what; without it the surrogates tell.
    pub chance: Option<(f64, &'static str)>,
    /// What is surprising.
    pub tail: Tail,
    /// The power of the length of the data with which it grows.
    pub growth: f64,
    /// Whether pairs count by their spikes, and not alike.
    pub by_spikes: bool,
    /// Steps that a spike makes in a pair.
    pub work: f64,
}

/// Stretches of time that intervals of few units leave out in turn, and spikes of each train that they need.
const STRETCHES: usize = 20;
const LEAST_SPIKES: usize = 40;
/// Units from which on intervals are over units.
const MANY: usize = 4;

/// Measures all pairs: the mean with its interval and p-value, pairs that are significant, the matrix. The mean is
/// returned, if there is one. `prepare` makes of a train what `value` compares.
///
/// # Errors
/// `Cancelled`.
pub fn measure<T: Send + Sync>(
    f: &mut Findings<'_>,
    o: &PairOptions,
    c: &Compared,
    m: &Measure<'_>,
    prepare: impl Fn(&[f64], Edges) -> T + Sync,
    value: impl Fn(&T, &T) -> f64 + Sync,
) -> Result<Option<f64>, AnalysisError> {
    let request = f.request;
    let n = c.trains.len();
    let of = |trains: &[Vec<f64>], edges: Edges| -> Result<Values, AnalysisError> {
        let ready: Vec<T> = trains.iter().map(|t| prepare(t, edges)).collect();
        let stopped = || request.cancel.load(Ordering::Relaxed);
        let values = pairs(n, |i, j| if stopped() { f64::NAN } else { value(&ready[i], &ready[j]) });
        request.check_cancelled()?;
        let weight = |i: usize, j: usize| if m.by_spikes { (trains[i].len() + trains[j].len()) as f64 } else { 1.0 };
        Ok(Values { values, weights: pairs(n, weight) })
    };
    let found = of(&c.trains, c.edges)?;
    let (values, all) = (&found.values, found.mean());
    let told = values.iter().filter(|v| v.is_finite()).count() as u64;
    if !all.is_finite() || c.trains.iter().all(Vec::is_empty) {
        f.metric(Metric::missing(&c.subject, m.name, m.unit, 0, "no two trains have spikes for it"));
        return Ok(None);
    }
    let drawn = surrogates::surrogates(f, &o.made, c, (values, m.work), &of)?;
    let (drawn, untested) = drawn.map_or_else(|why| (None, Some(why)), |d| (Some(d), None));
    let mut metric = Metric::new(&c.subject, m.name, all, m.unit, told).note("n = pairs");
    metric = with_interval(metric, m, c, &found, all, &of)?;
    metric = match (m.chance, &drawn) {
        (Some((level, what)), _) => metric.chance(level).chance_by(what),
        (None, Some(d)) => metric.chance(mean(&d.means)).chance_by("chance: mean of the surrogates"),
        (None, None) => metric,
    };
    let mut significant = None;
    if let Some(d) = &drawn {
        let (word, count) = (o.made.surrogate.word(), d.means.len());
        let side = match m.tail {
            Tail::Both => "two-sided",
            Tail::Above => "as large",
            Tail::Below => "as small",
        };
        metric = metric
            .p(d.p_of_mean(all, m.tail))
            .null_by(format!("p ({side}): {count} surrogates of each train ({word}), mean {:.4}", mean(&d.means)));
        if values.len() > 1 {
            let adjusted = adjust(&d.p_of_pairs(m.tail), o.fdr);
            let found: Vec<bool> = adjusted.iter().map(|p| p.is_some_and(|p| p <= o.level)).collect();
            f.metric(metric);
            metric = significant_pairs(o, c, m, &found, told, count);
            significant = Some(found);
        }
    }
    if let Some(why) = untested {
        metric = metric.note(why);
    }
    f.metric(metric);
    let chance =
        drawn.map(|d| symmetric(n, &d.sums.iter().map(|s| s / d.means.len() as f64).collect::<Vec<_>>(), m.itself));
    let significant = significant.map(|found| {
        let marks: Vec<f64> = found.iter().map(|s| f64::from(u8::from(*s))).collect();
        symmetric(n, &marks, 0.0).into_iter().map(|v| v > 0.5).collect()
    });
    f.shape(
        format!("{} of {}", m.label, c.subject),
        Shape::Matrix(Matrix {
            value: Axis::new(m.label, m.unit),
            row_axis: "unit".into(),
            column_axis: "unit".into(),
            rows: c.names.clone(),
            columns: c.names.clone(),
            values: symmetric(n, values, m.itself),
            chance,
            significant,
            diverging: m.diverging,
        }),
    );
    Ok(Some(all))
}

/// Values of all pairs, and how much each counts.
struct Values {
    values: Vec<f64>,
    weights: Vec<f64>,
}

impl Values {
    /// Mean of those that are numbers.
    fn mean(&self) -> f64 {
        let finite = self.values.iter().zip(&self.weights).filter(|(v, _)| v.is_finite());
        let (sum, weight) = finite.fold((0.0, 0.0), |(s, w), (v, by)| (s + v * by, w + by));
        sum / weight
    }

    /// What each adds to the mean.
    fn deviations(&self) -> Vec<f64> {
        let (all, typical) = (self.mean(), mean(&self.weights));
        self.values.iter().zip(&self.weights).map(|(v, w)| (v - all) * w / typical).collect()
    }
}

/// Makes the values of all pairs of some trains in a window.
type Of<'f> = &'f dyn Fn(&[Vec<f64>], Edges) -> Result<Values, AnalysisError>;

/// The interval over units, or of few units by leaving out stretches of time.
fn with_interval(
    metric: Metric,
    m: &Measure<'_>,
    c: &Compared,
    found: &Values,
    all: f64,
    of: Of<'_>,
) -> Result<Metric, AnalysisError> {
    let n = c.trains.len();
    if n >= MANY {
        let Some(error) = error_of_pairs(n, &found.deviations()) else {
            return Ok(metric.note("no interval: all pairs are alike"));
        };
        let half = student_quantile(n - 1) * error;
        return Ok(metric
            .interval((all - half).max(m.range.0), (all + half).min(m.range.1))
            .interval_by("95 % interval over units (t)")
            .note("pairs that share a unit depend on each other"));
    }
    let least = c.trains.iter().map(Vec::len).filter(|n| *n > 0).min().unwrap_or(0);
    if least < LEAST_SPIKES {
        return Ok(metric.note(format!("no interval: fewer than {LEAST_SPIKES} spikes in a train")));
    }
    let (start, length) = (c.edges.start, c.edges.stop - c.edges.start);
    let stretch = length / STRETCHES as f64;
    let mut left_out = Vec::with_capacity(STRETCHES);
    for k in 0..STRETCHES {
        let (from, to) = (start + k as f64 * stretch, start + (k + 1) as f64 * stretch);
        let without = |t: &Vec<f64>| -> Vec<f64> {
            let (first, last) = (t.partition_point(|x| *x <= from), t.partition_point(|x| *x <= to));
            t[..first].iter().copied().chain(t[last..].iter().map(|x| x - stretch)).collect()
        };
        let trains: Vec<Vec<f64>> = c.trains.iter().map(without).collect();
        let value = of(&trains, Edges { start, stop: c.edges.stop - stretch })?.mean();
        left_out.push(value * (STRETCHES as f64 / (STRETCHES - 1) as f64).powf(m.growth));
    }
    Ok(match jackknife_interval(all, &left_out) {
        Some((low, high)) => metric
            .interval(low.max(m.range.0), high.min(m.range.1))
            .interval_by(format!("95 % interval by leaving out one of {STRETCHES} stretches of time")),
        None => metric.note("no interval: a stretch of time holds all there is"),
    })
}

/// How many pairs are significant once all are counted in.
fn significant_pairs(
    o: &PairOptions,
    c: &Compared,
    m: &Measure<'_>,
    found: &[bool],
    told: u64,
    count: usize,
) -> Metric {
    let sides = if m.tail == Tail::Both { 2.0 } else { 1.0 };
    let worst = sides * o.fdr.worst_factor(told as usize);
    let hits = found.iter().filter(|s| **s).count();
    let metric = Metric::new(&c.subject, "significant_pairs", hits as f64, "", told).chance(0.0).note(format!(
        "n = pairs; p up to {} after correction ({})",
        o.level,
        o.fdr.word()
    ));
    if worst / (1.0 + count as f64) > o.level {
        return metric.note(format!(
            "{count} surrogates are too few for one pair alone to be found among {told}; {:.0} would do",
            (worst / o.level).ceil()
        ));
    }
    metric
}

/// Standard error of a mean over all pairs of `n` units, of which these are the deviations in the order of [`pairs`]
/// (without a value for some): the square of the mean less what pairs without a common unit leave of it (Hoeffding
/// 1948, doi:10.1214/aoms/1177730196), and not less than independent pairs give. `None` where nothing varies.
pub fn error_of_pairs(n: usize, deviations: &[f64]) -> Option<f64> {
    let full = symmetric(n, &deviations.iter().map(|d| if d.is_finite() { *d } else { 0.0 }).collect::<Vec<_>>(), 0.0);
    let count = deviations.iter().filter(|d| d.is_finite()).count() as f64;
    let share = count / deviations.len() as f64;
    let squares: f64 = deviations.iter().filter(|d| d.is_finite()).map(|d| d * d).sum();
    let rows: f64 = full.chunks_exact(n).map(|row| row.iter().sum::<f64>().powi(2)).sum();
    let units = n as f64;
    let disjoint = deviations.len() as f64 * (units - 2.0) * (units - 3.0) / 2.0 * share * share;
    let variance = ((rows - squares) / disjoint).max(squares / (count * count));
    (variance > 0.0).then(|| variance.sqrt())
}
