//! Surrogates of spike trains: what chance would give while some features of a train are kept (Grün 2009,
//! doi:10.1152/jn.00093.2008; Louis, Gerstein, Grün, Diesmann 2010, doi:10.3389/fncom.2010.00127).

use super::rng::Stream;
use super::spike_distance::Edges;

/// What a surrogate keeps, and what it destroys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainSurrogate {
    /// All spikes by one shift on a circle: keeps all intervals, destroys the relation to other trains and to the time
    /// of the recording. The two intervals that the window cuts are made whole by intervals of the train, so that where
    /// the circle closes no interval stands that the train would not have.
    Shift,
    /// Each spike to a place of its own, evenly within ± the width: keeps the rate on longer scales.
    Dither,
    /// The same, but no nearer to the spikes around it than the least interval of the train.
    DeadTimeDither,
    /// Each spike between those around it, within ± the width, by how often each of its two intervals occurs.
    IsiDither,
    /// The same by how often both intervals occur one after the other (Gerstein 2004).
    JointIsiDither,
    /// The intervals in another order.
    IsiShuffle,
    /// As many spikes evenly over the window: keeps their number alone.
    Uniform,
}

/// Makes surrogates of one train.
#[derive(Debug, Clone)]
pub struct SurrogateMaker<'a> {
    kind: TrainSurrogate,
    train: &'a [f64],
    edges: Edges,
    width: f64,
    grid: Option<f64>,
    /// Least interval.
    dead: f64,
    /// How often intervals occur, where that is asked.
    often: Option<Often>,
}

impl<'a> SurrogateMaker<'a> {
    /// Of an ascending train inside the edges. `width` is how far a dither goes to either side; `grid` is the time step
    /// on which surrogates stand as the spikes do, from the start of the window.
    pub fn new(kind: TrainSurrogate, train: &'a [f64], edges: Edges, width: f64, grid: Option<f64>) -> Self {
        let joint = match kind {
            TrainSurrogate::IsiDither => Some(false),
            TrainSurrogate::JointIsiDither => Some(true),
            _ => None,
        };
        let often = joint.filter(|_| width > 0.0).map(|joint| Often::new(train, width, joint));
        let dead = train.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min);
        Self { kind, train, edges, width, grid, dead: if dead.is_finite() { dead } else { 0.0 }, often }
    }

    /// A surrogate: ascending, inside the window (start, stop], with as many spikes as the train has.
    pub fn make(&self, stream: &mut Stream) -> Vec<f64> {
        let mut made = match self.kind {
            TrainSurrogate::Shift => self.shifted(stream),
            TrainSurrogate::Uniform => {
                let length = self.edges.stop - self.edges.start;
                self.train.iter().map(|_| self.placed(self.edges.start + length * (1.0 - stream.uniform()))).collect()
            }
            TrainSurrogate::Dither => self.dithered(stream),
            TrainSurrogate::DeadTimeDither => {
                self.each_between(|t, below, above| self.evenly(stream, t, below + self.dead, above - self.dead))
            }
            TrainSurrogate::IsiDither | TrainSurrogate::JointIsiDither => match &self.often {
                Some(often) => self.each_between(|t, below, above| self.by_intervals(stream, often, t, below, above)),
                None => self.train.to_vec(),
            },
            TrainSurrogate::IsiShuffle => self.shuffled(stream),
        };
        made.sort_by(f64::total_cmp);
        made
    }

    /// On the grid, if there is one, and inside the window.
    fn placed(&self, t: f64) -> f64 {
        let Edges { start, stop } = self.edges;
        match self.grid {
            Some(step) => {
                let most = ((stop - start) / step).round().max(1.0);
                start + ((t - start) / step).round().clamp(1.0, most) * step
            }
            None => t.clamp(start, stop),
        }
    }

    /// Round on a circle, all spikes alike.
    fn shifted(&self, stream: &mut Stream) -> Vec<f64> {
        self.turned(stream).unwrap_or_else(|| self.wrapped(stream))
    }

    /// Round in the window by one length: what is left over at its two ends becomes one interval.
    fn wrapped(&self, stream: &mut Stream) -> Vec<f64> {
        let (start, length) = (self.edges.start, self.edges.stop - self.edges.start);
        let by = length * stream.uniform();
        let by = self.grid.map_or(by, |step| (by / step).round() * step);
        let round = |t: &f64| {
            let at = (t - start + by).rem_euclid(length);
            self.placed(start + if at > 0.0 { at } else { length })
        };
        self.train.iter().map(round).collect()
    }

    /// On the circle of the train with one spike more, which lies outside of the window: the interval before the first
    /// spike reaches back to it, that after the last one on to it, and each is drawn among those of the train that are
    /// as long as what the window shows of it. The window then lies anywhere on the circle from where it leaves out one
    /// spike. Of a stationary renewal process the train itself is one of these draws, with the same chance as any other
    /// (the density of a window with whole intervals is that of their product, in whatever order they follow). Nothing
    /// where the train has no interval as long as one that is cut.
    fn turned(&self, stream: &mut Stream) -> Option<Vec<f64>> {
        let Edges { start, stop } = self.edges;
        let (train, length) = (self.train, stop - start);
        let (before, after) = (train.first()? - start, stop - train.last()?);
        let slack = self.grid.map_or(0.0, |step| 0.5 * step);
        // A spike at the start lies outside of the window, one at its end inside.
        let first = self.interval(stream, before - slack)?;
        let last = self.interval(stream, after + slack)?;
        let outside = (first - before).max(0.0) + last - after;
        let circle = length + outside;
        // The spikes of the circle from the one outside on, and where that comes again.
        let origin = start - (first - before).max(0.0);
        let spike = |k: usize| match k % (train.len() + 1) {
            0 => 0.0,
            k => train[k - 1] - origin,
        } + circle * (k / (train.len() + 1)) as f64;
        // Where the window may start to leave out this spike alone: behind it, not so far that the one before would
        // lie outside no longer, and not behind the next one. Spikes are counted from the second round on.
        let places = |k: usize| {
            let k = k + train.len() + 1;
            let (from, to) = (spike(k).max(spike(k - 1) + outside), spike(k + 1).min(spike(k) + outside));
            (from, (to - from).max(0.0))
        };
        let all: f64 = (0..=train.len()).map(|k| places(k).1).sum();
        let mut at = all * stream.uniform();
        let mut chosen = None;
        for k in 0..=train.len() {
            let (from, wide) = places(k);
            if wide > slack {
                let into = self.grid.map_or(at, |step| (at / step + 1e-6).floor() * step);
                chosen = Some((k, from + into.min(wide)));
            }
            if at < wide {
                break;
            }
            at -= wide;
        }
        let (left_out, window) = chosen?;
        let kept = (1..=train.len()).map(|k| start + spike(left_out + train.len() + 1 + k) - window);
        Some(kept.map(|t| self.placed(t)).collect())
    }

    /// One of the intervals that are longer than this, if there is one.
    fn interval(&self, stream: &mut Stream, least: f64) -> Option<f64> {
        let longer = || self.train.windows(2).map(|w| w[1] - w[0]).filter(|i| *i > least);
        let count = longer().count();
        if count == 0 { None } else { longer().nth(stream.below(count as u32) as usize) }
    }

    /// Each spike by its own: what leaves the window comes back as from a mirror, so that its ends do not run empty.
    fn dithered(&self, stream: &mut Stream) -> Vec<f64> {
        let Edges { start, stop } = self.edges;
        let place = |t: &f64| {
            let at = t + self.width * (2.0 * stream.uniform() - 1.0);
            let at = if at < start { 2.0 * start - at } else { at };
            self.placed(if at > stop { 2.0 * stop - at } else { at })
        };
        self.train.iter().map(place).collect()
    }

    /// Places spike by spike, between where the one before now stands and where the next has not yet moved from: this
    /// leaves a renewal process as it is.
    fn each_between(&self, mut place: impl FnMut(f64, f64, f64) -> f64) -> Vec<f64> {
        let mut made: Vec<f64> = Vec::with_capacity(self.train.len());
        for (k, &t) in self.train.iter().enumerate() {
            let below = made.last().copied().unwrap_or(f64::NEG_INFINITY);
            let above = self.train.get(k + 1).copied().unwrap_or(f64::INFINITY);
            made.push(place(t, below, above));
        }
        made
    }

    /// Evenly within the width, the two bounds and the window; where they leave nothing, where it is.
    fn evenly(&self, stream: &mut Stream, t: f64, least: f64, most: f64) -> f64 {
        let least = least.max(t - self.width).max(self.edges.start);
        let most = most.min(t + self.width).min(self.edges.stop);
        let drawn = least + (most - least) * (1.0 - stream.uniform());
        if most <= least {
            return t;
        }
        match self.grid {
            // Evenly over the grid points that lie within the bounds.
            Some(step) => {
                let start = self.edges.start;
                let first = ((least - start) / step - 1e-6).ceil().max(1.0);
                let last = ((most - start) / step + 1e-6).floor();
                let count = last - first + 1.0;
                if count < 1.0 { t } else { start + (first + (stream.uniform() * count).floor()) * step }
            }
            None => drawn,
        }
    }

    /// By how often the intervals to either side occur; at the ends of the train, and beyond what is counted, evenly.
    fn by_intervals(&self, stream: &mut Stream, often: &Often, t: f64, below: f64, above: f64) -> f64 {
        if !often.holds(above - below) {
            return self.evenly(stream, t, below, above);
        }
        let least = below.max(t - self.width).max(self.edges.start);
        let most = above.min(t + self.width).min(self.edges.stop);
        let cells = 4 * often.per_width;
        let cell = (most - least) / cells as f64;
        let at = |k: usize| least + (k as f64 + 0.5) * cell;
        let weights: Vec<f64> = (0..cells)
            .scan(0.0, |sum, k| {
                *sum += often.of(at(k) - below, above - at(k));
                Some(*sum)
            })
            .collect();
        let all = weights[cells - 1];
        let drawn = all * stream.uniform();
        let inside = stream.uniform();
        if all <= 0.0 {
            return t;
        }
        let chosen = weights.partition_point(|w| *w <= drawn).min(cells - 1);
        let placed = self.placed(least + (chosen as f64 + inside) * cell);
        if placed < below || placed > above { t } else { placed }
    }

    /// The intervals in another order, from the first spike on.
    fn shuffled(&self, stream: &mut Stream) -> Vec<f64> {
        let Some(&first) = self.train.first() else { return Vec::new() };
        let mut intervals: Vec<f64> = self.train.windows(2).map(|w| w[1] - w[0]).collect();
        for k in (1..intervals.len()).rev() {
            intervals.swap(k, stream.below(k as u32 + 1) as usize);
        }
        let mut t = first;
        std::iter::once(first)
            .chain(intervals.into_iter().map(|i| {
                t += i;
                self.placed(t)
            }))
            .collect()
    }
}

/// How often intervals occur, alone or two in a row, in bins and smoothed.
#[derive(Debug, Clone)]
struct Often {
    bin: f64,
    bins: usize,
    per_width: usize,
    /// One number a bin, or one for each two bins, row by row.
    counts: Vec<f64>,
    joint: bool,
}

impl Often {
    /// Bins of an eighth of the width, up to eight widths.
    fn new(train: &[f64], width: f64, joint: bool) -> Self {
        let (per_width, bins) = (8, 64);
        let bin = width / per_width as f64;
        let place = |w: &[f64]| Some(((w[1] - w[0]) / bin) as usize).filter(|k| *k < bins);
        let mut counts = vec![0.0; if joint { bins * bins } else { bins }];
        if joint {
            for w in train.windows(3) {
                if let (Some(i), Some(j)) = (place(&w[..2]), place(&w[1..])) {
                    counts[i * bins + j] += 1.0;
                }
            }
            for _ in 0..2 {
                counts.chunks_exact_mut(bins).for_each(smooth);
                for j in 0..bins {
                    let mut column: Vec<f64> = (0..bins).map(|i| counts[i * bins + j]).collect();
                    smooth(&mut column);
                    column.iter().enumerate().for_each(|(i, v)| counts[i * bins + j] = *v);
                }
            }
        } else {
            train.windows(2).filter_map(place).for_each(|k| counts[k] += 1.0);
            (0..2).for_each(|_| smooth(&mut counts));
        }
        Self { bin, bins, per_width, counts, joint }
    }

    /// Whether two intervals of this sum lie in the bins.
    fn holds(&self, sum: f64) -> bool {
        sum.is_finite() && sum < self.bin * self.bins as f64
    }

    fn of(&self, before: f64, after: f64) -> f64 {
        let place = |i: f64| ((i.max(0.0) / self.bin) as usize).min(self.bins - 1);
        if self.joint {
            self.counts[place(before) * self.bins + place(after)]
        } else {
            self.counts[place(before)] * self.counts[place(after)]
        }
    }
}

/// A quarter to either neighbour. Nothing passes to intervals below the first bin that any has.
fn smooth(values: &mut [f64]) {
    let Some(first) = values.iter().position(|v| *v > 0.0) else { return };
    let old = values.to_vec();
    for k in first..values.len() {
        let before = if k > first { old[k - 1] } else { old[k] };
        let after = old.get(k + 1).copied().unwrap_or(old[k]);
        values[k] = 0.25 * before + 0.5 * old[k] + 0.25 * after;
    }
}

/// The time step, if the window and all spikes are whole steps of it from its start.
pub fn common_grid<'t>(step: f64, edges: Edges, trains: impl IntoIterator<Item = &'t [f64]>) -> Option<f64> {
    let whole = |t: f64| {
        let steps = (t - edges.start) / step;
        (steps - steps.round()).abs() < 1e-6
    };
    let all = |train: &[f64]| train.iter().all(|&t| whole(t));
    (step > 0.0 && whole(edges.stop) && trains.into_iter().all(all)).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    const KINDS: [TrainSurrogate; 7] = [
        TrainSurrogate::Shift,
        TrainSurrogate::Dither,
        TrainSurrogate::DeadTimeDither,
        TrainSurrogate::IsiDither,
        TrainSurrogate::JointIsiDither,
        TrainSurrogate::IsiShuffle,
        TrainSurrogate::Uniform,
    ];
    const WINDOW: Edges = Edges { start: 100.0, stop: 1100.0 };

    /// Renewal train with a dead time, in steps of 0.1 if on a grid.
    fn train(seed: u64, dead: f64, mean: f64, grid: bool) -> Vec<f64> {
        let mut s = Key::new(seed, "spike_surrogate", "train").stream(0, 0);
        let (mut t, mut train) = (WINDOW.start, Vec::new());
        loop {
            t += dead - (mean - dead) * (1.0 - s.uniform()).ln();
            if t > WINDOW.stop {
                return train;
            }
            train.push(if grid { WINDOW.start + ((t - WINDOW.start) / 0.1).ceil() * 0.1 } else { t });
        }
    }

    fn least(train: &[f64]) -> f64 {
        train.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn every_kind_keeps_number_order_window_and_grid() {
        for kind in KINDS {
            for seed in 0..40 {
                let (mean, dead) = ([3.0, 20.0, 400.0, 3000.0][seed as usize % 4], 1.0);
                let grid = seed % 2 == 0;
                let train = train(seed, dead, mean, grid);
                let step = common_grid(0.1, WINDOW, [&train[..]]);
                assert_eq!(step.is_some(), grid || train.is_empty());
                let maker = SurrogateMaker::new(kind, &train, WINDOW, 5.0, step.filter(|_| grid));
                let mut stream = Key::new(seed, "spike_surrogate", "draw").stream(0, 0);
                let made = maker.make(&mut stream);
                assert_eq!(made.len(), train.len(), "{kind:?}");
                assert!(made.is_sorted() && made.iter().all(|t| (WINDOW.start..=WINDOW.stop).contains(t)), "{kind:?}");
                if grid {
                    assert!(common_grid(0.1, WINDOW, [&made[..]]).is_some(), "{kind:?} {seed}");
                    assert!(made.iter().all(|t| *t > WINDOW.start), "{kind:?}: the start is not in the window");
                }
                if train.len() > 20 {
                    assert_ne!(made, train, "{kind:?} {seed}");
                }
                if kind == TrainSurrogate::DeadTimeDither && train.len() > 1 {
                    assert!(least(&made) >= least(&train) - 1e-9, "{} {}", least(&made), least(&train));
                }
            }
        }
    }

    #[test]
    fn what_a_kind_keeps() {
        let train = train(3, 2.0, 10.0, false);
        let sorted = |t: &[f64]| {
            let mut i: Vec<f64> = t.windows(2).map(|w| w[1] - w[0]).collect();
            i.sort_by(f64::total_cmp);
            i
        };
        let made = |kind| {
            let mut stream = Key::new(1, "spike_surrogate", "kept").stream(0, 0);
            SurrogateMaker::new(kind, &train, WINDOW, 4.0, None).make(&mut stream)
        };
        for (a, b) in sorted(&made(TrainSurrogate::IsiShuffle)).iter().zip(sorted(&train)) {
            assert!((a - b).abs() < 1e-9);
        }
        // A circle has one interval more than its train: all but the one that is closed are kept.
        let round = made(TrainSurrogate::Shift);
        let kept = round.windows(2).filter(|w| train.windows(2).any(|v| (v[1] - v[0] - w[1] + w[0]).abs() < 1e-9));
        assert!(kept.count() >= train.len() - 2);
        for kind in [TrainSurrogate::DeadTimeDither, TrainSurrogate::IsiDither, TrainSurrogate::JointIsiDither] {
            for (a, b) in made(kind).iter().zip(&train) {
                assert!((a - b).abs() <= 4.0 + 1e-9, "{kind:?}");
            }
        }
    }

    /// Where a train has intervals as long as those that the window cuts, a shift has none that the train would not
    /// have, and two ends that the train might have. Closed to a circle as it stands, each of these trains would have
    /// one interval of another length.
    #[test]
    fn a_shift_closes_no_interval_that_the_train_would_not_have() {
        for grid in [false, true] {
            let (mut strange, mut left, mut first, mut used) = (0, 0, 0.0, 0);
            for seed in 0..200 {
                // Nearly regular: intervals of 9 to 11.
                let mut s = Key::new(seed, "spike_surrogate", "regular").stream(0, 0);
                let mut train = Vec::new();
                let mut t = WINDOW.start + 11.0 * s.uniform();
                while t <= WINDOW.stop {
                    let placed = WINDOW.start + ((t - WINDOW.start) / 0.1).ceil() * 0.1;
                    train.push(if grid { placed } else { t });
                    t += 9.0 + 2.0 * s.uniform();
                }
                let longest = train.windows(2).map(|w| w[1] - w[0]).fold(0.0, f64::max);
                if longest < train[0] - WINDOW.start || longest < WINDOW.stop - train[train.len() - 1] {
                    continue;
                }
                let mut stream = Key::new(seed, "spike_surrogate", "closed").stream(0, 0);
                let made = SurrogateMaker::new(TrainSurrogate::Shift, &train, WINDOW, 4.0, grid.then_some(0.1))
                    .make(&mut stream);
                assert_eq!(made.len(), train.len());
                assert!(made.is_sorted() && made.iter().all(|t| (WINDOW.start..=WINDOW.stop).contains(t)));
                let of = |w: &[f64]| w[1] - w[0];
                strange += made.windows(2).filter(|w| !(8.85..11.15).contains(&of(w))).count();
                left += usize::from(made[0] - WINDOW.start > 11.15)
                    + usize::from(WINDOW.stop - made[made.len() - 1] > 11.15);
                (first, used) = (first + made[0] - WINDOW.start, used + 1);
            }
            assert_eq!((strange, left), (0, 0), "{grid}");
            // The first spike lies anywhere in an interval: 5 on average, with a standard error of 0.2.
            first /= f64::from(used);
            assert!(used > 180 && (first - 5.0).abs() < 0.8, "{grid} {used} {first}");
        }
    }

    /// A dither by the intervals leaves a train with a dead time its distribution of intervals; a plain one does not.
    #[test]
    fn the_intervals_of_a_refractory_train_are_kept_by_those_that_should() {
        let short = |kind: TrainSurrogate| {
            let (mut short, mut all) = (0.0, 0.0);
            for seed in 0..30 {
                let train = train(seed, 4.0, 12.0, false);
                let mut stream = Key::new(seed, "spike_surrogate", "short").stream(0, 0);
                let made = SurrogateMaker::new(kind, &train, WINDOW, 8.0, None).make(&mut stream);
                short += made.windows(2).filter(|w| w[1] - w[0] < 3.0).count() as f64;
                all += made.len() as f64;
            }
            short / all
        };
        assert!(short(TrainSurrogate::Dither) > 0.1);
        for kind in [TrainSurrogate::DeadTimeDither, TrainSurrogate::IsiDither, TrainSurrogate::IsiShuffle] {
            assert!(short(kind) < 0.01, "{kind:?} {}", short(kind));
        }
        assert!(short(TrainSurrogate::JointIsiDither) < 0.03, "{}", short(TrainSurrogate::JointIsiDither));
    }

    #[test]
    fn nothing_can_be_made_of_nothing() {
        for kind in KINDS {
            for train in [&[][..], &[500.0], &[500.0, 500.0, 500.0]] {
                let mut stream = Key::new(2, "spike_surrogate", "few").stream(0, 0);
                for width in [0.0, 5.0] {
                    let made = SurrogateMaker::new(kind, train, WINDOW, width, None).make(&mut stream);
                    assert_eq!(made.len(), train.len(), "{kind:?}");
                }
            }
        }
    }
}
