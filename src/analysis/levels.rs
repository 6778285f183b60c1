//! Levels of a state: extremes, mean, spread, and the period of what oscillates about its middle.

use super::prelude::*;
use super::stretches;
use spikedeck_core::number::counted;
use spikedeck_core::statistics::{correlation_time, deviation, mean, mean_interval_above};
use spikedeck_core::units::brief;
use spikedeck_scenario::Observable;
use spikedeck_signal::{Axis, Distribution, Shape, TimeBase, UnitTable};

/// Extremes, mean, spread and period of a state.
pub struct Levels;

const CARD: AnalysisCard = AnalysisCard {
    title: "Levels",
    synonyms: &["mean", "variance", "amplitude", "peak_to_peak"],
    summary: "minimum, maximum, mean, spread and period of a state",
    formula: "mean = Σx/N;  sd² = Σ(x − mean)²/(N − 1);  period = mean interval between upward crossings of (max + \
              min)/2, \
              interpolated linearly; a crossing counts only after the state has been below the lower quartile of its \
              range",
    assumptions: "The stretch after the transient is stationary; for the period, one swing up and down a cycle.",
    bias: "Extremes are those of the samples: between samples the state may have gone further, by about x''·Δ²/8.",
    cost: "O(N) a column",
    caveats: "A drifting state has a mean and a spread that depend on the window. Bursts count as one cycle or as \
              many, depending on \
              whether the state falls below the lower quartile of its range between spikes.",
    references: &["Flyvbjerg, Petersen 1989, J Chem Phys 91:461-466 (intervals from blocks), doi:10.1063/1.457480"],
};

const BINS: usize = 50;
/// Blocks of the window that an interval is over.
const BLOCKS: usize = 10;
/// Independent stretches that the window must hold for the blocks of it to be independent.
const LEAST_STRETCHES: f64 = 20.0;
/// Columns whose correlation time is looked at.
const MOST_TIMED: usize = 32;

options! {
    /// What `levels` can be told.
    pub struct Options {
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for Levels {
    type Options = Options;
    const KIND: &'static str = "levels";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const LIVE: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_subject(|f, s| {
            let columns = subject::columns(f.request, s, o.bin)?;
            let all: Vec<f64> = columns.columns.iter().flatten().copied().filter(|v| v.is_finite()).collect();
            let n = all.len() as u64;
            if all.len() < 2 {
                f.metric(Metric::missing(&s.text, "mean", &columns.unit, n, "needs two samples"));
                return Ok(());
            }
            let (least, greatest) =
                all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, g), &v| (l.min(v), g.max(v)));
            // Samples of one trace depend on each other, and so may units at one time; ten blocks of the window are
            // close to independent.
            let together: Vec<f64> = (0..columns.len())
                .map(|k| mean(&columns.columns.iter().map(|c| c[k]).filter(|v| v.is_finite()).collect::<Vec<_>>()))
                .filter(|v| v.is_finite())
                .collect();
            let ends = stretches::mean_about(&together, BLOCKS);
            let timed = columns.columns.iter().take(MOST_TIMED);
            let independent = timed.map(|c| independent(c)).fold(f64::INFINITY, f64::min);
            let number = |name: &str, value: f64| Metric::new(&s.text, name, value, &columns.unit, n);
            f.metric(number("min", least).note("n = samples"));
            f.metric(number("max", greatest).note("n = samples"));
            f.metric(number("range", greatest - least).note("max - min"));
            f.metric(match ends {
                _ if independent < LEAST_STRETCHES => number("mean", mean(&all)).note(format!(
                    "no interval: the state changes so slowly that the window holds {independent:.1} independent \
                     stretches (fewer than {LEAST_STRETCHES})"
                )),
                None => number("mean", mean(&all)).note("no interval: fewer than two times have a value"),
                Some((low, high)) => {
                    // Where values are missing, units count by how many they have.
                    let moved = mean(&all) - mean(&together);
                    // A rate that is not filtered is never negative.
                    let least = if least >= 0.0 && s.what == Observable::Rate { 0.0 } else { f64::NEG_INFINITY };
                    let over = format!("95 % interval over {} blocks of the window", BLOCKS.min(together.len()));
                    number("mean", mean(&all)).interval((low + moved).max(least), high + moved).interval_by(over)
                }
            });
            f.metric(number("sd", deviation(&all, 1)).note("ddof 1"));
            let cycles: Vec<f64> = columns
                .columns
                .iter()
                .flat_map(|c| periods(c, least, greatest))
                .map(|p| p * columns.interval)
                .collect();
            f.metric(period(&s.text, &cycles, f.base));
            f.units(by_unit(&columns, f.base));
            if all.len() < 20 {
                f.warn(format!("{}: {} few", s.text, counted(all.len(), "sample is", "samples are")));
            }
            f.word(format!("{} from {} to {} {}", s.text, brief(least), brief(greatest), columns.unit));
            f.shape(&s.text, histogram(&s.text, &columns, &all, least, greatest));
            Ok(())
        })
    }
}

/// The same numbers of each unit; its period is between crossings of its own middle. Empty where there are no units.
fn by_unit(columns: &subject::Columns, base: TimeBase) -> UnitTable {
    let unit = columns.unit.as_str();
    let measures = [
        ("samples", ""),
        ("min", unit),
        ("max", unit),
        ("range", unit),
        ("mean", unit),
        ("sd", unit),
        ("cycles", ""),
        ("period", base.unit()),
    ];
    let mut table = UnitTable::new(&columns.subject, &measures);
    for (&unit, column) in columns.units.iter().zip(&columns.columns) {
        let known: Vec<f64> = column.iter().copied().filter(|v| v.is_finite()).collect();
        let (least, most) = known.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), &v| (l.min(v), m.max(v)));
        let some = |v: f64| (!known.is_empty()).then_some(v);
        let cycles: Vec<f64> = periods(column, least, most).into_iter().map(|p| p * columns.interval).collect();
        table.push(
            unit,
            [
                Some(known.len() as f64),
                some(least),
                some(most),
                some(most - least),
                some(mean(&known)),
                (known.len() > 1).then(|| deviation(&known, 1)),
                Some(cycles.len() as f64),
                (cycles.len() > 1).then(|| mean(&cycles)),
            ],
        );
    }
    table.names = (!columns.names.is_empty()).then(|| columns.names.clone());
    table
}

/// How many independent samples of its mean a column is worth: its samples over the time that they are correlated.
fn independent(column: &[f64]) -> f64 {
    let finite: Vec<f64> = column.iter().copied().filter(|v| v.is_finite()).collect();
    finite.len() as f64 / correlation_time(&finite)
}

/// Standard deviation of cycles over their mean, at most, for an interval of the period.
const MOST_SCATTER: f64 = 0.5;

fn period(name: &str, cycles: &[f64], base: TimeBase) -> Metric {
    if cycles.len() < 2 {
        return Metric::missing(
            name,
            "period",
            base.unit(),
            cycles.len() as u64,
            "needs three upward crossings of the middle",
        );
    }
    let metric = Metric::new(name, "period", mean(cycles), base.unit(), cycles.len() as u64)
        .note("n = cycles between upward crossings of (max + min)/2")
        .interval_by("95 % interval across cycles");
    // The level that noise crosses follows its extremes, and so does how often it is crossed.
    if deviation(cycles, 1) > MOST_SCATTER * mean(cycles) {
        return metric.note("no interval: cycles differ by more than half of their mean, there is no steady period");
    }
    match mean_interval_above(cycles, 0.0, 0.95) {
        Some((low, high)) => metric.interval(low, high),
        None => metric,
    }
}

/// Lengths, in samples, of the cycles between upward crossings of the middle.
fn periods(values: &[f64], least: f64, greatest: f64) -> Vec<f64> {
    let range = greatest - least;
    // A constant state crosses its middle by rounding only.
    if range <= 1e-9 * greatest.abs().max(least.abs()) {
        return Vec::new();
    }
    let (middle, armed_below) = (least + 0.5 * range, least + 0.25 * range);
    let mut armed = false;
    let mut crossings = Vec::new();
    for (k, w) in values.windows(2).enumerate() {
        armed |= w[0] < armed_below;
        if armed && w[0] < middle && w[1] >= middle {
            crossings.push(k as f64 + (middle - w[0]) / (w[1] - w[0]));
            armed = false;
        }
    }
    crossings.windows(2).map(|w| w[1] - w[0]).collect()
}

fn histogram(name: &str, columns: &subject::Columns, values: &[f64], least: f64, greatest: f64) -> Shape {
    let width = if greatest > least { (greatest - least) / BINS as f64 } else { 1.0 };
    let mut heights = vec![0.0; BINS];
    for v in values {
        heights[(((v - least) / width) as usize).min(BINS - 1)] += 1.0 / values.len() as f64;
    }
    Shape::Distribution(Distribution {
        x: Axis::new(columns.label.clone(), columns.unit.clone()),
        y: Axis::new("share of samples", ""),
        edges: (0..=BINS).map(|i| least + i as f64 * width).collect(),
        heights: vec![(name.to_owned(), heights)],
        references: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{metric, run, subject, traces};
    use super::*;

    #[test]
    fn a_sine_has_its_amplitude_and_period() {
        let wave: Vec<f64> =
            (0..10_000).map(|k| 3.0 + 2.0 * (std::f64::consts::TAU * f64::from(k) / 137.3).sin()).collect();
        let o = run(&Levels, &traces(&[wave], 0.5), vec![subject("V_m", &[])], &[]).unwrap();
        let value = |name| metric(&o, "p.V_m", name).value.unwrap();
        assert!((value("min") - 1.0).abs() < 1e-3 && (value("max") - 5.0).abs() < 1e-3);
        assert!((value("period") - 137.3 * 0.5).abs() < 1e-3, "{}", value("period"));
        assert!((value("sd") - 2f64.sqrt()).abs() < 0.01);
        let m = metric(&o, "p.V_m", "mean");
        assert!(m.ci_low.unwrap() < 3.0 && m.ci_high.unwrap() > 3.0);
    }

    /// Whatever number of samples does not fit into the blocks, and wherever they are: the interval holds the value.
    #[test]
    fn an_interval_is_about_its_value() {
        let unlike = |n: usize, late: f64| -> Vec<f64> {
            (0..n).map(|k| if k + 17 >= n { late } else { f64::from(u8::from(k % 3 == 0)) }).collect()
        };
        for n in (1000..1020).chain([18_999]) {
            for late in [0.0, 100.0, -1000.0] {
                let o = run(&Levels, &traces(&[unlike(n, late)], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
                let m = metric(&o, "p.V_m", "mean");
                if let Some((low, high)) = m.ends() {
                    assert!(low <= m.value.unwrap() && m.value.unwrap() <= high, "{n} {late}: {m:?}");
                } else {
                    assert!(m.note.contains("no interval"), "{n} {late}: {m:?}");
                }
            }
        }
        let sine: Vec<f64> = (0..18_999).map(|k| (std::f64::consts::TAU * f64::from(k) / 100.0).sin()).collect();
        let o = run(&Levels, &traces(&[sine], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        let m = metric(&o, "p.V_m", "mean");
        let (low, high) = m.ends().unwrap();
        assert!(low < m.value.unwrap() && m.value.unwrap() < high, "{m:?}");
    }

    #[test]
    fn a_constant_has_no_period() {
        let o = run(&Levels, &traces(&[vec![-65.0; 100]], 0.5), vec![subject("V_m", &[])], &[]).unwrap();
        let m = metric(&o, "p.V_m", "period");
        assert_eq!(m.value, None);
        assert!(m.note.contains("crossings"));
        assert_eq!(metric(&o, "p.V_m", "max").value, Some(-65.0));
    }
}
