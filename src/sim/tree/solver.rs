//! The linear system of a tree in O(n): elimination from the tips to the root and back (Hines 1984,
//! doi:10.1016/0020-7101(84)90008-4).
//!
//! Rows are numbered from a root in the middle of the tree, level by level: the rows of a level do not depend on each
//! other, so that a processor works on several divisions at once, and a cable is eliminated from both ends. Values of
//! many cells of one morphology lie side by side in a row, and all loops run over these.

use spikedeck_core::vector::vectorised;

/// A tree of rows, and room for its elimination.
#[derive(Debug)]
pub struct Solver {
    /// Parent of each row but the first; always before it.
    parent: Vec<u32>,
    /// Coupling of each row but the first with its parent, one a cell.
    coupling: Vec<f64>,
    cells: usize,
    /// Diagonal, right-hand side; afterwards factors and the solution.
    pub diagonal: Vec<f64>,
    /// Right-hand side before, solution after.
    pub right: Vec<f64>,
}

/// Links of a tree over units → the order of rows (units), and for each row but the first its parent row and link.
pub fn order(units: usize, links: &[(usize, usize)]) -> (Vec<usize>, Vec<(usize, usize)>) {
    let mut near: Vec<Vec<(usize, usize)>> = vec![Vec::new(); units];
    for (k, &(a, b)) in links.iter().enumerate() {
        near[a].push((b, k));
        near[b].push((a, k));
    }
    let walk = |root: usize| {
        let mut rows = vec![root];
        let mut from: Vec<Option<(usize, usize)>> = vec![None; units];
        let mut row_of = vec![usize::MAX; units];
        row_of[root] = 0;
        let mut next = 0;
        while next < rows.len() {
            let unit = rows[next];
            for &(other, link) in &near[unit] {
                if row_of[other] == usize::MAX {
                    row_of[other] = rows.len();
                    from[other] = Some((next, link));
                    rows.push(other);
                }
            }
            next += 1;
        }
        (rows, from)
    };
    // The middle of the longest path: the last of a walk from anywhere, the last of a walk from there, half way back.
    let last = |rows: &[usize]| *rows.last().expect("a walk begins at its root");
    let (rows, from) = walk(last(&walk(0).0));
    let mut path = vec![last(&rows)];
    while let Some((row, _)) = from[path[path.len() - 1]] {
        path.push(rows[row]);
    }
    let (rows, from) = walk(path[path.len() / 2]);
    let parents =
        rows[1..].iter().map(|&u| from[u].expect("a walk comes from somewhere to all but its root")).collect();
    (rows, parents)
}

impl Solver {
    /// For rows with these parents; `coupling` has one value a row but the first and a cell.
    pub fn new(parent: Vec<u32>, coupling: Vec<f64>, cells: usize) -> Self {
        let n = (parent.len() + 1) * cells;
        Self { parent, coupling, cells, diagonal: vec![0.0; n], right: vec![0.0; n] }
    }

    /// Solves `diagonal_i x_i - Σ coupling_ij x_j = right_i`; the solution takes the place of `right`.
    pub fn solve(&mut self) {
        eliminate(&self.parent, &self.coupling, self.cells, &mut self.diagonal, &mut self.right);
    }

    /// `out_i += Σ coupling_ij (x_j - x_i)`: what flows into each row.
    pub fn flow(&self, x: &[f64], out: &mut [f64]) {
        let cells = self.cells;
        for (k, &p) in self.parent.iter().enumerate() {
            for c in 0..cells {
                let (i, p) = ((k + 1) * cells + c, p as usize * cells + c);
                let flow = self.coupling[k * cells + c] * (x[p] - x[i]);
                out[i] += flow;
                out[p] -= flow;
            }
        }
    }

    /// Sum of the couplings of each row.
    pub fn sums(&self) -> Vec<f64> {
        let cells = self.cells;
        let mut sums = vec![0.0; self.diagonal.len()];
        for (k, &p) in self.parent.iter().enumerate() {
            for c in 0..cells {
                let g = self.coupling[k * cells + c];
                sums[(k + 1) * cells + c] += g;
                sums[p as usize * cells + c] += g;
            }
        }
        sums
    }
}

vectorised! {
    fn eliminate(parent: &[u32], coupling: &[f64], cells: usize, diagonal: &mut [f64], right: &mut [f64]) {
        match cells {
            1 => abreast::<1>(parent, coupling, diagonal, right),
            4 => abreast::<4>(parent, coupling, diagonal, right),
            8 => abreast::<8>(parent, coupling, diagonal, right),
            _ => any(parent, coupling, cells, diagonal, right),
        }
    }
}

/// The elimination of `W` cells side by side, in vectors.
#[inline(always)]
fn abreast<const W: usize>(parent: &[u32], coupling: &[f64], diagonal: &mut [f64], right: &mut [f64]) {
    let n = parent.len() + 1;
    let (coupling, diagonal, right) =
        (coupling.as_chunks::<W>().0, diagonal.as_chunks_mut::<W>().0, right.as_chunks_mut::<W>().0);
    let (coupling, diagonal, right) = (&coupling[..n - 1], &mut diagonal[..n], &mut right[..n]);
    for i in (1..n).rev() {
        let (p, g) = (parent[i - 1] as usize, coupling[i - 1]);
        let (mut own, mut r) = (diagonal[i], right[i]);
        let (mut above, mut sum) = (diagonal[p], right[p]);
        for c in 0..W {
            let inverse = 1.0 / own[c];
            let share = g[c] * inverse;
            own[c] = share;
            above[c] = (-share).mul_add(g[c], above[c]);
            sum[c] = share.mul_add(r[c], sum[c]);
            r[c] *= inverse;
        }
        (diagonal[i], right[i]) = (own, r);
        (diagonal[p], right[p]) = (above, sum);
    }
    for c in 0..W {
        right[0][c] /= diagonal[0][c];
    }
    for i in 1..n {
        let (share, above) = (diagonal[i], right[parent[i - 1] as usize]);
        let mut x = right[i];
        for c in 0..W {
            x[c] = share[c].mul_add(above[c], x[c]);
        }
        right[i] = x;
    }
}

/// The same of any number of cells.
#[inline(always)]
fn any(parent: &[u32], coupling: &[f64], cells: usize, diagonal: &mut [f64], right: &mut [f64]) {
    let n = parent.len() + 1;
    for i in (1..n).rev() {
        let (p, at) = (parent[i - 1] as usize * cells, i * cells);
        let (before, here) = diagonal.split_at_mut(at);
        let here = &mut here[..cells];
        let (over, own) = right.split_at_mut(at);
        let rows = before[p..p + cells].iter_mut().zip(here).zip(over[p..p + cells].iter_mut().zip(&mut own[..cells]));
        for (((dp, d), (rp, r)), g) in rows.zip(&coupling[at - cells..at]) {
            let inverse = 1.0 / *d;
            let share = *g * inverse;
            *d = share;
            *dp = (-share).mul_add(*g, *dp);
            *rp = share.mul_add(*r, *rp);
            *r *= inverse;
        }
    }
    for (r, d) in right[..cells].iter_mut().zip(&diagonal[..cells]) {
        *r /= *d;
    }
    for i in 1..n {
        let (p, at) = (parent[i - 1] as usize * cells, i * cells);
        let (over, own) = right.split_at_mut(at);
        for ((x, f), above) in own[..cells].iter_mut().zip(&diagonal[at..at + cells]).zip(&over[p..p + cells]) {
            *x = f.mul_add(*above, *x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_core::linear;

    #[test]
    fn a_random_tree_is_solved_like_a_full_matrix_whatever_the_cells_beside_it() {
        let n = 24;
        let mut state = 5u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let links: Vec<(usize, usize)> = (1..n).map(|k| (k, (uniform() * k as f64) as usize)).collect();
        let (rows, parents) = order(n, &links);
        let mut sorted = rows.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..n).collect::<Vec<_>>());
        assert!(parents.iter().enumerate().all(|(k, p)| p.0 <= k), "parents come first");
        let cells = 5;
        let one =
            |uniform: &mut dyn FnMut() -> f64, m: usize| -> Vec<f64> { (0..m).map(|_| 0.2 + uniform()).collect() };
        let coupling = one(&mut uniform, (n - 1) * cells);
        let parent: Vec<u32> = parents.iter().map(|p| p.0 as u32).collect();
        let mut all = Solver::new(parent.clone(), coupling.clone(), cells);
        let extra = one(&mut uniform, n * cells);
        let sums = all.sums();
        all.diagonal.iter_mut().zip(&sums).zip(&extra).for_each(|((d, s), e)| *d = s + e);
        all.right = one(&mut uniform, n * cells);
        let (diagonal, right) = (all.diagonal.clone(), all.right.clone());
        all.solve();
        for c in 0..cells {
            let pick = |list: &[f64]| -> Vec<f64> { (0..list.len() / cells).map(|k| list[k * cells + c]).collect() };
            let mut single = Solver::new(parent.clone(), pick(&coupling), 1);
            (single.diagonal, single.right) = (pick(&diagonal), pick(&right));
            let mut matrix = vec![0.0; n * n];
            for i in 0..n {
                matrix[i * n + i] = single.diagonal[i];
                if i > 0 {
                    let p = parent[i - 1] as usize;
                    matrix[i * n + p] = -single.coupling[i - 1];
                    matrix[p * n + i] = -single.coupling[i - 1];
                }
            }
            let full = linear::solve(&matrix, &single.right).unwrap();
            single.solve();
            assert_eq!(single.right, pick(&all.right), "the same bits alone and beside others");
            assert!(full.iter().zip(&single.right).all(|(a, b)| (a - b).abs() < 1e-12 * a.abs().max(1.0)));
        }
    }

    #[test]
    fn a_cable_is_rooted_in_its_middle() {
        let links: Vec<(usize, usize)> = (1..101).map(|k| (k - 1, k)).collect();
        let (rows, _) = order(101, &links);
        assert_eq!(rows[0], 50);
    }
}
