//! Connections that change by rules between rates: weights that are stepped as the rates of both ends go on.
//!
//! In each step from k to k + 1 the rates are taken as they are at k, those of the source as late as they arrive.

use super::rates::Rates;
use crate::coupling::History;
use crate::snapshot::{Pass, Snapshot};
use spikedeck_scenario::ConnectionVariableId;

/// The changing values of one continuous projection into one lane range.
#[derive(Debug)]
pub(crate) struct Learning {
    rates: Rates,
    /// States of the sources as far back as the longest delay: what a connection sees of its source is late, states and
    /// rates alike.
    sources: Vec<History>,
    /// States of the target lanes, and of connections beside the weight.
    states: [Vec<Vec<f64>>; 2],
    /// A connection with a value that is no finite number, and the number of the value (0 is the weight).
    pub failed: Option<(u32, u32, usize)>,
}

/// The connections that learn: parallel lists, with one delay for all where there are no delays.
pub(crate) struct Links<'a> {
    pub sources: &'a [u32],
    pub lanes: &'a [u32],
    pub weights: &'a mut [f64],
    pub delays: &'a [u16],
    pub delay: u16,
    /// First unit of the lanes.
    pub first: usize,
}

/// The connections of a projection as they are looked at: parallel lists, with one delay for all where there are no
/// delays.
pub(crate) struct Ends<'a> {
    pub sources: &'a [u32],
    pub lanes: &'a [u32],
    pub weights: &'a [f64],
    pub delays: &'a [u16],
    pub delay: u16,
}

impl Learning {
    /// For `sources`, `lanes` and `connections`, with delays up to `longest` steps.
    pub fn new(rates: &Rates, (sources, lanes): (usize, usize), connections: usize, longest: usize) -> Self {
        let [n, m, c] = rates.sides;
        let columns =
            |from: usize, count: usize, len: usize| (from..from + count).map(|k| vec![rates.initial[k]; len]).collect();
        let states = [columns(n, m, lanes), columns(n + m + 1, c.saturating_sub(1), connections)];
        let history = |&v: &f64| {
            let mut h = History::new(sources, longest);
            h.row_mut(0).fill(v);
            h.start();
            h
        };
        Self { rates: rates.clone(), sources: rates.initial[..n].iter().map(history).collect(), states, failed: None }
    }

    /// Step `k`, which begins at time `t`.
    pub fn step(&mut self, k: u64, t: f64, histories: &[History], links: Links<'_>) {
        let Rates { sides: [n, m, _], connection: program, observed, .. } = &mut self.rates;
        let (n, m) = (*n, *m);
        let total = n + self.states.iter().map(Vec::len).sum::<usize>() + 1;
        let [post, own] = &mut self.states;
        let late = |to: &mut [f64], h: &History, from: usize| {
            if links.delays.is_empty() {
                let row = h.row(k.wrapping_sub(u64::from(links.delay)));
                to.iter_mut().zip(&links.sources[from..]).for_each(|(x, &s)| *x = row[s as usize]);
            } else {
                for ((x, &s), &d) in to.iter_mut().zip(&links.sources[from..]).zip(&links.delays[from..]) {
                    *x = h.row(k.wrapping_sub(u64::from(d)))[s as usize];
                }
            }
        };
        let (a, b) = (total, total + observed[0].len());
        let time = b + observed[1].len();
        let count = links.sources.len();
        let mut from = 0;
        while from < count {
            let to = (from + program.block()).min(count);
            let lanes = &links.lanes[from..to];
            let put = |to: &mut [f64], values: &[f64], index: &[u32], shift: usize| {
                to.iter_mut().zip(index).for_each(|(x, &i)| *x = values[i as usize + shift]);
            };
            self.sources.iter().enumerate().for_each(|(i, h)| late(program.input(i), h, from));
            post.iter().enumerate().for_each(|(i, v)| put(program.input(n + i), v, lanes, 0));
            for (i, column) in std::iter::once(&*links.weights).chain(own.iter().map(Vec::as_slice)).enumerate() {
                let input = program.input(n + m + i);
                if !input.is_empty() {
                    input[..to - from].copy_from_slice(&column[from..to]);
                }
            }
            observed[0].iter().enumerate().for_each(|(i, &h)| late(program.input(a + i), &histories[h], from));
            observed[1]
                .iter()
                .enumerate()
                .for_each(|(i, &h)| put(program.input(b + i), histories[h].row(k), lanes, links.first));
            program.input(time).iter_mut().for_each(|x| *x = t);
            program.run(to - from);
            program.copy(0, &mut links.weights[from..to]);
            own.iter_mut().enumerate().for_each(|(i, column)| program.copy(1 + i, &mut column[from..to]));
            for (value, column) in std::iter::once(&*links.weights).chain(own.iter().map(Vec::as_slice)).enumerate() {
                // The first by source and target, as it is between threads.
                for c in (from..to).filter(|&c| !column[c].is_finite()) {
                    let found = (links.sources[c], links.lanes[c], value);
                    self.failed = Some(self.failed.map_or(found, |f| f.min(found)));
                }
            }
            from = to;
        }
        let mut ahead: Vec<&mut [f64]> = self.sources.iter_mut().map(|h| h.carry(k)).collect();
        let mut post: Vec<&mut [f64]> = post.iter_mut().map(Vec::as_mut_slice).collect();
        for (end, (states, (first_state, first_observed))) in
            [(&mut ahead, (0, a)), (&mut post, (n, b))].into_iter().enumerate()
        {
            let Some(program) = &mut self.rates.units[end] else { continue };
            let shift = if end == 0 { 0 } else { links.first };
            let count = states.first().map_or(0, |s| s.len());
            let mut from = 0;
            while from < count {
                let to = (from + program.block()).min(count);
                let put = |to: &mut [f64], values: &[f64]| to.iter_mut().zip(values).for_each(|(x, v)| *x = *v);
                states.iter().enumerate().for_each(|(i, v)| put(program.input(first_state + i), &v[from..to]));
                for (i, &h) in self.rates.observed[end].iter().enumerate() {
                    put(program.input(first_observed + i), &histories[h].row(k)[shift + from..shift + to]);
                }
                program.input(time).iter_mut().for_each(|x| *x = t);
                program.run(to - from);
                states.iter_mut().enumerate().for_each(|(i, v)| program.copy(i, &mut v[from..to]));
                from = to;
            }
        }
    }

    /// Hands over its state; `lengths` is the number of connections of each lane, by which these are sorted.
    pub fn visit_with(&mut self, lengths: &[u32], pass: &mut Pass<'_>) {
        // With a value that is not finite a run has ended.
        let Self { rates: _, sources, states: [post, own], failed: _ } = self;
        for (state, history) in sources.iter_mut().enumerate() {
            pass.inside(&format!("source {state}"), |pass| history.visit(pass));
        }
        for (state, column) in post.iter_mut().enumerate() {
            pass.column(&format!("target {state}"), column);
        }
        for (state, column) in own.iter_mut().enumerate() {
            pass.listed(&format!("connection {state}"), lengths, column);
        }
    }

    /// Variable `v` of a connection at the beginning of step `k`.
    pub fn look(&self, v: usize, connection: usize, k: u64, links: &Ends<'_>) -> f64 {
        let [n, m, _] = self.rates.sides;
        if v < n {
            let delay = links.delays.get(connection).copied().unwrap_or(links.delay);
            self.sources[v].row(k.wrapping_sub(u64::from(delay)))[links.sources[connection] as usize]
        } else if v < n + m {
            self.states[0][v - n][links.lanes[connection] as usize]
        } else if v == n + m {
            links.weights[connection]
        } else {
            self.states[1][v - n - m - 1][connection]
        }
    }

    /// See [`Rates::number`].
    pub fn number(&self, variable: ConnectionVariableId) -> usize {
        self.rates.number(variable)
    }
}
