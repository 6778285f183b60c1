//! The stretch of time that is seen first: nobody opens an oscillation of a minute to see a solid block.

use crate::panes::pane::Pane;
use spikedeck_scenario::Spec;
use spikedeck_signal::{Curve, CurveStyle, Shape, Window};

/// Events that are seen first: enough to see that they repeat, few enough to see what each looks like.
const EVENTS: usize = 30;
/// More than this are a block on any screen.
const TOO_MANY: usize = 45;
/// What goes on to the end with less than this share of the whole range has died away.
const SETTLED: f64 = 0.02;

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
    // Analyses may leave an onset out: what is seen first is what all panes have.
    let middle = f64::midpoint(window.start, window.stop);
    let starts = panes.iter().filter(|p| p.is_time_of_run()).filter_map(Pane::own_x).map(|x| x.0);
    let from = starts.filter(|start| *start < middle).fold(window.start + transient, f64::max);
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

/// Times at which a curve rises through the middle of what it settles to, from a time on; wiggles about the middle are
/// none.
fn rises(curve: &Curve, from: f64) -> Vec<f64> {
    let samples = || curve.x.iter().zip(&curve.y).filter(|(x, y)| **x >= from && y.is_finite());
    let extent = |after: f64| {
        let all = samples().filter(|(x, _)| **x >= after).map(|(_, y)| *y);
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)))
    };
    let (mut low, mut high) = extent(from);
    if low >= high {
        return Vec::new();
    }
    // An onset that reaches farther than all that follows would hide that; what has died away is no oscillation.
    let last = samples().next_back().map_or(from, |(x, _)| *x);
    let settled = extent(f64::midpoint(from, last));
    if settled.1 - settled.0 >= SETTLED * (high - low) {
        (low, high) = settled;
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

    /// An onset that reaches beyond the oscillation, by whatever factor, hides none of it; where nothing goes on, the
    /// onset is what there is to see.
    #[test]
    fn an_onset_does_not_hide_what_follows() {
        let whole = Window { start: 0.0, stop: 4000.0 };
        for factor in [1.0, 2.0, 5.0, 20.0] {
            let mut pane = pane("trace/a", 200);
            let Shape::Series(series) = &pane.shape.shape else { panic!() };
            let mut series = series.clone();
            series.curves[0].y[..3].fill(factor);
            pane = Pane::new("trace/a", "V_m", Shape::Series(series), "");
            let (from, to) = opening(&[pane], None, whole).unwrap_or_else(|| panic!("onset of {factor}"));
            assert!((500.0..=800.0).contains(&(to - from)), "{factor}: {from} to {to}");
        }
        let Shape::Series(series) = &pane("trace/a", 200).shape.shape.clone() else { panic!() };
        let mut dying = series.clone();
        let curve = &mut dying.curves[0];
        for (x, y) in curve.x.iter().zip(&mut curve.y) {
            *y *= (-x / 60.0).exp();
        }
        assert_eq!(opening(&[Pane::new("trace/a", "V_m", Shape::Series(dying), "")], None, whole), None);
    }

    /// What is seen first is there in all panes: an analysis that leaves an onset out moves the beginning, one that
    /// looks at the end alone does not, nor does what is of no time of the run.
    #[test]
    fn it_begins_where_all_panes_have_something() {
        let whole = Window { start: 0.0, stop: 20_000.0 };
        let late = |from: f64, label: &str| {
            let x: Vec<f64> = (0..100).map(|k| from + f64::from(k)).collect();
            let curve = Curve { y: x.clone(), x, ..Curve::default() };
            let time = Axis { is_time: true, ..Axis::new(label, "ms") };
            let series = Series { x: time, y: Axis::new("rate", "Hz"), curves: vec![curve], ..Series::default() };
            Pane::new("psd/a", "rate", Shape::Series(series), "")
        };
        let begins = |other: Pane| opening(&[pane("trace/a", 1000), other], None, whole).unwrap().0;
        assert!((4990.0..5030.0).contains(&begins(late(5000.0, "time"))));
        assert!(begins(late(15_000.0, "time")) < 100.0, "half of the run would be left out");
        assert!(begins(late(5000.0, "time in the trial")) < 100.0);
    }
}
