//! The slice of state space that is shown, and what is computed on it.

use super::{Options, Others};
use crate::binding::{Bound, display};
use crate::prelude::*;
use spikedeck_core::linear::determinant_sign;
use spikedeck_core::phase::{Equilibrium, Grid, fixed_points, newton, zero_lines};
use spikedeck_core::trajectory::Trajectory;
use spikedeck_signal::{Axis, Curve, CurveStyle};
use std::f64::consts::{PI, TAU};

/// Points of an integrated trajectory.
const TRAJECTORY_POINTS: usize = 4000;
/// Seeds of Newton's method along each axis.
const SEEDS: usize = 9;
/// Points along each axis between which crossings of the nullclines are looked for, and how many with more states than
/// this: each point costs a small Newton iteration over the others.
const FINE: usize = 121;
const COARSE: usize = 41;
const MOST_FINE: usize = 8;
/// Points along each side of the ranges at which the flow is followed round.
const BORDER: usize = 1000;

/// A plane of two states in SI, with the others somewhere.
pub(super) struct Plane<'b, 'a> {
    pub bound: &'b Bound<'a>,
    pub x: usize,
    pub y: usize,
    /// SI ranges.
    pub ranges: [(f64, f64); 2],
    /// Typical size of each state.
    pub scale: Vec<f64>,
    /// Integrated states, SI.
    pub path: Vec<Vec<f64>>,
    /// Step and length of the integration.
    pub times: (f64, f64),
    /// Recorded values of both states in display units, if there are.
    recorded: Option<(Vec<f64>, Vec<f64>)>,
    others: Others,
}

impl<'b, 'a> Plane<'b, 'a> {
    /// Integrates a trajectory (or takes what was recorded) and settles the ranges.
    pub fn new(
        o: &Options,
        bound: &'b Bound<'a>,
        (x, y): (usize, usize),
        ranges: [Option<(f64, f64)>; 2],
        f: &mut Findings<'_>,
    ) -> Result<Self, AnalysisError> {
        let times = times(f.request, o)?;
        let (path, failure) = integrate(f.request, times, bound)?;
        if let Some(why) = failure {
            f.warn(why);
        }
        let recorded = recorded(f.request, o, bound, x, y);
        let units = [x, y].map(|s| display(bound.system.states()[s].dimension).1);
        let span = |axis: usize| {
            let state = [x, y][axis];
            let from_path = path.iter().map(|p| p[state]);
            let from_record =
                recorded.iter().flat_map(|r| if axis == 0 { &r.0 } else { &r.1 }).map(|v| v * units[axis]);
            let (low, high) = from_path
                .chain(from_record)
                .filter(|v| v.is_finite())
                .fold((f64::INFINITY, f64::NEG_INFINITY), |m, v| (m.0.min(v), m.1.max(v)));
            let size = (high - low).max(0.2 * high.abs().max(low.abs())).max(if high == 0.0 && low == 0.0 {
                units[axis]
            } else {
                0.0
            });
            (low - 0.3 * size, high + 0.3 * size)
        };
        let ranges = [ranges[0].unwrap_or_else(|| span(0)), ranges[1].unwrap_or_else(|| span(1))];
        let mut scale: Vec<f64> =
            (0..bound.flow.dimension()).map(|i| path.iter().fold(0.0_f64, |m, p| m.max(p[i].abs()))).collect();
        for (state, range) in [x, y].into_iter().zip(&ranges) {
            scale[state] = scale[state].max(range.1 - range.0);
        }
        for (s, v) in scale.iter_mut().zip(bound.system.states()) {
            if *s <= 0.0 || !s.is_finite() {
                *s = display(v.dimension).1;
            }
        }
        Ok(Self { bound, x, y, ranges, scale, path, times, recorded, others: o.others })
    }

    /// The two states of a full state, in display units.
    pub fn shown(&self, state: &[f64]) -> [f64; 2] {
        [self.x, self.y].map(|s| state[s] / display(self.bound.system.states()[s].dimension).1)
    }

    /// Whether a state lies in the ranges.
    pub fn shows(&self, state: &[f64]) -> bool {
        let [rx, ry] = self.ranges;
        let (x, y) = (state[self.x], state[self.y]);
        x > rx.0 && x < rx.1 && y > ry.0 && y < ry.1
    }

    /// The axis of the first (0) or second (1) state.
    pub fn axis(&self, which: usize) -> Axis {
        super::state_axis(self.bound, [self.x, self.y][which])
    }

    /// Fixed points, the ones nearest the end of the trajectory first: Newton's method from along the trajectory, from
    /// a grid of seeds, and from every cell of a fine grid in which both nullclines may cross (the other states at
    /// their steady values), so that none in the ranges is missed that a cell tells from another. Those found until
    /// `proceed` says no.
    pub fn equilibria(&self, mut proceed: impl FnMut() -> bool) -> Vec<Equilibrium> {
        let grid = Grid { x: self.ranges[0], y: self.ranges[1], columns: SEEDS, rows: SEEDS };
        let along: Vec<Vec<f64>> = self.path.iter().rev().step_by((self.path.len() / 8).max(1)).cloned().collect();
        let base = self.path.last().unwrap_or(&self.bound.initial).clone();
        let seeds = (0..SEEDS * SEEDS).map(|i| {
            let mut seed = base.clone();
            (seed[self.x], seed[self.y]) = grid.at(i % SEEDS, i / SEEDS);
            seed
        });
        let crossings = self.crossings(&mut proceed);
        fixed_points(&self.bound.flow, 0.0, along.into_iter().chain(seeds).chain(crossings), &self.scale, proceed)
    }

    /// The states other than the two of the plane.
    fn others(&self) -> Vec<usize> {
        (0..self.bound.flow.dimension()).filter(|&i| i != self.x && i != self.y).collect()
    }

    /// The rates of both states at a point, the others at their steady values; `guess` is moved along.
    fn reduced(&self, point: (f64, f64), guess: &mut [f64], rate: &mut [f64]) -> Option<(f64, f64)> {
        (guess[self.x], guess[self.y]) = point;
        let others = self.others();
        if !others.is_empty() && !newton(&self.bound.flow, 0.0, guess, &others, &self.scale) {
            return None;
        }
        self.bound.flow.rate(0.0, guess, rate);
        Some((rate[self.x], rate[self.y])).filter(|r| r.0.is_finite() && r.1.is_finite())
    }

    /// Seeds in the cells of a fine grid in which both rates change their sign.
    fn crossings(&self, proceed: &mut impl FnMut() -> bool) -> Vec<Vec<f64>> {
        let n = self.bound.flow.dimension();
        let cells = if n <= MOST_FINE { FINE } else { COARSE };
        let grid = Grid { x: self.ranges[0], y: self.ranges[1], columns: cells, rows: cells };
        let base = self.path.last().unwrap_or(&self.bound.initial).clone();
        let mut rate = vec![0.0; n];
        let mut found = Vec::with_capacity(cells * cells);
        for row in 0..cells {
            if !proceed() {
                return Vec::new();
            }
            let mut guess = base.clone();
            for column in 0..cells {
                let here = self.reduced(grid.at(column, row), &mut guess, &mut rate);
                found.push(here.map(|r| (r, guess.clone())));
                if here.is_none() {
                    guess.clone_from(&base);
                }
            }
        }
        let mut seeds = Vec::new();
        for row in 0..cells - 1 {
            for column in 0..cells - 1 {
                let at = |dx: usize, dy: usize| found[(row + dy) * cells + column + dx].as_ref();
                let (Some(a), Some(b), Some(c), Some(d)) = (at(0, 0), at(1, 0), at(1, 1), at(0, 1)) else { continue };
                let both = |of: &dyn Fn(&(f64, f64)) -> f64| {
                    let signs = [a, b, c, d].map(|corner| of(&corner.0) > 0.0);
                    signs.contains(&true) && signs.contains(&false)
                };
                if both(&|r| r.0) && both(&|r| r.1) {
                    let mut middle = a.1.clone();
                    for (m, far) in middle.iter_mut().zip(&c.1) {
                        *m = f64::midpoint(*m, *far);
                    }
                    seeds.extend([middle, a.1.clone(), b.1.clone(), c.1.clone(), d.1.clone()]);
                }
            }
        }
        seeds
    }

    /// Whether the fixed points in the ranges add up: along the border of the ranges the flow turns as often as their
    /// indices (+1, of saddles -1) say. `None` where that cannot be told: a state without steady values, a fixed point
    /// or a jump on the border.
    pub fn index_agrees(&self, equilibria: &[Equilibrium]) -> Option<bool> {
        let n = self.bound.flow.dimension();
        let [rx, ry] = self.ranges;
        let at = |k: usize| {
            let (side, along) = (k / BORDER, (k % BORDER) as f64 / BORDER as f64);
            let on = |(from, to): (f64, f64), share: f64| from + (to - from) * share;
            match side {
                0 => (on(rx, along), ry.0),
                1 => (rx.1, on(ry, along)),
                2 => (on(rx, 1.0 - along), ry.1),
                _ => (rx.0, on(ry, 1.0 - along)),
            }
        };
        let mut guess = self.path.last().unwrap_or(&self.bound.initial).clone();
        let mut rate = vec![0.0; n];
        let mut angles = Vec::with_capacity(4 * BORDER + 1);
        for k in 0..=4 * BORDER {
            let (fx, fy) = self.reduced(at(k % (4 * BORDER)), &mut guess, &mut rate)?;
            angles.push((fy / self.scale[self.y]).atan2(fx / self.scale[self.x]));
        }
        let mut turned = 0.0;
        for w in angles.windows(2) {
            let by = (w[1] - w[0] + PI).rem_euclid(TAU) - PI;
            // Half a turn between two neighbours can be either way.
            if by.abs() > 0.75 * PI {
                return None;
            }
            turned += by;
        }
        let sum = equilibria.iter().filter(|r| self.shows(&r.state)).map(|r| self.index(r)).sum::<Option<i64>>()?;
        Some((turned / TAU).round() as i64 == sum)
    }

    /// The index of a fixed point in the plane, the other states at their steady values: the sign of det J/det J', J'
    /// of the others. `None` where one of them is singular.
    fn index(&self, equilibrium: &Equilibrium) -> Option<i64> {
        let n = equilibrium.state.len();
        let mut jacobian = vec![0.0; n * n];
        self.bound.flow.jacobian(0.0, &equilibrium.state, &mut jacobian);
        let sign = |states: &[usize]| {
            let part: Vec<f64> = states
                .iter()
                .flat_map(|&i| states.iter().map(move |&j| (i, j)))
                .map(|(i, j)| jacobian[i * n + j] * self.scale[j] / self.scale[i])
                .collect();
            determinant_sign(&part, states.len())
        };
        let all: Vec<usize> = (0..n).collect();
        Some(sign(&all)? * sign(&self.others())?)
    }

    /// The full state of a point of the plane; `guess` holds the other states and is moved along.
    fn state(&self, point: (f64, f64), guess: &mut [f64]) -> bool {
        (guess[self.x], guess[self.y]) = point;
        if self.others != Others::Steady || guess.len() == 2 {
            return true;
        }
        let free: Vec<usize> = (0..guess.len()).filter(|&i| i != self.x && i != self.y).collect();
        newton(&self.bound.flow, 0.0, guess, &free, &self.scale)
    }

    /// Where the other states stand to begin with: at a stable fixed point, else any, else the initial state.
    fn base(&self, equilibria: &[Equilibrium]) -> Vec<f64> {
        if self.others == Others::Initial {
            return self.bound.initial.clone();
        }
        let stable = equilibria.iter().find(|r| r.signs().0 == r.eigenvalues.len());
        stable.or(equilibria.first()).map_or_else(|| self.bound.initial.clone(), |r| r.state.clone())
    }

    /// Nullclines of both states, and the threshold, in display units.
    pub fn nullclines(
        &self,
        resolution: usize,
        equilibria: &[Equilibrium],
        findings: &mut Findings<'_>,
    ) -> Vec<(String, Vec<[f64; 4]>)> {
        let n = self.bound.flow.dimension();
        let grid = Grid { x: self.ranges[0], y: self.ranges[1], columns: resolution, rows: resolution };
        let base = self.base(equilibria);
        if n > 2 {
            let how = match self.others {
                Others::Steady => "at their steady values for each point",
                Others::Initial => "at their initial values",
                Others::Equilibrium if equilibria.is_empty() => "at their initial values (no fixed point was found)",
                Others::Equilibrium => "at their values at the fixed point",
            };
            findings.warn(format!("a slice through {n} states: the others stand {how}"));
        }
        let mut values = vec![vec![f64::NAN; resolution * resolution]; 3];
        let (mut f, mut gradient) = (vec![0.0; n], vec![0.0; n]);
        let mut lost = 0;
        for row in 0..resolution {
            let mut guess = base.clone();
            for column in 0..resolution {
                if !self.state(grid.at(column, row), &mut guess) {
                    guess.clone_from(&base);
                    lost += 1;
                    continue;
                }
                self.bound.flow.rate(0.0, &guess, &mut f);
                let cell = row * resolution + column;
                values[0][cell] = f[self.x];
                values[1][cell] = f[self.y];
                // Without a threshold there is none anywhere, and no line.
                if let Some(above) = self.bound.flow.threshold(0.0, &guess, &mut gradient) {
                    values[2][cell] = above;
                }
            }
        }
        if lost > 0 {
            findings.warn(format!(
                "at {lost} of {} points the other states have no steady values",
                resolution * resolution
            ));
        }
        let name = |s: usize| format!("{} nullcline", self.bound.system.states()[s].name);
        let units = [self.x, self.y].map(|s| display(self.bound.system.states()[s].dimension).1);
        // Nullclines are told of where there are none, too; not every model has a threshold.
        [(name(self.x), true), (name(self.y), true), ("threshold".to_owned(), false)]
            .into_iter()
            .zip(&values)
            .map(|((name, always), v)| {
                let lines = zero_lines(v, &grid);
                (
                    (name, always),
                    lines
                        .into_iter()
                        .map(|s| [s[0] / units[0], s[1] / units[1], s[2] / units[0], s[3] / units[1]])
                        .collect::<Vec<_>>(),
                )
            })
            .filter(|((_, always), lines)| *always || !lines.is_empty())
            .map(|((name, _), lines)| (name, lines))
            .collect()
    }

    /// Directions of the flow: x, y, dx, dy in display units, of length 1 when divided by the ranges.
    pub fn field(&self, arrows: usize, equilibria: &[Equilibrium]) -> Vec<[f64; 4]> {
        let units = [self.x, self.y].map(|s| display(self.bound.system.states()[s].dimension).1);
        let [rx, ry] = self.ranges;
        // In the middle of cells, so that no arrow leaves the frame.
        let at = |(from, to): (f64, f64), i: usize| from + (to - from) * (i as f64 + 0.5) / arrows as f64;
        let base = self.base(equilibria);
        let mut f = vec![0.0; base.len()];
        let mut field = Vec::new();
        for row in 0..arrows {
            let mut guess = base.clone();
            for column in 0..arrows {
                let (x, y) = (at(rx, column), at(ry, row));
                if !self.state((x, y), &mut guess) {
                    guess.clone_from(&base);
                    continue;
                }
                self.bound.flow.rate(0.0, &guess, &mut f);
                let (dx, dy) = (f[self.x] / (rx.1 - rx.0), f[self.y] / (ry.1 - ry.0));
                let length = dx.hypot(dy);
                if length > 0.0 && length.is_finite() {
                    field.push([
                        x / units[0],
                        y / units[1],
                        f[self.x] / length / units[0],
                        f[self.y] / length / units[1],
                    ]);
                }
            }
        }
        field
    }

    /// The recorded trajectory if there is one, else the integrated one.
    pub fn trajectories(&self) -> Vec<Curve> {
        let Some((x, y)) = &self.recorded else {
            return vec![super::path("trajectory".into(), &self.path, CurveStyle::Line, |x| self.shown(x))];
        };
        let (x, y) = (x.clone(), y.clone());
        vec![Curve { name: "recorded".into(), x, y, band: None, style: CurveStyle::Line }]
    }
}

/// Step and length of the integration.
fn times(request: &Request<'_>, o: &Options) -> Result<(f64, f64), AnalysisError> {
    let (dt, steps) = request.scenario.map_or((0.0, 0), |s| (s.simulation.dt, s.simulation.steps));
    let step = o.step.map_or(dt, |t| t.seconds);
    let duration = o.duration.map_or(steps as f64 * dt, |t| t.seconds);
    if step.is_nan() || duration.is_nan() || step <= 0.0 || duration <= 0.0 {
        return Err(AnalysisError::Unsuitable("`step` and `duration` must be positive".into()));
    }
    Ok((step, duration))
}

/// States along a trajectory from the initial state, and what ended it early.
fn integrate(
    request: &Request<'_>,
    (step, duration): (f64, f64),
    bound: &Bound<'_>,
) -> Result<(Vec<Vec<f64>>, Option<String>), AnalysisError> {
    let mut trajectory = Trajectory::new(&bound.flow, 0.0, &bound.initial, Vec::new(), step);
    let mut path = vec![bound.initial.clone()];
    let stride = (duration / TRAJECTORY_POINTS as f64).max(step);
    while trajectory.t < duration * (1.0 - 1e-9) {
        request.check_cancelled()?;
        if let Err(error) = trajectory.advance(stride) {
            return Ok((path, Some(format!("the trajectory ends early: {error}"))));
        }
        path.push(trajectory.x.clone());
    }
    Ok((path, None))
}

/// Recorded values of both states of the unit, in display units, from one trace request.
fn recorded(request: &Request<'_>, o: &Options, bound: &Bound<'_>, x: usize, y: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let unit = o.unit.unit as u32;
    let window = request.recording.analysis_window();
    let states = bound.system.states();
    request.recording.traces_of(&bound.population.name, &states[x].name).find_map(|tx| {
        let ty = request
            .recording
            .traces_of(&bound.population.name, &states[y].name)
            .find(|ty| ty.interval == tx.interval && ty.start == tx.start && ty.len() == tx.len())?;
        let column = |t: &spikedeck_signal::Trace| t.units.iter().position(|&u| u == unit).map(|c| t.column(c, window));
        Some((column(tx)?, column(ty)?)).filter(|(x, _)| x.len() > 1)
    })
}
