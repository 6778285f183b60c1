//! Measures of pairs of trains, and their matrices.

use super::Options;
use crate::prelude::*;
use crate::train_pairs::{Compared, error_of_pairs};
use spikedeck_core::number::counted;
use spikedeck_core::spike_distance::{
    Edges, Framed, POISSON_SPIKE, coincident_spikes, isi_distance, pairs, spike_distance_framed, symmetric,
};
use spikedeck_core::spike_lags::nearest_lags;
use spikedeck_core::surrogate::student_quantile;
use spikedeck_signal::{Axis, Matrix, Shape, TimeBase};
use std::sync::atomic::Ordering;

/// What a pair of trains gives.
struct Pair {
    isi: f64,
    spike: f64,
    sync: (u64, u64),
    coincidence: f64,
    chance: f64,
    lag: f64,
    absolute_lag: f64,
}

/// What a measure of pairs gives by chance.
enum Chance {
    /// The same for all pairs.
    Level(f64),
    /// By the rates of each pair.
    OfPair(fn(&Pair) -> f64),
}

/// A measure of pairs of trains: a matrix, and one number over all pairs.
struct Measure {
    /// Name of the number.
    name: &'static str,
    /// What the matrix is called.
    label: &'static str,
    /// Unit of both.
    unit: &'static str,
    /// Its value for a pair.
    of: fn(&Pair) -> f64,
    /// What the number is the mean of.
    mean_of: fn(&Pair) -> f64,
    /// The number from all pairs at once, where it is no mean over pairs.
    pooled: Option<fn(&[Pair]) -> f64>,
    chance: Chance,
    /// What chance is.
    by_chance: &'static str,
    /// Its value for a train and itself.
    itself: f64,
    /// Whether it has a direction: positive where the second is later.
    directed: bool,
    /// Whether it compares nothing where no train has a spike: 0 and 1 would be conventions, not results.
    needs_spikes: bool,
    /// Whether the one line in words tells it.
    told: bool,
}

/// Coincident spikes as a share of all; not a number where there are none.
fn share((coincident, all): (u64, u64)) -> f64 {
    coincident as f64 / all as f64
}

/// Spikes are counted over all pairs, as PySpike does; distances are means over pairs.
fn pooled_share(pairs: &[Pair]) -> f64 {
    share(pairs.iter().fold((0, 0), |(c, k), p| (c + p.sync.0, k + p.sync.1)))
}

/// The measures, for coincidences within `delta` on this base.
fn measures(delta: f64, base: TimeBase) -> [Measure; 5] {
    let equal_rates = "chance: Poisson trains of equal rate";
    let distance = |name, label, of, chance| Measure {
        name,
        label,
        unit: "",
        of,
        mean_of: of,
        pooled: None,
        chance,
        by_chance: equal_rates,
        itself: 0.0,
        directed: false,
        needs_spikes: true,
        told: false,
    };
    let likeness = |name, label, of, chance| Measure { itself: 1.0, told: true, ..distance(name, label, of, chance) };
    [
        distance("isi_distance", "ISI-distance", |p| p.isi, Chance::Level(0.5)),
        Measure {
            told: true,
            ..distance("spike_distance", "SPIKE-distance", |p| p.spike, Chance::Level(POISSON_SPIKE))
        },
        Measure {
            pooled: Some(pooled_share),
            ..likeness("spike_sync", "SPIKE-synchronization", |p| share(p.sync), Chance::Level(0.25))
        },
        Measure {
            by_chance: "chance: Poisson trains of these rates",
            needs_spikes: false,
            ..likeness("coincidence", "coincidence", |p| p.coincidence, Chance::OfPair(|p| p.chance))
        },
        Measure {
            unit: base.unit(),
            mean_of: |p| p.absolute_lag,
            by_chance: "mean absolute lag of coincident spikes; chance: uniform within ± delta",
            directed: true,
            needs_spikes: false,
            ..distance("coincidence_lag", "lag of coincident spikes", |p| p.lag, Chance::Level(0.5 * delta))
        },
    ]
}

pub(super) fn distances(o: &Options, c: &Compared, f: &mut Findings<'_>) -> Measured {
    let request = f.request;
    let (n, edges, trains) = (c.trains.len(), c.edges, &c.trains);
    if c.silent() > 0 {
        f.warn(format!(
            "{}: {} of {n} compared trains are empty; their distances come from the edges alone",
            c.subject,
            c.silent()
        ));
    }
    let (delta, max_tau) = (o.delta.axis, o.max_tau.map(|tau| tau.axis));
    let trains: Vec<(&[f64], Framed)> = trains.iter().map(|t| (t.as_slice(), Framed::new(t, edges))).collect();
    let guard = c.guard();
    let results: Vec<Option<Pair>> = pairs(n, |i, j| {
        (!request.cancel.load(Ordering::Relaxed)).then(|| compare(&trains[i], &trains[j], edges, delta, guard, max_tau))
    });
    request.check_cancelled()?;
    let results: Vec<Pair> = results.into_iter().flatten().collect();
    let spikes: usize = trains.iter().map(|t| t.0.len()).sum();
    let mut told = Vec::new();
    for m in &measures(delta, c.base) {
        let metric = if spikes == 0 && m.needs_spikes {
            Metric::missing(&c.subject, m.name, m.unit, results.len() as u64, "no compared train has a spike")
        } else {
            summary(&c.subject, m, &results, n).chance_by(m.by_chance)
        };
        if m.told {
            told.push(format!("{} {}", m.label, metric.value.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"))));
        }
        f.metric(metric);
        f.shape(format!("{} of {}", m.label, c.subject), Shape::Matrix(matrix(m, &results, &c.names)));
    }
    if spikes < 10 * n {
        f.warn(format!(
            "{}: {} of {} {} few; coincidences of so few are accidents",
            c.subject,
            counted(spikes, "spike", "spikes"),
            counted(n, "unit", "units"),
            if spikes == 1 { "is" } else { "are" }
        ));
    }
    f.word(format!("{}: {}", c.subject, told.join(", ")));
    Ok(())
}

/// A measure of all pairs, rows and columns by unit.
fn matrix(m: &Measure, results: &[Pair], names: &[String]) -> Matrix {
    let n = names.len();
    let values: Vec<f64> = results.iter().map(m.of).collect();
    let mut full = symmetric(n, &values, m.itself);
    if m.directed {
        // Row earlier, column later is positive: the lower half is the negative of the upper.
        (0..n).for_each(|i| (0..i).for_each(|j| full[i * n + j] = -full[i * n + j]));
    }
    let chance = match m.chance {
        Chance::Level(_) => None,
        Chance::OfPair(of) => Some(symmetric(n, &results.iter().map(of).collect::<Vec<_>>(), 1.0)),
    };
    Matrix {
        value: Axis::new(m.label, m.unit),
        row_axis: "unit".into(),
        column_axis: "unit".into(),
        rows: names.to_vec(),
        columns: names.to_vec(),
        values: full,
        chance,
        significant: None,
        diverging: m.directed,
    }
}

fn compare(
    (a, framed_a): &(&[f64], Framed),
    (b, framed_b): &(&[f64], Framed),
    edges: Edges,
    delta: f64,
    guard: f64,
    max_tau: Option<f64>,
) -> Pair {
    let (forth, back) = (nearest_lags(a, b), nearest_lags(b, a));
    let near = |lags: &[f64]| -> Vec<f64> { lags.iter().copied().filter(|l| l.abs() <= delta + guard).collect() };
    let (near_forth, near_back) = (near(&forth), near(&back));
    let all = (a.len() + b.len()) as f64;
    let length = edges.stop - edges.start;
    let by_chance = |other: &[f64]| 1.0 - (-2.0 * delta * other.len() as f64 / length).exp();
    let count = (near_forth.len() + near_back.len()) as f64;
    let signed = near_forth.iter().sum::<f64>() - near_back.iter().sum::<f64>();
    let absolute: f64 = near_forth.iter().chain(&near_back).map(|l| l.abs()).sum();
    Pair {
        isi: isi_distance(a, b, edges),
        spike: spike_distance_framed(framed_a, framed_b),
        sync: coincident_spikes(a, b, edges, max_tau),
        coincidence: if all > 0.0 { count / all } else { f64::NAN },
        chance: if all > 0.0 {
            (a.len() as f64 * by_chance(b) + b.len() as f64 * by_chance(a)) / all
        } else {
            f64::NAN
        },
        lag: if count > 0.0 { signed / count } else { f64::NAN },
        absolute_lag: if count > 0.0 { absolute / count } else { f64::NAN },
    }
}

fn finite_mean(values: &[f64]) -> f64 {
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    spikedeck_core::statistics::mean(&finite)
}

/// Mean over pairs (or a pooled value) with its interval over units.
fn summary(subject: &str, m: &Measure, results: &[Pair], n: usize) -> Metric {
    let values: Vec<f64> = results.iter().map(m.mean_of).collect();
    let value = m.pooled.map_or_else(|| finite_mean(&values), |pooled| pooled(results));
    let pairs = values.len() as u64;
    if !value.is_finite() {
        return Metric::missing(subject, m.name, m.unit, pairs, "no pair has spikes for it");
    }
    let chance = match m.chance {
        Chance::Level(level) => level,
        Chance::OfPair(of) => finite_mean(&results.iter().map(of).collect::<Vec<_>>()),
    };
    let metric = Metric::new(subject, m.name, value, m.unit, pairs).chance(chance).note("n = pairs");
    if n < 4 {
        return metric.note("too few units for an interval");
    }
    // What each pair adds to the number: of a share, of its spikes less those expected of them.
    let parts: Vec<f64> = match m.pooled {
        None => values.iter().map(|v| v - value).collect(),
        Some(_) => {
            let spikes = results.iter().map(|p| p.sync.1 as f64).sum::<f64>() / results.len() as f64;
            results.iter().map(|p| (p.sync.0 as f64 - value * p.sync.1 as f64) / spikes).collect()
        }
    };
    let Some(error) = error_of_pairs(n, &parts) else { return metric.note("no interval: all pairs are alike") };
    let half = student_quantile(n - 1) * error;
    let most = if m.unit.is_empty() { 1.0 } else { f64::INFINITY };
    metric
        .interval((value - half).max(0.0), (value + half).min(most))
        .interval_by("95 % interval over units (t)")
        .note("pairs that share a unit depend on each other")
}
