//! Populations on a grid: operators of space are computed over all cells before each step and handed to the equations
//! as inputs; diffusion that is linear is implicit (see `diffusion`), or stepped apart by Fourier modes (Strang
//! splitting).
//!
//! All cells of a population with operators live on one thread, so that bits do not depend on the number of threads.

mod convolution;
mod diffusion;
mod lattice;
mod schemes;
mod split;
#[cfg(test)]
mod tests;

pub(super) use self::split::{Layout, plan};

use self::convolution::Convolution;
use self::diffusion::{LineStep, Modes, Tridiagonal};
use self::lattice::Ghosts;
use self::schemes::Scheme;
use super::snapshot::{Pass, Snapshot};
use super::stepper::{Probe, Stepper};
use spikedeck_equation::graph::{Graph, Node, Symbol};
use spikedeck_equation::space::OperatorKind;
use spikedeck_equation::tape::{Tape, Values};

/// An operator and what it needs.
#[derive(Debug)]
struct Field {
    port: usize,
    action: Action,
    /// The state that it is of, or an expression.
    state: Option<usize>,
    argument: Probe,
    ghosts: Vec<Ghosts>,
    /// Whether the equations read it (others are computed when they are recorded).
    needed: bool,
}

#[derive(Debug)]
enum Action {
    Laplacian,
    /// Along this axis.
    Gradient(usize),
    Convolve(Box<Convolution>),
}

/// A state whose diffusion is implicit or stepped apart.
#[derive(Debug)]
struct Spread {
    state: usize,
    /// `D dt / spacing^2`.
    mesh: f64,
    ghosts: Vec<Ghosts>,
    axes: Vec<LineStep>,
    previous: Vec<f64>,
}

/// Space of one population at run time.
#[derive(Debug)]
pub(super) struct Space {
    layout: Layout,
    fields: Vec<Field>,
    spreads: Vec<Spread>,
    every: Vec<u32>,
    argument: Vec<f64>,
    work: Vec<f64>,
}

impl Space {
    /// For a stepper that holds all cells; `h` is the step in the time of the equations.
    ///
    /// # Errors
    /// A kernel that does not fit the grid.
    pub fn new(layout: &Layout, stepper: &Stepper, h: f64, seed: u64, entity: &str) -> Result<Self, String> {
        let p = layout.system.parts();
        let lattice = &layout.lattice;
        let cells = lattice.cells();
        let every: Vec<u32> = (0..cells as u32).collect();
        let mut rows: Vec<Vec<f64>> = vec![Vec::new(); p.inputs.len()];
        let needed = needed(p);
        let mut fields = Vec::new();
        let mut argument = Vec::new();
        for o in &p.operators {
            let mut probe = stepper.expression(&p.graph, o.argument);
            let state = match p.graph.node(o.argument) {
                Node::Symbol(Symbol::State(s)) => Some(s as usize),
                _ => None,
            };
            let name = &p.inputs[o.input].name;
            let inputs: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
            argument.clear();
            stepper.sample(&mut probe, 0, &inputs, &every, &mut argument);
            let ghosts = lattice.ghosts(&argument, seed, entity, name);
            let action = match &o.kind {
                OperatorKind::Laplacian => Action::Laplacian,
                // Without an axis it is that of a line, the first; the scenario refuses it in a plane.
                OperatorKind::Gradient(axis) => Action::Gradient(axis.unwrap_or(0)),
                OperatorKind::Axial(_) => {
                    return Err(format!("`{name}` belongs to a tree, and this population is a grid"));
                }
                OperatorKind::Convolve(shape, ids) => {
                    let tape = Tape::new(&p.graph, ids);
                    let mut values = vec![0.0; ids.len()];
                    tape.evaluate(&Values { parameters: &layout.parameters, ..Values::default() }, &mut values);
                    if values.iter().any(|v| v.is_nan()) {
                        return Err(format!("`{name}`: the parameters of a kernel are the same for all cells"));
                    }
                    Action::Convolve(Box::new(
                        Convolution::new(lattice, *shape, &values, None).map_err(|m| format!("`{name}`: {m}"))?,
                    ))
                }
            };
            let mut field = Field { port: o.input, action, state, argument: probe, ghosts, needed: needed[o.input] };
            rows[o.input] = vec![0.0; cells];
            let mut row = std::mem::take(&mut rows[o.input]);
            field.apply(lattice, &argument, &mut row);
            rows[o.input] = row;
            fields.push(field);
        }
        let part = if layout.scheme == Scheme::Spectral { 0.5 * h } else { h };
        let spreads = layout
            .terms
            .iter()
            .map(|t| {
                let square = lattice.spacing * lattice.spacing;
                let d = *t.coefficients.first().expect("a term has a coefficient for each power of the operator");
                let axis = |lines: lattice::Lines| match layout.scheme {
                    Scheme::CrankNicolson => {
                        Some(LineStep::Theta(Tridiagonal::new(lattice, lines.count, d * part / square, 0.5)))
                    }
                    Scheme::BackwardEuler => {
                        Some(LineStep::Theta(Tridiagonal::new(lattice, lines.count, d * part / square, 1.0)))
                    }
                    Scheme::Spectral => {
                        Some(LineStep::Spectral(Modes::new(lattice, lines.count, &t.coefficients, part)))
                    }
                    _ => None,
                };
                Spread {
                    state: t.state,
                    mesh: d * h / square,
                    ghosts: lattice.ghosts(stepper.state(t.state), seed, entity, &p.states[t.state].name),
                    axes: lattice.axes().filter_map(axis).collect(),
                    previous: Vec::new(),
                }
            })
            .collect();
        Ok(Self { layout: layout.clone(), fields, spreads, every, argument, work: vec![0.0; cells] })
    }

    /// Computes the operators from the states as they are: those that the equations read, or all.
    pub fn operators(&mut self, step: u64, stepper: &Stepper, rows: &mut [Vec<f64>], all: bool) {
        let Self { layout, fields, argument, every, .. } = self;
        for field in fields.iter_mut().filter(|f| f.needed || all) {
            field.ghosts.iter_mut().for_each(|g| g.refresh(step));
            let mut row = std::mem::take(&mut rows[field.port]);
            row.resize(every.len(), 0.0);
            match field.state {
                Some(s) => field.apply(&layout.lattice, stepper.state(s), &mut row),
                None => {
                    argument.clear();
                    let inputs: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
                    stepper.sample(&mut field.argument, step, &inputs, every, argument);
                    field.apply(&layout.lattice, argument, &mut row);
                }
            }
            rows[field.port] = row;
        }
    }

    /// Before the equations are stepped.
    pub fn before(&mut self, step: u64, stepper: &mut Stepper, rows: &mut [Vec<f64>]) {
        self.spreads.iter_mut().for_each(|s| s.ghosts.iter_mut().for_each(|g| g.refresh(step)));
        if self.layout.scheme == Scheme::Spectral {
            self.spread(stepper);
        }
        self.operators(step, stepper, rows, false);
        let Self { layout, spreads, work, .. } = self;
        let lattice = &layout.lattice;
        for s in spreads {
            match layout.scheme {
                Scheme::LaxFriedrichs => {
                    // The mean of the neighbours is the cell plus the Laplacian times spacing squared over 2 d.
                    lattice.laplacian(&s.ghosts, stepper.state(s.state), work);
                    let share = lattice.spacing * lattice.spacing / (2 * lattice.shape.len()) as f64;
                    stepper.state_mut(s.state).iter_mut().zip(&*work).for_each(|(u, l)| *u = share.mul_add(*l, *u));
                }
                Scheme::DufortFrankel => keep_two_levels(s, stepper),
                Scheme::CrankNicolson | Scheme::BackwardEuler => {
                    s.previous.clear();
                    s.previous.extend_from_slice(stepper.state(s.state));
                }
                Scheme::Frozen | Scheme::Ftcs | Scheme::Spectral | Scheme::Leapfrog => {}
            }
        }
    }

    /// After the equations were stepped.
    pub fn after(&mut self, stepper: &mut Stepper) {
        if self.layout.scheme == Scheme::DufortFrankel {
            let Self { layout, spreads, work, .. } = self;
            let lattice = &layout.lattice;
            let d = lattice.shape.len() as f64;
            for s in spreads {
                let cells = work.len();
                let (older, now) = s.previous.split_at_mut(cells);
                let square = lattice.spacing * lattice.spacing;
                let a = 2.0 * d * s.mesh;
                let u = stepper.state_mut(s.state);
                lattice.laplacian(&s.ghosts, u, work);
                for i in 0..cells {
                    let here = u[i];
                    // The rest moves both levels alike; were it added between them, shortest waves would grow.
                    let before = older[i] + (here - now[i]);
                    older[i] = here;
                    u[i] = if before.is_nan() {
                        here + s.mesh * square * work[i]
                    } else {
                        let mean = work[i] * square / (2.0 * d) + here;
                        ((1.0 - a) * before + 2.0 * a * mean) / (1.0 + a)
                    };
                }
            }
        } else if self.layout.scheme.implicit() {
            for s in &self.spreads {
                let u = stepper.state_mut(s.state);
                u.iter_mut().zip(&s.previous).for_each(|(u, old)| *u -= old);
                for (lines, step) in self.layout.lattice.axes().zip(&s.axes) {
                    step.step(lines, u);
                }
                u.iter_mut().zip(&s.previous).for_each(|(u, old)| *u += old);
            }
        } else {
            self.spread(stepper);
        }
    }

    fn spread(&self, stepper: &mut Stepper) {
        for s in &self.spreads {
            for (lines, step) in self.layout.lattice.axes().zip(&s.axes) {
                step.step(lines, stepper.state_mut(s.state));
            }
        }
    }
}

impl Snapshot for Space {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        // Operators, and noise at the ends, are those of the coming step.
        let Self { layout, fields: _, spreads, every, argument: _, work: _ } = self;
        if layout.scheme != Scheme::DufortFrankel {
            return;
        }
        for Spread { state, mesh: _, ghosts: _, axes: _, previous } in spreads {
            previous.resize(2 * every.len(), f64::NAN);
            pass.column(&format!("state {state} a step before"), &mut previous[..every.len()]);
        }
    }
}

/// Keeps the level before and the level now; there is none before the first step.
fn keep_two_levels(s: &mut Spread, stepper: &Stepper) {
    let now = stepper.state(s.state);
    if s.previous.is_empty() {
        s.previous = vec![f64::NAN; 2 * now.len()];
    }
    s.previous[now.len()..].copy_from_slice(now);
}

impl Field {
    fn apply(&mut self, lattice: &lattice::Lattice, values: &[f64], out: &mut [f64]) {
        match &mut self.action {
            Action::Laplacian => lattice.laplacian(&self.ghosts, values, out),
            Action::Gradient(axis) => lattice.gradient(*axis, &self.ghosts, values, out),
            Action::Convolve(c) => c.apply(lattice, &self.ghosts, values, out),
        }
    }
}

/// Ports that rates, noise, thresholds, or other operators that are needed read.
fn needed(p: &spikedeck_equation::system::Parts) -> Vec<bool> {
    let mut roots: Vec<_> = p.drift.iter().chain(p.diffusion.iter().flatten()).copied().collect();
    roots.extend(p.threshold.map(|t| t.condition));
    roots.extend(p.effects.iter().flatten().map(|e| e.1));
    let reads =
        |g: &Graph, roots: &[_], port: usize| roots.iter().any(|&r| g.depends(r, |s| s == Symbol::Input(port as u32)));
    let mut needed = vec![false; p.inputs.len()];
    for o in p.operators.iter().rev() {
        needed[o.input] = reads(&p.graph, &roots, o.input);
        if needed[o.input] {
            roots.push(o.argument);
        }
    }
    needed
}
