//! A job on its own thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};

use super::{Event, JobHandle, Options, Point, Tell, ensemble, execute};
use spikedeck_scenario::Spec;

/// Starts what `spec` asks for: with `points` (a sweep's, see [`super::points()`]) all of them, else one run. The last
/// event is [`Event::Done`] or [`Event::Failed`]; a panic is the latter. Dropping the handle cancels.
pub fn start(spec: Arc<Spec>, points: Vec<Point>, options: Options) -> JobHandle {
    let cancel = Arc::new(AtomicBool::new(false));
    let (sender, events) = mpsc::channel();
    let failed = sender.clone();
    let flag = cancel.clone();
    let work = move || {
        let channel = sender.clone();
        // A receiver that is gone has cancelled already; nobody is left to be told.
        let tell: Tell = Arc::new(move |event| drop(channel.send(event)));
        let result = catch_unwind(AssertUnwindSafe(|| {
            if points.len() > 1 {
                ensemble(&spec, &points, options, &flag, &tell).map(|e| e.finished)
            } else {
                execute(&spec, options, &flag, &tell).map(Arc::new)
            }
        }));
        let last = match result {
            Ok(Ok(finished)) => Event::Done(finished),
            Ok(Err(error)) => Event::Failed(error.to_string()),
            Err(panic) => Event::Failed(format!("the program made a mistake: {}", panic_text(panic.as_ref()))),
        };
        drop(sender.send(last));
    };
    if let Err(error) = std::thread::Builder::new().name("job".into()).spawn(work) {
        drop(failed.send(Event::Failed(format!("no thread could be started: {error}"))));
    }
    JobHandle { cancel, events }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown".into())
}
