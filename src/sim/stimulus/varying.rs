//! Poisson events whose rate changes in time: the number that arrives at each unit in each step, drawn by inversion of
//! the distribution of its own mean, which is the rate in the middle of the step times the step (for a smooth rate the
//! error is of the second order in the step).
//!
//! Means above [`PART`] are drawn in parts, each from a block of its own: the sum of Poisson numbers is one.

use super::pace::Pace;
use super::poisson::draws;
use super::{Source, Tell};
use crate::axis::Axis;
use crate::snapshot::{Pass, Snapshot};
use crate::stepper::UnitValues;
use crate::values::at;
use spikedeck_core::math::exp;
use spikedeck_core::rng::Key;
use spikedeck_scenario::Window;

/// Greatest mean that is drawn at once: the inversion walks from zero, and exp(-PART) has all its digits.
const PART: f64 = 32.0;

/// Poisson sources with a rate in time, for some lanes.
#[derive(Debug)]
pub(crate) struct Varying {
    key: Key,
    /// The first of the four units that share a block, and the place of the first lane among them.
    first_quad: u32,
    skip: usize,
    /// Draws of all lanes of one step.
    buffer: Vec<[u32; 4]>,
    /// Targeted lanes.
    lanes: Vec<u32>,
    pace: Pace,
    /// Sources of each unit times the step.
    per_step: f64,
    weight: UnitValues,
    /// Mean of each targeted lane in this step.
    means: Vec<f64>,
    /// The greatest mean that is drawn.
    most: f64,
    /// The first mean that is no number, or greater: grid point and unit.
    broken: Option<(u64, u32)>,
    window: Window,
}

/// When events come, and how many sources each unit has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources {
    /// Of each unit.
    pub number: u64,
    /// When events come.
    pub window: Window,
}

impl Varying {
    /// Sources for the targeted `lanes` among `all` lanes from unit `first` on.
    pub fn new(
        key: Key,
        (first, all): (u32, usize),
        lanes: Vec<u32>,
        pace: Pace,
        weight: UnitValues,
        sources: Sources,
        (dt, most): (f64, f64),
    ) -> Self {
        let skip = (first % 4) as usize;
        Self {
            key,
            first_quad: first / 4,
            skip,
            buffer: vec![[0; 4]; (skip + all).div_ceil(4)],
            means: vec![0.0; lanes.len()],
            lanes,
            pace,
            per_step: sources.number as f64 * dt,
            weight,
            most,
            broken: None,
            window: sources.window,
        }
    }
}

impl Snapshot for Varying {
    fn visit(&mut self, _: &mut Pass<'_>) {
        // Draws are keyed by the step.
        let Self {
            key: _,
            first_quad: _,
            skip: _,
            buffer: _,
            lanes: _,
            pace: _,
            per_step: _,
            weight: _,
            means: _,
            most: _,
            broken: _,
            window: _,
        } = self;
    }
}

impl Source for Varying {
    fn is_active(&self, k: u64) -> bool {
        self.window.share(k) > 0.0
    }

    fn broken(&self) -> Option<(u64, u32)> {
        self.broken
    }

    fn each(&mut self, k: u64, axis: &Axis, tell: Tell<'_>) -> u64 {
        self.pace.fill(k, axis, &mut self.means);
        draws(self.key, self.first_quad, k, &mut self.buffer);
        let first_draws = self.buffer.as_flattened();
        let per_step = self.per_step * self.window.share(k);
        let mut events = 0;
        for (j, (&lane, rate)) in self.lanes.iter().zip(&self.means).enumerate() {
            let mean = rate * per_step;
            if !mean.is_finite() || mean > self.most {
                self.broken = self.broken.or(Some((k, 4 * self.first_quad + self.skip as u32 + lane)));
                continue;
            }
            let place = self.skip + lane as usize;
            let mut count = inverted(mean.min(PART), first_draws[place]);
            let mut part = 1;
            while mean > PART * f64::from(part) {
                let block = self.key.block(self.first_quad + (place / 4) as u32, k, part);
                count += inverted((mean - PART * f64::from(part)).min(PART), block[place % 4]);
                part += 1;
            }
            events += count;
            tell(lane, at(&self.weight, j), count);
        }
        events
    }
}

/// The Poisson number of this mean that a draw means; none where the mean is not above zero.
fn inverted(mean: f64, draw: u32) -> u64 {
    if mean <= 0.0 {
        return 0;
    }
    let u = (f64::from(draw) + 0.5) / 4_294_967_296.0;
    let mut term = exp(-mean);
    let (mut sum, mut k) = (term, 0);
    // Terms fall below the resolution of the draw long before this many.
    while u > sum && k < 200 {
        k += 1;
        term *= mean / k as f64;
        sum += term;
    }
    k
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_inverted_to_the_count_of_its_mean() {
        // P(k <= j) of mean 2 in closed form: draws just below an edge mean at most j, above it more.
        let (mut term, mut edge) = ((-2.0f64).exp(), (-2.0f64).exp());
        for j in 0..10_u64 {
            let draw = (edge * 4_294_967_296.0) as u32;
            assert!(inverted(2.0, draw - 4) <= j && inverted(2.0, draw + 4) > j, "{j}");
            term *= 2.0 / (j + 1) as f64;
            edge += term;
        }
        assert_eq!([inverted(0.0, u32::MAX), inverted(-1.0, u32::MAX), inverted(2.0, 0)], [0, 0, 0]);
    }

    /// Mean and variance of the number are the mean, however many parts it is drawn in.
    #[test]
    fn parts_add_up_to_one_poisson_number() {
        let key = Key::new(5, "stimuli.s", "noise");
        for mean in [0.2, 20.0, 100.0] {
            let n = 20_000_u32;
            let counts: Vec<f64> = (0..n)
                .map(|i| {
                    let parts = (mean / PART).ceil() as u32;
                    (0..parts)
                        .map(|p| inverted((mean - PART * f64::from(p)).min(PART), key.block(i, 3, p)[0]) as f64)
                        .sum()
                })
                .collect();
            let m = counts.iter().sum::<f64>() / f64::from(n);
            let v = counts.iter().map(|c| (c - m) * (c - m)).sum::<f64>() / f64::from(n);
            assert!((m - mean).abs() < 4.5 * (mean / f64::from(n)).sqrt(), "mean {m} of {mean}");
            assert!((v / mean - 1.0).abs() < 4.5 * (2.0f64 + 1.0 / mean).sqrt() / f64::from(n).sqrt(), "{v} of {mean}");
        }
    }
}
