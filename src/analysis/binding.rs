//! The equations of one unit of a population with everything bound: parameters, initial state, inputs that hold still.
//! For analyses of equations (`of = "POP"`).

use crate::prelude::*;
use spikedeck_core::units::{Dimension, display_unit};
use spikedeck_equation::flow::Flow;
use spikedeck_equation::{System, Variable};
use spikedeck_scenario::{
    Assignment, AtRest, Clock, Observable, PopulationId, PopulationSpec, Port, Spec, Spread, Stimulus as _, TimeCourse,
    UnitName, Value, VariableId,
};
use spikedeck_signal::TimeBase;

words! {
    /// What the inputs of the unit are.
    pub enum Inputs {
        /// What stimuli give at the end of the run.
        Final = "final",
        /// Nothing.
        None = "none",
    }
}

options! {
    /// Which unit's equations are looked at, and with what.
    pub struct UnitOptions {
        unit: usize = integer("0").between(0.0, 4e9), "whose parameters and initial state are taken";
        inputs: Inputs = choice(Inputs::Final),
            "stimuli as they are at the end of the run, held constant; or none";
        set: Vec<Assignment> = assignments(),
            "parameters and inputs to set, as in [\"I = 0.5 nA\"]; they win over stimuli";
    }
}

/// One unit of a population as mathematics.
#[derive(Debug, Clone)]
pub struct Bound<'a> {
    /// The population.
    pub population: &'a PopulationSpec,
    /// Its equations.
    pub system: &'a System,
    /// The equations with parameters and inputs bound.
    pub flow: Flow,
    /// One value a parameter, SI.
    pub parameters: Vec<f64>,
    /// One value an input port, SI.
    pub inputs: Vec<f64>,
    /// Initial state, SI.
    pub initial: Vec<f64>,
    /// What time means.
    pub base: TimeBase,
    /// What was left out of the equations.
    pub warnings: Vec<String>,
}

impl<'a> Bound<'a> {
    /// Binds unit `unit` of the population that `of` names. Constant stimuli, and steps and ramps as they are at the
    /// end of the run, stay as constant inputs (none with option `inputs = "none"`); option `set` has the last word.
    ///
    /// # Errors
    /// `Unsuitable` without a scenario, for a unit that does not exist, or for values that cannot be worked out.
    pub fn new(request: &Request<'a>, o: &UnitOptions) -> Result<Self, AnalysisError> {
        let (mut bound, white) = Self::with_noise(request, o)?;
        bound.warnings.extend(white.iter().map(|w| held(w.stimulus)));
        if bound.system.is_stochastic() {
            bound.warnings.push("noise is left out: this is the deterministic part".into());
        }
        Ok(bound)
    }

    /// The same, and the white noise that acts on the unit from outside, for those who take noise into account.
    ///
    /// # Errors
    /// As of [`Bound::new`].
    pub fn with_noise(request: &Request<'a>, o: &UnitOptions) -> Result<(Self, Vec<WhiteNoise<'a>>), AnalysisError> {
        let (spec, index, population) = population(request)?;
        let unit = o.unit;
        if unit >= population.size {
            return Err(AnalysisError::Unsuitable(format!(
                "unit {unit} does not exist: `{}` has {} units (0 to {})",
                population.name,
                population.size,
                population.size.saturating_sub(1)
            )));
        }
        let system = &population.system;
        if system.plays() {
            let why = format!("`{}` plays spikes and has no equations", population.name);
            return Err(AnalysisError::Unsuitable(why));
        }
        if let Some(state) = &population.clamp {
            let why = format!("`{state}` of `{}` is clamped, and does not follow its equation", population.name);
            return Err(AnalysisError::Unsuitable(why));
        }
        let mut warnings = Vec::new();
        let (mut set_parameters, mut set_inputs) = (vec![None; system.parameters().len()], Vec::new());
        for Assignment { variable, value, .. } in &o.set {
            match variable {
                VariableId::Parameter(id) => set_parameters[id.index()] = Some(*value),
                VariableId::Input(id) => set_inputs.push((id.index(), *value)),
                VariableId::State(_) | VariableId::Subexpression(_) => {
                    unreachable!("the scenario lets parameters and inputs be set")
                }
            }
        }
        let resolve = Resolve { population, unit };
        let parameters =
            resolve.all(&population.parameters, system.parameters(), &set_parameters, None, "parameters")?;
        let mut inputs = vec![0.0; system.inputs().len()];
        let white = if o.inputs == Inputs::Final {
            steady_inputs(spec, index, unit, &mut inputs, &mut warnings)
        } else {
            Vec::new()
        };
        for (port, value) in set_inputs {
            inputs[port] = value;
        }
        let free = vec![None; system.states().len()];
        let initial = resolve.all(&population.initial, system.states(), &free, Some(&parameters), "initial")?;
        if spec.projections.iter().any(|p| p.to.population == index) {
            warnings.push(format!(
                "connections into `{}` are left out: these are the equations of one unit",
                population.name
            ));
        }
        let cells = if population.grid.is_some() { Some("cells") } else { None };
        if let Some(parts) = population.tree.as_ref().map(|_| "compartments").or(cells) {
            warnings.push(format!(
                "what flows between the {parts} of `{}` is left out: these are the equations of one by itself, which \
                 the whole does not have",
                population.name
            ));
        }
        let bound = Self {
            flow: Flow::new(system, &parameters, &inputs),
            population,
            system,
            parameters,
            inputs,
            initial,
            base: spec.simulation.time_base,
            warnings,
        };
        Ok((bound, white))
    }

    /// The same unit with one input at another value.
    pub fn with_input(&self, port: usize, value: f64) -> Flow {
        let mut inputs = self.inputs.clone();
        inputs[port] = value;
        Flow::new(self.system, &self.parameters, &inputs)
    }
}

/// Display unit (symbol and SI value) of a quantity.
pub fn display(dimension: Dimension) -> (String, f64) {
    let unit = display_unit(dimension);
    (unit.symbol, unit.scale)
}

/// The scenario and the population that `of` names, with its handle.
///
/// # Errors
/// `Unsuitable` without a scenario or subject, and for connections.
pub fn population<'a>(request: &Request<'a>) -> Result<(&'a Spec, PopulationId, &'a PopulationSpec), AnalysisError> {
    let spec = request.scenario.ok_or_else(|| {
        AnalysisError::Unsuitable(
            "this analysis needs the equations: run it from a scenario, not on a recording from elsewhere".into(),
        )
    })?;
    if let Some(signal) = request.spec.of.iter().find(|s| s.what != Observable::Population) {
        return Err(AnalysisError::Unsuitable(format!(
            "{} is a signal, and this analysis looks at the equations of units: name the population; nothing that was \
             recorded or read from a file enters it",
            signal.text
        )));
    }
    let mut all = spec.population_ids();
    let found = match (request.spec.of.first(), all.next(), all.next()) {
        (Some(subject), _, _) => subject.place.population().map(|id| (id, spec.population(id))),
        (None, Some(only), None) => Some(only),
        (None, _, _) => {
            return Err(AnalysisError::Unsuitable("write `of = \"POP\"`: which population's equations".into()));
        }
    };
    let (id, population) = found.ok_or_else(|| {
        AnalysisError::Unsuitable("these are equations of units: name a population, not a projection".into())
    })?;
    Ok((spec, id, population))
}

/// One unit of a population, for which values are worked out.
#[derive(Clone, Copy)]
struct Resolve<'a> {
    population: &'a PopulationSpec,
    unit: usize,
}

impl Resolve<'_> {
    /// Values of the unit, those that are `set` as they are, the others as the scenario says. Expressions name `i`, `N`
    /// and parameters; places are refused. `known` are the parameters, of which none is known while they are resolved
    /// themselves.
    fn all(
        self,
        values: &[Value],
        variables: &[Variable],
        set: &[Option<f64>],
        known: Option<&[f64]>,
        place: &str,
    ) -> Result<Vec<f64>, AnalysisError> {
        let Self { population, unit } = self;
        let mut out = set.to_vec();
        // Expressions name what is plain or computed before them, so plain values come first.
        for expressions in [false, true] {
            for (i, (value, variable)) in values.iter().zip(variables).enumerate() {
                if out[i].is_some() || matches!(value, Value::Expression(_)) != expressions {
                    continue;
                }
                let cannot = |why: &str| {
                    AnalysisError::Unsuitable(format!(
                        "populations.{}.{place}.{}: {why}",
                        population.name, variable.name
                    ))
                };
                out[i] = Some(match value {
                    Value::Constant(v) => *v,
                    Value::Each(list) => *list.get(unit).ok_or_else(|| cannot("fewer values than units are listed"))?,
                    Value::Drawn(_) => {
                        return Err(cannot(
                            "a drawn value has no place in an analysis of equations: give it a value with `set` \
                             or in the scenario",
                        ));
                    }
                    Value::Expression(formula) => {
                        let placed = |n: &UnitName| {
                            matches!(n, UnitName::Position(_) | UnitName::PathDistance | UnitName::Diameter)
                        };
                        if formula.names().iter().any(placed) {
                            return Err(cannot("an analysis of equations knows no places of units"));
                        }
                        formula.evaluate(|name| match name {
                            UnitName::Index => unit as f64,
                            UnitName::Count => population.size as f64,
                            UnitName::Parameter(id) => known.map_or_else(
                                || out[id.index()].expect("the scenario refuses parameters computed from later ones"),
                                |list| list[id.index()],
                            ),
                            UnitName::Position(_) | UnitName::PathDistance | UnitName::Diameter | UnitName::Time => {
                                unreachable!("places were refused above, and only stimuli name the time")
                            }
                        })
                    }
                });
            }
        }
        Ok(out.into_iter().map(|v| v.expect("each value is set, plain or an expression")).collect())
    }
}

/// White noise from outside on an input of a unit.
#[derive(Debug, Clone, Copy)]
pub struct WhiteNoise<'a> {
    /// The stimulus' name.
    pub stimulus: &'a str,
    /// The input.
    pub port: usize,
    /// Density, SI: unit of the input times s**0.5.
    pub density: f64,
}

/// What is told of noise of which only the mean is taken.
fn held(stimulus: &str) -> String {
    format!("noise stimulus `{stimulus}` is held at its mean")
}

/// Adds what constant stimuli give to each input port of the unit, noise at its mean.
pub fn constant_inputs(
    spec: &Spec,
    population: PopulationId,
    unit: usize,
    inputs: &mut [f64],
    warnings: &mut Vec<String>,
) {
    let white = steady_inputs(spec, population, unit, inputs, warnings);
    warnings.extend(white.iter().map(|w| held(w.stimulus)));
}

/// The same without a word on white noise, which is what comes back.
fn steady_inputs<'a>(
    spec: &'a Spec,
    population: PopulationId,
    unit: usize,
    inputs: &mut [f64],
    warnings: &mut Vec<String>,
) -> Vec<WhiteNoise<'a>> {
    let mut white = Vec::new();
    let clock = Clock { dt: spec.simulation.dt };
    let end = spec.simulation.steps as f64 * spec.simulation.dt;
    for s in &spec.stimuli {
        if s.target.population != population || !(s.units.is_empty() || s.units.contains(&(unit as u32))) {
            continue;
        }
        let Port::Input(port) = s.target.port else {
            warnings.push(format!("stimulus `{}` sends spikes and is left out", s.name));
            continue;
        };
        let number = |v: &Value| match v {
            Value::Constant(v) => Some(*v),
            Value::Each(list) => list
                .get(if s.units.is_empty() { unit } else { s.units.iter().position(|&u| u as usize == unit)? })
                .copied(),
            _ => None,
        };
        let value = match s.kind.at_rest(end) {
            AtRest::Is(value) => number(value),
            AtRest::Zero => Some(0.0),
            AtRest::Mean(mean) => {
                let density = match s.kind.course(clock) {
                    TimeCourse::Normal { spread: Spread::Density(density), .. } => number(density.value),
                    _ => None,
                };
                match density {
                    Some(density) => white.push(WhiteNoise { stimulus: &s.name, port: port.index(), density }),
                    None => warnings.push(held(&s.name)),
                }
                number(mean)
            }
            AtRest::Changes => {
                warnings.push(format!("stimulus `{}` changes in time and is left out", s.name));
                Some(0.0)
            }
        };
        match value {
            Some(v) => inputs[port.index()] += v,
            None => warnings
                .push(format!("the value of stimulus `{}` for this unit is not known here and is left out", s.name)),
        }
    }
    white
}
