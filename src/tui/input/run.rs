//! Commands of the run view: which pane and column, what is run, shown and written.

use std::sync::Arc;

use crate::input::bench::restart;
use crate::input::{panel, play};
use crate::state::app::{App, Screen};
use crate::state::bench::with;
use crate::state::columns::Column;
use crate::state::compare::Order;
use crate::state::layout::Extent;
use crate::state::message::Effect;
use crate::state::overlay::{Overlay, PointRow};
use crate::state::source::{Asked, Source};
use crate::state::view::Views;
use crate::{describe, readout};
use spikedeck_run::Plan;

/// New columns in place of those that are there.
pub fn open(app: &mut App, sources: Vec<Source>) -> Vec<Effect> {
    let shown: Vec<_> = app.columns.list().iter().map(|c| c.job).collect();
    let mut effects: Vec<Effect> = shown.into_iter().filter_map(|id| app.jobs.cancel(id)).collect();
    let mut columns = Vec::new();
    for source in sources {
        let (job, start) = app.jobs.start(&source);
        effects.push(start);
        columns.push(Column::new(source, job));
    }
    app.columns.replace(columns);
    app.views = Views::default();
    (app.playing, app.moment) = (false, None);
    app.extent = Extent::Shared;
    app.panel = None;
    app.screen = Screen::Run;
    effects.push(app.columns.watch());
    effects
}

/// Focuses the next pane.
pub fn focus_next(app: &mut App) {
    focus_by(app, 1);
}

/// Focuses the previous pane.
pub fn focus_previous(app: &mut App) {
    focus_by(app, -1);
}

fn focus_by(app: &mut App, by: isize) {
    let panes = app.columns.keys().len() as isize;
    if panes > 0 {
        app.columns.focus_pane((app.columns.pane_index() as isize + by).rem_euclid(panes) as usize);
    }
}

/// Focuses the pane of a number, if there is one.
pub fn focus_pane(app: &mut App, number: usize) {
    if let Some(index) = number.checked_sub(1) {
        app.columns.focus_pane(index);
    }
}

/// Focuses the same pane in the next column.
pub fn next_column(app: &mut App) {
    if !app.columns.is_empty() {
        app.columns.focus_column((app.columns.focus() + 1) % app.columns.len());
    }
}

/// The pane takes the whole height, then the whole screen, then its place again.
pub fn maximise(app: &mut App) {
    app.extent = match app.extent {
        Extent::Shared if app.columns.len() > 1 => Extent::Row,
        Extent::Shared | Extent::Row => Extent::Whole,
        Extent::Whole => Extent::Shared,
    }
}

/// Stops the run of the focused column; else what plays; else the crosshair; else back to where one came from.
pub fn escape(app: &mut App) -> Vec<Effect> {
    if panel::escape(app) {
        return Vec::new();
    }
    if let Some(id) = app.job_of(app.columns.focus()).filter(|j| j.active()).map(|j| j.id) {
        let focus = app.columns.focus();
        if let Some(column) = app.columns.get_mut(focus) {
            column.bench.again = false;
        }
        return app.jobs.cancel(id).into_iter().collect();
    }
    let focus = app.columns.focus();
    if let Some(column) = app.columns.get_mut(focus).filter(|c| c.content().is_some() && c.error.is_some()) {
        // It was read; what is shown is still of before.
        column.error = None;
        return Vec::new();
    }
    if app.playing || app.moment.is_some() {
        play::end(app);
    } else if app.views.cross_on {
        app.views.cross_on = false;
    } else if app.extent == Extent::Shared {
        app.screen = Screen::Gallery;
        return app.ask_preview();
    } else {
        app.extent = Extent::Shared;
    }
    Vec::new()
}

/// Stops what plays, or holds the picture, or lets go of it.
pub fn freeze(app: &mut App) {
    if !std::mem::take(&mut app.playing) {
        app.columns.freeze(!app.columns.frozen());
    }
}

/// Runs the focused column again, from its file as it is now.
pub fn rerun(app: &mut App) -> Vec<Effect> {
    restart(app, app.columns.focus())
}

/// Takes the focused column away and stops what it runs.
pub fn close_column(app: &mut App) -> Vec<Effect> {
    let Some(gone) = app.columns.remove_focused() else { return Vec::new() };
    let mut effects: Vec<Effect> = app.jobs.cancel(gone.job).into_iter().collect();
    if app.columns.is_empty() {
        app.screen = Screen::Gallery;
    }
    effects.push(app.columns.watch());
    effects
}

/// Shows the metrics of all columns side by side.
pub fn difference(app: &mut App) {
    if app.columns.len() < 2 {
        app.say(
            "differences need two columns: mark two scenarios in the gallery (g, then c on each, then Enter)",
            false,
        );
    } else {
        app.overlay = Some(Overlay::Difference { query: String::new(), scroll: 0, order: Order::default() });
    }
}

/// Whether the focused column shows a sweep.
pub fn is_swept(app: &App) -> bool {
    let finished = app.columns.focused().and_then(|c| c.content()?.finished.as_deref());
    finished.and_then(|f| f.spec.as_ref()).is_some_and(|s| s.sweep.is_some())
}

/// Lists the points of the focused column's sweep; the one under the crosshair, if it is there, is chosen.
pub fn points(app: &mut App) {
    let Some(spec) = app.columns.focused().and_then(|c| c.content()?.finished.as_ref()?.spec.clone()) else {
        app.say("points can be opened when a sweep is over", false);
        return;
    };
    if app.columns.focused().is_none_or(|c| c.source.asked().is_none()) {
        app.say("the points of a finished run are not run again: open its scenario", false);
        return;
    }
    let plan = match Plan::of(&spec) {
        Ok(plan) if spec.sweep.is_some() => plan,
        Ok(_) => {
            app.say("this is no sweep: v shows the parameters, and s there runs several values of one", false);
            return;
        }
        Err(why) => {
            app.say(why.to_string(), true);
            return;
        }
    };
    let row = |at: usize| Some(PointRow { label: plan.label(at), set: plan.alone(at)? });
    let Some(rows) = (0..plan.len()).map(row).collect::<Option<Vec<PointRow>>>() else {
        app.say("points that a design draws, and trials, cannot be opened one by one", false);
        return;
    };
    let at = app.columns.pane().filter(|_| app.views.cross_on).and_then(|pane| app.crosshair(pane));
    let far = |k: &usize, x: f64| plan.first_value(*k).map_or(f64::INFINITY, |v| (v - x).abs());
    let nearest = at.and_then(|x| (0..rows.len()).min_by(|a, b| far(a, x).total_cmp(&far(b, x))));
    app.overlay = Some(Overlay::Points { rows: Arc::new(rows), query: String::new(), selected: nearest.unwrap_or(0) });
}

/// Opens a point of the focused column's sweep in a column beside it.
pub fn open_point(app: &mut App, point: &PointRow) -> Vec<Effect> {
    let Some(asked) = app.columns.focused().and_then(|c| c.source.asked()) else { return Vec::new() };
    let set = point.set.iter().fold(asked.set.clone(), |set, (path, value)| with(&set, path, value));
    let source = Source::Scenario(Asked { reference: asked.reference.clone(), set });
    let (job, start) = app.jobs.start(&source);
    let mut column = Column::new(source, job);
    column.label = format!("{} {}", column.label, point.label);
    app.columns.add(column);
    vec![start, app.columns.watch()]
}

/// Shows the columns beside each other, laid over each other, less the first, and around.
pub fn together(app: &mut App) {
    if app.columns.len() < 2 {
        app.say("this takes two columns: mark two scenarios in the gallery (g, then c on each, then Enter)", false);
        return;
    }
    let next = app.columns.together().next();
    app.columns.bring_together(next);
    app.say(format!("columns are {}", next.words()), false);
}

/// Shows what can be written of the focused pane.
pub fn export(app: &mut App) {
    if app.columns.pane().is_some() {
        app.overlay = Some(Overlay::Export { selected: 0 });
    }
}

/// Copies the values at the crosshair, or the table of the focused pane.
pub fn copy(app: &mut App) -> Vec<Effect> {
    let Some(pane) = app.columns.pane() else { return Vec::new() };
    let text = match readout::of(app, pane) {
        Some(lines) if app.views.cross_on => lines.join("\n"),
        _ => describe::table(pane),
    };
    vec![Effect::Copy(text)]
}

/// Back to the gallery; what is open stays.
pub fn gallery(app: &mut App) {
    app.screen = Screen::Gallery;
}

/// Whether each column fits its own data, or all have the same scales.
pub fn scales(app: &mut App) {
    if app.columns.len() < 2 {
        app.say("there is one run: its scales are its own", false);
        return;
    }
    if app.columns.combined().is_some() {
        app.say("the runs stand in one pane, and share its scales (`o` puts them side by side)", false);
        return;
    }
    app.views.free = !app.views.free;
    let words = if app.views.free { "each column has scales of its own" } else { "all columns have the same scales" };
    app.say(words, false);
}
