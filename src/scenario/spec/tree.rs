//! Resolved trees: populations whose units are the compartments of cells.

use std::sync::Arc;

use super::ids::{EventId, InputId, ParameterId, StateId, SubexpressionId, VariableId};
use super::network::{PopulationSpec, Port};
use spikedeck_equation::System;
use spikedeck_equation::graph::{Node, Symbol};
use spikedeck_equation::space::OperatorKind;
use spikedeck_model::morphology::{Compartments, place};

/// Compartments that carry the same channels and receptors, with the equations of one of them.
#[derive(Debug, Clone)]
pub struct Zone {
    /// The membrane carrying what is there.
    pub system: System,
    /// What its parts are in the population's system.
    pub parts: ZoneParts,
    /// Compartments of a cell.
    pub compartments: Vec<u32>,
}

/// What each part of a zone's system is in the system of the population, in the order of the zone's.
#[derive(Debug, Clone, Default)]
pub struct ZoneParts {
    /// Its states.
    pub states: Vec<StateId>,
    /// Its parameters.
    pub parameters: Vec<ParameterId>,
    /// Its named subexpressions.
    pub subexpressions: Vec<SubexpressionId>,
    /// Its ports for values.
    pub inputs: Vec<InputId>,
    /// Its ports for events.
    pub events: Vec<EventId>,
}

impl ZoneParts {
    /// Those of `zone`, whose parts are called as those of `population`; none where what it carries is in none of it.
    pub(crate) fn of(zone: &System, population: &System) -> Option<Self> {
        fn ids<T, I>(own: &[T], of: &[T], name: fn(&T) -> &str, id: fn(usize) -> I) -> Option<Vec<I>> {
            own.iter().map(|v| of.iter().position(|o| name(o) == name(v)).map(id)).collect()
        }
        Some(Self {
            states: ids(zone.states(), population.states(), |v| &v.name, StateId::new)?,
            parameters: ids(zone.parameters(), population.parameters(), |v| &v.name, ParameterId::new)?,
            subexpressions: ids(zone.subexpressions(), population.subexpressions(), |v| &v.name, SubexpressionId::new)?,
            inputs: ids(zone.inputs(), population.inputs(), |v| &v.name, InputId::new)?,
            events: ids(zone.event_ports(), population.event_ports(), |v| &v.name, EventId::new)?,
        })
    }

    /// The zone's own number of a quantity of the population, if it has it.
    pub fn number(&self, variable: VariableId) -> Option<usize> {
        match variable {
            VariableId::State(id) => self.states.iter().position(|own| *own == id),
            VariableId::Parameter(id) => self.parameters.iter().position(|own| *own == id),
            VariableId::Subexpression(id) => self.subexpressions.iter().position(|own| *own == id),
            VariableId::Input(id) => self.inputs.iter().position(|own| *own == id),
        }
    }
}

/// Cells of one morphology. Units are numbered cell by cell; in a cell, compartments first, then nodes.
#[derive(Debug, Clone)]
pub struct TreeSpec {
    /// Number of cells.
    pub cells: usize,
    /// A cell.
    pub compartments: Arc<Compartments>,
    /// Each compartment is in one of them.
    pub zones: Vec<Zone>,
    /// Units of a cell whose threshold is watched: what spikes are numbered by, cell by cell.
    pub spiking: Vec<u32>,
    /// For each event port of the population's system, the compartments that have it.
    pub slots: Vec<Vec<u32>>,
    /// Units of a cell whose voltage is held, with its value.
    pub held: Vec<(u32, f64)>,
    /// For each state of the population's system, whether it starts where its rate is zero.
    pub steady: Vec<bool>,
}

impl TreeSpec {
    /// Units of one cell.
    pub fn units(&self) -> usize {
        self.compartments.units()
    }

    /// Whether a unit of the population is a compartment with a membrane, and no node between or at the ends of
    /// sections.
    pub fn has_membrane(&self, unit: usize) -> bool {
        unit % self.units() < self.compartments.count
    }

    /// The units of all cells that a place names.
    ///
    /// # Errors
    /// What is wrong with it and what there is.
    pub fn find(&self, text: &str) -> Result<Vec<u32>, (String, String)> {
        let one = place::units(&self.compartments, text)?;
        let per_cell = self.units() as u32;
        Ok((0..self.cells as u32).flat_map(|c| one.iter().map(move |u| c * per_cell + u)).collect())
    }

    /// All units but nodes.
    pub fn membranes(&self) -> Vec<u32> {
        let (per_cell, count) = (self.units() as u32, self.compartments.count as u32);
        (0..self.cells as u32).flat_map(|c| (0..count).map(move |u| c * per_cell + u)).collect()
    }

    /// The name of a unit: `apical(0.7)`, with the cell where there are several.
    pub fn name(&self, unit: usize) -> String {
        let name = place::name(&self.compartments, unit);
        if self.cells == 1 { name } else { format!("{name} of {}", unit / self.units().max(1)) }
    }
}

impl PopulationSpec {
    /// Which units have a quantity, a mark a unit of a cell; none where all have it. On trees a place has what its
    /// mechanisms bring, and nodes between and at the ends of sections have the state that is coupled along the tree
    /// and no more.
    pub fn having(&self, variable: VariableId) -> Option<Vec<bool>> {
        let tree = self.tree.as_deref()?;
        let along = self.system.operators().iter().any(|o| {
            let coupled = self.system.parts().graph.node(o.argument);
            match (&o.kind, coupled, variable) {
                (OperatorKind::Axial(_), Node::Symbol(Symbol::State(s)), VariableId::State(id)) => {
                    id.index() == s as usize
                }
                _ => false,
            }
        });
        if along {
            return None;
        }
        let mut marks = vec![false; tree.units()];
        for zone in tree.zones.iter().filter(|z| z.parts.number(variable).is_some()) {
            zone.compartments.iter().for_each(|&c| marks[c as usize] = true);
        }
        Some(marks)
    }

    /// Number of what spikes: units, or the watched places of all cells of a tree.
    pub fn sources(&self) -> usize {
        self.tree.as_ref().map_or(self.size, |t| t.cells * t.spiking.len())
    }

    /// Number of places at which something arrives at a port.
    pub fn targets(&self, port: Port) -> usize {
        match (&self.tree, port) {
            (Some(t), Port::Event(e)) => t.cells * t.slots[e.index()].len(),
            _ => self.size,
        }
    }
}
