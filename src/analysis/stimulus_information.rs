//! What responses over trials tell of the stimulus: of the condition of a trial, or of the time in it (the direct
//! method).

use super::prelude::*;
use super::subject::{bin_count, bin_of};
use spikedeck_core::information::{Table, words};
use spikedeck_core::number::shown;
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::{jackknife_blocks, jackknife_interval, p_value};
use spikedeck_scenario::Subject;
use spikedeck_signal::{Recording, SpikeTrains, TimeBase, Window};

/// The analysis `stimulus_information`.
pub struct StimulusInformation;

const CARD: AnalysisCard = AnalysisCard {
    title: "Information about the stimulus",
    synonyms: &["direct_method", "noise_entropy", "signal_information", "information_per_second", "strong_method"],
    summary: "bits that the response of a unit tells about the condition of a trial, or about the time in trials that \
              are alike (direct method)",
    formula: "I(S;R) = H(R) − Σ p(s) H(R|s): total less noise entropy\n\
              R: the number of spikes in a bin, or a word of as many bins as `word` says\n\
              S: condition (where `[trials]` has several), or the bin in the trial (where all trials are alike)",
    assumptions: "Trials are independent and alike but for their condition; many of them against the words that occur. \
                  p: responses shuffled over the trials (condition), or each trial turned round by a time of its own \
                  (time).",
    bias: "Plug-in is too large by (Σ(R_s − 1) − (R − 1))/(2N ln 2): taken off with Panzeri's and Treves' Bayes-like \
           count, or by quadratic extrapolation over trials; what is left shows in the chance column.",
    cost: "O(spikes + trials · bins), for each surrogate and trial",
    caveats: "It is a lower bound of what the response holds: finer bins and longer words hold more, until the trials \
              are too few for them. Of time it knows only stimuli that are the same in each trial.",
    references: &[
        "Strong, Koberle, de Ruyter van Steveninck, Bialek 1998, Phys Rev Lett 80:197-200, \
         doi:10.1103/PhysRevLett.80.197",
        "Panzeri, Senatore, Montemurro, Petersen 2007, J Neurophysiol 98:1064-1072, doi:10.1152/jn.00559.2007",
        "Borst, Theunissen 1999, Nat Neurosci 2:947-957, doi:10.1038/14731",
    ],
};

words! {
    /// How the bias is taken off.
    pub enum Correction {
        /// Not at all.
        None = "none",
        /// Bayes-like count of relevant words.
        PanzeriTreves = "panzeri_treves",
        /// From halves and quarters of the trials.
        Quadratic = "quadratic",
    }
}

words! {
    /// What the stimulus is.
    pub enum About {
        /// Condition where there are several, else time.
        Auto = "auto",
        /// The condition of a trial.
        Condition = "condition",
        /// The bin in the trial.
        Time = "time",
    }
}

options! {
    /// What `stimulus_information` can be told.
    pub struct Options {
        about: About = choice(About::Auto),
            "what is told of: condition: that of the trial; time: the bin in trials that are alike; auto: condition \
             where there are several";
        bin: Time = time("20 ms").or(derived::QUARTER).piece(), "bins in which spikes are counted";
        word: usize = integer("1").between(1.0, 16.0), "bins that make one word";
        start: Option<Time> = time_if_given().or_zero(), "where in each trial the response begins (default its start)";
        stop: Option<Time> = time_if_given(), "where it ends (default the end of the trial)";
        correction: Correction = choice(Correction::PanzeriTreves), "how the bias is taken off";
        surrogates: usize = integer("199").between(19.0, 100_000.0), "number of surrogates";
    }
}

/// Trials that are needed.
const LEAST: usize = 3;

impl Estimator for StimulusInformation {
    type Options = Options;
    const KIND: &'static str = "stimulus_information";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const ACROSS_TRIALS: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let trials = f.trials(LEAST)?;
        let mut conditions: Vec<&str> = Vec::new();
        let of: Vec<u32> = trials
            .iter()
            .map(|t| {
                let name = t.trial.as_ref().map_or("", |t| t.condition.as_str());
                conditions.iter().position(|c| *c == name).unwrap_or_else(|| {
                    conditions.push(name);
                    conditions.len() - 1
                }) as u32
            })
            .collect();
        let by_condition = match o.about {
            About::Auto => conditions.len() > 1,
            About::Condition if conditions.len() < 2 => {
                return Err(AnalysisError::Unsuitable(
                    "all trials have one condition: give `[trials]` an axis, or take `about = \"time\"`".into(),
                ));
            }
            About::Condition => true,
            About::Time => false,
        };
        f.each_spiking(|f, s| {
            for unit in responses(f, s, o, &trials)? {
                one(o, f, unit, by_condition.then_some((&of[..], conditions.len())))?;
            }
            Ok(())
        })
    }
}

/// Words of a unit: a row a trial.
struct Responses {
    name: String,
    rows: Vec<Vec<u32>>,
    distinct: usize,
    /// Seconds (or units of time) of a word.
    length: f64,
    spikes: u64,
}

fn responses(
    f: &Findings<'_>,
    s: &Subject,
    o: &Options,
    trials: &[&Recording],
) -> Result<Vec<Responses>, AnalysisError> {
    let whole = f.recording.analysis_window();
    let window = Window {
        start: o.start.map_or(whole.start, |t| t.axis.max(whole.start)),
        stop: o.stop.map_or(whole.stop, |t| t.axis.min(whole.stop)),
    };
    let slots = bin_count(window, o.bin.axis) / o.word;
    if slots == 0 {
        return Err(AnalysisError::Unsuitable(format!("{}: no whole word fits into a trial", s.text)));
    }
    // Counts of each unit: a row a trial.
    let mut counts: Vec<(String, Vec<Vec<u32>>)> = Vec::new();
    for trial in trials {
        let trains = SpikeTrains::new(trial);
        let request = Request { recording: trial, trains: &trains, ..*f.request };
        let found = subject::trains_within(&request, s, trial.window)?;
        if counts.is_empty() {
            let name =
                |u: u32| if found.units.len() == 1 { s.text.clone() } else { subject::unit_name(f.request, s, u) };
            counts = found.units.iter().map(|&u| (name(u), Vec::new())).collect();
        }
        for ((_, rows), train) in counts.iter_mut().zip(&found.trains) {
            let mut row = vec![0; slots * o.word];
            for &t in &train.within(window) {
                if let Some(c) = bin_of(t, window.start, o.bin.axis).and_then(|b| row.get_mut(b)) {
                    *c += 1;
                }
            }
            rows.push(row);
        }
    }
    let length = o.bin.seconds * o.word as f64;
    Ok(counts
        .into_iter()
        .map(|(name, rows)| {
            let spikes = rows.iter().flatten().map(|c| u64::from(*c)).sum();
            let alphabet = rows.iter().flatten().max().map_or(1, |m| *m as usize + 1);
            let column = |k: usize| -> Vec<u32> {
                rows.iter().flat_map(|r| r.iter().skip(k).step_by(o.word).copied()).collect()
            };
            let columns: Vec<Vec<u32>> = (0..o.word).map(column).collect();
            let (joined, distinct) =
                if o.word == 1 { (columns[0].clone(), alphabet) } else { words(&columns, alphabet) };
            Responses { name, rows: joined.chunks(slots).map(<[u32]>::to_vec).collect(), distinct, length, spikes }
        })
        .collect())
}

/// The stimulus of each word: condition of the trial, or place in it.
type Conditions<'c> = Option<(&'c [u32], usize)>;

/// Rows as they are, those of `keep` only.
fn counted(rows: &[&[u32]], labels: &[u32], conditions: usize, by_condition: bool, distinct: usize) -> Table {
    let slots = rows.first().map_or(0, |r| r.len());
    let (mut s, mut r) = (Vec::new(), Vec::new());
    for (row, &label) in rows.iter().zip(labels) {
        for (k, &word) in row.iter().enumerate() {
            s.push(if by_condition { label } else { k as u32 });
            r.push(word);
        }
    }
    Table::count(&s, &r, if by_condition { conditions } else { slots }, distinct)
}

/// Bits that words tell of the condition of their trial or of their place in it. `how`: conditions, whether of these,
/// and distinct words.
pub(super) fn information(correction: Correction, rows: &[&[u32]], labels: &[u32], how: (usize, bool, usize)) -> f64 {
    let raw = |rows: &[&[u32]], labels: &[u32]| counted(rows, labels, how.0, how.1, how.2).plug_in().information();
    let all = raw(rows, labels);
    match correction {
        Correction::None => all,
        Correction::PanzeriTreves => all - counted(rows, labels, how.0, how.1, how.2).panzeri_treves_bias(false),
        Correction::Quadratic => {
            // Trials in turn, so that each part has all conditions.
            let part = |parts: usize| {
                let one = |p: usize| {
                    let pick = |i: &usize| i / how.0.max(1) % parts == p;
                    let kept: Vec<usize> = (0..rows.len()).filter(pick).collect();
                    let rows: Vec<&[u32]> = kept.iter().map(|&i| rows[i]).collect();
                    raw(&rows, &kept.iter().map(|&i| labels[i]).collect::<Vec<_>>())
                };
                mean(&(0..parts).map(one).collect::<Vec<_>>())
            };
            spikedeck_core::information::quadratic_extrapolation(all, part(2), part(4))
        }
    }
}

fn one(o: &Options, f: &mut Findings<'_>, unit: Responses, conditions: Conditions<'_>) -> Measured {
    let trials = unit.rows.len();
    let n = (trials * unit.rows[0].len()) as u64;
    let rows: Vec<&[u32]> = unit.rows.iter().map(Vec::as_slice).collect();
    let none = vec![0; trials];
    let (labels, count) = conditions.unwrap_or((&none, 1));
    let how = (count, conditions.is_some(), unit.distinct);
    let first = unit.rows[0][0];
    let why = if unit.rows.iter().flatten().all(|w| *w == first) {
        Some("all responses are alike, of which nothing can be told")
    } else if conditions.is_none() && unit.rows[0].len() < 2 {
        Some("one word in a trial: of time nothing can be told")
    } else {
        None
    };
    if let Some(why) = why {
        f.metric(Metric::missing(&unit.name, "information", "bits", n, why));
        f.word(format!("{}: no value, {why}", unit.name));
        return Ok(());
    }
    let value = information(o.correction, &rows, labels, how);
    let plug = counted(&rows, labels, how.0, how.1, how.2).plug_in();
    let key = f.key(&unit.name, "surrogates");
    let mut drawn = Vec::with_capacity(o.surrogates);
    for k in 0..o.surrogates {
        f.progress(k as f64 / o.surrogates as f64)?;
        drawn.push(shuffled(o, &unit, labels, how, key, k as u32));
    }
    let p = p_value(value, &drawn);
    let unit_of = if f.base == TimeBase::Milliseconds { "bits/s" } else { "bits/time" };
    let about = if conditions.is_some() { format!("of {count} conditions") } else { "of the time in the trial".into() };
    let m = Metric::new(&unit.name, "information", value, "bits", n).chance(mean(&drawn)).p(p);
    let m = m
        .note(format!("{about}; correction {}; n = words", o.correction.word()))
        .null_by(format!("p against {} surrogates", drawn.len()));
    f.metric(with_interval(o, m, &rows, labels, how, p));
    f.metric(
        Metric::new(&unit.name, "information_rate", value / unit.length, unit_of, n).note("over the length of a word"),
    );
    f.metric(
        Metric::new(&unit.name, "information_raw", plug.information(), "bits", n).note("before the bias correction"),
    );
    f.metric(Metric::new(&unit.name, "total_entropy", plug.columns, "bits", n).note("plug-in, of all words"));
    f.metric(
        Metric::new(&unit.name, "noise_entropy", plug.joint - plug.rows, "bits", n)
            .note("plug-in, of words of one stimulus, mean over stimuli"),
    );
    if unit.spikes > 0 {
        let per_spike = value * n as f64 / unit.spikes as f64;
        f.metric(Metric::new(&unit.name, "bits_per_spike", per_spike, "bits", unit.spikes).note("n = spikes"));
    }
    let of_each = n as usize / if conditions.is_some() { count } else { unit.rows[0].len() };
    if of_each < 4 * plug.occupied.1 {
        f.warn(format!(
            "{}: {of_each} words of each stimulus for {} that occur: mostly bias, take shorter words or more trials",
            unit.name, plug.occupied.1
        ));
    }
    f.word(format!("{}: {} bits {about}", unit.name, shown(value)));
    Ok(())
}

/// The same with labels shuffled over trials, or with each trial turned round.
fn shuffled(o: &Options, unit: &Responses, labels: &[u32], how: (usize, bool, usize), key: Key, k: u32) -> f64 {
    let mut stream = key.stream(k, 0);
    if how.1 {
        let mut other = labels.to_vec();
        for i in (1..other.len()).rev() {
            other.swap(i, stream.below(i as u32 + 1) as usize);
        }
        let rows: Vec<&[u32]> = unit.rows.iter().map(Vec::as_slice).collect();
        return information(o.correction, &rows, &other, how);
    }
    let turned: Vec<Vec<u32>> = unit
        .rows
        .iter()
        .map(|r| {
            let by = stream.below(r.len() as u32) as usize;
            r[by..].iter().chain(&r[..by]).copied().collect()
        })
        .collect();
    information(o.correction, &turned.iter().map(Vec::as_slice).collect::<Vec<_>>(), labels, how)
}

/// With the interval that leaving out trials gives (twenty groups at the most), or why there is none.
fn with_interval(o: &Options, m: Metric, rows: &[&[u32]], labels: &[u32], how: (usize, bool, usize), p: f64) -> Metric {
    if p > 0.05 {
        return m.note("no interval: not told from 0, where the estimate is not normal");
    }
    let trials = rows.len();
    let blocks = trials.min(20);
    // Trials in turn, so that a group has all conditions.
    let groups: Vec<usize> = (0..trials).map(|i| i / how.0.max(1) % blocks).collect();
    let list: Vec<f64> = jackknife_blocks(blocks, blocks)
        .into_iter()
        .map(|b| {
            let kept: Vec<usize> = (0..trials).filter(|&i| groups[i] != b.start).collect();
            let rows: Vec<&[u32]> = kept.iter().map(|&i| rows[i]).collect();
            information(o.correction, &rows, &kept.iter().map(|&i| labels[i]).collect::<Vec<_>>(), how)
        })
        .collect();
    let Some(value) = m.value else { return m };
    match jackknife_interval(value, &list) {
        Some((low, high)) => m.interval(low.max(0.0), high).interval_by("95 % jackknife over trials"),
        None => m.note("no interval: without some trials there is no value"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, recording, run, subject, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::{Outcome, Trial};

    /// Trials of one unit: `chance(condition, bin)` is that of a spike in each of ten bins of 20 ms.
    fn trials(count: u32, conditions: u32, seed: u64, chance: impl Fn(u32, u32) -> f64) -> Recording {
        let one = |k: u32| {
            let mut s = Key::new(seed, "stimulus", "trials").stream(k, 0);
            let train = (0..10)
                .filter(|&bin| s.uniform() < chance(k % conditions, bin))
                .map(|bin| f64::from(bin) * 20.0 + 10.0)
                .collect();
            let mut r = recording(&[train], 200.0);
            let condition = if conditions > 1 { format!("c{}", k % conditions) } else { String::new() };
            r.trial = Some(Trial { number: u64::from(k), condition });
            r
        };
        let mut first = one(0);
        first.trials = (1..count).map(|k| std::sync::Arc::new(one(k))).collect();
        first
    }

    fn measured(r: &Recording, options: &[(&'static str, OptionValue)]) -> Outcome {
        run(&StimulusInformation, r, vec![subject("spikes", &[])], options).unwrap()
    }

    /// Four conditions, of which one makes the unit fire in one bin: I in closed form, H(¼) bits of a bin that shows it
    /// without a doubt.
    #[test]
    fn a_sure_response_tells_all_and_none_tells_nothing() {
        let one_bin = [("start", OptionValue::Number(0.1)), ("stop", OptionValue::Number(0.12))];
        let r = trials(400, 4, 1, |c, bin| f64::from(u8::from(c == 2 && bin == 5)));
        let o = measured(&r, &one_bin);
        let m = metric(&o, "p.spikes", "information");
        assert!((m.value.unwrap() - 0.811_278).abs() < 0.01 && m.p_value.unwrap() < 0.01, "{m:?}");
        assert!(m.note.contains("4 conditions") && value(&o, "p.spikes", "noise_entropy").abs() < 1e-9);
        let o = measured(&trials(400, 4, 2, |_, _| 0.4), &one_bin);
        let m = metric(&o, "p.spikes", "information");
        assert!(m.value.unwrap().abs() < 0.02 && m.p_value.unwrap() > 0.01 && m.ends().is_none(), "{m:?}");
    }

    /// Of time: half of the bins fire with 0.9, half with 0.1: H(½) − H(0.1) = 0.531 bits in a bin of 20 ms.
    #[test]
    fn the_direct_method_has_what_is_not_noise() {
        let r = trials(200, 1, 3, |_, bin| if bin % 2 == 0 { 0.9 } else { 0.1 });
        for correction in ["panzeri_treves", "quadratic"] {
            let o = measured(&r, &[("correction", OptionValue::Text(correction.into()))]);
            let m = metric(&o, "p.spikes", "information");
            let truth = 0.531_004;
            let (low, high) = m.ends().unwrap();
            assert!(low < truth && truth < high && high - low < 0.1 && m.p_value.unwrap() < 0.01, "{m:?}");
            assert!((value(&o, "p.spikes", "information_rate") / (m.value.unwrap() / 0.02) - 1.0).abs() < 1e-9);
            assert!((value(&o, "p.spikes", "bits_per_spike") - 2.0 * truth).abs() < 0.1);
        }
        assert!((value(&measured(&r, &[]), "p.spikes", "noise_entropy") - 0.469).abs() < 0.02);
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let few = trials(2, 1, 1, |_, _| 0.5);
        let error = run(&StimulusInformation, &few, vec![subject("spikes", &[])], &[]).unwrap_err().to_string();
        assert!(error.contains("fewer than 3"), "{error}");
        let o = measured(&trials(10, 2, 1, |_, _| 0.0), &[]);
        assert!(metric(&o, "p.spikes", "information").note.contains("alike"));
        let about = [("about", OptionValue::Text("condition".into()))];
        let one = trials(10, 1, 1, |_, _| 0.5);
        assert!(run(&StimulusInformation, &one, vec![subject("spikes", &[])], &about).is_err());
    }
}
