//! Values that are changed by keys: numbers in steps of their own size, words and flags in turn.

use spikedeck_core::number::literal;
use spikedeck_core::units::Quantity;
use spikedeck_scenario::Adjustable;
use spikedeck_scenario::language::Range;

/// How far a key goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// So many of the second digit that matters.
    Fine(f64),
    /// So many of the first digit.
    Coarse(f64),
    /// By a factor.
    Factor(f64),
}

/// A number as it is written: its value and the unit behind it.
fn parts(text: &str) -> Option<(f64, &str)> {
    let text = text.trim().trim_matches('"').trim();
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E' | '_');
    // The longest start that is a number: `2e-3 s`, `5 eV`.
    let mut ends: Vec<usize> =
        text.char_indices().take_while(|(_, c)| is_number(*c)).map(|(i, c)| i + c.len_utf8()).collect();
    while let Some(end) = ends.pop() {
        if let Ok(value) = text[..end].replace('_', "").parse::<f64>() {
            let unit = text[end..].trim_start();
            return (value.is_finite() && !unit.starts_with(['/', '*'])).then_some((value, unit));
        }
    }
    None
}

/// The value after a step, as TOML text; none where it is no number or the step leads nowhere.
pub fn stepped(of: &Adjustable, text: &str, step: Step) -> Option<String> {
    let (now, unit) = parts(text)?;
    let is_text = text.trim_start().starts_with('"') || !unit.is_empty();
    let written = |v: f64| {
        let number = literal(v);
        let number = if unit.is_empty() { number } else { format!("{number} {unit}") };
        if is_text { format!("\"{number}\"") } else { number }
    };
    // Bounds are in SI, the number in its own unit.
    let in_si = |v: f64| Quantity::parse(&format!("{v:e} {unit}")).map_or(v, |q| q.value);
    let scale = in_si(1.0);
    let (low, high) = match of.range {
        Range::Any => (f64::NEG_INFINITY, f64::INFINITY),
        Range::Above(low) | Range::From(low) => (low / scale, f64::INFINITY),
        Range::Within(low, high) => (low / scale, high / scale),
    };
    let inward = matches!(step, Step::Fine(by) | Step::Coarse(by) if by * now < 0.0);
    let digit = digit(now, inward, of, scale);
    let grid = |size: f64, by: f64| {
        let size = if of.is_whole { size.max(1.0) } else { size };
        ((now / size).round() + by) * size
    };
    let mut next = match step {
        Step::Fine(by) => grid(digit / 10.0, by),
        Step::Coarse(by) => grid(digit, by),
        Step::Factor(by) => now * by,
    };
    if of.is_whole {
        next = next.round();
        if next == now {
            next += if matches!(step, Step::Factor(f) if f < 1.0) { -1.0 } else { 1.0 };
        }
    }
    next = next.clamp(low, high);
    if matches!(of.range, Range::Above(low) if next <= low / scale) {
        // What has to be above is halved towards it.
        next = f64::midpoint(low, now);
    }
    let text = written(next);
    (next.is_finite() && next != now).then_some(text)
}

/// The size of the first digit of a number: 10 for 35, 0.1 for 0.73. Towards zero from 10 it is that of 9.
fn digit(now: f64, inward: bool, of: &Adjustable, scale: f64) -> f64 {
    if now != 0.0 {
        let nudge = if inward { 1.0 - 1e-9 } else { 1.0 + 1e-12 };
        return 10f64.powf((now.abs() * nudge).log10().floor());
    }
    // Zero has no size of its own: that of its range, or one.
    match of.range {
        Range::Within(low, high) if (high - low).is_finite() && high > low => {
            10f64.powf(((high - low) / scale / 10.0).log10().floor())
        }
        _ => 1.0,
    }
}

/// The next of the words that a value takes, as TOML text; none where it takes others.
pub fn next_word(of: &Adjustable, text: &str) -> Option<String> {
    let now = text.trim_matches('"');
    let at = of.words.iter().position(|w| w == now);
    let next = of.words.get(at.map_or(0, |i| (i + 1) % of.words.len()))?;
    let is_flag = matches!(next.as_str(), "true" | "false");
    Some(if is_flag { next.clone() } else { format!("\"{next}\"") })
}

/// Where a number stands between finite bounds, from 0 to 1.
pub fn place(of: &Adjustable, text: &str) -> Option<f64> {
    let Range::Within(low, high) = of.range else { return None };
    let value = Quantity::parse(text.trim_matches('"')).ok()?.value;
    ((high - low).is_finite() && high > low).then(|| ((value - low) / (high - low)).clamp(0.0, 1.0))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A value at a path.
    pub fn adjustable(path: &str, value: &str, range: Range) -> Adjustable {
        Adjustable {
            path: path.into(),
            value: Some(value.into()),
            is_written: true,
            takes: "value".into(),
            without: "required".into(),
            words: Vec::new(),
            is_whole: false,
            range,
            bounds: String::new(),
            about: format!("what {path} means"),
        }
    }

    #[test]
    fn steps_are_of_the_size_of_the_number() {
        let any = adjustable("x", "", Range::Any);
        let go = |text: &str, step| stepped(&any, text, step);
        assert_eq!(go("\"20 ms\"", Step::Fine(1.0)).as_deref(), Some("\"21 ms\""));
        assert_eq!(go("\"20 ms\"", Step::Coarse(-1.0)).as_deref(), Some("\"10 ms\""));
        assert_eq!(go("\"-65 mV\"", Step::Fine(1.0)).as_deref(), Some("\"-64 mV\""));
        assert_eq!(go("0.02", Step::Fine(1.0)).as_deref(), Some("0.021"));
        assert_eq!(go("\"0.3 mS/cm**2\"", Step::Factor(2.0)).as_deref(), Some("\"0.6 mS/cm**2\""));
        assert_eq!(go("\"E_L + [5 mV]\"", Step::Fine(1.0)), None);
        assert_eq!(go("{ uniform = [0, 1] }", Step::Fine(1.0)), None);
        assert_eq!(go("\"0 pA\"", Step::Fine(1.0)).as_deref(), Some("\"0.1 pA\""));
        let whole = Adjustable { is_whole: true, ..adjustable("n", "", Range::From(1.0)) };
        assert_eq!(stepped(&whole, "3", Step::Fine(1.0)).as_deref(), Some("4"));
        assert_eq!(stepped(&whole, "1", Step::Factor(0.5)), None, "at its bound");
        assert_eq!(stepped(&whole, "200", Step::Fine(1.0)).as_deref(), Some("210"));
    }

    #[test]
    fn bounds_hold_in_whatever_unit() {
        let p = adjustable("p", "", Range::Within(0.0, 1.0));
        assert_eq!(stepped(&p, "0.95", Step::Coarse(1.0)).as_deref(), Some("1"));
        assert_eq!(stepped(&p, "1", Step::Fine(1.0)), None);
        let t = adjustable("t", "", Range::Within(1e-3, 20e-3));
        assert_eq!(stepped(&t, "\"15 ms\"", Step::Factor(2.0)).as_deref(), Some("\"20 ms\""));
        let above = adjustable("a", "", Range::Above(0.0));
        assert_eq!(stepped(&above, "\"1 ms\"", Step::Factor(0.0)).as_deref(), Some("\"0.5 ms\""));
        assert!(place(&t, "\"10.5 ms\"").is_some_and(|at| (at - 0.5).abs() < 1e-12));
    }

    #[test]
    fn words_come_in_turn() {
        let flag = Adjustable { words: vec!["false".into(), "true".into()], ..adjustable("f", "", Range::Any) };
        assert_eq!(next_word(&flag, "true").as_deref(), Some("false"));
        let kind = Adjustable { words: vec!["a".into(), "b".into()], ..adjustable("k", "", Range::Any) };
        assert_eq!(next_word(&kind, "\"a\"").as_deref(), Some("\"b\""));
        assert_eq!(next_word(&adjustable("x", "", Range::Any), "1"), None);
    }

    proptest! {
        /// A held key goes on: each step is another value on the right side of the last, and never beyond the bounds.
        #[test]
        fn steps_go_on(from in 1e-4f64..1e4, up in any::<bool>(), coarse in any::<bool>()) {
            let of = adjustable("x", "", Range::Within(1e-6, 1e6));
            let mut text = literal(from);
            let by = if up { 1.0 } else { -1.0 };
            for _ in 0..40 {
                let step = if coarse { Step::Coarse(by) } else { Step::Fine(by) };
                let before: f64 = text.parse().unwrap();
                let Some(next) = stepped(&of, &text, step) else { break };
                let after: f64 = next.parse().unwrap();
                prop_assert!(if up { after > before } else { after < before }, "{text} to {next}");
                prop_assert!((1e-6..=1e6).contains(&after));
                text = next;
            }
        }
    }
}
