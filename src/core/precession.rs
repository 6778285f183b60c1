//! Circular-linear regression: the line along which phases turn with a variable (Kempter, Leibold, Buzsáki, Diba and
//! Schmidt 2012, doi:10.1016/j.jneumeth.2012.03.007).

use std::f64::consts::TAU;

use super::fft::Complex64;

/// A line of phases, φ = phase + 2π slope (x − centre).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Cycles in one unit of the variable.
    pub slope: f64,
    /// Phase at the centre, from −π to π.
    pub phase: f64,
    /// Length of the mean resultant of what phases are off the line: 1 where all lie on it.
    pub length: f64,
}

/// Slopes that are tried in one lobe of the resultant, whose width is one over the span of the variable.
const IN_LOBE: f64 = 8.0;
/// Steps of the golden section about the best of them.
const STEPS: usize = 16;

/// The resultant of what phases (radians) are off a line of this slope.
fn off(phases: &[f64], x: &[f64], centre: f64, slope: f64) -> Complex64 {
    let sum: Complex64 =
        phases.iter().zip(x).map(|(p, x)| Complex64::from_polar(1.0, p - TAU * slope * (x - centre))).sum();
    sum / phases.len() as f64
}

/// The line with the largest resultant among slopes of at most `most` cycles over the span of the variable, in either
/// direction, about `centre`. Nothing of fewer than two phases, or of a variable that does not vary.
pub fn fit(phases: &[f64], x: &[f64], centre: f64, most: f64) -> Option<Line> {
    let low = x.iter().copied().fold(f64::INFINITY, f64::min);
    let span = x.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low;
    if phases.len() < 2 || span.is_nan() || span <= 0.0 {
        return None;
    }
    let count = (2.0 * most * IN_LOBE).ceil().max(2.0) as usize;
    let step = 2.0 * most / span / count as f64;
    let first = -most / span;
    // Each phase turned back by the first slope, and then again and again by one step.
    let mut turned: Vec<Complex64> =
        phases.iter().zip(x).map(|(p, x)| Complex64::from_polar(1.0, p - TAU * first * (x - centre))).collect();
    let by: Vec<Complex64> = x.iter().map(|x| Complex64::from_polar(1.0, -TAU * step * (x - centre))).collect();
    let (mut best, mut largest) = (0, -1.0);
    for k in 0..=count {
        let size = turned.iter().sum::<Complex64>().norm_sqr();
        if size > largest {
            (best, largest) = (k, size);
        }
        turned.iter_mut().zip(&by).for_each(|(z, b)| *z *= b);
    }
    let at = |k: f64| (first + k * step).clamp(-most / span, most / span);
    let size = |slope: f64| off(phases, x, centre, slope).norm_sqr();
    let slope = golden(at(best as f64 - 1.0), at(best as f64 + 1.0), size);
    let z = off(phases, x, centre, slope);
    Some(Line { slope, phase: z.arg(), length: z.norm() })
}

/// Where a function with one maximum between two places has it.
fn golden(mut low: f64, mut high: f64, of: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5_f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_a, mut at_b) = (of(a), of(b));
    for _ in 0..STEPS {
        if at_a < at_b {
            (low, a, at_a) = (a, b, at_b);
            b = low + ratio * (high - low);
            at_b = of(b);
        } else {
            (high, b, at_b) = (b, a, at_a);
            a = high - ratio * (high - low);
            at_a = of(a);
        }
    }
    0.5 * (low + high)
}

/// The circular-linear correlation of phases with a variable that is made an angle by the size of a slope: that of the
/// sines about both mean directions. Negative where phases fall as the variable rises.
pub fn correlation(phases: &[f64], x: &[f64], slope: f64) -> f64 {
    let angles: Vec<f64> = x.iter().map(|x| TAU * slope.abs() * x).collect();
    let sines = |angles: &[f64]| -> Vec<f64> {
        let middle: Complex64 = angles.iter().map(|a| Complex64::from_polar(1.0, *a)).sum();
        angles.iter().map(|a| (a - middle.arg()).sin()).collect()
    };
    let (p, a) = (sines(phases), sines(&angles));
    let sum = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    sum(&p, &a) / (sum(&p, &p) * sum(&a, &a)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;

    fn made(slope: f64, noise: f64, n: u64) -> (Vec<f64>, Vec<f64>) {
        let key = Key::new(4, "precession", "made");
        let x: Vec<f64> = (0..n).map(|k| 100.0 + 40.0 * (k as f64 + 0.5) / n as f64).collect();
        let phases = x
            .iter()
            .zip(0..)
            .map(|(x, k)| {
                let p: f64 = 0.7 + TAU * slope * (x - 120.0) + noise * normal(key, 0, k);
                p.rem_euclid(TAU)
            })
            .collect();
        (phases, x)
    }

    /// Phases on a line are found on it, in either direction, wherever the variable is; the resultant is that of normal
    /// noise, e^(−σ²/2).
    #[test]
    fn lines_are_found() {
        for slope in [-0.02, 0.011, -0.04, 0.0] {
            let (phases, x) = made(slope, 0.0, 60);
            let line = fit(&phases, &x, 120.0, 2.0).unwrap();
            assert!((line.slope - slope).abs() < 1e-5 && (line.phase - 0.7).abs() < 1e-3, "{slope} {line:?}");
            assert!((line.length - 1.0).abs() < 1e-6, "{line:?}");
            let (phases, x) = made(slope, 0.8, 4000);
            let line = fit(&phases, &x, 120.0, 2.0).unwrap();
            assert!((line.slope - slope).abs() < 1e-3, "{slope} {line:?}");
            assert!((line.length - (-0.32_f64).exp()).abs() < 0.02, "{line:?}");
            let rho = correlation(&phases, &x, line.slope);
            assert!(slope == 0.0 || rho.signum() == slope.signum() && rho.abs() > 0.3, "{slope} {rho}");
        }
        assert!(fit(&[1.0], &[1.0], 0.0, 1.0).is_none() && fit(&[1.0, 2.0], &[3.0, 3.0], 3.0, 1.0).is_none());
    }

    /// Where both are angles of small range the correlation is Pearson's.
    #[test]
    fn correlations_of_small_angles_are_linear() {
        let x = [0.0, 0.1, 0.2, 0.3];
        let phases = [0.03, 0.01, 0.02, 0.0];
        let rho = correlation(&phases, &x, 0.01);
        assert!((rho - crate::statistics::pearson(&phases, &x)).abs() < 1e-4, "{rho}");
    }
}
