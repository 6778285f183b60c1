//! Spike trains of populations: grouped by unit once for a recording, and lent to everything that looks at it.

use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

use super::on_disk::OnDisk;
use super::recording::Recording;
use super::spikes::Spikes;
use super::time::Window;

/// The sorted spike times of one unit: a stretch of a column that all units of its population share.
#[derive(Debug, Clone, Default)]
pub struct Train {
    all: Arc<Vec<f64>>,
    range: Range<usize>,
}

impl Train {
    /// The spikes in `(start, stop]`. O(log n), without a copy.
    #[must_use]
    pub fn within(&self, window: Window) -> Self {
        let from = self.partition_point(|&t| t <= window.start);
        let to = self.partition_point(|&t| t <= window.stop).max(from);
        Self { all: Arc::clone(&self.all), range: self.range.start + from..self.range.start + to }
    }
}

impl From<Vec<f64>> for Train {
    fn from(times: Vec<f64>) -> Self {
        let range = 0..times.len();
        Self { all: Arc::new(times), range }
    }
}

impl Deref for Train {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.all[self.range.clone()]
    }
}

impl AsRef<[f64]> for Train {
    fn as_ref(&self) -> &[f64] {
        self
    }
}

impl PartialEq for Train {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<'a> IntoIterator for &'a Train {
    type Item = &'a f64;
    type IntoIter = std::slice::Iter<'a, f64>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The spikes of a recording by unit. A population is grouped when it is first asked for as a whole, and kept while
/// this lives; chosen units are picked from that, or, where there is none yet, before anything is grouped.
#[derive(Debug)]
pub struct SpikeTrains<'r> {
    recording: &'r Recording,
    /// One for each entry of `recording.spikes`.
    whole: Vec<OnceLock<Vec<Train>>>,
    /// Spikes of each unit, one for each population that stays on disk.
    counts: Vec<OnceLock<Result<Vec<u64>, String>>>,
}

impl<'r> SpikeTrains<'r> {
    /// Those of a recording; nothing is grouped yet.
    pub fn new(recording: &'r Recording) -> Self {
        let stored = recording.on_disk.iter().flat_map(|d| &d.spikes);
        Self {
            recording,
            whole: recording.spikes.iter().map(|_| OnceLock::new()).collect(),
            counts: stored.map(|_| OnceLock::new()).collect(),
        }
    }

    /// One train a unit over the whole recording, all units if `units` is empty; `None` where the population recorded
    /// no spikes. O(spikes) when first asked, O(units) afterwards.
    pub fn of(&self, population: &str, units: &[u32]) -> Option<Vec<Train>> {
        let index = self.recording.spikes.iter().position(|s| s.population == population)?;
        let (spikes, whole) = (&self.recording.spikes[index], &self.whole[index]);
        if units.is_empty() {
            return Some(whole.get_or_init(|| all(spikes)).clone());
        }
        Some(match whole.get() {
            Some(trains) => units.iter().map(|&u| trains.get(u as usize).cloned().unwrap_or_default()).collect(),
            None => chosen(spikes, units),
        })
    }
}

/// Populations that stay on disk.
impl SpikeTrains<'_> {
    /// The same of a population that stays on disk, where these units fit into memory; `None` where it does not stay
    /// there.
    ///
    /// # Errors
    /// When they do not fit, or cannot be read.
    pub fn of_stored(&self, population: &str, units: &[u32]) -> Option<Result<Vec<Train>, String>> {
        let (disk, at) = self.stored(population)?;
        let units = listed(&disk.spikes[at], units);
        Some(self.counts(disk, at).and_then(|counts| {
            let held: u64 = distinct(&units).map(|u| 8 * count_of(counts, u)).sum();
            if held <= disk.room {
                return picked(disk, at, counts, &units);
            }
            Err(format!("the spikes of these {} units do not fit into memory", units.len()))
        }))
    }

    /// Hands over the trains of these units (of all, if there are none named) one after another, also of a population
    /// that stays on disk: it is read as many times as it takes to hold some units at once. Stops when `look` says so;
    /// `None` where the population recorded no spikes.
    ///
    /// # Errors
    /// When they cannot be read, or one unit alone does not fit.
    pub fn each(
        &self,
        population: &str,
        units: &[u32],
        look: &mut dyn FnMut(&Train) -> bool,
    ) -> Option<Result<(), String>> {
        if let Some(trains) = self.of(population, units) {
            let _ = trains.iter().all(look);
            return Some(Ok(()));
        }
        let (disk, at) = self.stored(population)?;
        Some(self.counts(disk, at).and_then(|counts| rounds(disk, at, counts, units, look)))
    }

    /// The population among those that stay on disk.
    fn stored(&self, population: &str) -> Option<(&OnDisk, usize)> {
        let disk = self.recording.on_disk.as_ref()?;
        Some((disk, disk.spikes.iter().position(|s| s.population == population)?))
    }

    /// How many spikes each unit has.
    fn counts(&self, disk: &OnDisk, at: usize) -> Result<&[u64], String> {
        let spikes = &disk.spikes[at];
        let counted = self.counts[at].get_or_init(|| {
            let mut counts = vec![0; spikes.size];
            disk.rows.spikes(&spikes.population, &mut |_, units| {
                for &unit in units {
                    if let Some(count) = counts.get_mut(unit as usize) {
                        *count += 1;
                    }
                }
            })?;
            Ok(counts)
        });
        counted.as_deref().map_err(Clone::clone)
    }
}

/// Hands over trains in rounds of as many units as fit at once.
fn rounds(
    disk: &OnDisk,
    at: usize,
    counts: &[u64],
    units: &[u32],
    look: &mut dyn FnMut(&Train) -> bool,
) -> Result<(), String> {
    let units = listed(&disk.spikes[at], units);
    let mut rest = units.as_slice();
    while let Some(&first) = rest.first() {
        let mut held = 0;
        let n = rest.iter().take_while(|u| {
            held += 8 * count_of(counts, **u);
            held <= disk.room
        });
        let (round, later) = rest.split_at(n.count());
        if round.is_empty() {
            let n = count_of(counts, first);
            return Err(format!("the {n} spikes of unit {first} alone do not fit into memory"));
        }
        for train in picked(disk, at, counts, round)? {
            if !look(&train) {
                return Ok(());
            }
        }
        rest = later;
    }
    Ok(())
}

/// The units that are meant.
fn listed(spikes: &Spikes, units: &[u32]) -> Vec<u32> {
    if units.is_empty() { (0..spikes.size as u32).collect() } else { units.to_vec() }
}

fn distinct(units: &[u32]) -> impl Iterator<Item = u32> {
    let mut sorted = units.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.into_iter()
}

/// Spikes of a unit; none of one that does not exist.
fn count_of(counts: &[u64], unit: u32) -> u64 {
    counts.get(unit as usize).copied().unwrap_or(0)
}

/// Trains of these units of a population on disk, in the order given.
fn picked(disk: &OnDisk, at: usize, counts: &[u64], units: &[u32]) -> Result<Vec<Train>, String> {
    let spikes = &disk.spikes[at];
    let (rows, distinct) = rows_of(spikes, units);
    let mut ends = vec![0_usize; distinct.len() + 1];
    for (row, &unit) in distinct.iter().enumerate() {
        ends[row + 1] = ends[row] + count_of(counts, unit) as usize;
    }
    let mut next = ends.clone();
    let mut times = vec![0.0; ends[distinct.len()]];
    disk.rows.spikes(&spikes.population, &mut |part, units| {
        for (&time, &unit) in part.iter().zip(units) {
            let row = rows.get(unit as usize).map_or(usize::MAX, |&row| row as usize);
            if let Some(place) = next.get_mut(row).filter(|_| row < distinct.len()) {
                times[*place] = time;
                *place += 1;
            }
        }
    })?;
    let all = Arc::new(times);
    let trains: Vec<Train> = ends.windows(2).map(|w| Train { all: Arc::clone(&all), range: w[0]..w[1] }).collect();
    Ok(in_order(&rows, &trains, units))
}

/// One train a unit: the column of times in the order of units.
fn all(spikes: &Spikes) -> Vec<Train> {
    let rows: Vec<u32> = (0..spikes.size as u32).collect();
    grouped(spikes, &rows, spikes.size)
}

/// Trains of these units alone, in the order given; a unit named twice has its train twice.
fn chosen(spikes: &Spikes, units: &[u32]) -> Vec<Train> {
    let (rows, distinct) = rows_of(spikes, units);
    let trains = grouped(spikes, &rows, distinct.len());
    in_order(&rows, &trains, units)
}

/// Which row each unit is, where each of `units` has one row by its first appearance; and the unit of each row.
fn rows_of(spikes: &Spikes, units: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut rows = vec![u32::MAX; spikes.size];
    let mut distinct = Vec::new();
    for &u in units {
        if let Some(row) = rows.get_mut(u as usize).filter(|row| **row == u32::MAX) {
            *row = distinct.len() as u32;
            distinct.push(u);
        }
    }
    (rows, distinct)
}

/// The trains of the rows in the order in which units were named.
fn in_order(rows: &[u32], trains: &[Train], units: &[u32]) -> Vec<Train> {
    let row = |u: &u32| rows.get(*u as usize).and_then(|&row| trains.get(row as usize));
    units.iter().map(|u| row(u).cloned().unwrap_or_default()).collect()
}

/// Counting sort by row: `rows` says which row a unit is, of `count` rows; units beyond it are left out.
fn grouped(spikes: &Spikes, rows: &[u32], count: usize) -> Vec<Train> {
    let row_of = |unit: u32| rows.get(unit as usize).map(|&row| row as usize).filter(|&row| row < count);
    let mut ends = vec![0_usize; count + 1];
    for row in spikes.units.iter().filter_map(|&u| row_of(u)) {
        ends[row + 1] += 1;
    }
    for row in 0..count {
        ends[row + 1] += ends[row];
    }
    let mut next = ends.clone();
    let mut times = vec![0.0; ends[count]];
    for (&time, &unit) in spikes.times.iter().zip(&spikes.units) {
        if let Some(row) = row_of(unit) {
            times[next[row]] = time;
            next[row] += 1;
        }
    }
    let all = Arc::new(times);
    ends.windows(2).map(|w| Train { all: Arc::clone(&all), range: w[0]..w[1] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Recording {
        let spikes = Spikes {
            population: "a".into(),
            size: 4,
            times: vec![1.0, 2.0, 2.0, 3.0, 4.0],
            units: vec![0, 1, 2, 0, 2],
        };
        Recording { spikes: vec![spikes], ..Recording::default() }
    }

    fn lists(trains: &[Train]) -> Vec<Vec<f64>> {
        trains.iter().map(|t| t.to_vec()).collect()
    }

    #[test]
    fn trains_are_those_of_the_spikes_whatever_was_asked_before() {
        let recording = recording();
        let picked = [vec![2.0, 4.0], vec![1.0, 3.0], vec![], vec![2.0, 4.0]];
        let trains = SpikeTrains::new(&recording);
        assert_eq!(lists(&trains.of("a", &[2, 0, 3, 2]).unwrap()), picked);
        assert!(trains.whole[0].get().is_none(), "a choice of units groups nothing else");
        assert_eq!(lists(&trains.of("a", &[]).unwrap()), [vec![1.0, 3.0], vec![2.0], vec![2.0, 4.0], vec![]]);
        assert_eq!(lists(&trains.of("a", &[2, 0, 3, 2]).unwrap()), picked);
        assert!(trains.of("b", &[]).is_none());
    }

    /// Parts in memory that pretend to be on disk.
    #[derive(Debug)]
    struct Parts(Vec<Spikes>);

    impl crate::Rows for Parts {
        fn spikes(&self, population: &str, take: &mut dyn FnMut(&[f64], &[u32])) -> Result<(), String> {
            let mine = self.0.iter().filter(|s| s.population == population);
            mine.for_each(|s| take(&s.times, &s.units));
            Ok(())
        }

        fn samples(&self, trace: &crate::Trace, _: &mut dyn FnMut(&[f64])) -> Result<(), String> {
            Err(format!("no {}", trace.name))
        }
    }

    /// What stays on disk is the same trains as in memory, however little fits at once and however it was cut.
    #[test]
    fn trains_on_disk_are_those_of_memory_in_as_many_rounds_as_it_takes() {
        let mut whole = recording();
        whole.spikes[0].times = (0..200).map(f64::from).collect();
        whole.spikes[0].units = (0..200).map(|k| (k * k + k / 7) % 4).collect();
        let memory = SpikeTrains::new(&whole);
        for cut in [1, 7, 199, 200] {
            let cut_up = |s: &Spikes| -> Vec<Spikes> {
                let pieces = s.times.chunks(cut).zip(s.units.chunks(cut));
                pieces.map(|(t, u)| Spikes { times: t.to_vec(), units: u.to_vec(), ..s.without_times() }).collect()
            };
            for room in [0, 8, 400, 800, 1600, 10_000] {
                let rows = Arc::new(Parts(cut_up(&whole.spikes[0])));
                let on_disk = OnDisk { spikes: vec![whole.spikes[0].without_times()], traces: Vec::new(), room, rows };
                let stored = Recording { on_disk: Some(on_disk), ..Recording::default() };
                let trains = SpikeTrains::new(&stored);
                for units in [&[][..], &[2], &[3, 0, 3], &[1, 2, 3, 0]] {
                    let wanted = memory.of("a", units).unwrap();
                    let most = memory.of("a", &[]).unwrap().iter().map(|t| t.len()).max().unwrap() as u64;
                    let mut found = Vec::new();
                    let read = trains.each("a", units, &mut |t| {
                        found.push(t.clone());
                        true
                    });
                    match read.unwrap() {
                        Ok(()) => assert_eq!(found, wanted, "{cut} {room} {units:?}"),
                        Err(why) => assert!(room < 8 * most && why.contains("alone"), "{room}: {why}"),
                    }
                    let held: usize = if units.is_empty() {
                        200
                    } else {
                        distinct(units).map(|u| memory.of("a", &[u]).unwrap()[0].len()).sum()
                    };
                    match trains.of_stored("a", units).unwrap() {
                        Ok(at_once) => assert_eq!(at_once, wanted),
                        Err(_) => assert!(8 * held as u64 > room, "{room} {units:?}"),
                    }
                }
                assert!(trains.each("b", &[], &mut |_| true).is_none() && trains.of_stored("b", &[]).is_none());
            }
        }
    }

    #[test]
    fn all_units_share_one_column_and_windows_copy_nothing() {
        let recording = recording();
        let trains = SpikeTrains::new(&recording);
        let (first, again) = (trains.of("a", &[]).unwrap(), trains.of("a", &[]).unwrap());
        assert!(Arc::ptr_eq(&first[0].all, &again[2].all));
        let cut = first[0].within(Window { start: 1.0, stop: 3.0 });
        assert!(Arc::ptr_eq(&cut.all, &first[0].all));
        assert_eq!(&*cut, [3.0]);
        assert!(first[1].within(Window { start: 2.0, stop: 3.0 }).is_empty());
        assert_eq!(Train::from(vec![3.0]), cut);
    }
}
