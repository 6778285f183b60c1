//! Limit cycles that trajectories settle on, forward or backward in time, closed by shooting, with their Floquet
//! multiplier (Parker and Chua 1989, doi:10.1007/978-1-4612-3486-9, ch. 5); and the line along which states come to a
//! saddle (Guckenheimer and Holmes 1983, doi:10.1007/978-1-4612-1140-2, ch. 1).

use super::dynamics::{Dynamics, Scaled};
use super::linear::{eigenvalues, solve};
use super::trajectory::Trajectory;

/// Steps between two looks at where the trajectory is.
const CHUNK: u32 = 8;
/// Typical sizes beyond which a trajectory does not come back.
const FAR: f64 = 20.0;
/// How near a state comes back before the cycle is looked for, and how far the cycle may lie from it; in typical sizes.
const NEAR: f64 = 2e-2;
const MOVED: f64 = 5e-2;
/// A cycle smaller than this is a fixed point; and what is nearer than this to a cycle or to a fixed point is on it.
const SMALL: f64 = 1e-5;
const ON: f64 = 1e-3;
const AT: f64 = 1e-4;
/// Returns from which a cycle is looked for, and rounds of Newton's method for each.
const RETURNS: usize = 6;
const ROUNDS: usize = 25;
/// Turns after which a cycle that was closed later than after one is looked for.
const MOST_TURNS: u32 = 8;
/// Difference of a state, in its typical size, after a turn at which it is the same.
const SAME: f64 = 1e-6;
/// When Newton's method has arrived, in typical sizes.
const ARRIVED: f64 = 1e-9;
/// A deviation that changes by less than this in a turn neither dies out nor grows: the cycle is one of many.
const NEUTRAL: f64 = 1e-5;
/// Points of a cycle that come back.
const POINTS: usize = 400;

/// Time backwards: −f, without threshold and reset, which nothing undoes.
#[derive(Debug)]
pub struct Backward<'a, D: ?Sized>(pub &'a D);

impl<D: Dynamics + ?Sized> Dynamics for Backward<'_, D> {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }

    fn rate(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.0.rate(-t, x, out);
        for v in out.iter_mut() {
            *v = -*v;
        }
    }

    fn jacobian(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.0.jacobian(-t, x, out);
        for v in out.iter_mut() {
            *v = -*v;
        }
    }
}

/// A cycle that small deviations leave or come back to.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitCycle {
    /// Period.
    pub period: f64,
    /// States at equal times over one period; the last is the first.
    pub states: Vec<Vec<f64>>,
    /// Greatest modulus of the Floquet multipliers but for the one that is 1 for time's sake: what is left of a
    /// deviation after a period.
    pub multiplier: f64,
    /// Resets in a period.
    pub resets: u64,
}

impl LimitCycle {
    /// Whether small deviations die out.
    pub fn is_stable(&self) -> bool {
        self.multiplier < 1.0
    }

    /// The same cycle of the system whose time runs the other way. In more than two states the multiplier is then that
    /// of the direction that comes back fastest.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.states.reverse();
        self.multiplier = 1.0 / self.multiplier;
        self
    }

    /// Least and greatest value of each state.
    pub fn extent(&self) -> Vec<(f64, f64)> {
        let none = vec![(f64::INFINITY, f64::NEG_INFINITY); self.states[0].len()];
        self.states.iter().fold(none, |mut all, x| {
            all.iter_mut().zip(x).for_each(|(e, v)| *e = (e.0.min(*v), e.1.max(*v)));
            all
        })
    }

    /// How far a state is from the cycle, in typical sizes.
    pub fn distance(&self, x: &[f64], scale: &[f64]) -> f64 {
        let to = |ends: &[Vec<f64>]| {
            let (a, b) = (&ends[0], &ends[1]);
            let mut along = 0.0;
            let mut length = 0.0;
            for i in 0..x.len() {
                let d = (b[i] - a[i]) / scale[i];
                along += d * (x[i] - a[i]) / scale[i];
                length += d * d;
            }
            let share = if length > 0.0 { (along / length).clamp(0.0, 1.0) } else { 0.0 };
            (0..x.len()).map(|i| ((x[i] - a[i] - share * (b[i] - a[i])) / scale[i]).powi(2)).sum::<f64>()
        };
        self.states.windows(2).map(to).fold(f64::INFINITY, f64::min).sqrt()
    }
}

/// Where a trajectory goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Goes {
    /// To a cycle that was not known.
    Cycle(LimitCycle),
    /// To a cycle or a fixed point that was known.
    Known,
    /// Far away, or beyond what is allowed.
    Away,
    /// It has not settled, or on nothing that closes.
    On,
}

/// How a trajectory is followed.
#[derive(Debug, Clone, Copy)]
pub struct Settle<'s> {
    /// Step of the integration.
    pub step: f64,
    /// How long it may take to settle, and as long again to come back.
    pub duration: f64,
    /// Typical size of each state; all positive.
    pub scale: &'s [f64],
    /// Fixed points that attract it.
    pub rests: &'s [&'s [f64]],
    /// Cycles that attract it.
    pub cycles: &'s [LimitCycle],
}

impl Settle<'_> {
    fn knows(&self, x: &[f64]) -> bool {
        let near = |rest: &&&[f64]| rest.iter().zip(x).zip(self.scale).all(|((a, b), s)| (a - b).abs() < AT * s);
        self.rests.iter().any(|r| near(&r)) || self.cycles.iter().any(|c| c.distance(x, self.scale) < ON)
    }

    /// Where the trajectory from `start` goes. `allowed` says where it may be; `proceed` is asked on the way, and
    /// nothing comes back where it says no.
    pub fn from<D: Dynamics>(
        &self,
        system: &D,
        start: &[f64],
        allowed: &dyn Fn(&[f64]) -> bool,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Option<Goes> {
        let mut way = Trajectory::new(system, 0.0, start, Vec::new(), self.step);
        let away = |x: &[f64]| x.iter().zip(self.scale).any(|(x, s)| x.abs() > FAR * s) || !allowed(x);
        let chunk = f64::from(CHUNK) * self.step;
        while way.t < self.duration {
            if !proceed() {
                return None;
            }
            if way.advance(chunk).is_err() || away(&way.x) {
                return Some(Goes::Away);
            }
            if self.knows(&way.x) {
                return Some(Goes::Known);
            }
        }
        while way.is_refractory() {
            if way.advance(self.step).is_err() {
                return Some(Goes::Away);
            }
        }
        self.returns(system, &mut way, &away, proceed)
    }

    /// Follows the trajectory until it comes back to where it is now, and closes it there.
    fn returns<D: Dynamics>(
        &self,
        system: &D,
        way: &mut Trajectory<'_, D>,
        away: &dyn Fn(&[f64]) -> bool,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Option<Goes> {
        let (start, begin) = (way.x.clone(), way.t);
        let mut normal = vec![0.0; start.len()];
        system.rate(way.t, &start, &mut normal);
        normal.iter_mut().zip(self.scale).for_each(|(f, s)| *f /= s * s);
        let height = |x: &[f64]| x.iter().zip(&start).zip(&normal).map(|((a, b), n)| (a - b) * n).sum::<f64>();
        let (mut before, mut tried) = (start.clone(), 0);
        while way.t < begin + self.duration && tried < RETURNS {
            if !proceed() {
                return None;
            }
            if way.advance(self.step).is_err() || away(&way.x) {
                return Some(Goes::Away);
            }
            let (a, b) = (height(&before), height(&way.x));
            if a < 0.0 && b >= 0.0 {
                let share = a / (a - b);
                let miss = (0..start.len())
                    .map(|i| ((before[i] + share * (way.x[i] - before[i]) - start[i]) / self.scale[i]).abs())
                    .fold(0.0, f64::max);
                if miss < NEAR {
                    tried += 1;
                    let period = way.t - begin - (1.0 - share) * self.step;
                    if let Some(cycle) = close(system, &start, period, self.scale, self.step) {
                        return Some(Goes::Cycle(cycle));
                    }
                }
            }
            before.clone_from(&way.x);
        }
        Some(Goes::On)
    }
}

/// The cycle near `start` whose period is about `period`, if it attracts: Newton's method on state and period, the
/// tangent vectors of the turn as its slope.
fn close<D: Dynamics>(system: &D, start: &[f64], period: f64, scale: &[f64], step: f64) -> Option<LimitCycle> {
    let n = start.len();
    let scaled = Scaled { inner: system, scale: scale.to_vec() };
    let plain = |x: &[f64]| x.iter().zip(scale).map(|(x, s)| x / s).collect::<Vec<f64>>();
    let origin = plain(start);
    let (mut y, mut period) = (origin.clone(), period);
    let unit: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
    let mut slopes = [vec![0.0; n], vec![0.0; n]];
    scaled.rate(0.0, &origin, &mut slopes[0]);
    for _ in 0..ROUNDS {
        let mut turn = Trajectory::new(&scaled, 0.0, &y, unit.clone(), step);
        turn.advance(period).ok()?;
        scaled.rate(turn.t, &turn.x, &mut slopes[1]);
        let width = n + 1;
        let mut matrix = vec![0.0; width * width];
        for i in 0..n {
            for j in 0..n {
                matrix[i * width + j] = turn.frame[i * n + j] - unit[i * n + j];
            }
            matrix[i * width + n] = slopes[1][i];
            matrix[n * width + i] = slopes[0][i];
        }
        let mut right: Vec<f64> = y.iter().zip(&turn.x).map(|(a, b)| a - b).collect();
        right.push(0.0);
        let change = solve(&matrix, &right)?;
        y.iter_mut().zip(&change).for_each(|(y, c)| *y += c);
        period += change[n];
        let moved = y.iter().zip(&origin).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if period.is_nan() || period <= 4.0 * step || moved > MOVED {
            return None;
        }
        let length = change[..n].iter().fold((change[n] / period).abs(), |m, c| m.max(c.abs()));
        if length < ARRIVED {
            return of(&scaled, &y, one_turn(&scaled, &y, period, step), step);
        }
    }
    None
}

/// The period of one turn where a state comes back after several.
fn one_turn<D: Dynamics>(scaled: &Scaled<'_, D>, y: &[f64], period: f64, step: f64) -> f64 {
    let comes_back = |turns: &u32| {
        let mut way = Trajectory::new(scaled, 0.0, y, Vec::new(), step);
        way.advance(period / f64::from(*turns)).is_ok() && way.x.iter().zip(y).all(|(a, b)| (a - b).abs() < SAME)
    };
    (2..=MOST_TURNS).rev().find(comes_back).map_or(period, |turns| period / f64::from(turns))
}

/// The cycle through a state that comes back after a period, in plain numbers; `None` where it does not attract.
fn of<D: Dynamics>(scaled: &Scaled<'_, D>, y: &[f64], period: f64, step: f64) -> Option<LimitCycle> {
    let n = y.len();
    let unit: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
    let mut turn = Trajectory::new(scaled, 0.0, y, unit, step);
    turn.advance(period).ok()?;
    let multiplier = if n == 2 && turn.held_resets == 0 {
        // In the plane the one is what becomes of areas (Liouville), however small.
        turn.log_volume.exp()
    } else {
        let mut all = eigenvalues(&turn.frame, n)?;
        let trivial = |m: &(f64, f64)| (m.0 - 1.0).hypot(m.1);
        let one = (0..n).min_by(|&a, &b| trivial(&all[a]).total_cmp(&trivial(&all[b])))?;
        all.swap_remove(one);
        all.iter().map(|m| m.0.hypot(m.1)).reduce(f64::max)?
    };
    if multiplier.is_nan() || multiplier >= 1.0 - NEUTRAL {
        return None;
    }
    let mut way = Trajectory::new(scaled, 0.0, y, Vec::new(), step);
    let mut states = vec![scaled.unscaled(y)];
    for _ in 0..POINTS {
        way.advance(period / POINTS as f64).ok()?;
        states.push(scaled.unscaled(&way.x));
    }
    let cycle = LimitCycle { period, states, multiplier, resets: turn.resets };
    let size = cycle.extent().iter().zip(&scaled.scale).map(|(e, s)| (e.1 - e.0) / s).fold(0.0, f64::max);
    (size > SMALL).then_some(cycle)
}

/// The direction of a simple real eigenvalue, of length 1, by inverse iteration; `None` where it is not found.
pub fn direction(jacobian: &[f64], n: usize, eigenvalue: f64) -> Option<Vec<f64>> {
    let size = jacobian.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let shifted: Vec<f64> =
        (0..n * n).map(|i| jacobian[i] - if i / n == i % n { eigenvalue + 1e-9 * size } else { 0.0 }).collect();
    let mut v: Vec<f64> = (0..n).map(|i| 1.0 + 0.37 * i as f64).collect();
    for _ in 0..4 {
        v = solve(&shifted, &v)?;
        let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        if length == 0.0 || !length.is_finite() {
            return None;
        }
        for v in &mut v {
            *v /= length;
        }
    }
    Some(v)
}

/// Where a line to a saddle comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From outside what is looked at.
    Outside,
    /// From a fixed point that it leaves.
    Point,
    /// It winds on: out of a cycle, or from very far.
    Winding,
    /// Numbers do not follow it farther.
    Lost,
}

/// Length of the first step away from the saddle, of the longest step, of the shortest, and of the whole line; in
/// typical sizes. The error of a step is below the last of these.
const LEAVE: f64 = 1e-4;
const LONGEST: f64 = 5e-3;
const SHORTEST: f64 = 1e-8;
const LENGTH: f64 = 60.0;
const ERROR: f64 = 1e-9;

/// The states along which a saddle is approached from one side (`side` = ±1 along `toward`, its stable direction in
/// typical sizes), from the saddle backward in time by arc length; and where they come from. `inside` says what is
/// looked at; `rests` are the other fixed points.
pub fn line_to<D: Dynamics + ?Sized>(
    system: &D,
    saddle: &[f64],
    (toward, side): (&[f64], f64),
    scale: &[f64],
    inside: &dyn Fn(&[f64]) -> bool,
    rests: &[&[f64]],
) -> (Vec<Vec<f64>>, Origin) {
    let n = saddle.len();
    let scaled = Scaled { inner: system, scale: scale.to_vec() };
    let back = |y: &[f64]| {
        let mut f = vec![0.0; n];
        scaled.rate(0.0, y, &mut f);
        let length = f.iter().map(|f| f * f).sum::<f64>().sqrt();
        for f in &mut f {
            *f /= -length;
        }
        f
    };
    let plus = |y: &[f64], h: f64, d: &[f64]| y.iter().zip(d).map(|(y, d)| y + h * d).collect::<Vec<f64>>();
    let step = |y: &[f64], h: f64| {
        let a = back(y);
        let b = back(&plus(y, 0.5 * h, &a));
        let c = back(&plus(y, 0.5 * h, &b));
        let d = back(&plus(y, h, &c));
        (0..n).map(|i| y[i] + h / 6.0 * (a[i] + 2.0 * (b[i] + c[i]) + d[i])).collect::<Vec<f64>>()
    };
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let rests: Vec<Vec<f64>> = rests.iter().map(|r| r.iter().zip(scale).map(|(x, s)| x / s).collect()).collect();
    let origin: Vec<f64> = saddle.iter().zip(scale).map(|(x, s)| x / s).collect();
    let mut y = plus(&origin, side * LEAVE, toward);
    let mut line = vec![saddle.to_vec(), scaled.unscaled(&y)];
    let (mut h, mut length) = (LEAVE, 0.0);
    while length < LENGTH {
        let halved = step(&step(&y, 0.5 * h), 0.5 * h);
        let error = far(&halved, &step(&y, h));
        if error.is_nan() || error > ERROR {
            h *= 0.5;
            if h < SHORTEST {
                return (line, Origin::Lost);
            }
            continue;
        }
        length += h;
        let x = scaled.unscaled(&halved);
        if !inside(&x) {
            line.push(border(line.last().expect("it begins at the saddle"), &x, inside));
            return (line, Origin::Outside);
        }
        y = halved;
        line.push(x);
        let nearest = rests.iter().map(|r| far(r, &y)).fold(f64::INFINITY, f64::min);
        if nearest < ON {
            return (line, Origin::Point);
        }
        // No step goes across the point that it comes to.
        h = (if error < 0.02 * ERROR { 2.0 * h } else { h }).min(LONGEST).min(0.5 * nearest);
    }
    (line, Origin::Winding)
}

/// The last point on the way from one that is inside to one that is not.
fn border(inner: &[f64], outer: &[f64], inside: &dyn Fn(&[f64]) -> bool) -> Vec<f64> {
    let (mut low, mut high) = (0.0, 1.0);
    let at = |share: f64| inner.iter().zip(outer).map(|(a, b)| a + share * (b - a)).collect::<Vec<f64>>();
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if inside(&at(middle)) { low = middle } else { high = middle }
    }
    at(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// r' = r(r² − 1)(4 − r²)/20, θ' = 1: an unstable cycle of radius 1 and a stable one of radius 2, of multipliers
    /// e^{2π·0.3} and e^{−2π·1.2}.
    struct Rings;

    impl Dynamics for Rings {
        fn dimension(&self) -> usize {
            2
        }
        fn rate(&self, _t: f64, x: &[f64], o: &mut [f64]) {
            let r2 = x[0] * x[0] + x[1] * x[1];
            let g = 0.05 * (r2 - 1.0) * (4.0 - r2);
            o[0] = g * x[0] - x[1];
            o[1] = g * x[1] + x[0];
        }
        fn jacobian(&self, _t: f64, x: &[f64], o: &mut [f64]) {
            let r2 = x[0] * x[0] + x[1] * x[1];
            let g = 0.05 * (r2 - 1.0) * (4.0 - r2);
            let slope = 0.1 * (5.0 - 2.0 * r2);
            let at = |i: usize, j: usize| slope * x[i] * x[j];
            o.copy_from_slice(&[g + at(0, 0), at(0, 1) - 1.0, at(1, 0) + 1.0, g + at(1, 1)]);
        }
    }

    const SCALE: [f64; 2] = [4.0, 4.0];

    fn settle<'s>(rests: &'s [&'s [f64]], cycles: &'s [LimitCycle]) -> Settle<'s> {
        Settle { step: 0.02, duration: 80.0, scale: &SCALE, rests, cycles }
    }

    #[test]
    fn nested_cycles_have_their_multipliers() {
        let origin = [0.0, 0.0];
        let rests = [&origin[..]];
        let all = |_: &[f64]| true;
        let go = |start: [f64; 2]| settle(&rests, &[]).from(&Rings, &start, &all, &mut || true).unwrap();
        let Goes::Cycle(outer) = go([3.0, 0.5]) else { panic!() };
        assert!((outer.period - TAU).abs() < 1e-7 && outer.is_stable(), "{}", outer.period);
        assert!((outer.multiplier / (-1.2 * TAU).exp() - 1.0).abs() < 1e-5, "{}", outer.multiplier);
        assert!(outer.states.iter().all(|x| (x[0].hypot(x[1]) - 2.0).abs() < 1e-6));
        assert!(outer.extent().iter().all(|e| (e.0 + 2.0).abs() < 1e-3 && (e.1 - 2.0).abs() < 1e-3));
        assert!((outer.distance(&[0.0, 1.0], &SCALE) - 0.25).abs() < 1e-3);
        // Closed after three turns it is the same.
        let thrice = close(&Rings, &[2.0, 0.0], 3.0 * TAU, &SCALE, 0.01).unwrap();
        assert!((thrice.period - TAU).abs() < 1e-7, "{}", thrice.period);
        assert_eq!(go([0.5, 0.2]), Goes::Known);
        assert_eq!(settle(&rests, &[outer]).from(&Rings, &[3.0, 0.5], &all, &mut || true), Some(Goes::Known));
        assert_eq!(settle(&rests, &[]).from(&Rings, &[3.0, 0.5], &all, &mut || false), None);
        assert_eq!(settle(&rests, &[]).from(&Rings, &[3.0, 0.5], &|x| x[0] < 1.5, &mut || true), Some(Goes::Away));
        // Backward in time from inside and from between the rings it is the inner one.
        for start in [[0.5, 0.2], [0.0, 1.6]] {
            let Goes::Cycle(inner) = settle(&[], &[]).from(&Backward(&Rings), &start, &all, &mut || true).unwrap()
            else {
                panic!()
            };
            let inner = inner.reversed();
            assert!((inner.period - TAU).abs() < 1e-7 && !inner.is_stable());
            assert!((inner.multiplier / (0.3 * TAU).exp() - 1.0).abs() < 1e-5, "{}", inner.multiplier);
        }
        assert_eq!(settle(&[], &[]).from(&Backward(&Rings), &[2.5, 0.0], &all, &mut || true), Some(Goes::Away));
    }

    /// A centre has cycles through every point: none of them is a limit.
    #[test]
    fn a_centre_has_no_limit_cycle() {
        struct Centre;
        impl Dynamics for Centre {
            fn dimension(&self) -> usize {
                2
            }
            fn rate(&self, _t: f64, x: &[f64], o: &mut [f64]) {
                (o[0], o[1]) = (x[1], -x[0]);
            }
            fn jacobian(&self, _t: f64, _x: &[f64], o: &mut [f64]) {
                o.copy_from_slice(&[0.0, 1.0, -1.0, 0.0]);
            }
        }
        assert_eq!(settle(&[], &[]).from(&Centre, &[1.0, 0.0], &|_| true, &mut || true), Some(Goes::On));
    }

    /// x' = x + y², y' = −y: the saddle at 0 is approached along x = −y²/3.
    #[test]
    fn a_saddle_is_approached_along_its_parabola() {
        struct Bent;
        impl Dynamics for Bent {
            fn dimension(&self) -> usize {
                2
            }
            fn rate(&self, _t: f64, x: &[f64], o: &mut [f64]) {
                (o[0], o[1]) = (x[0] + x[1] * x[1], -x[1]);
            }
            fn jacobian(&self, _t: f64, x: &[f64], o: &mut [f64]) {
                o.copy_from_slice(&[1.0, 2.0 * x[1], 0.0, -1.0]);
            }
        }
        let toward = direction(&[1.0, 0.0, 0.0, -1.0], 2, -1.0).unwrap();
        assert!(toward[0].abs() < 1e-9 && (toward[1].abs() - 1.0).abs() < 1e-9);
        for side in [-1.0, 1.0] {
            let inside = |x: &[f64]| x[0].abs() < 3.0 && x[1].abs() < 2.0;
            let (line, from) = line_to(&Bent, &[0.0, 0.0], (&toward, side), &[4.0, 6.0], &inside, &[]);
            assert_eq!(from, Origin::Outside);
            assert!((line.last().unwrap()[1].abs() - 2.0).abs() < 1e-9, "{:?}", line.last());
            // The last point lies on the chord that leaves what is looked at.
            let misses = |x: &Vec<f64>| (x[0] + x[1] * x[1] / 3.0).abs();
            assert!(line[..line.len() - 1].iter().all(|x| misses(x) < 1e-6) && misses(line.last().unwrap()) < 1e-4);
        }
    }

    /// x' = x − x³, y' = y³ − y: the saddle at 0 is approached along x = 0 from the source at (0, 1).
    #[test]
    fn a_line_begins_at_the_point_that_it_leaves() {
        struct Square;
        impl Dynamics for Square {
            fn dimension(&self) -> usize {
                2
            }
            fn rate(&self, _t: f64, x: &[f64], o: &mut [f64]) {
                (o[0], o[1]) = (x[0] - x[0].powi(3), x[1].powi(3) - x[1]);
            }
            fn jacobian(&self, _t: f64, x: &[f64], o: &mut [f64]) {
                o.copy_from_slice(&[1.0 - 3.0 * x[0] * x[0], 0.0, 0.0, 3.0 * x[1] * x[1] - 1.0]);
            }
        }
        let source = [0.0, 1.0];
        let (line, from) = line_to(&Square, &[0.0, 0.0], (&[0.0, 1.0], 1.0), &[4.0, 4.0], &|_| true, &[&source[..]]);
        assert_eq!(from, Origin::Point);
        assert!(line.iter().all(|x| x[0] == 0.0 && x[1] <= 1.0) && line.last().unwrap()[1] > 0.99);
    }
}
