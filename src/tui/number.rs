//! Numbers as people read them in panes: four digits, aligned, never more precise than is useful.

/// Four significant digits without trailing zeros; a true minus sign; powers of ten beyond a million and below a
/// thousandth.
pub fn short(v: f64) -> String {
    if v == 0.0 {
        return "0".to_owned();
    }
    if !v.is_finite() {
        return if v.is_nan() {
            "–".to_owned()
        } else if v > 0.0 {
            "∞".to_owned()
        } else {
            "−∞".to_owned()
        };
    }
    let size = v.abs();
    let text = if (1e-3..999_950.0).contains(&size) {
        let decimals = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
        let text = format!("{v:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        let text = format!("{v:.3e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa =
            if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
        format!("{mantissa}e{exponent}")
    };
    text.replace('-', "−")
}

/// With its unit.
pub fn with_unit(v: f64, unit: &str) -> String {
    if unit.is_empty() { short(v) } else { format!("{} {}", short(v), unit.replace("**2", "²")) }
}

/// Time that something took: `18.7 s`, `410 ms`.
pub fn lasted(seconds: f64) -> String {
    if seconds < 0.9995 { format!("{} ms", short((seconds * 1e3).round())) } else { format!("{} s", three(seconds)) }
}

/// Three significant digits, for what nobody compares.
pub fn three(v: f64) -> String {
    if v == 0.0 || !v.is_finite() {
        return short(v);
    }
    let unit = 10f64.powi(v.abs().log10().floor() as i32 - 2);
    short((v / unit).round() * unit)
}

/// A count with thin groups of three: `15 600 000`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// Time left or taken: `0:07`, `12:30`, `1:02:03`.
pub fn clock(d: std::time::Duration) -> String {
    let s = d.as_secs_f64().ceil() as u64;
    if s >= 3600 {
        format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    } else {
        format!("{}:{:02}", s / 60, s % 60)
    }
}

/// Cuts a text to a width in cells, with an ellipsis.
pub fn fit(text: &str, width: usize) -> String {
    use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > width {
            break;
        }
        used += w;
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (v, t) in [
            (12.345678, "12.35"),
            (-70.0, "−70"),
            (0.00512, "0.00512"),
            (1234.56, "1235"),
            (1.5e-7, "1.5e−7"),
            (2.5e9, "2.5e9"),
            (0.0, "0"),
        ] {
            assert_eq!(short(v), t);
        }
        assert_eq!(short(f64::NAN), "–");
        assert_eq!(count(15_600_000), "15 600 000");
        assert_eq!(count(1234), "1234");
        assert_eq!(clock(std::time::Duration::from_millis(61_200)), "1:02");
        assert_eq!(fit("spikedeck", 5), "spik…");
        assert_eq!(fit("spikedeck", 0), "");
    }
}
