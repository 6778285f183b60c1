//! What a signal was before spikes: its average (the spike-triggered average) and its covariance.

use super::moments::{Moments, inside, moments, rotated};
use super::prelude::*;
use spikedeck_core::linear::{eigenvalues, solve};
use spikedeck_core::number::{self, shown};
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::{mean, student_quantile_of, variance};
use spikedeck_core::surrogate::p_value;
use spikedeck_scenario::Observable;
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape, Window};

/// The analysis `spike_triggered`.
pub struct SpikeTriggered;

const CARD: AnalysisCard = AnalysisCard {
    title: "Spike-triggered average and covariance",
    synonyms: &["sta", "stc", "spike_triggered_average", "spike_triggered_covariance"],
    summary: "what a signal was before spikes, on average and in its spread, against spikes moved in time",
    formula: "STA(τ) = ⟨x(t_k − τ)⟩ over spikes k − ⟨x⟩;  peak: STA at the greatest |STA|\nΔC(τ, τ') = covariance of \
              x(t_k − τ), x(t_k − τ') over spikes, about STA, less that over all times\nλ_max, λ_min: greatest and \
              least eigenvalue of ΔC",
    assumptions: "`source` are spikes (or events), `target` is a sampled signal, such as a stimulus that is recorded. \
                  The sample at a spike is the last that is not after it: lag 0. Where the covariance is looked at, so \
                  many samples are averaged to one lag that there are at most 128, unless `every` says how many. \
                  Intervals of the average take spikes as independent given the signal. Chance: all spikes moved \
                  together by one time (on a circle), which keeps their rhythm and the signal's.",
    bias: "The average is unbiased. Peak and eigenvalues are extremes of many and large without any tie: their chance \
           is what rotated spikes give.",
    cost: "O(spikes · lags²) a pair, once for each surrogate; eigenvalues O(lags³)",
    caveats: "The average is the filter of a linear-nonlinear neuron only for a signal that is white and symmetric; of \
              a signal with a memory it is that filter smeared by its autocorrelation. An eigenvalue above chance is \
              a direction that excites by its size, one below it a direction that has to be quiet. Of a signal that \
              the unit makes itself neither says what drives it.",
    references: &[
        "de Boer and Kuyper 1968, doi:10.1109/TBME.1968.4502561",
        "Schwartz, Pillow, Rust, Simoncelli 2006, doi:10.1167/6.4.13",
        "Aljadeff, Lansdell, Fairhall, Kleinfeld 2016, doi:10.1016/j.neuron.2016.05.039",
    ],
};

options! {
    /// What `spike_triggered` can be told.
    pub struct Options {
        length: Time = time("50 ms").or(derived::FIVE), "length of the stretch before a spike";
        every: Option<usize> = integer_if_given().between(1.0, 10_000.0),
            "samples that are averaged to one lag (default 1; with the covariance as many as leave at most 128 lags)";
        covariance: bool = flag(true), "whether the covariance is looked at";
        bin: Time = rate_bin(), "bin of `POP.rate` as the signal";
        surrogates: usize = integer("199").between(0.0, 100_000.0), "rotations of the spikes (0: none)";
    }
}

/// Most lags of which the covariance is looked at.
const MOST_LAGS: usize = 128;
/// Pairs up to which each has curves.
const MOST_DRAWN: usize = 16;

impl Estimator for SpikeTriggered {
    type Options = Options;
    const KIND: &'static str = "spike_triggered";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const CAUSAL: Option<&str> = Some(crate::prefilter::AROUND_EVENTS);

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let spec = f.request.spec;
        if spec.source.is_empty() || spec.target.is_empty() {
            return Err(AnalysisError::Unsuitable(
                "write `source`, spikes such as \"POP.spikes[0]\", and `target`, a signal such as \"POP.I\"".into(),
            ));
        }
        let mut trains = Vec::new();
        for s in &spec.source {
            if s.what != Observable::Spikes {
                let what = format!("{}: `source` has to be spikes, such as \"POP.spikes\"", s.text);
                return Err(AnalysisError::Unsuitable(what));
            }
            trains.extend(moments(f.request, s, None, o.bin)?);
        }
        let mut signals = Vec::new();
        for s in &spec.target {
            let columns = subject::columns(f.request, s, o.bin)?;
            for (k, values) in columns.columns.iter().enumerate() {
                signals.push(Signal::new(columns.name(k), values, &columns, o));
            }
        }
        // Only where `every` is written: without, the lags are few enough.
        if let Some(wide) = signals.iter().filter(|s| o.covariance && s.is_wide()).max_by_key(|s| s.fitting) {
            f.warn(wide.too_wide());
        }
        let pairs: Vec<(usize, usize)> =
            (0..trains.len()).flat_map(|t| (0..signals.len()).map(move |s| (t, s))).collect();
        let draws = pairs.len() <= MOST_DRAWN;
        f.each(&pairs, |f, &(t, s)| look(f, &trains[t], &signals[s], o, draws))
    }
}

/// A signal of which so many samples are one.
struct Signal {
    name: String,
    label: String,
    unit: String,
    /// Samples less their mean.
    values: Vec<f64>,
    start: f64,
    interval: f64,
    lags: usize,
    /// How many samples of the recording are one.
    every: usize,
    /// How many would have to be, for the covariance to be looked at.
    fitting: usize,
}

impl Signal {
    fn new(name: String, values: &[f64], columns: &subject::Columns, o: &Options) -> Self {
        let recorded = (o.length.axis / columns.interval + 1e-9).floor() as usize;
        let fitting = recorded.div_ceil(MOST_LAGS).max(1);
        let every = match o.every {
            Some(every) => every,
            None if o.covariance => fitting,
            None => 1,
        };
        let joined: Vec<f64> = values.chunks_exact(every).map(mean).collect();
        let middle = mean(&joined);
        let interval = columns.interval * every as f64;
        Self {
            name,
            label: columns.label.clone(),
            unit: columns.unit.clone(),
            values: joined.iter().map(|v| v - middle).collect(),
            // A joined sample is there when the last of its samples is.
            start: columns.start + (every - 1) as f64 * columns.interval,
            interval,
            lags: (o.length.axis / interval + 1e-9).floor() as usize,
            every,
            fitting,
        }
    }

    /// Whether there are too many lags for the covariance.
    fn is_wide(&self) -> bool {
        self.lags > MOST_LAGS
    }

    /// Why there is no covariance then.
    fn too_wide(&self) -> String {
        format!(
            "the covariance of {} lags is not looked at, at most {MOST_LAGS} are: `every = {}` or a shorter `length`",
            self.lags, self.fitting
        )
    }

    /// What a lag is, where it is more than a sample.
    fn joined(&self) -> Option<String> {
        (self.every > 1).then(|| format!("each lag is the average of {} samples", self.every))
    }

    /// The unit of its covariance.
    fn squared(&self) -> String {
        if self.unit.is_empty() { String::new() } else { format!("{}**2", self.unit) }
    }

    /// Where spikes have all lags before them: from the first to the last sample at which they may be.
    fn window(&self) -> Window {
        let at = |k: usize| self.start + k as f64 * self.interval;
        Window { start: at(self.lags.saturating_sub(1)), stop: at(self.values.len().saturating_sub(1)) }
    }

    /// The samples before a spike, the latest last.
    fn before(&self, t: f64) -> &[f64] {
        let last = ((t - self.start) / self.interval + 1e-9).floor().max(0.0) as usize;
        let last = last.clamp(self.lags - 1, self.values.len() - 1);
        &self.values[last + 1 - self.lags..=last]
    }

    /// The average before spikes.
    fn average(&self, spikes: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.lags];
        for &t in spikes {
            sum.iter_mut().zip(self.before(t)).for_each(|(s, v)| *s += v);
        }
        for s in &mut sum {
            *s /= spikes.len() as f64;
        }
        sum
    }

    /// How the covariance before `spikes` differs from that of all stretches.
    fn change(&self, prior: &[f64], spikes: &[f64]) -> Vec<f64> {
        self.covariance(Some(spikes)).iter().zip(prior).map(|(a, b)| a - b).collect()
    }

    /// The greatest and the least eigenvalue of a covariance, if they are found.
    fn extremes(&self, matrix: &[f64]) -> Option<(f64, f64)> {
        let values = eigenvalues(matrix, self.lags)?;
        Some((values.first()?.0, values.last()?.0))
    }

    /// The covariance of all stretches, or of those before `spikes`.
    fn covariance(&self, spikes: Option<&[f64]>) -> Vec<f64> {
        let n = self.lags;
        let (mut sum, mut products, mut count) = (vec![0.0; n], vec![0.0; n * n], 0.0);
        let mut add = |row: &[f64]| {
            for (i, a) in row.iter().enumerate() {
                sum[i] += a;
                for (p, b) in products[i * n..=i * n + i].iter_mut().zip(row) {
                    *p += a * b;
                }
            }
            count += 1.0;
        };
        match spikes {
            Some(spikes) => spikes.iter().for_each(|&t| add(self.before(t))),
            None => self.values.windows(n).for_each(add),
        }
        let mut out = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let value = (products[i * n + j] - sum[i] * sum[j] / count) / (count - 1.0);
                (out[i * n + j], out[j * n + i]) = (value, value);
            }
        }
        out
    }
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().map(|v| v.abs()).fold(0.0, f64::max)
}

/// The p-value of the size of an extreme. Spikes that are moved by a period of the signal see the same: what differs by
/// rounding only counts as reached.
fn reached(seen: f64, drawn: &[f64]) -> f64 {
    p_value(seen - 1e-9 * seen.abs(), drawn)
}

fn missing_covariance(f: &mut Findings<'_>, name: &str, signal: &Signal, n: usize, why: &str) {
    for metric in ["covariance_max", "covariance_min"] {
        f.metric(Metric::missing(name, metric, signal.squared(), n as u64, why));
    }
}

fn missing(f: &mut Findings<'_>, name: &str, signal: &Signal, n: usize, o: &Options, why: &str) {
    let unit = signal.unit.as_str();
    f.metric(Metric::missing(name, "peak", unit, n as u64, why));
    f.metric(Metric::missing(name, "peak_lag", f.base.unit(), n as u64, why));
    if o.covariance {
        missing_covariance(f, name, signal, n, why);
    }
    f.word(format!("{name}: {why}"));
}

fn look(f: &mut Findings<'_>, train: &Moments, signal: &Signal, o: &Options, draws: bool) -> Measured {
    let name = format!("{}->{}", train.name, signal.name);
    let lags = signal.lags;
    if lags == 0 || signal.values.len() < 2 * lags {
        let each = signal.joined().map_or_else(String::new, |joined| format!(" ({joined})"));
        return Err(AnalysisError::Unsuitable(format!(
            "{name}: `length` is {lags} lags of {} that there are{each}; it has to be one to half of them",
            signal.values.len()
        )));
    }
    if !spikedeck_core::statistics::varies(variance(&signal.values, 0), greatest(&signal.values)) {
        missing(f, &name, signal, 0, o, "the signal does not vary");
        return Ok(());
    }
    let window = signal.window();
    let used = inside(&train.times, window).to_vec();
    let n = used.len();
    if n < 2 {
        missing(f, &name, signal, n, o, "there are fewer than two spikes with the whole stretch before them");
        return Ok(());
    }
    let curve = signal.average(&used);
    let prior = (o.covariance && !signal.is_wide()).then(|| signal.covariance(None));
    let changed = prior.as_ref().map(|prior| signal.change(prior, &used));
    let found = changed.as_ref().and_then(|m| signal.extremes(m));
    let by_chance = Rotated::new(f, o, &name, signal, (&used, window), prior.as_deref())?;
    let Some(at) = (0..lags).max_by(|&a, &b| curve[a].abs().total_cmp(&curve[b].abs()).then(a.cmp(&b))) else {
        unreachable!("there is at least one lag")
    };
    let left = train.times.len() - n;
    let counted = match left {
        0 => "n = spikes".to_owned(),
        left => format!("n = spikes ({left} at the ends left out)"),
    };
    let lag = (lags - 1 - at) as f64 * signal.interval;
    let mut peak = Metric::new(&name, "peak", curve[at], &signal.unit, n as u64)
        .note(&counted)
        .note("from the mean of the signal; no interval: it is the furthest of many; the curve has a band");
    if !by_chance.peaks.is_empty() {
        let side = if curve[at] < 0.0 { -1.0 } else { 1.0 };
        let (chance, p) = (side * mean(&by_chance.peaks), reached(curve[at].abs(), &by_chance.peaks));
        peak = peak.chance(chance).p(p).null_by(by_chance.words());
    }
    let lag_note = "before the spike; no interval: a place on a grid";
    let mut place = Metric::new(&name, "peak_lag", lag, f.base.unit(), n as u64).note(lag_note);
    if let Some(joined) = signal.joined() {
        (peak, place) = (peak.note(&joined), place.note(&joined));
    }
    f.metrics([peak, place]);
    if let Some(found) = found {
        covariance(f, &name, signal, n, found, &by_chance);
    } else if o.covariance {
        let not_found = "no value: the eigenvalues of the covariance were not found";
        let why = if signal.is_wide() { signal.too_wide() } else { not_found.to_owned() };
        missing_covariance(f, &name, signal, n, &why);
    }
    f.word(format!(
        "{name}: {} {} at {} {} before {}",
        shown(curve[at]),
        signal.unit,
        shown(lag),
        f.base.unit(),
        number::counted(n, "spike", "spikes")
    ));
    if n < lags {
        f.warn(format!("{name}: {} few for {lags} lags", number::counted(n, "spike is", "spikes are")));
    }
    if draws {
        drawn(f, &train.name, signal, (&used, &curve), changed.as_deref().zip(found));
    }
    Ok(())
}

/// What rotated spikes gave: sizes of the furthest value of the average, and of the greatest and least change of the
/// covariance, the least with its sign turned round.
struct Rotated {
    peaks: Vec<f64>,
    tops: Vec<f64>,
    bottoms: Vec<f64>,
}

impl Rotated {
    fn new(
        f: &Findings<'_>,
        o: &Options,
        name: &str,
        signal: &Signal,
        (spikes, window): (&[f64], Window),
        prior: Option<&[f64]>,
    ) -> Result<Self, AnalysisError> {
        let mut all = Self { peaks: Vec::new(), tops: Vec::new(), bottoms: Vec::new() };
        let key: Key = f.key(name, "rotated");
        for k in 0..o.surrogates {
            f.progress(k as f64 / o.surrogates as f64)?;
            let moved = rotated(spikes, window, key, k);
            all.peaks.push(greatest(&signal.average(&moved)));
            if let Some((top, bottom)) = prior.and_then(|prior| signal.extremes(&signal.change(prior, &moved))) {
                all.tops.push(top);
                all.bottoms.push(-bottom);
            }
        }
        Ok(all)
    }

    fn words(&self) -> String {
        format!("chance, p: {} rotations of the spikes", self.peaks.len())
    }
}

/// The greatest and the least change of the covariance.
fn covariance(
    f: &mut Findings<'_>,
    name: &str,
    signal: &Signal,
    n: usize,
    (top, bottom): (f64, f64),
    by_chance: &Rotated,
) {
    let (tops, bottoms) = (&by_chance.tops, &by_chance.bottoms);
    let of = |metric: &str, value: f64, chance: f64, p: f64| {
        let none = "no interval: an extreme of many directions";
        let mut m = Metric::new(name, metric, value, signal.squared(), n as u64).note(none);
        if !tops.is_empty() {
            m = m.chance(chance).p(p).null_by(by_chance.words());
        }
        if let Some(joined) = signal.joined() { m.note(&joined) } else { m }
    };
    f.metrics([
        of("covariance_max", top, mean(tops), reached(top, tops)),
        of("covariance_min", bottom, -mean(bottoms), reached(-bottom, bottoms)),
    ]);
}

/// Half of the interval of the average at one lag.
fn half_width(signal: &Signal, spikes: &[f64], at: usize, value: f64) -> f64 {
    let n = spikes.len() as f64;
    let squares: f64 = spikes.iter().map(|&t| (signal.before(t)[at] - value).powi(2)).sum();
    student_quantile_of(n - 1.0) * (squares / (n - 1.0) / n).sqrt()
}

/// The curves: the average with its band, and the directions of the two extremes of the covariance.
fn drawn(
    f: &mut Findings<'_>,
    train: &str,
    signal: &Signal,
    (spikes, curve): (&[f64], &[f64]),
    covariance: Option<(&[f64], (f64, f64))>,
) {
    let lags: Vec<f64> = (0..signal.lags).map(|k| -((signal.lags - 1 - k) as f64) * signal.interval).collect();
    let ends = (0..signal.lags).map(|k| (half_width(signal, spikes, k, curve[k]), curve[k]));
    let band = ends.map(|(half, value)| (value - half, value + half)).unzip();
    let x = Axis::new("lag", f.base.unit());
    let average =
        Curve { name: "average".into(), x: lags.clone(), y: curve.to_vec(), band: Some(band), style: CurveStyle::Line };
    f.shape(
        format!("{} before {train}", signal.name),
        Shape::Series(Series {
            x: x.clone(),
            y: Axis::new(signal.label.as_str(), signal.unit.as_str()),
            curves: vec![average],
            references: vec![],
        }),
    );
    let Some((matrix, (top, bottom))) = covariance else { return };
    let curves: Vec<Curve> = [("greatest", top), ("least", bottom)]
        .into_iter()
        .filter_map(|(name, value)| {
            let y = direction(matrix, signal.lags, value)?;
            Some(Curve { name: name.into(), x: lags.clone(), y, band: None, style: CurveStyle::Line })
        })
        .collect();
    if !curves.is_empty() {
        let series = Series { x, y: Axis::new("direction", ""), curves, references: vec![] };
        f.shape(format!("covariance of {} before {train}", signal.name), Shape::Series(series));
    }
}

/// The unit vector of an eigenvalue of a symmetric matrix, by inverse iteration; the greatest entry is above zero.
fn direction(matrix: &[f64], n: usize, value: f64) -> Option<Vec<f64>> {
    let scale = greatest(matrix);
    let mut shifted = matrix.to_vec();
    for k in 0..n {
        shifted[k * n + k] -= value + 1e-9 * scale;
    }
    let mut v: Vec<f64> = (0..n).map(|k| 1.0 + 0.1 * (k as f64 * 1.7).sin()).collect();
    for _ in 0..3 {
        v = solve(&shifted, &v)?;
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        for x in &mut v {
            *x /= norm;
        }
    }
    let far = v.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    Some(v.into_iter().map(|x| x * far.signum()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, recording, run_spec, subject as named, traces, value};
    use spikedeck_scenario::{AnalysisSpec, OptionValue};
    use spikedeck_signal::Recording;

    fn run(r: &Recording, options: &[(&'static str, OptionValue)]) -> Result<crate::Outcome, AnalysisError> {
        let spec = AnalysisSpec {
            name: "x".into(),
            kind: SpikeTriggered::KIND.into(),
            of: vec![],
            source: vec![named("spikes", &[])],
            target: vec![named("V_m", &[])],
            options: options.iter().cloned().collect(),
        };
        run_spec(&SpikeTriggered, None, r, &spec)
    }

    fn normal(stream: &mut spikedeck_core::rng::Stream) -> f64 {
        (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0
    }

    /// White noise, and spikes drawn in each sample with a probability that follows `rate` of the sample 7 before.
    fn driven(seed: u64, rate: impl Fn(f64) -> f64) -> Recording {
        let mut stream = Key::new(seed, "sta", "noise").stream(0, 0);
        let values: Vec<f64> = (0..60_000).map(|_| normal(&mut stream)).collect();
        let spikes: Vec<f64> =
            (7..values.len()).filter(|&k| stream.uniform() < rate(values[k - 7])).map(|k| k as f64).collect();
        let mut r = traces(&[values], 1.0);
        r.spikes = recording(&[spikes], 1e9).spikes;
        r
    }

    fn few() -> [(&'static str, OptionValue); 2] {
        [("surrogates", OptionValue::Integer(19)), ("length", OptionValue::Number(0.02))]
    }

    /// For a rate of 0.1 (1 + 0.3 x) the average is 0.3 of the variance at the lag, and nothing elsewhere.
    #[test]
    fn the_average_of_a_linear_neuron_is_its_filter() {
        let r = driven(1, |x| 0.1 * (1.0 + 0.3 * x).max(0.0));
        let o = run(&r, &few()).unwrap();
        let subject = "p.spikes->p.V_m";
        let peak = metric(&o, subject, "peak");
        assert!((peak.value.unwrap() - 0.3).abs() < 0.05 && peak.n.unwrap() > 5000, "{peak:?}");
        assert_eq!(value(&o, subject, "peak_lag"), 7.0);
        assert!((peak.p_value.unwrap() - 0.05).abs() < 1e-12);
        // It has no quadratic part beyond that of its own square, -0.09.
        assert!((value(&o, subject, "covariance_min") + 0.09).abs() < 0.06, "{:?}", o.metrics);
    }

    /// For a rate of 0.1 x² the average is nothing, and the variance at the lag is ⟨x⁴⟩/⟨x²⟩ less 1: 2 for normal
    /// values, 1.9 for the sum of twelve uniform ones (their kurtosis is 2.9).
    #[test]
    fn the_covariance_of_a_quadratic_neuron_is_its_filter() {
        let r = driven(2, |x| (0.05 * x * x).min(1.0));
        let o = run(&r, &few()).unwrap();
        let subject = "p.spikes->p.V_m";
        let top = metric(&o, subject, "covariance_max");
        assert!((top.value.unwrap() - 1.9).abs() < 0.2 && (top.p_value.unwrap() - 0.05).abs() < 1e-12, "{top:?}");
        assert!(metric(&o, subject, "peak").p_value.unwrap() > 0.05);
        let shape = o.shapes.iter().find(|s| s.name.starts_with("covariance")).unwrap();
        let Shape::Series(series) = &shape.shape else { panic!("curves") };
        let direction = &series.curves[0];
        let at = (0..20).max_by(|&a, &b| direction.y[a].total_cmp(&direction.y[b])).unwrap();
        assert!(direction.x[at] == -7.0 && direction.y[at] > 0.98, "{direction:?}");
    }

    #[test]
    fn without_a_tie_p_is_not_small_too_often() {
        let mut below = [0; 3];
        for seed in 0..100 {
            let mut stream = Key::new(seed, "sta", "null").stream(0, 0);
            let values: Vec<f64> = (0..3000).map(|_| normal(&mut stream)).collect();
            let spikes: Vec<f64> = (0..3000).filter(|_| stream.uniform() < 0.05).map(f64::from).collect();
            let mut r = traces(&[values], 1.0);
            r.spikes = recording(&[spikes], 1e9).spikes;
            let some = [("surrogates", OptionValue::Integer(9)), ("length", OptionValue::Number(0.008))];
            let o = run(&r, &some).unwrap();
            for (count, name) in below.iter_mut().zip(["peak", "covariance_max", "covariance_min"]) {
                *count += usize::from(metric(&o, "p.spikes->p.V_m", name).p_value.unwrap() <= 0.1);
            }
        }
        assert!(below.iter().all(|n| (1..=23).contains(n)), "{below:?} of 100 at most 0.1");
    }

    #[test]
    fn what_cannot_be_said_is_said_so() {
        let mut r = traces(&[vec![1.0; 200]], 1.0);
        r.spikes = recording(&[vec![60.0, 70.0]], 1e9).spikes;
        let o = run(&r, &[]).unwrap();
        for name in ["peak", "peak_lag", "covariance_max", "covariance_min"] {
            assert_eq!(metric(&o, "p.spikes->p.V_m", name).note, "the signal does not vary");
        }
        r.traces[0].values = (0..200).map(|k| f64::from(k % 7)).collect();
        r.spikes[0].times.truncate(1);
        r.spikes[0].units.truncate(1);
        assert!(metric(&run(&r, &[]).unwrap(), "p.spikes->p.V_m", "peak").note.contains("fewer than two spikes"));
        let wide = run(&r, &[("length", OptionValue::Number(0.15))]).unwrap_err().to_string();
        assert!(wide.contains("75 lags of 100 that there are (each lag is the average of 2 samples)"), "{wide}");
        let alone = [("length", OptionValue::Number(0.15)), ("covariance", OptionValue::Flag(false))];
        let wide = run(&r, &alone).unwrap_err().to_string();
        assert!(wide.contains("150 lags of 200 that there are;"), "{wide}");
    }

    /// At the defaults the covariance is measured, whatever the interval between samples, and what a lag is is said;
    /// where `every` leaves too many lags, each pair says why it has none, and one warning what would fit.
    #[test]
    fn the_covariance_is_measured_at_the_defaults_and_its_absence_has_a_reason() {
        let mut stream = Key::new(4, "sta", "fine").stream(0, 0);
        let columns: Vec<Vec<f64>> = (0..2).map(|_| (0..10_000).map(|_| normal(&mut stream)).collect()).collect();
        let mut r = traces(&columns, 0.1);
        r.spikes = recording(&[(0..150).map(|k| 100.0 + 5.77 * f64::from(k)).collect(), vec![]], 1e9).spikes;
        let all = |o: &crate::Outcome, name: &str| -> Vec<Metric> {
            (0..2).map(|k| metric(o, &format!("p.spikes[0]->p.V_m[{k}]"), name).clone()).collect()
        };
        let run = |options: &[(&'static str, OptionValue)]| {
            let mut options = options.to_vec();
            options.push(("surrogates", OptionValue::Integer(0)));
            let spec = AnalysisSpec {
                name: "x".into(),
                kind: SpikeTriggered::KIND.into(),
                of: vec![],
                source: vec![named("spikes", &[0])],
                target: vec![named("V_m", &[])],
                options: options.into_iter().collect(),
            };
            run_spec(&SpikeTriggered, None, &r, &spec).unwrap()
        };
        // 50 ms are 500 samples: 125 lags of 4.
        let o = run(&[]);
        for m in all(&o, "covariance_max").iter().chain(&all(&o, "covariance_min")) {
            assert!(m.value.is_some(), "{m:?}");
        }
        for m in all(&o, "peak").iter().chain(&all(&o, "peak_lag")) {
            assert!(m.note.ends_with("each lag is the average of 4 samples"), "{m:?}");
        }
        assert!(o.warnings.iter().all(|w| !w.contains("covariance")), "{:?}", o.warnings);
        let written = run(&[("every", OptionValue::Integer(4))]);
        assert_eq!(all(&written, "covariance_min"), all(&o, "covariance_min"));
        let wide = run(&[("every", OptionValue::Integer(1))]);
        for m in all(&wide, "covariance_max").iter().chain(&all(&wide, "covariance_min")) {
            assert!(m.value.is_none() && m.note.contains("500 lags") && m.note.contains("`every = 4`"), "{m:?}");
        }
        assert_eq!(wide.warnings.iter().filter(|w| w.contains("covariance")).count(), 1, "{:?}", wide.warnings);
        let alone = run(&[("covariance", OptionValue::Flag(false))]);
        assert!(alone.metrics.iter().all(|m| !m.metric.starts_with("covariance")), "{:?}", alone.metrics);
        assert!(all(&alone, "peak").iter().all(|m| !m.note.contains("each lag")), "{:?}", alone.metrics);
    }

    /// Spikes moved by whole periods of a signal see what was seen: that counts as reached.
    #[test]
    fn what_differs_by_rounding_only_is_reached() {
        for seen in [1.0_f64 / 3.0, 1e-12, 7e9, -2.5] {
            let below = f64::from_bits(seen.to_bits() - 1);
            let above = f64::from_bits(seen.to_bits() + 1);
            assert_eq!(reached(seen, &[below, above, seen]), 1.0, "{seen}");
            assert_eq!(reached(seen, &[seen - 1e-6 * seen.abs()]), 0.5);
        }
    }
}
