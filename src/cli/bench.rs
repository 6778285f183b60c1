//! `spikedeck bench`: the benchmark cases, each by name, with JSON to hold against other programs in the same minute.
//!
//! What is timed is the phase that other programs time: the simulation without building the network, the estimate
//! without drawing its data, the file from the first row to the last byte synced.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde_json::json;

use super::bench_masses as masses;
use super::bench_trees as trees;
use super::error::CliError;
use super::output::{self, Align, Grid, Tone};
use spikedeck_core::ksg::{Algorithm, Neighbourhood, mutual_information};
use spikedeck_core::normal::normal;
use spikedeck_core::number;
use spikedeck_core::rng::Key;
use spikedeck_core::spike_distance::{Edges, Framed, pairs, spike_distance_framed};
use spikedeck_core::welch::{Settings, welch};
use spikedeck_run::{self as run, Options, Tell};
use spikedeck_scenario::Spec;
use spikedeck_store::{Column, Format, Table, Writer};

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
pub(super) struct Measured {
    pub seconds: f64,
    /// Name of the time that one of something takes, and of how many.
    pub per: Option<(&'static str, f64)>,
    pub extra: Vec<(&'static str, f64)>,
}

/// A case: name, what it measures, and one repeat on this many threads.
struct Case {
    name: &'static str,
    about: &'static str,
    run: fn(usize) -> Result<Measured, CliError>,
}

/// In-degree 64 + 16 at ten times the size.
const TENFOLD: &[(&str, &str)] = &[
    ("populations.exc.size", "32000"),
    ("populations.inh.size", "8000"),
    ("projections.exc_exc.connect.p", "0.002"),
    ("projections.exc_inh.connect.p", "0.002"),
    ("projections.inh_exc.connect.p", "0.002"),
    ("projections.inh_inh.connect.p", "0.002"),
];

/// Every case, one line each.
const CASES: &[Case] = &[
    Case { name: "parquet", about: "10^7 spikes (population, unit, time) to a Parquet file", run: parquet },
    Case {
        name: "welch",
        about: "Welch's spectrum of 10^7 samples, 4096 a segment, half overlap, Hann",
        run: spectrum,
    },
    Case {
        name: "spike-distance",
        about: "SPIKE-distance of all pairs of 100 trains of about 1000 spikes",
        run: distances,
    },
    Case {
        name: "ksg",
        about: "KSG mutual information of 10^5 pairs of normal numbers (correlation 0.6), k = 4",
        run: ksg_information,
    },
    Case {
        name: "cuba-4000",
        about: "Vogels-Abbott CUBA network, 4000 neurons, 1 s",
        run: |n| network("balanced-cuba", &[], SECOND, n),
    },
    Case {
        name: "cuba-40000",
        about: "the same, 40,000 neurons, same in-degree",
        run: |n| network("balanced-cuba", TENFOLD, SECOND, n),
    },
    Case {
        name: "coba-4000",
        about: "Vogels-Abbott COBA network, 4000 neurons, 1 s",
        run: |n| network("balanced-coba", &[], SECOND, n),
    },
    Case {
        name: "coba-40000",
        about: "the same, 40,000 neurons, same in-degree",
        run: |n| network("balanced-coba", TENFOLD, SECOND, n),
    },
    Case {
        name: "brunel",
        about: "Brunel 2000, asynchronous irregular, 12,500 neurons, 15.6 million connections, 1 s",
        run: |n| network("brunel-2000", &[], SECOND, n),
    },
    Case {
        name: "hodgkin-huxley",
        about: "10,000 Hodgkin-Huxley neurons, 6 to 20 uA/cm2, exponential Euler, 0.01 ms, 100 ms",
        run: hodgkin_huxley,
    },
    Case { name: "gray-scott", about: "Gray-Scott in a plane of 512 x 512 cells, ftcs, 100 steps", run: gray_scott },
    Case { name: "axon-1000", about: "Hodgkin-Huxley axon of 1000 compartments, 0.025 ms, 100 ms", run: trees::axon },
    Case {
        name: "swc",
        about: "branched neuron from SWC, compartments of 7.5 um, 0.025 ms, 100 ms",
        run: |n| trees::branched(1, n),
    },
    Case { name: "swc-100", about: "100 copies of it", run: |n| trees::branched(100, n) },
    Case {
        name: "jansen-rit",
        about: "a Jansen-Rit column with noise, Euler, 0.1 ms, 1000 s",
        run: |n| masses::columns(1, n),
    },
    Case {
        name: "jansen-rit-100",
        about: "100 columns, 50 to 350 pulses per s, 100 s",
        run: |n| masses::columns(100, n),
    },
    Case {
        name: "stdp",
        about: "10,000 integrate-and-fire neurons, 10 million connections with pair STDP, 2 million inhibitory ones, 1 s",
        run: plastic,
    },
    Case {
        name: "izhikevich-2003",
        about: "Izhikevich's 1000-neuron network (2003), 100 seeds of 1 s",
        run: izhikevich,
    },
];

/// One second after the start, whatever the scenario's own duration.
const SECOND: &[(&str, &str)] = &[("simulation.duration", "1 s"), ("simulation.transient", "0 s")];

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
        let Some(case) = CASES.iter().find(|c| c.name == name) else {
            let names: Vec<&str> = CASES.iter().map(|c| c.name).collect();
            return Err(CliError::Usage(format!("there is no case `{name}`; there are: {}", names.join(", "))));
        };
        chosen.push(case);
    }
    if chosen.is_empty() {
        chosen.extend(CASES);
    }
    for case in chosen {
        let mut repeats = Vec::new();
        reset_peak_memory();
        for _ in 0..args.repeats {
            repeats.push((case.run)(usize::from(args.threads))?);
        }
        let mut times: Vec<f64> = repeats.iter().map(|m| m.seconds).collect();
        times.sort_by(f64::total_cmp);
        let median = f64::midpoint(times[(times.len() - 1) / 2], times[times.len() / 2]);
        let peak = peak_memory();
        if args.json {
            let mut object = json!({
                "name": case.name, "about": case.about, "threads": args.threads, "repeats": args.repeats, "median_s": median,
                "min_s": times[0], "max_s": times[times.len() - 1], "version": env!("CARGO_PKG_VERSION"),
                "optimised": !cfg!(debug_assertions), "peak_memory_bytes": peak,
            });
            if let Some(last) = repeats.last() {
                for (key, value) in &last.extra {
                    object[*key] = json!(value);
                }
                if let Some((key, count)) = last.per {
                    object[key] = json!(median / count * 1e9);
                }
            }
            writeln!(out, "{object}")?;
        } else {
            let memory = peak.map_or_else(String::new, |b| format!(", peak {}", number::bytes(b)));
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
    Ok(Measured { seconds, per: None, extra: vec![("rows", N as f64), ("bytes", bytes as f64)] })
}

fn spectrum(threads: usize) -> Result<Measured, CliError> {
    const N: usize = 10_000_000;
    let mut stream = Key::new(1, "bench", "welch").stream(0, 0);
    let signal: Vec<f64> = (0..N).map(|_| stream.uniform() - 0.5).collect();
    let settings = Settings::new(4096);
    let began = Instant::now();
    let spectrum = on_threads(threads, || welch(&signal, 10_000.0, &settings))?
        .ok_or_else(|| CliError::Other("the signal is too short".into()))?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(Measured { seconds, per: None, extra: vec![("samples", N as f64), ("segments", spectrum.segments as f64)] })
}

/// Runs `work` on this many threads.
fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T, CliError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| CliError::Other(format!("no threads: {e}")))?;
    Ok(pool.install(work))
}

fn distances(threads: usize) -> Result<Measured, CliError> {
    const TRAINS: usize = 100;
    const RATE: f64 = 10.0;
    let edges = Edges { start: 0.0, stop: 100.0 };
    // Poisson trains: what is shared between trains does not change the work.
    let trains: Vec<Vec<f64>> = (0..TRAINS)
        .map(|k| {
            let mut stream = Key::new(4, "bench", "spike-distance").stream(k as u32, 0);
            let mut t = 0.0;
            let mut train = Vec::new();
            loop {
                t -= (1.0 - stream.uniform()).ln() / RATE;
                if t >= edges.stop {
                    return train;
                }
                train.push(t);
            }
        })
        .collect();
    let spikes: usize = trains.iter().map(Vec::len).sum();
    let began = Instant::now();
    let values = on_threads(threads, || {
        let framed: Vec<Framed> = trains.iter().map(|t| Framed::new(t, edges)).collect();
        pairs(TRAINS, |i, j| spike_distance_framed(&framed[i], &framed[j]))
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Ok(Measured {
        seconds,
        per: None,
        extra: vec![("spikes", spikes as f64), ("pairs", values.len() as f64), ("mean_distance", mean)],
    })
}

fn ksg_information(threads: usize) -> Result<Measured, CliError> {
    const N: usize = 100_000;
    const RHO: f64 = 0.6;
    let key = Key::new(5, "bench", "ksg");
    let x: Vec<f64> = (0..N).map(|k| normal(key, 0, k as u64)).collect();
    let y: Vec<f64> =
        x.iter().enumerate().map(|(k, v)| RHO * v + (1.0 - RHO * RHO).sqrt() * normal(key, 1, k as u64)).collect();
    let how = Neighbourhood { k: 4, window: 0 };
    let began = Instant::now();
    let value = on_threads(threads, || mutual_information(&[&x], &[&y], how, Algorithm::One))?
        .map_err(|e| CliError::Other(e.to_string()))?;
    let seconds = began.elapsed().as_secs_f64();
    let expected = -0.5 * (1.0 - RHO * RHO).ln();
    Ok(Measured {
        seconds,
        per: None,
        extra: vec![("samples", N as f64), ("information_nats", value), ("expected_nats", expected)],
    })
}

/// A built-in scenario, spikes recorded and nothing analysed: the simulation phase.
fn network(name: &str, set: &[(&str, &str)], more: &[(&str, &str)], threads: usize) -> Result<Measured, CliError> {
    let (spec, _) = run::load(name, &[owned(set), owned(more)].concat())?;
    simulated(spec, threads)
}

fn owned(set: &[(&str, &str)]) -> Vec<(String, String)> {
    set.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect()
}

/// As `bench_hh.py` of NEURON's and Arbor's side: constant currents that rise linearly over the neurons.
fn hodgkin_huxley(threads: usize) -> Result<Measured, CliError> {
    let text = r#"
title = "Uncoupled Hodgkin-Huxley neurons"
[simulation]
duration = "100 ms"
dt = "0.01 ms"
[populations.hh]
model = "hodgkin_huxley"
size = 10000
integrator = "exponential_euler"
[stimuli.current]
target = "hh.I"
kind = "constant"
amplitude = { linspace = ["6 uA/cm**2", "20 uA/cm**2"] }
[record.hh]
spikes = true
"#;
    let source =
        run::Source { text: text.to_owned(), origin: None, name: "hodgkin-huxley-bench".to_owned(), variant: None };
    let (spec, _) = run::resolve(&source, &[])?;
    let steps = spec.simulation.steps as f64 * 10_000.0;
    let mut measured = simulated(spec, threads)?;
    measured.per = Some(("ns_per_neuron_step", steps));
    Ok(measured)
}

/// Steps of a field of two states.
fn gray_scott(threads: usize) -> Result<Measured, CliError> {
    const STEPS: f64 = 100.0;
    let set = [
        ("populations.plane.grid.shape", "[512, 512]"),
        ("simulation.duration", "100"),
        ("record.plane.traces", "[{ variables = [\"v\"], interval = 100 }]"),
    ];
    let mut measured = network("gray-scott", &set, &[], threads)?;
    measured.extra.push(("steps_per_s", STEPS / measured.seconds));
    measured.per = Some(("ns_per_cell_step", STEPS * 512.0 * 512.0));
    Ok(measured)
}

/// As `benches/plastic_network_nest.py`: Brunel's network with in-degrees 1000 and 200, every excitatory connection
/// plastic (multiplicative pair rule).
fn plastic(threads: usize) -> Result<Measured, CliError> {
    let text = r#"
title = "Plastic network"
[simulation]
duration = "1 s"
dt = "0.1 ms"
[populations.exc]
model = "lif"
size = 8000
parameters = { tau_m = "20 ms", E_L = "0 mV", V_th = "20 mV", V_reset = "10 mV", t_ref = "2 ms" }
initial = { V_m = { uniform = ["0 mV", "20 mV"] } }
receptors.syn = { kind = "delta" }
[populations.inh]
model = "lif"
size = 2000
parameters = { tau_m = "20 ms", E_L = "0 mV", V_th = "20 mV", V_reset = "10 mV", t_ref = "2 ms" }
initial = { V_m = { uniform = ["0 mV", "20 mV"] } }
receptors.syn = { kind = "delta" }
[projections.exc_exc]
from = "exc"
to = "exc.syn"
connect = { rule = "fixed_indegree", indegree = 1000, autapses = true, multapses = true }
weight = "0.1 mV"
delay = "1.5 ms"
plasticity = { kind = "stdp_pair", preset = "multiplicative", w_max = "0.2 mV", A_plus = 0.01, A_minus = 0.01 }
[projections.exc_inh]
from = "exc"
to = "inh.syn"
connect = { rule = "fixed_indegree", indegree = 1000, autapses = true, multapses = true }
weight = "0.1 mV"
delay = "1.5 ms"
plasticity = { kind = "stdp_pair", preset = "multiplicative", w_max = "0.2 mV", A_plus = 0.01, A_minus = 0.01 }
[projections.inh_exc]
from = "inh"
to = "exc.syn"
connect = { rule = "fixed_indegree", indegree = 200, autapses = true, multapses = true }
weight = "-0.6 mV"
delay = "1.5 ms"
[projections.inh_inh]
from = "inh"
to = "inh.syn"
connect = { rule = "fixed_indegree", indegree = 200, autapses = true, multapses = true }
weight = "-0.6 mV"
delay = "1.5 ms"
[stimuli.to_exc]
target = "exc.syn"
kind = "poisson"
rate = "12 kHz"
weight = "0.1 mV"
[stimuli.to_inh]
target = "inh.syn"
kind = "poisson"
rate = "12 kHz"
weight = "0.1 mV"
[record.exc]
spikes = true
[record.inh]
spikes = true
"#;
    let source = run::Source { text: text.to_owned(), origin: None, name: "stdp-bench".to_owned(), variant: None };
    let (spec, _) = run::resolve(&source, &[])?;
    simulated(spec, threads)
}

/// A hundred networks, one after another.
fn izhikevich(threads: usize) -> Result<Measured, CliError> {
    let mut whole = Measured { seconds: 0.0, per: None, extra: Vec::new() };
    for seed in 1..=100 {
        let (mut spec, _) = run::load("izhikevich-network-2003", &owned(SECOND))?;
        spec.simulation.seed = seed;
        let one = simulated(spec, threads)?;
        whole.seconds += one.seconds;
        if whole.extra.is_empty() {
            whole.extra = one.extra;
        } else {
            for (sum, value) in whole.extra.iter_mut().zip(one.extra) {
                sum.1 += value.1;
            }
        }
    }
    for (key, value) in &mut whole.extra {
        if *key == "rate_hz" {
            *value /= 100.0;
        }
    }
    whole.extra.push(("networks", 100.0));
    Ok(whole)
}

/// Runs `spec` without traces and analyses.
pub(super) fn simulated(mut spec: Spec, threads: usize) -> Result<Measured, CliError> {
    spec.analyses.clear();
    spec.expect.clear();
    spec.sweep = None;
    spec.simulation.check_halve_dt = false;
    for record in &mut spec.records {
        record.traces.clear();
        record.connections = false;
    }
    recorded(spec, threads)
}

/// Runs `spec` as it is.
pub(super) fn recorded(spec: Spec, threads: usize) -> Result<Measured, CliError> {
    let units: usize = spec.populations.iter().map(spikedeck_scenario::PopulationSpec::sources).sum();
    let duration = spec.simulation.dt * spec.simulation.steps as f64;
    let tell: Tell = Arc::new(|_| {});
    let options = Options { threads, ..Options::default() };
    let finished = run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell)?;
    if let Some(failure) = finished.failure {
        return Err(CliError::Other(failure));
    }
    let facts = &finished.facts;
    Ok(Measured {
        seconds: facts.simulate_seconds,
        per: None,
        extra: vec![
            ("build_s", facts.build_seconds),
            ("spikes", facts.spikes as f64),
            ("rate_hz", facts.spikes as f64 / units as f64 / duration),
            ("events", facts.events as f64),
            ("connections", facts.connections as f64),
        ],
    })
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
