//! What happens ([`Message`]) and what is to be done about it ([`Effect`]).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::MouseEvent;

use crate::panes::content::Content;
use crate::state::bench::AskId;
use crate::state::gallery::Preview;
use crate::state::keys::Key;
use crate::state::source::{Asked, Source};
use spikedeck_run::Progress;
use spikedeck_scenario::Adjustable;

/// Number of a job; every start has a new one, so that what an older job tells is known to be stale.
pub type JobId = u64;

/// What a job tells the dashboard: as `run::Event`, with panes made already (off the drawing thread).
#[derive(Debug, Clone)]
pub enum JobEvent {
    /// The scenario is understood: its name, its file, and the time axis it will fill.
    Resolved {
        /// Name with variant.
        label: String,
        /// File to watch.
        path: Option<PathBuf>,
        /// Other files that it names.
        beside: Vec<PathBuf>,
        /// Whole time axis.
        time: Option<(f64, f64)>,
        /// Its size: name and value (time, connections, memory).
        facts: Vec<(String, String)>,
    },
    /// How far.
    Progress(Progress),
    /// What there is so far.
    Live(Arc<Content>),
    /// A line for the log.
    Log(String),
    /// Over, with what it left.
    Done(Arc<Content>),
    /// It could not start, or crashed.
    Failed(String),
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// A key.
    Key(Key),
    /// Text pasted.
    Paste(String),
    /// Mouse.
    Mouse(MouseEvent),
    /// The terminal has another size: it is asked for.
    SizeChanged,
    /// The terminal has this size.
    Resize(u16, u16),
    /// From a job.
    Job(JobId, JobEvent),
    /// Whether a scenario with changes can be understood: every value of it, or what is wrong.
    Understood(AskId, Result<Arc<Vec<Adjustable>>, String>),
    /// A scenario was written to a file, or why not; whether that is to be edited.
    Saved {
        /// Which scenario it was.
        asked: Asked,
        /// The file, or why there is none.
        file: Result<PathBuf, String>,
        /// Whether the editor follows.
        edit: bool,
    },
    /// A preview is ready.
    Preview(usize, Result<Preview, String>),
    /// A watched file is another one now.
    FileChanged(PathBuf),
    /// A line for the status line and the log; whether it tells of a failure.
    Notice(String, bool),
    /// How the link does: bytes a second, pause between frames; `None` when nothing holds frames back.
    Link(Option<(f64, Duration)>),
    /// The terminal answers: what was written before the last question has arrived.
    Answered,
    /// The terminal says that its background is light, or that it is not.
    Background(bool),
    /// A moment has passed; only told while something plays.
    Tick,
    /// The terminal asks to stop.
    Suspend,
    /// It goes on.
    Continued,
    /// A signal says to end, with this exit status.
    Terminate(i32),
    /// Nobody is at the terminal any more.
    TerminalGone,
}

/// What to write out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKind {
    /// The pane as SVG.
    Svg,
    /// The pane as PNG.
    Png,
    /// The pane's table as Parquet.
    Parquet,
    /// The pane's table as CSV.
    Csv,
    /// The pane as text with colours.
    Text,
    /// The whole run.
    Run,
    /// The metrics of all columns held against the first, as Parquet.
    Differences,
    /// A report of all columns as a page.
    Report,
    /// The same as Markdown.
    Markdown,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Start a job.
    Start(JobId, Source),
    /// Stop a job.
    Cancel(JobId),
    /// Find out whether a scenario with changes can be understood.
    Understand(AskId, Asked),
    /// Write a scenario with its changes to a file that is not there yet.
    Save {
        /// The scenario.
        asked: Asked,
        /// The file.
        path: PathBuf,
        /// Whether it is edited then.
        edit: bool,
    },
    /// Give the terminal to an editor.
    Edit(PathBuf),
    /// Make a preview.
    Preview(usize, Source),
    /// Write something to the current directory.
    Export {
        /// What.
        kind: ExportKind,
        /// Of which results.
        content: Arc<Content>,
        /// All columns, for what is of all.
        all: Vec<Arc<Content>>,
        /// Which pane.
        pane: usize,
        /// As it is looked at.
        view: Box<spikedeck_plot::View>,
        /// Cells, for text.
        size: (u16, u16),
    },
    /// Write a picture of the screen to the current directory.
    Picture,
    /// Into the clipboard.
    Copy(String),
    /// These files, and no others, are to be watched.
    Watch(Vec<PathBuf>),
    /// Mouse on or off.
    Mouse(bool),
    /// Leave the screen and stop, as ^Z does.
    Suspend,
    /// Take the screen again and draw all of it.
    Reenter,
    /// Draw everything again.
    Redraw,
    /// Ask the terminal for its size.
    AskSize,
    /// End with this exit status.
    Quit(i32),
}
