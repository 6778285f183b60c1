//! Whether a step follows the equations of a cell: one cell is tried before the first step, with the step itself beside
//! a fine one.

use super::Tree;
use super::build::TreeBuild;
use crate::integrator::trial::{FOLLOWS, LOST, SPANS};
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::TimeUnit;
use spikedeck_equation::tape::{Tape, Values};

/// Steps that are tried.
const STEPS: usize = 64;

/// The fine step is this part of the one that is tried: of schemes of order 1 nearly all of the difference is then the
/// error of the longer one.
const FINER: u32 = 8;

/// Halvings of a step that are tried.
const MOST_HALVINGS: u32 = 6;

/// What the voltage is raised by where no threshold says from where a spike takes its course: it opens the channels
/// that make one.
const RAISED: f64 = 0.05;

/// Voltages of all rows at the grid points of `STEPS` steps, without input and events.
type Path = Vec<Vec<f64>>;

/// Says so where the scheme of a tree does not follow its equations with this step, and with which it does; `build` is
/// of one cell.
///
/// # Errors
/// Equations or values that do not fit, in words.
pub(crate) fn doubt(build: &TreeBuild<'_>) -> Result<Option<String>, String> {
    let p = build.population.system.parts();
    if p.diffusion.iter().any(Option::is_some) {
        return Ok(None);
    }
    // Where a spike resets, no course of the equations leads through one.
    let starts = if p.reset.is_empty() { &[false, true][..] } else { &[false][..] };
    let paths = |parts: u32| starts.iter().map(|raised| walk(build, parts, *raised)).collect::<Result<Vec<_>, _>>();
    let worst = |tried: &[Path], fine: &[Path]| tried.iter().zip(fine).map(|(a, b)| distance(a, b)).fold(0.0, f64::max);
    let far = worst(&paths(1)?, &paths(FINER)?);
    if far <= LOST {
        return Ok(None);
    }
    // Each beside a finer one of its own: most trees need few halvings, and the finest path takes longer than all of
    // them.
    let mut good = None;
    for parts in (1..=MOST_HALVINGS).map(|k| 1_u32 << k) {
        if worst(&paths(parts)?, &paths(parts * FINER)?) <= FOLLOWS {
            good = Some(parts);
            break;
        }
    }
    let step = build.dt / f64::from(build.population.substeps.max(1));
    let dimension = if p.time_unit == TimeUnit::Dimensionless { Dimension::NONE } else { Dimension::SECOND };
    let shown = |value: f64| Quantity { value, dimension }.to_string();
    let help = good.map_or(String::new(), |parts| format!("; a step of {} follows it", shown(step / f64::from(parts))));
    let far = if far.is_finite() { format!("{:.0} % of its range away", 100.0 * far) } else { "lost".to_owned() };
    Ok(Some(format!(
        "a step of {} is too long for this tree: from its start or from a spike on, `{}` is on average {far}{help}",
        shown(step),
        p.states[build.voltage()?].name
    )))
}

/// Follows one cell with a step that is the `parts`-th of its own, from its start or from where all of it was raised.
fn walk(build: &TreeBuild<'_>, parts: u32, raised: bool) -> Result<Path, String> {
    let finer = TreeBuild { dt: build.dt / f64::from(parts), cells: build.cells.clone(), ..*build };
    let mut tree = finer.build()?;
    if raised {
        raise(&mut tree, build);
    }
    let inputs: Vec<&[f64]> = vec![&[][..]; tree.system.inputs().len()];
    let each = u64::from(parts) * u64::from(tree.substeps);
    let mut path = Vec::with_capacity(STEPS);
    for k in 0..STEPS as u64 {
        for draw in k * each..(k + 1) * each {
            tree.move_on(draw, &inputs);
        }
        path.push(tree.voltage.clone());
    }
    Ok(path)
}

/// Raises the voltage everywhere to the threshold, or by what opens channels.
fn raise(tree: &mut Tree, build: &TreeBuild<'_>) {
    let p = build.population.system.parts();
    let bound = p.threshold.and_then(|t| t.cut).filter(|cut| cut.0 == tree.state);
    let bound = bound.map(|(_, id)| Tape::new(&p.graph, &[id]));
    for (voltage, unit) in tree.voltage.iter_mut().zip(&tree.rows.units) {
        match &bound {
            Some(tape) => {
                let parameters = build.parameters_of(*unit as usize);
                *voltage = tape.value(&Values { parameters: &parameters, ..Values::default() });
            }
            None if p.states[tree.state].dimension == Dimension::VOLT => *voltage += RAISED,
            None => {}
        }
    }
    for &(at, value) in &tree.held {
        tree.voltage[at] = value;
    }
    tree.follow();
}

/// Mean distance of the row that is farthest away, as a part of the greatest range of one: over so many of the first
/// steps as make it farthest. Without end where one is no number.
fn distance(tried: &[Vec<f64>], fine: &[Vec<f64>]) -> f64 {
    let rows = fine[0].len();
    let range = |r: usize| {
        let of = |f: fn(f64, f64) -> f64, from: f64| fine.iter().map(|v| v[r]).fold(from, f);
        of(f64::max, f64::NEG_INFINITY) - of(f64::min, f64::INFINITY)
    };
    let range = (0..rows).map(range).fold(0.0, f64::max);
    let size = fine.iter().flatten().fold(0.0, |most: f64, v| most.max(v.abs()));
    if range <= 1e-6 * size {
        return 0.0;
    }
    let mut worst: f64 = 0.0;
    for r in 0..rows {
        let mut sum = 0.0;
        for (k, (a, b)) in tried.iter().zip(fine).enumerate() {
            sum += (a[r] - b[r]).abs();
            if k + 1 == STEPS || SPANS.contains(&(k + 1)) {
                let mean = sum / (k + 1) as f64 / range;
                worst = if mean.is_finite() { worst.max(mean) } else { f64::INFINITY };
            }
        }
    }
    worst
}
