//! Resolved populations and projections.

use std::sync::Arc;

use super::ids::{CarriedName, EventId, InputId, PairName, PopulationId, UnitName};
use super::integrator::Integrator;
use super::tree::TreeSpec;
use crate::language::words;
use spikedeck_core::units::Dimension;
use spikedeck_equation::drive::Drive;
use spikedeck_equation::{Formula, System, TimeUnit};
use spikedeck_model::Definition;

/// A value that may differ from unit to unit, or, with [`PairName`], from connection to connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<N = UnitName> {
    /// The same for all, in SI.
    Constant(f64),
    /// One given value each, in SI.
    Each(Arc<[f64]>),
    /// Drawn.
    Drawn(Distribution),
    /// Computed: from the number and the place of a unit and the parameters of its model, or from the numbers and
    /// places of both units of a connection.
    Expression(Formula<N>),
}

/// A distribution; parameters in SI.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Uniform in `[low, high)`.
    Uniform {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Normal, redrawn until inside the bounds, or put at them.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
        /// Least value.
        min: Option<f64>,
        /// Greatest value.
        max: Option<f64>,
        /// Whether values beyond a bound become the bound (most published scripts do that) instead of being redrawn.
        clip: bool,
    },
    /// Lognormal, by mean and sd of the logarithm of the value divided by `unit`.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// SI value of the unit that the logarithm is of.
        unit: f64,
    },
    /// Gamma by shape and scale.
    Gamma {
        /// Shape.
        shape: f64,
        /// Scale.
        scale: f64,
    },
    /// Evenly spaced over the units, ends included.
    Linspace {
        /// First value.
        from: f64,
        /// Last value.
        to: f64,
    },
}

/// Positions of units, in metres.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// A regular lattice: number of units and spacing along each axis.
    Grid {
        /// Units along each axis (product is the size).
        shape: Vec<usize>,
        /// Spacing.
        spacing: f64,
    },
    /// Uniform in a box.
    Uniform {
        /// Edge lengths.
        extent: Vec<f64>,
    },
    /// Listed.
    Listed(Arc<[[f64; 3]]>),
}

words! {
    /// What lies beyond an end of a grid.
    pub enum Boundary {
        /// the mirror image: nothing flows out (a sealed end)
        NoFlux = "no_flux",
        /// the other end
        Periodic = "periodic",
        /// a neighbour that keeps the initial value of the cell at the edge
        Fixed = "fixed",
        /// the same with a normal number added, drawn anew at every step
        Noisy = "noisy",
        /// a neighbour at zero (an end open to the bath)
        Killed = "killed",
    }
}

/// A grid whose cells are the units of a population; the first axis varies fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct GridSpec {
    /// Cells along each axis (one or two).
    pub shape: Vec<usize>,
    /// Distance of neighbours: metres, or a plain number for models in plain numbers.
    pub spacing: f64,
    /// Dimension of the spacing.
    pub length: Dimension,
    /// Lower and upper end of each axis.
    pub boundary: [Boundary; 2],
    /// Standard deviation of noisy ends, and its dimension.
    pub noise: (f64, Dimension),
    /// The length (in the plane the side of a square) for which strengths of noise are stated, where it is white in
    /// space; without it they are those of a cell, whatever the spacing.
    pub noise_per: Option<f64>,
    /// Rule for what is not diffusion, where the integrator names a scheme of space.
    pub pointwise: Option<Integrator>,
    /// Whether a scheme that is known to blow up may run.
    pub allow_unstable: bool,
}

impl GridSpec {
    /// What strengths of noise are multiplied by in a cell: the root of how often the cell goes into the length (or
    /// square) for which they are stated.
    pub fn noise_factor(&self) -> f64 {
        self.noise_per.map_or(1.0, |per| (per / self.spacing).powi(self.shape.len() as i32).sqrt())
    }
}

/// A receptor or channel that a population carries.
#[derive(Debug, Clone)]
pub struct ReceptorSpec {
    /// Name in the population (`ampa`).
    pub name: String,
    /// Its definition.
    pub definition: Arc<Definition>,
}

/// A population.
#[derive(Debug, Clone)]
pub struct PopulationSpec {
    /// Name.
    pub name: String,
    /// Definition of its model.
    pub model: Arc<Definition>,
    /// Receptors it carries.
    pub receptors: Vec<ReceptorSpec>,
    /// Channels it carries, on a tree.
    pub channels: Vec<ReceptorSpec>,
    /// Model with receptors merged in: the system that is simulated.
    pub system: System,
    /// Number of units.
    pub size: usize,
    /// One value for each of `system.parameters()`, in that order.
    pub parameters: Vec<Value>,
    /// One initial value for each of `system.states()`, in that order.
    pub initial: Vec<Value>,
    /// Positions.
    pub positions: Option<Positions>,
    /// The grid that its units are cells of.
    pub grid: Option<GridSpec>,
    /// The cells that its units are the compartments of.
    pub tree: Option<Arc<TreeSpec>>,
    /// How its equations are stepped.
    pub integrator: Integrator,
    /// Integration steps inside one step of the simulation.
    pub substeps: u32,
    /// The state that stimuli hold, if one is clamped; in `system` it is an input.
    pub clamp: Option<String>,
}

impl PopulationSpec {
    /// Whether parameter `at` is a measure of a compartment: its area or its length.
    pub fn is_measure(&self, at: usize) -> bool {
        let name = &self.system.parameters()[at].name;
        self.model.parameter(name).is_some_and(|p| p.geometry.is_some())
    }

    /// What time means in its equations.
    pub fn time_unit(&self) -> TimeUnit {
        self.system.time_unit()
    }

    /// Why it never spikes, in words: for who asks for its spikes.
    pub(crate) fn why_silent(&self) -> String {
        let (name, model) = (&self.name, &self.model);
        if model.system.spikes() {
            return format!("population `{name}` never spikes: its `clamp` holds what would cross the threshold");
        }
        format!("population `{name}` never spikes: its model `{}` has no threshold", model.name)
    }
}

/// Where a projection or stimulus ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The population.
    pub population: PopulationId,
    /// What of it.
    pub port: Port,
}

/// What of a population is targeted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// A port for events.
    Event(EventId),
    /// A port for values.
    Input(InputId),
    /// What a population without equations plays; nothing else arrives there.
    Spikes,
}

impl PopulationSpec {
    /// The port called `name`: a receptor, an input, or the port that changes a parameter.
    pub fn port(&self, name: &str) -> Option<Port> {
        let event = self.system.event_ports().iter().position(|e| e.name == name);
        let (inputs, parameters) = (self.system.inputs(), self.system.parameters());
        let changes = |i: &usize| matches!(self.system.drive(*i), Some(Drive::Change(p)) if parameters[p].name == name);
        let own = || inputs.iter().position(|v| v.name == name);
        let input = || own().or_else(|| (0..inputs.len()).find(changes));
        event.map(|i| Port::Event(EventId::new(i))).or_else(|| input().map(|i| Port::Input(InputId::new(i))))
    }

    /// Whether what arrives at a port is what its clamped state is, or a part of that.
    pub fn commands_clamp(&self, port: Port) -> bool {
        let Port::Input(id) = port else { return false };
        match self.system.drive(id.index()) {
            Some(Drive::Clamp) => true,
            Some(Drive::Source(input)) => self.system.drive(input) == Some(Drive::Clamp),
            Some(Drive::Change(_)) | None => false,
        }
    }

    /// Its ports for events.
    pub fn event_ids(&self) -> impl Iterator<Item = EventId> + use<> {
        (0..self.system.event_ports().len()).map(EventId::new)
    }

    /// Its ports for values.
    pub fn input_ids(&self) -> impl Iterator<Item = InputId> + use<> {
        (0..self.system.inputs().len()).map(InputId::new)
    }

    /// The name of a port.
    pub fn port_name(&self, port: Port) -> &str {
        match port {
            Port::Event(id) => &self.system.event_ports()[id.index()].name,
            Port::Input(id) => &self.system.inputs()[id.index()].name,
            Port::Spikes => "spikes",
        }
    }

    /// The dimension of what arrives at a port.
    pub fn port_dimension(&self, port: Port) -> Dimension {
        match port {
            Port::Event(id) => self.system.event_ports()[id.index()].weight,
            Port::Input(id) => self.system.inputs()[id.index()].dimension,
            Port::Spikes => Dimension::NONE,
        }
    }
}

/// How units are connected.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// Unit i to unit i.
    OneToOne,
    /// Every unit to every unit.
    AllToAll,
    /// Each pair independently.
    Probability {
        /// Probability.
        p: f64,
    },
    /// Each target draws this many sources.
    FixedIndegree {
        /// Number of sources.
        indegree: usize,
    },
    /// Each source draws this many targets.
    FixedOutdegree {
        /// Number of targets.
        outdegree: usize,
    },
    /// This many connections, both ends drawn.
    FixedTotalNumber {
        /// Number of connections.
        total: usize,
    },
    /// All pairs within a distance (metres), or nearest lattice neighbours.
    Neighbours {
        /// Greatest distance.
        radius: f64,
        /// Whether distances wrap around the grid's extent.
        periodic: bool,
    },
    /// Each pair with probability `p_max * exp(-d²/(2 sigma²))`.
    Gaussian {
        /// Probability at distance zero.
        p_max: f64,
        /// Width in metres.
        sigma: f64,
        /// Whether distances wrap around the grid's extent.
        periodic: bool,
    },
    /// Watts-Strogatz: ring of nearest neighbours, rewired.
    SmallWorld {
        /// Neighbours of each unit (both sides together).
        neighbours: usize,
        /// Probability of rewiring.
        p_rewire: f64,
    },
    /// Listed pairs, with weights and delays if the file has them.
    Edges {
        /// Source units.
        source: Arc<[u32]>,
        /// Target units.
        target: Arc<[u32]>,
        /// Weights in SI.
        weight: Option<Arc<[f64]>>,
        /// Delays in seconds.
        delay: Option<Arc<[f64]>>,
    },
}

/// A value for each connection, in the order in which a rule lists them.
pub type Listed<'a> = Option<&'a Arc<[f64]>>;

impl Rule {
    /// The weights (SI) and delays (seconds) that it brings itself, one a connection.
    pub fn listed(&self) -> (Listed<'_>, Listed<'_>) {
        match self {
            Self::Edges { weight, delay, .. } => (weight.as_ref(), delay.as_ref()),
            Self::OneToOne
            | Self::AllToAll
            | Self::Probability { .. }
            | Self::FixedIndegree { .. }
            | Self::FixedOutdegree { .. }
            | Self::FixedTotalNumber { .. }
            | Self::Neighbours { .. }
            | Self::Gaussian { .. }
            | Self::SmallWorld { .. } => (None, None),
        }
    }
}

/// What a projection carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Coupling {
    /// Spikes.
    Event,
    /// A value that acts all the time.
    Continuous {
        /// What a connection gives, in the dimension of the input; what arrives is its sum over connections.
        value: Formula<CarriedName>,
    },
}

/// A projection.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectionSpec {
    /// Name.
    pub name: String,
    /// The source population.
    pub from: PopulationId,
    /// Where it ends.
    pub to: Target,
    /// How units are connected.
    pub rule: Rule,
    /// Whether a unit may connect to itself.
    pub autapses: bool,
    /// Whether a pair may be connected more than once (rules that draw).
    pub multapses: bool,
    /// Weight in SI.
    pub weight: Value<PairName>,
    /// Its dimension: that of the receptor's weights, or, of a continuous projection, the one that it is written in.
    pub weight_dimension: Dimension,
    /// Delay in seconds; 0 acts from the next step.
    pub delay: Value<PairName>,
    /// What it carries.
    pub coupling: Coupling,
    /// Whether a coupling is run that the step makes unstable.
    pub allow_unstable: bool,
    /// Whether what it brings is solved for at the end of each step.
    pub implicit: bool,
    /// How its connections change.
    pub plasticity: Option<super::PlasticitySpec>,
    /// The projection whose random numbers it uses; its own without one.
    pub draws_of: Option<String>,
}

impl ProjectionSpec {
    /// The name that keys what is drawn for its connections.
    pub fn draw_key(&self) -> String {
        format!("projections.{}", self.draws_of.as_deref().unwrap_or(&self.name))
    }
}
