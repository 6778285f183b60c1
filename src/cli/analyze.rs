//! `spikedeck analyze`: measure what was recorded, of a run (also one that was killed) or in somebody's table.

mod asked;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) use asked::pieces;
use asked::{frequency, parse_asked, seconds, unit};

use super::error::CliError;
use super::output::{self, Tone, tone};
use super::report;
use super::run::{TableFormat, interrupt_flag, progress, writing};
use super::trials;
use spikedeck_analysis::{Analysis, find};
use spikedeck_core::number;
use spikedeck_core::units::short;
use spikedeck_run::{self as run, Finished, Options, STANDARD_INPUT, Sampling, Status};
use spikedeck_scenario::{AnalysisSpec, AskedAnalysis, RecordedPlace, analyses_of};
use spikedeck_signal::data::TrialKeys;
use spikedeck_signal::{Recording, Spikes};
use spikedeck_store::FileKind;
use spikedeck_table::{self as table, Folder, Manifest, SweepProgress};

/// Subjects that are listed where nothing was asked for.
const SHOWN: usize = 8;
/// What is measured of spikes where nothing was asked for.
const OF_SPIKES: &[&str] = &["raster", "rates", "isi"];
/// What is measured of signals where nothing was asked for.
const OF_SIGNALS: &[&str] = &["levels", "psd"];

/// Arguments of `analyze`.
#[derive(Debug, clap::Args)]
#[command(after_help = "A run that was killed is measured as far as it went; the report says up to when.\n\
    Without --with, the analyses of the run's scenario; of a recording raster, rates and isi (spikes), levels and \
    psd (signals).\n\
    Examples:\n  spikedeck analyze results\n  spikedeck analyze spikes.csv --with isi --with \
    correlogram:bin=\"2 ms\"\n  \
    spikedeck analyze results --with psd:of=exc.rate,bin=\"1 ms\" --json\n  \
    spikedeck analyze session.nwb --with correlogram\n  \
    spikedeck analyze session.nwb --with psth:onset=\"0 s\" --trials \
    trials:before=\"200 ms\",after=\"500 ms\"\n  \
    spikedeck analyze lfp.npy --rate \"1 kHz\" --start \"0 s\" --unit mV\n  \
    gunzip -c lfp.csv.gz | spikedeck analyze - --with psd")]
pub(super) struct Args {
    /// Folder of a run, also of one that was stopped or killed; a recording: a table of spikes or signals (Parquet,
    /// CSV), an HDF5 file (NWB, SONATA), an array (.npy); `-` is one from standard input
    #[arg(value_name = "RUN|RECORDING")]
    pub source: String,
    /// An analysis with its options (may be given several times); `spikedeck explain KIND` lists them
    #[arg(long, value_name = "KIND[:KEY=VALUE,...]", value_parser = parse_asked)]
    pub with: Vec<AskedAnalysis>,
    /// What is looked at, where an analysis does not say it itself (may be given several times)
    #[arg(long, value_name = "SUBJECT")]
    pub of: Vec<String>,
    /// Samples per time, of a signal without times, such as "1 kHz"
    #[arg(long, value_name = "FREQUENCY", value_parser = frequency)]
    pub rate: Option<f64>,
    /// Time of the first sample likewise; 0 s if not given
    #[arg(long, value_name = "TIME", value_parser = seconds, requires = "rate", allow_hyphen_values = true)]
    pub start: Option<f64>,
    /// Unit of a signal that states none, such as mV
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    pub unit: Option<String>,
    /// When units were observed: a table of start_s, stop_s and unit (of all units without it)
    #[arg(long, value_name = "FILE")]
    pub observed: Option<PathBuf>,
    /// When trials were, for analyses of trials such as psth: a table of the recording, or a file of events; with
    /// align=, before=, after=, by=, time_unit=. Its table `trials` if not given
    #[arg(long, value_name = "TABLE|FILE[:KEY=VALUE,...]", value_parser = trials::parse)]
    pub trials: Option<TrialKeys>,
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

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let Opened { mut finished, points } = open(&args.source, &args.sampling())?;
    needs_recording(&args.source, &finished)?;
    finished.warnings.extend(first_alone(&finished, points));
    if let Some(path) = &args.observed {
        run::take_observed(&mut finished, path)?;
    }
    if let Some(keys) = &args.trials {
        run::take_trials(&mut finished, keys)?;
    }
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
        if args.with.is_empty() && measured.spec.is_none() && !args.quiet {
            output::say(&further(&measured));
        }
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
        if let Some(text) = of.and_then(|o| {
            run::methods(o, spec, (&measured.recording, measured.spec.is_some()), (seed, env!("CARGO_PKG_VERSION")))
        }) {
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

impl Args {
    /// What is said of samples beside the file.
    fn sampling(&self) -> Sampling {
        Sampling { rate: self.rate, start: self.start, unit: self.unit.clone() }
    }
}

/// Opens the folder of a run, a recording, or one from standard input; what is damaged is said.
pub(super) fn open(source: &str, sampling: &Sampling) -> Result<Opened, CliError> {
    let path = Path::new(source);
    if source == STANDARD_INPUT {
        let bytes: Arc<[u8]> = run::standard_input().map_err(CliError::Usage)?.into();
        let finished = run::recording_from_bytes("input", Path::new("standard input"), &bytes, sampling)?;
        return Ok(Opened { finished, points: None });
    }
    if path.is_dir() {
        if *sampling != Sampling::default() {
            let what = "a run says itself when its samples are: leave out `--rate`, `--start` and `--unit`";
            return Err(CliError::Usage(what.to_owned()));
        }
        let (finished, damage) = table::open_telling(path)?;
        for text in damage {
            output::say(&format!("warning: {text}"));
        }
        return Ok(Opened { finished, points: Manifest::read(path)?.points });
    }
    if !path.exists() {
        return Err(CliError::Usage(format!("there is no run and no recording {source}")));
    }
    if FileKind::of(path).is_none() && path.is_file() {
        return Err(CliError::Usage(format!(
            "{source} is neither the folder of a run nor a recording (.parquet, .csv, .nwb, .h5, .npy); `spikedeck run \
             {source}` runs a scenario"
        )));
    }
    Ok(Opened { finished: run::recording_from(path, sampling)?, points: None })
}

/// Refuses the folder of a sweep, which holds numbers alone, where what was recorded is looked at.
pub(super) fn needs_recording(source: &str, finished: &Finished) -> Result<(), CliError> {
    let recording = &finished.recording;
    if !recording.spikes.is_empty() || !recording.traces.is_empty() {
        return Ok(());
    }
    let path = Path::new(source);
    let Ok(sweep) = SweepProgress::read(path) else { return Ok(()) };
    let runs = path.join("runs");
    let help = if runs.is_dir() {
        format!("those of its points that were kept are runs of their own, in {}", runs.display())
    } else {
        "`spikedeck sweep ... --keep all` keeps what its points record".to_owned()
    };
    Err(CliError::Usage(format!(
        "{source} is a sweep, of which {} of {} points are there: it holds their numbers (metrics), and no recording; \
         {help}",
        sweep.made.len(),
        sweep.points
    )))
}

/// That of an ensemble the recording of its first point alone is there.
pub(super) fn first_alone(finished: &Finished, points: Option<usize>) -> Option<String> {
    let points = points.filter(|n| *n > finished.recording.each_trial().count())?;
    Some(format!(
        "this is what was recorded of the first of {points} points alone (`metrics` has the numbers of all); \
         `spikedeck sweep --keep all` keeps the recording of each in DIR/runs"
    ))
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
    let spikes: Vec<String> =
        places.iter().filter(|p| p.spiking.is_some()).map(|p| format!("{}.spikes", p.name)).collect();
    // Events are there to be asked for; they are no units.
    let events = &finished.facts.event_populations;
    let is_event = |subject: &str| events.iter().any(|e| subject.strip_suffix(".spikes") == Some(e));
    let others = places.iter().any(|p| !p.variables.is_empty()) || spikes.iter().any(|s| !is_event(s));
    let spikes: Vec<String> = spikes.into_iter().filter(|s| !(others && is_event(s))).collect();
    let signals: Vec<String> =
        places.iter().flat_map(|p| p.variables.iter().map(|v| format!("{}.{v}", p.name))).collect();
    if spikes.is_empty() && signals.is_empty() {
        return Err(CliError::Usage(format!("{} holds neither spikes nor signals", finished.label)));
    }
    let mut asked = with.to_vec();
    let list = |of: &[String]| {
        format!("[{}]", of.iter().map(|s| toml::Value::from(s.as_str()).to_string()).collect::<Vec<_>>().join(", "))
    };
    if with.is_empty() {
        let usual = |kinds: &[&str], of: &[String]| -> Vec<AskedAnalysis> {
            let one = |kind: &&str| AskedAnalysis { kind: (*kind).into(), keys: vec![("of".into(), list(of))] };
            kinds.iter().map(one).collect()
        };
        let spiking = |of: &[String]| of.iter().all(|s| spikes.iter().any(|p| s.starts_with(p.as_str())));
        if of.is_empty() {
            // Of a run that recorded spikes its scenario says what is measured besides.
            if !spikes.is_empty() {
                asked.extend(usual(OF_SPIKES, &spikes));
            }
            if (finished.spec.is_none() || spikes.is_empty()) && !signals.is_empty() {
                asked.extend(usual(OF_SIGNALS, &signals));
            }
        } else {
            asked.extend(usual(if spiking(of) { OF_SPIKES } else { OF_SIGNALS }, of));
        }
    }
    // What every analysis looks at that does not say it itself: all signals where it is about those, else all spikes.
    for analysis in &mut asked {
        let sampled = find(&analysis.kind).is_some_and(Analysis::sampled);
        let signals_first = spikes.is_empty() || (sampled && !signals.is_empty());
        let list = list(if !of.is_empty() {
            of
        } else if signals_first {
            &signals
        } else {
            &spikes
        });
        if !analysis.keys.iter().any(|(key, _)| matches!(key.as_str(), "of" | "source" | "target")) {
            analysis.keys.push(("of".into(), list));
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
        let names = p.names.clone();
        RecordedPlace { name: p.name.clone(), size: p.size, names, spiking: spikes.or(absent), variables }
    };
    recording.populations.iter().map(of).collect()
}

/// Writes what was recorded and measured as a run.
fn write(out: &Path, args: &Args, measured: &Finished) -> Result<(PathBuf, Manifest), CliError> {
    let mut folder =
        Folder::create(out, args.format.into(), args.force)?.with_sonata(args.format == TableFormat::Sonata);
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

/// What else can be asked for, where nothing was: what fits what is there.
fn further(finished: &Finished) -> String {
    let (recording, events) = (&finished.recording, &finished.facts.event_populations);
    let places = places(recording);
    let subjects: Vec<String> = places.iter().flat_map(RecordedPlace::subjects).collect();
    let more = if subjects.len() > SHOWN { format!(", and {} more", subjects.len() - SHOWN) } else { String::new() };
    let units = |p: &RecordedPlace| p.spiking.filter(|_| !events.contains(&p.name)).unwrap_or(0);
    let units: usize = places.iter().map(units).sum();
    let channels: usize = recording.traces.iter().map(|t| t.units.len()).sum();
    let fits = |(kinds, does): &Further| {
        if does(units, channels, recording.trial_times.iter().any(|t| !t.at.is_empty())) { *kinds } else { &[] }
    };
    let kinds: Vec<&str> = FURTHER.iter().flat_map(fits).copied().collect();
    let list = "`spikedeck list analyses` names all";
    format!(
        "--with also takes, of what is here, {} ({list}), of {}{more}",
        kinds.join(", "),
        subjects[..subjects.len().min(SHOWN)].join(", ")
    )
}

/// Kinds of analyses, and whether they fit so many units and channels, with trials or without.
type Further = (&'static [&'static str], fn(usize, usize, bool) -> bool);

/// What may be asked for besides the usual.
const FURTHER: &[Further] = &[
    (&["autocorrelogram", "isi_histogram", "bursts", "rate_kernel"], |units, _, _| units > 0),
    (&["correlogram", "synchrony", "sttc"], |units, _, _| units > 1),
    (&["psth", "stimulus_information"], |units, _, trials| units > 0 && trials),
    (&["noise_correlation", "joint_psth"], |units, _, trials| units > 1 && trials),
    (&["spectrogram", "multitaper", "autocorrelation_time"], |_, channels, _| channels > 0),
    (&["coherence", "granger"], |_, channels, _| channels > 1),
    (&["spike_field", "spike_triggered"], |units, channels, _| units > 0 && channels > 0),
];

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
    // Moments of trials are spikes of no unit.
    let is_event = |population: &str| measured.facts.event_populations.iter().any(|e| e == population);
    let units: usize = recording.populations.iter().filter(|p| !is_event(&p.name)).map(|p| p.size).sum();
    let mut parts = vec![
        format!("seed {seed}"),
        format!("from {} to {}{ended}", time(window.start), time(window.stop)),
        number::counted(units, "unit", "units"),
    ];
    let (events, trains): (Vec<&Spikes>, Vec<&Spikes>) = recording.spikes.iter().partition(|s| is_event(&s.population));
    for (of, what) in [(trains, "spikes"), (events, "events")] {
        if !of.is_empty() {
            let count: u64 = of.iter().map(|s| s.len() as u64).sum();
            parts.push(format!("{} {what}", number::count(count)));
        }
    }
    if !recording.traces.is_empty() {
        parts.push(number::counted(recording.traces.len(), "recorded variable", "recorded variables"));
    }
    let trials = recording.each_trial().count();
    match points {
        Some(points) if trials == 1 && points > 1 => parts.push(format!("the first of {points} points")),
        Some(_) if trials > 1 => parts.push(format!("means over {trials} trials, spikes those of the first")),
        _ => {}
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_and_proposed_is_there() {
        let catalog = run::catalog();
        let all = FURTHER.iter().flat_map(|f| f.0).chain(OF_SPIKES).chain(OF_SIGNALS);
        for kind in all {
            assert!(catalog.analyses.contains_key(kind), "{kind}");
        }
    }
}
