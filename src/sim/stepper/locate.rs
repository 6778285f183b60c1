//! Crossings inside a step: where the threshold was crossed, the reset there, and the rest of the step from the reset
//! state.
//!
//! `interpolated` takes states as straight lines between the two grid points (order 2), and follows the equations
//! themselves where no line leads to the crossing: where a spike current ends a step at the threshold whatever it was,
//! and after a reset where the rates are not linear in the threshold variable; `exact` solves the closed form
//! of linear equations for the moment at which the surface is reached. Either way the unit goes on from the reset state
//! for what is left of the step, in which it may cross again where it does not rest (`crossing`), and a refractory time
//! ends inside a step as it began (Morrison et al. 2007, doi:10.1162/neco.2007.19.1.47). An excursion that begins and
//! ends inside one step (Hanuschkin et al. 2010, doi:10.3389/fninf.2010.00113) is found by `exact`, however often it
//! turns (`excursion`), and not seen otherwise.
//! What arrives at a grid point still acts at that point: what `exact` saw cross before it has spiked, whatever it
//! brings.

use crate::integrator::{Linear, Problem, linear_part, rk45};
use spikedeck_core::expm::expm;
use spikedeck_equation::graph::{Graph, Id};
use spikedeck_equation::tape::{Tape, Values};

/// What is needed to go to a moment inside a step.
#[derive(Debug)]
pub(super) struct Locate {
    pub(super) surface: Tape,
    pub(super) exact: bool,
    /// Where the rates are not linear in the threshold variable: after a reset no line leads to the next crossing.
    pub(super) steep: Option<Steep>,
    /// How states move by themselves; `None` for equations with noise, whose reset stays on the grid.
    pub(super) free: Option<Inside>,
    /// The same with the held states at rest.
    pub(super) held: Option<Inside>,
    /// States before the step, and at its end before anything arrives.
    pub(super) before: Vec<f64>,
    pub(super) ended: Vec<f64>,
    /// Where the spikes found in the step end, in their order; empty slots for resets on the grid.
    pub(super) ends: Vec<Option<Landing>>,
    /// Lanes whose rest ended inside the step: after which part of it, and their states then.
    pub(super) released: Vec<(u32, f64, Vec<f64>)>,
    /// Lanes that crossed within the step as far as `exact` tells, and the part of it at which they did so first.
    pub(super) excursions: Vec<(u32, f64)>,
}

/// Equations that are followed inside a step.
#[derive(Debug)]
pub(super) struct Steep {
    rates: Tape,
    /// The threshold variable and its bound.
    state: usize,
    bound: Tape,
    /// Whether a spike current ends a step at the threshold whatever it was, so that no line leads to any crossing.
    pub(super) cuts: bool,
}

/// Where a spike inside a step ends.
#[derive(Debug)]
pub(super) struct Landing {
    /// States at the end of the step.
    pub states: Vec<f64>,
    /// How long the lane rests, by its states after the reset.
    pub rest: Option<f64>,
}

/// How a state moves for a part of a step.
#[derive(Debug)]
pub(super) enum Inside {
    /// Slopes (row by row), then rates at state zero.
    Linear(Tape),
    /// Rates.
    Smooth(Tape),
}

/// What the equations see besides their states.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub parameters: &'a [f64],
    pub inputs: &'a [f64],
    pub time: f64,
}

impl Around<'_> {
    pub fn values<'b>(&'b self, states: &'b [f64], later: f64) -> Values<'b> {
        Values {
            states,
            parameters: self.parameters,
            inputs: self.inputs,
            time: Some(self.time + later),
            ..Values::default()
        }
    }
}

/// The linear part of equations; the graph then holds what it is made of.
pub(super) fn linear(graph: &mut Graph, drift: &[Id], names: &[String]) -> Linear {
    let mut problem = Problem {
        graph: std::mem::take(graph),
        drift: drift.to_vec(),
        diffusion: vec![None; drift.len()],
        h: 0.0,
        cut: None,
        names: names.to_vec(),
        lanes: 0,
        parameters: &|_| Vec::new(),
        lane_values: Vec::new(),
    };
    let linear = linear_part(&mut problem);
    *graph = problem.graph;
    linear
}

impl Inside {
    /// A (row by row) and b of x' = A x + b, where states move so.
    pub fn linear(&self, around: &Around<'_>, n: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let Self::Linear(tape) = self else { return None };
        let mut entries = vec![0.0; n * n + n];
        tape.evaluate(&around.values(&vec![0.0; n], 0.0), &mut entries);
        let offset = entries.split_off(n * n);
        Some((entries, offset))
    }

    /// States `h` later.
    pub fn moved(&self, around: &Around<'_>, from: &[f64], later: f64, h: f64) -> Vec<f64> {
        let n = from.len();
        match self {
            Self::Linear(tape) => {
                // x' = A x + b as one homogeneous system of n + 1 rows.
                let mut entries = vec![0.0; n * n + n];
                tape.evaluate(&around.values(&vec![0.0; n], later), &mut entries);
                let m = n + 1;
                let mut big = vec![0.0; m * m];
                for i in 0..n {
                    for j in 0..n {
                        big[i * m + j] = entries[i * n + j] * h;
                    }
                    big[i * m + n] = entries[n * n + i] * h;
                }
                let e = expm(&big, m);
                (0..n).map(|i| (0..n).fold(e[i * m + n], |sum, j| e[i * m + j].mul_add(from[j], sum))).collect()
            }
            Self::Smooth(tape) => {
                // Classical Runge-Kutta: a part of a step is shorter than the step, whose own scheme is of no higher
                // order.
                let rate = |states: &[f64], at: f64| {
                    let mut k = vec![0.0; n];
                    tape.evaluate(&around.values(states, at), &mut k);
                    k
                };
                let plus =
                    |k: &[f64], f: f64| -> Vec<f64> { from.iter().zip(k).map(|(x, k)| f.mul_add(*k, *x)).collect() };
                let k1 = rate(from, later);
                let k2 = rate(&plus(&k1, h / 2.0), later + h / 2.0);
                let k3 = rate(&plus(&k2, h / 2.0), later + h / 2.0);
                let k4 = rate(&plus(&k3, h), later + h);
                (0..n).map(|i| (h / 6.0).mul_add(k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i], from[i])).collect()
            }
        }
    }
}

/// What [`Locate::new`] is made from.
pub(super) struct Given<'a> {
    /// Expressions, the rates among them, with shared parameters as numbers.
    pub graph: &'a Graph,
    pub drift: &'a [Id],
    pub surface: Id,
    pub noisy: bool,
    /// Whether there is a reset: without one nothing has to be finished.
    pub resets: bool,
    pub hold: &'a [usize],
    pub exact: bool,
    /// The threshold variable and its bound, where the rates are not linear in it, and whether results of steps are cut
    /// there.
    pub steep: Option<(usize, Id, bool)>,
    /// Names of the states.
    pub names: &'a [String],
    /// Places of a column of states.
    pub padded: usize,
}

impl Locate {
    /// # Errors
    /// `exact` for equations that are not linear, with the state that is not.
    pub fn new(given: &Given<'_>) -> Result<Self, String> {
        let n = given.drift.len();
        let surface = Tape::new(given.graph, &[given.surface]);
        let inside = |hold: &[usize]| -> Result<Inside, String> {
            let mut graph = given.graph.clone();
            let zero = graph.number(0.0);
            let drift: Vec<Id> = (0..n).map(|i| if hold.contains(&i) { zero } else { given.drift[i] }).collect();
            if !given.exact {
                return Ok(Inside::Smooth(Tape::new(&graph, &drift)));
            }
            let linear = linear(&mut graph, &drift, given.names);
            if let Some(i) = (0..n).find(|i| !linear.states.contains(i)) {
                return Err(format!(
                    "spike_times = \"exact\" needs equations whose states are linear in each other with constant \
                     coefficients, and that of \
                     `{}` is not: use \"interpolated\", or integrator = \"rk45\" with \"interpolated\", which locates \
                     crossings itself",
                    given.names[i]
                ));
            }
            let mut roots = linear.matrix;
            roots.extend(&drift);
            Ok(Inside::Linear(Tape::new(&graph, &roots)))
        };
        if given.exact && given.noisy {
            return Err("spike_times = \"exact\" needs equations without noise: use \"interpolated\"".to_owned());
        }
        let finish = given.resets && !given.noisy;
        let (free, held) =
            if finish || given.exact { (Some(inside(&[])?), Some(inside(given.hold)?)) } else { (None, None) };
        let size = n * given.padded;
        Ok(Self {
            surface,
            exact: given.exact,
            steep: given.steep.map(|(state, bound, cuts)| Steep {
                rates: Tape::new(given.graph, given.drift),
                state,
                bound: Tape::new(given.graph, &[bound]),
                cuts,
            }),
            free,
            held,
            before: vec![0.0; size],
            ended: vec![0.0; size],
            ends: Vec::new(),
            released: Vec::new(),
            excursions: Vec::new(),
        })
    }

    /// Keeps the states of a block before the step.
    pub fn begin(&mut self, data: &[f64], padded: usize, start: usize, count: usize) {
        copy_states(&mut self.before, data, padded, start, count);
    }

    /// Keeps them at its end, before anything arrives.
    pub fn end(&mut self, data: &[f64], padded: usize, start: usize, count: usize) {
        copy_states(&mut self.ended, data, padded, start, count);
    }

    /// After which part of the step the rest of a lane ended inside it, and its states then.
    pub fn released_of(&self, lane: usize) -> Option<(f64, &[f64])> {
        self.released.iter().find(|r| r.0 as usize == lane).map(|r| (r.1, r.2.as_slice()))
    }

    /// The part of a step of `dt` at which a lane that stands at `old` after `part` of it, below the threshold, reaches
    /// it, where it ends above.
    pub fn root(&self, free: &Inside, around: &Around<'_>, (part, old): (f64, &[f64]), dt: f64) -> f64 {
        let surface = |states: &[f64], later: f64| self.surface.value(&around.values(states, later));
        let at = |f: f64| free.moved(around, old, part * dt, (f - part) * dt);
        let within = |g: f64| (1.0 - part).mul_add(g, part);
        let h1 = surface(&at(1.0), dt).max(f64::MIN_POSITIVE);
        within(root(&|g| surface(&at(within(g)), within(g) * dt), surface(old, part * dt), h1))
    }

    /// Follows a lane that stands at `states` after `part` of a step of `dt`, below the threshold, to its crossing or
    /// to the end of the step: after which part of it that is, with the states there. `None` where it cannot be
    /// followed.
    pub fn follow(
        &self,
        steep: &Steep,
        around: &Around<'_>,
        (part, states): (f64, &mut [f64]),
        dt: f64,
    ) -> Option<f64> {
        let rate = |t: f64, x: &[f64], out: &mut [f64]| {
            steep.rates.evaluate(&Values { time: Some(t), ..around.values(x, 0.0) }, out);
        };
        let above = |t: f64, x: &[f64]| self.surface.value(&Values { time: Some(t), ..around.values(x, 0.0) });
        let cut = Some((steep.state, steep.bound.value(&around.values(states, 0.0))));
        let followed = rk45::Lane { rate: &rate, surface: Some(&above), cut, seen: None };
        let share = rk45::advance(&followed, part.mul_add(dt, around.time), (1.0 - part) * dt, states)?;
        Some(if share < 1.0 { (1.0 - part).mul_add(share, part) } else { 1.0 })
    }

    /// Forgets the spikes of the step before.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.released.clear();
        self.excursions.clear();
    }
}

fn copy_states(to: &mut [f64], data: &[f64], padded: usize, start: usize, count: usize) {
    if padded == 0 {
        return;
    }
    for (to, from) in to.chunks_exact_mut(padded).zip(data.chunks_exact(padded)) {
        to[start..start + count].copy_from_slice(&from[start..start + count]);
    }
}

/// Where `f` becomes positive in (0, 1], with `f(0) < 0 <= f(1)`: regula falsi with Illinois' remedy, to rounding.
pub(super) fn root(f: &dyn Fn(f64) -> f64, before: f64, after: f64) -> f64 {
    let (mut a, mut b, mut fa, mut fb) = (0.0, 1.0, before, after);
    let mut side = 0;
    for _ in 0..100 {
        let x = (a * fb - b * fa) / (fb - fa);
        if b - a < 1e-15 || !(x > a && x < b) {
            break;
        }
        let y = f(x);
        if y >= 0.0 {
            (b, fb) = (x, y);
            if side == 1 {
                fa /= 2.0;
            }
            side = 1;
        } else {
            (a, fa) = (x, y);
            if side == -1 {
                fb /= 2.0;
            }
            side = -1;
        }
        if y == 0.0 {
            break;
        }
    }
    b
}
