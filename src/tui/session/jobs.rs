//! Jobs from the dashboard's side: each has a thread that listens, makes panes, and tells the state.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use crate::panes::content::Content;
use crate::session::backend::Backend;
use crate::session::guarded::guarded;
use crate::state::jobs::doing;
use crate::state::message::{JobEvent, JobId, Message};
use crate::state::source::Source;
use spikedeck_run::{Event, JobHandle, Snapshot};
use spikedeck_scenario::Spec;

/// A wish to stop that can be said before there is anything to stop.
#[derive(Debug, Default)]
struct Stop {
    asked: AtomicBool,
    flag: Mutex<Option<Arc<AtomicBool>>>,
}

impl Stop {
    fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
        if let Some(flag) = self.flag.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            flag.store(true, Ordering::Relaxed);
        }
    }

    fn attach(&self, flag: &Arc<AtomicBool>) {
        *self.flag.lock().unwrap_or_else(PoisonError::into_inner) = Some(flag.clone());
        if self.asked.load(Ordering::SeqCst) {
            flag.store(true, Ordering::Relaxed);
        }
    }
}

/// All jobs that were started.
#[derive(Debug, Default)]
pub struct Jobs {
    stops: HashMap<JobId, Arc<Stop>>,
}

impl Jobs {
    /// Starts what a source says.
    pub fn start(&mut self, id: JobId, source: Source, backend: Arc<dyn Backend>, tell: Sender<Message>) {
        let stop = Arc::new(Stop::default());
        self.stops.insert(id, stop.clone());
        let (failed, died) = (tell.clone(), tell.clone());
        let work = move || {
            lower_priority();
            match source {
                Source::Finished(path) => {
                    // Nobody hears where the session has ended.
                    let say = |told| tell.send(Message::Job(id, told)).is_ok();
                    say(JobEvent::Progress(doing(backend.opening(&path))));
                    match backend.open(&path) {
                        Ok(finished) => say(drawing()) && say(JobEvent::Done(Content::of(&finished).into())),
                        Err(why) => say(JobEvent::Failed(why)),
                    };
                }
                Source::Scenario(asked) => match backend.prepare(&asked) {
                    Err(why) => {
                        let _ = tell.send(Message::Job(id, JobEvent::Failed(why)));
                    }
                    Ok(prepared) => {
                        let told = JobEvent::Resolved {
                            label: prepared.label.clone(),
                            path: prepared.path,
                            beside: prepared.beside,
                            time: prepared.time,
                            facts: prepared.facts,
                        };
                        let _ = tell.send(Message::Job(id, told));
                        for warning in prepared.warnings {
                            let _ = tell.send(Message::Job(id, JobEvent::Log(warning)));
                        }
                        let handle = (prepared.start)();
                        stop.attach(&handle.cancel);
                        let info = RunInfo { label: prepared.label, spec: prepared.spec, time: prepared.time };
                        listen(id, &info, &handle, &tell);
                    }
                },
            }
        };
        let work = move || {
            guarded(work, |why| {
                let _ = died.send(Message::Job(id, JobEvent::Failed(why)));
            });
        };
        if let Err(why) = std::thread::Builder::new().name(format!("listen {id}")).spawn(work) {
            let _ = failed.send(Message::Job(id, JobEvent::Failed(format!("no thread could be started: {why}"))));
        }
    }

    /// Asks a job to stop.
    pub fn cancel(&self, id: JobId) {
        if let Some(stop) = self.stops.get(&id) {
            stop.ask();
        }
    }

    /// Asks all of them.
    pub fn cancel_all(&self) {
        for stop in self.stops.values() {
            stop.ask();
        }
    }
}

/// All is there, and panes are made of it.
fn drawing() -> JobEvent {
    JobEvent::Progress(doing("making panes"))
}

/// Threads that a job starts inherit this: keys are answered while a simulation has all processors.
fn lower_priority() {
    // Linux counts niceness by thread; elsewhere it would slow the drawing too. Refused is no harm.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 10);
}

/// What panes of a run that lasts need to know of it.
#[derive(Debug, Default)]
struct RunInfo {
    label: String,
    spec: Option<Arc<Spec>>,
    time: Option<(f64, f64)>,
}

/// Passes on what a job tells, newest picture only, until its last word.
fn listen(id: JobId, info: &RunInfo, handle: &JobHandle, tell: &Sender<Message>) {
    let say = |told| tell.send(Message::Job(id, told)).is_ok();
    loop {
        let Some((others, picture)) = gather(&handle.events) else {
            let panic = crate::terminal::last_panic();
            let why = panic.map_or_else(
                || "its thread ended without a word".to_owned(),
                |p| format!("the program made a mistake: {p}"),
            );
            say(JobEvent::Failed(why));
            return;
        };
        for event in others {
            let (told, last) = match event {
                Event::Progress(p) => (JobEvent::Progress(p), false),
                Event::Done(finished) => {
                    if !say(drawing()) {
                        return;
                    }
                    (JobEvent::Done(Arc::new(Content::of(&finished))), true)
                }
                Event::Failed(why) => (JobEvent::Failed(why), true),
                Event::Snapshot(_) => continue,
            };
            if !say(told) || last {
                return;
            }
        }
        if let Some(snapshot) = picture
            && !say(JobEvent::Live(Arc::new(Content::live(&info.label, &snapshot, info.spec.as_deref(), info.time))))
        {
            return;
        }
    }
}

/// Everything that waits: the newest progress and picture, all else in order. `None` when nobody will say anything
/// more.
fn gather(events: &Receiver<Event>) -> Option<(Vec<Event>, Option<Arc<Snapshot>>)> {
    let first = events.recv().ok()?;
    let mut others = Vec::new();
    let mut picture = None;
    let mut progress = None;
    for event in std::iter::once(first).chain(events.try_iter()) {
        match event {
            Event::Snapshot(s) => picture = Some(s),
            Event::Progress(p) => progress = Some(p),
            other => others.push(other),
        }
    }
    others.splice(0..0, progress.map(Event::Progress));
    Some((others, picture))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::source::Asked;
    use spikedeck_run::Progress;
    use std::sync::mpsc::channel;

    fn progress(fraction: f64) -> Event {
        Event::Progress(Progress { stage: "simulating".into(), fraction, simulated: 0.0, rate: 0.0, eta: None })
    }

    fn handle() -> (Sender<Event>, JobHandle) {
        let (send, events) = channel();
        (send, JobHandle { cancel: Arc::default(), events })
    }

    #[test]
    fn only_the_newest_progress_is_passed_on_and_the_last_word_ends_it() {
        let (send, handle) = handle();
        for k in 0..100 {
            send.send(progress(f64::from(k) / 100.0)).unwrap();
        }
        send.send(Event::Failed("no".into())).unwrap();
        let (tell, told) = channel();
        listen(7, &RunInfo::default(), &handle, &tell);
        drop(tell);
        let all: Vec<Message> = told.iter().collect();
        assert_eq!(all.len(), 2);
        assert!(matches!(&all[0], Message::Job(7, JobEvent::Progress(p)) if p.fraction == 0.99));
        assert!(matches!(&all[1], Message::Job(7, JobEvent::Failed(_))));
    }

    #[test]
    fn a_job_that_ends_without_a_word_has_failed() {
        let (send, handle) = handle();
        drop(send);
        let (tell, told) = channel();
        listen(1, &RunInfo::default(), &handle, &tell);
        assert!(matches!(told.recv().unwrap(), Message::Job(1, JobEvent::Failed(_))));
    }

    /// A reader that panics is a job that failed, with its words: nothing waits for it for ever.
    #[test]
    fn a_reader_that_dies_has_failed_in_words() {
        #[derive(Debug)]
        struct Dies;
        impl Backend for Dies {
            fn entries(&self) -> Vec<crate::state::gallery::Entry> {
                Vec::new()
            }
            fn preview(&self, _: &Source) -> Result<crate::state::gallery::Preview, String> {
                panic!("the preview is damaged")
            }
            fn prepare(&self, _: &Asked) -> Result<crate::session::backend::Prepared, String> {
                panic!("the scenario is damaged")
            }
            fn understand(&self, _: &Asked) -> Result<Vec<spikedeck_scenario::Adjustable>, String> {
                panic!("the scenario is damaged")
            }
            fn save(&self, _: &Asked, _: &std::path::Path) -> Result<(), String> {
                panic!("the disk is damaged")
            }
            fn open(&self, _: &std::path::Path) -> Result<Arc<spikedeck_run::Finished>, String> {
                panic!("column 3 is damaged")
            }
        }
        for (source, words) in [
            (Source::Finished("a.parquet".into()), "column 3 is damaged"),
            (Source::Scenario("a".into()), "the scenario is damaged"),
        ] {
            let (tell, told) = channel();
            Jobs::default().start(1, source, Arc::new(Dies), tell);
            let last = told.iter().find(|m| !matches!(m, Message::Job(1, JobEvent::Progress(_))));
            let Some(Message::Job(1, JobEvent::Failed(why))) = last else { panic!("it has not failed") };
            assert!(why.contains(words), "{why}");
        }
    }

    #[test]
    fn stopping_before_the_start_stops_it() {
        let stop = Stop::default();
        stop.ask();
        let flag = Arc::new(AtomicBool::new(false));
        stop.attach(&flag);
        assert!(flag.load(Ordering::Relaxed));
    }
}
