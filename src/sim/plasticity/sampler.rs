//! Connections as they would be if everything so far had been worked off: looking changes nothing.
//!
//! What is seen at a grid point is what stands after all spikes that reach the connection there, of the source (at
//! once) and of the target (after the delay): this holds for weights and for the traces of both ends alike. A sample of
//! a rule between rates is taken at the beginning of a step, and the traces of its source are as late as they arrive.

use super::compile::MOST;
use super::{Plastic, Table, columns};
use spikedeck_scenario::{ConnectionVariableId, TraceId};

/// Where a connection is in a table: source, block, and number in the block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub source: u32,
    pub block: u32,
    pub connection: u32,
}

/// A variable of some connections of one table that is sampled now and then.
#[derive(Debug)]
pub(crate) struct ConnectionSampler {
    /// The trace.
    pub trace: TraceId,
    /// Columns of the trace that the connections are.
    pub columns: Vec<u32>,
    pub places: Vec<Slot>,
    /// Number of the variable among those of the rules; none: the efficacy.
    pub variable: Option<usize>,
    pub every: u64,
    pub scale: f64,
}

impl ConnectionSampler {
    /// Appends the values at grid point `at` in display units.
    pub fn sample(&self, at: u64, plastic: &mut Plastic, table: &Table, out: &mut Vec<f64>) {
        plastic.rows.advance(&plastic.rule.post, at);
        out.extend(self.places.iter().map(|&p| plastic.look(p, self.variable, at, table) / self.scale));
    }
}

impl Plastic {
    /// The number of a value of a connection; none where it is the efficacy.
    pub fn number(&self, variable: ConnectionVariableId) -> Option<usize> {
        self.rule.number(variable)
    }

    /// Whether the efficacy is one value a source, which is kept; where it differs between connections it is not.
    pub fn keeps_efficacy(&self) -> bool {
        !self.rule.efficacy_each
    }

    /// A variable of a connection at grid point `at`, after the spikes that reach the connection there; without a
    /// variable its efficacy at the last spike.
    fn look(&mut self, place: Slot, variable: Option<usize>, at: u64, table: &Table) -> f64 {
        let (n, m) = (self.rule.pre.len(), self.rule.post.len());
        let (source, c) = (place.source as usize, place.connection as usize);
        let block = &table.blocks[place.block as usize];
        let lane = place.block as usize * table.block_lanes + usize::from(block.targets[c]);
        let delay = block.delays.get(c).copied().unwrap_or(table.delay);
        // An efficacy of 1 for all is not kept.
        let Some(variable) = variable else {
            return if self.efficacy.is_empty() { 1.0 } else { self.efficacy[source] };
        };
        let mut state = [0.0; MOST];
        if variable < n {
            state[..n].copy_from_slice(&self.sources[source * n..(source + 1) * n]);
            self.rule.pre.flow.advance(&mut state[..n], at - u64::from(self.last[source]));
            return state[variable];
        }
        if variable < n + m {
            return self.rows.after(&self.rule.post, variable - n, at, delay, lane);
        }
        let mut own = [0.0; MOST];
        let count = self.rule.connection.len();
        if block.weights.is_empty() {
            return table.weight;
        }
        for (v, column) in own.iter_mut().zip(columns(block, &self.states[place.block as usize])) {
            *v = column[c];
        }
        let mut since = u64::from(self.since[place.block as usize].get(c).copied().unwrap_or(0));
        if let (Some(events), Some(program)) = (&self.events, &mut self.rule.on_post) {
            let d = i64::from(delay);
            let span = events.between(lane, i64::from(self.seen[source]) - d, at as i64 - d);
            for index in span.map_or(0..0, |s| s.at..s.end) {
                let time = u64::from(events.time(lane, index)) + u64::from(delay);
                self.rule.connection.flow.advance(&mut own[..count], time - since);
                since = time;
                state[..n].copy_from_slice(&self.sources[source * n..(source + 1) * n]);
                self.rule.pre.flow.advance(&mut state[..n], time - u64::from(self.last[source]));
                let mut set = |v: usize, x: f64| program.input(v).iter_mut().take(1).for_each(|to| *to = x);
                state[..n].iter().enumerate().for_each(|(i, &x)| set(i, x));
                self.kept.iter().enumerate().for_each(|(k, &i)| set(n + i, events.value(lane, index, k)));
                own[..count].iter().enumerate().for_each(|(k, &x)| set(n + m + k, x));
                program.run(1);
                for (k, &v) in self.rule.changed_by_post.iter().enumerate() {
                    let mut one = [0.0];
                    program.copy(k, &mut one);
                    own[v - n - m] = one[0];
                }
            }
        }
        self.rule.connection.flow.advance(&mut own[..count], at - since);
        own[variable - n - m]
    }
}
