//! Overrides: variants, `--set PATH=VALUE` and sweep points change the tree before it is understood.

use super::SCENARIO;
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
fn is_named(key: &Key) -> bool {
    matches!(key.takes, Takes::Named(_) | Takes::NamedOne(_) | Takes::Analyses)
}

/// Applies the variant and the settings to `root`; gives path and TOML text of each in the order applied.
pub(super) fn apply(report: &mut Report, root: &mut Node, overrides: &Overrides) -> Vec<(String, String)> {
    let mut applied = Vec::new();
    if let Some(name) = &overrides.variant {
        let variants = root.get("variants").and_then(Node::entries).unwrap_or_default().to_vec();
        match variants.iter().find(|v| v.key == *name) {
            Some(variant) => {
                let known = entries_of(root);
                for e in variant.value.entries().unwrap_or_default() {
                    flatten(&e.key, &e.place, &e.value, &known, &mut |path, place, value| {
                        applied.push((path.to_owned(), value.to_toml()));
                        set(report, root, path, place, value.clone());
                    });
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
        applied.push((path.clone(), node.to_toml()));
        set(report, root, path, &place, node);
    }
    applied
}

/// Paths of the entries that the author has named: `populations.exc`.
fn entries_of(root: &Node) -> Vec<String> {
    let of = |table: &str| -> Vec<String> {
        root.get(table)
            .and_then(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|e| format!("{table}.{}", e.key))
            .collect()
    };
    tables().into_iter().filter(|table| part(table).is_some_and(is_named)).flat_map(of).collect()
}

/// Both `"populations.exc.size" = 5` and `populations.exc.size = 5` are understood inside a variant.
fn flatten(
    path: &str,
    place: &SourceSpan,
    value: &Node,
    known: &[String],
    visit: &mut dyn FnMut(&str, &SourceSpan, &Node),
) {
    let table = part(path).filter(|key| is_table(key));
    let (Some(entries), Some(table)) = (value.entries(), table) else {
        return visit(path, place, value);
    };
    for e in entries {
        let below = format!("{path}.{}", e.key);
        if is_named(table) && !known.contains(&below) && is_entry(table, &e.value) {
            visit(&below, &e.place, &e.value);
        } else {
            let takes = match table.takes {
                Takes::Table(_) => inside(table.takes, &e.key),
                Takes::Named(section) => Some(Takes::Table(section)),
                entries => Some(entries),
            };
            deepen(&below, &e.place, &e.value, takes, visit);
        }
    }
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

fn deepen(
    path: &str,
    place: &SourceSpan,
    value: &Node,
    takes: Option<Takes>,
    visit: &mut dyn FnMut(&str, &SourceSpan, &Node),
) {
    match value.entries() {
        Some(entries) if !entries.is_empty() && !is_value(takes, entries) => {
            for e in entries {
                deepen(&format!("{path}.{}", e.key), &e.place, &e.value, takes.and_then(|t| inside(t, &e.key)), visit);
            }
        }
        _ => visit(path, place, value),
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

fn set(report: &mut Report, root: &mut Node, path: &str, place: &SourceSpan, value: Node) {
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
        let applied = apply(&mut report, &mut root, &o);
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
