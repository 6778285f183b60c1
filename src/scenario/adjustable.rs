//! Every value of a scenario by its path, as `--set` takes it: what stands there, what would hold without it, what it
//! means and which values are sound. All of it comes from the declarations by which scenarios are read, and from what
//! was understood of this one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SCENARIO;
use super::catalog::Catalog;
use super::circuit;
use super::files::NoFiles;
use super::language::{Family, Key, Need, Of, Others, Range, Section, Takes};
use super::overrides::{self, Overrides};
use super::resolver::Resolver;
use super::spec::{Spec, Value};
use spikedeck_core::number::literal;
use spikedeck_core::units::{Quantity, display_unit};
use spikedeck_model::document::{Entry, Item, Node, parse};
use spikedeck_model::{Definition, DefinitionKind, Parameter, Report, library};

/// A value of a scenario that can be changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Adjustable {
    /// Its path, `populations.exc.parameters.tau_m`.
    pub path: String,
    /// What holds, as TOML writes it; none where nothing stands there and no value says what holds instead.
    pub value: Option<String>,
    /// Whether it stands in the scenario (or was put there), and is no default.
    pub is_written: bool,
    /// What it takes, in words.
    pub takes: String,
    /// What holds without it, in words.
    pub without: String,
    /// The words that it takes, where it takes no others.
    pub words: Vec<String>,
    /// Whether its numbers are whole.
    pub is_whole: bool,
    /// The values that are sound, in SI.
    pub range: Range,
    /// The same in words; empty where all are.
    pub bounds: String,
    /// One line of meaning.
    pub about: String,
}

/// Parts of a scenario that are no values of a run: what people read, and what is written elsewhere.
const LEFT_OUT: [&str; 9] =
    ["title", "description", "references", "tags", "variants", "models", "receptors", "channels", "plasticity"];

/// Every value of a scenario that was understood, in the order of its file: what stands there first, in each table.
pub fn adjustables(spec: &Spec, catalog: &Catalog) -> Vec<Adjustable> {
    let mut report = Report::new();
    let text = report.text("scenario", spec.source.to_string());
    let mut root = parse(&mut report, text);
    // What a variant changed is among the overrides.
    let set = Overrides { variant: None, set: spec.overrides.clone() };
    let applied = overrides::apply(&mut report, &mut root, &set);
    let mut resolver = Resolver::of(report, library(), catalog, &NoFiles);
    circuit::expand(&mut resolver, &mut root);
    applied.finish(&mut resolver.report, &mut root);
    let mut walk = Walk { spec, catalog, definitions: definitions(spec), found: Vec::new() };
    for key in SCENARIO.keys.iter().filter(|k| !LEFT_OUT.contains(&k.name)) {
        let node = root.get(key.name);
        match key.takes {
            // What is said once a scenario may be said where nothing of it stands yet.
            Takes::Table(section) => walk.section(key.name, section, node),
            _ => walk.key(key.name, key, node, None),
        }
    }
    walk.found
}

/// The definitions that a scenario uses, by name.
fn definitions(spec: &Spec) -> BTreeMap<(DefinitionKind, String), Arc<Definition>> {
    let carried = |p: &super::PopulationSpec| {
        let others = p.receptors.iter().chain(&p.channels).map(|r| r.definition.clone());
        std::iter::once(p.model.clone()).chain(others).collect::<Vec<_>>()
    };
    let rules = spec.projections.iter().filter_map(|p| p.plasticity.as_ref());
    let rules = rules.flat_map(|p| p.rules.iter().map(|r| r.definition.clone()));
    let all = spec.populations.iter().flat_map(carried).chain(rules);
    all.map(|d| ((d.kind, d.name.clone()), d)).collect()
}

/// The one of several kinds that a table names.
fn chosen(list: &[Takes], entries: &[Entry]) -> Option<Takes> {
    let has = |key: &str| entries.iter().any(|e| e.key == key);
    let names = |takes: &&Takes| matches!(takes, Takes::One(family) if family.by.is_some_and(has));
    list.iter().find(names).copied()
}

/// The walk along a scenario and its declarations.
struct Walk<'a> {
    spec: &'a Spec,
    catalog: &'a Catalog,
    definitions: BTreeMap<(DefinitionKind, String), Arc<Definition>>,
    found: Vec<Adjustable>,
}

impl Walk<'_> {
    fn section(&mut self, path: &str, section: &Section, node: Option<&Node>) {
        let definition = section.keys.iter().find_map(|key| match key.takes {
            Takes::Definition(kind) => {
                let name = node?.get(key.name)?.as_text()?.to_owned();
                let known = self.definitions.get(&(kind, name.clone())).cloned();
                known.or_else(|| library().get(kind, &name))
            }
            _ => None,
        });
        let from = self.found.len();
        if section.only_one {
            // Another of them would be one too many.
            let there = section.keys.iter().filter(|k| node.is_some_and(|n| n.get(k.name).is_some()));
            self.keys(path, there, node, definition.as_deref());
        } else {
            self.keys(path, section.keys.iter(), node, definition.as_deref());
        }
        if let Some(others) = &section.others {
            self.open(path, others, node, definition.as_deref(), section.keys);
        }
        self.written_first(from);
    }

    fn family(&mut self, path: &str, family: &Family, node: &Node) {
        let named = family.by.and_then(|by| node.get(by)).and_then(Node::as_text);
        let from = self.found.len();
        match named.and_then(|name| family.kinds.iter().find(|k| k.name == name)) {
            Some(kind) => {
                self.keys(path, family.common.iter().chain(kind.keys), Some(node), None);
                if let Some(others) = &kind.others {
                    self.open(path, others, Some(node), None, kind.keys);
                }
            }
            None => {
                let has = |s: &Section| s.keys.iter().any(|k| node.get(k.name).is_some());
                let kinds = family.kinds.iter().filter(|_| family.by.is_none());
                for kind in kinds.chain(family.others).filter(|s| has(s)) {
                    self.section(path, kind, Some(node));
                }
            }
        }
        self.written_first(from);
    }

    /// What stands in a table before what does not, and what has no value last; each in the order of the declarations.
    fn written_first(&mut self, from: usize) {
        self.found[from..].sort_by_key(|a| (!a.is_written, a.value.is_none()));
    }

    fn keys<'k>(
        &mut self,
        path: &str,
        keys: impl Iterator<Item = &'k Key>,
        node: Option<&Node>,
        definition: Option<&Definition>,
    ) {
        for key in keys {
            let below = joined(path, key.name);
            if !self.found.iter().any(|a| a.path == below) {
                self.key(&below, key, node.and_then(|n| n.get(key.name)), definition);
            }
        }
    }

    fn key(&mut self, path: &str, key: &Key, node: Option<&Node>, definition: Option<&Definition>) {
        let entries = node.and_then(Node::entries);
        match (key.takes, entries) {
            (Takes::Named(section), Some(entries)) => {
                for e in entries {
                    self.section(&joined(path, &e.key), section, Some(&e.value));
                }
            }
            (Takes::NamedOne(family), Some(entries)) => {
                for e in entries {
                    self.family(&joined(path, &e.key), family, &e.value);
                }
            }
            (Takes::Analyses, Some(entries)) => {
                for e in entries {
                    self.analysis(&joined(path, &e.key), &e.value);
                }
            }
            (Takes::Table(section), Some(_)) => self.section(path, section, node),
            (Takes::One(family), Some(_)) => {
                if let Some(node) = node {
                    self.family(path, family, node);
                }
            }
            (Takes::Open(others), _) => self.open(path, others, node, definition, &[]),
            (Takes::Either(list), Some(_)) if list.iter().any(|t| matches!(t, Takes::Anything(_))) => {
                self.leaf(path, key, node);
            }
            (Takes::Either(list), Some(entries)) if chosen(list, entries).is_some() => {
                let takes = chosen(list, entries).expect("it was just looked for");
                self.key(path, &Key { takes, ..*key }, node, definition);
            }
            (Takes::Either(list), Some(entries)) if !overrides::is_value(Some(key.takes), entries) => {
                let table =
                    |t: &&Takes| matches!(t, Takes::Table(_) | Takes::One(_) | Takes::Open(_) | Takes::Named(_));
                match list.iter().find(table) {
                    Some(takes) => self.key(path, &Key { takes: *takes, ..*key }, node, definition),
                    None => self.leaf(path, key, node),
                }
            }
            // Whole tables that are not there are written into the file, not set value by value.
            (
                Takes::Named(_)
                | Takes::NamedOne(_)
                | Takes::Analyses
                | Takes::Table(_)
                | Takes::Tables(_)
                | Takes::One(_),
                None,
            ) if node.is_none() => {}
            _ => self.leaf(path, key, node),
        }
    }

    fn analysis(&mut self, path: &str, node: &Node) {
        let kind = node.get("kind").and_then(Node::as_text);
        let catalog = self.catalog;
        let Some(declaration) = kind.and_then(|k| catalog.analyses.get(k)) else { return };
        let keys = super::analysis::keys(declaration);
        let from = self.found.len();
        self.keys(path, keys.iter(), Some(node), None);
        self.written_first(from);
    }

    /// Keys that the scenario or a definition names.
    fn open(
        &mut self,
        path: &str,
        others: &Others,
        node: Option<&Node>,
        definition: Option<&Definition>,
        declared: &[Key],
    ) {
        let from = self.found.len();
        let of = definition.filter(|d| others.parameters_of == Some(d.kind));
        for p in of.iter().flat_map(|d| &d.parameters).filter(|p| p.geometry.is_none()) {
            let of_preset = node.zip(definition).and_then(|(n, d)| preset_value(n, d, &p.name));
            self.parameter(&joined(path, &p.name), (p, of_preset), others, node.and_then(|n| n.get(&p.name)));
        }
        for e in node.and_then(Node::entries).unwrap_or_default() {
            let below = joined(path, &e.key);
            let known = declared.iter().any(|k| k.name == e.key) || self.found.iter().any(|a| a.path == below);
            if !known {
                let about = others.about;
                let key = Key { takes: others.takes, ..Key::optional("", others.takes, "nothing", about) };
                self.key(&below, &key, Some(&e.value), definition);
            }
        }
        self.written_first(from);
    }

    /// A parameter of a definition: its meaning and bounds are there.
    fn parameter(
        &mut self,
        path: &str,
        (p, of_preset): (&Parameter, Option<f64>),
        others: &Others,
        node: Option<&Node>,
    ) {
        if node.is_some_and(|n| n.entries().is_some_and(|e| !overrides::is_value(Some(others.takes), e))) {
            // Different places of a tree have their own.
            let key = Key::optional("", others.takes, "the default of the model", "");
            self.key(path, &key, node, None);
            return;
        }
        let holds = self.resolved(path, p, of_preset);
        let quantity = |value: f64| Quantity { value, dimension: p.dimension }.to_string();
        let bounds = match (p.min, p.max) {
            (None, None) => String::new(),
            (Some(low), None) => format!("from {}", quantity(low)),
            (None, Some(high)) => format!("up to {}", quantity(high)),
            (Some(low), Some(high)) => format!("{} to {}", quantity(low), quantity(high)),
        };
        let range = match (p.min, p.max) {
            (None, None) => Range::Any,
            (low, high) => Range::Within(low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY)),
        };
        let unit = display_unit(p.dimension).symbol;
        self.found.push(Adjustable {
            path: path.to_owned(),
            value: node.map(written).or_else(|| holds.map(|text| super::language::toml(&text))),
            is_written: node.is_some(),
            takes: if unit.is_empty() { "value (number)".to_owned() } else { format!("value (in {unit})") },
            without: p.default_text.clone(),
            words: Vec::new(),
            is_whole: false,
            range,
            bounds,
            about: p.about.clone(),
        });
    }

    /// What a parameter of a population is without being written, which a preset may say; else its default.
    fn resolved(&self, path: &str, p: &Parameter, of_preset: Option<f64>) -> Option<String> {
        if p.is_weight {
            // In the unit of the weights, whichever that is.
            return None;
        }
        let mut parts = path.split('.');
        let mut next = || parts.next();
        let found = match (next(), next(), next()) {
            (Some("populations"), Some(name), Some("parameters")) => {
                let population = self.spec.populations.iter().find(|q| q.name == name);
                population.and_then(|q| {
                    let at = q.system.parameters().iter().position(|v| v.name == p.name)?;
                    q.parameters.get(at)
                })
            }
            _ => None,
        };
        let found = match found {
            Some(Value::Constant(value)) => Some(*value),
            _ => of_preset,
        };
        match found {
            Some(value) if value != p.default => {
                let unit = display_unit(p.dimension);
                let number = literal(Quantity { value, dimension: p.dimension }.as_written());
                Some(if unit.symbol.is_empty() { number } else { format!("{number} {}", unit.symbol) })
            }
            _ => Some(p.default_text.clone()),
        }
    }

    fn leaf(&mut self, path: &str, key: &Key, node: Option<&Node>) {
        let default = match key.need {
            Need::Default(text) if !text.is_empty() => Some(super::language::toml(text)),
            Need::Default(_) | Need::Optional(_) | Need::Required(_) => None,
        };
        self.found.push(Adjustable {
            path: path.to_owned(),
            value: node.map(written).or(default),
            is_written: node.is_some(),
            takes: self.takes(path, &key.takes),
            without: key.without(),
            words: words(&key.takes),
            is_whole: matches!(key.takes, Takes::Whole),
            range: range(key),
            bounds: key.bounds_in_words(),
            about: key.about.to_owned(),
        });
    }
}

impl Walk<'_> {
    /// What is taken, in words; where the unit is that of a target, in that.
    fn takes(&self, path: &str, takes: &Takes) -> String {
        let (Takes::Quantity(of) | Takes::Value(of)) = *takes else { return takes.words() };
        let mut parts = path.split('.');
        let (table, name, key) = (parts.next(), parts.next(), parts.next());
        let dimension = match (of, table, name) {
            (Of::Target, Some("stimuli"), Some(name)) => {
                let target = self.spec.stimuli.iter().find(|s| s.name == name).map(|s| &s.target);
                target.map(|t| self.spec.population(t.population).port_dimension(t.port))
            }
            (_, Some("projections"), Some(name)) if key == Some("weight") => {
                self.spec.projections.iter().find(|p| p.name == name).map(|p| p.weight_dimension)
            }
            _ => None,
        };
        let kind = if matches!(takes, Takes::Value(_)) { "value" } else { "quantity" };
        let unit = dimension.map(|d| display_unit(d).symbol);
        match unit.as_deref() {
            Some("") => format!("{kind} (number)"),
            Some(unit) => format!("{kind} (in {unit})"),
            None => takes.words(),
        }
    }
}

/// The bounds of a key; times and frequencies are not negative.
fn range(key: &Key) -> Range {
    match (key.range, key.takes) {
        (Range::Any, Takes::Quantity(Of::Time | Of::Frequency) | Takes::Whole) => Range::From(0.0),
        (range, _) => range,
    }
}

/// The words that are taken, where there are no others.
fn words(takes: &Takes) -> Vec<String> {
    let owned = |words: &mut dyn Iterator<Item = &'static str>| words.map(str::to_owned).collect();
    match *takes {
        Takes::Flag => owned(&mut ["false", "true"].into_iter()),
        Takes::Choice(list) => owned(&mut list.iter().map(|w| w.name)),
        Takes::Words(list) => owned(&mut list.iter().copied()),
        Takes::Bare(family) => owned(&mut family.kinds.iter().filter(|k| k.keys.is_empty()).map(|k| k.name)),
        Takes::Integrator => owned(&mut super::Integrator::LIST.iter().map(|i| i.1)),
        _ => Vec::new(),
    }
}

/// A path one longer; a name with a dot in it stands in quotes.
fn joined(path: &str, name: &str) -> String {
    if name.contains('.') { format!("{path}.\"{name}\"") } else { format!("{path}.{name}") }
}

/// The value that the presets named beside a parameter give it; of several the last that has one.
fn preset_value(node: &Node, definition: &Definition, parameter: &str) -> Option<f64> {
    let named = node.get("preset")?;
    let names: Vec<&str> = match &named.item {
        Item::List(list) => list.iter().filter_map(Node::as_text).collect(),
        _ => named.as_text().into_iter().collect(),
    };
    let presets = names.iter().rev().filter_map(|name| definition.preset(name));
    presets.flat_map(|p| &p.parameters).find(|(name, _)| name == parameter).map(|(_, value)| *value)
}

/// A value as a person would write it in TOML, on one line.
fn written(node: &Node) -> String {
    match &node.item {
        Item::List(list) => format!("[{}]", list.iter().map(written).collect::<Vec<_>>().join(", ")),
        Item::Table(entries) => {
            let bare = |key: &str| {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
                !key.is_empty() && key.chars().all(plain)
            };
            let one = |e: &Entry| {
                let key = if bare(&e.key) { e.key.clone() } else { format!("\"{}\"", e.key) };
                format!("{key} = {}", written(&e.value))
            };
            format!("{{ {} }}", entries.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        _ => node.to_toml(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{built_in, load};
    use std::collections::BTreeSet;

    fn read(text: &str, set: &[(String, String)]) -> Result<Spec, Report> {
        let overrides = Overrides { variant: None, set: set.to_vec() };
        load(text, None, "demo", &overrides, library(), &Catalog::default(), &NoFiles).map(|read| read.0)
    }

    const DEMO: &str = "
        simulation = { duration = '1 s', dt = '0.1 ms' }
        [populations.cell]
        model = 'adex'
        preset = 'regular_bursting'
        size = 3
        parameters = { b = '60 pA' }
        initial = { V_m = { uniform = ['-60 mV', '-50 mV'] } }
        receptors.ampa = { kind = 'exp_conductance', tau = '5 ms' }
        [projections.all]
        from = 'cell'
        to = 'cell.ampa'
        connect = { rule = 'probability', p = 0.5 }
        weight = '1 nS'
        [stimuli.step]
        target = 'cell.I'
        kind = 'step'
        amplitude = '700 pA'
        start = '100 ms'
    ";

    #[test]
    fn every_value_has_its_path_meaning_and_bounds() {
        let spec = read(DEMO, &[]).unwrap();
        let all = adjustables(&spec, &Catalog::default());
        let at = |path: &str| all.iter().find(|a| a.path == path).unwrap_or_else(|| panic!("no {path} in {all:#?}"));
        let b = at("populations.cell.parameters.b");
        assert_eq!((b.value.as_deref(), b.is_written), (Some("\"60 pA\""), true));
        assert!(!b.about.is_empty());
        let capacity = at("populations.cell.parameters.C_m");
        assert!(!capacity.is_written && capacity.value.as_deref().is_some_and(|v| v.ends_with("pF\"")), "{capacity:?}");
        let p = at("projections.all.connect.p");
        assert_eq!((p.value.as_deref(), p.range), (Some("0.5"), Range::Within(0.0, 1.0)));
        assert_eq!(at("populations.cell.receptors.ampa.tau").value.as_deref(), Some("\"5 ms\""));
        assert_eq!(at("stimuli.step.amplitude").value.as_deref(), Some("\"700 pA\""));
        assert_eq!(at("populations.cell.initial.V_m").value.as_deref(), Some("{ uniform = [\"-60 mV\", \"-50 mV\"] }"));
        assert_eq!(at("stimuli.step.amplitude").takes, "value (in pA)");
        assert_eq!(at("projections.all.weight").takes, "value (in nS)");
        assert_eq!(at("simulation.seed").value.as_deref(), Some("1"));
        assert!(at("sweep.seeds").is_whole);
        assert!(at("simulation.spike_times").words.contains(&"grid".to_owned()));
        assert!(!all.iter().any(|a| a.path.starts_with("title")));
    }

    /// What the list says holds is what holds: written at its path, it changes nothing; and no path is listed twice.
    #[test]
    fn what_is_listed_holds() {
        let catalog = Catalog::default();
        let (mut tried, mut others) = (0, Vec::new());
        for scenario in std::iter::once(DEMO).chain(built_in().iter().map(|s| s.text)) {
            // Analyses are of another room, and files are not read here.
            let mut text = String::new();
            let mut skipped = false;
            for line in scenario.lines() {
                let head = line.trim_start();
                if head.starts_with('[') {
                    skipped = ["[analyses", "[expect", "[variants"].iter().any(|t| head.starts_with(t));
                }
                if !skipped {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            let Ok(spec) = read(&text, &[]) else { continue };
            let all = adjustables(&spec, &catalog);
            let paths: BTreeSet<&str> = all.iter().map(|a| a.path.as_str()).collect();
            assert_eq!(paths.len(), all.len(), "{:?}", all.iter().map(|a| &a.path).collect::<Vec<_>>());
            let holds: Vec<(String, String, bool)> =
                all.iter().filter_map(|a| Some((a.path.clone(), a.value.clone()?, a.is_written))).collect();
            // One after the other is slow for large scenarios, and all at once would hide one that is wrong.
            for (path, value, is_written) in holds {
                let again = match read(&text, &[(path.clone(), value.clone())]) {
                    Ok(again) => again,
                    // What makes sense with another key alone may not be written without it.
                    Err(_) if !is_written => continue,
                    Err(e) => panic!("{}: {path}={value}: {e}", spec.title),
                };
                assert!(!is_written || again.canonical == spec.canonical, "{}: {path}={value}", spec.title);
                if again.canonical != spec.canonical {
                    others.push(format!("{}: {path}={value}", spec.title));
                }
                tried += 1;
            }
        }
        assert!(tried > 2000, "{tried} values of shipped scenarios");
        // A default that is written may be another thing than none: a seed of a part that follows the seed of all.
        assert!(others.len() * 50 < tried, "{} of {tried}: {others:#?}", others.len());
    }
}
