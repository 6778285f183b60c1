//! Events of delay 0: delivered between two steps.

use super::Stepper;

impl Stepper {
    /// Delivers events of delay 0 before `step` begins: they act from this step on. What arrives at held states of refractory
    /// lanes is lost, as it is at the end of a step. `arrivals` as in [`Stepper::advance`].
    pub fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        let mut refractory = std::mem::take(&mut self.refractory);
        refractory.retain(|r| r.rests(step));
        self.keep_held(&refractory);
        for (start, count) in self.memory.blocks() {
            self.deliver(arrivals, start, count);
        }
        self.restore(&refractory);
        self.refractory = refractory;
    }
}
