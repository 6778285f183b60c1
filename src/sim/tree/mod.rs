//! Populations on a tree: membranes of compartments, and what flows between them, implicitly.
//!
//! A step from t to t + h: in every zone (compartments that carry the same mechanisms) all states but the voltage are
//! solved exactly with the voltage frozen (one after the other, those before at the middle of the step), then the
//! membrane's current and its symbolic slope give one linear system over the tree. Backward Euler is of order 1.
//! Crank-Nicolson is of order 2: gates stand half a step beside the voltage (Hines 1984), and the voltage is that of
//! half a step, extrapolated. What an event changes at t stands half a step earlier then, so that it is put there as if
//! it had come from there: by its jump less half a step of the rates that the jump changes. Nodes have no capacitance:
//! they follow their neighbours at once.

mod blame;
mod build;
mod electrotonic;
mod forest;
mod probe;
mod snapshot;
mod solver;
mod trust;
mod watch;
mod zone;

pub(super) use self::build::{TreeBuild, scheme};
pub use self::electrotonic::Electrotonic;
pub(super) use self::forest::{Forest, together};
pub(super) use self::probe::TreeProbe;
pub(super) use self::trust::doubt;

use self::solver::Solver;
use self::watch::Watch;
use self::zone::Zone;
use super::stepper::{LaneSpike, all_finite};
use spikedeck_core::vector::vectorised;
use spikedeck_equation::System;
use spikedeck_equation::tape::{Tape, Values};

/// A neighbour's row, and the coupling with it in each cell.
type Neighbour = (usize, Vec<f64>);

/// A port that adds in proportion; for each unit that is driven the index of row and cell, and the factor.
type Electrode = (usize, Vec<(u32, u32, f64)>);

/// What an event does: state of the zone, and its gain.
type Effects = Vec<(usize, Tape)>;

/// Where events arrive and what they do.
#[derive(Debug, Default)]
struct Events {
    /// For each event port, zone and compartment in it of each slot; and for each zone what an event does.
    slots: Vec<Vec<(u32, u32)>>,
    effects: Vec<Vec<Effects>>,
    /// For each zone the states that answer to what events change, with their rates.
    answers: Vec<Vec<(usize, Tape)>>,
}

/// The units of a cell in rows: zone by zone, then nodes.
#[derive(Debug)]
struct Rows {
    /// First row of each zone, and of the nodes.
    starts: Vec<usize>,
    membranes: usize,
    /// Unit of each row, and row of each unit.
    units: Vec<u32>,
    of: Vec<u32>,
    /// Row of the solver for each row.
    place: Vec<u32>,
}

impl Rows {
    /// Zone and lane of a row in one of `cells` cells; nodes have none.
    fn lane(&self, zones: &[Zone], row: usize, cell: usize, cells: usize) -> Option<(usize, usize)> {
        let z = self.starts.partition_point(|&s| s <= row).checked_sub(1)?;
        let k = row - self.starts[z];
        (k < zones[z].compartments.len()).then_some((z, k * cells + cell))
    }
}

/// Cells that are stepped side by side.
#[derive(Debug)]
pub(super) struct Tree {
    system: System,
    /// Index of the voltage among the states, and of the port of its operator.
    state: usize,
    port: usize,
    cells: usize,
    units: usize,
    zones: Vec<Zone>,
    rows: Rows,
    /// One value a row and cell: voltage, capacitance over the step, and that with all couplings.
    voltage: Vec<f64>,
    capacity: Vec<f64>,
    base: Vec<f64>,
    solver: Solver,
    /// Rows of nodes: neighbours' rows with their couplings, cell by cell.
    nodes: Vec<(usize, Vec<Neighbour>)>,
    second_order: bool,
    substeps: u32,
    h: f64,
    /// Ports that add in proportion: port, and unit, row and coefficient of all that are driven.
    electrodes: Vec<Electrode>,
    /// Current into nodes in this step, a row and cell.
    injected: Vec<f64>,
    /// Held places: index of row and cell, value.
    held: Vec<(usize, f64)>,
    events: Events,
    watch: Watch,
    work: Vec<f64>,
}

impl Tree {
    /// Integrates from step `step` to `step + 1`, takes what arrives, and tests the threshold at the watched places.
    pub fn advance(&mut self, step: u64, inputs: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>) {
        self.watch.begin(step, &self.voltage);
        for sub in 0..self.substeps {
            let draw = step * u64::from(self.substeps) + u64::from(sub);
            self.move_on(draw, inputs);
        }
        self.watch.after(&self.voltage);
        self.deliver(true, self.time_at(step + 1), arrivals);
        self.restore();
        self.detect(step, spikes);
    }

    fn move_on(&mut self, draw: u64, inputs: &[&[f64]]) {
        let cells = self.cells;
        let time = draw as f64 * self.h;
        for (zone, &start) in self.zones.iter_mut().zip(&self.rows.starts) {
            let rows = zone.compartments.len();
            let range = start * cells..(start + rows) * cells;
            zone.step(self.state, &self.voltage[range.clone()], draw, time, draw == 0, inputs);
            assemble(
                &self.rows.place[start..start + rows],
                cells,
                (&self.voltage[range.clone()], &self.capacity[range.clone()], &self.base[range]),
                zone.membrane(),
                (&mut self.solver.diagonal, &mut self.solver.right),
            );
        }
        for (row, _) in &self.nodes {
            for c in 0..cells {
                let at = self.rows.place[*row] as usize * cells + c;
                self.solver.diagonal[at] = self.base[row * cells + c];
                self.solver.right[at] = 0.0;
            }
        }
        for (_, list) in &self.electrodes {
            for e in list {
                self.injected[e.1 as usize] = 0.0;
            }
        }
        for (port, list) in &self.electrodes {
            let values = inputs[*port];
            if values.is_empty() {
                continue;
            }
            for &(unit, at, factor) in list {
                let value = factor * values[unit as usize];
                let (row, c) = (at as usize / cells, at as usize % cells);
                self.solver.right[self.rows.place[row] as usize * cells + c] += value;
                self.injected[at as usize] += value;
            }
        }
        for &(at, value) in self.held.iter().chain(self.watch.resting()) {
            // So stiff that nothing moves it.
            const STIFF: f64 = 1e12;
            let k = self.rows.place[at / cells] as usize * cells + at % cells;
            self.solver.diagonal[k] = STIFF;
            self.solver.right[k] = STIFF * value;
        }
        self.solver.solve();
        collect(&self.rows.place, cells, &self.solver.right, self.second_order, &mut self.voltage);
        for &(at, value) in self.held.iter().chain(self.watch.resting()) {
            self.voltage[at] = value;
        }
        if self.second_order {
            self.follow();
        }
    }

    /// Nodes take the voltage at which no current is left in them.
    fn follow(&mut self) {
        let cells = self.cells;
        for (row, near) in &self.nodes {
            for c in 0..cells {
                let at = row * cells + c;
                if self.held.iter().any(|h| h.0 == at) {
                    continue;
                }
                let (mut sum, mut weight) = (self.injected[at], 0.0);
                for (other, coupling) in near {
                    sum = coupling[c].mul_add(self.voltage[other * cells + c], sum);
                    weight += coupling[c];
                }
                self.voltage[at] = sum / weight;
            }
        }
    }

    /// Time at a grid point, in that of the equations.
    fn time_at(&self, step: u64) -> f64 {
        step as f64 * self.h * f64::from(self.substeps)
    }

    /// Adds what arrives at `time`, and empties the arrivals; `beside`: states stand half a step before the voltage, if
    /// they ever do.
    fn deliver(&mut self, beside: bool, time: f64, arrivals: &mut [&mut [f64]]) {
        let half = if self.second_order && beside { 0.5 * self.h } else { 0.0 };
        for (port, arriving) in arrivals.iter_mut().enumerate() {
            let slots = &self.events.slots[port];
            // More than one a place only where events do not add up.
            let rounds = (arriving.len() / (slots.len() * self.cells).max(1)).max(1);
            for (k, w) in arriving.iter_mut().enumerate().filter(|(_, w)| **w != 0.0) {
                let k = k / rounds;
                let (cell, (z, compartment)) = (k / slots.len(), slots[k % slots.len()]);
                let weight = std::mem::replace(w, 0.0);
                let (z, lane) = (z as usize, compartment as usize * self.cells + cell);
                let at = self.rows.starts[z] * self.cells + lane;
                let zone = &mut self.zones[z];
                zone.program.state_mut(self.state)[lane] = self.voltage[at];
                let before = (half > 0.0).then(|| zone.states(lane));
                let (states, parameters) = (zone.states(lane), zone.lane_parameters(lane));
                for (state, gain) in &self.events.effects[port][z] {
                    let values =
                        Values { states: &states, parameters: &parameters, time: Some(time), ..Values::default() };
                    let gain = gain.value(&values);
                    if *state == self.state {
                        self.voltage[at] += weight * gain;
                    } else {
                        zone.program.state_mut(*state)[lane] += weight * gain;
                    }
                }
                if let Some(before) = before {
                    let (after, parameters) = (zone.states(lane), zone.lane_parameters(lane));
                    // An event changes no input: what flows in is the same before and after.
                    let inputs = zone.inputs(|_| 0.0);
                    for (state, rate) in &self.events.answers[z] {
                        let at = |states: &[f64]| {
                            rate.value(&Values {
                                states,
                                parameters: &parameters,
                                inputs: &inputs,
                                time: Some(time),
                                ..Values::default()
                            })
                        };
                        zone.program.state_mut(*state)[lane] -= half * (at(&after) - at(&before));
                    }
                }
            }
        }
    }

    /// Adds what arrives without delay before `step` begins. At the very beginning all states stand where the voltage
    /// does.
    pub fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        self.watch.hold(step, &self.voltage);
        self.deliver(step > 0, self.time_at(step), arrivals);
        self.restore();
    }

    /// Puts the voltages of resting places back, whatever arrived there.
    fn restore(&mut self) {
        for &(at, value) in self.watch.resting() {
            self.voltage[at] = value;
        }
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Whether all states are finite.
    pub fn all_finite(&self) -> bool {
        all_finite(&self.voltage) && self.zones.iter().all(|zone| all_finite(zone.program.all_states()))
    }

    /// The first unit and state that is not finite, whichever cells stand side by side.
    pub fn not_finite(&self) -> Option<(u32, usize)> {
        let unit = |row: usize, cell: usize| (cell * self.units) as u32 + self.rows.units[row];
        let broken = |values: &[f64]| {
            values.iter().enumerate().filter(|(_, v)| !v.is_finite()).map(|(at, _)| at).collect::<Vec<_>>()
        };
        let voltages = broken(&self.voltage).into_iter().map(|at| (unit(at / self.cells, at % self.cells), self.state));
        let mut first = voltages.min();
        for (zone, &start) in self.zones.iter().zip(&self.rows.starts) {
            for (i, state) in zone.parts.states.iter().enumerate().filter(|(i, _)| *i != self.state) {
                let state = state.index();
                let lanes = broken(zone.program.state(i)).into_iter();
                let found = lanes.map(|lane| (unit(start + lane / self.cells, lane % self.cells), state)).min();
                first = [first, found].into_iter().flatten().min();
            }
        }
        first
    }

    /// Zone and lane of a row and cell; nodes have none.
    fn lane(&self, row: usize, cell: usize) -> Option<(usize, usize)> {
        self.rows.lane(&self.zones, row, cell, self.cells)
    }
}

type Membrane<'a> = (&'a [f64], &'a [f64], &'a [f64]);

vectorised! {
    /// One zone's part of the linear system: `(C/h + Σg - slope) V' = current + (C/h - slope) V + ...`.
    fn assemble(
        place: &[u32],
        cells: usize,
        membrane: Membrane<'_>,
        flow: (&[f64], &[f64]),
        system: (&mut [f64], &mut [f64]),
    ) {
        let ((voltage, capacity, base), (current, slope), (diagonal, right)) = (membrane, flow, system);
        let membrane = [voltage, capacity, base, current, slope];
        match cells {
            1 => assemble_abreast::<1>(place, membrane, diagonal, right),
            4 => assemble_abreast::<4>(place, membrane, diagonal, right),
            8 => assemble_abreast::<8>(place, membrane, diagonal, right),
            _ => assemble_each(place, cells, membrane, diagonal, right),
        }
    }
}

/// The same of any number of cells.
#[inline(always)]
fn assemble_each(place: &[u32], cells: usize, membrane: [&[f64]; 5], diagonal: &mut [f64], right: &mut [f64]) {
    let [voltage, capacity, base, current, slope] = membrane;
    let mut at = 0;
    for &p in place {
        let p = p as usize * cells;
        let to = diagonal[p..p + cells].iter_mut().zip(&mut right[p..p + cells]);
        let from = voltage[at..at + cells].iter().zip(&capacity[at..at + cells]).zip(&base[at..at + cells]);
        let membrane = current[at..at + cells].iter().zip(&slope[at..at + cells]);
        for (((d, r), ((v, c), b)), (i, s)) in to.zip(from).zip(membrane) {
            *d = b - s;
            *r = (c - s).mul_add(*v, *i);
        }
        at += cells;
    }
}

/// The same of `W` cells side by side, in vectors.
#[inline(always)]
fn assemble_abreast<const W: usize>(place: &[u32], membrane: [&[f64]; 5], diagonal: &mut [f64], right: &mut [f64]) {
    let n = place.len();
    let [voltage, capacity, base, current, slope] = membrane.map(|v| &v.as_chunks::<W>().0[..n]);
    let (diagonal, right) = (diagonal.as_chunks_mut::<W>().0, right.as_chunks_mut::<W>().0);
    for k in 0..n {
        let p = place[k] as usize;
        let (mut d, mut r) = ([0.0; W], [0.0; W]);
        for c in 0..W {
            d[c] = base[k][c] - slope[k][c];
            r[c] = (capacity[k][c] - slope[k][c]).mul_add(voltage[k][c], current[k][c]);
        }
        (diagonal[p], right[p]) = (d, r);
    }
}

vectorised! {
    /// The solution back to the rows: as it is, or extrapolated from half a step.
    fn collect(place: &[u32], cells: usize, solution: &[f64], second_order: bool, voltage: &mut [f64]) {
        match cells {
            1 => collect_abreast::<1>(place, solution, second_order, voltage),
            4 => collect_abreast::<4>(place, solution, second_order, voltage),
            8 => collect_abreast::<8>(place, solution, second_order, voltage),
            _ => collect_each(place, cells, solution, second_order, voltage),
        }
    }
}

/// The same of any number of cells.
#[inline(always)]
fn collect_each(place: &[u32], cells: usize, solution: &[f64], second_order: bool, voltage: &mut [f64]) {
    for (v, &p) in voltage.chunks_exact_mut(cells).zip(place) {
        let x = &solution[p as usize * cells..][..cells];
        if second_order {
            v.iter_mut().zip(x).for_each(|(v, x)| *v = 2.0f64.mul_add(*x, -*v));
        } else {
            v.copy_from_slice(x);
        }
    }
}

/// The same of `W` cells side by side, in vectors.
#[inline(always)]
fn collect_abreast<const W: usize>(place: &[u32], solution: &[f64], second_order: bool, voltage: &mut [f64]) {
    let solution = solution.as_chunks::<W>().0;
    for (v, &p) in voltage.as_chunks_mut::<W>().0.iter_mut().zip(place) {
        let x = solution[p as usize];
        if second_order {
            for c in 0..W {
                v[c] = 2.0f64.mul_add(x[c], -v[c]);
            }
        } else {
            *v = x;
        }
    }
}
