//! What part of a pane is seen: ranges, logarithms, undo. Pure numbers.

use std::collections::HashMap;

use spikedeck_signal::Scale;

/// A range on an axis.
pub type Range = (f64, f64);

/// What the reader chose for a pane; what is `None` is fitted to the data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    /// Range of x.
    pub x: Option<Range>,
    /// Range of y.
    pub y: Option<Range>,
    /// Scale of x, if changed.
    pub x_scale: Option<Scale>,
    /// Scale of y, if changed.
    pub y_scale: Option<Scale>,
    /// First line shown, of panes that are text.
    pub scroll: usize,
    /// Not linked to the other time axes.
    pub unlinked: bool,
    undo: Vec<(Option<Range>, Option<Range>)>,
}

impl View {
    /// Remembers where the view is, for [`View::undo`].
    pub fn remember(&mut self, x: Option<Range>, y: Option<Range>) {
        if self.undo.last() != Some(&(x, y)) {
            self.undo.push((x, y));
        }
        if self.undo.len() > 100 {
            self.undo.remove(0);
        }
    }

    /// The view before, if any.
    pub fn undo(&mut self) -> Option<(Option<Range>, Option<Range>)> {
        self.undo.pop()
    }

    /// The next of: as the axes say, y logarithmic (or linear), x too, only x, and around.
    pub fn next_scale(&mut self, x: Scale, y: Scale) {
        let other = |s| if s == Scale::Log { Scale::Linear } else { Scale::Log };
        let now = (self.x_scale.is_some(), self.y_scale.is_some());
        let (fx, fy) = match now {
            (false, false) => (false, true),
            (false, true) => (true, true),
            (true, true) => (true, false),
            (true, false) => (false, false),
        };
        self.x_scale = fx.then(|| other(x));
        self.y_scale = fy.then(|| other(y));
    }
}

/// What the reader chose of all panes, and the crosshairs.
#[derive(Debug, Clone, Default)]
pub struct Views {
    /// What was chosen for each pane, by its key: the same in all columns.
    by_pane: HashMap<String, View>,
    /// Time seen in all linked panes.
    pub time: Option<Range>,
    /// Whether the stretch that is seen first was chosen, which is done once.
    opened: bool,
    /// Whether each column fits its own data; else all columns have the same scales.
    pub free: bool,
    /// Whether crosshairs are shown.
    pub cross_on: bool,
    /// Crosshair of each pane by key; that of linked time axes is under [`LINKED`].
    crosshairs: HashMap<String, f64>,
}

/// Key of the crosshair that linked time axes share: no pane has it.
const LINKED: &str = "\u{0}time";

impl Views {
    /// What was chosen for a pane, if anything was.
    pub fn get(&self, key: &str) -> Option<&View> {
        self.by_pane.get(key)
    }

    /// The same, to be changed.
    pub fn of(&mut self, key: &str) -> &mut View {
        self.by_pane.entry(key.to_owned()).or_default()
    }

    /// Whether the reader has looked at no stretch of time yet, and none was chosen to begin with.
    pub fn is_untouched(&self) -> bool {
        self.time.is_none() && !self.opened
    }

    /// Begins with a stretch of time.
    pub fn open_on(&mut self, stretch: Range) {
        (self.time, self.opened) = (Some(stretch), true);
    }

    /// Where the crosshair of a pane stands; linked panes share one.
    pub fn crosshair(&self, key: &str, linked: bool) -> Option<f64> {
        self.crosshairs.get(if linked { LINKED } else { key }).copied()
    }

    /// Puts the crosshair somewhere.
    pub fn set_crosshair(&mut self, key: &str, linked: bool, x: f64) {
        self.crosshairs.insert(if linked { LINKED } else { key }.to_owned(), x);
    }
}

/// Keeps a range inside the data; one that is longer becomes the data's.
pub fn inside(range: Range, data: Range) -> Range {
    let length = range.1 - range.0;
    if length >= data.1 - data.0 {
        return data;
    }
    let start = range.0.clamp(data.0, data.1 - length);
    (start, start + length)
}

/// Joins two ranges.
pub fn join(a: Option<Range>, b: Option<Range>) -> Option<Range> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panning_stops_at_the_data() {
        assert_eq!(inside((2.5, 12.5), (0.0, 11.0)), (1.0, 11.0));
        assert_eq!(inside((-5.0, 50.0), (0.0, 11.0)), (0.0, 11.0));
        assert_eq!(join(None, Some((0.0, 1.0))), Some((0.0, 1.0)));
        assert_eq!(join(Some((-1.0, 0.5)), Some((0.0, 1.0))), Some((-1.0, 1.0)));
    }

    #[test]
    fn scales_go_around_and_undo_gives_back() {
        let mut v = View::default();
        for _ in 0..4 {
            v.next_scale(Scale::Linear, Scale::Log);
        }
        assert_eq!(v, View::default());
        v.next_scale(Scale::Linear, Scale::Log);
        assert_eq!((v.x_scale, v.y_scale), (None, Some(Scale::Linear)));
        v.remember(None, Some((0.0, 1.0)));
        assert_eq!(v.undo(), Some((None, Some((0.0, 1.0)))));
        assert_eq!(v.undo(), None);
    }
}
