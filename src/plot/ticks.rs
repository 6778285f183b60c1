//! Ticks: numbers that a person would choose, at even distances, whose labels never touch.

use spikedeck_core::number::tick;
use unicode_width::UnicodeWidthStr as _;

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where it stands, in data units.
    pub value: f64,
    /// What is written beside it; empty for minor ticks.
    pub label: String,
}

/// Most ticks that any call returns: enough for the widest screens.
const MOST: usize = 200;

/// The smallest of 1, 2, 5 times a power of ten that is at least `rough`, which is above zero.
pub fn nice_step(rough: f64) -> f64 {
    let power = 10f64.powi(rough.log10().floor() as i32);
    let part = rough / power;
    let factor = if part <= 1.0 + 1e-9 {
        1.0
    } else if part <= 2.0 + 1e-9 {
        2.0
    } else if part <= 5.0 + 1e-9 {
        5.0
    } else {
        10.0
    };
    factor * power
}

fn ordered((a, b): (f64, f64)) -> Option<(f64, f64)> {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    (low.is_finite() && high.is_finite() && high > low && (high - low).is_finite()).then_some((low, high))
}

/// Ticks of a proportional axis, at most `most` of them (at least one if a nice number lies in the range).
pub fn linear(range: (f64, f64), most: usize) -> Vec<Tick> {
    let Some((low, high)) = ordered(range) else { return Vec::new() };
    let most = most.clamp(1, MOST);
    let mut step = nice_step((high - low) / most as f64);
    for _ in 0..4 {
        let tolerance = step * 1e-9;
        let (first, last) = (((low - tolerance) / step).ceil(), ((high + tolerance) / step).floor());
        if !step.is_finite() || step <= 0.0 || first.abs() > 1e15 || last.abs() > 1e15 {
            return Vec::new();
        }
        let count = last - first + 1.0;
        if count <= most as f64 {
            return (0..count.max(0.0) as usize)
                .map(|k| {
                    let value = (first + k as f64) * step;
                    Tick { value, label: tick(value, step) }
                })
                .collect();
        }
        step = nice_step(step * 1.5);
    }
    Vec::new()
}

fn decade_label(exponent: i32) -> String {
    match exponent {
        0..=4 => format!("{}", 10i64.pow(exponent as u32)),
        -3..=-1 => format!("{:.*}", exponent.unsigned_abs() as usize, 10f64.powi(exponent)),
        _ => format!("1e{exponent}"),
    }
}

/// Ticks of a logarithmic axis: decades with labels (every second, third, ... when there are many, the others without),
/// the numbers between without; under one and a half decades 1, 2, 5 have labels too; under half a decade the ticks are
/// those of a proportional axis.
pub fn log(range: (f64, f64), most: usize) -> Vec<Tick> {
    let Some((low, high)) = ordered(range) else { return Vec::new() };
    if low <= 0.0 {
        return Vec::new();
    }
    let most = most.clamp(1, MOST);
    let span = high.log10() - low.log10();
    if span < 0.5 {
        return linear(range, most);
    }
    let (first, last) = ((low.log10() - 1e-9).floor() as i32, (high.log10() + 1e-9).floor() as i32);
    let inside = |v: f64| v >= low * (1.0 - 1e-9) && v <= high * (1.0 + 1e-9);
    let stride = (span / most as f64).ceil().max(1.0) as i32;
    let halves = span < 1.5 && most >= 4;
    let mut ticks = Vec::new();
    for exponent in first..=last {
        let decade = 10f64.powi(exponent);
        for digit in 1..10 {
            let value = decade * f64::from(digit);
            if !inside(value) {
                continue;
            }
            let text = match digit {
                1 if exponent.rem_euclid(stride) == 0 => decade_label(exponent),
                2 | 5 if halves => tick(value, decade),
                _ => String::new(),
            };
            if stride == 1 || digit == 1 {
                ticks.push(Tick { value, label: text });
            }
        }
    }
    ticks
}

/// Cells of a decade from which on all of its minor ticks stand apart (the last two are a twentieth of it from each
/// other), and from which on 2 and 5 do.
const ALL_APART: f64 = 22.0;
const HALVES_APART: f64 = 7.0;

/// Where a logarithmic axis of `length` cells has marks without labels: its decades, and between them what stands apart
/// there.
pub fn minor(ticks: &[Tick], range: (f64, f64), is_log: bool, length: usize) -> Vec<f64> {
    if !is_log {
        return Vec::new();
    }
    let decade = length as f64 / (range.1 / range.0).log10();
    let digit = |value: f64| (value / 10f64.powi((value.log10() + 1e-9).floor() as i32)).round() as i32;
    let is_apart = |digit| match digit {
        1 => true,
        2 | 5 => decade >= HALVES_APART,
        _ => decade >= ALL_APART,
    };
    let unlabelled = ticks.iter().filter(|t| t.label.is_empty()).map(|t| t.value);
    unlabelled.filter(|value| is_apart(digit(*value))).collect()
}

/// Position of a value on an axis, 0 at the low end and 1 at the high end.
pub fn fraction(value: f64, range: (f64, f64), is_log: bool) -> f64 {
    if is_log {
        (value.ln() - range.0.ln()) / (range.1.ln() - range.0.ln())
    } else {
        (value - range.0) / (range.1 - range.0)
    }
}

/// The inverse of [`fraction`].
pub fn at_fraction(part: f64, range: (f64, f64), is_log: bool) -> f64 {
    if is_log {
        (range.0.ln() + part * (range.1.ln() - range.0.ln())).exp()
    } else {
        range.0 + part * (range.1 - range.0)
    }
}

fn of_scale(range: (f64, f64), is_log: bool, most: usize) -> Vec<Tick> {
    if is_log { log(range, most) } else { linear(range, most) }
}

/// First column of a label centred at `at` (0 to `length`), kept inside.
pub fn label_start(at: f64, width: usize, length: usize) -> usize {
    let start = (at - width as f64 / 2.0).round().max(0.0) as usize;
    start.min(length.saturating_sub(width))
}

/// Ticks for a horizontal axis of `length` columns: as many as fit with at least two columns between labels.
pub fn horizontal(range: (f64, f64), is_log: bool, length: usize) -> Vec<Tick> {
    fit(range, is_log, length, (length / 7).clamp(1, 12), |text| text.width() as f64, 2.0)
}

/// Ticks for an axis of any `length`, with labels `width_of` long along it, at least `gap` apart, starting from at most
/// `most`.
pub fn fit(
    range: (f64, f64),
    is_log: bool,
    length: usize,
    most: usize,
    width_of: impl Fn(&str) -> f64,
    gap: f64,
) -> Vec<Tick> {
    let clear = |ticks: &[Tick]| {
        let mut end = f64::NEG_INFINITY;
        ticks.iter().filter(|t| !t.label.is_empty()).all(|t| {
            let width = width_of(&t.label);
            let at = fraction(t.value, range, is_log) * length as f64;
            let start = (at - width / 2.0).clamp(0.0, (length as f64 - width).max(0.0));
            let fits = start >= end + gap && width <= length as f64;
            end = start + width;
            fits
        })
    };
    let labels = |ticks: &[Tick]| ticks.iter().filter(|t| !t.label.is_empty()).count();
    let found = (1..=most)
        .rev()
        .map(|most| of_scale(range, is_log, most))
        .find(|ticks| !ticks.is_empty() && clear(ticks))
        .unwrap_or_default();
    if labels(&found) < 2 {
        // One number is no scale: two that stand closer than one would like are.
        let closer = (most + 1..=most + 4)
            .map(|most| of_scale(range, is_log, most))
            .find(|ticks| labels(ticks) > 1 && clear(ticks));
        return closer.unwrap_or(found);
    }
    found
}

/// Ticks for a vertical axis of `length` rows: at most one label every second row.
pub fn vertical(range: (f64, f64), is_log: bool, length: usize) -> Vec<Tick> {
    fit(range, is_log, length, length.div_ceil(3).clamp(1, 10), |_| 1.0, 0.9)
}

/// Names at their places: all of them where they fit, else every second, fifth, tenth, ... `need(name)` is the length
/// that a name takes on an axis of `length`.
pub fn names(names: &[(f64, String)], range: (f64, f64), length: f64, need: impl Fn(&str) -> f64) -> Vec<Tick> {
    let visible: Vec<&(f64, String)> = names.iter().filter(|n| n.0 >= range.0 && n.0 <= range.1).collect();
    let widest = visible.iter().map(|n| need(&n.1)).fold(0.0, f64::max);
    let clear = |stride: usize| {
        let shown: Vec<f64> = visible.iter().step_by(stride).map(|n| fraction(n.0, range, false) * length).collect();
        shown.windows(2).all(|w| w[1] - w[0] >= widest)
    };
    let stride = (0..6).flat_map(|k| [1, 2, 5].map(|m| m * 10usize.pow(k))).find(|&s| clear(s)).unwrap_or(usize::MAX);
    visible.into_iter().step_by(stride).map(|n| Tick { value: n.0, label: n.1.clone() }).collect()
}

/// Names on rows of their own, each as near to its place as the others let it; none where there are more names than
/// rows.
pub fn apart(names: &[(f64, String)], range: (f64, f64), rows: usize) -> Option<Vec<Tick>> {
    if names.is_empty() || names.len() > rows || names.iter().any(|n| n.0 < range.0 || n.0 > range.1) {
        return None;
    }
    let mut order: Vec<&(f64, String)> = names.iter().collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let row = |v: f64| ((fraction(v, range, false) * rows as f64) as usize).min(rows - 1);
    let mut at: Vec<usize> = Vec::with_capacity(order.len());
    for (k, name) in order.iter().enumerate() {
        let free = at.last().map_or(0, |last| last + 1);
        // Those that follow need rows too.
        at.push(row(name.0).max(free).min(rows - (order.len() - k)));
    }
    for k in (0..at.len()).rev() {
        // Back towards its own place, where those behind have made room.
        let above = if k == 0 { 0 } else { at[k - 1] + 1 };
        at[k] = at[k].min(row(order[k].0).max(above));
    }
    let value = |row: usize| range.0 + (range.1 - range.0) * (row as f64 + 0.5) / rows as f64;
    Some(at.iter().zip(order).map(|(row, name)| Tick { value: value(*row), label: name.1.clone() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().filter(|t| !t.label.is_empty()).map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn steps_are_round_and_none_comes_of_nothing() {
        assert_eq!(nice_step(3.4), 5.0);
        assert!((nice_step(0.02) - 0.02).abs() < 1e-12);
        assert_eq!(nice_step(0.0), 0.0);
    }

    #[test]
    fn people_would_choose_these() {
        assert_eq!(labels(&linear((0.0, 100.0), 6)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&linear((-72.3, -48.0), 5)), ["-70", "-65", "-60", "-55", "-50"]);
        assert_eq!(
            labels(&linear((0.0, 0.3), 4)),
            ["0.0", "0.1", "0.2", "0.3"].map(|s| if s == "0.0" { "0" } else { s })
        );
        assert_eq!(labels(&linear((0.0, 3e7), 4)), ["0", "1e7", "2e7", "3e7"]);
        assert_eq!(labels(&log((1.0, 1000.0), 6)), ["1", "10", "100", "1000"]);
        assert_eq!(labels(&log((0.001, 1e6), 4)), ["0.001", "1", "1000", "1e6"]);
        assert_eq!(labels(&log((1.0, 20.0), 6)), ["1", "2", "5", "10", "20"]);
        assert_eq!(log((1.0, 1000.0), 6).len(), 28);
    }

    /// Where decades are narrow their numbers would be a solid line: two of them stand for all, then none. A decade has
    /// its mark also where it has no label.
    #[test]
    fn minor_marks_stand_apart() {
        let digits = |range: (f64, f64), length: usize| -> Vec<f64> {
            let marks = minor(&horizontal(range, true, length), range, true, length);
            let cells: Vec<usize> =
                marks.iter().map(|v| (fraction(*v, range, true) * length as f64) as usize).collect();
            assert!(cells.windows(2).all(|w| w[0] < w[1]), "{range:?} {length}: {marks:?}");
            marks
        };
        assert_eq!(digits((1.0, 100.0), 60).len(), 16);
        assert_eq!(digits((1.0, 100.0), 30), [2.0, 5.0, 20.0, 50.0]);
        assert_eq!(digits((1.0, 100.0), 12), [10.0]);
        let wide = digits((1e-9, 1e9), 60);
        assert!(wide.len() > 6 && wide.iter().all(|v| (v.log10() - v.log10().round()).abs() < 1e-9), "{wide:?}");
        assert_eq!(digits((0.3, 500.0), 80).len(), 27);
    }

    #[test]
    fn nonsense_has_no_ticks() {
        for range in [(f64::NAN, 1.0), (1.0, 1.0), (0.0, f64::INFINITY), (-1e308, 1e308), (1e9, 1e9 + 1e-7)] {
            assert!(linear(range, 5).len() <= 5, "{range:?}");
        }
        assert!(log((0.0, 1.0), 5).is_empty());
        assert!(horizontal((0.0, 1.0), false, 0).is_empty());
    }

    /// No population is without its name where there is a row for each.
    #[test]
    fn names_have_rows_of_their_own() {
        let names: Vec<(f64, String)> =
            [(10.0, "a"), (11.0, "b"), (12.0, "c"), (99.0, "d")].map(|(v, n)| (v, n.to_owned())).into();
        let rows =
            |n: usize| apart(&names, (0.0, 100.0), n).map(|t| t.into_iter().map(|t| t.label).collect::<String>());
        assert_eq!(rows(10).as_deref(), Some("abcd"));
        assert_eq!(rows(4).as_deref(), Some("abcd"));
        assert_eq!(rows(3), None);
    }

    proptest! {
        #[test]
        fn names_stand_apart(places in proptest::collection::vec(0.0f64..1.0, 1..12), more in 0usize..20) {
            let names: Vec<(f64, String)> = places.iter().map(|p| (*p, "n".to_owned())).collect();
            let rows = names.len() + more;
            let ticks = apart(&names, (0.0, 1.0), rows).unwrap();
            let at: Vec<usize> = ticks.iter().map(|t| (t.value * rows as f64) as usize).collect();
            prop_assert_eq!(ticks.len(), names.len());
            prop_assert!(at.windows(2).all(|w| w[0] < w[1]), "{:?}", at);
        }

        #[test]
        fn linear_ticks_are_inside_even_and_few(low in -1e6f64..1e6, span in 1e-3f64..1e6, most in 1usize..20) {
            let high = low + span;
            let ticks = linear((low, high), most);
            prop_assert!(ticks.len() <= most);
            prop_assert!(most < 3 || ticks.len() * 6 >= most, "{} of {most}", ticks.len());
            for t in &ticks {
                prop_assert!(t.value >= low - span * 1e-6 && t.value <= high + span * 1e-6);
                let back: f64 = t.label.parse().unwrap();
                prop_assert!((back - t.value).abs() <= span * 1e-3, "{} reads as {back}", t.value);
            }
            let mut text = labels(&ticks);
            text.dedup();
            prop_assert_eq!(text.len(), ticks.len());
            let gaps: Vec<f64> = ticks.windows(2).map(|w| w[1].value - w[0].value).collect();
            for g in &gaps { prop_assert!((g - gaps[0]).abs() < 1e-6 * span); }
        }

        #[test]
        fn labels_never_touch(low in -1e5f64..1e5, span in 1e-2f64..1e5, length in 0usize..200, is_log: bool) {
            let range = if is_log { (low.abs() + 1e-3, low.abs() + 1e-3 + span) } else { (low, low + span) };
            let ticks = horizontal(range, is_log, length);
            let mut end = 0;
            for (k, t) in ticks.iter().filter(|t| !t.label.is_empty()).enumerate() {
                let at = fraction(t.value, range, is_log) * length as f64;
                let start = label_start(at, t.label.len(), length);
                prop_assert!(k == 0 || start > end, "{ticks:?}");
                end = start + t.label.len();
                prop_assert!(end <= length);
            }
        }

        #[test]
        fn log_ticks_are_inside(low in 1e-6f64..1e3, ratio in 1.1f64..1e9, most in 1usize..12) {
            let high = low * ratio;
            let ticks = log((low, high), most);
            prop_assert!(ticks.iter().filter(|t| !t.label.is_empty()).count() <= most + 3);
            for t in &ticks { prop_assert!(t.value >= low * (1.0 - 1e-6) && t.value <= high * (1.0 + 1e-6)); }
        }
    }
}
