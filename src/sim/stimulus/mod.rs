//! Stimuli: levels into input ports, events into event ports. What a kind of stimulus does in time it says itself, as a
//! [`TimeCourse`]; here each form of course is carried out, whatever kind it came from.
//!
//! During step k a level has the value of its formula at grid point k (time k dt); where `start`, `stop` or the edge of
//! a pulse lie inside a step, it has the part of that value that the step is inside. Every random number is keyed by
//! seed, `stimuli.NAME` and unit, so a unit's input depends on no other unit, thread or recording.

mod level;
mod pace;
mod poisson;
mod renewal;
mod sequence;
mod shared;
mod varying;

use std::ops::Range;
use std::sync::Arc;

use level::Drive;
pub(super) use level::Level;
use pace::{Pace, Sampled};
pub(super) use poisson::most;
use poisson::{MOST, Poisson};
use renewal::Renewal;
use sequence::Sequence;
use shared::{Share, Shared};
use varying::{Sources, Varying};

use super::axis::Axis;
use super::expression::Expression;
use super::geometry::Geometry;
use super::snapshot::{Pass, Snapshot, Word};
use super::stepper::UnitValues;
use super::values::{UnitNames, at, resolve};
use spikedeck_core::math::exp;
use spikedeck_core::normal::Normals;
use spikedeck_core::rng::Key;
use spikedeck_scenario::{
    Amount, EventRate, Generator, Samples, Spread, Stimulus as _, StimulusSpec, TimeCourse, UnitName,
};

/// Events into an event port, on one thread.
#[derive(Debug)]
pub(super) enum Events {
    /// Drawn.
    Poisson(Poisson),
    /// Drawn in another way.
    Drawn(Box<dyn Source>),
    /// Listed: grid point, lane, weight; sorted by grid point.
    Listed {
        /// What is to come.
        arrivals: Vec<(u64, u32, f64)>,
        /// The next one.
        next: usize,
    },
}

/// Told lane, weight and number of events.
pub(super) type Tell<'a> = &'a mut dyn FnMut(u32, f64, u64);

/// Where events come from, for the lanes that they arrive at on one thread.
pub(super) trait Source: Snapshot + std::fmt::Debug + Send {
    /// Whether events can arrive in step `k`.
    fn is_active(&self, k: u64) -> bool;

    /// Tells what arrives in step `k`; asked once for every step in which it is active. The number of events.
    fn each(&mut self, k: u64, axis: &Axis, tell: Tell<'_>) -> u64;

    /// The first rate that gives no number of events, or more than are drawn: grid point and unit. The run stops there.
    fn broken(&self) -> Option<(u64, u32)> {
        None
    }
}

impl Snapshot for Events {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        match self {
            Self::Poisson(source) => source.visit(pass),
            Self::Drawn(source) => source.visit(pass),
            // Those up to the current grid point have arrived, or are on their way.
            Self::Listed { arrivals, next } => *next = arrivals.partition_point(|a| a.0 <= pass.now()),
        }
    }
}

/// Hands over a value of each of some lanes, which are in any order and may be there several times.
fn of_lanes<T: Word>(pass: &mut Pass<'_>, name: &str, lanes: impl Iterator<Item = u32>, values: &mut [T]) {
    let mut entries: Vec<(u32, T)> = lanes.zip(values.iter().copied()).collect();
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|j| entries[*j].0);
    let count = entries.len();
    pass.lists(name, &mut entries);
    if pass.saves() {
        return;
    }
    if entries.len() == count {
        order.into_iter().zip(entries).for_each(|(j, (_, value))| values[j] = value);
    } else {
        pass.refuse(format!("the state of another network: {name} is of other units"));
    }
}

/// A stimulus for one lane range.
#[derive(Debug)]
pub(super) enum Local {
    /// Into an input port.
    Level(Box<Level>),
    /// Into an event port.
    Events(Events),
}

/// A stimulus with all its values found, before it is cut into lane ranges.
pub(super) struct Stimulus<'a> {
    course: TimeCourse<'a>,
    key: Key,
    /// Of the simulation.
    seed: u64,
    /// The greatest mean number of events of a unit in a step.
    most: f64,
    /// Targeted units, in the order of the scenario.
    units: Vec<u32>,
    /// All units, in order.
    all: bool,
    /// Up to two values a targeted unit (amplitude or mean; offset, standard deviation or weight).
    first: UnitValues,
    second: UnitValues,
    /// For expressions: the expression and its columns over the whole population.
    expression: Option<(Expression, Vec<UnitValues>)>,
}

impl<'a> Stimulus<'a> {
    /// Finds the values of `spec` for a population of `size` units, with the seed of the simulation, what the strengths
    /// of noise are multiplied by, and how many events a step a unit gets at most on average.
    ///
    /// # Errors
    /// What does not fit, and what would be right.
    pub fn new(
        spec: &'a StimulusSpec,
        size: usize,
        geometry: &Geometry,
        (seed, noise_factor, most): (u64, f64, f64),
        axis: &Axis,
    ) -> Result<Self, String> {
        let entity = spec.path();
        let all = spec.units.is_empty();
        let units: Vec<u32> = if all { (0..size as u32).collect() } else { spec.units.clone() };
        if let Some(unit) = units.iter().find(|&&u| u as usize >= size) {
            return Err(format!("unit {unit} does not exist: the target has {size} units, numbered from 0"));
        }
        let find = |amount: Amount<'_>| -> UnitValues {
            // Values are those of the units of the population, whichever of them are named and in which order.
            let names = UnitNames { size, geometry, known: &[] };
            match resolve(amount.value, &names, Key::new(seed, &entity, amount.key)) {
                UnitValues::Shared(v) => UnitValues::Shared(v),
                UnitValues::Each(v) => UnitValues::Each(units.iter().map(|&u| v[u as usize]).collect()),
            }
        };
        let strength = |values: UnitValues| match values {
            _ if noise_factor == 1.0 => values,
            UnitValues::Shared(v) => UnitValues::Shared(noise_factor * v),
            UnitValues::Each(list) => UnitValues::Each(list.into_iter().map(|v| noise_factor * v).collect()),
        };
        let zero = UnitValues::Shared(0.0);
        let mut expression = None;
        let course = spec.kind.course(axis.clock());
        let (first, second) = match &course {
            TimeCourse::Wave { amplitude, less, offset, .. } => {
                let amplitude = find(*amplitude);
                let offset = offset.map_or(zero, find);
                match less {
                    Some(less) => (difference(&amplitude, &find(*less)), offset),
                    None => (amplitude, offset),
                }
            }
            TimeCourse::OrnsteinUhlenbeck { mean, sigma, .. } => (find(*mean), strength(find(*sigma))),
            TimeCourse::Normal { mean, spread: Spread::Deviation(size) | Spread::Density(size), .. } => {
                (find(*mean), strength(find(*size)))
            }
            TimeCourse::Poisson { rate, weight, .. } | TimeCourse::Renewal { rate, weight, .. } => {
                let rate = match rate {
                    EventRate::Steady(rate) => find(*rate),
                    EventRate::InTime(rate) => {
                        let columns = UnitNames { size, geometry, known: &[] }.columns(rate);
                        expression = Some((Expression::new(rate, |name| *name == UnitName::Time), columns));
                        zero
                    }
                    EventRate::Sampled(samples) => {
                        sound(samples, units.len())?;
                        zero
                    }
                };
                possible(&course, &rate, &units, (axis.dt, most))?;
                (rate, find(*weight))
            }
            TimeCourse::Shared { shared, kept, own, weight, .. } => {
                let each = shared.mul_add(*kept, *own);
                if let Some((rate, most)) = [(*shared, MOST), (each, most)].into_iter().find(|(r, m)| r * axis.dt > *m)
                {
                    return Err(format!(
                        "there would be {} shared events a step, and there may be {most}; the train that units share \
                         has the rate over the correlation",
                        rate * axis.dt
                    ));
                }
                (zero, find(*weight))
            }
            TimeCourse::Spikes { weight, times, units: listed } => {
                if let Some(unit) = listed.iter().flat_map(|l| l.iter()).find(|&&u| u as usize >= size) {
                    return Err(format!(
                        "a listed spike arrives at unit {unit}, but the target has {size} units, numbered from 0"
                    ));
                }
                if listed.is_some_and(|l| l.len() != times.len()) {
                    return Err("as many units as times must be listed".to_owned());
                }
                (find(*weight), zero)
            }
            TimeCourse::Samples(samples) => {
                sound(samples, units.len())?;
                (zero.clone(), zero)
            }
            TimeCourse::Expression { value } => {
                let columns = UnitNames { size, geometry, known: &[] }.columns(value);
                expression = Some((Expression::new(value, |name| *name == UnitName::Time), columns));
                (zero.clone(), zero)
            }
        };
        for column in [&first, &second] {
            if let Some(j) = (0..units.len()).find(|&j| !at(column, j).is_finite()) {
                return Err(format!("a value for unit {} is {}, no finite number", units[j], at(column, j)));
            }
        }
        Ok(Self { course, key: Key::new(seed, &entity, "noise"), seed, most, units, all, first, second, expression })
    }

    /// The part for the lanes of units `first..first + lanes`; `None` if it targets none of them.
    pub fn local(&self, first: u32, lanes: usize, axis: &Axis) -> Option<Local> {
        let range = first..first + lanes as u32;
        // (lane, index among the targeted units)
        let mine: Vec<(u32, usize)> =
            self.units.iter().enumerate().filter(|(_, u)| range.contains(u)).map(|(j, u)| (u - first, j)).collect();
        if mine.is_empty() {
            return None;
        }
        let pick = |column: &UnitValues| match column {
            UnitValues::Shared(v) => UnitValues::Shared(*v),
            UnitValues::Each(v) => UnitValues::Each(mine.iter().map(|&(_, j)| v[j]).collect()),
        };
        let (a, b) = (pick(&self.first), pick(&self.second));
        let drive = match &self.course {
            TimeCourse::Poisson {
                rate: rate @ (EventRate::InTime(_) | EventRate::Sampled(_)),
                sources,
                window,
                ..
            } => {
                let sources = Sources { number: *sources, window: *window };
                let lanes = mine.iter().map(|m| m.0).collect();
                let pace = self.pace(rate, a, first, &mine);
                let varying =
                    Varying::new(self.key, (first, range.len()), lanes, pace, b, sources, (axis.dt, self.most));
                return Some(Local::Events(Events::Drawn(Box::new(varying))));
            }
            TimeCourse::Renewal { rate, law, dead_time, window, .. } => {
                let lanes = mine.iter().map(|m| m.0).collect();
                // In mean intervals; where the rate changes there is no dead time.
                let dead = (0..mine.len()).map(|k| dead_time * at(&a, k)).collect();
                let pace = self.pace(rate, a, first, &mine);
                let renewal = Renewal::new(self.key, (first, lanes), pace, (*law, dead), b, (*window, self.most));
                return Some(Local::Events(Events::Drawn(Box::new(renewal))));
            }
            TimeCourse::Shared { shared, kept, own, jitter, window, .. } => {
                let lanes = mine.iter().map(|m| m.0).collect();
                let share =
                    Share { train: shared * axis.dt, own: own * axis.dt, kept: *kept, jitter: jitter / axis.dt };
                let shared = Shared::new(self.key, (first, lanes), share, b, *window);
                return Some(Local::Events(Events::Drawn(Box::new(shared))));
            }
            TimeCourse::Poisson { sources, window, .. } => {
                let per_step = *sources as f64 * axis.dt;
                let targets: Vec<(u32, f64, f64)> =
                    mine.iter().enumerate().map(|(k, &(lane, _))| (lane, at(&a, k) * per_step, at(&b, k))).collect();
                return Some(Local::Events(Events::Poisson(Poisson::new(self.key, first, lanes, &targets, *window))));
            }
            TimeCourse::Spikes { times, units, .. } => {
                return Some(Local::Events(Events::Listed {
                    arrivals: arrivals(times, units.map(|u| &**u), &mine, &a, &range, axis),
                    next: 0,
                }));
            }
            TimeCourse::OrnsteinUhlenbeck { tau, .. } => {
                let decay = exp(-axis.dt / tau);
                Drive::Ou { mean: a, sigma: b, decay, kick: decay.mul_add(-decay, 1.0).sqrt() }
            }
            TimeCourse::Normal { spread, every, generator, .. } => {
                let root = axis.dt.sqrt();
                let scale = match (spread, b) {
                    (Spread::Deviation(_), b) => b,
                    (Spread::Density(_), UnitValues::Shared(v)) => UnitValues::Shared(v / root),
                    (Spread::Density(_), UnitValues::Each(v)) => {
                        UnitValues::Each(v.into_iter().map(|v| v / root).collect())
                    }
                };
                Drive::Normal { mean: a, scale, every: *every, listed: self.sequence(*generator, &mine) }
            }
            TimeCourse::Samples(samples) => Drive::Signal(sampled(samples, &mine)),
            TimeCourse::Expression { .. } => {
                let (expression, operands) = self.compiled(first, &mine);
                Drive::Expression { expression, operands }
            }
            TimeCourse::Wave { wave, .. } => {
                Drive::Wave { amplitude: a, offset: b, wave: Arc::clone(wave), last: None }
            }
        };
        let listed = (!self.all).then(|| mine.iter().map(|m| m.0).collect());
        let normals =
            if matches!(drive, Drive::Ou { .. } | Drive::Normal { .. }) { vec![0.0; lanes] } else { Vec::new() };
        let (now, source) = (vec![0.0; mine.len()], Normals::new(self.key, first, lanes));
        Some(Local::Level(Box::new(Level { drive, lanes: listed, now, normals, source, refreshed: None })))
    }
}

impl Stimulus<'_> {
    /// The expression with its operands, one entry a targeted lane of those that begin at unit `first`.
    fn compiled(&self, first: u32, mine: &[(u32, usize)]) -> (Expression, Vec<UnitValues>) {
        let (expression, columns) = self.expression.as_ref().expect("compiled when the stimulus was made");
        let of_lanes = |c: &UnitValues| match c {
            UnitValues::Shared(v) => UnitValues::Shared(*v),
            UnitValues::Each(v) => UnitValues::Each(mine.iter().map(|&(lane, _)| v[(first + lane) as usize]).collect()),
        };
        (expression.clone(), columns.iter().map(of_lanes).collect())
    }

    /// How fast events come at the lanes `mine`; `steady` are their rates where these do not change.
    fn pace(&self, rate: &EventRate<'_>, steady: UnitValues, first: u32, mine: &[(u32, usize)]) -> Pace {
        match rate {
            EventRate::Steady(_) => Pace::Steady(steady),
            EventRate::InTime(_) => {
                let (expression, operands) = self.compiled(first, mine);
                Pace::InTime(expression, operands)
            }
            EventRate::Sampled(samples) => Pace::Sampled(sampled(samples, mine)),
        }
    }

    /// The stream that the numbers come from, if they come from one; `mine` are lanes and their index among the
    /// targeted units.
    fn sequence(&self, generator: Generator, mine: &[(u32, usize)]) -> Option<Sequence> {
        (generator == Generator::NumpyPcg64)
            .then(|| Sequence::new(self.seed, self.units.len(), mine.iter().map(|m| m.1).collect()))
    }
}

/// Whether a steady rate is one, and gives no more events a step than can be drawn; and whether a dead time leaves room
/// for it.
fn possible(course: &TimeCourse<'_>, rate: &UnitValues, units: &[u32], (dt, most): (f64, f64)) -> Result<(), String> {
    let (events, sources, dead_time) = match course {
        TimeCourse::Poisson { sources, .. } => ("Poisson", *sources as f64, 0.0),
        TimeCourse::Renewal { dead_time, .. } => ("renewal", 1.0, *dead_time),
        _ => return Ok(()),
    };
    let mean = |j| at(rate, j) * sources * dt;
    if let Some(j) = (0..units.len()).find(|&j| !(0.0..=most).contains(&mean(j))) {
        return Err(format!(
            "unit {} would get {} {events} events a step; a rate is at least 0 and gives at most {most}",
            units[j],
            mean(j)
        ));
    }
    if let Some(j) = (0..units.len()).find(|&j| at(rate, j) * dead_time >= 1.0) {
        return Err(format!("the dead time is not shorter than the mean interval of unit {}", units[j]));
    }
    Ok(())
}

/// Whether samples are a signal for so many units.
fn sound(samples: &Samples<'_>, units: usize) -> Result<(), String> {
    let Samples { columns, interval, .. } = samples;
    if columns.len() != 1 && columns.len() != units {
        return Err(format!(
            "the signal has {} columns; give one, or one for each of the {units} units",
            columns.len()
        ));
    }
    if interval.is_nan() || *interval <= 0.0 {
        return Err("the interval of a signal must be positive".to_owned());
    }
    if columns.iter().any(Vec::is_empty) {
        return Err("a signal has at least one sample".to_owned());
    }
    for (c, column) in columns.iter().enumerate() {
        if let Some(row) = column.iter().position(|v| !v.is_finite()) {
            let (row, value) = (row + 1, column[row]);
            let signal = if columns.len() == 1 { String::new() } else { format!(" of signal {}", c + 1) };
            return Err(format!("row {row}{signal} is {value}, no finite number: a signal is known all along"));
        }
    }
    Ok(())
}

/// Samples for the lanes `mine`.
fn sampled(samples: &Samples<'_>, mine: &[(u32, usize)]) -> Sampled {
    let Samples { start, interval, columns, linear, gain, outside } = *samples;
    let column = mine.iter().map(|&(_, j)| if columns.len() == 1 { 0 } else { j as u32 }).collect();
    Sampled { columns: Arc::clone(columns), column, start, interval, linear, gain, outside }
}

/// Listed spikes as arrivals. A time between grid points arrives at the nearest; reading warns of such times.
fn arrivals(
    times: &[f64],
    listed: Option<&[u32]>,
    mine: &[(u32, usize)],
    weight: &UnitValues,
    range: &Range<u32>,
    axis: &Axis,
) -> Vec<(u64, u32, f64)> {
    let mut arrivals = Vec::new();
    let mut index = vec![None; range.len()];
    mine.iter().enumerate().for_each(|(j, m)| index[m.0 as usize] = Some(j));
    for (k, &time) in times.iter().enumerate().filter(|(_, t)| **t >= 0.0) {
        let (point, _) = axis.clock().nearest(time);
        match listed {
            Some(units) => {
                if let Some(j) = range.contains(&units[k]).then(|| index[(units[k] - range.start) as usize]).flatten() {
                    arrivals.push((point, mine[j].0, at(weight, j)));
                }
            }
            None => arrivals.extend(mine.iter().enumerate().map(|(j, &(lane, _))| (point, lane, at(weight, j)))),
        }
    }
    arrivals.sort_by_key(|a| a.0);
    arrivals
}

/// a - b, entry by entry.
fn difference(a: &UnitValues, b: &UnitValues) -> UnitValues {
    match (a, b) {
        (UnitValues::Shared(a), UnitValues::Shared(b)) => UnitValues::Shared(a - b),
        (UnitValues::Each(v), other) => UnitValues::Each(v.iter().enumerate().map(|(j, a)| a - at(other, j)).collect()),
        (UnitValues::Shared(a), UnitValues::Each(v)) => UnitValues::Each(v.iter().map(|b| a - b).collect()),
    }
}
