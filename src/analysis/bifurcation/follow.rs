//! The branches themselves, from the scenario's equations.

use super::Options;
use crate::binding::{Bound, display};
use crate::prelude::*;
use spikedeck_core::continuation::{self, Branch, End, Kind, Point, branches};
use spikedeck_core::cycles::{self, Cycle, End as CycleEnd, Turn};
use spikedeck_core::family::Plain;
use spikedeck_core::hopf::{Onset, onset};
use spikedeck_core::linear::eigenvalues;
use spikedeck_core::phase::newton;
use spikedeck_core::trajectory::Trajectory;
use spikedeck_core::units::brief;
use spikedeck_equation::family::{Family, Free};
use spikedeck_equation::flow::Flow;
use spikedeck_scenario::{UnitName, Value, VariableId};

/// Values of the parameter at which a trajectory is computed, to see how large states are and to begin from.
const TRAJECTORIES: usize = 5;
/// Steps of each, and points of it that are kept.
const STEPS: f64 = 4000.0;
const KEPT: usize = 40;
/// Most steps from one of them to the next.
const MOST_STEPS: f64 = 20_000.0;
/// States drawn around the trajectories, from which equilibria are looked for.
const DRAWN: usize = 48;
/// How far beyond the trajectories, in their own size.
const AROUND: f64 = 0.3;
/// Size of a state, in typical ones, beyond which a branch is no longer followed.
const BOUND: f64 = 100.0;
/// Halvings of the range in which rest reaches a threshold.
const EDGE_ROUNDS: usize = 50;
/// Longest step along cycles, over that along equilibria: their shape changes more than a state does.
const CYCLE_STEP: f64 = 2.5;
/// Points that are nearer than this in plain numbers are one.
const ONE: f64 = 1e-4;
/// A branch of cycles ends at a Hopf point that is nearer than this in plain numbers.
const SAME: f64 = 0.05;

/// A point at which something happens to equilibria.
#[derive(Debug, Clone)]
pub(super) struct Special {
    pub kind: Kind,
    pub at: Point,
    /// First Lyapunov coefficient, of Hopf points.
    pub coefficient: Option<f64>,
    /// Whether it differs from zero beyond rounding.
    pub is_decided: bool,
}

/// Something that happens to cycles.
#[derive(Debug, Clone)]
pub(super) struct Turned {
    pub turn: Turn,
    pub cycle: Cycle,
    /// Where the Hopf point lies at which the branch begins.
    pub from: f64,
}

/// All that was followed; parameters and states in SI, lists in the order of the parameter.
#[derive(Debug)]
pub(super) struct Followed {
    /// What is varied: name, and display unit with its SI value.
    pub name: String,
    pub unit: (String, f64),
    pub branches: Vec<Branch>,
    pub special: Vec<Special>,
    pub cycles: Vec<cycles::Branch>,
    pub turns: Vec<Turned>,
    /// Where rest reaches the threshold of a model with a reset.
    pub reached: Vec<Point>,
    /// Why no cycles were followed, where some were asked for.
    pub without_cycles: Option<String>,
}

impl Followed {
    pub fn new(o: &Options, bound: &Bound<'_>, f: &mut Findings<'_>) -> Result<Self, AnalysisError> {
        let varied = Varied::new(o, bound)?;
        let seeds = varied.seeds(bound, f)?;
        let family = Family::new(bound.system, &bound.parameters, &bound.inputs, varied.free).ok_or_else(|| {
            AnalysisError::Unsuitable(format!(
                "the equations of `{}` depend on time by themselves, so that they have no equilibria",
                bound.population.name
            ))
        })?;
        let family = Plain { inner: &family, scale: seeds.scale, from: varied.from, span: varied.span, time: 1.0 };
        let family = family.with_time_of(&bound.initial, 0.0);
        let step = 1.0 / o.resolution as f64;
        let settings = continuation::Settings { step, points: o.points, bound: BOUND };
        let branches = f.part(0, 2, |f| {
            let found = branches(&family, &seeds.states, settings, |share| f.progress(share).is_ok());
            f.request.check_cancelled()?;
            Ok(found)
        })?;
        let hybrid = jumps(bound);
        let (branches, reached) =
            if hybrid { varied.below_threshold(branches, bound, &family.scale) } else { (branches, Vec::new()) };
        let weights: Vec<f64> =
            bound.system.states().iter().zip(&family.scale).map(|(v, s)| s / display(v.dimension).1).collect();
        let mut onsets: Vec<(Special, Option<Onset>)> = branches
            .iter()
            .flat_map(|b| &b.special)
            .map(|s| {
                let begins = match s.kind {
                    Kind::Hopf { omega } => {
                        let mu = (s.at.parameter - family.from) / family.span;
                        onset(&family, &family.plain(&s.at.x), mu, omega * family.time, &weights)
                    }
                    Kind::Fold | Kind::BranchPoint => None,
                };
                let (coefficient, is_decided) =
                    (begins.as_ref().map(|o| o.coefficient), begins.as_ref().is_some_and(|o| o.is_decided));
                (Special { kind: s.kind, at: s.at.clone(), coefficient, is_decided }, begins)
            })
            .collect();
        onsets.sort_by(|a, b| a.0.at.parameter.total_cmp(&b.0.at.parameter));
        once(&mut onsets, &family);
        let mut all = Self {
            name: varied.name,
            unit: varied.unit,
            branches,
            special: onsets.iter().map(|o| o.0.clone()).collect(),
            cycles: Vec::new(),
            turns: Vec::new(),
            reached,
            without_cycles: None,
        };
        if o.cycles && !onsets.iter().any(|o| o.1.is_some()) {
            return Ok(all);
        }
        if o.cycles && hybrid {
            let why = "cycles are not followed: the spikes of this model are jumps, at which cycles are not smooth";
            all.without_cycles = Some(why.into());
        } else if o.cycles {
            f.part(1, 2, |f| all.follow_cycles(&family, &onsets, o, f))?;
        }
        Ok(all)
    }

    /// The cycles from each Hopf point that no branch has come to.
    fn follow_cycles(
        &mut self,
        family: &Plain<'_, Family>,
        onsets: &[(Special, Option<Onset>)],
        o: &Options,
        f: &Findings<'_>,
    ) -> Measured {
        let step = CYCLE_STEP / o.resolution as f64;
        let settings = cycles::Settings { step, cycles: o.points, intervals: o.intervals, longest: o.longest };
        let place = |s: &Special| {
            let mut place = family.plain(&s.at.x);
            place.push((s.at.parameter - family.from) / family.span);
            place
        };
        let mut met = vec![false; onsets.len()];
        let all = onsets.len();
        for (k, (special, begins)) in onsets.iter().enumerate() {
            let (Kind::Hopf { omega }, Some(onset)) = (special.kind, begins) else { continue };
            // Where nothing is decided cycles may fill a plane at one value of the parameter.
            if met[k] || !onset.is_decided {
                continue;
            }
            let hopf = continuation::Special { kind: special.kind, at: special.at.clone() };
            let share = (k as f64 + 0.5) / all as f64;
            let branch = cycles::branch(family, &hopf, omega, onset, settings, || f.progress(share).is_ok());
            f.request.check_cancelled()?;
            if branch.end == CycleEnd::Point {
                let mut end = branch.last.mean();
                end.push(branch.last.parameter);
                // The nearest of the Hopf points is that at which it ends, if it is near at all.
                let off = |s: &Special| place(s).iter().zip(&end).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                let hopf = (0..all).filter(|j| *j != k && matches!(onsets[*j].0.kind, Kind::Hopf { .. }));
                let nearest = hopf.map(|j| (off(&onsets[j].0), j)).min_by(|a, b| a.0.total_cmp(&b.0));
                if let Some((_, j)) = nearest.filter(|n| n.0 < SAME) {
                    met[j] = true;
                }
            }
            let from = special.at.parameter;
            let turned = branch.turns.iter();
            self.turns.extend(turned.map(|(turn, cycle)| Turned { turn: *turn, cycle: cycle.clone(), from }));
            self.cycles.push(branch);
        }
        self.turns.sort_by(|a, b| a.cycle.parameter.total_cmp(&b.cycle.parameter));
        // Branches that share cycles have what happens to them in common.
        let near = |a: f64, b: f64, size: f64| (a - b).abs() <= ONE * size.abs();
        self.turns.dedup_by(|a, b| {
            a.turn == b.turn
                && near(a.cycle.parameter, b.cycle.parameter, family.span)
                && near(a.cycle.period, b.cycle.period, 100.0 * b.cycle.period)
        });
        Ok(())
    }
}

/// Leaves each point once: where branches cross, each of them has it, and one that turns there has a fold as well.
fn once(list: &mut Vec<(Special, Option<Onset>)>, family: &Plain<'_, Family>) {
    let place = |s: &Special| -> Vec<f64> {
        let mut place = family.plain(&s.at.x);
        place.push((s.at.parameter - family.from) / family.span);
        place
    };
    let same = |a: &Special, b: &Special| place(a).iter().zip(&place(b)).all(|(a, b)| (a - b).abs() < ONE);
    let crossings: Vec<Special> = list.iter().map(|s| s.0.clone()).filter(|s| s.kind == Kind::BranchPoint).collect();
    let mut kept: Vec<Special> = Vec::new();
    list.retain(|(s, _)| {
        let crossed = s.kind == Kind::Fold && crossings.iter().any(|c| same(c, s));
        let alike = |k: &Special| std::mem::discriminant(&k.kind) == std::mem::discriminant(&s.kind) && same(k, s);
        let stays = !crossed && !kept.iter().any(alike);
        if stays {
            kept.push(s.clone());
        }
        stays
    });
}

/// Whether the model has a reset that does something.
fn jumps(bound: &Bound<'_>) -> bool {
    Trajectory::new(&bound.flow, 0.0, &bound.initial, Vec::new(), 1.0).is_hybrid()
}

/// What is varied, from where to where.
struct Varied {
    free: Free,
    name: String,
    unit: (String, f64),
    from: f64,
    span: f64,
}

impl Varied {
    fn new(o: &Options, bound: &Bound<'_>) -> Result<Self, AnalysisError> {
        let (free, now) = match o.parameter {
            VariableId::Parameter(id) => (Free::Parameter(id.index()), bound.parameters[id.index()]),
            VariableId::Input(id) => (Free::Input(id.index()), bound.inputs[id.index()]),
            VariableId::State(_) | VariableId::Subexpression(_) => {
                unreachable!("the scenario lets parameters and inputs be varied")
            }
        };
        let variable = o.parameter.of(bound.system);
        if let VariableId::Parameter(id) = o.parameter {
            let itself = UnitName::Parameter(id);
            let of = |value: &Value| matches!(value, Value::Expression(f) if f.names().contains(&itself));
            let mut values = bound.population.parameters.iter().zip(bound.system.parameters());
            if let Some((_, other)) = values.find(|(v, _)| of(v)) {
                return Err(AnalysisError::Unsuitable(format!(
                    "`{}` of `{}` is computed from `{}`, and would stay as it is: vary a parameter from which no other \
                     is computed",
                    other.name, bound.population.name, variable.name
                )));
            }
        }
        let (from, to) = (o.from.map_or(0.0, |q| q.si), o.to.map_or(2.0 * now, |q| q.si));
        if from.is_nan() || to.is_nan() || from >= to {
            return Err(AnalysisError::Unsuitable(
                "give `from` and `to`, the first below the second, as in from = \"0 nA\", to = \"10 nA\"".into(),
            ));
        }
        Ok(Self { free, name: variable.name.clone(), unit: display(variable.dimension), from, span: to - from })
    }

    /// The equations with the parameter at `value`.
    fn flow(&self, bound: &Bound<'_>, value: f64) -> Flow {
        let (mut parameters, mut inputs) = (bound.parameters.clone(), bound.inputs.clone());
        match self.free {
            Free::Parameter(k) => parameters[k] = value,
            Free::Input(k) => inputs[k] = value,
        }
        Flow::new(bound.system, &parameters, &inputs)
    }

    /// Cuts branches where they reach the threshold of the model: beyond it there is no rest, because the unit is
    /// reset. What is left, and where rest ends.
    fn below_threshold(&self, branches: Vec<Branch>, bound: &Bound<'_>, scale: &[f64]) -> (Vec<Branch>, Vec<Point>) {
        let (mut kept, mut reached) = (Vec::new(), Vec::new());
        for branch in branches {
            let (mut part, mut begin) = (Vec::new(), branch.ends[0]);
            let mut before: Option<(&Point, bool)> = None;
            for point in &branch.points {
                let above = self.is_above(bound, &point.x, point.parameter);
                if let Some((other, _)) = before.filter(|b| b.1 != above) {
                    let (low, high) = if above { (other, point) } else { (point, other) };
                    let edge = self.edge(bound, low, high, scale);
                    part.push(edge.clone());
                    if above {
                        kept.push(cut(&branch, std::mem::take(&mut part), [begin, End::Threshold]));
                    } else {
                        begin = End::Threshold;
                    }
                    reached.push(edge);
                }
                if !above {
                    part.push(point.clone());
                }
                before = Some((point, above));
            }
            if !part.is_empty() {
                kept.push(cut(&branch, part, [begin, branch.ends[1]]));
            }
        }
        reached.sort_by(|a, b| a.parameter.total_cmp(&b.parameter));
        (kept, reached)
    }

    /// Whether a state lies beyond the threshold; never where its condition is not one comparison.
    fn is_above(&self, bound: &Bound<'_>, x: &[f64], value: f64) -> bool {
        let height = self.flow(bound, value).threshold(0.0, x, &mut vec![0.0; x.len()]);
        height.is_some_and(|h| h > 0.0)
    }

    /// The rest between two of a branch that reaches the threshold.
    fn edge(&self, bound: &Bound<'_>, low: &Point, high: &Point, scale: &[f64]) -> Point {
        let all: Vec<usize> = (0..scale.len()).collect();
        let (mut below, mut above) = (low.clone(), high.clone());
        for _ in 0..EDGE_ROUNDS {
            let parameter = f64::midpoint(below.parameter, above.parameter);
            let mut x: Vec<f64> = below.x.iter().zip(&above.x).map(|(a, b)| f64::midpoint(*a, *b)).collect();
            // Where the branch is too steep in the parameter the place between both is good enough.
            if !newton(&self.flow(bound, parameter), 0.0, &mut x, &all, scale) {
                break;
            }
            let middle = Point { x, parameter, eigenvalues: low.eigenvalues.clone() };
            if self.is_above(bound, &middle.x, parameter) { above = middle } else { below = middle }
        }
        below
    }

    /// States from which equilibria are looked for: along trajectories over the range, and drawn around them.
    fn seeds(&self, bound: &Bound<'_>, f: &mut Findings<'_>) -> Result<Seeds, AnalysisError> {
        let spec = f.scenario().expect("the equations were bound from a scenario");
        let times = spec.simulation.times();
        let n = bound.flow.dimension();
        let mut states = vec![bound.initial.clone()];
        let stride = (times.duration / times.dt).min(STEPS) / KEPT as f64 * times.dt;
        for k in 0..TRAJECTORIES {
            f.request.check_cancelled()?;
            let value = self.from + self.span * k as f64 / (TRAJECTORIES - 1) as f64;
            let flow = self.flow(bound, value);
            let mut x = bound.initial.clone();
            for _ in 0..KEPT {
                // A trajectory that cannot be followed further has shown what it could.
                let Some(next) = fly(&flow, &x, stride, times.dt) else {
                    f.warn(format!(
                        "a trajectory at {} of {} {} could not be followed to its end: equilibria are looked for from \
                         fewer states",
                        self.name,
                        brief(value / self.unit.1),
                        self.unit.0
                    ));
                    break;
                };
                states.push(next.clone());
                x = next;
            }
        }
        let range = |i: usize| {
            let all = states.iter().map(|x| x[i]);
            all.fold((f64::INFINITY, f64::NEG_INFINITY), |m, v| (m.0.min(v), m.1.max(v)))
        };
        let ranges: Vec<(f64, f64)> = (0..n).map(range).collect();
        let scale: Vec<f64> = ranges
            .iter()
            .zip(bound.system.states())
            .map(|((low, high), v)| {
                let size = low.abs().max(high.abs());
                if size > 0.0 && size.is_finite() { size } else { display(v.dimension).1 }
            })
            .collect();
        let key = f.key(&bound.population.name, "equilibria");
        for k in 0..DRAWN {
            let mut stream = key.stream(k as u32, 0);
            let mut draw = |(low, high): &(f64, f64), scale: &f64| {
                let beyond = AROUND * (high - low).max(0.1 * scale);
                (high - low + 2.0 * beyond).mul_add(stream.uniform(), low - beyond)
            };
            states.push(ranges.iter().zip(&scale).map(|(r, s)| draw(r, s)).collect());
        }
        Ok(Seeds { states, scale })
    }
}

/// Flies for `duration` in steps that are short for the fastest mode at the beginning, whatever integrator the scenario
/// has: an explicit scheme that is not stable would make states of any size. `None` where that takes too many.
fn fly(flow: &Flow, x: &[f64], duration: f64, dt: f64) -> Option<Vec<f64>> {
    let n = x.len();
    let mut jacobian = vec![0.0; n * n];
    flow.jacobian(0.0, x, &mut jacobian);
    let fastest = eigenvalues(&jacobian, n)?.iter().fold(0.0_f64, |m, e| m.max(e.0.hypot(e.1)));
    let step = if fastest > 0.0 { dt.min(0.5 / fastest) } else { dt };
    if duration / step > MOST_STEPS {
        return None;
    }
    let mut trajectory = Trajectory::new(flow, 0.0, x, Vec::new(), step);
    trajectory.advance(duration).ok()?;
    Some(trajectory.x)
}

/// A part of a branch.
fn cut(branch: &Branch, points: Vec<Point>, ends: [End; 2]) -> Branch {
    let special = branch.special.iter().filter(|s| points.contains(&s.at)).cloned().collect();
    Branch { points, special, ends }
}

/// States to begin from, and how large each state is.
struct Seeds {
    states: Vec<Vec<f64>>,
    scale: Vec<f64>,
}
