//! Agreement: two signals over each other, and how far they are apart.

use super::prelude::*;
use super::stretches;
use spikedeck_core::statistics::{deviation, mean, mean_interval_above, pearson};
use spikedeck_core::units::short;
use spikedeck_scenario::{Observable, Subject};
use spikedeck_signal::{Axis, CurveStyle, Series, Shape, TimeBase};

/// The analysis `agreement`.
pub struct Agreement;

const CARD: AnalysisCard = AnalysisCard {
    title: "Agreement",
    synonyms: &["rmse", "residual"],
    summary: "two signals in one pane, and the distance between them",
    formula: "both signals averaged over the same bins of width Δ, (left, right]\n\
              rms difference = √(Σ (x_k − y_k)²/K);  relative difference = rms difference/√(Σ y_k²/K);  correlation = \
              Pearson's r of the bins",
    assumptions: "Both are in the same unit and sampled at least once a bin. A population rate counts spikes per unit \
                  and second. The interval takes tenths of the window as independent.",
    bias: "A rate from N units carries counting noise of variance r/(N Δ) in each bin, which is in the difference as \
           well: the chance level of the rms difference is √(mean r/(N Δ)), what \
           N independent Poisson units with exactly the other signal as their rate would show. Units more regular \
           than Poisson ones fall below it.",
    cost: "O(samples + spikes)",
    caveats: "A small shift in time between two fast signals makes a large difference: look at the curves. \
              Correlation ignores scale and offset. With narrow bins counting noise dominates, with wide ones detail \
              is lost.",
    references: &[
        "Montbrio, Pazo, Roxin 2015, Phys Rev X 5:021028, doi:10.1103/PhysRevX.5.021028",
        "Bland, Altman 1986, Lancet 327:307-310, doi:10.1016/S0140-6736(86)90837-8",
    ],
};

options! {
    /// What `agreement` can be told.
    pub struct Options {
        bin: Option<Time> = time_if_given().piece(),
            "width of the bins that both signals are averaged over (default: 1/200 of the window)";
    }
}

impl Estimator for Agreement {
    type Options = Options;
    const KIND: &'static str = "agreement";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let window = f.recording.analysis_window();
        let bin = o.bin.unwrap_or_else(|| Time::on_axis(window.length() / 200.0, f.base));
        let mut signals = Vec::new();
        f.each_subject(|f, s| {
            signals.extend(binned(f.request, s, bin)?);
            Ok(())
        })?;
        let [first, rest @ ..] = signals.as_slice() else {
            return Err(AnalysisError::Unsuitable(
                "agreement is between two signals or more: `of = [\"A.rate\", \"B.r\"]`".into(),
            ));
        };
        if rest.is_empty() {
            return Err(AnalysisError::Unsuitable(format!(
                "{} is one signal; agreement needs a second to compare it with",
                first.name
            )));
        }
        f.each(rest, |f, other| {
            if first.unit != other.unit {
                return Err(AnalysisError::Unsuitable(format!(
                    "{} is in {} and {} in {}: no distance between them",
                    first.name,
                    named(&first.unit),
                    other.name,
                    named(&other.unit)
                )));
            }
            let found = compare(first, other, bin.axis * f.base.seconds());
            if let Some(distance) = found.relative {
                f.word(format!("{} and {} differ by {:.3} % rms", first.name, other.name, 100.0 * distance));
            }
            f.metrics(found.metrics);
            Ok(())
        })?;
        let course = |(k, s): (usize, &Binned)| {
            let x = (1..=s.values.len()).map(|b| window.start + b as f64 * bin.axis).collect();
            curve(&s.name, x, s.values.clone(), if k == 0 { CurveStyle::Line } else { CurveStyle::Theory })
        };
        let series = Series {
            x: Axis::time(f.base),
            y: Axis::new(first.label.clone(), first.unit.clone()),
            curves: signals.iter().enumerate().map(course).collect(),
            references: Vec::new(),
        };
        f.shape("signals", Shape::Series(series));
        Ok(())
    }
}

fn named(unit: &str) -> &str {
    if unit.is_empty() { "plain numbers" } else { unit }
}

/// A signal averaged over bins.
struct Binned {
    name: String,
    label: String,
    unit: String,
    values: Vec<f64>,
    /// Units that a rate counts the spikes of.
    counted: Option<usize>,
}

fn binned(request: &Request<'_>, s: &Subject, width: Time) -> Result<Vec<Binned>, AnalysisError> {
    let bin = width.axis;
    let window = request.recording.analysis_window();
    let bins = subject::bin_count(window, bin);
    if bins < 10 {
        return Err(AnalysisError::Unsuitable(format!("{bins} bins of {} are too few: shorten `bin`", short(bin))));
    }
    if matches!(s.what, Observable::Rate | Observable::Spikes) {
        let rate = subject::rate(request, s, width)?.columns;
        let base = rate.base;
        let values = rate.columns.into_iter().next().expect("a rate is one column");
        // Where time has no unit a rate is a plain number, as states are.
        let unit = if base == TimeBase::Dimensionless { String::new() } else { rate.unit };
        return Ok(vec![Binned {
            name: s.text.clone(),
            label: rate.label,
            unit,
            values,
            counted: Some(rate.averaged),
        }]);
    }
    let columns = subject::columns(request, s, width)?;
    let average = |(k, column): (usize, &Vec<f64>)| {
        let (mut sums, mut counts) = (vec![0.0; bins], vec![0.0; bins]);
        for (j, v) in column.iter().enumerate() {
            if let Some(b) =
                subject::bin_of(columns.start + j as f64 * columns.interval, window.start, bin).filter(|b| *b < bins)
            {
                sums[b] += v;
                counts[b] += 1.0;
            }
        }
        if counts.contains(&0.0) {
            return Err(AnalysisError::Unsuitable(format!(
                "{}: samples {} apart do not reach every bin of {}: lengthen `bin` or record more often",
                s.text,
                short(columns.interval),
                short(bin)
            )));
        }
        let values = sums.iter().zip(&counts).map(|(s, c)| s / c).collect();
        Ok(Binned {
            name: columns.name(k),
            label: columns.label.clone(),
            unit: columns.unit.clone(),
            values,
            counted: None,
        })
    };
    columns.columns.iter().enumerate().map(average).collect()
}

/// The distance of two signals.
struct Compared {
    /// Of the size of the second, where that is not zero.
    relative: Option<f64>,
    metrics: Vec<Metric>,
}

/// The distance of two binned signals; `seconds` is the width of a bin.
fn compare(a: &Binned, b: &Binned, seconds: f64) -> Compared {
    let n = a.values.len().min(b.values.len());
    let (x, y) = (&a.values[..n], &b.values[..n]);
    let name = format!("{}->{}", a.name, b.name);
    let squares: Vec<f64> = x.iter().zip(y).map(|(p, q)| (p - q) * (p - q)).collect();
    let rms = mean(&squares).sqrt();
    let size = mean(&y.iter().map(|v| v * v).collect::<Vec<_>>()).sqrt();
    let noise = |s: &Binned| s.counted.map_or(0.0, |units| mean(&s.values).max(0.0) / (units as f64 * seconds));
    let counted = a.counted.is_some() || b.counted.is_some();
    let chance = (noise(a) + noise(b)).sqrt();
    // Neighbouring bins depend on each other; tenths of the window nearly do not.
    let blocks = stretches::means(&squares, 10);
    // Where tenths differ in length, the mean of their means is not quite that of all bins.
    let moved = mean(&squares) / mean(&blocks);
    let interval = mean_interval_above(&blocks, 0.0, 0.95).map(|(low, high)| (low * moved, high * moved));
    let with = |m: Metric, scale: f64| {
        let m = if counted { m.chance(chance * scale).chance_by("chance: counting noise alone") } else { m };
        interval.map_or(m.clone(), |(l, h)| {
            m.interval(l.sqrt() * scale, h.sqrt() * scale)
                .interval_by("95 % interval over tenths of the window (t, of the logarithm)")
        })
    };
    // A bin that is no number is no small difference.
    let worst = squares.iter().fold(0.0, |m: f64, &v| if v > m || v.is_nan() { v } else { m }).sqrt();
    let mut list = vec![
        with(Metric::new(&name, "rms_difference", rms, &a.unit, n as u64).note("n = bins"), 1.0),
        if size == 0.0 {
            Metric::missing(&name, "relative_difference", "", n as u64, "the second is 0 throughout")
        } else {
            with(
                Metric::new(&name, "relative_difference", rms / size, "", n as u64)
                    .note("of the root mean square of the second"),
                1.0 / size,
            )
        },
        Metric::new(&name, "largest_difference", worst, &a.unit, n as u64).note("over bins"),
        Metric::new(&name, "mean_difference", mean(x) - mean(y), &a.unit, n as u64).note("first minus second"),
    ];
    list.push(if deviation(x, 0) > 0.0 && deviation(y, 0) > 0.0 {
        Metric::new(&name, "correlation", pearson(x, y), "", n as u64)
            .chance(0.0)
            .ground(Basis::Chance, "chance of a correlation: 0")
            .note("n = bins, which depend on their neighbours")
    } else {
        Metric::missing(&name, "correlation", "", n as u64, "one of the two does not vary")
    });
    Compared { relative: Some(rms / size).filter(|r| r.is_finite()), metrics: list }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, subject, traces, value};
    use spikedeck_scenario::OptionValue;

    #[test]
    fn counting_noise_is_the_chance_level() {
        // 200 Poisson units of 20 Hz against their true rate.
        let trains: Vec<Vec<f64>> = (0..200).map(|u| poisson(6, u, 20.0, 20_000.0)).collect();
        let mut r = recording(&trains, 20_000.0);
        let mut rate = traces(&[vec![20.0; 20_000]], 1.0).traces.remove(0);
        (rate.variable, rate.unit, rate.start) = ("r".into(), "Hz".into(), 1.0);
        r.traces.push(rate);
        let o =
            run(&Agreement, &r, vec![subject("rate", &[]), subject("r", &[0])], &[("bin", OptionValue::Number(0.02))])
                .unwrap();
        let m = metric(&o, "p.rate->p.r[0]", "rms_difference");
        let expected = (20.0f64 / (200.0 * 0.02)).sqrt();
        assert!((m.chance.unwrap() / expected - 1.0).abs() < 0.01);
        assert!((m.value.unwrap() / expected - 1.0).abs() < 0.1, "{m:?}");
        assert!(m.ci_low.unwrap() < expected && m.ci_high.unwrap() > 0.9 * expected);
    }

    #[test]
    fn a_shift_is_seen_exactly() {
        let wave = |offset: f64| (0..1000).map(|k| offset + f64::from(k % 10)).collect::<Vec<f64>>();
        let r = traces(&[wave(0.0), wave(2.0)], 1.0);
        let o = run(&Agreement, &r, vec![subject("V_m", &[])], &[("bin", OptionValue::Number(0.002))]).unwrap();
        let name = "p.V_m[0]->p.V_m[1]";
        assert!((value(&o, name, "rms_difference") - 2.0).abs() < 1e-12);
        assert!((value(&o, name, "mean_difference") + 2.0).abs() < 1e-12);
        assert!((value(&o, name, "correlation") - 1.0).abs() < 1e-12);
        let e = run(&Agreement, &r, vec![subject("V_m", &[0])], &[]).unwrap_err().to_string();
        assert!(e.contains("needs a second"), "{e}");
    }

    /// What cannot be said is missing with its reason; what is no number is no small difference.
    #[test]
    fn nothing_is_said_of_what_is_no_number() {
        let wave: Vec<f64> = (0..1000).map(|k| f64::from(k % 10)).collect();
        let name = "p.V_m[0]->p.V_m[1]";
        let of = |second: Vec<f64>| {
            let r = traces(&[wave.clone(), second], 1.0);
            run(&Agreement, &r, vec![subject("V_m", &[])], &[("bin", OptionValue::Number(0.002))]).unwrap()
        };
        let mut broken = wave.clone();
        broken[500] = f64::NAN;
        let o = of(broken);
        for metric_name in ["rms_difference", "relative_difference", "largest_difference", "mean_difference"] {
            let m = metric(&o, name, metric_name);
            assert!(m.value.is_none() && m.note.contains("not a number"), "{m:?}");
        }
        let o = of(vec![0.0; 1000]);
        let m = metric(&o, name, "relative_difference");
        assert!(m.value.is_none() && m.note.contains("0 throughout"), "{m:?}");
        assert!(value(&o, name, "largest_difference") > 0.0);
    }
}
