//! `spikedeck bench`: the benchmark cases, each by name, with JSON to hold against other programs in the same minute.
//!
//! What is timed is the phase that other programs time: the simulation without building the network, the estimate
//! without drawing its data, the file from the first row to the last byte synced. The cases are a table (`cases`);
//! networks are scenarios with overrides (`network`), the rest is `estimates`.

mod cases;
mod estimates;
mod network;

use std::io::Write;

use serde_json::json;

use super::error::CliError;

use super::output::{self, Align, Grid, Tone};
use cases::{CASES, LARGE, named};
use spikedeck_core::number::{brief, count};

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Cases, or families of them (`microcircuit`); all quick ones if none is named
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Print one JSON object a case
    #[arg(long)]
    pub json: bool,
    /// Repeats of each case; the median is told
    #[arg(long, alias = "repeat", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=100))]
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
    /// Name of the time that one of something takes, and of how many.
    per: Option<(&'static str, f64)>,
    extra: Vec<(&'static str, f64)>,
}

impl Measured {
    /// A further number by its name.
    fn extra(&self, name: &str) -> Option<f64> {
        self.extra.iter().find(|e| e.0 == name).map(|e| e.1)
    }

    /// What tables of the speed of networks list beside the time: what building took, the seconds that a second of the
    /// model takes, and how much was done in them.
    fn of_a_network(&self, seconds: f64) -> Option<String> {
        let (build, model) = (self.extra("build_s")?, self.extra("model_s")?);
        let whole = |name: &str| self.extra(name).map(|v| count(v as u64));
        Some(format!(
            "built in {} s; real-time factor {}; {} neurons, {} connections, {} spikes ({} Hz), {} synaptic events; {}",
            brief(build),
            brief(seconds / model),
            whole("neurons")?,
            whole("connections")?,
            whole("spikes")?,
            brief(self.extra("rate_hz")?),
            whole("events")?,
            processor()
        ))
    }
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let mut out = output::out();
    if args.list {
        let mut grid = Grid::new(&[Align::Left; 2]);
        for case in CASES.iter().chain(LARGE) {
            grid.row([case.name, case.about], Tone::Plain);
        }
        grid.write(&mut out, "", false, false)?;
        return Ok(out.flush()?);
    }
    let mut chosen = Vec::new();
    for name in &args.names {
        let found = named(name);
        if found.is_empty() {
            let names: Vec<&str> = CASES.iter().chain(LARGE).map(|c| c.name).collect();
            return Err(CliError::Usage(format!("there is no case `{name}`; there are: {}", names.join(", "))));
        }
        chosen.extend(found);
    }
    if chosen.is_empty() {
        chosen.extend(CASES);
    }
    for case in chosen {
        let mut repeats = Vec::new();
        reset_peak_memory();
        for _ in 0..args.repeats {
            repeats.push(case.work.once(usize::from(args.threads))?);
        }
        let mut times: Vec<f64> = repeats.iter().map(|m| m.seconds).collect();
        times.sort_by(f64::total_cmp);
        let median = f64::midpoint(times[(times.len() - 1) / 2], times[times.len() / 2]);
        let peak = peak_memory();
        if args.json {
            let mut object = json!({
                "name": case.name, "about": case.about, "threads": args.threads, "repeats": args.repeats,
                "median_s": median, "min_s": times[0], "max_s": times[times.len() - 1],
                "version": env!("CARGO_PKG_VERSION"),
                "optimised": !cfg!(debug_assertions), "peak_memory_bytes": peak,
            });
            if let Some(last) = repeats.last() {
                for (key, value) in &last.extra {
                    object[*key] = json!(value);
                }
                if let Some((key, count)) = last.per {
                    object[key] = json!(median / count * 1e9);
                }
                if let Some(model) = last.extra("model_s") {
                    object["real_time_factor"] = json!(median / model);
                    object["processor"] = json!(processor());
                }
            }
            writeln!(out, "{object}")?;
        } else {
            let memory = peak.map_or_else(String::new, |b| format!(", peak {}", spikedeck_core::number::bytes(b)));
            let spread = format!("{:.3} … {:.3} s", times[0], times[times.len() - 1]);
            writeln!(
                out,
                "{:16} {median:8.3} s  (median of {}, {spread}{memory}, {} {})  {}",
                case.name,
                args.repeats,
                args.threads,
                if args.threads == 1 { "thread" } else { "threads" },
                case.about
            )?;
            if let Some(line) = repeats.last().and_then(|m| m.of_a_network(median)) {
                writeln!(out, "{:16} {line}", "")?;
            }
        }
        out.flush()?;
    }
    if cfg!(debug_assertions) {
        output::say("this is a debug build: build with --release before comparing");
    }
    Ok(())
}

/// What the processor calls itself.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

/// The most memory that this process ever held, since it was last reset (Linux: VmHWM).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}

/// Lets the next case start from what is held now. Where the kernel does not allow it, the peak is that of all cases so
/// far.
fn reset_peak_memory() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
