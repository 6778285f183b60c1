//! A job on its own thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};

use super::{Event, JobHandle, Options, Point, Tell, simulate};
use spikedeck_scenario::Spec;

/// Starts what `spec` asks for, as [`simulate()`] does. The last event is [`Event::Done`] or [`Event::Failed`]; a panic
/// is the latter. Dropping the handle cancels.
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
            simulate(&spec, &points, options, &flag, &tell).map(|simulated| simulated.finished().clone())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A sweep of one point is that point, with the value of its axis, wherever it is run.
    #[test]
    fn a_sweep_of_one_point_runs_that_point() {
        let text = r#"
            [simulation]
            duration = "200 ms"
            dt = "0.1 ms"
            [populations.p]
            model = "lif"
            [stimuli.s]
            target = "p.I"
            kind = "constant"
            amplitude = "0 pA"
            [sweep.axes]
            "stimuli.s.amplitude" = ["600 pA"]
        "#;
        let source = crate::Source { text: text.into(), origin: None, name: "one".into(), variant: None };
        let (spec, _) = crate::resolve(&source, &[]).map_err(|e| e.render(false)).unwrap();
        let points = crate::points(&spec, &|more| crate::again(&spec, more)).unwrap();
        assert_eq!(points.len(), 1);
        let job = start(Arc::new(spec), points, Options { threads: 1, ..Options::default() });
        let done = job.events.iter().find_map(|event| match event {
            Event::Done(finished) => Some(finished),
            Event::Failed(why) => panic!("{why}"),
            _ => None,
        });
        assert!(done.unwrap().facts.spikes > 0);
    }
}
