use super::*;
use crate::testing::{metric, poisson, recording, run, same_values, shifted, subject, traces, value};
use spikedeck_core::rng::Key;
use spikedeck_scenario::{Band, OptionValue};
use std::f64::consts::TAU;

fn word(text: &str) -> OptionValue {
    OptionValue::Text(text.into())
}

fn noise(seed: u64, unit: u32, n: usize) -> Vec<f64> {
    let mut s = Key::new(seed, "psd", "noise").stream(unit, 0);
    (0..n).map(|_| (0..12).map(|_| s.uniform()).sum::<f64>() - 6.0).collect()
}

/// ground-truth.md C11 through the whole analysis: fs 100 Hz, segment 2.56 s.
#[test]
fn two_waves_as_scipy() {
    let x: Vec<f64> = (0..1000).map(f64::from).map(|n| (0.1 * n).sin() + 0.5 * (0.37 * n + 1.0).cos()).collect();
    let r = traces(&[x], 10.0);
    let o = run(&Psd, &r, vec![subject("V_m", &[])], &[("segment", OptionValue::Number(2.56))]).unwrap();
    assert!((value(&o, "p.V_m", "peak") - 4.0 * 100.0 / 256.0).abs() < 1e-12);
    let power = metric(&o, "p.V_m", "peak_power");
    assert!((power.value.unwrap() - 0.847253186).abs() < 6e-10);
    assert_eq!(power.unit, "mV**2/Hz");
    assert!(power.ci_low < power.value && power.value < power.ci_high);
    assert_eq!(metric(&o, "p.V_m", "resolution").n, Some(6));
    let Shape::Series(s) = &o.shapes[0].shape else { panic!() };
    assert!((s.curves[0].y[0] - 9.47749483e-5).abs() < 1e-12, "ordinate 1 is the first shown");
    // Two waves of variance 1/2 and 1/8.
    assert!((value(&o, "p.V_m", "rms") - 0.625f64.sqrt()).abs() < 0.01);
}

#[test]
fn symmetric_hann_of_prior_work() {
    let x: Vec<f64> =
        (0..1000).map(f64::from).map(|n| (0.1 * n).sin() + 0.5 * (0.37 * n + 1.0).cos() + 0.003 * n).collect();
    let r = traces(&[x], 10.0);
    let options =
        [("segment", OptionValue::Number(1.28)), ("window", word("hann_symmetric")), ("scaling", word("spectrum"))];
    let o = run(&Psd, &r, vec![subject("V_m", &[])], &options).unwrap();
    // SciPy 1.17.1, windows.hann(128, sym=True), scaling = "spectrum": data/reference/welch_scipy.json.
    assert!((value(&o, "p.V_m", "peak_power") - 0.5123285055953472).abs() < 1e-12);
    assert_eq!(metric(&o, "p.V_m", "peak_power").unit, "mV**2");
}

#[test]
fn a_rhythm_in_noise_is_found_with_interval_and_significance() {
    let n = 40_000;
    let x: Vec<f64> =
        noise(1, 0, n).iter().enumerate().map(|(i, e)| e + 0.4 * (TAU * 20.0 * i as f64 / 1000.0).sin()).collect();
    let o = run(&Psd, &traces(&[x], 1.0), vec![subject("V_m", &[])], &[("segment", OptionValue::Number(1.0))]).unwrap();
    let peak = metric(&o, "p.V_m", "peak");
    assert!((peak.value.unwrap() - 20.0).abs() < 1e-9);
    assert!(peak.ci_low.unwrap() <= 19.5 && peak.ci_high.unwrap() < 22.0, "{peak:?}");
    assert!(peak.p_value.unwrap() < 1e-6);
    let alpha = metric(&o, "p.V_m", "band_beta");
    // White noise: 2/fs per Hz over 17 Hz, and the sine's 0.08.
    assert!((alpha.value.unwrap() - 0.034 - 0.08).abs() < 0.01, "{alpha:?}");
    let exponent = metric(&o, "p.V_m", "aperiodic_exponent");
    assert!(exponent.value.unwrap().abs() < 0.1, "{exponent:?}");
    assert!(metric(&o, "p.V_m", "band_delta").value.is_some());
}

/// A sine of three periods and more in a second of data is found at the defaults, within the resolution.
#[test]
fn slow_sines_in_short_data_are_found() {
    for frequency in [3.0, 4.0, 5.5, 8.0, 10.0, 40.0] {
        for n in [500.0, 1000.0] {
            let hz = frequency * 1000.0 / n;
            let wave = (0..n as usize).map(|k| (TAU * hz * k as f64 / 1000.0).sin()).collect();
            let o = run(&Psd, &traces(&[wave], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
            let (peak, step) = (metric(&o, "p.V_m", "peak"), value(&o, "p.V_m", "resolution"));
            assert!((peak.value.unwrap() - hz).abs() <= 0.5 * step + 1e-9, "{hz} Hz: {peak:?}");
        }
    }
}

/// Wherever the largest ordinate is at an end of the range there is no peak, no interval and no p-value.
#[test]
fn an_end_of_the_range_is_no_peak() {
    let wave = |hz: f64| -> Vec<f64> {
        let quiet = noise(8, 0, 8000);
        quiet.iter().enumerate().map(|(k, e)| (TAU * hz * k as f64 / 1000.0).sin() + 1e-3 * e).collect()
    };
    for (hz, low, high) in [(10.0, 11.0, 80.0), (30.0, 1.0, 29.0), (10.0, 10.0, 80.0), (25.0, 1.0, 25.0)] {
        let options = [
            ("peak_min", OptionValue::Number(low)),
            ("peak_max", OptionValue::Number(high)),
            ("segment", OptionValue::Number(1.0)),
        ];
        let o = run(&Psd, &traces(&[wave(hz)], 1.0), vec![subject("V_m", &[])], &options).unwrap();
        for name in ["peak", "peak_power"] {
            let m = metric(&o, "p.V_m", name);
            assert!(m.value.is_none() && m.ci_low.is_none() && m.p_value.is_none(), "{hz} in {low} to {high}: {m:?}");
            assert!(m.note.contains("end of the range"), "{m:?}");
        }
        assert!(o.summary.contains("no peak"));
    }
}

/// A band-passed spectrum is no line: told, no interval of the exponent, no p-value of the peak.
#[test]
fn a_band_is_no_line() {
    // Noise that is differenced and smoothed by first-order filters a few times: a band with steep flanks.
    let mut x = noise(5, 0, 60_000);
    for _ in 0..4 {
        let (mut slow, mut fast) = (0.0, 0.0);
        for v in &mut x {
            fast += 0.3 * (*v - fast);
            slow += 0.05 * (fast - slow);
            *v = fast - slow;
        }
    }
    let o = run(&Psd, &traces(&[x], 4.0), vec![subject("V_m", &[])], &[("segment", OptionValue::Number(2.0))]).unwrap();
    assert!(o.warnings.iter().any(|w| w.contains("no line with peaks")), "{:?}", o.warnings);
    for name in ["aperiodic_exponent", "aperiodic_offset"] {
        assert_eq!(metric(&o, "p.V_m", name).ci_low, None);
    }
    assert_eq!(metric(&o, "p.V_m", "peak").p_value, None);
}

/// Independent Poisson units, one or fifty: p-values of the largest ordinate over the Poisson level are fair.
#[test]
fn p_values_of_several_units_are_fair() {
    for units in [1, 50] {
        let low = (0..100)
            .filter(|seed| {
                let trains: Vec<Vec<f64>> = (0..units).map(|u| poisson(500 + seed, u, 20.0, 8000.0)).collect();
                let options = [("f_max", OptionValue::Number(60.0)), ("aperiodic", OptionValue::Flag(false))];
                let o = run(&Psd, &recording(&trains, 8000.0), vec![subject("spikes", &[])], &options).unwrap();
                metric(&o, "p.spikes", "peak").p_value.is_some_and(|p| p <= 0.1)
            })
            .count();
        assert!((3..=18).contains(&low), "{units} units: {low} of 100 at or below 0.1");
    }
}

#[test]
fn white_noise_is_seldom_called_a_rhythm() {
    let significant = (0..60)
        .filter(|&u| {
            let o = run(
                &Psd,
                &traces(&[noise(2, u, 8000)], 1.0),
                vec![subject("V_m", &[])],
                &[("segment", OptionValue::Number(0.5)), ("peak_max", OptionValue::Number(100.0))],
            )
            .unwrap();
            metric(&o, "p.V_m", "peak").p_value.is_some_and(|p| p < 0.05)
        })
        .count();
    assert!(significant <= 9, "{significant} of 60");
}

#[test]
fn slope_of_integrated_noise() {
    let mut x = noise(3, 0, 200_000);
    let mut sum = 0.0;
    for v in &mut x {
        sum = 0.9999 * sum + *v;
        *v = sum;
    }
    let o = run(&Psd, &traces(&[x], 1.0), vec![subject("V_m", &[])], &[("segment", OptionValue::Number(4.0))]).unwrap();
    let m = metric(&o, "p.V_m", "aperiodic_exponent");
    assert!((m.value.unwrap() - 2.0).abs() < 0.1, "{m:?}");
    assert!(m.ci_high.unwrap() - m.ci_low.unwrap() < 0.3);
}

#[test]
fn poisson_spikes_lie_at_their_rate() {
    let trains: Vec<Vec<f64>> = (0..30).map(|u| poisson(11, u, 25.0, 8000.0)).collect();
    let r = recording(&trains, 8000.0);
    let o = run(&Psd, &r, vec![subject("spikes", &[])], &[("f_max", OptionValue::Number(200.0))]).unwrap();
    let Shape::Series(s) = &o.shapes[0].shape else { panic!() };
    let level = s.curves[0].y.iter().sum::<f64>() / s.curves[0].y.len() as f64;
    assert!((level / 25.0 - 1.0).abs() < 0.05, "{level}");
    let chance = metric(&o, "p.spikes", "peak_power");
    assert_eq!(chance.unit, "Hz");
    assert!(s.curves.iter().any(|c| c.name == "Poisson level" && (c.y[0] - 25.0).abs() < 1.0));
    // The population rate: one-sided 2 rate/N.
    let o = run(&Psd, &r, vec![subject("rate", &[])], &[]).unwrap();
    let Shape::Series(s) = &o.shapes[0].shape else { panic!() };
    let level = s.curves[0].y.iter().sum::<f64>() / s.curves[0].y.len() as f64;
    assert!((level / (2.0 * 25.0 / 30.0) - 1.0).abs() < 0.06, "{level}");
    let drawn = s.curves.iter().find(|c| c.name == "Poisson level").unwrap().y[0];
    assert!((drawn / (50.0 / 30.0) - 1.0).abs() < 0.04);
}

#[test]
fn a_clock_at_twelve_hertz() {
    let train: Vec<f64> = (1..=95).map(|k| f64::from(k) * 1000.0 / 12.0).collect();
    let r = recording(&[train], 8000.0);
    for what in ["spikes", "rate"] {
        let o = run(&Psd, &r, vec![subject(what, &[])], &[("peak_max", OptionValue::Number(14.0))]).unwrap();
        assert!((value(&o, &format!("p.{what}"), "peak") - 12.0).abs() < 1.0, "{what}");
    }
}

#[test]
fn blind_to_absolute_time_and_to_the_order_of_units() {
    let columns = vec![noise(4, 0, 4096), noise(4, 1, 4096), noise(4, 2, 4096)];
    let r = traces(&columns, 1.0);
    let o = run(&Psd, &r, vec![subject("V_m", &[])], &[]).unwrap();
    same_values(&o, &run(&Psd, &shifted(&r, 1024.0), vec![subject("V_m", &[])], &[]).unwrap(), 1e-9);
    let mixed = traces(&[columns[2].clone(), columns[0].clone(), columns[1].clone()], 1.0);
    same_values(&o, &run(&Psd, &mixed, vec![subject("V_m", &[])], &[]).unwrap(), 1e-9);
    // The mean over units of white spectra is the spectrum of one; the spectrum of the mean has a third of it.
    let mut averaged = subject("V_m", &[]);
    averaged.mean = true;
    averaged.text = "mean(p.V_m)".into();
    let m = run(&Psd, &r, vec![averaged], &[]).unwrap();
    let ratio = value(&m, "mean(p.V_m)", "rms") / value(&o, "p.V_m", "rms");
    assert!((ratio - (1.0f64 / 3.0).sqrt()).abs() < 0.03, "{ratio}");
}

#[test]
fn what_cannot_be_measured_says_why() {
    let r = traces(&[vec![-65.1; 100]], 1.0);
    let o = run(&Psd, &r, vec![subject("V_m", &[])], &[("segment", OptionValue::Number(10.0))]).unwrap();
    assert!(o.warnings.iter().any(|w| w.contains("longer than the 100 samples")), "{:?}", o.warnings);
    assert_eq!(metric(&o, "p.V_m", "peak").value, None);
    assert_eq!(metric(&o, "p.V_m", "band_delta").value, None);
    let e = run(&Psd, &r, vec![subject("w", &[])], &[]).unwrap_err().to_string();
    assert!(e.starts_with("p.w was not recorded: add `w` to a trace under [record.p]"), "{e}");
    let e = run(&Psd, &traces(&[vec![1.0; 5]], 1.0), vec![subject("V_m", &[])], &[]).unwrap_err().to_string();
    assert!(e.contains("too few"), "{e}");
    let o = run(
        &Psd,
        &traces(&[noise(1, 0, 4000)], 1.0),
        vec![subject("V_m", &[])],
        &[("bands", OptionValue::Bands(vec![Band { name: "slow".into(), low: 2.0, high: 6.0 }]))],
    )
    .unwrap();
    assert!(value(&o, "p.V_m", "band_slow") > 0.0);
}

/// What detrending takes off white noise: the closed form of a Hann taper, and what averages of noise lack.
#[test]
fn detrending_takes_its_share_of_the_first_ordinates() {
    let of = |detrend| Settings { detrend, ..Settings::new(64) };
    let constant = measures::lost(&of(Detrend::Constant));
    assert!((constant[0] - 2.0 / 3.0).abs() < 1e-12 && (constant[1] - 1.0 / 6.0).abs() < 1e-12, "{constant:?}");
    assert!(constant[2..].iter().chain(&measures::lost(&of(Detrend::None))).all(|l| *l < 1e-12));
    let linear = of(Detrend::Linear);
    let power = welch_in_groups(&noise(5, 0, 640_000), 1000.0, &linear, 1).unwrap().power;
    // Noise of variance 1 has a density of 2/1000.
    for (k, lost) in measures::lost(&linear).iter().enumerate().skip(1) {
        assert!((power[k] / 0.002 - (1.0 - lost)).abs() < 0.03, "{k}: {} of {lost}", power[k]);
    }
}

/// Intervals of bands are narrow where segments are alike (a line), and missing where nothing tells them apart.
#[test]
fn bands_rest_on_the_scatter_of_segments() {
    let wave = |k: usize| (TAU * 0.02 * k as f64).sin();
    let width = |noisy: f64| {
        let noise = noise(9, 0, 8000);
        let x: Vec<f64> = (0..8000).map(|k| wave(k) + noisy * noise[k]).collect();
        let segment = [("segment", OptionValue::Number(0.5))];
        let o = run(&Psd, &traces(&[x], 1.0), vec![subject("V_m", &[])], &segment).unwrap();
        let m = metric(&o, "p.V_m", "band_beta").clone();
        m.ends().map(|(low, high)| (high - low) / m.value.unwrap())
    };
    assert!(width(0.1).unwrap() < 0.05, "{:?}", width(0.1));
    assert!(width(10.0).unwrap() > 0.1, "{:?}", width(10.0));
    // 20 Hz are ten cycles of each segment, and five of each step.
    assert_eq!(width(0.0), None);
    let clock: Vec<f64> = (0..400).map(|k| 5.0 + 20.0 * f64::from(k)).collect();
    let of = |segment: f64| {
        let r = recording(std::slice::from_ref(&clock), 8000.0);
        let o = run(&Psd, &r, vec![subject("spikes", &[])], &[("segment", OptionValue::Number(segment))]).unwrap();
        let m = metric(&o, "p.spikes", "band_gamma").clone();
        (m.ends(), m.note)
    };
    let (none, note) = of(1.0);
    assert!(none.is_none() && note.contains("alike"), "{note}");
    let (none, note) = of(4.0);
    assert!(none.is_none() && note.contains("four segments"), "{note}");
}
