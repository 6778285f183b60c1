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
        "[simulation]
duration = \"20 ms\"
dt = \"{dt}\"
[populations.a]
{cell}
initial = {{ V_m = \"10 mV\" }}
[populations.b]
{cell}
{}{}\
         [record.a]
traces = [{{ variables = [\"V_m\"], interval = \"{}\" }}]
",
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

/// However many connections there are, a coupling that swings without bound at the step is refused, and one that does
/// not is not. The number of connections is on either side of what is kept for the examination.
#[test]
fn stability_is_looked_at_however_many_connections_there_are() {
    let of = |rate: &str, size: usize, p: f64, weight: &str| {
        format!(
            "[simulation]
duration = 1
dt = 0.1
seed = 1
[models.rate]
time_unit = \"1\"
equations = \"dx/dt = {rate} : \
             1\"
initial = {{ x = 0 }}
inputs = {{ I = \"1\" }}
[populations.r]
model = \"rate\"
size = {size}
[projections.p]
from = \"r\"
to = \"r.I\"
kind = \"continuous\"
connect = {{ rule = \
             \"probability\", p = {p} }}
weight = {weight}
value = \"w*x_pre\"
"
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

/// Oscillators that are coupled to each other, and to others one to one, in plain numbers.
fn oscillators(integrator: &str, dt: f64, size: usize, more: &str) -> String {
    let population = |name: &str, shift: f64| {
        format!(
            "[populations.{name}]\nmodel = \"duffing\"\nsize = {size}\nintegrator = \"{integrator}\"\n\
             initial = {{ x = \"0.3*cos(1.7*i + {shift})\", y = \"0.4*sin(2.3*i + {shift})\" }}\n"
        )
    };
    format!(
        "[simulation]\nduration = 4\ndt = {dt}\n[models.duffing]\ntime_unit = \"1\"\ninputs = {{ I = \"1\" }}\n\
         equations = \"\"\"\ndx/dt = y : 1\ndy/dt = -x - x**3 + I : 1\ninitial_placeholder = x : 1\n\"\"\"\n{}{}\
         [projections.inside]\nfrom = \"a\"\nto = \"a.I\"\nkind = \"continuous\"\nvalue = \"w*sin(x_pre - x_post)\"\n\
         weight = {}\nconnect = {{ rule = \"all_to_all\", autapses = false }}\n\
         [projections.forth]\nfrom = \"a\"\nto = \"b.I\"\nkind = \"continuous\"\nvalue = \"w*(x_pre**2 - x_post)\"\n\
         weight = 0.5\nconnect = \"one_to_one\"\n\
         [projections.back]\nfrom = \"b\"\nto = \"a.I\"\nkind = \"continuous\"\nvalue = \"w*y_pre*x_post\"\n\
         weight = 0.7\nconnect = \"one_to_one\"\n{more}\
         [record.a]\ntraces = [{{ variables = [\"x\"], interval = 4 }}]\n[record.b]\n\
         traces = [{{ variables = [\"x\"], interval = 4 }}]\n",
        population("a", 0.1),
        population("b", 0.9),
        2.0 / size as f64,
    )
    .replace("initial_placeholder = x : 1\n", "")
}

/// Where the oscillators end.
fn end_of(text: &str) -> Vec<f64> {
    let result = run(text);
    ["a", "b"].iter().flat_map(|p| trace(&result, p, "x").to_vec()).collect()
}

/// Half the step leaves a quarter of the error by Heun's scheme, and a sixteenth by the classical one.
#[test]
fn the_order_of_the_whole_is_that_of_the_scheme() {
    let reference = end_of(&oscillators("rk4", 4.0 / 2560.0, 3, ""));
    let error = |integrator: &str, dt: f64| {
        let found = end_of(&oscillators(integrator, dt, 3, ""));
        found.iter().zip(&reference).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    for (integrator, least, order) in [("euler", 1.5, 1), ("heun", 3.2, 2), ("rk4", 12.0, 4)] {
        let (coarse, fine) = (error(integrator, 0.05), error(integrator, 0.025));
        assert!(coarse / fine > least, "{integrator}: {coarse} and {fine}");
        let spec = spec(&oscillators(integrator, 0.05, 3, ""));
        let network = Network::build(&spec, 1, &AtomicBool::new(false)).unwrap();
        let said = format!("of order {order} as a whole");
        assert!(network.integrators().iter().all(|(_, text)| text.ends_with(&said)), "{:?}", network.integrators());
    }
    assert!(error("rk4", 0.05) < 1e-4);
    // A delay is held, and said to be.
    let delayed = oscillators("rk4", 0.05, 3, "delay = 0.5\n");
    let network = Network::build(&spec(&delayed), 1, &AtomicBool::new(false)).unwrap();
    let said: Vec<bool> = network.integrators().iter().map(|(_, text)| text.contains("held over each step")).collect();
    assert_eq!(said, [true, false]);
}

#[test]
fn stages_are_the_same_on_any_number_of_threads() {
    for integrator in ["heun", "rk4"] {
        let text = oscillators(integrator, 0.05, 700, "");
        assert!(run_on(&text, 1).recording == run_on(&text, 3).recording, "{integrator}");
    }
}

/// 5 exp(-t/tau) +- 5 exp(-t (1/tau + 2 g/C)): the sum is exact, the difference decays at any strength and any step,
/// and to first order as it should.
#[test]
fn implicit_coupling_settles_at_any_step() {
    for weight in ["100 nS", "2500 nS", "25000 nS", "1e9 nS"] {
        for dt in ["0.1 ms", "1 ms"] {
            let text = joined(weight, dt, "implicit = true");
            assert!(Network::examine(&spec(&text)).unwrap().is_empty(), "{weight}, {dt}");
            let text = text.replace("[record.a]", "[record.b]\ntraces = [{ variables = [\"V_m\"] }]\n[record.a]");
            let result = run(&text);
            let (a, b) = (trace(&result, "a", "V_m"), trace(&result, "b", "V_m"));
            let step = if dt == "1 ms" { 1.0 } else { 0.1 };
            for (k, (a, b)) in a.iter().zip(b).enumerate() {
                let sum = 10.0 * (-(k as f64) * step / 10.0).exp();
                assert!((a + b - sum).abs() < 1e-6, "{weight}, {dt}, {k}: {a} and {b}");
                assert!(a - b > -1e-9 * sum, "{weight}, {dt}, {k}: {a} and {b}");
            }
            assert!(a.windows(2).all(|v| v[1] < v[0]), "{weight}, {dt}");
        }
    }
    let error = |dt: &str| {
        let result = run(&joined("100 nS", dt, "implicit = true"));
        let expected = |t: f64| 5.0 * (-t / 10.0).exp() + 5.0 * (-t * (0.1 + 0.8)).exp();
        let v = trace(&result, "a", "V_m").iter().enumerate();
        v.map(|(k, v)| (v - expected(0.1 * k as f64)).abs()).fold(0.0, f64::max)
    };
    let (coarse, fine) = (error("0.1 ms"), error("0.05 ms"));
    assert!(coarse < 0.1 && (1.8..2.2).contains(&(coarse / fine)), "{coarse} {fine}");
}

/// Where a current enters, V_a + V_b = R I and V_a - V_b = I/(g_L + 2 g).
#[test]
fn implicit_coupling_comes_to_rest_where_it_should() {
    for (weight, g) in [("100 nS", 100.0), ("2500 nS", 2500.0)] {
        let text = joined(weight, "0.1 ms", "implicit = true").replace("duration = \"20 ms\"", "duration = \"200 ms\"")
            + "[record.b]\ntraces = [{ variables = [\"V_m\"] }]\n\
               [stimuli.i]\ntarget = \"a.I\"\nkind = \"constant\"\namplitude = \"250 pA\"\n";
        let result = run(&text);
        let (a, b) = (trace(&result, "a", "V_m").last().unwrap(), trace(&result, "b", "V_m").last().unwrap());
        assert!((a + b - 10.0).abs() < 1e-6, "{weight}: {a} and {b}");
        let expected = 250.0 / (25.0 + 2.0 * g);
        assert!(((a - b) / expected - 1.0).abs() < 0.015, "{weight}: {} for {expected}", a - b);
    }
}

/// Neurons that spike and rest, in a chain of gap junctions: the bits do not depend on threads, and at a small step
/// they spike as they do where the coupling is held.
#[test]
fn implicit_coupling_of_neurons_that_spike() {
    let text = |dt: &str, size: usize, more: &str| {
        format!(
            "[simulation]\nduration = \"100 ms\"\ndt = \"{dt}\"\n[populations.n]\nmodel = \"lif\"\nsize = {size}\n\
             initial = {{ V_m = \"[-70 mV] + [3 mV]*sin(1.3*i)\" }}\n\
             [projections.gap]\nfrom = \"n\"\nto = \"n.I\"\nkind = \"continuous\"\nvalue = \"w*(V_m_pre - V_m_post)\"\n\
             weight = \"20 nS\"\nconnect = {{ rule = \"fixed_indegree\", indegree = 4 }}\n{more}\
             [stimuli.i]\ntarget = \"n.I\"\nkind = \"constant\"\namplitude = \"450 pA\"\n[record.n]\nspikes = true\n"
        )
    };
    let one = run_on(&text("0.1 ms", 700, "implicit = true\n"), 1);
    assert!(one.recording == run_on(&text("0.1 ms", 700, "implicit = true\n"), 3).recording);
    assert!(one.recording.spikes[0].len() > 1000, "{}", one.recording.spikes[0].len());
    let count = |dt: &str, more: &str| run(&text(dt, 50, more)).recording.spikes[0].len() as f64;
    // At 0.01 ms either count is a tenth from its limit.
    let (implicit, held) = (count("0.001 ms", "implicit = true\n"), count("0.001 ms", ""));
    assert!((implicit / held - 1.0).abs() < 0.02, "{implicit} and {held}");
}

#[test]
fn implicit_is_refused_where_it_cannot_be_solved_for() {
    let refused = |from: &str, to: &str| {
        let text = joined("100 nS", "0.1 ms", "implicit = true").replace(from, to);
        Network::examine(&spec(&text)).unwrap_err().to_string()
    };
    for value in [
        "w*(V_m_pre - 2*V_m_post)",
        "w*(V_m_pre - V_m_post) + [1 pA]",
        "w*V_m_pre",
        "w*(V_m_pre - V_m_post)**3/[1 mV**2]",
    ] {
        let said = refused("w*(V_m_pre - V_m_post)", value);
        assert!(said.contains("the difference of one state"), "{value}: {said}");
    }
    assert!(refused("weight = \"100 nS\"", "weight = \"-100 nS\"").contains("at least zero"));
}

/// u_t = u_xx - u + xi: the variance of noise that is white in space and time converges to 1/4 (on the grid of spacing
/// h it is 1/(2 sqrt(1 + h^2/4))), whatever brings the noise, on a line and, as far as a cell goes, in the plane.
#[test]
fn noise_that_is_white_in_space_converges_with_the_spacing() {
    let variance = |equations: &str, grid: &str, more: &str| {
        let text = format!(
            "[simulation]\nduration = 400\ndt = 0.02\nseed = 3\n[models.noisy]\ntime_unit = \"1\"\n{equations}\n\
             [populations.f]\nmodel = \"noisy\"\ngrid = {{ {grid}, boundary = \"periodic\" }}\n{more}\
             [record.f]\ntraces = [{{ variables = [\"u\"], interval = 2 }}]\n"
        );
        assert!(Network::examine(&spec(&text)).unwrap().is_empty());
        let result = run(&text);
        let u = trace(&result, "f", "u");
        let settled = &u[u.len() / 10..];
        settled.iter().map(|v| v * v).sum::<f64>() / settled.len() as f64
    };
    let own = "equations = \"du/dt = laplacian(u) - u + xi : 1\"";
    let driven = "inputs = { I = \"1\" }\nequations = \"du/dt = laplacian(u) - u + I : 1\"";
    let white = "[stimuli.n]\ntarget = \"f.I\"\nkind = \"white_noise\"\namplitude = 1\n";
    for (spacing, cells) in [(1.0_f64, 200), (0.5, 400), (0.25, 800)] {
        let expected = 0.5 / (1.0 + spacing * spacing / 4.0).sqrt();
        let grid = format!("shape = [{cells}], spacing = {spacing}, noise_per = 1");
        for (equations, more) in [(own, ""), (driven, white)] {
            let found = variance(equations, &grid, more);
            assert!((found / (0.5 * expected) - 1.0).abs() < 0.06, "{spacing}: {found} for {}", 0.5 * expected);
        }
    }
    // Without diffusion each cell has 1/(2 cell): of a square in the plane.
    let alone = "equations = \"du/dt = 1e-9*laplacian(u) - u + xi : 1\"";
    for (grid, expected) in
        [("shape = [200], spacing = 0.5, noise_per = 2", 2.0), ("shape = [20, 20], spacing = 0.5, noise_per = 1", 2.0)]
    {
        let found = variance(alone, grid, "");
        assert!((found / expected - 1.0).abs() < 0.06, "{grid}: {found}");
    }
}

/// With a delay only what comes from others is late: the target's own part is held over the step, and swings with it.
#[test]
fn delayed_coupling_is_held_against_the_step_by_the_targets_own_part() {
    let build = |value: &str, weight: f64, delay: &str| {
        let text = format!(
            "[simulation]\nduration = \"20 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 2\n\
             parameters = \
             {{ E_L = \"0 mV\", V_th = \"1000 mV\", V_reset = \"0 mV\", R_m = \"40 Mohm\", tau_m = \"10 ms\" \
             }}\ninitial = \
             {{ V_m = \"[10 mV]*i\" }}\n[projections.g]\nfrom = \"a\"\nto = \"a.I\"\nconnect = {{ rule = \
             \"all_to_all\" }}\nkind = \"continuous\"\nvalue = \"{value}\"\nweight = \"{weight} nS\"\ndelay = \
             {delay}\n"
        );
        Network::build(&spec(&text), 1, &AtomicBool::new(false))
            .map(|n| n.warnings().to_vec())
            .map_err(|e| e.to_string())
    };
    // 250 pF: a step of 0.1 ms times w/C is 1 at 2500 nS.
    for delay in ["\"0.1 ms\"", "\"3 ms\"", "{ uniform = [\"0.2 ms\", \"1 ms\"] }"] {
        let told = build("w*(V_m_pre - V_m_post)", 25_000.0, delay).expect_err("it swings without bound");
        assert!(told.contains("without bound") && told.contains("projections.g"), "{told}");
        let warned = build("w*(V_m_pre - V_m_post)", 3_000.0, delay).expect("it settles");
        assert!(warned.len() == 1 && warned[0].contains("overshoot"), "{warned:?}");
        assert_eq!(build("w*(V_m_pre - V_m_post)", 100.0, delay), Ok(Vec::new()));
        // What is late has no part in the step.
        assert_eq!(build("-w*V_m_pre", 25_000.0, delay), Ok(Vec::new()));
    }
}
