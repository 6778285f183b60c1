//! Units that play spikes: no states, nothing to integrate.

use super::{Blame, Body, ProbeId};
use crate::snapshot::{Pass, Snapshot};
use crate::stepper::LaneSpike;
use spikedeck_scenario::VariableId;

/// Units that spike when an event comes for them, as often as events come.
#[derive(Debug, Default)]
pub(crate) struct Player {
    /// Lanes of spikes before the first step, which are played in it.
    early: Vec<u32>,
}

/// Uses up rows of numbers of events, and adds the lane of each event.
fn use_up(rows: &mut [&mut [f64]], due: &mut Vec<u32>) {
    for row in rows {
        for (lane, count) in (0..).zip(row.iter_mut()).filter(|(_, count)| **count != 0.0) {
            due.extend(std::iter::repeat_n(lane, std::mem::take(count) as usize));
        }
    }
}

impl Snapshot for Player {
    fn visit(&mut self, _: &mut Pass<'_>) {
        // What is early is played in the step before which it comes.
        let Self { early: _ } = self;
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
        use_up(arrivals, &mut due);
        due.sort_unstable();
        spikes.extend(due.iter().map(|&lane| LaneSpike { lane, fraction: 1.0 }));
        due.clear();
        self.early = due;
    }

    fn deliver_before(&mut self, _: u64, arrivals: &mut [&mut [f64]]) {
        use_up(arrivals, &mut self.early);
    }

    fn each_state(&mut self, _: &[LaneSpike], _: &mut dyn FnMut(&mut f64)) {}

    fn reset(&mut self, _: u64, _: &[LaneSpike]) {}

    fn not_finite(&self) -> Option<(u32, usize)> {
        None
    }

    fn blame(&self, _: u32, _: usize, _: u64, _: &[&[f64]]) -> (u32, Blame) {
        unreachable!("it has no states, and rates that give no number of events stop the run as stimuli")
    }
}
