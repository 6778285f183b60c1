//! Scene → terminal cells. An own painter, because ratatui's canvas merges the dots of two series in one cell and gives
//! them the colour of the last.
#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "Look goes through every painter and grows with the settings; callers keep one and lend it"
)]

mod axes;
mod curves;
mod dots;
mod images;
mod layout;
mod overview;
mod panel;
mod spikes;
mod table;
#[cfg(test)]
pub(crate) mod tests;

pub use layout::Placed;
pub(crate) use table::role_of;

use super::colour::{Palette, Role};
use super::grid::CellGrid;
use super::scene::{Body, Scene};

/// With which characters curves are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Marker {
    /// 2x4 dots a cell; in almost every font.
    #[default]
    Braille,
    /// 2x4 blocks a cell without gaps; needs a font with Unicode 16.
    Octant,
    /// 2x2 blocks a cell.
    Quadrant,
    /// 1x2 blocks a cell.
    Half,
    /// Plain characters, one a cell; series differ by character.
    Ascii,
}

impl Marker {
    /// All of them, finest first.
    pub const ALL: [Self; 5] = [Self::Braille, Self::Octant, Self::Quadrant, Self::Half, Self::Ascii];
    /// What settings call them, in the same order.
    pub const WORDS: [&'static str; 5] = ["braille", "octant", "quadrant", "half", "ascii"];
}

/// How a scene is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Colours.
    pub palette: Palette,
    /// Characters.
    pub marker: Marker,
    /// Whether the heading takes the first row (panes have it in their border).
    pub title: bool,
}

/// A painted scene, with where things are: for the mouse, zoom and the crosshair.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Picture {
    /// The cells.
    pub grid: CellGrid,
    /// Where each panel's data are, top to bottom; empty for tables and text.
    pub panels: Vec<Placed>,
    /// Rows that a table or text would take in full at this width, for scrolling; 0 for plots.
    pub content_rows: usize,
}

impl Picture {
    /// The panel whose data area holds a cell.
    pub fn panel_at(&self, column: usize, row: usize) -> Option<usize> {
        self.panels.iter().position(|p| p.area.contains(column, row))
    }
}

/// Paints a scene into `width` by `height` cells. Any size is fine: what does not fit is dropped, axes and legend
/// first.
pub fn render(scene: &Scene<'_>, width: usize, height: usize, look: &Look) -> Picture {
    let mut grid = CellGrid::new(width, height);
    if width == 0 || height == 0 {
        return Picture { grid, ..Picture::default() };
    }
    let mut top = 0;
    if look.title && height > 2 {
        grid.text(0, 0, &scene.title, look.palette.style(Role::Title), width);
        top = 1;
    }
    let (panels, content_rows) = match &scene.body {
        Body::Plot(plot) => (panel::plot(plot, scene.cursor, &mut grid, top, look), 0),
        Body::Table(rows) => (Vec::new(), table::scalars(rows, scene.scroll, &mut grid, top, look)),
        Body::Text(sections) => (Vec::new(), table::sections(sections, scene.scroll, &mut grid, top, look)),
    };
    Picture { grid, panels, content_rows }
}
