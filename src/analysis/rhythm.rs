//! Rhythm: bursts, their period, duty cycle and firing rate, and the phase lag between units or populations.

use super::prelude::*;
use spikedeck_core::bursts::{Burst, of_signal, of_spikes, poisson_bursts};
use spikedeck_core::circular::{resultant, resultant_by_chance};
use spikedeck_core::number::{counted, shown};
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::{correlation_time, deviation, mean, mean_interval_above, student_quantile_of};
use spikedeck_core::units::short;
use spikedeck_scenario::{Observable, Subject};
use spikedeck_signal::{Axis, CurveStyle, Distribution, ReferenceLine, Series, Shape, TimeBase};
use std::f64::consts::TAU;

/// The analysis `rhythm`.
pub struct Rhythm;

const PHASE_BINS: usize = 20;

const CARD: AnalysisCard = AnalysisCard {
    title: "Rhythm",
    synonyms: &["oscillation", "dominant_frequency"],
    summary: "bursts with their period, duty cycle, size and rate, and the phase lag between units or populations",
    formula: "burst: spikes whose intervals are at most `burst_isi`, `min_spikes` or more; of a state: a stretch \
              above `level` of its range\n\
              period = mean of (start_k+1 − start_k);  duty cycle = mean of (stop_k − start_k)/(start_k+1 − start_k)\n\
              within-burst rate = mean of (spikes_k − 1)/(stop_k − start_k)\n\
              phase lag of 2 in 1 = circular mean of φ = (start² − start¹_k)/(start¹_k+1 − start¹_k), one φ for each \
              start of 2 inside a cycle of 1",
    assumptions: "Spikes of all units of a subject are pooled into one train: a population bursts when its units do. \
                  Bursts that may have begun \
                  before the window or may go on after it are left out. The interval of the lag is Fisher's, from the \
                  circular dispersion.",
    bias: "A burst lasts from its first to its last spike, so that the duty cycle is too small by about an interval \
           in a cycle. On a grid of dt times are late by up to dt.",
    cost: "O(spikes) a subject, O(bursts) a pair",
    caveats: "The threshold decides what a burst is: it must lie between the intervals inside and those between \
              bursts (look at `isi`). A lag near 0 may come out as 0.99: it is an angle. \
              A lag is a number even where there is no locking: look at phase_locking, its chance level and p \
              (the second's intervals in another order: bursts of one unit are not independent). Of a clock nothing \
              can be told that way.",
    references: &[
        "Fisher 1993, Statistical Analysis of Circular Data, doi:10.1017/CBO9780511564345",
        "Wilkie 1983, doi:10.2307/2347954",
        "Marder and Bucher 2001, doi:10.1016/S0960-9822(01)00581-4",
    ],
};

options! {
    /// What `rhythm` can be told.
    pub struct Options {
        burst_isi: Time = time("100 ms").or(derived::HALF_OF_POOLED), "longest interval inside a burst";
        min_spikes: usize = integer("2").between(1.0, 1e6), "fewest spikes of a burst";
        level: f64 = number("0.5").between(0.01, 0.99),
            "level above which a state is in a burst, as a share of its range; it must have been below half of that \
             before the next one";
        bin: Time = rate_bin(), "bin of `POP.rate`, which is treated as a state";
    }
}

impl Estimator for Rhythm {
    type Options = Options;
    const KIND: &'static str = "rhythm";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let mut rhythms = Vec::new();
        f.each_spiking(|f, s| {
            rhythms.extend(bursts(f.request, s, o)?);
            Ok(())
        })?;
        f.each(&rhythms, |f, r| {
            f.metrics(measures(r, o, f.base));
            if r.bursts.len() < 3 {
                f.warn(format!("{}: {} whole bursts are few for a period", r.name, r.bursts.len()));
            }
            Ok(())
        })?;
        let mut phases = Vec::new();
        f.each_two(&rhythms, |f, a, b| {
            let name = format!("{}->{}", a.name, b.name);
            let found = lags(&a.bursts, &b.bursts);
            let [lag, locking] = locking(f.request, &name, (a, b), &found);
            if let Some(v) = lag.value {
                f.word(format!("{name}: phase lag {}", shown(v)));
            }
            f.metrics([lag, locking]);
            phases.push((name, found));
            Ok(())
        })?;
        if f.is_wordless() {
            for r in &rhythms {
                f.word(format!("{}: {}", r.name, counted(r.bursts.len(), "burst", "bursts")));
            }
        }
        let curves = rhythms.iter().filter(|r| r.bursts.len() > 1).map(|r| {
            let x = r.bursts[1..].iter().map(|b| b.start).collect();
            let y = r.bursts.windows(2).map(|w| w[1].start - w[0].start).collect();
            curve(&r.name, x, y, CurveStyle::Line)
        });
        let series = Series {
            x: Axis::time(f.base),
            y: Axis::new("period", f.base.unit()),
            curves: curves.collect(),
            references: Vec::new(),
        };
        f.shape("periods", Shape::Series(series));
        if phases.iter().any(|p| !p.1.is_empty()) {
            f.shape("phases", Shape::Distribution(histogram(&phases)));
        }
        Ok(())
    }
}

/// The bursts of one subject.
struct Bursting {
    name: String,
    bursts: Vec<Burst>,
    /// Of spikes: how many there are, and the share of intervals that would be short by chance.
    spikes: Option<(usize, f64)>,
}

/// Pooled spikes are one subject; each column of a state is one.
fn bursts(request: &Request<'_>, s: &Subject, o: &Options) -> Result<Vec<Bursting>, AnalysisError> {
    if matches!(s.what, Observable::Spikes) {
        let t = subject::trains(request, s)?;
        let (gap, least) = (o.burst_isi.axis, o.min_spikes);
        let mut pooled: Vec<f64> = t.trains.iter().flatten().copied().collect();
        pooled.sort_by(f64::total_cmp);
        let rate = pooled.len() as f64 / t.window.length();
        let bursts = of_spikes(&pooled, gap, least, (t.window.start, t.window.stop));
        return Ok(vec![Bursting {
            name: s.text.clone(),
            bursts,
            spikes: Some((pooled.len(), -(-rate * gap).exp_m1())),
        }]);
    }
    let columns = subject::columns(request, s, o.bin)?;
    let share = o.level;
    let bursting = |(k, values): (usize, &Vec<f64>)| {
        let (least, greatest) =
            values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, g), &v| (l.min(v), g.max(v)));
        let range = greatest - least;
        // A constant state crosses its middle by rounding only.
        let flat = range <= 1e-9 * greatest.abs().max(least.abs());
        let found =
            if flat { Vec::new() } else { of_signal(values, least + share * range, least + 0.5 * share * range) };
        let time = |t: f64| columns.start + t * columns.interval;
        let bursts = found.into_iter().map(|b| Burst { start: time(b.start), stop: time(b.stop), spikes: 0 }).collect();
        Bursting { name: columns.name(k), bursts, spikes: None }
    };
    Ok(columns.columns.iter().enumerate().map(bursting).collect())
}

fn measures(r: &Bursting, o: &Options, base: TimeBase) -> Vec<Metric> {
    let (name, bursts) = (&r.name, &r.bursts);
    let n = bursts.len() as u64;
    let least = o.min_spikes;
    let mut count = Metric::new(name, "burst_count", n as f64, "", n).note("whole bursts");
    if let Some((spikes, short_by_chance)) = r.spikes {
        count = count
            .chance(poisson_bursts(short_by_chance, least).1 * spikes as f64)
            .chance_by("chance: a Poisson train of this rate");
    }
    let mut list = vec![count];
    // `most`: what no value is above.
    let mut average = |metric: &str, values: &[f64], most: f64, unit: &str, note: &str| {
        let count = values.len() as u64;
        list.push(match values.len() {
            0 => Metric::missing(name, metric, unit, 0, format!("{n} whole bursts are too few")),
            1 => Metric::new(name, metric, values[0], unit, 1).note(note),
            _ => {
                let m = Metric::new(name, metric, mean(values), unit, count).note(note);
                match mean_interval_above(values, 0.0, 0.95) {
                    Some((low, high)) => {
                        m.interval(low, high.min(most)).interval_by("95 % interval (t, of the logarithm)")
                    }
                    None => m.note("no interval: all alike"),
                }
            }
        });
    };
    let periods: Vec<f64> = bursts.windows(2).map(|w| w[1].start - w[0].start).collect();
    let duties: Vec<f64> = bursts.windows(2).map(|w| (w[0].stop - w[0].start) / (w[1].start - w[0].start)).collect();
    let lengths: Vec<f64> = bursts.iter().map(|b| b.stop - b.start).collect();
    average("period", &periods, f64::INFINITY, base.unit(), "n = cycles");
    average("duty_cycle", &duties, 1.0, "", "n = cycles");
    average("burst_duration", &lengths, f64::INFINITY, base.unit(), "n = bursts");
    if let Some((spikes, short_by_chance)) = r.spikes {
        let sizes: Vec<f64> = bursts.iter().map(|b| b.spikes as f64).collect();
        let inside: Vec<f64> = bursts
            .iter()
            .filter(|b| b.spikes > 1 && b.stop > b.start)
            .map(|b| (b.spikes - 1) as f64 / ((b.stop - b.start) * base.seconds()))
            .collect();
        average("spikes_per_burst", &sizes, f64::INFINITY, "", "n = bursts");
        average("within_burst_rate", &inside, f64::INFINITY, base.rate_unit(), "n = bursts of two or more spikes");
        if spikes > 0 {
            let share = sizes.iter().sum::<f64>().max(0.0) / spikes as f64;
            let chance = poisson_bursts(short_by_chance, least).0;
            list.push(
                Metric::new(name, "burst_share", share, "", spikes as u64)
                    .chance(chance)
                    .note("share of spikes in whole bursts; n = spikes")
                    .chance_by("chance: a Poisson train of this rate")
                    .note(format!("intervals up to {} s", short(o.burst_isi.seconds))),
            );
        }
    }
    if periods.len() > 1 {
        let cv = deviation(&periods, 0) / mean(&periods);
        list.push(Metric::new(name, "period_cv", cv, "", periods.len() as u64).note("n = cycles, ddof 0; 0: a clock"));
    }
    list
}

/// Phases in [0, 1) of the starts of `b` inside cycles of `a`.
fn lags(a: &[Burst], b: &[Burst]) -> Vec<f64> {
    let phase = |t: f64| {
        let k = a.partition_point(|x| x.start <= t);
        let (before, after) = (a.get(k.checked_sub(1)?)?, a.get(k)?);
        Some((t - before.start) / (after.start - before.start))
    };
    b.iter().filter_map(|x| phase(x.start)).collect()
}

/// Surrogates of the second's bursts.
const SURROGATES: u32 = 199;

/// How probable a resultant of this length is where the second bursts on its own: its intervals in another order, from
/// another moment on. Nothing where any order gives what there is: clocks keep any phase.
fn by_chance(key: Key, (a, b): (&[Burst], &[Burst]), r: f64) -> Option<f64> {
    let (Some(first), Some(last)) = (b.first(), b.last()) else { return None };
    let mut intervals: Vec<f64> = b.windows(2).map(|w| w[1].start - w[0].start).collect();
    // The circle is closed by the mean of them.
    let around = (last.start - first.start) * b.len() as f64 / intervals.len() as f64;
    let mut reached = 0;
    for k in 0..SURROGATES {
        let mut stream = key.stream(k, 0);
        for i in (1..intervals.len()).rev() {
            intervals.swap(i, stream.below(i as u32 + 1) as usize);
        }
        let mut at = around * stream.uniform();
        let mut moved: Vec<Burst> = Vec::with_capacity(b.len());
        for i in 0..b.len() {
            let start = first.start + at.rem_euclid(around);
            moved.push(Burst { start, stop: start, spikes: 0 });
            at += intervals.get(i).copied().unwrap_or_default();
        }
        let angles: Vec<f64> = lags(a, &moved).iter().map(|p| TAU * p).collect();
        // The least number of phases is two; a surrogate without them is no evidence against chance.
        reached += u32::from(angles.len() < 2 || resultant(&angles).0 >= r - 1e-6);
    }
    (reached < SURROGATES).then(|| f64::from(1 + reached) / f64::from(1 + SURROGATES))
}

fn locking(request: &Request<'_>, name: &str, (a, b): (&Bursting, &Bursting), phases: &[f64]) -> [Metric; 2] {
    let n = phases.len();
    if n < 2 {
        let why = "fewer than two bursts of the second begin inside a cycle of the first";
        return [
            Metric::missing(name, "phase_lag", "", n as u64, why),
            Metric::missing(name, "phase_locking", "", n as u64, why),
        ];
    }
    let angles: Vec<f64> = phases.iter().map(|p| TAU * p).collect();
    let (r, direction) = resultant(&angles);
    let lag = (direction / TAU).rem_euclid(1.0);
    // Fisher 1993, section 4.4.4: dispersion (1 - rho_2)/(2 R^2), with the second moment about the mean direction.
    let second = angles.iter().map(|a| (2.0 * (a - direction)).cos()).sum::<f64>() / n as f64;
    // Phases that drift are worth fewer.
    let aside: Vec<f64> = angles.iter().map(|a| (a - direction).sin()).collect();
    let worth = (n as f64 / correlation_time(&aside)).max(2.0);
    let error = student_quantile_of(worth - 1.0) * ((1.0 - second) / (2.0 * r * r) / (worth - 1.0)).sqrt();
    let p = by_chance(request.key(name, "locking"), (&a.bursts, &b.bursts), r);
    let mut m = Metric::new(name, "phase_lag", lag, "", n as u64)
        .note("n = bursts of the second; 0.5: antiphase; an angle over 2 pi");
    if p.is_some_and(|p| p > 0.05) {
        m = m.note("no interval: not told from bursts of its own");
    } else if error < 1.0 {
        let half = error.asin() / TAU;
        m = m.interval(lag - half, lag + half).interval_by("95 % interval (Fisher)");
    } else {
        m = m.note("no interval: too much dispersion");
    }
    let locking = Metric::new(name, "phase_locking", r, "", n as u64)
        .chance(resultant_by_chance(n))
        .note("length of the mean resultant")
        .chance_by("chance: independent phases");
    let locking = match p {
        Some(p) => locking.p(p).null_by(format!("p: {SURROGATES} times the second's intervals in another order")),
        None => locking.note("no p-value: the second is a clock, which keeps any phase"),
    };
    [m, locking]
}

fn histogram(phases: &[(String, Vec<f64>)]) -> Distribution {
    let heights = phases
        .iter()
        .map(|(name, list)| {
            let mut h = vec![0.0; PHASE_BINS];
            for p in list {
                h[((p * PHASE_BINS as f64) as usize).min(PHASE_BINS - 1)] += 1.0 / list.len() as f64;
            }
            (name.clone(), h)
        })
        .collect();
    Distribution {
        x: Axis::new("phase of the second's bursts in the first's cycle", ""),
        y: Axis::new("share of bursts", ""),
        edges: (0..=PHASE_BINS).map(|k| k as f64 / PHASE_BINS as f64).collect(),
        heights,
        references: vec![ReferenceLine { name: "antiphase".into(), at: 0.5, vertical: true }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, same_values, shifted, subject, traces, value};
    use spikedeck_scenario::OptionValue;

    /// Bursts of `spikes` spikes `isi` ms apart, every `period` ms from `from` on.
    fn bursting(from: f64, period: f64, spikes: usize, isi: f64, stop: f64) -> Vec<f64> {
        let mut train = Vec::new();
        let mut t = from;
        while t + spikes as f64 * isi < stop {
            train.extend((0..spikes).map(|k| t + k as f64 * isi));
            t += period;
        }
        train
    }

    #[test]
    fn two_clocks_in_antiphase() {
        let a = bursting(150.0, 400.0, 5, 10.0, 10_000.0);
        let b = bursting(350.0, 400.0, 11, 5.0, 10_000.0);
        let r = recording(&[a, b], 10_000.0);
        let of = vec![subject("spikes", &[0]), subject("spikes", &[1])];
        let o = run(&Rhythm, &r, of.clone(), &[]).unwrap();
        assert_eq!(value(&o, "p.spikes[0]", "burst_count"), 25.0, "the first begins 150 ms after the window");
        assert!((value(&o, "p.spikes[0]", "period") - 400.0).abs() < 1e-9);
        assert!((value(&o, "p.spikes[0]", "duty_cycle") - 0.1).abs() < 1e-12);
        assert!((value(&o, "p.spikes[1]", "within_burst_rate") - 200.0).abs() < 1e-9);
        assert!((value(&o, "p.spikes[1]", "spikes_per_burst") - 11.0).abs() < 1e-12);
        let lag = metric(&o, "p.spikes[0]->p.spikes[1]", "phase_lag");
        assert!((lag.value.unwrap() - 0.5).abs() < 1e-9 && lag.ci_low.is_none_or(|low| low > 0.49));
        let locking = metric(&o, "p.spikes[0]->p.spikes[1]", "phase_locking");
        assert!(
            locking.value.unwrap() > 0.999
                && locking.chance.unwrap() < 0.2
                && locking.p_value.is_none()
                && locking.note.contains("clock")
        );
        same_values(&o, &run(&Rhythm, &shifted(&r, 4096.0), of, &[]).unwrap(), 1e-9);
    }

    #[test]
    fn drifting_clocks_are_not_locked() {
        let a = bursting(150.0, 400.0, 3, 10.0, 60_000.0);
        let b = bursting(150.0, 400.0 * 1.618_033_988_75 / 2.0, 3, 10.0, 60_000.0);
        let o =
            run(&Rhythm, &recording(&[a, b], 60_000.0), vec![subject("spikes", &[0]), subject("spikes", &[1])], &[])
                .unwrap();
        let m = metric(&o, "p.spikes[0]->p.spikes[1]", "phase_locking");
        assert!(m.value.unwrap() < 0.1 && m.p_value.unwrap() > 0.1, "{m:?}");
    }

    #[test]
    fn a_poisson_train_is_at_its_chance_level() {
        let r = recording(&[poisson(9, 0, 10.0, 200_000.0)], 200_000.0);
        let o = run(&Rhythm, &r, vec![subject("spikes", &[0])], &[]).unwrap();
        for name in ["burst_share", "burst_count"] {
            let m = metric(&o, "p.spikes[0]", name);
            assert!((m.value.unwrap() / m.chance.unwrap() - 1.0).abs() < 0.25, "{m:?}");
        }
    }

    #[test]
    fn states_have_bursts_above_a_level() {
        let wave =
            |shift: f64| -> Vec<f64> { (0..5000).map(|k| (TAU * (f64::from(k) / 250.0 - shift)).sin()).collect() };
        let o = run(&Rhythm, &traces(&[wave(0.0), wave(0.3)], 0.5), vec![subject("V_m", &[])], &[]).unwrap();
        assert!((value(&o, "p.V_m[0]", "period") - 125.0).abs() < 1e-3);
        assert!((value(&o, "p.V_m[1]", "duty_cycle") - 0.5).abs() < 1e-3);
        assert!((value(&o, "p.V_m[0]->p.V_m[1]", "phase_lag") - 0.3).abs() < 1e-3);
    }

    #[test]
    fn silence_and_a_constant_say_why() {
        let o = run(&Rhythm, &recording(&[vec![]], 100.0), vec![subject("spikes", &[0])], &[]).unwrap();
        assert_eq!(metric(&o, "p.spikes[0]", "period").value, None);
        assert!(metric(&o, "p.spikes[0]", "period").note.contains("too few"));
        let o = run(
            &Rhythm,
            &traces(&[vec![1.0; 50]], 1.0),
            vec![subject("V_m", &[0])],
            &[("min_spikes", OptionValue::Integer(3))],
        )
        .unwrap();
        assert_eq!(value(&o, "p.V_m[0]", "burst_count"), 0.0);
    }
}
