//! The spikes of a lane inside a step, one after the other, and how the step ends after them.

use smallvec::SmallVec;

use super::locate::{Around, Inside, Locate};
use super::{LaneSpike, Stepper};
use crate::firing::{self, Refractory};
use crate::integrator::rk45;
use spikedeck_equation::tape::Values;

/// Parts of a step at which one lane spikes: one, but where it does not rest and crosses again.
type Parts = SmallVec<[f64; 2]>;

/// Spikes of one lane in a step at most: more are no spikes of a neuron, but a step beyond all intervals.
const MOST_SPIKES: usize = 1000;

impl Stepper {
    pub(super) fn states_of(&self, data: &[f64], lane: usize) -> Vec<f64> {
        (0..self.program.states()).map(|s| data[s * self.program.memory.padded + lane]).collect()
    }

    /// Lanes whose refractory time ends inside this step: held for its first part, free for the rest.
    pub(super) fn release(&mut self, releasing: &[Refractory], start: usize, count: usize, step: u64) {
        if releasing.is_empty() {
            return;
        }
        let mut locate = self.locate.take().expect("a refractory time ends inside a step where spikes are located");
        let padded = self.program.memory.padded;
        for r in releasing.iter().filter(|r| (start..start + count).contains(&(r.unit as usize))) {
            let lane = r.unit as usize;
            let (Some(free), Some(held)) = (&locate.free, &locate.held) else {
                unreachable!("a refractory time ends inside a step only where the rest of the step was made anew")
            };
            let (parameters, inputs) = (self.lane_parameters(lane), self.lane_inputs(lane - start));
            let around = Around { parameters: &parameters, inputs: &inputs, time: step as f64 * self.dt };
            let begun = self.states_of(&locate.before, lane);
            let rested = held.moved(&around, &begun, 0.0, r.part * self.dt);
            let end = free.moved(&around, &rested, r.part * self.dt, (1.0 - r.part) * self.dt);
            self.program.set_lane_states(lane, &end);
            for (s, v) in end.into_iter().enumerate() {
                locate.ended[s * padded + lane] = v;
            }
            locate.released.push((r.unit, r.part, rested));
        }
        self.locate = Some(locate);
    }

    /// The spikes of a lane of the block from `start`: where in the step, and how the step ends after their resets.
    pub(super) fn located(&mut self, lane: u32, start: usize, step: u64, spikes: &mut Vec<LaneSpike>) {
        let Some(mut locate) = self.locate.take() else {
            spikes.push(LaneSpike { lane, fraction: 1.0 });
            return;
        };
        let (fractions, end) =
            self.crossings(&locate, lane as usize, start, step).unwrap_or_else(|| (SmallVec::from_elem(1.0, 1), None));
        for fraction in fractions {
            spikes.push(LaneSpike { lane, fraction });
            locate.ends.push(end.clone());
        }
        self.locate = Some(locate);
    }

    /// Parts of the step at which the threshold is crossed, if the first is before its end, and the states at its end.
    fn crossings(&self, locate: &Locate, lane: usize, start: usize, step: u64) -> Option<(Parts, Option<Vec<f64>>)> {
        let (parameters, inputs) = (self.lane_parameters(lane), self.lane_inputs(lane - start));
        let around = Around { parameters: &parameters, inputs: &inputs, time: step as f64 * self.dt };
        let (mut old, ended) = (self.states_of(&locate.before, lane), self.states_of(&locate.ended, lane));
        // A lane that rested for the first part of the step has only the rest of it to cross in.
        let mut part = 0.0;
        if let Some((rested_for, rested)) = locate.released_of(lane) {
            (part, old) = (rested_for, rested.to_vec());
        }
        let surface = |states: &[f64], later: f64| locate.surface.value(&around.values(states, later));
        let at_crossing;
        let fraction;
        if let Some(&f) = self.fractions.get(lane).filter(|f| **f < 1.0) {
            // The integrator has stopped there.
            (fraction, at_crossing) = (f, ended.clone());
        } else if let Some(&(_, f)) = self.work.passed.iter().find(|p| p.0 as usize == lane) {
            // Nothing is reset, so that the step ended as it does without a spike.
            (fraction, at_crossing) = (f, ended.clone());
        } else if let (Some(&(_, f)), Some(free)) =
            (locate.excursions.iter().find(|e| e.0 as usize == lane), &locate.free)
        {
            (fraction, at_crossing) = (f, free.moved(&around, &old, part * self.dt, (f - part) * self.dt));
        } else {
            let (h0, h1) = (surface(&old, part * self.dt), surface(&ended, self.dt));
            // What arrives at the end of the step may have lifted it over the threshold: that is on the grid.
            let share = firing::share(h0, h1)?;
            if let (true, Some(free)) = (locate.exact, &locate.free) {
                fraction = locate.root(free, &around, (part, &old), self.dt);
                at_crossing = free.moved(&around, &old, part * self.dt, (fraction - part) * self.dt);
            } else if let Some((rates, s, bound)) = &locate.cut {
                let rate = |t: f64, x: &[f64], out: &mut [f64]| {
                    rates.evaluate(&Values { time: Some(t), ..around.values(x, 0.0) }, out);
                };
                let above =
                    |t: f64, x: &[f64]| locate.surface.value(&Values { time: Some(t), ..around.values(x, 0.0) });
                let cut = Some((*s, bound.value(&around.values(&old, 0.0))));
                let followed = rk45::Lane { rate: &rate, surface: Some(&above), cut, seen: None };
                let (begun, left) = (part.mul_add(self.dt, around.time), (1.0 - part) * self.dt);
                let share = rk45::advance(&followed, begun, left, &mut old)?;
                (fraction, at_crossing) = ((1.0 - part).mul_add(share, part), old);
            } else {
                fraction = (1.0 - part).mul_add(share, part);
                at_crossing = old.iter().zip(&ended).map(|(a, b)| (b - a).mul_add(share, *a)).collect();
            }
        }
        if fraction >= 1.0 {
            return None;
        }
        let mut fractions = Parts::from_elem(fraction, 1);
        let (Some(free), Some(held)) = (&locate.free, &locate.held) else { return Some((fractions, None)) };
        if self.reset.states.is_empty() && self.reset.refractory.is_none() {
            return Some((fractions, None));
        }
        let later = fraction * self.dt;
        let mut states = self.after_reset(&around, at_crossing, later);
        let resting = self
            .reset
            .refractory
            .as_ref()
            .is_some_and(|t| firing::steps(t.value(&around.values(&states, later)), self.dt) >= 1);
        let mut end = if resting { held } else { free }.moved(&around, &states, later, self.dt - later);
        if !resting {
            let mut from = fraction;
            while let Some((next, crossed)) = self.again(locate, free, &around, (from, &states), &end)
                && fractions.len() < MOST_SPIKES
            {
                states = self.after_reset(&around, crossed, next * self.dt);
                end = free.moved(&around, &states, next * self.dt, (1.0 - next) * self.dt);
                fractions.push(next);
                from = next;
            }
        }
        let is_below = !resting && surface(&states, fractions[fractions.len() - 1] * self.dt) < 0.0;
        // What arrived at the end of the step.
        for (s, x) in end.iter_mut().enumerate() {
            if !(resting && self.reset.hold.contains(&s)) {
                *x += self.program.state(s)[lane] - locate.ended[s * self.program.memory.padded + lane];
            }
        }
        if is_below && fractions.len() < MOST_SPIKES && surface(&end, self.dt) >= 0.0 {
            end = self.after_reset(&around, end, self.dt);
            fractions.push(1.0);
        }
        Some((fractions, Some(end)))
    }

    /// States after a reset, `later` than the beginning of the step.
    fn after_reset(&self, around: &Around<'_>, mut states: Vec<f64>, later: f64) -> Vec<f64> {
        let mut reset = vec![0.0; self.reset.states.len()];
        self.reset.values.evaluate(&around.values(&states, later), &mut reset);
        for (&s, v) in self.reset.states.iter().zip(reset) {
            states[s] = v;
        }
        states
    }

    /// Where a lane that was reset after a part of the step crosses again before its end, and its states there.
    fn again(
        &self,
        locate: &Locate,
        free: &Inside,
        around: &Around<'_>,
        (from, states): (f64, &[f64]),
        end: &[f64],
    ) -> Option<(f64, Vec<f64>)> {
        let surface = |states: &[f64], later: f64| locate.surface.value(&around.values(states, later));
        let share = firing::share(surface(states, from * self.dt), surface(end, self.dt))?;
        let (next, crossed) = if locate.exact {
            let next = locate.root(free, around, (from, states), self.dt);
            (next, free.moved(around, states, from * self.dt, (next - from) * self.dt))
        } else {
            let crossed = states.iter().zip(end).map(|(a, b)| (b - a).mul_add(share, *a)).collect();
            ((1.0 - from).mul_add(share, from), crossed)
        };
        (next < 1.0).then_some((next, crossed))
    }

    /// Brings those that spiked inside the step to where they are at its end.
    pub(super) fn land(&mut self, spikes: &[LaneSpike]) {
        let Some(locate) = &self.locate else { return };
        // The spikes of this step are the last ones.
        let own = &spikes[spikes.len() - locate.ends.len()..];
        for (spike, end) in own.iter().zip(&locate.ends) {
            if let Some(states) = end {
                self.program.set_lane_states(spike.lane as usize, states);
            }
        }
    }

    /// The states at the end of the step after a reset inside it: of spike `k` of this step.
    pub(super) fn end_of(&self, k: usize) -> Option<&[f64]> {
        self.locate.as_ref().and_then(|l| l.ends.get(k)).and_then(|e| e.as_deref())
    }
}
