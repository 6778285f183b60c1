//! Branches of cycles, followed from the Hopf points at which they begin: folds, period doublings, where they end.

use super::bracket::Bracket;
use super::collocation::{Gauss, Orbit, Round, round};
use super::continuation::Special;
use super::family::{Family, Plain};
use super::hopf::Onset;
use super::linear::eigenvalues;
use nalgebra::DMatrix;
use std::cell::{Cell, RefCell};
use std::f64::consts::TAU;

/// How finely and how far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Longest step along the branch, the range of the parameter being 1.
    pub step: f64,
    /// Most cycles on a branch.
    pub cycles: usize,
    /// Intervals of the mesh.
    pub intervals: usize,
    /// Period, in units of that at the beginning, beyond which a branch is no longer followed: it then ends at a
    /// homoclinic orbit or at a saddle-node on the cycle.
    pub longest: f64,
}

/// Shortest step, and size of the first cycle.
const SHORTEST: f64 = 1e-7;
const FIRST: f64 = 5e-3;
/// Cycles smaller than this share of a typical state are taken as a point.
const SMALL: f64 = 2e-3;
/// By how much the multiplier that is 1 for time's sake may miss it.
const TRIVIAL: f64 = 1e-2;
/// Size of the matrix of a turn beyond which rounding decides about multipliers near the unit circle.
const GREATEST: f64 = 1e10;
/// Change of the parameter along a branch, the range being 1 and the direction of length 1, that is none.
const STILL: f64 = 1e-9;
/// By how much multipliers may miss the unit circle and count as on it.
const NEAR: f64 = 1e-6;

/// A cycle of a branch.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle {
    /// Value of the parameter.
    pub parameter: f64,
    /// Period.
    pub period: f64,
    /// Least and greatest value of each state.
    pub extent: Vec<(f64, f64)>,
    /// Floquet multipliers (real, imaginary) without the one that is 1 for time's sake, greatest modulus first; `None`
    /// where numbers do not tell them.
    pub multipliers: Option<Vec<(f64, f64)>>,
}

impl Cycle {
    /// Whether small deviations die out; `None` where it is not known.
    pub fn is_stable(&self) -> Option<bool> {
        self.multipliers.as_ref().map(|m| m.iter().all(|m| m.0.hypot(m.1) < 1.0))
    }
}

/// What happens on a branch of cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The branch turns in the parameter: two cycles meet and vanish.
    Fold,
    /// A multiplier leaves the unit circle at −1: a cycle of twice the period begins.
    PeriodDoubling,
    /// A pair of multipliers leaves it elsewhere: a torus begins.
    Torus,
}

/// Why a branch of cycles ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It shrinks to a point: another Hopf point.
    Point,
    /// It leaves the range of the parameter.
    Range,
    /// The period grows without bound: a homoclinic orbit, or a saddle-node on the cycle.
    Homoclinic,
    /// The period is longer than it may be, and does not grow without bound there.
    Long,
    /// It has as many cycles as it may.
    Cycles,
    /// Newton's method does not arrive, however short the step.
    Lost,
}

/// A branch of cycles.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Its cycles in order.
    pub cycles: Vec<Cycle>,
    /// What happens on it, in the same order.
    pub turns: Vec<(Turn, Cycle)>,
    /// How it ends.
    pub end: End,
    /// The last cycle, in plain numbers.
    pub last: Orbit,
}

/// A cycle on its way.
#[derive(Debug, Clone)]
struct Node {
    course: Orbit,
    along: Orbit,
    turn: Option<DMatrix<f64>>,
    multipliers: Option<Vec<(f64, f64)>>,
}

/// The branch of cycles that begins at a Hopf point of `family`, where `onset` says how. `proceed` is asked at every
/// cycle.
pub fn branch<F: Family + ?Sized>(
    family: &Plain<'_, F>,
    hopf: &Special,
    omega: f64,
    onset: &Onset,
    settings: Settings,
    mut proceed: impl FnMut() -> bool,
) -> Branch {
    let proceed: RefCell<&mut dyn FnMut() -> bool> = RefCell::new(&mut proceed);
    let walker = Walker { family, gauss: Gauss::new(), settings, proceed, stopped: Cell::new(false) };
    let at = family.plain(&hopf.at.x);
    let mu = (hopf.at.parameter - family.from) / family.span;
    let period = TAU / (omega * family.time);
    let mesh: Vec<f64> = (0..=settings.intervals).map(|j| j as f64 / settings.intervals as f64).collect();
    let [re, im] = &onset.plane;
    let circle = |t: f64| -> Vec<f64> {
        let (sin, cos) = (TAU * t).sin_cos();
        re.iter().zip(im).map(|(a, b)| a * cos - b * sin).collect()
    };
    let mut along = Orbit::from_fn(mesh.clone(), 0.0, 0.0, circle);
    along = scaled(&along, 1.0 / along.overlap(&along).sqrt());
    let rest = Orbit::from_fn(mesh, period, mu, |_| at.clone());
    walker.walk(&rest, along)
}

fn scaled(course: &Orbit, factor: f64) -> Orbit {
    let zero = Orbit {
        nodes: vec![0.0; course.nodes.len()],
        stages: vec![0.0; course.stages.len()],
        period: 0.0,
        parameter: 0.0,
        mesh: course.mesh.clone(),
    };
    zero.plus(factor, course)
}

/// The inner product of two directions at a cycle of this period.
fn product(a: &Orbit, b: &Orbit, period: f64) -> f64 {
    a.overlap(b) + a.period * b.period / (period * period) + a.parameter * b.parameter
}

/// How far a course is from its own mean.
fn size(course: &Orbit) -> f64 {
    let mean = course.mean();
    let rest = Orbit::from_fn(course.mesh.clone(), 0.0, 0.0, |_| mean.clone());
    let off = course.plus(-1.0, &rest);
    off.overlap(&off).sqrt()
}

struct Walker<'a, 'f, F: ?Sized> {
    family: &'a Plain<'f, F>,
    gauss: Gauss,
    settings: Settings,
    proceed: RefCell<&'a mut dyn FnMut() -> bool>,
    stopped: Cell<bool>,
}

impl<F: Family + ?Sized> Walker<'_, '_, F> {
    /// Whether to go on; once not, never again.
    fn goes_on(&self) -> bool {
        if !self.stopped.get() && !(self.proceed.borrow_mut())() {
            self.stopped.set(true);
        }
        !self.stopped.get()
    }

    /// Newton's method on the plane through `ahead` whose normal is `normal`; the cycle and the number of rounds.
    fn correct(&self, ahead: &Orbit, normal: &Orbit) -> Option<(Node, usize)> {
        let mut at = ahead.clone();
        let mut before = f64::INFINITY;
        for rounds in 1..=10 {
            if !self.goes_on() {
                return None;
            }
            let Round { change, along, turn } = round(self.family, &self.gauss, &at, ahead, normal)?;
            let size = product(&change, &change, ahead.period).sqrt();
            if !size.is_finite() || size > 1.0 || (rounds > 3 && size > before) {
                return None;
            }
            at = at.plus(1.0, &change);
            if at.period <= 0.0 {
                return None;
            }
            if size < 1e-10 || (size < 1e-8 && size > 0.5 * before) {
                let length = product(&along, &along, at.period).sqrt();
                let along = scaled(&along, 1.0 / length);
                let multipliers = turn.as_ref().and_then(multipliers);
                return Some((Node { course: at, along, turn, multipliers }, rounds));
            }
            before = size;
        }
        None
    }

    fn step(&self, from: &Node, s: f64) -> Option<(Node, usize)> {
        self.correct(&from.course.plus(s, &from.along), &from.along)
    }

    /// Follows the branch from a cycle of no size in the direction `along`.
    fn walk(&self, rest: &Orbit, along: Orbit) -> Branch {
        let (mut cycles, mut turns) = (Vec::new(), Vec::new());
        let mut from = Node { course: rest.clone(), along, turn: None, multipliers: None };
        let mut step = FIRST;
        let (mut largest, mut last) = (0.0_f64, 0.0_f64);
        let end = loop {
            if cycles.len() >= self.settings.cycles || !self.goes_on() {
                break End::Cycles;
            }
            let Some((to, rounds)) = self.shortened(&from, &mut step) else {
                break if self.stopped.get() { End::Cycles } else { End::Lost };
            };
            let size = size(&to.course);
            largest = largest.max(size);
            let before = std::mem::replace(&mut last, size);
            // The branch passes through a point and comes back as the same cycles, half a turn later.
            let vanishes = size < before && size < SMALL;
            let passes = size.max(before) < 0.2 * largest && flipped(&from.course, &to.course);
            if !cycles.is_empty() && (vanishes || passes) {
                break End::Point;
            }
            if !cycles.is_empty() {
                turns.extend(self.between(&from, &to, step));
            }
            if !(0.0..=1.0).contains(&to.course.parameter) {
                if let Some(last) = self.at_edge(&from, &to, step) {
                    cycles.push(self.cycle(&last));
                    from = last;
                }
                break End::Range;
            }
            cycles.push(self.cycle(&to));
            if to.course.period > self.settings.longest * rest.period {
                from = to;
                break if diverges(&cycles) { End::Homoclinic } else { End::Long };
            }
            if rounds <= 4 {
                step = (1.4 * step).min(self.settings.step);
            }
            let mesh = to.course.even_mesh();
            from = Node { course: to.course.on(&mesh), along: to.along.on(&mesh), ..to };
            let length = product(&from.along, &from.along, from.course.period).sqrt();
            from.along = scaled(&from.along, 1.0 / length);
        };
        Branch { cycles, turns, end, last: from.course }
    }

    /// A step of at most `step`, shortened until the branch bends little.
    fn shortened(&self, from: &Node, step: &mut f64) -> Option<(Node, usize)> {
        loop {
            if let Some((to, rounds)) = self.step(from, *step)
                && product(&from.along, &to.along, to.course.period) > 0.9
            {
                return Some((to, rounds));
            }
            *step *= 0.5;
            if *step < SHORTEST || self.stopped.get() {
                return None;
            }
        }
    }

    /// The cycle between both at the edge of the range.
    fn at_edge(&self, from: &Node, to: &Node, step: f64) -> Option<Node> {
        let edge = to.course.parameter.clamp(0.0, 1.0);
        self.locate(from, to, step, |n| Some(n.course.parameter - edge))
    }

    /// What happens in the step from `from` to `to`.
    fn between(&self, from: &Node, to: &Node, step: f64) -> Vec<(Turn, Cycle)> {
        let mut found = Vec::new();
        let mut take = |turn: Turn, node: Option<Node>| {
            found.extend(node.map(|n| (turn, self.cycle(&n))).filter(|(_, c)| {
                let mu = (c.parameter - self.family.from) / self.family.span;
                (0.0..=1.0).contains(&mu)
            }));
        };
        // Of a branch that stands still in the parameter rounding alone turns it.
        let moves = from.along.parameter.abs().max(to.along.parameter.abs()) > STILL;
        if from.along.parameter * to.along.parameter < 0.0 && moves {
            take(Turn::Fold, self.locate(from, to, step, |n| Some(n.along.parameter)));
        }
        // In a plane orbits do not cross, and the multiplier that is not 1 is the exponential of a real number
        // (Liouville): it passes neither −1 nor, with another one, the circle. Elsewhere the determinant counts where
        // numbers hold the multipliers, and one of them is at −1 where it vanishes.
        let doubling = |n: &Node| {
            let turn = n.turn.as_ref().filter(|m| m.nrows() > 2 && n.multipliers.is_some() && m.norm() < GREATEST)?;
            Some((turn + DMatrix::identity(turn.nrows(), turn.ncols())).determinant())
        };
        if doubling(from).zip(doubling(to)).is_some_and(|(a, b)| a * b < 0.0) {
            let is_there = |n: &Node| n.multipliers.iter().flatten().any(|m| (m.0 + 1.0).hypot(m.1) < TRIVIAL);
            take(Turn::PeriodDoubling, self.locate(from, to, step, doubling).filter(is_there));
        }
        let torus = |n: &Node| n.multipliers.as_ref().and_then(|m| off_circle(m));
        if torus(from).zip(torus(to)).is_some_and(|(a, b)| a * b < 0.0) {
            take(Turn::Torus, self.locate(from, to, step, torus));
        }
        found
    }

    /// Where `test` is zero in the step from `from` to `to`.
    fn locate(&self, from: &Node, to: &Node, step: f64, test: impl Fn(&Node) -> Option<f64>) -> Option<Node> {
        let (first, last) = (test(from)?, test(to)?);
        let mut bracket = Bracket::new((0.0, first), (step, last));
        let mut best: Option<(f64, Node)> = None;
        for _ in 0..40 {
            let s = bracket.place();
            let (node, _) = self.step(from, s)?;
            let value = test(&node)?;
            if best.as_ref().is_none_or(|b| value.abs() < b.0) {
                best = Some((value.abs(), node));
            }
            if value == 0.0 {
                break;
            }
            bracket.take(s, value);
            if bracket.width() < 1e-9 * step {
                break;
            }
        }
        // A test that jumps over zero has none.
        let small = 1e-3 * first.abs().max(last.abs());
        best.filter(|b| b.0 <= small).map(|b| b.1)
    }

    fn cycle(&self, node: &Node) -> Cycle {
        let course = &node.course;
        let n = course.dimension();
        let mut extent = vec![(f64::INFINITY, f64::NEG_INFINITY); n];
        for j in 0..course.intervals() {
            for k in 0..8 {
                let y = course.inside(j, f64::from(k) / 8.0);
                extent.iter_mut().zip(&y).for_each(|(e, y)| *e = (e.0.min(*y), e.1.max(*y)));
            }
        }
        Cycle {
            parameter: self.family.parameter(course.parameter),
            period: course.period * self.family.time,
            extent: extent.iter().zip(&self.family.scale).map(|(e, s)| (e.0 * s, e.1 * s)).collect(),
            multipliers: node.multipliers.clone(),
        }
    }
}

/// Whether the period grows without bound where the branch is cut: from one doubling of it to the next the parameter
/// moves ever less (as exp(−T) towards a homoclinic orbit, as T⁻² towards a saddle-node on the cycle).
fn diverges(cycles: &[Cycle]) -> bool {
    let Some(last) = cycles.last() else { return false };
    let before = |period: f64| cycles.iter().rev().find(|c| c.period <= period).map(|c| c.parameter);
    let Some((half, quarter)) = before(0.5 * last.period).zip(before(0.25 * last.period)) else { return false };
    (last.parameter - half).abs() < 0.5 * (half - quarter).abs()
}

/// Whether the second cycle lies opposite to the first: what was high is low.
fn flipped(a: &Orbit, b: &Orbit) -> bool {
    let off = |c: &Orbit| {
        let mean = c.mean();
        c.plus(-1.0, &Orbit::from_fn(c.mesh.clone(), 0.0, 0.0, |_| mean.clone()))
    };
    off(a).overlap(&off(b)) < 0.0
}

/// The Floquet multipliers without the one nearest 1, greatest modulus first; `None` where none is near it, because
/// others are so great that numbers do not hold it.
fn multipliers(turn: &DMatrix<f64>) -> Option<Vec<(f64, f64)>> {
    let n = turn.nrows();
    let rows: Vec<f64> = turn.transpose().iter().copied().collect();
    let mut all = eigenvalues(&rows, n)?;
    let trivial = (0..n).min_by(|&a, &b| {
        let off = |k: usize| (all[k].0 - 1.0).hypot(all[k].1);
        off(a).total_cmp(&off(b))
    })?;
    if (all[trivial].0 - 1.0).hypot(all[trivial].1) > TRIVIAL {
        return None;
    }
    all.remove(trivial);
    all.sort_by(|a, b| b.0.hypot(b.1).total_cmp(&a.0.hypot(a.1)));
    Some(all)
}

/// How far the complex pair nearest the unit circle lies beyond it; `None` where none is complex.
fn off_circle(multipliers: &[(f64, f64)]) -> Option<f64> {
    let pairs = multipliers.iter().filter(|m| m.1.abs() > NEAR);
    pairs.map(|m| m.0.hypot(m.1) - 1.0).min_by(|a, b| a.abs().total_cmp(&b.abs()))
}

#[cfg(test)]
#[path = "cycles_tests.rs"]
mod tests;
