//! Correlation dimension: how the number of pairs of points that are close grows with how close.

use super::prelude::*;
use super::series::embedded::EmbeddingOptions;
use super::series::{self, Series};
use spikedeck_core::correlation_sum::{PairDistances, pair_distances};
use spikedeck_core::fluctuation::line;
use spikedeck_core::number::shown;
use spikedeck_core::statistics::deviation;
use spikedeck_core::surrogate::jackknife_interval;
use spikedeck_signal::{Axis, CurveStyle, NamedShape, Series as Curves, Shape};

/// `kind = "correlation_dimension"`.
#[derive(Debug, Clone, Copy)]
pub struct CorrelationDimension;

const CARD: AnalysisCard = AnalysisCard {
    title: "Correlation dimension",
    synonyms: &["grassberger_procaccia", "fractal_dimension"],
    summary: "of how many dimensions an attractor is: the exponent by which close pairs become more with distance",
    formula: "C(r) = share of pairs (more than `theiler` apart in time) with ‖X_i − X_j‖ < r (maximum norm)\n\
              dimension = slope of ln C against ln r where `lowest` ≤ C ≤ `highest`",
    assumptions: "A deterministic, stationary series, more coordinates than dimensions, and many points: 10^(d/2) and \
                  more for d dimensions. The slope is the same over the range of r looked at.",
    bias: "Edges of the attractor lower the slope at large r, noise raises it to the number of coordinates at small r.",
    cost: "O(points²)",
    caveats: "No slope without its curve: look whether the local slope is flat over the range. Of noise the \
              dimension is \
              the number of coordinates, and rises with it; of what has memory (1/f noise) it stays finite without any \
              attractor: compare with surrogates of the same spectrum. The interval, by leaving out blocks of \
              points, is \
              that of this slope over this range.",
    references: &[
        "Grassberger, Procaccia 1983, Physica D 9:189-208, doi:10.1016/0167-2789(83)90298-1",
        "Theiler 1986, Phys Rev A 34:2427-2432, doi:10.1103/PhysRevA.34.2427",
        "Eckmann, Ruelle 1992, Physica D 56:185-187 (how many points), doi:10.1016/0167-2789(92)90023-G",
        "Osborne, Provenzale 1989, Physica D 35:357-381 (noise), doi:10.1016/0167-2789(89)90075-4",
    ],
};

/// Samples that a dimension needs.
const LEAST: usize = 200;
/// Points that are looked at.
const MOST: usize = 6000;
/// Classes of distance.
const CLASSES: usize = 60;
/// Blocks of points that the interval rests on.
const BLOCKS: usize = 10;
/// Pairs that the smallest distance of the range holds at the least.
const LEAST_PAIRS: f64 = 50.0;

options! {
    /// What `correlation_dimension` can be told.
    pub struct Options {
        unfolded: EmbeddingOptions = shared();
        lowest: f64 = number("0.0005").between(1e-9, 1.0), "C at the lower end of the range of r";
        highest: f64 = number("0.05").between(1e-9, 1.0), "C at its upper end";
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for CorrelationDimension {
    type Options = Options;
    const KIND: &'static str = "correlation_dimension";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        if o.lowest >= o.highest {
            return Err(AnalysisError::Unsuitable(format!(
                "`lowest` ({}) is not below `highest` ({})",
                shown(o.lowest),
                shown(o.highest)
            )));
        }
        let wanted = [("dimension", ""), ("r_squared", "")];
        let (mut sums, mut slopes) = (Vec::new(), Vec::new());
        series::each(f, o.bin, LEAST, &wanted, |f, s| {
            let chosen = o.unfolded.of(s)?;
            f.progress(0.3)?;
            let kept = &s.values[..s.values.len().min(MOST + chosen.embedding.span())];
            let points = chosen.embedding.points(kept.len());
            if points < LEAST + 2 * chosen.window {
                let why = format!("{points} points, with none within {} samples, are too few", chosen.window);
                f.metrics(wanted.iter().map(|(metric, unit)| s.missing(metric, unit, &why)));
                return Ok(());
            }
            if kept.len() < s.values.len() {
                f.warn(format!("{}: the first {} of {} samples are looked at", s.name, kept.len(), s.n()));
            }
            let sd = deviation(kept, 0);
            let ends = (1e-4 * sd, 10.0 * sd, CLASSES);
            let found = pair_distances(kept, chosen.embedding, chosen.window, ends, BLOCKS);
            let sum = found.sum();
            sums.push(drawn(&s.name, &found, sd, |k| Some(sum[k])));
            slopes.push(drawn(&s.name, &found, sd, |k| local(&found, &sum, k)));
            match Range::of(&found, &sum, o) {
                Err(why) => f.metrics(wanted.iter().map(|(metric, unit)| s.missing(metric, unit, &why))),
                Ok(range) => tell(f, s, &range, &found, sd, &format!("{}; n = points", chosen.how), points as u64),
            }
            Ok(())
        })?;
        if !sums.is_empty() {
            let x = || Axis::new("distance", "sd").log();
            let curves = |curves, y| Shape::Series(Curves { x: x(), y, curves, references: Vec::new() });
            f.shapes([
                NamedShape::new("correlation sum", curves(sums, Axis::new("C", "").log())),
                NamedShape::new("local slopes", curves(slopes, Axis::new("slope", ""))),
            ]);
        }
        Ok(())
    }
}

/// A curve against distance in standard deviations, where it has values above zero.
fn drawn(name: &str, found: &PairDistances, sd: f64, y: impl Fn(usize) -> Option<f64>) -> spikedeck_signal::Curve {
    let known = (0..found.radii.len()).filter_map(|k| Some((found.radii[k] / sd, y(k).filter(|v| *v > 0.0)?)));
    let (x, y) = known.unzip();
    curve(name, x, y, CurveStyle::Line)
}

/// Slope over the two classes around one.
fn local(found: &PairDistances, sum: &[f64], k: usize) -> Option<f64> {
    let (a, b) = (k.checked_sub(1)?, (k + 1 < sum.len()).then_some(k + 1)?);
    (sum[a] * found.total as f64 >= LEAST_PAIRS && sum[b] < 1.0)
        .then(|| (sum[b] / sum[a]).ln() / (found.radii[b] / found.radii[a]).ln())
}

/// The classes over which the slope is taken.
struct Range {
    from: usize,
    to: usize,
    slope: f64,
    share: f64,
}

impl Range {
    fn of(found: &PairDistances, sum: &[f64], o: &Options) -> Result<Self, String> {
        let least = o.lowest.max(LEAST_PAIRS / found.total as f64);
        let from = sum.partition_point(|c| *c < least);
        let beyond = sum.partition_point(|c| *c <= o.highest);
        if beyond < from + 4 {
            return Err(format!(
                "between C = {} and C = {} lie fewer than 4 distances: few distinct values, or few points",
                shown(least),
                shown(o.highest)
            ));
        }
        let to = beyond - 1;
        let (slope, _, share) = through(found, sum, from, to);
        Ok(Self { from, to, slope, share })
    }
}

fn through(found: &PairDistances, sum: &[f64], from: usize, to: usize) -> (f64, f64, f64) {
    let ln = |v: &[f64]| v[from..=to].iter().map(|v| v.ln()).collect::<Vec<f64>>();
    line(&ln(&found.radii), &ln(sum), &vec![1.0; to - from + 1])
}

fn tell(f: &mut Findings<'_>, s: &Series, range: &Range, found: &PairDistances, sd: f64, how: &str, points: u64) {
    let over = format!(
        "slope from r = {} to {} sd, R² {:.4}",
        shown(found.radii[range.from] / sd),
        shown(found.radii[range.to] / sd),
        range.share
    );
    let left_out: Vec<f64> =
        found.sums_without().iter().map(|sum| through(found, sum, range.from, range.to).0).collect();
    let m = s.metric("dimension", range.slope, "", points).note(over).note(how);
    f.metric(match jackknife_interval(range.slope, &left_out) {
        Some((low, high)) => m
            .interval(low.max(0.0), high)
            .interval_by(format!("95 % interval of this slope by leaving out each of {BLOCKS} blocks of points")),
        None => m.note("no interval: without a block no pair is so near"),
    });
    let classes = (range.to - range.from + 1) as u64;
    f.metric(s.metric("r_squared", range.share, "", classes).note("of the line; n = distances"));
    f.word(format!("{}: correlation dimension {}", s.name, shown(range.slope)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, henon, lorenz, noise};
    use crate::testing::{metric, run, subject, traces, value};
    use spikedeck_scenario::OptionValue;

    fn of(values: Vec<f64>, options: &[(&'static str, OptionValue)]) -> crate::Outcome {
        run(&CorrelationDimension, &traces(&[values], 1.0), vec![subject("V_m", &[])], options).unwrap()
    }

    /// Hénon: 1.22 (Grassberger and Procaccia 1983: 1.21; Sprott and Rowlands 2001: 1.220); Lorenz: 2.05; a circle: 1.
    #[test]
    fn dimensions_that_are_known() {
        let d = value(&of(henon(4000), &[]), "p.V_m", "dimension");
        assert!((d - 1.22).abs() < 0.06, "{d}");
        let d = value(&of(lorenz(6000, 0.05), &[("dimension", OptionValue::Integer(4))]), "p.V_m", "dimension");
        assert!((d - 2.05).abs() < 0.15, "{d}");
        let sine: Vec<f64> = (0..4000).map(|k| (f64::from(k) * 0.123).sin()).collect();
        let d = value(&of(sine, &[("dimension", OptionValue::Integer(2))]), "p.V_m", "dimension");
        assert!((d - 1.0).abs() < 0.06, "{d}");
    }

    #[test]
    fn noise_fills_its_coordinates() {
        let o = of(noise(1, 3000), &[("dimension", OptionValue::Integer(2))]);
        let m = metric(&o, "p.V_m", "dimension");
        assert!((m.value.unwrap() - 2.0).abs() < 0.12 && m.ends().is_some(), "{m:?}");
    }

    #[test]
    fn bad_input_is_missing() {
        bad_series(&CorrelationDimension, "dimension");
        let options = [("lowest", OptionValue::Number(0.5)), ("highest", OptionValue::Number(0.1))];
        let r = traces(&[noise(1, 300)], 1.0);
        let e = run(&CorrelationDimension, &r, vec![subject("V_m", &[])], &options).unwrap_err().to_string();
        assert!(e.contains("not below"), "{e}");
    }
}
