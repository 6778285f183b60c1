//! Bursts of single units: runs of spikes with short intervals.

use super::prelude::*;
use super::stretches;
use spikedeck_core::bursts::{Burst, log_split, of_spikes, poisson_bursts};
use spikedeck_core::number::{counted, shown};
use spikedeck_core::spike_distance::Edges;
use spikedeck_core::spike_surrogate::{SurrogateMaker, TrainSurrogate};
use spikedeck_core::statistics::{mean, mean_interval, median, poisson_interval};
use spikedeck_core::surrogate::p_value;
use spikedeck_signal::{Axis, Distribution, ReferenceLine, Shape};

/// The analysis `bursts`.
pub struct Bursts;

const CARD: AnalysisCard = AnalysisCard {
    title: "Bursts of units",
    synonyms: &["burst_detection", "burst_index", "log_isi"],
    summary: "runs of spikes with short intervals: how many, how long, share of the spikes in them, against chance",
    formula: "a burst is a run of at least `least` spikes with intervals up to the gap\nburst share = spikes in \
              bursts/all spikes\nchance (Poisson) = s^(least−1) (least (1 − s) + s), s = 1 − exp(−r gap)\nlog_isi: the \
              gap is the valley between the peaks of the histogram of log intervals",
    assumptions: "Each unit by itself; a population's value is the mean over units that fired at least `least` times \
                  (of burst lengths and pauses, over units with bursts). Runs cut by an edge of the window are left \
                  out. log_isi needs 20 intervals and a void of 0.7 between two peaks, the first of them at intervals \
                  up to `most`; a unit without these has one kind of intervals, and no bursts.",
    bias: "Runs at the edges are missing from the shares: little, unless bursts are rare and the window short.",
    cost: "O(spikes), once for each surrogate",
    caveats: "Any fixed gap finds bursts in a fast Poisson train: compare with the chance of as many spikes anywhere, \
              which the p-value does. Fast regular trains are one burst under a gap above their interval.",
    references: &[
        "Pasquale, Martinoia, Chiappalone 2010, doi:10.1007/s10827-009-0175-1",
        "Selinger and others 2007, doi:10.1371/journal.pone.0000439",
        "Cotterill and others 2016, doi:10.1152/jn.00093.2016",
    ],
};

words! {
    /// Where the gap comes from.
    pub enum Method {
        /// The same for all units.
        Gap = "gap",
        /// From the logarithms of each unit's intervals.
        LogIsi = "log_isi",
    }
}

options! {
    /// What `bursts` can be told.
    pub struct Options {
        method: Method = choice(Method::Gap), "one gap for all units, or by each unit's log intervals";
        gap: Time = time("10 ms").or(derived::QUARTER), "greatest interval within a burst (method \"gap\")";
        most: Time = time("100 ms").or(derived::TWO), "intervals within bursts are looked for up to here (log_isi)";
        least: usize = integer("3").between(2.0, 1000.0), "spikes that a burst has at the least";
        surrogates: usize = integer("199").between(0.0, 100_000.0), "number of surrogates (0: none)";
    }
}

impl Estimator for Bursts {
    type Options = Options;
    const KIND: &'static str = "bursts";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_spiking(|f, s| {
            let t = subject::trains(f.request, s)?;
            let edges = Edges { start: t.window.start, stop: t.window.stop };
            let (unit, per) = (f.base.unit(), f.base.rate_unit());
            let found: Vec<Unit<'_>> =
                t.trains.iter().filter(|t| t.len() >= o.least).map(|t| Unit::of(t, o, edges)).collect();
            let n = found.iter().map(|u| u.bursts.len() as u64).sum::<u64>();
            if found.is_empty() {
                let why = format!("no unit fired {} times", o.least);
                for (name, unit) in [
                    ("burst_rate", per),
                    ("burst_share", ""),
                    ("spikes_per_burst", ""),
                    ("burst_duration", unit),
                    ("pause", unit),
                ] {
                    f.metric(Metric::missing(&s.text, name, unit, 0, &why));
                }
                f.word(format!("{}: {why}", s.text));
                return Ok(());
            }
            let seconds = t.duration();
            f.metric(rate(&s.text, &found, seconds, per));
            let share = share(o, f, &s.text, &found, edges)?;
            let told = share.value;
            f.metric(share);
            let one = |name: &str, unit: &str, of: &dyn Fn(&Unit<'_>) -> Vec<f64>| {
                over_bursts(&s.text, name, unit, &found.iter().map(of).collect::<Vec<_>>())
            };
            let length = one("spikes_per_burst", "", &|u| u.bursts.iter().map(|b| b.spikes as f64).collect());
            let lasts = one("burst_duration", unit, &|u| u.bursts.iter().map(|b| b.stop - b.start).collect());
            let pause = one("pause", unit, &|u| u.bursts.windows(2).map(|w| w[1].start - w[0].stop).collect());
            f.metrics([length, lasts, pause]);
            let gaps: Vec<f64> = found.iter().filter_map(|u| u.gap).collect();
            if o.method == Method::LogIsi {
                f.metric(if gaps.is_empty() {
                    Metric::missing(&s.text, "gap", unit, 0, "no unit has two kinds of intervals")
                } else {
                    Metric::new(&s.text, "gap", median(&gaps), unit, gaps.len() as u64)
                        .note(format!("n = units with two kinds of intervals, of {}; median", found.len()))
                });
            }
            f.word(match told {
                Some(share) => format!(
                    "{}: {} {:.1} % of the spikes",
                    s.text,
                    counted(n as usize, "burst holds", "bursts hold"),
                    100.0 * share
                ),
                None => format!("{}: no bursts", s.text),
            });
            if let Some(shape) = intervals(&found, &gaps, unit) {
                f.shape(format!("intervals of {}", s.text), Shape::Distribution(shape));
            }
            Ok(())
        })
    }
}

/// A unit with its bursts.
struct Unit<'t> {
    train: &'t [f64],
    /// None where its intervals are of one kind.
    gap: Option<f64>,
    bursts: Vec<Burst>,
}

impl<'t> Unit<'t> {
    fn of(train: &'t [f64], o: &Options, edges: Edges) -> Self {
        let gap = match o.method {
            Method::Gap => Some(o.gap.axis),
            Method::LogIsi => {
                let intervals: Vec<f64> = train.windows(2).map(|w| w[1] - w[0]).collect();
                log_split(&intervals, o.most.axis).map(|s| s.gap)
            }
        };
        let bursts = found(train, gap, o.least, edges);
        Self { train, gap, bursts }
    }

    fn share(&self) -> f64 {
        in_bursts(&self.bursts) / self.train.len() as f64
    }
}

fn found(train: &[f64], gap: Option<f64>, least: usize, edges: Edges) -> Vec<Burst> {
    gap.map_or(Vec::new(), |gap| of_spikes(train, gap, least, (edges.start, edges.stop)))
}

fn in_bursts(bursts: &[Burst]) -> f64 {
    bursts.iter().map(|b| b.spikes as f64).sum()
}

/// Bursts per time: over units, or of one unit as a Poisson count.
fn rate(name: &str, found: &[Unit<'_>], seconds: f64, unit: &str) -> Metric {
    let n: u64 = found.iter().map(|u| u.bursts.len() as u64).sum();
    let rates: Vec<f64> = found.iter().map(|u| u.bursts.len() as f64 / seconds).collect();
    let metric = Metric::new(name, "burst_rate", mean(&rates), unit, n).note("n = bursts");
    let (least, most) = poisson_interval(n, 0.95);
    let per = 1.0 / (seconds * found.len() as f64);
    if found.len() == 1 {
        return metric.interval(least * per, most * per).interval_by("exact 95 % interval of a Poisson count");
    }
    let (_, low, high) = mean_interval(&rates, 0.95);
    let note = format!("95 % interval over {} units (t), at least that of a Poisson count", found.len());
    metric.interval(low.clamp(0.0, least * per), high.max(most * per)).interval_by(note)
}

/// Stretches of time for the interval of one unit.
const STRETCHES: usize = 20;

/// Share of the spikes that lie in bursts.
fn share(o: &Options, f: &Findings<'_>, name: &str, units: &[Unit<'_>], edges: Edges) -> Result<Metric, AnalysisError> {
    let shares: Vec<f64> = units.iter().map(Unit::share).collect();
    let (all, spikes) = (mean(&shares), units.iter().map(|u| u.train.len() as u64).sum());
    let length = edges.stop - edges.start;
    let by_chance: Vec<f64> = units
        .iter()
        .map(|u| {
            let short = u.gap.map_or(0.0, |gap| 1.0 - (-gap * u.train.len() as f64 / length).exp());
            poisson_bursts(short, o.least).0
        })
        .collect();
    let mut metric = Metric::new(name, "burst_share", all, "", spikes)
        .chance(mean(&by_chance))
        .note("n = spikes")
        .chance_by("chance: Poisson trains of these rates");
    if let [unit] = units {
        let stretch = length / STRETCHES as f64;
        let mut sums = [[0.0; 2]; STRETCHES];
        let place = |t: f64| (((t - edges.start) / stretch) as usize).min(STRETCHES - 1);
        for t in unit.train {
            sums[place(*t)][1] += 1.0;
        }
        for b in &unit.bursts {
            sums[place(b.start)][0] += b.spikes as f64;
        }
        metric = match stretches::interval(&sums, |s| s[0] / s[1]) {
            Some((low, high)) => metric
                .interval(low, high.min(1.0))
                .interval_by(format!("95 % interval by leaving out one of {STRETCHES} stretches of time")),
            None => metric.note("no interval: too few bursts"),
        };
    } else {
        let (_, low, high) = mean_interval(&shares, 0.95);
        metric = metric
            .interval(low.max(0.0), high.min(1.0))
            .interval_by(format!("mean and 95 % interval over {} units (t)", units.len()));
    }
    if o.surrogates == 0 {
        return Ok(metric);
    }
    let key = f.key(name, "bursts");
    let makers: Vec<SurrogateMaker<'_>> =
        units.iter().map(|u| SurrogateMaker::new(TrainSurrogate::Uniform, u.train, edges, 0.0, None)).collect();
    let mut drawn = Vec::with_capacity(o.surrogates);
    for k in 0..o.surrogates {
        f.progress(k as f64 / o.surrogates as f64)?;
        let shares = units.iter().zip(&makers).zip(0..).map(|((u, maker), unit)| {
            let train = maker.make(&mut key.stream(unit, k as u64));
            in_bursts(&found(&train, u.gap, o.least, edges)) / train.len() as f64
        });
        drawn.push(mean(&shares.collect::<Vec<_>>()));
    }
    Ok(metric
        .p(p_value(all - 1e-12, &drawn))
        .null_by(format!("p: {} surrogates of as many spikes anywhere", drawn.len())))
}

/// A mean over bursts: over units with bursts, or of one unit over its bursts.
fn over_bursts(name: &str, what: &str, unit: &str, values: &[Vec<f64>]) -> Metric {
    let n = values.iter().map(|v| v.len() as u64).sum();
    let means: Vec<f64> = values.iter().filter(|v| !v.is_empty()).map(|v| mean(v)).collect();
    let (of, over) = match means.len() {
        0 => return Metric::missing(name, what, unit, 0, "no bursts"),
        1 => (values.iter().flatten().copied().collect(), "bursts"),
        _ => (means, "units with bursts"),
    };
    let metric = Metric::new(name, what, mean(&of), unit, n);
    let (_, low, high) = mean_interval(&of, 0.95);
    let metric = metric.interval_by(format!("mean and 95 % interval over {} {over} (t)", of.len()));
    if of.len() > 1 { metric.interval(low.max(0.0), high) } else { metric.note("no interval: one burst") }
}

/// Histogram of the logarithms of all intervals, with the gap.
fn intervals(units: &[Unit<'_>], gaps: &[f64], unit: &str) -> Option<Distribution> {
    let all = units.iter().flat_map(|u| u.train.windows(2).map(|w| w[1] - w[0]));
    let logs: Vec<f64> = all.filter(|i| *i > 0.0).map(f64::log10).collect();
    let least = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if logs.len() < 2 || least >= most {
        return None;
    }
    let bins = ((10.0 * (most - least)).ceil() as usize).clamp(5, 100);
    let edges: Vec<f64> = (0..=bins).map(|k| 10.0f64.powf(least + (most - least) * k as f64 / bins as f64)).collect();
    let mut counts = vec![0.0; bins];
    for l in &logs {
        counts[(((l - least) / (most - least) * bins as f64) as usize).min(bins - 1)] += 1.0;
    }
    let line = |at| ReferenceLine { name: format!("gap {} {unit}", shown(at)), at, vertical: true };
    Some(Distribution {
        x: Axis::new("interval", unit).log(),
        y: Axis::new("count", ""),
        edges,
        heights: vec![("intervals".into(), counts)],
        references: (!gaps.is_empty()).then(|| line(median(gaps))).into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, same_values, shifted, value};
    use spikedeck_scenario::OptionValue;

    /// Bursts of four spikes 4 ms apart, every 250 ms.
    fn clockwork(stop: f64) -> Vec<f64> {
        let starts = (0..).map(|k| 20.0 + 250.0 * f64::from(k)).take_while(|t| t + 30.0 < stop);
        starts.flat_map(|t| (0..4).map(move |j| t + 4.0 * f64::from(j))).collect()
    }

    #[test]
    fn clockwork_bursts_by_either_method() {
        for method in ["gap", "log_isi"] {
            let options = [("method", OptionValue::Text(method.into()))];
            let o = run(&Bursts, &recording(&[clockwork(10_000.0)], 10_000.0), vec![], &options).unwrap();
            assert_eq!(value(&o, "p.spikes", "burst_rate"), 4.0, "{method}");
            assert_eq!(value(&o, "p.spikes", "burst_share"), 1.0);
            assert_eq!(value(&o, "p.spikes", "spikes_per_burst"), 4.0);
            assert!((value(&o, "p.spikes", "burst_duration") - 12.0).abs() < 1e-9);
            assert!((value(&o, "p.spikes", "pause") - 238.0).abs() < 1e-9);
            let m = metric(&o, "p.spikes", "burst_share");
            assert!(m.chance.unwrap() < 0.1 && m.p_value == Some(0.005), "{m:?}");
        }
    }

    /// A Poisson train has the bursts that the formula says, one kind of intervals, and p-values that are seldom small.
    #[test]
    fn poisson_trains_burst_by_chance() {
        let trains: Vec<Vec<f64>> = (0..10).map(|u| poisson(3, u, 30.0, 50_000.0)).collect();
        let o = run(&Bursts, &recording(&trains, 50_000.0), vec![], &[]).unwrap();
        let m = metric(&o, "p.spikes", "burst_share");
        assert!((m.value.unwrap() - m.chance.unwrap()).abs() < 0.02 && m.chance.unwrap() > 0.15, "{m:?}");
        assert!(m.p_value.unwrap() > 0.005);
        let options = [("method", OptionValue::Text("log_isi".into()))];
        let o = run(&Bursts, &recording(&trains, 50_000.0), vec![], &options).unwrap();
        assert_eq!(value(&o, "p.spikes", "burst_share"), 0.0);
        assert!(metric(&o, "p.spikes", "gap").note.contains("no unit has two kinds"));
        let small = (0..100)
            .filter(|seed| {
                let few = [("surrogates", OptionValue::Integer(39))];
                let o = run(&Bursts, &recording(&[poisson(*seed, 0, 30.0, 5000.0)], 5000.0), vec![], &few).unwrap();
                metric(&o, "p.spikes", "burst_share").p_value.unwrap() <= 0.05
            })
            .count();
        assert!(small <= 12, "{small} of 100 Poisson trains burst at 5 %");
    }

    #[test]
    fn blind_to_absolute_time_and_order_and_bad_input_is_said() {
        let mut trains = vec![clockwork(8192.0), poisson(4, 1, 40.0, 8192.0), vec![]];
        let r = recording(&trains, 8192.0);
        let none = [("surrogates", OptionValue::Integer(0))];
        let o = run(&Bursts, &r, vec![], &none).unwrap();
        same_values(&o, &run(&Bursts, &shifted(&r, 65536.0), vec![], &none).unwrap(), 1e-8);
        trains.reverse();
        same_values(&o, &run(&Bursts, &recording(&trains, 8192.0), vec![], &none).unwrap(), 1e-12);
        for trains in [vec![vec![]], vec![vec![5.0], vec![6.0, 7.0]]] {
            let o = run(&Bursts, &recording(&trains, 100.0), vec![], &[]).unwrap();
            assert!(o.metrics.iter().all(|m| m.value.is_none() && m.note.contains("no unit fired 3 times")));
        }
        // All spikes at one time are a burst of length zero.
        let o = run(&Bursts, &recording(&[vec![50.0; 5]], 100.0), vec![], &[]).unwrap();
        assert_eq!(value(&o, "p.spikes", "burst_duration"), 0.0);
        assert_eq!(value(&o, "p.spikes", "spikes_per_burst"), 5.0);
    }
}
