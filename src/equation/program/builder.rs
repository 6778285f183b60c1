//! Putting a program together: columns, registers, kernels, and then one memory for all of them.

use super::{ColumnId, Input, Parameter, Program, Register, UnitValues};
use crate::graph::{Graph, Id, Symbol};
use crate::kernel::{Allocation, Kernel, Location, Memory, fill_hoisted};

/// What the columns of a program hold when it begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct Columns<'a> {
    /// States, each a column.
    pub states: &'a [UnitValues],
    /// Parameters; a column only where lanes differ.
    pub parameters: &'a [UnitValues],
    /// Values of variables that do not change in time, each a column.
    pub lane_values: &'a [UnitValues],
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

/// A program that is being put together.
#[derive(Debug)]
pub struct Builder<'a> {
    allocation: Allocation,
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
        let mut allocation = Allocation { columns: columns.states.len() as u32, ..Allocation::default() };
        let parameters: Vec<Parameter> = columns
            .parameters
            .iter()
            .map(|c| match c {
                UnitValues::Shared(v) => Parameter::Same(*v),
                UnitValues::Each(_) => Parameter::Column(allocation.column()),
            })
            .collect();
        let lane_values: Vec<u32> = columns.lane_values.iter().map(|_| allocation.column()).collect();
        let mut out = Self { allocation, columns, parameters, lane_values, registers: Vec::new() };
        let mut symbols: Vec<Symbol> = symbols.into_iter().filter(|s| out.in_columns(*s).is_none()).collect();
        symbols.sort_unstable();
        symbols.dedup();
        for symbol in symbols {
            if matches!(symbol, Symbol::Given(_) | Symbol::Weight) {
                unreachable!("what a carrier gives is bound when it carries, and effects are in proportion to weights");
            }
            let register = Register(out.allocation.reserve());
            out.registers.push((symbol, register));
        }
        out
    }

    /// Where a symbol is, if it is no register.
    fn in_columns(&self, symbol: Symbol) -> Option<Location> {
        match symbol {
            Symbol::State(i) => ((i as usize) < self.columns.states.len()).then_some(Location::Column(i)),
            Symbol::Parameter(i) => self.parameters.get(i as usize).map(|p| match *p {
                Parameter::Same(v) => Location::Number(v),
                Parameter::Column(c) => Location::Column(c),
            }),
            Symbol::Variable(i) => self.lane_values.get(i as usize).map(|&c| Location::Column(c)),
            Symbol::Input(_) | Symbol::Given(_) | Symbol::Noise(_) | Symbol::Time | Symbol::Weight => None,
        }
    }

    fn place(&self, symbol: Symbol) -> Location {
        self.in_columns(symbol).unwrap_or_else(|| {
            // They are in order.
            let found = self.registers.binary_search_by_key(&symbol, |r| r.0);
            let at = found.expect("the builder was told of every symbol that its kernels read");
            Location::Scratch(self.registers[at].1.0)
        })
    }

    /// A new column for results.
    pub fn column(&mut self) -> ColumnId {
        ColumnId(self.allocation.column())
    }

    /// Compiles `roots`, whose values go to `targets`; returns where they are. All symbols are read before any target
    /// is written, as far as the result goes.
    pub fn kernel(&mut self, graph: &Graph, roots: &[Id], targets: &[Target]) -> (Kernel, Vec<Location>) {
        let mut allocation = std::mem::take(&mut self.allocation);
        let steady =
            |s: Symbol| matches!(s, Symbol::Parameter(_) | Symbol::Variable(_)) && self.in_columns(s).is_some();
        let targets: Vec<Option<Location>> = targets.iter().map(|t| t.place()).collect();
        let out = Kernel::compile(graph, roots, &targets, &|s| self.place(s), &steady, &mut allocation);
        self.allocation = allocation;
        out
    }

    /// The same with products and sums rounded one by one, as the plain evaluator of the graph does.
    pub fn kernel_as_written(&mut self, graph: &Graph, roots: &[Id]) -> (Kernel, Vec<Location>) {
        let mut allocation = std::mem::take(&mut self.allocation);
        let targets = vec![None; roots.len()];
        let out = Kernel::compile_as_written(graph, roots, &targets, &|s| self.place(s), &mut allocation);
        self.allocation = allocation;
        out
    }

    /// The memory of all that was compiled, for `lanes` lanes, with its columns filled. Lanes that pad the last chunk
    /// repeat the last one.
    pub fn finish(self, lanes: usize) -> Program {
        let mut memory = Memory::new(lanes, self.allocation.columns as usize, self.allocation.scratch as usize);
        let last = lanes.saturating_sub(1);
        let mut fill = |column: usize, values: &UnitValues| {
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
        fill_hoisted(&self.allocation, &mut memory, &|s| self.place(s));
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
    fn place(self) -> Option<Location> {
        match self {
            Self::State(i) => Some(Location::Column(i as u32)),
            Self::Column(c) => Some(Location::Column(c.0)),
            Self::Anywhere => None,
        }
    }
}

/// The symbols that some expressions read.
pub fn symbols<'a>(graph: &'a Graph, roots: &'a [Id]) -> impl Iterator<Item = Symbol> + 'a {
    roots.iter().flat_map(|&id| graph.symbols(id))
}
