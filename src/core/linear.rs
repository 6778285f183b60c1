//! Linear algebra of small dense matrices, row-major in flat slices: QR of a frame, eigenvalues, solves, determinants.

use super::vector::vectorised;
use nalgebra::{DMatrix, DVector, Schur};

/// Columns that [`orthonormalise`] takes at once.
const PANEL: usize = 24;
/// Columns against which a panel is taken at once.
const TILE: usize = 4;

/// Orthonormalises the first `k` columns of a frame of `n` rows (row-major, `frame[i * k + j]`) in place and puts the
/// diagonal of R into `diagonal` (never negative). Gram-Schmidt with one repetition, which is orthogonal to rounding
/// (Giraud, Langou, Rozložník 2005, doi:10.1007/s00211-005-0615-4). O(n k²).
///
/// A column that depends on those before it gets a diagonal of 0 and becomes a unit vector orthogonal to them, so that
/// the frame stays a frame.
///
/// More than two dozen columns are taken in blocks, so that nearly all is done by products of matrices. The bits do not
/// depend on the instructions of the machine.
pub(crate) fn orthonormalise(frame: &mut [f64], n: usize, k: usize, diagonal: &mut [f64]) {
    if k <= PANEL {
        return orthonormalise_panel(frame, n, k, diagonal);
    }
    for first in (0..k).step_by(PANEL) {
        let width = PANEL.min(k - first);
        let mut lengths = vec![1.0; width];
        // Twice, as for single columns: against all before, then among themselves.
        for _ in 0..2 {
            leave_out(frame, n, k, first);
            let columns = |i: usize| i * k + first..i * k + first + width;
            let mut panel: Vec<f64> = (0..n).flat_map(|i| frame[columns(i)].iter().copied()).collect();
            let mut own = vec![0.0; width];
            orthonormalise_panel(&mut panel, n, width, &mut own);
            lengths.iter_mut().zip(&own).for_each(|(l, o)| *l *= o);
            for (i, row) in panel.chunks_exact(width).enumerate() {
                frame[columns(i)].copy_from_slice(row);
            }
        }
        diagonal[first..first + width].copy_from_slice(&lengths);
    }
}

vectorised! {
    /// Takes from the columns of the panel that begins at `first` what lies along the columns before it, which are
    /// orthonormal: products of two matrices, each sum in the order of its terms.
    fn leave_out(frame: &mut [f64], n: usize, k: usize, first: usize) {
        let width = PANEL.min(k - first);
        let mut along = vec![[0.0; PANEL]; first];
        for begin in (0..first).step_by(TILE) {
            let tile = TILE.min(first - begin);
            let mut sums = [[0.0; PANEL]; TILE];
            for i in 0..n {
                let row = &frame[i * k..(i + 1) * k];
                let panel = &row[first..first + width];
                for (sums, before) in sums.iter_mut().zip(&row[begin..begin + tile]) {
                    for (sum, v) in sums.iter_mut().zip(panel) {
                        *sum = before.mul_add(*v, *sum);
                    }
                }
            }
            along[begin..begin + tile].copy_from_slice(&sums[..tile]);
        }
        for i in 0..n {
            let (before, panel) = frame[i * k..i * k + first + width].split_at_mut(first);
            let mut sums = [0.0; PANEL];
            for (along, before) in along.iter().zip(before.iter()) {
                for (sum, v) in sums.iter_mut().zip(along) {
                    *sum = before.mul_add(*v, *sum);
                }
            }
            for (v, sum) in panel.iter_mut().zip(&sums) {
                *v -= sum;
            }
        }
    }
}

/// The same for a few columns.
fn orthonormalise_panel(frame: &mut [f64], n: usize, k: usize, diagonal: &mut [f64]) {
    for j in 0..k {
        let before = norm(frame, n, k, j);
        for _ in 0..2 {
            for p in 0..j {
                let mut dot = 0.0;
                for i in 0..n {
                    dot += frame[i * k + p] * frame[i * k + j];
                }
                for i in 0..n {
                    frame[i * k + j] -= dot * frame[i * k + p];
                }
            }
        }
        let after = norm(frame, n, k, j);
        if after > before * f64::EPSILON * f64::EPSILON {
            diagonal[j] = after;
            for i in 0..n {
                frame[i * k + j] /= after;
            }
        } else {
            diagonal[j] = 0.0;
            replace_by_orthogonal(frame, n, k, j);
        }
    }
}

fn norm(frame: &[f64], n: usize, k: usize, j: usize) -> f64 {
    (0..n).map(|i| frame[i * k + j] * frame[i * k + j]).sum::<f64>().sqrt()
}

/// Column `j` becomes the unit vector that is left of the axis farthest from the columns before it.
fn replace_by_orthogonal(frame: &mut [f64], n: usize, k: usize, j: usize) {
    let share = |frame: &[f64], axis: usize| (0..j).map(|p| frame[axis * k + p].powi(2)).sum::<f64>();
    let axis = (0..n).min_by(|&a, &b| share(frame, a).total_cmp(&share(frame, b))).unwrap_or(0);
    for i in 0..n {
        frame[i * k + j] = f64::from(u8::from(i == axis));
    }
    for _ in 0..2 {
        for p in 0..j {
            let dot: f64 = (0..n).map(|i| frame[i * k + p] * frame[i * k + j]).sum();
            for i in 0..n {
                frame[i * k + j] -= dot * frame[i * k + p];
            }
        }
    }
    let length = norm(frame, n, k, j).max(f64::MIN_POSITIVE);
    for i in 0..n {
        frame[i * k + j] /= length;
    }
}

vectorised! {
    /// `out = a * b` for an n by n and an n by k matrix, row-major.
    pub fn multiply(a: &[f64], b: &[f64], out: &mut [f64], n: usize, k: usize) {
        out.fill(0.0);
        for i in 0..n {
            for (p, row) in b.chunks_exact(k.max(1)).enumerate().take(n) {
                let factor = a[i * n + p];
                for (o, v) in out[i * k..(i + 1) * k].iter_mut().zip(row) {
                    *o = factor.mul_add(*v, *o);
                }
            }
        }
    }
}

/// Eigenvalues (real, imaginary) of an `n` by `n` matrix by the real Schur form, largest real part first, conjugate
/// pairs with the positive imaginary part first; `None` if an entry is not finite or the iteration does not converge.
pub fn eigenvalues(matrix: &[f64], n: usize) -> Option<Vec<(f64, f64)>> {
    if matrix.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let schur = Schur::try_new(DMatrix::from_row_slice(n, n, matrix), f64::EPSILON, 10_000)?;
    let mut values: Vec<(f64, f64)> = schur.complex_eigenvalues().iter().map(|c| (c.re, c.im)).collect();
    values.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    Some(values)
}

/// Solves `matrix * x = right` by LU with partial pivoting; `None` if the matrix is singular or not finite.
pub fn solve(matrix: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let n = right.len();
    let solution = DMatrix::from_row_slice(n, n, matrix).lu().solve(&DVector::from_column_slice(right))?;
    solution.iter().all(|v| v.is_finite()).then(|| solution.iter().copied().collect())
}

/// Sign of the determinant of a square matrix (1 of an empty one); `None` where it is singular to rounding.
pub fn determinant_sign(matrix: &[f64], n: usize) -> Option<i64> {
    let size: f64 = (0..n).map(|i| matrix[i * n..(i + 1) * n].iter().fold(0.0_f64, |m, v| m.max(v.abs()))).product();
    let determinant = DMatrix::from_row_slice(n, n, matrix).determinant();
    if !determinant.is_finite() || determinant.abs() <= 1e-12 * size {
        return None;
    }
    Some(if determinant > 0.0 { 1 } else { -1 })
}

/// ln |det| of an `n` by `n` matrix; minus infinity if it is singular.
pub fn log_abs_determinant(matrix: &[f64], n: usize) -> f64 {
    let lu = DMatrix::from_row_slice(n, n, matrix).lu();
    lu.u().diagonal().iter().map(|v| v.abs().ln()).sum()
}

/// Variance of the last variable that the others leave unexplained, for a symmetric covariance matrix of `n` variables
/// (row-major): the square of the last diagonal entry of its Cholesky factor. `None` if the variables before it are
/// collinear.
pub(crate) fn residual_variance(covariance: &[f64], n: usize) -> Option<f64> {
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let mut sum = covariance[i * n + j];
            for p in 0..j {
                sum -= lower[i * n + p] * lower[j * n + p];
            }
            if i == j {
                if i + 1 == n {
                    return (sum > 0.0).then_some(sum);
                }
                if sum <= covariance[i * n + i].abs() * 1e-13 || !sum.is_finite() {
                    return None;
                }
                lower[i * n + i] = sum.sqrt();
            } else {
                lower[i * n + j] = sum / lower[j * n + j];
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_becomes_orthonormal_and_keeps_its_volume() {
        let matrix = [4.0, 1.0, 2.0, 0.5, 3.0, -1.0, 1.0, 2.0, 5.0];
        let mut frame = matrix;
        let mut r = [0.0; 3];
        orthonormalise(&mut frame, 3, 3, &mut r);
        for a in 0..3 {
            for b in 0..3 {
                let dot: f64 = (0..3).map(|i| frame[i * 3 + a] * frame[i * 3 + b]).sum();
                assert!((dot - f64::from(u8::from(a == b))).abs() < 1e-15);
            }
        }
        assert!((r.iter().map(|v| v.ln()).sum::<f64>() - log_abs_determinant(&matrix, 3)).abs() < 1e-14);
    }

    /// Many columns, taken in blocks, are a frame as well, and what they span grew as they say.
    #[test]
    fn many_columns_become_orthonormal() {
        let n = 70;
        let mut stream = crate::rng::Key::new(1, "linear", "frame").stream(0, 0);
        let matrix: Vec<f64> = (0..n * n).map(|_| 2.0 * stream.uniform() - 1.0).collect();
        for k in [PANEL, PANEL + 1, 2 * PANEL, 60, n] {
            let mut frame: Vec<f64> = matrix.chunks(n).flat_map(|row| row[..k].iter().copied()).collect();
            let single = {
                let (mut frame, mut r) = (frame.clone(), vec![0.0; k]);
                orthonormalise_panel(&mut frame, n, k, &mut r);
                r
            };
            let mut r = vec![0.0; k];
            orthonormalise(&mut frame, n, k, &mut r);
            for a in 0..k {
                for b in 0..=a {
                    let dot: f64 = (0..n).map(|i| frame[i * k + a] * frame[i * k + b]).sum();
                    assert!((dot - f64::from(u8::from(a == b))).abs() < 1e-13, "{k}: {a} {b} {dot}");
                }
                assert!((r[a] - single[a]).abs() < 1e-11 * single[a], "{k}: {a}");
            }
            if k == n {
                assert!((r.iter().map(|v| v.ln()).sum::<f64>() - log_abs_determinant(&matrix, n)).abs() < 1e-9);
            }
        }
    }

    /// The bits of products and of frames are those of sums written out, whatever the machine: `SPIKEDECK_VECTOR` only
    /// decides which version of the loops runs.
    #[test]
    fn bits_are_those_of_plain_loops() {
        let mut stream = crate::rng::Key::new(2, "linear", "bits").stream(0, 0);
        for (n, k) in [(3, 3), (31, 7), (60, PANEL + 1), (90, 2 * PANEL + 5)] {
            let frame: Vec<f64> = (0..n * k).map(|_| 2.0 * stream.uniform() - 1.0).collect();
            let square: Vec<f64> = (0..n * n).map(|_| 2.0 * stream.uniform() - 1.0).collect();
            let mut out = vec![0.0; n * k];
            multiply(&square, &frame, &mut out, n, k);
            for i in 0..n {
                for j in 0..k {
                    let sum = (0..n).fold(0.0_f64, |s, p| square[i * n + p].mul_add(frame[p * k + j], s));
                    assert_eq!(sum.to_bits(), out[i * k + j].to_bits(), "{n} {k}");
                }
            }
            for first in (PANEL..k).step_by(PANEL) {
                let mut left = frame.clone();
                leave_out(&mut left, n, k, first);
                for j in first..k.min(first + PANEL) {
                    let along = |p: usize| (0..n).fold(0.0_f64, |s, i| frame[i * k + p].mul_add(frame[i * k + j], s));
                    let along: Vec<f64> = (0..first).map(along).collect();
                    for i in 0..n {
                        let sum = (0..first).fold(0.0_f64, |s, p| frame[i * k + p].mul_add(along[p], s));
                        let wanted = frame[i * k + j] - sum;
                        assert_eq!(wanted.to_bits(), left[i * k + j].to_bits(), "{n} {k}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_dependent_column_is_replaced() {
        let mut frame = [1.0, 2.0, 1.0, 2.0];
        let mut r = [9.0; 2];
        orthonormalise(&mut frame, 2, 2, &mut r);
        assert!(r[1] < 1e-15, "{r:?}");
        assert!((frame[0] * frame[1] + frame[2] * frame[3]).abs() < 1e-15);
        assert!((frame[1].hypot(frame[3]) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn eigenvalues_are_sorted_and_complex() {
        let values = eigenvalues(&[0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -3.0], 3).unwrap();
        assert!((values[0].1 - 1.0).abs() < 1e-14 && (values[1].1 + 1.0).abs() < 1e-14);
        assert!((values[2].0 + 3.0).abs() < 1e-14);
        assert!(eigenvalues(&[f64::NAN], 1).is_none());
    }

    #[test]
    fn solves_and_residuals() {
        let x = solve(&[2.0, 1.0, 1.0, 3.0], &[3.0, 5.0]).unwrap();
        assert!((x[0] - 0.8).abs() < 1e-15 && (x[1] - 1.4).abs() < 1e-15);
        assert!(solve(&[1.0, 1.0, 1.0, 1.0], &[1.0, 2.0]).is_none());
        // Correlation 0.6: the other explains 36 %.
        assert!((residual_variance(&[1.0, 0.6, 0.6, 1.0], 2).unwrap() - 0.64).abs() < 1e-15);
        assert!(residual_variance(&[1.0, 1.0, 0.2, 1.0, 1.0, 0.2, 0.2, 0.2, 1.0], 3).is_none());
    }
}
