//! The points of a sweep: product of the axes, times seeds.

use std::sync::Arc;

use super::RunError;
use super::across::setting;
use spikedeck_scenario::{FileUse, SMALL_FILE, Spec};

/// One point: a scenario with its axis values and seed put in.
#[derive(Debug, Clone)]
pub struct Point {
    /// Axis values as written, in the order of the axes: path and TOML text.
    pub axes: Vec<(String, String)>,
    /// Seed.
    pub seed: u64,
    /// The scenario of this point.
    pub spec: Arc<Spec>,
}

impl Point {
    /// `tau_m=15 ms seed=3`.
    pub fn label(&self) -> String {
        let mut parts: Vec<String> = self.axes.iter().map(|(path, value)| setting(path, value)).collect();
        parts.push(format!("seed={}", self.seed));
        parts.join(" ")
    }
}

/// Resolves a scenario again with more overrides (path and TOML text).
pub type Resolve<'a> = dyn Fn(&[(String, String)]) -> Result<Spec, String> + 'a;

/// All points of the sweep of `spec` (one a seed and combination of axis values; the first axis varies slowest), each
/// resolved by `resolve` from the overrides of `spec` and its own. Points of one seed share their random numbers: a
/// difference between them is a difference.
///
/// # Errors
/// When a point does not resolve.
pub fn points(spec: &Spec, resolve: &Resolve<'_>) -> Result<Vec<Point>, RunError> {
    let Some(sweep) = &spec.sweep else {
        return Ok(vec![Point { axes: Vec::new(), seed: spec.simulation.seed, spec: Arc::new(spec.clone()) }]);
    };
    let mut combinations: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for (path, values) in &sweep.axes {
        combinations = combinations
            .iter()
            .flat_map(|chosen| {
                values.iter().map(move |value| {
                    let mut chosen = chosen.clone();
                    chosen.push((path.clone(), value.clone()));
                    chosen
                })
            })
            .collect();
    }
    let count = combinations.len() as u64 * u64::from(sweep.seeds.max(1));
    let (needed, allowed) = (count.saturating_mul(bytes_of(spec)), super::memory::budget(spec));
    if needed > allowed {
        let largest = format!("{} points of a sweep are held at once", spikedeck_core::number::count(count));
        return Err(spikedeck_sim::BuildError::Memory { needed, allowed, largest }.into());
    }
    let mut held = spec.files.clone();
    let mut points = Vec::new();
    for axes in combinations {
        for k in 0..u64::from(sweep.seeds.max(1)) {
            let seed = spec.simulation.seed.checked_add(k).ok_or_else(|| {
                let (first, seeds) = (spec.simulation.seed, sweep.seeds);
                RunError::Scenario(format!("sweep.seeds: {seeds} seeds from {first} on are larger than a seed can be"))
            })?;
            let mut overrides = axes.clone();
            overrides.push(("simulation.seed".into(), seed.to_string()));
            let mut resolved = resolve(&overrides).map_err(RunError::Scenario)?;
            resolved.sweep = None;
            share_files(&mut resolved, &mut held);
            points.push(Point { axes: axes.clone(), seed, spec: Arc::new(resolved) });
        }
    }
    Ok(points)
}

/// About what a resolved scenario takes: its text, what it is written out as, and as much again twice in equations and
/// names.
fn bytes_of(spec: &Spec) -> u64 {
    4096 + 4 * (spec.source.len() + spec.canonical.len()) as u64
}

/// What files hold stays in memory once however many points read them, and not more than a run's folder would keep.
fn share_files(resolved: &mut Spec, held: &mut Vec<FileUse>) {
    for file in &mut resolved.files {
        match held.iter().find(|h| h.sha256 == file.sha256) {
            Some(same) => file.contents.clone_from(&same.contents),
            None => {
                let all: u64 = held.iter().filter(|h| h.contents.is_some()).map(|h| h.bytes).sum();
                if all + file.bytes > SMALL_FILE {
                    file.contents = None;
                }
                held.push(file.clone());
            }
        }
    }
}
