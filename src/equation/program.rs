//! A compiled program: equations over many units, where each of their symbols stands, and what fills that.
//!
//! A [`Builder`] is told what the columns hold and which symbols are read. States, parameters that differ between
//! lanes and values of lanes are columns of one [`Memory`]; every other symbol (inputs, white noise, time, variables)
//! gets a [`Register`] of its own, which whoever runs the program fills before each run. A symbol that was not named
//! has no place, so nothing can be read that nobody fills.

use smallvec::SmallVec;

use super::graph::{Graph, Id, Symbol};
use super::kernel::{Kernel, Memory, Place, Plan, fill_hoisted};

/// Values of one quantity over lanes.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// The same everywhere (folded into the kernel).
    Shared(f64),
    /// One a lane.
    Each(Vec<f64>),
}

impl Column {
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

impl<'a> From<&'a Column> for Operand<'a> {
    fn from(column: &'a Column) -> Self {
        match column {
            Column::Shared(v) => Self::Shared(*v),
            Column::Each(v) => Self::Each(v),
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

/// What the columns of a program hold when it begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct Columns<'a> {
    /// States, each a column.
    pub states: &'a [Column],
    /// Parameters; a column only where lanes differ.
    pub parameters: &'a [Column],
    /// Values of variables that do not change in time, each a column.
    pub lane_values: &'a [Column],
}

/// Where a result goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The column of a state.
    State(usize),
    /// A column of [`Builder::column`].
    Column(ColumnId),
    /// Wherever it is computed.
    Anywhere,
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

/// A program that is being put together.
#[derive(Debug)]
pub struct Builder<'a> {
    plan: Plan,
    columns: Columns<'a>,
    parameters: Vec<Parameter>,
    /// Columns of the values of lanes.
    lane_values: Vec<u32>,
    registers: Vec<(Symbol, Register)>,
}

impl<'a> Builder<'a> {
    /// For columns as they are at the beginning, and programs that read `symbols` (those that are columns may be among
    /// them).
    pub fn new(columns: Columns<'a>, symbols: impl IntoIterator<Item = Symbol>) -> Self {
        let mut plan = Plan { columns: columns.states.len() as u32, ..Plan::default() };
        let parameters: Vec<Parameter> = columns
            .parameters
            .iter()
            .map(|c| match c {
                Column::Shared(v) => Parameter::Same(*v),
                Column::Each(_) => Parameter::Column(plan.column()),
            })
            .collect();
        let lane_values: Vec<u32> = columns.lane_values.iter().map(|_| plan.column()).collect();
        let mut out = Self { plan, columns, parameters, lane_values, registers: Vec::new() };
        let mut symbols: Vec<Symbol> = symbols.into_iter().filter(|s| out.in_columns(*s).is_none()).collect();
        symbols.sort_unstable();
        symbols.dedup();
        for symbol in symbols {
            if matches!(symbol, Symbol::Given(_) | Symbol::Weight) {
                unreachable!("what a carrier gives is bound when it carries, and effects are in proportion to weights");
            }
            let register = Register(out.plan.reserve());
            out.registers.push((symbol, register));
        }
        out
    }

    /// Where a symbol is, if it is no register.
    fn in_columns(&self, symbol: Symbol) -> Option<Place> {
        match symbol {
            Symbol::State(i) => ((i as usize) < self.columns.states.len()).then_some(Place::Column(i)),
            Symbol::Parameter(i) => self.parameters.get(i as usize).map(|p| match *p {
                Parameter::Same(v) => Place::Number(v),
                Parameter::Column(c) => Place::Column(c),
            }),
            Symbol::Variable(i) => self.lane_values.get(i as usize).map(|&c| Place::Column(c)),
            Symbol::Input(_) | Symbol::Given(_) | Symbol::Noise(_) | Symbol::Time | Symbol::Weight => None,
        }
    }

    fn place(&self, symbol: Symbol) -> Place {
        self.in_columns(symbol).unwrap_or_else(|| {
            let found = self.registers.iter().find(|r| r.0 == symbol);
            Place::Scratch(found.expect("the builder was told of every symbol that its kernels read").1.0)
        })
    }

    /// A new column for results.
    pub fn column(&mut self) -> ColumnId {
        ColumnId(self.plan.column())
    }

    /// Compiles `roots`, whose values go to `targets`; returns where they are. All symbols are read before any target
    /// is written, as far as the result goes.
    pub fn kernel(&mut self, graph: &Graph, roots: &[Id], targets: &[Target]) -> (Kernel, Vec<Place>) {
        let mut plan = std::mem::take(&mut self.plan);
        let steady =
            |s: Symbol| matches!(s, Symbol::Parameter(_) | Symbol::Variable(_)) && self.in_columns(s).is_some();
        let targets: Vec<Option<Place>> = targets.iter().map(|t| t.place()).collect();
        let out = Kernel::compile(graph, roots, &targets, &|s| self.place(s), &steady, &mut plan);
        self.plan = plan;
        out
    }

    /// The same with products and sums rounded one by one, as the plain evaluator of the graph does.
    pub fn kernel_as_written(&mut self, graph: &Graph, roots: &[Id]) -> (Kernel, Vec<Place>) {
        let mut plan = std::mem::take(&mut self.plan);
        let targets = vec![None; roots.len()];
        let out = Kernel::compile_as_written(graph, roots, &targets, &|s| self.place(s), &mut plan);
        self.plan = plan;
        out
    }

    /// The memory of all that was compiled, for `lanes` lanes, with its columns filled. Lanes that pad the last chunk
    /// repeat the last one.
    pub fn finish(self, lanes: usize) -> Program {
        let mut memory = Memory::new(lanes, self.plan.columns as usize, self.plan.scratch as usize);
        let last = lanes.saturating_sub(1);
        let mut fill = |column: usize, values: &Column| {
            for (k, v) in memory.padded_mut(column).iter_mut().enumerate() {
                *v = values.at(k.min(last));
            }
        };
        self.columns.states.iter().enumerate().for_each(|(c, values)| fill(c, values));
        for (parameter, values) in self.parameters.iter().zip(self.columns.parameters) {
            if let Parameter::Column(c) = parameter {
                fill(*c as usize, values);
            }
        }
        self.lane_values.iter().zip(self.columns.lane_values).for_each(|(&c, values)| fill(c as usize, values));
        fill_hoisted(&self.plan, &mut memory, &|s| self.place(s));
        let of = |index: fn(Symbol) -> Option<u32>| {
            self.registers.iter().filter_map(move |&(s, r)| index(s).map(|i| (i as usize, r)))
        };
        Program {
            states: self.columns.states.len(),
            inputs: of(|s| if let Symbol::Input(i) = s { Some(i) } else { None })
                .map(|(port, register)| Input { port, register, filled: true })
                .collect(),
            noise: of(|s| if let Symbol::Noise(i) = s { Some(i) } else { None }).collect(),
            time: self.registers.iter().find(|r| r.0 == Symbol::Time).map(|r| r.1),
            parameters: self.parameters,
            registers: self.registers,
            memory,
        }
    }
}

impl Target {
    fn place(self) -> Option<Place> {
        match self {
            Self::State(i) => Some(Place::Column(i as u32)),
            Self::Column(c) => Some(Place::Column(c.0)),
            Self::Anywhere => None,
        }
    }
}

/// The symbols that some expressions read.
pub fn symbols<'a>(graph: &'a Graph, roots: &'a [Id]) -> impl Iterator<Item = Symbol> + 'a {
    roots.iter().flat_map(|&id| graph.symbols(id))
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

    /// Lets the registers of inputs hold what `row` gives for a port: a value for each of the first `count` lanes of the
    /// block.
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
