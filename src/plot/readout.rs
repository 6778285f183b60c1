//! What stands under the crosshair, and where the next event is.

use super::scene::{Body, Mark, Scene};

/// Where to look for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// At smaller x.
    Back,
    /// At larger x.
    Forward,
}

/// A value under the crosshair.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Whose value.
    pub name: String,
    /// x of the sample that is nearest.
    pub x: f64,
    /// Its value.
    pub y: f64,
}

/// Index of the element of an ascending list that is nearest to `x`.
fn nearest(list: &[f64], x: f64) -> Option<usize> {
    let k = list.partition_point(|&v| v < x);
    match (k.checked_sub(1), list.get(k)) {
        (Some(before), Some(after)) => Some(if x - list[before] <= after - x { before } else { k }),
        (Some(before), None) => Some(before),
        (None, Some(_)) => Some(0),
        (None, None) => None,
    }
}

impl Scene<'_> {
    fn marks(&self) -> impl Iterator<Item = &Mark<'_>> {
        let panels = match &self.body {
            Body::Plot(p) => p.panels.as_slice(),
            _ => &[],
        };
        panels.iter().flat_map(|p| &p.marks)
    }

    /// The value of every curve at the sample nearest to `x`; of histograms the height of the bin; of rasters the
    /// number of the unit that spikes nearest to `x`; of images each row's value is too much, so the largest with its
    /// place on the y axis.
    pub fn readout(&self, x: f64) -> Vec<Reading> {
        let mut out = Vec::new();
        if !x.is_finite() {
            return out;
        }
        for mark in self.marks() {
            match mark {
                Mark::Curve(c) if c.ascending => {
                    if let Some(k) = nearest(c.x, x) {
                        out.push(Reading { name: c.name.to_owned(), x: c.x[k], y: c.y[k] });
                    }
                }
                Mark::Bars { edges, heights, .. } => {
                    let k = edges.partition_point(|&e| e <= x);
                    if let Some((k, height)) = k.checked_sub(1).and_then(|k| heights.get(k).map(|h| (k, h))) {
                        out.push(Reading { name: "bin".into(), x: f64::midpoint(edges[k], edges[k + 1]), y: *height });
                    }
                }
                Mark::Spikes { times, units, first_row, .. } => {
                    if let Some(k) = nearest(times, x)
                        && let Some(unit) = units.get(k)
                    {
                        let name = self.row_name(*first_row);
                        out.push(Reading { name, x: times[k], y: f64::from(*unit) });
                    }
                }
                Mark::Image(i) if i.width > 0 && i.height > 0 => {
                    let at = (x - i.x.0) / (i.x.1 - i.x.0) * i.width as f64;
                    if at >= 0.0 && at < i.width as f64 {
                        let column = at as usize;
                        let best = (0..i.height)
                            .filter(|&r| i.get(column, r).is_finite())
                            .max_by(|&a, &b| i.get(column, a).total_cmp(&i.get(column, b)));
                        if let Some(row) = best {
                            let y = i.y.0 + (row as f64 + 0.5) / i.height as f64 * (i.y.1 - i.y.0);
                            let centre = i.x.0 + (column as f64 + 0.5) / i.width as f64 * (i.x.1 - i.x.0);
                            out.push(Reading {
                                name: format!("largest, at {}", super::cells::number(y)),
                                x: centre,
                                y: i.get(column, row),
                            });
                        }
                    }
                }
                _ => {}
            }
        }
        out
    }

    /// Name of the population whose rows start at `row`.
    fn row_name(&self, row: usize) -> String {
        let Body::Plot(plot) = &self.body else { return "unit".into() };
        let mut entries = plot.legend.iter();
        let starts = plot
            .panels
            .iter()
            .flat_map(|p| &p.marks)
            .filter_map(|m| if let Mark::Spikes { first_row, .. } = m { Some(*first_row) } else { None });
        let name = starts.zip(entries.by_ref()).find(|(start, _)| *start == row).map(|(_, e)| e.name.clone());
        name.map_or_else(|| "unit".into(), |n| format!("{n} unit"))
    }

    /// x of the nearest spike beyond `x`; without spikes, of the nearest sample.
    pub fn next_event(&self, x: f64, direction: Direction) -> Option<f64> {
        let step = |list: &[f64]| match direction {
            Direction::Forward => list.get(list.partition_point(|&v| v <= x)).copied(),
            Direction::Back => list.partition_point(|&v| v < x).checked_sub(1).map(|k| list[k]),
        };
        let closest = |all: &mut dyn Iterator<Item = f64>| match direction {
            Direction::Forward => all.min_by(f64::total_cmp),
            Direction::Back => all.max_by(f64::total_cmp),
        };
        let mut spikes =
            self.marks().filter_map(|m| if let Mark::Spikes { times, .. } = m { step(times) } else { None });
        if self.marks().any(|m| matches!(m, Mark::Spikes { .. })) {
            return closest(&mut spikes);
        }
        let mut samples = self.marks().filter_map(|m| match m {
            Mark::Curve(c) if c.ascending => step(c.x),
            Mark::Bars { edges, .. } => step(edges),
            _ => None,
        });
        closest(&mut samples)
    }
}
