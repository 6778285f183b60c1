//! `spikedeck plot`: an analysis of a run as a figure.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::analyze::{self, Opened};
use super::door::trusted;
use super::error::CliError;
use super::output;
use super::run::{Change, end_on_signals, interrupt_flag, outcome_of, progress, simulate};
use spikedeck_core::diagnostic::did_you_mean;
use spikedeck_plot::{self as plot, Look, View, ansi, cells, png, scene, svg};
use spikedeck_run::{self as run, Finished, Options, STANDARD_INPUT, Sampling, Status};
use spikedeck_scenario::AskedAnalysis;
use spikedeck_signal::NamedShape;
use spikedeck_store as store;
use spikedeck_table as table;

/// Arguments of `plot`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a run, scenario file, name of a built-in scenario, or a table of spikes or signals; `-` is a table
    /// from standard input
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Name of the analysis in the scenario, or a kind of analysis for a table; with the name of one of its shapes
    /// after a slash if it has several
    #[arg(long, value_name = "NAME[/SHAPE]")]
    pub analysis: String,
    /// File to write, .svg or .png; drawn in the terminal if not given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "output")]
    pub force: bool,
    #[command(flatten)]
    pub change: Change,
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let path = Path::new(&args.run);
    if let Some(file) = args.output.as_deref().filter(|f| f.exists() && !args.force) {
        // Before anything is simulated for nothing.
        return Err(store::StoreError::Exists { path: file.to_owned() }.into());
    }
    let finished = if let Some(measured) = measured(args, path)? {
        measured
    } else {
        let (spec, _) = run::load(&args.run, &args.change.settings())?;
        let points = run::points(&spec, &|more| run::again(&spec, more))?;
        let options = Options { threads: args.change.threads(), ..Options::default() };
        simulate(&Arc::new(spec), &points, options, &interrupt_flag(), false)?.finished().clone()
    };
    end_on_signals();
    // A picture does not say what its numbers rest on. Those of reading the scenario are among them.
    for warning in &finished.warnings {
        output::say(&format!("warning: {warning}"));
    }
    // What ended the run early is said, also where there is nothing to draw because of it.
    let ended = (finished.status != Status::Complete).then(|| outcome_of(&finished, false)).flatten();
    let drawn = pick_and_draw(args, &finished);
    let Some(ended) = ended else { return drawn };
    if let Some(text) = drawn.err().and_then(|e| e.text()) {
        output::say(&text);
    }
    Err(ended)
}

/// The run in a folder, or a table, with the analysis that is asked for; nothing where the argument is a scenario.
fn measured(args: &Args, path: &Path) -> Result<Option<Arc<Finished>>, CliError> {
    let is_table = args.run == STANDARD_INPUT || store::FileKind::of(path).is_some();
    if !is_table && !table::is_run(path) {
        return Ok(None);
    }
    if !args.change.set.is_empty() {
        let what = "`--set` changes a scenario before it runs, and this is recorded already".to_owned();
        return Err(CliError::Usage(what));
    }
    let Opened { finished, .. } = analyze::open(&args.run, &Sampling::default())?;
    let name = args.analysis.split('/').next().unwrap_or_default();
    if finished.outcomes.iter().any(|o| o.name == name) {
        return Ok(Some(Arc::new(finished)));
    }
    // A run that was killed has measured nothing yet; of a table the kind is named.
    let own = finished.spec.as_ref().and_then(|s| s.analyses.iter().find(|a| a.name == name)).cloned();
    let analyses = match own {
        Some(own) => vec![own],
        None if is_table => {
            let catalog = run::catalog();
            if !catalog.analyses.contains_key(name) {
                let help = did_you_mean(name, catalog.analyses.keys().copied()).map_or_else(
                    || "`spikedeck list analyses` names all".into(),
                    |near| format!("did you mean `{near}`?"),
                );
                let what = format!("{} is a table, and there is no kind of analysis `{name}`; {help}", args.run);
                return Err(CliError::Usage(what));
            }
            let asked = AskedAnalysis { kind: name.to_owned(), keys: Vec::new() };
            analyze::wanted(&finished, &[asked], &[])?
        }
        None => return Ok(Some(Arc::new(finished))),
    };
    analyze::needs_recording(&args.run, &finished)?;
    let seed = args.change.seed.or_else(|| Some(finished.spec.as_ref()?.simulation.seed)).unwrap_or(0);
    let (line, tell) = progress(&finished.label, false);
    let options = Options { threads: args.change.threads(), ..Options::default() };
    let measured = run::analyze(&finished, analyses, seed, &options, &interrupt_flag(), &tell);
    line.clear();
    match measured? {
        (measured, true) => Ok(Some(Arc::new(measured))),
        _ => Err(CliError::Interrupted),
    }
}

fn pick_and_draw(args: &Args, finished: &Finished) -> Result<(), CliError> {
    let (name, wanted) = match args.analysis.split_once('/') {
        Some((name, shape)) => (name, Some(shape)),
        None => (args.analysis.as_str(), None),
    };
    let names: Vec<&str> = finished.outcomes.iter().map(|o| o.name.as_str()).collect();
    let Some(outcome) = finished.outcomes.iter().find(|o| o.name == name) else {
        let help = did_you_mean(name, names.iter().copied())
            .map_or_else(|| format!("there are: {}", names.join(", ")), |n| format!("did you mean `{n}`?"));
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
    draw(shape, args.output.as_deref(), args.force)
}

fn draw(shape: &NamedShape, file: Option<&Path>, force: bool) -> Result<(), CliError> {
    let scene = scene::of(shape, &View::default());
    let Some(path) = file else {
        let width = output::width();
        let colour = output::colour_on_stdout();
        let mut look = Look { title: true, ..Look::default() };
        if !colour {
            look.palette.depth = plot::Depth::None;
        }
        let picture = cells::render(&scene, width, 30.min(width / 3), &look);
        let text = if colour { trusted(&ansi::of_grid(&picture.grid)) } else { picture.grid.to_plain() };
        let mut out = output::out();
        out.write_all(text.as_bytes())?;
        return Ok(out.flush()?);
    };
    let figure = svg::figure(&scene, &svg::Figure::default());
    let write = if force { store::write_bytes } else { store::write_new };
    match path.extension().and_then(|e| e.to_str()) {
        Some("svg") => write(path, figure.as_bytes())?,
        Some("png") => {
            let bytes = png::from_svg(&figure, 2.0).map_err(|e| CliError::Other(e.to_string()))?;
            write(path, &bytes)?;
        }
        _ => return Err(CliError::Usage(format!("{}: figures are written as .svg or .png", path.display()))),
    }
    output::say(&format!("{} written", path.display()));
    Ok(())
}
