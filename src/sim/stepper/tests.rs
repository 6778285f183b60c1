//! The stepper against closed forms and stored numbers.

use super::*;
use samples::{adex, exp_conductance, source};
use spikedeck_core::units::Quantity;
use spikedeck_equation::{Declaration, Source, TimeUnit};
use spikedeck_scenario::{Integrator, SpikeTimes, VariableId};

#[path = "../../equation/samples.rs"]
mod samples;

pub(crate) fn si(text: &str) -> f64 {
    Quantity::parse(text).unwrap().value
}

pub(crate) struct Setup<'a> {
    pub system: System,
    pub parameters: &'a str,
    pub initial: &'a str,
    pub integrator: &'a str,
    pub dt: f64,
    pub lanes: usize,
}

fn named(list: &[spikedeck_equation::Variable], text: &str) -> Vec<UnitValues> {
    let given: Vec<(&str, f64)> = text
        .split(';')
        .filter(|t| !t.trim().is_empty())
        .map(|t| t.split_once('=').unwrap())
        .map(|(n, v)| (n.trim(), si(v.trim())))
        .collect();
    list.iter().map(|v| UnitValues::Shared(given.iter().find(|g| g.0 == v.name).map_or(0.0, |g| g.1))).collect()
}

impl Setup<'_> {
    pub(crate) fn stepper(&self) -> Stepper {
        self.try_stepper().unwrap()
    }

    pub(crate) fn try_stepper(&self) -> Result<Stepper, StepperError> {
        Stepper::new(StepperSpec {
            system: &self.system,
            integrator: Integrator::named(self.integrator).unwrap(),
            dt: self.dt,
            substeps: 1,
            parameters: named(self.system.parameters(), self.parameters),
            initial: named(self.system.states(), self.initial),
            first_unit: 0,
            lanes: self.lanes,
            seed: 1,
            entity: "populations.test",
            spike_times: SpikeTimes::Grid,
            noise_factor: 1.0,
            in_stages: false,
        })
    }

    /// Spike times of lane 0 in ms under a constant input.
    pub(crate) fn spikes(&self, input: f64, duration: f64) -> Vec<f64> {
        let mut s = self.stepper();
        let drive = vec![input; self.lanes];
        let mut out = Vec::new();
        let mut found = Vec::new();
        for step in 0..(duration / self.dt).round() as u64 {
            found.clear();
            s.advance(step, &[&drive], &mut [], &mut found);
            if found.first().is_some_and(|f| f.lane == 0) {
                out.push((step + 1) as f64 * self.dt * 1e3);
            }
            s.reset(step, &found);
        }
        out
    }
}

fn lif() -> Source {
    Source {
        threshold: Some("V_m >= V_th".to_owned()),
        reset: Some("V_m = V_reset".to_owned()),
        refractory_time: Some("t_ref".to_owned()),
        refractory_hold: vec!["V_m".to_owned()],
        ..source("dV_m/dt = (E_L - V_m)/tau_m + I/C_m : V", "tau_m:s C_m:F E_L:V V_th:V V_reset:V t_ref:s", "I:A")
    }
}

const NEST: &str = "tau_m=10 ms; C_m=250 pF; E_L=-70 mV; V_th=-55 mV; V_reset=-70 mV; t_ref=2 ms";

/// Intervals of NEST 3.10 `iaf_psc_exp` on its grid (ground-truth C2).
#[test]
fn lif_intervals_are_those_of_nest() {
    for (current, want, dt) in [
        ("400 pA", 29.8, 1e-4),
        ("500 pA", 15.9, 1e-4),
        ("1000 pA", 6.8, 1e-4),
        ("400 pA", 29.73, 1e-5),
        ("500 pA", 15.87, 1e-5),
        ("1000 pA", 6.71, 1e-5),
    ] {
        let setup = Setup {
            system: System::parse(&lif()).unwrap(),
            parameters: NEST,
            initial: "V_m=-70 mV",
            integrator: "auto",
            dt,
            lanes: 1,
        };
        let s = setup.spikes(si(current), 0.2);
        assert!((s[3] - s[2] - want).abs() < 1e-6, "{current}: {} {want}", s[3] - s[2]);
        assert_eq!(setup.stepper().integrator().0, Integrator::Exact);
    }
}

pub(crate) fn exp_current() -> Source {
    Source {
        on_event: Some("I_syn += w".to_owned()),
        ..source("dI_syn/dt = -I_syn/tau : A\nI = I_syn : A", "tau:s", "")
    }
}

/// Peak of the PSP of an exponential current (ground-truth C2).
#[test]
fn postsynaptic_potential_has_the_closed_form_peak() {
    let system = System::parse(&lif()).unwrap().carrying("ex", &System::parse(&exp_current()).unwrap()).unwrap();
    let parameters = format!("{NEST}; ex.tau=2 ms");
    let setup =
        Setup { system, parameters: &parameters, initial: "V_m=-70 mV", integrator: "auto", dt: 1e-6, lanes: 5 };
    let mut s = setup.stepper();
    let mut arriving = vec![0.0, 0.0, 100e-12, 0.0, 0.0];
    let (mut best, mut when) = (0.0, 0);
    for step in 0..6000 {
        s.advance(step, &[], &mut [&mut arriving], &mut Vec::new());
        assert_eq!(arriving, [0.0; 5]);
        let v = s.state(0)[2] + 0.070;
        if v > best {
            (best, when) = (v, step);
        }
        assert_eq!(s.state(0)[1], -0.070);
    }
    assert!((best * 1e3 - 0.534_992_24).abs() < 1e-7, "{best}");
    assert!((when as f64 * 1e-3 - 4.023_594_78).abs() < 2e-3, "{when}");
}

fn hodgkin_huxley() -> Source {
    let equations = "dV_m/dt = (g_Na*m**3*h*(E_Na - V_m) + g_K*n**4*(E_K - V_m) + g_L*(E_L - V_m) + I)/C_m : V
u = V_m/[1 mV] : 1
alpha_m = [1 1/ms]/exprel(-(u + 40)/10) : Hz
beta_m = [4 1/ms]*exp(-(u + 65)/18) : Hz
alpha_h = [0.07 1/ms]*exp(-(u + 65)/20) : Hz
beta_h = [1 1/ms]*sigmoid((u + 35)/10) : Hz
alpha_n = [0.1 1/ms]/exprel(-(u + 55)/10) : Hz
beta_n = [0.125 1/ms]*exp(-(u + 65)/80) : Hz
dm/dt = alpha_m*(1 - m) - beta_m*m : 1
dh/dt = alpha_h*(1 - h) - beta_h*h : 1
dn/dt = alpha_n*(1 - n) - beta_n*n : 1";
    Source {
        threshold: Some("V_m > [0 mV]".to_owned()),
        ..source(equations, "C_m:F/m**2 g_Na:S/m**2 g_K:S/m**2 g_L:S/m**2 E_Na:V E_K:V E_L:V", "I:A/m**2")
    }
}

const SQUID: &str =
    "C_m=1 uF/cm**2; g_Na=120 mS/cm**2; g_K=36 mS/cm**2; g_L=0.3 mS/cm**2; E_Na=50 mV; E_K=-77 mV; E_L=-54.387 mV";
const SQUID_REST: &str = "V_m=-64.99638 mV; m=0.052955; h=0.595994; n=0.317732";

/// Repetitive rates of the squid axon (ground-truth C4).
#[test]
fn hodgkin_huxley_fires_at_the_published_rates() {
    let system = System::parse(&hodgkin_huxley()).unwrap();
    for (integrator, current, want, within) in [
        ("auto", "10 uA/cm**2", 68.324, 0.01),
        ("auto", "7 uA/cm**2", 58.327, 0.01),
        ("rosenbrock", "10 uA/cm**2", 68.324, 0.03),
        ("exponential_euler", "10 uA/cm**2", 68.324, 0.4),
    ] {
        let setup =
            Setup { system: system.clone(), parameters: SQUID, initial: SQUID_REST, integrator, dt: 1e-5, lanes: 1 };
        let s = setup.spikes(si(current), 1.0);
        let n = s.len();
        let rate = 1e3 * 10.0 / (s[n - 1] - s[n - 11]);
        assert!((rate - want).abs() < within, "{integrator} {current}: {rate}");
    }
}

/// Firing patterns, event-located with tolerance 1e-11 (ground-truth C3), here on a grid of 2 us.
#[test]
fn adex_patterns_have_the_reference_spike_times() {
    let system = System::parse(&adex()).unwrap();
    let base = "V_T=-50 mV; Delta_T=2 mV; V_peak=0 mV";
    for (own, start, current, count, first) in [
        (
            "C_m=200 pF; g_L=10 nS; E_L=-70 mV; a=2 nS; tau_w=30 ms; b=0 pA; V_reset=-58 mV",
            "-70 mV",
            "500 pA",
            51,
            [14.2229, 23.1518, 32.2421],
        ),
        (
            "C_m=200 pF; g_L=12 nS; E_L=-70 mV; a=2 nS; tau_w=300 ms; b=60 pA; V_reset=-58 mV",
            "-70 mV",
            "500 pA",
            10,
            [14.9040, 26.1718, 40.5479],
        ),
        (
            "C_m=200 pF; g_L=10 nS; E_L=-58 mV; a=2 nS; tau_w=120 ms; b=100 pA; V_reset=-46 mV",
            "-58 mV",
            "210 pA",
            9,
            [16.1580, 19.0756, 24.1984],
        ),
        (
            "C_m=200 pF; g_L=12 nS; E_L=-70 mV; a=-10 nS; tau_w=300 ms; b=0 pA; V_reset=-58 mV",
            "-70 mV",
            "300 pA",
            36,
            [33.5737, 54.1675, 73.2470],
        ),
    ] {
        let (parameters, initial) = (format!("{base}; {own}"), format!("V_m={start}"));
        for (integrator, dt, within) in [("auto", 2e-6, 0.015), ("rk45", 1e-4, 0.35)] {
            let setup =
                Setup { system: system.clone(), parameters: &parameters, initial: &initial, integrator, dt, lanes: 1 };
            let s = setup.spikes(si(current), 0.5);
            assert_eq!(s.len(), count, "{integrator} {own}");
            for (got, want) in s.iter().zip(first) {
                assert!((got - want).abs() < within, "{integrator} {own}: {got} {want}");
            }
        }
    }
}

fn izhikevich() -> Source {
    Source {
        time_unit: TimeUnit::Millisecond,
        threshold: Some("v >= 30".to_owned()),
        reset: Some("v = c; u += d".to_owned()),
        ..source("dv/dt = 0.04*v**2 + 5*v + 140 - u + I : 1\ndu/dt = a*(b*v - u) : 1", "a:1 b:1 c:1 d:1", "I:1")
    }
}

/// Spike counts in 1 s at I = 10 and steps of 0.1 ms (prior-systems 3.3).
#[test]
fn izhikevich_counts() {
    let system = System::parse(&izhikevich()).unwrap();
    for (parameters, count) in [
        ("a=0.02; b=0.2; c=-65; d=8", 23),
        ("a=0.02; b=0.2; c=-55; d=4", 34),
        ("a=0.02; b=0.2; c=-50; d=2", 87),
        ("a=0.1; b=0.2; c=-65; d=2", 130),
    ] {
        let b = si(parameters.split("b=").nth(1).unwrap().split(';').next().unwrap());
        let initial = format!("v=-65; u={}", -65.0 * b);
        let setup =
            Setup { system: system.clone(), parameters, initial: &initial, integrator: "euler", dt: 1e-4, lanes: 1 };
        let s = setup.spikes(10.0, 1.0);
        // The reference counts fast spiking to the last step; one spike stands at the edge.
        assert!(s.len().abs_diff(count) <= usize::from(count == 130), "{parameters}: {}", s.len());
        if count == 23 {
            assert!((s[0] - 3.13).abs() < 0.3, "{}", s[0]);
        }
    }
}

#[test]
fn conductances_are_frozen_over_the_step_and_held_potentials_ignore_events() {
    let system = System::parse(&lif()).unwrap().carrying("ampa", &System::parse(&exp_conductance()).unwrap()).unwrap();
    let parameters = format!("{NEST}; ampa.tau=5 ms; ampa.E_rev=0 mV");
    let setup = Setup {
        system,
        parameters: &parameters,
        initial: "V_m=-70 mV; ampa.g=3 nS",
        integrator: "auto",
        dt: 1e-4,
        lanes: 1,
    };
    let mut s = setup.stepper();
    assert_eq!(s.integrator().0, Integrator::Exact);
    let (mut v, mut g): (f64, f64) = (-0.070, 3e-9);
    for step in 0..100 {
        s.advance(step, &[], &mut [], &mut Vec::new());
        let total = 250e-12 / 10e-3 + g;
        let end = (250e-12 / 10e-3 * -0.070) / total;
        v = end + (v - end) * (-1e-4 * total / 250e-12).exp();
        g *= (-1e-4f64 / 5e-3).exp();
        assert!((s.state(0)[0] - v).abs() < 1e-15 && (s.state(1)[0] - g).abs() < 1e-22, "{step}");
    }
    let mut probe = s.probe(VariableId::named(&setup.system, "ampa.I").unwrap().0);
    let mut out = Vec::new();
    s.sample(&mut probe, 100, &[], &[0], &mut out);
    assert!((out[0] - g * (0.0 - v)).abs() < 1e-20);
}

/// A condition that names an input holds on by that input: one spike for each time it becomes true.
#[test]
fn a_threshold_with_an_input_fires_once_a_crossing() {
    let oscillator = Source {
        time_unit: TimeUnit::Dimensionless,
        threshold: Some("x + I > 1.2".to_owned()),
        ..source("dx/dt = 6.283185307179586*y : 1\ndy/dt = -6.283185307179586*x : 1", "", "I:1")
    };
    let setup = Setup {
        system: System::parse(&oscillator).unwrap(),
        parameters: "",
        initial: "x=0; y=1",
        integrator: "rk4",
        dt: 0.001,
        lanes: 1,
    };
    assert_eq!(setup.spikes(0.4, 5.0).len(), 5, "x exceeds 0.8 once in each of five cycles");
    assert!(setup.spikes(0.1, 5.0).is_empty());
}

fn fitzhugh() -> Source {
    Source {
        time_unit: TimeUnit::Dimensionless,
        ..source("dx/dt = x - x**3/3 - y + I + 0.2*sin(t) : 1\ndy/dt = 0.08*(x + 0.7 - 0.8*y) : 1", "", "I:1")
    }
}

/// Error at the end halves with the step as often as the order says.
#[test]
fn integrators_have_their_orders() {
    let system = System::parse(&fitzhugh()).unwrap();
    let end = |integrator: &str, dt: f64| {
        let setup = Setup { system: system.clone(), parameters: "", initial: "x=-1; y=-0.5", integrator, dt, lanes: 1 };
        let mut s = setup.stepper();
        for step in 0..(8.0 / dt).round() as u64 {
            s.advance(step, &[&[0.6]], &mut [], &mut Vec::new());
        }
        (s.state(0)[0], s.state(1)[0])
    };
    let truth = end("rk4", 1.0 / 1024.0);
    for (name, order, dt) in [
        ("euler", 1.0, 1.0 / 128.0),
        ("euler_sequential", 1.0, 1.0 / 128.0),
        ("exponential_euler", 1.0, 1.0 / 128.0),
        ("heun", 2.0, 1.0 / 64.0),
        ("rosenbrock", 2.0, 1.0 / 64.0),
        ("rk4", 4.0, 1.0 / 16.0),
    ] {
        let error = |dt: f64| (end(name, dt).0 - truth.0).hypot(end(name, dt).1 - truth.1);
        let (coarse, fine) = (error(dt), error(dt / 2.0));
        let got = (coarse / fine).log2();
        assert!((got - order).abs() < 0.25, "{name}: order {got}, errors {coarse:e} {fine:e}");
    }
    let adaptive = end("rk45", 0.5);
    assert!((adaptive.0 - truth.0).abs() < 1e-7, "{adaptive:?} {truth:?}");
}

/// Moments of the Ornstein-Uhlenbeck process and of geometric Brownian motion in both senses.
#[test]
fn noise_has_the_right_moments() {
    let run = |equation: &str, integrator: &str, parameters: &str, initial: &str, steps: u64| {
        let system = System::parse(&source(equation, "tau:s s:1 mu:Hz", "")).unwrap();
        let setup = Setup { system, parameters, initial, integrator, dt: 1e-3, lanes: 8192 };
        let mut s = setup.stepper();
        for step in 0..steps {
            s.advance(step, &[], &mut [], &mut Vec::new());
        }
        let x = s.state(0);
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        (mean, x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / x.len() as f64)
    };
    let ou = "dx/dt = -x/tau + s*sqrt(2/tau)*xi : 1";
    // The discrete chain has variance s² / (1 - h/(2 tau)).
    let (mean, variance) = run(ou, "auto", "tau=20 ms; s=2", "x=0", 300);
    assert!(mean.abs() < 4.0 * 2.0 / 8192f64.sqrt(), "{mean}");
    assert!((variance / (4.0 / (1.0 - 0.025)) - 1.0).abs() < 4.0 * (2.0f64 / 8192.0).sqrt(), "{variance}");
    let brownian = "dx/dt = mu*x + s*sqrt(mu)*x*xi : 1";
    // mu t = 1, s = 0.3: E x = e in the sense of Itô, e^(1 + s²/2) in that of Stratonovich.
    for (name, want) in [("euler_maruyama", 1f64), ("milstein", 1.0), ("heun_stratonovich", 1.045)] {
        let (mean, variance) = run(brownian, name, "mu=10 Hz; s=0.3", "x=1", 100);
        let bias = 0.006 * want.exp();
        assert!((mean - want.exp()).abs() < 4.0 * (variance / 8192.0).sqrt() + bias, "{name}: {mean} {}", want.exp());
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let system = System::parse(&lif()).unwrap();
    let with = |integrator: &str, dt: f64| {
        Setup { system: system.clone(), parameters: NEST, initial: "V_m=-70 mV", integrator, dt, lanes: 1 }
            .try_stepper()
            .err()
            .map(|e| e.message)
    };
    assert!(with("euler", 25e-3).unwrap().contains("not stable"));
    assert!(with("euler", 25e-3).unwrap().contains("2.0000e-2 s"));
    assert!(with("euler", 1e-3).is_none());
    let noisy = System::parse(&source("dx/dt = -x/tau + sqrt(2/tau)*xi : 1", "tau:s", "")).unwrap();
    let refused = Setup { system: noisy, parameters: "tau=1 ms", initial: "", integrator: "rk4", dt: 1e-4, lanes: 1 }
        .try_stepper();
    assert!(refused.unwrap_err().message.contains("xi"));
}

/// Splitting a population over steppers changes no bit.
#[test]
fn bits_do_not_depend_on_how_units_are_split() {
    let system = System::parse(&Source {
        threshold: Some("V_m > V_th".to_owned()),
        reset: Some("V_m = V_reset".to_owned()),
        refractory_time: Some("t_ref".to_owned()),
        refractory_hold: vec!["V_m".to_owned()],
        ..source(
            "dV_m/dt = (E_L - V_m + a*w)/tau_m + s*sqrt(2/tau_m)*xi : V\ndw/dt = (tanh(V_m/s) - w)/tau_w : 1",
            "tau_m:s tau_w:s a:V s:V E_L:V V_th:V V_reset:V t_ref:s",
            "",
        )
    })
    .unwrap();
    let run = |first: u32, lanes: usize| {
        let part = |i: u32| -0.05 + f64::from(i % 7) * 1e-3;
        let mut parameters = named(
            system.parameters(),
            "tau_m=10 ms; tau_w=30 ms; a=3 mV; s=4 mV; E_L=-52 mV; V_th=-50 mV; V_reset=-60 mV; t_ref=2 ms",
        );
        parameters[4] = UnitValues::Each((0..lanes as u32).map(|l| part(first + l)).collect());
        let mut s = Stepper::new(StepperSpec {
            system: &system,
            integrator: Integrator::EulerMaruyama,
            dt: 1e-4,
            substeps: 2,
            parameters,
            initial: vec![UnitValues::Shared(-0.06), UnitValues::Shared(0.1)],
            first_unit: first,
            lanes,
            seed: 3,
            entity: "populations.x",
            spike_times: SpikeTimes::Interpolated,
            noise_factor: 1.0,
            in_stages: false,
        })
        .unwrap();
        let mut all = Vec::new();
        let mut found = Vec::new();
        for step in 0..400 {
            found.clear();
            s.advance(step, &[], &mut [], &mut found);
            all.extend(found.iter().map(|f| (first + f.lane, step, f.fraction.to_bits())));
            s.reset(step, &found);
        }
        let bits: Vec<(u64, u64)> =
            s.state(0).iter().zip(s.state(1)).map(|(a, b)| (a.to_bits(), b.to_bits())).collect();
        (bits, all)
    };
    let (whole, mut spikes) = run(0, 301);
    assert!(spikes.len() > 300, "{}", spikes.len());
    let parts = [run(0, 1), run(1, 3), run(4, 99), run(103, 198)];
    let joined: Vec<(u64, u64)> = parts.iter().flat_map(|p| p.0.clone()).collect();
    let mut split: Vec<_> = parts.iter().flat_map(|p| p.1.clone()).collect();
    split.sort_unstable();
    spikes.sort_unstable();
    assert_eq!(whole, joined);
    assert_eq!(spikes, split);
}

/// The short programs of few lanes and the long ones of many: the same bits for what both make single operations of.
#[test]
fn a_few_lanes_have_the_bits_of_many() {
    let equations = "dx/dt = (y - z)/tau - x/tau + I/tau : 1
dy/dt = (a/(1 + exp(b*(c - x))) - 2*y - 0.3*z - 0.1*x)/tau : 1
dz/dt = (where(x > y, a, c)*abs(x) + min(y, z)**2 - z + tanh(x)/(1 + exp(y)) + b/exprel(x - y))/tau : 1";
    let system = System::parse(&source(equations, "tau:s a:1 b:1 c:1", "I:1")).unwrap();
    for integrator in ["euler", "euler_sequential", "heun", "rk4", "exponential_euler"] {
        let end = |lanes: usize| {
            let (parameters, initial) = ("tau=10 ms; a=1.5; b=-0.7; c=0.4", "x=0.3; y=-0.2; z=0.7");
            let setup = Setup { system: system.clone(), parameters, initial, integrator, dt: 5e-4, lanes };
            let mut s = setup.stepper();
            let row = vec![0.25; lanes];
            for step in 0..300 {
                s.advance(step, &[&row], &mut [], &mut Vec::new());
            }
            (0..lanes).map(|l| [0, 1, 2].map(|i| s.state(i)[l].to_bits())).collect::<Vec<_>>()
        };
        let many = end(40);
        assert!(
            many[0].iter().all(|&b| f64::from_bits(b).is_finite() && f64::from_bits(b).abs() > 1e-3),
            "{integrator}"
        );
        for lanes in 1..5 {
            assert!(end(lanes).iter().all(|l| *l == many[39]), "{integrator}, {lanes} lanes");
        }
    }
}
