//! Interval statistics: CV, CV2, LV, LvR, Fano factor, and the distribution of intervals.

mod counts;

use super::prelude::*;
use counts::Counts;
use spikedeck_core::intervals::{Corrected, corrected_cv, cv, cv2, lv, lvr};
use spikedeck_core::number::{counted, shown};
use spikedeck_core::statistics::{dependent_error, mean, mean_interval, median, quantile, student_quantile_of};
use spikedeck_scenario::Subject;
use spikedeck_signal::{Axis, Distribution, ReferenceLine, Shape, UnitTable};

/// The analysis `isi`.
pub struct Isi;

const CARD: AnalysisCard = AnalysisCard {
    title: "Interval statistics",
    synonyms: &["cv", "cv2", "lv", "lvr", "local_variation", "interspike_intervals", "regularity"],
    summary: "CV, CV2, LV, LvR of interspike intervals, Fano factor of counts, and the interval distribution",
    formula: "CV = sd(I)/mean(I) (ddof 0)\nCV2 = 2⟨|I' − I|/(I' + I)⟩\nLV = 3⟨((I − I')/(I + I'))²⟩\nLvR = 3⟨(1 − 4 I \
              I'/(I + I')²)(1 + 4R/(I + I'))⟩\nFano = var(count)/mean(count) (ddof 1)",
    assumptions: "CV and Fano factor take the rate as constant over the window; CV2, LV and LvR only from one \
                  interval to the next. A population's value is the mean over units with at least two intervals (Fano \
                  factor: with at least one spike).",
    bias: "CV is biased downwards when the window holds few intervals; Poisson units with 4 intervals show 0.73 on \
           average, with 10 0.88. The value is not corrected, its interval is: it stands around the value less the \
           bias that the jackknife finds. Where that is more than the interval is wide there is a warning, and over \
           several units no interval: a window so short also holds intervals of the busiest units alone. Fano with \
           ddof 1 is unbiased for a Poisson process at any number of windows.",
    cost: "O(spikes)",
    caveats: "Slow changes of the rate raise CV and Fano factor, not CV2, LV and LvR. For a renewal process with long \
              windows Fano = CV²; bursts and slow rates break this. Intervals on a grid of dt are multiples of it. \
              Chance is the value of a Poisson process; for LvR that of one with dead time R.",
    references: &[
        "Holt, Softky, Koch, Douglas 1996, doi:10.1152/jn.1996.75.5.1806",
        "Shinomoto, Shima, Tanji 2003, doi:10.1162/089976603322518759",
        "Shinomoto and others 2009, doi:10.1371/journal.pcbi.1000433",
        "Nawrot and others 2008, doi:10.1016/j.jneumeth.2007.10.013",
    ],
};

options! {
    /// What `isi` can be told.
    pub struct Options {
        refractoriness: Time = time("5 ms").or(derived::TENTH).or_zero(), "R of LvR";
        fano_window: Time = time("100 ms").or(derived::TEN).piece(),
            "length of the windows that spikes are counted in for the Fano factor";
        ddof: usize = integer("1").between(0.0, 1.0), "divisor n − ddof of the count variance (1: unbiased; 0: as \
            Elephant)";
        min_intervals: usize = integer("2").between(2.0, 1e9), "units with fewer intervals are left out";
    }
}

impl Estimator for Isi {
    type Options = Options;
    const KIND: &'static str = "isi";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const LIVE: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_spiking(|f, s| {
            let unit = f.base.unit();
            let found = Found::of(f, s, o)?;
            let Found { zeros, n, sum, units, .. } = &found;
            f.units(found.table.clone());
            if *zeros > 0 {
                f.warn(format!(
                    "{}: {} of length zero (repeated spike times) left out",
                    s.text,
                    counted(*zeros, "interval", "intervals")
                ));
            }
            f.metric(if *n == 0 {
                Metric::missing(&s.text, "mean_isi", unit, 0, "no unit fired twice")
            } else {
                Metric::new(&s.text, "mean_isi", sum / *n as f64, unit, *n).note("all intervals of all units")
            });
            for measure in &MEASURES {
                f.metric(variability(&s.text, measure, units, o));
            }
            let words =
                (!units.lengths.is_empty()).then(|| format!("{}: CV {}", s.text, shown(mean(&units.values[0]))));
            let (fano, low_counts) = found.counts.fano(&s.text, o);
            if fano.value.is_some()
                && let Some(told) = found.counts.outside.told(&s.text, f.base)
            {
                f.warn(format!("{told} (Fano factor)"));
            }
            f.metric(fano);
            if low_counts {
                f.warn(format!(
                    "{}: fewer than one spike in four Fano windows; every sparse process looks like a Poisson one \
                     there",
                    s.text
                ));
            }
            if let Some((plain, middle)) = units.biased() {
                let typical = median(&units.lengths);
                f.warn(format!(
                    "{}: {typical} intervals in a typical unit bias CV by more than its uncertainty: {plain:.3}, less \
                     its bias {middle:.3}",
                    s.text
                ));
            }
            match &found.pooled {
                Some(pooled) if *n >= 2 => {
                    f.shape(format!("intervals of {}", s.text), Shape::Distribution(intervals(pooled, unit)));
                }
                Some(_) => {}
                None => f.warn(format!("{}: its intervals do not fit into memory, and are not drawn", s.text)),
            }
            if units.lengths.len() > 8 {
                let shape = Shape::Distribution(spread(&units.values[0], "CV", 1.0));
                f.shape(format!("CV of {}", s.text), shape);
            }
            if let Some(word) = words {
                f.word(word);
            }
            Ok(())
        })
    }
}

/// What the intervals of a subject give, found train by train.
struct Found {
    /// Intervals of length zero, which CV2, LV and LvR cannot take twice in a row.
    zeros: usize,
    /// Intervals of all units.
    n: u64,
    /// Their sum.
    sum: f64,
    /// They themselves, where they fit into memory.
    pooled: Option<Vec<f64>>,
    units: Units,
    counts: Counts,
    table: UnitTable,
}

impl Found {
    fn of(f: &Findings<'_>, s: &Subject, o: &Options) -> Result<Self, AnalysisError> {
        let window = f.recording.analysis_window();
        let in_memory = !subject::is_on_disk(f.request, s)?;
        let mut found = Self {
            zeros: 0,
            n: 0,
            // As a sum of none begins.
            sum: -0.0,
            pooled: in_memory.then(Vec::new),
            units: Units::default(),
            counts: Counts::new(window, o),
            table: UnitTable::new(&s.text, &measures(f.base.unit())),
        };
        subject::each_train(f.request, s, |unit, train| {
            let train = train.within(window);
            let all = train.windows(2).map(|w| w[1] - w[0]);
            let intervals: Vec<f64> = all.filter(|&i| i > 0.0).collect();
            found.zeros += train.len().saturating_sub(1) - intervals.len();
            found.n += intervals.len() as u64;
            found.sum = intervals.iter().fold(found.sum, |sum, i| sum + i);
            let fano = found.counts.look(&train, o);
            found.table.push(unit, row(&intervals, fano, o));
            if let Some(pooled) = &mut found.pooled {
                pooled.extend(&intervals);
            }
            if intervals.len() >= o.min_intervals {
                found.units.take(intervals, o);
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// A measure of the variability of intervals.
struct Measure {
    name: &'static str,
    /// Of intervals, with R.
    of: fn(&[f64], f64) -> f64,
    /// What gives 1.
    chance: &'static str,
    /// Whether it is of single intervals, and not of neighbours.
    single: bool,
}

/// The measures; CV is the first.
const MEASURES: [Measure; 4] = [
    Measure { name: "cv", of: |i, _| cv(i), chance: "chance: Poisson", single: true },
    Measure { name: "cv2", of: |i, _| cv2(i), chance: "chance: Poisson", single: false },
    Measure { name: "lv", of: |i, _| lv(i), chance: "chance: Poisson", single: false },
    Measure { name: "lvr", of: lvr, chance: "chance: Poisson with dead time R", single: false },
];

/// What the table of units has of each.
fn measures(unit: &str) -> [(&'static str, &str); 9] {
    [
        ("intervals", ""),
        ("mean_isi", unit),
        ("cv", ""),
        ("cv_low", ""),
        ("cv_high", ""),
        ("cv2", ""),
        ("lv", ""),
        ("lvr", ""),
        ("fano", ""),
    ]
}

/// The row of a unit in it.
fn row(intervals: &[f64], fano: Option<f64>, o: &Options) -> [Option<f64>; 9] {
    let enough = intervals.len() >= o.min_intervals;
    let [cv, cv2, lv, lvr] = MEASURES.each_ref().map(|m| enough.then(|| (m.of)(intervals, o.refractoriness.axis)));
    let corrected = corrected_cv(intervals).filter(|_| intervals.len() >= LEAST_INTERVALS.max(o.min_intervals));
    // An interval reaches to the value that it is of, as in `around`, and has width.
    let ends = corrected.zip(cv).map(|(c, cv)| (c.interval.0.min(cv), c.interval.1.max(cv)));
    let ends = ends.filter(|(low, high)| high - low > 1e-12 * high.abs());
    let n = intervals.len() as f64;
    let mean_isi = (!intervals.is_empty()).then(|| mean(intervals));
    [Some(n), mean_isi, cv, ends.map(|e| e.0), ends.map(|e| e.1), cv2, lv, lvr, fano]
}

/// What is kept of units with enough intervals.
#[derive(Default)]
struct Units {
    /// Numbers of intervals.
    lengths: Vec<f64>,
    /// A row for each of [`MEASURES`], a value a unit.
    values: [Vec<f64>; 4],
    corrected: Vec<Option<Corrected>>,
    /// The intervals, where there is one unit.
    only: Option<Vec<f64>>,
}

impl Units {
    fn take(&mut self, intervals: Vec<f64>, o: &Options) {
        for (values, measure) in self.values.iter_mut().zip(&MEASURES) {
            values.push((measure.of)(&intervals, o.refractoriness.axis));
        }
        self.corrected.push(corrected_cv(&intervals));
        self.lengths.push(intervals.len() as f64);
        self.only = (self.lengths.len() == 1).then_some(intervals);
    }

    /// How far the bias of CV goes beyond its uncertainty, if it does: the mean over units, and the same less its bias.
    fn biased(&self) -> Option<(f64, f64)> {
        let pairs = self.values[0].iter().zip(&self.corrected);
        let pairs: Vec<(f64, f64)> = pairs.filter_map(|(cv, c)| Some((*cv, c.as_ref()?.value))).collect();
        let corrected: Vec<f64> = pairs.iter().map(|p| p.1).collect();
        let (middle, low, high) = mean_interval(&corrected, 0.95);
        let plain = mean(&pairs.iter().map(|p| p.0).collect::<Vec<_>>());
        // Clocks have a CV of rounding alone, and a bias that is as large.
        ((plain < low || plain > high) && (plain - middle).abs() > NEGLIGIBLE).then_some((plain, middle))
    }
}

/// One measure of variability: mean over units with its t interval, or of one unit.
fn variability(subject: &str, measure: &Measure, units: &Units, o: &Options) -> Metric {
    let &Measure { name, of, chance, single } = measure;
    let at = MEASURES.iter().position(|m| m.name == name).expect("it is one of them");
    let values = &units.values[at];
    let n = units.lengths.iter().sum::<f64>() as u64;
    let chance = |m: Metric| m.chance(1.0).chance_by(chance);
    match (values.as_slice(), &units.only) {
        ([], _) => Metric::missing(subject, name, "", 0, format!("no unit has {} intervals", o.min_intervals)),
        ([value], Some(one)) => {
            let metric = chance(Metric::new(subject, name, *value, "", n));
            let found = if single {
                units.corrected[0].filter(|_| one.len() >= LEAST_INTERVALS).map(|c| c.interval)
            } else {
                // These are of neighbours: one value for each two intervals.
                let of_two = |w: &[f64]| of(w, o.refractoriness.axis);
                neighbours(&one.windows(2).map(of_two).collect::<Vec<_>>())
            };
            match found {
                Some((low, high)) if single => {
                    around(metric, low, high).interval_by("95 % interval by the jackknife, its bias taken off")
                }
                Some((low, high)) => {
                    metric.interval(low, high).interval_by("95 % interval (t), neighbours dependent on each other")
                }
                None => metric.note("no interval: too few intervals, or all alike"),
            }
        }
        _ => {
            let metric = chance(Metric::new(subject, name, mean(values), "", n));
            let metric = metric.note("n = intervals");
            let over = format!("mean and 95 % interval over {} units (t)", values.len());
            if !single {
                let (_, low, high) = mean_interval(values, 0.95);
                return metric.interval(low.max(0.0), high).interval_by(over);
            }
            // Units without a correction have three intervals at most, or intervals that are all alike.
            let corrected: Vec<f64> =
                units.corrected.iter().zip(values).map(|(c, plain)| c.map_or(*plain, |c| c.value)).collect();
            let (middle, low, high) = mean_interval(&corrected, 0.95);
            // Where the bias is more than the uncertainty, a correction of the first order does not reach the truth.
            if units.biased().is_some() {
                return metric.note(over).note(format!(
                    "no interval: {} intervals in a typical unit make the value too low by more than its uncertainty \
                     (about {:.3}, jackknife)",
                    median(&units.lengths),
                    middle - mean(values)
                ));
            }
            around(metric, low.max(0.0), high)
                .interval_by(over)
                .note(format!("interval of the value less its bias, {middle:.3} (jackknife)"))
        }
    }
}

/// The interval of the mean of values for each two neighbouring intervals: neighbours share one, so that each value
/// depends on the next.
fn neighbours(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < LEAST_NEIGHBOURS {
        return None;
    }
    let (error, freedom) = dependent_error(values, 2)?;
    let (middle, half) = (mean(values), student_quantile_of(freedom) * error);
    Some(((middle - half).max(0.0), middle + half))
}

/// Values that this needs: of 40 the intervals held the truth in 85 to 89 %.
const LEAST_NEIGHBOURS: usize = 60;

/// Intervals of one unit that the interval of its CV needs.
const LEAST_INTERVALS: usize = 20;

/// The interval of a corrected value, which reaches to the plain one where that lies outside.
fn around(metric: Metric, low: f64, high: f64) -> Metric {
    match metric.value {
        Some(plain) => metric.interval(low.min(plain), high.max(plain)),
        None => metric,
    }
}

/// Bias of CV that no reader of three digits sees.
const NEGLIGIBLE: f64 = 5e-4;

/// Interval histogram up to the 99th percentile in 60 bins, beside that of a Poisson process of the same mean.
fn intervals(pooled: &[f64], unit: &str) -> Distribution {
    let mut sorted = pooled.to_vec();
    sorted.sort_by(f64::total_cmp);
    let m = mean(pooled);
    let most = quantile(&sorted, 0.99).max(1.05 * sorted[0]);
    let bins = ((pooled.len() as f64).sqrt().ceil() as usize).clamp(5, 60);
    let edges: Vec<f64> = (0..=bins).map(|k| most * k as f64 / bins as f64).collect();
    let mut counts = vec![0.0; bins];
    for i in sorted.iter().take_while(|i| **i <= most) {
        counts[((i / most * bins as f64) as usize).min(bins - 1)] += 1.0;
    }
    let mut references = vec![ReferenceLine { name: "mean".into(), at: m, vertical: true }];
    let beyond = pooled.len() - counts.iter().sum::<f64>() as usize;
    if beyond > 0 {
        let name = format!("{beyond} of {} are longer", pooled.len());
        references.push(ReferenceLine { name, at: most, vertical: true });
    }
    let n = pooled.len() as f64;
    let poisson = edges.windows(2).map(|e| n * ((-e[0] / m).exp() - (-e[1] / m).exp())).collect();
    Distribution {
        x: Axis::new("interval", unit),
        y: Axis::new("count", ""),
        edges,
        heights: vec![("intervals".into(), counts), ("Poisson of the same mean".into(), poisson)],
        references,
    }
}

/// Histogram of a value over units, with its chance level.
fn spread(values: &[f64], label: &str, chance: f64) -> Distribution {
    let most = values.iter().copied().fold(chance, f64::max) * 1.02;
    let bins = 30;
    let mut heights = vec![0.0; bins];
    for v in values.iter().filter(|v| v.is_finite()) {
        heights[((v / most * bins as f64) as usize).min(bins - 1)] += 1.0;
    }
    Distribution {
        x: Axis::new(label, ""),
        y: Axis::new("units", ""),
        edges: (0..=bins).map(|k| most * k as f64 / bins as f64).collect(),
        heights: vec![("units".into(), heights)],
        references: vec![ReferenceLine { name: "Poisson".into(), at: chance, vertical: true }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{gamma, metric, poisson, recording, run, same_values, shifted, subject, value};
    use spikedeck_scenario::OptionValue;

    /// ground-truth.md C10, in milliseconds.
    #[test]
    fn four_intervals() {
        let train = vec![100.0, 400.0, 4900.0, 11600.0, 20900.0];
        let o = run(&Isi, &recording(&[train], 21000.0), vec![subject("spikes", &[])], &[]).unwrap();
        for (name, expected) in [("cv", 0.634615385), ("cv2", 0.822619048), ("lv", 0.830615434), ("lvr", 0.833907446)] {
            assert!((value(&o, "p.spikes", name) - expected).abs() < 6e-10, "{name}");
            assert_eq!(metric(&o, "p.spikes", name).chance, Some(1.0));
        }
        // Four intervals have no interval.
        assert!(metric(&o, "p.spikes", "cv").ci_low.is_none() && metric(&o, "p.spikes", "lv").ci_low.is_none());
    }

    /// Regular trains however short, and long Poisson ones, are not warned of; many short Poisson ones are.
    #[test]
    fn the_warning_of_a_bias_can_be_avoided() {
        let few = |trains: Vec<Vec<f64>>, stop: f64| {
            let o = run(&Isi, &recording(&trains, stop), vec![], &[]).unwrap();
            o.warnings.iter().any(|w| w.contains("bias CV"))
        };
        assert!(!few((0..4).map(|u| gamma(7, u, 30, 20.0, 400.0)).collect(), 400.0));
        assert!(!few((0..20).map(|u| poisson(7, u, 20.0, 100_000.0)).collect(), 100_000.0));
        assert!(few((0..200).map(|u| poisson(7, u, 20.0, 400.0)).collect(), 400.0));
    }

    /// An interval never has its value on its edge: where the bias of few intervals is more than the uncertainty there
    /// is none, and why.
    #[test]
    fn the_value_is_inside_its_interval() {
        for (count, stop) in [(200, 400.0), (200, 1000.0), (20, 2000.0), (20, 10_000.0), (2, 1000.0)] {
            let trains: Vec<Vec<f64>> = (0..count).map(|u| poisson(11, u, 20.0, stop)).collect();
            let o = run(&Isi, &recording(&trains, stop), vec![], &[]).unwrap();
            let m = metric(&o, "p.spikes", "cv");
            match m.ends() {
                Some((low, high)) => assert!(m.value > Some(low) && m.value < Some(high), "{count} {stop}: {m:?}"),
                None => assert!(m.note.contains("intervals in a typical unit make the value too low"), "{m:?}"),
            }
            assert_eq!(m.ends().is_none(), o.warnings.iter().any(|w| w.contains("bias CV")));
        }
    }

    /// ground-truth.md C2, last line: gamma renewal processes of shape 1 to 4.
    #[test]
    fn gamma_renewal() {
        let expected = [
            (1, 1.0, 1.0, 1.0),
            (2, std::f64::consts::FRAC_1_SQRT_2, 0.75, 0.6),
            (3, 0.57735, 0.625, 0.428571),
            (4, 0.5, 0.546875, 0.333333),
        ];
        for (shape, cv, cv2, lv) in expected {
            let trains: Vec<Vec<f64>> = (0..20).map(|u| gamma(7, u, shape, 20.0, 100_000.0)).collect();
            let o = run(&Isi, &recording(&trains, 100_000.0), vec![], &[("fano_window", OptionValue::Number(1.0))])
                .unwrap();
            for (name, e) in [("cv", cv), ("cv2", cv2), ("lv", lv)] {
                let m = metric(&o, "p.spikes", name);
                assert!((m.value.unwrap() - e).abs() < 0.01, "shape {shape} {name} {:?} {e}", m.value);
                assert!((m.ci_high.unwrap() - m.ci_low.unwrap()) < 0.03);
            }
            // Long windows: Fano is CV² plus a term of order 1/(rate window).
            let correction = (1.0 - cv.powi(4)) / 6.0 / 20.0;
            assert!(
                (value(&o, "p.spikes", "fano") - cv * cv - correction).abs() < 0.04,
                "shape {shape} {}",
                value(&o, "p.spikes", "fano")
            );
        }
    }

    #[test]
    fn poisson_fano_is_one_with_ddof_1_even_with_few_windows() {
        let trains: Vec<Vec<f64>> = (0..4000).map(|u| poisson(8, u, 40.0, 400.0)).collect();
        let r = recording(&trains, 400.0);
        let one = value(&run(&Isi, &r, vec![], &[]).unwrap(), "p.spikes", "fano");
        let zero = value(&run(&Isi, &r, vec![], &[("ddof", OptionValue::Integer(0))]).unwrap(), "p.spikes", "fano");
        assert!((one - 1.0).abs() < 0.04, "{one}");
        assert!((zero / one - 0.75).abs() < 1e-9);
    }

    #[test]
    fn fewer_than_two_intervals_is_missing_not_zero() {
        let o = run(&Isi, &recording(&[vec![10.0, 20.0]], 1000.0), vec![], &[]).unwrap();
        for name in ["cv", "cv2", "lv", "lvr"] {
            let m = metric(&o, "p.spikes", name);
            assert_eq!(m.value, None);
            assert!(m.note.contains("2 intervals"));
        }
        let o = run(&Isi, &recording(&[vec![], vec![]], 1000.0), vec![], &[]).unwrap();
        assert_eq!(metric(&o, "p.spikes", "fano").value, None);
        assert_eq!(metric(&o, "p.spikes", "mean_isi").value, None);
    }

    #[test]
    fn blind_to_absolute_time_and_to_the_order_of_units() {
        let mut trains: Vec<Vec<f64>> = (0..12).map(|u| gamma(9, u, 2, 15.0, 8192.0)).collect();
        let r = recording(&trains, 8192.0);
        let o = run(&Isi, &r, vec![], &[]).unwrap();
        same_values(&o, &run(&Isi, &shifted(&r, 65536.0), vec![], &[]).unwrap(), 1e-8);
        trains.rotate_left(5);
        same_values(&o, &run(&Isi, &recording(&trains, 8192.0), vec![], &[]).unwrap(), 1e-12);
    }
}
