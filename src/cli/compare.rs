//! `spikedeck compare`: runs or scenarios against the first of them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::CliError;
use super::output::{self, Align, Grid, Tone, tone};
use super::run::{Change, interrupt_flag, outcome_of, simulate};
use spikedeck_core::number;
use spikedeck_run::{self as run, Comparison, Finished, Options, SeedValues, Simulated, Status};
use spikedeck_store::{self as store, Format};
use spikedeck_table as table;

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of finished runs, scenario files, or names of built-in scenarios
    #[arg(required = true, num_args = 2.., value_name = "RUN_OR_SCENARIO")]
    pub runs: Vec<String>,
    #[command(flatten)]
    pub change: Change,
    /// Hold two sets of runs or recordings against each other by the distributions of rates, CV and correlations over
    /// units: each a run, a recording, or a folder of several
    #[arg(long, conflicts_with_all = ["set", "seed", "threads", "quiet"])]
    pub distributions: bool,
    /// Folder for the table of differences (`differences.parquet`, or `distributions.parquet`)
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write over a table that is there
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Print one JSON object a metric (with --distributions, a population and measure); then one a note
    #[arg(long)]
    pub json: bool,
    /// No progress
    #[arg(short, long)]
    pub quiet: bool,
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    if args.distributions {
        return super::distributions::run(args);
    }
    let cancel = interrupt_flag();
    let mut runs: Vec<Arc<Finished>> = Vec::new();
    let mut seeds: Vec<SeedValues> = Vec::new();
    for reference in &args.runs {
        let path = Path::new(reference);
        let finished = if table::is_run(path) {
            seeds.push(table::seed_values(path)?);
            let (mut opened, damage) = table::open_telling(path)?;
            for text in damage {
                output::say(&format!("warning: {text}"));
            }
            // Two runs of one scenario are told apart by their folders.
            opened.label = format!("{} ({})", opened.label, reference.trim_end_matches('/'));
            Arc::new(opened)
        } else if path.is_dir() {
            return Err(CliError::Usage(format!("{reference} is no finished run: it has no manifest.json")));
        } else {
            let (result, values) = simulated(reference, args, &cancel)?;
            seeds.push(values);
            result
        };
        if finished.status != Status::Complete {
            if cancel.load(Ordering::Relaxed) {
                return Err(CliError::Interrupted);
            }
            if let Some(CliError::Numerical) = outcome_of(&finished, false) {
                return Err(CliError::Numerical);
            }
        }
        for warning in &finished.warnings {
            output::say(&format!("warning: {}: {warning}", finished.label));
        }
        if finished.outcomes.iter().all(|o| o.metrics.is_empty()) {
            output::say(&format!("warning: {} has no metrics to compare", finished.label));
        }
        runs.push(finished);
    }
    let borrowed: Vec<&Finished> = runs.iter().map(AsRef::as_ref).collect();
    let comparison = run::compare_seeds(&borrowed, &seeds);
    if let Some(folder) = &args.out {
        write(folder, &comparison, args.force)?;
    }
    if args.json { print_json(&comparison) } else { print(&comparison) }
}

/// Runs a scenario (with its seeds, if it has some) to compare it.
fn simulated(reference: &str, args: &Args, cancel: &Arc<AtomicBool>) -> Result<(Arc<Finished>, SeedValues), CliError> {
    let (spec, warnings) = run::load(reference, &args.change.settings())?;
    for warning in warnings {
        output::say(&format!("warning: {warning}"));
    }
    let points = run::points(&spec, &|more| run::again(&spec, more))?;
    let options = Options { threads: args.change.threads(), ..Options::default() };
    let result = simulate(&Arc::new(spec), &points, options, cancel, args.quiet || args.json)?;
    let values = match &result {
        Simulated::One(_) => SeedValues::default(),
        Simulated::Many(ensemble) => SeedValues::of(ensemble),
    };
    Ok((result.finished().clone(), values))
}

fn write(folder: &Path, comparison: &Comparison, force: bool) -> Result<(), CliError> {
    let path = folder.join("differences.parquet");
    if path.exists() && !force {
        return Err(CliError::Usage(format!(
            "{} exists; choose another folder, or write over it with --force",
            path.display()
        )));
    }
    std::fs::create_dir_all(folder)?;
    store::write(&path, &table::differences(comparison), Format::Parquet)?;
    Ok(())
}

fn print_json(comparison: &Comparison) -> Result<(), CliError> {
    let mut out = output::out();
    for object in table::json_rows(&table::differences(comparison)) {
        writeln!(out, "{object}")?;
    }
    for note in &comparison.notes {
        writeln!(out, "{}", serde_json::json!({ "note": note }))?;
    }
    Ok(out.flush()?)
}

/// Whether the differences of a run are paired over seeds, so that they have a size of effect.
fn has_effect(comparison: &Comparison, run: usize) -> bool {
    comparison.rows.iter().any(|r| r.effects[run].is_some())
}

fn print(comparison: &Comparison) -> Result<(), CliError> {
    let colour = output::colour_on_stdout();
    let mut out = output::out();
    let n = comparison.labels.len();
    let letters: Vec<String> = (0..n)
        .map(|k| {
            char::from_u32('A' as u32 + k as u32)
                .filter(char::is_ascii_uppercase)
                .map_or_else(|| format!("R{}", k + 1), String::from)
        })
        .collect();
    for (letter, label) in letters.iter().zip(&comparison.labels) {
        writeln!(out, "{}  {label}", tone(letter, Tone::Bold, colour))?;
    }
    writeln!(out)?;
    let mut aligns = vec![Align::Left];
    aligns.extend(vec![Align::Right; n]);
    aligns.push(Align::Left);
    let mut heading = vec!["metric".to_owned()];
    heading.extend(letters.iter().cloned());
    heading.push("unit".into());
    for (k, letter) in letters.iter().enumerate().skip(1) {
        aligns.extend([Align::Right, Align::Left, Align::Right]);
        heading.extend([format!("{letter} − A"), "95 % CI".to_owned(), "p adj".to_owned()]);
        if has_effect(comparison, k) {
            aligns.push(Align::Right);
            heading.push("g_z".to_owned());
        }
    }
    let mut grid = Grid::new(&aligns);
    grid.row(heading, Tone::Dim);
    for row in &comparison.rows {
        let mut cells = vec![row.metric.clone()];
        cells.extend(row.values.iter().map(|v| number::shown_or_missing(*v)));
        cells.push(row.unit.clone());
        for k in 1..n {
            cells.push(number::shown_or_missing(row.differences[k]));
            let interval = row.difference_intervals[k];
            let mark = if row.is_clear(k) { " *" } else { "" };
            cells.push(interval.map_or_else(String::new, |(a, b)| format!("{}{mark}", number::interval(a, b))));
            cells.push(row.p_adjusted[k].map_or_else(String::new, number::p_value));
            if has_effect(comparison, k) {
                cells.push(row.effects[k].map_or_else(String::new, number::shown));
            }
        }
        let clear = (1..n).any(|k| row.is_clear(k));
        grid.row(cells, if clear { Tone::Bold } else { Tone::Plain });
    }
    grid.write(&mut out, "  ", true, colour)?;
    writeln!(out)?;
    let mut legend = "* the interval of the difference excludes zero".to_owned();
    if (1..n).any(|k| has_effect(comparison, k)) {
        legend.push_str(
            "; g_z: mean difference in units of its standard deviation over the seeds, corrected for few of them",
        );
    }
    writeln!(out, "  {}", tone(&legend, Tone::Dim, colour))?;
    for note in &comparison.notes {
        for line in output::wrap(note, output::width() - 2) {
            writeln!(out, "  {}", tone(&line, Tone::Dim, colour))?;
        }
    }
    Ok(out.flush()?)
}
