//! `spikedeck` without a subcommand: the dashboard.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::CliError;
use spikedeck_run as run;
use spikedeck_tui::Source;
use spikedeck_tui::session::{self, LocalBackend};
use spikedeck_tui::settings::Settings;

/// Settings that may be given on the command line.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Flags {
    /// Colours for a dark or a light background: auto, dark, light
    #[arg(long, value_name = "WORD")]
    pub theme: Option<String>,
    /// Pictures through a graphics protocol: off
    #[arg(long, value_name = "WORD")]
    pub images: Option<String>,
    /// How fast the line to the terminal is: auto, slow, fast
    #[arg(long, value_name = "WORD")]
    pub link: Option<String>,
    /// Marks of curves: braille, octant, quadrant, half, ascii
    #[arg(long, value_name = "WORD")]
    pub marker: Option<String>,
}

pub(super) fn run(paths: &[PathBuf], flags: &Flags) -> Result<(), CliError> {
    let (mut settings, problems) = Settings::load(|name| std::env::var(name).ok());
    for (key, value) in
        [("theme", &flags.theme), ("images", &flags.images), ("link", &flags.link), ("marker", &flags.marker)]
    {
        if let Some(value) = value {
            settings.set(key, value).map_err(CliError::Usage)?;
        }
    }
    let mut sources = Vec::new();
    for path in paths {
        sources.push(source(path)?);
    }
    spikedeck_tui::terminal_present().map_err(CliError::Usage)?;
    let backend = Arc::new(LocalBackend { given: sources.clone(), ..LocalBackend::default() });
    match session::run(session::Options { sources, settings, problems, backend })? {
        0 => Ok(()),
        code => Err(u8::try_from(code).map_or(CliError::Interrupted, CliError::Signal)),
    }
}

/// What a path is, checked before the screen is taken: a finished run, a recording, or a scenario that exists.
fn source(path: &Path) -> Result<Source, CliError> {
    let source = LocalBackend::source(&path.to_string_lossy());
    match &source {
        Source::Scenario(reference) => drop(run::find(reference)?),
        Source::Finished(file) if !file.exists() => {
            return Err(CliError::Usage(format!("there is no file {}", file.display())));
        }
        Source::Finished(_) => {}
    }
    Ok(source)
}
