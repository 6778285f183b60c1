//! What each message does to the state. Pure: no clock, no file, no terminal; what has to be done outside comes back as
//! effects.

use std::path::Path;
use std::sync::Arc;

use crate::input::bench::{restart, saved, understood};
use crate::input::commands::perform;
use crate::input::everywhere::leave;
use crate::input::run::open;
use crate::input::{gallery, overlay, panel, play, pointer};
use crate::panes::content::Content;
use crate::state::app::{App, Screen};
use crate::state::columns::Column;
use crate::state::jobs::JobState;
use crate::state::keys::Key;
use crate::state::message::{Effect, JobEvent, JobId, Message};
use crate::state::source::Source;
use spikedeck_run::Status;

/// Exit status when the terminal is gone: 128 and the number of SIGHUP.
pub const HUNG_UP: i32 = 129;

/// Changes the state as a message says, and tells what has to be done outside.
pub fn update(app: &mut App, message: Message) -> Vec<Effect> {
    let mut effects = Vec::new();
    app.dirty = true;
    match message {
        Message::Key(key) => {
            app.log.clear_notice();
            effects = on_key(app, key);
        }
        Message::Paste(text) => {
            for c in text.chars().filter(|c| !c.is_control()) {
                overlay::type_char(app, c);
            }
            effects = app.ask_preview();
        }
        Message::Mouse(event) => {
            pointer::on_mouse(app, event);
            if app.screen == Screen::Gallery {
                effects = app.ask_preview();
            }
        }
        Message::SizeChanged => {
            app.dirty = false;
            effects.push(Effect::AskSize);
        }
        Message::Resize(w, h) => app.size = (w, h),
        Message::Job(id, event) => on_job(app, id, event, &mut effects),
        Message::Preview(index, preview) => {
            app.gallery.previews.insert(index, preview);
        }
        Message::FileChanged(path) => {
            app.columns.file_changed(&path);
            effects = reload(app, &path);
        }
        Message::Understood(id, answer) => effects = understood(app, id, answer),
        Message::Saved { asked, file, edit } => effects = saved(app, &asked, file, edit),
        Message::Notice(text, bad) => app.say(text, bad),
        Message::Link(link) => {
            app.dirty = app.link.is_some() != link.is_some();
            app.link = link;
        }
        // Of use to the loop that draws alone.
        Message::Answered => app.dirty = false,
        Message::Background(light) => {
            app.dirty = light != app.theme.light;
            app.set_background(light);
        }
        Message::Tick => play::tick(app),
        Message::Suspend => {
            app.dirty = false;
            effects.push(Effect::Suspend);
        }
        Message::Continued => effects.push(Effect::Reenter),
        Message::Terminate(code) => effects.extend(leave(app, code)),
        Message::TerminalGone => effects.extend(leave(app, HUNG_UP)),
    }
    effects
}

/// What is to be done about a file that is another one now: it is read and run again, unless that throws away what took
/// long.
fn reload(app: &mut App, path: &Path) -> Vec<Effect> {
    let mut effects = Vec::new();
    for index in 0..app.columns.len() {
        let Some(column) = app.columns.get(index).filter(|c| c.changed) else { continue };
        if column.would_be_missed() {
            let key = app.keymap.keys("reload").first().map(ToString::to_string).unwrap_or_default();
            app.say(format!("{} has changed; {key} runs it again", path.display()), false);
        } else {
            app.say(format!("{} has changed and is read again", path.display()), false);
            effects.extend(panel::look(app, index, true));
        }
    }
    effects
}

/// What the dashboard starts with: the first preview, and the columns of the command line.
pub fn begin(app: &mut App, sources: Vec<Source>) -> Vec<Effect> {
    let mut effects = app.ask_preview();
    if !sources.is_empty() {
        app.columns.name(&sources);
        effects.extend(open(app, sources));
    }
    effects
}

fn on_key(app: &mut App, key: Key) -> Vec<Effect> {
    if app.overlay.is_some() {
        return overlay::on_key(app, key);
    }
    if let Some(effects) = panel::on_key(app, key) {
        return effects;
    }
    if app.screen == Screen::Gallery && app.gallery.typing && gallery::typed(app, key) {
        return app.ask_preview();
    }
    match app.keymap.call(app.context(), key) {
        Some(call) => perform(app, call),
        None => Vec::new(),
    }
}

fn on_job(app: &mut App, id: JobId, event: JobEvent, effects: &mut Vec<Effect>) {
    let index = app.columns.of_job(id);
    let Some(job) = app.jobs.get_mut(id) else {
        app.dirty = false;
        return;
    };
    match event {
        JobEvent::Resolved { label, path, beside, time, facts } => {
            job.label.clone_from(&label);
            if let Some(column) = index.and_then(|i| app.columns.get_mut(i)) {
                (column.label, column.path, column.changed) = (label, path, false);
                (column.beside, column.facts) = (beside, facts);
                column.time = time.or(column.time);
                effects.push(app.columns.watch());
            }
        }
        JobEvent::Progress(progress) => job.progress = progress,
        JobEvent::Live(content) => {
            let waits = index.and_then(|i| app.columns.get(i)).is_some_and(Column::waits_for_all);
            app.dirty = index.is_some() && !app.columns.frozen() && !waits;
            if let Some(i) = index.filter(|_| !waits) {
                show(app, i, content);
            }
        }
        JobEvent::Log(text) => {
            let label = index.and_then(|i| app.columns.get(i)).map_or("", |c| &c.label);
            let line = if label.is_empty() { text } else { format!("{label}: {text}") };
            app.log.note(line, false);
        }
        JobEvent::Done(content) => {
            job.state = match content.status {
                Some(Status::Interrupted) => JobState::Stopped,
                Some(Status::Failed) => JobState::Failed(content.failure.clone().unwrap_or_default()),
                Some(Status::Complete) | None => JobState::Done,
            };
            report(app, &content);
            if let Some(i) = index {
                done(app, i, content);
                effects.extend(again(app, i));
            }
        }
        JobEvent::Failed(why) => {
            let stopped = job.state == JobState::Stopping;
            job.state = if stopped { JobState::Stopped } else { JobState::Failed(why.clone()) };
            if let Some(column) = index.filter(|_| !stopped).and_then(|i| app.columns.get_mut(i)) {
                column.error = Some(why.clone());
            }
            app.say(why, !stopped);
            if let Some(i) = index {
                effects.extend(again(app, i));
            }
        }
    }
}

/// Runs a column again whose settings changed while it ran.
fn again(app: &mut App, index: usize) -> Vec<Effect> {
    let is_waited_for = app.columns.get(index).is_some_and(|c| c.bench.again);
    if is_waited_for { restart(app, index) } else { Vec::new() }
}

/// Says how a run ended, unless it ended well.
fn report(app: &mut App, content: &Content) {
    let label = &content.label;
    let read = content.finished.as_ref().and_then(|run| run.spec.as_ref()).map_or(&[][..], |spec| &spec.warnings);
    for warning in &content.warnings {
        let line = format!("{label}: {warning}");
        // What reading the scenario warned of was told when it was read.
        let is_told = read.contains(warning) && app.log.lines().iter().any(|l| l.text == line || l.text == *warning);
        if !is_told {
            app.log.note(line, false);
        }
    }
    let failed = content.checks.iter().filter(|c| !c.passed).count();
    let outcomes = content.finished.iter().flat_map(|run| &run.outcomes);
    let silent: Vec<&str> = outcomes.filter(|o| o.failure.is_some()).map(|o| o.name.as_str()).collect();
    match content.status {
        Some(Status::Failed) => {
            app.say(format!("{label}: {}", content.failure.as_deref().unwrap_or_default()), true);
        }
        Some(Status::Interrupted) => app.say(format!("{label}: stopped; what was computed is shown"), false),
        Some(Status::Complete) | None if failed + silent.len() > 0 => {
            let mut wrong = Vec::new();
            if failed > 0 {
                wrong.push(format!("{failed} of {} expectations failed (pane Run)", content.checks.len()));
            }
            if !silent.is_empty() {
                wrong.push(format!("no result of {}", silent.join(", ")));
            }
            app.say(format!("{label}: {}", wrong.join("; ")), true);
        }
        Some(Status::Complete) | None => {}
    }
}

/// The end of the job of a column.
fn done(app: &mut App, index: usize, content: Arc<Content>) {
    if let Some(column) = app.columns.get_mut(index) {
        column.error = None;
        let window = content.finished.as_ref().map(|run| run.recording.window).filter(|w| w.stop > w.start);
        if let Some(w) = window {
            // What was stopped keeps the axis that it would have filled.
            let own = (content.status != Some(Status::Interrupted)).then_some((w.start, w.stop));
            column.time = own.or(column.time);
        }
    }
    let opening = content.opening.filter(|_| app.columns.len() == 1 && app.views.is_untouched());
    show(app, index, content);
    if let Some(stretch) = opening {
        app.views.open_on(stretch);
    }
}

/// New results in a column; while the picture is frozen they wait.
fn show(app: &mut App, index: usize, content: Arc<Content>) {
    let old = app.columns.show(index, content);
    // What was played is gone; a plane of another column plays on.
    if old.is_some_and(|c| c.panes.iter().any(|p| p.movie.is_some())) {
        (app.playing, app.moment) = (false, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::overlay::Overlay;
    use crate::testing::{app, buffer, content, key, press, text};
    use std::path::PathBuf;

    #[test]
    fn enter_runs_what_is_marked_side_by_side() {
        let mut app = app((120, 40));
        press(&mut app, "c");
        press(&mut app, "c");
        let effects = update(&mut app, key("enter"));
        let started = effects.iter().filter(|e| matches!(e, Effect::Start(..))).count();
        assert_eq!((started, app.columns.len(), app.screen), (2, 2, Screen::Run));
    }

    #[test]
    fn what_a_stale_job_tells_is_not_shown() {
        let mut app = app((120, 40));
        update(&mut app, key("enter"));
        let old = app.columns.list()[0].job;
        update(&mut app, Message::Job(old, JobEvent::Done(Arc::new(content("first", 1.0)))));
        update(&mut app, key("r"));
        assert_ne!(app.columns.list()[0].job, old);
        update(&mut app, Message::Job(old, JobEvent::Done(Arc::new(content("stale", 9.0)))));
        assert_eq!(app.columns.list()[0].content().unwrap().label, "first");
        let new = app.columns.list()[0].job;
        update(&mut app, Message::Job(new, JobEvent::Done(Arc::new(content("second", 2.0)))));
        assert_eq!(app.columns.list()[0].content().unwrap().label, "second");
    }

    #[test]
    fn freezing_holds_the_picture_and_not_the_run() {
        let mut app = app((120, 40));
        update(&mut app, key("enter"));
        let job = app.columns.list()[0].job;
        update(&mut app, Message::Job(job, JobEvent::Live(Arc::new(content("early", 1.0)))));
        update(&mut app, key("space"));
        app.dirty = false;
        update(&mut app, Message::Job(job, JobEvent::Live(Arc::new(content("late", 2.0)))));
        assert!(!app.dirty, "a frozen picture is not drawn again");
        assert_eq!(app.columns.list()[0].content().unwrap().label, "early");
        update(&mut app, key("space"));
        assert_eq!(app.columns.list()[0].content().unwrap().label, "late");
    }

    #[test]
    fn escape_cancels_once_and_quit_asks_while_something_runs() {
        let mut app = app((120, 40));
        update(&mut app, key("enter"));
        assert!(matches!(update(&mut app, key("esc"))[..], [Effect::Cancel(_)]));
        update(&mut app, key("q"));
        assert_eq!(app.overlay, Some(Overlay::Quit));
        update(&mut app, key("n"));
        assert_eq!(app.overlay, None);
        let job = app.columns.list()[0].job;
        update(&mut app, Message::Job(job, JobEvent::Failed("cancelled".into())));
        assert_eq!(app.jobs.list()[0].state, JobState::Stopped);
        assert!(matches!(update(&mut app, key("q"))[..], [Effect::Quit(0)]));
    }

    /// What took long to compute is not thrown away without asking, unless it was written.
    #[test]
    fn leaving_asks_about_what_took_long() {
        for (seconds, written, asks) in [(0.4, false, false), (600.0, false, true), (600.0, true, false)] {
            let mut app = app((120, 40));
            update(&mut app, key("enter"));
            let job = app.columns.list()[0].job;
            let mut done = content("a", 10.0);
            let mut run = (**done.finished.as_ref().unwrap()).clone();
            run.facts.simulate_seconds = seconds;
            done.finished = Some(Arc::new(run));
            update(&mut app, Message::Job(job, JobEvent::Done(Arc::new(done))));
            if written {
                press(&mut app, "e r");
            }
            let effects = update(&mut app, key("q"));
            assert_eq!(app.overlay == Some(Overlay::Quit), asks, "{seconds} {written}");
            assert_eq!(matches!(effects[..], [Effect::Quit(0)]), !asks, "{effects:?}");
            if asks {
                assert!(text(&buffer(&app)).contains("was not written"));
                assert!(matches!(update(&mut app, key("y"))[..], [Effect::Quit(0)]));
            }
        }
    }

    /// Every state of a job is shown: one that was stopped while it was built says so, and no longer that it is built.
    #[test]
    fn a_run_that_was_stopped_early_says_so() {
        for size in [(120, 40), (80, 24)] {
            let mut app = app(size);
            update(&mut app, key("enter"));
            let job = app.columns.list()[0].job;
            let progress = spikedeck_run::Progress { fraction: 0.2, ..crate::state::jobs::doing("building") };
            update(&mut app, Message::Job(job, JobEvent::Progress(progress)));
            assert!(text(&buffer(&app)).contains("building"), "{size:?}");
            update(&mut app, key("esc"));
            update(&mut app, Message::Job(job, JobEvent::Failed("cancelled".into())));
            let shown = text(&buffer(&app));
            assert!(shown.contains("stopped") && !shown.contains("building"), "{shown}");
        }
    }

    #[test]
    fn ctrl_c_cancels_then_quits_and_a_lost_terminal_ends_everything() {
        let mut app = app((120, 40));
        update(&mut app, key("enter"));
        assert!(matches!(update(&mut app, key("ctrl-c"))[..], [Effect::Cancel(_)]));
        assert!(matches!(update(&mut app, Message::TerminalGone)[..], [Effect::Quit(129)]));
    }

    #[test]
    fn searching_takes_letters_that_are_commands_elsewhere() {
        let mut app = app((80, 24));
        press(&mut app, "/");
        for c in ["q", "c"] {
            assert!(update(&mut app, key(c)).is_empty());
        }
        assert_eq!(app.gallery.query, "qc");
        update(&mut app, key("esc"));
        assert_eq!((app.gallery.query.as_str(), app.gallery.typing), ("", false));
    }

    /// A key that does nothing in a pane says so.
    #[test]
    fn keys_that_do_nothing_say_so() {
        let mut app = crate::testing::running((120, 40));
        let text = app.columns.keys().iter().position(|k| k == "run").unwrap();
        app.columns.focus_pane(text);
        for k in ["+", "-", "L", "]", "[", "c", "=", "u"] {
            app.say("before", false);
            update(&mut app, key(k));
            assert!(app.log.notice().is_some_and(|n| n.text.starts_with("this pane has no ax")), "{k}");
        }
    }

    /// A point of a sweep is chosen from the list and runs beside the sweep, as what it is and nothing else.
    #[test]
    fn a_point_of_a_sweep_is_opened_beside_it() {
        use crate::state::overlay::PointRow;
        use crate::state::source::Source;
        let mut app = crate::testing::running((120, 40));
        update(&mut app, key("enter"));
        assert!(app.overlay.is_none(), "this is no sweep");
        let row = |value: u32| PointRow {
            label: format!("tau_m={value} ms seed=1"),
            set: vec![("sweep.axes.\"p.tau_m\"".into(), format!("[\"{value} ms\"]"))],
        };
        let rows = std::sync::Arc::new(vec![row(10), row(20), row(30)]);
        app.overlay = Some(Overlay::Points { rows, query: String::new(), selected: 0 });
        for c in ["2", "0"] {
            update(&mut app, key(c));
        }
        assert!(text(&buffer(&app)).contains("tau_m=20 ms") && !text(&buffer(&app)).contains("tau_m=30 ms"));
        let effects = update(&mut app, key("enter"));
        let [Effect::Start(_, Source::Scenario(asked)), Effect::Watch(_)] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(asked.set, [("sweep.axes.\"p.tau_m\"".to_owned(), "[\"20 ms\"]".to_owned())]);
        assert_eq!((app.columns.len(), app.columns.focus()), (2, 1));
        assert!(app.columns.list()[1].label.ends_with("tau_m=20 ms seed=1"));
        assert!(app.overlay.is_none());
    }

    #[test]
    fn a_changed_file_is_told_and_reloaded() {
        let mut app = app((120, 40));
        update(&mut app, key("enter"));
        let job = app.columns.list()[0].job;
        let path = PathBuf::from("/tmp/a.toml");
        let told = JobEvent::Resolved {
            label: "a".into(),
            path: Some(path.clone()),
            beside: Vec::new(),
            time: None,
            facts: Vec::new(),
        };
        let effects = update(&mut app, Message::Job(job, told));
        assert!(matches!(&effects[..], [Effect::Watch(p)] if p == std::slice::from_ref(&path)));
        let effects = update(&mut app, Message::FileChanged(path));
        assert!(matches!(effects[..], [Effect::Understand(..)]), "it is read by itself: {effects:?}");
        assert!(app.columns.list()[0].changed);
        assert!(app.log.notice().is_some_and(|n| n.text.ends_with("has changed and is read again")), "{:?}", app.log);
        let effects = update(&mut app, key("R"));
        assert!(effects.iter().any(|e| matches!(e, Effect::Start(..))));
        assert!(!app.columns.list()[0].changed);
    }
}
