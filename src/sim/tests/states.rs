//! States: what the pinned runs (tests/it/states.rs) do not have, failures after a state, and states of other networks.

use std::sync::atomic::AtomicBool;

use super::{Network, Observer, Quiet, SimulationResult, State, Stop, spec};

/// Keeps the state after every epoch.
#[derive(Default)]
struct Keeping(Vec<State>);

impl Observer for Keeping {
    fn progress(&mut self, _: u64, _: u64) -> bool {
        true
    }

    fn wants_state(&mut self, _: bool) -> bool {
        true
    }

    fn state(&mut self, state: State) {
        self.0.push(state);
    }
}

fn build(text: &str, threads: usize) -> Network {
    Network::build(&spec(text), threads, &AtomicBool::new(false)).unwrap_or_else(|e| panic!("{e}"))
}

fn saved(text: &str, threads: usize) -> (SimulationResult, Vec<State>) {
    let mut keeping = Keeping::default();
    let result = build(text, threads).run(&mut keeping);
    (result, keeping.0)
}

/// Goes on from the first states and the last one on one, two and three threads, to what the whole run gave.
fn goes_on(text: &str) {
    let (whole, _) = saved(text, 1);
    for threads in [1, 2, 3] {
        let (other, states) = saved(text, threads);
        assert!(other.recording == whole.recording, "saved on {threads}");
        assert!(states.len() > 1, "{} states on {threads}", states.len());
        let last = states.len() - 1;
        for (at, on) in [(0, 1), (1, 3), (last / 2, 2), (last, 1), (last, 2), (last, 3)] {
            let mut network = build(text, on);
            network.go_on_from(states[at].clone()).unwrap();
            let rest = network.run(&mut Quiet);
            let how = format!("saved on {threads} before step {}, gone on with on {on}", states[at].step());
            assert_eq!((rest.steps, rest.events, &rest.stopped), (whole.steps, whole.events, &whole.stopped), "{how}");
            let same = |a: &[f64], b: &[f64]| a.iter().map(|v| v.to_bits()).eq(b.iter().map(|v| v.to_bits()));
            for (a, b) in whole.recording.traces.iter().zip(&rest.recording.traces) {
                assert!(same(&a.values, &b.values), "{} {how}", a.name);
            }
            for (a, b) in whole.recording.connections.iter().zip(&rest.recording.connections) {
                assert!(same(&a.weight_final, &b.weight_final), "weights of {} {how}", a.projection);
            }
            assert_eq!(rest.recording.spikes, whole.recording.spikes, "{how}");
            assert_eq!(rest.recording.window, whole.recording.window, "{how}");
        }
    }
}

/// Thousands of connections that learn, with delays of their own, several between one pair, states that move between
/// spikes, and weights that are written.
#[test]
fn connections_that_learn_on_many_units() {
    goes_on(
        "[simulation]\nduration = \"150 ms\"\ndt = \"0.1 ms\"\nseed = 4\n\
         [populations.a]\nmodel = \"lif\"\nsize = 700\ninitial = { V_m = { uniform = [\"-70 mV\", \"-55 mV\"] } }\n\
         receptors.syn = { kind = \"exp_current\", tau = \"5 ms\" }\n\
         [stimuli.drive]\ntarget = \"a.I\"\nkind = \"ou_noise\"\nmean = \"400 pA\"\nsigma = \"100 pA\"\ntau = \"5 \
         ms\"\n\
         [projections.p]\nfrom = \"a\"\nto = \"a.syn\"\nconnect = { rule = \"fixed_total_number\", total = 30000 }\n\
         weight = { uniform = [\"1 pA\", \"5 pA\"] }\ndelay = { uniform = [\"0.3 ms\", \"9 ms\"] }\n\
         plasticity = { kind = \"tagged\", s = \"0.1 pA\" }\n\
         [plasticity.tagged]\nequations = \"\"\"\ndx_pre/dt = -x_pre/tau : 1\ndy_post/dt = -y_post/tau : 1\ndtag/dt = \
         (0.1 - tag)/tau : 1\ndw/dt = -w/slow : weight\n\"\"\"\non_pre = \"tag += y_post; x_pre += 1\"\non_post = \"w \
         += s*tag*x_pre; tag *= 0.9; y_post += 1\"\nparameters = { tau = \"20 ms\", slow = \"500 ms\", s = { value = \
         1, unit = \"weight\" } }\n\
         [record.a]\nspikes = true\nconnections = true\n\
         [record.p]\ntraces = [{ variables = [\"w\", \"tag\", \"y_post\"], interval = \"10 ms\" }]\n",
    );
}

/// Samples that wait for the beginning of the next step, while some who spiked have been reset; coupling that is solved
/// for in every step.
#[test]
fn samples_that_wait_and_coupling_that_is_solved_for() {
    for more in ["delay = \"0.1 ms\"", "delay = \"0 ms\"\nimplicit = true"] {
        goes_on(&format!(
            "[simulation]\nduration = \"30 ms\"\ndt = \"0.1 ms\"\n\
             [populations.a]\nmodel = \"lif\"\nsize = 1200\ninitial = {{ V_m = {{ uniform = [\"-70 mV\", \"-55 mV\"] \
             }} }}\n\
             [stimuli.drive]\ntarget = \"a.I\"\nkind = \"constant\"\namplitude = \"400 pA\"\n\
             [projections.gap]\nfrom = \"a\"\nto = \"a.I\"\nconnect = {{ rule = \"fixed_indegree\", indegree = 2 }}\n\
             kind = \"continuous\"\nvalue = \"w*(V_m_pre - V_m_post)\"\nweight = \"1 nS\"\n{more}\n\
             [record.a]\nspikes = true\ntraces = [{{ variables = [\"V_m\", \"I\"] }}]\n"
        ));
    }
}

/// Events of which each finds what those before it left, on their way for as long as they like; those of shared trains
/// and of renewal processes in some units.
#[test]
fn events_one_by_one_and_processes_of_some_units() {
    goes_on(
        "[simulation]\nduration = \"60 ms\"\ndt = \"0.1 ms\"\nseed = 3\n\
         [populations.a]\nmodel = \"lif\"\nsize = 800\ninitial = { V_m = { uniform = [\"-70 mV\", \"-55 mV\"] } }\n\
         receptors = { s = { kind = \"saturating_conductance\", tau = \"20 ms\" }, e = { kind = \"exp_current\" } }\n\
         [stimuli]\ndrive = { target = \"a.I\", kind = \"constant\", amplitude = \"400 pA\" }\n\
         process = { target = \"a.I\", units = [799, 3, 400], kind = \"ou_noise\", sigma = \"200 pA\", tau = \"7 ms\" \
         }\n\
         listed = { target = \"a.s\", kind = \"spikes\", times = [\"5 ms\", \"31 ms\", \"59 ms\"], weight = 0.2 }\n\
         renewal = { target = \"a.e\", units = [90, 20, 5], kind = \"renewal\", rate = \"300 Hz\", weight = \"50 pA\", \
         distribution = \"gamma\", cv = 0.6 }\n\
         [projections.p]\nfrom = \"a\"\nto = \"a.s\"\nconnect = { rule = \"fixed_indegree\", indegree = 20 }\nweight = \
         { uniform = [0.01, 0.2] }\ndelay = { uniform = [\"0.1 ms\", \"20 ms\"] }\n\
         [record.a]\nspikes = true\ntraces = [{ variables = [\"V_m\", \"s.s\"], units = [3, 20, 799], interval = \"0.3 \
         ms\" }]\n",
    );
}

/// A run that fails after a state fails in the same way when it goes on from it; a run that has failed leaves none.
#[test]
fn failures_are_those_of_the_whole_run() {
    let text = "[simulation]\nduration = 5.0\ndt = 0.001\n[models.burst]\ntime_unit = \"1\"\nequations = \"dx/dt = \
        x**2 : 1\"\ninitial = { x = 0.5 }\n[populations.a]\nmodel = \"burst\"\nsize = 600\nintegrator = \
        \"rk4\"\ninitial = { x = { uniform = [0.3, 0.6] } }\n[record.a]\ntraces = [{ variables = [\"x\"], units = [7] \
        }]\n";
    let (whole, states) = saved(text, 1);
    let Some(Stop::NotFinite { time, .. }) = &whole.stopped else { panic!("{:?}", whole.stopped) };
    assert!(!states.is_empty() && states.iter().all(|s| (s.step() as f64) * 0.001 < *time));
    goes_on(text);
}

#[test]
fn states_of_other_networks_are_refused() {
    let text = |size: usize, more: &str| {
        format!(
            "[simulation]\nduration = \"40 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = \
             {size}\nreceptors.e = {{ kind = \"exp_current\" }}\n{more}[record.a]\ntraces = [{{ variables = [\"V_m\"], \
             interval = \"1 ms\" }}]\n"
        )
    };
    let (_, states) = saved(&text(300, ""), 1);
    let refused = |text: &str| build(text, 1).go_on_from(states[0].clone()).unwrap_err().message;
    assert!(refused(&text(310, "")).contains("population 0/state 0"), "{}", refused(&text(310, "")));
    let noise = "[stimuli.n]\ntarget = \"a.I\"\nkind = \"ou_noise\"\nsigma = \"1 pA\"\ntau = \"1 ms\"\n";
    assert!(refused(&text(300, noise)).contains("process is of other units"), "{}", refused(&text(300, noise)));
    let seldom = text(300, "").replace("interval = \"1 ms\"", "interval = \"2 ms\"");
    assert!(refused(&seldom).contains("at other intervals"), "{}", refused(&seldom));
    assert!(refused(&text(300, "").replace("40 ms", "3 ms")).contains("before step"));
    build(&text(300, ""), 1).go_on_from(states[0].clone()).unwrap();
}
