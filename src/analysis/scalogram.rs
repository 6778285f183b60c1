//! Power over time and frequency by Morlet's wavelets: short waves at high frequencies, long ones at low.

use super::prelude::*;
use super::psd;
use spikedeck_core::morlet::Morlet;
use spikedeck_core::number::shown;
use spikedeck_core::statistics::{deviation, mean};
use spikedeck_core::units::short;
use spikedeck_core::welch::Scaling;
use spikedeck_signal::{Axis, CurveStyle, Image, Series, Shape, TimeBase};

/// The analysis `scalogram`.
pub struct Scalogram;

const CARD: AnalysisCard = AnalysisCard {
    title: "Scalogram",
    synonyms: &["morlet", "wavelet", "cwt", "wavelet_transform", "time_frequency_wavelet"],
    summary: "power over time and frequency by Morlet's wavelets, which are as short as each frequency allows",
    formula: "W(t, f) = Σ x(t') ψ_f(t' − t), ψ_f: a complex wave of frequency f under a Gaussian with σ_t = ω₀/(2π f) \
              (σ_f = f/ω₀)\n\
              power density = ½|W|²/(√π σ_f): a flat density gives itself, a sine of amplitude A has ½|W|² = A²/2\n\
              no value nearer to the ends than √2 σ_t",
    assumptions: "Regular samples. The mean is taken off; a drift shows at the lowest frequencies.",
    bias: "A line is smeared over σ_f, a click over σ_t; their product is that of the least possible.",
    cost: "O(frequencies · N log N)",
    caveats: "Power of one stretch at one frequency is that of about one independent wave: noise makes blobs that look \
              like bursts. Look whether they come more often than in the surrogates of `psd` and `phase_locking`. Low \
              frequencies have few values that are not touched by the ends.",
    references: &[
        "Torrence and Compo 1998, doi:10.1175/1520-0477(1998)079<0061:APGTWA>2.0.CO;2",
        "Tallon-Baudry and others 1996, J Neurosci 16:4240-4249, doi:10.1523/JNEUROSCI.16-13-04240.1996",
    ],
};

options! {
    /// What `scalogram` can be told.
    pub struct Options {
        f_min: Option<Frequency> = frequency_if_given(),
            "lowest frequency (default: that whose wavelet is a fifth as long as the signal)";
        f_max: Option<Frequency> = frequency_if_given().piece(),
            "highest frequency (default: a third of the sampling rate, at most 200 Hz)";
        per_octave: usize = integer("8").between(1.0, 48.0), "frequencies in each octave";
        cycles: f64 = number("6").between(3.0, 100.0), "ω₀: more of them resolve frequency better, and time less";
        bin: Time = rate_bin(), "bin of a population rate, which is a sampled signal then";
    }
}

/// Columns of the picture at the most; more are averaged.
const WIDEST: usize = 4000;
/// Values over time and frequency, which are kept in memory (8 bytes each, twice).
const MOST_VALUES: usize = 40_000_000;
/// Highest frequency by default, in Hz.
const HIGHEST: f64 = 200.0;
/// Wavelets (twice √2 σ_t) that the signal holds at the lowest frequency.
const HELD: f64 = 5.0;

impl Estimator for Scalogram {
    type Options = Options;
    const KIND: &'static str = "scalogram";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_subject(|f, s| {
            let columns = subject::columns(f.request, s, o.bin)?;
            let (n, rate, base) = (columns.len(), columns.sampling_rate(), columns.base);
            let unit = psd::power_unit(&columns.unit, base, Scaling::Density);
            let per = base.rate_unit();
            if n < 32 {
                return Err(AnalysisError::Unsuitable(format!("{}: {n} samples, fewer than 32", s.text)));
            }
            if let Some(bad) = columns.columns.iter().flatten().find(|v| !v.is_finite()) {
                return Err(AnalysisError::Unsuitable(format!("{}: a sample is {bad}, which has no power", s.text)));
            }
            let morlet = Morlet { cycles: o.cycles };
            let top = if base == TimeBase::Milliseconds { HIGHEST } else { f64::INFINITY };
            let high = o.f_max.map_or((rate / 3.0).min(top), |f| f.hertz);
            // reach(f) = reach(1)/f
            let low = o.f_min.map_or(2.0 * HELD * morlet.reach(1.0) * rate / n as f64, |f| f.hertz);
            if !(low > 0.0 && low < high && high <= rate / 2.0) {
                return Err(AnalysisError::Unsuitable(format!(
                    "{}: frequencies from {} to {} {per} do not lie between 0 and half of the {} samples in a unit of \
                     time, or the signal is too short for any",
                    s.text,
                    short(low),
                    short(high),
                    short(rate)
                )));
            }
            let steps = ((high / low).log2() * o.per_octave as f64 + 1e-9).floor() as usize;
            let frequencies: Vec<f64> = (0..=steps).map(|k| low * (k as f64 / o.per_octave as f64).exp2()).collect();
            if n * frequencies.len() > MOST_VALUES {
                return Err(AnalysisError::Unsuitable(format!(
                    "{}: {n} samples at {} frequencies are too many (at most {MOST_VALUES} values): fewer \
                     `per_octave`, a \
                     shorter window, or a wider interval between samples",
                    s.text,
                    frequencies.len()
                )));
            }
            let mut power = vec![vec![0.0; n]; frequencies.len()];
            for (k, column) in columns.columns.iter().enumerate() {
                f.progress(k as f64 / columns.columns.len() as f64)?;
                for (sum, p) in power.iter_mut().zip(morlet.power(column, 1.0 / rate, &frequencies)) {
                    sum.iter_mut().zip(p).for_each(|(sum, p)| *sum += p / columns.columns.len() as f64);
                }
            }
            for (row, &f) in power.iter_mut().zip(&frequencies) {
                let edge = (morlet.reach(f) * rate).ceil() as usize;
                let scale = morlet.bandwidth(f);
                for (t, p) in row.iter_mut().enumerate() {
                    *p = if t < edge || t + edge >= n { f64::NAN } else { *p / scale };
                }
            }
            told(f, &s.text, &frequencies, &power, &unit);
            f.shape(format!("scalogram of {}", s.text), picture(&columns, &frequencies, &power, &unit));
            Ok(())
        })
    }
}

/// Mean density over time at each frequency, and where it is largest.
fn told(f: &mut Findings<'_>, name: &str, frequencies: &[f64], power: &[Vec<f64>], unit: &str) {
    let per = f.base.rate_unit();
    let inside = |row: &Vec<f64>| row.iter().copied().filter(|p| p.is_finite()).collect::<Vec<f64>>();
    let means: Vec<f64> = power.iter().map(|row| mean(&inside(row))).collect();
    // A peak lies between two that are smaller.
    let peak = (1..means.len().saturating_sub(1))
        .filter(|&k| means[k] > means[k - 1] && means[k] >= means[k + 1])
        .max_by(|&a, &b| means[a].total_cmp(&means[b]));
    match peak {
        Some(k) => {
            let list = inside(&power[k]);
            let n = list.len() as u64;
            f.metric(
                Metric::new(name, "peak", frequencies[k], per, n)
                    .note("n = samples that the ends do not touch; no interval: the largest of a grid of frequencies"),
            );
            f.metric(
                Metric::new(name, "peak_variation", deviation(&list, 1) / mean(&list), "", n)
                    .chance(1.0)
                    .note("sd over mean of the power at the peak")
                    .chance_by("chance: 1, of Gaussian noise (exponential law)")
                    .note("a steady rhythm has 0, bursts more than 1; no interval: samples depend on each other"),
            );
            f.word(format!("{name}: most power above its neighbours at {} {per}", shown(frequencies[k])));
        }
        None => {
            let why = "no frequency inside the range has more power than its neighbours";
            f.metric(Metric::missing(name, "peak", per, 0, why));
            f.metric(Metric::missing(name, "peak_variation", "", 0, why));
            f.word(format!("{name}: {why}"));
        }
    }
    let (x, y) = (Axis::new("frequency", per).log(), Axis::new("mean density", unit).log());
    let curves = vec![curve(name, frequencies.to_vec(), means, CurveStyle::Line)];
    f.shape(format!("mean over time of {name}"), Shape::Series(Series { x, y, curves, references: Vec::new() }));
}

/// Decibels over time and octaves.
fn picture(columns: &subject::Columns, frequencies: &[f64], power: &[Vec<f64>], unit: &str) -> Shape {
    let n = columns.len();
    let block = n.div_ceil(WIDEST).max(1);
    let (width, height) = (n / block, frequencies.len());
    let mut values = Vec::with_capacity(width * height);
    for c in 0..width {
        for row in power {
            let p = mean(&row[c * block..(c + 1) * block]);
            values.push(if p > 0.0 { 10.0 * p.log10() } else { f64::NAN });
        }
    }
    let first = columns.start + (block - 1) as f64 / 2.0 * columns.interval;
    Shape::Image(Image {
        x: Axis::time(columns.base),
        y: Axis::new("log₂ of frequency", columns.base.rate_unit()),
        value: Axis::new("power density", format!("dB re {}", if unit.is_empty() { "1" } else { unit })),
        x_range: (first, first + (width.max(1) - 1) as f64 * block as f64 * columns.interval),
        y_range: (frequencies[0].log2(), frequencies[height - 1].log2()),
        width,
        height,
        values,
        diverging: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::noise;
    use crate::testing::{metric, run, same_values, shifted, subject, traces, value};
    use std::f64::consts::TAU;

    #[test]
    fn a_steady_rhythm_and_its_density() {
        // 16 Hz, amplitude 2, 1 kHz, 8 s: ½A² = 2 over √π σ_f = √π 16/6 at the ridge.
        let x: Vec<f64> = (0..8000).map(|t| 2.0 * (TAU * 16.0 * f64::from(t) / 1000.0).sin()).collect();
        let r = traces(&[x], 1.0);
        let options = [("f_min", spikedeck_scenario::OptionValue::Number(4.0))];
        let o = run(&Scalogram, &r, vec![subject("V_m", &[])], &options).unwrap();
        assert!((value(&o, "p.V_m", "peak") - 16.0).abs() < 1e-9);
        assert!(value(&o, "p.V_m", "peak_variation") < 0.05);
        let Shape::Series(series) = &o.shapes[0].shape else { panic!() };
        let at = series.curves[0].x.iter().position(|f| (f - 16.0).abs() < 1e-9).unwrap();
        let wanted = 2.0 / (std::f64::consts::PI.sqrt() * 16.0 / 6.0);
        assert!((series.curves[0].y[at] / wanted - 1.0).abs() < 0.01, "{} {wanted}", series.curves[0].y[at]);
        let Shape::Image(image) = &o.shapes[1].shape else { panic!() };
        assert_eq!((image.width, image.values.len()), (4000, 4000 * image.height));
        assert!(image.values[0].is_nan() && image.values[2000 * image.height + at].is_finite());
        same_values(&o, &run(&Scalogram, &shifted(&r, 1024.0), vec![subject("V_m", &[])], &options).unwrap(), 1e-9);
    }

    /// White noise: a flat density, and powers of exponential law.
    #[test]
    fn noise_has_a_flat_density_and_varies_as_chance() {
        // Below, a record of 40 s has few samples that do not depend on each other.
        let options = [("f_min", spikedeck_scenario::OptionValue::Number(40.0))];
        let o = run(&Scalogram, &traces(&[noise(3, 40_000)], 1.0), vec![subject("V_m", &[])], &options).unwrap();
        let Shape::Series(series) = &o.shapes[0].shape else { panic!() };
        for (f, y) in series.curves[0].x.iter().zip(&series.curves[0].y).filter(|(f, _)| **f > 20.0) {
            assert!((y * 500.0 - 1.0).abs() < 0.25, "{f} {y}");
        }
        let m = metric(&o, "p.V_m", "peak_variation");
        assert!(m.value.is_some_and(|v| (v - 1.0).abs() < 0.3), "{m:?}");
    }

    #[test]
    fn what_has_no_power_says_why() {
        let mut holed = noise(1, 200);
        holed[3] = f64::NAN;
        for (x, why) in [(holed, "NaN"), (noise(1, 10), "fewer than 32")] {
            let error = run(&Scalogram, &traces(&[x], 1.0), vec![subject("V_m", &[])], &[]).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
