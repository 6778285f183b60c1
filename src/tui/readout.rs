//! What stands under the crosshair: the nearest samples, the next event, the values in words.

use super::app::App;
use super::content::Pane;
use super::number::{short, with_unit};
use spikedeck_core::number::counted;
use spikedeck_signal::{Axis, Curve, CurveStyle, Shape, step_begin};

/// The sample nearest to `x` (`side` 0), the first at or after it (positive) or the last at or before it (negative).
/// `None` when there is none; shapes without samples along x take `x` as it is.
pub fn snap(pane: &Pane, x: f64, side: f64) -> Option<f64> {
    match &pane.shape.shape {
        Shape::Series(s) => {
            let curve = s.curves.iter().find(|c| is_data(c)).or(s.curves.first())?;
            sample(curve, x, side).map(|i| curve.x[i])
        }
        Shape::Distribution(d) => {
            let centres: Vec<f64> = d.edges.windows(2).map(|e| f64::midpoint(e[0], e[1])).collect();
            nearest(&centres, x, side).map(|i| centres[i])
        }
        Shape::Image(i) => {
            let step = if i.width > 1 { (i.x_range.1 - i.x_range.0) / (i.width - 1) as f64 } else { 1.0 };
            let k = (x - i.x_range.0) / step;
            let k = if side > 0.0 {
                (k - 1e-9).ceil()
            } else if side < 0.0 {
                (k + 1e-9).floor()
            } else {
                k.round()
            };
            (k >= 0.0 && (k as usize) < i.width).then_some(i.x_range.0 + k * step)
        }
        // Column k is drawn from k to k + 1.
        Shape::Matrix(m) => {
            let last = m.columns.len().checked_sub(1)? as f64;
            let middle = (x - 0.5).clamp(0.0, last);
            let column = match side {
                s if s > 0.0 => (middle - 1e-9).ceil(),
                s if s < 0.0 => (middle + 1e-9).floor(),
                _ => x.floor().clamp(0.0, last),
            };
            Some(column + 0.5)
        }
        Shape::Raster(_) | Shape::Phase(_) | Shape::Scalars(_) | Shape::Graph { .. } | Shape::Card(_) => Some(x),
    }
}

/// Index of the point of a curve that stands for `x`, as in [`snap`]: of steps the one whose step holds `x`.
fn sample(curve: &Curve, x: f64, side: f64) -> Option<usize> {
    if curve.style != CurveStyle::Steps || side != 0.0 || !curve.x.is_sorted() {
        return nearest(&curve.x, x, side);
    }
    let slack = x.abs() * 1e-12;
    Some(curve.x.partition_point(|v| *v < x - slack).min(curve.x.len().checked_sub(1)?))
}

fn is_data(c: &Curve) -> bool {
    !matches!(c.style, CurveStyle::Theory | CurveStyle::Chance)
}

/// Index of the sample that [`snap`] means.
fn nearest(xs: &[f64], x: f64, side: f64) -> Option<usize> {
    if xs.is_empty() {
        return None;
    }
    if !xs.is_sorted() {
        let order = |a: &usize, b: &usize| (xs[*a] - x).abs().total_cmp(&(xs[*b] - x).abs());
        return (0..xs.len()).min_by(order);
    }
    let slack = x.abs() * 1e-12;
    let after = xs.partition_point(|v| *v < x - slack);
    if side > 0.0 {
        return (after < xs.len()).then_some(after);
    }
    let before = xs.partition_point(|v| *v <= x + slack).checked_sub(1);
    if side < 0.0 {
        return before;
    }
    match (before, xs.get(after)) {
        (Some(b), Some(a)) => Some(if (x - xs[b]).abs() <= (a - x).abs() { b } else { after }),
        (Some(b), None) => Some(b),
        (None, _) => Some(0),
    }
}

/// The next (or previous) event along x: a spike of a raster; the top of an excursion of the first curve above its mean
/// by a standard deviation.
pub fn event(pane: &Pane, from: f64, forward: bool) -> Option<f64> {
    let slack = from.abs() * 1e-12;
    match &pane.shape.shape {
        Shape::Raster(r) => {
            let each = r.groups.iter().filter_map(|g| {
                if forward {
                    g.times.get(g.times.partition_point(|t| *t <= from + slack)).copied()
                } else {
                    g.times.partition_point(|t| *t < from - slack).checked_sub(1).map(|k| g.times[k])
                }
            });
            each.reduce(|a, b| if forward { a.min(b) } else { a.max(b) })
        }
        Shape::Series(s) => {
            let curve = s.curves.iter().find(|c| is_data(c))?;
            let tops = tops(curve);
            if forward {
                tops.into_iter().find(|t| *t > from + slack)
            } else {
                tops.into_iter().rev().find(|t| *t < from - slack)
            }
        }
        Shape::Scalars(_)
        | Shape::Distribution(_)
        | Shape::Matrix(_)
        | Shape::Image(_)
        | Shape::Phase(_)
        | Shape::Graph { .. }
        | Shape::Card(_) => None,
    }
}

fn tops(curve: &Curve) -> Vec<f64> {
    let finite: Vec<f64> = curve.y.iter().copied().filter(|y| y.is_finite()).collect();
    let n = finite.len() as f64;
    let mean = finite.iter().sum::<f64>() / n;
    let sd = (finite.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n).sqrt();
    let level = mean + sd;
    let mut out = Vec::new();
    let mut top: Option<(f64, f64)> = None;
    for (&x, &y) in curve.x.iter().zip(&curve.y) {
        if y > level {
            if top.is_none_or(|t| y > t.1) {
                top = Some((x, y));
            }
        } else if let Some((x, _)) = top.take() {
            out.push(x);
        }
    }
    out.extend(top.map(|t| t.0));
    out
}

/// Values at the crosshair of a pane, one a line: the abscissa, then each curve.
pub fn of(app: &App, pane: &Pane) -> Option<Vec<String>> {
    under(pane, app.crosshair(pane)?)
}

/// The same at a place.
fn under(pane: &Pane, at: f64) -> Option<Vec<String>> {
    let place = |axis: &Axis| format!("{} {}", axis.label, with_unit(at, &axis.unit));
    let mut out = Vec::new();
    match &pane.shape.shape {
        Shape::Series(s) => {
            out.push(place(&s.x));
            out.extend(s.curves.iter().filter_map(|c| value(c, at, &s.y)));
        }
        Shape::Raster(r) => {
            out.push(place(&r.x));
            let has_rates = r.rate.curves.len() == r.groups.len();
            for (k, g) in r.groups.iter().enumerate() {
                // Without a rate there are no bins.
                let Some((begin, end, rate)) = r.rate.curves.get(k).filter(|_| has_rates).and_then(|c| bin(c, at))
                else {
                    out.push(format!("{} {} in all", g.name, spikes(g.times.len())));
                    continue;
                };
                let n = g.times.partition_point(|t| *t <= end).saturating_sub(g.times.partition_point(|t| *t <= begin));
                let (width, rate) = (with_unit(end - begin, &r.x.unit), told(Some(rate), &r.rate.y.unit));
                out.push(format!("{} {} in {width}, {rate}", g.name, spikes(n)));
            }
        }
        Shape::Distribution(d) => {
            out.push(place(&d.x));
            let bin = d.edges.windows(2).position(|e| at >= e[0] && at < e[1])?;
            for (name, heights) in &d.heights {
                let height = told(heights.get(bin).copied(), &d.y.unit);
                out.push(format!("{name} {height}").trim().to_owned());
            }
        }
        Shape::Image(i) => {
            out.push(place(&i.x));
            let step = if i.width > 1 { (i.x_range.1 - i.x_range.0) / (i.width - 1) as f64 } else { 1.0 };
            let column = ((at - i.x_range.0) / step).round().max(0.0) as usize;
            let values = i.values.get(column * i.height..(column + 1) * i.height)?;
            let (row, top) = values.iter().enumerate().filter(|v| v.1.is_finite()).max_by(|a, b| a.1.total_cmp(b.1))?;
            let up = if i.height > 1 { (i.y_range.1 - i.y_range.0) / (i.height - 1) as f64 } else { 0.0 };
            let y = i.y_range.0 + row as f64 * up;
            out.push(format!(
                "largest {} at {} {}",
                with_unit(*top, &i.value.unit),
                i.y.label,
                with_unit(y, &i.y.unit)
            ));
        }
        Shape::Matrix(m) => {
            let column = at.floor().max(0.0) as usize;
            let name = m.columns.get(column)?;
            out.push(format!("{} {name}", m.column_axis));
            for (k, row) in m.rows.iter().enumerate().take(8) {
                let entry = m.values.get(k * m.columns.len() + column).copied();
                out.push(format!("{row} {}", told(entry, &m.value.unit)));
            }
        }
        Shape::Phase(p) => out.push(place(&p.x)),
        Shape::Scalars(_) | Shape::Graph { .. } | Shape::Card(_) => return None,
    }
    Some(out)
}

/// Begin, end and value of the bin of a rate in which `at` lies; each bin has the time of its end.
fn bin(rate: &Curve, at: f64) -> Option<(f64, f64, f64)> {
    let i = sample(rate, at, 0.0)?;
    Some((step_begin(&rate.x, i), rate.x[i], *rate.y.get(i)?))
}

/// A value with its unit, or that there is none.
fn told(v: Option<f64>, unit: &str) -> String {
    v.filter(|v| !v.is_nan()).map_or_else(|| "no value".to_owned(), |v| with_unit(v, unit))
}

fn spikes(n: usize) -> String {
    counted(n, "spike", "spikes")
}

fn value(curve: &Curve, at: f64, y: &Axis) -> Option<String> {
    let i = sample(curve, at, 0.0)?;
    let v = *curve.y.get(i)?;
    let name = if curve.name.is_empty() { &y.label } else { &curve.name };
    let interval = curve.band.as_ref().map_or_else(String::new, |(lo, hi)| match (lo.get(i), hi.get(i)) {
        (Some(lo), Some(hi)) if !lo.is_nan() && !hi.is_nan() => format!(" [{}, {}]", short(*lo), short(*hi)),
        _ => String::new(),
    });
    Some(format!("{name} {}{interval}", told(Some(v), &y.unit)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::content;
    use super::*;

    #[test]
    fn the_nearest_sample_on_each_side() {
        let xs = [0.0, 1.0, 2.5];
        assert_eq!(nearest(&xs, 1.2, 0.0), Some(1));
        assert_eq!(nearest(&xs, 1.2, 1.0), Some(2));
        assert_eq!(nearest(&xs, 1.2, -1.0), Some(1));
        assert_eq!(nearest(&xs, 3.0, 1.0), None);
        assert_eq!(nearest(&xs, -1.0, 0.0), Some(0));
        assert_eq!(nearest(&[], 0.0, 0.0), None);
    }

    #[test]
    fn events_are_spikes_and_peaks() {
        let c = content("a", 10.0);
        let spikes = c.pane("spikes").unwrap();
        assert_eq!(event(spikes, 0.0, true), Some(5.0));
        assert_eq!(event(spikes, 5.0, true), Some(10.0));
        assert_eq!(event(spikes, 10.0, false), Some(5.0));
        assert_eq!(event(spikes, 5.0, false), None);
        let psd = c.pane("psd/spectrum").unwrap();
        assert_eq!(event(psd, 0.0, true), Some(10.0), "the spectrum of the fixture has its peak at 10 Hz");
        assert_eq!(event(psd, 10.0, true), None);
    }

    /// The column that is drawn under the pointer is the one that is told, wherever in it the pointer is.
    #[test]
    fn the_column_of_a_matrix_is_the_one_under_the_pointer() {
        let c = content("a", 10.0);
        let pane = c.panes.iter().find(|p| matches!(p.shape.shape, Shape::Matrix(_))).unwrap();
        for (x, column) in [(-0.2, 0.5), (0.0, 0.5), (0.49, 0.5), (0.51, 0.5), (0.99, 0.5), (1.01, 1.5), (2.3, 1.5)] {
            assert_eq!(snap(pane, x, 0.0), Some(column), "{x}");
        }
        assert_eq!((snap(pane, 0.6, 1.0), snap(pane, 1.4, -1.0)), (Some(1.5), Some(0.5)));
        assert_eq!((snap(pane, 1.6, 1.0), snap(pane, 0.4, -1.0)), (Some(1.5), Some(0.5)));
    }

    /// A cell, a bin or a sample without a value says so, and gives no number.
    #[test]
    fn what_has_no_value_says_so() {
        let values = vec![1.5, f64::NAN];
        let axis = Axis::new;
        let shapes = [
            Shape::Matrix(spikedeck_signal::Matrix {
                value: axis("information", "bits"),
                rows: vec!["a".into(), "b".into()],
                columns: vec!["c".into()],
                values: values.clone(),
                ..spikedeck_signal::Matrix::default()
            }),
            Shape::Distribution(spikedeck_signal::Distribution {
                x: axis("interval", "ms"),
                edges: vec![0.0, 1.0],
                heights: vec![("a".into(), vec![1.5]), ("b".into(), vec![f64::NAN]), ("c".into(), vec![])],
                ..spikedeck_signal::Distribution::default()
            }),
            Shape::Series(spikedeck_signal::Series {
                curves: values
                    .iter()
                    .map(|v| Curve {
                        name: "a".into(),
                        x: vec![0.5],
                        y: vec![*v],
                        band: Some((vec![*v], vec![*v])),
                        ..Curve::default()
                    })
                    .collect(),
                ..spikedeck_signal::Series::default()
            }),
        ];
        for shape in shapes {
            let lines = under(&Pane::new("x", "X", shape, ""), 0.5).unwrap();
            assert!(lines[1].contains(" 1.5"), "{lines:?}");
            assert!(lines.len() > 2 && lines[2..].iter().all(|l| l.ends_with(" no value")), "{lines:?}");
        }
    }

    /// Spikes, the rate and its bin are of one stretch: the bin that ends at or after the place.
    #[test]
    fn spikes_and_rate_under_the_crosshair_are_of_one_bin() {
        let x: Vec<f64> = (1..=40).map(|k| f64::from(k) * 5.0).collect();
        let y: Vec<f64> = (1..=40).map(|k| if k == 20 { 200.0 } else { 0.0 }).collect();
        let rate = Curve { name: "exc".into(), x, y, style: CurveStyle::Steps, ..Curve::default() };
        for (at, told) in [(95.0, None), (95.001, Some(20)), (97.0, Some(20)), (100.0, Some(20)), (100.001, None)] {
            let (begin, end, value) = bin(&rate, at).unwrap();
            assert!(begin < at && at <= end && (end - begin - 5.0).abs() < 1e-9, "{at}: {begin} {end}");
            assert_eq!(value, told.map_or(0.0, |_| 200.0), "{at}");
        }
        assert_eq!(bin(&rate, 0.0).unwrap().0, 0.0);
        assert_eq!(bin(&Curve::default(), 1.0), None);
    }
}
