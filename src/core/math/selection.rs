//! Selections: no rounding, no branch.

/// The lesser; the second if they cannot be compared.
#[inline(always)]
pub fn min(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// The greater; the second if they cannot be compared.
#[inline(always)]
pub fn max(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// -1, 0 or 1; NaN stays.
#[inline(always)]
pub fn sign(x: f64) -> f64 {
    let positive = if x > 0.0 { 1.0 } else { x };
    if x < 0.0 { -1.0 } else { positive }
}

/// Heaviside step: 1 for x >= 0, else 0.
#[inline(always)]
pub fn step(x: f64) -> f64 {
    if x >= 0.0 { 1.0 } else { 0.0 }
}
