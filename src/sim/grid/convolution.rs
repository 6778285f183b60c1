//! Convolution with a kernel over a grid: direct sums for narrow kernels, Fourier transforms for wide ones.

use super::lattice::{Ghosts, Lattice};
use spikedeck_core::circular_convolution::CircularConvolution;
use spikedeck_core::math::exp;
use spikedeck_equation::space::KernelShape;

/// Where a kernel ends: exponentials and Gaussians are below 1e-10 of their height there.
const EXPONENTIAL_REACH: f64 = 23.0;
const GAUSSIAN_REACH: f64 = 6.8;
/// Most weights of a kernel that is summed directly.
const DIRECT: usize = 65;

/// A kernel sampled on a grid.
#[derive(Debug, Clone)]
pub struct Convolution {
    /// Weights, each times the volume of a cell; `reach` cells to each side along each axis.
    weights: Vec<f64>,
    reach: [usize; 2],
    /// Cells along the axes, 1 along the second on a line.
    shape: [usize; 2],
    /// Of wide kernels: rows of the padded grid laid end to end on a ring, so that no window of a cell wraps around.
    ring: Option<CircularConvolution>,
    padded: Vec<f64>,
    /// The other half of what a ring convolves, which is not used.
    beside: Vec<f64>,
}

/// One part of a kernel: its shape, its strength, its width.
type Part = (KernelShape, f64, f64);

fn parts(shape: KernelShape, a: &[f64]) -> Vec<Part> {
    match (shape, a) {
        (KernelShape::MexicanHat, [strength, width, less, wider]) => {
            vec![(KernelShape::Gaussian, *strength, *width), (KernelShape::Gaussian, -less, *wider)]
        }
        (shape, list) => list.iter().map(|w| (shape, 1.0, *w)).collect(),
    }
}

impl Convolution {
    /// Samples a kernel. Gaussians and exponentials are scaled so that their weights sum to one, as their integral
    /// does.
    ///
    /// # Errors
    /// A width that is not positive, below the spacing's reach, or as large as the grid.
    pub fn new(lattice: &Lattice, shape: KernelShape, arguments: &[f64], direct: Option<bool>) -> Result<Self, String> {
        let plane = lattice.shape.len() == 2;
        let cells = [lattice.shape[0], if plane { lattice.shape[1] } else { 1 }];
        if shape == KernelShape::Listed {
            return Self::listed(cells, plane, arguments, direct);
        }
        let parts = parts(shape, arguments);
        let shortest = (if plane { cells[0].min(cells[1]) } else { cells[0] }) as f64 * lattice.spacing;
        for &(_, _, width) in &parts {
            if width <= 0.0 || !width.is_finite() {
                return Err(format!("the width of a kernel is above zero, not {width}"));
            }
            if width >= shortest {
                return Err(format!(
                    "a kernel of width {width} is wider than the grid, whose shortest side is {shortest}: use more \
                     cells, a larger spacing or a narrower kernel"
                ));
            }
        }
        let reach_of = |&(shape, _, width): &Part| {
            let reach = if shape == KernelShape::Gaussian { GAUSSIAN_REACH } else { EXPONENTIAL_REACH };
            (reach * width / lattice.spacing).ceil() as usize
        };
        let reach = parts.iter().map(reach_of).max().unwrap_or(0).max(1);
        let reach = [reach, if plane { reach } else { 0 }];
        let mut weights = vec![0.0; (2 * reach[0] + 1) * (2 * reach[1] + 1)];
        for (shape, strength, width) in parts {
            let mut part = Vec::with_capacity(weights.len());
            for y in 0..=2 * reach[1] {
                for x in 0..=2 * reach[0] {
                    let (dx, dy) = (x as f64 - reach[0] as f64, y as f64 - reach[1] as f64);
                    let r = dx.mul_add(dx, dy * dy).sqrt() * lattice.spacing / width;
                    part.push(match shape {
                        KernelShape::Gaussian | KernelShape::MexicanHat => exp(-0.5 * r * r),
                        KernelShape::Exponential => exp(-r),
                        KernelShape::WizardHat => (1.0 - r) * exp(-r),
                        KernelShape::Listed => 0.0,
                    });
                }
            }
            let scale = if shape == KernelShape::WizardHat {
                if plane { (lattice.spacing / width) * (lattice.spacing / width) } else { lattice.spacing / width }
            } else {
                1.0 / part.iter().sum::<f64>()
            };
            weights.iter_mut().zip(part).for_each(|(w, p)| *w += strength * scale * p);
        }
        Ok(Self::with(cells, weights, reach, direct))
    }

    /// Weights as they are written, the same to both sides.
    fn listed(cells: [usize; 2], plane: bool, half: &[f64], direct: Option<bool>) -> Result<Self, String> {
        if plane {
            return Err("listed weights are for a line of cells; in a plane use a kernel of the distance".to_owned());
        }
        let reach = half.len() - 1;
        if 2 * reach + 1 > cells[0] {
            return Err(format!("a kernel of {} weights is wider than the grid of {} cells", 2 * reach + 1, cells[0]));
        }
        Ok(Self::with(cells, (0..=2 * reach).map(|j| half[j.abs_diff(reach)]).collect(), [reach, 0], direct))
    }

    fn with(cells: [usize; 2], weights: Vec<f64>, reach: [usize; 2], direct: Option<bool>) -> Self {
        let padded = (cells[0] + 2 * reach[0]) * (cells[1] + 2 * reach[1]);
        let mut out = Self { weights, reach, shape: cells, ring: None, padded: vec![0.0; padded], beside: Vec::new() };
        if !direct.unwrap_or(out.weights.len() <= DIRECT) {
            out.transform();
        }
        out
    }

    /// Lays the kernel on a ring that is at least as long as the padded grid.
    fn transform(&mut self) {
        let n = self.padded.len().next_power_of_two();
        let pitch = self.shape[0] + 2 * self.reach[0];
        let mut line = vec![0.0; n];
        for y in 0..=2 * self.reach[1] {
            for x in 0..=2 * self.reach[0] {
                let offset =
                    (y as isize - self.reach[1] as isize) * pitch as isize + x as isize - self.reach[0] as isize;
                line[offset.rem_euclid(n as isize) as usize] += self.weights[y * (2 * self.reach[0] + 1) + x];
            }
        }
        self.ring = Some(CircularConvolution::new(&line));
    }

    /// The convolution of `values`, continued beyond the ends as the boundary says.
    pub fn apply(&mut self, lattice: &Lattice, ghosts: &[Ghosts], values: &[f64], out: &mut [f64]) {
        let ([nx, ny], [rx, ry]) = (self.shape, self.reach);
        let pitch = nx + 2 * rx;
        for y in 0..ny + 2 * ry {
            let row = if ny == 1 { Ok(0) } else { lattice.image(y as isize - ry as isize, ny) };
            for x in 0..pitch {
                let column = lattice.image(x as isize - rx as isize, nx);
                let beyond = |axis: usize, end: usize, line: usize| ghosts[axis].now[end][line];
                self.padded[y * pitch + x] = match (row, column) {
                    (Ok(r), Ok(c)) => values[r * nx + c],
                    (Ok(r), Err(end)) => beyond(0, end, r),
                    (Err(end), Ok(c)) => beyond(1, end, c),
                    (Err(end), Err(side)) => beyond(1, end, if side == 0 { 0 } else { nx - 1 }),
                };
            }
        }
        if let Some(ring) = &self.ring {
            let n = self.padded.len();
            self.padded.resize(ring.length(), 0.0);
            self.beside.clear();
            self.beside.resize(ring.length(), 0.0);
            ring.apply(&mut self.padded, &mut self.beside);
            self.padded.truncate(n);
            for y in 0..ny {
                let from = (y + ry) * pitch + rx;
                out[y * nx..(y + 1) * nx].copy_from_slice(&self.padded[from..from + nx]);
            }
            return;
        }
        let width = 2 * rx + 1;
        for y in 0..ny {
            for x in 0..nx {
                let mut sum = 0.0;
                for (dy, row) in self.weights.chunks_exact(width).enumerate() {
                    let from = (y + dy) * pitch + x;
                    // Kernels are even, so that the order of the window does not matter.
                    sum += row.iter().zip(&self.padded[from..from + width]).map(|(w, v)| w * v).sum::<f64>();
                }
                out[y * nx + x] = sum;
            }
        }
    }
}
