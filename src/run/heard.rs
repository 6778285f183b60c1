//! Work that a wish to stop is heard through, however long it takes to look up.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::RunError;

/// Time between two looks at the flag.
const LOOK: Duration = Duration::from_millis(20);
/// Time that work has to answer a wish to stop before it is left to itself.
const GRACE: Duration = Duration::from_millis(250);

/// Does `work` on a thread of its own. When `cancel` is raised, the flag that the work is handed is raised too; if it
/// has not ended shortly after, it is left behind, and there is no answer. It ends by itself or with the process; what
/// it holds is its own.
///
/// # Errors
/// When no thread can be started.
pub(super) fn heard<T: Send + 'static>(
    cancel: &AtomicBool,
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> Result<Option<T>, RunError> {
    let halt = Arc::new(AtomicBool::new(false));
    let theirs = halt.clone();
    let (tell, told) = channel();
    let work = move || {
        // Nobody listens any more to work that was left behind.
        drop(tell.send(catch_unwind(AssertUnwindSafe(|| work(&theirs)))));
    };
    std::thread::Builder::new()
        .name("work".into())
        // As much as the first thread of a process has.
        .stack_size(8 << 20)
        .spawn(work)
        .map_err(|e| RunError::System(format!("no thread could be started: {e}")))?;
    let mut asked: Option<Instant> = None;
    loop {
        match told.recv_timeout(LOOK) {
            Ok(Ok(answer)) => return Ok(Some(answer)),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(RecvTimeoutError::Disconnected) => unreachable!("the thread answers, also where the work panics"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if cancel.load(Ordering::Relaxed) {
            halt.store(true, Ordering::Relaxed);
            if asked.get_or_insert_with(Instant::now).elapsed() >= GRACE {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_listen_is_left_behind_and_what_does_answers() {
        let never = AtomicBool::new(false);
        assert_eq!(heard(&never, |_| 7).unwrap(), Some(7));
        let raised = AtomicBool::new(true);
        let began = Instant::now();
        let deaf = heard(&raised, |_| std::thread::sleep(Duration::from_secs(5)));
        assert_eq!(deaf.unwrap(), None);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        let listens = |halt: &AtomicBool| {
            while !halt.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            "stopped"
        };
        assert_eq!(heard(&raised, listens).unwrap(), Some("stopped"));
    }

    #[test]
    fn a_panic_is_that_of_the_caller() {
        let never = AtomicBool::new(false);
        let result = catch_unwind(AssertUnwindSafe(|| heard(&never, |_| assert_eq!(1, 2, "mine")).is_ok()));
        assert!(result.unwrap_err().downcast_ref::<String>().unwrap().contains("mine"));
    }
}
