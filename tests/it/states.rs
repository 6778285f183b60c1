//! A run that was interrupted goes on with the same bits as if it had not been: everything that the engine can do,
//! saved on some threads and gone on with on others.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use spikedeck::scenario::Spec;
use spikedeck::signal::Recording;
use spikedeck::sim::{Network, Observer, SimulationResult, State};

use super::identical::{names, spec};

/// Keeps the state after every epoch.
#[derive(Default)]
struct Keeping {
    states: Vec<State>,
}

impl Observer for Keeping {
    fn progress(&mut self, _: u64, _: u64) -> bool {
        true
    }

    fn wants_state(&mut self, _: bool) -> bool {
        true
    }

    fn state(&mut self, state: State) {
        self.states.push(state);
    }
}

/// Looks at nothing.
struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: u64, _: u64) -> bool {
        true
    }
}

fn build(spec: &Spec, threads: usize) -> Network {
    let network = Network::build(spec, threads, &AtomicBool::new(false)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(network.threads(), threads);
    network
}

/// All numbers of a recording, by their bits.
fn bits(recording: &Recording) -> Vec<(String, Vec<u64>)> {
    let mut all = Vec::new();
    let mut add = |name: String, values: &[f64]| all.push((name, values.iter().map(|v| v.to_bits()).collect()));
    add("window".to_owned(), &[recording.window.start, recording.window.stop]);
    for s in &recording.spikes {
        add(format!("times of {}", s.population), &s.times);
        add(format!("units of {}", s.population), &s.units.iter().map(|u| f64::from(*u)).collect::<Vec<_>>());
    }
    for t in &recording.traces {
        add(format!("{}.{} of {}", t.population, t.variable, t.name), &t.values);
        add(format!("start of {}", t.name), &[t.start, t.interval]);
    }
    for c in &recording.connections {
        add(format!("weights of {}", c.projection), &c.weight);
        add(format!("weights of {} at the end", c.projection), &c.weight_final);
    }
    all
}

/// What is different between two runs.
fn differences(whole: &SimulationResult, rest: &SimulationResult) -> Vec<String> {
    let mut found = Vec::new();
    if (whole.steps, whole.events, &whole.stopped) != (rest.steps, rest.events, &rest.stopped) {
        found.push(format!(
            "{} steps, {} events and {} steps, {} events",
            whole.steps, whole.events, rest.steps, rest.events
        ));
    }
    for ((name, a), (_, b)) in bits(&whole.recording).into_iter().zip(bits(&rest.recording)) {
        if a != b {
            let at = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
            found.push(format!("{name}: {} and {} numbers, the first other one is number {at}", a.len(), b.len()));
        }
    }
    found
}

/// Says what is different where a run is saved on so many threads and gone on with on others, from some of the states
/// that it leaves.
fn gone_on(name: &str, spec: &Spec, saved_on: usize, others: &[usize]) -> Vec<String> {
    let mut keeping = Keeping::default();
    let whole = build(spec, saved_on).run(&mut keeping);
    let mut wrong = Vec::new();
    let alone = build(spec, saved_on).run(&mut Silent);
    wrong.extend(differences(&alone, &whole).into_iter().map(|d| format!("{name}: saving changes {d}")));
    let states = keeping.states;
    if states.is_empty() {
        // A run may be over with its first epoch.
        wrong.extend((spec.simulation.steps > 40).then(|| format!("{name}: no state was saved")));
        return wrong;
    }
    let mut chosen = vec![0, states.len() / 2, states.len() - 1];
    chosen.dedup();
    for (at, threads) in chosen.into_iter().flat_map(|at| others.iter().map(move |t| (at, *t))) {
        let state = State::from_bytes(&states[at].to_bytes()).unwrap();
        let step = state.step();
        let mut network = build(spec, threads);
        let found = match network.go_on_from(state) {
            Ok(()) => differences(&whole, &network.run(&mut Silent)),
            Err(error) => vec![error.to_string()],
        };
        let how = format!("{name}, saved before step {step} on {saved_on} and gone on with on {threads}");
        wrong.extend(found.into_iter().map(|d| format!("{how}: {d}")));
    }
    wrong
}

#[test]
fn every_run_goes_on_with_the_same_bits_on_one_thread() {
    let wrong: Vec<String> = names().iter().flat_map(|name| gone_on(name, &spec(name, false), 1, &[1])).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_run_goes_on_with_the_same_bits_on_other_threads() {
    let both = |name: &String| {
        let spec = spec(name, true);
        [gone_on(name, &spec, 1, &[2]), gone_on(name, &spec, 2, &[1, 2])].concat()
    };
    let wrong: Vec<String> = names().iter().flat_map(both).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A run of some seconds, in a folder of its own.
struct Place(tempfile::TempDir);

const LONG: &str = r#"
[simulation]
duration = "30 s"
dt = "0.1 ms"
seed = 5
[populations.p]
model = "lif"
size = 700
receptors.syn = { kind = "exp_current", tau = "5 ms" }
[stimuli.noise]
target = "p.I"
kind = "ou_noise"
mean = "380 pA"
sigma = "80 pA"
tau = "5 ms"
[projections.pp]
from = "p"
to = "p.syn"
connect = { rule = "fixed_indegree", indegree = 20 }
weight = "-15 pA"
delay = "1.5 ms"
plasticity = { kind = "stdp_pair", w_max = "-40 pA" }
[record.p]
spikes = true
connections = true
traces = [{ name = "v", variables = ["V_m"], units = [0, 699], interval = "10 ms" }]
[analyses.rates]
kind = "rates"
of = "p.spikes"
"#;

/// The tables of a run that say what came out of it.
const TABLES: [&str; 6] = [
    "spikes.parquet",
    "traces/p-v.parquet",
    "connections.parquet",
    "units.parquet",
    "metrics.parquet",
    "analyses/rates.parquet",
];

impl Place {
    fn new(text: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("long.toml"), text).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
        command.env("NO_COLOR", "1").current_dir(self.0.path()).stdin(Stdio::null()).args(["run", "long.toml"]);
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.command(args).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Begins a run and sends it a signal when its state is there.
    fn cut(&self, args: &[&str], state: &str, signal: Signal) -> (Option<i32>, String) {
        let child = self.command(args).spawn().unwrap();
        let until = Instant::now() + Duration::from_mins(2);
        while !self.path(state).exists() {
            assert!(Instant::now() < until, "no state was saved");
            std::thread::sleep(Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn tables(&self, folder: &str) -> Vec<Vec<u8>> {
        TABLES
            .iter()
            .map(|name| fs::read(self.path(folder).join(name)).unwrap_or_else(|e| panic!("{name}: {e}")))
            .collect()
    }
}

/// A job that is preempted (TERM), then killed, then left alone: begun and gone on with by the same command, its folder
/// is in the end that of a run that was never interrupted.
#[test]
fn a_preempted_job_leaves_the_folder_of_an_uninterrupted_run() {
    let place = Place::new(LONG);
    let (status, said) = place.run(&["-q", "--out", "whole", "--threads", "2"]);
    assert_eq!(status, Some(0), "{said}");
    let job = |threads: &'static str| {
        ["-q", "--out", "cut", "--checkpoint", "long.state:every=20 ms", "--resume", "--threads", threads]
    };
    let (status, said) = place.cut(&job("1"), "long.state", Signal::TERM);
    assert_eq!(status, Some(143), "{said}");
    assert!(said.contains("its state is in long.state; the same command with --resume goes on"), "{said}");
    let first = fs::read(place.path("long.state")).unwrap();
    let (status, _) = place.cut(&job("2"), "long.state", Signal::KILL);
    assert_eq!(status, None);
    assert!(!fs::read(place.path("long.state")).unwrap().is_empty() && !first.is_empty());
    let (status, said) = place.run(&job("1"));
    assert_eq!((status, said.as_str()), (Some(0), ""));
    assert!(!place.path("long.state").exists(), "a run that is whole needs no state");
    for ((name, whole), cut) in TABLES.iter().zip(place.tables("whole")).zip(place.tables("cut")) {
        assert!(whole == cut, "{name} is another");
    }
    // What is whole is not replaced by a run that goes on from nothing.
    let (status, said) = place.run(&job("1"));
    assert!(status == Some(2) && said.contains("exists"), "{said}");
}

#[test]
fn a_state_that_does_not_fit_is_refused_with_words() {
    let place = Place::new(LONG);
    let (status, said) = place.cut(&["-q", "--checkpoint", "a.state:every=1 ms"], "a.state", Signal::TERM);
    assert_eq!(status, Some(143), "{said}");
    let refused = |args: &[&str], words: &str| {
        let (status, said) = place.run(args);
        assert!(status == Some(2) && said.contains(words), "{args:?}: {said}");
    };
    refused(&["--from", "a.state", "--seed", "6"], "saved by another scenario (long): simulation.seed: 5 then, 6 now");
    refused(&["--from", "b.state"], "there is no such file");
    refused(&["--from", "long.toml"], "it is no state of a run");
    refused(&["--from", "a.state", "--set", "sweep.seeds=2"], "a state is of one run, and this scenario has several");
    refused(&["long.toml", "--from", "a.state"], "name one scenario");
    refused(&["--resume"], "--checkpoint");
    // Neither the scenario nor a state that another run left is written over, and both stay as they were.
    for (file, words) in [("long.toml", "no state of a run"), ("a.state", "--resume goes on from it")] {
        let before = fs::read(place.path(file)).unwrap();
        refused(&["--checkpoint", file], words);
        assert_eq!(fs::read(place.path(file)).unwrap(), before);
    }
    refused(&["--checkpoint", "a.state:every=soon"], "`every` is a time");
    let bytes = fs::read(place.path("a.state")).unwrap();
    fs::write(place.path("a.state"), &bytes[..bytes.len() / 2]).unwrap();
    refused(&["--from", "a.state"], "cut short or damaged");
}
