//! `[stimuli.NAME]`: what acts on a population from outside, and when.
//!
//! A kind of stimulus is one file beside this one and one line in the list below. The file declares its keys (from
//! which reader, schema, `list`, `explain`, the reference and the manifest follow) and answers [`Stimulus`]: what it
//! does in time, what it is at rest, whether it is drawn step by step.

mod beside;
mod course;
mod rate;

pub use course::{Amount, AtRest, EventRate, Samples, Spread, TimeCourse, Wave, Window};
pub use rate::Rate;

use serde_json::{Map, Value as Json};

use crate::language::{Context, Declared, Family, Flag, Key, Reader, Section, Takes, WEIGHT, Writer, words};
use crate::resolver::Resolver;
use crate::selector::{Units, unit_list};
use crate::spec::{PopulationSpec, Port, StimulusSpec, Target};
use crate::target::target;
use crate::value::KnownNames;
use spikedeck_model::document::{Entry, Node};
use spikedeck_model::report::SourceSpan;

/// What is asked of every kind of stimulus.
pub trait Stimulus {
    /// What it does in time.
    fn course(&self, clock: crate::Clock) -> TimeCourse<'_>;

    /// What it is for an analysis in which nothing changes in time, after a run that ends at `end` (seconds).
    fn at_rest(&self, end: f64) -> AtRest<'_>;

    /// Whether it is drawn anew in every step, so that a run with another step has other numbers.
    fn drawn_in_steps(&self) -> bool;

    /// What is lost of it in steps of `dt`, for each of which it holds one value, and in a run of `duration`; nothing
    /// of what adds up exactly whatever the step is.
    fn lost_in_steps(&self, _dt: f64, _duration: f64) -> Option<Lost> {
        None
    }

    /// The unit of each of its spikes, where they are listed with one.
    fn listed_units(&self) -> Option<&[u32]> {
        None
    }

    /// What is written of it, key by key.
    fn entries(&self, writer: &dyn Writer) -> Map<String, Json>;
}

/// What a run loses of a stimulus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// What, in words that follow its name.
    pub what: String,
    /// What would be right.
    pub help: &'static str,
}

impl Lost {
    /// What steps are too long for.
    fn by_steps(what: String) -> Self {
        Self { what, help: "a shorter `dt` follows it" }
    }

    /// What lies outside the run.
    fn outside(what: String) -> Self {
        Self { what, help: "it has no effect" }
    }
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

/// The keys of a kind of events but its weight, for events that are spikes.
const fn without_weight<const N: usize>(keys: &[Key]) -> [Key; N] {
    let mut kept = [keys[0]; N];
    let (mut from, mut to) = (0, 0);
    while from < keys.len() {
        if !is_weight(keys[from].name) {
            kept[to] = keys[from];
            to += 1;
        }
        from += 1;
    }
    assert!(to == N, "each kind of events has one weight");
    kept
}

const fn is_weight(name: &str) -> bool {
    let (a, b) = (name.as_bytes(), WEIGHT.as_bytes());
    let mut same = a.len() == b.len();
    let mut at = 0;
    while same && at < b.len() {
        same = a[at] == b[at];
        at += 1;
    }
    same
}

/// Makes one closed enum of the kinds, levels and then events: the compiler asks each for everything.
macro_rules! kinds {
    (levels { $( $file:ident :: $Kind:ident, )* } events { $( $events:ident :: $Events:ident, )* }) => {
        $( mod $events; pub use $events::$Events; )*

        /// The kinds of events, as the spikes of a population.
        pub static SOURCES: Family = Family {
            name: "spikes",
            about: "the spikes that the units of a population play",
            by: Some("kind"),
            common: PLAYED,
            kinds: &[$( {
                const WHOLE: Section = <<$Events as FromKeys>::Keys as Declared>::SECTION;
                static KEYS: [Key; WHOLE.keys.len() - 1] = without_weight(WHOLE.keys);
                static KIND: Section = Section { keys: &KEYS, ..WHOLE };
                &KIND
            } ),*],
            others: &[],
        };

        kinds! { @all $( $file::$Kind, )* | $( $events::$Events, )* }
    };
    (@all $( $file:ident :: $Kind:ident, )* | $( $events:ident :: $Events:ident, )*) => {
        $( mod $file; pub use $file::$Kind; )*
        kinds! { @enum $( $Kind, )* $( $Events, )* }
    };
    (@enum $( $Kind:ident, )*) => {
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

pub use correlated::Sharing;
pub use file::Outside;
pub use renewal::Law;

kinds! {
    levels {
        constant::Constant,
        step::Step,
        ramp::Ramp,
        protocol::Protocol,
        pulse_train::PulseTrain,
        gaussian_pulse::GaussianPulse,
        sine::Sine,
        chirp::Chirp,
        ou_noise::OuNoise,
        white_noise::WhiteNoise,
        gaussian_steps::GaussianSteps,
        file::Signal,
        expression::Expression,
    }
    events {
        poisson::Poisson,
        renewal::Renewal,
        correlated::Correlated,
        spikes::Spikes,
    }
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

    fn lost_in_steps(&self, dt: f64, duration: f64) -> Option<Lost> {
        self.asked().lost_in_steps(dt, duration)
    }

    fn listed_units(&self) -> Option<&[u32]> {
        self.asked().listed_units()
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.asked().entries(writer)
    }
}

const PLAYED: &[Key] = &[Key::required("kind", Takes::KindOf, "poisson", "how the spikes are listed, drawn or read")];

const COMMON: &[Key] = &[
    Key::required(
        "target",
        Takes::Text("`POP.INPUT`, or `POP.RECEPTOR` for spikes"),
        "exc.I",
        "what it acts on: an input of a population, or a receptor for spikes",
    ),
    Key::required("kind", Takes::KindOf, "step", "which kind of stimulus"),
    Key::optional("units", Takes::Units, "all", "the units that it acts on"),
    Key::default(
        "recorded",
        Takes::Flag,
        "false",
        "whether it can be recorded and looked at by itself, as `POP.INPUT.NAME` (`exc.I.drive`)",
    ),
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
    let recorded = reader.field::<Flag>("recorded");
    let (word, goal, recorded) = (word?, goal?, recorded?);
    let population = &all[goal.population.index()];
    let goal = if recorded { by_itself(&mut reader, &entry.key, population, goal)? } else { goal };
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
        ..Context::default()
    };
    let kind = kind(&mut reader, word);
    reader.finish();
    let kind = kind?;
    if let (Some(listed), Some(node), false) = (kind.listed_units(), units_node, units.is_empty()) {
        let lost = listed.iter().filter(|u| !units.contains(u)).count();
        if lost > 0 {
            let what = format!("{lost} of {} spikes of the file are at units that `units` leaves out", listed.len());
            resolver.warn(&node.place, what, "they never arrive");
        }
    }
    warn_of_steps(resolver, &entry.place, &format!("stimulus `{}`", entry.key), &kind);
    (resolver.report.errors() == before).then(|| StimulusSpec { name: entry.key.clone(), target: goal, units, kind })
}

/// Says so where the steps of the run lose what a stimulus is.
fn warn_of_steps(resolver: &mut Resolver<'_>, place: &SourceSpan, what: &str, kind: &StimulusKind) {
    if resolver.dt > 0.0
        && resolver.duration > 0.0
        && let Some(lost) = kind.lost_in_steps(resolver.dt, resolver.duration)
    {
        resolver.warn(place, format!("{what} {}", lost.what), lost.help);
    }
}

/// The port of a stimulus that is recorded by itself.
fn by_itself(
    reader: &mut Reader<'_, '_, '_, '_>,
    name: &str,
    population: &PopulationSpec,
    goal: Target,
) -> Option<Target> {
    let own = format!("{}.{name}", population.port_name(goal.port));
    let port = population.port(&own).filter(|_| matches!(goal.port, Port::Input(_)));
    if port.is_none() {
        let (what, help) = if matches!(goal.port, Port::Event(_)) {
            (
                "spikes of a stimulus are not recorded",
                "a population of `model = \"spike_source\"` plays them, and is recorded as any other",
            )
        } else {
            (
                "only stimuli into an input of points can be recorded by themselves",
                "record the input or the parameter that it acts on",
            )
        };
        reader.error_help("recorded", what, help);
    }
    port.map(|port| Target { population: goal.population, port })
}

/// Reads the spikes that a population plays.
pub(super) fn played(
    resolver: &mut Resolver<'_>,
    node: &Node,
    what: &str,
    context: Context<'_>,
) -> Option<StimulusKind> {
    let before = resolver.report.errors();
    let mut reader = Reader::of(resolver, node, what, PLAYED, context)?;
    let word = reader.require("kind").and_then(|n| {
        let word = n.as_text().filter(|w| STIMULI.kind(w).is_some() && SOURCES.kind(w).is_none());
        if let Some(word) = word {
            let message = format!("a `{word}` stimulus is a level, and spikes are events");
            reader.resolver.error_help(&n.place, message, format!("kinds of spikes: {}", SOURCES.words().join(", ")));
            return None;
        }
        reader.resolver.choice(n, "kind of spikes", &SOURCES.words())
    })?;
    let kind = kind(&mut reader, word);
    reader.finish();
    kind.filter(|_| resolver.report.errors() == before)
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
        (Port::Spikes, _) => unreachable!("no target is where a population plays its own spikes"),
        (Port::Event(_), Arrives::Receptor) | (Port::Input(_), Arrives::Input) => Some(()),
    }
}
