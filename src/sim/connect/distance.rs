//! Rules by distance: all within a radius, and a Gaussian profile. A grid of cells keeps the search local.

use std::collections::HashMap;
use std::ops::Range;

use super::super::geometry::distance_squared;
use super::{Link, Wiring};
use spikedeck_core::math::exp;
use spikedeck_core::rng::Stream;

/// Beyond this many widths a Gaussian profile is cut off: its probability there is below 1.6e-8 of the peak.
const CUT: f64 = 6.0;

/// Probability at squared distance `d2`.
pub(super) fn gaussian_probability(p_max: f64, sigma: f64, d2: f64) -> f64 {
    if d2 > CUT * CUT * sigma * sigma { 0.0 } else { p_max * exp(-d2 / (2.0 * sigma * sigma)) }
}

/// Each pair with probability `p_max * exp(-d^2/(2 sigma^2))`.
pub(super) fn gaussian(wiring: &Wiring<'_>, p_max: f64, sigma: f64, targets: Range<u32>, mut visit: impl FnMut(Link)) {
    within(wiring, CUT * sigma, targets, |link, d2, stream| {
        if stream.uniform() < gaussian_probability(p_max, sigma, d2) {
            visit(link);
        }
    });
}

/// All pairs within `radius` (with a billionth of tolerance, so that lattice neighbours count): target by target,
/// sources ascending. The visitor also gets the squared distance and the target's stream of random numbers.
pub(super) fn within(
    wiring: &Wiring<'_>,
    radius: f64,
    targets: Range<u32>,
    mut visit: impl FnMut(Link, f64, &mut Stream),
) {
    let wrap = wiring.wrap();
    let limit = radius * radius * (1.0 + 2e-9);
    let cells = Cells::new(&wiring.from.positions, radius, wrap);
    let mut near = Vec::new();
    for target in targets {
        let here = wiring.to.positions[target as usize];
        let mut stream = wiring.key.stream(target, 0);
        cells.around(here, &mut near);
        for (draw, &source) in near.iter().enumerate() {
            if wiring.own(source, target) {
                continue;
            }
            let d2 = distance_squared(wiring.from.positions[source as usize], here, wrap);
            if d2 <= limit {
                visit(Link { source, target, row: target, draw: draw as u32 }, d2, &mut stream);
            }
        }
    }
}

/// Expected number of connections from the pair probability at a squared distance, by a sample of at most 64 targets.
pub(super) fn expected(wiring: &Wiring<'_>, probability: impl Fn(f64) -> f64) -> f64 {
    let m = wiring.to.positions.len();
    if m == 0 || wiring.from.positions.is_empty() {
        return 0.0;
    }
    let stride = m.div_ceil(64);
    let wrap = wiring.wrap();
    let mut sum = 0.0;
    let mut seen = 0.0;
    for target in (0..m).step_by(stride) {
        let here = wiring.to.positions[target];
        sum += wiring.from.positions.iter().map(|&p| probability(distance_squared(p, here, wrap))).sum::<f64>();
        seen += 1.0;
    }
    sum / seen * m as f64
}

/// Units sorted into cubes with the edge of the search radius.
struct Cells {
    edge: f64,
    /// Number of cells along axes that wrap; 0 along those that do not.
    around: [i64; 3],
    members: HashMap<[i64; 3], Vec<u32>>,
}

impl Cells {
    fn new(positions: &[[f64; 3]], radius: f64, wrap: [f64; 3]) -> Self {
        let edge = if radius > 0.0 { radius } else { 1.0 };
        // Along a wrapping axis the last cell is widened, so that cells tile the box.
        let around = wrap.map(|w| if w > 0.0 { ((w / edge).floor() as i64).max(1) } else { 0 });
        let mut cells = Self { edge, around, members: HashMap::new() };
        for (unit, &p) in positions.iter().enumerate() {
            cells.members.entry(cells.cell(p)).or_default().push(unit as u32);
        }
        cells
    }

    fn cell(&self, p: [f64; 3]) -> [i64; 3] {
        std::array::from_fn(|axis| {
            let c = (p[axis] / self.edge).floor() as i64;
            if self.around[axis] > 0 { c.clamp(0, self.around[axis] - 1) } else { c }
        })
    }

    /// Units in the cell of `p` and all adjoining ones, ascending.
    fn around(&self, p: [f64; 3], near: &mut Vec<u32>) {
        near.clear();
        let centre = self.cell(p);
        let mut wanted: Vec<[i64; 3]> = Vec::with_capacity(27);
        for code in 0..27_i64 {
            let offset = [code % 3 - 1, code / 3 % 3 - 1, code / 9 - 1];
            let cell = std::array::from_fn(|axis| {
                let c = centre[axis] + offset[axis];
                if self.around[axis] > 0 { c.rem_euclid(self.around[axis]) } else { c }
            });
            if !wanted.contains(&cell) {
                wanted.push(cell);
            }
        }
        for cell in &wanted {
            if let Some(units) = self.members.get(cell) {
                near.extend_from_slice(units);
            }
        }
        near.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::geometry::Geometry;
    use super::super::tests::placed;
    use super::*;
    use spikedeck_scenario::Rule;

    fn lattice(nx: usize, ny: usize, spacing: f64) -> Geometry {
        let positions = (0..nx * ny).map(|u| [(u % nx) as f64 * spacing, (u / nx) as f64 * spacing, 0.0]).collect();
        Geometry { positions, extent: [nx as f64 * spacing, ny as f64 * spacing, 0.0], ..Geometry::default() }
    }

    #[test]
    fn lattice_neighbours_with_and_without_edges() {
        let place = lattice(10, 7, 1e-4);
        let open = placed(&Rule::Neighbours { radius: 1e-4, periodic: false }, 70, 70, true, false, &place, &place);
        assert_eq!(open.len(), 2 * (9 * 7 + 10 * 6));
        let torus = placed(&Rule::Neighbours { radius: 1e-4, periodic: true }, 70, 70, true, false, &place, &place);
        assert_eq!(torus.len(), 4 * 70);
        let eight = placed(&Rule::Neighbours { radius: 1.5e-4, periodic: true }, 70, 70, true, false, &place, &place);
        assert_eq!(eight.len(), 8 * 70);
    }

    #[test]
    fn cells_find_what_a_search_of_all_pairs_finds() {
        let stream = &mut spikedeck_core::rng::Key::new(3, "a", "b").stream(0, 0);
        let positions: Vec<[f64; 3]> =
            (0..300).map(|_| [stream.uniform(), stream.uniform(), stream.uniform()]).collect();
        let place = Geometry { positions: positions.clone(), extent: [1.0; 3], ..Geometry::default() };
        for (periodic, radius) in [(false, 0.17), (true, 0.17), (true, 0.45), (true, 0.9)] {
            let wrap = if periodic { [1.0; 3] } else { [0.0; 3] };
            let found = placed(&Rule::Neighbours { radius, periodic }, 300, 300, false, false, &place, &place).len();
            let pairs = positions.iter().flat_map(|&a| positions.iter().map(move |&b| distance_squared(a, b, wrap)));
            assert_eq!(found, pairs.filter(|&d2| d2 <= radius * radius).count(), "{periodic} {radius}");
        }
    }

    #[test]
    fn gaussian_profile_has_the_expected_number_and_falls_off() {
        let place = lattice(60, 60, 1.0);
        let (p_max, sigma) = (0.8, 3.0);
        let all = placed(&Rule::Gaussian { p_max, sigma, periodic: true }, 3600, 3600, false, false, &place, &place);
        // Sum over the lattice of a wide Gaussian is its integral, 2 pi sigma^2 p_max, a unit.
        let expected = 3600.0 * std::f64::consts::TAU * sigma * sigma * p_max;
        assert!((all.len() as f64 / expected - 1.0).abs() < 0.01, "{} {expected}", all.len());
        let d2 = |l: &Link| {
            distance_squared(place.positions[l.source as usize], place.positions[l.target as usize], place.extent)
        };
        let mean = all.iter().map(d2).sum::<f64>() / all.len() as f64;
        assert!(
            (mean - 2.0 * sigma * sigma).abs() < 0.3,
            "mean squared distance of a 2-D Gaussian is 2 sigma^2, found {mean}"
        );
    }
}
