//! The spikes of a lane inside a step, one after the other, and how the step ends after them.

use smallvec::{SmallVec, smallvec};

use super::locate::{Around, Inside, Landing, Locate};
use super::{LaneSpike, Stepper};
use crate::firing::{self, Refractory};

/// Part of a step at which a lane crosses, and how long it rests after its reset there, where that is looked at.
type Crossing = (f64, Option<f64>);

/// The spikes of one lane in a step.
#[derive(Debug, Default)]
struct Crossings {
    /// One, but where the lane does not rest and crosses again.
    at: SmallVec<[Crossing; 2]>,
    /// States at the end of the step after their resets.
    end: Option<Vec<f64>>,
    /// Whether there are more than can be followed.
    lost: bool,
}

/// Where a lane goes from a reset inside a step.
enum Onward {
    /// Over the threshold again: after which part of the step, and its states there.
    Crosses(f64, Vec<f64>),
    /// To the end of the step.
    Ends(Vec<f64>),
    /// What is left of the step cannot be done.
    Lost,
}

/// Spikes of one lane in a step at most: more are no spikes of a neuron, and end the run.
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
        let found = self.crossings(&locate, lane as usize, start, step);
        let found = found.unwrap_or_else(|| Crossings { at: smallvec![(1.0, None)], ..Crossings::default() });
        for (fraction, rest) in found.at {
            spikes.push(LaneSpike { lane, fraction });
            locate.ends.push(found.end.clone().map(|states| Landing { states, rest }));
        }
        if found.lost {
            self.unfollowed.get_or_insert(lane);
        }
        self.locate = Some(locate);
    }

    /// Where in the step the threshold is crossed, if the first time is before its end.
    fn crossings(&self, locate: &Locate, lane: usize, start: usize, step: u64) -> Option<Crossings> {
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
            } else if let Some(steep) = locate.steep.as_ref().filter(|steep| steep.cuts) {
                fraction = locate.follow(steep, &around, (part, &mut old), self.dt)?;
                at_crossing = old;
            } else {
                fraction = (1.0 - part).mul_add(share, part);
                at_crossing = old.iter().zip(&ended).map(|(a, b)| (b - a).mul_add(share, *a)).collect();
            }
        }
        if fraction >= 1.0 {
            return None;
        }
        let alone = || Crossings { at: smallvec![(fraction, None)], ..Crossings::default() };
        let (Some(free), Some(held)) = (&locate.free, &locate.held) else { return Some(alone()) };
        if self.reset.states.is_empty() && self.reset.refractory.is_none() {
            return Some(alone());
        }
        let (mut at, mut lost) = (SmallVec::<[Crossing; 2]>::new(), false);
        let (mut from, mut states) = (fraction, at_crossing);
        let (resting, mut end) = loop {
            let later = from * self.dt;
            states = self.after_reset(&around, states, later);
            let rest = self.rest(&around, &states, later);
            at.push((from, rest));
            if rest.is_some_and(|time| firing::steps(time, self.dt) >= 1) {
                break (true, held.moved(&around, &states, later, self.dt - later));
            }
            match self.onward(locate, free, &around, (from, &states)) {
                Onward::Crosses(next, crossed) if at.len() < MOST_SPIKES => (from, states) = (next, crossed),
                Onward::Ends(end) => break (false, end),
                Onward::Crosses(..) | Onward::Lost => {
                    lost = true;
                    break (false, states.clone());
                }
            }
        };
        let is_below = !resting && !lost && surface(&states, from * self.dt) < 0.0;
        // What arrived at the end of the step.
        for (s, x) in end.iter_mut().enumerate() {
            if !(resting && self.reset.hold.contains(&s)) {
                *x += self.program.state(s)[lane] - locate.ended[s * self.program.memory.padded + lane];
            }
        }
        if is_below && surface(&end, self.dt) >= 0.0 {
            end = self.after_reset(&around, end, self.dt);
            at.push((1.0, self.rest(&around, &end, self.dt)));
        }
        Some(Crossings { at, end: Some(end), lost })
    }

    /// How long a lane with these states rests, `later` than the beginning of the step.
    fn rest(&self, around: &Around<'_>, states: &[f64], later: f64) -> Option<f64> {
        self.reset.refractory.as_ref().map(|time| time.value(&around.values(states, later)))
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

    /// Where a lane goes that was reset to `states` after a part of the step.
    fn onward(&self, locate: &Locate, free: &Inside, around: &Around<'_>, (from, states): (f64, &[f64])) -> Onward {
        let surface = |states: &[f64], later: f64| locate.surface.value(&around.values(states, later));
        let later = from * self.dt;
        let before = surface(states, later);
        if let Some(steep) = locate.steep.as_ref().filter(|_| before < 0.0) {
            let mut states = states.to_vec();
            return match locate.follow(steep, around, (from, &mut states), self.dt) {
                Some(next) if next < 1.0 => Onward::Crosses(next, states),
                Some(_) => Onward::Ends(states),
                None => Onward::Lost,
            };
        }
        let end = free.moved(around, states, later, self.dt - later);
        let Some(share) = firing::share(before, surface(&end, self.dt)) else { return Onward::Ends(end) };
        let (next, crossed) = if locate.exact {
            let next = locate.root(free, around, (from, states), self.dt);
            (next, free.moved(around, states, later, (next - from) * self.dt))
        } else {
            let crossed = states.iter().zip(&end).map(|(a, b)| (b - a).mul_add(share, *a)).collect();
            ((1.0 - from).mul_add(share, from), crossed)
        };
        if next < 1.0 { Onward::Crosses(next, crossed) } else { Onward::Ends(end) }
    }

    /// Brings those that spiked inside the step to where they are at its end.
    pub(super) fn land(&mut self, spikes: &[LaneSpike]) {
        let Some(locate) = &self.locate else { return };
        // The spikes of this step are the last ones.
        let own = &spikes[spikes.len() - locate.ends.len()..];
        for (spike, landing) in own.iter().zip(&locate.ends) {
            if let Some(landing) = landing {
                self.program.set_lane_states(spike.lane as usize, &landing.states);
            }
        }
    }

    /// Where spike `k` of this step ends after a reset inside it.
    pub(super) fn landing(&self, k: usize) -> Option<&Landing> {
        self.locate.as_ref().and_then(|l| l.ends.get(k)).and_then(|e| e.as_ref())
    }
}
