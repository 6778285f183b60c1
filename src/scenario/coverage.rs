//! The checklist of what the programs before this one did or promised, and what here shows each line of it.
//!
//! `data/coverage.toml` holds one entry a line: scenarios and tests that show it, or why it is open.

use std::sync::OnceLock;

use serde::Deserialize;

/// A line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageLine {
    /// Number: system and line (`001.7`).
    pub id: String,
    /// What it is.
    pub what: String,
    /// Built-in scenarios that show it, with a variant after a colon.
    #[serde(default)]
    pub scenarios: Vec<String>,
    /// Test functions that hold its numbers; the expectations of the scenarios count without being named.
    #[serde(default)]
    pub tests: Vec<String>,
    /// Why it is open, if nothing shows it.
    #[serde(default)]
    pub open: Option<String>,
    /// What of it is not there, though the rest is.
    #[serde(default)]
    pub missing: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    line: Vec<CoverageLine>,
}

/// The checklist in its order.
///
/// # Errors
/// What is wrong with the embedded file (a test reads it).
pub fn coverage() -> Result<&'static [CoverageLine], &'static str> {
    static LINES: OnceLock<Result<Vec<CoverageLine>, String>> = OnceLock::new();
    let read = || {
        let file: Result<File, _> = toml::from_str(spikedeck_data::COVERAGE);
        file.map(|f| f.line).map_err(|e| format!("data/coverage.toml: {e}"))
    };
    match LINES.get_or_init(read) {
        Ok(lines) => Ok(lines),
        Err(why) => Err(why),
    }
}
