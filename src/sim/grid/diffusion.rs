//! Diffusion along lines, implicit or by Fourier modes. In a plane the axes take turns (alternating directions).
//!
//! Implicit schemes work on the change over a step (Beam and Warming 1978, doi:10.2514/3.60901): the equations are
//! stepped with their Laplacian frozen, u~ = u + dt F(u) + ..., and the change is smoothed, (1 - theta dt D Lx)(1 -
//! theta dt D Ly) (u' - u) = u~ - u. For diffusion alone this is Crank-Nicolson (theta 1/2) or backward Euler (1) with
//! alternating directions; rest states are those of the equations, whatever the step; with theta 1/2 the order is 2 if
//! the rule for the equations has order 2.

use super::lattice::{Lattice, Lines};
use spikedeck_core::circular_convolution::CircularConvolution;
use spikedeck_core::math::exp;
use spikedeck_scenario::Boundary;

/// One step of `du/dt = D laplacian(u)` along an axis.
#[derive(Debug, Clone)]
pub enum LineStep {
    /// `(1 - theta r L) x' = x` for the change over a step: Crank-Nicolson with theta 1/2, backward Euler with 1.
    Theta(Tridiagonal),
    /// Exact factor of each Fourier mode.
    Spectral(Modes),
}

/// A factorised tridiagonal matrix with constant coefficients (Thomas 1949), closed to a ring by Sherman and Morrison's
/// formula.
#[derive(Debug, Clone)]
pub struct Tridiagonal {
    /// `theta r`.
    implicit: f64,
    /// Upper entries after elimination, and inverses of the pivots.
    upper: Vec<f64>,
    inverse: Vec<f64>,
    /// For rings: the solution of the correction, and what it is divided by.
    ring: Option<(Vec<f64>, f64)>,
}

impl Tridiagonal {
    /// For `r = D dt / spacing^2`.
    pub fn new(lattice: &Lattice, count: usize, r: f64, theta: f64) -> Self {
        let a = theta * r;
        let mut diagonal = vec![1.0 + 2.0 * a; count];
        let periodic = lattice.ends[0] == Boundary::Periodic;
        for (end, at) in [(0, 0), (1, count - 1)] {
            if lattice.ends[end] == Boundary::NoFlux {
                diagonal[at] -= a;
            }
        }
        // A + u v^T with u = (g, 0, ..., -a), v = (1, 0, ..., -a/g), g = -(1 + 2a).
        let g = -(1.0 + 2.0 * a);
        if periodic {
            diagonal[0] -= g;
            diagonal[count - 1] -= a * a / g;
        }
        let (mut upper, mut inverse) = (vec![0.0; count], vec![0.0; count]);
        for j in 0..count {
            let before = if j > 0 { a * upper[j - 1] } else { 0.0 };
            inverse[j] = 1.0 / (diagonal[j] + before);
            upper[j] = -a * inverse[j];
        }
        let mut out = Self { implicit: a, upper, inverse, ring: None };
        if periodic {
            let mut z = vec![0.0; count];
            z[0] = g;
            z[count - 1] = -a;
            out.solve(&mut z, 1);
            let denominator = 1.0 + z[0] - a / g * z[count - 1];
            out.ring = Some((z, denominator));
        }
        out
    }

    /// Solves for `stride` right-hand sides side by side.
    fn solve(&self, values: &mut [f64], stride: usize) {
        let (a, count) = (self.implicit, self.upper.len());
        values[..stride].iter_mut().for_each(|v| *v *= self.inverse[0]);
        for j in 1..count {
            let (before, here) = values.split_at_mut(j * stride);
            let before = &before[(j - 1) * stride..];
            for i in 0..stride {
                here[i] = a.mul_add(before[i], here[i]) * self.inverse[j];
            }
        }
        for j in (0..count - 1).rev() {
            let (here, after) = values.split_at_mut((j + 1) * stride);
            let here = &mut here[j * stride..];
            for i in 0..stride {
                here[i] -= self.upper[j] * after[i];
            }
        }
    }

    fn step(&self, lines: Lines, values: &mut [f64]) {
        let Lines { count, stride, groups } = lines;
        let block = count * stride;
        let last = block - stride;
        for group in 0..groups {
            let line = &mut values[group * block..(group + 1) * block];
            self.solve(line, stride);
            if let Some((z, denominator)) = &self.ring {
                let slope = self.implicit / (1.0 + 2.0 * self.implicit);
                for i in 0..stride {
                    let factor = (line[i] + slope * line[last + i]) / denominator;
                    for (j, z) in z.iter().enumerate() {
                        line[j * stride + i] -= factor * z;
                    }
                }
            }
        }
    }
}

/// Factors of the modes of a line: Fourier on a ring, cosines between sealed ends, sines between killed ones.
#[derive(Debug, Clone)]
pub struct Modes {
    kind: Boundary,
    /// On a ring: the line, or the line with its mirror image.
    ring: CircularConvolution,
    /// Where the line begins on the ring.
    shift: usize,
}

impl Modes {
    /// `coefficients[m - 1]` belongs to the m-th power of the Laplacian; `h` is the step.
    pub fn new(lattice: &Lattice, count: usize, coefficients: &[f64], h: f64) -> Self {
        let kind = lattice.ends[0];
        let (length, shift) = match kind {
            Boundary::Periodic => (count, 0),
            Boundary::NoFlux => (2 * count, 0),
            Boundary::Killed => (2 * (count + 1), 1),
            Boundary::Fixed | Boundary::Noisy => unreachable!("the scenario refuses modes for ends that hold a value"),
        };
        let factor = |k: usize| {
            let wave = std::f64::consts::TAU * k as f64 / (length as f64 * lattice.spacing);
            let laplacian = -wave * wave;
            let rate = coefficients.iter().rev().fold(0.0, |sum: f64, c| (sum + c) * laplacian);
            exp(rate * h)
        };
        Self { kind, shift, ring: CircularConvolution::of_modes(length, factor) }
    }

    /// Two lines at a time, as the real and the imaginary part of one.
    fn step(&self, lines: Lines, values: &mut [f64]) {
        let Lines { count, stride, groups } = lines;
        let total = groups * stride;
        let at = |line: usize, j: usize| (line / stride * count + j) * stride + line % stride;
        let mut parts = [Vec::new(), Vec::new()];
        for first in (0..total).step_by(2) {
            let pair = first..total.min(first + 2);
            for (k, part) in parts.iter_mut().enumerate() {
                part.clear();
                part.resize(self.ring.length(), 0.0);
                if pair.contains(&(first + k)) {
                    self.lay(part, |j| values[at(first + k, j)], count);
                }
            }
            let [re, im] = &mut parts;
            self.ring.apply(re, im);
            for (line, part) in pair.zip(&parts) {
                (0..count).for_each(|j| values[at(line, j)] = part[j + self.shift]);
            }
        }
    }

    /// Puts a line on the ring, with its mirror image where ends are sealed or killed.
    fn lay(&self, ring: &mut [f64], value: impl Fn(usize) -> f64, count: usize) {
        for j in 0..count {
            match self.kind {
                Boundary::Periodic => ring[j] = value(j),
                Boundary::NoFlux => (ring[j], ring[2 * count - 1 - j]) = (value(j), value(j)),
                // The others are refused when the modes are made.
                Boundary::Killed | Boundary::Fixed | Boundary::Noisy => {
                    (ring[j + 1], ring[2 * count + 1 - j]) = (value(j), -value(j));
                }
            }
        }
    }
}

impl LineStep {
    /// Moves all lines of an axis.
    pub fn step(&self, lines: Lines, values: &mut [f64]) {
        match self {
            Self::Theta(t) => t.step(lines, values),
            Self::Spectral(m) => m.step(lines, values),
        }
    }
}
