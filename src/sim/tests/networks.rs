//! Projections between populations: delays to the step, weights, known responses.

use super::{run, spec, trace};
use crate::Network;
use std::sync::atomic::AtomicBool;

/// A source that fires once, at 1.0 ms, and a target whose V_m jumps by 1 mV when that arrives.
fn jump(delay: &str, extra: &str) -> String {
    format!(
        "[simulation]\nduration = \"5 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 3\ninitial = {{ \
         V_m = \"-70 mV\" }}\nparameters = {{ E_L = \"-70 mV\" }}\nreceptors.in = {{ kind = \"delta\" }}\n\
         [populations.b]\nmodel = \"lif\"\nsize = 3\nparameters = {{ V_th = \"10 V\", tau_m = \"1000 s\", E_L = \"0 \
         V\" }}\ninitial = {{ V_m = \"0 V\" }}\nreceptors.in = {{ kind = \"delta\" }}\n\
         [stimuli.fire]\ntarget = \"a.in\"\nkind = \"spikes\"\ntimes = [\"1 ms\"]\nweight = \"30 mV\"\n\
         [projections.ab]\nfrom = \"a\"\nto = \"b.in\"\nconnect = \"one_to_one\"\nweight = \"1 mV\"\ndelay = {delay}\n\
         [record.a]\nspikes = true\n[record.b]\nconnections = true\ntraces = [{{ variables = [\"V_m\"] }}]\n{extra}"
    )
}

#[test]
fn delays_are_exact_to_the_step() {
    // The spike carries 1.0 ms (sample 10). With delay d it is in V_m at sample 10 + d; with delay 0 it acts from the
    // next step on, so that the sample at its own time, taken before, does not have it.
    for (delay, sample) in [("\"0 ms\"", 11), ("\"0.1 ms\"", 11), ("\"0.2 ms\"", 12), ("\"1.5 ms\"", 25)] {
        let result = run(&jump(delay, ""));
        assert_eq!(result.recording.spikes[0].times, [1.0; 3]);
        let v: Vec<f64> = trace(&result, "b", "V_m").chunks(3).map(|r| r[2]).collect();
        let first = v.iter().position(|&v| v > 0.5);
        assert_eq!(first, Some(sample), "delay {delay}");
        assert!((v[sample] - 1.0).abs() < 1e-4);
        assert_eq!(result.events, 6);
    }
}

#[test]
fn delay_zero_acts_one_step_before_delay_one() {
    // A synaptic current from delay 0 moves V_m in the next step; from delay 1 it is only delivered at the end of that.
    let current = |delay: &str| {
        let text = jump(delay, "").replace(
            "receptors.in = { kind = \"delta\" }\n[stimuli",
            "receptors.in = { kind = \"exp_current\" }\n[stimuli",
        );
        run(&text
            .replace("weight = \"1 mV\"", "weight = \"100 pA\"")
            .replace("tau_m = \"1000 s\"", "tau_m = \"10 ms\""))
    };
    let moves = |delay: &str| trace(&current(delay), "b", "V_m").chunks(3).position(|r| r[0] != 0.0);
    assert_eq!(moves("\"0 ms\""), Some(11));
    assert_eq!(moves("\"0.1 ms\""), Some(12));
    assert_eq!(moves("\"0.2 ms\""), Some(13));
}

#[test]
fn delays_and_weights_that_differ() {
    let text = jump("{ values = [\"0.1 ms\", \"0.4 ms\", \"2 ms\"] }", "")
        .replace("weight = \"1 mV\"\ndelay", "weight = { values = [\"1 mV\", \"2 mV\", \"3 mV\"] }\ndelay")
        .replace("[record.a]\n", "[record.a]\nconnections = true\n")
        .replace("[record.b]\nconnections = true\n", "[record.b]\n");
    let result = run(&text);
    let rows: Vec<&[f64]> = trace(&result, "b", "V_m").chunks(3).collect();
    for (unit, (sample, height)) in [(11, 1.0), (14, 2.0), (30, 3.0)].into_iter().enumerate() {
        assert!(rows[sample - 1][unit].abs() < 1e-3 && (rows[sample][unit] - height).abs() < 1e-3, "unit {unit}");
    }
    let connections = &result.recording.connections[0];
    assert_eq!((connections.projection.as_str(), connections.weight_unit.as_str()), ("ab", "mV"));
    assert_eq!((&connections.source, &connections.target), (&vec![0, 1, 2], &vec![0, 1, 2]));
    assert_eq!(connections.delay, [0.1, 0.4, 2.0]);
    assert!(connections.weight.iter().zip([1.0, 2.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn drawn_delays_are_at_least_a_step_and_counted() {
    let text = jump("{ normal = { mean = \"0.1 ms\", sd = \"0.2 ms\" } }", "")
        .replace("size = 3", "size = 400")
        .replace("[record.a]\n", "[record.a]\nconnections = true\n");
    let network = Network::build(&spec(&text), 2, &AtomicBool::new(false)).unwrap();
    let (count, rounded) = network.connections();
    // Rounded below one step: the draw is under half a step, z < (0.05 - 0.1)/0.2 = -0.25, 40.1 % of 400.
    assert_eq!(count, 400);
    assert!((130..192).contains(&rounded), "{rounded}");
    let result = network.run(&mut super::Quiet);
    assert!(result.recording.connections[0].delay.iter().all(|&d| d >= 0.1));
}

/// Closed form (ground truth C2): tau_m 10 ms, tau_s 2 ms, C 250 pF, 100 pA: peak 0.53499224 mV at 4.02359478 ms.
#[test]
fn exponential_current_gives_the_known_postsynaptic_potential() {
    let text = "[simulation]\nduration = \"20 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 1\n\
        parameters = { tau_m = \"10 ms\", R_m = \"40 Mohm\", E_L = \"0 mV\", V_th = \"1 V\" }\ninitial = \
        { V_m = \"0 mV\" }\n\
        receptors.syn = { kind = \"exp_current\", tau = \"2 ms\" }\n[record.a]\ntraces = \
        [{ variables = [\"V_m\", \"syn.I_syn\"] }]\n\
        [stimuli.s]\ntarget = \"a.syn\"\nkind = \"spikes\"\ntimes = [\"1 ms\"]\nweight = \"100 pA\"\n";
    let result = run(text);
    let v = trace(&result, "a", "V_m");
    let peak = v.iter().copied().fold(f64::MIN, f64::max);
    let at = v.iter().position(|&x| x == peak).unwrap();
    assert_eq!(at, 50, "the grid point nearest to 1 + 4.0236 ms");
    assert!((peak - 0.534_992_24).abs() < 1e-5, "{peak}");
    for (k, v) in v.iter().enumerate() {
        let t = (k as f64 * 0.1 - 1.0).max(0.0);
        // w R tau_s/(tau_m - tau_s) (e^(-t/tau_m) - e^(-t/tau_s))
        let expected = 100e-12 * 40e6 * 1e3 * 2.0 / 8.0 * ((-t / 10.0).exp() - (-t / 2.0).exp());
        assert!((v - expected).abs() < 1e-12, "{k}: {v} {expected}");
    }
    assert_eq!(trace(&result, "a", "syn.I_syn")[10], 100.0);
}

#[test]
fn units_parameters_and_positions_are_in_the_recording() {
    let text = "[simulation]\nduration = \"1 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 6\n\
        positions = { grid = [3, 2], spacing = \"50 um\" }\n\
        parameters = { tau_m = { linspace = [\"10 ms\", \"20 ms\"] }, V_th = \"[-50 mV] + [1 mV]*i\" }\ninitial = \
        { V_m = \"E_L + [10 mV]*x/[100 um]\" }\n\
        [record.a]\ntraces = [{ variables = [\"V_m\"] }]\n";
    let result = run(text);
    let population = &result.recording.populations[0];
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let positions = population.positions.as_ref().unwrap();
    assert!(
        near(positions[4][0], 50.0)
            && near(positions[4][1], 50.0)
            && near(positions[2][0], 100.0)
            && positions[2][1] == 0.0
    );
    let of = |name: &str| &population.parameters.iter().find(|p| p.0 == name).unwrap().1;
    assert!(near(of("tau_m_ms")[5], 20.0) && near(of("tau_m_ms")[1], 12.0));
    assert!(near(of("V_th_mV")[3], -47.0));
    let v = trace(&result, "a", "V_m");
    assert!(near(v[0], -70.0) && near(v[1], -65.0) && near(v[5], -60.0));
}

#[test]
fn weights_and_delays_may_follow_from_the_distance() {
    // A torus of 4 x 3 cells, 100 um apart; one cell spikes, and all hear it by an exponential kernel, later the
    // farther they are.
    let text = |connect: &str, weight: &str| {
        format!(
            "[simulation]\nduration = \"8 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 12\n\
             positions = {{ grid = [4, 3], spacing = \"100 um\" }}\ninitial = {{ V_m = \"-70 mV\" }}\nparameters = {{ \
             E_L = \"-70 mV\" }}\nreceptors.in = {{ kind = \"delta\" }}\n\
             [populations.b]\nmodel = \"lif\"\nsize = 12\npositions = {{ grid = [4, 3], spacing = \"100 um\" }}\n\
             parameters = {{ V_th = \"10 V\", tau_m = \"1000 s\", E_L = \"0 V\" }}\ninitial = {{ V_m = \"0 V\" }}\n\
             receptors.in = {{ kind = \"delta\" }}\n\
             [stimuli.fire]\ntarget = \"a.in\"\nunits = [0]\nkind = \"spikes\"\ntimes = [\"1 ms\"]\nweight = \"30 \
             mV\"\n\
             [projections.ab]\nfrom = \"a\"\nto = \"b.in\"\nconnect = {connect}\nweight = \"{weight}\"\ndelay = \
             \"[0.5 ms] + distance/[0.1 m/s]\"\n\
             [record.b]\ntraces = [{{ variables = [\"V_m\"] }}]\n[record.a]\nspikes = true\nconnections = true\n"
        )
    };
    let kernel = "[2 mV]*exp(-distance/[200 um])";
    let result = run(&text("{ rule = \"neighbours\", radius = \"1 mm\", periodic = true, autapses = true }", kernel));
    let v = trace(&result, "b", "V_m");
    for cell in 0..12 {
        let (x, y) = (cell % 4, cell / 4);
        // The shorter way around.
        let (dx, dy) = (f64::from(x.min(4 - x)), f64::from(y.min(3 - y)));
        let distance = 100.0 * dx.hypot(dy);
        let height = 2.0 * (-distance / 200.0).exp();
        let arrival = 10 + ((0.5 + distance * 1e-6 / 0.1 * 1e3) / 0.1).round() as usize;
        let at = |sample: usize| v[sample * 12 + cell as usize];
        assert!(
            at(arrival - 1).abs() < 1e-9 && (at(arrival) - height).abs() < 1e-3,
            "cell {cell}: {} {}",
            at(arrival),
            height
        );
    }
    let connections = &result.recording.connections[0];
    assert_eq!(connections.weight.len(), 144);
    // Numbers of the two units, and their places, without wrapping.
    let result = run(&text("\"all_to_all\"", "[1 mV]*(i_pre + i_post/N_post) + [1 V/m]*(x_post - x_pre)"));
    let connections = &result.recording.connections[0];
    for ((&s, &t), w) in connections.source.iter().zip(&connections.target).zip(&connections.weight) {
        let expected = f64::from(s) + f64::from(t) / 12.0 + 0.1 * (f64::from(t % 4) - f64::from(s % 4));
        assert!((w - expected).abs() < 1e-9, "{s} to {t}: {w}, expected {expected}");
    }
}

#[test]
fn continuous_weights_may_follow_from_the_distance() {
    let text = "[simulation]\nduration = \"1 s\"\ndt = \"1 ms\"\n[populations.a]\nmodel = \"rate_unit\"\nsize = 5\n\
                positions = { grid = [5], spacing = \"1 mm\" }\nparameters = { I_0 = 1, linear = 1 }\ninitial = \
                { h = 1 }\n\
                [populations.b]\nmodel = \"rate_unit\"\nsize = 5\npositions = { grid = [5], spacing = \"1 mm\" }\n\
                parameters = { linear = 1 }\n\
                [projections.ab]\nfrom = \"a\"\nto = \"b.I\"\nkind = \"continuous\"\nvalue = \"w*rate_pre\"\nconnect \
                = \"all_to_all\"\nweight = \"exp(-distance/[2 mm])\"\n[record.b]\ntraces = [{ variables = [\"h\"] }]\n";
    let result = run(text);
    let h = trace(&result, "b", "h");
    for (t, h) in h[h.len() - 5..].iter().enumerate() {
        let expected: f64 = (0..5).map(|s| (-(f64::from(s) - t as f64).abs() / 2.0).exp()).sum();
        assert!((h - expected).abs() < 1e-9, "unit {t}: {h}, expected {expected}");
    }
}

/// What is computed is known only with the connections: the pair is named.
#[test]
fn computed_weights_and_delays_that_are_none_are_refused_with_their_pair() {
    let refused = |weight: &str, delay: &str| {
        let text = format!(
            "[simulation]\nduration = \"1 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 3\n\
             positions = {{ grid = [3], spacing = \"100 um\" }}\nreceptors.syn = {{ kind = \"exp_conductance\", tau = \
             \"5 ms\" }}\n\
             [projections.aa]\nfrom = \"a\"\nto = \"a.syn\"\nconnect = {{ rule = \"all_to_all\", autapses = true }}\n\
             weight = \"{weight}\"\ndelay = \"{delay}\"\n"
        );
        Network::build(&spec(&text), 1, &AtomicBool::new(false)).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(refused("[1 nS]*exp(-distance/[100 um])", "[1 ms] + distance/[1 m/s]"), Ok(()));
    let infinite = refused("[1 nS]*[100 um]/distance", "1 ms").unwrap_err();
    assert!(
        infinite.contains("projections.aa")
            && infinite.contains("the weight from unit 0 to unit 0 is negative or no finite number"),
        "{infinite}"
    );
    let negative = refused("[1 nS]*(1.5 - distance/[100 um])", "1 ms").unwrap_err();
    assert!(negative.contains("the weight from unit 0 to unit 2 is negative"), "{negative}");
    let early = refused("1 nS", "[0.15 ms] - distance/[1 m/s]").unwrap_err();
    assert!(early.contains("the delay from unit 0 to unit 2 is negative or no number"), "{early}");
}

/// On trees no cell reaches itself, and values of `all_to_all` are spaced over the connections that there are, whatever
/// number of places spike and carry the receptor.
#[test]
fn cells_of_trees_do_not_reach_themselves() {
    for (size, places, slots) in [(3_usize, 2_usize, 1_usize), (4, 1, 2), (5, 1, 1), (3, 2, 2)] {
        for connect in [
            "\"all_to_all\"",
            "{ rule = \"probability\", p = 0.7 }",
            "{ rule = \"fixed_indegree\", indegree = 2 }",
            "{ rule = \"fixed_outdegree\", outdegree = 2 }",
            "{ rule = \"fixed_total_number\", total = 6 }",
            "{ rule = \"neighbours\", radius = \"1 m\" }",
            "{ rule = \"fixed_indegree\", indegree = 9, multapses = true }",
        ] {
            let at =
                |n: usize| -> Vec<String> { (0..n).map(|k| format!("\"cable({})\"", 0.1 + 0.2 * k as f64)).collect() };
            let text = format!(
                "[simulation]
duration = \"1 ms\"
dt = \"0.05 ms\"
[populations.c]
model = \"membrane\"
size = {size}
channels.leak = {{ kind = \"leak\" }}
cable = {{ length = \"100 um\", diameter = \"2 um\", \
                 compartments = 5 }}
threshold_at = [{}]
receptors.a = {{ kind = \"exp_conductance\", at = [{}] }}
[projections.p]
from = \"c\"
to = \"c.a\"
connect = {connect}
weight = {{ linspace = [\"1 nS\", \"2 nS\"] }}
delay = \"1 ms\"
[record.c]
connections = true
",
                at(places).join(", "),
                at(slots).join(", ")
            );
            let text = if connect.contains("all_to_all") {
                text
            } else {
                text.replace("{ linspace = [\"1 nS\", \"2 nS\"] }", "\"1 nS\"")
            };
            let result = run(&text);
            let c = &result.recording.connections[0];
            assert!(!c.source.is_empty(), "{connect}");
            let same = |k: usize| c.source[k] as usize / places == c.target[k] as usize / slots;
            assert!(!(0..c.source.len()).any(same), "{connect} of {places} and {slots} places");
            if connect.contains("all_to_all") {
                let n = size * places * (size - 1) * slots;
                assert_eq!(c.source.len(), n);
                for (k, w) in c.weight.iter().enumerate() {
                    let expected = 1.0 + k as f64 / (n - 1) as f64;
                    assert!((w - expected).abs() < 1e-9, "{k}: {w}, expected {expected}");
                }
            }
        }
    }
}
