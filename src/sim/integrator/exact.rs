//! Linear states exactly, by the matrix exponential (Rotter and Diesmann 1999, doi:10.1007/s004220050570); states that
//! are linear in themselves with everything else frozen over the step.

use super::Problem;
use spikedeck_core::expm::expm;
use spikedeck_equation::derive::{derivative, jumps};
use spikedeck_equation::graph::{Id, Symbol};

/// The linear part of a problem: x' = A x + b for the states listed, A constant in time, b constant over a step.
pub struct Linear {
    /// Indices of the states.
    pub states: Vec<usize>,
    /// A, row-major over `states`.
    pub matrix: Vec<Id>,
    /// b.
    pub offset: Vec<Id>,
}

/// The largest set of states whose equations are linear in each other with constant coefficients, and depend on nothing
/// else but inputs.
pub fn linear_part(p: &mut Problem<'_>) -> Linear {
    let n = p.states();
    let zero = p.graph.number(0.0);
    let slopes: Vec<Vec<Id>> = (0..n)
        .map(|i| {
            let f = p.drift[i];
            let mut row = vec![zero; n];
            // Of many states most are not in an equation.
            for symbol in p.graph.symbols(f) {
                if let Symbol::State(j) = symbol {
                    row[j as usize] = derivative(&mut p.graph, f, symbol);
                }
            }
            row
        })
        .collect();
    let constant: Vec<bool> = (0..n).map(|i| slopes[i].iter().all(|&a| p.is_lane_value(a))).collect();
    let timeless: Vec<bool> = (0..n).map(|i| !p.graph.depends(p.drift[i], |s| s == Symbol::Time)).collect();
    // A condition on a state has no slope, and makes another equation on either side of it.
    let smooth: Vec<bool> = (0..n).map(|i| !jumps(&p.graph, p.drift[i], |s| matches!(s, Symbol::State(_)))).collect();
    let mut inside: Vec<bool> = (0..n).map(|i| constant[i] && timeless[i] && smooth[i]).collect();
    loop {
        let next: Vec<bool> = (0..n).map(|i| inside[i] && (0..n).all(|j| inside[j] || slopes[i][j] == zero)).collect();
        if next == inside {
            break;
        }
        inside = next;
    }
    let states: Vec<usize> = (0..n).filter(|&i| inside[i]).collect();
    let matrix = states.iter().flat_map(|&i| states.iter().map(|&j| slopes[i][j]).collect::<Vec<_>>()).collect();
    let rates: Vec<Id> = states.iter().map(|&i| p.drift[i]).collect();
    let offset = p.graph.substitute(&rates, |_, s| match s {
        Symbol::State(i) if inside[i as usize] => Some(zero),
        _ => None,
    });
    Linear { states, matrix, offset }
}

/// Propagators over `h`: P = exp(A h) and Q = ∫ exp(A s) ds.
pub fn propagators(a: &[f64], m: usize, h: f64) -> (Vec<f64>, Vec<f64>) {
    let mut big = vec![0.0; 4 * m * m];
    for i in 0..m {
        for j in 0..m {
            big[i * 2 * m + j] = a[i * m + j] * h;
        }
        big[i * 2 * m + m + i] = h;
    }
    let e = expm(&big, 2 * m);
    let part = |offset: usize| (0..m).flat_map(|i| e[i * 2 * m + offset..i * 2 * m + offset + m].to_vec()).collect();
    (part(0), part(m))
}

/// The step.
pub fn step(p: &mut Problem<'_>) -> Result<Vec<Id>, String> {
    let linear = linear_part(p);
    let mut new: Vec<Option<Id>> = vec![None; p.states()];
    for (i, new) in new.iter_mut().enumerate() {
        if linear.states.contains(&i) {
            continue;
        }
        if !p.linear_in_itself(i) {
            return Err(format!(
                "`exact` needs equations that are linear in their own state, that of `{}` is not: use auto",
                p.names[i]
            ));
        }
        if p.graph.depends(p.drift[i], |s| s == Symbol::Time) {
            return Err(format!(
                "`exact` needs equations without explicit time, that of `{}` depends on t: use auto",
                p.names[i]
            ));
        }
        *new = Some(p.exponential_step(i));
    }
    let (propagator, integral) = entries(p, &linear);
    let m = linear.states.len();
    for (row, &i) in linear.states.iter().enumerate() {
        let mut sum = p.graph.number(0.0);
        for (column, &j) in linear.states.iter().enumerate() {
            let x = p.state(j);
            let term = p.graph.mul(propagator[row * m + column], x);
            sum = p.graph.add(sum, term);
            let term = p.graph.mul(integral[row * m + column], linear.offset[column]);
            sum = p.graph.add(sum, term);
        }
        new[i] = Some(sum);
    }
    Ok(new.into_iter().flatten().collect())
}

/// P and Q as numbers, or as lane values where parameters differ between lanes.
fn entries(p: &mut Problem<'_>, linear: &Linear) -> (Vec<Id>, Vec<Id>) {
    let m = linear.states.len();
    let values: Vec<Result<f64, Vec<f64>>> = linear.matrix.iter().map(|&a| p.lane_value(a)).collect();
    let at = |lane: usize| -> Vec<f64> {
        values
            .iter()
            .map(|v| match v {
                Ok(x) => *x,
                Err(list) => list[lane],
            })
            .collect()
    };
    if m == 0 {
        return (Vec::new(), Vec::new());
    }
    let same = values.iter().all(Result::is_ok);
    let lanes = if same { 1 } else { p.lanes };
    let mut columns = vec![Vec::with_capacity(lanes); 2 * m * m];
    for lane in 0..lanes {
        let (a, b) = propagators(&at(lane), m, p.h);
        for (column, v) in columns.iter_mut().zip(a.into_iter().chain(b)) {
            column.push(v);
        }
    }
    let ids: Vec<Id> = columns
        .into_iter()
        .map(|column| {
            // By bits: what is no number is alike too, and has no lanes of its own.
            if let Some(first) = column.first().copied().filter(|f| column.iter().all(|v| v.to_bits() == f.to_bits())) {
                return p.graph.number(first);
            }
            let symbol = Symbol::Variable(p.lane_values.len() as u32);
            p.lane_values.push(column);
            p.graph.symbol(symbol)
        })
        .collect();
    (ids[..m * m].to_vec(), ids[m * m..].to_vec())
}
