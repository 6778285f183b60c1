//! `spikedeck run`: run scenarios; print what was measured; write tables where asked.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::CliError;
use super::number;
use super::output::{self, Align, Grid, ProgressLine, Tone, tone};
use crate::run::{self, Ensemble, Event, Finished, Options, Point, Sink, Status, Tell};
use crate::scenario::Spec;
use crate::signal::Metric;
use crate::store::Format;
use crate::table::{self, Folder, Manifest};

/// Metrics of one analysis that are shown without `-v`.
const SHOWN: usize = 24;

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Nothing is written to disk without --out. Several scenarios write to DIR/NAME.\n\
    Examples:\n  spikedeck run balanced-coba\n  spikedeck run brunel-2000:AI --seed 7 --out results\n  \
    spikedeck run my.toml --set populations.exc.parameters.tau_m=\"15 ms\" --json | jq .value")]
pub(super) struct Args {
    /// Files or names of built-in scenarios, with a variant after a colon
    #[arg(required = true, value_name = "SCENARIO[:VARIANT]")]
    pub scenarios: Vec<String>,
    #[command(flatten)]
    pub change: Change,
    /// Folder for tables and manifest
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write over a run that is there
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Format of the tables
    #[arg(long, value_enum, default_value = "parquet", requires = "out")]
    pub format: TableFormat,
    /// Repeat at half the step and report how far spikes and metrics move
    #[arg(long, value_enum, value_name = "WHAT")]
    pub check: Option<SelfCheck>,
    /// Print one JSON object a metric
    #[arg(long)]
    pub json: bool,
    /// No progress, no warnings
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
    #[arg(long)]
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
        Some((path, value)) if !path.trim().is_empty() && !value.trim().is_empty() => Ok((path.trim().to_owned(), value.trim().to_owned())),
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
}

impl From<TableFormat> for Format {
    fn from(format: TableFormat) -> Self {
        match format {
            TableFormat::Parquet => Self::Parquet,
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

/// What a scenario gave.
pub(super) enum Result_ {
    One(Arc<Finished>),
    Many(Ensemble),
}

impl Result_ {
    pub(super) fn finished(&self) -> &Arc<Finished> {
        match self {
            Self::One(finished) => finished,
            Self::Many(ensemble) => &ensemble.finished,
        }
    }
}

/// Raised by Ctrl-C (and TERM, HUP): the run stops at the next epoch and keeps what there is. A second Ctrl-C ends at once.
pub(super) fn interrupt_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        // Order matters: the shutdown looks at the flag before this signal raises it. Where handlers cannot be set, the
        // default stays: the process ends.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, flag.clone());
        let _ = signal_hook::flag::register(signal, flag.clone());
    }
    flag
}

/// Runs what `spec` asks for, with progress on standard error.
pub(super) fn simulate(
    spec: &Arc<Spec>,
    points: &[Point],
    options: Options,
    cancel: &Arc<AtomicBool>,
    quiet: bool,
) -> Result<Result_, CliError> {
    let line = Arc::new(Mutex::new(ProgressLine::new(quiet)));
    let shown = line.clone();
    let label = spec.name.clone();
    let tell: Tell = Arc::new(move |event| {
        if let Event::Progress(p) = event {
            let eta = p
                .eta
                .filter(|e| e.as_secs_f64() > 0.5)
                .map_or_else(String::new, |e| format!("  {} left", number::seconds(e.as_secs_f64())));
            let text = format!("{label}: {} {:3.0} %{eta}", p.stage, p.fraction * 100.0);
            shown.lock().unwrap_or_else(PoisonError::into_inner).show(&text);
        }
    });
    let result = if points.len() > 1 {
        run::ensemble(spec, points, &options, cancel, &tell).map(Result_::Many)
    } else {
        let spec = points.first().map_or(spec, |p| &p.spec);
        run::execute(spec, options, cancel, &tell).map(|f| Result_::One(Arc::new(f)))
    };
    line.lock().unwrap_or_else(PoisonError::into_inner).clear();
    match result {
        Err(_) if cancel.load(Ordering::Relaxed) => Err(CliError::Interrupted),
        other => Ok(other?),
    }
}

/// Runs all scenarios in turn; the worst status wins.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let cancel = interrupt_flag();
    let mut jobs = Vec::new();
    for reference in &args.scenarios {
        let (spec, warnings) = run::load(reference, &args.change.settings())?;
        if !args.quiet {
            for warning in warnings {
                output::say(&format!("warning: {warning}"));
            }
        }
        let points = run::points(&spec, &|more| run::again(&spec, more))?;
        jobs.push((Arc::new(spec), points));
    }
    let mut failed: Option<CliError> = None;
    let several = jobs.len() > 1;
    for (spec, points) in jobs {
        let label = spec.variant.as_ref().map_or_else(|| spec.name.clone(), |v| format!("{}:{v}", spec.name));
        let folder = match &args.out {
            None => None,
            Some(dir) => {
                let path = if several { dir.join(label.replace([':', '/'], "-")) } else { dir.clone() };
                let folder = Folder::create(&path, args.format.into(), args.force)?;
                folder.begin(&label, &spec)?;
                Some(Arc::new(Mutex::new(folder)))
            }
        };
        let sink = if points.len() > 1 { None } else { folder.clone().map(|f| Box::new(f) as Box<dyn Sink>) };
        let options = Options { threads: args.change.threads(), halve_dt: args.check.is_some(), sink, ..Options::default() };
        let result = simulate(&spec, &points, options, &cancel, args.quiet || args.json)?;
        let written = match &folder {
            None => None,
            Some(folder) => {
                let mut folder = folder.lock().unwrap_or_else(PoisonError::into_inner);
                let manifest = match &result {
                    Result_::One(finished) => folder.finish(finished)?,
                    Result_::Many(ensemble) => folder.finish_ensemble(ensemble)?,
                };
                Some((folder.path().to_owned(), manifest))
            }
        };
        if args.json {
            print_json(&result)?;
        } else {
            print(&spec, &result, written.as_ref(), args)?;
        }
        let finished = result.finished();
        let outcome = outcome_of(finished, args.json || args.quiet);
        // The worst: interrupted, then numerical, then a failed check.
        if let Some(error) = outcome {
            if failed.as_ref().is_none_or(|f| error.status() > f.status()) {
                failed = Some(error);
            }
        }
        if cancel.load(Ordering::Relaxed) {
            break;
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
            let failed: Vec<_> = finished.checks.iter().filter(|c| !c.passed).collect();
            if say_checks {
                for check in &failed {
                    output::say(&format!("{}: check `{}` failed: {}", finished.label, check.name, check_text(check)));
                }
            }
            (!failed.is_empty()).then_some(CliError::CheckFailed)
        }
    }
}

fn print_json(result: &Result_) -> Result<(), CliError> {
    let mut out = output::out();
    match result {
        Result_::One(finished) => {
            for metric in finished.outcomes.iter().flat_map(|o| &o.metrics) {
                writeln!(out, "{}", table::metric_json(finished, metric, &[], None))?;
            }
        }
        Result_::Many(ensemble) => {
            for point in &ensemble.points {
                for metric in point.finished.outcomes.iter().flat_map(|o| &o.metrics) {
                    writeln!(out, "{}", table::metric_json(&ensemble.finished, metric, &point.point.axes, Some(point.point.seed)))?;
                }
            }
        }
    }
    Ok(out.flush()?)
}

fn print(spec: &Spec, result: &Result_, written: Option<&(PathBuf, Manifest)>, args: &Args) -> Result<(), CliError> {
    let colour = output::colour_on_stdout();
    let mut out = output::out();
    let finished = result.finished();
    writeln!(out, "{}  {}", tone(&finished.label, Tone::Bold, colour), spec.title)?;
    writeln!(out, "{}", tone(&setting(spec, finished, result), Tone::Dim, colour))?;
    if args.verbose {
        for (population, integrator) in &finished.facts.integrators {
            writeln!(out, "{}", tone(&format!("{population}: {integrator}"), Tone::Dim, colour))?;
        }
    }
    match result {
        Result_::Many(ensemble) if !ensemble.points.iter().all(|p| p.point.axes.is_empty()) => points(&mut out, ensemble, colour)?,
        _ => metrics(&mut out, finished, args.verbose, colour)?,
    }
    if !finished.checks.is_empty() {
        writeln!(out)?;
        let mut grid = Grid::new(&[Align::Left, Align::Left, Align::Left, Align::Left]);
        for check in &finished.checks {
            let (mark, row_tone) = if check.passed { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
            grid.row([mark.to_owned(), check.name.clone(), check_text(check), check.note.clone()], row_tone);
        }
        grid.write(&mut out, "  ", false, colour)?;
    }
    if !args.quiet && !finished.warnings.is_empty() {
        writeln!(out)?;
        for warning in &finished.warnings {
            for (k, line) in output::wrap(warning, output::width() - 4).into_iter().enumerate() {
                writeln!(out, "  {} {}", tone(if k == 0 { "!" } else { " " }, Tone::Warn, colour), line)?;
            }
        }
    }
    writeln!(out)?;
    if let Some((path, manifest)) = written {
        let rows = manifest
            .rows
            .iter()
            .find(|r| r.0.starts_with("spikes."))
            .map_or_else(String::new, |r| format!(", {} spikes", number::count(*r.1)));
        writeln!(out, "{} written: {} tables{rows}", path.display(), manifest.rows.len())?;
        if args.verbose {
            for (file, n) in &manifest.rows {
                writeln!(out, "  {file}  {} rows", number::count(*n))?;
            }
        }
    }
    writeln!(out, "{}", tone(&timing(spec, finished), Tone::Dim, colour))?;
    Ok(out.flush()?)
}

fn setting(spec: &Spec, finished: &Finished, result: &Result_) -> String {
    let simulation = &spec.simulation;
    let base = simulation.time_base;
    let time = |v: f64| format!("{} {}", crate::core::units::short(v / base.seconds()), base.unit()).trim_end().to_owned();
    let units: usize = spec.populations.iter().map(|p| p.size).sum();
    let mut parts = vec![
        format!("seed {}", simulation.seed),
        format!("{} in steps of {}", time(simulation.dt * simulation.steps as f64), time(simulation.dt)),
        format!("{} {}", number::count(units as u64), if units == 1 { "unit" } else { "units" }),
    ];
    if finished.facts.connections > 0 {
        parts.push(format!("{} connections", number::count(finished.facts.connections)));
    }
    if finished.facts.spikes > 0 {
        parts.push(format!("{} spikes", number::count(finished.facts.spikes)));
    }
    if let Result_::Many(ensemble) = result {
        parts.push(format!("{} points", ensemble.points.len()));
    }
    parts.join(" · ")
}

/// The metrics of a run, an analysis a block.
fn metrics(out: &mut impl Write, finished: &Finished, verbose: bool, colour: bool) -> std::io::Result<()> {
    use Align::{Left, Right};
    let mut any = false;
    let mut grid = Grid::new(&[Left, Right, Left, Left, Right, Right, Right, Left]);
    grid.row(["", "value", "unit", "95 % interval", "chance", "p", "n", "note"], Tone::Dim);
    for outcome in finished.outcomes.iter().filter(|o| !o.metrics.is_empty()) {
        any = true;
        grid.row([outcome.name.clone()], Tone::Bold);
        let most = if verbose || outcome.metrics.len() <= SHOWN + 4 { outcome.metrics.len() } else { SHOWN };
        for metric in outcome.metrics.iter().take(most) {
            grid.row(metric_cells(metric, verbose), if metric.value.is_some() { Tone::Plain } else { Tone::Dim });
        }
        if most < outcome.metrics.len() {
            grid.row([format!("  … {} more (-v, --json)", outcome.metrics.len() - most)], Tone::Dim);
        }
    }
    if any {
        writeln!(out)?;
        grid.write(out, "  ", true, colour)?;
    }
    for outcome in finished.outcomes.iter().filter(|o| o.metrics.is_empty()) {
        writeln!(out, "  {}  {}", tone(&outcome.name, Tone::Bold, colour), outcome.summary)?;
    }
    Ok(())
}

fn metric_cells(metric: &Metric, verbose: bool) -> Vec<String> {
    let note = if verbose || metric.value.is_none() { metric.note.clone() } else { String::new() };
    vec![
        format!("  {} {}", metric.subject, metric.metric),
        metric.value.map_or_else(|| "–".into(), number::value),
        metric.unit.clone(),
        metric.ci_low.zip(metric.ci_high).map_or_else(String::new, |(a, b)| format!("[{}, {}]", number::value(a), number::value(b))),
        metric.chance.map_or_else(String::new, number::value),
        metric.p_value.map_or_else(String::new, number::p_value),
        metric.n.map_or_else(String::new, number::count),
        note,
    ]
}

/// One row a point, one column a metric (as many as fit), for sweeps.
fn points(out: &mut impl Write, ensemble: &Ensemble, colour: bool) -> std::io::Result<()> {
    let Some(first) = ensemble.points.first() else { return Ok(()) };
    let names: Vec<(String, String)> =
        first.finished.outcomes.iter().flat_map(|o| &o.metrics).map(|m| (m.full_name(), m.unit.clone())).collect();
    let shown = names.len().min(5);
    let axes = first.point.axes.len();
    let mut grid = Grid::new(&vec![Align::Right; axes + 1 + shown]);
    let mut heading: Vec<String> = first.point.axes.iter().map(|a| a.0.rsplit('.').next().unwrap_or(&a.0).to_owned()).collect();
    heading.push("seed".into());
    heading.extend(names[..shown].iter().map(|(n, u)| if u.is_empty() { n.clone() } else { format!("{n} ({u})") }));
    grid.row(heading, Tone::Dim);
    for result in &ensemble.points {
        let mut cells: Vec<String> = result.point.axes.iter().map(|a| a.1.trim_matches('"').to_owned()).collect();
        cells.push(result.point.seed.to_string());
        for (name, _) in &names[..shown] {
            let value = result.finished.outcomes.iter().flat_map(|o| &o.metrics).find(|m| m.full_name() == *name).and_then(|m| m.value);
            cells.push(value.map_or_else(|| "–".into(), number::value));
        }
        grid.row(cells, Tone::Plain);
    }
    writeln!(out)?;
    grid.write(out, "  ", true, colour)?;
    if shown < names.len() {
        writeln!(out, "  {}", tone(&format!("… {} more metrics (--json, --out)", names.len() - shown), Tone::Dim, colour))?;
    }
    Ok(())
}

fn check_text(check: &run::Check) -> String {
    let range = match (check.min, check.max) {
        (Some(a), Some(b)) => format!("in [{}, {}]", number::value(a), number::value(b)),
        (Some(a), None) => format!("≥ {}", number::value(a)),
        (None, Some(b)) => format!("≤ {}", number::value(b)),
        (None, None) => "any value".into(),
    };
    let found = check.found.map_or_else(|| "no value".into(), number::value);
    let mut text = format!("{} = {found}, expected {range}", check.metric);
    if check.found.is_none() && !check.note.is_empty() {
        text = format!("{text}: {}", check.note);
    }
    text
}

fn timing(spec: &Spec, finished: &Finished) -> String {
    let facts = &finished.facts;
    let simulated = spec.simulation.dt * spec.simulation.steps as f64;
    let mut parts =
        vec![format!("built {}", number::seconds(facts.build_seconds)), format!("simulated {}", number::seconds(facts.simulate_seconds))];
    if facts.simulate_seconds > 0.0 && spec.simulation.time_base.unit() == "ms" && finished.status == Status::Complete {
        parts.push(format!("{} × real time", number::value(simulated / facts.simulate_seconds)));
    }
    if facts.analyse_seconds > 0.0 {
        parts.push(format!("analysed {}", number::seconds(facts.analyse_seconds)));
    }
    parts.push(format!("{} {}", facts.threads, if facts.threads == 1 { "thread" } else { "threads" }));
    parts.join(" · ")
}
