//! A pane of one result: what it shows, and memories of how it was drawn last.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::panes::movie::Movie;
use spikedeck_plot::scene::{Body, with_pyramids};
use spikedeck_plot::{Look, Picture, Pyramids, Scene, View};
use spikedeck_signal::{NamedShape, ReferenceLine, Shape};

/// A pane of one result.
#[derive(Debug, Clone)]
pub struct Pane {
    /// The same for the same pane of every column.
    pub key: String,
    /// Heading.
    pub title: String,
    /// What to draw.
    pub shape: Arc<NamedShape>,
    /// One line in words.
    pub summary: String,
    /// What a reader should know before believing it.
    pub warnings: Vec<String>,
    /// The frames of a plane that can be played.
    pub movie: Option<Arc<Movie>>,
    /// Block extremes of long curves.
    pyramids: Arc<Pyramids>,
    /// Stretch of x that it shows when nobody has chosen one; none for text.
    own_x: Option<(f64, f64)>,
    /// A pane never changes, so what was computed of it stays true; clones of it share this.
    memory: Arc<Mutex<Memory>>,
}

/// What a pane shows under a view: ranges in data units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranges {
    /// Stretch of x.
    pub x: (f64, f64),
    /// Logarithmic x axis.
    pub x_log: bool,
    /// Stretch of y of the first panel.
    pub y: (f64, f64),
    /// Logarithmic y axis.
    pub y_log: bool,
    /// Stretch of y of the panel below the first.
    pub below: Option<(f64, f64)>,
    /// Range of the colours.
    pub colours: Option<(f64, f64)>,
}

/// The newest results, oldest first.
#[derive(Debug, Default)]
struct Memory {
    ranges: Vec<(View, Option<Ranges>)>,
    pictures: Vec<(PictureKey, Arc<Picture>)>,
}

/// What a picture depends on beside the pane.
#[derive(Debug, Clone, PartialEq)]
struct PictureKey {
    view: View,
    width: usize,
    height: usize,
    look: Look,
}

/// Marks before the names of rows: an expectation that holds, and one that does not.
const MARKS: [char; 2] = ['✓', '✗'];

/// What the time axis of a run is called.
const RUN_TIME: &str = "time";

/// A plane this many times as wide as high is at home in a flat pane.
const FLAT: f64 = 2.5;

/// Results kept of each kind: enough for a view and the one before it, little enough for hundreds of panes.
const KEPT: usize = 3;

/// The result kept for a key, or a new one in place of the oldest.
fn recall<K: PartialEq, V: Clone>(kept: &mut Vec<(K, V)>, key: K, make: impl FnOnce(&K) -> V) -> V {
    if let Some(at) = kept.iter().position(|k| k.0 == key) {
        kept[at..].rotate_left(1);
    } else {
        let made = make(&key);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((key, made));
    }
    kept.last().expect("one was found or pushed just now").1.clone()
}

impl Pane {
    /// A pane of a shape.
    pub(crate) fn new(
        key: impl Into<String>,
        title: impl Into<String>,
        shape: Shape,
        summary: impl Into<String>,
    ) -> Self {
        let title = title.into();
        let shape = NamedShape::new(title.clone(), shape);
        let pyramids = Pyramids::of(&shape);
        let mut pane = Self {
            key: key.into(),
            title,
            shape: Arc::new(shape),
            summary: summary.into(),
            warnings: Vec::new(),
            movie: None,
            pyramids: Arc::new(pyramids),
            own_x: None,
            memory: Arc::default(),
        };
        pane.own_x = pane.ranges(&View::default()).map(|r| r.x);
        pane
    }

    /// The same with a line across, where it has curves.
    #[must_use]
    pub(crate) fn with_reference(mut self, line: ReferenceLine) -> Self {
        if let Shape::Series(series) = &mut Arc::make_mut(&mut self.shape).shape {
            series.references.push(line);
            self.memory = Arc::default();
        }
        self
    }

    /// The same plane at another frame; as it is where nothing moves.
    #[must_use]
    pub fn at_frame(&self, frame: usize) -> Self {
        let (Some(movie), Shape::Image(image)) = (&self.movie, &self.shape.shape) else { return self.clone() };
        let shape = NamedShape::new(self.shape.name.clone(), Shape::Image(movie.image(image, frame)));
        // Only the values are others: the axes, and with them the stretch of x, are the same in all frames.
        Self { shape: Arc::new(shape), summary: movie.words(frame), memory: Arc::default(), ..self.clone() }
    }

    /// Its x axis is time.
    pub(crate) fn is_time(&self) -> bool {
        match &self.shape.shape {
            Shape::Series(s) => s.x.is_time,
            Shape::Raster(_) => true,
            Shape::Image(i) => i.x.is_time,
            Shape::Distribution(d) => d.x.is_time,
            Shape::Scalars(_) | Shape::Matrix(_) | Shape::Phase(_) | Shape::Graph { .. } | Shape::Card(_) => false,
        }
    }

    /// Its x axis is the time of the run itself, as `Axis::time` names it: time from an event, or in a trial, has a
    /// name that says so.
    pub(crate) fn is_time_of_run(&self) -> bool {
        self.is_time() && self.shape.shape.axes().0.is_none_or(|x| x.label == RUN_TIME)
    }

    /// Whether it is text or a table, which scrolls.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.shape.shape, Shape::Card(_) | Shape::Scalars(_))
    }

    /// Whether it is a table of numbers.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self.shape.shape, Shape::Scalars(_))
    }

    /// Its data for files and the clipboard: names of rows without the marks that screens put before them.
    pub(crate) fn data(&self) -> Cow<'_, Shape> {
        match &self.shape.shape {
            Shape::Scalars(table) if table.rows.iter().any(|r| r.name.contains(MARKS)) => {
                let mut table = table.clone();
                for row in &mut table.rows {
                    let plain = row.name.replace(MARKS, "").replace("  ", " ");
                    plain.trim().clone_into(&mut row.name);
                }
                Cow::Owned(Shape::Scalars(table))
            }
            shape => Cow::Borrowed(shape),
        }
    }

    /// Rows of a table that stand first because the scenario expects something of them.
    pub(crate) fn expected_rows(&self) -> usize {
        let Shape::Scalars(table) = &self.shape.shape else { return 0 };
        table.rows.iter().take_while(|r| r.name.starts_with(MARKS)).count()
    }

    /// Whether its picture has proportions of its own, which empty space would be left beside in a flat pane.
    pub(crate) fn keeps_proportions(&self) -> bool {
        let Shape::Image(image) = &self.shape.shape else { return false };
        // One that is flat itself fills the width.
        spikedeck_plot::proportions(image).is_some_and(|(across, down)| across <= down * FLAT)
    }

    /// Whether y counts rows from the top.
    pub(crate) fn has_rows(&self) -> bool {
        matches!(self.shape.shape, Shape::Raster(_) | Shape::Matrix(_))
    }

    /// Stretch of x that it shows when nobody has chosen one; none for text.
    pub(crate) fn own_x(&self) -> Option<(f64, f64)> {
        self.own_x
    }

    /// The scene under a view.
    pub(crate) fn scene(&self, view: &View) -> Scene<'_> {
        #[cfg(test)]
        tests::count();
        with_pyramids(&self.shape, view, &self.pyramids)
    }

    /// What it shows under a view; none for text.
    pub(crate) fn ranges(&self, view: &View) -> Option<Ranges> {
        if self.is_text() {
            return None;
        }
        // The crosshair and what is painted on top move no range.
        let key = View { cursor: None, focus: None, scroll: 0, ..view.clone() };
        recall(&mut self.memory().ranges, key, |view| match self.scene(view).body {
            Body::Plot(plot) => plot.panels.first().map(|first| Ranges {
                x: first.x.range,
                x_log: first.x.log,
                y: first.y.range,
                y_log: first.y.log,
                below: plot.panels.get(1).map(|panel| panel.y.range),
                colours: plot.colour_bar.as_ref().map(|bar| bar.range),
            }),
            Body::Table(_) | Body::Text(_) => None,
        })
    }

    /// The picture under a view in so many cells.
    pub(crate) fn picture(&self, view: &View, width: usize, height: usize, look: Look) -> Arc<Picture> {
        let key = PictureKey { view: view.clone(), width, height, look };
        recall(&mut self.memory().pictures, key, |key| {
            Arc::new(spikedeck_plot::cells::render(&self.scene(&key.view), width, height, &key.look))
        })
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        // A panic while something was remembered leaves nothing half done.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::content;
    use std::cell::Cell;

    thread_local! {
        static SCENES: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        SCENES.set(SCENES.get() + 1);
    }

    /// Scenes that `work` builds on this thread.
    pub fn scenes(work: impl FnOnce()) -> usize {
        let before = SCENES.get();
        work();
        SCENES.get() - before
    }

    #[test]
    fn what_was_drawn_is_remembered_by_view_size_and_look() {
        let content = content("a", 10.0);
        let pane = content.pane("spikes").unwrap();
        let (view, look) = (View::default(), Look::default());
        let first = pane.picture(&view, 60, 12, look);
        let again = pane.clone();
        assert_eq!(scenes(|| assert!(Arc::ptr_eq(&first, &again.picture(&view, 60, 12, look)))), 0);
        let other = View { x: Some((100.0, 200.0)), ..View::default() };
        assert_eq!(scenes(|| assert_ne!(*pane.picture(&other, 60, 12, look), *first)), 1);
        assert_eq!(scenes(|| drop(pane.picture(&view, 61, 12, look))), 1);
        let titled = Look { title: true, ..look };
        assert_eq!(scenes(|| assert_ne!(*pane.picture(&view, 60, 12, titled), *first)), 1);
        let ranges = pane.ranges(&other).unwrap();
        assert_eq!(ranges.x, (100.0, 200.0));
        assert_eq!(scenes(|| assert_eq!(pane.ranges(&View { cursor: Some(150.0), ..other.clone() }), Some(ranges))), 0);
    }

    /// What leaves has the names of the metrics, whether an expectation holds or not.
    #[test]
    fn marks_are_of_the_screen_alone() {
        use spikedeck_signal::{Metric, Scalars};
        let mut table = Scalars::from_metrics(&[Metric::new("exc.spikes", "mean", 10.0, "Hz", 200)]);
        for name in ["✓ exc.spikes mean", "✗ exc.spikes mean", "exc.spikes mean"] {
            table.rows[0].name = name.to_owned();
            let pane = Pane::new("numbers", "Numbers", Shape::Scalars(table.clone()), "");
            let Shape::Scalars(data) = pane.data().into_owned() else { panic!() };
            assert_eq!(data.rows[0].name, "exc.spikes mean");
            assert_eq!(pane.expected_rows(), usize::from(!name.starts_with('e')));
            assert!(!crate::describe::table(&pane).contains(['✓', '✗']));
        }
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut kept = Vec::new();
        let made: Vec<i32> = [1, 2, 3, 1, 4, 2].into_iter().map(|k| recall(&mut kept, k, |k| k * 10)).collect();
        assert_eq!(made, [10, 20, 30, 10, 40, 20]);
        assert_eq!(kept, [(1, 10), (4, 40), (2, 20)]);
    }
}
