//! Crossings inside a step against closed forms: `grid`, `interpolated` and `exact`.

use super::{run, spec};
use crate::Network;
use std::sync::atomic::AtomicBool;

/// A leaky neuron under a constant current: tau 10 ms, R 100 Mohm, rest -70 mV, threshold -50 mV, reset -65 mV.
fn lif(mode: &str, dt: &str, refractory: &str, extra: &str) -> String {
    format!(
        "[simulation]\nduration = \"400 ms\"\ndt = \"{dt}\"\nspike_times = \"{mode}\"\n[populations.n]\nmodel = \
         \"lif\"\nsize = 1\n\
         parameters = {{ tau_m = \"10 ms\", R_m = \"100 Mohm\", E_L = \"-70 mV\", V_th = \"-50 mV\", V_reset = \"-65 \
         mV\", t_ref = \"{refractory}\" }}\n\
         initial = {{ V_m = \"-65 mV\" }}\n[stimuli.drive]\ntarget = \"n.I\"\nkind = \"constant\"\namplitude = \"230 \
         pA\"\n\
         [record.n]\nspikes = true\n{extra}"
    )
}

/// Time from reset to threshold: tau ln((R I + E_L - V_reset)/(R I + E_L - V_th)), R I = 23 mV.
fn passage() -> f64 {
    10.0 * (18.0_f64 / 3.0).ln()
}

fn times(text: &str) -> Vec<f64> {
    run(text).recording.spikes[0].times.clone()
}

#[test]
fn exact_intervals_are_the_closed_form_whatever_the_step() {
    for (dt, refractory, t_ref) in [("0.1 ms", "2 ms", 2.0), ("1 ms", "2 ms", 2.0), ("0.5 ms", "0 ms", 0.0)] {
        let found = times(&lif("exact", dt, refractory, ""));
        assert!(found.len() > 15);
        for (k, t) in found.iter().enumerate() {
            let expected = passage() + k as f64 * (passage() + t_ref);
            assert!((t - expected).abs() < 1e-9, "dt {dt}, spike {k}: {t} instead of {expected}");
        }
    }
}

#[test]
fn interpolation_is_of_second_order_where_the_grid_is_of_first() {
    // The mean interval has an error of O(dt) on the grid and O(dt^2) interpolated.
    let error = |mode: &str, dt: &str| {
        let found = times(&lif(mode, dt, "2 ms", ""));
        let n = found.len() - 1;
        ((found[n] - found[0]) / n as f64 - passage() - 2.0).abs()
    };
    let (coarse, fine) = (error("interpolated", "1 ms"), error("interpolated", "0.25 ms"));
    assert!(coarse < 0.05 && coarse / fine > 8.0, "{coarse} {fine}");
    assert!(error("grid", "1 ms") > 5.0 * coarse);
}

#[test]
fn what_arrives_on_the_grid_fires_on_the_grid() {
    // A jump over the threshold at 1 ms: the crossing is the arrival, not a point of a straight line through it.
    for mode in ["interpolated", "exact"] {
        let text = lif(
            mode,
            "0.1 ms",
            "2 ms",
            "[stimuli.kick]\ntarget = \"n.in\"\nkind = \"spikes\"\ntimes = [\"1 ms\"]\nweight = \"30 mV\"\n",
        )
        .replace("[stimuli.drive]", "receptors.in = { kind = \"delta\" }\n[stimuli.drive]");
        let found = times(&text);
        assert_eq!(found[0], 1.0, "{mode}");
        // The reset is on the grid as well, so that the next interval starts at 1 ms.
        let next = 1.0 + 2.0 + passage();
        assert!(
            (found[1] - next).abs() < if mode == "exact" { 1e-9 } else { 1e-3 },
            "{mode}: {} instead of {next}",
            found[1]
        );
    }
}

#[test]
fn arrivals_between_reset_and_release_follow_the_held_states() {
    // 1 mV at a grid point inside the refractory time is lost; after the release, which lies inside a step, it counts.
    let with = |at: f64| {
        let kick =
            format!("[stimuli.kick]\ntarget = \"n.in\"\nkind = \"spikes\"\ntimes = [\"{at} ms\"]\nweight = \"1 mV\"\n");
        times(
            &lif("exact", "0.1 ms", "2 ms", &kick)
                .replace("[stimuli.drive]", "receptors.in = { kind = \"delta\" }\n[stimuli.drive]"),
        )
    };
    let first = passage();
    let release = first + 2.0;
    let inside = (release * 10.0).floor() / 10.0;
    let alone = times(&lif("exact", "0.1 ms", "2 ms", ""));
    assert_eq!(with(inside)[1], alone[1]);
    // Afterwards: V = -47 - 18 exp(-s/10) mV, s after the release, plus 1 mV, from there on to -50 mV.
    let at = inside + 0.1;
    let below = 18.0 * (-(at - release) / 10.0).exp() - 1.0;
    let expected = at + 10.0 * (below / 3.0).ln();
    assert!((with(at)[1] - expected).abs() < 1e-9, "{} instead of {expected}", with(at)[1]);
}

#[test]
fn exact_is_refused_where_there_is_no_closed_form() {
    let text = "[simulation]\nduration = \"4 ms\"\ndt = \"0.1 ms\"\nspike_times = \"exact\"\n[populations.n]\nmodel = \
                \"eif\"\nsize = 1\n";
    let error = Network::build(&spec(text), 1, &AtomicBool::new(false)).expect_err("refused").to_string();
    assert!(error.contains("V_m") && error.contains("interpolated"), "{error}");
}

/// At the end of the step of a spike stands what the reset and the rest of the step make of the unit, whatever the
/// step: from the reset at -65 mV towards -47 mV, or held there. On the grid the value that crossed is recorded.
#[test]
fn what_is_recorded_after_a_spike_inside_a_step_is_where_the_unit_is() {
    for (refractory, t_ref) in [("2 ms", 2.0), ("0 ms", 0.0)] {
        for mode in ["exact", "interpolated", "grid"] {
            let text = lif(mode, "0.5 ms", refractory, "traces = [{ variables = [\"V_m\"] }]\n");
            let result = run(&text);
            let (spikes, v) = (&result.recording.spikes[0].times, &result.recording.traces[0].values);
            for t in &spikes[..10] {
                let at = (t / 0.5).ceil();
                let after = at * 0.5 - t - t_ref;
                let expected = -47.0 - 18.0 * (-after.max(0.0) / 10.0).exp();
                let found = v[at as usize];
                if mode == "grid" {
                    assert!(found > -50.0, "{found}");
                } else {
                    assert!((found - expected).abs() < 1e-3, "{mode}, {refractory}, {t}: {found} for {expected}");
                }
            }
        }
    }
}
