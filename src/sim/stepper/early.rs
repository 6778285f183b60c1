//! Events of delay 0: delivered between two steps.

use smallvec::SmallVec;

use super::Stepper;
use crate::firing::Rest;

impl Stepper {
    /// Delivers events of delay 0 before `step` begins: they act from this step on. What arrives at held states of
    /// refractory lanes is lost, as it is at the end of a step. `arrivals` as in [`Stepper::advance`].
    pub fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        let resting: SmallVec<[Rest; 16]> = self.firing.resting_before(step).collect();
        self.keep_held(&resting);
        for (start, count) in self.memory.blocks() {
            self.deliver(arrivals, start, count);
        }
        self.restore(&resting);
    }
}
