//! Pixels smaller than a cell. Each mark paints its own layer of bits; a cell then belongs to one mark alone, by rank,
//! ties to the denser: two series never mix into one shape of one colour.

use super::Marker;
use crate::colour::Role;

impl Marker {
    /// Pixels across and down a cell.
    pub fn pixels(self) -> (usize, usize) {
        match self {
            Self::Braille | Self::Octant => (2, 4),
            Self::Quadrant => (2, 2),
            Self::Half => (1, 2),
            Self::Ascii => (1, 1),
        }
    }

    /// The character of a pattern: bit `row * across + column`. `letter` is what ASCII uses.
    pub(crate) fn glyph(self, bits: u8, letter: char) -> char {
        match self {
            Self::Braille => ratatui::symbols::braille::BRAILLE[usize::from(bits)],
            Self::Octant => ratatui::symbols::pixel::OCTANTS[usize::from(bits)],
            Self::Quadrant => ratatui::symbols::pixel::QUADRANTS[usize::from(bits & 15)],
            Self::Half => [' ', '▀', '▄', '█'][usize::from(bits & 3)],
            Self::Ascii => letter,
        }
    }
}

/// The character of the `n`-th series where shapes must tell series apart.
pub(crate) fn letter(role: Role, ascii: bool) -> char {
    const ASCII: [char; 7] = ['*', '+', 'o', 'x', '#', '%', '@'];
    const MARKS: [char; 7] = ['•', '+', '○', '×', '▪', '▴', '◇'];
    match role {
        Role::Series(n) => (if ascii { ASCII } else { MARKS })[usize::from(n) % 7],
        Role::Theory => '-',
        _ => '.',
    }
}

/// Pixels switched on and off again along a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dash {
    /// Pixels on.
    pub(crate) on: usize,
    /// Pixels of one period.
    pub(crate) period: usize,
}

/// One mark's pixels.
pub(crate) struct Dots {
    /// Cells across and down.
    pub(crate) cells: (usize, usize),
    /// Powers of two that are the pixels across and down a cell.
    shift: (u32, u32),
    pub(crate) bits: Vec<u8>,
    /// Cell columns that may be painted.
    pub(crate) clip: (usize, usize),
    dash: Option<Dash>,
    walked: usize,
}

impl Dots {
    pub(crate) fn new(cells: (usize, usize), marker: Marker, clip: (usize, usize), dash: Option<Dash>) -> Self {
        let (across, down) = marker.pixels();
        let shift = (across.trailing_zeros(), down.trailing_zeros());
        Self { cells, shift, bits: vec![0; cells.0 * cells.1], clip, dash, walked: 0 }
    }

    /// Pixels across and down.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.cells.0 << self.shift.0, self.cells.1 << self.shift.1)
    }

    pub(crate) fn set(&mut self, x: usize, y: usize) {
        let (column, row) = (x >> self.shift.0, y >> self.shift.1);
        if column < self.clip.0 || column >= self.clip.1 || column >= self.cells.0 || row >= self.cells.1 {
            return;
        }
        let within = |v: usize, shift: u32| v & ((1 << shift) - 1);
        let bit = (within(y, self.shift.1) << self.shift.0) + within(x, self.shift.0);
        self.bits[row * self.cells.0 + column] |= 1 << bit;
    }

    fn plot(&mut self, x: i64, y: i64) {
        let shown = self.dash.is_none_or(|d| self.walked % d.period < d.on);
        self.walked += 1;
        if shown && x >= 0 && y >= 0 {
            self.set(x as usize, y as usize);
        }
    }

    /// A line between places in pixels; what lies outside is cut before it is walked.
    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        let (width, height) = self.size();
        let Some((a, b)) = clip(from, to, width as f64, height as f64) else { return };
        let start = (a.0.floor() as i64, a.1.floor() as i64);
        let end = (b.0.floor() as i64, b.1.floor() as i64);
        let (dx, dy) = ((end.0 - start.0).abs(), -(end.1 - start.1).abs());
        let (sx, sy) = ((end.0 - start.0).signum(), (end.1 - start.1).signum());
        let (mut x, mut y) = start;
        let mut error = dx + dy;
        loop {
            self.plot(x, y);
            if (x, y) == end {
                return;
            }
            let doubled = 2 * error;
            if doubled >= dy {
                error += dy;
                x += sx;
            }
            if doubled <= dx {
                error += dx;
                y += sy;
            }
        }
    }

    /// A vertical stroke in column `x` of pixels, between two heights in pixels.
    pub(crate) fn vertical(&mut self, x: usize, a: f64, b: f64) {
        let height = self.size().1;
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        if high < 0.0 || low > height as f64 + 1e-6 || height == 0 || !low.is_finite() || !high.is_finite() {
            return;
        }
        let last = (high.floor() as usize).min(height - 1);
        if self.dash.is_some_and(|d| x % d.period >= d.on) {
            return;
        }
        for y in (low.max(0.0).floor() as usize).min(last)..=last {
            self.set(x, y);
        }
    }
}

/// Cuts a line at one side after the other of `0..width` by `0..height` (Sutherland and Hodgman, 1974): places on a
/// side are exact, however far away the line comes from.
fn clip(from: (f64, f64), to: (f64, f64), width: f64, height: f64) -> Option<((f64, f64), (f64, f64))> {
    if ![from.0, from.1, to.0, to.1].iter().all(|v| v.is_finite()) || width < 1.0 || height < 1.0 {
        return None;
    }
    // A value on the far edge of the range belongs to the last pixel.
    let snap = |v: f64, edge: f64| if v >= edge && v <= edge + 1e-6 { edge - 1e-6 } else { v.clamp(-1e150, 1e150) };
    let mut a = [snap(from.0, width), snap(from.1, height)];
    let mut b = [snap(to.0, width), snap(to.1, height)];
    for (axis, last) in [(0, width - 1e-6), (1, height - 1e-6)] {
        for (side, sign) in [(0.0, 1.0), (last, -1.0)] {
            let outside = |p: [f64; 2]| (p[axis] - side) * sign < 0.0;
            let cut = |out: [f64; 2], within: [f64; 2]| {
                let part = (side - out[axis]) / (within[axis] - out[axis]);
                let mut p = [0.0; 2];
                p[axis] = side;
                p[1 - axis] = out[1 - axis] + (within[1 - axis] - out[1 - axis]) * part;
                p
            };
            match (outside(a), outside(b)) {
                (true, true) => return None,
                (true, false) => a = cut(a, b),
                (false, true) => b = cut(b, a),
                (false, false) => {}
            }
        }
    }
    Some(((a[0], a[1]), (b[0], b[1])))
}

/// Who owns a cell.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ink {
    pub(crate) bits: u8,
    pub(crate) glyph: Option<char>,
    rank: u8,
    pub(crate) role: Role,
}

impl Ink {
    /// Whether anything is drawn.
    pub(crate) fn is_inked(&self) -> bool {
        self.bits != 0 || self.glyph.is_some()
    }
}

/// What lies under the ink of a cell: the range of a curve that is too dense to be a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Under {
    /// Whether it covers the upper half.
    pub(crate) upper: bool,
    /// Whether it covers the lower half.
    pub(crate) lower: bool,
    pub(crate) role: Role,
}

/// All marks together: one owner a cell.
pub(crate) struct Plane {
    pub(crate) cells: (usize, usize),
    pub(crate) ink: Vec<Ink>,
    pub(crate) under: Vec<Under>,
}

impl Plane {
    pub(crate) fn new(cells: (usize, usize)) -> Self {
        let count = cells.0 * cells.1;
        Self { cells, ink: vec![Ink::default(); count], under: vec![Under::default(); count] }
    }

    /// Lays the range from one height to another under a column of cells; heights are in halves of a cell.
    pub(crate) fn lay_under(&mut self, column: usize, (top, bottom): (usize, usize), role: Role) {
        for half in top..bottom.min(2 * self.cells.1) {
            let under = &mut self.under[half / 2 * self.cells.0 + column];
            if under.role != role {
                *under = Under { role, ..Under::default() };
            }
            if half % 2 == 0 {
                under.upper = true;
            } else {
                under.lower = true;
            }
        }
    }

    /// Lays a mark's pixels over those that are there.
    pub(crate) fn lay(&mut self, dots: &Dots, role: Role, rank: u8) {
        for (ink, &bits) in self.ink.iter_mut().zip(&dots.bits) {
            if bits == 0 {
                continue;
            }
            let empty = ink.bits == 0 && ink.glyph.is_none();
            if !empty && ink.role == role && ink.rank == rank {
                ink.bits |= bits;
            } else if empty
                || rank > ink.rank
                || (rank == ink.rank && ink.glyph.is_none() && bits.count_ones() > ink.bits.count_ones())
            {
                *ink = Ink { bits, glyph: None, rank, role };
            }
        }
    }

    /// Puts a character into a cell.
    pub(crate) fn put(&mut self, x: usize, y: usize, glyph: char, role: Role, rank: u8) {
        if x < self.cells.0 && y < self.cells.1 {
            let ink = &mut self.ink[y * self.cells.0 + x];
            if rank >= ink.rank {
                *ink = Ink { bits: 0, glyph: Some(glyph), rank, role };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_cell_has_one_owner() {
        let mut plane = Plane::new((1, 1));
        let mut a = Dots::new((1, 1), Marker::Braille, (0, 1), None);
        a.line((0.0, 0.0), (0.0, 3.0));
        let mut b = Dots::new((1, 1), Marker::Braille, (0, 1), None);
        b.set(1, 1);
        plane.lay(&a, Role::Series(0), 2);
        plane.lay(&b, Role::Series(1), 2);
        assert_eq!((plane.ink[0].role, plane.ink[0].bits), (Role::Series(0), 0b0101_0101), "the denser keeps the cell");
        plane.lay(&b, Role::Series(1), 4);
        assert_eq!(
            (plane.ink[0].role, plane.ink[0].bits),
            (Role::Series(1), 0b1000),
            "the focused one takes it, unmixed"
        );
        assert_eq!(Marker::Braille.glyph(0b0101_0101, ' '), '⡇');
    }

    #[test]
    fn far_lines_are_cut_not_walked() {
        let mut d = Dots::new((2, 2), Marker::Braille, (0, 2), None);
        d.line((-1e300, 4.0), (1e300, 4.0));
        assert_eq!(d.bits, vec![0, 0, 3, 3]);
        d.line((f64::NAN, 0.0), (1.0, 1.0));
        d.line((-5.0, -5.0), (-1.0, -9.0));
        assert_eq!(d.bits, vec![0, 0, 3, 3]);
    }

    #[test]
    fn markers_have_a_glyph_for_every_pattern() {
        for m in Marker::ALL {
            let count = m.pixels().0 * m.pixels().1;
            let all: std::collections::HashSet<char> = (0..1u16 << count).map(|b| m.glyph(b as u8, '*')).collect();
            assert!(m == Marker::Ascii || all.len() == 1 << count, "{m:?}");
        }
    }
}
