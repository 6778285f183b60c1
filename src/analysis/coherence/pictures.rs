//! Curves of one pair, and the matrix of many.

use super::{Found, Law, Options};
use crate::dependence::signals::Pairs;
use crate::prelude::*;
use spikedeck_core::coherence::{chance_level, interval};
use spikedeck_signal::{Axis, Curve, CurveStyle, ReferenceLine, Series, Shape};

/// Ordinates up to which a curve has its interval drawn.
const MOST_INTERVALS: usize = 600;

/// Draws the coherence and the phase of one pair.
pub(super) fn draw(o: &Options, f: &mut Findings<'_>, name: &str, found: &Found, law: &Law) {
    let shown = found.range(0.0, o.f_max.map_or(f64::INFINITY, |x| x.hertz));
    let x: Vec<f64> = shown.clone().map(|k| k as f64 * found.step).collect();
    let y = found.coherence[shown.clone()].to_vec();
    let level = chance_level(law.worth, 0.95);
    let band = (y.len() <= MOST_INTERVALS)
        .then(|| y.iter().map(|c| interval(*c, law.worth, 0.025, 0.025)).map(|(l, h)| (l.min(1.0), h)).unzip());
    let axis = || Axis::frequency(f.base.rate_unit(), &x);
    let (frequency, other) = (axis(), axis());
    let line = Curve { name: name.to_owned(), x, y, band, style: CurveStyle::Line };
    f.shape(
        format!("coherence of {name}"),
        Shape::Series(Series {
            x: frequency,
            y: Axis::new("coherence", ""),
            curves: vec![line],
            references: vec![ReferenceLine { name: "95 % without coherence".into(), at: level, vertical: false }],
        }),
    );
    let (x, y): (Vec<f64>, Vec<f64>) =
        shown.filter(|&k| found.coherence[k] > level).map(|k| (k as f64 * found.step, found.phase[k])).unzip();
    if !x.is_empty() {
        f.shape(
            format!("phase of {name}"),
            Shape::Series(Series {
                x: other,
                y: Axis::new("phase", "rad"),
                curves: vec![curve(name, x, y, CurveStyle::Points)],
                references: Vec::new(),
            }),
        );
    }
}

/// The coherence of all pairs at their peaks.
pub(super) fn matrix(pairs: &Pairs, peaks: &[Option<(f64, f64)>]) -> Shape {
    let level = 0.05 / peaks.len() as f64;
    let cells = pairs.links.iter().zip(peaks).filter_map(|(pair, peak)| peak.map(|(c, p)| (*pair, c, p <= level)));
    Shape::Matrix(pairs.matrix(Axis::new("coherence at the peak", ""), ["first", "second"], pairs.same, cells))
}
