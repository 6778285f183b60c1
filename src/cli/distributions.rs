//! `spikedeck compare --distributions`: two sets of runs or recordings, by the distributions over their units.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::analyze::{self, Opened};
use super::compare::Args;
use super::error::CliError;
use super::output::{self, Align, Grid, Tone, tone};
use spikedeck_core::number;
use spikedeck_run::{self as run, DistributionRow, Distributions, Member, Sampling, Status};
use spikedeck_store::{self as store, Column, Format, Table};
use spikedeck_table as table;

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let [a, b] = &args.runs[..] else {
        return Err(CliError::Usage(format!(
            "--distributions holds two sets against each other, and {} are given: put the runs of a set into a folder",
            args.runs.len()
        )));
    };
    if let Some(set) = args.out.as_deref().and_then(|out| [a, b].into_iter().find(|set| is_within(out, set))) {
        return Err(CliError::Usage(format!(
            "--out is in {set}, where the table would be one more recording of the set: name a folder beside it"
        )));
    }
    let found = of_sets(a, b)?;
    if let Some(folder) = &args.out {
        let path = folder.join("distributions.parquet");
        if path.exists() && !args.force {
            return Err(store::StoreError::Exists { path }.into());
        }
        std::fs::create_dir_all(folder)?;
        store::write(&path, &columns(&found.rows), Format::Parquet)?;
    }
    let mut out = output::out();
    if args.json {
        for object in table::json_rows(&columns(&found.rows)) {
            writeln!(out, "{object}")?;
        }
        for note in &found.notes {
            writeln!(out, "{}", serde_json::json!({ "note": note }))?;
        }
        return Ok(out.flush()?);
    }
    print(&mut out, (a, b), &found)?;
    Ok(out.flush()?)
}

/// Whether `out` is a folder of runs that is looked at, or in one.
fn is_within(out: &Path, set: &str) -> bool {
    let place = |path: &Path| std::path::absolute(path).map(|p| std::fs::canonicalize(&p).unwrap_or(p));
    match (place(out), place(Path::new(set))) {
        (Ok(out), Ok(set)) => set.is_dir() && out.starts_with(set),
        _ => false,
    }
}

/// Opens both sets and holds them against each other.
pub(super) fn of_sets(a: &str, b: &str) -> Result<Distributions, CliError> {
    let (a, b) = (members(a)?, members(b)?);
    run::distributions(&a, &b).map_err(CliError::Usage)
}

/// The runs and recordings of a set: itself, or what stands in the folder.
fn members(reference: &str) -> Result<Vec<Member>, CliError> {
    let path = Path::new(reference);
    let member = |place: &str, in_set: bool| -> Result<Option<Member>, CliError> {
        let Opened { finished, points } = analyze::open(place, &Sampling::default())?;
        for warning in &finished.warnings {
            output::say(&format!("warning: {place}: {warning}"));
        }
        let ended = match finished.status {
            Status::Complete => None,
            Status::Interrupted => Some("was interrupted"),
            Status::Failed => Some("failed"),
        };
        match ended {
            Some(ended) if in_set => {
                output::say(&format!("warning: {place} {ended}, and is left out of its set"));
                return Ok(None);
            }
            Some(ended) => output::say(&format!("warning: {place} {ended}: its distributions are of what there is")),
            None => {}
        }
        analyze::needs_recording(place, &finished)?;
        if points.is_some_and(|n| n > finished.recording.each_trial().count()) {
            output::say(&format!(
                "warning: {place} has the spikes of its first point alone; `spikedeck sweep --keep all` keeps those of \
                 each in DIR/runs"
            ));
        }
        let events = &finished.facts.event_populations;
        Member::of(place, &finished.recording, events).map(Some).map_err(CliError::Usage)
    };
    if !path.is_dir() || table::is_run(path) {
        return Ok(member(reference, false)?.into_iter().collect());
    }
    let (mut runs, mut files): (Vec<PathBuf>, Vec<PathBuf>) = Default::default();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let place = entry.path();
        // What begins with a point is the work of a run that is being written.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if table::is_run(&place) {
            runs.push(place);
        } else if place.is_file() && store::FileKind::of(&place).is_some() {
            files.push(place);
        }
    }
    if !runs.is_empty() && !files.is_empty() {
        let n = number::counted(files.len(), "table or recording", "tables and recordings");
        output::say(&format!("warning: {reference} is a folder of runs, and {n} beside them are not looked at"));
    }
    let mut places = if runs.is_empty() { files } else { runs };
    places.sort();
    if places.is_empty() {
        return Err(CliError::Usage(format!("{reference} is no run, and there are no runs and no recordings in it")));
    }
    let mut members = Vec::new();
    for place in &places {
        members.extend(member(&place.to_string_lossy(), true)?);
    }
    if members.is_empty() {
        return Err(CliError::Usage(format!("no run in {reference} came to its end")));
    }
    Ok(members)
}

/// The rows as a table.
fn columns(rows: &[DistributionRow]) -> Table {
    let numbers = |of: &dyn Fn(&DistributionRow) -> Option<f64>| {
        Column::OptF64(rows.iter().map(|r| of(r).filter(|v| v.is_finite())).collect())
    };
    Table::new()
        .with("population", Column::Text(rows.iter().map(|r| r.population.clone()).collect()))
        .with("quantity", Column::Text(rows.iter().map(|r| r.quantity.name().to_owned()).collect()))
        .with("n_a", Column::U64(rows.iter().map(|r| r.n.0 as u64).collect()))
        .with("n_b", Column::U64(rows.iter().map(|r| r.n.1 as u64).collect()))
        .with("mean_a", numbers(&|r| Some(r.means.0)))
        .with("mean_b", numbers(&|r| Some(r.means.1)))
        .with("distance", numbers(&|r| r.between))
        .with("within_a_least", numbers(&|r| r.within_a.map(|w| w.0)))
        .with("within_a_greatest", numbers(&|r| r.within_a.map(|w| w.1)))
        .with("within_b_least", numbers(&|r| r.within_b.map(|w| w.0)))
        .with("within_b_greatest", numbers(&|r| r.within_b.map(|w| w.1)))
        .with("p", numbers(&|r| r.p))
        .with("p_adjusted", numbers(&|r| r.p_adjusted))
}

fn print(out: &mut impl Write, (a, b): (&str, &str), found: &Distributions) -> Result<(), CliError> {
    let colour = output::colour_on_stdout();
    for (letter, set) in [("A", a), ("B", b)] {
        writeln!(out, "{}  {set}", tone(letter, Tone::Bold, colour))?;
    }
    writeln!(out)?;
    let mut grid = Grid::new(&[Align::Left, Align::Left].into_iter().chain([Align::Right; 9]).collect::<Vec<_>>());
    grid.row(
        ["population", "of", "n A", "n B", "mean A", "mean B", "KS", "within A", "within B", "p", "p adj"],
        Tone::Dim,
    );
    let range = |r: Option<(f64, f64)>| r.map_or_else(String::new, |(l, g)| number::interval(l, g));
    for row in &found.rows {
        let is_apart = row.p_adjusted.is_some_and(|p| p <= 0.05);
        let known = |v: f64| number::shown_or_missing(Some(v).filter(|v| v.is_finite()));
        let cells = [
            row.population.clone(),
            row.quantity.name().to_owned(),
            row.n.0.to_string(),
            row.n.1.to_string(),
            known(row.means.0),
            known(row.means.1),
            number::shown_or_missing(row.between),
            range(row.within_a),
            range(row.within_b),
            row.p.map_or_else(String::new, number::p_value),
            row.p_adjusted.map_or_else(String::new, |p| number::p_value(p) + if is_apart { " *" } else { "" }),
        ];
        grid.row(cells, if is_apart { Tone::Bold } else { Tone::Plain });
    }
    grid.write(out, "  ", true, colour)?;
    writeln!(out)?;
    let legend = "KS: greatest distance of the distributions over units, mean over pairs of a run of A and one of B; \
                  within: that of two runs of a set; * p adj at most 0.05";
    for line in std::iter::once(legend).chain(found.notes.iter().map(String::as_str)) {
        for line in output::wrap(line, output::width() - 2) {
            writeln!(out, "  {}", tone(&line, Tone::Dim, colour))?;
        }
    }
    Ok(())
}
