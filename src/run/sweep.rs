//! A sweep that is larger than one process: its points one by one, each handed over as it is done.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::ensemble::side_by_side;
use super::single::{execute_point, stage};
use super::{Event, Facts, Finished, Options, Plan, PointResult, Resolve, RunError, Status, Tell};
use spikedeck_scenario::Spec;
use spikedeck_sim::BuildError;

/// What takes a point that is done, by its number in the plan.
pub type TakePoint<'a> = dyn FnMut(usize, PointResult) -> Result<(), String> + Send + 'a;

/// Makes the points `which` of a plan, one a thread at a time, and hands each to `take` with all that it recorded. A
/// point that cannot be resolved or built is one that failed; the others are made nevertheless. One for which there is
/// not enough memory now is not handed over: gives such, with the reason. Stops when it is cancelled: a point that is
/// cut short is not handed over either.
///
/// # Errors
/// When `take` refuses a point (a full disk).
pub fn sweep(
    (spec, plan, which): (&Arc<Spec>, &Plan, &[usize]),
    resolve: &(impl Fn(&[(String, String)]) -> Result<Spec, String> + Sync),
    threads: usize,
    cancel: &AtomicBool,
    tell: &Tell,
    take: &mut TakePoint<'_>,
) -> Result<Vec<(usize, RunError)>, RunError> {
    let all = Options { threads, ..Options::default() }.thread_count();
    let workers = all.min(which.len()).max(1);
    let silent: Tell = Arc::new(|_: Event| {});
    let done = Mutex::new((take, 0_usize, Ok(())));
    let not_now = Mutex::new(Vec::new());
    side_by_side(which.len(), workers, cancel, &|k| {
        let at = which[k];
        let resolve: &Resolve<'_> = resolve;
        let made = plan.point(at, resolve).and_then(|point| {
            let options = Options { threads: (all / workers).max(1), ..Options::default() };
            Ok((execute_point(&point.spec, (at, plan.len()), options, cancel, &silent)?, point))
        });
        let (mut finished, point) = match made {
            Ok(made) => made,
            Err(_) if cancel.load(Ordering::Relaxed) => return ControlFlow::Break(()),
            Err(error @ (RunError::Build(BuildError::Memory { .. }) | RunError::System(_))) => {
                not_now.lock().unwrap_or_else(PoisonError::into_inner).push((at, error));
                return ControlFlow::Continue(());
            }
            Err(error) => (not_made(spec, &error), plan.point_with(at, spec.clone())),
        };
        if finished.status == Status::Interrupted {
            return ControlFlow::Break(());
        }
        finished.label = format!("{} {}", spec.label(), point.label());
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        let (take, count, result) = &mut *done;
        // Nothing is written behind what was refused.
        if result.is_err() {
            return ControlFlow::Break(());
        }
        *result = take(at, PointResult { point, finished: Arc::new(finished) });
        *count += 1;
        stage(tell, &format!("point {count} of {}", which.len()), *count as f64 / which.len() as f64);
        if result.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let (_, _, result) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    result.map_err(RunError::Sink)?;
    Ok(not_now.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// A point that came to nothing, and why.
fn not_made(spec: &Arc<Spec>, error: &RunError) -> Finished {
    Finished {
        label: String::new(),
        spec: Some(spec.clone()),
        status: Status::Failed,
        failure: Some(error.to_string()),
        recording: Arc::default(),
        outcomes: Vec::new(),
        checks: Vec::new(),
        warnings: Vec::new(),
        facts: Facts::default(),
    }
}
