//! Values by place: where nothing is said, what would hold without the table.

use crate::spec::{Spec, Value};
use crate::tests::read;

/// A cell of a soma and a dendrite whose model states its initial values in every way; `more` goes into the population.
fn cell(more: &str) -> String {
    format!(
        r#"
[simulation]
duration = "1 ms"
dt = "0.025 ms"
[populations.c]
model = "patch"
compartments = {{ per_section = 2 }}
channels.na = {{ kind = "hh_na", in = ["soma"] }}
{more}
[populations.c.sections]
soma = {{ length = "20 um", diameter = "20 um" }}
dend = {{ length = "200 um", diameter = "2 um", parent = "soma(1)" }}
[models.patch]
equations = """
dV_m/dt = (g_L*(E_L - V_m) + I_m + (I + axial(V_m, R_a))/area)/C_m : V
du/dt = -u/tau : 1
dv/dt = -v/tau : 1
"""
inputs = {{ I = "A", I_m = "A/m**2" }}
initial = {{ V_m = "E_L + 2*[1 mV]", u = "0.25", v = "distance/[100 um]" }}
[models.patch.parameters]
g_L = "0.1 mS/cm**2"
E_L = "-70 mV"
R_a = "100 ohm*cm"
C_m = "1 uF/cm**2"
celsius = "6.3 degC"
tau = "5 ms"
area = {{ value = "1000 um**2", geometry = "area" }}
[models.patch.presets.other]
E_L = "-60 mV"
tau = "7 ms"
initial = {{ u = "0.75" }}
"#
    )
}

fn understood(more: &str) -> Spec {
    match read(&cell(more), &crate::Overrides::default()) {
        Ok((spec, _)) => spec,
        Err(report) => panic!("{report:?}"),
    }
}

fn refused(more: &str) -> String {
    read(&cell(more), &crate::Overrides::default()).unwrap_err().to_string()
}

/// The values of a state in the compartments: two of the soma, two of the dendrite.
fn initial(spec: &Spec, state: &str) -> Vec<f64> {
    let p = &spec.populations[0];
    let index = p.system.states().iter().position(|v| v.name == state).unwrap();
    values(&p.initial[index])
}

fn parameter(spec: &Spec, name: &str) -> Vec<f64> {
    let p = &spec.populations[0];
    let index = p.system.parameters().iter().position(|v| v.name == name).unwrap();
    values(&p.parameters[index])
}

fn values(value: &Value) -> Vec<f64> {
    match value {
        Value::Constant(v) => vec![*v; 4],
        Value::Each(list) => list[..4].to_vec(),
        other => panic!("{other:?}"),
    }
}

fn close(found: &[f64], wanted: [f64; 4]) -> bool {
    found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12)
}

/// Whatever the file or a preset lets a state begin with, naming some places changes those places only.
#[test]
fn where_nothing_is_said_a_state_begins_as_without_the_table() {
    // Middles of the compartments: 5, 15, 45 and 135 um from the beginning of the soma... of 20 and 200 um in halves.
    let middles: Vec<f64> = understood("").populations[0].tree.as_ref().unwrap().compartments.distance[..4].to_vec();
    for (preset, e_l, u) in [("", -0.07, 0.25), ("preset = \"other\"\n", -0.06, 0.75)] {
        let v_m = e_l + 0.002;
        let with = |table: &str| understood(&format!("{preset}initial = {{ {table} }}"));
        let spec = with(r#"V_m = { soma = "-50 mV" }"#);
        assert!(close(&initial(&spec, "V_m"), [-0.05, -0.05, v_m, v_m]), "{:?}", initial(&spec, "V_m"));
        let spec = with(r#"V_m = { dend = "-50 mV" }, u = { soma = 1 }"#);
        assert!(close(&initial(&spec, "V_m"), [v_m, v_m, -0.05, -0.05]), "{:?}", initial(&spec, "V_m"));
        assert!(close(&initial(&spec, "u"), [1.0, 1.0, u, u]), "{:?}", initial(&spec, "u"));
        let spec = with("v = { soma = 1 }");
        let v = [1.0, 1.0, middles[2] / 1e-4, middles[3] / 1e-4];
        assert!(close(&initial(&spec, "v"), v), "{:?}", initial(&spec, "v"));
        let spec = with(r#"V_m = { soma = "-50 mV", default = "-40 mV" }"#);
        assert!(close(&initial(&spec, "V_m"), [-0.05, -0.05, -0.04, -0.04]), "{:?}", initial(&spec, "V_m"));
    }
    // A parameter by place is followed.
    let spec =
        understood("parameters = { E_L = { dend = \"-80 mV\" } }\ninitial = { V_m = { \"soma(0.25)\" = \"-50 mV\" } }");
    assert!(close(&initial(&spec, "V_m"), [-0.05, -0.068, -0.078, -0.078]), "{:?}", initial(&spec, "V_m"));
}

#[test]
fn a_parameter_by_place_leaves_the_preset_elsewhere() {
    let spec = understood("preset = \"other\"\nparameters = { E_L = { soma = \"-50 mV\" } }");
    assert!(close(&parameter(&spec, "E_L"), [-0.05, -0.05, -0.06, -0.06]), "{:?}", parameter(&spec, "E_L"));
    let spec = understood("parameters = { E_L = { soma = \"-50 mV\" } }");
    assert!(close(&parameter(&spec, "E_L"), [-0.05, -0.05, -0.07, -0.07]), "{:?}", parameter(&spec, "E_L"));
}

#[test]
fn what_is_not_known_elsewhere_is_asked_for() {
    // Gates settle at the first voltage; in compartments without the channel there is nothing to say.
    let said = refused(r#"initial = { "na.m" = { "soma(0.25)" = 0.1 } }"#);
    assert!(said.contains("not for `soma(0.75)`, where it begins where it"), "{said}");
    assert!(said.contains("default = ..."), "{said}");
    understood(r#"initial = { "na.m" = { soma = 0.1 } }"#);
    understood(r#"initial = { "na.m" = { "soma(0.25)" = 0.1, default = 0.2 } }"#);
    let said = refused(
        "parameters = { E_L = { normal = { mean = \"-70 mV\", sd = \"1 mV\" } } }\ninitial = \
         { V_m = { soma = \"-50 mV\" } }",
    );
    assert!(said.contains("a value that is drawn"), "{said}");
}

#[test]
fn what_a_tree_says_of_itself_is_not_stated_and_its_tables_are_tables() {
    let said = refused("parameters = { area = \"10 um**2\" }");
    assert!(said.contains("`area` follows from the shape of the tree"), "{said}");
    assert!(refused("held = 5").contains("`held` is a table of places"), "{}", refused("held = 5"));
    assert!(refused("threshold_at = []").contains("list of places is empty"));
}

/// Cells of five compartments with `places` that spike and `slots` that carry a receptor, connected to themselves.
fn network(size: usize, places: usize, slots: usize, connect: &str, weight: &str) -> String {
    let at = |n: usize| -> Vec<String> { (0..n).map(|k| format!("\"cable({})\"", 0.1 + 0.2 * k as f64)).collect() };
    format!(
        "[simulation]
duration = \"1 ms\"
dt = \"0.05 ms\"
[populations.c]
model = \"membrane\"
size = {size}
channels.leak = {{ kind = \"leak\" }}
cable = {{ length = \"100 um\", diameter = \"2 um\", compartments = 5 }}
threshold_at = [{}]
receptors.a = {{ kind = \"exp_conductance\", at = [{}] }}
[projections.p]
from = \"c\"
to = \"c.a\"
connect = {connect}
weight = {weight}
",
        at(places).join(", "),
        at(slots).join(", ")
    )
}

/// What is listed and what is drawn is counted over the pairs that there are: places of other cells.
#[test]
fn connections_of_trees_are_counted_by_their_places() {
    let ok = |text: &str| read(text, &crate::Overrides::default()).map(|_| ()).map_err(|r| r.render(false));
    for (size, places, slots) in [(3, 2, 1), (2, 1, 3), (4, 1, 1), (1, 1, 2), (3, 2, 2)] {
        for autapses in [false, true] {
            let own = usize::from(!autapses);
            let (sources, targets) = ((size - own) * places, (size - own) * slots);
            let pairs = size * places * (size - own) * slots;
            let connect = |rule: &str| format!("{{ rule = {rule}, autapses = {autapses} }}");
            let listed = |n: usize| format!("{{ values = [{}] }}", vec!["\"1 nS\""; n].join(", "));
            let of = |rule: &str, weight: &str| ok(&network(size, places, slots, &connect(rule), weight));
            if pairs > 0 {
                of("\"all_to_all\"", &listed(pairs)).unwrap();
            }
            for wrong in [pairs + 1, size * 5 * size * 5, size * 11 * size * 11] {
                let said = of("\"all_to_all\"", &listed(wrong)).unwrap_err();
                assert!(said.contains("listed for"), "{said}");
            }
            for (rule, most) in [
                ("\"fixed_indegree\", indegree", sources),
                ("\"fixed_outdegree\", outdegree", targets),
                ("\"fixed_total_number\", total", pairs),
            ] {
                if most > 0 {
                    of(&format!("{rule} = {most}"), "\"1 nS\"").unwrap();
                }
                let said = of(&format!("{rule} = {}", most + 1), "\"1 nS\"").unwrap_err();
                assert!(said.contains("are asked for, but there are") || most == 0, "{rule} {most}: {said}");
            }
        }
    }
}

/// A trace is of the places that have what it records; where none of those that are named has it, that is said.
#[test]
fn traces_are_of_places_that_have_their_variables() {
    let text = |units: &str, variables: &str| {
        format!(
            "[simulation]\nduration = \"1 ms\"\ndt = \"0.05 ms\"\n[populations.c]\nmodel = \"membrane\"\nsize = 2\n\
             channels.na = {{ kind = \"traub_na\", in = [\"soma\"] }}\nchannels.leak = {{ kind = \"leak\" }}\n\
             [populations.c.sections]\nsoma = {{ length = \"20 um\", diameter = \"20 um\", compartments = 1 }}\n\
             dend = {{ parent = \"soma(1)\", length = \"100 um\", diameter = \"2 um\", compartments = 3 }}\n\
             [record.c]\ntraces = [{{ variables = [{variables}]{units} }}]\n"
        )
    };
    let units = |text: &str| read(text, &crate::Overrides::default()).unwrap().0.records[0].traces[0].units.clone();
    let spec = read(&text("", "\"V_m\""), &crate::Overrides::default()).unwrap().0;
    let tree = spec.populations[0].tree.as_ref().unwrap();
    let all: Vec<u32> = (0..spec.populations[0].size as u32).collect();
    assert_eq!(units(&text("", "\"V_m\"")), all);
    assert_eq!(units(&text("", "\"na.h\"")), tree.find("soma").unwrap());
    assert_eq!(units(&text("", "\"leak.g\"")), tree.membranes());
    assert_eq!(units(&text("", "\"na.h\", \"leak.g\"")), tree.membranes());
    assert_eq!(units(&text("", "\"na.h\", \"V_m\"")), all);
    let named = ", units = [\"dend\"]";
    let said = read(&text(named, "\"na.h\""), &crate::Overrides::default()).unwrap_err().render(false);
    assert!(said.contains("none of these units has `na.h`") && said.contains("soma"), "{said}");
    assert_eq!(units(&text(", units = [\"soma\", \"dend\"]", "\"na.h\"")).len(), 8);
}
