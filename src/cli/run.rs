//! `spikedeck run`: run scenarios; print what was measured; write tables where asked.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};
use std::time::Duration;

use super::error::CliError;
use super::output::{self, ProgressLine};
use super::report::{print, print_json, say_failures};
use super::states::States;
use spikedeck_core::number;
use spikedeck_run::{self as run, Event, Finished, Options, Point, Simulated, Sink, Status, Tell};
use spikedeck_scenario::{Spec, find_built_in};
use spikedeck_store::Format;
use spikedeck_table::{self as table, Folder, Stored};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Nothing is written to disk without --out. Several scenarios write to DIR/NAME.\n\
    Examples:\n  spikedeck run balanced-coba\n  spikedeck run brunel-2000:si-fast --seed 7 --out results\n  \
    spikedeck run my.toml --set populations.exc.parameters.tau_m=\"15 ms\" --json | jq \"select(.metric)\"\n  \
    spikedeck run results --out again   (repeats the run in the folder `results`)\n  \
    spikedeck run my.toml --out results --checkpoint my.state --resume   (a job that may be preempted, begun and \
    gone on with alike)")]
pub(super) struct Args {
    /// Files or names of built-in scenarios, with a variant after a colon; the folder of a run repeats it; `-` is
    /// standard input
    #[arg(required = true, value_name = "SCENARIO[:VARIANT]")]
    pub scenarios: Vec<String>,
    #[command(flatten)]
    pub change: Change,
    #[command(flatten)]
    pub states: States,
    /// Folder for tables and manifest; files that the scenario names are kept there too, up to 16 MB together
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write over a run that is there
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Format of the tables: parquet if not given, or that of the run that is repeated
    #[arg(long, value_enum, requires = "out")]
    pub format: Option<TableFormat>,
    /// Repeat at half the step and report how far spikes and metrics move
    #[arg(long, value_enum, value_name = "WHAT")]
    pub check: Option<SelfCheck>,
    /// Print one JSON object a metric; then one a warning, an analysis without result, a check, and the status
    #[arg(long)]
    pub json: bool,
    /// No progress
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// All metrics with their notes, integrators, files
    #[arg(short, long)]
    pub verbose: bool,
}

/// What changes a scenario before it runs.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Change {
    /// Change a value of the scenario (may be given several times)
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = parse_setting)]
    pub set: Vec<(String, String)>,
    /// Seed of all random numbers
    #[arg(long, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Number of threads (results do not depend on it); one a core if not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

impl Change {
    /// All settings in the order they apply.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let mut set = self.set.clone();
        if let Some(seed) = self.seed {
            set.push(("simulation.seed".into(), seed.to_string()));
        }
        set
    }

    pub(super) fn threads(&self) -> usize {
        self.threads.map_or(0, usize::from)
    }
}

pub(super) fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() && !value.trim().is_empty() => {
            Ok((path.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write PATH=VALUE, such as simulation.dt=\"0.05 ms\"".into()),
    }
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum TableFormat {
    /// Parquet, zstd-compressed
    Parquet,
    /// Comma-separated values
    Csv,
    /// Parquet, and the spikes once more as SONATA has them (spikes.h5)
    Sonata,
}

impl From<TableFormat> for Format {
    fn from(format: TableFormat) -> Self {
        match format {
            TableFormat::Parquet | TableFormat::Sonata => Self::Parquet,
            TableFormat::Csv => Self::Csv,
        }
    }
}

/// `--check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum SelfCheck {
    /// Repeat the run at half the step
    #[value(name = "halve_dt")]
    HalveDt,
}

/// The signal that was heard, once one was.
static HEARD: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// Whether a signal may end the program at once: all that is left is to show what there is.
static MAY_END: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on a signal ends the program at once.
pub(super) fn end_on_signals() {
    MAY_END.store(true, Ordering::Relaxed);
}

/// The exit status that says which signal ended the program: 130 for Ctrl-C.
pub(super) fn interrupted_status() -> u8 {
    let heard = HEARD.load(Ordering::Relaxed);
    let signal = if heard == 0 { signal_hook::consts::SIGINT } else { heard as i32 };
    status_of(signal)
}

fn status_of(signal: i32) -> u8 {
    128 | (signal & 0x7f) as u8
}

/// Raised by Ctrl-C (and TERM, HUP): the run stops at the next epoch and keeps what there is. A second Ctrl-C ends at
/// once.
pub(super) fn interrupt_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        // Order matters: the shutdown looks at the flag before this signal raises it. Where handlers cannot be set, the
        // default stays: the process ends.
        let status = i32::from(status_of(signal));
        let _ = signal_hook::flag::register_conditional_shutdown(signal, status, flag.clone());
        let _ = signal_hook::flag::register_conditional_shutdown(signal, status, MAY_END.clone());
        let _ = signal_hook::flag::register_usize(signal, HEARD.clone(), signal as usize);
        let _ = signal_hook::flag::register(signal, flag.clone());
    }
    flag
}

/// Time that writing may take after a signal before it is said what keeps the program.
const PATIENCE: Duration = Duration::from_millis(200);

/// Writes tables: a signal that was heard before or is heard now waits for them, and is told so.
pub(super) fn writing<R>(label: &str, cancel: &AtomicBool, write: impl FnOnce() -> R) -> R {
    let tell =
        || output::say(&format!("{label}: its tables are being written; a second signal ends without what is left"));
    told_while(cancel, tell, write)
}

/// Does some work; tells once if it goes on although it was cancelled.
fn told_while<R>(cancel: &AtomicBool, tell: impl FnOnce() + Send, work: impl FnOnce() -> R) -> R {
    let (end, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                if cancel.load(Ordering::Relaxed) {
                    return tell();
                }
            }
        });
        let done = work();
        drop(end);
        done
    })
}

/// The line of progress of a job, shared with what tells it.
pub(super) struct Line(Arc<Mutex<ProgressLine>>);

impl Line {
    /// Takes it from the screen.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Shows the progress of what is called `label` on standard error.
pub(super) fn progress(label: &str, quiet: bool) -> (Line, Tell) {
    let line = Arc::new(Mutex::new(ProgressLine::new(quiet)));
    let (shown, label) = (line.clone(), label.to_owned());
    let tell: Tell = Arc::new(move |event| {
        if let Event::Progress(p) = event {
            let eta = p
                .eta
                .filter(|e| e.as_secs_f64() > 0.5)
                .map_or_else(String::new, |e| format!("  {} left", number::duration(e.as_secs_f64())));
            let text = format!("{label}: {} {:3.0} %{eta}", p.stage, p.fraction * 100.0);
            shown.lock().unwrap_or_else(PoisonError::into_inner).show(&text);
        }
    });
    (Line(line), tell)
}

/// Runs what `spec` asks for, with progress on standard error.
pub(super) fn simulate(
    spec: &Arc<Spec>,
    points: &[Point],
    options: Options,
    cancel: &Arc<AtomicBool>,
    quiet: bool,
) -> Result<Simulated, CliError> {
    let (line, tell) = progress(&spec.name, quiet);
    let result = run::simulate(spec, points, options, cancel, &tell);
    line.clear();
    match result {
        Err(_) if cancel.load(Ordering::Relaxed) => Err(CliError::Interrupted),
        other => Ok(other?),
    }
}

/// The run to repeat, if `reference` is the folder of one and not the name of a built-in scenario.
fn stored(reference: &str) -> Result<Option<Stored>, CliError> {
    let path = Path::new(reference);
    if !table::is_run(path) || find_built_in(reference).is_some() {
        return Ok(None);
    }
    Ok(Some(Stored::read(path)?))
}

/// The folder of one of several scenarios, inside that of all.
fn folder_name(label: &str) -> String {
    label.replace([':', '/'], "-")
}

/// Runs all scenarios in turn; the worst status wins.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let mut jobs = Vec::new();
    for reference in &args.scenarios {
        let mut set = args.change.settings();
        if let Some(SelfCheck::HalveDt) = args.check {
            set.push(("simulation.check".into(), "halve_dt".into()));
        }
        let stored = stored(reference)?.map(|s| if set.is_empty() { s } else { s.with_other_files() });
        let (spec, warnings) = match &stored {
            Some(stored) => stored.repeat(&set)?,
            None => run::load(reference, &set)?,
        };
        for warning in &warnings {
            output::say(&format!("warning: {warning}"));
        }
        let points = run::points(&spec, &|more| match &stored {
            Some(stored) => stored.again(&spec, more),
            None => run::again(&spec, more),
        })?;
        let own = stored.map_or(Format::Parquet, |s| s.format());
        args.states.examine(args.scenarios.len(), &spec, &points)?;
        jobs.push((Arc::new(spec), points, args.format.map_or(own, Format::from), warnings));
    }
    // Until here a signal ends the process as it ends any.
    let cancel = interrupt_flag();
    let mut failed: Option<CliError> = None;
    let several = jobs.len() > 1;
    if args.out.is_some() {
        // Before the first of them has run for nothing.
        let mut labels: Vec<(String, String)> =
            jobs.iter().map(|(spec, ..)| (folder_name(&spec.label()), spec.label())).collect();
        labels.sort_unstable();
        if let Some([(folder, one), (_, other)]) = labels.array_windows().find(|[a, b]| a.0 == b.0) {
            return Err(CliError::Usage(if one == other {
                format!("{one} is there twice, and both would be written to one folder")
            } else {
                format!("{one} and {other} would both be written to the folder {folder}")
            }));
        }
    }
    for (spec, points, format, loaded) in jobs {
        let label = spec.label();
        let from = args.states.begin(points.first().map_or(&spec, |p| &p.spec))?;
        let folder = match &args.out {
            None => None,
            Some(dir) => {
                let path = if several { dir.join(folder_name(&label)) } else { dir.clone() };
                let sonata = args.format == Some(TableFormat::Sonata);
                let folder = match from {
                    Some(_) => Folder::go_on(&path, format, args.force, &spec)?,
                    None => Folder::create(&path, format, args.force)?,
                };
                let mut folder = folder.with_sonata(sonata);
                points.iter().map(|p| &p.spec).chain([&spec]).try_for_each(|s| folder.spare(s))?;
                folder.begin(&label, &spec)?;
                Some(Arc::new(Mutex::new(folder)))
            }
        };
        let sink = folder.clone().map(|f| Box::new(f) as Box<dyn Sink>);
        let options = Options { threads: args.change.threads(), sink, keeper: args.states.keeper(), from, live: false };
        let result = simulate(&spec, &points, options, &cancel, args.quiet || args.json).inspect_err(|_| {
            let kept = folder.as_ref().and_then(|f| f.lock().unwrap_or_else(PoisonError::into_inner).give_up());
            if let Some(path) = kept {
                output::say(&format!("{label}: what was written until then is in {}", path.display()));
            }
        })?;
        let written = folder.as_ref().map(|folder| {
            let mut folder = folder.lock().unwrap_or_else(PoisonError::into_inner);
            let manifest = writing(&label, &cancel, || match &result {
                Simulated::One(finished) => folder.finish(finished),
                Simulated::Many(ensemble) => folder.finish_ensemble(ensemble),
            });
            manifest.map(|m| (folder.path().to_owned(), m))
        });
        // A full disk does not take the numbers with it: they are printed first.
        let (written, unwritten) = match written.transpose() {
            Ok(written) => (written, None),
            Err(error) => (None, Some(error)),
        };
        let elsewhere = written.as_ref().filter(|_| args.force && result.finished().status == Status::Interrupted);
        if let Some((path, _)) = elsewhere {
            output::say(&format!("{label}: the interrupted run is in {}", path.display()));
        }
        if args.json {
            print_json(&result, &loaded)?;
        } else {
            print(&spec, &result, written.as_ref(), args)?;
        }
        let finished = result.finished();
        let outcome = outcome_of(finished, args.json || args.quiet);
        if let Some(error) = unwritten {
            let kept = folder.as_ref().and_then(|f| f.lock().unwrap_or_else(PoisonError::into_inner).give_up());
            if let Some(path) = kept {
                output::say(&format!("{label}: what was written until then is in {}", path.display()));
            }
            return Err(error.into());
        }
        args.states.end(finished)?;
        // The worst: interrupted, then numerical, then a failed check.
        if let Some(error) = outcome
            && failed.as_ref().is_none_or(|f| error.status() > f.status())
        {
            failed = Some(error);
        }
        // Also where this run is whole: what was to follow it is not done.
        if cancel.load(Ordering::Relaxed) {
            return Err(CliError::Interrupted);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// What the end of a run means for the exit status; says on standard error what standard output may not show.
pub(super) fn outcome_of(finished: &Finished, say_checks: bool) -> Option<CliError> {
    match finished.status {
        Status::Interrupted => {
            output::say(&format!("{}: interrupted; what was computed until then is kept", finished.label));
            Some(CliError::Interrupted)
        }
        Status::Failed => {
            output::say(&format!("{}: {}", finished.label, finished.failure.as_deref().unwrap_or("failed")));
            Some(CliError::Numerical)
        }
        Status::Complete => {
            if say_checks {
                say_failures(finished);
            }
            let failed = finished.outcomes.iter().any(|o| o.failure.is_some());
            (failed || finished.checks.iter().any(|c| !c.passed)).then_some(CliError::CheckFailed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lasts after a signal is told once, and what ends at once or was not cancelled is not.
    #[test]
    fn a_signal_that_has_to_wait_is_answered() {
        for (cancelled, lasts, told) in [(true, 4, 1), (true, 0, 0), (false, 2, 0)] {
            let (cancel, times) = (AtomicBool::new(false), AtomicUsize::new(0));
            let tell = || {
                times.fetch_add(1, Ordering::Relaxed);
            };
            let value = told_while(&cancel, tell, || {
                cancel.store(cancelled, Ordering::Relaxed);
                std::thread::sleep(PATIENCE * lasts);
                7
            });
            assert_eq!((value, times.load(Ordering::Relaxed)), (7, told), "{cancelled} {lasts}");
        }
    }
}
