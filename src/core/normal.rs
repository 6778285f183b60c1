//! Standard normal numbers, one for each unit and step, alone or in blocks, with the same bits.

use super::math;
use super::rng::{Key, SIDE, philox_side, philox_steps};

/// The standard normal number of `unit` at `step` (draw `draw`) under `key`.
///
/// Box and Muller (1958, doi:10.1214/aoms/1177706645) on the 128 bits of one Philox block: 52 bits for the angle, and for
/// the radius a uniform number in (0, 1] with 52 bits, so that no draw is further than 8.5 from zero.
#[inline(always)]
pub fn normal(key: Key, unit: u32, step: u64, draw: u32) -> f64 {
    let [a, b, c, d] = key.block(unit, step, draw);
    let square = -2.0 * math::log(1.0 - interval(a, b));
    math::sqrt(square) * math::cos(std::f64::consts::TAU * interval(c, d))
}

/// A number in [0, 1) with 52 bits, by operations that vectorise (no conversion from 64-bit integers).
#[inline(always)]
fn interval(high: u32, low: u32) -> f64 {
    let bits = u64::from(high) << 32 | u64::from(low);
    f64::from_bits(bits >> 12 | 1023 << 52) - 1.0
}

/// Box and Muller's functions of the words of Philox blocks.
#[inline(always)]
fn finish(a: &[u64; SIDE], b: &[u64; SIDE], c: &[u64; SIDE], d: &[u64; SIDE], out: &mut [f64]) {
    // One function after the other for all lanes: a lane's functions are one long chain, which the processor can only hide
    // behind those of other lanes.
    let mut square = [0.0; SIDE];
    for i in 0..SIDE {
        square[i] = -2.0 * math::log(1.0 - interval(a[i] as u32, b[i] as u32));
    }
    let mut cosine = [0.0; SIDE];
    for i in 0..SIDE {
        cosine[i] = math::cos(std::f64::consts::TAU * interval(c[i] as u32, d[i] as u32));
    }
    for (i, v) in out.iter_mut().enumerate() {
        *v = math::sqrt(square[i]) * cosine[i];
    }
}

/// Fills `out` with [`normal`] for units `first_unit`, `first_unit + 1`, ...
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+fma+avx2", "x86_64+avx2+fma"))]
pub fn fill(key: Key, first_unit: u32, step: u64, draw: u32, out: &mut [f64]) {
    let mut unit = first_unit;
    let mut chunks = out.chunks_exact_mut(SIDE);
    for chunk in &mut chunks {
        let [a, b, c, d] = philox_side(key, unit, step, draw);
        finish(&a, &b, &c, &d, chunk);
        unit = unit.wrapping_add(SIDE as u32);
    }
    for (i, v) in chunks.into_remainder().iter_mut().enumerate() {
        *v = normal(key, unit.wrapping_add(i as u32), step, draw);
    }
}

/// Fills `out` with [`normal`] of `unit` for steps `first`, `first + 1`, ...
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+fma+avx2", "x86_64+avx2+fma"))]
fn fill_steps(key: Key, unit: u32, first: u64, draw: u32, out: &mut [f64; SIDE]) {
    let [a, b, c, d] = philox_steps(key, unit, first, draw);
    finish(&a, &b, &c, &d, out);
}

/// Normal numbers of a range of units, step by step.
#[derive(Debug, Clone, Default)]
pub struct Normals {
    /// Numbers of few units are drawn for many steps at once, so that vectors are full: unit by unit.
    ahead: Vec<[f64; SIDE]>,
    /// Which steps these are, counted in [`SIDE`].
    drawn: Option<u64>,
}

/// Fewer units than this draw ahead.
const FEW: usize = 4;

impl Normals {
    /// What [`fill`] does, for steps that follow each other. A source belongs to one key and one first unit.
    #[inline]
    pub fn fill(&mut self, key: Key, first_unit: u32, step: u64, out: &mut [f64]) {
        if out.len() >= FEW {
            fill(key, first_unit, step, 0, out);
            return;
        }
        let (block, within) = (step / SIDE as u64, (step % SIDE as u64) as usize);
        if self.drawn != Some(block) || self.ahead.len() != out.len() {
            self.ahead.resize(out.len(), [0.0; SIDE]);
            for (i, row) in self.ahead.iter_mut().enumerate() {
                fill_steps(key, first_unit.wrapping_add(i as u32), block * SIDE as u64, 0, row);
            }
            self.drawn = Some(block);
        }
        for (v, row) in out.iter_mut().zip(&self.ahead) {
            *v = row[within];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_the_bits_of_single_draws() {
        let key = Key::new(4, "populations.p", "xi.V_m");
        for n in [0, 1, 15, 16, 17, 100] {
            let mut block = vec![0.0; n];
            fill(key, 7, 99, 3, &mut block);
            for (i, v) in block.iter().enumerate() {
                assert_eq!(v.to_bits(), normal(key, 7 + i as u32, 99, 3).to_bits());
            }
        }
    }

    #[test]
    fn few_units_that_draw_ahead_have_the_bits_of_single_draws() {
        let key = Key::new(4, "populations.p", "xi.V_m");
        for n in [1, 3, 4] {
            let mut source = Normals::default();
            let mut row = vec![0.0; n];
            // Across the end of the low word of the step, and back.
            for step in (0..40).chain((1 << 32) - 20..(1 << 32) + 20).chain([5]) {
                source.fill(key, 7, step, &mut row);
                for (i, v) in row.iter().enumerate() {
                    assert_eq!(v.to_bits(), normal(key, 7 + i as u32, step, 0).to_bits(), "unit {i} of {n} at {step}");
                }
            }
        }
    }

    #[test]
    fn moments_and_tails_are_normal() {
        let key = Key::new(1, "a", "b");
        let n = 400_000;
        let mut v = vec![0.0; n];
        fill(key, 0, 0, 0, &mut v);
        let moment = |k: i32| v.iter().map(|x| x.powi(k)).sum::<f64>() / n as f64;
        let se = 1.0 / (n as f64).sqrt();
        assert!(moment(1).abs() < 4.0 * se);
        assert!((moment(2) - 1.0).abs() < 4.0 * 2f64.sqrt() * se);
        assert!(moment(3).abs() < 4.0 * 15f64.sqrt() * se);
        assert!((moment(4) - 3.0).abs() < 4.0 * 96f64.sqrt() * se);
        let beyond = v.iter().filter(|x| x.abs() > 3.0).count() as f64 / n as f64;
        assert!((beyond - 0.002_699_8).abs() < 4.0 * (0.0027f64 / n as f64).sqrt());
    }
}
