use super::*;
use crate::Outcome;
use crate::equation_fixtures::{Model, Said, number, run, whole, word};
use crate::testing::metric;
use spikedeck_signal::Recording;

fn series(outcome: &Outcome) -> &Series {
    let Shape::Series(s) = &outcome.shapes[0].shape else { panic!() };
    s
}

/// The integrate-and-fire neuron with a fixed threshold of prior systems 5.2.
fn fixed() -> Model {
    Model {
        equations: "dV_m/dt = (V_rest - V_m + R_m*I)/tau_m : V",
        parameters: &[("V_rest", "-65 mV"), ("R_m", "10 Mohm"), ("tau_m", "30 ms"), ("V_th", "-50 mV")],
        inputs: &[("I", "A")],
        initial: &["-65 mV"],
        threshold: Some("V_m >= V_th"),
        reset: Some("V_m = V_rest"),
        ..Model::default()
    }
}

fn dynamic() -> Model {
    Model {
        equations: "dV_m/dt = (V_rest - V_m + R_m*I)/tau_m : V\ndV_th/dt = (V_base - V_th)/tau_th : V",
        parameters: &[
            ("V_rest", "-65 mV"),
            ("R_m", "10 Mohm"),
            ("tau_m", "30 ms"),
            ("V_base", "-55 mV"),
            ("tau_th", "10 ms"),
            ("V_jump", "0 mV"),
        ],
        inputs: &[("I", "A")],
        initial: &["-65 mV", "-55 mV"],
        threshold: Some("V_m >= V_th"),
        reset: Some("V_m = V_rest; V_th = V_jump"),
        ..Model::default()
    }
}

fn sweep(model: &Model) -> Outcome {
    let options = [("from", word("0 nA")), ("to", word("10.5 nA")), ("steps", whole(22)), ("transient", number(0.05))];
    run(&FiCurve, &model.scenario(5e-5, 6000, &[]), &Recording::default(), &options).unwrap()
}

/// Prior systems 5.2: spike counts and steady rates of both neurons at 1.5, 2, ..., 10.5 nA, and their rheobases.
#[test]
fn both_neurons_of_the_prior_system() {
    let counts = [
        [0, 7, 10, 14, 17, 21, 24, 27, 31, 34, 37, 41, 44, 48, 51, 54, 57, 61, 64],
        [7, 10, 12, 13, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
    ];
    let rates = [
        [
            0.0, 24.038, 36.364, 48.077, 59.524, 70.671, 81.967, 93.023, 104.167, 115.607, 126.582, 137.931, 149.254,
            160.000, 170.940, 181.818, 192.308, 204.082, 215.054,
        ],
        [
            25.094, 33.113, 39.216, 44.444, 49.140, 53.476, 57.637, 61.538, 65.359, 68.966, 72.464, 76.046, 79.365,
            82.645, 86.207, 89.286, 92.593, 95.694, 98.522,
        ],
    ];
    for (which, (model, rheobase, exact_at_4)) in
        [(fixed(), 2000.0, 70.9214), (dynamic(), 1500.0, 53.6170)].into_iter().enumerate()
    {
        let out = sweep(&model);
        let s = series(&out);
        for k in 0..19 {
            let i = k + 3;
            let count = out
                .metrics
                .iter()
                .find(|m| m.metric == format!("spikes.{}_pA", short(s.curves[0].x[i])))
                .map_or(0.0, |m| m.value.unwrap());
            assert_eq!(count, f64::from(counts[which][k]), "neuron {which}, input {}", s.curves[0].x[i]);
            assert!(
                (s.curves[0].y[i] - rates[which][k]).abs() < 6e-4,
                "neuron {which}, input {}: {}",
                s.curves[0].x[i],
                s.curves[0].y[i]
            );
        }
        assert!(s.curves[0].y[..3].iter().all(|r| *r == 0.0));
        assert!((metric(&out, "p", "rheobase_grid").value.unwrap() - rheobase).abs() < 1e-6);
        // Exact rates at 4 nA stand in the same place.
        assert!((s.curves[2].y[8] - exact_at_4).abs() < 2e-4, "{}", s.curves[2].y[8]);
        // In 300 ms a current a little above (threshold - rest)/R fires: 1.5 and 1 nA.
        let refined = metric(&out, "p", "rheobase").value.unwrap();
        assert!(refined > rheobase - 500.0 && refined < rheobase - 490.0, "{refined}");
    }
}

/// Ground truth C2: NEST's defaults on a grid of .1 ms (intervals 29.8, 15.9, 6.8 ms) against the closed form.
#[test]
fn nest_defaults_on_the_grid_and_exactly() {
    let model = Model {
        equations: "dV_m/dt = (E_L - V_m)/tau_m + I/C_m : V",
        parameters: &[
            ("C_m", "250 pF"),
            ("tau_m", "10 ms"),
            ("E_L", "-70 mV"),
            ("V_th", "-55 mV"),
            ("V_reset", "-70 mV"),
            ("t_ref", "2 ms"),
        ],
        inputs: &[("I", "A")],
        initial: &["-70 mV"],
        threshold: Some("V_m >= V_th"),
        reset: Some("V_m = V_reset"),
        refractory: Some(("t_ref", &["V_m"])),
        ..Model::default()
    };
    let options = [("from", word("300 pA")), ("to", word("1000 pA")), ("steps", whole(8))];
    let out = run(&FiCurve, &model.scenario(1e-4, 10_000, &[]), &Recording::default(), &options).unwrap();
    let s = series(&out);
    assert_eq!(s.x.unit, "pA");
    for (input, interval, exact) in [(400.0, 29.8, 33.6407), (500.0, 15.9, 63.0400), (1000.0, 6.8, 149.2529)] {
        let i = s.curves[0].x.iter().position(|x| (x - input).abs() < 1e-6).unwrap();
        assert!((1000.0 / s.curves[0].y[i] - interval).abs() < 1e-9, "{input}: {}", 1000.0 / s.curves[0].y[i]);
        assert!((s.curves[2].y[i] - exact).abs() < 1e-4, "{input}: {}", s.curves[2].y[i]);
    }
    let refined = metric(&out, "p", "rheobase").value.unwrap();
    assert!((375.0..375.1).contains(&refined), "{refined}");
}

/// The lowest input of the grid is the end of what was looked at, and no rheobase.
#[test]
fn what_fires_at_the_lowest_input_has_no_rheobase_yet() {
    for (from, known) in [("1 nA", true), ("1.4 nA", true), ("1.6 nA", false), ("3 nA", false), ("7 nA", false)] {
        let options = [("from", word(from)), ("to", word("9 nA")), ("steps", whole(17))];
        let out = run(&FiCurve, &fixed().scenario(5e-5, 20_000, &[]), &Recording::default(), &options).unwrap();
        for name in ["rheobase", "rheobase_grid"] {
            let m = metric(&out, "p", name);
            assert_eq!(m.value.is_some(), known, "{from}: {m:?}");
            assert!(known || m.note.contains("fires at the lowest input already"), "{m:?}");
        }
        assert_eq!(out.summary.contains("fires at the lowest input already"), !known, "{}", out.summary);
    }
}

#[test]
fn what_is_missing_is_asked_for() {
    let scenario = fixed().scenario(5e-5, 100, &[]);
    let of = |options: &[(&'static str, Said)]| {
        run(&FiCurve, &scenario, &Recording::default(), options).unwrap_err().to_string()
    };
    assert!(of(&[]).contains("give `from` and `to`"));
    let wrong = of(&[("to", word("3 mV"))]);
    assert!(wrong.contains("`to`, as `I`, is a current (A), but this is a voltage (V)"), "{wrong}");
    assert!(of(&[("input", word("J"))]).contains("there are: I"));
    assert!(of(&[("from", word("2 nA")), ("to", word("1 nA"))]).contains("not above"));
    // What is left out is not all there is.
    for (duration, transient, sound) in [(0.3, 0.5, false), (0.3, 0.3, false), (0.3, 0.25, true)] {
        let options = [("to", word("3 nA")), ("duration", number(duration)), ("transient", number(transient))];
        let out = run(&FiCurve, &scenario, &Recording::default(), &options);
        assert_eq!(out.is_ok(), sound, "{duration} {transient}");
        if let Ok(out) = out {
            let rates = out.metrics.iter().filter(|m| m.metric.starts_with("rate."));
            assert!(rates.filter_map(|m| m.value).all(|rate| rate >= 0.0));
        }
    }
    let options = [("to", word("0.1 nA"))];
    let out = run(&FiCurve, &scenario, &Recording::default(), &options).unwrap();
    assert!(metric(&out, "p", "rheobase").value.is_none() && out.summary.contains("silent"));
}
