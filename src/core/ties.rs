//! What the values of a signal are, whatever they come from: continuous, whole levels, a lattice, or atoms in a
//! continuum. Estimates from distances between neighbours are for densities; this says where there is none, and makes
//! one without changing what the values tell.

use super::rng::Key;

/// Levels that a signal of symbols may have.
const MOST_LEVELS: usize = 64;
/// Samples for each level that make a signal one of symbols.
const SAMPLES_A_LEVEL: usize = 10;
/// Values that differ by less than this share of the largest are one value: what rounding leaves of it.
const ROUNDING: f64 = 1e-12;
/// Noise that breaks ties, in standard deviations (as JIDT, IDTxl, NPEET and scikit-learn).
const TINY: f64 = 1e-8;

/// The kind of a signal's values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Nature {
    /// No value occurs twice.
    Continuous,
    /// Few distinct values, each of them often: symbols.
    Symbols,
    /// Values on a lattice, or at least at distances that repeat: rounded values, rates in bins, steps of a converter.
    Lattice {
        /// Distance of neighbouring values.
        step: f64,
    },
    /// Some values occur more than once among others that do not: a signal that is zero at rest, or clipped.
    Atoms,
}

/// The values of a signal by their ties.
#[derive(Debug, Clone, PartialEq)]
pub struct Ties {
    /// What they are.
    pub nature: Nature,
    /// How many samples share their value with another.
    pub tied: usize,
    /// The distinct values in ascending order.
    pub levels: Vec<f64>,
}

impl Ties {
    /// Looks at finite values. O(n log n).
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let size = sorted.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let near = ROUNDING * size;
        let (mut levels, mut tied) = (Vec::new(), 0);
        for run in sorted.chunk_by(|a, b| b - a <= near) {
            levels.push(run[0]);
            tied += if run.len() > 1 { run.len() } else { 0 };
        }
        let nature = match tied {
            0 => Nature::Continuous,
            _ if levels.len() <= MOST_LEVELS && levels.len() * SAMPLES_A_LEVEL <= values.len() => Nature::Symbols,
            _ => lattice(&levels, size).map_or(Nature::Atoms, |step| Nature::Lattice { step }),
        };
        Self { nature, tied, levels }
    }

    /// Whether each value occurs ten times, on average: then frequencies of values tell what values tell.
    pub fn repeats(&self, values: &[f64]) -> bool {
        self.nature != Nature::Continuous && self.levels.len() * SAMPLES_A_LEVEL <= values.len()
    }

    /// The values as symbols `0..levels`.
    pub fn symbols(&self, values: &[f64]) -> Vec<u32> {
        // A value within rounding of a level is that level: the last level that is not above it.
        values.iter().map(|v| (self.levels.partition_point(|l| l <= v).max(1) - 1) as u32).collect()
    }

    /// Values without ties that tell the same: each gets seeded noise of its own that leaves it the nearest level.
    ///
    /// On a lattice and for symbols the noise is uniform over the distance of neighbouring levels. As the level can be
    /// read back from the sum, and the noise is independent of all else, every (conditional) mutual information is
    /// exactly what it was, and now there is a density. Where atoms stand in a continuum there is no such distance, and
    /// the noise is 1e-8 standard deviations: neighbours are then counted as for discrete and continuous variables
    /// together (Ross 2014, doi:10.1371/journal.pone.0087357).
    pub fn spread(&self, values: &[f64], key: Key) -> Vec<f64> {
        let width = match self.nature {
            Nature::Continuous => return values.to_vec(),
            Nature::Lattice { step } => step,
            Nature::Symbols => least_gap(&self.levels),
            Nature::Atoms => 2.0 * 3.0_f64.sqrt() * TINY * super::statistics::deviation(values, 0),
        };
        let mut stream = key.stream(0, 0);
        values.iter().map(|v| v + width * (stream.uniform() - 0.5)).collect()
    }
}

fn least_gap(levels: &[f64]) -> f64 {
    levels.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min)
}

/// The distance of neighbouring levels if all distances are whole multiples of it.
fn lattice(levels: &[f64], size: f64) -> Option<f64> {
    let step = least_gap(levels);
    let whole = |gap: f64| {
        let times = (gap / step).round();
        (gap - times * step).abs() <= 1e-6 * step + 8.0 * f64::EPSILON * size * times
    };
    (levels.len() > 1 && levels.windows(2).all(|w| whole(w[1] - w[0]))).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64, n: usize) -> Vec<f64> {
        let mut s = Key::new(seed, "ties", "noise").stream(0, 0);
        (0..n).map(|_| (0..12).map(|_| s.uniform()).sum::<f64>() - 6.0).collect()
    }

    #[test]
    fn values_are_known_by_their_ties() {
        let smooth = noise(1, 2000);
        let of = |f: &dyn Fn(f64) -> f64| Ties::of(&smooth.iter().map(|&v| f(v)).collect::<Vec<_>>()).nature;
        assert_eq!(of(&|v| v), Nature::Continuous);
        assert_eq!(of(&|v| if v > 0.5 { 17.3 } else { v.signum() }), Nature::Symbols);
        assert_eq!(of(&|v| (2.0 * v).round() / 2.0), Nature::Symbols);
        // Whatever the scale and the offset: rates are counts times a constant.
        for (scale, offset) in [(1.0, 0.0), (0.3, -65.0), (1e-9, 0.0), (7.0 / 3.0, 1e3)] {
            let found = of(&|v| (v * 100.0).round() * scale + offset);
            let Nature::Lattice { step } = found else { panic!("{scale} {offset} {found:?}") };
            assert!((step / scale - 1.0).abs() < 1e-5, "{step}");
        }
        assert_eq!(of(&|v| v.max(0.0)), Nature::Atoms);
        assert_eq!(of(&|v| v.min(2.0)), Nature::Atoms);
    }

    #[test]
    fn spread_values_have_no_ties_and_tell_their_level() {
        let smooth = noise(2, 3000);
        for f in [&(|v: f64| (v * 10.0).round() / 10.0) as &dyn Fn(f64) -> f64, &|v| v.round(), &|v| v.max(0.0)] {
            let values: Vec<f64> = smooth.iter().map(|&v| f(v)).collect();
            let ties = Ties::of(&values);
            let spread = ties.spread(&values, Key::new(3, "x", "jitter"));
            let mut sorted = spread.clone();
            sorted.sort_by(f64::total_cmp);
            assert!(sorted.windows(2).all(|w| w[0] < w[1]), "a tie is left");
            let level = |v: f64| {
                let at = ties.levels.partition_point(|l| *l < v);
                let near = [at.saturating_sub(1), at.min(ties.levels.len() - 1)];
                near.into_iter().map(|k| ties.levels[k]).min_by(|a, b| (a - v).abs().total_cmp(&(b - v).abs())).unwrap()
            };
            assert!(values.iter().zip(&spread).all(|(v, s)| (level(*s) - v).abs() < 1e-6), "levels are kept");
            assert_eq!(spread, ties.spread(&values, Key::new(3, "x", "jitter")));
        }
        let symbols = Ties::of(&[2.0, -1.0, 2.0, 0.1 + 0.2, 0.3]);
        assert_eq!(symbols.symbols(&[2.0, -1.0, 2.0, 0.1 + 0.2, 0.3]), [2, 0, 2, 1, 1]);
    }
}
