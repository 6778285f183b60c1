use super::*;
use crate::equation_fixtures::{Model, number, run, whole, words};
use crate::testing::metric;
use spikedeck_equation::TimeUnit;
use spikedeck_signal::Recording;

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got} is not {want} to {tolerance}");
}

fn lorenz() -> Model {
    Model {
        equations: "dx/dt = sigma*(y - x) : 1\ndy/dt = x*(rho - z) - y : 1\ndz/dt = x*y - beta*z : 1",
        parameters: &[("sigma", "10"), ("rho", "28"), ("beta", "2.6666666666666665")],
        initial: &["1", "1", "20"],
        time_unit: TimeUnit::Dimensionless,
        ..Model::default()
    }
}

/// From text to exponents: ground truth C1, Lorenz .9055, 0, -14.5721 per time unit, dimension 2.0621.
#[test]
fn lorenz_from_its_equations() {
    let scenario = lorenz().scenario(0.005, 400_000, &[]);
    let out = run(&Lyapunov, &scenario, &Recording::default(), &[]).unwrap();
    let value = |name: &str| metric(&out, "p", name).value.unwrap();
    near(value("lambda_1"), 0.9055, 0.015);
    near(value("lambda_2"), 0.0, 0.003);
    near(value("lambda_3"), -14.5721, 0.015);
    near(value("sum"), -41.0 / 3.0, 1e-3);
    near(value("divergence"), -41.0 / 3.0, 1e-9);
    near(value("kaplan_yorke_dimension"), 2.0621, 0.0015);
    near(value("entropy_rate"), 0.9055 / LN_2, 0.03);
    assert_eq!(metric(&out, "p", "lambda_1").unit, "1/time");
    assert!(out.summary.contains("chaotic"), "{}", out.summary);
    assert!(out.warnings.is_empty(), "{:?}", out.warnings);
    let Shape::Series(s) = &out.shapes[0].shape else { panic!() };
    assert_eq!((s.curves.len(), s.curves[0].x.len()), (3, 400));
}

/// `set` changes a parameter: at rho 20 the system rests, and the analysis says so with the eigenvalues.
#[test]
fn lorenz_at_rest_is_told() {
    let scenario = lorenz().scenario(0.005, 200_000, &[]);
    let options = [("set", words(&["rho = 20"])), ("transient", number(300.0))];
    let out = run(&Lyapunov, &scenario, &Recording::default(), &options).unwrap();
    near(metric(&out, "p", "lambda_1").value.unwrap(), -0.154_792, 1e-3);
    assert!(out.warnings.iter().any(|w| w.contains("-0.154792") || w.contains("-0.15479")), "{:?}", out.warnings);
    let error = run(&Lyapunov, &scenario, &Recording::default(), &[("set", words(&["rh = 20"]))]).unwrap_err();
    assert!(error.to_string().contains("no parameter or input `rh`"), "{error}");
}

/// A sum of positive exponents bounds nothing while there may be more of them.
#[test]
fn exponents_that_are_all_positive_are_no_bound() {
    for (clear, dimension, value) in [
        (vec![1.0], 3, None),
        (vec![1.0, 0.5], 4, None),
        (vec![1.0, 0.5], 2, Some(1.5)),
        (vec![1.0, 0.0], 3, Some(1.0)),
        (vec![1.0, 0.5, -2.0], 4, Some(1.5)),
        (vec![-1.0], 3, Some(0.0)),
    ] {
        let m = entropy_rate("p", &clear, dimension, "bits/s", 10);
        assert_eq!(m.value.map(|v| (v * LN_2 * 1e9).round() / 1e9), value, "{clear:?}");
        assert_eq!(m.note.contains("raise `exponents`"), value.is_none(), "{}", m.note);
    }
}

fn lif() -> Model {
    Model {
        equations: "dV_m/dt = (E_L - V_m + R_m*I)/tau_m : V",
        parameters: &[
            ("tau_m", "10 ms"),
            ("E_L", "-70 mV"),
            ("R_m", "40 Mohm"),
            ("V_th", "-55 mV"),
            ("V_reset", "-70 mV"),
            ("t_ref", "2 ms"),
        ],
        inputs: &[("I", "A")],
        initial: &["-70 mV"],
        threshold: Some("V_m > V_th"),
        reset: Some("V_m = V_reset"),
        refractory: Some(("t_ref", &["V_m"])),
        ..Model::default()
    }
}

/// Ground truth C1: -1/tau_m (per second) silent, 0 tonic; the rate on the way is that of the closed form.
#[test]
fn integrate_and_fire_from_its_equations() {
    let of = |current: &'static str| {
        let scenario = lif().scenario(1e-4, 20_000, &[("I", current)]);
        run(&Lyapunov, &scenario, &Recording::default(), &[]).unwrap()
    };
    let silent = of("300 pA");
    near(metric(&silent, "p", "lambda_1").value.unwrap(), -100.0, 1e-6);
    assert!(silent.warnings.iter().any(|w| w.contains("silent")));
    let tonic = of("400 pA");
    // What is left is the growth within the period that was cut, over 2 s.
    near(metric(&tonic, "p", "lambda_1").value.unwrap(), 0.0, 1.6);
    // 33.6407 Hz in closed form (C2).
    near(metric(&tonic, "p", "rate").value.unwrap(), 33.6407, 0.6);
    assert_eq!(metric(&tonic, "p", "rate").unit, "Hz");
}

/// An adaptive exponential neuron: exponential spikes are survived, one exponent is 0, and the sum is the divergence.
#[test]
fn adex() {
    let model = Model {
        equations: "dV_m/dt = (g_L*(E_L - V_m) + g_L*Delta_T*exp((V_m - V_T)/Delta_T) - w + I)/C_m : V\ndw/dt = \
                    (a*(V_m - E_L) - w)/tau_w : A",
        parameters: &[
            ("C_m", "200 pF"),
            ("g_L", "10 nS"),
            ("E_L", "-70 mV"),
            ("V_T", "-50 mV"),
            ("Delta_T", "2 mV"),
            ("a", "2 nS"),
            ("tau_w", "30 ms"),
            ("b", "0 pA"),
            ("V_reset", "-58 mV"),
            ("V_peak", "0 mV"),
        ],
        inputs: &[("I", "A")],
        initial: &["-70 mV", "0 pA"],
        threshold: Some("V_m > V_peak"),
        reset: Some("V_m = V_reset; w += b"),
        ..Model::default()
    };
    let scenario = model.scenario(1e-4, 20_000, &[("I", "500 pA")]);
    let out = run(&Lyapunov, &scenario, &Recording::default(), &[]).unwrap();
    let value = |name: &str| metric(&out, "p", name).value.unwrap();
    near(value("lambda_1"), 0.0, 2.0);
    assert!(value("lambda_2") < -5.0);
    near(value("sum"), value("divergence"), 0.02 * value("divergence").abs());
    // Ground truth C3: last interval 9.5852 ms.
    near(value("rate"), 1000.0 / 9.5852, 1.2);
}

#[test]
fn what_cannot_be_done_is_said() {
    let scenario = lorenz().scenario(0.005, 1000, &[]);
    let error = run(&Lyapunov, &scenario, &Recording::default(), &[("unit", whole(3))]).unwrap_err();
    assert!(error.to_string().contains("unit 3 does not exist"), "{error}");
    let error = run(&Lyapunov, &scenario, &Recording::default(), &[("interval", number(100.0))]).unwrap_err();
    assert!(error.to_string().contains("duration"), "{error}");
    // Windows that would say nothing, or be others than those that were asked for.
    for (window, told) in [(100.0, "twice the window of"), (3.0, "twice the window of"), (0.01, "`interval` of")] {
        let error = run(&Lyapunov, &scenario, &Recording::default(), &[("window", number(window))]).unwrap_err();
        assert!(error.to_string().contains(told), "{window}: {error}");
    }
    let model =
        Model { equations: "dx/dt = x*x : 1", initial: &["1"], time_unit: TimeUnit::Dimensionless, ..Model::default() };
    let out = run(&Lyapunov, &model.scenario(0.01, 1000, &[]), &Recording::default(), &[]).unwrap();
    assert!(out.metrics[0].value.is_none() && out.metrics[0].note.contains("not finite"), "{:?}", out.metrics);
}

/// The outcome of the one analysis of a scenario of coupled units.
fn of_network(text: &str) -> Result<crate::Outcome, AnalysisError> {
    let catalog = spikedeck_scenario::Catalog { analyses: crate::declarations() };
    let library = spikedeck_model::library();
    let overrides = spikedeck_scenario::Overrides::default();
    let loaded = spikedeck_scenario::load(text, None, "s", &overrides, library, &catalog, &spikedeck_scenario::NoFiles);
    let (spec, _) = loaded.unwrap_or_else(|e| panic!("{e}"));
    crate::testing::run_spec(&Lyapunov, Some(&spec), &Recording::default(), &spec.analyses[0])
}

/// Units x' = -x + Σ w x of all others: one mode at -1 + (N - 1) w, all others at -1 - w. More of them than a block of
/// the orthonormalisation holds.
#[test]
fn a_linear_network_has_its_modes() {
    for n in [2_u32, 30] {
        let w = 0.5 / (f64::from(n) - 1.0);
        let text = format!(
            "[simulation]\nduration = 100\ndt = 0.05\n[models.unit]\ntime_unit = '1'\nequations = 'dx/dt = -x + I : \
             1'\ninputs = {{ I = '1' }}\ninitial = {{ x = 1 }}\n[populations.a]\nmodel = 'unit'\nsize = {n}\ninitial = \
             {{ x = {{ uniform = [0, 1] }} }}\n[projections.p]\nkind = 'continuous'\nfrom = 'a'\nto = 'a.I'\nconnect = \
             'all_to_all'\nvalue = 'w*x_pre'\nweight = {w}\n[analyses.l]\nkind = 'lyapunov'\nof = 'a'\ncoupled = \
             true\nexponents = {n}\n"
        );
        let out = of_network(&text).unwrap();
        let value = |name: &str| metric(&out, "a", name).value.unwrap();
        // Until the frame has turned into the modes its growth is theirs in part: of a finite time that part is left.
        near(value("lambda_1"), -0.5, 1e-3);
        for k in 2..=n {
            near(value(&format!("lambda_{k}")), -1.0 - w, 1e-3);
        }
        near(value("sum"), -f64::from(n), 1e-5);
        near(value("divergence"), -f64::from(n), 1e-9);
        assert_eq!(value("states"), f64::from(n));
    }
}

/// Two oscillators of one frequency lock: 0 along the motion, -2K across it.
#[test]
fn locked_oscillators_have_a_zero_and_a_negative_exponent() {
    let text = "[simulation]\nduration = 200\ndt = 0.05\n[populations.a]\nmodel = 'kuramoto_oscillator'\nsize = \
        2\ninitial = { theta = { values = [0, 1] } }\n[projections.k]\nkind = 'continuous'\nfrom = 'a'\nto = \
        'a.I'\nconnect = 'all_to_all'\nvalue = 'w*sin(theta_pre - theta_post)'\nweight = 0.1\n[analyses.l]\nkind = \
        'lyapunov'\nof = 'a'\ncoupled = true\n";
    let out = of_network(text).unwrap();
    near(metric(&out, "a", "lambda_1").value.unwrap(), 0.0, 1e-3);
    near(metric(&out, "a", "lambda_2").value.unwrap(), -0.2, 1e-3);
}

/// Two Lorenz systems joined strongly move as one: its exponents, and those of what is across them below.
#[test]
fn lorenz_systems_that_are_joined_synchronise() {
    let text = "[simulation]\nduration = 400\ndt = 0.005\n[models.l]\ntime_unit = '1'\nequations = '''\n\
        dx/dt = 10*(y - x) + I : 1\ndy/dt = x*(28 - z) - y : 1\ndz/dt = x*y - 8/3*z : 1\n'''\n\
        inputs = { I = '1' }\ninitial = { x = 1, y = 1, z = 20 }\n\
        [populations.a]\nmodel = 'l'\nsize = 2\ninitial = { x = { values = [1, 2] } }\n\
        [projections.p]\nkind = 'continuous'\nfrom = 'a'\nto = 'a.I'\nconnect = 'all_to_all'\n\
        value = 'w*(x_pre - x_post)'\nweight = 10\n\
        [analyses.l]\nkind = 'lyapunov'\nof = 'a'\ncoupled = true\n";
    let out = of_network(text).unwrap();
    let value = |name: &str| metric(&out, "a", name).value.unwrap();
    near(value("lambda_1"), 0.9056, 0.03);
    near(value("lambda_2"), 0.0, 0.01);
    assert!(value("lambda_3") < -0.1, "across: {}", value("lambda_3"));
    // Twice that of one, and what the coupling adds.
    near(value("divergence"), -82.0 / 3.0 - 20.0, 1e-9);
    near(value("sum"), -82.0 / 3.0 - 20.0, 0.01);
}

/// What cannot be had is refused before anything is computed; spiking units that are silent decay, and that is told.
#[test]
fn networks_are_refused_or_told_to_be_silent() {
    let text = |model: &str, more: &str| {
        format!(
            "[simulation]\nduration = '100 ms'\ndt = '0.1 ms'\n[populations.a]\nmodel = '{model}'\nsize = \
             2\n[analyses.l]\nkind = 'lyapunov'\nof = 'a'\ncoupled = true\n{more}"
        )
    };
    for (text, why) in [
        (text("hodgkin_huxley", "unit = 1"), "`unit` and `set` are about one unit"),
        (text("hodgkin_huxley", "scheme = 'map'"), "leave `scheme` out"),
    ] {
        let error = of_network(&text).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let silent = of_network(&text("lif", "")).unwrap();
    assert!(silent.warnings.iter().any(|w| w.contains("no unit spiked")), "{:?}", silent.warnings);
    // The membrane's time constant of 10 ms.
    near(metric(&silent, "a", "lambda_1").value.unwrap(), -100.0, 1e-2);
}

/// A cell of a grid by itself is not the grid, and at a rest that is unstable nothing makes entropy: both are told.
#[test]
fn a_cell_by_itself_and_an_unstable_rest_are_told() {
    let text = "[simulation]\nduration = 50\ndt = 0.02\n[models.f]\ntime_unit = \"1\"\nequations = \"\"\"\ndu/dt = \
        2*laplacian(u) + u - u**3 - w : 1\ndw/dt = 0.1*(u - w) : 1\n\"\"\"\n[populations.p]\nmodel = \"f\"\ngrid = { \
        shape = [32], spacing = 1.0 }\ninitial = { u = \"0.1*sin(i)\" }\n[analyses.a]\nkind = \"lyapunov\"\nof = \
        \"p\"\n";
    let out = of_network(text).unwrap();
    assert!(out.warnings.iter().any(|w| w.contains("between the cells of `p`")), "{:?}", out.warnings);
    assert!(out.warnings.iter().any(|w| w.contains("rests at a fixed point")), "{:?}", out.warnings);
    // (0.9 + sqrt(0.81 - 0))/2 of u' = u - w, w' = (u - w)/10.
    near(metric(&out, "p", "lambda_1").value.unwrap(), 0.9, 2e-3);
    for name in ["entropy_rate", "kaplan_yorke_dimension"] {
        let missing = metric(&out, "p", name);
        assert!(missing.value.is_none() && missing.note.contains("unstable"), "{missing:?}");
    }
}

/// A spike that comes later is another one where threshold, reset or rest depend on time, or the rest on states: that
/// is refused, and rests that depend on states are followed as a network of one.
#[test]
fn spikes_that_a_shift_changes_are_refused() {
    let text = |threshold: &str, reset: &str, rest: &str, more: &str| {
        format!(
            "[simulation]\nduration = 20\ndt = 0.01\n[models.m]\ntime_unit = \"1\"\n\
             equations = \"dx/dt = 1.5 - x - w : 1\\ndw/dt = -w/3 : 1\"\nthreshold = \"{threshold}\"\n\
             reset = \"{reset}\"\nrefractory = {{ time = \"{rest}\", hold = [\"x\"] }}\n\
             [populations.a]\nmodel = \"m\"\n[analyses.l]\nkind = \"lyapunov\"\nof = \"a\"\n\
             transient = 10\nduration = 400\n{more}"
        )
    };
    let plain = ("x > 1", "x = 0; w += 0.2", "0.1");
    assert!(of_network(&text(plain.0, plain.1, plain.2, "")).is_ok());
    for (threshold, reset, rest) in [
        ("x > 1 + 0.1*sin(t)", plain.1, plain.2),
        (plain.0, "x = 0.1*sin(t); w += 0.2", plain.2),
        (plain.0, plain.1, "0.1 + 0.1*sin(t)**2"),
        (plain.0, plain.1, "0.1*(1 + w)"),
    ] {
        let error = of_network(&text(threshold, reset, rest, "")).unwrap_err().to_string();
        assert!(error.contains("depends on"), "{error}");
    }
    // A cycle of 2.61952 from reset to reset (x in closed form, its crossing by bisection), whose return map of w has
    // the slope 0.291088; without what the rest owes to w it were 0.366634, and the exponent -0.383.
    let found = of_network(&text(plain.0, plain.1, "0.6*(1 + 3*w)", "coupled = true\n")).unwrap();
    near(metric(&found, "a", "lambda_1").value.unwrap(), 0.0, 1e-2);
    near(metric(&found, "a", "lambda_2").value.unwrap(), 0.291_088_f64.ln() / 2.619_52, 1e-2);
    near(metric(&found, "a", "rate").value.unwrap(), 1.0 / 2.619_52, 5e-3);
}
