//! When a series comes back to where it was: recurrences of points in delay coordinates, and the lines that they form
//! (Marwan, Romano, Thiel, Kurths 2007, doi:10.1016/j.physrep.2006.11.001).

use rayon::prelude::*;

use super::delay::{Embedding, at_dimension, vectors};

/// Distances of points (maximum norm) and which of them are recurrences.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrences {
    /// Number of points.
    pub points: usize,
    /// Points at most this many samples apart are not looked at.
    pub window: usize,
    /// What is near.
    pub radius: f64,
    /// Row by row, whether the later point (column) is near the earlier (row); only columns after the row are set.
    near: Vec<bool>,
}

/// Lengths of lines: how many there are of each, from 0.
pub type Lines = Vec<u64>;

/// The lines of a plot of recurrences.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quantified {
    /// Pairs that are near, each once.
    pub near: u64,
    /// Pairs that are looked at, each once.
    pub pairs: u64,
    /// Lines along diagonals: stretches that run alike.
    pub diagonal: Lines,
    /// Lines along columns: stretches that stay.
    pub vertical: Lines,
}

/// All distances of pairs further apart in time than `window`, each once. O(points²).
pub fn distances(values: &[f64], embedding: Embedding, window: usize) -> Vec<f32> {
    at_dimension!(embedding.dimension, distances_in, (values, embedding.delay, window))
}

fn distances_in<const D: usize>(values: &[f64], delay: usize, window: usize) -> Vec<f32> {
    let points = vectors::<D>(values, delay);
    let from = |i: usize| (i + window + 1).min(points.len());
    (0..points.len())
        .into_par_iter()
        .flat_map_iter(|i| points[from(i)..].iter().map(move |q| (i, q)).map(|(i, q)| distance(&points[i], q) as f32))
        .collect()
}

#[inline]
fn distance<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    a.iter().zip(b).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()))
}

/// The distance that this share of all is below. `None` without distances.
pub fn radius_of_share(mut distances: Vec<f32>, share: f64) -> Option<f64> {
    if distances.is_empty() {
        return None;
    }
    let place = ((share * distances.len() as f64) as usize).min(distances.len() - 1);
    Some(f64::from(*distances.select_nth_unstable_by(place, f32::total_cmp).1))
}

impl Recurrences {
    /// Which points are at most `radius` apart. O(points²).
    pub fn new(values: &[f64], embedding: Embedding, window: usize, radius: f64) -> Self {
        at_dimension!(embedding.dimension, recurrences_in, (values, embedding.delay, window, radius))
    }

    /// Whether two points are near.
    pub fn is_near(&self, i: usize, j: usize) -> bool {
        self.near[i.min(j) * self.points + i.max(j)]
    }

    /// Counts lines. O(points²).
    pub fn quantified(&self) -> Quantified {
        let n = self.points;
        let mut found = Quantified { diagonal: vec![0; n + 1], vertical: vec![0; n + 1], ..Quantified::default() };
        for apart in self.window + 1..n {
            found.pairs += (n - apart) as u64;
            runs((0..n - apart).map(|i| self.near[i * n + i + apart]), &mut found.diagonal);
        }
        found.near = found.diagonal.iter().enumerate().map(|(length, count)| length as u64 * count).sum();
        for column in 0..n {
            runs((0..n).map(|row| self.is_near(row, column)), &mut found.vertical);
        }
        found
    }
}

fn recurrences_in<const D: usize>(values: &[f64], delay: usize, window: usize, radius: f64) -> Recurrences {
    let points = vectors::<D>(values, delay);
    let n = points.len();
    let mut near = vec![false; n * n];
    near.par_chunks_mut(n.max(1)).enumerate().for_each(|(i, row)| {
        for j in (i + window + 1).min(n)..n {
            row[j] = distance(&points[i], &points[j]) <= radius;
        }
    });
    Recurrences { points: n, window, radius, near }
}

/// Adds the lengths of stretches of `true`.
fn runs(values: impl Iterator<Item = bool>, lines: &mut Lines) {
    let mut length = 0;
    for near in values {
        if near {
            length += 1;
        } else if length > 0 {
            lines[length] += 1;
            length = 0;
        }
    }
    if length > 0 {
        lines[length] += 1;
    }
}

/// What lines of at least `least` say: the share of all points of lines that are in them, their mean length, the
/// longest, and the entropy of their lengths in nats. NaN without such lines (the share: without lines at all).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineStatistics {
    /// Points in long lines over points in all.
    pub share: f64,
    /// Mean length.
    pub mean: f64,
    /// Longest.
    pub longest: usize,
    /// Entropy of the lengths.
    pub entropy: f64,
}

impl LineStatistics {
    /// Those of lines of at least `least`.
    pub fn of(lines: &Lines, least: usize) -> Self {
        let points = |from: usize| -> u64 { lines.iter().enumerate().skip(from).map(|(l, c)| l as u64 * c).sum() };
        let long: Vec<u64> = lines.iter().skip(least).copied().collect();
        let count: u64 = long.iter().sum();
        let terms = long.iter().filter(|c| **c > 0).map(|&c| c as f64 / count as f64);
        Self {
            share: points(least) as f64 / points(1) as f64,
            mean: points(least) as f64 / count as f64,
            longest: lines.iter().rposition(|c| *c > 0).unwrap_or(0),
            entropy: if count > 0 { -terms.map(|p| p * p.ln()).sum::<f64>() } else { f64::NAN },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    #[test]
    fn lines_of_a_small_plot_by_hand() {
        // 0 1 0 1 0 1: points of the same value, two apart, are near.
        let x = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
        let r = Recurrences::new(&x, Embedding { dimension: 1, delay: 1 }, 0, 0.5);
        assert!(r.is_near(0, 2) && r.is_near(4, 2) && !r.is_near(0, 1) && !r.is_near(3, 3));
        let q = r.quantified();
        assert_eq!((q.near, q.pairs), (6, 15));
        // Diagonals 2 (4 long) and 4 (2 long); in each column two points that stand alone.
        assert_eq!((q.diagonal[4], q.diagonal[2], q.diagonal.iter().sum::<u64>()), (1, 1, 2));
        assert_eq!((q.vertical[1], q.vertical.iter().sum::<u64>()), (12, 12));
        let t = LineStatistics::of(&q.diagonal, 2);
        assert_eq!((t.share, t.mean, t.longest), (1.0, 3.0, 4));
        assert!((t.entropy - 2_f64.ln()).abs() < 1e-12 && LineStatistics::of(&q.vertical, 2).share == 0.0);
    }

    /// Independent values: a point on a diagonal is in a line of two or more with chance 1 − (1 − p)².
    #[test]
    fn independent_values_have_the_lines_of_chance() {
        let mut s = Key::new(1, "recurrence", "test").stream(0, 0);
        let x: Vec<f64> = (0..1500).map(|_| s.uniform()).collect();
        let e = Embedding { dimension: 1, delay: 1 };
        let radius = radius_of_share(distances(&x, e, 5), 0.1).unwrap();
        let q = Recurrences::new(&x, e, 5, radius).quantified();
        let p = q.near as f64 / q.pairs as f64;
        assert!((p - 0.1).abs() < 1e-3);
        assert!((LineStatistics::of(&q.diagonal, 2).share - (2.0 * p - p * p)).abs() < 0.01);
        assert_eq!(radius_of_share(distances(&x[..3], e, 5), 0.1), None);
    }
}
