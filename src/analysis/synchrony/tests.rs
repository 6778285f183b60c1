use super::*;
use crate::testing::{metric, poisson, recording, run, same_values, shifted, subject, traces, value};
use spikedeck_core::rng::Key;
use spikedeck_scenario::OptionValue;
use spikedeck_signal::Shape;

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b}");
}

/// ground-truth.md C10: the four trains of PySpike's tests, here in milliseconds.
#[test]
fn pyspike_through_the_analysis() {
    let trains =
        [vec![0.2, 0.4, 0.6, 0.7], vec![0.3, 0.45, 0.8, 0.9, 0.95], vec![0.2, 0.4, 0.6], vec![0.1, 0.4, 0.5, 0.6]];
    let trains: Vec<Vec<f64>> = trains.iter().map(|t| t.iter().map(|x| x * 1000.0).collect()).collect();
    let o = run(&Synchrony, &recording(&trains, 1000.0), vec![subject("spikes", &[])], &[]).unwrap();
    close(value(&o, "p.spikes", "isi_distance"), 0.325793651, 1e-9);
    close(value(&o, "p.spikes", "spike_distance"), 0.270820336, 1e-9);
    close(value(&o, "p.spikes", "spike_sync"), 0.375, 1e-12);
    assert_eq!(metric(&o, "p.spikes", "spike_sync").chance, Some(0.25));
    assert_eq!(metric(&o, "p.spikes", "isi_distance").n, Some(6));
    let matrix = |name: &str| {
        o.shapes
            .iter()
            .find_map(|s| match &s.shape {
                Shape::Matrix(m) if s.name.starts_with(name) => Some(m),
                _ => None,
            })
            .unwrap()
    };
    let spike = matrix("SPIKE-distance");
    close(spike.values[3], 0.221424036, 1e-9);
    close(spike.values[12], 0.221424036, 1e-9);
    assert_eq!(spike.values[0], 0.0);
    assert_eq!(matrix("SPIKE-synchronization").values[5], 1.0);
    assert!(o.warnings.iter().any(|w| w.contains("few")));
}

#[test]
fn poisson_trains_lie_at_chance() {
    let trains: Vec<Vec<f64>> = (0..12).map(|u| poisson(21, u, 10.0, 100_000.0)).collect();
    let r = recording(&trains, 100_000.0);
    let o = run(&Synchrony, &r, vec![], &[]).unwrap();
    for (name, tolerance) in [
        ("isi_distance", 0.01),
        ("spike_distance", 0.005),
        ("spike_sync", 0.01),
        ("coincidence", 0.004),
        ("coincidence_lag", 0.05),
    ] {
        let m = metric(&o, "p.spikes", name);
        close(m.value.unwrap(), m.chance.unwrap(), tolerance);
        assert!(m.ci_low.unwrap() < m.ci_high.unwrap());
    }
    let m = metric(&o, "p.spikes", "order_mean");
    close(m.value.unwrap(), m.chance.unwrap(), 0.02);
    assert!(m.p_value.unwrap() > 0.05, "{m:?}");
    assert!(o.warnings.iter().any(|w| w.contains("order") && w.contains("shifted in time")));
}

#[test]
fn a_common_clock_is_perfect_order() {
    let train: Vec<f64> = (1..100).map(|k| f64::from(k) * 10.0).collect();
    let o = run(&Synchrony, &recording(&vec![train; 5], 1000.0), vec![], &[]).unwrap();
    close(value(&o, "p.spikes", "order_mean"), 1.0, 1e-12);
    close(value(&o, "p.spikes", "order_sd"), 0.0, 1e-7);
    close(value(&o, "p.spikes", "spike_distance"), 0.0, 0.0);
    close(value(&o, "p.spikes", "spike_sync"), 1.0, 0.0);
    close(value(&o, "p.spikes", "coincidence"), 1.0, 0.0);
    close(value(&o, "p.spikes", "coincidence_lag"), 0.0, 0.0);
}

#[test]
fn a_fixed_lag_shows_with_its_sign() {
    let first = poisson(3, 0, 5.0, 20_000.0);
    let second: Vec<f64> = first.iter().map(|t| t + 1.5).collect();
    let o = run(&Synchrony, &recording(&[first, second], 20_010.0), vec![], &[]).unwrap();
    let lag = o
        .shapes
        .iter()
        .find_map(|s| match &s.shape {
            Shape::Matrix(m) if s.name.starts_with("lag") => Some(m),
            _ => None,
        })
        .unwrap();
    close(lag.values[1], 1.5, 0.05); // the second is later
    close(lag.values[2], -1.5, 0.05);
    assert!(lag.diverging);
    close(value(&o, "p.spikes", "coincidence"), 1.0, 0.001);
}

#[test]
fn chi_of_voltages() {
    let column = |unit: u32, common: f64| -> Vec<f64> {
        let mut own = Key::new(9, "synchrony", "own").stream(unit, 0);
        let mut shared = Key::new(9, "synchrony", "shared").stream(0, 0);
        (0..5000).map(|_| common * shared.uniform() + (1.0 - common) * own.uniform() - 60.0).collect()
    };
    let independent: Vec<Vec<f64>> = (0..25).map(|u| column(u, 0.0)).collect();
    let o = run(&Synchrony, &traces(&independent, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
    let m = metric(&o, "p.V_m", "chi");
    assert_eq!(m.chance, Some(0.2));
    close(m.value.unwrap(), 0.2, 0.02);
    assert!(m.p_value.unwrap() > 0.05 && o.warnings[0].contains("shifted in time"), "{:?}", o.warnings);
    let identical: Vec<Vec<f64>> = (0..25).map(|u| column(u, 1.0)).collect();
    close(
        value(&run(&Synchrony, &traces(&identical, 1.0), vec![subject("V_m", &[])], &[]).unwrap(), "p.V_m", "chi"),
        1.0,
        1e-12,
    );
    // Half of the amplitude common: chi² = 1/2 + 1/(2 N).
    let half: Vec<Vec<f64>> = (0..25).map(|u| column(u, 0.5)).collect();
    let o = run(&Synchrony, &traces(&half, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
    let m = metric(&o, "p.V_m", "chi2");
    close(m.value.unwrap(), 0.52, 0.02);
    assert!(
        m.ci_low.unwrap() < m.value.unwrap() && m.ci_high.unwrap() < 0.56 && o.warnings.is_empty(),
        "{m:?} {:?}",
        o.warnings
    );
}

/// Two units are enough for the test to pass, and independent ones fail it as often as they should.
#[test]
fn the_warning_can_be_avoided_with_any_number_of_units() {
    let noise = |seed: u64, unit: u32| -> Vec<f64> {
        let mut own = Key::new(seed, "synchrony", "few").stream(unit, 0);
        let mut slow = 0.0;
        (0..2000)
            .map(|_| {
                slow += 0.05 * (own.uniform() - 0.5 - slow);
                slow
            })
            .collect()
    };
    let warned = |o: &crate::Outcome| o.warnings.iter().any(|w| w.contains("shifted in time"));
    for n in 2..10 {
        let same = vec![noise(1, 0); n];
        let o = run(&Synchrony, &traces(&same, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        close(value(&o, "p.V_m", "chi"), 1.0, 1e-12);
        assert!(!warned(&o), "{n}: {:?}", o.warnings);
        let train = poisson(n as u64, 0, 20.0, 4000.0);
        let o = run(&Synchrony, &recording(&vec![train; n], 4000.0), vec![], &[]).unwrap();
        close(value(&o, "p.spikes", "order_mean"), 1.0, 1e-12);
        assert!(!warned(&o), "{n}: {:?}", o.warnings);
    }
    let passed = (0..60)
        .filter(|seed| {
            let columns: Vec<Vec<f64>> = (0..3).map(|u| noise(100 + seed, u)).collect();
            !warned(&run(&Synchrony, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[]).unwrap())
        })
        .count();
    assert!(passed <= 9, "{passed} of 60 independent triples pass at 5 %");
}

#[test]
fn order_of_a_phase_variable() {
    let columns: Vec<Vec<f64>> =
        (0..4).map(|u| (0..1000).map(|k| f64::from(k) * 0.01 + f64::from(u) * 0.5).collect()).collect();
    let o = run(&Synchrony, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[("phase", OptionValue::Flag(true))])
        .unwrap();
    // |1 + e^{i/2} + e^{i} + e^{3i/2}|/4 = |sin 1/sin 0.25|/4
    close(value(&o, "p.V_m", "order_mean"), 1.0f64.sin() / 0.25f64.sin() / 4.0, 1e-12);
    close(value(&o, "p.V_m", "order_sd"), 0.0, 1e-7);
}

#[test]
fn blind_to_absolute_time_and_to_the_order_of_units() {
    let mut trains: Vec<Vec<f64>> = (0..6).map(|u| poisson(30, u, 20.0, 4096.0)).collect();
    let r = recording(&trains, 4096.0);
    let o = run(&Synchrony, &r, vec![], &[]).unwrap();
    same_values(&o, &run(&Synchrony, &shifted(&r, 16384.0), vec![], &[]).unwrap(), 1e-8);
    trains.reverse();
    same_values(&o, &run(&Synchrony, &recording(&trains, 4096.0), vec![], &[]).unwrap(), 1e-10);
}

#[test]
fn one_unit_is_no_synchrony_and_two_single_subjects_are() {
    let r = recording(&[vec![10.0, 20.0], vec![11.0, 22.0]], 100.0);
    let e = run(&Synchrony, &r, vec![subject("spikes", &[0])], &[]).unwrap_err().to_string();
    assert!(e.contains("at least two units"), "{e}");
    let o = run(&Synchrony, &r, vec![subject("spikes", &[0]), subject("spikes", &[1])], &[]).unwrap();
    close(value(&o, "p.spikes[0]+p.spikes[1]", "coincidence"), 1.0, 0.0);
    close(value(&o, "p.spikes[0]+p.spikes[1]", "coincidence_lag"), 1.5, 1e-12);
}

#[test]
fn silence_has_no_numbers_but_reasons() {
    let o = run(&Synchrony, &recording(&vec![vec![]; 5], 100.0), vec![], &[]).unwrap();
    let m = metric(&o, "p.spikes", "order_mean");
    assert!(m.value.is_none() && m.note.contains("0 of 5"));
    assert!(metric(&o, "p.spikes", "coincidence").value.is_none());
    assert!(o.warnings.iter().any(|w| w.contains("empty")));
}

/// What nothing is known of is missing: pairs of silent trains have no share of coincident spikes, and the interval is
/// of what it stands beside.
#[test]
fn silent_pairs_are_no_synchrony() {
    let trains: Vec<Vec<f64>> = (0..50).map(|u| if u < 40 { vec![] } else { poisson(71, u, 10.0, 20_000.0) }).collect();
    let r = recording(&trains, 20_000.0);
    let o = run(&Synchrony, &r, vec![], &[]).unwrap();
    let m = metric(&o, "p.spikes", "spike_sync");
    let (value, (low, high)) = (m.value.unwrap(), m.ends().unwrap());
    assert!(low <= value && value <= high && high < 0.3, "{m:?}");
    let Shape::Matrix(matrix) = &o.shapes.iter().find(|s| s.name.starts_with("SPIKE-synchronization")).unwrap().shape
    else {
        panic!()
    };
    for i in 0..50 {
        for j in 0..50 {
            let v = matrix.values[i * 50 + j];
            assert_eq!(v.is_nan(), i != j && i < 40 && j < 40, "{i} {j}: {v}");
        }
    }
}

/// Trains of several subjects are called by these.
#[test]
fn rows_of_joined_trains_have_different_names() {
    let r = recording(&[poisson(5, 0, 10.0, 5000.0), poisson(5, 1, 10.0, 5000.0)], 5000.0);
    let o = run(&Synchrony, &r, vec![subject("spikes", &[1]), subject("spikes", &[0])], &[]).unwrap();
    let Shape::Matrix(matrix) = &o.shapes.iter().find(|s| s.name.starts_with("ISI")).unwrap().shape else { panic!() };
    assert_eq!(matrix.rows, ["p.spikes[1]", "p.spikes[0]"]);
}
