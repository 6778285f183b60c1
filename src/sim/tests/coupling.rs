//! Continuous projections against closed forms.

use super::{AtomicBool, Network, run, run_on, spec, trace};

#[test]
fn a_gap_junction_equalises_two_cells() {
    // C dv/dt = -v/R + g (v' - v): the difference decays with 1/tau + 2 g/C, the sum with 1/tau. R 100 Mohm, tau 10 ms:
    // C 100 pF.
    let text = "[simulation]\nduration = \"10 ms\"\ndt = \"0.01 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 2\n\
        parameters = { tau_m = \"10 ms\", R_m = \"100 Mohm\", E_L = \"0 mV\", V_th = \"1 V\" }\ninitial = \
        { V_m = { values = [\"1 mV\", \"0 mV\"] } }\n\
        [projections.gap]\nkind = \"continuous\"\nfrom = \"a\"\nto = \"a.I\"\nconnect = \
        { rule = \"all_to_all\", autapses = false }\nweight = \"5 nS\"\nvalue = \"w*(V_m_pre - V_m_post)\"\n\
        [record.a]\ntraces = [{ variables = [\"V_m\"], interval = \"1 ms\" }]\n";
    let result = run(text);
    for (k, row) in trace(&result, "a", "V_m").chunks(2).enumerate() {
        let t = k as f64;
        let (sum, difference) = ((-t / 10.0).exp(), (-t * (0.1 + 2.0 * 5.0 / 100.0)).exp());
        // The coupling is taken from the beginning of each step: an error of first order in dt.
        assert!((row[0] - row[1] - difference).abs() < 1e-3 && (row[0] + row[1] - sum).abs() < 1e-3, "{k}: {row:?}");
    }
}

/// Oscillators of a population, coupled by `value`.
fn kuramoto(value: &str, connect: &str, delay: &str, threads: usize) -> Vec<f64> {
    let text = format!(
        "[simulation]\nduration = 2.0\ndt = 0.01\nseed = 4\n[models.phase]\ntime_unit = \"1\"\nequations = \
         \"dtheta/dt = omega + I : 1\"\nparameters = {{ omega = 1.0 }}\ninputs = {{ I = \"1\" }}\ninitial = {{ theta \
         = 0.0 }}\n\
         [populations.a]\nmodel = \"phase\"\nsize = 600\nparameters = {{ omega = {{ normal = {{ mean = 1.0, sd = 0.3 \
         }} }} }}\ninitial = {{ theta = {{ uniform = [0.0, 6.283185307] }} }}\n\
         [projections.k]\nkind = \"continuous\"\nfrom = \"a\"\nto = \"a.I\"\nconnect = {connect}\nweight = 0.005\n\
         delay = {delay}\nvalue = \"{value}\"\n\
         [record.a]\ntraces = [{{ variables = [\"theta\", \"I\"], interval = 0.5 }}]\n"
    );
    let result = run_on(&text, threads);
    assert_eq!(result.stopped, None);
    [trace(&result, "a", "theta"), trace(&result, "a", "I")].concat()
}

#[test]
fn the_sum_of_products_is_the_sum_over_pairs() {
    // The second form hides the product structure behind max(), so that all pairs are evaluated.
    for delay in ["0.0", "0.3"] {
        let fast = kuramoto("w*sin(theta_pre - theta_post)", "{ rule = \"all_to_all\", autapses = false }", delay, 1);
        let slow =
            kuramoto("w*max(sin(theta_pre - theta_post), -2)", "{ rule = \"all_to_all\", autapses = false }", delay, 1);
        let worst = fast.iter().zip(&slow).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-10, "{worst}");
        assert!(fast.iter().any(|v| v.abs() > 0.1));
    }
}

#[test]
fn all_forms_give_the_same_bits_on_all_threads() {
    for (value, connect, delay) in [
        ("w*sin(theta_pre - theta_post)", "{ rule = \"all_to_all\" }", "0.0"),
        ("w*max(sin(theta_pre - theta_post), -2)", "{ rule = \"all_to_all\" }", "0.1"),
        ("w*sin(theta_pre - theta_post)", "{ rule = \"probability\", p = 0.2 }", "{ uniform = [0.02, 0.2] }"),
    ] {
        let one = kuramoto(value, connect, delay, 1);
        let two = kuramoto(value, connect, delay, 2);
        assert!(one == two, "{connect}");
    }
}

#[test]
fn delayed_values_are_those_of_the_steps_before() {
    // b integrates a's sine with a delay of 30 steps: db/dt = x(t - 0.3), x = cos t, before 0 x = 1.
    let text = "[simulation]\nduration = 2.0\ndt = 0.01\n[models.rotor]\ntime_unit = \"1\"\nequations = \"\"\"\ndx/dt \
                = -y : 1\ndy/dt = x : 1\n\"\"\"\ninitial = { x = 1.0, y = 0.0 }\n\
        [models.sum]\ntime_unit = \"1\"\nequations = \"db/dt = I : 1\"\ninputs = { I = \"1\" }\ninitial = { b = 0.0 }\n\
        [populations.a]\nmodel = \"rotor\"\nsize = 1\n[populations.b]\nmodel = \"sum\"\nsize = 1\n\
        [projections.p]\nkind = \"continuous\"\nfrom = \"a\"\nto = \"b.I\"\nconnect = \"one_to_one\"\ndelay = 0.3\n\
        value = \"x_pre\"\n\
        [record.a]\ntraces = [{ variables = [\"x\"] }]\n[record.b]\ntraces = [{ variables = [\"b\", \"I\"] }]\n";
    let result = run(text);
    let (x, i, b) = (trace(&result, "a", "x"), trace(&result, "b", "I"), trace(&result, "b", "b"));
    for k in 0..=200 {
        assert_eq!(i[k], x[k.max(30) - 30], "{k}");
    }
    let mut sum = 0.0;
    for k in 0..200 {
        assert!((b[k] - sum).abs() < 1e-9, "{k}");
        sum += i[k] * 0.01;
    }
}

/// Two cells that spike and are joined by a gap junction, `n` times side by side.
fn spiking_pairs(n: usize, variables: &str) -> String {
    format!(
        "[simulation]\nduration = \"60 ms\"\ndt = \"0.1 ms\"\nseed = 2\n\
         [models.cell]\nequations = \"\"\"\ndV_m/dt = (g_L*(E_L - V_m) + I)/C_m : V\nI_all = g_L*(E_L - V_m) + I : A\n\
         \"\"\"\n\
         threshold = \"V_m > V_th\"\nreset = \"V_m = E_L\"\nrefractory = {{ time = \"t_ref\", hold = [\"V_m\"] }}\n\
         inputs = {{ I = \"A\" }}\ninitial = {{ V_m = \"E_L\" }}\n\
         parameters = {{ g_L = \"10 nS\", E_L = \"-70 mV\", C_m = \"200 pF\", V_th = \"-55 mV\", t_ref = \"2 ms\" }}\n\
         [populations.a]\nmodel = \"cell\"\nsize = {n}\n[populations.b]\nmodel = \"cell\"\nsize = {n}\n\
         [projections.ab]\nkind = \"continuous\"\nfrom = \"a\"\nto = \"b.I\"\nconnect = \"one_to_one\"\nweight = \"5 \
         nS\"\nvalue = \"w*(V_m_pre - V_m_post)\"\n\
         [stimuli.drive]\ntarget = \"a.I\"\nkind = \"constant\"\namplitude = \"300 pA\"\n\
         [stimuli.also]\ntarget = \"b.I\"\nkind = \"ou_noise\"\nmean = \"320 pA\"\nsigma = \"20 pA\"\ntau = \"5 ms\"\n\
         [record.a]\nspikes = true\ntraces = [{{ variables = [\"V_m\"] }}]\n[record.b]\nspikes = true\ntraces = [{{ \
         variables = [{variables}] }}]\n"
    )
}

/// A recorded input is that of its own grid point, also where units spike: what the projection carries then, with
/// voltages as they are after resets, and beside it states as they were before.
#[test]
fn recorded_inputs_of_units_that_spike_are_those_of_their_grid_point() {
    let result = run(&spiking_pairs(1, "\"V_m\", \"I\", \"I_all\""));
    let silent = run(&spiking_pairs(1, "\"V_m\"")
        .replace("value = \"w*(V_m_pre - V_m_post)\"", "value = \"0*w*(V_m_pre - V_m_post)\""));
    assert_eq!(trace(&silent, "b", "V_m").len(), 601);
    let (a, b) = (trace(&result, "a", "V_m"), trace(&result, "b", "V_m"));
    let (input, all) = (trace(&result, "b", "I"), trace(&result, "b", "I_all"));
    assert_eq!((a.len(), b.len(), input.len(), all.len()), (601, 601, 601, 601));
    let spikes = |p: usize| -> Vec<usize> {
        result.recording.spikes[p].times.iter().map(|t| (t / 0.1).round() as usize).collect()
    };
    assert!(spikes(0).len() > 2 && spikes(1).len() > 2, "{:?}", spikes(1));
    // The stimulus by itself, from a run in which nothing is carried (the same noise).
    let alone = run(&spiking_pairs(1, "\"I\"")
        .replace("value = \"w*(V_m_pre - V_m_post)\"", "value = \"0*w*(V_m_pre - V_m_post)\""));
    let noise = trace(&alone, "b", "I");
    let after = |p: usize, v: &[f64], k: usize| if spikes(p).contains(&k) { -70.0 } else { v[k] };
    for k in 0..=600 {
        let carried = 5.0 * (after(0, a, k) - after(1, b, k));
        assert!((input[k] - noise[k] - carried).abs() < 1e-6, "{k}: {} {}", input[k] - noise[k], carried);
        assert!((all[k] - (10.0 * (-70.0 - b[k]) + input[k])).abs() < 1e-6, "{k}: {} {} {}", all[k], b[k], input[k]);
    }
    // A recorded spike shows the voltage that crossed.
    assert!(spikes(1).iter().all(|&k| b[k] > -55.0));
}

#[test]
fn looking_at_inputs_of_units_that_spike_changes_nothing() {
    let (many, few) = ("\"V_m\", \"I\", \"I_all\"", "\"V_m\"");
    let one = run_on(&spiking_pairs(600, many), 1);
    assert!(one.recording == run_on(&spiking_pairs(600, many), 2).recording, "threads");
    let plain = run_on(&spiking_pairs(600, few), 1);
    assert_eq!(one.recording.spikes, plain.recording.spikes);
    assert!(one.recording.spikes[1].len() > 300, "{}", one.recording.spikes[1].len());
    assert_eq!(trace(&one, "b", "V_m"), trace(&plain, "b", "V_m"));
}

#[test]
fn connections_are_written_in_the_unit_of_their_weight() {
    let text = "[simulation]\nduration = \"1 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 2\n\
        [projections.gap]\nkind = \"continuous\"\nfrom = \"a\"\nto = \"a.I\"\nconnect = \
        { rule = \"all_to_all\", autapses = false }\nweight = \"5 nS\"\nvalue = \"w*(V_m_pre - V_m_post)\"\n\
        [record.a]\nspikes = true\nconnections = true\n";
    let result = run(text);
    let c = &result.recording.connections[0];
    assert_eq!((c.weight_unit.as_str(), c.source.as_slice(), c.target.as_slice()), ("nS", &[0, 1][..], &[1, 0][..]));
    assert!(c.weight.iter().all(|w| (w - 5.0).abs() < 1e-12), "{:?}", c.weight);
}

/// Two cells joined by a conductance, C 250 pF: `2 g dt/C` is 2 at 2500 nS and 0.1 ms.
fn joined(weight: &str, dt: &str, more: &str) -> String {
    let cell = "model = \"lif\"\nparameters = \
                { E_L = \"0 mV\", V_th = \"1000 mV\", V_reset = \"0 mV\", R_m = \"40 Mohm\", tau_m = \"10 ms\" }";
    let joint = |name: &str, from: &str, to: &str| {
        format!(
            "[projections.{name}]\nfrom = \"{from}\"\nto = \"{to}.I\"\nconnect = \"one_to_one\"\nkind = \
             \"continuous\"\n\
             value = \"w*(V_m_pre - V_m_post)\"\nweight = \"{weight}\"\n{more}\n"
        )
    };
    format!(
        "[simulation]\nduration = \"20 ms\"\ndt = \"{dt}\"\n[populations.a]\n{cell}\ninitial = {{ V_m = \"10 mV\" }}\n[populations.b]\n{cell}\n{}{}\
         [record.a]\ntraces = [{{ variables = [\"V_m\"], interval = \"{}\" }}]\n",
        joint("forth", "a", "b"),
        joint("back", "b", "a"),
        if dt == "1 ms" { dt } else { "0.1 ms" }
    )
}

#[test]
fn a_coupling_that_swings_without_bound_is_refused_and_one_that_overshoots_is_told() {
    for (weight, dt) in [("2500 nS", "0.1 ms"), ("25000 nS", "0.1 ms"), ("250 nS", "1 ms")] {
        let refused = Network::examine(&spec(&joined(weight, dt, ""))).unwrap_err().to_string();
        assert!(
            refused.contains("projections.forth and projections.back") && refused.contains("allow_unstable = true"),
            "{refused}"
        );
        let allowed = Network::examine(&spec(&joined(weight, dt, "allow_unstable = true"))).unwrap();
        assert!(allowed[0].contains("would do"), "{allowed:?}");
    }
    let warnings = |weight: &str, dt: &str| Network::examine(&spec(&joined(weight, dt, ""))).unwrap();
    assert!(
        warnings("1500 nS", "0.1 ms")[0].contains("the step times the gain is 1.200"),
        "{:?}",
        warnings("1500 nS", "0.1 ms")
    );
    for (weight, dt) in [("1000 nS", "0.1 ms"), ("2500 nS", "0.02 ms"), ("100 nS", "1 ms")] {
        assert!(warnings(weight, dt).is_empty(), "{weight} {dt}");
    }
    // The step that is named does: V_a,b = 5 exp(-t/tau) +- 5 exp(-t (1/tau + 2 g/C)).
    let result = run(&joined("2500 nS", "0.01 ms", ""));
    for (k, v) in trace(&result, "a", "V_m").iter().enumerate() {
        let t = 0.1 * k as f64;
        let expected = 5.0 * (-t / 10.0).exp() + 5.0 * (-t * (0.1 + 20.0)).exp();
        assert!((v - expected).abs() < 0.4, "{t}: {v} for {expected}");
    }
}

/// 400 rate units, all to all -0.75: 300 times the step over tau, 10 ms.
#[test]
fn rates_under_strong_inhibition_are_held_to_the_step() {
    let rates = |dt: &str, more: &str| {
        format!(
            "[simulation]\nduration = \"200 ms\"\ndt = \"{dt}\"\n[populations.r]\nmodel = \"rate_unit\"\npreset = \
             \"threshold_linear\"\nsize = 400\n\
             parameters = {{ tau = \"10 ms\", I_0 = 1 }}\n[projections.inh]\nfrom = \"r\"\nto = \"r.I\"\nconnect = {{ \
             rule = \"all_to_all\", autapses = true }}\n\
             kind = \"continuous\"\nvalue = \"w*rate_pre\"\nweight = -0.75\n{more}[record.r]\ntraces = [{{ variables \
             = [\"h\"], units = [0], interval = \"10 ms\" }}]\n"
        )
    };
    let refused = Network::examine(&spec(&rates("0.1 ms", ""))).unwrap_err().to_string();
    assert!(refused.contains("the step times the gain is 3.00"), "{refused}");
    let result = run(&rates("0.02 ms", ""));
    let last = *trace(&result, "r", "h").last().unwrap();
    assert!((last - 1.0 / 301.0).abs() < 1e-6, "{last}");
    // Of the same size and of both signs: what excites is the network's own affair.
    let excited = rates("0.1 ms", "").replace("-0.75", "0.75");
    assert!(Network::examine(&spec(&excited)).unwrap().is_empty());
    // A delay of one's own is no matter of the step.
    assert!(Network::examine(&spec(&rates("0.1 ms", "delay = \"1 ms\"\n"))).unwrap().is_empty());
}

/// What holds for the whole stands beside the integrator.
#[test]
fn the_order_of_the_whole_is_told() {
    let network = Network::build(&spec(&joined("100 nS", "0.1 ms", "")), 1, &AtomicBool::new(false)).unwrap();
    assert!(network.integrators().iter().all(|(_, text)| text.ends_with("of order 1 as a whole")));
}

#[test]
fn noise_on_a_grid_is_said_to_be_of_cells() {
    let text = |grid: &str| {
        format!(
            "[simulation]\nduration = 1\ndt = 0.01\n[models.noisy]\ntime_unit = \"1\"\nequations = \"du/dt = \
             D*laplacian(u) - u + s*xi : 1\"\n\
             parameters = {{ D = 1, s = 1 }}\n[populations.f]\nmodel = \"noisy\"\ngrid = {{ {grid}, boundary = \
             \"periodic\" }}\n"
        )
    };
    for grid in ["shape = [40], spacing = 0.5", "shape = [12, 12], spacing = 0.5"] {
        let warnings = Network::examine(&spec(&text(grid))).unwrap();
        assert!(warnings.iter().any(|w| w.contains("drawn for each cell by itself")), "{warnings:?}");
    }
    let silent = text("shape = [40], spacing = 0.5").replace(" + s*xi", " + s");
    assert!(Network::examine(&spec(&silent)).unwrap().is_empty());
}

/// However many connections there are, a coupling that swings without bound at the step is refused, and one that does not
/// is not. The number of connections is on either side of what is kept for the examination.
#[test]
fn stability_is_looked_at_however_many_connections_there_are() {
    let of = |rate: &str, size: usize, p: f64, weight: &str| {
        format!(
            "[simulation]\nduration = 1\ndt = 0.1\nseed = 1\n[models.rate]\ntime_unit = \"1\"\nequations = \"dx/dt = {rate} : \
             1\"\ninitial = {{ x = 0 }}\ninputs = {{ I = \"1\" }}\n[populations.r]\nmodel = \"rate\"\n\
             size = {size}\n[projections.p]\nfrom = \"r\"\nto = \"r.I\"\nkind = \"continuous\"\nconnect = {{ rule = \
             \"probability\", p = {p} }}\nweight = {weight}\nvalue = \"w*x_pre\"\n"
        )
    };
    let text = |size: usize, p: f64, weight: &str| of("-x + I", size, p, weight);
    let examine = |text: &str| Network::examine(&spec(text));
    // Also of a state that no equation reads.
    let refused = examine(&of("I", 300, 0.9, &(-10.0 / (0.1 * 300.0 * 0.9)).to_string())).unwrap_err().to_string();
    assert!(refused.contains("swing without bound"), "{refused}");
    for (size, p) in [(2100, 0.8), (2200, 0.99)] {
        // The step times the gain is 0.1 size p |w|.
        let weight = |gain: f64| -gain / (0.1 * size as f64 * p);
        let refused = examine(&text(size, p, &weight(10.0).to_string())).unwrap_err().to_string();
        assert!(refused.contains("swing without bound"), "{refused}");
        let spread = format!("{{ uniform = [{}, 0] }}", 2.0 * weight(10.0));
        let refused = examine(&text(size, p, &spread)).unwrap_err().to_string();
        assert!(refused.contains("swing without bound"), "{refused}");
        assert!(examine(&text(size, p, &weight(0.5).to_string())).is_ok(), "{size} {p}");
        // Growth is the network's own affair.
        assert!(examine(&text(size, p, &(-weight(10.0)).to_string())).is_ok(), "{size} {p}");
    }
}
