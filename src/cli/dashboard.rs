//! `spikedeck` without a subcommand: the dashboard.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::error::CliError;
use super::output;
use super::run::{interrupt_flag, outcome_of, parse_setting, simulate};
use spikedeck_run as run;
use spikedeck_table as table;
use spikedeck_tui::Source;
use spikedeck_tui::content::Content;
use spikedeck_tui::describe::page;
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
    /// Change a value of the scenarios, as in `run`: PATH=VALUE
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = parse_setting)]
    pub set: Vec<(String, String)>,
    /// Seed of the scenarios: the same as --set simulation.seed=N
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Say what has the focus in plain lines, and draw nothing (for screen readers)
    #[arg(long, visible_alias = "plain")]
    pub reader: bool,
    /// Print the first page as text, a line a pane, and end (needs no terminal)
    #[arg(long)]
    pub describe: bool,
}

impl Flags {
    /// What is changed in the scenarios, in the order in which it applies.
    fn settings(&self) -> Vec<(String, String)> {
        let seed = self.seed.map(|seed| ("simulation.seed".to_owned(), seed.to_string()));
        self.set.iter().cloned().chain(seed).collect()
    }
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
    if flags.reader {
        settings.set("reader", "on").map_err(CliError::Usage)?;
    }
    let mut sources = Vec::new();
    for path in paths {
        sources.push(source(path, &flags.settings())?);
    }
    if sources.is_empty() && !flags.settings().is_empty() {
        return Err(CliError::Usage("--set and --seed change scenarios: name one".to_owned()));
    }
    if flags.describe {
        return describe(&sources);
    }
    spikedeck_tui::terminal_present().map_err(CliError::Usage)?;
    if !settings.reader && std::env::var("TERM").is_ok_and(|term| term == "dumb") {
        return Err(CliError::Usage(
            "this terminal shows lines alone (TERM=dumb), and the setting `reader` is off: `--plain` is the dashboard \
             in lines, `--describe` its first page, and `spikedeck run` prints results"
                .to_owned(),
        ));
    }
    let backend = Arc::new(LocalBackend { given: sources.clone(), ..LocalBackend::default() });
    match session::run(session::Options { sources, settings, problems, backend })? {
        0 => Ok(()),
        code => Err(u8::try_from(code).map_or(CliError::Interrupted, CliError::Signal)),
    }
}

/// The first page as text: of the gallery, or of each source in turn. The worst status wins.
fn describe(sources: &[Source]) -> Result<(), CliError> {
    let mut out = output::out();
    if sources.is_empty() {
        for (name, title) in session::gallery() {
            writeln!(out, "{name}: {title}")?;
        }
        return Ok(out.flush()?);
    }
    let cancel = interrupt_flag();
    let mut failed: Option<CliError> = None;
    for (k, source) in sources.iter().enumerate() {
        let finished = match source {
            Source::Finished(path) if table::is_run(path) => Arc::new(table::open(path)?),
            Source::Finished(path) => Arc::new(run::recording_from(path, &run::Sampling::default())?),
            Source::Scenario(asked) => {
                // What reading it warns of stands on the page of the run.
                let (spec, _) = run::load(&asked.reference, &asked.set)?;
                let points = run::points(&spec, &|more| run::again(&spec, more))?;
                simulate(&Arc::new(spec), &points, run::Options::default(), &cancel, false)?.finished().clone()
            }
        };
        if k > 0 {
            writeln!(out)?;
        }
        for line in page(&Content::of(&finished)) {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        if let Some(error) = outcome_of(&finished, true)
            && failed.as_ref().is_none_or(|f| error.status() > f.status())
        {
            failed = Some(error);
        }
        if cancel.load(Ordering::Relaxed) {
            break;
        }
    }
    failed.map_or(Ok(()), Err)
}

/// What a path is, checked before the screen is taken: a finished run, a recording, or a scenario that exists.
fn source(path: &Path, set: &[(String, String)]) -> Result<Source, CliError> {
    let mut source = LocalBackend::source(&path.to_string_lossy());
    match &mut source {
        Source::Scenario(asked) => {
            run::find(&asked.reference)?;
            asked.set = set.to_vec();
            if !set.is_empty() {
                // What is wrong is said before the screen is taken.
                run::load(&asked.reference, set)?;
            }
        }
        Source::Finished(file) if !set.is_empty() => {
            return Err(CliError::Usage(format!(
                "--set and --seed change scenarios, and {} is a finished run or a recording",
                file.display()
            )));
        }
        Source::Finished(file) if !file.exists() => {
            return Err(CliError::Usage(format!("there is no file {}", file.display())));
        }
        Source::Finished(_) => {}
    }
    Ok(source)
}
