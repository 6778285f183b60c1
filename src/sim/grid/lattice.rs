//! Cells on a line or in a plane, what lies beyond their ends, and differences of neighbours.

use spikedeck_core::normal;
use spikedeck_core::rng::Key;
use spikedeck_scenario::{Boundary, GridSpec};

/// A regular grid; the first axis varies fastest.
#[derive(Debug, Clone)]
pub struct Lattice {
    /// Cells along each axis.
    pub shape: Vec<usize>,
    /// Distance of neighbours.
    pub spacing: f64,
    /// Lower and upper end of each axis.
    pub ends: [Boundary; 2],
    /// Standard deviation of noisy ends.
    pub noise: f64,
}

/// Cells along one axis: cell `j` of a line stands at `(outer * count + j) * stride + inner`.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    /// Cells of a line.
    pub count: usize,
    /// Distance in memory of neighbours, and number of lines side by side.
    pub stride: usize,
    /// Groups of lines.
    pub groups: usize,
}

/// Values beyond the two ends of each line, for one axis.
#[derive(Debug, Clone, Default)]
pub struct Ghosts {
    /// Values at the start, in the order of lines.
    initial: [Vec<f64>; 2],
    /// Values now.
    pub now: [Vec<f64>; 2],
    key: [Option<Key>; 2],
    sd: f64,
}

impl Lattice {
    /// The grid of a scenario.
    pub fn new(grid: &GridSpec) -> Self {
        Self { shape: grid.shape.clone(), spacing: grid.spacing, ends: grid.boundary, noise: grid.noise.0 }
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.shape.iter().product()
    }

    /// The lines along each axis.
    pub fn axes(&self) -> impl Iterator<Item = Lines> + '_ {
        let cells = self.cells();
        let mut stride = 1;
        self.shape.iter().map(move |&count| {
            let lines = Lines { count, stride, groups: cells / (count * stride) };
            stride *= count;
            lines
        })
    }

    /// What lies beyond the ends for a quantity that has these values at the start.
    pub fn ghosts(&self, initial: &[f64], seed: u64, entity: &str, name: &str) -> Vec<Ghosts> {
        let one = |(axis, lines): (usize, Lines)| {
            let edge = |end: usize| -> Vec<f64> {
                let j = if end == 0 { 0 } else { lines.count - 1 };
                match self.ends[end] {
                    Boundary::Fixed | Boundary::Noisy => (0..lines.groups * lines.stride)
                        .map(|l| initial[(l / lines.stride * lines.count + j) * lines.stride + l % lines.stride])
                        .collect(),
                    Boundary::Killed => vec![0.0; lines.groups * lines.stride],
                    Boundary::NoFlux | Boundary::Periodic => Vec::new(),
                }
            };
            let key = |end: usize| {
                (self.ends[end] == Boundary::Noisy)
                    .then(|| Key::new(seed, entity, &format!("boundary.{name}.{axis}.{end}")))
            };
            let initial = [edge(0), edge(1)];
            Ghosts { now: initial.clone(), initial, key: [key(0), key(1)], sd: self.noise }
        };
        self.axes().enumerate().map(one).collect()
    }

    /// Adds second differences over the spacing squared, along one axis.
    fn add_second(&self, lines: Lines, ghosts: &Ghosts, values: &[f64], out: &mut [f64]) {
        let Lines { count, stride, groups } = lines;
        let scale = 1.0 / (self.spacing * self.spacing);
        let second = |left: f64, here: f64, right: f64| (left - 2.0 * here + right) * scale;
        for group in 0..groups {
            let block = group * count * stride..(group + 1) * count * stride;
            let (line, to) = (&values[block.clone()], &mut out[block]);
            // Neighbours inside, cell by cell without a question asked: their offsets are the same for all.
            let inner = stride..(count - 1) * stride;
            let sides = line[..inner.end - stride].iter().zip(&line[2 * stride..]);
            for ((o, here), (left, right)) in to[inner.clone()].iter_mut().zip(&line[inner]).zip(sides) {
                *o += second(*left, *here, *right);
            }
            for i in 0..stride {
                let last = (count - 1) * stride + i;
                let (before, after) = (
                    self.beyond(0, lines, ghosts, values, (group, i)),
                    self.beyond(1, lines, ghosts, values, (group, i)),
                );
                to[i] += second(before, line[i], line[i + stride]);
                to[last] += second(line[last - stride], line[last], after);
            }
        }
    }

    /// The neighbour beyond an end of a line.
    fn beyond(&self, end: usize, lines: Lines, ghosts: &Ghosts, values: &[f64], (group, i): (usize, usize)) -> f64 {
        let cell = |j: usize| values[(group * lines.count + j) * lines.stride + i];
        let last = lines.count - 1;
        match (self.ends[end], end) {
            (Boundary::NoFlux, 0) | (Boundary::Periodic, 1) => cell(0),
            (Boundary::NoFlux | Boundary::Periodic, _) => cell(last),
            (Boundary::Fixed | Boundary::Noisy | Boundary::Killed, _) => ghosts.now[end][group * lines.stride + i],
        }
    }

    /// The Laplacian of `values`.
    pub fn laplacian(&self, ghosts: &[Ghosts], values: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (lines, ghosts) in self.axes().zip(ghosts) {
            self.add_second(lines, ghosts, values, out);
        }
    }

    /// Central differences along an axis.
    pub fn gradient(&self, axis: usize, ghosts: &[Ghosts], values: &[f64], out: &mut [f64]) {
        let lines = self.axes().nth(axis).expect("the scenario refuses a gradient along an axis that is not there");
        let ghosts = &ghosts[axis];
        let Lines { count, stride, groups } = lines;
        let scale = 2.0 * self.spacing;
        for (group, i) in (0..groups).flat_map(|g| (0..stride).map(move |i| (g, i))) {
            let at = |j: usize| (group * count + j) * stride + i;
            let beyond = |end| self.beyond(end, lines, ghosts, values, (group, i));
            for j in 0..count {
                let left = if j > 0 { values[at(j - 1)] } else { beyond(0) };
                let right = if j + 1 < count { values[at(j + 1)] } else { beyond(1) };
                out[at(j)] = (right - left) / scale;
            }
        }
    }

    /// The cell whose value stands at place `index` of a line of `count` cells, or the end beyond which it lies.
    pub fn image(&self, index: isize, count: usize) -> Result<usize, usize> {
        if (0..count as isize).contains(&index) {
            return Ok(index as usize);
        }
        let end = usize::from(index > 0);
        match self.ends[end] {
            Boundary::Periodic => Ok(index.rem_euclid(count as isize) as usize),
            Boundary::NoFlux if self.ends == [Boundary::NoFlux; 2] => {
                let k = index.rem_euclid(2 * count as isize) as usize;
                Ok(if k < count { k } else { 2 * count - 1 - k })
            }
            Boundary::NoFlux => Ok(if end == 0 { 0 } else { count - 1 }),
            Boundary::Fixed | Boundary::Noisy | Boundary::Killed => Err(end),
        }
    }
}

impl Ghosts {
    /// Brings noisy ends to step `step`.
    pub fn refresh(&mut self, step: u64) {
        for end in 0..2 {
            let Some(key) = self.key[end] else { continue };
            for (k, (v, mean)) in self.now[end].iter_mut().zip(&self.initial[end]).enumerate() {
                *v = self.sd.mul_add(normal::normal(key, k as u32, step), *mean);
            }
        }
    }
}
