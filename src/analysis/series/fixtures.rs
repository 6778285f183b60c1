//! Series of which the truth is known, and series that are none.

use crate::Analysis;
use crate::testing::{metric, run, subject, traces};
use spikedeck_core::normal::normal;
use spikedeck_core::rng::Key;

/// The logistic map at 4.
pub fn logistic(n: usize) -> Vec<f64> {
    let mut x = 0.312_3;
    (0..n)
        .map(|_| {
            x = 4.0 * x * (1.0 - x);
            x
        })
        .collect()
}

/// Independent normal values.
pub fn noise(seed: u64, n: usize) -> Vec<f64> {
    let key = Key::new(seed, "series", "noise");
    (0..n as u64).map(|k| normal(key, 0, k)).collect()
}

/// Of a series that is constant, holds NaN, an infinity, is too short or empty, `name` is missing with a reason, and
/// all that has a value is finite.
pub fn bad_series(analysis: &dyn Analysis, name: &str) {
    let mut holes = noise(1, 500);
    holes[40] = f64::NAN;
    let mut endless = noise(1, 500);
    endless[499] = f64::INFINITY;
    let alike: Vec<f64> = vec![-65.123_456; 500];
    let cases = [(alike, "constant"), (holes, "1 of 500"), (endless, "1 of 500"), (vec![1.0, 2.0], "2 samples")];
    for (values, why) in cases {
        let o = run(analysis, &traces(&[values], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        let m = metric(&o, "p.V_m", name);
        assert!(m.value.is_none() && m.note.contains(why), "{why}: {m:?}");
        assert!(o.metrics.iter().all(|m| m.value.is_some() || !m.note.is_empty()));
    }
    // Two values, a rare other one, and a number among large ones: whatever is said is said in finite numbers.
    let two: Vec<f64> = (0..400).map(|k| f64::from(k * k % 7 % 2)).collect();
    let rare: Vec<f64> = (0..400).map(|k| f64::from(u8::from(k == 200))).collect();
    let large: Vec<f64> = noise(2, 400).iter().map(|v| 1e12 + v).collect();
    let ramp: Vec<f64> = (0..400).map(f64::from).collect();
    for values in [two, rare, large, ramp] {
        let o = run(analysis, &traces(&[values], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        for m in &o.metrics {
            assert!(m.value.is_none_or(f64::is_finite) && (m.value.is_some() || !m.note.is_empty()), "{m:?}");
        }
    }
}

/// The x of Hénon's map, after a transient.
pub fn henon(n: usize) -> Vec<f64> {
    let (mut x, mut y) = (0.1, 0.1);
    (0..n + 100)
        .map(|_| {
            (x, y) = (1.0 - 1.4 * x * x + y, 0.3 * x);
            x
        })
        .skip(100)
        .collect()
}

/// The x of Lorenz' flow (10, 28, 8/3) every `interval`, by Runge and Kutta's scheme with steps of 0.005 at most.
pub fn lorenz(n: usize, interval: f64) -> Vec<f64> {
    let rate = |u: [f64; 3]| [10.0 * (u[1] - u[0]), u[0] * (28.0 - u[2]) - u[1], u[0] * u[1] - 8.0 / 3.0 * u[2]];
    let ahead = |u: [f64; 3], k: [f64; 3], h: f64| std::array::from_fn(|i| u[i] + h * k[i]);
    let steps = (interval / 0.005).ceil();
    let h = interval / steps;
    let mut u = [1.0, 1.0, 20.0];
    let mut step = || {
        for _ in 0..steps as u32 {
            let a = rate(u);
            let b = rate(ahead(u, a, h / 2.0));
            let c = rate(ahead(u, b, h / 2.0));
            let d = rate(ahead(u, c, h));
            u = std::array::from_fn(|i| u[i] + h / 6.0 * (a[i] + 2.0 * b[i] + 2.0 * c[i] + d[i]));
        }
        u[0]
    };
    let lead = (20.0 / interval) as usize;
    (0..lead + n).map(|_| step()).skip(lead).collect()
}

/// Normal noise whose spectrum falls as f^(1 − 2α): a sum of cosines of random phases and normal amplitudes.
pub fn power_law_noise(seed: u64, n: usize, alpha: f64) -> Vec<f64> {
    use spikedeck_core::fft::{Complex64, complex_plan};
    let key = Key::new(seed, "series", "power law");
    // Twice as long as is kept, so that it is no circle.
    let whole = 2 * n;
    let mut spectrum = vec![Complex64::default(); whole];
    for k in 1..n {
        // Of a series in steps of one sample: |1 − exp(iω)|^(1/2 − α).
        let size = (2.0 * (std::f64::consts::PI * k as f64 / whole as f64).sin()).powf(0.5 - alpha);
        let c = Complex64::new(normal(key, 0, k as u64), normal(key, 1, k as u64)) * size;
        (spectrum[k], spectrum[whole - k]) = (c, c.conj());
    }
    complex_plan(whole).process(&mut spectrum);
    spectrum[..n].iter().map(|c| c.re).collect()
}
