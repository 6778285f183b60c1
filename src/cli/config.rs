//! `spikedeck config`: the dashboard's settings.

use std::io::Write;

use super::error::CliError;
use super::output;
use spikedeck_tui::settings::{config_check, config_path, config_print};

/// Arguments of `config`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to do
    #[arg(value_enum)]
    pub what: What,
}

/// What can be done with settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum What {
    /// Print where the settings file is looked for
    Path,
    /// Print a settings file with every default and its meaning
    Print,
    /// Validate the settings file
    Check,
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let path = || {
        config_path()
            .ok_or_else(|| CliError::Other("there is no home folder, so there is no place for settings".into()))
    };
    let mut out = output::out();
    match args.what {
        What::Path => writeln!(out, "{}", path()?.display())?,
        What::Print => write!(out, "{}", config_print())?,
        What::Check => {
            let path = path()?;
            let problems = config_check(&path)?;
            if !problems.is_empty() {
                return Err(CliError::Report(
                    problems.iter().map(|p| format!("{}: {p}", path.display())).collect::<Vec<_>>().join("\n"),
                ));
            }
            writeln!(
                out,
                "{}",
                if path.exists() { "the settings are well" } else { "there is no settings file; the defaults apply" }
            )?;
        }
    }
    Ok(out.flush()?)
}
