//! Small pictures of a scene without axes and words, and the text that they are kept as.
//!
//! A picture is as many lines of characters as it has rows, each followed by its styles: runs of cells as
//! `COUNT COLOUR/GROUND`, where a colour is one of the 16 that the terminal's user chose (`a2`), one of the fixed 256
//! (`i53`), or none (`-`).

use std::fmt::Write as _;

use crate::cells::{Look, Marker, render};
use crate::colour::{Colour, Depth, Palette, Role, Style};
use crate::grid::{Cell, CellGrid};
use crate::scene::{Body, Mark, Scene};

/// Columns of a thumbnail.
pub const WIDTH: usize = 24;
/// Rows of a thumbnail.
pub const HEIGHT: usize = 6;

/// The scene in [`WIDTH`] by [`HEIGHT`] cells: marks alone. Curves and spikes have the colours of the terminal's user,
/// which suit any ground; images have those of the 256 that are the same everywhere. Nothing where the scene is a table
/// or text.
pub fn of(mut scene: Scene<'_>) -> Option<CellGrid> {
    let Body::Plot(plot) = &mut scene.body else { return None };
    plot.legend.clear();
    plot.colour_bar = None;
    plot.whole = None;
    // One panel says more in six rows than two.
    plot.panels.truncate(1);
    for panel in &mut plot.panels {
        panel.framed = false;
        panel.y.title.clear();
        panel.marks.retain(|m| !matches!(m, Mark::Text { .. }));
        for mark in &mut panel.marks {
            if let Mark::Rule { name, .. } = mark {
                *name = "";
            }
        }
    }
    scene.cursor = None;
    let is_image = |m: &Mark<'_>| matches!(m, Mark::Image(_));
    let Body::Plot(plot) = &scene.body else { return None };
    let depth = if plot.panels.iter().any(|p| p.marks.iter().any(is_image)) { Depth::Indexed } else { Depth::Sixteen };
    let look = Look { palette: Palette { depth, ..Palette::default() }, marker: Marker::Braille, title: false };
    let mut grid = render(&scene, WIDTH, HEIGHT, &look).grid;
    // The ground of text is the reader's own.
    let text = look.palette.style(Role::Text).fg;
    for cell in grid.cells.iter_mut().filter(|c| c.style.fg == text) {
        cell.style.fg = Colour::Default;
    }
    Some(grid)
}

fn word(colour: Colour) -> String {
    match colour {
        Colour::Default => "-".to_owned(),
        Colour::Ansi(n) => format!("a{n}"),
        Colour::Indexed(n) => format!("i{n}"),
        Colour::Rgb(..) => unreachable!("thumbnails are painted with 16 or 256 colours"),
    }
}

fn colour(word: &str) -> Option<Colour> {
    match word.split_at_checked(1)? {
        ("-", "") => Some(Colour::Default),
        ("a", n) => n.parse().ok().filter(|n| *n < 16).map(Colour::Ansi),
        ("i", n) => n.parse().ok().map(Colour::Indexed),
        _ => None,
    }
}

/// The picture as text.
///
/// # Panics
/// Where it was painted with more than 256 colours.
pub fn written(grid: &CellGrid) -> String {
    let mut out = String::new();
    for row in grid.cells.chunks(grid.width.max(1)) {
        let text: String = row.iter().map(|c| c.ch).collect();
        let _ = writeln!(out, "|{text}|");
        let runs: Vec<String> = row
            .chunk_by(|a, b| (a.style.fg, a.style.bg) == (b.style.fg, b.style.bg))
            .map(|run| format!("{} {}/{}", run.len(), word(run[0].style.fg), word(run[0].style.bg)))
            .collect();
        let _ = writeln!(out, "{}", runs.join(" "));
    }
    out
}

/// The picture of such a text; nothing where it is none.
pub fn read(text: &str) -> Option<CellGrid> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let characters: Vec<char> = line.strip_prefix('|')?.strip_suffix('|')?.chars().collect();
        let words: Vec<&str> = lines.next()?.split(' ').collect();
        let mut styles: Vec<Style> = Vec::new();
        for run in words.chunks(2) {
            let [count, colours] = run else { return None };
            let (fg, bg) = colours.split_once('/')?;
            let style = Style { fg: colour(fg)?, bg: colour(bg)?, ..Style::default() };
            let count: usize = count.parse().ok().filter(|n| *n <= characters.len())?;
            styles.extend(std::iter::repeat_n(style, count));
        }
        if styles.len() != characters.len() || rows.first().is_some_and(|first| first.len() != characters.len()) {
            return None;
        }
        rows.push(characters.into_iter().zip(styles).map(|(ch, style)| Cell { ch, style }).collect());
    }
    let width = rows.first()?.len();
    Some(CellGrid { width, height: rows.len(), cells: rows.concat() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene;
    use crate::view::View;

    /// Every picture comes back as it was, has its size, no axis and no word, and nothing that a reader's colours hide.
    #[test]
    fn pictures_are_kept_as_they_are() {
        let mut drawn = 0;
        for shape in crate::samples::all() {
            let Some(grid) = of(scene::of(&shape, &View::default())) else { continue };
            drawn += 1;
            assert_eq!((grid.width, grid.height), (WIDTH, HEIGHT), "{}", shape.name);
            let plain = grid.to_plain();
            assert!(!plain.contains(['┤', '┬', '└']), "{}\n{plain}", shape.name);
            assert!(plain.chars().filter(char::is_ascii_alphabetic).count() < 3, "{}\n{plain}", shape.name);
            assert!(grid.cells.iter().any(|c| c.ch != ' ' || c.style.bg != Colour::Default), "{}", shape.name);
            let text = written(&grid);
            let mut plain = grid.clone();
            for cell in &mut plain.cells {
                cell.style = Style { fg: cell.style.fg, bg: cell.style.bg, ..Style::default() };
            }
            assert_eq!(read(&text).as_ref(), Some(&plain), "{text}");
            assert!(text.len() < 3500, "{} takes {} bytes", shape.name, text.len());
        }
        assert!(drawn > 5);
    }

    #[test]
    fn what_is_no_picture_is_none() {
        for text in ["", "|ab|", "|ab|\n3 -/-", "|ab|\n1 -/- 2", "|ab|\n2 x/-", "ab\n2 -/-", "|ab|\n2 -/-\n|a|\n1 -/-"]
        {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(read("|ab|\n2 a3/i99").unwrap().cells[1].style.bg, Colour::Indexed(99));
    }
}
