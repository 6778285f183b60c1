//! `spikedeck report`: a run, or several held against the first, as one document with everything in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::analyze::{self, Opened};
use super::error::CliError;
use super::output;
use super::run::{Change, interrupt_flag, outcome_of, simulate};
use spikedeck_run::{self as run, Finished, Options, Sampling, Status};
use spikedeck_store as store;
use spikedeck_table as table;
use spikedeck_tui::content::Content;
use spikedeck_tui::report::{Form, report};

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of finished runs, scenario files, names of built-in scenarios, or tables of spikes or signals; several
    /// are held against the first
    #[arg(required = true, value_name = "RUN_OR_SCENARIO")]
    pub runs: Vec<String>,
    #[command(flatten)]
    pub change: Change,
    /// File to write, .html or .md; both, `report.html` and `report.md`, if not given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long)]
    pub force: bool,
    /// No progress
    #[arg(short, long)]
    pub quiet: bool,
}

/// What a file is written as, by its ending.
fn form_of(path: &Path) -> Result<Form, CliError> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("html" | "htm") => Ok(Form::Html),
        Some("md" | "markdown") => Ok(Form::Markdown),
        _ => Err(CliError::Usage(format!("{}: reports are written as .html or .md", path.display()))),
    }
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let files = match &args.output {
        Some(file) => vec![(file.clone(), form_of(file)?)],
        None => vec![("report.html".into(), Form::Html), ("report.md".into(), Form::Markdown)],
    };
    if let Some((file, _)) = files.iter().find(|f| f.0.exists() && !args.force) {
        // Before anything is simulated for nothing.
        return Err(store::StoreError::Exists { path: file.clone() }.into());
    }
    let mut contents = Vec::new();
    let mut ended = None;
    for reference in &args.runs {
        let finished = finished(reference, args)?;
        // What ended a run early is in the report, and is the exit status too.
        if finished.status != Status::Complete {
            ended = ended.or_else(|| outcome_of(&finished, false));
        }
        contents.push(Content::of(&finished));
    }
    let borrowed: Vec<&Content> = contents.iter().collect();
    for (file, form) in &files {
        let Some(text) = report(&borrowed, *form) else { continue };
        let write = if args.force { store::write_bytes } else { store::write_new };
        write(file, text.as_bytes())?;
        output::say(&format!("{} written", file.display()));
    }
    ended.map_or(Ok(()), Err)
}

/// A run that is there, or one of a scenario.
fn finished(reference: &str, args: &Args) -> Result<Arc<Finished>, CliError> {
    let path = Path::new(reference);
    if table::is_run(path) || store::FileKind::of(path).is_some() {
        if !args.change.set.is_empty() {
            let what = "`--set` changes a scenario before it runs, and this is recorded already".to_owned();
            return Err(CliError::Usage(what));
        }
        let Opened { mut finished, .. } = analyze::open(reference, &Sampling::default())?;
        if table::is_run(path) {
            finished.facts.seeds = table::seed_values(path)?;
        }
        if args.runs.len() > 1 {
            // Two runs of one scenario are told apart by their folders.
            finished.label = format!("{} ({})", finished.label, reference.trim_end_matches('/'));
        }
        return Ok(Arc::new(finished));
    }
    let (spec, warnings) = run::load(reference, &args.change.settings())?;
    for warning in warnings {
        output::say(&format!("warning: {warning}"));
    }
    let points = run::points(&spec, &|more| run::again(&spec, more))?;
    let options = Options { threads: args.change.threads(), ..Options::default() };
    Ok(simulate(&Arc::new(spec), &points, options, &interrupt_flag(), args.quiet)?.finished().clone())
}
