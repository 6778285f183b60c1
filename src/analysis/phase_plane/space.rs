//! Three states seen from the side: a parallel projection of the box in which the trajectory lies.

use super::plane::Plane;
use super::{fixed_point, path, sets};
use crate::binding::display;
use spikedeck_core::limit_cycle::LimitCycle;
use spikedeck_core::phase::Equilibrium;
use spikedeck_core::units::brief;
use spikedeck_signal::{Axis, Curve, CurveStyle, FixedPoint, PhasePortrait};

/// How far from the box fixed points are still shown, in its own size.
const AROUND: f64 = 0.25;

/// From where three states are looked at.
pub(super) struct View<'p, 'b, 'a> {
    plane: &'p Plane<'b, 'a>,
    states: [usize; 3],
    /// Least and greatest value of each.
    ends: [(f64, f64); 3],
    /// To the right and up, in the units of the box.
    right: [f64; 3],
    up: [f64; 3],
}

impl<'p, 'b, 'a> View<'p, 'b, 'a> {
    /// The box of the trajectory, seen from `azimuth` degrees about the third axis and `elevation` degrees above the
    /// plane of the first two.
    pub fn new(plane: &'p Plane<'b, 'a>, z: usize, (azimuth, elevation): (f64, f64)) -> Self {
        let states = [plane.x, plane.y, z];
        let ends = states.map(|s| {
            let all = plane.path.iter().map(|x| x[s]).filter(|v| v.is_finite());
            let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |m, v| (m.0.min(v), m.1.max(v)));
            if high > low { (low, high) } else { (low - 0.5 * plane.scale[s], low + 0.5 * plane.scale[s]) }
        });
        let ((sa, ca), (se, ce)) = (azimuth.to_radians().sin_cos(), elevation.to_radians().sin_cos());
        Self { plane, states, ends, right: [-sa, ca, 0.0], up: [-ca * se, -sa * se, ce] }
    }

    /// A state in the units of the box, its middle at 0.
    fn place(&self, x: &[f64]) -> [f64; 3] {
        std::array::from_fn(|k| {
            let (low, high) = self.ends[k];
            (x[self.states[k]] - f64::midpoint(low, high)) / (high - low)
        })
    }

    fn seen(&self, place: [f64; 3]) -> [f64; 2] {
        let dot = |along: [f64; 3]| place.iter().zip(along).map(|(p, a)| p * a).sum();
        [dot(self.right), dot(self.up)]
    }

    /// An edge of the box from its least corner along a state, named with its ends.
    fn edge(&self, k: usize) -> Curve {
        let (from, mut to) = ([-0.5; 3], [-0.5; 3]);
        to[k] = 0.5;
        let variable = &self.plane.bound.system.states()[self.states[k]];
        let (unit, scale) = display(variable.dimension);
        let (low, high) = self.ends[k];
        let name = format!("{} from {} to {} {unit}", variable.name, brief(low / scale), brief(high / scale));
        let name = name.trim_end().to_owned();
        let (x, y) = [from, to].map(|p| self.seen(p)).map(|[x, y]| (x, y)).into_iter().unzip();
        Curve { name, x, y, band: None, style: CurveStyle::Chance }
    }

    /// Trajectory, cycles and fixed points, with three edges of the box.
    pub fn portrait<'c>(
        &self,
        cycles: impl Iterator<Item = &'c LimitCycle>,
        equilibria: &[Equilibrium],
    ) -> PhasePortrait {
        let shown = |x: &[f64]| self.seen(self.place(x));
        let mut trajectories = vec![path("trajectory".into(), &self.plane.path, CurveStyle::Line, shown)];
        trajectories.extend(cycles.map(|c| {
            let name = if c.is_stable() { "stable cycle" } else { "unstable cycle" };
            path(name.into(), &c.states, sets::style(c), shown)
        }));
        trajectories.extend((0..3).map(|k| self.edge(k)));
        let near = |r: &&Equilibrium| self.place(&r.state).iter().all(|p| p.abs() < 0.5 + AROUND);
        let point = |r: &Equilibrium| {
            let [x, y] = shown(&r.state);
            FixedPoint { x, y, ..fixed_point(r, self.plane) }
        };
        PhasePortrait {
            x: Axis::new("across", ""),
            y: Axis::new("up", ""),
            trajectories,
            fixed_points: equilibria.iter().filter(near).map(point).collect(),
            ..PhasePortrait::default()
        }
    }
}
