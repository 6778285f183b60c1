//! Parameters and presets of a definition, as its file declares them.

use super::document::{Fields, Item, Node};
use super::read::{read_initial, string};
use super::report::Report;
use super::{Geometry, Parameter, Preset, WeightRole, name_of};
use spikedeck_core::units::{Dimension, Quantity, parse_unit};
use spikedeck_equation::System;

/// A quantity as a string, or a plain number.
pub fn quantity(report: &mut Report, node: &Node) -> Option<Quantity> {
    if let Some(v) = node.as_number() {
        return Some(Quantity::number(v));
    }
    let Some(text) = node.as_text() else {
        report.error_help(&node.place, format!("a quantity is due here, not {}", node.what()), "write \"20 ms\"");
        return None;
    };
    match Quantity::parse(text) {
        Ok(q) => Some(q),
        Err(d) => {
            report.put_inside(node, d);
            None
        }
    }
}

/// Parameters; in a plasticity rule (`weights`) one may have the unit `weight`.
pub(super) fn read_parameters(report: &mut Report, node: &Node, weights: bool) -> Vec<Parameter> {
    let Some(entries) = node.entries() else {
        report.error(&node.place, format!("`parameters` is a table, not {}", node.what()));
        return Vec::new();
    };
    entries.iter().filter_map(|e| read_parameter(report, &e.key, &e.value, weights)).collect()
}

fn read_parameter(report: &mut Report, name: &str, node: &Node, weights: bool) -> Option<Parameter> {
    if node.entries().is_none() {
        let q = quantity(report, node)?;
        let parameter = Parameter {
            name: name.to_owned(),
            dimension: q.dimension,
            default: q.value,
            default_text: written(node),
            min: None,
            max: None,
            about: String::new(),
            is_weight: false,
            role: None,
            geometry: None,
        };
        check_default(report, node, &parameter);
        return Some(parameter);
    }
    let mut fields = Fields::of(report, node, format!("parameter `{name}`"))?;
    let value = fields.require(report, "value", "\"20 ms\"")?;
    let mut q = quantity(report, value)?;
    let mut default_text = written(value);
    let mut is_weight = false;
    if let Some(n) = fields.get("unit") {
        is_weight = weights && q.dimension.is_none() && n.as_text() == Some("weight");
        if is_weight {
            default_text.push_str(" (weight)");
        }
        match parse_unit(if is_weight { "1" } else { string(report, n)? }) {
            Ok((_, dimension)) if !q.dimension.is_none() && dimension != q.dimension => report.error(
                &n.place,
                format!(
                    "the value of `{name}` is {}, its unit is that of {}",
                    name_of(q.dimension),
                    name_of(dimension)
                ),
            ),
            Ok(_) if is_weight => {}
            Ok((scale, dimension)) if q.dimension.is_none() => {
                q = Quantity { value: q.value * scale, dimension };
                default_text = format!("{default_text} {}", n.as_text().unwrap_or(""));
            }
            Ok(_) => {}
            Err(d) => report.put_inside(n, d),
        }
    }
    let mut bound = |report: &mut Report, key: &str| {
        let n = fields.get(key)?;
        let b = quantity(report, n)?;
        let value = b.meant_as(q.dimension);
        if value.is_none() {
            report.error(
                &n.place,
                format!("`{key}` of `{name}` is {}, its value is {}", name_of(b.dimension), name_of(q.dimension)),
            );
        }
        value
    };
    let min = bound(report, "min");
    let max = bound(report, "max");
    let about = fields.get("about").and_then(|n| string(report, n)).unwrap_or("").to_owned();
    let role = fields.get("role").and_then(|n| role(report, n, is_weight));
    let geometry = fields.get("geometry").and_then(|n| geometry(report, n, q.dimension));
    fields.finish(report);
    let parameter = Parameter {
        name: name.to_owned(),
        dimension: q.dimension,
        default: q.value,
        default_text,
        min,
        max,
        about,
        is_weight,
        role,
        geometry,
    };
    check_default(report, value, &parameter);
    Some(parameter)
}

/// Refuses a default that is outside the range of its parameter.
fn check_default(report: &mut Report, node: &Node, parameter: &Parameter) {
    if parameter.allows(parameter.default) {
        return;
    }
    let what = &parameter.name;
    if parameter.min.is_none() && parameter.dimension.least().is_some_and(|least| parameter.default < least) {
        report.error(&node.place, format!("the default of `{what}` is no temperature: it is below absolute zero"));
    } else {
        report.error(&node.place, format!("the default of `{what}` is outside its own range"));
    }
}

fn role(report: &mut Report, node: &Node, is_weight: bool) -> Option<WeightRole> {
    match string(report, node)? {
        _ if !is_weight => {
            report.error(&node.place, "only a parameter of a plasticity rule with `unit = \"weight\"` has a role");
        }
        "bound" => return Some(WeightRole::Bound),
        "reference" => return Some(WeightRole::Reference),
        other => report.error_help(&node.place, format!("there is no role `{other}`"), "there are: bound, reference"),
    }
    None
}

fn geometry(report: &mut Report, node: &Node, dimension: Dimension) -> Option<Geometry> {
    let name = string(report, node)?;
    let Some((_, geometry, power)) = Geometry::LIST.iter().find(|g| g.0 == name) else {
        let names: Vec<&str> = Geometry::LIST.iter().map(|g| g.0).collect();
        report.error_help(
            &node.place,
            format!("a compartment has no `{name}`"),
            format!("there are: {}", names.join(", ")),
        );
        return None;
    };
    if Dimension::METRE.power(f64::from(*power)) != Some(dimension) {
        report.error(&node.place, format!("the {name} of a compartment does not fit {}", name_of(dimension)));
        return None;
    }
    Some(*geometry)
}

/// A default as it stands in the file.
pub(super) fn written(node: &Node) -> String {
    match &node.item {
        Item::Text(t) => t.clone(),
        _ => node.to_toml(),
    }
}

/// Named sets of values.
pub(super) fn read_presets(report: &mut Report, node: &Node, parameters: &[Parameter], system: &System) -> Vec<Preset> {
    let Some(entries) = node.entries() else {
        report.error(&node.place, format!("`presets` is a table, not {}", node.what()));
        return Vec::new();
    };
    let mut list = Vec::new();
    for e in entries {
        let Some(mut fields) = Fields::of(report, &e.value, format!("preset `{}`", e.key)) else { continue };
        let mut preset = Preset { name: e.key.clone(), ..Preset::default() };
        fields.get("about").and_then(|n| string(report, n)).unwrap_or("").clone_into(&mut preset.about);
        preset.integrator = fields.get("integrator").and_then(|n| string(report, n)).map(str::to_owned);
        if let Some(n) = fields.get("substeps") {
            match n.item {
                Item::Integer(v) if (1..=1_000_000).contains(&v) => preset.substeps = Some(v as u32),
                _ => report.error(&n.place, "`substeps` is a whole number from 1"),
            }
        }
        preset.initial = fields.get("initial").map(|n| read_initial(report, n, system)).unwrap_or_default();
        for p in parameters {
            if let Some(n) = fields.get(&p.name)
                && let Some(q) = quantity(report, n)
            {
                if let Some(value) = q.meant_as(p.dimension) {
                    if !p.allows(value) {
                        let name = &p.name;
                        report.error(&n.place, format!("`{name}` of preset `{}` is outside its range", e.key));
                    }
                    preset.parameters.push((p.name.clone(), value));
                } else {
                    report.error(
                        &n.place,
                        format!("`{}` is {}, not {}", p.name, name_of(p.dimension), name_of(q.dimension)),
                    );
                }
            }
        }
        fields.finish(report);
        list.push(preset);
    }
    list
}
