//! Granger causality between signals: in time, conditional on others, and over frequency.

use super::band_filter;
use super::dependence::signals::{Pairs, Signal, pairs};
use super::prelude::*;
use spikedeck_core::coherence::{Cut, cross_spectra};
use spikedeck_core::fft::Complex64;
use spikedeck_core::granger::{Model, Moments, chance_level, interval, tail};
use spikedeck_core::number::{self, shown};
use spikedeck_core::statistics::{mean, variance};
use spikedeck_core::surrogate::{Correction, adjust};
use spikedeck_core::tapers::dpss;
use spikedeck_core::units::short;
use spikedeck_core::welch::{Detrend, default_segment};
use spikedeck_core::wilson::factors;
use spikedeck_scenario::Band;
use spikedeck_signal::{Axis, CurveStyle, Series, Shape};

/// The analysis `granger`.
pub struct Granger;

const CARD: AnalysisCard = AnalysisCard {
    title: "Granger causality",
    synonyms: &[
        "granger_causality",
        "gc",
        "geweke",
        "spectral_granger",
        "mvgc",
        "wilson",
        "nonparametric_granger",
        "spectral_factorization",
    ],
    summary: "how much the past of one signal helps to foretell another: in time, conditional, and over frequency",
    formula: "F = ln(σ²(y | past of y)/σ²(y | past of x and y));  conditional: both given the past of all others\n\
              f(ω) = ln S_yy/(S_yy − (Σ_xx − Σ_xy²/Σ_yy) |H_yx|²), S = H Σ H*, H = (I − Σ A_k e^(−iωk))⁻¹\n\
              order: least BIC of the model of all signals that take part\n\
              factored: S from tapers (dpss), taken apart into H Σ H* by Wilson's iteration, without a model",
    assumptions: "Stationary signals, a linear relation, noise that is independent from sample to sample once the past \
                  is known. p: n F is chi-squared with as many degrees of freedom as the order; the interval is that \
                  of the noncentral law.",
    bias: "F is never negative and about order/n without causality: chance is the 95 % level. Factored spectra of few \
           tapers and segments lie higher (about tapers' noise at each frequency), and a line narrower than the \
           tapers' band is smeared.",
    cost: "O(n (signals · order)²) a pair; conditional once for all",
    caveats: "Causality in Granger's sense is foretelling: a common input that reaches one signal first looks like it \
              (condition on it, if it was recorded). Samples much finer than what happens make models of long order \
              that are hardly determined: take a `bin` of some milliseconds. Noise of measurement hides causality and \
              can turn it round. Over frequency there is no p of its own: look at the one in time.",
    references: &[
        "Granger 1969, doi:10.2307/1912791",
        "Geweke 1982, doi:10.1080/01621459.1982.10477803",
        "Geweke 1984, doi:10.1080/01621459.1984.10477110",
        "Barnett and Seth 2014, doi:10.1016/j.jneumeth.2013.10.018",
        "Wilson 1972, doi:10.1137/0123044",
        "Dhamala, Rangarajan, Ding 2008, doi:10.1016/j.neuroimage.2008.02.020",
    ],
};

words! {
    /// Which spectra the measure over frequency is that of.
    pub enum Spectra {
        /// Those of the models.
        Model = "model",
        /// Those of the signals, taken apart.
        Factored = "factored",
    }
}

options! {
    /// What `granger` can be told.
    pub struct Options {
        order: Option<usize> = integer_if_given().between(1.0, 500.0),
            "samples of the past that the models know (default: by BIC, up to max_order)";
        max_order: usize = integer("20").between(1.0, 500.0), "largest order that BIC tries";
        conditional: bool = flag(false),
            "whether each pair is looked at given the past of all other signals that are named";
        bands: Vec<Band> = bands(),
            "bands as \"NAME LOW HIGH\" in Hz over which the measure over frequency is averaged (default: delta 1 4, \
             theta 4 8, alpha 8 13, beta 13 30, gamma 30 80, as far as they reach)";
        spectra: Spectra = choice(Spectra::Model),
            "what the measure over frequency rests on: model: the regressions; factored: spectra under tapers, taken \
             apart after Wilson, without an order that has to be right";
        segment: Option<Time> = super::psd::segment();
        nw: f64 = number("4").between(1.0, 100.0), "factored: time-bandwidth product of the 2 nw − 1 tapers";
        bin: Option<Time> = signal_bin();
    }
}

const COLLINEAR: &str = "the signals foretell each other without a rest: one of them is made of others";

/// Frequencies at which the measure is worked out, from 0 to Nyquist.
const FREQUENCIES: usize = 512;
/// Pairs up to which each has a curve of its own.
const MOST_DRAWN: usize = 12;

impl Estimator for Granger {
    type Options = Options;
    const KIND: &'static str = "granger";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const CAUSAL: Option<&str> = Some(crate::prefilter::BEFORE_AND_AFTER);

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let pairs = pairs(f.request, o.bin, false)?;
        pairs.tell_outside(f);
        let all = Everyone::new(&pairs);
        let shared =
            if o.conditional { Some(all.moments(o, &(0..all.signals.len()).collect::<Vec<_>>())) } else { None };
        let mut results = Vec::new();
        f.each(&pairs.links, |f, &(i, j)| {
            let (from, to) = (all.sources[i], all.targets[j]);
            let mut one = match &shared {
                Some(Ok(fitted)) => found(fitted, (from, to)),
                Some(Err(why)) => Err(why.clone()),
                None => all.moments(o, &[from, to]).and_then(|fitted| found(&fitted, (0, 1))),
            };
            if let (Ok(found), Spectra::Factored) = (&mut one, o.spectra) {
                let two = [from, to].map(|k| all.signals[k].values.as_slice());
                let apart = factored(o, two, pairs.interval());
                found.over_frequency = apart.as_ref().ok().filter(|_| found.given == 0).cloned();
                found.factored = Some(apart.and_then(|values| match found.given {
                    0 => Ok(mean(&values)),
                    _ => Err("spectra of two signals are taken apart, without others that are given".into()),
                }));
            }
            f.progress(1.0)?;
            results.push(one);
            Ok(())
        })?;
        report(o, f, &pairs, &results);
        Ok(())
    }
}

/// Every signal once.
struct Everyone<'p> {
    signals: Vec<&'p Signal>,
    /// Which of them the sources and the targets are.
    sources: Vec<usize>,
    targets: Vec<usize>,
}

impl<'p> Everyone<'p> {
    fn new(pairs: &'p Pairs) -> Self {
        let mut signals: Vec<&Signal> = Vec::new();
        let mut place = |s: &'p Signal| {
            signals.iter().position(|t| t.name == s.name).unwrap_or_else(|| {
                signals.push(s);
                signals.len() - 1
            })
        };
        let sources = pairs.sources.iter().map(&mut place).collect();
        let targets = pairs.targets.iter().map(&mut place).collect();
        Self { signals, sources, targets }
    }

    /// What regressions of some signals need, or in words why there are none.
    fn moments(&self, o: &Options, of: &[usize]) -> Result<Fitted, String> {
        for &k in of {
            if let Some(why) = super::coherence::unfit(self.signals[k]) {
                return Err(why);
            }
        }
        let values: Vec<&[f64]> = of.iter().map(|&k| &*self.signals[k].values).collect();
        let samples = values[0].len();
        // As much past as there are samples for.
        let most = o.order.unwrap_or_else(|| o.max_order.min((samples / (4 * of.len().max(1))).max(1)));
        let moments = Moments::new(&values, most).ok_or_else(|| {
            format!("{samples} samples are too few for models of {} signals and order {most}", of.len())
        })?;
        let order = match o.order {
            Some(order) => order,
            None => moments.best_order().ok_or(COLLINEAR)?,
        };
        let model = moments.model(order).ok_or(COLLINEAR)?;
        let is_at_most = o.order.is_none() && order == most;
        let variances = values.iter().map(|v| variance(v, 0)).collect();
        Ok(Fitted { variances, of: of.to_vec(), moments, order, model, is_at_most })
    }
}

/// The part of a variance below which a residual is rounding.
const ROUNDING: f64 = 1e-12;

/// Regressions of some signals.
struct Fitted {
    /// Variance of each.
    variances: Vec<f64>,
    of: Vec<usize>,
    moments: Moments,
    order: usize,
    model: Model,
    is_at_most: bool,
}

/// What was found of one pair.
struct Found {
    measure: f64,
    n: usize,
    order: usize,
    is_at_most: bool,
    given: usize,
    /// The measure at frequencies from 0 to half a cycle a sample.
    over_frequency: Option<Vec<f64>>,
    /// Its mean where it is that of factored spectra, or why it has none.
    factored: Option<Result<f64, String>>,
}

/// The measure from the first to the second at frequencies from 0 to Nyquist, from their spectra alone.
fn factored(o: &Options, two: [&[f64]; 2], interval: f64) -> Result<Vec<f64>, String> {
    let n = two[0].len();
    let asked = o.segment.map_or_else(|| default_segment(n), |s| (s.seconds / interval).round() as usize);
    // Spectra from 0 to Nyquist.
    if asked > n {
        return Err(format!("`segment` is {asked} samples long, and there are {n}"));
    }
    let segment = (asked.clamp(16, n.max(16)) / 2) * 2;
    let count = ((2.0 * o.nw).round() as usize).saturating_sub(1).max(2);
    let tapers = dpss(segment, o.nw, count)
        .filter(|_| segment <= n)
        .ok_or_else(|| format!("{count} tapers with nw {} do not fit into {segment} samples", short(o.nw)))?;
    let cut = Cut::multitaper(&tapers, Detrend::Constant);
    let never = |_, _| Ok::<(), std::convert::Infallible>(());
    let Ok(s) = cross_spectra(&two, &[(0, 1)], interval.recip(), &cut, never);
    let real = |v: f64| Complex64::new(v, 0.0);
    let all: Vec<[Complex64; 4]> = (0..=segment / 2)
        .map(|k| [real(s.power[0][k]), s.cross[0][k].conj(), s.cross[0][k], real(s.power[1][k])])
        .collect();
    let found = factors(&all).ok_or("no factors were found of these spectra: take longer or fewer segments")?;
    Ok((0..all.len()).map(|k| found.granger(0, 1, k)).collect())
}

fn found(fitted: &Fitted, (from, to): (usize, usize)) -> Result<Found, String> {
    let all: Vec<usize> = (0..fitted.of.len()).collect();
    let without: Vec<usize> = all.iter().copied().filter(|&k| k != from).collect();
    let residual = |of: &[usize]| fitted.moments.residual(to, of, fitted.order);
    let (Some(with), Some(reduced)) = (residual(&all), residual(&without)) else {
        return Err(COLLINEAR.into());
    };
    if with <= ROUNDING * fitted.variances[to] {
        return Err(
            "the past foretells the target without a rest: what is left of it is rounding, and its logarithm no \
                    measure"
                .into(),
        );
    }
    let place = |k: usize| 0.5 * k as f64 / FREQUENCIES as f64;
    Ok(Found {
        measure: (reduced / with).ln(),
        n: fitted.moments.n(),
        order: fitted.order,
        is_at_most: fitted.is_at_most,
        given: all.len() - 2,
        over_frequency: (0..=FREQUENCIES).map(|k| fitted.model.spectral(from, to, place(k))).collect(),
        factored: None,
    })
}

fn report(o: &Options, f: &mut Findings<'_>, pairs: &Pairs, results: &[Result<Found, String>]) {
    let p: Vec<Option<f64>> = results.iter().map(|r| r.as_ref().ok().map(|x| tail(x.measure, x.n, x.order))).collect();
    let adjusted = adjust(&p, Correction::BenjaminiHochberg);
    let nyquist = 0.5 / pairs.interval();
    let mut curves = Vec::new();
    for (k, (&(i, j), result)) in pairs.links.iter().zip(results).enumerate() {
        let name = format!("{}->{}", pairs.sources[i].name, pairs.targets[j].name);
        let x = match result {
            Ok(x) => x,
            Err(why) => {
                f.metric(Metric::missing(&name, "granger", "", 0, why));
                f.word(format!("{name}: nothing, {why}"));
                continue;
            }
        };
        let tested = "what was found was tested";
        let (p, adjusted) = (p[k].expect(tested), adjusted[k].expect(tested));
        if x.is_at_most {
            f.warn(format!(
                "{name}: BIC still falls at the largest order that is tried, {}: raise `max_order` or take a longer \
                 `bin`",
                x.order
            ));
        }
        let given = if x.given == 0 { String::new() } else { format!(", given {} others", x.given) };
        let m = Metric::new(&name, "granger", x.measure, "", x.n as u64)
            .chance(chance_level(x.n, x.order))
            .p(p)
            .note(format!("in natural units; n = present values, order {}{given}", x.order))
            .chance_by("chance: 95 % level")
            .null_by("p: chi-squared");
        f.metric(if p <= 0.05 {
            let (low, high) = interval(x.measure, x.n, x.order);
            m.interval(low, high).interval_by("95 % interval (noncentral chi-squared)")
        } else {
            m.note("no interval: not told from chance")
        });
        if results.len() > 1 {
            f.metric(Metric::adjusted(&name, adjusted, x.n as u64, "Benjamini-Hochberg over all pairs"));
        }
        if let Some(whole) = &x.factored {
            f.metric(match whole {
                Ok(value) => Metric::new(&name, "granger_factored", *value, "", x.n as u64)
                    .note("mean over frequency of factored spectra; no interval and no p of its own: see granger"),
                Err(why) => Metric::missing(&name, "granger_factored", "", x.n as u64, why),
            });
        }
        f.word(format!("{name}: {} (p {}, order {})", shown(x.measure), number::p_value(p), x.order));
        if let Some(values) = &x.over_frequency {
            of_bands(o, f, &name, values, nyquist);
            if curves.len() < MOST_DRAWN {
                let step = nyquist / (values.len() - 1) as f64;
                let at = (0..values.len()).map(|k| step * k as f64).collect();
                curves.push(curve(name, at, values.clone(), CurveStyle::Line));
            }
        }
    }
    if !curves.is_empty() {
        f.shape(
            "over frequency",
            Shape::Series(Series {
                x: Axis::frequency(f.base.rate_unit(), &curves[0].x),
                y: Axis::new("Granger causality", ""),
                curves,
                references: Vec::new(),
            }),
        );
    }
    if results.len() > 2 {
        f.shape("matrix", matrix(pairs, results, &adjusted));
    }
}

/// The mean over frequency of the measure in each band.
fn of_bands(o: &Options, f: &mut Findings<'_>, name: &str, values: &[f64], nyquist: f64) {
    let step = nyquist / (values.len() - 1) as f64;
    let unit = f.base.rate_unit();
    for (band, low, high) in band_filter::given(&o.bands, f.base) {
        let inside: Vec<f64> =
            (0..values.len()).filter(|&k| (low..high).contains(&(k as f64 * step))).map(|k| values[k]).collect();
        let metric = format!("band_{band}");
        let told = format!("{low} to {high} {unit}");
        f.metric(if high > nyquist * (1.0 + 1e-9) {
            let why = format!("{told}: reaches above Nyquist, {} {unit}", short(nyquist));
            Metric::missing(name, metric, "", 0, why)
        } else if inside.is_empty() {
            Metric::missing(name, metric, "", 0, format!("{told}: no frequency, they are {} {unit} apart", short(step)))
        } else {
            Metric::new(name, metric, mean(&inside), "", inside.len() as u64)
                .note(format!("{told}, n = frequencies; no interval and no p of its own: see granger"))
        });
    }
}

fn matrix(pairs: &Pairs, results: &[Result<Found, String>], adjusted: &[Option<f64>]) -> Shape {
    let all = pairs.links.iter().zip(results).zip(adjusted);
    let cells = all.filter_map(|((pair, result), q)| {
        result.as_ref().ok().map(|x| (*pair, x.measure, q.is_some_and(|q| q <= 0.05)))
    });
    Shape::Matrix(pairs.matrix(Axis::new("Granger causality", ""), ["source", "target"], false, cells))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, run, same_values, shifted, subject, traces, value};
    use spikedeck_core::normal::normal;
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;

    /// A common source z drives x after one sample and y after two.
    fn driven(seed: u64, n: usize) -> [Vec<f64>; 3] {
        let key = Key::new(seed, "granger", "driven");
        let e = |unit: u32, k: usize| normal(key, unit, k as u64);
        let back = |k: usize, by: usize| k.checked_sub(by).map_or(0.0, |k| e(2, k));
        [
            (0..n).map(|k| back(k, 1) + e(0, k)).collect(),
            (0..n).map(|k| back(k, 2) + e(1, k)).collect(),
            (0..n).map(|k| e(2, k)).collect(),
        ]
    }

    /// Factored spectra give the measure of the regression: over all frequencies, and in each band.
    #[test]
    fn spectra_taken_apart_agree_with_the_model() {
        let key = Key::new(3, "granger", "factored");
        let e = |unit: u32, k: usize| normal(key, unit, k as u64);
        let (mut x, mut y) = (vec![0.0], vec![0.0]);
        for k in 0..40_000 {
            y.push(0.6 * y[k] + 0.4 * x[k] + e(1, k));
            x.push(0.5 * x[k] + e(0, k));
        }
        let r = traces(&[x, y], 1.0);
        let factored = |extra: &[(&'static str, OptionValue)]| {
            let options = [&[("spectra", OptionValue::Text("factored".into()))], extra].concat();
            run(&Granger, &r, vec![subject("V_m", &[])], &options).unwrap()
        };
        let (o, model) = (factored(&[]), run(&Granger, &r, vec![subject("V_m", &[])], &[]).unwrap());
        let there = "p.V_m[0]->p.V_m[1]";
        // Over frequency: ∫ ln(1 + c² |1/(1 − 0.5 z)|²), which is ln of the ratio of variances of the innovations.
        let wanted = value(&model, there, "granger");
        assert!((value(&o, there, "granger") - wanted).abs() < 1e-12);
        assert!((value(&o, there, "granger_factored") / wanted - 1.0).abs() < 0.1, "{:?}", o.metrics);
        assert!(value(&o, "p.V_m[1]->p.V_m[0]", "granger_factored") < 0.02);
        for band in ["band_beta", "band_gamma"] {
            assert!((value(&o, there, band) / value(&model, there, band) - 1.0).abs() < 0.2, "{band}");
        }
        let too_short = factored(&[("segment", OptionValue::Number(0.016)), ("nw", OptionValue::Number(50.0))]);
        let m = metric(&too_short, there, "granger_factored");
        assert!(m.value.is_none() && m.note.contains("do not fit"), "{m:?}");
        let o = factored(&[("conditional", OptionValue::Flag(true))]);
        // Given no other, it is the same.
        assert!((value(&o, there, "granger_factored") / wanted - 1.0).abs() < 0.1);
    }

    #[test]
    fn what_others_explain_is_conditioned_away() {
        let r = traces(&driven(1, 10_000), 1.0);
        let o = run(&Granger, &r, vec![subject("V_m", &[])], &[]).unwrap();
        let given = run(&Granger, &r, vec![subject("V_m", &[])], &[("conditional", OptionValue::Flag(true))]).unwrap();
        let p = |o, name| metric(o, name, "granger").p_value.unwrap();
        let (there, back) = ("p.V_m[0]->p.V_m[1]", "p.V_m[1]->p.V_m[0]");
        assert!(p(&o, there) < 1e-9 && p(&o, back) > 1e-3);
        assert!(p(&given, there) > 1e-3 && p(&given, "p.V_m[2]->p.V_m[0]") < 1e-9);
        // Half of the variance of y is known from z: F = ln 2.
        let m = metric(&o, "p.V_m[2]->p.V_m[1]", "granger");
        assert!(m.ci_low < Some(2f64.ln()) && m.ci_high > Some(2f64.ln()), "{m:?}");
        // White through a delay: as much at every frequency.
        assert!((value(&o, "p.V_m[2]->p.V_m[1]", "band_gamma") - 2f64.ln()).abs() < 0.06);
        assert!(metric(&given, there, "granger").note.contains("given 1 others"));
        same_values(&o, &run(&Granger, &shifted(&r, 1e9), vec![subject("V_m", &[])], &[]).unwrap(), 1e-9);
    }

    /// What the past foretells without a rest has no measure: the logarithm of rounding is none.
    #[test]
    fn a_copy_and_a_sine_have_no_measure() {
        let impulse = |at: usize| (0..400).map(|k| f64::from(u8::from(k == at))).collect::<Vec<f64>>();
        let sine = |shift: f64| (0..400).map(|k| (0.1 * f64::from(k) + shift).sin()).collect::<Vec<f64>>();
        for columns in [vec![impulse(200), impulse(201)], vec![sine(0.0), sine(1.0)]] {
            let o = run(&Granger, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
            let m = metric(&o, "p.V_m[0]->p.V_m[1]", "granger");
            assert!(m.value.is_none() && m.p_value.is_none() && m.note.contains("without a rest"), "{m:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let of =
            |columns: Vec<Vec<f64>>| run(&Granger, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        let [x, y, _] = driven(2, 500);
        let mut holed = y.clone();
        holed[9] = f64::NAN;
        for (columns, why) in [
            (vec![x.clone(), vec![-65.0; 500]], "does not vary"),
            (vec![x.clone(), holed], "sample 9 is NaN"),
            (vec![x.clone(), x.clone()], "made of others"),
            (vec![x[..4].to_vec(), y[..4].to_vec()], "too few"),
        ] {
            let o = of(columns);
            let m = metric(&o, "p.V_m[0]->p.V_m[1]", "granger");
            assert!(m.value.is_none() && m.note.contains(why), "{m:?}");
        }
    }
}
