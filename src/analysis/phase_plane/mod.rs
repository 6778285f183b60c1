//! The phase plane of two states: trajectory, nullclines, fixed points with stability, direction field.

mod plane;

use super::binding::{Bound, display};
use super::lyapunov::equation_options;
use super::{
    Analysis, AnalysisCard, AnalysisDeclaration, AnalysisError, Metric, Outcome, Request, Subjects, bounded, option,
};
use plane::Plane;
use spikedeck_core::phase::Rest;
use spikedeck_core::units::Quantity;
use spikedeck_scenario::OptionKind;
use spikedeck_signal::{Axis, FixedPoint, NamedShape, PhasePortrait, Scalars, Shape, Stability};

/// `kind = "phase_plane"`.
#[derive(Debug, Clone, Copy)]
pub struct PhasePlane;

static CARD: AnalysisCard = AnalysisCard {
    title: "Phase plane",
    summary: "trajectory, nullclines, fixed points with stability and the flow's directions, in the plane of two states",
    formula: "nullclines: ẋ = 0 and ẏ = 0 by marching squares; fixed points: f = 0 by Newton's method from a grid; \
              stability: eigenvalues of the symbolic Jacobian there",
    assumptions: "Deterministic equations of one unit with constant input. With more than two states the plane is a slice: the others \
                  stand at their rest (`rest`), at their steady values for each point (`steady`), or at their initial values.",
    bias: "Lines are straight inside a cell of the grid: a finer `resolution` follows sharper bends. Fixed points are exact to rounding.",
    cost: "O(resolution²) evaluations; with `steady`, a small Newton iteration each.",
    caveats: "In a slice, trajectories may cross, and nullclines move as the other states do. Newton's method finds what lies near \
              its seeds: a fixed point far outside the ranges may be missed. At a Hopf point the linearisation does not decide.",
    references: &[
        "FitzHugh 1961, Biophys J 1:445-466, doi:10.1016/S0006-3495(61)86902-6",
        "Morris, Lecar 1981, Biophys J 35:193-213, doi:10.1016/S0006-3495(81)84782-0",
        "Izhikevich 2007, Dynamical Systems in Neuroscience, doi:10.7551/mitpress/2526.001.0001",
    ],
};

impl Analysis for PhasePlane {
    fn declaration(&self) -> AnalysisDeclaration {
        let mut options = vec![
            option("x", OptionKind::Text, None, "state along the horizontal axis (default the first)"),
            option("y", OptionKind::Text, None, "state along the vertical axis (default the second)"),
            option(
                "x_range",
                OptionKind::Texts,
                None,
                "ends of the horizontal axis, as in [\"-80 mV\", \"40 mV\"] (default around the trajectory)",
            ),
            option("y_range", OptionKind::Texts, None, "ends of the vertical axis (default around the trajectory)"),
            option(
                "others",
                OptionKind::Choice(&["rest", "steady", "initial"]),
                Some("rest"),
                "where the other states stand",
            ),
            bounded(
                option("resolution", OptionKind::Integer, Some("121"), "points of the grid along each axis"),
                11.0,
                1001.0,
            ),
            bounded(
                option(
                    "arrows",
                    OptionKind::Integer,
                    Some("16"),
                    "arrows of the direction field along each axis; 0 for none",
                ),
                0.0,
                100.0,
            ),
            option(
                "duration",
                OptionKind::Time,
                None,
                "length of the trajectory if none was recorded (default the scenario's duration)",
            ),
            option("step", OptionKind::Time, None, "step of the Runge-Kutta scheme (default the scenario's dt)"),
        ];
        options.extend(equation_options());
        AnalysisDeclaration { kind: "phase_plane", subjects: Subjects::Population, options }
    }

    fn card(&self) -> &'static AnalysisCard {
        &CARD
    }

    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        let bound = Bound::new(request)?;
        let (x, y) = axes(request, &bound)?;
        let mut warnings = bound.warnings.clone();
        let ranges = [range(request, "x_range", &bound, x)?, range(request, "y_range", &bound, y)?];
        let plane = Plane::new(request, &bound, (x, y), ranges, &mut warnings)?;
        let rests = plane.rests();
        let rows = request.integer("resolution").unwrap_or(121).max(11) as usize;
        let arrows = request.integer("arrows").unwrap_or(16).max(0) as usize;
        let nullclines = plane.nullclines(rows, &rests, &mut warnings);
        request.check_cancelled()?;
        let portrait = PhasePortrait {
            x: plane.axis(0),
            y: plane.axis(1),
            trajectories: plane.trajectories(),
            nullclines,
            fixed_points: rests.iter().map(|r| fixed_point(r, &plane)).collect(),
            field: plane.field(arrows, &rests),
        };
        let mut metrics = metrics(&bound, &rests);
        for m in &mut metrics {
            m.analysis.clone_from(&request.spec.name);
        }
        let stable = rests.iter().filter(|r| r.signs().0 == r.eigenvalues.len()).count();
        Ok(Outcome {
            name: request.spec.name.clone(),
            kind: request.spec.kind.clone(),
            title: CARD.title.into(),
            summary: format!("{}: {} fixed points found, {stable} stable", bound.population.name, rests.len()),
            shapes: vec![
                NamedShape::new("plane", Shape::Phase(portrait)),
                NamedShape::new("fixed points", Shape::Scalars(Scalars::from_metrics(&metrics))),
            ],
            metrics,
            warnings,
        })
    }
}

/// Indices of the two states.
fn axes(request: &Request<'_>, bound: &Bound<'_>) -> Result<(usize, usize), AnalysisError> {
    let states = bound.system.states();
    if states.len() < 2 {
        return Err(AnalysisError::Unsuitable(format!(
            "`{}` has {} state: a phase plane needs two; its f-I curve or trace shows what there is",
            bound.population.name,
            states.len()
        )));
    }
    let x = request.text("x").map_or(Ok(0), |n| bound.state(n))?;
    let y = request.text("y").map_or(Ok(usize::from(x == 0)), |n| bound.state(n))?;
    if x == y {
        return Err(AnalysisError::Unsuitable(format!("`x` and `y` are both `{}`: take two states", states[x].name)));
    }
    Ok((x, y))
}

/// Ends of an axis in SI, if given.
fn range(
    request: &Request<'_>,
    key: &str,
    bound: &Bound<'_>,
    state: usize,
) -> Result<Option<(f64, f64)>, AnalysisError> {
    let texts = request.texts(key);
    if texts.is_empty() {
        return Ok(None);
    }
    let wrong = |why: String| AnalysisError::Unsuitable(format!("`{key}`: {why}"));
    let [from, to] = texts else { return Err(wrong(format!("two ends are needed, {} are given", texts.len()))) };
    let dimension = bound.system.states()[state].dimension;
    let value = |text: &String| {
        let q = Quantity::parse(text).map_err(|d| wrong(d.message))?;
        if q.dimension == dimension {
            Ok(q.value)
        } else {
            Err(wrong(format!("\"{text}\" is {}, the state is {dimension}", q.dimension)))
        }
    };
    let (from, to) = (value(from)?, value(to)?);
    if from < to { Ok(Some((from, to))) } else { Err(wrong("the first end must be below the second".into())) }
}

fn fixed_point(rest: &Rest, plane: &Plane<'_, '_>) -> FixedPoint {
    let per = plane.bound.base.seconds();
    let (negative, positive, zero) = rest.signs();
    let stability = match (negative, positive, zero) {
        (_, 0, 0) => Stability::Stable,
        (0, _, 0) => Stability::Unstable,
        (_, _, 0) => Stability::Saddle,
        (_, 0, _) => Stability::Marginal,
        (0, _, _) => Stability::Unstable,
        _ => Stability::Saddle,
    };
    let [x, y] = plane.shown(&rest.state);
    // Spiral: the direction that decides, the slowest to decay or the fastest to grow, turns.
    let spiral = rest.eigenvalues.first().is_some_and(|e| e.1 != 0.0);
    FixedPoint {
        x,
        y,
        stability,
        spiral,
        eigenvalues: rest.eigenvalues.iter().map(|e| (e.0 * per, e.1 * per)).collect(),
    }
}

fn metrics(bound: &Bound<'_>, rests: &[Rest]) -> Vec<Metric> {
    let subject = &bound.population.name;
    let per = if bound.base == spikedeck_signal::TimeBase::Milliseconds { "1/s" } else { "1/time" };
    let mut list = vec![
        Metric::new(subject, "fixed_points", rests.len() as f64, "", rests.len() as u64)
            .note("found by Newton's method from a grid of seeds"),
    ];
    for (i, rest) in rests.iter().enumerate() {
        let name = |what: &str| format!("rest_{}.{what}", i + 1);
        for (state, value) in bound.system.states().iter().zip(&rest.state) {
            let (unit, scale) = display(state.dimension);
            list.push(Metric::new(subject, name(&state.name), value / scale, unit, 1));
        }
        let (negative, positive, zero) = rest.signs();
        let (growth, turning) = rest.eigenvalues.first().copied().unwrap_or((f64::NAN, 0.0));
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
