//! What two sources say of a target, taken apart: what both say, what each says alone, and what only both together
//! say. All in bits.
//!
//! Of a distribution p(s, a, b): Williams and Beer's I_min (2010, arXiv:1004.2515), and the decomposition of
//! Bertschinger, Rauh, Olbrich, Jost and Ay (2014, doi:10.3390/e16042161), which is the least synergy of all
//! distributions with the same pairs (s, a) and (s, b).

use nalgebra::{DMatrix, DVector};
use std::f64::consts::LN_2;

/// How often each triple of symbols occurred: `counts[(s * a_size + a) * b_size + b]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triples {
    /// Number of symbols of the target, of the first and of the second source.
    pub sizes: [usize; 3],
    /// Counts.
    pub counts: Vec<u32>,
}

/// A decomposition in bits: the four parts add up to what both sources say together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parts {
    /// What each of the sources says.
    pub redundant: f64,
    /// What only the first says.
    pub unique_first: f64,
    /// What only the second says.
    pub unique_second: f64,
    /// What neither says alone.
    pub synergistic: f64,
}

impl Parts {
    fn of(redundant: f64, [first, second, both]: [f64; 3]) -> Self {
        let (unique_first, unique_second) = (first - redundant, second - redundant);
        Self { redundant, unique_first, unique_second, synergistic: both - redundant - unique_first - unique_second }
    }
}

/// Bound of the barrier's gap at which the optimisation ends, in nats.
const GAP: f64 = 1e-9;
/// Most free numbers of the optimisation: each step solves so many equations.
pub const MOST_FREE: usize = 800;

impl Triples {
    /// Counts triples of symbols below `sizes` (target, first source, second source).
    pub fn count(target: &[u32], first: &[u32], second: &[u32], sizes: [usize; 3]) -> Self {
        let mut counts = vec![0; sizes.iter().product()];
        for ((&s, &a), &b) in target.iter().zip(first).zip(second) {
            counts[(s as usize * sizes[1] + a as usize) * sizes[2] + b as usize] += 1;
        }
        Self { sizes, counts }
    }

    /// Number of triples counted.
    pub fn n(&self) -> u64 {
        self.counts.iter().map(|&c| u64::from(c)).sum()
    }

    /// Shares of all triples.
    pub fn shares(&self) -> Vec<f64> {
        let n = self.n().max(1) as f64;
        self.counts.iter().map(|&c| f64::from(c) / n).collect()
    }
}

/// A distribution over target, first and second source.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    sizes: [usize; 3],
    p: Vec<f64>,
    s: Vec<f64>,
    /// `sa[s * a_size + a]`
    sa: Vec<f64>,
    /// `sb[s * b_size + b]`
    sb: Vec<f64>,
}

impl Distribution {
    /// Of shares that add up to 1, `p[(s * a_size + a) * b_size + b]`.
    pub fn new(sizes: [usize; 3], p: Vec<f64>) -> Self {
        let [ns, na, nb] = sizes;
        let (mut s, mut sa, mut sb) = (vec![0.0; ns], vec![0.0; ns * na], vec![0.0; ns * nb]);
        for (k, &v) in p.iter().enumerate() {
            let (b, a, t) = (k % nb, k / nb % na, k / (na * nb));
            s[t] += v;
            sa[t * na + a] += v;
            sb[t * nb + b] += v;
        }
        Self { sizes, p, s, sa, sb }
    }

    /// What the first, the second, and both sources say of the target.
    pub fn informations(&self) -> [f64; 3] {
        let [ns, na, nb] = self.sizes;
        let ab: Vec<f64> = (0..na * nb).map(|k| (0..ns).map(|s| self.p[s * na * nb + k]).sum()).collect();
        let of = |joint: &[f64], source: &[f64]| entropy(&self.s) + entropy(source) - entropy(joint);
        [of(&self.sa, &marginal(&self.sa, na)), of(&self.sb, &marginal(&self.sb, nb)), of(&self.p, &ab)]
            .map(|v| (v / LN_2).max(0.0))
    }

    /// By Williams' and Beer's I_min: Σ p(s) min over the sources of what they say of this s.
    pub fn i_min(&self) -> Parts {
        let specific = |joint: &[f64], size: usize, s: usize| {
            let source = marginal(joint, size);
            // Σ p(x|s) ln(p(s|x)/p(s))
            (0..size)
                .filter(|&x| joint[s * size + x] > 0.0)
                .map(|x| {
                    let p = joint[s * size + x];
                    p / self.s[s] * (p / source[x] / self.s[s]).ln()
                })
                .sum::<f64>()
        };
        let [ns, na, nb] = self.sizes;
        let shared: f64 = (0..ns)
            .filter(|&s| self.s[s] > 0.0)
            .map(|s| self.s[s] * specific(&self.sa, na, s).min(specific(&self.sb, nb, s)))
            .sum();
        Parts::of(shared / LN_2, self.informations())
    }

    /// By Bertschinger and others: what the first source alone says is the least I(S; A | B) of the distributions that
    /// have the same pairs (s, a) and (s, b). The value is exact to 1e-9 nats (bound of an interior-point method).
    /// `None` where more than [`MOST_FREE`] numbers are free.
    pub fn broja(&self) -> Option<Parts> {
        let q = self.least_synergy()?;
        let least = Self::new(self.sizes, q).informations()[2];
        let [first, second, both] = self.informations();
        // Of the distribution of least synergy nothing is synergistic: its information is shared + unique + unique.
        let redundant = (first + second - least).clamp(0.0, first.min(second));
        Some(Parts::of(redundant, [first, second, both]))
    }

    /// The distribution of greatest H(S | A, B) among those with the same pairs.
    fn least_synergy(&self) -> Option<Vec<f64>> {
        let [ns, na, nb] = self.sizes;
        // Inside of what is allowed: sources independent given the target.
        let mut q = vec![0.0; self.p.len()];
        // Each free number moves mass round a rectangle (a0, b0), (a, b0), (a0, b), (a, b) of one s.
        let mut free: Vec<[usize; 4]> = Vec::new();
        for s in (0..ns).filter(|&s| self.s[s] > 0.0) {
            let seen =
                |joint: &[f64], size: usize| (0..size).filter(|&x| joint[s * size + x] > 0.0).collect::<Vec<_>>();
            let (of_a, of_b) = (seen(&self.sa, na), seen(&self.sb, nb));
            let cell = |a: usize, b: usize| (s * na + a) * nb + b;
            for &a in &of_a {
                for &b in &of_b {
                    q[cell(a, b)] = self.sa[s * na + a] * self.sb[s * nb + b] / self.s[s];
                    if a != of_a[0] && b != of_b[0] {
                        let (a0, b0) = (of_a[0], of_b[0]);
                        free.push([cell(a, b), cell(a0, b0), cell(a, b0), cell(a0, b)]);
                    }
                }
            }
        }
        if free.is_empty() {
            return Some(q);
        }
        if free.len() > MOST_FREE {
            return None;
        }
        let cells = q.iter().filter(|v| **v > 0.0).count() as f64;
        let mut barrier = 0.1 / cells;
        while barrier * cells > GAP {
            self.centre(&mut q, &free, barrier)?;
            barrier *= 0.2;
        }
        Some(q)
    }

    /// Newton's steps to the least of Σ q ln(q/q_ab) − barrier Σ ln q.
    fn centre(&self, q: &mut [f64], free: &[[usize; 4]], barrier: f64) -> Option<()> {
        const SIGN: [f64; 4] = [1.0, 1.0, -1.0, -1.0];
        let (block, d) = (self.sizes[1] * self.sizes[2], free.len());
        for _ in 0..60 {
            let ab: Vec<f64> = (0..block).map(|k| q.iter().skip(k).step_by(block).sum::<f64>()).collect();
            let slope = DVector::from_fn(d, |i, _| {
                free[i].iter().zip(SIGN).map(|(&c, sign)| sign * ((q[c] / ab[c % block]).ln() - barrier / q[c])).sum()
            });
            let mut curvature = DMatrix::zeros(d, d);
            // Two free numbers meet in one cell, or in one pair (a, b).
            for i in 0..d {
                for j in 0..=i {
                    let mut sum = 0.0;
                    for (&c, s) in free[i].iter().zip(SIGN) {
                        for (&e, t) in free[j].iter().zip(SIGN) {
                            if c == e {
                                sum += s * t * (1.0 / q[c] + barrier / (q[c] * q[c]));
                            }
                            if c % block == e % block {
                                sum -= s * t / ab[c % block];
                            }
                        }
                    }
                    curvature[(i, j)] = sum;
                    curvature[(j, i)] = sum;
                }
            }
            let step = curvature.cholesky()?.solve(&slope);
            let decrement = slope.dot(&step);
            if decrement <= 1e-9 * barrier.max(1e-12) {
                break;
            }
            let mut move_by = vec![0.0; q.len()];
            for (cells, by) in free.iter().zip(step.iter()) {
                for (&c, s) in cells.iter().zip(SIGN) {
                    move_by[c] -= s * by;
                }
            }
            // Inside of what is allowed, and downhill.
            let mut share = 1.0_f64;
            for (v, by) in q.iter().zip(&move_by) {
                if *by < 0.0 {
                    share = share.min(-0.99 * v / by);
                }
            }
            let value = |q: &[f64]| {
                let ab: Vec<f64> = (0..block).map(|k| q.iter().skip(k).step_by(block).sum::<f64>()).collect();
                q.iter()
                    .enumerate()
                    .filter(|(_, v)| **v > 0.0)
                    .map(|(k, v)| v * (v / ab[k % block]).ln() - barrier * v.ln())
                    .sum::<f64>()
            };
            let before = value(q);
            let mut tried: Vec<f64>;
            loop {
                tried = q.iter().zip(&move_by).map(|(v, by)| v + share * by).collect();
                if value(&tried) <= before - 0.1 * share * decrement || share < 1e-12 {
                    break;
                }
                share *= 0.5;
            }
            q.copy_from_slice(&tried);
        }
        Some(())
    }
}

/// In nats.
fn entropy(p: &[f64]) -> f64 {
    -p.iter().filter(|v| **v > 0.0).map(|v| v * v.ln()).sum::<f64>()
}

/// The second of two, `joint[s * size + x]`.
fn marginal(joint: &[f64], size: usize) -> Vec<f64> {
    let mut sums = vec![0.0; size];
    for row in joint.chunks_exact(size) {
        sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
    }
    sums
}

/// O-information of several variables in bits, (n − 2) H(all) + Σ (H(one) − H(all but one)), from their entropies:
/// positive where redundancy prevails, negative where synergy does (Rosas, Mediano, Gastpar, Jensen 2019,
/// doi:10.1103/PhysRevE.100.032305).
pub fn o_information(all: f64, ones: &[f64], all_but_one: &[f64]) -> f64 {
    let n = ones.len() as f64;
    (n - 2.0) * all + ones.iter().zip(all_but_one).map(|(one, rest)| one - rest).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two coins and what a rule makes of them.
    fn gate(rule: impl Fn(usize, usize) -> usize, states: usize) -> Distribution {
        let mut p = vec![0.0; states * 4];
        for a in 0..2 {
            for b in 0..2 {
                p[(rule(a, b) * 2 + a) * 2 + b] += 0.25;
            }
        }
        Distribution::new([states, 2, 2], p)
    }

    fn close(parts: Parts, wanted: [f64; 4]) {
        let got = [parts.redundant, parts.unique_first, parts.unique_second, parts.synergistic];
        assert!(got.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 2e-8), "{got:?} {wanted:?}");
    }

    /// Tables 1 and 2 of Bertschinger and others 2014, in closed form: AND has I(S; A) = 0.311278 bits, of which all is
    /// shared, and half a bit of synergy.
    #[test]
    fn gates_have_their_parts() {
        let and = 0.811_278_124_459_132_8 - 0.5;
        close(gate(|a, b| a & b, 2).broja().unwrap(), [and, 0.0, 0.0, 0.5]);
        close(gate(|a, b| a & b, 2).i_min(), [and, 0.0, 0.0, 0.5]);
        close(gate(|a, b| a ^ b, 2).broja().unwrap(), [0.0, 0.0, 0.0, 1.0]);
        close(gate(|a, b| a ^ b, 2).i_min(), [0.0, 0.0, 0.0, 1.0]);
        close(gate(|a, _| a, 2).broja().unwrap(), [0.0, 1.0, 0.0, 0.0]);
        // Two copies: I_min calls one bit shared, which is what it is blamed for; here both are unique.
        close(gate(|a, b| 2 * a + b, 4).broja().unwrap(), [0.0, 1.0, 1.0, 0.0]);
        close(gate(|a, b| 2 * a + b, 4).i_min(), [1.0, 0.0, 0.0, 1.0]);
        // Sum of two coins: half a bit is told by each, and a bit only together.
        close(gate(|a, b| a + b, 3).broja().unwrap(), [0.5, 0.0, 0.0, 1.0]);
        // One coin thrice.
        let mut p = vec![0.0; 8];
        (p[0], p[7]) = (0.5, 0.5);
        close(Distribution::new([2, 2, 2], p).broja().unwrap(), [1.0, 0.0, 0.0, 0.0]);
    }

    /// Whatever the distribution: parts are not negative, add up, are those of the sources exchanged, and a source that
    /// the other determines says nothing alone (Blackwell).
    #[test]
    fn laws_hold_for_any_distribution() {
        let mut stream = crate::rng::Key::new(1, "decomposition", "laws").stream(0, 0);
        for (round, sizes) in [[2, 2, 2], [3, 2, 4], [2, 5, 3], [4, 4, 4], [3, 3, 3], [2, 7, 2]].into_iter().enumerate()
        {
            let mut p: Vec<f64> = (0..sizes.iter().product()).map(|_| stream.uniform().powi(3)).collect();
            if round % 2 == 1 {
                p.iter_mut().step_by(3).for_each(|v| *v = 0.0);
            }
            let sum: f64 = p.iter().sum();
            for v in &mut p {
                *v /= sum;
            }
            let [ns, na, nb] = sizes;
            let d = Distribution::new(sizes, p.clone());
            let [first, second, both] = d.informations();
            let swapped: Vec<f64> = (0..ns)
                .flat_map(|s| (0..nb).flat_map(move |b| (0..na).map(move |a| (s * na + a) * nb + b)))
                .map(|k| p[k])
                .collect();
            let other = Distribution::new([ns, nb, na], swapped);
            for (parts, mirror) in [(d.broja().unwrap(), other.broja().unwrap()), (d.i_min(), other.i_min())] {
                let all = [parts.redundant, parts.unique_first, parts.unique_second, parts.synergistic];
                assert!(all.iter().all(|v| *v > -1e-8), "{sizes:?} {all:?}");
                assert!((all.iter().sum::<f64>() - both).abs() < 1e-9);
                assert!((parts.redundant + parts.unique_first - first).abs() < 1e-9);
                assert!((parts.redundant + parts.unique_second - second).abs() < 1e-9);
                assert!((parts.redundant - mirror.redundant).abs() < 1e-7, "{sizes:?} {parts:?} {mirror:?}");
            }
            // The second source is what a coarse look at the first gives.
            let mut coarse = vec![0.0; ns * na * 2];
            for (k, v) in p.iter().enumerate() {
                let (a, s) = (k / nb % na, k / (na * nb));
                coarse[(s * na + a) * 2 + a % 2] += v;
            }
            let coarse = Distribution::new([ns, na, 2], coarse).broja().unwrap();
            assert!(coarse.unique_second.abs() < 1e-8 && coarse.synergistic.abs() < 1e-8, "{coarse:?}");
        }
    }

    #[test]
    fn counts_become_shares_and_what_is_too_large_is_none() {
        let t = Triples::count(&[0, 1, 1, 0], &[0, 1, 1, 0], &[0, 1, 0, 1], [2, 2, 2]);
        assert_eq!((t.n(), t.shares()[7]), (4, 0.25));
        let uniform = Distribution::new([2, 30, 30], vec![1.0 / 1800.0; 1800]);
        assert_eq!(uniform.broja(), None);
    }

    /// Three copies of one bit have an O-information of 1 bit, the parity of two coins and the coins of −1.
    #[test]
    fn o_information_tells_redundancy_from_synergy() {
        assert_eq!(o_information(1.0, &[1.0; 3], &[1.0; 3]), 1.0);
        assert_eq!(o_information(2.0, &[1.0; 3], &[2.0; 3]), -1.0);
        // Of two variables it is 0.
        assert_eq!(o_information(1.7, &[1.0, 0.9], &[0.9, 1.0]), 0.0);
    }
}
