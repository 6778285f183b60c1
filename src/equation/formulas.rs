//! Expressions over variables (or any other symbols) as a program: values in, values out, many lanes at once.

use super::graph::{Graph, Id, Symbol};
use super::kernel::{Kernel, Location};
use super::program::{Builder, Columns, Operand, Program, Register, Target, symbols};

/// Lanes that are evaluated at once, at most.
pub const BLOCK: usize = 256;

/// So few lanes are run one by one: that is less work than a vector.
const FEW: usize = 4;

/// Some expressions, compiled; every symbol that they read has a register.
#[derive(Debug, Clone)]
pub struct Formulas {
    program: Program,
    kernel: Kernel,
    /// Where the values are.
    values: Vec<Location>,
    /// Register of each variable, up to the last that is read.
    variables: Vec<Option<Register>>,
}

impl Formulas {
    /// Compiles `roots`.
    pub fn new(graph: &Graph, roots: &[Id]) -> Self {
        let mut builder = Builder::new(Columns::default(), symbols(graph, roots));
        let (kernel, values) = builder.kernel(graph, roots, &vec![Target::Anywhere; roots.len()]);
        Self::of(builder.finish(BLOCK), kernel, values)
    }

    /// Compiles `root` as it is written, for few or many `lanes` at once: what is looked at has the same bits in any
    /// choice of lanes.
    pub fn as_written(graph: &Graph, root: Id, lanes: usize) -> Self {
        let mut builder = Builder::new(Columns::default(), symbols(graph, &[root]));
        let (mut kernel, values) = builder.kernel_as_written(graph, &[root]);
        let mut program = builder.finish(lanes.clamp(1, BLOCK));
        program.settle(&mut kernel);
        Self::of(program, kernel, values)
    }

    fn of(program: Program, kernel: Kernel, values: Vec<Location>) -> Self {
        let mut variables = Vec::new();
        for &(symbol, register) in program.registers() {
            if let Symbol::Variable(i) = symbol {
                variables.resize(i as usize, None);
                variables.push(Some(register));
            }
        }
        Self { program, kernel, values, variables }
    }

    /// Most lanes that one run takes.
    #[inline]
    pub fn block(&self) -> usize {
        self.program.memory.block
    }

    /// Symbols that are read, and their registers.
    pub fn registers(&self) -> &[(Symbol, Register)] {
        self.program.registers()
    }

    /// The register of a variable, if it is read.
    #[inline]
    pub fn variable(&self, index: usize) -> Option<Register> {
        self.variables.get(index).copied().flatten()
    }

    /// Where the values of a symbol go, one a lane.
    #[inline]
    pub fn register_mut(&mut self, register: Register) -> &mut [f64] {
        self.program.register_mut(register)
    }

    /// Where the values of a variable go; empty if it is not read.
    #[inline]
    pub fn input(&mut self, variable: usize) -> &mut [f64] {
        match self.variable(variable) {
            Some(register) => self.program.register_mut(register),
            None => &mut [],
        }
    }

    /// Evaluates the first `n` lanes.
    #[inline]
    pub fn run(&mut self, n: usize) {
        let whole = if n < FEW { n } else { self.program.memory.whole(n) };
        self.program.run(&self.kernel, 0, whole);
    }

    /// The `k`-th value: a number, or what the first lanes have.
    #[inline]
    pub fn value(&self, k: usize) -> Operand<'_> {
        match self.values[k] {
            Location::Scratch(r) => Operand::Each(self.program.memory.scratch(r as usize)),
            Location::Column(c) => Operand::Each(self.program.memory.column(c as usize)),
            Location::Number(v) => Operand::Shared(v),
        }
    }

    /// Copies the `k`-th value of the first lanes to `out`.
    #[inline]
    pub fn copy(&self, k: usize, out: &mut [f64]) {
        match self.value(k) {
            Operand::Each(values) => out.copy_from_slice(&values[..out.len()]),
            Operand::Shared(v) => out.fill(v),
        }
    }

    /// Appends the `k`-th value of the first `n` lanes to `out`.
    #[inline]
    pub fn append(&self, k: usize, n: usize, out: &mut Vec<f64>) {
        match self.value(k) {
            Operand::Each(values) => out.extend_from_slice(&values[..n]),
            Operand::Shared(v) => out.extend(std::iter::repeat_n(v, n)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_any_number_of_lanes_are_those_of_the_evaluator() {
        use crate::tape::{Tape, Values};
        let mut g = Graph::new();
        let (x, y) = (g.symbol(Symbol::Variable(1)), g.symbol(Symbol::Variable(4)));
        let (xy, three) = (g.mul(x, y), g.number(3.0));
        let roots = [g.unary(crate::graph::Unary::Exp, xy), three];
        let tape = Tape::new(&g, &roots[..1]);
        for mut formulas in [Formulas::new(&g, &roots), Formulas::as_written(&g, roots[0], 2)] {
            assert!(formulas.variable(0).is_none() && formulas.variable(4).is_some() && formulas.variable(9).is_none());
            assert!(formulas.input(0).is_empty());
            let block = formulas.block();
            for n in [1, 2, 3, 17].into_iter().filter(|&n| n <= block) {
                for k in 0..n {
                    formulas.input(1)[k] = k as f64;
                    formulas.input(4)[k] = 0.25;
                }
                formulas.run(n);
                let mut out = Vec::new();
                formulas.append(0, n, &mut out);
                for (k, v) in out.iter().enumerate() {
                    let variables = [0.0, k as f64, 0.0, 0.0, 0.25];
                    assert_eq!(*v, tape.value(&Values { variables: &variables, ..Values::default() }));
                }
            }
        }
        let mut number = [0.0; 5];
        Formulas::new(&g, &roots).copy(1, &mut number);
        assert_eq!(number, [3.0; 5]);
    }
}
