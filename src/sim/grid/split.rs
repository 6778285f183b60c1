//! Equations on a grid → what is linear diffusion, found by symbolic derivatives, and the rest.

use super::lattice::Lattice;
use super::schemes::{Diffusion, Scheme, Step, check};
use crate::stepper::UnitValues;
use spikedeck_core::units::Dimension;
use spikedeck_equation::System;
use spikedeck_equation::derive::{derivative, jumps};
use spikedeck_equation::graph::{Id, Node, Symbol};
use spikedeck_equation::space::OperatorKind;
use spikedeck_equation::system::Parts;
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::{GridSpec, Integrator, PopulationSpec};

/// How a population on a grid is stepped.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The cells.
    pub lattice: Lattice,
    /// The equations, without diffusion that is stepped apart.
    pub system: System,
    /// Rule for the equations.
    pub pointwise: Integrator,
    /// Scheme of space.
    pub scheme: Scheme,
    /// Diffusion that is implicit, stepped apart or averaged, in the time of the equations.
    pub terms: Vec<Diffusion>,
    /// Values of the parameters that are the same everywhere; NaN for others.
    pub parameters: Vec<f64>,
    /// What the scheme means here.
    pub note: String,
}

/// The state and the power of the Laplacian that an operator is, if it is nothing else.
fn power_of_laplacian(p: &Parts, operator: usize) -> Option<(usize, usize)> {
    let (mut power, mut at) = (0, operator);
    loop {
        let o = &p.operators[at];
        if o.kind != OperatorKind::Laplacian {
            return None;
        }
        power += 1;
        match p.graph.node(o.argument) {
            Node::Symbol(Symbol::State(s)) => return Some((s as usize, power)),
            Node::Symbol(Symbol::Input(i)) => at = p.operators.iter().position(|o| o.input == i as usize)?,
            _ => return None,
        }
    }
}

/// Diffusion terms whose coefficient is one number, with the operators they consist of; and states whose diffusion is
/// not linear.
fn terms(p: &Parts, parameters: &[f64]) -> (Vec<(Diffusion, Vec<usize>)>, Vec<usize>) {
    let mut graph = p.graph.clone();
    let (mut found, mut other): (Vec<(Diffusion, Vec<usize>)>, Vec<usize>) = (Vec::new(), Vec::new());
    for (state, &rate) in p.drift.iter().enumerate() {
        for (index, operator) in p.operators.iter().enumerate() {
            let Some((of, power)) = power_of_laplacian(p, index) else { continue };
            let slope: Id = derivative(&mut graph, rate, Symbol::Input(operator.input as u32));
            if graph.value(slope) == Some(0.0) {
                continue;
            }
            let constant = graph.symbols(slope).iter().all(|s| match s {
                Symbol::Parameter(i) => parameters.get(*i as usize).is_some_and(|v| v.is_finite()),
                _ => false,
            });
            let own = Symbol::Input(operator.input as u32);
            if !constant || jumps(&graph, rate, |s| s == own) {
                other.push(state);
                continue;
            }
            let value = Tape::new(&graph, &[slope]).value(&Values { parameters, ..Values::default() });
            let entry = match found.iter_mut().find(|t| t.0.state == state && t.0.of == of) {
                Some(entry) => entry,
                None => {
                    found.push((Diffusion { state, of, coefficients: Vec::new() }, Vec::new()));
                    let last = found.len() - 1;
                    &mut found[last]
                }
            };
            if entry.0.coefficients.len() < power {
                entry.0.coefficients.resize(power, 0.0);
            }
            entry.0.coefficients[power - 1] += value;
            entry.1.push(operator.input);
        }
    }
    (found, other)
}

/// The equations without these operators in the rates of these states.
fn without(system: &System, taken: &[(Diffusion, Vec<usize>)]) -> System {
    let mut parts = system.parts().clone();
    for (term, ports) in taken {
        let rate = parts.drift[term.state];
        parts.drift[term.state] = parts.graph.substitute(&[rate], |g, s| match s {
            Symbol::Input(i) if ports.contains(&(i as usize)) => Some(g.number(0.0)),
            _ => None,
        })[0];
    }
    System::from_parts(parts)
}

/// Plans the steps of a population on a grid; `asked` is the integrator named for it, or `auto`.
///
/// # Errors
/// A scheme that does not fit the equations or is not stable for the step, with the step that would be.
pub fn plan(
    population: &PopulationSpec,
    grid: &GridSpec,
    parameters: &[UnitValues],
    dt: f64,
    asked: Integrator,
) -> Result<Layout, String> {
    let system = &population.system;
    let p = system.parts();
    let values: Vec<f64> =
        parameters.iter().map(|c| if let UnitValues::Shared(v) = c { *v } else { f64::NAN }).collect();
    let lattice = Lattice::new(grid);
    let names: Vec<String> = p.states.iter().map(|s| s.name.clone()).collect();
    let (found, nonlinear) = terms(p, &values);
    let own: Vec<(Diffusion, Vec<usize>)> = found.iter().filter(|t| t.0.state == t.0.of).cloned().collect();
    let high = own.iter().any(|t| t.0.coefficients.len() > 1);
    let scheme = match Scheme::of(asked) {
        Some(s) => s,
        None if high => Scheme::Spectral,
        None if !own.is_empty() => Scheme::CrankNicolson,
        None if !found.is_empty() => Scheme::Leapfrog,
        None => Scheme::Frozen,
    };
    if scheme.splits() || scheme.implicit() {
        if let Some(&s) = nonlinear.first() {
            return Err(format!(
                "`{}` needs a diffusion coefficient that is one number, and that of `{}` depends on the place or the \
                 state: use ftcs",
                scheme.name(),
                names[s]
            ));
        }
        if own.is_empty() && asked.is_of_space() {
            return Err(format!(
                "`{}` steps diffusion, and no state has a term with its own laplacian here",
                scheme.name()
            ));
        }
        if high && scheme != Scheme::Spectral {
            return Err(format!("`{}` knows first powers of the laplacian only: use spectral, or ftcs", scheme.name()));
        }
        if high && lattice.shape.len() > 1 {
            return Err("powers of the laplacian in a plane: use ftcs".to_owned());
        }
    }
    let dimension =
        if system.time_unit().length().is_none() && system.time_unit() == spikedeck_equation::TimeUnit::Dimensionless {
            Dimension::NONE
        } else {
            Dimension::SECOND
        };
    let per_second = system.time_unit().per_second();
    let step = Step { h: dt * per_second / f64::from(population.substeps.max(1)), per_second, dimension };
    let all: Vec<Diffusion> = found.iter().map(|t| t.0.clone()).collect();
    let note = check(scheme, &lattice, &all, step, grid.allow_unstable, &names)?;
    let implicit: Vec<Diffusion> =
        if scheme.implicit() { own.iter().map(|t| t.0.clone()).collect() } else { Vec::new() };
    let taken: Vec<(Diffusion, Vec<usize>)> = if scheme.splits() { own } else { Vec::new() };
    let system = if taken.is_empty() { system.clone() } else { without(system, &taken) };
    let stochastic = system.is_stochastic();
    let pointwise = match (grid.pointwise, scheme) {
        (Some(named), _) => named,
        (None, Scheme::Ftcs | Scheme::LaxFriedrichs | Scheme::DufortFrankel) if stochastic => Integrator::EulerMaruyama,
        (None, Scheme::Ftcs | Scheme::LaxFriedrichs | Scheme::DufortFrankel) => Integrator::Euler,
        (None, Scheme::Leapfrog) => Integrator::EulerSequential,
        (None, _) if asked.is_of_space() => Integrator::Auto,
        (None, _) => asked,
    };
    let terms = match scheme {
        Scheme::LaxFriedrichs => all.into_iter().filter(|t| t.state == t.of).collect(),
        _ if scheme.implicit() => implicit,
        _ => taken.into_iter().map(|t| t.0).collect(),
    };
    Ok(Layout { lattice, system, pointwise, scheme, terms, parameters: values, note })
}

impl Layout {
    /// The integrator as the manifest names it, from what was chosen for the rest.
    pub fn describe(&self, name: &str, why: &str) -> String {
        let rest = if why.is_empty() { name.to_owned() } else { format!("{name}, {why}") };
        let space = match self.scheme {
            Scheme::Frozen if self.system.operators().is_empty() => return format!("{name}: {why}"),
            Scheme::Frozen => "operators of space are frozen over each step (order 1)".to_owned(),
            s => s.name().to_owned(),
        };
        format!("{space}{}; the rest by {rest}", self.note)
    }
}
