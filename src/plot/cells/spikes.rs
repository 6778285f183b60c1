//! Spikes in cells. Where several units share a row of pixels and fire so much that single spikes would fill the
//! picture, every pixel is shaded by how many spikes fall into it, each population in its own colour: all spikes are
//! seen, and what they do together. Zoomed in, they are single again.

use super::curves::{Brush, rank};
use super::layout::Placed;
use super::{Look, Marker};
use crate::colour::{Colour, Depth, Role};
use crate::grid::CellGrid;
use crate::scene::{Mark, Panel};

/// Share of the pixels that spikes may fill before they are counted instead.
const FULL: f64 = 0.8;

/// Steps of a shade.
const STEPS: usize = 10;

/// The spikes of one population on their rows.
pub(crate) struct Train<'a> {
    pub(crate) times: &'a [f64],
    pub(crate) units: &'a [u32],
    pub(crate) first_row: usize,
    pub(crate) rows: usize,
    pub(crate) role: Role,
    pub(crate) focus: bool,
}

/// Whether spikes are counted. From the mean rate of what there is, so that it does not change while a sweep advances
/// or the view moves along time.
pub(crate) fn is_dense(panel: &Panel<'_>, placed: &Placed, marker: Marker) -> bool {
    let (across, down) = marker.pixels();
    let (width, height) = ((placed.area.width * across) as f64, (placed.area.height * down) as f64);
    let rows = (placed.y.1 - placed.y.0).abs();
    if rows <= 0.0 || height < 1.0 {
        return false;
    }
    let (mut spikes, mut units) = (0, 0);
    for mark in &panel.marks {
        if let Mark::Spikes { times, rows, .. } = mark {
            spikes += times.len();
            units += rows;
        }
    }
    let Some(length) = extent(panel) else { return false };
    let seen = spikes as f64 * rows / units.max(1) as f64 * (placed.x.1 - placed.x.0) / length;
    // Of few units each has more than one row of pixels, and all of them show the same.
    seen > FULL * width * height.min(rows)
}

/// The time between the first and the last spike of all.
fn extent(panel: &Panel<'_>) -> Option<f64> {
    let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
    for mark in &panel.marks {
        if let Mark::Spikes { times, .. } = mark {
            first = first.min(times.first().copied().unwrap_or(first));
            last = last.max(times.last().copied().unwrap_or(last));
        }
    }
    (last > first).then_some(last - first)
}

/// The step of a shade, zero where nothing is, and whose it is.
type Pixel = (usize, Role);

/// The colours of the steps of a population.
type Ladder = (Role, [Colour; STEPS]);

/// Paints all spikes by their number in each pixel, of which a cell has one above and one below. `clip` are cell
/// columns.
pub(crate) fn density(panel: &Panel<'_>, placed: &Placed, clip: (usize, usize), grid: &mut CellGrid, look: &Look) {
    let area = placed.area;
    let Some(length) = extent(panel) else { return };
    let coloured = matches!(look.palette.depth, Depth::True | Depth::Indexed) && look.marker != Marker::Ascii;
    let per_cell = if coloured { 2 } else { 1 };
    let size = (area.width, area.height * per_cell);
    // Shade and colour of each pixel; where two populations meet, the one that is brighter there.
    let mut pixels: Vec<Pixel> = vec![(0, Role::Text); size.0 * size.1];
    let mut ladders: Vec<Ladder> = Vec::new();
    for mark in &panel.marks {
        let Mark::Spikes { times, units, first_row, rows, role, .. } = mark else { continue };
        let shade = |step: usize| look.palette.shade(*role, (step - 1) as f64 / (STEPS - 1) as f64);
        ladders.push((*role, std::array::from_fn(|k| shade(k + 1))));
        let counts = counted(&(*times, *units, *first_row, *rows), placed, size);
        let units_each = ((placed.y.1 - placed.y.0).abs() / size.1 as f64).max(1.0);
        let each = (placed.x.1 - placed.x.0) / size.0 as f64 * units_each;
        let mean = times.len() as f64 / (*rows).max(1) as f64 / length * each;
        // In steps of its own, so that a rate that settles does not repaint everything.
        let mean = 2f64.powf((mean.max(0.5).log2() * 4.0).round() / 4.0);
        for (pixel, count) in pixels.iter_mut().zip(counts).filter(|(_, count)| *count > 0) {
            let shade = step(count, mean);
            if shade > pixel.0 {
                *pixel = (shade, *role);
            }
        }
    }
    for column in clip.0..clip.1.min(area.width) {
        for row in 0..area.height {
            let at = |half: usize| pixels[(row * per_cell + half) * size.0 + column];
            let place = (area.x + column, area.y + row);
            if coloured {
                two_pixels(place, at(0), at(1), &ladders, grid, look);
            } else {
                one_pixel(place, at(0), grid, look);
            }
        }
    }
}

/// The number of spikes in each pixel.
fn counted(
    (times, units, first_row, rows): &(&[f64], &[u32], usize, usize),
    placed: &Placed,
    (width, height): (usize, usize),
) -> Vec<u32> {
    let mut counts = vec![0; width * height];
    let (low, high) = placed.x;
    let length = times.len().min(units.len());
    let (times, units) = (&times[..length], &units[..length]);
    let (from, to) = (times.partition_point(|&t| t < low), times.partition_point(|&t| t <= high));
    let per_x = width as f64 / (high - low);
    let start = placed.down(*first_row as f64, height);
    let per_row = placed.down((first_row + 1) as f64, height) - start;
    // Rows of several pixels are filled, with a gap between them where there is room for one.
    let tall = if per_row >= 3.0 { per_row.floor() - 1.0 } else { per_row.floor().max(1.0) };
    for k in from..to.max(from) {
        // The middle of its row, so that no row falls between two pixels.
        let (x, y) = ((times[k] - low) * per_x, start + per_row * (f64::from(units[k]) + 0.5));
        if (units[k] as usize) >= *rows || x < 0.0 {
            continue;
        }
        let column = (x as usize).min(width - 1);
        let top = if tall > 1.0 { start + per_row * f64::from(units[k]) + 1e-9 } else { y };
        for step in 0..tall as usize {
            let y = top + step as f64;
            if y >= 0.0 && y < height as f64 {
                counts[y as usize * width + column] += 1;
            }
        }
    }
    counts
}

/// The step of a shade for a number of spikes in a pixel that holds `mean` of them on average. Half of the steps go up
/// to the mean, in proportion, so that a network that fires evenly is no even block; the others to six times the mean
/// by the logarithm, so that single spikes are seen beside bursts of hundreds.
fn step(count: u32, mean: f64) -> usize {
    const MOST: f64 = 6.0;
    let share = f64::from(count) / mean.max(1.5);
    let shade = if share <= 1.0 { 0.5 * share } else { 0.5 + 0.5 * share.ln() / MOST.ln() };
    ((shade * STEPS as f64).ceil() as usize).clamp(usize::from(count > 0), STEPS)
}

fn two_pixels((x, y): (usize, usize), top: Pixel, bottom: Pixel, ladders: &[Ladder], grid: &mut CellGrid, look: &Look) {
    let of = |(step, role): Pixel| {
        let ladder = ladders.iter().find(|l| l.0 == role).map(|l| &l.1);
        ladder.filter(|_| step > 0).map(|colours| colours[step - 1])
    };
    let (upper, lower) = (of(top), of(bottom));
    let Some(fg) = upper.or(lower) else { return };
    grid.over(x, y, if upper.is_some() { '▀' } else { '▄' }, look.palette.style(Role::Text));
    if let Some(cell) = grid.get_mut(x, y) {
        cell.style.fg = fg;
        if let (Some(_), Some(below)) = (upper, lower) {
            cell.style.bg = below;
        }
    }
}

/// Where there are few colours or none: a shade of its own glyph, never a full block.
fn one_pixel((x, y): (usize, usize), (step, role): Pixel, grid: &mut CellGrid, look: &Look) {
    if step > 0 {
        let set = if look.marker == Marker::Ascii { ['.', ':', '+', '#'] } else { ['·', '░', '▒', '▓'] };
        grid.over(x, y, set[(step * 4).div_ceil(STEPS).clamp(1, 4) - 1], look.palette.style(role));
    }
}

impl Brush<'_> {
    /// Spikes: one bit each, a whole row high where rows are higher than a pixel.
    pub(crate) fn spikes(&mut self, row: &Train<'_>) {
        let mut dots = self.dots(None);
        let (width, height) = dots.size();
        let each = height as f64 / (self.placed.y.1 - self.placed.y.0).abs().max(1e-9);
        // A gap between rows as soon as rows are three pixels high.
        let tall = if each >= 3.0 { (each.floor() - 1.0) as usize } else { (each.floor() as usize).max(1) };
        let (low, high) = self.placed.x;
        let length = row.times.len().min(row.units.len());
        let (times, units) = (&row.times[..length], &row.units[..length]);
        let (from, to) = (times.partition_point(|&t| t < low), times.partition_point(|&t| t <= high));
        // Axes of rasters are proportional: two factors instead of a fraction for every one of millions of spikes.
        let per_x = width as f64 / (high - low);
        let start = self.placed.down(row.first_row as f64, height);
        let per_row = self.placed.down((row.first_row + 1) as f64, height) - start;
        for k in from..to.max(from) {
            let (x, top) = ((times[k] - low) * per_x, start + per_row * f64::from(units[k]));
            let shown = (units[k] as usize) < row.rows && x >= 0.0 && top > -each && top < height as f64;
            if !shown {
                continue;
            }
            let x = (x as usize).min(width.saturating_sub(1));
            for y in 0..tall {
                let y = top + 1e-9 + y as f64;
                if y >= 0.0 {
                    dots.set(x, y as usize);
                }
            }
        }
        self.lay(dots, row.role, rank(row.role, row.focus));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::View;
    use crate::{Palette, scene};
    use spikedeck_signal::{Axis, NamedShape, Raster, RasterGroup, Shape};

    /// Two populations, one of which fires in volleys: far more spikes than pixels.
    fn network() -> NamedShape {
        let spikes = |units: u32, each: u32| {
            let mut all: Vec<(f64, u32)> = (0..units)
                .flat_map(|u| (0..each).map(move |k| (f64::from(k) * 10.0 + f64::from(u * 7919 % 97) / 30.0, u)))
                .collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            all.into_iter().unzip()
        };
        let group = |name: &str, units: u32, each: u32| {
            let (times, units_of) = spikes(units, each);
            RasterGroup { name: name.into(), size: units as usize, times, units: units_of }
        };
        let groups = vec![group("exc", 3000, 100), group("inh", 500, 100), group("few", 20, 100)];
        let x = Axis { is_time: true, ..Axis::new("time", "ms") };
        NamedShape::new("spikes", Shape::Raster(Raster { x, extent: (0.0, 1000.0), groups, ..Raster::default() }))
    }

    fn look(depth: Depth, marker: Marker) -> Look {
        Look { palette: Palette { depth, ..Palette::default() }, marker, title: false }
    }

    fn painted(view: &View, look: &Look) -> crate::Picture {
        crate::cells::render(&scene::of(&network(), view), 100, 30, look)
    }

    #[test]
    fn a_network_is_shaded_and_single_again_when_it_is_looked_into() {
        for (depth, marker) in [
            (Depth::True, Marker::Braille),
            (Depth::Indexed, Marker::Braille),
            (Depth::Sixteen, Marker::Braille),
            (Depth::None, Marker::Braille),
            (Depth::None, Marker::Ascii),
        ] {
            let look = look(depth, marker);
            let whole = painted(&View::default(), &look).grid.to_plain();
            assert!(whole.contains("shaded by count"), "{whole}");
            assert!(!whole.contains('█') && !whole.contains('⣿'), "no solid block: {whole}");
            for name in ["exc", "inh", "few"] {
                assert!(whole.lines().any(|l| l.trim_start().starts_with(name)), "{name} has its name: {whole}");
            }
            let close = View { x: Some((100.0, 104.0)), y: Some((0.0, 20.0)), ..View::default() };
            assert!(!painted(&close, &look).grid.to_plain().contains("shaded"));
        }
    }

    /// The volleys are seen: columns with them are brighter than columns between.
    #[test]
    fn what_fires_together_is_brighter() {
        let view = View { x: Some((0.0, 100.0)), ..View::default() };
        let picture = painted(&view, &look(Depth::True, Marker::Braille));
        let area = picture.panels[0].area;
        let bright = |column: usize| -> u32 {
            let rows = area.y..area.y + area.height / 2;
            let of =
                |c: Colour| if let Colour::Rgb(r, g, b) = c { u32::from(r) + u32::from(g) + u32::from(b) } else { 0 };
            rows.filter_map(|y| picture.grid.get(column, y)).map(|c| of(c.style.fg) + of(c.style.bg)).sum()
        };
        let columns: Vec<u32> = (area.x..area.x + area.width).map(bright).collect();
        let (most, least) = (columns.iter().max().unwrap(), columns.iter().min().unwrap());
        assert!(*most > 3 * (*least).max(1), "{columns:?}");
    }

    /// More spikes are never dimmer, one spike is the dimmest there is, and spikes that come by chance with a mean of
    /// ten a pixel are seen in at least four steps.
    #[test]
    fn shades_grow_with_the_count() {
        for mean in [0.5, 1.0, 3.7, 10.0, 250.0] {
            let steps: Vec<usize> = (0..2000).map(|count| step(count, mean)).collect();
            assert!(steps.is_sorted() && steps[0] == 0 && steps[1] >= 1 && steps[1999] == STEPS, "{mean}");
            assert!(steps[1] <= STEPS / 2, "{mean}: a single spike is dim");
        }
        // Five to sixteen are 95 % of a Poisson count of mean ten.
        let mut usual: Vec<usize> = (5..=16).map(|count| step(count, 10.0)).collect();
        usual.dedup();
        assert!(usual.len() >= 4, "{usual:?}");
    }

    /// A few units that fire all the time are shaded too, and one that does among silent ones is no solid block.
    #[test]
    fn few_units_are_no_solid_rows() {
        let train = |units: u32, busy: u32, each: u32| {
            let mut all: Vec<(f64, u32)> = (0..units)
                .flat_map(|u| {
                    (0..if u < busy { each } else { 2 }).map(move |k| (f64::from(k) * 1000.0 / f64::from(each), u))
                })
                .collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (times, units_of) = all.into_iter().unzip();
            let groups = vec![RasterGroup { name: "p".into(), size: units as usize, times, units: units_of }];
            let x = Axis { is_time: true, ..Axis::new("time", "ms") };
            NamedShape::new("spikes", Shape::Raster(Raster { x, extent: (0.0, 1000.0), groups, ..Raster::default() }))
        };
        for (shape, shaded) in [(train(3, 3, 900), true), (train(20, 1, 2000), false)] {
            for depth in [Depth::Indexed, Depth::Sixteen, Depth::None] {
                let picture =
                    crate::cells::render(&scene::of(&shape, &View::default()), 100, 14, &look(depth, Marker::Braille));
                let text = picture.grid.to_plain();
                assert!(crate::cells::tests::solid(&picture.grid) < 30, "{text}");
                assert_eq!(text.contains("shaded by count"), shaded, "{text}");
            }
        }
    }

    /// Every spike is in one pixel.
    #[test]
    fn no_spike_is_lost() {
        let Shape::Raster(r) = network().shape else { unreachable!() };
        let scene_of = network();
        let scene = scene::of(&scene_of, &View::default());
        let picture = crate::cells::render(&scene, 100, 30, &look(Depth::True, Marker::Braille));
        let placed = &picture.panels[0];
        let g = &r.groups[0];
        let counts = counted(&(&g.times, &g.units, 0, g.size), placed, (placed.area.width, placed.area.height * 2));
        let inside = g.times.iter().filter(|t| **t >= placed.x.0 && **t <= placed.x.1).count();
        assert_eq!(counts.iter().map(|c| *c as usize).sum::<usize>(), inside);
    }
}
