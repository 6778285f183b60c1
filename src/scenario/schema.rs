//! The JSON Schema (2020-12) of scenario files, made from the declarations that scenarios are read by, so that editors
//! complete and check them.

use serde_json::{Map, Value, json};

use super::SCENARIO;
use super::analysis;
use super::catalog::Catalog;
use super::distribution::DISTRIBUTIONS;
use super::language::{Family, Key, Need, Of, Others, Range, Section, Takes, WordOf};
use super::population::POPULATION;
use spikedeck_model::{Definition, DefinitionKind, Library};

/// The schema of a scenario file, with the names of all built-in models, receptors, analyses and integrators.
pub fn schema(catalog: &Catalog, library: &Library) -> Value {
    let writer = Writer { catalog, library };
    let mut schema = writer.section(&SCENARIO);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("spikedeck scenario");
    schema["$defs"] = json!({
        "quantity": {
            "description": "a quantity with its unit, \"20 ms\"; a bare number where there is no unit",
            "type": ["string", "number"],
        },
        "value": {
            "description": "a quantity, an expression or a distribution",
            "anyOf": [{ "$ref": "#/$defs/quantity" }, writer.section(&DISTRIBUTIONS)],
        },
        "units": {
            "description": "units: a list, a range \"0..10\" (without its end) or \"all\"",
            "type": ["array", "string"],
        },
    });
    schema
}

/// Writes declarations as schemas.
struct Writer<'a> {
    catalog: &'a Catalog,
    library: &'a Library,
}

impl Writer<'_> {
    /// A table.
    fn section(&self, section: &Section) -> Value {
        let mut schema = self.table(section.keys.iter(), section.others.as_ref());
        if section.only_one {
            schema["minProperties"] = json!(1);
            schema["maxProperties"] = json!(1);
        }
        schema["description"] = json!(section.about);
        let cases = self.of_built_in(section);
        if !cases.is_empty() {
            schema["allOf"] = json!(cases);
        }
        schema
    }

    /// Where a table says which definition it takes: a built-in one has its own parameters and no others. (Its name is
    /// nobody else's.)
    fn of_built_in(&self, section: &Section) -> Vec<Value> {
        let by =
            section.keys.iter().find_map(|k| if let Takes::Definition(d) = k.takes { Some((k.name, d)) } else { None });
        let Some((by, kind)) = by else { return Vec::new() };
        let inside = section.keys.iter().find(|k| matches!(k.takes, Takes::Open(o) if o.parameters_of == Some(kind)));
        let definitions = self.library.names(kind).into_iter().filter_map(|n| self.library.get(kind, n));
        let cases = definitions.map(|d| {
            let given = d.rule.as_ref().map_or(&[][..], |rule| &rule.texts().source.given);
            let own = d.parameters.iter().map(|p| p.name.as_str()).chain(given.iter().map(|g| g.name.as_str()));
            let then = match inside {
                Some(key) => json!({ "properties": { key.name: only(own.collect()) } }),
                None => only(section.keys.iter().map(|k| k.name).chain(own).collect()),
            };
            json!({ "if": { "properties": { by: { "const": d.name } }, "required": [by] }, "then": then })
        });
        cases.collect()
    }

    fn table<'k>(&self, keys: impl Iterator<Item = &'k Key>, others: Option<&Others>) -> Value {
        let mut properties = others.map(|o| self.parameters(o)).unwrap_or_default();
        let mut required = Vec::new();
        for key in keys {
            properties.insert(key.name.to_owned(), self.key(key));
            if matches!(key.need, Need::Required(_)) {
                required.push(key.name);
            }
        }
        let additional = others.map_or(json!(false), |o| self.takes(&o.takes, Range::Any));
        json!({
            "type": "object", "required": required, "properties": properties, "additionalProperties": additional,
        })
    }

    /// A table that is one of several kinds: one alternative each.
    fn family(&self, family: &Family) -> Value {
        let named = family.kinds.iter().map(|kind| {
            let mut case = self.table(family.common.iter().chain(kind.keys), kind.others.as_ref());
            if let Some(by) = family.by {
                case["properties"][by] = json!({ "const": kind.name });
            }
            case["description"] = json!(kind.about);
            case
        });
        let cases: Vec<Value> = named.chain(family.others.iter().map(|kind| self.section(kind))).collect();
        match family.by {
            // The key is named once more, so that editors offer its words before a kind is chosen.
            Some(by) if family.others.is_empty() => json!({
                "type": "object", "description": family.about, "required": [by],
                "properties": { by: { "enum": family.words() } }, "oneOf": cases,
            }),
            Some(_) => json!({ "type": "object", "description": family.about, "oneOf": cases }),
            // Kinds that are told by their keys may share some.
            None => json!({ "type": "object", "description": family.about, "anyOf": cases }),
        }
    }

    fn key(&self, key: &Key) -> Value {
        let mut schema = self.takes(&key.takes, key.range);
        let default = match key.need {
            Need::Default(text) => format!(" (default {text})"),
            Need::Optional(_) | Need::Required(_) => String::new(),
        };
        schema["description"] = json!(format!("{}{default}", key.about));
        schema
    }

    fn takes(&self, takes: &Takes, range: Range) -> Value {
        let quantity = || json!({ "$ref": "#/$defs/quantity" });
        let texts = || json!({ "type": "array", "items": { "type": "string" } });
        let words = |words: &[WordOf]| words.iter().map(|w| w.name).collect::<Vec<_>>();
        let named = |of: Value| json!({ "type": "object", "additionalProperties": of });
        match *takes {
            Takes::Quantity(Of::Number) => match range {
                Range::Within(low, high) => json!({ "type": ["number", "string"], "minimum": low, "maximum": high }),
                Range::From(low) => json!({ "type": ["number", "string"], "minimum": low }),
                Range::Above(low) => json!({ "type": ["number", "string"], "exclusiveMinimum": low }),
                Range::Any => quantity(),
            },
            Takes::Quantity(_) => quantity(),
            Takes::Value(_) => json!({ "$ref": "#/$defs/value" }),
            Takes::Quantities(_, None) => json!({ "type": "array", "items": quantity() }),
            Takes::Quantities(_, Some(n)) => {
                json!({ "type": "array", "items": quantity(), "minItems": n, "maxItems": n })
            }
            Takes::Matrix(of) => {
                let items = self.takes(&Takes::Quantity(of), range);
                json!({ "type": "array", "items": { "type": "array", "items": items } })
            }
            Takes::Whole => match range {
                Range::Any => json!({ "type": "integer" }),
                Range::From(low) | Range::Above(low) => json!({ "type": "integer", "minimum": low as i64 }),
                Range::Within(low, high) => {
                    json!({ "type": "integer", "minimum": low as i64, "maximum": high })
                }
            },
            Takes::Wholes(least, axes) => json!({
                "type": "array", "items": { "type": "integer", "minimum": least }, "minItems": 1, "maxItems": axes,
            }),
            Takes::Flag => json!({ "type": "boolean" }),
            Takes::Text(_) | Takes::File(_) | Takes::KindOf => json!({ "type": "string" }),
            Takes::Texts(_) => texts(),
            Takes::OneOrMore(_) => json!({ "type": ["string", "array"], "items": { "type": "string" } }),
            Takes::Choice(list) => json!({ "type": "string", "enum": words(list) }),
            Takes::Words(list) => json!({ "type": "string", "enum": list }),
            Takes::Choices(list) => json!({
                "type": ["string", "array"], "items": { "enum": words(list) }, "minItems": 2, "maxItems": 2,
                "anyOf": [{ "enum": words(list) }, { "type": "array" }],
            }),
            Takes::Bare(family) => {
                let bare = family.kinds.iter().filter(|k| k.keys.is_empty()).map(|k| k.name).collect::<Vec<_>>();
                json!({ "type": "string", "enum": bare })
            }
            Takes::Integrator => {
                let names = super::Integrator::LIST.iter().map(|i| i.1).collect::<Vec<_>>();
                json!({ "type": "string", "enum": names })
            }
            Takes::Definition(kind) => json!({ "type": "string", "examples": self.library.names(kind) }),
            Takes::Morphology => json!({ "type": "string", "examples": spikedeck_model::morphologies() }),
            Takes::Units => json!({ "$ref": "#/$defs/units" }),
            // What the populations of a circuit are is what any population is.
            Takes::Table(section) if std::ptr::eq(section, &raw const POPULATION) => {
                json!({ "$ref": "#/properties/populations/additionalProperties" })
            }
            Takes::Table(section) => self.section(section),
            Takes::Tables(section) => json!({ "type": "array", "items": self.section(section) }),
            Takes::Named(section) => named(self.section(section)),
            Takes::One(family) => self.family(family),
            Takes::NamedOne(family) => named(self.family(family)),
            Takes::Analyses => named(self.analyses()),
            Takes::Open(others) => json!({
                "type": "object", "properties": self.parameters(others),
                "additionalProperties": self.takes(&others.takes, Range::Any),
            }),
            Takes::Either(list) => {
                json!({ "anyOf": list.iter().map(|t| self.takes(t, range)).collect::<Vec<_>>() })
            }
            Takes::Anything(_) => json!({}),
        }
    }

    /// The analyses of the catalog: one alternative each.
    fn analyses(&self) -> Value {
        let cases: Vec<Value> = self
            .catalog
            .analyses
            .values()
            .map(|declaration| {
                let keys = analysis::keys(declaration);
                let mut case = self.table(keys.iter(), None);
                case["properties"]["kind"] = json!({ "const": declaration.kind });
                case
            })
            .collect();
        let kinds: Vec<&str> = self.catalog.analyses.keys().copied().collect();
        json!({ "type": "object", "required": ["kind"], "properties": { "kind": { "enum": kinds } }, "oneOf": cases })
    }

    /// What the definitions of a kind call their parameters. Those of the same name in several of them share one entry
    /// that joins their meanings.
    fn parameters(&self, others: &Others) -> Map<String, Value> {
        let mut all: Map<String, Value> = Map::new();
        let Some(kind) = others.parameters_of else { return all };
        for d in self.library.names(kind).iter().filter_map(|n| self.library.get(kind, n)) {
            self.add_parameters(&mut all, &d, &others.takes);
        }
        if kind == DefinitionKind::Plasticity {
            for (end, whose) in [("r_pre", "source"), ("r_post", "target")] {
                let about = format!("rate of the {whose}: an expression in its variables (rules between rates)");
                all.insert(end.into(), json!({ "type": "string", "description": about }));
            }
        }
        all
    }

    fn add_parameters(&self, all: &mut Map<String, Value>, definition: &Definition, takes: &Takes) {
        for p in &definition.parameters {
            let about = format!("{}: {} (default {})", definition.name, p.about, p.default_text);
            let entry = all.entry(p.name.clone()).or_insert_with(|| self.takes(takes, Range::Any));
            let old = entry["description"].as_str().unwrap_or("").to_owned();
            entry["description"] = Value::String(if old.is_empty() { about } else { format!("{old}; {about}") });
        }
    }
}

/// A table with no keys but these.
fn only(names: Vec<&str>) -> Value {
    if names.is_empty() { json!({ "maxProperties": 0 }) } else { json!({ "propertyNames": { "enum": names } }) }
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
        if let (Value::Object(entries), Some(names)) = (value, schema["propertyNames"]["enum"].as_array())
            && let Some(key) = entries.keys().find(|k| !names.iter().any(|n| n == *k))
        {
            return Err(format!("{at}.{key}: unknown key"));
        }
        for case in schema["allOf"].as_array().into_iter().flatten() {
            if fits(&case["if"], root, value, at).is_ok() {
                fits(&case["then"], root, value, at)?;
            }
        }
        if let (Value::Array(list), items @ Value::Object(_)) = (value, &schema["items"]) {
            for (i, inner) in list.iter().enumerate() {
                fits(items, root, inner, &format!("{at}[{i}]"))?;
            }
        }
        let size = match value {
            Value::Array(list) => Some((list.len() as u64, "minItems", "maxItems")),
            Value::Object(entries) => Some((entries.len() as u64, "minProperties", "maxProperties")),
            _ => None,
        };
        if let Some((size, least, most)) = size
            && (schema[least].as_u64().is_some_and(|n| size < n) || schema[most].as_u64().is_some_and(|n| size > n))
        {
            return Err(format!("{at}: {size} members"));
        }
        let number = value.as_f64();
        if number.is_some_and(|v| schema["minimum"].as_f64().is_some_and(|low| v < low))
            || number.is_some_and(|v| schema["maximum"].as_f64().is_some_and(|high| v > high))
        {
            return Err(format!("{at}: {value} is out of range"));
        }
        for (key, needed) in [("oneOf", 1..2), ("anyOf", 1..usize::MAX)] {
            if let Some(cases) = schema[key].as_array() {
                let wrong: Vec<String> = cases.iter().filter_map(|c| fits(c, root, value, at).err()).collect();
                let count = cases.len() - wrong.len();
                if !needed.contains(&count) {
                    return Err(format!("{at}: fits {count} cases: {}", wrong.join("; ")));
                }
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

    /// A population to act on, with positions.
    const POPULATION: &str = "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n[populations.exc]\nmodel = \"lif\"\n\
                              size = 200\n\
        positions = { grid = [10, 20], spacing = \"100 um\" }\nreceptors.syn = { kind = \"exp_current\" }\n";

    /// The example of a kind is a scenario that is accepted, and every key of another kind is refused: by the reader
    /// and by the schema alike.
    fn kinds_hold(family: &Family, table: &dyn Fn(&str, &str) -> String) {
        for kind in family.kinds {
            let files = kind.keys.iter().any(|k| matches!(k.takes, Takes::File(_)));
            let example = family.example(kind).join(", ");
            let sound = table(kind.name, &example);
            check(&sound).unwrap_or_else(|e| unreachable!("{}: {e}\n{sound}", kind.name));
            let read = |text: &str| crate::tests::read(text, &crate::Overrides::default());
            // Files are not there, and listed spikes need one of two keys.
            if !files {
                read(&sound).unwrap_or_else(|e| unreachable!("{}: {e}\n{sound}", kind.name));
            }
            for stranger in family.kinds.iter().flat_map(|k| k.keys).filter(|k| kind.key(k.name).is_none()) {
                let wrong = table(kind.name, &format!("{example}, {} = 1", stranger.name));
                let e = check(&wrong).unwrap_err();
                assert!(e.contains(&format!("{}: unknown key", stranger.name)), "{}: {e}", kind.name);
                let e = read(&wrong).unwrap_err().to_string();
                assert!(e.contains(&format!("unknown key `{}`", stranger.name)), "{}: {e}", kind.name);
            }
        }
    }

    #[test]
    fn each_kind_of_stimulus_takes_its_own_keys_and_no_others() {
        kinds_hold(&crate::STIMULI, &|kind, keys| {
            let target = if crate::SOURCES.kind(kind).is_some() { "exc.syn" } else { "exc.I" };
            format!("{POPULATION}[stimuli]\ns = {{ target = \"{target}\", {keys} }}\n")
        });
        let step = "kind = \"step\", amplitude = \"1 nA\", tau = \"5 ms\"";
        let e = check(&format!("{POPULATION}[stimuli]\ns = {{ target = \"exc.I\", {step} }}\n")).unwrap_err();
        assert!(e.contains("tau: unknown key"), "{e}");
    }

    /// Of every built-in definition its own parameters are taken, and a name that is none of them is refused; as the
    /// reader does.
    #[test]
    fn each_definition_takes_its_own_parameters_and_no_others() {
        let table = |kind: DefinitionKind, name: &str, parameter: &str| match kind {
            DefinitionKind::Model => {
                format!("[populations.a]\nmodel = \"{name}\"\nparameters = {{ {parameter} = 1 }}\n")
            }
            DefinitionKind::Receptor => format!("{POPULATION}receptors.r = {{ kind = \"{name}\", {parameter} = 1 }}\n"),
            DefinitionKind::Channel => format!("{POPULATION}channels.c = {{ kind = \"{name}\", {parameter} = 1 }}\n"),
            DefinitionKind::Plasticity => format!(
                "{POPULATION}[projections.p]\nfrom = \"exc\"\nto = \"exc.syn\"\nweight = \"1 pA\"\nconnect = \
                 \"all_to_all\"\n\
                 plasticity = {{ kind = \"{name}\", {parameter} = 1 }}\n"
            ),
        };
        let simulation = "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n";
        for kind in DefinitionKind::ALL {
            for name in library().names(kind) {
                let text = |parameter: &str| {
                    let table = table(kind, name, parameter);
                    if table.contains("[simulation]") { table } else { format!("{simulation}{table}") }
                };
                for parameter in &library().get(kind, name).unwrap().parameters {
                    check(&text(&parameter.name)).unwrap_or_else(|e| unreachable!("{name}.{}: {e}", parameter.name));
                }
                let wrong = text("no_such_parameter");
                let e = check(&wrong).unwrap_err();
                // One that has none takes an empty table.
                let of_table = kind == DefinitionKind::Model;
                let none = of_table && library().get(kind, name).unwrap().parameters.is_empty();
                let said = if none { "parameters: 1 members" } else { "no_such_parameter: unknown key" };
                assert!(e.contains(said), "{name}: {e}");
                if ["lif", "exp_current"].contains(&name) {
                    let e = crate::tests::read(&wrong, &crate::Overrides::default()).unwrap_err().to_string();
                    assert!(e.contains("`no_such_parameter`"), "{name}: {e}");
                }
            }
        }
    }

    /// What a population plays has no weights: the key is unknown to reader and schema alike.
    #[test]
    fn each_kind_of_played_spikes_takes_its_own_keys_and_no_others() {
        let table = |_: &str, keys: &str| {
            format!("{POPULATION}[populations.in]\nmodel = \"spike_source\"\nspikes = {{ {keys} }}\n")
        };
        kinds_hold(&crate::SOURCES, &table);
        let weighted = table("", "kind = \"poisson\", rate = \"10 Hz\", weight = 1");
        assert!(check(&weighted).unwrap_err().contains("weight: unknown key"));
        let e = crate::tests::read(&weighted, &crate::Overrides::default()).unwrap_err().to_string();
        assert!(e.contains("unknown key `weight`"), "{e}");
        for kind in crate::SOURCES.kinds {
            let whole = crate::STIMULI.kind(kind.name).unwrap();
            assert_eq!(kind.keys.len() + 1, whole.keys.len(), "{}", kind.name);
        }
    }

    #[test]
    fn each_rule_takes_its_own_keys_and_no_others() {
        kinds_hold(&crate::RULES, &|_, keys| {
            format!(
                "{POPULATION}[projections.p]\nfrom = \"exc\"\nto = \"exc.syn\"\nweight = \"1 pA\"\nconnect = {{ \
                 {keys} }}\n"
            )
        });
    }
}
