//! Names of models and receptors → definitions: inline, then beside the scenario, then built in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::FileUse;
use super::resolver::{Resolver, suggest};
use spikedeck_equation::TimeUnit;
use spikedeck_model::document::{Entry, Node, parse};
use spikedeck_model::report::SourceSpan;
use spikedeck_model::{Definition, DefinitionKind, read_definition};
use spikedeck_signal::TimeBase;

/// Models and receptors defined in the scenario itself, and those found beside it.
#[derive(Debug, Default)]
pub(super) struct OwnModels {
    inline: BTreeMap<(DefinitionKind, String), Option<Arc<Definition>>>,
    beside: BTreeMap<(DefinitionKind, String), Option<Arc<Definition>>>,
}

impl OwnModels {
    /// Reads `[models.NAME]` or `[receptors.NAME]`.
    pub fn read(&mut self, resolver: &mut Resolver<'_>, node: &Node, kind: DefinitionKind) {
        let Some(entries) = node.entries() else {
            resolver.error(
                &node.place,
                format!("`{}` holds one table a {}, not {}", kind.table(), kind.word(), node.what()),
            );
            return;
        };
        for e in entries {
            if resolver.library.has(kind, &e.key) {
                resolver.error_help(
                    &e.place,
                    format!(
                        "`{}` is the name of a built-in {}; hiding it would change what readers understand",
                        e.key,
                        kind.word()
                    ),
                    format!("choose another name, such as `my_{}`", e.key),
                );
            }
            let definition = read_definition(&mut resolver.report, &e.value, kind, &e.key).map(Arc::new);
            self.inline.insert((kind, e.key.clone()), definition);
        }
    }

    /// Looks a name up: inline, then beside the scenario, then built in. An unknown name is reported at `place`.
    pub fn find(
        &mut self,
        resolver: &mut Resolver<'_>,
        kind: DefinitionKind,
        name: &str,
        place: &SourceSpan,
    ) -> Option<Arc<Definition>> {
        let key = (kind, name.to_owned());
        if let Some(found) = self.inline.get(&key) {
            return found.clone();
        }
        if let Some(found) = self.beside.get(&key) {
            return found.clone();
        }
        if let Some(found) = Self::find_beside(resolver, kind, name, place) {
            self.beside.insert(key, found.clone());
            return found;
        }
        if let Some(found) = resolver.library.get(kind, name) {
            return Some(found);
        }
        let mut names = resolver.library.names(kind);
        names.extend(self.inline.keys().filter(|(k, _)| *k == kind).map(|(_, n)| n.as_str()));
        let help = suggest(name, names.iter().copied());
        resolver.error_help(place, format!("there is no {} `{name}`", kind.word()), help);
        None
    }

    /// `Some` when there is such a file beside the scenario (the inner value is `None` when it is wrong).
    fn find_beside(
        resolver: &mut Resolver<'_>,
        kind: DefinitionKind,
        name: &str,
        place: &SourceSpan,
    ) -> Option<Option<Arc<Definition>>> {
        let simple = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        let path = resolver.folder.as_ref().filter(|_| simple)?.join(format!("{name}.toml"));
        let content = match resolver.files.text(&path) {
            Ok(content) => content?,
            Err(error) => {
                resolver.error(place, error.to_string());
                return Some(None);
            }
        };
        if !is_model(&content) {
            return None;
        }
        resolver.uses(FileUse::of(&path, content.as_bytes()));
        if resolver.library.has(kind, name) {
            resolver.error_help(
                place,
                format!("{} hides the built-in {} `{name}`", path.display(), kind.word()),
                "give the file another name, and use that name here",
            );
            return Some(None);
        }
        let text = resolver.report.text(path.display().to_string(), content.as_str());
        let node = parse(&mut resolver.report, text);
        Some(read_definition(&mut resolver.report, &node, kind, name).map(Arc::new))
    }
}

/// Whether a file beside a scenario is a model, and not a scenario or something else of that name: a table with
/// `equations` at its top and no `simulation`. Of a file that is no TOML the lines before the first table count, so
/// that a model with a slip in it is not passed over.
fn is_model(content: &str) -> bool {
    match content.parse::<toml::Table>() {
        Ok(table) => table.contains_key("equations") && !table.contains_key("simulation"),
        Err(_) => {
            let mut top = content.lines().map(str::trim_start).take_while(|l| !l.starts_with('['));
            top.any(|l| l.strip_prefix("equations").is_some_and(|rest| rest.trim_start().starts_with('=')))
        }
    }
}

/// The time base that the models of all populations agree on; disagreement is reported.
pub(super) fn time_base(resolver: &mut Resolver<'_>, models: &[(&Entry, Option<Arc<Definition>>)]) -> TimeBase {
    let mut found: Option<(TimeBase, String)> = None;
    for (entry, model) in models {
        // Without equations time means whatever it means to the others.
        let Some(model) = model.as_ref().filter(|m| !m.system.plays()) else { continue };
        let base = if model.system.time_unit() == TimeUnit::Dimensionless {
            TimeBase::Dimensionless
        } else {
            TimeBase::Milliseconds
        };
        match &found {
            Some((first, name)) if *first != base => resolver.error_help(
                &entry.place,
                format!(
                    "population `{}` and population `{name}` cannot share a time axis: one model is dimensionless, \
                     the other is not",
                    entry.key
                ),
                "run them in two scenarios and compare the results",
            ),
            Some(_) => {}
            None => found = Some((base, entry.key.clone())),
        }
    }
    found.map_or(TimeBase::Milliseconds, |f| f.0)
}
