//! Phase-amplitude coupling: whether the amplitude of a fast band goes with the phase of a slow one.

use super::band_filter;
use super::dependence::signals::{self, Signal};
use super::phase_locking::rotations;
use super::prelude::*;
use spikedeck_core::analytic::BandPass;
use spikedeck_core::fft::Complex64;
use spikedeck_core::number::{self, shown};
use spikedeck_core::phase_statistics::modulation_index;
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::p_value;
use spikedeck_scenario::Band;
use spikedeck_signal::{Axis, Distribution, ReferenceLine, Shape};
use std::f64::consts::{PI, TAU};

/// The analysis `phase_amplitude_coupling`.
pub struct PhaseAmplitudeCoupling;

const CARD: AnalysisCard = AnalysisCard {
    title: "Phase-amplitude coupling",
    synonyms: &["pac", "modulation_index", "tort", "cross_frequency_coupling", "cfc"],
    summary: "modulation index: how the amplitude of a fast rhythm goes with the phase of a slow one, with surrogates",
    formula: "p_j = ⟨A⟩ in phase bin j over the sum of all bins;  MI = (ln N + Σ p_j ln p_j)/ln N\n\
              phase and amplitude: of the analytic signals in the two bands;  preferred phase = arg Σ p_j e^(iφ_j)",
    assumptions: "Each signal gives phase and amplitude. p: the amplitude rotated in time against the phase. The fast \
                  band has to be wide enough to hold the side bands: twice the highest slow frequency.",
    bias: "MI is never negative, and of short data large without coupling: look at chance, the mean over surrogates. \
           No interval: p tells whether there is coupling.",
    cost: "O(n log n + n surrogates) a signal",
    caveats: "A slow wave that is no sine, and sharp events, have harmonics whose phase and amplitude go together \
              without any fast rhythm: look at the trace. The index depends on the bins and on both filters.",
    references: &[
        "Tort, Komorowski, Eichenbaum, Kopell 2010, doi:10.1152/jn.00106.2010",
        "Aru and others 2015, doi:10.1016/j.conb.2014.08.002",
    ],
};

options! {
    /// What `phase_amplitude_coupling` can be told.
    pub struct Options {
        phase: Vec<Band> = bands(), "band of the phase as \"NAME LOW HIGH\" in Hz (default: theta 4 8)";
        amplitude: Vec<Band> = bands(), "band of the amplitude (default: gamma 30 80)";
        bins: usize = integer("18").between(4.0, 360.0), "bins of phase";
        filter: BandPass = band_filter::filter();
        surrogates: usize = integer("199").between(19.0, 100_000.0),
            "rotations of the amplitude in time; the least p-value is 1/(number + 1)";
        bin: Option<Time> = signal_bin();
    }
}

impl Estimator for PhaseAmplitudeCoupling {
    type Options = Options;
    const KIND: &'static str = "phase_amplitude_coupling";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let slow = &band_filter::one_band("phase", &o.phase, THETA, f.base)?;
        let fast = &band_filter::one_band("amplitude", &o.amplitude, GAMMA, f.base)?;
        f.each_subject(|f, subject| {
            let found = signals::of(f.request, std::slice::from_ref(subject), o.bin)?;
            f.each(&found, |f, s| look(o, f, s, slow, fast))
        })
    }
}

fn look(o: &Options, f: &mut Findings<'_>, s: &Signal, slow: &Band, fast: &Band) -> Measured {
    let name = s.name.as_str();
    let label = |what: &str| format!("{what}_{}_{}", slow.name, fast.name);
    let within = |band: &Band| {
        band_filter::within(&s.values, 1.0 / s.interval, band, o.filter, f.base)
            .map_err(|why| format!("{}: {why}", s.name))
    };
    let (phase, amplitude) = match (within(slow), within(fast)) {
        (Ok(phase), Ok(amplitude)) => (phase, amplitude),
        (Err(why), _) | (_, Err(why)) => {
            f.metric(Metric::missing(name, label("modulation"), "", 0, &why));
            f.metric(Metric::missing(name, label("phase"), "rad", 0, &why));
            f.word(format!("{name}: nothing, {why}"));
            return Ok(());
        }
    };
    // Both where both are known.
    let from = phase.edge.max(amplitude.edge);
    let n = s.values.len() - 2 * from;
    let bin_of = |z: &Complex64| (((z.arg() / TAU + 0.5) * o.bins as f64) as usize).min(o.bins - 1);
    let bins: Vec<usize> = phase.signal[from - phase.edge..][..n].iter().map(bin_of).collect();
    let sizes: Vec<f64> = amplitude.signal[from - amplitude.edge..][..n].iter().map(|z| z.norm()).collect();
    let mut counts = vec![0.0; o.bins];
    for &b in &bins {
        counts[b] += 1.0;
    }
    let rotated = |by: usize| -> Vec<(f64, f64)> {
        let mut sums: Vec<(f64, f64)> = counts.iter().map(|c| (0.0, *c)).collect();
        let (early, late) = sizes.split_at(by);
        for (b, a) in bins.iter().zip(late.iter().chain(early)) {
            sums[*b].0 += a;
        }
        sums
    };
    let observed = rotated(0);
    let value = modulation_index(&observed);
    let cycles = n as f64 * s.interval * slow.low;
    let how = format!(
        "phase: {}; amplitude: {}; {} bins; n = samples",
        band_filter::told(slow, o.filter, f.base),
        band_filter::told(fast, o.filter, f.base),
        o.bins
    );
    if cycles < LEAST_CYCLES {
        let why = format!("{cycles:.1} slow cycles are too few (least: {LEAST_CYCLES})");
        f.metric(Metric::missing(name, label("modulation"), "", n as u64, &why));
        f.metric(Metric::missing(name, label("phase"), "rad", n as u64, &why));
        f.word(format!("{name}: nothing, {why}"));
        return Ok(());
    }
    let mut surrogates = Vec::with_capacity(o.surrogates);
    let shifts = rotations(n, (n / 20).max(1), o.surrogates, f.key(name, "coupling"));
    for (k, &by) in shifts.iter().enumerate() {
        if k % 16 == 0 {
            f.progress(k as f64 / shifts.len() as f64)?;
        }
        surrogates.push(modulation_index(&rotated(by)));
    }
    let m = Metric::new(name, label("modulation"), value, "", n as u64).note(&how);
    if !value.is_finite() {
        f.metric(m.note("a bin of phase holds no sample, or there is no amplitude"));
        f.metric(Metric::missing(name, label("phase"), "rad", n as u64, "a bin of phase holds no sample"));
        return Ok(());
    }
    let (p, chance) = (p_value(value, &surrogates), mean(&surrogates));
    f.metric(
        m.chance(chance).p(p).null_by(format!("p: {} rotations of the amplitude", shifts.len())).note("no interval"),
    );
    let means: Vec<f64> = observed.iter().map(|(sum, count)| sum / count).collect();
    let total: f64 = means.iter().sum();
    let centre = |j: usize| TAU * ((j as f64 + 0.5) / o.bins as f64 - 0.5);
    let direction: Complex64 = means.iter().enumerate().map(|(j, a)| Complex64::cis(centre(j)) * *a).sum();
    f.metric(
        Metric::new(name, label("phase"), direction.arg(), "rad", n as u64)
            .note("of the slow rhythm where the fast one is largest, 0: crest; no interval"),
    );
    f.word(format!("{name}: modulation {} (chance {}, p {})", shown(value), shown(chance), number::p_value(p)));
    let heights = means.iter().map(|a| a / total).collect();
    f.shape(format!("amplitude over phase of {name}"), histogram(name, (slow, fast), heights, direction.arg()));
    Ok(())
}

fn histogram(name: &str, (slow, fast): (&Band, &Band), heights: Vec<f64>, direction: f64) -> Shape {
    let bins = heights.len();
    Shape::Distribution(Distribution {
        x: Axis::new(format!("phase of {}", slow.name), "rad"),
        y: Axis::new(format!("share of the amplitude of {}", fast.name), ""),
        edges: (0..=bins).map(|j| TAU * j as f64 / bins as f64 - PI).collect(),
        heights: vec![(name.to_owned(), heights)],
        references: vec![ReferenceLine { name: "preferred".into(), at: direction, vertical: true }],
    })
}

/// Places of theta and gamma among the usual bands.
const THETA: usize = 1;
const GAMMA: usize = 4;

/// Slow cycles that anything is said of.
const LEAST_CYCLES: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, run, subject, traces, value};
    use spikedeck_core::normal::normal;
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;

    fn bands() -> [(&'static str, OptionValue); 2] {
        let band = |name: &str, low, high| OptionValue::Bands(vec![Band { name: name.into(), low, high }]);
        [("phase", band("theta", 4.0, 8.0)), ("amplitude", band("gamma", 40.0, 80.0))]
    }

    fn noise(seed: u64, n: usize) -> Vec<f64> {
        let key = Key::new(seed, "coupling", "noise");
        (0..n as u64).map(|k| normal(key, 0, k)).collect()
    }

    /// A fast rhythm of 60 Hz that is largest a quarter of a slow cycle after its crest.
    #[test]
    fn coupling_and_its_phase_are_found() {
        let (e, turns) = (noise(1, 20_000), noise(2, 20_000));
        let mut slow = 0.0;
        let x: Vec<f64> = (0..20_000)
            .map(|k| {
                slow += TAU * 0.006 + 0.08 * turns[k];
                slow.cos() + (1.0 + (slow - PI / 2.0).cos()) * 0.3 * (TAU * 0.06 * k as f64).sin() + 0.1 * e[k]
            })
            .collect();
        let o = run(&PhaseAmplitudeCoupling, &traces(&[x], 1.0), vec![subject("V_m", &[])], &bands()).unwrap();
        let m = metric(&o, "p.V_m", "modulation_theta_gamma");
        assert!(m.p_value.unwrap() < 0.01 && m.value > Some(5.0 * m.chance.unwrap()), "{m:?}");
        assert!((value(&o, "p.V_m", "phase_theta_gamma") - PI / 2.0).abs() < 0.25);
    }

    #[test]
    fn noise_has_none_and_p_is_uniform() {
        let p: Vec<f64> = (0..60)
            .map(|s| {
                let o = run(
                    &PhaseAmplitudeCoupling,
                    &traces(&[noise(s + 10, 8000)], 1.0),
                    vec![subject("V_m", &[])],
                    &[&bands()[..], &[("surrogates", OptionValue::Integer(99))]].concat(),
                );
                metric(&o.unwrap(), "p.V_m", "modulation_theta_gamma").p_value.unwrap()
            })
            .collect();
        let mut sorted = p.clone();
        sorted.sort_by(f64::total_cmp);
        let far = sorted.iter().enumerate().map(|(i, p)| (p - (i as f64 + 0.5) / 60.0).abs()).fold(0.0, f64::max);
        assert!(far < 0.21, "{far}: {sorted:?}");
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        for (x, why) in [
            (vec![1.0; 20_000], "does not vary"),
            (noise(1, 300), "too few"),
            (noise(1, 3500), "slow cycles"),
            ((0..9000).map(|k| if k == 70 { f64::NAN } else { f64::from(k % 13) }).collect(), "sample 70 is NaN"),
        ] {
            let o = run(&PhaseAmplitudeCoupling, &traces(&[x], 1.0), vec![subject("V_m", &[])], &bands()).unwrap();
            let m = metric(&o, "p.V_m", "modulation_theta_gamma");
            assert!(m.value.is_none() && m.note.contains(why), "{m:?}");
        }
        let two = OptionValue::Bands(vec![Band { name: "theta".into(), low: 4.0, high: 8.0 }; 2]);
        let r = traces(&[noise(1, 9000)], 1.0);
        let e = run(&PhaseAmplitudeCoupling, &r, vec![subject("V_m", &[])], &[("phase", two)]).unwrap_err();
        assert!(e.to_string().contains("holds 2 bands"), "{e}");
        let o = run(&PhaseAmplitudeCoupling, &r, vec![subject("V_m", &[])], &[]).unwrap();
        assert!(metric(&o, "p.V_m", "modulation_theta_gamma").value.is_some());
    }
}
