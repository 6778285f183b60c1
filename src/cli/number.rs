//! Numbers as people read them.

/// Four significant digits, without trailing zeros; whole numbers (counts) as they are.
pub(super) fn value(v: f64) -> String {
    if v.fract() == 0.0 && v.abs() < 1e9 {
        return format!("{v:.0}");
    }
    if !v.is_finite() {
        return if v.is_nan() { "–".into() } else { format!("{v}") };
    }
    let rounded: f64 = format!("{v:.3e}").parse().unwrap_or(v);
    spikedeck_core::units::short(rounded)
}

/// `v` in four digits, or in as many more as keep different numbers of `all` different: a range and what lies just
/// outside of it do not look alike.
pub(super) fn distinct(v: f64, all: &[f64]) -> String {
    let rounded = |x: f64, digits: usize| -> f64 { format!("{x:.*e}", digits - 1).parse().unwrap_or(x) };
    let told_apart = |digits: usize| {
        all.iter()
            .enumerate()
            .all(|(k, a)| all[..k].iter().all(|b| a == b || rounded(*a, digits) != rounded(*b, digits)))
    };
    let digits = (4..17).find(|d| told_apart(*d)).unwrap_or(17);
    if v.is_finite() { spikedeck_core::units::short(rounded(v, digits)) } else { value(v) }
}

/// A p-value: two significant digits, `<0.001` below.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "<0.001".into() } else { spikedeck_core::units::short(format!("{p:.1e}").parse().unwrap_or(p)) }
}

/// A whole number in groups of three.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (k, c) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number of things: `1 unit`, `4,000 units`.
pub(super) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n as u64), if n == 1 { one } else { many })
}

/// Bytes with a unit.
pub(super) fn bytes(n: u64) -> String {
    let mut v = n as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if v < 1000.0 {
            return format!("{} {unit}", if v < 10.0 && unit != "B" { format!("{v:.1}") } else { format!("{v:.0}") });
        }
        v /= 1000.0;
    }
    format!("{v:.1} TB")
}

/// Seconds: milliseconds below one.
pub(super) fn seconds(s: f64) -> String {
    if s < 1.0 {
        format!("{:.0} ms", s * 1e3)
    } else if s < 120.0 {
        format!("{s:.2} s")
    } else {
        format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(value(12.345_678), "12.35");
        assert_eq!(value(0.1 + 0.2), "0.3");
        assert_eq!(value(-0.000_012_3), "-1.23e-5");
        assert_eq!(value(f64::NAN), "–");
        assert_eq!(distinct(146.0, &[146.0, 10.0, 100.0]), "146");
        let close = [70.665_4, 70.665, 70.666];
        assert_eq!(close.map(|v| distinct(v, &close)), ["70.6654", "70.665", "70.666"]);
        assert_eq!(p_value(0.000_2), "<0.001");
        assert_eq!(p_value(0.0123), "0.012");
        assert_eq!(count(15_625_000), "15,625,000");
        assert_eq!(
            (bytes(999), bytes(2_500_000), bytes(15_000_000_000)),
            ("999 B".into(), "2.5 MB".into(), "15 GB".into())
        );
        assert_eq!(
            (seconds(0.0123), seconds(2.0), seconds(125.0)),
            ("12 ms".into(), "2.00 s".into(), "2 min 5 s".into())
        );
    }
}
