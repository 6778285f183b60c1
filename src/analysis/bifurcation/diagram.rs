//! The pictures: states over the parameter, and how fast the cycles are.

use super::follow::Followed;
use crate::binding::{Bound, display};
use crate::prelude::*;
use spikedeck_core::continuation::{Branch, Kind};
use spikedeck_core::cycles::{self, Turn};
use spikedeck_signal::{Axis, Curve, CurveStyle, NamedShape, Series, Shape};

/// Curves that share a path: what is stable, what is not, and what is not known, with gaps wherever another has the
/// word.
#[derive(Default)]
struct Split {
    x: [Vec<f64>; 3],
    y: [Vec<f64>; 3],
}

/// Abscissae and ordinates of marks.
type Marks = (Vec<f64>, Vec<f64>);

/// Which of them a stability belongs to.
fn place(stable: Option<bool>) -> usize {
    match stable {
        Some(true) => 0,
        Some(false) => 1,
        None => 2,
    }
}

impl Split {
    /// Adds a path; where it changes, both curves have the point at which it does.
    fn path(&mut self, points: impl Iterator<Item = (f64, f64, Option<bool>)>) {
        let mut before: Option<(f64, f64, usize)> = None;
        for (x, y, stable) in points {
            let to = place(stable);
            if let Some((x, y, _)) = before.filter(|b| b.2 != to) {
                self.gap(to);
                self.push(to, x, y);
            }
            self.push(to, x, y);
            before = Some((x, y, to));
        }
        (0..3).for_each(|k| self.gap(k));
    }

    fn push(&mut self, to: usize, x: f64, y: f64) {
        self.x[to].push(x);
        self.y[to].push(y);
    }

    /// A curve goes on from another place: a point without a value stands between.
    fn gap(&mut self, to: usize) {
        if let Some(x) = self.x[to].last().copied().filter(|_| !self.y[to].last().is_some_and(|y| y.is_nan())) {
            self.push(to, x, f64::NAN);
        }
    }

    fn curves(self, what: &str) -> Vec<Curve> {
        let styles = [CurveStyle::Line, CurveStyle::Theory, CurveStyle::Chance];
        let names = [format!("stable {what}"), format!("unstable {what}"), format!("{what} of unknown stability")];
        let all = self.x.into_iter().zip(self.y).zip(names).zip(styles);
        let some = all.filter(|(((x, _), _), _)| !x.is_empty());
        some.map(|(((x, y), name), style)| curve(name, x, y, style)).collect()
    }
}

/// The diagram, and the frequency of the cycles where there are some.
pub(super) fn shapes(followed: &Followed, bound: &Bound<'_>, state: usize) -> Vec<NamedShape> {
    let variable = &bound.system.states()[state];
    let (unit, scale) = display(variable.dimension);
    let x = |p: f64| p / followed.unit.1;
    let mut rest = Split::default();
    for branch in &followed.branches {
        rest.path(stability(branch).map(|(p, k, stable)| (x(p), branch.points[k].x[state] / scale, Some(stable))));
    }
    let mut cycles = Split::default();
    for branch in &followed.cycles {
        cycles.path(along(branch).map(|(c, stable)| (x(c.parameter), c.extent[state].0 / scale, stable)));
        cycles.path(along(branch).map(|(c, stable)| (x(c.parameter), c.extent[state].1 / scale, stable)));
    }
    let mut curves = rest.curves("rest");
    curves.extend(cycles.curves("cycles"));
    let marks = |wanted: fn(&Kind) -> bool| {
        followed.special.iter().filter(|s| wanted(&s.kind)).map(|s| (x(s.at.parameter), s.at.x[state] / scale)).unzip()
    };
    let turns = |wanted: Turn| {
        let these = followed.turns.iter().filter(|t| t.turn == wanted).map(|t| &t.cycle);
        these.flat_map(|c| [c.extent[state].0, c.extent[state].1].map(|y| (x(c.parameter), y / scale))).unzip()
    };
    let reached = followed.reached.iter().map(|p| (x(p.parameter), p.x[state] / scale)).unzip();
    let points: [(&str, Marks); 7] = [
        ("threshold", reached),
        ("fold", marks(|k| matches!(k, Kind::Fold))),
        ("Hopf point", marks(|k| matches!(k, Kind::Hopf { .. }))),
        ("branch point", marks(|k| matches!(k, Kind::BranchPoint))),
        ("fold of cycles", turns(Turn::Fold)),
        ("period doubling", turns(Turn::PeriodDoubling)),
        ("torus", turns(Turn::Torus)),
    ];
    for (name, (x, y)) in points {
        if !x.is_empty() {
            curves.push(curve(name, x, y, CurveStyle::Points));
        }
    }
    let over = || Axis::new(followed.name.clone(), followed.unit.0.clone());
    let diagram = Series { x: over(), y: Axis::new(variable.name.clone(), unit), curves, references: Vec::new() };
    let mut shapes = vec![NamedShape::new("diagram", Shape::Series(diagram))];
    if !followed.cycles.is_empty() {
        let mut speed = Split::default();
        for branch in &followed.cycles {
            speed.path(along(branch).map(|(c, stable)| (x(c.parameter), 1.0 / c.period, stable)));
        }
        let y = Axis::new("frequency of cycles", bound.base.rate_unit());
        let curves = speed.curves("cycles");
        shapes
            .push(NamedShape::new("frequency", Shape::Series(Series { x: over(), y, curves, references: Vec::new() })));
    }
    shapes
}

/// The points of a branch by their place in it, with whether they are stable. A special point itself, where rounding
/// decides, counts as the point before it.
fn stability(branch: &Branch) -> impl Iterator<Item = (f64, usize, bool)> + '_ {
    let mut before = None;
    branch.points.iter().enumerate().map(move |(k, point)| {
        let special = branch.special.iter().any(|s| s.at == *point);
        let stable = match before {
            Some(stable) if special => stable,
            _ => point.unstable() == 0,
        };
        before = Some(stable);
        (point.parameter, k, stable)
    })
}

/// The cycles of a branch with whether they are stable.
fn along(branch: &cycles::Branch) -> impl Iterator<Item = (&cycles::Cycle, Option<bool>)> {
    branch.cycles.iter().map(|c| (c, c.is_stable()))
}
