//! Sample entropy: how rarely stretches that agree go on to agree (Richman and Moorman 2000,
//! doi:10.1152/ajpheart.2000.278.6.H2039).

use rayon::prelude::*;

use super::neighbours::Tree;

/// Pairs of stretches that agree within a tolerance, whole and by blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Matches {
    /// Pairs that agree in m values.
    pub short: u64,
    /// Those that agree in the next value as well.
    pub long: u64,
    /// The same without the pairs of which a stretch begins in a block, block by block.
    pub without: Vec<(u64, u64)>,
}

impl Matches {
    /// −ln(long/short) in nats. `None` where either is 0.
    pub fn entropy(&self) -> Option<f64> {
        rate(self.short, self.long)
    }

    /// The same without each of the blocks; NaN where nothing agrees then.
    pub fn entropies_without(&self) -> Vec<f64> {
        self.without.iter().map(|&(s, l)| rate(s, l).unwrap_or(f64::NAN)).collect()
    }
}

fn rate(short: u64, long: u64) -> Option<f64> {
    (long > 0).then(|| (short as f64 / long as f64).ln())
}

/// Longest stretch whose matches are counted.
pub const LONGEST: usize = 8;

/// Counts pairs of stretches of `m` (at most [`LONGEST`]) and of m + 1 values of which no two differ by more than
/// `tolerance`; as many stretches of either length, and none paired with itself. Blocks are as long as each other.
/// O(n log n) for few matches.
pub fn matches(values: &[f64], m: usize, tolerance: f64, blocks: usize) -> Matches {
    match m {
        1 => count::<1, 2>(values, tolerance, blocks),
        2 => count::<2, 3>(values, tolerance, blocks),
        3 => count::<3, 4>(values, tolerance, blocks),
        4 => count::<4, 5>(values, tolerance, blocks),
        5 => count::<5, 6>(values, tolerance, blocks),
        6 => count::<6, 7>(values, tolerance, blocks),
        7 => count::<7, 8>(values, tolerance, blocks),
        _ => count::<8, 9>(values, tolerance, blocks),
    }
}

fn count<const M: usize, const N: usize>(values: &[f64], tolerance: f64, blocks: usize) -> Matches {
    let stretches = values.len().saturating_sub(M);
    let (short, of_short) = pairs::<M>(values, stretches, tolerance, blocks);
    let (long, of_long) = pairs::<N>(values, stretches, tolerance, blocks);
    let without = of_short.iter().zip(&of_long).map(|(s, l)| (short - s, long - l)).collect();
    Matches { short, long, without }
}

/// Pairs that agree, and those of which a stretch begins in each block.
fn pairs<const D: usize>(values: &[f64], stretches: usize, tolerance: f64, blocks: usize) -> (u64, Vec<u64>) {
    let points: Vec<[f64; D]> = (0..stretches).map(|i| std::array::from_fn(|d| values[i + d])).collect();
    let counts = |points: &[[f64; D]]| -> Vec<u64> {
        let tree = Tree::new(points);
        let mut list = vec![0; points.len()];
        let by_place: Vec<(u32, u64)> = (0..tree.len())
            .into_par_iter()
            .with_min_len(256)
            .map(|place| {
                let index = tree.point(place).1;
                (index, tree.count(index, tolerance, true, 0) as u64)
            })
            .collect();
        for (index, count) in by_place {
            list[index as usize] = count;
        }
        list
    };
    let of_all = counts(&points);
    let touched = (0..blocks).map(|b| {
        let block = b * stretches / blocks..(b + 1) * stretches / blocks;
        let inside: u64 = counts(&points[block.clone()]).iter().sum();
        // A pair inside the block was counted from both of its ends.
        of_all[block].iter().sum::<u64>() - inside / 2
    });
    (of_all.iter().sum::<u64>() / 2, touched.collect())
}

/// Means of `scale` values in turn (Costa, Goldberger, Peng 2002, doi:10.1103/PhysRevLett.89.068102); a rest is left
/// out.
pub fn coarse(values: &[f64], scale: usize) -> Vec<f64> {
    values.chunks_exact(scale.max(1)).map(|c| c.iter().sum::<f64>() / c.len() as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;

    #[test]
    fn counts_equal_brute_force() {
        let key = Key::new(1, "sample_entropy", "test");
        let x: Vec<f64> = (0..200).map(|k| (normal(key, 0, k) * 4.0).round() / 4.0).collect();
        let (m, r, blocks) = (2, 0.3, 7);
        let found = matches(&x, m, r, blocks);
        let n = x.len() - m;
        let agree = |i: usize, j: usize, length: usize| (0..length).all(|k| (x[i + k] - x[j + k]).abs() <= r);
        let block = |i: usize| (0..blocks).find(|b| i < (b + 1) * n / blocks).unwrap();
        let count = |length: usize, without: Option<usize>| {
            let kept = |i: usize| without != Some(block(i));
            let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
            pairs.filter(|&(i, j)| kept(i) && kept(j) && agree(i, j, length)).count() as u64
        };
        assert_eq!((found.short, found.long), (count(m, None), count(m + 1, None)));
        for (b, &got) in found.without.iter().enumerate() {
            assert_eq!(got, (count(m, Some(b)), count(m + 1, Some(b))), "block {b}");
        }
    }

    /// Independent normal values: −ln P(|x − y| ≤ r) = −ln erf(r/2) at standard deviation 1.
    #[test]
    fn independent_values_have_the_closed_form() {
        let key = Key::new(2, "sample_entropy", "test");
        let x: Vec<f64> = (0..20_000).map(|k| normal(key, 0, k)).collect();
        let got = matches(&x, 2, 0.2, 0).entropy().unwrap();
        assert!((got - 2.185_130).abs() < 0.03, "{got}");
        assert!((statrs::function::erf::erf(0.1_f64).ln() + 2.185_130).abs() < 1e-4);
    }

    #[test]
    fn short_series_and_coarse_ones() {
        assert_eq!(matches(&[1.0, 2.0], 2, 0.1, 0).entropy(), None);
        assert_eq!(matches(&[1.0; 50], 2, 0.1, 0).entropy(), Some(0.0));
        assert_eq!(coarse(&[1.0, 3.0, 5.0, 7.0, 9.0], 2), [2.0, 6.0]);
    }
}
