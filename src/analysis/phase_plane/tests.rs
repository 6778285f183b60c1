use super::*;
use crate::Outcome;
use crate::equation_fixtures::{Model, run};
use crate::testing::metric;
use spikedeck_equation::TimeUnit;
use spikedeck_scenario::OptionValue;
use spikedeck_signal::{Recording, Trace, Window};

fn texts(list: &[&str]) -> OptionValue {
    OptionValue::Texts(list.iter().map(|s| (*s).to_owned()).collect())
}

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got} is not {want}");
}

fn portrait(outcome: &Outcome) -> &PhasePortrait {
    let Shape::Phase(p) = &outcome.shapes[0].shape else { panic!() };
    p
}

fn fhn() -> Model {
    Model {
        equations: "dv/dt = v - v**3/3 - w + I : 1\ndw/dt = eps*(v + a - b*w) : 1",
        parameters: &[("a", "0.7"), ("b", "0.8"), ("eps", "0.08")],
        inputs: &[("I", "1")],
        initial: &["-1", "-0.5"],
        time_unit: TimeUnit::Dimensionless,
        ..Model::default()
    }
}

/// FitzHugh-Nagumo: rest at I 0 (-1.1994080, -.6242600) stable; at I .5 unstable with a cycle round it; nullclines are
/// the cubic and the line.
#[test]
fn fitzhugh_nagumo() {
    let scenario = fhn().scenario(0.05, 4000, &[]);
    let out = run(&PhasePlane, &scenario, &Recording::default(), &[]).unwrap();
    let p = portrait(&out);
    assert_eq!(
        (p.fixed_points.len(), p.fixed_points[0].stability, p.fixed_points[0].spiral),
        (1, Stability::Stable, true)
    );
    near(metric(&out, "p", "rest_1.v").value.unwrap(), -1.199_408_0, 5e-8);
    near(metric(&out, "p", "rest_1.w").value.unwrap(), -0.624_260_0, 5e-8);
    let range = [("set", texts(&["I = 0.5"])), ("x_range", texts(&["-2.5", "2.5"])), ("y_range", texts(&["-1", "2"]))];
    let out = run(&PhasePlane, &scenario, &Recording::default(), &range).unwrap();
    let p = portrait(&out);
    assert_eq!(p.fixed_points[0].stability, Stability::Unstable);
    assert_eq!(p.nullclines.iter().map(|n| n.0.as_str()).collect::<Vec<_>>(), ["v nullcline", "w nullcline"]);
    let cubic = |v: f64| v - v.powi(3) / 3.0 + 0.5;
    assert!(p.nullclines[0].1.len() > 100 && p.nullclines[0].1.iter().all(|s| (s[1] - cubic(s[0])).abs() < 5e-3));
    assert!(p.nullclines[1].1.iter().all(|s| (0.8 * s[1] - s[0] - 0.7).abs() < 1e-9));
    assert_eq!(p.field.len(), 256);
    assert!(p.field.iter().all(|a| ((a[2] / 5.0).hypot(a[3] / 3.0) - 1.0).abs() < 1e-9));
    // The cycle: v swings beyond both knees.
    let (low, high) = p.trajectories[0].x.iter().fold((0.0_f64, 0.0_f64), |m, v| (m.0.min(*v), m.1.max(*v)));
    assert!(low < -1.6 && high > 1.6);
    // Hopf at I .3312813374547 (ground truth C7): the sign of the growth changes there.
    let growth = |current: &str| {
        let out = run(
            &PhasePlane,
            &scenario,
            &Recording::default(),
            &[("set", texts(&[current])), ("arrows", OptionValue::Integer(0))],
        )
        .unwrap();
        metric(&out, "p", "rest_1.growth").value.unwrap()
    };
    assert!(growth("I = 0.33128") < 0.0 && growth("I = 0.33129") > 0.0);
}

/// Morris-Lecar, the set with a saddle-node on a cycle: below I 39.963 three fixed points (stable, saddle, unstable),
/// above one unstable; units are carried (prior systems 3.3).
#[test]
fn morris_lecar() {
    let model = Model {
        equations: "dV_m/dt = (I - g_Ca*m*(V_m - E_Ca) - g_K*n*(V_m - E_K) - g_L*(V_m - E_L))/C_m : V\n\
                    m = 0.5*(1 + tanh((V_m - V_1)/V_2)) : 1\n\
                    dn/dt = phi*cosh((V_m - V_3)/(2*V_4))*(0.5*(1 + tanh((V_m - V_3)/V_4)) - n)/[1 ms] : 1",
        parameters: &[
            ("C_m", "20 uF/cm**2"),
            ("g_Ca", "4 mS/cm**2"),
            ("g_K", "8 mS/cm**2"),
            ("g_L", "2 mS/cm**2"),
            ("E_Ca", "120 mV"),
            ("E_K", "-84 mV"),
            ("E_L", "-60 mV"),
            ("V_1", "-1.2 mV"),
            ("V_2", "18 mV"),
            ("V_3", "12 mV"),
            ("V_4", "17.4 mV"),
            ("phi", "0.067"),
        ],
        inputs: &[("I", "A/m**2")],
        initial: &["-40 mV", "0"],
        ..Model::default()
    };
    let scenario = model.scenario(5e-5, 4000, &[]);
    let at = |current: &str| {
        let options = [
            ("set", texts(&[current])),
            ("x_range", texts(&["-70 mV", "50 mV"])),
            ("y_range", texts(&["-0.1", "0.7"])),
            ("resolution", OptionValue::Integer(61)),
        ];
        run(&PhasePlane, &scenario, &Recording::default(), &options).unwrap()
    };
    let below = at("I = 39.9 uA/cm**2");
    let mut kinds: Vec<Stability> = portrait(&below).fixed_points.iter().map(|f| f.stability).collect();
    kinds.sort_by_key(|k| *k as u8);
    assert_eq!(kinds, [Stability::Stable, Stability::Unstable, Stability::Saddle]);
    let above = at("I = 40.05 uA/cm**2");
    assert_eq!(portrait(&above).fixed_points.iter().map(|f| f.stability).collect::<Vec<_>>(), [Stability::Unstable]);
    assert_eq!((portrait(&above).x.unit.as_str(), portrait(&above).nullclines.len()), ("mV", 2));
}

/// Hodgkin-Huxley is a slice: said so; with `steady` the V nullcline is that of m and h following V.
#[test]
fn more_than_two_states() {
    let model = Model {
        equations: "dx/dt = y - x**3 + z : 1\ndy/dt = -x - y : 1\ndz/dt = (x**2 - z)/0.1 : 1",
        initial: &["0.5", "0.1", "0"],
        time_unit: TimeUnit::Dimensionless,
        ..Model::default()
    };
    let scenario = model.scenario(0.01, 2000, &[]);
    let options = [
        ("others", OptionValue::Text("steady".into())),
        ("x_range", texts(&["-1", "1"])),
        ("y_range", texts(&["-1.5", "1.5"])),
    ];
    let out = run(&PhasePlane, &scenario, &Recording::default(), &options).unwrap();
    assert!(out.warnings.iter().any(|w| w.contains("a slice through 3 states")), "{:?}", out.warnings);
    let lines = &portrait(&out).nullclines[0].1;
    assert!(!lines.is_empty() && lines.iter().all(|s| (s[1] - s[0].powi(3) + s[0] * s[0]).abs() < 5e-3));
}

#[test]
fn recorded_traces_win_and_wrong_names_are_told() {
    let scenario = fhn().scenario(0.05, 400, &[]);
    let trace = |variable: &str, values: Vec<f64>| Trace {
        population: "p".into(),
        variable: variable.into(),
        units: vec![0],
        interval: 1.0,
        values,
        ..Trace::default()
    };
    let recording = Recording {
        window: Window { start: -1.0, stop: 5.0 },
        traces: vec![trace("v", vec![0.0, 1.0, 2.0]), trace("w", vec![0.0, 0.5, 0.6])],
        ..Recording::default()
    };
    let out = run(&PhasePlane, &scenario, &recording, &[]).unwrap();
    assert_eq!(portrait(&out).trajectories[0].x, [0.0, 1.0, 2.0]);
    let error = run(&PhasePlane, &scenario, &recording, &[("x", OptionValue::Text("u".into()))]).unwrap_err();
    assert!(error.to_string().contains("no state `u`: there is v, w"), "{error}");
    let error = run(&PhasePlane, &scenario, &recording, &[("x_range", texts(&["3", "1"]))]).unwrap_err();
    assert!(error.to_string().contains("below the second"), "{error}");
}
