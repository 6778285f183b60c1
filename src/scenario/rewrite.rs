//! A scenario file with values put in where they belong, everything else as its author left it: order, comments, blank
//! lines.

use toml_edit::{DocumentMut, InlineTable, Item, TableLike, Value};

use super::overrides::{is_entry_path, segments};

/// The text of a scenario with `set` (path and TOML text, as `--set` takes them) written into it, comments kept.
///
/// # Errors
/// One sentence where the text is no TOML or a path leads through a value.
pub fn rewritten(text: &str, set: &[(String, String)]) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|e| format!("the scenario is no TOML: {e}"))?;
    for (path, value) in set {
        put(&mut document, path, value)?;
    }
    Ok(document.to_string())
}

fn put(document: &mut DocumentMut, path: &str, text: &str) -> Result<(), String> {
    let parts = segments(path);
    // As where overrides are read: what is no TOML value is a string without its quotes.
    let value = text.parse::<Value>().unwrap_or_else(|_| Value::from(text));
    let Some((last, before)) = parts.split_last() else { return Ok(()) };
    let mut table: &mut dyn TableLike = document.as_table_mut();
    let mut is_inline = false;
    for (depth, part) in before.iter().enumerate() {
        if !table.contains_key(part) {
            // Tables of the scenario have headings, what is inside them is short.
            let new = if depth == 0 { toml_edit::table() } else { Value::from(InlineTable::new()).into() };
            insert(table, is_inline, part, new);
        }
        is_inline = matches!(table.get(part), Some(Item::Value(_)));
        let inside = table.get_mut(part).and_then(Item::as_table_like_mut);
        table =
            inside.ok_or_else(|| format!("`{}` is a value, so `{path}` leads nowhere", parts[..=depth].join(".")))?;
    }
    // What is not there is made by a circuit; `false` in its place takes it away.
    if is_entry_path(&parts) && value.as_bool() == Some(false) && table.contains_key(last) {
        table.remove(last);
        return Ok(());
    }
    match table.get_mut(last) {
        Some(Item::Value(old)) => {
            // What stands around it is the author's: white space, and a comment behind it.
            let around = old.decor().clone();
            *old = value;
            *old.decor_mut() = around;
        }
        Some(_) => {
            table.remove(last);
            insert(table, is_inline, last, value.into());
        }
        None => insert(table, is_inline, last, value.into()),
    }
    Ok(())
}

/// Puts a new key behind the others of a table. In `{ a = 1 }` the blank before the brace stays there.
fn insert(table: &mut dyn TableLike, is_inline: bool, key: &str, item: Item) {
    let ends = table.iter().last().map(|(name, _)| name.to_owned());
    let last = ends.and_then(|name| table.get_mut(&name).and_then(Item::as_value_mut).map(Value::decor_mut));
    let suffix = last.and_then(|decor| {
        let suffix = decor.suffix().and_then(|s| s.as_str()).filter(|s| s.chars().all(|c| c == ' '))?.to_owned();
        decor.set_suffix("");
        Some(suffix)
    });
    table.insert(key, item);
    if let Some(value) = table.get_mut(key).and_then(Item::as_value_mut) {
        value.decor_mut().set_prefix(" ");
        let first = if is_inline { " " } else { "" };
        value.decor_mut().set_suffix(suffix.unwrap_or_else(|| first.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, NoFiles, Overrides, Spec, built_in, load};
    use spikedeck_model::library;

    fn set(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(p, v)| ((*p).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn comments_order_and_blanks_stay() {
        let text = "\
# what it is about
[simulation]
duration = \"2 s\"   # long enough
dt = \"0.1 ms\"

[populations.exc]    # the cells
model = \"lif\"
parameters = { tau_m = \"20 ms\", V_th = \"-50 mV\" } # of the first

[stimuli.kick]
# once
kind = \"step\"
";
        let changed = rewritten(
            text,
            &set(&[
                ("simulation.duration", "4 s"),
                ("populations.exc.parameters.tau_m", "\"30 ms\""),
                ("populations.exc.parameters.t_ref", "5 ms"),
                ("populations.exc.size", "3"),
                ("populations.exc.initial.V_m", "{ uniform = [\"-60 mV\", \"-50 mV\"] }"),
                ("stimuli.kick", "false"),
                ("sweep.axes.\"populations.exc.size\"", "[1, 2]"),
            ]),
        )
        .unwrap();
        assert_eq!(
            changed,
            "\
# what it is about
[simulation]
duration = \"4 s\"   # long enough
dt = \"0.1 ms\"

[populations.exc]    # the cells
model = \"lif\"
parameters = { tau_m = \"30 ms\", V_th = \"-50 mV\", t_ref = \"5 ms\" } # of the first
size = 3
initial = { V_m = { uniform = [\"-60 mV\", \"-50 mV\"] } }

[sweep]
axes = { \"populations.exc.size\" = [1, 2] }
"
        );
        let wrong = rewritten(text, &set(&[("simulation.dt.x", "1")])).unwrap_err();
        assert_eq!(wrong, "`simulation.dt` is a value, so `simulation.dt.x` leads nowhere");
    }

    /// A file that was written with the changes in it is the scenario with the changes: every variant of every shipped
    /// scenario, and every comment outside of what was taken away.
    #[test]
    fn a_rewritten_variant_is_that_variant() {
        let read = |text: &str, variant: Option<&str>| -> Option<Spec> {
            let overrides = Overrides { variant: variant.map(str::to_owned), set: Vec::new() };
            load(text, None, "s", &overrides, library(), &Catalog::default(), &NoFiles).ok().map(|read| read.0)
        };
        let mut tried = 0;
        for scenario in built_in() {
            // Analyses and files are of other rooms; without them most can be read here.
            let Ok(mut document) = scenario.text.parse::<DocumentMut>() else { panic!("{}", scenario.name) };
            for table in ["analyses", "expect"] {
                document.remove(table);
                for (_, variant) in document
                    .get_mut("variants")
                    .and_then(|v| v.as_table_like_mut())
                    .into_iter()
                    .flat_map(|t| t.iter_mut())
                {
                    let Some(variant) = variant.as_table_like_mut() else { continue };
                    let keys: Vec<String> = variant.iter().map(|(k, _)| k.to_owned()).collect();
                    keys.iter().filter(|k| k.starts_with(table)).for_each(|k| drop(variant.remove(k)));
                }
            }
            let text = document.to_string();
            for name in &scenario.variants {
                let Some(variant) = read(&text, Some(name)) else { continue };
                let changed = rewritten(&text, &variant.overrides).unwrap();
                let again = read(&changed, None).unwrap_or_else(|| panic!("{}:{name}\n{changed}", scenario.name));
                assert_eq!(again.canonical, variant.canonical, "{}:{name}\n{changed}", scenario.name);
                if !variant.overrides.iter().any(|(_, value)| value == "false") {
                    let comments = |text: &str| text.matches("# ").count();
                    assert_eq!(comments(&changed), comments(&text), "{}:{name}\n{changed}", scenario.name);
                }
                tried += 1;
            }
        }
        assert!(tried > 50, "{tried} variants");
    }
}
