use super::*;
use crate::testing::{metric, recording, run, same_values, shifted, subject, traces, value};
use spikedeck_core::normal::normal;
use spikedeck_core::rng::Key;
use spikedeck_scenario::OptionValue;
use std::f64::consts::PI;

fn white(seed: u64, unit: u32, n: usize) -> Vec<f64> {
    let key = Key::new(seed, "coherence", "noise");
    (0..n as u64).map(|k| normal(key, unit, k)).collect()
}

/// The second is the first, later by 2 ms, in as much noise of its own: coherence 1/2 at every frequency.
fn later(seed: u64, n: usize) -> Vec<Vec<f64>> {
    let (x, e) = (white(seed, 0, n + 2), white(seed, 1, n));
    vec![x[2..].to_vec(), (0..n).map(|k| x[k] + e[k]).collect()]
}

fn word(text: &str) -> OptionValue {
    OptionValue::Text(text.into())
}

const PAIR: &str = "p.V_m[0]->p.V_m[1]";

#[test]
fn a_delay_in_noise_is_found_by_both_methods() {
    for method in ["welch", "multitaper"] {
        let options = [("segment", OptionValue::Number(0.5)), ("method", word(method))];
        let o = run(&Coherence, &traces(&later(1, 20_000), 1.0), vec![subject("V_m", &[])], &options).unwrap();
        let delay = metric(&o, PAIR, "delay");
        assert!((delay.value.unwrap() - 2.0).abs() < 0.2 && delay.unit == "ms", "{method}: {delay:?}");
        assert!(delay.ci_low < Some(2.0) && delay.ci_high > Some(2.0), "{method}: {delay:?}");
        let gamma = metric(&o, PAIR, "band_gamma");
        assert!(gamma.ci_low < Some(0.5) && gamma.ci_high > Some(0.5), "{method}: {gamma:?}");
        assert!(gamma.p_value < Some(1e-6));
        let peak = metric(&o, PAIR, "peak_coherence");
        assert!(peak.p_value < Some(1e-4) && peak.ci_low < Some(0.5), "{method}: {peak:?}");
        assert_eq!(o.shapes.len(), 3, "coherence, phase, numbers");
        // K of the page on definitions: the level is 1 − 0.05^(1/(K − 1)).
        let k = value(&o, "segments", "independent_transforms");
        assert!((peak.chance.unwrap() - (1.0 - 0.05f64.powf(1.0 / (k - 1.0)))).abs() < 1e-12);
        assert!(if method == "welch" { (70.0..80.0).contains(&k) } else { (k - 280.0).abs() < 1e-6 }, "{k}");
    }
}

/// One common rhythm in noise: the peak is there, its phase is that of the rhythm, and no slope is made of it.
#[test]
fn a_rhythm_has_a_phase_and_no_delay() {
    let n = 20_000;
    let wave = |shift: f64, e: Vec<f64>| -> Vec<f64> {
        e.iter().enumerate().map(|(k, e)| e + (2.0 * PI * 0.02 * k as f64 - shift).sin()).collect()
    };
    let columns = [wave(0.0, white(2, 0, n)), wave(1.2, white(2, 1, n))];
    let options = [("segment", OptionValue::Number(1.0))];
    let r = traces(&columns, 1.0);
    let o = run(&Coherence, &r, vec![subject("V_m", &[])], &options).unwrap();
    assert!((value(&o, PAIR, "peak") - 20.0).abs() < 1e-9);
    let phase = metric(&o, PAIR, "phase");
    assert!((phase.value.unwrap() + 1.2).abs() < 0.1 && phase.ci_low < Some(-1.2) && phase.ci_high > Some(-1.2));
    assert_eq!(metric(&o, PAIR, "delay").value, None);
    same_values(&o, &run(&Coherence, &shifted(&r, 1e9), vec![subject("V_m", &[])], &options).unwrap(), 1e-9);
}

#[test]
fn what_cannot_be_told_says_why() {
    let n = 4000;
    let mut holed = white(3, 0, n);
    holed[7] = f64::NAN;
    for (bad, why) in [(vec![-65.0; n], "does not vary"), (holed, "sample 7 is NaN")] {
        let columns = [white(3, 1, n), white(3, 2, n), bad];
        let o = run(&Coherence, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert!(metric(&o, PAIR, "peak_coherence").value.is_some(), "the others are told");
        let m = metric(&o, "p.V_m[0]->p.V_m[2]", "peak_coherence");
        assert!(m.value.is_none() && m.note.contains(why), "{m:?}");
    }
    // One segment alone makes anything coherent.
    let r = traces(&[white(4, 0, n), white(4, 1, n)], 1.0);
    let o = run(&Coherence, &r, vec![subject("V_m", &[])], &[("segment", OptionValue::Number(9.0))]).unwrap();
    assert!(metric(&o, PAIR, "peak_coherence").note.contains("coherence is 1 of anything"));
    assert!(o.warnings.iter().any(|w| w.contains("longer than")), "{:?}", o.warnings);
    let short = traces(&[vec![1.0, 2.0, 1.0], vec![0.0, 3.0, 1.0]], 1.0);
    let e = run(&Coherence, &short, vec![subject("V_m", &[])], &[]).unwrap_err();
    assert!(e.to_string().contains("too few"), "{e}");
    let e = run(&Coherence, &r, vec![subject("V_m", &[0])], &[]).unwrap_err();
    assert!(e.to_string().contains("no pair with itself"), "{e}");
}

/// Spikes of two units that follow a common rhythm: coherent at it; a silent unit is said to be silent.
#[test]
fn spikes_are_counted_in_bins_of_a_millisecond() {
    let mut s = Key::new(5, "coherence", "spikes").stream(0, 0);
    let mut train = || -> Vec<f64> {
        (0..40_000)
            .map(f64::from)
            .filter(|t| s.uniform() < 0.03 * (1.0 + (2.0 * PI * 0.025 * t).sin()))
            .map(|t| t + 0.5)
            .collect()
    };
    let r = recording(&[train(), train(), vec![]], 40_000.0);
    let o = run(&Coherence, &r, vec![subject("spikes", &[])], &[("segment", OptionValue::Number(1.0))]).unwrap();
    assert!((value(&o, "p.spikes[0]->p.spikes[1]", "peak") - 25.0).abs() < 1e-9);
    let m = metric(&o, "p.spikes[0]->p.spikes[2]", "peak");
    assert!(m.value.is_none() && m.note.contains("no spike"), "{m:?}");
}

/// The p-value of the largest of all ordinates is not too small without coherence, and uniform where ordinates hang
/// together little. Under seven tapers they hang together more, and p-values are larger.
#[test]
fn p_values_are_not_too_small_under_the_null() {
    for method in ["welch", "multitaper"] {
        let mut p: Vec<f64> = (0..200)
            .map(|seed| {
                let r = traces(&[white(seed + 100, 0, 3000), white(seed + 100, 1, 3000)], 1.0);
                let options = [("segment", OptionValue::Number(0.256)), ("method", word(method))];
                let o = run(&Coherence, &r, vec![subject("V_m", &[])], &options).unwrap();
                metric(&o, PAIR, "peak_coherence").p_value.unwrap()
            })
            .collect();
        p.sort_by(f64::total_cmp);
        let away =
            |sign: f64| p.iter().enumerate().map(|(i, p)| sign * (p - (i as f64 + 0.5) / 200.0)).fold(0.0, f64::max);
        assert!(away(-1.0) < 1.63 / 200f64.sqrt(), "{method}: {}, median {}", away(-1.0), p[100]);
        let most = if method == "welch" { 1.63 / 200f64.sqrt() } else { 0.25 };
        assert!(away(1.0) < most, "{method}: {}, median {}", away(1.0), p[100]);
    }
}

/// Where a signal has no power but that of rounding, there is no coherence; and squares of very large or small values
/// are no numbers.
#[test]
fn rounding_is_not_coherent_and_what_cannot_be_squared_is_refused() {
    for (scale, offset) in [(1.0, 0.0), (1e-12, 0.0), (1e6, 1e3)] {
        let alternating = |first: usize| (0..400).map(|k| offset + scale * ((k + first) % 2) as f64).collect();
        let columns: [Vec<f64>; 2] = [alternating(0), alternating(1)];
        let o = run(&Coherence, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        for name in ["band_gamma", "band_beta"] {
            let m = metric(&o, PAIR, name);
            assert!(m.value.is_none() && m.p_value.is_none() && m.note.contains("power"), "{m:?}");
        }
        // The window spreads what is at Nyquist to its neighbour, and no farther.
        assert!(metric(&o, PAIR, "peak").value.is_none_or(|peak| peak > 450.0));
    }
    for (factor, fits) in [(1e200, false), (1e-200, false), (1e60, true), (1e-60, true)] {
        let columns: Vec<Vec<f64>> = (0..2).map(|u| white(7, u, 400).iter().map(|v| v * factor).collect()).collect();
        let o = run(&Coherence, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[]);
        match o {
            Ok(o) => assert!(fits && value(&o, PAIR, "peak_coherence") < 0.9, "{factor}"),
            Err(e) => assert!(!fits && e.to_string().contains("another unit"), "{factor}: {e}"),
        }
    }
}

/// x drives y, which drives z: x and z are coherent, and given y they are not; p of nothing is not small.
#[test]
fn what_lies_between_is_taken_out() {
    let n = 20_000;
    let add = |a: &[f64], unit: u32| a.iter().zip(white(7, unit, n)).map(|(a, e)| a + e).collect::<Vec<f64>>();
    let x = white(7, 0, n);
    let y = add(&x, 1);
    let z = add(&y, 2);
    let of = |columns: &[Vec<f64>], partial: bool| {
        let options = [("segment", OptionValue::Number(0.25)), ("partial", OptionValue::Flag(partial))];
        run(&Coherence, &traces(columns, 1.0), vec![subject("V_m", &[])], &options)
    };
    let ends = "p.V_m[0]->p.V_m[2]";
    let whole = of(&[x.clone(), y.clone(), z.clone()], false).unwrap();
    let gamma = metric(&whole, ends, "band_gamma");
    assert!(gamma.ci_low < Some(1.0 / 3.0) && gamma.ci_high > Some(1.0 / 3.0), "{gamma:?}");
    let o = of(&[x.clone(), y.clone(), z], true).unwrap();
    let gamma = metric(&o, ends, "band_gamma");
    assert!(gamma.value.unwrap() < 0.02 && gamma.p_value.unwrap() > 0.01, "{gamma:?}");
    assert!(metric(&o, "p.V_m[0]->p.V_m[1]", "band_gamma").value.unwrap() > 0.15);
    let k = |o| value(o, "segments", "independent_transforms");
    assert!((k(&whole) - k(&o) - 1.0).abs() < 1e-12);
    let error = of(&[x, y], true).unwrap_err().to_string();
    assert!(error.contains("three signals"), "{error}");
}
