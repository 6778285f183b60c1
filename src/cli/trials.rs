//! `--trials TABLE|FILE[:KEY=VALUE,...]`: which trials lie in a recording.

use std::path::PathBuf;

use super::analyze::pieces;
use spikedeck_core::diagnostic::did_you_mean;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_signal::data::{FileUnit, TrialKeys};

const KEYS: [&str; 5] = ["align", "before", "after", "by", "time_unit"];

/// Reads what is said of trials.
pub(super) fn parse(text: &str) -> Result<TrialKeys, String> {
    let (table, rest) = text.split_once(':').unwrap_or((text, ""));
    let table = table.trim();
    if table.is_empty() {
        return Err("the table of trials is missing, such as `trials` or events.csv".into());
    }
    let mut keys = TrialKeys { table: table.to_owned(), path: PathBuf::from(table), ..TrialKeys::default() };
    for part in pieces(rest) {
        let Some((key, value)) = part.split_once('=') else {
            return Err(format!(
                "`{}` is no option: write trials:KEY=VALUE, such as trials:align=go_cue,before=\"200 ms\"",
                part.trim()
            ));
        };
        let value = value.trim();
        let plain = value.trim_matches(['"', '\'']);
        match key.trim() {
            "align" => keys.align = Some(plain.to_owned()),
            "before" => keys.before = Some(seconds("before", plain)?),
            "after" => keys.after = Some(seconds("after", plain)?),
            "by" => {
                let list = value.trim_start_matches('[').trim_end_matches(']').split(',');
                keys.by.extend(list.map(|name| name.trim().trim_matches(['"', '\'']).to_owned()));
            }
            "time_unit" => {
                let unit = FileUnit::parse(plain).filter(|u| u.dimension == Dimension::SECOND);
                keys.time_unit = Some(unit.ok_or_else(|| format!("`{plain}` is no unit of time; write ms, s or us"))?);
            }
            other => {
                let help = did_you_mean(other, KEYS)
                    .map_or_else(|| format!("there are {}", KEYS.join(", ")), |near| format!("did you mean `{near}`?"));
                return Err(format!("trials have no option `{other}`; {help}"));
            }
        }
    }
    Ok(keys)
}

fn seconds(key: &str, text: &str) -> Result<f64, String> {
    match Quantity::parse(text) {
        Ok(q) if q.dimension == Dimension::SECOND && q.value.is_finite() => Ok(q.value),
        _ => Err(format!("`{key}` is a time, such as {key}=\"200 ms\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_trials_are_read_and_others_refused() {
        let read =
            parse("events.csv: align=cue, before=\"200 ms\",after=0.5 s, by=[side, \"block\"], by=hand").unwrap();
        assert_eq!((read.table.as_str(), read.path.to_str()), ("events.csv", Some("events.csv")));
        assert_eq!((read.align.as_deref(), read.before, read.after), (Some("cue"), Some(0.2), Some(0.5)));
        assert_eq!(read.by, ["side", "block", "hand"]);
        assert_eq!(parse("trials:time_unit=s").unwrap().time_unit.unwrap().scale, 1.0);
        for (wrong, words) in [
            ("", "missing"),
            (":by=a", "missing"),
            ("trials:aling=cue", "did you mean `align`"),
            ("trials:before=200", "is a time"),
            ("trials:before", "is no option"),
            ("trials:time_unit=mV", "no unit of time"),
        ] {
            let told = parse(wrong).unwrap_err();
            assert!(told.contains(words), "{wrong}: {told}");
        }
    }
}
