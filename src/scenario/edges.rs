//! `connect = { edges = "FILE" }`: pairs that a file lists, with weights and delays if it has them.

use std::sync::Arc;

use super::language::{Key, Range, Section, Table, Takes};
use super::projection::MOST_DELAY;
use super::resolver::Resolver;
use super::selector::Units;
use super::spec::Rule;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_model::document::Node;
use spikedeck_signal::TimeBase;
use spikedeck_signal::data::{EDGES, EdgeFile, EdgeKeys, FileUnit, Ids, Refused};

/// The table that names such a file.
pub(super) static LISTED: Section = Section::new(
    "edges",
    "pairs that a file lists, with weights and delays if it has them",
    &[
        Key::required("edges", Takes::File(&EDGES), "connections.parquet", "the file of pairs"),
        Key::optional(
            "weight_unit",
            Takes::Text("a unit, such as `pA`"),
            "that which the file states",
            "unit of the file's weights",
        ),
        Key::optional(
            "delay_unit",
            Takes::Text("a unit of time, such as `ms`"),
            "that which the file states",
            "unit of the file's delays",
        ),
        Key::optional(
            "projection",
            Takes::Text("a projection that the file names"),
            "the only one of the file",
            "the projection whose rows are meant",
        ),
        Key::default("first_id", Takes::Whole, "0", "the id that unit 0 has in the file, at both ends")
            .range(Range::From(0.0)),
    ],
);

/// Listed pairs from a file, and what their weights measure.
pub(super) fn listed(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'_>,
    units: Option<(Units<'_>, Units<'_>)>,
    counts: Option<(usize, usize)>,
) -> Option<(Rule, Option<Dimension>)> {
    let node = f.get("edges")?;
    let weight_unit = unit(resolver, f.get("weight_unit"), "`weight_unit`");
    let delay_unit = unit(resolver, f.get("delay_unit"), "`delay_unit`");
    let projection = f.get("projection").and_then(|n| resolver.text(n, "`projection`")).map(str::to_owned);
    let first = f.whole(resolver, "first_id") as i64;
    let table = resolver.file_table(node, "`edges`", &EDGES)?;
    let keys = EdgeKeys {
        weight_unit: weight_unit?,
        delay_unit: delay_unit?,
        plain: resolver.time_base == TimeBase::Dimensionless,
        projection: projection.as_deref(),
    };
    let read = spikedeck_signal::data::edges(&table, &keys);
    let file = resolver.taken(node, read, |file| &file.notes)?;
    let (a, b) = counts?;
    let (from, to) = units.unzip();
    let source = numbers(&file, &file.source, (0, "source"), (a, from), first);
    let source = resolver.taken(node, source, |_| &[]);
    let target = numbers(&file, &file.target, (1, "target"), (b, to), first);
    let target = resolver.taken(node, target, |_| &[]);
    let delays = check_delays(resolver, node, &file);
    let (source, target) = (source?, target?);
    delays?;
    let EdgeFile { weight, delay, .. } = file;
    let (weight, dimension) = weight.map_or((None, None), |(values, d)| (Some(Arc::from(values)), Some(d)));
    Some((Rule::Edges { source: source.into(), target: target.into(), weight, delay: delay.map(Arc::from) }, dimension))
}

/// A unit that is stated beside a file; none where nothing is, nothing where it is no unit.
fn unit(resolver: &mut Resolver<'_>, node: Option<&Node>, what: &str) -> Option<Option<FileUnit>> {
    let Some(node) = node else { return Some(None) };
    let text = resolver.text(node, what)?.to_owned();
    let unit = FileUnit::parse(&text);
    if unit.is_none() {
        resolver.error_help(&node.place, format!("`{text}` is no unit"), "write `pA`, `nS`, `mV` or `ms`");
    }
    unit.map(Some)
}

/// The units that ids of one end mean: numbers from `first`, on trees places by name too.
fn numbers(
    file: &EdgeFile,
    ids: &Ids,
    (end, column): (usize, &str),
    (size, units): (usize, Option<Units<'_>>),
    first: i64,
) -> Result<Vec<u32>, Refused> {
    let at = |refused: Refused, listed: usize| refused.in_row(listed).of_rows(&file.rows, &file.columns[end]);
    match ids {
        Ids::Numbers(ids) => {
            let inside = |id: i64| id >= first && ((id - first) as u64) < size as u64;
            match ids.iter().position(|id| !inside(*id)) {
                None => Ok(ids.iter().map(|id| (id - first) as u32).collect()),
                Some(k) => {
                    let what = format!(
                        "row {} of column `{column}` holds {}, but units are numbered from {first} to {}",
                        file.rows[k],
                        ids[k],
                        first + size as i64 - 1
                    );
                    let help = "`first_id` beside the file's name says which id unit 0 has in the file";
                    Err(at(Refused::new(what, help), k))
                }
            }
        }
        Ids::Names { names, codes } => {
            let text = |k: usize| names[codes[k] as usize].as_str();
            let mut places = Vec::with_capacity(names.len());
            for (code, name) in names.iter().enumerate() {
                let found = units.and_then(|u| name.parse::<u32>().map_or_else(|_| u.at(name), |n| Some(Ok(vec![n]))));
                let row = codes.iter().position(|c| *c as usize == code).expect("each name stands in some row");
                let place = match found {
                    Some(Ok(found)) if found.len() == 1 && (found[0] as usize) < size => found[0],
                    Some(Ok(found)) => {
                        let what = format!(
                            "row {} of column `{column}`: `{name}` is {} units, and one is meant",
                            file.rows[row],
                            found.len()
                        );
                        return Err(at(Refused::new(what, "name one place of one cell"), row));
                    }
                    Some(Err((message, help))) => {
                        let what = format!("row {} of column `{column}`: {message}", file.rows[row]);
                        let usual = "name a place of the tree, or number the units";
                        let help = if help.is_empty() { usual.to_owned() } else { help };
                        return Err(at(Refused::new(what, help), row));
                    }
                    None => {
                        let what = format!("row {} of column `{column}` is no number: `{}`", file.rows[row], text(row));
                        let help = "units of a population are numbered from 0; places have names on trees alone";
                        return Err(at(Refused::new(what, help), row));
                    }
                };
                places.push(place);
            }
            Ok(codes.iter().map(|&c| places[c as usize]).collect())
        }
    }
}

/// Listed delays are multiples of the step, as those in the text are.
fn check_delays(resolver: &mut Resolver<'_>, node: &Node, file: &EdgeFile) -> Option<()> {
    let (Some(delays), true) = (&file.delay, resolver.dt > 0.0) else { return Some(()) };
    let show = |v: f64| Quantity { value: v, dimension: resolver.time_dimension() }.to_string();
    let off = |v: f64| (v - (v / resolver.dt).round() * resolver.dt).abs() > 1e-9 * v.abs();
    let most = MOST_DELAY;
    let wrong = delays.iter().enumerate().find_map(|(k, &v)| {
        let row = file.rows[k];
        if v < 0.0 {
            let what = format!("the delay of row {row} is negative: {}", show(v));
            Some((k, what, "a delay is at least 0".to_owned()))
        } else if off(v) {
            let below = (v / resolver.dt).floor() * resolver.dt;
            Some((
                k,
                format!("the delay of row {row} ({}) is no multiple of the step ({})", show(v), show(resolver.dt)),
                format!(
                    "the nearest are {} and {}; it is never rounded silently",
                    show(below),
                    show(below + resolver.dt)
                ),
            ))
        } else if v / resolver.dt > most as f64 + 0.5 {
            Some((
                k,
                format!("the delay of row {row} is {:.0} steps, and at most {most} are kept", v / resolver.dt),
                "a longer step, or a chain of units, carries a signal further".to_owned(),
            ))
        } else {
            None
        }
    });
    match wrong {
        None => Some(()),
        Some((k, message, help)) => {
            let count = delays.iter().filter(|v| **v < 0.0 || off(**v)).count();
            let more = if count > 1 { format!(", and so {} others", count - 1) } else { String::new() };
            let wrong = Refused::new(message + &more, help).in_row(k).of_rows(&file.rows, &file.columns[2]);
            resolver.refused(node, wrong);
            None
        }
    }
}
