//! What a picture consists of, in data units, whoever draws it: panels with axes and marks, a legend, a colour bar; or
//! a table; or text. Terminal cells, SVG and the crosshair all read the same scene.

use std::borrow::Cow;

use super::colour::Role;
use super::reduce::Pyramid;
use super::view::View;
use spikedeck_signal::{CardSection, Curve, NamedShape, ScalarRow, Shape};

/// A picture in data units. It borrows the shape's numbers, so building one costs next to nothing.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// Heading.
    pub title: String,
    /// What is drawn.
    pub body: Body<'a>,
    /// x of the crosshair.
    pub cursor: Option<f64>,
    /// First row shown of tables and text.
    pub scroll: usize,
}

/// What a scene is made of.
#[derive(Debug, Clone)]
pub enum Body<'a> {
    /// Panels from top to bottom over one x axis.
    Plot(Plot<'a>),
    /// A table of numbers with intervals.
    Table(&'a [ScalarRow]),
    /// Text in sections.
    Text(&'a [CardSection]),
}

/// Panels with what belongs to all of them.
#[derive(Debug, Clone, Default)]
pub struct Plot<'a> {
    /// Panels from top to bottom.
    pub panels: Vec<Panel<'a>>,
    /// Legend, in the order of the curves; empty when there is nothing to tell apart.
    pub legend: Vec<LegendEntry>,
    /// Colour bar of an image or matrix.
    pub colour_bar: Option<ColourBar>,
    /// Oscilloscope sweep: length of the window and position of the write head.
    pub sweep: Option<Sweep>,
    /// Whether one unit is as long on both axes (graphs, planes from above).
    pub equal: bool,
    /// The whole stretch of time of curves that are seen in part.
    pub whole: Option<(f64, f64)>,
}

/// State of an oscilloscope sweep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sweep {
    /// Length of the window.
    pub length: f64,
    /// Newest x.
    pub head: f64,
}

/// A line of the legend.
#[derive(Debug, Clone, PartialEq)]
pub struct LegendEntry {
    /// What it says.
    pub name: String,
    /// Whose colour.
    pub role: Role,
    /// How the mark beside the name looks.
    pub stroke: Stroke,
    /// Drawn without dashes, because dashes on dense data would look like gaps.
    pub dense: bool,
}

/// A colour bar.
#[derive(Debug, Clone, PartialEq)]
pub struct ColourBar {
    /// What the colours are, with unit.
    pub title: String,
    /// Range of the colours.
    pub range: (f64, f64),
    /// Whether zero is the natural middle.
    pub diverging: bool,
    /// Whether values lie below or above the range.
    pub beyond: (bool, bool),
}

/// An axes box with marks.
#[derive(Debug, Clone, Default)]
pub struct Panel<'a> {
    /// Horizontal axis.
    pub x: PanelAxis,
    /// Vertical axis.
    pub y: PanelAxis,
    /// What is drawn, first to last.
    pub marks: Vec<Mark<'a>>,
    /// Share of the height.
    pub share: f64,
    /// Whether axes are drawn.
    pub framed: bool,
}

/// An axis of a panel with the range that is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PanelAxis {
    /// Label with unit.
    pub title: String,
    /// Range shown, low to high.
    pub range: (f64, f64),
    /// Logarithmic.
    pub log: bool,
    /// Whether the low end is at the top (rows of rasters and matrices).
    pub inverted: bool,
    /// Names at positions instead of numbers.
    pub names: Option<Vec<(f64, String)>>,
    /// Whether data lie below or above the range: marked at the ends.
    pub beyond: (bool, bool),
    /// Whether it is time, linked between panes.
    pub is_time: bool,
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stroke {
    /// Joined.
    #[default]
    Line,
    /// Constant since the point before.
    Steps,
    /// Marks only.
    Points,
    /// Dashed.
    Dashed,
    /// A filled box (legends of bars and populations).
    Box,
}

/// What a fixed point or node looks like; shapes differ so that hue is never needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    /// Stable: filled disc.
    Stable,
    /// Unstable: open circle.
    Unstable,
    /// Saddle: cross.
    Saddle,
    /// Undecided: diamond.
    Marginal,
    /// A node of a graph.
    Node,
}

/// A curve, in data units.
#[derive(Debug, Clone)]
pub struct CurveMark<'a> {
    /// Abscissae.
    pub x: &'a [f64],
    /// Ordinates.
    pub y: &'a [f64],
    /// Block extremes of a long curve.
    pub pyramid: Option<&'a Pyramid>,
    /// Whether `x` ascends.
    pub ascending: bool,
    /// How it is drawn.
    pub stroke: Stroke,
    /// Whose colour.
    pub role: Role,
    /// Whether it wins every cell that it shares.
    pub focus: bool,
}

impl CurveMark<'_> {
    /// Whether there are so many points that dashes would look like gaps.
    pub fn dense(&self) -> bool {
        self.x.len() > 4000
    }
}

/// A regular image.
#[derive(Debug, Clone)]
pub struct ImageMark<'a> {
    /// Values, column by column from the low end of y (images) or row by row from the top (matrices).
    pub values: &'a [f64],
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Outer edges of the first and last column.
    pub x: (f64, f64),
    /// Outer edges of the first and last row.
    pub y: (f64, f64),
    /// Range of the colours.
    pub z: (f64, f64),
    /// Whether zero is the natural middle.
    pub diverging: bool,
    /// Values lie row by row (a matrix) instead of column by column.
    pub by_rows: bool,
    /// Entries to be marked as significant.
    pub significant: Option<&'a [bool]>,
}

impl ImageMark<'_> {
    /// The value in a column and row, if there is one.
    pub fn get(&self, column: usize, row: usize) -> f64 {
        let index = if self.by_rows { row * self.width + column } else { column * self.height + row };
        self.values.get(index).copied().unwrap_or(f64::NAN)
    }

    /// Place of `value` in the range of the colours, 0 to 1.
    pub fn place(&self, value: f64) -> f64 {
        if self.z.1 > self.z.0 { (value - self.z.0) / (self.z.1 - self.z.0) } else { 0.5 }
    }
}

/// Something drawn in a panel.
#[derive(Debug, Clone)]
pub enum Mark<'a> {
    /// A curve.
    Curve(CurveMark<'a>),
    /// The stretch between two curves.
    Band {
        /// Abscissae.
        x: &'a [f64],
        /// Lower ends.
        low: &'a [f64],
        /// Upper ends.
        high: &'a [f64],
        /// Whose colour.
        role: Role,
    },
    /// Bars from zero (or the low end of a logarithmic axis).
    Bars {
        /// Edges, one more than heights.
        edges: &'a [f64],
        /// Heights.
        heights: &'a [f64],
        /// Whose colour.
        role: Role,
        /// Drawn as an outline, because other bars stand behind.
        outline: bool,
    },
    /// Spikes of one population: `rows` rows from `first_row`.
    Spikes {
        /// Times, ascending.
        times: &'a [f64],
        /// Row inside the population.
        units: &'a [u32],
        /// First row.
        first_row: usize,
        /// Number of rows.
        rows: usize,
        /// Whose colour.
        role: Role,
        /// Whether it wins every cell that it shares.
        focus: bool,
    },
    /// An image or matrix.
    Image(ImageMark<'a>),
    /// A line across.
    Rule {
        /// Its name.
        name: &'a str,
        /// Where.
        at: f64,
        /// Vertical, at an x.
        vertical: bool,
    },
    /// Separate segments: x0, y0, x1, y1.
    Segments {
        /// The segments.
        segments: Cow<'a, [[f64; 4]]>,
        /// Whose colour.
        role: Role,
    },
    /// Arrows of unit length: x, y, dx, dy; drawn with a fixed length on the screen.
    Arrows {
        /// The arrows.
        arrows: &'a [[f64; 4]],
    },
    /// An arrow from node to node, with its strength (0 to 1).
    Edge {
        /// x0, y0, x1, y1.
        segment: [f64; 4],
        /// 0 to 1.
        strength: f64,
        /// Whose colour.
        role: Role,
    },
    /// A mark at a place.
    Glyph {
        /// Position.
        at: (f64, f64),
        /// Shape.
        glyph: Glyph,
        /// Whose colour.
        role: Role,
    },
    /// Text beside a place.
    Text {
        /// Position.
        at: (f64, f64),
        /// What it says.
        text: Cow<'a, str>,
        /// Whose colour.
        role: Role,
        /// To the left of the place instead of to the right.
        left: bool,
    },
}

/// What of a mark is put over all others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Label<'a> {
    /// The name of a rule.
    Rule {
        /// Its name.
        name: &'a str,
        /// Where.
        at: f64,
        /// Vertical, at an x.
        vertical: bool,
    },
    /// A mark at a place.
    Glyph {
        /// Position.
        at: (f64, f64),
        /// Shape.
        glyph: Glyph,
        /// Whose colour.
        role: Role,
    },
    /// Text beside a place.
    Text {
        /// Position.
        at: (f64, f64),
        /// What it says.
        text: &'a str,
        /// Whose colour.
        role: Role,
        /// To the left of the place instead of to the right.
        left: bool,
    },
}

impl Mark<'_> {
    /// What of it is put over all other marks, if anything is.
    pub fn label(&self) -> Option<Label<'_>> {
        match *self {
            Self::Rule { name: "", .. }
            | Self::Curve(_)
            | Self::Band { .. }
            | Self::Bars { .. }
            | Self::Spikes { .. }
            | Self::Image(_)
            | Self::Segments { .. }
            | Self::Arrows { .. }
            | Self::Edge { .. } => None,
            Self::Rule { name, at, vertical } => Some(Label::Rule { name, at, vertical }),
            Self::Glyph { at, glyph, role } => Some(Label::Glyph { at, glyph, role }),
            Self::Text { at, ref text, role, left } => Some(Label::Text { at, text, role, left }),
        }
    }
}

/// Pyramids of the long curves of one shape, so that zooming a trace of 10^8 samples stays quick. Make one when a
/// result arrives (off the drawing thread) and hand it to [`with_pyramids`] at each frame.
#[derive(Debug, Clone, Default)]
pub struct Pyramids(Vec<Option<Pyramid>>);

impl Pyramids {
    /// Of the curves of `shape` that are long enough to need one.
    pub fn of(shape: &NamedShape) -> Self {
        let curves: &[Curve] = match &shape.shape {
            Shape::Series(s) => &s.curves,
            Shape::Raster(r) => &r.rate.curves,
            Shape::Phase(p) => &p.trajectories,
            _ => &[],
        };
        Self(curves.iter().map(|c| (c.y.len() >= super::reduce::LONG).then(|| Pyramid::new(&c.x, &c.y))).collect())
    }

    /// That of curve `index`.
    pub fn get(&self, index: usize) -> Option<&Pyramid> {
        self.0.get(index).and_then(Option::as_ref)
    }
}

/// The scene of a shape as `view` looks at it.
pub fn of<'a>(shape: &'a NamedShape, view: &View) -> Scene<'a> {
    with_pyramids(shape, view, const { &Pyramids(Vec::new()) })
}

/// The same, with block extremes of long curves made beforehand.
pub fn with_pyramids<'a>(shape: &'a NamedShape, view: &View, pyramids: &'a Pyramids) -> Scene<'a> {
    use super::build;
    let body = match &shape.shape {
        Shape::Scalars(s) => Body::Table(&s.rows),
        Shape::Card(c) => Body::Text(&c.sections),
        Shape::Series(s) => Body::Plot(build::curves::series(s, view, pyramids)),
        Shape::Distribution(d) => Body::Plot(build::curves::distribution(d, view)),
        Shape::Raster(r) => Body::Plot(build::raster::raster(r, view, pyramids)),
        Shape::Image(i) => Body::Plot(build::field::image(i, view)),
        Shape::Matrix(m) => Body::Plot(build::field::matrix(m, view)),
        Shape::Phase(p) => Body::Plot(build::portrait::phase(p, view, pyramids)),
        Shape::Graph { nodes, edges } => Body::Plot(build::portrait::graph(nodes, edges)),
    };
    Scene { title: shape.name.clone(), body, cursor: view.cursor, scroll: view.scroll }
}
