//! Overrides: variants, `--set PATH=VALUE` and sweep points change the tree before it is understood.

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

/// Tables whose entries are named by the author: a path to a value may not invent a new entry there; a whole table may
/// be added, and `false` takes an entry away.
const NAMED: [&str; 9] =
    ["populations", "projections", "stimuli", "record", "analyses", "expect", "models", "receptors", "variants"];
/// All tables at the top of a scenario that a path may lead into.
const ROOTS: [&str; 12] = [
    "simulation",
    "populations",
    "projections",
    "stimuli",
    "record",
    "analyses",
    "expect",
    "models",
    "receptors",
    "sweep",
    "title",
    "description",
];

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
    NAMED.iter().flat_map(|table| of(table)).collect()
}

/// Both `"populations.exc.size" = 5` and `populations.exc.size = 5` are understood inside a variant.
fn flatten(
    path: &str,
    place: &SourceSpan,
    value: &Node,
    known: &[String],
    visit: &mut dyn FnMut(&str, &SourceSpan, &Node),
) {
    match value.entries() {
        Some(entries)
            if entries.iter().all(|e| !DISTRIBUTIONS.contains(&e.key.as_str()))
                && !path.contains('.')
                && ROOTS.contains(&path) =>
        {
            for e in entries {
                let below = format!("{path}.{}", e.key);
                if NAMED.contains(&path) && !known.contains(&below) && is_entry(&e.value) {
                    visit(&below, &e.place, &e.value);
                } else {
                    deepen(&below, &e.place, &e.value, visit);
                }
            }
        }
        _ => visit(path, place, value),
    }
}

/// Whether a table says what only a whole entry says, so that it is a new one and not a change to one with another
/// name.
fn is_entry(value: &Node) -> bool {
    const MARKS: [&str; 8] = ["kind", "model", "from", "metric", "equations", "spikes", "traces", "connections"];
    value.entries().is_some_and(|list| list.iter().any(|e| MARKS.contains(&e.key.as_str())))
}

/// Words that make a table a value rather than a path.
const DISTRIBUTIONS: [&str; 9] =
    ["uniform", "normal", "lognormal", "gamma", "values", "linspace", "rule", "kind", "grid"];

fn deepen(path: &str, place: &SourceSpan, value: &Node, visit: &mut dyn FnMut(&str, &SourceSpan, &Node)) {
    match value.entries() {
        Some(entries) if !entries.is_empty() && entries.iter().all(|e| !DISTRIBUTIONS.contains(&e.key.as_str())) => {
            for e in entries {
                deepen(&format!("{path}.{}", e.key), &e.place, &e.value, visit);
            }
        }
        _ => visit(path, place, value),
    }
}

/// The segments of a path; quoted ones may hold dots.
fn segments(path: &str) -> Vec<String> {
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
    let of_the_file = parts.len() == 1 && ["title", "description"].contains(&parts[0].as_str());
    if parts.iter().any(String::is_empty) || (parts.len() < 2 && !of_the_file) {
        report.error_help(
            place,
            format!("`{path}` is no path to a value"),
            "a path names tables and a key: `populations.exc.parameters.tau_m`",
        );
        return false;
    }
    if !ROOTS.contains(&parts[0].as_str()) {
        report.error_help(
            place,
            format!("a scenario has no table `{}`", parts[0]),
            suggest(&parts[0], ROOTS.iter().copied()),
        );
        return false;
    }
    if NAMED.contains(&parts[0].as_str()) {
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
fn is_entry_path(parts: &[String]) -> bool {
    parts.len() == 2 && NAMED.contains(&parts[0].as_str()) && !parts[1].is_empty()
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
