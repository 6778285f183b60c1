//! A network of leaky neurons stepped by the clock fires when the same network computed from event to event does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use spikedeck::run;

const NETWORK: &str = r#"
[simulation]
duration = "400 ms"
dt = "0.1 ms"
seed = 5
[populations.p]
model = "lif"
size = 30
parameters = { tau_m = "10 ms", E_L = "0 mV", V_th = "1 mV", V_reset = "0 mV", t_ref = "0 ms" }
receptors.in = { kind = "delta" }
[projections.pp]
from = "p"
to = "p.in"
connect = { rule = "probability", p = 0.3 }
weight = { normal = { mean = "0.12 mV", sd = "0.25 mV" } }
delay = { uniform = ["0.5 ms", "6 ms"] }
[populations.source]
model = "lif"
size = 30
parameters = { E_L = "0 mV", V_th = "1 mV", V_reset = "0 mV", t_ref = "0 ms" }
receptors.in = { kind = "delta" }
[stimuli.to_source]
target = "source.in"
kind = "poisson"
rate = "120 Hz"
weight = "2 mV"
[projections.drive]
from = "source"
to = "p.in"
connect = "one_to_one"
weight = "0.6 mV"
delay = "1 ms"
[record.p]
spikes = true
connections = true
[record.source]
spikes = true
connections = true
"#;

/// Steps and units of the spikes of `p`, from event to event: V decays in closed form between arrivals, and the
/// threshold can only be reached at one.
fn by_events(
    given: &[(u64, u32)],
    drive: &[(u32, u64, f64)],
    inside: &[Vec<(u32, u64, f64)>],
    stop: u64,
) -> Vec<(u64, u32)> {
    let mut queue: BTreeMap<u64, BTreeMap<u32, f64>> = BTreeMap::new();
    for &(step, unit) in given {
        let (target, delay, weight) = drive[unit as usize];
        *queue.entry(step + delay).or_default().entry(target).or_default() += weight;
    }
    let mut state = vec![(0_u64, 0.0_f64); inside.len()];
    let mut spikes = Vec::new();
    while let Some((step, arrivals)) = queue.pop_first() {
        if step > stop {
            break;
        }
        for (unit, weight) in arrivals {
            let (last, v) = &mut state[unit as usize];
            *v = *v * (-((step - *last) as f64) * 0.1 / 10.0).exp() + weight;
            *last = step;
            if *v >= 1.0 {
                *v = 0.0;
                spikes.push((step, unit));
                for &(target, delay, w) in &inside[unit as usize] {
                    *queue.entry(step + delay).or_default().entry(target).or_default() += w;
                }
            }
        }
    }
    spikes
}

#[test]
fn clock_driven_equals_event_driven() {
    let source = run::Source { text: NETWORK.to_owned(), origin: None, name: "events".into(), variant: None };
    let (spec, _) = run::resolve(&source, &[]).unwrap_or_else(|e| panic!("{}", e.render(false)));
    for threads in [1, 2] {
        let options = run::Options { threads, ..run::Options::default() };
        let finished =
            run::execute(&Arc::new(spec.clone()), options, &AtomicBool::new(false), &(Arc::new(|_| {}) as run::Tell))
                .unwrap();
        let recording = &finished.recording;
        let step = |t: f64| (t / 0.1).round() as u64;
        let list = |name: &str| -> Vec<(u64, u32)> {
            let s = recording.spikes_of(name).unwrap();
            s.times.iter().zip(&s.units).map(|(&t, &u)| (step(t), u)).collect()
        };
        let wires = |name: &str| -> Vec<(u32, u32, u64, f64)> {
            let c = recording.connections.iter().find(|c| c.projection == name).unwrap();
            (0..c.source.len()).map(|k| (c.source[k], c.target[k], step(c.delay[k]), c.weight[k])).collect()
        };
        let drive: Vec<(u32, u64, f64)> = wires("drive").iter().map(|w| (w.1, w.2, w.3)).collect();
        let mut inside = vec![Vec::new(); 30];
        for (s, t, d, w) in wires("pp") {
            inside[s as usize].push((t, d, w));
        }
        let expected = by_events(&list("source"), &drive, &inside, 4000);
        let mut found = list("p");
        found.sort_unstable();
        assert!(expected.len() > 300, "{} spikes are few", expected.len());
        // What the network sends itself matters: without it the spikes are others.
        assert_ne!(expected, by_events(&list("source"), &drive, &vec![Vec::new(); 30], 4000));
        assert_eq!(found, expected, "{threads} threads");
    }
}
