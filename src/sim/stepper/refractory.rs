//! Resets, and lanes that are refractory after them.

use smallvec::{SmallVec, smallvec};

use super::{LaneSpike, LaneValues, Motion, Stepper, Undefined};
use crate::firing::{self, Refractory};
use spikedeck_core::math::holds;
use spikedeck_equation::tape::{Tape, Values};

/// What a spike does to its unit.
#[derive(Debug)]
pub(super) struct Reset {
    /// What the threshold tests.
    pub condition: Tape,
    /// New values of `states`.
    pub values: Tape,
    pub states: Vec<usize>,
    /// How long the unit rests.
    pub refractory: Option<Tape>,
    /// States that are held while it does.
    pub hold: Vec<usize>,
}

impl Stepper {
    /// Keeps the held states of refractory lanes, and moves their other states by themselves where these depend on
    /// them.
    pub(super) fn keep(&mut self, resting: &[Refractory], inputs: &[&[f64]], step: u64) {
        self.keep_held(resting);
        self.work.moved.clear();
        if resting.is_empty() {
            return;
        }
        let Some(motion) = &self.held_motion else { return };
        // The resting lanes as a small population of their own, with the same columns and registers.
        let n = resting.len();
        let side = &mut self.side;
        let width = side.memory.whole(n);
        let lane = |k: usize| resting[k.min(n - 1)].unit as usize;
        side.copy_lanes(&self.program, width, lane);
        side.fill_inputs_with(width, |port| {
            let row = inputs.get(port).copied().unwrap_or(&[]);
            move |k| if row.is_empty() { 0.0 } else { row[lane(k)] }
        });
        let mut unfollowed = None;
        for sub in 0..self.substeps {
            let draw = step * u64::from(self.substeps) + u64::from(sub);
            for noise in &self.noise {
                for (k, value) in side.register_mut(noise.register)[..width].iter_mut().enumerate() {
                    *value = noise.source.one(lane(k), draw);
                }
            }
            let time = (step as f64 + f64::from(sub) / f64::from(self.substeps)) * self.dt;
            side.fill_time(width, time);
            match motion {
                Motion::Kernel(kernel) => side.run(kernel, 0, width),
                Motion::Lanes(lanes) => {
                    for (k, rest) in resting.iter().enumerate() {
                        if lanes.advance(side, k, k, time, false).is_none() {
                            unfollowed.get_or_insert(rest.unit);
                        }
                    }
                }
            }
        }
        self.unfollowed = self.unfollowed.or(unfollowed);
        for s in 0..side.states() {
            self.work.moved.extend_from_slice(&side.memory.data[s * side.memory.padded..s * side.memory.padded + n]);
        }
    }

    /// Keeps the held states of refractory lanes, state by state.
    pub(super) fn keep_held(&mut self, resting: &[Refractory]) {
        self.work.kept.clear();
        for &s in &self.reset.hold {
            let column = self.program.state(s);
            self.work.kept.extend(resting.iter().map(|r| column[r.unit as usize]));
        }
    }

    /// Puts the states that were moved apart in their places.
    pub(super) fn place_moved(&mut self, resting: &[Refractory]) {
        if self.work.moved.is_empty() {
            return;
        }
        for (s, moved) in self.work.moved.chunks_exact(resting.len()).enumerate() {
            let column = self.program.state_mut(s);
            resting.iter().zip(moved).for_each(|(r, v)| column[r.unit as usize] = *v);
        }
    }

    /// Puts the held states back, whatever moved or arrived.
    pub(super) fn restore(&mut self, resting: &[Refractory]) {
        if resting.is_empty() {
            return;
        }
        for (&s, kept) in self.reset.hold.iter().zip(self.work.kept.chunks_exact(resting.len())) {
            let column = self.program.state_mut(s);
            for (r, v) in resting.iter().zip(kept) {
                column[r.unit as usize] = *v;
            }
        }
    }

    /// Shows every state of the lanes that spiked, lane by lane.
    pub fn each_state(&mut self, spikes: &[LaneSpike], act: &mut dyn FnMut(&mut f64)) {
        for spike in spikes {
            (0..self.program.states()).for_each(|s| act(&mut self.program.state_mut(s)[spike.lane as usize]));
        }
    }

    /// Applies the reset to the lanes that spiked in the last `advance` and starts their refractory time.
    pub fn reset(&mut self, step: u64, spikes: &[LaneSpike]) {
        if spikes.is_empty() {
            return;
        }
        let time = (step as f64 + 1.0) * self.dt;
        let mut new: LaneValues = smallvec![0.0; self.reset.states.len()];
        let (mut above, mut resting) = (SmallVec::<[u32; 8]>::new(), SmallVec::<[Refractory; 8]>::new());
        let differs = self.program.differs_by_lane();
        let shared = self.lane_parameters(0);
        let ports = self.system.inputs().len();
        for (k, spike) in spikes.iter().enumerate() {
            let lane = spike.lane as usize;
            let own = if differs { self.lane_parameters(lane) } else { LaneValues::new() };
            let parameters: &[f64] = if differs { &own } else { &shared };
            let inputs = &self.work.at_crossing[k * ports..(k + 1) * ports];
            let landing = self.landing(k).map(|l| (LaneValues::from_slice(&l.states), l.rest));
            let located = landing.is_some();
            let (landed, rest) = landing.map_or((None, None), |(states, rest)| (Some(states), rest));
            let states = landed.unwrap_or_else(|| {
                let mut states = self.lane_states(lane);
                let values = Values { states: &states, parameters, inputs, time: Some(time), ..Values::default() };
                self.reset.values.evaluate(&values, &mut new);
                self.reset.states.iter().zip(&new).for_each(|(&s, &v)| states[s] = v);
                states
            });
            self.program.set_lane_states(lane, &states);
            let values = Values { states: &states, parameters, inputs, time: Some(time), ..Values::default() };
            // Where the rest of a step led over the threshold again, those are spikes of their own.
            if !located && holds(self.reset.condition.value(&values)) {
                above.push(spike.lane);
            }
            if let Some(tape) = &self.reset.refractory {
                // Inside a step it follows from what stood right after the reset.
                let time = rest.unwrap_or_else(|| tape.value(&values));
                if !time.is_finite() {
                    self.undefined.get_or_insert((spike.lane, Undefined::Refractory));
                }
                let steps = firing::steps(time, self.dt);
                resting.extend(Refractory::after(spike.lane, step, located.then_some(spike.fraction), steps));
            }
        }
        self.firing.settle(&above, &resting);
    }
}
