//! Measures of all units at once: chi and the order parameter.

use super::Options;
use crate::prelude::*;
use spikedeck_core::bootstrap;
use spikedeck_core::circular::resultant_by_chance;
use spikedeck_core::order::{self, Order};
use spikedeck_core::statistics::{deviation, mean_interval};
use spikedeck_signal::{Axis, Curve, ReferenceLine, Series, Shape, TimeBase};

/// Why a measure of synchrony from 0 to 1 is too close to what `units` independent units give to say anything: below
/// three times that, or, where three times that is (nearly) full synchrony, below half way to it.
fn too_close(value: f64, chance: f64, units: usize) -> Option<String> {
    let half_way = f64::midpoint(chance, 1.0);
    let (least, what) = if 3.0 * chance < half_way {
        (3.0 * chance, "three times that")
    } else {
        (half_way, "half way to full synchrony from that")
    };
    (value < least)
        .then(|| format!("{value:.3} is below {least:.3}, {what} of {units} independent units ({chance:.3})"))
}

/// Golomb's chi of columns, by name both χ and χ².
pub(super) fn chi(c: &subject::Columns, f: &mut Findings<'_>) {
    let n = c.columns.len();
    if n < 2 || c.len() < 2 {
        let why = format!("needs two units and two samples; there are {n} units and {} samples", c.len());
        f.metrics(["chi", "chi2"].map(|m| Metric::missing(&c.subject, m, "", n as u64, &why)));
        return;
    }
    let (chi2, error) = order::golomb(&c.columns);
    if chi2.is_nan() {
        f.metrics(["chi", "chi2"].map(|m| Metric::missing(&c.subject, m, "", n as u64, "no unit's value varies")));
        return;
    }
    let chance = 1.0 / n as f64;
    let note = "n = units; chance: independent units; 95 % interval by leaving out one unit at a time";
    let half = 1.96 * error;
    f.metric(
        Metric::new(&c.subject, "chi", chi2.sqrt(), "", n as u64)
            .chance(chance.sqrt())
            .interval((chi2 - half).max(0.0).sqrt(), (chi2 + half).sqrt().min(1.0))
            .note(note),
    );
    f.metric(
        Metric::new(&c.subject, "chi2", chi2, "", n as u64)
            .chance(chance)
            .interval((chi2 - half).max(0.0), (chi2 + half).min(1.0))
            .note(note),
    );
    if let Some(why) = too_close(chi2.sqrt(), chance.sqrt(), n) {
        f.warn(format!("{}: chi {why}", c.subject));
    }
    f.word(format!("{}: chi {:.3} of {n} units (chance {:.3})", c.subject, chi2.sqrt(), chance.sqrt()));
}

/// Kuramoto's order parameter of a phase variable.
pub(super) fn order_of_variable(c: &subject::Columns, f: &mut Findings<'_>) {
    let order = order::order_of_phases(&c.columns);
    let times = (0..order.r.len()).map(|k| c.start + k as f64 * c.interval).collect();
    report(&c.subject, &order, times, c.columns.len(), 2, f);
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
    report(&t.subject, &order, times, phased, (phased as u32).div_ceil(2).max(2), f);
}

fn report(name: &str, order: &Order, times: Vec<f64>, units: usize, least: u32, f: &mut Findings<'_>) {
    let (mean, sd, n) = order.summary(least);
    let chance = resultant_by_chance(units);
    if n < 2 {
        let why = "at no two times have half of the units a phase";
        f.metrics(["order_mean", "order_sd"].map(|m| Metric::missing(name, m, "", units as u64, why)));
        return;
    }
    let kept = order.kept(least);
    // Ten blocks of time: neighbouring values of R are not independent.
    let blocks: Vec<f64> = kept.chunks_exact((kept.len() / 10).max(1)).map(spikedeck_core::statistics::mean).collect();
    let spreads: Vec<f64> = kept.chunks_exact((kept.len() / 10).max(2)).map(|b| deviation(b, 0)).collect();
    let mut m = Metric::new(name, "order_mean", mean, "", units as u64)
        .chance(chance)
        .note("mean of R over time; n = units; chance: independent phases");
    if blocks.len() > 1 {
        let (_, low, high) = mean_interval(&blocks, 0.95);
        m = m.interval(low.max(0.0), high.min(1.0)).note(format!("95 % over {} blocks of time (t)", blocks.len()));
    }
    let mut s = Metric::new(name, "order_sd", sd, "", units as u64)
        .chance((1.0 / units as f64 - chance * chance).max(0.0).sqrt())
        .note("standard deviation of R over time (metastability)");
    if spreads.len() > 1 {
        let drawn = bootstrap::mean_interval(&spreads, 500, 0.95, f.key(name, "order_sd"));
        s = drawn
            .map_or(s.clone(), |(l, h)| s.interval(l.min(sd), h.max(sd)).note("95 % bootstrap over blocks of time"));
    }
    f.metrics([m, s]);
    if let Some(why) = too_close(mean, chance, units) {
        f.warn(format!("{name}: order {why}"));
    }
    f.word(format!("{name}: order {mean:.3} ± {sd:.3} (chance {chance:.3})"));
    let y = order.r.iter().zip(&order.units).map(|(r, u)| if *u >= least { *r } else { f64::NAN }).collect();
    let series = Series {
        x: Axis::time(f.base),
        y: Axis::new("R", ""),
        curves: vec![Curve { name: name.to_owned(), x: times, y, ..Curve::default() }],
        references: vec![ReferenceLine { name: "independent units".into(), at: chance, vertical: false }],
    };
    f.shape(format!("order of {name}"), Shape::Series(series));
}
