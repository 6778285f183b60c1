//! Expressions over many units: a register program that runs block by block.
//!
//! Values live in one [`Memory`]: columns (one number a lane: states, parameters that differ, propagators) and scratch
//! registers (one number a lane of the current block). Each instruction is one loop over the block, in chunks of
//! sixteen lanes through local arrays, which LLVM turns into vector code for the instruction set found at run time.
//! Every lane's value is computed by the operations of the plain evaluator ([`super::tape`]) in their order, so the
//! bits are the same whatever the block, the lane and the instruction set.

use super::fuse::{Varies, fuse, varies};
use super::graph::{Graph, Id, Symbol};
use super::tape::{Tape, Values};

mod compile;
mod few;
mod instruction;
mod memory;
mod run;

use self::compile::Compiler;
pub use self::few::{Feed, Few, Seen};
use self::instruction::{Instruction, Term};
pub use self::memory::Memory;
use self::run::{Layout, narrow, wide};

/// Lanes of a chunk.
pub const CHUNK: usize = 16;

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Location {
    /// A column of the memory.
    Column(u32),
    /// A scratch register.
    Scratch(u32),
    /// A number.
    Number(f64),
}

/// A compiled set of expressions.
#[derive(Debug, Clone, Default)]
pub struct Kernel {
    program: Vec<Instruction>,
    few: Option<Few>,
}

/// Registers and columns while kernels of one memory are compiled.
#[derive(Debug, Clone, Default)]
pub struct Allocation {
    /// Columns so far.
    pub columns: u32,
    /// Scratch registers that are reserved (inputs, noise, time).
    pub reserved: u32,
    /// Most scratch registers that any kernel uses.
    pub scratch: u32,
    /// Columns to be filled once from lane values: expression and column.
    pub hoisted: Vec<(Tape, u32)>,
}

impl Allocation {
    /// A new column.
    pub fn column(&mut self) -> u32 {
        self.columns += 1;
        self.columns - 1
    }

    /// A new reserved scratch register.
    pub fn reserve(&mut self) -> u32 {
        self.reserved += 1;
        self.scratch = self.scratch.max(self.reserved);
        self.reserved - 1
    }
}

impl Kernel {
    /// Compiles `roots`, whose values go to `targets` (all symbols are read before any target is written, as far as the
    /// result goes). `bind` says where a symbol is; what depends on `Column` symbols that `constant` names only is
    /// computed once and kept in a column of its own.
    pub fn compile(
        graph: &Graph,
        roots: &[Id],
        targets: &[Option<Location>],
        bind: &dyn Fn(Symbol) -> Location,
        steady: &dyn Fn(Symbol) -> bool,
        allocation: &mut Allocation,
    ) -> (Self, Vec<Location>) {
        let class_of = |s: Symbol| match bind(s) {
            Location::Number(_) => Varies::Never,
            _ if steady(s) => Varies::Lane,
            _ => Varies::Step,
        };
        let (graph, roots) = fuse(graph, roots, &class_of);
        let class = varies(&graph, &graph.reachable(&roots), &class_of);
        Compiler::new(&graph, &class, bind, allocation).compile(&roots, targets)
    }

    /// The same, but products and sums are rounded one by one, as the plain evaluator of the graph does.
    pub fn compile_as_written(
        graph: &Graph,
        roots: &[Id],
        targets: &[Option<Location>],
        bind: &dyn Fn(Symbol) -> Location,
        allocation: &mut Allocation,
    ) -> (Self, Vec<Location>) {
        let class_of = |s: Symbol| if matches!(bind(s), Location::Number(_)) { Varies::Never } else { Varies::Step };
        let class = varies(graph, &graph.reachable(roots), &class_of);
        Compiler::new(graph, &class, bind, allocation).compile(roots, targets)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.program.is_empty()
    }

    /// Makes the program short for a memory of few lanes, on which it will run.
    pub fn settle(&mut self, memory: &mut Memory) {
        self.few = Few::new(&self.program, memory);
    }

    /// The short program, if there is one for this memory.
    #[inline]
    pub fn short(&self, memory: &Memory) -> Option<&Few> {
        self.few.as_ref().filter(|f| f.fits(memory))
    }

    /// Runs on the block of `count` lanes from `start`.
    #[inline]
    pub fn run(&self, memory: &mut Memory, start: usize, count: usize) {
        if let (true, Some(few)) = (count < CHUNK, self.short(memory)) {
            few.run(memory, count);
            return;
        }
        let layout = Layout { start, padded: memory.padded, base: memory.columns * memory.padded, block: memory.block };
        if count.is_multiple_of(CHUNK) {
            wide(&self.program, &mut memory.data, layout, count);
        } else {
            narrow(&self.program, &mut memory.data, layout, count);
        }
    }
}

/// Fills the columns that depend on lane values only, by the plain evaluator.
pub fn fill_hoisted(allocation: &Allocation, memory: &mut Memory, value: &dyn Fn(Symbol) -> Location) {
    // Expressions name parameters and variables; collect their columns lane by lane.
    for (tape, column) in &allocation.hoisted {
        for lane in 0..memory.padded {
            let read = |s: Symbol| match value(s) {
                Location::Column(c) => memory.data[c as usize * memory.padded + lane],
                Location::Number(v) => v,
                Location::Scratch(_) => unreachable!("what does not change in time stands in columns"),
            };
            let parameters: Vec<f64> = (0..tape.parameters()).map(|i| read(Symbol::Parameter(i))).collect();
            let variables: Vec<f64> = (0..tape.variables()).map(|i| read(Symbol::Variable(i))).collect();
            let v = tape.value(&Values { parameters: &parameters, variables: &variables, ..Values::default() });
            memory.data[*column as usize * memory.padded + lane] = v;
        }
    }
}
