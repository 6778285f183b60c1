//! Panes that say nothing: the same value everywhere, or values that differ by rounding alone. Such a picture is an
//! empty box whose axis shows digits of noise, so it becomes a sentence and goes to the end.

use crate::number::with_unit;
use spikedeck_signal::{Card, Curve, CurveStyle, Recording, Scale, Shape};

/// Differences of this share of the values themselves are rounding.
const ROUNDING: f64 = 1e-9;

/// The pane's picture in words, if it is the same value everywhere. Values near zero are held against the largest that
/// was recorded of the variable which the name speaks of: the mean of an oscillation about zero is noise about zero.
pub fn in_words(name: &str, shape: &Shape, recording: &Recording) -> Option<Card> {
    let (all, what, unit, where_) = match shape {
        Shape::Image(image) => {
            let many = image.width > 1 || image.height > 1;
            let across = if image.x.is_time { "at all times" } else { "everywhere" };
            (range(&image.values), &image.value.label, &image.value.unit, many.then_some(across))
        }
        Shape::Series(series) => {
            let plain = series.references.is_empty() && series.y.scale == Scale::Linear;
            let many = !series.curves.is_empty() && series.curves.iter().all(is_plain);
            let across = if series.x.is_time { "at all times" } else { "everywhere" };
            let all = range(series.curves.iter().flat_map(|c| &c.y));
            (all, &series.y.label, &series.y.unit, (plain && many).then_some(across))
        }
        _ => return None,
    };
    let where_ = where_?;
    let (low, high) = all?;
    let size = low.abs().max(high.abs());
    let is_even = high - low <= ROUNDING * size || high - low <= ROUNDING * largest(name, what, recording);
    if !is_even {
        return None;
    }
    // Of noise about zero, zero is what is meant.
    let value = if size <= ROUNDING * largest(name, what, recording) { 0.0 } else { f64::midpoint(low, high) };
    let rounding = if low < high { ", but for rounding" } else { "" };
    let text = format!("{what} is {} {where_}{rounding}: there is nothing to draw.", with_unit(value, unit));
    Some(Card { sections: vec![(String::new(), text)] })
}

/// Least and greatest of the finite values.
fn range<'a>(values: impl IntoIterator<Item = &'a f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().copied().filter(|v| v.is_finite());
    let all = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |a, v| (a.0.min(v), a.1.max(v)));
    (all.0 <= all.1).then_some(all)
}

/// Whether a curve is of what was measured, with more than a point or two.
fn is_plain(curve: &Curve) -> bool {
    curve.band.is_none() && curve.style != CurveStyle::Theory && curve.y.len() > 2
}

/// The largest value that was recorded of a variable which a name or a label speaks of.
fn largest(name: &str, label: &str, recording: &Recording) -> f64 {
    let is_word = |text: &str, word: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word);
    let of = recording.traces.iter().filter(|t| is_word(name, &t.variable) || is_word(label, &t.variable));
    let sizes = of.filter_map(|t| range(&t.values)).map(|(low, high)| low.abs().max(high.abs()));
    sizes.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::{Axis, Image, ReferenceLine, Series, Trace};

    fn series(values: &[&[f64]]) -> Series {
        let curve =
            |y: &&[f64]| Curve { x: (0..y.len()).map(|k| k as f64).collect(), y: y.to_vec(), ..Curve::default() };
        let x = Axis { is_time: true, ..Axis::new("time", "ms") };
        Series { x, y: Axis::new("phi", "mV"), curves: values.iter().map(curve).collect(), ..Series::default() }
    }

    #[test]
    fn one_value_everywhere_is_a_sentence() {
        let nothing = Recording::default();
        let said = |shape: Series| in_words("mean(phi)", &Shape::Series(shape), &nothing);
        let text = said(series(&[&[-1.5; 9], &[-1.5; 9]])).unwrap().sections[0].1.clone();
        assert_eq!(text, "phi is -1.5 mV at all times: there is nothing to draw.");
        let noisy: Vec<f64> = (0..9).map(|k| -1.25 + f64::from(k) * 1e-12).collect();
        assert!(said(series(&[&noisy])).unwrap().sections[0].1.contains("-1.25 mV at all times, but for rounding"));
        assert!(said(series(&[&[1.0; 9], &[2.0; 9]])).is_none(), "two values are a picture");
        assert!(said(series(&[&[0.0, 0.0, 1e-3, 0.0]])).is_none());
        assert!(said(series(&[&[1.0, 1.0]])).is_none(), "two points are no course");
        let held = ReferenceLine { name: "theory".into(), at: 2.0, vertical: false };
        assert!(said(Series { references: vec![held], ..series(&[&[1.0; 9]]) }).is_none(), "it is held against a line");
        let image =
            |values: Vec<f64>| Image { width: 3, height: 2, values, value: Axis::new("h", ""), ..Image::default() };
        let said = |values| in_words("h", &Shape::Image(image(values)), &nothing);
        assert!(said(vec![0.0; 6]).unwrap().sections[0].1.starts_with("h is 0 everywhere"));
        assert!(said(vec![0.0, 0.0, 0.0, 0.0, 0.0, 1e-12]).is_none(), "small numbers may be all there is");
    }

    /// Noise about zero is known by what was recorded of the same variable.
    #[test]
    fn the_mean_of_an_oscillation_is_zero_but_for_rounding() {
        let noise: Vec<f64> = (0..20).map(|k| f64::from(k % 3) * 3e-16).collect();
        let shape = Shape::Series(series(&[&noise]));
        let trace = Trace { variable: "phi".into(), values: vec![-0.4, 0.8], ..Trace::default() };
        let recording = Recording { traces: vec![trace], ..Recording::default() };
        let text = in_words("mean(field.phi)", &shape, &recording).unwrap().sections[0].1.clone();
        assert_eq!(text, "phi is 0 mV at all times, but for rounding: there is nothing to draw.");
        assert!(in_words("mean(field.phi)", &shape, &Recording::default()).is_none());
    }
}
