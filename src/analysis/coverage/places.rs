//! What is measured in space.

use super::processes::normals;
use super::{Case, Looked, analyse};
use crate::equation_fixtures::Model;
use crate::testing::{subject, traces};
use spikedeck_core::units::Dimension;
use spikedeck_equation::TimeUnit;
use spikedeck_scenario::{Boundary, GridSpec};

/// A step that goes from left to right at 2 cells a sample; its arrivals scatter by `own`, and by `kept` more in each
/// cell than in the one before.
fn front(seed: u64, own: f64, kept: f64) -> crate::Outcome {
    let cells = 100;
    let model =
        Model { equations: "du/dt = -u : 1", initial: &["0"], time_unit: TimeUnit::Dimensionless, ..Model::default() };
    let mut scenario = model.scenario(1.0, 100, &[]);
    scenario.populations[0].size = cells;
    scenario.populations[0].grid = Some(GridSpec {
        shape: vec![cells],
        spacing: 1.0,
        length: Dimension::NONE,
        boundary: [Boundary::NoFlux, Boundary::NoFlux],
        noise: (0.0, Dimension::NONE),
        noise_per: None,
        pointwise: None,
        allow_unstable: false,
    });
    let (one, more) = (normals(seed, 0, cells), normals(seed, 1, cells));
    let mut late = 0.0;
    let columns: Vec<Vec<f64>> = (0..cells)
        .map(|c| {
            late += kept * more[c];
            let at = 20.0 + 0.5 * c as f64 + own * one[c] + late;
            (0..100).map(|k| (f64::from(k) - at + 0.5).clamp(0.0, 1.0)).collect()
        })
        .collect();
    let mut recording = traces(&columns, 1.0);
    recording.time_base = spikedeck_signal::TimeBase::Dimensionless;
    analyse("front", seed, &recording, Some(&scenario), Looked::of(vec![subject("V_m", &[])]), &[])
}

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("arrivals that scatter by 0.5 samples about 2 cells a sample", |s| front(s, 0.5, 0.0))
            .holds("speed", 2.0),
        Case::new("a front whose delays add up, by 0.2 samples a cell", |s| front(s, 0.0, 0.2))
            .without("speed", "how late a cell is depends on its neighbours"),
    ]
}
