//! What is recorded at places of trees that carry different mechanisms.

use super::{run, trace};

/// Each mechanism has a port of its own, and stands where no other does: whatever is before it in the population, its
/// quantities are made of what arrives at its own port.
#[test]
fn a_quantity_of_a_mechanism_is_made_of_what_arrives_there() {
    let kinds = ["one", "two", "three"];
    let mechanism = |name: &str| {
        format!(
            "[receptors.{name}]\nport = \"I\"\ninputs = {{ drive = \"A\" }}\n\
             equations = \"\"\"\ndg/dt = -g/tau : 1\nseen = 2*drive : A\nI = drive : A\n\"\"\"\n\
             on_event = \"g += w\"\nparameters = {{ tau = \"5 ms\" }}\n"
        )
    };
    let at = |k: usize| format!("cable({})", 0.1 + 0.4 * k as f64);
    let carried =
        |(k, name): (usize, &&str)| format!("receptors.{name} = {{ kind = \"{name}\", at = [\"{}\"] }}\n", at(k));
    let driven = |(k, name): (usize, &&str)| {
        format!(
            "[stimuli.{name}]\ntarget = \"c.{name}.drive\"\nunits = [\"{}\"]\nkind = \"constant\"\n\
             amplitude = \"{} pA\"\n",
            at(k),
            10 * (k + 1)
        )
    };
    let recorded = |(k, name): (usize, &&str)| {
        format!("{{ name = \"{name}\", variables = [\"{name}.seen\"], units = [\"{}\"] }}", at(k))
    };
    let all = |one: &dyn Fn((usize, &&str)) -> String| -> Vec<String> { kinds.iter().enumerate().map(one).collect() };
    let text = format!(
        "[simulation]\nduration = \"1 ms\"\ndt = \"0.1 ms\"\n{}[populations.c]\nmodel = \"membrane\"\n\
         cable = {{ length = \"300 um\", diameter = \"2 um\", compartments = 5 }}\n\
         channels.leak = {{ kind = \"leak\" }}\n{}{}[record.c]\ntraces = [{}]\n",
        kinds.map(mechanism).concat(),
        all(&carried).concat(),
        all(&driven).concat(),
        all(&recorded).join(", ")
    );
    let result = run(&text);
    for (k, name) in kinds.iter().enumerate() {
        let variable = format!("{name}.seen");
        let values = trace(&result, "c", &variable);
        let wanted = 20.0 * (k + 1) as f64;
        assert!(values.iter().skip(1).all(|v| (v - wanted).abs() < 1e-9), "{name}: {values:?}");
    }
}
