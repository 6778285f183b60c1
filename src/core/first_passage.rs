//! First passage of a diffusion in one dimension: the time from a reset to a threshold, its mean and its variance.
//!
//! The process is dx/dt = f(x) + s(x)·ξ (Ito) with a natural lower end. With D = s²/2, the mean T and the variance W of
//! the time from x to the threshold θ obey
//!
//! D T″ + f T′ = −1 and D W″ + f W′ = −2 D T′²
//!
//! (Siegert 1951, Phys Rev 81:617-623, doi:10.1103/PhysRev.81.617; the second follows from the equation of the second
//! moment). Both are of first order in T′ and W′ and are integrated upwards from far below, cell by cell with f and D
//! taken at the middle and the exponential exact: stable where the flow goes up, and true where it grows because noise
//! must carry the voltage up against the flow (the same cells as Richardson 2007, Phys Rev E 76:021919,
//! doi:10.1103/PhysRevE.76.021919, for the density). Without noise it becomes the integral of dx/f.

/// Cells from the reset to the threshold of the finer of the two grids whose results are extrapolated; those below the
/// reset are half as wide.
const CELLS: usize = 1 << 13;

/// How often the lower end is moved down, each time to twice the distance from the threshold.
const LOWER_ENDS: usize = 10;

/// A time to the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passage {
    /// Mean; infinite where the threshold is never reached.
    pub mean: f64,
    /// Variance; not finite where the mean is not.
    pub variance: f64,
    /// Relative error of the mean by the grid: how far the two grids are apart.
    pub error: f64,
}

/// Mean and variance of the time from `reset` to `threshold` (above it) under `drift` f and `diffusion` D = s²/2, both
/// per unit of time.
///
/// The lower end goes down until the mean no longer depends on it (10⁻⁶ of it for the last step, which is far less for
/// the next), as it must for a natural one. Costs some 10⁵ evaluations, 10⁷ where nothing settles. None where no lower
/// end is far enough (the flow runs away downwards) or a rate is not a number.
///
/// # Panics
/// If `reset` is not below `threshold`.
pub fn passage(
    reset: f64,
    threshold: f64,
    mut drift: impl FnMut(f64) -> f64,
    mut diffusion: impl FnMut(f64) -> f64,
) -> Option<Passage> {
    assert!(reset < threshold, "a passage goes up, from the reset to the threshold");
    let width = threshold - reset;
    let mut before: Option<f64> = None;
    for k in 0..LOWER_ENDS {
        let low = width.mul_add(-(0.5 * (1_u64 << k) as f64), reset);
        let coarse = integrate((low, reset, threshold), CELLS / 2, &mut drift, &mut diffusion)?;
        let settled = before.is_some_and(|b| (coarse.0 - b).abs() <= 1e-6 * coarse.0 || b == coarse.0);
        before = Some(coarse.0);
        if !settled {
            continue;
        }
        if coarse.0.is_infinite() {
            return Some(Passage { mean: f64::INFINITY, variance: f64::NAN, error: 0.0 });
        }
        let fine = integrate((low, reset, threshold), CELLS, &mut drift, &mut diffusion)?;
        // Errors are of second order in the cells: what is left of them after one step of Richardson's extrapolation.
        let better = |fine: f64, coarse: f64| fine + (fine - coarse) / 3.0;
        let mean = better(fine.0, coarse.0);
        return Some(Passage {
            mean,
            variance: better(fine.1, coarse.1).max(0.0),
            error: ((fine.0 - coarse.0) / 3.0 / mean).abs(),
        });
    }
    None
}

/// (1 − e^(−a))/a and e^(−a), without the difference of nearly equal numbers.
fn decay(a: f64) -> (f64, f64) {
    let share = if a.abs() < 1e-8 { 1.0 - 0.5 * a } else { -(-a).exp_m1() / a };
    (share, (-a).exp())
}

/// Mean and variance with `cells` cells from the reset to the threshold: the reset lies on an edge of them.
fn integrate(
    (low, reset, threshold): (f64, f64, f64),
    cells: usize,
    drift: &mut impl FnMut(f64) -> f64,
    diffusion: &mut impl FnMut(f64) -> f64,
) -> Option<(f64, f64)> {
    // Slopes of the mean and of the variance, taken with the opposite sign: both are positive.
    let (mut u, mut z) = (0.0, 0.0);
    let (mut mean, mut variance) = (0.0, 0.0);
    let below = (2.0 * cells as f64 * (reset - low) / (threshold - reset)).ceil() as usize;
    for (from, to, cells, counted) in [(low, reset, below, false), (reset, threshold, cells, true)] {
        let h = (to - from) / cells as f64;
        for k in 0..cells {
            let x = h.mul_add(k as f64 + 0.5, from);
            let (f, d) = (drift(x), diffusion(x));
            if !f.is_finite() || !d.is_finite() || d < 0.0 {
                return None;
            }
            if d == 0.0 {
                // No noise: what goes up takes dx/f, what goes down never arrives.
                if f <= 0.0 {
                    (u, z) = if counted { (f64::INFINITY, f64::INFINITY) } else { (0.0, 0.0) };
                } else {
                    (u, z) = (1.0 / f, 0.0);
                }
                if counted {
                    mean += u * h;
                    variance += z * h;
                }
                continue;
            }
            let a = f * h / d;
            let (share, left) = decay(a);
            // u' = −(f/d) u + 1/d in the cell; its mean over the cell follows from the equation itself.
            let after = u.mul_add(left, share * h / d);
            let over = |start: f64, end: f64, source: f64| {
                if a.abs() < 1e-4 { 0.5 * (start + end) } else { (source * h - (end - start)) / a }
            };
            let u_mean = over(u, after, 1.0 / d);
            let source = 2.0 * u_mean * u_mean;
            let z_after = z.mul_add(left, share * h * source);
            if counted {
                mean += u_mean * h;
                variance += over(z, z_after, source) * h;
            }
            (u, z) = (after, z_after);
            if u.is_infinite() {
                return Some((f64::INFINITY, f64::NAN));
            }
        }
    }
    if mean.is_nan() { None } else { Some((mean, variance)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Siegert's integral for dx/dt = (m − x)/τ + s/√τ ξ, by Brunel's formula.
    fn siegert(m: f64, s: f64, tau: f64, reset: f64, threshold: f64) -> f64 {
        let scaled = |x: f64| (x * x).exp() * statrs::function::erf::erfc(-x);
        let (a, b) = ((reset - m) / s, (threshold - m) / s);
        let n = 200_000;
        let h = (b - a) / f64::from(n);
        let sum: f64 = (0..n).map(|k| scaled(h.mul_add(f64::from(k) + 0.5, a))).sum();
        tau * std::f64::consts::PI.sqrt() * sum * h
    }

    fn leaky(m: f64, s: f64, tau: f64) -> (impl Fn(f64) -> f64, impl Fn(f64) -> f64) {
        (move |x: f64| (m - x) / tau, move |_: f64| 0.5 * s * s / tau)
    }

    #[test]
    fn leaky_units_take_siegerts_time() {
        for (m, s) in [(10.0, 5.0), (15.0, 5.0), (20.0, 5.0), (22.0, 2.0), (30.0, 1.0), (5.0, 6.0)] {
            let (f, d) = leaky(m, s, 0.02);
            let found = passage(10.0, 20.0, f, d).expect("a leak holds it from below");
            let right = siegert(m, s, 0.02, 10.0, 20.0);
            assert!((found.mean / right - 1.0).abs() < 2e-7, "{m} {s}: {} and {right}", found.mean);
            assert!(found.error < 1e-5);
        }
    }

    /// The rates and variations of the four populations of Siegert's scenario, which were worked out by other means.
    #[test]
    fn rates_and_variations_known_from_elsewhere() {
        for (m, s, rate, cv) in
            [(15.0, 5.0, 9.4608, 0.81476), (20.0, 5.0, 27.3406, 0.58264), (22.0, 2.0, 28.8503, 0.2881)]
        {
            let (f, d) = leaky(m, s, 0.02);
            let p = passage(10.0, 20.0, f, d).expect("natural");
            let whole = p.mean + 0.002;
            assert!((1.0 / whole - rate).abs() < 6e-5, "{}", 1.0 / whole);
            assert!((p.variance.sqrt() / whole - cv).abs() < 6e-5, "{}", p.variance.sqrt() / whole);
        }
    }

    /// A perfect integrator: the inverse Gaussian law, mean L/μ and variance L s²/μ³.
    #[test]
    fn a_perfect_integrator_has_the_inverse_gaussian_law() {
        for s in [0.02, 0.3, 2.0] {
            let p = passage(0.0, 1.5, |_| 2.0, |_| 0.5 * s * s).expect("it drifts up");
            assert!((p.mean - 0.75).abs() < 1e-7, "{}", p.mean);
            let right = 1.5 * s * s / 8.0;
            assert!((p.variance / right - 1.0).abs() < 1e-5, "{} and {right}", p.variance);
        }
    }

    /// Without noise the time is the integral of dx/f, and what never arrives takes for ever.
    #[test]
    fn without_noise_it_is_the_integral_of_the_flow() {
        let p = passage(10.0, 20.0, |x| (30.0 - x) / 0.02, |_| 0.0).expect("a flow");
        assert!((p.mean - 0.02 * 2.0_f64.ln()).abs() < 1e-9 && p.variance == 0.0);
        let never = passage(10.0, 20.0, |x| (15.0 - x) / 0.02, |_| 0.0).expect("a flow");
        assert!(never.mean.is_infinite());
        // Noise so small that the exponential of the barrier is beyond numbers.
        let late = passage(10.0, 20.0, |x| (10.0 - x) / 0.02, |_| 1e-6).expect("a flow");
        assert!(late.mean.is_infinite());
    }

    /// A quadratic unit between far ends: without noise π/√I; and noise that is small changes it little.
    #[test]
    fn a_quadratic_unit_takes_pi_over_the_root() {
        for d in [0.0, 1e-9] {
            let p = passage(-500.0, 500.0, |x| x * x + 1.0, |_| d).expect("it goes up");
            let right = 2.0 * 500.0_f64.atan();
            assert!((p.mean - right).abs() < 1e-5, "{}", p.mean);
        }
    }

    #[test]
    fn what_runs_away_downwards_has_no_time() {
        assert!(passage(0.0, 1.0, |_| -1.0, |_| 0.5).is_none_or(|p| p.mean > 1e6));
        assert!(passage(0.0, 1.0, |_| f64::NAN, |_| 0.5).is_none());
    }
}
