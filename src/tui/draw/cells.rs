//! Text, bars and plots in cells: what all screens are made of.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

use crate::state::layout::part;
use spikedeck_plot::colour::Colour;
use spikedeck_plot::grid::{Cell, CellGrid};

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

/// Gives every cell of an area a style on top of what it has.
pub fn tint(buf: &mut Buffer, area: Rect, style: Style) {
    buf.set_style(area.intersection(buf.area), style);
}

fn colour(c: Colour) -> Color {
    match c {
        Colour::Default => Color::Reset,
        Colour::Ansi(i) | Colour::Indexed(i) => Color::Indexed(i),
        Colour::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}

/// The opposite of [`colour`].
pub fn neutral(c: Color) -> Colour {
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
    fn bars_are_exact_to_an_eighth() {
        assert_eq!(bar(0.5, 4), ("██".into(), "──".into()));
        assert_eq!(bar(0.03125, 4), ("▏".into(), "───".into()));
        assert_eq!(bar(7.0, 2), ("██".into(), String::new()));
        assert_eq!(bar(f64::NAN, 2).1.chars().count(), 2);
    }
}
