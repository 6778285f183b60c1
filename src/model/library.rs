//! The models, receptors, channels and plasticity rules that are built in: the files of `data/`, embedded, understood
//! when first asked for.

use std::sync::{Arc, OnceLock};

use spikedeck_data::{CHANNELS, MODELS, MORPHOLOGIES, PLASTICITY, RECEPTORS};

use super::report::Report;
use super::{Definition, DefinitionKind, document, read_definition};

/// The text of a built-in morphology by the name of its file.
pub fn morphology(file: &str) -> Option<&'static str> {
    MORPHOLOGIES.get_file(file).and_then(|f| f.contents_utf8())
}

/// File names of the built-in morphologies.
pub fn morphologies() -> Vec<&'static str> {
    let cells = MORPHOLOGIES.files().filter(|f| f.path().extension().is_some_and(|e| e == "swc"));
    cells.filter_map(|f| f.path().file_name()?.to_str()).collect()
}

/// Models, receptors and plasticity rules by name.
#[derive(Debug, Default)]
pub struct Library {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    kind: DefinitionKind,
    name: String,
    text: &'static str,
    read: OnceLock<Result<Arc<Definition>, Report>>,
}

impl Entry {
    fn definition(&self) -> &Result<Arc<Definition>, Report> {
        self.read.get_or_init(|| {
            let mut report = Report::new();
            let text = report.text(format!("data/{}/{}.toml", self.kind.table(), self.name), self.text);
            let node = document::parse(&mut report, text);
            match read_definition(&mut report, &node, self.kind, &self.name) {
                Some(definition) if !report.failed() => Ok(Arc::new(definition)),
                _ => Err(report),
            }
        })
    }
}

/// The built-in library.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut entries = Vec::new();
        for (kind, folder) in [
            (DefinitionKind::Model, &MODELS),
            (DefinitionKind::Receptor, &RECEPTORS),
            (DefinitionKind::Channel, &CHANNELS),
            (DefinitionKind::Plasticity, &PLASTICITY),
        ] {
            for file in folder.files() {
                if let (Some(stem), Some(text)) =
                    (file.path().file_stem().and_then(|s| s.to_str()), file.contents_utf8())
                {
                    entries.push(Entry { kind, name: stem.to_owned(), text, read: OnceLock::new() });
                }
            }
        }
        entries.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        Library { entries }
    })
}

impl Library {
    /// Names of one kind, sorted.
    pub fn names(&self, kind: DefinitionKind) -> Vec<&str> {
        self.entries.iter().filter(|e| e.kind == kind).map(|e| e.name.as_str()).collect()
    }

    /// Whether there is one of this kind and name.
    pub fn has(&self, kind: DefinitionKind, name: &str) -> bool {
        self.entries.iter().any(|e| e.kind == kind && e.name == name)
    }

    /// The definition of this kind and name.
    pub fn get(&self, kind: DefinitionKind, name: &str) -> Option<Arc<Definition>> {
        self.entries.iter().find(|e| e.kind == kind && e.name == name)?.definition().as_ref().ok().cloned()
    }

    /// The text of the file of this kind and name.
    pub fn text(&self, kind: DefinitionKind, name: &str) -> Option<&'static str> {
        self.entries.iter().find(|e| e.kind == kind && e.name == name).map(|e| e.text)
    }

    /// What is wrong with the built-in files (nothing, as a test holds).
    pub fn problems(&self) -> Vec<&Report> {
        self.entries.iter().filter_map(|e| e.definition().as_ref().err()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_file_is_sound_and_complete() {
        let lib = library();
        let broken: Vec<String> = lib.problems().into_iter().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        assert!(lib.names(DefinitionKind::Model).len() >= 20 && lib.names(DefinitionKind::Receptor).len() >= 9);
        for kind in DefinitionKind::ALL {
            for name in lib.names(kind) {
                let d = lib.get(kind, name).unwrap();
                for (what, text) in [
                    ("summary", &d.summary),
                    ("description", &d.description),
                    ("mathematics", &d.mathematics),
                    ("relevance", &d.relevance),
                    ("applications", &d.applications),
                ] {
                    assert!(!text.is_empty(), "{name} lacks {what}");
                }
                assert!(!d.references.is_empty(), "{name} lacks references");
                for p in &d.parameters {
                    assert!(!p.about.is_empty(), "{name}: parameter {} lacks its meaning", p.name);
                }
            }
        }
    }
}
