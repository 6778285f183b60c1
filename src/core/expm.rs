//! The exponential of a small matrix, in a fixed order of operations.
//!
//! Scaling and squaring of a Taylor polynomial (Moler and Van Loan 2003, doi:10.1137/S00361445024180): for matrices of
//! a few rows, built once a run, accuracy and the same bits everywhere count more than speed; the products run in
//! vectors, as of hundreds of states they take seconds without.

use crate::vector::vectorised;

/// `exp(a)` for a row-major `n` by `n` matrix.
///
/// The norm is brought below 1/8, where 18 Taylor terms leave an error below 1e-30; squaring then keeps about as many
/// digits as the condition of the problem allows. NaN and infinite entries come back as NaN.
pub fn expm(a: &[f64], n: usize) -> Vec<f64> {
    let (balanced, scaling) = balance(a, n);
    let mut result = expm_balanced(&balanced, n);
    for i in 0..n {
        for j in 0..n {
            result[i * n + j] *= scaling[i] / scaling[j];
        }
    }
    result
}

/// D⁻¹ A D with D of powers of two, so that entries of very different units (1/F beside 1/s) do not inflate the norm
/// (after Parlett and Reinsch 1969, doi:10.1007/BF02165404; couplings in one direction only are scaled down as well).
fn balance(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut m = a.to_vec();
    let mut d = vec![1.0; n];
    let floor = (0..n).map(|i| a[i * n + i].abs()).fold(1e-300, f64::max);
    for _ in 0..60 {
        let mut changed = false;
        for i in 0..n {
            let others = || (0..n).filter(|&j| j != i);
            let row = others().map(|j| m[i * n + j].abs()).sum::<f64>().max(floor);
            let column = others().map(|j| m[j * n + i].abs()).sum::<f64>().max(floor);
            if !(row.is_finite() && column.is_finite()) || (row / column < 4.0 && column / row < 4.0) {
                continue;
            }
            // Half the binary exponent of the ratio, from its bits: the same on every machine.
            let exponent = ((row / column).to_bits() >> 52) as i32 - 1023;
            let f = f64::powi(2.0, exponent / 2);
            if !f.is_normal() || f == 1.0 {
                continue;
            }
            changed = true;
            d[i] *= f;
            for j in (0..n).filter(|&j| j != i) {
                m[i * n + j] /= f;
                m[j * n + i] *= f;
            }
        }
        if !changed {
            break;
        }
    }
    (m, d)
}

fn expm_balanced(a: &[f64], n: usize) -> Vec<f64> {
    let norm = (0..n).map(|i| a[i * n..(i + 1) * n].iter().map(|v| v.abs()).sum::<f64>()).fold(0.0, f64::max);
    if !norm.is_finite() || a.iter().any(|v| v.is_nan()) {
        return vec![f64::NAN; n * n];
    }
    let mut squarings = 0;
    let mut scale = 1.0;
    while norm * scale > 0.125 && squarings < 1100 {
        scale *= 0.5;
        squarings += 1;
    }
    let scaled: Vec<f64> = a.iter().map(|v| v * scale).collect();
    // Horner: I + A(I + A/2(I + A/3(...))).
    let mut sum = identity(n);
    for k in (1..=18).rev() {
        let mut product = multiply(&scaled, &sum, n);
        for v in &mut product {
            *v /= f64::from(k);
        }
        for i in 0..n {
            product[i * n + i] += 1.0;
        }
        sum = product;
    }
    for _ in 0..squarings {
        sum = multiply(&sum, &sum, n);
    }
    sum
}

/// The unit matrix, row-major.
pub fn identity(n: usize) -> Vec<f64> {
    let mut m = vec![0.0; n * n];
    for i in 0..n {
        m[i * n + i] = 1.0;
    }
    m
}

vectorised! {
    /// Product of two row-major `n` by `n` matrices.
    pub fn multiply(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
        let mut out = vec![0.0; n * n];
        // Nothing times a number is nothing: most of what couples many states is.
        let may_skip = b.iter().all(|v| v.is_finite());
        for i in 0..n {
            let row = &mut out[i * n..(i + 1) * n];
            for k in 0..n {
                let factor = a[i * n + k];
                if factor == 0.0 && may_skip {
                    continue;
                }
                for (sum, v) in row.iter_mut().zip(&b[k * n..(k + 1) * n]) {
                    *sum = f64::mul_add(factor, *v, *sum);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalar_nilpotent_and_rotation() {
        assert!((expm(&[-3.7], 1)[0] - (-3.7f64).exp()).abs() < 1e-16);
        assert_eq!(expm(&[0.0, 2.0, 0.0, 0.0], 2), [1.0, 2.0, 0.0, 1.0]);
        let r = expm(&[0.0, -2.5, 2.5, 0.0], 2);
        assert!((r[0] - 2.5f64.cos()).abs() < 1e-14 && (r[2] - 2.5f64.sin()).abs() < 1e-14);
    }

    /// The sums are those of the definition, to the bit, whatever is skipped.
    #[test]
    fn products_are_those_of_the_definition() {
        let n = 7;
        let mut key = 1_u64;
        let mut draw = || {
            key = key.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if key >> 62 == 0 { 0.0 } else { (key >> 11) as f64 / 1e15 - 4.0 }
        };
        for round in 0..20 {
            let (a, mut b): (Vec<f64>, Vec<f64>) = (0..n * n).map(|_| (draw(), draw())).unzip();
            if round > 15 {
                b[round] = f64::INFINITY;
            }
            let defined = |i: usize, j: usize| (0..n).fold(0.0, |s, k| f64::mul_add(a[i * n + k], b[k * n + j], s));
            let same = |x: f64, y: f64| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan());
            let product = multiply(&a, &b, n);
            assert!((0..n * n).all(|p| same(product[p], defined(p / n, p % n))), "round {round}");
        }
    }

    /// The propagator of a LIF with an exponential current (definitions B8, P21), also where the time constants agree.
    #[test]
    fn coupled_decays_agree_with_the_closed_form() {
        let (h, tau_m, c) = (1e-4, 10e-3, 250e-12);
        for tau_s in [2e-3, 10e-3] {
            let p = expm(&[-h / tau_m, h / c, 0.0, -h / tau_s], 2);
            let em = (-h / tau_m).exp();
            let want = if tau_s == tau_m {
                h / c * em
            } else {
                tau_s * tau_m / (c * (tau_m - tau_s)) * (em - (-h / tau_s).exp())
            };
            assert!((p[1] / want - 1.0).abs() < 1e-14, "{} {want}", p[1]);
            assert!((p[0] - em).abs() < 1e-16);
        }
    }
}
