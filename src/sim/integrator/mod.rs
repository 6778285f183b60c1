//! Integrators. Most are rewritings of the equations: given the rates of a system as expressions, a scheme
//! writes down the expressions of the states one step later, and the kernel compiles these. Two (`rk45`, `rosenbrock`)
//! choose or solve numerically and work lane by lane.

mod choose;
mod euler;
mod euler_maruyama;
mod euler_sequential;
mod exact;
mod exponential_euler;
mod heun;
mod heun_stratonovich;
mod milstein;
mod rk4;
pub mod rk45;
pub mod rosenbrock;
mod spectrum;
mod stability;
pub mod trial;

pub use self::choose::choose;
pub use self::exact::{Linear, linear_part};
pub use self::stability::check;

use spikedeck_equation::derive::derivative;
use spikedeck_equation::graph::{Binary, Graph, Id, Node, Symbol, Unary};
use spikedeck_equation::tape::Tape;
use spikedeck_scenario::Integrator;

/// Rates (or a Jacobian) at a time and state.
pub type Rate<'a> = dyn Fn(f64, &[f64], &mut [f64]) + 'a;

/// Is shown the part of a step that is done, the time and the state.
pub type Watch<'a> = dyn Fn(f64, f64, &[f64]) + 'a;

/// A threshold surface at a time and state.
pub type Surface<'a> = dyn Fn(f64, &[f64]) -> f64 + 'a;

/// How a step is made.
pub enum Method {
    /// Expressions of all states after the step.
    Expressions(Vec<Id>),
    /// Dormand-Prince by lanes.
    RungeKutta45,
    /// ROS2 by lanes.
    Rosenbrock,
}

/// A system to be integrated: shared parameters are numbers, others symbols.
pub struct Problem<'a> {
    /// Its expressions.
    pub graph: Graph,
    /// Rates, without noise.
    pub drift: Vec<Id>,
    /// Factors of white noise.
    pub diffusion: Vec<Option<Id>>,
    /// Step in the time of the equations.
    pub h: f64,
    /// Threshold variable and its bound, where the rates are not linear in it: trial values are clipped there.
    pub cut: Option<(usize, Id)>,
    /// Names of the states.
    pub names: Vec<String>,
    /// Number of lanes, and the value of an expression of parameters in each.
    pub lanes: usize,
    /// Parameters of a lane.
    pub parameters: &'a dyn Fn(usize) -> Vec<f64>,
    /// Lane values made by the scheme.
    pub lane_values: Vec<Vec<f64>>,
}

impl Problem<'_> {
    /// Number of states.
    pub fn states(&self) -> usize {
        self.drift.len()
    }

    /// The symbol of a state.
    pub fn state(&mut self, i: usize) -> Id {
        self.graph.symbol(Symbol::State(i as u32))
    }

    /// All states.
    pub fn all_states(&mut self) -> Vec<Id> {
        (0..self.states()).map(|i| self.state(i)).collect()
    }

    /// Whether `id` changes within a run other than by noise.
    pub fn is_lane_value(&self, id: Id) -> bool {
        !self.graph.depends(id, |s| !matches!(s, Symbol::Parameter(_) | Symbol::Variable(_)))
    }

    /// Whether the expression depends on a state.
    pub fn depends_on(&self, id: Id, state: usize) -> bool {
        self.graph.depends(id, |s| s == Symbol::State(state as u32))
    }

    /// Rates at other states, a fraction of the step later. The threshold variable is clipped at the cut.
    pub fn rates_at(&mut self, states: &[Id], fraction: f64) -> Vec<Id> {
        let roots = self.drift.clone();
        self.at(&roots, states, fraction)
    }

    /// Expressions at other states, a fraction of the step later.
    pub fn at(&mut self, roots: &[Id], states: &[Id], fraction: f64) -> Vec<Id> {
        let mut states = states.to_vec();
        if let Some((s, cut)) = self.cut {
            states[s] = self.graph.binary(Binary::Min, states[s], cut);
        }
        let h = self.h;
        self.graph.substitute(roots, |g, s| match s {
            Symbol::State(i) => states.get(i as usize).copied(),
            Symbol::Time => {
                let t = g.symbol(Symbol::Time);
                let later = g.number(fraction * h);
                Some(g.add(t, later))
            }
            _ => None,
        })
    }

    /// `x + factor * rate` for each state.
    pub fn moved(&mut self, states: &[Id], factor: f64, rates: &[Id]) -> Vec<Id> {
        let f = self.graph.number(factor);
        states
            .iter()
            .zip(rates)
            .map(|(&x, &k)| {
                let step = self.graph.mul(f, k);
                self.graph.add(x, step)
            })
            .collect()
    }

    /// Just past the cut of a state that grows exponentially by itself: all that is seen of a spike current.
    pub fn past_the_cut(&mut self, state: usize) -> Option<Id> {
        let (_, cut) = self.cut.filter(|c| c.0 == state && self.grows_exponentially(state))?;
        let g = &mut self.graph;
        let size = g.unary(Unary::Abs, cut);
        let (relative, least) = (g.number(1e-9), g.number(1e-12));
        let part = g.mul(relative, size);
        let above = g.add(part, least);
        Some(g.add(cut, above))
    }

    /// The increment of white noise of state `i` over the step: `sqrt(h) N`, with `N` standard normal.
    pub fn noise(&mut self, i: usize) -> Id {
        let n = self.graph.symbol(Symbol::Noise(i as u32));
        let root = self.graph.number(self.h.sqrt());
        self.graph.mul(root, n)
    }

    /// df_i/dx_i.
    pub fn own_slope(&mut self, i: usize) -> Id {
        let f = self.drift[i];
        derivative(&mut self.graph, f, Symbol::State(i as u32))
    }

    /// Whether the rate of state `i` is linear in itself.
    pub fn linear_in_itself(&mut self, i: usize) -> bool {
        let a = self.own_slope(i);
        !self.depends_on(a, i)
    }

    /// `x + h exprel(a h) f`: the exact solution while slope and the rest are frozen.
    pub fn exponential_step(&mut self, i: usize) -> Id {
        let x = self.state(i);
        let f = self.drift[i];
        let a = self.own_slope(i);
        let h = self.graph.number(self.h);
        let z = self.graph.mul(h, a);
        let phi = self.graph.unary(Unary::Exprel, z);
        let scaled = self.graph.mul(h, phi);
        let step = self.graph.mul(scaled, f);
        self.graph.add(x, step)
    }

    /// Whether the rates grow exponentially with the state.
    pub fn grows_exponentially(&self, state: usize) -> bool {
        grow_exponentially(&self.graph, &self.drift, state)
    }

    /// Value of an expression of parameters if it is a number.
    ///
    /// # Errors
    /// Its value in each lane, if lanes differ.
    pub fn lane_value(&self, id: Id) -> Result<f64, Vec<f64>> {
        if let Some(v) = self.graph.value(id) {
            return Ok(v);
        }
        let tape = Tape::new(&self.graph, &[id]);
        Err((0..self.lanes)
            .map(|lane| {
                let parameters = (self.parameters)(lane);
                tape.value(&spikedeck_equation::tape::Values { parameters: &parameters, ..Default::default() })
            })
            .collect())
    }
}

/// Whether rates grow exponentially with a state.
pub fn grow_exponentially(graph: &Graph, rates: &[Id], state: usize) -> bool {
    let needed = graph.reachable(rates);
    (0..needed.len()).filter(|&i| needed[i]).any(|i| match graph.node(Id(i as u32)) {
        Node::Unary(Unary::Exp | Unary::Expm1 | Unary::Exprel | Unary::Sinh | Unary::Cosh, x) => {
            graph.depends(x, |s| s == Symbol::State(state as u32))
        }
        _ => false,
    })
}

/// Makes the step of an integrator; `auto` has been replaced by what it chose.
///
/// # Errors
/// Why it does not fit these equations.
pub fn build(integrator: Integrator, problem: &mut Problem<'_>) -> Result<Method, String> {
    let name = integrator.name();
    let stochastic = problem.diffusion.iter().any(Option::is_some);
    if stochastic && !integrator.is_noisy() {
        return Err(format!(
            "`{name}` has no noise, but the equations contain `xi`: use euler_maruyama, heun_stratonovich or milstein"
        ));
    }
    let mut new = match integrator {
        Integrator::Exact => exact::step(problem)?,
        Integrator::ExponentialEuler => exponential_euler::step(problem),
        Integrator::Euler => euler::step(problem),
        Integrator::EulerSequential => euler_sequential::step(problem),
        Integrator::Heun => heun::step(problem),
        Integrator::Rk4 => rk4::step(problem),
        Integrator::Rk45 => return Ok(Method::RungeKutta45),
        Integrator::Rosenbrock => return Ok(Method::Rosenbrock),
        Integrator::EulerMaruyama => euler_maruyama::step(problem),
        Integrator::HeunStratonovich => heun_stratonovich::step(problem),
        Integrator::Milstein => milstein::step(problem)?,
        Integrator::Auto => unreachable!("`auto` is replaced by what it chooses before a step is made"),
        Integrator::CrankNicolson
        | Integrator::BackwardEuler
        | Integrator::Ftcs
        | Integrator::Spectral
        | Integrator::Leapfrog
        | Integrator::DufortFrankel
        | Integrator::LaxFriedrichs => {
            return Err(format!("`{name}` is a scheme of space, and this population has no `grid`"));
        }
    };
    // Exponential spike currents leave the range of numbers in one step: what is past the cut is as good as at it.
    if let Some((s, _)) = problem.cut
        && let Some(cap) = problem.past_the_cut(s)
    {
        new[s] = problem.graph.binary(Binary::Min, new[s], cap);
    }
    Ok(Method::Expressions(new))
}
