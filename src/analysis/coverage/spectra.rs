//! Spectra.

use super::processes::{ar1, ar2, ar2_density, normals, units};
use super::{Case, Looked, analyse};
use crate::testing::{subject, traces};
use spikedeck_scenario::OptionValue;
use spikedeck_signal::Recording;

fn second() -> (&'static str, OptionValue) {
    ("segment", OptionValue::Number(1.0))
}

fn of_state(seed: u64, columns: &[Vec<f64>], options: super::Settings<'_>) -> crate::Outcome {
    analyse("psd", seed, &traces(columns, 1.0), None, Looked::of(vec![subject("V_m", &[])]), options)
}

fn of_spikes(seed: u64, r: &Recording) -> crate::Outcome {
    analyse("psd", seed, r, None, Looked::of(vec![subject("spikes", &[])]), &[second()])
}

/// The sum over the ordinates of a band of the expected density, 1 Hz apart.
fn band(low: u32, high: u32, density: impl Fn(f64) -> f64) -> f64 {
    (low..high).map(|f| density(f64::from(f))).sum()
}

/// What a Hann taper makes of a density at 1 Hz.
fn tapered(density: impl Fn(f64) -> f64) -> impl Fn(f64) -> f64 {
    move |f| 2.0 / 3.0 * density(f) + (density(f - 1.0) + density(f + 1.0)) / 6.0
}

const FEW: &str = "the spectrum is no line with peaks";

pub fn cases() -> Vec<Case> {
    let chance = "the peak is not told from chance";
    let white = 0.002;
    let resonance = tapered(|f| ar2_density(0.97, 20.0, f));
    let most = (1..100).map(|f| resonance(f64::from(f))).fold(0.0, f64::max);
    vec![
        Case::new("white noise, 1 kHz, 20 s in segments of 1 s", |s| {
            of_state(s, &[normals(s, 0, 20_000)], &[second()])
        })
        .times(400, 100)
        .holds("aperiodic_exponent", 0.0)
        .holds("aperiodic_offset", f64::log10(white))
        .holds("band_delta", 3.0 * white)
        .holds("band_theta", 4.0 * white)
        .holds("band_alpha", 5.0 * white)
        .holds("band_beta", 17.0 * white)
        .holds("band_gamma", 50.0 * white)
        .without("peak", chance)
        .without("peak_power", chance),
        Case::new("white noise, 1 kHz, 4 s at the defaults", |s| of_state(s, &[normals(s, 0, 4000)], &[]))
            .times(400, 0)
            .holds("aperiodic_exponent", 0.0)
            .holds("aperiodic_offset", f64::log10(white))
            .without("band_delta", "fewer than two ordinates")
            .holds_its_average("band_theta")
            .holds_its_average("band_alpha")
            .holds_its_average("band_beta")
            .holds_its_average("band_gamma")
            .without("peak", chance)
            .without("peak_power", chance),
        Case::new("white noise, 1 kHz, the peak up to 100 Hz, 20 s in segments of 1 s", |s| {
            of_state(s, &[normals(s, 0, 20_000)], &[second(), ("peak_max", OptionValue::Number(100.0))])
        })
        .times(400, 0)
        .holds("aperiodic_exponent", 0.0)
        .holds("aperiodic_offset", f64::log10(white))
        .holds("band_delta", 3.0 * white)
        .holds("band_theta", 4.0 * white)
        .holds("band_alpha", 5.0 * white)
        .holds("band_beta", 17.0 * white)
        .holds("band_gamma", 50.0 * white)
        .without("peak", chance)
        .without("peak_power", chance)
        .null_at_most("peak", "the background is a line or, where it is higher, a parabola"),
        Case::new("four units of white noise, 1 kHz, the peak up to 100 Hz, 8 s in segments of 1 s", |s| {
            let columns: Vec<Vec<f64>> = (0..4).map(|u| normals(s, u, 8000)).collect();
            of_state(s, &columns, &[second(), ("peak_max", OptionValue::Number(100.0))])
        })
        .times(400, 0)
        .holds("aperiodic_exponent", 0.0)
        .holds("aperiodic_offset", f64::log10(white))
        .holds("band_delta", 3.0 * white)
        .holds("band_theta", 4.0 * white)
        .holds("band_alpha", 5.0 * white)
        .holds("band_beta", 17.0 * white)
        .holds("band_gamma", 50.0 * white)
        .without("peak", chance)
        .without("peak_power", chance)
        .null_at_most("peak", "the background is a line or, where it is higher, a parabola"),
        Case::new("AR(2) with a resonance at 20 Hz, 1 kHz, 20 s in segments of 1 s", |s| {
            of_state(s, &[ar2(s, 0, 0.97, 20.0, 20_000)], &[second()])
        })
        .times(400, 0)
        .holds("band_delta", band(1, 4, &resonance))
        .holds("band_theta", band(4, 8, &resonance))
        .holds("band_alpha", band(8, 13, &resonance))
        .holds("band_beta", band(13, 30, &resonance))
        .holds("band_gamma", band(30, 80, &resonance))
        .holds_its_average("peak")
        .holds("peak_power", most)
        .without("aperiodic_exponent", FEW)
        .without("aperiodic_offset", FEW),
        Case::new("a sine of 12.5 Hz in white noise, 1 kHz, 20 s in segments of 1 s", |s| {
            let wave = normals(s, 0, 20_000);
            let wave = wave.iter().enumerate().map(|(k, e)| e + 0.4 * (0.025 * std::f64::consts::PI * k as f64).sin());
            of_state(s, &[wave.collect()], &[second()])
        })
        .times(400, 0)
        .holds("aperiodic_exponent", 0.0)
        .holds("aperiodic_offset", f64::log10(white))
        .at_least("peak", 12.5, "never narrower than the resolution")
        .holds_its_average("peak_power")
        .holds("band_delta", 3.0 * white)
        .holds("band_theta", 4.0 * white)
        .holds_its_average("band_alpha")
        .holds_its_average("band_beta")
        .holds("band_gamma", 50.0 * white),
        Case::new("random walk, 1 kHz, fitted up to 50 Hz, 20 s in segments of 1 s", |s| {
            of_state(s, &[ar1(s, 0, 0.9999, 20_000)], &[second(), ("fit_max", OptionValue::Number(50.0))])
        })
        .times(400, 0)
        .holds("aperiodic_exponent", 2.0)
        .holds_its_average("aperiodic_offset")
        .holds_its_average("band_delta")
        .holds_its_average("band_theta")
        .holds_its_average("band_alpha")
        .holds_its_average("band_beta")
        .holds_its_average("band_gamma")
        .without("peak", "the largest ordinate is the first")
        .without("peak_power", "the largest ordinate is the first"),
        Case::new("random walk, 1 kHz, the peak from 5 to 100 Hz, 20 s in segments of 1 s", |s| {
            let range = [second(), ("peak_min", OptionValue::Number(5.0)), ("peak_max", OptionValue::Number(100.0))];
            of_state(s, &[ar1(s, 0, 0.9999, 20_000)], &range)
        })
        .times(400, 0)
        .holds_its_average("aperiodic_exponent")
        .holds_its_average("aperiodic_offset")
        .holds_its_average("band_delta")
        .holds_its_average("band_theta")
        .holds_its_average("band_alpha")
        .holds_its_average("band_beta")
        .holds_its_average("band_gamma")
        .without("peak", "the largest ordinate is the first")
        .without("peak_power", "the largest ordinate is the first"),
        Case::new("one Poisson unit, 20 Hz, 20 s in segments of 1 s", |s| {
            of_spikes(s, &units(s, 1, 1, 20.0, 20_000.0))
        })
        .times(400, 0)
        .holds("aperiodic_exponent", 0.0)
        .holds("aperiodic_offset", 20f64.log10())
        .holds("band_delta", 60.0)
        .holds("band_theta", 80.0)
        .holds("band_alpha", 100.0)
        .holds("band_beta", 340.0)
        .holds("band_gamma", 1000.0)
        .without("peak", chance)
        .without("peak_power", chance)
        .null_at_most("peak", "the background is a line or, where it is higher, a parabola"),
        Case::new("three Poisson units, 5 Hz, 16 s at the defaults", |s| {
            let r = units(s, 3, 1, 5.0, 16_000.0);
            analyse("psd", s, &r, None, Looked::of(vec![subject("spikes", &[])]), &[])
        })
        .times(400, 0)
        .holds("aperiodic_exponent", 0.0)
        .holds("aperiodic_offset", 5f64.log10())
        .holds("band_delta", 15.0)
        .holds("band_theta", 20.0)
        .holds("band_alpha", 25.0)
        .holds("band_beta", 85.0)
        .holds("band_gamma", 250.0)
        .without("peak", chance)
        .without("peak_power", chance),
        Case::new("five gamma(4) units, 20 Hz, 10 s in segments of 1 s", |s| {
            of_spikes(s, &units(s, 5, 4, 20.0, 10_000.0))
        })
        .times(400, 0)
        .without("aperiodic_exponent", FEW)
        .without("aperiodic_offset", FEW)
        .holds_its_average("band_delta")
        .holds_its_average("band_theta")
        .holds_its_average("band_alpha")
        .holds_its_average("band_beta")
        .holds_its_average("band_gamma")
        .without("peak", chance)
        .without("peak_power", chance),
        Case::new("20 Poisson units, 10 Hz, 10 s in segments of 1 s", |s| {
            of_spikes(s, &units(s, 20, 1, 10.0, 10_000.0))
        })
        .times(400, 0)
        .holds("aperiodic_exponent", 0.0)
        .holds("aperiodic_offset", 1.0)
        .holds("band_delta", 30.0)
        .holds("band_theta", 40.0)
        .holds("band_alpha", 50.0)
        .holds("band_beta", 170.0)
        .holds("band_gamma", 500.0)
        .without("peak", chance)
        .without("peak_power", chance)
        .null_at_most("peak", "the background is a line or, where it is higher, a parabola"),
    ]
}
