//! How well the past of a series foretells its next sample by what came after similar pasts (Ragwitz and Kantz 2002,
//! doi:10.1103/PhysRevE.65.056201).

use rayon::prelude::*;

use super::delay::{at_dimension, vectors};
use super::neighbours::{Nearest, Tree};
use super::statistics::variance;

/// Mean squared error of the next sample foretold by the mean of what followed the `neighbours` nearest pasts of
/// `dimension` samples `delay` apart (at most 12), over the variance of what was foretold; pasts up to `window` samples
/// away in time are not looked at. The samples foretold are those from `first` on, so that embeddings can be held
/// against each other; NaN where none can be. O(n log n).
pub fn error(values: &[f64], dimension: usize, delay: usize, neighbours: usize, window: usize, first: usize) -> f64 {
    at_dimension!(dimension, error_in, (values, delay, neighbours, window, first))
}

fn error_in<const D: usize>(values: &[f64], delay: usize, neighbours: usize, window: usize, first: usize) -> f64 {
    let span = (D - 1) * delay;
    let skip = first.saturating_sub(span + 1);
    let mut points = vectors::<D>(values, delay);
    // Of the last past nothing follows.
    points.pop();
    if points.len() <= skip {
        return f64::NAN;
    }
    points.drain(..skip);
    let next = &values[skip + span + 1..];
    let tree = Tree::new(&points);
    let (sum, n) = (0..tree.len())
        .into_par_iter()
        .with_min_len(256)
        .map_init(
            || Nearest::new(neighbours),
            |nearest, place| {
                let (q, i) = tree.point(place);
                tree.search(q, i, window as u32, nearest);
                let (mut sum, mut count) = (0.0, 0);
                for j in tree.indices(nearest) {
                    sum += next[j as usize];
                    count += 1;
                }
                (count == neighbours).then(|| (next[i as usize] - sum / f64::from(count as u32)).powi(2))
            },
        )
        .fold(|| (0.0, 0_u64), |(sum, n), e| e.map_or((sum, n), |e| (sum + e, n + 1)))
        .reduce(|| (0.0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    sum / n as f64 / variance(next, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;

    /// Hénon's map needs two samples, and of white noise nothing can be foretold: the mean of k others errs by
    /// 1 + 1/k.
    #[test]
    fn what_can_be_foretold_is() {
        let (mut x, mut y) = (0.1, 0.1);
        let henon: Vec<f64> = (0..3000)
            .map(|_| {
                (x, y) = (1.0 - 1.4 * x * x + y, 0.3 * x);
                x
            })
            .collect();
        let of = |d: usize| error(&henon, d, 1, 4, 0, 5);
        assert!(of(1) > 0.02 && of(2) < 0.001 && of(5) > of(2), "{} {} {}", of(1), of(2), of(5));
        let key = Key::new(1, "prediction", "noise");
        let noise: Vec<f64> = (0..5000).map(|t| normal(key, 0, t)).collect();
        assert!((error(&noise, 2, 1, 4, 0, 2) - 1.25).abs() < 0.06, "{}", error(&noise, 2, 1, 4, 0, 2));
        assert!(error(&noise[..3], 4, 1, 4, 0, 4).is_nan());
    }
}
