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
use super::output::{self, Tone, tone};
use super::run::interrupt_flag;
use spikedeck_core::number;
use spikedeck_run::{self as run, Options, Source, Status, Tell};
use spikedeck_scenario::find_built_in;
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
    #[arg(long, conflicts_with_all = ["quick", "threads", "microcircuit"])]
    pub list: bool,
    /// A full-scale run of the cortical microcircuit (or a folder of several): rates, CV and correlations of each
    /// population against --against, within the published distances of ten seeds of NEST
    #[arg(long, value_name = "RUNS", requires = "against", conflicts_with_all = ["cases", "quick", "threads"])]
    pub microcircuit: Option<String>,
    /// Runs or recordings of the microcircuit by another seed or simulator
    #[arg(long, value_name = "RUNS", requires = "microcircuit")]
    pub against: Option<String>,
    /// Number of threads (results do not depend on it); one a core if not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Print one JSON object a row (with --list, a case)
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
    /// The largest difference, and where it is. Not a number if one is none, or if it could not be computed: then this
    /// is why.
    largest: f64,
    at: String,
}

impl Row {
    /// A row of no values, which has not passed.
    fn new(name: impl Into<String>, unit: &'static str, bar: f64) -> Self {
        Self { name: name.into(), unit, bar, n: 0, largest: f64::NAN, at: "no values".to_owned() }
    }

    /// A row of a case that cannot be run here, and has not passed.
    fn not_run(name: &str, why: &CliError) -> Self {
        let why = why.text().unwrap_or_else(|| "it failed".to_owned());
        Self { at: why.trim_start_matches("spikedeck: ").replace('\n', " "), ..Self::new(name, "", 0.0) }
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
        // A file of that name where one stands is another scenario.
        let built_in = find_built_in(name).ok_or_else(|| CliError::Other(format!("no scenario {name} ships")))?;
        let source = Source { text: built_in.text.to_owned(), origin: None, name: name.to_owned(), variant: None };
        let (spec, _) = run::resolve(&source, &[])?;
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
        let mut told = Told::begin(args.json)?;
        told.case("microcircuit", microcircuit::SOURCE, &rows)?;
        return told.end();
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
        for Case { name, group, source, is_quick, .. } in chosen {
            if args.json {
                let object = serde_json::json!({ "group": group, "name": name, "source": source, "quick": is_quick });
                writeln!(out, "{object}")?;
            } else {
                writeln!(out, "{group}  {name}  {source}")?;
            }
        }
        return Ok(out.flush()?);
    }
    if chosen.is_empty() {
        return Err(CliError::Usage("--quick leaves out all of these cases".to_owned()));
    }
    let cancel = interrupt_flag();
    let bench = Bench { threads: args.threads.map_or(0, usize::from), cancel: &cancel };
    let mut line = output::ProgressLine::new(args.json);
    let mut told = Told::begin(args.json)?;
    for case in chosen {
        line.show(&format!("validate: {} …", case.name));
        let rows = (case.rows)(&bench);
        line.clear();
        if cancel.load(Ordering::Relaxed) || matches!(rows, Err(CliError::Interrupted)) {
            return Err(CliError::Interrupted);
        }
        told.case(case.group, case.source, &rows.unwrap_or_else(|why| vec![Row::not_run(case.name, &why)]))?;
    }
    told.end()
}

/// Where rows go, case by case as they are known.
struct Told {
    json: bool,
    /// What the rows before were from.
    source: &'static str,
    passed: usize,
    all: usize,
}

impl Told {
    fn begin(json: bool) -> Result<Self, CliError> {
        let told = Self { json, source: "", passed: 0, all: 0 };
        if !json {
            let heading = line_of("", "", ["largest difference", "bar"], "unit", "n", "at");
            told.write(&[(heading, Tone::Dim)])?;
        }
        Ok(told)
    }

    /// Tells the rows of a case.
    fn case(&mut self, group: &str, source: &'static str, rows: &[Row]) -> Result<(), CliError> {
        let mut lines = Vec::new();
        if source != self.source && !self.json {
            lines.push((line_of("", &format!("{group}: {source}"), [""; 2], "", "", ""), Tone::Bold));
        }
        self.source = source;
        for row in rows {
            let passed = row.passed();
            (self.passed, self.all) = (self.passed + usize::from(passed), self.all + 1);
            let known = Some(row.largest).filter(|v| v.is_finite());
            if self.json {
                let object = serde_json::json!({
                    "group": group, "name": row.name, "passed": passed, "largest": known, "bar": row.bar,
                    "unit": row.unit, "at": row.at, "n": row.n, "source": source,
                });
                lines.push((object.to_string(), Tone::Plain));
                continue;
            }
            let largest = if row.largest.is_nan() { "none".to_owned() } else { number::shown(row.largest) };
            let (bar, n) = (number::shown(row.bar), row.n.to_string());
            let mark = if passed { "✓" } else { "✗" };
            let line = line_of(mark, &row.name, [&largest, &bar], row.unit, &n, &row.at);
            lines.push((line, if passed { Tone::Plain } else { Tone::Bad }));
        }
        self.write(&lines)
    }

    /// Says how many passed; status 1 where one did not.
    fn end(&self) -> Result<(), CliError> {
        let whole = self.passed == self.all;
        if !self.json {
            let (passed, all) = (self.passed, self.all);
            let verdict = format!("  {passed} of {all} are below their bar (spikedeck {})", env!("CARGO_PKG_VERSION"));
            self.write(&[(String::new(), Tone::Plain), (verdict, if whole { Tone::Good } else { Tone::Bad })])?;
        }
        if whole { Ok(()) } else { Err(CliError::CheckFailed) }
    }

    fn write(&self, lines: &[(String, Tone)]) -> Result<(), CliError> {
        let colour = output::colour_on_stdout() && !self.json;
        let mut out = output::out();
        for (line, of) in lines {
            writeln!(out, "{}", tone(line, *of, colour))?;
        }
        Ok(out.flush()?)
    }
}

/// A line of the table: what comes later has the same columns, of which nobody knows the width yet.
fn line_of(mark: &str, name: &str, [largest, bar]: [&str; 2], unit: &str, n: &str, at: &str) -> String {
    let line = format!("  {mark:<1}  {name:<42}  {largest:>18}  {bar:>8}  {unit:<6}  {n:>6}  {at}");
    line.trim_end().to_owned()
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

    /// A case that cannot be run is a row that has not passed, and the status is that of a row above its bar.
    #[test]
    fn rows_that_fail_are_the_status() {
        let mut told = Told::begin(true).unwrap();
        assert!(told.end().is_ok());
        told.case("closed", "x", &[Row::new("a", "", 1.0).with("", 1.0, 1.5)]).unwrap();
        assert!(told.end().is_ok());
        let row = Row::not_run("pyramidal-cell", &CliError::Usage("it needs 2 GB".to_owned()));
        assert!(!row.passed() && row.at == "it needs 2 GB", "{row:?}");
        told.case("neuron", "x", &[row]).unwrap();
        assert_eq!((told.passed, told.all, told.end().err().map(|e| e.status())), (1, 2, Some(1)));
    }

    /// A bar that nothing is below: each case is really computed and compared.
    #[test]
    fn values_that_are_not_right_are_above_their_bar() {
        let cancel = AtomicBool::new(false);
        let bench = Bench { threads: 1, cancel: &cancel };
        for case in cases().filter(|c| c.is_quick) {
            let rows = (case.rows)(&bench);
            for row in rows.unwrap_or_else(|e| panic!("{}: {}", case.name, e.text().unwrap_or_default())) {
                assert!(row.passed() && row.n > 0, "{}: {row:?}", case.name);
                assert!(row.largest > 0.0 && !Row { bar: 0.0, ..row.clone() }.passed(), "{}: {row:?}", case.name);
                assert!(row.bar.is_finite() && row.bar < 1.0, "{}: {row:?}", case.name);
            }
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
