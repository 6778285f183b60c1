//! Small worlds: a ring of neighbours, rewired by chance.

use std::ops::Range;

use super::{Link, Wiring};

/// Watts and Strogatz 1998 (doi:10.1038/30918), directed: each source reaches its `neighbours` nearest units on a ring,
/// half of them on each side (the odd one ahead); each of these connections is moved with probability `p` to a target
/// drawn evenly. The out-degree stays. Every thread draws all and keeps its own.
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
        chosen.clear();
        chosen.extend((0..k).map(|j| {
            let step = j / 2 + 1;
            if j % 2 == 0 { (source + step) % n } else { (source + n - step) % n }
        }));
        for j in 0..chosen.len() {
            // A unit that is connected to all others cannot be rewired.
            let full = !wiring.multapses && k + u32::from(wiring.no_self) >= n;
            if stream.uniform() < p && !full {
                chosen[j] = loop {
                    let target = stream.below(n);
                    let own = wiring.no_self && target == source;
                    if !own && (wiring.multapses || !chosen.contains(&target)) {
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
