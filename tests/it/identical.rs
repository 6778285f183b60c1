//! The same bits as before: digests of the spikes and traces of small runs that together cover what the engine can do.
//!
//! `tests/identical/NAME.toml` is a run, its title says what it covers; `tests/identical/pins.toml` holds the digests.
//! A run has to give them on one thread and on two, and at every level of vector instructions that the machine has.
//! Where bits move on purpose, `UPDATE_IDENTICAL=1` writes the digests anew, and a **NUMBERS** line of CHANGELOG.md
//! says which numbers moved and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use sha2::{Digest, Sha256};
use spikedeck::core::vector::{self, Level};
use spikedeck::model::{DefinitionKind, library};
use spikedeck::run;
use spikedeck::scenario::language::WordOf;
use spikedeck::scenario::{
    Boundary, Coupling, DISTRIBUTIONS, Generator, RULES, Rule, STIMULI, Spec, SpikeTimes, StimulusKind, Value, Words,
};
use spikedeck::signal::{Recording, TimeBase};
use spikedeck::sim::{Network, Observer};

/// What a run gave of one kind: how many numbers, and the digest of their bits.
#[derive(Debug, Clone, PartialEq)]
struct Pin {
    count: usize,
    sha256: String,
}

/// What a run gave.
#[derive(Debug, Clone, PartialEq)]
struct Pins {
    /// All spikes, if the run records any.
    spikes: Option<Pin>,
    /// All samples.
    trace: Pin,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/identical")
}

/// Names of all runs.
pub(super) fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path());
    let scenarios =
        files.filter(|p| p.extension().is_some_and(|e| e == "toml") && p.file_stem().is_some_and(|s| s != "pins"));
    let mut names: Vec<String> = scenarios.map(|p| p.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn text_of(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap()
}

/// Units that do nothing: a second thread is started for some hundreds of units only, and what these do changes nothing
/// for others.
const BYSTANDERS: [(TimeBase, &str); 2] = [
    (TimeBase::Milliseconds, "\n[populations.bystanders]\nmodel = \"rate_unit\"\nsize = 512\nintegrator = \"euler\"\n"),
    (
        TimeBase::Dimensionless,
        "\n[populations.bystanders]\nmodel = \"matsuoka\"\nsize = 512\nintegrator = \"euler\"\n\
         parameters = { c = 0 }\n",
    ),
];

/// A run, resolved; with bystanders if these are asked for.
pub(super) fn spec(name: &str, bystanders: bool) -> Spec {
    let resolve = |text: String| {
        let origin = Some(folder().join(format!("{name}.toml")));
        let source = run::Source { text, origin, name: name.to_owned(), variant: None };
        run::resolve(&source, &[]).unwrap_or_else(|e| panic!("{}", e.render(false))).0
    };
    let alone = resolve(text_of(name));
    if !bystanders {
        return alone;
    }
    let more = BYSTANDERS.iter().find(|b| b.0 == alone.simulation.time_base).unwrap().1;
    resolve(text_of(name) + more)
}

/// Looks at nothing.
struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: u64, _: u64) -> bool {
        true
    }
}

/// Runs to the end on so many threads.
fn record(name: &str, threads: usize) -> Recording {
    let network = Network::build(&spec(name, threads > 1), threads, &AtomicBool::new(false))
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(network.threads(), threads, "{name}");
    let result = network.run(&mut Silent);
    assert_eq!(result.stopped, None, "{name}");
    result.recording
}

/// Numbers and words into a digest, each with its length, so that nothing can move from one to the next.
#[derive(Default)]
struct Hasher {
    sha: Sha256,
    count: usize,
}

impl Hasher {
    fn word(&mut self, text: &str) {
        self.sha.update((text.len() as u64).to_le_bytes());
        self.sha.update(text);
    }

    fn units(&mut self, units: &[u32]) {
        self.sha.update((units.len() as u64).to_le_bytes());
        for u in units {
            self.sha.update(u.to_le_bytes());
        }
    }

    fn values(&mut self, values: &[f64]) {
        self.sha.update((values.len() as u64).to_le_bytes());
        for v in values {
            self.sha.update(v.to_bits().to_le_bytes());
        }
        self.count += values.len();
    }

    fn pin(self) -> Pin {
        let sha256 = self.sha.finalize().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        Pin { count: self.count, sha256 }
    }
}

/// The digests of a recording: something of everything that is recorded has to be there.
fn pins_of(name: &str, recording: &Recording) -> Pins {
    let (mut spikes, mut trace) = (Hasher::default(), Hasher::default());
    for s in &recording.spikes {
        assert!(!s.is_empty(), "{name}: nothing of `{}` spikes, so that its spikes show nothing", s.population);
        spikes.word(&s.population);
        spikes.units(&s.units);
        spikes.values(&s.times);
    }
    for t in &recording.traces {
        assert!(
            t.values.iter().any(|v| *v != t.values[0]),
            "{name}: {}.{} stands still, so that it shows nothing",
            t.population,
            t.variable
        );
        // A place of a tree that does not have the variable has no number at any time.
        let of_unit = |k: usize| t.values.iter().skip(k).step_by(t.units.len()).filter(|v| v.is_finite()).count();
        let rows = t.values.len() / t.units.len();
        let sound = (0..t.units.len()).all(|k| [0, rows].contains(&of_unit(k)));
        assert!(sound, "{name}: {}.{} is not finite", t.population, t.variable);
        for word in [&t.population, &t.name, &t.variable] {
            trace.word(word);
        }
        trace.units(&t.units);
        trace.values(&[t.start, t.interval]);
        trace.values(&t.values);
    }
    assert!(trace.count > 0, "{name} records no trace");
    Pins { spikes: (!recording.spikes.is_empty()).then(|| spikes.pin()), trace: trace.pin() }
}

fn pins_file() -> PathBuf {
    folder().join("pins.toml")
}

fn pinned() -> BTreeMap<String, Pins> {
    let table: toml::Table = toml::from_str(&fs::read_to_string(pins_file()).unwrap_or_default()).unwrap();
    let pin = |v: &toml::Value| {
        let (count, sha256) = (v["count"].as_integer().unwrap(), v["sha256"].as_str().unwrap());
        Pin { count: usize::try_from(count).unwrap(), sha256: sha256.to_owned() }
    };
    table.iter().map(|(n, v)| (n.clone(), Pins { spikes: v.get("spikes").map(pin), trace: pin(&v["trace"]) })).collect()
}

fn write_pins(pins: &BTreeMap<String, Pins>) {
    let mut text =
        "# Digests of the runs in this folder (tests/it/identical.rs); UPDATE_IDENTICAL=1 writes them anew.\n"
            .to_owned();
    let line = |kind: &str, pin: &Pin| format!("{kind} = {{ count = {}, sha256 = \"{}\" }}\n", pin.count, pin.sha256);
    for (name, pins) in pins {
        let spikes = pins.spikes.as_ref().map(|p| line("spikes", p)).unwrap_or_default();
        write!(text, "\n[{name}]\n{spikes}{}", line("trace", &pins.trace)).unwrap();
    }
    fs::write(pins_file(), text).unwrap();
}

fn updating() -> bool {
    std::env::var_os("UPDATE_IDENTICAL").is_some()
}

/// What differs from the pin of a run, in words.
fn differences(name: &str, how: &str, pinned: &Pins, found: &Pins) -> Vec<String> {
    let kinds =
        [("spikes", pinned.spikes.as_ref(), found.spikes.as_ref()), ("trace", Some(&pinned.trace), Some(&found.trace))];
    let count = |p: Option<&Pin>| p.map_or_else(|| "none".to_owned(), |p| format!("{} numbers", p.count));
    let differing = kinds.into_iter().filter(|(_, pinned, found)| pinned != found);
    differing
        .map(|(kind, pinned, found)| format!("{name}, {how}: {kind}: {} pinned, {} found", count(pinned), count(found)))
        .collect()
}

#[test]
fn every_run_gives_its_pinned_bits_on_one_thread_and_on_two() {
    let names = names();
    assert!(names.len() >= 30, "only {} runs", names.len());
    if let Some(asked) = vector::asked().unwrap() {
        assert_eq!(vector::level(), asked.min(vector::detected()), "the level that was asked for is in use");
    }
    if updating() {
        write_pins(&names.iter().map(|n| (n.clone(), pins_of(n, &record(n, 1)))).collect());
    }
    let pinned = pinned();
    let mut wrong = Vec::new();
    for name in &names {
        let Some(pins) = pinned.get(name) else {
            wrong.push(format!("{name} has no pin"));
            continue;
        };
        for (threads, how) in [(1, "one thread"), (2, "two threads")] {
            wrong.extend(differences(name, how, pins, &pins_of(name, &record(name, threads))));
        }
    }
    wrong.extend(
        pinned.keys().filter(|n| !names.contains(n)).map(|n| format!("{n} is pinned, but there is no such run")),
    );
    assert!(wrong.is_empty(), "{}\n{ADVICE}", wrong.join("\n"));
}

/// The level is chosen once a process, so that the other levels have processes of their own, which run the test above.
#[test]
fn every_run_gives_its_pinned_bits_at_every_level_of_vector_instructions() {
    // While digests are written there is nothing yet to compare with.
    if updating() {
        return;
    }
    let others = Level::LIST.into_iter().filter(|l| l.1 != vector::level());
    let (there, not_there): (Vec<_>, Vec<_>) = others.partition(|l| l.1 <= vector::detected());
    for (word, _) in &not_there {
        writeln!(std::io::stdout(), "this machine has no {word}: pins are not compared at that level").unwrap();
    }
    for (word, _) in there {
        let test = "identical::every_run_gives_its_pinned_bits_on_one_thread_and_on_two";
        let mut command = Command::new(std::env::current_exe().unwrap());
        let out = command.args([test, "--exact", "--nocapture"]).env(vector::VARIABLE, word).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && text.contains("1 passed"), "at the level {word}:\n{text}");
    }
}

const ADVICE: &str = "bits have moved: if that is meant, UPDATE_IDENTICAL=1 writes the digests anew, and a \
                      **NUMBERS** line of CHANGELOG.md says which numbers moved and why";

/// All keys that a text has, and the words that stand after them.
#[derive(Default)]
struct Written {
    keys: BTreeSet<String>,
    words: BTreeMap<String, BTreeSet<String>>,
}

impl Written {
    fn add(&mut self, value: &toml::Value) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    self.keys.insert(key.clone());
                    self.word(key, value);
                    self.add(value);
                }
            }
            toml::Value::Array(list) => list.iter().for_each(|v| self.add(v)),
            _ => {}
        }
    }

    fn word(&mut self, key: &str, value: &toml::Value) {
        match value {
            toml::Value::String(word) => {
                self.words.entry(key.to_owned()).or_default().insert(word.clone());
            }
            toml::Value::Array(list) => list.iter().for_each(|v| self.word(key, v)),
            _ => {}
        }
    }

    /// What stands after any of these keys.
    fn after(&self, keys: &[&str]) -> BTreeSet<&str> {
        keys.iter().filter_map(|k| self.words.get(*k)).flatten().map(String::as_str).collect()
    }
}

/// Whether a value is one for all connections, or how it differs between them.
fn kind_of<N>(value: &Value<N>) -> &'static str {
    match value {
        Value::Constant(_) => "the same",
        Value::Each(_) => "listed",
        Value::Drawn(_) => "drawn",
        Value::Expression(_) => "computed",
    }
}

/// What runs have that no list of the program names.
const TRAITS: [&str; 25] = [
    "many units",
    "few units",
    "cells on a line",
    "cells in a plane",
    "one tree",
    "trees",
    "substeps",
    "a refractory time",
    "positions",
    "spikes without delay",
    "spikes with delay",
    "continuous coupling without delay",
    "continuous coupling with delay",
    "draws of another projection",
    "weights the same",
    "weights listed",
    "weights drawn",
    "weights computed",
    "delays the same",
    "delays listed",
    "delays drawn",
    "delays computed",
    "edges with weights and delays",
    "a signal held",
    "a signal interpolated",
];

fn traits_of(spec: &Spec) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for p in &spec.populations {
        found.insert(match (&p.grid, &p.tree) {
            (Some(g), _) if g.shape.len() == 1 => "cells on a line",
            (Some(_), _) => "cells in a plane",
            (None, Some(t)) if t.cells == 1 => "one tree",
            (None, Some(_)) => "trees",
            (None, None) if p.size <= 3 => "few units",
            (None, None) => "many units",
        });
        found.extend((p.substeps > 1).then_some("substeps"));
        found.extend(p.model.texts.refractory_time.as_ref().map(|_| "a refractory time"));
        found.extend(p.positions.as_ref().map(|_| "positions"));
    }
    for p in &spec.projections {
        found.insert(match (&p.coupling, p.delay == Value::Constant(0.0)) {
            (Coupling::Event, true) => "spikes without delay",
            (Coupling::Event, false) => "spikes with delay",
            (Coupling::Continuous { .. }, true) => "continuous coupling without delay",
            (Coupling::Continuous { .. }, false) => "continuous coupling with delay",
        });
        found.extend(p.draws_of.as_ref().map(|_| "draws of another projection"));
        if let Rule::Edges { weight: Some(_), delay: Some(_), .. } = &p.rule {
            found.insert("edges with weights and delays");
        }
    }
    for s in &spec.stimuli {
        if let StimulusKind::Signal(signal) = &s.kind {
            found.insert(if signal.linear { "a signal interpolated" } else { "a signal held" });
        }
    }
    let mut found: BTreeSet<String> = found.into_iter().map(str::to_owned).collect();
    found.extend(spec.projections.iter().map(|p| format!("weights {}", kind_of(&p.weight))));
    found.extend(spec.projections.iter().map(|p| format!("delays {}", kind_of(&p.delay))));
    found
}

fn names_of(words: &[WordOf]) -> Vec<&'static str> {
    words.iter().map(|w| w.name).collect()
}

/// What is new in the program's lists gets a run here.
#[test]
fn pinned_runs_cover_the_lists_of_the_program() {
    let (mut all, mut stimuli, mut projections) = (Written::default(), Written::default(), Written::default());
    let (mut receptors, mut rules, mut traits) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for name in names() {
        let root: toml::Value = toml::from_str(&text_of(&name)).unwrap();
        all.add(&root);
        stimuli.add(root.get("stimuli").unwrap_or(&toml::Value::Boolean(false)));
        projections.add(root.get("projections").unwrap_or(&toml::Value::Boolean(false)));
        let spec = spec(&name, false);
        receptors.extend(spec.populations.iter().flat_map(|p| &p.receptors).map(|r| r.definition.name.clone()));
        let plastic = spec.projections.iter().filter_map(|p| p.plasticity.as_ref()).flat_map(|p| &p.rules);
        rules.extend(plastic.map(|r| r.definition.name.clone()));
        traits.extend(traits_of(&spec));
    }
    let integrators = run::integrators().iter().map(|i| i.0).collect();
    let distributions = DISTRIBUTIONS.keys.iter().map(|k| k.name).collect();
    let wanted: [(&str, Vec<&str>, BTreeSet<&str>); 10] = [
        ("integrator", integrators, all.after(&["integrator", "pointwise"])),
        ("kind of stimulus", STIMULI.words(), stimuli.after(&["kind"])),
        ("connection rule", RULES.words(), projections.after(&["rule", "connect"])),
        ("distribution", distributions, all.keys.iter().map(String::as_str).collect()),
        ("way of finding spike times", names_of(SpikeTimes::WORDS), all.after(&["spike_times"])),
        ("boundary", names_of(Boundary::WORDS), all.after(&["boundary"])),
        ("generator of a noise", names_of(Generator::WORDS), all.after(&["generator"])),
        ("receptor", library().names(DefinitionKind::Receptor), receptors.iter().map(String::as_str).collect()),
        ("rule of plasticity", library().names(DefinitionKind::Plasticity), rules.iter().map(String::as_str).collect()),
        ("trait", TRAITS.to_vec(), traits.iter().map(String::as_str).collect()),
    ];
    let mut missing = Vec::new();
    for (what, list, found) in &wanted {
        assert!(list.len() >= 2, "the list of each {what} is read");
        missing.extend(list.iter().filter(|w| !found.contains(*w)).map(|w| format!("{what} {w}")));
    }
    let advice = "add a small run with it, and UPDATE_IDENTICAL=1 pins it";
    assert!(missing.is_empty(), "no run in tests/identical has\n{}\n{advice}", missing.join("\n"));
}
