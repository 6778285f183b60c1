//! The scenarios that are built in: the files of `scenarios/` and its folders, embedded.

use std::sync::OnceLock;

use spikedeck_data::{Dir, File, SCENARIOS};

/// A built-in scenario, as far as lists and previews need it (the file is parsed when it is loaded).
#[derive(Debug, Clone)]
pub struct BuiltIn {
    /// Name: the file's stem.
    pub name: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Names of its variants.
    pub variants: Vec<String>,
    /// The file's text.
    pub text: &'static str,
}

/// All built-in scenarios, sorted by name.
pub fn built_in() -> &'static [BuiltIn] {
    static LIST: OnceLock<Vec<BuiltIn>> = OnceLock::new();
    LIST.get_or_init(|| {
        let mut list: Vec<BuiltIn> = files(&SCENARIOS)
            .into_iter()
            .filter(|f| f.path().extension().is_some_and(|e| e == "toml"))
            .filter_map(|f| Some(describe(f.path().file_stem()?.to_str()?, f.contents_utf8()?)))
            .collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    })
}

/// The files of a folder and of the folders in it.
fn files<'a>(folder: &'a Dir<'a>) -> Vec<&'a File<'a>> {
    folder.files().chain(folder.dirs().flat_map(files)).collect()
}

/// The built-in scenario of this name.
pub fn find_built_in(name: &str) -> Option<&'static BuiltIn> {
    built_in().iter().find(|s| s.name == name)
}

fn describe(name: &str, text: &'static str) -> BuiltIn {
    let parsed = text.parse::<toml::Table>();
    let table = parsed.unwrap_or_else(|e| unreachable!("the built-in scenario {name} is TOML: {e}"));
    let string = |key: &str| table.get(key).and_then(toml::Value::as_str).unwrap_or("").trim().to_owned();
    let tags = table
        .get("tags")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|t| t.as_str().map(str::to_owned))
        .collect();
    let variants =
        table.get("variants").and_then(toml::Value::as_table).into_iter().flatten().map(|(k, _)| k.clone()).collect();
    BuiltIn { name: name.to_owned(), title: string("title"), description: string("description"), tags, variants, text }
}
