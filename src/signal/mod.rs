//! What flows between the stages: spikes and traces in, shapes and metrics out.

mod column;
pub mod data;
mod file_columns;
mod metric;
mod metric_column;
mod recording;
mod shape;
mod spikes;
mod tabulate;
mod time;
mod trace;
mod trains;
mod words;

pub use column::{Column, Names, Values};
pub use file_columns::{FileColumn, FileColumns};
pub use metric::{Metric, Outcome, Setting};
pub use metric_column::{MetricColumn, MetricKind, Shown, Tone};
pub use recording::{Connections, Population, Recording};
pub use shape::{
    Axis, Card, Curve, CurveStyle, Distribution, FixedPoint, GraphEdge, Image, Matrix, NamedShape, PhasePortrait,
    Raster, RasterGroup, ReferenceLine, ScalarRow, Scalars, Scale, Series, Shape, Stability,
};
pub use spikes::Spikes;
pub use time::{TimeBase, Window};
pub use trace::Trace;
pub use trains::{SpikeTrains, Train};
