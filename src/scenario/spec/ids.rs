//! Handles of what a scenario names. They are minted where names are resolved and carried from there, so that nobody
//! looks a name up again, and no number of one kind stands where another is meant.

use std::fmt;

use spikedeck_core::units::Dimension;
use spikedeck_equation::{System, Variable};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(usize);

        impl $name {
            pub(crate) fn new(index: usize) -> Self {
                Self(index)
            }

            /// Its number, counted from 0.
            pub fn index(self) -> usize {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A population: a place in `Spec::populations`, and in `Recording::populations` of its runs.
    PopulationId;
    /// A projection: a place in `Spec::projections`.
    ProjectionId;
    /// A state of a population: a place in `System::states`.
    StateId;
    /// A parameter of a population: a place in `System::parameters`.
    ParameterId;
    /// A named subexpression of a population: a place in `System::subexpressions`.
    SubexpressionId;
    /// A port for values: a place in `System::inputs`.
    InputId;
    /// A port for events: a place in `System::event_ports`.
    EventId;
    /// A recorded variable: a place in `Recording::traces` of the runs.
    TraceId;
}

impl PopulationId {
    /// The n-th population of a recording, counted from 0: for recordings that no scenario describes.
    pub fn of_recording(index: usize) -> Self {
        Self(index)
    }
}

/// What is recorded and looked at: the units of a population, or the connections of a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A population.
    Population(PopulationId),
    /// A projection.
    Projection(ProjectionId),
}

impl Place {
    /// The population, if it is one.
    pub fn population(self) -> Option<PopulationId> {
        match self {
            Self::Population(id) => Some(id),
            Self::Projection(_) => None,
        }
    }
}

/// A named quantity of a population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VariableId {
    /// A state.
    State(StateId),
    /// A parameter.
    Parameter(ParameterId),
    /// A subexpression.
    Subexpression(SubexpressionId),
    /// What arrives at a port for values, with the currents of receptors.
    Input(InputId),
}

impl VariableId {
    /// States, parameters and subexpressions of a system, in this order: what it has of its own.
    pub fn own(system: &System) -> impl Iterator<Item = (Self, &Variable)> {
        let states = system.states().iter().enumerate().map(|(i, v)| (Self::State(StateId::new(i)), v));
        let parameters = system.parameters().iter().enumerate().map(|(i, v)| (Self::Parameter(ParameterId::new(i)), v));
        let others = system.subexpressions().iter().enumerate();
        states.chain(parameters).chain(others.map(|(i, v)| (Self::Subexpression(SubexpressionId::new(i)), v)))
    }

    /// The quantity of this name: one of its own, or an input.
    pub fn named<'a>(system: &'a System, name: &str) -> Option<(Self, &'a Variable)> {
        let inputs = system.inputs().iter().enumerate().map(|(i, v)| (Self::Input(InputId::new(i)), v));
        // A parameter that changes during a run has a subexpression of its name: what it is at the moment.
        let now = system.subexpressions().iter().position(|v| v.name == name);
        let now = now.map(|i| (Self::Subexpression(SubexpressionId::new(i)), &system.subexpressions()[i]));
        now.or_else(|| Self::own(system).chain(inputs).find(|(_, v)| v.name == name))
    }

    /// Its name and dimension in the system that it is of.
    pub fn of(self, system: &System) -> &Variable {
        match self {
            Self::State(id) => &system.states()[id.index()],
            Self::Parameter(id) => &system.parameters()[id.index()],
            Self::Subexpression(id) => &system.subexpressions()[id.index()],
            Self::Input(id) => &system.inputs()[id.index()],
        }
    }
}

/// A value of the connections of a projection: a state of one of its rules of plasticity. All rules share the weight
/// and the efficacy; these are named by the first rule that has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionVariableId {
    rule: usize,
    state: usize,
}

impl ConnectionVariableId {
    pub(crate) fn new(rule: usize, state: usize) -> Self {
        Self { rule, state }
    }

    /// The rule: a place in `PlasticitySpec::rules`.
    pub fn rule(self) -> usize {
        self.rule
    }

    /// The state: a place in the states of the rule.
    pub fn state(self) -> usize {
        self.state
    }
}

/// What a trace is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TracedId {
    /// A quantity of the units of a population.
    Unit(VariableId),
    /// A value of the connections of a projection.
    Connection(ConnectionVariableId),
}

/// What an expression of a value that may differ between units can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitName {
    /// `i`: number of the unit.
    Index,
    /// `N`: number of units.
    Count,
    /// `x`, `y`, `z`: the position along an axis, counted from 0.
    Position(usize),
    /// `distance`: path from the root of a tree.
    PathDistance,
    /// `diameter`: of a compartment of a tree.
    Diameter,
    /// A parameter of the population.
    Parameter(ParameterId),
    /// `t`: time, in seconds or time units (stimuli only).
    Time,
}

/// What weights and delays of connections may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairName {
    /// `i_pre`: number of the source.
    Source,
    /// `i_post`: number of the target.
    Target,
    /// `N_pre`: number of all sources.
    Sources,
    /// `N_post`: number of all targets.
    Targets,
    /// `distance` of the two.
    Distance,
    /// `x_pre`, `y_pre`, `z_pre`: where the source is, along an axis counted from 0.
    SourcePosition(usize),
    /// `x_post`, `y_post`, `z_post`: where the target is.
    TargetPosition(usize),
}

impl PairName {
    /// All names with what they mean; the first four without positions.
    pub const LIST: [(&'static str, Self); 11] = [
        ("i_pre", Self::Source),
        ("i_post", Self::Target),
        ("N_pre", Self::Sources),
        ("N_post", Self::Targets),
        ("distance", Self::Distance),
        ("x_pre", Self::SourcePosition(0)),
        ("y_pre", Self::SourcePosition(1)),
        ("z_pre", Self::SourcePosition(2)),
        ("x_post", Self::TargetPosition(0)),
        ("y_post", Self::TargetPosition(1)),
        ("z_post", Self::TargetPosition(2)),
    ];

    /// Its dimension between populations whose positions have dimension `length`.
    pub fn dimension(self, length: Dimension) -> Dimension {
        match self {
            Self::Source | Self::Target | Self::Sources | Self::Targets => Dimension::NONE,
            Self::Distance | Self::SourcePosition(_) | Self::TargetPosition(_) => length,
        }
    }
}

/// What the value of a continuous projection may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarriedName {
    /// `w`: the weight of the connection.
    Weight,
    /// `NAME_pre`: a quantity of the source.
    Source(VariableId),
    /// `NAME_post`: a quantity of the target.
    Target(VariableId),
}
