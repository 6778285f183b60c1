//! Which of many pasts tell of a target, chosen one after the other: the greedy search of multivariate transfer entropy
//! (Lizier and Rubinov 2012, Max Planck preprint 25/2012; Novelli, Wollstadt, Mediano, Wibral, Lizier 2019,
//! doi:10.1162/netn_a_00092, as IDTxl has it).
//!
//! A step takes the candidate that tells most beyond what is chosen, if that is more than the largest of all candidates
//! gives by chance (maximum statistic); when none is left, the chosen ones are thinned out by the minimum statistic.

use super::information::{conditional, words};
use super::rng::Key;
use super::surrogate::{Surrogate, Surrogates, p_value};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// A target and the pasts that may tell of it, realisation by realisation.
#[derive(Debug, Clone, PartialEq)]
pub enum Realisations {
    /// Numbers, of which the linear relation counts (Gaussian).
    Values {
        /// Target.
        target: Vec<f64>,
        /// Candidates.
        candidates: Vec<Vec<f64>>,
    },
    /// Symbols with the number of possible ones (plug-in).
    Symbols {
        /// Target.
        target: (Vec<u32>, usize),
        /// Candidates.
        candidates: Vec<(Vec<u32>, usize)>,
    },
}

/// What is given, in the form in which many candidates are asked.
enum Given<'r> {
    /// Orthonormal columns (the first is constant) and what of the target they leave.
    Values { basis: Vec<Vec<f64>>, left: Vec<f64>, candidates: &'r [Vec<f64>] },
    /// Words.
    Symbols { target: &'r (Vec<u32>, usize), given: (Vec<u32>, usize), candidates: &'r [(Vec<u32>, usize)] },
}

/// Share of a column's length that must be left for it to be more than what is given.
const LEFT: f64 = 1e-10;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Takes what lies along the columns of `basis` out of `column`; twice, for rounding.
fn leave(column: &mut [f64], basis: &[Vec<f64>]) {
    for _ in 0..2 {
        for b in basis {
            let along = dot(b, column);
            column.iter_mut().zip(b).for_each(|(c, b)| *c -= along * b);
        }
    }
}

/// Adds what of a column is new; says whether anything was.
fn extend(basis: &mut Vec<Vec<f64>>, mut column: Vec<f64>) -> bool {
    let before = dot(&column, &column);
    leave(&mut column, basis);
    let length = dot(&column, &column);
    if length <= LEFT * before || length == 0.0 {
        return false;
    }
    let scale = length.sqrt().recip();
    for c in &mut column {
        *c *= scale;
    }
    basis.push(column);
    true
}

impl Realisations {
    /// Number of realisations.
    pub fn len(&self) -> usize {
        match self {
            Self::Values { target, .. } => target.len(),
            Self::Symbols { target, .. } => target.0.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of candidates.
    pub fn candidates(&self) -> usize {
        match self {
            Self::Values { candidates, .. } => candidates.len(),
            Self::Symbols { candidates, .. } => candidates.len(),
        }
    }

    fn given(&self, of: &[usize]) -> Given<'_> {
        match self {
            Self::Values { target, candidates } => {
                let mut basis = Vec::with_capacity(of.len() + 1);
                extend(&mut basis, vec![1.0; target.len()]);
                for &k in of {
                    extend(&mut basis, candidates[k].clone());
                }
                let mut left = target.clone();
                leave(&mut left, &basis);
                Given::Values { basis, left, candidates }
            }
            Self::Symbols { target, candidates } => {
                Given::Symbols { target, given: joined(candidates, of, target.0.len()), candidates }
            }
        }
    }

    /// What the candidates `of` tell of the target beyond the candidates `given`, in bits.
    pub fn information(&self, of: &[usize], given: &[usize]) -> f64 {
        self.given(given).information(of, None)
    }
}

/// Several columns of symbols as one; of none, one symbol.
fn joined(candidates: &[(Vec<u32>, usize)], of: &[usize], n: usize) -> (Vec<u32>, usize) {
    match of {
        [] => (vec![0; n], 1),
        [one] => candidates[*one].clone(),
        many => {
            let columns: Vec<Vec<u32>> = many.iter().map(|&k| candidates[k].0.clone()).collect();
            words(&columns, many.iter().map(|&k| candidates[k].1).fold(1, usize::max))
        }
    }
}

fn reordered<T: Copy>(values: &[T], order: Option<&[u32]>) -> Vec<T> {
    order.map_or_else(|| values.to_vec(), |o| o.iter().map(|&i| values[i as usize]).collect())
}

impl Given<'_> {
    /// What some candidates tell beyond it, with their realisations in another order if one is named.
    fn information(&self, of: &[usize], order: Option<&[u32]>) -> f64 {
        match self {
            Self::Values { basis, left, candidates } => {
                let whole = dot(left, left);
                let mut explained = 0.0;
                if let [one] = of {
                    // x less its part along the basis has the length |x|² − Σ (x·b)².
                    let x = reordered(&candidates[*one], order);
                    let length = dot(&x, &x);
                    let new = length - basis.iter().map(|b| dot(b, &x).powi(2)).sum::<f64>();
                    if new > LEFT * length {
                        explained = dot(&x, left).powi(2) / new;
                    }
                } else {
                    let mut wider = basis.clone();
                    for &k in of {
                        if extend(&mut wider, reordered(&candidates[k], order)) {
                            explained += dot(&wider[wider.len() - 1], left).powi(2);
                        }
                    }
                }
                if whole <= 0.0 { 0.0 } else { -0.5 * (1.0 - (explained / whole).min(1.0 - 1e-15)).log2() }
            }
            Self::Symbols { target, given, candidates } => {
                let source = joined(candidates, of, target.0.len());
                let symbols = reordered(&source.0, order);
                conditional((&target.0, target.1), (&symbols, source.1), (&given.0, given.1)).bits
            }
        }
    }
}

/// How candidates are chosen.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// Kind of surrogate: the realisations of all candidates in one other order.
    pub surrogate: Surrogate,
    /// Surrogates of each test.
    pub surrogates: usize,
    /// Least rotation of a surrogate.
    pub gap: usize,
    /// Level of each test.
    pub level: f64,
    /// Keys the surrogates.
    pub key: Key,
    /// Raised to stop.
    pub cancel: &'a AtomicBool,
}

/// A value, what chance gives on average, and how probable so large a one is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// In bits.
    pub bits: f64,
    /// Mean of the surrogates.
    pub chance: f64,
    /// p-value.
    pub p: f64,
}

/// What was chosen for a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Candidates of its own past.
    pub own: Vec<usize>,
    /// Other candidates.
    pub others: Vec<usize>,
    /// What all the others together tell beyond its own past; `None` where none was chosen.
    pub together: Option<Tested>,
}

impl Search<'_> {
    fn orders(&self, n: usize, step: usize) -> Surrogates {
        let key = Key::new(self.key.stream(step as u32, 0).below(u32::MAX).into(), "selection", "orders");
        Surrogates::new(self.surrogate, n, self.gap, self.surrogates, key)
    }

    /// A statistic of each surrogate; what is missing after a cancel is NaN.
    fn surrogates(&self, n: usize, step: usize, statistic: impl Fn(&[u32]) -> f64 + Sync) -> Vec<f64> {
        let orders = self.orders(n, step);
        (0..orders.len())
            .into_par_iter()
            .map(|i| if self.cancel.load(Ordering::Relaxed) { f64::NAN } else { statistic(&orders.order(i)) })
            .collect()
    }

    /// Chooses: first of the candidates `own` (the target's own past), then of `others`. `told` hears of each test.
    pub fn choose(&self, r: &Realisations, own: &[usize], others: &[usize], told: &dyn Fn()) -> Chosen {
        let mut step = 0;
        let mut chosen: Vec<usize> = Vec::new();
        self.greedy(r, own, &mut chosen, &mut step, told);
        if chosen.is_empty() {
            // Without any of its own past the target's memory passes for transfer.
            chosen.extend(own.first());
        }
        let own: Vec<usize> = chosen.clone();
        self.greedy(r, others, &mut chosen, &mut step, told);
        let mut others: Vec<usize> = chosen[own.len()..].to_vec();
        self.prune(r, &own, &mut others, &mut step, told);
        others.sort_unstable();
        let together = (!others.is_empty()).then(|| self.test(r, &others, &own, step));
        Chosen { own, others, together }
    }

    /// Takes the best candidate as long as it is better than the best by chance.
    fn greedy(&self, r: &Realisations, from: &[usize], chosen: &mut Vec<usize>, step: &mut usize, told: &dyn Fn()) {
        let mut open: Vec<usize> = from.to_vec();
        while !open.is_empty() && !self.cancel.load(Ordering::Relaxed) {
            told();
            *step += 1;
            let given = r.given(chosen);
            let values: Vec<f64> = open.par_iter().map(|&k| given.information(&[k], None)).collect();
            let Some(best) = (0..open.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]).then(b.cmp(&a))) else {
                return;
            };
            let largest = |order: &[u32]| {
                open.iter().map(|&k| given.information(&[k], Some(order))).fold(f64::NEG_INFINITY, f64::max)
            };
            let drawn = self.surrogates(r.len(), *step, largest);
            if drawn.is_empty() || p_value(values[best], &drawn) > self.level {
                return;
            }
            chosen.push(open.remove(best));
        }
    }

    /// Takes away the weakest of the others as long as it is no better than the weakest by chance.
    fn prune(&self, r: &Realisations, own: &[usize], others: &mut Vec<usize>, step: &mut usize, told: &dyn Fn()) {
        while !others.is_empty() && !self.cancel.load(Ordering::Relaxed) {
            told();
            *step += 1;
            let rest =
                |k: usize| -> Vec<usize> { own.iter().chain(others.iter().filter(|&&o| o != k)).copied().collect() };
            let given: Vec<Given<'_>> = others.iter().map(|&k| r.given(&rest(k))).collect();
            let value = |i: usize, order: Option<&[u32]>| given[i].information(&[others[i]], order);
            let values: Vec<f64> = (0..others.len()).map(|i| value(i, None)).collect();
            let Some(weakest) = (0..others.len()).min_by(|&a, &b| values[a].total_cmp(&values[b])) else { return };
            let least = |order: &[u32]| (0..others.len()).map(|i| value(i, Some(order))).fold(f64::INFINITY, f64::min);
            let drawn = self.surrogates(r.len(), *step, least);
            if !drawn.is_empty() && p_value(values[weakest], &drawn) <= self.level {
                return;
            }
            drop(given);
            others.remove(weakest);
        }
    }

    /// What some candidates together tell beyond others, tested with their realisations in other orders.
    pub fn test(&self, r: &Realisations, of: &[usize], given: &[usize], step: usize) -> Tested {
        let given = r.given(given);
        let bits = given.information(of, None);
        let drawn = self.surrogates(r.len(), 1000 + step, |order| given.information(of, Some(order)));
        let chance = drawn.iter().sum::<f64>() / drawn.len() as f64;
        Tested { bits, chance, p: if drawn.is_empty() { f64::NAN } else { p_value(bits, &drawn) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::information::gaussian;
    use crate::normal::normal;

    fn search(seed: u64, cancel: &AtomicBool) -> Search<'_> {
        let key = Key::new(seed, "selection", "test");
        Search { surrogate: Surrogate::CircularShift, surrogates: 199, gap: 20, level: 0.05, key, cancel }
    }

    /// Pasts (lags 1 to 3) of signals: candidate 3 s + lag − 1.
    fn pasts(signals: &[Vec<f64>], target: usize) -> Realisations {
        let n = signals[0].len();
        let back = |s: &[f64], lag: usize| s[3 - lag..n - lag].to_vec();
        let candidates = signals.iter().flat_map(|s| (1..=3).map(move |lag| back(s, lag))).collect();
        Realisations::Values { target: signals[target][3..].to_vec(), candidates }
    }

    /// 0 drives 1 after two samples, 1 drives 2 after one; 3 is alone.
    fn chain(seed: u64, n: usize) -> Vec<Vec<f64>> {
        let key = Key::new(seed, "selection", "chain");
        let mut s = vec![vec![0.0; n + 100]; 4];
        for t in 2..n + 100 {
            let e = |unit: u32| normal(key, unit, t as u64);
            s[0][t] = 0.5 * s[0][t - 1] + e(0);
            s[1][t] = 0.4 * s[1][t - 1] + 0.5 * s[0][t - 2] + e(1);
            s[2][t] = 0.4 * s[2][t - 1] + 0.5 * s[1][t - 1] + e(2);
            s[3][t] = 0.6 * s[3][t - 1] + e(3);
        }
        s.into_iter().map(|v| v[100..].to_vec()).collect()
    }

    #[test]
    fn the_sources_and_their_lags_are_found_and_what_comes_through_others_is_not() {
        let cancel = AtomicBool::new(false);
        let signals = chain(1, 2000);
        for (target, wanted) in [(0, vec![]), (1, vec![1]), (2, vec![3]), (3, vec![])] {
            let r = pasts(&signals, target);
            let own: Vec<usize> = (3 * target..3 * target + 3).collect();
            let others: Vec<usize> = (0..12).filter(|k| !own.contains(k)).collect();
            let found = search(7, &cancel).choose(&r, &own, &others, &|| ());
            assert_eq!((found.others.clone(), found.own[0]), (wanted.clone(), 3 * target), "{target}");
            assert_eq!(found.together.map(|t| t.p <= 0.01), (!wanted.is_empty()).then_some(true));
        }
    }

    /// One number of the basis is the other's: the values are those of the covariances.
    #[test]
    fn values_are_those_of_the_covariance() {
        let r = pasts(&chain(2, 500), 1);
        let Realisations::Values { target, candidates } = &r else { unreachable!() };
        let column = |k: usize| &candidates[k][..];
        for (of, given) in [(vec![1], vec![3]), (vec![0, 1, 2], vec![3, 4]), (vec![1], vec![])] {
            let b: Vec<&[f64]> = of.iter().map(|&k| column(k)).collect();
            let c: Vec<&[f64]> = given.iter().map(|&k| column(k)).collect();
            let wanted = gaussian(target, &b, &c).unwrap();
            assert!((r.information(&of, &given) - wanted).abs() < 1e-12);
        }
        assert_eq!(r.information(&[3], &[3]), 0.0);
    }

    /// A coin heard wrongly once in ten times is found, and its twin is not taken beside it.
    #[test]
    fn symbols_are_found_and_what_is_told_twice_is_chosen_once() {
        let cancel = AtomicBool::new(false);
        let mut s = Key::new(5, "selection", "coins").stream(0, 0);
        let mut coin = |p: f64| (0..2000).map(|_| u32::from(s.uniform() < p)).collect::<Vec<u32>>();
        let (own, a, flips) = (coin(0.5), coin(0.5), coin(0.1));
        let target: Vec<u32> = a.iter().zip(&flips).map(|(x, f)| x ^ f).collect();
        let noise = coin(0.5);
        let candidates = vec![(own, 2), (a.clone(), 2), (a, 2), (noise, 2)];
        let r = Realisations::Symbols { target: (target, 2), candidates };
        let found = search(1, &cancel).choose(&r, &[0], &[1, 2, 3], &|| ());
        // Noise is taken as well in one of twenty cases, and what is known already never.
        assert!(found.own == [0] && found.others.contains(&1) && !found.others.contains(&2), "{found:?}");
        let together = found.together.unwrap();
        assert!((together.bits - 0.531).abs() < 0.05 && together.p < 0.01);
    }

    /// Nothing to find, with memory in every signal: a link in 5 % of the cases at most.
    #[test]
    fn chance_finds_as_often_as_the_level_says() {
        let cancel = AtomicBool::new(false);
        let found = (0..200_u64)
            .filter(|&seed| {
                let key = Key::new(seed, "selection", "alone");
                let signals: Vec<Vec<f64>> = (0..3)
                    .map(|unit| {
                        let mut x = 0.0;
                        (0..300)
                            .map(|t| {
                                x = 0.7 * x + normal(key, unit, t);
                                x
                            })
                            .collect()
                    })
                    .collect();
                let mut s = search(seed, &cancel);
                s.surrogates = 99;
                !s.choose(&pasts(&signals, 0), &[0, 1, 2], &[3, 4, 5, 6, 7, 8], &|| ()).others.is_empty()
            })
            .count();
        assert!((2..=20).contains(&found), "{found} of 200");
    }
}
