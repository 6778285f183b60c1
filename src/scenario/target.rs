//! Where projections and stimuli end: `POP.PORT`.

use crate::projection::population;
use crate::resolver::{Resolver, suggest};
use crate::spec::{PopulationSpec, StimulusSpec, Target};
use spikedeck_model::document::{Entry, Node};

/// `POP.PORT`: an event port (receptor) or an input.
pub(super) fn target(
    resolver: &mut Resolver<'_>,
    node: &Node,
    what: &str,
    all: &[PopulationSpec],
    known: &[&str],
) -> Option<Target> {
    let text = resolver.text(node, what)?.to_owned();
    let (name, port) = text.split_once('.').map_or((text.as_str(), ""), |(a, b)| (a, b));
    let index = population(resolver, node, name, all, known)?;
    let p = &all[index.index()];
    if let Some(port) = p.port(port) {
        return Some(Target { population: index, port });
    }
    if p.system.plays() {
        let what = format!("population `{name}` plays spikes: nothing arrives there");
        resolver.error_help(&node.place, what, "what it plays stands in its `spikes = { kind = ... }`");
        return None;
    }
    if p.system.parameters().iter().any(|v| v.name == port) {
        resolver.error_help(
            &node.place,
            format!("`{port}` is a parameter of `{name}`, which does not change during a run"),
            "stimuli act on parameters of points, and not on those that a reset, a refractory time or an event needs",
        );
        return None;
    }
    if p.system.states().iter().any(|v| v.name == port) {
        resolver.error_help(
            &node.place,
            format!("`{port}` is a state of `{name}`, and follows its equation"),
            format!("`clamp = \"{port}\"` in the population lets stimuli hold it"),
        );
        return None;
    }
    let events: Vec<&str> = p.system.event_ports().iter().map(|e| e.name.as_str()).collect();
    let inputs: Vec<&str> = p.system.inputs().iter().map(|v| v.name.as_str()).collect();
    let help = suggest(port, events.iter().chain(&inputs).copied());
    if port.is_empty() {
        let list = |names: &[&str], none: &str| if names.is_empty() { none.to_owned() } else { names.join(", ") };
        resolver.error_help(
            &node.place,
            format!("`{text}` names a population, but not where in it this arrives"),
            format!("write `{name}.PORT`; receptors: {}; inputs: {}", list(&events, "none"), list(&inputs, "none")),
        );
    } else {
        resolver.error_help(&node.place, format!("population `{name}` has no receptor or input `{port}`"), help);
    }
    None
}

/// Every clamped state is held at something.
pub(super) fn held(
    resolver: &mut Resolver<'_>,
    entries: &[Entry],
    populations: &[PopulationSpec],
    stimuli: &[StimulusSpec],
) {
    for (number, population) in populations.iter().enumerate() {
        let Some(state) = &population.clamp else { continue };
        let here = |s: &&StimulusSpec| s.target.population.index() == number && s.units.is_empty();
        if !stimuli.iter().filter(here).any(|s| population.commands_clamp(s.target.port)) {
            let entry = entries.iter().find(|e| e.key == population.name).expect("each population has its entry");
            resolver.error_help(
                &entry.place,
                format!("nothing says at which `{state}` all units of `{}` are held", population.name),
                format!("add a stimulus with `target = \"{}.{state}\"`: the command of the clamp", population.name),
            );
        }
    }
}
