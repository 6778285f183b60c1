//! Where the columns of a subject lie on the grid or tree of their population, and cells of a plane as an image.

use super::{AnalysisError, Request, subject};
use spikedeck_core::units::{Dimension, display_unit};
use spikedeck_scenario::{PopulationSpec, Positions, Subject, TreeSpec};
use spikedeck_signal::{Axis, Image, TimeBase};

/// Columns on a line of cells, in order along it.
pub struct Line {
    /// Positions of the middles of cells from the lower end, in display units.
    pub x: Vec<f64>,
    /// Length of the whole grid in display units.
    pub length: f64,
    /// Distance of neighbours in display units, where it is the same for all.
    pub spacing: Option<f64>,
    /// Unit of positions as shown; empty for plain numbers.
    pub unit: String,
    /// What positions measure: a length, or nothing.
    measures: Dimension,
    /// Whether the columns close to a ring: the last is as far from the first as neighbours are from each other.
    pub ring: bool,
    /// Index of the column of each position.
    pub columns: Vec<usize>,
}

impl Line {
    /// The axis of positions.
    pub fn axis(&self) -> Axis {
        Axis::new("position", self.unit.clone())
    }

    /// The unit that speeds along it are shown in, and how many of it one step of positions in one step of time is.
    pub fn speed(&self, base: TimeBase) -> (String, f64) {
        let time = if base.unit().is_empty() { Dimension::NONE } else { Dimension::SECOND };
        if self.measures.is_none() && !time.is_none() {
            return (format!("1/{}", base.unit()), 1.0);
        }
        let speed = display_unit(self.measures.per(time));
        let scale = display_unit(self.measures).scale / base.seconds() / speed.scale;
        (speed.symbol, scale)
    }
}

/// The row of cells that a subject's columns lie on: all of a line, the middle row of a plane; on a tree the path from
/// the root to each unit.
///
/// # Errors
/// When the population has neither grid nor tree, or fewer than three cells of the row were recorded.
pub fn line(request: &Request<'_>, s: &Subject, columns: &subject::Columns) -> Result<Line, AnalysisError> {
    let population = request.scenario.and_then(|spec| spec.population_at(s.place));
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
    let x: Vec<f64> = found.iter().map(|f| (f.0 as f64 + 0.5) * spacing).collect();
    let length = count as f64 * spacing;
    let spacing = even(&x);
    let closes = spacing.is_some_and(|s| (s * x.len() as f64 - length).abs() <= EVEN * length);
    Ok(Line {
        x,
        length,
        spacing,
        unit: unit.symbol,
        measures: grid.length,
        ring: closes && grid.boundary[0] == spikedeck_scenario::Boundary::Periodic,
        columns: found.iter().map(|f| f.1).collect(),
    })
}

/// Share of a length within which distances are the same.
const EVEN: f64 = 1e-9;

/// The distance of neighbours among ascending positions, three or more, where it is the same for all.
fn even(x: &[f64]) -> Option<f64> {
    let reach = x[x.len() - 1] - x[0];
    let spacing = reach / (x.len() - 1) as f64;
    (spacing > 0.0 && x.windows(2).all(|w| (w[1] - w[0] - spacing).abs() <= EVEN * reach)).then_some(spacing)
}

/// Units of the first cell of a tree, in order of their path from the root.
fn path(tree: &TreeSpec, s: &Subject, columns: &subject::Columns) -> Result<Line, AnalysisError> {
    let unit = display_unit(Dimension::METRE);
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
    let x: Vec<f64> = found.iter().map(|f| f.0).collect();
    Ok(Line {
        spacing: even(&x),
        x,
        length,
        unit: unit.symbol,
        measures: Dimension::METRE,
        ring: false,
        columns: found.iter().map(|f| f.1).collect(),
    })
}

/// Cells of a plane: how many along both axes, their distance and its unit.
pub struct Cells {
    shape: [usize; 2],
    spacing: f64,
    unit: String,
}

impl Cells {
    /// Those of a population on a grid of two axes.
    pub fn of(population: &PopulationSpec) -> Option<Self> {
        let (shape, spacing, length) = match (&population.grid, &population.positions) {
            (Some(grid), _) => (&grid.shape, grid.spacing, grid.length),
            (None, Some(Positions::Grid { shape, spacing })) => (shape, *spacing, Dimension::METRE),
            _ => return None,
        };
        let unit = display_unit(length);
        let &[width, height] = shape.as_slice() else { return None };
        Some(Self { shape: [width, height], spacing: spacing / unit.scale, unit: unit.symbol })
    }

    /// Number of cells.
    pub fn count(&self) -> usize {
        self.shape[0] * self.shape[1]
    }

    /// The image of one value a cell.
    pub fn image(&self, values: &[f64], value: Axis) -> Image {
        let [width, height] = self.shape;
        let middle = |j: usize| (j as f64 + 0.5) * self.spacing;
        Image {
            x: Axis::new("x", self.unit.clone()),
            y: Axis::new("y", self.unit.clone()),
            value,
            x_range: (middle(0), middle(width - 1)),
            y_range: (middle(0), middle(height - 1)),
            width,
            height,
            values: (0..width).flat_map(|x| (0..height).map(move |y| y * width + x)).map(|cell| values[cell]).collect(),
            diverging: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_of_what_positions_and_times_are() {
        let line = |measures| Line {
            x: Vec::new(),
            length: 0.0,
            spacing: None,
            unit: display_unit(measures).symbol,
            measures,
            ring: false,
            columns: Vec::new(),
        };
        let (metres, plain) = (line(Dimension::METRE), line(Dimension::NONE));
        assert_eq!(metres.speed(TimeBase::Milliseconds), ("m/s".to_owned(), 1e-3));
        assert_eq!(metres.speed(TimeBase::Dimensionless), ("um".to_owned(), 1.0));
        assert_eq!(plain.speed(TimeBase::Milliseconds), ("1/ms".to_owned(), 1.0));
        assert_eq!(plain.speed(TimeBase::Dimensionless), (String::new(), 1.0));
    }

    #[test]
    fn what_is_even_is_found_whatever_is_left_out() {
        for stride in 1..7 {
            let x: Vec<f64> = (0..30).step_by(stride).map(|k| (f64::from(k) + 0.5) * 0.1).collect();
            assert!((even(&x).unwrap() - 0.1 * stride as f64).abs() < 1e-12, "{stride}");
        }
        assert_eq!(even(&[0.0, 1.0, 3.0]), None);
        assert_eq!(even(&[2.0, 2.0, 2.0]), None);
    }

    #[test]
    fn cells_stand_at_their_place_column_by_column() {
        let cells = Cells { shape: [3, 2], spacing: 10.0, unit: "um".into() };
        let image = cells.image(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], Axis::new("u", ""));
        // Cell 4 is x = 1, y = 1.
        assert_eq!(image.values[image.height + 1], 4.0);
        assert_eq!((image.width, image.height, image.x_range, image.y_range), (3, 2, (5.0, 25.0), (5.0, 15.0)));
    }
}
