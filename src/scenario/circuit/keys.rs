//! The keys of `[circuits.NAME]`.

use crate::language::{Key, Of, Range, Section, Takes, Words, words};
use crate::population::POPULATION;
use crate::record::RECORD;

/// Most entries that a list of a circuit has.
const MOST: usize = 10_000;

words! {
    /// How the connections of a pair are drawn.
    pub(super) enum Draws {
        /// each pair of units by itself, with the probability of the table
        Probability = "probability",
        /// each target draws as many sources
        FixedIndegree = "fixed_indegree",
        /// so many connections, both ends drawn
        FixedTotalNumber = "fixed_total_number",
    }
}

words! {
    /// What the background of a circuit is.
    #[derive(Default)]
    pub(super) enum Drive {
        /// Poisson spikes
        #[default]
        Poisson = "poisson",
        /// the constant current that is their mean
        Constant = "constant",
    }
}

const TABLE: Takes = Takes::Matrix(Of::Number);
const WEIGHTS: Takes = Takes::Either(&[
    Takes::Value(Of::Said("that of the receptor")),
    Takes::Quantities(Of::Said("that of the receptor, one for each source"), None),
    Takes::Matrix(Of::Said("that of the receptor")),
]);
const DELAYS: Takes =
    Takes::Either(&[Takes::Value(Of::Time), Takes::Quantities(Of::Time, None), Takes::Matrix(Of::Time)]);
const SPREAD: Takes = Takes::Quantity(Of::Number);

/// `[circuits.NAME]`.
pub(crate) static CIRCUIT: Section = Section::new(
    "circuits",
    "populations from a list and the projections among them from tables, scaled as a whole; each is then a population \
     or a projection as any other, `SOURCE_TARGET`, and what stands under its own name holds before what is said here",
    &[
        Key::optional(
            "populations",
            Takes::Texts("a population"),
            "those of `sources` and `targets`",
            "its populations, in the order of all lists",
        ),
        Key::optional(
            "sizes",
            Takes::Wholes(1, MOST),
            "the scenario has the populations",
            "numbers of units at full scale; the circuit makes its populations then",
        ),
        Key::optional(
            "each",
            Takes::Table(&POPULATION),
            "required with `sizes`",
            "what all its populations are: the keys of a population but `size`",
        ),
        Key::optional("sources", Takes::Texts("a population"), "all of `populations`", "the columns of the tables"),
        Key::optional("targets", Takes::Texts("a population"), "all of `populations`", "the rows of the tables"),
        Key::optional(
            "receptor",
            Takes::OneOrMore("a receptor"),
            "required with a table of connections",
            "where what is sent arrives; a list has one for each source",
        ),
        Key::optional(
            "probability",
            TABLE,
            "another table",
            "probability of a connection, a row for each target; where it is 0 there is no projection",
        )
        .range(Range::Within(0.0, 1.0)),
        Key::optional("indegree", TABLE, "another table", "sources of each target at full scale, likewise")
            .range(Range::From(0.0)),
        Key::optional("total", TABLE, "another table", "connections at full scale, likewise").range(Range::From(0.0)),
        Key::optional(
            "rule",
            Takes::Choice(Draws::WORDS),
            "that of the table: `probability`, `fixed_indegree`, `fixed_total_number`",
            "how connections are drawn",
        ),
        Key::optional(
            "multapses",
            Takes::Flag,
            "true for totals that follow from probabilities, else false",
            "whether a pair may be connected more than once; a probability is then that of at least one connection",
        ),
        Key::default("autapses", Takes::Flag, "false", "whether a unit may connect to itself"),
        Key::optional(
            "weight",
            WEIGHTS,
            "required with a table of connections",
            "weight at full scale: one, one for each source, or a row for each target",
        ),
        Key::default(
            "weight_spread",
            SPREAD,
            "0",
            "standard deviation as a share of the weight: normal weights, which keep their sign",
        )
        .range(Range::From(0.0)),
        Key::optional("delay", DELAYS, "0 s", "delay: one, one for each source, or a row for each target"),
        Key::default(
            "delay_spread",
            SPREAD,
            "0",
            "standard deviation as a share of the delay: normal delays of at least one step",
        )
        .range(Range::From(0.0)),
        Key::optional("pairs", Takes::Named(&PAIR), "none", "what single pairs have instead, by `SOURCE_TARGET`"),
        Key::optional("background", Takes::Table(&BACKGROUND), "none", BACKGROUND.about),
        Key::optional("record", Takes::One(&RECORD), "nothing is kept", "what is recorded of each of its populations"),
        Key::default(
            "scale",
            Takes::Quantity(Of::Number),
            "1",
            "share of the units that there are, each with that share of its connections: weights are divided by the \
             root of it, which keeps the variance of what arrives (van Albada, Helias, Diesmann 2015, \
             doi:10.1371/journal.pcbi.1004490)",
        )
        .range(Range::Above(0.0)),
        Key::optional(
            "indegree_scale",
            Takes::Quantity(Of::Number),
            "that of `scale`",
            "share of its connections that each unit has, where it is another",
        )
        .range(Range::Above(0.0)),
        Key::optional(
            "rates",
            Takes::Quantities(Of::Frequency, None),
            "the mean that is lost is not replaced",
            "rate of each population at full scale: constant currents, `constant_POP`, replace the mean that scaled \
             connections lose",
        ),
        Key::default("current", Takes::Text("an input"), "I", "the input that constant currents flow into"),
        Key::optional(
            "decimals",
            Takes::Whole,
            "all digits",
            "decimals, in the units that are written, to which weights and constant currents are rounded",
        ),
        Key::default(
            "prefix",
            Takes::Text("letters"),
            "",
            "what stands before the names of its projections and stimuli, where two circuits connect the same",
        ),
    ],
);

/// `pairs.SOURCE_TARGET` of a circuit.
pub(super) static PAIR: Section = Section::new(
    "pairs",
    "what one pair of populations has instead",
    &[
        Key::optional("receptor", Takes::Text("a receptor"), "that of the circuit", "where it arrives"),
        Key::optional("probability", Takes::Quantity(Of::Number), "that of the table", "probability of a connection")
            .range(Range::Within(0.0, 1.0)),
        Key::optional("indegree", Takes::Quantity(Of::Number), "that of the table", "sources of each target")
            .range(Range::From(0.0)),
        Key::optional("total", Takes::Quantity(Of::Number), "that of the table", "connections").range(Range::From(0.0)),
        Key::optional(
            "weight",
            Takes::Value(Of::Said("that of the receptor")),
            "that of the circuit",
            "weight at full scale",
        ),
        Key::optional("weight_spread", SPREAD, "that of the circuit", "standard deviation as a share of the weight")
            .range(Range::From(0.0)),
        Key::optional("delay", Takes::Value(Of::Time), "that of the circuit", "delay"),
        Key::optional("delay_spread", SPREAD, "that of the circuit", "standard deviation as a share of the delay")
            .range(Range::From(0.0)),
    ],
);

/// `background` of a circuit.
pub(super) static BACKGROUND: Section = Section::new(
    "background",
    "what arrives at each of its populations from outside, `background_POP`",
    &[
        Key::default("kind", Takes::Choice(Drive::WORDS), "poisson", "what it is"),
        Key::required(
            "sources",
            Takes::Either(&[Takes::Whole, Takes::Wholes(1, MOST)]),
            "1000",
            "sources of each unit at full scale, or a list of one for each population",
        ),
        Key::required("rate", Takes::Value(Of::Frequency), "8 Hz", "rate of each source"),
        Key::required("weight", Takes::Quantity(Of::Said("that of the receptor")), "87.8 pA", "weight at full scale"),
        Key::optional("receptor", Takes::Text("a receptor"), "that of the circuit", "where it arrives"),
    ],
);

/// The keys of the tables of a circuit, of which one says how many connections there are.
pub(super) const TABLES: [&str; 3] = ["probability", "indegree", "total"];
