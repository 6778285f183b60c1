//! Rules without chance: one to one, all to all, listed pairs.

use std::ops::Range;

use super::{Link, Wiring};

/// Unit i to unit i.
pub(super) fn one_to_one(wiring: &Wiring<'_>, targets: Range<u32>, mut visit: impl FnMut(Link)) {
    for i in targets {
        if !wiring.own(i, i) {
            visit(Link { source: i, target: i, row: i, draw: 0 });
        }
    }
}

/// Every unit to every unit.
pub(super) fn all_to_all(wiring: &Wiring<'_>, targets: Range<u32>, mut visit: impl FnMut(Link)) {
    for target in targets {
        for source in 0..wiring.sources {
            if !wiring.own(source, target) {
                visit(Link { source, target, row: target, draw: source });
            }
        }
    }
}

/// Listed pairs; `draw` is the place in the list.
pub(super) fn edges(
    wiring: &Wiring<'_>,
    sources: &[u32],
    targets: &[u32],
    range: &Range<u32>,
    mut visit: impl FnMut(Link),
) {
    for (k, (&source, &target)) in sources.iter().zip(targets).enumerate() {
        if range.contains(&target) && !wiring.own(source, target) {
            visit(Link { source, target, row: 0, draw: k as u32 });
        }
    }
}

/// Whether every listed unit exists.
///
/// # Errors
/// The first edge that does not fit.
pub(super) fn check(sources: &[u32], targets: &[u32], n: usize, m: usize) -> Result<(), String> {
    if sources.len() != targets.len() {
        return Err(format!("{} sources and {} targets are listed", sources.len(), targets.len()));
    }
    match sources.iter().zip(targets).position(|(&s, &t)| s as usize >= n || t as usize >= m) {
        Some(k) => Err(format!(
            "edge {k} is {} -> {}, but the populations have {n} and {m} units (numbered from 0)",
            sources[k], targets[k]
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::links;
    use spikedeck_scenario::Rule;

    #[test]
    fn pairs_without_chance() {
        assert_eq!(links(&Rule::OneToOne, 5, 5, false, false).len(), 5);
        assert_eq!(links(&Rule::AllToAll, 4, 6, false, false).len(), 24);
        assert_eq!(links(&Rule::AllToAll, 5, 5, true, false).len(), 20);
        let edges =
            Rule::Edges { source: vec![3, 0, 0].into(), target: vec![1, 2, 0].into(), weight: None, delay: None };
        let found: Vec<(u32, u32)> = links(&edges, 4, 4, false, false).iter().map(|l| (l.source, l.target)).collect();
        assert_eq!(found, [(3, 1), (0, 2), (0, 0)]);
        assert_eq!(links(&edges, 4, 4, true, false).len(), 2, "0 -> 0 is an autapse");
    }
}
