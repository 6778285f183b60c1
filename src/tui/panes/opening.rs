//! The stretch of time that is seen first: nobody opens an oscillation of a minute to see a solid block.

use crate::panes::pane::Pane;
use spikedeck_scenario::Spec;
use spikedeck_signal::{Curve, CurveStyle, Shape, Window};

/// Events that are seen first: enough to see that they repeat, few enough to see what each looks like.
const EVENTS: usize = 30;
/// More than this are a block on any screen.
const TOO_MANY: usize = 45;

/// A stretch with some thirty events of the first pane, from the end of the transient on, where that pane is a trace
/// whose events could not be told apart; nothing where the whole can be looked at.
pub fn opening(panes: &[Pane], spec: Option<&Spec>, window: Window) -> Option<(f64, f64)> {
    let lead = panes.first().filter(|p| p.key.starts_with("trace/"))?;
    let Shape::Series(series) = &lead.shape.shape else { return None };
    if !series.x.is_time {
        return None;
    }
    let transient = spec.map_or(0.0, |s| {
        let simulation = &s.simulation;
        simulation.transient_steps as f64 * simulation.dt / simulation.time_base.seconds()
    });
    let from = window.start + transient;
    let curves = series.curves.iter().filter(|c| c.style == CurveStyle::Line);
    // The fastest of them is the one that would be solid.
    let events = curves.map(|c| rises(c, from)).max_by_key(Vec::len)?;
    let (first, last) = (*events.first()?, *events.get(EVENTS)?);
    if events.len() <= TOO_MANY {
        return None;
    }
    // A little before the first, so that its onset is seen.
    let each = (last - first) / EVENTS as f64;
    let start = (first - 2.0 * each).max(from);
    (last > start).then_some((start, last))
}

/// Times at which a curve rises through its middle, from a time on; wiggles about the middle are none.
fn rises(curve: &Curve, from: f64) -> Vec<f64> {
    let samples = || curve.x.iter().zip(&curve.y).filter(|(x, y)| **x >= from && y.is_finite());
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for (_, y) in samples() {
        (low, high) = (low.min(*y), high.max(*y));
    }
    if low >= high {
        return Vec::new();
    }
    let (middle, band) = (f64::midpoint(low, high), (high - low) * 0.1);
    let mut is_low = false;
    let mut found = Vec::new();
    for (x, y) in samples() {
        if *y < middle - band {
            is_low = true;
        } else if *y > middle + band && std::mem::take(&mut is_low) {
            found.push(*x);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::{Axis, Series};

    fn pane(key: &str, events: usize) -> Pane {
        let x: Vec<f64> = (0..events as u32 * 20).map(f64::from).collect();
        let y = x.iter().map(|x| (x / 20.0 * std::f64::consts::TAU).sin()).collect();
        let curve = Curve { name: "a".into(), x, y, ..Curve::default() };
        let time = Axis { is_time: true, ..Axis::new("time", "ms") };
        let series = Series { x: time, y: Axis::new("V_m", "mV"), curves: vec![curve], ..Series::default() };
        Pane::new(key, "V_m", Shape::Series(series), "")
    }

    #[test]
    fn a_block_is_opened_on_some_thirty_events() {
        let whole = Window { start: 0.0, stop: 20_000.0 };
        let (from, to) = opening(&[pane("trace/a", 1000)], None, whole).unwrap();
        let events = (to - from) / 20.0;
        assert!((25.0..=40.0).contains(&events), "{events} events from {from} to {to}");
        assert_eq!(opening(&[pane("trace/a", 40)], None, whole), None, "it can be looked at as it is");
        assert_eq!(opening(&[pane("spikes", 1000)], None, whole), None, "all spikes are shaded, not solid");
    }
}
