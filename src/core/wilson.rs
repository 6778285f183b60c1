//! Factors of spectra: the transfer function and the noise that a matrix of spectra comes from, without a model of
//! autoregression (Wilson 1972, doi:10.1137/0123044), and Granger causality from them (Dhamala, Rangarajan, Ding 2008,
//! doi:10.1016/j.neuroimage.2008.02.020).

use super::fft::{Complex64, complex_plan};

/// A matrix of two by two, row by row.
type Two = [Complex64; 4];

/// Rounds after which factors that still change are given up.
const ROUNDS: usize = 500;
/// Relative change at which they count as found.
const SETTLED: f64 = 1e-10;

/// Spectra of two signals taken apart: S(f) = H(f) Σ H(f)*, where H begins with the identity and is causal both ways.
#[derive(Debug, Clone)]
pub struct Factors {
    /// H at each frequency from 0 to Nyquist, row by row.
    pub transfer: Vec<Two>,
    /// Σ, row by row.
    pub covariance: [f64; 4],
    /// Rounds that were needed.
    pub rounds: usize,
}

fn product(a: &Two, b: &Two) -> Two {
    [a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3]]
}

fn adjoint(a: &Two) -> Two {
    [a[0].conj(), a[2].conj(), a[1].conj(), a[3].conj()]
}

fn inverse(a: &Two) -> Option<Two> {
    let d = a[0] * a[3] - a[1] * a[2];
    (d.norm_sqr() > 0.0 && d.is_finite()).then(|| [a[3] / d, -a[1] / d, -a[2] / d, a[0] / d])
}

/// The coefficients at all lags of what stands at all frequencies of the circle, or back.
fn turned(values: &[Two], back: bool) -> Vec<Two> {
    let n = values.len();
    let mut out = vec![[Complex64::default(); 4]; n];
    let plan = complex_plan(n);
    for part in 0..4 {
        // The inverse transform is the conjugate of the transform of the conjugate.
        let own = |z: Complex64| if back { z.conj() } else { z };
        let mut column: Vec<Complex64> = values.iter().map(|v| own(v[part])).collect();
        plan.process(&mut column);
        let scale = if back { 1.0 / n as f64 } else { 1.0 };
        out.iter_mut().zip(column).for_each(|(o, z)| o[part] = own(z) * scale);
    }
    out
}

/// The factors of spectra at frequencies from 0 to Nyquist, evenly spaced, of two signals: `[S_11, S_12, S_21, S_22]`,
/// each positive definite. `None` where they are not, or where no factors are found.
pub fn factors(spectra: &[Two]) -> Option<Factors> {
    let half = spectra.len().checked_sub(1).filter(|half| *half > 0)?;
    let definite = |s: &Two| s[0].re > 0.0 && s[3].re > 0.0 && s[0].re * s[3].re > s[1].norm_sqr();
    if !spectra.iter().all(definite) {
        return None;
    }
    let n = 2 * half;
    let mut circle = spectra.to_vec();
    circle.extend((1..half).rev().map(|k| spectra[k].map(|z| z.conj())));
    // The upper factor of the covariance of the signals, at all frequencies.
    let whole = turned(&circle, true)[0].map(|z| z.re);
    let second = whole[3].sqrt();
    let first = (whole[0] - whole[1] * whole[1] / whole[3]).sqrt();
    let real = |v: f64| Complex64::new(v, 0.0);
    let mut psi: Vec<Two> = vec![[real(first), real(whole[1] / second), Complex64::default(), real(second)]; n];
    let mut rounds = 0;
    loop {
        rounds += 1;
        let mut g = Vec::with_capacity(n);
        for (s, p) in circle.iter().zip(&psi) {
            let i = inverse(p)?;
            let mut inner = product(&product(&i, s), &adjoint(&i));
            inner[0] += 1.0;
            inner[3] += 1.0;
            g.push(inner);
        }
        // The causal part: half of lag 0, of which what is below the diagonal goes to its other half, and all before
        // half of the circle.
        let mut lags = turned(&g, true);
        lags[0] = [lags[0][0] * 0.5, lags[0][1] * 0.5, Complex64::default(), lags[0][3] * 0.5];
        lags[half..].fill([Complex64::default(); 4]);
        let causal = turned(&lags, false);
        let (mut change, mut size) = (0.0_f64, 0.0_f64);
        for (p, c) in psi.iter_mut().zip(&causal) {
            let new = product(p, c);
            for (a, b) in new.iter().zip(&*p) {
                change = change.max((a - b).norm());
                size = size.max(a.norm());
            }
            *p = new;
        }
        if !size.is_finite() || rounds == ROUNDS {
            return None;
        }
        if change <= SETTLED * size {
            break;
        }
    }
    let begin = turned(&psi, true)[0].map(|z| z.re);
    let undone = inverse(&begin.map(real))?;
    let square = product(&begin.map(real), &adjoint(&begin.map(real)));
    Some(Factors {
        transfer: psi[..=half].iter().map(|p| product(p, &undone)).collect(),
        covariance: square.map(|z| z.re),
        rounds,
    })
}

impl Factors {
    /// Geweke's measure from one signal to the other at the frequency of number `k`:
    /// ln S/(S − (Σ_ff − Σ_ft²/Σ_tt) |H_tf|²).
    pub fn granger(&self, from: usize, to: usize, k: usize) -> f64 {
        let h = &self.transfer[k];
        let s = |i: usize, j: usize| self.covariance[2 * i + j];
        let (own, other) = (h[2 * to + to], h[2 * to + from]);
        let (tt, ff, tf) = (s(to, to), s(from, from), s(to, from));
        let power = own.norm_sqr() * tt + 2.0 * tf * (own * other.conj()).re + other.norm_sqr() * ff;
        (power / (power - (ff - tf * tf / tt) * other.norm_sqr())).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// Spectra of a bivariate autoregression of order 2 with correlated noise, and its H.
    fn model(half: usize, a: [[f64; 4]; 2], s: [f64; 4]) -> (Vec<Two>, Vec<Two>) {
        (0..=half)
            .map(|k| {
                let f = 0.5 * k as f64 / half as f64;
                let turn = |lag: f64| Complex64::cis(-TAU * f * lag);
                let one = [1.0, 0.0, 0.0, 1.0];
                let left: Two = std::array::from_fn(|i| one[i] - turn(1.0) * a[0][i] - turn(2.0) * a[1][i]);
                let h = inverse(&left).unwrap();
                let noise = s.map(|v| Complex64::new(v, 0.0));
                (product(&product(&h, &noise), &adjoint(&h)), h)
            })
            .unzip()
    }

    /// The factors of an autoregression's spectra are the autoregression, with noise that is correlated.
    #[test]
    fn an_autoregression_is_found_again() {
        for (a, s) in [
            ([[0.5, 0.0, 0.4, 0.6], [-0.3, 0.0, 0.1, -0.2]], [1.0, 0.0, 0.0, 1.0]),
            ([[1.2, 0.1, -0.3, 0.9], [-0.6, 0.2, 0.1, -0.5]], [2.0, 0.7, 0.7, 0.5]),
            ([[0.0; 4]; 2], [1.0, -0.3, -0.3, 3.0]),
        ] {
            let (spectra, h) = model(512, a, s);
            let found = factors(&spectra).unwrap();
            for (x, y) in found.covariance.iter().zip(s) {
                assert!((x - y).abs() < 1e-8, "{:?} is not {s:?}", found.covariance);
            }
            for (x, y) in found.transfer.iter().flatten().zip(h.iter().flatten()) {
                assert!((x - y).norm() < 1e-7, "{x} is not {y}");
            }
            assert!(found.rounds < 50, "{}", found.rounds);
        }
    }

    /// One way alone: y' = 0.6 y + c x + u, x' = 0.5 x + e. Nothing goes back; there, at each frequency, the part of
    /// S_yy that x gives: ln(1 + c² |1/(1 − 0.5 z)|²), and over all frequencies Geweke's measure in time.
    #[test]
    fn what_goes_one_way_is_closed_form() {
        let c = 0.4;
        let (spectra, _) = model(1024, [[0.5, 0.0, c, 0.6], [0.0; 4]], [1.0, 0.0, 0.0, 1.0]);
        let found = factors(&spectra).unwrap();
        for k in (0..=1024).step_by(64) {
            let z = Complex64::cis(-TAU * 0.5 * k as f64 / 1024.0);
            let wanted = (c * c / (1.0 - 0.5 * z).norm_sqr()).ln_1p();
            assert!((found.granger(0, 1, k) - wanted).abs() < 1e-8 && found.granger(1, 0, k).abs() < 1e-8);
        }
    }

    #[test]
    fn what_has_no_factors_is_none() {
        let same = [Complex64::new(1.0, 0.0); 4];
        assert!(factors(&[same; 9]).is_none() && factors(&[]).is_none());
        let nan = [Complex64::new(f64::NAN, 0.0); 4];
        assert!(factors(&[nan; 9]).is_none());
    }
}
