//! Measures of pairs of trains, and their matrices.

use super::Found;
use crate::{AnalysisError, Metric, Request, subject};
use spikedeck_core::bootstrap;
use spikedeck_core::spike_distance::{
    Edges, Framed, coincident_spikes, isi_distance, pairs, prepared, spike_distance_framed, symmetric,
};
use spikedeck_core::spike_lags::nearest_lags;
use spikedeck_signal::{Axis, Matrix, NamedShape, Shape};
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

/// Name of the metric, label of the matrix, values of the pairs, chance level of each pair.
type Column = (&'static str, &'static str, Vec<f64>, Option<Vec<f64>>);

/// Expected SPIKE-distance of Poisson trains of equal rate (simulation of 2e5 intervals, ± 1e-4).
const POISSON_SPIKE: f64 = 0.2956;

pub(super) fn distances(request: &Request<'_>, t: &subject::Trains, found: &mut Found) -> Result<(), AnalysisError> {
    let most = request.integer("max_units").unwrap_or(100).max(2) as usize;
    let all = t.trains.len();
    let chosen: Vec<usize> = if all <= most { (0..all).collect() } else { (0..most).map(|k| k * all / most).collect() };
    if chosen.len() < all {
        found.warnings.push(format!(
            "{}: pairs of {} of {all} units are compared (option max_units)",
            t.subject,
            chosen.len()
        ));
    }
    let mut repeated = 0;
    let trains: Vec<Vec<f64>> = chosen
        .iter()
        .map(|&i| {
            let (train, removed) = prepared(&t.trains[i]);
            repeated += removed;
            train
        })
        .collect();
    if repeated > 0 {
        found.warnings.push(format!("{}: {repeated} repeated spike times were taken once", t.subject));
    }
    let silent = trains.iter().filter(|x| x.is_empty()).count();
    if silent > 0 {
        found.warnings.push(format!(
            "{}: {silent} of {} compared trains are empty; their distances come from the edges alone",
            t.subject,
            trains.len()
        ));
    }
    let edges = Edges { start: t.window.start, stop: t.window.stop };
    let delta = request.time("delta").unwrap_or(2e-3 / t.base.seconds());
    let max_tau = request.time("max_tau");
    let n = trains.len();
    let trains: Vec<(Vec<f64>, Framed)> = trains
        .into_iter()
        .map(|train| {
            let framed = Framed::new(&train, edges);
            (train, framed)
        })
        .collect();
    let guard = 1e-9 / t.base.seconds();
    let results: Vec<Option<Pair>> = pairs(n, |i, j| {
        (!request.cancel.load(Ordering::Relaxed)).then(|| compare(&trains[i], &trains[j], edges, delta, guard, max_tau))
    });
    request.check_cancelled()?;
    let results: Vec<Pair> = results.into_iter().flatten().collect();
    let spikes: usize = trains.iter().map(|t| t.0.len()).sum();
    let (together, total) = results.iter().fold((0, 0), |(c, k), p| (c + p.sync.0, k + p.sync.1));
    let share = |p: &Pair| if p.sync.1 == 0 { 1.0 } else { p.sync.0 as f64 / p.sync.1 as f64 };
    let columns: [Column; 5] = [
        ("isi_distance", "ISI-distance", results.iter().map(|p| p.isi).collect(), None),
        ("spike_distance", "SPIKE-distance", results.iter().map(|p| p.spike).collect(), None),
        ("spike_sync", "SPIKE-synchronization", results.iter().map(share).collect(), None),
        (
            "coincidence",
            "coincidence",
            results.iter().map(|p| p.coincidence).collect(),
            Some(results.iter().map(|p| p.chance).collect()),
        ),
        ("coincidence_lag", "lag of coincident spikes", results.iter().map(|p| p.lag).collect(), None),
    ];
    for (name, label, values, chance) in columns {
        // Distances between trains without a spike compare nothing: 0 and 1 would be conventions, not results.
        let metric = if spikes == 0 && name != "coincidence_lag" && name != "coincidence" {
            Metric::missing(&t.subject, name, "", results.len() as u64, "no compared train has a spike")
        } else if name == "coincidence_lag" {
            let lags: Vec<f64> = results.iter().map(|p| p.absolute_lag).collect();
            summary(request, t, name, &lags, n, 0.5 * delta, None)
                .note("mean absolute lag of coincident spikes; chance: uniform within ± delta")
        } else {
            let (level, what) = match name {
                "isi_distance" => (0.5, "chance: Poisson trains of equal rate"),
                "spike_distance" => (POISSON_SPIKE, "chance: Poisson trains of equal rate"),
                "spike_sync" => (0.25, "chance: Poisson trains of equal rate"),
                _ => (finite_mean(chance.as_deref().unwrap_or(&[])), "chance: Poisson trains of these rates"),
            };
            // Spikes are counted over all pairs, as PySpike does; distances are means over pairs.
            let pooled = (name == "spike_sync").then(|| if total == 0 { 1.0 } else { together as f64 / total as f64 });
            summary(request, t, name, &values, n, level, pooled).note(what)
        };
        found.metrics.push(metric);
        let lag = name == "coincidence_lag";
        let mut full = symmetric(n, &values, if name.ends_with("distance") || lag { 0.0 } else { 1.0 });
        if lag {
            // Row earlier, column later is positive: the lower half is the negative of the upper.
            (0..n).for_each(|i| (0..i).for_each(|j| full[i * n + j] = -full[i * n + j]));
        }
        let names: Vec<String> = chosen.iter().map(|&i| t.units[i].to_string()).collect();
        found.shapes.push(NamedShape::new(
            format!("{label} of {}", t.subject),
            Shape::Matrix(Matrix {
                value: Axis::new(label, if lag { t.base.unit() } else { "" }),
                row_axis: "unit".into(),
                column_axis: "unit".into(),
                rows: names.clone(),
                columns: names,
                values: full,
                chance: chance.map(|c| symmetric(n, &c, 1.0)),
                significant: None,
                diverging: lag,
            }),
        ));
    }
    if spikes < 10 * n {
        found
            .warnings
            .push(format!("{}: {spikes} spikes of {n} units are few; coincidences of so few are accidents", t.subject));
    }
    let value = |name: &str| {
        let known =
            found.metrics.iter().rev().find(|m| m.metric == name && m.subject == t.subject).and_then(|m| m.value);
        known.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"))
    };
    let words = format!(
        "{}: SPIKE-distance {}, SPIKE-synchronization {}, coincidence {}",
        t.subject,
        value("spike_distance"),
        value("spike_sync"),
        value("coincidence")
    );
    found.words.push(words);
    Ok(())
}

fn compare(
    (a, framed_a): &(Vec<f64>, Framed),
    (b, framed_b): &(Vec<f64>, Framed),
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

/// Mean over pairs (or a pooled value) with a bootstrap over units: pairs of a unit with its own copy are left out.
fn summary(
    request: &Request<'_>,
    t: &subject::Trains,
    name: &str,
    values: &[f64],
    n: usize,
    chance: f64,
    pooled: Option<f64>,
) -> Metric {
    let value = pooled.unwrap_or_else(|| finite_mean(values));
    let unit = if name == "coincidence_lag" { t.base.unit() } else { "" };
    if !value.is_finite() {
        return Metric::missing(&t.subject, name, unit, values.len() as u64, "no pair has spikes for it");
    }
    let metric = Metric::new(&t.subject, name, value, unit, values.len() as u64).chance(chance).note("n = pairs");
    if n < 4 {
        return metric.note("too few units for an interval");
    }
    let full = symmetric(n, values, f64::NAN);
    let replicates = (20_000_000 / (n * n)).clamp(50, 500) as u32;
    let drawn = bootstrap::interval(n, replicates, 0.95, request.key(&t.subject, name), |d| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (k, &i) in d.iter().enumerate() {
            for &j in &d[k + 1..] {
                let v = full[i * n + j];
                if v.is_finite() {
                    sum += v;
                    count += 1.0;
                }
            }
        }
        sum / count
    });
    drawn.map_or(metric.clone(), |(l, h)| metric.interval(l.min(value), h.max(value)).note("95 % bootstrap over units"))
}
