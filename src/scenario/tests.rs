//! Tests of the reader as a whole.

use super::catalog::{AnalysisDeclaration, Subjects, TimeRole, Together};
use super::*;
use spikedeck_core::units::Dimension;
use spikedeck_model::{DefinitionKind, library};
use spikedeck_signal::FileColumns;
use spikedeck_signal::data::FileData;

/// A catalog with one analysis of each form, as the lists of other rooms would fill it.
pub(crate) fn catalog() -> Catalog {
    let option =
        |key, kind, default, range| ParamSpec { key, kind, default, range, time: TimeRole::Other, about: "an option" };
    let list = [
        AnalysisDeclaration {
            kind: "psd",
            synonyms: &[],
            subjects: Subjects::Of,
            options: vec![
                option("segment", OptionKind::Time, Some("1 s"), Some((0.0, f64::INFINITY))),
                option("overlap", OptionKind::Quantity(Dimension::NONE), Some("0.5"), Some((0.0, 0.95))),
                option("window", OptionKind::Choice(&["hann", "boxcar"]), Some("hann"), None),
                option("bin", OptionKind::Time, Some("1 ms"), None),
            ],
            without_units: vec![],
            together: Together::any(),
        },
        AnalysisDeclaration {
            kind: "rates",
            synonyms: &[],
            subjects: Subjects::Of,
            options: vec![],
            without_units: vec![],
            together: Together::any(),
        },
        AnalysisDeclaration {
            kind: "transfer_entropy",
            synonyms: &[],
            subjects: Subjects::Directed,
            options: vec![option("surrogates", OptionKind::Integer, Some("100"), Some((0.0, 1e6)))],
            without_units: vec![],
            together: Together::any(),
        },
        AnalysisDeclaration {
            kind: "lyapunov",
            synonyms: &[],
            subjects: Subjects::Population,
            options: vec![],
            without_units: vec![],
            together: Together::any(),
        },
    ];
    Catalog { analyses: list.into_iter().map(|d| (d.kind, d)).collect() }
}

pub(crate) fn read(text: &str, overrides: &Overrides) -> Result<(Spec, Vec<String>), Report> {
    load(text, None, "test", overrides, library(), &catalog(), &NoFiles)
}

/// The text without what names analyses: which there are is not known in this room.
fn without_analyses(text: &str) -> String {
    let mut table: toml::Table = text.parse().unwrap();
    table.remove("analyses");
    table.remove("expect");
    for variant in table.get_mut("variants").and_then(toml::Value::as_table_mut).into_iter().flat_map(|v| v.iter_mut())
    {
        if let Some(paths) = variant.1.as_table_mut() {
            paths.retain(|path, _| !path.starts_with("analyses") && !path.starts_with("expect"));
        }
    }
    if let Some(axes) = table.get_mut("sweep").and_then(|s| s.get_mut("axes")).and_then(toml::Value::as_table_mut) {
        axes.retain(|path, _| !path.starts_with("analyses"));
    }
    table.to_string()
}

#[test]
fn built_in_scenarios_resolve() {
    assert!(built_in().len() >= 4);
    for s in built_in() {
        let text = without_analyses(s.text);
        let resolve = |o: &Overrides| {
            load(&text, None, &s.name, o, library(), &catalog(), &NoFiles).unwrap_or_else(|r| unreachable!("{r}")).0
        };
        let spec = resolve(&Overrides::default());
        assert_eq!(spec.hash.len(), 64);
        for p in &spec.populations {
            assert_eq!(p.parameters.len(), p.system.parameters().len());
            assert_eq!(p.initial.len(), p.system.states().len());
        }
        for v in &spec.variants {
            resolve(&Overrides { variant: Some(v.clone()), set: vec![] });
        }
    }
    let lif = find_built_in("lif-fi").unwrap();
    let text = without_analyses(lif.text);
    let plain = load(&text, None, "lif-fi", &Overrides::default(), library(), &catalog(), &NoFiles).unwrap().0;
    let slow = Overrides { variant: Some("slow_membrane".into()), set: vec![] };
    let slow = load(&text, None, "lif-fi", &slow, library(), &catalog(), &NoFiles).unwrap().0;
    assert_ne!(plain.hash, slow.hash, "a variant that changes a parameter changes the hash");
}

const NETWORK: &str = r#"
[simulation]
duration = "1 s"
dt = "0.1 ms"
transient = "0.2 s"
[populations.exc]
model = "lif"
size = 10
parameters = { tau_m = { normal = { mean = "20 ms", sd = "2 ms", min = "1 ms" } }, V_th = "E_L + [15 mV] + i*[0.1 mV]" }
receptors.ampa = { kind = "exp_conductance", tau = "5 ms" }
[projections.rec]
from = "exc"
to = "exc.ampa"
connect = { rule = "fixed_indegree", indegree = 3 }
weight = "6 nS"
delay = "1.5 ms"
[stimuli.drive]
target = "exc.I"
kind = "expression"
value = "[0.1 nA]*sin(t/[10 ms])"
[stimuli.background]
target = "exc.ampa"
kind = "poisson"
rate = "8 Hz"
sources = 100
weight = "1 nS"
[record.exc]
spikes = true
traces = [{ variables = ["V_m", "ampa.g", "ampa.I"], units = "0..2", interval = "0.5 ms" }]
[analyses.spectrum]
kind = "psd"
of = ["exc.rate", "mean(exc.V_m[0..2])", "exc.ampa.g[1]"]
[expect.peak]
metric = "spectrum.exc.rate.peak"
min = "8 Hz"
max = "12 Hz"
"#;

#[test]
fn a_network_resolves_to_si() {
    let (spec, warnings) = read(NETWORK, &Overrides::default()).unwrap_or_else(|r| unreachable!("{r}"));
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!((spec.simulation.steps, spec.simulation.transient_steps, spec.simulation.seed), (10_000, 2_000, 1));
    let exc = &spec.populations[0];
    let at = |name: &str| &exc.parameters[exc.system.parameters().iter().position(|p| p.name == name).unwrap()];
    assert_eq!(at("ampa.tau"), &Value::Constant(5e-3));
    assert_eq!(at("ampa.E_rev"), &Value::Constant(0.0));
    assert_eq!(at("t_ref"), &Value::Constant(2e-3));
    assert_eq!(
        at("tau_m"),
        &Value::Drawn(Distribution::Normal { mean: 0.02, sd: 2e-3, min: Some(1e-3), max: None, clip: false })
    );
    assert!(matches!(at("V_th"), Value::Expression(_)));
    assert_eq!(exc.initial[0], Value::Constant(-0.07));
    let p = &spec.projections[0];
    assert_eq!(
        (p.rule.clone(), p.weight.clone(), p.delay.clone()),
        (Rule::FixedIndegree { indegree: 3 }, Value::Constant(6e-9), Value::Constant(1.5e-3))
    );
    assert!(!p.autapses && !p.multapses);
    assert_eq!(spec.records[0].traces[0].every, 5);
    assert_eq!(spec.records[0].traces[0].units, [0, 1]);
    let a = &spec.analyses[0];
    assert_eq!(a.of[0].what, Observable::Rate);
    assert!(a.of[1].mean && a.of[1].units == [0, 1]);
    assert_eq!(a.of[2].what, Observable::Variable("ampa.g".into()));
    assert_eq!(a.options["segment"], OptionValue::Number(1.0));
    assert_eq!((spec.expect[0].min, spec.expect[0].unit.as_str()), (Some(8.0), "Hz"));
}

#[test]
fn the_hash_follows_what_decides_the_result_and_nothing_else() {
    let hash = |text: &str, set: &[(&str, &str)]| {
        let set = set.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        read(text, &Overrides { variant: None, set }).unwrap_or_else(|r| unreachable!("{r}")).0.hash
    };
    let base = hash(NETWORK, &[]);
    assert_eq!(base, hash(&format!("title = \"other\"\n# a comment\n{NETWORK}"), &[]));
    assert_eq!(base, hash(NETWORK, &[("simulation.seed", "1")]));
    assert_eq!(base, hash(NETWORK, &[("simulation.dt", "100 us")]));
    assert_eq!(base, hash(NETWORK, &[("expect.peak.max", "13 Hz")]));
    for (path, value) in [
        ("simulation.seed", "2"),
        ("simulation.duration", "2 s"),
        ("populations.exc.parameters.R_m", "41 Mohm"),
        ("populations.exc.receptors.ampa.E_rev", "1 mV"),
        ("projections.rec.connect.indegree", "4"),
        ("stimuli.background.rate", "9 Hz"),
        ("analyses.spectrum.segment", "0.5 s"),
    ] {
        assert_ne!(base, hash(NETWORK, &[(path, value)]), "{path} does not count");
    }
}

#[test]
fn all_errors_of_a_file_come_at_once_in_the_order_of_the_file() {
    let wrong = NETWORK
        .replace("\"1 s\"", "\"1.00005 s\"")
        .replace("size = 10", "size = -10")
        .replace("6 nS", "6 mV")
        .replace("8 Hz", "8 ms")
        .replace("exc.rate", "exc.rte");
    let report = read(&wrong, &Overrides::default()).unwrap_err();
    let text = report.to_string();
    let places: Vec<usize> = ["is no multiple", "`size` is at least 1", "the weight is a conductance"]
        .iter()
        .map(|m| text.find(m).unwrap_or_else(|| unreachable!("{m} not in {text}")))
        .collect();
    assert!(places.is_sorted());
    assert!(report.errors() >= 3, "{text}");
}

#[test]
fn sweeps_and_plain_number_hosts() {
    let text = format!(
        "{NETWORK}\n[sweep]\nseeds = 3\n[sweep.axes]\n\"populations.exc.parameters.tau_m\" = {{ from = \"10 ms\", to \
         = \"30 ms\", steps = 5 }}\n\"populations.exc.size\" = [10, 20]\n"
    );
    let (spec, _) = read(&text, &Overrides::default()).unwrap_or_else(|r| unreachable!("{r}"));
    let sweep = spec.sweep.unwrap();
    assert_eq!(sweep.seeds, 3);
    assert_eq!(sweep.axes[0].1, ["\"10 ms\"", "\"15 ms\"", "\"20 ms\"", "\"25 ms\"", "\"30 ms\""]);
    assert_eq!(sweep.axes[1].1, ["10", "20"]);
    let izhikevich = r#"
[simulation]
duration = "1 s"
dt = "1 ms"
[populations.exc]
model = "izhikevich"
preset = ["chattering", "figure1"]
receptors.syn = { kind = "exp_current", tau = "5 ms" }
receptors.kick = { kind = "delta" }
[projections.rec]
from = "exc"
to = "exc.kick"
connect = "all_to_all"
weight = 0.5
"#;
    let (spec, _) = read(izhikevich, &Overrides::default()).unwrap_or_else(|r| unreachable!("{r}"));
    assert!(spec.populations[0].system.event_ports()[0].weight.is_none());
    let p = &spec.populations[0];
    assert_eq!(p.initial[1], Value::Constant(-13.0));
    assert_eq!(p.integrator, Integrator::EulerSequential);
    assert_eq!(p.parameters[p.system.parameters().iter().position(|v| v.name == "c").unwrap()], Value::Constant(-50.0));
}

/// Designs other than the product: as many points as there are values or as are asked for, within the ends, in the unit
/// as written, whole where the ends are.
#[test]
fn axes_are_put_together_as_the_design_says() {
    let swept = |text: &str| {
        let text = format!("{NETWORK}\n[sweep]\n{text}");
        read(&text, &Overrides::default()).map(|(spec, _)| spec.sweep.unwrap()).map_err(|r| r.to_string())
    };
    let tau = "\"populations.exc.parameters.tau_m\"";
    let zip = swept(&format!(
        "design = \"zip\"\n[sweep.axes]\n{tau} = [\"1 ms\", \"2 ms\"]\n\"populations.exc.size\" = [10, 20]\n"
    ));
    assert_eq!(zip.unwrap().combinations(), 2);
    for design in ["random", "latin_hypercube", "sobol"] {
        let sweep = swept(&format!(
            "design = \"{design}\"\npoints = 8\n[sweep.axes]\n{tau} = {{ from = \"1 ms\", to = \"100 ms\", log = true \
             }}\n\"populations.exc.size\" = {{ from = 1, to = 4 }}\n"
        ))
        .unwrap();
        assert_eq!(sweep.combinations(), 8);
        for value in &sweep.axes[0].1 {
            let number: f64 = value.trim_matches('"').strip_suffix(" ms").unwrap().parse().unwrap();
            assert!((1.0..100.0).contains(&number), "{value}");
        }
        let below_ten = sweep.axes[0].1.iter().filter(|v| v.find('.').is_none_or(|at| at <= 2)).count();
        assert!((1..8).contains(&below_ten), "evenly in ratio");
        assert!(sweep.axes[1].1.iter().all(|v| (1..=4).contains(&v.parse::<u32>().unwrap())), "{:?}", sweep.axes[1]);
    }
    // Whichever end is the greater, both are reached; in ratio whole numbers stay whole.
    for axis in ["{ from = 4, to = 1 }", "{ from = 1, to = 4 }", "{ from = 1, to = 4, log = true }"] {
        let sweep =
            swept(&format!("design = \"random\"\npoints = 200\n[sweep.axes]\n\"populations.exc.size\" = {axis}\n"));
        let drawn: std::collections::BTreeSet<String> = sweep.unwrap().axes.remove(0).1.into_iter().collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), ["1", "2", "3", "4"], "{axis}");
    }
    for (text, word) in [
        (format!("design = \"random\"\n[sweep.axes]\n{tau} = {{ from = \"1 ms\", to = \"2 ms\" }}\n"), "how many"),
        (format!("points = 3\n[sweep.axes]\n{tau} = [\"1 ms\"]\n"), "designs that draw them"),
        (
            format!("design = \"zip\"\n[sweep.axes]\n{tau} = [\"1 ms\"]\n\"populations.exc.size\" = [10, 20]\n"),
            "one length",
        ),
        (format!("design = \"sobol\"\npoints = 4\n[sweep.axes]\n{tau} = [\"1 ms\", \"2 ms\"]\n"), "axis of a design"),
    ] {
        let error = swept(&text).unwrap_err();
        assert!(error.contains(word), "{text}: {error}");
    }
}

/// A folder with a model and a table of spikes.
struct Folder;

impl FileLoader for Folder {
    fn text(&self, path: &Path) -> Result<Option<String>, FileError> {
        let model = "equations = \"dV_m/dt = (V_0 - V_m)/tau : V\"\n[parameters]\nV_0 = \"-60 mV\"\ntau = \"7 ms\"\n\
                     [initial]\nV_m = \"V_0\"\n";
        Ok((path == Path::new("there/mine.toml")).then(|| model.to_owned()))
    }

    fn table(&self, path: &Path, _: &FileColumns) -> Result<FileTable, FileError> {
        match path.to_str() {
            Some("there/spikes.csv") => Ok(FileTable::of(vec![
                FileData::numbers("time_ms", vec![20.0, 10.0]),
                FileData::numbers("unit", vec![0.0, 1.0]),
            ])),
            Some("there/ones.csv") => Ok(FileTable::of(vec![
                FileData::numbers("time_ms", vec![20.0, 10.0, 30.0]),
                FileData::numbers("unit", vec![1.0, 2.0, 3.0]),
            ])),
            _ => Err(FileError::Missing(path.to_owned())),
        }
    }
}

/// A source whose file begins at 1 has a unit 0 that is silent: that is told, and two keys say what was meant.
#[test]
fn ids_of_a_source_that_begin_above_zero_are_told() {
    let played = |keys: &str| {
        let text = format!(
            "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n[populations.s]\nmodel = \"spike_source\"\n\
             spikes = {{ kind = \"spikes\", file = \"ones.csv\"{keys} }}\n"
        );
        let path = Path::new("there/s.toml");
        load(&text, Some(path), "s", &Overrides::default(), library(), &catalog(), &Folder)
            .unwrap_or_else(|r| unreachable!("{r}"))
    };
    let (spec, said) = played("");
    assert_eq!(spec.populations[0].size, 4);
    assert!(said.len() == 1 && said[0].contains("ids in this file are 1 to 3"), "{said:?}");
    let (spec, said) = played(", first_id = 1");
    assert_eq!((spec.populations[0].size, said.len()), (3, 0), "{said:?}");
    // Which id is which unit is told, and nothing is asked.
    let (spec, said) = played(", ids = \"in_order\"");
    assert_eq!((spec.populations[0].size, said.len()), (3, 1), "{said:?}");
    assert!(said[0].contains("`1` is unit 0, `2` is unit 1, `3` is unit 2"), "{said:?}");
}

#[test]
fn a_clamped_neuron_says_why_it_is_silent() {
    let text = "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n[populations.n]\nmodel = \"lif\"\n\
                clamp = \"V_m\"\n[record.n]\nspikes = true\n";
    let said = read(text, &Overrides::default()).unwrap_err().to_string();
    assert!(said.contains("its `clamp` holds"), "{said}");
}

/// Whatever ports are called, a clamp is commanded at the port that its state has become, and nowhere else.
#[test]
fn only_the_port_of_the_state_commands_a_clamp() {
    let said = |target: &str, amplitude: &str, recorded: bool| {
        let text = format!(
            "[simulation]\nduration = \"20 ms\"\ndt = \"0.1 ms\"\n[models.m]\n\
             equations = \"dV/dt = (V_E - V + V_R*(I + V_ext/V_R + VI))/tau : V\"\n\
             inputs = {{ I = \"A\", V_ext = \"V\", VI = \"A\" }}\ninitial = {{ V = \"V_E\" }}\n\
             parameters = {{ tau = \"20 ms\", V_E = \"-70 mV\", V_R = \"100 Mohm\" }}\n\
             [populations.p]\nmodel = \"m\"\nclamp = \"V\"\n[record.p]\n\
             traces = [{{ variables = [\"I_clamp\"] }}]\n\
             [stimuli.d]\ntarget = \"p.{target}\"\nkind = \"constant\"\namplitude = \"{amplitude}\"\n\
             recorded = {recorded}\n"
        );
        read(&text, &Overrides::default()).map_err(|report| report.to_string())
    };
    for (target, amplitude) in [("I", "3 pA"), ("V_ext", "3 mV"), ("VI", "3 pA"), ("V_E", "3 mV"), ("V_R", "1 Mohm")] {
        for recorded in [false, true] {
            let why = said(target, amplitude, recorded).unwrap_err();
            assert!(why.contains("nothing says at which `V` all units of `p` are held"), "{target} {recorded}: {why}");
        }
    }
    for recorded in [false, true] {
        said("V", "-60 mV", recorded).unwrap_or_else(|why| panic!("{recorded}: {why}"));
    }
}

#[test]
fn models_and_files_beside_the_scenario() {
    let text = r#"
[simulation]
duration = "1 s"
dt = "0.1 ms"
[populations.a]
model = "mine"
size = 2
receptors.kick = { kind = "delta" }
[stimuli.s]
target = "a.kick"
kind = "spikes"
file = "spikes.csv"
weight = "1 mV"
"#;
    let (spec, _) =
        load(text, Some(Path::new("there/s.toml")), "s", &Overrides::default(), library(), &catalog(), &Folder)
            .unwrap_or_else(|r| unreachable!("{r}"));
    assert_eq!(spec.populations[0].initial, [Value::Constant(-0.06)]);
    let StimulusKind::Spikes(Spikes { times, units, .. }) = &spec.stimuli[0].kind else { unreachable!() };
    assert_eq!((times.as_ref(), units.as_deref()), (&[0.01, 0.02][..], Some(&[1, 0][..])));
    let edited = text.replace("spikes.csv", "other.csv");
    let report =
        load(&edited, Some(Path::new("there/s.toml")), "s", &Overrides::default(), library(), &catalog(), &Folder)
            .unwrap_err();
    assert!(report.to_string().contains("there is no file there/other.csv"), "{report}");
}

#[test]
fn cards_show_equations_parameters_and_presets() {
    let card = spikedeck_model::card(&library().get(DefinitionKind::Model, "adex").unwrap());
    let section = |name: &str| card.section(name).map_or("", |s| s.text.as_str());
    assert!(section("Parameters").contains("281 pF") && section("Parameters").contains("membrane capacitance"));
    assert!(section("Presets").contains("tonic") && section("Presets").contains("b = 0 pA"));
    assert!(section("References").contains("doi:10.1152/jn.00686.2005"));
    assert!(section("Equations").contains("V_m > V_peak"), "{}", section("Equations"));
}

/// A variant that takes entries away and adds others is understood, chosen or not.
#[test]
fn variants_that_take_away_and_add_are_understood() {
    let text = r#"
title = "x"
[simulation]
duration = "10 ms"
dt = "0.1 ms"
[populations.p]
model = "lif"
[stimuli.drive]
target = "p.I"
kind = "constant"
amplitude = "1 nA"
[variants.other]
"stimuli.drive" = false
"stimuli.kick" = { target = "p.I", kind = "constant", amplitude = "2 nA" }
[variants.plain]
"stimuli.drive.amplitude" = "3 nA"
"#;
    for (variant, name) in [(None, "drive"), (Some("other"), "kick"), (Some("plain"), "drive")] {
        let (spec, _) = read(text, &Overrides { variant: variant.map(str::to_owned), set: vec![] })
            .unwrap_or_else(|r| unreachable!("{r}"));
        let names: Vec<&str> = spec.stimuli.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, [name]);
        assert_eq!(spec.variants, ["other", "plain"]);
    }
    let wrong =
        read(&text.replace("\"stimuli.drive.amplitude\"", "\"stimuli.dirve.amplitude\""), &Overrides::default())
            .unwrap_err();
    assert!(wrong.to_string().contains("did you mean `drive`?"), "{wrong}");
}

/// Paths lead into every table of the language, and a table is a value or part of a path by what its key takes: what
/// stands beside a changed key stays.
#[test]
fn paths_follow_the_declarations() {
    let text = r#"
title = "x"
[simulation]
duration = "10 ms"
dt = "0.1 ms"
[models.m]
equations = "dx/dt = -x/[1 ms] : 1"
[populations.p]
model = "m"
grid = { shape = [8], spacing = "1 mm" }
initial = { x = { uniform = [0.0, 1.0] } }
[record.p]
traces = [{ variables = ["x"] }]
[variants.other.populations.p]
grid = { shape = [16] }
initial = { x = { normal = { mean = 1.0, sd = 0.1 } } }
[variants.other.record.p]
connections = false
"#;
    let other = Overrides { variant: Some("other".into()), set: vec![] };
    let (spec, _) = read(text, &other).unwrap_or_else(|r| unreachable!("{r}"));
    let p = &spec.populations[0];
    assert_eq!((p.size, p.model.name.as_str(), spec.records[0].traces.len()), (16, "m", 1));
    assert_eq!(p.grid.as_ref().map(|g| g.shape.clone()), Some(vec![16]));
    assert!(matches!(p.initial[0], Value::Drawn(_)), "{:?}", p.initial);
    for path in ["channels.mine.equations", "plasticity.mine.on_pre", "models.m.equations", "title", "sweep.seeds"] {
        let set = vec![(path.to_owned(), "1 +".to_owned())];
        let wrong = read(text, &Overrides { variant: None, set }).err().map(|r| r.to_string()).unwrap_or_default();
        assert!(!wrong.contains("has no table") && !wrong.contains("is no path"), "{path}: {wrong}");
    }
    let set = vec![("chanels.mine.equations".to_owned(), "1".to_owned())];
    let wrong = read(text, &Overrides { variant: None, set }).unwrap_err().to_string();
    assert!(wrong.contains("did you mean `channels`?"), "{wrong}");
}

/// Examples in messages speak of the populations that the scenario has.
#[test]
fn examples_have_the_names_of_the_scenario() {
    for names in [&["cells"][..], &["e4", "i4"], &["inh", "exc"]] {
        let populations: String = names.iter().flat_map(|n| ["[populations.", *n, "]\nmodel = \"lif\"\n"]).collect();
        let mut text = format!("[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n{populations}");
        text += "[projections.p]\nweight = \"1 mV\"\ndelay = \"1 ms\"\n";
        let read = load(&text, None, "t", &Overrides::default(), library(), &Catalog::default(), &NoFiles);
        let report = read.map(|_| "it lacks what is required").unwrap_err().render(false);
        for example in [format!("from = \"{}\"", names[0]), format!("to = \"{}.", names[0])] {
            assert!(report.contains(&example), "{example}: {report}");
        }
    }
}

/// What a step of 0.1 ms does not follow is told, whatever kind of stimulus it stands in, and nothing that it follows.
#[test]
fn stimuli_that_are_faster_than_the_steps_are_told() {
    let told = |stimulus: &str| {
        let text = format!(
            "[simulation]\nduration = '200 ms'\ndt = '0.1 ms'\n[populations.n]\nmodel = 'lif'\nreceptors.r = {{ kind = \
             'delta' }}\n[stimuli.s]\n{stimulus}\n"
        );
        let (_, warnings) = read(&text, &Overrides::default()).unwrap_or_else(|r| unreachable!("{r}"));
        assert!(warnings.len() < 2, "{warnings:?}");
        warnings.first().cloned()
    };
    let level = |keys: &str| told(&format!("target = 'n.I'\n{keys}"));
    for hertz in [1, 50, 500, 2000, 2400, 2600, 4900, 5100, 9000, 9990, 12_000, 100_000] {
        let lost = hertz > 2500;
        let sine = level(&format!("kind = 'sine'\namplitude = '1 nA'\nfrequency = '{hertz} Hz'"));
        assert_eq!(sine.is_some(), lost, "{hertz}: {sine:?}");
        assert_eq!(sine.is_some_and(|w| w.contains("another frequency")), hertz > 5000, "{hertz}");
        let half = level(&format!("kind = 'sine'\namplitude = '1 nA'\nrectified = true\nfrequency = '{hertz} Hz'"));
        assert_eq!(half.is_some(), 2 * hertz > 2500, "{hertz}");
        let (from, to) = (hertz.min(20), hertz.max(20));
        let chirp = level(&format!("kind = 'chirp'\namplitude = '1 nA'\nf_start = '{to} Hz'\nf_stop = '{from} Hz'"));
        assert_eq!(chirp.is_some(), lost, "{hertz}: {chirp:?}");
        // What an expression does is only looked at: from two steps a turn on.
        let expression =
            level(&format!("kind = 'expression'\nvalue = '[1 nA]*sin(6.283185307179586*{hertz}*t/[1 s])'"));
        assert!(expression.is_some() || hertz < 4900, "{hertz}");
        assert!(expression.is_none() || hertz > 2400, "{hertz}: {expression:?}");
        let rate = format!("[50 Hz]*(1 + sin(6.283185307179586*{hertz}*t/[1 s]))");
        let poisson = told(&format!("target = 'n.r'\nkind = 'poisson'\nweight = '1 mV'\nrate = '{rate}'"));
        assert_eq!(poisson.is_some(), expression.is_some(), "{hertz}: {poisson:?}");
    }
    for (tau, lost) in [("5 ms", false), ("0.1 ms", false), ("0.09 ms", true), ("0.01 ms", true)] {
        let ou = level(&format!("kind = 'ou_noise'\nsigma = '1 nA'\ntau = '{tau}'"));
        assert_eq!(ou.is_some(), lost, "{tau}");
        let bell = |sigma: &str, center: &str| {
            level(&format!("kind = 'gaussian_pulse'\namplitude = '1 nA'\ncenter = '{center}'\nsigma = '{sigma}'"))
        };
        assert_eq!(bell(tau, "100 ms").is_some(), tau == "0.01 ms", "{tau}");
        assert!(bell(tau, "300 ms").is_some_and(|w| w.contains("it has no effect")), "{tau}");
    }
    let half_power = level("kind = 'ou_noise'\nsigma = '1 nA'\ntau = '0.05 ms'").unwrap();
    assert!(half_power.contains("1.31 times the power"), "1/tanh(1): {half_power}");
    // Pulses and steps add up exactly, and a jump somewhere is a jump.
    assert_eq!(level("kind = 'pulse_train'\namplitude = '1 nA'\nperiod = '3.33 ms'\nwidth = '1.07 ms'"), None);
    assert_eq!(level("kind = 'expression'\nvalue = 'where(t > [50.03 ms], [1 nA], [0 nA])'"), None);
    let protocol = |times: &str| {
        level(&format!("kind = 'protocol'\nlevels = ['0 pA', '1 pA', '2 pA']\ndurations = ['50 ms', '{times}']"))
    };
    assert_eq!(protocol("100 ms"), None);
    assert!(protocol("150 ms").is_some_and(|w| w.contains("1 of its 3 levels after the end")));
}
