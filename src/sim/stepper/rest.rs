//! Resets, and lanes that are refractory after them.

use smallvec::{SmallVec, smallvec};

use super::{LaneSpike, LaneValues, Motion, Stepper};
use crate::firing::{self, Rest};
use spikedeck_equation::kernel::Place;
use spikedeck_equation::tape::Values;

impl Stepper {
    /// Keeps the held states of refractory lanes, and moves their other states by themselves where these depend on
    /// them.
    pub(super) fn keep(&mut self, resting: &[Rest], inputs: &[&[f64]], step: u64) {
        self.keep_held(resting);
        self.moved.clear();
        if resting.is_empty() {
            return;
        }
        let padded = self.memory.padded;
        let Some(motion) = &self.held_motion else { return };
        // The resting lanes as a small population of their own, with the same columns and registers.
        let n = resting.len();
        let width = self.side.whole(n);
        let lane = |k: usize| resting[k.min(n - 1)].unit as usize;
        for c in 0..self.columns {
            for k in 0..width {
                self.side.data[c * self.side.padded + k] = self.memory.data[c * padded + lane(k)];
            }
        }
        for &(port, scratch) in &self.inputs {
            let source = inputs.get(port).copied().unwrap_or(&[]);
            let register = self.side.scratch_mut(scratch);
            for (k, value) in register[..width].iter_mut().enumerate() {
                *value = source.get(lane(k)).copied().unwrap_or(0.0);
            }
        }
        for sub in 0..self.substeps {
            let draw = step * u64::from(self.substeps) + u64::from(sub);
            for noise in &self.noise {
                let register = self.side.scratch_mut(noise.scratch);
                for (k, value) in register[..width].iter_mut().enumerate() {
                    *value = noise.source.one(lane(k), draw);
                }
            }
            let time = (step as f64 + f64::from(sub) / f64::from(self.substeps)) * self.dt;
            if let Some(t) = self.time {
                self.side.scratch_mut(t)[..width].fill(time);
            }
            match motion {
                Motion::Kernel(kernel) => kernel.run(&mut self.side, 0, width),
                Motion::Lanes(lanes) => {
                    for k in 0..n {
                        lanes.advance(&mut self.side, k, k, time, false);
                    }
                }
            }
        }
        for s in 0..self.states {
            self.moved.extend_from_slice(&self.side.data[s * self.side.padded..s * self.side.padded + n]);
        }
    }

    /// Keeps the held states of refractory lanes, state by state.
    pub(super) fn keep_held(&mut self, resting: &[Rest]) {
        self.kept.clear();
        let padded = self.memory.padded;
        for &s in &self.hold {
            let column = &self.memory.data[s * padded..(s + 1) * padded];
            self.kept.extend(resting.iter().map(|r| column[r.unit as usize]));
        }
    }

    /// Puts the states that were moved apart in their places.
    pub(super) fn place_moved(&mut self, resting: &[Rest]) {
        if self.moved.is_empty() {
            return;
        }
        for s in 0..self.states {
            for (k, r) in resting.iter().enumerate() {
                self.memory.data[s * self.memory.padded + r.unit as usize] = self.moved[s * resting.len() + k];
            }
        }
    }

    /// Puts the held states back, whatever moved or arrived.
    pub(super) fn restore(&mut self, resting: &[Rest]) {
        let padded = self.memory.padded;
        if resting.is_empty() {
            return;
        }
        for (&s, kept) in self.hold.iter().zip(self.kept.chunks_exact(resting.len())) {
            let column = &mut self.memory.data[s * padded..(s + 1) * padded];
            for (r, v) in resting.iter().zip(kept) {
                column[r.unit as usize] = *v;
            }
        }
    }

    /// Shows every state of the lanes that spiked, lane by lane.
    pub fn each_state(&mut self, spikes: &[LaneSpike], act: &mut dyn FnMut(&mut f64)) {
        for spike in spikes {
            (0..self.states).for_each(|s| act(&mut self.memory.data[s * self.memory.padded + spike.lane as usize]));
        }
    }

    /// Applies the reset to the lanes that spiked in the last `advance` and starts their refractory time.
    pub fn reset(&mut self, step: u64, spikes: &[LaneSpike]) {
        if spikes.is_empty() {
            return;
        }
        let time = (step as f64 + 1.0) * self.dt;
        let padded = self.memory.padded;
        let mut new: LaneValues = smallvec![0.0; self.reset_states.len()];
        let (mut above, mut resting) = (SmallVec::<[u32; 8]>::new(), SmallVec::<[Rest; 8]>::new());
        let per_lane = self.parameters.iter().any(|p| matches!(p, Place::Column(_)));
        let shared = self.lane_parameters(0);
        for (k, spike) in spikes.iter().enumerate() {
            let lane = spike.lane as usize;
            let own = if per_lane { self.lane_parameters(lane) } else { LaneValues::new() };
            let parameters: &[f64] = if per_lane { &own } else { &shared };
            let ports = self.filled.len();
            let inputs = self.at_crossing.get(k * ports..(k + 1) * ports).unwrap_or_default();
            let end = self.end_of(k).map(LaneValues::from_slice);
            let located = end.is_some();
            let states = end.unwrap_or_else(|| {
                let mut states = self.lane_states(lane);
                let values = Values { states: &states, parameters, inputs, time, ..Values::default() };
                self.reset.evaluate(&values, &mut new);
                self.reset_states.iter().zip(&new).for_each(|(&s, &v)| states[s] = v);
                states
            });
            for (s, v) in states.iter().enumerate() {
                self.memory.data[s * padded + lane] = *v;
            }
            let values = Values { states: &states, parameters, inputs, time, ..Values::default() };
            // After a reset inside the step the rest of it may lead over the threshold again: that is another spike,
            // one step later.
            if !located && self.condition.value(&values) != 0.0 {
                above.push(spike.lane);
            }
            if let Some(tape) = &self.refractory_time {
                let steps = firing::steps(tape.value(&values), self.dt);
                resting.extend(Rest::after(spike.lane, step, located.then_some(spike.fraction), steps));
            }
        }
        self.firing.settle(&above, &resting);
    }
}
