//! Linear response at a fixed point: what a small oscillation of an input does to a state.

use nalgebra::{Complex, DMatrix, DVector};

/// x(ω) = (iω − J)⁻¹ b for a system x' = J x + b exp(iωt): the response of all states to a small oscillation of the
/// input whose derivative is `input`, at angular frequency `omega`. `None` where the matrix is singular.
pub fn response(jacobian: &[f64], input: &[f64], omega: f64) -> Option<Vec<Complex<f64>>> {
    let n = input.len();
    // In the system's own time: entries of one row are of one size.
    let matrix = DMatrix::from_fn(n, n, |i, j| {
        let turning = if i == j { omega } else { 0.0 };
        Complex::new(-jacobian[i * n + j], turning)
    });
    let right = DVector::from_iterator(n, input.iter().map(|v| Complex::new(*v, 0.0)));
    let solution = matrix.lu().solve(&right)?;
    solution.iter().all(|v| v.is_finite()).then(|| solution.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V' = (−V + R I)/τ: R/(1 + iωτ); with an inductive branch, C V' = −gV − W + I, L W' = V − r W:
    /// 1/(iωC + g + 1/(r + iωL)).
    #[test]
    fn circuits_have_their_impedance() {
        for omega in [0.0, 0.3, 2.0, 40.0] {
            let (tau, r) = (0.5, 3.0);
            let z = response(&[-1.0 / tau], &[r / tau], omega).unwrap()[0];
            assert!((z - Complex::new(r, 0.0) / Complex::new(1.0, omega * tau)).norm() < 1e-13);
            let (c, g, l, r) = (1.0, 0.1, 4.0, 0.2);
            let z = response(&[-g / c, -1.0 / c, 1.0 / l, -r / l], &[1.0 / c, 0.0], omega).unwrap()[0];
            let one = Complex::new(1.0, 0.0);
            let known = one / (Complex::new(g, omega * c) + one / Complex::new(r, omega * l));
            assert!((z - known).norm() < 1e-13, "{omega}: {z} {known}");
        }
        assert!(response(&[0.0], &[1.0], 0.0).is_none());
    }
}
