//! Which part of a pane is seen: what the reader chose, linked time axes, and the same scales in all columns.

use crate::panes::pane::{Pane, Ranges};
use crate::state::app::App;
use crate::state::view::{Range, inside, join};
use spikedeck_plot as plot;
use spikedeck_signal::Scale;

impl App {
    /// Whether a pane moves with the other time axes: its axis is time and shows a part of the recorded stretch (a lag,
    /// for example, does not).
    pub fn linked(&self, pane: &Pane) -> bool {
        if !pane.is_time() || self.views.get(&pane.key).is_some_and(|v| v.unlinked) {
            return false;
        }
        let (Some(whole), Some(own)) = (self.columns.whole_time(), pane.own_x()) else { return false };
        let slack = (whole.1 - whole.0).abs() * 0.1;
        own.0 >= whole.0 - slack && own.1 <= whole.1 + slack
    }

    /// How a pane is to be drawn: what the reader chose, and where nothing was chosen the same scale in all columns.
    pub fn view_of(&self, pane: &Pane) -> plot::View {
        let chosen = self.views.get(&pane.key);
        let is_log = |s: Option<Scale>| s.map(|s| s == Scale::Log);
        let linked = self.linked(pane);
        let mut view = plot::View {
            x: if linked { self.views.time.or(self.columns.whole_time()) } else { chosen.and_then(|v| v.x) },
            y: chosen.and_then(|v| v.y),
            z: pane.movie.as_ref().map(|m| m.range()),
            x_log: chosen.and_then(|v| is_log(v.x_scale)),
            y_log: chosen.and_then(|v| is_log(v.y_scale)),
            scroll: chosen.map_or(0, |v| v.scroll),
            ..plot::View::default()
        };
        if self.columns.len() > 1 {
            let all: Vec<Ranges> = self.columns.panes(&pane.key).filter_map(|p| p.ranges(&view)).collect();
            if all.len() > 1 {
                let x = all.iter().map(|r| Some(r.x)).fold(None, join);
                let y = all.iter().map(|r| Some(r.y)).fold(None, join);
                let same_rows = !pane.has_rows();
                view.x = view.x.or(x.filter(|_| same_rows || pane.is_time()));
                view.y = view.y.or(y.filter(|_| same_rows));
                view.y_below = all.iter().map(|r| r.below).fold(None, join);
                view.z = self.colours(pane).or(all.iter().map(|r| r.colours).fold(None, join));
            }
        }
        if let Some(moment) = self.moment.filter(|_| linked && !self.views.cross_on) {
            // Where in time the planes are.
            view.cursor = Some(moment);
        } else if self.views.cross_on {
            view.cursor = self.crosshair(pane);
        }
        view
    }

    /// Colours of a plane that moves, the same in all columns.
    fn colours(&self, pane: &Pane) -> Option<Range> {
        let planes = self.columns.panes(&pane.key).filter_map(|p| p.movie.as_ref());
        planes.map(|m| Some(m.range())).fold(None, join)
    }

    /// What a pane with axes shows now; none for text.
    pub fn ranges(&self, pane: &Pane) -> Option<Ranges> {
        pane.ranges(&self.view_of(pane))
    }

    /// Where the crosshair of a pane stands.
    pub fn crosshair(&self, pane: &Pane) -> Option<f64> {
        self.views.crosshair(&pane.key, self.linked(pane))
    }

    /// Puts the crosshair of a pane, and of all that are linked with it, somewhere.
    pub fn set_crosshair(&mut self, pane: &Pane, x: f64) {
        let linked = self.linked(pane);
        self.views.set_crosshair(&pane.key, linked, x);
    }

    /// Sets the x range of a pane, and of all that are linked with it.
    pub fn set_x(&mut self, pane: &Pane, x: Range) {
        self.remember(pane);
        if self.linked(pane) {
            let whole = self.columns.whole_time();
            let x = whole.map_or(x, |whole| inside(x, whole));
            self.views.time = Some(x).filter(|x| whole != Some(*x));
        } else {
            self.views.of(&pane.key).x = Some(x);
        }
    }

    /// Sets the y range of a pane.
    pub fn set_y(&mut self, pane: &Pane, y: Range) {
        self.remember(pane);
        self.views.of(&pane.key).y = Some(y);
    }

    /// Shows all of a pane, and all time where it is linked.
    pub fn fit(&mut self, pane: &Pane) {
        self.remember(pane);
        if self.linked(pane) {
            self.views.time = None;
        }
        let view = self.views.of(&pane.key);
        (view.x, view.y) = (None, None);
    }

    /// Back to the ranges before; whether there were any.
    pub fn undo_ranges(&mut self, pane: &Pane) -> bool {
        let linked = self.linked(pane);
        let view = self.views.of(&pane.key);
        let Some((x, y)) = view.undo() else { return false };
        view.y = y;
        if linked {
            self.views.time = x;
        } else {
            view.x = x;
        }
        true
    }

    fn remember(&mut self, pane: &Pane) {
        let (linked, time) = (self.linked(pane), self.views.time);
        let view = self.views.of(&pane.key);
        let (x, y) = (if linked { time } else { view.x }, view.y);
        view.remember(x, y);
    }
}
