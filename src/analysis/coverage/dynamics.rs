//! Exponents.

use super::Case;
use super::key;
use crate::equation_fixtures::{Model, Said, number, run, word};
use crate::lyapunov::Lyapunov;
use spikedeck_equation::TimeUnit;
use spikedeck_scenario::Value;
use spikedeck_signal::Recording;

fn exponents(model: &Model, seed: u64, (dt, steps): (f64, u64), options: &[(&'static str, Said)]) -> crate::Outcome {
    let mut scenario = model.scenario(dt, steps, &[]);
    // Another trajectory on the same attractor.
    let mut s = key(seed, "initial").stream(0, 0);
    for v in &mut scenario.populations[0].initial {
        if let Value::Constant(v) = v {
            *v += 0.02 * (s.uniform() - 0.5);
        }
    }
    run(&Lyapunov, &scenario, &Recording::default(), options).unwrap()
}

pub fn cases() -> Vec<Case> {
    let map = || [("scheme", word("map")), ("interval", number(1.0)), ("transient", number(100.0))];
    vec![
        Case::new("the logistic map at 4, 4000 steps", move |s| {
            let model = Model {
                equations: "dx/dt = 3.9999999*x*(1 - x) - x : 1",
                initial: &["0.3"],
                time_unit: TimeUnit::Dimensionless,
                ..Model::default()
            };
            exponents(&model, s, (1.0, 4000), &map())
        })
        .times(1000, 200)
        .holds("lambda_1", std::f64::consts::LN_2),
        Case::new("the Henon map, 4000 steps", move |s| {
            let model = Model {
                equations: "dx/dt = 1 - 1.4*x*x + y - x : 1\ndy/dt = 0.3*x - y : 1",
                initial: &["0.1", "0.1"],
                time_unit: TimeUnit::Dimensionless,
                ..Model::default()
            };
            exponents(&model, s, (1.0, 4000), &map())
        })
        .times(1000, 200)
        // Sprott 2003: 0.41922 and -1.62319.
        .holds("lambda_1", 0.41922)
        .holds("lambda_2", -1.62319),
        Case::new("the Lorenz flow, 200 units of time", |s| {
            let model = Model {
                equations: "dx/dt = 10*(y - x) : 1\ndy/dt = x*(28 - z) - y : 1\ndz/dt = x*y - 2.6666666666666665*z : 1",
                initial: &["1", "1", "20"],
                time_unit: TimeUnit::Dimensionless,
                ..Model::default()
            };
            exponents(&model, s, (0.01, 22_000), &[("transient", number(20.0))])
        })
        .times(200, 0)
        .holds("lambda_1", 0.9056)
        .at_least("lambda_2", 0.0, "growth along the flow evens out; never narrower than that of one stretch")
        .holds("lambda_3", -14.5723),
    ]
}
