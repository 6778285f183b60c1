//! How the values of many units or connections are distributed, and how that changes in time.

use super::prelude::*;
use spikedeck_core::statistics::{deviation, mean, mean_interval, share_interval};
use spikedeck_core::units::brief;
use spikedeck_scenario::Subject;
use spikedeck_signal::{Axis, Curve, CurveStyle, Distribution, Image, NamedShape, Series, Shape, TimeBase};

/// The distribution of a recorded variable over units, sample by sample.
pub struct ValueDistribution;

const CARD: AnalysisCard = AnalysisCard {
    title: "Distribution of values in time",
    synonyms: &["histogram", "density", "bimodality"],
    summary: "how a variable is spread over units or connections, sample by sample: weights that drift apart, \
              voltages that gather",
    formula: "share of units in each bin of the value, for every sample;  at the last sample: mean, sd (ddof 1), \
              share in the lowest \
              and the highest tenth of the range, Sarle's b = (g² + 1)/(k + 3(n − 1)²/((n − 2)(n − 3))) with skewness \
              g and excess \
              kurtosis k;  drift = (last mean − first mean)/(time between)",
    assumptions: "Units (or connections) are exchangeable: which one has which value is not looked at.",
    bias: "b is 5/9 for a uniform distribution and 1/3 for a normal one; with few units it scatters widely.",
    cost: "O(samples · units)",
    caveats: "Without `low` and `high` the range is that of the data, and then the end tenths are never empty. b \
              above 5/9 may mean two \
              humps or one that is skewed: look at the histogram. The interval of the mean takes units for \
              independent.",
    references: &[
        "Pfister, Schwarz, Janczyk, Dale, Freeman 2013, Front Psychol 4:700, doi:10.3389/fpsyg.2013.00700",
        "Song, Miller, Abbott 2000, Nat Neurosci 3:919-926, doi:10.1038/78829",
    ],
};

/// Columns of the image at most; more samples share one.
const WIDEST: usize = 1000;
/// Units that get numbers of their own.
const NAMED: usize = 64;

options! {
    /// What `value_distribution` can be told.
    pub struct Options {
        low: Option<f64> = number_if_given(), "lower end of the range, in the unit of the values";
        high: Option<f64> = number_if_given(), "upper end of the range, in the unit of the values";
        bins: usize = integer("50").between(2.0, 1000.0), "bins of the value";
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for ValueDistribution {
    type Options = Options;
    const KIND: &'static str = "value_distribution";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const TITLE: &'static str = "Distribution in time";
    const LIVE: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_subject(|f, s| {
            let columns = subject::columns(f.request, s, o.bin)?;
            let samples = columns.len();
            if samples == 0 {
                f.metric(Metric::missing(&s.text, "mean", &columns.unit, 0, "no sample"));
                return Ok(());
            }
            let range = range(o, s, &columns)?;
            let at = |k: usize| -> Vec<f64> { columns.columns.iter().map(|c| c[k]).collect() };
            let (first, last) = (at(0), at(samples - 1));
            let seconds = (samples - 1) as f64 * columns.interval * columns.base.seconds();
            let second = if columns.base == TimeBase::Milliseconds { "s" } else { "time" };
            f.metrics(numbers(&s.text, &columns.unit, (&first, &last), range, (seconds, second)));
            if columns.columns.len() <= NAMED && columns.columns.len() > 1 {
                for (u, c) in columns.units.iter().zip(&columns.columns) {
                    let name = subject::unit_name(f.request, s, *u);
                    let number = |metric: &str, value| Metric::new(&name, metric, value, &columns.unit, samples as u64);
                    f.metric(number("last", c[samples - 1]).note("n = samples"));
                    f.metric(number("change", c[samples - 1] - c[0]).note("last - first"));
                }
            }
            if last.len() < 4 {
                f.warn(format!("{}: {} values make no distribution", s.text, last.len()));
            }
            let (middle, spread) = (brief(mean(&last)), brief(deviation(&last, 1)));
            f.word(format!("{} ends at {middle} ± {spread} {}", s.text, columns.unit));
            let all = || columns.columns.iter().flatten();
            let outside = all().filter(|v| bin_of(**v, range, o.bins).is_none()).count();
            if outside > 0 {
                f.warn(format!(
                    "{}: {outside} of {} values are outside {} to {} {} or no numbers: they are in no bin, and the \
                     shares of a time do not add up to 1 where they are",
                    s.text,
                    all().count(),
                    brief(range.0),
                    brief(range.1),
                    columns.unit
                ));
            }
            f.shapes([
                course(&s.text, &columns, range, o.bins),
                histogram(&s.text, &columns, (&first, &last), range, o.bins),
                by_unit(&s.text, &columns, &first, &last),
            ]);
            Ok(())
        })
    }
}

/// The range of values: as the options say, else that of the data.
fn range(o: &Options, s: &Subject, columns: &subject::Columns) -> Result<(f64, f64), AnalysisError> {
    if let (Some(low), Some(high)) = (o.low, o.high)
        && low.partial_cmp(&high) != Some(std::cmp::Ordering::Less)
    {
        return Err(AnalysisError::Unsuitable(format!("{}: `low` ({low}) is not below `high` ({high})", s.text)));
    }
    let all = || columns.columns.iter().flatten().copied().filter(|v| v.is_finite());
    let low = o.low.unwrap_or_else(|| all().fold(f64::INFINITY, f64::min));
    let high = o.high.unwrap_or_else(|| all().fold(f64::NEG_INFINITY, f64::max));
    Ok((low, if high > low { high } else { low + low.abs().max(1.0) * 1e-9 }))
}

/// What the last sample is like.
fn numbers(
    name: &str,
    unit: &str,
    (first, last): (&[f64], &[f64]),
    (low, high): (f64, f64),
    (seconds, second): (f64, &str),
) -> Vec<Metric> {
    let n = last.len() as u64;
    let mut metrics = Vec::new();
    let (value, below, above) = mean_interval(last, 0.95);
    let average = Metric::new(name, "mean", value, unit, n);
    metrics.push(if n > 1 {
        average
            .interval(below, above)
            .ground(Basis::Interval, "95 % interval over units (t)")
            .note("last sample; n = units")
    } else {
        average.note("last sample of one unit")
    });
    metrics.push(if n > 1 {
        Metric::new(name, "sd", deviation(last, 1), unit, n).note("last sample, ddof 1")
    } else {
        Metric::missing(name, "sd", unit, n, "needs two units")
    });
    let tenth = 0.1 * (high - low);
    for (metric, share) in [
        ("low_share", last.iter().filter(|v| **v <= low + tenth).count() as u64),
        ("high_share", last.iter().filter(|v| **v >= high - tenth).count() as u64),
    ] {
        let (a, b) = share_interval(share, n, 0.95);
        metrics.push(
            Metric::new(name, metric, share as f64 / n as f64, "", n)
                .interval(a, b)
                .ground(Basis::Interval, "exact 95 % interval of a share")
                .note("share of units in the end tenth of the range"),
        );
    }
    metrics.push(match sarle(last) {
        Some(b) => Metric::new(name, "bimodality", b, "", n)
            .note("Sarle's b; 5/9 for a uniform, 1/3 for a normal distribution"),
        None => Metric::missing(name, "bimodality", "", n, "needs four units with different values"),
    });
    metrics.push(if seconds > 0.0 {
        let per = if unit.is_empty() { format!("1/{second}") } else { format!("{unit}/{second}") };
        Metric::new(name, "drift", (mean(last) - mean(first)) / seconds, &per, n)
            .note("change of the mean from the first to the last sample")
    } else {
        Metric::missing(name, "drift", "", n, "needs two samples")
    });
    metrics
}

/// Sarle's bimodality coefficient with the correction for small samples.
fn sarle(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let m = mean(values);
    let moment = |p: i32| values.iter().map(|v| (v - m).powi(p)).sum::<f64>() / n;
    let (m2, m3, m4) = (moment(2), moment(3), moment(4));
    if values.len() < 4 || m2 <= 1e-24 * m * m {
        return None;
    }
    let skew = m3 / m2.powf(1.5) * (n * (n - 1.0)).sqrt() / (n - 2.0);
    let excess = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * (m4 / (m2 * m2) - 3.0) + 6.0);
    Some((skew * skew + 1.0) / (excess + 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))))
}

fn bin_of(v: f64, (low, high): (f64, f64), bins: usize) -> Option<usize> {
    let x = (v - low) / (high - low);
    (-1e-12..=1.0 + 1e-12).contains(&x).then(|| ((x * bins as f64) as usize).min(bins - 1))
}

/// Value by time.
fn course(name: &str, columns: &subject::Columns, range: (f64, f64), bins: usize) -> NamedShape {
    let samples = columns.len();
    let block = samples.div_ceil(WIDEST).max(1);
    let width = samples.div_ceil(block);
    let mut values = vec![0.0; width * bins];
    for column in &columns.columns {
        for (k, &v) in column.iter().enumerate() {
            if let Some(bin) = bin_of(v, range, bins) {
                values[(k / block) * bins + bin] += 1.0;
            }
        }
    }
    for (k, column) in values.chunks_exact_mut(bins).enumerate() {
        let count = (block.min(samples - k * block) * columns.columns.len()) as f64;
        for v in column {
            *v /= count;
        }
    }
    let step = (range.1 - range.0) / bins as f64;
    let first = columns.start + (block - 1) as f64 / 2.0 * columns.interval;
    NamedShape::new(
        format!("{name} in time"),
        Shape::Image(Image {
            x: Axis::time(columns.base),
            y: Axis::new(columns.label.clone(), columns.unit.clone()),
            value: Axis::new("share", ""),
            x_range: (first, first + (width.max(1) - 1) as f64 * block as f64 * columns.interval),
            y_range: (range.0 + step / 2.0, range.1 - step / 2.0),
            width,
            height: bins,
            values,
            diverging: false,
        }),
    )
}

fn histogram(
    name: &str,
    columns: &subject::Columns,
    (first, last): (&[f64], &[f64]),
    range: (f64, f64),
    bins: usize,
) -> NamedShape {
    let shares = |values: &[f64]| {
        let mut heights = vec![0.0; bins];
        values.iter().filter_map(|&v| bin_of(v, range, bins)).for_each(|b| heights[b] += 1.0 / values.len() as f64);
        heights
    };
    let edges = (0..=bins).map(|i| range.0 + (range.1 - range.0) * i as f64 / bins as f64).collect();
    NamedShape::new(
        format!("{name} at the end"),
        Shape::Distribution(Distribution {
            x: Axis::new(columns.label.clone(), columns.unit.clone()),
            y: Axis::new("share of units", ""),
            edges,
            heights: vec![("last".to_owned(), shares(last)), ("first".to_owned(), shares(first))],
            references: Vec::new(),
        }),
    )
}

fn by_unit(name: &str, columns: &subject::Columns, first: &[f64], last: &[f64]) -> NamedShape {
    let x: Vec<f64> =
        if columns.units.is_empty() { vec![0.0] } else { columns.units.iter().map(|&u| f64::from(u)).collect() };
    // Between one unit and the next there is nothing: many are marks, a few are joined so that they are seen.
    let style = if x.len() > NAMED { CurveStyle::Points } else { CurveStyle::Line };
    let curve = |label: &str, values: &[f64]| Curve {
        name: label.to_owned(),
        x: x.clone(),
        y: values.to_vec(),
        style,
        ..Curve::default()
    };
    NamedShape::new(
        format!("{name} by unit"),
        Shape::Series(Series {
            x: Axis::new("unit", ""),
            y: Axis::new(columns.label.clone(), columns.unit.clone()),
            curves: vec![curve("last", last), curve("first", first)],
            ..Series::default()
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, run, subject, traces, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Recording;

    #[test]
    fn two_humps_are_told_from_one() {
        // Half the units go from 0.5 to 0, half to 1.
        let columns: Vec<Vec<f64>> = (0..40)
            .map(|u| (0..=100).map(|k| 0.5 + if u % 2 == 0 { -0.5 } else { 0.5 } * f64::from(k) / 100.0).collect())
            .collect();
        let range = [("low", OptionValue::Number(0.0)), ("high", OptionValue::Number(1.0))];
        let o = run(&ValueDistribution, &traces(&columns, 1.0), vec![subject("V_m", &[])], &range).unwrap();
        assert_eq!((value(&o, "p.V_m", "low_share"), value(&o, "p.V_m", "high_share")), (0.5, 0.5));
        assert!(
            (value(&o, "p.V_m", "mean") - 0.5).abs() < 1e-12
                && (value(&o, "p.V_m", "bimodality") - 0.879_301).abs() < 1e-5
        );
        assert!((value(&o, "p.V_m[3]", "change") - 0.5).abs() < 1e-12 && value(&o, "p.V_m", "drift").abs() < 1e-12);
        let Shape::Image(image) = &o.shapes[0].shape else { panic!() };
        assert_eq!((image.width, image.height), (101, 50));
        assert!(image.values.chunks_exact(50).all(|c| (c.iter().sum::<f64>() - 1.0).abs() < 1e-12));
        assert_eq!((image.values[100 * 50], image.values[100 * 50 + 49]), (0.5, 0.5));
        // A normal distribution by its quantiles: b is about 1/3.
        let normal: Vec<Vec<f64>> =
            (1..1000).map(|u| vec![spikedeck_core::statistics::normal_quantile(f64::from(u) / 1000.0); 2]).collect();
        let o = run(&ValueDistribution, &traces(&normal, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert!((value(&o, "p.V_m", "bimodality") - 1.0 / 3.0).abs() < 0.02);
    }

    #[test]
    fn one_unit_is_no_distribution() {
        let o = run(&ValueDistribution, &traces(&[vec![1.0, 2.0]], 1000.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert_eq!(metric(&o, "p.V_m", "bimodality").value, None);
        assert!((value(&o, "p.V_m", "drift") - 1.0).abs() < 1e-12);
        assert!(o.warnings[0].contains("no distribution"));
        assert_eq!(metric(&o, "p.V_m", "drift").unit, "mV/s");
    }

    #[test]
    fn without_a_unit_of_time_the_drift_is_per_unit_of_time() {
        let recording = Recording { time_base: TimeBase::Dimensionless, ..traces(&[vec![1.0, 3.0]], 2.0) };
        let o = run(&ValueDistribution, &recording, vec![subject("V_m", &[])], &[]).unwrap();
        let drift = metric(&o, "p.V_m", "drift");
        assert_eq!((drift.value, drift.unit.as_str()), (Some(1.0), "mV/time"));
    }
}
