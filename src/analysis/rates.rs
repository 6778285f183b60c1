//! Firing rates: mean, spread over units, latency, steady rate, adaptation index.

use super::prelude::*;
use spikedeck_core::number::shown;
use spikedeck_core::statistics::{mean, mean_interval, median, poisson_interval, quantile, share_interval};
use spikedeck_signal::{Axis, Distribution, ReferenceLine, Shape, TimeBase, UnitTable};

/// The analysis `rates`.
pub struct Rates;

/// Up to this many units are described one by one.
const FEW: usize = 8;

const CARD: AnalysisCard = AnalysisCard {
    title: "Firing rates",
    synonyms: &["firing_rate", "firing_rates", "mean_rate"],
    summary: "mean rate with interval, its spread over units, latency, steady rate and adaptation index",
    formula: "mean rate = spikes/(N T)\nsteady rate = 1/mean(last 3 intervals)\nlatency = first spike − \
              onset\nadaptation index = (I_last − I_first)/I_first",
    assumptions: "The mean rate looks at (start + transient, stop]. Latency, steady rate and adaptation index look at \
                  the whole run, because an onset usually lies in the transient. The interval of a population's mean \
                  takes units as independent, and is at least that of a Poisson count of all spikes; of one unit it \
                  takes spikes as Poisson. A run's folder has these numbers of every unit.",
    bias: "The mean rate is unbiased. The steady rate from few intervals of an irregular neuron is biased upwards \
           (1/mean of k exponential intervals: k/(k − 1)).",
    cost: "O(spikes + units)",
    caveats: "Units of a network share input: the interval over units is too narrow where they rise and fall \
              together. A Poisson interval is too wide for a regular neuron. On a grid of dt spike times are late by \
              up to dt, and intervals are multiples of it.",
    references: &[
        "Garwood 1936, doi:10.1093/biomet/28.3-4.437",
        "Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404",
    ],
};

options! {
    /// What `rates` can be told.
    pub struct Options {
        steady_intervals: usize = integer("3").between(1.0, 1e6),
            "number of last intervals that the steady rate is the mean of";
        onset: Time = time("0 s").or(derived::ZERO).or_zero(), "time that the latency counts from";
    }
}

impl Estimator for Rates {
    type Options = Options;
    const KIND: &'static str = "rates";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const LIVE: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let (unit, per) = (f.base.unit(), f.base.rate_unit());
        f.each_spiking(|f, s| {
            let (window, whole) = (f.recording.analysis_window(), f.recording.window);
            let seconds = window.length() * f.base.seconds();
            let units = subject::units(f.request, s)?;
            if seconds <= 0.0 {
                let cut = f.recording.transient > 0.0;
                let why = if cut { "nothing is left after the transient" } else { "the recording has no length" };
                return Err(AnalysisError::Unsuitable(format!("{}: {why}", s.text)));
            }
            let (mut rates, mut spikes) = (Vec::with_capacity(units.len()), 0);
            let (mut latencies, mut single) = (Vec::new(), Vec::new());
            let mut table = UnitTable::new(&s.text, &measures(unit, per));
            subject::each_train(f.request, s, |unit, train| {
                let count = train.within(window).len();
                rates.push(count as f64 / seconds);
                spikes += count as u64;
                let train = train.within(whole);
                let one = One::of(&train, o, f.base);
                table.push(unit, one.row(count, seconds));
                if units.len() > FEW {
                    latencies.extend(one.latency);
                } else {
                    let name = if units.len() == 1 { s.text.clone() } else { subject::unit_name(f.request, s, unit) };
                    single.extend(one.metrics(&name, f.base));
                }
                Ok(())
            })?;
            f.units(table);
            f.metric(mean_rate(&s.text, &rates, spikes, seconds, per));
            f.word(format!("{} fires at {} {per}", s.text, shown(mean(&rates))));
            if rates.len() > 1 {
                f.metrics(spread(&s.text, &rates, per));
            }
            if rates.len() > FEW {
                f.metric(if latencies.is_empty() {
                    Metric::missing(&s.text, "latency", unit, 0, "no spike after the onset")
                } else {
                    Metric::new(&s.text, "latency", median(&latencies), unit, latencies.len() as u64)
                        .note("median over units that fired")
                });
                f.shape(format!("rates of {}", s.text), Shape::Distribution(distribution(&rates, per)));
            }
            f.metrics(single);
            Ok(())
        })
    }
}

fn first_after(train: &[f64], onset: f64) -> Option<f64> {
    train.get(train.partition_point(|&t| t < onset)).copied()
}

/// Mean over units with the interval of Student's t over units, at least as wide as the exact Poisson interval of all
/// spikes: few spikes in units that happen to agree are no certainty.
fn mean_rate(subject: &str, rates: &[f64], spikes: u64, seconds: f64, unit: &str) -> Metric {
    let metric = Metric::new(subject, "mean_rate", mean(rates), unit, spikes);
    let per = 1.0 / (seconds * rates.len().max(1) as f64);
    let (least, most) = poisson_interval(spikes, 0.95);
    if rates.len() > 1 {
        let (_, low, high) = mean_interval(rates, 0.95);
        metric
            .interval(low.clamp(0.0, least * per), high.max(most * per))
            .note("n = spikes")
            .interval_by(format!("95 % interval over {} units (t), at least that of a Poisson count", rates.len()))
    } else {
        metric
            .interval(least * per, most * per)
            .note("n = spikes")
            .interval_by("exact 95 % interval of a Poisson count")
    }
}

fn spread(subject: &str, rates: &[f64], unit: &str) -> Vec<Metric> {
    let n = rates.len() as u64;
    let active = rates.iter().filter(|&&r| r > 0.0).count() as u64;
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = share_interval(active, n, 0.95);
    vec![
        Metric::new(subject, "rate_sd", spikedeck_core::statistics::deviation(rates, 1), unit, n)
            .note("over units, ddof 1"),
        Metric::new(subject, "rate_median", quantile(&sorted, 0.5), unit, n).note(format!(
            "over units; quartiles {:.4} and {:.4} {unit}",
            quantile(&sorted, 0.25),
            quantile(&sorted, 0.75)
        )),
        Metric::new(subject, "active_share", active as f64 / n as f64, "", n)
            .interval(low, high)
            .note("units that fired")
            .interval_by("exact 95 % interval"),
    ]
}

/// What the table of units has of each.
fn measures<'a>(unit: &'a str, per: &'a str) -> [(&'static str, &'a str); 9] {
    [
        ("spikes", ""),
        ("mean_rate", per),
        ("mean_rate_low", per),
        ("mean_rate_high", per),
        ("latency", unit),
        ("steady_rate", per),
        ("steady_intervals", ""),
        ("adaptation_index", ""),
        ("spike_count", ""),
    ]
}

/// What is measured of one unit in the whole run, where it has it.
struct One {
    spikes: usize,
    latency: Option<f64>,
    steady_rate: Option<f64>,
    /// Intervals that the steady rate is of.
    steady_intervals: usize,
    adaptation_index: Option<f64>,
}

impl One {
    fn of(train: &[f64], o: &Options, base: TimeBase) -> Self {
        let onset = o.onset.axis;
        let intervals = || train.windows(2).map(|w| w[1] - w[0]);
        let used: Vec<f64> = intervals().skip(train.len().saturating_sub(1 + o.steady_intervals)).collect();
        let ends = intervals().next().zip(intervals().next_back()).filter(|_| train.len() > 2);
        Self {
            spikes: train.len(),
            latency: first_after(train, onset).map(|first| first - onset),
            // A silent unit has a rate, of 0.
            steady_rate: match used.as_slice() {
                _ if train.is_empty() => Some(0.0),
                [] => None,
                used => Some(1.0 / (mean(used) * base.seconds())),
            },
            steady_intervals: used.len(),
            adaptation_index: ends.map(|(first, end)| (end - first) / first),
        }
    }

    /// Its row among the units, with what it fired in the window.
    fn row(&self, count: usize, seconds: f64) -> [Option<f64>; 9] {
        let (low, high) = poisson_interval(count as u64, 0.95);
        let per = 1.0 / seconds;
        [
            Some(count as f64),
            Some(count as f64 / seconds),
            Some(low * per),
            Some(high * per),
            self.latency,
            self.steady_rate,
            Some(self.steady_intervals as f64),
            self.adaptation_index.filter(|index| index.is_finite()),
            Some(self.spikes as f64),
        ]
    }

    fn metrics(&self, name: &str, base: TimeBase) -> [Metric; 4] {
        let n = self.spikes.saturating_sub(1) as u64;
        let latency = match self.latency {
            Some(late) => Metric::new(name, "latency", late, base.unit(), self.spikes as u64).note("whole run"),
            None => Metric::missing(name, "latency", base.unit(), 0, "no spike after the onset"),
        };
        let steady = match self.steady_rate {
            Some(rate) if self.spikes == 0 => {
                Metric::new(name, "steady_rate", rate, base.rate_unit(), 0).note("no spike: 0 by definition")
            }
            Some(rate) => Metric::new(name, "steady_rate", rate, base.rate_unit(), self.steady_intervals as u64)
                .note("n = intervals used, whole run"),
            None => Metric::missing(name, "steady_rate", base.rate_unit(), 0, "one spike makes no interval"),
        };
        let index = match self.adaptation_index {
            Some(index) => Metric::new(name, "adaptation_index", index, "", n)
                .chance(0.0)
                .ground(Basis::Chance, "chance of adaptation: 0, of intervals that do not change")
                .note("(last − first)/first interval, whole run"),
            None => Metric::missing(name, "adaptation_index", "", n, "needs two intervals"),
        };
        let count = Metric::new(name, "spike_count", self.spikes as f64, "", self.spikes as u64).note("whole run");
        [latency, steady, index, count]
    }
}

/// Histogram of values over units with the bin width of Freedman and Diaconis (doi:10.1007/BF01025868), 5 to 60 bins.
fn distribution(rates: &[f64], unit: &str) -> Distribution {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
    let width = 2.0 * (quantile(&sorted, 0.75) - quantile(&sorted, 0.25)) / (sorted.len() as f64).cbrt();
    let span = if most > least { most - least } else { 1.0 };
    let bins = if width > 0.0 { ((span / width).ceil() as usize).clamp(5, 60) } else { 10 };
    let edges: Vec<f64> = (0..=bins).map(|k| least + span * k as f64 / bins as f64).collect();
    let mut heights = vec![0.0; bins];
    for r in rates {
        heights[(((r - least) / span * bins as f64) as usize).min(bins - 1)] += 1.0;
    }
    Distribution {
        x: Axis::new("rate", unit),
        y: Axis::new("units", ""),
        edges,
        heights: vec![("units".into(), heights)],
        references: vec![ReferenceLine { name: "mean".into(), at: mean(rates), vertical: true }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, same_values, shifted, subject, value};
    use spikedeck_scenario::OptionValue;

    /// prior-systems.md 5.3: the adapting neuron at 4 nA.
    #[test]
    fn adapting_neuron() {
        let train =
            vec![8.65, 33.75, 61.85, 93.55, 129.70, 171.80, 222.75, 288.50, 372.20, 462.60, 553.85, 645.15, 736.45];
        let mut r = recording(&[train], 800.0);
        r.transient = 100.0;
        let o = run(&Rates, &r, vec![subject("spikes", &[])], &[]).unwrap();
        assert!((value(&o, "p.spikes", "steady_rate") - 10.954902).abs() < 1e-6);
        assert!((value(&o, "p.spikes", "adaptation_index") - 2.637450).abs() < 1e-6);
        assert_eq!(value(&o, "p.spikes", "latency"), 8.65);
        assert_eq!(value(&o, "p.spikes", "spike_count"), 13.0);
        assert!((value(&o, "p.spikes", "mean_rate") - 9.0 / 0.7).abs() < 1e-12);
    }

    #[test]
    fn silence_is_a_rate_of_zero_with_an_interval() {
        let o = run(&Rates, &recording(&[vec![]], 1000.0), vec![subject("spikes", &[])], &[]).unwrap();
        let m = metric(&o, "p.spikes", "mean_rate");
        assert_eq!((m.value, m.ci_low), (Some(0.0), Some(0.0)));
        assert!((m.ci_high.unwrap() - 3.6888794541139354).abs() < 1e-9);
        assert_eq!(value(&o, "p.spikes", "steady_rate"), 0.0);
        assert_eq!(metric(&o, "p.spikes", "latency").value, None);
        // The interval says what so few spikes say.
        assert!(o.warnings.is_empty(), "{:?}", o.warnings);
    }

    /// Garwood's intervals, chi-squared quantiles: 3 in 30 unit-seconds [0.021, 0.292] Hz, 0 in 200 [0, 0.018]. No
    /// interval is narrower than that of the count, and more silent units narrow it as more time does.
    #[test]
    fn no_interval_is_narrower_than_the_counting_error() {
        let rate = |trains: &[Vec<f64>]| {
            let o = run(&Rates, &recording(trains, 10_000.0), vec![subject("spikes", &[])], &[]).unwrap();
            metric(&o, "p.spikes", "mean_rate").clone()
        };
        let three = rate(&vec![vec![5000.0]; 3]);
        assert!((three.ci_low.unwrap() - 0.0206).abs() < 1e-4 && (three.ci_high.unwrap() - 0.2922).abs() < 1e-4);
        for units in 1..40 {
            let silent = rate(&vec![vec![]; units]);
            let most = 3.688_879_454_113_936 / (10.0 * units as f64);
            assert_eq!(silent.ci_low, Some(0.0));
            assert!((silent.ci_high.unwrap() - most).abs() < 1e-9, "{units} {silent:?}");
            for spikes in 1..6 {
                let alike = rate(&vec![(1..=spikes).map(|k| f64::from(k) * 700.0).collect(); units]);
                let (low, high) = poisson_interval(u64::from(spikes as u32) * units as u64, 0.95);
                let per = 10.0 * units as f64;
                assert!(alike.ci_low.unwrap() <= low / per + 1e-12 && alike.ci_high.unwrap() >= high / per - 1e-12);
            }
        }
    }

    #[test]
    fn poisson_population() {
        let trains: Vec<Vec<f64>> = (0..200).map(|u| poisson(4, u, 8.0, 5000.0)).collect();
        let r = recording(&trains, 5000.0);
        let o = run(&Rates, &r, vec![], &[("onset", OptionValue::Number(1.0))]).unwrap();
        let m = metric(&o, "p.spikes", "mean_rate");
        assert!((m.value.unwrap() - 8.0).abs() < 0.3);
        let width = m.ci_high.unwrap() - m.ci_low.unwrap();
        assert!((width / (2.0 * 1.97 * (8.0f64 / 5.0 / 200.0).sqrt()) - 1.0).abs() < 0.2, "{width}");
        // Latency after the onset at 1 s: median of an exponential of 125 ms.
        assert!((value(&o, "p.spikes", "latency") - 125.0 * 2.0f64.ln()).abs() < 25.0);
        let mut mixed = trains;
        mixed.reverse();
        same_values(
            &o,
            &run(&Rates, &recording(&mixed, 5000.0), vec![], &[("onset", OptionValue::Number(1.0))]).unwrap(),
            1e-12,
        );
        same_values(
            &o,
            &run(&Rates, &shifted(&r, 512.0), vec![], &[("onset", OptionValue::Number(1.512))]).unwrap(),
            1e-9,
        );
    }

    #[test]
    fn what_was_not_recorded_is_said() {
        let mut r = recording(&[vec![1.0]], 10.0);
        r.spikes.clear();
        let e = run(&Rates, &r, vec![subject("spikes", &[])], &[]).unwrap_err().to_string();
        assert_eq!(e, "p.spikes was not recorded: write `spikes = true` under [record.p]");
        let r = recording(&[vec![1.0]], 10.0);
        let e = run(&Rates, &r, vec![subject("spikes", &[3])], &[]).unwrap_err().to_string();
        assert!(e.contains("unit 3 does not exist"), "{e}");
    }
}
