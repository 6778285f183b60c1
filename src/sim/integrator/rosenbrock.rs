//! ROS2 (Verwer, Spee, Blom and Hundsdorfer 1999, doi:10.1137/S1064827597326651): two linear solves a step, order 2,
//! L-stable.

use super::rk45;

/// 1 - 1/√2: the smaller of the two values for which the method is L-stable.
const GAMMA: f64 = 1.0 - std::f64::consts::FRAC_1_SQRT_2;

/// What is integrated.
pub struct Lane<'a> {
    /// Rates.
    pub rate: &'a super::Rate<'a>,
    /// Jacobian (row-major), followed by the derivative of each rate by time.
    pub jacobian: &'a super::Rate<'a>,
    /// Positive once crossed.
    pub surface: Option<&'a super::Surface<'a>>,
    /// Threshold variable and its greatest trial value.
    pub cut: Option<(usize, f64)>,
}

/// Advances `x` from `t` by `h`; returns the fraction of `h` done, 1 but where the surface is crossed, and none where
/// a step that adapts was needed and did not come to its end.
///
/// A step in which the threshold variable grows by itself (a spike current) or crosses is made by Dormand-Prince:
/// linear solves follow an upstroke with an error of first order at best, and turn it around where it grows faster than
/// the step. It adapts to the growth and stops at the crossing, so that what moves with the threshold variable is what
/// it is there.
pub fn advance(lane: &Lane<'_>, t: f64, h: f64, x: &mut [f64]) -> Option<f64> {
    let n = x.len();
    let mut slopes = vec![0.0; n * n + n];
    (lane.jacobian)(t, x, &mut slopes);
    let Some((s, cut)) = lane.cut else {
        step(lane, &slopes, t, h, x);
        return Some(1.0);
    };
    let crossed = |time: f64, state: &[f64]| lane.surface.is_some_and(|f| f(time, state) > 0.0);
    if crossed(t, x) {
        return Some(0.0);
    }
    let mut trial = x.to_vec();
    step(lane, &slopes, t, h, &mut trial);
    let mut done = Some(1.0);
    if slopes[s * n + s] > 0.0 || crossed(t + h, &trial) || !trial.iter().all(|v| v.is_finite()) {
        done =
            rk45::advance(&rk45::Lane { rate: lane.rate, surface: lane.surface, cut: lane.cut, seen: None }, t, h, x);
    } else {
        x.copy_from_slice(&trial);
    }
    // Where nobody waits for a crossing, what is past the cut is as good as at it.
    if lane.surface.is_none() {
        x[s] = spikedeck_core::math::min(x[s], cut);
    }
    done
}

/// One step, with the Jacobian at its start.
fn step(lane: &Lane<'_>, slopes: &[f64], t: f64, h: f64, x: &mut [f64]) {
    let n = x.len();
    let (matrix, by_time) = slopes.split_at(n * n);
    let mut w: Vec<f64> = matrix.iter().map(|a| -GAMMA * h * a).collect();
    for i in 0..n {
        w[i * n + i] += 1.0;
    }
    let pivots = factorise(&mut w, n);
    let mut k1 = vec![0.0; n];
    (lane.rate)(t, x, &mut k1);
    for i in 0..n {
        k1[i] = f64::mul_add(GAMMA * h, by_time[i], k1[i]);
    }
    solve(&w, &pivots, &mut k1);
    let mut at: Vec<f64> = (0..n).map(|i| f64::mul_add(h, k1[i], x[i])).collect();
    if let Some((s, cut)) = lane.cut {
        at[s] = spikedeck_core::math::min(at[s], cut);
    }
    let mut k2 = vec![0.0; n];
    (lane.rate)(t + h, &at, &mut k2);
    for i in 0..n {
        k2[i] = f64::mul_add(-GAMMA * h, by_time[i], k2[i] - 2.0 * k1[i]);
    }
    solve(&w, &pivots, &mut k2);
    for i in 0..n {
        x[i] = f64::mul_add(1.5 * h, k1[i], f64::mul_add(0.5 * h, k2[i], x[i]));
    }
}

/// LU with partial pivoting, in place; returns the row swaps.
fn factorise(a: &mut [f64], n: usize) -> Vec<usize> {
    let mut pivots = Vec::with_capacity(n);
    for c in 0..n {
        let mut p = c;
        for r in c + 1..n {
            if a[r * n + c].abs() > a[p * n + c].abs() {
                p = r;
            }
        }
        pivots.push(p);
        if p != c {
            for j in 0..n {
                a.swap(c * n + j, p * n + j);
            }
        }
        for r in c + 1..n {
            let f = a[r * n + c] / a[c * n + c];
            a[r * n + c] = f;
            for j in c + 1..n {
                a[r * n + j] = f64::mul_add(-f, a[c * n + j], a[r * n + j]);
            }
        }
    }
    pivots
}

fn solve(lu: &[f64], pivots: &[usize], b: &mut [f64]) {
    let n = b.len();
    for (c, &p) in pivots.iter().enumerate() {
        b.swap(c, p);
    }
    for r in 0..n {
        b[r] = (0..r).fold(b[r], |sum, c| f64::mul_add(-lu[r * n + c], b[c], sum));
    }
    for r in (0..n).rev() {
        let sum = (r + 1..n).fold(b[r], |sum, c| f64::mul_add(-lu[r * n + c], b[c], sum));
        b[r] = sum / lu[r * n + r];
    }
}
