//! The filter that any analysis of sampled signals can have before it: its options, and what it does to columns.
//!
//! [`subject::columns`](crate::subject) applies it, so that all estimators get the same; an estimator declares with
//! [`Estimator::SAMPLED`] that it looks at sampled signals.

use super::prelude::*;
use crate::options::{Declared, Options as _, Reader, choice_if_given};
use crate::subject::Columns;
use rayon::prelude::*;
use spikedeck_core::filter::{Design, Filter, Kept};
use spikedeck_core::units::short;
use spikedeck_scenario::{Observable, OptionValue};
use spikedeck_signal::{Setting, TimeBase};
use std::collections::BTreeMap;

words! {
    /// How the filter is made, and whether it keeps or stops what is between two edges.
    pub enum Kind {
        /// Butterworth's, forward and backward.
        Butterworth = "butterworth",
        /// The same, of all but what is between two edges.
        ButterworthStop = "butterworth_stop",
        /// A symmetric sinc under a Hamming window.
        Fir = "fir",
        /// The same, of all but what is between two edges.
        FirStop = "fir_stop",
    }
}

options! {
    /// The filter before an analysis.
    pub struct Prefilter {
        prefilter: Option<Kind> = choice_if_given(),
            "filter that signals go through first, without moving them in time: butterworth (forward and backward) or \
             fir (a symmetric sinc under a Hamming window); with _stop it takes out what is between the edges. At an \
             edge half of the amplitude is left. The ends are continued by their odd mirror image, as far as values \
             rest on samples beyond them. Spikes are left as they are, rates are filtered. A filter that moves nothing \
             in time puts a part of what follows into each sample: what comes before what (Granger causality, \
             transfer entropy, averages around events) and what is foretold of samples that were left out can no \
             longer be told within that reach, and peaks of a spectrum may be those of the band";
        prefilter_above: Option<Frequency> = frequency_if_given(), "lower edge of the filter";
        prefilter_below: Option<Frequency> = frequency_if_given(), "upper edge of the filter";
        prefilter_order: Option<usize> = integer_if_given().between(1.0, 12.0),
            "order of a Butterworth filter (default 4; both ways make twice as much)";
    }
}

/// What a filter that looks ahead does to an analysis of what comes before what.
pub const BEFORE_AND_AFTER: &str = "what comes before what is no longer told by them, models of the signals need \
     higher orders, and a narrow band makes samples foretell each other (Barnett and Seth 2011, \
     doi:10.1016/j.jneumeth.2011.08.010)";
/// What it does to an average around events.
pub const AROUND_EVENTS: &str = "what follows an event shows before it, and what precedes it after it";
/// What it does to what is fitted to some stretches and read in others.
pub const LEFT_OUT: &str =
    "bins as near as that to a fold are left out of what is fitted for it, so that the fold is not known there";

/// Adds the options to a declaration.
pub fn declare(to: &mut Declared) {
    Prefilter::declare(to);
}

/// The order of a Butterworth filter where none is said.
const ORDER: usize = 4;

impl Prefilter {
    /// The filter's design and what it keeps, edges in hertz; `None` where there is none.
    fn chosen(&self) -> Result<Option<(Kind, Kept)>, Wrong> {
        let wrong = |key, message: &str, help: &str| Wrong { key, message: message.into(), help: help.into() };
        let (above, below) = (self.prefilter_above.map(|f| f.hertz), self.prefilter_below.map(|f| f.hertz));
        let Some(kind) = self.prefilter else {
            let keys = [
                (above.is_some(), "prefilter_above"),
                (below.is_some(), "prefilter_below"),
                (self.prefilter_order.is_some(), "prefilter_order"),
            ];
            return match keys.into_iter().find(|k| k.0) {
                None => Ok(None),
                Some((_, key)) => {
                    Err(wrong(key, "there is no filter that this is of", "add `prefilter = \"butterworth\"`"))
                }
            };
        };
        let is_stop = matches!(kind, Kind::ButterworthStop | Kind::FirStop);
        let is_sinc = matches!(kind, Kind::Fir | Kind::FirStop);
        if is_sinc && self.prefilter_order.is_some() {
            let help = "its edges fall over a quarter of their frequency, at least 2 Hz";
            return Err(wrong("prefilter_order", "a fir filter has no order", help));
        }
        let kept = match (above, below) {
            (None, None) => {
                let help = "`prefilter_above = \"4 Hz\"`, `prefilter_below = \"8 Hz\"`, or both";
                return Err(wrong("prefilter", "the filter has no edge", help));
            }
            (Some(low), Some(high)) if low >= high => {
                let help = "for all but a band, write `prefilter = \"butterworth_stop\"`";
                return Err(wrong("prefilter_below", "the upper edge is not above the lower", help));
            }
            (Some(low), Some(high)) if is_stop => Kept::Outside(low, high),
            (Some(low), Some(high)) => Kept::Between(low, high),
            (Some(_), None) | (None, Some(_)) if is_stop => {
                let help = "`prefilter_above` and `prefilter_below`";
                return Err(wrong("prefilter", "what is taken out lies between two edges", help));
            }
            (Some(low), None) => Kept::Above(low),
            (None, Some(high)) => Kept::Below(high),
        };
        Ok(Some((kind, kept)))
    }

    /// The filter in words: `butterworth of order 4 from 4 to 8 Hz, forward and backward`.
    fn told(&self, kind: Kind, kept: Kept, unit: &str) -> String {
        let edges = match kept {
            Kept::Below(f) => format!("below {} {unit}", short(f)),
            Kept::Above(f) => format!("above {} {unit}", short(f)),
            Kept::Between(low, high) => format!("from {} to {} {unit}", short(low), short(high)),
            Kept::Outside(low, high) => format!("outside {} to {} {unit}", short(low), short(high)),
        };
        match kind {
            Kind::Butterworth | Kind::ButterworthStop => {
                let order = self.prefilter_order.unwrap_or(ORDER);
                format!("a Butterworth filter of order {order}, {edges}, forward and backward (zero phase)")
            }
            Kind::Fir | Kind::FirStop => format!("a symmetric FIR filter (sinc, Hamming), {edges} (zero phase)"),
        }
    }

    /// The filter for samples of this rate.
    fn built(&self, kind: Kind, kept: Kept, rate: f64, base: TimeBase) -> Result<Filter, String> {
        let scaled = match kept {
            Kept::Below(f) => Kept::Below(f / rate),
            Kept::Above(f) => Kept::Above(f / rate),
            Kept::Between(low, high) => Kept::Between(low / rate, high / rate),
            Kept::Outside(low, high) => Kept::Outside(low / rate, high / rate),
        };
        let design = match kind {
            Kind::Butterworth | Kind::ButterworthStop => Design::Butterworth(self.prefilter_order.unwrap_or(ORDER)),
            // Where time has no unit an edge falls within a quarter of its frequency and no least is known.
            Kind::Fir | Kind::FirStop => {
                Design::Sinc { softest: if base == TimeBase::Milliseconds { 2.0 / rate } else { 0.0 } }
            }
        };
        Filter::new(design, scaled)
            .map_err(|why| format!("cannot be had at {} samples a {}: {why}", short(rate), base.second()))
    }
}

/// Whether the filter's options fit each other.
///
/// # Errors
/// The first that does not.
pub fn together(options: &BTreeMap<&'static str, OptionValue>, times: RunTimes) -> Result<(), Wrong> {
    // What is of another kind than was declared is told where it is read.
    Prefilter::read(&mut Reader::before(options, times.base)).map_or(Ok(()), |p| p.chosen().map(|_| ()))
}

/// What a request asks for.
fn asked(request: &Request<'_>) -> Result<Option<(Prefilter, Kind, Kept)>, AnalysisError> {
    if !request.spec.options.contains_key("prefilter") {
        return Ok(None);
    }
    let filter = Prefilter::read(&mut Reader::new(request))?;
    let chosen =
        filter.chosen().map_err(|w| AnalysisError::Unsuitable(format!("`{}`: {}; {}", w.key, w.message, w.help)))?;
    Ok(chosen.map(|(kind, kept)| (filter, kind, kept)))
}

/// The columns as the filter of a request leaves them; as they are where there is none.
///
/// # Errors
/// `Unsuitable` for samples that are no numbers, for edges beyond half of the sampling rate, and where there are fewer
/// samples than twice what a value rests on.
pub fn applied(request: &Request<'_>, mut columns: Columns) -> Result<Columns, AnalysisError> {
    let Some((options, kind, kept)) = asked(request)? else { return Ok(columns) };
    let (rate, base) = (columns.sampling_rate(), columns.base);
    let told = options.told(kind, kept, base.rate_unit());
    let unsuitable = |why: String| AnalysisError::Unsuitable(format!("{}: {told} {why}", columns.subject));
    let filter = options.built(kind, kept, rate, base).map_err(unsuitable)?;
    let bad = |c: &Vec<f64>| c.iter().enumerate().find(|(_, v)| !v.is_finite()).map(|(k, v)| (k, *v));
    if let Some((i, (k, v))) = columns.columns.iter().enumerate().find_map(|(i, c)| Some((i, bad(c)?))) {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: sample {k} is {v}, and a filter needs finite values",
            columns.name(i)
        )));
    }
    if columns.len() < 2 * filter.reach() {
        return Err(unsuitable(format!(
            "rests on {} samples on either side, and there are {} (least: {}): take a lower order or a wider band, or \
             look at more time",
            filter.reach(),
            columns.len(),
            2 * filter.reach()
        )));
    }
    columns.columns = columns.columns.par_iter().map(|c| filter.apply(c)).collect();
    Ok(columns)
}

/// Whether there is something to filter where a filter is asked for.
///
/// # Errors
/// `Unsuitable` where an analysis looks at nothing but spikes.
pub fn has_work(request: &Request<'_>) -> Measured {
    let spec = request.spec;
    let mut all = spec.of.iter().chain(&spec.source).chain(&spec.target);
    if asked(request)?.is_none() || all.any(|s| matches!(s.what, Observable::Rate | Observable::Variable(_))) {
        return Ok(());
    }
    Err(AnalysisError::Unsuitable(
        "`prefilter` filters sampled signals, and this looks at spikes alone, which are left as they are: name a rate \
         (`POP.rate`) or a variable, or take `prefilter` out"
            .into(),
    ))
}

/// What an outcome says of its filter: the filter in words, and how long the ends are that rest in part on what is not
/// there.
pub fn outcome(request: &Request<'_>) -> Option<(String, Option<Setting>)> {
    // What is wrong with it was said when it was applied.
    let (options, kind, kept) = asked(request).ok()??;
    let base = request.recording.time_base;
    let told = options.told(kind, kept, base.rate_unit());
    let ends = reach(request).map(|value| {
        let unit = if base == TimeBase::Milliseconds { "s" } else { base.unit() };
        let how = format!("{told}; nearer to an end, values rest in part on the odd mirror image of the signal there");
        Setting { key: "prefilter_ends".into(), value, unit: unit.into(), how }
    });
    Some((format!("after {told}"), ends))
}

/// How long before and after it (in seconds or time units) is what a filtered value rests on: the longest of the
/// traces that are looked at; of rates in bins that of samples that are close, which where few bins fall into a period
/// is about theirs. Nothing where there is no filter, or none can be made.
pub fn reach(request: &Request<'_>) -> Option<f64> {
    let (options, kind, kept) = asked(request).ok()??;
    let base = request.recording.time_base;
    let spec = request.spec;
    let mut rates = Vec::new();
    for s in spec.of.iter().chain(&spec.source).chain(&spec.target) {
        match &s.what {
            Observable::Variable(variable) => rates.extend(subject::sampling_rates(request, s, variable)),
            Observable::Rate => rates.push(50.0 * kept.edges().fold(0.0, f64::max)),
            Observable::Spikes | Observable::Population => {}
        }
    }
    let of = |rate: f64| Some(options.built(kind, kept, rate, base).ok()?.reach() as f64 / rate);
    rates.into_iter().filter_map(of).reduce(f64::max)
}

/// The reach of the filter in bins of this width, rounded up; 0 where there is no filter.
pub fn gap(request: &Request<'_>, bin: Time) -> usize {
    reach(request).map_or(0, |reach| (reach / bin.seconds - 1e-9).ceil() as usize)
}

/// Warns where an analysis tells before from after, or what is known from what is not, and a filter mixes them: `why`
/// says what becomes of it.
pub fn warn(f: &mut Findings<'_>, why: &str) {
    if let Some((_, ends)) = outcome(f.request) {
        let far = ends.map_or_else(String::new, |e| format!(", here {} {}", short(e.value), e.unit));
        f.warn(format!("`prefilter` puts what follows into each sample, as far as it reaches{far}: {why}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::noise;
    use crate::testing::{metric, poisson, recording, run, subject, traces, value};
    use crate::{ANALYSES, Outcome, find};
    use spikedeck_scenario::AnalysisSpec;
    use spikedeck_signal::Recording;
    use std::f64::consts::TAU;

    fn theta() -> Vec<(&'static str, OptionValue)> {
        vec![
            ("prefilter", OptionValue::Text("butterworth".into())),
            ("prefilter_above", OptionValue::Number(4.0)),
            ("prefilter_below", OptionValue::Number(8.0)),
        ]
    }

    /// Two waves of 2 mV, of 6 and of 40 Hz, on a level of -65 mV, 20 s at 1 kHz.
    fn waves() -> Recording {
        let at = |t: f64| -65.0 + 2.0 * (TAU * 6.0 * t).sin() + 2.0 * (TAU * 40.0 * t).sin();
        traces(&[(0..20_000).map(|k| at(1e-3 * f64::from(k))).collect()], 1.0)
    }

    /// What the filter leaves of two waves is one, with its size, on no level; what it stops is the other.
    #[test]
    fn levels_are_those_of_what_is_left() {
        let levels = find("levels").unwrap();
        let o = run(levels, &waves(), vec![subject("V_m", &[])], &theta()).unwrap();
        let get = |o: &Outcome, name: &str| value(o, "p.V_m", name);
        assert!(get(&o, "mean").abs() < 0.02 && (get(&o, "sd") - 2f64.sqrt()).abs() < 0.02, "{:?}", o.metrics);
        assert!((get(&o, "period") - 1000.0 / 6.0).abs() < 1.0);
        assert!(
            o.summary
                .ends_with("after a Butterworth filter of order 4, from 4 to 8 Hz, forward and backward (zero phase)")
        );
        let ends = &o.settings[0];
        // The slowest pole stands next to 4 Hz and falls to a thousandth in 2 s.
        assert!(ends.key == "prefilter_ends" && ends.unit == "s" && (1.5..2.5).contains(&ends.value), "{ends:?}");
        assert!(ends.how.contains("odd mirror image"), "{ends:?}");
        // The length is that of the filter that was used, also where that of closer samples cannot be made.
        let filter = Filter::new(Design::Butterworth(4), Kept::Between(4e-3, 8e-3)).unwrap();
        assert!((ends.value - 1e-3 * filter.reach() as f64).abs() < 1e-12, "{ends:?}");
        let wide = [
            ("prefilter", OptionValue::Text("butterworth".into())),
            ("prefilter_above", OptionValue::Number(0.0176)),
            ("prefilter_below", OptionValue::Number(450.0)),
            ("prefilter_order", OptionValue::Integer(8)),
        ];
        let long = traces(&[noise(1, 660_000)], 1.0);
        let o = run(levels, &long, vec![subject("V_m", &[])], &wide).unwrap();
        assert!(o.summary.contains("Butterworth") && o.settings[0].key == "prefilter_ends", "{:?}", o.settings);
        assert!(Filter::new(Design::Butterworth(8), Kept::Between(0.0176 / 22.5e3, 0.02)).is_err());
        for (kind, level) in [("butterworth_stop", -65.0), ("fir", 0.0), ("fir_stop", -65.0)] {
            let mut options = theta();
            options[0].1 = OptionValue::Text(kind.into());
            let o = run(levels, &waves(), vec![subject("V_m", &[])], &options).unwrap();
            assert!((get(&o, "mean") - level).abs() < 0.05 && (get(&o, "sd") - 2f64.sqrt()).abs() < 0.05, "{kind}");
        }
        // At an edge half of the amplitude is left, whatever the order.
        for order in [1, 4, 7] {
            let options = [
                ("prefilter", OptionValue::Text("butterworth".into())),
                ("prefilter_below", OptionValue::Number(6.0)),
                ("prefilter_order", OptionValue::Integer(order)),
            ];
            let one: Vec<f64> = (0..20_000).map(|k| 2.0 * (TAU * 6e-3 * f64::from(k)).sin()).collect();
            let o = run(levels, &traces(&[one], 1.0), vec![subject("V_m", &[])], &options).unwrap();
            assert!((get(&o, "sd") - 0.5 * 2f64.sqrt()).abs() < 0.01, "{order}: {}", get(&o, "sd"));
        }
    }

    /// Where before and after are told apart, or what is known from what is not, a filter is warned of.
    #[test]
    fn what_a_filter_that_looks_ahead_does_is_told() {
        let ahead = |w: &String| w.starts_with("`prefilter` puts what follows into each sample");
        let mut r = traces(&[noise(1, 9000), noise(2, 9000)], 1.0);
        r.spikes = recording(&[poisson(1, 0, 5.0, 9000.0)], 9000.0).spikes;
        for (kind, source) in [("granger", "V_m"), ("transfer_entropy", "V_m"), ("event_average", "spikes")] {
            let mut spec = AnalysisSpec {
                name: "x".into(),
                kind: kind.into(),
                of: vec![],
                source: vec![subject(source, &[0])],
                target: vec![subject("V_m", &[1])],
                options: BTreeMap::from([("surrogates", OptionValue::Integer(3))]),
            };
            let analysis = find(kind).unwrap();
            spec.options.retain(|key, _| analysis.declaration().options.iter().any(|o| o.key == *key));
            let told = |spec: &AnalysisSpec| crate::testing::run_spec(analysis, None, &r, spec).unwrap().warnings;
            assert!(!told(&spec).iter().any(ahead), "{kind}");
            spec.options.extend(theta());
            let all = told(&spec);
            assert!(all.iter().any(|w| ahead(w) && w.contains(" s: ")), "{kind}: {all:?}");
        }
        let o = run(find("levels").unwrap(), &waves(), vec![subject("V_m", &[])], &theta()).unwrap();
        assert!(!o.warnings.iter().any(ahead), "{:?}", o.warnings);
    }

    /// An analysis that a filter changes declares it, and the other way about: nothing is filtered in silence, and no
    /// filter that is written does nothing.
    #[test]
    fn all_that_look_at_samples_and_no_others_have_the_filter() {
        // What has no filter though it looks at samples: the shape of single spikes, profiles in space and along trees,
        // the law of values over units at one time, and rates that are held against a Poisson process.
        let without =
            ["ap_shape", "attenuation", "cable", "front", "lags", "plane", "population_rate", "raster", "space"];
        let without = |kind: &str| without.contains(&kind) || kind == "value_distribution";
        // Waves that come back near to where they were, as an attractor does, with a little noise.
        let signal = |seed: u64| {
            let at = |k: usize, f: f64| (TAU * f * k as f64 + f * seed as f64).sin();
            let wave = |k: usize, x: f64| at(k, 6e-3) + at(k, 40e-3) + x;
            noise(seed, 9000).into_iter().enumerate().map(|(k, x)| wave(k, 0.05 * x)).collect::<Vec<f64>>()
        };
        let mut base = traces(&[signal(1), signal(2), signal(3)], 1.0);
        let spikes = recording(&[poisson(1, 0, 40.0, 9000.0), poisson(1, 1, 40.0, 9000.0), vec![]], 9000.0);
        base.spikes = spikes.spikes;
        let mut filtered = 0;
        for analysis in ANALYSES {
            let declaration = analysis.declaration();
            let declares = declaration.options.iter().any(|o| o.key == "prefilter");
            assert!(!(declares && without(declaration.kind)), "{}", declaration.kind);
            if without(declaration.kind) || declaration.subjects == Subjects::Population {
                continue;
            }
            let (v, s) = (|| vec![subject("V_m", &[0, 1])], || vec![subject("spikes", &[0, 1])]);
            let asks: Vec<[Vec<spikedeck_scenario::Subject>; 3]> = match declaration.subjects {
                Subjects::Of => vec![
                    [v(), vec![], vec![]],
                    [vec![subject("V_m", &[0]), subject("spikes", &[0])], vec![], vec![]],
                    [[subject("V_m", &[0]), subject("V_m", &[1]), subject("V_m", &[2])].into(), vec![], vec![]],
                ],
                Subjects::Directed => vec![
                    [vec![], s(), vec![subject("V_m", &[0])]],
                    [vec![], v(), vec![subject("V_m", &[2])]],
                    [vec![], vec![subject("V_m", &[0])], s()],
                ],
                Subjects::Population => unreachable!("it was passed over"),
            };
            let mut changed = false;
            for [of, source, target] in asks {
                let mut spec = AnalysisSpec {
                    name: "x".into(),
                    kind: declaration.kind.into(),
                    of,
                    source,
                    target,
                    options: BTreeMap::from([("surrogates", OptionValue::Integer(19))]),
                };
                spec.options.retain(|key, _| declaration.options.iter().any(|o| o.key == *key));
                let plain = crate::testing::run_spec(*analysis, None, &base, &spec);
                spec.options.extend(theta());
                let other = crate::testing::run_spec(*analysis, None, &base, &spec);
                // Where nothing is found there are p-values, reasons and curves all the same.
                let values =
                    |o: Result<Outcome, AnalysisError>| o.ok().map(|o| format!("{:?} {:?}", o.metrics, o.shapes));
                if let (Some(a), Some(b)) = (values(plain), values(other)) {
                    changed |= a != b;
                }
            }
            assert_eq!(changed, declares, "{}: a filter changes it, and it says so", declaration.kind);
            filtered += usize::from(declares);
        }
        assert!(filtered > 30, "{filtered}");
    }

    #[test]
    fn what_cannot_be_filtered_says_why() {
        let levels = find("levels").unwrap();
        let why = |r: &Recording, options: &[(&'static str, OptionValue)]| {
            run(levels, r, vec![subject("V_m", &[])], options).unwrap_err().to_string()
        };
        let with = |key: &'static str, value: f64| {
            let mut options = theta();
            options.retain(|o| o.0 != key);
            options.push((key, OptionValue::Number(value)));
            options
        };
        assert!(why(&waves(), &with("prefilter_below", 500.0)).contains("half of the sampling rate"));
        assert!(why(&waves(), &with("prefilter_below", 3.0)).contains("not above the lower"));
        assert!(why(&waves(), &theta()[..1]).contains("no edge"));
        assert!(why(&traces(&[noise(1, 400)], 1.0), &theta()).contains("there are 400"));
        let mut tiny = with("prefilter_above", 1e-6);
        tiny[0].1 = OptionValue::Text("fir".into());
        assert!(why(&waves(), &tiny).contains("more than 1e7"), "{}", why(&waves(), &tiny));
        let mut broken = waves();
        broken.traces[0].values[7] = f64::NAN;
        assert!(why(&broken, &theta()).contains("sample 7 is NaN"));
        let psd = find("psd").unwrap();
        let spikes = recording(&[poisson(1, 0, 40.0, 6000.0)], 6000.0);
        let error = run(psd, &spikes, vec![subject("spikes", &[])], &theta()).unwrap_err().to_string();
        assert!(error.contains("spikes alone"), "{error}");
        let o = run(psd, &spikes, vec![subject("rate", &[])], &theta()).unwrap();
        assert!(o.summary.contains("Butterworth"));
        // A constant is gone, and not a rhythm of rounding errors.
        let o = run(levels, &traces(&[vec![-65.3; 5000]], 1.0), vec![subject("V_m", &[])], &theta()).unwrap();
        assert_eq!((metric(&o, "p.V_m", "max").value, metric(&o, "p.V_m", "min").value), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn edges_and_orders_that_make_no_filter_are_refused_before_the_run() {
        let declaration = &crate::declarations()["psd"];
        let times = RunTimes { base: TimeBase::Milliseconds, dt: 1e-4, duration: 1.0, transient: 0.0 };
        let text = |word: &str| OptionValue::Text(word.into());
        let check = |list: &[(&'static str, OptionValue)]| {
            let mut options = BTreeMap::new();
            for o in &declaration.options {
                options.extend(o.default_value(true).map(|v| (o.key, v)));
            }
            options.extend(list.iter().cloned());
            declaration.together.check(&options, times).map_err(|w| w.key)
        };
        let (low, high) =
            (("prefilter_above", OptionValue::Number(4.0)), ("prefilter_below", OptionValue::Number(8.0)));
        let butterworth = ("prefilter", text("butterworth"));
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&[butterworth.clone(), low.clone()]), Ok(()));
        assert_eq!(check(std::slice::from_ref(&butterworth)), Err("prefilter"));
        assert_eq!(check(std::slice::from_ref(&low)), Err("prefilter_above"));
        assert_eq!(check(&[("prefilter_order", OptionValue::Integer(2))]), Err("prefilter_order"));
        assert_eq!(check(&[("prefilter", text("fir_stop")), high.clone()]), Err("prefilter"));
        let order = ("prefilter_order", OptionValue::Integer(2));
        assert_eq!(check(&[("prefilter", text("fir")), low, high, order]), Err("prefilter_order"));
    }
}
