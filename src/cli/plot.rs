//! `spikedeck plot`: an analysis of a run as a figure.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::CliError;
use super::output;
use super::run::{Change, interrupt_flag, simulate};
use crate::core::diagnostic::did_you_mean;
use crate::run::{self, Options};
use crate::signal::NamedShape;
use crate::table;

/// Arguments of `plot`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a finished run, scenario file, or name of a built-in scenario
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Name of the analysis in the scenario, with the name of one of its shapes after a slash if it has several
    #[arg(long, value_name = "NAME[/SHAPE]")]
    pub analysis: String,
    /// File to write, .svg or .png; drawn in the terminal if not given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub change: Change,
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let path = Path::new(&args.run);
    let finished = if table::is_run(path) {
        Arc::new(table::open(path)?)
    } else {
        let (spec, _) = run::load(&args.run, &args.change.settings())?;
        let points = run::points(&spec, &|more| run::again(&spec, more))?;
        let options = Options { threads: args.change.threads(), ..Options::default() };
        simulate(&Arc::new(spec), &points, options, &interrupt_flag(), false)?.finished().clone()
    };
    let (name, wanted) = match args.analysis.split_once('/') {
        Some((name, shape)) => (name, Some(shape)),
        None => (args.analysis.as_str(), None),
    };
    let names: Vec<&str> = finished.outcomes.iter().map(|o| o.name.as_str()).collect();
    let Some(outcome) = finished.outcomes.iter().find(|o| o.name == name) else {
        let help = did_you_mean(name, names.iter().copied()).map_or_else(|| format!("there are: {}", names.join(", ")), |n| format!("did you mean `{n}`?"));
        return Err(CliError::Usage(format!("this run has no analysis `{name}`; {help}")));
    };
    let shapes: Vec<&str> = outcome.shapes.iter().map(|s| s.name.as_str()).collect();
    let shape = match wanted {
        Some(wanted) => outcome.shapes.iter().find(|s| s.name == wanted),
        None => outcome.shapes.first(),
    };
    let Some(shape) = shape else {
        return Err(CliError::Usage(match wanted {
            Some(wanted) => format!("`{name}` has no shape `{wanted}`; there are: {}", shapes.join(", ")),
            None => format!("`{name}` has nothing to draw: {}", outcome.summary),
        }));
    };
    draw(shape, args.output.as_deref())
}
