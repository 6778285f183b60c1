//! What each message does to the state. Pure: no clock, no file, no terminal; what has to be done outside comes back as
//! effects.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::KeyCode;

use crate::input::commands::{Action, Context};
use crate::input::pane;
use crate::input::{overlay, play, pointer};
use crate::panes::content::Content;
use crate::state::app::{App, Column, Job, JobState, Overlay, Screen};
use crate::state::keys::Key;
use crate::state::message::{Effect, JobId, Message, Source, Told};
use crate::state::theme::Theme;
use spikedeck_plot as plot;
use spikedeck_run::Status;

/// Changes the state as a message says, and tells what has to be done outside.
pub fn update(app: &mut App, message: Message) -> Vec<Effect> {
    let mut effects = Vec::new();
    app.dirty = true;
    match message {
        Message::Key(key) => {
            app.notice = None;
            effects = on_key(app, key);
        }
        Message::Paste(text) => {
            for c in text.chars().filter(|c| !c.is_control()) {
                overlay::type_char(app, c);
            }
            effects.extend(app.gallery.ask_preview());
        }
        Message::Mouse(event) => {
            pointer::on_mouse(app, event);
            if app.screen == Screen::Gallery {
                effects.extend(app.gallery.ask_preview());
            }
        }
        Message::SizeChanged => {
            app.dirty = false;
            effects.push(Effect::AskSize);
        }
        Message::Resize(w, h) => app.size = (w, h),
        Message::Job(id, told) => on_job(app, id, told, &mut effects),
        Message::Preview(index, preview) => {
            app.gallery.previews.insert(index, preview);
        }
        Message::Entries(entries) => {
            app.gallery.replace(entries);
            effects.extend(app.gallery.ask_preview());
        }
        Message::FileChanged(path) => {
            for column in &mut app.columns {
                column.changed |= column.path.as_deref() == Some(&path);
            }
            let key = app.keymap.keys("reload").first().map(ToString::to_string).unwrap_or_default();
            app.say(format!("{} has changed; {key} runs it again", path.display()), false);
        }
        Message::Notice(text, bad) => app.say(text, bad),
        Message::Link(link) => {
            app.dirty = app.link.is_some() != link.is_some();
            app.link = link;
        }
        Message::Ground(light) => {
            app.dirty = light != app.theme.light;
            app.theme = Theme::new(light, app.theme.depth);
            app.look.palette.theme = if light { plot::Theme::Light } else { plot::Theme::Dark };
        }
        Message::Tick => play::tick(app),
        Message::Suspend => {
            app.dirty = false;
            effects.push(Effect::Suspend);
        }
        Message::Continued => effects.push(Effect::Reenter),
        Message::Terminate(code) => effects.extend(leave(app, code)),
        Message::TerminalGone => effects.extend(leave(app, 129)),
    }
    effects
}

/// What the dashboard starts with: the first preview, and the columns of the command line.
pub fn begin(app: &mut App, sources: Vec<Source>) -> Vec<Effect> {
    let mut effects: Vec<Effect> = app.gallery.ask_preview().into_iter().collect();
    if !sources.is_empty() {
        app.named.clone_from(&sources);
        effects.extend(open(app, sources));
    }
    effects
}

fn on_key(app: &mut App, key: Key) -> Vec<Effect> {
    if app.overlay.is_some() {
        return overlay::on_key(app, key);
    }
    if app.screen == Screen::Gallery && app.gallery.typing && typing(app, key) {
        return app.gallery.ask_preview().into_iter().collect();
    }
    match app.keymap.action(app.context(), key) {
        Some(action) => perform(app, action),
        None => Vec::new(),
    }
}

/// A key while the search line has the keys; whether it was used.
fn typing(app: &mut App, key: Key) -> bool {
    match key.code {
        KeyCode::Esc => {
            app.gallery.typing = false;
            app.gallery.query.clear();
            app.gallery.filter();
        }
        KeyCode::Backspace => {
            app.gallery.query.pop();
            app.gallery.filter();
        }
        KeyCode::Enter => {
            app.gallery.typing = false;
            return false;
        }
        _ => match key.typed() {
            Some(c) => {
                app.gallery.query.push(c);
                app.gallery.filter();
            }
            None => return false,
        },
    }
    true
}

/// Does what a command says: from a key, the palette or the mouse.
pub fn perform(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Help => app.overlay = Some(Overlay::Help { query: String::new(), scroll: 0 }),
        Action::Palette => app.overlay = Some(Overlay::Palette { query: String::new(), selected: 0 }),
        Action::Jobs => app.overlay = Some(Overlay::Jobs { selected: app.jobs.len().saturating_sub(1) }),
        Action::Log => app.overlay = Some(Overlay::Log { up: 0 }),
        Action::Quit => {
            if app.busy() {
                app.overlay = Some(Overlay::Quit);
            } else {
                return leave(app, status(app));
            }
        }
        Action::Interrupt => {
            let running: Vec<JobId> = app.jobs.iter().filter(|j| j.state == JobState::Running).map(|j| j.id).collect();
            if running.is_empty() {
                // Pressed again, whether what runs has stopped or not.
                return leave(app, INTERRUPTED);
            }
            return running.into_iter().flat_map(|id| cancel(app, id)).collect();
        }
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Picture => return vec![Effect::Picture],
        Action::Mouse => {
            app.mouse = !app.mouse;
            app.drag = None;
            app.say(
                if app.mouse {
                    "mouse on: wheel zooms, click focuses, drag zooms into a box"
                } else {
                    "mouse off: the terminal selects text"
                },
                false,
            );
            return vec![Effect::Mouse(app.mouse)];
        }
        Action::Gallery => app.screen = Screen::Gallery,
        _ => {
            return match app.context() {
                Context::Run => pane::on_run(app, action),
                _ => on_gallery(app, action),
            };
        }
    }
    Vec::new()
}

fn on_gallery(app: &mut App, action: Action) -> Vec<Effect> {
    let page = isize::from(
        i16::try_from(crate::state::layout::gallery(app.size.0, app.size.1).list.height).unwrap_or(i16::MAX),
    )
    .max(2)
        - 1;
    match action {
        Action::Up => app.gallery.step(-1),
        Action::Down => app.gallery.step(1),
        Action::PageUp => app.gallery.step(-page),
        Action::PageDown => app.gallery.step(page),
        Action::Home => app.gallery.step(isize::MIN / 2),
        Action::End => app.gallery.step(isize::MAX / 2),
        Action::Left => app.gallery.scroll = app.gallery.scroll.saturating_sub(3),
        Action::Right => app.gallery.scroll += 3,
        Action::Search => app.gallery.typing = true,
        Action::Mark => {
            app.gallery.toggle_mark();
            app.gallery.step(1);
        }
        Action::Run => {
            let sources = app.gallery.to_run();
            if !sources.is_empty() {
                return open(app, sources);
            }
        }
        Action::FocusNext if !app.columns.is_empty() => app.screen = Screen::Run,
        Action::Escape => {
            if !app.gallery.query.is_empty() {
                app.gallery.query.clear();
                app.gallery.filter();
            } else if !app.gallery.marked.is_empty() {
                app.gallery.marked.clear();
            } else if !app.columns.is_empty() {
                app.screen = Screen::Run;
            }
        }
        _ => {}
    }
    app.gallery.ask_preview().into_iter().collect()
}

/// New columns in place of those that are there.
pub fn open(app: &mut App, sources: Vec<Source>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for id in app.columns.iter().map(|c| c.job).collect::<Vec<_>>() {
        effects.extend(cancel(app, id));
    }
    app.columns.clear();
    app.views.clear();
    app.cross.clear();
    (app.time_view, app.pane, app.column) = (None, None, 0);
    (app.playing, app.moment) = (false, None);
    (app.frozen, app.cross_on, app.extent) = (false, false, crate::state::layout::Extent::Shared);
    app.screen = Screen::Run;
    for source in sources {
        let job = start(app, &source, &mut effects);
        let (label, path) = (source.label(), None);
        app.columns.push(Column {
            source,
            label,
            job,
            path,
            changed: false,
            time: None,
            content: None,
            waiting: None,
            error: None,
        });
    }
    effects.push(watch(app));
    effects
}

/// Starts a job for a source.
pub fn start(app: &mut App, source: &Source, effects: &mut Vec<Effect>) -> JobId {
    let id = app.next_job;
    app.next_job += 1;
    app.jobs.push(Job { id, label: source.label(), state: JobState::Running, progress: None });
    effects.push(Effect::Start(id, source.clone()));
    id
}

/// Asks a job to stop, if it still works.
pub fn cancel(app: &mut App, id: JobId) -> Vec<Effect> {
    match app.jobs.iter_mut().find(|j| j.id == id && j.state == JobState::Running) {
        Some(job) => {
            job.state = JobState::Stopping;
            vec![Effect::Cancel(id)]
        }
        None => Vec::new(),
    }
}

/// The files that are to be watched now.
pub fn watch(app: &App) -> Effect {
    let mut paths: Vec<PathBuf> = app.columns.iter().filter_map(|c| c.path.clone()).collect();
    paths.sort();
    paths.dedup();
    Effect::Watch(paths)
}

/// Exit status of Ctrl-C: 128 and the number of SIGINT.
const INTERRUPTED: i32 = 130;
/// What the command line named was refused.
const REFUSED: i32 = 2;

/// Exit status when somebody leaves: scripts are told what the screen said, that a named scenario or run was refused.
pub fn status(app: &App) -> i32 {
    let refused = |c: &Column| c.error.is_some() && app.named.contains(&c.source);
    if app.columns.iter().any(refused) { REFUSED } else { 0 }
}

fn leave(app: &mut App, code: i32) -> Vec<Effect> {
    let running: Vec<JobId> = app.jobs.iter().filter(|j| j.active()).map(|j| j.id).collect();
    let mut effects: Vec<Effect> = running.into_iter().flat_map(|id| cancel(app, id)).collect();
    effects.push(Effect::Quit(code));
    effects
}

fn on_job(app: &mut App, id: JobId, told: Told, effects: &mut Vec<Effect>) {
    let frozen = app.frozen;
    let shown = app.columns.iter().position(|c| c.job == id);
    let label = shown.map_or_else(String::new, |i| app.columns[i].label.clone());
    let Some(job) = app.jobs.iter_mut().find(|j| j.id == id) else {
        app.dirty = false;
        return;
    };
    match told {
        Told::Resolved { label, path, time } => {
            job.label.clone_from(&label);
            if let Some(i) = shown {
                let column = &mut app.columns[i];
                (column.label, column.path, column.changed) = (label, path, false);
                column.time = time.or(column.time);
                effects.push(watch(app));
            }
        }
        Told::Progress(progress) => job.progress = Some(progress),
        Told::Live(content) => {
            app.dirty = shown.is_some() && !frozen;
            if let Some(i) = shown {
                show(app, i, content);
            }
        }
        Told::Log(text) => app.note(if label.is_empty() { text } else { format!("{label}: {text}") }, false),
        Told::Done(content) => {
            job.state = match content.status {
                Some(Status::Interrupted) => JobState::Stopped,
                Some(Status::Failed) => JobState::Failed(content.failure.clone().unwrap_or_default()),
                _ => JobState::Done,
            };
            let state = job.state.clone();
            for warning in &content.warnings {
                app.note(format!("{}: {warning}", content.label), false);
            }
            let failed = content.checks.iter().filter(|c| !c.passed).count();
            match state {
                JobState::Failed(why) => app.say(format!("{}: {why}", content.label), true),
                JobState::Stopped => app.say(format!("{}: stopped; what was computed is shown", content.label), false),
                _ if failed > 0 => {
                    app.say(
                        format!(
                            "{}: {failed} of {} expectations failed (pane Run)",
                            content.label,
                            content.checks.len()
                        ),
                        true,
                    );
                }
                _ => {}
            }
            if let Some(i) = shown {
                app.columns[i].error = None;
                if let Some(run) = &content.finished {
                    let w = run.recording.window;
                    if w.stop > w.start {
                        app.columns[i].time = Some((w.start, w.stop))
                            .filter(|_| content.status != Some(Status::Interrupted))
                            .or(app.columns[i].time);
                    }
                }
                show(app, i, content);
            }
        }
        Told::Failed(why) => {
            job.state = if job.state == JobState::Stopping { JobState::Stopped } else { JobState::Failed(why.clone()) };
            let stopped = job.state == JobState::Stopped;
            if let Some(i) = shown.filter(|_| !stopped) {
                app.columns[i].error = Some(why.clone());
            }
            app.say(why, !stopped);
        }
    }
}

/// New results in a column; while the picture is frozen they wait.
fn show(app: &mut App, column: usize, content: Arc<Content>) {
    if app.frozen {
        app.columns[column].waiting = Some(content);
        return;
    }
    let old = app.columns[column].content.replace(content);
    // What was played is gone; a plane of another column plays on.
    if old.is_some_and(|c| c.panes.iter().any(|p| p.movie.is_some())) {
        (app.playing, app.moment) = (false, None);
    }
    if app.pane.is_none() {
        app.pane = app.pane_keys().first().map(|k| (*k).to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{app, content, key, press};

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
        let old = app.columns[0].job;
        update(&mut app, Message::Job(old, Told::Done(Arc::new(content("first", 1.0)))));
        update(&mut app, key("r"));
        assert_ne!(app.columns[0].job, old);
        update(&mut app, Message::Job(old, Told::Done(Arc::new(content("stale", 9.0)))));
        assert_eq!(app.columns[0].content.as_ref().unwrap().label, "first");
        let new = app.columns[0].job;
        update(&mut app, Message::Job(new, Told::Done(Arc::new(content("second", 2.0)))));
        assert_eq!(app.columns[0].content.as_ref().unwrap().label, "second");
    }

    #[test]
    fn freezing_holds_the_picture_and_not_the_run() {
        let mut app = app((120, 40));
        update(&mut app, key("enter"));
        let job = app.columns[0].job;
        update(&mut app, Message::Job(job, Told::Live(Arc::new(content("early", 1.0)))));
        update(&mut app, key("space"));
        app.dirty = false;
        update(&mut app, Message::Job(job, Told::Live(Arc::new(content("late", 2.0)))));
        assert!(!app.dirty, "a frozen picture is not drawn again");
        assert_eq!(app.columns[0].content.as_ref().unwrap().label, "early");
        update(&mut app, key("space"));
        assert_eq!(app.columns[0].content.as_ref().unwrap().label, "late");
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
        let job = app.columns[0].job;
        update(&mut app, Message::Job(job, Told::Failed("cancelled".into())));
        assert_eq!(app.jobs[0].state, JobState::Stopped);
        assert!(matches!(update(&mut app, key("q"))[..], [Effect::Quit(0)]));
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

    #[test]
    fn a_changed_file_is_told_and_reloaded() {
        let mut app = app((120, 40));
        update(&mut app, key("enter"));
        let job = app.columns[0].job;
        let path = PathBuf::from("/tmp/a.toml");
        let told = Told::Resolved { label: "a".into(), path: Some(path.clone()), time: Some((0.0, 1000.0)) };
        let effects = update(&mut app, Message::Job(job, told));
        assert!(matches!(&effects[..], [Effect::Watch(p)] if p == std::slice::from_ref(&path)));
        update(&mut app, Message::FileChanged(path));
        assert!(app.columns[0].changed);
        let effects = update(&mut app, key("R"));
        assert!(effects.iter().any(|e| matches!(e, Effect::Start(..))));
        assert!(!app.columns[0].changed);
    }
}
