use super::*;
use crate::Outcome;
use crate::equation_fixtures::{Model, fhn, number, run, whole, word, words};
use crate::testing::metric;
use spikedeck_signal::{CurveStyle, Recording, Series, Shape};

fn value(out: &Outcome, name: &str) -> f64 {
    metric(out, "p", name).value.unwrap_or_else(|| panic!("{name}: {out:?}"))
}

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got} is not {want}");
}

fn series<'o>(out: &'o Outcome, name: &str) -> &'o Series {
    let shape = &out.shapes.iter().find(|s| s.name == name).unwrap().shape;
    let Shape::Series(s) = shape else { panic!("{name}") };
    s
}

/// FitzHugh-Nagumo (ground truth C7): Hopf points at .3312813374547 and 1.4187186625453, both with ω .2755068 and, by
/// the symmetry of the cubic, the same coefficient; one branch of cycles joins them.
#[test]
fn fitzhugh_nagumo_over_its_current() {
    let scenario = fhn().scenario(0.1, 5000, &[("I", "0.5")]);
    let out = run(&Bifurcation, &scenario, &Recording::default(), &[("to", word("2"))]).unwrap();
    near(value(&out, "hopf_1"), 0.331_281_337_454_7, 1e-9);
    near(value(&out, "hopf_2"), 1.418_718_662_545_3, 1e-9);
    near(value(&out, "hopf_1.v"), -0.967_470_9, 1e-6);
    for k in 1..=2 {
        near(value(&out, &format!("hopf_{k}.frequency")), 0.275_506_8 / std::f64::consts::TAU, 1e-7);
    }
    let [first, second] = [1, 2].map(|k| value(&out, &format!("hopf_{k}.lyapunov_coefficient")));
    near(first, second, 1e-5 * first.abs());
    assert_eq!((value(&out, "branches"), value(&out, "cycle_branches")), (1.0, 1.0));
    // Relaxation cycles contract by more than numbers can tell from nothing.
    assert!(out.warnings.iter().all(|w| w.contains("not known whether they are stable")), "{:?}", out.warnings);
    // Rest is unstable between the Hopf points, and only there.
    let diagram = series(&out, "diagram");
    for c in diagram.curves.iter().filter(|c| c.name.ends_with("rest")) {
        for (x, _) in c.x.iter().zip(&c.y).filter(|(_, y)| y.is_finite()) {
            let inside = *x > 0.331_281 && *x < 1.418_719;
            let edge = (x - 0.331_281_337).abs() < 0.05 || (x - 1.418_718_66).abs() < 0.05;
            assert!(edge || inside == (c.style == CurveStyle::Theory), "{}: {x}", c.name);
        }
    }
    // Cycles swing beyond both knees in the middle of the range; the frequency at 1 is 1/36.6988.
    let cycles = diagram.curves.iter().find(|c| c.name == "stable cycles").unwrap();
    assert!(cycles.y.iter().any(|y| *y > 1.7) && cycles.y.iter().any(|y| *y < -1.7));
    let speed = series(&out, "frequency").curves.iter().find(|c| c.name == "stable cycles").unwrap();
    assert!(speed.x.iter().zip(&speed.y).any(|(x, y)| (x - 1.0).abs() < 0.06 && (y - 1.0 / 36.6988).abs() < 3e-4));
}

/// A parameter as well as an input, without cycles, and over a range in which nothing happens.
#[test]
fn parameters_are_varied_as_inputs_are() {
    let scenario = fhn().scenario(0.1, 5000, &[("I", "0")]);
    let options = [
        ("parameter", word("a")),
        ("from", word("-1")),
        ("to", word("1")),
        ("cycles", crate::equation_fixtures::Said::Toml("false".into())),
    ];
    let out = run(&Bifurcation, &scenario, &Recording::default(), &options).unwrap();
    // Rest is where w = v − v³/3 and v + a = b w: Hopf points where 1 − v² = eps b, at a = b(v − v³/3) − v.
    let v = (1.0_f64 - 0.064).sqrt();
    let a = v - 0.8 * (v - v.powi(3) / 3.0);
    near(value(&out, "hopf_1"), -a, 1e-9);
    near(value(&out, "hopf_2"), a, 1e-9);
    assert_eq!(value(&out, "cycle_branches"), 0.0);
    let quiet =
        run(&Bifurcation, &scenario, &Recording::default(), &[("from", word("-2")), ("to", word("0"))]).unwrap();
    assert!(quiet.summary.ends_with("nothing happens in the range"), "{}", quiet.summary);
    // Without a current there is no range to be had from it.
    let error = run(&Bifurcation, &scenario, &Recording::default(), &[]).unwrap_err();
    assert!(error.to_string().contains("give `from` and `to`"), "{error}");
    let error = run(&Bifurcation, &scenario, &Recording::default(), &[("parameter", word("c"))]).unwrap_err();
    assert!(error.to_string().contains("no parameter or input `c`"), "{error}");
    let error =
        run(&Bifurcation, &scenario, &Recording::default(), &[("from", word("2")), ("to", word("1"))]).unwrap_err();
    assert!(error.to_string().contains("not above"), "{error}");
}

/// Morris-Lecar with one of its published sets of parameters.
fn morris_lecar(set: &'static [(&'static str, &'static str)]) -> Model {
    Model {
        equations: "dV_m/dt = (I - g_Ca*m*(V_m - E_Ca) - g_K*w*(V_m - E_K) - g_L*(V_m - E_L))/C_m : V\n\
                    dw/dt = phi*(w_inf - w)*cosh((V_m - V3)/(2*V4)) : 1\n\
                    m = 0.5*(1 + tanh((V_m + [1.2 mV])/[18 mV])) : 1\n\
                    w_inf = 0.5*(1 + tanh((V_m - V3)/V4)) : 1",
        parameters: set,
        inputs: &[("I", "A/m**2")],
        initial: &["-60 mV", "0.015"],
        ..Model::default()
    }
}

const HOPF: &[(&str, &str)] = &[
    ("g_Ca", "4.4 mS/cm**2"),
    ("V3", "2 mV"),
    ("V4", "30 mV"),
    ("phi", "40 1/s"),
    ("C_m", "20 uF/cm**2"),
    ("g_K", "8 mS/cm**2"),
    ("g_L", "2 mS/cm**2"),
    ("E_Ca", "120 mV"),
    ("E_K", "-84 mV"),
    ("E_L", "-60 mV"),
];

const CIRCLE: &[(&str, &str)] = &[
    ("g_Ca", "4 mS/cm**2"),
    ("V3", "12 mV"),
    ("V4", "17.4 mV"),
    ("phi", "67 1/s"),
    ("C_m", "20 uF/cm**2"),
    ("g_K", "8 mS/cm**2"),
    ("g_L", "2 mS/cm**2"),
    ("E_Ca", "120 mV"),
    ("E_K", "-84 mV"),
    ("E_L", "-60 mV"),
];

/// Set `hopf`: Hopf points at 93.8576 and 212.0188, both subcritical, with folds of cycles outside (at 90 rest and a
/// cycle are both stable). Set `snlc`: a saddle-node at 39.963.
#[test]
fn morris_lecar_over_its_current() {
    let options = [("from", word("0 uA/cm**2")), ("to", word("250 uA/cm**2"))];
    let scenario = morris_lecar(HOPF).scenario(1e-4, 10_000, &[]);
    let out = run(&Bifurcation, &scenario, &Recording::default(), &options).unwrap();
    assert_eq!(metric(&out, "p", "hopf_1").unit, "uA/cm**2");
    near(value(&out, "hopf_1"), 93.8576, 1e-4);
    near(value(&out, "hopf_2"), 212.0188, 1e-4);
    for k in 1..=2 {
        assert!(value(&out, &format!("hopf_{k}.lyapunov_coefficient")) > 0.0, "both are subcritical");
    }
    let (first, second) = (value(&out, "cycle_fold_1"), value(&out, "cycle_fold_2"));
    assert!(first < 90.0 && first > 85.0 && second > 212.02 && second < 225.0, "{first} {second}");
    let scenario = morris_lecar(CIRCLE).scenario(1e-4, 10_000, &[]);
    let out = run(&Bifurcation, &scenario, &Recording::default(), &options).unwrap();
    assert!([1, 2].iter().any(|k| (value(&out, &format!("fold_{k}")) - 39.963).abs() < 1e-3), "{out:?}");
}

/// A leaky integrator rests up to I = (V_th − E_L)/R and fires beyond; over its threshold likewise.
#[test]
fn rest_ends_at_the_threshold() {
    let model = Model {
        equations: "dV_m/dt = (E_L - V_m + R_m*I)/tau_m : V",
        parameters: &[("tau_m", "10 ms"), ("E_L", "-70 mV"), ("R_m", "40 Mohm"), ("V_th", "-55 mV")],
        inputs: &[("I", "A")],
        initial: &["-70 mV"],
        threshold: Some("V_m > V_th"),
        reset: Some("V_m = E_L"),
        ..Model::default()
    };
    let scenario = model.scenario(1e-4, 2000, &[("I", "0.2 nA")]);
    let options = [("from", word("0 nA")), ("to", word("1 nA"))];
    let out = run(&Bifurcation, &scenario, &Recording::default(), &options).unwrap();
    near(value(&out, "threshold_1"), 375.0, 1e-6);
    near(value(&out, "threshold_1.V_m"), -55.0, 1e-6);
    assert!(out.summary.contains("rest reaches the threshold"), "{}", out.summary);
    for c in series(&out, "diagram").curves.iter().filter(|c| c.name.ends_with("rest")) {
        assert!(c.x.iter().all(|x| *x <= 375.0 + 1e-6), "{:?}", c.x);
    }
    let options = [("parameter", word("V_th")), ("from", word("-70 mV")), ("to", word("-40 mV"))];
    let out = run(&Bifurcation, &scenario, &Recording::default(), &options).unwrap();
    near(value(&out, "threshold_1"), -62.0, 1e-6);
}

/// AdEx (ground truth C3, Brette and Gerstner's parameters): the saddle-node at 627.3111 pA, the Hopf point at
/// 627.1825; spikes are jumps, and cycles are not looked for, which is said.
#[test]
fn adex_loses_its_rest_where_theory_says() {
    let model = Model {
        equations: "dV_m/dt = (I - g_L*(V_m - E_L) + g_L*D*exp((V_m - V_T)/D) - w)/C_m : V\n\
                    dw/dt = (a*(V_m - E_L) - w)/tau_w : A",
        parameters: &[
            ("C_m", "281 pF"),
            ("g_L", "30 nS"),
            ("E_L", "-70.6 mV"),
            ("V_T", "-50.4 mV"),
            ("D", "2 mV"),
            ("a", "4 nS"),
            ("tau_w", "144 ms"),
        ],
        inputs: &[("I", "A")],
        initial: &["-70.6 mV", "0 A"],
        threshold: Some("V_m > [0 mV]"),
        reset: Some("V_m = E_L; w += [80.5 pA]"),
        ..Model::default()
    };
    let scenario = model.scenario(1e-4, 5000, &[]);
    let options =
        [("from", word("0 pA")), ("to", word("800 pA")), ("resolution", whole(100)), ("longest", number(20.0))];
    let out = run(&Bifurcation, &scenario, &Recording::default(), &options).unwrap();
    near(value(&out, "fold_1"), 627.3111, 1e-3);
    near(value(&out, "hopf_1"), 627.1825, 1e-3);
    assert!(out.warnings.iter().any(|w| w.contains("jumps")), "{:?}", out.warnings);
    let set = run(&Bifurcation, &scenario, &Recording::default(), &[("set", words(&["I = 400 pA"]))]).unwrap();
    near(value(&set, "fold_1"), 627.3111, 1e-3);
}
