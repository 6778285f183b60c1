//! `[analyses.NAME]`: which estimator, what it looks at, and its options, checked against what it declares.

use super::catalog::{AnalysisDeclaration, OptionKind, ParamSpec, Subjects};
use super::language::{Key, Need, Of, Range, Table, Takes};
use super::options::{self, Around};
use super::resolver::{Resolver, suggest};
use super::selector::Scope;
use super::spec::{AnalysisSpec, PopulationSpec, ProjectionSpec, Subject};
use spikedeck_model::document::{Entry, Item, Node};

const COMMON: &[Key] = &[Key::required("kind", Takes::KindOf, "psd", "which analysis")];

const SUBJECT: Takes =
    Takes::OneOrMore("`POP.spikes`, `POP.rate`, `POP.VAR`, `POP.RECEPTOR.VAR`, `mean(...)`, `[0..10]`");

const OF: &[Key] = &[Key::required("of", SUBJECT, "exc.spikes", "what is looked at")];

const EQUATIONS: &[Key] =
    &[Key::required("of", Takes::OneOrMore("a population"), "neuron", "whose equations are looked at")];

const DIRECTED: &[Key] = &[
    Key::required("source", SUBJECT, "exc.rate", "what may act"),
    Key::required("target", SUBJECT, "inh.rate", "what is acted on"),
];

/// The keys that say what an analysis looks at.
fn subject_keys(subjects: Subjects) -> &'static [Key] {
    match subjects {
        Subjects::Of => OF,
        Subjects::Directed => DIRECTED,
        Subjects::Population => EQUATIONS,
    }
}

/// All keys of an analysis: its kind, what it looks at, and its options.
pub(super) fn keys(declaration: &AnalysisDeclaration) -> Vec<Key> {
    let mut keys: Vec<Key> = COMMON.iter().chain(subject_keys(declaration.subjects)).copied().collect();
    for option in &declaration.options {
        if !keys.iter().any(|k| k.name == option.key) {
            keys.push(Key::from(option));
        }
    }
    keys
}

impl From<&ParamSpec> for Key {
    fn from(option: &ParamSpec) -> Self {
        let takes = match option.kind {
            OptionKind::Quantity(d) if d.is_none() => Takes::Quantity(Of::Number),
            OptionKind::Quantity(d) => Takes::Quantity(Of::Fixed(d)),
            OptionKind::Time => Takes::Quantity(Of::Time),
            OptionKind::Frequency => Takes::Quantity(Of::Frequency),
            OptionKind::Integer => Takes::Whole,
            OptionKind::Flag => Takes::Flag,
            OptionKind::Choice(words) => Takes::Words(words),
            OptionKind::Variable => Takes::Text("name of a variable"),
            OptionKind::State { .. } => Takes::Text("name of a state"),
            OptionKind::Input => Takes::Text("name of an input"),
            OptionKind::Adjustable => Takes::Text("name of a parameter or an input"),
            OptionKind::OfInput("input") => Takes::Quantity(Of::Said("that of the input")),
            OptionKind::OfInput(_) => Takes::Quantity(Of::Said("that of the parameter or input")),
            OptionKind::RangeOf(_) => Takes::Quantities(Of::Said("that of the state"), Some(2)),
            OptionKind::Assignments => Takes::Texts("`NAME = QUANTITY`, of a parameter or an input,"),
            OptionKind::Bands => Takes::Texts("`NAME LOW HIGH` in hertz, or with units,"),
            OptionKind::Arrival => Takes::Text("name of an input or a receptor"),
            OptionKind::Matrix => Takes::Text("a file of numbers in rows"),
        };
        let range = match (option.range, &option.kind) {
            (Some((low, high)), _) => Range::Within(low, high),
            (None, OptionKind::Time | OptionKind::Frequency) => Range::Above(0.0),
            (None, _) => Range::Any,
        };
        let need = option.default.map_or(Need::Optional("worked out from the data"), Need::Default);
        Self { name: option.key, takes, need, range, about: option.about }
    }
}

/// Reads one analysis of a scenario.
pub(super) fn read(resolver: &mut Resolver<'_>, entry: &Entry, scope: &Scope<'_>) -> Option<AnalysisSpec> {
    read_with(resolver, entry, (scope.all, scope.projections), scope)
}

/// Where what an analysis names is to be found: in a scenario, or in a recording.
pub(super) trait Places {
    /// What `node` names; `equations` says that the analysis looks at these and not at signals.
    fn subjects(&self, resolver: &mut Resolver<'_>, node: &Node, equations: bool) -> Vec<Subject>;

    /// Whether `subject` has a variable of this name that was recorded of its units; if not, that is said at `node`.
    fn has_variable(&self, resolver: &mut Resolver<'_>, node: &Node, subject: &Subject, name: &str) -> bool;
}

/// Reads one analysis of what there is at `places`; its options name parts of a network, if there is one.
pub(super) fn read_with(
    resolver: &mut Resolver<'_>,
    entry: &Entry,
    (populations, projections): (&[PopulationSpec], &[ProjectionSpec]),
    places: &dyn Places,
) -> Option<AnalysisSpec> {
    let before = resolver.report.errors();
    let mut f = Table::of(resolver, &entry.value, format!("analysis `{}`", entry.key), COMMON)?;
    let kind_node = f.require(resolver, "kind")?;
    let kind = resolver.text(kind_node, "`kind`")?.to_owned();
    let catalog = resolver.catalog;
    let Some(declaration) = catalog.analyses.get(kind.as_str()) else {
        let meant: Vec<String> =
            catalog.analyses.values().filter(|a| a.is_called(&kind)).map(|a| format!("`{}`", a.kind)).collect();
        let help = if meant.is_empty() {
            suggest(&kind, catalog.analyses.keys().copied())
        } else {
            format!("it is called {} here", meant.join(" or "))
        };
        resolver.error_help(&kind_node.place, format!("there is no analysis `{kind}`"), help);
        return None;
    };
    let equations = declaration.subjects == Subjects::Population;
    f.with(subject_keys(declaration.subjects));
    let mut read = |resolver: &mut Resolver<'_>, key: &str| {
        f.require(resolver, key).map(|n| places.subjects(resolver, n, equations)).unwrap_or_default()
    };
    let (of, source, target) = match declaration.subjects {
        Subjects::Of => (read(resolver, "of"), Vec::new(), Vec::new()),
        Subjects::Population => {
            let of = read(resolver, "of");
            if let Some(node) = entry.value.get("of").filter(|n| matches!(&n.item, Item::List(l) if l.is_empty())) {
                resolver.error(&node.place, format!("`{kind}` looks at the equations of a population: name it"));
            }
            (of, Vec::new(), Vec::new())
        }
        Subjects::Directed => {
            let source = read(resolver, "source");
            (Vec::new(), source, read(resolver, "target"))
        }
    };
    let around = Around { populations, projections, places, of: &of };
    let options = options::read(resolver, &mut f, kind_node, declaration, around);
    f.finish_with(resolver, &|key| match (key, declaration.subjects) {
        ("of", Subjects::Directed) => Some(format!("`{kind}` is directed: it takes `source` and `target`")),
        ("source" | "target", Subjects::Of | Subjects::Population) => Some(format!("`{kind}` takes `of`")),
        _ => None,
    });
    (resolver.report.errors() == before).then(|| AnalysisSpec {
        name: entry.key.clone(),
        kind,
        of,
        source,
        target,
        options,
    })
}
