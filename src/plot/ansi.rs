//! A cell grid as text with ANSI escape sequences, for files and pipes; without colours it is plain text.

use std::fmt::Write as _;

use super::colour::{Colour, Style};
use super::grid::{Cell, CellGrid};
use spikedeck_core::visible::is_hidden;

fn colour(out: &mut String, colour: Colour, ground: bool) {
    let base = if ground { 40 } else { 30 };
    let _ = match colour {
        Colour::Default => Ok(()),
        Colour::Ansi(n) if n < 8 => write!(out, ";{}", base + u32::from(n)),
        Colour::Ansi(n) => write!(out, ";{}", base + 60 + u32::from(n % 8)),
        Colour::Indexed(n) => write!(out, ";{};5;{n}", base + 8),
        Colour::Rgb(r, g, b) => write!(out, ";{};2;{r};{g};{b}", base + 8),
    };
}

fn sequence(style: Style) -> String {
    let mut out = String::from("\u{1b}[0");
    for (set, code) in [(style.bold, ";1"), (style.dim, ";2"), (style.underline, ";4"), (style.reverse, ";7")] {
        if set {
            out.push_str(code);
        }
    }
    colour(&mut out, style.fg, false);
    colour(&mut out, style.bg, true);
    out.push('m');
    out
}

/// The grid as lines of text; styles are set where they change and reset at the end of each line.
pub fn of_grid(grid: &CellGrid) -> String {
    let mut out = String::new();
    for row in grid.cells.chunks(grid.width.max(1)) {
        let plain = |c: &Cell| c.ch == ' ' && c.style == Style::default();
        let end = row.iter().rposition(|c| !plain(c)).map_or(0, |k| k + 1);
        let mut now = Style::default();
        for cell in row[..end].iter().filter(|c| c.ch != Cell::WIDE_REST) {
            if cell.style != now {
                out.push_str(&sequence(cell.style));
                now = cell.style;
            }
            // A letter of a name that acts on a terminal is none that can be drawn.
            out.push(if is_hidden(cell.ch) { char::REPLACEMENT_CHARACTER } else { cell.ch });
        }
        if now != Style::default() {
            out.push_str("\u{1b}[0m");
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_change_only_where_they_change() {
        let mut g = CellGrid::new(4, 2);
        let red = Style { fg: Colour::Ansi(9), bold: true, ..Style::default() };
        g.text(0, 0, "ab", red, 4);
        g.set(2, 0, 'c', Style { bg: Colour::Rgb(1, 2, 3), ..Style::default() });
        assert_eq!(of_grid(&g), "\u{1b}[0;1;91mab\u{1b}[0;48;2;1;2;3mc\u{1b}[0m\n\n");
        g.set(0, 1, '\u{1b}', Style::default());
        let last = of_grid(&g).lines().last().map(str::to_owned);
        assert!(last.as_ref().is_some_and(|l| !l.contains('\u{1b}')), "{last:?}");
    }
}
