//! Shape of action potentials: peak, threshold, amplitude, width, after-hyperpolarisation.

use super::prelude::*;
use spikedeck_core::number::{counted, shown};
use spikedeck_core::units::Dimension;
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape};

/// The analysis `ap_shape`.
pub struct ApShape;

const CARD: AnalysisCard = AnalysisCard {
    title: "Action potential shape",
    synonyms: &["spike_width", "spike_waveform", "action_potential_shape", "half_width"],
    summary: "peak, threshold, amplitude, width and after-hyperpolarisation of the action potentials in a voltage",
    formula: "a spike lies between an upward and the next downward crossing of `level`; its time is the upward \
              crossing, interpolated linearly; peak = vertex of the parabola through the highest sample and its \
              neighbours; \
              threshold = voltage at which dV/dt last rose through `slope` before the crossing; amplitude = peak - \
              threshold; width = time above threshold + amplitude/2; AHP = threshold - least voltage before the next \
              spike; rest = first sample",
    assumptions: "The voltage is sampled finely enough to resolve the upstroke (0.05 ms or less).",
    bias: "The peak is good to the square of the sampling interval, threshold and width to its first power. A \
           threshold by slope depends on the slope chosen: axons and small currents have other ones.",
    cost: "O(samples)",
    caveats: "Spikes that stay below `level` are not seen. The AHP of the last spike ends with the recording. Values \
              are of the first spike; those called mean are over all.",
    references: &[
        "Bean 2007, Nat Rev Neurosci 8:451-465, doi:10.1038/nrn2148",
        "Hodgkin and Huxley 1952, J Physiol 117:500-544, doi:10.1113/jphysiol.1952.sp004764",
    ],
};

/// One action potential, voltages and times in the units of the recording.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spike {
    time: f64,
    peak: f64,
    /// Threshold, amplitude and width, if the upstroke is in the window.
    threshold: Option<f64>,
    width: Option<f64>,
    ahp: Option<f64>,
}

options! {
    /// What `ap_shape` can be told.
    pub struct Options {
        level: Quantity = quantity(Dimension::VOLT, "-10 mV"), "voltage that a spike crosses";
        slope: Quantity = quantity(Dimension::VOLT.per(Dimension::SECOND), "10 V/s"),
            "rate of rise that marks the threshold (10 V/s is 10 mV/ms)";
    }
}

impl Estimator for ApShape {
    type Options = Options;
    const KIND: &'static str = "ap_shape";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_subject(|f, s| {
            let columns = subject::variable(f.request, s)?;
            // Options are in volts and volts per second, samples in the unit of voltages and of the time axis.
            let in_unit = |q: Quantity| q.in_unit(&columns.unit, Dimension::VOLT);
            let (Some(level), Some(slope)) = (in_unit(o.level), in_unit(o.slope)) else {
                let why = "action potentials are voltages, and this is not one";
                return Err(AnalysisError::Unsuitable(format!("{}: {why}", s.text)));
            };
            let slope = slope * f.base.seconds();
            let mut curves = Vec::new();
            for (c, values) in columns.columns.iter().enumerate() {
                let name = columns.name(c);
                let found = spikes(values, columns.start, columns.interval, level, slope);
                f.metrics(report(&name, values, &found));
                if let Some(first) = found.first() {
                    f.word(format!(
                        "{name}: {}, first peak {} mV",
                        counted(found.len(), "spike", "spikes"),
                        shown(first.peak)
                    ));
                    curves.push(around(&name, values, columns.start, columns.interval, first.time));
                } else {
                    f.word(format!("{name}: no spikes"));
                }
            }
            if !curves.is_empty() {
                let series = Series {
                    x: Axis::new("time from the crossing", f.base.unit()),
                    y: Axis::new(columns.label.clone(), columns.unit.clone()),
                    curves,
                    references: Vec::new(),
                };
                f.shape(format!("first action potential of {}", s.text), Shape::Series(series));
            }
            Ok(())
        })
    }
}

fn report(name: &str, values: &[f64], found: &[Spike]) -> Vec<Metric> {
    let n = found.len() as u64;
    let mut metrics = Vec::new();
    metrics.push(Metric::new(name, "spikes", n as f64, "", n));
    if let Some(rest) = values.first() {
        metrics.push(Metric::new(name, "rest", *rest, "mV", 1).note("first sample"));
    }
    metrics.push(Metric::new(
        name,
        "highest",
        values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "mV",
        values.len() as u64,
    ));
    let mean = |pick: &dyn Fn(&Spike) -> Option<f64>| -> Option<f64> {
        let list: Vec<f64> = found.iter().filter_map(pick).collect();
        (!list.is_empty()).then(|| list.iter().sum::<f64>() / list.len() as f64)
    };
    let mut add = |key: &str, value: Option<f64>, unit: &str| {
        metrics.push(match value {
            Some(v) => Metric::new(name, key, v, unit, n),
            None => Metric::missing(name, key, unit, n, "no spike that shows it"),
        });
    };
    let first = found.first();
    add("time", first.map(|s| s.time), "ms");
    add("last_time", found.last().map(|s| s.time), "ms");
    add("peak", first.map(|s| s.peak), "mV");
    add("threshold", first.and_then(|s| s.threshold), "mV");
    add("amplitude", first.and_then(|s| Some(s.peak - s.threshold?)), "mV");
    add("width", first.and_then(|s| s.width), "ms");
    add("ahp", first.and_then(|s| s.ahp), "mV");
    add("mean_peak", mean(&|s| Some(s.peak)), "mV");
    add("mean_width", mean(&|s| s.width), "ms");
    add("mean_ahp", mean(&|s| s.ahp), "mV");
    metrics
}

/// Where a line between samples `k` and `k + 1` crosses `level`, in samples.
fn between(values: &[f64], k: usize, level: f64) -> f64 {
    k as f64 + (level - values[k]) / (values[k + 1] - values[k])
}

fn spikes(values: &[f64], start: f64, interval: f64, level: f64, slope: f64) -> Vec<Spike> {
    let ups: Vec<usize> =
        (1..values.len()).filter(|&k| values[k - 1] < level && values[k] >= level).map(|k| k - 1).collect();
    let mut out = Vec::new();
    for (n, &up) in ups.iter().enumerate() {
        let next = ups.get(n + 1).copied().unwrap_or(values.len() - 1);
        let down = (up + 1..next).find(|&k| values[k] >= level && values[k + 1] < level).unwrap_or(next);
        let top = (up + 1..=down).max_by(|&a, &b| values[a].total_cmp(&values[b]).then(b.cmp(&a))).unwrap_or(up + 1);
        let peak = match (values.get(top.wrapping_sub(1)), values.get(top + 1)) {
            (Some(&a), Some(&c)) => {
                let b = values[top];
                let bend = a - 2.0 * b + c;
                if bend < 0.0 { b - (a - c) * (a - c) / (8.0 * bend) } else { b }
            }
            _ => values[top],
        };
        // The last moment before the crossing at which the rate of rise came up through the criterion.
        let earliest = if n == 0 { 0 } else { ups[n - 1] + 1 };
        let rate = |k: usize| (values[k + 1] - values[k]) / interval;
        let threshold = (earliest + 1..=up).rev().find(|&k| rate(k) >= slope && rate(k - 1) < slope).map(|k| {
            let share = (slope - rate(k - 1)) / (rate(k) - rate(k - 1));
            // Rates stand between samples.
            let at = k as f64 - 0.5 + share;
            let low = at.floor() as usize;
            let high = (low + 1).min(values.len() - 1);
            values[low] + (values[high] - values[low]) * (at - low as f64)
        });
        let width = threshold.and_then(|t| {
            let half = t + 0.5 * (peak - t);
            let rise = (earliest..top).rev().find(|&k| values[k] < half && values[k + 1] >= half)?;
            let fall = (top..values.len() - 1).find(|&k| values[k] >= half && values[k + 1] < half)?;
            Some((between(values, fall, half) - between(values, rise, half)) * interval)
        });
        // Before the next upstroke, which begins below its threshold.
        let least = values[down..=next].iter().copied().fold(f64::INFINITY, f64::min);
        let ahp = threshold.map(|t| t - least);
        out.push(Spike { time: start + between(values, up, level) * interval, peak, threshold, width, ahp });
    }
    out
}

/// The voltage from 2 before to 6 after a crossing, on the recording's axis.
fn around(name: &str, values: &[f64], start: f64, interval: f64, time: f64) -> Curve {
    let inside: Vec<usize> =
        (0..values.len()).filter(|&k| (-2.0..=6.0).contains(&(start + k as f64 * interval - time))).collect();
    Curve {
        name: name.to_owned(),
        x: inside.iter().map(|&k| start + k as f64 * interval - time).collect(),
        y: inside.iter().map(|&k| values[k]).collect(),
        band: None,
        style: CurveStyle::Line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_of_known_shape_is_measured() {
        // A ramp of 1 mV/ms from -70, then a triangle: up at 100 mV/ms from -50 to 30, down at 50 mV/ms to -80, rest.
        let dt = 0.01;
        let at = |t: f64| {
            if t < 20.0 {
                -70.0 + t
            } else if t < 20.8 {
                -50.0 + 100.0 * (t - 20.0)
            } else if t < 23.0 {
                30.0 - 50.0 * (t - 20.8)
            } else {
                -80.0
            }
        };
        let values: Vec<f64> = (0..3000).map(|k| at(f64::from(k) * dt)).collect();
        let found = spikes(&values, 0.0, dt, -10.0, 10.0);
        assert_eq!(found.len(), 1);
        let s = found[0];
        let close = |a: Option<f64>, b: f64, tolerance: f64| assert!((a.unwrap() - b).abs() < tolerance, "{a:?} {b}");
        close(Some(s.time), 20.4, 1e-6);
        close(Some(s.peak), 30.0, 0.3);
        close(s.threshold, -50.0, 0.6);
        // Half height is at -10: 0.4 up, 0.8 down.
        close(s.width, 1.2, 0.02);
        close(s.ahp, 30.0, 0.6);
        assert!(spikes(&values[..1000], 0.0, dt, -10.0, 10.0).is_empty());
    }
}
