//! Power spectra of states, rates and spike trains: Welch as SciPy, with intervals, peak, bands and the aperiodic
//! level.

mod measures;

use super::{
    Analysis, AnalysisCard, AnalysisDeclaration, AnalysisError, Outcome, Request, Subjects, bounded, from_zero, option,
    subject,
};
use spikedeck_core::spike_spectrum::spike_spectrum;
use spikedeck_core::statistics::{mean, variance, varies};
use spikedeck_core::units::{Dimension, short};
use spikedeck_core::welch::{Detrend, Scaling, Settings, Spectrum, Taper, default_segment, welch_in_groups};
use spikedeck_scenario::{Observable, OptionKind, ParamSpec, Subject};
use spikedeck_signal::{Axis, Curve, CurveStyle, NamedShape, ReferenceLine, Series, Shape, TimeBase};

/// The analysis `psd`.
pub struct Psd;

static CARD: AnalysisCard = AnalysisCard {
    title: "Power spectrum",
    summary: "Welch spectrum with intervals, peak with significance above the aperiodic level, band powers, exponent",
    formula: "P(f) = ⟨|Σ w_n x_n e^(−2πi f n/fs)|²⟩/(fs Σ w²), one-sided (doubled but at DC and Nyquist)\nspikes: S(f) = |Σ e^(−2πi f t_k)|²/T, two-sided, Poisson level = rate\naperiodic: log10 P = b − χ log10 f, Gaussian peaks on what is above",
    assumptions: "A stationary signal. Segments are averaged, neighbours overlap by half; equivalent degrees of freedom after Welch. Several units: the spectra (not the signals) are averaged, and the interval is that of one unit, as if units were copies of each other.",
    bias: "A taper widens a line to 1.5 Δf (Hann); what is slower than a segment is lost to detrending. The log of a chi-squared estimate is biased downwards; the aperiodic level is corrected for it before it is held against a peak.",
    cost: "O(n log segment); spikes O(spikes · frequencies)",
    caveats: "The peak is the largest ordinate in the range: with a steep aperiodic part it is the lowest frequency, and then says nothing (the note tells). Its p-value takes ordinates as independent and the aperiodic line as true. Band powers contain the aperiodic part. Above a few tenths of the sampling rate a trace sampled without a filter shows folded frequencies.",
    references: &[
        "Welch 1967, doi:10.1109/TAU.1967.1161901",
        "Percival and Walden 1993, doi:10.1017/CBO9780511622762",
        "Donoghue and others 2020, doi:10.1038/s41593-020-00744-x",
        "Bair, Koch, Newsome, Britten 1994, doi:10.1523/JNEUROSCI.14-05-02870.1994",
    ],
};

/// Options of everything that cuts a signal into segments.
pub(super) fn segment_options() -> Vec<ParamSpec> {
    vec![
        option(
            "segment",
            OptionKind::Time,
            None,
            "length of a segment; without it the largest power of two of samples that gives eight",
        ),
        bounded(
            option(
                "overlap",
                OptionKind::Quantity(Dimension::NONE),
                Some("0.5"),
                "share of a segment that the next one overlaps",
            ),
            0.0,
            0.95,
        ),
        option(
            "window",
            OptionKind::Choice(&["hann", "hann_symmetric", "hamming", "boxcar"]),
            Some("hann"),
            "taper (hann: periodic, as SciPy; hann_symmetric: as numpy.hanning)",
        ),
        option(
            "detrend",
            OptionKind::Choice(&["constant", "linear", "none"]),
            Some("constant"),
            "what is taken off each segment",
        ),
        option(
            "scaling",
            OptionKind::Choice(&["density", "spectrum"]),
            Some("density"),
            "power per hertz, or power of a line",
        ),
        option("bin", OptionKind::Time, Some("1 ms"), "width of the bins of a rate"),
    ]
}

/// Segmentation of `n` samples at `rate` by the options; a segment longer than the data is cut to it with a warning.
pub(super) fn settings(
    request: &Request<'_>,
    name: &str,
    n: usize,
    rate: f64,
    warnings: &mut Vec<String>,
) -> Result<Settings, AnalysisError> {
    if n < 8 {
        return Err(AnalysisError::Unsuitable(format!("{name}: {n} samples are too few for a spectrum (least: 8)")));
    }
    let mut segment =
        request.number("segment").map_or_else(|| default_segment(n), |s| (s * rate).round() as usize).max(2);
    if segment > n {
        warnings.push(format!(
            "{name}: a segment of {segment} samples is longer than the {n} samples there are; one segment of all of them is used"
        ));
        segment = n;
    }
    Ok(Settings {
        segment,
        overlap: (segment as f64 * request.number("overlap").unwrap_or(0.5)) as usize,
        taper: match request.text("window") {
            Some("hann_symmetric") => Taper::HannSymmetric,
            Some("hamming") => Taper::Hamming,
            Some("boxcar") => Taper::Boxcar,
            _ => Taper::Hann,
        },
        detrend: match request.text("detrend") {
            Some("linear") => Detrend::Linear,
            Some("none") => Detrend::None,
            _ => Detrend::Constant,
        },
        scaling: if request.text("scaling") == Some("spectrum") { Scaling::Spectrum } else { Scaling::Density },
    })
}

/// Unit of a power (density) of a quantity in `unit`.
pub(super) fn power_unit(unit: &str, base: TimeBase, scaling: Scaling) -> String {
    let square = if unit.is_empty() { String::new() } else { format!("{unit}**2") };
    match (scaling, base) {
        (Scaling::Spectrum, _) => square,
        (Scaling::Density, TimeBase::Milliseconds) => format!("{}/Hz", if square.is_empty() { "1" } else { &square }),
        (Scaling::Density, TimeBase::Dimensionless) => {
            format!("{}time", if square.is_empty() { String::new() } else { square + "*" })
        }
    }
}

/// A spectrum with what is known about it.
struct Estimate {
    name: String,
    spectrum: Spectrum,
    unit: String,
    frequency_unit: &'static str,
    /// Level that Poisson spikes would give.
    chance: Option<f64>,
    /// First ordinate that means anything.
    first: usize,
    /// How it was made.
    how: String,
    /// Whether the signal does not vary beyond rounding.
    flat: bool,
    /// Root mean square of the signal about its mean.
    rms: Option<(f64, String, u64)>,
}

impl Analysis for Psd {
    fn declaration(&self) -> AnalysisDeclaration {
        let mut options = segment_options();
        options.extend([
            option(
                "f_max",
                OptionKind::Frequency,
                None,
                "highest frequency shown (default: Nyquist; 500 Hz for spikes)",
            ),
            from_zero(option(
                "peak_min",
                OptionKind::Frequency,
                None,
                "lowest frequency that can be the peak (default: two ordinates above 0)",
            )),
            option("peak_max", OptionKind::Frequency, None, "highest frequency that can be the peak (default: f_max)"),
            option("aperiodic", OptionKind::Flag, Some("true"), "whether the aperiodic level is fitted"),
            from_zero(option(
                "fit_min",
                OptionKind::Frequency,
                None,
                "lower end of the aperiodic fit (default: 1 Hz or the first ordinate)",
            )),
            option(
                "fit_max",
                OptionKind::Frequency,
                None,
                "upper end of the aperiodic fit (default: 100 Hz or 0.8 Nyquist)",
            ),
            option(
                "bands",
                OptionKind::Texts,
                None,
                "bands as \"NAME LOW HIGH\" in Hz (default: delta 1 4, theta 4 8, alpha 8 13, beta 13 30, gamma 30 80)",
            ),
        ]);
        AnalysisDeclaration { kind: "psd", subjects: Subjects::Of, options }
    }

    fn card(&self) -> &'static AnalysisCard {
        &CARD
    }

    fn live(&self) -> bool {
        true
    }

    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        if request.spec.of.is_empty() {
            return Err(AnalysisError::Unsuitable(
                "psd needs `of`, such as `of = \"POP.rate\"` or `of = \"POP.V_m\"`".into(),
            ));
        }
        let (mut metrics, mut shapes, mut warnings, mut words) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for s in &request.spec.of {
            request.check_cancelled()?;
            let estimate = if s.what == Observable::Spikes {
                of_spikes(request, s, &mut warnings)?
            } else {
                of_samples(request, s, &mut warnings)?
            };
            let found = measures::measure(request, &estimate, &mut warnings);
            words.push(found.words.clone());
            shapes.push(NamedShape::new(
                format!("spectrum of {}", s.text),
                Shape::Series(series(request, &estimate, &found)),
            ));
            metrics.extend(found.metrics);
        }
        Ok(request.outcome("Power spectrum", shapes, metrics, words.join("; "), warnings))
    }
}

fn of_samples(request: &Request<'_>, s: &Subject, warnings: &mut Vec<String>) -> Result<Estimate, AnalysisError> {
    let columns = subject::columns(request, s, request.number("bin").unwrap_or(1e-3))?;
    let rate = columns.sampling_rate();
    let settings = settings(request, &s.text, columns.len(), rate, warnings)?;
    if let Some(bad) = columns.columns.iter().flatten().find(|v| !v.is_finite()) {
        return Err(AnalysisError::Unsuitable(format!("{}: holds {bad}, and a spectrum needs finite values", s.text)));
    }
    let groups = settings.segments(columns.len()).min(32);
    let mut pooled: Option<Spectrum> = None;
    let share = 1.0 / columns.columns.len() as f64;
    for column in &columns.columns {
        request.check_cancelled()?;
        let Some(one) = welch_in_groups(column, rate, &settings, groups) else { continue };
        match &mut pooled {
            None => {
                let mut one = one;
                one.power.iter_mut().chain(one.groups.iter_mut().flatten()).for_each(|p| *p *= share);
                pooled = Some(one);
            }
            Some(all) => {
                let into = all.power.iter_mut().chain(all.groups.iter_mut().flatten());
                into.zip(one.power.iter().chain(one.groups.iter().flatten())).for_each(|(a, p)| *a += p * share);
            }
        }
    }
    let spectrum = pooled.ok_or_else(|| AnalysisError::Unsuitable(format!("{}: no units, no spectrum", s.text)))?;
    let base = columns.base;
    let unit = power_unit(&columns.unit, base, settings.scaling);
    // White noise of counts: one-sided density 2 rate/N (a line spectrum of it depends on the taper, so none is drawn).
    let chance = (s.what == Observable::Rate && settings.scaling == Scaling::Density)
        .then(|| 2.0 * mean(&columns.columns[0]) / columns.averaged.max(1) as f64)
        .filter(|c| *c > 0.0);
    let size = columns.columns.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
    let squares = mean(&columns.columns.iter().map(|c| variance(c, 0)).collect::<Vec<_>>());
    let how = format!(
        "{} segments of {} samples, overlap {}, Δf {} {}, {:?} taper, {:?} detrend, one-sided",
        spectrum.segments,
        settings.segment,
        settings.overlap,
        short(spectrum.step),
        base.rate_unit(),
        settings.taper,
        settings.detrend
    );
    Ok(Estimate {
        name: s.text.clone(),
        unit,
        frequency_unit: base.rate_unit(),
        chance,
        first: usize::from(settings.detrend != Detrend::None),
        how: if columns.columns.len() > 1 { format!("{how}, mean over {} units", columns.columns.len()) } else { how },
        flat: !varies(squares, size),
        rms: Some((squares.sqrt(), columns.unit.clone(), columns.len() as u64)),
        spectrum,
    })
}

fn of_spikes(request: &Request<'_>, s: &Subject, warnings: &mut Vec<String>) -> Result<Estimate, AnalysisError> {
    let trains = subject::trains(request, s)?;
    let base = trains.base;
    let duration = trains.duration();
    let segment = request.number("segment").unwrap_or(duration / 8.0).min(duration);
    let top = request.number("f_max").unwrap_or(500.0);
    let segments = ((duration / segment) + 1e-9).floor() as usize;
    if trains.count() == 0 || segments == 0 {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: {} spikes in {} s give no spectrum",
            s.text,
            trains.count(),
            short(duration)
        )));
    }
    let seconds: Vec<Vec<f64>> =
        trains.trains.iter().map(|t| t.iter().map(|x| (x - trains.window.start) * base.seconds()).collect()).collect();
    let spectrum = spike_spectrum(&seconds, segment, segments, top, &mut || request.check_cancelled())?;
    if trains.count() < 100 {
        warnings.push(format!(
            "{}: a spectrum of {} spikes is mostly noise; look at the interval",
            s.text,
            trains.count()
        ));
    }
    let how = format!(
        "{segments} segments of {} s, Δf {} {}, continuous time, two-sided, mean over {} units",
        short(segment),
        short(spectrum.step),
        base.rate_unit(),
        trains.trains.len()
    );
    Ok(Estimate {
        name: s.text.clone(),
        unit: base.rate_unit().to_owned(),
        frequency_unit: base.rate_unit(),
        chance: Some(trains.count() as f64 / trains.trains.len() as f64 / duration),
        first: 1,
        how,
        flat: false,
        rms: None,
        spectrum,
    })
}

fn series(request: &Request<'_>, e: &Estimate, found: &measures::Found) -> Series {
    let last = request.number("f_max").map_or(e.spectrum.power.len(), |f| e.spectrum.range(0.0, f).end);
    let shown = e.first.max(1)..last.max(2).min(e.spectrum.power.len());
    let x: Vec<f64> = shown.clone().map(|k| e.spectrum.frequency(k)).collect();
    let y = e.spectrum.power[shown.clone()].to_vec();
    let (low, high) = e.spectrum.factors(0.95);
    let (low_end, high_end) = half_freedom(e);
    let nyquist = e.rms.is_some() && shown.end == e.spectrum.power.len();
    let band = |f: f64, end: f64| -> Vec<f64> {
        let count = y.len();
        y.iter().enumerate().map(|(i, p)| p * if nyquist && i + 1 == count { end } else { f }).collect()
    };
    let band = (band(low, low_end), band(high, high_end));
    let mut curves = vec![Curve { name: e.name.clone(), x: x.clone(), y, band: Some(band), style: CurveStyle::Line }];
    if let Some(fit) = &found.fit {
        let inside: Vec<f64> =
            x.iter().copied().filter(|f| *f >= found.fit_range.0 && *f <= found.fit_range.1).collect();
        let theory = |name: &str, level: &dyn Fn(f64) -> f64| Curve {
            name: name.into(),
            x: inside.clone(),
            y: inside.iter().map(|&f| 10f64.powf(level(f))).collect(),
            band: None,
            style: CurveStyle::Theory,
        };
        curves.push(theory("aperiodic", &|f| fit.level(f)));
        if !fit.peaks.is_empty() {
            curves.push(theory("aperiodic and peaks", &|f| fit.model(f)));
        }
    }
    if let Some(level) = e.chance {
        let ends = [x.first().copied().unwrap_or(0.0), x.last().copied().unwrap_or(0.0)];
        curves.push(Curve {
            name: "Poisson level".into(),
            x: ends.to_vec(),
            y: vec![level; 2],
            band: None,
            style: CurveStyle::Chance,
        });
    }
    let references = found.peak.map(|f| ReferenceLine {
        name: format!("peak {} {}", short(f), e.frequency_unit),
        at: f,
        vertical: true,
    });
    Series {
        x: Axis::new("frequency", e.frequency_unit),
        y: Axis::new(if request.text("scaling") == Some("spectrum") { "power" } else { "power density" }, &e.unit)
            .log(),
        curves,
        references: references.into_iter().collect(),
    }
}

/// Factors of the interval at Nyquist, which has half the degrees of freedom.
fn half_freedom(e: &Estimate) -> (f64, f64) {
    spikedeck_core::welch::chi_squared_factors(e.spectrum.freedom / 2.0, 0.95)
}

#[cfg(test)]
mod tests;
