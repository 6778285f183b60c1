//! The points of a sweep: product of the axes, times seeds, times trials.

use std::sync::Arc;

use super::RunError;
use super::across::setting;
use spikedeck_scenario::{FileUse, Redraws, SMALL_FILE, Spec, Sweep};
use spikedeck_signal::Trial;

/// One point: a scenario with its axis values and seed put in.
#[derive(Debug, Clone)]
pub struct Point {
    /// Axis values as written, in the order of the axes: path and TOML text.
    pub axes: Vec<(String, String)>,
    /// Seed.
    pub seed: u64,
    /// Which trial of the network, where there are trials, and how many of the axes are of the sweep: the others tell
    /// conditions of trials apart.
    pub trial: Option<(u64, usize)>,
    /// The scenario of this point.
    pub spec: Arc<Spec>,
}

impl Point {
    /// `tau_m=15 ms seed=3`.
    pub fn label(&self) -> String {
        let mut parts: Vec<String> = self.axes.iter().map(|(path, value)| setting(path, value)).collect();
        parts.push(format!("seed={}", self.seed));
        parts.extend(self.trial.map(|(number, _)| format!("trial={number}")));
        parts.join(" ")
    }

    /// Whether `other` is a trial of the same network.
    pub(super) fn is_trial_with(&self, other: &Self) -> bool {
        match (self.trial, other.trial) {
            (Some((_, n)), Some((_, m))) => self.seed == other.seed && self.axes[..n] == other.axes[..m],
            _ => false,
        }
    }

    /// Which trial it is, as recordings say it.
    pub(super) fn as_trial(&self) -> Option<Trial> {
        let (number, swept) = self.trial?;
        let condition: Vec<String> = self.axes[swept..].iter().map(|(path, value)| setting(path, value)).collect();
        Some(Trial { number, condition: condition.join(" ") })
    }
}

/// Resolves a scenario again with more overrides (path and TOML text).
pub type Resolve<'a> = dyn Fn(&[(String, String)]) -> Result<Spec, String> + 'a;

/// All points of the sweep and of the trials of `spec` (one a seed, combination of axis values and trial; the first axis
/// varies slowest), each resolved by `resolve` from the overrides of `spec` and its own. Points of one seed share their
/// random numbers: a difference between them is a difference.
///
/// # Errors
/// When a point does not resolve.
pub fn points(spec: &Spec, resolve: &Resolve<'_>) -> Result<Vec<Point>, RunError> {
    if spec.sweep.is_none() && spec.trials.is_none() {
        let (seed, spec) = (spec.simulation.seed, Arc::new(spec.clone()));
        return Ok(vec![Point { axes: Vec::new(), seed, trial: None, spec }]);
    }
    let one = Sweep { seeds: 1, ..Sweep::default() };
    let sweep = spec.sweep.as_ref().unwrap_or(&one);
    let combinations = product(&sweep.axes);
    let trials = spec.trials.as_ref().map(|t| (product(&t.axes), u64::from(t.count.max(1))));
    let each = trials.as_ref().map_or(1, |(conditions, count)| (conditions.len() as u64).saturating_mul(*count));
    let count = (combinations.len() as u64 * u64::from(sweep.seeds.max(1))).saturating_mul(each);
    let (needed, allowed) = (count.saturating_mul(bytes_of(spec)), super::memory::budget(spec));
    if needed > allowed {
        let largest = format!("{} points of a sweep are held at once", spikedeck_core::number::count(count));
        return Err(spikedeck_sim::BuildError::Memory { needed, allowed, largest }.into());
    }
    let mut held = spec.files.clone();
    let mut points = Vec::new();
    let mut add = |axes: Vec<(String, String)>, seed: u64, trial, overrides: &[(String, String)]| {
        let mut resolved = resolve(overrides).map_err(RunError::Scenario)?;
        resolved.sweep = None;
        share_files(&mut resolved, &mut held);
        points.push(Point { axes, seed, trial, spec: Arc::new(resolved) });
        Ok::<(), RunError>(())
    };
    for axes in combinations {
        for k in 0..u64::from(sweep.seeds.max(1)) {
            let (seed, redrawn) = seeds(spec, sweep, k)?;
            let overrides = [axes.clone(), redrawn].concat();
            let Some((conditions, count)) = &trials else {
                add(axes.clone(), seed, None, &overrides)?;
                continue;
            };
            let mut number = spec.simulation.trial;
            for condition in conditions {
                for _ in 0..*count {
                    let own = [("simulation.trial".to_owned(), number.to_string())];
                    let all = [overrides.as_slice(), condition, &own].concat();
                    add([axes.as_slice(), condition].concat(), seed, Some((number, axes.len())), &all)?;
                    number = number.checked_add(1).ok_or_else(|| {
                        RunError::Scenario("simulation.trial: the last trial is larger than a number can be".into())
                    })?;
                }
            }
        }
    }
    Ok(points)
}

/// All combinations of the values of axes, the first of which varies slowest.
fn product(axes: &[(String, Vec<String>)]) -> Vec<Vec<(String, String)>> {
    let mut combinations: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for (path, values) in axes {
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
    combinations
}

/// The `k`-th seed of a sweep, and what is put in for it.
fn seeds(spec: &Spec, sweep: &Sweep, k: u64) -> Result<(u64, Vec<(String, String)>), RunError> {
    let own = &spec.simulation.seeds;
    let (key, first) = match sweep.redraws {
        Redraws::All => ("seed", spec.simulation.seed),
        Redraws::Noise => ("noise_seed", own.noise),
        Redraws::Values => ("values_seed", own.values),
        Redraws::Wiring => ("wiring_seed", own.wiring),
    };
    let seed = first.checked_add(k).ok_or_else(|| {
        RunError::Scenario(format!("sweep.seeds: {} seeds from {first} on are larger than a seed can be", sweep.seeds))
    })?;
    Ok((seed, vec![(format!("simulation.{key}"), seed.to_string())]))
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
