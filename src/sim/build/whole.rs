//! Continuous coupling as a part of the step: which projections are looked at in every stage of a scheme, and which are
//! solved for.

use super::group::Choice;
use super::population::PopulationValues;
use super::projection::PreparedProjection;
use super::unsuitable;
use crate::BuildError;
use crate::joint::{Joint, Part};
use crate::stepper::stages;
use crate::values::at;
use crate::worker::Looked;
use spikedeck_equation::derive::{derivative, jumps};
use spikedeck_equation::graph::Symbol;
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::{CarriedName, Coupling, Integrator, PopulationId, Port, ProjectionSpec, Spec, VariableId};

/// When what each projection brings is looked at, in the order of the scenario, and what is solved for.
pub(super) struct Whole {
    pub looked: Vec<Looked>,
    pub joint: Option<Joint>,
}

impl Whole {
    /// # Errors
    /// When an implicit projection is none that can be solved for.
    pub fn new(
        spec: &Spec,
        populations: &[PopulationValues],
        choices: &[Choice],
        projections: &[PreparedProjection<'_>],
    ) -> Result<Self, BuildError> {
        let joint = joint(spec, populations, projections)?;
        let looked = |p: &PreparedProjection<'_>| {
            let (from, to) = (p.spec.from, p.spec.to.population);
            let scheme = |p: PopulationId| in_stages(spec, choices, p);
            if p.spec.implicit {
                Looked::AtTheEnd
            } else if joint.is_none()
                && is_immediate(p)
                && scheme(to).is_some()
                && scheme(from) == scheme(to)
                && p.spec.plasticity.is_none()
            {
                Looked::InStages
            } else {
                Looked::AtTheBeginning
            }
        };
        let looked = projections.iter().map(looked).collect();
        Ok(Self { looked, joint })
    }

    /// Whether the units of a population make their steps in stages that others see.
    pub fn is_in_stages(&self, spec: &Spec, p: PopulationId) -> bool {
        let ends = |x: &ProjectionSpec| x.from == p || x.to.population == p;
        spec.projections.iter().zip(&self.looked).any(|(x, looked)| *looked == Looked::InStages && ends(x))
    }

    /// What is said of the coupling of a population beside its integrator.
    pub fn said(&self, spec: &Spec, p: PopulationId, integrator: Integrator) -> &'static str {
        let here = |x: &ProjectionSpec| x.to.population == p && x.coupling != Coupling::Event;
        let any =
            |what: Looked| spec.projections.iter().zip(&self.looked).any(|(x, looked)| here(x) && *looked == what);
        if any(Looked::AtTheBeginning) {
            "; what continuous projections bring is held over each step: of order 1 as a whole"
        } else if any(Looked::AtTheEnd) {
            "; implicit projections are solved for at the end of each step: stable at any step, of order 1 as a whole"
        } else if any(Looked::InStages) {
            if integrator == Integrator::Rk4 {
                "; continuous projections are evaluated in every stage: of order 4 as a whole"
            } else {
                "; continuous projections are evaluated in every stage: of order 2 as a whole"
            }
        } else {
            ""
        }
    }
}

/// Whether a continuous projection has no delay.
fn is_immediate(p: &PreparedProjection<'_>) -> bool {
    p.continuous.is_some() && p.values.same_delay() == Some(0)
}

/// The scheme of a population whose steps can be made in stages that others see: points that no reset and no rest
/// interrupts, in steps of one part.
fn in_stages(spec: &Spec, choices: &[Choice], p: PopulationId) -> Option<Integrator> {
    let (population, choice) = (spec.population(p), &choices[p.index()]);
    let parts = population.system.parts();
    let points = population.tree.is_none() && population.grid.is_none() && population.substeps <= 1;
    let smooth = parts.reset.is_empty() && parts.refractory.is_none();
    (points && smooth && stages::part(choice.integrator).is_some()).then_some(choice.integrator)
}

/// What is known of an implicit projection: the coupled state at either end, and the conductance for a weight.
fn diffusive(projection: &ProjectionSpec) -> Result<(VariableId, VariableId, Tape), String> {
    let wrong = || {
        "`implicit` needs a value that is a conductance times the difference of one state at both ends, as in \
         `w*(V_m_pre - V_m_post)`"
            .to_owned()
    };
    let Coupling::Continuous { value } = &projection.coupling else {
        return Err("`implicit` belongs to continuous projections".to_owned());
    };
    let (mut pre, mut post) = (None, None);
    for (k, name) in value.names().iter().enumerate() {
        let end = match name {
            CarriedName::Source(v @ VariableId::State(_)) => pre.replace((k, *v)),
            CarriedName::Target(v @ VariableId::State(_)) => post.replace((k, *v)),
            CarriedName::Weight => None,
            _ => return Err(wrong()),
        };
        if end.is_some() {
            return Err(wrong());
        }
    }
    let (Some((pre, source)), Some((post, target))) = (pre, post) else { return Err(wrong()) };
    let (graph, root) = value.expression().graph();
    let mut g = graph.clone();
    let up = derivative(&mut g, root, Symbol::Variable(pre as u32));
    let down = derivative(&mut g, root, Symbol::Variable(post as u32));
    let of_states = |s: Symbol| matches!(s, Symbol::Variable(i) if i as usize == pre || i as usize == post);
    let bent = g.depends(up, of_states) || g.depends(down, of_states) || jumps(&g, root, of_states);
    if bent || g.depends(root, |s| s == Symbol::Time) {
        return Err(wrong());
    }
    let both = Tape::new(&g, &[up, down, root]);
    for weight in [1.0, 2.5] {
        let variables: Vec<f64> =
            value.names().iter().map(|n| if *n == CarriedName::Weight { weight } else { 0.0 }).collect();
        let mut found = [0.0; 3];
        both.evaluate(&Values { variables: &variables, ..Values::default() }, &mut found);
        let [up, down, rest] = found;
        // The difference alone, and nothing beside it.
        if (up + down).abs() > 1e-12 * up.abs() || rest != 0.0 {
            return Err(wrong());
        }
    }
    Ok((source, target, Tape::new(&g, &[up])))
}

/// All units that implicit projections couple.
fn joint(
    spec: &Spec,
    populations: &[PopulationValues],
    projections: &[PreparedProjection<'_>],
) -> Result<Option<Joint>, BuildError> {
    let mut parts: Vec<Part> = Vec::new();
    let mut links: Vec<(u32, u32, f64)> = Vec::new();
    let mut units = 0;
    for p in projections.iter().filter(|p| p.spec.implicit) {
        let place = format!("projections.{}", p.spec.name);
        let refuse = |message: String| unsuitable(place.clone(), message);
        let (source, target, conductance) = diffusive(p.spec).map_err(refuse)?;
        if !is_immediate(p) || p.spec.plasticity.is_some() {
            return Err(refuse("`implicit` needs a projection without delay and plasticity".to_owned()));
        }
        let Port::Input(port) = p.spec.to.port else {
            return Err(refuse("`implicit` belongs to continuous projections".to_owned()));
        };
        let mut part = |population: PopulationId, variable: VariableId, port: Option<usize>| {
            let VariableId::State(state) = variable else {
                return Err(refuse("`implicit` couples states".to_owned()));
            };
            let known = parts.iter().position(|x| x.population == population);
            let index = known.unwrap_or_else(|| {
                let answers = vec![0.0; spec.population(population).size];
                parts.push(Part { population, state: state.index(), port: usize::MAX, first: units, answers });
                units += spec.population(population).size;
                parts.len() - 1
            });
            let part = &mut parts[index];
            let other = port.is_some_and(|port| part.port != usize::MAX && part.port != port);
            if part.state != state.index() || other {
                return Err(refuse(format!(
                    "implicit projections couple one state of `{}` through one input",
                    spec.population(population).name
                )));
            }
            if let Some(port) = port.filter(|_| part.port == usize::MAX) {
                part.port = port;
                part.answers = answers(spec, populations, population, (state.index(), port)).map_err(&refuse)?;
            }
            Ok(part.first)
        };
        let from = part(p.spec.from, source, None)?;
        let to = part(p.spec.to.population, target, Some(port.index()))?;
        let Coupling::Continuous { value } = &p.spec.coupling else { continue };
        let mut wrong = None;
        p.wiring.walk(0..p.wiring.targets, |link| {
            let w = p.values.weight(&link);
            let variables: Vec<f64> =
                value.names().iter().map(|n| if *n == CarriedName::Weight { w } else { 0.0 }).collect();
            let g = conductance.value(&Values { variables: &variables, ..Values::default() });
            if !(g >= 0.0 && g.is_finite()) {
                wrong = Some((link.source, link.target, g));
            }
            links.push((to as u32 + link.target, from as u32 + link.source, g));
        });
        if let Some((source, target, g)) = wrong {
            return Err(refuse(format!(
                "`implicit` needs conductances of at least zero, and that of connection {source} -> {target} is {g}"
            )));
        }
    }
    if links.is_empty() {
        return Ok(None);
    }
    // By target, then source; one after the other where there are several.
    links.sort_by_key(|l| (l.0, l.1));
    Ok(Some(Joint::new(parts, units, &links)))
}

/// How a state of each unit answers in one step to what an input brings.
fn answers(
    spec: &Spec,
    populations: &[PopulationValues],
    population: PopulationId,
    (state, port): (usize, usize),
) -> Result<Vec<f64>, String> {
    let (p, values) = (spec.population(population), &populations[population.index()]);
    if p.tree.is_some() || p.grid.is_some() {
        return Err(format!("`implicit` couples points, and `{}` has parts of its own that are coupled", p.name));
    }
    let parts = p.system.parts();
    let mut g = parts.graph.clone();
    let slope = derivative(&mut g, parts.drift[state], Symbol::Input(port as u32));
    if g.depends(slope, |s| !matches!(s, Symbol::Parameter(_))) {
        return Err(format!(
            "`implicit` needs a state whose rate is linear in the input with a constant factor (1/C_m), and that of \
             `{}` is not",
            parts.states[state].name
        ));
    }
    let tape = Tape::new(&g, &[slope]);
    let h = spec.simulation.dt * p.time_unit().per_second();
    let of = |unit: usize| {
        let parameters: Vec<f64> = values.parameters.iter().map(|c| at(c, unit)).collect();
        h * tape.value(&Values { parameters: &parameters, ..Values::default() })
    };
    let list: Vec<f64> = (0..p.size).map(of).collect();
    if list.iter().all(|q| *q > 0.0 && q.is_finite()) {
        Ok(list)
    } else {
        Err(format!("`implicit` needs an input that raises `{}`", parts.states[state].name))
    }
}
