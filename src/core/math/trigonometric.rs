//! Sine, cosine and tangent.

use super::{ROUND, fma};

/// What [`sin_cos_reduced`] finds; the low parts are what rounding took from sine and cosine.
struct Reduced {
    sine: f64,
    cosine: f64,
    quadrant: u64,
    sine_low: f64,
    cosine_low: f64,
}

/// Coefficient of r³ in the sine.
const SINE_FIRST: f64 = -1.666_666_666_666_663_243_48e-1;

/// `q(r²)` with `sin r = r + r³ (SINE_FIRST + r² q(r²))`.
#[inline(always)]
fn sine_second_tail(z: f64) -> f64 {
    fma(
        z,
        fma(
            z,
            fma(
                z,
                fma(z, 1.589_690_995_211_550_102_21e-10, -2.505_076_025_340_686_341_95e-8),
                2.755_731_370_707_006_767_89e-6,
            ),
            -1.984_126_982_985_794_931_34e-4,
        ),
        8.333_333_333_322_489_461_24e-3,
    )
}

/// `q(r²)` with `sin r = r + r³ q(r²)`.
#[inline(always)]
fn sine_tail(z: f64) -> f64 {
    fma(z, sine_second_tail(z), SINE_FIRST)
}

/// `q(r²)` with `cos r = 1 - r²/2 + r⁴ q(r²)`.
#[inline(always)]
fn cosine_tail(z: f64) -> f64 {
    fma(
        z,
        fma(
            z,
            fma(
                z,
                fma(
                    z,
                    fma(z, -1.135_964_755_778_819_482_65e-11, 2.087_572_321_298_174_827_90e-9),
                    -2.755_731_435_139_066_330_35e-7,
                ),
                2.480_158_728_947_672_941_78e-5,
            ),
            -1.388_888_888_887_410_957_49e-3,
        ),
        4.166_666_666_666_660_190_37e-2,
    )
}

/// Sine and cosine of x reduced to |r| <= π/4, and the quadrant in the two low bits.
///
/// Exact reduction with π/2 in three doubles: results keep 2 units in the last place up to |x| = 2^30 and lose digits
/// slowly beyond; an infinite argument gives NaN.
#[inline(always)]
fn sin_cos_reduced(x: f64) -> Reduced {
    const P1: f64 = std::f64::consts::FRAC_PI_2;
    const P2: f64 = 6.123_233_995_736_766e-17;
    const P3: f64 = -1.497_384_904_859_169_8e-33;
    let rounded = fma(x, std::f64::consts::FRAC_2_PI, ROUND);
    let n = rounded - ROUND;
    let first = fma(-n, P1, x);
    let w = n * P2;
    let w_low = fma(n, P2, -w);
    let r = first - w;
    let back = r - first;
    let low = (first - (r - back)) - (w + back) - w_low - n * P3;
    let z = r * r;
    let v = z * r;
    let correction = fma(z, fma(0.5, low, -(v * sine_second_tail(z))), -low) - v * SINE_FIRST;
    let sine = r - correction;
    let c = z * cosine_tail(z);
    let half = 0.5 * z;
    let one = 1.0 - half;
    let rest = ((1.0 - one) - half) + fma(z, c, -(r * low));
    let cosine = one + rest;
    Reduced {
        sine,
        cosine,
        quadrant: rounded.to_bits(),
        sine_low: (r - sine) - correction,
        cosine_low: (one - cosine) + rest,
    }
}

/// Sine (accurate up to |x| = 2^30).
#[inline(always)]
pub fn sin(x: f64) -> f64 {
    let Reduced { sine: s, cosine: c, quadrant: q, .. } = sin_cos_reduced(x);
    let value = if q & 1 == 0 { s } else { c };
    if q & 2 == 0 { value } else { -value }
}

/// Cosine (accurate up to |x| = 2^30).
#[inline(always)]
pub fn cos(x: f64) -> f64 {
    let Reduced { sine: s, cosine: c, quadrant: q, .. } = sin_cos_reduced(x);
    let value = if q & 1 == 0 { c } else { s };
    if q.wrapping_add(1) & 2 == 0 { value } else { -value }
}

/// Cosine and sine of `turns` whole turns, for `turns` in
/// [0, 1): the angle is reduced without an error, and rounded once.
#[inline(always)]
pub fn cos_sin_turn(turns: f64) -> (f64, f64) {
    let rounded = fma(turns, 4.0, ROUND);
    let r = fma(turns, 4.0, ROUND - rounded) * std::f64::consts::FRAC_PI_2;
    let z = r * r;
    let (s, c) = (fma(z * r, sine_tail(z), r), fma(z, fma(z, cosine_tail(z), -0.5), 1.0));
    let q = rounded.to_bits();
    let (cosine, sine) = if q & 1 == 0 { (c, s) } else { (s, c) };
    let minus = |value: f64, bit: u64| f64::from_bits(value.to_bits() ^ (bit & 2) << 62);
    (minus(cosine, q.wrapping_add(1)), minus(sine, q))
}

/// Tangent.
#[inline(always)]
pub fn tan(x: f64) -> f64 {
    let r = sin_cos_reduced(x);
    let odd = r.quadrant & 1 != 0;
    let (top, top_low) = if odd { (-r.cosine, -r.cosine_low) } else { (r.sine, r.sine_low) };
    let (bottom, bottom_low) = if odd { (r.sine, r.sine_low) } else { (r.cosine, r.cosine_low) };
    // The quotient, and what rounding it and both its sides has taken away.
    let quotient = top / bottom;
    let corrected = quotient + (fma(-quotient, bottom, top) + fma(-quotient, bottom_low, top_low)) / bottom;
    if corrected.is_nan() { quotient } else { corrected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_have_their_cosine_and_sine() {
        for (turns, expected) in [(0.0, (1.0, 0.0)), (0.25, (0.0, 1.0)), (0.5, (-1.0, 0.0)), (0.75, (0.0, -1.0))] {
            assert_eq!(cos_sin_turn(turns), expected);
        }
        for k in 0..100_000 {
            let turns = (f64::from(k) + 0.37) / 100_000.0;
            // The angle itself is rounded on both sides; eighths are reduced exactly.
            let (eighths, rest) = ((turns * 8.0).floor(), (turns * 8.0).fract());
            let angle = rest * std::f64::consts::FRAC_PI_4;
            let (c, s) = (angle.cos(), angle.sin());
            let half = std::f64::consts::FRAC_1_SQRT_2;
            let (c, s) = if (eighths as u32).is_multiple_of(2) { (c, s) } else { ((c - s) * half, (s + c) * half) };
            let expected = [(c, s), (-s, c), (-c, -s), (s, -c)][eighths as usize / 2];
            let found = cos_sin_turn(turns);
            assert!(
                (found.0 - expected.0).abs() < 3e-16 && (found.1 - expected.1).abs() < 3e-16,
                "{turns}: {found:?} {expected:?}"
            );
        }
    }
}
