//! The keys that say what a tree is.

use crate::language::{Family, Key, Need, Of, Range, Section, Takes, WordOf, Words};
use spikedeck_core::units::Dimension;
use spikedeck_model::morphology::swc::Soma;

const LENGTH: Takes = Takes::Quantity(Of::Fixed(Dimension::METRE));

/// `sections.NAME` and `cable` of a population.
pub(crate) static SECTION: Section = Section::new(
    "section",
    "an unbranched piece of a tree",
    &[
        Key::required("length", LENGTH, "100 um", "its length").range(Range::Above(0.0)),
        Key::required(
            "diameter",
            Takes::Either(&[LENGTH, Takes::Quantities(Of::Fixed(Dimension::METRE), None)]),
            "2 um",
            "its diameter, or two and more that are evenly spaced from its beginning to its end",
        ),
        Key::optional(
            "parent",
            Takes::Text("a place, such as `soma(1)`"),
            "the root of the tree",
            "the place that it hangs on",
        ),
        Key::optional(
            "region",
            Takes::Text("a name"),
            "its own name",
            "name that channels and parameters use for several sections",
        ),
        Key::optional("compartments", Takes::Whole, "by `compartments` of the population", "number of compartments")
            .range(Range::From(1.0)),
    ],
);

static LAMBDA: Section = Section::new(
    "d_lambda",
    "shares of the length constant at a frequency",
    &[
        Key::default(
            "d_lambda",
            Takes::Quantity(Of::Number),
            "0.1",
            "longest compartment, as a share of the length constant",
        )
        .range(Range::Within(1e-4, 1.0)),
        Key::default(
            "frequency",
            Takes::Quantity(Of::Fixed(Dimension::HERTZ)),
            "100 Hz",
            "frequency of the length constant",
        ),
    ],
);

static LONGEST: Section = Section::new(
    "longest",
    "up to a length",
    &[Key::required("longest", LENGTH, "10 um", "longest compartment").range(Range::Above(0.0))],
);

static PER_SECTION: Section = Section::new(
    "per_section",
    "the same number in every section",
    &[Key {
        name: "per_section",
        takes: Takes::Whole,
        need: Need::Required("11"),
        range: Range::From(1.0),
        about: "compartments of every section",
    }],
);

/// `compartments` of a population.
pub(crate) static COMPARTMENTS: Family = Family {
    name: "compartments",
    about: "how the sections of a tree are cut",
    by: None,
    common: &[],
    kinds: &[],
    others: &[&LAMBDA, &LONGEST, &PER_SECTION],
};

impl Words for Soma {
    const WORDS: &'static [WordOf] = &[
        WordOf {
            name: Self::LIST[0].0,
            about: "one sample, or three of the neuromorpho convention: a cylinder as long as wide, neurites at its \
                    middle; more: a section of cones",
        },
        WordOf {
            name: Self::LIST[1].0,
            about: "exactly three samples, the centre and two points one radius away: a cylinder as long as wide",
        },
        WordOf {
            name: Self::LIST[2].0,
            about: "cones between samples everywhere, also from the soma to the first sample of a neurite",
        },
    ];

    fn of(word: &str) -> Option<Self> {
        Self::LIST.iter().find(|s| s.0 == word).map(|s| s.1)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Neuron => Self::LIST[0].0,
            Self::ThreePoint => Self::LIST[1].0,
            Self::AsSamples => Self::LIST[2].0,
        }
    }
}
