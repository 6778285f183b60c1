use super::*;

/// A system from closures.
struct Smooth<F, J> {
    n: usize,
    f: F,
    j: J,
}

impl<F: Fn(&[f64], &mut [f64]), J: Fn(&[f64], &mut [f64])> Dynamics for Smooth<F, J> {
    fn dimension(&self) -> usize {
        self.n
    }
    fn rate(&self, _t: f64, x: &[f64], out: &mut [f64]) {
        (self.f)(x, out);
    }
    fn jacobian(&self, _t: f64, x: &[f64], out: &mut [f64]) {
        (self.j)(x, out);
    }
}

fn lorenz(rho: f64) -> impl Dynamics {
    Smooth {
        n: 3,
        f: move |x: &[f64], o: &mut [f64]| {
            o.copy_from_slice(&[10.0 * (x[1] - x[0]), x[0] * (rho - x[2]) - x[1], x[0] * x[1] - 8.0 / 3.0 * x[2]]);
        },
        j: move |x: &[f64], o: &mut [f64]| {
            o.copy_from_slice(&[-10.0, 10.0, 0.0, rho - x[2], -1.0, -x[0], x[1], x[0], -8.0 / 3.0]);
        },
    }
}

fn settings(exponents: usize, transient: f64, duration: f64, step: f64, interval: f64) -> Settings {
    Settings { exponents, transient, duration, step, scheme: Scheme::Flow, interval, batches: 20, window: None }
}

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got} is not {want} to {tolerance}");
}

/// Ground truth C1: .9055, 0, -14.5721; their sum is the trace exactly; dimension 2.0621. The interval holds the truth.
#[test]
fn lorenz_in_chaos() {
    let s = spectrum(&lorenz(28.0), &[1.0, 1.0, 20.0], settings(3, 50.0, 4000.0, 0.005, 0.1), || true).unwrap();
    near(s.exponents[0], 0.9055, 0.012);
    near(s.exponents[1], 0.0, 0.002);
    near(s.exponents[2], -14.5721, 0.012);
    near(s.exponents.iter().sum(), -41.0 / 3.0, 1e-4);
    near(s.divergence.unwrap(), -41.0 / 3.0, 1e-9);
    near(kaplan_yorke(&s.exponents, 3).unwrap(), 2.0621, 0.001);
    assert!(s.half_width[0] > 0.002 && s.half_width[0] < 0.03, "{:?}", s.half_width);
    assert!((s.exponents[0] - 0.9055).abs() < 1.6 * s.half_width[0], "{s:?}");
    assert_eq!(s.curve.len(), 400);
}

/// Lorenz at rho 20 rests: eigenvalues of its fixed point (7.118052, 7.118052, 19), exactly -.154792 (twice),
/// -13.357083.
#[test]
fn lorenz_at_rest() {
    let s = spectrum(&lorenz(20.0), &[1.0, 1.0, 1.0], settings(3, 300.0, 2000.0, 0.002, 0.1), || true).unwrap();
    near(s.state[2], 19.0, 1e-9);
    let mut j = vec![0.0; 9];
    lorenz(20.0).jacobian(0.0, &s.state, &mut j);
    let exact = crate::linear::eigenvalues(&j, 3).unwrap();
    near(exact[0].0, -0.154_792, 1e-6);
    near(exact[2].0, -13.357_083, 1e-6);
    near(f64::midpoint(s.exponents[0], s.exponents[1]), exact[0].0, 1e-6);
    // Each of a rotating pair alone wobbles by less than one turn over the whole time.
    near(s.exponents[0], exact[0].0, 5e-4);
    near(s.exponents[2], exact[2].0, 1e-4);
}

/// Ground truth C1: .0706, 0, -5.3937.
#[test]
fn roessler() {
    let system = Smooth {
        n: 3,
        f: |x: &[f64], o: &mut [f64]| o.copy_from_slice(&[-x[1] - x[2], x[0] + 0.2 * x[1], 0.2 + x[2] * (x[0] - 5.7)]),
        j: |x: &[f64], o: &mut [f64]| o.copy_from_slice(&[0.0, -1.0, -1.0, 1.0, 0.2, 0.0, x[2], 0.0, x[0] - 5.7]),
    };
    let s = spectrum(&system, &[1.0, 1.0, 0.0], settings(3, 200.0, 10_000.0, 0.02, 0.5), || true).unwrap();
    near(s.exponents[0], 0.0706, 0.004);
    near(s.exponents[1], 0.0, 0.001);
    near(s.exponents[2], -5.3937, 0.01);
    near(s.divergence.unwrap(), s.exponents.iter().sum(), 1e-3);
    near(kaplan_yorke(&s.exponents, 3).unwrap(), 2.0131, 0.001);
}

/// Hindmarsh-Rose (prior systems 3.3): largest exponent .0136 at I 3.25, .0000 at 2.5.
#[test]
fn hindmarsh_rose() {
    let system = |current: f64| Smooth {
        n: 3,
        f: move |x: &[f64], o: &mut [f64]| {
            o.copy_from_slice(&[
                x[1] - x[0].powi(3) + 3.0 * x[0] * x[0] - x[2] + current,
                1.0 - 5.0 * x[0] * x[0] - x[1],
                0.006 * (4.0 * (x[0] + 1.6) - x[2]),
            ]);
        },
        j: |x: &[f64], o: &mut [f64]| {
            o.copy_from_slice(&[
                6.0 * x[0] - 3.0 * x[0] * x[0],
                1.0,
                -1.0,
                -10.0 * x[0],
                -1.0,
                0.0,
                0.024,
                0.0,
                -0.006,
            ]);
        },
    };
    let of = |current| {
        spectrum(&system(current), &[-1.0, 0.0, 2.0], settings(1, 2000.0, 20_000.0, 0.02, 1.0), || true).unwrap()
    };
    near(of(3.25).exponents[0], 0.0136, 0.001);
    let periodic = of(2.5);
    near(periodic.exponents[0], 0.0, 0.001);
    assert_eq!(periodic.divergence, None);
}

/// A linear system: real parts of the eigenvalues, in order, whatever the axes.
#[test]
fn linear_systems() {
    let a = [-3.0, 0.0, 0.0, 0.5, -1.0, 0.0, 0.0, 2.0, 0.4];
    let system = Smooth {
        n: 3,
        f: move |x: &[f64], o: &mut [f64]| {
            for i in 0..3 {
                o[i] = (0..3).map(|j| a[i * 3 + j] * x[j]).sum();
            }
        },
        j: move |_: &[f64], o: &mut [f64]| o.copy_from_slice(&a),
    };
    let s = spectrum(&system, &[1e-30, 0.0, 0.0], settings(3, 60.0, 40.0, 0.002, 0.5), || true).unwrap();
    for (got, want) in s.exponents.iter().zip([0.4, -1.0, -3.0]) {
        near(*got, want, 1e-9);
    }
    // Halves differ by rounding, which is no drift.
    assert!(s.drift.iter().all(Option::is_none) && s.half_width.iter().all(|h| *h < 1e-8), "{s:?}");
}

/// Leaky integrate-and-fire with constant drive, in units of tau: dV/dt = -V + drive, threshold 1, reset 0.
struct Lif {
    drive: f64,
    refractory: f64,
    /// Adds an adaptation state that decays with time 4 and jumps by this at a spike, and acts on V.
    adaptation: Option<f64>,
}

impl Dynamics for Lif {
    fn dimension(&self) -> usize {
        1 + usize::from(self.adaptation.is_some())
    }
    fn rate(&self, _t: f64, x: &[f64], o: &mut [f64]) {
        o[0] = self.drive - x[0];
        if self.adaptation.is_some() {
            o[0] -= x[1];
            o[1] = -x[1] / 4.0;
        }
    }
    fn jacobian(&self, _t: f64, _x: &[f64], o: &mut [f64]) {
        if self.adaptation.is_some() {
            o.copy_from_slice(&[-1.0, -1.0, 0.0, -0.25]);
        } else {
            o[0] = -1.0;
        }
    }
    fn threshold(&self, _t: f64, x: &[f64], gradient: &mut [f64]) -> Option<f64> {
        gradient.fill(0.0);
        gradient[0] = 1.0;
        Some(x[0] - 1.0)
    }
    fn reset(&self, _t: f64, x: &mut [f64], jacobian: &mut [f64]) -> bool {
        x[0] = 0.0;
        jacobian.fill(0.0);
        if let Some(jump) = self.adaptation {
            x[1] += jump;
            jacobian[3] = 1.0;
        }
        true
    }
    fn refractory(&self, _x: &[f64]) -> Option<(f64, Vec<usize>)> {
        (self.refractory > 0.0).then(|| (self.refractory, vec![0]))
    }
}

/// A reset to the threshold itself: time would stand still.
struct Endless;

impl Dynamics for Endless {
    fn dimension(&self) -> usize {
        1
    }
    fn rate(&self, _t: f64, _x: &[f64], o: &mut [f64]) {
        o[0] = 1.0;
    }
    fn jacobian(&self, _t: f64, _x: &[f64], o: &mut [f64]) {
        o[0] = 0.0;
    }
    fn threshold(&self, _t: f64, x: &[f64], gradient: &mut [f64]) -> Option<f64> {
        gradient[0] = 1.0;
        Some(x[0] - 1.0)
    }
    fn reset(&self, _t: f64, x: &mut [f64], jacobian: &mut [f64]) -> bool {
        x[0] = 1.0;
        jacobian[0] = 0.0;
        true
    }
}

#[test]
fn a_reset_to_the_threshold_ends() {
    let mut trajectory = Trajectory::new(&Endless, 0.0, &[0.0], Vec::new(), 0.01);
    let ended = trajectory.advance(2.0);
    assert!(
        matches!(ended, Err(TrajectoryError::ResetBeyondThreshold { time }) if (time - 1.0).abs() < 1e-6),
        "{ended:?}"
    );
}

/// Ground truth C1: -1/tau for a silent neuron, 0 for a tonic one, with and without refractory time.
#[test]
fn integrate_and_fire() {
    let of = |drive, refractory| {
        spectrum(&Lif { drive, refractory, adaptation: None }, &[0.0], settings(1, 20.0, 500.0, 0.02, 0.37), || true)
            .unwrap()
    };
    let silent = of(0.8, 0.0);
    near(silent.exponents[0], -1.0, 1e-9);
    assert_eq!(silent.resets, 0);
    for refractory in [0.0, 0.25] {
        let tonic = of(1.5, refractory);
        // Period ln 3 plus refractory time; the log growth since the last spike is all that is left over 500 units.
        near(tonic.resets as f64, 500.0 / (3.0_f64.ln() + refractory), 2.0);
        near(tonic.exponents[0], 0.0, 0.003);
    }
    assert!(of(1.5, 0.0).divergence.is_some() && of(1.5, 0.25).divergence.is_none());
}

/// An adapting neuron fires tonically: one exponent is 0, the other is the log multiplier of its return map per period,
/// which differences of neighbouring trajectories give too. Volume balance holds through the resets.
#[test]
fn an_adapting_neuron() {
    let neuron = |refractory| Lif { drive: 3.0, refractory, adaptation: Some(0.5) };
    for refractory in [0.0, 0.3] {
        let system = neuron(refractory);
        let s = spectrum(&system, &[0.0, 0.0], settings(2, 100.0, 2000.0, 0.02, 0.31), || true).unwrap();
        near(s.exponents[0], 0.0, 0.002);
        // The map of the adaptation state from spike to spike, by closed-form flight and bisection, and its slope.
        let next = |w: f64| {
            let w0 = w * (-refractory / 4.0_f64).exp();
            // V(t) for V' = 3 - V - w0 exp(-t/4), V(0) = 0.
            let v = |t: f64| 3.0 * (1.0 - (-t).exp()) - w0 / 0.75 * ((-t / 4.0).exp() - (-t).exp());
            let (mut low, mut high) = (0.0, 50.0);
            while v(high - 1e-3) > 1.0 && high > 0.1 {
                high *= 0.5;
            }
            high *= 2.0;
            for _ in 0..200 {
                let m = f64::midpoint(low, high);
                if v(m) > 1.0 { high = m } else { low = m }
            }
            (w0 * (-high / 4.0).exp() + 0.5, high + refractory)
        };
        let mut w = 0.5;
        for _ in 0..300 {
            w = next(w).0;
        }
        let slope = (next(w + 1e-5).0 - next(w - 1e-5).0) / 2e-5;
        near(s.exponents[1], slope.abs().ln() / next(w).1, 0.003);
        if let Some(divergence) = s.divergence {
            near(divergence, s.exponents.iter().sum(), 1e-6);
        }
    }
}

#[test]
fn a_system_that_runs_away_is_an_error() {
    let system = Smooth {
        n: 1,
        f: |x: &[f64], o: &mut [f64]| o[0] = x[0] * x[0],
        j: |x: &[f64], o: &mut [f64]| o[0] = 2.0 * x[0],
    };
    let error = spectrum(&system, &[1.0], settings(1, 5.0, 5.0, 0.01, 0.1), || true).unwrap_err();
    assert!(matches!(error, TrajectoryError::NotFinite { state: 0, .. }), "{error}");
}

#[test]
fn kaplan_yorke_dimensions() {
    near(kaplan_yorke(&[0.9, 0.0, -14.5], 3).unwrap(), 2.0 + 0.9 / 14.5, 1e-12);
    assert_eq!(kaplan_yorke(&[-0.1, -0.2], 2), Some(0.0));
    assert_eq!(kaplan_yorke(&[0.0, -1.0], 2), Some(1.0));
    assert_eq!(kaplan_yorke(&[0.3], 3), None);
    assert_eq!(kaplan_yorke(&[0.3, -0.3], 2), Some(2.0));
}

/// Ground truth C1: the exponents of Henon's map, and the logarithm of its constant Jacobian as their sum. Its
/// equations are those whose Euler step of 1 is the map.
#[test]
fn the_map_of_henon() {
    let henon = Smooth {
        n: 2,
        f: |x: &[f64], o: &mut [f64]| o.copy_from_slice(&[1.0 - 1.4 * x[0] * x[0] + x[1] - x[0], 0.3 * x[0] - x[1]]),
        j: |x: &[f64], o: &mut [f64]| o.copy_from_slice(&[-2.8 * x[0] - 1.0, 1.0, 0.3, -1.0]),
    };
    let map = Settings { scheme: Scheme::Map, ..settings(2, 1e3, 1e6, 1.0, 4.0) };
    let s = spectrum(&henon, &[0.1, 0.1], map, || true).unwrap();
    near(s.exponents[0], 0.419_239, 1e-3);
    near(s.exponents[1], -1.623_211, 1e-3);
    near(s.exponents.iter().sum(), 0.3_f64.ln(), 1e-10);
    near(s.divergence.unwrap(), 0.3_f64.ln(), 1e-10);
    // An interval that is no whole number of steps does not make another map of it.
    let s = spectrum(&henon, &[0.1, 0.1], Settings { interval: 2.5, duration: 1e5, ..map }, || true).unwrap();
    near(s.exponents[0], 0.419_239, 5e-3);
    near(s.exponents.iter().sum(), 0.3_f64.ln(), 1e-9);
}

/// x' = a(t) x, whose rate changes from step to step: time goes on inside an interval, for maps and for flows.
#[test]
fn time_goes_on_between_orthonormalisations() {
    struct Driven;
    impl Driven {
        fn rate_at(t: f64) -> f64 {
            -0.25 * (1.0 + (std::f64::consts::PI * t).cos())
        }
    }
    impl Dynamics for Driven {
        fn dimension(&self) -> usize {
            1
        }
        fn rate(&self, t: f64, x: &[f64], out: &mut [f64]) {
            out[0] = Self::rate_at(t) * x[0];
        }
        fn jacobian(&self, t: f64, _x: &[f64], out: &mut [f64]) {
            out[0] = Self::rate_at(t);
        }
    }
    // Steps of 1 at even times halve x, at odd times they do nothing; the mean rate is -1/4.
    let map = Settings { scheme: Scheme::Map, ..settings(1, 10.0, 1000.0, 1.0, 10.0) };
    near(spectrum(&Driven, &[1.0], map, || true).unwrap().exponents[0], 0.5_f64.ln() / 2.0, 1e-9);
    near(spectrum(&Driven, &[1.0], settings(1, 2.0, 200.0, 0.01, 2.0), || true).unwrap().exponents[0], -0.25, 1e-6);
}

/// A start that is not on the attractor yet is told, and the interval holds what follows: r' = r(1 − r²), θ' = 1, whose
/// exponents are 0 and −2, from r = 0.001.
#[test]
fn a_start_off_the_attractor_is_told() {
    let system = Smooth {
        n: 2,
        f: |x: &[f64], o: &mut [f64]| {
            let r = 1.0 - x[0] * x[0] - x[1] * x[1];
            o.copy_from_slice(&[r * x[0] - x[1], r * x[1] + x[0]]);
        },
        j: |x: &[f64], o: &mut [f64]| {
            let r = 1.0 - x[0] * x[0] - x[1] * x[1];
            o.copy_from_slice(&[
                r - 2.0 * x[0] * x[0],
                -1.0 - 2.0 * x[0] * x[1],
                1.0 - 2.0 * x[0] * x[1],
                r - 2.0 * x[1] * x[1],
            ]);
        },
    };
    let early = spectrum(&system, &[0.001, 0.0], settings(2, 0.1, 12.0, 0.01, 0.1), || true).unwrap();
    // Scaled by what the states have been, the frame turns: which of both exponents drifts is a matter of that.
    assert!(early.drift.iter().flatten().any(|d| *d < 0.0), "{early:?}");
    let holds = |j: usize, truth: f64| (early.exponents[j] - truth).abs() <= early.half_width[j];
    assert!(holds(0, 0.0) && holds(1, -2.0), "{early:?}");
    let late = spectrum(&system, &[0.001, 0.0], settings(2, 30.0, 400.0, 0.01, 0.1), || true).unwrap();
    near(late.exponents[0], 0.0, 1e-3);
    near(late.exponents[1], -2.0, 1e-3);
}
