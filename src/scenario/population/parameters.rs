//! Parameters of a population: what holds where the scenario says nothing, and what must hold of those that it states.

use super::carried::Carried;
use super::{Chosen, Given};
use crate::language::Table;
use crate::mechanism::{Reading, hint_parameter, read_parameters};
use crate::resolver::Resolver;
use crate::spec::{UnitName, Value};
use crate::value::KnownNames;
use spikedeck_core::units::Dimension;
use spikedeck_equation::graph::Symbol;
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_equation::{System, TimeUnit};
use spikedeck_model::Definition;
use spikedeck_model::report::SourceSpan;

/// One value for each parameter of the system: what the scenario gives, the preset of the model, the default of whoever
/// declares it. What the scenario gives is noted in `given`, where receptors and channels have put theirs.
pub(super) fn parameters(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'_>,
    chosen: &Chosen<'_>,
    reading: &Reading<'_>,
    names: &KnownNames<'_>,
    given: &mut Given,
    carried: &Carried,
) -> Vec<Value> {
    let Chosen { model, preset, at } = *chosen;
    if let Some(node) = f.get("parameters")
        && let Some(mut fields) = Table::of(resolver, node, "`parameters`", &[])
    {
        let names = names.clone().with_parameters(model, &model.system, "");
        read_parameters(resolver, &mut fields, (model, preset), "", reading, &names, given);
        fields.finish_with(resolver, &|key| hint_parameter(model, key));
    }
    if let Some(tree) = reading.tree {
        tree.geometry(resolver, reading.size, model, at, given);
    }
    let default = |name: &str| {
        let of_preset = preset.and_then(|p| p.parameters.iter().find(|(n, _)| n == name));
        let declared = || {
            let mut all = carried.definitions.iter();
            all.find_map(|(prefix, d)| name.strip_prefix(prefix.as_str()).and_then(|n| d.parameter(n)))
                .expect("every parameter of a population is declared by its model, a receptor or a channel")
                .default
        };
        Value::Constant(of_preset.map_or_else(declared, |(_, v)| *v))
    };
    let all = carried.system.parameters().iter();
    all.map(|v| given.get(&v.name).map_or_else(|| default(&v.name), |g| g.0.clone())).collect()
}

/// What to write instead of a refractory time that stands at the population, as other tools have it.
pub(super) fn hint_refractory(model: &Definition, key: &str) -> Option<String> {
    if !["refractory", "refractory_time", "t_ref", "tau_ref"].contains(&key) {
        return None;
    }
    let own = model.texts.refractory_time.as_deref().map(str::trim);
    Some(match own {
        Some(name) if model.parameter(name).is_some() => format!(
            "the refractory time of `{}` is its parameter `{name}`: write `parameters = {{ {name} = \"2 ms\" }}`",
            model.name
        ),
        Some(text) => format!("the refractory time of `{}` is `{text}`, as its model says", model.name),
        None => format!(
            "`{}` has no refractory time; a model of one's own has it with `refractory = \"2 ms\"` in `[models.NAME]`",
            model.name
        ),
    })
}

/// Refuses computed parameters that name others which are computed after them.
pub(super) fn check_order(
    resolver: &mut Resolver<'_>,
    system: &System,
    parameters: &[Value],
    given: &Given,
    fallback: &SourceSpan,
) {
    for (index, (value, variable)) in parameters.iter().zip(system.parameters()).enumerate() {
        let Value::Expression(formula) = value else { continue };
        let later = formula.names().iter().find_map(|name| match name {
            UnitName::Parameter(id) if id.index() >= index => {
                matches!(parameters[id.index()], Value::Expression(_)).then(|| &system.parameters()[id.index()].name)
            }
            _ => None,
        });
        if let Some(later) = later {
            let place = given.get(&variable.name).map_or(fallback, |g| &g.1);
            resolver.error_help(
                place,
                format!("`{}` is computed from `{later}`, which is computed itself and not before it", variable.name),
                "parameters are computed in the order of the model file, each from plain ones and those before it",
            );
        }
    }
}

/// The same of a time that the model writes out: a number, or an expression in parameters that are stated. One that is
/// drawn, or changes in time, is rounded to the step as it comes.
fn check_written_refractory(
    resolver: &mut Resolver<'_>,
    system: &System,
    parameters: &[Value],
    (text, place): (&str, &SourceSpan),
) {
    let Some(time) = system.parts().refractory else { return };
    let graph = &system.parts().graph;
    let fixed = |s: Symbol| match s {
        Symbol::Parameter(i) => matches!(parameters[i as usize], Value::Constant(_) | Value::Each(_)),
        _ => false,
    };
    if graph.depends(time, |s| !fixed(s)) {
        return;
    }
    let units = parameters.iter().map(|v| if let Value::Each(list) = v { list.len() } else { 1 }).max().unwrap_or(1);
    let tape = Tape::new(graph, &[time]);
    for unit in 0..units {
        let of_unit = |value: &Value| match value {
            Value::Constant(v) => *v,
            Value::Each(list) => list[unit.min(list.len() - 1)],
            // Not read.
            Value::Drawn(_) | Value::Expression(_) => f64::NAN,
        };
        let values: Vec<f64> = parameters.iter().map(of_unit).collect();
        let time = tape.value(&Values { parameters: &values, ..Values::default() });
        let seconds = time / system.time_unit().per_second();
        let wrong = seconds.is_finite() && seconds >= 0.0 && {
            resolver.multiple(place, seconds, &format!("the refractory time `{text}`")).is_none()
        };
        if wrong {
            return;
        }
    }
}

/// Refuses a refractory time that is no multiple of the step.
pub(super) fn check_refractory(
    resolver: &mut Resolver<'_>,
    model: &Definition,
    system: &System,
    parameters: &[Value],
    given: &Given,
    fallback: &SourceSpan,
) {
    let Some(name) = model.texts.refractory_time.as_deref().map(str::trim) else { return };
    let Some(index) = system.parameters().iter().position(|p| p.name == name) else {
        return check_written_refractory(resolver, system, parameters, (name, fallback));
    };
    let place = given.get(name).map_or(fallback, |g| &g.1).clone();
    // Plain-number models state the time in milliseconds or seconds.
    let unit = match (system.parameters()[index].dimension == Dimension::SECOND, system.time_unit()) {
        (false, TimeUnit::Millisecond) => 1e-3,
        _ => 1.0,
    };
    let fixed: &[f64] = match &parameters[index] {
        Value::Constant(v) => std::slice::from_ref(v),
        Value::Each(list) => list,
        // Drawn and computed times are rounded to the step, and told, when the network is built.
        Value::Drawn(_) | Value::Expression(_) => &[],
    };
    for v in fixed {
        if resolver.multiple(&place, *v * unit, &format!("`{name}`")).is_none() {
            break;
        }
    }
}
