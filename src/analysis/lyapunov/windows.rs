//! Finite-time exponents: those of stretches of the run.

use super::About;
use crate::prelude::*;
use spikedeck_core::lyapunov::Spectrum;
use spikedeck_signal::{Axis, CurveStyle, NamedShape, ReferenceLine, Series, Shape, TimeBase};

/// Most exponents of which stretches are shown.
const MOST_SHOWN: usize = 4;

/// How the largest exponent differs from stretch to stretch.
pub(super) fn measures(found: &Spectrum, about: &About) -> Vec<Metric> {
    let each: Vec<f64> = found.windows.iter().map(|w| w.1[0]).collect();
    let (subject, unit, n) = (&about.subject, about.base.per_time(), each.len() as u64);
    let forgotten = each.iter().filter(|v| !v.is_finite()).count();
    if each.len() < 2 || forgotten > 0 {
        let why = match forgotten {
            0 => format!("{n} whole windows: two at the least tell how they differ"),
            _ => format!("in {forgotten} of {n} windows the reset forgets all directions: minus infinity"),
        };
        let missing =
            |(name, unit): (&str, &str)| Metric::missing(subject, format!("finite_time.{name}"), unit, n, why.as_str());
        return [("sd", unit), ("min", unit), ("max", unit), ("positive", "")].map(missing).into();
    }
    let count = each.len() as f64;
    let mean = each.iter().sum::<f64>() / count;
    let sd = (each.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    let positive = each.iter().filter(|v| **v > 0.0).count() as f64 / count;
    let (low, high) = each.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |m, v| (m.0.min(*v), m.1.max(*v)));
    let of = |name: &str, value: f64, unit: &str, note: &str| {
        Metric::new(subject, format!("finite_time.{name}"), value, unit, n).note(note)
    };
    vec![
        of(
            "sd",
            sd,
            unit,
            "standard deviation of the largest exponent of one `window`; n = windows; no interval: \
            windows follow each other on one trajectory",
        ),
        of("min", low, unit, "least of any window"),
        of("max", high, unit, "greatest of any window"),
        of(
            "positive",
            positive,
            "",
            "share of windows in which small differences grow; no chance level, and no \
            interval: windows follow each other on one trajectory",
        ),
    ]
}

/// The exponents of stretches of the run over time, where there are several.
pub(super) fn curves(found: &Spectrum, base: TimeBase) -> Option<NamedShape> {
    if found.windows.len() < 2 {
        return None;
    }
    let time: Vec<f64> = found.windows.iter().map(|w| w.0 / base.seconds()).collect();
    let of = |j: usize| found.windows.iter().map(|w| w.1[j]).collect();
    let most = found.exponents.len().min(MOST_SHOWN);
    let curves = (0..most).map(|j| curve(format!("λ{}", j + 1), time.clone(), of(j), CurveStyle::Line)).collect();
    let mut x = Axis::new("time measured", base.unit());
    x.is_time = false;
    let y = Axis::new("exponent of a window", base.per_time());
    let references = vec![ReferenceLine { name: "0".into(), at: 0.0, vertical: false }];
    Some(NamedShape::new("finite-time exponents", Shape::Series(Series { x, y, curves, references })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_which_nothing_can_be_told_say_why() {
        let about = About { subject: "p".into(), base: TimeBase::Dimensionless, dimension: 2 };
        let of = |first: &[f64]| {
            let windows = first.iter().enumerate().map(|(k, v)| (k as f64, vec![*v])).collect();
            measures(&Spectrum { windows, ..Spectrum::default() }, &about)
        };
        for (windows, why) in [
            (&[][..], "0 whole windows"),
            (&[1.0], "1 whole windows"),
            (&[1.0, f64::NEG_INFINITY, 2.0], "in 1 of 3 windows"),
        ] {
            let list = of(windows);
            assert_eq!(list.len(), 4);
            assert!(list.iter().all(|m| m.value.is_none() && m.note.contains(why)), "{list:?}");
        }
        let values: Vec<Option<f64>> = of(&[1.0, -1.0, 3.0]).iter().map(|m| m.value).collect();
        assert_eq!(values, [Some(2.0), Some(-1.0), Some(3.0), Some(2.0 / 3.0)]);
    }
}
