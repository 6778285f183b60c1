//! Measures of all units at once: chi and the order parameter.

use super::Options;
use crate::prelude::*;
use crate::stretches;
use spikedeck_core::circular::resultant_by_chance;
use spikedeck_core::number::{self, counted, shown};
use spikedeck_core::order::{self, Order};
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::{correlation_time, mean, quantile, variance};
use spikedeck_core::surrogate::p_value;
use spikedeck_signal::{Axis, Curve, ReferenceLine, Series, Shape, TimeBase};

/// Changes of R up to this are those of rounding.
const ROUNDING: f64 = 1e-12;

/// Surrogates of independent units: most, and least that make a test at 5 %.
const SURROGATES: (usize, usize) = (99, 39);
/// Stretches of time that intervals leave out in turn.
const STRETCHES: usize = 20;
/// Blocks of time that the interval of the mean order is over: neighbouring values of R are not independent.
const BLOCKS: usize = 10;
/// Independent stretches that the window must hold for blocks of it to be independent.
const LEAST_STRETCHES: f64 = 20.0;
/// Values that are summed for them at most.
const EFFORT: usize = 20_000_000;
/// Phases of spikes that are worked out for them at most.
const PHASES: usize = 4_000_000;
/// Units and times that they need, and units that are looked at.
const LEAST_TIMES: usize = 20;
const MOST_UNITS: usize = 1000;

/// How a measure compares with what the same units give when each is shifted in time on its own.
struct Tested {
    p: f64,
    /// 95th percentile of the surrogates.
    upper: f64,
    surrogates: usize,
}

impl Tested {
    /// Compares a value with those of surrogates.
    fn new(value: f64, mut surrogates: Vec<f64>) -> Self {
        surrogates.sort_by(f64::total_cmp);
        Self { p: p_value(value, &surrogates), upper: quantile(&surrogates, 0.95), surrogates: surrogates.len() }
    }

    fn note(&self) -> String {
        format!("p: against {} surrogates that shift each unit in time", self.surrogates)
    }

    /// What to say of a value that is not above chance.
    fn doubt(&self, what: &str, value: f64) -> Option<String> {
        (self.p > 0.05).then(|| {
            format!(
                "{what} {value:.3} is not above what these units give when each is shifted in time on its own (95 % of \
                 {} surrogates up to {:.3}, p {})",
                self.surrogates,
                self.upper,
                number::p_value(self.p)
            )
        })
    }
}

/// Surrogates of a measure of columns: `sums` are what is added over units (one or two numbers a time), `measure` what
/// is made of the sums. Nothing where there are too few times, or too many units for the effort.
fn shifted(key: Key, columns: &[Vec<[f64; 2]>], measure: impl Fn(&[[f64; 2]]) -> f64) -> Option<Tested> {
    let (units, all) = (columns.len(), columns.first().map_or(0, Vec::len));
    let stride = (units * all * SURROGATES.1).div_ceil(EFFORT).max(1);
    let times = all.div_ceil(stride);
    if units < 2 || times < LEAST_TIMES {
        return None;
    }
    let count = (EFFORT / (units * times)).clamp(SURROGATES.1, SURROGATES.0);
    let mut sums = vec![[0.0; 2]; times];
    let mut with = |shift: &mut dyn FnMut() -> usize| {
        sums.fill([0.0; 2]);
        for column in columns {
            let by = shift();
            for (k, sum) in sums.iter_mut().enumerate() {
                let value = column[(k + by) % times * stride];
                sum[0] += value[0];
                sum[1] += value[1];
            }
        }
        measure(&sums)
    };
    let value = with(&mut || 0);
    let surrogates = (0..count as u32)
        .map(|s| {
            let mut stream = key.stream(s, 0);
            with(&mut || stream.below(times as u32) as usize)
        })
        .collect();
    Some(Tested::new(value, surrogates))
}

/// Golomb's chi of columns, by name both χ and χ².
pub(super) fn chi(c: &subject::Columns, f: &mut Findings<'_>) {
    let n = c.columns.len();
    if n < 2 || c.len() < 2 {
        let why = format!("needs two units and two samples; there are {n} units and {} samples", c.len());
        f.metrics(["chi", "chi2"].map(|m| Metric::missing(&c.subject, m, "", n as u64, &why)));
        return;
    }
    let (chi2, _) = order::golomb(&c.columns);
    if chi2.is_nan() {
        f.metrics(["chi", "chi2"].map(|m| Metric::missing(&c.subject, m, "", n as u64, "no unit's value varies")));
        return;
    }
    let chance = 1.0 / n as f64;
    let by_chance = |m: Metric| m.note("n = units").chance_by("chance: independent units");
    let found = chi2_interval(&c.columns);
    let sure = |m: Metric, of: fn(f64) -> f64| match found {
        Some((low, high)) => m
            .interval(of(low), of(high.min(1.0)))
            .interval_by(format!("95 % interval by leaving out one of {STRETCHES} stretches of time")),
        None => m.note("no interval: too few samples, or all stretches alike"),
    };
    // The own variance of a unit does not change when it is shifted.
    let own = c.columns.iter().map(|v| variance(v, 0)).sum::<f64>() * n as f64;
    let columns: Vec<Vec<[f64; 2]>> = c.columns.iter().map(|v| v.iter().map(|&x| [x, 0.0]).collect()).collect();
    let key = f.key(&c.subject, "synchrony");
    let tested =
        shifted(key, &columns, |sums| (variance(&sums.iter().map(|s| s[0]).collect::<Vec<_>>(), 0) / own).sqrt());
    let with_p = |m: Metric| tested.as_ref().map_or(m.clone(), |t| m.p(t.p).null_by(t.note()));
    let root = by_chance(Metric::new(&c.subject, "chi", chi2.sqrt(), "", n as u64).chance(chance.sqrt()));
    let square = by_chance(Metric::new(&c.subject, "chi2", chi2, "", n as u64).chance(chance));
    f.metrics([with_p(sure(root, f64::sqrt)), with_p(sure(square, |v| v))]);
    if let Some(why) = tested.as_ref().and_then(|t| t.doubt("chi", chi2.sqrt())) {
        f.warn(format!("{}: {why}", c.subject));
    }
    f.word(format!(
        "{}: chi {} of {} (chance {})",
        c.subject,
        shown(chi2.sqrt()),
        counted(n, "unit", "units"),
        shown(chance.sqrt())
    ));
}

/// Interval of chi squared: what is common to the units, and what is common by chance, changes in time.
fn chi2_interval(columns: &[Vec<f64>]) -> Option<(f64, f64)> {
    let (units, len) = (columns.len() as f64, columns[0].len());
    let together: Vec<f64> = (0..len).map(|k| columns.iter().map(|c| c[k]).sum::<f64>() / units).collect();
    let own = |c: &[f64]| stretches::moments(c, STRETCHES, mean(c));
    let of_mean = own(&together);
    // The own variances are added up; what a stretch's mean is away from a unit's is little of them.
    let mut of_units = vec![[0.0; 3]; of_mean.len()];
    for column in columns {
        let moments = own(column);
        of_units.iter_mut().zip(&moments).for_each(|(all, m)| all.iter_mut().zip(m).for_each(|(a, v)| *a += v));
    }
    let sums: Vec<[f64; 5]> = of_mean.iter().zip(&of_units).map(|(m, u)| [m[0], m[1], m[2], u[0], u[2]]).collect();
    stretches::interval(&sums, |s| stretches::variance(&[s[0], s[1], s[2]], 0) / (s[4] / s[3]))
}

/// Kuramoto's order parameter of a phase variable.
pub(super) fn order_of_variable(c: &subject::Columns, f: &mut Findings<'_>) {
    let order = order::order_of_phases(&c.columns);
    let times = (0..order.r.len()).map(|k| c.start + k as f64 * c.interval).collect();
    let arrows: Vec<Vec<[f64; 2]>> =
        c.columns.iter().map(|v| v.iter().map(|phase| [phase.cos(), phase.sin()]).collect()).collect();
    let n = c.columns.len() as f64;
    let tested = shifted(f.key(&c.subject, "synchrony"), &arrows, |sums| {
        sums.iter().map(|s| s[0].hypot(s[1]) / n).sum::<f64>() / sums.len() as f64
    });
    report(&c.subject, &order, times, c.columns.len(), 2, tested, f);
}

/// The same from spikes.
pub(super) fn order_of_spikes(o: &Options, t: &subject::Trains, f: &mut Findings<'_>) {
    // A millisecond is the least that is looked at; where time has no unit there is no such least.
    let least = match t.base {
        TimeBase::Milliseconds => Time::of_seconds(1e-3, t.base).axis,
        TimeBase::Dimensionless => 0.0,
    };
    let step = o.step.map_or(least.max(t.window.length() / 2000.0), |step| step.axis);
    let count = (t.window.length() / step).floor().min(1e6) as usize;
    let phased = t.trains.iter().filter(|x| x.len() >= 2).count();
    if phased < 2 || count == 0 {
        let why = format!("needs two units that fired twice; {phased} of {} did", t.trains.len());
        f.metrics(["order_mean", "order_sd"].map(|m| Metric::missing(&t.subject, m, "", phased as u64, &why)));
        return;
    }
    if phased < t.trains.len() {
        f.warn(format!("{}: {} units fired less than twice and have no phase", t.subject, t.trains.len() - phased));
    }
    let order = order::order_of_spikes(&t.trains, t.window.start + step, step, count);
    let times = (0..count).map(|k| t.window.start + (k + 1) as f64 * step).collect();
    // Times at which at least half of the units that ever have a phase have one: the edges have few.
    let tested = shifted_trains(f.key(&t.subject, "synchrony"), t);
    report(&t.subject, &order, times, phased, (phased as u32).div_ceil(2).max(2), tested, f);
}

/// Surrogates of the mean order parameter of spikes: each train goes round in the window on its own.
fn shifted_trains(key: Key, t: &subject::Trains) -> Option<Tested> {
    let phased: Vec<&[f64]> = t.trains.iter().map(AsRef::as_ref).filter(|x: &&[f64]| x.len() >= 2).collect();
    let stride = phased.len().div_ceil(MOST_UNITS);
    let chosen: Vec<&[f64]> = phased.iter().step_by(stride).copied().collect();
    let units = chosen.len();
    let count = (PHASES / (units * SURROGATES.1)).clamp(50, 500);
    let (start, length) = (t.window.start, t.window.length());
    let step = length / count as f64;
    let least = (units as u32).div_ceil(2).max(2);
    let mean_order = |trains: &[Vec<f64>]| order::order_of_spikes(trains, start + step, step, count).summary(least).0;
    let plain: Vec<Vec<f64>> = chosen.iter().map(|x| x.to_vec()).collect();
    let value = mean_order(&plain);
    let surrogates: Vec<f64> = (0..SURROGATES.1 as u32)
        .map(|s| {
            let mut stream = key.stream(s, 0);
            let moved: Vec<Vec<f64>> = chosen
                .iter()
                .map(|x| {
                    let by = length * stream.uniform();
                    let mut moved: Vec<f64> = x.iter().map(|v| start + (v - start + by).rem_euclid(length)).collect();
                    moved.sort_by(f64::total_cmp);
                    moved
                })
                .collect();
            mean_order(&moved)
        })
        .filter(|r| r.is_finite())
        .collect();
    (value.is_finite() && surrogates.len() == SURROGATES.1).then(|| Tested::new(value, surrogates))
}

fn report(
    name: &str,
    order: &Order,
    times: Vec<f64>,
    units: usize,
    least: u32,
    tested: Option<Tested>,
    f: &mut Findings<'_>,
) {
    let (mean, sd, n) = order.summary(least);
    let chance = resultant_by_chance(units);
    if n < 2 {
        let why = "at no two times have half of the units a phase";
        f.metrics(["order_mean", "order_sd"].map(|m| Metric::missing(name, m, "", units as u64, why)));
        return;
    }
    let kept = order.kept(least);
    let ends = stretches::mean_about(&kept, BLOCKS);
    let independent = kept.len() as f64 / correlation_time(&kept);
    // Of R, which is at most 1.
    let is_steady = sd <= ROUNDING;
    let slow = if is_steady {
        Some("no interval: R does not change but for rounding".to_owned())
    } else {
        (independent < LEAST_STRETCHES).then(|| {
            format!(
                "no interval: order changes so slowly that the window holds {independent:.1} independent stretches \
                 (fewer than {LEAST_STRETCHES})"
            )
        })
    };
    let mut m = Metric::new(name, "order_mean", mean, "", units as u64)
        .chance(chance)
        .note("mean of R over time; n = units")
        .chance_by("chance: independent phases");
    if let Some(why) = &slow {
        m = m.note(why);
    } else if let Some((low, high)) = ends {
        let blocks = BLOCKS.min(kept.len());
        m = m.interval(low.max(0.0), high.min(1.0)).interval_by(format!("95 % over {blocks} blocks of time (t)"));
    }
    if let Some(t) = &tested {
        m = m.p(t.p).null_by(t.note());
    }
    let mut s = Metric::new(name, "order_sd", if is_steady { 0.0 } else { sd }, "", units as u64)
        .chance((1.0 / units as f64 - chance * chance).max(0.0).sqrt())
        .note("standard deviation of R over time (metastability)");
    let found = stretches::interval(&stretches::moments(&kept, STRETCHES, mean), |m| stretches::variance(m, 0).sqrt());
    s = match (slow, found) {
        (Some(why), _) => s.note(why),
        (None, Some((low, high))) => s
            .interval(low, high)
            .interval_by(format!("95 % interval by leaving out one of {STRETCHES} stretches of time")),
        (None, None) => s.note("no interval: too few times, or all stretches alike"),
    };
    f.metrics([m, s]);
    if let Some(why) = tested.and_then(|t| t.doubt("order", mean)) {
        f.warn(format!("{name}: {why}"));
    }
    f.word(format!("{name}: order {} ± {} (chance {})", shown(mean), shown(sd), shown(chance)));
    let y = order.r.iter().zip(&order.units).map(|(r, u)| if *u >= least { *r } else { f64::NAN }).collect();
    let series = Series {
        x: Axis::time(f.base),
        y: Axis::new("R", ""),
        curves: vec![Curve { name: name.to_owned(), x: times, y, ..Curve::default() }],
        references: vec![ReferenceLine { name: "independent units".into(), at: chance, vertical: false }],
    };
    f.shape(format!("order of {name}"), Shape::Series(series));
}
