//! Standard output and standard error: tables, colour, progress.

use std::io::{self, IsTerminal, Write};

use spikedeck_core::visible::visible_line;
use unicode_width::UnicodeWidthStr;

/// No word is cut: what is told is copied, and looked for in logs.
pub(super) use spikedeck_plot::grid::wrap_words as wrap;

use super::door::{Door, own, trusted};

/// Standard output, buffered. Errors are passed on: a closed pipe ends the program quietly.
pub(super) fn out() -> io::BufWriter<Door<io::StdoutLock<'static>>> {
    io::BufWriter::with_capacity(1 << 16, Door::new(io::stdout().lock(), colour_on_stdout()))
}

/// A line to standard error. When that is closed, nobody listens.
pub(super) fn say(text: &str) {
    let cut = text.char_indices().nth(LONGEST).map(|(cut, _)| cut);
    match cut {
        Some(cut) => {
            let more = text[cut..].chars().count();
            to_stderr(&format!("{}… (and {more} more characters)\n", &text[..cut]), false);
        }
        None => to_stderr(&format!("{text}\n"), false),
    }
}

/// Most characters of what is said at once: some texts come out of files.
const LONGEST: usize = 8000;

/// The same of a text that sets colours itself, where they are wanted; what came from elsewhere in it is written out
/// already.
pub(super) fn say_coloured(text: &str) {
    to_stderr(&format!("{}\n", trusted(text)), colour_on_stderr());
}

fn to_stderr(text: &str, colour: bool) {
    let mut door = Door::new(io::stderr().lock(), colour);
    let _ = door.write_all(text.as_bytes()).and_then(|()| door.flush());
}

fn wanted(terminal: bool) -> bool {
    terminal
        && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
        && std::env::var("TERM").is_ok_and(|t| t != "dumb")
}

/// Whether standard error takes colour.
pub(super) fn colour_on_stderr() -> bool {
    wanted(io::stderr().is_terminal())
}

/// Whether standard output takes colour.
pub(super) fn colour_on_stdout() -> bool {
    wanted(io::stdout().is_terminal())
}

/// How a piece of text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Warn,
}

/// `text` in a tone, if `colour`.
pub(super) fn tone(text: &str, tone: Tone, colour: bool) -> String {
    let code = match tone {
        _ if !colour => return text.to_owned(),
        Tone::Plain => return text.to_owned(),
        Tone::Bold => "1",
        Tone::Dim => "2",
        Tone::Good => "32",
        Tone::Bad => "31",
        Tone::Warn => "33",
    };
    format!("{}{text}{}", own(code), own("0"))
}

/// Where a cell's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Rows of cells set in columns, two spaces apart; a column that is empty everywhere is left out. The last column is
/// not padded.
pub(super) struct Grid {
    aligns: Vec<Align>,
    rows: Vec<(Vec<String>, Tone)>,
}

impl Grid {
    pub(super) fn new(aligns: &[Align]) -> Self {
        Self { aligns: aligns.to_vec(), rows: Vec::new() }
    }

    pub(super) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>, tone: Tone) {
        self.rows.push((cells.into_iter().map(Into::into).collect(), tone));
    }

    /// Column headings: kept only where some other row has a cell.
    pub(super) fn write(&self, to: &mut impl Write, indent: &str, headings: bool, colour: bool) -> io::Result<()> {
        let n = self.aligns.len();
        let from = usize::from(headings);
        let width = |k: usize| self.rows.iter().filter_map(|r| r.0.get(k)).map(|c| c.width()).max().unwrap_or(0);
        let used: Vec<usize> = (0..n)
            .filter(|&k| self.rows.iter().skip(from).any(|r| r.0.get(k).is_some_and(|c| !c.is_empty())))
            .collect();
        let widths: Vec<usize> = used.iter().map(|&k| width(k)).collect();
        for (cells, row_tone) in &self.rows {
            let mut line = String::new();
            for (at, &k) in used.iter().enumerate() {
                let cell = cells.get(k).map_or("", String::as_str);
                let pad = " ".repeat(widths[at].saturating_sub(cell.width()));
                if at > 0 {
                    line.push_str("  ");
                }
                match self.aligns[k] {
                    Align::Left if at + 1 == used.len() => line.push_str(cell),
                    Align::Left => {
                        line.push_str(cell);
                        line.push_str(&pad);
                    }
                    Align::Right => {
                        line.push_str(&pad);
                        line.push_str(cell);
                    }
                }
            }
            writeln!(to, "{indent}{}", tone(line.trim_end(), *row_tone, colour))?;
        }
        Ok(())
    }
}

/// Columns of the terminal on standard output; 100 where there is none.
pub(super) fn width() -> usize {
    if io::stdout().is_terminal() {
        rustix::termios::tcgetwinsize(io::stdout()).map_or(100, |s| usize::from(s.ws_col)).clamp(40, 120)
    } else {
        100
    }
}

/// One line on standard error that is written over; nothing where standard error is no terminal.
pub(super) struct ProgressLine {
    shown: bool,
    active: bool,
}

impl ProgressLine {
    pub(super) fn new(quiet: bool) -> Self {
        Self { shown: false, active: !quiet && io::stderr().is_terminal() }
    }

    pub(super) fn show(&mut self, text: &str) {
        if self.active {
            let _ = write!(io::stderr().lock(), "\r\x1b[K{}", visible_line(text));
            self.shown = true;
        }
    }

    pub(super) fn clear(&mut self) {
        if self.shown {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
            self.shown = false;
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_align_and_drop_empty_columns() {
        let mut grid = Grid::new(&[Align::Left, Align::Right, Align::Left, Align::Right]);
        grid.row(["metric", "value", "chance", "n"], Tone::Dim);
        grid.row(["µ", "1.5", "", "10"], Tone::Plain);
        grid.row(["cv_isi", "-20", "", "5"], Tone::Plain);
        let mut text = Vec::new();
        grid.write(&mut text, "  ", true, false).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "  metric  value   n\n  µ         1.5  10\n  cv_isi    -20   5\n");
    }

    #[test]
    fn text_wraps_at_spaces() {
        assert_eq!(wrap("one two three\n\n  four five", 9), ["one two", "three", "", "  four", "  five"]);
        assert_eq!(wrap("see /home/me/results/spikes.csv", 9), ["see", "/home/me/results/spikes.csv"]);
    }
}
