//! Multitaper spectrum: density with adaptive weights and jackknife interval, band powers, and the F-test for lines.

use super::band_filter;
use super::prelude::*;
use super::psd::power_unit;
use super::tapers::{tapers_fit, usual_tapers};
use spikedeck_core::multitaper::{
    Eigenspectra, LineTest, Multitaper as Spectrum, PADDED, Weights, line_tail, line_test, multitaper, refined,
};
use spikedeck_core::number;
use spikedeck_core::statistics::{student_quantile_of, variance, varies};
use spikedeck_core::tapers::{Tapers, dpss};
use spikedeck_core::units::short;
use spikedeck_core::welch::{Detrend, Scaling, chi_squared_factors};
use spikedeck_scenario::Band;
use spikedeck_signal::{Axis, Curve, CurveStyle, ReferenceLine, Series, Shape};

/// The analysis `multitaper`.
pub struct Multitaper;

const CARD: AnalysisCard = AnalysisCard {
    title: "Multitaper spectrum",
    synonyms: &["dpss", "slepian", "thomson", "mtspec", "f_test"],
    summary: "spectrum under several tapers (DPSS) with adaptive weights, jackknife interval, bands, F-test for lines",
    formula: "Y_k(f) = Σ v_k x e^(−2πi f n/fs);  S = Σ d_k |Y_k|²/Σ d_k, one-sided\n\
              d_k = λ_k b², b = S/(λ_k S + (1 − λ_k) σ²/fs)  (Thomson)\n\
              line: μ = Σ U_k Y_k/Σ U_k², U_k = Σ v_k;  F = (K − 1) |μ|² Σ U_k²/Σ |Y_k − μ U_k|²  with 2 and 2 (K − 1) \
              degrees of freedom, amplitude 2 |μ|",
    assumptions: "A stationary signal. The spectrum is nearly even over the band of ± nw/T (T: the length of a \
                  stretch). The interval of the curve is Student's t of the logarithm, leaving out one taper at a \
                  time; that of a band is chi-squared with the freedom of its ordinates, which are correlated within \
                  the band.",
    bias: "Power is smeared over ± nw/T, and hardly beyond: leakage is what the tapers are made to avoid, and adaptive \
           weights drop those that let it in. A line shows as a plateau of that width; its power is the amplitude of \
           the F-test.",
    cost: "O(K n log n); tapers O(K n)",
    caveats: "The F-test takes the noise around a line as even over the band, and finds sines that last over the whole \
              stretch: a rhythm that wanders is no line. Its p-value is for the largest of all ordinates searched. \
              Several units: their densities are averaged, and freedom is counted as of one, for they may depend on \
              each other; lines are looked for in one unit or a mean alone.",
    references: &[
        "Thomson 1982, doi:10.1109/PROC.1982.12433",
        "Percival and Walden 1993, doi:10.1017/CBO9780511622762",
        "Slepian 1978, doi:10.1002/j.1538-7305.1978.tb02104.x",
        "Thomson and Chave 1991, in Haykin: Advances in Spectrum Analysis 2, ISBN 0-13-007444-6",
    ],
};

words! {
    for Weights {
        Adaptive = "adaptive",
        Concentration = "eigenvalue",
        Equal = "equal",
    }
}

options! {
    /// What `multitaper` can be told.
    pub struct Options {
        nw: f64 = number("4").between(1.0, 1000.0),
            "time-bandwidth product: half of the band, in ordinates, over which power is smeared";
        tapers: Option<usize> = integer_if_given().between(1.0, 2000.0), "number of tapers (default: 2 nw − 1)";
        weights: Weights = choice(Weights::Adaptive),
            "how tapers count: Thomson's adaptive weights, by their eigenvalues, or all alike";
        segment: Option<Time> = time_if_given().piece(),
            "length of the stretches, side by side, whose spectra are averaged (default: all in one)";
        detrend: Detrend = choice(Detrend::Constant), "what is taken off each stretch";
        f_min: Option<Frequency> = frequency_if_given().or_zero(),
            "lower end of the range of peak and line (default: the first ordinate that the detrending leaves)";
        f_max: Option<Frequency> = frequency_if_given().piece(),
            "upper end of the range of peak and line, and of what is shown (default: Nyquist)";
        bands: Vec<Band> = bands(),
            "bands as \"NAME LOW HIGH\" in Hz (default: delta 1 4, theta 4 8, alpha 8 13, beta 13 30, gamma 30 80)";
        bin: Time = rate_bin(), "width of the bins of a rate";
    }
}

impl Estimator for Multitaper {
    type Options = Options;
    const KIND: &'static str = "multitaper";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn together(o: &Options, _: RunTimes) -> Result<(), Wrong> {
        o.tapers.map_or(Ok(()), |tapers| tapers_fit(tapers, o.nw))
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_subject(|f, s| {
            let columns = subject::columns(f.request, s, o.bin)?;
            let made = Made::new(o, &columns, f)?;
            made.report(o, f);
            Ok(())
        })
    }
}

/// Points up to which a curve is drawn as it is; longer ones are averaged over neighbours.
const MOST_DRAWN: usize = 4000;

/// Independent choices that the places of the F-test at one ordinate are worth: as many as there are (measured on white
/// noise: 3.6 by the mean of the largest, 4.7 by its median).
const CHOICES: f64 = PADDED as f64;

/// The null hypothesis of a line, in words.
const LARGEST: &str = "p: largest at four places for each of the n ordinates searched";

/// The places of the F-test from the first to the last of some ordinates.
fn places(ordinates: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    if ordinates.is_empty() { 0..0 } else { PADDED * ordinates.start..PADDED * (ordinates.end - 1) + 1 }
}

/// The spectrum of one subject.
struct Made {
    name: String,
    spectrum: Spectrum,
    tapers: Tapers,
    lines: Option<LineTest>,
    /// The only stretch of the only column, for a closer look at a line.
    samples: Option<Vec<f64>>,
    rate: f64,
    units: usize,
    stretches: usize,
    length: usize,
    flat: bool,
    unit: String,
    band_unit: String,
    line_unit: String,
}

impl Made {
    fn new(o: &Options, columns: &subject::Columns, f: &mut Findings<'_>) -> Result<Self, AnalysisError> {
        let (name, n, rate) = (&columns.subject, columns.len(), columns.sampling_rate());
        if n < 16 {
            return Err(AnalysisError::Unsuitable(format!("{name}: {n} samples are too few for tapers (least: 16)")));
        }
        let bad = columns.columns.iter().flat_map(|c| c.iter().enumerate()).find(|(_, v)| !v.is_finite());
        if let Some((k, v)) = bad {
            return Err(AnalysisError::Unsuitable(format!(
                "{name}: sample {k} is {v}, and a spectrum needs finite values"
            )));
        }
        if columns.columns.is_empty() {
            return Err(AnalysisError::Unsuitable(format!("{name}: no units, no spectrum")));
        }
        let mut length = o.segment.map_or(n, |s| (s.seconds * rate).round() as usize).max(16);
        if length > n {
            f.warn(format!(
                "{name}: a stretch of {length} samples is longer than the {n} samples there are; all of them are one"
            ));
            length = n;
        }
        let count = o.tapers.unwrap_or_else(|| usual_tapers(o.nw));
        let tapers = dpss(length, o.nw, count).ok_or_else(|| {
            AnalysisError::Unsuitable(format!(
                "{name}: {count} tapers with nw {} do not fit into {length} samples: take longer stretches or a \
                 smaller `nw`",
                short(o.nw)
            ))
        })?;
        let units = columns.columns.len();
        let mut pooled: Option<Spectrum> = None;
        let mut lines = None;
        let whole = n / length;
        for (u, column) in columns.columns.iter().enumerate() {
            f.progress(u as f64 / units as f64)?;
            let stretches: Vec<Eigenspectra> =
                column.chunks_exact(length).map(|c| Eigenspectra::new(c, rate, o.detrend, &tapers)).collect();
            if units == 1 && whole == 1 {
                lines = line_test(&column[..length], o.detrend, &tapers);
            }
            let one = multitaper(&stretches, length, rate, &tapers, o.nw, o.weights);
            match &mut pooled {
                None => pooled = Some(one),
                Some(all) => all.add(&one),
            }
        }
        let mut spectrum = pooled.expect("there is at least one column");
        spectrum.divide(units);
        let size = columns.columns.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
        let spread = columns.columns.iter().map(|c| variance(c, 0)).fold(0.0, f64::max);
        let base = columns.base;
        Ok(Self {
            name: name.clone(),
            samples: (units == 1 && whole == 1).then(|| columns.columns[0][..length].to_vec()),
            spectrum,
            tapers,
            lines,
            rate,
            units,
            stretches: whole,
            length,
            flat: !varies(spread, size),
            unit: power_unit(&columns.unit, base, Scaling::Density),
            band_unit: power_unit(&columns.unit, base, Scaling::Spectrum),
            line_unit: columns.unit.clone(),
        })
    }

    /// Ordinates in `[low, high]` but zero and Nyquist.
    fn range(&self, low: f64, high: f64) -> std::ops::Range<usize> {
        let last = self.spectrum.power.len().saturating_sub(1);
        let from = ((low / self.spectrum.step - 1e-9).ceil().max(1.0) as usize).min(last);
        let to = ((high / self.spectrum.step + 1e-9).floor() + 1.0).clamp(from as f64, last.max(from) as f64) as usize;
        from..to
    }

    /// Frequency of a place of the F-test.
    fn place(&self, k: usize) -> f64 {
        k as f64 / PADDED as f64 * self.spectrum.step
    }

    fn searched(&self, o: &Options) -> std::ops::Range<usize> {
        self.range(o.f_min.map_or(0.0, |x| x.hertz), o.f_max.map_or(f64::INFINITY, |x| x.hertz))
    }

    fn report(&self, o: &Options, f: &mut Findings<'_>) {
        let hz = f.base.rate_unit();
        let s = &self.spectrum;
        if self.flat {
            f.warn(format!("{}: the signal does not vary", self.name));
        }
        let range = self.searched(o);
        self.peak(f, range.clone());
        let at = self.line(o, f, range);
        self.bands(o, f, at);
        let freedom = spikedeck_core::statistics::median(&s.freedom);
        let how = format!(
            "{}, nw {}, {} of {}, smeared over ± {} {hz}, {} weights, mean over {}",
            number::counted(self.tapers.weights.len(), "taper", "tapers"),
            short(o.nw),
            number::counted(self.stretches, "stretch", "stretches"),
            number::counted(self.length, "sample", "samples"),
            number::shown(s.half_band),
            o.weights.word(),
            number::counted(self.units, "unit", "units")
        );
        let n = s.estimates as u64;
        f.metric(Metric::new(&self.name, "resolution", 2.0 * s.half_band, hz, n).note(format!("n = estimates; {how}")));
        f.metric(
            Metric::new(&self.name, "freedom", freedom, "", n)
                .note("degrees of freedom of an ordinate, median over all"),
        );
        self.draw(o, f, at);
    }

    fn peak(&self, f: &mut Findings<'_>, range: std::ops::Range<usize>) {
        let hz = f.base.rate_unit();
        let s = &self.spectrum;
        let n = s.estimates as u64;
        let highest = range.clone().max_by(|&a, &b| s.power[a].total_cmp(&s.power[b]).then(b.cmp(&a)));
        let why = match highest {
            _ if self.flat => Some("the signal does not vary"),
            None => Some("the range holds no ordinate"),
            Some(k) if k == range.start || k + 1 == range.end => {
                Some("the largest ordinate is at an end of the range: `f_min` and `f_max` move the ends")
            }
            Some(_) => None,
        };
        let Some(k) = highest.filter(|_| why.is_none()) else {
            let why = why.unwrap_or("the range holds no ordinate");
            f.metric(Metric::missing(&self.name, "peak", hz, n, why));
            f.metric(Metric::missing(&self.name, "peak_power", &self.unit, n, why));
            f.word(format!("{}: no peak, {why}", self.name));
            return;
        };
        let at = k as f64 * s.step;
        f.metric(
            Metric::new(&self.name, "peak", at, hz, n)
                .note(format!("largest ordinate; known to ± {} {hz}, no interval", short(s.half_band))),
        );
        f.metric(
            Metric::new(&self.name, "peak_power", s.power[k], &self.unit, n)
                .note("no interval: the largest of many, without a test (a line has one)"),
        );
        f.word(format!("{}: peak at {} {hz} ± {}", self.name, number::shown(at), number::shown(s.half_band)));
    }

    /// Says what the F-test finds; the frequency of a line that is told from chance.
    fn line(&self, o: &Options, f: &mut Findings<'_>, range: std::ops::Range<usize>) -> Option<f64> {
        let hz = f.base.rate_unit();
        let n = range.len() as u64;
        let why = if self.flat {
            "the signal does not vary"
        } else if self.units > 1 {
            "lines are looked for in one unit or a mean alone: name one, or take mean(...)"
        } else if self.stretches > 1 {
            "lines are looked for in one stretch alone: leave `segment` out"
        } else if self.tapers.weights.len() < 2 {
            "the F-test needs two tapers"
        } else {
            "the range holds no ordinate"
        };
        let lines = self.lines.as_ref().filter(|_| !self.flat);
        let places = places(&range);
        let strongest = lines.and_then(|l| places.max_by(|&a, &b| l.f[a].total_cmp(&l.f[b]).then(b.cmp(&a))));
        let (Some(lines), Some(k)) = (lines, strongest) else {
            f.metric(Metric::missing(&self.name, "line", hz, n, why));
            f.metric(Metric::missing(&self.name, "line_amplitude", &self.line_unit, n, why));
            return None;
        };
        let others = self.tapers.weights.len() - 1;
        let p = -(CHOICES * range.len() as f64 * (-line_tail(lines.f[k], others)).ln_1p()).exp_m1();
        let sure = p <= 0.05;
        let (mut at, mut amplitude, mut error) = (self.place(k), lines.amplitude[k], lines.error[k]);
        if let Some(samples) = self.samples.as_ref().filter(|_| sure) {
            (at, amplitude, error) = refined(samples, self.rate, o.detrend, &self.tapers, k);
        }
        let place = Metric::new(&self.name, "line", at, hz, n)
            .p(p)
            .note(format!("F {:.1}, {LARGEST}", lines.f[k]))
            .ground(Basis::Null, LARGEST);
        let size =
            Metric::new(&self.name, "line_amplitude", amplitude, &self.line_unit, n).p(p).ground(Basis::Null, LARGEST);
        if !sure {
            let none = "no interval: not told from chance";
            f.metric(place.note(none));
            f.metric(size.note(none));
            f.word(format!("no line (p {})", number::p_value(p)));
            return None;
        }
        let half = 0.5 * self.spectrum.step;
        f.metric(place.interval(at - half, at + half).interval_by("interval: ± Δf/2"));
        let spread = student_quantile_of(2.0 * others as f64) * error;
        f.metric(
            size.interval((amplitude - spread).max(0.0), amplitude + spread)
                .note("of the sine")
                .interval_by("95 % interval (t, from what the tapers leave)"),
        );
        f.word(format!(
            "line at {} {hz}, amplitude {} {}",
            number::shown(at),
            number::shown(amplitude),
            self.line_unit
        ));
        Some(at)
    }

    /// Power in bands. Where a line stands in a band, or nearer to it than the tapers smear, most of its power does not
    /// scatter as noise does.
    fn bands(&self, o: &Options, f: &mut Findings<'_>, line: Option<f64>) {
        let s = &self.spectrum;
        let top = s.step * (s.power.len() - 1) as f64;
        let hz = f.base.rate_unit();
        for (band, low, high) in band_filter::given(&o.bands, f.base) {
            let metric = format!("band_{band}");
            let mut bins = self.range(low, high);
            if bins.end > bins.start && (bins.end - 1) as f64 * s.step >= high * (1.0 - 1e-9) {
                bins.end -= 1; // [low, high)
            }
            let n = bins.len() as u64;
            if bins.len() < 2 || high > top * (1.0 + 1e-9) {
                let why = if bins.len() < 2 {
                    "fewer than two ordinates; use longer stretches"
                } else {
                    "reaches above the highest frequency"
                };
                f.metric(Metric::missing(
                    &self.name,
                    metric,
                    &self.band_unit,
                    n,
                    format!("{low} to {high} {hz}: {why}"),
                ));
                continue;
            }
            let value = s.power[bins.clone()].iter().sum::<f64>() * s.step;
            let m = Metric::new(&self.name, metric, value, &self.band_unit, n);
            let lined = line.filter(|at| (low - s.half_band..high + s.half_band).contains(at));
            f.metric(if let Some(at) = lined {
                m.note(format!(
                    "{low} to {high} {hz}, n = ordinates; no interval: the line at {} {hz} is in it, which does not \
                     scatter as noise does",
                    short(at)
                ))
            } else if value > 0.0 && !self.flat {
                let (below, above) = chi_squared_factors(s.freedom_of_sum(bins), 0.95);
                m.interval(value * below, value * above)
                    .note(format!("{low} to {high} {hz}, n = ordinates"))
                    .interval_by("95 % chi-squared interval")
            } else {
                m.note("no interval: the signal does not vary")
            });
        }
    }

    fn draw(&self, o: &Options, f: &mut Findings<'_>, line: Option<f64>) {
        let s = &self.spectrum;
        let hz = f.base.rate_unit();
        let shown = self.range(0.0, o.f_max.map_or(f64::INFINITY, |x| x.hertz));
        let block = shown.len().div_ceil(MOST_DRAWN).max(1);
        let start = shown.start;
        let averaged = |values: &[f64]| -> Vec<f64> {
            values.chunks_exact(block).map(|c| c.iter().sum::<f64>() / block as f64).collect()
        };
        let y = averaged(&s.power[shown.clone()]);
        let middle = |i: usize| (start + i * block) as f64 + 0.5 * (block - 1) as f64;
        let x: Vec<f64> = (0..y.len()).map(|i| middle(i) * s.step).collect();
        // Neighbours share the band of the tapers: the error of their mean is that of one of them.
        let band: Option<Vec<(f64, f64)>> =
            (0..y.len()).map(|i| s.factors((middle(i) as usize).min(s.power.len() - 1))).collect();
        let band = band.map(|b| y.iter().zip(b).map(|(p, (low, high))| (p * low, p * high)).unzip());
        let references: Vec<ReferenceLine> = line
            .map(|at| ReferenceLine { name: format!("line {} {hz}", number::shown(at)), at, vertical: true })
            .into_iter()
            .collect();
        f.shape(
            format!("spectrum of {}", self.name),
            Shape::Series(Series {
                x: Axis::frequency(hz, &x),
                y: Axis::new("power density", &self.unit).log(),
                curves: vec![Curve { name: self.name.clone(), x, y, band, style: CurveStyle::Line }],
                references,
            }),
        );
        let Some(lines) = self.lines.as_ref().filter(|_| !self.flat) else { return };
        let searched = self.searched(o);
        // Of neighbours the strongest is drawn: a line is one ordinate wide.
        let places = places(&searched);
        let block = places.len().div_ceil(MOST_DRAWN).max(1);
        let (x, y): (Vec<f64>, Vec<f64>) = lines.f[places.clone()]
            .chunks(block)
            .enumerate()
            .map(|(i, c)| {
                let at = (0..c.len()).max_by(|&a, &b| c[a].total_cmp(&c[b])).expect("no chunk is empty");
                (self.place(places.start + i * block + at), c[at])
            })
            .unzip();
        let others = (self.tapers.weights.len() - 1) as f64;
        // The value that the largest of all ordinates passes in 5 % where there is no line.
        let one = -(0.95f64.ln() / (CHOICES * searched.len().max(1) as f64)).exp_m1();
        let level = others * (one.powf(-1.0 / others) - 1.0);
        f.shape(
            format!("F-test of {}", self.name),
            Shape::Series(Series {
                x: Axis::frequency(hz, &x),
                y: Axis::new("F", ""),
                curves: vec![curve(&self.name, x, y, CurveStyle::Line)],
                references: vec![ReferenceLine {
                    name: "95 % for the largest without a line".into(),
                    at: level,
                    vertical: false,
                }],
            }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, run, same_values, shifted, subject, traces, value};
    use spikedeck_core::normal::normal;
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;
    use std::f64::consts::TAU;

    fn white(seed: u64, unit: u32, n: usize) -> Vec<f64> {
        let key = Key::new(seed, "multitaper", "noise");
        (0..n as u64).map(|k| normal(key, unit, k)).collect()
    }

    fn with_line(seed: u64, amplitude: f64) -> Vec<f64> {
        let wave = |k: usize| amplitude * (TAU * 0.012_34 * k as f64 + 0.3).sin();
        white(seed, 0, 8000).iter().enumerate().map(|(k, e)| e + wave(k)).collect()
    }

    #[test]
    fn a_line_is_found_with_its_amplitude() {
        let r = traces(&[with_line(1, 0.4)], 1.0);
        let o = run(&Multitaper, &r, vec![subject("V_m", &[])], &[]).unwrap();
        let (at, size) = (metric(&o, "p.V_m", "line"), metric(&o, "p.V_m", "line_amplitude"));
        assert!((at.value.unwrap() - 12.34).abs() < 0.02 && at.p_value < Some(1e-3), "{at:?}");
        assert!((size.value.unwrap() - 0.4).abs() < 0.06 && size.unit == "mV", "{size:?}");
        let covers = |seed: &u64| {
            let r = traces(&[with_line(*seed, 0.4)], 1.0);
            let o = run(&Multitaper, &r, vec![subject("V_m", &[])], &[]).unwrap();
            let size = metric(&o, "p.V_m", "line_amplitude");
            size.ci_low < Some(0.4) && size.ci_high > Some(0.4)
        };
        let covered = (1..=30).filter(covers).count();
        assert!(covered >= 25, "{covered} of 30 intervals hold the amplitude");
        // White noise: 2/fs a hertz, over 50 Hz.
        let gamma = metric(&o, "p.V_m", "band_gamma");
        assert!(gamma.ci_low < Some(0.1) && gamma.ci_high > Some(0.1), "{gamma:?}");
        assert!((value(&o, "p.V_m", "resolution") - 1.0).abs() < 1e-12);
        assert!((value(&o, "p.V_m", "freedom") - 14.0).abs() < 0.5);
        same_values(&o, &run(&Multitaper, &shifted(&r, 1e9), vec![subject("V_m", &[])], &[]).unwrap(), 1e-9);
    }

    /// The p-value of the largest F is uniform where there is no line, and the bands hold their power.
    #[test]
    fn without_a_line_p_is_uniform() {
        let mut held = 0;
        let mut p: Vec<f64> = (0..150)
            .map(|seed| {
                let r = traces(&[white(seed + 10, 0, 3000)], 1.0);
                let o = run(&Multitaper, &r, vec![subject("V_m", &[])], &[]).unwrap();
                let beta = metric(&o, "p.V_m", "band_beta").ends().unwrap();
                held += u32::from(beta.0 <= 0.034 && 0.034 <= beta.1);
                metric(&o, "p.V_m", "line").p_value.unwrap()
            })
            .collect();
        p.sort_by(f64::total_cmp);
        let far = p.iter().enumerate().map(|(i, p)| (p - (i as f64 + 0.5) / 150.0).abs()).fold(0.0, f64::max);
        assert!(far < 1.63 / 150f64.sqrt(), "{far}, median {}", p[75]);
        assert!((132..=149).contains(&held), "{held}");
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let of = |x: Vec<Vec<f64>>, options: &[(&'static str, OptionValue)]| {
            run(&Multitaper, &traces(&x, 1.0), vec![subject("V_m", &[])], options)
        };
        let o = of(vec![vec![-65.0; 2000]], &[]).unwrap();
        for name in ["peak", "line", "line_amplitude"] {
            assert!(metric(&o, "p.V_m", name).note.contains("does not vary"), "{name}");
        }
        assert!(o.metrics.iter().all(|m| m.ends().is_none()));
        let o = of(vec![white(1, 0, 2000), white(1, 1, 2000)], &[]).unwrap();
        assert!(metric(&o, "p.V_m", "line").note.contains("one unit"));
        let o = of(vec![white(1, 0, 2000)], &[("segment", OptionValue::Number(0.5))]).unwrap();
        assert!(metric(&o, "p.V_m", "line").note.contains("one stretch"));
        assert_eq!(metric(&o, "p.V_m", "peak").n, Some(28));
        let mut holed = white(1, 0, 2000);
        holed[3] = f64::INFINITY;
        assert!(of(vec![holed], &[]).unwrap_err().to_string().contains("sample 3 is inf"));
        assert!(of(vec![vec![1.0; 5]], &[]).unwrap_err().to_string().contains("too few"));
        let wide = [("nw", OptionValue::Number(900.0))];
        assert!(of(vec![white(1, 0, 1000)], &wide).unwrap_err().to_string().contains("smaller `nw`"));
    }
}
