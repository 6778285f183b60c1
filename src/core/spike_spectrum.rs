//! Spectrum of spike trains in continuous time: S(f) = |Σ e^(−2πi f t_k)|²/T, two-sided, so that a Poisson process
//! gives its rate at every frequency (Bartlett 1963, doi:10.1111/j.2517-6161.1963.tb00508.x).

use super::fft::Complex64;
use super::welch::{SEPARATE, Spectrum};
use std::f64::consts::TAU;

/// Averages over `segments` stretches of `segment` seconds and over trains (seconds from the start of the first
/// segment). Ordinates are multiples of 1/segment up to `top`; the one at 0 is the squared count and says nothing about
/// rhythm. Each segment's mean over trains is kept as a group. O(spikes · frequencies).
///
/// # Errors
/// Whatever `check` returns, which is asked once a train.
pub fn spike_spectrum<E>(
    trains: &[Vec<f64>],
    segment: f64,
    segments: usize,
    top: f64,
    check: &mut dyn FnMut() -> Result<(), E>,
) -> Result<Spectrum, E> {
    let bins = (top * segment + 1e-9).floor().max(1.0) as usize + 1;
    let mut groups = vec![vec![0.0; bins]; segments];
    let mut sum = vec![Complex64::default(); bins];
    for train in trains {
        check()?;
        let mut rest = train.as_slice();
        for (k, group) in groups.iter_mut().enumerate() {
            let stop = (k + 1) as f64 * segment;
            let (now, later) = rest.split_at(rest.partition_point(|&t| t <= stop));
            rest = later;
            if now.is_empty() {
                continue;
            }
            sum.fill(Complex64::default());
            for &t in now {
                // Powers of one phase factor; restarted every 64 from the exact phase, so that rounding does not build
                // up.
                let phase = (t - k as f64 * segment) / segment;
                let turn = Complex64::cis(-TAU * phase);
                for (c, chunk) in sum.chunks_mut(64).enumerate() {
                    let mut z = Complex64::cis(-TAU * ((c * 64) as f64 * phase).fract());
                    for s in chunk {
                        *s += z;
                        z *= turn;
                    }
                }
            }
            for (g, s) in group.iter_mut().zip(&sum) {
                *g += s.norm_sqr() / (segment * trains.len() as f64);
            }
        }
    }
    let power = (0..bins).map(|b| groups.iter().map(|g| g[b]).sum::<f64>() / segments as f64).collect();
    Ok(Spectrum {
        step: 1.0 / segment,
        power,
        segments,
        freedom: 2.0 * segments as f64,
        groups,
        correlation: SEPARATE,
        smear: SEPARATE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_has_lines_at_its_harmonics() {
        // 10 Hz for 4 s in two segments: |20|²/2 s = 200 at 10, 20, ... and nothing between.
        let train: Vec<f64> = (1..=40).map(|k| f64::from(k) * 0.1 - 0.03).collect();
        let s = spike_spectrum(&[train], 2.0, 2, 100.0, &mut || Ok::<(), ()>(())).unwrap();
        assert_eq!(s.power.len(), 201);
        for k in 1..=200 {
            let expected = if k % 20 == 0 { 200.0 } else { 0.0 };
            assert!((s.power[k] - expected).abs() < 1e-9, "{k} {}", s.power[k]);
        }
    }

    #[test]
    fn direct_sum() {
        let train = [0.13, 0.5, 0.77, 1.3];
        let s = spike_spectrum(&[train.to_vec()], 1.5, 1, 300.0, &mut || Ok::<(), ()>(())).unwrap();
        for k in [0usize, 1, 63, 64, 65, 400, 450] {
            let sum: Complex64 = train.iter().map(|t| Complex64::cis(-TAU * k as f64 * t / 1.5)).sum();
            assert!((s.power[k] - sum.norm_sqr() / 1.5).abs() < 1e-10, "{k}");
        }
    }
}
