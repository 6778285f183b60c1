//! Discrete prolate spheroidal sequences: the tapers that keep most of their power within a band (Slepian 1978,
//! doi:10.1002/j.1538-7305.1978.tb02104.x).
//!
//! They are eigenvectors of a tridiagonal matrix, here in the form of conductances: with e_i = i (n − i)/2 and u the
//! distance to the middle, row i is e_i (v_(i−1) − v_i) + e_(i+1) (v_(i+1) − v_i) − 2 u² sin²(πW) v_i. What is left of
//! the matrix is of the size of the time-bandwidth product, whatever the length is, so that tapers of a million samples
//! are as exact as short ones. Even and odd tapers are found on one half. Long ones begin at short ones: the
//! eigenvalues hardly depend on the length, and inverse iteration needs two or three rounds then. O(n) a taper.

use std::f64::consts::PI;

/// Tapers of unit energy, and the share of its power that each keeps within the band.
#[derive(Debug, Clone, PartialEq)]
pub struct Tapers {
    /// The tapers; even ones have a positive mean, odd ones begin with a positive lobe.
    pub weights: Vec<Vec<f64>>,
    /// Their concentrations, which fall from nearly 1.
    pub concentration: Vec<f64>,
}

/// Length from which on tapers begin at those of a shorter length.
const SHORT: usize = 512;

/// The first `count` tapers of `n` samples with the time-bandwidth product `nw`: they keep their power within nw/n
/// cycles a sample. `None` unless 0 < nw < n/2 and 0 < count ≤ n.
pub fn dpss(n: usize, nw: f64, count: usize) -> Option<Tapers> {
    if !(nw > 0.0 && 2.0 * nw < n as f64 && (1..=n).contains(&count)) {
        return None;
    }
    let base = SHORT.max((32.0 * nw).ceil() as usize).max(4 * count);
    let short = (n > 2 * base)
        .then(|| (0..count).map(|k| Half::new(base, nw, k).by_bisection()).collect::<Vec<(f64, Vec<f64>)>>());
    let mut tapers = Tapers { weights: Vec::new(), concentration: Vec::new() };
    for k in 0..count {
        let half = Half::new(n, nw, k);
        let found = short.as_ref().and_then(|short| half.by_shorter(&short[k], base));
        let (_, v) = found.unwrap_or_else(|| half.by_bisection());
        let weights = half.whole(v);
        tapers.concentration.push(concentration(&weights, nw / n as f64));
        tapers.weights.push(weights);
    }
    Some(tapers)
}

/// One half of the eigenproblem of order `k`: rows from the edge to the middle.
struct Half {
    n: usize,
    order: usize,
    rows: usize,
    /// 2 sin²(πW).
    well: f64,
    /// What joins the last row to its mirror image.
    last: f64,
    /// Whether the last row is the sample in the middle, which counts once and the others twice.
    middle: bool,
}

impl Half {
    fn new(n: usize, nw: f64, order: usize) -> Self {
        let well = 2.0 * (PI * nw / n as f64).sin().powi(2);
        let is_even = order.is_multiple_of(2);
        let rows = if is_even { n.div_ceil(2) } else { n / 2 };
        let join = |i: usize| i as f64 * (n - i) as f64 / 2.0;
        let last = match (is_even, n.is_multiple_of(2)) {
            (true, _) => 0.0,
            (false, true) => 2.0 * join(rows),
            (false, false) => join(rows),
        };
        Self { n, order, rows, well, last, middle: is_even && !n.is_multiple_of(2) }
    }

    /// What joins row `i` to the one before it.
    fn join(&self, i: usize) -> f64 {
        i as f64 * (self.n - i) as f64 / 2.0
    }

    fn depth(&self, i: usize) -> f64 {
        let u = (self.n as f64 - 1.0) / 2.0 - i as f64;
        self.well * u * u
    }

    fn weight(&self, i: usize) -> f64 {
        if self.middle && i + 1 == self.rows { 0.5 } else { 1.0 }
    }

    /// Pivots of the matrix less `shift`, signs turned: positive ones belong to eigenvalues below it.
    fn pivots(&self, shift: f64, mut each: impl FnMut(usize, f64)) {
        let mut below = 0.0;
        for i in 0..self.rows {
            let before = self.join(i);
            let across = if i == 0 { 0.0 } else { before * below / (before + below) };
            below = self.weight(i) * (self.depth(i) + shift) + across;
            let after = if i + 1 == self.rows { self.last } else { self.join(i + 1) };
            // A pivot that is zero by accident is as good as a small one.
            if below + after == 0.0 {
                below += f64::EPSILON * after.max(1.0);
            }
            each(i, below + after);
        }
    }

    /// Eigenvalues above `shift`.
    fn above(&self, shift: f64) -> usize {
        let mut count = 0;
        self.pivots(shift, |_, pivot| count += usize::from(pivot < 0.0));
        count
    }

    /// The eigenvector of order `order` in the whole, which is number `order / 2` of the half.
    fn by_bisection(&self) -> (f64, Vec<f64>) {
        let wanted = self.order / 2;
        // Every eigenvalue lies below zero; the least is not below minus four times the largest joint and the depth.
        let (mut low, mut high) = (-1.0, 0.0);
        while self.above(low) <= wanted {
            high = low;
            low *= 2.0;
        }
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if self.above(middle) > wanted { low = middle } else { high = middle }
        }
        let mut v: Vec<f64> = (0..self.rows).map(|i| 1.0 + 0.1 * ((i * 7919) % 13) as f64).collect();
        let value = 0.5 * (low + high);
        for _ in 0..3 {
            self.solve(value, &mut v);
        }
        (value, v)
    }

    /// The same beginning at the eigenvector of a shorter length; `None` where the rounds lead to another order.
    fn by_shorter(&self, (value, short): &(f64, Vec<f64>), length: usize) -> Option<(f64, Vec<f64>)> {
        let scale = length as f64 / self.n as f64;
        let is_odd = !self.order.is_multiple_of(2);
        // Beyond the last row stands the mirror image; the middle of an odd taper of odd length has no row and is zero.
        let mirrored = |j: usize| {
            let j = j.min(length - 1 - j.min(length - 1));
            short.get(j).copied().unwrap_or(0.0)
        };
        let mut v: Vec<f64> = (0..self.rows)
            .map(|i| {
                let place = ((i as f64 + 0.5) * scale - 0.5).max(0.0);
                let (j, part) = (place.floor() as usize, place.fract());
                let next = if is_odd && j + 1 >= short.len() { -mirrored(j + 1) } else { mirrored(j + 1) };
                mirrored(j) * (1.0 - part) + next * part
            })
            .collect();
        let mut shift = *value;
        for _ in 0..8 {
            self.solve(shift, &mut v);
            let next = self.quotient(&v);
            let moved = (next - shift).abs();
            shift = next;
            if moved <= 1e-12 * shift.abs() {
                break;
            }
        }
        let near = 1e-7 * shift.abs().max(1.0);
        let is_it = self.above(shift + near) == self.order / 2 && self.above(shift - near) == self.order / 2 + 1;
        is_it.then_some((shift, v))
    }

    /// Rayleigh's quotient.
    fn quotient(&self, v: &[f64]) -> f64 {
        let (mut top, mut bottom) = (0.0, 0.0);
        for i in 0..self.rows {
            let square = self.weight(i) * v[i] * v[i];
            let apart = if i == 0 { 0.0 } else { v[i] - v[i - 1] };
            top -= self.join(i) * apart * apart + self.depth(i) * square;
            bottom += square;
        }
        let edge = v[self.rows - 1];
        (top - self.last * edge * edge) / bottom
    }

    /// One round of inverse iteration: v becomes (A − shift)⁻¹ v, of unit length.
    fn solve(&self, shift: f64, v: &mut [f64]) {
        let mut pivots = vec![0.0; self.rows];
        self.pivots(shift, |i, pivot| pivots[i] = pivot);
        // The signs of all rows are turned, which turns the vector and nothing else.
        for i in 0..self.rows {
            v[i] *= self.weight(i);
            if i > 0 {
                v[i] += self.join(i) / pivots[i - 1] * v[i - 1];
            }
        }
        for i in (0..self.rows).rev() {
            let after = if i + 1 == self.rows { 0.0 } else { self.join(i + 1) * v[i + 1] };
            v[i] = (v[i] + after) / pivots[i];
        }
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        for x in v {
            *x /= length;
        }
    }

    /// Both halves, of unit energy and with the usual sign.
    fn whole(&self, half: Vec<f64>) -> Vec<f64> {
        let is_odd = !self.order.is_multiple_of(2);
        let mut all = half;
        let image: Vec<f64> = {
            let skip = usize::from(self.middle);
            all[..all.len() - skip].iter().rev().map(|v| if is_odd { -v } else { *v }).collect()
        };
        if is_odd && !self.n.is_multiple_of(2) {
            all.push(0.0);
        }
        all.extend(image);
        let energy = all.iter().map(|v| v * v).sum::<f64>().sqrt();
        let is_turned = if is_odd {
            // The first lobe, where it stands out of rounding.
            let top = all.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            all.iter().find(|v| v.abs() > 1e-3 * top).is_some_and(|v| *v < 0.0)
        } else {
            all.iter().sum::<f64>() < 0.0
        };
        let scale = if is_turned { -1.0 / energy } else { 1.0 / energy };
        for v in &mut all {
            *v *= scale;
        }
        all
    }
}

/// Share of the power of a taper within `w` cycles a sample: its eigenvalue under sin(2πW(i − j))/(π(i − j)), read off
/// the row of its largest sample.
fn concentration(taper: &[f64], w: f64) -> f64 {
    let top = (0..taper.len()).max_by(|&a, &b| taper[a].abs().total_cmp(&taper[b].abs()));
    let top = top.expect("a taper has samples");
    let of = |i: usize| {
        let m = i.abs_diff(top) as f64;
        if m == 0.0 { 2.0 * w } else { (2.0 * PI * w * m).sin() / (PI * m) }
    };
    let sum: f64 = taper.iter().enumerate().map(|(i, v)| v * of(i)).sum();
    (sum / taper[top]).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// Concentrations of SciPy 1.17 `windows.dpss(64, 4, 7, return_ratios=True)`.
    #[test]
    fn concentrations_are_known() {
        let t = dpss(64, 4.0, 7).unwrap();
        let known = [1.0, 0.999_999_98, 0.999_998_9, 0.999_969_66, 0.999_436_55, 0.992_710_12, 0.937_468_6];
        for (a, b) in t.concentration.iter().zip(known) {
            assert!((a - b).abs() < 6e-9, "{a} is not {b}");
        }
    }

    /// data/reference/spectra_pairs.py: SciPy's `windows.dpss`, signs included.
    #[test]
    fn tapers_as_scipy() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/spectra_pairs.json")).unwrap();
        for n in [200, 301, 1500] {
            let of = &reference[format!("dpss_{n}")];
            let ratios = of["ratios"].as_array().unwrap();
            let t = dpss(n, of["nw"].as_f64().unwrap(), ratios.len()).unwrap();
            for (k, ratio) in ratios.iter().enumerate() {
                assert!((t.concentration[k] - ratio.as_f64().unwrap()).abs() < 1e-9, "{n} {k}");
                for (i, wanted) in of["every_37th"][k].as_array().unwrap().iter().enumerate() {
                    let far = (t.weights[k][37 * i] - wanted.as_f64().unwrap()).abs();
                    assert!(far < 1e-8, "{n} {k} {i}: {far}");
                }
            }
        }
    }

    /// Of any length, even or odd, short or begun at a short one: orthonormal, symmetric, and eigenvectors of the
    /// kernel that defines them.
    #[test]
    fn tapers_are_orthonormal_eigenvectors_of_the_kernel() {
        for (n, nw, count) in
            [(8, 2.0, 3), (9, 2.0, 4), (64, 4.0, 7), (101, 2.5, 4), (1500, 4.0, 7), (1501, 3.0, 5), (2048, 12.0, 23)]
        {
            let t = dpss(n, nw, count).unwrap();
            for j in 0..count {
                for k in 0..=j {
                    let d = dot(&t.weights[j], &t.weights[k]) - f64::from(u8::from(j == k));
                    assert!(d.abs() < 1e-11, "{n} {j} {k}: {d}");
                }
                let w = nw / n as f64;
                let v = &t.weights[j];
                for row in [0, n / 3, n / 2] {
                    let kernel = |i: usize| {
                        let m = row as f64 - i as f64;
                        if m == 0.0 { 2.0 * w } else { (2.0 * PI * w * m).sin() / (PI * m) }
                    };
                    let sum: f64 = (0..n).map(|i| kernel(i) * v[i]).sum();
                    assert!((sum - t.concentration[j] * v[row]).abs() < 1e-11, "{n} {j} {row}");
                }
                let turned = if j % 2 == 0 { 1.0 } else { -1.0 };
                assert!((0..n).all(|i| (v[i] - turned * v[n - 1 - i]).abs() < 1e-13));
            }
        }
    }

    #[test]
    fn long_tapers_are_those_of_bisection() {
        let (n, nw) = (5000, 4.0);
        let t = dpss(n, nw, 7).unwrap();
        for (k, v) in t.weights.iter().enumerate() {
            let half = Half::new(n, nw, k);
            let direct = half.whole(half.by_bisection().1);
            let far = v.iter().zip(&direct).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(far < 1e-11, "{k}: {far}");
        }
    }

    #[test]
    fn what_cannot_be_is_none() {
        assert!(dpss(8, 4.0, 2).is_none() && dpss(8, 0.0, 2).is_none() && dpss(8, 2.0, 0).is_none());
        assert!(dpss(8, 2.0, 9).is_none() && dpss(8, f64::NAN, 2).is_none() && dpss(0, 1.0, 1).is_none());
    }
}
