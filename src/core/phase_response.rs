//! How a small kick shifts the phase of a cycle: the gradient of the asymptotic phase along it, by the adjoint
//! equations (Malkin 1949; Ermentrout and Kopell 1991, doi:10.1137/0151004; with resets by saltation, Shirasaka,
//! Kurebayashi, Nakao 2017, doi:10.1063/1.4977195).

use super::bracket::Bracket;
use super::dynamics::Dynamics;
use super::linear::eigenvalues;
use super::trajectory::{Trajectory, TrajectoryError};
use nalgebra::DMatrix;

/// Most returns to the section after which a cycle may close (spikes of a burst).
const MOST_RETURNS: usize = 60;
/// How near a state comes back that is on a cycle, in typical sizes.
const CLOSED: f64 = 1e-7;

/// Farther from itself after a turn it is on none, but on the way to rest or to a cycle.
const LOOSE: f64 = 1e-4;

/// How the cycle is found and sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The state whose upward crossing of `level` is where the cycle is cut.
    pub state: usize,
    /// That level; `None`: half-way between the least and the greatest value.
    pub level: Option<f64>,
    /// Time for the cycle to be reached.
    pub transient: f64,
    /// Longest time in which it has to close.
    pub longest: f64,
    /// Step of the integration.
    pub step: f64,
    /// Number of points along the cycle.
    pub points: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Period.
    pub period: f64,
    /// Time since the cut, or since the first reset after it where there is one.
    pub times: Vec<f64>,
    /// State there.
    pub states: Vec<Vec<f64>>,
    /// By how much time the cycle is advanced for a small kick there, per unit of each state.
    pub advance: Vec<Vec<f64>>,
    /// Floquet multipliers, greatest modulus first; one of them is 1.
    pub multipliers: Vec<(f64, f64)>,
    /// How far the state misses itself after a period, in typical sizes.
    pub gap: f64,
    /// Resets in a period.
    pub resets: u64,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ResponseError {
    /// The trajectory could not be followed.
    #[error("the trajectory could not be followed: {0}")]
    Trajectory(#[from] TrajectoryError),
    /// The state does not come back to the level.
    #[error("the state does not cross its level again and again: there is no cycle, or it is longer than the run")]
    NoReturn,
    /// It comes back elsewhere each time.
    #[error("the state comes back, but not to where it was: it misses by {0:.1e} of its size, whichever return it is")]
    NotClosed(f64),
    /// The linearised equations along the cycle have no direction that neither grows nor decays.
    #[error("the linearised equations along the cycle could not be solved")]
    Singular,
}

/// One way along the cycle from a crossing of the level to the next.
struct Crossing {
    t: f64,
    x: Vec<f64>,
}

/// The phase response of the cycle that is reached from `start`. `proceed` is asked now and then; `None` when it says
/// no.
///
/// # Errors
/// See [`ResponseError`].
pub fn phase_response<D: Dynamics>(
    system: &D,
    start: &[f64],
    settings: Settings,
    mut proceed: impl FnMut() -> bool,
) -> Result<Option<Response>, ResponseError> {
    let n = system.dimension();
    let mut trajectory = Trajectory::new(system, 0.0, start, Vec::new(), settings.step);
    if !advance(&mut trajectory, settings.transient, &mut proceed)? {
        return Ok(None);
    }
    // How large states are, and the level, from a while of it.
    let mut range = vec![(f64::INFINITY, f64::NEG_INFINITY); n];
    let begin = trajectory.t;
    while trajectory.t < begin + settings.longest {
        trajectory.advance(settings.step)?;
        range.iter_mut().zip(&trajectory.x).for_each(|(r, v)| *r = (r.0.min(*v), r.1.max(*v)));
        if !proceed() {
            return Ok(None);
        }
    }
    let (low, high) = range[settings.state];
    // What rounding does to a state at rest is no cycle.
    if high - low <= 1e-7 * high.abs().max(low.abs()) {
        return Err(ResponseError::NoReturn);
    }
    let scale: Vec<f64> = range.iter().map(|r| (r.1 - r.0).max(1e-9 * r.0.abs().max(r.1.abs())).max(1e-300)).collect();
    let level = settings.level.unwrap_or(f64::midpoint(low, high));
    let mut crossings: Vec<Crossing> = Vec::new();
    let distance =
        |a: &[f64], b: &[f64]| a.iter().zip(b).zip(&scale).map(|((a, b), s)| ((a - b) / s).abs()).fold(0.0, f64::max);
    let mut best = (f64::INFINITY, 0, 0);
    let end = trajectory.t + settings.longest * MOST_RETURNS as f64;
    while crossings.len() < 2 * MOST_RETURNS && trajectory.t < end {
        let Some(next) = crossing(system, &mut trajectory, (settings.state, level), settings, &mut proceed)? else {
            break;
        };
        let k = crossings.len();
        for back in 1..=k.min(MOST_RETURNS) {
            let gap = distance(&crossings[k - back].x, &next.x);
            // The shortest that closes: a later one is better only if it is so by far.
            if gap < 0.1 * best.0 {
                best = (gap, k - back, k);
            }
        }
        crossings.push(next);
        if best.0 < CLOSED {
            break;
        }
    }
    if !proceed() {
        return Ok(None);
    }
    if best.2 == 0 {
        return Err(ResponseError::NoReturn);
    }
    if best.0 > LOOSE {
        return Err(ResponseError::NotClosed(best.0));
    }
    let (first, last) = (&crossings[best.1], &crossings[best.2]);
    along(system, (first.t, &first.x), last.t - first.t, (best.0, &scale), settings).map(Some)
}

/// Flies for `duration` and asks `proceed` on the way.
fn advance<D: Dynamics>(
    trajectory: &mut Trajectory<'_, D>,
    duration: f64,
    proceed: &mut impl FnMut() -> bool,
) -> Result<bool, TrajectoryError> {
    for _ in 0..100 {
        trajectory.advance(duration / 100.0)?;
        if !proceed() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The next upward crossing of the level by flow, and not by a reset; `None` where there is none within the longest
/// time, or when it is no longer wanted. The trajectory is left there.
fn crossing<'s, D: Dynamics>(
    system: &'s D,
    trajectory: &mut Trajectory<'s, D>,
    (state, level): (usize, f64),
    settings: Settings,
    proceed: &mut impl FnMut() -> bool,
) -> Result<Option<Crossing>, TrajectoryError> {
    let stop = trajectory.t + settings.longest;
    // From a crossing the state leaves upward: it has to come below first.
    let mut below = false;
    while trajectory.t < stop {
        let (t, x, resets) = (trajectory.t, trajectory.x.clone(), trajectory.resets);
        let held = trajectory.is_refractory();
        below |= x[state] < level;
        trajectory.advance(settings.step)?;
        if !proceed() {
            return Ok(None);
        }
        // While a state is held the cycle cannot be cut: what begins there would not know of it.
        let stays = trajectory.resets == resets && trajectory.x[state] < level;
        if held || !below || x[state] >= level || stays {
            continue;
        }
        // The state after `h`, or when it was reset before.
        let at = |h: f64| -> Result<Result<Vec<f64>, f64>, TrajectoryError> {
            let mut part = Trajectory::new(system, t, &x, Vec::new(), settings.step);
            if h > 0.0 {
                part.advance(h)?;
            }
            Ok(if part.resets == 0 { Ok(part.x) } else { Err(part.last_reset - t) })
        };
        // A step in which the state is reset is looked at up to there: short of the peak the level may be crossed. In
        // other steps of the scheme the reset is a little earlier or later.
        let mut end = if trajectory.resets > resets { trajectory.last_reset - t } else { settings.step };
        let mut last = at(end)?;
        for _ in 0..20 {
            let Err(reset) = last else { break };
            end = end.min(reset) * (1.0 - 1e-6);
            last = at(end)?;
        }
        let Some(last) = last.ok().filter(|x| x[state] >= level) else { continue };
        let mut bracket = Bracket::new((0.0, x[state] - level), (end, last[state] - level));
        let mut there = last;
        for _ in 0..60 {
            let h = bracket.place();
            let Ok(x) = at(h)? else { break };
            let value = x[state] - level;
            if value >= 0.0 {
                there = x;
            }
            bracket.take(h, value);
            if bracket.width() < 1e-14 * settings.step || value == 0.0 {
                break;
            }
        }
        let time = t + bracket.high();
        *trajectory = Trajectory::new(system, time, &there, Vec::new(), settings.step);
        return Ok(Some(Crossing { t: time, x: there }));
    }
    Ok(None)
}

/// The response along the cycle of this period through `x`.
fn along<D: Dynamics>(
    system: &D,
    (t, x): (f64, &[f64]),
    period: f64,
    (gap, scale): (f64, &[f64]),
    settings: Settings,
) -> Result<Response, ResponseError> {
    let n = x.len();
    let mut identity = vec![0.0; n * n];
    identity.iter_mut().step_by(n + 1).for_each(|v| *v = 1.0);
    let mut trajectory = Trajectory::new(system, t, x, identity.clone(), settings.step);
    let (mut times, mut states) = (vec![0.0], vec![x.to_vec()]);
    let mut maps: Vec<DMatrix<f64>> = Vec::new();
    let mut first_reset = None;
    for k in 1..=settings.points {
        let wanted = t + period * k as f64 / settings.points as f64;
        let resets = trajectory.resets;
        if wanted > trajectory.t {
            trajectory.advance(wanted - trajectory.t)?;
        }
        if trajectory.resets > resets && first_reset.is_none() {
            first_reset = Some(trajectory.last_reset - t);
        }
        // While states are held a kick has no meaning of its own: the next point that is free takes its place.
        if trajectory.is_refractory() && k < settings.points {
            continue;
        }
        maps.push(DMatrix::from_row_slice(n, n, &trajectory.frame));
        trajectory.frame.copy_from_slice(&identity);
        times.push(trajectory.t - t);
        states.push(trajectory.x.clone());
    }
    let turn = maps.iter().fold(DMatrix::identity(n, n), |whole, map| map * whole);
    let rows: Vec<f64> = turn.transpose().iter().copied().collect();
    let mut multipliers = eigenvalues(&rows, n).ok_or(ResponseError::Singular)?;
    multipliers.sort_by(|a, b| b.0.hypot(b.1).total_cmp(&a.0.hypot(a.1)));
    // What goes back along the cycle unchanged: the left eigenvector of the multiplier 1, in the direction of flow.
    let mut flow = vec![0.0; n];
    system.rate(t, x, &mut flow);
    let left = left_eigenvector(&turn, &flow, scale).ok_or(ResponseError::Singular)?;
    let mut advance = vec![left; times.len()];
    for k in (0..maps.len()).rev() {
        let next = nalgebra::DVector::from_column_slice(&advance[k + 1]);
        advance[k] = (maps[k].transpose() * next).iter().copied().collect();
    }
    // The beginning is the end.
    times.pop();
    states.pop();
    advance.pop();
    let zero = first_reset.unwrap_or(0.0);
    let mut order: Vec<usize> = (0..times.len()).collect();
    let since = |k: &usize| (times[*k] - zero).rem_euclid(period);
    order.sort_by(|a, b| since(a).total_cmp(&since(b)));
    Ok(Response {
        period,
        times: order.iter().map(since).collect(),
        states: order.iter().map(|&k| states[k].clone()).collect(),
        advance: order.iter().map(|&k| advance[k].clone()).collect(),
        multipliers,
        gap,
        resets: trajectory.resets,
    })
}

/// z with zᵀ M = zᵀ and z·f = 1: the singular vector of M − 1 in coordinates in which states are of one size.
fn left_eigenvector(turn: &DMatrix<f64>, flow: &[f64], scale: &[f64]) -> Option<Vec<f64>> {
    let n = flow.len();
    let off = DMatrix::from_fn(n, n, |i, j| (turn[(i, j)] - f64::from(u8::from(i == j))) * scale[j] / scale[i]);
    let svd = off.svd(true, false);
    let u = svd.u?;
    let least = svd.singular_values.imin();
    let z: Vec<f64> = (0..n).map(|i| u[(i, least)] / scale[i]).collect();
    let product: f64 = z.iter().zip(flow).map(|(z, f)| z * f).sum();
    (product.is_finite() && product != 0.0).then(|| z.iter().map(|z| z / product).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings =
        Settings { state: 0, level: None, transient: 60.0, longest: 20.0, step: 0.01, points: 100 };

    /// z' = (1 + iω)z − (1 + ic)|z|²z: the phase is θ − c ln r, it turns at ω − c.
    struct Circle {
        omega: f64,
        c: f64,
    }

    impl Dynamics for Circle {
        fn dimension(&self) -> usize {
            2
        }
        fn rate(&self, _: f64, v: &[f64], o: &mut [f64]) {
            let (x, y, r) = (v[0], v[1], v[0] * v[0] + v[1] * v[1]);
            o[0] = x - self.omega * y - r * (x - self.c * y);
            o[1] = y + self.omega * x - r * (y + self.c * x);
        }
        fn jacobian(&self, _: f64, v: &[f64], o: &mut [f64]) {
            let (x, y, r, c, w) = (v[0], v[1], v[0] * v[0] + v[1] * v[1], self.c, self.omega);
            o[0] = 1.0 - r - 2.0 * x * (x - c * y);
            o[1] = -w + c * r - 2.0 * y * (x - c * y);
            o[2] = w - c * r - 2.0 * x * (y + c * x);
            o[3] = 1.0 - r - 2.0 * y * (y + c * x);
        }
    }

    #[test]
    fn the_phase_of_a_circle_is_known() {
        for (omega, c) in [(2.0, 0.0), (2.0, 0.7), (3.0, -1.0)] {
            let found = phase_response(&Circle { omega, c }, &[0.3, 0.1], SETTINGS, || true).unwrap().unwrap();
            let speed = omega - c;
            assert!((found.period - std::f64::consts::TAU / speed).abs() < 1e-7, "{}", found.period);
            assert!(found.gap < 1e-6 && found.resets == 0);
            // One multiplier is 1, the other that of r' = r(1 - r²): exp(-2T).
            assert!((found.multipliers[0].0 - 1.0).abs() < 1e-6);
            assert!((found.multipliers[1].0 - (-2.0 * found.period).exp()).abs() < 1e-6);
            for (x, z) in found.states.iter().zip(&found.advance) {
                let (cos, sin) = (x[0], x[1]);
                assert!((z[0] - (-sin - c * cos) / speed).abs() < 1e-5, "{omega} {c}: {x:?} {z:?}");
                assert!((z[1] - (cos - c * sin) / speed).abs() < 1e-5, "{omega} {c}: {x:?} {z:?}");
            }
        }
    }

    /// V' = I − V, reset from 1 to 0: of one state, a kick gains the time that the flow would take for it.
    struct Leaky {
        drive: f64,
        refractory: Option<f64>,
    }

    impl Dynamics for Leaky {
        fn dimension(&self) -> usize {
            1
        }
        fn rate(&self, _: f64, x: &[f64], o: &mut [f64]) {
            o[0] = self.drive - x[0];
        }
        fn jacobian(&self, _: f64, _: &[f64], o: &mut [f64]) {
            o[0] = -1.0;
        }
        fn threshold(&self, _: f64, x: &[f64], gradient: &mut [f64]) -> Option<f64> {
            gradient[0] = 1.0;
            Some(x[0] - 1.0)
        }
        fn reset(&self, _: f64, x: &mut [f64], jacobian: &mut [f64]) -> bool {
            x[0] = 0.0;
            jacobian[0] = 0.0;
            true
        }
        fn refractory(&self, _: &[f64]) -> Option<(f64, Vec<usize>)> {
            self.refractory.map(|t| (t, vec![0]))
        }
    }

    #[test]
    fn integrate_and_fire_gains_the_time_of_the_flow() {
        for (drive, refractory) in [(1.2, None), (2.0, None), (1.5, Some(0.3))] {
            let system = Leaky { drive, refractory };
            let found = phase_response(&system, &[0.1], SETTINGS, || true).unwrap().unwrap();
            let period = (drive / (drive - 1.0)).ln() + refractory.unwrap_or(0.0);
            assert!((found.period - period).abs() < 1e-7, "{} {period}", found.period);
            assert_eq!(found.resets, 1);
            for ((t, x), z) in found.times.iter().zip(&found.states).zip(&found.advance) {
                if *t >= refractory.unwrap_or(0.0) {
                    assert!((z[0] * (drive - x[0]) - 1.0).abs() < 1e-5, "{t}: {x:?} {z:?}");
                }
            }
        }
    }

    /// V' = V² + 1 from −1 to 1000: nearly all of the way up is in the last step before the reset, however long it is.
    struct Quadratic;

    impl Dynamics for Quadratic {
        fn dimension(&self) -> usize {
            1
        }
        fn rate(&self, _: f64, x: &[f64], o: &mut [f64]) {
            o[0] = x[0] * x[0] + 1.0;
        }
        fn jacobian(&self, _: f64, x: &[f64], o: &mut [f64]) {
            o[0] = 2.0 * x[0];
        }
        fn threshold(&self, _: f64, x: &[f64], gradient: &mut [f64]) -> Option<f64> {
            gradient[0] = 1.0;
            Some(x[0] - 1000.0)
        }
        fn reset(&self, _: f64, x: &mut [f64], jacobian: &mut [f64]) -> bool {
            x[0] = -1.0;
            jacobian[0] = 0.0;
            true
        }
    }

    #[test]
    fn the_period_does_not_depend_on_the_step() {
        let period = 1000.0_f64.atan() + 1.0_f64.atan();
        for step in [0.001, 0.01, 0.1, 0.5, 1.0] {
            let settings = Settings { step, transient: 10.0, longest: 30.0, ..SETTINGS };
            let found = phase_response(&Quadratic, &[0.0], settings, || true).unwrap().unwrap();
            assert!((found.period - period).abs() < 1e-4 && found.resets == 1, "{step}: {found:?}");
        }
    }

    /// A focus that is damped by a thousandth a turn is no cycle.
    #[test]
    fn a_damped_oscillation_is_no_cycle() {
        struct Damped;
        impl Dynamics for Damped {
            fn dimension(&self) -> usize {
                2
            }
            fn rate(&self, _: f64, x: &[f64], o: &mut [f64]) {
                o.copy_from_slice(&[-1e-4 * x[0] - x[1], x[0] - 1e-4 * x[1]]);
            }
            fn jacobian(&self, _: f64, _: &[f64], o: &mut [f64]) {
                o.copy_from_slice(&[-1e-4, -1.0, 1.0, -1e-4]);
            }
        }
        let found = phase_response(&Damped, &[1.0, 0.0], SETTINGS, || true);
        assert!(matches!(found, Err(ResponseError::NotClosed(_))), "{found:?}");
    }

    /// What rests has no cycle, and what does not come back to where it was is told.
    #[test]
    fn no_cycle_is_told() {
        let rest = phase_response(&Leaky { drive: 0.5, refractory: None }, &[0.1], SETTINGS, || true);
        assert_eq!(rest, Err(ResponseError::NoReturn));
        assert_eq!(phase_response(&Circle { omega: 2.0, c: 0.0 }, &[0.3, 0.1], SETTINGS, || false), Ok(None));
    }
}
