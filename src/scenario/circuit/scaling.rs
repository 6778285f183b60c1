//! How a circuit is scaled: fewer units, fewer connections of each, with the mean and the variance of what arrives kept
//! (van Albada, Helias, Diesmann 2015, PLoS Comput Biol 11:e1004490, doi:10.1371/journal.pcbi.1004490).
//!
//! With a share k of the connections of each unit, weights are divided by the root of k: the variance of the input,
//! which goes with K w^2, is kept. The mean, which goes with K w, is then the root of k of what it was; a constant
//! current brings the rest, (1 - sqrt(k)) sum K w q nu, where q is the charge of a weight of one and nu the rate of the
//! source.

use spikedeck_core::math::log;

/// Shares of what there is at full scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scaling {
    /// Of the units.
    pub units: f64,
    /// Of the connections of each unit.
    pub indegrees: f64,
}

impl Scaling {
    /// Units of a population of `size`; one at least.
    pub fn size(self, size: f64) -> f64 {
        (size * self.units).round_ties_even().max(1.0)
    }

    /// Connections of a pair of populations that have `total`.
    pub fn total(self, total: f64) -> f64 {
        (total * self.units * self.indegrees).round_ties_even()
    }

    /// Sources of a unit that has `indegree`.
    pub fn indegree(self, indegree: f64) -> f64 {
        (indegree * self.indegrees).round_ties_even()
    }

    /// Probability of a connection where it is `p`: fewer units with as many connections need a greater one.
    pub fn probability(self, p: f64) -> f64 {
        if self.units == self.indegrees { p } else { p * self.indegrees / self.units }
    }

    /// What weights are divided by, and what is left of the mean of what arrives.
    pub fn root(self) -> f64 {
        self.indegrees.sqrt()
    }

    /// Whether connections are those of full scale.
    pub fn keeps_connections(self) -> bool {
        self.indegrees == 1.0
    }
}

/// Connections that two populations have where each pair of their units is connected with probability `p`: of
/// connections that may repeat a pair the number with which a pair has at least one with this probability (Potjans,
/// Diesmann 2014, doi:10.1093/cercor/bhs358, equation 1).
pub(super) fn connections(p: f64, pairs: f64, multapses: bool) -> f64 {
    if !multapses || pairs < 2.0 {
        return (p * pairs).round_ties_even();
    }
    // As the published scripts compute it: more exact logarithms would give other whole numbers than theirs.
    (log(1.0 - p) / log((pairs - 1.0) / pairs)).round_ties_even()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_of_probabilities_are_the_published_ones() {
        // Potjans, Diesmann 2014: layer 2/3 to itself; the number is that of the reference implementation.
        assert_eq!(connections(0.1009, 20_683.0 * 20_683.0, true), 45_499_805.0);
        assert_eq!(connections(0.1009, 1000.0, false), 101.0);
        assert_eq!(connections(0.0, 1e6, true), 0.0);
        // With many connections to a pair nearly all pairs have one.
        let n = connections(0.99, 1e4, true);
        assert!(((1.0 - 1e-4_f64).powf(n) - 0.01).abs() < 1e-4, "{n}");
    }

    #[test]
    fn variance_is_kept_and_the_mean_is_the_root() {
        let s = Scaling { units: 0.25, indegrees: 0.25 };
        let (k, w) = (s.indegree(400.0), 2.0 / s.root());
        assert_eq!((k * w * w, k * w), (400.0 * 4.0, 400.0 * 2.0 * 0.5));
        assert_eq!((s.size(1000.0), s.total(1600.0), s.probability(0.1)), (250.0, 100.0, 0.1));
        let fewer = Scaling { units: 1.0, indegrees: 0.5 };
        assert_eq!((fewer.probability(0.1), fewer.size(7.0), fewer.total(10.0)), (0.05, 7.0, 5.0));
        assert_eq!(Scaling { units: 0.01, indegrees: 1.0 }.size(3.0), 1.0);
    }
}
