//! A compiled program: equations over many units, where each of their symbols stands, and what fills that.
//!
//! A [`Builder`] is told what the columns hold and which symbols are read. States, parameters that differ between
//! lanes and values of lanes are columns of one [`Memory`]; every other symbol (inputs, white noise, time, variables)
//! gets a [`Register`] of its own, which whoever runs the program fills before each run. A symbol that was not named
//! has no place, so nothing can be read that nobody fills.

mod builder;

use smallvec::SmallVec;

pub use self::builder::{Builder, Columns, Target, symbols};
use super::graph::Symbol;
use super::kernel::{Kernel, Memory};

/// Values of one quantity over lanes.
#[derive(Debug, Clone, PartialEq)]
pub enum UnitValues {
    /// The same everywhere (folded into the kernel).
    Shared(f64),
    /// One a lane.
    Each(Vec<f64>),
}

impl UnitValues {
    /// One value a lane, as one number where all lanes have the same bits.
    pub fn of(list: Vec<f64>) -> Self {
        let first = list.first().copied().unwrap_or(0.0);
        if list.iter().all(|x| x.to_bits() == first.to_bits()) { Self::Shared(first) } else { Self::Each(list) }
    }

    /// Value in a lane, of which there are as many as values.
    #[inline]
    pub fn at(&self, lane: usize) -> f64 {
        match self {
            Self::Shared(v) => *v,
            Self::Each(list) => list[lane],
        }
    }
}

/// Values of one quantity over lanes, lent.
#[derive(Debug, Clone, Copy)]
pub enum Operand<'a> {
    /// The same everywhere.
    Shared(f64),
    /// One a lane.
    Each(&'a [f64]),
}

impl<'a> From<&'a UnitValues> for Operand<'a> {
    fn from(column: &'a UnitValues) -> Self {
        match column {
            UnitValues::Shared(v) => Self::Shared(*v),
            UnitValues::Each(v) => Self::Each(v),
        }
    }
}

/// A register that a symbol has for itself: one number a lane of the block that is run next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register(u32);

impl Register {
    /// Its number in the memory.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A column that results are written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnId(u32);

/// Where a parameter is.
#[derive(Debug, Clone, Copy)]
enum Parameter {
    Same(f64),
    Column(u32),
}

/// An input port that is read.
#[derive(Debug, Clone)]
struct Input {
    port: usize,
    register: Register,
    /// Whether the register may hold something else than zeros.
    filled: bool,
}

/// Columns and registers of compiled equations.
#[derive(Debug, Clone)]
pub struct Program {
    /// All values; the columns of the states stand first.
    pub memory: Memory,
    states: usize,
    parameters: Vec<Parameter>,
    inputs: Vec<Input>,
    /// State and register of each white noise.
    noise: Vec<(usize, Register)>,
    time: Option<Register>,
    registers: Vec<(Symbol, Register)>,
}

impl Program {
    /// A program with the same columns and registers for the lanes of one block.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { memory: self.memory.block_alike(), ..self.clone() }
    }

    /// Makes the program of a kernel short if the lanes are few.
    pub fn settle(&mut self, kernel: &mut Kernel) {
        kernel.settle(&mut self.memory);
    }

    /// Runs a kernel on the block of `count` lanes from `start`.
    #[inline]
    pub fn run(&mut self, kernel: &Kernel, start: usize, count: usize) {
        kernel.run(&mut self.memory, start, count);
    }

    /// Symbols that have a register of their own, in ascending order.
    pub fn registers(&self) -> &[(Symbol, Register)] {
        &self.registers
    }

    /// What a register holds.
    #[inline]
    pub fn register(&self, register: Register) -> &[f64] {
        self.memory.scratch(register.index())
    }

    /// What a register holds, to be written.
    #[inline]
    pub fn register_mut(&mut self, register: Register) -> &mut [f64] {
        self.memory.scratch_mut(register.index())
    }

    /// States and registers of white noise: standard normal numbers.
    pub fn noise(&self) -> &[(usize, Register)] {
        &self.noise
    }

    /// The register of time, if it is read.
    pub fn time(&self) -> Option<Register> {
        self.time
    }

    /// Input ports that are read, and their registers.
    pub fn inputs(&self) -> impl ExactSizeIterator<Item = (usize, Register)> + '_ {
        self.inputs.iter().map(|i| (i.port, i.register))
    }

    /// Says that the registers of all inputs were written by somebody else.
    pub fn mark_inputs(&mut self) {
        self.inputs.iter_mut().for_each(|i| i.filled = true);
    }

    /// Lets the registers of inputs hold `rows[port]` in the block of `count` lanes from `start`; zeros where a row is
    /// empty.
    #[inline]
    pub fn fill_inputs(&mut self, rows: &[&[f64]], start: usize, count: usize) {
        let lanes = self.memory.lanes;
        for input in &mut self.inputs {
            let register = &mut self.memory.scratch_mut(input.register.index())[..count];
            let source = rows.get(input.port).copied().unwrap_or(&[]);
            let end = lanes.min(start + count).min(source.len());
            if end > start {
                register[..end - start].copy_from_slice(&source[start..end]);
                register[end - start..].fill(0.0);
                input.filled = true;
            } else if std::mem::replace(&mut input.filled, false) {
                // Zeros stay where they are, for all blocks.
                self.memory.scratch_mut(input.register.index()).fill(0.0);
            }
        }
    }

    /// Lets the registers of inputs hold what `row` gives for a port: a value for each of the first `count` lanes of
    /// the block.
    #[inline]
    pub fn fill_inputs_with<V: Fn(usize) -> f64>(&mut self, count: usize, row: impl Fn(usize) -> V) {
        for input in &mut self.inputs {
            input.filled = true;
            let value = row(input.port);
            for (k, v) in self.memory.scratch_mut(input.register.index())[..count].iter_mut().enumerate() {
                *v = value(k);
            }
        }
    }

    /// Lets the register of time hold `time` in the first `count` lanes of the block.
    #[inline]
    pub fn fill_time(&mut self, count: usize, time: f64) {
        if let Some(register) = self.time {
            self.register_mut(register)[..count].fill(time);
        }
    }

    /// Number of states.
    #[inline]
    pub fn states(&self) -> usize {
        self.states
    }

    /// A state, one number a lane.
    #[inline]
    pub fn state(&self, index: usize) -> &[f64] {
        self.memory.column(index)
    }

    /// A state, to be changed.
    #[inline]
    pub fn state_mut(&mut self, index: usize) -> &mut [f64] {
        self.memory.column_mut(index)
    }

    /// A column of results.
    #[inline]
    pub fn column(&self, column: ColumnId) -> &[f64] {
        self.memory.column(column.0 as usize)
    }

    /// All states with what pads them, state by state.
    #[inline]
    pub fn all_states(&self) -> &[f64] {
        &self.memory.data[..self.states * self.memory.padded]
    }

    /// The states of a lane.
    #[inline]
    pub fn lane_states(&self, lane: usize) -> impl Iterator<Item = f64> + '_ {
        (0..self.states).map(move |s| self.memory.data[s * self.memory.padded + lane])
    }

    /// Gives a lane its states.
    #[inline]
    pub fn set_lane_states(&mut self, lane: usize, states: &[f64]) {
        for (s, v) in states.iter().enumerate() {
            self.memory.data[s * self.memory.padded + lane] = *v;
        }
    }

    /// A parameter over all lanes.
    #[inline]
    pub fn parameter(&self, index: usize) -> Operand<'_> {
        match self.parameters[index] {
            Parameter::Same(v) => Operand::Shared(v),
            Parameter::Column(c) => Operand::Each(self.memory.column(c as usize)),
        }
    }

    /// Whether some parameter differs between lanes.
    pub fn differs_by_lane(&self) -> bool {
        self.parameters.iter().any(|p| matches!(p, Parameter::Column(_)))
    }

    /// A parameter in a lane.
    #[inline]
    pub fn lane_parameter(&self, index: usize, lane: usize) -> f64 {
        self.value(self.parameters[index], lane)
    }

    /// The parameters of a lane.
    #[inline]
    pub fn lane_parameters(&self, lane: usize) -> impl Iterator<Item = f64> + '_ {
        self.parameters.iter().map(move |&p| self.value(p, lane))
    }

    #[inline]
    fn value(&self, parameter: Parameter, lane: usize) -> f64 {
        match parameter {
            Parameter::Same(v) => v,
            Parameter::Column(c) => self.memory.data[c as usize * self.memory.padded + lane],
        }
    }

    /// What the registers of inputs hold in a lane of the block: one number for each of `ports` ports.
    #[inline]
    pub fn lane_inputs(&self, slot: usize, ports: usize) -> SmallVec<[f64; 16]> {
        let mut inputs: SmallVec<[f64; 16]> = smallvec::smallvec![0.0; ports];
        for input in &self.inputs {
            inputs[input.port] = self.register(input.register)[slot];
        }
        inputs
    }

    /// Copies `lanes` of all columns of another program of the same equations, one after the other.
    pub fn copy_lanes(&mut self, from: &Self, width: usize, lane: impl Fn(usize) -> usize) {
        let (own, other) = (self.memory.padded, from.memory.padded);
        for c in 0..self.memory.shape().0 {
            for k in 0..width {
                self.memory.data[c * own + k] = from.memory.data[c * other + lane(k)];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Graph, Id};

    /// `x + k u + t` and `a u`, with `a` in proportion to what differs between lanes.
    fn written() -> (Graph, Vec<Id>) {
        let mut g = Graph::new();
        let (x, k) = (g.symbol(Symbol::State(0)), g.symbol(Symbol::Parameter(0)));
        let (a, u, t) = (g.symbol(Symbol::Parameter(1)), g.symbol(Symbol::Input(2)), g.symbol(Symbol::Time));
        let (ku, two) = (g.mul(k, u), g.number(2.0));
        let (sum, twice) = (g.add(x, ku), g.mul(two, a));
        let roots = vec![g.add(sum, t), g.mul(twice, u)];
        (g, roots)
    }

    #[test]
    fn what_is_read_stands_in_columns_and_registers() {
        let (graph, roots) = written();
        let lanes = 21;
        let each: Vec<f64> = (0..lanes).map(|l| 1.0 + l as f64).collect();
        let (states, parameters) =
            ([UnitValues::of(vec![0.5; lanes])], [UnitValues::Shared(3.0), UnitValues::of(each)]);
        assert_eq!(states[0], UnitValues::Shared(0.5));
        let columns = Columns { states: &states, parameters: &parameters, ..Columns::default() };
        let mut builder = Builder::new(columns, symbols(&graph, &roots));
        let out = builder.column();
        let (kernel, _) = builder.kernel(&graph, &roots, &[Target::State(0), Target::Column(out)]);
        let mut program = builder.finish(lanes);
        assert_eq!(program.registers().len(), 2);
        assert!(program.inputs().map(|i| i.0).eq([2]) && program.time().is_some() && program.noise().is_empty());
        assert_eq!(program.lane_parameters(4).collect::<Vec<_>>(), [3.0, 5.0]);
        let row: Vec<f64> = (0..lanes).map(|l| l as f64).collect();
        let mut x = 0.5;
        // Driven, and then no more.
        for rows in [[&[][..], &[], &row], [&[], &[], &[]]] {
            for (start, count) in program.memory.blocks() {
                program.fill_inputs(&rows, start, count);
                program.fill_time(count, 10.0);
                program.run(&kernel, start, count);
            }
            let u = |lane: usize| rows[2].get(lane).copied().unwrap_or(0.0);
            x += 10.0;
            for (lane, v) in row.iter().enumerate() {
                assert_eq!(program.state(0)[lane], x + 3.0 * v);
                assert_eq!(program.column(out)[lane], 2.0 * (1.0 + lane as f64) * u(lane));
            }
        }
        // The same lanes beside: the last two, the second repeated.
        let mut side = program.beside();
        side.copy_lanes(&program, 16, |k| lanes - 2 + k.min(1));
        side.fill_inputs_with(16, |port| move |k| (port * k) as f64);
        side.fill_time(16, 0.0);
        side.run(&kernel, 0, 16);
        assert_eq!(side.state(0)[..2], [program.state(0)[lanes - 2], program.state(0)[lanes - 1] + 3.0 * 2.0]);
        assert_eq!(side.lane_inputs(1, 3)[..], [0.0, 0.0, 2.0]);
    }

    #[test]
    #[should_panic(expected = "the builder was told of every symbol")]
    fn a_symbol_that_nobody_fills_cannot_be_read() {
        let (graph, roots) = written();
        let mut builder = Builder::new(Columns::default(), symbols(&graph, &roots[1..]));
        builder.kernel(&graph, &roots, &[Target::Anywhere; 2]);
    }
}
