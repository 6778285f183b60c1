//! Attenuation: how much of a voltage is left elsewhere, and how much later it comes.

use super::places;
use super::prelude::*;
use spikedeck_core::units::{Dimension, brief, display_unit};
use spikedeck_scenario::Subject;
use spikedeck_signal::{Axis, CurveStyle, Series, Shape};

/// The analysis `attenuation`.
pub struct Attenuation;

const CARD: AnalysisCard = AnalysisCard {
    title: "Attenuation",
    synonyms: &["space_constant", "length_constant", "lambda"],
    summary: "peak and last deviation of each column, as shares of the first, the delay of the peaks, and a resistance",
    formula: "d_j(t) = v_j(t) - baseline; peak = deviation of greatest size, with its sign; last = deviation of the \
              last sample; ratio = peak_j/peak_1, last_ratio = last_j/last_1; delay = time of peak_j - time of peak_1 \
              (vertices of parabolas); resistance = last/current",
    assumptions: "What is looked at starts at its baseline, or the baseline is stated.",
    bias: "Times of peaks are good to a tenth of the sampling interval where the peak is smooth. A last deviation is \
           a steady one only after several time constants.",
    cost: "O(samples)",
    caveats: "The first column is the reference: list the place of the input first. Noise makes peaks larger.",
    references: &[
        "Rall 1959, Exp Neurol 1:491-527, doi:10.1016/0014-4886(59)90046-9",
        "Zador, Agmon-Snir and Segev 1995, J Neurosci 15:1669-1682, doi:10.1523/JNEUROSCI.15-03-01669.1995",
    ],
};

/// Deviations of one column.
struct Deviation {
    name: String,
    peak: f64,
    time: f64,
    last: f64,
    /// Path from the root in metres, on a tree.
    distance: Option<f64>,
}

options! {
    /// What `attenuation` can be told.
    pub struct Options {
        baseline: Option<Quantity> = quantity_if_given(Dimension::VOLT),
            "voltage that deviations are from; the first sample of each column without it";
        current: Option<Quantity> = quantity_if_given(Dimension::AMPERE),
            "current that flows at the end: gives a resistance";
    }
}

impl Estimator for Attenuation {
    type Options = Options;
    const KIND: &'static str = "attenuation";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let base = f.base;
        let mut found: Vec<Deviation> = Vec::new();
        let (mut unit, mut on_a_line) = (String::new(), false);
        f.each_subject(|f, s| {
            let columns = subject::variable(f.request, s)?;
            if columns.is_empty() {
                return Err(AnalysisError::NotRecorded {
                    subject: s.text.clone(),
                    hint: "no sample lies in the window".into(),
                });
            }
            unit.clone_from(&columns.unit);
            let first = found.len();
            found.extend(deviations(f.request, o, s, &columns)?);
            if let Ok(line) = places::line(f.request, s, &columns) {
                on_a_line = true;
                let along = |name: &str, pick: &dyn Fn(&Deviation) -> f64| {
                    let y = line.columns.iter().map(|&c| pick(&found[first + c])).collect();
                    curve(name, line.x.clone(), y, CurveStyle::Line)
                };
                let series = Series {
                    x: line.axis(),
                    y: Axis::new(format!("deviation of {}", columns.label), columns.unit.clone()),
                    curves: vec![along("peak", &|d| d.peak), along("last", &|d| d.last)],
                    references: Vec::new(),
                };
                f.shape(format!("deviation of {} along the path", s.text), Shape::Series(series));
            }
            Ok(())
        })?;
        let Some(reference) = found.first() else { return Ok(()) };
        // One column has nothing to be compared with.
        if !on_a_line && found.len() > 1 {
            f.shape("share of the first peak", Shape::Series(shares(&found, reference)));
        }
        for d in &found {
            f.metric(Metric::new(&d.name, "peak", d.peak, &unit, 1));
            f.metric(Metric::new(&d.name, "peak_time", d.time, base.unit(), 1));
            f.metric(Metric::new(&d.name, "last", d.last, &unit, 1));
            for (metric, part, whole, of) in [
                ("ratio", d.peak, reference.peak, "of the peak of the first column"),
                ("last_ratio", d.last, reference.last, "of the last deviation of the first column"),
            ] {
                f.metric(if whole == 0.0 {
                    Metric::missing(&d.name, metric, "", 1, "the first column does not deviate")
                } else {
                    Metric::new(&d.name, metric, part / whole, "", 1).note(of)
                });
            }
            f.metric(
                Metric::new(&d.name, "delay", d.time - reference.time, base.unit(), 1)
                    .note("after the peak of the first column"),
            );
            let volt = display_unit(Dimension::VOLT);
            if let Some(current) = o.current.filter(|_| unit == volt.symbol) {
                let ohm = display_unit(Dimension::OHM);
                let resistance = d.last * volt.scale / current.si / ohm.scale;
                f.metric(Metric::new(&d.name, "resistance", resistance, &ohm.symbol, 1));
            }
            if reference.peak != 0.0 {
                f.word(format!("{}: {} of the first", d.name, brief(d.peak / reference.peak)));
            }
        }
        Ok(())
    }
}

/// What each column of a subject does.
fn deviations(
    request: &Request<'_>,
    o: &Options,
    s: &Subject,
    columns: &subject::Columns,
) -> Result<Vec<Deviation>, AnalysisError> {
    let baseline = o.baseline.map(|b| b.in_unit(&columns.unit, Dimension::VOLT));
    if baseline == Some(None) {
        let why = "`baseline` is a voltage, and this is none";
        return Err(AnalysisError::Unsuitable(format!("{}: {why}", s.text)));
    }
    let tree = request.scenario.and_then(|spec| spec.population_at(s.place)).and_then(|p| p.tree.as_ref());
    let along = |c: usize| {
        let unit = *columns.units.get(c)? as usize;
        tree.and_then(|t| t.compartments.distance.get(unit % t.units().max(1)).copied())
    };
    let one = |(c, values): (usize, &Vec<f64>)| {
        let zero = baseline.flatten().unwrap_or(values[0]);
        let (at, peak) = vertex(values, zero);
        Deviation {
            name: columns.name(c),
            peak,
            time: columns.start + at * columns.interval,
            last: values[values.len() - 1] - zero,
            distance: along(c),
        }
    };
    Ok(columns.columns.iter().enumerate().map(one).collect())
}

/// Peaks as shares of the first, over the distance from the root where all have one.
fn shares(found: &[Deviation], reference: &Deviation) -> Series {
    let ratios = found.iter().map(|d| d.peak / reference.peak).collect();
    let metre = display_unit(Dimension::METRE);
    let distances: Option<Vec<f64>> = found.iter().map(|d| d.distance.map(|x| x / metre.scale)).collect();
    let (x, axis) = match distances {
        Some(x) => (x, Axis::new("distance from the root", metre.symbol)),
        None => ((1..=found.len()).map(|k| k as f64).collect(), Axis::new("column, in the order given", "")),
    };
    Series {
        x: axis,
        y: Axis::new("ratio", ""),
        curves: vec![curve("ratio", x, ratios, CurveStyle::Points)],
        references: Vec::new(),
    }
}

/// The deviation of greatest size, and where it is in samples: the vertex of a parabola through it and its neighbours.
fn vertex(values: &[f64], zero: f64) -> (f64, f64) {
    let at = (0..values.len())
        .max_by(|&a, &b| (values[a] - zero).abs().total_cmp(&(values[b] - zero).abs()).then(b.cmp(&a)))
        .expect("columns without samples are refused");
    let b = values[at] - zero;
    if at == 0 || at + 1 >= values.len() {
        return (at as f64, b);
    }
    let (a, c) = (values[at - 1] - zero, values[at + 1] - zero);
    let bend = a - 2.0 * b + c;
    // A corner (the end of a pulse) has no vertex between samples.
    let (least, greatest) = ((a - b).abs().min((c - b).abs()), (a - b).abs().max((c - b).abs()));
    if bend == 0.0 || least < 1e-3 * greatest {
        return (at as f64, b);
    }
    (at as f64 + 0.5 * (a - c) / bend, b - (a - c) * (a - c) / (8.0 * bend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_lie_between_samples() {
        let values: Vec<f64> = (0..20).map(|k| -65.0 + 4.0 - (f64::from(k) - 7.3).powi(2) * 0.01).collect();
        let (at, peak) = vertex(&values, -65.0);
        assert!((at - 7.3).abs() < 1e-9 && (peak - 4.0).abs() < 1e-9);
        assert_eq!(vertex(&[-65.0, -66.0, -67.5], -65.0), (2.0, -2.5));
    }
}
