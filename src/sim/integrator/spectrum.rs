//! Eigenvalues of small matrices.

use nalgebra::{Complex, DMatrix, Schur};

/// Relative sizes below which an entry beside the diagonal is taken as zero, tried in this order. Rounding leaves more
/// than the first where many eigenvalues are equal (a matrix of equal rows), and no number of rounds takes it away.
const NEGLIGIBLE: [f64; 4] = [f64::EPSILON, 1e-14, 1e-12, 1e-9];

/// Rounds of QR for each eigenvalue. Two or three do where it converges.
const ROUNDS: usize = 10;

/// Eigenvalues of an `n` by `n` matrix (row by row), in no order; nothing where the iteration does not come to an end.
pub fn eigenvalues(n: usize, values: &[f64]) -> Option<Vec<Complex<f64>>> {
    if n == 0 {
        return Some(Vec::new());
    }
    let matrix = DMatrix::from_row_slice(n, n, values);
    let schur = NEGLIGIBLE.iter().find_map(|eps| Schur::try_new(matrix.clone(), *eps, ROUNDS * n + 100))?;
    Some(schur.complex_eigenvalues().iter().copied().collect())
}

/// Largest |eigenvalue|; the greatest sum of a row, which none is above, where they cannot be found.
pub fn radius(n: usize, values: &[f64]) -> f64 {
    match eigenvalues(n, values) {
        Some(found) => found.iter().map(|z| z.re.hypot(z.im)).fold(0.0, f64::max),
        None => values.chunks(n.max(1)).map(|row| row.iter().map(|v| v.abs()).sum::<f64>()).fold(0.0, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// -1 on the diagonal and equal rows a_j: eigenvalues -1, n - 1 times, and the sum of a less 1.
    #[test]
    fn many_equal_eigenvalues_come_to_an_end() {
        for n in [1, 2, 3, 5, 20, 50, 120] {
            for step in [0.0, 0.01, 1.0] {
                let entry = |i: usize, j: usize| step * (j + 1) as f64 - f64::from(u8::from(i == j));
                let values: Vec<f64> = (0..n * n).map(|k| entry(k / n, k % n)).collect();
                let sum: f64 = step * (n * (n + 1) / 2) as f64 - 1.0;
                let greatest = if n > 1 { sum.abs().max(1.0) } else { sum.abs() };
                let found = radius(n, &values);
                assert!((found - greatest).abs() < 1e-6 * greatest.max(1.0), "{n} {step}: {found} for {greatest}");
            }
        }
    }

    #[test]
    fn a_rotation_has_a_pair() {
        let found = eigenvalues(2, &[0.0, -2.0, 2.0, 0.0]).unwrap();
        assert!(found.iter().all(|z| z.re.abs() < 1e-12 && (z.im.abs() - 2.0).abs() < 1e-12), "{found:?}");
        assert_eq!(radius(0, &[]), 0.0);
    }
}
