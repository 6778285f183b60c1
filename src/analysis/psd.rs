//! Power spectra of states, rates and spike trains: Welch as SciPy, with intervals, peak, bands and the aperiodic
//! level.

mod measures;

pub(super) use measures::BANDS;

use super::prelude::*;
use spikedeck_core::number;
use spikedeck_core::spike_spectrum::spike_spectrum;
use spikedeck_core::statistics::{mean, variance, varies};
use spikedeck_core::units::short;
use spikedeck_core::welch::{Detrend, Scaling, Settings, Spectrum, Taper, default_segment, welch_in_groups};
use spikedeck_scenario::{Band, Observable, Subject};
use spikedeck_signal::{Axis, Curve, CurveStyle, ReferenceLine, Series, Shape, TimeBase};

/// The analysis `psd`.
pub struct Psd;

const CARD: AnalysisCard = AnalysisCard {
    title: "Power spectrum",
    synonyms: &["welch", "power_spectrum", "periodogram", "spectrum", "pwelch", "specparam", "fooof", "aperiodic"],
    summary: "Welch spectrum with intervals, peak with significance above the aperiodic level, band powers, exponent",
    formula: "P(f) = ⟨|Σ w_n x_n e^(−2πi f n/fs)|²⟩/(fs Σ w²), one-sided (doubled but at DC and Nyquist)\nspikes: \
              S(f) = |Σ e^(−2πi f t_k)|²/T, two-sided, Poisson level = rate\naperiodic: log10 P = b − χ log10 f, \
              Gaussian peaks on what is above",
    assumptions: "A stationary signal. Segments are averaged, neighbours overlap by half; equivalent degrees of \
                  freedom after Welch. Several units: the spectra (not the signals) are averaged; how many \
                  independent units that is worth is read off the scatter of segments, and intervals and p-values \
                  allow for it. Intervals of bands rest on the scatter of segments alone.",
    bias: "A taper widens a line to 1.5 Δf (Hann); what is slower than a segment is lost to detrending. The log of a \
           chi-squared estimate is biased downwards; the aperiodic level is corrected for it, and for what the taper \
           smears, before it is told or held against a peak. (Peaks are found as specparam does; its own line, which \
           loses the highest ordinates of mere noise as peaks, lies lower.)",
    cost: "O(n log segment); spikes O(spikes · frequencies)",
    caveats: "The peak is the largest ordinate in the range; where that is the first or the last there is no peak \
              (with a steep aperiodic part: give `peak_min`). Its p-value takes ordinates as independent and the \
              aperiodic line as true; where log power lies far from line and peaks it is left out. Band powers \
              contain the aperiodic part. Above a few tenths of the sampling rate a trace sampled without a filter \
              shows folded frequencies.",
    references: &[
        "Welch 1967, doi:10.1109/TAU.1967.1161901",
        "Percival and Walden 1993, doi:10.1017/CBO9780511622762",
        "Donoghue and others 2020, doi:10.1038/s41593-020-00744-x",
        "Bair, Koch, Newsome, Britten 1994, doi:10.1523/JNEUROSCI.14-05-02870.1994",
    ],
};

words! {
    for Taper {
        Hann = "hann",
        HannSymmetric = "hann_symmetric",
        Hamming = "hamming",
        Boxcar = "boxcar",
    }
}

words! {
    for Detrend {
        Constant = "constant",
        Linear = "linear",
        None = "none",
    }
}

words! {
    for Scaling {
        Density = "density",
        Spectrum = "spectrum",
    }
}

/// The length of the segments that a signal is cut into.
pub(super) fn segment() -> Opt<Option<Time>> {
    time_if_given().piece().about(
        "length of a segment; without it the largest power of two of samples that gives eight (psd of less than about \
         1.2 s: two thirds of the data)",
    )
}

/// How much of each segment the next one takes again.
pub(super) fn overlap(default: &'static str) -> Opt<f64> {
    number(default).between(0.0, 0.95).about("share of a segment that the next one overlaps")
}

options! {
    /// How segments become spectra.
    pub struct TaperOptions {
        window: Taper = choice(Taper::Hann),
            "taper (hann: periodic, as SciPy; hann_symmetric: as numpy.hanning)";
        detrend: Detrend = choice(Detrend::Constant), "what is taken off each segment";
        scaling: Scaling = choice(Scaling::Density), "power per hertz, or power of a line";
        bin: Time = rate_bin(), "width of the bins of a rate";
    }
}

impl TaperOptions {
    /// What the ordinates of a spectrum are.
    pub(super) fn label(&self) -> &'static str {
        match self.scaling {
            Scaling::Density => "power density",
            Scaling::Spectrum => "power",
        }
    }
}

/// Segmentation of the samples of `columns`; a segment longer than the data is cut to it with a warning.
pub(super) fn settings(
    segment: Option<Time>,
    overlap: f64,
    o: &TaperOptions,
    columns: &subject::Columns,
    f: &mut Findings<'_>,
) -> Result<Settings, AnalysisError> {
    let (name, n, rate) = (&columns.subject, columns.len(), columns.sampling_rate());
    if n < 8 {
        return Err(AnalysisError::Unsuitable(format!("{name}: {n} samples are too few for a spectrum (least: 8)")));
    }
    let mut segment = segment.map_or_else(|| default_segment(n), |s| (s.seconds * rate).round() as usize).max(2);
    if segment > n {
        f.warn(format!(
            "{name}: a segment of {segment} samples is longer than the {n} samples there are; one segment of all of \
             them is used"
        ));
        segment = n;
    }
    Ok(Settings {
        segment,
        overlap: (segment as f64 * overlap) as usize,
        taper: o.window,
        detrend: o.detrend,
        scaling: o.scaling,
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

/// Segments shorter than this, in seconds, do not resolve the rhythms of neurons.
const SHORT: f64 = 0.25;

/// Highest frequency of a spectrum of spikes that nothing else is said about, in hertz.
const HIGHEST: f64 = 500.0;

/// A spectrum with what is known about it.
struct Estimate {
    name: String,
    spectrum: Spectrum,
    /// How many times as much the mean of the groups of segments varies as that of independent ones.
    shared: f64,
    /// Shares of the power of white noise at the first ordinates that detrending takes off.
    lost: Vec<f64>,
    unit: String,
    /// Unit of a sum of ordinates times their distance.
    band_unit: String,
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

options! {
    /// What `psd` can be told.
    pub struct Options {
        segment: Option<Time> = segment();
        overlap: f64 = overlap("0.5");
        taper: TaperOptions = shared();
        f_max: Option<Frequency> = frequency_if_given().piece(),
            "highest frequency shown (default: Nyquist; 500 Hz for spikes)";
        peak_min: Option<Frequency> = frequency_if_given().or_zero(),
            "lower end of the range of the peak (default: the first ordinate that the detrending leaves)";
        peak_max: Option<Frequency> = frequency_if_given(), "upper end of the range of the peak (default: f_max)";
        aperiodic: bool = flag(true), "whether the aperiodic level is fitted";
        fit_min: Option<Frequency> = frequency_if_given().or_zero(),
            "lower end of the aperiodic fit (default: 1 Hz; the first ordinate that the detrending leaves is left out)";
        fit_max: Option<Frequency> = frequency_if_given(),
            "upper end of the aperiodic fit (default: 100 Hz or 0.8 Nyquist)";
        bands: Vec<Band> = bands(),
            "bands as \"NAME LOW HIGH\" in Hz (default: delta 1 4, theta 4 8, alpha 8 13, beta 13 30, gamma 30 80)";
    }
}

impl Estimator for Psd {
    type Options = Options;
    const KIND: &'static str = "psd";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const LIVE: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_subject(|f, s| {
            let estimate = if s.what == Observable::Spikes { of_spikes(o, s, f)? } else { of_samples(o, s, f)? };
            let found = measures::measure(o, &estimate, f);
            f.shape(format!("spectrum of {}", s.text), Shape::Series(series(o, &estimate, &found)));
            Ok(())
        })
    }
}

fn of_samples(o: &Options, s: &Subject, f: &mut Findings<'_>) -> Result<Estimate, AnalysisError> {
    let columns = subject::columns(f.request, s, o.taper.bin)?;
    let rate = columns.sampling_rate();
    let segment = o.segment.or_else(|| of_short_data(&columns));
    let settings = settings(segment, o.overlap, &o.taper, &columns, f)?;
    if let Some(bad) = columns.columns.iter().flatten().find(|v| !v.is_finite()) {
        return Err(AnalysisError::Unsuitable(format!("{}: holds {bad}, and a spectrum needs finite values", s.text)));
    }
    let groups = settings.segments(columns.len()).min(32);
    let mut pooled: Option<Spectrum> = None;
    let share = 1.0 / columns.columns.len() as f64;
    for column in &columns.columns {
        f.request.check_cancelled()?;
        let one = welch_in_groups(column, rate, &settings, groups);
        let one = one.expect("the segment was cut to the length of the columns");
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
    let mut spectrum = pooled.ok_or_else(|| AnalysisError::Unsuitable(format!("{}: no units, no spectrum", s.text)))?;
    let units = columns.columns.len();
    let of_group = settings.freedom(spectrum.segments / groups);
    let shared = spectrum.segments as f64 * of_group
        / ((spectrum.segments / groups) as f64 * settings.freedom(spectrum.segments));
    let worth = spectrum.independent_units(units, of_group);
    spectrum.freedom *= worth;
    let base = columns.base;
    let unit = power_unit(&columns.unit, base, settings.scaling);
    let band_unit = power_unit(&columns.unit, base, Scaling::Spectrum);
    // White noise of counts: one-sided density 2 rate/N (a line spectrum of it depends on the taper, so none is drawn).
    let chance = (s.what == Observable::Rate && settings.scaling == Scaling::Density)
        .then(|| 2.0 * mean(&columns.columns[0]) / columns.averaged.max(1) as f64)
        .filter(|c| *c > 0.0);
    let size = columns.columns.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
    let squares = mean(&columns.columns.iter().map(|c| variance(c, 0)).collect::<Vec<_>>());
    let how = format!(
        "{} of {}, overlap {}, Δf {} {}, {} taper, {} detrend, one-sided",
        number::counted(spectrum.segments, "segment", "segments"),
        number::counted(settings.segment, "sample", "samples"),
        settings.overlap,
        number::shown(spectrum.step),
        base.rate_unit(),
        settings.taper.word(),
        settings.detrend.word()
    );
    Ok(Estimate {
        name: s.text.clone(),
        shared: shared.max(1.0),
        lost: measures::lost(&settings),
        unit,
        band_unit,
        frequency_unit: base.rate_unit(),
        chance,
        first: usize::from(settings.detrend != Detrend::None),
        how: if units > 1 { format!("{how}, mean over {units} units, worth {worth:.1}") } else { how },
        flat: !varies(squares, size),
        rms: Some((squares.sqrt(), columns.unit.clone(), columns.len() as u64)),
        spectrum,
    })
}

/// The segments of data so short that eight of them would hide every slow rhythm: two that overlap by half, so that
/// what has three periods in the data has two in a segment.
fn of_short_data(columns: &subject::Columns) -> Option<Time> {
    let n = columns.len();
    let usual = default_segment(n) as f64 / columns.sampling_rate();
    (columns.base == TimeBase::Milliseconds && n >= 24 && usual < SHORT)
        .then(|| Time::of_seconds((2 * n / 3) as f64 / columns.sampling_rate(), columns.base))
}

fn of_spikes(o: &Options, s: &Subject, f: &mut Findings<'_>) -> Result<Estimate, AnalysisError> {
    let trains = subject::trains(f.request, s)?;
    let base = trains.base;
    let duration = trains.duration();
    let asked = o.segment.map_or(duration / 8.0, |t| t.seconds);
    let segment = asked.min(duration);
    if asked > duration * (1.0 + 1e-9) {
        f.warn(format!(
            "{}: a segment of {} s is longer than the {} s there are; one segment of all of them is used",
            s.text,
            short(asked),
            short(duration)
        ));
    }
    // Where time has no unit, ten times the rate of a typical interval: some 500 Hz of neurons that fire at 50.
    let top = o.f_max.map_or_else(
        || match base {
            TimeBase::Milliseconds => HIGHEST,
            TimeBase::Dimensionless => 10.0 / derived::typical_interval(f.request),
        },
        |top| top.hertz,
    );
    let segments = ((duration / segment) + 1e-9).floor() as usize;
    if trains.count() == 0 || segments == 0 {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: {} in {} s give no spectrum",
            s.text,
            number::counted(trains.count(), "spike", "spikes"),
            short(duration)
        )));
    }
    let seconds: Vec<Vec<f64>> =
        trains.trains.iter().map(|t| t.iter().map(|x| (x - trains.window.start) * base.seconds()).collect()).collect();
    let mut spectrum = spike_spectrum(&seconds, segment, segments, top, &mut || f.request.check_cancelled())?;
    let worth = spectrum.independent_units(seconds.len(), 2.0);
    spectrum.freedom *= worth;
    if trains.count() < 100 {
        let spikes = number::counted(trains.count(), "spike", "spikes");
        f.warn(format!("{}: a spectrum of {spikes} is mostly noise; look at the interval", s.text));
    }
    let how = format!(
        "{} of {} s, Δf {} {}, continuous time, two-sided, mean over {}, worth {worth:.1}",
        number::counted(segments, "segment", "segments"),
        number::shown(segment),
        number::shown(spectrum.step),
        base.rate_unit(),
        number::counted(trains.trains.len(), "unit", "units")
    );
    Ok(Estimate {
        name: s.text.clone(),
        shared: 1.0,
        lost: Vec::new(),
        unit: base.rate_unit().to_owned(),
        band_unit: format!("{}**2", base.rate_unit()),
        frequency_unit: base.rate_unit(),
        chance: Some(trains.count() as f64 / trains.trains.len() as f64 / duration),
        first: 1,
        how,
        flat: false,
        rms: None,
        spectrum,
    })
}

fn series(o: &Options, e: &Estimate, found: &measures::Landmarks) -> Series {
    let last = o.f_max.map_or(e.spectrum.power.len(), |f| e.spectrum.range(0.0, f.hertz).end);
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
    if let Some((fit, line)) = &found.fit {
        let inside: Vec<f64> =
            x.iter().copied().filter(|f| *f >= found.fit_range.0 && *f <= found.fit_range.1).collect();
        let theory = |name: &str, level: &dyn Fn(f64) -> f64| Curve {
            name: name.into(),
            x: inside.clone(),
            y: inside.iter().map(|&f| 10f64.powf(level(f))).collect(),
            band: None,
            style: CurveStyle::Theory,
        };
        curves.push(theory("aperiodic", &|f| line.level(f).log10()));
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
        name: format!("peak {} {}", number::shown(f), e.frequency_unit),
        at: f,
        vertical: true,
    });
    Series {
        x: Axis::frequency(e.frequency_unit, &x),
        y: Axis::new(o.taper.label(), &e.unit).log(),
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
