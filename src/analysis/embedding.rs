//! How to unfold a series: the delay at which a sample says little of the next, and the number of coordinates in which
//! neighbours are neighbours.

use super::prelude::*;
use super::series::embedded::{EmbeddingOptions, FALSE, delays, dimensions};
use super::series::{self, Series};
use spikedeck_core::delay::{Embedding, MOST_DIMENSIONS, mean_period};
use spikedeck_core::number::counted;
use spikedeck_signal::{Axis, CurveStyle, NamedShape, ReferenceLine, Series as Curves, Shape, TimeBase};

/// `kind = "embedding"`.
#[derive(Debug, Clone, Copy)]
pub struct UnfoldedSeries;

const CARD: AnalysisCard = AnalysisCard {
    title: "Delay embedding",
    synonyms: &["false_nearest_neighbours", "false_nearest_neighbors", "fnn", "takens", "delay_embedding"],
    summary: "delay and dimension that unfold a series: mutual information with itself, false nearest neighbours",
    formula: "delay: first minimum of I(x_t; x_{t+τ}), by bins with equal shares (Miller-Madow)\n\
              false: of a nearest neighbour (Euclidean) in d coordinates at distance R, |x_{i+dτ} − x_{j+dτ}| > 15 \
              R, or \
              a distance in d + 1 coordinates above 2 standard deviations\n\
              dimension: the fewest d with less than 1 % of them",
    assumptions: "A stationary series of some thousand samples of a system with few degrees of freedom, sampled \
                  several \
                  times a period (or a map, sampled at every step).",
    bias: "Noise of a few percent makes neighbours false in every dimension; few samples make none near, which \
           counts as \
           false by the second criterion.",
    cost: "O(N · lags + N log N · dimensions)",
    caveats: "Any of these is a recipe: what is concluded should hold for neighbouring delays and dimensions too. Of \
              maps \
              the information falls from the first lag on, so that a series that correlates by less than 1/e with its \
              next sample has a delay of one sample. A recurring stimulus unfolds as well as chaos does.",
    references: &[
        "Fraser, Swinney 1986, Phys Rev A 33:1134-1140, doi:10.1103/PhysRevA.33.1134",
        "Kennel, Brown, Abarbanel 1992, Phys Rev A 45:3403-3411, doi:10.1103/PhysRevA.45.3403",
        "Takens 1981, Lect Notes Math 898:366-381, doi:10.1007/BFb0091924",
        "Theiler 1986, Phys Rev A 34:2427-2432, doi:10.1103/PhysRevA.34.2427",
    ],
};

/// Samples that delays and neighbours need.
const LEAST: usize = 100;

options! {
    /// What `embedding` can be told.
    pub struct Options {
        delay: Option<Time> = time_if_given(), "delay of the coordinates whose neighbours are looked at (default: \
        that found)";
        theiler: Option<Time> = time_if_given().or_zero(),
            "points at most this far apart in time are no neighbours (default: the mean period)";
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for UnfoldedSeries {
    type Options = Options;
    const KIND: &'static str = "embedding";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let wanted = [("delay", f.base.unit()), ("dimension", "")];
        let (mut of_lags, mut of_dimensions, mut chance) = (Vec::new(), Vec::new(), 0.0_f64);
        series::each(f, o.bin, LEAST, &wanted, |f, s| {
            let found = delays(&s.values);
            let delay = o.delay.map_or(Ok(found.delay), |time| s.samples("delay", time))?.max(1);
            let window = EmbeddingOptions { delay: None, dimension: None, theiler: o.theiler }.window(s)?;
            f.progress(0.3)?;
            let (shares, dimension, why) = dimensions(&s.values, delay, window);
            let single = "no interval: one recipe, one answer";
            let unit = s.base.unit();
            f.metric(s.metric("delay", s.axis(found.delay as f64), unit, s.n()).note(found.why).note(single));
            f.metric(below_e(s, &found.correlation, single));
            f.metric(
                s.metric("mean_period", s.axis(mean_period(&s.values)), unit, s.n())
                    .note("one over the mean frequency of the spectrum"),
            );
            let points = Embedding { dimension, delay }.points(s.values.len()).saturating_sub(delay) as u64;
            f.metric(s.metric("dimension", dimension as f64, "", points).note(why).note(single));
            f.metric(false_share(s, shares[dimension - 1], points));
            if shares[dimension - 1] >= FALSE {
                f.warn(format!(
                    "{}: in no dimension up to {} are less than 1 % of the neighbours false: noise, or more degrees of \
                     freedom than {} samples show",
                    s.name,
                    shares.len().min(MOST_DIMENSIONS),
                    s.n()
                ));
            }
            f.word(format!("{}: delay {}, dimension {dimension}", s.name, counted(found.delay, "sample", "samples")));
            let lags = |first: usize, n: usize| (first..first + n).map(|k| s.axis(k as f64)).collect();
            chance = chance.max(found.chance);
            of_lags.push(curve(&s.name, lags(1, found.information.len()), found.information.clone(), CurveStyle::Line));
            let count = (1..=shares.len()).map(|d| d as f64).collect();
            of_dimensions.push(curve(&s.name, count, shares, CurveStyle::Line));
            Ok(())
        })?;
        if !of_lags.is_empty() {
            f.shapes(shapes(f.base, of_lags, of_dimensions, chance));
        }
        Ok(())
    }
}

/// Where the series correlates with itself by less than 1/e.
fn below_e(s: &Series, correlation: &[f64], single: &str) -> Metric {
    let unit = s.base.unit();
    match correlation.iter().position(|r| *r < (-1.0_f64).exp()) {
        Some(lag) => s
            .metric("correlation_time", s.axis(lag as f64), unit, s.n())
            .note("first lag at which the series correlates with itself by less than 1/e")
            .note(single),
        None => s.missing("correlation_time", unit, "the correlation stays above 1/e within five mean periods"),
    }
}

/// The share of false neighbours in the dimension that was chosen.
fn false_share(s: &Series, share: f64, points: u64) -> Metric {
    s.metric("false_neighbours", share, "", points).note(
        "share in this dimension; n = points; no interval: points share samples, and the dimension was chosen by it",
    )
}

fn shapes(
    base: TimeBase,
    of_lags: Vec<spikedeck_signal::Curve>,
    of_dimensions: Vec<spikedeck_signal::Curve>,
    chance: f64,
) -> [NamedShape; 2] {
    let x = Axis::new("delay", base.unit());
    let y = Axis::new("information", "bits");
    let level = |name: &str, at: f64| vec![ReferenceLine { name: name.into(), at, vertical: false }];
    [
        NamedShape::new(
            "information by delay",
            Shape::Series(Curves { x, y, curves: of_lags, references: level("chance", chance) }),
        ),
        NamedShape::new(
            "false neighbours",
            Shape::Series(Curves {
                x: Axis::new("dimension", ""),
                y: Axis::new("share", ""),
                curves: of_dimensions,
                references: level("1 %", FALSE),
            }),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, henon, noise};
    use crate::testing::{metric, run, subject, traces, value};

    fn of(values: Vec<f64>, interval: f64) -> crate::Outcome {
        run(&UnfoldedSeries, &traces(&[values], interval), vec![subject("V_m", &[])], &[]).unwrap()
    }

    #[test]
    fn a_map_has_a_delay_of_one_and_its_dimension() {
        let o = of(henon(4000), 2.0);
        assert_eq!((value(&o, "p.V_m", "delay"), value(&o, "p.V_m", "dimension")), (2.0, 2.0));
        assert!(value(&o, "p.V_m", "false_neighbours") < 0.01);
    }

    #[test]
    fn a_sine_has_a_quarter_of_its_period_and_two_dimensions() {
        let o = of((0..5000).map(|k| (0.125 * f64::from(k)).sin()).collect(), 0.5);
        let delay = value(&o, "p.V_m", "delay");
        assert!((0.15..0.35).contains(&(delay / 25.15)), "{delay}");
        assert!((value(&o, "p.V_m", "mean_period") / 25.15 - 1.0).abs() < 0.03);
        assert_eq!(value(&o, "p.V_m", "dimension"), 2.0);
    }

    #[test]
    fn noise_is_never_unfolded() {
        let o = of(noise(1, 3000), 1.0);
        assert!(value(&o, "p.V_m", "false_neighbours") > 0.01);
        assert!(o.warnings[0].contains("in no dimension"), "{:?}", o.warnings);
        assert!(metric(&o, "p.V_m", "delay").note.contains("1/e"));
    }

    #[test]
    fn bad_input_is_missing() {
        bad_series(&UnfoldedSeries, "delay");
    }
}
