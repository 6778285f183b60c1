//! Changes during a run, as who knows other simulators writes them: tables by time, which a scenario has not. What it
//! has are stimuli that act on parameters; a strange table is answered with the one that says the same.

use super::spec::{PopulationSpec, Value};
use super::value::show;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_model::document::{Item, Node};

/// What such a table may be called.
const NAMES: [&str; 14] = [
    "after",
    "at",
    "at_time",
    "change",
    "changes",
    "event",
    "events",
    "interventions",
    "later",
    "perturbations",
    "schedule",
    "times",
    "timeline",
    "when",
];

/// What to write instead of the unknown table `key` of the scenario `root`, if it is one of changes in time.
pub(super) fn hint(root: &Node, populations: &[PopulationSpec], key: &str) -> Option<String> {
    if !NAMES.contains(&key) {
        return None;
    }
    let mut leaves = Vec::new();
    gather(root.get(key)?, &mut Vec::new(), &mut leaves);
    let found = leaves.iter().enumerate().find_map(|(k, (path, value))| Some((k, change(path, value, populations)?)));
    // The value of the change may be a time as well: what it begins at is another.
    let used = found.as_ref().map(|f| f.0);
    let found = found.map(|f| f.1);
    let words = leaves.iter().enumerate().flat_map(|(k, (path, value))| {
        path.iter().map(String::as_str).chain((used != Some(k)).then_some(value.as_str()))
    });
    let is_time = |text: &&str| Quantity::parse(text).is_ok_and(|q| q.dimension == Dimension::SECOND);
    let start = words.into_iter().find(is_time);
    let (target, amplitude, what) = found.or_else(|| any(populations)).unwrap_or_else(|| {
        ("NAME.PARAMETER".to_owned(), "CHANGE".to_owned(), "what is added to the parameter".to_owned())
    });
    Some(format!(
        "what changes during a run is a stimulus that acts on the parameter: `[stimuli.change]` with `target = \
         \"{target}\"`, `kind = \"step\"`, `amplitude = \"{amplitude}\"` ({what}) and `start = \"{}\"`; `stop` ends \
         it, and any other kind of stimulus may act on a parameter as well",
        start.unwrap_or("500 ms")
    ))
}

/// All values of a table with the keys that lead to them.
fn gather(node: &Node, path: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
    let Some(entries) = node.entries() else {
        if let Item::List(list) = &node.item {
            for item in list {
                gather(item, path, leaves);
            }
        } else {
            leaves.push((path.clone(), node.as_text().map_or_else(|| node.to_toml(), str::to_owned)));
        }
        return;
    };
    for entry in entries {
        path.push(entry.key.clone());
        gather(&entry.value, path, leaves);
        path.pop();
    }
}

/// The parameter that a value is for, what is added to it, and in words from what to what.
fn change(path: &[String], value: &str, populations: &[PopulationSpec]) -> Option<(String, String, String)> {
    // Quoted paths hold several names, and times hold points.
    let names: Vec<&str> =
        path.iter().filter(|key| Quantity::parse(key).is_err()).flat_map(|key| key.split('.')).collect();
    let population = populations.iter().find(|p| names.contains(&p.name.as_str()))?;
    let is_named = |name: &str| names.contains(&name) || path.last().is_some_and(|key| key.ends_with(name));
    let parameters = population.system.parameters();
    let index = parameters.iter().position(|v| is_named(&v.name))?;
    let (variable, own) = (&parameters[index], &population.parameters[index]);
    let target = format!("{}.{}", population.name, variable.name);
    let new = Quantity::parse(value).ok().and_then(|q| q.meant_as(variable.dimension));
    if let (Some(new), Value::Constant(old)) = (new, own) {
        let shown = |value: f64| show(value, variable.dimension);
        let what = format!("what is added, from {} to {}", shown(*old), shown(new));
        return Some((target, show(new - old, variable.dimension.difference()), what));
    }
    Some((target, example(variable.dimension), "what is added to it".to_owned()))
}

/// A change of the first parameter of the first population.
fn any(populations: &[PopulationSpec]) -> Option<(String, String, String)> {
    let population = populations.iter().find(|p| !p.system.parameters().is_empty())?;
    let variable = &population.system.parameters()[0];
    let target = format!("{}.{}", population.name, variable.name);
    Some((target, example(variable.dimension), "what is added to it".to_owned()))
}

/// One of a dimension, as a person would write it.
fn example(dimension: Dimension) -> String {
    match super::resolver::unit_example(dimension.difference()) {
        unit if unit.is_empty() => "1".to_owned(),
        unit => format!("1 {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::Overrides;
    use crate::tests::read;

    /// What is said of a text.
    fn problems(text: &str) -> String {
        let report = read(text, &Overrides::default()).expect_err("something is wrong");
        report.render(false).split_whitespace().filter(|w| *w != "│").collect::<Vec<_>>().join(" ")
    }

    const HEAD: &str = "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n[populations.exc]\nmodel = \"lif\"\n\
                        parameters = { tau_m = \"10 ms\" }\n";

    /// However the table is written, the answer names the parameter, the change and the time, and is a scenario.
    #[test]
    fn tables_of_changes_are_answered_with_a_stimulus() {
        let written = [
            "[at.\"250 ms\"]\n\"populations.exc.parameters.tau_m\" = \"25 ms\"\n",
            "[at.\"250 ms\".populations.exc.parameters]\ntau_m = \"25 ms\"\n",
            "[[events]]\ntime = \"250 ms\"\nset = { \"exc.tau_m\" = \"25 ms\" }\n",
            "[changes]\n\"250 ms\" = { exc = { tau_m = \"25 ms\" } }\n",
            "[[events]]\nset = { \"exc.tau_m\" = \"25 ms\" }\ntime = \"250 ms\"\n",
            "[[changes]]\nexc.tau_m = \"25 ms\"\nat = \"250 ms\"\n",
        ];
        for text in written {
            let said = problems(&format!("{HEAD}{text}"));
            for part in ["target = \"exc.tau_m\"", "amplitude = \"15 ms\"", "start = \"250 ms\"", "from 10 ms to 25 ms"]
            {
                assert!(said.contains(part), "{text}: {part} is missing in {said}");
            }
        }
        let right = format!(
            "{HEAD}[stimuli.change]\ntarget = \"exc.tau_m\"\nkind = \"step\"\namplitude = \"15 ms\"\n\
             start = \"250 ms\"\n"
        );
        assert!(read(&right, &Overrides::default()).is_ok());
        // Nothing that is known in it: an example all the same.
        let said = problems(&format!("{HEAD}[at]\nx = 1\n"));
        assert!(said.contains("target = \"exc.") && said.contains("start = \"500 ms\""), "{said}");
    }
}
