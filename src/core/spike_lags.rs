//! Lags between the spikes of two trains.

/// For each spike of `a` the signed time to the closest spike of `b` (the earlier one on ties): positive if `b` fires
/// later. Empty if `b` is. O(n1 + n2).
pub fn nearest_lags(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut j = 0;
    if b.is_empty() {
        return Vec::new();
    }
    a.iter()
        .map(|&t| {
            while j + 1 < b.len() && (b[j + 1] - t).abs() < (b[j] - t).abs() {
                j += 1;
            }
            // A run of equal distances cannot hide a nearer one: distances fall, then rise, along an ascending train,
            // and are equal twice only across the minimum or for repeated times.
            while j + 1 < b.len() && b[j + 1] == b[j] {
                j += 1;
                while j + 1 < b.len() && (b[j + 1] - t).abs() < (b[j] - t).abs() {
                    j += 1;
                }
            }
            b[j] - t
        })
        .collect()
}

/// Number of lags within `delta` of zero, with a guard against rounding.
pub fn coincident(lags: &[f64], delta: f64, guard: f64) -> u64 {
    lags.iter().filter(|l| l.abs() <= delta + guard).count() as u64
}

/// Calls `each` with every lag t_b − t_a in `[-most, most]`. O(pairs within reach).
pub fn lags_within(a: &[f64], b: &[f64], most: f64, mut each: impl FnMut(f64)) {
    let mut from = 0;
    for &t in a {
        while from < b.len() && b[from] < t - most {
            from += 1;
        }
        for &u in &b[from..] {
            if u > t + most {
                break;
            }
            each(u - t);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_and_ties() {
        let lags = nearest_lags(&[1.0, 4.0, 5.0, 9.0, 20.0], &[0.0, 2.0, 6.0, 6.0, 8.5]);
        assert_eq!(lags, vec![-1.0, -2.0, 1.0, -0.5, -11.5]);
        assert!(nearest_lags(&[1.0], &[]).is_empty());
        assert_eq!(coincident(&lags, 1.0, 1e-9), 3);
    }

    #[test]
    fn brute_force() {
        let mut s = crate::rng::Key::new(1, "spike_lags", "trains").stream(0, 0);
        for _ in 0..50 {
            let mut train = || {
                let mut t: Vec<f64> = (0..30).map(|_| (s.uniform() * 64.0).floor()).collect();
                t.sort_by(f64::total_cmp);
                t
            };
            let (a, b) = (train(), train());
            for (t, lag) in a.iter().zip(nearest_lags(&a, &b)) {
                let best = b.iter().map(|u| u - t).min_by(|x, y| x.abs().total_cmp(&y.abs())).unwrap();
                assert_eq!(best, lag, "{t} {b:?}");
            }
            let mut count = 0;
            lags_within(&a, &b, 5.0, |_| count += 1);
            assert_eq!(
                count,
                a.iter().flat_map(|t| b.iter().map(move |u| u - t)).filter(|l: &f64| l.abs() <= 5.0).count()
            );
        }
    }
}
