//! The state between two epochs: saved while all threads wait, and put back before the first step.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::{Setup, Shared};
use crate::recorder::Recorder;
use crate::snapshot::{Pass, Snapshot};
use crate::worker::Worker;
use crate::{Observer, State, StateError, Stop};

/// Where a run begins.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Begun {
    /// Steps that were made before.
    pub step: u64,
    /// Events that were delivered in them.
    pub events: u64,
}

impl Snapshot for Begun {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self { step: _, events } = self;
        pass.number("events", events);
    }
}

impl Setup {
    /// Lets the run begin where another one was.
    pub fn restore(&mut self, mut state: State) -> Result<(), StateError> {
        let Self { workers, recorder, begun, steps, interval, recording_budget: _, names: _ } = self;
        let step = state.step();
        if step == 0 || step >= *steps || !step.is_multiple_of(*interval) {
            let message = format!("the state of another network: it stands before step {step} of {steps}");
            return Err(StateError { message });
        }
        workers.iter_mut().try_for_each(|worker| state.restore(worker))?;
        state.restore(recorder)?;
        state.restore(begun)?;
        begun.step = step;
        Ok(())
    }
}

impl Shared {
    /// Asks whether the state is to be saved before the next epoch. A run that failed, or is whole, has none to go on
    /// from.
    pub(super) fn ask(&self, stopped: Option<&Stop>, done: u64, observer: &mut dyn Observer) {
        let sound = matches!(stopped, None | Some(Stop::Cancelled)) && done < self.steps;
        self.saving.store(sound && observer.wants_state(stopped.is_some()), Ordering::Release);
    }

    /// Saves what a thread has, if that is asked for, and waits until it is handed over. False if a thread is gone.
    pub(super) fn save(&self, worker: &mut Worker, index: usize, now: u64) -> bool {
        if !self.saving.load(Ordering::Acquire) {
            return true;
        }
        self.keep(worker, index, now);
        self.barrier.wait() && self.barrier.wait()
    }

    /// The same of the first thread, which hands everything over.
    pub(super) fn save_first(
        &self,
        worker: &mut Worker,
        now: u64,
        recorder: &mut Recorder,
        observer: &mut dyn Observer,
    ) -> bool {
        if !self.saving.load(Ordering::Acquire) {
            return true;
        }
        self.keep(worker, 0, now);
        if !self.barrier.wait() {
            return false;
        }
        let mut whole = Some(State::new(now));
        for own in &self.states {
            let own = own.lock().unwrap_or_else(PoisonError::into_inner).take();
            whole = whole.zip(own).map(|(mut whole, own)| {
                whole.join(own);
                whole
            });
        }
        if let Some(mut state) = whole {
            state.save(recorder);
            state.save(&mut Begun { step: now, events: self.events.load(Ordering::Relaxed) });
            observer.state(state);
        }
        self.barrier.wait()
    }

    /// Keeps the state of a thread; none where a connection was found to have a value that is no finite number.
    fn keep(&self, worker: &mut Worker, index: usize, now: u64) {
        let mut state = State::new(now);
        state.save(worker);
        let sound = (!worker.has_failed()).then_some(state);
        *self.states[index].lock().unwrap_or_else(PoisonError::into_inner) = sound;
    }
}
