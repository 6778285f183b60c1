//! A cell grid as a picture: how a terminal would show it. The README's picture of the dashboard is made by this.

use std::fmt::Write as _;

use super::{escape, hex, length};
use crate::colour::{Palette, Role, Style, to_rgb};
use crate::grid::{Cell, CellGrid};
use crate::map::Rgb;

/// Size of a cell and of its letters in pixels (Hack is 0.602 em wide).
const CELL: (f64, f64) = (8.0, 17.0);
const FONT: f64 = CELL.0 / 0.602;

/// Foreground and background as the eye sees them.
fn seen(style: Style, palette: Palette) -> (Rgb, Rgb) {
    let (ink, ground) = (palette.rgb(Role::Text), palette.ground());
    let (mut fg, mut bg) = (to_rgb(style.fg, ink), to_rgb(style.bg, ground));
    if style.dim {
        let mix = |a: u8, b: u8| ((u16::from(a) * 3 + u16::from(b) * 2) / 5) as u8;
        fg = (mix(fg.0, bg.0), mix(fg.1, bg.1), mix(fg.2, bg.2));
    }
    if style.reverse {
        std::mem::swap(&mut fg, &mut bg);
    }
    (fg, bg)
}

/// Blocks and lines are drawn as shapes, so that they meet at cell borders in every viewer.
fn shape(ch: char, x: f64, y: f64) -> Option<String> {
    let (w, h) = CELL;
    let rect = |x: f64, y: f64, w: f64, h: f64| {
        format!("M{} {}h{}v{}h{}Z", length(x), length(y), length(w), length(h), length(-w))
    };
    let code = u32::from(ch);
    match ch {
        '█' => Some(rect(x, y, w, h)),
        '▀' => Some(rect(x, y, w, h / 2.0)),
        '▁'..='▇' => {
            let part = h * f64::from(code - 0x2580) / 8.0;
            Some(rect(x, y + h - part, w, part))
        }
        '▉'..='▏' => Some(rect(x, y, w * f64::from(0x2590 - code) / 8.0, h)),
        '▔' => Some(rect(x, y, w, h / 8.0)),
        '▖'..='▟' => {
            let bits: u32 = match ch {
                '▖' => 4,
                '▗' => 8,
                '▘' => 1,
                '▙' => 13,
                '▚' => 9,
                '▛' => 7,
                '▜' => 11,
                '▝' => 2,
                '▞' => 6,
                _ => 14,
            };
            let quarter =
                |k: u32| rect(x + f64::from(k % 2) * w / 2.0, y + f64::from(k / 2) * h / 2.0, w / 2.0, h / 2.0);
            Some((0..4).filter(|k| bits >> k & 1 == 1).map(quarter).collect())
        }
        _ => lines(ch).map(|arms| {
            let (cx, cy, t) = (x + w / 2.0, y + h / 2.0, 1.1);
            let mut d = String::new();
            let halves = [
                (x, cy, w / 2.0 + t / 2.0, true),
                (cx - t / 2.0, cy, w / 2.0 + t / 2.0, true),
                (cx, y, h / 2.0 + t / 2.0, false),
                (cx, cy - t / 2.0, h / 2.0 + t / 2.0, false),
            ];
            for (k, (px, py, length, across)) in halves.into_iter().enumerate() {
                if arms >> k & 1 == 1 {
                    d.push_str(&if across {
                        rect(px, py - t / 2.0, length, t)
                    } else {
                        rect(px - t / 2.0, py, t, length)
                    });
                }
            }
            d
        }),
    }
}

/// The dots of a braille character as points of no length, which round ends of a stroke make visible: a dense raster
/// has tens of thousands of them, and this is the shortest way to write one.
fn dots(ch: char, x: f64, y: f64) -> Option<String> {
    // Braille bits: 1 2 3 7 down the left, 4 5 6 8 down the right.
    const PLACES: [(u8, u8); 8] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
    let bits = u32::from(ch).checked_sub(0x2800).filter(|b| *b < 256)?;
    let dot = |&(i, j): &(u8, u8)| {
        let (cx, cy) = (x + CELL.0 * (f64::from(i) + 0.5) / 2.0, y + CELL.1 * (f64::from(j) + 0.5) / 4.0);
        format!("M{} {:.1}h0", length(cx), cy)
    };
    Some(PLACES.iter().enumerate().filter(|(k, _)| bits >> k & 1 == 1).map(|(_, p)| dot(p)).collect())
}

/// Arms of a box-drawing character: left 1, right 2, up 4, down 8.
fn lines(ch: char) -> Option<u8> {
    Some(match ch {
        '─' | '━' => 3,
        '│' | '┃' => 12,
        '┌' | '╭' => 10,
        '┐' | '╮' => 9,
        '└' | '╰' => 6,
        '┘' | '╯' => 5,
        '├' => 14,
        '┤' => 13,
        '┬' => 11,
        '┴' => 7,
        '┼' => 15,
        _ => return None,
    })
}

/// A standalone SVG of a grid on its palette's ground, with a margin of one cell.
pub fn of_grid(grid: &CellGrid, palette: Palette) -> String {
    let (w, h) = CELL;
    let (width, height) = ((grid.width as f64 + 2.0) * w, grid.height as f64 * h + 2.0 * w);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" \
         font-family=\"Hack, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"{2}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{3}\"/>\n<g transform=\"translate({4} {4})\" \
         xml:space=\"preserve\">\n",
        length(width),
        length(height),
        length(FONT),
        hex(palette.ground()),
        length(w)
    );
    // Backgrounds first, as runs; then shapes, one path a colour and row; then letters.
    for (row, cells) in grid.cells.chunks(grid.width.max(1)).enumerate() {
        let y = row as f64 * h;
        let mut column = 0;
        while column < cells.len() {
            let bg = seen(cells[column].style, palette).1;
            let from = column;
            while column < cells.len() && seen(cells[column].style, palette).1 == bg {
                column += 1;
            }
            if bg != palette.ground() {
                let (x, run) = (from as f64 * w, (column - from) as f64 * w);
                let _ = writeln!(
                    out,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" shape-rendering=\"crispEdges\"/>",
                    length(x),
                    length(y),
                    length(run),
                    length(h),
                    hex(bg)
                );
            }
        }
    }
    let mut paths: std::collections::BTreeMap<Rgb, String> = std::collections::BTreeMap::new();
    let mut points = paths.clone();
    let mut letters = String::new();
    for (index, cell) in grid.cells.iter().enumerate().filter(|(_, c)| c.style.underline) {
        let (x, y) = ((index % grid.width) as f64 * w, (index / grid.width) as f64 * h);
        let d = paths.entry(seen(cell.style, palette).0).or_default();
        let _ = write!(d, "M{} {}h{}v1h{}Z", length(x), length(y + h - 2.0), length(w), length(-w));
    }
    for (row, cells) in grid.cells.chunks(grid.width.max(1)).enumerate() {
        let y = row as f64 * h;
        let mut column = 0;
        while column < cells.len() {
            let Cell { ch, style } = cells[column];
            let (fg, _) = seen(style, palette);
            let x = column as f64 * w;
            if ch == ' ' || ch == Cell::WIDE_REST {
                column += 1;
                continue;
            }
            if let Some(d) = dots(ch, x, y) {
                points.entry(fg).or_default().push_str(&d);
                column += 1;
                continue;
            }
            if let Some(d) = shape(ch, x, y) {
                paths.entry(fg).or_default().push_str(&d);
                column += 1;
                continue;
            }
            // Plain letters of one style in one element, stretched to whole cells; anything else alone.
            let mut run = String::from(ch);
            column += 1;
            while ch.is_ascii()
                && column < cells.len()
                && cells[column].style == style
                && cells[column].ch.is_ascii()
                && cells[column].ch != Cell::WIDE_REST
            {
                run.push(cells[column].ch);
                column += 1;
            }
            let trimmed = run.trim_end();
            let count = trimmed.chars().count().max(1);
            let stretch = if ch.is_ascii() {
                format!(" textLength=\"{}\" lengthAdjust=\"spacing\"", length(count as f64 * w))
            } else {
                String::new()
            };
            let stretch = if count > 1 { stretch } else { String::new() };
            let bold = if style.bold { " font-weight=\"bold\"" } else { "" };
            let _ = writeln!(
                letters,
                "<text x=\"{}\" y=\"{}\" fill=\"{}\"{bold}{stretch} xml:space=\"preserve\">{}</text>",
                length(x),
                length(y + h * 0.76),
                hex(fg),
                escape(trimmed)
            );
        }
    }
    for (rgb, d) in paths {
        let _ = writeln!(out, "<path d=\"{d}\" fill=\"{}\"/>", hex(rgb));
    }
    for (rgb, d) in points.iter().filter(|p| !p.1.is_empty()) {
        let _ =
            writeln!(out, "<path d=\"{d}\" stroke=\"{}\" stroke-width=\"2.5\" stroke-linecap=\"round\"/>", hex(*rgb));
    }
    out.push_str(&letters);
    out.push_str("</g>\n</svg>\n");
    out
}
