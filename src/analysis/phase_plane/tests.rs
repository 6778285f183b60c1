use super::*;
use crate::Outcome;
use crate::equation_fixtures::{Model, Said, fhn, number, run, whole, word, words};
use crate::testing::metric;
use spikedeck_equation::TimeUnit;
use spikedeck_signal::{Recording, Trace, Window};

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got} is not {want}");
}

fn portrait(outcome: &Outcome) -> &PhasePortrait {
    let Shape::Phase(p) = &outcome.shapes[0].shape else { panic!() };
    p
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
    let range = [("set", words(&["I = 0.5"])), ("x_range", words(&["-2.5", "2.5"])), ("y_range", words(&["-1", "2"]))];
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
        let out =
            run(&PhasePlane, &scenario, &Recording::default(), &[("set", words(&[current])), ("arrows", whole(0))])
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
            ("set", words(&[current])),
            ("x_range", words(&["-70 mV", "50 mV"])),
            ("y_range", words(&["-0.1", "0.7"])),
            ("resolution", whole(61)),
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
    let options = [("others", word("steady")), ("x_range", words(&["-1", "1"])), ("y_range", words(&["-1.5", "1.5"]))];
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
    let error = run(&PhasePlane, &scenario, &recording, &[("x", word("u"))]).unwrap_err();
    assert!(error.to_string().contains("there is no state `u`"), "{error}");
    let error = run(&PhasePlane, &scenario, &recording, &[("x_range", words(&["3", "1"]))]).unwrap_err();
    assert!(error.to_string().contains("below the second"), "{error}");
    let error = run(&PhasePlane, &scenario, &recording, &[("y", word("v"))]).unwrap_err();
    assert!(error.to_string().contains("the same state"), "{error}");
}

/// Jansen-Rit: the fixed points are the roots of v = y1(v) - y2(v) along the steady states, found here by bisection;
/// with p 0 there are three, of which the saddle lies at 4.568713 mV, and the turns along the border agree with every
/// count.
#[test]
fn jansen_rit_has_all_its_fixed_points() {
    let model = Model {
        equations: "dy0/dt = y3 : V\ndy1/dt = y4 : V\ndy2/dt = y5 : V\n\
                    dy3/dt = A*a*2*e0/(1 + exp(r*(v0 - y1 + y2))) - 2*a*y3 - a**2*y0 : V/s\n\
                    dy4/dt = A*a*(p + 0.8*C*2*e0/(1 + exp(r*(v0 - C*y0)))) - 2*a*y4 - a**2*y1 : V/s\n\
                    dy5/dt = B*b*0.25*C*2*e0/(1 + exp(r*(v0 - 0.25*C*y0))) - 2*b*y5 - b**2*y2 : V/s",
        parameters: &[
            ("A", "3.25 mV"),
            ("B", "22 mV"),
            ("a", "100 1/s"),
            ("b", "50 1/s"),
            ("C", "135"),
            ("e0", "2.5 Hz"),
            ("v0", "6 mV"),
            ("r", "0.56 1/mV"),
        ],
        inputs: &[("p", "Hz")],
        initial: &["0 mV", "0 mV", "0 mV", "0 mV/s", "0 mV/s", "0 mV/s"],
        ..Model::default()
    };
    let steady = |p: f64, v: f64| {
        let sigmoid = |u: f64| 5.0 / (1.0 + (0.56 * (6.0 - u)).exp());
        let y0 = 3.25 / 100.0 * sigmoid(v);
        let y1 = 3.25 / 100.0 * (p + 108.0 * sigmoid(135.0 * y0));
        let y2 = 22.0 / 50.0 * 33.75 * sigmoid(33.75 * y0);
        y1 - y2 - v
    };
    for p in [0.0, 30.0, 60.0, 89.0, 100.0, 113.0, 120.0, 200.0, 320.0] {
        let roots: Vec<f64> = (-4000..4000)
            .map(|k| (f64::from(k) * 0.005, f64::from(k + 1) * 0.005))
            .filter(|(low, high)| steady(p, *low) * steady(p, *high) <= 0.0)
            .map(|(mut low, mut high)| {
                for _ in 0..60 {
                    let middle = f64::midpoint(low, high);
                    if steady(p, low) * steady(p, middle) <= 0.0 { high = middle } else { low = middle }
                }
                low
            })
            .collect();
        let scenario = model.scenario(5e-4, 200, &[("p", &format!("{p} Hz"))]);
        let options = [
            ("x", word("y1")),
            ("y", word("y2")),
            ("x_range", words(&["0 mV", "60 mV"])),
            ("y_range", words(&["0 mV", "60 mV"])),
        ];
        let out = run(&PhasePlane, &scenario, &Recording::default(), &options).unwrap();
        let mut found: Vec<f64> = (1..=portrait(&out).fixed_points.len())
            .map(|i| {
                let state = |s: &str| metric(&out, "p", &format!("rest_{i}.{s}")).value.unwrap();
                state("y1") - state("y2")
            })
            .collect();
        found.sort_by(f64::total_cmp);
        assert_eq!(found.len(), roots.len(), "p {p}: {found:?} {roots:?}");
        found.iter().zip(&roots).for_each(|(f, r)| near(*f, *r, 1e-6));
        if p == 0.0 {
            near(found[1], 4.568_713, 1e-6);
            assert_eq!(found.len(), 3);
        }
        let note = &metric(&out, "p", "fixed_points").note;
        assert!(note.contains("border of the ranges agree"), "p {p}: {note}");
        assert!(!out.warnings.iter().any(|w| w.contains("add up")), "{:?}", out.warnings);
    }
}

/// Polynomial planes with as many fixed points as wanted, close together or far apart: all in the ranges are found.
#[test]
fn every_fixed_point_in_the_ranges_is_found() {
    let model = Model {
        equations: "dv/dt = (v - k1)*(v - k2)*(v - k3)*(v - k4) - w : 1\ndw/dt = -w : 1",
        parameters: &[("k1", "-1.9"), ("k2", "0.31"), ("k3", "0.36"), ("k4", "1.7")],
        initial: &["1.7", "0"],
        time_unit: TimeUnit::Dimensionless,
        ..Model::default()
    };
    let scenario = model.scenario(0.01, 10, &[]);
    let range = [("x_range", words(&["-2.5", "2.5"])), ("y_range", words(&["-1", "2"]))];
    let out = run(&PhasePlane, &scenario, &Recording::default(), &range).unwrap();
    let mut found: Vec<f64> = portrait(&out).fixed_points.iter().map(|r| r.x).collect();
    found.sort_by(f64::total_cmp);
    assert_eq!(found.len(), 4, "{found:?}");
    found.iter().zip([-1.9, 0.31, 0.36, 1.7]).for_each(|(f, k)| near(*f, k, 1e-9));
    assert!(metric(&out, "p", "fixed_points").note.contains("border of the ranges agree"));
}

/// x' = y, y' = x − x³ − 0.3 y: the separatrix of the saddle at 0 parts what comes to rest at 1 from what comes to −1.
#[test]
fn a_separatrix_parts_what_comes_to_rest_elsewhere() {
    let model = Model {
        equations: "dx/dt = y : 1\ndy/dt = x - x**3 - 0.3*y : 1",
        initial: &["0.5", "0"],
        time_unit: TimeUnit::Dimensionless,
        ..Model::default()
    };
    let range = [("x_range", words(&["-2", "2"])), ("y_range", words(&["-1.5", "1.5"]))];
    let out = run(&PhasePlane, &model.scenario(0.02, 5000, &[]), &Recording::default(), &range).unwrap();
    let lines = metric(&out, "p", "separatrices");
    assert_eq!((lines.value, lines.n), (Some(1.0), Some(1)));
    assert!(lines.note.contains("2 from outside the ranges"), "{}", lines.note);
    assert_eq!(metric(&out, "p", "cycles").value, Some(0.0));
    assert!(metric(&out, "p", "cycles").note.contains("every trajectory comes to rest or leaves"));
    let line = portrait(&out).trajectories.iter().find(|c| c.name == "separatrix").unwrap();
    let end = |mut p: [f64; 2]| {
        let f = |p: [f64; 2]| [p[1], p[0] - p[0].powi(3) - 0.3 * p[1]];
        for _ in 0..20_000 {
            let (a, h) = (f(p), 0.005);
            let b = f([p[0] + 0.5 * h * a[0], p[1] + 0.5 * h * a[1]]);
            p = [p[0] + h * b[0], p[1] + h * b[1]];
        }
        p[0]
    };
    let mut tried = 0;
    for k in (10..line.x.len() - 10).step_by(line.x.len() / 12) {
        let (dx, dy) = (line.x[k + 1] - line.x[k - 1], line.y[k + 1] - line.y[k - 1]);
        let length = dx.hypot(dy);
        let beside = |by: f64| [line.x[k] - by * dy / length, line.y[k] + by * dx / length];
        let (left, right) = (end(beside(1e-3)), end(beside(-1e-3)));
        assert!((left.abs() - 1.0).abs() < 1e-3 && (left + right).abs() < 1e-3, "{k}: {left} {right}");
        tried += 1;
    }
    assert!(tried > 8);
}

/// r' = r(r² − 1)(4 − r²)/20, θ' = 1: cycles of radius 2 (stable) and 1 (unstable), of period 2π, with multipliers
/// e^{−2.4π} and e^{0.6π}. FitzHugh-Nagumo at I 0.33 has a stable cycle of period 48.810 beside its stable rest, and
/// between them, since the Hopf point is subcritical, an unstable one.
#[test]
fn cycles_have_periods_amplitudes_and_multipliers() {
    let model = Model {
        equations: "dx/dt = 0.05*(x**2 + y**2 - 1)*(4 - x**2 - y**2)*x - y : 1\n\
                    dy/dt = 0.05*(x**2 + y**2 - 1)*(4 - x**2 - y**2)*y + x : 1",
        initial: &["2.5", "0"],
        time_unit: TimeUnit::Dimensionless,
        ..Model::default()
    };
    let range = [("x_range", words(&["-3", "3"])), ("y_range", words(&["-3", "3"]))];
    let out = run(&PhasePlane, &model.scenario(0.02, 4000, &[]), &Recording::default(), &range).unwrap();
    let of = |name: &str| metric(&out, "p", name).value.unwrap();
    assert_eq!(of("cycles"), 2.0);
    let pi = std::f64::consts::PI;
    for (i, radius, multiplier) in [(1, 2.0, (-2.4 * pi).exp()), (2, 1.0, (0.6 * pi).exp())] {
        near(of(&format!("cycle_{i}.period")), 2.0 * pi, 1e-6);
        near(of(&format!("cycle_{i}.frequency")), 0.5 / pi, 1e-7);
        near(of(&format!("cycle_{i}.amplitude.x")), 2.0 * radius, 1e-3);
        near(of(&format!("cycle_{i}.amplitude.y")), 2.0 * radius, 1e-3);
        near(of(&format!("cycle_{i}.multiplier")) / multiplier, 1.0, 1e-4);
    }
    let names: Vec<&str> = portrait(&out).trajectories.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["trajectory", "stable cycle", "unstable cycle"]);
    assert!(out.summary.contains("2 limit cycles, 1 stable"), "{}", out.summary);
    let range = [("set", words(&["I = 0.33"])), ("x_range", words(&["-2.5", "2.5"])), ("y_range", words(&["-1", "2"]))];
    let out = run(&PhasePlane, &fhn().scenario(0.05, 16_000, &[]), &Recording::default(), &range).unwrap();
    let of = |name: &str| metric(&out, "p", name).value.unwrap();
    assert_eq!((of("cycles"), of("fixed_points")), (2.0, 1.0));
    near(of("cycle_1.period"), 48.810, 2e-3);
    assert!(of("cycle_1.multiplier") < 1.0 && of("cycle_2.multiplier") > 1.0);
    assert!(of("cycle_2.amplitude.v") < of("cycle_1.amplitude.v"));
    let none = [
        ("set", words(&["I = 0"])),
        ("cycles", Said::Toml("false".into())),
        ("separatrices", Said::Toml("false".into())),
    ];
    let out = run(&PhasePlane, &fhn().scenario(0.05, 400, &[]), &Recording::default(), &none).unwrap();
    assert!(out.metrics.iter().all(|m| m.metric != "cycles" && m.metric != "separatrices"));
}

/// A third state in space: seen along x the second state lies to the right and the third up, in units of the box.
#[test]
fn three_states_are_seen_from_the_side() {
    let model = Model {
        equations: "dx/dt = -0.1*x : 1\ndy/dt = 1 - y : 1\ndz/dt = 2 - 2*z : 1",
        initial: &["1", "0", "0"],
        time_unit: TimeUnit::Dimensionless,
        ..Model::default()
    };
    let options = [("z", word("z")), ("azimuth", number(0.0)), ("elevation", number(0.0))];
    let scenario = model.scenario(0.01, 4000, &[]);
    let out = run(&PhasePlane, &scenario, &Recording::default(), &options).unwrap();
    let space = out.shapes.iter().find(|s| s.name == "space").unwrap();
    let Shape::Phase(p) = &space.shape else { panic!() };
    let path = &p.trajectories[0];
    for (k, x) in path.x.iter().enumerate() {
        // z = 1 − (1 − y)² along this trajectory.
        let (y, z) = (x + 0.5, path.y[k] + 0.5);
        near(z, 1.0 - (1.0 - y).powi(2), 1e-6);
    }
    assert_eq!(p.trajectories.len(), 4);
    assert!(p.trajectories[3].name.starts_with("z from 0 to 1"), "{}", p.trajectories[3].name);
    // The rest lies at the far end of the box.
    let rest = &p.fixed_points[0];
    assert!((rest.x - 0.5).abs() < 1e-6 && (rest.y - 0.5).abs() < 1e-6, "{rest:?}");
    let error = run(&PhasePlane, &scenario, &Recording::default(), &[("z", word("y"))]).unwrap_err();
    assert!(error.to_string().contains("same state"), "{error}");
}
