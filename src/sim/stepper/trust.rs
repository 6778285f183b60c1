//! What is looked at before the first step: parameters that make no number, steps that are too long, who starts above
//! the threshold.

use super::{StepperSpec, UnitValues};
use crate::firing::Firing;
use crate::integrator::Problem;
use crate::integrator::trial::{self, FOLLOWS, LOST, Path, follow};
use spikedeck_core::math::holds;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::TimeUnit;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::Integrator;

/// Halvings of a step that are tried.
const MOST_HALVINGS: u32 = 12;

/// Refuses parameters of which a quantity cannot be made that the rates need (a quotient by the difference of two equal
/// time constants).
pub fn degenerate(spec: &StepperSpec<'_>) -> Result<(), String> {
    let p = spec.system.parts();
    let of_parameters = |id: Id| {
        let symbols = p.graph.symbols(id);
        !symbols.is_empty() && symbols.iter().all(|s| matches!(s, Symbol::Parameter(_)))
    };
    let mut named: Vec<usize> =
        (0..p.subexpressions.len()).filter(|&s| of_parameters(p.subexpression_ids[s])).collect();
    if named.is_empty() || spec.lanes == 0 {
        return Ok(());
    }
    // Nodes stand behind those that they are made of: the first is what is wrong.
    named.sort_by_key(|&s| p.subexpression_ids[s]);
    let ids: Vec<Id> = named.iter().map(|&s| p.subexpression_ids[s]).collect();
    let (quantities, rates) = (Tape::new(&p.graph, &ids), Tape::new(&p.graph, &p.drift));
    let differ = spec.parameters.iter().any(|c| matches!(c, UnitValues::Each(_)));
    let mut found = vec![0.0; ids.len()];
    let inputs = vec![0.0; p.inputs.len()];
    for lane in 0..if differ { spec.lanes } else { 1 } {
        let parameters: Vec<f64> = spec.parameters.iter().map(|c| c.at(lane)).collect();
        quantities.evaluate(&Values { parameters: &parameters, ..Values::default() }, &mut found);
        let Some(broken) = found.iter().position(|v| !v.is_finite()) else { continue };
        // A quantity that a condition keeps out of the rates does no harm.
        let states: Vec<f64> = spec.initial.iter().map(|c| c.at(lane)).collect();
        let mut moved = vec![0.0; p.drift.len()];
        let values =
            Values { states: &states, parameters: &parameters, inputs: &inputs, time: Some(0.0), ..Values::default() };
        rates.evaluate(&values, &mut moved);
        if moved.iter().all(|v| v.is_finite()) {
            continue;
        }
        let made_of = p.graph.symbols(ids[broken]).into_iter().filter_map(|s| {
            let Symbol::Parameter(i) = s else { return None };
            let (variable, value) = (&p.parameters[i as usize], parameters[i as usize]);
            Some(format!("{} = {}", variable.name, Quantity { value, dimension: variable.dimension }))
        });
        let unit = if differ { format!(" of unit {}", spec.first_unit as usize + lane) } else { String::new() };
        return Err(format!(
            "`{}`{unit} is no number for these values: {}",
            p.subexpressions[named[broken]].name,
            made_of.collect::<Vec<_>>().join(", ")
        ));
    }
    Ok(())
}

/// States of the first lane from which a scheme is tried: its initial ones, and, where nothing is reset, the same with
/// the threshold variable at its threshold, from where a spike takes its course.
pub fn starts(spec: &StepperSpec<'_>, peak: Option<(usize, Id)>, graph: &Graph, parameters: &[f64]) -> Vec<Vec<f64>> {
    let initial: Vec<f64> = spec.initial.iter().map(|c| if spec.lanes > 0 { c.at(0) } else { 0.0 }).collect();
    let raised = peak.filter(|_| spec.lanes > 0).map(|(s, bound)| {
        let mut raised = initial.clone();
        raised[s] = trial::bound(graph, bound, parameters);
        raised
    });
    std::iter::once(initial).chain(raised).collect()
}

/// The initial states of the first lane with the threshold variable a tenth as far below as its threshold is above:
/// where a spike resets, no course leads through one, but this one back to rest.
pub fn lowered(spec: &StepperSpec<'_>, parameters: &[f64]) -> Option<Vec<f64>> {
    let p = spec.system.parts();
    let (s, bound) = p.threshold.and_then(|t| t.cut).filter(|_| spec.lanes > 0 && !p.reset.is_empty())?;
    let mut lowered: Vec<f64> = spec.initial.iter().map(|c| c.at(0)).collect();
    let bound = trial::bound(&p.graph, bound, parameters);
    lowered[s] -= 0.1 * (bound - lowered[s]).abs();
    Some(lowered)
}

/// Says so where a scheme with this step does not follow the equations, with a step at which it does.
pub fn doubt(
    p: &Problem<'_>,
    integrator: Integrator,
    starts: &[Vec<f64>],
    parameters: &[f64],
    time_unit: TimeUnit,
) -> Option<String> {
    // Schemes that adapt are right at any step, and grids have bounds of their own.
    let tried = matches!(
        integrator,
        Integrator::Euler
            | Integrator::EulerSequential
            | Integrator::Heun
            | Integrator::Rk4
            | Integrator::ExponentialEuler
            | Integrator::Exact
            | Integrator::Rosenbrock
    );
    // Euler's scheme with a step of 1 is how maps are written.
    let is_map = integrator == Integrator::Euler && time_unit == TimeUnit::Dimensionless && p.h == 1.0;
    if !tried || is_map {
        return None;
    }
    // A spike current is cut at its threshold, and a course that comes there is none of the equations.
    let bound = p.cut.map(|(s, id)| (s, trial::bound(&p.graph, id, parameters)));
    let stays_below = |path: &Path| bound.is_none_or(|(s, bound)| path.states().iter().all(|x| x[s] < bound));
    let paths: Vec<Path> = starts.iter().filter_map(|start| follow(p, start, parameters)).filter(stays_below).collect();
    let worst = |parts: u32| {
        let all = paths.iter().filter_map(|path| path.distance(p, integrator, parts, parameters));
        all.map(|d| (d.state, d.mean)).max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let (state, distance) = worst(1).filter(|w| w.1 > LOST)?;
    let shown = |h: f64| {
        let dimension = if time_unit == TimeUnit::Dimensionless { Dimension::NONE } else { Dimension::SECOND };
        Quantity { value: h / time_unit.per_second(), dimension }.to_string()
    };
    let good = (1..=MOST_HALVINGS).map(|k| 1_u32 << k).find(|&parts| worst(parts).is_none_or(|w| w.1 <= FOLLOWS));
    let help = good.map_or(String::new(), |parts| format!("; a step of {} follows it", shown(p.h / f64::from(parts))));
    let far =
        if distance.is_finite() { format!("{:.0} % of its range away", 100.0 * distance) } else { "lost".to_owned() };
    Some(format!(
        "a step of {} is too long for `{}` here: from its start or from a spike on, `{}` is on average {far}{help}; \
         rk45 adapts inside a step",
        shown(p.h),
        integrator.name(),
        p.names[state]
    ))
}

/// Says of schemes of Euler's kind that they are behind in an upstroke that grows exponentially: by some steps at each
/// spike, whatever the step is, so that a neuron fires too seldom.
pub fn behind(integrator: Integrator) -> Option<String> {
    matches!(integrator, Integrator::Euler | Integrator::EulerSequential).then(|| {
        format!(
            "`{}` is behind in the upstroke of a spike current by some steps at each spike, and fires too seldom: \
             `auto` takes a scheme that follows it, as heun, rk4 and exponential_euler do",
            integrator.name()
        )
    })
}

/// Who is latched at the start: where nothing is reset, a spike is an upward crossing, and a unit that starts above its
/// threshold has not crossed it.
pub fn begun(spec: &StepperSpec<'_>, graph: &Graph, condition: Option<Id>) -> Firing {
    let mut firing = Firing::default();
    let Some(condition) = condition else { return firing };
    let tape = Tape::new(graph, &[condition]);
    let inputs = vec![0.0; spec.system.inputs().len()];
    let above = |lane: &usize| {
        let of = |columns: &[UnitValues]| -> Vec<f64> { columns.iter().map(|c| c.at(*lane)).collect() };
        let (states, parameters) = (of(&spec.initial), of(&spec.parameters));
        let values =
            Values { states: &states, parameters: &parameters, inputs: &inputs, time: Some(0.0), ..Values::default() };
        holds(tape.value(&values))
    };
    let latched: Vec<u32> = (0..spec.lanes).filter(above).map(|lane| lane as u32).collect();
    firing.settle(&latched, &[]);
    firing
}
