//! Values of connections that become infinite: noticed whoever spikes, and said with connection and time.

use super::{Stop, run_on};

/// A source that is driven at listed times, a target that fires every 10 ms, and a rule between them.
fn text(pre: &str, rule: &str, written: bool) -> String {
    format!(
        "[simulation]\nduration = \"200 ms\"\ndt = \"0.1 ms\"\n\
         [populations.pre]\nmodel = \"lif\"\nreceptors.in = {{ kind = \"delta\" }}\n\
         [populations.post]\nmodel = \"lif\"\nsize = 2\nreceptors.in = {{ kind = \"delta\" }}\nreceptors.syn = {{ \
         kind = \"exp_current\", tau = \"2 ms\" }}\n\
         [stimuli.a]\ntarget = \"pre.in\"\nkind = \"spikes\"\ntimes = [{pre}]\nweight = \"50 mV\"\n\
         [stimuli.b]\ntarget = \"post.in\"\nunits = [1]\nkind = \"spikes\"\ntimes = [{}]\nweight = \"50 mV\"\n\
         [projections.syn]\nfrom = \"pre\"\nto = \"post.syn\"\nconnect = \"all_to_all\"\nweight = \"1 pA\"\ndelay = \
         \"1.5 ms\"\nplasticity = {{ kind = \"runaway\" }}\n\
         [record.pre]\nspikes = true\nconnections = {written}\n[record.post]\nspikes = true\n\
         [plasticity.runaway]\n{rule}\nparameters = {{ tau = \"0.1 ms\", s = {{ value = 1, unit = \"1\" }} }}\n",
        (1..18).map(|k| format!("\"{} ms\"", 10 * k)).collect::<Vec<_>>().join(", ")
    )
}

fn stop(text: &str) -> (u32, u32, String, f64) {
    let result = run_on(text, 1);
    match result.stopped {
        Some(Stop::Diverged { projection, source, target, variable, time }) => {
            assert_eq!(projection, "syn");
            // Nothing later is left of the run, and no weights that depend on when it was noticed.
            assert_eq!(result.recording.window.stop, time);
            assert!(result.recording.spikes.iter().flat_map(|s| &s.times).all(|t| *t <= time));
            assert!(result.recording.connections.iter().all(|c| c.weight_final.is_empty()));
            (source, target, variable, time)
        }
        other => panic!("{other:?}"),
    }
}

/// A spike of the target makes the weight infinite: the sixth, 1.5 ms late, whether the source fires afterwards, before
/// or never.
#[test]
fn spikes_of_the_target_end_the_run_though_the_source_is_silent() {
    let rule = "equations = \"\"\non_post = \"w *= 1e60\"";
    for written in [false, true] {
        for pre in ["", "\"5 ms\"", "\"5 ms\", \"150 ms\""] {
            assert_eq!(stop(&text(pre, rule, written)), (0, 1, "w".to_owned(), 61.5), "{pre}");
        }
    }
}

#[test]
fn values_beside_the_weight_are_looked_at_too() {
    // A state that nothing reads yet.
    let rule = "equations = \"dz/dt = 0*z/tau : 1\"\non_post = \"z = (z + 1)*1e60\"";
    assert_eq!(stop(&text("", rule, false)), (0, 1, "z".to_owned(), 61.5));
}

/// Between events a value grows by exp(t/0.1 ms): all it takes is time. What is known is the next event, or the end.
#[test]
fn what_grows_by_itself_ends_the_run() {
    let rule = "equations = \"dw/dt = w/tau : weight\"\non_pre = \"w = w\"";
    let (source, target, variable, time) = stop(&text("", rule, false));
    assert_eq!((source, target, variable.as_str(), time), (0, 0, "w", 200.0));
    let (.., time) = stop(&text("\"120 ms\"", rule, false));
    assert_eq!(time, 120.0);
}

/// The first of many, however lanes are split and whenever their spikes are worked off.
#[test]
fn the_connection_that_is_named_does_not_depend_on_threads() {
    let network = "[simulation]\nduration = \"600 ms\"\ndt = \"0.1 ms\"\nseed = 5\n\
         [populations.exc]\nmodel = \"lif\"\nsize = 900\ninitial = { V_m = { uniform = [\"-70 mV\", \"-55 mV\"] } }\n\
         receptors.syn = { kind = \"exp_current\", tau = \"3 ms\" }\n\
         [projections.ee]\nfrom = \"exc\"\nto = \"exc.syn\"\nconnect = { rule = \"probability\", p = 0.05 }\nweight = \
         { uniform = [\"1 fA\", \"2 fA\"] }\ndelay = { uniform = [\"0.3 ms\", \"2.5 ms\"] }\nplasticity = \
         { kind = \"runaway\" }\n\
         [plasticity.runaway]\nequations = \"\"\non_post = \"w *= 1e20\"\n\
         [stimuli.drive]\ntarget = \"exc.I\"\nkind = \"ou_noise\"\nmean = \"300 pA\"\nsigma = \"150 pA\"\ntau = \"5 \
         ms\"\n[record.exc]\nspikes = true\n";
    let one = run_on(network, 1);
    assert!(matches!(one.stopped, Some(Stop::Diverged { .. } | Stop::NotFinite { .. })), "{:?}", one.stopped);
    for threads in [2, 3] {
        let many = run_on(network, threads);
        assert_eq!(many.stopped, one.stopped, "{threads} threads");
        assert_eq!(many.recording.spikes, one.recording.spikes, "{threads} threads");
    }
}

/// Between rates, too, the first by source and target: 40 units in two parts, of which units 7 and 31 drive their
/// connections to infinity.
#[test]
fn the_connection_between_rates_that_is_named_does_not_depend_on_threads() {
    let network = "[simulation]\nduration = 20\ndt = 0.1\n\
         [models.unit]\ntime_unit = \"1\"\nequations = \"dr/dt = a - r : 1\"\ninputs = { I = \"1\" }\nparameters = \
         { a = { value = 1, unit = \"1\" } }\n\
         [populations.a]\nmodel = \"unit\"\nsize = 2000\nparameters = \
         { a = \"where(abs(i - 700) < 0.5, 1e30, where(abs(i - 1500) < 0.5, 1e30, 1))\" }\n\
         [projections.rec]\nkind = \"continuous\"\nfrom = \"a\"\nto = \"a.I\"\nvalue = \"w*r_pre\"\nconnect = \
         { rule = \"fixed_indegree\", indegree = 20 }\nweight = 1\ndelay = 0.1\nplasticity = \
         { kind = \"runaway\", r_pre = \"r\", r_post = \"r\" }\n\
         [plasticity.runaway]\ntime_unit = \"1\"\ngiven = { r_pre = \"1\", r_post = \"1\" }\nequations = \"dw/dt = \
         w*r_pre**4*r_post**8/tau : weight\"\nparameters = { tau = 1 }\n\
         [record.a]\ntraces = [{ variables = [\"r\"], units = [0], interval = 1 }]\n";
    let one = run_on(network, 1);
    let Some(Stop::Diverged { source, target, .. }) = &one.stopped else { panic!("{:?}", one.stopped) };
    assert!([*source, *target].iter().any(|u| [700, 1500].contains(u)), "{source} {target}");
    for threads in [2, 3] {
        assert_eq!(run_on(network, threads).stopped, one.stopped, "{threads} threads");
    }
}
