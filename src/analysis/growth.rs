//! Growth: the exponential rate at which a state grows or decays, from the slope of ln of its root mean square.

use super::prelude::*;
use spikedeck_core::number::counted;
use spikedeck_core::statistics::{correlation_time, dependent_error, mean, student_quantile_of};
use spikedeck_core::units::brief;
use spikedeck_signal::{Axis, CurveStyle, Series, Shape};

/// The analysis `growth`.
pub struct Growth;

const CARD: AnalysisCard = AnalysisCard {
    title: "Growth",
    synonyms: &["dispersion_relation", "growth_rate"],
    summary: "exponential rate at which a state grows or decays over all its units",
    formula: "rms(t) = √(Σ_i x_i(t)²/N);  rate = slope of the least-squares line of ln rms over t",
    assumptions: "The state grows or decays by one exponential over the window: leave the beginning, where faster \
                  modes still count, to the transient. For the tangent of a \
                  network (a copy of its linearised equations that moves along with it) the rate is the largest \
                  Lyapunov exponent.",
    bias: "Over a finite window a mode that grows by oscillating adds an error of the order of one over the window's \
           length; dying modes add exp(−gap·transient).",
    cost: "O(samples · units)",
    caveats: "A state that saturates has a rate near 0: look at the curve. Where the state is exactly 0 there is no \
              logarithm; such samples are left out and counted.",
    references: &[
        "Benettin, Galgani, Giorgilli, Strelcyn 1980, Meccanica 15:9-20, doi:10.1007/BF02128236",
        "Sompolinsky, Crisanti, Sommers 1988, Phys Rev Lett 61:259-262, doi:10.1103/PhysRevLett.61.259",
    ],
};

options! {
    /// What `growth` can be told.
    pub struct Options {
        blocks: usize = integer("10").between(4.0, 1000.0), "part of the window, a blocks-th, up to which what is left \
             of the line is taken to depend on itself (for the interval)";
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for Growth {
    type Options = Options;
    const KIND: &'static str = "growth";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let base = f.base;
        let unit = base.per_time();
        let mut curves = Vec::new();
        f.each_subject(|f, s| {
            let columns = subject::columns(f.request, s, o.bin)?;
            let units = columns.columns.len().max(1) as f64;
            let rms = |k: usize| (columns.columns.iter().map(|c| c[k] * c[k]).sum::<f64>() / units).sqrt();
            let (mut points, mut zero, mut unknown) = (Vec::with_capacity(columns.len()), 0, 0);
            for k in 0..columns.len() {
                match rms(k) {
                    size if !size.is_finite() => unknown += 1,
                    0.0 => zero += 1,
                    size => points.push((columns.start + k as f64 * columns.interval, size.ln())),
                }
            }
            let n = points.len() as u64;
            if zero > 0 {
                f.warn(format!("{}: {} 0 and left out", s.text, counted(zero, "sample is", "samples are")));
            }
            if unknown > 0 {
                f.warn(format!(
                    "{}: {} and left out",
                    s.text,
                    counted(unknown, "sample is no finite number", "samples are no finite numbers")
                ));
            }
            if points.len() < 3 * o.blocks {
                f.metric(Metric::missing(&s.text, "rate", unit, n, "needs three samples a block"));
                return Ok(());
            }
            let rate = slope(&points) / base.seconds();
            let metric = Metric::new(&s.text, "rate", rate, unit, n)
                .chance(0.0)
                .note("n = samples")
                .chance_by("chance: neither grows nor decays");
            f.metric(match half_width(&points, o.blocks) {
                Some(half) => {
                    let half = half / base.seconds();
                    metric.interval(rate - half, rate + half).interval_by(format!(
                        "95 % interval (t): what is left of the line depends on itself up to a {}th of the window, and \
                         its steps add up",
                        o.blocks
                    ))
                }
                None => metric.note("no interval: nothing is left of the line, or too little"),
            });
            f.metric(
                Metric::new(&s.text, "straightness", straightness(&points), "", n)
                    .note("share of the variance of ln rms that the line explains"),
            );
            f.word(format!("{} grows at {} {unit}", s.text, brief(rate)));
            let (x, y) = points.into_iter().unzip();
            curves.push(curve(&s.text, x, y, CurveStyle::Line));
            Ok(())
        })?;
        let y = Axis::new("ln of root mean square", "");
        f.shape("growth", Shape::Series(Series { x: Axis::time(base), y, curves, references: Vec::new() }));
        Ok(())
    }
}

/// Independent stretches of what is left of the line from which on it is noise about it.
const LEAST_STRETCHES: f64 = 20.0;

/// Half of the 95 % interval of the slope. What is left of the line is noise about it, and a walk: the first shows in
/// its covariances, the second in the sum of its steps (of noise alone they cancel; of a walk alone the slope has 6/5
/// of
/// the variance of the mean step).
fn half_width(points: &[(f64, f64)], blocks: usize) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let (mx, my, b, n) = (mean(&x), mean(&y), slope(points), points.len() as f64);
    let rest: Vec<f64> = points.iter().map(|p| p.1 - my - b * (p.0 - mx)).collect();
    let centred: Vec<f64> = x.iter().map(|x| x - mx).collect();
    let steps: Vec<f64> = rest.windows(2).map(|w| w[1] - w[0]).collect();
    let reach = points.len() / blocks;
    let (walk, freedom) = dependent_error(&steps, reach)?;
    let noise = slope_error(&centred, &rest, reach);
    // Noise that depends on itself for a short time is no walk, though its steps do not cancel within that time.
    let settled = n / correlation_time(&rest) >= LEAST_STRETCHES;
    let walk = if settled { 0.0 } else { walk };
    let walk = 1.2f64.sqrt() * walk * (n - 1.0) / (x[x.len() - 1] - x[0]);
    Some(student_quantile_of(freedom) * noise.hypot(walk))
}

/// Standard error of the slope of a line over times about their mean from what is left of it: Σ γ(l) C(l), the
/// covariance of what is left `l` samples apart times that of the weights that make the slope, under a flat-top window
/// (as in `dependent_error`). Every covariance is too small by what line and mean took of it, in the long run the same
/// share of the sum, which is put back.
fn slope_error(times: &[f64], rest: &[f64], reach: usize) -> f64 {
    let n = times.len() as f64;
    let at = |v: &[f64], lag: usize| v.iter().zip(&v[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let across = at(times, 0);
    let (mut sum, mut taken) = (0.0, 0.0);
    for lag in 0..=reach {
        let window = (2.0 * (1.0 - lag as f64 / (reach as f64 + 1.0))).min(1.0);
        let weight = if lag == 0 { 1.0 } else { 2.0 * window };
        let alike = at(times, lag) / across;
        sum += weight * at(rest, lag) / n * alike;
        taken += weight * ((n - lag as f64) / n + alike) / n * alike;
    }
    // Negative by chance: as much as samples that do not depend on each other give.
    let variance = if sum > 0.0 && taken < 1.0 { sum / (1.0 - taken) } else { at(rest, 0) / (n - 2.0) };
    (variance / across).sqrt()
}

/// Slope of the least-squares line.
fn slope(points: &[(f64, f64)]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let (mx, my) = (mean(&x), mean(&y));
    let across: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    across / points.iter().map(|p| (p.0 - mx) * (p.0 - mx)).sum::<f64>()
}

/// R² of the line; 1 for a state that does not change.
fn straightness(points: &[(f64, f64)]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let (mx, my, b) = (mean(&x), mean(&y), slope(points));
    let total: f64 = y.iter().map(|v| (v - my) * (v - my)).sum();
    let rest: f64 = points.iter().map(|p| (p.1 - my - b * (p.0 - mx)).powi(2)).sum();
    if total > 0.0 { 1.0 - rest / total } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, run, subject, traces, value};

    #[test]
    fn an_exponential_has_its_rate() {
        // Two units with opposite signs that decay at 25 per second.
        let unit = |sign: f64| (0..2000).map(|k| sign * (-0.025 * 0.5 * f64::from(k)).exp()).collect::<Vec<f64>>();
        let o = run(&Growth, &traces(&[unit(1.0), unit(-3.0)], 0.5), vec![subject("V_m", &[])], &[]).unwrap();
        assert!((value(&o, "p.V_m", "rate") + 25.0).abs() < 1e-9);
        assert!((value(&o, "p.V_m", "straightness") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn noise_neither_grows_nor_decays() {
        let mut s = spikedeck_core::rng::Key::new(2, "growth", "noise").stream(0, 0);
        let noise: Vec<f64> = (0..5000).map(|_| s.uniform() - 0.5).collect();
        let o = run(&Growth, &traces(&[noise], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        let m = metric(&o, "p.V_m", "rate");
        assert!(m.ci_low.unwrap() < 0.0 && m.ci_high.unwrap() > 0.0, "{m:?}");
        assert!(value(&o, "p.V_m", "straightness") < 0.05);
        let o = run(&Growth, &traces(&[vec![0.0; 100]], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert_eq!(metric(&o, "p.V_m", "rate").value, None);
        assert!(o.warnings[0].contains("100 samples are 0"), "{:?}", o.warnings);
    }

    /// What is left out is called what it is: nothing, or no number.
    #[test]
    fn zeros_and_what_is_no_number_are_counted_apart() {
        let mut x: Vec<f64> = (0..500).map(|k| (0.01 * f64::from(k)).exp()).collect();
        x[3] = 0.0;
        for k in [7, 8] {
            x[k] = f64::NAN;
        }
        x[9] = f64::INFINITY;
        let o = run(&Growth, &traces(&[x], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert!((value(&o, "p.V_m", "rate") - 10.0).abs() < 1e-9);
        assert_eq!(metric(&o, "p.V_m", "rate").n, Some(496));
        let said = o.warnings.join("\n");
        assert!(said.contains("1 sample is 0") && said.contains("3 samples are no finite numbers"), "{said}");
    }
}
