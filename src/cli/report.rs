//! What `run` prints: a heading, metrics a block an analysis, checks, warnings, files, timing; or JSON.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

use super::error::CliError;
use super::output::{self, Align, Grid, Tone, tone};
use super::run::Args;
use spikedeck_core::number;
use spikedeck_run::{self as run, Ensemble, Finished, PointResult, Simulated, Status};
use spikedeck_scenario::Spec;
use spikedeck_signal::{Metric, MetricColumn, TimeBase};
use spikedeck_table::{self as table, Manifest};

/// Metrics of one analysis that are shown without `-v`.
const SHOWN: usize = 24;

/// One JSON object a metric and point, then one a warning, an analysis without result, a check, and the status.
pub(super) fn print_json(result: &Simulated, loaded: &[String]) -> Result<(), CliError> {
    let mut out = output::out();
    match result {
        Simulated::One(finished) => {
            for metric in finished.outcomes.iter().flat_map(|o| &o.metrics) {
                writeln!(out, "{}", table::metric_json(finished, metric, &[], None))?;
            }
        }
        Simulated::Many(ensemble) => {
            for point in ensemble.measured() {
                for metric in point.finished.outcomes.iter().flat_map(|o| &o.metrics) {
                    writeln!(out, "{}", table::point_json(&ensemble.finished, point, metric))?;
                }
            }
        }
    }
    for words in table::words_json(result.finished(), loaded) {
        writeln!(out, "{words}")?;
    }
    Ok(out.flush()?)
}

/// The same of what was measured of a run that was there already.
pub(super) fn print_json_of(finished: &Finished) -> Result<(), CliError> {
    let mut out = output::out();
    for metric in finished.outcomes.iter().flat_map(|o| &o.metrics) {
        writeln!(out, "{}", table::metric_json(finished, metric, &[], None))?;
    }
    for words in table::words_json(finished, &[]) {
        writeln!(out, "{words}")?;
    }
    Ok(out.flush()?)
}

/// Says on standard error which analyses have no result, and which expectations are not met.
pub(super) fn say_failures(finished: &Finished) {
    for outcome in &finished.outcomes {
        if let Some(why) = &outcome.failure {
            output::say(&format!("{}: analysis `{}` has no result: {why}", finished.label, outcome.name));
        }
    }
    for check in finished.checks.iter().filter(|c| !c.passed) {
        output::say(&format!("{}: check `{}` failed: {}", finished.label, check.name, check_text(check)));
    }
}

/// Everything for people.
pub(super) fn print(
    spec: &Spec,
    result: &Simulated,
    written: Option<&(PathBuf, Manifest)>,
    args: &Args,
) -> Result<(), CliError> {
    let colour = output::colour_on_stdout();
    let mut out = output::out();
    let finished = result.finished();
    writeln!(out, "{}  {}", tone(&finished.label, Tone::Bold, colour), spec.title)?;
    writeln!(out, "{}", tone(&setting(spec, finished, result), Tone::Dim, colour))?;
    if args.verbose {
        for (population, integrator) in &finished.facts.integrators {
            writeln!(out, "{}", tone(&format!("{population}: {integrator}"), Tone::Dim, colour))?;
        }
    }
    match result {
        Simulated::Many(ensemble) if !ensemble.points.iter().all(|p| p.point.axes.is_empty()) => {
            points(&mut out, ensemble, colour)?;
            // What is about all trials of a network together stands in no row of a point.
            let joint = finished.outcomes.iter().filter(|o| !o.metrics.is_empty()).cloned().collect();
            let joint = Finished { outcomes: joint, ..(**finished).clone() };
            if !joint.outcomes.is_empty() {
                metrics(&mut out, &joint, args.verbose, colour)?;
            }
        }
        _ => metrics(&mut out, finished, args.verbose, colour)?,
    }
    checks(&mut out, finished, colour)?;
    originals(&mut out, finished, colour)?;
    // What reading warned of was said when it was read.
    let own: Vec<&String> = finished.warnings.iter().filter(|w| !spec.warnings.contains(w)).collect();
    warnings(&mut out, &own, colour)?;
    writeln!(out)?;
    if let Some((path, manifest)) = written {
        let rows = manifest
            .rows
            .iter()
            .find(|r| r.0.starts_with("spikes."))
            .map_or_else(String::new, |r| format!(", {}", number::counted(*r.1 as usize, "spike", "spikes")));
        let kept = match result {
            Simulated::Many(ensemble) => kept_of(ensemble),
            Simulated::One(_) => String::new(),
        };
        let tables = number::counted(manifest.rows.len(), "table", "tables");
        writeln!(out, "{} written: {tables}{rows}{kept}", path.display())?;
        if args.verbose {
            for (file, n) in &manifest.rows {
                writeln!(out, "  {file}  {}", number::counted(*n as usize, "row", "rows"))?;
            }
        }
    }
    writeln!(out, "{}", tone(&timing(spec, finished), Tone::Dim, colour))?;
    Ok(out.flush()?)
}

/// What became of the expectations.
pub(super) fn checks(out: &mut impl Write, finished: &Finished, colour: bool) -> std::io::Result<()> {
    if finished.checks.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut grid = Grid::new(&[Align::Left, Align::Left, Align::Left, Align::Left]);
    for check in &finished.checks {
        let (mark, row_tone) = if check.passed { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
        // Why there is no value stands in the text already.
        let note = if check.found.is_none() { String::new() } else { check.note.clone() };
        grid.row([mark.to_owned(), check.name.clone(), check_text(check), note], row_tone);
    }
    grid.write(out, "  ", false, colour)
}

/// What a reader should know.
pub(super) fn warnings(out: &mut impl Write, all: &[&String], colour: bool) -> std::io::Result<()> {
    if !all.is_empty() {
        writeln!(out)?;
    }
    for warning in all {
        for (k, line) in output::wrap(warning, output::width() - 4).into_iter().enumerate() {
            writeln!(out, "  {} {}", tone(if k == 0 { "!" } else { " " }, Tone::Warn, colour), line)?;
        }
    }
    Ok(())
}

/// What is kept of a sweep: metrics of all points, and what was recorded of the first alone.
fn kept_of(ensemble: &Ensemble) -> String {
    let Some(first) = ensemble.points.first() else { return String::new() };
    let count = ensemble.points.len();
    let trials = ensemble.finished.recording.each_trial().count();
    if first.point.trial.is_none() {
        format!("; metrics of all {count} points, recordings of the first ({})", first.point.label())
    } else if trials == count {
        format!("; metrics and recordings of all {count} trials")
    } else {
        format!("; metrics of all {count} points, recordings of {trials} trials of the first network")
    }
}

/// What an earlier program gave for the same experiment, beside what this run gave, and why they differ.
fn originals(out: &mut impl Write, finished: &Finished, colour: bool) -> std::io::Result<()> {
    use Align::{Left, Right};
    if finished.checks.iter().all(|c| c.original.is_none()) {
        return Ok(());
    }
    writeln!(out)?;
    let mut grid = Grid::new(&[Left, Right, Right, Left, Left]);
    grid.row(["", "here", "original", "unit", "reason"], Tone::Dim);
    for check in &finished.checks {
        let Some(original) = check.original else { continue };
        let known: Vec<f64> = check.found.into_iter().chain([original]).collect();
        let shown = |v: f64| number::distinct(v, &known);
        let found = check.found.map_or_else(|| number::MISSING.into(), shown);
        grid.row([check.name.clone(), found, shown(original), check.unit.clone(), check.reason.clone()], Tone::Plain);
    }
    grid.write(out, "  ", true, colour)
}

fn setting(spec: &Spec, finished: &Finished, result: &Simulated) -> String {
    let simulation = &spec.simulation;
    let base = simulation.time_base;
    let time = |v: f64| match base.unit() {
        "ms" if v >= 10.0 => format!("{} s", spikedeck_core::units::short(v)),
        unit => format!("{} {unit}", spikedeck_core::units::short(v / base.seconds())).trim_end().to_owned(),
    };
    let reached = match finished.status {
        Status::Complete => String::new(),
        _ => format!("{} of ", time(finished.recording.window.stop * base.seconds())),
    };
    let units: usize = spec.populations.iter().map(|p| p.size).sum();
    let mut parts = vec![
        format!("seed {}", simulation.seed),
        format!("{reached}{} in steps of {}", time(simulation.dt * simulation.steps as f64), time(simulation.dt)),
        number::counted(units, "unit", "units"),
    ];
    if finished.facts.connections > 0 {
        parts.push(number::counted(finished.facts.connections as usize, "connection", "connections"));
    }
    if finished.facts.spikes > 0 {
        let spikes = number::counted(finished.facts.spikes as usize, "spike", "spikes");
        parts.push(match result {
            Simulated::One(_) => spikes,
            Simulated::Many(_) => format!("{spikes} of all together"),
        });
    }
    if let Simulated::Many(ensemble) = result {
        let trials = ensemble.points.iter().all(|p| p.point.trial.is_some());
        let (one, many) = if trials { ("trial", "trials") } else { ("point", "points") };
        parts.push(number::counted(ensemble.points.len(), one, many));
    }
    parts.join(" · ")
}

/// The metrics of a run, an analysis a block.
pub(super) fn metrics(out: &mut impl Write, finished: &Finished, verbose: bool, colour: bool) -> std::io::Result<()> {
    let mut any = false;
    let align = |c: &MetricColumn| if c.is_right() { Align::Right } else { Align::Left };
    let mut grid =
        Grid::new(&std::iter::once(Align::Left).chain(Metric::shown().map(|c| align(c.0))).collect::<Vec<_>>());
    grid.row(std::iter::once("").chain(Metric::shown().map(|c| c.1.heading)), Tone::Dim);
    for outcome in finished.outcomes.iter().filter(|o| !o.metrics.is_empty()) {
        any = true;
        grid.row([outcome.name.clone()], Tone::Bold);
        let most = if verbose || outcome.metrics.len() <= SHOWN + 4 { outcome.metrics.len() } else { SHOWN };
        for metric in outcome.metrics.iter().take(most) {
            grid.row(metric_cells(metric, verbose), if metric.value.is_some() { Tone::Plain } else { Tone::Dim });
        }
        if most < outcome.metrics.len() {
            grid.row([format!("  … {} more (-v, --json)", outcome.metrics.len() - most)], Tone::Dim);
        }
    }
    if any {
        writeln!(out)?;
        grid.write(out, "  ", true, colour)?;
    }
    for outcome in finished.outcomes.iter().filter(|o| o.metrics.is_empty()) {
        writeln!(out, "  {}  {}", tone(&outcome.name, Tone::Bold, colour), outcome.summary)?;
    }
    Ok(())
}

/// The cells of a row. Notes are long: unless asked for they are told only where they say why there is no value.
fn metric_cells(metric: &Metric, verbose: bool) -> Vec<String> {
    let cell = |column: &MetricColumn| {
        let is_told = verbose || metric.value.is_none() || !column.is_prose();
        if is_told { column.text(metric) } else { String::new() }
    };
    let name = format!("  {} {}", metric.subject, metric.metric);
    std::iter::once(name).chain(Metric::shown().map(|(column, _)| cell(column))).collect()
}

/// One row a point, one column a metric (as many as fit), for sweeps. What a run that did not reach its end measured is
/// of another stretch, and does not stand beside the others.
fn points(out: &mut impl Write, ensemble: &Ensemble, colour: bool) -> std::io::Result<()> {
    let Some(first) = ensemble.points.first() else { return Ok(()) };
    let whole = |p: &PointResult| p.finished.status == Status::Complete;
    let mut names: Vec<(String, String)> = Vec::new();
    let mut seen = HashSet::new();
    for metric in
        ensemble.points.iter().filter(|p| whole(p)).flat_map(|p| &p.finished.outcomes).flat_map(|o| &o.metrics)
    {
        if seen.insert(metric.full_name()) {
            names.push((metric.full_name(), metric.unit.clone()));
        }
    }
    let all_whole = ensemble.points.iter().all(whole);
    let shown = names.len().min(5);
    let axes = first.point.axes.len();
    let mut aligns = vec![Align::Right; axes + 1 + shown];
    let mut heading: Vec<String> =
        first.point.axes.iter().map(|a| a.0.rsplit('.').next().unwrap_or(&a.0).to_owned()).collect();
    heading.push("seed".into());
    heading.extend(names[..shown].iter().map(|(n, u)| if u.is_empty() { n.clone() } else { format!("{n} ({u})") }));
    if !all_whole {
        aligns.push(Align::Left);
        heading.push("ended".into());
    }
    let mut grid = Grid::new(&aligns);
    grid.row(heading, Tone::Dim);
    for result in &ensemble.points {
        let mut cells: Vec<String> = result.point.axes.iter().map(|a| a.1.trim_matches('"').to_owned()).collect();
        cells.push(result.point.seed.to_string());
        for (name, _) in &names[..shown] {
            let mut metrics = result.finished.outcomes.iter().filter(|_| whole(result)).flat_map(|o| &o.metrics);
            let value = metrics.find(|m| m.full_name() == *name).and_then(|m| m.value);
            cells.push(number::shown_or_missing(value));
        }
        if !all_whole {
            let why = result.finished.failure.as_deref().filter(|_| !whole(result));
            cells.push(why.map_or_else(String::new, ToOwned::to_owned));
        }
        grid.row(cells, if whole(result) { Tone::Plain } else { Tone::Bad });
    }
    writeln!(out)?;
    grid.write(out, "  ", true, colour)?;
    if shown < names.len() {
        writeln!(
            out,
            "  {}",
            tone(&format!("… {} more metrics (--json, --out)", names.len() - shown), Tone::Dim, colour)
        )?;
    }
    Ok(())
}

/// What was found and what was expected.
fn check_text(check: &run::Check) -> String {
    let (found, range) = (check.found_in_words(), check.range_in_words());
    let mut text = format!("{} = {found}, expected {range} {}", check.metric, check.unit).trim_end().to_owned();
    if check.found.is_none() && !check.note.is_empty() {
        text = format!("{text}: {}", check.note);
    }
    text
}

fn timing(spec: &Spec, finished: &Finished) -> String {
    let facts = &finished.facts;
    let simulated = spec.simulation.dt * spec.simulation.steps as f64;
    let mut parts = vec![
        format!("built {}", number::duration(facts.build_seconds)),
        format!("simulated {}", number::duration(facts.simulate_seconds)),
    ];
    if facts.simulate_seconds > 0.0
        && spec.simulation.time_base == TimeBase::Milliseconds
        && finished.status == Status::Complete
    {
        parts.push(format!("{} × real time", number::shown(simulated / facts.simulate_seconds)));
    }
    if facts.analyse_seconds > 0.0 {
        parts.push(format!("analysed {}", number::duration(facts.analyse_seconds)));
    }
    parts.push(format!("{} {}", facts.threads, if facts.threads == 1 { "thread" } else { "threads" }));
    parts.join(" · ")
}
