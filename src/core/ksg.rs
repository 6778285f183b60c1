//! Information of continuous variables from distances to the k-th neighbour (Kraskov, Stögbauer, Grassberger 2004,
//! doi:10.1103/PhysRevE.69.066138; conditional: Frenzel and Pompe 2007, doi:10.1103/PhysRevLett.99.204101).
//!
//! Maximum norm, all variables as they are (scale them first: [`standardise`]), no noise added. Values may be negative.

use rayon::prelude::*;

use super::neighbours::{Nearest, SortedAxis, Tree};

/// Which of the two estimators of mutual information.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// One radius for all variables, strict counts: ψ(k) + ψ(N) − ⟨ψ(nₓ+1) + ψ(n_y+1)⟩.
    One,
    /// A radius for each variable, closed counts: ψ(k) − 1/k + ψ(N) − ⟨ψ(nₓ) + ψ(n_y)⟩.
    Two,
}

/// How neighbours are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbourhood {
    /// Which neighbour sets the radius.
    pub k: usize,
    /// Samples at most this far apart in time are no neighbours (0: only a sample itself is none).
    pub window: usize,
}

/// Why there is no estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KsgError {
    /// Fewer samples than neighbours asked for.
    #[error("{n} samples are too few for the {k}th neighbour outside a window of {window} samples")]
    TooFew {
        /// Samples.
        n: usize,
        /// Neighbours.
        k: usize,
        /// Window.
        window: usize,
    },
    /// Too many variables together.
    #[error("{0} variables together; nearest neighbours are of use up to {MOST_VARIABLES}")]
    TooManyVariables(usize),
}

/// Most coordinates of a point.
pub const MOST_VARIABLES: usize = 12;

/// Mutual information of `x` and `y` (each one or more columns) in nats. O(N log N) for few variables.
///
/// # Errors
/// See [`KsgError`].
pub fn mutual_information(
    x: &[&[f64]],
    y: &[&[f64]],
    how: Neighbourhood,
    algorithm: Algorithm,
) -> Result<f64, KsgError> {
    let joint: Vec<&[f64]> = x.iter().chain(y).copied().collect();
    let n = checked(&joint, how)?;
    let psi = digammas(n + 1);
    let (of_x, of_y) = (Counter::new(x), Counter::new(y));
    let radii = radii(&joint, x.len(), how);
    let terms: Vec<f64> = radii
        .par_iter()
        .map(|r| match algorithm {
            Algorithm::One => {
                psi[of_x.count(r.index, r.joint, false, how) + 1] + psi[of_y.count(r.index, r.joint, false, how) + 1]
            }
            // Rounding cannot make these counts 0: the neighbour that set the radius is inside.
            Algorithm::Two => {
                psi[of_x.count(r.index, r.x, true, how).max(1)] + psi[of_y.count(r.index, r.rest, true, how).max(1)]
            }
        })
        .collect();
    let mean = terms.iter().sum::<f64>() / n as f64;
    let k = how.k as f64;
    Ok(psi[how.k] - if algorithm == Algorithm::Two { 1.0 / k } else { 0.0 } + psi[n] - mean)
}

/// Conditional mutual information I(x; y | z) in nats by algorithm 1: with y the target now, x the source's past and z
/// the target's past it is transfer entropy. Without z it is [`mutual_information`].
///
/// # Errors
/// See [`KsgError`].
pub fn conditional(x: &[&[f64]], y: &[&[f64]], z: &[&[f64]], how: Neighbourhood) -> Result<f64, KsgError> {
    if z.is_empty() {
        return mutual_information(x, y, how, Algorithm::One);
    }
    let (xz, yz) = ([x, z].concat(), [y, z].concat());
    let joint: Vec<&[f64]> = x.iter().chain(&yz).copied().collect();
    let n = checked(&joint, how)?;
    let psi = digammas(n + 1);
    let (of_z, of_xz, of_yz) = (Counter::new(z), Counter::new(&xz), Counter::new(&yz));
    let terms: Vec<f64> = radii(&joint, x.len(), how)
        .par_iter()
        .map(|r| {
            let count = |c: &Counter| psi[c.count(r.index, r.joint, false, how) + 1];
            count(&of_z) - count(&of_xz) - count(&of_yz)
        })
        .collect();
    Ok(psi[how.k] + terms.iter().sum::<f64>() / n as f64)
}

fn checked(joint: &[&[f64]], how: Neighbourhood) -> Result<usize, KsgError> {
    let n = joint.first().map_or(0, |c| c.len());
    if how.k == 0 || n < how.k + 2 * how.window + 2 {
        return Err(KsgError::TooFew { n, k: how.k, window: how.window });
    }
    if joint.len() > MOST_VARIABLES {
        return Err(KsgError::TooManyVariables(joint.len()));
    }
    Ok(n)
}

/// Radii around one sample: of the k-th neighbour in the joint space, and of the k nearest in the first variables and
/// in the rest.
#[derive(Debug, Clone, Copy)]
struct Radii {
    index: u32,
    joint: f64,
    x: f64,
    rest: f64,
}

/// Radii of all samples, in the order of the tree (which depends on the data only).
fn radii(joint: &[&[f64]], first: usize, how: Neighbourhood) -> Vec<Radii> {
    macro_rules! by_dimension {
        ($($d:literal)*) => {
            match joint.len() {
                $($d => radii_in::<$d>(joint, first, how),)*
                _ => Vec::new(),
            }
        };
    }
    by_dimension!(1 2 3 4 5 6 7 8 9 10 11 12)
}

fn radii_in<const D: usize>(joint: &[&[f64]], first: usize, how: Neighbourhood) -> Vec<Radii> {
    let tree = Tree::new(&points::<D>(joint));
    (0..tree.len())
        .into_par_iter()
        .with_min_len(256)
        .map_init(
            || Nearest::new(how.k),
            |nearest, place| {
                let (q, index) = tree.point(place);
                tree.search(q, index, how.window as u32, nearest);
                let mut radii = Radii { index, joint: nearest.radius(), x: 0.0, rest: 0.0 };
                for p in tree.found(nearest) {
                    for d in 0..D {
                        let side = if d < first { &mut radii.x } else { &mut radii.rest };
                        *side = side.max((p[d] - q[d]).abs());
                    }
                }
                radii
            },
        )
        .collect()
}

fn points<const D: usize>(columns: &[&[f64]]) -> Vec<[f64; D]> {
    (0..columns[0].len()).map(|i| std::array::from_fn(|d| columns[d][i])).collect()
}

/// Counts in a marginal space: sorted values for one variable, a tree for several.
trait Count: Sync {
    fn count(&self, index: u32, radius: f64, closed: bool, window: u32) -> usize;
}

impl Count for SortedAxis {
    fn count(&self, index: u32, radius: f64, closed: bool, window: u32) -> usize {
        Self::count(self, index, radius, closed, window)
    }
}

impl<const D: usize> Count for Tree<D> {
    fn count(&self, index: u32, radius: f64, closed: bool, window: u32) -> usize {
        Self::count(self, index, radius, closed, window)
    }
}

struct Counter(Box<dyn Count>);

impl Counter {
    fn new(columns: &[&[f64]]) -> Self {
        macro_rules! by_dimension {
            ($($d:literal)*) => {
                match columns.len() {
                    $($d => Box::new(Tree::new(&points::<$d>(columns))) as Box<dyn Count>,)*
                    _ => Box::new(SortedAxis::new(columns.first().copied().unwrap_or(&[]))),
                }
            };
        }
        Self(by_dimension!(2 3 4 5 6 7 8 9 10 11 12))
    }

    fn count(&self, index: u32, radius: f64, closed: bool, how: Neighbourhood) -> usize {
        self.0.count(index, radius, closed, how.window as u32)
    }
}

/// ψ(0..=n) at whole numbers: ψ(1) = −γ, ψ(m + 1) = ψ(m) + 1/m. Entry 0 is minus infinity.
pub(super) fn digammas(n: usize) -> Vec<f64> {
    let mut psi = vec![f64::NEG_INFINITY, -0.577_215_664_901_532_9];
    for m in 1..=n {
        psi.push(psi[m] + 1.0 / m as f64);
    }
    psi
}

/// Subtracts the mean and divides by the standard deviation (ddof 1); constant columns become 0.
pub fn standardise(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0)).sqrt();
    values.iter().map(|v| if sd > 0.0 { (v - mean) / sd } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference_sets::{coupled_pair, normals};

    const K4: Neighbourhood = Neighbourhood { k: 4, window: 0 };

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9, "{got} is not {want}");
    }

    /// Portable set of ground truth C12, seed 1 (nats).
    #[test]
    fn mutual_information_of_the_portable_set() {
        let (x, y) = normals(1);
        let (zx, zy) = (standardise(&x), standardise(&y));
        for (k, one, two) in
            [(1, 0.184_075_697, 0.196_600_775), (3, 0.226_124_613, 0.223_143_854), (4, 0.236_579_361, 0.229_366_240)]
        {
            let how = Neighbourhood { k, window: 0 };
            near(mutual_information(&[&zx], &[&zy], how, Algorithm::One).unwrap(), one);
            near(mutual_information(&[&zx], &[&zy], how, Algorithm::Two).unwrap(), two);
        }
        near(mutual_information(&[&x], &[&y], K4, Algorithm::One).unwrap(), 0.236_634_975);
        near(mutual_information(&[&x], &[&y], K4, Algorithm::Two).unwrap(), 0.231_099_972);
    }

    /// AR pair of ground truth C12, seed 12345 (nats).
    #[test]
    fn transfer_entropy_of_the_portable_pair() {
        let (x, y) = coupled_pair(12_345, 1000);
        let te = |from: &[f64], to: &[f64]| {
            let n = from.len();
            conditional(&[&from[..n - 1]], &[&to[1..]], &[&to[..n - 1]], K4).unwrap()
        };
        let (zx, zy) = (standardise(&x), standardise(&y));
        near(te(&zx, &zy), 0.120_250_919);
        near(te(&zy, &zx), 0.002_661_530);
        near(te(&x, &y), 0.128_625_624);
        near(te(&y, &x), 0.015_930_592);
    }

    /// A Theiler window leaves out neighbours in time: a brute-force sum over all pairs.
    #[test]
    fn a_window_equals_brute_force() {
        let (x, y) = normals(3);
        let (x, y) = (&x[..300], &y[..300]);
        let how = Neighbourhood { k: 3, window: 10 };
        let psi = digammas(301);
        let mut mean = 0.0;
        for i in 0..300_usize {
            let others = || (0..300_usize).filter(move |j| j.abs_diff(i) > 10);
            let mut d: Vec<f64> = others().map(|j| (x[i] - x[j]).abs().max((y[i] - y[j]).abs())).collect();
            d.sort_by(f64::total_cmp);
            let count = |v: &[f64]| others().filter(|&j| (v[i] - v[j]).abs() < d[2]).count();
            mean += psi[count(x) + 1] + psi[count(y) + 1];
        }
        near(mutual_information(&[x], &[y], how, Algorithm::One).unwrap(), psi[3] + psi[300] - mean / 300.0);
    }

    /// Gaussian with correlation .9 at N = 20,000: theory .830365603 nats.
    #[test]
    fn converges_to_theory() {
        let mut g = crate::reference_sets::MinStd::new(99);
        let x: Vec<f64> = (0..20_000).map(|_| g.normal()).collect();
        let y: Vec<f64> = x.iter().map(|v| 0.9 * v + 0.19_f64.sqrt() * g.normal()).collect();
        for algorithm in [Algorithm::One, Algorithm::Two] {
            let got = mutual_information(&[&x], &[&y], K4, algorithm).unwrap();
            assert!((got - 0.830_365_603).abs() < 0.02, "{got}");
        }
        // Two columns on one side: y tells about x what it tells, an independent column nothing more.
        let w: Vec<f64> = (0..20_000).map(|_| g.normal()).collect();
        let got = mutual_information(&[&x], &[&y, &w], K4, Algorithm::One).unwrap();
        assert!((got - 0.83).abs() < 0.05, "{got}");
    }

    #[test]
    fn too_few_and_too_many() {
        let x = [1.0, 2.0, 3.0];
        assert_eq!(
            mutual_information(&[&x], &[&x], K4, Algorithm::One),
            Err(KsgError::TooFew { n: 3, k: 4, window: 0 })
        );
        let long: Vec<f64> = (0..50).map(f64::from).collect();
        let many = vec![&long[..]; 8];
        assert_eq!(mutual_information(&many, &many, K4, Algorithm::One), Err(KsgError::TooManyVariables(16)));
    }
}
