//! Phase locking of pairs of signals within bands: locking value, pairwise consistency, lag indices.

use super::band_filter::{self, Within};
use super::dependence::signals::{Pairs, Signal, pairs};
use super::prelude::*;
use spikedeck_core::analytic::BandPass;
use spikedeck_core::fft::Complex64;
use spikedeck_core::number::{self, shown};
use spikedeck_core::phase_statistics::{LagSums, locking_by_rotation, pairwise_consistency};
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::{Surrogate, Surrogates, jackknife_blocks, jackknife_interval, p_value};
use spikedeck_scenario::Band;
use spikedeck_signal::{Axis, Distribution, ReferenceLine, Shape};
use std::f64::consts::{PI, TAU};

/// The analysis `phase_locking`.
pub struct PhaseLocking;

const CARD: AnalysisCard = AnalysisCard {
    title: "Phase locking",
    synonyms: &[
        "plv",
        "ppc",
        "wpli",
        "pli",
        "phase_locking_value",
        "phase_lag_index",
        "pairwise_phase_consistency",
        "hilbert",
    ],
    summary: "phase locking value, pairwise phase consistency, phase lag indices of signals within a band",
    formula: "φ = phase of the analytic signal (filter, Hilbert transform);  Δ = φ₁ − φ₂\n\
              PLV = |⟨e^(iΔ)⟩|;  PPC = (n PLV² − 1)/(n − 1), n = independent samples\n\
              PLI = |⟨sign Im X⟩|, X = z₁ z₂*;  wPLI = |⟨Im X⟩|/⟨|Im X|⟩\n\
              debiased: (Σ Im X)² − Σ (Im X)² over (Σ |Im X|)² − Σ (Im X)², of samples one independent sample apart",
    assumptions: "A phase means something within a narrow band alone. Stationary signals. p: the second signal rotated \
                  in time against the first, which keeps each one's own rhythm. How many independent samples there are \
                  is read off the rotations: without coupling PLV² is 1/n on average.",
    bias: "PLV and PLI of few independent samples are large without any coupling (√(π/4n)): look at chance. PPC and \
           the debiased index are not biased, and may be negative.",
    cost: "O(n log n) a pair for PLV and its surrogates, O(n surrogates) for the lag indices",
    caveats: "Common input, a common reference and volume conduction lock phases at zero lag: the lag indices do not \
              count that. They are blind to true coupling at zero lag and at half a cycle, and small where the lag is. \
              Two clocks of one frequency are locked whatever they do: no rotation says otherwise, and no p is given. \
              Ends of the recording, as long as the filter reaches, are left out.",
    references: &[
        "Lachaux, Rodriguez, Martinerie, Varela 1999, doi:10.1002/(SICI)1097-0193(1999)8:4<194::AID-HBM4>3.0.CO;2-C",
        "Vinck and others 2010, doi:10.1016/j.neuroimage.2010.01.073",
        "Vinck and others 2011, doi:10.1016/j.neuroimage.2011.01.055",
        "Stam, Nolte, Daffertshofer 2007, doi:10.1002/hbm.20346",
    ],
};

options! {
    /// What `phase_locking` can be told.
    pub struct Options {
        bands: Vec<Band> = bands(),
            "bands as \"NAME LOW HIGH\" in Hz (default: theta 4 8, alpha 8 13, beta 13 30, gamma 30 80)";
        filter: BandPass = band_filter::filter();
        surrogates: usize = integer("199").between(19.0, 100_000.0),
            "rotations of the second signal; the least p-value is 1/(number + 1)";
        bin: Option<Time> = signal_bin();
    }
}

/// Stretches of time that intervals leave out in turn.
const STRETCHES: usize = 20;
/// Independent samples that a stretch must hold for stretches to be independent.
const IN_STRETCH: f64 = 2.0;
/// Most starting points of samples one independent sample apart.
const STARTS: usize = 16;
/// Pairs up to which each has a histogram of its own.
const MOST_DRAWN: usize = 6;
const PHASE_BINS: usize = 36;

impl Estimator for PhaseLocking {
    type Options = Options;
    const KIND: &'static str = "phase_locking";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let pairs = pairs(f.request, o.bin, true)?;
        pairs.tell_outside(f);
        let usual = band_filter::usual();
        let bands: &[Band] = if o.bands.is_empty() { &usual } else { &o.bands };
        if o.bands.is_empty() && f.base == spikedeck_signal::TimeBase::Dimensionless {
            return Err(AnalysisError::Unsuitable("time has no unit here: say `bands`".into()));
        }
        f.each(bands, |f, band| {
            let rate = 1.0 / pairs.interval();
            let signals = |all: &[Signal]| -> Vec<Result<Within, String>> {
                all.iter()
                    .map(|s| {
                        band_filter::within(&s.values, rate, band, o.filter, f.base)
                            .map_err(|why| format!("{}: {why}", s.name))
                    })
                    .collect()
            };
            let sources = signals(&pairs.sources);
            let targets = if pairs.same { None } else { Some(signals(&pairs.targets)) };
            let targets = targets.as_ref().unwrap_or(&sources);
            let mut values = Vec::new();
            f.each(&pairs.links, |f, &(i, j)| {
                let name = format!("{}->{}", pairs.sources[i].name, pairs.targets[j].name);
                values.push(match (&sources[i], &targets[j]) {
                    (Ok(a), Ok(b)) => look(o, f, band, &name, (a, b), (rate, pairs.links.len()))?,
                    (Err(why), _) | (_, Err(why)) => {
                        for metric in METRICS {
                            f.metric(Metric::missing(&name, format!("{metric}_{}", band.name), "", 0, why));
                        }
                        f.word(format!("{name}: nothing in {}, {why}", band.name));
                        None
                    }
                });
                Ok(())
            })?;
            if pairs.links.len() > MOST_DRAWN {
                f.shape(format!("locking in {}", band.name), matrix(&pairs, &values));
            }
            Ok(())
        })
    }
}

const METRICS: [&str; 6] = ["plv", "ppc", "phase", "pli", "wpli", "wpli2_debiased"];

/// Locking of one pair in one band: its value with the p-value.
fn look(
    o: &Options,
    f: &mut Findings<'_>,
    band: &Band,
    name: &str,
    (a, b): (&Within, &Within),
    (rate, pairs): (f64, usize),
) -> Result<Option<(f64, f64)>, AnalysisError> {
    let (x, y) = (&a.signal, &b.signal);
    let n = x.len().min(y.len());
    let (x, y) = (&x[..n], &y[..n]);
    let all = locking_by_rotation(x, y);
    let value = all[0];
    // Rotations by little are no other arrangement.
    let gap = (n / 20).max(1);
    let far = &all[gap..=n - gap];
    let squares = far.iter().map(|v| v * v).sum::<f64>() / far.len() as f64;
    let independent = (1.0 / squares).min(n as f64);
    let how = band_filter::told(band, o.filter, f.base);
    let count = independent.round().max(1.0) as u64;
    let shifts = rotations(n, gap, o.surrogates, f.key(name, &band.name));
    f.progress(0.3)?;
    let clock = independent < LEAST;
    let surrogates: Vec<f64> = shifts.iter().map(|s| all[*s]).collect();
    let p = p_value(value, &surrogates);
    let with = |m: Metric, p: f64| {
        if clock {
            m.note(format!(
                "no p-value: the rhythms are so regular that the recording holds {independent:.1} independent samples \
                 (least: {LEAST})"
            ))
        } else {
            m.p(p).null_by(format!("p: {} rotations of the second in time", shifts.len()))
        }
    };
    let sure = !clock && p <= 0.05;
    let stretches = if independent / STRETCHES as f64 >= IN_STRETCH { STRETCHES } else { 10 };
    let tells = independent / stretches as f64 >= 1.0;
    let arrows = Arrows::new(x, y, stretches);
    let label = |metric: &str| format!("{metric}_{}", band.name);
    let n_note = format!("n = independent samples (of {n}, {} left out at either end)", a.edge);
    let no_interval = |m: Metric| {
        m.note(if clock {
            "no interval: hardly any independent samples"
        } else if !sure {
            "no interval: not told from chance"
        } else {
            "no interval: too few independent samples for stretches of time"
        })
    };
    let chance = (PI / (4.0 * independent)).sqrt().min(1.0);
    let plv = Metric::new(name, label("plv"), value, "", count)
        .chance(chance)
        .ground(Basis::Chance, "chance of a PLV: independent phases");
    let plv = with(plv.note(&how).note(&n_note), p);
    let between = |of: &dyn Fn(f64) -> f64| -> Option<(f64, f64)> {
        let (low, high) = jackknife_interval(logit(value), &arrows.left_out(|z| logit(z.norm())))?;
        Some((of(expit(low)), of(expit(high))))
    };
    let by = format!("95 % interval by leaving out one of {stretches} stretches of time");
    f.metric(match between(&|v| v).filter(|_| sure && tells) {
        Some((low, high)) => plv.interval(low, high).interval_by(&by),
        None => no_interval(plv),
    });
    let consistency = pairwise_consistency(value, independent);
    let ppc = with(Metric::new(name, label("ppc"), consistency, "", count).chance(0.0).note(&n_note), p);
    f.metric(match between(&|v| pairwise_consistency(v, independent)).filter(|_| sure && tells) {
        Some((low, high)) => ppc.interval(low, high).interval_by(&by),
        None => no_interval(ppc),
    });
    let direction = arrows.total().arg();
    let angle = Metric::new(name, label("phase"), direction, "rad", count)
        .note("mean of the first's phase less the second's; positive: the first leads by up to half a cycle");
    let turned: Vec<f64> = arrows.left_out(|z| (z * Complex64::cis(-direction)).arg());
    f.metric(match jackknife_interval(0.0, &turned).filter(|i| sure && tells && i.1 < PI) {
        Some((low, high)) => angle.interval(direction + low, direction + high).interval_by(&by),
        None => no_interval(angle),
    });
    let lag = Lags { x, y, stride: stride(rate, band), shifts: &shifts, independent };
    lag.report(f, band, name, &with)?;
    f.word(if clock {
        format!("{name}: PLV {} in {} (regular rhythms, chance unknown)", shown(value), band.name)
    } else {
        format!("{name}: PLV {} in {} (chance {}, p {})", shown(value), band.name, shown(chance), number::p_value(p))
    });
    if pairs <= MOST_DRAWN {
        f.shape(format!("phase difference of {name} in {}", band.name), histogram(name, x, y, direction));
    }
    Ok(Some((value, if clock { 1.0 } else { p })))
}

/// Independent samples below which rotations tell nothing.
const LEAST: f64 = 8.0;

/// Different rotations of `n` samples by at least `gap`.
pub(super) fn rotations(n: usize, gap: usize, count: usize, key: Key) -> Vec<usize> {
    let drawn = Surrogates::new(Surrogate::CircularShift, n, gap, count, key);
    (0..drawn.len()).map(|k| drawn.order(k)[0] as usize).collect()
}

/// Samples that may be passed over: eight a cycle tell what there is.
fn stride(rate: f64, band: &Band) -> usize {
    ((rate / (8.0 * band.high)) as usize).max(1)
}

fn logit(v: f64) -> f64 {
    (v / (1.0 - v).max(f64::EPSILON)).ln()
}

fn expit(v: f64) -> f64 {
    1.0 / (1.0 + (-v).exp())
}

/// Sums of unit vectors at the phase difference over stretches of time.
struct Arrows {
    sums: Vec<(Complex64, f64)>,
}

impl Arrows {
    fn new(x: &[Complex64], y: &[Complex64], stretches: usize) -> Self {
        let unit = |(x, y): (&Complex64, &Complex64)| {
            let product = x * y.conj();
            if product.norm_sqr() > 0.0 { product / product.norm() } else { Complex64::default() }
        };
        let of = |range: std::ops::Range<usize>| {
            let count = range.len() as f64;
            (x[range.clone()].iter().zip(&y[range]).map(unit).sum(), count)
        };
        Self { sums: jackknife_blocks(x.len(), stretches).into_iter().map(of).collect() }
    }

    fn total(&self) -> Complex64 {
        self.sums.iter().map(|s| s.0).sum()
    }

    /// A measure of the mean vector without each stretch.
    fn left_out(&self, measure: impl Fn(Complex64) -> f64) -> Vec<f64> {
        let (total, count) = (self.total(), self.sums.iter().map(|s| s.1).sum::<f64>());
        self.sums.iter().map(|(sum, n)| measure((total - sum) / (count - n))).collect()
    }
}

/// What lag indices are made of.
struct Lags<'a> {
    x: &'a [Complex64],
    y: &'a [Complex64],
    stride: usize,
    shifts: &'a [usize],
    independent: f64,
}

impl Lags<'_> {
    fn rotated(&self, by: usize) -> LagSums {
        let n = self.x.len();
        LagSums::of((0..n).step_by(self.stride).map(|t| (&self.x[t], &self.y[(t + by) % n])))
    }

    /// Without bias: over samples one independent sample apart, from several starting points.
    fn debiased(&self) -> f64 {
        let n = self.x.len();
        let apart = ((n as f64 / self.independent).round() as usize).clamp(1, n);
        let starts = apart.min(STARTS);
        let of = |k: usize| {
            let from = k * apart / starts;
            LagSums::of(self.x[from..].iter().zip(&self.y[from..]).step_by(apart)).debiased()
        };
        (0..starts).map(of).sum::<f64>() / starts as f64
    }

    fn report(&self, f: &mut Findings<'_>, band: &Band, name: &str, with: &dyn Fn(Metric, f64) -> Metric) -> Measured {
        let observed = self.rotated(0);
        let (mut pli, mut wpli) = (Vec::new(), Vec::new());
        for (k, &by) in self.shifts.iter().enumerate() {
            if k % 16 == 0 {
                f.progress(0.3 + 0.7 * k as f64 / self.shifts.len() as f64)?;
            }
            let sums = self.rotated(by);
            pli.push(sums.pli());
            wpli.push(sums.wpli());
        }
        let n = self.independent.round().max(1.0) as u64;
        let label = |metric: &str| format!("{metric}_{}", band.name);
        let none = "n = independent samples; no interval: p tells whether there is a lag";
        let of = |metric: &str, value: f64, chance: f64| {
            Metric::new(name, label(metric), value, "", n).chance(chance).note(none)
        };
        let p = p_value(observed.wpli(), &wpli);
        f.metric(with(of("pli", observed.pli(), mean(&pli)), p_value(observed.pli(), &pli)));
        f.metric(with(of("wpli", observed.wpli(), mean(&wpli)), p));
        f.metric(with(of("wpli2_debiased", self.debiased(), 0.0), p));
        Ok(())
    }
}

fn histogram(name: &str, x: &[Complex64], y: &[Complex64], direction: f64) -> Shape {
    let mut heights = vec![0.0; PHASE_BINS];
    let share = 1.0 / x.len() as f64;
    for (x, y) in x.iter().zip(y) {
        let turn = (x * y.conj()).arg() / TAU + 0.5;
        heights[((turn * PHASE_BINS as f64) as usize).min(PHASE_BINS - 1)] += share;
    }
    Shape::Distribution(Distribution {
        x: Axis::new("phase of the first less that of the second", "rad"),
        y: Axis::new("share of samples", ""),
        edges: (0..=PHASE_BINS).map(|k| TAU * (k as f64 / PHASE_BINS as f64 - 0.5)).collect(),
        heights: vec![(name.to_owned(), heights)],
        references: vec![ReferenceLine { name: "mean".into(), at: direction, vertical: true }],
    })
}

fn matrix(pairs: &Pairs, found: &[Option<(f64, f64)>]) -> Shape {
    let cells = pairs.links.iter().zip(found).filter_map(|(pair, one)| one.map(|(value, p)| (*pair, value, p <= 0.05)));
    Shape::Matrix(pairs.matrix(Axis::new("phase locking value", ""), ["first", "second"], pairs.same, cells))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, run, same_values, shifted, subject, traces, value};
    use spikedeck_core::normal::normal;
    use spikedeck_scenario::OptionValue;

    fn white(seed: u64, unit: u32, n: usize) -> Vec<f64> {
        let key = Key::new(seed, "locking", "noise");
        (0..n as u64).map(|k| normal(key, unit, k)).collect()
    }

    fn alpha() -> (&'static str, OptionValue) {
        ("bands", OptionValue::Bands(vec![Band { name: "alpha".into(), low: 8.0, high: 13.0 }]))
    }

    const PAIR: &str = "p.V_m[0]->p.V_m[1]";

    /// The second is the first 25 ms later, in noise: the first leads by a quarter of a cycle of 10 Hz.
    #[test]
    fn a_lag_is_locked_and_leads() {
        let (x, e) = (white(1, 0, 20_025), white(1, 1, 20_000));
        let columns = [x[25..].to_vec(), (0..20_000).map(|k| x[k] + 0.5 * e[k]).collect()];
        let r = traces(&columns, 1.0);
        for filter in ["fir", "butterworth"] {
            let options = [alpha(), ("filter", OptionValue::Text(filter.into()))];
            let o = run(&PhaseLocking, &r, vec![subject("V_m", &[])], &options).unwrap();
            let plv = metric(&o, PAIR, "plv_alpha");
            assert!(plv.value > Some(0.6) && plv.p_value == Some(0.005), "{plv:?}");
            assert!(plv.ci_low < plv.value && plv.value < plv.ci_high);
            let phase = metric(&o, PAIR, "phase_alpha");
            // 10.5 Hz in the middle of the band.
            assert!((phase.value.unwrap() - TAU * 0.2625).abs() < 0.2, "{phase:?}");
            assert!(phase.ci_low < phase.value && phase.value < phase.ci_high);
            assert!(value(&o, PAIR, "wpli_alpha") > 0.9 && value(&o, PAIR, "wpli2_debiased_alpha") > 0.8);
            // About two independent samples for each hertz and second.
            assert!((80..400).contains(&plv.n.unwrap()), "{plv:?}");
            same_values(&o, &run(&PhaseLocking, &shifted(&r, 1e9), vec![subject("V_m", &[])], &options).unwrap(), 1e-9);
        }
        // The same at zero lag: locked, and no lag index counts it.
        let noisy = |u: u32| x.iter().zip(white(2, u, 20_000)).map(|(x, e)| x + 0.5 * e).collect();
        let columns: [Vec<f64>; 2] = [noisy(1), noisy(2)];
        let o = run(&PhaseLocking, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[alpha()]).unwrap();
        assert!(value(&o, PAIR, "plv_alpha") > 0.6 && metric(&o, PAIR, "wpli_alpha").p_value > Some(0.01));
        assert!(value(&o, PAIR, "wpli2_debiased_alpha").abs() < 0.2);
    }

    /// Without coupling p is uniform, and what is unbiased is zero on average.
    #[test]
    fn p_values_are_uniform_under_the_null() {
        let (mut p, mut q, mut consistency) = (Vec::new(), Vec::new(), 0.0);
        for seed in 0..150 {
            let r = traces(&[white(seed + 10, 0, 6000), white(seed + 10, 1, 6000)], 1.0);
            let o = run(&PhaseLocking, &r, vec![subject("V_m", &[])], &[alpha()]).unwrap();
            p.push(metric(&o, PAIR, "plv_alpha").p_value.unwrap());
            q.push(metric(&o, PAIR, "wpli_alpha").p_value.unwrap());
            consistency += value(&o, PAIR, "ppc_alpha") / 150.0;
        }
        for mut p in [p, q] {
            p.sort_by(f64::total_cmp);
            let far = p.iter().enumerate().map(|(i, p)| (p - (i as f64 + 0.5) / 150.0).abs()).fold(0.0, f64::max);
            assert!(far < 1.63 / 150f64.sqrt() + 0.005, "{far}, median {}", p[75]);
        }
        assert!(consistency.abs() < 0.01, "{consistency}");
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let clock = |f: f64| -> Vec<f64> { (0..8000).map(|k| (TAU * f * f64::from(k) / 1000.0).sin()).collect() };
        let o = run(&PhaseLocking, &traces(&[clock(10.0), clock(10.0)], 1.0), vec![subject("V_m", &[])], &[alpha()]);
        let o = o.unwrap();
        let plv = metric(&o, PAIR, "plv_alpha");
        assert!(plv.value > Some(0.999) && plv.p_value.is_none() && plv.note.contains("so regular"), "{plv:?}");
        for (x, why) in [(vec![1.0; 8000], "does not vary"), (white(1, 0, 200), "are too few")] {
            let n = x.len();
            let o = run(&PhaseLocking, &traces(&[x, white(3, 0, n)], 1.0), vec![subject("V_m", &[])], &[alpha()]);
            let o = o.unwrap();
            for metric_name in METRICS {
                let m = metric(&o, PAIR, &format!("{metric_name}_alpha"));
                assert!(m.value.is_none() && m.note.contains(why), "{m:?}");
            }
        }
        let high = [("bands", OptionValue::Bands(vec![Band { name: "high".into(), low: 400.0, high: 600.0 }]))];
        let r = traces(&[white(3, 0, 4000), white(3, 1, 4000)], 1.0);
        let o = run(&PhaseLocking, &r, vec![subject("V_m", &[])], &high).unwrap();
        assert!(metric(&o, PAIR, "plv_high").note.contains("half of the 1000 samples a second"));
    }
}
