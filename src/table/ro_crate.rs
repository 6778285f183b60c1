//! `ro-crate-metadata.json`: the folder of a run as archives and search engines read it, RO-Crate 1.1 (Soiland-Reyes et
//! al. 2022, doi:10.3233/DS-210053): which files there are, and that this program made them of which scenario.

use std::path::Path;

use serde_json::{Value, json};

use super::claim::SCENARIO;
use super::error::TableError;
use super::kept;
use super::manifest::{self, Manifest};
use spikedeck_run::Status;
use spikedeck_store as store;

/// Name of the file.
pub(super) const FILE: &str = "ro-crate-metadata.json";

/// Writes it into the folder of a run whose tables are written, and takes it down in the manifest, which is not yet.
pub(super) fn write(folder: &Path, manifest: &mut Manifest) -> Result<(), TableError> {
    let path = folder.join(FILE);
    let sizes = |file: &str| std::fs::metadata(folder.join(file)).ok().map(|m| m.len());
    let text = serde_json::to_string_pretty(&graph(manifest, &sizes))
        .map_err(|e| TableError::io(&path, std::io::Error::other(e)))?;
    store::write_text(&path, &(text + "\n"))?;
    manifest.has_crate = true;
    manifest.checksums.insert(FILE.to_owned(), manifest::sha256_of(&path)?);
    Ok(())
}

/// What is not as the run wrote it, if the run wrote it and took that down.
pub(super) fn damage(folder: &Path, manifest: &Manifest) -> Option<String> {
    let path = folder.join(FILE);
    let written = manifest.checksums.get(FILE).filter(|_| manifest.has_crate)?;
    match manifest::sha256_of(&path) {
        Ok(now) if now == *written => None,
        Ok(_) => Some(format!("{} was changed after the run wrote it", path.display())),
        Err(why) => Some(format!("what the run wrote is not there to be read: {why}")),
    }
}

/// Whether what stands in the folder of a run that `old` describes is as that wrote it, so that it may be written
/// anew: archives ask for licence and authors, which somebody fills in.
pub(super) fn may_be_written(folder: &Path, old: Option<&Manifest>) -> bool {
    let is_there = std::fs::symlink_metadata(folder.join(FILE)).is_ok();
    !is_there || old.is_some_and(|old| old.has_crate && damage(folder, old).is_none())
}

/// The graph of a run; `size` gives the bytes of a file, if it is there.
fn graph(manifest: &Manifest, size: &dyn Fn(&str) -> Option<u64>) -> Value {
    let copies = manifest.files.iter().flatten().filter_map(|f| f.copy.as_deref());
    let files = manifest.rows.keys().map(String::as_str).chain([SCENARIO]).chain(copies);
    let files = files.filter_map(|file| Some(entity(file, manifest, Some(size(file)?))));
    // The manifest holds this file's checksum: what it is itself is known afterwards.
    let files: Vec<Value> = files.chain([entity(manifest::FILE, manifest, None)]).collect();
    let program = format!("#spikedeck-{}", manifest.version);
    let mut graph = vec![
        json!({
            "@id": FILE,
            "@type": "CreativeWork",
            "about": { "@id": "./" },
            "conformsTo": { "@id": "https://w3id.org/ro/crate/1.1" },
        }),
        json!({
            "@id": "./",
            "@type": "Dataset",
            "name": title(manifest),
            "description": description(manifest),
            "datePublished": manifest.host.written,
            "identifier": manifest.scenario.hash,
            "hasPart": files.iter().map(|f| json!({ "@id": f["@id"] })).collect::<Vec<_>>(),
            "mentions": { "@id": "#run" },
        }),
        json!({
            "@id": program,
            "@type": "SoftwareApplication",
            "name": "spikedeck",
            "version": manifest.version,
            "softwareVersion": manifest.version,
        }),
        run(manifest, &program, &files),
    ];
    graph.extend(files);
    json!({ "@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph })
}

/// What happened: the program, the scenario, what came of it and how it ended.
fn run(manifest: &Manifest, program: &str, files: &[Value]) -> Value {
    let status = match manifest.status() {
        Status::Complete => "http://schema.org/CompletedActionStatus",
        Status::Interrupted | Status::Failed => "http://schema.org/FailedActionStatus",
    };
    let is_input = |f: &&Value| {
        let id = f["@id"].as_str().unwrap_or_default();
        id == SCENARIO || id.strip_prefix(kept::FOLDER).is_some_and(|rest| rest.starts_with('/'))
    };
    let inputs = files.iter().filter(is_input);
    let tables = files.iter().filter(|f| !is_input(f) && f["@id"] != manifest::FILE);
    json!({
        "@id": "#run",
        "@type": "CreateAction",
        "name": format!("run of {} with seed {}", manifest.label, manifest.seed),
        "instrument": { "@id": program },
        "object": inputs.map(|f| json!({ "@id": f["@id"] })).collect::<Vec<_>>(),
        "result": tables.map(|f| json!({ "@id": f["@id"] })).collect::<Vec<_>>(),
        "endTime": manifest.host.written,
        "actionStatus": status,
    })
}

/// A file.
fn entity(file: &str, manifest: &Manifest, bytes: Option<u64>) -> Value {
    let (format, what) = match file.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "parquet" => ("application/vnd.apache.parquet", "table"),
        "csv" => ("text/csv", "table"),
        "h5" => ("application/x-hdf5", "spikes in the layout of SONATA"),
        "toml" => ("application/toml", "what the run was made from"),
        "json" => ("application/json", "manifest: settings, integrators, checks, checksums of all tables"),
        _ => ("application/octet-stream", "what the run was made from"),
    };
    let what = match manifest.rows.get(file) {
        Some(rows) => format!("{what}, {}", spikedeck_core::number::counted(*rows as usize, "row", "rows")),
        None if file.starts_with("files/") => "file that the scenario was read from".to_owned(),
        None => what.to_owned(),
    };
    let mut entity = json!({
        // Names of analyses are letters of any script; identifiers are addresses.
        "@id": address(file),
        "@type": "File",
        "name": file,
        "description": what,
        "encodingFormat": format,
    });
    if let Some(bytes) = bytes {
        entity["contentSize"] = json!(bytes.to_string());
    }
    if let Some(sum) = manifest.checksums.get(file) {
        entity["sha256"] = json!(sum);
    }
    entity
}

/// A relative path as an address: what is no plain letter, digit or sign of paths in per cent.
fn address(file: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    file.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn title(manifest: &Manifest) -> String {
    let title = if manifest.scenario.title.is_empty() { &manifest.label } else { &manifest.scenario.title };
    if title.is_empty() { "run".to_owned() } else { title.clone() }
}

fn description(manifest: &Manifest) -> String {
    let points = manifest
        .points
        .map_or_else(String::new, |n| format!(", {}", spikedeck_core::number::counted(n, "point", "points")));
    format!(
        "{} ({}){points}: seed {}, spikedeck {}, {}",
        manifest.label, manifest.scenario.name, manifest.seed, manifest.version, manifest.status
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::FileEntry;
    use crate::manifest::Host;

    /// What a value refers to: objects of an identifier alone.
    fn references(value: &Value, found: &mut Vec<String>, is_entity: bool) {
        match value {
            Value::Object(fields) => {
                if let (false, Some(Value::String(id)), 1) = (is_entity, fields.get("@id"), fields.len()) {
                    found.push(id.clone());
                }
                fields.values().for_each(|v| references(v, found, false));
            }
            Value::Array(items) => items.iter().for_each(|v| references(v, found, false)),
            _ => {}
        }
    }

    /// What RO-Crate 1.1 asks for: the descriptor, a root with name, description and date, each part an entity of its
    /// own that the root names, and no reference that leads nowhere.
    #[test]
    fn every_reference_leads_to_an_entity() {
        let manifest = Manifest {
            status: "complete".into(),
            label: "demo".into(),
            version: "1.2.3".into(),
            rows: [("metrics.parquet".to_owned(), 3), ("analyses/Größe.parquet".to_owned(), 7)].into(),
            checksums: [("metrics.parquet".to_owned(), "ab".to_owned())].into(),
            files: Some(vec![
                FileEntry { copy: Some("files/cell.swc".into()), ..FileEntry::default() },
                FileEntry { copy: Some("files/cells.csv".into()), ..FileEntry::default() },
            ]),
            host: Host { written: "2026-01-01T00:00:00Z".into(), ..Host::default() },
            ..Manifest::default()
        };
        let crate_of = graph(&manifest, &|file| (file != SCENARIO).then_some(12));
        let entities = crate_of["@graph"].as_array().unwrap();
        let named: Vec<&str> = entities.iter().map(|e| e["@id"].as_str().unwrap()).collect();
        assert_eq!(named.iter().collect::<std::collections::BTreeSet<_>>().len(), named.len(), "{named:?}");
        let mut found = Vec::new();
        for e in entities {
            references(e, &mut found, true);
        }
        found.retain(|id| !id.starts_with("https://"));
        assert!(found.len() > 6, "{found:?}");
        assert!(found.iter().all(|id| named.contains(&id.as_str())), "{found:?} of {named:?}");
        // What went in, and what came out.
        let run = entities.iter().find(|e| e["@id"] == "#run").unwrap();
        let ids = |key: &str| -> Vec<&str> {
            run[key].as_array().unwrap().iter().map(|e| e["@id"].as_str().unwrap()).collect()
        };
        assert_eq!(ids("object"), ["files/cell.swc", "files/cells.csv"]);
        assert_eq!(ids("result"), ["analyses/Gr%C3%B6%C3%9Fe.parquet", "metrics.parquet"]);
        let root = entities.iter().find(|e| e["@id"] == "./").unwrap();
        for key in ["name", "description", "datePublished"] {
            assert!(!root[key].as_str().unwrap().is_empty(), "{key}");
        }
        assert!(named.contains(&"analyses/Gr%C3%B6%C3%9Fe.parquet") && !named.contains(&SCENARIO), "{named:?}");
        let metrics = entities.iter().find(|e| e["@id"] == "metrics.parquet").unwrap();
        assert_eq!((metrics["sha256"].as_str(), metrics["contentSize"].as_str()), (Some("ab"), Some("12")));
    }
}
