//! Phase-of-firing information: what the phase of a signal at the spikes tells of the stimulus beyond their number.

use super::band_filter::{self, one_band};
use super::prelude::*;
use super::spike_field::Field;
use super::stimulus_information::{About, Correction, information};
use super::subject::{bin_count, bin_of};
use spikedeck_core::analytic::BandPass;
use spikedeck_core::number;
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::{jackknife_interval, p_value};
use spikedeck_core::units::short;
use spikedeck_scenario::{Band, Observable};
use spikedeck_signal::{Axis, Curve, CurveStyle, Recording, Series, Shape, SpikeTrains, TimeBase, Window};
use std::f64::consts::TAU;

/// The analysis `phase_of_firing`.
pub struct PhaseOfFiring;

const CARD: AnalysisCard = AnalysisCard {
    title: "Phase-of-firing information",
    synonyms: &["phase_coding", "phase_code", "phase_information", "phase_of_firing_information", "multiplexing"],
    summary: "bits that the phase of a signal at the spikes of a unit tells about the condition of a trial, or about \
              the time in it, beyond those of the number of spikes",
    formula: "gain = I(S; N, Φ) − I(S; N), I(S; R) = Σ p(s, r) log₂ p(s, r)/(p(s) p(r)) with its bias taken off\n\
              N: spikes in a bin;  Φ: part of the cycle (of `phases` equal ones) of their mean phase; none without\n\
              S: condition (where `[trials]` has several), or the bin in the trial (where all trials are alike)",
    assumptions: "`source` is the signal, `target` the spikes. Trials are independent and alike but for their \
                  condition. The phase is that of the band-passed signal of each trial. p: the phases of the trials in \
                  another order of the trials, turned round by a number of spikes, against the spikes as they are. \
                  Interval: jackknife over trials.",
    bias: "Plug-in is too large by more for (N, Φ), which has more values, than for N: that alone looks like a gain. \
           It is taken off both (Panzeri and Treves, or quadratic extrapolation over trials); what is left is the \
           chance column.",
    cost: "O(samples log samples) a trial and signal, O(spikes + trials · bins) a unit for each surrogate",
    caveats: "Where the signal itself is locked to the stimulus its phase is a clock: the gain is then what a clock \
              and the spikes tell together. The filter takes the ends of every trial: short trials and slow bands \
              leave nothing. Bins in which many spikes have one mean phase hide what each phase tells: take short \
              ones.",
    references: &[
        "Montemurro, Rasch, Murayama, Logothetis, Panzeri 2008, doi:10.1016/j.cub.2008.02.023",
        "Kayser, Montemurro, Logothetis, Panzeri 2009, Neuron 61:597-608, doi:10.1016/j.neuron.2009.01.008",
        "Panzeri, Senatore, Montemurro, Petersen 2007, doi:10.1152/jn.00559.2007",
    ],
};

options! {
    /// What `phase_of_firing` can be told.
    pub struct Options {
        band: Vec<Band> = bands(), "band of the signal, as \"NAME LOW HIGH\" in Hz (default: theta 4 8)";
        filter: BandPass = band_filter::filter();
        phases: usize = integer("4").between(2.0, 32.0), "equal parts of the cycle that are told apart";
        about: About = choice(About::Auto),
            "what is told of: condition: that of the trial; time: the bin in trials that are alike; auto: condition \
             where there are several";
        bin: Time = time("10 ms").or(derived::QUARTER).piece(), "bins in which spikes are counted";
        start: Option<Time> = time_if_given().or_zero(), "where in each trial the response begins (default its start)";
        stop: Option<Time> = time_if_given(), "where it ends (default the end of the trial)";
        correction: Correction = choice(Correction::PanzeriTreves), "how the bias is taken off";
        surrogates: usize = integer("199").between(19.0, 100_000.0), "other orders of the phases";
        rate_bin: Time = rate_bin(), "bin of `POP.rate` as the signal";
    }
}

/// Trials that are needed.
const LEAST: usize = 3;
/// Most units times signals.
const MOST_PAIRS: usize = 256;
/// Pairs up to which each has a picture.
const MOST_DRAWN: usize = 6;
/// Groups of trials that the jackknife leaves out at most.
const GROUPS: usize = 20;

impl Estimator for PhaseOfFiring {
    type Options = Options;
    const KIND: &'static str = "phase_of_firing";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const ACROSS_TRIALS: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let trials = f.trials(LEAST)?;
        let stimulus = Stimulus::of(o, &trials)?;
        let band = one_band("band", &o.band, 1, f.base)?;
        let fields = fields(f, o, &band, &trials)?;
        let units = trains(f, &trials)?;
        let pairs: Vec<(usize, usize)> =
            (0..fields.len()).flat_map(|k| (0..units.len()).map(move |u| (k, u))).collect();
        if pairs.len() > MOST_PAIRS {
            return Err(AnalysisError::Unsuitable(format!(
                "{} signals and {} units make {} pairs; at most {MOST_PAIRS} are looked at: choose some, as in \
                 `POP.spikes[0..20]`",
                fields.len(),
                units.len(),
                pairs.len()
            )));
        }
        let draws = pairs.len() <= MOST_DRAWN;
        let told = band_filter::told(&band, o.filter, f.base);
        f.each(&pairs, |f, &(k, u)| {
            let name = format!("{}->{}", fields[k].0, units[u].0);
            let words = Words::of(f, o, &name, &fields[k].1, &units[u].1)?;
            look(f, o, &name, &words, &stimulus, (&told, draws))
        })
    }
}

/// What is told of.
struct Stimulus {
    names: Vec<String>,
    /// The condition of each trial.
    labels: Vec<u32>,
    by_condition: bool,
}

impl Stimulus {
    fn of(o: &Options, trials: &[&Recording]) -> Result<Self, AnalysisError> {
        let mut names: Vec<String> = Vec::new();
        let mut labels = Vec::with_capacity(trials.len());
        for trial in trials {
            let name = trial.trial.as_ref().map_or("", |t| t.condition.as_str());
            let known = names.iter().position(|n| n == name);
            labels.push(known.unwrap_or(names.len()) as u32);
            if known.is_none() {
                names.push(name.to_owned());
            }
        }
        let several = names.len() > 1;
        if o.about == About::Condition && !several {
            return Err(AnalysisError::Unsuitable(
                "all trials have one condition: give `[trials]` an axis, or take `about = \"time\"`".into(),
            ));
        }
        let by_condition = match o.about {
            About::Auto => several,
            About::Condition => true,
            About::Time => false,
        };
        Ok(Self { names, labels, by_condition })
    }

    /// How words are counted: conditions, whether they are told of, and how many words there are.
    fn how(&self, distinct: usize) -> (usize, bool, usize) {
        (self.names.len(), self.by_condition, distinct)
    }
}

/// The signals within the band, a field a trial.
fn fields(
    f: &Findings<'_>,
    o: &Options,
    band: &Band,
    trials: &[&Recording],
) -> Result<Vec<(String, Vec<Field>)>, AnalysisError> {
    let mut all: Vec<(String, Vec<Field>)> = Vec::new();
    for s in &f.request.spec.source {
        let from = all.len();
        for trial in trials {
            let spikes = SpikeTrains::new(trial);
            let request = Request { recording: trial, trains: &spikes, ..*f.request };
            let columns = subject::columns(&request, s, o.rate_bin)?;
            for k in 0..columns.columns.len() {
                if all.len() == from + k {
                    all.push((columns.name(k), Vec::new()));
                }
                let rate = columns.sampling_rate();
                let within = band_filter::within(&columns.columns[k], rate, band, o.filter, f.base);
                let wrong = |why: String| AnalysisError::Unsuitable(format!("{} in a trial: {why}", columns.name(k)));
                all[from + k].1.push(Field::new(within.map_err(wrong)?, &columns));
            }
        }
    }
    if all.is_empty() {
        Err(AnalysisError::Unsuitable("`source` is the signal, such as \"POP.V_m\"".into()))
    } else {
        Ok(all)
    }
}

/// The trains of the units, one a trial.
type Trains = Vec<(String, Vec<Vec<f64>>)>;

fn trains(f: &Findings<'_>, trials: &[&Recording]) -> Result<Trains, AnalysisError> {
    let mut all: Trains = Vec::new();
    for s in &f.request.spec.target {
        if s.what != Observable::Spikes {
            let what = format!("{}: `target` has to be spikes, such as \"POP.spikes\"", s.text);
            return Err(AnalysisError::Unsuitable(what));
        }
        let from = all.len();
        for trial in trials {
            let spikes = SpikeTrains::new(trial);
            let request = Request { recording: trial, trains: &spikes, ..*f.request };
            let found = subject::trains_within(&request, s, trial.analysis_window())?;
            for (k, (&unit, train)) in found.units.iter().zip(&found.trains).enumerate() {
                if all.len() == from + k {
                    let alone = found.units.len() == 1;
                    let name = if alone { s.text.clone() } else { subject::unit_name(f.request, s, unit) };
                    all.push((name, Vec::new()));
                }
                all[from + k].1.push(train.to_vec());
            }
        }
    }
    Ok(all)
}

/// Counts and phases of a unit in the bins of all trials.
struct Words {
    /// Spikes in each bin, a row a trial.
    counts: Vec<Vec<u32>>,
    /// Part of the cycle in each bin with spikes, those of one trial after the other.
    parts: Vec<Vec<u32>>,
    phases: u32,
    most: u32,
    /// Seconds (or units of time) of a bin.
    length: f64,
    /// Times of the middles of the bins.
    middles: Vec<f64>,
}

impl Words {
    fn of(
        f: &Findings<'_>,
        o: &Options,
        name: &str,
        fields: &[Field],
        trains: &[Vec<f64>],
    ) -> Result<Self, AnalysisError> {
        let whole = f.recording.analysis_window();
        // The phase is known in what the filter leaves of the trial.
        let known = (fields[0].start, fields[0].start + fields[0].length());
        let window = Window {
            start: o.start.map_or(whole.start, |t| t.axis).max(whole.start).max(known.0),
            stop: o.stop.map_or(whole.stop, |t| t.axis).min(whole.stop).min(known.1),
        };
        let slots = if window.start < window.stop { bin_count(window, o.bin.axis) } else { 0 };
        if slots == 0 {
            return Err(AnalysisError::Unsuitable(format!(
                "{name}: no whole bin fits into what the filter leaves of a trial ({} to {} {})",
                short(known.0),
                short(known.1),
                f.base.unit()
            )));
        }
        let (mut counts, mut parts) = (Vec::new(), Vec::new());
        for (field, train) in fields.iter().zip(trains) {
            let mut row = vec![0_u32; slots];
            let mut sums = vec![spikedeck_core::fft::Complex64::default(); slots];
            for &t in train {
                let Some(bin) = bin_of(t, window.start, o.bin.axis).filter(|b| *b < slots) else { continue };
                let Some(z) = field.arrow((t - field.start) / field.interval) else { continue };
                row[bin] += 1;
                sums[bin] += z;
            }
            let part = |z: &spikedeck_core::fft::Complex64| {
                let turn = (z.arg() / TAU).rem_euclid(1.0);
                ((turn * o.phases as f64) as u32).min(o.phases as u32 - 1)
            };
            parts.push(row.iter().zip(&sums).filter(|(n, _)| **n > 0).map(|(_, z)| part(z)).collect());
            counts.push(row);
        }
        let most = counts.iter().flatten().copied().max().expect("there are trials with bins");
        let middles = (0..slots).map(|k| window.start + (k as f64 + 0.5) * o.bin.axis).collect();
        Ok(Self { counts, parts, phases: o.phases as u32, most, length: o.bin.seconds, middles })
    }

    /// Words of counts and parts, with the parts in this order.
    fn joined(&self, parts: &[u32]) -> Vec<Vec<u32>> {
        let mut next = parts.iter();
        let mut word = |n: &u32| match n {
            0 => 0,
            n => 1 + (n - 1) * self.phases + next.next().expect("a part for each bin with spikes"),
        };
        self.counts.iter().map(|row| row.iter().map(&mut word).collect()).collect()
    }

    fn distinct(&self) -> usize {
        (1 + self.most * self.phases) as usize
    }

    /// The parts of trials in another order, turned round.
    fn mixed(&self, key: Key, number: usize) -> Vec<u32> {
        let mut stream = key.stream(number as u32, 0);
        let mut order: Vec<usize> = (0..self.parts.len()).collect();
        (1..order.len()).rev().for_each(|k| order.swap(k, stream.below(k as u32 + 1) as usize));
        let mut all: Vec<u32> = order.iter().flat_map(|&t| self.parts[t].iter().copied()).collect();
        let by = stream.below(all.len().max(1) as u32) as usize;
        all.rotate_left(by);
        all
    }
}

fn slices(rows: &[Vec<u32>]) -> Vec<&[u32]> {
    rows.iter().map(Vec::as_slice).collect()
}

fn look(
    f: &mut Findings<'_>,
    o: &Options,
    name: &str,
    words: &Words,
    stimulus: &Stimulus,
    (filter, draws): (&str, bool),
) -> Measured {
    let slots = words.middles.len();
    let n = (words.counts.len() * slots) as u64;
    let own: Vec<u32> = words.parts.iter().flatten().copied().collect();
    let why = if own.len() < 10 {
        Some(format!("spikes in {} bins are too few (least: 10)", own.len()))
    } else if !stimulus.by_condition && slots < 2 {
        Some("one bin in a trial: of time nothing can be told".into())
    } else {
        None
    };
    if let Some(why) = why {
        for metric in ["gain", "information", "information_count"] {
            f.metric(Metric::missing(name, metric, "bits", n, &why));
        }
        f.word(format!("{name}: no value, {why}"));
        return Ok(());
    }
    let (of_counts, of_both) = (stimulus.how(words.most as usize + 1), stimulus.how(words.distinct()));
    let both = |rows: &[Vec<u32>]| information(o.correction, &slices(rows), &stimulus.labels, of_both);
    let joined = words.joined(&own);
    let (count, whole) =
        (information(o.correction, &slices(&words.counts), &stimulus.labels, of_counts), both(&joined));
    let gain = whole - count;
    let key = f.key(name, "phases");
    let mut drawn = Vec::with_capacity(o.surrogates);
    for k in 0..o.surrogates {
        f.progress(k as f64 / o.surrogates as f64)?;
        drawn.push(both(&words.joined(&words.mixed(key, k))) - count);
    }
    let p = p_value(gain, &drawn);
    let about = if stimulus.by_condition {
        format!("of {} conditions", stimulus.names.len())
    } else {
        format!("of the time in the trial ({slots} bins)")
    };
    let m = Metric::new(name, "gain", gain, "bits", n)
        .chance(mean(&drawn))
        .p(p)
        .note(format!("{about}, by {} parts of the cycle; n = bins; {} with spikes", o.phases, own.len()))
        .note(format!("correction {}", o.correction.word()))
        .null_by(format!("p against {} surrogates", drawn.len()))
        .note(filter);
    f.metric(match left_out(o, words, &joined, stimulus, p) {
        Err(why) => m.note(why),
        Ok(list) => match jackknife_interval(gain, &list) {
            Some((low, high)) => m.interval(low, high).interval_by("95 % jackknife over trials"),
            None => m.note("no interval: without some trials there is no value"),
        },
    });
    let rest = "no interval: the gain has one";
    f.metric(Metric::new(name, "information", whole, "bits", n).note("of number and phase").note(rest));
    f.metric(Metric::new(name, "information_count", count, "bits", n).note("of the number of spikes alone").note(rest));
    let unit = if f.base == TimeBase::Milliseconds { "bits/s" } else { "bits/time" };
    f.metric(Metric::new(name, "gain_rate", gain / words.length, unit, n).note("over the length of a bin").note(rest));
    let (more, alone) = (number::shown(gain), number::shown(count));
    f.word(format!("{name}: the phase adds {more} to {alone} bits {about} (p {})", number::p_value(p)));
    if draws {
        picture(f, name, words, &joined, stimulus);
    }
    Ok(())
}

/// The gain without groups of trials in turn.
fn left_out(
    o: &Options,
    words: &Words,
    joined: &[Vec<u32>],
    stimulus: &Stimulus,
    p: f64,
) -> Result<Vec<f64>, &'static str> {
    if p > 0.05 {
        return Err("no interval: not told from 0, where the estimate is not normal");
    }
    let trials = words.counts.len();
    let groups = trials.min(GROUPS);
    // Trials in turn, so that a group has all conditions.
    let of = |trial: usize| trial / stimulus.names.len().max(1) % groups;
    let without = |out: usize| {
        let kept: Vec<usize> = (0..trials).filter(|&t| of(t) != out).collect();
        let labels: Vec<u32> = kept.iter().map(|&t| stimulus.labels[t]).collect();
        let rows = |all: &[Vec<u32>], distinct: usize| {
            let rows: Vec<&[u32]> = kept.iter().map(|&t| all[t].as_slice()).collect();
            information(o.correction, &rows, &labels, stimulus.how(distinct))
        };
        rows(joined, words.distinct()) - rows(&words.counts, words.most as usize + 1)
    };
    let used = (0..trials).map(of).max().map_or(0, |last| last + 1);
    Ok((0..used).map(without).collect())
}

/// Which share of the bins with spikes is in each part of the cycle, by condition or over time.
fn picture(f: &mut Findings<'_>, name: &str, words: &Words, joined: &[Vec<u32>], stimulus: &Stimulus) {
    let stimuli = if stimulus.by_condition { stimulus.names.len() } else { words.middles.len() };
    if stimuli < 2 {
        return;
    }
    let mut tally = vec![vec![0.0; stimuli]; words.phases as usize];
    for (row, &label) in joined.iter().zip(&stimulus.labels) {
        for (k, word) in row.iter().enumerate().filter(|(_, word)| **word > 0) {
            let part = (word - 1) % words.phases;
            tally[part as usize][if stimulus.by_condition { label as usize } else { k }] += 1.0;
        }
    }
    let total = |s: usize| tally.iter().map(|t| t[s]).sum::<f64>();
    let known: Vec<usize> = (0..stimuli).filter(|&s| total(s) > 0.0).collect();
    let x: Vec<f64> = known.iter().map(|&s| if stimulus.by_condition { s as f64 } else { words.middles[s] }).collect();
    let part = |k: usize| {
        let degrees = |k: usize| short(360.0 * k as f64 / f64::from(words.phases));
        format!("{} to {} degrees", degrees(k), degrees(k + 1))
    };
    let curves = tally
        .iter()
        .enumerate()
        .map(|(k, counts)| Curve {
            name: part(k),
            x: x.clone(),
            y: known.iter().map(|&s| counts[s] / total(s)).collect(),
            band: None,
            style: CurveStyle::Line,
        })
        .collect();
    let x = if stimulus.by_condition { Axis::new("condition", "") } else { super::psth::axis(f) };
    let y = Axis::new("share of bins with spikes", "");
    f.shape(format!("phases of {name}"), Shape::Series(Series { x, y, curves, references: Vec::new() }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, recording, run_spec, subject, traces, value};
    use spikedeck_scenario::{AnalysisSpec, OptionValue};
    use spikedeck_signal::{Outcome, Trial};
    use std::sync::Arc;

    const NAME: &str = "p.V_m->p.spikes";

    fn look_at(r: &Recording, more: &[(&'static str, OptionValue)]) -> Result<Outcome, AnalysisError> {
        let mut options: std::collections::BTreeMap<_, _> = more.iter().cloned().collect();
        options.insert("band", OptionValue::Bands(vec![Band { name: "alpha".into(), low: 7.0, high: 14.0 }]));
        options.insert("filter", OptionValue::Text("butterworth".into()));
        options.insert("bin", OptionValue::Number(0.1));
        // Bins that are the cycles.
        options.entry("start").or_insert(OptionValue::Number(0.5));
        options.entry("stop").or_insert(OptionValue::Number(2.5));
        options.insert("surrogates", OptionValue::Integer(99));
        let spec = AnalysisSpec {
            name: "x".into(),
            kind: "phase_of_firing".into(),
            of: vec![],
            source: vec![subject("V_m", &[])],
            target: vec![subject("spikes", &[])],
            options,
        };
        run_spec(&PhaseOfFiring, None, r, &spec)
    }

    /// Trials of 3 s with a rhythm of 10 Hz that begins at a phase of its own. In each cycle of 100 ms there is a spike
    /// with this chance, in the middle of the quarter that `quarter` says of condition, cycle and draw.
    fn trials(
        seed: u64,
        (count, conditions): (u32, u32),
        chance: impl Fn(u32) -> f64,
        quarter: impl Fn(u32, u32, f64) -> u32,
    ) -> Recording {
        let one = |k: u32| {
            let mut s = Key::new(seed, "phase of firing", "trials").stream(k, 0);
            let (first, condition) = (s.uniform(), k % conditions);
            let rhythm = (0..3000).map(|t| (TAU * (f64::from(t) / 100.0 + first)).cos()).collect();
            let mut train = Vec::new();
            for cycle in 0..30 {
                let (fires, draw) = (s.uniform() < chance(condition), s.uniform());
                let turn = (f64::from(quarter(condition, cycle, draw)) + 0.5) / 4.0;
                if fires {
                    train.push(100.0 * (f64::from(cycle) + (turn - first).rem_euclid(1.0)));
                }
            }
            let mut r = recording(&[train], 3000.0);
            r.traces = traces(&[rhythm], 1.0).traces;
            let condition = if conditions > 1 { format!("c{condition}") } else { String::new() };
            r.trial = Some(Trial { number: u64::from(k), condition });
            r
        };
        let mut first = one(0);
        first.trials = (1..count).map(|k| Arc::new(one(k))).collect();
        first
    }

    /// A spike in half of the cycles whose quarter is the condition: two bits of phase in half of the bins, and none of
    /// the number.
    #[test]
    fn phases_tell_what_counts_do_not() {
        let o = look_at(&trials(1, (80, 4), |_| 0.5, |c, _, _| c), &[]).unwrap();
        let m = metric(&o, NAME, "gain");
        assert!((m.value.unwrap() - 1.0).abs() < 0.06 && m.p_value.unwrap() <= 0.01, "{m:?}");
        let (low, high) = m.ends().unwrap();
        assert!(low < 1.0 && 1.0 < high && m.chance.unwrap().abs() < 0.02, "{m:?}");
        assert!(value(&o, NAME, "information_count").abs() < 0.02);
        let rate = value(&o, NAME, "gain_rate");
        assert!((rate - 10.0 * m.value.unwrap()).abs() < 1e-9);
    }

    /// Numbers tell of the condition, phases do not: locked to one quarter, or anywhere.
    #[test]
    fn counts_tell_what_phases_do_not() {
        for locked in [true, false] {
            let quarter = |_, _, draw: f64| if locked { 2 } else { (4.0 * draw) as u32 };
            let o = look_at(&trials(2, (80, 2), |c| 0.2 + 0.6 * f64::from(c), quarter), &[]).unwrap();
            let m = metric(&o, NAME, "gain");
            assert!(m.value.unwrap().abs() < 0.02 && m.ends().is_none() == (m.p_value.unwrap() > 0.05), "{m:?}");
            // Firing in 0.2 and in 0.8 of the bins: 1 − h(0.2) bits.
            let truth = 1.0 + 0.2 * 0.2_f64.log2() + 0.8 * 0.8_f64.log2();
            assert!((value(&o, NAME, "information_count") - truth).abs() < 0.06);
        }
    }

    /// One condition: quarters that go round from cycle to cycle tell of the time as much as of a condition, and
    /// quarters that are drawn tell nothing.
    #[test]
    fn phases_tell_of_time() {
        let o = look_at(&trials(3, (60, 1), |_| 0.5, |_, cycle, _| cycle % 4), &[]).unwrap();
        let m = metric(&o, NAME, "gain");
        assert!((m.value.unwrap() - 1.0).abs() < 0.15 && m.p_value.unwrap() <= 0.01, "{m:?}");
        assert!(m.note.contains("of the time in the trial (20 bins)"), "{}", m.note);
        let o = look_at(&trials(5, (60, 1), |_| 0.5, |_, _, draw| (4.0 * draw) as u32), &[]).unwrap();
        let m = metric(&o, NAME, "gain");
        assert!(m.p_value.unwrap() > 0.01 && m.value.unwrap().abs() < 0.06, "{m:?}");
    }

    #[test]
    fn what_cannot_be_said_is_said_so() {
        let o = look_at(&trials(4, (4, 2), |_| 0.02, |_, _, _| 0), &[]).unwrap();
        assert!(metric(&o, NAME, "gain").note.contains("too few"), "{:?}", o.metrics);
        let two = trials(4, (2, 2), |_| 0.5, |_, _, _| 0);
        assert!(look_at(&two, &[]).unwrap_err().to_string().contains("fewer than 3"));
        let alike = trials(4, (4, 1), |_| 0.5, |_, _, _| 0);
        let about = [("about", OptionValue::Text("condition".into()))];
        assert!(look_at(&alike, &about).unwrap_err().to_string().contains("one condition"));
        let late = [("start", OptionValue::Number(2.95))];
        assert!(look_at(&alike, &late).unwrap_err().to_string().contains("no whole bin fits"));
    }
}
