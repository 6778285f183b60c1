//! How metrics of a sweep are shown over its axes: curves, a map, a cloud of points, or a list.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Across, axis_value, mean_and_half_width, setting};
use spikedeck_core::units::short;
use spikedeck_scenario::{Design, Spec};
use spikedeck_signal::{Axis, Curve, CurveStyle, Image, Matrix, Metric, NamedShape, Series, Shape};

/// How metrics are shown over the axes of a sweep.
pub(super) enum Layout {
    /// By the values of the axes, which are names.
    List,
    /// Over the first axis.
    Curves { first: (Vec<f64>, Axis), drawn: bool },
    /// Over two axes.
    Map { first: (Vec<f64>, Axis), second: (Vec<f64>, Axis) },
}

/// More curves in one picture are not told apart.
const MOST_CURVES: usize = 8;

/// The different values, in order.
fn distinct(values: &[f64]) -> Vec<f64> {
    let mut all = values.to_vec();
    all.sort_by(f64::total_cmp);
    all.dedup_by(|a, b| a.total_cmp(b).is_eq());
    all
}

/// Whether sorted values are evenly spaced, to the digits that axes are written with.
fn evenly(values: &[f64]) -> bool {
    let [first, .., last] = values else { return false };
    let step = (last - first) / (values.len() - 1) as f64;
    values.iter().enumerate().all(|(k, v)| (v - (first + step * k as f64)).abs() < 1e-6 * step)
}

impl Across<'_> {
    /// How metrics are shown over the axes.
    pub(super) fn layout(&self, spec: &Spec) -> Layout {
        let Some(first) = self.axis(0) else { return Layout::List };
        let drawn = spec.sweep.as_ref().is_some_and(|s| s.design != Design::Product);
        if drawn {
            return Layout::Curves { first, drawn };
        }
        let axes = self.points.first().map_or(0, |p| p.point.axes.len());
        match self.axis(1).filter(|second| axes == 2 && distinct(&second.0).len() > MOST_CURVES) {
            Some(second) => Layout::Map { first, second },
            None => Layout::Curves { first, drawn },
        }
    }

    /// A metric over the axes.
    pub(super) fn laid_out(&self, metric: &Metric, layout: &Layout) -> NamedShape {
        let shape = match layout {
            Layout::List => Shape::Scalars(self.list(metric)),
            Layout::Curves { first, drawn } => Shape::Series(self.curves(metric, first, *drawn)),
            Layout::Map { first, second } => self.map(metric, first, second),
        };
        NamedShape::new(format!("{} {}", metric.subject, metric.metric), shape)
    }

    /// The values of axis `at` of each point, and that axis, where all are quantities of one kind.
    fn axis(&self, at: usize) -> Option<(Vec<f64>, Axis)> {
        let path = &self.points.first()?.point.axes.get(at)?.0;
        let values: Option<Vec<(f64, String)>> =
            self.points.iter().map(|p| p.point.axes.get(at).and_then(|a| axis_value(&a.1))).collect();
        let values = values?;
        let unit = values.first()?.1.clone();
        let name = path.rsplit('.').next().unwrap_or(path);
        values.iter().all(|v| v.1 == unit).then(|| (values.into_iter().map(|v| v.0).collect(), Axis::new(name, unit)))
    }

    /// A metric over two axes: its mean over seeds at each place.
    fn map(&self, metric: &Metric, (xs, x): &(Vec<f64>, Axis), (ys, y): &(Vec<f64>, Axis)) -> Shape {
        let name = metric.full_name();
        let (columns, rows) = (distinct(xs), distinct(ys));
        let mut sums = vec![(0.0, 0_u32); columns.len() * rows.len()];
        for (found, (a, b)) in self.metrics.iter().zip(xs.iter().zip(ys)) {
            let Some(value) = found.get(&name).and_then(|m| m.value) else { continue };
            let place = |all: &[f64], v: f64| all.binary_search_by(|w| w.total_cmp(&v)).expect("it is one of them");
            let sum = &mut sums[place(&columns, *a) * rows.len() + place(&rows, *b)];
            *sum = (sum.0 + value, sum.1 + 1);
        }
        let mean = |(sum, n): (f64, u32)| if n == 0 { f64::NAN } else { sum / f64::from(n) };
        let means: Vec<f64> = sums.into_iter().map(mean).collect();
        let value = Axis::new(metric.metric.clone(), metric.unit.clone());
        let ends = |all: &[f64]| Some((*all.first()?, *all.last()?));
        match (evenly(&columns).then(|| ends(&columns)).flatten(), evenly(&rows).then(|| ends(&rows)).flatten()) {
            (Some(x_range), Some(y_range)) => Shape::Image(Image {
                x: x.clone(),
                y: y.clone(),
                value,
                x_range,
                y_range,
                width: columns.len(),
                height: rows.len(),
                values: means,
                diverging: false,
            }),
            _ => {
                let names = |all: &[f64]| all.iter().map(|v| short(*v)).collect();
                let across = |row: usize| (0..columns.len()).map(move |column| (column, row));
                Shape::Matrix(Matrix {
                    value,
                    row_axis: y.title(),
                    column_axis: x.title(),
                    rows: names(&rows),
                    columns: names(&columns),
                    values: (0..rows.len())
                        .flat_map(across)
                        .map(|(column, row)| means[column * rows.len() + row])
                        .collect(),
                    ..Matrix::default()
                })
            }
        }
    }

    /// A metric over the first axis: mean over seeds with its interval, a curve for each combination of the other axes,
    /// or one for all where these were drawn.
    fn curves(&self, metric: &Metric, (xs, axis): &(Vec<f64>, Axis), drawn: bool) -> Series {
        let name = metric.full_name();
        let mut curves: Grouped<String, Grouped<u64, Vec<f64>>> = Grouped::default();
        for ((result, found), x) in self.points.iter().zip(&self.metrics).zip(xs) {
            let others: Vec<String> = result.point.axes.iter().skip(1).map(|(p, v)| setting(p, v)).collect();
            let label = if others.is_empty() || drawn { name.clone() } else { others.join(" ") };
            let values = curves.entry(label).entry(x.to_bits());
            values.extend(found.get(&name).and_then(|m| m.value));
        }
        let curve = |(name, samples): (String, Grouped<u64, Vec<f64>>)| {
            let mut samples: Vec<(f64, Vec<f64>)> =
                samples.groups.into_iter().map(|(x, values)| (f64::from_bits(x), values)).collect();
            samples.sort_by(|a, b| a.0.total_cmp(&b.0));
            let style = if drawn { CurveStyle::Points } else { CurveStyle::Line };
            let mut curve = Curve { name, style, ..Curve::default() };
            let (mut low, mut high) = (Vec::new(), Vec::new());
            for (x, values) in samples {
                curve.x.push(x);
                let (mean, (a, b)) = match mean_and_half_width(&values) {
                    None => (f64::NAN, (f64::NAN, f64::NAN)),
                    Some((mean, Some(half))) if half > 0.0 => (mean, (mean - half, mean + half)),
                    Some((mean, _)) => (mean, (f64::NAN, f64::NAN)),
                };
                curve.y.push(mean);
                low.push(a);
                high.push(b);
            }
            if low.iter().any(|l| l.is_finite()) {
                curve.band = Some((low, high));
            }
            curve
        };
        Series {
            x: axis.clone(),
            y: Axis::new(metric.metric.clone(), metric.unit.clone()),
            curves: curves.groups.into_iter().map(curve).collect(),
            references: Vec::new(),
        }
    }
}

/// Values by keys, in the order in which the keys first came.
pub(crate) struct Grouped<K, V> {
    pub groups: Vec<(K, V)>,
    places: HashMap<K, usize>,
}

impl<K, V> Default for Grouped<K, V> {
    fn default() -> Self {
        Self { groups: Vec::new(), places: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash, V: Default> Grouped<K, V> {
    /// What stands under `key`, which is put at the end if it is not there.
    pub fn entry(&mut self, key: K) -> &mut V {
        let next = self.groups.len();
        let at = *self.places.entry(key.clone()).or_insert(next);
        if at == next {
            self.groups.push((key, V::default()));
        }
        &mut self.groups[at].1
    }
}
