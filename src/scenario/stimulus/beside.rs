//! What is said beside the name of a file, and what becomes of times that somebody lists.

use serde_json::{Value as Json, json};

use crate::Clock;
use crate::language::{Field, Key, Reader, Takes, Writer};
use crate::resolver::Resolver;
use spikedeck_core::number::counted;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_model::document::Node;
use spikedeck_signal::data::{FileUnit, Refused};

/// The unit of times.
pub(super) struct TimeUnit;

impl Field for TimeUnit {
    type Out = FileUnit;
    const TAKES: Takes = Takes::Text("a unit of time, such as `ms`");

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<FileUnit> {
        let text = reader.resolver.text(node, &format!("`{}`", key.name))?.to_owned();
        let unit = FileUnit::parse(&text).filter(|u| u.dimension == Dimension::SECOND);
        if unit.is_none() {
            reader.resolver.error_help(&node.place, format!("`{text}` is no unit of time"), "write `ms`, `s` or `us`");
        }
        unit
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<FileUnit> {
        None
    }

    fn write(value: &FileUnit, _: &dyn Writer) -> Json {
        json!(value.text)
    }
}

/// The name of something in the file.
pub(super) struct NameInFile;

impl Field for NameInFile {
    type Out = String;
    const TAKES: Takes = Takes::Text("a name in the file");

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<String> {
        reader.resolver.text(node, &format!("`{}`", key.name)).map(str::to_owned)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<String> {
        None
    }

    fn write(value: &String, _: &dyn Writer) -> Json {
        json!(value)
    }
}

/// Times that somebody listed, with the unit and the row of each where a file has them.
pub(super) struct Moments<'a> {
    /// Seconds (or time units).
    pub times: &'a [f64],
    /// The unit of each; all that are targeted without it.
    pub units: Option<&'a [u32]>,
    /// The row of each in its file, and what the column is called there.
    pub rows: Option<(&'a [usize], &'a str)>,
    /// Whether they are the spikes of a population, not events that arrive.
    pub plays: bool,
}

impl Moments<'_> {
    /// Refuses times before the run, and warns, with counts, of those that never arrive, that are not on the grid, and
    /// that share a step: the same for lists in the text and in files.
    pub fn told(&self, resolver: &mut Resolver<'_>, node: &Node) -> Option<()> {
        let show = |v: f64| Quantity { value: v, dimension: resolver.time_dimension() }.to_string();
        let before: Vec<usize> = (0..self.times.len()).filter(|&k| self.times[k] < 0.0).collect();
        if let Some(&first) = before.first() {
            let row = self.rows.map_or_else(String::new, |(rows, _)| format!("row {} of this file: ", rows[first]));
            let more = if before.len() > 1 { format!(" ({} such times)", before.len()) } else { String::new() };
            let what = format!("{row}a spike time is not negative, and {} is{more}", show(self.times[first]));
            let wrong = Refused::new(what, "a run begins at 0; shift or remove these spikes");
            resolver.refused(
                node,
                match self.rows {
                    Some((rows, column)) => wrong.in_row(first).of_rows(rows, column),
                    None => wrong,
                },
            );
            return None;
        }
        if resolver.dt <= 0.0 || self.times.is_empty() {
            return Some(());
        }
        let clock = Clock { dt: resolver.dt };
        let last = clock.steps(resolver.duration);
        let (mut late, mut early, mut moved, mut furthest) = (0, 0, 0, 0.0_f64);
        let mut arrivals: Vec<(u64, u32, u64)> = Vec::with_capacity(self.times.len());
        for (k, &time) in self.times.iter().enumerate() {
            let (point, away) = clock.nearest(time);
            if point > last {
                late += 1;
                continue;
            }
            // A spike carries the end of a step: none is played before the end of the first.
            if self.plays && point == 0 {
                early += 1;
            } else if away > 0.0 {
                moved += 1;
                furthest = furthest.max(away);
            }
            let point = if self.plays { point.max(1) } else { point };
            arrivals.push((point, self.units.map_or(0, |u| u[k]), time.to_bits()));
        }
        arrivals.sort_unstable();
        let shared = arrivals.windows(2).filter(|w| (w[0].0, w[0].1) == (w[1].0, w[1].1)).count();
        let twice = arrivals.windows(2).filter(|w| w[0] == w[1]).count();
        let mut said = Vec::new();
        // What becomes of so many of them.
        let does = |n: usize| match (self.plays, n) {
            (true, 1) => "is played",
            (true, _) => "are played",
            (false, 1) => "arrives",
            (false, _) => "arrive",
        };
        if late > 0 {
            let never = match (self.plays, late) {
                (true, 1) => "is never played",
                (true, _) => "are never played",
                (false, 1) => "never arrives",
                (false, _) => "never arrive",
            };
            said.push(format!(
                "{late} {} after the end of the run ({}) and {never}",
                is(late),
                show(resolver.duration)
            ));
        }
        if early > 0 {
            said.push(format!(
                "{early} {} before the first step and {} at its end, {}",
                is(early),
                does(early),
                show(resolver.dt)
            ));
        }
        if moved > 0 {
            said.push(format!(
                "{moved} {} not on the grid of {} and {} at the nearest point of it, at most {} away",
                is(moved),
                show(resolver.dt),
                does(moved),
                show(furthest)
            ));
        }
        if twice > 0 {
            said.push(format!("{twice} {} there twice, at one time and one unit", is(twice)));
        }
        if shared > twice {
            let other = shared - twice;
            let sum = if self.plays { "as a spike of its own" } else { "where weights add up" };
            said.push(format!("{other} {} at the same step and unit as another, {sum}", does(other)));
        }
        if !said.is_empty() {
            let whole = counted(self.times.len(), "spike", "spikes");
            let what = if self.rows.is_some() { "of this file" } else { "listed here" };
            let delivered = self.times.len() - late;
            let what = format!("of {whole} {what} {delivered} {}: {}", does(delivered), said.join("; "));
            resolver.warn(&node.place, what, "a step that divides all times, or another list, loses none");
        }
        Some(())
    }
}

fn is(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}
