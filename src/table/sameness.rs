//! Whether a scenario that is read again is the one that was run, and in words what is different if it is not.

use serde_json::{Map, Value as Json};

use super::manifest::Manifest;
use spikedeck_scenario::{Spec, identity};

/// Most differences that are named.
const NAMED: usize = 3;
/// Longest text of a value that is shown.
const SHOWN: usize = 48;

/// What became of a scenario since it was run.
#[derive(Debug, PartialEq)]
pub(super) enum Sameness {
    /// Nothing.
    Same,
    /// Something that decides the result: what.
    Other(String),
    /// It cannot be told: why.
    Unknown(String),
}

/// Compares `spec` with what the manifest says was run.
pub(super) fn of(manifest: &Manifest, spec: &Spec) -> Sameness {
    let entry = &manifest.scenario;
    let sweep = spec.sweep.as_ref().map(identity::sweep).unwrap_or_default();
    let stored_sweep = entry.sweep.clone().unwrap_or_default();
    // A single point of a sweep has none.
    let same_sweep = manifest.points.is_none() || sweep == stored_sweep;
    if spec.hash == entry.hash && same_sweep {
        return Sameness::Same;
    }
    let this = env!("CARGO_PKG_VERSION");
    match manifest.resolved.get("schema").and_then(Json::as_str) {
        Some(identity::SCHEMA) => {}
        schema => {
            let form = schema.map_or("in a form of its own".to_owned(), |s| format!("in the form {s}"));
            return if fits(manifest, spec) {
                Sameness::Unknown(format!(
                    "the run was written by version {}, which states what it ran {form}; version {this} states it in \
                     the form {}, so whether the scenario still is the one that was run cannot be told",
                    manifest.version,
                    identity::SCHEMA
                ))
            } else {
                Sameness::Other("its populations are others than those that were recorded".to_owned())
            };
        }
    }
    let now = super::manifest::resolved(spec);
    let mut found = Vec::new();
    differences("", &manifest.resolved, &now, &mut found);
    if !same_sweep {
        differences("sweep", &stored_sweep, &sweep, &mut found);
    }
    let mut what = in_words(found);
    if what.is_empty() {
        "manifest.json was changed after the run".clone_into(&mut what);
    }
    if manifest.version != this {
        what = format!("{what}; it was run by version {}, and this is version {this}", manifest.version);
    }
    Sameness::Other(what)
}

/// The first of some differences, and how many there are besides.
fn in_words(mut found: Vec<String>) -> String {
    let more = found.len().saturating_sub(NAMED);
    found.truncate(NAMED);
    let what = found.join("; ");
    if more > 0 { format!("{what}; and {more} more") } else { what }
}

/// What is different between two identities, in words; nothing where nothing is.
pub(super) fn between(then: &Json, now: &Json) -> String {
    let mut found = Vec::new();
    differences("", then, now, &mut found);
    in_words(found)
}

/// Whether the populations are those that were recorded.
fn fits(manifest: &Manifest, spec: &Spec) -> bool {
    let recorded = manifest.recording.populations.iter().map(|p| (p.name.as_str(), p.size));
    let simulated = spec.populations.iter().map(|p| (p.name.as_str(), p.size));
    recorded.eq(simulated.chain(spec.beside().map(|p| (p.name.as_str(), p.size))))
}

/// Says what is different between two trees, value by value.
fn differences(path: &str, then: &Json, now: &Json, found: &mut Vec<String>) {
    match (then, now) {
        _ if then == now => {}
        (Json::Object(a), Json::Object(b)) if is_list_by_hash(a) && is_list_by_hash(b) => {
            found.push(format!("{path}: the values of a long list have changed"));
        }
        (Json::Object(a), Json::Object(b)) => {
            for (key, value) in a {
                differences(&below(path, key), value, b.get(key).unwrap_or(&Json::Null), found);
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                differences(&below(path, key), &Json::Null, value, found);
            }
        }
        (Json::Array(a), Json::Array(b)) if a.iter().chain(b).all(|v| name_of(v).is_some()) => {
            let (names_then, names_now): (Vec<_>, Vec<_>) =
                (a.iter().filter_map(name_of).collect(), b.iter().filter_map(name_of).collect());
            if names_then != names_now {
                found.push(format!("{path}: {} then, {} now", listed(&names_then), listed(&names_now)));
                return;
            }
            for ((name, then), now) in names_then.iter().zip(a).zip(b) {
                differences(&below(path, name), then, now, found);
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (k, (then, now)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{k}]"), then, now, found);
            }
        }
        _ => found.push(format!("{path}: {} then, {} now", shown(then), shown(now))),
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// What a thing in a list is called.
fn name_of(value: &Json) -> Option<&str> {
    ["name", "population", "projection"].iter().find_map(|key| value.get(key)?.as_str())
}

fn is_list_by_hash(object: &Map<String, Json>) -> bool {
    object.contains_key("sha256")
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn shown(value: &Json) -> String {
    let text = match value {
        Json::Null => "nothing".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() > SHOWN { format!("{}…", text.chars().take(SHOWN).collect::<String>()) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_named_by_their_path() {
        let then = json!({
            "simulation": { "seed": 1 },
            "populations": [{ "name": "exc", "size": 3, "parameters": { "tau_m": "12 ms" } }],
            "projections": [{ "name": "rec", "connect": { "source": { "count": 100, "sha256": "ab" } } }],
            "stimuli": [{ "name": "a" }],
            "record": [{ "population": "exc", "traces": [[0, 1]] }],
        });
        let mut now = then.clone();
        now["simulation"]["seed"] = json!(2);
        now["simulation"]["memory_bytes"] = json!(5);
        now["populations"][0]["parameters"]["tau_m"] = json!("10 ms");
        now["projections"][0]["connect"]["source"]["sha256"] = json!("cd");
        now["stimuli"] = json!([]);
        now["record"][0]["traces"][0][1] = json!(4);
        let mut found = Vec::new();
        differences("", &then, &now, &mut found);
        assert_eq!(
            found,
            [
                "simulation.seed: 1 then, 2 now",
                "simulation.memory_bytes: nothing then, 5 now",
                "populations.exc.parameters.tau_m: 12 ms then, 10 ms now",
                "projections.rec.connect.source: the values of a long list have changed",
                "stimuli: a then, none now",
                "record.exc.traces[0][1]: 1 then, 4 now",
            ]
        );
    }
}
