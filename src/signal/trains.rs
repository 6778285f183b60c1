//! Spike trains of populations: grouped by unit once for a recording, and lent to everything that looks at it.

use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

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
}

impl<'r> SpikeTrains<'r> {
    /// Those of a recording; nothing is grouped yet.
    pub fn new(recording: &'r Recording) -> Self {
        Self { recording, whole: recording.spikes.iter().map(|_| OnceLock::new()).collect() }
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

/// One train a unit: the column of times in the order of units.
fn all(spikes: &Spikes) -> Vec<Train> {
    let rows: Vec<u32> = (0..spikes.size as u32).collect();
    grouped(spikes, &rows, spikes.size)
}

/// Trains of these units alone, in the order given; a unit named twice has its train twice.
fn chosen(spikes: &Spikes, units: &[u32]) -> Vec<Train> {
    let mut rows = vec![u32::MAX; spikes.size];
    let mut count = 0;
    for &u in units {
        if let Some(row) = rows.get_mut(u as usize).filter(|row| **row == u32::MAX) {
            *row = count;
            count += 1;
        }
    }
    let trains = grouped(spikes, &rows, count as usize);
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
