use super::*;
use crate::lyapunov::{Settings, Spectrum, pulsed_spectrum};
use crate::rng::Key;
use crate::trajectory::Scheme;

/// Leaky units V' = I − V + s + g (mean of V − V), s' = −s/τ: threshold V + `tilt` s = 1, reset to V = `mix` s and
/// s + `kick` (1 + V), a rest (times 1 + `longer` s) in which V is held. Pulses add their weight (times 1 + `gain` V)
/// to V, or, with `currents`, to s.
struct Net {
    tilt: f64,
    mix: f64,
    kick: f64,
    longer: f64,
    gain: f64,
    room: u64,
    drive: Vec<f64>,
    tau: f64,
    gap: f64,
    rest: f64,
    currents: bool,
    delays: Vec<Vec<f64>>,
    /// By unit and delay: targets and weights.
    pulses: Vec<Vec<Vec<(usize, f64)>>>,
}

impl Net {
    /// Pulses as (source, target, weight, delay).
    fn new(drive: &[f64], pulses: &[(usize, usize, f64, f64)]) -> Self {
        let n = drive.len();
        let mut net = Self {
            tilt: 0.0,
            mix: 0.0,
            kick: 0.0,
            longer: 0.0,
            gain: 0.0,
            room: u64::MAX,
            drive: drive.to_vec(),
            tau: 0.5,
            gap: 0.0,
            rest: 0.0,
            currents: false,
            delays: vec![Vec::new(); n],
            pulses: vec![Vec::new(); n],
        };
        for &(from, to, weight, delay) in pulses {
            let place = net.delays[from].iter().position(|d| *d == delay).unwrap_or_else(|| {
                net.delays[from].push(delay);
                net.pulses[from].push(Vec::new());
                net.delays[from].len() - 1
            });
            net.pulses[from][place].push((to, weight));
        }
        net
    }

    fn spectrum(&self, v: &[f64], exponents: usize, duration: f64) -> Spectrum {
        let start: Vec<f64> = v.iter().flat_map(|v| [*v, 0.0]).collect();
        let settings = Settings {
            exponents,
            transient: 50.0,
            duration,
            step: 0.05,
            scheme: Scheme::Flow,
            interval: 0.5,
            batches: 20,
            window: None,
        };
        pulsed_spectrum(self, &start, settings, || true).unwrap()
    }
}

impl Dynamics for Net {
    fn dimension(&self) -> usize {
        2 * self.drive.len()
    }

    fn rate(&self, t: f64, x: &[f64], out: &mut [f64]) {
        let n = self.drive.len();
        let mean = (0..n).map(|u| x[2 * u]).sum::<f64>() / n as f64;
        for u in 0..n {
            self.rate_of(u, t, x, &mut out[2 * u..2 * u + 2]);
            out[2 * u] += self.gap * (mean - x[2 * u]);
        }
    }

    fn jacobian(&self, _: f64, _: &[f64], out: &mut [f64]) {
        let n = self.drive.len();
        out.fill(0.0);
        for u in 0..n {
            let row = 4 * n * u;
            for v in 0..n {
                out[row + 2 * v] = self.gap / n as f64;
            }
            out[row + 2 * u] -= 1.0 + self.gap;
            out[row + 2 * u + 1] = 1.0;
            out[row + 2 * n + 2 * u + 1] = -1.0 / self.tau;
        }
    }
}

impl Pulsed for Net {
    fn units(&self) -> usize {
        self.drive.len()
    }

    fn rows(&self, unit: usize) -> Range<usize> {
        2 * unit..2 * unit + 2
    }

    fn is_apart(&self) -> bool {
        self.gap == 0.0
    }

    fn rate_of(&self, unit: usize, _: f64, x: &[f64], out: &mut [f64]) {
        out[0] = self.drive[unit] - x[2 * unit] + x[2 * unit + 1];
        out[1] = -x[2 * unit + 1] / self.tau;
    }

    fn height(&self, unit: usize, _: f64, x: &[f64], gradient: &mut [f64]) -> Option<f64> {
        gradient.copy_from_slice(&[1.0, self.tilt]);
        Some(x[2 * unit] + self.tilt * x[2 * unit + 1] - 1.0)
    }

    fn reset_of(&self, unit: usize, _: f64, x: &mut [f64], jacobian: &mut [f64]) {
        let [v, s] = [x[2 * unit], x[2 * unit + 1]];
        (x[2 * unit], x[2 * unit + 1]) = (self.mix * s, s + self.kick * (1.0 + v));
        jacobian.copy_from_slice(&[0.0, self.mix, self.kick, 1.0]);
    }

    fn rest_of(&self, unit: usize, x: &[f64], gradient: &mut [f64]) -> (f64, &[usize]) {
        gradient[1] = self.rest * self.longer;
        (self.rest * (1.0 + self.longer * x[2 * unit + 1]), &[0])
    }

    fn room(&self) -> u64 {
        self.room
    }

    fn delays(&self, unit: usize) -> &[f64] {
        &self.delays[unit]
    }

    fn arrive(&self, unit: usize, delay: usize, jump: &mut dyn FnMut(usize, Jump<'_>)) {
        for &(to, weight) in &self.pulses[unit][delay] {
            let place = usize::from(self.currents);
            jump(to, &|_, x, jacobian| {
                let slope = weight * self.gain;
                x[2 * to + place] += weight + slope * x[2 * to];
                for column in 0..2 {
                    // By V, the first row, also where that is the one that moves.
                    jacobian[2 * place + column] += slope * jacobian[column];
                }
            });
        }
    }
}

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got} is not {want} to {tolerance}");
}

/// Each clock alone keeps its time: a direction along the flow for each unit, whether or not it rests after a spike.
#[test]
fn uncoupled_units_are_clocks() {
    for rest in [0.0, 0.3] {
        let mut net = Net::new(&[1.5, 1.7, 1.2], &[]);
        net.rest = rest;
        let found = net.spectrum(&[0.1, 0.2, 0.3], 6, 2000.0);
        (0..3).for_each(|k| near(found.exponents[k], 0.0, 2e-3));
        // The currents decay by themselves.
        (3..6).for_each(|k| near(found.exponents[k], -2.0, 2e-2));
        let period = |i: f64| (i / (i - 1.0)).ln() + rest;
        let rate: f64 = [1.5, 1.7, 1.2].into_iter().map(|i| 1.0 / period(i)).sum();
        near(found.resets as f64 / found.time, rate, 5e-3);
    }
}

/// A ring of units that inhibit the next after a delay fire together: with e⁻ᵀ = (I − 1)/(I − w eᵈ) a spike that comes
/// δt later moves the next of its own unit by a δt and that of the next unit by (1 − a) δt, a = I/(I − w eᵈ), so that
/// the exponents are ln|a + (1 − a) exp(2πi k/N)|/T.
#[test]
fn a_ring_with_delays_has_its_closed_form() {
    let (drive, w, d, n) = (1.5_f64, -0.2_f64, 0.3_f64, 4);
    let pulses: Vec<_> = (0..n).map(|u| (u, (u + 1) % n, w, d)).collect();
    for rest in [0.0, 0.1] {
        let mut net = Net::new(&vec![drive; n], &pulses);
        net.rest = rest;
        let found = net.spectrum(&[0.3, 0.31, 0.305, 0.3], n, 4000.0);
        // A rest delays everything alike as long as it ends before the pulses arrive.
        let (a, period) = {
            let grown = w * (d - rest).exp();
            (drive / (drive - grown), ((drive - grown) / (drive - 1.0)).ln() + rest)
        };
        let angles = [0.0, std::f64::consts::FRAC_PI_2, std::f64::consts::FRAC_PI_2, std::f64::consts::PI];
        for (k, angle) in angles.into_iter().enumerate() {
            let size = (a + (1.0 - a) * angle.cos()).hypot((1.0 - a) * angle.sin());
            near(found.exponents[k], size.ln() / period, 2e-3);
        }
        near(found.resets as f64 / found.time, n as f64 / period, 5e-3);
    }
}

/// Two units that inhibit each other at once fire in turns: 1 = I + w exp(−T/2) − I exp(−T), and a deviation shrinks
/// by a² a turn, a = I exp(−T)/(I exp(−T) − w exp(−T/2)).
#[test]
fn turns_without_delay_have_their_closed_form() {
    let (drive, w) = (1.5_f64, -0.2_f64);
    let found = Net::new(&[drive; 2], &[(0, 1, w, 0.0), (1, 0, w, 0.0)]).spectrum(&[0.1, 0.7], 2, 3000.0);
    // I z² − w z + 1 − I = 0 for z = exp(−T/2).
    let z = (w + (w * w + 4.0 * drive * (drive - 1.0)).sqrt()) / (2.0 * drive);
    let period = -2.0 * z.ln();
    let a = drive * z * z / (drive * z * z - w * z);
    near(found.resets as f64 / found.time, 2.0 / period, 5e-3);
    near(found.exponents[0], 0.0, 1e-3);
    near(found.exponents[1], 2.0 * a.ln() / period, 2e-3);
}

/// Who is pushed over the threshold spikes when he is pushed: two that push each other hard enough forget their
/// difference at once, to rounding (Mirollo and Strogatz 1990); beside that there are the currents' own exponents.
#[test]
fn who_is_pushed_over_forgets() {
    let found = Net::new(&[1.5; 2], &[(0, 1, 0.4, 0.0), (1, 0, 0.4, 0.0)]).spectrum(&[0.2, 0.5], 4, 500.0);
    near(found.exponents[0], 0.0, 1e-2);
    (1..3).for_each(|k| near(found.exponents[k], -2.0, 2e-2));
    assert!(found.exponents[3] < -20.0, "{:?}", found.exponents);
    // One of them is always 0.4 ahead: it needs ln(1.1/0.5) to the threshold.
    near(found.resets as f64 / found.time, 2.0 / 2.2_f64.ln(), 1e-2);
}

/// Through whatever happens, vectors are what small differences of the initial state become: networks with delays,
/// rests, currents, pulses without delay and voltages that pull at each other; half of them with thresholds, resets,
/// rests and jumps that depend on both states.
#[test]
fn vectors_are_small_differences() {
    let mut checked = 0;
    for case in 0..96_u32 {
        let mut stream = Key::new(5, "pulsed", "networks").stream(case, 0);
        let n = 4;
        let drive: Vec<f64> = (0..n).map(|_| 1.2 + 0.6 * stream.uniform()).collect();
        let mut pulses = Vec::new();
        for from in 0..n {
            for to in (0..n).filter(|to| *to != from) {
                let delay = if case % 3 == 0 { 0.0 } else { 0.1 + 0.3 * stream.uniform() };
                pulses.push((from, to, 0.2 * stream.uniform() - 0.15, delay));
            }
        }
        let mut net = Net::new(&drive, &pulses);
        net.rest = if case % 2 == 0 { 0.0 } else { 0.15 };
        net.currents = case % 4 > 1;
        net.gap = if case % 5 == 0 { 0.3 } else { 0.0 };
        if case >= 24 {
            net.tilt = 0.3 * stream.uniform();
            net.mix = 0.4 * stream.uniform() - 0.2;
            net.kick = 0.3 * stream.uniform();
            net.longer = 0.8 * stream.uniform();
            net.gain = 1.6 * stream.uniform() - 0.8;
        }
        let start: Vec<f64> = (0..2 * n).map(|i| if i % 2 == 0 { 0.9 * stream.uniform() } else { 0.0 }).collect();
        let frame: Vec<f64> = (0..2 * n).map(|_| 2.0 * stream.uniform() - 1.0).collect();
        let fly = |by: f64| {
            let x: Vec<f64> = start.iter().zip(&frame).map(|(x, v)| by.mul_add(*v, *x)).collect();
            let mut trajectory = PulsedTrajectory::new(&net, &x, frame.clone(), 0.02);
            trajectory.advance(5.0).unwrap();
            trajectory
        };
        let (small, whole) = (1e-7, fly(0.0));
        let (up, down) = (fly(small), fly(-small));
        assert!(whole.spikes > 4);
        // An order of events that small differences change has no derivative.
        if up.spikes != whole.spikes || down.spikes != whole.spikes {
            continue;
        }
        for i in 0..2 * n {
            let slope = (up.x[i] - down.x[i]) / (2.0 * small);
            near(whole.frame()[i], slope, 2e-4 * (1.0 + slope.abs()));
        }
        checked += 1;
    }
    assert!(checked > 84, "{checked}");
}

/// What is under way has vectors of its own, and is not more than there is room for.
#[test]
fn what_is_under_way_has_its_share_of_memory() {
    let pulses: Vec<(usize, usize, f64, f64)> =
        (0..40).map(|delay| (0, 1, -0.01, 3.0 + 0.01 * f64::from(delay))).collect();
    let fly = |room: u64| {
        let mut net = Net::new(&[1.5, 1.2], &pulses);
        net.room = room;
        let mut trajectory = PulsedTrajectory::new(&net, &[0.0, 0.0, 0.2, 0.0], vec![1.0; 4 * 3], 0.05);
        trajectory.advance(20.0)
    };
    // Forty pulses for each spike of a unit, every 1.1, and each takes at least three times three numbers.
    assert!(matches!(fly(8000), Err(crate::trajectory::TrajectoryError::NoRoom { .. })), "{:?}", fly(8000));
    assert_eq!(fly(1 << 20), Ok(()));
}
