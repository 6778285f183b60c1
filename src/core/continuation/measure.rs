//! What continuation measures: distances between points, and numbers that change their sign where something happens.

use super::Kind;

/// The foot of a point on the chord from one point to another, the normal of the plane through both that is across the
/// chord (in the weights of the norm), how far the point is off the chord, and the chord's length; `None` where the
/// point does not stand beside the chord, or where there is none.
pub fn foot(from: &[f64], to: &[f64], z: &[f64]) -> Option<(Vec<f64>, Vec<f64>, f64, f64)> {
    let along: Vec<f64> = to.iter().zip(from).map(|(b, a)| b - a).collect();
    let away: Vec<f64> = z.iter().zip(from).map(|(z, a)| z - a).collect();
    let (square, n) = (dot(&along, &along), along.len() - 1);
    let share = dot(&along, &away) / square;
    // A little beyond the ends, so that no point falls between two chords of a bend.
    if !(-OVER..=1.0 + OVER).contains(&share) {
        return None;
    }
    let foot: Vec<f64> = from.iter().zip(&along).map(|(f, a)| share.mul_add(*a, *f)).collect();
    let off = norm(&z.iter().zip(&foot).map(|(z, f)| z - f).collect::<Vec<_>>());
    let length = square.sqrt();
    let row = along.iter().enumerate().map(|(i, a)| if i < n { a / (n as f64 * length) } else { a / length });
    Some((foot, row.collect(), off, length))
}

/// How far the foot of a point may lie beyond the ends of a chord, in lengths of it.
const OVER: f64 = 0.1;

/// The greatest difference of any number of two points.
pub fn far(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The inner product in which states together weigh as much as the parameter.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() - 1;
    a[..n].iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / n as f64 + a[n] * b[n]
}

/// The length by it.
pub fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// A number that changes its sign where two eigenvalues add up to zero, a conjugate pair or two that are real.
pub fn hopf_test(eigenvalues: &[(f64, f64)]) -> f64 {
    let (mut sign, mut least) = (1.0, f64::INFINITY);
    let mut take = |sum: f64| {
        sign *= sum.signum();
        least = least.min(sum.abs());
    };
    for (i, a) in eigenvalues.iter().enumerate() {
        if a.1 > 0.0 {
            take(2.0 * a.0);
        } else if a.1 == 0.0 {
            eigenvalues[i + 1..].iter().filter(|b| b.1 == 0.0).for_each(|b| take(a.0 + b.0));
        }
    }
    if least.is_finite() { sign * least } else { 1.0 }
}

/// The imaginary part of the pair nearest the imaginary axis; `None` where two real eigenvalues that add up to zero are
/// nearer (a neutral saddle, at which nothing happens).
pub fn critical(eigenvalues: &[(f64, f64)]) -> Option<f64> {
    let pairs = eigenvalues.iter().filter(|e| e.1 > 0.0).map(|e| (2.0 * e.0.abs(), Some(e.1)));
    let real: Vec<f64> = eigenvalues.iter().filter(|e| e.1 == 0.0).map(|e| e.0).collect();
    let sums =
        (0..real.len()).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| ((real[i] + real[j]).abs(), None));
    pairs.chain(sums).min_by(|a, b| a.0.total_cmp(&b.0)).and_then(|p| p.1)
}

/// By how much the number of growing directions changes over a step in which `found` happens, from `before` to `after`
/// of them.
pub fn told(found: impl Iterator<Item = Kind>, before: usize, after: usize) -> usize {
    let changes: Vec<usize> = found
        .map(|kind| match kind {
            Kind::Fold | Kind::BranchPoint => 1,
            Kind::Hopf { .. } => 2,
        })
        .collect();
    let (all, net) = (changes.iter().sum::<usize>(), before.abs_diff(after));
    // Several may go in opposite ways: all that is possible is taken as told.
    if changes.len() > 1 && net <= all && (all - net).is_multiple_of(2) { net } else { all }
}

/// Number of eigenvalues with positive real part, beyond rounding.
pub fn growing(eigenvalues: &[(f64, f64)]) -> usize {
    let largest = eigenvalues.iter().fold(0.0_f64, |m, e| m.max(e.0.hypot(e.1)));
    eigenvalues.iter().filter(|e| e.0 > 1e-9 * largest).count()
}
