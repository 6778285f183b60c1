//! Files that start all shards of a sweep with the engine of a cluster or of one machine.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::error::CliError;
use super::output;
use super::run::TableFormat;
use super::sweep::Points;
use spikedeck_core::number::counted;
use spikedeck_run as run;
use spikedeck_scenario::Spec;
use spikedeck_store as store;

/// What starts the shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Launcher {
    /// A Slurm job array
    Slurm,
    /// A HyperQueue job array
    Hyperqueue,
    /// GNU parallel on this machine
    Parallel,
}

impl Launcher {
    /// How its file ends, and how one starts it.
    fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Slurm => ("slurm", "sbatch"),
            Self::Hyperqueue => ("hq.sh", "sh"),
            Self::Parallel => ("parallel.sh", "sh"),
        }
    }

    /// The most shards that it takes without being set up for more.
    fn most(self) -> u32 {
        match self {
            // MaxArraySize is 1001 where nobody changed it, and indices are below it.
            Self::Slurm => 1000,
            Self::Hyperqueue | Self::Parallel => u32::MAX,
        }
    }

    /// What stands in its file: `command` makes the shard whose number stands where `SHARD` does.
    fn text(self, name: &str, (shards, threads): (u32, u16), command: &dyn Fn(&str) -> String) -> String {
        let mut text = String::from("#!/bin/sh\n");
        // Writing to a text does not fail.
        let _ = match self {
            Self::Slurm => writeln!(
                text,
                "#SBATCH --job-name={name}\n#SBATCH --array=1-{shards}\n#SBATCH --cpus-per-task={threads}\n\
                 #SBATCH --output={name}-%a.log\n#SBATCH --open-mode=append\nexec {} --threads {threads}",
                command("$SLURM_ARRAY_TASK_ID")
            ),
            Self::Hyperqueue => text.write_str(&hyperqueue(name, (shards, threads), command)),
            Self::Parallel => writeln!(
                text,
                "seq {shards} | parallel --halt never {}",
                quoted(&format!("{} --threads {threads}", command("{}")))
            ),
        };
        text
    }
}

/// What submits the array to HyperQueue: its program, or its Python package, which comes without the program. A shard
/// that ends with status 1 (an expectation is not met) ends no other.
fn hyperqueue(name: &str, (shards, threads): (u32, u16), command: &dyn Fn(&str) -> String) -> String {
    let shard = |task: &str| format!("exec {} --threads {threads}", command(task));
    // A JSON text is a text of Python too.
    let literal = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        "if command -v hq >/dev/null 2>&1; then
  exec hq submit --name {name} --array 1-{shards} --cpus {threads} --stdout {name}-%{{TASK_ID}}.log \
    --stderr {name}-%{{TASK_ID}}.err -- sh -c {}
fi
python=\"${{PYTHON:-python3}}\"
if ! \"$python\" -c 'import hyperqueue' 2>/dev/null; then
  echo \"neither hq nor $python with the package hyperqueue is here\" >&2
  exit 1
fi
exec \"$python\" - <<'END'
import os
from hyperqueue import Client, Job
from hyperqueue.ffi.protocol import ResourceRequest

job = Job(name={}, max_fails=None)
for shard in range(1, {shards} + 1):
    job.program(
        [\"sh\", \"-c\", {}, \"sh\", str(shard)],
        stdout=f\"{name}-{{shard}}.log\",
        stderr=f\"{name}-{{shard}}.err\",
        resources=ResourceRequest(cpus={threads}),
    )
submitted = Client(os.environ.get(\"HQ_SERVER_DIR\")).submit(job)
print(f\"job {{submitted.id}}\")
END
",
        quoted(&shard("$HQ_TASK_ID")),
        literal(name),
        literal(&shard("$1")),
    )
}

/// A file that starts all shards.
#[derive(Debug)]
pub(super) struct Script {
    /// Where it is to be.
    pub file: PathBuf,
    /// What stands in it.
    pub text: String,
    /// How many shards it starts.
    pub shards: u32,
}

impl Script {
    /// The one of a sweep, beside its folder; `points` is their number.
    pub(super) fn of(
        launcher: Launcher,
        args: &Points,
        (spec, points): (&Spec, usize),
        shards: Option<u32>,
    ) -> Result<Self, CliError> {
        if run::is_standard_input(&args.scenario) {
            let why = "a plan is of a scenario that its jobs can read: a file or a built-in one";
            return Err(CliError::Usage(why.into()));
        }
        let shards = shards.unwrap_or_else(|| points.min(100) as u32).min(points as u32);
        if shards > launcher.most() {
            output::say(&format!(
                "warning: Slurm takes arrays of {} unless its MaxArraySize is larger (scontrol show config)",
                launcher.most()
            ));
        }
        let program = std::env::current_exe().map_err(CliError::Io)?;
        let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // A file is named by its whole path: jobs may start elsewhere.
        let scenario = match &spec.path {
            Some(path) => {
                let variant = spec.variant.as_ref().map_or_else(String::new, |v| format!(":{v}"));
                format!("{}{variant}", whole(path).display())
            }
            None => args.scenario.clone(),
        };
        let mut words = vec![quoted(&program.display().to_string()), "sweep".into(), quoted(&scenario)];
        for (path, value) in args.change.settings() {
            words.extend(["--set".into(), quoted(&format!("{path}={value}"))]);
        }
        words.extend([
            "--out".into(),
            quoted(&whole(&args.out).display().to_string()),
            format!("--format {}", if args.format == TableFormat::Csv { "csv" } else { "parquet" }),
        ]);
        words.extend([format!("--keep {}", args.keep), "--resume --quiet".into()]);
        let command = |task: &str| format!("{} --shard \"{task}/{shards}\"", words.join(" "));
        // A word for shells, for Slurm and for names of files.
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let name: String = format!("spikedeck-{}", spec.name).chars().map(plain).collect();
        Ok(Self {
            file: beside(&whole(&args.out), launcher.file().0),
            text: launcher.text(&name, (shards, args.change.threads.unwrap_or(1)), &command),
            shards,
        })
    }
}

/// The file beside a folder that has its name and this ending.
pub(super) fn beside(folder: &Path, ending: &str) -> PathBuf {
    // Without a last `/`, which completion writes.
    let mut file = folder.components().collect::<PathBuf>().into_os_string();
    file.push(format!(".{ending}"));
    PathBuf::from(file)
}

/// Writes the file that starts all shards; says how.
pub(super) fn run(
    launcher: Launcher,
    args: &Points,
    sweep: (&Spec, usize),
    shards: Option<u32>,
) -> Result<(), CliError> {
    let script = Script::of(launcher, args, sweep, shards)?;
    store::write_new(&script.file, script.text.as_bytes())?;
    let (file, starts) = (script.file.display(), launcher.file().1);
    let mut out = output::out();
    writeln!(
        out,
        "{file} written: {} in {}; start them with\n  {starts} {file}",
        counted(sweep.1, "point", "points"),
        counted(script.shards as usize, "shard", "shards"),
    )?;
    Ok(out.flush()?)
}

/// A word for the shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell takes a quoted word for the word.
    #[test]
    fn words_reach_the_shell_as_they_are() {
        for word in ["plain", "a b", "it's", "$HOME", "`id`", "\"", "", "x=\"2 nS\"", "a\nb", "*"] {
            let out = std::process::Command::new("sh").args(["-c", &format!("printf %s {}", quoted(word))]).output();
            assert_eq!(String::from_utf8(out.unwrap().stdout).unwrap(), word);
        }
    }

    #[test]
    fn an_array_has_all_shards_and_the_number_of_each() {
        let command = |task: &str| format!("spikedeck sweep x --shard \"{task}/7\"");
        for (launcher, task) in [
            (Launcher::Slurm, "\"$SLURM_ARRAY_TASK_ID/7\""),
            (Launcher::Hyperqueue, "\"$HQ_TASK_ID/7\""),
            (Launcher::Parallel, "\"{}/7\""),
        ] {
            let text = launcher.text("x", (7, 2), &command);
            assert!(text.starts_with("#!/bin/sh\n") && text.contains(task), "{text}");
            assert!(text.contains("1-7") || text.contains("seq 7"), "{text}");
        }
    }
}
