//! From the state to cells. Changes nothing; every screen starts here.

pub mod ascii;
mod cells;
mod difference;
mod footer;
mod gallery;
mod heading;
mod overlay;
mod panel;
mod run;
mod thumbnail;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use unicode_width::UnicodeWidthStr;

use crate::draw::cells::{line, neutral};
use crate::state::app::{App, Screen};
use crate::state::layout::{Detail, detail};
use spikedeck_plot as plot;
use spikedeck_plot::grid::{Cell, CellGrid};

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
    match detail(width, height) {
        Detail::None => return,
        Detail::Line => {
            line(buf, Rect::new(0, 0, width, 1), &[(&status_word(app), app.theme.text)]);
            return;
        }
        Detail::Pane | Detail::Full => {}
    }
    match app.screen {
        Screen::Gallery => gallery::draw(app, buf),
        Screen::Run => run::draw(app, buf),
    }
    overlay::draw(app, buf);
    if app.look.marker == plot::Marker::Ascii {
        ascii::frames(buf);
    }
}

/// All there is to say in one short line.
fn status_word(app: &App) -> String {
    match app.jobs.list().iter().rev().find(|j| j.active()).map(|j| &j.progress) {
        Some(p) => format!("{:.0} %", p.fraction * 100.0),
        None => "spikedeck".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_plot::colour::Colour;

    #[test]
    fn the_picture_of_a_screen_has_its_cells() {
        let app = crate::testing::running((100, 30));
        let grid = grid(&app);
        assert_eq!((grid.width, grid.height), (100, 30));
        assert!(grid.to_plain().contains("1 Spikes"));
        assert!(grid.cells.iter().any(|c| c.style.bold && c.style.fg != Colour::Default));
    }
}
