//! What begins at a Hopf point: the first Lyapunov coefficient, which tells whether the cycles are stable, and the
//! plane in which they turn.

use super::family::Family;
use nalgebra::{Complex, DMatrix, DVector};

/// The critical eigenvector, and the first Lyapunov coefficient.
#[derive(Debug, Clone, PartialEq)]
pub struct Onset {
    /// Real and imaginary part of the eigenvector q, J q = iω q: near the point a cycle is x + ε Re(q exp(iωt)).
    pub plane: [Vec<f64>; 2],
    /// The first Lyapunov coefficient, with |q| = 1 in the weights given: below zero the cycles are stable where rest
    /// is not (supercritical), above zero they are unstable and surround a rest that is stable (subcritical).
    pub coefficient: f64,
    /// Whether the coefficient differs from zero beyond rounding; else cycles may fill a plane at one value of the
    /// parameter, as around a linear centre, and nothing is known of what begins.
    pub is_decided: bool,
}

/// Steps of the differences by which the Jacobian's own derivatives are taken, states being of size 1.
const FIRST: f64 = 1e-5;
const SECOND: f64 = 1e-3;
/// Coefficients below this, of states of size 1 and over the size of the Jacobian in units of the frequency, are zero
/// to rounding: some 30 ε/SECOND², with a margin.
const NOISE: f64 = 1e-7;

/// What begins at the Hopf point `x` of `family` at parameter `p` with frequency `omega`, by Kuznetsov's formula
/// (Kuznetsov 2004, doi:10.1007/978-1-4757-3978-7, equation 5.62):
///
/// l₁ = Re(⟨p, C(q, q, q̄)⟩ − 2⟨p, B(q, A⁻¹B(q, q̄))⟩ + ⟨p, B(q̄, (2iω − A)⁻¹B(q, q))⟩)/(2ω),
///
/// with A q = iω q, Aᵀp = −iω p, ⟨p, q⟩ = 1 and |q| = 1, each component weighted by `weights`; B and C are the second
/// and third derivatives of the right side. `None` where a matrix is singular. States are of size 1.
pub fn onset<F: Family + ?Sized>(family: &F, x: &[f64], p: f64, omega: f64, weights: &[f64]) -> Option<Onset> {
    let n = family.dimension();
    let jacobian = |x: &[f64]| {
        let (mut out, mut slope) = (vec![0.0; n * n], vec![0.0; n]);
        family.jacobian(x, p, &mut out, &mut slope);
        DMatrix::from_row_slice(n, n, &out)
    };
    let a = jacobian(x);
    let shifted = |by: Complex<f64>, sign: f64| {
        DMatrix::from_fn(n, n, |i, j| {
            Complex::new(sign * a[(i, j)], 0.0) + if i == j { by } else { Complex::new(0.0, 0.0) }
        })
    };
    let null = shifted(Complex::new(0.0, -omega), 1.0).svd(true, true);
    let (u, v) = (null.u?, null.v_t?);
    let least = null.singular_values.imin();
    let mut q: DVector<Complex<f64>> = v.row(least).adjoint();
    let mut left: DVector<Complex<f64>> = u.column(least).into_owned();
    // Differences are taken along q as it is in states of size 1, whatever units they are told in; the coefficient goes
    // with the square of its length.
    q.unscale_mut(q.norm());
    let weighted = q.iter().zip(weights).map(|(q, w)| q.norm_sqr() * w * w).sum::<f64>();
    let product = left.dotc(&q);
    if product.norm() == 0.0 || !product.is_finite() {
        return None;
    }
    for v in &mut left {
        *v /= product.conj();
    }

    let moved = |by: &[f64], h: f64| -> DMatrix<f64> {
        jacobian(&x.iter().zip(by).map(|(x, d)| h.mul_add(*d, *x)).collect::<Vec<_>>())
    };
    // B(u, ·) for real u, by a difference of fourth order.
    let slope = |u: &[f64]| {
        let near = moved(u, FIRST) - moved(u, -FIRST);
        let far = moved(u, 2.0 * FIRST) - moved(u, -2.0 * FIRST);
        (near * 8.0 - far) / (12.0 * FIRST)
    };
    // C(u, u, ·) for real u, likewise.
    let bend = |u: &[f64]| {
        let near = moved(u, SECOND) + moved(u, -SECOND);
        let far = moved(u, 2.0 * SECOND) + moved(u, -2.0 * SECOND);
        (near * 16.0 - far - &a * 30.0) / (12.0 * SECOND * SECOND)
    };
    let re: Vec<f64> = q.iter().map(|q| q.re).collect();
    let im: Vec<f64> = q.iter().map(|q| q.im).collect();
    let complex = |m: &DMatrix<f64>| m.map(|v| Complex::new(v, 0.0));
    let i = Complex::new(0.0, 1.0);
    // B(q, ·); B(q̄, ·) is its conjugate.
    let of_q = complex(&slope(&re)) + complex(&slope(&im)) * i;
    let second = &of_q * &q;
    let mixed = &of_q * q.conjugate();
    let still = shifted(Complex::new(0.0, 0.0), 1.0).lu().solve(&mixed)?;
    let twice = shifted(Complex::new(0.0, 2.0 * omega), -1.0).lu().solve(&second)?;
    // C(q, q, q̄) = C(a, a, q) + C(b, b, q) for q = a + ib.
    let third = complex(&(bend(&re) + bend(&im))) * &q;
    let sum = third - &of_q * still * Complex::new(2.0, 0.0) + of_q.conjugate() * twice;
    let coefficient = left.dotc(&sum).re / (2.0 * omega * weighted);
    // What the differences above leave of zero: their rounding, over the square of the longer step.
    let noise = NOISE * a.norm() / omega;
    let is_decided = (coefficient * weighted).abs() > noise;
    coefficient.is_finite().then_some(Onset { plane: [re, im], coefficient, is_decided })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x' = −ωy + f, y' = ωx + g with all quadratic and cubic terms.
    struct Planar {
        omega: f64,
        /// xx, xy, yy of f and of g.
        second: [[f64; 3]; 2],
        /// xxx, xxy, xyy, yyy likewise.
        third: [[f64; 4]; 2],
    }

    impl Family for Planar {
        fn dimension(&self) -> usize {
            2
        }
        fn rate(&self, v: &[f64], _: f64, o: &mut [f64]) {
            let (x, y) = (v[0], v[1]);
            for k in 0..2 {
                let (s, t) = (self.second[k], self.third[k]);
                o[k] = [-self.omega * y, self.omega * x][k]
                    + s[0] * x * x
                    + s[1] * x * y
                    + s[2] * y * y
                    + t[0] * x * x * x
                    + t[1] * x * x * y
                    + t[2] * x * y * y
                    + t[3] * y * y * y;
            }
        }
        fn jacobian(&self, v: &[f64], _: f64, o: &mut [f64], slope: &mut [f64]) {
            let (x, y) = (v[0], v[1]);
            for k in 0..2 {
                let (s, t) = (self.second[k], self.third[k]);
                o[2 * k] = [0.0, self.omega][k]
                    + 2.0 * s[0] * x
                    + s[1] * y
                    + 3.0 * t[0] * x * x
                    + 2.0 * t[1] * x * y
                    + t[2] * y * y;
                o[2 * k + 1] = [-self.omega, 0.0][k]
                    + s[1] * x
                    + 2.0 * s[2] * y
                    + t[1] * x * x
                    + 2.0 * t[2] * x * y
                    + 3.0 * t[3] * y * y;
            }
            slope.fill(0.0);
        }
    }

    /// The formula of Guckenheimer and Holmes (1983, doi:10.1007/978-1-4612-1140-2, 3.4.11) for r' = a r³ in planar
    /// systems, from another derivation: l₁ = 2a/ω where |q| = 1.
    #[test]
    fn planar_systems_have_the_coefficient_of_the_other_formula() {
        let mut stream = crate::rng::Key::new(3, "hopf", "terms").stream(0, 0);
        for _ in 0..40 {
            let mut draw = || 2.0 * stream.uniform() - 1.0;
            let omega = 0.3 + draw().abs() * 3.0;
            let second = [[draw(), draw(), draw()], [draw(), draw(), draw()]];
            let third = [[draw(), draw(), draw(), draw()], [draw(), draw(), draw(), draw()]];
            let ([f, g], [cubic_f, cubic_g]) = (second, third);
            let (fxx, fxy, fyy) = (2.0 * f[0], f[1], 2.0 * f[2]);
            let (gxx, gxy, gyy) = (2.0 * g[0], g[1], 2.0 * g[2]);
            let cubic = 6.0 * cubic_f[0] + 2.0 * cubic_f[2] + 2.0 * cubic_g[1] + 6.0 * cubic_g[3];
            let a = cubic / 16.0 + (fxy * (fxx + fyy) - gxy * (gxx + gyy) - fxx * gxx + fyy * gyy) / (16.0 * omega);
            let found = onset(&Planar { omega, second, third }, &[0.0, 0.0], 0.0, omega, &[1.0, 1.0]).unwrap();
            let wanted = 2.0 * a / omega;
            assert!((found.coefficient - wanted).abs() < 1e-6 * (1.0 + wanted.abs()), "{} {wanted}", found.coefficient);
            // q turns as the linear system does: J re = −ω im.
            let [re, im] = &found.plane;
            assert!((-omega * re[1] + omega * im[0]).abs() < 1e-12 && (omega * re[0] + omega * im[1]).abs() < 1e-12);
        }
    }

    /// Terms of all orders: what differences leave out would show, if they were taken along a q of another length.
    #[test]
    fn differences_do_not_depend_on_weights() {
        struct Curved;
        impl Family for Curved {
            fn dimension(&self) -> usize {
                2
            }
            fn rate(&self, v: &[f64], _: f64, o: &mut [f64]) {
                o[0] = -v[1] - v[0].tanh() + v[0] + v[1] * v[0].exp_m1();
                o[1] = v[0];
            }
            fn jacobian(&self, v: &[f64], _: f64, o: &mut [f64], slope: &mut [f64]) {
                o[0] = v[0].tanh().powi(2) + v[1] * v[0].exp();
                o[1] = v[0].exp_m1() - 1.0;
                o[2] = 1.0;
                o[3] = 0.0;
                slope.fill(0.0);
            }
        }
        let at = |w: f64| onset(&Curved, &[0.0, 0.0], 0.0, 1.0, &[w, w]).unwrap().coefficient * w * w;
        // The other formula: f_xxx = 2, f_xy = 1, f_xxy = 1 and no more up to third order.
        assert!((at(1.0) - 2.0 * 2.0 / 16.0).abs() < 1e-7, "{}", at(1.0));
        for w in [1e5, 1e-5, 1e8, 1e-8] {
            assert!((at(w) - at(1.0)).abs() < 1e-9, "{w}: {}", at(w));
        }
    }

    /// Of weights w only the length of q changes: l₁ goes with the square of the unit.
    #[test]
    fn the_sign_does_not_depend_on_units() {
        let third = [[-1.0, 0.0, -1.0, 0.0], [0.0, -1.0, 0.0, -1.0]];
        let system = Planar { omega: 2.0, second: [[0.0; 3]; 2], third };
        for weight in [1.0, 10.0, 1e-3] {
            let found = onset(&system, &[0.0, 0.0], 0.0, 2.0, &[weight, weight]).unwrap();
            assert!((found.coefficient * weight * weight + 1.0).abs() < 1e-8, "{}", found.coefficient);
        }
    }
}
