//! Connections that change: against NEST spike by spike, against closed forms, and the same bits whatever is recorded.

use serde_json::Value;

use super::{SimulationResult, Stop, run, run_on, trace};

/// Two neurons that repeat listed spikes, and the synapse under test between them.
fn pair(pre: &[f64], post: &[f64], plasticity: &str, weight: f64, delay: f64, record: &str) -> String {
    let list = |times: &[f64]| times.iter().map(|t| format!("\"{t} ms\"")).collect::<Vec<_>>().join(", ");
    format!(
        "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n\
         [populations.pre]\nmodel = \"lif\"\nparameters = {{ t_ref = \"0 ms\" }}\nreceptors.in = {{ kind = \"delta\" \
         }}\n\
         [populations.post]\nmodel = \"lif\"\nparameters = {{ t_ref = \"0 ms\" }}\nreceptors.in = {{ kind = \"delta\" \
         }}\nreceptors.syn = {{ kind = \"exp_current\", tau = \"2 ms\" }}\n\
         [stimuli.a]\ntarget = \"pre.in\"\nkind = \"spikes\"\ntimes = [{}]\nweight = \"50 mV\"\n\
         [stimuli.b]\ntarget = \"post.in\"\nkind = \"spikes\"\ntimes = [{}]\nweight = \"50 mV\"\n\
         [projections.syn]\nfrom = \"pre\"\nto = \"post.syn\"\nconnect = \"one_to_one\"\nweight = \"{weight} pA\"\n\
         delay = \"{delay} ms\"\nplasticity = {plasticity}\n\
         [record.pre]\nspikes = true\nconnections = true\n[record.post]\nspikes = true\n{record}",
        list(pre),
        list(post)
    )
}

const EVERY_STEP: &str = "[record.syn]\ntraces = [{ variables = [\"w\"] }]\n";

/// data/reference/plasticity_nest.py: eight synapse models of NEST 3.10, the weight that each of some forty spikes
/// sends. Among the spikes are pairs that reach the synapse in the same step.
#[test]
fn weights_agree_with_nest_spike_by_spike() {
    let reference: Value = serde_json::from_str(include_str!("../../../data/reference/plasticity_nest.json")).unwrap();
    let numbers = |v: &Value| -> Vec<f64> { v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
    let (pre, post) = (numbers(&reference["pre_ms"]), numbers(&reference["post_ms"]));
    let delay = reference["delay_ms"].as_f64().unwrap();
    // The same rules in this program's parameters.
    let cases = [
        (
            "stdp_additive",
            "{ kind = \"stdp_pair\", w_max = \"1 pA\", tau_plus = \"16.8 ms\", tau_minus = \"33.7 ms\", A_plus = \
             0.02, A_minus = 0.022 }",
        ),
        (
            "stdp_multiplicative",
            "{ kind = \"stdp_pair\", preset = \"multiplicative\", w_max = \"1 pA\", A_plus = 0.02, A_minus = 0.022 }",
        ),
        (
            "stdp_gutig",
            "{ kind = \"stdp_pair\", w_max = \"1 pA\", A_plus = 0.02, A_minus = 0.022, mu_plus = 0.4, mu_minus = 0.4 }",
        ),
        (
            "stdp_power_law",
            "{ kind = \"stdp_power_law\", w_0 = \"1 pA\", tau_plus = \"15 ms\", tau_minus = \"30 ms\", lambda = 0.1, \
             alpha = 0.06, mu = 0.4 }",
        ),
        (
            "stdp_triplet",
            "{ kind = \"stdp_triplet\", w_max = \"100 pA\", A2_plus = 0.00005, A3_plus = 0.00006, A2_minus = 0.00007, \
             A3_minus = 0.000023, tau_y = \"125 ms\" }",
        ),
        ("vogels", "{ kind = \"vogels_inhibitory\", w_max = \"10 pA\", eta = 0.001, rho_0 = \"5 Hz\" }"),
        ("tsodyks2", "{ kind = \"tsodyks_markram\", preset = \"mixed\" }"),
        ("tsodyks", "{ kind = \"tsodyks_markram\", preset = [\"mixed\", \"tsodyks_2000\"] }"),
    ];
    assert_eq!(cases.len(), reference["cases"].as_object().unwrap().len());
    for (name, rule) in cases {
        let case = &reference["cases"][name];
        let (weight, expected) = (case["weight"].as_f64().unwrap(), numbers(&case["weights"]));
        let efficacy = name.starts_with("tsodyks");
        let record = if efficacy { EVERY_STEP.replace("\"w\"", "\"efficacy\"") } else { EVERY_STEP.to_owned() };
        let result = run(&pair(&pre, &post, rule, weight, delay, &record));
        assert_eq!(result.recording.spikes[0].times.len(), pre.len(), "{name}");
        assert_eq!(result.recording.spikes[1].times.len(), post.len(), "{name}");
        let values = trace(&result, "syn", if efficacy { "efficacy" } else { "w" });
        for (&t, want) in result.recording.spikes[0].times.iter().zip(&expected) {
            let found = values[(t / 0.1).round() as usize];
            assert!((found - want).abs() < 1e-12 * (1.0 + want.abs()), "{name} at {t} ms: {found}, NEST {want}");
        }
    }
}

#[test]
fn nearest_neighbours_and_van_rossum_by_hand() {
    // post at 10 and 12, pre at 20, post at 30; delay 1 ms.
    let e = |x: f64| (-x / 20.0_f64).exp();
    let rule = |more: &str| format!("{{ kind = \"stdp_pair\", w_max = \"1 pA\", A_plus = 0.1, A_minus = 0.05{more} }}");
    let last = |rule: &str| {
        let r = run(&pair(&[20.0], &[10.0, 12.0, 30.0], rule, 0.5, 1.0, EVERY_STEP));
        *trace(&r, "syn", "w").last().unwrap()
    };
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
    close(last(&rule("")), 0.5 - 0.05 * (e(9.0) + e(7.0)) + 0.1 * e(11.0));
    close(last(&rule(", nearest = 1")), 0.5 - 0.05 * e(7.0) + 0.1 * e(11.0));
    close(last(&rule(", preset = \"van_rossum\"")), 0.5 * (1.0 - 0.05 * (e(9.0) + e(7.0))) + 0.1 * e(11.0));
}

/// The two orders of U(2 - U) and U: definitions that must not be mixed.
#[test]
fn three_conventions_of_short_term_plasticity() {
    let times: Vec<f64> = (0..6).map(|k| 10.0 + 50.0 * f64::from(k)).collect();
    let amplitudes = |preset: &str| -> Vec<f64> {
        let rule = format!("{{ kind = \"tsodyks_markram\", preset = {preset} }}");
        let r = run(&pair(&times, &[], &rule, 1.0, 1.0, &EVERY_STEP.replace("\"w\"", "\"efficacy\"")));
        let values = trace(&r, "syn", "efficacy");
        times.iter().map(|t| values[((t + 5.0) / 0.1).round() as usize]).collect()
    };
    let close = |preset: &str, want: &[f64]| {
        let found = amplitudes(preset);
        assert!(found.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-8), "{preset}: {found:?}");
    };
    // NEST 3.10, spikes every 50 ms.
    close("\"depressing\"", &[0.5, 0.265_146_73, 0.154_834_62, 0.103_020_3, 0.078_682_78, 0.067_251_28]);
    close("\"facilitating\"", &[0.15, 0.238_859_01, 0.273_189_58, 0.278_932_42, 0.275_820_75]);
    close("\"mixed\"", &[0.2, 0.299_497_95, 0.306_263_14, 0.275_270_88]);
    close("[\"depressing\", \"tsodyks_2000\"]", &[0.5, 0.264_262_72, 0.153_952_17]);
    close("[\"facilitating\", \"tsodyks_2000\"]", &[0.15, 0.238_217_37, 0.271_398_12]);
    close("[\"facilitating\", \"raised_before_release\"]", &[0.15 * 1.85]);
}

/// A recurrent network whose weights change, with short-term plasticity beside, delays that differ, and few or many
/// spikes kept.
fn network(record: &str, rules: &str) -> String {
    format!(
        "[simulation]\nduration = \"600 ms\"\ndt = \"0.1 ms\"\nseed = 5\n\
         [populations.exc]\nmodel = \"lif\"\nsize = 700\ninitial = {{ V_m = {{ uniform = [\"-70 mV\", \"-55 mV\"] }} \
         }}\nreceptors.syn = {{ kind = \"exp_current\", tau = \"3 ms\" }}\n\
         [projections.ee]\nfrom = \"exc\"\nto = \"exc.syn\"\nconnect = {{ rule = \"probability\", p = 0.1 }}\nweight \
         = {{ uniform = [\"2 pA\", \"8 pA\"] }}\ndelay = {{ uniform = [\"0.3 ms\", \"2.5 ms\"] }}\nplasticity = \
         {rules}\n\
         [projections.fixed]\nfrom = \"exc\"\nto = \"exc.syn\"\nconnect = {{ rule = \"fixed_indegree\", indegree = 20 \
         }}\nweight = \"-10 pA\"\ndelay = \"0.7 ms\"\n\
         [stimuli.drive]\ntarget = \"exc.I\"\nkind = \"ou_noise\"\nmean = \"400 pA\"\nsigma = \"150 pA\"\ntau = \"5 \
         ms\"\n\
         [record.exc]\nspikes = true\nconnections = true\n{record}"
    )
}

const PAIR: &str = "{ kind = \"stdp_pair\", w_max = \"10 pA\", A_plus = 0.05, A_minus = 0.055 }";
const BOTH: &str = "[{ kind = \"tsodyks_markram\" }, \
                    { kind = \"stdp_pair\", w_max = \"10 pA\", A_plus = 0.05, A_minus = 0.055 }, \
                    { kind = \"synaptic_scaling\", tau_a = \"50 ms\", tau_w = \"200 ms\" }]";
const TAPS: &str = "[record.ee]\ntraces = \
                    [{ variables = [\"w\"], connections = [0, 17, 48000, 3], interval = \"0.7 ms\" }, \
                    { name = \"b\", variables = [\"w\"], connections = \"100..140\", interval = \"100 ms\" }]\n";

#[test]
fn bits_do_not_depend_on_threads_nor_on_looking() {
    for rules in [PAIR, BOTH] {
        let one = run_on(&network(TAPS, rules), 1);
        assert!(one.recording.spikes[0].len() > 5000, "{}", one.recording.spikes[0].len());
        let finals = &one.recording.connections[0];
        assert_eq!(finals.weight_final.len(), finals.weight.len());
        assert!(
            finals.weight.iter().zip(&finals.weight_final).filter(|(a, b)| a != b).count() > finals.weight.len() / 2
        );
        let two = run_on(&network(TAPS, rules), 2);
        assert!(one.recording == two.recording, "threads");
        let blind = run_on(&network("", rules), 1);
        assert_eq!(blind.recording.spikes, one.recording.spikes, "looking");
        assert_eq!(blind.recording.connections, one.recording.connections, "looking");
        // What is looked at ends as what is written.
        let t = one.recording.traces_of("ee", "w").next().unwrap();
        assert_eq!(t.units, [0, 17, 48_000, 3]);
    }
}

#[test]
fn connections_are_numbered_as_they_are_written() {
    let all = network("[record.ee]\ntraces = [{ variables = [\"w\"], interval = \"600 ms\" }]\n", PAIR);
    let result = run_on(&all, 2);
    let t = result.recording.traces_of("ee", "w").next().unwrap();
    let written = &result.recording.connections[0];
    assert_eq!((t.len(), t.units.len()), (2, written.weight.len()));
    assert_eq!(t.values[..written.weight.len()], written.weight[..]);
    assert_eq!(t.values[written.weight.len()..], written.weight_final[..]);
}

#[test]
fn a_weight_without_bounds_ends_the_run() {
    let rule = "[plasticity.runaway]\nequations = \"\"\non_pre = \"w *= 1e60\"\n";
    let times: Vec<f64> = (1..20).map(|k| 10.0 * f64::from(k)).collect();
    let text = pair(&times, &[], "{ kind = \"runaway\" }", 1.0, 1.0, "") + rule;
    let result = run_on(&text, 1);
    let Some(Stop::Diverged { projection, source, target, variable, time }) = result.stopped else {
        panic!("{:?}", result.stopped)
    };
    assert_eq!((projection.as_str(), source, target, variable.as_str()), ("syn", 0, 0, "w"));
    assert!((50.0..=70.0).contains(&time), "{time}");
}

/// States of a connection that follow an equation between spikes, by hand: an eligibility that decays with 20 ms.
#[test]
fn connections_have_states_of_their_own() {
    let rule = "[plasticity.tagged]\nequations = \"dtag/dt = -tag/tau : 1\\ndw/dt = -w/slow : weight\"\non_pre = \
                \"tag += 1\"\non_post = \"w += s*tag\"\nparameters = \
                { tau = \"20 ms\", slow = \"500 ms\", s = { value = 1, unit = \"weight\" } }\n";
    let record = "[record.syn]\ntraces = [{ variables = [\"w\", \"tag\"] }]\n";
    let text = pair(&[20.0, 25.0], &[30.0, 70.0], "{ kind = \"tagged\", s = \"1 pA\" }", 1.0, 1.0, record) + rule;
    let r = run(&text);
    let e = |t: f64, tau: f64| (-t / tau).exp();
    let tag = |t: f64| e(t - 20.0, 20.0) + e(t - 25.0, 20.0);
    let shift = r.recording.spikes[0].times[0] - 20.0;
    let at = |v: &str, t: f64| trace(&r, "syn", v)[((t + shift) / 0.1).round() as usize];
    let want = e(500.0 + shift, 500.0) + tag(31.0) * e(469.0, 500.0) + tag(71.0) * e(429.0, 500.0);
    assert!((at("w", 500.0) - want).abs() < 1e-9, "{} {want}", at("w", 500.0));
    assert!((at("tag", 50.0) - tag(50.0)).abs() < 1e-9);
    let last = r.recording.connections[0].weight_final[0];
    assert!((last - trace(&r, "syn", "w").last().unwrap()).abs() < 1e-12);
}

/// Traces of both ends are recorded as weights are: after the spikes that reach the connection at the grid point of the
/// sample.
#[test]
fn traces_of_both_ends_are_seen_after_what_reaches_the_connection() {
    for delay in [0.0, 1.0, 3.7] {
        let record = "[record.syn]\ntraces = [{ variables = [\"w\", \"x_pre\", \"y_post\"] }]\n";
        let rule = "{ kind = \"stdp_pair\", w_max = \"1 pA\", A_plus = 0.1, A_minus = 0.05 }";
        let r = run(&pair(&[20.0, 60.0], &[30.0, 30.3, 70.0], rule, 0.5, delay, record));
        let e = |steps: i64| if steps < 0 { 0.0 } else { (-(steps as f64) * 0.1 / 20.0).exp() };
        let at =
            |p: usize| -> Vec<i64> { r.recording.spikes[p].times.iter().map(|t| (t / 0.1).round() as i64).collect() };
        let late = (delay / 0.1).round() as i64;
        let (x, y, w) = (trace(&r, "syn", "x_pre"), trace(&r, "syn", "y_post"), trace(&r, "syn", "w"));
        for k in 0..x.len() as i64 {
            let pre: f64 = at(0).iter().map(|s| e(k - s)).sum();
            let post: f64 = at(1).iter().map(|s| e(k - s - late)).sum();
            let (found_pre, found_post) = (x[k as usize], y[k as usize]);
            assert!((found_pre - pre).abs() < 1e-12, "{delay} {k}: {found_pre} {pre}");
            assert!((found_post - post).abs() < 1e-12, "{delay} {k}: {found_post} {post}");
        }
        // The weight moves at the same samples.
        let first = (at(1)[0] + late) as usize;
        assert!(w[first - 1] == 0.5 && w[first] > 0.5 && y[first - 1] == 0.0 && y[first] == 1.0);
    }
}

/// A trace of the source that a rule between rates keeps reaches the connection as late as the source's rate does.
#[test]
fn traces_between_rates_are_as_late_as_rates() {
    let learn = |delay: &str| {
        run(&format!(
            "[simulation]\nduration = \"400 ms\"\ndt = \"1 ms\"\n\
             [populations.a]\nmodel = \"rate_unit\"\nsize = 2\nparameters = {{ I_0 = {{ values = [1.0, 0.5] }} }}\n\
             initial = {{ h = {{ values = [1.0, 0.5] }} }}\n\
             [populations.b]\nmodel = \"rate_unit\"\nparameters = {{ I_0 = 2 }}\ninitial = {{ h = 2 }}\n\
             [projections.p]\nfrom = \"a\"\nto = \"b.I\"\nkind = \"continuous\"\nvalue = \"0*w*h_pre\"\nconnect = \
             \"all_to_all\"\nweight = 0.1\ndelay = {delay}\n\
             plasticity = {{ kind = \"traced\", r_pre = \"h\", r_post = \"h\" }}\n\
             [plasticity.traced]\ngiven = {{ r_pre = \"1\", r_post = \"1\" }}\n\
             equations = \"\"\"\ndx_pre/dt = (r_pre - x_pre)/tau : 1\ndw/dt = s*x_pre*r_post/tau : weight\n\"\"\"\n\
             parameters = {{ tau = \"50 ms\", s = {{ value = 1, unit = \"weight\" }} }}\n\
             [record.a]\nconnections = true\n[record.p]\ntraces = [{{ variables = [\"w\", \"x_pre\"] }}]\n"
        ))
    };
    for (delay, steps) in
        [("\"0 ms\"", [0, 0]), ("\"30 ms\"", [30, 30]), ("{ values = [\"7 ms\", \"64 ms\"] }", [7, 64])]
    {
        let r = learn(delay);
        let (w, x) = (trace(&r, "p", "w"), trace(&r, "p", "x_pre"));
        for k in 0..400_usize {
            for c in 0..2 {
                let since = k.saturating_sub(steps[c]) as f64;
                let want = [1.0, 0.5][c] * (1.0 - (-since / 50.0).exp());
                assert!((x[2 * k + c] - want).abs() < 1e-12, "{delay} {k}: {} {want}", x[2 * k + c]);
                let gain = w[2 * (k + 1) + c] - w[2 * k + c];
                assert!((gain - want * 2.0 / 50.0).abs() < 1e-12, "{delay} {k}: {gain}");
            }
        }
    }
}

#[test]
fn a_rule_in_plain_numbers_between_dimensionless_neurons() {
    let text = r#"
[simulation]
duration = 40
dt = 0.1
[models.unit]
time_unit = "1"
equations = "dv/dt = -v : 1"
threshold = "v > 1"
reset = "v = 0"
[receptors.kick]
time_unit = "1"
given = { v = "1" }
equations = ""
on_event = "v += w"
[populations.pre]
model = "unit"
receptors.in = { kind = "kick" }
[populations.post]
model = "unit"
receptors.in = { kind = "kick" }
receptors.syn = { kind = "kick" }
[stimuli.a]
target = "pre.in"
kind = "spikes"
times = [10, 30]
weight = 2
[stimuli.b]
target = "post.in"
kind = "spikes"
times = [12, 29]
weight = 2
[projections.syn]
from = "pre"
to = "post.syn"
connect = "one_to_one"
weight = 0.1
delay = 0.5
plasticity = { kind = "mine" }
[plasticity.mine]
time_unit = "1"
equations = "dx_pre/dt = -x_pre/tau : 1\ndy_post/dt = -y_post/tau : 1"
on_pre = "w -= b*y_post; x_pre += 1"
on_post = "w += a*x_pre; y_post += 1"
parameters = { tau = 4, a = 0.01, b = 0.02 }
[record.pre]
spikes = true
[record.post]
spikes = true
[record.syn]
traces = [{ variables = ["w"] }]
"#;
    let result = run(text);
    assert_eq!(
        (&*result.recording.spikes[0].times, &*result.recording.spikes[1].times),
        (&[10.0, 30.0][..], &[12.0, 29.0][..])
    );
    let e = |x: f64| (-x / 4.0_f64).exp();
    let expected = 0.1 + 0.01 * (e(2.5) + e(19.5)) - 0.02 * (e(17.5) + e(0.5));
    let w = *trace(&result, "syn", "w").last().unwrap();
    assert!((w - expected).abs() < 1e-12, "{w}, expected {expected}");
}

/// Sixty cells (enough for two threads) with two synapses each on their dendrite, and spikes that are watched at two
/// places.
fn cells(threads: usize) -> SimulationResult {
    let text = r#"
[simulation]
duration = "120 ms"
dt = "0.025 ms"
[populations.input]
model = "lif"
size = 2
parameters = { t_ref = "0 ms" }
receptors.in = { kind = "delta" }
[populations.cells]
model = "membrane"
size = 60
compartments = { per_section = 3 }
channels.na = { kind = "hh_na", in = ["soma"] }
channels.k = { kind = "hh_k", in = ["soma"] }
channels.leak = { kind = "leak", g = "0.3 mS/cm**2", E = "-54.387 mV" }
receptors.syn = { kind = "exp_conductance", at = ["dendrite(0.9)", "dendrite(0.2)"], tau = "2 ms", E_rev = "0 mV" }
threshold_at = ["soma(0.5)", "dendrite(0.5)"]
[populations.cells.sections]
soma = { length = "20 um", diameter = "20 um" }
dendrite = { parent = "soma(1)", length = "100 um", diameter = "2 um" }
[stimuli.a]
target = "input.in"
units = [0]
kind = "spikes"
times = ["30 ms"]
weight = "50 mV"
[stimuli.b]
target = "input.in"
units = [1]
kind = "spikes"
times = ["50 ms"]
weight = "50 mV"
[stimuli.fire]
target = "cells.I"
units = ["soma(0.5)"]
kind = "step"
amplitude = "1 nA"
start = "40 ms"
stop = "41 ms"
[projections.syn]
from = "input"
to = "cells.syn"
connect = "all_to_all"
weight = "0.01 nS"
delay = "1 ms"
plasticity = { kind = "stdp_pair", w_max = "0.02 nS", A_plus = 0.1, A_minus = 0.05 }
[record.input]
spikes = true
connections = true
[record.cells]
spikes = true
[record.syn]
traces = [{ variables = ["w"], interval = "10 ms" }]
"#;
    run_on(text, threads)
}

#[test]
fn synapses_on_a_dendrite_learn_from_the_spikes_of_the_first_place_watched() {
    let result = cells(1);
    assert_eq!(result.stopped, None);
    let spikes = &result.recording.spikes[1];
    // Two places of each cell are watched; those at the soma count.
    let soma: Vec<f64> = spikes.times.iter().zip(&spikes.units).filter(|(_, u)| *u % 2 == 0).map(|(t, _)| *t).collect();
    assert_eq!((spikes.size, soma.len()), (120, 60));
    let post = soma[0];
    assert!(soma.iter().all(|t| *t == post) && (40.0..43.0).contains(&post), "{post}");
    assert!(spikes.len() > 60, "the dendrite passes the threshold too, and does not count twice");
    // A spike of the cell reaches the synapses one delay later: after one input, before the other.
    let e = |x: f64| (-x / 20.0_f64).exp();
    let (up, down) = (0.01 + 0.02 * 0.1 * e(post + 1.0 - 30.0), 0.01 - 0.02 * 0.05 * e(50.0 - post - 1.0));
    let w = trace(&result, "syn", "w");
    let last = &w[w.len() - 240..];
    for (c, w) in last.iter().enumerate() {
        let expected = if c < 120 { up } else { down };
        assert!((w - expected).abs() < 1e-12, "connection {c}: {w}, expected {expected}");
    }
    let written = &result.recording.connections[0];
    assert_eq!((written.target[..3].to_vec(), written.weight_final.len()), (vec![0, 1, 2], 240));
    assert!((written.weight_final[0] - up).abs() < 1e-12 && (written.weight_final[239] - down).abs() < 1e-12);
    let two = cells(2);
    assert!(two.recording == result.recording);
}
