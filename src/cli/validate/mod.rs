//! `spikedeck validate`: closed forms and stored numbers of other tools, computed anew by this binary on this machine.
//!
//! A case gives values beside those that are right; a row says the largest difference, where it is, and the bar that it
//! must stay below. Differences that are no numbers are above every bar.

mod closed;
mod microcircuit;
mod nest;
mod neuron;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::CliError;
use super::output::{self, Align, Grid, Tone, tone};
use super::run::interrupt_flag;
use spikedeck_core::number;
use spikedeck_run::{self as run, Options, Source, Status, Tell};
use spikedeck_signal::Recording;

/// Arguments of `validate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Status 0 where every row is below its bar, 1 where one is not.\nExamples:\n  spikedeck validate\n  \
    spikedeck validate neuron --json\n  spikedeck validate --microcircuit runs/seed1 --against runs/seed2"
)]
pub(super) struct Args {
    /// Cases, or groups of them; all if none is named
    #[arg(value_name = "CASE")]
    pub cases: Vec<String>,
    /// Leave out what takes more than a second
    #[arg(long)]
    pub quick: bool,
    /// Only name the cases
    #[arg(long, conflicts_with_all = ["quick", "microcircuit"])]
    pub list: bool,
    /// A full-scale run of the cortical microcircuit (or a folder of several): rates, CV and correlations of each
    /// population against --against, within the published distances of ten seeds of NEST
    #[arg(long, value_name = "RUNS", requires = "against", conflicts_with = "cases")]
    pub microcircuit: Option<String>,
    /// Runs or recordings of the microcircuit by another seed or simulator
    #[arg(long, value_name = "RUNS", requires = "microcircuit")]
    pub against: Option<String>,
    /// Number of threads (results do not depend on it); one a core if not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Print one JSON object a row
    #[arg(long)]
    pub json: bool,
}

/// Something that is computed and has right values.
struct Case {
    /// Word on the command line.
    name: &'static str,
    /// `closed`, `neuron`, `nest`.
    group: &'static str,
    /// Whether it takes less than a second or so.
    is_quick: bool,
    /// Where the right values are from.
    source: &'static str,
    rows: fn(&Bench<'_>) -> Result<Vec<Row>, CliError>,
}

/// All cases, in the order in which they are told.
fn cases() -> impl Iterator<Item = &'static Case> {
    closed::CASES.iter().chain(neuron::CASES).chain(nest::CASES)
}

/// Values beside those that are right.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    unit: &'static str,
    bar: f64,
    /// Number of values.
    n: usize,
    /// The largest difference, and where it is. Not a number if one is none.
    largest: f64,
    at: String,
}

impl Row {
    /// A row of no values, which has not passed.
    fn new(name: impl Into<String>, unit: &'static str, bar: f64) -> Self {
        Self { name: name.into(), unit, bar, n: 0, largest: f64::NAN, at: "no values".to_owned() }
    }

    /// Adds a value and the right one.
    #[must_use]
    fn with(mut self, at: impl Into<String>, ours: f64, right: f64) -> Self {
        let difference = (ours - right).abs();
        // What is no number is above all others, and stays.
        let is_larger = !self.largest.is_nan() && (difference.is_nan() || difference > self.largest);
        if self.n == 0 || is_larger {
            (self.largest, self.at) = (difference, at.into());
        }
        self.n += 1;
        self
    }

    /// Adds many.
    #[must_use]
    fn with_each<S: Into<String>>(self, values: impl IntoIterator<Item = (S, f64, f64)>) -> Self {
        values.into_iter().fold(self, |row, (at, ours, right)| row.with(at, ours, right))
    }

    fn passed(&self) -> bool {
        self.largest <= self.bar
    }
}

/// Runs the scenarios of cases.
struct Bench<'a> {
    threads: usize,
    cancel: &'a AtomicBool,
}

impl Bench<'_> {
    /// What the text of a scenario records.
    fn recorded(&self, text: &str) -> Result<Recording, CliError> {
        let source = Source { text: text.to_owned(), origin: None, name: "validate".into(), variant: None };
        let (spec, _) = run::resolve(&source, &[])?;
        self.ran(spec)
    }

    /// What a scenario that ships records.
    fn shipped(&self, name: &str) -> Result<Recording, CliError> {
        let (spec, _) = run::load(name, &[])?;
        self.ran(spec)
    }

    fn ran(&self, spec: spikedeck_scenario::Spec) -> Result<Recording, CliError> {
        let tell: Tell = Arc::new(|_| ());
        let options = Options { threads: self.threads, ..Options::default() };
        let finished = run::execute(&Arc::new(spec), options, self.cancel, &tell)?;
        match finished.status {
            Status::Complete => Ok(Recording::clone(&finished.recording)),
            Status::Interrupted => Err(CliError::Interrupted),
            Status::Failed => Err(CliError::Other(finished.failure.clone().unwrap_or_else(|| "it failed".to_owned()))),
        }
    }
}

/// The `column`-th unit that was recorded of a variable.
fn column(recording: &Recording, population: &str, variable: &str, column: usize) -> Result<Vec<f64>, CliError> {
    let trace = recording.traces_of(population, variable).next();
    let trace = trace.ok_or_else(|| CliError::Other(format!("{population}.{variable} was not recorded")))?;
    Ok(trace.values.chunks_exact(trace.units.len()).map(|row| row[column]).collect())
}

/// Times at which a sampled voltage rises through `level`, between samples by a straight line.
fn crossings(values: &[f64], interval: f64, level: f64) -> Vec<f64> {
    let rises = |k: &usize| values[k - 1] < level && values[*k] >= level;
    let place = |k: usize| k as f64 - 1.0 + (level - values[k - 1]) / (values[k] - values[k - 1]);
    (1..values.len()).filter(rises).map(|k| place(k) * interval).collect()
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    if let (Some(runs), Some(against)) = (&args.microcircuit, &args.against) {
        let rows = microcircuit::rows(runs, against)?;
        return tell(args, vec![("microcircuit", microcircuit::SOURCE, rows)]);
    }
    let unknown = args.cases.iter().find(|c| !cases().any(|known| known.name == *c || known.group == *c));
    if let Some(unknown) = unknown {
        let names: Vec<&str> = cases().map(|c| c.name).collect();
        return Err(CliError::Usage(format!(
            "there is no case `{unknown}`; there are the groups closed, neuron, nest, and {}",
            names.join(", ")
        )));
    }
    let named = |c: &&Case| args.cases.is_empty() || args.cases.iter().any(|a| a == c.name || a == c.group);
    let chosen: Vec<&Case> = cases().filter(named).filter(|c| !args.quick || c.is_quick).collect();
    if args.list {
        let mut out = output::out();
        for case in chosen {
            writeln!(out, "{}  {}  {}", case.group, case.name, case.source)?;
        }
        return Ok(out.flush()?);
    }
    if chosen.is_empty() {
        return Err(CliError::Usage("--quick leaves out all of these cases".to_owned()));
    }
    let cancel = interrupt_flag();
    let bench = Bench { threads: args.threads.map_or(0, usize::from), cancel: &cancel };
    let mut told = Vec::new();
    for case in chosen {
        let rows = (case.rows)(&bench)?;
        if cancel.load(Ordering::Relaxed) {
            return Err(CliError::Interrupted);
        }
        told.push((case.group, case.source, rows));
    }
    tell(args, told)
}

/// Prints the rows of each case; status 1 where one is not below its bar.
fn tell(args: &Args, cases: Vec<(&str, &str, Vec<Row>)>) -> Result<(), CliError> {
    let mut out = output::out();
    if args.json {
        for (group, source, rows) in &cases {
            for row in rows {
                let largest = Some(row.largest).filter(|v| v.is_finite());
                let object = serde_json::json!({
                    "group": group, "name": row.name, "passed": row.passed(), "largest": largest, "bar": row.bar,
                    "unit": row.unit, "at": row.at, "n": row.n, "source": source,
                });
                writeln!(out, "{object}")?;
            }
        }
    } else {
        print(&mut out, &cases)?;
    }
    out.flush()?;
    let failed = cases.iter().flat_map(|c| &c.2).any(|r| !r.passed());
    if failed { Err(CliError::CheckFailed) } else { Ok(()) }
}

fn print(out: &mut impl Write, cases: &[(&str, &str, Vec<Row>)]) -> Result<(), CliError> {
    let colour = output::colour_on_stdout();
    let mut grid =
        Grid::new(&[Align::Left, Align::Left, Align::Right, Align::Right, Align::Left, Align::Right, Align::Left]);
    grid.row(["", "", "largest difference", "bar", "unit", "n", "at"], Tone::Dim);
    let mut before = "";
    for (group, source, rows) in cases {
        if *source != before {
            grid.row(["", &format!("{group}: {source}")], Tone::Bold);
            before = source;
        }
        for row in rows {
            let mark = if row.passed() { "✓" } else { "✗" };
            let largest = if row.largest.is_nan() { "none".to_owned() } else { number::shown(row.largest) };
            let cells = [
                mark.to_owned(),
                row.name.clone(),
                largest,
                number::shown(row.bar),
                row.unit.to_owned(),
                row.n.to_string(),
                row.at.clone(),
            ];
            grid.row(cells, if row.passed() { Tone::Plain } else { Tone::Bad });
        }
    }
    grid.write(out, "  ", true, colour)?;
    let rows = || cases.iter().flat_map(|c| &c.2);
    let (passed, all) = (rows().filter(|r| r.passed()).count(), rows().count());
    let verdict = format!("{passed} of {all} are below their bar (spikedeck {})", env!("CARGO_PKG_VERSION"));
    writeln!(out, "\n  {}", tone(&verdict, if passed == all { Tone::Good } else { Tone::Bad }, colour))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_difference_is_told_and_what_is_no_number_fails() {
        let row = Row::new("x", "mV", 0.5).with("a", 1.0, 1.1).with("b", 2.0, 1.6).with("c", 3.0, 3.0);
        assert!(row.passed() && row.at == "b" && row.n == 3 && (row.largest - 0.4).abs() < 1e-12, "{row:?}");
        assert!(!Row::new("x", "mV", 0.3).with("b", 2.0, 1.6).passed());
        assert!(!Row::new("x", "mV", f64::INFINITY).passed(), "no values");
        for place in 0..3 {
            let values = (0..3).map(|k| (k.to_string(), if k == place { f64::NAN } else { 1.0 }, 1.0));
            let row = Row::new("x", "mV", 1.0).with_each(values);
            assert!(!row.passed() && row.at == place.to_string() && row.n == 3, "{row:?}");
        }
    }

    #[test]
    fn cases_have_names_of_their_own() {
        let names: std::collections::BTreeSet<&str> = cases().flat_map(|c| [c.name, c.group]).collect();
        assert_eq!(names.len(), cases().count() + 3);
    }

    #[test]
    fn voltages_cross_between_samples() {
        assert_eq!(crossings(&[-20.0, 0.0, -20.0, -10.0], 2.0, -10.0), [1.0, 6.0]);
    }
}
