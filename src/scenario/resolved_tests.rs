//! What the resolved scenario holds: typed expressions, handles, integrators; and what is refused before anything runs.

use super::tests::read;
use super::*;
use spikedeck_core::units::Dimension;

fn resolved(text: &str) -> Spec {
    read(text, &Overrides::default()).unwrap_or_else(|r| unreachable!("{}", r.render(false))).0
}

fn refused(text: &str) -> String {
    read(text, &Overrides::default()).map(|_| ()).unwrap_err().render(false)
}

/// Two cells with a gap junction of this weight and value.
fn gap(weight: &str, value: &str) -> String {
    format!(
        "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 2\n\
         [projections.gap]\nkind = \"continuous\"\nfrom = \"a\"\nto = \"a.I\"\nconnect = \"all_to_all\"\n\
         weight = \"{weight}\"\nvalue = \"{value}\"\n[record.a]\ntraces = [{{ variables = [\"V_m\"] }}]\n"
    )
}

#[test]
fn a_continuous_weight_keeps_its_unit() {
    let spec = resolved(&gap("2 nS", "w*(V_m_pre - V_m_post)"));
    let p = &spec.projections[0];
    assert_eq!((&p.weight, p.weight_dimension), (&Value::Constant(2e-9), Dimension::SIEMENS));
    let Coupling::Continuous { value } = &p.coupling else { unreachable!("it is continuous") };
    let system = &spec.population(p.from).system;
    let v = VariableId::own(system).find(|(_, v)| v.name == "V_m").unwrap().0;
    assert_eq!(value.names(), [CarriedName::Weight, CarriedName::Source(v), CarriedName::Target(v)]);
    assert_eq!((value.dimension(), value.text()), (Dimension::AMPERE, "w*(V_m_pre - V_m_post)"));
    assert_eq!(v.of(system).dimension, Dimension::VOLT);
    // A current as weight, and a plain number, carry theirs.
    let current = resolved(&gap("3 pA", "w*V_m_pre/[1 mV]"));
    assert_eq!(current.projections[0].weight_dimension, Dimension::AMPERE);
    let plain = resolved(&gap("1", "w*V_m_pre*[1 nS]"));
    assert_eq!(plain.projections[0].weight_dimension, Dimension::NONE);
}

#[test]
fn a_continuous_value_of_the_wrong_unit_is_shown() {
    let text = refused(&gap("2 nS", "w*V_m_pre*V_m_post"));
    assert!(text.contains("is needed, this has") && text.contains("value = \"w*V_m_pre*V_m_post\""), "{text}");
    // The weight has one unit, and no other is guessed for it.
    let text = refused(&gap("2 mV", "w*(V_m_pre - V_m_post)"));
    assert!(text.contains("is needed, this has"), "{text}");
    let text = refused(&gap("2 nS", "w*(V_x_pre - V_m_post)"));
    assert!(text.contains("unknown name `V_x_pre`") && text.contains("did you mean `V_m_pre`?"), "{text}");
}

#[test]
fn places_are_populations_or_projections() {
    let text = "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 2\n\
                receptors.ampa = { kind = \"exp_current\" }\n\
        [populations.b]\nmodel = \"lif\"\n\
        [projections.first]\nfrom = \"a\"\nto = \"a.ampa\"\nconnect = \"all_to_all\"\nweight = \"1 pA\"\n\
        [projections.learn]\nfrom = \"a\"\nto = \"a.ampa\"\nconnect = \"all_to_all\"\nweight = \"1 pA\"\nplasticity = \
        { kind = \"stdp_pair\", w_max = \"2 pA\" }\n\
        [record.b]\nspikes = true\ntraces = [{ variables = [\"V_m\"] }]\n[record.learn]\ntraces = \
        [{ variables = [\"w\"] }]\n\
        [analyses.x]\nkind = \"rates\"\nof = [\"b.spikes\", \"learn.w\"]\n";
    let spec = resolved(text);
    let (b, learn) = (spec.population_ids().nth(1).unwrap().0, spec.projection_ids().nth(1).unwrap().0);
    let places: Vec<Place> = spec.analyses[0].of.iter().map(|s| s.place).collect();
    assert_eq!(places, [Place::Population(b), Place::Projection(learn)]);
    assert_eq!(places.iter().map(|p| spec.place_name(*p)).collect::<Vec<_>>(), ["b", "learn"]);
    assert_eq!((places[1].population(), spec.population_at(places[1]).is_none()), (None, true));
    let recorded: Vec<(usize, Place, &str)> =
        spec.recorded().map(|r| (r.id.index(), r.place, r.variable.name.as_str())).collect();
    assert_eq!(recorded, [(0, places[0], "V_m"), (1, places[1], "w")]);
    assert_eq!(spec.projection(learn).weight_dimension, Dimension::AMPERE);
}

/// One population with these lines.
fn one(simulation: &str, population: &str, more: &str) -> String {
    format!(
        "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n{simulation}\n[populations.p]\n{population}\n\
         [record.p]\ntraces = [{{ variables = [\"V_m\"] }}]\n{more}"
    )
}

#[test]
fn each_population_has_an_integrator_of_its_own() {
    let of = |simulation: &str, population: &str| {
        resolved(&one(simulation, &format!("model = \"hodgkin_huxley\"\n{population}"), "")).populations[0].integrator
    };
    assert_eq!(of("", ""), Integrator::Auto);
    assert_eq!(of("integrator = \"heun\"", ""), Integrator::Heun);
    assert_eq!(of("integrator = \"heun\"", "integrator = \"rk4\""), Integrator::Rk4);
    assert_eq!(of("integrator = \"heun\"", "integrator = \"auto\""), Integrator::Auto);
    let wrong = refused(&one("", "model = \"lif\"\nintegrator = \"rk5\"", ""));
    assert!(wrong.contains("there is no integrator `rk5`") && wrong.contains("did you mean `rk45`?"), "{wrong}");
    let own = "[models.m]\nequations = \"dV_m/dt = -V_m/tau : V\"\nparameters = { tau = \"10 ms\" }\nintegrator = \
               \"oiler\"\n";
    let wrong = refused(&one("", "model = \"m\"", own));
    assert!(wrong.contains("`m` names an integrator: there is no integrator `oiler`"), "{wrong}");
}

#[test]
fn expressions_name_what_is_known_before_them() {
    let own = "[models.m]\nequations = \"dV_m/dt = (a + b + c - V_m)/tau : V\"\nparameters = \
               { a = \"1 mV\", b = \"2 mV\", c = \"3 mV\", tau = \"10 ms\" }\ninitial = { V_m = \"2*a\" }\n";
    let with = |values: &str| one("", &format!("model = \"m\"\nsize = 3\nparameters = {{ {values} }}"), own);
    let spec = resolved(&with("b = \"2*a\", c = \"b + i*[1 mV]\""));
    let p = &spec.populations[0];
    let place = |name: &str| p.system.parameters().iter().position(|v| v.name == name).unwrap();
    let Value::Expression(c) = &p.parameters[place("c")] else { unreachable!("c is computed") };
    let [UnitName::Parameter(b), UnitName::Index] = c.names() else { unreachable!("{:?}", c.names()) };
    assert_eq!(b.index(), place("b"));
    let Value::Expression(start) = &p.initial[0] else { unreachable!("computed from a") };
    assert_eq!((start.text(), start.dimension()), ("2*a", Dimension::VOLT));
    let wrong = refused(&with("b = \"2*c\", c = \"3*a\""));
    assert!(wrong.contains("`b` is computed from `c`"), "{wrong}");
    // What a model file says is understood when the scenario is read.
    let wrong = refused(&one("", "model = \"m\"", &own.replace("\"2*a\"", "\"2*d\"")));
    assert!(wrong.contains("`m` lets `V_m` begin at `2*d`: unknown name `d`"), "{wrong}");
    let wrong = refused(&one("", "model = \"m\"", &own.replace("\"2*a\"", "\"2 pA\"")));
    assert!(wrong.contains("`m` lets `V_m` begin at `2 pA`"), "{wrong}");
}

#[test]
fn parameters_of_receptors_are_named_as_their_file_names_them() {
    let text = one(
        "",
        "model = \"lif\"\nsize = 2\nreceptors.ampa = \
         { kind = \"exp_conductance\", tau = \"(1 + i)*[2 ms]\", E_rev = \"[10 mV]*tau/[1 ms]\" }",
        "",
    );
    let spec = resolved(&text);
    let p = &spec.populations[0];
    let place = |name: &str| p.system.parameters().iter().position(|v| v.name == name).unwrap();
    let (tau, reversal) = (place("ampa.tau"), place("ampa.E_rev"));
    let Value::Expression(e) = &p.parameters[reversal.max(tau)] else { unreachable!("computed") };
    if tau < reversal {
        let [UnitName::Parameter(id)] = e.names() else { unreachable!("{:?}", e.names()) };
        assert_eq!(id.index(), tau);
    }
}

#[test]
fn what_cannot_be_stepped_is_refused_with_its_place() {
    let plain = |equations: &str, grid: &str| {
        format!(
            "[simulation]\nduration = 1\ndt = 0.1\n[models.m]\ntime_unit = \"1\"\nequations = \"{equations}\"\n\
             [populations.p]\nmodel = \"m\"\n{grid}\n[record.p]\ntraces = [{{ variables = [\"u\"] }}]\n"
        )
    };
    let noise = "du/dt = -u + xi : 1";
    let cases = [
        (one("", "model = \"lif\"\nintegrator = \"ftcs\"", ""), "`ftcs` is a scheme of space"),
        (one("integrator = \"spectral\"", "model = \"lif\"", ""), "`spectral` is a scheme of space"),
        (plain(noise, "size = 2\nintegrator = \"rk4\""), "`rk4` has no noise"),
        (
            plain("du/dt = -gradient(u) : 1", "grid = { shape = [8, 8], spacing = 1 }"),
            "write `gradient_x` or `gradient_y`",
        ),
        (plain("du/dt = -gradient_y(u) : 1", "grid = { shape = [8], spacing = 1 }"), "this grid is a line"),
        (
            plain("du/dt = laplacian(u) : 1", "grid = { shape = [8], spacing = 1, pointwise = \"ftcs\" }"),
            "`pointwise` is the rule for the rest",
        ),
        (
            plain("du/dt = laplacian(u) : 1", "substeps = 3\ngrid = { shape = [8], spacing = 1 }"),
            "substeps are steps of the equations alone",
        ),
        (
            plain(
                "du/dt = laplacian(u) : 1",
                "integrator = \"spectral\"\ngrid = { shape = [8], spacing = 1, boundary = [\"killed\", \"no_flux\"] }",
            ),
            "spectral needs the same ends",
        ),
    ];
    for (text, words) in cases {
        let found = refused(&text);
        assert!(found.contains(words) && found.contains("test.toml:"), "{words}: {found}");
    }
}

#[test]
fn connections_without_order_take_no_evenly_spaced_weights() {
    let text = |weight: &str, connect: &str| {
        format!(
            "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 4\n\
             receptors.ampa = {{ kind = \"exp_current\" }}\n\
             [projections.x]\nfrom = \"a\"\nto = \"a.ampa\"\nconnect = {connect}\nweight = {weight}\n"
        )
    };
    let spaced = "{ linspace = [\"1 pA\", \"2 pA\"] }";
    let found = refused(&text(spaced, "{ rule = \"probability\", p = 0.5 }"));
    assert!(found.contains("have no order"), "{found}");
    resolved(&text(spaced, "\"all_to_all\""));
    let alone = text("\"1 pA\"", "{ rule = \"fixed_indegree\", indegree = 2, multapses = true }")
        .replace("size = 4", "size = 1");
    assert!(refused(&alone).contains("there are no sources"), "{}", refused(&alone));
}

/// A refractory time is a multiple of the step however the model says it.
#[test]
fn refractory_times_are_held_to_the_step_however_they_are_written() {
    let text = |time: &str, dt: &str, more: &str| {
        format!(
            "[simulation]
duration = \"300 ms\"
dt = \"{dt}\"
[models.m]
equations = \"dv/dt = (I - v)/[10 ms] : 1\"
threshold = \"v > 1\"
reset = \"v = 0\"
refractory = \"{time}\"
inputs = {{ I = \"1\" }}
parameters = {{ t_ref = \"2 ms\", factor = 1.0 }}
[populations.n]
model = \"m\"
size = 2
{more}"
        )
    };
    for time in ["2 ms", "t_ref", "factor*t_ref", "t_ref + factor*[1 ms] - [1 ms]", "max(t_ref, [1 ms])"] {
        for dt in ["0.1 ms", "0.5 ms", "2 ms", "3 ms", "0.3 ms", "5 ms"] {
            let fits = matches!(dt, "0.1 ms" | "0.5 ms" | "2 ms");
            // 300 ms are a multiple of all of these.
            match read(&text(time, dt, ""), &Overrides::default()) {
                Ok(_) => assert!(fits, "{time} at {dt}"),
                Err(report) => {
                    let said = report.render(false);
                    assert!(!fits && said.contains("is no multiple of the step"), "{time} at {dt}: {said}");
                }
            }
        }
    }
    let listed = "parameters = { factor = { values = [1.0, 1.25] } }\n";
    assert!(refused(&text("factor*t_ref", "1 ms", listed)).contains("(2.5 ms) is no multiple of the step"));
    resolved(&text("factor*t_ref", "0.5 ms", listed));
    // What is drawn is rounded when the network is built.
    resolved(&text("factor*t_ref", "1 ms", "parameters = { factor = { uniform = [1.0, 2.0] } }\n"));
}

#[test]
fn frequencies_that_grow_in_ratio_are_above_zero() {
    let text = |more: &str| {
        format!(
            "[simulation]\nduration = \"100 ms\"\ndt = \"0.1 ms\"\n[populations.n]\nmodel = \"lif\"\n[stimuli.s]\n\
             target = \"n.I\"\nkind = \"chirp\"\namplitude = \"1 pA\"\n{more}"
        )
    };
    for (from, to) in [(0.0, 10.0), (10.0, 0.0), (0.0, 0.0)] {
        let ends = format!("f_start = \"{from} Hz\"\nf_stop = \"{to} Hz\"\n");
        assert!(refused(&text(&format!("{ends}exponential = true\n"))).contains("above zero at both ends"));
        resolved(&text(&ends));
    }
    resolved(&text("f_start = \"0.1 Hz\"\nf_stop = \"10 Hz\"\nexponential = true\n"));
}

/// A unit that is named twice is told, in every list of units.
#[test]
fn units_that_are_named_twice_are_told() {
    let text = |stimulus: &str, record: &str| {
        format!(
            "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.n]\nmodel = \"lif\"\nsize = 4\n\
             [stimuli.s]\ntarget = \"n.I\"\nkind = \"constant\"\namplitude = \"1 pA\"\nunits = {stimulus}\n\
             [record.n]\ntraces = [{{ variables = [\"V_m\"], units = {record} }}]\n"
        )
    };
    for (units, kept, told) in [
        ("[0, 0]", vec![0], true),
        ("[3, 1, 3, 2, 1]", vec![3, 1, 2], true),
        ("\"0..3, 1\"", vec![0, 1, 2], true),
        ("[1, 0, 2]", vec![1, 0, 2], false),
        ("\"1..4\"", vec![1, 2, 3], false),
    ] {
        let (spec, warnings) = read(&text(units, "\"all\""), &Overrides::default()).unwrap();
        assert_eq!(spec.stimuli[0].units, kept);
        assert_eq!(warnings.iter().any(|w| w.contains("named more than once")), told, "{units}: {warnings:?}");
        let (spec, warnings) = read(&text("\"all\"", units), &Overrides::default()).unwrap();
        assert_eq!(spec.records[0].traces[0].units, kept);
        assert_eq!(warnings.iter().any(|w| w.contains("named more than once")), told, "{units}: {warnings:?}");
    }
}
