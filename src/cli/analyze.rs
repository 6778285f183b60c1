//! `spikedeck analyze`: measure what was recorded, of a run (also one that was killed) or in somebody's table.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::error::CliError;
use super::methods;
use super::output::{self, Tone, tone};
use super::report;
use super::run::{TableFormat, interrupt_flag, progress, writing};
use spikedeck_core::number;
use spikedeck_core::units::short;
use spikedeck_run::{self as run, Finished, Options, STANDARD_INPUT, Status};
use spikedeck_scenario::{AnalysisSpec, AskedAnalysis, RecordedPlace, analyses_of};
use spikedeck_signal::Recording;
use spikedeck_store::Format;
use spikedeck_table::{self as table, Folder, Manifest};

/// Arguments of `analyze`.
#[derive(Debug, clap::Args)]
#[command(after_help = "A run that was killed is measured as far as it went; the report says up to when.\n\
    Without --with, the analyses of the run's scenario; of a table rates and isi (spikes), or levels and psd \
    (signals).\n\
    Examples:\n  spikedeck analyze results\n  spikedeck analyze spikes.csv --with isi --with \
    correlogram:bin=\"2 ms\"\n  \
    spikedeck analyze results --with psd:of=exc.rate,bin=\"1 ms\" --json\n  \
    gunzip -c lfp.csv.gz | spikedeck analyze - --with psd")]
pub(super) struct Args {
    /// Folder of a run, also of one that was stopped or killed; a table of spikes or signals (Parquet, CSV); `-` is a
    /// table from standard input
    #[arg(value_name = "RUN|TABLE")]
    pub source: String,
    /// An analysis with its options (may be given several times); `spikedeck explain KIND` lists them
    #[arg(long, value_name = "KIND[:KEY=VALUE,...]", value_parser = parse_asked)]
    pub with: Vec<AskedAnalysis>,
    /// What is looked at, where an analysis does not say it itself (may be given several times)
    #[arg(long, value_name = "SUBJECT")]
    pub of: Vec<String>,
    /// Seed of surrogates and bootstraps; that of the run, or 0, if not given
    #[arg(long)]
    pub seed: Option<u64>,
    /// Number of threads (results do not depend on it); one a core if not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Folder for tables and manifest of what was recorded and measured
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write over a run that is there
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Format of the tables
    #[arg(long, value_enum, requires = "out", default_value = "parquet")]
    pub format: TableFormat,
    /// Print one JSON object a metric; then one a warning, an analysis without result, a check, and the status
    #[arg(long)]
    pub json: bool,
    /// Print how each analysis was made, a paragraph for the methods section of a paper
    #[arg(long, conflicts_with = "json")]
    pub methods: bool,
    /// No progress
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// All metrics with their notes
    #[arg(short, long)]
    pub verbose: bool,
}

/// `KIND`, or `KIND:key=value,key=value`; commas inside brackets and quotes are part of a value.
fn parse_asked(text: &str) -> Result<AskedAnalysis, String> {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let mut keys = Vec::new();
    for part in pieces(rest) {
        let Some((key, value)) = part.split_once('=').filter(|(k, v)| !k.trim().is_empty() && !v.trim().is_empty())
        else {
            return Err(format!(
                "`{}` is no option: write KIND:key=value,key=value, such as psd:segment=\"2 s\"",
                part.trim()
            ));
        };
        keys.push((key.trim().to_owned(), value.trim().to_owned()));
    }
    let kind = kind.trim().to_owned();
    if kind.is_empty() {
        Err("the kind of analysis is missing, such as psd".into())
    } else {
        Ok(AskedAnalysis { kind, keys })
    }
}

/// What stands between commas that are not inside brackets or quotes.
fn pieces(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut from) = (0_i32, false, 0);
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' | '(' | '{' if !quoted => depth += 1,
            ']' | ')' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth <= 0 => {
                found.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[from..]);
    found.retain(|piece| !piece.trim().is_empty());
    found
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let Opened { finished, points } = open(&args.source)?;
    let analyses = wanted(&finished, &args.with, &args.of)?;
    let seed = args.seed.or_else(|| Some(finished.spec.as_ref()?.simulation.seed)).unwrap_or(0);
    let cancel = interrupt_flag();
    let threads = args.threads.map_or(0, usize::from);
    let options = Options { threads, ..Options::default() };
    let (line, tell) = progress(&finished.label, args.quiet || args.json);
    let asked = if args.methods { analyses.clone() } else { Vec::new() };
    let measured = run::analyze(&finished, analyses, seed, &options, &cancel, &tell);
    line.clear();
    let (measured, whole) = measured?;
    let written = args.out.as_deref();
    let written = written.map(|out| writing(&measured.label, &cancel, || write(out, args, &measured))).transpose();
    // A full disk does not take the numbers with it: they are printed first.
    if args.json {
        report::print_json_of(&measured)?;
    } else {
        print(&measured, seed, points, args.verbose)?;
    }
    tell_methods(&measured, &asked, seed)?;
    if let Some((path, manifest)) = written? {
        output::say(&format!("{} written: {} tables", path.display(), manifest.rows.len()));
    }
    if !whole || cancel.load(Ordering::Relaxed) {
        output::say(&format!("{}: interrupted; analyses that were made until then are told", measured.label));
        return Err(CliError::Interrupted);
    }
    if args.json || args.quiet {
        report::say_failures(&measured);
    }
    let failed = measured.outcomes.iter().any(|o| o.failure.is_some()) || measured.checks.iter().any(|c| !c.passed);
    if failed { Err(CliError::CheckFailed) } else { Ok(()) }
}

/// A paragraph about each analysis that has a result.
fn tell_methods(measured: &Finished, asked: &[AnalysisSpec], seed: u64) -> Result<(), CliError> {
    let mut out = output::out();
    for spec in asked {
        let of = measured.outcomes.iter().find(|o| o.name == spec.name);
        if let Some(text) = of.and_then(|o| methods::paragraph(o, spec, &measured.recording, seed)) {
            writeln!(out)?;
            for line in output::wrap(&text, output::width()) {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(out.flush()?)
}

/// What was opened.
pub(super) struct Opened {
    pub finished: Finished,
    /// Number of points, of an ensemble.
    pub points: Option<usize>,
}

/// Opens the folder of a run, a table, or a table from standard input; what is damaged is said.
pub(super) fn open(source: &str) -> Result<Opened, CliError> {
    let path = Path::new(source);
    if source == STANDARD_INPUT {
        let bytes: Arc<[u8]> = run::standard_input().map_err(CliError::Usage)?.into();
        let finished = table::recording_from_bytes("input", Path::new("standard input"), &bytes)?;
        return Ok(Opened { finished, points: None });
    }
    if path.is_dir() {
        let (finished, damage) = table::open_telling(path)?;
        for text in damage {
            output::say(&format!("warning: {text}"));
        }
        return Ok(Opened { finished, points: Manifest::read(path)?.points });
    }
    if !path.exists() {
        return Err(CliError::Usage(format!("there is no run and no table {source}")));
    }
    if Format::of(path).is_none() && path.is_file() {
        return Err(CliError::Usage(format!(
            "{source} is neither the folder of a run nor a table (.parquet, .csv); `spikedeck run {source}` runs a \
             scenario"
        )));
    }
    Ok(Opened { finished: table::recording_from(path)?, points: None })
}

/// The analyses that are asked for: those of the scenario where none is named.
pub(super) fn wanted(
    finished: &Finished,
    with: &[AskedAnalysis],
    of: &[String],
) -> Result<Vec<AnalysisSpec>, CliError> {
    if with.is_empty()
        && of.is_empty()
        && let Some(spec) = finished.spec.as_ref().filter(|s| !s.analyses.is_empty())
    {
        return Ok(spec.analyses.clone());
    }
    let recording = &finished.recording;
    let places = places(recording);
    let spiking = places.iter().any(|p| p.spiking.is_some());
    let kinds = if spiking { ["rates", "isi"] } else { ["levels", "psd"] };
    let usual = || kinds.map(|kind| AskedAnalysis { kind: kind.into(), keys: Vec::new() }).to_vec();
    let mut asked = if with.is_empty() { usual() } else { with.to_vec() };
    // What every analysis looks at that does not say it itself: all spikes, or all signals where nothing spikes.
    let all: Vec<String> = if of.is_empty() {
        let what = |p: &RecordedPlace| -> Vec<String> {
            if spiking { p.spiking.iter().map(|_| format!("{}.spikes", p.name)).collect() } else { p.subjects() }
        };
        places.iter().flat_map(what).collect()
    } else {
        of.to_vec()
    };
    if all.is_empty() {
        return Err(CliError::Usage(format!("{} holds neither spikes nor signals", finished.label)));
    }
    let list =
        format!("[{}]", all.iter().map(|s| toml::Value::from(s.as_str()).to_string()).collect::<Vec<_>>().join(", "));
    for analysis in &mut asked {
        if !analysis.keys.iter().any(|(key, _)| matches!(key.as_str(), "of" | "source" | "target")) {
            analysis.keys.push(("of".into(), list.clone()));
        }
    }
    let catalog = run::catalog();
    analyses_of(&asked, &places, recording.time_base, &catalog)
        .map_err(|report| CliError::Report(report.render(output::colour_on_stderr())))
}

/// What a recording holds, as analyses ask for it; also what is not at hand, so that why is said.
fn places(recording: &Recording) -> Vec<RecordedPlace> {
    let of = |p: &spikedeck_signal::Population| {
        let spikes = recording.spikes_of(&p.name).map(|s| s.size);
        let absent = recording.spikes_are_absent(&p.name).map(|_| p.size);
        let here = recording.traces.iter().filter(|t| t.population == p.name).map(|t| t.variable.clone());
        let gone = recording.absent.iter().filter(|a| a.population == p.name).filter_map(|a| a.variable.clone());
        let mut variables: Vec<String> = Vec::new();
        for name in here.chain(gone) {
            if !variables.contains(&name) {
                variables.push(name);
            }
        }
        RecordedPlace { name: p.name.clone(), size: p.size, spiking: spikes.or(absent), variables }
    };
    recording.populations.iter().map(of).collect()
}

/// Writes what was recorded and measured as a run.
fn write(out: &Path, args: &Args, measured: &Finished) -> Result<(PathBuf, Manifest), CliError> {
    let mut folder = Folder::create(out, args.format.into(), args.force)?;
    if let Some(spec) = &measured.spec {
        folder.spare(spec)?;
    }
    let manifest = folder.finish(measured)?;
    Ok((folder.path().to_owned(), manifest))
}

fn print(measured: &Finished, seed: u64, points: Option<usize>, verbose: bool) -> Result<(), CliError> {
    let colour = output::colour_on_stdout();
    let mut out = output::out();
    let title = measured.spec.as_ref().map_or("", |s| s.title.as_str());
    writeln!(out, "{}  {title}", tone(&measured.label, Tone::Bold, colour))?;
    writeln!(out, "{}", tone(&holds(measured, seed, points), Tone::Dim, colour))?;
    report::metrics(&mut out, measured, verbose, colour)?;
    report::checks(&mut out, measured, colour)?;
    report::warnings(&mut out, &measured.warnings.iter().collect::<Vec<_>>(), colour)?;
    writeln!(out)?;
    let took = number::duration(measured.facts.analyse_seconds);
    writeln!(out, "{}", tone(&format!("analysed {took}"), Tone::Dim, colour))?;
    Ok(out.flush()?)
}

/// What is there, in a line.
fn holds(measured: &Finished, seed: u64, points: Option<usize>) -> String {
    let recording = &measured.recording;
    let window = recording.analysis_window();
    let unit = recording.time_base.unit();
    let time = |t: f64| format!("{} {unit}", short(t)).trim_end().to_owned();
    let ended = match measured.status {
        Status::Complete => "",
        Status::Interrupted => " (interrupted)",
        Status::Failed => " (failed)",
    };
    let units: usize = recording.populations.iter().map(|p| p.size).sum();
    let mut parts = vec![
        format!("seed {seed}"),
        format!("from {} to {}{ended}", time(window.start), time(window.stop)),
        number::counted(units, "unit", "units"),
    ];
    let spikes: u64 = recording.spikes.iter().map(|s| s.len() as u64).sum();
    if !recording.spikes.is_empty() {
        parts.push(format!("{} spikes", number::count(spikes)));
    }
    if !recording.traces.is_empty() {
        parts.push(number::counted(recording.traces.len(), "recorded variable", "recorded variables"));
    }
    let trials = recording.each_trial().count();
    match points {
        Some(points) if trials == 1 && points > 1 => {
            parts.push(format!("the first of {points} points, whose recordings are kept"));
        }
        Some(_) if trials > 1 => parts.push(format!("means over {trials} trials, spikes those of the first")),
        _ => {}
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_split_where_commas_separate_them() {
        let read = |text: &str| parse_asked(text).map(|a| (a.kind, a.keys));
        let keys = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(read("psd"), Ok(("psd".into(), vec![])));
        assert_eq!(
            read("psd: segment = 2 s, of=[\"a.v\", \"mean(a.w[0, 1])\"],x=\"1,2\""),
            Ok(("psd".into(), keys(&[("segment", "2 s"), ("of", "[\"a.v\", \"mean(a.w[0, 1])\"]"), ("x", "\"1,2\"")])))
        );
        assert_eq!(read("isi:of=a.spikes[0..3],"), Ok(("isi".into(), keys(&[("of", "a.spikes[0..3]")]))));
        for wrong in ["", ":bin=1", "psd:bin", "psd:=1", "psd:bin="] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
