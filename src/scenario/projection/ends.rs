//! The two ends of a projection.

use super::Carries;
use crate::connect::Wiring;
use crate::selector::Units;
use crate::spec::{Apart, PairName, PopulationId, PopulationSpec, Port, Rule, Target, pairs};
use crate::value::KnownNames;
use spikedeck_core::units::Dimension;

/// Where a projection starts and ends.
pub(crate) struct ProjectionEnds<'a> {
    pub from: PopulationId,
    pub to: Target,
    pub source: &'a PopulationSpec,
    pub target: &'a PopulationSpec,
    carries: Carries,
}

impl<'a> ProjectionEnds<'a> {
    pub(super) fn new(all: &'a [PopulationSpec], from: PopulationId, to: Target, carries: Carries) -> Self {
        Self { from, source: &all[from.index()], target: &all[to.population.index()], to, carries }
    }

    /// Whether what is carried acts all the time.
    pub fn is_continuous(&self) -> bool {
        match self.carries {
            Carries::Event => false,
            Carries::Continuous => true,
        }
    }

    /// Numbers of sources and of targets.
    pub fn counts(&self) -> (usize, usize) {
        let sources = if self.is_continuous() { self.source.size } else { self.source.sources() };
        (sources, self.target.targets(self.to.port))
    }

    /// Sources and targets as a file names them.
    pub fn units(&self) -> (Units<'a>, Units<'a>) {
        let sources = if self.is_continuous() { Units::of(self.source) } else { Units::sources(self.source) };
        (sources, Units::targets(self.target, self.to.port))
    }

    /// Which of them are one cell, if both ends are one population.
    pub fn apart(&self) -> Option<Apart> {
        let is_recurrent = self.from == self.to.population;
        is_recurrent.then(|| Apart::between(self.source, self.source, self.to.port, self.is_continuous()))
    }

    /// Number of connections, where it is known before they are made.
    pub fn count(&self, wiring: &Wiring) -> Option<usize> {
        let (sources, targets) = self.counts();
        match &wiring.rule {
            Rule::OneToOne => Some(sources),
            Rule::Edges { source, .. } => Some(source.len()),
            // Listed by source, then target.
            Rule::AllToAll => Some(pairs(sources, targets, self.apart().filter(|_| !wiring.autapses))),
            _ => None,
        }
    }

    /// What weights and delays may name.
    pub fn names(&self) -> KnownNames<'_, PairName> {
        KnownNames::of_pairs(self.source, self.target)
    }

    /// Dimension of the weights of what spikes bring; none where no spikes arrive.
    pub fn event_dimension(&self) -> Dimension {
        match self.to.port {
            Port::Event(_) => self.target.port_dimension(self.to.port),
            Port::Input(_) | Port::Spikes => Dimension::NONE,
        }
    }
}
