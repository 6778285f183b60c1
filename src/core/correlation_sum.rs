//! How many pairs of points are closer than r: the correlation sum, whose exponent is the correlation dimension
//! (Grassberger and Procaccia 1983, doi:10.1016/0167-2789(83)90298-1).

use rayon::prelude::*;

use super::delay::{Embedding, at_dimension, vectors};

/// Pairs by their distance (maximum norm), in classes of equal width of its logarithm, whole and by blocks of points.
#[derive(Debug, Clone, PartialEq)]
pub struct PairDistances {
    /// Upper ends of the classes, rising.
    pub radii: Vec<f64>,
    /// Pairs in each class; those nearer than the first end are in the first.
    pub pairs: Vec<u64>,
    /// The same of the pairs of which a point is in a block, block by block.
    pub touching: Vec<Vec<u64>>,
    /// All pairs, those beyond the last end as well; without and with each block.
    pub total: u64,
    /// All pairs of which a point is in each block.
    pub total_touching: Vec<u64>,
}

impl PairDistances {
    /// C(r) at each radius.
    pub fn sum(&self) -> Vec<f64> {
        cumulated(&self.pairs, self.total)
    }

    /// The same without the points of each block.
    pub fn sums_without(&self) -> Vec<Vec<f64>> {
        self.touching
            .iter()
            .zip(&self.total_touching)
            .map(|(touching, total)| {
                let rest: Vec<u64> = self.pairs.iter().zip(touching).map(|(a, b)| a - b).collect();
                cumulated(&rest, self.total - total)
            })
            .collect()
    }
}

fn cumulated(pairs: &[u64], total: u64) -> Vec<f64> {
    let mut sum = 0;
    pairs
        .iter()
        .map(|p| {
            sum += p;
            sum as f64 / total as f64
        })
        .collect()
}

/// Counts pairs of points more than `window` samples apart by their distance, in `classes` from `least` to `most`.
/// O(points²).
pub fn pair_distances(
    values: &[f64],
    embedding: Embedding,
    window: usize,
    (least, most, classes): (f64, f64, usize),
    blocks: usize,
) -> PairDistances {
    at_dimension!(embedding.dimension, pairs_in, (values, embedding.delay, window, (least, most, classes), blocks))
}

fn pairs_in<const D: usize>(
    values: &[f64],
    delay: usize,
    window: usize,
    (least, most, classes): (f64, f64, usize),
    blocks: usize,
) -> PairDistances {
    let points = vectors::<D>(values, delay);
    let n = points.len();
    let blocks = blocks.max(1);
    let width = (most / least).ln() / (classes.max(2) - 1) as f64;
    let radii: Vec<f64> = (0..classes).map(|k| least * (width * k as f64).exp()).collect();
    let block = |i: usize| (i * blocks + blocks - 1) / n.max(1);
    let block = |i: usize| block(i).min(blocks - 1);
    // Class by class and beyond, for each pair of blocks.
    let empty = || vec![0_u64; blocks * blocks * (classes + 1)];
    let counted = (0..n)
        .into_par_iter()
        .with_min_len(32)
        .fold(empty, |mut counts, i| {
            for j in (i + window + 1).min(n)..n {
                let d = points[i].iter().zip(&points[j]).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
                let class = if d < least { 0 } else { ((d / least).ln() / width) as usize + 1 };
                counts[(block(i) * blocks + block(j)) * (classes + 1) + class.min(classes)] += 1;
            }
            counts
        })
        .reduce(empty, |mut a, b| {
            a.iter_mut().zip(&b).for_each(|(a, b)| *a += b);
            a
        });
    let of = |a: usize, b: usize| &counted[(a * blocks + b) * (classes + 1)..][..=classes];
    let mut all = vec![0; classes + 1];
    let mut touching = vec![vec![0; classes + 1]; blocks];
    for a in 0..blocks {
        for b in 0..blocks {
            for (class, &count) in of(a, b).iter().enumerate() {
                all[class] += count;
                touching[a][class] += count;
                if a != b {
                    touching[b][class] += count;
                }
            }
        }
    }
    let total_touching = touching.iter().map(|t| t.iter().sum()).collect();
    let total = all.iter().sum();
    let kept = |mut v: Vec<u64>| {
        v.truncate(classes);
        v
    };
    let touching = touching.into_iter().map(kept).collect();
    PairDistances { radii, pairs: kept(all), touching, total, total_touching }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    #[test]
    fn counts_equal_brute_force() {
        let mut s = Key::new(1, "correlation_sum", "test").stream(0, 0);
        let x: Vec<f64> = (0..150).map(|_| s.uniform()).collect();
        let (e, window, blocks) = (Embedding { dimension: 2, delay: 3 }, 4, 5);
        let found = pair_distances(&x, e, window, (0.01, 1.0, 20), blocks);
        let points = vectors::<2>(&x, 3);
        let n = points.len();
        let block = |i: usize| ((i * blocks + blocks - 1) / n).min(blocks - 1);
        let share = |r: f64, without: Option<usize>| {
            let kept = |i: usize| without != Some(block(i));
            let pairs = (0..n).flat_map(|i| (i + window + 1..n).map(move |j| (i, j)));
            let kept: Vec<_> = pairs.filter(|&(i, j)| kept(i) && kept(j)).collect();
            let near = |&&(i, j): &&(usize, usize)| {
                (points[i][0] - points[j][0]).abs().max((points[i][1] - points[j][1]).abs()) < r
            };
            kept.iter().filter(near).count() as f64 / kept.len() as f64
        };
        for (k, &r) in found.radii.iter().enumerate() {
            assert!((found.sum()[k] - share(r, None)).abs() < 1e-9, "{r}");
            for b in 0..blocks {
                assert!((found.sums_without()[b][k] - share(r, Some(b))).abs() < 1e-9, "{r} {b}");
            }
        }
    }
}
