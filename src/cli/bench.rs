//! `spikedeck bench`: the benchmark cases, each by name, with JSON to hold against other programs in the same minute.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde_json::json;

use super::error::CliError;
use super::output::{self, Align, Grid, Tone};
use crate::core::rng::Key;
use crate::core::welch::{Settings, welch};
use crate::run::{self, Options, Tell};
use crate::store::{Column, Format, Table, Writer};

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Cases; all quick ones if none is named
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Print one JSON object a case
    #[arg(long)]
    pub json: bool,
    /// Repeats of each case; the median is told
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub repeats: u8,
    /// Number of threads
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: u16,
    /// Only name the cases
    #[arg(long)]
    pub list: bool,
}

/// What one repeat gave: the seconds that count, and further numbers.
struct Measured {
    seconds: f64,
    extra: Vec<(&'static str, f64)>,
}

/// A case: name, what it measures, and one repeat on this many threads.
struct Case {
    name: &'static str,
    about: &'static str,
    run: fn(usize) -> Result<Measured, CliError>,
}

/// Every case, one line each.
const CASES: &[Case] = &[
    Case { name: "parquet", about: "10^7 spikes (population, unit, time) to a Parquet file", run: parquet },
    Case { name: "welch", about: "Welch's spectrum of 10^7 samples, 4096 a segment, half overlap, Hann", run: spectrum },
    Case {
        name: "cuba",
        about: "Vogels-Abbott CUBA network, 4000 neurons, 1 s: simulation phase",
        run: |n| network("balanced-cuba", &[], n),
    },
    Case {
        name: "coba",
        about: "Vogels-Abbott COBA network, 4000 neurons, 1 s: simulation phase",
        run: |n| network("balanced-coba", &[], n),
    },
    Case {
        name: "brunel",
        about: "Brunel 2000, 12,500 neurons, 15.6 million connections, 1 s: simulation phase",
        run: |n| network("brunel-2000", &[], n),
    },
    Case {
        name: "izhikevich",
        about: "Izhikevich's 1000-neuron network (2003), 1 s: simulation phase",
        run: |n| network("izhikevich-2003-network", &[], n),
    },
];

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let mut out = output::out();
    if args.list {
        let mut grid = Grid::new(&[Align::Left; 2]);
        for case in CASES {
            grid.row([case.name, case.about], Tone::Plain);
        }
        grid.write(&mut out, "", false, false)?;
        return Ok(out.flush()?);
    }
    let mut chosen = Vec::new();
    for name in &args.names {
        match CASES.iter().find(|c| c.name == name) {
            Some(case) => chosen.push(case),
            None => {
                let names: Vec<&str> = CASES.iter().map(|c| c.name).collect();
                return Err(CliError::Usage(format!("there is no case `{name}`; there are: {}", names.join(", "))));
            }
        }
    }
    if chosen.is_empty() {
        chosen.extend(CASES);
    }
    for case in chosen {
        let mut repeats = Vec::new();
        for _ in 0..args.repeats {
            repeats.push((case.run)(usize::from(args.threads))?);
        }
        let mut times: Vec<f64> = repeats.iter().map(|m| m.seconds).collect();
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        if args.json {
            let mut object = json!({
                "name": case.name, "about": case.about, "threads": args.threads, "repeats": args.repeats, "median_s": median,
                "min_s": times[0], "max_s": times[times.len() - 1], "version": env!("CARGO_PKG_VERSION"),
                "optimised": !cfg!(debug_assertions),
            });
            for (key, value) in repeats.last().map(|m| m.extra.clone()).unwrap_or_default() {
                object[key] = json!(value);
            }
            writeln!(out, "{object}")?;
        } else {
            let spread = format!("{:.3} … {:.3} s", times[0], times[times.len() - 1]);
            writeln!(
                out,
                "{:12} {median:8.3} s  (median of {}, {spread}, {} threads)  {}",
                case.name, args.repeats, args.threads, case.about
            )?;
        }
        out.flush()?;
    }
    if cfg!(debug_assertions) {
        output::say("this is a debug build: build with --release before comparing");
    }
    Ok(())
}

fn parquet(_: usize) -> Result<Measured, CliError> {
    const N: usize = 10_000_000;
    let mut stream = Key::new(1, "bench", "parquet").stream(0, 0);
    let names: Arc<[String]> = Arc::from(["exc".to_owned(), "inh".to_owned()]);
    let units: Vec<u32> = (0..N).map(|_| stream.below(10_000)).collect();
    let times: Vec<f64> = (0..N).map(|k| (k / 100) as f64 * 0.1).collect();
    let codes: Vec<u32> = units.iter().map(|&u| u32::from(u >= 8000)).collect();
    let table = Table::new()
        .with("population", Column::Category { names, codes })
        .with("unit", Column::U32(units))
        .with("time_ms", Column::F64(times));
    let path = std::env::temp_dir().join(format!("spikedeck-bench-{}.parquet", std::process::id()));
    let began = Instant::now();
    let mut writer = Writer::create(&path, &table.schema(), &[], Format::Parquet)?;
    writer.write(&table)?;
    writer.finish()?;
    let seconds = began.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&path)?.len();
    std::fs::remove_file(&path)?;
    Ok(Measured { seconds, extra: vec![("rows", N as f64), ("bytes", bytes as f64)] })
}

fn spectrum(_: usize) -> Result<Measured, CliError> {
    const N: usize = 10_000_000;
    let mut stream = Key::new(1, "bench", "welch").stream(0, 0);
    let signal: Vec<f64> = (0..N).map(|_| stream.uniform() - 0.5).collect();
    let settings = Settings::new(4096);
    let began = Instant::now();
    let spectrum = welch(&signal, 10_000.0, &settings).ok_or_else(|| CliError::Other("the signal is too short".into()))?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(Measured { seconds, extra: vec![("samples", N as f64), ("segments", spectrum.segments as f64)] })
}

/// A built-in scenario without its analyses: the simulation phase.
fn network(name: &str, set: &[(&str, &str)], threads: usize) -> Result<Measured, CliError> {
    let set: Vec<(String, String)> = set.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let (mut spec, _) = run::load(name, &set)?;
    spec.analyses.clear();
    spec.expect.clear();
    spec.sweep = None;
    let tell: Tell = Arc::new(|_| {});
    let options = Options { threads, ..Options::default() };
    let finished = run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell)?;
    let facts = &finished.facts;
    Ok(Measured {
        seconds: facts.simulate_seconds,
        extra: vec![
            ("build_s", facts.build_seconds),
            ("spikes", facts.spikes as f64),
            ("events", facts.events as f64),
            ("connections", facts.connections as f64),
        ],
    })
}
