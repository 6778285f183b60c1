//! Auto- and cross-correlograms of spike trains.

mod bands;

use super::prelude::*;
use bands::{Bands, bands};
use spikedeck_core::number::{counted, shown};
use spikedeck_core::spike_lags::lags_within;
use spikedeck_core::statistics::{poisson_interval_of, poisson_tail};
use spikedeck_scenario::Observable;
use spikedeck_signal::{Axis, Curve, CurveStyle, ReferenceLine, Series, Shape, TimeBase};
use statrs::distribution::{DiscreteCDF, Poisson};
use std::collections::HashSet;

/// The analysis `correlogram`.
pub struct Correlogram;

const CARD: AnalysisCard = AnalysisCard {
    title: "Correlogram",
    synonyms: &["ccg", "cch", "cross_correlogram", "cross_correlation", "cross_correlation_histogram"],
    summary: "counts of spike pairs over their lag, normalised by the rates, with chance level and interval",
    formula: "C(τ) = number of pairs with t_b − t_a in a bin around τ; g(τ) = C(τ)/(r_a r_b Δ T)\nchance = 1 − |τ|/T",
    assumptions: "Stationary rates. Lag positive: the second train fires later. Bins are centred, the middle one at \
                  lag 0; a lag on the edge of two bins counts half in each, so that the correlogram of (b, a) is that \
                  of (a, b) mirrored, exactly. Pairs of units are pooled; a unit is paired with itself only in an \
                  autocorrelogram, where a spike is not paired with itself. Pairs among the units of one subject \
                  stand on both sides of lag 0; n counts them once.",
    bias: "The finite window loses pairs at long lags: the chance level falls as 1 − |τ|/T. Slow common changes of \
           the rate raise it everywhere.",
    cost: "O(pairs within the greatest lag)",
    caveats: "The p-value of the peak takes pairs as a Poisson count and bins as independent; in bursts, refractory \
              trains and pools with common input they are not, and it is too small. Bins that are no multiple of the \
              time step hold unequal numbers of grid points. A greatest count at either end of the lags, or of no \
              pair at all, is no peak.",
    references: &[
        "Perkel, Gerstein, Moore 1967, doi:10.1016/S0006-3495(67)86597-4",
        "Brillinger, Bryant, Segundo 1976, Biol Cybern 22:213-228",
    ],
};

words! {
    /// Which units of one subject are paired.
    pub enum Pairing {
        /// Each with itself.
        Auto = "auto",
        /// Each with every other.
        Cross = "cross",
    }
}

options! {
    /// What `correlogram` can be told.
    pub struct Options {
        max_lag: Time = time("50 ms").or(derived::FIVE), "greatest lag";
        bin: Time = time("1 ms").or(derived::TWENTIETH).piece(), "width of a bin";
        pairs: Pairing = choice(Pairing::Auto),
            "one subject: each unit with itself, or all pairs of different units";
        max_units: usize = integer("200").between(1.0, 1e6), "units of a subject that are paired (evenly spaced)";
        band: bands::Options = shared();
    }
}

impl Estimator for Correlogram {
    type Options = Options;
    const KIND: &'static str = "correlogram";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let mut trains = Vec::new();
        f.each_spiking(|f, s| {
            if matches!(s.what, Observable::Variable(_)) {
                let why = "correlograms are of spikes; lags correlates traces";
                return Err(AnalysisError::Unsuitable(format!("{}: {why}", s.text)));
            }
            let mut t = subject::trains(f.request, s)?;
            let (most, all) = (o.max_units, t.trains.len());
            if all > most {
                f.warn(format!("{}: {most} of {all} units are paired (option max_units)", s.text));
                let chosen: Vec<usize> = (0..most).map(|k| k * all / most).collect();
                t.units = chosen.iter().map(|&k| t.units[k]).collect();
                t.names = chosen.iter().filter_map(|&k| t.names.get(k).cloned()).collect();
                t.trains = chosen.iter().map(|&k| t.trains[k].clone()).collect();
            }
            trains.push((s.place, t));
            Ok(())
        })?;
        if let [(_, one)] = trains.as_slice() {
            let own = o.pairs == Pairing::Auto;
            let counts = count(f.request, o, (one, one), true, own)?;
            let band = bands(f, &o.band, &counts, one, |moved| {
                count(f.request, o, (if own { moved } else { one }, moved), true, own)
            })?;
            tell(f, &one.subject, &counts, band.as_ref());
            return Ok(());
        }
        f.each_two(&trains, |f, (p, a), (q, b)| {
            let counts = count(f.request, o, (a, b), p == q, false)?;
            let band = bands(f, &o.band, &counts, b, |moved| count(f.request, o, (a, moved), p == q, false))?;
            tell(f, &format!("{}->{}", a.subject, b.subject), &counts, band.as_ref());
            Ok(())
        })
    }
}

/// What the pairs of two subjects, or of one, show.
fn tell(f: &mut Findings<'_>, name: &str, c: &Counts, band: Option<&Bands>) {
    f.metrics(measures(name, c, f.base.unit()));
    f.metrics(band.map(|b| b.metric(name, c, f.base.unit())));
    if c.pairs == 0 {
        f.warn(format!("{name}: no pair of spiking units"));
    } else if c.is_partly_mirrored() {
        f.warn(format!(
            "{name}: units of the one are units of the other as well; their pairs stand on both sides of lag 0"
        ));
    }
    if c.pairs > 0 && c.expected < 10.0 {
        f.warn(format!(
            "{name}: {:.1} pairs a bin are expected by chance; wider bins or a longer run would say more",
            c.expected
        ));
    }
    f.word(format!(
        "{name}: {} within ± {} {}",
        counted(c.total() as usize, "spike pair", "spike pairs"),
        shown(c.most),
        f.base.unit()
    ));
    let (mut rate, mut raw) = curves(name, c, f.base);
    rate.curves.extend(band.map(|b| b.curve(c, 1.0 / c.expected)));
    raw.curves.extend(band.map(|b| b.curve(c, 1.0)));
    f.shape(format!("correlogram of {name}"), Shape::Series(rate));
    f.shape(format!("counts of {name}"), Shape::Series(raw));
}

/// Pooled counts of pairs over lags.
struct Counts {
    /// Centre of each bin, axis units.
    lags: Vec<f64>,
    height: Vec<f64>,
    /// Pairs whose lag is the upper edge of a bin (the lower edge of the next): half of them count in each.
    on_edge: Vec<f64>,
    /// What of the heights is of pairs that stand at their lag and at the opposite one, as those among the units of one
    /// subject do: all over, and in the middle bin.
    mirrored: Mirrored,
    /// Pairs expected in a bin at lag 0 by chance.
    expected: f64,
    /// Number of unit pairs.
    pairs: u64,
    /// Length of the window, axis units.
    length: f64,
    most: f64,
}

impl Counts {
    /// Number of spike pairs, each once.
    fn total(&self) -> f64 {
        self.height.iter().sum::<f64>() - self.mirrored.all / 2.0
    }

    /// Whether there are only pairs that stand on both sides of lag 0.
    fn is_mirrored(&self) -> bool {
        self.mirrored.pairs == self.pairs
    }

    /// Whether there are such pairs beside others.
    fn is_partly_mirrored(&self) -> bool {
        self.mirrored.pairs > 0 && !self.is_mirrored()
    }

    /// Variance of a bin's height over its mean, of Poisson counts of pairs: a pair that stands twice in the middle
    /// counts four times in the one and twice in the other.
    fn times(&self, bin: usize) -> f64 {
        if bin != self.lags.len() / 2 || self.mirrored.pairs == 0 {
            1.0
        } else if self.is_mirrored() {
            2.0
        } else if self.height[bin] > 0.0 {
            1.0 + self.mirrored.middle / self.height[bin]
        } else {
            1.0 + self.mirrored.pairs as f64 / self.pairs as f64
        }
    }

    /// Where in a bin most of its pairs are, in bins from its centre: at an edge if more pairs lie on it than inside.
    fn shift(&self, bin: usize) -> f64 {
        let below = bin.checked_sub(1).map_or(0.0, |k| self.on_edge[k]);
        let above = self.on_edge[bin];
        let inside = self.height[bin] - 0.5 * (below + above);
        if above > below.max(inside) {
            0.5
        } else if below > above.max(inside) {
            -0.5
        } else {
            0.0
        }
    }

    /// Whether a bin is the first or the last, and does not have its pairs on its inner edge.
    fn at_end(&self, bin: usize) -> bool {
        let last = self.lags.len() - 1;
        last > 0 && (bin == 0 && self.shift(bin) <= 0.0 || bin == last && self.shift(bin) >= 0.0)
    }

    /// Bins that hold other pairs than those before them.
    fn distinct(&self) -> usize {
        if self.is_mirrored() { self.lags.len() / 2 + 1 } else { self.lags.len() }
    }
}

/// What pairs of units give that are counted as (u, v) and as (v, u).
#[derive(Default)]
struct Mirrored {
    /// Pairs of units.
    pairs: u64,
    /// Sum of their heights.
    all: f64,
    /// Their height in the middle bin.
    middle: f64,
}

/// Counts of the pairs of units of two subjects that are of one population (`same_place`) or not: of each unit with
/// itself (`own`), or of all others.
fn count(
    request: &Request<'_>,
    o: &Options,
    (a, b): (&subject::Trains, &subject::Trains),
    same_place: bool,
    own: bool,
) -> Result<Counts, AnalysisError> {
    let bin = o.bin.axis;
    let half = (o.max_lag.axis / bin + 1e-9).floor().max(0.0) as usize;
    let length = a.window.length();
    if bin <= 0.0 || bin * half as f64 >= length {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: max_lag must be shorter than the window, and bin positive",
            a.subject
        )));
    }
    let mut counts = vec![0.0; 2 * half + 1];
    let mut on_edge = vec![0.0; 2 * half + 1];
    let reach = (half as f64 + 0.5) * bin;
    let (mut expected, mut pairs, mut added) = (0.0, 0, 0.0);
    let mut mirrored = Mirrored::default();
    let units = |t: &subject::Trains| t.units.iter().copied().collect::<HashSet<u32>>();
    let (of_a, of_b) = (units(a), units(b));
    for (x, &u) in a.trains.iter().zip(&a.units) {
        request.check_cancelled()?;
        for (y, &v) in b.trains.iter().zip(&b.units) {
            let itself = same_place && u == v;
            if itself != own || x.is_empty() || y.is_empty() {
                continue;
            }
            pairs += 1;
            let both_ways = same_place && of_a.contains(&v) && of_b.contains(&u);
            let before = both_ways.then_some((added, counts[half]));
            expected += x.len() as f64 * y.len() as f64 * bin / length;
            lags_within(x, y, reach + 1e-6 * bin, |lag| {
                // Half a bin below the first centre is 0. A lag on an edge, to rounding, is half on either side.
                let place = lag / bin + half as f64 + 0.5;
                let edge = place.round();
                let mut add = |k: f64, by: f64| {
                    if let Some(c) = (k >= 0.0).then(|| counts.get_mut(k as usize)).flatten() {
                        *c += by;
                        added += by;
                    }
                };
                if (place - edge).abs() < 1e-6 {
                    add(edge - 1.0, 0.5);
                    add(edge, 0.5);
                    if edge >= 1.0 && edge <= 2.0 * half as f64 {
                        on_edge[edge as usize - 1] += 1.0;
                    }
                } else {
                    add(place.floor(), 1.0);
                }
            });
            if itself {
                counts[half] -= x.len() as f64;
                added -= x.len() as f64;
            }
            if let Some((all, middle)) = before {
                mirrored.pairs += 1;
                mirrored.all += added - all;
                mirrored.middle += counts[half] - middle;
            }
        }
    }
    let lags = (0..=2 * half).map(|k| (k as f64 - half as f64) * bin).collect();
    Ok(Counts { lags, height: counts, on_edge, mirrored, expected, pairs, length, most: half as f64 * bin })
}

/// What chance is, in words.
const INDEPENDENT: &str = "chance: independent trains";

fn measures(name: &str, c: &Counts, unit: &str) -> Vec<Metric> {
    let total = c.total() as u64;
    let missing = |metric: &str, unit: &str, why: &str| Metric::missing(name, metric, unit, total, why);
    if c.expected <= 0.0 {
        let why = "no pair of spiking units";
        return vec![missing("peak_lag", unit, why), missing("peak", "", why), missing("centre", "", why)];
    }
    let chance = |k: usize| 1.0 - c.lags[k].abs() / c.length;
    let height = |k: usize| c.height[k] / c.expected;
    let sure = |m: Metric, k: usize| {
        // Spike pairs are the counts; where each stands twice, so does its error.
        let times = c.times(k);
        let (low, high) = poisson_interval_of(c.height[k].max(0.0) / times, 0.95);
        m.interval(times * low / c.expected, times * high / c.expected)
            .interval_by("95 % Poisson interval")
            .chance(chance(k))
            .ground(Basis::Chance, INDEPENDENT)
    };
    let middle = c.lags.len() / 2;
    let pairs = format!("n = spike pairs, {} unit pairs", c.pairs);
    let centre = sure(Metric::new(name, "centre", height(middle), "", total).note(&pairs), middle);
    // Relative to chance, so that the fall towards long lags does not favour short ones; the smallest lag on ties, of
    // two mirrored ones that at which the second is later.
    let peak = (0..c.lags.len())
        .max_by(|&a, &b| {
            (height(a) / chance(a))
                .total_cmp(&(height(b) / chance(b)))
                .then(c.lags[b].abs().total_cmp(&c.lags[a].abs()))
                .then(a.cmp(&b))
        })
        .expect("there is the bin at lag 0");
    let none = if total == 0 {
        Some(format!("no pair of spikes is within {} {unit}", c.most))
    } else if c.at_end(peak) {
        Some(format!("the largest bin is the last, at {} {unit}: no peak inside max_lag", c.lags[peak]))
    } else {
        None
    };
    if let Some(why) = none {
        return vec![missing("peak_lag", unit, &why), missing("peak", "", &why), centre];
    }
    let times = c.times(peak);
    let single = poisson_tail(c.expected * chance(peak) / times, c.height[peak] / times);
    let p = -(c.distinct() as f64 * (-single).ln_1p()).exp_m1();
    let bin = if c.lags.len() > 1 { c.lags[1] - c.lags[0] } else { 0.0 };
    let lag = c.lags[peak] + bin * c.shift(peak);
    let told = format!("p: largest of {} bins under Poisson", c.distinct());
    let at =
        Metric::new(name, "peak_lag", lag, unit, total).p(p).note("positive: the second fires later").null_by(&told);
    let peak_height = Metric::new(name, "peak", height(peak), "", total).p(p).ground(Basis::Null, told).note(&pairs);
    // The largest of many bins is large by choice: where that may be all, it says nothing of the bin that it is in.
    let [at, peak_height] = if p > 0.05 {
        let peak_height = peak_height.chance(chance(peak)).ground(Basis::Chance, INDEPENDENT);
        [at, peak_height].map(|m| m.note("no interval: not told from chance"))
    } else {
        let at = at.interval(lag - bin / 2.0, lag + bin / 2.0).interval_by("interval: the width of a bin");
        [at, sure(peak_height, peak)]
    };
    vec![at, peak_height, centre]
}

fn curves(name: &str, c: &Counts, base: TimeBase) -> (Series, Series) {
    let chance: Vec<f64> = c.lags.iter().map(|l| 1.0 - l.abs() / c.length).collect();
    let per = if c.expected > 0.0 { 1.0 / c.expected } else { f64::NAN };
    // Counts that Poisson trains would stay within in 95 % of bins.
    let (low, high) = (
        chance.iter().map(|x| interval_of(x * c.expected).0 * per),
        chance.iter().map(|x| interval_of(x * c.expected).1 * per),
    );
    let band = (low.collect(), high.collect());
    let reference = vec![ReferenceLine { name: "lag 0".into(), at: 0.0, vertical: true }];
    let axis = Axis::new("lag", base.unit());
    let rate = Series {
        x: axis.clone(),
        y: Axis::new("pairs relative to chance", ""),
        curves: vec![
            Curve {
                name: name.to_owned(),
                x: c.lags.clone(),
                y: c.height.iter().map(|n| n * per).collect(),
                band: None,
                style: CurveStyle::Line,
            },
            Curve {
                name: "chance".into(),
                x: c.lags.clone(),
                y: chance.clone(),
                band: Some(band),
                style: CurveStyle::Chance,
            },
        ],
        references: reference.clone(),
    };
    let raw = Series {
        x: axis,
        y: Axis::new("pairs", ""),
        curves: vec![
            Curve {
                name: name.to_owned(),
                x: c.lags.clone(),
                y: c.height.clone(),
                band: None,
                style: CurveStyle::Line,
            },
            Curve {
                name: "chance".into(),
                x: c.lags.clone(),
                y: chance.iter().map(|x| x * c.expected).collect(),
                band: None,
                style: CurveStyle::Chance,
            },
        ],
        references: reference,
    };
    (rate, raw)
}

/// Where 95 % of Poisson counts of this mean lie.
fn interval_of(mean: f64) -> (f64, f64) {
    if mean > 1e4 {
        return (mean - 1.96 * mean.sqrt(), mean + 1.96 * mean.sqrt());
    }
    Poisson::new(mean).map_or((0.0, 0.0), |p| (p.inverse_cdf(0.025) as f64, p.inverse_cdf(0.975) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::testing::{metric, poisson, recording, run, same_values, shifted, subject, value};
    use spikedeck_scenario::{OptionValue, Place, PopulationId, Subject};
    use spikedeck_signal::{Population, Spikes};

    fn pair(a: &[f64], b: &[f64], stop: f64, options: &[(&'static str, OptionValue)]) -> Outcome {
        run(
            &Correlogram,
            &recording(&[a.to_vec(), b.to_vec()], stop),
            vec![subject("spikes", &[0]), subject("spikes", &[1])],
            options,
        )
        .unwrap()
    }

    fn counts(o: &Outcome) -> &Curve {
        let Shape::Series(s) = &o.shapes[1].shape else { panic!() };
        &s.curves[0]
    }

    /// A slow common rhythm of the rates is in the band of dithered spikes, and a common spike is not.
    #[test]
    fn dithered_spikes_keep_the_slow_and_lose_the_sharp() {
        let slow = |u: u32| -> Vec<f64> {
            let mut thin = spikedeck_core::rng::Key::new(3, "correlogram", "slow").stream(u, 0);
            let all = poisson(6, u, 40.0, 40_000.0);
            all.into_iter().filter(|t| thin.uniform() < 0.5 + 0.4 * (t / 160.0).sin()).collect()
        };
        let (a, b) = (slow(0), slow(1));
        let with = |a: &[f64], b: &[f64]| {
            let o = pair(a, b, 40_000.0, &[("surrogates", OptionValue::Integer(99))]);
            (metric(&o, "p.spikes[0]->p.spikes[1]", "departure").clone(), o)
        };
        let (m, o) = with(&a, &b);
        assert!(m.p_value.unwrap() > 0.02, "{m:?}");
        let Shape::Series(s) = &o.shapes[0].shape else { panic!() };
        assert!(s.curves[2].y.iter().all(|y| *y > 1.05), "the rhythm is in the band, and not in the Poisson chance");
        let mut common = b;
        common.extend(a.iter().step_by(8).map(|t| t + 3.0).filter(|t| *t <= 40_000.0));
        common.sort_by(f64::total_cmp);
        let (m, _) = with(&a, &common);
        assert!(m.p_value == Some(0.01) && m.note.contains("at lag 3 ms"), "{m:?}");
        // Without surrogates nothing is told of them.
        let o = pair(&a, &common, 40_000.0, &[]);
        assert!(o.metrics.iter().all(|m| m.metric != "departure"));
    }

    #[test]
    fn the_second_later_is_positive() {
        let a = poisson(1, 0, 5.0, 10_000.0);
        let b: Vec<f64> = a.iter().map(|t| t + 3.0).collect();
        let o = pair(&a, &b, 10_010.0, &[]);
        let name = "p.spikes[0]->p.spikes[1]";
        assert_eq!(value(&o, name, "peak_lag"), 3.0);
        assert!(metric(&o, name, "peak_lag").p_value.unwrap() < 1e-12);
        let peak = metric(&o, name, "peak");
        assert!(peak.value.unwrap() > 50.0 && peak.ci_low.unwrap() > peak.chance.unwrap());
    }

    #[test]
    fn every_pair_is_counted_once_in_centred_bins() {
        let (a, b) = (poisson(2, 0, 40.0, 3000.0), poisson(2, 1, 30.0, 3000.0));
        let o = pair(&a, &b, 3000.0, &[("bin", OptionValue::Number(0.002)), ("max_lag", OptionValue::Number(0.02))]);
        let c = counts(&o);
        assert_eq!(c.x.len(), 21);
        for (x, y) in c.x.iter().zip(&c.y) {
            let brute =
                a.iter().flat_map(|t| b.iter().map(move |u| u - t)).filter(|l| *l > x - 1.0 && *l < x + 1.0).count();
            assert_eq!(*y, brute as f64, "lag {x}");
        }
    }

    #[test]
    fn lags_on_the_grid_stay_symmetric() {
        // 0.1 ms grid, bin 0.1 ms: lag 0.3 must not fall beside its bin through rounding.
        let a: Vec<f64> = (1..200).map(|k| f64::from(k) * 5.1).collect();
        let b: Vec<f64> = (1..200).map(|k| f64::from(k * 51 + 3) * 0.1).collect();
        let o = pair(&a, &b, 1100.0, &[("bin", OptionValue::Number(1e-4)), ("max_lag", OptionValue::Number(1e-3))]);
        let c = counts(&o);
        assert_eq!(c.y.iter().sum::<f64>(), 199.0);
        assert_eq!(c.y[13], 199.0);
    }

    #[test]
    fn independent_trains_lie_at_chance_and_p_is_fair() {
        let mut significant = 0;
        for trial in 0..100 {
            let (a, b) = (poisson(100 + trial, 0, 20.0, 20_000.0), poisson(100 + trial, 1, 20.0, 20_000.0));
            let o = pair(&a, &b, 20_000.0, &[]);
            let Shape::Series(s) = &o.shapes[0].shape else { panic!() };
            let level = s.curves[0].y.iter().sum::<f64>() / s.curves[0].y.len() as f64;
            assert!((level - 1.0).abs() < 0.12, "{level}");
            significant += u32::from(metric(&o, "p.spikes[0]->p.spikes[1]", "peak").p_value.is_some_and(|p| p < 0.05));
        }
        assert!(significant <= 13, "{significant} of 100");
    }

    #[test]
    fn autocorrelogram_of_a_clock_and_cross_pairs_of_one_population() {
        let clock: Vec<f64> = (1..100).map(|k| f64::from(k) * 10.0).collect();
        let r = recording(&[clock.clone(), clock], 1000.0);
        let o = run(&Correlogram, &r, vec![subject("spikes", &[])], &[]).unwrap();
        let c = counts(&o);
        assert_eq!(c.y[50], 0.0, "a spike is not its own neighbour");
        assert_eq!((c.y[60], c.y[40], c.y[55]), (196.0, 196.0, 0.0));
        let o = run(&Correlogram, &r, vec![subject("spikes", &[])], &[("pairs", OptionValue::Text("cross".into()))])
            .unwrap();
        assert_eq!(counts(&o).y[50], 198.0);
    }

    /// Times on a grid, whatever the bins: the correlogram of (b, a) is that of (a, b) mirrored, an autocorrelogram is
    /// its own mirror, and every pair within reach is counted.
    #[test]
    fn correlograms_are_mirrored_exactly_on_grids() {
        for case in 0..40 {
            let mut s = spikedeck_core::rng::Key::new(case, "correlogram", "grid").stream(0, 0);
            let dt = [0.1, 0.05, 1.0, 0.025][s.below(4) as usize];
            let (bin, max_lag) = ([0.5, 1.0, 2.0, 0.3][s.below(4) as usize], 5.0 + f64::from(s.below(20)));
            let mut train = || -> Vec<f64> {
                let steps = 3000.0 / dt;
                (1..=steps as u32).filter(|_| s.uniform() < 90.0 / steps).map(|k| f64::from(k) * dt).collect()
            };
            let (a, b) = (train(), train());
            let options = [("bin", OptionValue::Number(bin * 1e-3)), ("max_lag", OptionValue::Number(max_lag * 1e-3))];
            let r = recording(&[a.clone(), b.clone()], 3000.0);
            let of = |units: &[u32]| units.iter().map(|u| subject("spikes", &[*u])).collect::<Vec<_>>();
            let there = run(&Correlogram, &r, of(&[0, 1]), &options).unwrap();
            let back = run(&Correlogram, &r, of(&[1, 0]), &options).unwrap();
            let own = run(&Correlogram, &r, of(&[1]), &options).unwrap();
            let mirrored = |c: &Curve| c.y.iter().rev().copied().collect::<Vec<_>>();
            assert_eq!(counts(&there).y, mirrored(counts(&back)), "case {case}");
            assert_eq!(counts(&own).y, mirrored(counts(&own)), "case {case}");
            let reach = counts(&there).x.last().unwrap() + bin / 2.0;
            let lags = || a.iter().flat_map(|t| b.iter().map(move |u| (u - t).abs()));
            let inside = lags().filter(|l| *l < reach - 1e-7).count() as f64;
            let last = lags().filter(|l| (*l - reach).abs() < 1e-7).count() as f64;
            assert_eq!(counts(&there).y.iter().sum::<f64>(), inside + 0.5 * last, "case {case}");
        }
    }

    /// A constant lag is found, with opposite signs both ways, also where it is the edge of two bins, and in noise.
    #[test]
    fn a_constant_lag_on_an_edge_is_found_both_ways() {
        for lag in [0.5, 1.0, 2.5, 3.3, 7.5, 49.5] {
            for noisy in [false, true] {
                let mut a: Vec<f64> = poisson(1, 0, 5.0, 8000.0).iter().map(|t| (t * 10.0).ceil() / 10.0).collect();
                let mut b: Vec<f64> = a.iter().map(|t| t + lag).filter(|t| *t <= 8000.0).collect();
                if noisy {
                    a.extend(poisson(2, 0, 10.0, 8000.0).iter().map(|t| (t * 10.0).ceil() / 10.0));
                    b.extend(poisson(2, 1, 10.0, 8000.0).iter().map(|t| (t * 10.0).ceil() / 10.0));
                    a.sort_by(f64::total_cmp);
                    b.sort_by(f64::total_cmp);
                }
                let there = value(&pair(&a, &b, 8000.0, &[]), "p.spikes[0]->p.spikes[1]", "peak_lag");
                let back = value(&pair(&b, &a, 8000.0, &[]), "p.spikes[0]->p.spikes[1]", "peak_lag");
                assert_eq!(there, -back);
                let inside = if (lag * 2.0).fract() == 0.0 { lag } else { lag.round() };
                assert!((there - inside).abs() < 1e-9, "{lag} {noisy}: {there}");
            }
        }
    }

    /// Numbers of two subjects do not depend on whether they are two populations or parts of one.
    #[test]
    fn parts_of_a_population_are_as_two_populations() {
        for case in 0..10 {
            let trains: Vec<Vec<f64>> = (0..3).map(|u| poisson(40 + case, u, 20.0, 4000.0)).collect();
            let later = |t: &Vec<f64>| t.iter().map(|t| t + 3.0).filter(|t| *t <= 4000.0).collect::<Vec<f64>>();
            let all: Vec<Vec<f64>> = trains.iter().cloned().chain(trains.iter().map(later)).collect();
            let one = recording(&all, 4000.0);
            let o = run(&Correlogram, &one, vec![subject("spikes", &[0, 1, 2]), subject("spikes", &[3, 4, 5])], &[]);
            let (o, name) = (o.unwrap(), "p.spikes[0,1,2]->p.spikes[3,4,5]");
            let mut two = recording(&trains, 4000.0);
            two.populations.push(Population { name: "q".into(), size: 3, ..Population::default() });
            let second = recording(&all[3..], 4000.0).spikes.remove(0);
            two.spikes.push(Spikes { population: "q".into(), ..second });
            let q = Subject {
                text: "q.spikes".into(),
                place: Place::Population(PopulationId::of_recording(1)),
                ..subject("spikes", &[])
            };
            let other = run(&Correlogram, &two, vec![subject("spikes", &[]), q], &[]).unwrap();
            for metric_name in ["peak_lag", "peak", "centre"] {
                let (a, b) = (metric(&o, name, metric_name), metric(&other, "p.spikes->q.spikes", metric_name));
                assert_eq!((a.value, a.n, a.ends(), a.p_value), (b.value, b.n, b.ends(), b.p_value), "{metric_name}");
            }
            assert_eq!(value(&o, name, "peak_lag"), 3.0);
            assert!(o.warnings.is_empty(), "{:?}", o.warnings);
        }
    }

    /// A pair of spikes is counted once, whichever units the subjects share.
    #[test]
    fn shared_units_do_not_count_their_pairs_twice() {
        let trains: Vec<Vec<f64>> = (0..4).map(|u| poisson(60, u, 20.0, 4000.0)).collect();
        let r = recording(&trains, 4000.0);
        let n = |o: &Outcome| o.metrics[2].n.unwrap();
        let of = |a: &[u32], b: &[u32]| {
            run(&Correlogram, &r, vec![subject("spikes", a), subject("spikes", b)], &[]).unwrap()
        };
        let cross = [("pairs", OptionValue::Text("cross".into()))];
        let all = run(&Correlogram, &r, vec![subject("spikes", &[])], &cross).unwrap();
        let twice = of(&[0, 1, 2, 3], &[3, 2, 1, 0]);
        assert_eq!((n(&twice), twice.metrics[2].ends()), (n(&all), all.metrics[2].ends()));
        assert!(all.warnings.is_empty() && twice.warnings.is_empty());
        // 0 and 1 with 1 and 2: the pairs of 1 and 2, of 0 and 1, and of 0 and 2.
        let partly = of(&[0, 1], &[1, 2]);
        let apart = n(&of(&[0], &[1])) + n(&of(&[0], &[2])) + n(&of(&[1], &[2]));
        assert_eq!(n(&partly), apart);
        // 0, 1 with 0, 1, 2: the pair of 0 and 1 stands on both sides.
        let partly = of(&[0, 1], &[0, 1, 2]);
        assert_eq!(n(&partly), apart);
        assert!(partly.warnings[0].contains("both sides"), "{:?}", partly.warnings);
        let wide = |o: &Outcome| o.metrics[2].ends().map(|(l, h)| h - l).unwrap();
        assert!(wide(&partly) > wide(&all) && wide(&partly) < wide(&of(&[0], &[1])));
    }

    #[test]
    fn the_largest_of_nothing_and_what_lies_at_the_end_are_no_peaks() {
        let apart = pair(&[200.0, 400.0], &[300.0, 500.0], 1000.0, &[]);
        let climbing: Vec<f64> = (1..100).map(|k| f64::from(k) * 100.0).collect();
        let later: Vec<f64> = climbing.iter().map(|t| t + 50.0).collect();
        for (o, why) in [(apart, "no pair of spikes"), (pair(&climbing, &later, 10_000.0, &[]), "the last")] {
            for name in ["peak_lag", "peak"] {
                let m = metric(&o, "p.spikes[0]->p.spikes[1]", name);
                assert!(m.value.is_none() && m.p_value.is_none() && m.ci_low.is_none(), "{m:?}");
                assert!(m.note.contains(why), "{m:?}");
            }
            assert_eq!(value(&o, "p.spikes[0]->p.spikes[1]", "centre"), 0.0);
        }
    }

    #[test]
    fn properties_and_silence() {
        let (a, b) = (poisson(5, 0, 30.0, 4096.0), poisson(5, 1, 20.0, 4096.0));
        let r = recording(&[a, b], 4096.0);
        let of = || vec![subject("spikes", &[0]), subject("spikes", &[1])];
        let o = run(&Correlogram, &r, of(), &[]).unwrap();
        let later = run(&Correlogram, &shifted(&r, 8192.0), of(), &[]).unwrap();
        same_values(&o, &later, 1e-12);
        // Swapping the trains mirrors the counts.
        let swapped = run(&Correlogram, &r, vec![subject("spikes", &[1]), subject("spikes", &[0])], &[]).unwrap();
        let mirrored: Vec<f64> = counts(&swapped).y.iter().rev().copied().collect();
        assert_eq!(counts(&o).y, mirrored);
        let o = run(&Correlogram, &recording(&[vec![], vec![1.0]], 1000.0), of(), &[]).unwrap();
        assert_eq!(metric(&o, "p.spikes[0]->p.spikes[1]", "peak").value, None);
        assert!(o.warnings[0].contains("no pair"));
    }
}
