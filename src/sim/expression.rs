//! Expressions of a scenario over named columns: positions, times, values of two coupled units.

use super::stepper::Column;
use spikedeck_core::units::Dimension;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::kernel::{Kernel, Memory, Place, Plan};
use spikedeck_equation::{Expression as Checked, TimeUnit, Variable};

/// Lanes that are evaluated at once.
const BLOCK: usize = 256;

/// Value of one name: the same everywhere, or one a lane.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operand<'a> {
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

/// A compiled expression over columns.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    kernel: Kernel,
    memory: Memory,
    /// Names that the expression uses: operand and scratch register.
    used: Vec<(usize, usize)>,
    /// Scratch register of time, if it is used.
    time: Option<usize>,
    /// Where the value is.
    result: Place,
    /// Units of the equations' time in a second.
    per_second: f64,
}

impl Expression {
    /// Compiles `text` over `names`. `t` is time, in seconds where equations carry units, else in the plain number that
    /// the model measures time in.
    ///
    /// # Errors
    /// What cannot be understood.
    pub fn new(text: &str, names: &[(&str, Dimension)], time_unit: TimeUnit) -> Result<Self, String> {
        let checked = Self::check(text, names, time_unit)?;
        let (graph, root) = checked.graph();
        Ok(Self::compile(graph, root, names.len(), time_unit))
    }

    /// Understands `text` without compiling it; time is the variable after the names.
    ///
    /// # Errors
    /// What cannot be understood.
    pub fn check(text: &str, names: &[(&str, Dimension)], time_unit: TimeUnit) -> Result<Checked, String> {
        let mut variables: Vec<Variable> = names
            .iter()
            .map(|(name, dimension)| Variable { name: (*name).to_owned(), dimension: *dimension })
            .collect();
        let time = if time_unit == TimeUnit::Dimensional { Dimension::SECOND } else { Dimension::NONE };
        variables.push(Variable { name: "t".to_owned(), dimension: time });
        Checked::parse(text, &variables).map_err(|found| {
            found
                .first()
                .map_or_else(|| format!("`{text}` cannot be understood"), |d| format!("`{text}`: {}", d.message))
        })
    }

    /// Compiles a node of a graph over `operands` variables; the variable after them is time.
    pub fn compile(graph: &Graph, root: Id, operands: usize, time_unit: TimeUnit) -> Self {
        let mut plan = Plan::default();
        let mut registers: Vec<Option<u32>> = vec![None; operands + 1];
        for symbol in graph.symbols(root) {
            if let Symbol::Variable(i) = symbol {
                registers[i as usize].get_or_insert_with(|| plan.reserve());
            }
        }
        let bind = |symbol: Symbol| match symbol {
            Symbol::Variable(i) => registers[i as usize].map_or(Place::Number(f64::NAN), Place::Scratch),
            _ => Place::Number(f64::NAN),
        };
        let (kernel, places) = Kernel::compile(graph, &[root], &[None], &bind, &|_| false, &mut plan);
        let memory = Memory::new(BLOCK, plan.columns as usize, plan.scratch as usize);
        let register = |i: usize| registers[i].map(|r| r as usize);
        Self {
            kernel,
            memory,
            used: (0..operands).filter_map(|i| register(i).map(|r| (i, r))).collect(),
            time: register(operands),
            result: places[0],
            per_second: time_unit.per_second(),
        }
    }

    /// Evaluates at time `t` (seconds or time units) for `operands` in the order of the names: one value a lane into
    /// `out`.
    pub fn evaluate(&mut self, t: f64, operands: &[Operand<'_>], out: &mut [f64]) {
        let block = self.memory.block;
        let lanes = out.len();
        for start in (0..lanes).step_by(block) {
            let n = block.min(lanes - start);
            for &(operand, register) in &self.used {
                let to = self.memory.scratch_mut(register);
                match operands[operand] {
                    Operand::Shared(v) if start == 0 => to.fill(v),
                    Operand::Shared(_) => {}
                    Operand::Each(values) => to[..n].copy_from_slice(&values[start..start + n]),
                }
            }
            if let (Some(register), 0) = (self.time, start) {
                self.memory.scratch_mut(register).fill(t * self.per_second);
            }
            let whole = self.memory.whole(n);
            self.kernel.run(&mut self.memory, 0, whole);
            let to = &mut out[start..start + n];
            match self.result {
                Place::Scratch(r) => to.copy_from_slice(&self.memory.scratch(r as usize)[..n]),
                Place::Column(c) => to.copy_from_slice(&self.memory.column(c as usize)[..n]),
                Place::Number(v) => to.fill(v),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_numbers_and_time() {
        let names = [("x", Dimension::METRE), ("i", Dimension::NONE), ("N", Dimension::NONE)];
        let mut e = Expression::new("x/[1 um]*sin(t/[10 ms]) + i/N", &names, TimeUnit::Dimensional).unwrap();
        let n = 700;
        let x: Vec<f64> = (0..n).map(|i| f64::from(i) * 1e-6).collect();
        let i: Vec<f64> = (0..n).map(f64::from).collect();
        let mut out = vec![0.0; n as usize];
        for t in [0.003, 0.02] {
            e.evaluate(t, &[Operand::Each(&x), Operand::Each(&i), Operand::Shared(f64::from(n))], &mut out);
            for k in 0..n {
                let expected = f64::from(k) * (t / 0.01).sin() + f64::from(k) / f64::from(n);
                assert!(
                    (out[k as usize] - expected).abs() < 1e-11 * (1.0 + f64::from(k)),
                    "{k}: {} {expected}",
                    out[k as usize]
                );
            }
        }
        let mut constant = Expression::new("2 + 1", &names, TimeUnit::Dimensional).unwrap();
        constant.evaluate(0.0, &[Operand::Shared(0.0); 3], &mut out);
        assert!(out.iter().all(|&v| v == 3.0));
        assert!(Expression::new("x + i", &names, TimeUnit::Dimensional).is_err());
        let mut plain = Expression::new("t", &[], TimeUnit::Millisecond).unwrap();
        plain.evaluate(0.25, &[], &mut out[..1]);
        assert_eq!(out[0], 250.0);
    }
}
