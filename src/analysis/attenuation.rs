//! Attenuation: how much of a voltage is left elsewhere, and how much later it comes.

use super::{
    Analysis, AnalysisCard, AnalysisDeclaration, AnalysisError, Metric, Outcome, Request, Subjects, option, places,
    subject,
};
use spikedeck_core::units::{Dimension, brief, display_unit};
use spikedeck_scenario::OptionKind;
use spikedeck_signal::{Axis, Curve, CurveStyle, NamedShape, Series, Shape};

/// The analysis `attenuation`.
pub struct Attenuation;

static CARD: AnalysisCard = AnalysisCard {
    title: "Attenuation",
    summary: "peak and last deviation of each column, as shares of the first, the delay of the peaks, and a resistance",
    formula: "d_j(t) = v_j(t) - baseline; peak = deviation of greatest size, with its sign; last = deviation of the last sample; ratio = peak_j/peak_1, last_ratio = last_j/last_1; delay = time of peak_j - time of peak_1 (vertices of parabolas); resistance = last/current",
    assumptions: "What is looked at starts at its baseline, or the baseline is stated.",
    bias: "Times of peaks are good to a tenth of the sampling interval where the peak is smooth. A last deviation is a steady one only after several time constants.",
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

impl Analysis for Attenuation {
    fn declaration(&self) -> AnalysisDeclaration {
        AnalysisDeclaration {
            kind: "attenuation",
            subjects: Subjects::Of,
            options: vec![
                option(
                    "baseline",
                    OptionKind::Quantity(Dimension::VOLT),
                    None,
                    "voltage that deviations are from; the first sample of each column without it",
                ),
                option(
                    "current",
                    OptionKind::Quantity(Dimension::AMPERE),
                    None,
                    "current that flows at the end: gives a resistance",
                ),
            ],
        }
    }

    fn card(&self) -> &'static AnalysisCard {
        &CARD
    }

    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        let (mut found, mut shapes): (Vec<Deviation>, Vec<NamedShape>) = (Vec::new(), Vec::new());
        let base = request.recording.time_base;
        let mut unit = String::new();
        for s in &request.spec.of {
            request.check_cancelled()?;
            let columns = subject::columns(request, s, 1e-3)?;
            if columns.is_empty() {
                return Err(AnalysisError::NotRecorded {
                    subject: s.text.clone(),
                    hint: "no sample lies in the window".into(),
                });
            }
            unit.clone_from(&columns.unit);
            let scale = if unit == "mV" { 1e3 } else { 1.0 };
            let first = found.len();
            let tree = request.scenario.and_then(|spec| spec.population_at(s.place)).and_then(|p| p.tree.as_ref());
            let along = |c: usize| {
                let unit = *columns.units.get(c)? as usize;
                tree.and_then(|t| t.compartments.distance.get(unit % t.units().max(1)).copied())
            };
            for (c, values) in columns.columns.iter().enumerate() {
                let zero = request.number("baseline").map_or(values[0], |b| b * scale);
                let (at, peak) = vertex(values, zero);
                let time = columns.start + at * columns.interval;
                found.push(Deviation {
                    name: columns.name(c),
                    peak,
                    time,
                    last: values[values.len() - 1] - zero,
                    distance: along(c),
                });
            }
            if let Ok(line) = places::line(request, s, &columns) {
                let along = |pick: &dyn Fn(&Deviation) -> f64| {
                    line.columns.iter().map(|&c| pick(&found[first + c])).collect::<Vec<f64>>()
                };
                let curve = |name: &str, y| Curve {
                    name: name.into(),
                    x: line.x.clone(),
                    y,
                    band: None,
                    style: CurveStyle::Line,
                };
                shapes.push(NamedShape::new(
                    format!("deviation of {} along the path", s.text),
                    Shape::Series(Series {
                        x: line.axis(),
                        y: Axis::new(format!("deviation of {}", columns.label), columns.unit.clone()),
                        curves: vec![curve("peak", along(&|d| d.peak)), curve("last", along(&|d| d.last))],
                        references: Vec::new(),
                    }),
                ));
            }
        }
        let Some(reference) = found.first() else {
            return Ok(request.outcome("Attenuation", shapes, Vec::new(), String::new(), Vec::new()));
        };
        // One column has nothing to be compared with.
        if shapes.is_empty() && found.len() > 1 {
            let ratios: Vec<f64> = found.iter().map(|d| d.peak / reference.peak).collect();
            let metre = display_unit(Dimension::METRE);
            let distances: Option<Vec<f64>> = found.iter().map(|d| d.distance.map(|x| x / metre.scale)).collect();
            let (x, axis) = match distances {
                Some(x) => (x, Axis::new("distance from the root", metre.symbol)),
                None => ((1..=found.len()).map(|k| k as f64).collect(), Axis::new("column, in the order given", "")),
            };
            shapes.push(NamedShape::new(
                "share of the first peak",
                Shape::Series(Series {
                    x: axis,
                    y: Axis::new("ratio", ""),
                    curves: vec![Curve { name: "ratio".into(), x, y: ratios, band: None, style: CurveStyle::Points }],
                    references: Vec::new(),
                }),
            ));
        }
        let mut metrics = Vec::new();
        for d in &found {
            metrics.push(Metric::new(&d.name, "peak", d.peak, &unit, 1));
            metrics.push(Metric::new(&d.name, "peak_time", d.time, base.unit(), 1));
            metrics.push(Metric::new(&d.name, "last", d.last, &unit, 1));
            metrics.push(
                Metric::new(&d.name, "ratio", d.peak / reference.peak, "", 1).note("of the peak of the first column"),
            );
            metrics.push(
                Metric::new(&d.name, "last_ratio", d.last / reference.last, "", 1)
                    .note("of the last deviation of the first column"),
            );
            metrics.push(
                Metric::new(&d.name, "delay", d.time - reference.time, base.unit(), 1)
                    .note("after the peak of the first column"),
            );
            if let Some(current) = request.number("current").filter(|_| unit == "mV") {
                let ohm = display_unit(Dimension::OHM);
                metrics.push(Metric::new(&d.name, "resistance", d.last * 1e-3 / current / ohm.scale, &ohm.symbol, 1));
            }
        }
        let text = found
            .iter()
            .map(|d| format!("{}: {} of the first", d.name, brief(d.peak / reference.peak)))
            .collect::<Vec<_>>()
            .join("; ");
        Ok(request.outcome("Attenuation", shapes, metrics, text, Vec::new()))
    }
}

/// The deviation of greatest size, and where it is in samples: the vertex of a parabola through it and its neighbours.
fn vertex(values: &[f64], zero: f64) -> (f64, f64) {
    let at = (0..values.len())
        .max_by(|&a, &b| (values[a] - zero).abs().total_cmp(&(values[b] - zero).abs()).then(b.cmp(&a)))
        .unwrap_or(0);
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
