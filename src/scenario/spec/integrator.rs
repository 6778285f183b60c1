//! Integrators by name: the one list of what steps the equations of a population.

/// How the equations of a population are stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Integrator {
    /// Chosen for the equations.
    #[default]
    Auto,
    /// Matrix exponential.
    Exact,
    /// Each equation linearised in its own state.
    ExponentialEuler,
    /// Forward Euler.
    Euler,
    /// Forward Euler, one equation after the other.
    EulerSequential,
    /// Explicit trapezoid.
    Heun,
    /// Classical Runge-Kutta.
    Rk4,
    /// Dormand-Prince, adaptive.
    Rk45,
    /// ROS2.
    Rosenbrock,
    /// Forward Euler with white noise.
    EulerMaruyama,
    /// Trapezoid with white noise.
    HeunStratonovich,
    /// Euler with the first correction of multiplicative noise.
    Milstein,
    /// Of space: the trapezoid.
    CrankNicolson,
    /// Of space: backward Euler.
    BackwardEuler,
    /// Of space: forward in time, centred in space.
    Ftcs,
    /// Of space: exact factors of Fourier modes.
    Spectral,
    /// Of space: velocities first.
    Leapfrog,
    /// Of space: three levels in time.
    DufortFrankel,
    /// Of space: the neighbours' mean.
    LaxFriedrichs,
}

impl Integrator {
    /// All, with the names that scenarios use and one line of meaning: `auto`, rules for equations, schemes of space.
    pub const LIST: [(Self, &'static str, &'static str); 19] = [
        (
            Self::Auto,
            "auto",
            "chosen for the equations: exact where they are linear, else what converges; says what and why",
        ),
        (
            Self::Exact,
            "exact",
            "linear states by matrix exponential; states linear in themselves with what they depend on frozen over \
             the step (order 1 in these)",
        ),
        (
            Self::ExponentialEuler,
            "exponential_euler",
            "each equation solved exactly after linearising it in its own state; order 1, stable for stiff gates",
        ),
        (Self::Euler, "euler", "forward Euler; order 1"),
        (
            Self::EulerSequential,
            "euler_sequential",
            "forward Euler, each equation seeing the states already updated, as several published scripts do; order 1",
        ),
        (Self::Heun, "heun", "explicit trapezoid; order 2"),
        (Self::Rk4, "rk4", "classical Runge-Kutta; order 4"),
        (Self::Rk45, "rk45", "Dormand-Prince 5(4), adaptive inside each step, locates threshold crossings; order 5"),
        (Self::Rosenbrock, "rosenbrock", "ROS2, L-stable, with the symbolic Jacobian, for stiff systems; order 2"),
        (
            Self::EulerMaruyama,
            "euler_maruyama",
            "forward Euler with white noise (Itô); strong order 1/2, 1 for additive noise",
        ),
        (
            Self::HeunStratonovich,
            "heun_stratonovich",
            "trapezoid with white noise (Stratonovich); strong order 1 for one noise",
        ),
        (Self::Milstein, "milstein", "Euler with the first correction of multiplicative noise (Itô); strong order 1"),
        (
            Self::CrankNicolson,
            "crank_nicolson",
            "on a grid: diffusion by the trapezoid, linearly implicit (axes take turns); order 2 if the rule for the \
             rest has it; on a tree: order 2, gates half a step beside the voltage",
        ),
        (
            Self::BackwardEuler,
            "backward_euler",
            "on a grid: diffusion by backward Euler, linearly implicit (axes take turns); order 1, damps every mode; \
             on a tree: the same, what auto takes there",
        ),
        (
            Self::Ftcs,
            "ftcs",
            "on a grid: forward in time, centred in space; order 1, stable for dt <= h^2/(2 d D) in d dimensions",
        ),
        (
            Self::Spectral,
            "spectral",
            "on a grid: each Fourier mode by its exact factor around a step of the rest (Strang splitting); order 2 \
             in time",
        ),
        (
            Self::Leapfrog,
            "leapfrog",
            "on a grid, for waves: velocities half a step from what they move; order 2, stable for c dt <= h/sqrt(d)",
        ),
        (
            Self::DufortFrankel,
            "dufort_frankel",
            "on a grid: three levels in time, stable for every step, consistent only if dt/h goes to 0; order 2 for \
             diffusion alone, 1 with the rest",
        ),
        (
            Self::LaxFriedrichs,
            "lax_friedrichs",
            "on a grid: the neighbours' mean in place of the cell; for diffusion it never converges and blows up, \
             kept for comparison (allow_unstable)",
        ),
    ];

    /// The integrator called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::LIST.iter().find(|i| i.1 == name).map(|i| i.0)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::LIST.iter().find(|i| i.0 == self).expect("all integrators are in the list").1
    }

    /// Whether it steps space, and needs a grid or a tree.
    pub fn is_of_space(self) -> bool {
        matches!(
            self,
            Self::CrankNicolson
                | Self::BackwardEuler
                | Self::Ftcs
                | Self::Spectral
                | Self::Leapfrog
                | Self::DufortFrankel
                | Self::LaxFriedrichs
        )
    }

    /// Whether it draws white noise.
    pub fn is_noisy(self) -> bool {
        matches!(self, Self::EulerMaruyama | Self::HeunStratonovich | Self::Milstein)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_integrators_are_pairs() {
        for (integrator, name, about) in Integrator::LIST {
            assert_eq!((Integrator::named(name), integrator.name()), (Some(integrator), name));
            assert!(!about.is_empty());
        }
    }
}
