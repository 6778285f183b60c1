//! What ends a command, and with which exit status.

use std::io;

use spikedeck_core::diagnostic::InText;
use spikedeck_model::Report;
use spikedeck_run::{LoadError, NotRead, RunError};
use spikedeck_sim::BuildError;
use spikedeck_store::StoreError;
use spikedeck_table::TableError;

/// Why a command did not end with status 0 (or, for a closed pipe, why it ends early with 0).
#[derive(Debug)]
pub(super) enum CliError {
    /// A check or expectation failed, or an analysis has no result; it has been printed.
    CheckFailed,
    /// Wrong usage or scenario: what to say.
    Usage(String),
    /// A report with carets, ready to print.
    Report(String),
    /// Scenarios are wrong; what and where has been printed.
    Refused,
    /// A numerical failure; it has been printed.
    Numerical,
    /// Interrupted; what there was has been printed.
    Interrupted,
    /// A signal ended the dashboard: 128 and its number.
    Signal(u8),
    /// A file or stream.
    Io(io::Error),
    /// Anything else that went wrong.
    Other(String),
}

impl CliError {
    /// The exit status.
    pub(super) fn status(&self) -> u8 {
        match self {
            Self::Io(e) if e.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::CheckFailed | Self::Io(_) | Self::Other(_) => 1,
            Self::Usage(_) | Self::Report(_) | Self::Refused => 2,
            Self::Numerical => 3,
            Self::Interrupted => super::run::interrupted_status(),
            Self::Signal(status) => *status,
        }
    }

    /// Whether its text sets colours itself.
    pub(super) fn is_coloured(&self) -> bool {
        matches!(self, Self::Report(_))
    }

    /// What is still to be said.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::CheckFailed | Self::Refused | Self::Numerical | Self::Interrupted | Self::Signal(_) => None,
            Self::Report(text) => Some(text.trim_end().to_owned()),
            Self::Usage(text) | Self::Other(text) => Some(format!("spikedeck: {text}")),
            Self::Io(e) if e.kind() == io::ErrorKind::BrokenPipe => None,
            Self::Io(e) => Some(format!("spikedeck: {e}")),
        }
    }
}

/// What is wrong with a file of data, as what is wrong with a scenario is told.
fn in_text(wrong: &InText) -> CliError {
    CliError::Report(Report::of_text(wrong).render(super::output::colour_on_stderr()))
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<LoadError> for CliError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::NotFound(text) => Self::Usage(text),
            LoadError::Wrong(_) => Self::Report(error.render(super::output::colour_on_stderr())),
        }
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Build(BuildError::Memory { needed, allowed, largest }) => Self::Usage(format!(
                "this would need about {}, and {} are allowed: {largest}; record less, make it smaller, or raise \
                 simulation.memory",
                spikedeck_core::number::bytes(needed),
                spikedeck_core::number::bytes(allowed)
            )),
            RunError::Build(e) => Self::Usage(e.to_string()),
            e @ RunError::State(_) => Self::Usage(e.to_string()),
            RunError::Scenario(text) => Self::Report(text),
            RunError::Sink(text) | RunError::System(text) => Self::Other(text),
        }
    }
}

impl From<TableError> for CliError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Store(e) => e.into(),
            made @ (TableError::CannotMake { .. } | TableError::InTheWay { .. } | TableError::NotReplaced { .. }) => {
                Self::Other(made.to_string())
            }
            other => Self::Usage(other.to_string()),
        }
    }
}

impl From<NotRead> for CliError {
    fn from(error: NotRead) -> Self {
        match error {
            NotRead::Store(e) => e.into(),
            NotRead::InText(wrong) => in_text(&wrong),
            other @ (NotRead::NoRecording { .. } | NotRead::Beside(_)) => Self::Usage(other.to_string()),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full { .. } | StoreError::Io { .. } => Self::Other(error.to_string()),
            StoreError::Text(wrong) => in_text(&wrong),
            other => Self::Usage(other.to_string()),
        }
    }
}
