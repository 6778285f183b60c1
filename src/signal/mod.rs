//! What flows between the stages: spikes and traces in, shapes and metrics out.
//!
//! ```
//! use spikedeck_signal::{Metric, Recording, Scalars, Shape, SpikeTrains, Spikes};
//!
//! let spikes = Spikes { population: "exc".into(), size: 2, times: vec![1.0, 2.5, 4.0], units: vec![0, 1, 0] };
//! let recording = Recording { spikes: vec![spikes], ..Recording::default() };
//! let trains = SpikeTrains::new(&recording).of("exc", &[]).expect("they are recorded");
//! assert_eq!(trains.len(), 2);
//!
//! // A number stands beside its interval, its chance level and n; a shape says what it shows.
//! let cv = Metric::new("exc.spikes", "cv", 0.87, "", 246).interval(0.84, 0.9).chance(1.0);
//! let shape = Shape::Scalars(Scalars::from_metrics(&[cv]));
//! assert_eq!(shape.in_words(), "exc.spikes cv 0.87, 95 % CI [0.84, 0.9], chance 1, n 246");
//! ```

mod card;
mod column;
pub mod data;
mod file_columns;
mod ground;
mod metric;
mod metric_column;
mod on_disk;
mod recording;
mod shape;
mod spikes;
pub mod stretches;
mod tabulate;
mod time;
mod trace;
mod trains;
mod unit_table;
mod words;

pub use card::{Card, CardSection, Lines};
pub use column::{Categories, Column, Values};
pub use file_columns::{FileColumn, FileColumns};
pub use ground::{Basis, Ground};
pub use metric::{Metric, Outcome, Setting};
pub use metric_column::{MetricColumn, MetricKind, OverSeeds, Shown, Tone};
pub use on_disk::{OnDisk, Rows};
pub use recording::{Absent, Connections, Population, Recording, Trial, TrialTimes, written};
pub use shape::{
    Axis, Curve, CurveStyle, Distribution, FixedPoint, GraphEdge, Image, Matrix, NamedShape, PhasePortrait, Raster,
    RasterGroup, ReferenceLine, ScalarRow, Scalars, Scale, Series, Shape, Stability, step_begin,
};
pub use spikes::Spikes;
pub use tabulate::PLACE_OF_ENTRY;
pub use time::{TimeBase, Window};
pub use trace::Trace;
pub use trains::{SpikeTrains, Train};
pub use unit_table::{UnitMeasure, UnitTable};
