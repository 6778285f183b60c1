//! Detrended fluctuation analysis: the exponent by which fluctuations grow with the length of the window.

use super::prelude::*;
use super::series::chance::{self, Null, Side};
use super::series::{self, Series};
use spikedeck_core::fluctuation::{Fluctuation, fluctuations, line, of_independent, scales};
use spikedeck_core::number::{shown, with_unit};
use spikedeck_core::surrogate::{jackknife_blocks, jackknife_interval};
use spikedeck_signal::{Axis, CurveStyle, NamedShape, Series as Curves, Shape};

/// `kind = "dfa"`.
#[derive(Debug, Clone, Copy)]
pub struct Dfa;

const CARD: AnalysisCard = AnalysisCard {
    title: "Detrended fluctuation analysis",
    synonyms: &["detrended_fluctuation_analysis", "hurst", "hurst_exponent", "long_range_correlation"],
    summary: "how fluctuations grow with the length of the window: 0.5 without memory, 1 of 1/f noise, 1.5 of a \
              random walk",
    formula: "y_k = Σ_{j≤k} (x_j − ⟨x⟩); F²(s) = mean square of y less a polynomial fitted in each window of s samples \
              (windows begin at every half of s)\n\
              α: slope of ln F(s) against ln s, from `shortest` to `longest`;  H = α for stationary noise, spectrum ~ \
              f^(1 − 2α)",
    assumptions: "One power law over the windows looked at. Trends are polynomials of less than `degree` in x.",
    bias: "Short windows are straighter than the law says: with straight lines F² of independent samples is (s² − \
           4)/(15 s). `correct` divides by that; windows below ten samples need it.",
    cost: "O(N · windows' lengths · degree), times surrogates",
    caveats: "A straight line can be laid through any curve: look at it, and at the local slopes. A rhythm of period \
              T bends \
              it at s = T; a process with one time constant goes from 1.5 to 0.5 and passes 1 on the way without any \
              power law. The longest windows are few and scatter most, which the interval sees by leaving out \
              stretches \
              of the series; that takes them for exchangeable and is somewhat narrow for α near 1 and above.",
    references: &[
        "Peng, Buldyrev, Havlin, Simons, Stanley, Goldberger 1994, Phys Rev E 49:1685-1689, \
         doi:10.1103/PhysRevE.49.1685",
        "Kantelhardt, Koscielny-Bunde, Rego, Havlin, Bunde 2001, Physica A 295:441-454, \
         doi:10.1016/S0378-4371(01)00144-3",
        "Linkenkaer-Hansen, Nikouline, Palva, Ilmoniemi 2001, J Neurosci 21:1370-1377, \
         doi:10.1523/JNEUROSCI.21-04-01370.2001",
        "Künsch 1989, Ann Stat 17:1217-1241, doi:10.1214/aos/1176347265",
    ],
};

/// Samples of the shortest window, as long as nobody says otherwise.
const SHORTEST: usize = 10;
/// Shortest windows that a series must hold.
const LEAST: usize = 100;
/// Stretches that are left out.
const BLOCKS: usize = 20;

options! {
    /// What `dfa` can be told.
    pub struct Options {
        degree: usize = integer("1").between(0.0, 5.0), "degree of the polynomials that are taken off";
        shortest: Option<Time> = time_if_given().piece(), "shortest window (default ten samples)";
        longest: Option<Time> = time_if_given(), "longest window (default a tenth of the series)";
        windows: usize = integer("20").between(4.0, 200.0), "lengths of windows, evenly spaced in their logarithm";
        correct: bool = flag(false), "divide F by what it is for independent samples over the root of s";
        surrogate: Null = chance::null();
        surrogates: usize = chance::surrogates("39");
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for Dfa {
    type Options = Options;
    const KIND: &'static str = "dfa";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let wanted = [("alpha", ""), ("r_squared", "")];
        let (mut curves, mut local) = (Vec::new(), Vec::new());
        series::each(f, o.bin, LEAST, &wanted, |f, s| {
            let lengths = lengths(o, s)?;
            let found = match lengths {
                Ok(lengths) => Law::of(&s.values, o, &lengths),
                Err(why) => {
                    f.metrics(wanted.iter().map(|(metric, unit)| s.missing(metric, unit, &why)));
                    return Ok(());
                }
            };
            let Some(law) = found else {
                let why = "a polynomial explains all of the series: nothing fluctuates";
                f.metrics(wanted.iter().map(|(metric, unit)| s.missing(metric, unit, why)));
                return Ok(());
            };
            let drawn = chance::drawn(f, s, o.surrogate, o.surrogates, |values| {
                Law::of(values, o, &law.lengths()).map_or(f64::NAN, |l| l.alpha)
            })?;
            let over = format!(
                "windows of {} to {}, polynomials of degree {}; n = samples",
                shown(s.axis(law.scale[0])),
                with_unit(s.axis(law.scale[law.scale.len() - 1]), s.base.unit()),
                o.degree
            );
            let m = chance::beside(s.metric("alpha", law.alpha, "", s.n()).note(over), &drawn, o.surrogate, Side::Both);
            f.metric(match jackknife_interval(law.alpha, &law.left_out) {
                Some((low, high)) => m
                    .interval(low, high)
                    .interval_by(format!("95 % interval by leaving out each of {} stretches", law.left_out.len())),
                None => m.note("no interval: the longest windows leave too few stretches"),
            });
            f.metric(
                s.metric("r_squared", law.share, "", law.scale.len() as u64)
                    .note("share of the variance of ln F that the line explains; n = lengths of windows"),
            );
            f.word(format!("{}: α = {}", s.name, shown(law.alpha)));
            curves.extend(law.curves(s));
            local.push(law.slopes(s));
            Ok(())
        })?;
        if !curves.is_empty() {
            let base = f.base;
            let x = || Axis::new("window", base.unit()).log();
            let y = Axis::new("fluctuation F", "").log();
            f.shapes([
                NamedShape::new("fluctuations", Shape::Series(Curves { x: x(), y, curves, references: Vec::new() })),
                NamedShape::new(
                    "local slopes",
                    Shape::Series(Curves { x: x(), y: Axis::new("slope", ""), curves: local, references: Vec::new() }),
                ),
            ]);
        }
        Ok(())
    }
}

/// The lengths of windows, or why there are not enough.
fn lengths(o: &Options, s: &Series) -> Result<Result<Vec<usize>, String>, AnalysisError> {
    let n = s.values.len();
    let shortest = o.shortest.map_or(Ok(SHORTEST.max(o.degree + 3)), |t| s.samples("shortest", t))?;
    let longest = o.longest.map_or(Ok(n / 10), |t| s.samples("longest", t))?;
    if shortest < o.degree + 2 {
        return Err(AnalysisError::Unsuitable(format!(
            "`shortest` is {shortest} samples, which a polynomial of degree {} runs through: it takes {} at least",
            o.degree,
            o.degree + 2
        )));
    }
    if longest > n / 2 {
        return Err(AnalysisError::Unsuitable(format!(
            "`longest` is {longest} samples, and {} holds {n}: it takes two windows at least",
            s.name
        )));
    }
    let list = if longest > shortest { scales(shortest, longest, o.windows) } else { Vec::new() };
    Ok(if list.len() < 4 {
        Err(format!("{n} samples hold {} lengths of windows from {shortest} to {longest}, fewer than 4", list.len()))
    } else {
        Ok(list)
    })
}

/// ln F against ln s, and the line through it.
struct Law {
    scale: Vec<f64>,
    root: Vec<f64>,
    alpha: f64,
    offset: f64,
    share: f64,
    left_out: Vec<f64>,
}

impl Law {
    /// `None` where F is 0 at a length: a polynomial explains all.
    fn of(values: &[f64], o: &Options, lengths: &[usize]) -> Option<Self> {
        let found = fluctuations(values, o.degree, lengths)?;
        let corrections: Vec<f64> = lengths
            .iter()
            .map(|&s| if o.correct { of_independent(s, o.degree) / (s as f64).sqrt() } else { 1.0 })
            .collect();
        let roots = |without: Option<&std::ops::Range<usize>>| -> Vec<f64> {
            found.iter().zip(&corrections).map(|(f, c): (&Fluctuation, _)| f.root(without) / c).collect()
        };
        let root = roots(None);
        let size = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        if root.iter().any(|r| !r.is_finite() || *r <= 1e-12 * size) {
            return None;
        }
        let scale: Vec<f64> = lengths.iter().map(|&s| s as f64).collect();
        let x: Vec<f64> = scale.iter().map(|s| s.ln()).collect();
        let weights = vec![1.0; x.len()];
        let through = |root: &[f64]| line(&x, &root.iter().map(|r| r.ln()).collect::<Vec<_>>(), &weights);
        let (alpha, offset, share) = through(&root);
        // A stretch as long as the longest window takes all windows with it that overlap.
        let stretches = jackknife_blocks(values.len(), BLOCKS.min(values.len() / lengths[lengths.len() - 1]));
        let left_out = stretches.iter().map(|stretch| through(&roots(Some(stretch))).0).collect();
        Some(Self { scale, root, alpha, offset, share, left_out })
    }

    fn lengths(&self) -> Vec<usize> {
        self.scale.iter().map(|s| *s as usize).collect()
    }

    /// F and the line.
    fn curves(&self, s: &Series) -> [spikedeck_signal::Curve; 2] {
        let x = || self.scale.iter().map(|v| s.axis(*v)).collect::<Vec<f64>>();
        let fitted = self.scale.iter().map(|v| (self.offset + self.alpha * v.ln()).exp()).collect();
        [
            curve(&s.name, x(), self.root.clone(), CurveStyle::Points),
            curve(format!("{} α = {:.3}", s.name, self.alpha), x(), fitted, CurveStyle::Line),
        ]
    }

    /// Slopes between lengths three apart.
    fn slopes(&self, s: &Series) -> spikedeck_signal::Curve {
        let between = |k: usize| {
            let (a, b) = (k, k + 3);
            let x = (self.scale[a] * self.scale[b]).sqrt();
            (s.axis(x), (self.root[b] / self.root[a]).ln() / (self.scale[b] / self.scale[a]).ln())
        };
        let (x, y) = (0..self.scale.len().saturating_sub(3)).map(between).unzip();
        curve(&s.name, x, y, CurveStyle::Line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, noise, power_law_noise};
    use crate::testing::{metric, run, subject, traces, value};
    use spikedeck_scenario::OptionValue;

    fn of(values: Vec<f64>, options: &[(&'static str, OptionValue)]) -> crate::Outcome {
        run(&Dfa, &traces(&[values], 1.0), vec![subject("V_m", &[])], options).unwrap()
    }

    #[test]
    fn noises_have_the_exponents_of_their_spectra() {
        for exponent in [0.5, 0.8, 1.0] {
            let o = of(power_law_noise(3, 16_384, exponent), &[]);
            let m = metric(&o, "p.V_m", "alpha");
            assert!((m.value.unwrap() - exponent).abs() < 0.06, "{exponent} {m:?}");
            assert!(m.ends().is_some() && (m.chance.unwrap() - 0.5).abs() < 0.02);
            assert_eq!(m.p_value.unwrap() < 0.06, exponent > 0.6, "{m:?}");
        }
        let mut sum = 0.0;
        let walk: Vec<f64> = noise(1, 16_384)
            .iter()
            .map(|v| {
                sum += v;
                sum
            })
            .collect();
        assert!((value(&of(walk, &[]), "p.V_m", "alpha") - 1.5).abs() < 0.08);
    }

    /// Trends of a lower degree change nothing.
    #[test]
    fn a_slope_is_taken_off_by_parabolas() {
        let degree = [("degree", OptionValue::Integer(2)), ("surrogate", OptionValue::Text("none".into()))];
        let plain = noise(2, 4000);
        let tilted: Vec<f64> = plain.iter().enumerate().map(|(k, v)| v + 0.01 * k as f64).collect();
        let (a, b) = (of(plain, &degree), of(tilted, &degree));
        assert!((value(&a, "p.V_m", "alpha") - value(&b, "p.V_m", "alpha")).abs() < 1e-6);
    }

    #[test]
    fn the_correction_makes_short_windows_of_use() {
        let o = |correct| {
            let options = [
                ("shortest", OptionValue::Number(4e-3)),
                ("longest", OptionValue::Number(20e-3)),
                ("correct", OptionValue::Flag(correct)),
                ("surrogate", OptionValue::Text("none".into())),
            ];
            value(&of(noise(5, 40_000), &options), "p.V_m", "alpha")
        };
        assert!((o(true) - 0.5).abs() < 0.01 && o(false) > 0.55, "{} {}", o(true), o(false));
    }

    #[test]
    fn bad_input_is_missing_and_windows_that_do_not_fit_are_refused() {
        bad_series(&Dfa, "alpha");
        let refused = |key, value| {
            run(&Dfa, &traces(&[noise(1, 500)], 1.0), vec![subject("V_m", &[])], &[(key, OptionValue::Number(value))])
                .unwrap_err()
                .to_string()
        };
        assert!(refused("longest", 0.4).contains("two windows"));
        assert!(refused("shortest", 2e-3).contains("runs through"));
        let m = metric(&of(noise(1, 120), &[]), "p.V_m", "alpha").clone();
        assert!(m.value.is_none() && m.note.contains("fewer than 4"), "{m:?}");
    }
}
