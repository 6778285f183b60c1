//! `[stimuli.NAME]`: what acts on a population from outside, and when.
//!
//! A kind of stimulus is one file beside this one and one line in the list below. The file declares its keys (from
//! which reader, schema, `list`, `explain`, the reference and the manifest follow) and answers [`Stimulus`]: what it
//! does in time, what it is at rest, whether it is drawn step by step.

mod beside;
mod course;
mod rate;

pub use course::{Amount, AtRest, EventRate, Spread, TimeCourse, Wave, Window};
pub use rate::Rate;

use serde_json::{Map, Value as Json};

use crate::language::{Context, Declared, Family, Key, Reader, Takes, Writer, words};
use crate::projection::target;
use crate::resolver::Resolver;
use crate::selector::{Units, unit_list};
use crate::spec::{PopulationSpec, Port, StimulusSpec};
use crate::value::KnownNames;
use spikedeck_model::document::{Entry, Node};

/// What is asked of every kind of stimulus.
pub trait Stimulus {
    /// What it does in time.
    fn course(&self, clock: crate::Clock) -> TimeCourse<'_>;

    /// What it is for an analysis in which nothing changes in time, after a run that ends at `end` (seconds).
    fn at_rest(&self, end: f64) -> AtRest<'_>;

    /// Whether it is drawn anew in every step, so that a run with another step has other numbers.
    fn drawn_in_steps(&self) -> bool;

    /// What is written of it, key by key.
    fn entries(&self, writer: &dyn Writer) -> Map<String, Json>;
}

/// Where a kind arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrives {
    /// At an input, as a level.
    Input,
    /// At a receptor, as events.
    Receptor,
}

/// How a kind is read from its declared keys.
trait FromKeys: Stimulus {
    /// What is declared: itself where nothing has to be worked out.
    type Keys: Declared;

    /// Where it arrives.
    const ARRIVES: Arrives;

    /// The stimulus that the keys say; what is wrong in their combination is reported.
    fn resolve(keys: Self::Keys, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind>;
}

/// Makes one closed enum of the kinds: the compiler asks each for everything.
macro_rules! kinds {
    ($( $file:ident :: $Kind:ident, )*) => {
        $( mod $file; pub use $file::$Kind; )*

        /// Kinds of stimuli; all values SI, times in seconds (or time units).
        #[derive(Debug, Clone, PartialEq)]
        pub enum StimulusKind {
            $( #[doc = concat!("See [`", stringify!($Kind), "`].")] $Kind($Kind), )*
        }

        $( impl From<$Kind> for StimulusKind {
            fn from(kind: $Kind) -> Self {
                Self::$Kind(kind)
            }
        } )*

        impl StimulusKind {
            /// Its name in scenarios.
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$Kind(_) => <$Kind as FromKeys>::Keys::SECTION.name, )*
                }
            }

            fn asked(&self) -> &dyn Stimulus {
                match self {
                    $( Self::$Kind(kind) => kind, )*
                }
            }
        }

        /// Every kind of stimulus.
        pub static STIMULI: Family = Family {
            name: "stimulus",
            about: "what acts on a population from outside",
            by: Some("kind"),
            common: COMMON,
            kinds: &[$( &<<$Kind as FromKeys>::Keys as Declared>::SECTION ),*],
            others: &[],
        };

        /// Where a kind arrives.
        fn arrives(word: &str) -> Arrives {
            $( if word == <$Kind as FromKeys>::Keys::SECTION.name { return $Kind::ARRIVES; } )*
            unreachable!("`{word}` is a kind of stimulus")
        }

        /// Reads the keys of a kind.
        fn kind(reader: &mut Reader<'_, '_, '_, '_>, word: &str) -> Option<StimulusKind> {
            $( if word == <$Kind as FromKeys>::Keys::SECTION.name {
                reader.with(<$Kind as FromKeys>::Keys::SECTION.keys);
                let keys = <<$Kind as FromKeys>::Keys as Declared>::read(reader)?;
                return <$Kind as FromKeys>::resolve(keys, reader);
            } )*
            unreachable!("`{word}` is a kind of stimulus")
        }
    };
}

pub use file::Outside;

kinds! {
    constant::Constant,
    step::Step,
    ramp::Ramp,
    pulse_train::PulseTrain,
    gaussian_pulse::GaussianPulse,
    sine::Sine,
    chirp::Chirp,
    ou_noise::OuNoise,
    white_noise::WhiteNoise,
    gaussian_steps::GaussianSteps,
    poisson::Poisson,
    spikes::Spikes,
    file::Signal,
    expression::Expression,
}

impl Stimulus for StimulusKind {
    fn course(&self, clock: crate::Clock) -> TimeCourse<'_> {
        self.asked().course(clock)
    }

    fn at_rest(&self, end: f64) -> AtRest<'_> {
        self.asked().at_rest(end)
    }

    fn drawn_in_steps(&self) -> bool {
        self.asked().drawn_in_steps()
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.asked().entries(writer)
    }
}

const COMMON: &[Key] = &[
    Key::required(
        "target",
        Takes::Text("`POP.INPUT`, or `POP.RECEPTOR` for spikes"),
        "exc.I",
        "what it acts on: an input of a population, or a receptor for spikes",
    ),
    Key::required("kind", Takes::KindOf, "step", "which kind of stimulus"),
    Key::optional("units", Takes::Units, "all", "the units that it acts on"),
];

words! {
    /// Where the normal numbers of a noise come from.
    #[derive(Default)]
    pub enum Generator {
        /// keyed by seed, stimulus, unit and draw: a unit's noise depends on nothing else
        #[default]
        Counter = "counter",
        /// `numpy.random.default_rng(seed).normal(size=(draws, units))`, the same in every stimulus that asks for it
        NumpyPcg64 = "numpy_pcg64",
    }
}

/// Reads one stimulus.
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    entry: &Entry,
    all: &[PopulationSpec],
    known: &[&str],
) -> Option<StimulusSpec> {
    let before = resolver.report.errors();
    let what = format!("stimulus `{}`", entry.key);
    let mut reader = Reader::of(resolver, &entry.value, what, COMMON, Context::default())?;
    let target_node = reader.require("target");
    let kind_node = reader.require("kind");
    let word = kind_node.and_then(|n| reader.resolver.choice(n, "kind of stimulus", &STIMULI.words()));
    let goal = target_node.and_then(|n| target(reader.resolver, n, "`target`", all, known));
    let units_node = reader.node("units");
    let (word, goal) = (word?, goal?);
    let population = &all[goal.population.index()];
    let units = units_node.map(|n| unit_list(reader.resolver, n, Units::targets(population, goal.port)));
    let units = units.unwrap_or_default();
    // Nodes of a tree have no membrane: what acts everywhere acts on compartments.
    let units = match (&population.tree, goal.port) {
        (Some(tree), Port::Input(_)) if units.is_empty() => tree.membranes(),
        _ => units,
    };
    check_port(reader.resolver, target_node?, word, population, goal.port)?;
    let dimension = population.port_dimension(goal.port);
    reader.context = Context {
        target: dimension,
        count: Some(population.targets(goal.port)),
        names: Some(KnownNames::of_cells(population)),
        place: &population.name,
        start: 0.0,
    };
    let kind = kind(&mut reader, word);
    reader.finish();
    let kind = kind?;
    if let (StimulusKind::Spikes(Spikes { units: Some(listed), .. }), Some(node), false) =
        (&kind, units_node, units.is_empty())
    {
        let lost = listed.iter().filter(|u| !units.contains(u)).count();
        if lost > 0 {
            let what = format!("{lost} of {} spikes of the file are at units that `units` leaves out", listed.len());
            resolver.warn(&node.place, what, "they never arrive");
        }
    }
    (resolver.report.errors() == before).then(|| StimulusSpec { name: entry.key.clone(), target: goal, units, kind })
}

/// Levels act on inputs, events on receptors.
fn check_port(
    resolver: &mut Resolver<'_>,
    node: &Node,
    word: &str,
    population: &PopulationSpec,
    port: Port,
) -> Option<()> {
    let list = |names: Vec<&str>, none: &str| if names.is_empty() { none.to_owned() } else { names.join(", ") };
    let system = &population.system;
    match (port, arrives(word)) {
        (Port::Event(_), Arrives::Input) => {
            let inputs = list(system.inputs().iter().map(|v| v.name.as_str()).collect(), "none");
            resolver.error_help(
                &node.place,
                format!("a `{word}` stimulus acts on an input, not on a receptor"),
                format!("inputs of `{}`: {inputs}", population.name),
            );
            None
        }
        (Port::Input(_), Arrives::Receptor) => {
            let none = "none; add one with `receptors.NAME = { kind = ... }`";
            let ports = list(system.event_ports().iter().map(|v| v.name.as_str()).collect(), none);
            resolver.error_help(
                &node.place,
                format!("`{word}` spikes arrive at a receptor, not at an input"),
                format!("receptors of `{}`: {ports}", population.name),
            );
            None
        }
        (Port::Event(_), Arrives::Receptor) | (Port::Input(_), Arrives::Input) => Some(()),
    }
}
