//! `spikedeck check`: validate scenarios without running them.

use std::io::Write;

use super::error::CliError;
use super::output::{self, Tone, tone};
use spikedeck_core::number;
use spikedeck_run::{self as run, LoadError, RunError};
use spikedeck_sim::BuildError;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files or names of built-in scenarios, with a variant after a colon; `-` is standard input
    #[arg(required = true, value_name = "SCENARIO[:VARIANT]")]
    pub scenarios: Vec<String>,
    /// Change a value first (may be given several times)
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = super::run::parse_setting)]
    pub set: Vec<(String, String)>,
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let mut out = output::out();
    let mut wrong = false;
    for reference in &args.scenarios {
        match run::load(reference, &args.set) {
            Ok((spec, warnings)) => {
                for warning in warnings {
                    output::say(&format!("{reference}: warning: {warning}"));
                }
                match run::examine(&spec) {
                    Ok(warnings) => {
                        for warning in warnings {
                            output::say(&format!("{reference}: warning: {warning}"));
                        }
                    }
                    // What fits depends on the machine; this may not be the one that it is meant for.
                    Err(error @ RunError::Build(BuildError::Memory { .. })) => {
                        let text = CliError::from(error).text().unwrap_or_default();
                        output::say(&format!("{reference}: warning: {}", text.trim_start_matches("spikedeck: ")));
                    }
                    Err(error) => {
                        wrong = true;
                        let text = CliError::from(error).text().unwrap_or_default();
                        output::say(&format!("{reference}: {}", text.trim_start_matches("spikedeck: ")));
                        continue;
                    }
                }
                let units: usize = spec.populations.iter().map(|p| p.size).sum();
                let well = tone("✓", Tone::Good, output::colour_on_stdout());
                let parts = [
                    number::counted(spec.populations.len(), "population", "populations"),
                    number::counted(units, "unit", "units"),
                    number::counted(spec.projections.len(), "projection", "projections"),
                    number::counted(spec.analyses.len(), "analysis", "analyses"),
                    number::counted(spec.expect.len(), "expectation", "expectations"),
                ];
                writeln!(out, "{well} {reference}: {}", parts.join(", "))?;
                // In order with what goes to standard error.
                out.flush()?;
            }
            Err(error) => {
                wrong = true;
                let text = error.render(output::colour_on_stderr());
                match error {
                    LoadError::NotFound(_) => output::say(&format!("spikedeck: {text}")),
                    LoadError::Wrong(_) => output::say_coloured(text.trim_end()),
                }
            }
        }
    }
    out.flush()?;
    if wrong { Err(CliError::Refused) } else { Ok(()) }
}
