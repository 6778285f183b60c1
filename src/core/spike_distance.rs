//! Distances between spike trains: ISI-distance, SPIKE-distance, SPIKE-synchronization.
//!
//! Number for number as PySpike 0.9 with its edge correction: Kreuz, Haas, Morelli, Abarbanel, Politi 2007
//! (doi:10.1016/j.jneumeth.2007.05.031), Kreuz, Chicharro, Houghton, Andrzejak, Mormann 2013
//! (doi:10.1152/jn.00873.2012), Kreuz, Mulansky, Bozanic 2015 (doi:10.1152/jn.00848.2014). One pair costs O(n1 + n2).
//! Trains are ascending without repeated times, inside `[start, stop]`; see [`prepared`].

use rayon::prelude::*;

/// A stretch of time that trains lie in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edges {
    /// Its start.
    pub start: f64,
    /// Its stop.
    pub stop: f64,
}

/// Removes repeated times (they would make an interval of zero length) and counts them.
pub fn prepared(train: &[f64]) -> (Vec<f64>, usize) {
    let mut once = train.to_vec();
    once.dedup();
    let removed = train.len() - once.len();
    (once, removed)
}

/// An empty train has its auxiliary spikes at the edges.
fn or_edges(train: &[f64], edges: Edges, store: &mut [f64; 2]) -> bool {
    *store = [edges.start, edges.stop];
    train.is_empty()
}

/// Current interval before the first spike, and whether the walk starts on the first spike (it stands at the start).
fn first_interval(t: &[f64], e: Edges) -> (f64, bool) {
    if t[0] > e.start {
        (if t.len() > 1 { (t[0] - e.start).max(t[1] - t[0]) } else { t[0] - e.start }, false)
    } else {
        (if t.len() > 1 { t[1] - t[0] } else { e.stop - t[0] }, true)
    }
}

/// Current interval from the last spike on.
fn last_interval(t: &[f64], e: Edges) -> f64 {
    let n = t.len();
    if n > 1 { (e.stop - t[n - 1]).max(t[n - 1] - t[n - 2]) } else { e.stop - t[n - 1] }
}

/// ISI-distance: mean over time of |ν1 − ν2|/max(ν1, ν2), 0 for equal trains.
pub fn isi_distance(a: &[f64], b: &[f64], edges: Edges) -> f64 {
    let (mut sa, mut sb) = ([0.0; 2], [0.0; 2]);
    let a = if or_edges(a, edges, &mut sa) { &sa[..] } else { a };
    let b = if or_edges(b, edges, &mut sb) { &sb[..] } else { b };
    let (mut nu_a, on_a) = first_interval(a, edges);
    let (mut nu_b, on_b) = first_interval(b, edges);
    let (mut i, mut j) = (usize::from(on_a), usize::from(on_b)); // the next spike of each
    let after = |t: &[f64], k: usize| if k + 1 < t.len() { t[k + 1] - t[k] } else { last_interval(t, edges) };
    let dissimilarity = |x: f64, y: f64| {
        let most = x.max(y);
        if most > 0.0 { (x - y).abs() / most } else { 0.0 }
    };
    let (mut last, mut sum) = (edges.start, 0.0);
    let mut current = dissimilarity(nu_a, nu_b);
    while i < a.len() || j < b.len() {
        let time = match (a.get(i), b.get(j)) {
            (Some(&x), Some(&y)) => x.min(y),
            (Some(&x), None) | (None, Some(&x)) => x,
            (None, None) => break,
        };
        if a.get(i) == Some(&time) {
            nu_a = after(a, i);
            i += 1;
        }
        if b.get(j) == Some(&time) {
            nu_b = after(b, j);
            j += 1;
        }
        sum += current * (time - last);
        current = dissimilarity(nu_a, nu_b);
        last = time;
    }
    (sum + current * (edges.stop - last)) / (edges.stop - edges.start)
}

/// One train during the walk of the SPIKE-distance: previous and following spike, their distances to the other train.
struct Walk<'a> {
    t: &'a [f64],
    aux: (f64, f64),
    /// Number of spikes passed.
    next: usize,
    previous: f64,
    following: f64,
    d_previous: f64,
    d_following: f64,
    isi: f64,
}

/// Distance of `time` to the nearest spike of a train from `from` on, auxiliary spikes at both ends included.
#[inline(always)]
fn nearest(time: f64, other: &[f64], from: usize, aux: (f64, f64)) -> f64 {
    let mut d = (time - aux.0).abs();
    for &s in &other[from..] {
        let next = (time - s).abs();
        if next > d {
            return d;
        }
        d = next;
    }
    d.min((aux.1 - time).abs())
}

fn auxiliary(t: &[f64], e: Edges) -> (f64, f64) {
    let n = t.len();
    if n > 1 { (e.start.min(2.0 * t[0] - t[1]), e.stop.max(2.0 * t[n - 1] - t[n - 2])) } else { (e.start, e.stop) }
}

impl<'a> Walk<'a> {
    /// The state at the start, and the value of S_k there.
    fn new(t: &'a [f64], other: &[f64], e: Edges) -> (Self, f64) {
        let aux = auxiliary(t, e);
        let other_aux = auxiliary(other, e);
        let (isi, on) = first_interval(t, e);
        let previous = if on { e.start } else { aux.0 };
        let following = if on { t.get(1).copied().unwrap_or(e.stop) } else { t[0] };
        let d_following = nearest(following, other, 0, other_aux);
        let d_previous = if on { nearest(previous, other, 0, other_aux) } else { d_following };
        (Self { t, aux, next: usize::from(on), previous, following, d_previous, d_following, isi }, d_previous)
    }

    /// S_k at a time inside the current interval.
    #[inline(always)]
    fn at(&self, time: f64) -> f64 {
        (self.d_previous * (self.following - time) + self.d_following * (time - self.previous)) / self.isi
    }

    /// S_k at the spike that ends the current interval.
    #[inline(always)]
    fn at_end(&self) -> f64 {
        self.d_following * (self.following - self.previous) / self.isi
    }

    /// Steps over the following spike; `passed` is the number of spikes of the other train that lie behind.
    #[inline(always)]
    fn advance(&mut self, other: &Self, passed: usize, distance: f64, e: Edges) {
        self.next += 1;
        self.previous = self.following;
        self.d_previous = distance;
        if self.next < self.t.len() {
            self.following = self.t[self.next];
            self.d_following = nearest(self.following, other.t, passed.saturating_sub(1), other.aux);
            self.isi = self.following - self.previous;
        } else {
            self.following = self.aux.1;
            self.d_following = distance;
            self.isi = last_interval(self.t, e);
        }
    }
}

/// SPIKE-distance: mean over time of the profile S(t), 0 for equal trains.
pub fn spike_distance(a: &[f64], b: &[f64], edges: Edges) -> f64 {
    let (mut sa, mut sb) = ([0.0; 2], [0.0; 2]);
    let a = if or_edges(a, edges, &mut sa) { &sa[..] } else { a };
    let b = if or_edges(b, edges, &mut sb) { &sb[..] } else { b };
    let (mut x, mut sx) = Walk::new(a, b, edges);
    let (mut y, mut sy) = Walk::new(b, a, edges);
    let value = |sx: f64, sy: f64, x: &Walk<'_>, y: &Walk<'_>| {
        let sum = x.isi + y.isi;
        2.0 * (sx * y.isi + sy * x.isi) / (sum * sum)
    };
    let (mut last, mut total) = (edges.start, 0.0);
    let mut at_start = value(sx, sy, &x, &y);
    while x.next < a.len() || y.next < b.len() {
        let time;
        if x.next < a.len() && (x.following < y.following || y.next == b.len()) {
            time = x.following;
            sy = y.at(time);
            total += (at_start + value(x.at_end(), sy, &x, &y)) * (time - last);
            sx = x.d_following;
            x.advance(&y, y.next, sx, edges);
            at_start = value(sx, sy, &x, &y);
        } else if y.next < b.len() && (x.following > y.following || x.next == a.len()) {
            time = y.following;
            sx = x.at(time);
            total += (at_start + value(sx, y.at_end(), &x, &y)) * (time - last);
            sy = y.d_following;
            y.advance(&x, x.next, sy, edges);
            at_start = value(sx, sy, &x, &y);
        } else {
            time = x.following;
            total += at_start * (time - last);
            let passed = (x.next + 1, y.next + 1);
            x.advance(&y, passed.1, 0.0, edges);
            y.advance(&x, passed.0, 0.0, edges);
            at_start = 0.0;
        }
        last = time;
    }
    total += (at_start + value(x.d_following, y.d_following, &x, &y)) * (edges.stop - last);
    0.5 * total / (edges.stop - edges.start)
}

/// Coincident spikes and all spikes of two trains. Two spikes coincide if they are closer than half the least of the
/// four intervals around them (and than `max_tau`, if given).
pub fn coincident_spikes(a: &[f64], b: &[f64], edges: Edges, max_tau: Option<f64>) -> (u64, u64) {
    let widest = max_tau.map_or(edges.stop - edges.start, |m| (2.0 * m).min(edges.stop - edges.start));
    let around = |t: &[f64], k: usize| {
        let before = if k > 0 { t[k] - t[k - 1] } else { widest };
        let after = if k + 1 < t.len() { t[k + 1] - t[k] } else { widest };
        before.min(after)
    };
    let near = |i: usize, j: usize| (a[i] - b[j]).abs() < 0.5 * around(a, i).min(around(b, j)).min(widest);
    let (mut i, mut j, mut coincident) = (0, 0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && (j == b.len() || a[i] < b[j]) {
            if j > 0 && near(i, j - 1) {
                coincident += 2;
            }
            i += 1;
        } else if j < b.len() && (i == a.len() || b[j] < a[i]) {
            if i > 0 && near(i - 1, j) {
                coincident += 2;
            }
            j += 1;
        } else {
            coincident += 2;
            i += 1;
            j += 1;
        }
    }
    (coincident, (a.len() + b.len()) as u64)
}

/// SPIKE-synchronization: share of coincident spikes; 1 for two empty trains.
pub fn spike_synchronization(a: &[f64], b: &[f64], edges: Edges, max_tau: Option<f64>) -> f64 {
    let (coincident, all) = coincident_spikes(a, b, edges, max_tau);
    if all == 0 { 1.0 } else { coincident as f64 / all as f64 }
}

/// A value for each pair i < j of `n` items, row by row, computed in parallel and returned in a fixed order.
pub fn pairs<T: Send>(n: usize, value: impl Fn(usize, usize) -> T + Sync) -> Vec<T> {
    (0..n).into_par_iter().flat_map_iter(|i| (i + 1..n).map(|j| value(i, j)).collect::<Vec<_>>()).collect()
}

/// Symmetric matrix, row by row, from the values of [`pairs`] and a diagonal.
pub fn symmetric(n: usize, pairs: &[f64], diagonal: f64) -> Vec<f64> {
    let mut full = vec![diagonal; n * n];
    let mut next = pairs.iter();
    for i in 0..n {
        for j in i + 1..n {
            let v = next.next().copied().unwrap_or(f64::NAN);
            full[i * n + j] = v;
            full[j * n + i] = v;
        }
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::rng::Key;

    type Measure = fn(&[f64], &[f64], Edges) -> f64;

    const UNIT: Edges = Edges { start: 0.0, stop: 1.0 };

    fn close(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }

    fn trains() -> [Vec<f64>; 4] {
        [vec![0.2, 0.4, 0.6, 0.7], vec![0.3, 0.45, 0.8, 0.9, 0.95], vec![0.2, 0.4, 0.6], vec![0.1, 0.4, 0.5, 0.6]]
    }

    /// ground-truth.md C10 (PySpike 0.9).
    #[test]
    fn four_trains_of_pyspike() {
        let t = trains();
        let isi = pairs(4, |i, j| isi_distance(&t[i], &t[j], UNIT));
        let spike = pairs(4, |i, j| spike_distance(&t[i], &t[j], UNIT));
        let sync = pairs(4, |i, j| spike_synchronization(&t[i], &t[j], UNIT, None));
        let expected_isi = [0.4375, 0.15, 0.383333333333, 0.389285714286, 0.361309523810, 0.233333333333];
        let expected_spike = [0.397286356, 0.064979592, 0.221424036, 0.406166774, 0.378620811, 0.156444444];
        let expected_sync = [0.222222222222, 0.857142857143, 0.5, 0.25, 0.0, 0.571428571429];
        for k in 0..6 {
            close(isi[k], expected_isi[k], 1e-9);
            close(spike[k], expected_spike[k], 1e-9);
            close(sync[k], expected_sync[k], 1e-9);
        }
        close(isi.iter().sum::<f64>() / 6.0, 0.325793651, 1e-9);
        close(spike.iter().sum::<f64>() / 6.0, 0.270820336, 1e-9);
        let (c, n) = pairs(4, |i, j| coincident_spikes(&t[i], &t[j], UNIT, None)).iter().fold((0, 0), |(c, n), p| (c + p.0, n + p.1));
        close(c as f64 / n as f64, 0.375, 1e-12);
    }

    #[test]
    fn shared_first_spike_and_empty_trains() {
        let e = Edges { start: 0.0, stop: 10.0 };
        let (a, b) = ([0.0, 2.0, 5.0, 8.0], [0.0, 1.0, 5.0, 9.0]);
        close(spike_distance(&a, &b, e), 0.186309523809524, 1e-12);
        close(isi_distance(&a, &b, e), 0.3, 1e-12);
        close(spike_synchronization(&a, &b, e, None), 0.75, 1e-12);
        close(isi_distance(&[], &[0.4], UNIT), 0.48, 1e-12);
        close(spike_distance(&[], &[0.4], UNIT), 0.350765306, 1e-9);
        close(isi_distance(&[0.3], &[0.7], UNIT), 0.342857143, 1e-9);
        close(spike_distance(&[0.3], &[0.7], UNIT), 0.531428571, 1e-9);
        close(spike_synchronization(&[0.3], &[0.7], UNIT, None), 1.0, 0.0);
        close(spike_synchronization(&[], &[0.7], UNIT, None), 0.0, 0.0);
        assert_eq!(
            (isi_distance(&[], &[], UNIT), spike_distance(&[], &[], UNIT), spike_synchronization(&[], &[], UNIT, None)),
            (0.0, 0.0, 1.0)
        );
    }

    fn poisson(seed: u64, unit: u32, rate: f64, stop: f64) -> Vec<f64> {
        let mut s = Key::new(seed, "spike_distance", "poisson").stream(unit, 0);
        let mut t = 0.0;
        let mut train = Vec::new();
        loop {
            t -= (1.0 - s.uniform()).ln() / rate;
            if t >= stop {
                return train;
            }
            train.push(t);
        }
    }

    /// Random trains against PySpike 0.9 (data/reference/spike_distance_pyspike.py), the same MINSTD spikes on a grid so
    /// that some coincide, one train with a spike on each edge, one short, one empty.
    #[test]
    fn random_trains_of_pyspike() {
        let reference: serde_json::Value = serde_json::from_str(include_str!("../../data/reference/spike_distance_pyspike.json")).unwrap();
        let numbers = |v: &serde_json::Value| -> Vec<f64> { v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
        let trains: Vec<Vec<f64>> = reference["trains"].as_array().unwrap().iter().map(numbers).collect();
        let e = Edges { start: 0.0, stop: reference["stop"].as_f64().unwrap() };
        let n = trains.len();
        for (name, got) in [
            ("isi", pairs(n, |i, j| isi_distance(&trains[i], &trains[j], e))),
            ("spike", pairs(n, |i, j| spike_distance(&trains[i], &trains[j], e))),
            ("sync", pairs(n, |i, j| spike_synchronization(&trains[i], &trains[j], e, None))),
        ] {
            for (k, (a, b)) in got.iter().zip(numbers(&reference[name])).enumerate() {
                assert!((a - b).abs() < 1e-11, "{name} {k}: {a} is not {b}");
            }
        }
    }

    /// Poisson trains of equal rate: ISI 1/2 and SYNC 1/4 (arXiv 1502.02027), SPIKE 0.2956 (C10).
    #[test]
    fn poisson_expectations() {
        let e = Edges { start: 0.0, stop: 20000.0 };
        let (a, b) = (poisson(1, 0, 1.0, e.stop), poisson(1, 1, 1.0, e.stop));
        close(isi_distance(&a, &b, e), 0.5, 0.008);
        close(spike_synchronization(&a, &b, e, None), 0.25, 0.008);
        close(spike_distance(&a, &b, e), 0.2956, 0.003);
    }

    /// `max_tau` bounds the window also between intervals that are longer (PySpike 0.9 applies it at the edges only).
    #[test]
    fn max_tau_bounds_the_window() {
        let e = Edges { start: 0.0, stop: 30.0 };
        let (a, b) = ([5.0, 10.0, 15.0, 20.0], [5.3, 10.05, 15.3, 19.95]);
        assert_eq!(coincident_spikes(&a, &b, e, None), (8, 8));
        assert_eq!(coincident_spikes(&a, &b, e, Some(0.1)), (4, 8));
    }

    #[test]
    fn symmetric_and_blind_to_absolute_time() {
        let e = Edges { start: 0.0, stop: 50.0 };
        let (a, b) = (poisson(2, 0, 1.0, e.stop), poisson(2, 1, 0.6, e.stop));
        let later = |t: &[f64]| t.iter().map(|x| x + 4096.0).collect::<Vec<_>>();
        let shifted = Edges { start: 4096.0, stop: 4146.0 };
        let measures: [Measure; 3] = [isi_distance, spike_distance, |a, b, e| spike_synchronization(a, b, e, None)];
        for measure in measures {
            close(measure(&a, &b, e), measure(&b, &a, e), 1e-14);
            close(measure(&later(&a), &later(&b), shifted), measure(&a, &b, e), 1e-10);
        }
        assert_eq!(spike_distance(&a, &a, e), 0.0);
        assert_eq!(isi_distance(&a, &a, e), 0.0);
        assert_eq!(spike_synchronization(&a, &a, e, None), 1.0);
    }

    #[test]
    fn repeated_times_are_counted() {
        assert_eq!(prepared(&[1.0, 1.0, 2.0, 2.0, 2.0]), (vec![1.0, 2.0], 3));
        assert_eq!(symmetric(3, &[1.0, 2.0, 3.0], 0.0), vec![0.0, 1.0, 2.0, 1.0, 0.0, 3.0, 2.0, 3.0, 0.0]);
    }
}
