//! Which part of a pane is seen: what the reader chose, linked time axes, and the same scales in all columns.

use crate::panes::pane::{Pane, Ranges};
use crate::state::app::App;
use crate::state::view::{Range, inside, join};
use spikedeck_plot as plot;
use spikedeck_signal::Scale;

impl App {
    /// Whether a pane moves with the other time axes: its axis is the time of the run and shows a part of the recorded
    /// stretch (a lag, for example, or the time in a trial, does not).
    pub fn linked(&self, pane: &Pane) -> bool {
        if !pane.is_time_of_run() || self.views.get(&pane.key).is_some_and(|v| v.unlinked) {
            return false;
        }
        let (Some(whole), Some(own)) = (self.columns.whole_time(), pane.own_x()) else { return false };
        let slack = (whole.1 - whole.0).abs() * 0.1;
        own.0 >= whole.0 - slack && own.1 <= whole.1 + slack
    }

    /// How a pane is to be drawn: what the reader chose, and where nothing was chosen the same scale in all columns,
    /// unless each is to have its own.
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
        if self.columns.len() > 1 && !self.views.free {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::panes::content::Content;
    use crate::state::message::{JobEvent, Message};
    use crate::testing::{buffer, comparing, content, key, press, running, text};
    use crate::update::update;
    use spikedeck_signal::{Axis, Curve, Series, Shape};

    /// A run whose only curve goes from zero to `high` in a pane of a key.
    fn with_curve(label: &str, key: &str, x: Axis, high: f64) -> Content {
        let mut content = content(label, 10.0);
        let curve = Curve { x: (0..50).map(f64::from).collect(), y: vec![0.0; 49], ..Curve::default() };
        let curve = Curve { y: [curve.y, vec![high]].concat(), ..curve };
        let series = Series { x, y: Axis::new("rate", "Hz"), curves: vec![curve], ..Series::default() };
        content.panes.insert(0, Pane::new(key, "Curve", Shape::Series(series), ""));
        content
    }

    /// One key frees the scales of all columns and one brings them back; which holds is said on the screen.
    #[test]
    fn scales_are_shared_or_free_by_one_key() {
        let mut app = comparing((120, 40));
        for (i, high) in [1.0, 400.0].into_iter().enumerate() {
            let label = app.columns.list()[i].label.clone();
            let x = Axis::new("frequency", "Hz");
            app.columns.show(i, Arc::new(with_curve(&label, "curve", x, high)));
        }
        let y = |app: &App, i: usize| {
            let pane = app.columns.list()[i].pane("curve").unwrap().clone();
            app.ranges(&pane).unwrap().y
        };
        assert_eq!(y(&app, 0), y(&app, 1), "the same at first");
        let shared = y(&app, 0);
        press(&mut app, "s");
        assert!(y(&app, 0).1 < 2.0 && y(&app, 1).1 > 300.0, "{:?} {:?}", y(&app, 0), y(&app, 1));
        app.log.clear_notice();
        assert!(text(&buffer(&app)).contains("own scales"));
        press(&mut app, "s");
        assert_eq!((y(&app, 0), y(&app, 1)), (shared, shared));
        app.log.clear_notice();
        assert!(!text(&buffer(&app)).contains("own scales"));
        // With one run there is nothing to free.
        let mut app = running((120, 40));
        press(&mut app, "s");
        assert!(!app.views.free && app.log.notice().is_some_and(|n| n.text.contains("one run")));
    }

    /// Time in a trial is not the time of the run, wherever it lies: its axis is its own and moves with no other.
    #[test]
    fn time_from_an_event_has_an_axis_of_its_own() {
        for (label, is_linked) in [("time", true), ("time in the trial", false), ("time from the spike", false)] {
            let mut app = running((120, 40));
            let x = Axis { is_time: true, ..Axis::new(label, "ms") };
            let job = app.columns.list()[0].job;
            let run = with_curve("a", "curve", x, 3.0);
            update(&mut app, Message::Job(job, JobEvent::Done(Arc::new(run.clone()))));
            app.columns.show(0, Arc::new(run));
            let pane = app.columns.list()[0].pane("curve").unwrap().clone();
            assert_eq!(app.linked(&pane), is_linked, "{label}");
            let (from, to) = app.ranges(&pane).unwrap().x;
            assert_eq!(to - from < 60.0, !is_linked, "{label}: {from} to {to}");
            let at = app.columns.keys().iter().position(|k| k == "curve").unwrap();
            app.columns.focus_pane(at);
            update(&mut app, key("+"));
            assert_eq!(app.views.time.is_some(), is_linked, "{label}: zooming moves the others or not");
        }
    }
}
