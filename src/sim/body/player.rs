//! Units that play spikes: no states, nothing to integrate.

use super::{Blame, Body, ProbeId};
use crate::stepper::LaneSpike;
use spikedeck_scenario::VariableId;

/// Units that spike when an event comes for them, as often as events come.
#[derive(Debug, Default)]
pub(crate) struct Player {
    /// Lanes of spikes before the first step, which are played in it.
    early: Vec<u32>,
    /// A lane for which no number of events came: its rate is not a number.
    broken: Option<u32>,
}

impl Player {
    /// Uses up a row of events, and tells the lane of each.
    fn each(&mut self, row: &mut [f64], mut tell: impl FnMut(u32)) {
        for (lane, count) in (0..).zip(row.iter_mut()).filter(|(_, count)| **count != 0.0) {
            let due = std::mem::take(count);
            if due.is_finite() {
                (0..due as u64).for_each(|_| tell(lane));
            } else {
                self.broken = self.broken.or(Some(lane));
            }
        }
    }
}

impl Body for Player {
    fn probe(&mut self, _: VariableId) -> ProbeId {
        unreachable!("the scenario refuses variables of a population that has none")
    }

    fn reads(&self, _: ProbeId, _: usize) -> bool {
        false
    }

    fn sample(&mut self, _: ProbeId, _: u64, _: &[&[f64]], _: &[u32], _: &mut Vec<f64>) {
        unreachable!("nothing of it can be observed but its spikes")
    }

    fn advance(&mut self, _: u64, _: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>) {
        let mut due = std::mem::take(&mut self.early);
        for row in arrivals {
            self.each(row, |lane| due.push(lane));
        }
        due.sort_unstable();
        spikes.extend(due.iter().map(|&lane| LaneSpike { lane, fraction: 1.0 }));
        due.clear();
        self.early = due;
    }

    fn deliver_before(&mut self, _: u64, arrivals: &mut [&mut [f64]]) {
        let mut early = std::mem::take(&mut self.early);
        for row in arrivals {
            self.each(row, |lane| early.push(lane));
        }
        self.early = early;
    }

    fn each_state(&mut self, _: &[LaneSpike], _: &mut dyn FnMut(&mut f64)) {}

    fn reset(&mut self, _: u64, _: &[LaneSpike]) {}

    fn not_finite(&self) -> Option<(u32, usize)> {
        self.broken.map(|lane| (lane, 0))
    }

    fn is_alarmed(&self) -> bool {
        self.broken.is_some()
    }

    fn blame(&self, _: u32, _: usize, _: u64, _: &[&[f64]]) -> Blame {
        Blame::Played
    }
}
