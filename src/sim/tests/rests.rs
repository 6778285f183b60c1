//! Threshold and rest are the same on points and on trees.

use super::{SimulationResult, run, trace};

/// The same passive cell with a threshold, as a point and as a tree of one compartment, that gets jumps of its voltage.
fn both(refractory: &str, simulation: &str, more: &str) -> [SimulationResult; 2] {
    let cell = |current: &str| {
        format!(
            "equations = \"dV_m/dt = (g_L*(E_L - V_m) + ({current})/area)/C_m : V\"\nthreshold = \"V_m > V_th\"\n\
             reset = \"V_m = V_reset\"\n{refractory}\n\
             inputs = {{ I = \"A\" }}\ninitial = {{ V_m = \"E_L\" }}\n\
             [models.cell.parameters]\ng_L = \"0.1 mS/cm**2\"\nC_m = \"1 uF/cm**2\"\nE_L = \"-70 mV\"\nV_th = \"-50 \
             mV\"\nV_reset = \"-65 mV\"\nt_ref = \"2 ms\"\nR_a = \"100 ohm*cm\"\n\
             area = {{ value = \"1000 um**2\", geometry = \"area\" }}\n"
        )
    };
    let text = |model: String, place: &str, units: &str, kind: &str| {
        let more = more.replace("UNITS", units).replace("KIND", kind);
        format!(
            "[simulation]\nduration = \"12 ms\"\ndt = \"0.1 ms\"\n{simulation}\n[models.cell]\n{model}\n\
             [populations.n]\nmodel = \"cell\"\n{place}\n\
             [populations.relay]\nmodel = \"lif\"\nreceptors.in = {{ kind = \"delta\" }}\n\
             [record.n]\nspikes = true\ntraces = [{{ variables = [\"V_m\"] }}]\n{more}"
        )
    };
    let at = "cable = { length = \"31.83098861837907 um\", diameter = \"10 um\", compartments = 1 }\nthreshold_at = \
              [\"cable(0.5)\"]\nreceptors.in = { kind = \"delta\", at = [\"cable(0.5)\"] }";
    let tree = text(cell("I + axial(V_m, R_a)"), at, "units = [\"cable(0.5)\"]\n", "tree");
    let point = text(cell("I"), "receptors.in = { kind = \"delta\" }", "", "point");
    [run(&point), run(&tree)]
}

/// Column of the trace that is the cell, in mV.
fn voltage(result: &SimulationResult) -> Vec<f64> {
    let all = trace(result, "n", "V_m");
    let width = all.len() / 121;
    // Nodes at both ends of the cable follow the compartment between them.
    (0..121).map(|k| all[k * width]).collect()
}

fn kicks(times: &[&str]) -> String {
    let times = times.iter().map(|t| format!("\"{t} ms\"")).collect::<Vec<_>>().join(", ");
    format!("[stimuli.kick]\ntarget = \"n.in\"\nUNITSkind = \"spikes\"\ntimes = [{times}]\nweight = \"40 mV\"\n")
}

const HELD: &str = "refractory = { time = \"t_ref\", hold = [\"V_m\"] }";

/// A spike at 1 ms, a rest of 2 ms: jumps that arrive up to 3 ms, that grid point included, are lost and leave no mark.
#[test]
fn what_arrives_at_a_resting_cell_is_lost_to_the_last_grid_point() {
    for (times, spikes) in [
        (vec!["1", "1.1", "2", "2.9"], vec![1.0]),
        (vec!["1", "3"], vec![1.0]),
        (vec!["1", "3", "3.1", "5.1", "5.2"], vec![1.0, 3.1, 5.2]),
    ] {
        for result in both(HELD, "", &kicks(&times)) {
            assert_eq!(result.recording.spikes[0].times, spikes, "{times:?}");
            let v = voltage(&result);
            assert!(v[11..=30].iter().all(|v| (*v + 65.0).abs() < 1e-9), "{times:?}: {:?}", &v[11..=30]);
        }
    }
}

/// The same for what arrives without delay, between two steps.
#[test]
fn what_arrives_without_delay_is_lost_too() {
    let relay = |times: &str| {
        kicks(&["1"])
            + &format!(
                "[stimuli.r]\ntarget = \"relay.in\"\nkind = \"spikes\"\ntimes = [{times}]\nweight = \"40 mV\"\n\
                 [projections.p]\nfrom = \"relay\"\nto = \"n.in\"\nconnect = \"all_to_all\"\nweight = \"40 mV\"\n\
                 delay = \"0 ms\"\n"
            )
    };
    // A spike of the relay at 2.9 ms acts in the step that ends at 3 ms, which is rest; one at 3 ms acts in the next.
    for result in both(HELD, "", &relay("\"2 ms\"")).into_iter().chain(both(HELD, "", &relay("\"2.9 ms\""))) {
        assert_eq!(result.recording.spikes[0].times, [1.0]);
        assert!(voltage(&result)[11..=30].iter().all(|v| (*v + 65.0).abs() < 1e-9));
    }
    for result in both(HELD, "", &relay("\"3 ms\"")) {
        assert_eq!(result.recording.spikes[0].times, [1.0, 3.1]);
    }
}

/// Without held states the voltage moves during the rest; what is over the threshold when it is over spikes then.
#[test]
fn a_condition_that_holds_when_the_rest_is_over_is_a_spike() {
    let free = "refractory = { time = \"t_ref\", hold = [] }";
    for (times, spikes) in
        [(vec!["1", "2.5"], vec![1.0, 3.1]), (vec!["1", "3"], vec![1.0, 3.1]), (vec!["1", "1.2"], vec![1.0, 3.1])]
    {
        for result in both(free, "", &kicks(&times)) {
            assert_eq!(result.recording.spikes[0].times, spikes, "{times:?}");
        }
    }
}

/// Located crossings lie on the same straight line; of what arrives at the end of a step nothing is located.
#[test]
fn crossings_are_located_alike() {
    let drive = "[stimuli.drive]\ntarget = \"n.I\"\nUNITSkind = \"constant\"\namplitude = \"33 pA\"\n";
    let free = both("", "spike_times = \"interpolated\"", drive).map(|r| r.recording.spikes[0].times.clone());
    let first = |t: &Vec<f64>| (t[0], (t[0] * 10.0).fract());
    let ((a, inside), (b, _)) = (first(&free[0]), first(&free[1]));
    assert!((a - b).abs() < 0.2 && inside > 1e-6 && inside < 1.0 - 1e-6, "{a} {b}");
    for result in both(HELD, "spike_times = \"interpolated\"", &kicks(&["1"])) {
        assert_eq!(result.recording.spikes[0].times, [1.0]);
    }
}
