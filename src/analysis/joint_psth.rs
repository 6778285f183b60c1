//! The joint peri-stimulus time histogram of two units: coincidences over trials beyond those of their rates.

use super::noise_correlation::{stretch, trial_trains, two_sided_p};
use super::prelude::*;
use super::psth::conditions;
use super::subject::{bin_count, bin_of};
use spikedeck_core::number::{self, shown};
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::jackknife_interval;
use spikedeck_scenario::Subject;
use spikedeck_signal::{Axis, Curve, CurveStyle, Matrix, ReferenceLine, Series, Shape, Window};

/// The analysis `joint_psth`.
pub struct JointPsth;

const CARD: AnalysisCard = AnalysisCard {
    title: "Joint peri-stimulus time histogram",
    synonyms: &["jpsth"],
    summary: "counts of two units in bins of time against time, over trials, beyond what their rates give",
    formula: "J(u, v) = (⟨n_a(u) n_b(v)⟩ − ⟨n_a(u)⟩⟨n_b(v)⟩)/(s_a(u) s_b(v)), means and deviations over \
              trials\ncoincidence = mean of J over u = v, of bins in which both units vary",
    assumptions: "Trials are alike but for their noise, within each condition (means are of each condition; \
                  covariances are pooled), and independent. p: the trials of the second unit in an order of their \
                  own (shift predictor with all orders), two-sided; interval: jackknife over trials, means and \
                  deviations counted anew without each.",
    bias: "None for independent trials; J is a correlation and lies in −1 to 1.",
    cost: "O(spikes + pairs trials bins (bins + surrogates))",
    caveats: "Rates that change from trial to trial in both units (excitability, drifts) fill a broad diagonal without \
              any synchrony. Few spikes a bin leave few bins in which both vary.",
    references: &[
        "Aertsen, Gerstein, Habib, Palm 1989, doi:10.1152/jn.1989.61.5.900",
        "Brody 1999, doi:10.1162/089976699300016133",
    ],
};

options! {
    /// What `joint_psth` can be told.
    pub struct Options {
        bin: Time = time("20 ms").or(derived::QUARTER).piece(), "width of the bins";
        from: Option<Time> = time_if_given().or_zero(), "begin of the bins in each trial (default that of the window)";
        to: Option<Time> = time_if_given(), "their end (default that of the window)";
        surrogates: usize = integer("999").between(19.0, 100_000.0), "orders of the trials of the second unit";
    }
}

/// Most units, of which each two are looked at.
const MOST_UNITS: usize = 8;
/// Most bins along an axis.
const MOST_BINS: usize = 500;
/// Pairs up to which each has its matrix.
const MOST_DRAWN: usize = 6;

impl Estimator for JointPsth {
    type Options = Options;
    const KIND: &'static str = "joint_psth";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const ACROSS_TRIALS: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let mut units = Vec::new();
        let mut spans = Vec::new();
        for s in subject::of_or_all_spikes(f.request)? {
            let window = stretch(f, &s, o.from, o.to)?;
            units.extend(counted(f, &s, window, o)?);
            spans.push(window);
        }
        let window = spans[0];
        f.each_two(&units, |f, a, b| look(f, a, b, window, o, units.len() * (units.len() - 1) / 2 <= MOST_DRAWN))
    }
}

/// Counts of a unit, less their mean in each bin over the trials of a condition.
struct Unit {
    name: String,
    /// A row a trial.
    rows: Vec<Vec<f64>>,
    /// How many trials each condition has.
    conditions: Vec<usize>,
}

fn counted(f: &Findings<'_>, s: &Subject, window: Window, o: &Options) -> Result<Vec<Unit>, AnalysisError> {
    let bins = bin_count(window, o.bin.axis);
    if bins == 0 || bins > MOST_BINS {
        let what = format!("{}: {bins} bins; 1 to {MOST_BINS} are looked at", s.text);
        return Err(AnalysisError::Unsuitable(what));
    }
    let mut units: Vec<Unit> = Vec::new();
    for (_, trials) in conditions(f.recording) {
        let from = units.first().map_or(0, |u| u.rows.len());
        for trial in &trials {
            let found = trial_trains(f, s, trial, window)?;
            if found.trains.len() > MOST_UNITS {
                return Err(AnalysisError::Unsuitable(format!(
                    "{} means {} units, and at most {MOST_UNITS} are looked at two by two: choose some, as in \
                     `{}[0..4]`",
                    s.text,
                    found.trains.len(),
                    subject::stem(f.request, s)
                )));
            }
            if units.is_empty() {
                let name = |u: u32| subject::unit_name(f.request, s, u);
                let empty = |&u: &u32| Unit { name: name(u), rows: Vec::new(), conditions: Vec::new() };
                units = found.units.iter().map(empty).collect();
            }
            for (unit, train) in units.iter_mut().zip(&found.trains) {
                let mut row = vec![0.0; bins];
                for bin in train.iter().filter_map(|&t| bin_of(t, window.start, o.bin.axis)).filter(|&b| b < bins) {
                    row[bin] += 1.0;
                }
                unit.rows.push(row);
            }
        }
        for unit in &mut units {
            unit.conditions.push(trials.len());
            centre(&mut unit.rows[from..]);
        }
    }
    Ok(units)
}

/// Takes the mean of each bin over some trials from them.
fn centre(rows: &mut [Vec<f64>]) {
    let (n, bins) = (rows.len() as f64, rows.first().map_or(0, Vec::len));
    for bin in 0..bins {
        let middle = rows.iter().map(|r| r[bin]).sum::<f64>() / n;
        for r in rows.iter_mut() {
            r[bin] -= middle;
        }
    }
}

impl Unit {
    /// The root of the sum of squares in each bin.
    fn norms(&self) -> Vec<f64> {
        let bins = self.rows[0].len();
        (0..bins).map(|k| self.rows.iter().map(|r| r[k] * r[k]).sum::<f64>().sqrt()).collect()
    }

    /// Its trials in another order within each condition.
    fn order(&self, key: Key, number: usize) -> Vec<usize> {
        let mut stream = key.stream(number as u32, 0);
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let mut from = 0;
        for &n in &self.conditions {
            for k in (1..n).rev() {
                order.swap(from + k, from + stream.below(k as u32 + 1) as usize);
            }
            from += n;
        }
        order
    }
}

fn look(f: &mut Findings<'_>, a: &Unit, b: &Unit, window: Window, o: &Options, draws: bool) -> Measured {
    let name = format!("{}, {}", a.name, b.name);
    let (n, bins) = (a.rows.len(), a.rows[0].len());
    let (na, nb) = (a.norms(), b.norms());
    let both: Vec<usize> = (0..bins).filter(|&k| na[k] > 1e-9 && nb[k] > 1e-9).collect();
    let counted = format!("n = trials; {} of {bins} bins in which both vary", both.len());
    if n < 3 || both.is_empty() {
        let why = if n < 3 { "fewer than three trials" } else { "there is no bin in which both units vary" };
        f.metric(Metric::missing(&name, "coincidence", "", n as u64, why));
        f.word(format!("{name}: {why}"));
        return Ok(());
    }
    let diagonal = |order: &dyn Fn(usize) -> usize| {
        let of = |&k: &usize| {
            let sum: f64 = a.rows.iter().enumerate().map(|(t, row)| row[k] * b.rows[order(t)][k]).sum();
            sum / (na[k] * nb[k])
        };
        both.iter().map(of).sum::<f64>() / both.len() as f64
    };
    let value = diagonal(&|t| t);
    let key = f.key(&name, "orders");
    let mut drawn = Vec::with_capacity(o.surrogates);
    for k in 0..o.surrogates {
        if k % 32 == 0 {
            f.progress(k as f64 / o.surrogates as f64)?;
        }
        let order = b.order(key, k);
        drawn.push(diagonal(&|t| order[t]));
    }
    let mut metric = Metric::new(&name, "coincidence", value, "", n as u64)
        .chance(mean(&drawn))
        .p(two_sided_p(value, &drawn))
        .note(&counted)
        .null_by(format!("p: {} orders of the trials", o.surrogates));
    metric = match left_out(a, b, (&na, &nb), &both) {
        None => metric.note("no interval: without one of the trials there is no bin in which both units vary"),
        Some(values) => match jackknife_interval(value, &values) {
            Some((low, high)) => metric
                .interval(low.max(-1.0), high.min(1.0))
                .interval_by("95 % interval by leaving out one trial at a time"),
            None => metric,
        },
    };
    f.metric(metric);
    f.word(format!("{name}: coincidence {} over {}", shown(value), number::counted(n, "trial", "trials")));
    if draws {
        drawn_pair(f, &name, (a, b), (&na, &nb), window, o);
    }
    Ok(())
}

/// The coincidence without each of the trials in turn, of bins in which both units vary then; none where there is no
/// such bin. A trial moves the mean of its condition as well: of n trials it takes n/(n − 1) times the product of its
/// residuals along.
fn left_out(a: &Unit, b: &Unit, (na, nb): (&[f64], &[f64]), both: &[usize]) -> Option<Vec<f64>> {
    let covariance = |k: usize| -> f64 { a.rows.iter().zip(&b.rows).map(|(p, q)| p[k] * q[k]).sum() };
    let all: Vec<f64> = both.iter().map(|&k| covariance(k)).collect();
    // The residuals of a trial that is alone in its condition are zero: it takes nothing along.
    let factor = |n: usize| if n > 1 { n as f64 / (n as f64 - 1.0) } else { 1.0 };
    let factors = a.conditions.iter().flat_map(|&n| std::iter::repeat_n(factor(n), n));
    a.rows
        .iter()
        .zip(&b.rows)
        .zip(factors)
        .map(|((x, y), by)| {
            let (mut sum, mut bins) = (0.0, 0_u32);
            for (&k, covariance) in both.iter().zip(&all) {
                let (of_a, of_b) = (na[k] * na[k], nb[k] * nb[k]);
                let (va, vb) = (of_a - by * x[k] * x[k], of_b - by * y[k] * y[k]);
                if va > 1e-9 * of_a && vb > 1e-9 * of_b {
                    sum += (covariance - by * x[k] * y[k]) / (va * vb).sqrt();
                    bins += 1;
                }
            }
            (bins > 0).then(|| sum / f64::from(bins))
        })
        .collect()
}

/// The matrix, and its diagonal over time.
fn drawn_pair(
    f: &mut Findings<'_>,
    name: &str,
    (a, b): (&Unit, &Unit),
    (na, nb): (&[f64], &[f64]),
    window: Window,
    o: &Options,
) {
    let bins = na.len();
    let at = |k: usize| window.start + (k as f64 + 0.5) * o.bin.axis;
    let entry = |u: usize, v: usize| {
        let sum: f64 = a.rows.iter().zip(&b.rows).map(|(x, y)| x[u] * y[v]).sum();
        if na[u] > 1e-9 && nb[v] > 1e-9 { sum / (na[u] * nb[v]) } else { f64::NAN }
    };
    let labels: Vec<String> = (0..bins).map(|k| spikedeck_core::units::short(at(k))).collect();
    let values: Vec<f64> = (0..bins * bins).map(|k| entry(k / bins, k % bins)).collect();
    let known: Vec<usize> = (0..bins).filter(|&k| values[k * bins + k].is_finite()).collect();
    let curve = Curve {
        name: name.to_owned(),
        x: known.iter().map(|&k| at(k)).collect(),
        y: known.iter().map(|&k| values[k * bins + k]).collect(),
        band: None,
        style: CurveStyle::Line,
    };
    let axis = |unit: &Unit| format!("{} ({})", unit.name, f.base.unit());
    let matrix = Matrix {
        value: Axis::new("J", ""),
        row_axis: axis(a),
        column_axis: axis(b),
        rows: labels.clone(),
        columns: labels,
        values,
        chance: None,
        significant: None,
        diverging: true,
    };
    f.shape(format!("joint histogram of {name}"), Shape::Matrix(matrix));
    let series = Series {
        x: super::psth::axis(f),
        y: Axis::new("J", ""),
        curves: vec![curve],
        references: vec![ReferenceLine { name: "chance".into(), at: 0.0, vertical: false }],
    };
    f.shape(format!("coincidence of {name}"), Shape::Series(series));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{joined, metric, recording, run, value};
    use spikedeck_scenario::OptionValue;

    /// Two bins of 20 ms in four trials: counts of the units are 1 0 1 0 and 1 0 1 0 in the first, 1 1 0 0 and 1 0 1 0
    /// in the second: J is 1 and 0.
    #[test]
    fn by_hand() {
        let trial = |a: [bool; 2], b: [bool; 2]| {
            let train = |x: [bool; 2]| [10.0, 30.0].into_iter().zip(x).filter(|t| t.1).map(|t| t.0).collect();
            recording(&[train(a), train(b)], 40.0)
        };
        let r = joined(vec![
            trial([true, true], [true, true]),
            trial([false, true], [false, false]),
            trial([true, false], [true, true]),
            trial([false, false], [false, false]),
        ]);
        let o = run(&JointPsth, &r, vec![], &[]).unwrap();
        assert!((value(&o, "p.spikes[0], p.spikes[1]", "coincidence") - 0.5).abs() < 1e-12);
        let shape = o.shapes.iter().find(|s| s.name.starts_with("joint histogram")).unwrap();
        let Shape::Matrix(m) = &shape.shape else { panic!("a matrix") };
        let wanted = [1.0, 1.0, 0.0, 0.0];
        assert!(m.values.iter().zip(wanted).all(|(v, w)| (v - w).abs() < 1e-12), "{:?}", m.values);
    }

    /// Units that take half of their spikes from a common train coincide; independent ones do not, and say so as often
    /// as p says.
    #[test]
    fn common_spikes_are_found_and_independent_ones_are_not() {
        let trials = |seed: u64, shared: f64, n: usize| {
            let mut s = Key::new(seed, "joint", "spikes").stream(0, 0);
            let trial = |s: &mut spikedeck_core::rng::Stream| {
                let mut trains = [Vec::new(), Vec::new()];
                for k in 0..400 {
                    let common = s.uniform() < 0.02;
                    for train in &mut trains {
                        let fires = if s.uniform() < shared { common } else { s.uniform() < 0.02 };
                        if fires {
                            train.push(0.5 + f64::from(k));
                        }
                    }
                }
                recording(&trains, 400.0)
            };
            joined((0..n).map(|_| trial(&mut s)).collect())
        };
        let some = [("surrogates", OptionValue::Integer(199)), ("bin", OptionValue::Number(0.05))];
        let o = run(&JointPsth, &trials(1, 0.7, 100), vec![], &some).unwrap();
        let m = metric(&o, "p.spikes[0], p.spikes[1]", "coincidence");
        let (low, high) = m.ends().unwrap();
        // Both take the common train with probability 0.49.
        assert!(low < 0.49 && 0.49 < high && (m.p_value.unwrap() - 0.005).abs() < 1e-12, "{m:?}");
        let some = [("surrogates", OptionValue::Integer(19)), ("bin", OptionValue::Number(0.05))];
        let below = (0..100)
            .filter(|&seed| {
                let o = run(&JointPsth, &trials(100 + seed, 0.0, 10), vec![], &some).unwrap();
                metric(&o, "p.spikes[0], p.spikes[1]", "coincidence").p_value.unwrap() <= 0.1
            })
            .count();
        assert!((1..=23).contains(&below), "{below} of 100");
    }

    /// A unit of counts by trial and bin, the trials of each condition after those of the one before.
    fn unit(counts: &[Vec<f64>], conditions: &[usize]) -> Unit {
        let mut rows = counts.to_vec();
        let mut from = 0;
        for &n in conditions {
            centre(&mut rows[from..from + n]);
            from += n;
        }
        Unit { name: "u".into(), rows, conditions: conditions.to_vec() }
    }

    fn varying(a: &Unit, b: &Unit) -> Vec<usize> {
        let (na, nb) = (a.norms(), b.norms());
        (0..na.len()).filter(|&k| na[k] > 1e-9 && nb[k] > 1e-9).collect()
    }

    /// The values of the jackknife are those of the recording without the trial, whatever the conditions: one trial
    /// alone in its condition, or only one of a unit's trials in which a bin has spikes.
    #[test]
    fn what_is_left_out_is_as_if_it_had_never_been_there() {
        let bins = 5;
        let (mut dropped, mut none) = (0, 0);
        for seed in 0..300 {
            let mut s = Key::new(seed, "joint", "left out").stream(0, 0);
            let sparse = 0.1 + 0.8 * s.uniform();
            let sizes = [2 + s.below(3) as usize, 1 + s.below(4) as usize];
            let n = sizes[0] + sizes[1];
            let mut counts = || -> Vec<Vec<f64>> {
                let mut count = || if s.uniform() < sparse { 0.0 } else { f64::from(1 + s.below(5)) };
                (0..n).map(|_| (0..bins).map(|_| count()).collect()).collect()
            };
            let (of_a, of_b) = (counts(), counts());
            let (a, b) = (unit(&of_a, &sizes), unit(&of_b, &sizes));
            let both = varying(&a, &b);
            let wanted: Option<Vec<f64>> = (0..n)
                .map(|out| {
                    let without = |counts: &[Vec<f64>]| -> Vec<Vec<f64>> {
                        counts.iter().enumerate().filter(|(t, _)| *t != out).map(|(_, row)| row.clone()).collect()
                    };
                    let mut fewer = sizes;
                    fewer[usize::from(out >= sizes[0])] -= 1;
                    let fewer: Vec<usize> = fewer.into_iter().filter(|&n| n > 0).collect();
                    let (a, b) = (unit(&without(&of_a), &fewer), unit(&without(&of_b), &fewer));
                    let (na, nb, left) = (a.norms(), b.norms(), varying(&a, &b));
                    dropped += usize::from(!left.is_empty() && left.len() < both.len());
                    let of = |&k: &usize| {
                        a.rows.iter().zip(&b.rows).map(|(x, y)| x[k] * y[k]).sum::<f64>() / (na[k] * nb[k])
                    };
                    (!left.is_empty()).then(|| left.iter().map(of).sum::<f64>() / left.len() as f64)
                })
                .collect();
            let found = left_out(&a, &b, (&a.norms(), &b.norms()), &both);
            none += usize::from(wanted.is_none());
            match (&found, &wanted) {
                (Some(f), Some(w)) => {
                    assert!(f.iter().zip(w).all(|(f, w)| (f - w).abs() < 1e-12), "{seed}: {f:?} is not {w:?}");
                }
                (f, w) => assert_eq!(f, w, "{seed}"),
            }
        }
        assert!(dropped > 20 && none > 5 && none < 250, "{dropped} without a bin, {none} without any");
    }

    #[test]
    fn without_a_bin_that_varies_there_is_no_interval_and_the_reason() {
        // Both units fire in the first trial only: without it nothing varies.
        let trial = |fires: bool| recording(&[vec![10.0; usize::from(fires)], vec![10.0; usize::from(fires)]], 20.0);
        let r = joined(vec![trial(true), trial(false), trial(false), trial(false)]);
        let o = run(&JointPsth, &r, vec![], &[]).unwrap();
        let m = metric(&o, "p.spikes[0], p.spikes[1]", "coincidence");
        assert!((m.value.unwrap() - 1.0).abs() < 1e-12 && m.ends().is_none(), "{m:?}");
        assert!(m.note.contains("no interval: without one of the trials"), "{}", m.note);
        // One order in four puts the one spike beside the other.
        assert!((m.p_value.unwrap() - 0.25).abs() < 0.06, "{m:?}");
    }

    #[test]
    fn what_cannot_be_said_is_said_so() {
        let quiet = || recording(&[vec![], vec![5.0]], 100.0);
        let o = run(&JointPsth, &joined(vec![quiet(), quiet(), quiet()]), vec![], &[]).unwrap();
        assert!(metric(&o, "p.spikes[0], p.spikes[1]", "coincidence").note.contains("no bin in which both units vary"));
        assert!(run(&JointPsth, &quiet(), vec![], &[]).unwrap_err().to_string().contains("one trial"));
        let many = || recording(&vec![vec![1.0]; 9], 100.0);
        let told = run(&JointPsth, &joined(vec![many(), many()]), vec![], &[]).unwrap_err().to_string();
        assert!(told.contains("at most 8"), "{told}");
    }
}
