//! Scenarios of one population from a few lines of equations, for tests of analyses that need the equations.

use std::fmt::Write as _;
use std::sync::Arc;

use super::testing::run_spec;
use super::{Analysis, AnalysisError, Outcome};
use spikedeck_core::units::{Dimension, Quantity, parse_unit};
use spikedeck_equation::{Declaration, Source, System, TimeUnit};
use spikedeck_model::{Definition, DefinitionKind};
use spikedeck_scenario::{
    Catalog, Constant, Integrator, OptionValue, PopulationId, PopulationSpec, Seeds, Simulation, Spec, SpikeTimes,
    StimulusSpec, Target, Value, read_analysis,
};
use spikedeck_signal::{Recording, TimeBase};

/// A model in a few lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub equations: &'static str,
    /// Name and value; the dimension is the value's.
    pub parameters: &'static [(&'static str, &'static str)],
    pub inputs: &'static [(&'static str, &'static str)],
    /// One value a state.
    pub initial: &'static [&'static str],
    pub threshold: Option<&'static str>,
    pub reset: Option<&'static str>,
    pub refractory: Option<(&'static str, &'static [&'static str])>,
    pub time_unit: TimeUnit,
}

impl Model {
    pub(crate) fn system(&self) -> System {
        let declare = |name: &str, dimension: Dimension| Declaration { name: name.into(), dimension };
        let source = Source {
            equations: self.equations.into(),
            parameters: self.parameters.iter().map(|p| declare(p.0, Quantity::parse(p.1).unwrap().dimension)).collect(),
            inputs: self
                .inputs
                .iter()
                .map(|i| declare(i.0, if i.1 == "1" { Dimension::NONE } else { parse_unit(i.1).unwrap().1 }))
                .collect(),
            threshold: self.threshold.map(Into::into),
            reset: self.reset.map(Into::into),
            refractory_time: self.refractory.map(|r| r.0.into()),
            refractory_hold: self.refractory.map_or(Vec::new(), |r| r.1.iter().map(|s| (*s).into()).collect()),
            time_unit: self.time_unit,
            ..Source::default()
        };
        System::parse(&source).unwrap_or_else(|e| panic!("{e:?}"))
    }

    /// A scenario of population `p` of one unit with these steps, and constant inputs (port, value).
    pub(crate) fn scenario(&self, dt: f64, steps: u64, inputs: &[(&str, &str)]) -> Spec {
        let system = self.system();
        let value = |text: &str| Value::Constant(Quantity::parse(text).unwrap().value);
        let definition = Definition {
            kind: DefinitionKind::Model,
            name: "m".into(),
            title: String::new(),
            summary: String::new(),
            description: String::new(),
            mathematics: String::new(),
            relevance: String::new(),
            applications: String::new(),
            references: Vec::new(),
            parameters: Vec::new(),
            initial: Vec::new(),
            circular: Vec::new(),
            presets: Vec::new(),
            integrator: None,
            texts: Source::default(),
            port: None,
            rule: None,
            system: system.clone(),
        };
        let population = PopulationSpec {
            name: "p".into(),
            model: Arc::new(definition),
            receptors: Vec::new(),
            channels: Vec::new(),
            tree: None,
            parameters: self.parameters.iter().map(|p| value(p.1)).collect(),
            initial: self.initial.iter().map(|v| value(v)).collect(),
            system,
            size: 1,
            positions: None,
            grid: None,
            integrator: Integrator::Auto,
            substeps: 1,
            clamp: None,
        };
        let stimuli = inputs
            .iter()
            .map(|(port, amount)| StimulusSpec {
                name: (*port).into(),
                target: Target { population: PopulationId::of_recording(0), port: population.port(port).unwrap() },
                units: Vec::new(),
                kind: Constant { amplitude: value(amount) }.into(),
            })
            .collect();
        let base =
            if self.time_unit == TimeUnit::Dimensionless { TimeBase::Dimensionless } else { TimeBase::Milliseconds };
        Spec {
            name: "s".into(),
            variant: None,
            title: String::new(),
            description: String::new(),
            references: Vec::new(),
            tags: Vec::new(),
            simulation: Simulation {
                time_base: base,
                dt,
                steps,
                transient_steps: 0,
                seed: 1,
                seeds: Seeds::all(1),
                trial: 0,
                memory: None,
                spike_times: SpikeTimes::Grid,
                check_halve_dt: false,
            },
            populations: vec![population],
            projections: Vec::new(),
            stimuli,
            records: Vec::new(),
            recordings: Vec::new(),
            analyses: Vec::new(),
            expect: Vec::new(),
            variants: Vec::new(),
            sweep: None,
            trials: None,
            hash: String::new(),
            canonical: Arc::from(""),
            source: Arc::from(""),
            overrides: Vec::new(),
            path: None,
            files: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// An option as a scenario says it, or as it is read.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    Toml(String),
    Value(OptionValue),
}

/// FitzHugh-Nagumo's equations with a current.
pub(crate) fn fhn() -> Model {
    Model {
        equations: "dv/dt = v - v**3/3 - w + I : 1\ndw/dt = eps*(v + a - b*w) : 1",
        parameters: &[("a", "0.7"), ("b", "0.8"), ("eps", "0.08")],
        inputs: &[("I", "1")],
        initial: &["-1", "-0.5"],
        time_unit: TimeUnit::Dimensionless,
        ..Model::default()
    }
}

/// A string.
pub(crate) fn word(text: &str) -> Said {
    Said::Toml(format!("{text:?}"))
}

/// A list of strings.
pub(crate) fn words(list: &[&str]) -> Said {
    Said::Toml(format!("{list:?}"))
}

/// A whole number.
pub(crate) fn whole(number: i64) -> Said {
    Said::Value(OptionValue::Integer(number))
}

/// A number, in SI.
pub(crate) fn number(value: f64) -> Said {
    Said::Value(OptionValue::Number(value))
}

/// Runs an analysis on the equations of `p`, at its defaults but for `options`.
pub(crate) fn run(
    analysis: &dyn Analysis,
    scenario: &Spec,
    recording: &Recording,
    options: &[(&'static str, Said)],
) -> Result<Outcome, AnalysisError> {
    let declaration = analysis.declaration();
    for (key, _) in options {
        assert!(declaration.options.iter().any(|o| o.key == *key), "{key} is no option");
    }
    // What a scenario says is read as it is, because it may name parts of its population.
    let mut text = format!("kind = \"{}\"\nof = \"p\"\n", declaration.kind);
    for (key, value) in options {
        if let Said::Toml(said) = value {
            writeln!(text, "{key} = {said}").unwrap();
        }
    }
    let catalog = Catalog { analyses: crate::declarations() };
    let unsuitable = |e: &dyn std::fmt::Display| AnalysisError::Unsuitable(e.to_string());
    let mut spec = read_analysis(scenario, &catalog, "x", &text).map_err(|e| unsuitable(&e))?;
    for (key, value) in options {
        if let Said::Value(value) = value {
            spec.options.insert(key, value.clone());
        }
    }
    let sound = declaration.together.check(&spec.options, scenario.simulation.times());
    sound.map_err(|wrong| unsuitable(&wrong.message))?;
    run_spec(analysis, Some(scenario), recording, &spec)
}
