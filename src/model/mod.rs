//! Model, receptor, channel, plasticity and morphology files → typed definitions; the built-in library.
//!
//! Reading order: [`document`] (TOML with places), [`report`] (everything wrong, rendered), `read` (a file → a
//! [`Definition`]) with `parameters`, `receptor` (a receptor on another input port), [`morphology`] (trees of sections
//! and their compartments), [`Library`] (what is built in),
//! [`card()`] (what `explain` and the dashboard show).
//!
//! ```
//! use spikedeck_model::{DefinitionKind, card, library};
//!
//! let adex = library().get(DefinitionKind::Model, "adex").expect("it is built in");
//! assert_eq!(adex.system.states()[0].name, "V_m");
//! assert_eq!(adex.parameter("C_m").expect("a membrane has a capacity").default_text, "281 pF");
//! assert!(card(&adex).sections.iter().any(|s| s.text.contains("dV_m/dt")));
//! ```

mod card;
pub mod document;
mod excerpt;
mod library;
pub mod morphology;
mod parameters;
mod read;
mod receptor;
pub mod report;

pub use card::{PARAMETERS, card};
pub use library::{Library, library, morphologies, morphology as built_in_morphology};
pub use read::{read_definition, strings};
pub use receptor::redirect;
pub use report::Report;

use spikedeck_core::units::Dimension;
use spikedeck_equation::{Rule, Source, System};

/// What a file describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DefinitionKind {
    /// A neuron, neural mass, oscillator, ...: `data/models`.
    Model,
    /// A receptor that a model carries: `data/receptors`.
    Receptor,
    /// A current or an ion's pool in the membrane of a tree's compartments: `data/channels`.
    Channel,
    /// A rule by which connections change: `data/plasticity`.
    Plasticity,
}

impl DefinitionKind {
    /// All, in the order of lists.
    pub const ALL: [Self; 4] = [Self::Model, Self::Receptor, Self::Channel, Self::Plasticity];

    /// The word for messages and folders (`model`, `receptor`).
    pub fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Receptor => "receptor",
            Self::Channel => "channel",
            Self::Plasticity => "plasticity",
        }
    }

    /// The folder of the built-in files, which is the table of a scenario's own as well (`models`, `receptors`,
    /// `channels`, `plasticity`).
    pub fn table(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Receptor => "receptors",
            Self::Channel => "channels",
            Self::Plasticity => "plasticity",
        }
    }
}

/// A parameter as its file declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Name.
    pub name: String,
    /// Dimension.
    pub dimension: Dimension,
    /// Default in SI.
    pub default: f64,
    /// The default as written (`281 pF`).
    pub default_text: String,
    /// Least allowed value in SI.
    pub min: Option<f64>,
    /// Greatest allowed value in SI.
    pub max: Option<f64>,
    /// One line of meaning.
    pub about: String,
    /// Plasticity rules: it has the unit of the weights (`unit = "weight"`); the default holds for weights without a
    /// unit.
    pub is_weight: bool,
    /// Plasticity rules: what it is to the weights, if it has their sign.
    pub role: Option<WeightRole>,
    /// What of a compartment it is (`area`), where the population is a tree; then no scenario states it.
    pub geometry: Option<Geometry>,
}

impl Parameter {
    /// Its least value: what its file says, or what nature does.
    pub fn least(&self) -> Option<f64> {
        self.min.or_else(|| self.dimension.least())
    }

    /// Whether a value lies in its range; what is no number does in none.
    pub fn allows(&self, value: f64) -> bool {
        (self.least().unwrap_or(f64::NEG_INFINITY)..=self.max.unwrap_or(f64::INFINITY)).contains(&value)
    }
}

/// What a parameter of a plasticity rule is to the weights (`role = "bound"`); either has their sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightRole {
    /// Weights lie between zero and it.
    Bound,
    /// Weights are measured by it.
    Reference,
}

/// What a compartment says of itself; equations name it by a parameter with `geometry = "area"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Geometry {
    /// Area of its membrane.
    Area,
    /// Diameter.
    Diameter,
    /// Length along the section.
    Length,
    /// Path from the root of the tree to its middle.
    Distance,
}

impl Geometry {
    /// All, by the names that files use, with their dimension as a power of a length.
    pub const LIST: [(&'static str, Self, i32); 4] = [
        ("area", Self::Area, 2),
        ("diameter", Self::Diameter, 1),
        ("length", Self::Length, 1),
        ("distance", Self::Distance, 1),
    ];
}

/// A named set of parameter values (`adex`'s `tonic`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preset {
    /// Name.
    pub name: String,
    /// One line of meaning.
    pub about: String,
    /// Parameter values in SI.
    pub parameters: Vec<(String, f64)>,
    /// Initial values: state and expression text.
    pub initial: Vec<(String, String)>,
    /// Integrator, if the preset asks for one.
    pub integrator: Option<String>,
    /// Substeps, if the preset asks for them.
    pub substeps: Option<u32>,
}

/// A model, receptor or channel, understood: its card and its system.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Model, receptor, channel or plasticity rule.
    pub kind: DefinitionKind,
    /// Name (`adex`).
    pub name: String,
    /// Title.
    pub title: String,
    /// One line for lists.
    pub summary: String,
    /// Card sections.
    pub description: String,
    /// Card: mathematics.
    pub mathematics: String,
    /// Card: relevance.
    pub relevance: String,
    /// Card: applications.
    pub applications: String,
    /// References with DOI.
    pub references: Vec<String>,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// Initial values: state and expression text in parameters (`E_L`).
    pub initial: Vec<(String, String)>,
    /// States that are angles in radians: what they say repeats after a full turn.
    pub circular: Vec<String>,
    /// Presets.
    pub presets: Vec<Preset>,
    /// Integrator the file asks for (else `auto`).
    pub integrator: Option<String>,
    /// The texts of the equations, threshold, reset, ... as the file states them.
    pub texts: Source,
    /// Receptors and channels: the input port of the host that their current adds to (`I`).
    pub port: Option<String>,
    /// Plasticity: the understood rule.
    pub rule: Option<Rule>,
    /// The understood equations (of a receptor: as if carried by a membrane in volts with an input in amperes).
    pub system: System,
}

impl Definition {
    /// The parameter called `name`.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// The preset called `name`.
    pub fn preset(&self, name: &str) -> Option<&Preset> {
        self.presets.iter().find(|p| p.name == name)
    }
}

/// The everyday name of a dimension with its unit, for messages: `a voltage (V)`.
pub fn name_of(dimension: Dimension) -> String {
    let area = Dimension::METRE.times(Dimension::METRE);
    let named = [
        (Dimension::VOLT, "a voltage"),
        (Dimension::AMPERE, "a current"),
        (Dimension::SIEMENS, "a conductance"),
        (Dimension::FARAD, "a capacitance"),
        (Dimension::SECOND, "a time"),
        (Dimension::HERTZ, "a rate"),
        (Dimension::OHM, "a resistance"),
        (Dimension::METRE, "a length"),
        (Dimension::AMPERE.per(area), "a current density"),
        (Dimension::SIEMENS.per(area), "a conductance density"),
        (Dimension::FARAD.per(area), "a capacitance density"),
    ];
    if dimension.is_none() {
        return "a plain number".to_owned();
    }
    match named.iter().find(|(d, _)| *d == dimension) {
        Some((_, name)) => format!("{name} ({dimension})"),
        None => format!("a quantity in {dimension}"),
    }
}
