//! Space: the state over position and time, bump width, dominant wavelength.

use std::f64::consts::TAU;

use super::{
    Analysis, AnalysisCard, AnalysisDeclaration, AnalysisError, Metric, Outcome, Request, Subjects, bounded, option,
    places, subject,
};
use spikedeck_core::statistics::mean;
use spikedeck_core::units::{Dimension, brief};
use spikedeck_scenario::OptionKind;
use spikedeck_signal::{Axis, Curve, CurveStyle, Image, NamedShape, Series, Shape};

/// The analysis `space`.
pub struct Space;

/// Most columns of the image; longer recordings are thinned.
const WIDEST: usize = 1000;

static CARD: AnalysisCard = AnalysisCard {
    title: "Space",
    summary: "a state over position and time, the width of what stands out, and the dominant wavelength",
    formula: "width = length over which the last profile is above the level, its crossings interpolated linearly; wavelength = 2π/k of the largest |Σ (u_j − mean) e^(−i k x_j)|², \
              k from one to half the number of cells times 2π/length, refined by a parabola through the logarithms of three ordinates",
    assumptions: "The last sample shows the pattern after it has settled.",
    bias: "The width is good to about a cell. Without refinement the wavelength is one of length/1, length/2, ...; a ring allows only these.",
    cost: "O(samples · cells) for the image, O(cells²) for the wavelength",
    caveats: "Several bumps count as one width. Between sealed ends half waves fit as well as whole ones: a ring is the better place to measure a wavelength. In a plane the middle row is shown.",
    references: &[
        "Amari 1977, Biol Cybern 27:77-87, doi:10.1007/BF00337259",
        "Cross and Hohenberg 1993, Rev Mod Phys 65:851-1112, doi:10.1103/RevModPhys.65.851",
    ],
};

impl Analysis for Space {
    fn declaration(&self) -> AnalysisDeclaration {
        AnalysisDeclaration {
            kind: "space",
            subjects: Subjects::Of,
            options: vec![
                bounded(
                    option(
                        "level",
                        OptionKind::Quantity(Dimension::NONE),
                        Some("0.5"),
                        "level of the width, as a share of the range of the last profile",
                    ),
                    0.0,
                    1.0,
                ),
                option(
                    "value",
                    OptionKind::Quantity(Dimension::NONE),
                    None,
                    "level of the width as a value of the state in its display unit, instead of a share",
                ),
            ],
        }
    }

    fn card(&self) -> &'static AnalysisCard {
        &CARD
    }

    fn live(&self) -> bool {
        true
    }

    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        let base = request.recording.time_base;
        let (mut metrics, mut shapes, mut words) = (Vec::new(), Vec::new(), Vec::new());
        for s in &request.spec.of {
            request.check_cancelled()?;
            let columns = subject::columns(request, s, 1e-3)?;
            let line = places::line(request, s, &columns)?;
            let samples = columns.len();
            if samples == 0 {
                return Err(AnalysisError::NotRecorded {
                    subject: s.text.clone(),
                    hint: "no sample lies in the window".into(),
                });
            }
            let profile: Vec<f64> = line.columns.iter().map(|&c| columns.columns[c][samples - 1]).collect();
            let (least, greatest) =
                profile.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, g), &v| (l.min(v), g.max(v)));
            let level = request
                .number("value")
                .unwrap_or_else(|| least + request.number("level").unwrap_or(0.5) * (greatest - least));
            let n = profile.len() as u64;
            metrics.push(
                Metric::new(&s.text, "range", greatest - least, &columns.unit, n)
                    .note("of the last profile; n = cells"),
            );
            let finite = (greatest - least).is_finite();
            let flat = greatest - least <= 1e-9 * greatest.abs().max(least.abs()).max(1e-300);
            if flat || !finite {
                let why =
                    if finite { "the last profile is flat" } else { "the last profile has left the finite numbers" };
                for name in ["width", "wavelength"] {
                    metrics.push(Metric::missing(&s.text, name, &line.unit, n, why));
                }
            } else {
                let width = width(&line.x, &profile, level, line.spacing);
                metrics.push(
                    Metric::new(&s.text, "width", width, &line.unit, n)
                        .note("length above the level in the last profile; n = cells"),
                );
                let cycles = dominant(&profile, line.ring);
                let length = line.spacing * profile.len() as f64;
                metrics.push(
                    Metric::new(&s.text, "wavelength", length / cycles, &line.unit, n)
                        .note("of the last profile; n = cells"),
                );
                words.push(format!(
                    "{}: width {} {u}, wavelength {} {u}",
                    s.text,
                    brief(width),
                    brief(length / cycles),
                    u = line.unit
                ));
            }
            let thin = samples.div_ceil(WIDEST);
            let chosen: Vec<usize> = (0..samples).step_by(thin).collect();
            let values = chosen
                .iter()
                .flat_map(|&k| line.columns.iter().map(move |&c| (c, k)))
                .map(|(c, k)| columns.columns[c][k])
                .collect();
            let last = chosen.last().copied().unwrap_or(0);
            shapes.push(NamedShape::new(
                format!("{} in space and time", s.text),
                Shape::Image(Image {
                    x: Axis::time(base),
                    y: line.axis(),
                    value: Axis::new(columns.label.clone(), columns.unit.clone()),
                    x_range: (columns.start, columns.start + last as f64 * columns.interval),
                    y_range: (line.x[0], line.x[line.x.len() - 1]),
                    width: chosen.len(),
                    height: line.columns.len(),
                    values,
                    diverging: false,
                }),
            ));
            shapes.push(NamedShape::new(
                format!("last profile of {}", s.text),
                Shape::Series(Series {
                    x: line.axis(),
                    y: Axis::new(columns.label.clone(), columns.unit.clone()),
                    curves: vec![Curve {
                        name: s.text.clone(),
                        x: line.x.clone(),
                        y: profile,
                        band: None,
                        style: CurveStyle::Line,
                    }],
                    references: Vec::new(),
                }),
            ));
        }
        Ok(request.outcome("Space", shapes, metrics, words.join("; "), Vec::new()))
    }
}

/// Length over which `values` are above `level`; half a cell is added at an end that is above it.
fn width(x: &[f64], values: &[f64], level: f64, spacing: f64) -> f64 {
    let mut sum = 0.0;
    for (w, x) in values.windows(2).zip(x.windows(2)) {
        let (a, b) = (w[0] - level, w[1] - level);
        let share = match (a >= 0.0, b >= 0.0) {
            (true, true) => 1.0,
            (true, false) => a / (a - b),
            (false, true) => b / (b - a),
            (false, false) => 0.0,
        };
        sum += share * (x[1] - x[0]);
    }
    let ends = [values.first(), values.last()].into_iter().flatten().filter(|v| **v >= level).count();
    sum + 0.5 * spacing * ends as f64
}

/// Cycles of the strongest wave over the whole length; on a ring a whole number.
fn dominant(values: &[f64], ring: bool) -> f64 {
    let n = values.len();
    let middle = mean(values);
    let power = |k: usize| {
        let (mut re, mut im) = (0.0, 0.0);
        for (j, v) in values.iter().enumerate() {
            let phase = TAU * ((k * j) % n) as f64 / n as f64;
            re += (v - middle) * phase.cos();
            im += (v - middle) * phase.sin();
        }
        re * re + im * im
    };
    let all: Vec<f64> = (0..=n / 2).map(power).collect();
    let best = (1..all.len()).max_by(|&a, &b| all[a].total_cmp(&all[b]).then(b.cmp(&a))).unwrap_or(1);
    if ring || best < 2 || best + 1 >= all.len() || all[best - 1] <= 0.0 || all[best + 1] <= 0.0 {
        return best as f64;
    }
    let (a, b, c) = (all[best - 1].ln(), all[best].ln(), all[best + 1].ln());
    best as f64 + 0.5 * (a - c) / (a - 2.0 * b + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triangle_has_its_width_and_a_wave_its_length() {
        let x: Vec<f64> = (0..11).map(f64::from).collect();
        let triangle: Vec<f64> = x.iter().map(|v| 5.0 - (v - 5.0).abs()).collect();
        assert!((width(&x, &triangle, 2.5, 1.0) - 5.0).abs() < 1e-12);
        assert!((width(&x, &triangle, -1.0, 1.0) - 11.0).abs() < 1e-12);
        let wave: Vec<f64> = (0..120).map(|j| (TAU * 7.0 * f64::from(j) / 120.0).cos() + 3.0).collect();
        assert_eq!(dominant(&wave, true), 7.0);
        let between: Vec<f64> = (0..120).map(|j| (TAU * 7.4 * f64::from(j) / 120.0).cos()).collect();
        assert!((dominant(&between, false) - 7.4).abs() < 0.25);
    }
}
