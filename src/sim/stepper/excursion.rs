//! First crossings of the threshold inside a step, in closed form: also of what comes back before the step ends, and
//! however often the surface turns in between.
//!
//! Where states follow x' = A x + b, their rates follow v' = A v. A surface h that is linear in the states with the
//! gradient c then bends by h'' = c A v. Entry by entry |exp(A t)| <= exp(M t), where M is A with the couplings between
//! states by size, so that |h''| is at most |c A| exp(M t) |v| with the rates v of an earlier moment. A function that
//! bends by at most D rises above the higher of its ends by at most D times the square of their distance over 8. So a
//! lane either provably stays below, or the step is halved until it provably does or a point above is found; pieces
//! before such a point are looked at first. This is complete, unlike a test of the slopes at both ends of a step.
//!
//! What crosses again after its reset in the same step, which no rest of a step or more lets it do, is a spike if it is
//! above the threshold at the end of the step.

use std::cell::Cell;
use std::f64::consts::E;

use super::locate::{Around, Inside, Locate, linear, root};
use super::{LaneValues, Stepper, StepperSpec, UnitValues};
use crate::firing::Refractory;
use spikedeck_core::expm::{expm, multiply};
use spikedeck_equation::derive::{derivative, jumps};
use spikedeck_equation::graph::{Graph, Id, Symbol, Unary};
use spikedeck_equation::kernel::{Kernel, Location};
use spikedeck_equation::program::Program;
use spikedeck_equation::tape::{Tape, Values};

/// How often a step is halved at most: what rises above the threshold for less than a billionth of it is as good as
/// touching it.
const MOST_HALVINGS: usize = 30;

/// Moments, in steps, that are one crossing.
const SAME: f64 = 1e-9;

/// Points of a step that are looked at for one lane.
const MOST_LOOKS: u32 = 10_000;

/// How often a step is halved with a bound of its own for each half.
const HALVINGS: u32 = 12;

/// What rounding may take from a bound is put on it.
const ROUNDING: f64 = 1.0 + 1e-6;

/// Where the surface of each lane is when a step begins and ends, and by how much it can rise above both in between.
#[derive(Debug)]
pub(super) struct Excursions {
    /// The surface, and the most that it rises by.
    kernel: Kernel,
    places: [Location; 2],
    /// Lane by lane: both when the step began, and the surface at its end.
    begun: [Vec<f64>; 2],
    ended: Vec<f64>,
    gradient: Tape,
    /// See [`Most::bends`].
    bends: Vec<Vec<f64>>,
}

/// What is compiled for [`Excursions`]: the surface, and the most that it rises by.
pub(super) struct Looked {
    pub roots: [Id; 2],
    gradient: Tape,
    bends: Vec<Vec<f64>>,
}

impl Looked {
    /// Writes down by how much the surface can rise in a step; nothing where there are no units, or where equations
    /// are not linear, which are refused elsewhere.
    ///
    /// # Errors
    /// A surface that is not linear in the states or moves by itself, and equations of which nothing can be said.
    pub fn new(
        spec: &StepperSpec<'_>,
        graph: &mut Graph,
        drift: &[Id],
        surface: Id,
        step: f64,
    ) -> Result<Option<Self>, String> {
        let n = drift.len();
        let linear = linear(graph, drift, &[]);
        if linear.states.len() < n || spec.lanes == 0 {
            return Ok(None);
        }
        let gradient: Vec<Id> = (0..n).map(|s| derivative(graph, surface, Symbol::State(s as u32))).collect();
        let moves = |symbol: Symbol| matches!(symbol, Symbol::State(_) | Symbol::Input(_) | Symbol::Time);
        let is_state = |s: Symbol| matches!(s, Symbol::State(_));
        let is_bent = gradient.iter().any(|&c| graph.depends(c, moves)) || jumps(graph, surface, is_state);
        if is_bent || graph.depends(surface, |s| s == Symbol::Time) {
            return Err("spike_times = \"exact\" needs a threshold that is linear in the states and does not move in \
                        time by itself, or a crossing inside a step could be missed: use \"interpolated\""
                .to_owned());
        }
        let (slopes, gradient) = (Tape::new(graph, &linear.matrix), Tape::new(graph, &gradient));
        let most = Most::of(spec, &slopes, &gradient, n);
        let bends = most.bends(step);
        if bends[0].iter().any(|b| !b.is_finite()) {
            return Err("spike_times = \"exact\" cannot tell how far these equations move in a step: take a smaller \
                        one, or \"interpolated\""
                .to_owned());
        }
        let mut rise = graph.number(0.0);
        for (&rate, bend) in drift.iter().zip(&bends[0]) {
            let factor = graph.number(bend * step * step / 8.0);
            let size = graph.unary(Unary::Abs, rate);
            let product = graph.mul(factor, size);
            rise = graph.add(rise, product);
        }
        Ok(Some(Self { roots: [surface, rise], gradient, bends }))
    }

    /// With the kernel of the roots, and where it leaves them.
    pub fn compiled(self, kernel: Kernel, places: [Location; 2], padded: usize) -> Excursions {
        let column = || vec![0.0; padded];
        let Self { gradient, bends, .. } = self;
        Excursions { kernel, places, begun: [column(), column()], ended: column(), gradient, bends }
    }
}

/// What bounds the equations of all lanes, whose parameters may differ: both grow with every entry.
struct Most {
    /// M, row by row.
    couplings: Vec<f64>,
    /// |c A|.
    bent: Vec<f64>,
}

impl Most {
    fn of(spec: &StepperSpec<'_>, slopes: &Tape, gradient: &Tape, n: usize) -> Self {
        let differ = spec.parameters.iter().any(|c| matches!(c, UnitValues::Each(_)));
        let mut most = Self { couplings: vec![f64::NEG_INFINITY; n * n], bent: vec![0.0; n] };
        let (mut a, mut c) = (vec![0.0; n * n], vec![0.0; n]);
        for lane in 0..if differ { spec.lanes } else { 1 } {
            let parameters: LaneValues = spec.parameters.iter().map(|c| c.at(lane)).collect();
            let values = Values { parameters: &parameters, ..Values::default() };
            slopes.evaluate(&values, &mut a);
            gradient.evaluate(&values, &mut c);
            for (k, (most, a)) in most.couplings.iter_mut().zip(&a).enumerate() {
                *most = most.max(if k / n == k % n { *a } else { a.abs() });
            }
            for (j, most) in most.bent.iter_mut().enumerate() {
                *most = most.max((0..n).map(|i| c[i] * a[i * n + j]).sum::<f64>().abs());
            }
        }
        most
    }

    /// For each state, the most that |h''| has by the size of its rate at the beginning: over a step, then over each
    /// half of the time before.
    fn bends(&self, step: f64) -> Vec<Vec<f64>> {
        let n = self.bent.len();
        let part = step / f64::from(1_u32 << HALVINGS);
        // One is taken off the diagonal and put back as a factor: a diagonal of zeros has no scale to balance by.
        let of = |diagonal: fn(f64) -> f64| -> Vec<f64> {
            let entry = |k: usize| {
                let a = self.couplings[k];
                if k / n == k % n { diagonal(a).mul_add(part, -1.0) } else { a * part }
            };
            expm(&(0..n * n).map(entry).collect::<Vec<f64>>(), n).into_iter().map(|v| v * E).collect()
        };
        // exp(M t) at the end of a time and the most that its entries are within it, the time doubled in each round.
        let (mut end, mut most) = (of(|own| own), of(|own| own.max(0.0)));
        let mut bends = Vec::with_capacity(HALVINGS as usize + 1);
        for _ in 0..=HALVINGS {
            let bend = |j: usize| (0..n).map(|i| self.bent[i] * most[i * n + j]).sum::<f64>() * ROUNDING;
            bends.push((0..n).map(bend).collect());
            let later = multiply(&end, &most, n);
            most.iter_mut().zip(&later).for_each(|(m, v)| *m = if v.is_nan() { *v } else { v.max(*m) });
            end = multiply(&end, &end, n);
        }
        bends.reverse();
        bends
    }
}

/// Where a lane is at a moment of the step.
struct Point {
    /// Since the step began.
    at: f64,
    states: Vec<f64>,
    rates: Vec<f64>,
    /// The surface, and how fast it moves.
    height: f64,
    speed: f64,
}

/// What was found between two points.
enum First {
    /// The surface is nowhere reached.
    Nowhere,
    /// It is reached at this moment since the step began.
    At(f64),
    /// Neither can be told with so many points.
    Unknown,
}

/// How a lane goes through a step.
struct WithinStep<'a> {
    around: &'a Around<'a>,
    free: &'a Inside,
    surface: &'a Tape,
    gradient: Vec<f64>,
    /// A and b of x' = A x + b.
    matrix: Vec<f64>,
    offset: Vec<f64>,
    bends: &'a [Vec<f64>],
    /// Points that may still be looked at.
    left: Cell<u32>,
}

impl WithinStep<'_> {
    fn point(&self, at: f64, states: Vec<f64>) -> Point {
        let n = states.len();
        let rate = |i: usize| (0..n).fold(self.offset[i], |sum, j| self.matrix[i * n + j].mul_add(states[j], sum));
        let rates: Vec<f64> = (0..n).map(rate).collect();
        let height = self.surface.value(&self.around.values(&states, at));
        let speed = self.gradient.iter().zip(&rates).map(|(c, v)| c * v).sum();
        Point { at, states, rates, height, speed }
    }

    /// The point `later` than another.
    fn after(&self, from: &Point, later: f64) -> Point {
        self.point(from.at + later, self.free.moved(self.around, &from.states, from.at, later))
    }

    /// The most that the surface bends by from a point on, in the part of a step that `halvings` leave.
    fn bend(&self, from: &Point, halvings: usize) -> f64 {
        let bends = &self.bends[halvings.min(self.bends.len() - 1)];
        bends.iter().zip(&from.rates).map(|(b, v)| b * v.abs()).sum()
    }

    /// Whether the surface rises all the way from one point to another.
    fn rises(&self, a: &Point, b: &Point, halvings: usize) -> bool {
        a.speed > self.bend(a, halvings) * (b.at - a.at)
    }

    /// The first moment between two points at which the surface is reached from below, where the first is below it, and
    /// they are as far apart as so many halvings leave of a step.
    fn first(&self, a: &Point, b: &Point, halvings: usize) -> First {
        let length = b.at - a.at;
        // States that are no numbers are found elsewhere.
        if !(a.height.is_finite() && b.height.is_finite()) {
            return First::Nowhere;
        }
        let change = self.bend(a, halvings) * length;
        if b.height < 0.0 {
            let stays_below = (change * length).mul_add(0.125, a.height.max(b.height)) < 0.0;
            let goes_one_way = a.speed + change <= 0.0 || b.speed - change >= 0.0;
            if stays_below || goes_one_way {
                return First::Nowhere;
            }
        } else if self.rises(a, b, halvings) {
            let height = |share: f64| self.after(a, share * length).height;
            let share = root(&height, a.height, b.height.max(f64::MIN_POSITIVE));
            return First::At(share.mul_add(length, a.at));
        }
        if halvings >= MOST_HALVINGS {
            return if b.height < 0.0 { First::Nowhere } else { First::At(b.at) };
        }
        if self.left.get() == 0 {
            return First::Unknown;
        }
        self.left.set(self.left.get() - 1);
        let middle = self.after(a, length / 2.0);
        if middle.height >= 0.0 {
            return self.first(a, &middle, halvings + 1);
        }
        match self.first(a, &middle, halvings + 1) {
            First::Nowhere => self.first(&middle, b, halvings + 1),
            found => found,
        }
    }
}

/// Adds the lanes of a block that crossed inside the step to those whose condition holds at its end, in ascending
/// order.
pub(super) fn add_lanes(excursions: &[(u32, f64)], start: usize, count: usize, candidates: &mut Vec<u32>) {
    let before = candidates.len();
    for (lane, _) in excursions.iter().filter(|e| (start..start + count).contains(&(e.0 as usize))) {
        if candidates[..before].binary_search(lane).is_err() {
            candidates.push(*lane);
        }
    }
    if candidates.len() > before {
        candidates.sort_unstable();
    }
}

impl Excursions {
    /// Where the surface is in the lanes of a block when a step begins.
    pub fn begin(&mut self, program: &mut Program, start: usize, count: usize) {
        program.run(&self.kernel, start, count);
        for (place, to) in self.places.iter().zip(&mut self.begun) {
            copy(program, *place, start, &mut to[start..start + count]);
        }
    }

    /// The same at its end; lanes that begin below the threshold and are above at the end, or may have been in between.
    fn end(&mut self, program: &mut Program, start: usize, count: usize) -> Vec<usize> {
        program.run(&self.kernel, start, count);
        copy(program, self.places[0], start, &mut self.ended[start..start + count]);
        let [begun, rise] = &self.begun;
        let comes_near = |lane: &usize| {
            let (a, b) = (begun[*lane], self.ended[*lane]);
            a < 0.0 && a.max(b) + rise[*lane] >= 0.0
        };
        (start..(start + count).min(program.memory.lanes)).filter(comes_near).collect()
    }
}

/// A column of a block, wherever the kernel leaves it.
fn copy(program: &Program, place: Location, start: usize, to: &mut [f64]) {
    let memory = &program.memory;
    let at = match place {
        Location::Column(c) => c as usize * memory.padded + start,
        Location::Scratch(r) => memory.scratch_base(r as usize),
        Location::Number(v) => return to.fill(v),
    };
    to.copy_from_slice(&memory.data[at..at + to.len()]);
}

impl Stepper {
    /// Finds the lanes of a block that crossed the threshold within the step, before anything arrives at its end.
    pub(super) fn look_for_excursions(&mut self, start: usize, count: usize, step: u64, resting: &[Refractory]) {
        let Some(mut excursions) = self.excursions.take() else { return };
        let mut locate = self.locate.take().expect("excursions are looked for where crossings are located");
        let rests = |lane: usize| resting.binary_search_by_key(&(lane as u32), |r| r.unit).is_ok();
        // Those whose rest ended inside the step moved for a part of it only.
        let released: Vec<usize> =
            locate.released.iter().map(|r| r.0 as usize).filter(|l| (start..start + count).contains(l)).collect();
        let near = excursions.end(&mut self.program, start, count);
        let near = near.into_iter().filter(|lane| !rests(*lane) && !released.contains(lane));
        let mut lanes: Vec<usize> = released.iter().copied().chain(near).collect();
        lanes.sort_unstable();
        for lane in lanes {
            match self.first_crossing(&locate, &excursions, (lane, start), step) {
                First::Nowhere => {}
                First::At(part) => locate.excursions.push((lane as u32, part)),
                First::Unknown => self.unfollowed = self.unfollowed.or(Some(lane as u32)),
            }
        }
        self.locate = Some(locate);
        self.excursions = Some(excursions);
    }

    /// The part of the step at which a lane first reaches the threshold from below, in closed form.
    fn first_crossing(
        &self,
        locate: &Locate,
        excursions: &Excursions,
        (lane, start): (usize, usize),
        step: u64,
    ) -> First {
        let free = locate.free.as_ref().expect("the closed form is made where excursions are looked for");
        let (parameters, inputs) = (self.lane_parameters(lane), self.lane_inputs(lane - start));
        let around = Around { parameters: &parameters, inputs: &inputs, time: step as f64 * self.dt };
        let released = locate.released_of(lane).map(|(part, states)| (part, states.to_vec()));
        let (part, old) = released.unwrap_or_else(|| (0.0, self.states_of(&locate.before, lane)));
        let ended = self.states_of(&locate.ended, lane);
        let n = old.len();
        let mut gradient = vec![0.0; n];
        excursions.gradient.evaluate(&around.values(&old, 0.0), &mut gradient);
        let (matrix, offset) = free.linear(&around, n).expect("excursions are looked for where equations are linear");
        let course = WithinStep {
            around: &around,
            free,
            surface: &locate.surface,
            gradient,
            matrix,
            offset,
            bends: &excursions.bends,
            left: Cell::new(MOST_LOOKS),
        };
        let begun = course.point(part * self.dt, old.clone());
        let whole = course.point(self.dt, ended);
        if begun.height >= 0.0 {
            return First::Nowhere;
        }
        if whole.height < 0.0 {
            return match course.first(&begun, &whole, 0) {
                First::At(at) => First::At(at / self.dt),
                other => other,
            };
        }
        let known = locate.root(free, &around, (part, &old), self.dt);
        if course.rises(&begun, &whole, 0) {
            return First::At(known);
        }
        match course.first(&begun, &whole, 0) {
            // The same crossing is the same number, however it was found.
            First::At(at) => First::At(if at / self.dt < known - SAME { at / self.dt } else { known }),
            First::Nowhere => First::At(known),
            First::Unknown => First::Unknown,
        }
    }
}
