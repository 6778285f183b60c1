//! Models, receptors, channels and plasticity rules as the equations that they are.

use serde_json::{Map, Value as Json, json};

use super::quantity::{lines, unit_name};
use spikedeck_core::units::Dimension;
use spikedeck_equation::rule::RuleTexts;
use spikedeck_equation::{Declaration, Source, TimeUnit};
use spikedeck_model::Definition;

/// A model, receptor or channel: its name and its equations. The values of its parameters and states stand with the
/// population.
pub(super) fn definition(definition: &Definition) -> Json {
    let Definition {
        kind: _,
        name,
        title: _,
        summary: _,
        description: _,
        mathematics: _,
        relevance: _,
        applications: _,
        references: _,
        parameters: _,
        initial: _,
        presets: _,
        integrator: _,
        texts,
        circular,
        // The line that adds to it has its name.
        port: _,
        // What was understood of the texts.
        rule: _,
        system: _,
    } = definition;
    let mut object = Map::new();
    object.insert("name".into(), json!(name));
    source(texts, &mut object);
    if !circular.is_empty() {
        object.insert("circular".into(), json!(circular));
    }
    Json::Object(object)
}

/// A plasticity rule's equations and statements.
pub(super) fn rule(texts: &RuleTexts, object: &mut Map<String, Json>) {
    let RuleTexts { source: equations, on_pre, on_post } = texts;
    source(equations, object);
    statements("on_pre", on_pre.as_deref(), object);
    statements("on_post", on_post.as_deref(), object);
}

fn source(source: &Source, object: &mut Map<String, Json>) {
    let Source {
        equations,
        parameters,
        inputs,
        given,
        provides,
        threshold,
        reset,
        refractory_time,
        refractory_hold,
        on_event,
        time_unit,
        weight,
    } = source;
    let time = match time_unit {
        TimeUnit::Dimensional => "with units",
        TimeUnit::Millisecond => "in ms",
        TimeUnit::Second => "in s",
        TimeUnit::Dimensionless => "without unit",
    };
    object.insert("time".into(), json!(time));
    object.insert("equations".into(), json!(lines(equations)));
    for (key, list) in [("parameters", parameters), ("inputs", inputs), ("given", given)] {
        if !list.is_empty() {
            object.insert(key.into(), Json::Object(list.iter().map(declaration).collect()));
        }
    }
    if !provides.is_empty() {
        object.insert("provides".into(), json!(provides));
    }
    statements("threshold", threshold.as_deref(), object);
    statements("reset", reset.as_deref(), object);
    statements("refractory_time", refractory_time.as_deref(), object);
    if !refractory_hold.is_empty() {
        object.insert("refractory_hold".into(), json!(refractory_hold));
    }
    statements("on_event", on_event.as_deref(), object);
    if let Some(weight) = weight {
        object.insert("weight".into(), json!(unit(*weight)));
    }
}

fn statements(key: &str, text: Option<&str>, object: &mut Map<String, Json>) {
    if let Some(text) = text {
        object.insert(key.into(), json!(lines(text).join(" ")));
    }
}

fn declaration(declaration: &Declaration) -> (String, Json) {
    let Declaration { name, dimension } = declaration;
    (name.clone(), json!(unit(*dimension)))
}

/// The SI unit of a dimension, `1` for plain numbers.
pub(super) fn unit(dimension: Dimension) -> String {
    let name = unit_name(dimension);
    if name.is_empty() { "1".to_owned() } else { name }
}
