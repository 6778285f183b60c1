//! (e^x - 1)/x and its kin: what rates and exponential integrators are made of.

use super::{exp, exp_tail, expm1, fma};

/// Below this size [`exprel`] is a polynomial: half of ln 2, the range of the reduced argument of [`exp`].
const EXPREL_SMALL: f64 = 0.34;

/// (e^x - 1)/x with its limit 1 at zero: the function that rates such as x/(e^x - 1) should be written with.
#[inline(always)]
pub fn exprel(x: f64) -> f64 {
    if x.abs() < EXPREL_SMALL { exprel_small(x) } else { exprel_large(x) }
}

/// Without a division or a scaling.
#[inline(always)]
fn exprel_small(x: f64) -> f64 {
    fma(x, exp_tail(x), 1.0)
}

#[inline(always)]
fn exprel_large(x: f64) -> f64 {
    let quotient = expm1(x) / x;
    if x > 1e300 { f64::INFINITY } else { quotient }
}

/// [`exprel`] of a chunk: steps of exponential integrators have small arguments nearly everywhere, and a chunk of such
/// costs a third.
#[inline(always)]
pub fn exprel_chunk<const W: usize>(x: [f64; W]) -> [f64; W] {
    let mut out = [0.0; W];
    let mut small = true;
    for v in &x {
        small &= v.abs() < EXPREL_SMALL;
    }
    if small {
        for (o, v) in out.iter_mut().zip(x) {
            *o = exprel_small(v);
        }
    } else {
        for (o, v) in out.iter_mut().zip(x) {
            *o = exprel(v);
        }
    }
    out
}

/// x/(e^x - 1), 1 at zero: 1/[`exprel`] with one division less.
#[inline(always)]
pub fn bernoulli(x: f64) -> f64 {
    let quotient = x / expm1(x);
    let value = if x.abs() < 1e-300 { 1.0 } else { quotient };
    let value = if x > 1e300 { 0.0 } else { value };
    if x < -1e300 { -x } else { value }
}

/// Derivative of [`exprel`]: (e^x (x - 1) + 1)/x², 1/2 at zero.
#[inline(always)]
pub fn exprel_derivative(x: f64) -> f64 {
    // Far from zero directly; near zero by the series sum (k+1) x^k / (k+2)!.
    let near = {
        const C: [f64; 17] = {
            let mut c = [0.0; 17];
            let mut factorial = 2.0; // (k + 2)!
            let mut k = 0;
            while k < 17 {
                c[k] = (k as f64 + 1.0) / factorial;
                factorial *= k as f64 + 3.0;
                k += 1;
            }
            c
        };
        let y = if x.abs() < 1.5 { x } else { 0.0 };
        let mut sum = C[16];
        let mut k = 16;
        while k > 0 {
            k -= 1;
            sum = fma(sum, y, C[k]);
        }
        sum
    };
    let far = (exp(x) - exprel(x)) / x;
    if x.abs() < 1.5 {
        near
    } else if x > 700.0 {
        exp(x) / x
    } else {
        far
    }
}
