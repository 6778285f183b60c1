//! Shapes: what an analysis returns to be drawn and tabulated. Panes, tables and figures know shapes, never analyses.

use serde::{Deserialize, Serialize};

use super::card::Card;
use super::metric::Metric;

/// How an axis maps values to length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Scale {
    /// Proportional.
    #[default]
    Linear,
    /// Logarithmic; values at or below zero are not shown.
    Log,
}

/// An axis: what it shows, in which unit, and how it is first drawn.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Axis {
    /// What it shows (`frequency`, `V_m`).
    pub label: String,
    /// Its unit (`Hz`, `mV`; empty for plain numbers).
    pub unit: String,
    /// How it is first drawn (the reader may change it).
    pub scale: Scale,
    /// Whether panes with an axis of the same kind move together (time axes do).
    pub is_time: bool,
}

impl Axis {
    /// A linear axis.
    pub fn new(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { label: label.into(), unit: unit.into(), ..Self::default() }
    }

    /// A time axis, linked to the other time axes.
    pub fn time(base: super::time::TimeBase) -> Self {
        Self { label: "time".into(), unit: base.unit().into(), scale: Scale::Linear, is_time: true }
    }

    /// An axis of the frequencies `x`: logarithmic where those above zero reach over two decades or more, since rhythms
    /// lie octaves apart and backgrounds fall by powers.
    pub fn frequency(unit: impl Into<String>, x: &[f64]) -> Self {
        let above = || x.iter().copied().filter(|f| *f > 0.0 && f.is_finite());
        let (low, high) = (above().fold(f64::INFINITY, f64::min), above().fold(0.0, f64::max));
        let axis = Self::new("frequency", unit);
        if high >= 100.0 * low { axis.log() } else { axis }
    }

    /// The same, logarithmic.
    #[must_use]
    pub fn log(mut self) -> Self {
        self.scale = Scale::Log;
        self
    }

    /// Label with unit: `frequency (Hz)`.
    pub fn title(&self) -> String {
        if self.unit.is_empty() {
            self.label.clone()
        } else {
            format!("{} ({})", self.label, spikedeck_core::number::unit_text(&self.unit))
        }
    }
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CurveStyle {
    /// Joined by lines.
    #[default]
    Line,
    /// Each point a mark.
    Points,
    /// Constant since the point before: bins, each with the time of its end, as everything that is recorded.
    Steps,
    /// What theory says, drawn over the data (dashed).
    Theory,
    /// A chance level or surrogate band (dim).
    Chance,
}

/// One curve of a [`Series`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Curve {
    /// What the legend says.
    pub name: String,
    /// Abscissae, ascending unless the curve is a path.
    pub x: Vec<f64>,
    /// Ordinates; NaN where there is no value.
    pub y: Vec<f64>,
    /// Lower and upper end of the interval at each point, if known.
    pub band: Option<(Vec<f64>, Vec<f64>)>,
    /// How it is drawn.
    pub style: CurveStyle,
}

/// Where the step begins that ends at point `k` of ascending abscissae: at the point before, and the first is as long
/// as the second. A single one has no length.
pub fn step_begin(x: &[f64], k: usize) -> f64 {
    match (k, x) {
        (0, [first, second, ..]) => first - (second - first),
        (0, _) => x[0],
        _ => x[k - 1],
    }
}

/// A line across a pane with a name: a threshold, a chance level, a band edge, a theoretical value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceLine {
    /// What it is.
    pub name: String,
    /// Value on the axis.
    pub at: f64,
    /// Whether it stands on the x axis (vertical line) or the y axis.
    pub vertical: bool,
}

/// Curves over one x axis.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Series {
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// The curves.
    pub curves: Vec<Curve>,
    /// Lines across.
    pub references: Vec<ReferenceLine>,
}

/// A histogram or density.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Distribution {
    /// Axis of the values.
    pub x: Axis,
    /// Axis of counts or density.
    pub y: Axis,
    /// Bin edges, one more than counts.
    pub edges: Vec<f64>,
    /// Named sets of heights, each as long as there are bins.
    pub heights: Vec<(String, Vec<f64>)>,
    /// Lines across.
    pub references: Vec<ReferenceLine>,
}

/// A matrix with named rows and columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Matrix {
    /// What the entries are, with unit.
    pub value: Axis,
    /// What rows are (`source`).
    pub row_axis: String,
    /// What columns are (`target`).
    pub column_axis: String,
    /// Row names.
    pub rows: Vec<String>,
    /// Column names.
    pub columns: Vec<String>,
    /// Entries row by row; NaN where there is no value.
    pub values: Vec<f64>,
    /// Chance level of each entry, if known.
    pub chance: Option<Vec<f64>>,
    /// Whether each entry is significant after correction, if tested.
    pub significant: Option<Vec<bool>>,
    /// Whether zero is the natural middle of the colours.
    pub diverging: bool,
}

impl Matrix {
    /// What pairs of a row and a column gave, and whether that is significant: NaN, and not significant, where a pair
    /// gave nothing. What has no direction is `mirrored`: it stands in both cells of its pair.
    pub fn of_pairs(
        value: Axis,
        (row_axis, rows): (&str, Vec<String>),
        (column_axis, columns): (&str, Vec<String>),
        mirrored: bool,
        cells: impl IntoIterator<Item = ((usize, usize), f64, bool)>,
    ) -> Self {
        let width = columns.len();
        let mut values = vec![f64::NAN; rows.len() * width];
        let mut significant = vec![false; values.len()];
        for ((i, j), value, is_significant) in cells {
            for cell in [Some(i * width + j), mirrored.then_some(j * width + i)].into_iter().flatten() {
                (values[cell], significant[cell]) = (value, is_significant);
            }
        }
        let (row_axis, column_axis, significant) = (row_axis.into(), column_axis.into(), Some(significant));
        Self { value, row_axis, column_axis, rows, columns, values, chance: None, significant, diverging: false }
    }
}

/// A run of units in a raster drawn in one colour.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RasterGroup {
    /// Name of the population.
    pub name: String,
    /// Number of rows.
    pub size: usize,
    /// Spike times, ascending.
    pub times: Vec<f64>,
    /// Row inside the group of each spike, `0..size`.
    pub units: Vec<u32>,
}

/// Spikes of populations, stacked, with the population rate below.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Raster {
    /// Time axis.
    pub x: Axis,
    /// Start and stop of the recorded stretch.
    pub extent: (f64, f64),
    /// Populations from top to bottom.
    pub groups: Vec<RasterGroup>,
    /// Rates over the same time axis, one curve a group, drawn below.
    pub rate: Series,
}

/// A regular image: spectrogram, space-time map.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Image {
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis (row 0 at the bottom).
    pub y: Axis,
    /// What the colours are.
    pub value: Axis,
    /// Centre of the first and the last column.
    pub x_range: (f64, f64),
    /// Centre of the first and the last row.
    pub y_range: (f64, f64),
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Values column by column (`values[column * height + row]`), so that live images append.
    pub values: Vec<f64>,
    /// Whether zero is the natural middle of the colours.
    pub diverging: bool,
}

impl Shape {
    /// Its axes of data across and up, where it has them: rows (of units, of a matrix) are none.
    pub fn axes(&self) -> (Option<&Axis>, Option<&Axis>) {
        match self {
            Self::Series(s) => (Some(&s.x), Some(&s.y)),
            Self::Distribution(d) => (Some(&d.x), Some(&d.y)),
            Self::Image(i) => (Some(&i.x), Some(&i.y)),
            Self::Phase(p) => (Some(&p.x), Some(&p.y)),
            Self::Raster(r) => (Some(&r.x), None),
            Self::Scalars(_) | Self::Matrix(_) | Self::Graph { .. } | Self::Card(_) => (None, None),
        }
    }
}

/// What happens near a fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stability {
    /// All eigenvalues have negative real part.
    Stable,
    /// All have positive real part.
    Unstable,
    /// Both kinds.
    Saddle,
    /// A real part is zero within rounding: linearisation does not decide.
    Marginal,
}

impl Stability {
    /// Its word in tables and texts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Unstable => "unstable",
            Self::Saddle => "saddle",
            Self::Marginal => "marginal",
        }
    }
}

/// A fixed point with what its linearisation says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FixedPoint {
    /// Position on the x axis.
    pub x: f64,
    /// Position on the y axis.
    pub y: f64,
    /// What happens near it.
    pub stability: Stability,
    /// Whether it is approached or left in a spiral.
    pub spiral: bool,
    /// Eigenvalues (real, imaginary), per unit of the time axis.
    pub eigenvalues: Vec<(f64, f64)>,
}

/// A phase portrait: trajectories, nullclines, fixed points, field.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PhasePortrait {
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// Trajectories (paths).
    pub trajectories: Vec<Curve>,
    /// Nullclines as sets of segments: name, and pairs of points.
    pub nullclines: Vec<(String, Vec<[f64; 4]>)>,
    /// Fixed points.
    pub fixed_points: Vec<FixedPoint>,
    /// Direction field: x, y, dx, dy (unit length in axis units of the first view).
    pub field: Vec<[f64; 4]>,
}

/// An edge of a directed graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphEdge {
    /// Index of the source node.
    pub from: usize,
    /// Index of the target node.
    pub to: usize,
    /// Weight for the line's strength.
    pub weight: f64,
}

/// A row of [`Scalars`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ScalarRow {
    /// What it is.
    pub name: String,
    /// The number with all that it rests on; its own names are empty.
    pub measured: Metric,
}

/// A list of numbers with intervals and chance levels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scalars {
    /// The rows.
    pub rows: Vec<ScalarRow>,
}

impl Scalars {
    /// The rows that `metrics` make: the usual shape of an analysis that measures numbers.
    pub fn from_metrics(metrics: &[Metric]) -> Self {
        let row = |m: &Metric| ScalarRow {
            name: format!("{} {}", m.subject, m.metric),
            measured: Metric {
                analysis: String::new(),
                subject: String::new(),
                metric: String::new(),
                // One end alone is no interval.
                ci_low: m.ends().map(|e| e.0),
                ci_high: m.ends().map(|e| e.1),
                grounds: Vec::new(),
                ..m.clone()
            },
        };
        Self { rows: metrics.iter().map(row).collect() }
    }
}

/// What an analysis returns to be drawn and tabulated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    /// Numbers with intervals and chance levels.
    Scalars(Scalars),
    /// Curves over one axis.
    Series(Series),
    /// A histogram or density.
    Distribution(Distribution),
    /// A matrix with named rows and columns.
    Matrix(Matrix),
    /// Spikes with the population rate.
    Raster(Raster),
    /// A regular image.
    Image(Image),
    /// Trajectories, nullclines, fixed points.
    Phase(PhasePortrait),
    /// Nodes and weighted edges.
    Graph {
        /// Node names.
        nodes: Vec<String>,
        /// Edges.
        edges: Vec<GraphEdge>,
    },
    /// Text in sections.
    Card(Card),
}

/// A shape with the name of its pane and table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedShape {
    /// Name, unique inside the outcome (`spectrum`, `band powers`).
    pub name: String,
    /// The shape.
    pub shape: Shape,
}

impl NamedShape {
    /// A named shape.
    pub fn new(name: impl Into<String>, shape: Shape) -> Self {
        Self { name: name.into(), shape }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two decades are far apart, a stretch of one rhythm is not; zero is no frequency that could be shown.
    #[test]
    fn an_axis_of_frequencies_is_logarithmic_over_decades() {
        let of = |x: &[f64]| Axis::frequency("Hz", x).scale;
        assert_eq!(of(&[0.0, 1.0, 50.0, 100.0]), Scale::Log);
        assert_eq!(of(&[1.0, 99.0]), Scale::Linear);
        assert_eq!(of(&[0.0]), Scale::Linear);
        assert_eq!(of(&[]), Scale::Linear);
        assert_eq!(Axis::frequency("Hz", &[0.1, 500.0]).title(), "frequency (Hz)");
    }
}
