//! What chance would give, and how sure a number is: circular shifts, permutations, p-values, corrections for many
//! tests, delete-a-block jackknife.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::rng::Key;

/// How the source is taken apart from the target to see what chance gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surrogate {
    /// The source's realisations are rotated in time: keeps its autocorrelation.
    CircularShift,
    /// The source's realisations are permuted: for samples that are independent in time.
    Permutation,
}

/// Orders of the `n` realisations of a source, one for each surrogate: entry `i` of an order says which realisation
/// stands at place `i`.
///
/// A circular shift moves by at least `gap` and at most `n - gap` places; shifts are not repeated, so fewer surrogates
/// than `count` come back if there are not that many. None at all when `n` is less than twice the gap.
#[derive(Debug, Clone)]
pub struct Surrogates {
    kind: Surrogate,
    n: usize,
    shifts: Vec<usize>,
    key: Key,
    count: usize,
}

impl Surrogates {
    /// Draws what `count` surrogates of `n` realisations need.
    pub fn new(kind: Surrogate, n: usize, gap: usize, count: usize, key: Key) -> Self {
        let gap = gap.max(1);
        let shifts =
            if kind == Surrogate::CircularShift && n >= 2 * gap { draw_shifts(n, gap, count, key) } else { Vec::new() };
        let count = match kind {
            Surrogate::CircularShift => shifts.len(),
            Surrogate::Permutation if n < 2 => 0,
            Surrogate::Permutation => count,
        };
        Self { kind, n, shifts, key, count }
    }

    /// Number of surrogates.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none could be made.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The order of surrogate `index`.
    pub fn order(&self, index: usize) -> Vec<u32> {
        match self.kind {
            Surrogate::CircularShift => {
                let shift = self.shifts[index];
                (0..self.n).map(|i| ((i + shift) % self.n) as u32).collect()
            }
            Surrogate::Permutation => {
                let mut order: Vec<u32> = (0..self.n as u32).collect();
                let mut stream = self.key.stream(0, index as u64);
                for i in (1..self.n).rev() {
                    order.swap(i, stream.below(i as u32 + 1) as usize);
                }
                order
            }
        }
    }
}

/// `count` different shifts in `gap..=n - gap`, or all of them if there are fewer (Floyd's sampling).
fn draw_shifts(n: usize, gap: usize, count: usize, key: Key) -> Vec<usize> {
    let available = n - 2 * gap + 1;
    if available <= count {
        return (gap..=n - gap).collect();
    }
    let mut stream = key.stream(0, 0);
    let mut chosen = std::collections::BTreeSet::new();
    for top in available - count..available {
        let candidate = stream.below(top as u32 + 1) as usize;
        if !chosen.insert(candidate) {
            chosen.insert(top);
        }
    }
    chosen.into_iter().map(|c| c + gap).collect()
}

/// `(1 + #{surrogates ≥ observed}) / (1 + n)` (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585).
pub fn p_value(observed: f64, surrogates: &[f64]) -> f64 {
    let reached = surrogates.iter().filter(|&&s| s >= observed).count();
    (1 + reached) as f64 / (1 + surrogates.len()) as f64
}

/// How p-values of several tests are corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.
    BenjaminiHochberg,
    /// Benjamini and Yekutieli 2001, doi:10.1214/aos/1013699998: any dependence, times the harmonic number.
    BenjaminiYekutieli,
    /// None.
    None,
}

impl Correction {
    /// What the least p-value is multiplied by, among `m` tests.
    pub fn worst_factor(self, m: usize) -> f64 {
        match self {
            Self::BenjaminiHochberg => m as f64,
            Self::BenjaminiYekutieli => m as f64 * harmonic(m),
            Self::None => 1.0,
        }
    }
}

fn harmonic(m: usize) -> f64 {
    (1..=m).map(|i| 1.0 / i as f64).sum()
}

/// Adjusted p-values, in the order given: significant at level q if at most q. Missing ones stay missing and are not
/// counted.
pub fn adjust(p: &[Option<f64>], correction: Correction) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(i, p)| Some((i, (*p)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let m = order.len();
    let factor = match correction {
        Correction::None => return p.to_vec(),
        Correction::BenjaminiHochberg => m as f64,
        Correction::BenjaminiYekutieli => m as f64 * harmonic(m),
    };
    let mut adjusted = vec![None; p.len()];
    let mut least = 1.0_f64;
    for (rank, &(i, p)) in order.iter().enumerate().rev() {
        least = least.min(p * factor / (rank + 1) as f64);
        adjusted[i] = Some(least);
    }
    adjusted
}

/// The stretches that a delete-a-block jackknife leaves out: `blocks` contiguous ones that cover `0..n`.
pub fn jackknife_blocks(n: usize, blocks: usize) -> Vec<std::ops::Range<usize>> {
    (0..blocks).map(|b| b * n / blocks..(b + 1) * n / blocks).collect()
}

/// 95 % interval around `value` from the estimates that each left one block out: Student's t with blocks − 1 degrees of
/// freedom on the jackknife's standard error (Künsch 1989, doi:10.1214/aos/1176347265). `None` with fewer than 3
/// blocks.
pub fn jackknife_interval(value: f64, left_out: &[f64]) -> Option<(f64, f64)> {
    let b = left_out.len();
    if b < 3 || left_out.iter().any(|v| !v.is_finite()) || !value.is_finite() {
        return None;
    }
    let mean = left_out.iter().sum::<f64>() / b as f64;
    let spread: f64 = left_out.iter().map(|v| (v - mean) * (v - mean)).sum();
    let error = (spread * (b - 1) as f64 / b as f64).sqrt();
    let half = student_quantile(b - 1) * error;
    Some((value - half, value + half))
}

/// 97.5 % quantile of Student's t (two-sided 95 %).
pub fn student_quantile(degrees: usize) -> f64 {
    StudentsT::new(0.0, 1.0, degrees.max(1) as f64).map_or(f64::NAN, |t| t.inverse_cdf(0.975))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_keep_their_distance_and_differ() {
        let s = Surrogates::new(Surrogate::CircularShift, 100, 10, 50, Key::new(1, "a", "shift"));
        assert_eq!(s.len(), 50);
        let mut seen = std::collections::BTreeSet::new();
        for i in 0..s.len() {
            let order = s.order(i);
            let shift = order[0] as usize;
            assert!((10..=90).contains(&shift) && seen.insert(shift));
            assert_eq!(order[99] as usize, (99 + shift) % 100);
        }
        assert_eq!(Surrogates::new(Surrogate::CircularShift, 20, 8, 50, Key::new(1, "a", "s")).len(), 5);
        assert!(Surrogates::new(Surrogate::CircularShift, 20, 11, 50, Key::new(1, "a", "s")).is_empty());
    }

    #[test]
    fn permutations_are_permutations() {
        let s = Surrogates::new(Surrogate::Permutation, 30, 1, 3, Key::new(1, "a", "p"));
        let mut order = s.order(1);
        assert_ne!(order, s.order(2));
        order.sort_unstable();
        assert_eq!(order, (0..30).collect::<Vec<u32>>());
    }

    #[test]
    fn the_least_p_is_one_over_n_plus_one() {
        assert_eq!(p_value(2.0, &[1.0; 99]), 0.01);
        assert_eq!(p_value(0.5, &[0.0, 0.5, 1.0]), 0.75);
    }

    /// Worked by hand (the same as `p.adjust` of R 4: BH of .01 .02 .03 .04 .05 gives .05 five times).
    #[test]
    fn adjusted_p_values() {
        let close = |got: &[Option<f64>], wanted: &[Option<f64>]| {
            let pairs = got.iter().zip(wanted);
            got.len() == wanted.len()
                && pairs.fold(true, |all, pair| match pair {
                    (Some(a), Some(b)) => all && (a - b).abs() < 1e-15,
                    (a, b) => all && a == b,
                })
        };
        let given = [Some(0.01), Some(0.04), Some(0.03), None, Some(0.005)];
        let bh = adjust(&given, Correction::BenjaminiHochberg);
        assert!(close(&bh, &[Some(0.02), Some(0.04), Some(0.04), None, Some(0.02)]), "{bh:?}");
        let by = adjust(&[Some(0.01), Some(0.04)], Correction::BenjaminiYekutieli);
        assert!(close(&by, &[Some(0.03), Some(0.06)]), "{by:?}");
        assert_eq!(adjust(&given, Correction::None), given);
    }

    /// For a mean, the delete-one jackknife is the textbook standard error.
    #[test]
    fn jackknife_of_a_mean() {
        let x = [2.0, 4.0, 4.0, 5.0, 7.0, 9.0];
        let n = x.len() as f64;
        let total: f64 = x.iter().sum();
        let left_out: Vec<f64> = jackknife_blocks(6, 6).into_iter().map(|b| (total - x[b.start]) / (n - 1.0)).collect();
        let mean = total / n;
        let sd = (x.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0)).sqrt();
        let (low, high) = jackknife_interval(mean, &left_out).unwrap();
        assert!((high - low - 2.0 * 2.570_581_835_636_314 * sd / n.sqrt()).abs() < 1e-8);
    }
}
