//! Transfer entropy of spike trains in continuous time, without bins (Spinney, Prokopenko, Lizier 2017,
//! doi:10.1103/PhysRevE.95.032319; Shorten, Spinney, Lizier 2021, doi:10.1371/journal.pcbi.1008054).
//!
//! The rate at which a source tells of a target is ⟨ln λ(t | both pasts) − ln λ(t | own past)⟩ over the target's
//! spikes, times their rate. By Bayes, the ratio of a conditional rate to the mean rate is that of two densities of
//! the past: at spikes, and at any time. These are estimated by nearest neighbours, all four within one radius, so
//! that what a ball smears cancels: the larger of the distances to the k-th neighbour among the pasts at spikes and
//! at times drawn evenly. Neighbours that are closer are counted as Kraskov, Stögbauer and Grassberger do (2004,
//! doi:10.1103/PhysRevE.69.066138). Times of a train are in units of its mean interval, so that no ball is wide in
//! one and narrow in the other.

use super::ksg::digammas;
use super::neighbours::{Nearest, Tree};
use super::rng::Stream;

/// Times that a surrogate draws for each spike: so many that none has to serve twice, for pasts that occur twice are
/// neighbours without a reason.
const SPARE: usize = 10;

/// Most pasts alike that are looked through for one that has not served yet, before those that have are taken out.
const WIDEST: usize = 1280;

/// Spikes for which none is found before those that have served are taken out.
const PATIENCE: usize = 64;

/// Most intervals of a past.
pub const MOST: usize = 3;

/// The pasts of target and source at one time: how long ago the last spike was, then the intervals before it; what is
/// not asked for is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Past {
    own: [f64; MOST],
    source: [f64; MOST],
}

impl Past {
    fn joint(&self) -> [f64; 2 * MOST] {
        std::array::from_fn(|k| if k < MOST { self.own[k] } else { self.source[k - MOST] })
    }
}

/// How much of the past counts, and how many neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Histories {
    /// Intervals of the target's past, 1 to [`MOST`].
    pub own: usize,
    /// Intervals of the source's past, 1 to [`MOST`].
    pub source: usize,
    /// Neighbours.
    pub neighbours: usize,
    /// Times drawn evenly, for each spike of the target.
    pub samples: usize,
}

/// Two trains, ready to be looked at.
#[derive(Debug, Clone)]
pub struct Transfer {
    histories: Histories,
    /// Pasts at the target's spikes.
    events: Vec<Past>,
    own_events: Tree<MOST>,
    own_anywhere: Tree<MOST>,
    joint_anywhere: Tree<{ 2 * MOST }>,
    /// Where pasts are whole: the later begin, and the end.
    from: f64,
    stop: f64,
    /// Spikes of target and source in a unit of time.
    rates: [f64; 2],
    psi: Vec<f64>,
}

/// The pasts of both at `t`, in mean intervals of each.
fn pasts(trains: [&[f64]; 2], t: f64, h: Histories, rates: [f64; 2]) -> Option<Past> {
    let of = |k: usize, count: usize| Some(past(trains[k], t, count)?.map(|v| v * rates[k]));
    Some(Past { own: of(0, h.own)?, source: of(1, h.source)? })
}

/// The past at `t`, of spikes before it alone.
fn past(train: &[f64], t: f64, count: usize) -> Option<[f64; MOST]> {
    let before = train.partition_point(|s| *s < t);
    let mut out = [0.0; MOST];
    for (k, v) in out.iter_mut().enumerate().take(count) {
        let earlier = train[before.checked_sub(k + 1)?];
        *v = if k == 0 { t - earlier } else { train[before - k] - earlier };
    }
    Some(out)
}

impl Transfer {
    /// Of ascending trains up to `stop`; `None` where fewer spikes of the target than twice the neighbours have both
    /// pasts.
    pub fn new(target: &[f64], source: &[f64], stop: f64, histories: Histories, stream: &mut Stream) -> Option<Self> {
        let h = histories;
        let from = target.get(h.own.checked_sub(1)?)?.max(*source.get(h.source.checked_sub(1)?)?);
        let rates = [target, source].map(|train| train.len() as f64 / (stop - from));
        let both = |t: f64| pasts([target, source], t, h, rates);
        let events: Vec<Past> = target.iter().filter(|t| **t > from && **t <= stop).filter_map(|t| both(*t)).collect();
        if events.len() < 2 * h.neighbours.max(2) || stop <= from {
            return None;
        }
        let anywhere = drawn(events.len() * h.samples.max(1), (from, stop), &both, stream);
        let own = |all: &[Past]| Tree::new(&all.iter().map(|p| p.own).collect::<Vec<_>>());
        let joint: Vec<[f64; 2 * MOST]> = anywhere.iter().map(Past::joint).collect();
        Some(Self {
            histories,
            own_events: own(&events),
            own_anywhere: own(&anywhere),
            joint_anywhere: Tree::new(&joint),
            psi: digammas(events.len() + anywhere.len() + 1),
            events,
            from,
            stop,
            rates,
        })
    }

    /// Spikes of the target that count.
    pub fn spikes(&self) -> usize {
        self.events.len()
    }

    /// Time over which they are counted.
    pub fn length(&self) -> f64 {
        self.stop - self.from
    }

    /// Nats per unit of time.
    pub fn rate(&self) -> f64 {
        self.of(&self.events)
    }

    /// Of pasts at spikes, the own parts of which are those of the target.
    fn of(&self, events: &[Past]) -> f64 {
        let joint: Vec<[f64; 2 * MOST]> = events.iter().map(Past::joint).collect();
        let tree = Tree::new(&joint);
        let mut nearest = Nearest::new(self.histories.neighbours);
        let mut sum = 0.0;
        for place in 0..tree.len() {
            let (q, index) = tree.point(place);
            tree.search(q, index, 0, &mut nearest);
            let among_events = nearest.radius();
            // No point has this index: none is left out.
            self.joint_anywhere.search(q, u32::MAX, 0, &mut nearest);
            let radius = among_events.max(nearest.radius());
            let own = events[index as usize].own;
            // Each counts itself among the spikes.
            let at_spikes = tree.count_around(q, radius).max(1);
            let own_at_spikes = self.own_events.count_around(&own, radius).max(1);
            let any = self.joint_anywhere.count_around(q, radius) + 1;
            let own_any = self.own_anywhere.count_around(&own, radius) + 1;
            sum += self.psi[at_spikes] - self.psi[any] - self.psi[own_at_spikes] + self.psi[own_any];
        }
        sum / self.length()
    }

    /// The same where the source's past at each spike is one that the source has at another time, drawn anew, at which
    /// the target's past is nearly the same: the source tells nothing of when the target fires, and keeps all that ties
    /// its past to the target's (local permutation: Runge 2018, arXiv:1709.01447). `target` and `source` are those it
    /// was made of, `near` is among how many it is chosen.
    pub fn surrogate(&self, target: &[f64], source: &[f64], near: usize, stream: &mut Stream) -> f64 {
        let h = self.histories;
        let both = |t: f64| pasts([target, source], t, h, self.rates);
        let mut others = drawn(SPARE * self.events.len(), (self.from, self.stop), &both, stream);
        let mut waiting: Vec<usize> = (0..self.events.len()).collect();
        for k in (1..waiting.len()).rev() {
            waiting.swap(k, stream.below(k as u32 + 1) as usize);
        }
        let mut made = self.events.clone();
        // Where the target is regular, all its spikes have one past, and all look for the same few times. Those for
        // which all that are near have served look among the rest, round by round; the first of a round finds one.
        while !waiting.is_empty() {
            waiting = self.serve(&waiting, &mut others, near, &mut made, stream);
        }
        self.of(&made)
    }

    /// Gives spikes that wait the source's past of other times, each once; takes out those that have served, and says
    /// which spikes found none.
    fn serve(
        &self,
        waiting: &[usize],
        others: &mut Vec<Past>,
        near: usize,
        made: &mut [Past],
        stream: &mut Stream,
    ) -> Vec<usize> {
        let tree = Tree::new(&others.iter().map(|p| p.own).collect::<Vec<_>>());
        let mut taken = vec![false; others.len()];
        let widths = std::iter::successors(Some(near.max(1)), |w| Some(4 * w)).take_while(|w| *w <= WIDEST.max(near));
        let mut lists: Vec<Nearest> = widths.map(Nearest::new).collect();
        let mut none = Vec::new();
        for &k in waiting {
            let mut free: Vec<u32> = Vec::new();
            for nearest in lists.iter_mut().take_while(|_| none.len() < PATIENCE) {
                tree.search(&self.events[k].own, u32::MAX, 0, nearest);
                free = tree.indices(nearest).filter(|j| !taken[*j as usize]).collect();
                if !free.is_empty() {
                    break;
                }
            }
            if free.is_empty() {
                none.push(k);
                continue;
            }
            let chosen = free[stream.below(free.len() as u32) as usize] as usize;
            taken[chosen] = true;
            made[k].source = others[chosen].source;
        }
        let mut served = taken.into_iter();
        others.retain(|_| !served.next().expect("there is one for each"));
        none
    }
}

/// Pasts at `count` times drawn evenly.
fn drawn(
    count: usize,
    (from, stop): (f64, f64),
    both: &impl Fn(f64) -> Option<Past>,
    stream: &mut Stream,
) -> Vec<Past> {
    (0..count).filter_map(|_| both(from + (stop - from) * (1.0 - stream.uniform()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::surrogate::p_value;

    const ONE: Histories = Histories { own: 1, source: 1, neighbours: 4, samples: 1 };
    const FINE: Histories = Histories { samples: 5, ..ONE };

    fn poisson(stream: &mut Stream, rate: f64, stop: f64) -> Vec<f64> {
        let (mut t, mut all) = (0.0, Vec::new());
        loop {
            t -= (1.0 - stream.uniform()).ln() / rate;
            if t > stop {
                return all;
            }
            all.push(t);
        }
    }

    /// A target whose rate follows the time since the source's last spike, by thinning.
    fn driven(stream: &mut Stream, source: &[f64], most: f64, stop: f64, rate: impl Fn(f64) -> f64) -> Vec<f64> {
        let all = poisson(stream, most, stop);
        all.into_iter()
            .filter(|t| {
                let before = source.partition_point(|s| s < t);
                let since = before.checked_sub(1).map_or(f64::INFINITY, |k| t - source[k]);
                most * stream.uniform() < rate(since)
            })
            .collect()
    }

    fn transfer(target: &[f64], source: &[f64], stop: f64, h: Histories, stream: &mut Stream) -> f64 {
        Transfer::new(target, source, stop, h, stream).unwrap().rate()
    }

    /// The past at a time: 1 s after the last spike, 2 s between that and the one before; a spike at the time itself is
    /// not past.
    #[test]
    fn pasts_by_hand() {
        let train = [1.0, 4.0, 6.0, 7.0];
        assert_eq!(past(&train, 7.0, 3), Some([1.0, 2.0, 3.0]));
        assert_eq!(past(&train, 7.5, 2), Some([0.5, 1.0, 0.0]));
        assert_eq!((past(&train, 4.0, 2), past(&train, 1.0, 1)), (None, None));
    }

    /// A source of 10 a second; for 50 ms after each of its spikes the target fires at 0.5 a second, else at 0.05. What
    /// the source tells is q λ₁ ln(λ₁/λ) + (1 − q) λ₀ ln(λ₀/λ), q = 1 − e^(−1/2), with the rates of this draw, less
    /// what the target's own rare spikes tell of it, which is little.
    #[test]
    fn a_driven_rate_is_told() {
        let mut s = Key::new(1, "transfer", "driven").stream(0, 0);
        let stop = 20_000.0;
        let source = poisson(&mut s, 10.0, stop);
        let target = driven(&mut s, &source, 0.5, stop, |since| if since < 0.05 { 0.5 } else { 0.05 });
        let q = 1.0 - (-0.5f64).exp();
        let n = target.len() as f64;
        let soon = target.iter().filter(|t| past(&source, **t, 1).is_some_and(|p| p[0] < 0.05)).count() as f64;
        let (high, low, mean) = (soon / q, (n - soon) / (1.0 - q), n);
        let truth = (soon * (high / mean).ln() + (n - soon) * (low / mean).ln()) / stop;
        let there = transfer(&target, &source, stop, FINE, &mut s);
        assert!((there / truth - 1.0).abs() < 0.06, "{there} is not {truth}");
        // More of the past adds nothing but wider balls.
        let more = transfer(&target, &source, stop, Histories { own: 2, source: 2, ..FINE }, &mut s);
        assert!((0.8..1.1).contains(&(more / truth)), "{more} is not {truth}");
    }

    /// The example of Shorten, Spinney and Lizier (their equation 14): 0.5076 nats a second.
    #[test]
    fn the_published_example() {
        let mut s = Key::new(2, "transfer", "published").stream(0, 0);
        let stop = 10_000.0;
        let source = poisson(&mut s, 1.0, stop);
        let (base, m, sigma2) = (0.5, 5.0, 0.01);
        let rate = |t: f64| {
            let bump = |x: f64| (-x * x / (2.0 * sigma2)).exp();
            if t < 1.0 { base + m * bump(t - 0.5) - m * bump(0.5) } else { base }
        };
        let target = driven(&mut s, &source, 6.0, stop, rate);
        let found = transfer(&target, &source, stop, FINE, &mut s);
        assert!((found - 0.5076).abs() < 0.05, "{found} is not 0.5076");
    }

    /// Independent trains: nothing, and p-values of surrogates that are uniform; also where the target is regular.
    /// Where the source hears the target, and the target hears nothing, p is not small either.
    #[test]
    fn independent_trains_tell_nothing() {
        for shape in [1, 4] {
            let mut p = Vec::new();
            for seed in 0..40 {
                let mut s = Key::new(seed, "transfer", "null").stream(shape, 0);
                let source = poisson(&mut s, 5.0, 40.0);
                let all = poisson(&mut s, 5.0 * f64::from(shape), 40.0);
                let target: Vec<f64> = all.into_iter().step_by(shape as usize).collect();
                let t = Transfer::new(&target, &source, 40.0, ONE, &mut s).unwrap();
                let drawn: Vec<f64> = (0..19).map(|_| t.surrogate(&target, &source, 5, &mut s)).collect();
                p.push(p_value(t.rate(), &drawn));
            }
            let below = |level: f64| p.iter().filter(|p| **p <= level).count();
            // Binomial of 40: 0.1 gives more than 10 with a chance of 0.002, 0.5 fewer than 10 with one of 0.0003.
            // Pasts at the spikes of a regular train are more even than at times drawn: p may be large.
            assert!(below(0.1) <= 10 && below(0.5) <= 30 && (shape > 1 || below(0.5) >= 10), "{shape}: {p:?}");
        }
    }

    /// Of a metronome all spikes have one past, and of a clock that is jittered nearly so: chance is near nothing.
    #[test]
    fn regular_targets_have_no_chance_of_their_own() {
        for jitter in [0.0, 0.002, 0.02] {
            let mut s = Key::new(5, "transfer", "regular").stream((1000.0 * jitter) as u32, 0);
            let source = poisson(&mut s, 10.0, 100.0);
            let target: Vec<f64> = (1..1000).map(|k| 0.1 * f64::from(k) + jitter * (s.uniform() - 0.5)).collect();
            let t = Transfer::new(&target, &source, 100.0, FINE, &mut s).unwrap();
            let drawn: Vec<f64> = (0..10).map(|_| t.surrogate(&target, &source, 5, &mut s)).collect();
            let chance = drawn.iter().sum::<f64>() / 10.0;
            // A tenth of a nat a spike; where few pasts served again and again it was several.
            assert!(chance.abs() < 1.0, "{jitter}: {chance} nats a second, at {}", t.rate());
        }
    }

    #[test]
    fn a_source_that_hears_the_target_tells_it_nothing() {
        let mut small = 0;
        for seed in 0..20 {
            let mut s = Key::new(seed, "transfer", "back").stream(0, 0);
            let target = poisson(&mut s, 5.0, 40.0);
            let source = driven(&mut s, &target, 20.0, 40.0, |since| if since < 0.05 { 20.0 } else { 2.0 });
            let t = Transfer::new(&target, &source, 40.0, ONE, &mut s).unwrap();
            let drawn: Vec<f64> = (0..19).map(|_| t.surrogate(&target, &source, 5, &mut s)).collect();
            small += u32::from(p_value(t.rate(), &drawn) <= 0.1);
        }
        // Binomial of 20: 0.1 gives more than 6 with a chance of 0.002.
        assert!(small <= 6, "{small} of 20");
    }

    #[test]
    fn too_little_is_none() {
        let mut s = Key::new(1, "transfer", "few").stream(0, 0);
        assert!(Transfer::new(&[1.0, 2.0], &[0.5], 3.0, ONE, &mut s).is_none());
        assert!(Transfer::new(&[], &[], 3.0, ONE, &mut s).is_none());
    }

    /// A past serves once, however many spikes of a metronome look for the same few.
    #[test]
    fn pasts_of_a_clock_serve_once() {
        let mut s = Key::new(6, "transfer", "clock").stream(0, 0);
        let clock: Vec<f64> = (1..4000).map(|k| 0.1 * f64::from(k)).collect();
        let source = poisson(&mut s, 10.0, 400.0);
        let t = Transfer::new(&clock, &source, 400.0, ONE, &mut s).unwrap();
        let both = |at: f64| pasts([&clock, &source], at, ONE, t.rates);
        let mut others = drawn(SPARE * t.events.len(), (t.from, t.stop), &both, &mut s);
        let (all, mut made) = (others.len(), t.events.clone());
        let mut waiting: Vec<usize> = (0..t.events.len()).collect();
        let mut rounds = 0;
        while !waiting.is_empty() {
            waiting = t.serve(&waiting, &mut others, 5, &mut made, &mut s);
            rounds += 1;
        }
        assert_eq!(all - others.len(), t.events.len(), "each took one away");
        assert!(rounds > 1, "{rounds}: more than the widest search are there");
        let mut sources: Vec<u64> = made.iter().map(|p| p.source[0].to_bits()).collect();
        sources.sort_unstable();
        sources.dedup();
        assert_eq!(sources.len(), made.len(), "no past twice");
        let chance = t.surrogate(&clock, &source, 5, &mut s);
        assert!(chance.abs() < 1.0, "{chance} nats a second");
    }
}
