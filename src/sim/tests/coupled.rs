//! Networks as one system of equations.

use super::{Network, run, spec, trace};
use crate::BuildError;
use spikedeck_core::dynamics::Dynamics;
use spikedeck_core::lyapunov::{Settings, pulsed_spectrum};
use spikedeck_core::pulsed::PulsedTrajectory;
use spikedeck_core::trajectory::{Scheme, Trajectory};
use spikedeck_scenario::PopulationId;
use std::sync::atomic::AtomicBool;

/// Two populations of two states, coupled within and between: by a value of the source, by one of both ends, with and
/// without connections to itself.
fn text(projections: &str) -> String {
    format!(
        "[simulation]\nduration = 1.0\ndt = 0.02\nseed = 3\nintegrator = \"rk4\"\n[models.unit]\ntime_unit = \
         \"1\"\nequations = \"\"\"\ndx/dt = -x + y*s + k*I : 1\ndy/dt = s*sin(x) - y**3 + J : 1\nr = tanh(x - y) : \
         1\nq = x + I : 1\n\"\"\"\nparameters = {{ s = 0.5, k = 2.0 }}\ninputs = {{ I = \"1\", J = \"1\" }}\n\
         initial = {{ x = 0.0, y = 0.0 }}\n\
         [populations.a]\nmodel = \"unit\"\nsize = 3\nparameters = {{ s = {{ uniform = [0.2, 1.0] }} }}\n\
         initial = {{ x = {{ uniform = [-1, 1] }}, y = {{ uniform = [-1, 1] }} }}\n\
         [populations.b]\nmodel = \"unit\"\nsize = 2\ninitial = {{ x = {{ uniform = [-1, 1] }}, y = 0.3 }}\n\
         {projections}\
         [record.a]\ntraces = [{{ variables = [\"x\", \"y\"], interval = 1.0 }}]\n\
         [record.b]\ntraces = [{{ variables = [\"x\", \"y\"], interval = 1.0 }}]\n"
    )
}

fn projection(name: &str, ends: (&str, &str), value: &str, more: &str) -> String {
    format!(
        "[projections.{name}]\nkind = \"continuous\"\nfrom = \"{}\"\nto = \"{}\"\nvalue = \"{value}\"\nweight = {{ \
         uniform = [-1, 1] }}\ndelay = 0.0\n{more}\n",
        ends.0, ends.1
    )
}

fn networks() -> Vec<String> {
    let all = "connect = \"all_to_all\"";
    let own = "connect = { rule = \"all_to_all\", autapses = true }";
    let one = projection("one", ("a", "a.I"), "w*r_pre", all);
    let with_own = projection("own", ("a", "a.J"), "w*x_pre*y_pre", own);
    let pairs = projection("pairs", ("a", "b.I"), "w*sin(x_pre - x_post) + w**2*y_post", all);
    let back = projection("back", ("b", "a.I"), "w*max(r_pre, 0)*s_pre", all);
    let gap = projection("gap", ("b", "b.J"), "w*(x_pre - x_post)", all);
    let few = projection("few", ("a", "a.I"), "w*tanh(x_post)*r_pre", "connect = { rule = \"probability\", p = 0.6 }");
    let sets: [&[&String]; 8] = [
        &[],
        &[&one],
        &[&with_own],
        &[&pairs],
        &[&gap, &back],
        &[&few, &with_own],
        &[&one, &pairs, &back],
        &[&one, &with_own, &pairs, &back, &gap],
    ];
    sets.iter().map(|set| text(&set.iter().map(|p| p.as_str()).collect::<String>())).collect()
}

fn ids(spec: &spikedeck_scenario::Spec) -> Vec<PopulationId> {
    spec.population_ids().map(|p| p.0).collect()
}

/// The equations are those that are simulated: by the same scheme they go the same way.
#[test]
fn the_equations_are_those_that_are_simulated() {
    for text in networks() {
        let spec = spec(&text);
        let whole = Network::coupled(&spec, &ids(&spec), &AtomicBool::new(false)).unwrap();
        assert_eq!(whole.dimension(), 10);
        let mut trajectory = Trajectory::new(&whole, 0.0, whole.initial(), Vec::new(), 0.02);
        trajectory.advance(1.0).unwrap();
        let result = run(&text);
        let last = |p: &str, variable: &str, units: usize| {
            let values = trace(&result, p, variable);
            values[values.len() - units..].to_vec()
        };
        let (ax, ay, bx, by) = (last("a", "x", 3), last("a", "y", 3), last("b", "x", 2), last("b", "y", 2));
        let a = ax.iter().zip(&ay).flat_map(|(x, y)| [*x, *y]);
        let simulated: Vec<f64> = a.chain(bx.iter().zip(&by).flat_map(|(x, y)| [*x, *y])).collect();
        for (s, t) in simulated.iter().zip(&trajectory.x) {
            assert!((s - t).abs() < 1e-12, "{simulated:?} {:?}\n{text}", trajectory.x);
        }
    }
}

/// Tangents and the diagonal are those of the right side, as its differences say.
#[test]
fn tangents_are_the_differences_of_the_right_side() {
    for text in networks() {
        let spec = spec(&text);
        let whole = Network::coupled(&spec, &ids(&spec), &AtomicBool::new(false)).unwrap();
        let n = whole.dimension();
        let x: Vec<f64> = (0..n).map(|i| 0.7 * (1.3 * i as f64 + 0.2).sin()).collect();
        let mut jacobian = vec![0.0; n * n];
        whole.jacobian(0.0, &x, &mut jacobian);
        let at = |j: usize, h: f64| {
            let mut moved = x.clone();
            moved[j] += h;
            let mut out = vec![0.0; n];
            whole.rate(0.0, &moved, &mut out);
            out
        };
        for j in 0..n {
            let (up, down) = (at(j, 1e-5), at(j, -1e-5));
            for i in 0..n {
                let slope = (up[i] - down[i]) / 2e-5;
                assert!((jacobian[i * n + j] - slope).abs() < 1e-8, "{i} {j}: {} {slope}", jacobian[i * n + j]);
            }
        }
        let frame: Vec<f64> = (0..n * 3).map(|i| (0.9 * i as f64).cos()).collect();
        let (mut out, mut diagonal) = (vec![0.0; n * 3], vec![0.0; n]);
        whole.tangent(0.0, &x, (&frame, 3), &mut out, &mut diagonal, &mut Vec::new());
        for i in 0..n {
            assert!((diagonal[i] - jacobian[i * n + i]).abs() < 1e-13);
            for k in 0..3 {
                let wanted: f64 = (0..n).map(|j| jacobian[i * n + j] * frame[j * 3 + k]).sum();
                assert!((out[i * 3 + k] - wanted).abs() < 1e-12);
            }
        }
    }
}

/// What is not smooth is refused with its place.
#[test]
fn what_is_no_smooth_system_is_refused() {
    let late =
        projection("late", ("a", "a.I"), "w*r_pre", "connect = \"all_to_all\"").replace("delay = 0.0", "delay = 0.2");
    let driven = projection("driven", ("a", "a.I"), "w*q_pre", "connect = \"all_to_all\"");
    for (text, place, why) in [
        (text(&late), "projections.late", "delay"),
        (text(&driven), "populations.a", "depends on what arrives"),
        (
            "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"spike_source\"\nsize = 2\n\
             spikes = { kind = \"poisson\", rate = \"10 Hz\" }\n"
                .into(),
            "populations.a",
            "no equations",
        ),
    ] {
        let spec = spec(&text);
        let refused =
            Network::coupled(&spec, &ids(&spec), &AtomicBool::new(false)).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains(place) && refused.contains(why), "{refused}");
    }
}

/// A phase that is set back by a turn at a spike is a phase: oscillators of the library are a smooth system.
#[test]
fn phases_that_wrap_are_smooth() {
    let text = "[simulation]\nduration = 10.0\ndt = 0.01\n[populations.a]\nmodel = \"kuramoto_oscillator\"\nsize = 3\n\
        [projections.k]\nkind = \"continuous\"\nfrom = \"a\"\nto = \"a.I\"\nconnect = \"all_to_all\"\nweight = \
        0.1\nvalue = \"w*sin(theta_pre - theta_post)\"\n";
    let spec = spec(text);
    let whole = Network::coupled(&spec, &ids(&spec), &AtomicBool::new(false)).unwrap();
    assert!(
        whole.is_autonomous()
            && whole.connections() == 6
            && !Trajectory::new(&whole, 0.0, &[0.0; 3], vec![], 0.1).is_hybrid()
    );
}

/// Two units that inhibit each other 3 ms after their spikes, and rest 1 ms: in units of the way from reset to
/// threshold I = 1.5, w = −0.2, in those of the membrane's time d = 0.3 and r = 0.1, they fire together with the
/// period T = ln((I − w eᵈ⁻ʳ)/(I − 1)) + r, and of a difference 2I/(I − w eᵈ⁻ʳ) − 1 is left a turn later.
#[test]
fn spikes_are_a_pulsed_system() {
    let text = "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 2\n\
        parameters = { t_ref = \"1 ms\" }\ninitial = { V_m = { values = [\"-70 mV\", \"-69 mV\"] } }\n\
        receptors.r = { kind = \"delta\" }\n\
        [projections.k]\nfrom = \"a\"\nto = \"a.r\"\nconnect = \"all_to_all\"\nweight = \"-3 mV\"\ndelay = \"3 ms\"\n";
    let spec = spec(text);
    let mut whole = Network::coupled(&spec, &ids(&spec), &AtomicBool::new(false)).unwrap();
    assert!(whole.is_pulsed() && whole.is_delayed() && whole.connections() == 2);
    // 22.5 mV over 40 Mohm.
    (0..2).for_each(|unit| whole.drive(ids(&spec)[0], unit, 0, 0.0225 / 40e6));
    let settings = Settings {
        exponents: 2,
        transient: 0.5,
        duration: 20.0,
        step: 1e-4,
        scheme: Scheme::Flow,
        interval: 1e-3,
        batches: 20,
        window: Some(0.1),
    };
    let found = pulsed_spectrum(&whole, whole.initial(), settings, || true).unwrap();
    let grown = -0.2 * 0.2_f64.exp();
    let period = 0.01 * (((1.5 - grown) / 0.5_f64).ln() + 0.1);
    assert!((found.resets as f64 / found.time - 2.0 / period).abs() < 0.2, "{}", found.resets);
    assert!(found.exponents[0].abs() < 0.2, "{:?}", found.exponents);
    let wanted = (3.0 / (1.5 - grown) - 1.0).ln() / period;
    assert!((found.exponents[1] - wanted).abs() < 0.02 * wanted.abs(), "{:?} {wanted}", found.exponents);
    assert_eq!(found.windows.len(), 200);
    let refused = |given: Result<(), BuildError>| given.unwrap_err().to_string();
    assert!(refused(whole.afford(&spec, 1 << 40)).contains("vectors of"), "vectors are counted");
    assert!(whole.afford(&spec, 2).is_ok());
    let cancelled = Network::coupled(&spec, &ids(&spec), &AtomicBool::new(true)).map(|_| ());
    assert!(matches!(cancelled, Err(BuildError::Cancelled)));
}

/// Two states of a cell and one of its receptor that all matter for threshold, reset, rest and what pulses do.
const MIXED: &str = "[simulation]\nduration = 10.0\ndt = 0.05\nseed = 3\n[models.cell]\ntime_unit = \"1\"\n\
    equations = \"\"\"\ndx/dt = 1.5 - x - a + I : 1\nda/dt = -a/2 : 1\n\"\"\"\nthreshold = \"x + 0.2*a > 1\"\n\
    reset = \"x = 0.1*a; a += 0.2 + 0.1*x\"\nrefractory = { time = \"0.1*(1 + a)\", hold = [\"x\"] }\n\
    inputs = { I = \"1\" }\ninitial = { x = 0.0, a = 0.1 }\n\
    [receptors.r]\ntime_unit = \"1\"\nport = \"I\"\ngiven = { x = \"1\" }\n\
    equations = \"\"\"\nds/dt = -2*s : 1\nI = s : 1\n\"\"\"\non_event = \"s += w*(1 - s)*(1 + x)\"\n\
    [populations.a]\nmodel = \"cell\"\nsize = 3\n\
    initial = { x = { uniform = [0, 0.8] }, a = { uniform = [0, 0.3] } }\nreceptors.r = { kind = \"r\" }\n\
    [projections.k]\nfrom = \"a\"\nto = \"a.r\"\nconnect = \"all_to_all\"\n\
    weight = { uniform = [-0.3, 0.2] }\ndelay = { uniform = [0.1, 0.5] }\n";

/// Vectors of a network of spikes are what small differences become, where threshold, reset, rest and what a pulse does
/// depend on states.
#[test]
fn vectors_of_spiking_networks_are_small_differences() {
    let mut checked = 0;
    for seed in 0..12 {
        let spec = spec(&MIXED.replace("seed = 3", &format!("seed = {seed}")));
        let whole = Network::coupled(&spec, &ids(&spec), &AtomicBool::new(false)).unwrap();
        let n = whole.dimension();
        assert_eq!((n, whole.connections()), (9, 6));
        let frame: Vec<f64> = (0..n).map(|i| (1.7 * i as f64 + f64::from(seed)).sin()).collect();
        let fly = |by: f64| {
            let x: Vec<f64> = whole.initial().iter().zip(&frame).map(|(x, v)| by.mul_add(*v, *x)).collect();
            let mut trajectory = PulsedTrajectory::new(&whole, &x, frame.clone(), 0.02);
            trajectory.advance(5.0).unwrap();
            trajectory
        };
        let (small, middle) = (1e-7, fly(0.0));
        let (up, down) = (fly(small), fly(-small));
        assert!(middle.spikes > 5, "{}", middle.spikes);
        if up.spikes != middle.spikes || down.spikes != middle.spikes {
            continue;
        }
        for i in 0..n {
            let (slope, found) = ((up.x[i] - down.x[i]) / (2.0 * small), middle.frame()[i]);
            assert!((found - slope).abs() < 2e-4 * (1.0 + slope.abs()), "seed {seed}, {i}: {found} {slope}");
        }
        checked += 1;
    }
    assert!(checked > 9, "{checked}");
}

/// A shift of a spike in time would change more than the flow where what happens there depends on time by itself.
#[test]
fn spikes_that_depend_on_time_are_refused() {
    for (from, to, why) in [
        ("x + 0.2*a > 1", "x > 1 + 0.1*sin(t)", "threshold, reset or rest"),
        ("x = 0.1*a;", "x = 0.1*sin(t);", "threshold, reset or rest"),
        ("0.1*(1 + a)", "0.1*(1 + sin(t)**2)", "threshold, reset or rest"),
        ("s += w*(1 - s)", "s += w*(1 - sin(t))", "what its events do"),
    ] {
        let text = MIXED.replace(from, to);
        assert_ne!(text, MIXED);
        let spec = spec(&text);
        let refused = Network::coupled(&spec, &ids(&spec), &AtomicBool::new(false)).map(|_| ());
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("populations.a") && refused.contains(why) && refused.contains("time"), "{refused}");
    }
}

/// Connections are counted as what they take while they are sorted, and no more are walked than there is room for, or
/// than somebody waits for.
#[test]
fn connections_that_are_too_many_are_refused() {
    let text = |memory: &str| {
        MIXED.replace("size = 3", "size = 400").replace("seed = 3", &format!("seed = 3\nmemory = \"{memory}\""))
    };
    // 160 thousand connections of at least 56 bytes that lists double.
    let coupled = |memory: &str, cancel: bool| {
        let spec = spec(&text(memory));
        Network::coupled(&spec, &ids(&spec), &AtomicBool::new(cancel)).map(|whole| whole.connections())
    };
    assert_eq!(coupled("1 GB", false), Ok(159_600));
    let Err(BuildError::Memory { needed, allowed, .. }) = coupled("15 MB", false) else { panic!("it fits") };
    assert!(needed > allowed && needed < allowed + 1000, "{needed} {allowed}: the walk ends where there is no room");
    assert_eq!(coupled("1 GB", true), Err(BuildError::Cancelled));
}

/// A phase that is set back by a turn just goes on where nothing sees by how many turns; where something does, the
/// reset is a jump.
#[test]
fn turns_that_are_seen_are_jumps() {
    for (value, jumps) in [
        ("w*sin(theta_pre - theta_post)", false),
        ("w*sin(2*(theta_pre - theta_post) + 0.3)", false),
        ("w*(1 - cos(theta_pre))*cos(3*theta_post)", false),
        ("w*(theta_pre - theta_post)", true),
        ("w*sin(0.5*(theta_pre - theta_post))", true),
        ("w*theta_pre*sin(theta_post)", true),
        ("w*sin(theta_pre**2)", true),
    ] {
        let text = format!(
            "[simulation]\nduration = 10.0\ndt = 0.01\n[populations.a]\nmodel = \"kuramoto_oscillator\"\nsize = \
             3\n[projections.k]\nkind = \"continuous\"\nfrom = \"a\"\nto = \"a.I\"\nconnect = \
             \"all_to_all\"\nweight = 0.1\nvalue = \"{value}\"\n"
        );
        let spec = spec(&text);
        let whole = Network::coupled(&spec, &ids(&spec), &AtomicBool::new(false)).unwrap();
        assert_eq!(whole.is_pulsed(), jumps, "{value}");
    }
    // The same of the equations themselves, and of a reset that is no whole turn.
    for (rate, turn, jumps) in [
        ("1 + 0.5*cos(theta)", "6.283185307179586", false),
        ("1 + 0.1*theta", "6.283185307179586", true),
        ("1 + 0.5*cos(theta)", "3.141592653589793", true),
    ] {
        let text = format!(
            "[simulation]\nduration = 10.0\ndt = 0.01\n[models.m]\ntime_unit = \"1\"\ncircular = \
             [\"theta\"]\nequations = \"dtheta/dt = {rate} : 1\"\nthreshold = \"theta >= \
             6.283185307179586\"\nreset = \"theta = theta - {turn}\"\n[populations.a]\nmodel = \"m\"\nsize = 2\n"
        );
        let spec = spec(&text);
        let whole = Network::coupled(&spec, &ids(&spec), &AtomicBool::new(false)).unwrap();
        assert_eq!(whole.is_pulsed(), jumps, "{rate} {turn}");
    }
}
