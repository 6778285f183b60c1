//! Commands of the run view: focus, zoom, crosshair, columns.

use crate::input::commands::Action;
use crate::input::play;
use crate::panes::content::Pane;
use crate::state::app::{App, LINKED, Overlay, Screen};
use crate::state::layout::Extent;
use crate::state::message::Effect;
use crate::state::view::Range;
use crate::update::{cancel, start, watch};
use crate::{describe, readout};
use spikedeck_plot::view::{pan, zoom};
use spikedeck_signal::{Scale, Shape};

/// Does a command of the run view.
pub fn on_run(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::FocusNext => focus_by(app, 1),
        Action::FocusPrevious => focus_by(app, -1),
        Action::NextColumn => {
            if !app.columns.is_empty() {
                app.column = (app.column + 1) % app.columns.len();
            }
        }
        Action::Pane(n) => {
            let keys = app.pane_keys();
            if let Some(k) = keys.get(usize::from(n) - 1) {
                app.pane = Some((*k).to_owned());
            }
        }
        Action::Maximise => {
            app.extent = match app.extent {
                Extent::Shared if app.columns.len() > 1 => Extent::Row,
                Extent::Shared | Extent::Row => Extent::Whole,
                Extent::Whole => Extent::Shared,
            }
        }
        Action::Escape => return escape(app),
        Action::Freeze => freeze(app),
        Action::Play => play::toggle(app),
        Action::StepOn => play::step(app, 1),
        Action::StepBack => play::step(app, -1),
        Action::Rerun | Action::Reload => return rerun(app),
        Action::CloseColumn => return close(app),
        Action::Difference => {
            if app.columns.len() < 2 {
                app.say(
                    "differences need two columns: mark two scenarios in the gallery (g, then c on each, then Enter)",
                    false,
                );
            } else {
                app.overlay = Some(Overlay::Difference { scroll: 0 });
            }
        }
        Action::Export => {
            if app.focused().is_some() {
                app.overlay = Some(Overlay::Export { selected: 0 });
            }
        }
        Action::Copy => return copy(app),
        _ => on_pane(app, action),
    }
    Vec::new()
}

fn focus_by(app: &mut App, by: isize) {
    let keys = app.pane_keys();
    if !keys.is_empty() {
        let n = keys.len() as isize;
        let next = (app.pane_index() as isize + by).rem_euclid(n) as usize;
        app.pane = Some(keys[next].to_owned());
    }
}

fn escape(app: &mut App) -> Vec<Effect> {
    if let Some(id) = app.job_of(app.column).filter(|j| j.active()).map(|j| j.id) {
        return cancel(app, id);
    }
    if app.playing || app.moment.is_some() {
        play::end(app);
    } else if app.cross_on {
        app.cross_on = false;
    } else if app.extent == Extent::Shared {
        app.screen = Screen::Gallery;
        return app.gallery.ask_preview().into_iter().collect();
    } else {
        app.extent = Extent::Shared;
    }
    Vec::new()
}

fn freeze(app: &mut App) {
    if std::mem::take(&mut app.playing) {
        return;
    }
    app.frozen = !app.frozen;
    if !app.frozen {
        for column in &mut app.columns {
            if let Some(content) = column.waiting.take() {
                column.content = Some(content);
            }
        }
    }
}

fn rerun(app: &mut App) -> Vec<Effect> {
    let Some(column) = app.columns.get(app.column) else { return Vec::new() };
    let (source, old) = (column.source.clone(), column.job);
    let mut effects = cancel(app, old);
    let job = start(app, &source, &mut effects);
    let column = &mut app.columns[app.column];
    (column.job, column.changed, column.error, column.waiting) = (job, false, None, None);
    effects
}

fn close(app: &mut App) -> Vec<Effect> {
    if app.columns.is_empty() {
        return Vec::new();
    }
    let gone = app.columns.remove(app.column);
    let mut effects = cancel(app, gone.job);
    app.column = app.column.min(app.columns.len().saturating_sub(1));
    if app.columns.is_empty() {
        app.screen = Screen::Gallery;
    }
    effects.push(watch(app));
    effects
}

fn copy(app: &mut App) -> Vec<Effect> {
    let Some(pane) = app.focused() else { return Vec::new() };
    let text = match readout::of(app, pane) {
        Some(lines) if app.cross_on => lines.join("\n"),
        _ => describe::table(pane),
    };
    vec![Effect::Copy(text)]
}

/// What a command does to the focused pane's view.
fn on_pane(app: &mut App, action: Action) {
    let Some(pane) = app.focused().cloned() else { return };
    if pane.is_text() {
        scroll(app, &pane, action);
        return;
    }
    if action == Action::Unlink {
        if pane.is_time() {
            let view = app.views.entry(pane.key.clone()).or_default();
            view.unlinked = !view.unlinked;
            let text =
                if view.unlinked { "this time axis moves alone" } else { "this time axis moves with the others" };
            app.say(text, false);
        }
        return;
    }
    let Some(((x, x_log), (y, y_log))) = app.ranges(&pane) else { return };
    let linked = app.linked(&pane);
    let middle = |r: Range, log: bool| if log && r.0 > 0.0 { (r.0 * r.1).sqrt() } else { f64::midpoint(r.0, r.1) };
    match action {
        Action::ZoomIn | Action::ZoomOut => {
            let cross =
                app.cross.get(app.cross_key(&pane, linked)).copied().filter(|c| app.cross_on && *c >= x.0 && *c <= x.1);
            let about = cross.unwrap_or_else(|| middle(x, x_log));
            set_x(app, &pane, zoom(x, x_log, about, if action == Action::ZoomIn { 0.5 } else { 2.0 }));
        }
        Action::Left | Action::Right if app.cross_on => {
            let by = if action == Action::Left { -1.0 } else { 1.0 };
            step_cross(app, &pane, x, x_log, by);
        }
        Action::Left => set_x(app, &pane, pan(x, x_log, -0.2)),
        Action::Right => set_x(app, &pane, pan(x, x_log, 0.2)),
        Action::Up | Action::Down => {
            let up = if action == Action::Up { 0.15 } else { -0.15 };
            let rows = matches!(pane.shape.shape, Shape::Raster(_) | Shape::Matrix(_));
            set_y(app, &pane, pan(y, y_log, if rows { -up } else { up }));
        }
        Action::PageUp => set_y(app, &pane, zoom(y, y_log, middle(y, y_log), 0.5)),
        Action::PageDown => set_y(app, &pane, zoom(y, y_log, middle(y, y_log), 2.0)),
        Action::Home | Action::End => {
            let Some(whole) = app.whole_time().filter(|_| linked) else { return };
            let length = x.1 - x.0;
            set_x(
                app,
                &pane,
                if action == Action::Home { (whole.0, whole.0 + length) } else { (whole.1 - length, whole.1) },
            );
        }
        Action::Fit => {
            remember(app, &pane);
            let view = app.views.entry(pane.key.clone()).or_default();
            (view.x, view.y) = (None, None);
            if linked {
                app.time_view = None;
            }
        }
        Action::UndoZoom => match app.views.get_mut(&pane.key).and_then(crate::state::view::View::undo) {
            Some((x, y)) => {
                if linked {
                    app.time_view = x;
                }
                let view = app.views.entry(pane.key.clone()).or_default();
                view.y = y;
                if !linked {
                    view.x = x;
                }
            }
            None => app.say("nothing to undo in this pane", false),
        },
        Action::LogAxis => {
            let chosen = app.views.get(&pane.key);
            let own = |log: bool, changed: bool| if log == changed { Scale::Linear } else { Scale::Log };
            let (fx, fy) = (chosen.is_some_and(|v| v.x_scale.is_some()), chosen.is_some_and(|v| v.y_scale.is_some()));
            let (sx, sy) = (own(x_log, fx), own(y_log, fy));
            app.views.entry(pane.key.clone()).or_default().next_scale(sx, sy);
        }
        Action::Crosshair => {
            app.cross_on = !app.cross_on;
            if app.cross_on {
                let key = app.cross_key(&pane, linked).to_owned();
                let at =
                    app.cross.get(&key).copied().filter(|c| *c >= x.0 && *c <= x.1).unwrap_or_else(|| middle(x, x_log));
                let at = readout::snap(&pane, at, 0.0).unwrap_or(at);
                app.cross.insert(key, at);
            }
        }
        Action::NextEvent | Action::PreviousEvent => {
            let key = app.cross_key(&pane, linked).to_owned();
            let from = app.cross.get(&key).copied().filter(|_| app.cross_on).unwrap_or(x.0);
            let forward = action == Action::NextEvent;
            match readout::event(&pane, from, forward) {
                Some(at) => {
                    app.cross_on = true;
                    app.cross.insert(key, at);
                    follow(app, &pane, at, x);
                }
                None => app.say(if forward { "no event after this" } else { "no event before this" }, false),
            }
        }
        _ => {}
    }
}

/// Moves the crosshair by one column of cells, to the nearest sample on that side.
fn step_cross(app: &mut App, pane: &Pane, x: Range, x_log: bool, by: f64) {
    let linked = app.linked(pane);
    let key = app.cross_key(pane, linked).to_owned();
    let cells = app
        .layout()
        .columns
        .iter()
        .filter(|c| c.column == app.column)
        .flat_map(|c| &c.panes)
        .find(|p| p.pane == app.pane_index())
        .map_or(60.0, |p| f64::from(p.area.width.saturating_sub(8).max(8)));
    let now = app.cross.get(&key).copied().unwrap_or(x.0);
    let (low, high) = pan((x.0, x.1), x_log, by / cells);
    let wanted = if x_log && x.0 > 0.0 && now > 0.0 { now * (low / x.0) } else { now + (low - x.0) };
    let step = (wanted - now).abs().min((high - low).abs());
    let at = readout::snap(pane, wanted, by).unwrap_or(wanted);
    // Where samples are sparser than cells, the next sample is the step.
    let at = if (at - now) * by > 0.0 { at } else { readout::snap(pane, now + by * step, by).unwrap_or(wanted) };
    let at = if linked { app.whole_time().map_or(at, |w| at.clamp(w.0, w.1)) } else { at };
    app.cross.insert(key, at);
    follow(app, pane, at, x);
}

/// Keeps the crosshair in view.
fn follow(app: &mut App, pane: &Pane, at: f64, x: Range) {
    if at < x.0 || at > x.1 {
        let half = (x.1 - x.0) / 2.0;
        set_x(app, pane, (at - half, at + half));
    }
}

fn scroll(app: &mut App, pane: &Pane, action: Action) {
    let most = hidden_rows(app, pane);
    let view = app.views.entry(pane.key.clone()).or_default();
    view.scroll = match action {
        Action::Up => view.scroll.saturating_sub(1),
        Action::Down => view.scroll + 1,
        Action::PageUp => view.scroll.saturating_sub(10),
        Action::PageDown => view.scroll + 10,
        Action::Home | Action::Fit => 0,
        Action::End => most,
        _ => view.scroll,
    }
    .min(most);
}

/// Rows of a text pane that do not fit on the screen.
fn hidden_rows(app: &App, pane: &Pane) -> usize {
    let index = app.pane_index();
    let Some(inner) = app
        .layout()
        .columns
        .iter()
        .flat_map(|c| &c.panes)
        .find(|p| p.pane == index)
        .map(crate::state::layout::PlacedPane::inner)
    else {
        return 0;
    };
    let scene = spikedeck_plot::scene::with_pyramids(&pane.shape, &spikedeck_plot::View::default(), &pane.pyramids);
    let picture = spikedeck_plot::cells::render(&scene, usize::from(inner.width), usize::from(inner.height), &app.look);
    picture.content_rows.saturating_sub(usize::from(inner.height))
}

fn remember(app: &mut App, pane: &Pane) {
    let linked = app.linked(pane);
    let time = app.time_view;
    let view = app.views.entry(pane.key.clone()).or_default();
    let x = if linked { time } else { view.x };
    let y = view.y;
    view.remember(x, y);
}

/// Sets the x range of a pane, and of all that are linked with it.
pub fn set_x(app: &mut App, pane: &Pane, x: Range) {
    remember(app, pane);
    if app.linked(pane) {
        let x = app.inside_time(x);
        app.time_view = Some(x).filter(|x| app.whole_time() != Some(*x));
    } else {
        app.views.entry(pane.key.clone()).or_default().x = Some(x);
    }
}

/// Sets the y range of a pane.
pub fn set_y(app: &mut App, pane: &Pane, y: Range) {
    remember(app, pane);
    app.views.entry(pane.key.clone()).or_default().y = Some(y);
}

/// Sets the crosshair of a pane.
pub fn set_cross(app: &mut App, pane: &Pane, x: f64) {
    let linked = app.linked(pane);
    let key = if linked { LINKED.to_owned() } else { pane.key.clone() };
    app.cross.insert(key, readout::snap(pane, x, 0.0).unwrap_or(x));
}
