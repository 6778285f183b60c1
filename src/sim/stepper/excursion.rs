//! Excursions over the threshold that begin and end inside one step, in closed form.
//!
//! A lane that is below its threshold at both ends of a step may have been above in between only if the surface rises
//! when the step begins and falls when it ends. Between the two tangents it then has to stay, where it turns once; only
//! lanes whose tangents meet above the threshold are followed. (A surface that turns more than once within a step may
//! be higher.)

use super::Stepper;
use super::locate::{Around, Locate, root};
use spikedeck_equation::kernel::Location;

/// Adds the lanes of a block that crossed and came back to those whose condition holds, in ascending order.
pub(super) fn add_lanes(excursions: &[(u32, f64)], start: usize, count: usize, candidates: &mut Vec<u32>) {
    let before = candidates.len();
    for (lane, _) in excursions.iter().filter(|e| (start..start + count).contains(&(e.0 as usize))) {
        if !candidates[..before].contains(lane) {
            candidates.push(*lane);
        }
    }
    if candidates.len() > before {
        candidates.sort_unstable();
    }
}

impl Stepper {
    /// Keeps how fast the surface moves in the lanes of a block when a step begins.
    pub(super) fn keep_slopes(&mut self, start: usize, count: usize) {
        let Some(mut locate) = self.locate.take() else { return };
        if let Some(now) = self.slopes_now(start, count) {
            locate.slopes[start..start + count].copy_from_slice(now);
        }
        self.locate = Some(locate);
    }

    /// How fast the surface moves in the lanes of a block.
    fn slopes_now(&mut self, start: usize, count: usize) -> Option<&[f64]> {
        let (kernel, place) = self.slopes.as_ref()?;
        self.program.run(kernel, start, count);
        let memory = &self.program.memory;
        let at = match *place {
            Location::Column(c) => c as usize * memory.padded + start,
            Location::Scratch(r) => memory.scratch_base(r as usize),
            // A surface that moves at one speed does not come back.
            Location::Number(_) => return None,
        };
        Some(&memory.data[at..at + count])
    }

    /// Finds the lanes of a block that crossed the threshold and came back within the step.
    pub(super) fn look_for_excursions(&mut self, start: usize, count: usize, step: u64) {
        let Some(mut locate) = self.locate.take() else { return };
        if locate.slope.is_some() {
            let lanes = self.program.memory.lanes;
            let turning: Vec<usize> = self.slopes_now(start, count).map_or(Vec::new(), |now| {
                let turns = |lane: &usize| locate.slopes[*lane] > 0.0 && now[lane - start] < 0.0;
                (start..(start + count).min(lanes)).filter(turns).collect()
            });
            let released = |lane: usize| locate.released.iter().position(|r| r.0 as usize == lane);
            let mut found = Vec::new();
            for lane in turning.into_iter().filter(|&lane| released(lane).is_none()) {
                let old = self.states_of(&locate.before, lane);
                found.extend(self.excursion(&locate, (lane, start), 0.0, &old, step).map(|f| (lane as u32, f)));
            }
            for (lane, part, rested) in &locate.released {
                let lane = *lane as usize;
                if (start..start + count).contains(&lane) {
                    found.extend(self.excursion(&locate, (lane, start), *part, rested, step).map(|f| (lane as u32, f)));
                }
            }
            found.sort_unstable_by_key(|f| f.0);
            locate.excursions.extend(found);
        }
        self.locate = Some(locate);
    }

    /// The part of the step at which a lane that stands at `old` after `part` of it crosses the threshold, if it comes
    /// back before its end.
    fn excursion(
        &self,
        locate: &Locate,
        (lane, start): (usize, usize),
        part: f64,
        old: &[f64],
        step: u64,
    ) -> Option<f64> {
        let (free, slope) = (locate.free.as_ref()?, locate.slope.as_ref()?);
        let (parameters, inputs) = (self.lane_parameters(lane), self.lane_inputs(lane - start));
        let around = Around { parameters: &parameters, inputs: &inputs, time: step as f64 * self.dt };
        let ended = self.states_of(&locate.ended, lane);
        let (begun, left) = (part * self.dt, (1.0 - part) * self.dt);
        let surface =
            |states: &[f64], share: f64| locate.surface.value(&around.values(states, share.mul_add(left, begun)));
        let speed = |states: &[f64], share: f64| slope.value(&around.values(states, share.mul_add(left, begun)));
        let (h0, h1) = (surface(old, 0.0), surface(&ended, 1.0));
        let (s0, s1) = (speed(old, 0.0) * left, speed(&ended, 1.0) * left);
        if !(h0 < 0.0 && h1 < 0.0 && s0 > 0.0 && s1 < 0.0) {
            return None;
        }
        // h0 + s0 x = h1 - s1 (1 - x).
        let meet = (h1 - s1 - h0) / (s0 - s1);
        if s0.mul_add(meet, h0) < 0.0 {
            return None;
        }
        let at = |share: f64| free.moved(&around, old, begun, share * left);
        let top = root(&|share| -speed(&at(share), share), -s0, -s1);
        let height = surface(&at(top), top);
        if height < 0.0 {
            return None;
        }
        let crossed = top * root(&|share| surface(&at(share * top), share * top), h0, height.max(f64::MIN_POSITIVE));
        Some(crossed.mul_add(1.0 - part, part))
    }
}
