//! Small worlds: a ring of neighbours, rewired by chance.

use std::ops::Range;

use super::{Link, Wiring};

/// Watts and Strogatz 1998 (doi:10.1038/30918), directed: each source reaches its `neighbours` nearest units on a ring,
/// half of them on each side (the odd one ahead); each of these connections is moved with probability `p` to a target
/// drawn evenly. The out-degree stays. The ring goes on beside the targets of a source's own cell, where these are kept
/// apart. Every thread draws all and keeps its own.
pub(super) fn small_world(
    wiring: &Wiring<'_>,
    neighbours: usize,
    p: f64,
    range: &Range<u32>,
    mut visit: impl FnMut(Link),
) {
    let n = wiring.sources;
    let k = neighbours as u32;
    let mut chosen: Vec<u32> = Vec::with_capacity(neighbours);
    for source in 0..n {
        let mut stream = wiring.key.stream(source, 0);
        let own = if wiring.apart.is_some() { wiring.own_targets(source) } else { source..source + 1 };
        chosen.clear();
        chosen.extend((0..k).map(|j| {
            let step = j / 2;
            if j % 2 == 0 { (own.end + step) % n } else { (own.start + n - 1 - step) % n }
        }));
        for j in 0..chosen.len() {
            // A unit that is connected to all others cannot be rewired.
            let full = !wiring.multapses && k + wiring.own_targets(source).len() as u32 >= n;
            if stream.uniform() < p && !full {
                chosen[j] = loop {
                    let target = stream.below(n);
                    if !wiring.own(source, target) && (wiring.multapses || !chosen.contains(&target)) {
                        break target;
                    }
                };
            }
            if range.contains(&chosen[j]) {
                visit(Link { source, target: chosen[j], row: source, draw: j as u32 });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::links;
    use spikedeck_scenario::Rule;

    #[test]
    fn rings_and_rewired_rings() {
        let ring = links(&Rule::SmallWorld { neighbours: 4, p_rewire: 0.0 }, 30, 30, true, false);
        assert_eq!(ring.len(), 120);
        assert!(ring.iter().all(|l| {
            let d = (30 + l.target - l.source) % 30;
            d <= 2 || d >= 28
        }));
        let world = links(&Rule::SmallWorld { neighbours: 10, p_rewire: 0.2 }, 500, 500, true, false);
        assert_eq!(world.len(), 5000);
        let moved = world
            .iter()
            .filter(|l| (500 + l.target - l.source) % 500 > 5 && (500 + l.source - l.target) % 500 > 5)
            .count();
        // 20 % are moved, 2 % of those land on the ring neighbourhood again.
        assert!((900..1060).contains(&moved), "{moved}");
    }
}
