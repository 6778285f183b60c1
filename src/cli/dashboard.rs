//! `spikedeck` without a subcommand: the dashboard.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::CliError;
use crate::tui::backend::Backend;
use crate::tui::message::Source;
use crate::tui::settings::Settings;
use crate::tui::workshop::Workshop;
use crate::tui::{self, session};

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
    /// Describe the panes in words on standard output instead of drawing
    #[arg(long)]
    pub describe: bool,
}

pub(super) fn run(paths: &[PathBuf], flags: &Flags) -> Result<(), CliError> {
    let (mut settings, mut problems) = Settings::load(|name| std::env::var(name).ok());
    let given = [("theme", &flags.theme), ("images", &flags.images), ("link", &flags.link), ("marker", &flags.marker)];
    for (key, value) in given {
        if let Some(value) = value {
            settings.set(key, value).map_err(|why| CliError::Usage(format!("--{why}")))?;
        }
    }
    let sources: Vec<_> = paths.iter().map(|p| Workshop::source(&p.to_string_lossy())).collect();
    let backend = Arc::new(Workshop { given: sources.clone(), threads: 0 });
    if flags.describe {
        return describe(&sources, backend.as_ref());
    }
    problems.sort();
    let code = session::run(session::Options { sources, settings, problems, backend })?;
    match code {
        0 => Ok(()),
        // A signal ended it: everything is restored, and the shell is told which.
        code => Err(CliError::Signal(u8::try_from(code).unwrap_or(1))),
    }
}

/// One line of text a pane, of every source, in order.
fn describe(sources: &[Source], backend: &dyn Backend) -> Result<(), CliError> {
    let mut out = super::output::out();
    for source in sources {
        let lines = tui::jobs::finish(source, backend).map_err(CliError::Report)?;
        for line in tui::describe::all(&lines) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(out.flush()?)
}
