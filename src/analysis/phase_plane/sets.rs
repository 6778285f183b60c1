//! What organises the plane: cycles that trajectories come to or leave, and lines that part those that go elsewhere.

use super::path;
use super::plane::Plane;
use crate::binding::display;
use crate::prelude::*;
use spikedeck_core::dynamics::Dynamics;
use spikedeck_core::limit_cycle::{Backward, Goes, LimitCycle, Origin, Settle, direction, line_to};
use spikedeck_core::phase::{Equilibrium, Grid};
use spikedeck_core::trajectory::Trajectory;
use spikedeck_signal::{Curve, CurveStyle};

/// Points of a grid along each axis from which trajectories start, and how far from fixed points they do; in typical
/// sizes.
const STARTS: usize = 4;
const ASIDE: f64 = 1e-2;
/// Steps after which a trajectory is no longer followed.
const MOST_STEPS: f64 = 1e5;
/// Two cycles whose periods differ by less than this share, and which lie nearer than this, are one.
const SAME_PERIOD: f64 = 1e-4;
const SAME_PLACE: f64 = 1e-2;

/// Limit cycles that pass through the ranges.
pub(super) struct Cycles {
    /// First those that trajectories come to, in the order found.
    pub found: Vec<LimitCycle>,
    /// Trajectories followed, and those of them that neither settled nor left.
    followed: usize,
    on: usize,
    /// Whether time ran backwards, too.
    backward: bool,
    /// Whether the equations are the same at all times.
    autonomous: bool,
}

impl Cycles {
    /// Follows trajectories until they settle.
    pub fn of(plane: &Plane<'_, '_>, equilibria: &[Equilibrium], f: &Findings<'_>) -> Result<Self, AnalysisError> {
        let flow = &plane.bound.flow;
        let two = flow.dimension() == 2;
        let (autonomous, backward) = (flow.is_autonomous(), two);
        let mut all = Self { found: Vec::new(), followed: 0, on: 0, backward, autonomous };
        if !autonomous {
            return Ok(all);
        }
        // Beyond a threshold at which the unit is reset there is no flow, and nothing to start from.
        let hybrid = Trajectory::new(flow, 0.0, &plane.bound.initial, Vec::new(), plane.times.0).is_hybrid();
        let free =
            |x: &[f64]| !hybrid || flow.threshold(0.0, x, &mut vec![0.0; x.len()]).is_none_or(|height| height <= 0.0);
        let grid = if two { grid(plane) } else { Vec::new() };
        let mut starts: Vec<Vec<f64>> = plane.path.last().cloned().into_iter().collect();
        starts.extend(equilibria.iter().filter(|r| plane.shows(&r.state)).flat_map(|r| beside(plane, r, 1.0)));
        starts.extend(grid.iter().cloned());
        let rests = |sign: f64| {
            let all = equilibria.iter().filter(move |r| r.eigenvalues.iter().all(|e| sign * e.0 < 0.0));
            all.map(|r| r.state.as_slice()).collect::<Vec<_>>()
        };
        starts.retain(|x| free(x));
        all.found = all.follow((flow, plane), &starts, &rests(1.0), &|_| true, f)?;
        if backward {
            let mut starts: Vec<Vec<f64>> =
                equilibria.iter().filter(|r| plane.shows(&r.state)).flat_map(|r| beside(plane, r, -1.0)).collect();
            starts.extend(grid);
            starts.retain(|x| free(x));
            let left = all.follow((&Backward(flow), plane), &starts, &rests(-1.0), &free, f)?;
            all.found.extend(left.into_iter().map(LimitCycle::reversed));
        }
        Ok(all)
    }

    /// The cycles to which trajectories of `system` go, which is the flow or the flow backward in time.
    fn follow<D: Dynamics>(
        &mut self,
        (system, plane): (&D, &Plane<'_, '_>),
        starts: &[Vec<f64>],
        rests: &[&[f64]],
        allowed: &dyn Fn(&[f64]) -> bool,
        f: &Findings<'_>,
    ) -> Result<Vec<LimitCycle>, AnalysisError> {
        let (step, duration) = plane.times;
        let scale = &plane.scale;
        let mut cycles: Vec<LimitCycle> = Vec::new();
        for start in starts {
            let settle = Settle { step, duration: duration.min(MOST_STEPS * step), scale, rests, cycles: &cycles };
            let goes = settle
                .from(system, start, allowed, &mut || f.request.check_cancelled().is_ok())
                .ok_or(AnalysisError::Cancelled)?;
            self.followed += 1;
            match goes {
                Goes::On => self.on += 1,
                Goes::Cycle(new) => {
                    let same = |c: &LimitCycle| {
                        (c.period / new.period - 1.0).abs() < SAME_PERIOD
                            && c.distance(&new.states[0], scale) < SAME_PLACE
                    };
                    if !cycles.iter().any(same) {
                        cycles.push(new);
                    }
                }
                Goes::Known | Goes::Away => {}
            }
        }
        cycles.retain(|c| c.states.iter().any(|x| plane.shows(x)));
        Ok(cycles)
    }

    fn stable(&self) -> usize {
        self.found.iter().filter(|c| c.is_stable()).count()
    }

    /// In a sentence.
    pub fn told(&self) -> String {
        match self.found.len() {
            0 => "no limit cycle".into(),
            1 => format!("1 {} limit cycle", word(&self.found[0])),
            n => format!("{n} limit cycles, {} stable", self.stable()),
        }
    }

    /// As closed curves: those that are left are dashed.
    pub fn curves(&self, plane: &Plane<'_, '_>) -> Vec<Curve> {
        let one = |c: &LimitCycle| path(format!("{} cycle", word(c)), &c.states, style(c), |x| plane.shown(x));
        self.found.iter().map(one).collect()
    }

    /// How many there are, and of each period, size and multiplier.
    pub fn metrics(&self, plane: &Plane<'_, '_>) -> Vec<Metric> {
        let bound = plane.bound;
        let (subject, base) = (&bound.population.name, bound.base);
        let n = self.followed as u64;
        if !self.autonomous {
            let why = "the equations depend on time by themselves: no cycle repeats itself";
            return vec![Metric::missing(subject, "cycles", "", n, why)];
        }
        let mut count = Metric::new(subject, "cycles", self.found.len() as f64, "", n)
            .note(format!("n = trajectories followed; {} of the cycles stable", self.stable()));
        if self.found.is_empty() && self.on == 0 {
            count = count.note("every trajectory comes to rest or leaves");
        }
        if self.on > 0 {
            count = count.note(format!(
                "{} trajectories come within `duration` to nothing that closes: a torus, chaos, or they are slow",
                self.on
            ));
        }
        count = count.note(if self.backward {
            "unstable ones by following trajectories backward in time"
        } else {
            "of unstable ones nothing is known: with more than two states no trajectory comes to them"
        });
        let mut list = vec![count];
        for (i, cycle) in self.found.iter().enumerate() {
            let name = |what: &str| format!("cycle_{}.{what}", i + 1);
            list.push(
                Metric::new(subject, name("period"), cycle.period / base.seconds(), base.unit(), 1)
                    .note(format!("{} limit cycle", word(cycle))),
            );
            list.push(Metric::new(subject, name("frequency"), 1.0 / cycle.period, base.rate_unit(), 1));
            let extent = cycle.extent();
            for state in [plane.x, plane.y] {
                let variable = &bound.system.states()[state];
                let (unit, scale) = display(variable.dimension);
                let (low, high) = extent[state];
                let name = name(&format!("amplitude.{}", variable.name));
                list.push(Metric::new(subject, name, (high - low) / scale, unit, 1).note("from least to greatest"));
            }
            let note = "greatest modulus of the Floquet multipliers: of a deviation this is left after a period";
            list.push(Metric::new(subject, name("multiplier"), cycle.multiplier, "", 1).note(note));
            if cycle.resets > 0 {
                let resets = cycle.resets as f64;
                list.push(Metric::new(subject, name("resets"), resets, "", cycle.resets).note("in a period"));
            }
        }
        list
    }
}

fn word(cycle: &LimitCycle) -> &'static str {
    if cycle.is_stable() { "stable" } else { "unstable" }
}

/// How a cycle is drawn.
pub(super) fn style(cycle: &LimitCycle) -> CurveStyle {
    if cycle.is_stable() { CurveStyle::Line } else { CurveStyle::Theory }
}

/// The middles of the cells of a coarse grid.
fn grid(plane: &Plane<'_, '_>) -> Vec<Vec<f64>> {
    let inner = |(low, high): (f64, f64)| {
        let half = 0.5 * (high - low) / STARTS as f64;
        (low + half, high - half)
    };
    let grid = Grid { x: inner(plane.ranges[0]), y: inner(plane.ranges[1]), columns: STARTS, rows: STARTS };
    let at = |i: usize| {
        let mut start = plane.bound.initial.clone();
        (start[plane.x], start[plane.y]) = grid.at(i % STARTS, i / STARTS);
        start
    };
    (0..STARTS * STARTS).map(at).collect()
}

/// States beside a fixed point from which trajectories leave it: forward in time (`sign` 1), or backward (−1).
fn beside(plane: &Plane<'_, '_>, equilibrium: &Equilibrium, sign: f64) -> Vec<Vec<f64>> {
    let Some(&leaving) = equilibrium
        .eigenvalues
        .iter()
        .max_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0)))
        .filter(|e| sign * e.0 > 0.0)
    else {
        return Vec::new();
    };
    let along = if leaving.1 == 0.0 { toward(plane, equilibrium, leaving.0) } else { None };
    let moved = |by: f64| {
        let mut start = equilibrium.state.clone();
        match &along {
            Some(v) => start.iter_mut().zip(v).zip(&plane.scale).for_each(|((x, v), s)| *x += by * v * s),
            None => start[plane.x] += by * plane.scale[plane.x],
        }
        start
    };
    vec![moved(ASIDE), moved(-ASIDE)]
}

/// The direction of an eigenvalue at a fixed point, in typical sizes.
fn toward(plane: &Plane<'_, '_>, equilibrium: &Equilibrium, eigenvalue: f64) -> Option<Vec<f64>> {
    let n = equilibrium.state.len();
    let mut jacobian = vec![0.0; n * n];
    plane.bound.flow.jacobian(0.0, &equilibrium.state, &mut jacobian);
    for (i, v) in jacobian.iter_mut().enumerate() {
        *v *= plane.scale[i % n] / plane.scale[i / n];
    }
    direction(&jacobian, n, eigenvalue)
}

/// The stable manifolds of saddles in the ranges, where they are lines.
pub(super) struct Lines {
    /// States from one end over the saddle to the other, and where both ends come from.
    found: Vec<(Vec<Vec<f64>>, [Origin; 2])>,
    /// Saddles in the ranges.
    saddles: usize,
}

impl Lines {
    /// Follows them backward in time.
    pub fn of(plane: &Plane<'_, '_>, equilibria: &[Equilibrium]) -> Self {
        let flow = &plane.bound.flow;
        let hybrid = Trajectory::new(flow, 0.0, &plane.bound.initial, Vec::new(), plane.times.0).is_hybrid();
        let inside = |x: &[f64]| {
            let beyond = || flow.threshold(0.0, x, &mut vec![0.0; x.len()]).is_some_and(|height| height > 0.0);
            plane.shows(x) && !(hybrid && beyond())
        };
        let is_saddle = |r: &&Equilibrium| {
            let (negative, positive, _) = r.signs();
            negative > 0 && positive > 0 && plane.shows(&r.state)
        };
        let saddles: Vec<&Equilibrium> = equilibria.iter().filter(is_saddle).collect();
        let mut found = Vec::new();
        for saddle in &saddles {
            let negative: Vec<f64> = saddle.eigenvalues.iter().filter(|e| e.0 < 0.0).map(|e| e.0).collect();
            let [eigenvalue] = negative[..] else { continue };
            let Some(direction) = toward(plane, saddle, eigenvalue) else { continue };
            let others: Vec<&[f64]> =
                equilibria.iter().filter(|r| r.state != saddle.state).map(|r| r.state.as_slice()).collect();
            let side = |side: f64| line_to(flow, &saddle.state, (&direction, side), &plane.scale, &inside, &others);
            let ((mut line, first), (rest, second)) = (side(-1.0), side(1.0));
            line.reverse();
            line.extend(rest.into_iter().skip(1));
            found.push((line, [first, second]));
        }
        Self { found, saddles: saddles.len() }
    }

    /// As dashed lines.
    pub fn curves(&self, plane: &Plane<'_, '_>) -> Vec<Curve> {
        let name = |k: usize| if k == 0 { "separatrix".to_owned() } else { format!("separatrix {}", k + 1) };
        let one = |(k, l): (usize, &(Vec<Vec<f64>>, _))| path(name(k), &l.0, CurveStyle::Theory, |x| plane.shown(x));
        self.found.iter().enumerate().map(one).collect()
    }

    /// How many there are, and where they come from.
    pub fn metric(&self, plane: &Plane<'_, '_>) -> Metric {
        let subject = &plane.bound.population.name;
        let metric = Metric::new(subject, "separatrices", self.found.len() as f64, "", self.saddles as u64)
            .note("n = saddles in the ranges, of which each may have one");
        if self.saddles == 0 {
            return metric;
        }
        if self.found.is_empty() {
            return metric.note("what parts the states there is a surface, not a line");
        }
        let ends = || self.found.iter().flat_map(|l| l.1);
        let of = |what: Origin, text: &str| {
            let count = ends().filter(|o| *o == what).count();
            (count > 0).then(|| format!("{count} {text}"))
        };
        let parts = [
            of(Origin::Outside, "from outside the ranges or from beyond the threshold"),
            of(Origin::Point, "from a fixed point"),
            of(Origin::Winding, "out of a cycle, or from far"),
            of(Origin::Lost, "lost where numbers follow them no farther"),
        ];
        metric.note(format!("of the ends {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", ")))
    }
}
