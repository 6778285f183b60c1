//! Expressions of a scenario over named columns: positions, times, values of two coupled units.

use spikedeck_core::units::Dimension;
use spikedeck_equation::formulas::Formulas;
use spikedeck_equation::graph::{Graph, Id, Symbol};
pub(super) use spikedeck_equation::program::Operand;
use spikedeck_equation::program::Register;
use spikedeck_equation::{Expression as Checked, TimeUnit, Variable};

/// A compiled expression over columns.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    formulas: Formulas,
    /// Names that the expression uses: operand and register.
    used: Vec<(usize, Register)>,
    /// Register of time, if it is used.
    time: Option<Register>,
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
        let formulas = Formulas::new(graph, &[root]);
        let (mut used, mut time) = (Vec::new(), None);
        for &(symbol, register) in formulas.registers() {
            match symbol {
                Symbol::Variable(i) if i as usize == operands => time = Some(register),
                Symbol::Variable(i) => used.push((i as usize, register)),
                other => unreachable!("an expression is made of its variables, and {other:?} is none"),
            }
        }
        Self { formulas, used, time, per_second: time_unit.per_second() }
    }

    /// Evaluates at time `t` (seconds or time units) for `operands` in the order of the names: one value a lane into
    /// `out`.
    pub fn evaluate(&mut self, t: f64, operands: &[Operand<'_>], out: &mut [f64]) {
        let block = self.formulas.block();
        let lanes = out.len();
        for start in (0..lanes).step_by(block) {
            let n = block.min(lanes - start);
            for &(operand, register) in &self.used {
                let to = self.formulas.register_mut(register);
                match operands[operand] {
                    Operand::Shared(v) if start == 0 => to.fill(v),
                    Operand::Shared(_) => {}
                    Operand::Each(values) => to[..n].copy_from_slice(&values[start..start + n]),
                }
            }
            if let (Some(register), 0) = (self.time, start) {
                self.formulas.register_mut(register).fill(t * self.per_second);
            }
            self.formulas.run(n);
            self.formulas.copy(0, &mut out[start..start + n]);
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
