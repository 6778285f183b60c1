//! `[stimuli.NAME]`: one function a kind.

use serde_json::{Value as Json, json};

use super::Writer;
use super::quantity::{expression, number, numbers, quantity, units, value, whole_numbers};
use crate::spec::{Generator, StimulusKind, StimulusSpec, Value};
use spikedeck_core::units::Dimension;

impl Writer<'_> {
    pub(super) fn stimulus(&self, stimulus: &StimulusSpec) -> Json {
        let StimulusSpec { name, target, units: list, kind } = stimulus;
        let (target, port) = self.target(target);
        let mut object = json!({ "name": name, "target": target, "units": units(list) });
        if let (Json::Object(all), Json::Object(own)) = (&mut object, course(kind, &Units { port, time: self.time() }))
        {
            all.extend(own);
        }
        object
    }
}

/// The dimensions that the values of a stimulus have.
pub(super) struct Units {
    /// Of the port that it acts on: amplitudes and weights.
    pub port: Dimension,
    /// Of times.
    pub time: Dimension,
}

impl Units {
    fn value(&self, v: &Value) -> Json {
        value(v, self.port)
    }

    fn time(&self, seconds: f64) -> Json {
        json!(quantity(seconds, self.time))
    }

    fn rate(&self) -> Dimension {
        Dimension::NONE.per(self.time)
    }

    fn frequency(&self, hertz: f64) -> Json {
        json!(quantity(hertz, self.rate()))
    }
}

fn course(kind: &StimulusKind, u: &Units) -> Json {
    match kind {
        StimulusKind::Constant { amplitude } => constant(u, amplitude),
        StimulusKind::Step { amplitude, start, stop } => step(u, amplitude, *start, *stop),
        StimulusKind::Ramp { from, to, start, stop } => ramp(u, from, to, *start, *stop),
        StimulusKind::PulseTrain { amplitude, start, stop, period, width } => {
            pulse_train(u, amplitude, *start, *stop, *period, *width)
        }
        StimulusKind::GaussianPulse { amplitude, center, sigma } => gaussian_pulse(u, amplitude, *center, *sigma),
        StimulusKind::Sine { amplitude, frequency, phase, offset, rectified, start, stop } => {
            sine(u, amplitude, *frequency, *phase, offset, *rectified, [*start, *stop])
        }
        StimulusKind::Chirp { amplitude, f_start, f_stop, start, stop, offset, exponential } => {
            chirp(u, amplitude, [*f_start, *f_stop], [*start, *stop], offset, *exponential)
        }
        StimulusKind::OuNoise { mean, sigma, tau } => ou_noise(u, mean, sigma, *tau),
        StimulusKind::WhiteNoise { mean, amplitude, generator } => white_noise(u, mean, amplitude, *generator),
        StimulusKind::GaussianSteps { mean, sigma, interval, generator } => {
            gaussian_steps(u, mean, sigma, *interval, *generator)
        }
        StimulusKind::Poisson { rate, sources, weight, start, stop } => {
            poisson(u, rate, *sources, weight, *start, *stop)
        }
        StimulusKind::Spikes { times, units, weight } => spikes(u, times, units.as_deref(), weight),
        StimulusKind::Signal { start, interval, columns, linear, gain } => {
            signal(u, *start, *interval, columns, *linear, *gain)
        }
        StimulusKind::Expression { value } => by_expression(value),
    }
}

fn constant(u: &Units, amplitude: &Value) -> Json {
    json!({ "kind": "constant", "amplitude": u.value(amplitude) })
}

fn step(u: &Units, amplitude: &Value, start: f64, stop: f64) -> Json {
    json!({ "kind": "step", "amplitude": u.value(amplitude), "start": u.time(start), "stop": u.time(stop) })
}

fn ramp(u: &Units, from: &Value, to: &Value, start: f64, stop: f64) -> Json {
    json!({
        "kind": "ramp", "from": u.value(from), "to": u.value(to), "start": u.time(start), "stop": u.time(stop),
    })
}

fn pulse_train(u: &Units, amplitude: &Value, start: f64, stop: f64, period: f64, width: f64) -> Json {
    json!({
        "kind": "pulse_train", "amplitude": u.value(amplitude), "start": u.time(start), "stop": u.time(stop),
        "period": u.time(period), "width": u.time(width),
    })
}

fn gaussian_pulse(u: &Units, amplitude: &Value, center: f64, sigma: f64) -> Json {
    json!({
        "kind": "gaussian_pulse", "amplitude": u.value(amplitude), "center": u.time(center), "sigma": u.time(sigma),
    })
}

fn sine(
    u: &Units,
    amplitude: &Value,
    frequency: f64,
    phase: f64,
    offset: &Value,
    rectified: bool,
    [start, stop]: [f64; 2],
) -> Json {
    json!({
        "kind": "sine", "amplitude": u.value(amplitude), "frequency": u.frequency(frequency),
        "phase": format!("{} rad", quantity(phase, Dimension::NONE)), "offset": u.value(offset),
        "rectified": rectified, "start": u.time(start), "stop": u.time(stop),
    })
}

fn chirp(
    u: &Units,
    amplitude: &Value,
    [f_start, f_stop]: [f64; 2],
    [start, stop]: [f64; 2],
    offset: &Value,
    exponential: bool,
) -> Json {
    json!({
        "kind": "chirp", "amplitude": u.value(amplitude), "f_start": u.frequency(f_start),
        "f_stop": u.frequency(f_stop), "start": u.time(start), "stop": u.time(stop), "offset": u.value(offset),
        "exponential": exponential,
    })
}

fn ou_noise(u: &Units, mean: &Value, sigma: &Value, tau: f64) -> Json {
    json!({ "kind": "ou_noise", "mean": u.value(mean), "sigma": u.value(sigma), "tau": u.time(tau) })
}

fn white_noise(u: &Units, mean: &Value, amplitude: &Value, drawn_by: Generator) -> Json {
    let root = u.time.power(0.5).expect("half of a whole exponent is a multiple of a twelfth");
    json!({
        "kind": "white_noise", "mean": u.value(mean), "amplitude": value(amplitude, u.port.times(root)),
        "generator": generator(drawn_by),
    })
}

fn gaussian_steps(u: &Units, mean: &Value, sigma: &Value, interval: f64, drawn_by: Generator) -> Json {
    json!({
        "kind": "gaussian_steps", "mean": u.value(mean), "sigma": u.value(sigma), "interval": u.time(interval),
        "generator": generator(drawn_by),
    })
}

fn poisson(u: &Units, rate: &Value, sources: u64, weight: &Value, start: f64, stop: f64) -> Json {
    json!({
        "kind": "poisson", "rate": value(rate, u.rate()), "sources": sources, "weight": u.value(weight),
        "start": u.time(start), "stop": u.time(stop),
    })
}

fn spikes(u: &Units, times: &[f64], at: Option<&[u32]>, weight: &Value) -> Json {
    json!({
        "kind": "spikes", "count": times.len(), "times": numbers(times, u.time),
        "at": at.map_or_else(|| json!("all"), whole_numbers), "weight": u.value(weight),
    })
}

fn signal(u: &Units, start: f64, interval: f64, columns: &[Vec<f64>], linear: bool, gain: f64) -> Json {
    json!({
        "kind": "file", "start": u.time(start), "interval": u.time(interval),
        "columns": columns.iter().map(|c| numbers(c, u.port)).collect::<Vec<_>>(),
        "interpolation": if linear { "linear" } else { "hold" }, "gain": number(gain),
    })
}

fn by_expression(text: &str) -> Json {
    json!({ "kind": "expression", "value": expression(text) })
}

fn generator(generator: Generator) -> &'static str {
    match generator {
        Generator::Counter => "counter",
        Generator::NumpyPcg64 => "numpy_pcg64",
    }
}
