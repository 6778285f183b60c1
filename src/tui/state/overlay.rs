//! What lies over the screen.

use std::sync::Arc;

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use crate::state::columns::Columns;
use crate::state::compare::Order;
use crate::state::jobs::Jobs;
use crate::state::layout::dialog;
use crate::state::log::Log;
use crate::state::message::ExportKind;
use crate::state::source::Settings;

/// What lies over the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// All keys, filtered by what is typed.
    Help {
        /// Typed text.
        query: String,
        /// First line shown.
        scroll: usize,
    },
    /// Commands to choose from.
    Palette {
        /// Typed text.
        query: String,
        /// Chosen line.
        selected: usize,
    },
    /// Metrics of all columns.
    Difference {
        /// Typed text.
        query: String,
        /// First line shown.
        scroll: usize,
        /// How rows are ordered.
        order: Order,
    },
    /// Jobs.
    Jobs {
        /// Chosen line.
        selected: usize,
    },
    /// Log.
    Log {
        /// Lines up from the end.
        up: usize,
    },
    /// The points of a sweep, one of which is opened.
    Points {
        /// All of them: what each is called, and what is set for it alone.
        rows: Arc<Vec<PointRow>>,
        /// Typed text.
        query: String,
        /// Chosen line.
        selected: usize,
    },
    /// What to write out.
    Export {
        /// Chosen line.
        selected: usize,
    },
    /// Whether to leave although something runs, or took long and was not written.
    Quit,
}

/// A point of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointRow {
    /// What tells it from the others.
    pub label: String,
    /// What is set for it alone, beside what is set in the column.
    pub set: Settings,
}

/// The points that match what was typed, by their places among all.
pub fn points_found(rows: &[PointRow], query: &str) -> Vec<usize> {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let has = |row: &PointRow| {
        let label = row.label.to_lowercase();
        words.iter().all(|w| label.contains(w.as_str()))
    };
    (0..rows.len()).filter(|k| has(&rows[*k])).collect()
}

/// What can be written out, in the order of the list: what, its key, its title, and what one gets.
pub const EXPORTS: &[(ExportKind, char, &str, &str)] = &[
    (ExportKind::Svg, 's', "Pane as SVG", "a vector figure, as the pane is zoomed now"),
    (ExportKind::Png, 'p', "Pane as PNG", "the same figure in pixels"),
    (ExportKind::Text, 'a', "Pane as text", "as on the screen, with colours (ANSI)"),
    (ExportKind::Parquet, 't', "Table as Parquet", "the numbers behind the pane"),
    (ExportKind::Csv, 'c', "Table as CSV", "the numbers behind the pane"),
    (ExportKind::Run, 'r', "Whole run", "a folder with manifest, spikes, traces, metrics and all tables"),
    (
        ExportKind::Report,
        'h',
        "Report as HTML",
        "one page of all columns: figures, numbers, methods, scenario, versions",
    ),
    (ExportKind::Markdown, 'm', "Report as Markdown", "the same as text, figures in it"),
    (ExportKind::Differences, 'd', "Differences", "every metric of all columns against the first, with p (Parquet)"),
];

/// What leaving now would lose.
pub fn what_is_lost(jobs: &Jobs, columns: &Columns) -> String {
    match jobs.list().iter().filter(|j| j.active()).count() {
        0 => match columns.list().iter().filter(|c| c.would_be_missed()).count() {
            0 => "Nothing is lost: what was under way has ended.".to_owned(),
            1 => "A run that took long was not written (e, r).".to_owned(),
            unwritten => format!("{unwritten} runs that took long were not written (e, r)."),
        },
        1 => "A run is still going; what it has is lost.".to_owned(),
        running => format!("{running} runs are still going; what they have is lost."),
    }
}

/// Where the log lies on a screen of a size.
pub fn log_area(size: (u16, u16)) -> Rect {
    dialog(size, 116, size.1.saturating_sub(4).max(4))
}

/// Lines of the log as they are shown, the long ones in several rows, and whether they tell of a failure.
pub fn log_rows(log: &Log, size: (u16, u16)) -> Vec<(String, bool)> {
    let width = usize::from(log_area(size).width.saturating_sub(4)).max(1);
    let rows =
        |text: &str| if text.width() > width { spikedeck_plot::grid::wrap(text, width) } else { vec![text.to_owned()] };
    log.lines().iter().flat_map(|l| rows(&l.text).into_iter().map(|r| (r, l.bad))).collect()
}
