//! `spikedeck` without a subcommand: the dashboard.

use std::path::PathBuf;

use super::error::CliError;

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

pub(super) fn run(_paths: &[PathBuf], _flags: &Flags) -> Result<(), CliError> {
    Err(CliError::Other("unfinished".into()))
}
