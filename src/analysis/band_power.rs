//! Power in bands: absolute, and as a share of a wider range, each with an interval over stretches of time.

use super::band_filter;
use super::prelude::*;
use super::psd::{self, TaperOptions, power_unit};
use spikedeck_core::statistics::{mean, student_quantile_of, variance, varies};
use spikedeck_core::units::short;
use spikedeck_core::welch::{Scaling, Settings, Spectrum, welch_in_groups};
use spikedeck_scenario::Band;
use spikedeck_signal::{Axis, CurveStyle, Series, Shape};

/// The analysis `band_power`.
pub struct BandPower;

const CARD: AnalysisCard = AnalysisCard {
    title: "Band power",
    synonyms: &["bandpower", "relative_power", "relative_band_power", "band_ratio", "power_in_bands"],
    summary: "power of a signal in bands, in its unit squared and as a share of the whole range, with intervals",
    formula: "P_band = Σ P(f) Δf over low ≤ f < high (Welch);  relative = P_band/P_range\n\
              interval: of ln P_band, and of ln(r/(1 − r)), leaving out one stretch of time after the other (t)",
    assumptions: "A stationary signal; stretches that are longer than what it remembers, so that they are independent.",
    bias: "A taper smears a line into the neighbouring ordinates: bands narrower than some of them share its power. \
           Detrending takes off the first ordinate or two.",
    cost: "O(n log segment)",
    caveats: "Power in a band is not a rhythm: the aperiodic part is in it, and a steeper one raises low bands and \
              lowers high ones (see psd: peak, exponent). Shares hang together: where one grows all others fall.",
    references: &[
        "Welch 1967, doi:10.1109/TAU.1967.1161901",
        "Donoghue, Schaworonkow, Voytek 2022, Eur J Neurosci 55:3502-3527, doi:10.1111/ejn.15361",
        "Miller 1974, Biometrika 61:1-15, doi:10.1093/biomet/61.1.1",
    ],
};

options! {
    /// What `band_power` can be told.
    pub struct Options {
        segment: Option<Time> = psd::segment();
        overlap: f64 = psd::overlap("0.5");
        taper: TaperOptions = shared();
        bands: Vec<Band> = bands(),
            "bands as \"NAME LOW HIGH\" in Hz (default: delta 1 4, theta 4 8, alpha 8 13, beta 13 30, gamma 30 80)";
        f_min: Option<Frequency> = frequency_if_given().or_zero(),
            "lower end of the range of which bands are a share (default: the lowest of the bands)";
        f_max: Option<Frequency> = frequency_if_given(), "its upper end (default: the highest of the bands)";
    }
}

/// Stretches of time that are left out one after the other, at most.
const STRETCHES: usize = 20;
/// Fewer tell nothing of scatter.
const LEAST: usize = 5;

impl Estimator for BandPower {
    type Options = Options;
    const KIND: &'static str = "band_power";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let bands = band_filter::given(&o.bands, f.base);
        if bands.is_empty() {
            return Err(AnalysisError::Unsuitable("time has no unit here: say `bands`".into()));
        }
        let least = bands.iter().map(|b| b.1).fold(f64::INFINITY, f64::min);
        let most = bands.iter().map(|b| b.2).fold(0.0, f64::max);
        let range = (o.f_min.map_or(least, |x| x.hertz), o.f_max.map_or(most, |x| x.hertz));
        f.each_subject(|f, s| {
            let columns = subject::columns(f.request, s, o.taper.bin)?;
            let settings = psd::settings(o.segment, o.overlap, &o.taper, &columns, f)?;
            if let Some(bad) = columns.columns.iter().flatten().find(|v| !v.is_finite()) {
                let why = format!("{}: holds {bad}, and a spectrum needs finite values", s.text);
                return Err(AnalysisError::Unsuitable(why));
            }
            let unit = power_unit(&columns.unit, columns.base, Scaling::Spectrum);
            let found = Stretches::of(&columns, &settings);
            report(f, &s.text, &found, (bands.as_slice(), range), &unit);
            Ok(())
        })
    }
}

/// Spectra of stretches of time, each the sum over some segments that follow one another (and overlap as all do: what
/// is left out must be worth what it is worth in the whole), and of all.
struct Stretches {
    whole: Spectrum,
    each: Vec<(f64, Vec<f64>)>,
    flat: bool,
}

/// The spectrum of the columns with its groups of segments, the mean over them.
fn pooled(columns: &subject::Columns, settings: &Settings, groups: usize) -> Option<Spectrum> {
    let rate = columns.sampling_rate();
    let mut all: Option<Spectrum> = None;
    let share = 1.0 / columns.columns.len() as f64;
    for column in &columns.columns {
        let mut one = welch_in_groups(column, rate, settings, groups)?;
        one.groups.iter_mut().chain([&mut one.power]).flatten().for_each(|p| *p *= share);
        match &mut all {
            None => all = Some(one),
            Some(all) => {
                let (sums, more) = (all.groups.iter_mut(), one.groups.iter());
                let pairs = sums.zip(more).chain([(&mut all.power, &one.power)]);
                pairs.for_each(|(sum, more)| sum.iter_mut().zip(more).for_each(|(a, p)| *a += p));
            }
        }
    }
    all
}

impl Stretches {
    fn of(columns: &subject::Columns, settings: &Settings) -> Self {
        let count = (columns.len() / settings.segment).min(STRETCHES);
        let mut whole = pooled(columns, settings, count).expect("the segment was cut to the length of the columns");
        let segments = whole.segments;
        let groups = std::mem::take(&mut whole.groups).into_iter().enumerate();
        let each = groups
            .map(|(k, mean)| {
                let of = ((k + 1) * segments / count - k * segments / count) as f64;
                (of, mean.iter().map(|p| of * p).collect())
            })
            .collect();
        let size = columns.columns.iter().flatten().fold(0.0_f64, |m, v| m.max(v.abs()));
        let spread = columns.columns.iter().map(|c| variance(c, 0)).fold(0.0, f64::max);
        Self { whole, each, flat: !varies(spread, size) }
    }

    /// Ordinates of `low ≤ f < high`, or why they are none.
    fn ordinates(&self, (low, high): (f64, f64)) -> Result<std::ops::Range<usize>, String> {
        let (s, last) = (&self.whole, self.whole.power.len() - 1);
        let top = s.frequency(last);
        if high > top * (1.0 + 1e-9) {
            return Err(format!("reaches above the highest frequency, {}", short(top)));
        }
        let from = (low / s.step - 1e-9).ceil().max(1.0) as usize;
        let to = ((high / s.step - 1e-9).ceil().max(0.0) as usize).min(last + 1);
        if to < from + 2 { Err("fewer than two ordinates; use longer segments".into()) } else { Ok(from..to) }
    }

    /// The 95 % interval of what `of` makes of a spectrum, on a scale that `back` undoes: one stretch after the other
    /// is left out of the mean of all.
    fn interval(&self, of: impl Fn(&[f64]) -> f64, back: impl Fn(f64) -> f64) -> Option<(f64, f64)> {
        let count = self.each.len();
        if count < LEAST {
            return None;
        }
        let all = self.whole.segments as f64;
        let sum: Vec<f64> = self.whole.power.iter().map(|p| all * p).collect();
        let without =
            |(n, p): &(f64, Vec<f64>)| of(&sum.iter().zip(p).map(|(s, p)| (s - p) / (all - n)).collect::<Vec<f64>>());
        let left: Vec<f64> = self.each.iter().map(without).collect();
        let (middle, b) = (mean(&left), count as f64);
        let error = (left.iter().map(|v| (v - middle).powi(2)).sum::<f64>() * (b - 1.0) / b).sqrt();
        let half = student_quantile_of(b - 1.0) * error;
        let value = of(&self.whole.power);
        let wide = half.is_finite() && half > 1e-9 && value.is_finite();
        wide.then(|| (back(value - half), back(value + half)))
    }
}

/// The bands, and the range of which they are a share.
type Asked<'a> = (&'a [(&'a str, f64, f64)], (f64, f64));

fn report(f: &mut Findings<'_>, name: &str, found: &Stretches, (bands, range): Asked<'_>, unit: &str) {
    let (hz, step) = (f.base.rate_unit(), found.whole.step);
    let over = format!("95 % interval, leaving out one of {} stretches of time (t)", found.each.len());
    let none = format!("no interval: fewer than {LEAST} stretches as long as a segment, or all alike");
    let sum = |p: &[f64], of: &std::ops::Range<usize>| p[of.clone()].iter().sum::<f64>() * step;
    let with = |m: Metric, ends: Option<(f64, f64)>| match ends {
        Some((low, high)) => m.interval(low, high).interval_by(&over),
        None => m.note(&none),
    };
    let all = if found.flat { Err("the signal does not vary".to_owned()) } else { found.ordinates(range) };
    let (mut middles, mut shares) = (Vec::new(), Vec::new());
    for &(band, low, high) in bands {
        let (power, share) = (format!("power_{band}"), format!("relative_{band}"));
        let told = format!("{} to {} {hz}", short(low), short(high));
        let of = all.clone().and_then(|_| found.ordinates((low, high)));
        let (of, all) = match (&of, &all) {
            (Ok(of), Ok(all)) if of.start >= all.start && of.end <= all.end => (of, all),
            (Ok(of), all) => {
                let value = Metric::new(name, power, sum(&found.whole.power, of), unit, of.len() as u64);
                f.metric(with(value.note(&told), found.interval(|p| sum(p, of).ln(), f64::exp)));
                let why = all.as_ref().err().map_or("is not inside the range", String::as_str);
                f.metric(Metric::missing(name, share, "", 0, format!("{told}: {why}")));
                continue;
            }
            (Err(why), _) => {
                for (metric, unit) in [(power, unit), (share, "")] {
                    f.metric(Metric::missing(name, metric, unit, 0, format!("{told}: {why}")));
                }
                continue;
            }
        };
        let value = Metric::new(name, power, sum(&found.whole.power, of), unit, of.len() as u64)
            .note(format!("{told}, n = ordinates"));
        f.metric(with(value, found.interval(|p| sum(p, of).ln(), f64::exp)));
        let part = |p: &[f64]| sum(p, of) / sum(p, all);
        let value = part(&found.whole.power);
        let odds = |p: &[f64]| (part(p) / (1.0 - part(p))).ln();
        let m = Metric::new(name, share, value, "", of.len() as u64).note(format!(
            "share of {} to {} {hz}, n = ordinates",
            short(range.0),
            short(range.1)
        ));
        f.metric(if of == all {
            m.note("no interval: it is all")
        } else {
            with(m, found.interval(odds, |x| 1.0 / (1.0 + (-x).exp())))
        });
        f.word(format!("{name}: {:.1} % in {band}", 100.0 * value));
        middles.push(0.5 * (low + high));
        shares.push(value);
    }
    if !shares.is_empty() {
        f.shape(
            format!("shares of {name}"),
            Shape::Series(Series {
                x: Axis::new("middle of the band", hz),
                y: Axis::new("share of the power", ""),
                curves: vec![curve(name, middles, shares, CurveStyle::Points)],
                references: Vec::new(),
            }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::noise;
    use crate::testing::{metric, run, same_values, shifted, subject, traces, value};
    use spikedeck_scenario::OptionValue;

    fn of(columns: &[Vec<f64>], options: &[(&'static str, OptionValue)]) -> crate::Outcome {
        run(&BandPower, &traces(columns, 1.0), vec![subject("V_m", &[])], options).unwrap()
    }

    fn segment(seconds: f64) -> (&'static str, OptionValue) {
        ("segment", OptionValue::Number(seconds))
    }

    /// White noise of variance 1 at 1 kHz: 2/1000 for each hertz; shares are those of the widths. The same sums as psd.
    #[test]
    fn white_noise_has_power_by_width() {
        let x = noise(5, 40_000);
        let o = of(std::slice::from_ref(&x), &[segment(1.0)]);
        let spectrum = run(&crate::psd::Psd, &traces(&[x], 1.0), vec![subject("V_m", &[])], &[segment(1.0)]).unwrap();
        for (band, width) in [("delta", 3.0), ("theta", 4.0), ("alpha", 5.0), ("beta", 17.0), ("gamma", 50.0)] {
            let power = value(&o, "p.V_m", &format!("power_{band}"));
            assert!((power - value(&spectrum, "p.V_m", &format!("band_{band}"))).abs() < 1e-12, "{band}");
            let (low, high) = metric(&o, "p.V_m", &format!("relative_{band}")).ends().unwrap();
            // Four standard errors and more.
            let (share, half) = (width / 79.0, high - low);
            assert!(low - half < share && share < high + half && half < 0.1, "{band}: {low} {high}");
        }
        let all: f64 = ["delta", "theta", "alpha", "beta", "gamma"]
            .iter()
            .map(|b| value(&o, "p.V_m", &format!("relative_{b}")))
            .sum();
        assert!((all - 1.0).abs() < 1e-12);
    }

    /// A sine of amplitude A has A²/2 in its band, and nearly all of the share.
    #[test]
    fn a_sine_is_in_its_band() {
        let e = noise(6, 20_000);
        let x = (0..20_000).map(|k| 3.0 * (std::f64::consts::TAU * 0.01 * f64::from(k)).sin() + 0.1 * e[k as usize]);
        let o = of(&[x.collect()], &[segment(1.0)]);
        assert!((value(&o, "p.V_m", "power_alpha") / 4.5 - 1.0).abs() < 0.01);
        assert!(value(&o, "p.V_m", "relative_alpha") > 0.99);
        let r = traces(&[noise(6, 20_000)], 1.0);
        let own = run(&BandPower, &r, vec![subject("V_m", &[])], &[]).unwrap();
        same_values(&own, &run(&BandPower, &shifted(&r, 1e9), vec![subject("V_m", &[])], &[]).unwrap(), 1e-9);
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let o = of(&[vec![2.0; 4000]], &[]);
        let m = metric(&o, "p.V_m", "relative_alpha");
        assert!(m.value.is_none() && m.note.contains("does not vary"), "{m:?}");
        let o = of(&[noise(1, 2000)], &[segment(0.1)]);
        assert!(metric(&o, "p.V_m", "power_delta").note.contains("longer segments"));
        let band = OptionValue::Bands(vec![Band { name: "fast".into(), low: 400.0, high: 600.0 }]);
        let o = of(&[noise(1, 2000)], &[("bands", band)]);
        assert!(metric(&o, "p.V_m", "power_fast").note.contains("highest frequency"));
        let o = of(&[noise(1, 4000)], &[segment(1.0)]);
        let m = metric(&o, "p.V_m", "relative_gamma");
        assert!(m.value.is_some() && m.ends().is_none() && m.note.contains("fewer than 5"), "{m:?}");
    }
}
