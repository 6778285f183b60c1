//! `[models.NAME]`, `[receptors.NAME]`, `[channels.NAME]`, `[plasticity.NAME]`: the keys of definitions of one's own,
//! which are those of the files in `data`. They are read in the room `model`, which knows no scenarios; a test holds
//! the two together.

use super::language::{Key, Others, Section, Takes};

const TITLE: Key = Key::optional("title", TEXT, "its name", "name in full");
const SUMMARY: Key = Key::default("summary", TEXT, "", "one line");
const DESCRIPTION: Key = Key::default("description", TEXT, "", "what it is");
const MATHEMATICS: Key = Key::default("mathematics", TEXT, "", "what is known about it");
const RELEVANCE: Key = Key::default("relevance", TEXT, "", "why it matters");
const APPLICATIONS: Key = Key::default("applications", TEXT, "", "what it is used for");
const REFERENCES: Key = Key::optional("references", Takes::Texts("a publication with its DOI"), "none", "publications");
const INTEGRATOR: Key = Key::optional("integrator", Takes::Integrator, "chosen by the program", "how time is stepped");
const EQUATIONS: Key = Key::required(
    "equations",
    Takes::Text("equations"),
    "dx/dt = ... : unit",
    "one equation a line, `dV_m/dt = ... : V`",
);
const PLAYS_SPIKES: Key = Key::default(
    "plays_spikes",
    Takes::Flag,
    "false",
    "whether its units play the spikes that a population lists or draws, without equations, as `spike_source` does",
);
const THRESHOLD: Key = Key::optional("threshold", Takes::Text("a condition"), "no spikes", "condition of a spike");
const RESET: Key =
    Key::optional("reset", Takes::Text("statements"), "nothing", "what happens at a spike; needs `threshold`");
const ON_EVENT: Key = Key::optional(
    "on_event",
    Takes::Text("statements"),
    "nothing; required in a receptor",
    "what an arriving event does",
);
const REFRACTORY: Key =
    Key::optional("refractory", Takes::Either(&HELD_HOW_LONG), "none", "what is held after a spike, and how long");
static HELD_HOW_LONG: [Takes; 2] =
    [Takes::Text("how long the state of the threshold is held: a quantity or a parameter"), Takes::Table(&HELD)];
const TIME_UNIT: Key = Key::optional(
    "time_unit",
    Takes::Words(&["ms", "s", "1"]),
    "equations with units",
    "what time means in equations of plain numbers",
);
const INPUTS: Key = Key::optional("inputs", DECLARATIONS, "none", "input ports with their units");
const GIVEN: Key = Key::optional("given", DECLARATIONS, "none", "names of the host with their units");
const PORT: Key = Key::optional("port", Takes::Text("an input"), "none", "input of the host that its current adds to");
const PROVIDES: Key =
    Key::optional("provides", Takes::Texts("a name"), "none", "names that others of the same host may use");
const PARAMETERS: Key =
    Key::optional("parameters", Takes::Open(&PARAMETER_VALUES), "none", "parameters with their defaults");
const INITIAL: Key = Key::optional("initial", Takes::Open(&INITIAL_VALUES), "zero", "initial values of the states");
const CIRCULAR: Key = Key::optional("circular", Takes::Texts("a state"), "none", "states that are angles in radians");
const PRESETS: Key = Key::optional("presets", Takes::Named(&PRESET), "none", "named sets of values");

const TEXT: Takes = Takes::Text("");
const DECLARATIONS: Takes =
    Takes::Open(&Others { about: "a name", takes: Takes::Text("its unit"), parameters_of: None });

static HELD: Section = Section::new(
    "refractory",
    "what is held after a spike, and how long",
    &[
        Key::required("time", Takes::Text("a parameter or an expression of time"), "t_ref", "how long"),
        Key::required("hold", Takes::Texts("a state"), "[\"V_m\"]", "the states that are held"),
    ],
);

static PARAMETER_VALUES: Others = Others {
    about: "a name",
    takes: Takes::Either(&[Takes::Anything("its default, a quantity"), Takes::Table(&PARAMETER)]),
    parameters_of: None,
};

static PARAMETER: Section = Section::new(
    "parameter",
    "a parameter with its meaning and range",
    &[
        Key::required("value", Takes::Anything("a quantity"), "20 ms", "its default"),
        Key::optional(
            "unit",
            Takes::Text("a unit; `weight` in a plasticity rule"),
            "that of the value",
            "unit of a value written as a plain number",
        ),
        Key::optional("min", Takes::Anything("a quantity"), "no bound", "least value"),
        Key::optional("max", Takes::Anything("a quantity"), "no bound", "greatest value"),
        Key::default("about", TEXT, "", "one line of meaning"),
        Key::optional("role", Takes::Text("a role"), "none", "in a plasticity rule: what it is to the weights"),
        Key::optional("geometry", Takes::Text("a measure"), "none", "on a tree: what of the compartment it is"),
    ],
);

static INITIAL_VALUES: Others = Others {
    about: "a state",
    takes: Takes::Anything("a quantity, or an expression in the parameters"),
    parameters_of: None,
};

static PRESET: Section = Section::open(
    "preset",
    "a named set of values",
    &[
        Key::default("about", TEXT, "", "one line of meaning"),
        Key::optional("integrator", Takes::Integrator, "that of the definition", "how time is stepped"),
        Key::optional("substeps", Takes::Whole, "1", "integration steps inside one step"),
        Key::optional("initial", Takes::Open(&INITIAL_VALUES), "those of the definition", "initial values"),
    ],
    Others { about: "a parameter", takes: Takes::Anything("its value"), parameters_of: None },
);

const ON_PRE: Key = Key::optional("on_pre", Takes::Text("statements"), "nothing", "what a spike of the source does");
const ON_POST: Key = Key::optional("on_post", Takes::Text("statements"), "nothing", "what a spike of the target does");

/// The keys of a kind of definition: those that all have, and its own behind the equations, behind the events that
/// arrive and behind the inputs.
macro_rules! definition {
    (equations: [$($first:expr),*], events: [$($events:expr),*], inputs: [$($inputs:expr),*]) => {
        &[
            TITLE,
            SUMMARY,
            DESCRIPTION,
            MATHEMATICS,
            RELEVANCE,
            APPLICATIONS,
            REFERENCES,
            INTEGRATOR,
            EQUATIONS,
            $($first,)*
            THRESHOLD,
            RESET,
            ON_EVENT,
            $($events,)*
            REFRACTORY,
            TIME_UNIT,
            INPUTS,
            $($inputs,)*
            PARAMETERS,
            INITIAL,
            CIRCULAR,
            PRESETS,
        ]
    };
}

/// `[models.NAME]`.
pub(super) static MODEL: Section = Section::new(
    "model",
    "a model of one's own; the keys of a file in `data/models`",
    definition!(equations: [PLAYS_SPIKES], events: [], inputs: []),
);

/// `[receptors.NAME]` and `[channels.NAME]`.
pub(super) static MECHANISM: Section = Section::new(
    "receptor or channel of one's own",
    "equations that a model carries; the keys of a file in `data/receptors` or `data/channels`",
    definition!(equations: [], events: [], inputs: [GIVEN, PORT, PROVIDES]),
);

/// `[plasticity.NAME]`.
pub(super) static RULE: Section = Section::new(
    "plasticity rule of one's own",
    "equations of a connection; the keys of a file in `data/plasticity`",
    definition!(equations: [], events: [ON_PRE, ON_POST], inputs: [GIVEN]),
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use spikedeck_model::document::parse;
    use spikedeck_model::{DefinitionKind, Report, read_definition};

    /// The keys that the reader of definitions knows at a place of `text`, where it meets a key that is like none.
    fn known_in(kind: DefinitionKind, text: &str) -> BTreeSet<String> {
        let mut report = Report::new();
        let index = report.text("m.toml", text);
        let node = parse(&mut report, index);
        read_definition(&mut report, &node, kind, "m");
        let mut helps = report.sorted().into_iter().filter_map(|(_, d)| d.help.as_ref());
        let list = helps.find_map(|h| h.strip_prefix("known keys: ")).unwrap();
        list.split(", ").map(str::to_owned).collect()
    }

    /// Those of a definition.
    fn known(kind: DefinitionKind) -> BTreeSet<String> {
        known_in(kind, "equations = \"\"\nqqqqqqqqqqqqqqqqqqqq = 1\n")
    }

    /// Those of a table in a model.
    fn known_of(table: &str) -> BTreeSet<String> {
        let text = format!("equations = \"dV_m/dt = -V_m/tau : V\"\nthreshold = \"V_m > [0 V]\"\n{table}\n");
        known_in(DefinitionKind::Model, &text)
    }

    #[test]
    fn definitions_have_the_keys_that_their_reader_knows() {
        let declared = |section: &Section| section.keys.iter().map(|k| k.name.to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(declared(&MODEL), known(DefinitionKind::Model));
        assert_eq!(declared(&MECHANISM), known(DefinitionKind::Receptor));
        assert_eq!(declared(&MECHANISM), known(DefinitionKind::Channel));
        assert_eq!(declared(&RULE), known(DefinitionKind::Plasticity));
        let odd = "qqqqqqqqqqqqqqqqqqqq = 1";
        let parameter = format!("[parameters.tau]\nvalue = \"10 ms\"\n{odd}");
        assert_eq!(declared(&PARAMETER), known_of(&parameter));
        let refractory = format!("refractory = {{ time = \"tau\", hold = [\"V_m\"], {odd} }}");
        assert_eq!(declared(&HELD), known_of(&format!("{refractory}\n[parameters]\ntau = \"10 ms\"")));
        let preset = known_of(&format!("[parameters]\ntau = \"10 ms\"\n[presets.fast]\n{odd}"));
        assert_eq!(&declared(&PRESET) | &BTreeSet::from(["tau".to_owned()]), preset, "and the parameters");
    }
}
