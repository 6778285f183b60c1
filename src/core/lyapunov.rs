//! Lyapunov spectra by tangent dynamics: a frame goes with the trajectory and is made orthonormal again and again; the
//! logarithms of how much it grew, per time, are the exponents (Benettin et al. 1980, doi:10.1007/BF02128236; Shimada
//! and Nagashima 1979, doi:10.1143/PTP.61.1605).

use super::dynamics::{Dynamics, Scaled};
use super::linear::orthonormalise;
use super::pulsed::{Pulsed, PulsedTrajectory};
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
    /// Length of the stretches of which finite-time exponents are given.
    pub window: Option<f64>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spectrum {
    /// Exponents per unit of time, natural logarithm, largest first. Minus infinity where the reset forgets a
    /// direction.
    pub exponents: Vec<f64>,
    /// Half of the 95 % interval of each, from covariances of the growth in stretches of the run; where the growth of
    /// one drifts, not less than what the halves of the run differ by, which has no level of its own.
    pub half_width: Vec<f64>,
    /// By how much the growth in the second half of the run differs from that in the first, where that is more than
    /// stretches of a run on an attractor would differ by; else nothing.
    pub drift: Vec<Option<f64>>,
    /// Standard deviation of the running estimate over the second half of the run.
    pub running_sd: Vec<f64>,
    /// Time since the transient, and the running estimates there.
    pub curve: Vec<(f64, Vec<f64>)>,
    /// Mean rate of change of log volume, if all exponents were asked for and no state was held: equals their sum.
    pub divergence: Option<f64>,
    /// Time measured.
    pub time: f64,
    /// Exponents of stretches of the run: the time at which each ends, and the growth in it over its length.
    pub windows: Vec<(f64, Vec<f64>)>,
    /// Number of orthonormalisations.
    pub renormalisations: u64,
    /// Number of resets.
    pub resets: u64,
    /// Crossings too flat for a saltation matrix.
    pub grazing: u64,
    /// State at the end.
    pub state: Vec<f64>,
}

/// Half the difference of the halves of a run, in half intervals of the growth about each half's own rate, beyond which
/// it drifts: three standard errors and more.
const DRIFTS: f64 = 1.5;
/// Share of the fastest exponent below which a difference is rounding.
const ROUNDING: f64 = 1e-9;
/// Points of the convergence curve.
const CURVE_POINTS: usize = 400;

/// Looks at a state-only trajectory before anything is measured.
const LOOKS: usize = 200;

/// A trajectory with its frame.
trait FramedTrajectory {
    fn time(&self) -> f64;
    /// Flies for an interval, makes the frame orthonormal, and says by how much each vector grew.
    fn fly(&mut self, interval: f64, growth: &mut [f64]) -> Result<(), TrajectoryError>;
}

/// Of a flow, with at most the resets of one unit.
struct Flow<'t, 's, D: Dynamics> {
    trajectory: Trajectory<'t, Scaled<'s, D>>,
    n: usize,
    k: usize,
}

impl<D: Dynamics> FramedTrajectory for Flow<'_, '_, D> {
    fn time(&self) -> f64 {
        self.trajectory.t
    }

    fn fly(&mut self, interval: f64, growth: &mut [f64]) -> Result<(), TrajectoryError> {
        self.trajectory.advance(interval)?;
        // A held state has no direction of its own: wait until it is let go.
        let mut patience = 0;
        while self.trajectory.is_refractory() && patience < 10_000 {
            self.trajectory.advance(interval)?;
            patience += 1;
        }
        orthonormalise(&mut self.trajectory.frame, self.n, self.k, growth);
        Ok(())
    }
}

/// Of units that jump.
struct Jumping<'t, P: Pulsed> {
    trajectory: PulsedTrajectory<'t, P>,
    scale: Vec<f64>,
    speed: f64,
}

impl<P: Pulsed> FramedTrajectory for Jumping<'_, P> {
    fn time(&self) -> f64 {
        self.trajectory.t
    }

    fn fly(&mut self, interval: f64, growth: &mut [f64]) -> Result<(), TrajectoryError> {
        self.trajectory.advance(interval)?;
        self.trajectory.orthonormalise(&self.scale, self.speed, growth);
        Ok(())
    }
}

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
    for _ in 0..LOOKS {
        scout.advance((settings.transient / LOOKS as f64).max(settings.step))?;
        grown(&mut scale, &scout.x);
        if !proceed() {
            return Ok(Spectrum::default());
        }
    }
    not_zero(&mut scale);
    let scaled = Scaled { inner: system, scale };
    let y: Vec<f64> = start.iter().zip(&scaled.scale).map(|(x, s)| x / s).collect();
    let trajectory = Trajectory::new(&scaled, 0.0, &y, first_frame(n, k), settings.step).by(settings.scheme);
    let mut flow = Flow { trajectory, n, k };
    if !settled(&mut flow, k, settings, &mut proceed)? {
        return Ok(Spectrum::default());
    }
    let t = &flow.trajectory;
    let (volume, held, resets, grazing) = (t.log_volume, t.held_resets, t.resets, t.grazing);
    let mut result = measured(&mut flow, k, settings, &mut proceed)?;
    let t = &flow.trajectory;
    result.divergence = (k == n && t.held_resets == held).then(|| (t.log_volume - volume) / result.time);
    result.resets = t.resets - resets;
    result.grazing = t.grazing - grazing;
    result.state = scaled.unscaled(&t.x);
    Ok(result)
}

/// The same of a network of units that jump: exponents of the whole, pulses under way included.
///
/// # Errors
/// See [`TrajectoryError`].
pub fn pulsed_spectrum<P: Pulsed>(
    system: &P,
    start: &[f64],
    settings: Settings,
    mut proceed: impl FnMut() -> bool,
) -> Result<Spectrum, TrajectoryError> {
    let n = system.dimension();
    let k = settings.exponents.clamp(1, n.max(1));
    let mut scout = PulsedTrajectory::new(system, start, Vec::new(), settings.step);
    let mut scale: Vec<f64> = start.iter().map(|v| v.abs()).collect();
    let mut rates = vec![vec![0.0; n]; LOOKS];
    for rates in &mut rates {
        scout.advance((settings.transient / LOOKS as f64).max(settings.step))?;
        grown(&mut scale, &scout.x);
        scout.rate(rates);
        if !proceed() {
            return Ok(Spectrum::default());
        }
    }
    not_zero(&mut scale);
    // How far states move in a unit of time, so that a shift in time is as long as the change that it stands for.
    let far = |rates: &Vec<f64>| rates.iter().zip(&scale).map(|(f, s)| (f / s).abs()).fold(0.0, f64::max);
    let fast = rates.iter().map(far).filter(|v| v.is_finite()).sum::<f64>() / LOOKS as f64;
    let speed = if fast > 0.0 { fast } else { 1.0 / settings.step };
    let mut frame = first_frame(n, k);
    for (row, s) in frame.chunks_exact_mut(k).zip(&scale) {
        for v in row.iter_mut() {
            *v *= s;
        }
    }
    let trajectory = PulsedTrajectory::new(system, start, frame, settings.step);
    let mut network = Jumping { trajectory, scale, speed };
    if !settled(&mut network, k, settings, &mut proceed)? {
        return Ok(Spectrum::default());
    }
    let (spikes, grazing) = (network.trajectory.spikes, network.trajectory.grazing);
    let mut result = measured(&mut network, k, settings, &mut proceed)?;
    result.resets = network.trajectory.spikes - spikes;
    result.grazing = network.trajectory.grazing - grazing;
    result.state = network.trajectory.x;
    Ok(result)
}

/// What is larger than before becomes the size.
fn grown(scale: &mut [f64], x: &[f64]) {
    scale.iter_mut().zip(x).for_each(|(s, v)| *s = s.max(v.abs()));
}

/// A state that is zero throughout has the size 1.
fn not_zero(scale: &mut [f64]) {
    scale.iter_mut().filter(|s| **s < f64::MIN_POSITIVE).for_each(|s| *s = 1.0);
}

/// Flies through the transient; whether it came to the end.
fn settled(
    course: &mut impl FramedTrajectory,
    k: usize,
    settings: Settings,
    proceed: &mut impl FnMut() -> bool,
) -> Result<bool, TrajectoryError> {
    let mut growth = vec![0.0; k];
    while course.time() < settings.transient {
        course.fly(settings.interval, &mut growth)?;
        if !proceed() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Flies through the time measured and adds up what grows.
fn measured(
    course: &mut impl FramedTrajectory,
    k: usize,
    settings: Settings,
    proceed: &mut impl FnMut() -> bool,
) -> Result<Spectrum, TrajectoryError> {
    let begin = course.time();
    let (mut growth, mut logs) = (vec![0.0; k], vec![0.0; k]);
    let mut result = Spectrum::default();
    let mut marks: Vec<(f64, Vec<f64>)> = vec![(0.0, logs.clone())];
    let mut opened = (0.0, logs.clone());
    while course.time() - begin < settings.duration * (1.0 - 1e-12) {
        course.fly(settings.interval, &mut growth)?;
        for (l, r) in logs.iter_mut().zip(&growth) {
            *l += r.ln();
        }
        result.renormalisations += 1;
        let t = course.time() - begin;
        if t >= settings.duration * (marks.len() as f64 / CURVE_POINTS as f64 - 1e-9) {
            marks.push((t, logs.clone()));
        }
        if settings.window.is_some_and(|w| t - opened.0 >= w * (1.0 - 1e-9)) {
            let length = t - opened.0;
            result.windows.push((t, logs.iter().zip(&opened.1).map(|(b, a)| (b - a) / length).collect()));
            opened = (t, logs.clone());
        }
        if !proceed() {
            break;
        }
    }
    let time = course.time() - begin;
    result.exponents = logs.iter().map(|l| l / time).collect();
    // Less than rounding of the fastest growth is no drift: of linear and periodic systems both halves are rounding.
    let fastest = result.exponents.iter().filter(|e| e.is_finite()).fold(0.0_f64, |most, e| most.max(e.abs()));
    result.curve = marks.iter().skip(1).map(|(t, l)| (*t, l.iter().map(|l| l / t).collect())).collect();
    for j in 0..k {
        let drift = drift(&marks, j);
        // The drift itself is no noise.
        let noise = half_width(&marks, 2, j, settings.batches);
        result.drift.push((0.5 * drift.abs() > (DRIFTS * noise).max(ROUNDING * fastest)).then_some(drift));
    }
    // Where one drifts the run is not on its attractor, and nothing is known of the others but how far they moved.
    let is_settled = result.drift.iter().all(Option::is_none);
    for j in 0..k {
        let half = half_width(&marks, 1, j, settings.batches);
        let moved = drift(&marks, j).abs();
        result.half_width.push(match result.drift[j] {
            Some(drift) => drift.abs(),
            None if is_settled => half,
            None => half.max(moved),
        });
    }
    result.running_sd = (0..k).map(|j| running_sd(&result.curve, j)).collect();
    result.time = time;
    Ok(result)
}

/// A frame in general position: axes that the system leaves alone would give the exponents in the wrong order.
fn first_frame(n: usize, k: usize) -> Vec<f64> {
    let mut stream = Key::new(0, "lyapunov", "frame").stream(0, 0);
    let mut frame: Vec<f64> = (0..n * k).map(|_| 2.0 * stream.uniform() - 1.0).collect();
    orthonormalise(&mut frame, n, k, &mut vec![0.0; k]);
    frame
}

/// Half of the 95 % interval of exponent `j`, where growth has a rate of its own in each of `parts` of the run: growth
/// in stretches depends on the growth before, mostly so that it evens out, up to a `batches`-th of the time.
fn half_width(marks: &[(f64, Vec<f64>)], parts: usize, j: usize, batches: usize) -> f64 {
    let rate = |a: &(f64, Vec<f64>), b: &(f64, Vec<f64>)| (b.1[j] - a.1[j]) / (b.0 - a.0);
    let steps = marks.len() - 1;
    let ends = |part: usize| part * steps / parts;
    let excess: Vec<f64> = (0..parts)
        .flat_map(|part| {
            let own = &marks[ends(part)..=ends(part + 1)];
            let mean = if own.len() < 2 { 0.0 } else { rate(&own[0], &own[own.len() - 1]) };
            own.windows(2).map(move |w| w[1].1[j] - w[0].1[j] - mean * (w[1].0 - w[0].0))
        })
        .collect();
    let time = marks[steps].0;
    match dependent_error(&excess, excess.len() / batches) {
        Some((error, freedom)) => student_quantile_of(freedom) * error * excess.len() as f64 / time,
        None => f64::NAN,
    }
}

/// Growth per time in the second half of the run less that in the first.
fn drift(marks: &[(f64, Vec<f64>)], j: usize) -> f64 {
    let (first, middle, last) = (&marks[0], &marks[marks.len() / 2], &marks[marks.len() - 1]);
    let rate = |a: &(f64, Vec<f64>), b: &(f64, Vec<f64>)| (b.1[j] - a.1[j]) / (b.0 - a.0);
    if marks.len() < 3 { 0.0 } else { rate(middle, last) - rate(first, middle) }
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
