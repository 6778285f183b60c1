//! What becomes of changes: they are understood first, then taken, then run; the newest wins.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::input::panel::lengthen;
use crate::state::app::App;
use crate::state::bench::{AskId, Kind, Refused, Want, with, without};
use crate::state::columns::QUICK;
use crate::state::message::Effect;
use crate::state::panel::Typing;
use crate::state::source::{Asked, Source};
use spikedeck_scenario::Adjustable;

/// Asks whether the scenario of a column can be understood with other settings.
pub fn ask(app: &mut App, index: usize, want: Want) -> Vec<Effect> {
    let id = app.asks + 1;
    let Some(column) = app.columns.get_mut(index) else { return Vec::new() };
    let Some(reference) = column.source.asked().map(|a| a.reference.clone()) else { return Vec::new() };
    match column.bench.ask(want, id) {
        Some((id, set)) => {
            app.asks = id;
            vec![Effect::Understand(id, Asked { reference, set })]
        }
        None => Vec::new(),
    }
}

/// Asks for another value at a path of the focused column; without one, for what holds where nothing is set.
pub fn ask_change(app: &mut App, path: &str, value: Option<String>, slides: bool, run: bool) -> Vec<Effect> {
    let focus = app.columns.focus();
    let Some(column) = app.columns.get(focus) else { return Vec::new() };
    let Some(asked) = column.source.asked() else { return Vec::new() };
    let now = column.bench.newest(&asked.set);
    let set = match value {
        Some(value) => with(now, path, &value),
        None => without(now, path),
    };
    ask(app, focus, Want { set, kind: Kind::Change { path: path.to_owned(), slides }, run })
}

/// An answer: the change is taken and run, or refused at its value; then the newest that waits is asked.
pub fn understood(app: &mut App, id: AskId, answer: Result<Arc<Vec<Adjustable>>, String>) -> Vec<Effect> {
    let found = (0..app.columns.len()).find_map(|i| Some((i, app.columns.get_mut(i)?.bench.answered(id)?)));
    let Some((index, want)) = found else {
        app.dirty = false;
        return Vec::new();
    };
    let mut effects = Vec::new();
    let taken = answer.is_ok();
    match answer {
        Ok(list) => {
            let Some(column) = app.columns.get_mut(index) else { return effects };
            let Source::Scenario(asked) = &mut column.source else { return effects };
            let changed = column.bench.accept(&want, list, &mut asked.set);
            let longer = column.bench.longer;
            if want.run {
                close_typing(app);
                effects.extend(go(app, index, true));
            } else if changed {
                effects.extend(go(app, index, false));
            }
            if longer {
                effects.extend(lengthen(app, index));
            }
        }
        Err(why) => refuse(app, index, &want, why),
    }
    let Some(column) = app.columns.get_mut(index) else { return effects };
    if let Some(mut next) = column.bench.take_next() {
        if !taken && let (Kind::Change { path, .. }, Some(asked)) = (&next.kind, column.source.asked()) {
            // It was built on what has been refused.
            let value = next.set.iter().rev().find(|(p, _)| p == path).map(|(_, v)| v.clone());
            next.set = match value {
                Some(value) => with(&asked.set, path, &value),
                // A reset of everything is built on what the column began with.
                None if path.is_empty() => next.set,
                None => without(&asked.set, path),
            };
        }
        effects.extend(ask(app, index, next));
    }
    effects
}

fn close_typing(app: &mut App) {
    if let Some(panel) = &mut app.panel {
        panel.typing.take_if(|t| matches!(t.0, Typing::Value | Typing::Sweep | Typing::Seeds));
    }
}

/// Whether the panel shows what is known of the value at `path` of a column.
fn is_shown(app: &App, index: usize, path: &str) -> bool {
    let panel = app.panel.as_ref().filter(|_| app.columns.focus() == index);
    let chosen = panel.zip(app.columns.focused()).and_then(|(panel, column)| panel.chosen(&column.bench));
    chosen.is_some_and(|value| value.path == path)
}

/// What cannot be understood changes nothing: it is said where it was asked for, and in a notice where no panel shows
/// that place.
fn refuse(app: &mut App, index: usize, want: &Want, why: String) {
    let is_shown = matches!(&want.kind, Kind::Change { path, .. } if is_shown(app, index, path));
    let Some(column) = app.columns.get_mut(index) else { return };
    column.bench.longer = false;
    match &want.kind {
        Kind::Change { path, .. } => {
            let value = want.set.iter().rev().find(|(p, _)| p == path).map(|(_, v)| v.clone());
            column.bench.refused = Some(Refused { path: path.clone(), value, why: why.clone() });
            if is_shown {
                app.log.note(why, true);
            } else {
                app.say(why, true);
            }
        }
        Kind::Look if want.run => {
            let label = column.label.clone();
            column.error = Some(why);
            app.say(format!("{label} is wrong as it is now; what is shown is of before"), true);
        }
        Kind::Look | Kind::Undo | Kind::Redo => app.say(why, true),
    }
}

/// Runs a column with its settings as they are now: at once if that is wanted, else if it takes little. What runs and
/// takes little goes on to its end first, so that a held key is seen on its way.
pub fn go(app: &mut App, index: usize, at_once: bool) -> Vec<Effect> {
    let Some(column) = app.columns.get(index) else { return Vec::new() };
    let is_quick = column.cost().is_some_and(|c| c < QUICK);
    if !at_once && !is_quick {
        return Vec::new();
    }
    let job = app.job_of(index).filter(|j| j.active());
    let has_long = |left: Duration| left.as_secs_f64() > QUICK;
    let goes_on = job.is_some_and(|j| !j.progress.eta.is_some_and(has_long));
    if goes_on && !at_once {
        if let Some(column) = app.columns.get_mut(index) {
            column.bench.again = true;
        }
        return Vec::new();
    }
    restart(app, index)
}

/// Stops what a column runs, and runs it as it is now.
pub fn restart(app: &mut App, index: usize) -> Vec<Effect> {
    let Some(column) = app.columns.get_mut(index) else { return Vec::new() };
    let mut effects: Vec<Effect> = app.jobs.cancel(column.job).into_iter().collect();
    let (job, start) = app.jobs.start(&column.source);
    column.restarted(job);
    effects.push(start);
    effects
}

/// A scenario was written to a file: the column is of that file from now on, with nothing changed in it.
pub fn saved(app: &mut App, asked: &Asked, file: Result<PathBuf, String>, edit: bool) -> Vec<Effect> {
    let path = match file {
        Ok(path) => path,
        Err(why) => {
            app.say(why, true);
            return Vec::new();
        }
    };
    if let Some(panel) = &mut app.panel {
        panel.typing.take_if(|t| matches!(t.0, Typing::File { .. }));
    }
    for index in 0..app.columns.len() {
        let Some(column) = app.columns.get_mut(index).filter(|c| c.source.asked() == Some(asked)) else { continue };
        // A path without a folder is no name of a built-in scenario.
        let reference = path.display().to_string();
        column.source = Source::Scenario(reference.into());
        column.label = column.source.label();
        column.path = Some(path.clone());
        column.bench = column.bench.of_file();
    }
    app.say(format!("written: {}; from now on this column is that file", path.display()), false);
    let mut effects = vec![app.columns.watch()];
    if edit {
        effects.push(Effect::Edit(path));
    }
    effects
}
