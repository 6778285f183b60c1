//! Dormand-Prince 5(4) (1980, doi:10.1016/0771-050X(80)90013-3), adaptive inside each step, lane by lane.

/// Relative tolerance.
pub const RELATIVE: f64 = 1e-9;

const A: [[f64; 6]; 6] = [
    [0.2, 0.0, 0.0, 0.0, 0.0, 0.0],
    [3.0 / 40.0, 9.0 / 40.0, 0.0, 0.0, 0.0, 0.0],
    [44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0, 0.0, 0.0, 0.0],
    [19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0, 0.0, 0.0],
    [9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0, 0.0],
    [35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];
const C: [f64; 6] = [0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0];
const ERROR: [f64; 7] =
    [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339_200.0, 22.0 / 525.0, -1.0 / 40.0];

/// What is integrated: the rates, the threshold surface if there is one, and where the threshold variable is clipped.
pub struct Lane<'a> {
    /// Rates at a time and state.
    pub rate: &'a super::Rate<'a>,
    /// Positive once crossed.
    pub surface: Option<&'a super::Surface<'a>>,
    /// Threshold variable and its greatest trial value.
    pub cut: Option<(usize, f64)>,
    /// Is shown the part of `h` that is done, the time and the state after each inner step.
    pub seen: Option<&'a super::Watch<'a>>,
}

/// Most inner steps of one step.
const MOST: usize = 10_000;

/// Error, in units of what is allowed, that the shortest inner steps may add up to: a jump of a rate costs some hundred
/// of them, and one part in ten thousand of a state is no longer a jump that was stepped over.
const SPENT: f64 = 1e5;

/// Integrates `x` from `t` over `h`. Stops where the surface is crossed and returns the fraction of `h` done (1 if it
/// is not). None where `h` could not be done: the states stand where it was given up, or are less exact than any step
/// of a scheme of low order.
///
/// Error control per state against `RELATIVE` times the largest of its size and what it would move in `h`; the number
/// of inner steps is bounded, so that every lane ends.
pub fn advance(lane: &Lane<'_>, t: f64, h: f64, x: &mut [f64]) -> Option<f64> {
    let n = x.len();
    let mut k = vec![vec![0.0; n]; 7];
    let mut trial = vec![0.0; n];
    let rate = |time: f64, state: &mut [f64], out: &mut [f64]| {
        if let Some((s, cut)) = lane.cut
            && state[s] > cut
        {
            state[s] = cut;
        }
        (lane.rate)(time, state, out);
    };
    let crossed = |time: f64, state: &[f64]| lane.surface.is_some_and(|f| f(time, state) > 0.0);
    if crossed(t, x) {
        return Some(0.0);
    }
    let mut scale = vec![0.0; n];
    rate(t, &mut x.to_vec(), &mut scale);
    for v in &mut scale {
        *v = (*v * h).abs().max(1e-300);
    }
    let mut done = 0.0;
    let mut part = h;
    let mut spent = 0.0;
    for _ in 0..MOST {
        let left = h - done;
        if left <= 0.0 {
            // What grew beyond all numbers is told as that.
            return (spent <= SPENT || !x.iter().all(|v| v.is_finite())).then_some(1.0);
        }
        let step = if part < left { part } else { left };
        let last = part >= left;
        trial.copy_from_slice(x);
        let mut first = trial.clone();
        rate(t + done, &mut first, &mut k[0]);
        for stage in 0..6 {
            for i in 0..n {
                let sum = (0..=stage).fold(0.0, |sum, j| f64::mul_add(A[stage][j], k[j][i], sum));
                trial[i] = f64::mul_add(step, sum, x[i]);
            }
            let mut at = trial.clone();
            rate(t + f64::mul_add(C[stage], step, done), &mut at, &mut k[stage + 1]);
        }
        // `trial` now holds the fifth-order value: the last row of A is its weights.
        let (mut worst, mut besides): (f64, f64) = (0.0, 0.0);
        for i in 0..n {
            let e = step * (0..7).fold(0.0, |sum, j| f64::mul_add(ERROR[j], k[j][i], sum));
            let size = RELATIVE
                * scale[i].max(x[i].abs()).max(if lane.cut.is_some_and(|c| c.0 == i) { 0.0 } else { trial[i].abs() });
            let ratio = e.abs() / size;
            worst = if ratio > worst || ratio.is_nan() { ratio } else { worst };
            // How high a spike current goes in the shortest steps to its crossing is of no matter: it is reset.
            if lane.cut.is_none_or(|c| c.0 != i) {
                besides = besides.max(ratio);
            }
        }
        let smallest = h * 1e-7;
        if worst.is_nan() && step <= smallest {
            // No step is short enough for what is not a number.
            x.copy_from_slice(&trial);
            return Some(1.0);
        }
        if worst <= 1.0 || step <= smallest {
            if crossed(t + done + step, &trial) && step > smallest {
                // Halve towards the crossing.
                part = 0.5 * step;
                continue;
            }
            x.copy_from_slice(&trial);
            done = if last { h } else { done + step };
            if let Some(seen) = lane.seen {
                seen(done / h, t + done, x);
            }
            if crossed(t + done, x) {
                return (spent <= SPENT).then_some(done / h);
            }
            spent += if besides > 1.0 { besides } else { 0.0 };
        }
        let factor = if worst.is_finite() && worst > 0.0 {
            0.9 * spikedeck_core::math::pow(worst, -0.2)
        } else if worst == 0.0 {
            5.0
        } else {
            0.1
        };
        part = step * factor.clamp(0.1, 5.0);
        if part < smallest {
            part = smallest;
        }
    }
    (done >= h && spent <= SPENT).then_some(1.0)
}
