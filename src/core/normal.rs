//! Standard normal numbers, one for each unit and step, alone or in blocks, with the same bits.

use super::math;
use super::rng::{Key, SIDE, philox_side, philox_steps};
use super::vector::vectorised;

/// The standard normal number of `unit` at `step` under `key`.
///
/// Box and Muller (1958, doi:10.1214/aoms/1177706645) make two independent numbers of the 128 bits of one Philox block:
/// they are those of an even step and of the odd one after it. 52 bits are the angle, and the radius is that of a
/// uniform number in (0, 1] with 52 bits, so that no draw is further than 8.5 from zero.
#[inline(always)]
pub fn normal(key: Key, unit: u32, step: u64) -> f64 {
    let [a, b, c, d] = key.block(unit, step / 2, 0);
    let (cosine, sine) = math::cos_sin_turn(interval(c, d));
    radius(interval(a, b)) * if step.is_multiple_of(2) { cosine } else { sine }
}

/// A number in [0, 1) with 52 bits, by operations that vectorise (no conversion from 64-bit integers).
#[inline(always)]
fn interval(high: u32, low: u32) -> f64 {
    let bits = u64::from(high) << 32 | u64::from(low);
    f64::from_bits(bits >> 12 | 1023 << 52) - 1.0
}

/// Distance from the origin that is exceeded with probability `1 - u`.
#[inline(always)]
fn radius(u: f64) -> f64 {
    math::sqrt(-2.0 * math::log_normal_range(1.0 - u))
}

/// Box and Muller's functions of the words of Philox blocks: of even steps, and of odd ones.
#[inline(always)]
fn finish([a, b, c, d]: &[[u64; SIDE]; 4]) -> [[f64; SIDE]; 2] {
    // One function after the other for all lanes: a lane's functions are one long chain, which the processor can only
    // hide behind those of other lanes.
    let mut size = [0.0; SIDE];
    for i in 0..SIDE {
        size[i] = radius(interval(a[i] as u32, b[i] as u32));
    }
    let mut both = [[0.0; SIDE]; 2];
    for i in 0..SIDE {
        (both[0][i], both[1][i]) = math::cos_sin_turn(interval(c[i] as u32, d[i] as u32));
    }
    for row in &mut both {
        for (v, size) in row.iter_mut().zip(size) {
            *v *= size;
        }
    }
    both
}

vectorised! {
    /// [`normal`] of the units from `first_unit` on, at steps `2 pair` and `2 pair + 1`.
    fn fill_pair(key: Key, first_unit: u32, pair: u64, even: &mut [f64], odd: &mut [f64]) {
        let mut unit = first_unit;
        for (even, odd) in even.chunks_mut(SIDE).zip(odd.chunks_mut(SIDE)) {
            let rows = finish(&philox_side(key, unit, pair));
            even.copy_from_slice(&rows[0][..even.len()]);
            odd.copy_from_slice(&rows[1][..odd.len()]);
            unit = unit.wrapping_add(SIDE as u32);
        }
    }
}

/// Steps that are drawn at once where units are few.
const AHEAD: usize = 2 * SIDE;

vectorised! {
    /// [`normal`] of `unit` at the steps `AHEAD block`, `AHEAD block + 1`, ...
    fn fill_steps(key: Key, unit: u32, block: u64, out: &mut [f64; AHEAD]) {
        let [even, odd] = finish(&philox_steps(key, unit, block * SIDE as u64));
        for i in 0..SIDE {
            out[2 * i] = even[i];
            out[2 * i + 1] = odd[i];
        }
    }
}

/// Fewer units than this draw ahead.
const FEW: usize = 4;

/// Normal numbers of a range of units, step by step: [`normal`], where each block of random bits is used for both its
/// numbers.
#[derive(Debug, Clone)]
pub struct Normals {
    key: Key,
    first_unit: u32,
    /// How many units, if these are so few that a block of steps is drawn for each.
    few: Option<usize>,
    /// What was drawn of `drawn`: of many units the odd step of a pair of steps, of few each unit's block of steps.
    kept: Vec<f64>,
    /// Which pair or block that is, if any.
    drawn: Option<u64>,
    /// Of many units: for how many it was drawn.
    upto: usize,
}

impl Normals {
    /// The numbers under `key` of `units` units from `first_unit` on.
    pub fn new(key: Key, first_unit: u32, units: usize) -> Self {
        Self { key, first_unit, few: (units < FEW).then_some(units), kept: Vec::new(), drawn: None, upto: 0 }
    }

    /// The number of one unit, counted from the first.
    #[inline]
    pub fn one(&self, unit: usize, step: u64) -> f64 {
        normal(self.key, self.first_unit.wrapping_add(unit as u32), step)
    }

    /// The numbers of units `start..start + out.len()`, counted from the first, at `step`. Cheap for steps in a row in
    /// each of which blocks of units come in ascending order; right in any. Few units (`start` is 0) are asked for
    /// together.
    #[inline]
    pub fn fill(&mut self, start: usize, step: u64, out: &mut [f64]) {
        match self.few {
            Some(units) => self.few(units, step, out),
            None => self.many(start, step, out),
        }
    }

    /// The numbers of `units` units, which are all, at the steps from `step` on: as many as there are rows.
    pub fn fill_rows(&mut self, step: u64, units: usize, rows: &mut [f64]) {
        let Some(1) = self.few else {
            rows.chunks_exact_mut(units).zip(step..).for_each(|(row, step)| self.fill(0, step, row));
            return;
        };
        let mut step = step;
        let mut left = rows;
        while !left.is_empty() {
            let within = self.draw(1, step);
            let (now, later) = left.split_at_mut(left.len().min(AHEAD - within));
            now.copy_from_slice(&self.kept[within..within + now.len()]);
            step += now.len() as u64;
            left = later;
        }
    }

    #[inline]
    fn few(&mut self, units: usize, step: u64, out: &mut [f64]) {
        let within = self.draw(units, step);
        for (i, v) in out.iter_mut().enumerate() {
            *v = self.kept[i * AHEAD + within];
        }
    }

    /// Sees to it that the block of steps in which `step` lies is drawn for few units; where in it that step is.
    #[inline]
    fn draw(&mut self, units: usize, step: u64) -> usize {
        let (block, within) = (step / AHEAD as u64, (step % AHEAD as u64) as usize);
        if self.drawn != Some(block) {
            self.kept.resize(units * AHEAD, 0.0);
            for (i, row) in self.kept.as_chunks_mut().0.iter_mut().enumerate() {
                fill_steps(self.key, self.first_unit.wrapping_add(i as u32), block, row);
            }
            self.drawn = Some(block);
        }
        within
    }

    fn many(&mut self, start: usize, step: u64, out: &mut [f64]) {
        let (pair, end) = (step / 2, start + out.len());
        if step % 2 == 1 && self.drawn == Some(pair) && end <= self.upto {
            out.copy_from_slice(&self.kept[start..end]);
            return;
        }
        if self.kept.len() < end {
            self.kept.resize(end, 0.0);
        }
        let odd = &mut self.kept[start..end];
        fill_pair(self.key, self.first_unit.wrapping_add(start as u32), pair, out, odd);
        if step % 2 == 1 {
            out.copy_from_slice(odd);
        }
        let goes_on = self.drawn == Some(pair) && start <= self.upto;
        self.upto = if goes_on {
            end.max(self.upto)
        } else if start == 0 {
            end
        } else {
            0
        };
        self.drawn = Some(pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_the_bits_of_single_draws() {
        let key = Key::new(4, "populations.p", "xi.V_m");
        for n in [0, 1, 3, 4, 15, 16, 17, 100] {
            let mut source = Normals::new(key, 7, n);
            let mut row = vec![0.0; n];
            // Across the end of the low word of the step, forwards, and anywhere.
            for step in (0..70).chain((1 << 33) - 40..(1 << 33) + 40).chain([5, 4, 7, 6, 6, 99]) {
                source.fill(0, step, &mut row);
                for (i, v) in row.iter().enumerate() {
                    assert_eq!(v.to_bits(), normal(key, 7 + i as u32, step).to_bits(), "unit {i} of {n} at {step}");
                }
            }
            for (first, steps) in
                [(0, 70), (70, 5), (13, 40), (75, 1), ((1 << 33) - 40, 80)].into_iter().filter(|_| n > 0)
            {
                let mut rows = vec![0.0; steps * n];
                source.fill_rows(first, n, &mut rows);
                for (row, step) in rows.chunks_exact(n).zip(first..) {
                    let single: Vec<f64> = (0..n as u32).map(|i| normal(key, 7 + i, step)).collect();
                    assert_eq!(row, single, "{n} units at {step}");
                }
            }
        }
    }

    #[test]
    fn parts_of_many_units_have_the_bits_of_single_draws() {
        let key = Key::new(4, "populations.p", "xi.V_m");
        let mut source = Normals::new(key, 7, 96);
        let orders: [&[usize]; 4] = [&[0, 32, 64], &[64, 0, 32], &[32], &[0, 0, 64]];
        for (step, order) in (0..40).zip(orders.iter().cycle().skip(1)).chain([(41, &orders[0]), (43, &orders[1])]) {
            for &start in *order {
                let mut row = [0.0; 32];
                source.fill(start, step, &mut row);
                for (i, v) in row.iter().enumerate() {
                    assert_eq!(v.to_bits(), source.one(start + i, step).to_bits(), "unit {start} + {i} at {step}");
                }
            }
        }
    }

    #[test]
    fn an_even_and_an_odd_step_are_independent() {
        let key = Key::new(2, "a", "b");
        let n = 200_000;
        let at = |step: u64| (0..n).map(|u| normal(key, u, step)).collect::<Vec<f64>>();
        let [even, odd, next] = [at(0), at(1), at(2)];
        // Products of the numbers, and of their squares, have the means of independent ones.
        for (x, y) in [(&even, &odd), (&odd, &next)] {
            let mean = |f: fn(f64) -> f64| x.iter().zip(y).map(|(a, b)| f(*a) * f(*b)).sum::<f64>() / f64::from(n);
            assert!(mean(|v| v).abs() < 4.0 / f64::from(n).sqrt());
            assert!((mean(|v| v * v) - 1.0).abs() < 4.0 * (8.0 / f64::from(n)).sqrt());
        }
    }

    #[test]
    fn moments_and_tails_are_normal() {
        let key = Key::new(1, "a", "b");
        let n = 400_000;
        let mut v = vec![0.0; n];
        let (even, odd) = v.split_at_mut(n / 2);
        fill_pair(key, 0, 0, even, odd);
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
