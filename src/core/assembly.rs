//! Cell assemblies: the test of two trains of counts at their best lag, and agglomeration of units that fire in one
//! sequence again and again (Russo and Durstewitz 2017, doi:10.7554/eLife.19428).

use super::statistics::student_two_sided;

/// Counts in bins: the bins with spikes, ascending, with how many each has.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counts {
    /// Bins and counts.
    pub filled: Vec<(usize, u32)>,
}

impl Counts {
    /// Of ascending bins, one for each spike.
    pub fn new(bins: impl IntoIterator<Item = usize>) -> Self {
        let mut filled: Vec<(usize, u32)> = Vec::new();
        for bin in bins {
            match filled.last_mut() {
                Some(last) if last.0 == bin => last.1 += 1,
                _ => filled.push((bin, 1)),
            }
        }
        Self { filled }
    }

    /// All counts together.
    pub fn total(&self) -> u64 {
        self.filled.iter().map(|f| u64::from(f.1)).sum()
    }

    /// Without what every one of `bins` bins has, which makes coincidences that tell nothing.
    #[must_use]
    pub fn above_least(mut self, bins: usize) -> Self {
        if self.filled.len() == bins {
            let least = self.filled.iter().map(|f| f.1).min().expect("there are bins");
            self.filled.iter_mut().for_each(|f| f.1 -= least);
            self.filled.retain(|f| f.1 > 0);
        }
        self
    }

    fn most(&self) -> u32 {
        self.filled.iter().map(|f| f.1).max().unwrap_or(0)
    }

    /// How many bins of each stretch of `length` bins hold more than `level` (entry by level, then stretch).
    fn above(&self, levels: u32, length: usize, stretches: usize) -> Vec<Vec<f64>> {
        let mut of = vec![vec![0.0; stretches]; levels as usize];
        for &(bin, count) in &self.filled {
            let stretch = (bin / length).min(stretches - 1);
            of.iter_mut().take(count as usize).for_each(|level| level[stretch] += 1.0);
        }
        of
    }
}

/// How trains are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairTest {
    /// Bins of the recording.
    pub bins: usize,
    /// Largest lag in bins, at least two.
    pub most: usize,
    /// Bins of a stretch in which rates are taken as constant.
    pub stretch: usize,
}

/// Two trains at their best lag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairFound {
    /// Bins by which the second is later.
    pub lag: isize,
    /// Joint count at the lag: bins in which both fire, each as often as the rarer of the two.
    pub joint: f64,
    /// Joint count at the lag of reference, which is the opposite one (for no lag: two bins).
    pub reference: f64,
    /// The difference in standard deviations of trains that are independent with the rates of each stretch.
    pub score: f64,
    /// Two-sided p-value of the score, times the number of lags, at most 1.
    pub p: f64,
}

/// Joint counts that are expected at any one lag below which the law of the score is not known.
const LEAST_EXPECTED: f64 = 5.0;

impl PairTest {
    /// Joint counts at all lags from −most to most.
    fn joint(&self, a: &Counts, b: &Counts) -> Vec<f64> {
        let kept = self.bins - self.most;
        let mut counts = vec![0.0; 2 * self.most + 1];
        let mut from = 0;
        for &(at, many) in &a.filled {
            while from < b.filled.len() && b.filled[from].0 + self.most < at {
                from += 1;
            }
            for &(other, of_other) in b.filled[from..].iter().take_while(|f| f.0 <= at + self.most) {
                // The earlier of the two within the bins that have all lags after them: as many for each lag.
                if at.min(other) < kept {
                    counts[other + self.most - at] += f64::from(many.min(of_other));
                }
            }
        }
        counts
    }

    /// Tests two trains; nothing where there are too few joint counts for the test, or nearly as many as spikes.
    pub fn test(&self, a: &Counts, b: &Counts) -> Option<PairFound> {
        let levels = a.most().max(b.most());
        let stretches = (self.bins / self.stretch).max(1);
        let (of_a, of_b) = (a.above(levels, self.stretch, stretches), b.above(levels, self.stretch, stretches));
        let total = |level: &[f64]| level.iter().sum::<f64>();
        let products = of_a.iter().zip(&of_b).map(|(a, b)| total(a) * total(b));
        let expected = products.sum::<f64>() / self.bins as f64;
        let fewest = a.total().min(b.total()) as f64;
        if expected <= LEAST_EXPECTED || expected >= fewest - LEAST_EXPECTED {
            return None;
        }
        let counts = self.joint(a, b);
        // Of lags that have the same count the shortest.
        let middle = self.most as isize;
        let lags = (0..=middle).flat_map(|l| [l, -l]);
        let at = |lag: isize| counts[(lag + middle) as usize];
        let lag = lags.fold(0, |best, lag| if at(lag) > at(best) { lag } else { best });
        let reference = at(if lag == 0 { -2 } else { -lag });
        let variance: f64 = (0..stretches)
            .map(|s| {
                let n = (if s + 1 < stretches { self.stretch } else { self.bins - s * self.stretch }) as f64;
                variance(&of_a, &of_b, s, n)
            })
            .sum();
        let difference = at(lag) - reference;
        if variance <= 0.0 {
            return None;
        }
        // Half a count less, since counts are whole (Yates).
        let score = (difference.abs() - 0.5).max(0.0) / variance.sqrt() * difference.signum();
        let free = (self.bins - self.most) as f64;
        let p = (student_two_sided(score, free) * counts.len() as f64).min(1.0);
        Some(PairFound { lag, joint: at(lag), reference, score, p })
    }

    /// Activations of two trains together at a lag, at the bins of the first.
    pub fn together(a: &Counts, b: &Counts, lag: isize) -> Counts {
        let mut from = 0;
        let mut filled = Vec::new();
        for &(at, many) in &a.filled {
            let Some(wanted) = at.checked_add_signed(lag) else { continue };
            while from < b.filled.len() && b.filled[from].0 < wanted {
                from += 1;
            }
            if let Some(&(bin, of_other)) = b.filled.get(from)
                && bin == wanted
            {
                filled.push((at, many.min(of_other)));
            }
        }
        Counts { filled }
    }
}

/// Variance of the difference of two joint counts in a stretch of `n` bins, of hypergeometric counts of each level and
/// pair of levels, as in the paper.
fn variance(a: &[Vec<f64>], b: &[Vec<f64>], stretch: usize, n: f64) -> f64 {
    let mut sum = 0.0;
    for i in 0..a.len() {
        for j in i..a.len() {
            let product = a[j][stretch] * b[j][stretch] / n * (n - a[i][stretch]) * (n - b[i][stretch]) / n;
            let each = product / (n - 1.0) - product / ((n - 1.0) * (n - 1.0));
            sum += if i == j { 2.0 } else { 4.0 } * each;
        }
    }
    sum
}

/// Units that fire in one sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembly {
    /// Units in the order in which they were taken in, with the bins by which each is later than the first.
    pub members: Vec<(usize, isize)>,
    /// Where all fire, at the bins of the first.
    pub active: Counts,
    /// The largest p-value of the steps that made it, each after its correction.
    pub p: f64,
}

/// Grows assemblies from pairs that are significant (with their corrected p-values): each takes in the unit that is the
/// most significant with it, as long as there is one at `level` after Bonferroni over units and lags. Those that are
/// part of another are left out. `go_on` is asked before each pair.
///
/// # Errors
/// What `go_on` fails with.
pub fn agglomerate<E>(
    trains: &[Counts],
    test: PairTest,
    pairs: &[(usize, usize, PairFound, f64)],
    level: f64,
    mut go_on: impl FnMut(usize) -> Result<(), E>,
) -> Result<Vec<Assembly>, E> {
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_by(|&i, &j| pairs[i].3.total_cmp(&pairs[j].3).then(i.cmp(&j)));
    let mut found: Vec<Assembly> = Vec::new();
    for (k, i) in order.into_iter().enumerate() {
        go_on(k)?;
        let (a, b, pair, p) = pairs[i];
        let active = PairTest::together(&trains[a], &trains[b], pair.lag);
        let mut assembly = Assembly { members: vec![(a, 0), (b, pair.lag)], active, p };
        while let Some((unit, next, p)) = best(&assembly, trains, test).filter(|b| b.2 <= level) {
            assembly.active = PairTest::together(&assembly.active, &trains[unit], next.lag);
            assembly.members.push((unit, next.lag));
            assembly.p = assembly.p.max(p);
        }
        found.push(assembly);
    }
    Ok(without_parts(found))
}

/// The unit that is the most significant with an assembly, with the p-value over all units and lags.
fn best(assembly: &Assembly, trains: &[Counts], test: PairTest) -> Option<(usize, PairFound, f64)> {
    let others: Vec<usize> =
        (0..trains.len()).filter(|u| assembly.members.iter().all(|member| member.0 != *u)).collect();
    let tested = others.iter().filter_map(|&u| Some((u, test.test(&assembly.active, &trains[u])?)));
    let (unit, found) = tested.filter(|t| t.1.score > 0.0).min_by(|a, b| a.1.p.total_cmp(&b.1.p))?;
    Some((unit, found, (found.p * others.len() as f64).min(1.0)))
}

/// Assemblies of which no other has all members, the largest first, then the most significant.
fn without_parts(mut found: Vec<Assembly>) -> Vec<Assembly> {
    found.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then(a.p.total_cmp(&b.p)));
    let mut kept: Vec<Assembly> = Vec::new();
    for assembly in found {
        let has = |other: &Assembly, unit: usize| other.members.iter().any(|m| m.0 == unit);
        if !kept.iter().any(|other| assembly.members.iter().all(|m| has(other, m.0))) {
            kept.push(assembly);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    fn counts(bins: &[usize]) -> Counts {
        Counts::new(bins.iter().copied())
    }

    const TEST: PairTest = PairTest { bins: 12, most: 2, stretch: 12 };

    #[test]
    fn joint_counts_by_hand() {
        let (a, b) = (counts(&[0, 0, 3, 7, 11]), counts(&[0, 2, 5, 5, 8]));
        // Lags −2 to 2 (second later); the earlier of two is before bin 10. At 0: bin 0; at 1: 7 and 8; at 2: 0 and 2,
        // 3 and 5, each as often as the rarer; at −1: 3 and 2; at −2: 7 and 5.
        assert_eq!(TEST.joint(&a, &b), [1.0, 1.0, 1.0, 1.0, 2.0]);
        let late = TEST.joint(&counts(&[10]), &counts(&[11]));
        assert_eq!(late, [0.0; 5]);
        assert_eq!(PairTest::together(&a, &b, 2), Counts { filled: vec![(0, 1), (3, 1)] });
        assert_eq!(PairTest::together(&a, &b, -2), Counts { filled: vec![(7, 1)] });
        assert_eq!((a.total(), a.most()), (5, 2));
        let full = Counts { filled: vec![(0, 2), (1, 3), (2, 2)] };
        assert_eq!(full.above_least(3), Counts { filled: vec![(1, 1)] });
    }

    /// Trains of one level: 2ab(n − a)(n − b)/(n²(n − 1)) (1 − 1/(n − 1)).
    #[test]
    fn the_variance_of_one_level() {
        let v = variance(&[vec![30.0]], &[vec![20.0]], 0, 100.0);
        let wanted = 2.0 * 30.0 * 20.0 * 70.0 * 80.0 / (1e4 * 99.0) * (1.0 - 1.0 / 99.0);
        assert!((v - wanted).abs() < 1e-12, "{v} is not {wanted}");
    }

    /// Trains of coins, 3000 bins: the score has a spread of one at a lag that is given beforehand.
    #[test]
    fn the_score_of_independent_trains_has_unit_variance() {
        let test = PairTest { bins: 3000, most: 2, stretch: 1000 };
        let coins = |seed: u64, unit: u32| {
            let mut s = Key::new(seed, "assembly", "coins").stream(unit, 0);
            Counts::new((0..3000).filter(|_| s.uniform() < 0.1).collect::<Vec<usize>>())
        };
        let mut squares = 0.0;
        for seed in 0..400 {
            let (a, b) = (coins(seed, 0), coins(seed, 1));
            let joint = test.joint(&a, &b);
            let (x, y) = (a.above(1, 1000, 3), b.above(1, 1000, 3));
            let v: f64 = (0..3).map(|s| variance(&x, &y, s, 1000.0)).sum();
            squares += (joint[3] - joint[1]).powi(2) / v;
        }
        let spread = squares / 400.0;
        assert!((spread - 1.0).abs() < 0.2, "{spread}");
    }

    /// Four units in a sequence among independent ones are found with their lags, and as one assembly.
    #[test]
    fn a_sequence_is_found_as_a_whole() {
        let test = PairTest { bins: 20_000, most: 5, stretch: 5000 };
        let lags = [0, 1, 3, 4];
        let mut s = Key::new(3, "assembly", "sequence").stream(0, 0);
        let mut trains: Vec<Vec<usize>> =
            (0..8).map(|_| (0..20_000).filter(|_| s.uniform() < 0.05).collect()).collect();
        for at in (50..19_900).step_by(100) {
            let at = at + s.below(40) as usize;
            lags.iter().enumerate().for_each(|(u, lag)| trains[2 * u].push(at + lag));
        }
        let trains: Vec<Counts> = trains
            .into_iter()
            .map(|mut t| {
                t.sort_unstable();
                Counts::new(t)
            })
            .collect();
        let mut pairs = Vec::new();
        for a in 0..8 {
            for b in a + 1..8 {
                let found = test.test(&trains[a], &trains[b]).unwrap();
                assert_eq!(found.p < 1e-6, a % 2 == 0 && b % 2 == 0, "{a} {b} {found:?}");
                if found.p < 1e-6 {
                    assert_eq!(found.lag, (lags[b / 2] - lags[a / 2]) as isize);
                    pairs.push((a, b, found, found.p));
                }
            }
        }
        let found = agglomerate(&trains, test, &pairs, 0.01, |_| Ok::<(), ()>(())).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        let first = found[0].members.iter().find(|m| m.0 == 0).unwrap().1;
        let mut members: Vec<(usize, isize)> = found[0].members.iter().map(|m| (m.0, m.1 - first)).collect();
        members.sort_unstable();
        assert_eq!(members, [(0, 0), (2, 1), (4, 3), (6, 4)]);
        // 199 were put in, and few of four at once are there by chance.
        assert!((199..=205).contains(&found[0].active.total()), "{}", found[0].active.total());
    }

    #[test]
    fn too_few_are_not_tested() {
        let test = PairTest { bins: 1000, most: 2, stretch: 1000 };
        assert!(test.test(&counts(&[1, 5, 9]), &counts(&[2, 6, 10])).is_none());
        assert!(test.test(&Counts::default(), &Counts::default()).is_none());
    }
}
