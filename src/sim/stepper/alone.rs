//! Steps of a few units without a threshold, one after the other.

use super::{Motion, Stepper};

impl Stepper {
    /// Whether [`Stepper::alone`] can step it.
    pub fn is_short(&self) -> bool {
        self.threshold.is_none() && matches!(&self.motion, Motion::Kernel(kernel) if kernel.short(&self.memory).is_some())
    }

    /// Whether the equations read an input port.
    pub fn reads(&self, port: usize) -> bool {
        self.inputs.iter().any(|x| x.0 == port)
    }

    /// Makes the steps from `from` to `to` of units to which nothing arrives; `input` fills the register of a port with what it
    /// carries in a step. Ends after the step that left a value that is not finite, and returns that step.
    pub fn alone(&mut self, from: u64, to: u64, mut input: impl FnMut(u64, usize, &mut [f64])) -> Option<u64> {
        let Motion::Kernel(kernel) = &self.motion else { return None };
        let program = kernel.short(&self.memory)?;
        let (lanes, substeps) = (self.memory.lanes, self.substeps);
        for step in from..to {
            for &(port, scratch) in &self.inputs {
                input(step, port, &mut self.memory.scratch_mut(scratch)[..lanes]);
                self.filled[port] = true;
            }
            for sub in 0..substeps {
                let draw = step * u64::from(substeps) + u64::from(sub);
                for noise in &mut self.noise {
                    noise.source.fill(noise.key, self.first_unit, draw, &mut self.memory.scratch_mut(noise.scratch)[..lanes]);
                }
                if let Some(t) = self.time {
                    let time = (step as f64 + f64::from(sub) / f64::from(substeps)) * self.dt;
                    self.memory.scratch_mut(t)[..lanes].fill(time);
                }
                program.run(&mut self.memory, lanes);
            }
            // Columns of states stand first, and none is padded.
            if !self.memory.data[..self.states * lanes].iter().all(|v| v.is_finite()) {
                return Some(step);
            }
        }
        None
    }
}
