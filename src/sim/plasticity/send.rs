//! Weights of connections that change, times their efficacy, on their way to the targets.

use crate::delivery::{Block, Ring};

/// What weights are multiplied with when they are sent.
#[derive(Clone, Copy)]
pub(super) enum Factor<'a> {
    Same(f64),
    Each(&'a [f64]),
}

/// Adds weights times efficacy to the rows of their arrival.
pub(super) fn send(
    block: &Block,
    (from, to): (usize, usize),
    (lane, delay, weight): (usize, u16, f64),
    at: u64,
    factor: Factor<'_>,
    ring: &mut Ring,
) {
    let value = |k: usize| {
        let w = block.weights.get(from + k).copied().unwrap_or(weight);
        match factor {
            Factor::Same(f) => w * f,
            Factor::Each(list) => w * list[k],
        }
    };
    let targets = &block.targets[from..to];
    if ring.keeps_singles() {
        for (k, &t) in targets.iter().enumerate() {
            let delay = block.delays.get(from + k).copied().unwrap_or(delay);
            ring.add(at + u64::from(delay), lane as u32 + u32::from(t), value(k));
        }
        return;
    }
    if block.delays.is_empty() {
        let row = &mut ring.arriving(at + u64::from(delay))[lane..];
        match factor {
            Factor::Same(1.0) if !block.weights.is_empty() => {
                for (&t, &w) in targets.iter().zip(&block.weights[from..to]) {
                    row[usize::from(t)] += w;
                }
            }
            _ => {
                for (k, &t) in targets.iter().enumerate() {
                    row[usize::from(t)] += value(k);
                }
            }
        }
    } else {
        for (k, (&t, &d)) in targets.iter().zip(&block.delays[from..to]).enumerate() {
            ring.arriving(at + u64::from(d))[lane + usize::from(t)] += value(k);
        }
    }
}
