//! `spikedeck sweep`: a sweep by several processes, which goes on where it was ended.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::error::CliError;
use super::output::{self, Tone, tone};
use super::run::{Change, TableFormat, interrupt_flag, progress, writing};
use super::sweep_plan::Launcher;
use super::{report, sweep_plan};
use spikedeck_core::number::counted;
use spikedeck_run::{self as run, Ensemble, Finished, Options, Plan, PointResult, Status};
use spikedeck_scenario::Spec;
use spikedeck_store::Format;
use spikedeck_table::{self as table, Line, Manifest, Shard, SweepFolder};

/// Arguments of `sweep`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Each point is kept when it is done: a process that is killed loses what it was at, and \
    --resume makes what is missing. When all points are there, DIR has the tables `metrics` and `across` of `run` \
    and those over its axes, whatever the shards were; `spikedeck DIR` shows what there is at any time.\n\
    Examples:\n  spikedeck sweep lif-fi --out sweep\n  spikedeck sweep my.toml --out sweep --shard 3/10 --resume\n  \
    spikedeck sweep my.toml --out sweep --plan slurm --shards 50; sbatch sweep.slurm")]
pub(super) struct Args {
    #[command(flatten)]
    pub points: Points,
    /// Make the K-th of N parts of the points: K, K + N, K + 2 N, ...
    #[arg(long, value_name = "K/N", value_parser = parse_shard)]
    pub shard: Option<Shard>,
    /// Go on with a sweep that was begun: make the points that are missing
    #[arg(long)]
    pub resume: bool,
    /// Write a file that starts all shards with this engine, and run nothing
    #[arg(long, value_enum, value_name = "ENGINE", conflicts_with = "shard")]
    pub plan: Option<Launcher>,
    /// Number of shards of the plan; one a point, at most 100, if not given
    #[arg(long, value_name = "N", requires = "plan", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub shards: Option<u32>,
    /// No progress
    #[arg(short, long)]
    pub quiet: bool,
}

/// The points of a sweep and where they go: what all shards have in common.
#[derive(Debug, clap::Args)]
pub(super) struct Points {
    /// File or name of a built-in scenario, with a variant after a colon
    #[arg(value_name = "SCENARIO[:VARIANT]")]
    pub scenario: String,
    #[command(flatten)]
    pub change: Change,
    /// Folder of the sweep, the same for all shards
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Points whose spikes and traces are kept, each as a run in DIR/runs: `none`, `all`, or numbers from 0 (`0,17`)
    #[arg(long, value_name = "WHICH", default_value = "none", value_parser = parse_keep)]
    pub keep: Keep,
    /// Format of the tables
    #[arg(long, value_enum, default_value = "parquet")]
    pub format: TableFormat,
}

impl Points {
    /// The scenario and the plan of its points; warnings are told.
    pub(super) fn load(&self) -> Result<(Arc<Spec>, Plan), CliError> {
        let (spec, warnings) = run::load(&self.scenario, &self.change.settings())?;
        for warning in &warnings {
            output::say(&format!("warning: {warning}"));
        }
        if spec.sweep.is_none() && spec.trials.is_none() {
            return Err(CliError::Usage(format!(
                "{} has no sweep: write `[sweep.axes]` or `[sweep] seeds = 10` into it, or use `spikedeck run`",
                spec.label()
            )));
        }
        for name in run::of_all_trials(&spec) {
            output::say(&format!(
                "warning: analysis `{name}` looks at all trials of a network together, which `spikedeck run` does and \
                 a sweep of single points does not: it is left out"
            ));
        }
        let plan = Plan::of(&spec)?;
        if let Keep::These(points) = &self.keep
            && let Some(beyond) = points.iter().find(|at| **at >= plan.len())
        {
            return Err(CliError::Usage(format!(
                "--keep: there is no point {beyond}; the {} points are numbered from 0",
                plan.len()
            )));
        }
        if self.format == TableFormat::Sonata {
            return Err(CliError::Usage(
                "a sweep writes tables as parquet or csv; `spikedeck run` writes sonata".into(),
            ));
        }
        Ok((Arc::new(spec), plan))
    }
}

/// Of which points what was recorded is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keep {
    /// Of none.
    None,
    /// Of all.
    All,
    /// Of these.
    These(BTreeSet<usize>),
}

impl Keep {
    fn has(&self, point: usize) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::These(points) => points.contains(&point),
        }
    }
}

impl std::fmt::Display for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::All => f.write_str("all"),
            Self::These(points) => {
                let points: Vec<String> = points.iter().map(ToString::to_string).collect();
                f.write_str(&points.join(","))
            }
        }
    }
}

fn parse_keep(text: &str) -> Result<Keep, String> {
    match text {
        "none" => Ok(Keep::None),
        "all" => Ok(Keep::All),
        _ => text
            .split(',')
            .map(|n| n.trim().parse().map_err(|_| format!("`{n}` is no number of a point")))
            .collect::<Result<_, _>>()
            .map(Keep::These),
    }
}

fn parse_shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(k, n)| Some((k.trim().parse().ok()?, n.trim().parse().ok()?)));
    match parts {
        Some((number, of)) if (1..=of).contains(&number) => Ok(Shard { number, of }),
        Some((number, of)) => Err(format!("there is no shard {number} of {of}; they are numbered from 1 to {of}")),
        None => Err("write K/N, such as 3/10".into()),
    }
}

/// Makes the points of one shard, or writes a plan.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let (spec, plan) = args.points.load()?;
    if let Some(launcher) = args.plan {
        return sweep_plan::run(launcher, &args.points, (&spec, plan.len()), args.shards);
    }
    // Some points may build where the scenario without its axes does not.
    if let Err(error) = run::examine(&spec) {
        output::say(&format!("warning: the scenario without its axes cannot be run: {error}"));
    }
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let Points { change, out, keep, format, .. } = &args.points;
    let format = Format::from(*format);
    let folder = SweepFolder::open(out, (&spec, &plan), format)?;
    let mut part = folder.shard(shard, args.resume)?;
    let (made, damage) = folder.made()?;
    for line in damage {
        output::say(&format!("warning: {line}; its shard makes it again"));
    }
    let which = part.left(&made);
    let cancel = interrupt_flag();
    let (line, tell) = progress(&spec.label(), args.quiet);
    let (mut done, mut failed) = (0, 0);
    let runs = out.join("runs");
    let mut take = |at: usize, point: PointResult| {
        if keep.has(at) {
            table::save(&runs.join(format!("{at:06}")), &point.finished, format, true).map_err(|e| e.to_string())?;
        }
        part.add(at, &point).map_err(|e| e.to_string())?;
        done += 1;
        failed += usize::from(point.finished.status != Status::Complete);
        Ok(())
    };
    let again = |more: &[(String, String)]| run::again(&spec, more);
    let threads = change.threads();
    let result = run::sweep((&spec, &plan, &which), &again, threads, &cancel, &tell, &mut take);
    line.clear();
    // What is done is told, also where the disk is full.
    let options = Options { threads, ..Options::default() };
    let gathered = writing(&spec.label(), &cancel, || folder.gather(&options))?;
    {
        let mut out = output::out();
        writeln!(out, "{}  {}", tone(&spec.label(), Tone::Bold, output::colour_on_stdout()), spec.title)?;
        writeln!(out, "shard {shard}: {} made{}", of_points(done), of_which_failed(failed))?;
        out.flush()?;
    }
    tell_folder(out, (plan.len(), &folder.made()?.0))?;
    tell_gathered(out, &spec, gathered.as_ref())?;
    let not_now = result?;
    for (at, error) in &not_now {
        output::say(&format!("point {at} could not be made now, and --resume tries it again: {error}"));
    }
    if cancel.load(Ordering::Relaxed) && done < which.len() {
        output::say(&format!("{}: interrupted; --resume makes the points that are missing", spec.label()));
        return Err(CliError::Interrupted);
    }
    if failed > 0 {
        return Err(CliError::Numerical);
    }
    gathered.map_or(Ok(()), |(ensemble, _)| verdict(&ensemble.finished))?;
    if not_now.is_empty() { Ok(()) } else { Err(CliError::CheckFailed) }
}

/// What the points say together, as the status of the program.
pub(super) fn verdict(whole: &Finished) -> Result<(), CliError> {
    if whole.status == Status::Failed {
        Err(CliError::Numerical)
    } else if has_failures(whole) {
        report::say_failures(whole);
        Err(CliError::CheckFailed)
    } else {
        Ok(())
    }
}

/// Whether an expectation is not met or an analysis has no result.
fn has_failures(whole: &Finished) -> bool {
    whole.checks.iter().any(|c| !c.passed) || whole.outcomes.iter().any(|o| o.failure.is_some())
}

fn of_points(n: usize) -> String {
    counted(n, "point", "points")
}

fn of_which_failed(n: usize) -> String {
    if n == 0 { String::new() } else { format!(", {n} of which failed") }
}

/// Says which of the points are in the folder of a sweep.
pub(super) fn tell_folder(folder: &Path, (planned, made): (usize, &BTreeMap<usize, Line>)) -> Result<(), CliError> {
    let mut out = output::out();
    let lost: Vec<&Line> = made.values().filter(|line| line.is_failed()).collect();
    let there = format!("{} of {}", made.len(), of_points(planned));
    writeln!(out, "{}: {there} are there{}", folder.display(), of_which_failed(lost.len()))?;
    for line in lost.iter().take(SHOWN) {
        writeln!(out, "  {}: {}", line.label, line.failure.as_deref().unwrap_or("it failed"))?;
    }
    if lost.len() > SHOWN {
        writeln!(out, "  and {} more", lost.len() - SHOWN)?;
    }
    Ok(out.flush()?)
}

/// Says what was gathered, if all points are there.
pub(super) fn tell_gathered(
    folder: &Path,
    spec: &Spec,
    gathered: Option<&(Ensemble, Manifest)>,
) -> Result<(), CliError> {
    let Some((ensemble, manifest)) = gathered else { return Ok(()) };
    let colour = output::colour_on_stdout();
    let mut out = output::out();
    let warnings: Vec<&String> = ensemble.finished.warnings.iter().filter(|w| !spec.warnings.contains(w)).collect();
    report::warnings(&mut out, &warnings[..warnings.len().min(SHOWN)], colour)?;
    if warnings.len() > SHOWN {
        writeln!(out, "  ! and {} more, in the manifest", warnings.len() - SHOWN)?;
    }
    report::checks(&mut out, &ensemble.finished, colour)?;
    let runs = folder.join("runs");
    let kept =
        std::fs::read_dir(&runs).map_or(0, |entries| entries.flatten().filter(|e| table::is_run(&e.path())).count());
    let kept = match kept {
        0 => "spikes and traces of none (--keep)".to_owned(),
        n => format!("spikes and traces of {n} in {}", runs.display()),
    };
    let tables = counted(manifest.rows.len(), "table", "tables");
    writeln!(out, "{} written: {tables}, metrics of all points, {kept}", folder.display())?;
    Ok(out.flush()?)
}

/// Points that failed, and warnings, that are shown.
const SHOWN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_numbered_from_one() {
        assert_eq!(parse_shard("3/10"), Ok(Shard { number: 3, of: 10 }));
        for wrong in ["0/3", "4/3", "1/0", "1", "a/b", "1/2/3", ""] {
            assert!(parse_shard(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn points_to_keep_are_none_all_or_listed() {
        assert_eq!(parse_keep("none"), Ok(Keep::None));
        assert!(parse_keep("all").unwrap().has(7));
        let these = parse_keep("0, 17").unwrap();
        assert!(these.has(17) && !these.has(1));
        assert!(parse_keep("1,x").is_err());
    }
}
