//! Connections that change: rules between spikes, worked off when a source spikes (rules between rates are in `rates`).
//!
//! All delay is dendritic: a spike of the source reaches the connection at once, one of the target after the delay of
//! the connection, and so does what is sent. So when a source spikes at grid point s, everything that its connections
//! have to know has happened: spikes of their targets up to s - d. Each connection then catches up with the spikes of
//! its target since the source's last one, the source's own spike acts, and the weight is sent. Traces belong to units.
//! Those of sources are brought forward from spike to spike; those of targets stand in rows, one a grid point, that
//! reach back as far as the longest delay. Both are seen as they were before the spikes of their own grid point, so two
//! spikes that reach a connection together do not make a pair.
//!
//! What a connection sees is a chain of events, each with its own grid point, and its states flow from one event to the
//! next in one go. So it does not matter when the chain is worked off: not to the spikes of targets that are kept until
//! then (there is room for some, and when it is used up all connections catch up), nor to blocks, threads or to who
//! looks.

mod compile;
mod events;
mod flow;
mod learning;
mod numbering;
mod rates;
mod rows;
mod sampler;
mod send;
mod snapshot;

pub(super) use compile::Compiled;
pub(super) use learning::{Ends, Learning, Links};
pub(super) use rates::{Observed, Rates};
pub(super) use sampler::{ConnectionSampler, Slot};
pub(super) use snapshot::Changing;

use compile::MOST;
use events::{Events, Span};
use rows::Rows;
use send::{Factor, send};

use super::delivery::{Block, Ring, Table};
use spikedeck_equation::formulas::Formulas;
use spikedeck_equation::program::Operand;

/// Spikes of a lane that are kept before sources are made to catch up; below it there is only more room.
pub(super) const ENOUGH: usize = 32;

/// A value of a connection that has become no finite number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Diverged {
    /// Grid point at which that happened, which may be long before it is noticed.
    pub step: u64,
    pub source: u32,
    pub lane: u32,
    /// Number among the values of a connection; 0 is the weight.
    pub value: usize,
}

/// What changes of the connections of one table.
#[derive(Debug)]
pub(super) struct Plastic {
    rule: Compiled,
    /// Grid point of each source's last spike, and up to which spikes of targets its connections have seen.
    last: Vec<u32>,
    seen: Vec<u32>,
    /// States of the sources just after their last spike, source by source.
    sources: Vec<f64>,
    /// Efficacy at each source's last spike, if it is the same for all its connections.
    efficacy: Vec<f64>,
    rows: Rows,
    events: Option<Events>,
    /// Which traces of targets are kept with their spikes.
    kept: Vec<usize>,
    /// States of connections beside the weight, block by block, state by state.
    states: Vec<Vec<Vec<f64>>>,
    longest: u16,
    pending: Vec<Pending>,
    /// Grid point of each connection's last event, block by block, if its states move between events.
    since: Vec<Vec<u32>>,
    /// The first value of a connection that is no finite number.
    pub failed: Option<Diverged>,
}

/// A connection that has spikes of its target to work off.
#[derive(Debug, Clone, Copy)]
struct Pending {
    connection: usize,
    lane: u32,
    delay: u32,
    span: Span,
}

/// A run of connections: one source in one block.
#[derive(Debug, Clone, Copy)]
struct Run {
    block: usize,
    /// First lane of the block.
    lane: usize,
    from: usize,
    to: usize,
    source: usize,
}

impl Plastic {
    /// For the connections of `table` into `lanes` lanes.
    pub fn new(rule: &Compiled, table: &Table, sources: usize, lanes: usize) -> Self {
        let longest = table.delays().map_or(0, |d| d.1);
        let (n, m) = (rule.pre.len(), rule.post.len());
        let reads = |p: &Option<Formulas>| -> Vec<usize> {
            (0..m).filter(|&i| p.as_ref().is_some_and(|p| p.variable(n + i).is_some())).collect()
        };
        let kept = reads(&rule.on_post);
        let states = table
            .blocks
            .iter()
            .map(|b| rule.connection.initial[1..].iter().map(|&v| vec![v; b.targets.len()]).collect())
            .collect();
        Self {
            last: vec![0; sources],
            seen: vec![0; sources],
            sources: (0..sources).flat_map(|_| rule.pre.initial.iter().copied()).collect(),
            efficacy: vec![1.0; if rule.efficacy_shared.is_some() { sources } else { 0 }],
            rows: Rows::new(&rule.post, lanes, usize::from(longest)),
            events: rule.on_post.is_some().then(|| Events::new(lanes, kept.len())),
            kept,
            states,
            longest,
            pending: Vec::new(),
            since: table
                .blocks
                .iter()
                .map(|b| vec![0; if rule.connection.flow.is_still() { 0 } else { b.targets.len() }])
                .collect(),
            failed: None,
            rule: rule.clone(),
        }
    }

    /// Works off the grid point `at`: `sources` that spiked (ascending), lanes of targets that spiked. Returns the
    /// number of events delivered.
    pub fn step(&mut self, at: u64, sources: &[u32], lanes: &[u32], table: &mut Table, ring: Option<&mut Ring>) -> u64 {
        if sources.is_empty() && lanes.is_empty() {
            return 0;
        }
        self.rows.advance(&self.rule.post, at);
        if self.events.is_some() {
            for &lane in lanes {
                self.remember(lane as usize, at as u32, table);
            }
        }
        let mut count = 0;
        if let Some(ring) = ring {
            for &source in sources {
                count += self.spike(source as usize, at, table, ring);
            }
        }
        self.rows.spike(&self.rule.post, lanes);
        count
    }

    /// Keeps a spike of a target.
    fn remember(&mut self, lane: usize, at: u32, table: &mut Table) {
        if self.events.as_ref().is_some_and(|e| e.is_full(lane)) {
            self.make_room(lane, at, table);
        }
        if let Some(events) = &mut self.events {
            events.push(lane, at, self.kept.iter().map(|&i| self.rows.now(i, lane)));
        }
    }

    fn make_room(&mut self, lane: usize, at: u32, table: &mut Table) {
        let before = at.saturating_sub(1);
        let room = self.events.as_ref().map_or(0, Events::room);
        let mut seen = self.seen.iter().copied().min().unwrap_or(before);
        if room >= ENOUGH {
            self.catch_up_all(u64::from(before), table);
            seen = before;
        }
        let events = self.events.as_mut().expect("room is made where spikes of targets are kept");
        events.forget(i64::from(seen) - i64::from(self.longest));
        if events.is_full(lane) {
            events.grow();
        }
    }

    /// Lets all connections see the spikes of their targets that reach them up to grid point `at`.
    fn catch_up_all(&mut self, at: u64, table: &mut Table) {
        for source in 0..self.seen.len() {
            for run in runs(table, source) {
                self.catch_up(&mut table.blocks[run.block], table.delay, run, at);
            }
            self.seen[source] = at as u32;
        }
    }

    /// The end of the run: weights are those of grid point `at`.
    pub fn finish(&mut self, at: u64, table: &mut Table) {
        let moves = !self.rule.connection.flow.is_still();
        if self.rule.on_post.is_some() || moves {
            self.catch_up_all(at, table);
        }
        for source in (0..self.seen.len()).filter(|_| moves) {
            for run in runs(table, source) {
                self.flow(&mut table.blocks[run.block], run, at);
            }
        }
    }

    /// A spike of `source`: its connections catch up, it acts on them, and their weights are sent.
    fn spike(&mut self, source: usize, at: u64, table: &mut Table, ring: &mut Ring) -> u64 {
        let n = self.rule.pre.len();
        let mut state = [0.0; MOST];
        state[..n].copy_from_slice(&self.sources[source * n..(source + 1) * n]);
        self.rule.pre.flow.advance(&mut state[..n], at - u64::from(self.last[source]));
        let shared = self.rule.efficacy_shared.as_ref().map(|tape| {
            tape.value(&spikedeck_equation::tape::Values {
                variables: &state[..n],
                ..spikedeck_equation::tape::Values::default()
            })
        });
        if let Some(value) = shared {
            self.efficacy[source] = value;
        }
        let mut count = 0;
        for run in runs(table, source) {
            self.catch_up(&mut table.blocks[run.block], table.delay, run, at);
            self.flow(&mut table.blocks[run.block], run, at);
            self.act(table, run, at, &state[..n], shared.unwrap_or(1.0), ring);
            count += (run.to - run.from) as u64;
        }
        self.rule.pre.spike(&mut state[..n]);
        self.sources[source * n..(source + 1) * n].copy_from_slice(&state[..n]);
        self.last[source] = at as u32;
        self.seen[source] = at as u32;
        count
    }

    /// Works off the spikes of targets that the connections of a run have not seen, up to grid point `at`.
    fn catch_up(&mut self, block: &mut Block, same_delay: u16, run: Run, at: u64) {
        let moves = !self.rule.connection.flow.is_still();
        let seen = self.seen[run.source];
        let (Some(events), Some(program)) = (&self.events, &mut self.rule.on_post) else { return };
        let pending = &mut self.pending;
        pending.clear();
        for (k, &target) in block.targets[run.from..run.to].iter().enumerate() {
            let connection = run.from + k;
            let delay = u32::from(block.delays.get(connection).copied().unwrap_or(same_delay));
            let lane = run.lane + usize::from(target);
            if let Some(span) = events.between(lane, i64::from(seen) - i64::from(delay), at as i64 - i64::from(delay)) {
                pending.push(Pending { connection, lane: lane as u32, delay, span });
            }
        }
        let (n, m) = (self.rule.pre.len(), self.rule.post.len());
        let before = &self.sources[run.source * n..(run.source + 1) * n];
        let last = self.last[run.source];
        // The first spike of each connection, then the second of those that have one, ...
        while !pending.is_empty() {
            for chunk in pending.chunks(program.block()) {
                for i in 0..n {
                    let input = program.input(i);
                    if input.is_empty() {
                        continue;
                    }
                    for (to, p) in input.iter_mut().zip(chunk) {
                        let time = events.time(p.lane as usize, p.span.at) + p.delay;
                        *to = self.rule.pre.flow.value(before, i, u64::from(time - last));
                    }
                }
                for (kept, &i) in self.kept.iter().enumerate() {
                    for (to, p) in program.input(n + i).iter_mut().zip(chunk) {
                        *to = events.value(p.lane as usize, p.span.at, kept);
                    }
                }
                let states = &mut self.states[run.block];
                if moves {
                    for p in chunk {
                        let time = events.time(p.lane as usize, p.span.at) + p.delay;
                        let since = std::mem::replace(&mut self.since[run.block][p.connection], time);
                        if let Err(value) =
                            flow_one(&self.rule.connection.flow, block, states, p.connection, u64::from(time - since))
                        {
                            note(
                                &mut self.failed,
                                Diverged { step: u64::from(time), source: run.source as u32, lane: p.lane, value },
                            );
                        }
                    }
                }
                for (k, column) in columns(block, states).enumerate() {
                    for (to, p) in program.input(n + m + k).iter_mut().zip(chunk) {
                        *to = column[p.connection];
                    }
                }
                program.run(chunk.len());
                for (k, &v) in self.rule.changed_by_post.iter().enumerate() {
                    let column = column_mut(block, states, v - n - m);
                    let finite = match program.value(k) {
                        Operand::Each(values) => {
                            chunk.iter().zip(values).for_each(|(p, &x)| column[p.connection] = x);
                            is_finite(&values[..chunk.len()])
                        }
                        Operand::Shared(x) => {
                            for p in chunk {
                                column[p.connection] = x;
                            }
                            x.is_finite()
                        }
                    };
                    for p in chunk.iter().filter(|p| !finite && !column[p.connection].is_finite()) {
                        let step = u64::from(events.time(p.lane as usize, p.span.at) + p.delay);
                        note(
                            &mut self.failed,
                            Diverged { step, source: run.source as u32, lane: p.lane, value: v - n - m },
                        );
                    }
                }
            }
            pending.retain_mut(|p| {
                p.span.at += 1;
                p.span.at < p.span.end
            });
        }
    }

    /// Brings states of connections that follow an equation to grid point `at`.
    fn flow(&mut self, block: &mut Block, run: Run, at: u64) {
        if self.rule.connection.flow.is_still() {
            return;
        }
        for k in run.from..run.to {
            let since = std::mem::replace(&mut self.since[run.block][k], at as u32);
            let steps = at - u64::from(since);
            if let Err(value) = flow_one(&self.rule.connection.flow, block, &mut self.states[run.block], k, steps) {
                let lane = (run.lane + usize::from(block.targets[k])) as u32;
                note(&mut self.failed, Diverged { step: at, source: run.source as u32, lane, value });
            }
        }
    }

    /// The spike of the source acts on the connections of a run, and their weights are sent.
    fn act(&mut self, table: &mut Table, run: Run, at: u64, pre: &[f64], shared: f64, ring: &mut Ring) {
        let (n, m) = (self.rule.pre.len(), self.rule.post.len());
        let block = &mut table.blocks[run.block];
        let same_delay = table.delay;
        let states = &mut self.states[run.block];
        let Some(program) = &mut self.rule.on_pre else {
            send(block, (run.from, run.to), (run.lane, same_delay, table.weight), at, Factor::Same(shared), ring);
            return;
        };
        let mut from = run.from;
        while from < run.to {
            let to = (from + program.block()).min(run.to);
            let count = to - from;
            for (i, &v) in pre.iter().enumerate() {
                program.input(i).iter_mut().take(count).for_each(|x| *x = v);
            }
            for i in 0..m {
                let input = program.input(n + i);
                if !input.is_empty() {
                    if block.delays.is_empty() {
                        let row = self.rows.before(i, at, same_delay);
                        let lanes = &row[run.lane..];
                        input.iter_mut().zip(&block.targets[from..to]).for_each(|(x, &t)| *x = lanes[usize::from(t)]);
                    } else {
                        for ((x, &t), &d) in input.iter_mut().zip(&block.targets[from..to]).zip(&block.delays[from..to])
                        {
                            *x = self.rows.before(i, at, d)[run.lane + usize::from(t)];
                        }
                    }
                }
            }
            for (k, column) in columns(block, states).enumerate() {
                let input = program.input(n + m + k);
                if !input.is_empty() {
                    input[..count].copy_from_slice(&column[from..to]);
                }
            }
            program.run(count);
            for (k, &v) in self.rule.changed_by_pre.iter().enumerate() {
                let column = column_mut(block, states, v - n - m);
                program.copy(k, &mut column[from..to]);
                if !is_finite(&column[from..to]) {
                    let bad = column[from..to].iter().position(|w| !w.is_finite());
                    let bad = from + bad.expect("not all of them are finite");
                    let lane = (run.lane + usize::from(block.targets[bad])) as u32;
                    note(&mut self.failed, Diverged { step: at, source: run.source as u32, lane, value: v - n - m });
                }
            }
            let own = self.rule.efficacy_each.then_some(self.rule.changed_by_pre.len());
            let mut each = [0.0; 512];
            if let Some(k) = own {
                program.copy(k, &mut each[..count]);
            }
            let factor = if own.is_some() { Factor::Each(&each[..count]) } else { Factor::Same(shared) };
            send(block, (from, to), (run.lane, same_delay, table.weight), at, factor, ring);
            from = to;
        }
    }
}

/// The connections of a source, block by block.
fn runs(table: &Table, source: usize) -> Vec<Run> {
    let runs = table.blocks.iter().enumerate().map(|(b, block)| {
        let (from, to) = (block.starts[source] as usize, block.starts[source + 1] as usize);
        Run { block: b, lane: b * table.block_lanes, from, to, source }
    });
    runs.filter(|r| r.from < r.to).collect()
}

/// Weight and further states of the connections of a block.
fn columns<'a>(block: &'a Block, states: &'a [Vec<f64>]) -> impl Iterator<Item = &'a [f64]> {
    std::iter::once(&*block.weights).chain(states.iter().map(Vec::as_slice))
}

fn column_mut<'a>(block: &'a mut Block, states: &'a mut [Vec<f64>], k: usize) -> &'a mut [f64] {
    if k == 0 { &mut block.weights } else { &mut states[k - 1] }
}

/// Brings the values of a connection forward; the number of the first that is no longer finite, if one is not.
fn flow_one(
    flow: &flow::Flow,
    block: &mut Block,
    states: &mut [Vec<f64>],
    connection: usize,
    steps: u64,
) -> Result<(), usize> {
    let mut values = [0.0; MOST];
    let count = 1 + states.len();
    for (v, column) in values.iter_mut().zip(columns(block, states)) {
        *v = column[connection];
    }
    flow.advance(&mut values[..count], steps);
    for (k, v) in values[..count].iter().enumerate() {
        column_mut(block, states, k)[connection] = *v;
    }
    values[..count].iter().position(|v| !v.is_finite()).map_or(Ok(()), Err)
}

/// Keeps the earliest failure, of several at once the first: whichever is noticed first.
fn note(failed: &mut Option<Diverged>, new: Diverged) {
    *failed = Some(failed.map_or(new, |f| f.min(new)));
}

/// Whether all values are finite.
fn is_finite(values: &[f64]) -> bool {
    values.iter().map(|v| v * 0.0).sum::<f64>() == 0.0
}

#[cfg(test)]
mod tests {
    use super::super::connect::Wiring;
    use super::super::delivery::{Properties, Property};
    use super::super::geometry::Geometry;
    use super::*;
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::Rule;

    /// A rule whose states move between spikes, three sources and five targets.
    fn moving() -> (Plastic, Table) {
        let text = "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 3\n\
            [populations.b]\nmodel = \"lif\"\nsize = 5\nreceptors.syn = { kind = \"exp_current\", tau = \"2 ms\" }\n\
            [projections.p]\nfrom = \"a\"\nto = \"b.syn\"\nconnect = \"all_to_all\"\nweight = \"1 pA\"\ndelay = \"1.3 \
            ms\"\nplasticity = { kind = \"tagged\", s = \"1 pA\" }\n\
            [plasticity.tagged]\nequations = \"\"\"\ndx_pre/dt = -x_pre/tau : 1\ndy_post/dt = -y_post/tau : 1\n\
            dtag/dt = (0.1 - tag)/tau : 1\ndw/dt = -w/slow : weight\n\"\"\"\n\
            on_pre = \"tag += y_post; x_pre += 1\"\non_post = \"w += s*tag*x_pre; tag *= 0.9; y_post += 1\"\n\
            parameters = { tau = \"20 ms\", slow = \"500 ms\", s = { value = 1, unit = \"weight\" } }\n";
        let spec = crate::tests::spec(text);
        let rule = Compiled::new(spec.projections[0].plasticity.as_ref().unwrap(), spec.simulation.dt).unwrap();
        let place = Geometry::default();
        let key = Key::new(1, "projections.p", "connect");
        let wiring = Wiring {
            rule: &Rule::AllToAll,
            sources: 3,
            targets: 5,
            apart: None,
            multapses: true,
            key,
            from: &place,
            to: &place,
        };
        let table = Table::build(
            &wiring,
            0..5,
            &Properties { weight: Property::Each(&|_: &crate::connect::Link| 1e-12), delay: Property::Same(13) },
        )
        .unwrap();
        (Plastic::new(&rule, &table, 3, 5), table)
    }

    /// Spikes of some grid point: sources are mostly silent, one for good; targets are not.
    fn spikes(at: u64) -> (Vec<u32>, Vec<u32>) {
        let sources = (0..2).filter(|s| at.is_multiple_of(1700 + 900 * u64::from(*s))).collect();
        let lanes = (0..5).filter(|l| at.is_multiple_of(2 + 3 * u64::from(*l))).collect();
        (sources, lanes)
    }

    #[test]
    fn memory_for_spikes_of_targets_does_not_grow_with_the_run() {
        let (mut plastic, mut table) = moving();
        let mut ring = Ring::new(5, 13);
        for at in 1..20_000 {
            let (sources, lanes) = spikes(at);
            plastic.step(at, &sources, &lanes, &mut table, Some(&mut ring));
        }
        // A lane that spikes every other step.
        assert!(plastic.events.as_ref().unwrap().room() <= ENOUGH, "{}", plastic.events.as_ref().unwrap().room());
    }

    #[test]
    fn when_spikes_are_worked_off_changes_no_bit() {
        let run = |every: u64| {
            let (mut plastic, mut table) = moving();
            let mut ring = Ring::new(5, 13);
            for at in 1..6000 {
                let (sources, lanes) = spikes(at);
                plastic.step(at, &sources, &lanes, &mut table, Some(&mut ring));
                if at.is_multiple_of(every) {
                    plastic.catch_up_all(at, &mut table);
                }
            }
            plastic.finish(6000, &mut table);
            let states: Vec<u64> = plastic.states.iter().flatten().flatten().map(|v| v.to_bits()).collect();
            (table.connections().map(|c| c.2.to_bits()).collect::<Vec<_>>(), states)
        };
        let seldom = run(u64::MAX);
        assert!(seldom.0.iter().any(|w| f64::from_bits(*w) > 2e-12));
        for every in [1, 7, 160] {
            assert_eq!(run(every), seldom, "{every}");
        }
    }
}
