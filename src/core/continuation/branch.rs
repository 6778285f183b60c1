//! A branch of equilibria as it is found: its points, and what happens on it.

/// A point of a branch.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// State.
    pub x: Vec<f64>,
    /// Value of the parameter.
    pub parameter: f64,
    /// Eigenvalues of the Jacobian, largest real part first, per unit of the system's time.
    pub eigenvalues: Vec<(f64, f64)>,
}

impl Point {
    /// Number of eigenvalues with positive real part, beyond rounding.
    pub fn unstable(&self) -> usize {
        super::measure::growing(&self.eigenvalues)
    }
}

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// The branch turns in the parameter: two equilibria meet and vanish.
    Fold,
    /// Another branch crosses.
    BranchPoint,
    /// A pair of eigenvalues crosses the imaginary axis: cycles begin.
    Hopf {
        /// The frequency at which it does, in radians per unit of the system's time.
        omega: f64,
    },
}

/// A point at which something happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Special {
    /// What.
    pub kind: Kind,
    /// Where.
    pub at: Point,
}

/// Why a branch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It leaves the range of the parameter.
    Range,
    /// A state grows beyond bounds.
    Bound,
    /// It has as many points as it may.
    Points,
    /// Newton's method does not arrive, however short the step.
    Lost,
    /// It comes back to where it began.
    Closed,
    /// It meets a branch that is known.
    Known,
    /// It reaches a threshold beyond which there is no rest. Continuation itself knows of none.
    Threshold,
}

/// A branch of equilibria.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Its points in order, special ones included.
    pub points: Vec<Point>,
    /// What happens on it, in the same order.
    pub special: Vec<Special>,
    /// How its first and its last point came to be that.
    pub ends: [End; 2],
}
