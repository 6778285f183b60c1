//! The points of a sweep: product of the axes, times seeds, times trials.

use std::sync::Arc;

use super::RunError;
use super::across::{axis_value, setting};
use spikedeck_scenario::{Design, FileUse, Redraws, SMALL_FILE, Spec, Sweep};
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
        label(&self.axes, self.seed, self.trial)
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

fn label(axes: &[(String, String)], seed: u64, trial: Option<(u64, usize)>) -> String {
    let mut parts: Vec<String> = axes.iter().map(|(path, value)| setting(path, value)).collect();
    parts.push(format!("seed={seed}"));
    parts.extend(trial.map(|(number, _)| format!("trial={number}")));
    parts.join(" ")
}

/// Resolves a scenario again with more overrides (path and TOML text).
pub type Resolve<'a> = dyn Fn(&[(String, String)]) -> Result<Spec, String> + 'a;

/// Points of a sweep in which single units are tried before the run.
const TRIED: usize = 32;

/// Whether units are tried alone in point `at` of so many, spread over the sweep: what is wrong with their spikes is
/// told of the whole.
pub(super) fn is_tried(at: usize, points: usize) -> bool {
    at.is_multiple_of(points.div_ceil(TRIED).max(1)) || at + 1 == points
}

/// The points of a sweep before any of them is resolved: what differs between them, in order.
#[derive(Debug, Clone)]
pub struct Plan {
    points: Vec<Planned>,
    /// Whether the values of the axes are drawn whenever the sweep is read.
    is_drawn: bool,
}

/// A point that is not resolved yet.
#[derive(Debug, Clone)]
struct Planned {
    axes: Vec<(String, String)>,
    seed: u64,
    trial: Option<(u64, usize)>,
    /// What is set for it: its axes, seed and trial.
    overrides: Vec<(String, String)>,
}

impl Plan {
    /// What `spec` asks for: one point a seed, combination of axis values and trial; the first axis varies slowest.
    ///
    /// # Errors
    /// When the plan itself does not fit into memory, or a seed or trial is larger than a number can be.
    pub fn of(spec: &Spec) -> Result<Self, RunError> {
        if spec.sweep.is_none() && spec.trials.is_none() {
            let seed = spec.simulation.seed;
            return Ok(Self {
                points: vec![Planned { axes: Vec::new(), seed, trial: None, overrides: Vec::new() }],
                is_drawn: false,
            });
        }
        let one = Sweep { seeds: 1, ..Sweep::default() };
        let sweep = spec.sweep.as_ref().unwrap_or(&one);
        let conditions = spec.trials.as_ref().map(|t| (product(&t.axes), u64::from(t.count.max(1))));
        let (needed, allowed) = (count(spec).saturating_mul(PLANNED), super::memory::budget(spec));
        too_many(spec, needed, allowed, "are planned")?;
        let mut points = Vec::new();
        for axes in combinations(sweep) {
            for k in 0..u64::from(sweep.seeds.max(1)) {
                let (seed, redrawn) = seeds(spec, sweep, k)?;
                let overrides = [axes.clone(), redrawn].concat();
                let Some((conditions, count)) = &conditions else {
                    points.push(Planned { axes: axes.clone(), seed, trial: None, overrides });
                    continue;
                };
                let mut number = spec.simulation.trial;
                for condition in conditions {
                    for _ in 0..*count {
                        let own = [("simulation.trial".to_owned(), number.to_string())];
                        points.push(Planned {
                            axes: [axes.as_slice(), condition].concat(),
                            seed,
                            trial: Some((number, axes.len())),
                            overrides: [overrides.as_slice(), condition, &own].concat(),
                        });
                        number = number.checked_add(1).ok_or_else(|| {
                            RunError::Scenario("simulation.trial: the last trial is larger than a number can be".into())
                        })?;
                    }
                }
            }
        }
        let is_drawn = !matches!(sweep.design, Design::Product | Design::Zip);
        Ok(Self { points, is_drawn })
    }

    /// What tells it from other plans: everything that is set, point by point.
    pub fn digest(&self) -> String {
        let mut text = String::new();
        for (path, value) in self.points.iter().flat_map(|p| p.overrides.iter().chain([&PLAN_END])) {
            text.push_str(path);
            text.push('\0');
            text.push_str(value);
            text.push('\0');
        }
        FileUse::of(std::path::Path::new("plan"), text.as_bytes()).sha256
    }

    /// What tells a point from the others: `tau_m=15 ms seed=3`.
    pub fn label(&self, at: usize) -> String {
        let Planned { axes, seed, trial, .. } = &self.points[at];
        label(axes, *seed, *trial)
    }

    /// Its value of the first axis, in the unit in which axes show it; nothing where that is no quantity.
    pub fn first_value(&self, at: usize) -> Option<f64> {
        self.points[at].axes.first().and_then(|(_, value)| axis_value(value)).map(|v| v.0)
    }

    /// What is to be set beside what is set in the scenario so that a point is the only one of its sweep. Nothing where
    /// a design draws the points, and where they are trials of a network.
    pub fn alone(&self, at: usize) -> Option<Vec<(String, String)>> {
        let Planned { axes, trial, overrides, .. } = &self.points[at];
        if self.is_drawn || trial.is_some() {
            return None;
        }
        let values = axes.iter().map(|(path, value)| (format!("sweep.axes.\"{path}\""), format!("[{value}]")));
        let seeds = overrides.iter().filter(|o| !axes.contains(o)).cloned();
        Some(values.chain(seeds).chain([("sweep.seeds".to_owned(), "1".to_owned())]).collect())
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is none, which no plan of a scenario is.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The point `at` of a scenario, which `resolve` resolves with what is set for it.
    ///
    /// # Errors
    /// When it does not resolve.
    pub fn point(&self, at: usize, resolve: &Resolve<'_>) -> Result<Point, RunError> {
        let mut overrides = self.points[at].overrides.clone();
        // What the sweep draws is put in already, and is not drawn again for each point.
        if self.is_drawn {
            overrides.push((DRAWN.into(), "1".into()));
        }
        let mut spec = resolve(&overrides).map_err(RunError::Scenario)?;
        spec.sweep = None;
        spec.overrides.retain(|(path, _)| path != DRAWN);
        Ok(self.point_with(at, Arc::new(spec)))
    }

    /// The same with a scenario that is there already.
    pub fn point_with(&self, at: usize, spec: Arc<Spec>) -> Point {
        let Planned { axes, seed, trial, .. } = &self.points[at];
        Point { axes: axes.clone(), seed: *seed, trial: *trial, spec }
    }
}

/// All points of the sweep and of the trials of `spec`, each resolved by `resolve` from the overrides of `spec` and its
/// own. Points of one seed share their random numbers: a difference between them is a difference.
///
/// # Errors
/// When a point does not resolve, or all together do not fit into memory.
pub fn points(spec: &Spec, resolve: &Resolve<'_>) -> Result<Vec<Point>, RunError> {
    let plan = Plan::of(spec)?;
    if spec.sweep.is_none() && spec.trials.is_none() {
        return Ok(vec![plan.point_with(0, Arc::new(spec.clone()))]);
    }
    let needed = count(spec).saturating_mul(bytes_of(spec));
    too_many(spec, needed, super::memory::budget(spec), "are held at once")?;
    let mut held = spec.files.clone();
    let mut points = Vec::with_capacity(plan.len());
    for at in 0..plan.len() {
        let mut point = plan.point(at, resolve)?;
        share_files(Arc::make_mut(&mut point.spec), &mut held);
        points.push(point);
    }
    Ok(points)
}

/// The number of points that a design draws.
const DRAWN: &str = "sweep.points";

/// Stands behind what is set for one point.
static PLAN_END: (String, String) = (String::new(), String::new());

/// About what a point that is not resolved yet takes, with a few axes.
const PLANNED: u64 = 1024;

/// Number of points of the sweep and the trials of `spec`.
fn count(spec: &Spec) -> u64 {
    let values = |axes: &[(String, Vec<String>)]| {
        axes.iter().fold(1_u64, |n, (_, values)| n.saturating_mul(values.len() as u64))
    };
    let swept = spec.sweep.as_ref().map_or(1, |s| s.combinations().saturating_mul(u64::from(s.seeds.max(1))));
    let trials = spec.trials.as_ref().map_or(1, |t| values(&t.axes).saturating_mul(u64::from(t.count.max(1))));
    swept.saturating_mul(trials)
}

fn too_many(spec: &Spec, needed: u64, allowed: u64, held: &str) -> Result<(), RunError> {
    if needed <= allowed {
        return Ok(());
    }
    let largest = format!("{} points of a sweep {held}", spikedeck_core::number::count(count(spec)));
    Err(spikedeck_sim::BuildError::Memory { needed, allowed, largest }.into())
}

/// The combinations of axis values that are points of a sweep.
fn combinations(sweep: &Sweep) -> Vec<Vec<(String, String)>> {
    if sweep.design == Design::Product || sweep.axes.is_empty() {
        return product(&sweep.axes);
    }
    let each = |k: usize| sweep.axes.iter().map(|(path, values)| (path.clone(), values[k].clone())).collect();
    (0..sweep.combinations() as usize).map(each).collect()
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
    let key = sweep.redraws.key();
    let first = match sweep.redraws {
        Redraws::All => spec.simulation.seed,
        Redraws::Noise => own.noise,
        Redraws::Values => own.values,
        Redraws::Wiring => own.wiring,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Each point of a sweep can be made the only one: with the same values and the same seed.
    #[test]
    fn a_point_can_stand_alone() {
        let text = r#"
            [simulation]
            duration = "20 ms"
            dt = "0.1 ms"
            seed = 7
            [populations.p]
            model = "lif"
            [stimuli.s]
            target = "p.I"
            kind = "constant"
            amplitude = "0 pA"
            [sweep]
            seeds = 2
            [sweep.axes]
            "stimuli.s.amplitude" = { from = "100 pA", to = "300 pA", steps = 3 }
            "populations.p.parameters.tau_m" = ["10 ms", "20 ms"]
        "#;
        let source = crate::Source { text: text.into(), origin: None, name: "grid".into(), variant: None };
        let (spec, _) = crate::resolve(&source, &[]).map_err(|e| e.render(false)).unwrap();
        let plan = Plan::of(&spec).unwrap();
        assert_eq!(plan.len(), 12);
        for at in 0..plan.len() {
            let point = plan.point(at, &|more| crate::again(&spec, more)).unwrap();
            let alone = crate::again(&spec, &plan.alone(at).unwrap()).unwrap();
            let points = points(&alone, &|more| crate::again(&alone, more)).unwrap();
            assert_eq!(points.len(), 1, "{}", plan.label(at));
            assert_eq!((points[0].label(), points[0].seed), (point.label(), point.seed));
            let told = |p: &Point| format!("{:?}", p.spec.populations);
            assert_eq!(told(&points[0]), told(&point));
            assert_eq!(points[0].spec.simulation.seed, point.spec.simulation.seed);
        }
        let firsts: Vec<Option<f64>> = (0..12).map(|at| plan.first_value(at)).collect();
        assert_eq!((firsts[0], firsts[4], firsts[11]), (Some(100.0), Some(200.0), Some(300.0)));
    }

    /// Few points are tried all, of many the first, the last and some thirty between.
    #[test]
    fn points_that_are_tried_are_spread_over_a_sweep() {
        for points in [1, 2, 31, 32, 33, 100, 10_000] {
            let tried: Vec<usize> = (0..points).filter(|at| is_tried(*at, points)).collect();
            assert_eq!((tried[0], tried[tried.len() - 1]), (0, points - 1));
            assert!(tried.len() <= TRIED + 1 && tried.len() >= points.min(TRIED / 2), "{points}: {}", tried.len());
        }
    }

    /// Points of a plan that the reader lets through differ: a condition over a seed sets that seed in each of its
    /// trials, beside whatever seeds the sweep has.
    #[test]
    fn conditions_over_seeds_are_trials_of_their_own() {
        let text = |sweep: &str, key: &str| {
            format!(
                "[simulation]\nduration = \"1 ms\"\ndt = \"0.1 ms\"\nseed = 4\n[populations.p]\nmodel = \"lif\"\n\
                 [sweep]\n{sweep}\n[trials]\ncount = 2\n[trials.axes]\n\"simulation.{key}\" = [7, 8]\n"
            )
        };
        for (sweep, key, number) in [
            ("", "seed", 4),
            ("seeds = 3\nredraws = \"wiring\"", "noise_seed", 12),
            ("seeds = 3\nredraws = \"noise\"", "seed", 12),
        ] {
            let source = crate::Source { text: text(sweep, key), origin: None, name: "t".into(), variant: None };
            let (spec, _) = crate::resolve(&source, &[]).map_err(|e| e.render(false)).unwrap();
            let points = points(&spec, &|more| crate::again(&spec, more)).unwrap();
            assert_eq!(points.len(), number, "{sweep}");
            let drawn = |p: &Point| {
                let simulation = &p.spec.simulation;
                let (own, trial) = (simulation.seeds, simulation.trial);
                (simulation.seed, own.noise, own.values, own.wiring, trial)
            };
            for (k, one) in points.iter().enumerate() {
                for other in &points[..k] {
                    assert_ne!(drawn(one), drawn(other), "{sweep}: {} and {}", one.label(), other.label());
                }
                assert_eq!(one.axes.last().map(|a| a.1.as_str()), Some(if k % 4 < 2 { "7" } else { "8" }));
            }
        }
    }
}
