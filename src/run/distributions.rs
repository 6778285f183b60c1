//! Two sets of runs or recordings held against each other by the distributions over the units of a population: of
//! rates, of the irregularity of intervals, of pairwise correlations.
//!
//! Each is the distance of Kolmogorov and Smirnov between one run of A and one of B; its null is the ensemble: the same
//! distance among the runs of a set. The p-value is of all ways to deal the runs out to the two sets anew (Good 2005,
//! doi:10.1007/b138696), with the statistic of energy type 2 E d(A, B) - E d(A, A') - E d(B, B') (Székely and Rizzo
//! 2013, doi:10.1016/j.jspi.2013.03.018). Units of one network are not independent, runs are; so one run on each side
//! has distances and no p-value. The three measures are those by which implementations of the cortical microcircuit are
//! compared (van Albada et al. 2018, doi:10.3389/fninf.2018.00291).

use std::collections::BTreeSet;

use spikedeck_core::number::{self, count, shown};
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::{Correction, adjust, p_value};
use spikedeck_core::{intervals, kolmogorov};
use spikedeck_signal::{Recording, SpikeTrains, TimeBase, Train, Window};

/// Spikes that a unit must have for a CV: two intervals.
const SPIKES_FOR_CV: usize = 3;
/// Units of a population whose pairs are correlated, at most; evenly over those that fired.
const CORRELATED: usize = 200;
/// Width of the bins of correlations, in milliseconds.
const BIN: f64 = 2.0;
/// Runs without values that are named in a note.
const NAMED: usize = 3;
/// Ways to deal runs out that are gone through one by one; of more, this many are drawn.
const DEALINGS: usize = 20_000;

/// What is told of each unit, or pair of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Spikes per second of each unit.
    Rate,
    /// Coefficient of variation of the intervals of each unit with three spikes or more.
    Cv,
    /// Correlation of the counts in bins of 2 ms of each pair of (at most 200) units that fired.
    Correlation,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rate, Self::Cv, Self::Correlation];

    /// Its word in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Cv => "cv",
            Self::Correlation => "correlation",
        }
    }
}

/// The values of one population.
#[derive(Debug, Clone, PartialEq)]
struct Values {
    population: String,
    /// In the order of [`Quantity::ALL`].
    of: [Vec<f64>; 3],
}

/// A run or recording as a member of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    label: String,
    /// Length of what was looked at, in seconds or in units of time.
    length: f64,
    populations: Vec<Values>,
    notes: Vec<String>,
}

impl Member {
    /// Measures all populations whose spikes were recorded, after the transient, but for `events`: moments of trials
    /// and epochs are no units. Of several trials of one network each gives values of every unit. Units that were not
    /// observed all the time are left out, and that is noted.
    ///
    /// # Errors
    /// When there are no spikes, or they do not fit into memory.
    pub fn of(label: &str, recording: &Recording, events: &[String]) -> Result<Self, String> {
        let window = recording.analysis_window();
        let stored = recording.on_disk.iter().flat_map(|d| &d.spikes).map(|s| s.population.clone());
        let names = recording.spikes.iter().map(|s| s.population.clone()).chain(stored);
        let (mut populations, mut notes) = (Vec::new(), Vec::new());
        let trials = recording.each_trial().count();
        if trials > 1 {
            notes.push(format!("{label}: each of its {trials} trials gives values of every unit"));
        }
        for name in names.filter(|n| !events.contains(n)) {
            let mut of: [Vec<f64>; 3] = Default::default();
            let mut left_out = 0;
            for trial in recording.each_trial() {
                let trains = SpikeTrains::new(trial);
                let all = match trains.of(&name, &[]) {
                    Some(all) => all,
                    None => trains.of_stored(&name, &[]).unwrap_or_else(|| Err("its spikes are not there".into()))?,
                };
                let (seen, out) = observed(recording, &name, all, window);
                left_out = out;
                let own = measure(&seen, window, recording.time_base);
                of.iter_mut().zip(own).for_each(|(all, own)| all.extend(own));
            }
            if left_out > 0 {
                notes.push(format!(
                    "{label}: {} of {name} not observed all the time and left out",
                    number::counted(left_out, "unit was", "units were")
                ));
            }
            // Every unit has a rate.
            if !of[0].is_empty() {
                populations.push(Values { population: name, of });
            }
        }
        if populations.is_empty() {
            return Err(format!("{label} has no spikes"));
        }
        let length = window.length() * recording.time_base.seconds();
        Ok(Self { label: label.to_owned(), length, populations, notes })
    }

    fn values(&self, population: &str, quantity: usize) -> &[f64] {
        self.populations.iter().find(|p| p.population == population).map_or(&[], |p| &p.of[quantity])
    }
}

/// The trains of units that were observed in all of the window, and how many others there are.
fn observed(recording: &Recording, name: &str, all: Vec<Train>, window: Window) -> (Vec<Train>, usize) {
    let known = recording.population(name).map_or(&[][..], |p| &p.observed[..]);
    if known.is_empty() {
        return (all.iter().map(|t| t.within(window)).collect(), 0);
    }
    let covers = |unit: usize| {
        known.get(unit).is_some_and(|s| s.iter().any(|(from, to)| *from <= window.start && *to >= window.stop))
    };
    let n = all.len();
    let seen: Vec<Train> =
        all.iter().enumerate().filter(|(unit, _)| covers(*unit)).map(|(_, t)| t.within(window)).collect();
    let left_out = n - seen.len();
    (seen, left_out)
}

fn measure(trains: &[Train], window: Window, base: TimeBase) -> [Vec<f64>; 3] {
    let seconds = window.length() * base.seconds();
    let rates = trains.iter().map(|t| t.len() as f64 / seconds).collect();
    let cv = |t: &Train| {
        let gaps: Vec<f64> = t.windows(2).map(|w| w[1] - w[0]).collect();
        intervals::cv(&gaps)
    };
    let cvs = trains.iter().filter(|t| t.len() >= SPIKES_FOR_CV).map(cv).filter(|v| v.is_finite()).collect();
    // Time without a unit has no bins of milliseconds.
    let correlations = if base == TimeBase::Milliseconds { correlations(trains, window) } else { Vec::new() };
    [rates, cvs, correlations]
}

/// Pearson's correlation of the counts of each pair, over all bins of the window.
fn correlations(trains: &[Train], window: Window) -> Vec<f64> {
    let fired: Vec<&Train> = trains.iter().filter(|t| !t.is_empty()).collect();
    let chosen = fired.len().min(CORRELATED);
    let bins = (window.length() / BIN).floor();
    // Bins in which a unit fired, and how often: few of them are not empty.
    let counted = |train: &Train| {
        let mut counts: Vec<(u64, f64)> = Vec::new();
        for t in train {
            let bin = ((t - window.start) / BIN).floor();
            if bin >= bins {
                break;
            }
            match counts.last_mut() {
                Some((last, n)) if *last == bin as u64 => *n += 1.0,
                _ => counts.push((bin as u64, 1.0)),
            }
        }
        counts
    };
    // The k-th of the chosen is the one at that share of all that fired.
    let counts: Vec<Vec<(u64, f64)>> = (0..chosen).map(|k| counted(fired[k * fired.len() / chosen])).collect();
    let means: Vec<f64> = counts.iter().map(|c| c.iter().map(|x| x.1).sum::<f64>() / bins).collect();
    let product = |a: &[(u64, f64)], b: &[(u64, f64)]| {
        let (mut i, mut j, mut sum) = (0, 0, 0.0);
        while i < a.len() && j < b.len() {
            match a[i].0.cmp(&b[j].0) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    sum += a[i].1 * b[j].1;
                    i += 1;
                    j += 1;
                }
            }
        }
        sum / bins
    };
    let deviations: Vec<f64> =
        counts.iter().zip(&means).map(|(c, m)| (product(c, c) - m * m).max(0.0).sqrt()).collect();
    let mut all = Vec::with_capacity(chosen * chosen.saturating_sub(1) / 2);
    for i in 0..chosen {
        for j in 0..i {
            let r = (product(&counts[i], &counts[j]) - means[i] * means[j]) / (deviations[i] * deviations[j]);
            // A count that does not vary has no correlation.
            if r.is_finite() {
                all.push(r);
            }
        }
    }
    all
}

/// One population and measure of two sets.
#[derive(Debug, Clone, PartialEq)]
pub struct DistributionRow {
    /// The population.
    pub population: String,
    /// What is distributed.
    pub quantity: Quantity,
    /// Values of all runs of A and of B together.
    pub n: (usize, usize),
    /// Their means.
    pub means: (f64, f64),
    /// Mean distance of one run of A to one of B; missing where a side has no values.
    pub between: Option<f64>,
    /// Least and greatest distance of two runs of A.
    pub within_a: Option<(f64, f64)>,
    /// Least and greatest distance of two runs of B.
    pub within_b: Option<(f64, f64)>,
    /// Share of the ways to deal the runs out that set them apart as much; missing of one run on each side.
    pub p: Option<f64>,
    /// The same, adjusted for the number of rows (Benjamini and Hochberg).
    pub p_adjusted: Option<f64>,
}

/// Two sets held against each other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distributions {
    /// A row for each population that both sets have and each measure.
    pub rows: Vec<DistributionRow>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Holds two sets against each other. Populations are paired by name; where each set has a single one, these are paired
/// whatever they are called.
///
/// # Errors
/// When a set is empty, or no population is in both.
pub fn distributions(a: &[Member], b: &[Member]) -> Result<Distributions, String> {
    let (Some(first), Some(other)) = (a.first(), b.first()) else { return Err("a set has no runs".into()) };
    let in_all = |set: &[Member], name: &str| set.iter().all(|m| m.populations.iter().any(|p| p.population == name));
    let names = |m: &Member| m.populations.iter().map(|p| p.population.clone()).collect::<Vec<_>>();
    let shared: Vec<(String, String)> = if names(first).len() == 1 && names(other).len() == 1 {
        vec![(names(first).remove(0), names(other).remove(0))]
    } else {
        names(first).into_iter().filter(|n| in_all(b, n)).map(|n| (n.clone(), n)).collect()
    };
    let shared: Vec<_> = shared.into_iter().filter(|(x, y)| in_all(a, x) && in_all(b, y)).collect();
    if shared.is_empty() {
        let list = |m: &Member| names(m).join(", ");
        return Err(format!("no population is in both sets: {} and {}", list(first), list(other)));
    }
    let mut found = Distributions { notes: notes(a, b, &shared), ..Distributions::default() };
    for (x, y) in &shared {
        for (k, quantity) in Quantity::ALL.into_iter().enumerate() {
            // A run without values (no unit with three spikes, say) has no distance; the others have theirs.
            let members = a.iter().map(|m| (m, x)).chain(b.iter().map(|m| (m, y)));
            let without = members.filter(|(m, name)| m.values(name, k).is_empty());
            let without: Vec<&str> = without.map(|(m, _)| m.label.as_str()).collect();
            if !without.is_empty() {
                let named = without[..without.len().min(NAMED)].join(", ");
                let more = without.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let of = quantity.name();
                found.notes.push(format!("{of} of {x}: {named}{more} had no values, and are not in this row"));
            }
            let side_a: Vec<&[f64]> = a.iter().map(|m| m.values(x, k)).filter(|v| !v.is_empty()).collect();
            let side_b: Vec<&[f64]> = b.iter().map(|m| m.values(y, k)).filter(|v| !v.is_empty()).collect();
            found.rows.push(row(x, quantity, &side_a, &side_b));
        }
    }
    let adjusted = adjust(&found.rows.iter().map(|r| r.p).collect::<Vec<_>>(), Correction::BenjaminiHochberg);
    found.rows.iter_mut().zip(adjusted).for_each(|(row, p)| row.p_adjusted = p);
    Ok(found)
}

fn notes(a: &[Member], b: &[Member], shared: &[(String, String)]) -> Vec<String> {
    let both = || a.iter().chain(b);
    let mut notes: Vec<String> = both().flat_map(|m| m.notes.clone()).collect();
    let paired: BTreeSet<&str> = shared.iter().flat_map(|(x, y)| [x.as_str(), y.as_str()]).collect();
    let all: BTreeSet<&str> = both().flat_map(|m| m.populations.iter().map(|p| p.population.as_str())).collect();
    let alone: Vec<&str> = all.difference(&paired).copied().collect();
    if !alone.is_empty() {
        notes.push(format!("not in all runs, and left out: {}", alone.join(", ")));
    }
    if let [(x, y)] = shared
        && x != y
    {
        notes.push(format!("each set has one population: {x} is held against {y}"));
    }
    let (least, most) = both().fold((f64::INFINITY, 0.0_f64), |(l, m), x| (l.min(x.length), m.max(x.length)));
    if most > 1.01 * least {
        let short = both().min_by(|x, y| x.length.total_cmp(&y.length)).map_or("", |m| &m.label);
        notes.push(format!(
            "the runs are not of one length ({least:.4} s of {short} to {most:.4} s): the spread of rates, CV and \
             correlations depends on it, so that a distance need not be of the networks"
        ));
    }
    if a.len() + b.len() == 2 {
        notes.push(
            "one run on each side: distances, and no null for them; several runs (seeds) on a side give one".to_owned(),
        );
    } else {
        let ways = dealings(a.len() + b.len(), a.len());
        notes.push(if ways > DEALINGS {
            let all = match ways {
                usize::MAX => "more ways than can be counted".to_owned(),
                ways => format!("{} ways", count(ways as u64)),
            };
            format!(
                "p is at least {} (1 of {}): of {all} to deal these runs out {} are drawn",
                shown(least_p(a.len(), b.len())),
                count(1 + DEALINGS as u64),
                count(DEALINGS as u64)
            )
        } else {
            let least = shown(least_p(a.len(), b.len()));
            format!("p is at least {least}: there are {ways} ways to deal these runs out")
        });
    }
    notes
}

/// The smallest p-value that so many runs can give: equal numbers can also be dealt the other way round.
fn least_p(a: usize, b: usize) -> f64 {
    let ways = dealings(a + b, a);
    if ways > DEALINGS { 1.0 / (1 + DEALINGS) as f64 } else { (if a == b { 2.0 } else { 1.0 }) / ways as f64 }
}

/// The number of ways to choose `k` of `n`, or the greatest number there is.
fn dealings(n: usize, k: usize) -> usize {
    let mut ways: u128 = 1;
    for i in 0..k.min(n - k) as u128 {
        ways = ways * (n as u128 - i) / (i + 1);
        if ways > usize::MAX as u128 {
            return usize::MAX;
        }
    }
    ways as usize
}

fn row(population: &str, quantity: Quantity, a: &[&[f64]], b: &[&[f64]]) -> DistributionRow {
    let all: Vec<&[f64]> = a.iter().chain(b).copied().collect();
    let (n, k) = (all.len(), a.len());
    let total = |side: &[&[f64]]| side.iter().map(|v| v.len()).sum();
    let average = |side: &[&[f64]]| mean(&side.concat());
    let mut distances = vec![0.0; n * n];
    let mut is_known = k > 0 && k < n;
    for i in 0..n {
        for j in 0..i {
            match kolmogorov::distance(all[i], all[j]) {
                Some(d) => (distances[i * n + j], distances[j * n + i]) = (d, d),
                None => is_known = false,
            }
        }
    }
    let range = |from: usize, to: usize| {
        let pairs = (from..to).flat_map(|i| (from..i).map(move |j| (i, j)));
        let all: Vec<f64> = pairs.map(|(i, j)| distances[i * n + j]).collect();
        (!all.is_empty() && is_known)
            .then(|| (all.iter().copied().fold(1.0, f64::min), all.iter().copied().fold(0.0, f64::max)))
    };
    let between: f64 = (0..k).flat_map(|i| (k..n).map(move |j| (i, j))).map(|(i, j)| distances[i * n + j]).sum();
    DistributionRow {
        population: population.to_owned(),
        quantity,
        n: (total(a), total(b)),
        means: (average(a), average(b)),
        between: is_known.then(|| between / (k * (n - k)) as f64),
        within_a: range(0, k),
        within_b: range(k, n),
        p: (is_known && n > 2).then(|| dealt(&distances, n, k)),
        p_adjusted: None,
    }
}

/// Twice the mean distance between the sets less the mean distances within each, runs with themselves included.
fn apart(distances: &[f64], n: usize, in_a: &[bool]) -> f64 {
    let k = in_a.iter().filter(|x| **x).count();
    let (mut between, mut within_a, mut within_b) = (0.0, 0.0, 0.0);
    for i in 0..n {
        for j in 0..n {
            match (in_a[i], in_a[j]) {
                (true, true) => within_a += distances[i * n + j],
                (false, false) => within_b += distances[i * n + j],
                _ => between += distances[i * n + j],
            }
        }
    }
    let (a, b) = (k as f64, (n - k) as f64);
    between / (a * b) - within_a / (a * a) - within_b / (b * b)
}

/// The share of all ways to deal `n` runs out, `k` to the first set, that set them at least as far apart.
fn dealt(distances: &[f64], n: usize, k: usize) -> f64 {
    let mut in_a: Vec<bool> = (0..n).map(|i| i < k).collect();
    // What differs by rounding alone is equal.
    let observed = apart(distances, n, &in_a) - 1e-12;
    let ways = dealings(n, k);
    if ways <= DEALINGS {
        let mut reached = 0;
        let mut chosen: Vec<usize> = (0..k).collect();
        loop {
            in_a.iter_mut().enumerate().for_each(|(i, x)| *x = chosen.contains(&i));
            reached += usize::from(apart(distances, n, &in_a) >= observed);
            // The next choice in the order of the alphabet.
            let Some(at) = (0..k).rev().find(|&i| chosen[i] < n - k + i) else { break };
            chosen[at] += 1;
            for i in at + 1..k {
                chosen[i] = chosen[i - 1] + 1;
            }
        }
        return reached as f64 / ways as f64;
    }
    let key = Key::new(1, "distributions", "dealing");
    let drawn: Vec<f64> = (0..DEALINGS)
        .map(|draw| {
            let mut stream = key.stream(0, draw as u64);
            let mut order: Vec<usize> = (0..n).collect();
            for i in 0..k {
                let other = i + stream.below((n - i) as u32) as usize;
                order.swap(i, other);
            }
            in_a.fill(false);
            order[..k].iter().for_each(|&i| in_a[i] = true);
            apart(distances, n, &in_a)
        })
        .collect();
    p_value(observed, &drawn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::{Population, Spikes};

    /// A recording of units that fire at random times: `rates` spikes in ten seconds each, on average.
    fn recording(seed: u64, rate: f64, units: u32) -> Recording {
        let key = Key::new(seed, "test", "spikes");
        let mut spikes: Vec<(f64, u32)> = Vec::new();
        for unit in 0..units {
            let mut stream = key.stream(unit, 0);
            let mut t = 0.0;
            loop {
                t += -stream.uniform().ln() / rate * 1000.0;
                if t > 10_000.0 {
                    break;
                }
                spikes.push((t, unit));
            }
        }
        spikes.sort_by(|a, b| a.0.total_cmp(&b.0));
        Recording {
            dt: 0.1,
            window: Window { start: 0.0, stop: 10_000.0 },
            populations: vec![Population { name: "p".into(), size: units as usize, ..Population::default() }],
            spikes: vec![Spikes {
                population: "p".into(),
                size: units as usize,
                times: spikes.iter().map(|s| s.0).collect(),
                units: spikes.iter().map(|s| s.1).collect(),
            }],
            ..Recording::default()
        }
    }

    fn set(seeds: std::ops::Range<u64>, rate: f64) -> Vec<Member> {
        seeds.map(|s| Member::of(&s.to_string(), &recording(s, rate, 60), &[]).unwrap()).collect()
    }

    #[test]
    fn networks_of_one_kind_are_not_set_apart_and_others_are() {
        let same = distributions(&set(0..5, 8.0), &set(10..15, 8.0)).unwrap();
        assert_eq!(same.rows.len(), 3);
        assert!(same.rows.iter().all(|r| r.p_adjusted.unwrap() > 0.05), "{:?}", same.rows);
        let faster = distributions(&set(0..5, 8.0), &set(10..15, 10.0)).unwrap();
        let rate = &faster.rows[0];
        // 252 ways, each with its reverse.
        assert_eq!(rate.p, Some(2.0 / 252.0));
        assert!(rate.between.unwrap() > rate.within_a.unwrap().1 && (rate.means.1 - 10.0).abs() < 0.3, "{rate:?}");
        // The law of the intervals is the same.
        assert!(faster.rows[1].p.unwrap() > 0.02 && (faster.rows[1].means.0 - 0.98).abs() < 0.05, "{:?}", faster.rows);
    }

    /// Under the null p-values are not too small: of 40 pairs of sets at most a few are below 0.1.
    #[test]
    fn p_is_of_its_level() {
        let mut below = 0;
        for k in 0..40 {
            let found = distributions(&set(100 * k..100 * k + 4, 5.0), &set(100 * k + 4..100 * k + 7, 5.0)).unwrap();
            below += usize::from(found.rows[0].p.unwrap() <= 0.1);
        }
        // Binomial(40, 3/35) is above 9 with a probability of 0.002.
        assert!(below <= 9, "{below}");
    }

    #[test]
    fn one_run_on_each_side_has_distances_alone() {
        let one = distributions(&set(0..1, 8.0), &set(1..2, 8.0)).unwrap();
        assert!(one.rows.iter().all(|r| r.p.is_none() && r.between.is_some() && r.within_a.is_none()));
        assert!(one.notes.iter().any(|n| n.contains("no null")));
        let itself = distributions(&set(0..1, 8.0), &set(0..1, 8.0)).unwrap();
        assert!(itself.rows.iter().all(|r| r.between == Some(0.0)), "{:?}", itself.rows);
    }

    /// Counts in bins against a dense product; units that copy each other are at 1.
    #[test]
    fn correlations_are_of_counts_in_bins() {
        let mut twice = recording(3, 20.0, 6);
        let copied: Vec<f64> =
            twice.spikes[0].times.iter().zip(&twice.spikes[0].units).filter(|s| *s.1 == 0).map(|s| *s.0).collect();
        let others: Vec<(f64, u32)> =
            twice.spikes[0].times.iter().copied().zip(twice.spikes[0].units.clone()).collect();
        let mut all: Vec<(f64, u32)> = others.into_iter().filter(|s| s.1 != 1).collect();
        all.extend(copied.into_iter().map(|t| (t, 1)));
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        twice.spikes[0].times = all.iter().map(|s| s.0).collect();
        twice.spikes[0].units = all.iter().map(|s| s.1).collect();
        let window = twice.analysis_window();
        let trains = SpikeTrains::new(&twice).of("p", &[]).unwrap();
        let found = correlations(&trains, window);
        let dense: Vec<Vec<f64>> = trains
            .iter()
            .map(|t| {
                let mut counts = vec![0.0; 5000];
                t.iter().filter(|t| **t < 10_000.0).for_each(|t| counts[(t / 2.0) as usize] += 1.0);
                counts
            })
            .collect();
        let pairs = (0..6).flat_map(|i| (0..i).map(move |j| (i, j)));
        let wanted: Vec<f64> = pairs.map(|(i, j)| spikedeck_core::statistics::pearson(&dense[i], &dense[j])).collect();
        assert_eq!(found.len(), 15);
        assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?} {wanted:?}");
        assert!((found[0] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn populations_are_paired_by_name_or_alone() {
        let mut named = recording(1, 5.0, 10);
        named.populations[0].name = "other".into();
        named.spikes[0].population = "other".into();
        let other = vec![Member::of("o", &named, &[]).unwrap()];
        let found = distributions(&set(0..1, 5.0), &other).unwrap();
        assert!(found.notes.iter().any(|n| n.contains("p is held against other")));
        let mut two = named.clone();
        two.spikes.push(Spikes { population: "q".into(), size: 1, times: vec![1.0], units: vec![0] });
        let error = distributions(&set(0..1, 5.0), &[Member::of("two", &two, &[]).unwrap()]).unwrap_err();
        assert!(error.contains("no population is in both sets: p and other, q"), "{error}");
        assert!(Member::of("none", &Recording::default(), &[]).is_err());
        // Moments of trials are no units: the other is again alone.
        let told = distributions(&set(0..1, 5.0), &[Member::of("two", &two, &["q".into()]).unwrap()]).unwrap();
        assert!(told.rows.len() == 3 && told.notes.iter().any(|n| n.contains("p is held against other")));
        assert!(Member::of("none", &two, &["other".into(), "q".into()]).is_err());
    }

    /// Trials of one network: each of them is there, and the values of two are those of each after the other.
    #[test]
    fn trials_give_values_each() {
        let (one, other) = (recording(1, 8.0, 20), recording(2, 8.0, 20));
        let both = Recording { trials: vec![std::sync::Arc::new(other.clone())], ..one.clone() };
        let member = Member::of("t", &both, &[]).unwrap();
        assert!(member.notes[0].contains("2 trials"), "{:?}", member.notes);
        let [one, other] = [one, other].map(|r| Member::of("s", &r, &[]).unwrap());
        for k in 0..3 {
            let of = |m: &Member| m.values("p", k).to_vec();
            assert_eq!(of(&member), [of(&one), of(&other)].concat());
        }
    }

    /// A run in which no unit has a CV takes nothing from the others, and is named.
    #[test]
    fn a_run_without_values_is_left_out_of_its_row() {
        let mut some = set(0..4, 8.0);
        let mut silent = recording(9, 8.0, 60);
        silent.spikes[0].times.truncate(2);
        silent.spikes[0].units = vec![0, 0];
        some.push(Member::of("silent", &silent, &[]).unwrap());
        let found = distributions(&some, &set(10..14, 8.0)).unwrap();
        let alone = distributions(&set(0..4, 8.0), &set(10..14, 8.0)).unwrap();
        assert_eq!((found.rows[1].p, found.rows[1].between), (alone.rows[1].p, alone.rows[1].between));
        assert!(found.rows[0].p.is_some() && found.rows[0].between > alone.rows[0].between);
        let told: Vec<&String> = found.notes.iter().filter(|n| n.contains("silent had no values")).collect();
        assert_eq!(told.len(), 2, "cv and correlation: {:?}", found.notes);
        // No run of one side: a row without a distance.
        let none = distributions(&some[4..], &set(10..14, 8.0)).unwrap();
        assert!(none.rows[1].between.is_none() && none.rows[1].p.is_none() && none.rows[0].p.is_some());
    }

    #[test]
    fn the_least_p_is_told_as_it_is() {
        let told = |n: u64| distributions(&set(0..n, 8.0), &set(100..100 + n, 8.0)).unwrap().notes.remove(0);
        assert!(told(5).starts_with("p is at least 0.0079") && told(5).contains("252 ways"), "{}", told(5));
        assert!(told(10).contains("1 of 20,001") && told(10).contains("184,756 ways"), "{}", told(10));
    }

    #[test]
    fn ways_are_counted() {
        assert_eq!((dealings(9, 5), dealings(10, 5), dealings(2, 1), dealings(5, 1)), (126, 252, 2, 5));
        assert_eq!(dealings(200, 100), usize::MAX);
        assert_eq!((least_p(1, 4), least_p(5, 5)), (0.2, 2.0 / 252.0));
    }
}
