//! The page of all keys, generated from the declarations.

use std::fmt::Write as _;

use super::{Family, Key, Section, Takes, WordOf};
use crate::catalog::Catalog;
use spikedeck_model::morphology::swc::SWC;
use spikedeck_signal::{FileColumns, Metric};

/// The page of all keys of a scenario, in Markdown: every section and kind, every key with what it takes, what holds
/// without it, its bounds and its meaning, every word; the analyses and integrators of `catalog`; the columns of the
/// files that scenarios name, and of `files`.
pub fn reference(catalog: &Catalog, files: &[&'static FileColumns]) -> String {
    let mut page = Page { out: String::new(), seen: Vec::new(), files: Vec::new(), catalog };
    page.out.push_str(OPENING);
    page.section("A distribution", 3, &crate::distribution::DISTRIBUTIONS);
    page.heading("A scenario file", 2);
    page.line(crate::SCENARIO.about);
    page.table(crate::SCENARIO.keys);
    for key in crate::SCENARIO.keys {
        page.inside(&key.takes, key.name, 2);
    }
    page.heading("Integrators", 2);
    page.words(&mut crate::Integrator::LIST.iter().map(|&(_, name, about)| WordOf { name, about }));
    page.heading("Files", 2);
    page.line("Parquet or CSV; a column is found under any of its names.");
    let named = std::mem::take(&mut page.files);
    for columns in named.into_iter().chain(files.iter().copied()) {
        page.columns(columns);
    }
    page.heading("What is measured", 2);
    page.line("The columns of `metrics` tables, after the seed and the axes of a sweep; JSON has the same names.");
    let _ = writeln!(page.out, "| Column | Meaning |\n|---|---|");
    for column in Metric::COLUMNS {
        let _ = writeln!(page.out, "| `{}` | {} |", column.name, column.about);
    }
    page.out
}

const OPENING: &str = "# Every key of a scenario

This page is generated from the declarations by which scenarios are read (`spikedeck list keys` prints it);
`spikedeck explain NAME` shows a part of it, `spikedeck schema` gives the same to editors.

- A **quantity** is a string with its unit, `\"20 ms\"`; a plain number where there is no unit. Where all models are \
dimensionless
  (`time_unit = \"1\"`), times and frequencies are plain numbers.
- A **value** is a quantity, an expression in quotes (`\"E_L + i*[0.1 mV]\"`, in `i`, `N`, and `x`, `y`, `z` where \
units have places),
  or a distribution: one for all, or one for each unit or connection.
- *Without it* says what holds when a key is left out.
- Parameters of models, receptors, channels and rules are on their cards: `spikedeck explain lif`.

## Values

";

/// The page while it is written.
struct Page<'a> {
    out: String,
    /// Sections that stand there already, by address: one that several keys take is written once.
    seen: Vec<*const Section>,
    /// Files that keys name.
    files: Vec<&'static FileColumns>,
    catalog: &'a Catalog,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}\n");
    }

    /// Lines to copy.
    fn code(&mut self, lines: &[String]) {
        if !lines.is_empty() {
            self.line(&format!("```toml\n{}\n```", lines.join("\n")));
        }
    }

    fn heading(&mut self, text: &str, level: usize) {
        let _ = writeln!(self.out, "{} {text}\n", "#".repeat(level));
    }

    /// A table of keys, and the meanings of their words.
    fn table(&mut self, keys: &[Key]) {
        if keys.is_empty() {
            return;
        }
        self.out.push_str("| Key | Takes | Without it | Bounds | Meaning |\n|---|---|---|---|---|\n");
        for key in keys {
            let cells = [key.takes.words(), key.without(), key.bounds_in_words(), key.about.to_owned()]
                .map(|c| c.replace('|', "\\|"));
            let _ = writeln!(self.out, "| `{}` | {} |", key.name, cells.join(" | "));
        }
        self.out.push('\n');
        for key in keys {
            if let Takes::Choice(words) | Takes::Choices(words) = key.takes {
                self.line(&format!("Words of `{}`:", key.name));
                self.words(&mut words.iter().copied());
            }
        }
    }

    fn words(&mut self, words: &mut dyn Iterator<Item = WordOf>) {
        for word in words {
            let _ = writeln!(self.out, "- `{}`: {}", word.name, word.about);
        }
        self.out.push('\n');
    }

    /// A section and what its keys hold.
    fn section(&mut self, title: &str, level: usize, section: &Section) {
        let address = std::ptr::from_ref(section);
        if self.seen.contains(&address) {
            return;
        }
        self.seen.push(address);
        self.heading(title, level);
        self.line(&sentence(section.about));
        if section.only_one {
            self.line("Exactly one of:");
        }
        self.table(section.keys);
        if let Some(others) = section.others {
            self.line(&format!("And {}: {}.", others.about, others.takes.words()));
        }
        self.code(&section.example());
        for key in section.keys {
            self.inside(&key.takes, key.name, level + 1);
        }
    }

    /// The kinds of a family.
    fn family(&mut self, title: &str, level: usize, family: &Family) {
        if family.kinds.iter().chain(family.others).any(|k| self.seen.contains(&std::ptr::from_ref(*k))) {
            return;
        }
        self.heading(title, level);
        self.line(&sentence(family.about));
        self.table(family.common);
        for kind in family.kinds.iter().chain(family.others) {
            self.seen.push(std::ptr::from_ref(*kind));
            self.heading(&format!("`{}`", kind.name), level + 1);
            self.line(&sentence(kind.about));
            self.table(kind.keys);
            self.code(&family.example(kind));
        }
        for kind in family.kinds.iter().chain(family.others) {
            for key in kind.keys {
                self.inside(&key.takes, key.name, level + 1);
            }
        }
    }

    /// What tables a key takes.
    fn inside(&mut self, takes: &Takes, path: &str, level: usize) {
        let named = |path: &str| if level == 2 { format!("`[{path}.NAME]`") } else { format!("`{path}.NAME`") };
        let one = |path: &str| if level == 2 { format!("`[{path}]`") } else { format!("`{path}`") };
        match *takes {
            Takes::Table(section) => self.section(&one(path), level, section),
            Takes::Tables(section) => self.section(&format!("`{path}` (a list)"), level, section),
            Takes::Named(section) => self.section(&named(path), level, section),
            Takes::One(family) => self.family(&one(path), level, family),
            Takes::NamedOne(family) => self.family(&named(path), level, family),
            Takes::File(columns) => self.files.push(columns),
            Takes::Morphology => self.files.push(&SWC),
            Takes::Analyses => self.analyses(&named(path), level),
            Takes::Either(list) => list.iter().for_each(|t| self.inside(t, path, level)),
            Takes::Open(others) => self.inside(&others.takes, path, level),
            Takes::Quantity(_)
            | Takes::Value(_)
            | Takes::Quantities(..)
            | Takes::Matrix(_)
            | Takes::Whole
            | Takes::Wholes(..)
            | Takes::Flag
            | Takes::Text(_)
            | Takes::Texts(_)
            | Takes::OneOrMore(_)
            | Takes::Choice(_)
            | Takes::Words(_)
            | Takes::Choices(_)
            | Takes::Bare(_)
            | Takes::Integrator
            | Takes::Definition(_)
            | Takes::KindOf
            | Takes::Units
            | Takes::Anything(_) => (),
        }
    }

    /// The analyses of the catalog.
    fn analyses(&mut self, title: &str, level: usize) {
        self.heading(title, level);
        self.line("What is measured. `spikedeck explain NAME` says what each assumes, its bias, and when it lies.");
        let catalog = self.catalog;
        for declaration in catalog.analyses.values() {
            self.heading(&format!("`{}`", declaration.kind), level + 1);
            self.table(&crate::analysis::keys(declaration));
        }
    }

    /// A kind of file.
    fn columns(&mut self, columns: &FileColumns) {
        let mut title = columns.name.to_owned();
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        self.heading(&title, 3);
        self.line(&sentence(columns.about));
        self.out.push_str("| Column | Unit | Needed | Meaning |\n|---|---|---|---|\n");
        for column in columns.columns {
            let with_unit = (!column.ending.is_empty()).then(|| format!("`{}`", column.recommended()));
            let names: Vec<String> =
                with_unit.into_iter().chain(column.names.iter().map(|n| format!("`{n}`"))).collect();
            let needed = if column.required { "yes" } else { "no" };
            let _ = writeln!(self.out, "| {} | {} | {needed} | {} |", names.join(", "), column.unit, column.about);
        }
        self.out.push('\n');
        match columns.others {
            Some(others) => self.line(&format!("And {others}.")),
            None => self.line("Other columns have no meaning here."),
        }
    }
}

/// A meaning as a sentence.
fn sentence(about: &str) -> String {
    let mut chars = about.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if about.ends_with(['.', ':']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}
