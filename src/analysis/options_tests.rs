//! Declarations give what they say, and what is read is what was written.

use super::*;
use crate::testing::{recording, subject};
use crate::{ANALYSES, Outcome, derived};
use spikedeck_scenario::AnalysisSpec;
use spikedeck_signal::{Recording, SpikeTrains};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

words! {
    /// For the tests.
    enum Colour {
        /// Red.
        Red = "red",
        /// Dark blue.
        DarkBlue = "dark_blue",
    }
}

options! {
    /// Shared ones.
    struct Inner {
        level: f64 = number("0.5").between(0.0, 1.0), "a share";
    }
}

options! {
    /// One of each.
    struct Every {
        bin: Time = time("2 ms").or(derived::TENTH), "a width";
        onset: Option<Time> = time_if_given().or_zero(), "a start";
        top: Frequency = frequency("100 Hz").required(), "an end";
        inner: Inner = shared();
        voltage: Quantity = quantity(Dimension::VOLT, "-10 mV"), "a level";
        count: usize = integer("4"), "how many";
        colour: Colour = choice(Colour::DarkBlue), "which";
        on: bool = flag(true), "whether";
        name: String = text("V_m"), "of what";
        list: Vec<String> = texts(), "several";
    }
}

fn read(
    recording: &Recording,
    options: &[(&'static str, OptionValue)],
) -> Result<(Every, Vec<Setting>), AnalysisError> {
    let spec = AnalysisSpec {
        name: "x".into(),
        kind: "x".into(),
        of: vec![subject("spikes", &[])],
        source: vec![],
        target: vec![],
        options: options.iter().cloned().collect(),
    };
    let request = Request {
        spec: &spec,
        scenario: None,
        recording,
        trains: &SpikeTrains::new(recording),
        seed: 1,
        cancel: &AtomicBool::new(false),
    };
    let mut reader = Reader::new(&request);
    let every = Every::read(&mut reader)?;
    Ok((every, reader.settings))
}

fn clock(base: TimeBase) -> Recording {
    Recording { time_base: base, ..recording(&[(1..100).map(|k| f64::from(10 * k)).collect()], 1000.0) }
}

#[test]
fn a_declaration_lists_keys_in_order_and_what_stands_for_units() {
    let mut declared = Declared::default();
    Every::declare(&mut declared);
    let keys: Vec<&str> = declared.specs.iter().map(|s| s.key).collect();
    assert_eq!(keys, ["bin", "onset", "top", "level", "voltage", "count", "colour", "on", "name", "list"]);
    let without = [("bin", WithoutUnits::Derived(derived::TENTH.how)), ("top", WithoutUnits::Required)];
    assert_eq!(declared.without_units, without);
    let colour = &declared.specs[6];
    assert_eq!((&colour.kind, colour.default), (&OptionKind::Choice(&["red", "dark_blue"]), Some("dark_blue")));
    assert_eq!((declared.specs[1].range, declared.specs[3].about), (Some((0.0, f64::MAX)), "a share"));
}

#[test]
fn defaults_are_read_from_the_declaration_and_given_values_win() {
    let (every, settings) = read(&clock(TimeBase::Milliseconds), &[]).unwrap();
    assert_eq!((every.bin.seconds, every.bin.axis, every.onset), (2e-3, 2.0, None));
    assert_eq!((every.top.hertz, every.inner.level, every.count, every.colour), (100.0, 0.5, 4, Colour::DarkBlue));
    assert_eq!((every.on, every.name.as_str(), every.list.len(), settings.len()), (true, "V_m", 0, 0));
    assert_eq!(every.voltage.in_unit("mV", Dimension::VOLT), Some(-10.0));
    assert_eq!(every.voltage.in_unit("pA", Dimension::VOLT), None);
    let given = [
        ("onset", OptionValue::Number(0.5)),
        ("colour", OptionValue::Text("red".into())),
        ("on", OptionValue::Flag(false)),
        ("list", OptionValue::Texts(vec!["a".into()])),
    ];
    let (every, _) = read(&clock(TimeBase::Milliseconds), &given).unwrap();
    assert_eq!(
        (every.onset.unwrap().axis, every.colour, every.on, every.list),
        (500.0, Colour::Red, false, vec!["a".into()])
    );
    let wrong = [("count", OptionValue::Text("four".into()))];
    let error = read(&clock(TimeBase::Milliseconds), &wrong).unwrap_err().to_string();
    assert_eq!(error, "`count` cannot be `four`");
}

#[test]
fn without_units_a_default_in_them_is_derived_and_told_or_asked_for() {
    let error = read(&clock(TimeBase::Dimensionless), &[]).unwrap_err().to_string();
    assert_eq!(error, "time has no unit here: say `top`, a plain number");
    let (every, settings) = read(&clock(TimeBase::Dimensionless), &[("top", OptionValue::Number(3.0))]).unwrap();
    assert_eq!((every.bin.axis, every.bin.seconds, every.top.hertz), (1.0, 1.0, 3.0));
    let told: Vec<(&str, f64)> = settings.iter().map(|s| (s.key.as_str(), s.value)).collect();
    assert_eq!(told, [("bin", 1.0)]);
}

/// Whatever was recorded: silence, one spike, a clock. An analysis may have nothing to say; its times are times.
#[test]
fn derived_times_are_positive_whatever_was_recorded() {
    for trains in [vec![vec![], vec![]], vec![vec![5.0], vec![]], vec![(1..100).map(f64::from).collect(), vec![7.0]]] {
        let recording = Recording { time_base: TimeBase::Dimensionless, dt: 0.1, ..recording(&trains, 100.0) };
        for analysis in ANALYSES {
            let declaration = analysis.declaration();
            let spec = AnalysisSpec {
                name: "x".into(),
                kind: declaration.kind.into(),
                of: vec![subject("spikes", &[])],
                source: vec![],
                target: vec![],
                options: BTreeMap::new(),
            };
            let request = Request {
                spec: &spec,
                scenario: None,
                recording: &recording,
                trains: &SpikeTrains::new(&recording),
                seed: 1,
                cancel: &AtomicBool::new(false),
            };
            let settings = analysis.run(&request).map(|o: Outcome| o.settings).unwrap_or_default();
            for s in settings {
                assert!(s.value > 0.0 && s.value.is_finite(), "{}: {s:?}", declaration.kind);
            }
        }
    }
}

/// Every time that an estimator takes is known to cut the run into pieces, or not to: a new one has to be put here.
#[test]
fn times_cut_the_run_or_do_not() {
    let others = [
        "burst_isi",
        "delay",
        "duration",
        "gap",
        "lag",
        "max_lag",
        "max_tau",
        "onset",
        "refractoriness",
        "shift",
        "theiler",
        "time",
        "transient",
        "width",
    ];
    for declaration in crate::declarations().values() {
        for option in declaration.options.iter().filter(|o| o.kind == OptionKind::Time) {
            let (cuts, is_other) = (crate::CUTS.contains(&option.key), others.contains(&option.key));
            assert!(cuts != is_other, "{}: {} is in one of the lists", declaration.kind, option.key);
        }
    }
}
