//! A neutral grid of styled cells: what the terminal painter makes, what the dashboard copies to the screen, and what
//! becomes ANSI text or an SVG picture.

use spikedeck_core::visible::visible_line;
use unicode_width::UnicodeWidthChar as _;

use super::colour::Style;

/// One cell. The right half of a wide character is a cell with [`Cell::WIDE_REST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Character.
    pub ch: char,
    /// Colours and weight.
    pub style: Style,
}

impl Cell {
    /// Stands in the cell that the wide character on its left covers; copy nothing for it.
    pub const WIDE_REST: char = '\0';
}

impl Default for Cell {
    fn default() -> Self {
        Self { ch: ' ', style: Style::default() }
    }
}

/// A rectangle of cells inside a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Area {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Area {
    /// Whether a cell lies inside.
    pub fn contains(self, x: usize, y: usize) -> bool {
        x >= self.x && y >= self.y && x < self.x + self.width && y < self.y + self.height
    }
}

/// Cells row by row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CellGrid {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` cells, row by row.
    pub cells: Vec<Cell>,
}

impl CellGrid {
    /// A grid of blanks.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: vec![Cell::default(); width * height] }
    }

    /// The cell at a place, if it is inside.
    pub fn get(&self, x: usize, y: usize) -> Option<&Cell> {
        if x < self.width { self.cells.get(y * self.width + x) } else { None }
    }

    /// The cell at a place, to be changed.
    pub fn get_mut(&mut self, x: usize, y: usize) -> Option<&mut Cell> {
        if x < self.width { self.cells.get_mut(y * self.width + x) } else { None }
    }

    /// Sets character and style; outside nothing happens.
    pub fn set(&mut self, x: usize, y: usize, ch: char, style: Style) {
        if let Some(cell) = self.get_mut(x, y) {
            *cell = Cell { ch, style };
        }
    }

    /// Sets character and style but keeps the background that is there.
    pub fn over(&mut self, x: usize, y: usize, ch: char, style: Style) {
        if let Some(cell) = self.get_mut(x, y) {
            *cell = Cell { ch, style: Style { bg: cell.style.bg, ..style } };
        }
    }

    /// Writes text into at most `most` columns (cut with `…`), keeping the background; returns the columns used.
    pub fn text(&mut self, x: usize, y: usize, text: &str, style: Style, most: usize) -> usize {
        let most = most.min(self.width.saturating_sub(x));
        let fitted = fit(text, most);
        let mut at = x;
        for ch in fitted.chars() {
            let width = ch.width().unwrap_or(0);
            if width == 0 {
                continue;
            }
            self.over(at, y, ch, style);
            if width == 2 {
                self.over(at + 1, y, Cell::WIDE_REST, style);
            }
            at += width;
        }
        at - x
    }

    /// The characters, one line a row, without trailing blanks.
    pub fn to_plain(&self) -> String {
        let mut out = String::new();
        for row in self.cells.chunks(self.width.max(1)) {
            let line: String = row.iter().filter(|c| c.ch != Cell::WIDE_REST).map(|c| c.ch).collect();
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// Columns that text takes.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Text cut to `most` columns; a cut is marked with `…`.
pub fn fit(text: &str, most: usize) -> String {
    let text = &visible_line(text).replace('\t', " ");
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for ch in text.chars() {
        let width = ch.width().unwrap_or(0);
        if used + width + 1 > most {
            break;
        }
        out.push(ch);
        used += width;
    }
    if most > 0 {
        out.push('…');
    }
    out
}

/// Breaks text into lines of at most `width` columns, at spaces where possible; line breaks in the text stay.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    wrapped(text, width, true)
}

/// Breaks text into lines at spaces alone: a word that is wider than a line, such as the path of a file, stays whole.
pub fn wrap_words(text: &str, width: usize) -> Vec<String> {
    wrapped(text, width, false)
}

fn wrapped(text: &str, width: usize, cuts: bool) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let indent: String = paragraph.chars().take_while(|c| *c == ' ').collect();
        let indent = if columns(&indent) * 2 < width { indent } else { String::new() };
        let mut line = indent.clone();
        let mut empty = true;
        for word in paragraph.split_whitespace() {
            let mut word = word.to_owned();
            if !empty && columns(&line) + 1 + columns(&word) > width {
                lines.push(std::mem::replace(&mut line, indent.clone()));
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            while cuts && empty && !word.is_empty() && columns(&line) + columns(&word) > width {
                let mut cut = 0;
                let mut used = columns(&line);
                for (at, ch) in word.char_indices() {
                    used += ch.width().unwrap_or(0);
                    if used > width && at > 0 {
                        break;
                    }
                    cut = at + ch.len_utf8();
                }
                let rest = word.split_off(cut);
                line.push_str(&word);
                word = rest;
                if !word.is_empty() {
                    lines.push(std::mem::replace(&mut line, indent.clone()));
                }
            }
            line.push_str(&word);
            empty = false;
        }
        lines.push(if empty { String::new() } else { line });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_visibly_and_wide_characters_take_two() {
        assert_eq!(fit("membrane", 5), "memb…");
        assert_eq!(fit("膜電位", 5), "膜電…");
        assert_eq!(fit("a", 0), "");
        let mut g = CellGrid::new(4, 1);
        assert_eq!(g.text(0, 0, "膜x", Style::default(), 9), 3);
        assert_eq!(g.get(1, 0).unwrap().ch, Cell::WIDE_REST);
        assert_eq!(g.to_plain(), "膜x\n");
    }

    #[test]
    fn wrapping_loses_nothing() {
        assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("x\n\n  y z", 5), ["x", "", "  y z"]);
        assert_eq!(wrap("x\n  \ny", 5), ["x", "", "y"]);
        assert_eq!(wrap("膜電", 1), ["膜", "電"]);
        let whole = ["in", "/a/long/path", "it is", "  /b/long/path"];
        assert_eq!(wrap_words("in /a/long/path it is\n  /b/long/path", 6), whole);
        assert_eq!(wrap_words("a bb ccc", 4), ["a bb", "ccc"]);
    }
}
