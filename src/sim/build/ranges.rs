//! Whether drawn and computed parameters lie in the ranges that their models declare. Those that are written down were
//! looked at when the scenario was read; what is drawn is known only now, and a normal distribution has values of
//! either sign whatever its mean.

use super::unsuitable;
use crate::BuildError;
use crate::stepper::UnitValues;
use crate::values::at;
use spikedeck_core::units::Quantity;
use spikedeck_model::Parameter;
use spikedeck_scenario::{PopulationSpec, Value};

/// Looks at the parameters of a population, one column of `values` each.
///
/// # Errors
/// The first that leaves its range, with how many units it does so in.
pub(super) fn check(population: &PopulationSpec, values: &[UnitValues]) -> Result<(), BuildError> {
    let columns = population.parameters.iter().zip(population.system.parameters()).zip(values);
    for ((given, variable), column) in columns {
        let (how, help) = match given {
            Value::Drawn(_) => {
                ("drawn", "; a distribution that is bounded (`min`, `max`) draws anew what lies outside")
            }
            Value::Expression(_) => ("computed", ""),
            Value::Constant(_) | Value::Each(_) => continue,
        };
        let Some(parameter) = declared(population, &variable.name) else { continue };
        // What is no number at all is refused with its name where the equations are compiled.
        let outside = |unit: &usize| {
            let value = at(column, *unit);
            !value.is_nan() && !parameter.allows(value)
        };
        let Some(first) = (0..population.size).find(outside) else { continue };
        let shown = |value: f64| Quantity { value, dimension: variable.dimension }.to_string();
        let bounds = [
            parameter.least().map(|v| format!("at least {}", shown(v))),
            parameter.max.map(|v| format!("at most {}", shown(v))),
        ];
        let bounds: Vec<String> = bounds.into_iter().flatten().collect();
        let about = if parameter.about.is_empty() { String::new() } else { format!(" ({})", parameter.about) };
        let message = format!(
            "`{}`{about} is {}, and of {} {how} values {} are not, the first that of unit {first}, {}{help}",
            variable.name,
            bounds.join(" and "),
            population.size,
            (first..population.size).filter(outside).count(),
            shown(at(column, first)),
        );
        return Err(unsuitable(format!("populations.{}", population.name), message));
    }
    Ok(())
}

/// What the model, a receptor or a channel declares about a parameter.
pub(super) fn declared<'a>(population: &'a PopulationSpec, name: &str) -> Option<&'a Parameter> {
    let brought = population.receptors.iter().chain(&population.channels).find_map(|r| {
        let own = name.strip_prefix(&r.name)?.strip_prefix('.')?;
        r.definition.parameter(own)
    });
    brought.or_else(|| population.model.parameter(name))
}
