//! What is driven from outside besides inputs: parameters that change during a run, and states that are clamped.

use super::*;

/// The columns of a recorded variable at one sample.
fn at(result: &SimulationResult, variable: &str, sample: usize) -> f64 {
    trace(result, "n", variable)[sample]
}

fn text(ms: u32, model: &str, parameters: &str, initial: &str, rest: &str) -> String {
    format!(
        "[simulation]\nduration = \"{ms} ms\"\ndt = \"0.1 ms\"\nseed = 4\n[populations.n]\nmodel = \"{model}\"\n\
         parameters = {{ {parameters} }}\ninitial = {{ {initial} }}\n{rest}"
    )
}

/// A run in which parameters change at a grid point equals two runs joined there: the second with the new values, from
/// where the first ended. Time constant, resistance and rest of a leaky membrane below threshold, against both.
#[test]
fn a_change_is_two_runs_joined() {
    let drive = "integrator = \"rk4\"\n\
                 [stimuli.i]\ntarget = \"n.I\"\nkind = \"constant\"\namplitude = \"200 pA\"\n\
                 [record.n]\ntraces = [{ variables = [\"V_m\", \"tau_m\", \"E_L\"] }]\n";
    let step = |name: &str, target: &str, by: &str| {
        format!("[stimuli.{name}]\ntarget = \"n.{target}\"\nkind = \"step\"\namplitude = \"{by}\"\nstart = \"30 ms\"\n")
    };
    let changes = [step("a", "tau_m", "10 ms"), step("b", "R_m", "-15 Mohm"), step("c", "E_L", "5 mV")].concat();
    let before = "tau_m = \"10 ms\", R_m = \"40 Mohm\", E_L = \"-70 mV\"";
    let after = "tau_m = \"20 ms\", R_m = \"25 Mohm\", E_L = \"-65 mV\"";
    let whole = run(&text(80, "lif", before, "V_m = \"-68 mV\"", &format!("{drive}{changes}")));
    let first = run(&text(30, "lif", before, "V_m = \"-68 mV\"", drive));
    let joint = at(&first, "V_m", 300);
    let second = run(&text(50, "lif", after, &format!("V_m = \"{joint:?} mV\""), drive));
    for k in 0..=800 {
        let joined = if k <= 300 { at(&first, "V_m", k) } else { at(&second, "V_m", k - 300) };
        assert!((at(&whole, "V_m", k) - joined).abs() < 1e-11, "{k}: {} {joined}", at(&whole, "V_m", k));
    }
    // Closed form of the second part, and the values that the parameters have.
    let v = |t: f64| -60.0 + (joint + 60.0) * (-t / 20.0).exp();
    assert!((at(&whole, "V_m", 800) - v(50.0)).abs() < 1e-9);
    assert_eq!([at(&whole, "tau_m", 299), at(&whole, "E_L", 299)], [10.0, -70.0]);
    assert!((at(&whole, "tau_m", 301) - 20.0).abs() < 1e-12 && (at(&whole, "E_L", 301) + 65.0).abs() < 1e-12);
}

/// The same for a model of many states at its own integrator, and for a threshold and a reset.
#[test]
fn changes_reach_channels_thresholds_and_resets() {
    let drive = "integrator = \"exponential_euler\"\n\
                 [stimuli.i]\ntarget = \"n.I\"\nkind = \"constant\"\namplitude = \"10 uA/cm**2\"\n\
                 [record.n]\nspikes = true\ntraces = [{ variables = [\"V_m\", \"m\", \"h\", \"n\"] }]\n";
    let change = "[stimuli.a]\ntarget = \"n.g_Na\"\nkind = \"step\"\namplitude = \"-70 mS/cm**2\"\nstart = \"20 ms\"\n";
    let whole = run(&text(40, "hodgkin_huxley", "", "", &format!("{drive}{change}")));
    let first = run(&text(20, "hodgkin_huxley", "", "", drive));
    let state = |name: &str| at(&first, name, 200);
    let initial =
        format!("V_m = \"{:?} mV\", m = {:?}, h = {:?}, n = {:?}", state("V_m"), state("m"), state("h"), state("n"));
    let second = run(&text(20, "hodgkin_huxley", "g_Na = \"50 mS/cm**2\"", &initial, drive));
    for k in 200..=400 {
        let (a, b) = (at(&whole, "V_m", k), at(&second, "V_m", k - 200));
        assert!((a - b).abs() < 1e-8, "{k}: {a} {b}");
    }
    // A threshold that falls below where the membrane rests makes it fire, in the step in which it does.
    let drive = "[record.n]\nspikes = true\ntraces = [{ variables = [\"V_m\"] }]\n\
                 [stimuli.a]\ntarget = \"n.V_th\"\nkind = \"protocol\"\nlevels = [\"0 mV\", \"-20 mV\", \"0 mV\"]\n\
                 durations = [\"10 ms\", \"0.1 ms\"]\n";
    let result = run(&text(20, "lif", "t_ref = \"0 ms\"", "V_m = \"-70 mV\"", drive));
    assert_eq!(result.recording.spikes_of("n").unwrap().times, [10.1]);
    // What a reset needs has no value then.
    for name in ["V_reset", "t_ref"] {
        let text = text(20, "lif", "", "", &drive.replace("n.V_th", &format!("n.{name}")));
        let refused = load(&text, None, "t", &Overrides::default(), library(), &Catalog::default(), &NoFiles);
        let said = refused.unwrap_err().to_string();
        assert!(said.contains(&format!("`{name}` is a parameter of `n`")), "{said}");
    }
    // What an event adds needs it at a grid point, where one value ends and the next begins.
    let receptor = "receptors.r = { kind = \"kinetic\" }\n[stimuli.a]\nkind = \"step\"\n";
    for (name, amplitude, may) in [("duration", "1 ms", false), ("beta", "0.1 1/ms", true)] {
        let rest = format!("{receptor}target = \"n.r.{name}\"\namplitude = \"{amplitude}\"\n");
        let text = text(20, "lif", "", "", &rest);
        let read = load(&text, None, "t", &Overrides::default(), library(), &Catalog::default(), &NoFiles);
        let said = read.map_or_else(|report| report.to_string(), |_| String::new());
        assert_eq!(said.contains("does not change during a run"), !may, "{name}: {said}");
        assert_eq!(said.is_empty(), may, "{name}: {said}");
    }
}

/// Gates under a stepped command follow their closed form, and the current of the clamp is that of the channels with
/// the sign that holds the voltage (Hodgkin and Huxley 1952, doi:10.1113/jphysiol.1952.sp004764).
#[test]
fn a_clamped_membrane_has_gates_in_closed_form() {
    let rest = "clamp = \"V_m\"\nintegrator = \"exponential_euler\"\n\
                [stimuli.command]\ntarget = \"n.V_m\"\nkind = \"protocol\"\n\
                levels = [\"-65 mV\", \"0 mV\", \"-80 mV\"]\n\
                durations = [\"5 ms\", \"10 ms\"]\n\
                [record.n]\ntraces = [{ variables = \
                [\"V_m\", \"m\", \"h\", \"n\", \"I_Na\", \"I_K\", \"I_L\", \"I_clamp\"] }]\n";
    let result = run(&text(30, "hodgkin_huxley", "", "", rest));
    assert_eq!([0, 49, 50, 149, 150, 300].map(|k| at(&result, "V_m", k)), [-65.0, -65.0, 0.0, 0.0, -80.0, -80.0]);
    // Per millisecond, at 0 mV.
    let v = 0.0_f64;
    let alpha = [
        0.1 * (v + 40.0) / (1.0 - (-(v + 40.0) / 10.0).exp()),
        0.07 * (-(v + 65.0) / 20.0).exp(),
        0.01 * (v + 55.0) / (1.0 - (-(v + 55.0) / 10.0).exp()),
    ];
    let beta = [
        4.0 * (-(v + 65.0) / 18.0).exp(),
        1.0 / (1.0 + (-(v + 35.0) / 10.0).exp()),
        0.125 * (-(v + 65.0) / 80.0).exp(),
    ];
    for (g, name) in ["m", "h", "n"].into_iter().enumerate() {
        let (a, b) = (alpha[g], beta[g]);
        let start = at(&result, name, 50);
        for k in [51, 60, 100, 150] {
            let t = 0.1 * f64::from(k - 50);
            let expected = a / (a + b) + (start - a / (a + b)) * (-(a + b) * t).exp();
            let found = at(&result, name, k as usize);
            assert!((found - expected).abs() < 1e-9, "{name} at {t} ms: {found}, expected {expected}");
        }
    }
    for k in 0..=300 {
        let [na, potassium, leak, clamp] = ["I_Na", "I_K", "I_L", "I_clamp"].map(|name| at(&result, name, k));
        let sum = na + potassium + leak;
        assert!((clamp - sum).abs() < 1e-9 * (1.0 + sum.abs()), "{k}: {clamp}, expected {sum}");
    }
    // Inward first, then outward.
    let currents: Vec<f64> = (50..150).map(|k| at(&result, "I_clamp", k)).collect();
    let least = currents.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(least < -500.0 && currents[99] > 500.0, "{least} {}", currents[99]);
}

/// A command may be any stimulus: an expression, and a sum of two; receptors and inputs are in the current.
#[test]
fn commands_add_up_and_receptors_are_seen_in_the_current() {
    let rest = "clamp = \"V_m\"\nreceptors.a = { kind = \"exp_conductance\", tau = \"5 ms\", E_rev = \"0 mV\" }\n\
                [stimuli.one]\ntarget = \"n.V_m\"\nkind = \"constant\"\namplitude = \"-70 mV\"\n\
                [stimuli.two]\ntarget = \"n.V_m\"\nkind = \"expression\"\nvalue = \"[10 mV]*sin(t/[3 ms])\"\n\
                [stimuli.input]\ntarget = \"n.I\"\nkind = \"constant\"\namplitude = \"20 pA\"\n\
                [stimuli.event]\ntarget = \"n.a\"\nkind = \"spikes\"\ntimes = [\"4 ms\"]\nweight = \"3 nS\"\n\
                [record.n]\ntraces = [{ variables = [\"V_m\", \"a.g\", \"I_clamp\"] }]\n";
    let result = run(&text(20, "lif", "R_m = \"40 Mohm\", E_L = \"-70 mV\"", "", rest));
    for k in [0, 30, 41, 60, 111, 200] {
        let v = -70.0 + 10.0 * (0.1 * k as f64 / 3.0).sin();
        assert!((at(&result, "V_m", k) - v).abs() < 1e-9);
        // Leak (25 nS), conductance (nS times mV is pA), and what flows in already.
        let g = if k < 40 { 0.0 } else { 3.0 * (-(0.1 * k as f64 - 4.0) / 5.0).exp() };
        assert!((at(&result, "a.g", k) - g).abs() < 1e-9);
        let expected = 25.0 * (v + 70.0) + g * v - 20.0;
        let found = at(&result, "I_clamp", k);
        assert!((found - expected).abs() < 1e-7, "{k}: {found}, expected {expected}");
    }
}

/// A stimulus that is recorded by itself does what it did, and is seen apart from what else arrives.
#[test]
fn a_stimulus_is_recorded_by_itself() {
    let rest = |recorded: &str| {
        format!(
            "receptors.a = {{ kind = \"exp_current\", tau = \"5 ms\" }}\n\
             [stimuli.drive]\ntarget = \"n.I\"\nkind = \"ou_noise\"\nmean = \"300 pA\"\nsigma = \"80 pA\"\n\
             tau = \"4 ms\"\n{recorded}[stimuli.more]\ntarget = \"n.a\"\nkind = \"poisson\"\nrate = \"500 Hz\"\n\
             weight = \"40 pA\"\n[record.n]\nspikes = true\ntraces = [{{ variables = [\"V_m\", \"I\"] }}]\n"
        )
    };
    let plain = run(&text(100, "lif", "", "", &rest("")));
    let traced = rest("recorded = true\n").replace("[\"V_m\", \"I\"]", "[\"V_m\", \"I\", \"I.drive\", \"a.I\"]");
    let whole = run(&text(100, "lif", "", "", &traced));
    assert_eq!(whole.recording.spikes_of("n"), plain.recording.spikes_of("n"));
    assert_eq!(trace(&whole, "n", "V_m"), trace(&plain, "n", "V_m"));
    for k in 0..=1000 {
        let sum = at(&whole, "I.drive", k) + at(&whole, "a.I", k);
        assert!((at(&whole, "I", k) - sum).abs() < 1e-9, "{k}");
    }
    let drive = trace(&whole, "n", "I.drive");
    let mean = drive.iter().sum::<f64>() / drive.len() as f64;
    assert!((mean - 300.0).abs() < 80.0 && drive[10] != drive[11], "{mean}");
}

/// A parameter that is driven keeps to the range that is refused in the text: a stimulus that drives it out ends the
/// run, by name.
#[test]
fn a_stimulus_that_drives_a_parameter_out_of_its_range_ends_the_run() {
    let with = |model: &str, target: &str, amplitude: &str| {
        let text = format!(
            "[simulation]\nduration = \"30 ms\"\ndt = \"0.1 ms\"\n[populations.p]\nmodel = \"{model}\"\nsize = 3\n\
             [stimuli.c]\n\
             target = \"p.{target}\"\nkind = \"step\"\namplitude = \"{amplitude}\"\nstart = \"10 ms\"\nunits = \
             [1]\n\
             [record.p]\nspikes = true\n"
        );
        run_on(&text, 1).stopped
    };
    for (model, target, amplitude) in
        [("lif", "tau_m", "-20 ms"), ("lif", "R_m", "-1 Gohm"), ("adex", "Delta_T", "-50 mV")]
    {
        let stopped = with(model, target, amplitude);
        let Some(Stop::NotFinite { variable, unit, time, cause, .. }) = &stopped else {
            panic!("{model}, {target}: {stopped:?}")
        };
        assert_eq!((variable.as_str(), *unit, cause), (target, 1, &Cause::Range("c".to_owned())), "{model}");
        assert_eq!(*time, 10.0, "{model}, {target}");
    }
    assert_eq!(with("lif", "tau_m", "-5 ms"), None);
    assert_eq!(with("lif", "V_th", "-5 mV"), None);
}

/// What a stimulus adds to a temperature is a difference: as many degrees as kelvin.
#[test]
fn a_change_of_temperature_is_in_kelvin() {
    let text = |celsius: &str, change: &str| {
        format!(
            "[simulation]\nduration = \"50 ms\"\ndt = \"0.01 ms\"\n[populations.p]\nmodel = \"hodgkin_huxley\"\n\
             parameters = \
             {{ celsius = \"{celsius}\" }}\n[stimuli.i]\ntarget = \"p.I\"\nkind = \"constant\"\namplitude = \"20 \
             uA/cm**2\"\n[stimuli.h]\ntarget = \"p.celsius\"\nkind = \"constant\"\namplitude = \"{change}\"\n\
             [record.p]\nspikes = true\n"
        )
    };
    let times = |text: &str| run(text).recording.spikes[0].times.clone();
    let (warm, warmed) = (times(&text("16.3 degC", "0 K")), times(&text("6.3 degC", "10 K")));
    assert!(warm.len() > 5 && warm.len() == warmed.len(), "{} {}", warm.len(), warmed.len());
    assert!(warm.iter().zip(&warmed).all(|(a, b)| (a - b).abs() < 0.02), "{warm:?} {warmed:?}");
    let refused = load(
        &text("6.3 degC", "10 degC"),
        None,
        "test",
        &Overrides::default(),
        library(),
        &Catalog::default(),
        &NoFiles,
    );
    assert!(format!("{:?}", refused.expect_err("ten degrees Celsius are no difference")).contains("as many K"));
}
