//! `spikedeck schema`, `completions`, `man`: for editors, shells and readers.

use std::io::Write;

use clap::CommandFactory;

use super::error::CliError;
use super::{Cli, output};
use spikedeck_model::library;
use spikedeck_run as run;
use spikedeck_scenario as scenario;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

pub(super) fn schema() -> Result<(), CliError> {
    let schema = scenario::schema(&run::catalog(), library());
    let text = serde_json::to_string_pretty(&schema).map_err(|e| CliError::Other(e.to_string()))?;
    let mut out = output::out();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<(), CliError> {
    // The generator panics on a closed pipe, so it writes into memory.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "spikedeck", &mut text);
    let mut out = output::out();
    out.write_all(&text)?;
    Ok(out.flush()?)
}

pub(super) fn man() -> Result<(), CliError> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    for command in Cli::command().get_subcommands().filter(|c| c.get_name() != "help") {
        clap_mangen::Man::new(command.clone()).title(format!("spikedeck-{}", command.get_name())).render(&mut text)?;
    }
    let mut out = output::out();
    out.write_all(&text)?;
    Ok(out.flush()?)
}
