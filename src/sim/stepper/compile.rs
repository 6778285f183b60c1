//! A stepper from its specification.

use super::alone::Course;
use super::by_lane::ByLane;
use super::locate::{Given, Locate};
use super::threshold::Threshold;
use super::{Column, Effect, Motion, Noise, Stepper, StepperSpec};
use crate::firing::Firing;
use crate::integrator::{LaneValues, Method, Problem, build, check, choose};
use spikedeck_core::normal::Normals;
use spikedeck_core::rng::Key;
use spikedeck_core::units::Dimension;
use spikedeck_equation::derive::{derivative, derivatives};
use spikedeck_equation::flow::jacobian;
use spikedeck_equation::graph::{Binary, Graph, Id, Node, Symbol};
use spikedeck_equation::kernel::{Kernel, Memory, Place, Plan, fill_hoisted};
use spikedeck_equation::system::Parts;
use spikedeck_equation::tape::Tape;
use spikedeck_scenario::{Integrator, SpikeTimes};

/// Value of a column in a lane.
fn at(column: &Column, lane: usize) -> f64 {
    match column {
        Column::Shared(v) => *v,
        Column::Each(list) => list.get(lane).copied().unwrap_or(f64::NAN),
    }
}

/// What of a system is imported with its shared parameters as numbers.
struct Imported {
    graph: Graph,
    drift: Vec<Id>,
    diffusion: Vec<Option<Id>>,
    gains: Vec<Id>,
    condition: Option<Id>,
    surface: Option<Id>,
    cut: Option<(usize, Id)>,
    reset: Vec<Id>,
    refractory: Option<Id>,
}

fn import(p: &Parts, parameters: &[Column]) -> Imported {
    let mut graph = Graph::new();
    let mut take = |roots: &[Id]| {
        graph.import(
            &p.graph,
            roots,
            |g, s| match s {
                Symbol::Parameter(i) => match parameters.get(i as usize) {
                    Some(Column::Shared(v)) => Some(g.number(*v)),
                    _ => None,
                },
                _ => None,
            },
            |v, _| (v, Dimension::NONE),
        )
    };
    let drift = take(&p.drift);
    let diffusion = p.diffusion.iter().map(|d| d.map(|d| take(&[d])[0])).collect();
    let gains = take(&p.effects.iter().flatten().map(|e| e.1).collect::<Vec<_>>());
    let t = p.threshold;
    let condition = t.map(|t| take(&[t.condition])[0]);
    let surface = t.and_then(|t| t.surface).map(|h| take(&[h])[0]);
    // Without a reset of that state (Hodgkin-Huxley) the threshold only counts spikes, and bounds nothing.
    let cut = t.and_then(|t| t.cut).filter(|(s, _)| p.reset.iter().any(|r| r.0 == *s)).map(|(s, c)| (s, take(&[c])[0]));
    let reset = take(&p.reset.iter().map(|r| r.1).collect::<Vec<_>>());
    let refractory = p.refractory.map(|r| take(&[r])[0]);
    Imported { graph, drift, diffusion, gains, condition, surface, cut, reset, refractory }
}

/// See [`Stepper::new`].
pub fn compile(spec: &StepperSpec<'_>) -> Result<Stepper, String> {
    let p = spec.system.parts();
    let n = p.states.len();
    let lanes = spec.lanes;
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
        if let Column::Each(list) = column
            && list.len() != lanes
        {
            return Err(format!("`{}` has {} values for {lanes} units", v.name, list.len()));
        }
        if let Some(lane) = (0..lanes).find(|&l| !at(column, l).is_finite()) {
            return Err(format!("`{}` of unit {} is not a finite number", v.name, spec.first_unit as usize + lane));
        }
    }
    let substeps = spec.substeps.max(1);
    let per_second = p.time_unit.per_second();
    let dt = spec.dt * per_second;
    let mut imported = import(p, &spec.parameters);
    imported.graph.number(0.0);
    let cut = nonlinear_cut(&mut imported);
    let lane_parameters = |lane: usize| -> Vec<f64> { spec.parameters.iter().map(|c| at(c, lane)).collect() };
    let names: Vec<String> = p.states.iter().map(|v| v.name.clone()).collect();
    let pose = |drift: Vec<Id>, diffusion: Vec<Option<Id>>, lane_values: Vec<LaneValues>| Problem {
        graph: imported.graph.clone(),
        drift,
        diffusion,
        h: dt / f64::from(substeps),
        cut,
        names: names.clone(),
        lanes,
        parameters: &lane_parameters,
        lane_values,
    };
    let mut problem = pose(imported.drift.clone(), imported.diffusion.clone(), Vec::new());
    let (integrator, why) = if spec.integrator == Integrator::Auto {
        let start: Vec<f64> = spec.initial.iter().map(|c| if lanes > 0 { at(c, 0) } else { 0.0 }).collect();
        let first: Vec<f64> = if lanes > 0 { lane_parameters(0) } else { Vec::new() };
        choose(&mut problem, &start, &first)
    } else {
        (spec.integrator, "named in the scenario or model".to_owned())
    };
    check(integrator, &mut problem, per_second)?;
    let method = build(integrator, &mut problem)?;
    let mut lane_values = std::mem::take(&mut problem.lane_values);
    // The same with the held states at rest, if others depend on them.
    let coupled = p.refractory.is_some()
        && (0..n)
            .filter(|i| !p.hold.contains(i))
            .any(|i| p.hold.iter().any(|&s| problem.depends_on(imported.drift[i], s)));
    let main = (problem.graph, imported.drift.clone(), method);
    let mut held = None;
    if coupled {
        let mut resting = pose(imported.drift.clone(), imported.diffusion.clone(), lane_values);
        let zero = resting.graph.number(0.0);
        for &s in &p.hold {
            resting.drift[s] = zero;
            resting.diffusion[s] = None;
        }
        let method = build(integrator, &mut resting)?;
        lane_values = std::mem::take(&mut resting.lane_values);
        held = Some((resting.graph, resting.drift, method));
    }
    assemble(spec, imported, main, held, &lane_values, (integrator, why))
}

/// The threshold variable and its bound, where the rates are not linear in it (an upstroke that no fixed step can
/// follow).
fn nonlinear_cut(imported: &mut Imported) -> Option<(usize, Id)> {
    let (s, bound) = imported.cut?;
    let symbol = Symbol::State(s as u32);
    let rates = imported.drift.clone();
    let slopes = derivatives(&mut imported.graph, &rates, symbol);
    slopes.iter().any(|&a| imported.graph.depends(a, |x| x == symbol)).then_some((s, bound))
}

type Movement = (Graph, Vec<Id>, Method);

fn assemble(
    spec: &StepperSpec<'_>,
    mut imported: Imported,
    main: Movement,
    held: Option<Movement>,
    lane_values: &[LaneValues],
    chosen: (Integrator, String),
) -> Result<Stepper, String> {
    let p = spec.system.parts();
    let (n, lanes) = (p.states.len(), spec.lanes);
    let substeps = spec.substeps.max(1);
    let dt = spec.dt * p.time_unit.per_second();
    let mut plan = Plan { columns: n as u32, ..Plan::default() };
    let parameters: Vec<Place> = spec
        .parameters
        .iter()
        .map(|c| match c {
            Column::Shared(v) => Place::Number(*v),
            Column::Each(_) => Place::Column(plan.column()),
        })
        .collect();
    let lane_columns: Vec<u32> = lane_values.iter().map(|_| plan.column()).collect();
    let comparison = comparison(&imported);
    let reads = |s: fn(Symbol) -> Option<u32>| -> Vec<u32> {
        let mut roots: Vec<(&Graph, Vec<Id>)> = [Some(&main), held.as_ref()]
            .into_iter()
            .flatten()
            .map(|(g, drift, method)| {
                (
                    g,
                    match method {
                        Method::Expressions(list) => list.clone(),
                        _ => drift.clone(),
                    },
                )
            })
            .collect();
        let mut others = imported.gains.clone();
        others.extend(imported.condition);
        roots.push((&imported.graph, others));
        let mut list: Vec<u32> = roots
            .iter()
            .flat_map(|(g, ids)| ids.iter().flat_map(|&id| g.symbols(id)).collect::<Vec<_>>())
            .filter_map(s)
            .collect();
        list.sort_unstable();
        list.dedup();
        list
    };
    let ports = reads(|s| if let Symbol::Input(i) = s { Some(i) } else { None });
    let noisy = reads(|s| if let Symbol::Noise(i) = s { Some(i) } else { None });
    let timed = !reads(|s| (s == Symbol::Time).then_some(0)).is_empty();
    let inputs: Vec<(usize, usize)> = ports.iter().map(|&i| (i as usize, plan.reserve() as usize)).collect();
    let noise: Vec<Noise> = noisy
        .iter()
        .map(|&i| {
            let key = Key::new(spec.seed, spec.entity, &format!("xi.{}", p.states[i as usize].name));
            Noise { scratch: plan.reserve() as usize, source: Normals::new(key, spec.first_unit, spec.lanes) }
        })
        .collect();
    let time = timed.then(|| plan.reserve() as usize);
    let bind = |s: Symbol| match s {
        Symbol::State(i) => Place::Column(i),
        Symbol::Parameter(i) => parameters[i as usize],
        Symbol::Variable(i) => Place::Column(lane_columns[i as usize]),
        Symbol::Input(i) => {
            inputs.iter().find(|x| x.0 == i as usize).map_or(Place::Number(0.0), |x| Place::Scratch(x.1 as u32))
        }
        Symbol::Noise(i) => {
            noisy.iter().position(|&x| x == i).map_or(Place::Number(0.0), |k| Place::Scratch(noise[k].scratch as u32))
        }
        Symbol::Time => time.map_or(Place::Number(0.0), |t| Place::Scratch(t as u32)),
        Symbol::Given(_) | Symbol::Weight => Place::Number(f64::NAN),
    };
    let steady = |s: Symbol| matches!(s, Symbol::Parameter(_) | Symbol::Variable(_));
    let columns: Vec<Option<Place>> = (0..n as u32).map(|i| Some(Place::Column(i))).collect();
    let motion = |(graph, drift, method): Movement, plan: &mut Plan| match method {
        Method::Expressions(list) => Motion::Kernel(Kernel::compile(&graph, &list, &columns, &bind, &steady, plan).0),
        Method::RungeKutta45 | Method::Rosenbrock => {
            let mut g = graph;
            let mut slopes = jacobian(&mut g, &drift, n);
            slopes.extend(drift.iter().map(|&f| derivative(&mut g, f, Symbol::Time)));
            Motion::Lanes(Box::new(ByLane {
                implicit: matches!(method, Method::Rosenbrock),
                rate: Tape::new(&g, &drift),
                jacobian: Tape::new(&g, &slopes),
                surface: imported.surface.filter(|_| !p.reset.is_empty()).map(|h| Tape::new(&imported.graph, &[h])),
                cut: imported.cut.map(|(s, c)| (s, Tape::new(&imported.graph, &[c]))),
                states: n,
                parameters: parameters.clone(),
                inputs: inputs.clone(),
                ports: p.inputs.len(),
                h: dt / f64::from(substeps),
            }))
        }
    };
    let mut moves = motion(main, &mut plan);
    let mut held_moves = held.map(|h| motion(h, &mut plan));
    let targets = vec![None; imported.gains.len()];
    let (gains, places) = Kernel::compile(&imported.graph, &imported.gains, &targets, &bind, &steady, &mut plan);
    let mut places = places.into_iter();
    let effects: Vec<Vec<Effect>> = p
        .effects
        .iter()
        .map(|list| {
            list.iter().map(|e| Effect { state: e.0, gain: places.next().unwrap_or(Place::Number(0.0)) }).collect()
        })
        .collect();
    let threshold = comparison.map(|(compare, sides)| {
        let (kernel, places) = Kernel::compile(&imported.graph, &sides, &[None, None], &bind, &steady, &mut plan);
        Threshold { kernel, compare, left: places[0], right: places[1] }
    });
    let by_input = imported
        .reset
        .iter()
        .chain(&imported.refractory)
        .any(|&id| imported.graph.depends(id, |s| matches!(s, Symbol::Input(_))));
    if by_input {
        return Err(
            "the reset or the refractory time depends on an input, which has no value at the moment of a spike"
                .to_owned(),
        );
    }
    let mut memory = Memory::new(lanes, plan.columns as usize, plan.scratch as usize);
    fill(&mut memory, spec, &parameters, &lane_columns, lane_values);
    fill_hoisted(&plan, &mut memory, &bind);
    for motion in std::iter::once(&mut moves).chain(&mut held_moves) {
        if let Motion::Kernel(kernel) = motion {
            kernel.settle(&mut memory);
        }
    }
    // A few lanes are all there is at rest, too; their programs fit a memory like theirs.
    let side = memory.block_alike(plan.columns as usize, plan.scratch as usize);
    let never = imported.graph.number(0.0);
    let reset_states = p.reset.iter().map(|r| r.0).collect();
    let locate = locate(spec, &imported, memory.padded)?;
    Ok(Stepper {
        system: spec.system.clone(),
        chosen,
        side,
        states: n,
        columns: plan.columns as usize,
        parameters,
        held_motion: held_moves,
        gains,
        inputs,
        filled: vec![true; p.inputs.len()],
        at_crossing: Vec::new(),
        noise,
        time,
        effects,
        threshold,
        condition: Tape::new(&imported.graph, &[imported.condition.unwrap_or(never)]),
        reset: Tape::new(&imported.graph, &imported.reset),
        reset_states,
        refractory_time: imported.refractory.map(|r| Tape::new(&imported.graph, &[r])),
        hold: p.hold.clone(),
        firing: Firing::default(),
        locate,
        releasing: Vec::new(),
        candidates: Vec::new(),
        kept: Vec::new(),
        moved: Vec::new(),
        fractions: if matches!(moves, Motion::Lanes(_)) { vec![1.0; memory.padded] } else { Vec::new() },
        motion: moves,
        course: Course::default(),
        dt,
        substeps,
        memory,
    })
}

/// What finds crossings inside steps, if they are asked for.
fn locate(spec: &StepperSpec<'_>, imported: &Imported, padded: usize) -> Result<Option<Locate>, String> {
    let p = spec.system.parts();
    if spec.spike_times == SpikeTimes::Grid || p.threshold.is_none() {
        return Ok(None);
    }
    let Some(surface) = imported.surface else {
        return Err("this threshold is not one comparison of two sides, so that there is no moment at which it is crossed: use \
                    spike_times = \"grid\""
            .to_owned());
    };
    let names: Vec<String> = p.states.iter().map(|v| v.name.clone()).collect();
    let given = Given {
        graph: &imported.graph,
        drift: &imported.drift,
        surface,
        noisy: imported.diffusion.iter().any(Option::is_some),
        resets: !p.reset.is_empty(),
        hold: &p.hold,
        exact: spec.spike_times == SpikeTimes::Exact,
        names: &names,
        padded,
    };
    Locate::new(&given).map(Some)
}

/// What the threshold compares, and how; other conditions are compared with zero.
fn comparison(imported: &Imported) -> Option<(Binary, Vec<Id>)> {
    let condition = imported.condition?;
    if let Node::Binary(op @ (Binary::Greater | Binary::GreaterEqual | Binary::Less | Binary::LessEqual), a, b) =
        imported.graph.node(condition)
    {
        Some((op, vec![a, b]))
    } else {
        let mut g = imported.graph.clone();
        let zero = g.number(0.0);
        // Zero exists in every graph that has a condition made of several.
        (zero.index() < imported.graph.len()).then_some((Binary::NotEqual, vec![condition, zero]))
    }
}

fn fill(
    memory: &mut Memory,
    spec: &StepperSpec<'_>,
    parameters: &[Place],
    lane_columns: &[u32],
    lane_values: &[LaneValues],
) {
    let lanes = spec.lanes;
    // Lanes that pad the last chunk repeat the last unit.
    let value = |column: &Column, k: usize| if lanes == 0 { 0.0 } else { at(column, k.min(lanes - 1)) };
    for (c, column) in spec.initial.iter().enumerate() {
        for (k, v) in memory.padded_mut(c).iter_mut().enumerate() {
            *v = value(column, k);
        }
    }
    for (place, column) in parameters.iter().zip(&spec.parameters) {
        if let Place::Column(c) = place {
            for (k, v) in memory.padded_mut(*c as usize).iter_mut().enumerate() {
                *v = value(column, k);
            }
        }
    }
    for (&c, list) in lane_columns.iter().zip(lane_values) {
        for (k, v) in memory.padded_mut(c as usize).iter_mut().enumerate() {
            *v = list.values.get(k.min(lanes.saturating_sub(1))).copied().unwrap_or(0.0);
        }
    }
}
