//! Phase precession: how the phase of a rhythm at which a unit fires turns with a variable.

use super::band_filter::{self, one_band};
use super::prelude::*;
use super::spike_field::{Field, units};
use spikedeck_core::analytic::BandPass;
use spikedeck_core::bootstrap;
use spikedeck_core::number;
use spikedeck_core::precession::{Line, correlation, fit};
use spikedeck_core::statistics::{mean, quantile};
use spikedeck_core::surrogate::p_value;
use spikedeck_core::units::short;
use spikedeck_scenario::{Band, Subject};
use spikedeck_signal::{Axis, CurveStyle, Series, Shape};
use std::f64::consts::{PI, TAU};

/// The analysis `phase_precession`.
pub struct PhasePrecession;

const CARD: AnalysisCard = AnalysisCard {
    title: "Phase precession",
    synonyms: &["theta_precession", "precession_slope", "circular_linear", "circular_linear_correlation"],
    summary: "how the phase of a rhythm at which a unit fires turns with a variable, such as a place: slope and \
              circular-linear correlation",
    formula: "slope a = argmax |Σ e^(i(φ_k − 2πa x_k))|/n over |a| ≤ most/(span of x)\n\
              ρ = Σ sin(φ_k − φ̄) sin(θ_k − θ̄)/√(Σ sin²(φ_k − φ̄) Σ sin²(θ_k − θ̄)), θ = 2π|a|x",
    assumptions: "`source` are the rhythm and the variable, in this order; `target` are the spikes, each unit by \
                  itself; mean(...) pools. φ_k is the phase of the band-passed rhythm at spike k, 0 at its crest; x_k \
                  is the variable then. Cycles of the rhythm are independent of each other given x; spikes of one \
                  cycle need not be. p: values of x exchanged between cycles, with the slope sought anew. Intervals: \
                  bootstrap of cycles.",
    bias: "The resultant of the best of many slopes is large by chance: look at the chance column. Spikes at the ends, \
           where the filter does not know the phase, are left out.",
    cost: "O(samples log samples + spikes · most · (surrogates + replicates))",
    caveats: "Spikes of several fields, or of both directions of running, lie on several lines, of which the fit finds \
              one or none: cut the field out with `low` and `high` and choose the `course`. The slope of all passes \
              together is flatter than that of each pass, where passes differ in their phase. A slope at the end of \
              the range of slopes is not found but bounded.",
    references: &[
        "Kempter, Leibold, Buzsáki, Diba, Schmidt 2012, doi:10.1016/j.jneumeth.2012.03.007",
        "O'Keefe, Recce 1993, Hippocampus 3:317-330, doi:10.1002/hipo.450030307",
    ],
};

words! {
    /// When spikes are looked at.
    pub enum Course {
        /// Always.
        Both = "both",
        /// While the variable rises.
        Rising = "rising",
        /// While it falls.
        Falling = "falling",
    }
}

options! {
    /// What `phase_precession` can be told.
    pub struct Options {
        band: Vec<Band> = bands(), "band of the rhythm, as \"NAME LOW HIGH\" in Hz (default: theta 4 8)";
        filter: BandPass = band_filter::filter();
        low: Option<f64> = number_if_given(), "least value of the variable that is looked at: where the field begins";
        high: Option<f64> = number_if_given(), "largest value: where it ends";
        course: Course = choice(Course::Both),
            "whether spikes are looked at always, or while the variable rises or falls";
        most: f64 = number("2").between(0.1, 20.0),
            "largest slope that is tried, in cycles over the span of the variable";
        surrogates: usize = integer("499").between(19.0, 100_000.0), "exchanges of the variable between cycles";
        replicates: usize = integer("499").between(99.0, 100_000.0), "resamplings of cycles for the intervals";
        bin: Time = rate_bin(), "bin of `POP.rate` as the rhythm or the variable";
    }
}

/// Fewest cycles with spikes that anything is said of.
const LEAST_CYCLES: usize = 10;
/// Units up to which each has a picture of its own.
const MOST_DRAWN: usize = 6;

impl Estimator for PhasePrecession {
    type Options = Options;
    const KIND: &'static str = "phase_precession";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;

    fn together(o: &Options, _: RunTimes) -> Result<(), Wrong> {
        match (o.low, o.high) {
            (Some(low), Some(high)) if low >= high => Err(Wrong {
                key: "high",
                message: "`high` is not above `low`".into(),
                help: "they are the ends of the field".into(),
            }),
            _ => Ok(()),
        }
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let spec = f.request.spec;
        let [rhythm, variable] = &spec.source[..] else {
            return Err(AnalysisError::Unsuitable(format!(
                "`source` are {} subjects; two are wanted: the rhythm and the variable that the phase turns with, such \
                 as [\"field.r\", \"track.x\"]",
                spec.source.len()
            )));
        };
        let band = one_band("band", &o.band, 1, f.base)?;
        let rhythm = one_column(f, rhythm, o.bin)?;
        let variable = one_column(f, variable, o.bin)?;
        let told = band_filter::told(&band, o.filter, f.base);
        let within = band_filter::within(&rhythm.columns[0], rhythm.sampling_rate(), &band, o.filter, f.base);
        let field = match within {
            Ok(within) => Field::new(within, &rhythm),
            Err(why) => return Err(AnalysisError::Unsuitable(format!("{}: {why}", rhythm.name(0)))),
        };
        let turns = field.turns();
        let middle = middle(o, &variable);
        let mut trains = Vec::new();
        for s in &spec.target {
            trains.extend(units(f.request, s, "target")?);
        }
        let draws = trains.len() <= MOST_DRAWN;
        f.each(&trains, |f, (unit, spikes)| {
            let name = format!("{}->{unit}", variable.name(0));
            let seen = Seen::of(o, spikes, (&field, &turns), &variable);
            look(o, f, &name, &seen, (&variable, middle, &told), draws)
        })
    }
}

/// The one column of a subject.
fn one_column(f: &Findings<'_>, s: &Subject, bin: Time) -> Result<subject::Columns, AnalysisError> {
    let columns = subject::columns(f.request, s, bin)?;
    if columns.columns.len() == 1 {
        return Ok(columns);
    }
    Err(AnalysisError::Unsuitable(format!(
        "{} means {} signals, and one is wanted: choose it, as in `{}[0]`, or take `mean({})`",
        s.text,
        columns.columns.len(),
        subject::stem(f.request, s),
        s.text
    )))
}

/// Spikes with phase and variable, those of one cycle after the other.
#[derive(Debug, Clone, Default, PartialEq)]
struct Seen {
    phases: Vec<f64>,
    x: Vec<f64>,
    /// Where each cycle that has spikes begins and ends among them.
    cycles: Vec<std::ops::Range<usize>>,
    /// Spikes that are left out.
    left: usize,
}

impl Seen {
    fn of(o: &Options, spikes: &[f64], (field, turns): (&Field, &[i64]), variable: &subject::Columns) -> Self {
        let (mut seen, mut last) = (Self::default(), None);
        for t in spikes {
            let place = (t - field.start) / field.interval;
            let Some((z, x)) = field.arrow(place).zip(value_at(o, variable, *t)) else {
                seen.left += 1;
                continue;
            };
            let turn = turns[(place as usize).min(turns.len() - 1)];
            if last != Some(turn) {
                seen.cycles.push(seen.x.len()..seen.x.len());
                last = Some(turn);
            }
            seen.phases.push(z.arg());
            seen.x.push(x);
            seen.cycles.last_mut().expect("one was begun above").end += 1;
        }
        seen
    }

    /// The mean of the variable in each cycle.
    fn means(&self) -> Vec<f64> {
        self.cycles.iter().map(|c| mean(&self.x[c.clone()])).collect()
    }

    /// One value for all spikes of a cycle.
    fn spread(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        self.cycles.iter().zip(values).flat_map(|(c, v)| std::iter::repeat_n(v, c.len())).collect()
    }
}

/// The middle of the values that are looked at.
fn middle(o: &Options, variable: &subject::Columns) -> f64 {
    let known = || variable.columns[0].iter().copied().filter(|v| v.is_finite());
    let low = o.low.unwrap_or_else(|| known().fold(f64::INFINITY, f64::min));
    let high = o.high.unwrap_or_else(|| known().fold(f64::NEG_INFINITY, f64::max));
    0.5 * (low + high)
}

/// The variable at a time, if it is one that is looked at.
fn value_at(o: &Options, variable: &subject::Columns, time: f64) -> Option<f64> {
    let values = &variable.columns[0];
    let place = (time - variable.start) / variable.interval;
    if place < -0.5 || place > values.len() as f64 - 0.5 {
        return None;
    }
    let k = (place.round().max(0.0) as usize).min(values.len() - 1);
    // The nearest sample, and not a mean of two: a place on a ring jumps.
    let x = values[k];
    let (before, after) = (values[k.saturating_sub(1)], values[(k + 1).min(values.len() - 1)]);
    let on = match o.course {
        Course::Both => true,
        Course::Rising => after > before,
        Course::Falling => after < before,
    };
    (on && x.is_finite() && o.low.is_none_or(|low| x >= low) && o.high.is_none_or(|high| x <= high)).then_some(x)
}

fn look(
    o: &Options,
    f: &mut Findings<'_>,
    name: &str,
    seen: &Seen,
    (variable, centre, filter): (&subject::Columns, f64, &str),
    draws: bool,
) -> Measured {
    let n = seen.x.len() as u64;
    let slope_unit = if variable.unit.is_empty() { String::new() } else { format!("1/{}", variable.unit) };
    let enough = seen.cycles.len() >= LEAST_CYCLES;
    let Some(line) = fit(&seen.phases, &seen.x, centre, o.most).filter(|_| enough) else {
        let why = if enough {
            "the variable is the same at all spikes".to_owned()
        } else {
            let left = seen.left;
            format!("spikes in {} cycles are too few (least: {LEAST_CYCLES}); {left} are left out", seen.cycles.len())
        };
        for (metric, unit) in [("slope", slope_unit.as_str()), ("resultant", ""), ("correlation", ""), ("phase", "rad")]
        {
            f.metric(Metric::missing(name, metric, unit, n, &why));
        }
        f.word(format!("{name}: no value, {why}"));
        return Ok(());
    };
    // The test holds each cycle at its mean, as the exchange does.
    let means = seen.means();
    let tried = |x: &[f64]| {
        let line = fit(&seen.phases, x, centre, o.most);
        line.map_or((0.0, 0.0), |line| (line.length, correlation(&seen.phases, x, line.slope).abs()))
    };
    let whole = tried(&seen.spread(means.iter().copied()));
    let key = f.key(name, "exchanges");
    let (mut lengths, mut sizes) = (Vec::with_capacity(o.surrogates), Vec::with_capacity(o.surrogates));
    for k in 0..o.surrogates {
        if k % 16 == 0 {
            f.progress(0.5 * k as f64 / o.surrogates as f64)?;
        }
        let mut stream = key.stream(k as u32, 0);
        let mut other = means.clone();
        (1..other.len()).rev().for_each(|i| other.swap(i, stream.below(i as u32 + 1) as usize));
        let (length, size) = tried(&seen.spread(other.into_iter()));
        lengths.push(length);
        sizes.push(size);
    }
    let p = p_value(whole.0, &lengths);
    let intervals = if p <= 0.05 { resampled(o, f, name, seen, centre, line)? } else { None };
    let ends = |m: Metric, ends: Option<(f64, f64)>| match ends {
        Some((low, high)) => m.interval(low, high).interval_by("95 % bootstrap of cycles"),
        None if p > 0.05 => m.note("no interval: not told from chance"),
        None => m.note("no interval: too many resamplings without a value"),
    };
    let tested = format!("p: {} exchanges of the variable between {} cycles", lengths.len(), seen.cycles.len());
    let counted = if seen.left > 0 { format!("n = spikes ({} left out)", seen.left) } else { "n = spikes".into() };
    let rho = correlation(&seen.phases, &seen.x, line.slope);
    let slope = Metric::new(name, "slope", line.slope, slope_unit, n)
        .p(p)
        .note(format!("cycles in one unit of {}", variable.name(0)))
        .note(&counted)
        .null_by(&tested)
        .note(filter);
    f.metric(ends(slope, intervals.map(|i| i.0)));
    f.metric(
        Metric::new(name, "resultant", line.length, "", n)
            .chance(mean(&lengths))
            .p(p)
            .note("of what phases are off the line")
            .null_by(&tested)
            .note("no interval: the largest over slopes"),
    );
    let m = Metric::new(name, "correlation", rho, "", n)
        .p(p_value(whole.1, &sizes))
        .note(format!("circular-linear; chance of its size {}", number::shown(mean(&sizes))))
        .null_by(&tested);
    f.metric(ends(m, intervals.map(|i| i.1)));
    let at_zero = (line.phase - TAU * line.slope * centre + PI).rem_euclid(TAU) - PI;
    let phase = Metric::new(name, "phase", line.phase, "rad", n).note(format!(
        "on the line where the variable is {}, the middle of what is looked at; {} at 0",
        short(centre),
        short(at_zero)
    ));
    f.metric(ends(phase, intervals.map(|i| i.2)));
    let span =
        seen.x.iter().copied().fold(f64::NEG_INFINITY, f64::max) - seen.x.iter().copied().fold(f64::INFINITY, f64::min);
    if (line.slope * span).abs() > 0.99 * o.most {
        f.warn(format!("{name}: the slope is at the end of what is tried: cut the field out, or raise `most`"));
    }
    f.word(format!("{name}: {} cycles over the field, p {}", number::shown(line.slope * span), number::p_value(p)));
    if draws {
        drawn(f, name, seen, variable, line, centre);
    }
    Ok(())
}

/// Ends of slope, correlation and phase.
type Three = ((f64, f64), (f64, f64), (f64, f64));

fn resampled(
    o: &Options,
    f: &Findings<'_>,
    name: &str,
    seen: &Seen,
    centre: f64,
    line: Line,
) -> Result<Option<Three>, AnalysisError> {
    let key = f.key(name, "resampling");
    let (mut slopes, mut rhos, mut phases) = (Vec::new(), Vec::new(), Vec::new());
    let mut asked: Measured = Ok(());
    // The draws of `bootstrap`, of which three numbers are kept.
    let (count, mut done) = (o.replicates as u32, 0_u32);
    bootstrap::interval(seen.cycles.len(), count, 0.95, key, |drawn| {
        done += 1;
        if done % 16 == 0 && asked.is_ok() {
            asked = f.progress(0.5 + 0.5 * f64::from(done) / f64::from(count));
        }
        if asked.is_err() {
            return f64::NAN;
        }
        let of = |all: &[f64]| -> Vec<f64> {
            drawn.iter().flat_map(|&c| all[seen.cycles[c].clone()].iter().copied()).collect()
        };
        let (own, x) = (of(&seen.phases), of(&seen.x));
        let Some(found) = fit(&own, &x, centre, o.most) else { return f64::NAN };
        slopes.push(found.slope);
        rhos.push(correlation(&own, &x, found.slope));
        phases.push((found.phase - line.phase + PI).rem_euclid(TAU) - PI);
        found.slope
    });
    asked?;
    let both = |mut values: Vec<f64>| {
        values.retain(|v| v.is_finite());
        values.sort_by(f64::total_cmp);
        (2 * values.len() >= o.replicates).then(|| (quantile(&values, 0.025), quantile(&values, 0.975)))
    };
    let Some(turn) = both(phases) else { return Ok(None) };
    Ok(both(slopes).zip(both(rhos)).map(|(s, r)| (s, r, (line.phase + turn.0, line.phase + turn.1))))
}

/// Phase against the variable, with the line, turned into −π to π.
fn drawn(f: &mut Findings<'_>, name: &str, seen: &Seen, variable: &subject::Columns, line: Line, centre: f64) {
    let mut order: Vec<usize> = (0..seen.x.len()).collect();
    order.sort_by(|&i, &j| seen.x[i].total_cmp(&seen.x[j]));
    let x: Vec<f64> = order.iter().map(|&i| seen.x[i]).collect();
    let y: Vec<f64> = order.iter().map(|&i| seen.phases[i]).collect();
    let (low, high) = (x[0], x[x.len() - 1]);
    let along: Vec<f64> = (0..=200).map(|k| low + (high - low) * f64::from(k) / 200.0).collect();
    let mut before = f64::NAN;
    let on_line = along
        .iter()
        .map(|x| {
            let phase = (line.phase + TAU * line.slope * (x - centre) + PI).rem_euclid(TAU) - PI;
            // Where it jumps from one end to the other there is no line.
            let jumps = (phase - before).abs() > PI;
            before = phase;
            if jumps { f64::NAN } else { phase }
        })
        .collect();
    let curves = vec![curve("spikes", x, y, CurveStyle::Points), curve("line", along, on_line, CurveStyle::Theory)];
    let x = Axis::new(variable.name(0).as_str(), variable.unit.as_str());
    let y = Axis::new("phase", "rad");
    f.shape(format!("phases of {name}"), Shape::Series(Series { x, y, curves, references: Vec::new() }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, recording, run_spec, subject, traces, value};
    use spikedeck_core::normal::normal;
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::{AnalysisSpec, OptionValue};
    use spikedeck_signal::{Outcome, Recording};

    const NAME: &str = "p.V_m[1]->p.spikes";

    fn look_at(r: &Recording, more: &[(&'static str, OptionValue)]) -> Result<Outcome, AnalysisError> {
        let mut options: std::collections::BTreeMap<_, _> = more.iter().cloned().collect();
        options.insert("band", OptionValue::Bands(vec![Band { name: "theta".into(), low: 5.0, high: 11.0 }]));
        options.insert("surrogates", OptionValue::Integer(99));
        options.insert("replicates", OptionValue::Integer(199));
        let spec = AnalysisSpec {
            name: "x".into(),
            kind: "phase_precession".into(),
            of: vec![],
            source: vec![subject("V_m", &[0]), subject("V_m", &[1])],
            target: vec![Subject { text: "p.spikes".into(), mean: true, ..subject("spikes", &[0]) }],
            options,
        };
        run_spec(&PhasePrecession, None, r, &spec)
    }

    /// A rhythm of 8 Hz whose phase wanders; a place from 0 to 100 again every 4 s, or back and forth; and spikes in a
    /// field about 50 whose phase is 0.5 there and turns by `slope` cycles in one unit.
    fn made(seed: u64, slope: f64, back: bool) -> Recording {
        let key = Key::new(seed, "precession", "run");
        let mut s = key.stream(1, 0);
        let (mut phase, mut rhythm, mut place, mut train) = (0.0_f64, Vec::new(), Vec::new(), Vec::new());
        for k in 0..60_000_u64 {
            phase += TAU * 0.008 + 0.02 * normal(key, 0, k);
            let share = (k % 4000) as f64 / 4000.0;
            let falls = back && (k / 4000) % 2 == 1;
            let x = 100.0 * if falls { 1.0 - share } else { share };
            rhythm.push(phase.cos());
            place.push(x);
            let off = phase - 0.5 - TAU * slope * (x - 50.0) * if falls { -1.0 } else { 1.0 };
            let rate = 0.06 * (-((x - 50.0) / 15.0).powi(2) / 2.0).exp() * (2.0 * (off.cos() - 1.0)).exp();
            if s.uniform() < rate {
                train.push(k as f64);
            }
        }
        let mut r = recording(&[train], 60_000.0);
        r.traces = traces(&[rhythm, place], 1.0).traces;
        r
    }

    #[test]
    fn a_unit_that_precesses_has_its_slope_and_phase() {
        let o = look_at(&made(1, -0.012, false), &[]).unwrap();
        let slope = metric(&o, NAME, "slope");
        let (low, high) = slope.ends().unwrap();
        assert!(low < -0.012 && -0.012 < high && high - low < 0.004, "{slope:?}");
        assert!(slope.p_value.unwrap() < 0.02 && value(&o, NAME, "correlation") < -0.3);
        let phase = metric(&o, NAME, "phase");
        let (low, high) = phase.ends().unwrap();
        assert!(low < 0.5 && 0.5 < high && high - low < 0.6, "{phase:?}");
        let resultant = metric(&o, NAME, "resultant");
        // A von Mises law of 2 has a resultant of 0.698.
        assert!((resultant.value.unwrap() - 0.698).abs() < 0.1 && resultant.chance < Some(0.5), "{resultant:?}");
    }

    /// Back and forth the slopes of both ways cancel; each way by itself has its own.
    #[test]
    fn each_course_has_its_slope() {
        let r = made(2, -0.015, true);
        let of = |word: &str| {
            let o = look_at(&r, &[("course", OptionValue::Text(word.into()))]).unwrap();
            (value(&o, NAME, "slope"), value(&o, NAME, "resultant"))
        };
        let (rising, falling, both) = (of("rising"), of("falling"), of("both"));
        assert!((rising.0 + 0.015).abs() < 0.004 && (falling.0 - 0.015).abs() < 0.004, "{rising:?} {falling:?}");
        assert!(both.1 < rising.1 && both.1 < falling.1, "{both:?}");
    }

    #[test]
    fn phases_that_stay_are_chance_and_few_say_so() {
        let o = look_at(&made(3, 0.0, false), &[]).unwrap();
        let m = metric(&o, NAME, "slope");
        assert!(m.p_value.unwrap() > 0.01 && m.value.unwrap().abs() < 0.004, "{m:?}");
        let few = look_at(&made(3, 0.0, false), &[("low", OptionValue::Number(99.5))]).unwrap();
        assert!(metric(&few, NAME, "correlation").note.contains("too few"));
    }

    #[test]
    fn what_is_wanted_is_said() {
        let r = made(3, 0.0, false);
        let spec = AnalysisSpec {
            name: "x".into(),
            kind: "phase_precession".into(),
            of: vec![],
            source: vec![subject("V_m", &[0])],
            target: vec![subject("spikes", &[])],
            options: std::collections::BTreeMap::new(),
        };
        let told = run_spec(&PhasePrecession, None, &r, &spec).unwrap_err().to_string();
        assert!(told.contains("1 subjects; two are wanted"), "{told}");
        let two = AnalysisSpec { source: vec![subject("V_m", &[]), subject("V_m", &[1])], ..spec };
        let told = run_spec(&PhasePrecession, None, &r, &two).unwrap_err().to_string();
        assert!(told.contains("means 2 signals, and one is wanted"), "{told}");
    }
}
