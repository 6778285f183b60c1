//! Overrides: variants, `--set PATH=VALUE` and sweep points change the tree before it is understood.

use super::SCENARIO;
use super::circuit;
use super::distribution::DISTRIBUTIONS;
use super::language::{Family, Key, Need, Section, Takes};
use super::resolver::suggest;
use spikedeck_model::Report;
use spikedeck_model::document::{Entry, Item, Node, parse_value};
use spikedeck_model::report::SourceSpan;

/// What is changed in a scenario before it is understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Name of a variant of the file.
    pub variant: Option<String>,
    /// Path and value (TOML text; quotes may be left out), in the order applied, after the variant.
    pub set: Vec<(String, String)>,
}

/// What a scenario has under this name, unless it is the variants themselves, which no path leads into.
fn part(name: &str) -> Option<&'static Key> {
    SCENARIO.key(name).filter(|k| k.name != "variants")
}

/// Names of the tables that a path may lead into.
fn tables() -> Vec<&'static str> {
    SCENARIO.keys.iter().map(|k| k.name).filter(|name| part(name).is_some_and(is_table)).collect()
}

fn is_table(key: &Key) -> bool {
    matches!(key.takes, Takes::Table(_)) || is_named(key)
}

/// Whether the entries of a table are named by the author: a path to a value may not invent a new entry there; a whole
/// table may be added, and `false` takes an entry away.
pub fn is_named(key: &Key) -> bool {
    matches!(key.takes, Takes::Named(_) | Takes::NamedOne(_) | Takes::Analyses)
}

/// A path, where it stands, and what is to stand behind it.
type Change = (String, SourceSpan, Node);

/// What was applied to a scenario, and what has to wait.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Path and TOML text of each change in the order applied.
    pub all: Vec<(String, String)>,
    /// Changes of entries that circuits make.
    waiting: Vec<Change>,
}

impl Applied {
    /// Applies what waited for the circuits to be written out.
    pub fn finish(self, report: &mut Report, root: &mut Node) -> Vec<(String, String)> {
        for (path, place, value) in self.waiting {
            set(report, root, &path, &place, value);
        }
        self.all
    }

    fn change(&mut self, report: &mut Report, root: &mut Node, (path, place, value): Change) {
        self.all.push((path.clone(), value.to_toml()));
        if circuit::may_make(root, &segments(&path)) {
            self.waiting.push((path, place, value));
        } else {
            set(report, root, &path, &place, value);
        }
    }
}

/// Applies the variant and the settings to `root`, but for those that change what circuits make.
pub(super) fn apply(report: &mut Report, root: &mut Node, overrides: &Overrides) -> Applied {
    let mut applied = Applied::default();
    if let Some(name) = &overrides.variant {
        let variants = root.get("variants").and_then(Node::entries).unwrap_or_default().to_vec();
        match variants.iter().find(|v| v.key == *name) {
            Some(variant) => {
                for e in variant.value.entries().unwrap_or_default() {
                    let mut flat = Flat { report: &*report, root: &*root, changes: Vec::new() };
                    flat.of(e);
                    for change in flat.changes {
                        applied.change(report, root, change);
                    }
                }
            }
            None => {
                let place = root.get("variants").map_or(&root.place, |n| &n.place).clone();
                if name.is_empty() {
                    let names: Vec<&str> = variants.iter().map(|v| v.key.as_str()).collect();
                    let help = if names.is_empty() {
                        "it has none".to_owned()
                    } else {
                        format!("there are: {}", names.join(", "))
                    };
                    report.error_help(&place, "a variant is named after the colon", help);
                    return applied;
                }
                let help = suggest(name, variants.iter().map(|v| v.key.as_str()));
                report.error_help(&place, format!("this scenario has no variant `{name}`"), help);
            }
        }
    }
    for (path, value) in &overrides.set {
        let text = report.text("--set", format!("{path}={value}"));
        let node = parse_value(report, text, path.len() + 1);
        let place = SourceSpan { text, span: 0..path.len() };
        applied.change(report, root, (path.clone(), place, node));
    }
    applied
}

/// What a variant changes, as paths and values: both `"populations.exc.size" = 5` and `populations.exc.size = 5` are
/// understood.
pub(super) struct Flat<'a> {
    pub report: &'a Report,
    /// The scenario that is changed.
    pub root: &'a Node,
    pub changes: Vec<Change>,
}

impl Flat<'_> {
    /// Adds what an entry of the variant changes.
    pub fn of(&mut self, entry: &Entry) {
        let table = part(&entry.key).filter(|key| is_table(key));
        let (Some(entries), Some(table)) = (entry.value.entries(), table) else {
            return self.change(entry.key.clone(), entry);
        };
        let there = self.root.get(&entry.key);
        for e in entries {
            let below = format!("{}.{}", entry.key, segment(&e.key));
            let there = there.and_then(|t| t.get(&e.key));
            if is_named(table) && there.is_none() && is_entry(table, &e.value) {
                self.change(below, e);
            } else {
                let takes = match table.takes {
                    Takes::Table(_) => inside(table.takes, &e.key),
                    Takes::Named(section) => Some(Takes::Table(section)),
                    entries => Some(entries),
                };
                self.deepen(below, e, takes, there);
            }
        }
    }

    fn change(&mut self, path: String, entry: &Entry) {
        self.changes.push((path, entry.place.clone(), entry.value.clone()));
    }

    /// Follows a table into its keys, of which each is a change of its own, up to what is written as one value in
    /// place of what is `there`.
    fn deepen(&mut self, path: String, entry: &Entry, takes: Option<Takes>, there: Option<&Node>) {
        match entry.value.entries() {
            Some(entries) if !entries.is_empty() && self.leads_on(&entry.value, entries, takes, there) => {
                for e in entries {
                    let below = format!("{path}.{}", segment(&e.key));
                    let takes = takes.and_then(|t| inside(t, &e.key));
                    self.deepen(below, e, takes, there.and_then(|t| t.get(&e.key)));
                }
            }
            _ => self.change(path, entry),
        }
    }

    /// Whether the keys of a table change those that are there one by one, as TOML merges tables. What is written
    /// between braces and is a value by itself takes the place of what is there, as does what stands where no table
    /// was.
    fn leads_on(&self, value: &Node, entries: &[Entry], takes: Option<Takes>, there: Option<&Node>) -> bool {
        let between_braces = self.report.text_of(value.place.text)[value.place.span.start..].starts_with('{');
        let is_other = there.is_some_and(|t| t.entries().is_none());
        !(is_other || between_braces && is_value(takes, entries))
    }
}

/// A key as a segment of a path: in quotes where it holds a dot.
fn segment(key: &str) -> String {
    if key.contains('.') { format!("\"{key}\"") } else { key.to_owned() }
}

/// Whether a table says what every entry of `table` says first, so that it is a new one and not a change to one with
/// another name.
fn is_entry(table: &Key, value: &Node) -> bool {
    let needed = |keys: &'static [Key]| keys.iter().find(|k| matches!(k.need, Need::Required(_)));
    let is_mark = |word: &str| match table.takes {
        Takes::Named(section) => needed(section.keys).is_some_and(|k| k.name == word),
        Takes::NamedOne(family) => chooses(family, word),
        Takes::Analyses => word == "kind",
        _ => false,
    };
    value.entries().is_some_and(|list| list.iter().any(|e| is_mark(&e.key)))
}

/// Whether a key says which kind of `family` a table is.
fn chooses(family: &Family, word: &str) -> bool {
    family.by.map_or_else(|| family.others.iter().any(|s| s.key(word).is_some()), |by| by == word)
}

/// What stands behind `key` in a table that `takes` describes; nothing where the language does not say.
fn inside(takes: Takes, key: &str) -> Option<Takes> {
    let of = |section: &Section| section.key(key).map(|k| k.takes).or_else(|| section.others.map(|o| o.takes));
    match takes {
        Takes::Table(section) => of(section),
        Takes::One(family) | Takes::NamedOne(family) => {
            let common = family.common.iter().find(|k| k.name == key).map(|k| k.takes);
            common.or_else(|| family.kinds.iter().chain(family.others).find_map(|s| of(s)))
        }
        Takes::Open(others) => Some(others.takes),
        Takes::Either(list) => list.iter().find_map(|t| inside(*t, key)),
        _ => None,
    }
}

/// Whether a table is a value rather than part of a path: a distribution, or one of several kinds, which is replaced as
/// a whole.
pub(super) fn is_value(takes: Option<Takes>, entries: &[Entry]) -> bool {
    match takes {
        Some(Takes::One(family)) => entries.iter().any(|e| chooses(family, &e.key)),
        // What is recorded of a population is told by its keys; each of them may be set.
        Some(Takes::NamedOne(family)) => family.by.is_some() && entries.iter().any(|e| chooses(family, &e.key)),
        Some(Takes::Table(_)) => false,
        Some(Takes::Value(_)) => true,
        Some(Takes::Either(list)) => list.iter().any(|t| is_value(Some(*t), entries)),
        // Options of analyses are declared elsewhere.
        None | Some(_) => entries.iter().any(|e| e.key == "kind" || DISTRIBUTIONS.key(&e.key).is_some()),
    }
}

/// The segments of a path; quoted ones may hold dots.
pub(super) fn segments(path: &str) -> Vec<String> {
    let mut list = vec![String::new()];
    let mut quoted = false;
    for c in path.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => list.push(String::new()),
            c => {
                if let Some(last) = list.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    list.iter().map(|s| s.trim().to_owned()).collect()
}

/// Whether a path leads somewhere; the error says where it ends.
pub(super) fn check_path(report: &mut Report, root: &Node, path: &str, place: &SourceSpan) -> bool {
    let parts = segments(path);
    let of_the_file = parts.len() == 1 && part(&parts[0]).is_some_and(|key| !is_table(key));
    if parts.iter().any(String::is_empty) || (parts.len() < 2 && !of_the_file) {
        report.error_help(
            place,
            format!("`{path}` is no path to a value"),
            "a path names tables and a key: `populations.exc.parameters.tau_m`",
        );
        return false;
    }
    let Some(key) = part(&parts[0]).filter(|key| of_the_file || is_table(key)) else {
        report.error_help(
            place,
            format!("a scenario has no table `{}`", parts[0]),
            suggest(&parts[0], tables().into_iter()),
        );
        return false;
    };
    if is_named(key) {
        let table = root.get(&parts[0]);
        if table.and_then(|t| t.get(&parts[1])).is_none() {
            let names: Vec<&str> =
                table.and_then(Node::entries).unwrap_or_default().iter().map(|e| e.key.as_str()).collect();
            let help = suggest(&parts[1], names.iter().copied());
            report.error_help(place, format!("there is no `{}` in `{}`", parts[1], parts[0]), help);
            return false;
        }
    }
    true
}

/// Whether a path names a whole entry: `stimuli.kick`.
pub(super) fn is_entry_path(parts: &[String]) -> bool {
    parts.len() == 2 && part(&parts[0]).is_some_and(is_named) && !parts[1].is_empty()
}

/// Whether a path and its value state a whole entry, which need not have been there.
pub(super) fn adds_entry(path: &str, value: &Node) -> bool {
    matches!(value.item, Item::Table(_)) && is_entry_path(&segments(path))
}

/// Puts a value where a path leads, or says that it leads nowhere.
pub(super) fn set(report: &mut Report, root: &mut Node, path: &str, place: &SourceSpan, value: Node) {
    let parts = segments(path);
    let whole = is_entry_path(&parts);
    if !adds_entry(path, &value) && !check_path(report, root, path, place) {
        return;
    }
    if let (true, Item::Flag(false), Item::Table(entries)) = (whole, &value.item, &mut root.item) {
        let table = entries.iter_mut().find(|e| e.key == parts[0]).map(|e| &mut e.value.item);
        if let Some(Item::Table(named)) = table {
            named.retain(|e| e.key != parts[1]);
        }
        return;
    }
    let mut node = root;
    for (depth, part) in parts.iter().enumerate() {
        let Item::Table(entries) = &mut node.item else {
            report.error(place, format!("`{}` is a value, so `{path}` leads nowhere", parts[..depth].join(".")));
            return;
        };
        let index = entries.iter().position(|e| e.key == *part).unwrap_or_else(|| {
            let empty = Node { place: place.clone(), item: Item::Table(Vec::new()) };
            entries.push(Entry { key: part.clone(), place: place.clone(), value: empty });
            entries.len() - 1
        });
        node = &mut entries[index].value;
    }
    *node = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_model::document::parse;

    #[test]
    fn sets_existing_and_new_keys_and_refuses_new_names() {
        let mut report = Report::new();
        let text = report.text("s.toml", "[populations.exc]\nsize = 3\n[variants.big]\npopulations.exc.size = 9\n");
        let mut root = parse(&mut report, text);
        let o = Overrides {
            variant: Some("big".into()),
            set: vec![
                ("populations.exc.parameters.tau_m".into(), "15 ms".into()),
                ("simulation.seed".into(), "4".into()),
            ],
        };
        let applied = apply(&mut report, &mut root, &o).all;
        assert!(!report.failed(), "{report}");
        assert_eq!(applied[0], ("populations.exc.size".to_owned(), "9".to_owned()));
        assert_eq!(applied[1].1, "\"15 ms\"");
        let exc = root.get("populations").unwrap().get("exc").unwrap();
        assert_eq!(exc.get("size").unwrap().as_number(), Some(9.0));
        assert_eq!(exc.get("parameters").unwrap().get("tau_m").unwrap().as_text(), Some("15 ms"));
        apply(
            &mut report,
            &mut root,
            &Overrides { variant: None, set: vec![("populations.ecx.size".into(), "2".into())] },
        );
        assert!(report.to_string().contains("did you mean `exc`?"), "{report}");
    }

    #[test]
    fn variants_in_bare_keys_add_whole_entries_and_still_find_misspelt_names() {
        let mut report = Report::new();
        let text = "[populations.exc]\nsize = 3\n[variants.more]\npopulations.inh = { model = \"lif\", size = 2 }\n\
                    expect.rate = { metric = \"rates.inh.rate\", min = \"1 Hz\" }\n[variants.wrong]\n\
                    populations.ecx.size = 9\n";
        let text = report.text("s.toml", text);
        let mut root = parse(&mut report, text);
        let named = |v: &str| Overrides { variant: Some(v.into()), set: Vec::new() };
        apply(&mut report, &mut root.clone(), &named("wrong"));
        assert!(report.to_string().contains("did you mean `exc`?"), "{report}");
        let mut report = Report::new();
        apply(&mut report, &mut root, &named("more"));
        assert!(!report.failed(), "{report}");
        assert_eq!(root.get("populations").unwrap().get("inh").unwrap().get("size").unwrap().as_number(), Some(2.0));
        assert_eq!(root.get("expect").unwrap().get("rate").unwrap().get("min").unwrap().as_text(), Some("1 Hz"));
    }

    /// A table in which each of these paths has this value.
    fn table(values: &[(Vec<&str>, String)]) -> String {
        let line = |(path, value): &(Vec<&str>, String)| format!("{} = {value}", path.join("."));
        values.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
    }

    /// Bare dotted keys, headers of tables, paths in quotes and `--set` change the same key, and nothing beside it: at
    /// every depth of every kind of table, whatever the language takes there.
    #[test]
    fn a_dotted_key_changes_what_it_names_and_nothing_beside_it() {
        let whole: Vec<(Vec<&str>, String)> = [
            ("stimuli.s.kind", "\"poisson\""),
            ("stimuli.s.target", "\"n.ampa\""),
            ("stimuli.s.rate.file", "\"a.csv\""),
            ("stimuli.s.rate.unit", "\"Hz\""),
            ("stimuli.s.rate.column", "\"r\""),
            ("stimuli.s.weight.normal.mean", "\"1 nS\""),
            ("stimuli.s.weight.normal.sd", "\"0.1 nS\""),
            ("projections.p.connect.kind", "\"probability\""),
            ("projections.p.connect.p", "0.1"),
            ("projections.p.connect.seed", "3"),
            ("projections.p.weight.uniform.low", "\"1 nS\""),
            ("projections.p.weight.uniform.high", "\"2 nS\""),
            ("projections.p.plasticity.kind", "\"stdp_pair\""),
            ("projections.p.plasticity.parameters.A_plus", "0.1"),
            ("projections.p.plasticity.parameters.A_minus", "0.1"),
            ("populations.n.model", "\"lif\""),
            ("populations.n.parameters.tau_m.normal.mean", "\"10 ms\""),
            ("populations.n.parameters.tau_m.normal.sd", "\"1 ms\""),
            ("populations.n.parameters.E_L", "\"-70 mV\""),
            ("populations.n.receptors.ampa.kind", "\"ampa\""),
            ("populations.n.receptors.ampa.tau", "\"2 ms\""),
            ("populations.n.grid.shape", "[10]"),
            ("populations.n.grid.spacing", "1"),
            ("record.n.spikes", "true"),
            ("record.n.interval", "\"1 ms\""),
            ("analyses.psd.kind", "\"psd\""),
            ("analyses.psd.of", "\"n.rate\""),
            ("analyses.psd.window", "\"1 s\""),
            ("expect.a.metric", "\"psd.n.rate.peak\""),
            ("expect.a.min", "1"),
        ]
        .map(|(path, value)| (path.split('.').collect(), value.to_owned()))
        .to_vec();
        let base = table(&whole);
        for (changed, (path, _)) in whole.iter().enumerate() {
            let mut wanted = whole.clone();
            wanted[changed].1 = "\"new\"".to_owned();
            let mut report = Report::new();
            let text = report.text("w.toml", table(&wanted));
            let wanted = parse(&mut report, text).to_toml();
            let dotted = path.join(".");
            let (last, above) = path.split_last().unwrap();
            for variant in [
                format!("[variants.v]\n{dotted} = \"new\"\n"),
                format!("[variants.v]\n\"{dotted}\" = \"new\"\n"),
                format!("[variants.v.{}]\n{last} = \"new\"\n", above.join(".")),
                format!("variants.v.{dotted} = \"new\"\n"),
                String::new(),
            ] {
                let mut report = Report::new();
                let text = report.text("s.toml", format!("{base}{variant}"));
                let mut root = parse(&mut report, text);
                let set = if variant.is_empty() { vec![(dotted.clone(), "new".into())] } else { Vec::new() };
                let name = (!variant.is_empty()).then(|| "v".to_owned());
                let applied = apply(&mut report, &mut root, &Overrides { variant: name, set }).all;
                assert!(!report.failed(), "{report}");
                assert_eq!(applied, [(dotted.clone(), "\"new\"".to_owned())], "{variant}");
                if let Item::Table(entries) = &mut root.item {
                    entries.retain(|e| e.key != "variants");
                }
                assert_eq!(root.to_toml(), wanted, "{variant}");
            }
        }
    }

    #[test]
    fn a_table_between_braces_and_a_key_in_the_place_of_a_text_replace_it() {
        let base = "stimuli.s = { kind = \"poisson\", rate = \"5 Hz\", weight = { normal = { mean = 1, sd = 2 } } }\n";
        for (variant, path, wanted) in [
            (
                "stimuli.s.weight = { uniform = { low = 1, high = 2 } }",
                "weight",
                "{ \"uniform\" = { \"low\" = 1, \"high\" = 2 } }",
            ),
            ("stimuli.s.rate.file = \"a.csv\"", "rate", "{ \"file\" = \"a.csv\" }"),
            ("stimuli.s.\"a.b\" = 3", "a.b", "3"),
        ] {
            let mut report = Report::new();
            let text = report.text("s.toml", format!("{base}[variants.v]\n{variant}\n"));
            let mut root = parse(&mut report, text);
            apply(&mut report, &mut root, &Overrides { variant: Some("v".into()), set: Vec::new() });
            assert!(!report.failed(), "{report}");
            let s = root.get("stimuli").unwrap().get("s").unwrap();
            assert_eq!(s.get(path).unwrap().to_toml(), wanted);
        }
    }

    #[test]
    fn variants_add_tables_and_take_entries_away() {
        let mut report = Report::new();
        let text = "[stimuli.drive]\nkind = \"constant\"\n[expect.rate]\nmin = 1\n[variants.kicked]\n\
                    \"stimuli.drive\" = false\n\"expect.rate\" = false\n\"stimuli.kick\" = { kind = \"poisson\" }\n\
                    [variants.wrong]\n\"stimuli.driev\" = false\n";
        let text = report.text("s.toml", text);
        let mut root = parse(&mut report, text);
        let variant = |name: &str| Overrides { variant: Some(name.into()), set: vec![] };
        apply(&mut report, &mut root, &variant("kicked"));
        assert!(!report.failed(), "{report}");
        let names = |root: &Node, table: &str| -> Vec<String> {
            root.get(table).and_then(Node::entries).unwrap_or_default().iter().map(|e| e.key.clone()).collect()
        };
        assert_eq!((names(&root, "stimuli"), names(&root, "expect")), (vec!["kick".to_owned()], vec![]));
        apply(&mut report, &mut root, &variant("wrong"));
        assert!(report.to_string().contains("there is no `driev` in `stimuli`"), "{report}");
    }
}
