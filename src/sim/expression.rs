//! Expressions of a scenario over named columns: positions, times, values of two coupled units.

use spikedeck_equation::Formula;
use spikedeck_equation::formulas::Formulas;
use spikedeck_equation::graph::{Graph, Id, Symbol};
pub(super) use spikedeck_equation::program::Operand;
use spikedeck_equation::program::Register;

/// A compiled expression over columns.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    formulas: Box<Formulas>,
    /// Names that the expression uses: operand and register.
    used: Vec<(usize, Register)>,
    /// Register of time, if it is used.
    time: Option<Register>,
}

impl Expression {
    /// Compiles an expression of the scenario; operands come in the order of its names. `is_time` says which of them is
    /// time, which is filled in whenever it is evaluated.
    pub fn new<N>(formula: &Formula<N>, is_time: impl Fn(&N) -> bool) -> Self {
        let (graph, root) = formula.expression().graph();
        let operands: Vec<usize> = (0..formula.names().len()).collect();
        Self::compile(graph, root, &operands, formula.names().iter().position(is_time))
    }

    /// Compiles a node of a graph; `operands` says which operand each variable is. The variable `time` is time and no
    /// operand.
    pub fn compile(graph: &Graph, root: Id, operands: &[usize], time: Option<usize>) -> Self {
        let formulas = Box::new(Formulas::new(graph, &[root]));
        let (mut used, mut filled) = (Vec::new(), None);
        for &(symbol, register) in formulas.registers() {
            match symbol {
                Symbol::Variable(i) if Some(i as usize) == time => filled = Some(register),
                Symbol::Variable(i) => used.push((operands[i as usize], register)),
                other => unreachable!("an expression is made of its variables, and {other:?} is none"),
            }
        }
        Self { formulas, used, time: filled }
    }

    /// Evaluates at time `t` (seconds or time units) for `operands`: one value a lane into `out`.
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
                self.formulas.register_mut(register).fill(t);
            }
            self.formulas.run(n);
            self.formulas.copy(0, &mut out[start..start + n]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_core::units::Dimension;
    use spikedeck_equation::{Name, Variable};

    fn formula(text: &str) -> Formula<char> {
        let scope = [
            ("x", Dimension::METRE, 'x'),
            ("i", Dimension::NONE, 'i'),
            ("N", Dimension::NONE, 'N'),
            ("t", Dimension::SECOND, 't'),
        ];
        let scope = scope.map(|(name, dimension, meaning)| Name {
            variable: Variable { name: name.to_owned(), dimension },
            meaning,
        });
        Formula::parse(text, &scope, Dimension::NONE).unwrap()
    }

    #[test]
    fn columns_numbers_and_time() {
        let text = formula("x/[1 um]*sin(t/[10 ms]) + i/N");
        assert_eq!(text.names(), ['x', 't', 'i', 'N']);
        let mut e = Expression::new(&text, |n| *n == 't');
        let n = 700;
        let x: Vec<f64> = (0..n).map(|i| f64::from(i) * 1e-6).collect();
        let i: Vec<f64> = (0..n).map(f64::from).collect();
        let mut out = vec![0.0; n as usize];
        for t in [0.003, 0.02] {
            let count = Operand::Shared(f64::from(n));
            e.evaluate(t, &[Operand::Each(&x), Operand::Shared(f64::NAN), Operand::Each(&i), count], &mut out);
            for k in 0..n {
                let expected = f64::from(k) * (t / 0.01).sin() + f64::from(k) / f64::from(n);
                assert!(
                    (out[k as usize] - expected).abs() < 1e-11 * (1.0 + f64::from(k)),
                    "{k}: {} {expected}",
                    out[k as usize]
                );
            }
        }
        let mut constant = Expression::new(&formula("2 + 1"), |_| false);
        constant.evaluate(0.0, &[], &mut out);
        assert!(out.iter().all(|&v| v == 3.0));
    }
}
