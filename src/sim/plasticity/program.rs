//! Statements of a rule over many connections at once.

use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::kernel::{Kernel, Memory, Place, Plan};

/// Connections that are evaluated at once, at most.
const BLOCK: usize = 256;

/// Some expressions over numbered variables, one lane a connection.
#[derive(Debug, Clone)]
pub(super) struct Program {
    kernel: Kernel,
    memory: Memory,
    /// Scratch register of each variable that is read.
    inputs: Vec<Option<usize>>,
    outputs: Vec<Place>,
}

impl Program {
    /// Compiles `roots` over `variables` variables.
    pub fn new(graph: &Graph, roots: &[Id], variables: usize) -> Self {
        let mut plan = Plan::default();
        let mut registers: Vec<Option<u32>> = vec![None; variables];
        for root in roots {
            for symbol in graph.symbols(*root) {
                if let Symbol::Variable(i) = symbol {
                    registers[i as usize].get_or_insert_with(|| plan.reserve());
                }
            }
        }
        let bind = |symbol: Symbol| match symbol {
            Symbol::Variable(i) => registers[i as usize].map_or(Place::Number(f64::NAN), Place::Scratch),
            _ => Place::Number(f64::NAN),
        };
        let targets = vec![None; roots.len()];
        let (kernel, outputs) = Kernel::compile(graph, roots, &targets, &bind, &|_| false, &mut plan);
        let memory = Memory::new(BLOCK, plan.columns as usize, plan.scratch as usize);
        Self { kernel, memory, inputs: registers.iter().map(|r| r.map(|r| r as usize)).collect(), outputs }
    }

    /// Most connections that one run takes.
    pub fn block(&self) -> usize {
        self.memory.block
    }

    /// Whether variable `v` is read.
    pub fn reads(&self, v: usize) -> bool {
        self.inputs[v].is_some()
    }

    /// Where the values of variable `v` go; empty if it is not read.
    #[inline]
    pub fn input(&mut self, v: usize) -> &mut [f64] {
        match self.inputs[v] {
            Some(r) => self.memory.scratch_mut(r),
            None => &mut [],
        }
    }

    /// Evaluates the first `n` lanes.
    #[inline]
    pub fn run(&mut self, n: usize) {
        let n = if n < 4 { n } else { n.next_multiple_of(16).min(self.memory.block) };
        self.kernel.run(&mut self.memory, 0, n);
    }

    /// Copies the `k`-th result to `out`.
    #[inline]
    pub fn copy(&self, k: usize, out: &mut [f64]) {
        match self.outputs[k] {
            Place::Scratch(r) => out.copy_from_slice(&self.memory.scratch(r as usize)[..out.len()]),
            Place::Column(c) => out.copy_from_slice(&self.memory.column(c as usize)[..out.len()]),
            Place::Number(v) => out.fill(v),
        }
    }

    /// The `k`-th result in place, unless it is a number.
    #[inline]
    pub fn output(&self, k: usize) -> Option<&[f64]> {
        match self.outputs[k] {
            Place::Scratch(r) => Some(self.memory.scratch(r as usize)),
            _ => None,
        }
    }
}
