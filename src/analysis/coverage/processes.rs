//! Processes of which the truth is known.

use super::key;
use crate::testing::recording;
use spikedeck_core::normal::normal;
use spikedeck_signal::Recording;

/// Times (ms) of a stationary gamma renewal process of whole shape in (0, stop] ms: a Poisson process thinned to every
/// `shape`-th event, beginning at a random one.
pub fn renewal(seed: u64, unit: u32, shape: u32, rate: f64, stop: f64) -> Vec<f64> {
    let mut s = key(seed, "renewal").stream(unit, 0);
    let (mut t, mut train) = (0.0, Vec::new());
    let mut left = s.below(shape);
    loop {
        t -= (1.0 - s.uniform()).ln() / (f64::from(shape) * rate) * 1e3;
        if t > stop {
            return train;
        }
        if left == 0 {
            train.push(t);
            left = shape;
        }
        left -= 1;
    }
}

/// Units of a renewal process.
pub fn units(seed: u64, count: u32, shape: u32, rate: f64, stop: f64) -> Recording {
    let trains: Vec<Vec<f64>> = (0..count).map(|u| renewal(seed, u, shape, rate, stop)).collect();
    recording(&trains, stop)
}

/// The same on a grid of 0.1 ms, at most one spike a step.
pub fn on_grid(mut recording: Recording) -> Recording {
    let spikes = &mut recording.spikes[0];
    let mut all: Vec<(i64, u32)> =
        spikes.times.iter().zip(&spikes.units).map(|(t, u)| ((t / 0.1).ceil() as i64, *u)).collect();
    all.sort_unstable();
    all.dedup();
    (spikes.times, spikes.units) = all.into_iter().map(|(k, u)| (k as f64 * 0.1, u)).unzip();
    recording
}

/// Independent standard normal numbers.
pub fn normals(seed: u64, unit: u32, n: usize) -> Vec<f64> {
    let key = key(seed, "normals");
    (0..n as u64).map(|k| normal(key, unit, k)).collect()
}

/// x' = a x + e, stationary, with noise of variance 1.
pub fn ar1(seed: u64, unit: u32, a: f64, n: usize) -> Vec<f64> {
    let e = normals(seed, unit, n);
    let mut x = e[0] / (1.0 - a * a).sqrt();
    e[1..].iter().fold(vec![x], |mut all, e| {
        x = a * x + e;
        all.push(x);
        all
    })
}

/// x'' = 2 r cos(w) x' - r^2 x + e after a transient, at 1 kHz, with a resonance at `hertz`.
pub fn ar2(seed: u64, unit: u32, r: f64, hertz: f64, n: usize) -> Vec<f64> {
    let (a, b) = ar2_coefficients(r, hertz);
    let lead = 2000;
    let e = normals(seed, unit, n + lead);
    let (mut before, mut now) = (0.0, 0.0);
    let mut all = Vec::with_capacity(n);
    for (k, e) in e.iter().enumerate() {
        (before, now) = (now, a * now + b * before + e);
        if k >= lead {
            all.push(now);
        }
    }
    all
}

pub fn ar2_coefficients(r: f64, hertz: f64) -> (f64, f64) {
    let w = std::f64::consts::TAU * hertz / 1000.0;
    (2.0 * r * w.cos(), -r * r)
}

/// One-sided density of [`ar2`] at a frequency.
pub fn ar2_density(r: f64, hertz: f64, f: f64) -> f64 {
    let (a, b) = ar2_coefficients(r, hertz);
    let w = std::f64::consts::TAU * f / 1000.0;
    let re = 1.0 - a * w.cos() - b * (2.0 * w).cos();
    let im = a * w.sin() + b * (2.0 * w).sin();
    2.0 / 1000.0 / (re * re + im * im)
}

/// Noise that rings: a pair of poles at distance `r` from zero and at `frequency` cycles a sample, settled.
pub fn ringing(seed: u64, unit: u32, r: f64, frequency: f64, n: usize) -> Vec<f64> {
    let turn = 2.0 * r * (std::f64::consts::TAU * frequency).cos();
    let settle = (10.0 / (1.0 - r)) as usize;
    let (mut last, mut before) = (0.0, 0.0);
    let all = normals(seed, unit, settle + n).into_iter().map(|e| {
        (last, before) = (turn * last - r * r * before + e, last);
        last
    });
    all.skip(settle).collect()
}
