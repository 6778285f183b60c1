//! Where the columns of a subject lie on the grid or tree of their population.

use super::{AnalysisError, Request, subject};
use crate::core::units::display_unit;
use crate::scenario::{Subject, TreeSpec};
use crate::signal::Axis;

/// Columns on a line of cells, in order along it.
pub struct Line {
    /// Positions of the middles of cells from the lower end, in display units.
    pub x: Vec<f64>,
    /// Length of the whole grid in display units.
    pub length: f64,
    /// Distance of neighbours in display units.
    pub spacing: f64,
    /// Unit of positions as shown; empty for plain numbers.
    pub unit: String,
    /// Whether the grid closes to a ring.
    pub ring: bool,
    /// Index of the column of each position.
    pub columns: Vec<usize>,
}

impl Line {
    /// The axis of positions.
    pub fn axis(&self) -> Axis {
        Axis::new("position", self.unit.clone())
    }
}

/// The row of cells that a subject's columns lie on: all of a line, the middle row of a plane; on a tree the path from the
/// root to each unit.
///
/// # Errors
/// When the population has neither grid nor tree, or fewer than three cells of the row were recorded.
pub fn line(request: &Request<'_>, s: &Subject, columns: &subject::Columns) -> Result<Line, AnalysisError> {
    let population = request.scenario.and_then(|spec| spec.populations.get(s.population));
    if let Some(tree) = population.and_then(|p| p.tree.as_ref()) {
        return path(tree, s, columns);
    }
    let Some(grid) = population.and_then(|p| p.grid.as_ref()) else {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: its population has no `grid` and no tree, so that its units have no order in space",
            s.text
        )));
    };
    let unit = display_unit(grid.length);
    let spacing = grid.spacing / unit.scale;
    let count = grid.shape[0];
    let row = grid.shape.get(1).map_or(0, |rows| rows / 2);
    let mut found: Vec<(usize, usize)> = columns
        .units
        .iter()
        .enumerate()
        .filter(|(_, u)| **u as usize / count == row)
        .map(|(column, u)| (*u as usize % count, column))
        .collect();
    found.sort_unstable();
    if found.len() < 3 {
        return Err(AnalysisError::NotRecorded {
            subject: s.text.clone(),
            hint: "three cells of a row at least; leave `units` out to record all".into(),
        });
    }
    Ok(Line {
        x: found.iter().map(|f| (f.0 as f64 + 0.5) * spacing).collect(),
        length: count as f64 * spacing,
        spacing,
        unit: unit.symbol,
        ring: grid.boundary[0] == crate::scenario::Boundary::Periodic,
        columns: found.iter().map(|f| f.1).collect(),
    })
}

/// Units of the first cell of a tree, in order of their path from the root.
fn path(tree: &TreeSpec, s: &Subject, columns: &subject::Columns) -> Result<Line, AnalysisError> {
    let unit = display_unit(crate::core::units::Dimension::METRE);
    let all = tree.compartments.distance.iter().map(|d| d / unit.scale);
    let mut found: Vec<(f64, usize)> = columns
        .units
        .iter()
        .enumerate()
        .filter(|(_, u)| (**u as usize) < tree.units())
        .map(|(column, u)| (tree.compartments.distance[*u as usize] / unit.scale, column))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    if found.len() < 3 {
        return Err(AnalysisError::NotRecorded {
            subject: s.text.clone(),
            hint: "three units of a tree at least; leave `units` out to record all".into(),
        });
    }
    let length = all.fold(0.0, f64::max);
    let spacing = (found[found.len() - 1].0 - found[0].0) / (found.len() - 1) as f64;
    Ok(Line {
        x: found.iter().map(|f| f.0).collect(),
        length,
        spacing,
        unit: unit.symbol,
        ring: false,
        columns: found.iter().map(|f| f.1).collect(),
    })
}
