//! The state of connections that change, with the weights that stand in their table.

use super::{Plastic, Table, column_mut, columns};
use crate::snapshot::{Pass, Snapshot};

/// Connections that change, with the table that they are in.
pub(crate) struct Changing<'a> {
    pub plastic: &'a mut Plastic,
    pub table: &'a mut Table,
    /// Number of target lanes.
    pub lanes: usize,
}

/// Where a connection is.
#[derive(Clone, Copy)]
struct Place {
    lane: u32,
    block: u32,
    connection: u32,
}

/// Every connection in the order of its target, then its source, then as stored: this order is the same however targets
/// are shared out.
fn places(table: &Table) -> Vec<Place> {
    let mut places = Vec::with_capacity(table.len() as usize);
    let sources = table.blocks.first().map_or(0, |b| b.starts.len() - 1);
    for source in 0..sources {
        for (number, block) in table.blocks.iter().enumerate() {
            for connection in block.starts[source]..block.starts[source + 1] {
                let lane = (number * table.block_lanes) as u32 + u32::from(block.targets[connection as usize]);
                places.push(Place { lane, block: number as u32, connection });
            }
        }
    }
    places.sort_by_key(|p| p.lane);
    places
}

impl Snapshot for Changing<'_> {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self { plastic, table, lanes } = self;
        let now = pass.now();
        if pass.saves() {
            // What each thread has worked off is its own affair and changes no bit: all do so up to now.
            plastic.rows.advance(&plastic.rule.post, now);
            plastic.catch_up_all(now, table);
            if let Some(events) = &mut plastic.events {
                events.forget(now as i64 - i64::from(plastic.longest));
            }
        }
        let Plastic {
            rule,
            last,
            seen,
            sources,
            efficacy,
            rows,
            events,
            kept: _,
            states,
            longest: _,
            pending: _,
            since,
            // With one a run has ended.
            failed: _,
        } = &mut **plastic;
        pass.whole("last spike of sources", last);
        pass.whole("sources", sources);
        pass.whole("efficacy", efficacy);
        seen.fill(now as u32);
        rows.visit(pass);
        if let Some(events) = events {
            events.visit(pass);
        }
        let places = places(table);
        let mut lengths = vec![0; *lanes];
        for p in &places {
            lengths[p.lane as usize] += 1;
        }
        let kinds = states.first().map_or(0, |own| own.len() + 1);
        let is_weighted = table.blocks.iter().all(|b| b.weights.len() == b.targets.len());
        for kind in (0..kinds).filter(|kind| *kind > 0 || is_weighted) {
            let value = |p: &Place| {
                let (block, own) = (&table.blocks[p.block as usize], &states[p.block as usize]);
                columns(block, own).nth(kind).expect("a connection has so many values")[p.connection as usize]
            };
            let mut values: Vec<f64> = places.iter().map(value).collect();
            pass.listed(&format!("connection {kind}"), &lengths, &mut values);
            for (p, value) in places.iter().zip(values) {
                let (block, own) = (&mut table.blocks[p.block as usize], &mut states[p.block as usize]);
                column_mut(block, own, kind)[p.connection as usize] = value;
            }
        }
        if !rule.connection.flow.is_still() {
            let mut values: Vec<u32> = places.iter().map(|p| since[p.block as usize][p.connection as usize]).collect();
            pass.listed("last event", &lengths, &mut values);
            for (p, value) in places.iter().zip(values) {
                since[p.block as usize][p.connection as usize] = value;
            }
        }
    }
}
