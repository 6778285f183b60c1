//! What is drawn of tuning.

use super::Data;
use crate::prelude::*;
use spikedeck_core::decoding::Tuning;
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape};

/// Tuning curves that are shown.
const SHOWN: usize = 8;

/// Tuning curves of some units.
pub(super) fn tuning(data: &Data, whole: &Tuning) -> Shape {
    let step = data.units.len().div_ceil(SHOWN);
    let x: Vec<f64> = (0..data.axis.bins).map(|b| data.axis.centre(b)).collect();
    let curves = data.units.iter().zip(&whole.rates).step_by(step).map(|(name, y)| Curve {
        name: name.clone(),
        x: x.clone(),
        y: y.clone(),
        band: None,
        style: CurveStyle::Line,
    });
    Shape::Series(Series {
        x: Axis::new(data.label.clone(), data.unit.clone()),
        y: Axis::new("rate", "Hz"),
        curves: curves.collect(),
        references: Vec::new(),
    })
}

/// Fisher information of the counts of one bin at each value of the stimulus.
pub(super) fn fisher(data: &Data, whole: &Tuning) -> Shape {
    let x = (0..data.axis.bins).map(|b| data.axis.centre(b)).collect();
    let unit = if data.unit.is_empty() { String::new() } else { format!("1/{}**2", data.unit) };
    Shape::Series(Series {
        x: Axis::new(data.label.clone(), data.unit.clone()),
        y: Axis::new("Fisher information", unit),
        curves: vec![curve(data.name.as_str(), x, whole.fisher(), CurveStyle::Line)],
        references: Vec::new(),
    })
}
