//! Bits do not depend on threads, nor on what is recorded.

use std::sync::atomic::AtomicBool;

use super::{Network, SimulationResult, Stop, run_on, spec, trace};

/// Two populations, four projections with drawn weights and delays, noise of all kinds.
fn network(record: &str) -> String {
    format!(
        "[simulation]\nduration = \"120 ms\"\ndt = \"0.1 ms\"\nseed = 11\n\
         [populations.exc]\nmodel = \"lif\"\nsize = 801\nparameters = {{ tau_m = {{ normal = {{ mean = \"20 ms\", sd \
         = \"1 ms\" }} }} }}\ninitial = {{ V_m = {{ uniform = [\"-70 mV\", \"-55 mV\"] }} }}\n\
         receptors.ampa = {{ kind = \"exp_current\", tau = \"5 ms\" }}\nreceptors.gaba = {{ kind = \"exp_current\", \
         tau = \"10 ms\" }}\n\
         [populations.inh]\nmodel = \"lif\"\nsize = 203\ninitial = {{ V_m = {{ uniform = [\"-70 mV\", \"-55 mV\"] }} \
         }}\n\
         receptors.ampa = {{ kind = \"exp_current\", tau = \"5 ms\" }}\nreceptors.gaba = {{ kind = \"delta\" }}\n\
         [projections.ee]\nfrom = \"exc\"\nto = \"exc.ampa\"\nconnect = {{ rule = \"probability\", p = 0.1 }}\nweight \
         = {{ lognormal = {{ mu = 2.0, sigma = 0.5, unit = \"pA\" }} }}\ndelay = {{ uniform = [\"0.3 ms\", \"2.5 \
         ms\"] }}\n\
         [projections.ei]\nfrom = \"exc\"\nto = \"inh.ampa\"\nconnect = {{ rule = \"fixed_indegree\", indegree = 60 \
         }}\nweight = \"12 pA\"\ndelay = \"0.5 ms\"\n\
         [projections.ie]\nfrom = \"inh\"\nto = \"exc.gaba\"\nconnect = {{ rule = \"fixed_outdegree\", outdegree = \
         100 }}\nweight = \"-30 pA\"\ndelay = \"0.3 ms\"\n\
         [projections.ii]\nfrom = \"inh\"\nto = \"inh.gaba\"\nconnect = {{ rule = \"fixed_total_number\", total = \
         5000 }}\nweight = \"-0.3 mV\"\ndelay = \"0.8 ms\"\n\
         [stimuli.drive]\ntarget = \"exc.I\"\nkind = \"constant\"\namplitude = \"420 pA\"\n\
         [stimuli.noise]\ntarget = \"exc.I\"\nkind = \"ou_noise\"\nsigma = \"100 pA\"\ntau = \"5 ms\"\n\
         [stimuli.poisson]\ntarget = \"inh.ampa\"\nkind = \"poisson\"\nrate = \"4000 Hz\"\nweight = \"25 pA\"\n\
         [record.exc]\nspikes = true\n{record}\n[record.inh]\nspikes = true\n"
    )
}

const TRACES: &str = "traces = [{ name = \"v\", variables = [\"V_m\", \"I\", \"ampa.I_syn\"], units = [800, 3, 400, \
                      401], interval = \"0.5 ms\" }, { name = \"one\", variables = [\"V_m\"], units = [77] }]";

#[test]
fn one_two_and_three_threads_give_the_same_bits() {
    let text = network(TRACES);
    let one = run_on(&text, 1);
    assert!(
        one.recording.spikes.iter().all(|s| s.len() > 100),
        "{:?}",
        one.recording.spikes.iter().map(spikedeck_signal::Spikes::len).collect::<Vec<_>>()
    );
    assert_eq!(one.recording.traces[0].len(), 241);
    assert_eq!(one.recording.traces[0].units, [800, 3, 400, 401]);
    for threads in [2, 3] {
        let many = run_on(&text, threads);
        assert_eq!(many.events, one.events);
        assert!(many.recording == one.recording, "{threads} threads");
    }
}

#[test]
fn recording_changes_nothing() {
    let with = run_on(&network(TRACES), 1);
    let without = run_on(&network(""), 1);
    assert_eq!(with.recording.spikes, without.recording.spikes);
}

#[test]
fn the_seed_changes_everything_and_other_populations_nothing() {
    let text = network("");
    let other = run_on(&text.replace("seed = 11", "seed = 12"), 1);
    let one = run_on(&text, 1);
    assert_ne!(one.recording.spikes[0], other.recording.spikes[0]);
    let more = text
        + "[populations.bystander]\nmodel = \"lif\"\nsize = 50\n[stimuli.extra]\ntarget = \"bystander.I\"\nkind = \
           \"white_noise\"\namplitude = \"5 pA*s**0.5\"\n";
    let more = run_on(&more, 2);
    assert_eq!(more.recording.spikes, one.recording.spikes);
}

#[test]
fn samples_of_a_subset_are_those_of_the_whole() {
    let whole = run_on(&network("traces = [{ variables = [\"V_m\"], interval = \"0.5 ms\" }]"), 2);
    let part = run_on(&network(TRACES), 1);
    let (whole, part) = (trace(&whole, "exc", "V_m"), trace(&part, "exc", "V_m"));
    for (row, few) in whole.chunks(801).zip(part.chunks(4)) {
        assert_eq!([row[800], row[3], row[400], row[401]], few);
    }
}

/// When samples of a population are taken depends on all that is recorded of it, not on what one thread records.
#[test]
fn threads_that_record_different_variables_agree() {
    let text = "[simulation]\nduration = \"30 ms\"\ndt = \"0.1 ms\"\n\
        [populations.a]\nmodel = \"lif\"\nsize = 1200\ninitial = { V_m = { uniform = [\"-70 mV\", \"-55 mV\"] } }\n\
        [stimuli.drive]\ntarget = \"a.I\"\nkind = \"constant\"\namplitude = \"400 pA\"\n\
        [projections.gap]\nfrom = \"a\"\nto = \"a.I\"\nconnect = { rule = \"fixed_indegree\", indegree = 2 }\nkind = \
        \"continuous\"\n\
        value = \"w*(V_m_pre - V_m_post)\"\nweight = \"1 nS\"\ndelay = \"0.1 ms\"\n\
        [record.a]\nspikes = true\n\
        traces = [{ name = \"v\", variables = [\"V_m\"], units = [0, 900] }, \
        { name = \"i\", variables = [\"I\"], units = [900] }]\n";
    let (one, two) = (run_on(text, 1), run_on(text, 2));
    assert!(one.recording.spikes[0].len() > 100);
    assert!(one.recording == two.recording);
}

/// A few units that are stepped in one go between samples, and step by step where every step is recorded.
#[test]
fn how_often_few_units_are_recorded_changes_nothing() {
    let text = |gain: &str, interval: &str| {
        format!(
            "[simulation]\nduration = \"20 ms\"\ndt = \"0.1 ms\"\nseed = 5\n\
             [models.unit]\nequations = \"dx/dt = (g*drive + p - x)/tau + 0.1*sqrt(1/tau)*xi : 1\"\n\
             inputs = {{ drive = \"1\", p = \"1\" }}\nparameters = {{ tau = \"5 ms\", g = 1 }}\n\
             [populations.few]\nmodel = \"unit\"\nsize = 3\nparameters = {{ g = {gain} }}\n\
             [stimuli.ou]\ntarget = \"few.drive\"\nkind = \"ou_noise\"\nsigma = 1\ntau = \"3 ms\"\n\
             [stimuli.steps]\ntarget = \"few.p\"\nkind = \"gaussian_steps\"\nsigma = 0.5\ninterval = \"0.7 ms\"\n\
             [record.few]\ntraces = [{{ variables = [\"x\", \"drive\", \"p\"], interval = \"{interval}\" }}]\n"
        )
    };
    // With a gain of zero the equations do not read the port, and its stimulus goes on all the same.
    for gain in ["1", "0"] {
        let (often, seldom) = (run_on(&text(gain, "0.1 ms"), 1), run_on(&text(gain, "1 ms"), 1));
        for variable in ["x", "drive", "p"] {
            let every_tenth: Vec<f64> =
                trace(&often, "few", variable).chunks(3).step_by(10).flatten().copied().collect();
            assert!(every_tenth.iter().any(|v| *v != every_tenth[0]));
            assert_eq!(trace(&seldom, "few", variable), every_tenth, "{variable}, gain {gain}");
        }
    }
}

/// The same over many blocks of steps, with steps in parts, whatever is looked at, how often and of which units;
/// against a run whose units are met by others, so that nothing is made in one go.
#[test]
fn few_units_made_in_one_go_have_the_bits_of_single_steps() {
    let others = "[populations.others]\nmodel = \"lif\"\nsize = 2\nreceptors.syn = { kind = \"delta\" }\n\
        [projections.pp]\nfrom = \"others\"\nto = \"others.syn\"\nconnect = \"all_to_all\"\nweight = \"1 mV\"\ndelay \
        = \"1 ms\"\n";
    let text = |stimulus: &str, substeps: u32, interval: &str, others: &str| {
        format!(
            "[simulation]\nduration = \"50 ms\"\ndt = \"0.1 ms\"\nseed = 5\n\
             [models.unit]\nequations = \"\"\"\ndx/dt = (drive - x + sin(t/tau))/tau + 0.1*sqrt(1/tau)*xi : 1\ndy/dt \
             = (1/(1 + exp(2 - 3*x)) - 1/(1 + exp(y)) - y)/tau : 1\nz = g*x - drive*t/tau : 1\n\"\"\"\n\
             inputs = {{ drive = \"1\" }}\nparameters = {{ tau = \"5 ms\", g = 1 }}\n\
             [populations.few]\nmodel = \"unit\"\nsize = 2\nsubsteps = {substeps}\nintegrator = \"euler_maruyama\"\n\
             parameters = {{ g = {{ values = [2, -3] }} }}\n\
             [stimuli.s]\ntarget = \"few.drive\"\n{stimulus}\n{others}\
             [record.few]\ntraces = [{{ variables = [\"x\", \"y\", \"z\", \"drive\", \"g\"], interval = \
             \"{interval}\" }},\
             {{ name = \"some\", variables = [\"z\"], units = [1], interval = \"0.7 ms\" }}]\n"
        )
    };
    for stimulus in [
        "kind = \"white_noise\"\nmean = \"1\"\namplitude = \"0.01 s**0.5\"",
        "kind = \"white_noise\"\nmean = \"1\"\namplitude = \"0.01 s**0.5\"\nunits = [1]",
        "kind = \"white_noise\"\nmean = \"1\"\namplitude = \"0.01 s**0.5\"\ngenerator = \"numpy_pcg64\"",
        "kind = \"ou_noise\"\nsigma = 1\ntau = \"3 ms\"",
        "kind = \"gaussian_steps\"\nsigma = 0.5\ninterval = \"0.7 ms\"",
        "kind = \"step\"\namplitude = 1\nstart = \"3.3 ms\"\nstop = \"41.7 ms\"",
    ] {
        for substeps in [1, 3] {
            let single = run_on(&text(stimulus, substeps, "0.1 ms", others), 1);
            for (interval, every) in [("0.1 ms", 1), ("1 ms", 10), ("25 ms", 250)] {
                let found = run_on(&text(stimulus, substeps, interval, ""), 1);
                for variable in ["x", "y", "z", "drive", "g"] {
                    let expected: Vec<f64> =
                        trace(&single, "few", variable).chunks(2).step_by(every).flatten().copied().collect();
                    assert_eq!(
                        trace(&found, "few", variable),
                        expected,
                        "{variable} every {interval}, {substeps} substeps: {stimulus}"
                    );
                }
                let of_one = |r: &SimulationResult| {
                    r.recording.traces.iter().find(|t| t.name == "some").map(|t| t.values.clone())
                };
                assert!(
                    of_one(&found).is_some_and(|v| v.len() == 72) && of_one(&found) == of_one(&single),
                    "{interval}: {stimulus}"
                );
            }
        }
    }
}

/// Somebody who is met, so that nothing in the scenario is made in one go.
const OTHERS: &str = "[populations.others]\nmodel = \"kuramoto_oscillator\"\nsize = 2\n\
    [projections.pp]\nfrom = \"others\"\nto = \"others.I\"\nkind = \"continuous\"\nconnect = \"all_to_all\"\nvalue = \
    \"w*sin(theta_pre - theta_post)\"\nweight = 1\ndelay = 0\n";

/// A value that is not finite is noticed in the step in which it comes about, whichever way the steps are made, and
/// what was recorded before is the same.
#[test]
fn few_units_made_in_one_go_fail_as_single_steps_do() {
    let text = |substeps: u32, interval: f64, others: &str| {
        format!(
            "[simulation]\nduration = 5.0\ndt = 0.01\n[models.burst]\ntime_unit = \"1\"\nequations = \"\"\"\ndy/dt = \
             -y : 1\ndx/dt = x**2 : 1\n\"\"\"\ninitial = {{ x = 0.5, y = 1.0 }}\n\
             [populations.a]\nmodel = \"burst\"\nsize = 3\nsubsteps = {substeps}\nintegrator = \"rk4\"\ninitial = {{ \
             x = {{ values = [0.5, 1.0, 0.75] }} }}\n{others}[record.a]\ntraces = [{{ variables = [\"y\"], interval = \
             {interval} }}]\n"
        )
    };
    for substeps in [1, 2] {
        let single = run_on(&text(substeps, 0.01, OTHERS), 1);
        let Some(Stop::NotFinite { unit: 1, variable, .. }) = &single.stopped else { panic!("{:?}", single.stopped) };
        assert_eq!(variable, "x");
        for (interval, every) in [(0.01, 1), (0.05, 5), (0.5, 50), (5.0, 500)] {
            let found = run_on(&text(substeps, interval, ""), 1);
            assert_eq!(found.stopped, single.stopped, "every {interval}, {substeps} substeps");
            let expected: Vec<f64> = trace(&single, "a", "y").chunks(3).step_by(every).flatten().copied().collect();
            assert_eq!(trace(&found, "a", "y"), expected, "every {interval}, {substeps} substeps");
        }
    }
}

/// The same of cells that make many steps before the next ones do.
#[test]
fn cells_of_their_own_fail_as_single_steps_do() {
    let text = |interval: &str, others: &str| {
        format!(
            "[simulation]\nduration = \"30 ms\"\ndt = \"0.05 ms\"\n\
             [populations.cells]\nmodel = \"membrane\"\nsize = 21\ncable = {{ length = \"1 mm\", diameter = \"2 um\", \
             compartments = 40 }}\n\
             channels.leak = {{ kind = \"leak\" }}\ninitial = {{ V_m = {{ uniform = [\"-70 mV\", \"-60 mV\"] }} }}\n\
             [stimuli.huge]\ntarget = \"cells.I\"\nunits = [245, 521]\nkind = \"step\"\namplitude = \"1e308 A\"\n\
             start = \"13.3 ms\"\n{others}\
             [record.cells]\ntraces = [{{ variables = [\"V_m\"], units = [5, 245, 800], interval = \"{interval}\" }}]\n"
        )
    };
    let others = "[populations.others]\nmodel = \"lif\"\nsize = 2\nreceptors.syn = { kind = \"delta\" }\n\
        [projections.pp]\nfrom = \"others\"\nto = \"others.syn\"\nconnect = \"all_to_all\"\nweight = \"1 mV\"\ndelay \
        = \"1 ms\"\n";
    let mut network = Network::build(&spec(&text("1 ms", "")), 1, &AtomicBool::new(false)).unwrap();
    assert!(network.setup.workers[0].groups.iter_mut().all(|g| g.is_apart() && g.is_wood()));
    let single = run_on(&text("0.05 ms", others), 1);
    let Some(Stop::NotFinite { unit, variable, .. }) = &single.stopped else { panic!("{:?}", single.stopped) };
    assert!((200..=250).contains(unit) && variable == "dV_m/dt", "{unit} {variable}");
    for (interval, every, threads) in [("0.05 ms", 1, 1), ("1 ms", 20, 1), ("0.8 ms", 16, 2), ("1 ms", 20, 3)] {
        let found = run_on(&text(interval, ""), threads);
        assert_eq!(found.stopped, single.stopped, "every {interval} on {threads}");
        // By bits: what is not finite is noticed some steps later.
        let expected: Vec<u64> =
            trace(&single, "cells", "V_m").chunks(3).step_by(every).flatten().map(|v| v.to_bits()).collect();
        let values: Vec<u64> = trace(&found, "cells", "V_m").iter().map(|v| v.to_bits()).collect();
        assert!(values == expected, "every {interval} on {threads}: {} and {} values", values.len(), expected.len());
    }
}
