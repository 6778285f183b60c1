//! How fast neighbours in delay coordinates part: the curve of the mean logarithm of their distance, whose slope is the
//! largest Lyapunov exponent (Rosenstein, Collins, De Luca 1993, doi:10.1016/0167-2789(93)90009-P; Kantz 1994,
//! doi:10.1016/0375-9601(94)90991-1).

use rayon::prelude::*;

use super::delay::{Embedding, at_dimension, vectors};
use super::fluctuation::line;
use super::neighbours::{Norm, Tree};

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The points.
    pub embedding: Embedding,
    /// Points at most this many samples apart are no neighbours.
    pub window: usize,
    /// How many samples neighbours are followed.
    pub steps: usize,
    /// Blocks of the series that are left out in turn.
    pub blocks: usize,
}

/// Mean logarithm of the distance of neighbours, step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// The curve, from step 0; NaN where no distance is above zero.
    pub curve: Vec<f64>,
    /// The same without the points of each block.
    pub without: Vec<Vec<f64>>,
    /// Points with a neighbour.
    pub points: u64,
}

/// Sums of logarithms and their numbers, step by step.
type Sums = Vec<(f64, u64)>;

impl Divergence {
    fn of(by_block: &[Sums], points: u64, steps: usize) -> Self {
        let mut total: Sums = vec![(0.0, 0); steps + 1];
        for block in by_block {
            total.iter_mut().zip(block).for_each(|(t, p)| *t = (t.0 + p.0, t.1 + p.1));
        }
        let mean = |(sum, count): (f64, u64)| sum / count as f64;
        let rest = |b: &Sums| total.iter().zip(b).map(|(t, p)| mean((t.0 - p.0, t.1 - p.1))).collect();
        Self { curve: total.iter().map(|t| mean(*t)).collect(), without: by_block.iter().map(rest).collect(), points }
    }

    /// Slopes over a region without each of the blocks.
    pub fn slopes_without(&self, region: &Region) -> Vec<f64> {
        self.without.iter().map(|c| fit(c, region.from, region.to).slope).collect()
    }
}

/// Each point and its nearest neighbour (Euclidean, as Rosenstein). O(n log n + n steps).
pub fn rosenstein(values: &[f64], look: Look) -> Divergence {
    at_dimension!(look.embedding.dimension, nearest_in, (values, look))
}

fn nearest_in<const D: usize>(values: &[f64], look: Look) -> Divergence {
    let all = vectors::<D>(values, look.embedding.delay);
    let n = all.len().saturating_sub(look.steps);
    let tree = Tree::new(&all[..n]);
    let sums = |from: usize, to: usize| -> (Sums, u64) {
        let mut sums = vec![(0.0, 0); look.steps + 1];
        let mut points = 0;
        for i in from..to {
            let admits = |j: u32| (j as usize).abs_diff(i) > look.window;
            let Some((j, _)) = tree.nearest(&all[i], Norm::Euclidean, &admits) else { continue };
            points += 1;
            for (k, sum) in sums.iter_mut().enumerate() {
                let d = Norm::Euclidean.between(&all[i + k], &all[j as usize + k]);
                if d > 0.0 {
                    *sum = (sum.0 + d.ln(), sum.1 + 1);
                }
            }
        }
        (sums, points)
    };
    gathered(n, look, sums)
}

/// Each point and all its neighbours closer than `radius` (maximum norm), of which there are at least `least`: the
/// logarithm of the mean distance of their newest coordinates. O(n · neighbours · steps).
pub fn kantz(values: &[f64], look: Look, radius: f64, least: usize) -> Divergence {
    at_dimension!(look.embedding.dimension, within_in, (values, look, radius, least))
}

fn within_in<const D: usize>(values: &[f64], look: Look, radius: f64, least: usize) -> Divergence {
    let all = vectors::<D>(values, look.embedding.delay);
    let n = all.len().saturating_sub(look.steps);
    let tree = Tree::new(&all[..n]);
    let newest = look.embedding.span();
    let sums = |from: usize, to: usize| -> (Sums, u64) {
        let mut sums = vec![(0.0, 0); look.steps + 1];
        let (mut points, mut near) = (0, Vec::new());
        for i in from..to {
            near.clear();
            tree.each_within(&all[i], radius, Norm::Maximum, &mut |j, _| {
                if (j as usize).abs_diff(i) > look.window {
                    near.push(j as usize);
                }
            });
            if near.len() < least {
                continue;
            }
            points += 1;
            for (k, sum) in sums.iter_mut().enumerate() {
                let here = values[i + newest + k];
                let d = near.iter().map(|j| (values[j + newest + k] - here).abs()).sum::<f64>() / near.len() as f64;
                if d > 0.0 {
                    *sum = (sum.0 + d.ln(), sum.1 + 1);
                }
            }
        }
        (sums, points)
    };
    gathered(n, look, sums)
}

/// Sums block by block, each in pieces that all threads share.
fn gathered(n: usize, look: Look, sums: impl Fn(usize, usize) -> (Sums, u64) + Sync) -> Divergence {
    const PIECE: usize = 512;
    let blocks = look.blocks.max(1);
    let mut points = 0;
    let by_block: Vec<Sums> = (0..blocks)
        .map(|b| {
            let (from, to) = (b * n / blocks, (b + 1) * n / blocks);
            let starts: Vec<usize> = (from..to).step_by(PIECE).collect();
            let parts: Vec<(Sums, u64)> = starts.into_par_iter().map(|at| sums(at, (at + PIECE).min(to))).collect();
            let mut total: Sums = vec![(0.0, 0); look.steps + 1];
            for (part, count) in parts {
                points += count;
                total.iter_mut().zip(part).for_each(|(t, p)| *t = (t.0 + p.0, t.1 + p.1));
            }
            total
        })
        .collect();
    Divergence::of(&by_block, points, look.steps)
}

/// A stretch of a curve with the straight line through it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// First step.
    pub from: usize,
    /// Last step.
    pub to: usize,
    /// Slope, a step.
    pub slope: f64,
    /// Height of the line at step 0.
    pub offset: f64,
    /// R²: share of the variance that the line explains.
    pub share: f64,
}

/// The straight line through a stretch.
pub fn fit(curve: &[f64], from: usize, to: usize) -> Region {
    let steps: Vec<f64> = (from..=to).map(|k| k as f64).collect();
    let (slope, offset, share) = line(&steps, &curve[from..=to], &vec![1.0; steps.len()]);
    Region { from, to, slope, offset, share }
}

/// Least steps of a region.
const LEAST_STEPS: usize = 4;
/// Part of the way to its plateau up to which a curve is looked at.
const BELOW_PLATEAU: f64 = 0.8;
/// R² that a region has at least.
const STRAIGHT: f64 = 0.99;
/// How much the logarithm grows over a region at least.
const LEAST_GROWTH: f64 = 1.0;

/// Where the curve is a straight line that rises: the longest stretch of at least four steps below four fifths of the
/// way to its greatest value over which it grows by a factor of e at least and a line explains 99 % of its variance.
/// `None` where there is none: nothing parts exponentially.
pub fn region(curve: &[f64]) -> Option<Region> {
    let top = curve.iter().copied().filter(|v| v.is_finite()).fold(f64::NEG_INFINITY, f64::max);
    let bottom = curve.first().copied().filter(|v| v.is_finite())?;
    let limit = bottom + BELOW_PLATEAU * (top - bottom);
    let end = curve.iter().position(|v| !v.is_finite() || *v > limit).unwrap_or(curve.len());
    let mut best: Option<Region> = None;
    for from in 0..end {
        for to in from + LEAST_STEPS - 1..end {
            if best.is_some_and(|b| to - from < b.to - b.from) || curve[to] - curve[from] < LEAST_GROWTH {
                continue;
            }
            let here = fit(curve, from, to);
            let better = |b: Region| to - from > b.to - b.from || here.share > b.share;
            if here.share >= STRAIGHT && here.slope > 0.0 && best.is_none_or(better) {
                best = Some(here);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logistic(n: usize) -> Vec<f64> {
        let mut x = 0.312_3;
        (0..n)
            .map(|_| {
                x = 4.0 * x * (1.0 - x);
                x
            })
            .collect()
    }

    fn look(dimension: usize, steps: usize) -> Look {
        Look { embedding: Embedding { dimension, delay: 1 }, window: 5, steps, blocks: 10 }
    }

    /// λ = ln 2 of the logistic map at 4; the curve starts at some 1/n and is flat where the interval is full.
    #[test]
    fn the_logistic_map_by_both() {
        let x = logistic(4000);
        for found in [rosenstein(&x, look(2, 20)), kantz(&x, look(2, 20), 0.003, 5)] {
            let region = region(&found.curve).expect("it parts exponentially");
            assert!((region.slope - std::f64::consts::LN_2).abs() < 0.05, "{region:?} {:?}", found.curve);
            let slopes = found.slopes_without(&region);
            assert!(slopes.len() == 10 && slopes.iter().all(|s| (s - region.slope).abs() < 0.02));
        }
    }

    #[test]
    fn what_does_not_part_has_no_region() {
        let sine: Vec<f64> = (0..2000).map(|k| (f64::from(k) * 0.1).sin()).collect();
        assert_eq!(region(&rosenstein(&sine, look(3, 60)).curve), None);
        let key = crate::rng::Key::new(1, "divergence", "noise");
        let noise: Vec<f64> = (0..2000).map(|k| crate::normal::normal(key, 0, k)).collect();
        let found = rosenstein(&noise, look(3, 30));
        assert_eq!(region(&found.curve), None, "{:?}", found.curve);
    }

    #[test]
    fn a_straight_part_is_found_between_a_jump_and_a_plateau() {
        let curve: Vec<f64> =
            (0..60).map(|k| if k == 0 { -3.0 } else { (-2.0 + 0.1 * f64::from(k)).min(2.0) }).collect();
        let found = region(&curve).unwrap();
        assert!((found.slope - 0.1).abs() < 0.005 && found.from <= 1 && found.to >= 29, "{found:?}");
        assert_eq!(region(&[f64::NAN; 20]), None);
        assert_eq!(region(&[]), None);
    }
}

#[cfg(test)]
#[path = "series_reference_tests.rs"]
mod reference;
