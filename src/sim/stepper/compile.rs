//! A stepper from its specification.

use super::alone::Stretch;
use super::arrivals::Arrivals;
use super::by_lane::ByLane;
use super::excursion::Looked;
use super::locate::{Given, Locate};
use super::refractory::Reset;
use super::stages::{self, Stages};
use super::threshold::Threshold;
use super::trust;
use super::{Motion, Noise, Stepper, StepperSpec, UnitValues, Work};
use crate::integrator::{Method, Problem, build, check, choose, grow_exponentially};
use spikedeck_core::normal::Normals;
use spikedeck_core::rng::Key;
use spikedeck_core::units::Dimension;
use spikedeck_equation::derive::{derivative, derivatives};
use spikedeck_equation::flow::jacobian;
use spikedeck_equation::graph::{Binary, Graph, Id, Node, Symbol};
use spikedeck_equation::program::{Builder, Columns, Program, Target, symbols};
use spikedeck_equation::system::Parts;
use spikedeck_equation::tape::Tape;
use spikedeck_scenario::{Integrator, SpikeTimes};

/// What of a system is imported with its shared parameters as numbers.
struct Imported {
    graph: Graph,
    drift: Vec<Id>,
    diffusion: Vec<Option<Id>>,
    gains: Vec<Id>,
    condition: Option<Id>,
    surface: Option<Id>,
    cut: Option<(usize, Id)>,
    /// The same of a threshold that only counts.
    peak: Option<(usize, Id)>,
    reset: Vec<Id>,
    refractory: Option<Id>,
}

fn import(p: &Parts, parameters: &[UnitValues], noise_factor: f64) -> Imported {
    let mut graph = Graph::new();
    let mut take = |roots: &[Id]| {
        graph.import(
            &p.graph,
            roots,
            |g, s| match s {
                Symbol::Parameter(i) => match parameters.get(i as usize) {
                    Some(UnitValues::Shared(v)) => Some(g.number(*v)),
                    _ => None,
                },
                _ => None,
            },
            |v, _| (v, Dimension::NONE),
        )
    };
    let drift = take(&p.drift);
    let mut diffusion: Vec<Option<Id>> = p.diffusion.iter().map(|d| d.map(|d| take(&[d])[0])).collect();
    let gains = take(&p.effects.iter().flatten().map(|e| e.1).collect::<Vec<_>>());
    let t = p.threshold;
    let condition = t.map(|t| take(&[t.condition])[0]);
    let surface = t.and_then(|t| t.surface).map(|h| take(&[h])[0]);
    // Without a reset of that state (Hodgkin-Huxley) the threshold only counts spikes, and bounds nothing.
    let cut = t.and_then(|t| t.cut).filter(|(s, _)| p.reset.iter().any(|r| r.0 == *s)).map(|(s, c)| (s, take(&[c])[0]));
    let counts = p.reset.is_empty();
    let peak = t.and_then(|t| t.cut).filter(|_| counts).map(|(s, c)| (s, take(&[c])[0]));
    let reset = take(&p.reset.iter().map(|r| r.1).collect::<Vec<_>>());
    let refractory = p.refractory.map(|r| take(&[r])[0]);
    if noise_factor == 0.0 {
        diffusion.fill(None);
    } else if noise_factor != 1.0 {
        for factor in diffusion.iter_mut().flatten() {
            let scale = graph.number(noise_factor);
            *factor = graph.mul(scale, *factor);
        }
    }
    Imported { graph, drift, diffusion, gains, condition, surface, cut, peak, reset, refractory }
}

impl Imported {
    /// Whether something that is done at a spike needs an input.
    fn reset_reads_input(&self) -> bool {
        let mut all = self.reset.iter().chain(&self.refractory);
        all.any(|&id| self.graph.depends(id, |s| matches!(s, Symbol::Input(_))))
    }

    /// What the threshold compares, and how; other conditions are compared with zero.
    fn comparison(&mut self) -> Option<(Binary, (Id, Id))> {
        let condition = self.condition?;
        Some(match self.graph.node(condition) {
            Node::Binary(op @ (Binary::Greater | Binary::GreaterEqual | Binary::Less | Binary::LessEqual), a, b) => {
                (op, (a, b))
            }
            _ => (Binary::NotEqual, (condition, self.graph.number(0.0))),
        })
    }
}

/// How states move, by a scheme.
struct Movement {
    graph: Graph,
    drift: Vec<Id>,
    method: Method,
}

impl Movement {
    /// The expressions that read the registers.
    fn roots(&self) -> &[Id] {
        match &self.method {
            Method::Expressions(list) => list,
            Method::RungeKutta45 | Method::Rosenbrock => &self.drift,
        }
    }

    fn compile(self, builder: &mut Builder<'_>, imported: &Imported, p: &Parts, h: f64) -> Motion {
        let n = self.drift.len();
        if let Method::Expressions(list) = &self.method {
            let states: Vec<Target> = (0..n).map(Target::State).collect();
            return Motion::Kernel(builder.kernel(&self.graph, list, &states).0);
        }
        let mut g = self.graph;
        let mut slopes = jacobian(&mut g, &self.drift, n);
        slopes.extend(self.drift.iter().map(|&f| derivative(&mut g, f, Symbol::Time)));
        Motion::Lanes(Box::new(ByLane {
            implicit: matches!(self.method, Method::Rosenbrock),
            rate: Tape::new(&g, &self.drift),
            jacobian: Tape::new(&g, &slopes),
            surface: imported.surface.filter(|_| !p.reset.is_empty()).map(|h| Tape::new(&imported.graph, &[h])),
            passing: imported
                .surface
                .filter(|_| p.reset.is_empty() && matches!(self.method, Method::RungeKutta45))
                .map(|h| Tape::new(&imported.graph, &[h])),
            cut: imported.cut.map(|(s, c)| (s, Tape::new(&imported.graph, &[c]))),
            ports: p.inputs.len(),
            h,
        }))
    }
}

/// How all units of a population move.
struct Movements {
    /// The integrator, and why.
    integrator: (Integrator, String),
    /// Why its step is too long, if it is.
    doubt: Option<String>,
    main: Movement,
    /// The same with the held states at rest, if others depend on them.
    held: Option<Movement>,
    /// Values that the scheme made for each lane.
    lane_values: Vec<UnitValues>,
}

/// See [`Stepper::new`].
pub fn compile(spec: &StepperSpec<'_>) -> Result<Stepper, String> {
    examine(spec)?;
    let mut imported = import(spec.system.parts(), &spec.parameters, spec.noise_factor);
    imported.graph.number(0.0);
    let movements = movements(spec, &mut imported)?;
    assemble(spec, imported, movements)
}

/// Whether there are as many values as units, parameters and states, and all are finite.
fn examine(spec: &StepperSpec<'_>) -> Result<(), String> {
    let p = spec.system.parts();
    let (n, lanes) = (p.states.len(), spec.lanes);
    if spec.parameters.len() != p.parameters.len() || spec.initial.len() != n {
        return Err(format!(
            "{} parameters and {} initial values are needed, {} and {} were given",
            p.parameters.len(),
            n,
            spec.parameters.len(),
            spec.initial.len()
        ));
    }
    for (column, v) in spec.parameters.iter().zip(&p.parameters).chain(spec.initial.iter().zip(&p.states)) {
        if let UnitValues::Each(list) = column
            && list.len() != lanes
        {
            return Err(format!("`{}` has {} values for {lanes} units", v.name, list.len()));
        }
        if let Some(lane) = (0..lanes).find(|&l| !column.at(l).is_finite()) {
            return Err(format!("`{}` of unit {} is not a finite number", v.name, spec.first_unit as usize + lane));
        }
    }
    trust::degenerate(spec)
}

/// Length of a step and of one of its parts, in the time of the equations.
fn steps(spec: &StepperSpec<'_>) -> (f64, f64) {
    let dt = spec.dt * spec.system.parts().time_unit.per_second();
    (dt, dt / f64::from(spec.substeps.max(1)))
}

/// Chooses the scheme, and writes down what it makes of the equations.
fn movements(spec: &StepperSpec<'_>, imported: &mut Imported) -> Result<Movements, String> {
    let p = spec.system.parts();
    let lanes = spec.lanes;
    let cut = imported.cut.filter(|c| bends(&mut imported.graph, &imported.drift, c.0));
    let lane_parameters = |lane: usize| -> Vec<f64> { spec.parameters.iter().map(|c| c.at(lane)).collect() };
    let names: Vec<String> = p.states.iter().map(|v| v.name.clone()).collect();
    let pose = |lane_values: Vec<Vec<f64>>| Problem {
        graph: imported.graph.clone(),
        drift: imported.drift.clone(),
        diffusion: imported.diffusion.clone(),
        h: steps(spec).1,
        cut,
        names: names.clone(),
        lanes,
        parameters: &lane_parameters,
        lane_values,
    };
    let mut problem = pose(Vec::new());
    let first: Vec<f64> = if lanes > 0 { lane_parameters(0) } else { Vec::new() };
    let starts = trust::starts(spec, imported.peak, &imported.graph, &first);
    let (integrator, mut why) = if spec.integrator == Integrator::Auto {
        choose(&mut problem, &starts, &first)
    } else {
        (spec.integrator, "named in the scenario or model".to_owned())
    };
    let fixed = !matches!(integrator, Integrator::Rk45 | Integrator::Rosenbrock);
    let spike_current = cut.is_some_and(|(s, _)| problem.grows_exponentially(s));
    if fixed && spec.spike_times != SpikeTimes::Grid && spike_current {
        why.push_str("; spike times of order 1, as no fixed step follows a spike current (rosenbrock and rk45 do)");
    }
    // Of one unit: others of its population are looked at by nobody but for speed.
    let doubt = (lanes == 1).then(|| {
        let mut starts = starts;
        starts.extend(trust::lowered(spec, &first));
        trust::doubt(&problem, integrator, &starts, &first, p.time_unit)
    });
    let doubt = doubt.flatten().or_else(|| trust::behind(integrator).filter(|_| lanes == 1 && spike_current));
    check(integrator, &mut problem, p.time_unit.per_second())?;
    let stage = stages::part(integrator).filter(|_| spec.in_stages);
    let method = if let Some(part) = stage {
        problem.h *= part;
        build(Integrator::Euler, &mut problem)?
    } else {
        build(integrator, &mut problem)?
    };
    let mut lane_values = std::mem::take(&mut problem.lane_values);
    let free = |i: &usize| !p.hold.contains(i);
    let coupled = p.refractory.is_some()
        && (0..p.states.len()).filter(free).any(|i| p.hold.iter().any(|&s| problem.depends_on(imported.drift[i], s)));
    let main = Movement { graph: problem.graph, drift: imported.drift.clone(), method };
    let mut held = None;
    if coupled {
        let mut resting = pose(lane_values);
        let zero = resting.graph.number(0.0);
        for &s in &p.hold {
            resting.drift[s] = zero;
            resting.diffusion[s] = None;
        }
        let method = build(integrator, &mut resting)?;
        lane_values = std::mem::take(&mut resting.lane_values);
        held = Some(Movement { graph: resting.graph, drift: resting.drift, method });
    }
    let lane_values = lane_values.into_iter().map(UnitValues::Each).collect();
    Ok(Movements { integrator: (integrator, why), doubt, main, held, lane_values })
}

/// Whether the rates are not linear in the threshold variable (an upstroke that no fixed step can follow).
fn bends(graph: &mut Graph, rates: &[Id], variable: usize) -> bool {
    let symbol = Symbol::State(variable as u32);
    let slopes = derivatives(graph, rates, symbol);
    slopes.iter().any(|&a| graph.depends(a, |x| x == symbol))
}

/// The sources of white noise that a program reads.
fn noise(spec: &StepperSpec<'_>, program: &Program) -> Vec<Noise> {
    let source = |&(state, register): &(usize, _)| {
        let name = &spec.system.states()[state].name;
        let key = Key::new(spec.seed, spec.entity, &format!("xi.{name}"));
        Noise { register, source: Normals::new(key, spec.first_unit, spec.lanes) }
    };
    program.noise().iter().map(source).collect()
}

fn assemble(spec: &StepperSpec<'_>, mut imported: Imported, movements: Movements) -> Result<Stepper, String> {
    let p = spec.system.parts();
    if imported.reset_reads_input() {
        return Err(
            "the reset or the refractory time depends on an input, which has no value at the moment of a spike"
                .to_owned(),
        );
    }
    let (dt, h) = steps(spec);
    let Movements { integrator, doubt, main, held, lane_values } = movements;
    let comparison = imported.comparison();
    let looked = excursions(spec, &mut imported, dt)?;
    let never = imported.graph.number(0.0);
    let imported = imported;
    let columns = Columns { states: &spec.initial, parameters: &spec.parameters, lane_values: &lane_values };
    let moved = [Some(&main), held.as_ref()].into_iter().flatten().flat_map(|m| symbols(&m.graph, m.roots()));
    let roots = looked.iter().flat_map(|l| l.roots);
    let others: Vec<Id> = imported.gains.iter().copied().chain(imported.condition).chain(roots).collect();
    let mut builder = Builder::new(columns, moved.chain(symbols(&imported.graph, &others)));
    let mut motion = main.compile(&mut builder, &imported, p, h);
    let mut held_motion = held.map(|m| m.compile(&mut builder, &imported, p, h));
    let adds_up = |port| spec.system.superposes(port);
    let arrivals = Arrivals::new(&mut builder, &imported.graph, &imported.gains, &p.effects, adds_up);
    let threshold = comparison.map(|(op, sides)| Threshold::new(&mut builder, &imported.graph, op, sides));
    let looked = looked.map(|looked| {
        let (kernel, places) = builder.kernel(&imported.graph, &looked.roots, &[Target::Anywhere; 2]);
        (looked, kernel, [places[0], places[1]])
    });
    let mut program = builder.finish(spec.lanes);
    [Some(&mut motion), held_motion.as_mut()].into_iter().flatten().for_each(|m| m.settle(&mut program));
    let padded = program.memory.padded;
    let stages = Stages::new(integrator.0).filter(|_| spec.in_stages);
    Ok(Stepper {
        system: spec.system.clone(),
        integrator,
        doubt,
        // A few lanes are all there is at rest, too; their programs fit a memory like theirs.
        side: program.beside(),
        noise: noise(spec, &program),
        held_motion,
        arrivals,
        threshold,
        reset: reset(p, &imported, never),
        firing: trust::begun(spec, &imported.graph, imported.condition.filter(|_| imported.reset.is_empty())),
        locate: locate(spec, &imported, padded)?,
        excursions: looked.map(|(looked, kernel, places)| looked.compiled(kernel, places, padded)),
        fractions: if matches!(motion, Motion::Lanes(_)) { vec![1.0; padded] } else { Vec::new() },
        motion,
        stretch: Stretch::default(),
        stages,
        begun: Vec::new(),
        work: Work::default(),
        dt,
        substeps: spec.substeps.max(1),
        start: spec.initial.iter().map(|c| if spec.lanes > 0 { c.at(0) } else { 0.0 }).collect(),
        alarmed: false,
        unfollowed: None,
        undefined: None,
        program,
    })
}

/// What a spike does; a unit without a threshold never meets its condition.
fn reset(p: &Parts, imported: &Imported, never: Id) -> Reset {
    Reset {
        condition: Tape::new(&imported.graph, &[imported.condition.unwrap_or(never)]),
        values: Tape::new(&imported.graph, &imported.reset),
        states: p.reset.iter().map(|r| r.0).collect(),
        refractory: imported.refractory.map(|r| Tape::new(&imported.graph, &[r])),
        hold: p.hold.clone(),
    }
}

/// What looks for excursions over the threshold within one step, if they are asked for.
fn excursions(spec: &StepperSpec<'_>, imported: &mut Imported, dt: f64) -> Result<Option<Looked>, String> {
    let exact = spec.spike_times == SpikeTimes::Exact && imported.diffusion.iter().all(Option::is_none);
    let Some(surface) = imported.surface.filter(|_| exact) else { return Ok(None) };
    Looked::new(spec, &mut imported.graph, &imported.drift, surface, dt)
}

/// What finds crossings inside steps, if they are asked for.
fn locate(spec: &StepperSpec<'_>, imported: &Imported, padded: usize) -> Result<Option<Locate>, String> {
    let p = spec.system.parts();
    if spec.spike_times == SpikeTimes::Grid || p.threshold.is_none() {
        return Ok(None);
    }
    let Some(surface) = imported.surface else {
        return Err("this threshold is not one comparison of two sides, so that there is no moment at which it is \
                    crossed: use \
                    spike_times = \"grid\""
            .to_owned());
    };
    let names: Vec<String> = p.states.iter().map(|v| v.name.clone()).collect();
    let mut derived = imported.graph.clone();
    let steep = imported.cut.filter(|c| bends(&mut derived, &imported.drift, c.0));
    let given = Given {
        graph: &imported.graph,
        drift: &imported.drift,
        surface,
        noisy: imported.diffusion.iter().any(Option::is_some),
        resets: !p.reset.is_empty(),
        hold: &p.hold,
        exact: spec.spike_times == SpikeTimes::Exact,
        steep: steep.map(|(s, bound)| (s, bound, grow_exponentially(&imported.graph, &imported.drift, s))),
        names: &names,
        padded,
    };
    Locate::new(&given).map(Some)
}
