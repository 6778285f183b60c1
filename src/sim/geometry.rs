//! Where units are: positions in metres, and distances with or without wrapping.

use spikedeck_core::rng::Key;
use spikedeck_core::units::Dimension;
use spikedeck_scenario::{PopulationSpec, Positions, TreeSpec};

/// Positions of the units of a population and the box they lie in.
#[derive(Debug, Clone, Default)]
pub(super) struct Geometry {
    /// One position a unit, in metres; empty if the scenario gives none.
    pub positions: Vec<[f64; 3]>,
    /// Edge lengths of the box that periodic distances wrap around; 0 along axes that do not exist.
    pub extent: [f64; 3],
    /// Dimension of lengths: none on grids of models in plain numbers.
    pub length: Dimension,
    /// Path from the root and diameter in metres, one a unit, on trees.
    pub distance: Vec<f64>,
    pub diameter: Vec<f64>,
}

impl Geometry {
    /// The positions of `population`: lattice points (the first axis varies fastest), drawn points, or listed ones.
    pub fn of(population: &PopulationSpec, seed: u64) -> Self {
        let size = population.size;
        let length = population.grid.as_ref().map_or(Dimension::METRE, |g| g.length);
        match &population.positions {
            None => Self::default(),
            Some(Positions::Grid { shape, spacing }) => {
                let mut extent = [0.0; 3];
                for (e, &n) in extent.iter_mut().zip(shape) {
                    *e = n as f64 * spacing;
                }
                let positions = (0..size)
                    .map(|unit| {
                        let mut rest = unit;
                        let mut point = [0.0; 3];
                        for (p, &n) in point.iter_mut().zip(shape) {
                            *p = (rest % n.max(1)) as f64 * spacing;
                            rest /= n.max(1);
                        }
                        point
                    })
                    .collect();
                Self { positions, extent, length, ..Self::default() }
            }
            Some(Positions::Uniform { extent: edges }) => {
                let key = Key::new(seed, &format!("populations.{}", population.name), "positions");
                let mut extent = [0.0; 3];
                for (e, &edge) in extent.iter_mut().zip(edges) {
                    *e = edge;
                }
                let positions = (0..size)
                    .map(|unit| {
                        let mut stream = key.stream(unit as u32, 0);
                        extent.map(|edge| if edge > 0.0 { edge * stream.uniform() } else { 0.0 })
                    })
                    .collect();
                Self { positions, extent, length, ..Self::default() }
            }
            Some(Positions::Listed(points)) => {
                let (distance, diameter) = population.tree.as_ref().map_or_else(Default::default, |t| {
                    (t.compartments.distance.repeat(t.cells), t.compartments.diameter.repeat(t.cells))
                });
                Self { positions: points.to_vec(), extent: [0.0; 3], length, distance, diameter }
            }
        }
    }

    /// The same for these units of each cell of a tree.
    pub fn part(&self, tree: &TreeSpec, units: &[u32]) -> Self {
        let of = |cell: usize| units.iter().map(move |&u| cell * tree.units() + u as usize);
        let chosen: Vec<usize> = (0..tree.cells).flat_map(of).collect();
        Self {
            positions: chosen.iter().map(|&u| self.positions[u]).collect(),
            distance: chosen.iter().map(|&u| self.distance[u]).collect(),
            diameter: chosen.iter().map(|&u| self.diameter[u]).collect(),
            extent: self.extent,
            length: self.length,
        }
    }
}

/// Squared distance of two points; along axes with a positive `wrap` the shorter way around counts.
#[inline]
pub(super) fn distance_squared(a: [f64; 3], b: [f64; 3], wrap: [f64; 3]) -> f64 {
    let mut sum = 0.0;
    for axis in 0..3 {
        let mut d = (a[axis] - b[axis]).abs();
        if wrap[axis] > 0.0 {
            d = d.min(wrap[axis] - d);
        }
        sum = d.mul_add(d, sum);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periodic_distances_take_the_shorter_way() {
        let (a, b) = ([0.0, 0.0, 0.0], [9.0, 0.0, 0.0]);
        assert_eq!(distance_squared(a, b, [0.0; 3]), 81.0);
        assert_eq!(distance_squared(a, b, [10.0, 10.0, 0.0]), 1.0);
    }
}
