//! The benchmark cases without a network: a file, and estimators.

use std::sync::Arc;
use std::time::Instant;

use super::Measured;
use crate::error::CliError;
use spikedeck_core::ksg::{Algorithm, Neighbourhood, mutual_information};
use spikedeck_core::normal::normal;
use spikedeck_core::rng::Key;
use spikedeck_core::spike_distance::{Edges, Framed, pairs, spike_distance_framed};
use spikedeck_core::welch::{Settings, welch};
use spikedeck_store::{Column, Format, Table, Writer};

pub(super) fn parquet(_: usize) -> Result<Measured, CliError> {
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

pub(super) fn spectrum(threads: usize) -> Result<Measured, CliError> {
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

pub(super) fn distances(threads: usize) -> Result<Measured, CliError> {
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

pub(super) fn ksg_information(threads: usize) -> Result<Measured, CliError> {
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
