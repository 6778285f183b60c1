//! Panes that say nothing: the same value everywhere, or values that differ by rounding alone. Such a picture is an
//! empty box whose axis shows digits of noise, so it becomes a sentence and goes to the end.

use crate::number::{short, with_unit};
use spikedeck_signal::{Card, Curve, CurveStyle, Raster, Recording, Scale, Shape, Trace};

/// Differences of this share of the values themselves are rounding.
const ROUNDING: f64 = 1e-8;

/// The pane's picture in words, if it is the same value everywhere. Values near zero are held against the largest that
/// was recorded of the variable which the name speaks of: the mean of an oscillation about zero is noise about zero.
pub fn in_words(name: &str, shape: &Shape, recording: &Recording) -> Option<Card> {
    if let Shape::Raster(raster) = shape {
        return nothing_fired(raster).map(said);
    }
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
    let is_even = high - low <= ROUNDING * size || high - low <= ROUNDING * largest(name, (what, unit), recording);
    if !is_even {
        return None;
    }
    // Of noise about zero, zero is what is meant.
    let value = if size <= ROUNDING * largest(name, (what, unit), recording) { 0.0 } else { f64::midpoint(low, high) };
    let rounding = if low < high { ", but for rounding" } else { "" };
    let text = format!("{what} is {} {where_}{rounding}: there is nothing to draw.", with_unit(value, unit));
    Some(said(text))
}

fn said(text: String) -> Card {
    Card::prose([(String::new(), text)])
}

/// A raster without a spike in words.
fn nothing_fired(raster: &Raster) -> Option<String> {
    if raster.groups.iter().any(|g| !g.times.is_empty()) {
        return None;
    }
    let units: usize = raster.groups.iter().map(|g| g.size).sum();
    let which = match units {
        1 => "The one unit that was recorded did not fire".to_owned(),
        n => format!("None of the {n} units fired"),
    };
    let (from, to) = raster.extent;
    let when = format!("from {} to {}", short(from), with_unit(to, &raster.x.unit));
    Some(format!("{which} {when}: there is nothing to draw."))
}

/// Share of the time after which a map has come to rest.
const ONSET: f64 = 0.2;
/// What differs by less than this share of the range of a map is one colour.
const ONE_COLOUR: f64 = 0.03;

/// Whether a map over time is of one colour once its onset is over: so it hardly leads.
pub fn comes_to_rest(shape: &Shape) -> bool {
    let Shape::Image(image) = shape else { return false };
    let (Some(whole), true) = (range(&image.values), image.x.is_time && image.height > 0) else { return false };
    let later = (image.width as f64 * ONSET).ceil() as usize * image.height;
    let rest = image.values.get(later..).and_then(range);
    rest.is_some_and(|rest| rest.1 - rest.0 <= ONE_COLOUR * (whole.1 - whole.0))
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

/// The largest value that was recorded, in the same unit, of a variable which a name or a label speaks of.
fn largest(name: &str, (label, unit): (&str, &str), recording: &Recording) -> f64 {
    let is_word = |text: &str, word: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word);
    let named = |t: &&Trace| t.unit == unit && (is_word(name, &t.variable) || is_word(label, &t.variable));
    let of = recording.traces.iter().filter(named);
    let sizes = of.filter_map(|t| range(&t.values)).map(|(low, high)| low.abs().max(high.abs()));
    sizes.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::{Axis, Image, RasterGroup, ReferenceLine, Series};

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
        let text = said(series(&[&[-1.5; 9], &[-1.5; 9]])).unwrap().sections[0].text.clone();
        assert_eq!(text, "phi is -1.5 mV at all times: there is nothing to draw.");
        let noisy: Vec<f64> = (0..9).map(|k| -1.25 + f64::from(k) * 1e-12).collect();
        assert!(said(series(&[&noisy])).unwrap().sections[0].text.contains("-1.25 mV at all times, but for rounding"));
        assert!(said(series(&[&[1.0; 9], &[2.0; 9]])).is_none(), "two values are a picture");
        assert!(said(series(&[&[0.0, 0.0, 1e-3, 0.0]])).is_none());
        assert!(said(series(&[&[1.0, 1.0]])).is_none(), "two points are no course");
        let held = ReferenceLine { name: "theory".into(), at: 2.0, vertical: false };
        assert!(said(Series { references: vec![held], ..series(&[&[1.0; 9]]) }).is_none(), "it is held against a line");
        let image =
            |values: Vec<f64>| Image { width: 3, height: 2, values, value: Axis::new("h", ""), ..Image::default() };
        let said = |values| in_words("h", &Shape::Image(image(values)), &nothing);
        assert!(said(vec![0.0; 6]).unwrap().sections[0].text.starts_with("h is 0 everywhere"));
        assert!(said(vec![0.0, 0.0, 0.0, 0.0, 0.0, 1e-12]).is_none(), "small numbers may be all there is");
    }

    /// Noise about zero is known by what was recorded of the same variable.
    #[test]
    fn the_mean_of_an_oscillation_is_zero_but_for_rounding() {
        let noise: Vec<f64> = (0..20).map(|k| f64::from(k % 3) * 3e-16).collect();
        let shape = Shape::Series(series(&[&noise]));
        let trace = |unit: &str| Trace {
            variable: "phi".into(),
            unit: unit.into(),
            values: vec![-0.4, 0.8],
            ..Trace::default()
        };
        let recording = Recording { traces: vec![trace("mV")], ..Recording::default() };
        let text = in_words("mean(field.phi)", &shape, &recording).unwrap().sections[0].text.clone();
        assert_eq!(text, "phi is 0 mV at all times, but for rounding: there is nothing to draw.");
        let other = Recording { traces: vec![trace("pA")], ..Recording::default() };
        assert!(in_words("mean(field.phi)", &shape, &other).is_none(), "another quantity is no measure");
        assert!(in_words("mean(field.phi)", &shape, &Recording::default()).is_none());
    }

    #[test]
    fn a_raster_without_a_spike_is_a_sentence() {
        let group = |size: usize, times: Vec<f64>| RasterGroup {
            size,
            units: vec![0; times.len()],
            times,
            ..RasterGroup::default()
        };
        let of = |groups: Vec<RasterGroup>| {
            let x = Axis { is_time: true, ..Axis::new("time", "ms") };
            let raster = Raster { x, extent: (0.0, 250.0), groups, ..Raster::default() };
            in_words("Spikes", &Shape::Raster(raster), &Recording::default()).map(|c| c.sections[0].text.clone())
        };
        let silent = of(vec![group(20, vec![]), group(5, vec![])]).unwrap();
        assert_eq!(silent, "None of the 25 units fired from 0 to 250 ms: there is nothing to draw.");
        assert!(of(vec![group(1, vec![])]).unwrap().starts_with("The one unit that was recorded did not fire"));
        assert_eq!(of(vec![group(20, vec![]), group(5, vec![3.0])]), None, "one spike is a finding");
    }

    /// A map that dies away is known by what follows its onset, whatever the value to which it goes.
    #[test]
    fn a_map_that_dies_away_comes_to_rest() {
        let map = |f: &dyn Fn(usize, usize) -> f64, is_time: bool| {
            let (width, height) = (100, 8);
            let values = (0..width).flat_map(|c| (0..height).map(move |r| (c, r))).map(|(c, r)| f(c, r)).collect();
            let x = Axis { is_time, ..Axis::new("time", "ms") };
            Shape::Image(Image { x, width, height, values, value: Axis::new("d", ""), ..Image::default() })
        };
        for rest in [-70.0, 0.0, 3.0] {
            let dying = move |c: usize, r: usize| rest + (r as f64 - 3.5) * (-(c as f64) / 5.0).exp();
            assert!(comes_to_rest(&map(&dying, true)), "{rest}");
            assert!(!comes_to_rest(&map(&dying, false)), "space has no onset");
        }
        assert!(!comes_to_rest(&map(&|_, r| f64::from(u8::from(r == 4)), true)), "a bump that stays");
        assert!(!comes_to_rest(&map(&|c, r| ((c + r) as f64).sin(), true)));
        assert!(!comes_to_rest(&map(&|c, r| f64::from(u8::from(c == 60 && r == 2)), true)), "something happens late");
    }
}
