//! Units of NWB files: `/units` with ragged times, ids, names, regions and the stretches they were observed in.

use super::super::error::StoreError;
use super::super::recorded::{Recorded, RecordedSpikes, RecordedUnits};
use super::file::Hdf5;
use spikedeck_signal::stretches::{Stretch, common, joined, longest};

/// Columns of units that name the region of each.
const REGIONS: &[&str] = &["location", "region", "brain_region", "brain_area", "structure"];
/// Columns of units that name each.
const NAMES: &[&str] = &["unit_name", "name", "label"];
/// Columns of units that are read besides.
const READ: &[&str] = &["id", "spike_times", "spike_times_index", "obs_intervals", "obs_intervals_index"];
/// Where electrodes are listed.
const ELECTRODES: &str = "general/extracellular_ephys/electrodes";

/// Adds the units of a file.
///
/// # Errors
/// When they are damaged or do not fit.
pub(super) fn units(file: &Hdf5<'_>, found: &mut Recorded) -> Result<(), StoreError> {
    let columns = file.datasets("units")?;
    let has = |name: &str| columns.iter().any(|c| c == name);
    if columns.is_empty() {
        return Ok(());
    }
    if !has("spike_times") || !has("spike_times_index") {
        found.left.push(format!("`units` (without spike times: {})", columns.join(", ")));
        return Ok(());
    }
    let times = file.times("units/spike_times")?.values;
    let ends = ends(file, "units/spike_times_index", times.len())?;
    let ids = if has("id") { file.whole_numbers("units/id")? } else { (0..ends.len() as i64).collect() };
    if ids.len() != ends.len() {
        let what = format!("{} ids for {} trains of spikes", ids.len(), ends.len());
        return Err(file.wrong("units/id", what));
    }
    if let Some(bad) = times.iter().position(|t| !t.is_finite()) {
        let unit = ends.partition_point(|&end| end <= bad);
        let whose = ids.get(unit).map_or_else(|| "no unit".to_owned(), |id| format!("unit {id}"));
        let what = format!("spike {bad} (of {whose}) is not a number or infinite");
        return Err(file.wrong("units/spike_times", what));
    }
    let rest = times.len() - ends.last().copied().unwrap_or(0);
    if rest > 0 {
        let times = spikedeck_core::number::counted(rest, "time", "times");
        found.notes.push(format!("{times} at the end of `units/spike_times`, of no unit, not used"));
    }
    let mut read: Vec<&str> = READ.to_vec();
    let labels = match named(file, &columns, NAMES, ids.len())? {
        Some((column, names)) => {
            read.push(column);
            names
        }
        None => ids.iter().map(ToString::to_string).collect(),
    };
    let regions = match named(file, &columns, REGIONS, ids.len())? {
        Some((column, names)) => {
            read.push(column);
            Some(names)
        }
        None => {
            read.extend(["electrodes", "electrodes_index"]);
            of_electrodes(file, &columns, ids.len())?
        }
    };
    let seen = if has("obs_intervals") { observed(file, (&times, &ends), found)? } else { Vec::new() };
    let others: Vec<&str> = columns.iter().map(String::as_str).filter(|c| !read.contains(c)).collect();
    if !others.is_empty() {
        found.left.push(format!("`units` columns {}", others.join(", ")));
    }
    found.spikes.extend(split((&times, &ends), &labels, &seen, regions.as_deref()));
    Ok(())
}

/// Where the entries of each row end, of a ragged column with `values` entries.
fn ends(file: &Hdf5<'_>, place: &str, values: usize) -> Result<Vec<usize>, StoreError> {
    let index = file.whole_numbers(place)?;
    let mut before = 0;
    for (row, &end) in index.iter().enumerate() {
        if end < before || end > values as i64 {
            let what = format!("row {row} ends at {end}, which is before the one before or beyond the {values} values");
            return Err(file.wrong(place, what));
        }
        before = end;
    }
    Ok(index.into_iter().map(|end| end as usize).collect())
}

/// The first of these columns that holds a text for each unit, if the texts say something.
fn named<'n>(
    file: &Hdf5<'_>,
    columns: &[String],
    names: &[&'n str],
    count: usize,
) -> Result<Option<(&'n str, Vec<String>)>, StoreError> {
    for &name in names {
        if !columns.iter().any(|c| c == name) {
            continue;
        }
        if let Some(texts) = file.texts(&format!("units/{name}"))?
            && texts.len() == count
            && texts.iter().any(|t| !t.trim().is_empty())
        {
            return Ok(Some((name, texts.into_iter().map(|t| t.trim().to_owned()).collect())));
        }
    }
    Ok(None)
}

/// The region of each unit by its electrodes; empty where they are in several.
fn of_electrodes(file: &Hdf5<'_>, columns: &[String], count: usize) -> Result<Option<Vec<String>>, StoreError> {
    let has = |name: &str| columns.iter().any(|c| c == name);
    let place = format!("{ELECTRODES}/location");
    if !has("electrodes") || !has("electrodes_index") || !file.has(&place)? {
        return Ok(None);
    }
    let Some(locations) = file.texts(&place)? else { return Ok(None) };
    let rows = file.whole_numbers("units/electrodes")?;
    let ends = ends(file, "units/electrodes_index", rows.len())?;
    if ends.len() != count {
        return Ok(None);
    }
    let mut regions = Vec::with_capacity(count);
    let mut from = 0;
    for end in ends {
        let mut own: Vec<&str> = rows[from..end]
            .iter()
            .filter_map(|&row| usize::try_from(row).ok().and_then(|row| locations.get(row)))
            .map(|text| text.trim())
            .collect();
        own.sort_unstable();
        own.dedup();
        regions.push(if let [one] = own[..] { one.to_owned() } else { String::new() });
        from = end;
    }
    Ok(regions.iter().any(|r| !r.is_empty()).then_some(regions))
}

/// The stretches in which each unit was observed; what all were observed in is noted.
fn observed(
    file: &Hdf5<'_>,
    (times, trains): (&[f64], &[usize]),
    found: &mut Recorded,
) -> Result<Vec<Vec<Stretch>>, StoreError> {
    let place = "units/obs_intervals";
    let spans = file.times(place)?;
    let [_, 2] = spans.shape[..] else {
        let extents: Vec<String> = spans.shape.iter().map(ToString::to_string).collect();
        let why = format!("its extents are {}, and a row is a start and a stop", extents.join(" x "));
        return Err(file.wrong(place, why));
    };
    let spans: Vec<Stretch> = spans.values.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    if let Some(bad) = spans.iter().position(|s| !(s.0.is_finite() && s.1.is_finite() && s.0 <= s.1)) {
        return Err(file.wrong(place, format!("row {bad} is from {} to {}", spans[bad].0, spans[bad].1)));
    }
    let index = "units/obs_intervals_index";
    let ends = if file.has(index)? { ends(file, index, spans.len())? } else { (1..=spans.len()).collect() };
    if ends.len() != trains.len() {
        return Err(file.wrong(index, format!("{} rows for {} units", ends.len(), trains.len())));
    }
    let from = |k: usize, ends: &[usize]| if k == 0 { 0 } else { ends[k - 1] };
    let each: Vec<Vec<Stretch>> = (0..ends.len()).map(|k| joined(&spans[from(k, &ends)..ends[k]])).collect();
    let all: Vec<Vec<Stretch>> = each.iter().filter(|own| !own.is_empty()).cloned().collect();
    let unknown = ends.len() - all.len();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    if unknown > 0 {
        found.notes.push(format!("{unknown} of {} units do not say when they were observed", ends.len()));
    }
    let shared = common(&all);
    let Some((start, stop)) = longest(&shared) else {
        let what = "no stretch of time was observed in all units: choose some that were observed together";
        found.notes.push(what.to_owned());
        return Ok(each);
    };
    found.observed = Some((start, stop));
    let outside = times[..trains.last().copied().unwrap_or(0)].iter().filter(|&&t| t < start || t > stop).count();
    let differ = all.iter().any(|own| own.len() != 1 || own[0] != (start, stop));
    if differ || outside > 0 {
        let gaps =
            if shared.len() > 1 { format!(" (the longest of {} stretches)", shared.len()) } else { String::new() };
        found.notes.push(format!(
            "units were not all observed at all times: analyses look at {start} s to {stop} s{gaps}, when all were; \
             {outside} of {} spikes are outside it (of some units at what these were all observed in)",
            times.len()
        ));
    }
    Ok(each)
}

/// The spikes of each region, or of all units where regions are not known.
fn split(
    (times, ends): (&[f64], &[usize]),
    labels: &[String],
    seen: &[Vec<Stretch>],
    regions: Option<&[String]>,
) -> Vec<RecordedSpikes> {
    let mut names: Vec<Option<String>> = Vec::new();
    let region = |unit: usize| regions.map(|r| if r[unit].is_empty() { "unknown".to_owned() } else { r[unit].clone() });
    for unit in 0..ends.len() {
        let name = region(unit);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .map(|name| {
            let members: Vec<usize> = (0..ends.len()).filter(|&unit| region(unit) == name).collect();
            let stretch = |unit: usize| if unit == 0 { 0 } else { ends[unit - 1] }..ends[unit];
            let n = members.iter().map(|&unit| stretch(unit).len()).sum();
            let (mut own, mut units) = (Vec::with_capacity(n), Vec::with_capacity(n));
            for (at, &unit) in members.iter().enumerate() {
                own.extend_from_slice(&times[stretch(unit)]);
                units.resize(own.len(), at as u32);
            }
            let labels = members.iter().map(|&unit| labels[unit].clone()).collect();
            let observed =
                if seen.is_empty() { Vec::new() } else { members.iter().map(|&u| seen[u].clone()).collect() };
            RecordedSpikes { name, times: own, scale: 1.0, units: RecordedUnits::Listed { units, labels }, observed }
        })
        .collect()
}
