//! Evenly sampled series of NWB files.

use super::super::error::StoreError;
use super::super::recorded::{Recorded, RecordedSignal};
use super::file::{Hdf5, product};
use spikedeck_core::number::shown;
use spikedeck_signal::data::even;

/// Start and interval in seconds, or why the series has none.
type Grid = Result<(f64, f64), String>;

/// Groups that hold series, or modules with series.
const PLACES: &[&str] = &["acquisition", "processing", "analysis", "stimulus/presentation"];
/// How deep modules are looked into: `processing/MODULE/CONTAINER/SERIES`.
const DEPTH: usize = 3;
/// The most groups that are looked into: names may lead in circles.
const MOST: usize = 10_000;

/// Adds the series of a file.
///
/// # Errors
/// When the file is damaged.
pub(super) fn series(file: &Hdf5<'_>, found: &mut Recorded) -> Result<(), StoreError> {
    for place in PLACES {
        below(file, place, DEPTH, found)?;
    }
    Ok(())
}

fn below(file: &Hdf5<'_>, place: &str, depth: usize, found: &mut Recorded) -> Result<(), StoreError> {
    for name in file.groups(place)? {
        if found.signals.len() + found.left.len() >= MOST {
            return Err(file.wrong(place, format_args!("more than {MOST} groups are in this file")));
        }
        let own = format!("{place}/{name}");
        let columns = file.datasets(&own)?;
        if columns.iter().any(|c| c == "data") {
            match one(file, &own, &columns)? {
                Ok(signal) => found.signals.push(signal),
                Err(why) => found.left.push(format!("`{own}` ({why})")),
            }
        } else if depth > 1 && !file.groups(&own)?.is_empty() {
            below(file, &own, depth - 1, found)?;
        } else {
            found.left.push(format!("`{own}`"));
        }
    }
    Ok(())
}

/// A series, or why it is left out.
fn one(file: &Hdf5<'_>, place: &str, columns: &[String]) -> Result<Result<RecordedSignal, String>, StoreError> {
    let data = format!("{place}/data");
    if !file.is_numeric(&data)? {
        return Ok(Err("not numbers".into()));
    }
    let shape = file.shape(&data)?;
    let (samples, channels) = match shape[..] {
        [samples] => (samples, 1),
        [samples, channels] => (samples, channels),
        _ => return Ok(Err(format!("{} dimensions", shape.len()))),
    };
    if samples < 2 || channels == 0 {
        return Ok(Err(format!("{samples} samples of {channels} channels")));
    }
    let (start, interval) = match time_of(file, place, columns, samples)? {
        Ok(times) => times,
        Err(why) => return Ok(Err(why)),
    };
    if !file.fits(product(&shape)) {
        let bytes = product(&shape).saturating_mul(8);
        return Ok(Err(format!("it would take {}", spikedeck_core::number::bytes(bytes))));
    }
    let said = file.said(&data)?;
    let (conversion, offset) = (said.number("conversion").unwrap_or(1.0), said.number("offset").unwrap_or(0.0));
    if conversion == 0.0 {
        return Ok(Err("its `conversion` is 0, which makes all samples alike".into()));
    }
    let unit =
        said.text("unit").filter(|u| !matches!(u.as_str(), "unknown" | "n/a" | "a.u." | "none")).unwrap_or_default();
    let mut values = file.numbers(&data)?.values;
    if conversion != 1.0 || offset != 0.0 {
        for v in &mut values {
            *v = *v * conversion + offset;
        }
    }
    let own = format!("{place}/channel_conversion");
    if columns.iter().any(|c| c == "channel_conversion") {
        let factors = file.numbers(&own)?.values;
        if factors.len() as u64 != channels {
            return Err(file.wrong(&own, format!("{} factors for {channels} channels", factors.len())));
        }
        if factors.contains(&0.0) {
            return Ok(Err("a factor of its `channel_conversion` is 0, which makes all samples alike".into()));
        }
        // As the standard has it: data * conversion * channel_conversion + offset.
        for (k, v) in values.iter_mut().enumerate() {
            *v = (*v - offset) * factors[k % factors.len()] + offset;
        }
    }
    if let Some(bad) = values.iter().position(|v| !v.is_finite()) {
        let at = bad as u64 / channels;
        return Ok(Err(format!("sample {at} is not a number, and nothing is taken in its place")));
    }
    let channels = channels as usize;
    Ok(Ok(RecordedSignal {
        place: place.to_owned(),
        unit: spelled(&unit).to_owned(),
        start,
        interval,
        channels,
        values,
    }))
}

/// First sample and interval in seconds, or why there are none.
fn time_of(file: &Hdf5<'_>, place: &str, columns: &[String], samples: u64) -> Result<Grid, StoreError> {
    let by_rate = of_rate(file, place, columns)?;
    let by_times = of_times(file, place, columns, samples)?;
    Ok(match (by_rate, by_times) {
        (None, None) => Err("neither rate nor times".into()),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(Ok(rate)), Some(Ok(times))) => {
            let end = |(start, interval): (f64, f64)| start + interval * (samples - 1) as f64;
            let apart = (rate.0 - times.0).abs().max((end(rate) - end(times)).abs());
            if apart < 0.5 * rate.1 {
                Ok(rate)
            } else {
                Err(format!(
                    "its rate and its `timestamps` say different times: it lasts from {} s to {} s by the one and from \
                     {} s to {} s by the other",
                    shown(rate.0),
                    shown(end(rate)),
                    shown(times.0),
                    shown(end(times))
                ))
            }
        }
        (Some(Err(why)), _) | (_, Some(Err(why))) => Err(why),
    })
}

/// The same by start and rate; none where the file has no start.
fn of_rate(file: &Hdf5<'_>, place: &str, columns: &[String]) -> Result<Option<Grid>, StoreError> {
    if columns.iter().any(|c| c == "starting_time") {
        let own = format!("{place}/starting_time");
        let Some(start) = file.times(&own)?.values.first().copied() else {
            return Ok(Some(Err("`starting_time` is empty".into())));
        };
        let Some(rate) = file.said(&own)?.number("rate") else {
            return Ok(Some(Err("`starting_time` does not say the rate".into())));
        };
        if !(start.is_finite() && rate.is_finite() && rate > 0.0) {
            return Ok(Some(Err(format!("it starts at {start} with a rate of {rate}"))));
        }
        return Ok(Some(Ok((start, 1.0 / rate))));
    }
    Ok(None)
}

/// The same by the time of each sample; none where the file has no times.
fn of_times(file: &Hdf5<'_>, place: &str, columns: &[String], samples: u64) -> Result<Option<Grid>, StoreError> {
    if !columns.iter().any(|c| c == "timestamps") {
        return Ok(None);
    }
    let own = format!("{place}/timestamps");
    if file.shape(&own)? != [samples] {
        return Ok(Some(Err("another number of times than of samples".into())));
    }
    if !file.fits(samples.saturating_mul(2)) {
        let bytes = spikedeck_core::number::bytes(samples.saturating_mul(16));
        return Ok(Some(Err(format!("it would take {bytes}"))));
    }
    let times = file.times(&own)?.values;
    if times.iter().any(|t| !t.is_finite()) {
        return Ok(Some(Err("a time is not a number".into())));
    }
    Ok(Some(even(&times).map(|grid| (grid.start, grid.interval)).map_err(|why| why.message)))
}

/// A unit as NWB spells it, in symbols.
pub(super) fn spelled(unit: &str) -> &str {
    match unit.to_ascii_lowercase().as_str() {
        "volt" | "volts" => "V",
        "millivolt" | "millivolts" => "mV",
        "microvolt" | "microvolts" => "uV",
        "ampere" | "amperes" | "amps" => "A",
        "siemens" => "S",
        "meters" | "meter" | "metre" | "metres" => "m",
        "seconds" | "second" => "s",
        "hertz" => "Hz",
        _ => unit,
    }
}
