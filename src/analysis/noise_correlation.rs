//! Correlations of counts over trials: of the noise that trials of one condition share, and of the signal between
//! conditions.

use super::prelude::*;
use super::psth::conditions;
use spikedeck_core::number::{self, shown};
use spikedeck_core::rng::{Key, Stream};
use spikedeck_core::statistics::{mean, pearson};
use spikedeck_core::surrogate::{jackknife_interval, p_value};
use spikedeck_scenario::Subject;
use spikedeck_signal::{Axis, Matrix, Recording, Shape, SpikeTrains, Window};

/// The analysis `noise_correlation`.
pub struct NoiseCorrelation;

const CARD: AnalysisCard = AnalysisCard {
    title: "Noise and signal correlations",
    synonyms: &["signal_correlation", "noise_correlations"],
    summary: "how counts of two units vary together over trials of one condition, and over conditions",
    formula: "noise: r_ij = Σ z_i z_j/√(Σ z_i² Σ z_j²) over all trials, z = count − mean count of the unit in its \
              condition\nsignal: r_ij = Pearson correlation of mean counts over conditions\nboth as means over \
              pairs of units",
    assumptions: "Trials are independent, and alike within a condition (the axes of `[trials]`). Counts are of the \
                  whole window, or from `from` to `to` of each trial. Units whose counts do not vary (noise: within \
                  conditions; signal: their means over conditions) are in no pair. Interval: jackknife over trials. p: \
                  trials of each unit in an order of their own within their condition (noise), conditions likewise \
                  (signal), two-sided.",
    bias: "Noise correlations of counts are low where counts are: they grow with the window and with the rate. Of few \
           conditions signal correlations are ±1 by chance; what trials share enters them by one over the number of \
           trials of a condition.",
    cost: "O(spikes + pairs trials surrogates)",
    caveats: "Slow drifts over trials are noise correlations. Spikes of one unit sorted into two, or of two into one, \
              make them as well.",
    references: &["Cohen and Kohn 2011, doi:10.1038/nn.2842", "Averbeck, Latham, Pouget 2006, doi:10.1038/nrn1888"],
};

options! {
    /// What `noise_correlation` can be told.
    pub struct Options {
        from: Option<Time> = time_if_given().or_zero(), "begin of the counts in each trial (default that of \
            the window)";
        to: Option<Time> = time_if_given(), "their end (default that of the window)";
        surrogates: usize = integer("999").between(19.0, 100_000.0), "orders of the trials";
    }
}

/// Most units; more have too many pairs.
const MOST_UNITS: usize = 500;
/// Most counts in all surrogates together.
const MOST_WORK: f64 = 2e9;

impl Estimator for NoiseCorrelation {
    type Options = Options;
    const KIND: &'static str = "noise_correlation";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const ACROSS_TRIALS: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_spiking(|f, s| look(f, s, o))
    }
}

/// Counts of units in the trials of a condition: a row a trial.
type Counts = Vec<Vec<f64>>;

/// The stretch of a trial in which is counted.
pub(super) fn stretch(
    f: &Findings<'_>,
    s: &Subject,
    start: Option<Time>,
    stop: Option<Time>,
) -> Result<Window, AnalysisError> {
    let window = f.recording.analysis_window();
    let own = Window { start: start.map_or(window.start, |t| t.axis), stop: stop.map_or(window.stop, |t| t.axis) };
    let slack = 1e-9 * window.length();
    if own.start < window.start - slack || own.stop > window.stop + slack || own.start >= own.stop {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: {} to {} is not inside the trial ({} to {} {})",
            s.text,
            own.start,
            own.stop,
            window.start,
            window.stop,
            f.base.unit()
        )));
    }
    Ok(own)
}

/// The trains of a subject in a trial.
pub(super) fn trial_trains(
    f: &Findings<'_>,
    s: &Subject,
    trial: &Recording,
    window: Window,
) -> Result<subject::Trains, AnalysisError> {
    let trains = SpikeTrains::new(trial);
    let request = Request { recording: trial, trains: &trains, ..*f.request };
    subject::trains_within(&request, s, window)
}

fn look(f: &mut Findings<'_>, s: &Subject, o: &Options) -> Measured {
    let window = stretch(f, s, o.from, o.to)?;
    let (mut all, mut units): (Vec<Counts>, Vec<u32>) = (Vec::new(), Vec::new());
    for (_, trials) in conditions(f.recording) {
        let mut rows = Counts::new();
        for trial in trials {
            let found = trial_trains(f, s, trial, window)?;
            rows.push(found.trains.iter().map(|t| t.len() as f64).collect());
            units = found.units;
        }
        all.push(rows);
    }
    let (n, m) = (all.iter().map(Vec::len).sum::<usize>(), units.len());
    if m > MOST_UNITS || (m * n) as f64 * o.surrogates as f64 > MOST_WORK {
        return Err(AnalysisError::Unsuitable(format!(
            "{} means {m} units, which have too many pairs for {} surrogates of {n} trials: choose some, as in \
             `{}[0..50]`, or lower `surrogates`",
            s.text,
            o.surrogates,
            subject::stem(f.request, s)
        )));
    }
    let residuals: Vec<Counts> = all.iter().map(centred).collect();
    let columns = standardised(&residuals);
    let varying = varying_in(&columns);
    let pairs = varying.len() * varying.len().saturating_sub(1) / 2;
    let counted = format!("n = pairs; {n} trials in {} conditions", all.len());
    let silent = m - varying.len();
    let without = (silent > 0).then(|| format!("{silent} of {m} units do not vary within conditions"));
    if pairs == 0 || n < 3 {
        let first = if n < 3 { "fewer than three trials" } else { "no pair of units varies within conditions" };
        let why = without.as_ref().map_or_else(|| first.to_owned(), |without| format!("{first}; {without}"));
        f.metric(Metric::missing(&s.text, "noise_correlation", "", 0, &why));
        // What conditions change does not need noise.
        signal(f, s, &all, o, &counted);
        f.word(format!("{}: {why}", s.text));
        return Ok(());
    }
    let value = mean_product(&columns, &varying);
    let key = f.key(&s.text, "orders");
    let mut drawn = Vec::with_capacity(o.surrogates);
    for k in 0..o.surrogates {
        f.progress(k as f64 / o.surrogates as f64)?;
        let mixed = standardised(&shuffled(&residuals, key, k));
        drawn.push(mean_product(&mixed, &varying));
    }
    let mut noise =
        two_sided(Metric::new(&s.text, "noise_correlation", value, "", pairs as u64), value, &drawn).note(&counted);
    if let Some(without) = &without {
        noise = noise.note(without);
    }
    noise = match left_out(&all, n) {
        None => noise.note("no interval: without one of the trials no pair of units varies"),
        Some(values) => match jackknife_interval(value, &values) {
            Some((low, high)) => noise
                .interval(low.max(-1.0), high.min(1.0))
                .interval_by("95 % interval by leaving out one trial at a time"),
            None => noise,
        },
    };
    f.metric(noise);
    signal(f, s, &all, o, &counted);
    f.word(format!("{}: noise correlation {} of {}", s.text, shown(value), number::counted(pairs, "pair", "pairs")));
    matrix(f, s, &columns, &varying, &units);
    Ok(())
}

fn two_sided(metric: Metric, value: f64, drawn: &[f64]) -> Metric {
    metric.chance(mean(drawn)).p(two_sided_p(value, drawn)).null_by(format!("p: {} orders of the trials", drawn.len()))
}

/// The two-sided p-value of a correlation. Orders that put all units in one order alike give the value that was seen,
/// summed in another order: what differs by rounding only counts as reached.
pub(super) fn two_sided_p(value: f64, drawn: &[f64]) -> f64 {
    let sizes: Vec<f64> = drawn.iter().map(|v| v.abs() * (1.0 + 1e-12) + 1e-12).collect();
    p_value(value.abs(), &sizes)
}

/// Which columns vary.
fn varying_in(columns: &[Vec<f64>]) -> Vec<usize> {
    (0..columns.len()).filter(|&u| columns[u].iter().any(|v| *v != 0.0)).collect()
}

/// The mean correlation without each of `n` trials in turn, of the units that vary then; none where no two do.
fn left_out(all: &[Counts], n: usize) -> Option<Vec<f64>> {
    (0..n)
        .map(|out| {
            let columns = without_trial(all, out);
            let varying = varying_in(&columns);
            (varying.len() > 1).then(|| mean_product(&columns, &varying))
        })
        .collect()
}

/// Counts less the mean of their unit.
fn centred(rows: &Counts) -> Counts {
    let m = rows.first().map_or(0, Vec::len);
    let middle: Vec<f64> = (0..m).map(|u| rows.iter().map(|r| r[u]).sum::<f64>() / rows.len() as f64).collect();
    rows.iter().map(|r| r.iter().zip(&middle).map(|(v, m)| v - m).collect()).collect()
}

/// A column a unit over all trials, each of length one; zeros where it does not vary.
fn standardised(conditions: &[Counts]) -> Vec<Vec<f64>> {
    let m = conditions.first().and_then(|c| c.first()).map_or(0, Vec::len);
    let column = |u: usize| -> Vec<f64> {
        let own: Vec<f64> = conditions.iter().flatten().map(|r| r[u]).collect();
        let norm = own.iter().map(|v| v * v).sum::<f64>().sqrt();
        own.into_iter().map(|v| if norm > 1e-9 { v / norm } else { 0.0 }).collect()
    };
    (0..m).map(column).collect()
}

/// The mean over pairs of what two columns have in common: (|Σ columns|² − number)/(number (number − 1)).
fn mean_product(columns: &[Vec<f64>], units: &[usize]) -> f64 {
    let n = columns[units[0]].len();
    let mut total = vec![0.0; n];
    let mut own = 0.0;
    for &u in units {
        total.iter_mut().zip(&columns[u]).for_each(|(t, v)| *t += v);
        own += columns[u].iter().map(|v| v * v).sum::<f64>();
    }
    let count = units.len() as f64;
    (total.iter().map(|v| v * v).sum::<f64>() - own) / (count * (count - 1.0))
}

/// Residuals of each unit in an order of trials of its own, within each condition.
fn shuffled(conditions: &[Counts], key: Key, number: usize) -> Vec<Counts> {
    let mut mixed = conditions.to_vec();
    let m = mixed.first().and_then(|c| c.first()).map_or(0, Vec::len);
    for u in 0..m {
        let mut stream = key.stream(u as u32, number as u64);
        for rows in &mut mixed {
            for k in order(rows.len(), &mut stream) {
                let (a, b) = (rows[k.0][u], rows[k.1][u]);
                (rows[k.0][u], rows[k.1][u]) = (b, a);
            }
        }
    }
    mixed
}

/// Exchanges that put so many things in an order drawn at random (Fisher and Yates).
fn order(n: usize, stream: &mut Stream) -> Vec<(usize, usize)> {
    (1..n).rev().map(|k| (k, stream.below(k as u32 + 1) as usize)).collect()
}

/// Columns without one trial, counted over all conditions.
fn without_trial(all: &[Counts], out: usize) -> Vec<Vec<f64>> {
    let mut from = 0;
    let kept: Vec<Counts> = all
        .iter()
        .map(|rows| {
            let own: Counts =
                rows.iter().enumerate().filter(|(k, _)| from + k != out).map(|(_, r)| r.clone()).collect();
            from += rows.len();
            own
        })
        .filter(|rows| !rows.is_empty())
        .collect();
    standardised(&kept.iter().map(centred).collect::<Vec<_>>())
}

/// The correlation of mean counts over conditions.
fn signal(f: &mut Findings<'_>, s: &Subject, all: &[Counts], o: &Options, counted: &str) {
    let conditions = all.len();
    if conditions < 3 {
        let why = match conditions {
            1 => "there is one condition: `[trials]` with `axes` has several".to_owned(),
            n => format!("{n} conditions are too few for a correlation"),
        };
        f.metric(Metric::missing(&s.text, "signal_correlation", "", 0, why));
        return;
    }
    let middle = |rows: &Counts| -> Vec<f64> {
        let units = rows.first().map_or(0, Vec::len);
        (0..units).map(|u| rows.iter().map(|r| r[u]).sum::<f64>() / rows.len() as f64).collect()
    };
    let tuned: Counts = all.iter().map(middle).collect();
    let columns = |tuned: &Counts| standardised(&[centred(tuned)]);
    let own = columns(&tuned);
    let tuned_units = varying_in(&own);
    if tuned_units.len() < 2 {
        f.metric(Metric::missing(&s.text, "signal_correlation", "", 0, "fewer than two units change with conditions"));
        return;
    }
    let value = mean_product(&own, &tuned_units);
    let key = f.key(&s.text, "conditions");
    let drawn: Vec<f64> = (0..o.surrogates)
        .map(|k| mean_product(&columns(&shuffled(std::slice::from_ref(&tuned), key, k)[0]), &tuned_units))
        .collect();
    let pairs = (tuned_units.len() * (tuned_units.len() - 1) / 2) as u64;
    let metric = two_sided(Metric::new(&s.text, "signal_correlation", value, "", pairs), value, &drawn);
    f.metric(metric.note(counted).note("no interval: conditions are chosen, not drawn"));
}

fn matrix(f: &mut Findings<'_>, s: &Subject, columns: &[Vec<f64>], varying: &[usize], units: &[u32]) {
    let names: Vec<String> = units.iter().map(ToString::to_string).collect();
    let entry = |i: usize, j: usize| match (varying.contains(&i), varying.contains(&j)) {
        (true, true) if i != j => pearson(&columns[i], &columns[j]),
        _ => f64::NAN,
    };
    let m = units.len();
    f.shape(
        format!("noise correlations of {}", s.text),
        Shape::Matrix(Matrix {
            value: Axis::new("noise correlation", ""),
            row_axis: "unit".into(),
            column_axis: "unit".into(),
            rows: names.clone(),
            columns: names,
            values: (0..m * m).map(|k| entry(k / m, k % m)).collect(),
            chance: None,
            significant: None,
            diverging: true,
        }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, recording, run, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Trial;
    use std::sync::Arc;

    /// A recording of trials with these counts: `counts[condition][trial][unit]`.
    fn trials(counts: &[Vec<Vec<usize>>]) -> Recording {
        let mut all = Vec::new();
        for (c, rows) in counts.iter().enumerate() {
            for row in rows {
                let train = |n: usize| (0..n).map(|k| 1.0 + k as f64).collect();
                let mut r = recording(&row.iter().map(|&n| train(n)).collect::<Vec<_>>(), 1000.0);
                r.trial = Some(Trial { number: all.len() as u64, condition: format!("c={c}") });
                all.push(r);
            }
        }
        let mut first = all.remove(0);
        first.trials = all.into_iter().map(Arc::new).collect();
        first
    }

    #[test]
    fn by_hand() {
        // Residuals of unit 0: −1 1 | −2 2, of unit 1: −1 1 | 2 −2: (1 + 1 − 4 − 4)/10.
        let r = trials(&[vec![vec![1, 3], vec![3, 5]], vec![vec![2, 8], vec![6, 4]]]);
        let o = run(&NoiseCorrelation, &r, vec![], &[]).unwrap();
        assert!((value(&o, "p.spikes", "noise_correlation") + 0.6).abs() < 1e-12);
        assert!(metric(&o, "p.spikes", "signal_correlation").note.contains("2 conditions are too few"));
        let r = trials(&[vec![vec![1, 3]], vec![vec![2, 5]], vec![vec![3, 7]], vec![vec![4, 9]]]);
        let o = run(&NoiseCorrelation, &r, vec![], &[]).unwrap();
        // One trial of each condition has no noise, and both units follow the condition.
        let noise = metric(&o, "p.spikes", "noise_correlation");
        assert!(noise.value.is_none() && noise.note.ends_with("2 of 2 units do not vary within conditions"));
        let signal = metric(&o, "p.spikes", "signal_correlation");
        assert!((signal.value.unwrap() - 1.0).abs() < 1e-12 && signal.n == Some(1), "{signal:?}");
    }

    /// A unit without noise has its part in the signal, and units that do vary are not said to be others.
    #[test]
    fn the_signal_is_that_of_all_units() {
        // Means over conditions: 2 3 4 5, 1 2 3 4 (without noise), 6 5 4 3.
        let rows = |c: usize| vec![vec![1 + c, 1 + c, 5 - c], vec![3 + c, 1 + c, 7 - c]];
        let r = trials(&(0..4).map(rows).collect::<Vec<_>>());
        let o = run(&NoiseCorrelation, &r, vec![], &[]).unwrap();
        let signal = metric(&o, "p.spikes", "signal_correlation");
        assert!((signal.value.unwrap() + 1.0 / 3.0).abs() < 1e-12 && signal.n == Some(3), "{signal:?}");
        assert!(metric(&o, "p.spikes", "noise_correlation").note.contains("1 of 3 units do not vary"));
        assert!(o.metrics.iter().all(|m| !m.note.contains("; ;") && !m.note.ends_with("; ")), "{:?}", o.metrics);
        let all = run(&NoiseCorrelation, &trials(&[vec![vec![1, 2], vec![2, 1], vec![3, 3]]]), vec![], &[]).unwrap();
        assert!(all.metrics.iter().all(|m| !m.note.contains("; ;") && !m.note.ends_with("; ")), "{:?}", all.metrics);
    }

    /// All orders of three things.
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

    /// The p-value over all orders of both units, and how many reach the size of the value in whole numbers.
    fn over_all_orders(a: [i64; 3], b: [i64; 3]) -> (f64, usize) {
        let exact = |p: [usize; 3], q: [usize; 3]| {
            let product: i64 = (0..3).map(|k| a[p[k]] * b[q[k]]).sum();
            (3 * product - a.iter().sum::<i64>() * b.iter().sum::<i64>()).abs()
        };
        let rounded = |p: [usize; 3], q: [usize; 3]| {
            // Residuals in their order, as surrogates have them.
            let counts: Counts = (0..3).map(|k| vec![a[k] as f64, b[k] as f64]).collect();
            let rows = centred(&counts);
            let mixed: Counts = (0..3).map(|k| vec![rows[p[k]][0], rows[q[k]][1]]).collect();
            mean_product(&standardised(&[mixed]), &[0, 1])
        };
        let both = || ORDERS.iter().flat_map(|&p| ORDERS.iter().map(move |&q| (p, q)));
        let drawn: Vec<f64> = both().map(|(p, q)| rounded(p, q)).collect();
        let reached = both().filter(|&(p, q)| exact(p, q) >= exact(ORDERS[0], ORDERS[0])).count();
        (two_sided_p(rounded(ORDERS[0], ORDERS[0]), &drawn), reached)
    }

    /// Ties are exact in whole numbers; rounding loses none of them.
    #[test]
    fn p_values_count_ties_of_whole_numbers() {
        let (p, reached) = over_all_orders([3, 8, 28], [23, 16, 6]);
        assert!(reached == 6 && (p - 7.0 / 37.0).abs() < 1e-12, "{p}");
        let mut s = Key::new(1, "noise", "ties").stream(0, 0);
        for _ in 0..500 {
            let mut three = || [0; 3].map(|_| i64::from(s.below(40)));
            let (a, b) = (three(), three());
            if a.iter().all(|v| *v == a[0]) || b.iter().all(|v| *v == b[0]) {
                continue;
            }
            let (p, reached) = over_all_orders(a, b);
            assert!((p - (1 + reached) as f64 / 37.0).abs() < 1e-12, "{a:?} {b:?}: {p}, {reached} of 36");
        }
        let r = trials(&[vec![vec![3, 23], vec![8, 16], vec![28, 6]]]);
        let o = run(&NoiseCorrelation, &r, vec![], &[]).unwrap();
        let p = metric(&o, "p.spikes", "noise_correlation").p_value.unwrap();
        assert!((p - 1.0 / 6.0).abs() < 0.04, "{p} of all orders is 1/6");
    }

    /// A unit that varies by one trial alone is in no pair without it, and does not stand for a correlation of zero.
    #[test]
    fn without_a_trial_a_pair_that_does_not_vary_is_none() {
        let r = trials(&[vec![vec![1, 2, 0], vec![2, 4, 0], vec![3, 6, 0], vec![4, 8, 5]]]);
        let counts: Counts =
            [[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [3.0, 6.0, 0.0], [4.0, 8.0, 5.0]].map(Vec::from).to_vec();
        let values = left_out(&[counts], 4).unwrap();
        assert!((values[3] - 1.0).abs() < 1e-12, "only the pair that is proportional is left: {values:?}");
        assert!(run(&NoiseCorrelation, &r, vec![], &[]).is_ok_and(|o| o.metrics[0].ends().is_some()));
        let r = trials(&[vec![vec![1, 1], vec![0, 0], vec![0, 0], vec![0, 0]]]);
        let o = run(&NoiseCorrelation, &r, vec![], &[]).unwrap();
        let m = metric(&o, "p.spikes", "noise_correlation");
        assert!(m.ends().is_none() && m.note.contains("no interval: without one of the trials"), "{m:?}");
    }

    fn drawn(seed: u64, n: usize, shared: f64) -> Recording {
        let mut s = Key::new(seed, "noise", "counts").stream(0, 0);
        let mut normal = || (0..12).map(|_| s.uniform()).sum::<f64>() - 6.0;
        let row = |normal: &mut dyn FnMut() -> f64, c: f64| -> Vec<usize> {
            let common = normal();
            (0..6)
                .map(|u| {
                    let own = shared.sqrt() * common + (1.0 - shared).sqrt() * normal();
                    (40.0 + f64::from(u) * c + 6.0 * own).round().max(0.0) as usize
                })
                .collect()
        };
        let counts: Vec<Vec<Vec<usize>>> =
            (0..4).map(|c| (0..n).map(|_| row(&mut normal, f64::from(c))).collect()).collect();
        trials(&counts)
    }

    /// Counts that share a quarter of their variance have noise correlations of 0.25, whatever their tuning.
    #[test]
    fn shared_variance_is_found() {
        let some = [("surrogates", OptionValue::Integer(199))];
        let o = run(&NoiseCorrelation, &drawn(1, 100, 0.25), vec![], &some).unwrap();
        let m = metric(&o, "p.spikes", "noise_correlation");
        let (low, high) = m.ends().unwrap();
        assert!(low < 0.25 && 0.25 < high && high - low < 0.2, "{m:?}");
        assert!((m.p_value.unwrap() - 0.005).abs() < 1e-12 && m.n == Some(15));
        // All but the first follow the condition alike.
        assert!(value(&o, "p.spikes", "signal_correlation") > 0.5);
    }

    #[test]
    fn without_shared_variance_p_is_not_small_too_often() {
        let some = [("surrogates", OptionValue::Integer(19))];
        let below = (0..100)
            .filter(|&seed| {
                let o = run(&NoiseCorrelation, &drawn(100 + seed, 8, 0.0), vec![], &some).unwrap();
                metric(&o, "p.spikes", "noise_correlation").p_value.unwrap() <= 0.1
            })
            .count();
        assert!((1..=23).contains(&below), "{below} of 100");
    }

    #[test]
    fn what_cannot_be_said_is_said_so() {
        let one = run(&NoiseCorrelation, &recording(&[vec![1.0]], 10.0), vec![], &[]).unwrap_err().to_string();
        assert!(one.contains("one trial"), "{one}");
        let r = trials(&[vec![vec![2, 2], vec![2, 2], vec![2, 3]]]);
        let o = run(&NoiseCorrelation, &r, vec![], &[]).unwrap();
        assert!(metric(&o, "p.spikes", "noise_correlation").note.contains("1 of 2 units do not vary"));
        let outside = [("to", OptionValue::Number(2.0))];
        assert!(run(&NoiseCorrelation, &r, vec![], &outside).unwrap_err().to_string().contains("not inside the trial"));
    }
}
