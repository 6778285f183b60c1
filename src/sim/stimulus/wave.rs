//! Stimuli that are a formula in time: one number a step, scaled for each unit.

use crate::axis::Axis;
use spikedeck_core::math::{exp, log, pow, sin};
use spikedeck_scenario::StimulusKind;

/// The course of a stimulus in time: what multiplies its amplitude, and whether its offset acts.
#[derive(Debug, Clone)]
pub(crate) enum Wave {
    /// One within `on..off` grid points.
    Window {
        on: u64,
        off: u64,
    },
    /// From 0 at `start` to 1 at `stop`, then held; times in seconds.
    Ramp {
        start: f64,
        stop: f64,
    },
    /// One within pulses; all in seconds but the window.
    Pulses {
        on: u64,
        off: f64,
        start: f64,
        period: f64,
        width: f64,
    },
    Gaussian {
        center: f64,
        sigma: f64,
    },
    Sine {
        frequency: f64,
        phase: f64,
        rectified: bool,
        on: u64,
        off: u64,
    },
    Chirp {
        f_start: f64,
        f_stop: f64,
        start: f64,
        length: f64,
        exponential: bool,
        on: u64,
        off: u64,
    },
}

impl Wave {
    /// The course of `kind`, if it is a formula in time.
    pub fn of(kind: &StimulusKind, axis: &Axis) -> Option<Self> {
        Some(match *kind {
            StimulusKind::Constant { .. } => Self::Window { on: 0, off: u64::MAX },
            StimulusKind::Step { start, stop, .. } => {
                Self::Window { on: axis.first_at(start), off: axis.first_at(stop) }
            }
            StimulusKind::Ramp { start, stop, .. } => Self::Ramp { start, stop },
            StimulusKind::PulseTrain { start, stop, period, width, .. } => {
                Self::Pulses { on: axis.first_at(start), off: stop, start, period, width }
            }
            StimulusKind::GaussianPulse { center, sigma, .. } => Self::Gaussian { center, sigma },
            StimulusKind::Sine { frequency, phase, rectified, start, stop, .. } => {
                Self::Sine { frequency, phase, rectified, on: axis.first_at(start), off: axis.first_at(stop) }
            }
            StimulusKind::Chirp { f_start, f_stop, start, stop, exponential, .. } => Self::Chirp {
                f_start,
                f_stop,
                start,
                length: stop - start,
                exponential,
                on: axis.first_at(start),
                off: axis.first_at(stop),
            },
            _ => return None,
        })
    }

    /// Factor of the amplitude and factor of the offset at grid point `k`.
    pub fn at(&self, k: u64, axis: &Axis) -> (f64, f64) {
        let t = axis.seconds(k);
        let inside = |on: u64, off: u64| k >= on && k < off;
        match *self {
            Self::Window { on, off } => {
                let value = f64::from(u8::from(inside(on, off)));
                (value, value)
            }
            Self::Ramp { start, stop } => {
                let f = if stop > start {
                    ((t - start) / (stop - start)).clamp(0.0, 1.0)
                } else {
                    f64::from(u8::from(t >= start))
                };
                (f, f64::from(u8::from(k >= axis.first_at(start))))
            }
            Self::Pulses { on, off, start, period, width } => {
                if k < on {
                    return (0.0, 1.0);
                }
                // The pulse whose onset is the last one on or before grid point k; both its ends fall on grid points.
                let mut n = ((t - start) / period).floor().max(0.0);
                if axis.first_at(period.mul_add(n + 1.0, start)) <= k {
                    n += 1.0;
                } else if n > 0.0 && axis.first_at(period.mul_add(n, start)) > k {
                    n -= 1.0;
                }
                let onset = period.mul_add(n, start);
                let high = axis.first_at(onset) < axis.first_at(off) && k < axis.first_at(onset + width);
                (f64::from(u8::from(high)), 1.0)
            }
            Self::Gaussian { center, sigma } => {
                let z = (t - center) / sigma;
                (exp(-0.5 * z * z), 1.0)
            }
            Self::Sine { frequency, phase, rectified, on, off } => {
                if !inside(on, off) {
                    return (0.0, 0.0);
                }
                let value = turn(frequency * t, phase);
                (if rectified { value.abs() } else { value }, 1.0)
            }
            Self::Chirp { f_start, f_stop, start, length, exponential, on, off } => {
                if !inside(on, off) {
                    return (0.0, 0.0);
                }
                let u = t - start;
                let cycles = if exponential && f_start != f_stop {
                    let ratio = f_stop / f_start;
                    f_start * length / log(ratio) * (pow(ratio, u / length) - 1.0)
                } else {
                    u * (0.5 * (f_stop - f_start) / length).mul_add(u, f_start)
                };
                (turn(cycles, 0.0), 1.0)
            }
        }
    }
}

/// The sine of a number of turns plus a phase; whole turns are dropped first, so that long runs lose nothing.
fn turn(cycles: f64, phase: f64) -> f64 {
    sin(std::f64::consts::TAU.mul_add(cycles - cycles.floor(), phase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_scenario::Value;
    use spikedeck_signal::TimeBase;

    fn course(kind: &StimulusKind, steps: u64) -> Vec<f64> {
        let axis = Axis::new(1e-4, TimeBase::Milliseconds);
        let wave = Wave::of(kind, &axis).unwrap();
        (0..steps).map(|k| wave.at(k, &axis).0).collect()
    }

    const ONE: Value = Value::Constant(1.0);

    #[test]
    fn steps_start_and_stop_on_grid_points() {
        let v = course(&StimulusKind::Step { amplitude: ONE, start: 0.3e-3, stop: 0.7e-3 }, 10);
        assert_eq!(v, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        let v = course(&StimulusKind::Step { amplitude: ONE, start: 0.0, stop: f64::INFINITY }, 3);
        assert_eq!(v, [1.0; 3]);
    }

    #[test]
    fn pulses_have_their_width_and_number() {
        let kind = StimulusKind::PulseTrain { amplitude: ONE, start: 1e-3, stop: 9e-3, period: 2e-3, width: 0.5e-3 };
        let v = course(&kind, 200);
        let onsets: Vec<usize> = (1..200).filter(|&k| v[k] > v[k - 1]).collect();
        assert_eq!(onsets, [10, 30, 50, 70], "none at or after 9 ms");
        assert_eq!(v.iter().sum::<f64>(), 4.0 * 5.0);
        // A period that is no multiple of the step: onsets at the next grid points.
        let kind =
            StimulusKind::PulseTrain { amplitude: ONE, start: 0.0, stop: 1.0, period: 1.0 / 3000.0, width: 1e-4 };
        let v = course(&kind, 30);
        assert_eq!((0..30).filter(|&k| v[k] == 1.0).collect::<Vec<_>>(), [0, 4, 7, 10, 14, 17, 20, 24, 27]);
    }

    #[test]
    fn ramps_gaussians_sines_and_chirps_follow_their_formulas() {
        let v = course(&StimulusKind::Ramp { from: ONE, to: ONE, start: 1e-3, stop: 3e-3 }, 50);
        assert!(v[10] == 0.0 && (v[20] - 0.5).abs() < 1e-12 && v[30] == 1.0 && v[49] == 1.0);
        let v = course(&StimulusKind::GaussianPulse { amplitude: ONE, center: 2e-3, sigma: 0.5e-3 }, 50);
        assert!(v[20] == 1.0 && (v[25] - (-0.5f64).exp()).abs() < 1e-12);
        let kind = StimulusKind::Sine {
            amplitude: ONE,
            frequency: 40.0,
            phase: 0.3,
            offset: ONE,
            rectified: false,
            start: 0.0,
            stop: 0.4e-2,
        };
        let v = course(&kind, 50);
        for (k, v) in v.iter().enumerate().take(40) {
            assert!((v - (std::f64::consts::TAU * 40.0 * k as f64 * 1e-4 + 0.3).sin()).abs() < 1e-12);
        }
        assert_eq!(v[40], 0.0);
        for exponential in [false, true] {
            let (f0, f1, length) = (5.0, 80.0, 0.5);
            let kind = StimulusKind::Chirp {
                amplitude: ONE,
                f_start: f0,
                f_stop: f1,
                start: 0.0,
                stop: length,
                offset: ONE,
                exponential,
            };
            for (k, v) in course(&kind, 5000).iter().enumerate() {
                let t = k as f64 * 1e-4;
                let cycles = if exponential {
                    f0 * length / (f1 / f0).ln() * ((f1 / f0).powf(t / length) - 1.0)
                } else {
                    f0 * t + 0.5 * (f1 - f0) / length * t * t
                };
                assert!((v - (std::f64::consts::TAU * cycles).sin()).abs() < 1e-9, "{k}");
            }
        }
    }
}
