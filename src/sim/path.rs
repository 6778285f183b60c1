//! A projection of the scenario, ready to be walked into tables.

use super::BuildError;
use super::axis::Axis;
use super::build::{Found, unsuitable};
use super::connect::Wiring;
use super::coupling::{Value as Carried, variables};
use super::plasticity::{self, Compiled, Rates};
use super::properties::Finder;
use spikedeck_core::rng::Key;
use spikedeck_core::units::Dimension;
use spikedeck_equation::System;
use spikedeck_scenario::{Coupling, Port, ProjectionSpec, Spec, connection_names};

/// A projection ready to be walked.
pub(super) struct Path<'a> {
    pub spec: &'a ProjectionSpec,
    pub wiring: Wiring<'a>,
    pub finder: Finder<'a>,
    /// For continuous projections: the compiled value, and the histories of what it names.
    pub continuous: Option<(Carried, Vec<usize>, Vec<usize>)>,
    /// Rules between spikes, and between rates.
    pub plastic: Option<Compiled>,
    pub rates: Option<Rates>,
}

/// Finds what a projection needs before it is walked; histories that it looks at are added to `histories`.
///
/// # Errors
/// When the rule of connection, its values, what it carries or its plasticity do not fit.
pub(super) fn path<'a>(
    spec: &'a Spec,
    projection: &'a ProjectionSpec,
    found: &'a [Found],
    histories: &mut Vec<(usize, String)>,
    axis: Axis,
) -> Result<Path<'a>, BuildError> {
    let place = || format!("projections.{}", projection.name);
    let (from, to) = (projection.from, projection.to.population);
    let target = &spec.populations[to];
    let no_self = from == to && !projection.autapses;
    let counts = projection.ends(&spec.populations);
    let wiring = Wiring {
        rule: &projection.rule,
        sources: counts.0 as u32,
        targets: counts.1 as u32,
        no_self,
        multapses: projection.multapses,
        key: Key::new(spec.simulation.seed, &projection.draw_key(), "connect"),
        from: found[from]
            .sources
            .as_ref()
            .filter(|_| projection.coupling == Coupling::Event)
            .unwrap_or(&found[from].place),
        to: found[to].port(projection.to.port),
    };
    wiring.check().map_err(|m| unsuitable(format!("{}.connect", place()), m))?;
    let names = connection_names(&spec.populations[from], target);
    let area = Dimension::METRE.times(Dimension::METRE);
    let conductance = match projection.to.port {
        Port::Event(port) => {
            let weight = target.system.event_ports()[port].weight;
            weight == Dimension::SIEMENS || weight == Dimension::SIEMENS.per(area)
        }
        Port::Input(_) => false,
    };
    let found = Finder::new(projection, &wiring, &names, spec.simulation.seed, axis, conductance);
    let finder = found.map_err(|m| unsuitable(place(), m))?;
    let continuous = match &projection.coupling {
        Coupling::Event => None,
        Coupling::Continuous { value } => {
            let (pre, post) = variables(value);
            let mut names: Vec<(String, Dimension)> = Vec::new();
            let mut index = |population: usize, list: &[String], end: &str| -> Result<Vec<usize>, BuildError> {
                list.iter()
                    .map(|name| {
                        let dimension = dimension_of(&spec.populations[population].system, name).ok_or_else(|| {
                            unsuitable(
                                format!("{}.value", place()),
                                format!("there is no `{name}` in {}", spec.populations[population].name),
                            )
                        })?;
                        names.push((format!("{name}_{end}"), dimension));
                        let key = (population, name.clone());
                        Ok(histories.iter().position(|h| *h == key).unwrap_or_else(|| {
                            histories.push(key);
                            histories.len() - 1
                        }))
                    })
                    .collect()
            };
            let pre = index(from, &pre, "pre")?;
            let post = index(to, &post, "post")?;
            let bound: Vec<(&str, Dimension)> = names.iter().map(|n| (n.0.as_str(), n.1)).collect();
            let port = match projection.to.port {
                Port::Input(port) => target.system.inputs()[port].dimension,
                Port::Event(_) => Dimension::NONE,
            };
            let carried = Carried::new(value, &bound, port, target.time_unit())
                .map_err(|m| unsuitable(format!("{}.value", place()), m))?;
            Some((carried, pre, post))
        }
    };
    let spiking = projection.plasticity.as_ref().filter(|_| projection.coupling == Coupling::Event);
    let plastic = spiking.map(|p| Compiled::new(p, spec.simulation.dt)).transpose();
    let plastic = plastic.map_err(|m| unsuitable(format!("{}.plasticity", place()), m))?;
    let rates = learning(spec, projection, histories).map_err(|m| unsuitable(format!("{}.plasticity", place()), m))?;
    Ok(Path { spec: projection, wiring, finder, continuous, plastic, rates })
}

/// The rules of a projection between rates, with histories of what they look at.
fn learning(
    spec: &Spec,
    projection: &ProjectionSpec,
    histories: &mut Vec<(usize, String)>,
) -> Result<Option<Rates>, String> {
    let Some(rules) = projection.plasticity.as_ref().filter(|_| projection.coupling != Coupling::Event) else {
        return Ok(None);
    };
    let mut observed: [Vec<plasticity::Observed>; 2] = [Vec::new(), Vec::new()];
    for rule in &rules.rules {
        for (declared, text) in rule.rule.texts().source.given.iter().zip(&rule.given) {
            let (end, population) =
                if declared.name.ends_with("_pre") { (0, projection.from) } else { (1, projection.to.population) };
            for word in plasticity::words(text) {
                let Some(dimension) = dimension_of(&spec.populations[population].system, word) else { continue };
                if observed[end].iter().any(|o| o.0 == word) {
                    continue;
                }
                let key = (population, word.to_owned());
                let history = histories.iter().position(|h| *h == key).unwrap_or_else(|| {
                    histories.push(key);
                    histories.len() - 1
                });
                observed[end].push((word.to_owned(), dimension, history));
            }
        }
    }
    Rates::new(rules, [&observed[0], &observed[1]], spec.simulation.dt).map(Some)
}

/// Whether connections have values of their own that change.
pub(super) fn changes(path: &Path<'_>) -> bool {
    path.spec.plasticity.as_ref().is_some_and(spikedeck_scenario::PlasticitySpec::has_connection_states)
}

fn dimension_of(system: &System, name: &str) -> Option<Dimension> {
    let lists = [system.states(), system.parameters(), system.inputs(), system.subexpressions()];
    lists.iter().flat_map(|l| l.iter()).find(|v| v.name == name).map(|v| v.dimension)
}
