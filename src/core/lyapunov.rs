//! Lyapunov spectra by tangent dynamics: a frame goes with the trajectory and is made orthonormal again and again; the
//! logarithms of how much it grew, per time, are the exponents (Benettin et al. 1980, doi:10.1007/BF02128236; Shimada
//! and Nagashima 1979, doi:10.1143/PTP.61.1605).

use super::dynamics::{Dynamics, Scaled};
use super::linear::orthonormalise;
use super::rng::Key;
use super::statistics::{dependent_error, student_quantile_of};
use super::trajectory::{Scheme, Trajectory, TrajectoryError};

/// How long, how finely, how often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Number of exponents, the largest first.
    pub exponents: usize,
    /// Time left out first, for the state and the frame.
    pub transient: f64,
    /// Time measured.
    pub duration: f64,
    /// Step of the integration.
    pub step: f64,
    /// How time advances.
    pub scheme: Scheme,
    /// Time between orthonormalisations.
    pub interval: f64,
    /// The part of the time up to which growth is taken to depend on growth before, for the interval of an exponent.
    pub batches: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spectrum {
    /// Exponents per unit of time, natural logarithm, largest first. Minus infinity where the reset forgets a
    /// direction.
    pub exponents: Vec<f64>,
    /// Half of the 95 % interval of each, from covariances of the growth in stretches of the run.
    pub half_width: Vec<f64>,
    /// Standard deviation of the running estimate over the second half of the run.
    pub running_sd: Vec<f64>,
    /// Time since the transient, and the running estimates there.
    pub curve: Vec<(f64, Vec<f64>)>,
    /// Mean rate of change of log volume, if all exponents were asked for and no state was held: equals their sum.
    pub divergence: Option<f64>,
    /// Time measured.
    pub time: f64,
    /// Number of orthonormalisations.
    pub renormalisations: u64,
    /// Number of resets.
    pub resets: u64,
    /// Crossings too flat for a saltation matrix.
    pub grazing: u64,
    /// State at the end.
    pub state: Vec<f64>,
}

/// Points of the convergence curve.
const CURVE_POINTS: usize = 400;

/// Computes the spectrum of `system` from state `start`. `proceed` is asked now and then; when it says no, what there
/// is comes back.
///
/// # Errors
/// See [`TrajectoryError`].
pub fn spectrum<D: Dynamics>(
    system: &D,
    start: &[f64],
    settings: Settings,
    mut proceed: impl FnMut() -> bool,
) -> Result<Spectrum, TrajectoryError> {
    let n = system.dimension();
    let k = settings.exponents.clamp(1, n.max(1));
    // A state-only trajectory first: typical sizes of the states, so that units do not decide what is long and what is
    // short.
    let mut scout = Trajectory::new(system, 0.0, start, Vec::new(), settings.step).by(settings.scheme);
    let mut scale: Vec<f64> = start.iter().map(|v| v.abs()).collect();
    for _ in 0..200 {
        scout.advance((settings.transient / 200.0).max(settings.step))?;
        for (s, v) in scale.iter_mut().zip(&scout.x) {
            *s = s.max(v.abs());
        }
        if !proceed() {
            return Ok(Spectrum::default());
        }
    }
    for s in &mut scale {
        if *s < f64::MIN_POSITIVE {
            *s = 1.0;
        }
    }
    let scaled = Scaled { inner: system, scale };
    let y: Vec<f64> = start.iter().zip(&scaled.scale).map(|(x, s)| x / s).collect();
    let mut trajectory = Trajectory::new(&scaled, 0.0, &y, first_frame(n, k), settings.step).by(settings.scheme);
    let mut r = vec![0.0; k];
    let mut walk = |trajectory: &mut Trajectory<'_, Scaled<'_, D>>, logs: &mut [f64]| -> Result<f64, TrajectoryError> {
        let from = trajectory.t;
        trajectory.advance(settings.interval)?;
        // A held state has no direction of its own: wait until it is let go.
        let mut patience = 0;
        while trajectory.is_refractory() && patience < 10_000 {
            trajectory.advance(settings.interval)?;
            patience += 1;
        }
        orthonormalise(&mut trajectory.frame, n, k, &mut r);
        for (l, r) in logs.iter_mut().zip(&r) {
            *l += r.ln();
        }
        Ok(trajectory.t - from)
    };
    let mut logs = vec![0.0; k];
    while trajectory.t < settings.transient {
        walk(&mut trajectory, &mut logs)?;
        if !proceed() {
            return Ok(Spectrum::default());
        }
    }
    logs.fill(0.0);
    let (begin, volume, held, resets, grazing) =
        (trajectory.t, trajectory.log_volume, trajectory.held_resets, trajectory.resets, trajectory.grazing);
    let mut result = Spectrum::default();
    let mut marks: Vec<(f64, Vec<f64>)> = vec![(0.0, logs.clone())];
    while trajectory.t - begin < settings.duration * (1.0 - 1e-12) {
        walk(&mut trajectory, &mut logs)?;
        result.renormalisations += 1;
        let t = trajectory.t - begin;
        if t >= settings.duration * (marks.len() as f64 / CURVE_POINTS as f64 - 1e-9) {
            marks.push((t, logs.clone()));
        }
        if !proceed() {
            break;
        }
    }
    let time = trajectory.t - begin;
    result.exponents = logs.iter().map(|l| l / time).collect();
    result.curve = marks.iter().skip(1).map(|(t, l)| (*t, l.iter().map(|l| l / t).collect())).collect();
    result.half_width = (0..k).map(|j| half_width(&marks, j, settings.batches)).collect();
    result.running_sd = (0..k).map(|j| running_sd(&result.curve, j)).collect();
    result.divergence = (k == n && trajectory.held_resets == held).then(|| (trajectory.log_volume - volume) / time);
    result.time = time;
    result.resets = trajectory.resets - resets;
    result.grazing = trajectory.grazing - grazing;
    result.state = scaled.unscaled(&trajectory.x);
    Ok(result)
}

/// A frame in general position: axes that the system leaves alone would give the exponents in the wrong order.
fn first_frame(n: usize, k: usize) -> Vec<f64> {
    let mut stream = Key::new(0, "lyapunov", "frame").stream(0, 0);
    let mut frame: Vec<f64> = (0..n * k).map(|_| 2.0 * stream.uniform() - 1.0).collect();
    orthonormalise(&mut frame, n, k, &mut vec![0.0; k]);
    frame
}

/// Half of the 95 % interval of exponent `j`: growth in stretches of the run depends on the growth before, mostly so
/// that it evens out, up to a `batches`-th of the time.
fn half_width(marks: &[(f64, Vec<f64>)], j: usize, batches: usize) -> f64 {
    let time = marks[marks.len() - 1].0;
    let rate = marks[marks.len() - 1].1[j] / time;
    let excess: Vec<f64> = marks.windows(2).map(|w| w[1].1[j] - w[0].1[j] - rate * (w[1].0 - w[0].0)).collect();
    match dependent_error(&excess, excess.len() / batches) {
        Some((error, freedom)) => student_quantile_of(freedom) * error * excess.len() as f64 / time,
        None => f64::NAN,
    }
}

fn running_sd(curve: &[(f64, Vec<f64>)], j: usize) -> f64 {
    let half = &curve[curve.len() / 2..];
    let mean = half.iter().map(|c| c.1[j]).sum::<f64>() / half.len() as f64;
    (half.iter().map(|c| (c.1[j] - mean).powi(2)).sum::<f64>() / half.len() as f64).sqrt()
}

/// Kaplan and Yorke's dimension, `j + (λ₁ + … + λ_j)/|λ_{j+1}|` for the last j whose partial sum is not negative (1979,
/// doi:10.1007/BFb0064319). `None` when the sum of the exponents known never becomes negative and not all are known.
pub fn kaplan_yorke(exponents: &[f64], dimension: usize) -> Option<f64> {
    let mut sum = 0.0;
    for (j, &e) in exponents.iter().enumerate() {
        if sum + e < 0.0 {
            return Some(if e.is_finite() { j as f64 + sum / e.abs() } else { j as f64 });
        }
        sum += e;
    }
    (exponents.len() == dimension).then_some(dimension as f64)
}

#[cfg(test)]
#[path = "lyapunov_tests.rs"]
mod tests;
