//! Coherence, tapers, and phases within bands.

use super::processes::{ar2, normals};
use super::{Case, Looked, analyse, key};
use crate::Outcome;
use crate::testing::{recording, subject, traces};
use spikedeck_core::normal::normal;
use spikedeck_scenario::{Band, OptionValue};
use std::f64::consts::TAU;

const SAMPLES: usize = 8000;

fn coherent(seed: u64, method: &str, shared: f64) -> Outcome {
    let common = normals(seed, 0, SAMPLES);
    let side = |unit: u32| -> Vec<f64> {
        common.iter().zip(normals(seed, unit, SAMPLES)).map(|(c, e)| shared * c + e).collect()
    };
    let options = [("segment", OptionValue::Number(0.5)), ("method", OptionValue::Text(method.into()))];
    let r = traces(&[side(1), side(2)], 1.0);
    analyse("coherence", seed, &r, None, Looked::of(vec![subject("V_m", &[])]), &options)
}

fn with_sine(seed: u64, amplitude: f64) -> Outcome {
    let wave = |k: usize| amplitude * (TAU * 0.0123 * k as f64).sin();
    let x = normals(seed, 0, SAMPLES).iter().enumerate().map(|(k, e)| e + wave(k)).collect();
    analyse("multitaper", seed, &traces(&[x], 1.0), None, Looked::of(vec![subject("V_m", &[])]), &[])
}

fn alpha() -> (&'static str, OptionValue) {
    ("bands", OptionValue::Bands(vec![Band { name: "alpha".into(), low: 8.0, high: 13.0 }]))
}

fn locked(seed: u64, shared: f64) -> Outcome {
    let n = 20_000;
    let common = ar2(seed, 0, 0.99, 10.0, n);
    let side = |unit: u32| {
        common.iter().zip(ar2(seed, unit, 0.99, 10.0, n)).map(|(c, e)| shared * c + e).collect::<Vec<f64>>()
    };
    let r = traces(&[side(1), side(2)], 1.0);
    analyse("phase_locking", seed, &r, None, Looked::of(vec![subject("V_m", &[])]), &[alpha()])
}

/// A rhythm of 10 Hz that wanders, and a unit of 20 Hz on average with rate 1 + depth cos(φ − 0.7).
fn spiking(seed: u64, depth: f64) -> Outcome {
    let key = key(seed, "spiking");
    let mut stream = key.stream(1, 0);
    let (mut phase, mut field, mut train) = (0.0, Vec::new(), Vec::new());
    for k in 0..20_000_u64 {
        phase += TAU * 0.01 + 0.02 * normal(key, 0, k);
        field.push(f64::cos(phase));
        if stream.uniform() < 0.02 * (1.0 + depth * (phase - 0.7).cos()) {
            train.push(k as f64);
        }
    }
    let mut r = recording(&[train], 20_000.0);
    r.traces = traces(&[field], 1.0).traces;
    analyse("spike_field", seed, &r, None, Looked::pair(subject("spikes", &[0]), subject("V_m", &[0])), &[alpha()])
}

/// x remembers half of itself, y 0.6 and what of x there is.
fn caused(seed: u64, by: f64) -> Outcome {
    let (e, u) = (normals(seed, 0, 2100), normals(seed, 1, 2100));
    let (mut x, mut y) = (vec![0.0], vec![0.0]);
    for k in 0..2100 {
        y.push(0.6 * y[k] + by * x[k] + u[k]);
        x.push(0.5 * x[k] + e[k]);
    }
    let r = traces(&[x[100..].to_vec(), y[100..].to_vec()], 1.0);
    let options = [("order", OptionValue::Integer(3))];
    analyse("granger", seed, &r, None, Looked::pair(subject("V_m", &[0]), subject("V_m", &[1])), &options)
}

pub fn cases() -> Vec<Case> {
    let chance = "not told from chance";
    let bands = ["band_delta", "band_theta", "band_alpha", "band_beta", "band_gamma"];
    let each = |case: Case, with: &dyn Fn(Case, &'static str) -> Case| bands.iter().fold(case, |c, b| with(c, b));
    let coherence = |method: &'static str, process: &'static str| {
        // Common noise of variance 2.41 in noise of variance 1 on either side: (2.41/3.41)² = 0.5.
        let case = Case::new(process, move |s| coherent(s, method, f64::sqrt(1.0 + f64::sqrt(2.0))));
        each(case.times(400, 0), &|c, b| c.holds(b, 0.5))
            .at_least("peak_coherence", 0.5, "the largest of many")
            .holds("phase", 0.0)
            .holds("delay", 0.0)
    };
    let independent = |method: &'static str, process: &'static str| {
        let case = Case::new(process, move |s| coherent(s, method, 0.0));
        each(case.times(400, 0), &|c, b| c.at_least(b, 0.0, "coherence is not below 0"))
            .without("peak_coherence", chance)
            .without("phase", chance)
            .without("delay", chance)
            .null_at_most("peak_coherence", "all ordinates of the range count, also those that hang together")
            .null("band_gamma")
    };
    vec![
        coherence("welch", "white noise, coherence a half, 1 kHz, 8 s in segments of 0.5 s"),
        coherence("multitaper", "white noise, coherence a half, 1 kHz, 8 s in segments of 0.5 s, seven tapers"),
        independent("welch", "independent white noise, 1 kHz, 8 s in segments of 0.5 s"),
        independent("multitaper", "independent white noise, 1 kHz, 8 s in segments of 0.5 s, seven tapers"),
        Case::new("a sine of 12.3 Hz in white noise, 1 kHz, 8 s in one stretch, seven tapers", |s| with_sine(s, 0.3))
            .times(400, 0)
            .at_least("line", 12.3, "as wide as the resolution")
            .holds("line_amplitude", 0.3)
            .holds("band_delta", 0.006)
            .holds("band_theta", 0.008)
            .without("band_alpha", "a line does not scatter as noise does")
            .holds("band_beta", 0.034)
            .holds("band_gamma", 0.1),
        Case::new("white noise, 1 kHz, 8 s in one stretch, seven tapers", |s| with_sine(s, 0.0))
            .times(400, 0)
            .without("line", chance)
            .without("line_amplitude", chance)
            .holds("band_delta", 0.006)
            .holds("band_theta", 0.008)
            .holds("band_alpha", 0.01)
            .holds("band_beta", 0.034)
            .holds("band_gamma", 0.1)
            .null("line"),
        Case::new("x drives y by 0.15, 2000 samples, order 3", |s| caused(s, 0.15))
            .times(400, 0)
            .holds_its_average("granger"),
        Case::new("y does not hear x, 2000 samples, order 3", |s| caused(s, 0.0))
            .times(400, 0)
            .without("granger", chance)
            .null("granger"),
        Case::new("resonances at 10 Hz with as much in common, 1 kHz, 20 s", |s| locked(s, 1.0))
            .times(400, 0)
            .holds_its_average("plv_alpha")
            .holds_its_average("ppc_alpha")
            .holds("phase_alpha", 0.0),
        Case::new("independent resonances at 10 Hz, 1 kHz, 20 s", |s| locked(s, 0.0))
            .times(400, 0)
            .without("plv_alpha", chance)
            .without("ppc_alpha", chance)
            .without("phase_alpha", chance)
            .null("plv_alpha")
            .null("wpli_alpha"),
        Case::new("a unit of 20 Hz, 1 + 0.8 cos of the phase of a rhythm of 10 Hz, 1 kHz, 20 s", |s| spiking(s, 0.8))
            .times(400, 0)
            .holds("ppc_alpha", 0.16)
            .holds("phase_alpha", 0.7),
        Case::new("a unit of 20 Hz beside a rhythm of 10 Hz, 1 kHz, 20 s", |s| spiking(s, 0.0))
            .times(400, 0)
            .without("ppc_alpha", chance)
            .without("phase_alpha", chance)
            .null("plv_alpha"),
    ]
}
