//! The equations of one unit of a population with everything bound: parameters, initial state, inputs that hold still.
//! For analyses of equations (`of = "POP"`).

use crate::prelude::*;
use spikedeck_core::units::{Dimension, Quantity, display_unit};
use spikedeck_equation::flow::Flow;
use spikedeck_equation::{Expression, System, Variable};
use spikedeck_scenario::{PopulationSpec, Port, Spec, StimulusKind, Value};
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
        set: Vec<String> = texts(),
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
        let mut warnings = Vec::new();
        let mut parameters =
            resolve_all(&population.parameters, system.parameters(), population, unit, &[], "parameters")?;
        let mut inputs = vec![0.0; system.inputs().len()];
        if o.inputs == Inputs::Final {
            constant_inputs(spec, index, unit, &mut inputs, &mut warnings);
        }
        for text in &o.set {
            assign(text, system, &mut parameters, &mut inputs)?;
        }
        let known: Vec<(Variable, f64)> = system.parameters().iter().cloned().zip(parameters.iter().copied()).collect();
        let initial = resolve_all(&population.initial, system.states(), population, unit, &known, "initial")?;
        if spec.projections.iter().any(|p| p.to.population == index) {
            warnings.push(format!(
                "connections into `{}` are left out: these are the equations of one unit",
                population.name
            ));
        }
        if system.is_stochastic() {
            warnings.push("noise is left out: this is the deterministic part".into());
        }
        Ok(Self {
            flow: Flow::new(system, &parameters, &inputs),
            population,
            system,
            parameters,
            inputs,
            initial,
            base: spec.simulation.time_base,
            warnings,
        })
    }

    /// The same unit with one input at another value.
    pub fn with_input(&self, port: usize, value: f64) -> Flow {
        let mut inputs = self.inputs.clone();
        inputs[port] = value;
        Flow::new(self.system, &self.parameters, &inputs)
    }

    /// Index of a state by name.
    ///
    /// # Errors
    /// `Unsuitable`, naming the states that there are.
    pub fn state(&self, name: &str) -> Result<usize, AnalysisError> {
        index_of(self.system.states(), name, "state")
    }
}

/// Index of a named quantity.
///
/// # Errors
/// `Unsuitable`, naming those that there are.
pub fn index_of(variables: &[Variable], name: &str, what: &str) -> Result<usize, AnalysisError> {
    variables.iter().position(|v| v.name == name).ok_or_else(|| {
        let names: Vec<&str> = variables.iter().map(|v| v.name.as_str()).collect();
        let there =
            if names.is_empty() { "there is none".to_owned() } else { format!("there is {}", names.join(", ")) };
        AnalysisError::Unsuitable(format!("no {what} `{name}`: {there}"))
    })
}

/// Display unit (symbol and SI value) of a quantity.
pub fn display(dimension: Dimension) -> (String, f64) {
    let unit = display_unit(dimension);
    (unit.symbol, unit.scale)
}

/// The scenario, index and population that `of` names.
///
/// # Errors
/// `Unsuitable` without a scenario or subject.
pub fn population<'a>(request: &Request<'a>) -> Result<(&'a Spec, usize, &'a PopulationSpec), AnalysisError> {
    let spec = request.scenario.ok_or_else(|| {
        AnalysisError::Unsuitable(
            "this analysis needs the equations: run it from a scenario, not on a recording from elsewhere".into(),
        )
    })?;
    let index = match (request.spec.of.first(), spec.populations.len()) {
        (Some(subject), _) => subject.population,
        (None, 1) => 0,
        (None, _) => {
            return Err(AnalysisError::Unsuitable("write `of = \"POP\"`: which population's equations".into()));
        }
    };
    let population = spec
        .populations
        .get(index)
        .ok_or_else(|| AnalysisError::Unsuitable("the population of this subject does not exist".into()))?;
    Ok((spec, index, population))
}

/// Values of one unit; expressions may name `i`, `N`, positions are refused, and what is known.
fn resolve_all(
    values: &[Value],
    variables: &[Variable],
    population: &PopulationSpec,
    unit: usize,
    known: &[(Variable, f64)],
    place: &str,
) -> Result<Vec<f64>, AnalysisError> {
    let mut names: Vec<Variable> =
        ["i", "N"].iter().map(|n| Variable { name: (*n).to_owned(), dimension: Dimension::NONE }).collect();
    let mut numbers = vec![unit as f64, population.size as f64];
    names.extend(known.iter().map(|k| k.0.clone()));
    numbers.extend(known.iter().map(|k| k.1));
    let mut out = vec![f64::NAN; values.len()];
    // Expressions may name what is plain, so plain values come first.
    for expressions in [false, true] {
        for (i, (value, variable)) in values.iter().zip(variables).enumerate() {
            if matches!(value, Value::Expression(_)) != expressions {
                continue;
            }
            let cannot = |why: &str| {
                AnalysisError::Unsuitable(format!("populations.{}.{place}.{}: {why}", population.name, variable.name))
            };
            out[i] = match value {
                Value::Constant(v) => *v,
                Value::Each(list) => *list.get(unit).ok_or_else(|| cannot("fewer values than units are listed"))?,
                Value::Drawn(_) => {
                    return Err(cannot(
                        "a drawn value has no place in an analysis of equations: give it a value with `set` or in the scenario",
                    ));
                }
                Value::Expression(text) => Expression::parse(text, &names)
                    .map_err(|e| cannot(e.first().map_or("cannot be understood", |d| d.message.as_str())))?
                    .evaluate(&numbers),
            };
            if !expressions {
                names.push(variable.clone());
                numbers.push(out[i]);
            }
        }
    }
    Ok(out)
}

/// Adds what constant stimuli give to each input port of the unit.
fn constant_inputs(spec: &Spec, population: usize, unit: usize, inputs: &mut [f64], warnings: &mut Vec<String>) {
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
        let value = match &s.kind {
            StimulusKind::Constant { amplitude } => number(amplitude),
            StimulusKind::Step { amplitude, start, stop } => {
                if *start < end && *stop >= end * (1.0 - 1e-12) {
                    number(amplitude)
                } else {
                    Some(0.0)
                }
            }
            StimulusKind::Ramp { to, stop, .. } if *stop <= end => number(to),
            StimulusKind::OuNoise { mean, .. }
            | StimulusKind::WhiteNoise { mean, .. }
            | StimulusKind::GaussianSteps { mean, .. } => {
                warnings.push(format!("noise stimulus `{}` is held at its mean", s.name));
                number(mean)
            }
            _ => {
                warnings.push(format!("stimulus `{}` changes in time and is left out", s.name));
                Some(0.0)
            }
        };
        match (value, inputs.get_mut(port)) {
            (Some(v), Some(input)) => *input += v,
            _ => warnings
                .push(format!("the value of stimulus `{}` for this unit is not known here and is left out", s.name)),
        }
    }
}

/// `NAME = QUANTITY`: sets a parameter or an input port.
fn assign(text: &str, system: &System, parameters: &mut [f64], inputs: &mut [f64]) -> Result<(), AnalysisError> {
    let wrong = |why: String| AnalysisError::Unsuitable(format!("set = \"{text}\": {why}"));
    let (name, value) =
        text.split_once('=').ok_or_else(|| wrong("write a name, `=`, and a quantity, as in \"I = 0.5 nA\"".into()))?;
    let name = name.trim();
    let quantity = Quantity::parse(value.trim()).map_err(|d| wrong(d.message))?;
    let found = system
        .parameters()
        .iter()
        .zip(parameters)
        .chain(system.inputs().iter().zip(inputs))
        .find(|(v, _)| v.name == name);
    let Some((variable, slot)) = found else {
        let names: Vec<&str> = system.parameters().iter().chain(system.inputs()).map(|v| v.name.as_str()).collect();
        return Err(wrong(format!("no parameter or input `{name}`: there is {}", names.join(", "))));
    };
    if variable.dimension != quantity.dimension {
        return Err(wrong(format!("`{name}` has dimension {}, this is {}", variable.dimension, quantity.dimension)));
    }
    *slot = quantity.value;
    Ok(())
}
