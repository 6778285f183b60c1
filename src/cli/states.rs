//! `--checkpoint`, `--from` and `--resume`: the state of a run in a file, and runs that go on from one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::CliError;
use super::output;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_run::{Finished, Keeper, Point, State, Status};
use spikedeck_scenario::Spec;
use spikedeck_table::Checkpoint;

/// Arguments about states.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct States {
    /// Save the state every ten minutes (of the clock on the wall, or as often as said) and when the run is
    /// interrupted; the file is removed when the run is whole
    #[arg(long, value_name = "FILE[:every=TIME]", value_parser = parse)]
    pub checkpoint: Option<Wanted>,
    /// Go on from a state that this version saved of the same scenario, with the same bits as without interruption
    #[arg(long, value_name = "STATE", conflicts_with = "resume")]
    pub from: Option<PathBuf>,
    /// Go on from the file of --checkpoint if it is there, in the folder of the run that was interrupted
    #[arg(long, requires = "checkpoint")]
    pub resume: bool,
}

/// Where states go, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    path: PathBuf,
    every: Option<Duration>,
}

/// What stands between the file and the time.
const EVERY: &str = ":every=";

fn parse(text: &str) -> Result<Wanted, String> {
    let (path, every) = text.rsplit_once(EVERY).map_or((text, None), |(path, every)| (path, Some(every)));
    if path.is_empty() {
        return Err("name a file, such as run.state".into());
    }
    let seconds = |text: &str| match Quantity::parse(text) {
        Ok(q) if q.dimension == Dimension::SECOND => Duration::try_from_secs_f64(q.value).ok(),
        _ => None,
    };
    let every = every.map(|text| seconds(text).ok_or("`every` is a time, such as run.state:every=\"30 s\""));
    Ok(Wanted { path: path.into(), every: every.transpose()? })
}

impl States {
    /// Refuses what has no state of its own (several scenarios, sweeps, trials), and a file for states that is
    /// something else.
    pub(super) fn examine(&self, scenarios: usize, spec: &Spec, points: &[Point]) -> Result<(), CliError> {
        if self.checkpoint.is_none() && self.from.is_none() {
            return Ok(());
        }
        if scenarios > 1 {
            return Err(CliError::Usage("a state is of one run: name one scenario".into()));
        }
        if points.len() > 1 || spec.trials.is_some() {
            return Err(CliError::Usage(
                "a state is of one run, and this scenario has several: `spikedeck sweep SCENARIO --out DIR --resume` \
                 makes those that are missing"
                    .into(),
            ));
        }
        let same = |wanted: &Wanted| self.from.as_deref().is_some_and(|from| from == wanted.path);
        match &self.checkpoint {
            Some(wanted) => Ok(Checkpoint::may_stand_at(&wanted.path, self.resume || same(wanted))?),
            None => Ok(()),
        }
    }

    /// The state to go on from, if the run does.
    pub(super) fn begin(&self, spec: &Spec) -> Result<Option<State>, CliError> {
        let left = self.checkpoint.as_ref().filter(|wanted| self.resume && wanted.path.exists());
        let path: Option<&Path> = self.from.as_deref().or(left.map(|wanted| wanted.path.as_path()));
        Ok(path.map(|path| Checkpoint::read(path, spec)).transpose()?)
    }

    fn file(&self) -> Option<Checkpoint> {
        self.checkpoint.as_ref().map(|wanted| Checkpoint::new(&wanted.path, wanted.every))
    }

    /// Who keeps states while the run lasts.
    pub(super) fn keeper(&self) -> Option<Box<dyn Keeper>> {
        self.file().map(|file| Box::new(file) as Box<dyn Keeper>)
    }

    /// What becomes of the state of a run that ended.
    pub(super) fn end(&self, finished: &Finished) -> Result<(), CliError> {
        let Some(file) = self.file() else { return Ok(()) };
        match finished.status {
            Status::Complete => file.discard()?,
            Status::Interrupted if file.path().exists() => {
                let (label, path) = (&finished.label, file.path().display());
                output::say(&format!("{label}: its state is in {path}; the same command with --resume goes on"));
            }
            Status::Interrupted | Status::Failed => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_how_often_are_read() {
        let wanted = |path: &str, every| Wanted { path: path.into(), every };
        assert_eq!(parse("a.state"), Ok(wanted("a.state", None)));
        assert_eq!(parse("a:b.state"), Ok(wanted("a:b.state", None)));
        assert_eq!(parse("a.state:every=10 s"), Ok(wanted("a.state", Some(Duration::from_secs(10)))));
        assert_eq!(parse("a.state:every=500 ms"), Ok(wanted("a.state", Some(Duration::from_millis(500)))));
        for wrong in [":every=10 s", "", "a.state:every=10", "a.state:every=10 mV", "a.state:every=-1 s", "a:every="] {
            parse(wrong).unwrap_err();
        }
    }
}
