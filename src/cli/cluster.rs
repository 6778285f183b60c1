//! `spikedeck cluster`: the shards of a sweep as a job array of Slurm, by its own programs `sbatch` and `squeue`.
//!
//! What was submitted stands in a file beside the folder of the sweep (`DIR.jobs`), a line a job.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::CliError;
use super::output;
use super::sweep::{Points, tell_folder, tell_gathered, verdict};
use super::sweep_plan::{self, Launcher, Script, beside};
use spikedeck_core::number::counted;
use spikedeck_run::{Options, Plan};
use spikedeck_store as store;
use spikedeck_table::{Stored, SweepFolder, SweepProgress};

/// What `cluster` does.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write DIR.slurm, the job array of a sweep, and submit nothing
    Script(ScriptArgs),
    /// Submit the shards that have points left
    #[command(after_help = "What was submitted is noted in DIR.jobs. Submitted again, it makes what is missing.\n\
        Examples:\n  spikedeck cluster submit my.toml --out sweep --shards 50 -- --time=2:00:00 --partition=short\n  \
        spikedeck cluster status sweep\n  spikedeck cluster collect sweep")]
    Submit(SubmitArgs),
    /// Tell how many points are there, and what Slurm says of the jobs
    Status(FolderArgs),
    /// Write the tables of all points; the last shard does so by itself
    Collect(FolderArgs),
}

/// Arguments of `cluster script`.
#[derive(Debug, clap::Args)]
pub(super) struct ScriptArgs {
    #[command(flatten)]
    points: Points,
    /// Number of shards; one a point, at most 100, if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    shards: Option<u32>,
}

/// Arguments of `cluster submit`.
#[derive(Debug, clap::Args)]
pub(super) struct SubmitArgs {
    #[command(flatten)]
    script: ScriptArgs,
    /// Options of sbatch
    #[arg(last = true, value_name = "SBATCH OPTIONS")]
    sbatch: Vec<String>,
}

/// Arguments of `cluster status` and `cluster collect`.
#[derive(Debug, clap::Args)]
pub(super) struct FolderArgs {
    /// Folder of the sweep
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// A job array that was submitted.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Job {
    /// Its number in Slurm.
    job: String,
    /// The cluster that has it, where it is not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    /// How many shards there are in all.
    shards: u32,
    /// How many of them it has.
    tasks: usize,
}

impl Job {
    /// Of what `sbatch --parsable` says: `12`, or `12;cluster`.
    fn of(said: &str, shards: u32, tasks: usize) -> Option<Self> {
        let mut words = said.trim().split(';').map(str::trim).filter(|word| !word.is_empty());
        let job = words.next()?.to_owned();
        Some(Self { job, cluster: words.next().map(str::to_owned), shards, tasks })
    }
}

pub(super) fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Script(args) => {
            let (spec, plan) = args.points.load()?;
            sweep_plan::run(Launcher::Slurm, &args.points, (&spec, plan.len()), args.shards)
        }
        Command::Submit(args) => submit(args),
        Command::Status(args) => status(&args.folder),
        Command::Collect(args) => collect(&args.folder),
    }
}

fn submit(args: &SubmitArgs) -> Result<(), CliError> {
    let ScriptArgs { points, shards } = &args.script;
    let (spec, plan) = points.load()?;
    let noted = jobs(&points.out)?;
    for job in &noted {
        // Two arrays would make the same shards: without an answer nothing is submitted.
        if !tasks_of(job)?.is_empty() {
            return Err(CliError::Other(format!(
                "job {} of this sweep is still in the queue: `spikedeck cluster status {}` tells how far it is, and \
                 `scancel {}` ends it",
                job.job,
                points.out.display(),
                job.job
            )));
        }
    }
    // The same shards as before, if their number is not given anew.
    let shards = shards.or_else(|| noted.last().map(|job| job.shards));
    let script = Script::of(Launcher::Slurm, points, (&spec, plan.len()), shards)?;
    write_script(&script)?;
    let left = if points.out.exists() {
        // Of another sweep each task would say so, in its log.
        SweepFolder::open(&points.out, (&spec, &plan), points.format.into())?;
        SweepProgress::read(&points.out)?.shards_left(script.shards as usize)
    } else {
        (1..=script.shards as usize).collect()
    };
    if left.is_empty() {
        let folder = points.out.display();
        return say(&format!(
            "{folder}: all points are there; `spikedeck cluster collect {folder}` writes their tables"
        ));
    }
    let mut sbatch = Program::new("sbatch");
    sbatch.arg("--parsable").arg(format!("--array={}", ranges(&left))).args(&args.sbatch).arg(&script.file);
    let said = said_by(sbatch, "sbatch")?;
    let Some(line) = Job::of(&said, script.shards, left.len()) else {
        return Err(CliError::Other(format!("sbatch named no job: {said}")));
    };
    note(&points.out, &line)?;
    let (job, tasks) = (&line.job, counted(left.len(), "shard", "shards"));
    say(&format!("job {job}: {tasks} of {}; `spikedeck cluster status {}`", line.shards, points.out.display()))
}

/// Writes the file of a job array, if the same is not there yet.
fn write_script(script: &Script) -> Result<(), CliError> {
    match std::fs::read_to_string(&script.file) {
        Ok(text) if text == script.text => Ok(()),
        Ok(_) => Err(CliError::Other(format!(
            "{} is of another sweep, other settings or another number of shards; remove it, or choose another --out",
            script.file.display()
        ))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(store::write_new(&script.file, script.text.as_bytes())?),
        Err(e) => Err(CliError::Other(format!("{}: {e}", script.file.display()))),
    }
}

fn status(folder: &Path) -> Result<(), CliError> {
    let noted = jobs(folder)?;
    // Where a job was submitted and there is no folder, no task has begun.
    let is_there = folder.exists() || noted.is_empty();
    let progress = if is_there { Some(SweepProgress::read(folder)?) } else { None };
    match &progress {
        Some(p) => {
            tell_folder(folder, (p.points, &p.made))?;
            p.damage.iter().for_each(|line| output::say(&format!("warning: {line}; its shard makes it again")));
        }
        None => say(&format!("{}: no shard has begun", folder.display()))?,
    }
    let mut may_be_in_queue = false;
    for job in &noted {
        let answer = tasks_of(job);
        may_be_in_queue |= answer.as_ref().map_or(true, |tasks| !tasks.is_empty());
        let told = match answer {
            Ok(tasks) => in_words(job, &tasks),
            Err(CliError::Other(why)) => why,
            Err(error) => return Err(error),
        };
        say(&format!("job {} ({}): {told}", job.job, counted(job.tasks, "shard", "shards")))?;
    }
    let folder = folder.display();
    match progress {
        Some(p) if p.is_gathered => say(&format!("the tables are written; `spikedeck {folder}` shows them")),
        Some(p) if p.made.len() == p.points => {
            say(&format!("all points are there; `spikedeck cluster collect {folder}` writes their tables"))
        }
        _ if !may_be_in_queue => say("points are missing and no job is left; `spikedeck cluster submit` makes them"),
        _ => Ok(()),
    }
}

/// What the queue says of the tasks of a job: how many of each state.
fn in_words(job: &Job, tasks: &BTreeMap<String, usize>) -> String {
    let left: usize = tasks.values().sum();
    let mut parts: Vec<String> = tasks.iter().map(|(state, n)| format!("{n} {}", state.to_lowercase())).collect();
    if left < job.tasks {
        parts.push(format!("{} ended", job.tasks - left));
    }
    parts.join(", ")
}

fn collect(folder: &Path) -> Result<(), CliError> {
    let progress = SweepProgress::read(folder)?;
    tell_folder(folder, (progress.points, &progress.made))?;
    let missing = progress.points - progress.made.len();
    if missing > 0 {
        return Err(CliError::Other(format!(
            "{} of {} {} missing: tables are written of all points. `spikedeck cluster submit` or `spikedeck sweep \
             --resume` makes them, and `spikedeck {}` shows what there is",
            missing,
            counted(progress.points, "point", "points"),
            if missing == 1 { "is" } else { "are" },
            folder.display()
        )));
    }
    let stored = Stored::read(folder)?;
    let (spec, warnings) = stored.resolve(&[])?;
    for warning in &warnings {
        output::say(&format!("warning: {warning}"));
    }
    let spec = Arc::new(spec);
    let plan = Plan::of(&spec)?;
    let sweep = SweepFolder::open(folder, (&spec, &plan), stored.format())?;
    let gathered = sweep.gather(&Options::default())?;
    tell_gathered(folder, &spec, gathered.as_ref())?;
    gathered.map_or(Ok(()), |(ensemble, _)| verdict(&ensemble.finished))
}

fn say(line: &str) -> Result<(), CliError> {
    let mut out = output::out();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// The jobs that were submitted for a sweep, the first one first.
fn jobs(folder: &Path) -> Result<Vec<Job>, CliError> {
    let file = beside(folder, "jobs");
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(CliError::Other(format!("{}: {e}", file.display()))),
    };
    let wrong = |e| CliError::Other(format!("{} is not what `cluster submit` wrote: {e}", file.display()));
    text.lines().map(|line| serde_json::from_str(line).map_err(wrong)).collect()
}

fn note(folder: &Path, job: &Job) -> Result<(), CliError> {
    let file = beside(folder, "jobs");
    let line = serde_json::to_string(job).expect("a text and two numbers are JSON");
    let mut to = OpenOptions::new().append(true).create(true).open(&file)?;
    Ok(to.write_all(format!("{line}\n").as_bytes())?)
}

/// The tasks of a job that Slurm still has: how many are in each state, with the reason of those that wait.
fn tasks_of(job: &Job) -> Result<BTreeMap<String, usize>, CliError> {
    let mut squeue = Program::new("squeue");
    squeue.args(["--noheader", "--array", "--jobs", &job.job, "--format", "%T %r"]);
    squeue.args(job.cluster.iter().map(|cluster| format!("--clusters={cluster}")));
    match said_by(squeue, "squeue") {
        Ok(text) => {
            let mut states = BTreeMap::new();
            // With --clusters the first line names the cluster.
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("CLUSTER:"));
            for line in lines {
                let (state, reason) = line.split_once(' ').unwrap_or((line, "None"));
                let is_told = state == "PENDING" && reason != "None";
                let state = if is_told { format!("{state} ({reason})") } else { state.to_owned() };
                *states.entry(state).or_insert(0) += 1;
            }
            Ok(states)
        }
        // Slurm forgets a job some minutes after its end.
        Err(CliError::Other(text)) if text.contains("Invalid job id") => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// What a program of Slurm writes.
fn said_by(mut program: Program, name: &str) -> Result<String, CliError> {
    let told = program.output().map_err(|e| {
        CliError::Other(match e.kind() {
            io::ErrorKind::NotFound => format!(
                "{name} is not here: this is no machine that jobs of Slurm are submitted from. `spikedeck sweep` makes \
                 shards without it"
            ),
            _ => format!("{name}: {e}"),
        })
    })?;
    if told.status.success() {
        return Ok(String::from_utf8_lossy(&told.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&told.stderr);
    let end = match told.status.code() {
        Some(status) => format!("ended with status {status}"),
        None => "was ended by a signal".to_owned(),
    };
    Err(CliError::Other(format!("{name} {end}: {}", why.trim())))
}

/// Numbers in rising order as `sbatch --array` has them.
fn ranges(numbers: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &n in numbers {
        match parts.last_mut() {
            Some((_, to)) if *to + 1 == n => *to = n,
            _ => parts.push((n, n)),
        }
    }
    let word = |(from, to): (usize, usize)| if from == to { from.to_string() } else { format!("{from}-{to}") };
    parts.into_iter().map(word).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_noted_with_its_cluster() {
        assert_eq!(Job::of("12;north\n", 3, 2).unwrap().cluster.as_deref(), Some("north"));
        assert!(Job::of("12\n", 3, 2).unwrap().cluster.is_none() && Job::of("\n", 3, 2).is_none());
        let line = serde_json::to_string(&Job::of("12", 3, 2).unwrap()).unwrap();
        assert_eq!(line, "{\"job\":\"12\",\"shards\":3,\"tasks\":2}");
        assert_eq!(serde_json::from_str::<Job>(&line).unwrap(), Job::of("12", 3, 2).unwrap());
    }

    #[test]
    fn arrays_are_ranges() {
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "1-3,5,7-8");
        assert_eq!(ranges(&[4]), "4");
        assert_eq!(ranges(&[]), "");
    }

    #[test]
    fn what_is_left_of_a_job_adds_up() {
        let job = Job::of("7\n", 10, 10).unwrap();
        let tasks = BTreeMap::from([("RUNNING".to_owned(), 2), ("PENDING (Resources)".to_owned(), 5)]);
        assert_eq!(in_words(&job, &tasks), "5 pending (resources), 2 running, 3 ended");
        assert_eq!(in_words(&job, &BTreeMap::new()), "10 ended");
    }
}
