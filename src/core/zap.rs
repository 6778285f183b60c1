//! Impedance as it is measured: a unit at rest is driven by a chirp (ZAP), and the transforms of what follows and of
//! what drives are divided (Puil, Gimbarzevsky, Miura 1986, doi:10.1152/jn.1986.55.5.995). It is driven once more by
//! the same with the other sign: half of the difference has nothing of what is even in the amplitude.

use super::dynamics::Dynamics;
use super::family::Family;
use super::trajectory::{Trajectory, TrajectoryError};
use nalgebra::Complex;
use std::f64::consts::{PI, TAU};

/// Samples a period of the highest frequency.
const A_PERIOD: f64 = 8.0;
/// Part of the chirp over which it dies away at its end.
const FALL: f64 = 0.05;

/// An oscillation whose frequency grows by the same factor in equal times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chirp {
    /// Amplitude.
    pub amplitude: f64,
    /// First frequency, in cycles per time.
    pub from: f64,
    /// Last frequency.
    pub to: f64,
    /// How long it lasts.
    pub length: f64,
}

impl Chirp {
    /// Its value; it swells in the first period and dies away at the end.
    pub fn at(&self, t: f64) -> f64 {
        if t <= 0.0 || t >= self.length {
            return 0.0;
        }
        let growth = (self.to / self.from).ln() / self.length;
        let phase = TAU * self.from * (growth * t).exp_m1() / growth;
        let smooth = |share: f64| 0.5 - 0.5 * (PI * share.clamp(0.0, 1.0)).cos();
        let size = smooth(t * self.from) * smooth((self.length - t) / (FALL * self.length));
        self.amplitude * size * phase.sin()
    }
}

/// A member of a family whose parameter follows a chirp about a value.
struct Driven<'a, F: ?Sized> {
    family: &'a F,
    about: f64,
    chirp: Chirp,
}

impl<F: Family + ?Sized> Dynamics for Driven<'_, F> {
    fn dimension(&self) -> usize {
        self.family.dimension()
    }

    fn rate(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.family.rate(x, self.about + self.chirp.at(t), out);
    }

    fn jacobian(&self, t: f64, x: &[f64], out: &mut [f64]) {
        let mut slope = vec![0.0; x.len()];
        self.family.jacobian(x, self.about + self.chirp.at(t), out, &mut slope);
    }
}

/// What a state did under a chirp.
#[derive(Debug, Clone, PartialEq)]
pub struct Zap {
    interval: f64,
    drive: Vec<f64>,
    state: Vec<f64>,
}

/// How the unit is driven and followed.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'s> {
    /// Where it rests.
    pub rest: &'s [f64],
    /// Value of the parameter there.
    pub about: f64,
    /// The chirp about it.
    pub chirp: Chirp,
    /// Time after the chirp in which the response dies away.
    pub tail: f64,
    /// Step of the Runge-Kutta scheme.
    pub step: f64,
    /// The state that is followed.
    pub state: usize,
}

/// Drives a member of `family` by a chirp of its parameter, and by its negative. `allowed` is asked at every sample:
/// where it says no, there is no response.
///
/// # Errors
/// A state that becomes infinite or NaN.
pub fn zap<F: Family + ?Sized>(
    family: &F,
    s: Settings<'_>,
    allowed: &mut dyn FnMut(&[f64]) -> bool,
) -> Result<Option<Zap>, TrajectoryError> {
    let driven = Driven { family, about: s.about, chirp: s.chirp };
    let steps = (1.0 / (A_PERIOD * s.chirp.to) / s.step).floor().max(1.0);
    let interval = steps * s.step;
    let samples = ((s.chirp.length + s.tail) / interval).ceil() as usize;
    let other = Driven { chirp: Chirp { amplitude: -s.chirp.amplitude, ..s.chirp }, ..driven };
    let mut way = Trajectory::new(&driven, 0.0, s.rest, Vec::new(), s.step);
    let mut back = Trajectory::new(&other, 0.0, s.rest, Vec::new(), s.step);
    let (mut drive, mut state) = (Vec::with_capacity(samples), Vec::with_capacity(samples));
    for k in 0..samples {
        drive.push(s.chirp.at(k as f64 * interval));
        state.push(0.5 * (way.x[s.state] - back.x[s.state]));
        way.advance(interval)?;
        back.advance(interval)?;
        if !allowed(&way.x) || !allowed(&back.x) {
            return Ok(None);
        }
    }
    Ok(Some(Zap { interval, drive, state }))
}

impl Zap {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.state.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.state.is_empty()
    }

    /// Transform of the state over that of the drive at a frequency. O(samples).
    pub fn ratio(&self, frequency: f64) -> Complex<f64> {
        let turn = Complex::from_polar(1.0, -TAU * frequency * self.interval);
        let (mut at, mut drive) = (Complex::new(1.0, 0.0), Complex::<f64>::default());
        let mut state = drive;
        for (d, x) in self.drive.iter().zip(&self.state) {
            drive += at * *d;
            state += at * *x;
            at *= turn;
        }
        state / drive
    }

    /// How far the state goes from rest.
    pub fn swing(&self) -> f64 {
        self.state.iter().fold(0.0, |m, x| m.max(x.abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C V' = −gV − W − cV² + p, τ W' = bV − W; for c 0 Z = 1/(iωC + g + b/(1 + iωτ)).
    struct Circuit {
        curved: f64,
    }

    impl Family for Circuit {
        fn dimension(&self) -> usize {
            2
        }
        fn rate(&self, x: &[f64], p: f64, out: &mut [f64]) {
            out[0] = -0.1 * x[0] - x[1] - self.curved * x[0] * x[0] + p;
            out[1] = (0.4 * x[0] - x[1]) / 20.0;
        }
        fn jacobian(&self, x: &[f64], _p: f64, out: &mut [f64], slope: &mut [f64]) {
            out.copy_from_slice(&[-0.1 - 2.0 * self.curved * x[0], -1.0, 0.02, -0.05]);
            slope.copy_from_slice(&[1.0, 0.0]);
        }
    }

    fn settings(amplitude: f64) -> Settings<'static> {
        let chirp = Chirp { amplitude, from: 0.002, to: 0.5, length: 5000.0 };
        Settings { rest: &[0.0, 0.0], about: 0.0, chirp, tail: 400.0, step: 0.05, state: 0 }
    }

    fn misses(zap: &Zap) -> f64 {
        let one = Complex::new(1.0, 0.0);
        let at = |f: f64| {
            let omega = TAU * f;
            let known = one / (Complex::new(0.1, omega) + Complex::new(0.4, 0.0) / Complex::new(1.0, 20.0 * omega));
            (zap.ratio(f) - known).norm() / known.norm()
        };
        [0.003, 0.01, 0.0225, 0.05, 0.1, 0.3].into_iter().map(at).fold(0.0, f64::max)
    }

    /// Of a linear circuit a chirp of any size tells the impedance; of a curved one the better, the smaller it is.
    #[test]
    fn a_chirp_tells_the_impedance() {
        let of = |curved: f64, amplitude: f64| {
            zap(&Circuit { curved }, settings(amplitude), &mut |_| true).unwrap().unwrap()
        };
        let linear = of(0.0, 3.0);
        assert!(misses(&linear) < 1e-4, "{}", misses(&linear));
        assert!(linear.len() == (5400.0_f64 / 0.25).ceil() as usize && !linear.is_empty());
        let (small, large) = (misses(&of(0.05, 0.01)), misses(&of(0.05, 0.1)));
        assert!(small < 2e-3 && large > 3.0 * small, "{small} {large}");
        assert!(linear.swing() > 3.0);
        assert_eq!(zap(&Circuit { curved: 0.0 }, settings(1.0), &mut |x| x[0] < 0.5).unwrap(), None);
    }

    /// The frequency grows from the first to the last, by the same factor in equal times.
    #[test]
    fn a_chirp_sweeps() {
        let chirp = Chirp { amplitude: 2.0, from: 1.0, to: 16.0, length: 100.0 };
        let mut crossings = Vec::new();
        let h = 1e-4;
        for k in 1..1_000_000 {
            let (a, b) = (chirp.at(f64::from(k - 1) * h), chirp.at(f64::from(k) * h));
            if a < 0.0 && b >= 0.0 {
                crossings.push(f64::from(k) * h);
            }
        }
        let rate = |t: f64| {
            let k = crossings.iter().position(|c| *c > t).unwrap();
            1.0 / (crossings[k] - crossings[k - 1])
        };
        for (t, f) in [(25.0, 2.0), (50.0, 4.0), (75.0, 8.0)] {
            assert!((rate(t) / f - 1.0).abs() < 0.03, "{t}: {}", rate(t));
        }
        assert_eq!((chirp.at(0.0), chirp.at(100.0), chirp.at(200.0)), (0.0, 0.0, 0.0));
    }
}
