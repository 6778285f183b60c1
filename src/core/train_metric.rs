//! Distances between spike trains with a time scale: Victor and Purpura's cost, van Rossum's distance.
//!
//! Trains are ascending; repeated times count as often as they stand there.

use super::math::exp;

/// Least cost of turning `a` into `b`, where adding or removing a spike costs 1 and moving one costs `q` for each unit
/// of time (Victor and Purpura 1996, doi:10.1152/jn.1996.76.2.1310).
///
/// It is n1 + n2 less the most that moves save: a move over less than 2/q saves 2 - q|Δt|, and moves do not cross. Only
/// spikes so near to each other are looked at: O(n1 + n2 + pairs closer than 2/q).
pub fn victor_purpura(a: &[f64], b: &[f64], q: f64) -> f64 {
    let all = (a.len() + b.len()) as f64;
    if q <= 0.0 {
        return a.len().abs_diff(b.len()) as f64;
    }
    let reach = 2.0 / q;
    // Most that is saved by moves among the spikes of `a` so far and the first k of `b`. Later entries are as the last.
    let mut saved = Vec::with_capacity(b.len() + 1);
    saved.push(0.0_f64);
    let mut from = 0;
    for &t in a {
        while from < b.len() && t - b[from] >= reach {
            from += 1;
        }
        let known = saved[saved.len() - 1];
        let to = from.max(saved.len() - 1);
        let to = to + b[to..].iter().take_while(|&&u| u - t < reach).count();
        saved.resize(to + 1, known);
        let (mut diagonal, mut left) = (saved[from], saved[from]);
        for (entry, &u) in saved[from + 1..].iter_mut().zip(&b[from..]) {
            let above = *entry;
            left = above.max(left).max(diagonal + 2.0 - q * (u - t).abs());
            *entry = left;
            diagonal = above;
        }
    }
    all - saved[saved.len() - 1]
}

/// How van Rossum's distance is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// One spike against none is 1 (as Elephant).
    Spike,
    /// The integral of the squared difference over the time constant, as published: one spike against none is √½.
    Integral,
}

/// A train made ready for van Rossum's distances to many others.
#[derive(Debug, Clone, PartialEq)]
pub struct Filtered {
    train: Vec<f64>,
    /// ΣΣ exp(-|a_i - a_j|/τ).
    own: f64,
    tau: f64,
}

impl Filtered {
    /// An ascending train, filtered by exp(-t/tau).
    pub fn new(train: Vec<f64>, tau: f64) -> Self {
        let (mut trace, mut sum) = (0.0, 0.0);
        for (k, &t) in train.iter().enumerate() {
            if k > 0 {
                trace = (trace + 1.0) * decay(t - train[k - 1], tau);
            }
            sum += trace;
        }
        let own = train.len() as f64 + 2.0 * sum;
        Self { train, own, tau }
    }
}

fn decay(time: f64, tau: f64) -> f64 {
    if tau > 0.0 { exp(-time / tau) } else { f64::from(u8::from(time == 0.0)) }
}

/// Distance of two trains filtered by exp(-t/τ) (van Rossum 2001, doi:10.1162/089976601300014321), by running sums
/// (Houghton and Kreuz 2012, doi:10.3109/0954898X.2012.673048): O(n1 + n2).
pub fn van_rossum(a: &Filtered, b: &Filtered, scale: Scale) -> f64 {
    let (p, q) = (&a.train[..], &b.train[..]);
    let (mut i, mut j) = (0, 0);
    let (mut trace_a, mut trace_b, mut last, mut cross) = (0.0_f64, 0.0_f64, f64::NAN, 0.0);
    while i < p.len() && j < q.len() || i < p.len() && trace_b > 0.0 || j < q.len() && trace_a > 0.0 {
        let first = j == q.len() || i < p.len() && p[i] <= q[j];
        let time = if first { p[i] } else { q[j] };
        if time > last {
            let by = decay(time - last, a.tau);
            trace_a *= by;
            trace_b *= by;
        }
        last = time;
        if first {
            cross += trace_b;
            trace_a += 1.0;
            i += 1;
        } else {
            cross += trace_a;
            trace_b += 1.0;
            j += 1;
        }
    }
    let squared = (a.own + b.own - 2.0 * cross).max(0.0);
    match scale {
        Scale::Spike => squared.sqrt(),
        Scale::Integral => (squared / 2.0).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    fn trains() -> [Vec<f64>; 4] {
        [vec![0.2, 0.4, 0.6, 0.7], vec![0.3, 0.45, 0.8, 0.9, 0.95], vec![0.2, 0.4, 0.6], vec![0.1, 0.4, 0.5, 0.6]]
    }

    fn rossum(a: &[f64], b: &[f64], tau: f64) -> f64 {
        van_rossum(&Filtered::new(a.to_vec(), tau), &Filtered::new(b.to_vec(), tau), Scale::Spike)
    }

    fn random(unit: u32, n: usize, grid: f64) -> Vec<f64> {
        let mut s = Key::new(5, "train_metric", "random").stream(unit, 0);
        let mut t: Vec<f64> = (0..n)
            .map(|_| {
                let t = 10.0 * s.uniform();
                if grid > 0.0 { (t / grid).round() * grid } else { t }
            })
            .collect();
        t.sort_by(f64::total_cmp);
        t
    }

    /// ground-truth.md C10.
    #[test]
    fn trains_of_the_reference_page() {
        let t = trains();
        for (q, expected) in [
            (1.0, [1.55, 1.0, 0.3]),
            (5.0, [3.75, 1.0, 1.5]),
            (10.0, [5.5, 1.0, 3.0]),
            (20.0, [8.0, 1.0, 4.0]),
            (100.0, [9.0, 1.0, 4.0]),
        ] {
            for k in 0..3 {
                let got = victor_purpura(&t[0], &t[k + 1], q);
                assert!((got - expected[k]).abs() < 1e-12, "{q} {k} {got}");
            }
        }
        for (tau, expected) in [
            (0.1, [2.850063020, 1.0, 1.714393794]),
            (0.05, [2.963653947, 1.0, 1.920544217]),
            (1.0, [1.752234872, 1.0, 0.726157941]),
        ] {
            for k in 0..3 {
                let got = rossum(&t[0], &t[k + 1], tau);
                assert!((got - expected[k]).abs() < 2e-9, "{tau} {k} {got}");
            }
        }
    }

    /// The published recursion over all pairs.
    fn by_table(a: &[f64], b: &[f64], q: f64) -> f64 {
        let mut row: Vec<f64> = (0..=b.len()).map(|j| j as f64).collect();
        for &t in a {
            let mut diagonal = row[0];
            row[0] += 1.0;
            for j in 0..b.len() {
                let above = row[j + 1];
                row[j + 1] = (above + 1.0).min(row[j] + 1.0).min(diagonal + q * (t - b[j]).abs());
                diagonal = above;
            }
        }
        row[b.len()]
    }

    #[test]
    fn the_band_gives_what_the_whole_table_does() {
        for unit in 0..60 {
            let grid = if unit % 2 == 0 { 0.0 } else { 0.25 };
            let (a, b) = (
                random(2 * unit, (unit as usize * 7) % 40, grid),
                random(2 * unit + 1, (unit as usize * 11) % 37, grid),
            );
            for q in [0.0, 0.01, 0.2, 1.0, 3.0, 10.0, 100.0, 1e6] {
                let (got, expected) = (victor_purpura(&a, &b, q), by_table(&a, &b, q));
                assert!((got - expected).abs() < 1e-9 * (1.0 + expected), "{unit} {q}: {got} {expected}");
                assert!((victor_purpura(&b, &a, q) - got).abs() < 1e-9);
            }
            assert_eq!(victor_purpura(&a, &a, 3.0), 0.0);
        }
    }

    #[test]
    fn running_sums_give_what_all_pairs_do() {
        let kernel = |x: &[f64], y: &[f64], tau: f64| -> f64 {
            x.iter().map(|s| y.iter().map(|t| (-(s - t).abs() / tau).exp()).sum::<f64>()).sum()
        };
        for unit in 0..60 {
            let grid = if unit % 2 == 0 { 0.0 } else { 0.25 };
            let (a, b) = (
                random(2 * unit, (unit as usize * 7) % 40, grid),
                random(2 * unit + 1, (unit as usize * 11) % 37, grid),
            );
            for tau in [1e-3, 0.1, 1.0, 100.0] {
                let all = (kernel(&a, &a, tau) + kernel(&b, &b, tau) - 2.0 * kernel(&a, &b, tau)).max(0.0);
                assert!((rossum(&a, &b, tau).powi(2) - all).abs() < 1e-9 * (1.0 + all), "{unit} {tau}");
            }
            // No time at all: spikes at other times have nothing in common. Endless time: only numbers count.
            let apart = rossum(&a, &b, 1e-9).powi(2);
            assert!((apart - rossum(&a, &b, 0.0).powi(2)).abs() < 1e-9);
            assert!((rossum(&a, &b, 1e12) - a.len().abs_diff(b.len()) as f64).abs() < 1e-3);
        }
    }

    #[test]
    fn empty_and_single_trains() {
        assert_eq!(
            [victor_purpura(&[], &[], 1.0), victor_purpura(&[1.0], &[], 1.0), victor_purpura(&[], &[1.0, 1.0], 0.0)],
            [0.0, 1.0, 2.0]
        );
        assert_eq!([rossum(&[], &[], 1.0), rossum(&[1.0], &[], 1.0), rossum(&[], &[3.0], 1.0)], [0.0, 1.0, 1.0]);
        assert_eq!(rossum(&[1.0, 1.0], &[], 1.0), 2.0);
        let (a, b) = (Filtered::new(vec![1.0], 2.0), Filtered::new(vec![], 2.0));
        assert_eq!(van_rossum(&a, &b, Scale::Integral), 0.5f64.sqrt());
    }

    /// Elephant 1.2.1 on the trains of data/reference/spike_trains_elephant.py.
    #[test]
    fn trains_of_elephant() {
        type Measure = fn(&[f64], &[f64], f64) -> f64;
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/spike_trains_elephant.json")).unwrap();
        let numbers =
            |v: &serde_json::Value| -> Vec<f64> { v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
        let trains: Vec<Vec<f64>> = reference["trains"].as_array().unwrap().iter().map(numbers).collect();
        for (name, scale, of) in [
            ("victor_purpura", "victor_purpura_q", victor_purpura as Measure),
            ("van_rossum", "van_rossum_tau", rossum as Measure),
        ] {
            for (k, scale) in numbers(&reference[scale]).into_iter().enumerate() {
                let got = crate::spike_distance::pairs(trains.len(), |i, j| of(&trains[i], &trains[j], scale));
                for (a, b) in got.iter().zip(numbers(&reference[name][k])) {
                    assert!((a - b).abs() < 1e-7 * (1.0 + b), "{name} {scale}: {a} is not {b}");
                }
            }
        }
    }
}
