//! Filters without a phase, and the analytic signal of a band: phase and amplitude at each sample (Gabor 1946).
//!
//! A filter is a gain over frequency, real and never negative, with which the transform of the padded samples is
//! multiplied: no frequency is moved in time. The samples are continued at both ends by their odd mirror image, as
//! SciPy's `sosfiltfilt` does, so that ends ring less.

use super::fft::{Complex64, complex_plan};
use std::f64::consts::{PI, TAU};

/// A band-pass filter that moves nothing in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BandPass {
    /// A sinc under a Hamming window, as wide as the narrower edge needs: an edge falls within a quarter of its
    /// frequency, and at least 2 Hz (MNE's `firwin`).
    #[default]
    Fir,
    /// Butterworth's of fourth order (eighth as a band-pass), forward and backward: its gain is applied twice.
    Butterworth,
}

/// A band of frequencies, in cycles a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PassBand {
    /// Lower edge.
    pub low: f64,
    /// Upper edge.
    pub high: f64,
    /// How gently an edge may fall at the least (2 Hz over the sampling rate).
    pub softest: f64,
}

/// Order of the Butterworth prototype.
const ORDER: i32 = 4;

impl BandPass {
    /// Samples on either side that a sample's value rests on.
    pub fn reach(self, band: PassBand) -> usize {
        match self {
            Self::Fir => half_length(band),
            // Eight time constants of the band, 1/(π width).
            Self::Butterworth => (8.0 / (PI * (band.high - band.low))).ceil() as usize,
        }
    }

    /// Gains at the frequencies k/size for k up to size/2.
    fn gains(self, band: PassBand, size: usize) -> Vec<f64> {
        match self {
            Self::Fir => fir_gains(band, size),
            Self::Butterworth => {
                // The bilinear transform, its edges prewarped.
                let warped = |f: f64| (PI * f).tan();
                let (low, high) = (warped(band.low), warped(band.high));
                let gain = |k: usize| {
                    let at = warped(k as f64 / size as f64);
                    if k == 0 || 2 * k == size {
                        return 0.0;
                    }
                    let x = (at * at - low * high) / (at * (high - low));
                    1.0 / (1.0 + x.powi(2 * ORDER))
                };
                (0..=size / 2).map(gain).collect()
            }
        }
    }
}

fn half_length(band: PassBand) -> usize {
    let edge = |f: f64, room: f64| (0.25 * f).max(band.softest).min(room);
    let narrowest = edge(band.low, band.low).min(edge(band.high, 0.5 - band.high));
    (3.3 / narrowest / 2.0).ceil() as usize
}

/// Gains of the windowed sinc: the transform of its samples, which is real for they are symmetric.
fn fir_gains(band: PassBand, size: usize) -> Vec<f64> {
    let half = half_length(band);
    let edge = |f: f64, room: f64| (0.25 * f).max(band.softest).min(room);
    // The gain is a half in the middle of an edge.
    let (low, high) = (band.low - 0.5 * edge(band.low, band.low), band.high + 0.5 * edge(band.high, 0.5 - band.high));
    let sinc = |f: f64, m: f64| if m == 0.0 { 2.0 * f } else { (TAU * f * m).sin() / (PI * m) };
    let mut kernel = vec![Complex64::default(); size];
    for m in 0..=half.min(size / 2) {
        let window = 0.54 + 0.46 * (PI * m as f64 / half as f64).cos();
        let value = Complex64::new((sinc(high, m as f64) - sinc(low, m as f64)) * window, 0.0);
        kernel[m] = value;
        kernel[(size - m) % size] = value;
    }
    complex_plan(size).process(&mut kernel);
    kernel[..=size / 2].iter().map(|z| z.re).collect()
}

/// The least number of at least `n` with no other prime factors than 2, 3 and 5: quick to transform.
fn quick_length(n: usize) -> usize {
    (n..=n.next_power_of_two())
        .find(|&m| {
            let mut left = m;
            for prime in [2, 3, 5] {
                while left % prime == 0 {
                    left /= prime;
                }
            }
            left == 1
        })
        .expect("the power of two is one of them")
}

/// The analytic signal of `samples` within a band: its real part is what the filter leaves of them.
///
/// The caller leaves out what lies nearer to an end than [`BandPass::reach`]; at least two samples are needed.
pub fn analytic(samples: &[f64], filter: BandPass, band: PassBand) -> Vec<Complex64> {
    let n = samples.len();
    let pad = filter.reach(band).min(n.saturating_sub(1));
    let size = quick_length(n + 2 * pad + 1).max(2);
    let mut z = vec![Complex64::default(); size];
    // Odd mirror images about the first and the last sample; they go on around the end of the ring.
    let (first, last) = (samples[0], samples[n - 1]);
    let offset = 0.5 * (first + last);
    for (i, x) in samples.iter().enumerate() {
        z[pad + i].re = x - offset;
    }
    for i in 1..=pad {
        z[pad - i].re = 2.0 * first - samples[i] - offset;
        z[pad + n - 1 + i].re = 2.0 * last - samples[n - 1 - i] - offset;
    }
    let plan = complex_plan(size);
    plan.process(&mut z);
    let gains = filter.gains(band, size);
    for (k, z) in z.iter_mut().enumerate() {
        let side = if k == 0 || 2 * k == size {
            1.0
        } else if 2 * k < size {
            2.0
        } else {
            0.0
        };
        // Back by the forward transform: conjugate before and after.
        *z = if side > 0.0 { (*z * (gains[k] * side / size as f64)).conj() } else { Complex64::default() };
    }
    plan.process(&mut z);
    z[pad..pad + n].iter().map(Complex64::conj).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(low: f64, high: f64, rate: f64) -> PassBand {
        PassBand { low: low / rate, high: high / rate, softest: 2.0 / rate }
    }

    /// A wave inside the band keeps amplitude and phase at every sample away from the ends; one outside is gone.
    #[test]
    fn waves_inside_the_band_are_kept_and_others_are_not() {
        for filter in [BandPass::Fir, BandPass::Butterworth] {
            let n = 4000;
            let x: Vec<f64> = (0..n)
                .map(|i| i as f64 / 1000.0)
                .map(|t| 3.0 + 2.0 * (TAU * 10.0 * t + 0.7).cos() + 5.0 * (TAU * 40.0 * t).sin() + 0.2 * t)
                .collect();
            let b = band(8.0, 12.5, 1000.0);
            let z = analytic(&x, filter, b);
            let edge = filter.reach(b);
            for (i, z) in z.iter().enumerate().take(n - edge).skip(edge) {
                let phase = TAU * 10.0 * i as f64 / 1000.0 + 0.7;
                let wanted = Complex64::cis(phase) * 2.0;
                assert!((z - wanted).norm() < 0.04, "{filter:?} {i}: {z} {wanted}");
            }
        }
    }

    /// data/reference/spectra_pairs.py: SciPy's `sosfiltfilt` of `butter(4, ...)` and `hilbert`, away from the ends,
    /// which are continued and cut otherwise, and ring on for some periods.
    #[test]
    fn butterworth_as_scipy() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/spectra_pairs.json")).unwrap();
        let x: Vec<f64> = (0..1000)
            .map(f64::from)
            .map(|n| (0.1 * n).sin() + 0.5 * (0.37 * n + 1.0).cos() + 0.3 * (0.002 * n * n).sin())
            .collect();
        let z = analytic(&x, BandPass::Butterworth, band(1.2, 2.2, 100.0));
        for (k, wanted) in reference["analytic_every_50th"].as_array().unwrap().iter().enumerate() {
            let wanted = Complex64::new(wanted[0].as_f64().unwrap(), wanted[1].as_f64().unwrap());
            let far = (z[50 * k] - wanted).norm();
            assert!(far < if (5..15).contains(&k) { 5e-3 } else { 0.5 }, "{k}: {far}");
        }
    }

    #[test]
    fn lengths_are_quick() {
        assert_eq!([1, 7, 11, 121, 1025].map(quick_length), [1, 8, 12, 125, 1080]);
    }
}
