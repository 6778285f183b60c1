//! Live analyses on a thread of their own, so that the simulation does not wait for them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::measure::measure;
use super::{Event, Snapshot, Tell};
use spikedeck_scenario::Spec;
use spikedeck_signal::Recording;

#[derive(Debug, Default)]
struct Slot {
    next: Option<Recording>,
    busy: bool,
    over: bool,
}

/// Takes recordings, measures them and tells snapshots; a newer recording replaces one that still waits.
#[derive(Debug)]
pub(super) struct Live {
    slot: Arc<(Mutex<Slot>, Condvar)>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Live {
    pub(super) fn start(spec: Arc<Spec>, tell: Tell) -> std::io::Result<Self> {
        let slot = Arc::new((Mutex::new(Slot::default()), Condvar::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, halt) = (slot.clone(), stop.clone());
        let thread = std::thread::Builder::new().name("live".into()).spawn(move || {
            while let Some(recording) = next(&theirs) {
                let recording = spec.with_recordings(recording);
                let (outcomes, whole) = measure(&spec, &recording, true, &halt);
                if whole {
                    tell(Event::Snapshot(Arc::new(Snapshot { recording: Arc::new(recording), outcomes })));
                }
                theirs.0.lock().unwrap_or_else(PoisonError::into_inner).busy = false;
            }
        })?;
        Ok(Self { slot, stop, thread: Some(thread) })
    }

    /// Whether the last recording has been dealt with.
    pub(super) fn idle(&self) -> bool {
        let slot = self.slot.0.lock().unwrap_or_else(PoisonError::into_inner);
        !slot.busy && slot.next.is_none()
    }

    /// Hands over what there is so far.
    pub(super) fn take(&self, recording: Recording) {
        self.slot.0.lock().unwrap_or_else(PoisonError::into_inner).next = Some(recording);
        self.slot.1.notify_one();
    }
}

fn next(slot: &(Mutex<Slot>, Condvar)) -> Option<Recording> {
    let mut guard = slot.0.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if guard.over {
            return None;
        }
        if let Some(recording) = guard.next.take() {
            guard.busy = true;
            return Some(recording);
        }
        guard = slot.1.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.slot.0.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.slot.1.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic in a live analysis costs the live picture, not the run; the final analysis will say it.
            let _ = thread.join();
        }
    }
}
