//! Commands that change what the focused pane shows: zoom, scroll, scales, crosshair.

use crate::input::motion::Motion;
use crate::panes::pane::{Pane, Ranges};
use crate::readout;
use crate::state::app::App;
use crate::state::layout::PlacedPane;
use crate::state::view::Range;
use spikedeck_plot::view::{pan, zoom};
use spikedeck_signal::Scale;

/// The focused pane and what it shows, if it has axes.
fn focused(app: &App) -> Option<(Pane, Ranges)> {
    let pane = app.columns.pane()?;
    Some((pane.clone(), app.ranges(pane)?))
}

/// The same for a command that needs axes: where there are none that is said.
fn with_axes(app: &mut App) -> Option<(Pane, Ranges)> {
    let found = focused(app);
    if found.is_none() && app.columns.pane().is_some() {
        app.say("this pane has no axes: it is text, which the arrows scroll", false);
    }
    found
}

fn middle(range: Range, log: bool) -> f64 {
    if log && range.0 > 0.0 { (range.0 * range.1).sqrt() } else { f64::midpoint(range.0, range.1) }
}

/// Half the range.
pub fn zoom_in(app: &mut App) {
    zoom_x(app, 0.5);
}

/// Twice the range.
pub fn zoom_out(app: &mut App) {
    zoom_x(app, 2.0);
}

/// Zooms about the crosshair if it is in sight, else about the middle.
fn zoom_x(app: &mut App, factor: f64) {
    let Some((pane, now)) = with_axes(app) else { return };
    let cross = app.crosshair(&pane).filter(|c| app.views.cross_on && *c >= now.x.0 && *c <= now.x.1);
    let about = cross.unwrap_or_else(|| middle(now.x, now.x_log));
    app.set_x(&pane, zoom(now.x, now.x_log, about, factor));
}

/// Scrolls text; moves the crosshair or the axes of a plot.
pub fn moved(app: &mut App, motion: Motion) {
    let Some(pane) = app.columns.pane().cloned() else { return };
    if pane.is_text() {
        scroll(app, &pane, |now, last| match motion {
            Motion::Up => now.saturating_sub(1),
            Motion::Down => now + 1,
            Motion::PageUp => now.saturating_sub(10),
            Motion::PageDown => now + 10,
            Motion::Home => 0,
            Motion::End => last,
            Motion::Left | Motion::Right => now,
        });
        return;
    }
    let Some(now) = app.ranges(&pane) else { return };
    let up = if pane.has_rows() { -0.15 } else { 0.15 };
    match motion {
        Motion::Left if app.views.cross_on => step_crosshair(app, &pane, &now, -1.0),
        Motion::Right if app.views.cross_on => step_crosshair(app, &pane, &now, 1.0),
        Motion::Left => app.set_x(&pane, pan(now.x, now.x_log, -0.2)),
        Motion::Right => app.set_x(&pane, pan(now.x, now.x_log, 0.2)),
        Motion::Up => app.set_y(&pane, pan(now.y, now.y_log, up)),
        Motion::Down => app.set_y(&pane, pan(now.y, now.y_log, -up)),
        Motion::PageUp => app.set_y(&pane, zoom(now.y, now.y_log, middle(now.y, now.y_log), 0.5)),
        Motion::PageDown => app.set_y(&pane, zoom(now.y, now.y_log, middle(now.y, now.y_log), 2.0)),
        Motion::Home | Motion::End => {
            let Some(whole) = app.columns.whole_time().filter(|_| app.linked(&pane)) else { return };
            let length = now.x.1 - now.x.0;
            let start = if motion == Motion::Home { whole.0 } else { whole.1 - length };
            let end = if motion == Motion::Home { whole.0 + length } else { whole.1 };
            app.set_x(&pane, (start, end));
        }
    }
}

/// Shows everything; text from its first line.
pub fn fit(app: &mut App) {
    let Some(pane) = app.columns.pane().cloned() else { return };
    if pane.is_text() {
        scroll(app, &pane, |_, _| 0);
    } else {
        app.fit(&pane);
    }
}

/// Back to the ranges before.
pub fn undo_zoom(app: &mut App) {
    let Some((pane, _)) = with_axes(app) else { return };
    if !app.undo_ranges(&pane) {
        app.say("nothing to undo in this pane", false);
    }
}

/// The next of: y logarithmic, x too, only x, as the axes say.
pub fn log_axis(app: &mut App) {
    let Some((pane, now)) = with_axes(app) else { return };
    let view = app.views.of(&pane.key);
    let own = |log: bool, changed: bool| if log == changed { Scale::Linear } else { Scale::Log };
    let (x, y) = (own(now.x_log, view.x_scale.is_some()), own(now.y_log, view.y_scale.is_some()));
    view.next_scale(x, y);
}

/// Whether the time axis moves with the others.
pub fn unlink(app: &mut App) {
    let Some(pane) = app.columns.pane().filter(|p| p.is_time()).cloned() else {
        app.say("this pane has no axis of time", false);
        return;
    };
    let view = app.views.of(&pane.key);
    view.unlinked = !view.unlinked;
    let text = if view.unlinked { "this time axis moves alone" } else { "this time axis moves with the others" };
    app.say(text, false);
}

/// Shows the crosshair or hides it.
pub fn crosshair(app: &mut App) {
    let Some((pane, now)) = with_axes(app) else { return };
    app.views.cross_on = !app.views.cross_on;
    if app.views.cross_on {
        let in_sight = app.crosshair(&pane).filter(|c| *c >= now.x.0 && *c <= now.x.1);
        snap_crosshair(app, &pane, in_sight.unwrap_or_else(|| middle(now.x, now.x_log)));
    }
}

/// Puts the crosshair of a pane on the sample nearest to a place.
pub fn snap_crosshair(app: &mut App, pane: &Pane, x: f64) {
    app.set_crosshair(pane, readout::snap(pane, x, 0.0).unwrap_or(x));
}

/// Crosshair to the next event.
pub fn next_event(app: &mut App) {
    to_event(app, true);
}

/// Crosshair to the event before.
pub fn previous_event(app: &mut App) {
    to_event(app, false);
}

fn to_event(app: &mut App, forward: bool) {
    let Some((pane, now)) = with_axes(app) else { return };
    let from = app.crosshair(&pane).filter(|_| app.views.cross_on).unwrap_or(now.x.0);
    match readout::event(&pane, from, forward) {
        Some(at) => {
            app.views.cross_on = true;
            app.set_crosshair(&pane, at);
            follow(app, &pane, at, now.x);
        }
        None => app.say(if forward { "no event after this" } else { "no event before this" }, false),
    }
}

/// Moves the crosshair by one column of cells, to the nearest sample on that side.
fn step_crosshair(app: &mut App, pane: &Pane, shown: &Ranges, by: f64) {
    let (x, x_log) = (shown.x, shown.x_log);
    let cells = placed(app, true).map_or(60.0, |p| f64::from(p.area.width.saturating_sub(8).max(8)));
    let now = app.crosshair(pane).unwrap_or(x.0);
    let (low, high) = pan(x, x_log, by / cells);
    let wanted = if x_log && x.0 > 0.0 && now > 0.0 { now * (low / x.0) } else { now + (low - x.0) };
    let step = (wanted - now).abs().min((high - low).abs());
    let at = readout::snap(pane, wanted, by).unwrap_or(wanted);
    // Where samples are sparser than cells, the next sample is the step.
    let at = if (at - now) * by > 0.0 { at } else { readout::snap(pane, now + by * step, by).unwrap_or(wanted) };
    let whole = app.columns.whole_time().filter(|_| app.linked(pane));
    let at = whole.map_or(at, |w| at.clamp(w.0, w.1));
    app.set_crosshair(pane, at);
    follow(app, pane, at, x);
}

/// Keeps the crosshair in view.
fn follow(app: &mut App, pane: &Pane, at: f64, x: Range) {
    if at < x.0 || at > x.1 {
        let half = (x.1 - x.0) / 2.0;
        app.set_x(pane, (at - half, at + half));
    }
}

/// Where the focused pane stands: in the focused column, or in the first one that is on the screen.
fn placed(app: &App, in_focus: bool) -> Option<PlacedPane> {
    let (column, pane) = (app.columns.focus(), app.columns.pane_index());
    let layout = app.layout();
    let columns = layout.columns.iter().filter(|c| !in_focus || c.column == column);
    columns.flat_map(|c| &c.panes).find(|p| p.pane == pane).copied()
}

/// Scrolls text to a line computed from the first line now and the last first line there can be.
fn scroll(app: &mut App, pane: &Pane, to: impl Fn(usize, usize) -> usize) {
    let last = hidden_rows(app, pane);
    let view = app.views.of(&pane.key);
    view.scroll = to(view.scroll, last).min(last);
}

/// Rows of a text pane that do not fit on the screen.
fn hidden_rows(app: &App, pane: &Pane) -> usize {
    let Some(inner) = placed(app, false).map(|p| p.figure(pane)) else { return 0 };
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let picture = pane.picture(&spikedeck_plot::View::default(), width, height, app.look);
    picture.content_rows.saturating_sub(height)
}
