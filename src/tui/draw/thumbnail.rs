//! What a scenario shows first, small, beside its description in the gallery.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::draw::cells::blit;
use crate::state::app::App;
use crate::state::layout::part;
use crate::state::theme::nearest;
use spikedeck_plot::colour::Colour;
use spikedeck_plot::grid::CellGrid;
use spikedeck_plot::thumbnail::{HEIGHT, WIDTH, read};
use spikedeck_plot::{Depth, Marker};

/// Columns that are left free between words and picture.
const GAP: u16 = 2;
/// Least columns for the words beside it.
const WORDS: u16 = 24;

/// The picture of a scenario that is built in, of which one was made (`.ci/tour`).
fn kept(name: &str) -> Option<CellGrid> {
    let heading = format!("# {name}\n");
    let pictures = spikedeck_data::THUMBNAILS;
    let at = pictures.find(&heading).filter(|at| *at == 0 || pictures[..*at].ends_with('\n'))?;
    let rest = &pictures[at + heading.len()..];
    read(rest.split("\n# ").next()?.trim_end())
}

/// The picture of the chosen entry where there is one and it can be shown: what it is of with colours alone is nothing
/// without them, and one in dots nothing in ASCII.
pub fn of(app: &App, area: Rect) -> Option<CellGrid> {
    let asked = app.gallery.entries[app.gallery.chosen()?].source.asked()?;
    if area.width < WIDTH as u16 + GAP + WORDS || area.height < HEIGHT as u16 + 2 || !asked.set.is_empty() {
        return None;
    }
    let grid = kept(&asked.reference)?;
    let is_coloured = grid.cells.iter().any(|c| c.style.bg != Colour::Default);
    let is_shown = app.look.marker != Marker::Ascii && !(is_coloured && app.look.palette.depth == Depth::None);
    is_shown.then_some(grid)
}

/// Columns that it takes from the words beside it.
pub const TAKEN: usize = WIDTH + GAP as usize;

/// Draws it at the right end of an area of which `scrolled` rows are out of sight.
pub fn draw(app: &App, buf: &mut Buffer, area: Rect, grid: &CellGrid, scrolled: usize) {
    let place = part(area, area.width - WIDTH as u16, 0, WIDTH as u16, HEIGHT.saturating_sub(scrolled) as u16);
    let mut seen = CellGrid { cells: grid.cells[scrolled.min(grid.height) * grid.width..].to_vec(), ..*grid };
    seen.height = seen.cells.len() / seen.width.max(1);
    blit(buf, place, &seen);
    for position in place.intersection(buf.area).positions() {
        let cell = &mut buf[position];
        (cell.fg, cell.bg) = (nearest(app.look.palette.depth, cell.fg), nearest(app.look.palette.depth, cell.bg));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It stands at the right end, goes out of sight with the lines beside it, and has colours that the terminal shows.
    #[test]
    fn the_picture_stands_at_the_right_end() {
        let row = format!("|{}|\n{WIDTH} i120/i30\n", "x".repeat(WIDTH));
        let grid = read(row.repeat(HEIGHT).trim_end()).unwrap();
        for (depth, coloured) in [(Depth::True, true), (Depth::Sixteen, true), (Depth::None, false)] {
            for scrolled in [0, 2, HEIGHT, HEIGHT + 3] {
                let mut app = crate::testing::app((120, 40));
                app.look.palette.depth = depth;
                let area = Rect::new(5, 1, 60, 12);
                let mut buf = Buffer::empty(Rect::new(0, 0, 80, 20));
                draw(&app, &mut buf, area, &grid, scrolled);
                for position in buf.area.positions() {
                    let inside = (65 - WIDTH as u16..65).contains(&position.x)
                        && (1..1 + HEIGHT.saturating_sub(scrolled) as u16).contains(&position.y);
                    let cell = &buf[position];
                    assert_eq!(cell.symbol() == "x", inside, "{position} {scrolled}");
                    assert_eq!(cell.bg != ratatui::style::Color::Reset, inside && coloured, "{position} {scrolled}");
                }
            }
        }
    }
}
