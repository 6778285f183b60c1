//! Steps for which a scheme is not stable are refused, where that can be known.

use super::Problem;
use super::exact::linear_part;
use super::spectrum::{eigenvalues, radius};
use spikedeck_equation::flow::jacobian;
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::Integrator;

/// Largest |eigenvalue| of the Jacobian at a state.
pub fn fastest(p: &mut Problem<'_>, state: &[f64], parameters: &[f64]) -> f64 {
    let n = p.states();
    let roots = p.drift.clone();
    let ids = jacobian(&mut p.graph, &roots, n);
    let mut values = vec![0.0; n * n];
    let tape = Tape::new(&p.graph, &ids);
    // At the start, where nothing drives it.
    let inputs = vec![0.0; tape.inputs() as usize];
    let at = Values { states: state, parameters, inputs: &inputs, time: Some(0.0), ..Values::default() };
    tape.evaluate(&at, &mut values);
    if values.iter().any(|v| !v.is_finite()) {
        return f64::INFINITY;
    }
    radius(n, &values)
}

/// |R(z)| of an explicit scheme, or `None` for schemes that are stable for every decaying system.
fn growth(integrator: Integrator, re: f64, im: f64) -> Option<f64> {
    let terms = match integrator {
        Integrator::Euler | Integrator::EulerMaruyama | Integrator::EulerSequential | Integrator::Milstein => 1,
        Integrator::Heun | Integrator::HeunStratonovich => 2,
        Integrator::Rk4 => 4,
        // What adapts, solves for the end of the step or has the solution; schemes of space have a bound of their own.
        Integrator::Auto
        | Integrator::Exact
        | Integrator::ExponentialEuler
        | Integrator::Rk45
        | Integrator::Rosenbrock
        | Integrator::CrankNicolson
        | Integrator::BackwardEuler
        | Integrator::Ftcs
        | Integrator::Spectral
        | Integrator::Leapfrog
        | Integrator::DufortFrankel
        | Integrator::LaxFriedrichs => return None,
    };
    // Σ z^k / k!
    let (mut sum, mut power, mut factorial) = ((1.0, 0.0), (1.0, 0.0), 1.0);
    for k in 1..=terms {
        power = (power.0 * re - power.1 * im, power.0 * im + power.1 * re);
        factorial *= f64::from(k);
        sum = (sum.0 + power.0 / factorial, sum.1 + power.1 / factorial);
    }
    Some(sum.0.hypot(sum.1))
}

/// Refuses a step that is too long for the linear part of the equations.
///
/// # Errors
/// The rate that is too fast, and the longest stable step.
pub fn check(integrator: Integrator, p: &mut Problem<'_>, time_unit: f64) -> Result<(), String> {
    let linear = linear_part(p);
    let m = linear.states.len();
    if m == 0 || growth(integrator, 0.0, 0.0).is_none() {
        return Ok(());
    }
    let entries: Vec<Result<f64, Vec<f64>>> = linear.matrix.iter().map(|&a| p.lane_value(a)).collect();
    // One lane stands for all where nothing differs.
    let lanes = entries.iter().filter_map(|e| e.as_ref().err()).map(Vec::len).max().unwrap_or(1);
    let of = |lane: usize| -> Vec<f64> {
        let value = |e: &Result<f64, Vec<f64>>| e.as_ref().map_or_else(|list| list[lane], |v| *v);
        entries.iter().map(value).collect()
    };
    // Where lanes differ, that with the greatest sum of a row (no eigenvalue is above it) and that with the fastest
    // decay.
    let sums = |lane: usize| of(lane).chunks(m).map(|row| row.iter().map(|v| v.abs()).sum::<f64>()).fold(0.0, f64::max);
    let decays = |lane: usize| of(lane).iter().step_by(m + 1).map(|v| v.abs()).fold(0.0, f64::max);
    let greatest = |measure: &dyn Fn(usize) -> f64| {
        (0..lanes)
            .map(|lane| (measure(lane), lane))
            .filter(|w| w.0.is_finite())
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|w| w.1)
    };
    let mut chosen: Vec<usize> = greatest(&sums).into_iter().chain(greatest(&decays)).collect();
    chosen.dedup();
    for values in chosen.into_iter().map(of).filter(|values| values.iter().all(|v| v.is_finite())) {
        for z in eigenvalues(m, &values).into_iter().flatten() {
            if let Some(bound) = longest_stable(integrator, (z.re, z.im), p.h) {
                return Err(format!(
                    "`{}` is not stable for this step: a state decays at a rate of {:.4e} /s, for which the step must \
                     be below {:.4e} s; here it is {:.4e} s (exact or exponential_euler have no such bound)",
                    integrator.name(),
                    -z.re * time_unit,
                    bound / time_unit,
                    p.h / time_unit
                ));
            }
        }
    }
    Ok(())
}

/// The longest step for which a scheme is stable for a mode of the linear part, if `h` is longer. Oscillators without
/// friction and growing modes are the model's own affair.
fn longest_stable(integrator: Integrator, (re, im): (f64, f64), h: f64) -> Option<f64> {
    let unstable = |h: f64| growth(integrator, re * h, im * h).is_some_and(|g| g > 1.0 + 1e-9);
    if re >= -1e-12 * im.abs() || !unstable(h) {
        return None;
    }
    let (mut low, mut high) = (0.0, h);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if unstable(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(low)
}
