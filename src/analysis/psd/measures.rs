//! Numbers read off a spectrum: peak, bands, aperiodic level.

use super::{Estimate, Options};
use crate::prelude::*;
use spikedeck_core::aperiodic::{self, Background, Fit, Ordinates, PeakSearch};
use spikedeck_core::bootstrap;
use spikedeck_core::number::{counted, shown};
use spikedeck_core::statistics::{chi_squared_quantile, chi_squared_tail, mean, student_quantile_of, variance};
use spikedeck_core::units::short;
use spikedeck_core::welch::{Detrend, SEPARATE, Scaling, Settings, Spectrum, chi_squared_factors};
use spikedeck_signal::TimeBase;
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::f64::consts::TAU;
use std::ops::Range;

/// What was found in a spectrum, beside its numbers.
pub(super) struct Landmarks {
    pub(super) fit: Option<(Fit, Background)>,
    pub(super) fit_range: (f64, f64),
    pub(super) peak: Option<f64>,
}

/// The bands that are looked at if nothing else is said, in hertz.
pub(crate) const BANDS: [(&str, f64, f64); 5] =
    [("delta", 1.0, 4.0), ("theta", 4.0, 8.0), ("alpha", 8.0, 13.0), ("beta", 13.0, 30.0), ("gamma", 30.0, 80.0)];

pub(super) fn measure(o: &Options, e: &Estimate, findings: &mut Findings<'_>) -> Landmarks {
    let s = &e.spectrum;
    if e.flat {
        findings.warn(format!("{}: the signal does not vary", e.name));
    }
    let hz = e.frequency_unit;
    if s.segments < 4 {
        findings.warn(format!(
            "{}: {} every ordinate uncertain; shorten `segment` or run longer",
            e.name,
            counted(s.segments, "segment leaves", "segments leave")
        ));
    }
    let top = s.frequency(s.power.len() - 1);
    // The usual ends are in hertz; where time has no unit the whole spectrum is fitted.
    let usual = if findings.base == TimeBase::Milliseconds { (1.0, 100.0) } else { (0.0, f64::INFINITY) };
    let fit_range = (
        o.fit_min.map_or(s.step.max(usual.0), |f| f.hertz),
        o.fit_max.map_or(usual.1.min(if e.rms.is_some() { 0.8 * top } else { top }), |f| f.hertz),
    );
    let fit = (o.aperiodic && !e.flat).then(|| aperiodic_fit(e, fit_range, findings.base)).flatten();
    if let Some((_, line)) = fit.as_ref().filter(|f| f.1.bends()) {
        findings.warn(format!(
            "{}: from {} to {} {hz} the spectrum is no line with peaks (log power lies {:.2} from it, {:.1} times what \
             chance gives): exponent and offset have no interval, the peak no p-value; `fit_min` and `fit_max` choose \
             where \
             it is one",
            e.name,
            short(fit_range.0),
            short(fit_range.1.min(top)),
            line.misfit.1,
            line.misfit.0
        ));
    }
    let low = o.peak_min.map_or(0.0, |f| f.hertz);
    let high = o.peak_max.or(o.f_max).map_or(f64::INFINITY, |f| f.hertz);
    let mut range = s.range(low, high.min(top));
    range.start = range.start.max(e.first);
    let peak = highest(e, &range);
    match &peak {
        Ok(k) => {
            let k = *k;
            let background = fit.as_ref().map(|f| f.1).filter(|_| within(s.frequency(k), fit_range));
            findings.metrics(peak_metrics(findings.request, e, &range, k, background));
        }
        Err(none) => {
            let n = s.segments as u64;
            for (name, unit) in [("peak", hz), ("peak_power", e.unit.as_str())] {
                findings.metric(Metric::missing(&e.name, name, unit, n, &none.why));
            }
            if let Some(k) = none.at_end {
                let what = "of the range, at its end: no peak";
                findings.metric(Metric::new(&e.name, "largest", s.frequency(k), hz, n).note(what));
                findings.metric(Metric::new(&e.name, "largest_power", s.power[k], &e.unit, n).note(what));
            }
        }
    }
    findings.metrics(bands(o, e, findings.base));
    if let Some((rms, unit, n)) = &e.rms {
        findings.metric(
            Metric::new(&e.name, "rms", *rms, unit, *n).note("of the signal about its mean (mean square over units)"),
        );
    }
    if o.aperiodic {
        findings.metrics(aperiodic_metrics(e, fit.as_ref(), fit_range));
    }
    findings.metric(
        Metric::new(&e.name, "resolution", s.step, hz, s.segments as u64).note(format!("n = segments; {}", e.how)),
    );
    findings.word(match &peak {
        Ok(k) => format!("{}: peak at {} {hz} ({})", e.name, shown(s.frequency(*k)), e.how),
        Err(none) => format!("{}: no peak, {} ({})", e.name, none.why, e.how),
    });
    Landmarks { fit, fit_range, peak: peak.ok().map(|k| s.frequency(k)) }
}

/// Why a range holds no peak, and where its largest ordinate is if that is at an end.
struct NoPeak {
    why: String,
    at_end: Option<usize>,
}

/// The highest ordinate of a range, or why that is no peak.
fn highest(e: &Estimate, range: &Range<usize>) -> Result<usize, NoPeak> {
    let s = &e.spectrum;
    let none = |why: &str| Err(NoPeak { why: why.into(), at_end: None });
    if e.flat {
        return none("the signal does not vary");
    }
    let highest = range.clone().max_by(|&a, &b| s.power[a].total_cmp(&s.power[b]).then(b.cmp(&a)));
    match highest.filter(|&k| s.power[k] > 0.0) {
        None => none("the range holds no ordinate, or no power"),
        Some(k) if k == range.start || k + 1 == range.end => {
            let why = format!(
                "the largest ordinate is at an end of the range, {} {}: none inside it is a peak; `peak_min` and \
                 `peak_max` move the ends, longer segments show slower rhythms",
                short(s.frequency(k)),
                e.frequency_unit
            );
            Err(NoPeak { why, at_end: Some(k) })
        }
        Some(k) => Ok(k),
    }
}

fn within(f: f64, range: (f64, f64)) -> bool {
    f >= range.0 && f <= range.1
}

/// The fit on the ordinates of the range; more than 1000 are averaged in blocks first.
/// With it the level that a peak is held against. The first ordinate that the detrending touches is left out.
fn aperiodic_fit(e: &Estimate, range: (f64, f64), base: TimeBase) -> Option<(Fit, Background)> {
    let s = &e.spectrum;
    let mut bins = s.range(range.0, range.1);
    bins.start = bins.start.max(e.first + 1);
    if bins.start >= bins.end {
        return None;
    }
    let block = bins.len().div_ceil(1000);
    let ordinates: Vec<usize> = bins.collect();
    let (f, p): (Vec<f64>, Vec<f64>) = ordinates
        .chunks_exact(block)
        .map(|c| {
            let n = c.len() as f64;
            (c.iter().map(|&k| s.frequency(k)).sum::<f64>() / n, c.iter().map(|&k| s.power[k]).sum::<f64>() / n)
        })
        .unzip();
    // Peaks from half a hertz to twelve; without units what two ordinates are to eight of them, or to an eighth of all.
    let usual = if base == TimeBase::Milliseconds { (0.5, 12.0) } else { (0.0, (range.1 - range.0) / 8.0) };
    let width = (f64::max(usual.0, 2.0 * s.step), f64::max(usual.1, 8.0 * s.step));
    let search = PeakSearch { width, ..PeakSearch::default() };
    let fit = aperiodic::fit(&f, &p, &search)?;
    // Means over a block are worth fewer ordinates where these are correlated; the next block shares its edge only.
    let size = block as f64;
    let inner = |m: usize, c: &f64| if m == 0 { *c } else { 2.0 * c * (1.0 - m as f64 / size).max(0.0) };
    let worth = size / s.correlation.iter().enumerate().map(|(m, c)| inner(m, c)).sum::<f64>();
    let (correlation, smear) = if block == 1 { (s.correlation, s.smear) } else { (SEPARATE, SEPARATE) };
    let of = Ordinates { freedom: s.freedom * worth, correlation: &correlation, smear: &smear };
    let background = aperiodic::background(&f, &p, of, &fit);
    Some((fit, background))
}

/// The largest share of the range that a peak without a p-value may lie in, by its interval, to be one.
const PLACE: f64 = 0.1;

fn peak_metrics(
    request: &Request<'_>,
    e: &Estimate,
    range: &Range<usize>,
    k: usize,
    background: Option<Background>,
) -> Vec<Metric> {
    let s = &e.spectrum;
    let n = s.segments as u64;
    let (f, power) = (s.frequency(k), s.power[k]);
    let mut at = Metric::new(&e.name, "peak", f, e.frequency_unit, n);
    // The resolution is the least that a peak can be known to.
    let (mut low, mut high) = (f - s.step / 2.0, f + s.step / 2.0);
    let mut how = "interval: ± Δf/2 (too few segments or too many ordinates to resample)".to_owned();
    let cost = s.groups.len() * range.len();
    if s.groups.len() >= 4 && cost <= 2_000_000 {
        let replicates = (20_000_000 / cost.max(1)).clamp(50, 500) as u32;
        let mut sums = vec![0.0; range.len()];
        let drawn = bootstrap::interval(s.groups.len(), replicates, 0.95, request.key(&e.name, "peak"), |drawn| {
            sums.fill(0.0);
            for &g in drawn {
                sums.iter_mut().zip(&s.groups[g][range.clone()]).for_each(|(a, p)| *a += p);
            }
            (0..sums.len())
                .max_by(|&a, &b| sums[a].total_cmp(&sums[b]).then(b.cmp(&a)))
                .map_or(f64::NAN, |i| s.frequency(range.start + i))
        });
        if let Some((l, h)) = drawn {
            (low, high) = (low.min(l), high.max(h));
            how = format!("95 % bootstrap over {} groups of segments, at least ± Δf/2", s.groups.len());
        }
    }
    let mut strength = Metric::new(&e.name, "peak_power", power, &e.unit, n);
    if background.is_some_and(|line| line.bends()) {
        at = at.note("no p-value: the spectrum is no line with peaks");
        strength = strength.note("no p-value: the spectrum is no line with peaks");
    } else if let Some(line) = background {
        let level = line.under_peak(f);
        let tail = chi_squared_tail(s.freedom, s.freedom * power / level);
        let p = -(range.len() as f64 * (-tail).ln_1p()).exp_m1();
        let null = format!("p: largest of {} ordinates above the aperiodic background", range.len());
        at = at.p(p).null_by(&null);
        strength = strength
            .chance(level)
            .p(p)
            .ground(Basis::Null, null)
            .chance_by("chance: aperiodic background (line or parabola through ordinates that do not stand out)");
    } else if let Some(level) = e.chance {
        let tail = chi_squared_tail(s.freedom, s.freedom * power / level);
        let p = -(range.len() as f64 * (-tail).ln_1p()).exp_m1();
        let null = format!("p: largest of {} ordinates above the Poisson level", range.len());
        at = at.p(p).null_by(&null);
        strength = strength.chance(level).p(p).ground(Basis::Null, null).chance_by("chance: Poisson level");
    }
    // The largest of many ordinates is large by choice: where that may be all, it tells nothing of a peak, nor of the
    // power at its own frequency.
    let chosen = match strength.p_value {
        Some(p) => (p > 0.05).then_some("no interval: not told from chance"),
        None => (high - low > PLACE * range.len() as f64 * s.step)
            .then_some("no interval: other segments have their largest ordinate elsewhere"),
    };
    vec![
        match chosen {
            Some(why) => at.note(why),
            None => at.interval(low, high).interval_by(how),
        },
        match chosen {
            Some(why) => strength.note(why),
            None if strength.p_value.is_none() => strength.note("no interval: the largest of many, without a test"),
            None => with_power(
                strength,
                s,
                k,
                range.clone().filter(|&k| s.frequency(k) >= low && s.frequency(k) <= high).count(),
            ),
        },
    ]
}

/// The interval of the power of the largest of `among` ordinates, any of which the peak may be: its lower end allows
/// for the choice. Where there are enough groups of segments, from their scatter: a line has less of it than noise.
fn with_power(m: Metric, s: &Spectrum, k: usize, among: usize) -> Metric {
    let power = s.power[k];
    let tail = 0.025 / among.max(1) as f64;
    let values: Vec<f64> = s.groups.iter().map(|g| g[k]).collect();
    if let (8.., Ok(t)) = (values.len(), StudentsT::new(0.0, 1.0, values.len() as f64 - 1.0)) {
        // Neighbouring segments share samples.
        let shared = (2.0 * s.segments as f64 / s.freedom).max(1.0);
        let error = (variance(&values, 1) / values.len() as f64 * shared).sqrt() / mean(&values);
        let factor = |tail: f64| (t.inverse_cdf(1.0 - tail) * error).exp();
        m.interval(power / factor(tail), power * factor(0.025)).interval_by(format!(
            "95 % interval over {} groups of segments (t, of the logarithm), largest of {among}",
            values.len()
        ))
    } else {
        let factor = |p: f64| s.freedom / chi_squared_quantile(s.freedom, p);
        m.interval(power * factor(1.0 - tail), power * factor(0.025))
            .interval_by(format!("95 % chi-squared interval, largest of {among} ordinates"))
    }
}

/// Power in bands, Σ P Δf over ordinates in [low, high).
fn bands(o: &Options, e: &Estimate, base: TimeBase) -> Vec<Metric> {
    let s = &e.spectrum;
    if o.taper.scaling == Scaling::Spectrum && e.rms.is_some() {
        return Vec::new(); // sums of line powers are not powers of bands
    }
    let top = s.frequency(s.power.len() - 1);
    let mut found = Vec::new();
    for (name, low, high) in crate::band_filter::given(&o.bands, base) {
        let mut bins = s.range(low, high);
        bins.start = bins.start.max(e.first);
        if bins.end > bins.start && s.frequency(bins.end - 1) >= high * (1.0 - 1e-9) {
            bins.end -= 1; // [low, high)
        }
        let metric = format!("band_{name}");
        if bins.len() < 2 || high > top * (1.0 + 1e-9) {
            let why = if high > top * (1.0 + 1e-9) {
                "reaches above the highest frequency"
            } else {
                "fewer than two ordinates; use longer segments"
            };
            found.push(Metric::missing(
                &e.name,
                metric,
                &e.band_unit,
                bins.len() as u64,
                format!("{low} to {high} {}: {why}", e.frequency_unit),
            ));
            continue;
        }
        let (sum, count) = (s.power[bins.clone()].iter().sum::<f64>(), bins.len() as u64);
        let value = sum * s.step;
        let m = Metric::new(&e.name, metric, value, &e.band_unit, count)
            .note(format!("{low} to {high} {}, n = ordinates", e.frequency_unit));
        found.push(match sure_of_sum(e, &bins) {
            Ok(interval) => {
                let taken = s.step * taken_off(e, &bins);
                let m = m.interval(value * interval.below, (value + taken) * interval.above).interval_by(interval.how);
                if taken > 0.0 { m.note("above with what detrending takes off white noise there") } else { m }
            }
            Err(why) => m.note(why),
        });
    }
    found
}

/// Relative standard error below which segments are told apart by rounding alone.
const ALIKE: f64 = 1e-9;

/// Factors that turn a sum of ordinates into its 95 % interval.
struct Sure {
    below: f64,
    above: f64,
    how: String,
}

/// The interval of a sum of ordinates: from the scatter of groups of segments, which holds for lines, spikes and what
/// else is not Gaussian, in logarithms. With too few groups, as of Gaussian signals; spikes have none then, because
/// their number in a segment moves all ordinates together.
fn sure_of_sum(e: &Estimate, bins: &Range<usize>) -> Result<Sure, String> {
    let s = &e.spectrum;
    if s.power[bins.clone()].iter().sum::<f64>() <= 0.0 {
        return Err("no interval: there is no power".into());
    }
    if let Some((error, freedom)) = scatter(e, bins) {
        if error < ALIKE {
            return Err("no interval: all segments are alike".into());
        }
        let factor = (student_quantile_of(freedom) * error).exp();
        let how = format!("95 % interval over {} groups of segments (t, of the logarithm)", s.groups.len());
        return Ok(Sure { below: 1.0 / factor, above: factor, how });
    }
    if e.rms.is_none() {
        return Err("no interval: fewer than four segments; shorten `segment`".into());
    }
    let (below, above) = chi_squared_factors(s.freedom_of_sum(bins.clone()), 0.95);
    Ok(Sure { below, above, how: "95 % chi-squared interval, as of a Gaussian signal".into() })
}

/// Relative standard error of a sum of ordinates and its degrees of freedom, from the scatter of the groups of
/// segments; `None` with fewer than four that are independent, or without power.
fn scatter(e: &Estimate, bins: &Range<usize>) -> Option<(f64, f64)> {
    let s = &e.spectrum;
    let (count, shared) = (s.groups.len(), e.shared);
    let groups = count as f64;
    if groups / shared < 4.0 {
        return None;
    }
    let sums: Vec<f64> = s.groups.iter().map(|g| g[bins.clone()].iter().sum()).collect();
    // Groups have as many segments as come from dividing all evenly.
    let share = |g: usize| ((g + 1) * s.segments / count - g * s.segments / count) as f64 / s.segments as f64;
    let whole: f64 = sums.iter().enumerate().map(|(g, p)| share(g) * p).sum();
    let squares: f64 = sums.iter().enumerate().map(|(g, p)| (share(g) * (p - whole)).powi(2)).sum();
    let error = (squares * shared * groups / (groups - shared)).sqrt() / whole;
    error.is_finite().then_some((error, groups / shared - 1.0))
}

/// What detrending takes off the ordinates of a range, as far as their power is that of white noise.
fn taken_off(e: &Estimate, bins: &Range<usize>) -> f64 {
    let power = &e.spectrum.power;
    // Half at most: no segment of eight samples and more loses so much at an ordinate above the first.
    let lost = |k: usize| e.lost.get(k).copied().unwrap_or(0.0).min(0.5);
    bins.clone().map(|k| power[k] * lost(k) / (1.0 - lost(k))).sum()
}

/// The share of white noise at each of the first ordinates that detrending takes off each segment: the part of a
/// tapered wave that lies along what is taken off.
pub(super) fn lost(settings: &Settings) -> Vec<f64> {
    let n = settings.segment;
    let taper = settings.taper.weights(n);
    let whole: f64 = taper.iter().map(|w| w * w).sum();
    let centre = (n as f64 - 1.0) / 2.0;
    let constant = vec![1.0; n];
    let line: Vec<f64> = (0..n).map(|i| i as f64 - centre).collect();
    let directions: Vec<Vec<f64>> = match settings.detrend {
        Detrend::None => Vec::new(),
        Detrend::Constant => vec![constant],
        Detrend::Linear => vec![constant, line],
    };
    let along = |direction: &[f64], k: usize| {
        let turn = TAU * k as f64 / n as f64;
        let (c, s) = taper.iter().zip(direction).enumerate().fold((0.0, 0.0), |(c, s), (i, (w, d))| {
            let (sine, cosine) = (turn * i as f64).sin_cos();
            (c + w * d * cosine, s + w * d * sine)
        });
        let size: f64 = direction.iter().map(|d| d * d).sum();
        if size > 0.0 { (c * c + s * s) / size / whole } else { 0.0 }
    };
    (0..=TOUCHED).map(|k| directions.iter().map(|d| along(d, k)).sum()).collect()
}

/// Ordinates that detrending touches, after the one at 0.
const TOUCHED: usize = 4;

fn aperiodic_metrics(e: &Estimate, fit: Option<&(Fit, Background)>, range: (f64, f64)) -> Vec<Metric> {
    let n = e.spectrum.range(range.0, range.1).len() as u64;
    let names = ["aperiodic_exponent", "aperiodic_offset", "aperiodic_r2"];
    let what = format!("fit from {} to {} {}, n = ordinates", short(range.0), short(range.1), e.frequency_unit);
    let Some((fit, line)) = fit else {
        let why = format!("{what}; needs eight ordinates with positive power");
        return names.iter().map(|name| Metric::missing(&e.name, *name, "", n, &why)).collect();
    };
    let sure = |m: Metric, value: f64, half: f64| {
        if line.bends() {
            return m.note("no interval: the spectrum is no line with peaks in this range");
        }
        m.interval(value - half, value + half)
            .note("line through the ordinates that do not stand out")
            .interval_by("95 % interval, ordinates correlated by the taper")
    };
    vec![
        sure(Metric::new(&e.name, names[0], line.exponent, "", n).note(&what), line.exponent, 1.96 * line.exponent_se),
        sure(
            Metric::new(&e.name, names[1], line.offset, "", n)
                .note(format!("log10 of expected power at 1 {} in {}", e.frequency_unit, e.unit)),
            line.offset,
            half_of_offset(e, line, range),
        ),
        Metric::new(&e.name, names[2], fit.r_squared, "", n)
            .note(format!("{} peaks and line on log10 power", fit.peaks.len())),
    ]
}

/// Half of the interval of the offset. What moves all ordinates of a segment together, as the number of its spikes
/// does, moves the offset as well: as much of the scatter of the whole power as ordinates one by one do not give.
fn half_of_offset(e: &Estimate, line: &Background, range: (f64, f64)) -> f64 {
    let s = &e.spectrum;
    let mut bins = s.range(range.0, range.1);
    bins.start = bins.start.max(e.first + 1).min(bins.end);
    let own = line.offset_se.powi(2);
    let Some((error, freedom)) = scatter(e, &bins) else { return 1.96 * line.offset_se };
    let together = (error * error - 2.0 / s.freedom_of_sum(bins)).max(0.0) / std::f64::consts::LN_10.powi(2);
    // Satterthwaite: only what is read off the groups is uncertain.
    let freedom = (freedom * ((own + together) / together).powi(2)).min(1e6);
    student_quantile_of(freedom) * (own + together).sqrt()
}
