//! The phase plane of two states: trajectory, nullclines, fixed points with stability, limit cycles, separatrices,
//! direction field; and a third state seen from the side.

mod plane;
mod sets;
mod space;

use super::binding::{Bound, UnitOptions, display};
use super::prelude::*;
use plane::Plane;
use sets::{Cycles, Lines};
use spikedeck_core::phase::Equilibrium;
use spikedeck_scenario::StateId;
use spikedeck_signal::{Axis, Curve, CurveStyle, FixedPoint, PhasePortrait, Shape, Stability};

/// `kind = "phase_plane"`.
#[derive(Debug, Clone, Copy)]
pub struct PhasePlane;

const CARD: AnalysisCard = AnalysisCard {
    title: "Phase plane",
    synonyms: &["nullclines", "fixed_points", "vector_field", "isoclines", "limit_cycles", "separatrices"],
    summary: "trajectory, nullclines, fixed points with stability, limit cycles, separatrices and the flow's \
              directions, in the plane of two states",
    formula: "nullclines: ẋ = 0 and ẏ = 0 by marching squares; fixed points: f = 0 by Newton's method from a grid, \
              from the \
              trajectory, and from wherever both nullclines cross a cell of a fine grid; \
              stability: eigenvalues of the symbolic Jacobian there\n\
              limit cycles: trajectories from the initial state, from fixed points that are left and from a grid are \
              followed until they settle, and closed by Newton's method, φ_T(x) = x; in systems of two states \
              backward in time as well, which finds the unstable ones; multiplier: of the derivative of φ_T, in two \
              states exp ∮ div f dt\n\
              separatrices: the stable direction of a saddle, followed backward in time by arc length",
    assumptions: "Deterministic equations of one unit with constant input. With more than two states the plane is a \
                  slice: the others \
                  stand at their rest (`rest`), at their steady values for each point (`steady`), or at their initial \
                  values.",
    bias: "Lines are straight inside a cell of the grid: a finer `resolution` follows sharper bends. Fixed points are \
           exact to rounding.",
    cost: "O(resolution²) evaluations; with `steady`, a small Newton iteration each; for cycles some two dozen \
           trajectories of `duration`, most of which end early.",
    caveats: "In a slice, trajectories may cross, and nullclines move as the other states do. Fixed points are \
              looked for in the \
              ranges: outside them one may be missed. Whether those found inside add up is checked by how often the \
              flow turns along the border (the sum of their indices), and there is a warning where it does not. At a \
              Hopf point the linearisation does not decide. Of cycles there is no such check: one that no trajectory \
              comes to within `duration` is missed, and with more than two states so are those that are left in some \
              direction (`bifurcation` follows these). Separatrices are those of the flow; what a reset sends across \
              them is not drawn.",
    references: &[
        "FitzHugh 1961, Biophys J 1:445-466, doi:10.1016/S0006-3495(61)86902-6",
        "Morris, Lecar 1981, Biophys J 35:193-213, doi:10.1016/S0006-3495(81)84782-0",
        "Izhikevich 2007, Dynamical Systems in Neuroscience, doi:10.7551/mitpress/2526.001.0001",
        "Parker, Chua 1989, Practical Numerical Algorithms for Chaotic Systems, doi:10.1007/978-1-4612-3486-9",
        "Guckenheimer, Holmes 1983, Nonlinear Oscillations, Dynamical Systems, and Bifurcations of Vector Fields, \
         doi:10.1007/978-1-4612-1140-2",
    ],
};

words! {
    /// Where the other states stand.
    pub enum Others {
        /// At the fixed point.
        Equilibrium = "rest",
        /// At their steady values for each point.
        Steady = "steady",
        /// At their initial values.
        Initial = "initial",
    }
}

options! {
    /// What `phase_plane` can be told.
    pub struct Options {
        x: StateId = state(), "state along the horizontal axis (default the first)";
        y: StateId = another_state("x"), "state along the vertical axis (default the second)";
        x_range: Option<Ends> = range_of("x"),
            "ends of the horizontal axis, as in [\"-80 mV\", \"40 mV\"] (default around the trajectory)";
        y_range: Option<Ends> = range_of("y"), "ends of the vertical axis (default around the trajectory)";
        others: Others = choice(Others::Equilibrium), "where the other states stand";
        resolution: usize = integer("121").between(11.0, 1001.0), "points of the grid along each axis";
        arrows: usize = integer("16").between(0.0, 100.0),
            "arrows of the direction field along each axis; 0 for none";
        z: Option<StateId> = state_if_given(),
            "a third state: the trajectory, cycles and fixed points are shown in space as well";
        azimuth: f64 = number("-60").between(-360.0, 360.0),
            "with `z`: from where one looks, in degrees about the z axis from the x axis";
        elevation: f64 = number("30").between(-90.0, 90.0), "with `z`: how far from above the plane, in degrees";
        cycles: bool = flag(true), "look for limit cycles";
        separatrices: bool = flag(true), "follow the stable manifolds of saddles";
        duration: Option<Time> = time_if_given().stretch(),
            "length of the trajectory if none was recorded, and time in which trajectories have to settle \
             (default the scenario's duration)";
        step: Option<Time> = time_if_given().piece(), "step of the Runge-Kutta scheme (default the scenario's dt)";
        unit: UnitOptions = shared();
    }
}

impl Estimator for PhasePlane {
    type Options = Options;
    const KIND: &'static str = "phase_plane";
    const SUBJECTS: Subjects = Subjects::Population;
    const CARD: AnalysisCard = CARD;
    const TABLE: &'static str = "fixed points";

    fn together(o: &Options, _: RunTimes) -> Result<(), Wrong> {
        let wrong = |key, message: &str, help: &str| Err(Wrong { key, message: message.into(), help: help.into() });
        if o.x == o.y {
            return wrong("y", "`x` and `y` are the same state", "a plane has two");
        }
        if o.z.is_some_and(|z| z == o.x || z == o.y) {
            return wrong("z", "`z` is the same state as `x` or `y`", "space has three");
        }
        Ok(())
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let request = f.request;
        let bound = Bound::new(request, &o.unit)?;
        let (x, y) = (o.x.index(), o.y.index());
        bound.warnings.iter().for_each(|w| f.warn(w));
        let ranges = [o.x_range, o.y_range].map(|ends| ends.map(|e| (e.low, e.high)));
        let plane = Plane::new(o, &bound, (x, y), ranges, f)?;
        let equilibria = plane.equilibria(|| request.check_cancelled().is_ok());
        request.check_cancelled()?;
        let agrees = plane.index_agrees(&equilibria);
        if agrees == Some(false) {
            f.warn(
                "the fixed points found do not add up: along the border of the ranges the flow turns another number \
                of times \
                 than their indices say, so that one is missing, or is counted that is degenerate",
            );
        }
        let nullclines = plane.nullclines(o.resolution, &equilibria, f);
        request.check_cancelled()?;
        let cycles = if o.cycles { Some(Cycles::of(&plane, &equilibria, f)?) } else { None };
        let lines = o.separatrices.then(|| Lines::of(&plane, &equilibria));
        request.check_cancelled()?;
        let mut trajectories = plane.trajectories();
        trajectories.extend(cycles.iter().flat_map(|c| c.curves(&plane)));
        trajectories.extend(lines.iter().flat_map(|l| l.curves(&plane)));
        let portrait = PhasePortrait {
            x: plane.axis(0),
            y: plane.axis(1),
            trajectories,
            nullclines,
            fixed_points: equilibria.iter().map(|r| fixed_point(r, &plane)).collect(),
            field: plane.field(o.arrows, &equilibria),
        };
        f.metrics(metrics(&bound, &equilibria, agrees));
        f.metrics(cycles.iter().flat_map(|c| c.metrics(&plane)));
        f.metrics(lines.iter().map(|l| l.metric(&plane)));
        let stable = equilibria.iter().filter(|r| r.signs().0 == r.eigenvalues.len()).count();
        let told = cycles.as_ref().map_or_else(String::new, |c| format!(", {}", c.told()));
        let found = spikedeck_core::number::counted(equilibria.len(), "fixed point", "fixed points");
        f.word(format!("{}: {found}, {stable} stable{told}", bound.population.name));
        f.shape("plane", Shape::Phase(portrait));
        if let Some(z) = o.z {
            let cycles = cycles.iter().flat_map(|c| &c.found);
            let space = space::View::new(&plane, z.index(), (o.azimuth, o.elevation));
            f.shape("space", Shape::Phase(space.portrait(cycles, &equilibria)));
        }
        Ok(())
    }
}

fn fixed_point(equilibrium: &Equilibrium, plane: &Plane<'_, '_>) -> FixedPoint {
    let per = plane.bound.base.seconds();
    let (negative, positive, zero) = equilibrium.signs();
    let stability = match (negative, positive, zero) {
        (_, 0, 0) => Stability::Stable,
        (0, _, 0) => Stability::Unstable,
        (_, _, 0) => Stability::Saddle,
        (_, 0, _) => Stability::Marginal,
        (0, _, _) => Stability::Unstable,
        _ => Stability::Saddle,
    };
    let [x, y] = plane.shown(&equilibrium.state);
    // Spiral: the direction that decides, the slowest to decay or the fastest to grow, turns.
    let spiral = equilibrium.eigenvalues.first().is_some_and(|e| e.1 != 0.0);
    FixedPoint {
        x,
        y,
        stability,
        spiral,
        eigenvalues: equilibrium.eigenvalues.iter().map(|e| (e.0 * per, e.1 * per)).collect(),
    }
}

/// A path through states, each shown as a point.
fn path(name: String, states: &[Vec<f64>], style: CurveStyle, shown: impl Fn(&[f64]) -> [f64; 2]) -> Curve {
    let (x, y) = states.iter().map(|s| shown(s)).map(|[x, y]| (x, y)).unzip();
    Curve { name, x, y, band: None, style }
}

fn metrics(bound: &Bound<'_>, equilibria: &[Equilibrium], agrees: Option<bool>) -> Vec<Metric> {
    let subject = &bound.population.name;
    let per = bound.base.per_time();
    let mut list = vec![
        Metric::new(subject, "fixed_points", equilibria.len() as f64, "", equilibria.len() as u64)
            .note("by Newton's method from seeds and from crossings of the nullclines on a fine grid")
            .note(match agrees {
                Some(true) => "the turns of the flow along the border of the ranges agree",
                Some(false) => "the turns of the flow along the border of the ranges do not agree",
                None => {
                    "not checked by the turns of the flow along the border, where a state has no steady value or \
                the flow jumps"
                }
            }),
    ];
    for (i, equilibrium) in equilibria.iter().enumerate() {
        let name = |what: &str| format!("rest_{}.{what}", i + 1);
        for (state, value) in bound.system.states().iter().zip(&equilibrium.state) {
            let (unit, scale) = display(state.dimension);
            list.push(Metric::new(subject, name(&state.name), value / scale, unit, 1));
        }
        let (negative, positive, zero) = equilibrium.signs();
        let &(growth, turning) =
            equilibrium.eigenvalues.first().expect("a plane has two states, and each its eigenvalue");
        list.push(
            Metric::new(subject, name("growth"), growth, per, 1)
                .note(format!("largest real part; {negative} directions decay, {positive} grow, {zero} undecided")),
        );
        if turning != 0.0 {
            let frequency = turning.abs() / std::f64::consts::TAU;
            list.push(
                Metric::new(subject, name("frequency"), frequency, bound.base.rate_unit(), 1)
                    .note("imaginary part over 2π"),
            );
        }
    }
    list
}

/// Axis of a state.
fn state_axis(bound: &Bound<'_>, state: usize) -> Axis {
    let variable = &bound.system.states()[state];
    Axis::new(variable.name.clone(), display(variable.dimension).0)
}

#[cfg(test)]
mod tests;
