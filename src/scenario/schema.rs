//! The JSON Schema (2020-12) of scenario files, made from the same lists that scenarios are checked against, so that
//! editors complete and check them.

use serde_json::{Map, Value, json};

use super::catalog::{Catalog, OptionKind, ParamSpec, Subjects, WithoutUnits};
use super::language::Words;
use super::spec::{Boundary, Generator, Integrator, STIMULI};
use spikedeck_model::{Definition, Kind, Library};

/// The schema of a scenario file, with the names of all built-in models, receptors, analyses and integrators.
pub fn schema(catalog: &Catalog, library: &Library) -> Value {
    let named = |what: &str, of: Value| json!({ "type": "object", "description": what, "additionalProperties": of });
    let reference = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "spikedeck scenario",
        "type": "object",
        "additionalProperties": false,
        "required": ["simulation", "populations"],
        "properties": {
            "title": text("one line"),
            "description": text("what the scenario shows"),
            "references": texts("publications with DOI"),
            "tags": texts("words for the gallery"),
            "simulation": reference("simulation"),
            "models": named("models of one's own, by name", reference("model")),
            "receptors": named("receptors of one's own, by name", reference("model")),
            "channels": named("channels of one's own, by name", reference("model")),
            "plasticity": named("plasticity rules of one's own, by name", reference("model")),
            "populations": named("populations by name", reference("population")),
            "projections": named("projections by name", reference("projection")),
            "stimuli": named("stimuli by name", reference("stimulus")),
            "record": named("what is recorded, by population, or by projection whose connections change", reference("record")),
            "analyses": named("analyses by name", reference("analysis")),
            "expect": named("expected ranges of metrics", reference("expect")),
            "variants": named("named overrides: path = value", json!({ "type": "object" })),
            "sweep": reference("sweep"),
        },
        "$defs": {
            "quantity": quantity(),
            "value": value(),
            "units": { "description": "units: a list, a range \"0..10\" (without its end) or \"all\"", "type": ["array", "string"] },
            "simulation": simulation(),
            "model": model(),
            "population": population(library),
            "projection": projection(library),
            "stimulus": stimulus(),
            "record": record(),
            "analysis": analysis(catalog),
            "expect": object(&["metric"], json!({
                "metric": text("ANALYSIS.SUBJECT.METRIC"),
                "min": reference("quantity"), "max": reference("quantity"),
                "source": text("where the range comes from"),
                "original": reference("quantity"),
                "reason": text("why ours differs from `original`, the number of an earlier program, or \"same\""),
            })),
            "sweep": object(&[], json!({
                "axes": { "type": "object", "additionalProperties": { "type": ["object", "array"] } },
                "seeds": whole("number of seeds", 1),
            })),
        },
    })
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

fn texts(about: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": about })
}

fn whole(about: &str, least: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "description": about })
}

fn flag(about: &str) -> Value {
    json!({ "type": "boolean", "description": about })
}

fn choice<'a>(about: &str, words: impl IntoIterator<Item = &'a str>) -> Value {
    json!({ "type": "string", "enum": words.into_iter().collect::<Vec<_>>(), "description": about })
}

fn quantity() -> Value {
    json!({ "description": "a quantity with its unit, \"20 ms\"; a bare number where there is no unit", "type": ["string", "number"] })
}

fn value() -> Value {
    let pair = json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": { "$ref": "#/$defs/quantity" } });
    let q = || json!({ "$ref": "#/$defs/quantity" });
    json!({
        "description": "a quantity, an expression in i, N, x, y, z, a distribution, or on a tree quantities by place",
        "type": ["string", "number", "object"],
        "additionalProperties": q(),
        "properties": {
            "uniform": pair, "linspace": pair,
            "normal": object(&["mean", "sd"], json!({ "mean": q(), "sd": q(), "min": q(), "max": q(), "clip": { "type": "boolean", "description": "values beyond a bound become the bound instead of being redrawn" } })),
            "lognormal": object(&["mu", "sigma"], json!({ "mu": q(), "sigma": q(), "unit": text("unit of the value") })),
            "gamma": object(&["shape", "scale"], json!({ "shape": q(), "scale": q() })),
            "values": { "type": "array", "items": q() },
        },
    })
}

fn integrator() -> Value {
    choice("how time is stepped", Integrator::LIST.iter().map(|i| i.1))
}

fn simulation() -> Value {
    let q = || json!({ "$ref": "#/$defs/quantity" });
    object(
        &["duration", "dt"],
        json!({
            "duration": q(), "dt": q(), "transient": q(),
            "seed": whole("seed of all random numbers", 0),
            "memory": text("what a run may hold, \"2 GB\""),
            "spike_times": choice("how spike times are found", ["grid", "interpolated", "exact"]),
            "check": choice("repeat at half the step", ["halve_dt"]),
            "integrator": integrator(),
        }),
    )
}

fn model() -> Value {
    let table = |about: &str| json!({ "type": "object", "description": about });
    object(
        &["equations"],
        json!({
            "title": text("name in full"), "summary": text("one line"), "description": text("what it is"),
            "mathematics": text("what is known about it"), "relevance": text("why it matters"), "applications": text("what it is used for"),
            "references": texts("publications with DOI"),
            "equations": text("one equation a line, `dV_m/dt = ... : V`"),
            "threshold": text("condition of a spike"), "reset": text("statements at a spike"), "on_event": text("statements at an arriving event"),
            "on_pre": text("plasticity: statements at a spike of the source"), "on_post": text("plasticity: statements at a spike of the target"),
            "refractory": object(&["time", "hold"], json!({ "time": text("a time"), "hold": texts("states held") })),
            "inputs": table("input ports with their units"), "given": table("names of the host with their units"), "port": text("input that the current adds to"),
            "parameters": table("parameters"), "initial": table("initial values"), "presets": table("named sets of values"),
            "circular": texts("states that are angles in radians"),
            "time_unit": choice("what time means in plain-number equations", ["ms", "s", "1"]),
            "integrator": text("how time is stepped"),
        }),
    )
}

fn population(library: &Library) -> Value {
    let v = || json!({ "$ref": "#/$defs/value" });
    let q = || json!({ "$ref": "#/$defs/quantity" });
    let parameters = |kind: Kind| {
        let mut all: Map<String, Value> = Map::new();
        for d in library.names(kind).iter().filter_map(|n| library.get(kind, n)) {
            add_parameters(&mut all, &d);
        }
        all
    };
    let mut receptor = parameters(Kind::Receptor);
    receptor.insert(
        "kind".into(),
        json!({ "type": "string", "description": "receptor", "examples": library.names(Kind::Receptor) }),
    );
    receptor.insert("port".into(), text("input that its current adds to"));
    receptor.insert("preset".into(), text("named set of values"));
    receptor.insert("at".into(), places("compartments that have it, on a tree; all without it"));
    let mut channel = parameters(Kind::Channel);
    channel.insert(
        "kind".into(),
        json!({ "type": "string", "description": "channel", "examples": library.names(Kind::Channel) }),
    );
    channel.insert("in".into(), places("compartments that have it; all without it"));
    channel.insert("port".into(), text("input that its current adds to"));
    channel.insert("preset".into(), text("named set of values"));
    object(
        &["model"],
        json!({
            "model": { "type": "string", "description": "a built-in model, one of `models`, or a file beside the scenario", "examples": library.names(Kind::Model) },
            "size": whole("number of units", 1),
            "preset": { "type": ["string", "array"], "items": { "type": "string" }, "description": "named set of values of the model, or several that are joined" },
            "parameters": { "type": "object", "properties": parameters(Kind::Model), "additionalProperties": v() },
            "initial": { "type": "object", "description": "by state; those of a receptor as `RECEPTOR.STATE` or in a table of its name", "additionalProperties": { "type": ["string", "number", "object"] } },
            "receptors": { "type": "object", "additionalProperties": { "type": "object", "required": ["kind"], "properties": receptor, "additionalProperties": v() } },
            "channels": { "type": "object", "additionalProperties": { "type": "object", "required": ["kind"], "properties": channel, "additionalProperties": v() } },
            "cable": section(),
            "sections": { "type": "object", "description": "sections of a tree, by name", "additionalProperties": section() },
            "morphology": { "type": "string", "description": "an SWC file beside the scenario, or a built-in one", "examples": spikedeck_model::morphologies() },
            "soma": { "description": "how the soma of the file is read", "enum": spikedeck_model::morphology::swc::Soma::LIST.map(|s| s.0) },
            "least_diameter": text("diameter of what is thinner in the file"),
            "compartments": object(&[], json!({
                "d_lambda": { "type": "number" }, "frequency": q(), "longest": q(), "per_section": whole("compartments of every section", 1),
            })),
            "held": { "type": "object", "description": "places whose voltage is held, with its value", "additionalProperties": q() },
            "threshold_at": places("places whose threshold is watched; the middle of the first section without it"),
            "integrator": integrator(),
            "substeps": whole("integration steps inside one step", 1),
            "grid": object(&["shape", "spacing"], json!({
                "shape": { "type": "array", "items": { "type": "integer", "minimum": 3 }, "minItems": 1, "maxItems": 2 },
                "spacing": q(), "noise": q(), "pointwise": integrator(),
                "boundary": { "description": "one for both ends of every axis, or [lower, upper]", "type": ["string", "array"], "items": { "enum": Boundary::LIST.map(|b| b.0) } },
                "allow_unstable": flag("run a scheme that is known to blow up"),
            })),
            "positions": object(&[], json!({
                "grid": { "type": "array", "items": { "type": "integer" } }, "spacing": text("distance of neighbours"),
                "uniform": { "type": "array" }, "listed": { "type": "array" },
            })),
        }),
    )
}

/// A place on a tree, or several.
fn places(about: &str) -> Value {
    json!({ "description": about, "type": ["string", "array"], "items": { "type": "string" } })
}

/// A section of a tree.
fn section() -> Value {
    object(
        &["length", "diameter"],
        json!({
            "length": { "$ref": "#/$defs/quantity" },
            "diameter": { "description": "one, or several from the beginning to the end", "type": ["string", "array"], "items": { "type": "string" } },
            "parent": text("place that it hangs on, such as soma(1)"),
            "region": text("name that channels and parameters may use for several sections"),
            "compartments": whole("number of compartments", 1),
        }),
    )
}

fn plasticity(library: &Library) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for d in library.names(Kind::Plasticity).iter().filter_map(|n| library.get(Kind::Plasticity, n)) {
        add_parameters(&mut all, &d);
    }
    all.insert(
        "kind".into(),
        json!({ "type": "string", "description": "rule", "examples": library.names(Kind::Plasticity) }),
    );
    all.insert(
        "preset".into(),
        json!({ "type": ["string", "array"], "items": { "type": "string" }, "description": "named set of values" }),
    );
    for (end, whose) in [("r_pre", "source"), ("r_post", "target")] {
        all.insert(
            end.into(),
            text(&format!("rate of the {whose}: an expression in its variables (rules between rates)")),
        );
    }
    json!({ "type": "object", "required": ["kind"], "properties": all, "additionalProperties": { "$ref": "#/$defs/value" } })
}

/// Parameters of the same name in several models share one entry that joins their meanings.
fn add_parameters(all: &mut Map<String, Value>, definition: &Definition) {
    for p in &definition.parameters {
        let about = format!("{}: {} (default {})", definition.name, p.about, p.default_text);
        let entry = all.entry(p.name.clone()).or_insert_with(|| json!({ "$ref": "#/$defs/value", "description": "" }));
        let old = entry["description"].as_str().unwrap_or("").to_owned();
        entry["description"] = Value::String(if old.is_empty() { about } else { format!("{old}; {about}") });
    }
}

fn projection(library: &Library) -> Value {
    let v = || json!({ "$ref": "#/$defs/value" });
    let q = || json!({ "$ref": "#/$defs/quantity" });
    object(
        &["from", "to", "connect"],
        json!({
            "from": text("population"), "to": text("POP.RECEPTOR, or POP.INPUT for continuous projections"),
            "kind": choice("what it carries", ["event", "continuous"]),
            "value": text("expression in w, NAME_pre, NAME_post (continuous)"),
            "connect": {
                "description": "a rule",
                "type": ["string", "object"],
                "additionalProperties": false,
                "properties": {
                    "rule": choice("rule", ["one_to_one", "all_to_all", "probability", "fixed_indegree", "fixed_outdegree", "fixed_total_number", "neighbours", "gaussian", "small_world"]),
                    "p": { "type": "number", "minimum": 0, "maximum": 1 }, "p_max": { "type": "number", "minimum": 0, "maximum": 1 }, "p_rewire": { "type": "number", "minimum": 0, "maximum": 1 },
                    "indegree": whole("sources of each target", 0), "outdegree": whole("targets of each source", 0), "total": whole("connections", 0), "neighbours": whole("neighbours of each unit", 0),
                    "radius": q(), "sigma": q(), "periodic": flag("distances wrap around"),
                    "autapses": flag("a unit may connect to itself"), "multapses": flag("a pair may be connected more than once"),
                    "edges": text("file with the columns source, target, weight, delay_ms"),
                },
            },
            "weight": v(), "delay": v(),
            "draws_of": text("another projection whose random numbers this one uses: the same connections and weights where the rules are the same"),
            "plasticity": {
                "description": "how connections change: one rule, or a list of rules that act in turn",
                "anyOf": [plasticity(library), { "type": "array", "minItems": 1, "items": plasticity(library) }],
            },
        }),
    )
}

fn stimulus() -> Value {
    let v = || json!({ "$ref": "#/$defs/value" });
    let q = || json!({ "$ref": "#/$defs/quantity" });
    object(
        &["target", "kind"],
        json!({
            "target": text("POP.INPUT, or POP.RECEPTOR for spikes"), "kind": choice("kind", STIMULI.words()),
            "units": { "$ref": "#/$defs/units" },
            "amplitude": v(), "start": q(), "stop": q(), "from": v(), "to": v(), "period": q(), "width": q(), "center": q(), "sigma": v(), "frequency": q(),
            "phase": q(), "offset": v(), "rectified": flag("absolute value"), "f_start": q(), "f_stop": q(), "exponential": flag("exponential chirp"),
            "mean": v(), "tau": q(), "interval": q(), "scaling": choice("of white noise", ["density", "per_sample"]),
            "generator": choice("normal numbers: counter (keyed by unit and draw), or numpy_pcg64, the stream of numpy.random.default_rng(seed).normal(size=(draws, units)), the same in every stimulus that asks for it", Generator::WORDS.iter().map(|g| g.name)),
             "rate": v(), "sources": whole("sources for each unit", 1), "weight": v(),
            "times": { "type": "array", "items": q() }, "file": text("Parquet or CSV file"), "unit": text("unit of the file's values"), "gain": q(),
            "interpolation": choice("between samples", ["hold", "linear"]), "columns": texts("columns of the file"), "value": text("expression in t, i, N and positions"),
        }),
    )
}

fn record() -> Value {
    object(
        &[],
        json!({
            "spikes": flag("keep spikes"), "connections": flag("write connections"),
            "traces": { "type": "array", "items": object(&["variables"], json!({
                "name": text("name of the trace and its file"), "variables": { "type": ["array", "string"] },
                "units": { "$ref": "#/$defs/units" }, "connections": { "$ref": "#/$defs/units" }, "interval": { "$ref": "#/$defs/quantity" },
            })) },
        }),
    )
}

fn analysis(catalog: &Catalog) -> Value {
    let kinds: Vec<&str> = catalog.analyses.keys().copied().collect();
    let cases: Vec<Value> = catalog
        .analyses
        .values()
        .map(|d| {
            let mut properties = Map::new();
            properties.insert("kind".into(), json!({ "const": d.kind }));
            let subjects: &[&str] = if d.subjects == Subjects::Directed { &["source", "target"] } else { &["of"] };
            let mut required = vec!["kind"];
            for key in subjects {
                required.push(key);
                properties.insert(
                    (*key).into(),
                    json!({ "type": ["string", "array"], "description": "POP.spikes, POP.rate, POP.VAR, mean(...), [0..10]" }),
                );
            }
            for option in &d.options {
                properties.entry(option.key).or_insert_with(|| option_schema(option, d.without_units(option.key)));
            }
            json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
        })
        .collect();
    json!({ "type": "object", "required": ["kind"], "properties": { "kind": { "enum": kinds } }, "oneOf": cases })
}

fn option_schema(option: &ParamSpec, without_units: Option<WithoutUnits>) -> Value {
    let mut schema = match &option.kind {
        OptionKind::Quantity(_) | OptionKind::Time | OptionKind::Frequency => quantity(),
        OptionKind::Quantities(_) => json!({ "type": "array", "items": { "$ref": "#/$defs/quantity" } }),
        OptionKind::Integer => json!({ "type": "integer" }),
        OptionKind::Flag => json!({ "type": "boolean" }),
        OptionKind::Choice(words) => json!({ "type": "string", "enum": words }),
        OptionKind::Text => json!({ "type": "string" }),
        OptionKind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
    };
    let default = option.default.map(|d| format!(" (default {d})")).unwrap_or_default();
    let without = match without_units {
        Some(WithoutUnits::Derived(how)) => format!(" (where time has no unit: {how})"),
        Some(WithoutUnits::Required) => " (where time has no unit it has to be said)".to_owned(),
        None => String::new(),
    };
    schema["description"] = Value::String(format!("{}{default}{without}", option.about));
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::built_in;
    use spikedeck_model::library;

    /// A structural check of the keywords used above; enough to know that a file fits the schema.
    fn fits(schema: &Value, root: &Value, value: &Value, at: &str) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = root.pointer(reference.trim_start_matches('#')).ok_or_else(|| format!("no {reference}"))?;
            fits(target, root, value, at)?;
        }
        if let Some(cases) = schema["oneOf"].as_array() {
            let count = cases.iter().filter(|c| fits(c, root, value, at).is_ok()).count();
            return if count == 1 { Ok(()) } else { Err(format!("{at}: fits {count} cases")) };
        }
        if !schema["const"].is_null() && schema["const"] != *value {
            return Err(format!("{at}: not {}", schema["const"]));
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            return Err(format!("{at}: {value} is not one of {words:?}"));
        }
        let kind = match value {
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Number(n) if n.is_i64() || n.is_u64() => "integer",
            _ => "number",
        };
        let allowed = |t: &Value| t == kind || (t == "number" && kind == "integer");
        let sound = match &schema["type"] {
            Value::Null => true,
            Value::Array(list) => list.iter().any(allowed),
            one => allowed(one),
        };
        if !sound {
            return Err(format!("{at}: {kind} where {} is due", schema["type"]));
        }
        if let Value::Object(entries) = value {
            for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !entries.contains_key(key) {
                    return Err(format!("{at}: lacks {key}"));
                }
            }
            for (key, inner) in entries {
                let place = format!("{at}.{key}");
                match (&schema["properties"][key], &schema["additionalProperties"]) {
                    (Value::Null, Value::Bool(false)) => return Err(format!("{place}: unknown key")),
                    (Value::Null, Value::Object(_)) => fits(&schema["additionalProperties"], root, inner, &place)?,
                    (Value::Null, _) => {}
                    (s, _) => fits(s, root, inner, &place)?,
                }
            }
        }
        if let (Value::Array(list), items @ Value::Object(_)) = (value, &schema["items"]) {
            for (i, inner) in list.iter().enumerate() {
                fits(items, root, inner, &format!("{at}[{i}]"))?;
            }
        }
        Ok(())
    }

    fn check(text: &str) -> Result<(), String> {
        let schema = schema(&crate::tests::catalog(), library());
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
        fits(&schema, &schema, &serde_json::to_value(table).map_err(|e| e.to_string())?, "scenario")
    }

    #[test]
    fn built_in_scenarios_fit_but_for_analyses_of_other_rooms() {
        assert!(!built_in().is_empty());
        for s in built_in() {
            let mut table: toml::Table = s.text.parse().unwrap();
            table.remove("analyses");
            check(&table.to_string()).unwrap_or_else(|e| unreachable!("{}: {e}", s.name));
        }
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_refused() {
        let sound = "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\n";
        check(sound).unwrap();
        for (wrong, why) in [
            (format!("{sound}siz = 3\n"), "unknown key"),
            (format!("{sound}size = \"3\"\n"), "integer"),
            (format!("colour = 1\n{sound}"), "unknown key"),
            ("[populations.a]\nmodel = \"lif\"\n".to_owned(), "lacks simulation"),
            (format!("{sound}[stimuli.s]\ntarget = \"a.I\"\nkind = \"stepp\"\n"), "is not one of"),
        ] {
            let e = check(&wrong).unwrap_err();
            assert!(e.contains(why), "{e}");
        }
    }
}
