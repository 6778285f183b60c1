//! A scheme is tried: on one unit, from where it starts and from where it spikes, beside a solution that adapts its
//! step.

use super::spectrum::radius;
use super::{Method, Problem, build, rk45, rosenbrock};
use spikedeck_equation::derive::derivative;
use spikedeck_equation::flow::jacobian;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::Integrator;

/// Steps that are tried.
const STEPS: usize = 64;

/// Numbers of steps over which a distance is averaged, the worst of which counts: a spike that takes few steps is not
/// outweighed by the rest that follows it.
pub const SPANS: [usize; 4] = [4, 8, 16, 32];

/// Mean distance from the solution, as a part of the range that a state passes through, up to which a scheme follows
/// it.
pub const FOLLOWS: f64 = 0.1;

/// The same for a scheme that is taken without being named: spikes are then as many as the equations have.
pub const CLOSE: f64 = 0.02;

/// The distance beyond which a step is said to be too long.
pub const LOST: f64 = 0.25;

/// States up to which the rates are looked at everywhere along a path.
const MANY: usize = 50;

/// A range below this part of a state's size is none.
const STILL: f64 = 1e-6;

/// States of one unit at the grid points of `STEPS` steps, without noise and input.
pub struct Path {
    states: Vec<Vec<f64>>,
}

/// How far a scheme leads away from a path.
pub struct Distance {
    /// The state that is worst.
    pub state: usize,
    /// Its mean distance over the first grid points, as a part of its range: over as many of them as make it worst.
    pub mean: f64,
    /// The greatest mean distance of a state over all grid points.
    pub overall: f64,
    /// The farthest that any state leaves the range that it passes through, as a part of it.
    pub outside: f64,
}

impl Distance {
    /// Whether a scheme may be taken that nobody named: it stays near the path, and near the range (a decay that swings
    /// through zero in its first step is soon near the path again).
    pub fn is_close(&self) -> bool {
        self.overall <= CLOSE && self.mean <= FOLLOWS && self.outside <= FOLLOWS
    }
}

/// Moves states one step on from a time.
type Advance<'a> = dyn Fn(f64, &mut Vec<f64>) + 'a;

/// Rates, bound and parameters of one unit.
struct Unit<'a> {
    rates: Tape,
    cut: Option<(usize, f64)>,
    parameters: &'a [f64],
    /// Nothing drives it.
    inputs: Vec<f64>,
}

impl Unit<'_> {
    fn evaluate(&self, tape: &Tape, time: f64, states: &[f64], out: &mut [f64]) {
        let Self { parameters, inputs, .. } = self;
        tape.evaluate(&Values { states, parameters, inputs, time: Some(time), ..Values::default() }, out);
    }
}

/// The bound of a threshold variable, where nothing drives the unit: it is made of parameters, and of the ports by
/// which stimuli change these.
pub fn bound(graph: &Graph, id: Id, parameters: &[f64]) -> f64 {
    let tape = Tape::new(graph, &[id]);
    let inputs = vec![0.0; tape.inputs() as usize];
    tape.value(&Values { parameters, inputs: &inputs, ..Values::default() })
}

fn unit<'a>(p: &Problem<'_>, parameters: &'a [f64]) -> Unit<'a> {
    let bound = |(s, id)| (s, bound(&p.graph, id, parameters));
    let rates = Tape::new(&p.graph, &p.drift);
    let inputs = vec![0.0; rates.inputs() as usize];
    Unit { rates, cut: p.cut.map(bound), parameters, inputs }
}

/// Follows the equations from `start` with a step that adapts; nothing where they cannot be followed.
pub fn follow(p: &Problem<'_>, start: &[f64], parameters: &[f64]) -> Option<Path> {
    let unit = unit(p, parameters);
    let rate = |t: f64, x: &[f64], out: &mut [f64]| unit.evaluate(&unit.rates, t, x, out);
    let lane = rk45::Lane { rate: &rate, surface: None, cut: unit.cut, seen: None };
    let mut states = vec![start.to_vec()];
    let mut x = start.to_vec();
    for k in 0..STEPS {
        rk45::advance(&lane, k as f64 * p.h, p.h, &mut x)?;
        if !x.iter().all(|v| v.is_finite()) {
            return None;
        }
        states.push(x.clone());
    }
    Some(Path { states })
}

impl Path {
    /// The states at the grid points.
    pub fn states(&self) -> &[Vec<f64>] {
        &self.states
    }

    /// Largest |eigenvalue| of the Jacobian along the path.
    pub fn fastest(&self, p: &mut Problem<'_>, parameters: &[f64]) -> f64 {
        let n = p.states();
        let rates = p.drift.clone();
        let slopes = jacobian(&mut p.graph, &rates, n);
        let tape = Tape::new(&p.graph, &slopes);
        let unit = unit(p, parameters);
        let mut values = vec![0.0; n * n];
        let mut fastest: f64 = 0.0;
        // The eigenvalues of one point cost the cube of the states: of many states fewer points are looked at.
        let stride = (n / MANY).pow(2).clamp(1, STEPS / 4);
        for (k, states) in self.states.iter().enumerate().step_by(stride) {
            unit.evaluate(&tape, k as f64 * p.h, states, &mut values);
            if !values.iter().all(|v| v.is_finite()) {
                continue;
            }
            fastest = fastest.max(radius(n, &values));
        }
        fastest
    }

    /// How far from the path a scheme with a step of `h` (a whole part of the path's own) leads, on average over grid
    /// points. Nothing where the scheme cannot be tried, or nothing moves.
    pub fn distance(
        &self,
        p: &Problem<'_>,
        integrator: Integrator,
        parts: u32,
        parameters: &[f64],
    ) -> Option<Distance> {
        let h = p.h / f64::from(parts);
        let mut tried = Problem {
            graph: p.graph.clone(),
            drift: p.drift.clone(),
            diffusion: vec![None; p.states()],
            h,
            cut: p.cut,
            names: p.names.clone(),
            lanes: p.lanes,
            parameters: p.parameters,
            lane_values: Vec::new(),
        };
        let method = build(integrator, &mut tried).ok().filter(|_| tried.lane_values.is_empty())?;
        let n = tried.states();
        let unit = unit(p, parameters);
        let step: Box<Advance<'_>> = match method {
            Method::Expressions(list) => {
                let tape = Tape::new(&tried.graph, &list);
                let unit = &unit;
                Box::new(move |time, x| {
                    let mut new = vec![0.0; n];
                    unit.evaluate(&tape, time, x, &mut new);
                    *x = new;
                })
            }
            Method::Rosenbrock => {
                let mut slopes = jacobian(&mut tried.graph, &tried.drift.clone(), n);
                let drift = tried.drift.clone();
                slopes.extend(drift.iter().map(|&f| derivative(&mut tried.graph, f, Symbol::Time)));
                let slopes = Tape::new(&tried.graph, &slopes);
                let unit = &unit;
                Box::new(move |time, x| {
                    let rate = |t: f64, x: &[f64], out: &mut [f64]| unit.evaluate(&unit.rates, t, x, out);
                    let slope = |t: f64, x: &[f64], out: &mut [f64]| unit.evaluate(&slopes, t, x, out);
                    let lane = rosenbrock::Lane { rate: &rate, jacobian: &slope, surface: None, cut: unit.cut };
                    if rosenbrock::advance(&lane, time, h, x).is_none() {
                        x.fill(f64::NAN);
                    }
                })
            }
            Method::RungeKutta45 => return None,
        };
        let ranges: Vec<(f64, f64)> = (0..n).map(|s| self.range(s)).collect();
        let moves = |s: usize| {
            let (low, high) = ranges[s];
            high - low > STILL * low.abs().max(high.abs())
        };
        let mut x = self.states[0].clone();
        let mut sums = vec![0.0; n];
        let mut outside: f64 = 0.0;
        // The worst mean of each state over the first steps.
        let mut worst = vec![0.0; n];
        for (k, exact) in self.states.iter().enumerate().skip(1) {
            for part in 0..parts {
                step((k - 1) as f64 * p.h + f64::from(part) * h, &mut x);
            }
            for ((sum, x), y) in sums.iter_mut().zip(&x).zip(exact) {
                *sum += (x - y).abs();
            }
            if k == STEPS || SPANS.contains(&k) {
                // What is no number stays the worst.
                let mean = |sum: &f64| if sum.is_finite() { sum / k as f64 } else { f64::INFINITY };
                worst.iter_mut().zip(&sums).for_each(|(w, sum)| *w = mean(sum).max(*w));
            }
            for (s, (low, high)) in ranges.iter().enumerate().filter(|r| moves(r.0)) {
                outside = outside.max((x[s] - high) / (high - low)).max((low - x[s]) / (high - low));
            }
        }
        let share = |s: usize| {
            if worst[s] == f64::INFINITY {
                return Some((s, f64::INFINITY, f64::INFINITY));
            }
            let range = ranges[s].1 - ranges[s].0;
            moves(s).then(|| (s, worst[s] / range, sums[s] / STEPS as f64 / range))
        };
        let shares: Vec<(usize, f64, f64)> = (0..n).filter_map(share).collect();
        let overall = shares.iter().map(|s| s.2).fold(0.0, f64::max);
        let (state, mean, _) = shares.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(Distance { state, mean, overall, outside })
    }

    /// Least and greatest value of a state along the path.
    fn range(&self, s: usize) -> (f64, f64) {
        let of = |f: fn(f64, f64) -> f64, from: f64| self.states.iter().map(|x| x[s]).fold(from, f);
        (of(f64::min, f64::INFINITY), of(f64::max, f64::NEG_INFINITY))
    }
}
