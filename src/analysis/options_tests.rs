//! Declarations give what they say, and what is read is what was written.

use super::*;
use crate::Request;
use crate::testing::{recording, subject};
use crate::{ANALYSES, Outcome, Subjects, derived};
use spikedeck_scenario::{AnalysisSpec, Catalog, TimeRole};
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
        name: String = variable("V_m"), "of what";
        list: Vec<Band> = bands(), "several";
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
        ("list", OptionValue::Bands(vec![Band { name: "a".into(), low: 1.0, high: 2.0 }])),
    ];
    let (every, _) = read(&clock(TimeBase::Milliseconds), &given).unwrap();
    assert_eq!(
        (every.onset.unwrap().axis, every.colour, every.on, every.list[0].name.as_str()),
        (500.0, Colour::Red, false, "a")
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

/// Every time that an estimator takes is declared to be the length of pieces, or is known not to be: a new one that is
/// neither has to be put here.
#[test]
fn times_cut_the_run_or_do_not() {
    let others = [
        "after",
        "baseline",
        "before",
        "burst",
        "burst_isi",
        "delay",
        "delta",
        "dither",
        "duration",
        "from",
        "gap",
        "jitter",
        "lag",
        "length",
        "longest",
        "max_isi",
        "max_lag",
        "max_tau",
        "most",
        "onset",
        "refractoriness",
        "refractory",
        "response",
        "scan",
        "shift",
        "start",
        "steps",
        "stop",
        "tau",
        "theiler",
        "threshold",
        "time",
        "to",
        "transient",
        "width",
        "zap_duration",
    ];
    for declaration in crate::declarations().values() {
        for option in declaration.options.iter().filter(|o| o.kind == OptionKind::Time) {
            let (is_piece, is_other) = (option.time == TimeRole::Piece, others.contains(&option.key));
            assert!(is_piece != is_other, "{}: is `{}` the length of a piece?", declaration.kind, option.key);
            assert_eq!(option.time == TimeRole::Stretch, option.key == "duration", "{}", declaration.kind);
        }
    }
}

/// What cuts the time that is looked at into most pieces says how many there are; an analysis that has a time of its
/// own cuts that, where it is longer.
#[test]
fn pieces_are_those_of_the_finest_cut() {
    let declaration = &crate::declarations()["lyapunov"];
    let with = |list: &[(&'static str, f64)]| {
        let options = list.iter().map(|(key, v)| (*key, OptionValue::Number(*v))).collect();
        declaration.pieces(&options, 2.0)
    };
    assert_eq!(with(&[]), None);
    assert_eq!(with(&[("step", 0.5), ("interval", 1.0)]), Some((4.0, "step")));
    assert_eq!(with(&[("interval", 1.0), ("duration", 8.0)]), Some((8.0, "interval")));
    assert_eq!(with(&[("interval", 1.0), ("duration", 1.0), ("transient", 0.1)]), Some((2.0, "interval")));
}

/// A scenario of two populations that are connected, with one analysis of the first.
fn scenario(analysis: &str) -> Result<(spikedeck_scenario::Spec, Vec<String>), spikedeck_model::Report> {
    let text = format!(
        "simulation = {{ duration = '1 s', dt = '0.1 ms', transient = '200 ms' }}\n\
         populations.p.model = 'adex'\n\
         populations.q = {{ model = 'adex', receptors = {{ ampa = {{ kind = 'exp_conductance', tau = '5 ms' }} }} }}\n\
         projections.a = {{ from = 'p', to = 'q.ampa', connect = 'all_to_all', weight = '6 nS', delay = '1.5 ms' }}\n\
         record.p = {{ spikes = true, traces = [{{ variables = ['V_m'] }}] }}\n[analyses.x]\n{analysis}"
    );
    let catalog = Catalog { analyses: crate::declarations() };
    spikedeck_scenario::load(
        &text,
        None,
        "s",
        &spikedeck_scenario::Overrides::default(),
        spikedeck_model::library(),
        &catalog,
        &spikedeck_scenario::NoFiles,
    )
}

/// What names or measures a part of a population is held against it when the scenario is read, whatever analysis takes
/// it: no run ends with a word that could have been said before it began.
#[test]
fn options_of_parts_are_refused_before_the_run_if_they_are_of_none() {
    let mut tried = 0;
    for declaration in crate::declarations().values() {
        let subject = match declaration.subjects {
            Subjects::Of => "of = 'p.V_m'",
            Subjects::Directed => "source = 'p.V_m'\ntarget = 'p.rate'",
            Subjects::Population => "of = 'p'",
        };
        for option in &declaration.options {
            let wrong: &[&str] = match option.kind {
                OptionKind::State { .. } => &["'u'", "''", "3", "['V_m']"],
                OptionKind::Variable => &["'u'", "'w'", "''", "3"],
                OptionKind::Input | OptionKind::Adjustable | OptionKind::Arrival => &["'J'", "'V_m'", "1.5"],
                OptionKind::OfInput(_) => &["'5 furlong'", "'1 mV'", "3", "'I'", "true"],
                OptionKind::RangeOf(_) => &[
                    "['1 mV']",
                    "['1 mV', '1 nA']",
                    "['1 mV', '1 mV']",
                    "['2 mV', '1 mV']",
                    "['-70', '-60']",
                    "'1 mV'",
                    "['1 mV', '2 mW']",
                ],
                OptionKind::Assignments => &[
                    "['J = 1 nA']",
                    "['I = 5 furlong']",
                    "['I = 1 mV']",
                    "['I']",
                    "['I = ']",
                    "['= 1 nA']",
                    "['I = 1 nA', 'I = 2 nA']",
                    "['V_m = -70 mV']",
                    "['C = 3']",
                    "'I = 1 nA'",
                    "[1]",
                ],
                OptionKind::Bands => &[
                    "['alpha']",
                    "['alpha 8']",
                    "['alpha 13 8']",
                    "['alpha 8 8']",
                    "['alpha 8 13 mV']",
                    "['alpha 8 furlong 13 Hz']",
                    "['alpha -3 8']",
                    "['a 1 2', 'a 3 4']",
                    "'alpha 8 13'",
                    "['alpha 8 13 20']",
                ],
                _ => continue,
            };
            for wrong in wrong {
                let found = scenario(&format!("kind = '{}'\n{subject}\n{} = {wrong}\n", declaration.kind, option.key));
                let Err(report) = found else { panic!("{}.{} = {wrong} is taken", declaration.kind, option.key) };
                let text = report.to_string();
                let line = text.lines().any(|l| l.contains(&format!("{} = {wrong}", option.key)));
                assert!(line, "{}.{} = {wrong}: no caret at it\n{text}", declaration.kind, option.key);
                tried += 1;
            }
        }
    }
    assert!(tried > 80, "{tried}");
}

/// What is meant is what is read, however it is written.
#[test]
fn options_of_parts_have_types_when_a_scenario_is_read() {
    let options = |analysis: &str| scenario(analysis).unwrap_or_else(|r| panic!("{r}")).0.analyses.remove(0).options;
    let fi = options("kind = 'fi_curve'\nof = 'p'\nfrom = '100 pA'\nto = '0.5 nA'\nset = ['a=2 nS', 'I = 1e-3 uA']\n");
    for (key, wanted) in [("from", 1e-10), ("to", 5e-10)] {
        let OptionValue::Number(found) = fi[key] else { panic!("{:?}", fi[key]) };
        assert!((found - wanted).abs() < 1e-24, "{key}: {found}");
    }
    let OptionValue::Input(input) = fi["input"] else { panic!("{:?}", fi["input"]) };
    assert_eq!(input.index(), 0);
    let OptionValue::Assignments(set) = &fi["set"] else { panic!("{:?}", fi["set"]) };
    assert_eq!(set.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["a", "I"]);
    assert!((set[0].value - 2e-9).abs() < 1e-24 && (set[1].value - 1e-9).abs() < 1e-24, "{set:?}");
    let plane = options("kind = 'phase_plane'\nof = 'p'\nx = 'w'\nx_range = ['-50 pA', '0.2 nA']\n");
    let state = |key: &str| if let OptionValue::State(id) = plane[key] { id.index() } else { panic!("{key}") };
    assert_eq!((state("x"), state("y")), (1, 0));
    let OptionValue::Range(low, high) = plane["x_range"] else { panic!("{:?}", plane["x_range"]) };
    assert!((low + 5e-11).abs() < 1e-24 && (high - 2e-10).abs() < 1e-24, "{low} {high}");
    let psd = options(
        "kind = 'psd'\nof = 'p.V_m'\n\
         bands = ['a 1 4', 'b 1 4 Hz', 'c 1 Hz 4 Hz', 'd 0.001 0.004 kHz', 'e 0.001 kHz 4 Hz', 'f 1 4 1/s']\n",
    );
    let OptionValue::Bands(bands) = &psd["bands"] else { panic!("{:?}", psd["bands"]) };
    assert!(bands.iter().all(|b| (b.low - 1.0).abs() < 1e-12 && (b.high - 4.0).abs() < 1e-12), "{bands:?}");
    assert_eq!(bands.len(), 6);
    for (input, count) in [("", 1), ("input = 'ampa'\n", 1)] {
        let weights = options(&format!("kind = 'weight_spectrum'\nof = ['p', 'q']\n{input}"));
        let OptionValue::Projections(list) = &weights["input"] else { panic!("{:?}", weights["input"]) };
        assert_eq!(list.len(), count);
    }
}

/// A run is the same if what it is told is: the identity has what options mean, and not how they are written.
#[test]
fn the_identity_holds_what_options_mean() {
    let hash = |analysis: &str| scenario(analysis).unwrap_or_else(|r| panic!("{r}")).0.hash;
    let same = [
        ["kind = 'fi_curve'\nof = 'p'\nto = '1 nA'\n", "kind = 'fi_curve'\nof = 'p'\ninput = 'I'\nto = '1000 pA'\n"],
        [
            "kind = 'lyapunov'\nof = 'p'\nset = ['a = 2 nS', 'I = 1 nA']\n",
            "kind = 'lyapunov'\nof = 'p'\nset = ['I=1000 pA', 'a = 2e-3 uS']\n",
        ],
        [
            "kind = 'phase_plane'\nof = 'p'\nx_range = ['-70 mV', '-50 mV']\n",
            "kind = 'phase_plane'\nof = 'p'\nx = 'V_m'\ny = 'w'\nx_range = ['-0.07 V', '-50 mV']\n",
        ],
        ["kind = 'psd'\nof = 'p.V_m'\nbands = ['a 1 4']\n", "kind = 'psd'\nof = 'p.V_m'\nbands = ['a 1 Hz 4 Hz']\n"],
        ["kind = 'weight_spectrum'\nof = ['p', 'q']\n", "kind = 'weight_spectrum'\nof = ['p', 'q']\ninput = 'ampa'\n"],
    ];
    let all: Vec<String> = same
        .iter()
        .map(|[one, other]| (hash(one), hash(other)))
        .map(|(a, b)| {
            assert_eq!(a, b);
            a
        })
        .collect();
    let others = [
        "kind = 'fi_curve'\nof = 'p'\nto = '1.1 nA'\n",
        "kind = 'lyapunov'\nof = 'p'\nset = ['a = 2 nS', 'I = 1.1 nA']\n",
        "kind = 'phase_plane'\nof = 'p'\nx_range = ['-71 mV', '-50 mV']\n",
        "kind = 'psd'\nof = 'p.V_m'\nbands = ['b 1 4']\n",
    ];
    assert!(others.iter().all(|other| !all.contains(&hash(other))));
}

/// Options that are each sound are held against each other and the run.
#[test]
fn options_that_do_not_fit_each_other_are_refused_before_the_run() {
    for (analysis, key, why) in [
        ("kind = 'fi_curve'\nof = 'p'\nto = '1 nA'\nduration = '200 ms'\n", "duration", "nothing is left"),
        ("kind = 'fi_curve'\nof = 'p'\nto = '1 nA'\ntransient = '1 s'\n", "transient", "nothing is left"),
        ("kind = 'fi_curve'\nof = 'p'\nto = '1 nA'\nduration = '300.05 ms'\n", "duration", "no multiple"),
        ("kind = 'fi_curve'\nof = 'p'\nfrom = '1 nA'\nto = '1 nA'\n", "to", "not above"),
        ("kind = 'phase_plane'\nof = 'p'\nx = 'w'\ny = 'w'\n", "y", "same state"),
        ("kind = 'lyapunov'\nof = 'p'\nduration = '10 ms'\ninterval = '20 ms'\n", "interval", "longer"),
        ("kind = 'lyapunov'\nof = 'p'\nduration = '10 ms'\nstep = '20 ms'\n", "step", "longer"),
        ("kind = 'fi_curve'\nof = []\n", "of", "name it"),
    ] {
        let text = scenario(analysis).expect_err(analysis).to_string();
        assert!(text.contains(why) && text.lines().any(|l| l.contains(&format!("{key} = "))), "{analysis}:\n{text}");
    }
    for sound in [
        "kind = 'fi_curve'\nof = 'p'\nto = '1 nA'\nduration = '300 ms'\n",
        "kind = 'fi_curve'\nof = 'p'\nto = '1 nA'\nduration = '100 ms'\ntransient = '50 ms'\n",
        "kind = 'lyapunov'\nof = 'p'\nduration = '10 ms'\n",
    ] {
        assert!(scenario(sound).is_ok(), "{sound}: {}", scenario(sound).unwrap_err());
    }
}
