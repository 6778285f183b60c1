//! Files that are no scenarios, told in one line: what it is, and what can be done with it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use spikedeck_store::{self as store, FileKind, Format};

/// First bytes of files that people have, and what such a file is.
const KNOWN: &[(&[u8], &str)] = &[
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x7fELF", "a program"),
    (b"MATLAB", "a MATLAB file"),
];

/// As much of a file as tells what it is.
const BEGINNING: u64 = 1 << 16;

/// What `path`, a regular file, is if it is no scenario.
pub(super) fn what_else(path: &Path) -> Option<String> {
    let mut begin = Vec::new();
    File::open(path).ok()?.take(BEGINNING).read_to_end(&mut begin).ok()?;
    let shown = path.display();
    if begin.starts_with(b"PAR1") || Format::of(path).is_some() && !looks_like_toml(&begin) {
        let kind = if begin.starts_with(b"PAR1") { "a Parquet table" } else { "a table" };
        let columns = store::describe(path).map_or_else(|_| String::new(), |contents| columns_of(&contents));
        return Some(format!(
            "{shown} is {kind}{columns}, and a scenario is a TOML file; `spikedeck {shown}` opens it as a \
             recording, `spikedeck analyze {shown}` measures it, and stimuli and projections read such files (`file`, \
             `edges`)"
        ));
    }
    if let Some(kind @ (FileKind::Hdf5 | FileKind::Npy)) = FileKind::of(path) {
        let (what, how) = recorded(kind);
        return Some(format!(
            "{shown} is {what}, and a scenario is a TOML file; `spikedeck analyze {shown}{how}` measures it, and \
             stimuli read such files (`file`)"
        ));
    }
    what_it_is(&shown.to_string(), path.extension(), &begin)
}

/// What a recording that is no table is, and what `analyze` needs to be told of it.
fn recorded(kind: FileKind) -> (&'static str, &'static str) {
    if kind == FileKind::Npy { ("a NumPy array", " --rate \"1 kHz\"") } else { ("an HDF5 file (NWB, SONATA)", "") }
}

/// What came from standard input, if it is no scenario.
pub(super) fn what_else_came(shown: &str, bytes: &[u8]) -> Option<String> {
    if bytes.starts_with(b"PAR1") {
        return Some(format!("{shown} is a Parquet table, and a scenario is TOML; `spikedeck analyze -` measures it"));
    }
    if let kind @ (FileKind::Hdf5 | FileKind::Npy) = FileKind::of_bytes(bytes) {
        let (what, how) = recorded(kind);
        return Some(format!("{shown} is {what}, and a scenario is TOML; `spikedeck analyze -{how}` measures it"));
    }
    what_it_is(shown, None, &bytes[..bytes.len().min(BEGINNING as usize)])
}

/// The first columns of a table.
fn columns_of(contents: &store::Contents) -> String {
    let names: Vec<String> = contents.columns.iter().take(6).map(|n| shortened(n)).collect();
    let more = if contents.columns.len() > 6 { ", ..." } else { "" };
    format!(" of {}{more}", names.join(", "))
}

/// What bytes that begin so are, if they are no scenario.
fn what_it_is(shown: &str, extension: Option<&OsStr>, begin: &[u8]) -> Option<String> {
    if let Some((_, what)) = KNOWN.iter().find(|(first, _)| begin.starts_with(first)) {
        return Some(format!("{shown} is {what}, and a scenario is a TOML file"));
    }
    // A letter may be cut in two at the end of what was read.
    let whole = match std::str::from_utf8(begin) {
        Ok(text) => text,
        Err(e) if begin.len() as u64 == BEGINNING && e.valid_up_to() + 4 > begin.len() => {
            std::str::from_utf8(&begin[..e.valid_up_to()]).ok()?
        }
        Err(_) => return Some(format!("{shown} is no text, and a scenario is a TOML file")),
    };
    let first = whole.trim_start_matches('\u{feff}').trim_start();
    if first.starts_with('<') {
        return Some(format!("{shown} is XML or HTML, and a scenario is a TOML file"));
    }
    if first.starts_with('{') {
        return Some(format!(
            "{shown} is JSON, and a scenario is a TOML file; the manifest of a run is opened by its folder"
        ));
    }
    if extension.is_some_and(|e| e.eq_ignore_ascii_case("swc")) {
        return Some(format!(
            "{shown} is a morphology, and a scenario is a TOML file; a population reads it with \
             `morphology = \"{shown}\"`"
        ));
    }
    let line = whole.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'))?;
    (!looks_like_toml(begin)).then(|| {
        format!(
            "{shown} is no scenario: a TOML file has lines such as `dt = \"0.1 ms\"`, and this one begins `{}`",
            shortened(line)
        )
    })
}

/// Whether some line has what TOML is made of.
fn looks_like_toml(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::trim).filter(|l| !l.starts_with('#')).any(|line| {
        let key = |k: &str| {
            let k = k.trim();
            !k.is_empty() && k.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'' | ' '))
        };
        (line.starts_with('[') && line.contains(']')) || line.split_once('=').is_some_and(|(k, _)| key(k))
    })
}

/// A piece of a file as it can be shown in a line.
fn shortened(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut cut: String = clean.chars().take(40).collect();
    if cut.len() < clean.len() {
        cut.push_str("...");
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_scenario_is_told_in_one_line_and_scenarios_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            what_else(&path)
        };
        let rows: String =
            std::iter::once("time_ms,unit\n".to_owned()).chain((0..20_000).map(|k| format!("{k},0\n"))).collect();
        for (name, bytes, wanted) in [
            ("t.csv", rows.as_bytes(), "a table of time_ms, unit"),
            ("t.toml", rows.as_bytes(), "begins `time_ms,unit`"),
            ("t.parquet", &b"PAR1garbage"[..], "a Parquet table"),
            ("p.png", b"\x89PNG\r\n\x1a\n", "a PNG picture"),
            ("p.svg", b"<svg></svg>", "XML"),
            ("m.json", b"{\"a\": 1}", "JSON"),
            ("b.toml", b"\x00\xff\xfe", "is no text"),
            ("c.swc", b"1 1 0 0 0 1 -1\n", "a morphology"),
        ] {
            let said = write(name, bytes).unwrap_or_else(|| panic!("{name} is taken for a scenario"));
            assert!(said.contains(wanted) && !said.contains('\n') && said.len() < 400 + name.len(), "{name}: {said}");
        }
        for text in
            ["", "# nothing yet\n", "[simulation]\nduration = \"1 s\"\n", "title = \"a, b\"\n", "dt=\"1 ms\nbroken"]
        {
            assert_eq!(write("s.toml", text.as_bytes()), None, "{text}");
        }
    }
}
