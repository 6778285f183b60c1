//! What stands on the screen: on a slow line a held key is followed by the pane that is looked at alone, and the others
//! follow when it is let go.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::state::app::{App, Screen};
use crate::state::layout::RunLayout;

/// The panes as they were drawn.
#[derive(Debug)]
pub struct Shown {
    buffer: Buffer,
    layout: RunLayout,
}

impl Shown {
    /// What was drawn of the state; nothing where no panes are to be seen.
    pub fn of(app: &App, buffer: &Buffer) -> Option<Self> {
        has_panes(app).then(|| Self { buffer: buffer.clone(), layout: app.layout() })
    }

    /// Puts the panes without focus back as they were; whether there are any, in the same places.
    pub fn put_back(&self, app: &App, buf: &mut Buffer) -> bool {
        if !has_panes(app) || buf.area != self.buffer.area || app.layout() != self.layout {
            return false;
        }
        let focus = (app.columns.focus(), app.columns.pane_index());
        let is_one = app.columns.combined().is_some();
        let placed = self.layout.columns.iter().flat_map(|c| c.panes.iter().map(move |p| (c.column, p)));
        let others: Vec<Rect> =
            placed.filter(|(c, p)| p.pane != focus.1 || (*c != focus.0 && !is_one)).map(|(_, p)| p.area).collect();
        for area in &others {
            for position in area.intersection(buf.area).positions() {
                buf[position] = self.buffer[position].clone();
            }
        }
        !others.is_empty()
    }
}

/// Whether panes are on the screen with nothing over them.
fn has_panes(app: &App) -> bool {
    app.screen == Screen::Run && app.overlay.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{buffer, comparing, press, running};

    /// After a key the focused pane is new, the others are as they were, and the lines about them are new too; what is
    /// sent for it is less than all.
    #[test]
    fn the_focused_pane_is_followed_alone() {
        for (mut app, keys) in [
            (running((120, 40)), "+"),
            (running((200, 60)), "tab tab +"),
            (comparing((120, 40)), "+"),
            (comparing((160, 50)), "w +"),
        ] {
            let spikes = app.columns.keys().iter().position(|k| k == "spikes").unwrap();
            app.columns.focus_pane(spikes);
            let before = buffer(&app);
            let shown = Shown::of(&app, &before).unwrap();
            press(&mut app, keys);
            let whole = buffer(&app);
            let mut part = whole.clone();
            assert!(shown.put_back(&app, &mut part));
            let focus = (app.columns.focus(), app.columns.pane_index());
            let layout = app.layout();
            let mut kept = 0;
            for column in &layout.columns {
                for p in &column.panes {
                    let like = if (column.column, p.pane) == focus { &whole } else { &before };
                    assert!(p.area.positions().all(|at| part[at] == like[at]), "{keys}: {p:?}");
                    kept += usize::from((column.column, p.pane) != focus);
                }
            }
            assert!(kept > 0);
            assert!(layout.footer.positions().all(|at| part[at] == whole[at]));
        }
    }

    /// Where anything but a pane changed there is no saving: all of it is drawn.
    #[test]
    fn another_screen_is_drawn_whole() {
        for keys in ["z", "?", "g", "e", "v"] {
            let mut app = running((120, 40));
            let shown = Shown::of(&app, &buffer(&app)).unwrap();
            press(&mut app, keys);
            let whole = buffer(&app);
            let mut part = whole.clone();
            assert!(!shown.put_back(&app, &mut part), "{keys}");
            assert_eq!(part, whole, "{keys}");
        }
        let mut app = running((120, 40));
        press(&mut app, "g");
        assert!(Shown::of(&app, &buffer(&app)).is_none());
    }
}
