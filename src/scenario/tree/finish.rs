//! Zones, slots and steady states, once everything that compartments carry is known.

use std::collections::BTreeMap;

use super::TreeShape;
use crate::mechanism::Mechanism;
use crate::resolver::Resolver;
use crate::spec::{TreeSpec, Zone, ZoneParts};
use spikedeck_equation::System;
use spikedeck_model::Definition;
use spikedeck_model::document::Node;

impl TreeShape {
    /// The resolved tree; `system` is the membrane carrying all of `mechanisms`, which are in the order of carrying.
    pub fn finish(
        &self,
        resolver: &mut Resolver<'_>,
        system: &System,
        model: &Definition,
        mechanisms: &[Mechanism],
        cells: usize,
        initial: Option<&Node>,
    ) -> TreeSpec {
        let count = self.compartments.count;
        let mut carried: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (m, mechanism) in mechanisms.iter().enumerate() {
            mechanism.on.iter().for_each(|&c| carried[c as usize].push(m));
        }
        let mut groups: BTreeMap<&[usize], Vec<u32>> = BTreeMap::new();
        for (c, list) in carried.iter().enumerate() {
            groups.entry(list).or_default().push(c as u32);
        }
        let mut zones = Vec::new();
        let mut told = vec![false; mechanisms.len()];
        for (list, compartments) in groups {
            let mut with = model.system.clone();
            for &m in list {
                match with.carrying(&mechanisms[m].spec.name, &mechanisms[m].spec.definition.system) {
                    Ok(next) => with = next,
                    Err(problems) => {
                        let whole =
                            spikedeck_model::morphology::place::name(&self.compartments, compartments[0] as usize);
                        for d in problems.into_iter().filter(|_| !std::mem::replace(&mut told[m], true)) {
                            resolver.error_help(
                                &mechanisms[m].place,
                                format!("{} (in the compartment `{whole}`)", d.message),
                                "put what provides it into the same compartments",
                            );
                        }
                    }
                }
            }
            // What could not be carried was said, and nothing is built of it.
            let parts = ZoneParts::of(&with, system).unwrap_or_default();
            zones.push(Zone { system: with, parts, compartments });
        }
        let slots = system
            .event_ports()
            .iter()
            .map(|port| mechanisms.iter().find(|m| m.spec.name == port.name).map_or_else(Vec::new, |m| m.on.clone()))
            .collect();
        let written = |state: &str| {
            initial.is_some_and(|n| {
                n.get(state).is_some()
                    || state.split_once('.').is_some_and(|(m, own)| n.get(m).and_then(|inner| inner.get(own)).is_some())
            })
        };
        // Gates start where they would settle at the initial voltage, unless a file or the scenario says otherwise.
        let steady = system
            .states()
            .iter()
            .map(|s| mechanisms.iter().any(|m| m.is_steady(&s.name)) && !written(&s.name))
            .collect();
        TreeSpec {
            cells,
            compartments: self.compartments.clone(),
            zones,
            spiking: self.spiking.clone(),
            slots,
            held: self.held.clone(),
            steady,
        }
    }
}
