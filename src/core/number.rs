//! Numbers as text: one rule for everything that people read, with a style for each place where they read it.
//!
//! | style | where | digits | thousands | no value |
//! |---|---|---|---|---|
//! | [`shown`] | tables, panes, prose of the terminal and of figures | 4, whole numbers all | `1,234` | `–` |
//! | [`tick`] | axes | as many as the distance of the ticks needs | `1234` | none |
//! | [`brief`] | messages and notes, where a number may be typed back | 4 | `1234` | `NaN` |
//! | [`literal`] | cards and messages that repeat what a file says | up to 12 | `1234` | `NaN` |
//!
//! All write a minus as `-`, so that what is read can be typed into a scenario; only figures, which nobody types back,
//! set a true minus ([`typeset`]). All leave trailing zeros out, and go over to powers of ten below 1e-4 and, where
//! digits are rounded, from a million on. Files (JSON, CSV, Parquet) hold every digit and use none of these.

/// What stands for a value that is missing.
pub const MISSING: &str = "–";

/// Below this size numbers are written with a power of ten.
const LEAST: f64 = 1e-4;
/// From this size on rounded numbers are.
const MOST: f64 = 1e6;
/// From this size on whole numbers and literals are.
const MOST_WHOLE: f64 = 1e9;

/// Significant digits of a number that people read.
const DIGITS: usize = 4;

/// `v` to `digits` significant digits.
fn rounded(v: f64, digits: usize) -> f64 {
    format!("{v:.*e}", digits.saturating_sub(1)).parse().unwrap_or(v)
}

/// Digits with a comma between groups of three in front of the decimal point.
fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = String::with_capacity(text.len() + whole.len() / 3);
    out.push_str(sign);
    for (k, c) in whole.chars().enumerate() {
        if k > 0 && (whole.len() - k).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out.push_str(fraction);
    out
}

/// For screens: four significant digits, whole numbers below 1e9 in full, thousands apart.
pub fn shown(v: f64) -> String {
    significant(v, DIGITS)
}

/// The same with so many significant digits.
fn significant(v: f64, digits: usize) -> String {
    if v.is_nan() {
        return MISSING.to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    if v == 0.0 {
        return "0".to_owned();
    }
    if v.fract() == 0.0 && v.abs() < MOST_WHOLE {
        return grouped(&format!("{v:.0}"));
    }
    let v = rounded(v, digits);
    if (LEAST..MOST).contains(&v.abs()) { grouped(&v.to_string()) } else { format!("{v:e}") }
}

/// Three significant digits, for what nobody compares: speeds, times.
pub fn rough(v: f64) -> String {
    if v.is_finite() { shown(rounded(v, 3)) } else { shown(v) }
}

/// [`shown`], or the mark for a value that is missing.
pub fn shown_or_missing(v: Option<f64>) -> String {
    v.map_or_else(|| MISSING.to_owned(), shown)
}

/// [`shown`] in as many more digits as keep different numbers of `all` different: a range and what lies just outside
/// of it do not look alike.
pub fn distinct(v: f64, all: &[f64]) -> String {
    let told_apart = |digits: usize| {
        all.iter()
            .enumerate()
            .all(|(k, a)| all[..k].iter().all(|b| a == b || rounded(*a, digits) != rounded(*b, digits)))
    };
    significant(v, (DIGITS..17).find(|d| told_apart(*d)).unwrap_or(17))
}

/// A number as a person would have typed it: at most twelve significant digits.
pub fn literal(v: f64) -> String {
    if v == 0.0 || !v.is_finite() {
        return format!("{v}");
    }
    let v = rounded(v, 12);
    if (LEAST..MOST_WHOLE).contains(&v.abs()) { v.to_string() } else { format!("{v:e}") }
}

/// Four significant digits that can be typed back, for sentences.
pub fn brief(v: f64) -> String {
    literal(rounded(v, DIGITS))
}

/// On an axis: as short as its place allows; `step`, the distance of the ticks, says which digits matter.
pub fn tick(v: f64, step: f64) -> String {
    if v == 0.0 || v.abs() < step * 1e-6 {
        return "0".to_owned();
    }
    let size = v.abs();
    // A short stretch far from zero (-64.9999995 to -65): all digits are needed anyway, and an exponent only hides the
    // size.
    let far = size < MOST && size >= step * 1e3 && step > 1e-10;
    if size >= MOST || (step < LEAST && !far) {
        let digits = (size.log10().floor() - step.log10().floor()).clamp(0.0, 12.0) as usize;
        let text = format!("{v:.digits$e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if digits.contains('.') => {
                format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
            }
            _ => text,
        };
    }
    let decimals = (-(step.log10() + 1e-9).floor()).clamp(0.0, 12.0) as usize;
    format!("{v:.decimals$}")
}

/// A number as figures set it: with a true minus.
pub fn typeset(number: &str) -> String {
    number.replace('-', "−")
}

/// A unit as people write it: `mS/cm²` for `mS/cm**2`.
pub fn unit_text(unit: &str) -> String {
    unit.replace("**2", "²")
}

/// [`shown`] with its unit.
pub fn with_unit(v: f64, unit: &str) -> String {
    if unit.is_empty() { shown(v) } else { format!("{} {}", shown(v), unit_text(unit)) }
}

/// An interval: `[0.015, 0.027]`.
pub fn interval(low: f64, high: f64) -> String {
    format!("[{}, {}]", shown(low), shown(high))
}

/// A p-value: two significant digits, `<0.001` below.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { significant(p, 2) }
}

/// A whole number, thousands apart: `15,600,000`.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A number of things: `1 unit`, `4,000 units`.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n as u64), if n == 1 { one } else { many })
}

/// Bytes with a unit: `2.5 MB`.
pub fn bytes(n: u64) -> String {
    let mut v = n as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if v < 1000.0 {
            return format!("{} {unit}", if v < 10.0 && unit != "B" { format!("{v:.1}") } else { format!("{v:.0}") });
        }
        v /= 1000.0;
    }
    format!("{v:.1} TB")
}

/// Time that something took: `410 ms`, `18.7 s`, `2 min 5 s`.
pub fn duration(seconds: f64) -> String {
    if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 119.5 {
        format!("{} s", rough(seconds))
    } else {
        let whole = seconds.round();
        format!("{:.0} min {:.0} s", (whole / 60.0).floor(), whole % 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_show_four_digits() {
        for (v, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (12.345_678, "12.35"),
            (0.1 + 0.2, "0.3"),
            (-70.0, "-70"),
            (0.005_12, "0.00512"),
            (0.000_5, "0.0005"),
            (-0.000_012_3, "-1.23e-5"),
            (1.5e-7, "1.5e-7"),
            (1234.56, "1,235"),
            (999.96, "1,000"),
            (123_456.7, "123,500"),
            (123_456.0, "123,456"),
            (15_600_000.0, "15,600,000"),
            (2_345_678.9, "2.346e6"),
            (999_999.7, "1e6"),
            (2.5e9, "2.5e9"),
            (f64::NAN, "–"),
            (f64::NEG_INFINITY, "-∞"),
        ] {
            assert_eq!(shown(v), text);
        }
        assert_eq!(with_unit(-65.0, "mV**2"), "-65 mV²");
        assert_eq!((shown_or_missing(None), shown_or_missing(Some(1.0))), ("–".to_owned(), "1".to_owned()));
        assert_eq!([12_345.0, 0.333_333, 1e-5, f64::NAN].map(rough), ["12,300", "0.333", "1e-5", "–"]);
        assert_eq!(interval(0.015, 0.027), "[0.015, 0.027]");
        assert_eq!([0.000_2, 0.012_3, 0.5, 1.0].map(p_value), ["<0.001", "0.012", "0.5", "1"]);
        assert_eq!([1, 999, 1000, 15_625_000].map(count), ["1", "999", "1,000", "15,625,000"]);
        assert_eq!(
            (counted(1, "unit", "units"), counted(4000, "unit", "units")),
            ("1 unit".into(), "4,000 units".into())
        );
    }

    #[test]
    fn numbers_that_differ_look_different() {
        assert_eq!(distinct(146.0, &[146.0, 10.0, 100.0]), "146");
        let close = [70.665_4, 70.665, 70.666];
        assert_eq!(close.map(|v| distinct(v, &close)), ["70.6654", "70.665", "70.666"]);
    }

    #[test]
    fn literals_can_be_typed_back() {
        for v in [0.0, -65.0, 281.0, 0.1, 123_456_789.0, 1e9, -1.5e-7, 0.000_1] {
            assert_eq!(literal(v).parse::<f64>(), Ok(v));
            assert!(!literal(v).contains(','));
        }
        assert_eq!([12_345.6, 0.333_333, 1e-5].map(brief), ["12350", "0.3333", "1e-5"]);
    }

    #[test]
    fn ticks_have_the_digits_that_tell_them_apart() {
        assert_eq!([0.0, 0.5, 1.0].map(|v| tick(v, 0.5)), ["0", "0.5", "1.0"]);
        assert_eq!([1000.0, 2e7].map(|v| tick(v, 1000.0)), ["1000", "2e7"]);
        assert_eq!(tick(1.5e6, 5e5), "1.5e6");
        assert_eq!(tick(2e-5, 1e-5), "2e-5");
        assert_eq!(tick(-64.999_5, 0.000_1), "-64.9995");
        assert_eq!(typeset("-1.5e-7"), "−1.5e−7");
    }

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!([999, 2_500_000, 15_000_000_000].map(bytes), ["999 B", "2.5 MB", "15 GB"]);
        assert_eq!(
            [0.012_3, 2.0, 18.72, 119.6, 125.0].map(duration),
            ["12 ms", "2 s", "18.7 s", "2 min 0 s", "2 min 5 s"]
        );
    }
}
