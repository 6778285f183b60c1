//! Each stimulus against its formula, in the input it drives.

use super::{run, run_on, trace};
use spikedeck_core::normal::normal;
use spikedeck_core::rng::Key;

/// The input of a unit that does not spike, for a stimulus, in pA, at dt 0.1 ms for 40 ms (samples 0 to 400).
fn input(stimulus: &str) -> Vec<f64> {
    input_of(stimulus, 1)
}

fn input_of(stimulus: &str, size: usize) -> Vec<f64> {
    let text = format!(
        "[simulation]\nduration = \"40 ms\"\ndt = \"0.1 ms\"\nseed = 5\n[populations.a]\nmodel = \"lif\"\nsize = \
         {size}\nparameters = {{ V_th = \"1 V\" }}\n\
         [record.a]\ntraces = [{{ variables = [\"I\"] }}]\n[stimuli.s]\ntarget = \"a.I\"\n{stimulus}\n"
    );
    trace(&run(&text), "a", "I").to_vec()
}

fn check(stimulus: &str, formula: impl Fn(f64) -> f64) {
    let found = input(stimulus);
    assert_eq!(found.len(), 401);
    // The last sample lies at the end of the run, where stimuli that last as long as it have stopped.
    for (k, v) in found.iter().enumerate().take(400) {
        let expected = formula(k as f64 * 0.1);
        assert!((v - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{stimulus} at {k}: {v}, expected {expected}");
    }
}

/// 1 where `t` (on the grid, in ms) is in `[a, b)`.
fn inside(t: f64, a: f64, b: f64) -> f64 {
    f64::from(u8::from(t > a - 0.01 && t < b - 0.01))
}

#[test]
fn stimuli_follow_their_formulas() {
    use std::f64::consts::TAU;
    check("kind = \"constant\"\namplitude = \"120 pA\"", |_| 120.0);
    check("kind = \"step\"\namplitude = \"120 pA\"\nstart = \"2 ms\"\nstop = \"7.5 ms\"", |t| {
        120.0 * inside(t, 2.0, 7.5)
    });
    check("kind = \"ramp\"\nfrom = \"10 pA\"\nto = \"110 pA\"\nstart = \"10 ms\"\nstop = \"30 ms\"", |t| {
        if t < 9.99 { 0.0 } else { 10.0 + 100.0 * ((t - 10.0) / 20.0).clamp(0.0, 1.0) }
    });
    check(
        "kind = \"pulse_train\"\namplitude = \"50 pA\"\nstart = \"5 ms\"\nstop = \"26 ms\"\nperiod = \"10 ms\"\nwidth \
         = \"2 ms\"",
        |t| 50.0 * (inside(t, 5.0, 7.0) + inside(t, 15.0, 17.0) + inside(t, 25.0, 27.0)),
    );
    check("kind = \"gaussian_pulse\"\namplitude = \"50 pA\"\ncenter = \"20 ms\"\nsigma = \"3 ms\"", |t| {
        50.0 * (-0.5 * ((t - 20.0) / 3.0).powi(2)).exp()
    });
    check("kind = \"sine\"\namplitude = \"50 pA\"\nfrequency = \"40 Hz\"\nphase = 0.5\noffset = \"7 pA\"", |t| {
        7.0 + 50.0 * (TAU * 0.04 * t + 0.5).sin()
    });
    check("kind = \"sine\"\namplitude = \"50 pA\"\nfrequency = \"40 Hz\"\nrectified = true\nstart = \"10 ms\"", |t| {
        inside(t, 10.0, 1e9) * 50.0 * (TAU * 0.04 * t).sin().abs()
    });
    check(
        "kind = \"chirp\"\namplitude = \"50 pA\"\nf_start = \"10 Hz\"\nf_stop = \"90 Hz\"\nstart = \"0 ms\"\nstop = \
         \"40 ms\"",
        |t| inside(t, 0.0, 40.0) * 50.0 * (TAU * (0.01 * t + 0.5 * 0.08 / 40.0 * t * t)).sin(),
    );
    check("kind = \"expression\"\nvalue = \"[1 nA]*exp(-t/[10 ms])\"", |t| 1000.0 * (-t / 10.0).exp());
}

#[test]
fn several_stimuli_on_one_target_add_up_and_units_are_chosen() {
    let text = "[simulation]\nduration = \"2 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 4\n\
                [record.a]\ntraces = [{ variables = [\"I\"] }]\n\
        [stimuli.one]\ntarget = \"a.I\"\nkind = \"constant\"\namplitude = { linspace = [\"1 pA\", \"4 pA\"] }\n\
        [stimuli.two]\ntarget = \"a.I\"\nunits = [1, 3]\nkind = \"step\"\namplitude = \"10 pA\"\nstart = \"1 ms\"\n\
        [stimuli.three]\ntarget = \"a.I\"\nkind = \"expression\"\nvalue = \"[100 pA]*i*(N - 3)\"\n";
    let result = run(text);
    let rows: Vec<&[f64]> = trace(&result, "a", "I").chunks(4).collect();
    let near = |row: &[f64], expected: [f64; 4]| row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(near(rows[9], [1.0, 102.0, 203.0, 304.0]), "{:?}", rows[9]);
    assert!(near(rows[10], [1.0, 112.0, 203.0, 314.0]), "{:?}", rows[10]);
}

#[test]
fn white_noise_has_its_density_and_is_keyed_by_unit_and_step() {
    // A density of 2 pA s^0.5 at dt 0.1 ms has a standard deviation of 2/sqrt(1e-4) = 200 pA a step.
    let v = input_of("kind = \"white_noise\"\nmean = \"30 pA\"\namplitude = \"2 pA*s**0.5\"", 300);
    let key = Key::new(5, "stimuli.s", "noise");
    for (k, row) in v.chunks(300).enumerate() {
        for (u, found) in row.iter().enumerate() {
            let expected = 30.0 + 200.0 * normal(key, u as u32, k as u64);
            assert!((found - expected).abs() < 1e-9, "{u} {k}: {found} {expected}");
        }
    }
}

#[test]
fn ou_noise_is_stationary_with_its_correlation_time() {
    let n = 2000;
    let v = input_of("kind = \"ou_noise\"\nmean = \"30 pA\"\nsigma = \"5 pA\"\ntau = \"4 ms\"", n);
    let rows: Vec<&[f64]> = v.chunks(n).collect();
    let covariance =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - 30.0) * (y - 30.0)).sum::<f64>() / n as f64;
    for k in [0, 150, 400] {
        let mean = rows[k].iter().sum::<f64>() / n as f64;
        assert!((mean - 30.0).abs() < 4.0 * 5.0 / (n as f64).sqrt(), "{k} {mean}");
        assert!((covariance(rows[k], rows[k]) / 25.0 - 1.0).abs() < 4.0 * (2.0 / n as f64).sqrt());
    }
    // One correlation time is 40 steps.
    assert!((covariance(rows[100], rows[140]) / 25.0 - (-1.0f64).exp()).abs() < 0.1);
}

#[test]
fn gaussian_steps_hold_for_their_interval() {
    let n = 1000;
    let v = input_of("kind = \"gaussian_steps\"\nmean = \"0 pA\"\nsigma = \"5 pA\"\ninterval = \"2 ms\"", n);
    let rows: Vec<&[f64]> = v.chunks(n).collect();
    for k in 1..400 {
        assert_eq!(rows[k] == rows[k - 1], k % 20 != 0, "{k}");
    }
    let sd = (rows[30].iter().map(|x| x * x).sum::<f64>() / n as f64).sqrt();
    assert!((sd - 5.0).abs() < 0.4);
}

#[test]
fn numbers_of_numpys_stream_come_row_by_row() {
    use spikedeck_core::pcg64::Pcg64;
    // numpy.random.default_rng(seed).normal(size=(draws, units)): three units, a draw every second step.
    let n = 3;
    let v = input_of(
        "kind = \"gaussian_steps\"\nmean = \"1 pA\"\nsigma = \"5 pA\"\ninterval = \"0.2 ms\"\ngenerator = \
         \"numpy_pcg64\"",
        n,
    );
    let mut stream = Pcg64::new(5);
    let drawn: Vec<f64> = (0..60).map(|_| 1.0 + 5.0 * stream.normal()).collect();
    for (k, row) in v.chunks(n).take(40).enumerate() {
        for (u, x) in row.iter().enumerate() {
            assert!((x - drawn[k / 2 * n + u]).abs() < 1e-9, "step {k}, unit {u}: {x}");
        }
    }
    // White noise that is not scaled with the step is a draw in every step.
    let v = input_of(
        "kind = \"white_noise\"\nmean = \"1 pA\"\namplitude = \"5 pA\"\nscaling = \"per_sample\"\ngenerator = \
         \"numpy_pcg64\"",
        n,
    );
    for (k, row) in v.chunks(n).take(20).enumerate() {
        assert!(row.iter().zip(&drawn[k * n..]).all(|(a, b)| (a - b).abs() < 1e-9), "step {k}");
    }
}

#[test]
fn poisson_input_has_its_rate_and_window() {
    // 500 units, 1000 sources of 8 Hz, 100 ms active: 500 * 1000 * 8 * 0.1 = 400,000 events, +- 632.
    let text = "[simulation]\nduration = \"200 ms\"\ndt = \"0.1 ms\"\nseed = 3\n[populations.a]\nmodel = \"lif\"\n\
                size = 500\n\
        parameters = { V_th = \"10 V\", tau_m = \"1000 s\" }\ninitial = { V_m = \"0 V\" }\nreceptors.in = \
        { kind = \"delta\" }\n\
        [record.a]\ntraces = [{ variables = [\"V_m\"], interval = \"10 ms\" }]\n\
        [stimuli.p]\ntarget = \"a.in\"\nkind = \"poisson\"\nrate = \"8 Hz\"\nsources = 1000\nweight = \"1 mV\"\nstart \
        = \"50 ms\"\nstop = \"150 ms\"\n";
    let result = run(text);
    assert!((result.events as f64 - 400_000.0).abs() < 4.5 * 632.0, "{}", result.events);
    let rows: Vec<Vec<f64>> = trace(&result, "a", "V_m").chunks(500).map(<[f64]>::to_vec).collect();
    assert!(rows[5].iter().all(|v| v.abs() < 0.01) && rows[6].iter().sum::<f64>() > 1000.0);
    let end: f64 = rows[15].iter().sum();
    assert!((rows[20].iter().sum::<f64>() - end).abs() < 1e-3 * end);
    let again = run_on(text, 2);
    assert_eq!(again.recording, result.recording);
    assert_eq!(again.events, result.events);
}

#[test]
fn listed_spikes_arrive_at_their_time() {
    let text = "[simulation]\nduration = \"2 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 2\n\
        parameters = { V_th = \"10 V\", tau_m = \"1000 s\", E_L = \"0 V\" }\ninitial = { V_m = \"0 V\" }\n\
        receptors.in = { kind = \"delta\" }\n\
        [record.a]\ntraces = [{ variables = [\"V_m\"] }]\n\
        [stimuli.p]\ntarget = \"a.in\"\nkind = \"spikes\"\ntimes = [\"0 ms\", \"0.5 ms\", \"1.23 ms\"]\nweight = \"1 \
        mV\"\n";
    let result = run(text);
    let v: Vec<i64> = trace(&result, "a", "V_m").chunks(2).map(|r| r[1].round() as i64).collect();
    // A spike at time 0 acts from the first step; one between grid points at the nearest.
    assert_eq!(v, [0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
}

#[test]
fn time_in_expressions_has_units_whatever_the_model_counts_in() {
    // Izhikevich's equations are plain numbers per millisecond; the scenario's time is a time all the same.
    let text = "[simulation]\nduration = \"40 ms\"\ndt = \"0.5 ms\"\n[populations.a]\nmodel = \"izhikevich\"\nsize = \
                2\n\
                [record.a]\ntraces = [{ variables = [\"I\"] }]\n[stimuli.s]\ntarget = \"a.I\"\nkind = \"expression\"\n\
                value = \"3*sin(t/[10 ms]) + i\"\n";
    let result = run(text);
    for (k, row) in trace(&result, "a", "I").chunks(2).enumerate().take(80) {
        let expected = 3.0 * (k as f64 * 0.05).sin();
        assert!((row[0] - expected).abs() < 1e-9 && (row[1] - expected - 1.0).abs() < 1e-9, "{k}: {row:?} {expected}");
    }
}

/// A stimulus for `size` units, its units in the order `units`: what they get is what they get without naming them.
fn of_units(stimulus: &str, units: &[u32], size: usize) -> Vec<u64> {
    let level = !stimulus.contains("weight");
    let (target, variable) = if level { ("a.I", "I") } else { ("a.d", "V_m") };
    let text = format!(
        "[simulation]
duration = \"20 ms\"
dt = \"0.1 ms\"
seed = 5
[populations.a]
model = \"lif\"
size = {size}
parameters = {{ V_th = \"1000 V\" }}
receptors.d = {{ kind = \"delta\" }}
[record.a]
traces = [{{ variables = [\"{variable}\"] }}]
[stimuli.s]
target = \"{target}\"
units = {units:?}
{stimulus}
"
    );
    let result = run(&text);
    let rows = trace(&result, "a", variable).chunks(size);
    let named =
        |row: &[f64]| (0..size as u32).map(|u| if units.contains(&u) { row[u as usize] } else { 0.0 }).collect();
    rows.flat_map(|row| -> Vec<f64> { named(row) }).map(f64::to_bits).collect()
}

/// What a unit gets depends neither on the order in which units are named, nor on how often.
#[test]
fn units_are_named_in_any_order_and_count_once() {
    let kinds = [
        "kind = \"constant\"\namplitude = { linspace = [\"1 pA\", \"9 pA\"] }",
        "kind = \"step\"
amplitude = { values = [\"1 pA\", \"2 pA\", \"3 pA\", \"4 pA\", \"5 pA\"] }
start = \"5 ms\"",
        "kind = \"sine\"\namplitude = { uniform = [\"1 pA\", \"9 pA\"] }\nfrequency = \"50 Hz\"",
        "kind = \"expression\"\nvalue = \"[1 pA]*i*t/[1 ms]\"",
        "kind = \"white_noise\"\nmean = \"1 pA\"\namplitude = \"2 pA*s**0.5\"",
        "kind = \"ou_noise\"\nmean = \"1 pA\"\nsigma = { linspace = [\"1 pA\", \"9 pA\"] }\ntau = \"4 ms\"",
        "kind = \"spikes\"\ntimes = [\"1 ms\", \"5 ms\"]\nweight = { linspace = [\"1 mV\", \"9 mV\"] }",
        "kind = \"poisson\"\nrate = \"2 kHz\"\nweight = { linspace = [\"1 mV\", \"9 mV\"] }",
        "kind = \"poisson\"\nrate = { linspace = [\"1 kHz\", \"9 kHz\"] }\nweight = \"1 mV\"",
        "kind = \"poisson\"\nrate = \"[1 kHz]*(i + sin(t/[1 ms])**2)\"\nweight = { linspace = [\"1 mV\", \"9 mV\"] }",
    ];
    for kind in kinds {
        let all = of_units(kind, &[0, 1, 2, 3, 4], 5);
        for units in [&[4, 3, 2, 1, 0][..], &[1, 0, 4, 2, 3], &[0, 1, 2, 3, 4, 4, 0, 2], &[3, 3, 1, 2, 0, 4]] {
            assert!(of_units(kind, units, 5) == all, "{kind} of {units:?}");
        }
        // Of some units, however often and in whatever order they are named; also as many names as there are units.
        let some = of_units(kind, &[0, 3], 5);
        for units in [&[3, 0][..], &[0, 0, 3, 3, 0]] {
            assert!(of_units(kind, units, 5) == some, "{kind} of {units:?}");
        }
    }
}

/// Every stimulus of events arrives at every receptor, whether its events add up or not.
#[test]
fn events_of_every_stimulus_arrive_at_every_receptor() {
    let stimuli = [
        "kind = \"poisson\"\nrate = \"3 kHz\"",
        "kind = \"poisson\"\nrate = \"[3 kHz]*(1 + sin(t/[10 ms]))\"",
        "kind = \"poisson\"\nrate = \"[1000 kHz]*(1 + sin(t/[10 ms]))\"",
        "kind = \"spikes\"\ntimes = [\"1 ms\", \"2 ms\"]",
    ];
    let receptors = spikedeck_model::library().names(spikedeck_model::DefinitionKind::Receptor);
    assert!(receptors.len() > 8);
    for receptor in &receptors {
        let text = |rest: &str| {
            format!(
                "[simulation]\nduration = \"5 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 3\n\
                 receptors.r = {{ kind = \"{receptor}\" }}\n[record.a]\nspikes = true\n{rest}"
            )
        };
        let unit = super::spec(&text("")).populations[0].system.event_ports()[0].weight;
        let weight = spikedeck_core::units::Quantity { value: 1e-13, dimension: unit };
        let weight = if unit.is_none() { "0.01".to_owned() } else { format!("\"{weight}\"") };
        for stimulus in stimuli {
            let rest = format!("[stimuli.s]\ntarget = \"a.r\"\n{stimulus}\nweight = {weight}\n");
            assert!(run(&text(&rest)).events > 0, "{receptor}: {stimulus}");
        }
    }
}

/// A rate that gives no number of events stops the run, and so does one that gives more than can be drawn.
#[test]
fn rates_without_bound_stop_the_run() {
    let text = |kind: &str, rate: &str| {
        format!(
            "[simulation]\nduration = \"5 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 3\n\
             receptors.r = {{ kind = \"{kind}\" }}\n[stimuli.s]\ntarget = \"a.r\"\nkind = \"poisson\"\nunits = [1, 2]\n\
             rate = \"{rate}\"\nweight = {}\n",
            if kind == "delta" { "\"1 nV\"" } else { "1e-9" }
        )
    };
    for kind in ["delta", "saturating_conductance"] {
        for rate in [
            "[1e14 Hz]*(1 + sin(t/[10 ms]))",
            "[1e11 Hz]*(1 + t/[1 ms])",
            "[1e300 Hz]*exp(t/[1 us])",
            "[1 Hz]*sqrt(-1 - t/[1 ms])",
        ] {
            let result = run_on(&text(kind, rate), 1);
            let Some(crate::Stop::NotFinite { variable, unit, cause, .. }) = &result.stopped else {
                panic!("{kind} {rate}: {:?}", result.stopped)
            };
            let expected = crate::Cause::Rate("s".to_owned());
            assert_eq!((variable.as_str(), *unit, cause), ("r", 1, &expected), "{kind} {rate}");
        }
        let refused = crate::Network::examine(&super::spec(&text(kind, "1e14 Hz"))).unwrap_err().to_string();
        assert!(refused.contains("Poisson events a step"), "{refused}");
    }
}

/// A level between grid points brings the charge that is written, whatever the step: V = Q/C where nothing leaks.
#[test]
fn steps_and_pulses_off_the_grid_bring_their_charge() {
    for dt in ["0.1 ms", "0.25 ms", "1 ms", "4 ms"] {
        for (stimulus, length) in [
            ("kind = \"step\"\nstart = \"3.33 ms\"\nstop = \"17.77 ms\"", 14.44),
            ("kind = \"step\"\nstart = \"3.33 ms\"\nstop = \"3.34 ms\"", 0.01),
            (
                "kind = \"pulse_train\"
start = \"1.01 ms\"
stop = \"30 ms\"
period = \"3.3 ms\"
width = \"0.07 ms\"",
                0.63,
            ),
            (
                "kind = \"sine\"
frequency = \"0 Hz\"
phase = 1.5707963267948966
start = \"2.2 ms\"
stop = \"9.9 ms\"",
                7.7,
            ),
        ] {
            let text = format!(
                "[simulation]\nduration = \"40 ms\"\ndt = \"{dt}\"\n[models.capacitor]\ninputs = {{ I = \"A\" }}\n\
                 equations = \"dV/dt = I/[100 pF] : V\"\n[populations.a]\nmodel = \"capacitor\"\n\
                 [record.a]\ntraces = [{{ variables = [\"V\"], interval = \"4 ms\" }}]\n[stimuli.s]\ntarget = \"a.I\"\n\
                 amplitude = \"50 pA\"\n{stimulus}\n"
            );
            let last = *trace(&run(&text), "a", "V").last().unwrap();
            // pA ms / pF is mV.
            assert!((last - 0.5 * length).abs() < 1e-9, "{stimulus}, {dt}: {last}");
        }
    }
}
