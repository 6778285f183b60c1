//! Whether continuous coupling is stable for the step: what a unit brings to others, and so to itself, within one step.
//!
//! What projections bring is held over each step, and where they have no delay it is of its beginning; the target's own
//! part in it (`X_post`) is so with any delay. A deviation of the coupled quantities then becomes, in one step, the
//! step times their gain as much: the matrix of h r w ∂value/∂x, with r how fast a unit's quantity answers to its
//! input. Its eigenvalues on the negative side are what matters: at -1 and beyond the coupled units swing around where
//! they would settle, at -2 and beyond they swing ever more. Growth by coupling (eigenvalues on the positive side) is
//! the network's own affair.
//!
//! Slopes are taken at the start and along the course of a unit by itself, the steepest of them; a sum of a row bounds
//! all eigenvalues, and only where it is not small the outermost is found by iteration.

use super::population::PopulationValues;
use super::projection::PreparedProjection;
use super::unsuitable;
use crate::BuildError;
use crate::integrator::{Problem, trial};
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::derive::{derivative, derivatives};
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_equation::{System, TimeUnit};
use spikedeck_scenario::{CarriedName, Coupling, PopulationId, PopulationSpec, Port, Rule, Spec, VariableId};

/// Deviations overshoot beyond this, and swing ever more beyond twice as much.
const OVERSHOOTS: f64 = 1.0;
const UNSTABLE: f64 = 2.0;

/// Rounds of the iteration, over the last third of which growth is averaged: most of them, and least.
const ROUNDS: usize = 60;
const LEAST_ROUNDS: usize = 12;

/// Most connections of a projection that are kept here; those of larger ones are walked anew in every round.
const MOST: f64 = 4e6;

/// Connections that are walked for one eigenvalue, if that leaves rounds enough.
const WALKED: f64 = 1e8;

/// Connections of a projection, with how steeply their value depends on both ends within a step.
struct Links<'a> {
    projection: &'a PreparedProjection<'a>,
    /// Index of the histories of the source's quantities with their slopes for a weight of 1, and of the target's.
    pre: Vec<(usize, f64)>,
    post: Vec<(usize, f64)>,
    kind: LinkWeights,
}

enum LinkWeights {
    /// All to all with one weight.
    Same(f64),
    /// Source, target, weight.
    Each(Vec<(u32, u32, f64)>),
    /// Too many to be kept: their number, the weight of largest size, and the largest sum of sizes into a target.
    Walked { count: usize, largest: f64, heaviest: f64 },
}

/// What becomes of deviations of all quantities, history by history, in one step.
type Matrix<'a> = dyn Fn(&[Vec<f64>]) -> Vec<Vec<f64>> + 'a;

/// Course of one unit by itself, and how fast its quantities answer.
struct Unit {
    /// Its states, step by step.
    states: Vec<Vec<f64>>,
    parameters: Vec<f64>,
    /// Nothing drives it.
    inputs: Vec<f64>,
    /// Length of a step in the time of the equations.
    h: f64,
}

/// What a person should know of continuous coupling.
///
/// # Errors
/// A coupling that swings without bound at this step, with a step that would do.
pub(super) fn examine(
    spec: &Spec,
    populations: &[PopulationValues],
    projections: &[PreparedProjection<'_>],
    histories: &[(PopulationId, VariableId)],
) -> Result<Vec<String>, BuildError> {
    let units: Vec<Unit> =
        spec.population_ids().zip(populations).map(|(p, values)| Unit::new(spec, p, values)).collect();
    let links: Vec<Links<'_>> = projections.iter().filter_map(|p| Links::new(spec, p, histories, &units)).collect();
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let sizes: Vec<usize> = histories.iter().map(|(p, _)| spec.population(*p).size).collect();
    let answers: Vec<Vec<f64>> = links.iter().map(|l| answers(spec, l.projection, histories, &units)).collect();
    let bound = bound(&links, &answers, &sizes);
    if bound < OVERSHOOTS {
        return Ok(Vec::new());
    }
    let swing = swing(&links, &answers, &sizes);
    if swing < OVERSHOOTS {
        return Ok(Vec::new());
    }
    let names: Vec<String> = links.iter().map(|l| format!("projections.{}", l.projection.spec.name)).collect();
    let place = names.join(" and ");
    let dt = spec.simulation.dt;
    let time = spec.population(links[0].projection.spec.to.population).time_unit();
    let dimension = if time == TimeUnit::Dimensionless { Dimension::NONE } else { Dimension::SECOND };
    let shown = |value: f64| Quantity { value, dimension }.to_string();
    let step = dt / swing;
    // A power of ten divided by a small number is a step that a person would write.
    let round = 10_f64.powi(step.log10().floor() as i32);
    let rounded = [5.0, 2.0, 1.0].into_iter().map(|m| m * round).find(|s| *s <= step).unwrap_or(round);
    let advice =
        format!("the step times the gain is {swing:.3}, and below 1 it settles: a step of {} would do", shown(rounded));
    let allowed = links.iter().all(|l| l.projection.spec.allow_unstable);
    if swing >= UNSTABLE * (1.0 - 1e-9) && !allowed {
        return Err(unsuitable(
            place,
            format!(
                "what they bring is held over each step of {}, and so coupled units swing without bound ({advice}; \
                 what is `w*(X_pre - X_post)`, as of gap junctions, is stable at any step with `implicit = true`); to \
                 see it happen, write `allow_unstable = true` in the projection",
                shown(dt)
            ),
        ));
    }
    Ok(vec![format!("{place}: coupled units overshoot at a step of {}: {advice}", shown(dt))])
}

impl Unit {
    fn new(spec: &Spec, (id, population): (PopulationId, &PopulationSpec), values: &PopulationValues) -> Self {
        let p = population.system.parts();
        let parameters: Vec<f64> = values.parameters.iter().map(|c| crate::values::at(c, 0)).collect();
        let start: Vec<f64> = values.initial.iter().map(|c| crate::values::at(c, 0)).collect();
        let h = spec.simulation.dt * population.time_unit().per_second();
        let problem = Problem {
            graph: p.graph.clone(),
            drift: p.drift.clone(),
            diffusion: vec![None; p.drift.len()],
            h,
            cut: None,
            names: Vec::new(),
            lanes: 1,
            parameters: &|_| Vec::new(),
            lane_values: Vec::new(),
        };
        let coupled =
            spec.projections.iter().any(|x| matches!(x.coupling, Coupling::Continuous { .. }) && x.to.population == id);
        // A tree has its own solver, and a neuron with a reset no course beyond its threshold.
        let followed = coupled && population.tree.is_none() && p.reset.is_empty();
        let path = if followed { trial::follow(&problem, &start, &parameters) } else { None };
        let states = path.map_or_else(|| vec![start], |path| path.states().to_vec());
        Self { states, parameters, inputs: vec![0.0; p.inputs.len()], h }
    }

    /// Value of an expression at the `k`-th grid point of the course.
    fn value(&self, tape: &Tape, k: usize) -> f64 {
        tape.value(&Values {
            states: &self.states[k],
            parameters: &self.parameters,
            inputs: &self.inputs,
            time: Some(k as f64 * self.h),
            ..Values::default()
        })
    }

    /// The value of largest size that an expression takes along the course.
    fn steepest(&self, tape: &Tape) -> f64 {
        let finite = (0..self.states.len()).map(|k| self.value(tape, k)).filter(|v| v.is_finite());
        finite.max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0)
    }

    /// Values of a quantity at both ends of the course.
    fn values(&self, spec: &Spec, (p, variable): (PopulationId, VariableId)) -> Vec<f64> {
        let system = &spec.population(p).system;
        let (graph, id) = quantity(system, variable);
        let tape = Tape::new(&graph, &[id]);
        [0, self.states.len() - 1].map(|k| self.value(&tape, k)).to_vec()
    }
}

/// A quantity as an expression, with the graph that it is in: a state that no equation reads is in none.
fn quantity(system: &System, variable: VariableId) -> (Graph, Id) {
    let p = system.parts();
    let mut graph = p.graph.clone();
    let id = match variable {
        VariableId::State(i) => graph.symbol(Symbol::State(i.index() as u32)),
        VariableId::Parameter(i) => graph.symbol(Symbol::Parameter(i.index() as u32)),
        VariableId::Subexpression(i) => p.subexpression_ids[i.index()],
        VariableId::Input(i) => p.port_totals[i.index()],
    };
    (graph, id)
}

/// For each history: by how much its quantity changes in one step for what a projection brings to its target's input.
fn answers(
    spec: &Spec,
    projection: &PreparedProjection<'_>,
    histories: &[(PopulationId, VariableId)],
    units: &[Unit],
) -> Vec<f64> {
    let target = &projection.spec.to;
    let Port::Input(port) = target.port else { return vec![0.0; histories.len()] };
    let population = spec.population(target.population);
    let p = population.system.parts();
    let h = spec.simulation.dt * population.time_unit().per_second();
    let input = Symbol::Input(port.index() as u32);
    let answer = |&(owner, variable): &(PopulationId, VariableId)| {
        if owner != target.population {
            return 0.0;
        }
        let (mut g, id) = quantity(&population.system, variable);
        let rates = derivatives(&mut g, &p.drift, input);
        let mut sum: Option<Id> = None;
        for (s, rate) in rates.into_iter().enumerate() {
            let slope = derivative(&mut g, id, Symbol::State(s as u32));
            let product = g.mul(slope, rate);
            sum = Some(sum.map_or(product, |sum| g.add(sum, product)));
        }
        sum.map_or(0.0, |sum| h * units[owner.index()].steepest(&Tape::new(&g, &[sum])))
    };
    histories.iter().map(answer).collect()
}

impl<'a> Links<'a> {
    /// The links of a continuous projection, as far as they act within a step.
    fn new(
        spec: &Spec,
        projection: &'a PreparedProjection<'a>,
        histories: &[(PopulationId, VariableId)],
        units: &[Unit],
    ) -> Option<Self> {
        let Coupling::Continuous { value } = &projection.spec.coupling else { return None };
        if projection.spec.implicit {
            return None;
        }
        // What comes late from sources is none of this step's; the target's own part is, as soon as it is held.
        let late = projection.values.same_delay() != Some(0);
        if late && !value.names().iter().any(|name| matches!(name, CarriedName::Target(_))) {
            return None;
        }
        let (from, to) = (projection.spec.from, projection.spec.to.population);
        let kind = match (projection.spec.rule.clone(), projection.values.same_weight()) {
            (Rule::AllToAll, Some(w)) => LinkWeights::Same(w),
            _ if projection.wiring.expected() > MOST => {
                let mut sums = vec![0.0; projection.wiring.targets as usize];
                let (mut count, mut largest) = (0, 0.0_f64);
                projection.wiring.walk(0..projection.wiring.targets, |link| {
                    let w = projection.values.weight(&link);
                    count += 1;
                    sums[link.target as usize] += w.abs();
                    largest = if w.abs() > largest.abs() { w } else { largest };
                });
                LinkWeights::Walked { count, largest, heaviest: sums.into_iter().fold(0.0, f64::max) }
            }
            _ => {
                let mut list = Vec::new();
                projection.wiring.walk(0..projection.wiring.targets, |link| {
                    list.push((link.source, link.target, projection.values.weight(&link)));
                });
                LinkWeights::Each(list)
            }
        };
        // The slope for a weight of 1, from that of the largest.
        let largest = match &kind {
            LinkWeights::Same(w) | LinkWeights::Walked { largest: w, .. } => *w,
            LinkWeights::Each(list) => {
                list.iter().map(|l| l.2).max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0)
            }
        };
        if largest == 0.0 {
            return None;
        }
        let (graph, root) = value.expression().graph();
        let own = |name: &CarriedName| match name {
            CarriedName::Source(v) => units[from.index()].values(spec, (from, *v)),
            CarriedName::Target(v) => units[to.index()].values(spec, (to, *v)),
            CarriedName::Weight => vec![largest],
        };
        let seen: Vec<Vec<f64>> = value.names().iter().map(own).collect();
        let slope = |variable: usize| {
            let mut g = graph.clone();
            let d = derivative(&mut g, root, Symbol::Variable(variable as u32));
            let tape = Tape::new(&g, &[d]);
            // Sources and targets at the start and later, in all four ways.
            let at = |pre: usize, post: usize| {
                let pick = |(name, seen): (&CarriedName, &Vec<f64>)| {
                    let k = if matches!(name, CarriedName::Target(_)) { post } else { pre };
                    *seen.get(k).or(seen.first()).expect("a weight has one value, a quantity two")
                };
                let variables: Vec<f64> = value.names().iter().zip(&seen).map(pick).collect();
                tape.value(&Values { variables: &variables, ..Values::default() })
            };
            let all = [at(0, 0), at(0, 1), at(1, 0), at(1, 1)].into_iter().filter(|v| v.is_finite());
            all.max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0) / largest
        };
        let history = |key| histories.iter().position(|h| *h == key);
        let (mut pre, mut post) = (Vec::new(), Vec::new());
        for (k, name) in value.names().iter().enumerate() {
            match name {
                CarriedName::Source(_) if late => {}
                CarriedName::Source(v) => pre.extend(history((from, *v)).map(|h| (h, slope(k)))),
                CarriedName::Target(v) => post.extend(history((to, *v)).map(|h| (h, slope(k)))),
                CarriedName::Weight => {}
            }
        }
        (!pre.is_empty() || !post.is_empty()).then_some(Self { projection, pre, post, kind })
    }

    /// Sum of the sizes of the weights into the target with most.
    fn heaviest(&self) -> f64 {
        match &self.kind {
            LinkWeights::Same(w) => w.abs() * f64::from(self.projection.wiring.sources),
            LinkWeights::Each(list) => {
                let mut sums = vec![0.0; self.projection.wiring.targets as usize];
                for &(_, target, w) in list {
                    sums[target as usize] += w.abs();
                }
                sums.into_iter().fold(0.0, f64::max)
            }
            LinkWeights::Walked { heaviest, .. } => *heaviest,
        }
    }

    /// Rounds of the iteration that are walked in bearable time.
    fn rounds(&self) -> usize {
        match &self.kind {
            LinkWeights::Same(_) | LinkWeights::Each(_) => ROUNDS,
            LinkWeights::Walked { count, .. } => ((WALKED / *count as f64) as usize).clamp(LEAST_ROUNDS, ROUNDS),
        }
    }

    /// What arrives at each target for deviations of the quantities.
    fn bring(&self, deviations: &[Vec<f64>], arrived: &mut [f64]) {
        let of = |list: &[(usize, f64)], unit: u32| -> f64 {
            list.iter().map(|&(h, slope)| slope * deviations[h][unit as usize]).sum()
        };
        let mut add = |source: u32, target: u32, w: f64| {
            arrived[target as usize] += w * (of(&self.pre, source) + of(&self.post, target));
        };
        match &self.kind {
            LinkWeights::Same(w) => {
                let sources = self.projection.wiring.sources as usize;
                let alone = self.projection.wiring.apart.is_some();
                for &(h, slope) in &self.pre {
                    let total: f64 = deviations[h].iter().sum();
                    for (unit, to) in arrived.iter_mut().enumerate() {
                        let own = if alone && unit < sources { deviations[h][unit] } else { 0.0 };
                        *to += w * slope * (total - own);
                    }
                }
                for &(h, slope) in &self.post {
                    for (unit, to) in arrived.iter_mut().enumerate() {
                        let count = sources - usize::from(alone && unit < sources);
                        *to += w * slope * count as f64 * deviations[h][unit];
                    }
                }
            }
            LinkWeights::Each(list) => list.iter().for_each(|&(source, target, w)| add(source, target, w)),
            LinkWeights::Walked { .. } => {
                let PreparedProjection { wiring, values, .. } = self.projection;
                wiring.walk(0..wiring.targets, |link| add(link.source, link.target, values.weight(&link)));
            }
        }
    }
}

/// No eigenvalue is above the largest sum of a row.
fn bound(links: &[Links<'_>], answers: &[Vec<f64>], sizes: &[usize]) -> f64 {
    let row = |q: usize| -> f64 {
        let of = |(l, answers): (&Links<'_>, &Vec<f64>)| {
            let steep: f64 = l.pre.iter().chain(&l.post).map(|s| s.1.abs()).sum();
            if answers[q] == 0.0 { 0.0 } else { answers[q].abs() * steep * l.heaviest() }
        };
        links.iter().zip(answers).map(of).sum()
    };
    (0..sizes.len()).map(row).fold(0.0, f64::max)
}

/// How far the eigenvalues reach on the negative side.
fn swing(links: &[Links<'_>], answers: &[Vec<f64>], sizes: &[usize]) -> f64 {
    let apply = |v: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let mut out: Vec<Vec<f64>> = sizes.iter().map(|&n| vec![0.0; n]).collect();
        for (l, answers) in links.iter().zip(answers) {
            let mut arrived = vec![0.0; l.projection.wiring.targets as usize];
            l.bring(v, &mut arrived);
            for (out, &answer) in out.iter_mut().zip(answers).filter(|(_, a)| **a != 0.0) {
                out.iter_mut().zip(&arrived).for_each(|(o, a)| *o += answer * a);
            }
        }
        out
    };
    // The eigenvalue of largest size, and from there the one farthest on its other side.
    let rounds = links.iter().map(Links::rounds).fold(ROUNDS, usize::min);
    let (radius, _) = outermost(&apply, (sizes, rounds), 0.0);
    let (reach, real) = outermost(&apply, (sizes, rounds), radius);
    if real { (reach - radius).max(0.0) } else { 0.0 }
}

/// Size of the outermost eigenvalue of the matrix less `shift`, and whether it is a real one on the negative side.
fn outermost(apply: &Matrix<'_>, (sizes, rounds): (&[usize], usize), shift: f64) -> (f64, bool) {
    // Any vector with parts along all directions; golden fractions repeat nowhere.
    let mut at = 0.0_f64;
    let mut v: Vec<Vec<f64>> = sizes
        .iter()
        .map(|&n| {
            (0..n)
                .map(|_| {
                    at += 0.618_033_988_749_895;
                    at.fract() - 0.5
                })
                .collect()
        })
        .collect();
    let dot = |a: &[Vec<f64>], b: &[Vec<f64>]| -> f64 {
        a.iter().flatten().zip(b.iter().flatten()).map(|(x, y)| x * y).sum()
    };
    let averaged = rounds / 3;
    let (mut growth, mut along) = (0.0, 0.0);
    for round in 0..rounds {
        let size = dot(&v, &v).sqrt();
        if size == 0.0 || !size.is_finite() {
            return (0.0, true);
        }
        v.iter_mut().flatten().for_each(|x| *x /= size);
        let mut next = apply(&v);
        next.iter_mut().flatten().zip(v.iter().flatten()).for_each(|(n, x)| *n -= shift * x);
        along = dot(&v, &next);
        if round >= rounds - averaged {
            growth += dot(&next, &next).sqrt().ln();
        }
        v = next;
    }
    let size = (growth / averaged as f64).exp();
    (size, along < -0.5 * size)
}
