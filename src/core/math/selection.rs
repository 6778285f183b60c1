//! Selections and comparisons: no rounding, no branch, and no way out for what is not a number. NaN comes out wherever
//! the result depends on it, so that a bound or a condition never makes a number of it; what is not chosen does not
//! count (`where(x == 0, 1, sin(x)/x)` is 1 at zero).

#![expect(clippy::needless_bitwise_bool, reason = "both sides are computed, so that loops have no branches")]

/// The lesser; NaN if either is.
#[inline(always)]
pub fn min(a: f64, b: f64) -> f64 {
    let least = if a < b { a } else { b };
    if a.is_nan() { a } else { least }
}

/// The greater; NaN if either is.
#[inline(always)]
pub fn max(a: f64, b: f64) -> f64 {
    let greatest = if a > b { a } else { b };
    if a.is_nan() { a } else { greatest }
}

/// 1 for true and 0 for false, or NaN if two numbers that were compared cannot be.
#[inline(always)]
pub fn compared(a: f64, b: f64, holds: bool) -> f64 {
    let truth = if holds { 1.0 } else { 0.0 };
    if a.is_nan() | b.is_nan() { f64::NAN } else { truth }
}

/// Whether both conditions hold; one that does not decides, whatever the other is.
#[inline(always)]
pub fn both(a: f64, b: f64) -> f64 {
    let truth = compared(a, b, true);
    if (a == 0.0) | (b == 0.0) { 0.0 } else { truth }
}

/// Whether one of two conditions holds; one that does decides, whatever the other is.
#[inline(always)]
pub fn either(a: f64, b: f64) -> f64 {
    let truth = compared(a, b, false);
    if ((a != 0.0) & !a.is_nan()) | ((b != 0.0) & !b.is_nan()) { 1.0 } else { truth }
}

/// Whether a condition holds; what is not a number does not.
#[inline(always)]
pub fn holds(condition: f64) -> bool {
    condition != 0.0 && !condition.is_nan()
}

/// The opposite of a condition.
#[inline(always)]
pub fn not(x: f64) -> f64 {
    compared(x, x, x == 0.0)
}

/// `a` where the condition holds, else `b`; NaN where nobody can tell.
#[inline(always)]
pub fn choose(condition: f64, a: f64, b: f64) -> f64 {
    let chosen = if condition == 0.0 { b } else { a };
    if condition.is_nan() { condition } else { chosen }
}

/// -1, 0 or 1; NaN stays.
#[inline(always)]
pub fn sign(x: f64) -> f64 {
    let positive = if x > 0.0 { 1.0 } else { x };
    if x < 0.0 { -1.0 } else { positive }
}

/// Heaviside step: 1 for x >= 0, else 0; NaN stays.
#[inline(always)]
pub fn step(x: f64) -> f64 {
    compared(x, x, x >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    #[test]
    fn what_is_not_a_number_is_never_bounded_away() {
        for (a, b) in [(NAN, 1.0), (1.0, NAN), (NAN, NAN), (NAN, f64::INFINITY)] {
            assert!(min(a, b).is_nan() && max(a, b).is_nan(), "{a} {b}");
            assert!(compared(a, b, a < b).is_nan() && compared(a, b, a != b).is_nan(), "{a} {b}");
        }
        assert!([sign(NAN), step(NAN), not(NAN), choose(NAN, 1.0, 2.0)].iter().all(|v| v.is_nan()));
        assert_eq!([min(1.0, 2.0), min(2.0, 1.0), max(1.0, 2.0), max(2.0, 1.0)], [1.0, 1.0, 2.0, 2.0]);
        assert_eq!([step(-1.0), step(0.0), step(2.0), not(0.0), not(3.0)], [0.0, 1.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn a_condition_that_decides_alone_does() {
        assert_eq!([both(0.0, NAN), both(NAN, 0.0), either(1.0, NAN), either(NAN, -2.0)], [0.0, 0.0, 1.0, 1.0]);
        assert!([both(1.0, NAN), both(NAN, NAN), either(0.0, NAN), either(NAN, 0.0)].iter().all(|v| v.is_nan()));
        assert_eq!([both(1.0, 2.0), both(1.0, 0.0), either(0.0, 0.0), either(0.0, 5.0)], [1.0, 0.0, 0.0, 1.0]);
        assert_eq!([choose(1.0, 5.0, NAN), choose(0.0, NAN, 6.0)], [5.0, 6.0], "what is not chosen does not count");
    }
}
