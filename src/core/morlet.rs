//! Power over time and frequency by Morlet's wavelets (Torrence and Compo 1998,
//! doi:10.1175/1520-0477(1998)079<0061:APGTWA>2.0.CO;2).

use super::fft::{Complex64, complex_plan};
use std::f64::consts::{PI, TAU};

/// A wavelet: waves under a Gaussian whose standard deviation holds `cycles`/2π of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Morlet {
    /// ω₀: standard deviation in time σ_t = ω₀/(2π f), in frequency σ_f = f/ω₀.
    pub cycles: f64,
}

impl Morlet {
    /// Standard deviation over frequency at `frequency`.
    pub fn width(self, frequency: f64) -> f64 {
        frequency / self.cycles
    }

    /// How far from the ends of the signal they reach into the power: √2 σ_t, where what an end does has fallen to
    /// 1/e².
    pub fn reach(self, frequency: f64) -> f64 {
        std::f64::consts::SQRT_2 * self.cycles / (TAU * frequency)
    }

    /// What a power has to be divided by to become a density: a flat one-sided density gives itself.
    pub fn bandwidth(self, frequency: f64) -> f64 {
        self.width(frequency) * PI.sqrt()
    }

    /// Power at each sample, a list for each frequency (cycles in one unit of `interval`): a sine of amplitude A has
    /// A²/2 at its frequency. The mean is taken off, and the signal is continued by zeros.
    /// O(frequencies · n log n).
    pub fn power(self, values: &[f64], interval: f64, frequencies: &[f64]) -> Vec<Vec<f64>> {
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n.max(1) as f64;
        let lowest = frequencies.iter().copied().fold(f64::INFINITY, f64::min);
        // Zeros for as long as the widest wavelet is felt, so that the end does not run into the beginning.
        let pad = if lowest.is_finite() { (4.0 * self.reach(lowest) / interval).ceil() as usize } else { 0 };
        let length = (n + pad.min(n.max(1) * 4)).next_power_of_two();
        let plan = complex_plan(length);
        let mut spectrum: Vec<Complex64> = values.iter().map(|v| Complex64::new(v - mean, 0.0)).collect();
        spectrum.resize(length, Complex64::default());
        plan.process(&mut spectrum);
        let step = 1.0 / (length as f64 * interval);
        let mut work = vec![Complex64::default(); length];
        frequencies
            .iter()
            .map(|&f| {
                let width = self.width(f);
                for (k, (w, s)) in work.iter_mut().zip(&spectrum).enumerate() {
                    let score = (k as f64 * step - f) / width;
                    // Of the conjugate a forward transform is the inverse's conjugate, and only moduli are asked for.
                    *w = if k <= length / 2 && score.abs() < 9.0 {
                        s.conj() * (2.0 * (-0.5 * score * score).exp() / length as f64)
                    } else {
                        Complex64::default()
                    };
                }
                plan.process(&mut work);
                work[..n].iter().map(|z| 0.5 * z.norm_sqr()).collect()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;

    const MORLET: Morlet = Morlet { cycles: 6.0 };

    #[test]
    fn a_sine_has_half_its_squared_amplitude_where_and_when_it_is() {
        // 10 Hz for two seconds, then 40 Hz, amplitude 3.
        let x: Vec<f64> =
            (0..4000).map(|i| 3.0 * (TAU * if i < 2000 { 10.0 } else { 40.0 } * f64::from(i) / 1000.0).sin()).collect();
        let p = MORLET.power(&x, 1e-3, &[10.0, 40.0, 20.0]);
        assert!((p[0][1000] - 4.5).abs() < 1e-3 && (p[1][3000] - 4.5).abs() < 1e-3, "{} {}", p[0][1000], p[1][3000]);
        assert!(p[0][3000] < 1e-6 && p[1][1000] < 1e-4 && p[2][1000] < 1e-3, "{}", p[2][1000]);
        // Over frequency the power falls off as the wavelet's Gaussian: A²/2 exp(−((f − f₀)/σ_f)²).
        let near = MORLET.power(&x, 1e-3, &[11.0])[0][1000];
        assert!((near / (4.5 * (-(6.0_f64 / 11.0).powi(2)).exp()) - 1.0).abs() < 1e-3, "{near}");
    }

    #[test]
    fn white_noise_has_a_flat_density() {
        let key = Key::new(1, "morlet", "noise");
        let x: Vec<f64> = (0..100_000).map(|t| normal(key, 0, t)).collect();
        for f in [10.0, 50.0, 200.0] {
            let p = &MORLET.power(&x, 1e-3, &[f])[0];
            // Variance 1 over 500 Hz.
            let density = p.iter().sum::<f64>() / p.len() as f64 / MORLET.bandwidth(f);
            assert!((density * 500.0 - 1.0).abs() < 0.2, "{f} {density}");
        }
        assert!(MORLET.power(&[], 1e-3, &[10.0])[0].is_empty());
    }
}
