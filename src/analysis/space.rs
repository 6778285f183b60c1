//! Space: the state over position and time, bump width, dominant wavelength.

use super::places;
use super::prelude::*;
use std::f64::consts::TAU;

use spikedeck_core::statistics::mean;
use spikedeck_core::units::brief;
use spikedeck_signal::{Axis, CurveStyle, Image, Series, Shape};

/// The analysis `space`.
pub struct Space;

/// Most columns of the image; longer recordings are thinned.
const WIDEST: usize = 1000;

const CARD: AnalysisCard = AnalysisCard {
    title: "Space",
    synonyms: &["spatial_spectrum", "wavelength"],
    summary: "a state over position and time, the width of what stands out, and the dominant wavelength",
    formula: "width = length over which the last profile is above the level, its crossings interpolated linearly; \
              wavelength = 2π/k of the largest |Σ (u_j − mean) e^(−i k x_j)|², \
              k from one to half the number of cells times 2π/length, refined by a parabola through the logarithms of \
              three ordinates",
    assumptions: "The last sample shows the pattern after it has settled. A wavelength needs cells at even distances, \
                  of those that are looked at.",
    bias: "The width is good to about a cell. Without refinement the wavelength is one of length/1, length/2, ...; a \
           ring allows only these.",
    cost: "O(samples · cells) for the image, O(cells²) for the wavelength",
    caveats: "Several bumps count as one width. Between sealed ends half waves fit as well as whole ones: a ring is \
              the better place to measure a wavelength. In a plane the middle row is shown.",
    references: &[
        "Amari 1977, Biol Cybern 27:77-87, doi:10.1007/BF00337259",
        "Cross and Hohenberg 1993, Rev Mod Phys 65:851-1112, doi:10.1103/RevModPhys.65.851",
    ],
};

options! {
    /// What `space` can be told.
    pub struct Options {
        level: f64 = number("0.5").between(0.0, 1.0),
            "level of the width, as a share of the range of the last profile";
        value: Option<f64> = number_if_given(),
            "level of the width as a value of the state in its display unit, instead of a share";
    }
}

impl Estimator for Space {
    type Options = Options;
    const KIND: &'static str = "space";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const LIVE: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_subject(|f, s| {
            let columns = subject::variable(f.request, s)?;
            let line = places::line(f.request, s, &columns)?;
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
            let level = o.value.unwrap_or(least + o.level * (greatest - least));
            let n = profile.len() as u64;
            f.metric(
                Metric::new(&s.text, "range", greatest - least, &columns.unit, n)
                    .note("of the last profile; n = cells"),
            );
            let finite = (greatest - least).is_finite();
            let flat = greatest - least <= 1e-9 * greatest.abs().max(least.abs()).max(1e-300);
            if flat || !finite {
                let why =
                    if finite { "the last profile is flat" } else { "the last profile has left the finite numbers" };
                f.metrics(["width", "wavelength"].map(|name| Metric::missing(&s.text, name, &line.unit, n, why)));
            } else {
                let width = width(&line.x, &profile, level);
                f.metric(
                    Metric::new(&s.text, "width", width, &line.unit, n)
                        .note("length above the level in the last profile; n = cells"),
                );
                let (width, unit) = (brief(width), &line.unit);
                if let Some(spacing) = line.spacing {
                    let wavelength = spacing * profile.len() as f64 / dominant(&profile, line.ring);
                    f.metric(
                        Metric::new(&s.text, "wavelength", wavelength, unit, n).note("of the last profile; n = cells"),
                    );
                    f.word(format!("{}: width {width} {unit}, wavelength {} {unit}", s.text, brief(wavelength)));
                } else {
                    let why = "the cells looked at are not at even distances";
                    f.metric(Metric::missing(&s.text, "wavelength", unit, n, why));
                    f.word(format!("{}: width {width} {unit}", s.text));
                }
            }
            f.shape(format!("{} in space and time", s.text), Shape::Image(course(&columns, &line)));
            let series = Series {
                x: line.axis(),
                y: Axis::new(columns.label.clone(), columns.unit.clone()),
                curves: vec![curve(&s.text, line.x.clone(), profile, CurveStyle::Line)],
                references: Vec::new(),
            };
            f.shape(format!("last profile of {}", s.text), Shape::Series(series));
            Ok(())
        })
    }
}

/// The state over position and time.
fn course(columns: &subject::Columns, line: &places::Line) -> Image {
    let samples = columns.len();
    let thin = samples.div_ceil(WIDEST);
    let chosen: Vec<usize> = (0..samples).step_by(thin).collect();
    let values = chosen
        .iter()
        .flat_map(|&k| line.columns.iter().map(move |&c| (c, k)))
        .map(|(c, k)| columns.columns[c][k])
        .collect();
    let last = (chosen.len() - 1) * thin;
    Image {
        x: Axis::time(columns.base),
        y: line.axis(),
        value: Axis::new(columns.label.clone(), columns.unit.clone()),
        x_range: (columns.start, columns.start + last as f64 * columns.interval),
        y_range: (line.x[0], line.x[line.x.len() - 1]),
        width: chosen.len(),
        height: line.columns.len(),
        values,
        diverging: false,
    }
}

/// Length over which `values` are above `level`; at an end that is above it, half the distance to its neighbour is
/// added.
fn width(x: &[f64], values: &[f64], level: f64) -> f64 {
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
    let last = x.len() - 1;
    let ends = [(values[0], x[1] - x[0]), (values[last], x[last] - x[last - 1])];
    sum + ends.iter().filter(|(v, _)| *v >= level).map(|(_, gap)| 0.5 * gap).sum::<f64>()
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
    let best = (1..all.len()).max_by(|&a, &b| all[a].total_cmp(&all[b]).then(b.cmp(&a)));
    let best = best.expect("three cells and more have a wave");
    if ring || best < 2 || best + 1 >= all.len() || all[best - 1] <= 0.0 || all[best + 1] <= 0.0 {
        return best as f64;
    }
    let (a, b, c) = (all[best - 1].ln(), all[best].ln(), all[best + 1].ln());
    best as f64 + 0.5 * (a - c) / (a - 2.0 * b + c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::testing::{metric, run_spec, traces, value};

    #[test]
    fn a_triangle_has_its_width_and_a_wave_its_length() {
        let x: Vec<f64> = (0..11).map(f64::from).collect();
        let triangle: Vec<f64> = x.iter().map(|v| 5.0 - (v - 5.0).abs()).collect();
        assert!((width(&x, &triangle, 2.5) - 5.0).abs() < 1e-12);
        assert!((width(&x, &triangle, -1.0) - 11.0).abs() < 1e-12);
        let wave: Vec<f64> = (0..120).map(|j| (TAU * 7.0 * f64::from(j) / 120.0).cos() + 3.0).collect();
        assert_eq!(dominant(&wave, true), 7.0);
        let between: Vec<f64> = (0..120).map(|j| (TAU * 7.4 * f64::from(j) / 120.0).cos()).collect();
        assert!((dominant(&between, false) - 7.4).abs() < 0.25);
    }

    /// A wave on a ring of 120 cells of 0.25, of which `units` are looked at.
    fn ring(waves: f64, boundary: &str, units: &[u32]) -> Outcome {
        let text = format!(
            "simulation = {{ duration = 10, dt = 0.05 }}\n[populations.p]\nmodel = 'wave_klein_gordon'\n\
             grid = {{ shape = [120], spacing = 0.25, boundary = '{boundary}' }}\n\
             [record.p]\ntraces = [{{ variables = ['u'], units = {units:?} }}]\n\
             [analyses.x]\nkind = 'space'\nof = 'p.u'\n"
        );
        let catalog = spikedeck_scenario::Catalog { analyses: crate::declarations() };
        let (overrides, library) = (spikedeck_scenario::Overrides::default(), spikedeck_model::library());
        let files = &spikedeck_scenario::NoFiles;
        let (spec, _) = spikedeck_scenario::load(&text, None, "s", &overrides, library, &catalog, files)
            .unwrap_or_else(|e| panic!("{e}"));
        let columns: Vec<Vec<f64>> =
            units.iter().map(|&u| vec![(TAU * waves * f64::from(u) / 120.0).cos(); 3]).collect();
        let mut recording = traces(&columns, 1.0);
        (recording.traces[0].variable, recording.traces[0].units) = ("u".into(), units.to_vec());
        run_spec(&Space, Some(&spec), &recording, &spec.analyses[0]).unwrap()
    }

    /// Lengths are those of the pattern, whichever cells of it are looked at.
    #[test]
    fn a_wavelength_does_not_depend_on_which_cells_are_looked_at() {
        for stride in [1, 2, 3, 4, 5, 8] {
            for first in [0, 1] {
                let units: Vec<u32> = (first..120).step_by(stride).collect();
                for waves in [2.0, 3.0, 5.0] {
                    let length = value(&ring(waves, "periodic", &units), "p.u", "wavelength");
                    let rest = 120 - units.len() * stride;
                    // A ring that closes is exact; a row that does not is refined between the waves that fit.
                    let tolerance = if rest == 0 { 1e-9 } else { 0.1 };
                    let wanted = 30.0 / waves;
                    assert!(
                        (length / wanted - 1.0).abs() < tolerance,
                        "{waves}, every {stride} from {first}: {length}"
                    );
                }
            }
        }
        // A part of a ring is a row.
        let part: Vec<u32> = (0..75).collect();
        let length = value(&ring(4.0, "periodic", &part), "p.u", "wavelength");
        assert!((length / 7.5 - 1.0).abs() < 0.1, "{length}");
        let o = ring(2.0, "periodic", &[0, 1, 2, 5, 40, 90]);
        let m = metric(&o, "p.u", "wavelength");
        assert!(m.value.is_none() && m.note.contains("even distances"), "{m:?}");
        assert!(metric(&o, "p.u", "width").value.is_some());
    }
}
