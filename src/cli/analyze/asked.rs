//! What is asked of `analyze` on the command line: analyses with their options, and quantities.

use spikedeck_core::units::{Dimension, Quantity, parse_unit};
use spikedeck_scenario::AskedAnalysis;

/// A frequency above zero, in Hz.
pub(super) fn frequency(text: &str) -> Result<f64, String> {
    match Quantity::parse(text) {
        Ok(q) if q.dimension == Dimension::HERTZ && q.value > 0.0 && q.value.is_finite() => Ok(q.value),
        Ok(_) => Err("a frequency above zero is needed, such as \"1 kHz\"".into()),
        Err(why) => Err(format!("{}; a frequency is needed, such as \"1 kHz\"", why.message)),
    }
}

/// A time, in seconds.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match Quantity::parse(text) {
        Ok(q) if q.dimension == Dimension::SECOND && q.value.is_finite() => Ok(q.value),
        Ok(_) => Err("a time is needed, such as \"0 s\"".into()),
        Err(why) => Err(format!("{}; a time is needed, such as \"0 s\"", why.message)),
    }
}

/// A unit, as it is written.
pub(super) fn unit(text: &str) -> Result<String, String> {
    match parse_unit(text) {
        Ok(_) => Ok(text.trim().to_owned()),
        Err(why) => Err(format!("{}; a unit is needed, such as mV", why.message)),
    }
}

/// `KIND`, or `KIND:key=value,key=value`; commas inside brackets and quotes are part of a value.
pub(super) fn parse_asked(text: &str) -> Result<AskedAnalysis, String> {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let mut keys = Vec::new();
    for part in pieces(rest) {
        let Some((key, value)) = part.split_once('=').filter(|(k, v)| !k.trim().is_empty() && !v.trim().is_empty())
        else {
            return Err(format!(
                "`{}` is no option: write KIND:key=value,key=value, such as psd:segment=\"2 s\"",
                part.trim()
            ));
        };
        keys.push((key.trim().to_owned(), value.trim().to_owned()));
    }
    let kind = kind.trim().to_owned();
    if kind.is_empty() {
        Err("the kind of analysis is missing, such as psd".into())
    } else {
        Ok(AskedAnalysis { kind, keys })
    }
}

/// What stands between commas that are not inside brackets or quotes.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut from) = (0_i32, false, 0);
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' | '(' | '{' if !quoted => depth += 1,
            ']' | ')' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth <= 0 => {
                found.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[from..]);
    found.retain(|piece| !piece.trim().is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_split_where_commas_separate_them() {
        let read = |text: &str| parse_asked(text).map(|a| (a.kind, a.keys));
        let keys = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(read("psd"), Ok(("psd".into(), vec![])));
        assert_eq!(
            read("psd: segment = 2 s, of=[\"a.v\", \"mean(a.w[0, 1])\"],x=\"1,2\""),
            Ok(("psd".into(), keys(&[("segment", "2 s"), ("of", "[\"a.v\", \"mean(a.w[0, 1])\"]"), ("x", "\"1,2\"")])))
        );
        assert_eq!(read("isi:of=a.spikes[0..3],"), Ok(("isi".into(), keys(&[("of", "a.spikes[0..3]")]))));
        for wrong in ["", ":bin=1", "psd:bin", "psd:=1", "psd:bin="] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
