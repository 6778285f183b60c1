//! Panels: marks in order, then axes, headers, names of lines, crosshair.

use super::curves::{Brush, inside, rank};
use super::dots::{Plane, Under, letter};
use super::layout::{Laid, Placed, layout};
use super::spikes::{Train, density, is_dense};
use super::{Look, Marker, axes, images, overview};
use crate::colour::{Colour, Depth, Role, Style};
use crate::grid::{Area, CellGrid, columns};
use crate::scene::{Label, Mark, Panel, Plot, Sweep};

/// Paints all panels; returns where they are.
pub(crate) fn plot(plot: &Plot<'_>, cursor: Option<f64>, grid: &mut CellGrid, top: usize, look: &Look) -> Vec<Placed> {
    let below = overview::rows(plot, grid.width, grid.height.saturating_sub(top));
    let layout = layout(plot, grid.width, grid.height - below, top, look.marker);
    for (index, laid) in layout.panels.iter().enumerate() {
        let panel = &plot.panels[index];
        match plot.sweep {
            Some(sweep) => swept(panel, laid, sweep, grid, look),
            None => marks(panel, &laid.placed, (0, laid.placed.area.width), grid, look),
        }
        if panel.framed && layout.y_axes {
            axes::vertical(panel, laid, grid, look);
        }
        axes::header(plot, index, laid, grid, look);
        names(panel, &laid.placed, grid, look);
        if let Some(x) = cursor {
            crosshair(&laid.placed, x, grid, look);
        }
    }
    if let Some((laid, panel)) = layout.panels.last().zip(plot.panels.get(layout.panels.len().saturating_sub(1))) {
        axes::horizontal(panel, laid, &layout, grid, look);
        if let Some(whole) = plot.whole.filter(|_| below > 0) {
            let row = Area { y: grid.height - below, height: below, ..laid.placed.area };
            overview::paint(panel, whole, row, grid, look);
        }
    }
    layout.panels.into_iter().map(|l| l.placed).collect()
}

/// Columns left blank after the write head.
const GAP: usize = 2;

/// New data up to the write head, a gap, and the sweep before behind it.
fn swept(panel: &Panel<'_>, laid: &Laid, sweep: Sweep, grid: &mut CellGrid, look: &Look) {
    let placed = &laid.placed;
    let width = placed.area.width;
    let head = (placed.across(sweep.head, width).max(0.0) as usize + 1).min(width);
    marks(panel, placed, (0, head), grid, look);
    let before = Placed { x: (placed.x.0 - sweep.length, placed.x.1 - sweep.length), ..placed.clone() };
    marks(panel, &before, ((head + GAP).min(width), width), grid, look);
    for row in 0..placed.area.height {
        if head < width {
            let bar = if look.marker == Marker::Ascii { '|' } else { '▏' };
            grid.set(placed.area.x + head, placed.area.y + row, bar, look.palette.style(Role::Accent));
        }
    }
}

/// Ground of a band or a range: its curve's colour, mixed into the ground.
fn tint(role: Role, look: &Look) -> Option<Colour> {
    let (a, b) = (look.palette.rgb(role), look.palette.ground());
    let mix = |a: u8, b: u8| (f64::from(a) * 0.28 + f64::from(b) * 0.72).round() as u8;
    let mixed = (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2));
    match look.palette.depth {
        Depth::True => Some(Colour::Rgb(mixed.0, mixed.1, mixed.2)),
        Depth::Indexed if matches!(role, Role::Series(_)) => Some(look.palette.shade(role, 0.2)),
        Depth::Indexed => Some(crate::colour::nearest_indexed(mixed)),
        Depth::Sixteen | Depth::None => None,
    }
}

fn marks(panel: &Panel<'_>, placed: &Placed, clip: (usize, usize), grid: &mut CellGrid, look: &Look) {
    let area = placed.area;
    if area.width == 0 || area.height == 0 {
        return;
    }
    let mut plane = Plane::new((area.width, area.height));
    let mut brush = Brush { plane: &mut plane, placed, look, clip };
    let dense = is_dense(panel, placed, look.marker);
    if dense {
        density(panel, placed, clip, grid, look);
    }
    for mark in &panel.marks {
        match mark {
            Mark::Image(image) if image.by_rows => images::matrix(image, placed, grid, look),
            Mark::Image(image) => images::image(image, placed, clip, grid, look),
            Mark::Curve(curve) => brush.curve(curve),
            Mark::Band { x, low, high, role } => {
                let ground = tint(*role, look);
                let mut sparse = Vec::new();
                brush.band(x, low, high, |column, top, bottom| {
                    for row in top..bottom {
                        if let Some(bg) = ground
                            && let Some(cell) = grid.get_mut(area.x + column, area.y + row)
                        {
                            cell.style.bg = bg;
                        } else {
                            sparse.push((column, row));
                        }
                    }
                });
                for (column, row) in sparse {
                    brush.plane.put(column, row, if look.marker == Marker::Ascii { ':' } else { '░' }, Role::Dim, 0);
                }
            }
            Mark::Bars { edges, heights, role, outline } => {
                if *outline {
                    brush.outline(edges, heights, *role);
                } else {
                    bars(&brush, edges, heights, *role, grid);
                }
            }
            Mark::Spikes { .. } if dense => {}
            Mark::Spikes { times, units, first_row, rows, role, focus } => {
                let row = Train { times, units, first_row: *first_row, rows: *rows, role: *role, focus: *focus };
                brush.spikes(&row);
            }
            Mark::Rule { at, vertical, .. } => rule(placed, *at, *vertical, clip, grid, look),
            Mark::Segments { segments, role } => brush.segments(segments, *role, rank(*role, false)),
            Mark::Edge { segment, strength, role } => {
                let role = if *strength < 0.34 { Role::Dim } else { *role };
                brush.segments(&[*segment], role, if *strength < 0.34 { 1 } else { 3 });
                // The arrow head stands at three quarters, where edges have parted again.
                let [x0, y0, x1, y1] = *segment;
                let head = [x0 + 0.72 * (x1 - x0), y0 + 0.72 * (y1 - y0), x1 - x0, y1 - y0];
                arrow_head(&mut brush, head, role);
            }
            Mark::Arrows { arrows } => brush.arrows(arrows),
            Mark::Glyph { at, glyph, role } => brush.glyph(*at, *glyph, *role),
            Mark::Text { .. } => {}
        }
    }
    flush(&plane, placed, clip, grid, look);
}

fn arrow_head(brush: &mut Brush<'_>, arrow: [f64; 4], role: Role) {
    let (columns, rows) = brush.plane.cells;
    let (right, up) = (
        arrow[2] / (brush.placed.x.1 - brush.placed.x.0) * columns as f64,
        arrow[3] / (brush.placed.y.1 - brush.placed.y.0) * rows as f64,
    );
    let ascii = brush.look.marker == Marker::Ascii;
    let set = if ascii { ['>', '^', '<', 'v'] } else { ['▸', '▴', '◂', '▾'] };
    let up = up * 2.0;
    let which = if right.abs() >= up.abs() {
        if right >= 0.0 { 0 } else { 2 }
    } else if up >= 0.0 {
        1
    } else {
        3
    };
    let (x, y) = (brush.placed.across(arrow[0], columns), brush.placed.down(arrow[1], rows));
    if let Some((x, y)) = inside(x, y, brush.plane.cells) {
        brush.plane.put(x, y, set[which], role, 5);
    }
}

/// Writes owned cells over what is there.
fn flush(plane: &Plane, placed: &Placed, clip: (usize, usize), grid: &mut CellGrid, look: &Look) {
    let area = placed.area;
    for (row, line) in plane.under.chunks(area.width).enumerate() {
        for (column, under) in line.iter().enumerate().take(clip.1).skip(clip.0) {
            let is_inked = plane.ink[row * area.width + column].is_inked();
            if under.upper || under.lower {
                range(*under, is_inked, (area.x + column, area.y + row), grid, look);
            }
        }
    }
    for (row, line) in plane.ink.chunks(area.width).enumerate() {
        for (column, ink) in line.iter().enumerate().take(clip.1).skip(clip.0) {
            let ch = match ink.glyph {
                Some(glyph) => glyph,
                None if ink.bits != 0 => look.marker.glyph(ink.bits, letter(ink.role, true)),
                None => continue,
            };
            overlay(grid, area.x + column, area.y + row, ch, look.palette.style(ink.role));
        }
    }
}

/// The range of a curve that is too dense to be a line: a ground where there are colours for it, else a shade.
fn range(under: Under, is_inked: bool, (x, y): (usize, usize), grid: &mut CellGrid, look: &Look) {
    let Some(ground) = tint(under.role, look) else {
        if !is_inked {
            grid.over(x, y, if look.marker == Marker::Ascii { ':' } else { '░' }, look.palette.style(under.role));
        }
        return;
    };
    let Some(cell) = grid.get_mut(x, y) else { return };
    if is_inked || (under.upper && under.lower) || look.marker == Marker::Ascii || cell.ch != ' ' {
        cell.style.bg = ground;
    } else {
        cell.ch = if under.upper { '▀' } else { '▄' };
        cell.style.fg = ground;
    }
}

/// Writes over what is there; a full block goes on as the ground.
fn overlay(grid: &mut CellGrid, x: usize, y: usize, ch: char, style: Style) {
    if let Some(cell) = grid.get_mut(x, y)
        && cell.ch == '█'
    {
        cell.style.bg = cell.style.fg;
    }
    grid.over(x, y, ch, style);
}

fn bars(brush: &Brush<'_>, edges: &[f64], heights: &[f64], role: Role, grid: &mut CellGrid) {
    const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (area, look) = (brush.placed.area, brush.look);
    let style = look.palette.style(role);
    let ascii = look.marker == Marker::Ascii;
    brush.bars(edges, heights, |column, base, tip| {
        if !base.is_finite() || !tip.is_finite() {
            return;
        }
        let rows = area.height as f64;
        let (top, bottom) = (tip.min(base).clamp(0.0, rows), tip.max(base).clamp(0.0, rows));
        // A bar that is not zero shows at least one eighth.
        let top = if bottom > top { top.min(bottom - 0.125) } else { top };
        for row in top.max(0.0) as usize..(bottom.ceil() as usize).min(area.height) {
            let (high, low) = (row as f64, row as f64 + 1.0);
            let filled = (bottom.min(low) - top.max(high)).clamp(0.0, 1.0);
            let eighths = ((filled * 8.0).round() as usize).min(8);
            let hangs = tip > base;
            let ch = match (ascii, eighths) {
                (true, n) => [' ', '#'][usize::from(n >= 4)],
                // Blocks fill from below only; a hanging bar rounds to halves.
                (false, n) if hangs && n < 8 => [' ', '▀', '█'][usize::from(n >= 3) + usize::from(n >= 7)],
                (false, n) => EIGHTHS[n],
            };
            if ch != ' ' {
                grid.over(area.x + column, area.y + row, ch, style);
            }
        }
    });
}

fn rule(placed: &Placed, at: f64, vertical: bool, clip: (usize, usize), grid: &mut CellGrid, look: &Look) {
    let (style, ascii, area) = (look.palette.style(Role::Reference), look.marker == Marker::Ascii, placed.area);
    if vertical {
        let Some(column) = placed.column_of(at) else { return };
        for row in 0..area.height {
            overlay(grid, column, area.y + row, if ascii { ':' } else { '┊' }, style);
        }
    } else if let Some(row) = placed.row_of(at) {
        for column in clip.0..clip.1.min(area.width) {
            overlay(grid, area.x + column, row, if ascii { '-' } else { '┄' }, style);
        }
    }
}

/// Names of lines and of places, written only where nothing is covered.
fn names(panel: &Panel<'_>, placed: &Placed, grid: &mut CellGrid, look: &Look) {
    let area = placed.area;
    let blank =
        |c: char| matches!(c, ' ' | '┄' | '┊' | '-' | ':' | '→' | '↗' | '↑' | '↖' | '←' | '↙' | '↓' | '↘' | '⠀');
    let mut write = |x: usize, y: usize, text: &str, style: Style| {
        let width = columns(text);
        let fits =
            width > 0 && x >= area.x && x + width <= area.x + area.width && y >= area.y && y < area.y + area.height;
        let free = fits && (x..x + width).all(|c| grid.get(c, y).is_some_and(|cell| blank(cell.ch)));
        if free {
            grid.text(x, y, text, style, width);
        }
        free
    };
    for label in panel.marks.iter().filter_map(Mark::label) {
        match label {
            // Drawn with the marks: a glyph is one cell, as they are.
            Label::Glyph { .. } => {}
            Label::Rule { name, at, vertical: false } => {
                let Some(row) = placed.row_of(at) else { continue };
                let width = columns(name) + 2;
                let right = (area.x + area.width).saturating_sub(width + 1);
                let text = format!(" {name} ");
                let style = look.palette.style(Role::Dim);
                let tries = [
                    (right, row),
                    (area.x + 1, row),
                    (right, row.saturating_sub(1)),
                    (right, row + 1),
                    (area.x + 1, row.saturating_sub(1)),
                ];
                let _ = tries.into_iter().any(|(x, y)| write(x, y, &text, style));
            }
            Label::Rule { name, at, vertical: true } => {
                let Some(column) = placed.column_of(at) else { continue };
                let width = columns(name);
                let style = look.palette.style(Role::Dim);
                let places = (0..area.height.min(4))
                    .flat_map(|r| [(column + 1, area.y + r), (column.saturating_sub(width), area.y + r)]);
                let _ = places.into_iter().any(|(x, y)| write(x, y, name, style));
            }
            Label::Text { at, text, role, left } => {
                let Some((column, row)) = placed.column_of(at.0).zip(placed.row_of(at.1)) else { continue };
                let width = columns(text);
                let after = column + 2;
                let before = column.saturating_sub(width + 1);
                let order = if left { [before, after] } else { [after, before] };
                let style = look.palette.style(role);
                let rows = [row, row.saturating_sub(1), row + 1, row.saturating_sub(2), row + 2];
                let _ = order.into_iter().any(|x| write(x, row, text, style))
                    || rows.into_iter().any(|y| order.into_iter().any(|x| write(x, y, text, style)));
            }
        }
    }
}

/// The crosshair: a thin line in blank cells; cells with data keep their shape.
fn crosshair(placed: &Placed, x: f64, grid: &mut CellGrid, look: &Look) {
    let Some(column) = placed.column_of(x) else { return };
    let style = look.palette.style(Role::Cursor);
    for row in placed.area.y..placed.area.y + placed.area.height {
        if let Some(cell) = grid.get_mut(column, row) {
            if cell.ch == ' ' {
                cell.ch = if look.marker == Marker::Ascii { '|' } else { '│' };
                cell.style = Style { bg: cell.style.bg, ..style };
            } else {
                cell.style.bold = true;
            }
        }
    }
}
