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

/// Expected SPIKE-distance of Poisson trains of equal rate (simulation of 2e5 intervals, ± 1e-4).
pub const POISSON_SPIKE: f64 = 0.2956;

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

/// Hands over the stretches of time between neighbouring spikes of two trains, in order: start, stop, and the current
/// interval of each train.
pub fn isi_stretches(a: &[f64], b: &[f64], edges: Edges, mut each: impl FnMut(f64, f64, f64, f64)) {
    let (mut sa, mut sb) = ([0.0; 2], [0.0; 2]);
    let a = if or_edges(a, edges, &mut sa) { &sa[..] } else { a };
    let b = if or_edges(b, edges, &mut sb) { &sb[..] } else { b };
    let (mut nu_a, on_a) = first_interval(a, edges);
    let (mut nu_b, on_b) = first_interval(b, edges);
    let (mut i, mut j) = (usize::from(on_a), usize::from(on_b)); // the next spike of each
    let after = |t: &[f64], k: usize| if k + 1 < t.len() { t[k + 1] - t[k] } else { last_interval(t, edges) };
    let mut last = edges.start;
    while i < a.len() || j < b.len() {
        let time = match (a.get(i), b.get(j)) {
            (Some(&x), Some(&y)) => x.min(y),
            (Some(&x), None) | (None, Some(&x)) => x,
            (None, None) => break,
        };
        each(last, time, nu_a, nu_b);
        if a.get(i) == Some(&time) {
            nu_a = after(a, i);
            i += 1;
        }
        if b.get(j) == Some(&time) {
            nu_b = after(b, j);
            j += 1;
        }
        last = time;
    }
    each(last, edges.stop, nu_a, nu_b);
}

/// |x − y| over the greater, which is taken to be no less than `threshold`.
pub fn dissimilarity(x: f64, y: f64, threshold: f64) -> f64 {
    let most = x.max(y).max(threshold);
    if most > 0.0 { (x - y).abs() / most } else { 0.0 }
}

/// ISI-distance: mean over time of |ν1 − ν2|/max(ν1, ν2), 0 for equal trains.
pub fn isi_distance(a: &[f64], b: &[f64], edges: Edges) -> f64 {
    adaptive_isi_distance(a, b, edges, 0.0)
}

/// The same where intervals below a threshold are not told apart by their ratio (Satuvuori and others 2017,
/// doi:10.1016/j.jneumeth.2017.05.028): mean of |ν1 − ν2|/max(ν1, ν2, threshold).
pub fn adaptive_isi_distance(a: &[f64], b: &[f64], edges: Edges, threshold: f64) -> f64 {
    let mut sum = 0.0;
    isi_stretches(a, b, edges, |from, to, x, y| sum += dissimilarity(x, y, threshold) * (to - from));
    sum / (edges.stop - edges.start)
}

/// The threshold that follows from the intervals of all trains: the root of their mean square (Satuvuori and others
/// 2017), with those to the edges, as PySpike counts them.
pub fn adaptive_threshold<'t>(trains: impl IntoIterator<Item = &'t [f64]>, edges: Edges) -> f64 {
    let (mut squares, mut count) = (0.0, 0.0);
    let mut add = |interval: f64| {
        squares += interval * interval;
        count += 1.0;
    };
    for t in trains {
        let (Some(&first), Some(&last)) = (t.first(), t.last()) else {
            add(edges.stop - edges.start);
            continue;
        };
        let ends = (t.windows(2).next(), t.windows(2).next_back());
        if first > edges.start {
            add(ends.0.map_or(first - edges.start, |w| (w[1] - w[0]).max(first - edges.start)));
        }
        if last < edges.stop {
            add(ends.1.map_or(edges.stop - last, |w| (w[1] - w[0]).max(edges.stop - last)));
        }
        t.windows(2).for_each(|w| add(w[1] - w[0]));
    }
    if count > 0.0 { (squares / count).sqrt() } else { 0.0 }
}

fn auxiliary(t: &[f64], e: Edges) -> (f64, f64) {
    let n = t.len();
    if n > 1 { (e.start.min(2.0 * t[0] - t[1]), e.stop.max(2.0 * t[n - 1] - t[n - 2])) } else { (e.start, e.stop) }
}

/// A train made ready for SPIKE-distances to many others.
#[derive(Debug, Clone, PartialEq)]
pub struct Framed {
    edges: Edges,
    /// The spikes between their auxiliary ones.
    points: Vec<f64>,
    /// One over each interval between them (0 where two points coincide at an edge).
    inverse: Vec<f64>,
}

impl Framed {
    /// Frames a train (ascending, without repeated times) by its auxiliary spikes.
    pub fn new(train: &[f64], edges: Edges) -> Self {
        let mut store = [0.0; 2];
        let train = if or_edges(train, edges, &mut store) { &store[..] } else { train };
        let (first, last) = auxiliary(train, edges);
        let points: Vec<f64> = std::iter::once(first).chain(train.iter().copied()).chain([last]).collect();
        let inverse = points.windows(2).map(|w| if w[1] > w[0] { 1.0 / (w[1] - w[0]) } else { 0.0 }).collect();
        Self { edges, points, inverse }
    }

    /// Number of spikes between the auxiliary ones.
    fn spikes(&self) -> usize {
        self.points.len() - 2
    }

    /// Distance of the point after the last spike to the other train: that of the last spike, `last`; but a lone spike
    /// at the start makes the stop its follower, which has its own (so in PySpike).
    fn last_distance(&self, last: f64, other: &Self) -> f64 {
        if self.spikes() == 1 && self.points[1] == self.edges.start {
            other.points.iter().map(|p| (self.edges.stop - p).abs()).fold(f64::INFINITY, f64::min)
        } else {
            last
        }
    }

    /// S_k at `time` inside interval `k`, from the distances of all points to the other train.
    #[inline(always)]
    fn at(&self, k: usize, time: f64, distance: &[f64]) -> f64 {
        let (previous, following) = (self.points[k], self.points[k + 1]);
        (distance[k] * (following - time) + distance[k + 1] * (time - previous)) * self.inverse[k]
    }
}

/// Where a stretch between neighbouring spikes of two trains ends, and in which interval of each train it lies.
#[derive(Clone, Copy, Default)]
struct Stretch {
    end: f64,
    i: u32,
    j: u32,
}

/// Hands over the stretches of time between neighbouring spikes of two framed trains (with the same edges), in order:
/// start, stop, the current interval of each train, and S_k of both at a time inside.
///
/// A first pass merges the trains and finds each spike's distance to the other train; it has no branch that depends on
/// which train comes next, since nobody could predict it.
#[inline(always)]
pub fn spike_stretches(a: &Framed, b: &Framed, mut each: impl FnMut(f64, f64, (f64, f64), &dyn Fn(f64) -> (f64, f64))) {
    let (n, m) = (a.spikes(), b.spikes());
    // Distances of a's points, then of b's.
    let mut distance = vec![0.0; n + m + 4];
    let mut stretches = Vec::with_capacity(n + m + 1);
    let (p, q) = (&a.points[..], &b.points[..]);
    let (mut i, mut j) = (1, 1);
    while i <= n && j <= m {
        // Everything is read before it is known which is needed: reads behind a condition would be branches.
        let (x, y, x_before, y_before) = (p[i], q[j], p[i - 1], q[j - 1]);
        let first = x <= y;
        let mask = u64::from(first).wrapping_neg();
        let passed = f64::from_bits((y_before.to_bits() & mask) | (x_before.to_bits() & !mask));
        let at = (i & mask as usize) | ((n + 2 + j) & !mask as usize);
        let end = x.min(y);
        distance[at] = (end - passed).min((x - y).abs());
        stretches.push(Stretch { end, i: i as u32 - 1, j: j as u32 - 1 });
        i += usize::from(first);
        j += usize::from(!first);
    }
    while i <= n {
        distance[i] = (p[i] - q[j - 1]).min(q[j] - p[i]);
        stretches.push(Stretch { end: p[i], i: i as u32 - 1, j: j as u32 - 1 });
        i += 1;
    }
    while j <= m {
        distance[n + 2 + j] = (q[j] - p[i - 1]).min(p[i] - q[j]);
        stretches.push(Stretch { end: q[j], i: i as u32 - 1, j: j as u32 - 1 });
        j += 1;
    }
    stretches.push(Stretch { end: a.edges.stop, i: n as u32, j: m as u32 });
    // Towards the edges S_k keeps the distance of the outermost spike.
    let (of_a, of_b) = distance.split_at_mut(n + 2);
    (of_a[0], of_a[n + 1]) = (of_a[1], a.last_distance(of_a[n], b));
    (of_b[0], of_b[m + 1]) = (of_b[1], b.last_distance(of_b[m], a));

    let mut start = a.edges.start;
    for s in &stretches {
        let (i, j) = (s.i as usize, s.j as usize);
        let (nu_a, nu_b) = (p[i + 1] - p[i], q[j + 1] - q[j]);
        each(start, s.end, (nu_a, nu_b), &|time| (a.at(i, time, of_a), b.at(j, time, of_b)));
        start = s.end;
    }
}

/// SPIKE-distance of two framed trains (with the same edges): mean over time of the profile S(t), 0 for equal trains.
/// The profile is linear in each stretch, and its middle is its mean.
pub fn spike_distance_framed(a: &Framed, b: &Framed) -> f64 {
    let mut total = 0.0;
    spike_stretches(a, b, |start, end, (nu_a, nu_b), at| {
        let (of_a, of_b) = at(0.5 * (start + end));
        let sum = nu_a + nu_b;
        let profile = (of_a * nu_b + of_b * nu_a) / (sum * sum).max(f64::MIN_POSITIVE);
        total += profile * (end - start);
    });
    2.0 * total / (a.edges.stop - a.edges.start)
}

/// The value of the profile S(t) from the intervals and distances of both trains, where mean intervals below a
/// threshold count as that (Satuvuori and others 2017).
pub fn spike_dissimilarity((nu_a, nu_b): (f64, f64), (of_a, of_b): (f64, f64), threshold: f64) -> f64 {
    let middle = 0.5 * (nu_a + nu_b);
    0.5 * (of_a * nu_b + of_b * nu_a) / (middle * middle.max(threshold)).max(f64::MIN_POSITIVE)
}

/// The adaptive SPIKE-distance.
pub fn adaptive_spike_distance(a: &Framed, b: &Framed, threshold: f64) -> f64 {
    let mut total = 0.0;
    spike_stretches(a, b, |start, end, nu, at| {
        total += spike_dissimilarity(nu, at(0.5 * (start + end)), threshold) * (end - start);
    });
    total / (a.edges.stop - a.edges.start)
}

/// Coincident spikes and all spikes of two trains. Two spikes coincide if they are closer than half the least of the
/// four intervals around them (and than `max_tau`, if given).
pub fn coincident_spikes(a: &[f64], b: &[f64], edges: Edges, max_tau: Option<f64>) -> (u64, u64) {
    let mut coincident = 0;
    coincidences(a, b, edges, max_tau, 0.0, |_, _| coincident += 2);
    (coincident, (a.len() + b.len()) as u64)
}

/// Hands over the indices of each two coincident spikes, in order. With a threshold (of [`adaptive_threshold`]) a spike
/// reaches up to a quarter of it towards the other where the interval on that side is long enough (Satuvuori and others
/// 2017).
pub fn coincidences(
    a: &[f64],
    b: &[f64],
    edges: Edges,
    max_tau: Option<f64>,
    threshold: f64,
    mut each: impl FnMut(usize, usize),
) {
    let widest = max_tau.map_or(edges.stop - edges.start, |m| (2.0 * m).min(edges.stop - edges.start));
    let before = |t: &[f64], k: usize| if k > 0 { t[k] - t[k - 1] } else { widest };
    let after = |t: &[f64], k: usize| if k + 1 < t.len() { t[k + 1] - t[k] } else { widest };
    // Twice how far a spike reaches, from its interval away from the other spike and that towards it.
    let reach = |away: f64, towards: f64| away.min(towards).max(0.5 * threshold).min(towards);
    let near = |i: usize, j: usize| {
        let (x, y) = if a[i] <= b[j] {
            (reach(before(a, i), after(a, i)), reach(after(b, j), before(b, j)))
        } else {
            (reach(after(a, i), before(a, i)), reach(before(b, j), after(b, j)))
        };
        (a[i] - b[j]).abs() < 0.5 * x.min(y).min(widest)
    };
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && (j == b.len() || a[i] < b[j]) {
            if j > 0 && near(i, j - 1) {
                each(i, j - 1);
            }
            i += 1;
        } else if j < b.len() && (i == a.len() || b[j] < a[i]) {
            if i > 0 && near(i - 1, j) {
                each(i - 1, j);
            }
            j += 1;
        } else {
            each(i, j);
            i += 1;
            j += 1;
        }
    }
}

/// How many more coincident spikes of `a` come before those of `b` than after them (Kreuz and others 2017,
/// doi:10.1088/1367-2630/aa68c3): twice that over all spikes of both is their SPIKE-order, from -1 to 1.
pub fn leads(a: &[f64], b: &[f64], edges: Edges, max_tau: Option<f64>, threshold: f64) -> f64 {
    let mut order = 0.0;
    coincidences(a, b, edges, max_tau, threshold, |i, j| {
        order += f64::from(i8::from(a[i] < b[j]) - i8::from(b[j] < a[i]));
    });
    order
}

/// A value for each pair i < j of `n` items, row by row, computed in parallel and returned in a fixed order.
pub fn pairs<T: Send>(n: usize, value: impl Fn(usize, usize) -> T + Sync) -> Vec<T> {
    (0..n).into_par_iter().flat_map_iter(|i| (i + 1..n).map(|j| value(i, j)).collect::<Vec<_>>()).collect()
}

/// Symmetric matrix, row by row, from the values of [`pairs`] and a diagonal.
///
/// # Panics
/// If there is not one value for each pair.
pub fn symmetric(n: usize, pairs: &[f64], diagonal: f64) -> Vec<f64> {
    assert_eq!(pairs.len(), n * n.saturating_sub(1) / 2, "a value for each pair of {n}");
    let mut full = vec![diagonal; n * n];
    let mut next = pairs.iter();
    for i in 0..n {
        for j in i + 1..n {
            let v = *next.next().expect("as many values as pairs");
            full[i * n + j] = v;
            full[j * n + i] = v;
        }
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    type Measure = fn(&[f64], &[f64], Edges) -> f64;

    const UNIT: Edges = Edges { start: 0.0, stop: 1.0 };

    fn spike_distance(a: &[f64], b: &[f64], edges: Edges) -> f64 {
        spike_distance_framed(&Framed::new(a, edges), &Framed::new(b, edges))
    }

    fn close(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }

    /// SPIKE-synchronization: share of coincident spikes; 1 for two empty trains.
    fn spike_synchronization(a: &[f64], b: &[f64], edges: Edges, max_tau: Option<f64>) -> f64 {
        let (coincident, all) = coincident_spikes(a, b, edges, max_tau);
        if all == 0 { 1.0 } else { coincident as f64 / all as f64 }
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
        let (c, n) = pairs(4, |i, j| coincident_spikes(&t[i], &t[j], UNIT, None))
            .iter()
            .fold((0, 0), |(c, n), p| (c + p.0, n + p.1));
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

    /// Random trains against PySpike 0.9 (data/reference/spike_distance_pyspike.py), the same MINSTD spikes on a grid
    /// so that some coincide, one train with a spike on each edge, one short, one empty.
    #[test]
    fn random_trains_of_pyspike() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/spike_distance_pyspike.json")).unwrap();
        let numbers =
            |v: &serde_json::Value| -> Vec<f64> { v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
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

    /// The adaptive measures and SPIKE-order of PySpike 0.9 on the trains of data/reference/spike_trains_elephant.py.
    #[test]
    fn adaptive_trains_of_pyspike() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/spike_trains_elephant.json")).unwrap();
        let numbers =
            |v: &serde_json::Value| -> Vec<f64> { v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
        let trains: Vec<Vec<f64>> = reference["trains"].as_array().unwrap().iter().map(numbers).collect();
        let (e, n) = (Edges { start: 0.0, stop: reference["stop"].as_f64().unwrap() }, trains.len());
        let threshold = adaptive_threshold(trains.iter().map(Vec::as_slice), e);
        close(threshold, reference["threshold"].as_f64().unwrap(), 1e-9);
        let sync = |i: usize, j: usize| {
            let (a, b, mut coincident) = (&trains[i], &trains[j], 0.0);
            coincidences(a, b, e, None, threshold, |_, _| coincident += 2.0);
            coincident / (a.len() + b.len()) as f64
        };
        let order = |i: usize, j: usize| {
            2.0 * leads(&trains[i], &trains[j], e, None, 0.0) / (trains[i].len() + trains[j].len()) as f64
        };
        let framed: Vec<Framed> = trains.iter().map(|t| Framed::new(t, e)).collect();
        for (name, got) in [
            ("adaptive_isi", pairs(n, |i, j| adaptive_isi_distance(&trains[i], &trains[j], e, threshold))),
            ("adaptive_spike", pairs(n, |i, j| adaptive_spike_distance(&framed[i], &framed[j], threshold))),
            ("adaptive_sync", pairs(n, sync)),
            ("order", pairs(n, order)),
        ] {
            for (k, (a, b)) in got.iter().zip(numbers(&reference[name])).enumerate() {
                assert!((a - b).abs() < 1e-9, "{name}: pair {k}: {a} is not {b}");
            }
        }
    }
}
