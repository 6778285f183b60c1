//! From the state to cells. Changes nothing; every screen starts here.

mod gallery;
mod overlay;
pub mod run;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

use crate::input::commands::{COMMANDS, Context};
use crate::state::app::{App, Screen};
use crate::state::layout::{Room, part, room};
use spikedeck_plot::grid::{Cell, CellGrid};
use spikedeck_plot::{self as plot, colour::Colour};

/// Draws the state.
pub fn draw(app: &App, frame: &mut Frame<'_>) {
    let area = frame.area();
    paint(app, area, frame.buffer_mut());
}

/// Draws the state into a buffer; what lies outside the state's size stays as it is.
pub fn paint(app: &App, area: Rect, buf: &mut Buffer) {
    let width = app.size.0.min(area.width);
    let height = app.size.1.min(area.height);
    if (width, height) != app.size {
        // The screen shrank and the message is still on its way: the next frame will fit.
        return;
    }
    match room(width, height) {
        Room::None => return,
        Room::Line => {
            line(buf, Rect::new(0, 0, width, 1), &[(&status_word(app), app.theme.text)]);
            return;
        }
        Room::Pane | Room::Full => {}
    }
    match app.screen {
        Screen::Gallery => gallery::draw(app, buf),
        Screen::Run => run::draw(app, buf),
    }
    overlay::draw(app, buf);
}

/// All there is to say in one short line.
fn status_word(app: &App) -> String {
    match app.jobs.iter().rev().find(|j| j.active()).and_then(|j| j.progress.as_ref()) {
        Some(p) => format!("{:.0} %", p.fraction * 100.0),
        None => "spikedeck".to_owned(),
    }
}

/// Writes pieces of text one after the other into one line, cut at its end; returns the cells used.
pub fn line(buf: &mut Buffer, area: Rect, pieces: &[(&str, Style)]) -> u16 {
    let mut x = area.x;
    if area.height == 0 {
        return 0;
    }
    for (text, style) in pieces {
        let left = area.right().saturating_sub(x);
        if left == 0 {
            break;
        }
        let text = crate::number::fit(text, usize::from(left));
        // What a rule below left in the cells must not show through: only the background stays.
        let fresh = Style::new()
            .fg(style.fg.unwrap_or(Color::Reset))
            .remove_modifier(Modifier::DIM | Modifier::BOLD)
            .patch(*style);
        let (next, _) = buf.set_stringn(x, area.y, &text, usize::from(left), fresh);
        x = next;
    }
    x - area.x
}

/// The same, ending at the right end of the line, if it fits; returns the cells used.
pub fn line_right(buf: &mut Buffer, area: Rect, pieces: &[(&str, Style)]) -> u16 {
    let width = pieces.iter().map(|p| p.0.width()).sum::<usize>();
    match u16::try_from(width).ok().filter(|w| *w <= area.width) {
        Some(w) => line(buf, part(area, area.width - w, 0, w, 1), pieces),
        None => 0,
    }
}

/// A bar of `width` cells filled to a fraction, in eighths of a cell.
pub fn bar(fraction: f64, width: usize) -> (String, String) {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (fraction.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let done = format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8]);
    let rest = width - eighths.div_ceil(8).min(width);
    (done, "─".repeat(rest))
}

/// Copies a grid of plot cells.
pub fn blit(buf: &mut Buffer, area: Rect, grid: &CellGrid) {
    for y in 0..usize::from(area.height).min(grid.height) {
        for x in 0..usize::from(area.width).min(grid.width) {
            let Some(cell) = grid.get(x, y).filter(|c| c.ch != Cell::WIDE_REST) else { continue };
            let Some(target) = buf.cell_mut((area.x + x as u16, area.y + y as u16)) else { continue };
            target.set_char(cell.ch);
            target.fg = colour(cell.style.fg);
            target.bg = colour(cell.style.bg);
            let mut modifier = Modifier::empty();
            modifier.set(Modifier::BOLD, cell.style.bold);
            modifier.set(Modifier::DIM, cell.style.dim);
            modifier.set(Modifier::UNDERLINED, cell.style.underline);
            modifier.set(Modifier::REVERSED, cell.style.reverse);
            target.modifier = modifier;
        }
    }
}

/// The screen as a neutral grid, for a picture of it.
pub fn grid(app: &App) -> CellGrid {
    let area = Rect::new(0, 0, app.size.0, app.size.1);
    let mut buf = Buffer::empty(area);
    paint(app, area, &mut buf);
    let mut grid = CellGrid::new(usize::from(area.width), usize::from(area.height));
    for y in 0..grid.height {
        let mut rest = false;
        for x in 0..grid.width {
            let Some(cell) = buf.cell((x as u16, y as u16)) else { continue };
            let m = cell.modifier;
            let style = plot::colour::Style {
                fg: neutral(cell.fg),
                bg: neutral(cell.bg),
                bold: m.contains(Modifier::BOLD),
                dim: m.contains(Modifier::DIM),
                underline: m.contains(Modifier::UNDERLINED),
                reverse: m.contains(Modifier::REVERSED),
            };
            grid.set(x, y, if rest { Cell::WIDE_REST } else { cell.symbol().chars().next().unwrap_or(' ') }, style);
            rest = !rest && cell.symbol().width() == 2;
        }
    }
    grid
}

/// The opposite of [`colour`].
fn neutral(c: Color) -> Colour {
    match c {
        Color::Reset => Colour::Default,
        Color::Rgb(r, g, b) => Colour::Rgb(r, g, b),
        Color::Indexed(i) if i >= 16 => Colour::Indexed(i),
        Color::Indexed(i) => Colour::Ansi(i),
        Color::Black => Colour::Ansi(0),
        Color::Red => Colour::Ansi(1),
        Color::Green => Colour::Ansi(2),
        Color::Yellow => Colour::Ansi(3),
        Color::Blue => Colour::Ansi(4),
        Color::Magenta => Colour::Ansi(5),
        Color::Cyan => Colour::Ansi(6),
        Color::Gray => Colour::Ansi(7),
        Color::DarkGray => Colour::Ansi(8),
        Color::LightRed => Colour::Ansi(9),
        Color::LightGreen => Colour::Ansi(10),
        Color::LightYellow => Colour::Ansi(11),
        Color::LightBlue => Colour::Ansi(12),
        Color::LightMagenta => Colour::Ansi(13),
        Color::LightCyan => Colour::Ansi(14),
        Color::White => Colour::Ansi(15),
    }
}

fn colour(c: Colour) -> Color {
    match c {
        Colour::Default => Color::Reset,
        Colour::Ansi(i) | Colour::Indexed(i) => Color::Indexed(i),
        Colour::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}

/// Gives every cell of an area a style on top of what it has.
pub fn tint(buf: &mut Buffer, area: Rect, style: Style) {
    buf.set_style(area.intersection(buf.area), style);
}

/// The last line: hints on the left by their priority, state on the right. `? help` stays longest.
pub fn footer(app: &App, buf: &mut Buffer, area: Rect) {
    let t = &app.theme;
    let mut right: Vec<(String, Style)> = Vec::new();
    if app.frozen {
        right.push((" frozen ".to_owned(), t.warn.add_modifier(Modifier::REVERSED)));
    }
    if let Some((rate, frame)) = app.link {
        let fps = 1.0 / (frame.as_secs_f64() * 4.0).max(1e-3);
        let text = format!(
            "link {} kB/s, {} fps",
            crate::number::short((rate / 1000.0).round()),
            crate::number::short((fps * 10.0).round() / 10.0)
        );
        right.push((text, t.warn));
    }
    if app.mouse {
        right.push(("mouse".to_owned(), t.dim));
    }
    let mut spaced: Vec<(&str, Style)> = Vec::new();
    for (text, style) in &right {
        spaced.push(("  ", t.text));
        spaced.push((text, *style));
    }
    let used = if area.width > 50 { line_right(buf, area, &spaced) } else { 0 };
    let left = part(area, 0, 0, area.width.saturating_sub(used), 1);
    if let Some((text, bad)) = &app.notice {
        let style = if *bad { t.bad } else { t.warn };
        line(buf, left, &[(if *bad { "✗ " } else { "" }, style), (text, style)]);
        return;
    }
    hints(app, buf, left);
}

fn hints(app: &App, buf: &mut Buffer, area: Rect) {
    let t = &app.theme;
    let context = app.context();
    let shown = |c: &&crate::input::commands::Command| {
        (c.context == context || c.context == Context::Everywhere) && useful(app, c.id)
    };
    let mut offers: Vec<(u8, usize, String, &str)> = COMMANDS
        .iter()
        .enumerate()
        .filter(|(_, c)| shown(c))
        .filter_map(|(i, c)| {
            let (priority, word) = c.hint?;
            let key = app.keymap.keys(c.id).first()?.to_string();
            Some((priority, i, key, word))
        })
        .collect();
    offers.sort();
    let mut width = usize::from(area.width);
    let mut kept: Vec<(usize, String, &str)> = Vec::new();
    for (_, i, key, word) in offers {
        let need = key.width() + 1 + word.width() + 2;
        if need > width + 2 {
            break;
        }
        width = width.saturating_sub(need);
        kept.push((i, key, word));
    }
    // Drawn in the order of the table, with help first.
    kept.sort_by_key(|k| k.0);
    let pieces: Vec<(&str, Style)> =
        kept.iter().flat_map(|(_, k, w)| [(k.as_str(), t.key), (" ", t.dim), (*w, t.dim), ("  ", t.dim)]).collect();
    line(buf, area, &pieces);
}

/// Whether a hint says something that makes sense now.
fn useful(app: &App, id: &str) -> bool {
    match id {
        "runs" => !app.columns.is_empty(),
        "difference" => app.columns.len() > 1,
        "play" => crate::input::play::movie(app).is_some(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_over_a_rule_takes_nothing_of_its_looks() {
        let area = Rect::new(0, 0, 4, 1);
        let mut buf = Buffer::empty(area);
        line(&mut buf, area, &[("────", Style::new().fg(Color::Indexed(239)).add_modifier(Modifier::DIM))]);
        line(&mut buf, area, &[("ab", Style::new().add_modifier(Modifier::BOLD))]);
        let (text, rule) = (buf.cell((0, 0)).unwrap(), buf.cell((3, 0)).unwrap());
        assert_eq!((text.fg, text.modifier), (Color::Reset, Modifier::BOLD));
        assert_eq!((rule.fg, rule.modifier), (Color::Indexed(239), Modifier::DIM));
    }

    #[test]
    fn the_picture_of_a_screen_has_its_cells() {
        let app = crate::testing::running((100, 30));
        let grid = grid(&app);
        assert_eq!((grid.width, grid.height), (100, 30));
        assert!(grid.to_plain().contains("1 Spikes"));
        assert!(grid.cells.iter().any(|c| c.style.bold && c.style.fg != Colour::Default));
    }

    #[test]
    fn bars_are_exact_to_an_eighth() {
        assert_eq!(bar(0.5, 4), ("██".into(), "──".into()));
        assert_eq!(bar(0.03125, 4), ("▏".into(), "───".into()));
        assert_eq!(bar(7.0, 2), ("██".into(), String::new()));
        assert_eq!(bar(f64::NAN, 2).1.chars().count(), 2);
    }
}
