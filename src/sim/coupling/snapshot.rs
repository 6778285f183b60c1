//! The state of continuous projections: what was looked at before, and what connections have learnt.

use super::{Coupling, History, Links};
use crate::snapshot::{Pass, Snapshot};

impl Snapshot for History {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self { mask, rows } = self;
        // Threads look back as far as their own connections do: rows are counted from the newest.
        for back in 0..rows.len() {
            let slot = (pass.now() as usize).wrapping_sub(back) & *mask;
            pass.whole(&format!("{back} before"), &mut rows[slot]);
        }
    }
}

impl Snapshot for Coupling {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self {
            expression: _,
            pre: _,
            post: _,
            range,
            links,
            weight: _,
            delay: _,
            out: _,
            gathered: _,
            learning,
            factored,
        } = self;
        // Of sums of products all else follows from the histories.
        if let Some(broken) = factored.as_mut().map(super::factored::Factored::broken) {
            let mut at = broken.unwrap_or(u64::MAX);
            pass.number("broken", &mut at);
            *broken = (at != u64::MAX).then_some(at);
        }
        let (Some(learning), Links::Some { sources: _, lanes, weights, delays: _ }) = (learning, links) else { return };
        let mut lengths = vec![0; range.len()];
        for lane in lanes.iter() {
            lengths[*lane as usize] += 1;
        }
        pass.along(range.start.into(), range.len(), |pass| {
            pass.listed("weight", &lengths, weights);
            learning.visit_with(&lengths, pass);
        });
    }
}
