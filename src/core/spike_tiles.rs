//! Spike time tiling coefficient of two trains (Cutts and Eglen 2014, doi:10.1523/JNEUROSCI.2767-14.2014).
//!
//! Trains are ascending; times are compared as they are, with an absolute guard against rounding, so that the result
//! does not depend on where time begins. One pair costs O(n1 + n2).

use super::spike_distance::Edges;

/// Share of the window that lies within `dt` of a spike: tiles are cut at its edges, and overlap counts once. Only
/// differences of times are used, which do not round differently late in a recording. O(n).
fn tiled(train: &[f64], dt: f64, edges: Edges) -> f64 {
    let (Some(first), Some(last)) = (train.first(), train.last()) else { return 0.0 };
    let inner: f64 = train.windows(2).map(|w| (w[1] - w[0]).min(2.0 * dt)).sum();
    let covered = (first - edges.start).min(dt) + inner + (edges.stop - last).min(dt);
    (covered / (edges.stop - edges.start)).min(1.0)
}

/// Number of spikes of `a` within `dt` of a spike of `b` (both ends included, `guard` beyond them). O(n1 + n2).
pub fn near(a: &[f64], b: &[f64], dt: f64, guard: f64) -> usize {
    let reach = dt + guard;
    let mut j = 0;
    a.iter()
        .filter(|&&t| {
            while j < b.len() && t - b[j] > reach {
                j += 1;
            }
            j < b.len() && b[j] - t <= reach
        })
        .count()
}

/// A train made ready for tiling coefficients with many others.
#[derive(Debug, Clone, PartialEq)]
pub struct Tiles {
    train: Vec<f64>,
    share: f64,
}

impl Tiles {
    /// The tiles of `dt` to either side of each spike of an ascending train.
    pub fn new(train: Vec<f64>, dt: f64, edges: Edges) -> Self {
        let share = tiled(&train, dt, edges);
        Self { train, share }
    }
}

/// The coefficient, from -1 to 1: 0 for independent trains, 1 for equal ones. NaN where a train is empty.
pub fn tiling_coefficient(a: &Tiles, b: &Tiles, dt: f64, guard: f64) -> f64 {
    if a.train.is_empty() || b.train.is_empty() {
        return f64::NAN;
    }
    let share = |x: &Tiles, y: &Tiles| near(&x.train, &y.train, dt, guard) as f64 / x.train.len() as f64;
    0.5 * (half(share(a, b), b.share) + half(share(b, a), a.share))
}

/// (P - T)/(1 - P T), which tends to 1 where both do.
fn half(p: f64, t: f64) -> f64 {
    if p * t >= 1.0 { 1.0 } else { (p - t) / (1.0 - p * t) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    const UNIT: Edges = Edges { start: 0.0, stop: 1.0 };

    fn sttc(a: &[f64], b: &[f64], dt: f64, e: Edges) -> f64 {
        tiling_coefficient(&Tiles::new(a.to_vec(), dt, e), &Tiles::new(b.to_vec(), dt, e), dt, 1e-9)
    }

    fn poisson(unit: u32, rate: f64, stop: f64) -> Vec<f64> {
        let mut s = Key::new(11, "spike_tiles", "poisson").stream(unit, 0);
        let (mut t, mut train) = (0.0, Vec::new());
        loop {
            t -= (1.0 - s.uniform()).ln() / rate;
            if t >= stop {
                return train;
            }
            train.push(t);
        }
    }

    /// ground-truth.md C10 (Elephant 1.2.1 with exact times).
    #[test]
    fn trains_of_the_reference_page() {
        let t1 = [0.2, 0.4, 0.6, 0.7];
        for (other, expected) in [
            (vec![0.3, 0.45, 0.8, 0.9, 0.95], -0.221371709),
            (vec![0.2, 0.4, 0.6], 0.790322581),
            (vec![0.1, 0.4, 0.5, 0.6], 0.125),
        ] {
            assert!((sttc(&t1, &other, 0.05, UNIT) - expected).abs() < 1e-9, "{other:?}");
        }
    }

    /// The union of the tiles by counting grid cells.
    #[test]
    fn tiles_cover_what_a_grid_says() {
        for unit in 0..20 {
            let train = poisson(unit, 3.0 + f64::from(unit), 10.0);
            let e = Edges { start: 0.0, stop: 10.0 };
            for dt in [0.001, 0.03, 0.2, 4.0, 20.0] {
                let cells = 100_000;
                let covered = (0..cells)
                    .filter(|k| {
                        let at = (f64::from(*k) + 0.5) * 10.0 / f64::from(cells);
                        train.iter().any(|t| (t - at).abs() <= dt)
                    })
                    .count();
                assert!((tiled(&train, dt, e) - covered as f64 / f64::from(cells)).abs() < 2e-3, "{unit} {dt}");
            }
        }
    }

    #[test]
    fn bounds_symmetry_and_independence_of_the_beginning() {
        let stop = 4096.0;
        let e = Edges { start: 0.0, stop };
        let shift = 2.0f64.powi(30);
        for unit in 0..12 {
            let (a, b) = (poisson(2 * unit, 1.0, stop), poisson(2 * unit + 1, 0.3, stop));
            let [a, b] = [a, b].map(|t| t.iter().map(|t| (t * 1024.0).round() / 1024.0).collect::<Vec<f64>>());
            let later = |t: &[f64]| t.iter().map(|t| t + shift).collect::<Vec<f64>>();
            let far = Edges { start: shift, stop: stop + shift };
            for dt in [0.0, 0.05, 0.5, 5.0] {
                let plain = sttc(&a, &b, dt, e);
                assert!((-1.0..=1.0).contains(&plain));
                assert_eq!(plain, sttc(&b, &a, dt, e));
                assert!((plain - sttc(&later(&a), &later(&b), dt, far)).abs() < 1e-9);
                assert!((sttc(&a, &a, dt, e) - 1.0).abs() < 1e-12);
            }
            // Independent trains of any rate: 0.
            assert!(sttc(&a, &b, 0.05, e).abs() < 0.1);
        }
    }

    #[test]
    fn a_closed_window_on_a_grid_and_empty_trains() {
        let e = Edges { start: 0.0, stop: 100.0 };
        for k in 1..1000 {
            let t = f64::from(k) * 0.1;
            assert_eq!(near(&[t], &[f64::from(k + 20) * 0.1], 2.0, 1e-6), 1, "{t}");
            assert_eq!(near(&[t], &[f64::from(k + 21) * 0.1], 2.0, 1e-6), 0, "{t}");
        }
        assert!(sttc(&[], &[1.0], 1.0, e).is_nan() && sttc(&[], &[], 1.0, e).is_nan());
        // Tiles that cover everything leave nothing to tell.
        assert_eq!(sttc(&[50.0], &[50.0], 1000.0, e), 1.0);
    }

    /// Elephant 1.2.1 on the trains of data/reference/spike_trains_elephant.py.
    #[test]
    fn trains_of_elephant() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/spike_trains_elephant.json")).unwrap();
        let numbers =
            |v: &serde_json::Value| -> Vec<f64> { v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
        let trains: Vec<Vec<f64>> = reference["trains"].as_array().unwrap().iter().map(numbers).collect();
        let e = Edges { start: 0.0, stop: reference["stop"].as_f64().unwrap() };
        for (k, dt) in numbers(&reference["sttc_dt"]).into_iter().enumerate() {
            let got = crate::spike_distance::pairs(trains.len(), |i, j| sttc(&trains[i], &trains[j], dt, e));
            for (a, b) in got.iter().zip(numbers(&reference["sttc"][k])) {
                assert!((a - b).abs() < 1e-9, "{dt}: {a} is not {b}");
            }
        }
    }
}
