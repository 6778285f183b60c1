//! Whether a step is short enough for the spikes that a scheme counts: before the first step a few units are driven by
//! their own stimuli, alone, with the step, with half of it, and, where the two differ, with a scheme that adapts
//! inside a step and locates its crossings.
//!
//! A scheme that follows a course at rest or through one spike (`stepper::trust`) may still count too many or too few:
//! errors of each spike add up, adaptation feeds on them, and a spike on the grid comes up to a step late. Nothing is
//! known of how an error of states is an error of counts, so it is the counts and the intervals that are compared. What
//! connections bring is left out, as is white noise of the equations; stimuli are what they are in the run. Counts are
//! compared down to a single spike, intervals from three spikes on; when the first spike comes is not.

use std::ops::Range;

use super::buffers::make_room;
use super::group::{Trial, attach_stimuli, unattached};
use super::prepare::Prepared;
use crate::BuildError;
use crate::body::Player;
use crate::group::Group;
use crate::stepper::LaneSpike;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::TimeUnit;
use spikedeck_scenario::{AtRest, Integrator, PopulationId, SpikeTimes, Stimulus as _, StimulusKind};

/// Units that are tried.
const UNITS: usize = 3;

/// Spikes after which a trial ends.
const SPIKES: usize = 12;

/// Steps of a trial, of all units of a population and of a network.
const STEPS: [u64; 2] = [12_000, 40_000];

/// How many steps of a scheme that works lane by lane cost no more than these: a part of them.
const BY_LANE: u64 = 4;

/// Steps that are passed over before something drives a unit.
const SILENT: u64 = 200_000;

/// Steps between two looks at whether the network is still wanted.
const LOOK: u64 = 256;

/// Difference of counts or intervals, as a part of them, up to which a step and half of it agree.
const SETTLED: f64 = 0.02;

/// The same beyond which it is told.
const TOLD: f64 = 0.08;

/// Steps up to which two spikes of trials that are driven by the same noise are the same one.
const TOGETHER: f64 = 2.0;

/// Halvings that are tried for a step that would do.
const MOST_HALVINGS: u32 = 6;

/// Parts of a step in which the reference is made where it cannot locate crossings, or begins anew after one.
const FINE: u32 = 4;

/// The same on trees, whose schemes do not adapt: all but an eighth of an error of first order is seen.
const FINER: u32 = 8;

/// What is to be told of the populations of a network.
///
/// # Errors
/// Values with which the equations cannot be stepped.
pub(super) fn miscounts(prepared: &Prepared<'_>) -> Result<Vec<String>, BuildError> {
    let tried: Vec<PopulationId> =
        prepared.spec.population_ids().map(|(p, _)| p).filter(|p| is_tried(prepared, *p)).collect();
    let mut said = Vec::new();
    for &p in &tried {
        prepared.go_on()?;
        let steps = STEPS[0].min(STEPS[1] / tried.len() as u64);
        let found = units(prepared, p).find_map(|lanes| Rehearsal::new(prepared, p, lanes)?.miscount(steps));
        let place = &prepared.spec.population(p).name;
        said.extend(found.map(|what| format!("populations.{place}: {what}")));
    }
    // A trial that was broken off has told nothing.
    prepared.go_on()?;
    Ok(said)
}

/// Whether spikes of a population can be counted by some of its units: points or cells with a threshold, whose step is
/// not known to be too long already.
fn is_tried(prepared: &Prepared<'_>, p: PopulationId) -> bool {
    let (population, choice) = (prepared.spec.population(p), &prepared.choices[p.index()]);
    let system = &population.system;
    // Equations of trees keep their noise.
    let apart = population.grid.is_none() && !system.plays() && (population.tree.is_none() || !system.is_stochastic());
    let is_map = choice.integrator == Integrator::Euler
        && population.time_unit() == TimeUnit::Dimensionless
        && prepared.spec.simulation.dt == 1.0;
    // What adapts inside a step is right at any, but where spikes reset on its grid.
    let on_grid = prepared.spec.simulation.spike_times == SpikeTimes::Grid && !system.parts().reset.is_empty();
    let is_right = choice.integrator == Integrator::Rk45 && !on_grid;
    apart && population.size > 0 && system.spikes() && choice.doubt.is_none() && !is_map && !is_right
}

/// Lanes of the units that are tried: the first, the last, and one between; on trees of whole cells.
fn units(prepared: &Prepared<'_>, p: PopulationId) -> impl Iterator<Item = Range<usize>> {
    let population = prepared.spec.population(p);
    let each = population.tree.as_ref().map_or(1, |tree| tree.units());
    let last = population.size / each - 1;
    let mut units: Vec<usize> = (0..UNITS).map(|k| k * last / (UNITS - 1)).collect();
    units.dedup();
    units.into_iter().map(move |unit| unit * each..(unit + 1) * each)
}

/// One unit by itself.
struct Rehearsal<'a> {
    prepared: &'a Prepared<'a>,
    p: PopulationId,
    lanes: Range<usize>,
    /// The step of the run from which on something drives the unit.
    begin: u64,
}

/// Spikes of a trial.
struct Fired {
    /// In steps of the run since its start.
    times: Vec<f64>,
    /// Steps of the run that were made.
    steps: u64,
}

impl<'a> Rehearsal<'a> {
    /// Of a unit, from where something drives it; from the start where nothing does, as it may spike by itself.
    fn new(prepared: &'a Prepared<'a>, p: PopulationId, lanes: Range<usize>) -> Option<Self> {
        if prepared.spec.stimuli.iter().all(|s| s.target.population != p) {
            return Some(Self { prepared, p, lanes, begin: 0 });
        }
        let mut drive = drive(prepared, p, &lanes)?;
        let mut is_driven = |k: &u64| {
            let (inputs, arrivals) = drive.driven(*k, &prepared.axis);
            inputs.iter().flatten().any(|v| *v != 0.0) || arrivals.iter().any(|row| !row.is_empty())
        };
        let goes_on = |k: &u64| !k.is_multiple_of(LOOK) || prepared.go_on().is_ok();
        let mut steps = (0..SILENT.min(prepared.spec.simulation.steps)).take_while(goes_on);
        let begin = steps.find(|k| is_driven(k));
        Some(Self { prepared, p, lanes, begin: begin.unwrap_or(0) })
    }

    /// What is wrong with the spikes that the chosen scheme counts at the step given, if anything is.
    fn miscount(&self, steps: u64) -> Option<String> {
        let asked = Trial::asked(self.prepared, self.p);
        let by_lane = matches!(asked.integrator, Integrator::Rk45 | Integrator::Rosenbrock);
        // Compartments of a tree cost as units do.
        let cost = self.lanes.len() as u64 * if by_lane { BY_LANE } else { 1 };
        let most = steps / UNITS as u64 / cost;
        let own = self.fire(asked, most, SPIKES)?;
        let same = |trial: Trial| self.fire(trial, own.steps, usize::MAX).map(|f| f.times);
        let window = [self.begin as f64, (self.begin + own.steps) as f64];
        if difference(&own.times, &same(Trial { parts: 2, ..asked })?, window) <= SETTLED {
            return None;
        }
        let settled = self.settled(&own)?;
        let is_drawn = self.is_drawn();
        let is_wrong = |times: &[f64]| {
            let is_known = !is_drawn || is_beyond_chance(times, &settled);
            is_known && difference(times, &settled, window) > TOLD
        };
        if !is_wrong(&own.times) {
            return None;
        }
        let does = |trial: Trial| same(trial).is_some_and(|times| !is_wrong(&times));
        let good = (1..=MOST_HALVINGS).map(|k| 1_u32 << k).find(|&parts| does(Trial { parts, ..asked }));
        let mut help = Vec::new();
        help.extend(good.map(|parts| format!("dt = \"{}\" does", self.shown(1.0 / f64::from(parts)))));
        if asked.spike_times == SpikeTimes::Grid && does(Trial { spike_times: SpikeTimes::Interpolated, ..asked }) {
            help.push("spike_times = \"interpolated\" does".to_owned());
        }
        let points = self.prepared.spec.population(self.p).tree.is_none();
        if points && asked.integrator != Integrator::Rk45 && does(Trial { integrator: Integrator::Rk45, ..asked }) {
            help.push("integrator = \"rk45\", which adapts inside a step, does".to_owned());
        }
        let help = if help.is_empty() { String::new() } else { format!("; {}", help.join("; ")) };
        let (n, right) = (own.times.len(), settled.len());
        let counts = if n == right { String::new() } else { format!("{n} spikes for {right} in ") };
        Some(format!(
            "a step of {} is too long for `{}` to count spikes here: unit {} alone, with its stimuli, fires {} \
             ({counts}{} from {} on){help}",
            self.shown(1.0),
            asked.integrator.name(),
            self.lanes.start,
            wrong(&own.times, &settled),
            self.shown(own.steps as f64),
            self.shown(self.begin as f64),
        ))
    }

    /// Whether what drives the unit is noise: single spikes come and go with it, and few say nothing of their rate.
    fn is_drawn(&self) -> bool {
        let is_noise =
            |kind: &StimulusKind| kind.drawn_in_steps() || matches!(kind.at_rest(f64::INFINITY), AtRest::Mean(_));
        self.prepared.spec.stimuli.iter().any(|s| s.target.population == self.p && is_noise(&s.kind))
    }

    /// A time in steps of the run, with its unit.
    fn shown(&self, steps: f64) -> String {
        let dimensionless = self.prepared.spec.population(self.p).time_unit() == TimeUnit::Dimensionless;
        let dimension = if dimensionless { Dimension::NONE } else { Dimension::SECOND };
        Quantity { value: steps * self.prepared.spec.simulation.dt, dimension }.to_string()
    }

    /// The spikes that the equations have, over the same steps.
    fn settled(&self, own: &Fired) -> Option<Vec<f64>> {
        let population = self.prepared.spec.population(self.p);
        if population.tree.is_some() {
            let asked = Trial::asked(self.prepared, self.p);
            return self.fire(Trial { parts: FINER, ..asked }, own.steps, usize::MAX).map(|fired| fired.times);
        }
        let system = &population.system;
        let parts = if system.parts().reset.is_empty() { 1 } else { FINE };
        let located = Trial { integrator: Integrator::Rk45, spike_times: SpikeTimes::Interpolated, parts };
        let on_grid = Trial { spike_times: SpikeTimes::Grid, parts: FINE * FINE, ..located };
        let steps = own.steps;
        let fired = self.fire(located, steps, usize::MAX).or_else(|| self.fire(on_grid, steps, usize::MAX))?;
        Some(fired.times)
    }

    /// Drives the unit for so many steps or spikes; nothing where a step cannot be made, which the run will tell.
    fn fire(&self, trial: Trial, steps: u64, spikes: usize) -> Option<Fired> {
        let Self { prepared, p, ref lanes, begin } = *self;
        let mut body = unattached(prepared, p, lanes, trial).ok()?;
        let mut drive = drive(prepared, p, lanes)?;
        let parts = u64::from(trial.parts);
        let (mut fired, mut now) = (Vec::new(), Vec::<LaneSpike>::new());
        // Nothing has come before: noise of stimuli begins there in every trial alike.
        let end = prepared.spec.simulation.steps.min(begin.saturating_add(steps));
        let mut k = begin;
        while k < end && fired.len() < spikes {
            if k.is_multiple_of(LOOK) && prepared.go_on().is_err() {
                return None;
            }
            let (inputs, mut arrivals) = drive.driven(k, &prepared.axis);
            let inputs: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
            for step in k * parts..(k + 1) * parts {
                // What arrives stands at the end of the whole step.
                let is_last = step + 1 == (k + 1) * parts;
                let rows = arrivals.iter_mut().map(|row| if is_last { row.as_mut_slice() } else { &mut [] });
                let mut rows: Vec<&mut [f64]> = rows.collect();
                now.clear();
                body.advance(step, &inputs, &mut rows, &mut now);
                // Of the watched places of a cell the first.
                let own = now.iter().filter(|s| s.lane == 0);
                fired.extend(own.map(|s| (step as f64 + s.fraction) / parts as f64));
                body.reset(step, &now);
            }
            if body.is_alarmed() || body.not_finite().is_some() {
                return None;
            }
            k += 1;
        }
        Some(Fired { times: fired, steps: k - begin })
    }
}

/// The stimuli of one unit or cell, without it.
fn drive(prepared: &Prepared<'_>, p: PopulationId, lanes: &Range<usize>) -> Option<Group> {
    let system = &prepared.spec.population(p).system;
    let ports = [system.inputs().len(), system.event_ports().len()];
    let mut groups = [Group::new(p, lanes.start as u32, Box::new(Player::default()), lanes.len(), ports, true)];
    attach_stimuli(prepared, &mut groups);
    make_room(prepared, &mut groups, &[], &[]).ok()?;
    let [group] = groups;
    Some(group)
}

/// By how much counts or intervals differ from settled ones, as a part of these, in a trial from one moment to another.
fn difference(times: &[f64], settled: &[f64], [begin, end]: [f64; 2]) -> f64 {
    let apart = times.len().abs_diff(settled.len());
    // One spike more or less may stand at the end of the trial, where the other comes a little too late.
    let last = times.last().into_iter().chain(settled.last()).copied().fold(begin, f64::max);
    let at_end = apart == 1 && (last - begin) * (1.0 + TOLD) >= end - begin;
    let counts = if at_end { 0.0 } else { apart as f64 / settled.len().max(1) as f64 };
    intervals(times, settled).map_or(counts, |ratio| counts.max((ratio - 1.0).abs()))
}

/// Whether more spikes are too many than too few (or the other way), by a sign test at two standard errors: spikes that
/// both have, to a step or two, say nothing.
fn is_beyond_chance(times: &[f64], settled: &[f64]) -> bool {
    let mut left = settled.iter().copied().peekable();
    let mut both = 0_usize;
    for &t in times {
        while left.next_if(|u| *u < t - TOGETHER).is_some() {}
        both += usize::from(left.next_if(|u| *u <= t + TOGETHER).is_some());
    }
    let alone = times.len() + settled.len() - 2 * both;
    times.len().abs_diff(settled.len()).pow(2) > 4 * alone
}

/// The mean interval over the settled one, of as many spikes as both have.
fn intervals(times: &[f64], settled: &[f64]) -> Option<f64> {
    let last = times.len().min(settled.len()).checked_sub(1).filter(|last| *last >= 2)?;
    Some((times[last] - times[0]) / (settled[last] - settled[0])).filter(|ratio| ratio.is_finite())
}

/// In words.
fn wrong(times: &[f64], settled: &[f64]) -> String {
    if settled.is_empty() {
        return "though it should not".to_owned();
    }
    // Where counts differ by more than one they say more, as intervals are those of the first spikes alone; where these
    // are right, it is the counts that are not.
    let counts = times.len() as f64 / settled.len() as f64;
    let of_intervals = intervals(times, settled).map(|ratio| 1.0 / ratio).filter(|rate| (rate - 1.0).abs() > SETTLED);
    let rate = if times.len().abs_diff(settled.len()) < 2 { of_intervals.unwrap_or(counts) } else { counts };
    let percent = 100.0 * (rate - 1.0);
    if percent > 0.0 { format!("{percent:.0} % too often") } else { format!("{:.0} % too seldom", -percent) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_intervals_are_compared() {
        let every = |interval: f64, n: usize| (1..=n).map(|k| k as f64 * interval).collect::<Vec<f64>>();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        let differ = |times: &[f64], settled: &[f64]| difference(times, settled, [0.0, 105.0]);
        close(differ(&every(10.0, 9), &every(10.0, 9)), 0.0);
        // One at the edge is no difference, a tenth of each interval is.
        close(differ(&every(10.0, 9), &every(10.0, 10)), 0.0);
        close(differ(&every(11.0, 9), &every(10.0, 10)), 0.1);
        close(differ(&every(10.0, 6), &every(10.0, 9)), 1.0 / 3.0);
        close(differ(&every(10.0, 4), &[]), 4.0);
        // One more or less elsewhere is a difference, however few there are.
        close(differ(&[3.0], &[9.0, 11.0]), 0.5);
        close(differ(&[3.0], &[]), 1.0);
        close(differ(&[], &[3.0]), 1.0);
        close(differ(&[], &[99.0]), 0.0);
        close(differ(&every(10.0, 4), &every(10.0, 3)), 1.0 / 3.0);
        close(differ(&[], &[]), 0.0);
        // Two of a dozen are the noise's, a half of them is not.
        assert!(!is_beyond_chance(&every(10.0, 12), &every(10.0, 12)));
        assert!(!is_beyond_chance(&every(10.0, 12), &every(10.0, 10)));
        assert!(is_beyond_chance(&every(10.0, 12), &every(10.0, 6)));
        assert!(is_beyond_chance(&every(5.0, 20), &every(10.0, 10)));
        assert_eq!(wrong(&every(10.0, 6), &every(10.0, 9)), "33 % too seldom");
        assert_eq!(wrong(&every(5.0, 11), &every(10.0, 6)), "83 % too often");
        assert_eq!(wrong(&every(11.0, 9), &every(10.0, 9)), "9 % too seldom");
        assert_eq!(wrong(&every(5.0, 3), &[]), "though it should not");
        assert_eq!(wrong(&[], &[3.0]), "100 % too seldom");
        assert_eq!(wrong(&every(10.0, 4), &every(10.0, 3)), "33 % too often");
    }
}
