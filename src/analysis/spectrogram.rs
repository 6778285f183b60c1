//! Spectrogram: the spectrum of each segment over time, as an image.

use super::prelude::*;
use super::psd::{self, TaperOptions};
use super::tapers::{tapers_fit, usual_tapers};
use spikedeck_core::number::shown;
use spikedeck_core::statistics::{deviation, mean};
use spikedeck_core::tapers::dpss;
use spikedeck_core::units::short;
use spikedeck_core::welch::segment_spectra_under;
use spikedeck_signal::{Axis, Image, Shape, TimeBase};

/// The analysis `spectrogram`.
pub struct Spectrogram;

/// Highest frequency that is shown if nothing else is said, in hertz.
const HIGHEST: f64 = 200.0;
/// Widest image; longer recordings are averaged over neighbouring columns.
const WIDEST: usize = 4000;

const CARD: AnalysisCard = AnalysisCard {
    title: "Spectrogram",
    synonyms: &["stft", "time_frequency", "multitaper_spectrogram", "mtspecgram"],
    summary: "spectrum of each segment over time",
    formula: "P(t, f) = |Σ w_n x_(n+t) e^(−2πi f n/fs)|²/(fs Σ w²), one-sided; shown in dB (10 log10) or as power\n\
              multitaper: the mean of that under K Slepian tapers, which smear over ± nw/segment",
    assumptions: "The signal is stationary within a segment. A column stands at the middle of its segment.",
    bias: "Each ordinate is one periodogram: its standard deviation is as large as its mean (chi-squared with 2 \
           degrees of freedom), whatever the segment's length. Averages over units or columns settle it, and \
           several tapers do: with K of them the scatter is 1/√K of the mean.",
    cost: "O(columns · segment log segment)",
    caveats: "Time and frequency cannot both be sharp: Δt Δf ≥ 1 segment. Specks are noise, bands that last several \
              columns are not. Longer recordings than 4000 columns are averaged over neighbours.",
    references: &[
        "Welch 1967, doi:10.1109/TAU.1967.1161901",
        "Thomson 1982, doi:10.1109/PROC.1982.12433",
        "Percival and Walden 1993, doi:10.1017/CBO9780511622762",
    ],
};

words! {
    /// How power is shown.
    pub enum Shown {
        /// Decibels.
        Decibels = "db",
        /// As it is.
        Power = "power",
    }
}

words! {
    /// How many tapers a segment has.
    pub enum Method {
        /// That of `window`.
        One = "one",
        /// Several (dpss).
        Multitaper = "multitaper",
    }
}

options! {
    /// What `spectrogram` can be told.
    pub struct Options {
        method: Method = choice(Method::One),
            "one taper, that of `window`, or several (dpss): smoother columns that are less sharp in frequency";
        nw: f64 = number("4").between(1.0, 1000.0),
            "time-bandwidth product of multitaper: half of the band, in ordinates, over which it smears";
        tapers: Option<usize> = integer_if_given().between(1.0, 2000.0), "tapers of multitaper (default: 2 nw − 1)";
        segment: Option<Time> = psd::segment();
        taper: TaperOptions = shared();
        overlap: f64 = psd::overlap("0.75");
        f_max: Option<Frequency> = frequency_if_given().piece(),
            "highest frequency shown (default: Nyquist, or 200 Hz)";
        values: Shown = choice(Shown::Decibels), "decibels, or power as it is";
    }
}

impl Estimator for Spectrogram {
    type Options = Options;
    const KIND: &'static str = "spectrogram";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const LIVE: bool = true;

    fn together(o: &Options, _: RunTimes) -> Result<(), Wrong> {
        match o.tapers {
            Some(tapers) if o.method == Method::Multitaper => tapers_fit(tapers, o.nw),
            _ => Ok(()),
        }
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_subject(|f, s| {
            let columns = subject::columns(f.request, s, o.taper.bin)?;
            let rate = columns.sampling_rate();
            let settings = psd::settings(o.segment, o.overlap, &o.taper, &columns, f)?;
            let tapers = tapers(o, settings.segment, &s.text)?;
            let base = columns.base;
            let step = rate / settings.segment as f64;
            let highest = if base == TimeBase::Milliseconds { HIGHEST } else { f64::INFINITY };
            let top = o.f_max.map_or_else(|| (rate / 2.0).min(highest), |f| f.hertz);
            let height = ((top / step + 1e-9).floor() as usize).clamp(1, settings.segment / 2);
            let count = settings.segments(columns.len());
            let block = count.div_ceil(WIDEST).max(1);
            let width = count / block;
            // DC is left out: it is what detrending removed.
            let mut values = vec![0.0; width * height];
            let share = 1.0 / (columns.columns.len() * block) as f64;
            for column in &columns.columns {
                f.request.check_cancelled()?;
                segment_spectra_under(&tapers, column, rate, &settings, |k, power| {
                    if k / block < width {
                        let at = (k / block) * height;
                        values[at..at + height].iter_mut().zip(&power[1..]).for_each(|(v, p)| *v += p * share);
                    }
                });
            }
            let ridge = ridge(&values, height, step);
            let unit = psd::power_unit(&columns.unit, base, settings.scaling);
            let per = base.rate_unit();
            f.metrics(ridge.metrics(&s.text, per));
            if count < 3 {
                f.warn(format!("{}: {count} columns show no course of time; shorten `segment`", s.text));
            }
            let centre = columns.start + (settings.segment - 1) as f64 / 2.0 * columns.interval;
            let hop = settings.step() as f64 * columns.interval;
            let first = centre + (block - 1) as f64 / 2.0 * hop;
            let (value, values) = o.values.of(values, o.taper.label(), &unit);
            f.shape(
                format!("spectrogram of {}", s.text),
                Shape::Image(Image {
                    x: Axis::time(base),
                    y: Axis::new("frequency", per),
                    value,
                    x_range: (first, first + (width.max(1) - 1) as f64 * hop * block as f64),
                    y_range: (step, step * height as f64),
                    width,
                    height,
                    values,
                    diverging: false,
                }),
            );
            let (n, wide) = (settings.segment, o.nw * step);
            let smeared = match o.method {
                Method::One => String::new(),
                Method::Multitaper => format!(", {} tapers, smeared over ± {} {per}", tapers.len(), short(wide)),
            };
            f.word(format!("{}: {width} columns of {n} samples, Δf {} {per}{smeared}", s.text, shown(step)));
            Ok(())
        })
    }
}

/// The tapers of a segment of `n` samples.
fn tapers(o: &Options, n: usize, name: &str) -> Result<Vec<Vec<f64>>, AnalysisError> {
    if o.method == Method::One {
        return Ok(vec![o.taper.window.weights(n)]);
    }
    let count = o.tapers.unwrap_or_else(|| usual_tapers(o.nw));
    dpss(n, o.nw, count).map(|t| t.weights).ok_or_else(|| {
        AnalysisError::Unsuitable(format!(
            "{name}: {count} tapers with nw {} do not fit into segments of {n} samples: take longer segments or a \
             smaller `nw`",
            short(o.nw)
        ))
    })
}

impl Shown {
    /// Powers in `unit` as they are shown, and the axis of their colours.
    fn of(self, mut power: Vec<f64>, label: &str, unit: &str) -> (Axis, Vec<f64>) {
        match self {
            Self::Power => (Axis::new(label, unit), power),
            Self::Decibels => {
                for v in &mut power {
                    *v = if *v > 0.0 { 10.0 * v.log10() } else { f64::NAN };
                }
                (Axis::new(label, format!("dB re {}", if unit.is_empty() { "1" } else { unit })), power)
            }
        }
    }
}

/// The strongest frequency of each column that has a peak, and how many have none.
#[derive(Debug, Default, PartialEq)]
struct Ridge {
    peaks: Vec<f64>,
    /// Columns that are not finite numbers.
    unknown: u64,
    /// Columns without power.
    silent: u64,
    /// Columns that are largest at an end of the range: what lies beyond may be larger.
    at_end: u64,
}

fn ridge(values: &[f64], height: usize, step: f64) -> Ridge {
    let mut found = Ridge::default();
    for c in values.chunks_exact(height) {
        let strongest = (0..height).max_by(|&a, &b| c[a].total_cmp(&c[b]).then(b.cmp(&a)));
        match strongest {
            _ if c.iter().any(|v| !v.is_finite()) => found.unknown += 1,
            Some(k) if c[k] > 0.0 && (k == 0 || k + 1 == height) => found.at_end += 1,
            Some(k) if c[k] > 0.0 => found.peaks.push((k + 1) as f64 * step),
            _ => found.silent += 1,
        }
    }
    found
}

impl Ridge {
    fn metrics(&self, name: &str, unit: &str) -> [Metric; 2] {
        let n = self.peaks.len() as u64;
        let left: Vec<String> = [
            (self.at_end, "largest at an end of the range"),
            (self.silent, "without power"),
            (self.unknown, "not finite"),
        ]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        let told = |m: Metric| {
            if left.is_empty() { m } else { m.note(format!("columns left out: {}", left.join(", "))) }
        };
        [
            told(if n == 0 {
                Metric::missing(name, "ridge_mean", unit, n, "no column has a peak inside the range")
            } else {
                Metric::new(name, "ridge_mean", mean(&self.peaks), unit, n)
                    .note("mean over columns of the strongest frequency; n = columns with a peak")
            }),
            told(if n < 2 {
                Metric::missing(name, "ridge_sd", unit, n, "needs two columns with a peak inside the range")
            } else {
                Metric::new(name, "ridge_sd", deviation(&self.peaks, 1), unit, n)
                    .note("how far it wanders; n = columns with a peak")
            }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, run, same_values, shifted, subject, traces, value};
    use spikedeck_scenario::OptionValue;
    use std::f64::consts::TAU;

    fn chirp() -> Vec<f64> {
        // 10 Hz for two seconds, then 40 Hz for two.
        (0..4000).map(|i| (TAU * if i < 2000 { 10.0 } else { 40.0 } * f64::from(i) / 1000.0).sin()).collect()
    }

    #[test]
    fn frequencies_stand_where_and_when_they_are() {
        let options = [("segment", OptionValue::Number(0.5)), ("values", OptionValue::Text("power".into()))];
        let o = run(&Spectrogram, &traces(&[chirp()], 1.0), vec![subject("V_m", &[])], &options).unwrap();
        let Shape::Image(image) = &o.shapes[0].shape else { panic!() };
        assert_eq!((image.width, image.height), (29, 100));
        assert_eq!(image.values.len(), 2900);
        assert!((image.x_range.0 - 249.5).abs() < 1e-9 && (image.x_range.1 - (249.5 + 28.0 * 125.0)).abs() < 1e-9);
        assert_eq!(image.y_range, (2.0, 200.0));
        let strongest = |column: usize| -> f64 {
            let c = &image.values[column * 100..(column + 1) * 100];
            2.0 * (1 + (0..100).max_by(|&a, &b| c[a].total_cmp(&c[b])).unwrap()) as f64
        };
        assert_eq!((strongest(0), strongest(5), strongest(20), strongest(28)), (10.0, 10.0, 40.0, 40.0));
        // Amplitude 1 at an ordinate: A²/2/(1.5 Δf).
        let k = 10 / 2 - 1;
        assert!((image.values[3 * 100 + k] - 0.5 / (1.5 * 2.0)).abs() < 1e-9);
        assert!((value(&o, "p.V_m", "ridge_mean") - 25.0).abs() < 2.0);
    }

    /// Of white noise ordinates scatter by 1/√K of their mean, and the mean is the density, whatever the tapers; a line
    /// is a plateau of ± nw ordinates.
    #[test]
    fn several_tapers_settle_a_column() {
        let noise: Vec<f64> = crate::series::fixtures::noise(3, 20_000);
        let image = |method: &str, x: &[f64]| {
            let text = |t: &str| OptionValue::Text(t.into());
            let options = [
                ("method", text(method)),
                ("segment", OptionValue::Number(0.5)),
                ("overlap", OptionValue::Number(0.0)),
                ("values", text("power")),
            ];
            let o = run(&Spectrogram, &traces(&[x.to_vec()], 1.0), vec![subject("V_m", &[])], &options).unwrap();
            match o.shapes.into_iter().next().unwrap().shape {
                Shape::Image(image) => image,
                other => panic!("{other:?}"),
            }
        };
        for (method, scatter) in [("one", 1.0), ("multitaper", 1.0 / 7.0_f64.sqrt())] {
            let v: Vec<f64> = image(method, &noise).values;
            let (m, sd) = (mean(&v), deviation(&v, 1));
            assert!((m / 0.002 - 1.0).abs() < 0.05 && (sd / m / scatter - 1.0).abs() < 0.1, "{method}: {m} {sd}");
        }
        let sine: Vec<f64> = (0..4000).map(|k| (TAU * 0.05 * f64::from(k)).sin()).collect();
        let lined = image("multitaper", &sine);
        // 50 Hz is ordinate 24 of 2 Hz each; its power is 1/2.
        let column = &lined.values[..lined.height];
        assert!((2.0 * column[20..=28].iter().sum::<f64>() - 0.5).abs() < 0.02, "{column:?}");
        assert!(column[24 + 8] < 1e-3 * column[24]);
    }

    #[test]
    fn blind_to_absolute_time_and_silent_signals_have_no_ridge() {
        let r = traces(&[chirp()], 1.0);
        let o = run(&Spectrogram, &r, vec![subject("V_m", &[])], &[]).unwrap();
        same_values(&o, &run(&Spectrogram, &shifted(&r, 1024.0), vec![subject("V_m", &[])], &[]).unwrap(), 1e-12);
        let o = run(&Spectrogram, &traces(&[vec![0.0; 1000]], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert_eq!(metric(&o, "p.V_m", "ridge_mean").value, None);
        assert!(metric(&o, "p.V_m", "ridge_mean").note.contains("without power"), "{:?}", o.metrics);
    }

    /// Every column is in the ridge, or in the words that say why it is not.
    #[test]
    fn the_largest_at_an_end_or_of_nothing_is_no_ridge() {
        let columns =
            [[1.0, 5.0, 2.0], [5.0, 1.0, 0.0], [0.0, 1.0, 9.0], [0.0; 3], [1.0, f64::NAN, 2.0], [1.0, 3.0, 3.0]];
        let found = ridge(columns.as_flattened(), 3, 2.0);
        assert_eq!(found, Ridge { peaks: vec![4.0, 4.0], unknown: 1, silent: 1, at_end: 2 });
        let [mean, sd] = found.metrics("p.V_m", "Hz");
        assert_eq!((mean.value, mean.n, sd.value), (Some(4.0), Some(2), Some(0.0)));
        for said in ["2 largest at an end", "1 without power", "1 not finite"] {
            assert!(mean.note.contains(said) && sd.note.contains(said), "{}", mean.note);
        }
        // A drift is strongest at the lowest frequency there is, whatever it is.
        let drift: Vec<f64> = (0..4000).map(|i| (f64::from(i) / 600.0).sin() * 30.0).collect();
        let o = run(&Spectrogram, &traces(&[drift], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert_eq!(metric(&o, "p.V_m", "ridge_mean").value, None);
    }

    #[test]
    fn long_recordings_are_averaged_over_neighbours() {
        let x: Vec<f64> = (0..100_000).map(|i| (TAU * 0.05 * f64::from(i)).sin()).collect();
        let o =
            run(&Spectrogram, &traces(&[x], 1.0), vec![subject("V_m", &[])], &[("segment", OptionValue::Number(0.04))])
                .unwrap();
        let Shape::Image(image) = &o.shapes[0].shape else { panic!() };
        assert_eq!((image.width, image.height), (3332, 8)); // 9997 columns in threes
        assert!((image.x_range.1 - image.x_range.0 - 3331.0 * 30.0).abs() < 1e-6);
    }
}
