//! The keys of `[populations.NAME]`.

use crate::grid::GRID;
use crate::language::{Key, Of, Others, Range, Section, Takes, Words};
use crate::mechanism::{CHANNEL, RECEPTOR};
use crate::positions::POSITIONS;
use crate::stimulus::SOURCES;
use crate::tree::{COMPARTMENTS, SECTION};
use spikedeck_core::units::Dimension;
use spikedeck_model::DefinitionKind;
use spikedeck_model::morphology::swc::Soma;

/// `[populations.NAME]`.
pub(crate) static POPULATION: Section = Section::new(
    "populations",
    "units that share a model: points, the cells of a grid, or the compartments of a tree",
    &[
        Key::required(
            "model",
            Takes::Definition(DefinitionKind::Model),
            "lif",
            "a built-in model, one of `models`, or a file beside the scenario",
        ),
        Key::optional(
            "size",
            Takes::Whole,
            "1, or as many as `grid`, `positions` or a file of spikes have",
            "number of units; of cells on a tree",
        )
        .range(Range::From(1.0)),
        Key::optional(
            "preset",
            Takes::OneOrMore("a preset of the model"),
            "the defaults of the model",
            "named set of values of the model, or several that are joined",
        ),
        Key::optional("parameters", Takes::Open(&PARAMETERS), "the defaults of the model", "parameters of the model"),
        Key::optional("initial", Takes::Open(&INITIAL), "what the model file says", "initial values"),
        Key::optional(
            "receptors",
            Takes::Named(&RECEPTOR),
            "none",
            "receptors, by names of your own; spikes arrive at them as `POP.NAME`",
        ),
        Key::optional("spikes", Takes::One(&SOURCES), "required where `model = \"spike_source\"`", SOURCES.about),
        Key::optional("channels", Takes::Named(&CHANNEL), "none", "channels of a tree, by names of your own"),
        Key::optional("grid", Takes::Table(&GRID), "points", "cells on a line or in a plane"),
        Key::optional("positions", Takes::One(&POSITIONS), "units without places", "where the units are"),
        Key::optional("sections", Takes::Named(&SECTION), "no tree", "sections of a tree, by names of your own"),
        Key::optional("cable", Takes::Table(&SECTION), "no tree", "a tree of one section"),
        Key::optional("morphology", Takes::Morphology, "no tree", "an SWC file beside the scenario, or a built-in one"),
        Key::default("soma", Takes::Choice(Soma::WORDS), "neuron", "how the soma of the file is read"),
        Key::optional("least_diameter", LENGTH, "as in the file", "diameter of what is thinner in the file")
            .range(Range::Above(0.0)),
        Key::optional(
            "compartments",
            Takes::One(&COMPARTMENTS),
            "{ d_lambda = 0.1 }",
            "how sections are cut into compartments",
        ),
        Key::optional(
            "clamp",
            Takes::Text("a state"),
            "free",
            "a state that is what stimuli with the target `POP.STATE` bring; `I_clamp` is the current that holds it",
        ),
        Key::optional("held", Takes::Open(&HELD), "none", "places whose voltage is held"),
        Key::optional(
            "threshold_at",
            Takes::OneOrMore("a place on the tree, such as `soma(0.5)`"),
            "the middle of the first section",
            "places whose threshold is watched",
        ),
        Key::optional(
            "integrator",
            Takes::Integrator,
            "that of the preset, of the model, or of `simulation`",
            "how time is stepped",
        ),
        Key::optional("substeps", Takes::Whole, "those of the preset, or 1", "integration steps inside one step")
            .range(Range::From(1.0)),
    ],
);

const LENGTH: Takes = Takes::Quantity(Of::Fixed(Dimension::METRE));

/// A value on a tree, by place.
static PLACES: Others = Others {
    about: "a place on a tree (a section, a region, `soma(0.5)`), or `default` for all others",
    takes: Takes::Quantity(Of::Said("that of the value")),
    parameters_of: None,
};

/// A value of a unit: one for all, drawn, or by place.
pub(crate) const VALUE: Takes =
    Takes::Either(&[Takes::Value(Of::Said("that of the parameter or state")), Takes::Open(&PLACES)]);

static PARAMETERS: Others =
    Others { about: "a parameter of the model", takes: VALUE, parameters_of: Some(DefinitionKind::Model) };

static INITIAL: Others = Others {
    about: "a state; one of a receptor or channel is `\"NAME.STATE\"`, or stands in a table of its name",
    takes: Takes::Either(&[VALUE, Takes::Open(&INITIAL_OF)]),
    parameters_of: None,
};

static INITIAL_OF: Others = Others { about: "a state of the receptor or channel", takes: VALUE, parameters_of: None };

static HELD: Others = Others {
    about: "a place on the tree",
    takes: Takes::Quantity(Of::Said("that of the voltage")),
    parameters_of: None,
};
