//! What happens around events: the average of signals, and the rate of spikes (the peri-event histogram).

mod overlap;

use super::moments::{Moments, fits, inside, moments, rotated, surrounded};
use super::prelude::*;
use overlap::Overlap;
use spikedeck_core::number::{self, shown};
use spikedeck_core::spike_lags::lags_within;
use spikedeck_core::statistics::{mean, student_quantile_of};
use spikedeck_core::surrogate::p_value;
use spikedeck_scenario::{Observable, Place, Subject};
use spikedeck_signal::{Axis, Curve, CurveStyle, ReferenceLine, Series, Shape, Train, Window};
use std::collections::HashSet;

/// The analysis `event_average`.
pub struct EventAverage;

const CARD: AnalysisCard = AnalysisCard {
    title: "Event-triggered average",
    synonyms: &["event_triggered_average", "eta", "peri_event_average"],
    summary: "the average of signals, or the rate of spikes, around events, and what changes with them",
    formula: "A(τ) = ⟨x(t_k + τ)⟩ over events k; of spikes their rate per unit in bins (τ − Δ, τ]\nresponse = mean of \
              A in (0, after]; baseline = mean of A in (−before, 0]; change = response − baseline\npeak = A at the \
              greatest |A(τ) − mean of x|",
    assumptions: "`source` are events: spikes of units (also trials and epochs of a file, `trials.spikes[0]`), or a \
                  signal, whose rises through `level` they are. `target` are signals, spikes or rates. A spike that \
                  is an event is not counted around itself. Events nearer to the ends of the window than `before` \
                  and `after` are left out. Intervals are Student's t over events; events nearer to each other than \
                  `before` + `after` share as much as their stretches overlap (Newey and West), and count as that \
                  many fewer. p of change: one sign drawn anew for each block of events in a row, which ends where \
                  nothing overlaps, or after one and a half to three times `before` + `after` where events are \
                  furthest apart; none with fewer than 6 blocks; p of peak: all events moved together by one time \
                  (on a circle), which keeps their rhythm and that of the target.",
    bias: "A is unbiased. The peak is the largest of many and therefore large: compare with its chance.",
    cost: "O(events · lags) a pair, once for each surrogate",
    caveats: "Where stretches around most events overlap, few are left that tell anything of their own: there is no \
              interval below five, and the response to one event is the baseline of another, so that p of change is \
              too large rather than too small. A signal that remembers longer than a stretch makes intervals too \
              narrow. A response to the last event may stand in the baseline of the next. A signal of the unit itself \
              follows its spikes whatever the network does, and a rate (`POP.rate`) holds the event where it is a \
              spike of POP.",
    references: &[
        "Gerstein and Kiang 1960, doi:10.1016/S0006-3495(60)86872-5",
        "Dayan and Abbott 2001, Theoretical Neuroscience, ISBN 978-0262041997, chapter 1",
        "Newey and West 1987, doi:10.2307/1913610",
        "Phipson and Smyth 2010, doi:10.2202/1544-6115.1585",
    ],
};

options! {
    /// What `event_average` can be told.
    pub struct Options {
        before: Time = time("100 ms").or(derived::FIVE), "length of the stretch before an event";
        after: Time = time("200 ms").or(derived::TEN), "length of the stretch after an event";
        bin: Time = time("5 ms").or(derived::QUARTER).piece(), "width of the bins of spikes and rates";
        level: Option<f64> = number_if_given(),
            "where `source` is a signal: events are its rises through this value, in its unit (default half-way from \
             its least to its greatest)";
        surrogates: usize = integer("199").between(0.0, 100_000.0), "rotations of the events (0: none)";
    }
}

/// Pairs up to which each has a curve.
const MOST_DRAWN: usize = 16;
/// Drawings of signs for the p-value of the change.
const FLIPS: usize = 1999;
/// Blocks of events that have one: fewer than 2^5 signs tell little.
const LEAST_BLOCKS: usize = 6;

impl Estimator for EventAverage {
    type Options = Options;
    const KIND: &'static str = "event_average";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const CAUSAL: Option<&str> = Some(crate::prefilter::AROUND_EVENTS);

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let spec = f.request.spec;
        if spec.source.is_empty() || spec.target.is_empty() {
            return Err(AnalysisError::Unsuitable(
                "write `source`, events such as \"POP.spikes[0]\" or \"trials.spikes[0]\", and `target`, such as \
                 \"POP.V_m\" or \"POP.spikes\""
                    .into(),
            ));
        }
        fits(f.request, o.before, o.after)?;
        let mut events = Vec::new();
        for s in &spec.source {
            events.extend(Events::all(f, s, o)?);
        }
        let mut targets = Vec::new();
        for s in &spec.target {
            targets.extend(Target::all(f, s, o)?);
        }
        let pairs: Vec<(usize, usize)> =
            (0..events.len()).flat_map(|e| (0..targets.len()).map(move |t| (e, t))).collect();
        let draws = pairs.len() <= MOST_DRAWN;
        f.each(&pairs, |f, &(e, t)| look(f, &events[e], &targets[t], o, draws))
    }
}

/// Events, and the units whose spikes they are; no unit where they are the rises of a signal.
struct Events {
    moments: Moments,
    place: Place,
    units: Vec<(u32, Train)>,
}

impl Events {
    fn all(f: &Findings<'_>, s: &Subject, o: &Options) -> Result<Vec<Self>, AnalysisError> {
        let rows = moments(f.request, s, o.level, o.bin)?;
        let mut units: Vec<Vec<(u32, Train)>> = vec![Vec::new(); rows.len()];
        if s.what == Observable::Spikes {
            let t = subject::trains(f.request, s)?;
            let each = t.units.into_iter().zip(t.trains);
            // One row holds all units, several are a unit each.
            units = if rows.len() == 1 { vec![each.collect()] } else { each.map(|one| vec![one]).collect() };
        }
        let place = s.place;
        Ok(rows.into_iter().zip(units).map(|(moments, units)| Self { moments, place, units }).collect())
    }

    /// The events, ascending, that are among the spikes of the target.
    fn among(&self, target: &Target) -> Vec<f64> {
        if self.place != target.place || !matches!(target.values, Values::Spikes(..)) {
            return Vec::new();
        }
        let looked_at: HashSet<u32> = target.units.iter().copied().collect();
        let shared = self.units.iter().filter(|(unit, _)| looked_at.contains(unit));
        let mut times: Vec<f64> = shared.flat_map(|(_, train)| train.iter().copied()).collect();
        times.sort_by(f64::total_cmp);
        times
    }
}

/// What is averaged.
struct Target {
    name: String,
    place: Place,
    /// The units of spikes.
    units: Vec<u32>,
    /// What the values are, and their unit.
    label: (String, String),
    window: Window,
    values: Values,
}

enum Values {
    /// Samples, the time of the first, and the interval.
    Sampled(Vec<f64>, f64, f64),
    /// Spikes of all units, ascending, how many units, and spikes per bin to rate.
    Spikes(Vec<f64>, f64),
}

impl Target {
    /// Whether the values are rates, in `unit`, which are nowhere below 0.
    fn is_rate(&self, unit: &str) -> bool {
        matches!(self.values, Values::Spikes(..)) || self.label.1 == unit
    }

    fn all(f: &Findings<'_>, s: &Subject, o: &Options) -> Result<Vec<Self>, AnalysisError> {
        let seconds = f.base.seconds();
        if s.what == Observable::Spikes {
            let t = subject::trains(f.request, s)?;
            let mut all: Vec<f64> = t.trains.iter().flat_map(|t| t.iter().copied()).collect();
            all.sort_by(f64::total_cmp);
            let factor = 1.0 / (t.trains.len().max(1) as f64 * o.bin.axis * seconds);
            return Ok(vec![Self {
                name: s.text.clone(),
                place: s.place,
                units: t.units,
                label: ("rate".to_owned(), f.base.rate_unit().to_owned()),
                window: t.window,
                values: Values::Spikes(all, factor),
            }]);
        }
        let columns = subject::columns(f.request, s, o.bin)?;
        let (start, interval) = (columns.start, columns.interval);
        let end = start + columns.len().saturating_sub(1) as f64 * interval;
        let window = Window { start, stop: end.max(start) };
        let label = (columns.label.clone(), columns.unit.clone());
        let names: Vec<String> = (0..columns.columns.len()).map(|k| columns.name(k)).collect();
        let rows = names.into_iter().zip(columns.columns);
        Ok(rows
            .map(|(name, values)| Self {
                name,
                place: s.place,
                units: Vec::new(),
                label: label.clone(),
                window,
                values: Values::Sampled(values, start, interval),
            })
            .collect())
    }

    /// The lags at which the average is known.
    fn lags(&self, o: &Options) -> Vec<f64> {
        let step = self.step(o);
        let (before, after) = ((o.before.axis / step + 1e-9).floor(), (o.after.axis / step + 1e-9).floor());
        (1..=(before + after) as usize).map(|k| (k as f64 - before) * step).collect()
    }

    fn step(&self, o: &Options) -> f64 {
        match self.values {
            Values::Sampled(_, _, interval) => interval,
            Values::Spikes(..) => o.bin.axis,
        }
    }

    /// The mean of the target without events.
    fn overall(&self, o: &Options) -> f64 {
        match &self.values {
            Values::Sampled(values, ..) => mean(values),
            Values::Spikes(times, factor) => times.len() as f64 * factor * o.bin.axis / self.window.length(),
        }
    }

    /// Adds what is around each event, a value a lag, to `each`. The sample nearest to an event is that at lag 0. Those
    /// of `own` are events and spikes of the target: each is left out at the event that it is, once.
    fn around(&self, events: &[f64], own: &[f64], lags: &[f64], mut each: impl FnMut(usize, &[f64])) {
        let (first, count) = (lags[0], lags.len());
        let mut row = vec![0.0; count];
        match &self.values {
            Values::Sampled(values, start, interval) => {
                let offset = (first / interval).round() as i64;
                for (k, t) in events.iter().enumerate() {
                    let from = ((t - start) / interval).round() as i64 + offset;
                    let place = |j: usize| (from + j as i64).clamp(0, values.len() as i64 - 1) as usize;
                    row.iter_mut().enumerate().for_each(|(j, v)| *v = values[place(j)]);
                    each(k, &row);
                }
            }
            Values::Spikes(times, factor) => {
                let step = if count > 1 { lags[1] - lags[0] } else { lags[0].abs() };
                let (low, high) = (first - step, lags[count - 1]);
                let most = low.abs().max(high.abs()) * (1.0 + 1e-9);
                let (mut from, mut next) = (0, 0);
                for (k, &t) in events.iter().enumerate() {
                    row.fill(0.0);
                    while own.get(next).is_some_and(|&u| u < t) {
                        next += 1;
                    }
                    // Events at one time look alike, so that it does not matter which of them leaves a spike out.
                    let mut is_own = own.get(next) == Some(&t);
                    next += usize::from(is_own);
                    while from < times.len() && times[from] < t - most {
                        from += 1;
                    }
                    lags_within(&[t], &times[from..], most, |lag| {
                        if is_own && lag == 0.0 {
                            is_own = false;
                        } else if let Some(v) = subject::bin_of(lag, low, step).and_then(|bin| row.get_mut(bin)) {
                            *v += factor;
                        }
                    });
                    each(k, &row);
                }
            }
        }
    }

    /// The average around events that are no spikes of the target.
    fn average(&self, events: &[f64], lags: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; lags.len()];
        self.around(events, &[], lags, |_, row| sum.iter_mut().zip(row).for_each(|(s, v)| *s += v));
        for s in &mut sum {
            *s /= events.len() as f64;
        }
        sum
    }
}

fn missing(f: &mut Findings<'_>, name: &str, target: &Target, n: usize, why: &str) {
    let unit = target.label.1.as_str();
    for (metric, unit) in
        [("baseline", unit), ("response", unit), ("change", unit), ("peak", unit), ("peak_time", f.base.unit())]
    {
        f.metric(Metric::missing(name, metric, unit, n as u64, why));
    }
    f.word(format!("{name}: {why}"));
}

fn look(f: &mut Findings<'_>, source: &Events, target: &Target, o: &Options, draws: bool) -> Measured {
    let events = &source.moments;
    let name = format!("{}->{}", events.name, target.name);
    let lags = target.lags(o);
    let zero = lags.partition_point(|&lag| lag <= 1e-9 * o.after.axis);
    if zero == 0 || zero == lags.len() {
        let step = target.step(o);
        let what = format!("{name}: `before` and `after` have to hold at least one step of {step} {}", f.base.unit());
        return Err(AnalysisError::Unsuitable(what));
    }
    let window = surrounded(target.window, o.before.axis, o.after.axis);
    let used = inside(&events.times, window).to_vec();
    let n = used.len();
    if n == 0 {
        let why = match events.times.len() {
            0 => "there is no event".to_owned(),
            all => format!("none of {all} events has all of `before` and `after` inside the window"),
        };
        missing(f, &name, target, 0, &why);
        return Ok(());
    }
    let left = events.times.len() - n;
    let (mut sum, mut squares) = (vec![0.0; lags.len()], vec![0.0; lags.len()]);
    let (mut baseline, mut response) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let overall = target.overall(o);
    target.around(&used, &source.among(target), &lags, |_, row| {
        for (j, v) in row.iter().enumerate() {
            sum[j] += v - overall;
            squares[j] += (v - overall) * (v - overall);
        }
        baseline.push(mean(&row[..zero]));
        response.push(mean(&row[zero..]));
    });
    let curve: Vec<f64> = sum.iter().map(|s| s / n as f64 + overall).collect();
    let unit = target.label.1.clone();
    let counted = match left {
        0 => "n = events".to_owned(),
        left => format!("n = events ({left} near the ends of the window left out)"),
    };
    let shared = Overlap::new(&used, o.before.axis + o.after.axis);
    // A change may be negative; a rate is not.
    let floor = if target.is_rate(f.base.rate_unit()) { 0.0 } else { f64::NEG_INFINITY };
    let over = |metric: &str, values: &[f64], floor: f64| {
        interval(Metric::new(&name, metric, mean(values), &unit, n as u64).note(&counted), values, &shared, floor)
    };
    f.metric(over("baseline", &baseline, floor));
    f.metric(over("response", &response, floor));
    let change: Vec<f64> = response.iter().zip(&baseline).map(|(r, b)| r - b).collect();
    let mut changed = over("change", &change, f64::NEG_INFINITY);
    changed = changed.chance(0.0).ground(Basis::Chance, "chance of a change: 0");
    if n > 1 {
        let blocks = shared.sums(&change);
        let number = blocks.len();
        changed = if number < LEAST_BLOCKS {
            let s = if number == 1 { "" } else { "s" };
            changed.note(format!("no p: {n} events make {number} block{s}, fewer than {LEAST_BLOCKS}"))
        } else {
            changed
                .p(flipped(&blocks, f.key(&name, "signs")))
                .null_by(format!("p: {FLIPS} drawings of signs of {number} blocks of events in a row"))
        };
    }
    f.metric(changed);
    peak(f, &name, target, (&used, window), (&lags, &curve, overall), o)?;
    f.word(format!("{name}: change of {} {unit} with {}", shown(mean(&change)), number::counted(n, "event", "events")));
    if n < 10 {
        f.warn(format!(
            "{name}: {} few: intervals and p-values are coarse",
            number::counted(n, "event is", "events are")
        ));
    }
    if draws {
        let half = |j: usize| {
            let variance = (squares[j] - sum[j] * sum[j] / n as f64).max(0.0) / (n as f64 - 1.0);
            student_quantile_of(n as f64 - 1.0) * (variance / n as f64).sqrt()
        };
        let band = (n > 1).then(|| {
            let ends = (0..lags.len()).map(|j| (curve[j] - half(j), curve[j] + half(j)));
            ends.unzip()
        });
        let steps = matches!(target.values, Values::Spikes(..));
        let style = if steps { CurveStyle::Steps } else { CurveStyle::Line };
        let curves = vec![Curve { name: name.clone(), x: lags, y: curve, band, style }];
        let references = vec![ReferenceLine { name: "event".into(), at: 0.0, vertical: true }];
        let (x, y) = (Axis::new("lag", f.base.unit()), Axis::new(target.label.0.as_str(), unit.as_str()));
        f.shape(
            format!("average of {} around {}", target.name, events.name),
            Shape::Series(Series { x, y, curves, references }),
        );
    }
    Ok(())
}

/// A mean over events with its interval, which is not below `floor`.
fn interval(made: Metric, values: &[f64], shared: &Overlap, floor: f64) -> Metric {
    if values.len() < 2 {
        return made.note("one event has no interval");
    }
    if values.iter().all(|v| *v == values[0]) {
        return made.note("no interval: all events are alike");
    }
    let Some(half) = shared.half_width(values) else {
        let overlap = shared.worth();
        return made.note(format!("no interval: stretches overlap, and the events are worth {overlap:.1}"));
    };
    let (low, high) = (mean(values) - half, mean(values) + half);
    made.interval(low.max(floor), high)
        .interval_by("95 % interval over events (t; overlap of their stretches taken off)")
}

/// The value of the average that is furthest from the mean of the target, against rotated events.
fn peak(
    f: &mut Findings<'_>,
    name: &str,
    target: &Target,
    (events, window): (&[f64], Window),
    (lags, curve, overall): (&[f64], &[f64], f64),
    o: &Options,
) -> Measured {
    let (n, unit) = (events.len() as u64, target.label.1.as_str());
    let furthest = |curve: &[f64]| curve.iter().map(|v| (v - overall).abs()).fold(0.0, f64::max);
    let Some(at) = (0..curve.len())
        .max_by(|&a, &b| (curve[a] - overall).abs().total_cmp(&(curve[b] - overall).abs()).then(b.cmp(&a)))
    else {
        unreachable!("there are lags on both sides of an event")
    };
    let mut metric = Metric::new(name, "peak", curve[at], unit, n)
        .note("n = events; no interval: it is the furthest of many; the curve has a band");
    if o.surrogates > 0 && window.length() > 0.0 {
        let key = f.key(name, "rotated");
        let mut drawn = Vec::with_capacity(o.surrogates);
        for k in 0..o.surrogates {
            f.progress(k as f64 / o.surrogates as f64)?;
            drawn.push(furthest(&target.average(&rotated(events, window, key, k), lags)));
        }
        let side = if curve[at] < overall { -1.0 } else { 1.0 };
        // Counts of as many spikes are summed in another way: what differs by rounding only counts as reached.
        let rounding = 1e-9 * curve.iter().map(|v| v.abs()).fold(overall.abs(), f64::max);
        metric = metric
            .chance(overall + side * mean(&drawn))
            .p(p_value(furthest(curve) - rounding, &drawn))
            .null_by(format!("chance, p: {} rotations of the events", o.surrogates));
    }
    f.metric(metric);
    f.metric(
        Metric::new(name, "peak_time", lags[at], f.base.unit(), n)
            .note("of the furthest value, after the event; no interval: a place on a grid"),
    );
    Ok(())
}

/// The chance that a mean of this size comes from changes of either sign alike.
fn flipped(change: &[f64], key: spikedeck_core::rng::Key) -> f64 {
    // Signs that give the same mean sum it in another way, and to what is zero but for rounding as well.
    let rounding = 1e-12 * change.iter().map(|d| d.abs()).sum::<f64>() / change.len() as f64;
    let seen = mean(change).abs() - rounding;
    let drawn: Vec<f64> = (0..FLIPS)
        .map(|k| {
            let mut stream = key.stream(k as u32, 0);
            let signed = change.iter().map(|d| if stream.uniform() < 0.5 { *d } else { -d });
            (signed.sum::<f64>() / change.len() as f64).abs()
        })
        .collect();
    p_value(seen, &drawn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run_spec, shifted, subject as named, traces, value};
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::{AnalysisSpec, OptionValue};
    use spikedeck_signal::Recording;

    fn run(
        r: &Recording,
        source: Subject,
        target: Subject,
        options: &[(&'static str, OptionValue)],
    ) -> Result<crate::Outcome, AnalysisError> {
        let options = options.iter().cloned().collect();
        let (source, target) = (vec![source], vec![target]);
        let spec =
            AnalysisSpec { name: "x".into(), kind: EventAverage::KIND.into(), of: vec![], source, target, options };
        run_spec(&EventAverage, None, r, &spec)
    }

    /// An event in each second, followed by a pulse that decays.
    fn pulses(trials: usize, noise: f64) -> Recording {
        let mut stream = Key::new(3, "event", "noise").stream(0, 0);
        let mut values = vec![0.0; 1000 * trials];
        let mut events = Vec::new();
        for k in 0..trials {
            // At odd places, as people's trials are.
            let at = 1000 * k + 200 + 37 * (k % 7);
            events.push(at as f64);
            for j in 0..100 {
                values[at + j] += 3.0 * (-(j as f64) / 20.0).exp();
            }
        }
        for v in &mut values {
            *v += noise * (stream.uniform() - 0.5);
        }
        let mut r = traces(&[values], 1.0);
        r.spikes = recording(&[events], 1e9).spikes;
        r
    }

    #[test]
    fn the_average_is_the_pulse_that_follows_events() {
        let r = pulses(40, 0.0);
        let few = [("surrogates", OptionValue::Integer(39)), ("after", OptionValue::Number(0.1))];
        let o = run(&r, named("spikes", &[]), named("V_m", &[]), &few).unwrap();
        let subject = "p.spikes->p.V_m";
        // The pulse begins at lag 0, where it is 3, and its mean over lags 1 to 100 is that of the exponential.
        assert!((value(&o, subject, "peak") - 3.0).abs() < 1e-12 && value(&o, subject, "peak_time") == 0.0);
        let wanted: f64 = (1..100).map(|j| 3.0 * (-f64::from(j) / 20.0).exp()).sum::<f64>() / 100.0;
        assert!((value(&o, subject, "response") - wanted).abs() < 1e-12);
        assert!((value(&o, subject, "baseline") - 3.0 / 100.0).abs() < 1e-12);
        let peak = metric(&o, subject, "peak");
        assert!(peak.p_value.unwrap() <= 0.026 && peak.chance.unwrap() < 1.0, "{peak:?}");
        assert_eq!(metric(&o, subject, "change").n, Some(40));
    }

    #[test]
    fn noise_around_events_gives_intervals_that_hold_the_truth() {
        let (mut held, trials) = (0, 200);
        for seed in 0..trials {
            let mut stream = Key::new(seed, "event", "null").stream(0, 0);
            let values: Vec<f64> = (0..20_000).map(|_| stream.uniform() - 0.5).collect();
            let mut r = traces(&[values], 1.0);
            r.spikes = recording(&[poisson(seed, 1, 2.0, 20_000.0)], 1e9).spikes;
            let none = [("surrogates", OptionValue::Integer(0))];
            let o = run(&r, named("spikes", &[]), named("V_m", &[]), &none).unwrap();
            let (low, high) = metric(&o, "p.spikes->p.V_m", "response").ends().unwrap();
            held += usize::from(low <= 0.0 && 0.0 <= high);
        }
        // Windows overlap a little: 92 of 100 hold.
        assert!(held >= 174, "{held} of {trials}");
    }

    /// Spikes that follow events by 10 ms each: one bin of the histogram holds all of them.
    #[test]
    fn the_rate_around_events_is_their_histogram() {
        let events: Vec<f64> = (0..50).map(|k| 500.0 + 1000.0 * f64::from(k) + 13.0 * f64::from(k % 5)).collect();
        let answers: Vec<f64> = events.iter().map(|t| t + 10.0).collect();
        let r = recording(&[events, answers], 50_000.0);
        let few = [("surrogates", OptionValue::Integer(39)), ("after", OptionValue::Number(0.1))];
        let o = run(&r, named("spikes", &[0]), named("spikes", &[1]), &few).unwrap();
        let subject = "p.spikes[0]->p.spikes[1]";
        assert!((value(&o, subject, "peak") - 200.0).abs() < 1e-9, "one spike in 5 ms");
        assert_eq!((value(&o, subject, "peak_time"), value(&o, subject, "baseline")), (10.0, 0.0));
        assert!((value(&o, subject, "response") - 10.0).abs() < 1e-9, "one spike in 100 ms");
        assert!((metric(&o, subject, "change").p_value.unwrap() - 1.0 / 2000.0).abs() < 1e-12);
        // Absolute times change nothing: seconds since 1970.
        let late = shifted(&r, 1.7e12);
        let o = run(&late, named("spikes", &[0]), named("spikes", &[1]), &few).unwrap();
        assert!((value(&o, subject, "response") - 10.0).abs() < 1e-9);
    }

    /// The curve of an outcome at a lag.
    fn at_lag(o: &crate::Outcome, lag: f64) -> f64 {
        let Shape::Series(series) = &o.shapes[0].shape else { panic!("a curve") };
        let curve = &series.curves[0];
        let place = curve.x.iter().position(|x| (x - lag).abs() < 1e-9).unwrap();
        curve.y[place]
    }

    /// A spike is not its own neighbour: around the spikes of a Poisson train its rate is what it is elsewhere.
    #[test]
    fn a_train_around_its_own_spikes_has_no_peak_at_lag_zero() {
        let r = recording(&[poisson(5, 0, 10.0, 200_000.0), poisson(5, 1, 10.0, 200_000.0)], 200_000.0);
        let few = [("surrogates", OptionValue::Integer(19))];
        for target in [&[0][..], &[0, 1], &[1]] {
            let target = named("spikes", target);
            let subject = format!("p.spikes[0]->{}", target.text);
            let o = run(&r, named("spikes", &[0]), target, &few).unwrap();
            // With the event in the bin before lag 0 the change would be -10 Hz, and the bin at 210 Hz.
            assert!(value(&o, &subject, "change").abs() < 1.5, "{:?}", o.metrics);
            assert!((at_lag(&o, 0.0) - 10.0).abs() < 5.0, "{subject}: {}", at_lag(&o, 0.0));
        }
    }

    /// Only the event itself is left out: not the spike of another unit at the same time, nor of the same unit.
    #[test]
    fn spikes_at_the_time_of_an_event_that_are_others_are_counted() {
        let times: Vec<f64> = (1..20).map(|k| 1000.0 * f64::from(k)).collect();
        let few = [("surrogates", OptionValue::Integer(19))];
        let pooled = Subject { mean: true, ..named("spikes", &[]) };
        let r = recording(&[times.clone(), times.clone()], 20_000.0);
        // Each of the two at one time has the other around it: one spike of two units in 5 ms.
        let o = run(&r, pooled.clone(), named("spikes", &[]), &few).unwrap();
        assert!((at_lag(&o, 0.0) - 100.0).abs() < 1e-9, "{}", at_lag(&o, 0.0));
        // Events of both, spikes of the first: those of the second have one around them, those of the first none.
        let o = run(&r, pooled, named("spikes", &[0]), &few).unwrap();
        assert!((at_lag(&o, 0.0) - 100.0).abs() < 1e-9, "{}", at_lag(&o, 0.0));
        let o = run(&r, named("spikes", &[0]), named("spikes", &[0]), &few).unwrap();
        assert!(at_lag(&o, 0.0).abs() < 1e-9, "{}", at_lag(&o, 0.0));
        let twice: Vec<f64> = times.iter().flat_map(|&t| [t, t]).collect();
        let o = run(&recording(&[twice], 20_000.0), named("spikes", &[0]), named("spikes", &[0]), &few).unwrap();
        assert!((at_lag(&o, 0.0) - 200.0).abs() < 1e-9, "{}", at_lag(&o, 0.0));
    }

    /// Changes that cancel reach their own size with any signs that cancel: p is 1, whatever rounding leaves.
    #[test]
    fn signs_that_give_the_same_mean_are_ties() {
        let key = Key::new(2, "event", "ties");
        assert_eq!(flipped(&[0.1, 0.2, -0.3], key), 1.0);
        // All of one sign: two of 2^3 signs reach it.
        let p = flipped(&[0.1, 0.2, 0.3], key);
        assert!((p - 0.25).abs() < 0.05, "{p}");
    }

    /// p-values of the peak without any tie are not small more often than they say.
    #[test]
    fn p_values_of_the_peak_hold_their_level() {
        let mut below = 0;
        for seed in 0..200 {
            let r = recording(&[poisson(seed, 0, 5.0, 20_000.0), poisson(seed, 1, 10.0, 20_000.0)], 20_000.0);
            let few = [("surrogates", OptionValue::Integer(19)), ("bin", OptionValue::Number(0.02))];
            let o = run(&r, named("spikes", &[0]), named("spikes", &[1]), &few).unwrap();
            below += usize::from(metric(&o, "p.spikes[0]->p.spikes[1]", "peak").p_value.unwrap() <= 0.1);
        }
        assert!((8..=36).contains(&below), "{below} of 200 at most 0.1");
    }

    /// An effect is found where stretches overlap all the time, and none where there is none: 405 events in 20 s, each
    /// followed by an answer of half of the noise, with stretches of 300 ms.
    #[test]
    fn the_change_is_found_where_stretches_overlap_and_not_where_there_is_none() {
        let none = [("surrogates", OptionValue::Integer(0))];
        let change = |seed: u64, rate: f64, size: f64| {
            let mut stream = Key::new(seed, "event", "overlap").stream(0, 0);
            let mut values: Vec<f64> = (0..20_000).map(|_| stream.uniform() - 0.5).collect();
            let events = poisson(seed, 7, rate, 20_000.0);
            for t in &events {
                let at = t.round() as usize;
                values.iter_mut().skip(at + 1).take(20).for_each(|v| *v += size);
            }
            let mut r = traces(&[values], 1.0);
            r.spikes = recording(&[events], 1e9).spikes;
            let o = run(&r, named("spikes", &[]), named("V_m", &[]), &none).unwrap();
            metric(&o, "p.spikes->p.V_m", "change").clone()
        };
        for rate in [20.0, 40.0] {
            let mut found = 0;
            for seed in 0..20 {
                let m = change(seed, rate, 0.15);
                found += u32::from(m.p_value.unwrap() <= 0.05);
                assert!(m.note.contains("blocks of events"), "{m:?}");
            }
            assert!(found >= 17, "{rate}: found {found} of 20 times");
        }
        for rate in [4.0, 20.0] {
            let small = (100..300).filter(|&seed| change(seed, rate, 0.0).p_value.unwrap() <= 0.1).count();
            // Binomial of 200: 0.1 gives more than 34 with a chance of 0.001.
            assert!(small <= 34, "{rate}: {small} of 200");
        }
        let r = recording(&[(0..40).map(|k| 300.0 + 20.0 * f64::from(k)).collect()], 2000.0);
        let o = run(&r, named("spikes", &[]), named("rate", &[]), &none).unwrap();
        let m = metric(&o, "p.spikes->p.rate", "change");
        assert!(m.p_value.is_none() && m.note.contains("no p: 40 events make 1 block, fewer than 6"), "{m:?}");
    }

    #[test]
    fn what_cannot_be_said_is_said_so() {
        let r = recording(&[vec![], vec![5.0], vec![500.0]], 1000.0);
        let o = run(&r, named("spikes", &[0]), named("spikes", &[2]), &[]).unwrap();
        assert_eq!(metric(&o, "p.spikes[0]->p.spikes[2]", "peak").note, "there is no event");
        let o = run(&r, named("spikes", &[1]), named("spikes", &[2]), &[]).unwrap();
        assert!(metric(&o, "p.spikes[1]->p.spikes[2]", "peak").note.contains("none of 1 events"));
        let o = run(&r, named("spikes", &[2]), named("spikes", &[1]), &[]).unwrap();
        let change = metric(&o, "p.spikes[2]->p.spikes[1]", "change");
        assert!(change.ends().is_none() && change.p_value.is_none() && change.note.contains("no interval"));
        for key in ["before", "after"] {
            let long = [(key, OptionValue::Number(1e12))];
            let error = run(&r, named("spikes", &[2]), named("spikes", &[1]), &long).unwrap_err().to_string();
            assert!(error.contains("longer than the 1 s that are analysed"), "{error}");
        }
        let wrong = run(&r, named("spikes", &[2]), named("spikes", &[1]), &[("before", OptionValue::Number(0.001))]);
        assert!(wrong.unwrap_err().to_string().contains("at least one step"));
    }
}
