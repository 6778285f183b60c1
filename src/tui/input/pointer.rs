//! The mouse: click focuses, wheel zooms, drag zooms into a box. Uses the same layout as drawing.

use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};

use crate::input::overlay;
use crate::input::pane::snap_crosshair;
use crate::panes::pane::Pane;
use crate::state::app::{App, Screen};
use crate::state::gallery::Line;
use crate::state::keys::Key;
use crate::state::layout::{PlacedPane, gallery};
use crate::state::tabs::tab_at;
use spikedeck_plot::cells::Placed;
use spikedeck_plot::view::zoom;

/// What the mouse did.
pub fn on_mouse(app: &mut App, event: MouseEvent) {
    app.dirty = false;
    let at = (event.column, event.row);
    if app.overlay.is_some() {
        // What lies over the screen keeps the mouse from what lies under it.
        let key = match event.kind {
            MouseEventKind::ScrollUp => KeyCode::Up,
            MouseEventKind::ScrollDown => KeyCode::Down,
            _ => return,
        };
        app.dirty = true;
        overlay::on_key(app, Key::plain(key));
        return;
    }
    if app.screen == Screen::Gallery {
        on_gallery(app, event);
        return;
    }
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => {
            app.dirty = true;
            if let Some(tab) = tab_at(app, at) {
                app.columns.focus_pane(tab);
            } else if let Some((column, placed)) = hit(app, at) {
                if app.columns.combined().is_none() {
                    app.columns.focus_column(column);
                }
                app.columns.focus_pane(placed.pane);
                app.drag = Some((at, at));
            }
        }
        MouseEventKind::Drag(MouseButton::Left) => {
            if let Some(drag) = &mut app.drag {
                app.dirty = drag.1 != at;
                drag.1 = at;
            }
        }
        MouseEventKind::Up(MouseButton::Left) => {
            if let Some((from, to)) = app.drag.take() {
                app.dirty = true;
                release(app, from, to);
            }
        }
        MouseEventKind::ScrollUp | MouseEventKind::ScrollDown => {
            app.dirty = true;
            wheel(app, at, event.kind == MouseEventKind::ScrollUp);
        }
        _ => {}
    }
}

fn on_gallery(app: &mut App, event: MouseEvent) {
    let list = gallery(app.size.0, app.size.1).list;
    match event.kind {
        MouseEventKind::ScrollUp => app.gallery.step(-1),
        MouseEventKind::ScrollDown => app.gallery.step(1),
        MouseEventKind::Down(_) if event.row >= list.y && event.row < list.bottom() && event.column < list.right() => {
            let lines = app.gallery.lines();
            let first = app.gallery.first_line(&lines, usize::from(list.height));
            if let Some(Line::Hit(place)) = lines.get(first + usize::from(event.row - list.y)) {
                app.gallery.selected = *place;
            }
        }
        _ => return,
    }
    app.dirty = true;
}

/// The pane under a cell, with its column.
fn hit(app: &App, (x, y): (u16, u16)) -> Option<(usize, PlacedPane)> {
    let layout = app.layout();
    layout.columns.iter().find_map(|c| {
        let inside = |p: &&PlacedPane| x >= p.area.x && x < p.area.right() && y >= p.area.y && y < p.area.bottom();
        c.panes.iter().find(inside).map(|p| (c.column, *p))
    })
}

/// The panel of a pane's picture that holds a cell, with the cell relative to the picture.
fn panel(app: &App, pane: &Pane, placed: &PlacedPane, (x, y): (u16, u16)) -> Option<(usize, Placed, usize, usize)> {
    let inner = placed.figure(pane);
    let (cx, cy) = (usize::from(x.checked_sub(inner.x)?), usize::from(y.checked_sub(inner.y)?));
    let picture = pane.picture(&app.view_of(pane), usize::from(inner.width), usize::from(inner.height), app.look);
    let number = picture.panel_at(cx, cy)?;
    Some((number, picture.panels[number].clone(), cx, cy))
}

fn pane_at(app: &App, at: (u16, u16)) -> Option<(Pane, PlacedPane)> {
    let (column, placed) = hit(app, at)?;
    Some((app.columns.shown(column, placed.pane)?.clone(), placed))
}

fn release(app: &mut App, from: (u16, u16), to: (u16, u16)) {
    let Some((pane, placed)) = pane_at(app, from) else { return };
    let Some((number, panel, x0, y0)) = panel(app, &pane, &placed, from) else { return };
    let inner = placed.figure(&pane);
    let x1 = usize::from(to.0.saturating_sub(inner.x))
        .clamp(panel.area.x, panel.area.x + panel.area.width.saturating_sub(1));
    let y1 = usize::from(to.1.saturating_sub(inner.y))
        .clamp(panel.area.y, panel.area.y + panel.area.height.saturating_sub(1));
    if x0.abs_diff(x1) < 2 {
        // A click: the crosshair comes here.
        if app.views.cross_on {
            snap_crosshair(app, &pane, panel.x_at(x0));
        }
        return;
    }
    let (a, b) = (panel.x_at(x0), panel.x_at(x1));
    app.set_x(&pane, (a.min(b), a.max(b)));
    if number == 0 && y0.abs_diff(y1) >= 2 {
        let (a, b) = (panel.y_at(y0), panel.y_at(y1));
        app.views.of(&pane.key).y = Some((a.min(b), a.max(b)));
    }
}

fn wheel(app: &mut App, at: (u16, u16), closer: bool) {
    let Some((pane, placed)) = pane_at(app, at) else { return };
    if pane.is_text() {
        let view = app.views.of(&pane.key);
        view.scroll = if closer { view.scroll.saturating_sub(3) } else { view.scroll + 3 };
        return;
    }
    let factor = if closer { 0.8 } else { 1.25 };
    if let Some((_, panel, x, _)) = panel(app, &pane, &placed, at) {
        app.set_x(&pane, zoom(panel.x, panel.x_log, panel.x_at(x), factor));
    } else if let Some(now) = app.ranges(&pane) {
        // Beside the data, over the y axis: the wheel is for y.
        app.set_y(&pane, zoom(now.y, now.y_log, f64::midpoint(now.y.0, now.y.1), factor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::message::Message;
    use crate::testing::running;
    use crate::update::update;
    use crossterm::event::KeyModifiers;

    fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Message {
        Message::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
    }

    #[test]
    fn a_drag_zooms_into_the_box_and_undo_comes_back() {
        let mut app = running((120, 40));
        let area = app.layout().columns[0].panes[0].inner();
        let (x, y) = (area.x + 30, area.y + 3);
        update(&mut app, mouse(MouseEventKind::Down(MouseButton::Left), x, y));
        update(&mut app, mouse(MouseEventKind::Drag(MouseButton::Left), x + 20, y));
        update(&mut app, mouse(MouseEventKind::Up(MouseButton::Left), x + 20, y));
        let seen = app.views.time.unwrap();
        assert!(seen.1 - seen.0 > 100.0 && seen.1 - seen.0 < 300.0, "{seen:?}");
        update(&mut app, crate::testing::key("u"));
        assert_eq!(app.views.time, None);
    }

    #[test]
    fn the_wheel_keeps_what_is_under_the_pointer() {
        let mut app = running((120, 40));
        let area = app.layout().columns[0].panes[0].inner();
        update(&mut app, mouse(MouseEventKind::ScrollUp, area.x + 60, area.y + 3));
        let (a, b) = app.views.time.unwrap();
        assert!((b - a - 800.0).abs() < 1e-6, "{a} {b}");
    }

    #[test]
    fn a_click_on_a_tab_focuses_its_pane() {
        let mut app = running((120, 40));
        let row: Vec<char> =
            crate::testing::text(&crate::testing::buffer(&app)).lines().next().unwrap().chars().collect();
        let tab = row.windows(2).position(|w| w == ['2', ' ']).unwrap() as u16;
        update(&mut app, mouse(MouseEventKind::Down(MouseButton::Left), tab + 2, 0));
        assert_eq!(app.columns.pane_index(), 1);
    }

    /// The wheel scrolls what lies over the panes, and a click does not go through it.
    #[test]
    fn an_overlay_keeps_the_mouse_from_the_panes() {
        let mut app = running((120, 40));
        update(&mut app, crate::testing::key("?"));
        let area = app.layout().columns[0].panes[1].inner();
        update(&mut app, mouse(MouseEventKind::Down(MouseButton::Left), area.x + 2, area.y + 2));
        assert_eq!((app.columns.pane_index(), app.drag), (0, None));
        update(&mut app, mouse(MouseEventKind::ScrollDown, area.x + 2, area.y + 2));
        assert!(
            matches!(app.overlay, Some(crate::state::overlay::Overlay::Help { scroll: 1, .. })),
            "{:?}",
            app.overlay
        );
        assert_eq!(app.views.time, None);
    }
}
