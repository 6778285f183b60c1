//! Locking of spikes to the phase of a signal within a band.

use super::band_filter::{self, Within};
use super::prelude::*;
use spikedeck_core::analytic::BandPass;
use spikedeck_core::circular::rayleigh_p;
use spikedeck_core::fft::Complex64;
use spikedeck_core::number::{self, shown};
use spikedeck_core::phase_statistics::pairwise_consistency;
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::student_quantile_of;
use spikedeck_core::surrogate::p_value;
use spikedeck_scenario::{Band, Observable, Subject};
use spikedeck_signal::{Axis, Distribution, Shape};
use std::f64::consts::{PI, TAU};

/// The analysis `spike_field`.
pub struct SpikeField;

const CARD: AnalysisCard = AnalysisCard {
    title: "Spike-field locking",
    synonyms: &["spike_field_coherence", "sfc", "spike_lfp"],
    summary: "how spikes are locked to the phase of a signal within a band, with surrogates",
    formula: "φ_k = phase of the band-passed signal at spike k (analytic signal, interpolated)\n\
              PLV = |Σ e^(iφ_k)|/n;  PPC = (n PLV² − 1)/(n − 1);  mean phase = arg Σ e^(iφ_k), 0 at the crest",
    assumptions: "`source` are spikes, `target` is a signal. Each unit is a row of its own; mean(...) pools the units \
                  of a subject into one train. p: the spikes rotated in time within the window, which keeps their own \
                  rhythm and that of the signal. The interval of the phase is Fisher's, for spikes that are \
                  independent given the phase.",
    bias: "PLV of few spikes is large without locking, √(π/4n): look at chance. PPC does not depend on how many spikes \
           there are.",
    cost: "O(samples log samples) a signal, O(spikes · surrogates) a unit",
    caveats: "A signal that a unit itself makes (its own V_m, a field near its electrode) is locked to its spikes \
              whatever the network does. Rayleigh's p takes spikes as independent: bursts make it too small, which the \
              rotations do not. For all frequencies at once: `coherence` with spikes as one side.",
    references: &[
        "Vinck and others 2010, doi:10.1016/j.neuroimage.2010.01.073",
        "Lachaux, Rodriguez, Martinerie, Varela 1999, doi:10.1002/(SICI)1097-0193(1999)8:4<194::AID-HBM4>3.0.CO;2-C",
        "Fisher 1993, Statistical Analysis of Circular Data, doi:10.1017/CBO9780511564345",
    ],
};

options! {
    /// What `spike_field` can be told.
    pub struct Options {
        bands: Vec<Band> = bands(),
            "bands as \"NAME LOW HIGH\" in Hz (default: theta 4 8, alpha 8 13, beta 13 30, gamma 30 80)";
        filter: BandPass = band_filter::filter();
        surrogates: usize = integer("199").between(19.0, 100_000.0),
            "rotations of the spikes in time; the least p-value is 1/(number + 1)";
        bin: Time = rate_bin(), "bin of `POP.rate` as the signal";
    }
}

/// Most rows of units; more are to be pooled.
const MOST_UNITS: usize = 128;
/// Fewest spikes that anything is said of.
const LEAST_SPIKES: usize = 10;
/// Rows up to which each has a histogram of its own.
const MOST_DRAWN: usize = 8;
const PHASE_BINS: usize = 24;
/// The least rotation, as a share of the window.
const LEAST_ROTATION: f64 = 0.05;

impl Estimator for SpikeField {
    type Options = Options;
    const KIND: &'static str = "spike_field";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let spec = f.request.spec;
        if spec.source.is_empty() || spec.target.is_empty() {
            return Err(AnalysisError::Unsuitable(
                "write `source`, spikes such as \"POP.spikes\", and `target`, a signal such as \"POP.V_m\" or \
                 \"POP.rate\""
                    .into(),
            ));
        }
        if o.bands.is_empty() && f.base == spikedeck_signal::TimeBase::Dimensionless {
            return Err(AnalysisError::Unsuitable("time has no unit here: say `bands`".into()));
        }
        let usual = band_filter::usual();
        let bands: &[Band] = if o.bands.is_empty() { &usual } else { &o.bands };
        let mut trains = Vec::new();
        for s in &spec.source {
            trains.extend(units(f.request, s, "source")?);
        }
        let mut fields = Vec::new();
        for s in &spec.target {
            let columns = subject::columns(f.request, s, o.bin)?;
            let rate = columns.sampling_rate();
            for (k, values) in columns.columns.iter().enumerate() {
                for band in bands {
                    let within = band_filter::within(values, rate, band, o.filter, f.base);
                    let name = columns.name(k);
                    fields.push((name, band, within.map(|w| Field::new(w, &columns))));
                }
            }
        }
        let rows = trains.len() * fields.len();
        let all: Vec<(usize, usize)> = (0..trains.len()).flat_map(|t| (0..fields.len()).map(move |k| (t, k))).collect();
        f.each(&all, |f, &(t, k)| {
            let ((unit, spikes), (field, band, within)) = (&trains[t], &fields[k]);
            let name = format!("{unit}->{field}");
            match within {
                Ok(within) => look(o, f, &name, band, spikes, within, rows <= MOST_DRAWN),
                Err(why) => {
                    missing(f, &name, band, 0, &format!("{field}: {why}"));
                    Ok(())
                }
            }
        })
    }
}

/// Trains by name: one a unit, or all of a subject in one. `role` is the key that names the subject.
pub(super) fn units(request: &Request<'_>, s: &Subject, role: &str) -> Result<Vec<(String, Vec<f64>)>, AnalysisError> {
    if s.what != Observable::Spikes {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: `{role}` has to be spikes, such as \"POP.spikes\"",
            s.text
        )));
    }
    let t = subject::trains(request, s)?;
    if s.mean || t.trains.len() == 1 {
        let mut all: Vec<f64> = t.trains.iter().flat_map(|t| t.iter().copied()).collect();
        all.sort_by(f64::total_cmp);
        return Ok(vec![(s.text.clone(), all)]);
    }
    if t.trains.len() > MOST_UNITS {
        return Err(AnalysisError::Unsuitable(format!(
            "{} means {} units, and at most {MOST_UNITS} are looked at one by one: choose some, as in `{}[0..20]`, or \
             pool them with `mean({})`",
            s.text,
            t.trains.len(),
            subject::stem(request, s),
            s.text
        )));
    }
    Ok(t.units.iter().zip(&t.trains).map(|(&u, train)| (subject::unit_name(request, s, u), train.to_vec())).collect())
}

/// A band of a signal on the time axis.
pub(super) struct Field {
    signal: Vec<Complex64>,
    pub(super) start: f64,
    pub(super) interval: f64,
}

impl Field {
    pub(super) fn new(within: Within, columns: &subject::Columns) -> Self {
        let start = columns.start + within.edge as f64 * columns.interval;
        Self { signal: within.signal, start, interval: columns.interval }
    }

    pub(super) fn length(&self) -> f64 {
        (self.signal.len() - 1) as f64 * self.interval
    }

    /// The number of the cycle of each sample; one begins half a turn before its crest.
    pub(super) fn turns(&self) -> Vec<i64> {
        let (mut turn, mut before) = (0, self.signal[0].arg());
        let mut next = |z: &Complex64| {
            let step = z.arg() - before;
            before = z.arg();
            turn += i64::from(step < -PI) - i64::from(step > PI);
            turn
        };
        self.signal.iter().map(&mut next).collect()
    }

    /// The unit vector of its phase `place` samples after the start; nothing outside.
    pub(super) fn arrow(&self, place: f64) -> Option<Complex64> {
        let k = place.floor();
        if k < 0.0 {
            return None;
        }
        let (k, part) = (k as usize, place - k);
        let first = *self.signal.get(k)?;
        let second = self.signal.get(k + 1).copied().unwrap_or(first);
        let z = first * (1.0 - part) + second * part;
        (z.norm_sqr() > 0.0).then(|| z / z.norm())
    }
}

fn missing(f: &mut Findings<'_>, name: &str, band: &Band, n: u64, why: &str) {
    for (metric, unit) in [("plv", ""), ("ppc", ""), ("phase", "rad"), ("rayleigh", "")] {
        f.metric(Metric::missing(name, format!("{metric}_{}", band.name), unit, n, why));
    }
    f.word(format!("{name}: nothing in {}, {why}", band.name));
}

fn look(
    o: &Options,
    f: &mut Findings<'_>,
    name: &str,
    band: &Band,
    spikes: &[f64],
    field: &Field,
    draws: bool,
) -> Measured {
    // Spikes at the ends, where the filter does not know the phase, are left out.
    let length = field.length();
    let inside: Vec<f64> = spikes.iter().map(|t| t - field.start).filter(|t| (0.0..=length).contains(t)).collect();
    let n = inside.len();
    if n < LEAST_SPIKES {
        missing(f, name, band, n as u64, &format!("{n} spikes away from the ends are too few (least: {LEAST_SPIKES})"));
        return Ok(());
    }
    let locked = |by: f64| -> (Complex64, usize) {
        let mut sum = (Complex64::default(), 0);
        for t in &inside {
            let moved = (t + by) % length;
            if let Some(z) = field.arrow(moved / field.interval) {
                sum = (sum.0 + z, sum.1 + 1);
            }
        }
        sum
    };
    let (sum, count) = locked(0.0);
    let value = sum.norm() / count as f64;
    let surrogates = surrogates(f, f.key(name, &band.name), o.surrogates, length, |by| {
        let (sum, count) = locked(by);
        sum.norm() / count as f64
    })?;
    let p = p_value(value, &surrogates);
    let chance = spikedeck_core::statistics::mean(&surrogates);
    let sure = p <= 0.05;
    let label = |metric: &str| format!("{metric}_{}", band.name);
    let told = band_filter::told(band, o.filter, f.base);
    let left = spikes.len() - n;
    let n_note = if left == 0 { "n = spikes".into() } else { format!("n = spikes ({left} at the ends left out)") };
    let tested = format!("p: {} rotations of the spikes in time", surrogates.len());
    // Fisher 1993, section 4.4.4.
    let direction = sum.arg();
    let second: f64 = inside
        .iter()
        .filter_map(|t| field.arrow(t / field.interval))
        .map(|z| (2.0 * (z.arg() - direction)).cos())
        .sum::<f64>()
        / count as f64;
    let free = count as f64 - 1.0;
    let spread = student_quantile_of(free) * ((1.0 - second) / (2.0 * value * value) / free).sqrt();
    let none = "no interval: not told from chance";
    f.metric(
        Metric::new(name, label("plv"), value, "", n as u64)
            .chance(chance)
            .p(p)
            .note(&told)
            .note(&n_note)
            .null_by(&tested)
            .note("no interval: depends on how many spikes there are (ppc does not)"),
    );
    let consistency = pairwise_consistency(value, count as f64);
    let consistency = Metric::new(name, label("ppc"), consistency, "", n as u64).chance(0.0).p(p).null_by(&tested);
    f.metric(match by_stretches(&inside, field, length).filter(|_| sure) {
        Some((low, high)) => consistency
            .interval(low, high)
            .interval_by(format!("95 % interval by leaving out one of {STRETCHES} stretches")),
        None if sure => consistency.note("no interval: too few spikes for stretches of time"),
        None => consistency.note(none),
    });
    let angle = Metric::new(name, label("phase"), direction, "rad", n as u64).note("of the signal at spikes, 0: crest");
    f.metric(if !sure {
        angle.note(none)
    } else if spread < 1.0 {
        angle.interval(direction - spread.asin(), direction + spread.asin()).interval_by("95 % interval (Fisher)")
    } else {
        angle.note("no interval: too much dispersion")
    });
    f.metric(
        Metric::new(name, label("rayleigh"), count as f64 * value * value, "", n as u64)
            .chance(1.0)
            .p(rayleigh_p(value, count))
            .note("n PLV²")
            .null_by("p after Rayleigh, for spikes independent of each other"),
    );
    f.word(format!(
        "{name}: PLV {} in {} (chance {}, p {})",
        shown(value),
        band.name,
        shown(chance),
        number::p_value(p)
    ));
    if draws {
        f.shape(format!("phases of {name} in {}", band.name), histogram(name, &inside, field));
    }
    Ok(())
}

fn histogram(name: &str, inside: &[f64], field: &Field) -> Shape {
    let mut heights = vec![0.0; PHASE_BINS];
    for z in inside.iter().filter_map(|t| field.arrow(t / field.interval)) {
        let turn = z.arg() / TAU + 0.5;
        heights[((turn * PHASE_BINS as f64) as usize).min(PHASE_BINS - 1)] += 1.0;
    }
    Shape::Distribution(Distribution {
        x: Axis::new("phase of the signal at spikes", "rad"),
        y: Axis::new("spikes", ""),
        edges: (0..=PHASE_BINS).map(|k| TAU * k as f64 / PHASE_BINS as f64 - PI).collect(),
        heights: vec![(name.to_owned(), heights)],
        references: Vec::new(),
    })
}

/// What rotations by at least a twentieth of the window give.
fn surrogates(
    f: &Findings<'_>,
    key: Key,
    count: usize,
    length: f64,
    of: impl Fn(f64) -> f64,
) -> Result<Vec<f64>, AnalysisError> {
    let mut all = Vec::with_capacity(count);
    for k in 0..count {
        if k % 16 == 0 {
            f.progress(k as f64 / count as f64)?;
        }
        let share = key.stream(k as u32, 0).uniform();
        all.push(of(length * (LEAST_ROTATION + (1.0 - 2.0 * LEAST_ROTATION) * share)));
    }
    Ok(all)
}

/// Stretches of time that the interval of consistency leaves out in turn.
const STRETCHES: usize = 20;

/// Interval of the consistency by the jackknife over stretches of time.
fn by_stretches(inside: &[f64], field: &Field, length: f64) -> Option<(f64, f64)> {
    let mut sums = vec![(Complex64::default(), 0.0); STRETCHES];
    for t in inside {
        let stretch = ((t / length * STRETCHES as f64) as usize).min(STRETCHES - 1);
        if let Some(z) = field.arrow(t / field.interval) {
            sums[stretch] = (sums[stretch].0 + z, sums[stretch].1 + 1.0);
        }
    }
    let (total, count) = sums.iter().fold((Complex64::default(), 0.0), |(z, n), (a, k)| (z + a, n + k));
    if count < 4.0 * STRETCHES as f64 {
        return None;
    }
    let of = |z: Complex64, n: f64| pairwise_consistency(z.norm() / n, n);
    let left: Vec<f64> = sums.iter().map(|(z, n)| of(total - z, count - n)).collect();
    spikedeck_core::surrogate::jackknife_interval(of(total, count), &left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, recording, run_spec, subject, traces, value};
    use crate::{AnalysisError, Outcome};
    use spikedeck_core::normal::normal;
    use spikedeck_scenario::{AnalysisSpec, OptionValue};
    use spikedeck_signal::Recording;

    fn look_at(r: &Recording, source: Subject) -> Result<Outcome, AnalysisError> {
        let alpha = OptionValue::Bands(vec![Band { name: "alpha".into(), low: 8.0, high: 13.0 }]);
        let spec = AnalysisSpec {
            name: "x".into(),
            kind: "spike_field".into(),
            of: vec![],
            source: vec![source],
            target: vec![subject("V_m", &[0])],
            options: [("bands", alpha)].into_iter().collect(),
        };
        run_spec(&SpikeField, None, r, &spec)
    }

    /// A field of 10 Hz whose phase wanders, and spikes drawn with rate 20 (1 + m cos(φ − φ0)) Hz: PLV is m/2 and PPC
    /// m²/4.
    fn made(seed: u64, depth: f64, preferred: f64) -> Recording {
        let key = Key::new(seed, "spike_field", "made");
        let mut s = key.stream(1, 0);
        let (mut phase, mut field, mut trains) = (0.0, Vec::new(), vec![Vec::new(), Vec::new()]);
        for k in 0..30_000_u64 {
            phase += TAU * 0.01 + 0.02 * normal(key, 0, k);
            field.push(f64::cos(phase));
            if s.uniform() < 0.02 * (1.0 + depth * (phase - preferred).cos()) {
                trains[0].push(k as f64);
            }
        }
        trains[1] = vec![100.0, 5000.0];
        let mut r = recording(&trains, 30_000.0);
        r.traces = traces(&[field, vec![0.0; 30_000]], 1.0).traces;
        r
    }

    const UNIT: &str = "p.spikes[0]->p.V_m[0]";

    #[test]
    fn spikes_have_their_phase() {
        let o = look_at(&made(1, 0.8, 0.7), subject("spikes", &[])).unwrap();
        let plv = metric(&o, UNIT, "plv_alpha");
        assert!((plv.value.unwrap() - 0.4).abs() < 0.09 && plv.p_value == Some(0.005), "{plv:?}");
        let ppc = metric(&o, UNIT, "ppc_alpha");
        assert!(ppc.ci_low < Some(0.16) && ppc.ci_high > Some(0.16), "{ppc:?}");
        let phase = metric(&o, UNIT, "phase_alpha");
        assert!(phase.ci_low < Some(0.7) && phase.ci_high > Some(0.7), "{phase:?}");
        assert!(metric(&o, UNIT, "rayleigh_alpha").p_value < Some(1e-6));
        let silent = metric(&o, "p.spikes[1]->p.V_m[0]", "plv_alpha");
        assert!(silent.value.is_none() && silent.note.contains("too few"), "{silent:?}");
    }

    #[test]
    fn without_locking_p_is_uniform_and_consistency_is_zero() {
        let (mut p, mut sum) = (Vec::new(), 0.0);
        for seed in 0..100 {
            let o = look_at(&made(seed + 10, 0.0, 0.0), subject("spikes", &[0])).unwrap();
            let name = "p.spikes[0]->p.V_m[0]";
            p.push(metric(&o, name, "ppc_alpha").p_value.unwrap());
            sum += value(&o, name, "ppc_alpha") / 100.0;
        }
        p.sort_by(f64::total_cmp);
        let far = p.iter().enumerate().map(|(i, p)| (p - (i as f64 + 0.5) / 100.0).abs()).fold(0.0, f64::max);
        assert!(far < 0.168, "{far}: {p:?}");
        assert!(sum.abs() < 0.001, "{sum}");
    }

    #[test]
    fn what_cannot_be_says_what_to_write() {
        let r = made(1, 0.5, 0.0);
        let e = look_at(&r, subject("V_m", &[0])).unwrap_err();
        assert!(e.to_string().contains("has to be spikes"), "{e}");
    }
}
