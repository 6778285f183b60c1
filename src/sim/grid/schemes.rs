//! Schemes of space, and the steps for which they are stable.

use super::lattice::Lattice;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_scenario::{Boundary, Integrator};

/// How diffusion is stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Operators are frozen over the step.
    Frozen,
    /// Forward Euler of everything.
    Ftcs,
    /// Diffusion by the trapezoid, on the change over a step.
    CrankNicolson,
    /// Diffusion by backward Euler, on the change over a step.
    BackwardEuler,
    /// Half a step of diffusion by the exact factor of each Fourier mode, all else, half a step of diffusion.
    Spectral,
    /// Velocities first, then what they move.
    Leapfrog,
    /// The neighbours' mean in place of the cell, then forward Euler.
    LaxFriedrichs,
    /// Centred in time, with the cell's own value as the mean of before and after.
    DufortFrankel,
}

impl Scheme {
    /// The scheme of an integrator, if it is one of space.
    pub fn of(integrator: Integrator) -> Option<Self> {
        Self::LIST.iter().find(|s| s.1 == integrator).map(|s| s.0)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::LIST.iter().find(|s| s.0 == self).map_or("frozen", |s| s.1.name())
    }

    const LIST: [(Self, Integrator); 7] = [
        (Self::CrankNicolson, Integrator::CrankNicolson),
        (Self::BackwardEuler, Integrator::BackwardEuler),
        (Self::Ftcs, Integrator::Ftcs),
        (Self::Spectral, Integrator::Spectral),
        (Self::Leapfrog, Integrator::Leapfrog),
        (Self::DufortFrankel, Integrator::DufortFrankel),
        (Self::LaxFriedrichs, Integrator::LaxFriedrichs),
    ];

    /// Whether diffusion is taken out of the rates and stepped apart.
    pub fn splits(self) -> bool {
        matches!(self, Self::Spectral | Self::DufortFrankel)
    }

    /// Whether the change over a step is smoothed by an implicit solution.
    pub fn implicit(self) -> bool {
        matches!(self, Self::CrankNicolson | Self::BackwardEuler)
    }
}

/// What enters a rate linearly: `coefficients[m - 1]` times the m-th power of the Laplacian.
#[derive(Debug, Clone, PartialEq)]
pub struct Diffusion {
    /// The state whose rate it is.
    pub state: usize,
    /// The state that the Laplacian is of.
    pub of: usize,
    /// Coefficients.
    pub coefficients: Vec<f64>,
}

/// Step in the time of the equations, and how such times are written.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Step.
    pub h: f64,
    /// Units of the equations' time in a second (or time unit).
    pub per_second: f64,
    /// Dimension of the scenario's times.
    pub dimension: Dimension,
}

impl Step {
    fn written(&self, h: f64) -> String {
        // Rounded down to four digits, so that what is written is stable.
        let value = h / self.per_second;
        let scale = 10f64.powi(3 - value.log10().floor() as i32);
        Quantity { value: (value * scale).floor() / scale, dimension: self.dimension }.to_string()
    }
}

/// Refuses a step for which the scheme grows; else a note on what the scheme does to these equations.
///
/// # Errors
/// The bound and the step that would be stable.
pub fn check(
    scheme: Scheme,
    lattice: &Lattice,
    terms: &[Diffusion],
    step: Step,
    allow_unstable: bool,
    names: &[String],
) -> Result<String, String> {
    let d = lattice.shape.len() as f64;
    let square = lattice.spacing * lattice.spacing;
    let h = step.h;
    let mut notes = String::new();
    for t in terms {
        let name = &names[t.state];
        let shortest = -4.0 * d / square;
        let rate = t.coefficients.iter().rev().fold(0.0, |sum: f64, c| (sum + c) * shortest);
        if t.state == t.of && rate > 0.0 {
            return Err(format!(
                "the shortest waves of `{name}` grow at any step: its diffusion coefficient is negative and nothing \
                 of higher order damps it"
            ));
        }
        let own = t.state == t.of;
        let bound = match scheme {
            Scheme::Ftcs | Scheme::Frozen | Scheme::Leapfrog if own && rate < 0.0 => 2.0 / -rate,
            Scheme::Leapfrog if !own && rate < 0.0 => 2.0 / (-rate).sqrt(),
            _ => f64::INFINITY,
        };
        if h > bound * (1.0 + 1e-9) && !allow_unstable {
            return Err(format!(
                "`{}` is not stable for this step: `{name}` needs dt <= {} on this grid, and dt is {}; take a shorter \
                 step, a larger spacing, or crank_nicolson, which is stable for every step",
                scheme.name(),
                step.written(bound),
                step.written(h)
            ));
        }
        if bound.is_finite() {
            notes = format!("{notes}; `{name}` is stable up to dt = {}", step.written(bound));
        }
        if !own && t.of < t.state && scheme == Scheme::Leapfrog {
            return Err(format!(
                "leapfrog moves velocities first: write the equation of `{name}` before that of `{}`",
                names[t.of]
            ));
        }
        let Some(&coefficient) = t.coefficients.first().filter(|_| own) else { continue };
        let mesh = coefficient * h / square;
        if scheme == Scheme::LaxFriedrichs {
            let effective = 1.0 + 1.0 / (2.0 * d * mesh);
            let growth = 1.0 + 4.0 * d * mesh;
            let steps = 36.7 / growth.ln();
            let words = format!(
                "D dt/h^2 = {mesh:.4} for `{name}`: it diffuses {effective:.2} times as fast as it should, and its \
                 shortest wave grows by {growth:.4} a step: rounding errors reach the size of a smooth solution after \
                 about {steps:.0} steps"
            );
            if !allow_unstable {
                return Err(format!(
                    "lax_friedrichs is for first-order waves and unstable for diffusion at every step; {words}. Use \
                     crank_nicolson; to see it happen, write `allow_unstable = true` in `grid`"
                ));
            }
            notes = format!("{notes}; {words}");
        }
        if scheme == Scheme::DufortFrankel && mesh > 0.5 {
            notes = format!(
                "{notes}; `{name}`: D dt/h^2 = {mesh:.3}, so that it moves as a wave (D dt^2/h^2 u_tt is not small)"
            );
        }
    }
    if scheme == Scheme::Spectral {
        let sound = [Boundary::Periodic, Boundary::NoFlux, Boundary::Killed];
        if lattice.ends[0] != lattice.ends[1] || !sound.contains(&lattice.ends[0]) {
            return Err("spectral needs the same ends on both sides: periodic, no_flux or killed".to_owned());
        }
    }
    Ok(notes)
}
