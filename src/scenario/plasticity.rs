//! `plasticity` of a projection: one rule or a list of them, with their parameters.

use super::continuous::carried;
use super::language::{Key, Of, Others, Section, Table, Takes};
use super::lookup::OwnModels;
use super::resolver::{Resolver, suggest, unit_example};
use super::spec::{PairName, PlasticitySpec, PopulationSpec, RuleSpec, Value};
use super::value::KnownNames;
use super::weights::{Held, hold};
use spikedeck_core::units::Dimension;
use spikedeck_equation::rule::Side;
use spikedeck_equation::{Expression, TimeUnit, Variable};
use spikedeck_model::document::{Item, Node};
use spikedeck_model::report::SourceSpan;
use spikedeck_model::{Definition, DefinitionKind, Parameter, Preset, name_of};

/// `plasticity` of a projection.
pub(super) static PLASTICITY: Section = Section::open(
    "plasticity rule",
    "a rule by which the weights of a projection change",
    &[
        Key::required(
            "kind",
            Takes::Definition(DefinitionKind::Plasticity),
            "stdp_pair",
            "a built-in rule, one of `plasticity`, or a file beside the scenario",
        ),
        Key::optional(
            "preset",
            Takes::OneOrMore("a preset of its file"),
            "the defaults of its file",
            "named set of values",
        ),
    ],
    Others {
        about: "a parameter of the rule; a rule between rates also takes `r_pre` and `r_post`",
        takes: Takes::Quantity(Of::Said("that of the parameter")),
        parameters_of: Some(DefinitionKind::Plasticity),
    },
);

/// What a rule has to fit.
pub(super) struct Ends<'a> {
    /// Dimension of the weights.
    pub weight: Dimension,
    /// The initial weights and where they stand.
    pub weights: Option<(&'a Value<PairName>, &'a Node)>,
    /// Whether values are carried all the time, not spikes.
    pub continuous: bool,
    pub from: &'a PopulationSpec,
    pub to: &'a PopulationSpec,
}

/// Reads `plasticity = { kind = ... }` or a list of such tables.
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    own: &mut OwnModels,
    node: &Node,
    ends: &Ends<'_>,
) -> Option<PlasticitySpec> {
    let single = std::slice::from_ref(node);
    let nodes: &[Node] = match &node.item {
        Item::List(list) => list,
        _ => single,
    };
    let rules: Vec<RuleSpec> = nodes.iter().filter_map(|n| rule(resolver, own, n, ends)).collect();
    for (k, r) in rules.iter().enumerate() {
        if rules[..k].iter().any(|o| o.definition.name == r.definition.name) {
            resolver.error(&nodes[k].place, format!("rule `{}` stands here twice", r.definition.name));
        }
    }
    (rules.len() == nodes.len() && !rules.is_empty()).then_some(PlasticitySpec { rules })
}

fn rule(resolver: &mut Resolver<'_>, own: &mut OwnModels, node: &Node, ends: &Ends<'_>) -> Option<RuleSpec> {
    let before = resolver.report.errors();
    let mut f = Table::of(resolver, node, "`plasticity`", PLASTICITY.keys)?;
    let kind = f.require(resolver, "kind")?;
    let name = resolver.text(kind, "`kind`")?.to_owned();
    let definition = own.find(resolver, DefinitionKind::Plasticity, &name, &kind.place)?;
    let fitted = match definition.rule.as_ref()?.with_weight(ends.weight) {
        Ok(rule) => rule,
        Err(problems) => {
            for (_, d) in problems {
                resolver.report.put(&kind.place, d);
            }
            return None;
        }
    };
    if fitted.is_continuous() != ends.continuous {
        let (this, other) = if ends.continuous { ("values all the time", "spikes") } else { ("spikes", "rates") };
        let rules: Vec<&str> = resolver
            .library
            .names(DefinitionKind::Plasticity)
            .into_iter()
            .filter(|n| {
                let rule = resolver.library.get(DefinitionKind::Plasticity, n);
                rule.and_then(|d| d.rule.as_ref().map(|r| r.is_continuous() == ends.continuous)).unwrap_or(false)
            })
            .collect();
        resolver.error_help(
            &kind.place,
            format!("this projection carries {this}, and rule `{name}` is one between {other}"),
            format!("rules that fit: {}", rules.join(", ")),
        );
    }
    let plain = resolver.time_dimension().is_none();
    if plain != (fitted.pre.time_unit() == TimeUnit::Dimensionless) {
        let help =
            "a rule of your own for dimensionless models says `time_unit = \"1\"` and has plain numbers as parameters";
        resolver.error_help(
            &kind.place,
            format!("rule `{name}` and the models of this scenario do not count time alike"),
            help,
        );
    }
    let chosen = f.get("preset").and_then(|n| super::mechanism::preset(resolver, n, &definition));
    let parameters = parameters(resolver, &mut f, node, &definition, chosen.as_ref(), ends);
    let texts = fitted.texts().clone();
    let mut given = Vec::new();
    for g in &texts.source.given {
        let unit = if Side::of(&g.name) == Side::Pre { ends.from } else { ends.to };
        let Some(n) = f.require_named(resolver, &g.name, "\"rate\"") else { continue };
        let Some(text) = resolver.text(n, &format!("`{}`", g.name)).map(str::to_owned) else { continue };
        let mine = carried(unit).map(|(id, v)| (v.name.as_str(), v.dimension, id));
        given.extend(resolver.expression(n, &text, g.dimension, &KnownNames::none().with(mine)));
    }
    f.finish_with(resolver, &|key| {
        let names = definition.parameters.iter().map(|p| p.name.as_str());
        Some(suggest(key, names.chain(PLASTICITY.keys.iter().map(|k| k.name))))
    });
    if resolver.report.errors() > before {
        return None;
    }
    let initial = initial(resolver, &kind.place, &definition, &fitted, chosen.as_ref(), &parameters);
    if resolver.report.errors() > before {
        return None;
    }
    Some(RuleSpec { definition, rule: fitted, parameters, initial, given })
}

fn parameters(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'_>,
    node: &Node,
    definition: &Definition,
    preset: Option<&Preset>,
    ends: &Ends<'_>,
) -> Vec<f64> {
    let weight = ends.weight;
    let mut values = Vec::new();
    let hold = |resolver: &mut Resolver<'_>, p: &Parameter, value: f64, own: &Node| {
        if let (Some(role), Some((weights, node))) = (p.role, ends.weights) {
            hold(resolver, &Held { name: &p.name, role, value, node: own }, weights, node, weight);
        }
    };
    for p in &definition.parameters {
        let dimension = if p.is_weight { weight } else { p.dimension };
        let chosen = preset.and_then(|s| s.parameters.iter().find(|v| v.0 == p.name)).map(|v| v.1);
        let Some(n) = f.named(&p.name) else {
            if p.is_weight && !weight.is_none() {
                resolver.error_help(
                    &node.place,
                    format!("rule `{}` needs `{}`: {}", definition.name, p.name, p.about),
                    format!("add `{} = \"1 {}\"`, in the unit of the weights", p.name, unit_example(weight)),
                );
            } else {
                hold(resolver, p, chosen.unwrap_or(p.default), node);
            }
            values.push(chosen.unwrap_or(p.default));
            continue;
        };
        let value = resolver.quantity(n, dimension, &format!("`{}`", p.name));
        if let Some(v) = value.filter(|_| !p.is_weight) {
            resolver.in_range(n, p, &Value::Constant(v));
        }
        if let Some(v) = value {
            hold(resolver, p, v, n);
        }
        values.push(value.unwrap_or(p.default));
    }
    values
}

/// Initial values of the states, from expressions in the parameters; zero where the file says nothing.
fn initial(
    resolver: &mut Resolver<'_>,
    at: &SourceSpan,
    definition: &Definition,
    rule: &spikedeck_equation::Rule,
    preset: Option<&Preset>,
    parameters: &[f64],
) -> Vec<f64> {
    let names: Vec<Variable> = rule.pre.parameters().to_vec();
    let text = |state: &str| {
        let lists = preset.map(|p| &p.initial).into_iter().chain([&definition.initial]);
        lists.flatten().find(|i| i.0 == state).map(|i| i.1.clone())
    };
    rule.states()
        .iter()
        .map(|s| {
            let Some(text) = text(&s.name) else {
                return if s.name == spikedeck_equation::rule::EFFICACY { 1.0 } else { 0.0 };
            };
            let wrong = match spikedeck_core::units::Quantity::parse(&text) {
                // Zero has every dimension.
                Ok(q) if q.dimension == s.dimension || q.value == 0.0 => return q.value,
                Ok(q) => format!("this is {}, and the state is {}", name_of(q.dimension), name_of(s.dimension)),
                Err(_) => match Expression::parse_as(&text, &names, s.dimension) {
                    Ok(expression) => return expression.evaluate(parameters),
                    Err(problems) => problems.into_iter().map(|d| d.message).collect::<Vec<_>>().join("; "),
                },
            };
            let file = &definition.name;
            resolver.error(at, format!("`{file}` lets `{}` begin at `{text}`: {wrong}", s.name));
            0.0
        })
        .collect()
}
