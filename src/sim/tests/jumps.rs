//! Conditions, signs, steps and whole numbers of states in rates: they have no slope, and are no part of what is
//! linear.

use super::*;

/// The last value of `x` of a model with one more state, by a scheme.
fn end(rate: &str, x: f64, integrator: &str, dt: f64) -> f64 {
    let text = format!(
        "[simulation]\nduration = 2.0\ndt = {dt:?}\n[models.m]\ntime_unit = \"1\"\nequations = \"\"\"\ndx/dt = \
         {rate} : 1\ndy/dt = 1 - y : 1\n\"\"\"\nparameters = {{ th = 2.0 }}\ninitial = \
         {{ x = {x:?}, y = 0.0 }}\n[populations.p]\nmodel = \"m\"\nintegrator = \
         \"{integrator}\"\n[record.p]\ntraces = [{{ variables = [\"x\"], interval = {dt:?} }}]\n"
    );
    *trace(&run(&text), "p", "x").last().expect("a sample")
}

/// On either side of a jump the equation is another one: closed forms, from both sides, by whatever scheme.
#[test]
fn a_condition_on_a_state_is_looked_at_where_the_state_is() {
    let after = (-2.0_f64).exp();
    for (rate, x, expected) in [
        ("where(x > th, 1, -1)", 3.0, 5.0),
        ("where(x > th, 1, -1)", 1.0, -1.0),
        ("where(x > th, 1, -1) - x", 9.0, 8.0f64.mul_add(after, 1.0)),
        ("step(x - th)", 3.0, 5.0),
        ("step(x - th)", 1.0, 1.0),
        ("sign(x)", 3.0, 5.0),
        ("sign(x) - x", -3.0, (-2.0f64).mul_add(after, -1.0)),
        ("floor(x) - floor(x)*2 + floor(x)", 3.0, 3.0),
        ("1 - 2*floor(y + 0.95)", 3.0, 3.0 + 2.0 - 2.0 * (2.0 - (1.0f64 / 0.95).ln())),
        ("where(y > 2 or not x > th, 1, 0)", 1.0, 2.0),
    ] {
        for integrator in ["auto", "exact", "exponential_euler", "euler", "heun", "rk4", "rk45", "rosenbrock"] {
            let found = end(rate, x, integrator, 1e-3);
            assert!((found - expected).abs() < 5e-3, "{rate} from {x} by {integrator}: {found} for {expected}");
        }
    }
}

/// What has no value decides nothing, also where a condition alone reads it.
#[test]
fn a_condition_without_a_value_ends_the_run() {
    for rate in ["where(sqrt(-1 - y) > 0, 1, -1)", "sign(log(y - 5))", "step(sqrt(x - 9))", "1 + floor(log(-1 - x))"] {
        for integrator in ["auto", "exact", "euler", "rk4"] {
            let text = format!(
                "[simulation]\nduration = 2.0\ndt = 0.01\n[models.m]\ntime_unit = \"1\"\nequations = \
             \"\"\"\ndx/dt = \
                 {rate} : 1\ndy/dt = 1 - y : 1\n\"\"\"\ninitial = {{ x = 1.0, y = 0.0 \
             }}\n[populations.p]\nmodel = \"m\"\nintegrator = \
                 \"{integrator}\"\n[record.p]\ntraces = [{{ variables = [\"x\"], interval = 0.01 }}]\n"
            );
            let stopped = run_on(&text, 1).stopped;
            assert!(matches!(stopped, Some(Stop::NotFinite { .. })), "{rate} by {integrator}: {stopped:?}");
        }
    }
}
