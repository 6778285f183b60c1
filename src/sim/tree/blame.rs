//! What a state of a cell that is not finite began with: an expression that has no value somewhere in the cell, or
//! growth.
//!
//! One compartment that has no current leaves no voltage in its cell a number: the solution spreads what is not finite.
//! So every compartment of the cell is looked at, with states that are not finite as they were at the start.

use super::{Tree, Zone};
use crate::body::Blame;
use spikedeck_equation::graph::Id;
use spikedeck_equation::tape::{Tape, Values};

impl Tree {
    /// Where and what made `state` of `unit` what it is at grid point `k`.
    pub fn blame(&self, unit: u32, state: usize, k: u64, inputs: &[&[f64]]) -> (u32, Blame) {
        let cell = unit as usize / self.units;
        let time = (k * u64::from(self.substeps)) as f64 * self.h;
        let found = self.zones.iter().filter_map(|zone| {
            let looked = Looked::new(zone, self.system.subexpressions().len());
            let mut broken = zone.compartments.iter().enumerate().filter_map(|(place, &compartment)| {
                let unit = (cell * self.units) as u32 + compartment;
                let input =
                    |port: usize| inputs.get(port).and_then(|row| row.get(unit as usize)).copied().unwrap_or(0.0);
                let broken = looked.broken(place * self.cells + cell, time, input)?;
                Some((unit, broken))
            });
            broken.next()
        });
        let Some((unit, broken)) = found.min_by_key(|f| f.0) else { return (unit, Blame::State(state)) };
        (unit, Blame::Expression(broken))
    }
}

/// The rates and named expressions of a zone.
struct Looked<'a> {
    zone: &'a Zone,
    rates: Tape,
    expressions: Tape,
    /// Number of named expressions of the population.
    expressions_of_all: usize,
}

impl<'a> Looked<'a> {
    fn new(zone: &'a Zone, expressions_of_all: usize) -> Self {
        let p = zone.system.parts();
        let (rates, expressions) = (Tape::new(&p.graph, &p.drift), Tape::new(&p.graph, &p.subexpression_ids));
        Self { zone, rates, expressions, expressions_of_all }
    }

    /// The first that has no value in a lane, though its states have: the number of an expression of the population,
    /// or after all of these that of a rate.
    fn broken(&self, lane: usize, time: f64, input: impl Fn(usize) -> f64) -> Option<usize> {
        let p = self.zone.system.parts();
        let mut states = self.zone.states(lane);
        states.iter_mut().zip(self.zone.begun()).filter(|(v, _)| !v.is_finite()).for_each(|(v, begun)| *v = *begun);
        let (parameters, inputs) = (self.zone.lane_parameters(lane), self.zone.inputs(input));
        let values =
            Values { states: &states, parameters: &parameters, inputs: &inputs, time: Some(time), ..Values::default() };
        let missing = |tape: &Tape, count: usize| -> Vec<bool> {
            let mut found = vec![0.0; count];
            tape.evaluate(&values, &mut found);
            found.iter().map(|v| !v.is_finite()).collect()
        };
        let rate = missing(&self.rates, p.drift.len()).iter().position(|b| *b)?;
        let (read, named) =
            (p.graph.reachable(&[p.drift[rate]]), missing(&self.expressions, p.subexpression_ids.len()));
        let inner = (0..named.len()).filter(|&s| named[s] && read[p.subexpression_ids[s].index()]);
        // Nodes stand behind those that they are made of.
        let first = inner.min_by_key(|&s| -> Id { p.subexpression_ids[s] });
        let of = &self.zone.parts;
        Some(first.map_or_else(|| self.expressions_of_all + of.states[rate].index(), |s| of.subexpressions[s].index()))
    }
}
