//! When neurons spike, whatever the step, the way crossings are found, and what is recorded.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use spikedeck::run;
use spikedeck::signal::Recording;

fn recorded(text: &str) -> Recording {
    let source = run::Source { text: text.to_owned(), origin: None, name: "spikes".to_owned(), variant: None };
    let (spec, _) = run::resolve(&source, &[]).unwrap_or_else(|e| panic!("{}", e.render(false)));
    let tell: run::Tell = Arc::new(|_| {});
    let options = run::Options { threads: 1, ..run::Options::default() };
    let finished = run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell).unwrap();
    Arc::unwrap_or_clone(finished.recording)
}

fn driven(dt: &str, amplitude: &str, t_ref: &str, spike_times: &str) -> Vec<f64> {
    let text = format!(
        "[simulation]
duration = \"100 ms\"
dt = \"{dt}\"
spike_times = \"{spike_times}\"
[populations.p]
model = \"lif\"
parameters = {{ t_ref = \"{t_ref}\" }}
[stimuli.i]
target = \"p.I\"
kind = \"constant\"
amplitude = \"{amplitude}\"
[record.p]
spikes = true
"
    );
    recorded(&text).spikes[0].times.clone()
}

/// A drive that leads over the threshold again inside the step of a spike does not silence the neuron.
#[test]
fn strong_drive_with_a_coarse_step_keeps_a_neuron_firing() {
    for spike_times in ["interpolated", "exact"] {
        let times = driven("1 ms", "20 nA", "0 ms", spike_times);
        assert!(
            times.len() >= 95,
            "{spike_times}: {} spikes in 100 steps, the last at {:?}",
            times.len(),
            times.last()
        );
    }
}

/// A rest that ends inside a step leaves only the rest of it to cross in.
#[test]
fn exact_intervals_do_not_depend_on_the_step() {
    let interval = |dt: &str| {
        let times = driven(dt, "10 nA", "2 ms", "exact");
        (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64
    };
    let (coarse, fine) = (interval("1 ms"), interval("0.01 ms"));
    assert!((coarse - fine).abs() < 1e-9 * fine, "{coarse} ms and {fine} ms");
}
