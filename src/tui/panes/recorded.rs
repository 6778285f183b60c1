//! What was recorded, as panes: the raster of all spikes, traces of each variable, and where many units were recorded a
//! picture of all of them: a plane from above, a map over units and time, their values at the end.

use std::collections::HashMap;
use std::sync::Arc;

use crate::panes::movie::{Movie, shown};
use crate::panes::pane::Pane;
use spikedeck_analysis::Cells;
use spikedeck_core::units::short;
use spikedeck_plot::nice_step;
use spikedeck_scenario::{PopulationSpec, Spec};
use spikedeck_signal::{
    Axis, Card, Curve, CurveStyle, Image, Raster, RasterGroup, Recording, Series, Shape, Spikes, Trace,
};

/// What a pane of a recording is: this decides where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaneKind {
    /// All spikes.
    Raster,
    /// A variable over time, of one or a few units.
    Trace,
    /// All units of a variable over time.
    Map,
    /// All units at the end.
    Profile,
    /// A plane from above.
    Plane,
}

/// A pane of a recording.
pub struct Recorded {
    /// The pane.
    pub pane: Pane,
    /// What it is.
    pub kind: PaneKind,
    /// Populations or projections it is about.
    pub places: Vec<String>,
    /// The variable; empty for spikes.
    pub variable: String,
    /// Whether its few curves stand for so many units that they say little.
    pub crowd: bool,
    /// Whether it shows every unit that was recorded.
    pub all: bool,
}

/// More curves than this cannot be told apart in one pane; the table has them all.
const TRACES_SHOWN: usize = 6;
/// Voltages of spiking units cross each other all the time.
const SPIKING_SHOWN: usize = 3;
/// Most populations of one unit each whose traces share a pane.
const TOGETHER: usize = 3;
/// From so many units on a picture of all of them says more than a few curves.
const MAPPED: usize = 12;
/// A map of more units without an order in space is noise; so is a handful of curves of them.
const CROWD: usize = 512;
/// Most columns of a map: more than a wide terminal has pixels.
const WIDEST: usize = 600;
/// Most variables of a recording that have panes.
const VARIABLES: usize = 60;
/// Most connections whose values at the end are shown one by one: beyond, their distribution says more.
const LISTED: usize = 200;

/// A population or projection, where the scenario is known.
enum Origin<'a> {
    Population(&'a PopulationSpec),
    Projection,
    Unknown,
}

impl<'a> Origin<'a> {
    fn of(spec: Option<&'a Spec>, name: &str) -> Self {
        let Some(spec) = spec else { return Self::Unknown };
        if let Some(p) = spec.populations.iter().find(|p| p.name == name) {
            return Self::Population(p);
        }
        spec.projections.iter().find(|p| p.name == name).map_or(Self::Unknown, |_| Self::Projection)
    }

    /// What a unit is called: the place on a tree, the cell of a grid, else its number.
    fn unit(&self, unit: u32) -> String {
        match self {
            Self::Population(PopulationSpec { tree: Some(tree), .. }) => tree.name(unit as usize),
            Self::Population(PopulationSpec { grid: Some(grid), .. }) => match grid.shape[..] {
                [width, _] => format!("cell ({}, {})", unit as usize % width, unit as usize / width),
                _ => format!("cell {unit}"),
            },
            Self::Projection => format!("connection {unit}"),
            _ => format!("unit {unit}"),
        }
    }

    /// What its units are, in the plural.
    fn units(&self) -> &'static str {
        match self {
            Self::Population(PopulationSpec { tree: Some(_), .. }) => "compartments",
            Self::Population(PopulationSpec { grid: Some(_), .. }) => "cells",
            Self::Projection => "connections",
            _ => "units",
        }
    }

    /// Whether a state is an angle, which counts its turns as it goes round.
    fn turns(&self, state: &str) -> bool {
        matches!(self, Self::Population(p) if p.model.circular.iter().any(|c| c == state))
    }

    fn spikes(&self) -> bool {
        matches!(self, Self::Population(p) if p.system.spikes() && p.grid.is_none() && p.tree.is_none())
    }

    /// Whether its units have an order in space.
    fn in_space(&self) -> bool {
        matches!(self, Self::Population(p) if p.grid.is_some() || p.tree.is_some())
    }
}

/// A variable of a population with everything that was recorded of it: requests with other units or intervals are
/// joined.
struct Variable<'a> {
    population: &'a str,
    what: &'a str,
    traces: Vec<&'a Trace>,
    units: usize,
    /// Whether it is an angle, of which the part of a turn is shown.
    turns: bool,
}

impl<'a> Variable<'a> {
    /// The first variables of a recording, and the number of those that are left: of tens of thousands of panes nobody
    /// looks at one.
    fn all(recording: &'a Recording, spec: Option<&Spec>) -> (Vec<Self>, usize) {
        let mut all: Vec<Self> = Vec::new();
        let mut places: HashMap<(&str, &str), Option<usize>> = HashMap::new();
        for trace in &recording.traces {
            let (population, what) = (trace.population.as_str(), trace.variable.as_str());
            match places.get(&(population, what)) {
                Some(Some(at)) => {
                    all[*at].units += trace.units.len();
                    all[*at].traces.push(trace);
                }
                Some(None) => {}
                None => {
                    let at = (all.len() < VARIABLES).then_some(all.len());
                    places.insert((population, what), at);
                    if at.is_some() {
                        let turns = Origin::of(spec, population).turns(what);
                        all.push(Self { population, what, traces: vec![trace], units: trace.units.len(), turns });
                    }
                }
            }
        }
        let untold = places.len() - all.len();
        (all, untold)
    }

    fn name(&self) -> String {
        format!("{}.{}", self.population, self.what)
    }

    fn axis(&self) -> Axis {
        let label = if self.turns { format!("{} mod 2pi", self.what) } else { self.what.to_owned() };
        Axis::new(label, self.traces[0].unit.clone())
    }

    /// The request with most units.
    fn widest(&self) -> &'a Trace {
        self.traces.iter().copied().max_by_key(|t| t.units.len()).unwrap_or(self.traces[0])
    }

    /// A value as it is shown: turns of an angle that are counted on for minutes are a ramp in which no phase can be
    /// seen.
    fn shown(&self, value: f64) -> f64 {
        shown(value, self.turns)
    }

    /// Curves of at most `most` units, spread over all that were recorded.
    fn curves(&self, most: usize, name: impl Fn(u32) -> String) -> Vec<Curve> {
        let all: Vec<(&Trace, usize)> =
            self.traces.iter().flat_map(|t| (0..t.units.len()).map(move |j| (*t, j))).collect();
        let shown = all.len().min(most);
        (0..shown)
            .map(|k| all[if shown < 2 { 0 } else { k * (all.len() - 1) / (shown - 1) }])
            .map(|(t, j)| Curve {
                name: name(t.units[j]),
                x: (0..t.len()).map(|k| t.time(k)).collect(),
                y: t.values.iter().skip(j).step_by(t.units.len()).map(|&v| self.shown(v)).collect(),
                // A line from the end of a turn to the beginning of the next would be none of the angle's.
                style: if self.turns { CurveStyle::Points } else { CurveStyle::Line },
                ..Curve::default()
            })
            .collect()
    }
}

/// Panes of a recording; `time` is the axis that a run which lasts will fill.
pub fn panes(recording: &Arc<Recording>, spec: Option<&Spec>, time: Option<(f64, f64)>) -> Vec<Recorded> {
    let mut panes = Vec::new();
    if !recording.spikes.is_empty() {
        let n: usize = recording.spikes.iter().map(Spikes::len).sum();
        let units: usize = recording.spikes.iter().map(|s| s.size).sum();
        let words =
            format!("{n} spike{} of {units} unit{}", if n == 1 { "" } else { "s" }, if units == 1 { "" } else { "s" });
        panes.push(Recorded {
            pane: Pane::new("spikes", "Spikes", Shape::Raster(raster(recording, time)), words),
            kind: PaneKind::Raster,
            places: recording.spikes.iter().map(|s| s.population.clone()).collect(),
            variable: String::new(),
            crowd: false,
            all: true,
        });
    }
    let (variables, untold) = Variable::all(recording, spec);
    let mut joined: Vec<(&str, &str)> = Vec::new();
    for v in &variables {
        if joined.contains(&(v.population, v.what)) {
            continue;
        }
        let place = Origin::of(spec, v.population);
        let alike: Vec<&Variable<'_>> =
            variables.iter().filter(|o| o.what == v.what && o.traces[0].unit == v.traces[0].unit).collect();
        if (2..=TOGETHER).contains(&alike.len()) && alike.iter().all(|o| o.units == 1) {
            joined.extend(alike.iter().map(|o| (o.population, o.what)));
            panes.push(together(recording, &alike));
            continue;
        }
        pictures(recording, time.is_some(), v, &place, &mut panes);
        let most = if v.units > TRACES_SHOWN && place.spikes() { SPIKING_SHOWN } else { TRACES_SHOWN };
        let series = Series {
            x: Axis::time(recording.time_base),
            y: v.axis(),
            curves: v.curves(most, |u| if v.units == 1 { String::new() } else { place.unit(u) }),
            ..Series::default()
        };
        let summary = match v.units {
            1 if matches!(&place, Origin::Population(p) if p.size > 1) => place.unit(v.traces[0].units[0]),
            1 => String::new(),
            n if n > series.curves.len() => format!("{} of {n} recorded {}", series.curves.len(), place.units()),
            n => format!("{n} {}", place.units()),
        };
        panes.push(Recorded {
            pane: Pane::new(format!("trace/{}", v.name()), v.name(), Shape::Series(series), summary),
            kind: PaneKind::Trace,
            places: vec![v.population.to_owned()],
            variable: v.what.to_owned(),
            crowd: v.units > CROWD,
            all: v.units <= TRACES_SHOWN,
        });
    }
    panes.extend((untold > 0).then(|| rest(untold)));
    panes
}

/// What is said of the variables that have no pane.
fn rest(untold: usize) -> Recorded {
    let text = format!(
        "{untold} more variables were recorded and have no pane here. A table of them, or what `spikedeck analyze` \
         measures of them, is read more easily."
    );
    let card = Card::prose([(String::new(), text)]);
    let summary = format!("{untold} have no pane");
    Recorded {
        pane: Pane::new("rest", "More variables", Shape::Card(card), summary),
        kind: PaneKind::Trace,
        places: vec![String::new()],
        variable: String::new(),
        crowd: true,
        all: false,
    }
}

/// One unit of each of a few populations: what differs between them is what one wants to see.
fn together(recording: &Recording, all: &[&Variable<'_>]) -> Recorded {
    let names: Vec<&str> = all.iter().map(|v| v.population).collect();
    let curves = all.iter().flat_map(|v| v.curves(1, |_| v.population.to_owned())).collect();
    let series = Series { x: Axis::time(recording.time_base), y: all[0].axis(), curves, ..Series::default() };
    let (last, others) = names.split_last().map_or(("", &names[..]), |(l, o)| (*l, o));
    let title = format!("{} of {} and {last}", all[0].what, others.join(", "));
    let key = format!("trace/{}.{}", names.join("+"), all[0].what);
    Recorded {
        pane: Pane::new(key, title, Shape::Series(series), String::new()),
        kind: PaneKind::Trace,
        places: names.iter().map(|n| (*n).to_owned()).collect(),
        variable: all[0].what.to_owned(),
        crowd: false,
        all: true,
    }
}

/// Pictures of all units of a variable.
fn pictures(recording: &Arc<Recording>, live: bool, v: &Variable<'_>, place: &Origin<'_>, panes: &mut Vec<Recorded>) {
    let trace = v.widest();
    if trace.is_empty() {
        return;
    }
    let made = |pane, kind| Recorded {
        pane,
        kind,
        places: vec![v.population.to_owned()],
        variable: v.what.to_owned(),
        crowd: false,
        all: true,
    };
    if let Origin::Population(p) = place
        && let Some(cells) = Cells::of(p)
        && trace.units.len() == p.size
        && trace.units.iter().enumerate().all(|(cell, &unit)| unit as usize == cell)
    {
        let last = trace.len() - 1;
        let values: Vec<f64> = trace.values[last * p.size..].iter().map(|&value| v.shown(value)).collect();
        let image = cells.image(&values, v.axis());
        let words = format!("at {} {}", short(trace.time(last)), recording.time_base.unit());
        let title = format!("{} in the plane", v.name());
        let mut pane = Pane::new(format!("plane/{}", v.name()), title, Shape::Image(image), words.trim_end());
        // While a run lasts the plane moves by itself.
        pane.movie = if live { None } else { Movie::of(recording, trace, v.turns).map(Arc::new) };
        panes.push(made(pane, PaneKind::Plane));
        return;
    }
    let listed = matches!(place, Origin::Projection) || !place.in_space();
    if v.units > TRACES_SHOWN && v.units <= LISTED && listed && !place.spikes() && !matches!(place, Origin::Unknown) {
        let last = trace.len() - 1;
        let n = trace.units.len();
        let values = |sample: usize| trace.values[sample * n..(sample + 1) * n].iter().map(|&x| v.shown(x)).collect();
        let x: Vec<f64> = trace.units.iter().map(|&u| f64::from(u)).collect();
        let curve = |name: String, y, style| Curve { name, x: x.clone(), y, band: None, style };
        let time =
            |sample| format!("{} {}", short(trace.time(sample)), recording.time_base.unit()).trim_end().to_owned();
        let mut curves = vec![curve(format!("at {}", time(last)), values(last), CurveStyle::Points)];
        if last > 0 {
            curves.insert(0, curve(format!("at {}", time(0)), values(0), CurveStyle::Chance));
        }
        let unit = place.units().trim_end_matches('s');
        let series = Series { x: Axis::new(unit, ""), y: v.axis(), curves, ..Series::default() };
        let words = format!("{n} {}, at the start and at the end", place.units());
        let title = format!("{} of each {unit}", v.name());
        panes.push(made(
            Pane::new(format!("profile/{}", v.name()), title, Shape::Series(series), words),
            PaneKind::Profile,
        ));
    }
    let one_tree = !matches!(place, Origin::Population(p) if p.tree.as_ref().is_some_and(|t| t.cells > 1));
    let sheet = matches!(place, Origin::Population(p) if p.grid.as_ref().is_some_and(|g| g.shape.len() > 1));
    let ordered = matches!(place, Origin::Population(_)) && !place.spikes() && one_tree && !sheet;
    if trace.units.len() > MAPPED && ordered && (place.in_space() || v.units <= CROWD) {
        let words = format!("{} {}", trace.units.len(), place.units());
        let title = format!("{} over {} and time", v.name(), place.units());
        let pane = Pane::new(format!("map/{}", v.name()), title, Shape::Image(map(recording, trace, v, place)), words);
        panes.push(made(pane, PaneKind::Map));
    }
}

/// Units from bottom to top over time.
fn map(recording: &Recording, trace: &Trace, v: &Variable<'_>, place: &Origin<'_>) -> Image {
    let n = trace.units.len();
    let thin = trace.len().div_ceil(WIDEST);
    let chosen: Vec<usize> = (0..trace.len()).step_by(thin).collect();
    let last = chosen.last().copied().unwrap_or(0);
    let line = match place {
        Origin::Population(PopulationSpec { grid: Some(grid), .. }) => {
            Some((grid.spacing, spikedeck_core::units::display_unit(grid.length)))
        }
        _ => None,
    };
    let (ends, axis) = match line {
        Some((spacing, unit)) => {
            let at = |k: u32| (f64::from(k) + 0.5) * spacing / unit.scale;
            ((at(trace.units[0]), at(trace.units[n - 1])), Axis::new("position", unit.symbol))
        }
        None => ((0.0, (n - 1) as f64), Axis::new(place.units().trim_end_matches('s'), "")),
    };
    Image {
        x: Axis::time(recording.time_base),
        y: axis,
        value: v.axis(),
        x_range: (trace.time(0), trace.time(last)),
        y_range: ends,
        width: chosen.len(),
        height: n,
        values: chosen.iter().flat_map(|k| trace.values[k * n..(k + 1) * n].iter().map(|&x| v.shown(x))).collect(),
        diverging: false,
    }
}

/// Spikes of all populations with their rates below, in about 300 bins of a round width.
fn raster(recording: &Recording, time: Option<(f64, f64)>) -> Raster {
    let window = recording.window;
    let extent = time.unwrap_or((window.start, window.stop));
    let bin = nice_step((extent.1 - extent.0) / 300.0);
    let per_second = recording.time_base.seconds();
    let groups = recording
        .spikes
        .iter()
        .map(|s| RasterGroup {
            name: s.population.clone(),
            size: s.size,
            times: s.times.clone(),
            units: s.units.clone(),
        })
        .collect();
    let curves =
        recording.spikes.iter().filter_map(|s| rate_curve(s, (window.start, window.stop), bin, per_second)).collect();
    let y = Axis::new("rate", recording.time_base.rate_unit());
    Raster {
        x: Axis::time(recording.time_base),
        extent,
        groups,
        rate: Series { x: Axis::time(recording.time_base), y, curves, ..Series::default() },
    }
}

fn rate_curve(spikes: &Spikes, window: (f64, f64), bin: f64, per_second: f64) -> Option<Curve> {
    let count = ((window.1 - window.0) / bin + 1e-9).floor();
    if !(1.0..1e6).contains(&count) || spikes.size == 0 {
        return None;
    }
    let mut counts = vec![0u32; count as usize];
    for &t in &spikes.times {
        // Bins are open at the start and closed at the stop.
        let k = ((t - window.0) / bin - 1e-9).floor();
        if k >= 0.0 && (k as usize) < counts.len() {
            counts[k as usize] += 1;
        }
    }
    let scale = 1.0 / (bin * per_second * spikes.size as f64);
    Some(Curve {
        name: spikes.population.clone(),
        x: (1..=counts.len()).map(|k| window.0 + k as f64 * bin).collect(),
        y: counts.into_iter().map(|c| f64::from(c) * scale).collect(),
        style: CurveStyle::Steps,
        ..Curve::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recording;

    #[test]
    fn the_rate_below_the_raster_is_the_rate() {
        let r = raster(&recording(), None);
        assert_eq!(r.extent, (0.0, 1000.0));
        let c = &r.rate.curves[0];
        assert_eq!(c.x.len(), 200, "bins of 5 ms");
        // One spike of 20 units in every 5 ms: 10 Hz.
        assert!(c.y.iter().all(|y| (y - 10.0).abs() < 1e-9), "{:?}", c.y);
    }

    fn trace(population: &str, units: Vec<u32>) -> Trace {
        let n = units.len();
        let values = (0..3 * n).map(|k| (k % n) as f64).collect();
        Trace {
            population: population.into(),
            variable: "V_m".into(),
            unit: "mV".into(),
            units,
            interval: 1.0,
            values,
            ..Trace::default()
        }
    }

    /// The first six of a hundred would be one corner of what was recorded.
    #[test]
    fn few_curves_stand_for_all_units() {
        let recording = Arc::new(Recording { traces: vec![trace("p", (0..100).collect())], ..Recording::default() });
        let panes = panes(&recording, None, None);
        let pane = &panes.iter().find(|p| p.kind == PaneKind::Trace).unwrap().pane;
        let Shape::Series(s) = &pane.shape.shape else { panic!() };
        let names: Vec<&str> = s.curves.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["unit 0", "unit 19", "unit 39", "unit 59", "unit 79", "unit 99"]);
        assert_eq!(s.curves[5].y, [99.0; 3]);
        assert_eq!(pane.summary, "6 of 100 recorded units");
    }

    #[test]
    fn single_units_of_a_few_populations_share_a_pane() {
        let recording = Arc::new(Recording {
            traces: vec![trace("left", vec![0]), trace("right", vec![0])],
            ..Recording::default()
        });
        let made = panes(&recording, None, None);
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].pane.title, "V_m of left and right");
        let traces = ["a", "b", "c", "d"].map(|n| trace(n, vec![0])).to_vec();
        assert_eq!(
            panes(&Arc::new(Recording { traces, ..Recording::default() }), None, None).len(),
            4,
            "four of them cannot be told apart"
        );
    }

    /// An angle is shown as the part of its turn, in whatever pane; the recording keeps its turns.
    #[test]
    fn angles_are_shown_as_parts_of_a_turn() {
        let (spec, _) = spikedeck_run::load("kuramoto-transition", &[]).unwrap();
        for units in [1, 5, 40] {
            let mut angles = trace("oscillators", (0..units).collect());
            angles.variable = "theta".into();
            angles.unit = String::new();
            for (k, value) in angles.values.iter_mut().enumerate() {
                *value = k as f64 * 37.0 - 500.0;
            }
            let whole = Arc::new(Recording { traces: vec![angles], ..Recording::default() });
            let made = panes(&whole, Some(&spec), None);
            assert!(!made.is_empty());
            for r in &made {
                let values: Vec<f64> = match &r.pane.shape.shape {
                    Shape::Series(s) => {
                        assert_eq!(s.y.label, "theta mod 2pi");
                        s.curves.iter().flat_map(|c| c.y.clone()).collect()
                    }
                    Shape::Image(image) => image.values.clone(),
                    other => panic!("{other:?}"),
                };
                assert!(values.len() >= 3 && values.iter().all(|v| (0.0..std::f64::consts::TAU).contains(v)));
            }
            let Shape::Series(s) = &made.iter().find(|r| r.kind == PaneKind::Trace).unwrap().pane.shape.shape else {
                panic!()
            };
            assert!(s.curves.iter().all(|c| c.style == CurveStyle::Points));
            assert_eq!(s.curves[0].y[0], (-500.0_f64).rem_euclid(std::f64::consts::TAU));
            assert_eq!(whole.traces[0].values[0], -500.0, "what was recorded is as it was");
        }
        let voltage = Arc::new(Recording { traces: vec![trace("oscillators", vec![0])], ..Recording::default() });
        let Shape::Series(s) = &panes(&voltage, Some(&spec), None)[0].pane.shape.shape.clone() else { panic!() };
        assert_eq!((s.curves[0].style, s.y.label.as_str()), (CurveStyle::Line, "V_m"));
    }

    /// A table of very many columns opens at once, with panes of the first and a word of the rest; none of what belongs
    /// to a variable that is shown is lost, wherever it stands.
    #[test]
    fn of_very_many_variables_the_first_have_panes() {
        let named = |k: usize| Trace { variable: format!("v{k}"), ..trace("p", vec![k as u32, k as u32 + 1]) };
        let mut traces: Vec<Trace> = (0..20_000).map(named).collect();
        traces.push(Trace { variable: "v3".into(), ..trace("p", vec![7]) });
        let made = panes(&Arc::new(Recording { traces, ..Recording::default() }), None, None);
        assert_eq!(made.len(), VARIABLES + 1);
        assert!(made[VARIABLES].pane.summary.starts_with("19940 "));
        let third = made.iter().find(|r| r.variable == "v3").unwrap();
        assert_eq!(third.pane.summary, "3 units", "what follows at the end is of it too");
        let few =
            panes(&Arc::new(Recording { traces: (0..60).map(named).collect(), ..Recording::default() }), None, None);
        assert!(few.iter().all(|r| r.pane.key != "rest"));
    }
}
