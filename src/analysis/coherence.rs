//! Coherence of pairs of signals: by Welch's segments or by several tapers, with its level, phase and delay.

mod given;
mod law;
mod pictures;

use self::law::Law;
use super::dependence::signals::{Pairs, Signal, pairs};
use super::prelude::*;
use super::psd;
use super::tapers::{tapers_fit, usual_tapers};
use spikedeck_core::coherence::{
    self, CrossSpectra, Cut, chance_level, chance_tail, cross_spectra, interval, mean_interval, mean_tail, unbiased,
};
use spikedeck_core::number::{self, shown};
use spikedeck_core::statistics::student_quantile_of;
use spikedeck_core::tapers::dpss;
use spikedeck_core::units::short;
use spikedeck_core::welch::{Detrend, Scaling, Settings, Taper, default_segment};
use spikedeck_scenario::Band;
use spikedeck_signal::TimeBase;

/// The analysis `coherence`.
pub struct Coherence;

const CARD: AnalysisCard = AnalysisCard {
    title: "Coherence",
    synonyms: &[
        "msc",
        "magnitude_squared_coherence",
        "cross_spectrum",
        "csd",
        "phase_delay",
        "partial_coherence",
        "conditional_coherence",
    ],
    summary: "how far two signals go together at each frequency, with chance level, phase and delay",
    formula: "S_xy(f) = Σ X* Y over segments (and tapers);  C(f) = |S_xy|²/(S_xx S_yy)\n\
              level: 1 − 0.05^(1/(K − 1)), K = independent transforms that segments and tapers are worth\n\
              phase = arg S_xy, negative where the second is later; delay τ: largest |Σ C/(1 − C) exp(i(φ + 2πfτ))| \
              over the coherent ordinates\n\
              partial: |P_xy|²/(P_xx P_yy), P the inverse of the matrix of all spectra; K less the others",
    assumptions: "Stationary signals; the relation is linear. K allows for segments that overlap (Welch's equivalent \
                  number). The interval at the peak is exact for normal noise (the law of the estimate is inverted), \
                  and its lower end allows for the choice among the ordinates searched; that of a band takes the \
                  coherence as even within it. The interval of the phase is Student's t with 2 (K − 1) degrees of \
                  freedom, its noise that of a coherence less what the choice of the largest adds.",
    bias: "The estimate is too large: 1/K without coherence, by about (1 − C)²/K with it. Bands have it taken off; at \
           the peak, and in the curve, it is left in, as in other tools, and the interval allows for it. A delay that \
           is not small against a segment makes coherence too small.",
    cost: "O(signals · n log segment + pairs · n)",
    caveats: "Coherence has no direction: a delay tells who is later, not who drives. Common input is coherence. The \
              peak's p-value is for the largest of all ordinates in the range. A delay needs coherence \
              over a band much wider than a taper smears: one rhythm alone has a phase, which is a delay only up to \
              whole cycles. Fewer segments than \
              eight tell little: with one alone, coherence is 1 of anything.",
    references: &[
        "Carter, Knapp, Nuttall 1973, doi:10.1109/TAU.1973.1162496",
        "Halliday and others 1995, doi:10.1016/S0079-6107(96)00009-0",
        "Thomson 1982, doi:10.1109/PROC.1982.12433",
        "Hannan and Thomson 1973, doi:10.1093/biomet/60.3.469",
        "Rosenberg and others 1998, doi:10.1016/S0165-0270(98)00061-2",
    ],
};

words! {
    /// What the transforms are of.
    pub enum Method {
        /// Overlapping segments under one taper.
        Welch = "welch",
        /// Segments side by side under several tapers.
        Multitaper = "multitaper",
    }
}

options! {
    /// What `coherence` can be told.
    pub struct Options {
        method: Method = choice(Method::Welch),
            "overlapping segments under one taper, or segments side by side under several (dpss)";
        partial: bool = flag(false),
            "whether each pair is looked at given all other signals that `of` names: what they explain is taken out";
        segment: Option<Time> = psd::segment();
        overlap: f64 = psd::overlap("0.5");
        window: Taper = choice(Taper::Hann), "taper of welch (hann: periodic, as SciPy)";
        detrend: Detrend = choice(Detrend::Constant), "what is taken off each segment";
        nw: f64 = number("4").between(1.0, 1000.0),
            "time-bandwidth product of multitaper: half of the band, in ordinates, over which it smears";
        tapers: Option<usize> = integer_if_given().between(1.0, 2000.0), "tapers of multitaper (default: 2 nw − 1)";
        f_min: Option<Frequency> = frequency_if_given().or_zero(),
            "lower end of the range of peak and delay (default: the first ordinate)";
        f_max: Option<Frequency> = frequency_if_given().piece(),
            "upper end of the range of peak and delay, and of what is shown (default: Nyquist)";
        bands: Vec<Band> = bands(),
            "bands as \"NAME LOW HIGH\" in Hz (default: delta 1 4, theta 4 8, alpha 8 13, beta 13 30, gamma 30 80)";
        bin: Option<Time> = time_if_given().piece().usually(derived::FINE_BIN),
            "counts and rates in bins of this length, traces averaged in them (default 1 ms where only spikes and \
             rates are looked at, 10 ms where spikes or rates are, the recorded interval for traces)";
    }
}

impl Estimator for Coherence {
    type Options = Options;
    const KIND: &'static str = "coherence";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn together(o: &Options, _: RunTimes) -> Result<(), Wrong> {
        match o.tapers {
            Some(tapers) if o.method == Method::Multitaper => tapers_fit(tapers, o.nw),
            _ => Ok(()),
        }
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let pairs = pairs(f.request, o.bin, true)?;
        pairs.tell_outside(f);
        let cut = cut(o, &pairs, f)?;
        let rate = 1.0 / pairs.interval();
        // Each signal once, whichever side it stands on.
        let mut signals: Vec<&Signal> = pairs.sources.iter().collect();
        let offset = if pairs.same { 0 } else { signals.len() };
        if !pairs.same {
            signals.extend(&pairs.targets);
        }
        let unfit: Vec<Option<String>> = signals.iter().map(|s| unfit(s)).collect();
        let links: Vec<(usize, usize)> = pairs.links.iter().map(|&(i, j)| (i, j + offset)).collect();
        let sound: Vec<(usize, usize)> =
            links.iter().copied().filter(|&(i, j)| unfit[i].is_none() && unfit[j].is_none()).collect();
        // What is no signal is not transformed: zeros stand for it.
        let silent = vec![0.0; pairs.len()];
        let values: Vec<&[f64]> =
            signals.iter().zip(&unfit).map(|(s, bad)| bad.as_ref().map_or(&*s.values, |_| &silent[..])).collect();
        let members = if o.partial { Some(given::members(&pairs, &unfit)?) } else { None };
        let spectra = f.part(0, 2, |f| {
            cross_spectra(&values, &sound, rate, &cut, |done, of| f.progress(done as f64 / of as f64))
        })?;
        let mut law = Law::new(&cut, &spectra);
        // Each signal that is given takes one transform.
        law.worth -= members.as_ref().map_or(0.0, |m| m.len() as f64 - 2.0);
        let floors: Vec<f64> = values.iter().map(|v| rounding(v, &cut, spectra.segments)).collect();
        if law.worth < 4.0 {
            f.warn(format!(
                "{} segments under {} tapers are worth {:.1} independent ones: any two signals look coherent; shorten \
                 `segment` or run longer",
                spectra.segments,
                cut.tapers.len(),
                law.worth
            ));
        }
        let few = links.len() <= MOST_DRAWN;
        let mut peaks = Vec::new();
        f.part(1, 2, |f| {
            f.each(&links, |f, &(i, j)| {
                let name = format!("{}->{}", signals[i].name, signals[j].name);
                let bad = [i, j].iter().find_map(|&k| unfit[k].clone());
                let found = match bad {
                    Some(why) => Err(why),
                    None => {
                        let place = sound.iter().position(|l| *l == (i, j)).expect("pairs without a fault are sound");
                        let whole = Found::new(&spectra, place, (i, j), &floors);
                        Ok(match &members {
                            Some(m) => whole.given(&spectra.partial(&sound, m, place)),
                            None => whole,
                        })
                    }
                };
                peaks.push(report(o, f, &name, found, &law, few));
                Ok(())
            })
        })?;
        if !few {
            f.shape("peaks", pictures::matrix(&pairs, &peaks));
        }
        f.metric(Metric::new("segments", "independent_transforms", law.worth, "", spectra.segments as u64).note(
            format!(
                "K{}; n = segments of {} samples, {} tapers; 95 % level without coherence {}",
                if o.partial { ", less the signals that are given" } else { "" },
                cut.segment,
                cut.tapers.len(),
                short(chance_level(law.worth, 0.95))
            ),
        ));
        Ok(())
    }
}

/// Pairs up to which each has curves of its own.
const MOST_DRAWN: usize = 6;

/// The null hypothesis of a peak, in words.
const LARGEST: &str = "p: of the largest of all searched";

/// Why nothing can be told of a signal.
pub(super) fn unfit(s: &Signal) -> Option<String> {
    if let Some((k, v)) = s.values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        return Some(format!("{}: sample {k} is {v}, and finite values are needed", s.name));
    }
    s.values.windows(2).all(|w| w[0] == w[1]).then(|| match s.events {
        Some(0) => format!("{} has no spike in the window", s.name),
        _ => format!("{} does not vary", s.name),
    })
}

fn cut(o: &Options, pairs: &Pairs, f: &mut Findings<'_>) -> Result<Cut, AnalysisError> {
    let (n, rate) = (pairs.len(), 1.0 / pairs.interval());
    if n < 16 {
        return Err(AnalysisError::Unsuitable(format!("{n} samples are too few for coherence (least: 16)")));
    }
    let mut segment = o.segment.map_or_else(|| default_segment(n), |s| (s.seconds * rate).round() as usize).max(8);
    if segment > n {
        f.warn(format!(
            "a segment of {segment} samples is longer than the {n} samples there are; one segment of all of them is \
             used"
        ));
        segment = n;
    }
    match o.method {
        Method::Welch => Ok(Cut::welch(&Settings {
            segment,
            overlap: (segment as f64 * o.overlap) as usize,
            taper: o.window,
            detrend: o.detrend,
            scaling: Scaling::Density,
        })),
        Method::Multitaper => {
            let count = o.tapers.unwrap_or(usual_tapers(o.nw));
            let tapers = dpss(segment, o.nw, count).ok_or_else(|| {
                AnalysisError::Unsuitable(format!(
                    "{count} tapers with nw {} do not fit into segments of {segment} samples: take longer segments or \
                     a smaller `nw`",
                    short(o.nw)
                ))
            })?;
            Ok(Cut::multitaper(&tapers, o.detrend))
        }
    }
}

/// Coherence of one pair.
struct Found {
    step: f64,
    coherence: Vec<f64>,
    phase: Vec<f64>,
}

/// Power of an ordinate that rounding leaves of a signal without any there: what is below it is none.
fn rounding(values: &[f64], cut: &Cut, segments: usize) -> f64 {
    let square = values.iter().map(|v| v * v).sum::<f64>() / values.len().max(1) as f64;
    let energy: f64 = cut.tapers.iter().flatten().map(|w| w * w).sum();
    1e-26 * square * energy * segments as f64
}

impl Found {
    fn new(spectra: &CrossSpectra, place: usize, link: (usize, usize), floors: &[f64]) -> Self {
        let mut coherence = spectra.coherence(place, link);
        for signal in [link.0, link.1] {
            for (c, power) in coherence.iter_mut().zip(&spectra.power[signal]) {
                if *power <= floors[signal] {
                    *c = f64::NAN;
                }
            }
        }
        Self { step: spectra.step, coherence, phase: spectra.cross[place].iter().map(|z| z.arg()).collect() }
    }

    /// Ordinates in `[low, high]` but zero and Nyquist, where transforms are real.
    fn range(&self, low: f64, high: f64) -> std::ops::Range<usize> {
        let last = self.coherence.len().saturating_sub(1);
        let from = ((low / self.step - 1e-9).ceil().max(1.0) as usize).min(last);
        let to = ((high / self.step + 1e-9).floor() + 1.0).clamp(from as f64, last.max(from) as f64) as usize;
        from..to
    }
}

/// Says all of one pair; the coherence at its peak with the p-value.
fn report(
    o: &Options,
    f: &mut Findings<'_>,
    name: &str,
    found: Result<Found, String>,
    law: &Law,
    draws: bool,
) -> Option<(f64, f64)> {
    let hz = f.base.rate_unit();
    let time = f.base.unit();
    let found = match found {
        Ok(found) if law.worth > 1.0 => found,
        other => {
            let why = other.err().unwrap_or_else(|| "one segment under one taper: coherence is 1 of anything".into());
            for (metric, unit) in [("peak", hz), ("peak_coherence", ""), ("phase", "rad"), ("delay", time)] {
                f.metric(Metric::missing(name, metric, unit, 0, &why));
            }
            f.word(format!("{name}: nothing, {why}"));
            return None;
        }
    };
    let range = found.range(o.f_min.map_or(0.0, |x| x.hertz), o.f_max.map_or(f64::INFINITY, |x| x.hertz));
    let level = chance_level(law.worth, 0.95);
    let n = range.len() as u64;
    let peak = range
        .clone()
        .filter(|&k| found.coherence[k].is_finite())
        .max_by(|&a, &b| found.coherence[a].total_cmp(&found.coherence[b]).then(b.cmp(&a)));
    let Some(k) = peak else {
        let why = if range.is_empty() {
            format!("no ordinate in the range: they are {} {hz} apart", short(found.step))
        } else {
            "at no ordinate of the range have both signals any power".to_owned()
        };
        for (metric, unit) in [("peak", hz), ("peak_coherence", ""), ("phase", "rad"), ("delay", time)] {
            f.metric(Metric::missing(name, metric, unit, n, &why));
        }
        return None;
    };
    let (at, c) = (k as f64 * found.step, found.coherence[k]);
    let choices = law.choices(range.len());
    // Far out in the tail neighbours are large each by itself, however they hang together: all of them count.
    let p = -(range.len() as f64 * (-chance_tail(law.worth, c)).ln_1p()).exp_m1();
    let sure = p <= 0.05;
    let frequency = Metric::new(name, "peak", at, hz, n).p(p).ground(Basis::Null, LARGEST);
    f.metric(frequency.note("n = ordinates searched").note(format!("known to {} {hz}", short(found.step))));
    let mut strength = Metric::new(name, "peak_coherence", c, "", n)
        .chance(level)
        .p(p)
        .chance_by("chance: 95 % level of one ordinate")
        .null_by(LARGEST);
    strength = if sure {
        let (low, high) = interval(c, law.worth, 0.025 / choices, 0.025);
        strength.interval(low, high).interval_by("95 % interval (exact law of the estimate, largest of many)")
    } else {
        strength.note("no interval: not told from chance")
    };
    f.metric(strength);
    f.metric(phase(name, &found, (k, &range), law, sure));
    f.metric(delay(name, &found, range, law, sure, f.base));
    of_bands(o, f, name, &found, law);
    f.word(if sure {
        format!("{name}: coherence {} at {} {hz} (95 % level {})", shown(c), shown(at), shown(level))
    } else {
        format!("{name}: no coherence (largest {} at {} {hz}, p {})", shown(c), shown(at), number::p_value(p))
    });
    if draws {
        pictures::draw(o, f, name, &found, law);
    }
    Some((c, p))
}

fn phase(name: &str, found: &Found, (k, range): (usize, &std::ops::Range<usize>), law: &Law, sure: bool) -> Metric {
    let m = Metric::new(name, "phase", found.phase[k], "rad", law.worth.round() as u64)
        .note("at the peak, negative: the second is later; n = independent transforms");
    if !sure {
        return m.note("no interval: not told from chance");
    }
    // Of a regression with 2 (K − 1) degrees of freedom: sin Δφ = t √((1 − C)/(2 (K − 1) C)). What is left beside the
    // coherent part is that of the coherence without the choice of the largest.
    let freedom = 2.0 * (law.worth - 1.0);
    let c = found.coherence[k];
    let squared = law.unchosen(&found.coherence[range.clone()], c);
    let sine = student_quantile_of(freedom) * ((1.0 - squared) / (freedom * c)).sqrt();
    if sine < 1.0 {
        let half = sine.asin();
        m.interval(found.phase[k] - half, found.phase[k] + half).interval_by("95 % interval (t)")
    } else {
        m.note("no interval: too little coherence for a phase")
    }
}

/// A slope needs coherent ordinates of at least so many times the width of a line.
const WIDER: usize = 3;

fn delay(name: &str, found: &Found, range: std::ops::Range<usize>, law: &Law, sure: bool, base: TimeBase) -> Metric {
    // Each is told from chance among all: what is above the level of one ordinate is mostly chance where there are
    // many.
    let choices = range.len() as f64;
    let coherent: Vec<(usize, f64, f64)> = range
        .filter(|&k| chance_tail(law.worth, found.coherence[k]) * choices <= 0.05)
        .map(|k| (k, found.phase[k], found.coherence[k]))
        .collect();
    let (n, least) = (coherent.len() as u64, WIDER * law.width());
    if !sure || coherent.len() < least {
        let why = if sure {
            format!("{n} coherent ordinates are too few for the slope of the phase (least: {least}): a line is no band")
        } else {
            "no coherence that is told from chance".into()
        };
        return Metric::missing(name, "delay", base.unit(), n, why);
    }
    let correlated = 1.0 + 2.0 * law.correlation[1..].iter().sum::<f64>();
    match coherence::delay(&coherent, found.step, law.worth, correlated) {
        Some(d) => {
            let (value, half) = (d.delay / base.seconds(), 1.96 * d.error / base.seconds());
            Metric::new(name, "delay", value, base.unit(), n)
                .interval(value - half, value + half)
                .note(format!(
                    "slope of the phase, positive: the second is later; n = coherent ordinates; phase left at 0 {}: \
                     {:.2}",
                    base.rate_unit(),
                    d.offset
                ))
                .interval_by("95 % interval (normal)")
        }
        None => Metric::missing(name, "delay", base.unit(), n, "too few ordinates"),
    }
}

fn of_bands(o: &Options, f: &mut Findings<'_>, name: &str, found: &Found, law: &Law) {
    let top = found.step * (found.coherence.len() - 1) as f64;
    let hz = f.base.rate_unit();
    for (band, low, high) in super::band_filter::given(&o.bands, f.base) {
        let metric = format!("band_{band}");
        let mut bins = found.range(low, high);
        if bins.end > bins.start && (bins.end - 1) as f64 * found.step >= high * (1.0 - 1e-9) {
            bins.end -= 1; // [low, high)
        }
        let n = bins.len() as u64;
        let mean = spikedeck_core::statistics::mean(&found.coherence[bins.clone()]);
        if !mean.is_finite() || high > top * (1.0 + 1e-9) {
            let why = if bins.is_empty() {
                "no ordinate; use longer segments"
            } else if mean.is_finite() {
                "reaches above Nyquist"
            } else {
                "one of the signals has no power at some ordinate"
            };
            f.metric(Metric::missing(name, metric, "", n, format!("{low} to {high} {hz}: {why}")));
            continue;
        }
        let independent = law.independent(bins.clone(), found.coherence.len() - 1);
        let (below, above) = mean_interval(mean, law.worth, independent);
        f.metric(
            Metric::new(name, metric, unbiased(mean, law.worth), "", n)
                .interval(below, above)
                .chance(0.0)
                .p(mean_tail(mean, law.worth, independent))
                .ground(Basis::Null, "p of a band: the law of a mean of independent ordinates")
                .note(format!("{low} to {high} {hz}, mean over n ordinates less its bias (with it {mean:.4})"))
                .interval_by("95 % interval of an even coherence"),
        );
    }
}

#[cfg(test)]
mod tests;
