//! A network as one system of equations: the states of all units, driven by what continuous connections without delay
//! bring, with the derivatives of both, and with what spikes do. For analyses that need the equations of the whole.

mod pulses;

use super::values::at;
use super::{BuildError, UnitValues, estimate};
use spikedeck_core::dynamics::Dynamics;
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::{PopulationId, Spec};

pub(super) use pulses::{Effects, Firing, Hit, Sent};

/// Copies of its vectors that a trajectory makes on its way: those of a step, and those in other units.
const COPIES: u64 = 10;

/// The units of one population.
#[derive(Debug)]
pub(super) struct Part {
    pub population: PopulationId,
    /// Place of its first state; the states of a unit stand together.
    pub first: usize,
    pub units: usize,
    pub states: usize,
    pub parameters: Vec<UnitValues>,
    /// What each port carries whatever the others do: one value a unit.
    pub inputs: Vec<Vec<f64>>,
    /// Rates of the states.
    pub rate: Tape,
    /// Their derivatives by the states row by row, then by each port that is driven.
    pub slopes: Tape,
    /// Ports at which connections arrive.
    pub driven: Vec<usize>,
    /// Quantities that connections look at.
    pub seen: Tape,
    /// How many there are, and their derivatives by the states row by row.
    pub quantities: usize,
    pub seen_slopes: Tape,
    /// Units of the equations' time in a second.
    pub per_second: f64,
    /// Number of units in the parts before.
    pub before: usize,
    /// What happens at spikes, where they do anything.
    pub firing: Option<Firing>,
    /// What events do, port by port.
    pub effects: Vec<Effects>,
}

/// What one connection brings.
#[derive(Debug)]
pub(super) enum Bringing {
    /// Its weight times a value of the source: that value, and its derivatives by what is seen of the source.
    BySource(Tape),
    /// A value of both ends and the weight, and its derivatives by what is seen of the source, then of the target.
    ByPair(Tape),
}

/// The connections of one projection.
#[derive(Debug)]
pub(super) struct Links {
    pub from: usize,
    pub to: usize,
    /// Place among the driven ports of the targets.
    pub port: usize,
    /// For each name in the value: which quantity of the source, of the target, or the weight.
    pub names: Vec<Operand>,
    pub bringing: Bringing,
    /// Source, target, weight.
    pub list: Vec<(u32, u32, f64)>,
}

/// What a name in the value of a projection stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// A quantity that is seen of the source.
    Source(usize),
    /// A quantity that is seen of the target.
    Target(usize),
    /// The weight.
    Weight,
}

/// All units of some populations with the connections among them, in SI: dx/dt = f(t, x) per second (or per
/// unit of time), the states of a unit one after the other, units in their order.
#[derive(Debug)]
pub struct Coupled {
    pub(super) parts: Vec<Part>,
    pub(super) links: Vec<Links>,
    /// What each unit of the whole sends when it spikes.
    pub(super) sent: Vec<Sent>,
    pub(super) initial: Vec<f64>,
    pub(super) autonomous: bool,
    /// Bytes that all of it may take.
    pub(super) allowed: u64,
}

/// What is seen of each unit, and how it changes with its states.
struct Seen {
    /// By part: quantities of a unit one after the other.
    values: Vec<Vec<f64>>,
    /// By part: for each quantity of a unit, its derivatives by the unit's states.
    slopes: Vec<Vec<f64>>,
}

impl Coupled {
    /// Adds a constant to what arrives at one unit at the input of this number.
    ///
    /// # Panics
    /// If the population is none of these, or has no such unit or input.
    pub fn drive(&mut self, population: PopulationId, unit: usize, port: usize, value: f64) {
        let part = self.parts.iter_mut().find(|p| p.population == population);
        part.expect("the population is one of these").inputs[port][unit] += value;
    }

    /// The initial state.
    pub fn initial(&self) -> &[f64] {
        &self.initial
    }

    /// Whether the right-hand side does not depend on time by itself.
    pub fn is_autonomous(&self) -> bool {
        self.autonomous
    }

    /// Number of connections.
    pub fn connections(&self) -> usize {
        let pulses = self.sent.iter().flat_map(|s| &s.hits).map(Vec::len);
        self.links.iter().map(|l| l.list.len()).chain(pulses).sum()
    }

    /// Bytes of what is held of connections.
    fn bytes_of_connections(&self) -> u64 {
        let pairs: usize = self.links.iter().map(|l| size_of_val(&l.list[..])).sum();
        let of_unit = |s: &Sent| size_of_val(s) + size_of_val(&s.delays[..]) + size_of_val(&s.hits[..]);
        let hits = self.sent.iter().flat_map(|s| &s.hits).map(|hits| size_of_val(&hits[..])).sum::<usize>();
        // Lists that grew have up to twice the room.
        2 * (pairs + self.sent.iter().map(of_unit).sum::<usize>() + hits) as u64
    }

    /// Whether something that a unit does takes time to have its effect, so that events are under way beside the
    /// states: pulses with a delay, and rests.
    pub fn is_delayed(&self) -> bool {
        let rests = |p: &Part| p.firing.as_ref().is_some_and(|f| f.rest.is_some());
        self.sent.iter().flat_map(|s| &s.delays).any(|d| *d > 0.0) || self.parts.iter().any(rests)
    }

    /// Looks whether there is memory for so many vectors that move with the network. What is under way is counted when
    /// it is: there is no bound of it.
    ///
    /// # Errors
    /// [`BuildError::Memory`] when there is not.
    pub fn afford(&self, spec: &Spec, vectors: usize) -> Result<(), BuildError> {
        let (n, k) = (self.dimension() as u64, vectors as u64);
        let driven: u64 = self.parts.iter().map(|p| ((p.driven.len() + p.quantities) * p.units) as u64).sum();
        let frame = 8 * k * (COPIES * n + driven);
        let needed = frame.saturating_add(self.bytes_of_connections());
        let allowed = estimate::allowed(spec);
        if needed <= allowed {
            return Ok(());
        }
        let largest = format!("{k} vectors of {n} states take {}", estimate::size(frame));
        Err(BuildError::Memory { needed, allowed, largest })
    }

    fn seen(&self, x: &[f64], slopes: bool) -> Seen {
        let mut seen = Seen { values: Vec::new(), slopes: Vec::new() };
        for part in &self.parts {
            let count = part.quantities;
            let mut values = vec![0.0; count * part.units];
            let mut changes = vec![0.0; if slopes { count * part.units * part.states } else { 0 }];
            let mut parameters = vec![0.0; part.parameters.len()];
            for unit in 0..part.units {
                part.parameters_of(unit, &mut parameters);
                let known = Values { states: part.of(x, unit), parameters: &parameters, ..Values::default() };
                part.seen.evaluate(&known, &mut values[unit * count..(unit + 1) * count]);
                if slopes {
                    let size = count * part.states;
                    part.seen_slopes.evaluate(&known, &mut changes[unit * size..(unit + 1) * size]);
                }
            }
            seen.values.push(values);
            seen.slopes.push(changes);
        }
        seen
    }

    /// What arrives at each driven port of each part, one value a unit.
    fn arriving(&self, seen: &Seen) -> Vec<Vec<Vec<f64>>> {
        let constant = |p: &Part| p.driven.iter().map(|&port| p.inputs[port].clone()).collect();
        let mut arriving: Vec<Vec<Vec<f64>>> = self.parts.iter().map(constant).collect();
        for links in &self.links {
            let row = &mut arriving[links.to][links.port];
            links.each(self, seen, |_, target, value, _| row[target as usize] += value);
        }
        arriving
    }
}

impl Part {
    fn of<'x>(&self, x: &'x [f64], unit: usize) -> &'x [f64] {
        let first = self.first + unit * self.states;
        &x[first..first + self.states]
    }

    fn parameters_of(&self, unit: usize, out: &mut [f64]) {
        out.iter_mut().zip(&self.parameters).for_each(|(o, p)| *o = at(p, unit));
    }

    /// What all ports of a unit carry.
    fn inputs_of(&self, unit: usize, arriving: &[Vec<f64>], out: &mut [f64]) {
        out.iter_mut().zip(&self.inputs).for_each(|(o, list)| *o = list[unit]);
        for (&port, row) in self.driven.iter().zip(arriving) {
            out[port] = row[unit];
        }
    }
}

impl Links {
    /// Calls `take` for each connection with its source, its target, what it brings, and the derivatives of that: by
    /// the quantities in the order of the names that are not the weight.
    fn each(&self, whole: &Coupled, seen: &Seen, mut take: impl FnMut(u32, u32, f64, &[f64])) {
        let (source, target) = (&whole.parts[self.from], &whole.parts[self.to]);
        let of = |part: usize, count: usize, unit: u32, k: usize| seen.values[part][unit as usize * count + k];
        let mut names = vec![0.0; self.names.len()];
        match &self.bringing {
            Bringing::BySource(tape) => {
                let size = tape.outputs();
                let mut all = vec![0.0; size * source.units];
                for unit in 0..source.units {
                    for (value, name) in names.iter_mut().zip(&self.names) {
                        *value = match name {
                            Operand::Source(k) => of(self.from, source.quantities, unit as u32, *k),
                            Operand::Target(_) | Operand::Weight => 0.0,
                        };
                    }
                    let out = &mut all[unit * size..(unit + 1) * size];
                    tape.evaluate(&Values { variables: &names, ..Values::default() }, out);
                }
                let mut scaled = vec![0.0; size - 1];
                for &(s, t, w) in &self.list {
                    let own = &all[s as usize * size..(s as usize + 1) * size];
                    scaled.iter_mut().zip(&own[1..]).for_each(|(o, v)| *o = w * v);
                    take(s, t, w * own[0], &scaled);
                }
            }
            Bringing::ByPair(tape) => {
                let mut out = vec![0.0; tape.outputs()];
                for &(s, t, w) in &self.list {
                    for (value, name) in names.iter_mut().zip(&self.names) {
                        *value = match name {
                            Operand::Source(k) => of(self.from, source.quantities, s, *k),
                            Operand::Target(k) => of(self.to, target.quantities, t, *k),
                            Operand::Weight => w,
                        };
                    }
                    tape.evaluate(&Values { variables: &names, ..Values::default() }, &mut out);
                    take(s, t, out[0], &out[1..]);
                }
            }
        }
    }

    /// The names that are quantities, in their order.
    fn quantities(&self) -> impl Iterator<Item = Operand> + '_ {
        self.names.iter().copied().filter(|n| *n != Operand::Weight)
    }
}

impl Dynamics for Coupled {
    fn dimension(&self) -> usize {
        self.initial.len()
    }

    fn rate(&self, t: f64, x: &[f64], out: &mut [f64]) {
        let arriving = self.arriving(&self.seen(x, false));
        for (part, arriving) in self.parts.iter().zip(&arriving) {
            let mut parameters = vec![0.0; part.parameters.len()];
            let mut inputs = vec![0.0; part.inputs.len()];
            for unit in 0..part.units {
                part.parameters_of(unit, &mut parameters);
                part.inputs_of(unit, arriving, &mut inputs);
                let known = Values {
                    states: part.of(x, unit),
                    parameters: &parameters,
                    inputs: &inputs,
                    time: Some(t * part.per_second),
                    ..Values::default()
                };
                let first = part.first + unit * part.states;
                part.rate.evaluate(&known, &mut out[first..first + part.states]);
            }
        }
    }

    fn jacobian(&self, t: f64, x: &[f64], out: &mut [f64]) {
        let n = self.dimension();
        let mut identity = vec![0.0; n * n];
        identity.iter_mut().step_by(n + 1).for_each(|v| *v = 1.0);
        self.tangent(t, x, (&identity, n), out, &mut vec![0.0; n], &mut Vec::new());
    }

    fn tangent(
        &self,
        t: f64,
        x: &[f64],
        (frame, k): (&[f64], usize),
        out: &mut [f64],
        diagonal: &mut [f64],
        _: &mut Vec<f64>,
    ) {
        let seen = self.seen(x, true);
        let arriving = self.arriving(&seen);
        // How what is seen of each unit moves along each vector.
        let moved: Vec<Vec<f64>> =
            self.parts.iter().zip(&seen.slopes).map(|(part, slopes)| part.moved(slopes, frame, k)).collect();
        // How what arrives moves, and how much of it is the unit's own doing, by what is seen of it.
        let room = |p: &Part, width: usize| vec![vec![0.0; p.units * width]; p.driven.len()];
        let mut shift: Vec<Vec<Vec<f64>>> = self.parts.iter().map(|p| room(p, k)).collect();
        let mut own: Vec<Vec<Vec<f64>>> = self.parts.iter().map(|p| room(p, p.quantities)).collect();
        for links in &self.links {
            let (from, to) = (links.from, links.to);
            let (sources, targets) = (self.parts[from].quantities, self.parts[to].quantities);
            let (shift, own) = (&mut shift[to][links.port], &mut own[to][links.port]);
            links.each(self, &seen, |s, t, _, slopes| {
                let row = &mut shift[t as usize * k..(t as usize + 1) * k];
                for (name, slope) in links.quantities().zip(slopes) {
                    let (moved, unit, count, q) = match name {
                        Operand::Source(q) => (&moved[from], s as usize, sources, q),
                        Operand::Target(q) => (&moved[to], t as usize, targets, q),
                        Operand::Weight => continue,
                    };
                    let first = (unit * count + q) * k;
                    for (o, m) in row.iter_mut().zip(&moved[first..first + k]) {
                        *o = slope.mul_add(*m, *o);
                    }
                    if matches!(name, Operand::Target(_)) || (from == to && s == t) {
                        own[t as usize * targets + q] += slope;
                    }
                }
            });
        }
        for (p, part) in self.parts.iter().enumerate() {
            let n = part.states;
            let mut parameters = vec![0.0; part.parameters.len()];
            let mut inputs = vec![0.0; part.inputs.len()];
            let mut slopes = vec![0.0; part.slopes.outputs()];
            for unit in 0..part.units {
                part.parameters_of(unit, &mut parameters);
                part.inputs_of(unit, &arriving[p], &mut inputs);
                let known = Values {
                    states: part.of(x, unit),
                    parameters: &parameters,
                    inputs: &inputs,
                    time: Some(t * part.per_second),
                    ..Values::default()
                };
                part.slopes.evaluate(&known, &mut slopes);
                let (local, driven) = slopes.split_at(n * n);
                let first = part.first + unit * n;
                for a in 0..n {
                    let row = &mut out[(first + a) * k..(first + a + 1) * k];
                    row.fill(0.0);
                    for b in 0..n {
                        let vector = &frame[(first + b) * k..(first + b + 1) * k];
                        row.iter_mut().zip(vector).for_each(|(o, v)| *o = local[a * n + b].mul_add(*v, *o));
                    }
                    diagonal[first + a] = local[a * n + a];
                    for (d, shift) in shift[p].iter().enumerate() {
                        let slope = driven[d * n + a];
                        let shift = &shift[unit * k..(unit + 1) * k];
                        row.iter_mut().zip(shift).for_each(|(o, v)| *o = slope.mul_add(*v, *o));
                        for q in 0..part.quantities {
                            let by = seen.slopes[p][(unit * part.quantities + q) * n + a];
                            diagonal[first + a] += slope * own[p][d][unit * part.quantities + q] * by;
                        }
                    }
                }
            }
        }
    }

    fn is_sparse(&self) -> bool {
        true
    }
}

impl Part {
    /// How what is seen of the units moves along each of `k` vectors.
    fn moved(&self, slopes: &[f64], frame: &[f64], k: usize) -> Vec<f64> {
        let (n, count) = (self.states, self.quantities);
        let mut moved = vec![0.0; self.units * count * k];
        for (place, row) in moved.chunks_exact_mut(k.max(1)).enumerate() {
            let unit = place / count;
            for b in 0..n {
                let slope = slopes[place * n + b];
                let first = (self.first + unit * n + b) * k;
                row.iter_mut().zip(&frame[first..first + k]).for_each(|(o, v)| *o = slope.mul_add(*v, *o));
            }
        }
        moved
    }
}
