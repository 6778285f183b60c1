//! Steps that are too coarse for the spikes of a scheme: a run that counts wrong says so before it begins.

use super::{run_on, spec};
use crate::Network;

/// One neuron under a constant input.
fn text(model: &str, integrator: &str, dt: &str, times: &str, amplitude: &str) -> String {
    // Rests are multiples of every step that is tried.
    let rest = if model == "eif" { "parameters = { t_ref = \"2 ms\" }\n" } else { "" };
    format!(
        "[simulation]\nduration = \"300 ms\"\ndt = \"{dt} ms\"\nspike_times = \"{times}\"\n[populations.n]\n\
         model = \"{model}\"\n{rest}integrator = \"{integrator}\"\n[stimuli.i]\ntarget = \"n.I\"\nkind = \"constant\"\n\
         amplitude = \"{amplitude}\"\n[record.n]\nspikes = true\n"
    )
}

fn times(text: &str) -> Vec<f64> {
    run_on(text, 1).recording.spikes[0].times.clone()
}

fn count(text: &str) -> usize {
    times(text).len()
}

/// Whatever the model, the scheme and the step: spikes are as many as with a step at which they are settled, or a
/// warning says that they are not, and what does. Steps that are refused say so as well.
#[test]
fn a_wrong_count_is_told() {
    let models = [
        ("pospischil", "2 uA/cm**2"),
        ("hodgkin_huxley", "10 uA/cm**2"),
        ("eif", "1 uA/cm**2"),
        ("adex", "700 pA"),
        ("lif", "500 pA"),
    ];
    let (mut told, mut right) = (0, 0);
    for (model, amplitude) in models {
        let settled = times(&text(model, "rk45", "0.02", "interpolated", amplitude));
        assert!(settled.len() >= 4, "{model}: {settled:?}");
        for integrator in
            ["rosenbrock", "exponential_euler", "euler", "euler_sequential", "heun", "rk4", "rk45", "auto"]
        {
            for dt in ["0.02", "0.1", "0.5", "1"] {
                let text = text(model, integrator, dt, "grid", amplitude);
                let Ok(said) = Network::examine(&spec(&text)) else { continue };
                // Of a step or a scheme: no other words count.
                let words = ["count spikes", "is too long", "is behind"];
                let is_told = |w: &String| words.iter().any(|word| w.contains(word));
                if said.iter().any(is_told) {
                    told += 1;
                    continue;
                }
                assert!(said.is_empty(), "{said:?}");
                right += 1;
                let found = times(&text);
                let (n, wanted) = (found.len(), settled.len());
                // One more or less where the other comes just after the end.
                let last = found.last().into_iter().chain(settled.last()).copied().fold(0.0, f64::max);
                let at_end = n.abs_diff(wanted) == 1 && last > 300.0 / 1.1;
                assert!(
                    at_end || n.abs_diff(wanted) <= wanted / 10,
                    "{model}, {integrator}, {dt} ms: {n} for {wanted}, without a word"
                );
            }
        }
    }
    // Neither everything nor nothing is warned of.
    assert!(told > 20 && right > 40, "{told} {right}");
}

/// What is said names the counts, and a step that does.
#[test]
fn the_step_that_is_named_does() {
    let said = Network::examine(&spec(&text("pospischil", "rosenbrock", "0.1", "grid", "2 uA/cm**2"))).unwrap();
    assert_eq!(said.len(), 1, "{said:?}");
    let step = said[0].split("dt = \"").nth(1).and_then(|rest| rest.split(" ms\"").next()).expect(&said[0]);
    assert!(said[0].contains("too often") && said[0].contains("rk45"), "{said:?}");
    let finer = text("pospischil", "rosenbrock", step, "grid", "2 uA/cm**2");
    assert!(Network::examine(&spec(&finer)).unwrap().is_empty());
    let settled = count(&text("pospischil", "rk45", "0.02", "interpolated", "2 uA/cm**2"));
    assert!(count(&finer).abs_diff(settled) <= 1);
}

/// Units that nothing drives, and populations that do not spike, are not tried for long and have nothing to say.
#[test]
fn silence_is_no_miscount() {
    for (model, amplitude) in [("lif", "0 pA"), ("hodgkin_huxley", "0 uA/cm**2"), ("adex", "10 pA")] {
        let said = Network::examine(&spec(&text(model, "auto", "0.1", "grid", amplitude))).unwrap();
        assert!(said.is_empty(), "{model}: {said:?}");
    }
}

/// A single spike that a step loses is told: just above the least current at which the neuron fires at all, once.
#[test]
fn one_spike_lost_is_told() {
    let once = |dt: &str, amplitude: &str| {
        text("hodgkin_huxley", "exponential_euler", dt, "grid", &format!("{amplitude} uA/cm**2"))
            .replace("300 ms", "60 ms")
    };
    assert_eq!((times(&once("0.1", "2.3")).len(), times(&once("0.025", "2.3")).len()), (0, 1));
    let said = Network::examine(&spec(&once("0.1", "2.3"))).unwrap();
    assert!(said.len() == 1 && said[0].contains("0 spikes for 1") && said[0].contains("too seldom"), "{said:?}");
    for (dt, amplitude) in [("0.025", "2.3"), ("0.1", "2.6"), ("0.1", "2")] {
        let said = Network::examine(&spec(&once(dt, amplitude))).unwrap();
        assert!(said.is_empty(), "{dt} ms, {amplitude}: {said:?}");
    }
}
