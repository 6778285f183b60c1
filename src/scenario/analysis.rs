//! `[analyses.NAME]`: which estimator, what it looks at, and its options, checked against what it declares.

use std::collections::BTreeMap;

use super::catalog::{AnalysisDeclaration, OptionKind, OptionValue, ParamSpec, Subjects, WithoutUnits};
use super::language::{Key, Need, Of, Range, Table, Takes};
use super::resolver::{Resolver, suggest};
use super::selector::{Scope, subjects};
use super::spec::{AnalysisSpec, Subject};
use super::value::show;
use spikedeck_core::units::Dimension;
use spikedeck_model::document::{Entry, Item, Node};
use spikedeck_model::strings;

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
            OptionKind::Text => Takes::Text(""),
            OptionKind::Texts => Takes::Texts("a word"),
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
    read_with(resolver, entry, &mut |resolver, node, equations| {
        subjects(resolver, node, &Scope { equations, ..*scope })
    })
}

/// How what an analysis looks at is read; the flag says that it looks at equations.
type ReadSubjects<'a> = &'a mut dyn FnMut(&mut Resolver<'_>, &Node, bool) -> Vec<Subject>;

/// Reads one analysis, of which `find` reads what it looks at.
pub(super) fn read_with(resolver: &mut Resolver<'_>, entry: &Entry, find: ReadSubjects<'_>) -> Option<AnalysisSpec> {
    let before = resolver.report.errors();
    let mut f = Table::of(resolver, &entry.value, format!("analysis `{}`", entry.key), COMMON)?;
    let kind_node = f.require(resolver, "kind")?;
    let kind = resolver.text(kind_node, "`kind`")?.to_owned();
    let catalog = resolver.catalog;
    let Some(declaration) = catalog.analyses.get(kind.as_str()) else {
        let help = suggest(&kind, catalog.analyses.keys().copied());
        resolver.error_help(&kind_node.place, format!("there is no analysis `{kind}`"), help);
        return None;
    };
    let equations = declaration.subjects == Subjects::Population;
    f.with(subject_keys(declaration.subjects));
    let mut read = |resolver: &mut Resolver<'_>, key: &str| {
        f.require(resolver, key).map(|n| find(resolver, n, equations)).unwrap_or_default()
    };
    let (of, source, target) = match declaration.subjects {
        Subjects::Of | Subjects::Population => (read(resolver, "of"), Vec::new(), Vec::new()),
        Subjects::Directed => {
            let source = read(resolver, "source");
            (Vec::new(), source, read(resolver, "target"))
        }
    };
    let mut options = BTreeMap::new();
    for spec in &declaration.options {
        if matches!(spec.key, "kind" | "of" | "source" | "target") {
            continue;
        }
        if let Some(node) = f.named(spec.key) {
            if let Some(value) = option(resolver, node, spec) {
                in_range(resolver, node, spec, &value);
                options.insert(spec.key, value);
            }
        } else if let Some(value) = spec.default_value(!resolver.time_dimension().is_none()) {
            options.insert(spec.key, value);
        } else if resolver.time_dimension().is_none()
            && declaration.without_units(spec.key) == Some(WithoutUnits::Required)
        {
            resolver.error_help(
                &kind_node.place,
                format!("`{kind}` needs `{}` where time has no unit: a plain number", spec.key),
                spec.about.to_owned(),
            );
        }
    }
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

fn option(resolver: &mut Resolver<'_>, node: &Node, spec: &ParamSpec) -> Option<OptionValue> {
    let what = format!("`{}`", spec.key);
    Some(match &spec.kind {
        OptionKind::Quantity(d) => OptionValue::Number(resolver.quantity(node, *d, &what)?),
        OptionKind::Time => {
            let d = resolver.time_dimension();
            OptionValue::Number(resolver.quantity(node, d, &what)?)
        }
        OptionKind::Frequency => {
            let d = resolver.rate_dimension();
            OptionValue::Number(resolver.quantity(node, d, &what)?)
        }
        OptionKind::Integer => match node.item {
            Item::Integer(v) => OptionValue::Integer(v),
            _ => {
                resolver.error(&node.place, format!("{what} is a whole number, not {}", node.what()));
                return None;
            }
        },
        OptionKind::Flag => OptionValue::Flag(resolver.flag(node, &what)?),
        OptionKind::Choice(words) => {
            let given = resolver.text(node, &what)?.to_owned();
            if !words.contains(&given.as_str()) {
                resolver.error_help(
                    &node.place,
                    format!("{what} cannot be `{given}`"),
                    suggest(&given, words.iter().copied()),
                );
                return None;
            }
            OptionValue::Text(given)
        }
        OptionKind::Text => OptionValue::Text(resolver.text(node, &what)?.to_owned()),
        OptionKind::Texts => OptionValue::Texts(strings(&mut resolver.report, node)),
    })
}

fn in_range(resolver: &mut Resolver<'_>, node: &Node, spec: &ParamSpec, value: &OptionValue) {
    let dimension = match &spec.kind {
        OptionKind::Quantity(d) => *d,
        OptionKind::Time => resolver.time_dimension(),
        OptionKind::Frequency => resolver.rate_dimension(),
        _ => Dimension::NONE,
    };
    let Some((low, high)) = spec.range else {
        if let (OptionKind::Time | OptionKind::Frequency, OptionValue::Number(v)) = (&spec.kind, value)
            && (*v <= 0.0 || v.is_nan())
        {
            resolver.error_help(
                &node.place,
                format!("`{}` is greater than 0, not {}", spec.key, show(*v, dimension)),
                spec.about.to_owned(),
            );
        }
        return;
    };
    let bad = |v: f64| v < low || v > high || v.is_nan();
    let outside = match value {
        OptionValue::Number(v) => bad(*v).then_some(*v),
        OptionValue::Integer(v) => bad(*v as f64).then_some(*v as f64),
        _ => None,
    };
    if let Some(v) = outside {
        let bounds = if high.is_infinite() || high >= f64::MAX {
            format!("at least {}", show(low, dimension))
        } else {
            format!("from {} to {}", show(low, dimension), show(high, dimension))
        };
        resolver.error_help(
            &node.place,
            format!("`{}` is {bounds}, not {}", spec.key, show(v, dimension)),
            spec.about.to_owned(),
        );
    }
}
