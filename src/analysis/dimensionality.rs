//! How many directions the activity of many signals fills: principal components, participation ratio, factors.

use super::dependence::signals::{self, Signal};
use super::prelude::*;
use rayon::prelude::*;
use spikedeck_core::factors::{
    Factors, covariance, cross_validated, directions_for, participation_ratio, principal, standardised,
};
use spikedeck_core::number::{self, shown};
use spikedeck_core::statistics::{correlation_time, mean, quantile};
use spikedeck_core::surrogate::{jackknife_blocks, jackknife_interval};
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape};

/// The analysis `dimensionality`.
pub struct Dimensionality;

const CARD: AnalysisCard = AnalysisCard {
    title: "Dimensionality",
    synonyms: &[
        "pca",
        "principal_components",
        "principal_component_analysis",
        "participation_ratio",
        "factor_analysis",
        "shared_variance",
        "dimension",
    ],
    summary: "how many directions the activity of many signals fills: principal components, participation ratio, \
              common factors",
    formula: "λ: eigenvalues of the covariance (of the correlations, if standardised);  participation_ratio = \
              (Σλ)²/Σλ²\n\
              components_90 = how many of the largest make 90 % of Σλ;  components_above_chance = how many exceed the \
              95th percentile of the same of signals that are each rotated alone\n\
              factors: that number whose model ΛΛᵀ + Ψ gives left-out quarters of the time the greatest likelihood; \
              shared_variance = mean over signals of (ΛΛᵀ)_ii/((ΛΛᵀ)_ii + Ψ_ii)",
    assumptions: "Stationary signals, more samples than signals; factors: normal, or nearly (counts of many spikes).",
    bias: "The participation ratio is too small with few samples, by a factor 1/(1 + PR/N) at first: the chance column \
           has that of signals without anything in common. Interval: by leaving out blocks, centred on the value less \
           the bias that they show.",
    cost: "O(N m² + m³), for each surrogate and block; factors: 200 steps of O(m² k) each",
    caveats: "Principal components of signals with unlike variances are those of the loudest: standardise. Slow drifts \
              fill few directions with much variance. A dimension of a line that is bent is more than 1.",
    references: &[
        "Cunningham and Yu 2014, Nat Neurosci 17:1500-1509, doi:10.1038/nn.3776",
        "Gao and others 2017, bioRxiv, doi:10.1101/214262",
        "Rubin, Thayer 1982, Psychometrika 47:69-76, doi:10.1007/BF02293851",
        "Horn 1965, Psychometrika 30:179-185, doi:10.1007/BF02289447",
    ],
};

options! {
    /// What `dimensionality` can be told.
    pub struct Options {
        bin: Option<Time> = signal_bin();
        standardise: bool = flag(true), "whether each signal is brought to variance 1 before";
        max_factors: usize = integer("5").between(0.0, 30.0), "factors up to which models are held against each other";
        surrogates: usize = integer("100").between(19.0, 100_000.0), "surrogates (each signal rotated alone)";
        blocks: usize = integer("20").between(0.0, 1000.0), "blocks of the jackknife; 0 for no interval";
    }
}

/// Most signals.
const MOST: usize = 128;
/// Stretches of the time, of which each is left out once.
const FOLDS: usize = 4;
/// Components that have a curve of their own.
const DRAWN: usize = 3;
/// Share of the variance that counts as nearly all.
const NEARLY: f64 = 0.9;

impl Estimator for Dimensionality {
    type Options = Options;
    const KIND: &'static str = "dimensionality";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let all = signals::aligned(f.request, &f.request.spec.of, o.bin)?;
        let name = f.request.spec.of.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join("+");
        let (kept, silent): (Vec<&Signal>, Vec<&Signal>) =
            all.iter().partition(|s| super::coherence::unfit(s).is_none());
        let (m, n) = (kept.len(), all[0].values.len());
        if let Some(first) = silent.first() {
            let why = super::coherence::unfit(first).unwrap_or_default();
            f.warn(format!("{} of {} signals are left out ({why})", silent.len(), all.len()));
        }
        if all.len() > MOST {
            return Err(AnalysisError::Unsuitable(format!("{} signals are too many (at most {MOST})", all.len())));
        }
        if m < 2 || n < 2 * m.max(10) {
            let why =
                format!("{m} signals that vary, of {n} samples: it needs two, and twice as many samples as signals");
            f.word(format!("{name}: no value, {why}"));
            let missing = |metric: &str| Metric::missing(&name, metric, "", n as u64, &why);
            f.metrics(["participation_ratio", "components_90", "components_above_chance", "factors"].map(missing));
            return Ok(());
        }
        let raw: Vec<&[f64]> = kept.iter().map(|s| s.values.as_slice()).collect();
        let columns = if o.standardise { standardised(&raw) } else { None }
            .unwrap_or_else(|| raw.iter().map(|c| c.to_vec()).collect());
        components(o, f, &name, &kept, &columns)?;
        factors(o, f, &name, &columns)
    }
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

const DECOMPOSED: &str = "the covariance of finite signals is symmetric and finite";

fn components(o: &Options, f: &mut Findings<'_>, name: &str, kept: &[&Signal], columns: &[Vec<f64>]) -> Measured {
    let (m, n) = (columns.len(), columns[0].len());
    let (values, vectors) = principal(&slices(columns)).expect(DECOMPOSED);
    let ratio = participation_ratio(&values);
    let drawn = surrogates(o, f, name, columns)?;
    let levels: Vec<f64> = (0..m)
        .map(|k| {
            let mut at: Vec<f64> = drawn.iter().map(|d| d[k]).collect();
            at.sort_by(f64::total_cmp);
            quantile(&at, 0.95)
        })
        .collect();
    let above = values.iter().zip(&levels).take_while(|(v, level)| v > level).count();
    let ratios: Vec<f64> = drawn.iter().map(|d| participation_ratio(d)).collect();
    let below = ratios.iter().filter(|r| **r <= ratio).count();
    let mut metric = Metric::new(name, "participation_ratio", ratio, "", n as u64)
        .chance(mean(&ratios))
        .p((1 + below) as f64 / (1 + ratios.len()) as f64)
        .note(format!("{m} signals"))
        .null_by(format!("p (below chance): {} surrogates, each signal rotated alone", ratios.len()));
    let worth = kept.iter().map(|s| correlation_time(&s.values)).fold(1.0, f64::max);
    metric = match interval(o, columns, ratio, worth) {
        Ok((low, high)) => {
            metric.interval(low.max(1.0), high.min(m as f64)).interval_by("95 % delete-a-block jackknife")
        }
        Err(why) => metric.note(why),
    };
    f.metric(metric);
    let counted = "a count has no interval";
    f.metrics([
        Metric::new(name, "components_90", directions_for(&values, NEARLY) as f64, "", n as u64)
            .chance(mean(&drawn.iter().map(|d| directions_for(d, NEARLY) as f64).collect::<Vec<_>>()))
            .note(counted),
        Metric::new(name, "components_above_chance", above as f64, "", n as u64)
            .chance(0.0)
            .note(format!("above the 95th percentile of surrogates (parallel analysis); {counted}")),
        Metric::new(name, "first_component", values[0] / values.iter().sum::<f64>(), "", n as u64)
            .chance(mean(&drawn.iter().map(|d| d[0] / d.iter().sum::<f64>()).collect::<Vec<_>>()))
            .note("share of the variance; no interval: the largest of many"),
    ]);
    f.word(format!(
        "{name}: participation ratio {} of {m} signals, {} above chance",
        shown(ratio),
        number::counted(above, "component", "components")
    ));
    let x: Vec<f64> = (1..=m).map(|k| k as f64).collect();
    let sum: f64 = values.iter().sum();
    let share = |v: &[f64]| v.iter().map(|v| v / sum).collect::<Vec<f64>>();
    let curves = vec![
        curve("components", x.clone(), share(&values), CurveStyle::Points),
        curve("95 % of surrogates", x, share(&levels), CurveStyle::Chance),
    ];
    let axes = (Axis::new("component", ""), Axis::new("share of the variance", ""));
    f.shape(
        "variance of the components",
        Shape::Series(Series { x: axes.0, y: axes.1, curves, references: Vec::new() }),
    );
    let seconds = f.base.seconds();
    let time: Vec<f64> = (0..n).map(|t| (kept[0].start + t as f64 * kept[0].interval) / seconds).collect();
    let curves: Vec<Curve> = (0..DRAWN.min(m))
        .map(|k| {
            let means: Vec<f64> = columns.iter().map(|c| mean(c)).collect();
            let at = |t: usize| (0..m).map(|i| vectors[(i, k)] * (columns[i][t] - means[i])).sum::<f64>();
            curve(format!("component {}", k + 1), time.clone(), (0..n).map(at).collect(), CurveStyle::Line)
        })
        .collect();
    let (x, y) = (Axis::time(f.base), Axis::new("projection", ""));
    f.shape("components over time", Shape::Series(Series { x, y, curves, references: Vec::new() }));
    Ok(())
}

/// Eigenvalues of surrogates, of which each signal is rotated alone.
fn surrogates(o: &Options, f: &Findings<'_>, name: &str, columns: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, AnalysisError> {
    let n = columns[0].len();
    let key = f.key(name, "surrogates");
    let mut drawn = Vec::with_capacity(o.surrogates);
    let numbers: Vec<u32> = (0..o.surrogates as u32).collect();
    for some in numbers.chunks(8) {
        f.progress(0.6 * drawn.len() as f64 / o.surrogates as f64)?;
        drawn.par_extend(some.par_iter().map(|&k| {
            let turned: Vec<Vec<f64>> = columns
                .iter()
                .enumerate()
                .map(|(i, c)| {
                    let by = key.stream(k, i as u64).below(n as u32) as usize;
                    c[by..].iter().chain(&c[..by]).copied().collect()
                })
                .collect();
            principal(&slices(&turned)).expect(DECOMPOSED).0
        }));
    }
    Ok(drawn)
}

/// The interval of the participation ratio, or why there is none.
fn interval(o: &Options, columns: &[Vec<f64>], ratio: f64, worth: f64) -> Result<(f64, f64), String> {
    let n = columns[0].len();
    if o.blocks < 3 || (n / o.blocks) as f64 <= 10.0 * worth {
        return Err("no interval: blocks are short against how long samples depend on others".into());
    }
    let list: Vec<f64> = jackknife_blocks(n, o.blocks)
        .into_par_iter()
        .map(|block| {
            let rest: Vec<Vec<f64>> =
                columns.iter().map(|c| c[..block.start].iter().chain(&c[block.end..]).copied().collect()).collect();
            participation_ratio(&principal(&slices(&rest)).expect(DECOMPOSED).0)
        })
        .collect();
    let bias = (list.len() - 1) as f64 * (mean(&list) - ratio);
    let ends = jackknife_interval(ratio, &list).ok_or_else(|| "no interval: a block has no value".to_owned())?;
    Ok((ends.0 - bias, ends.1 - bias))
}

fn factors(o: &Options, f: &mut Findings<'_>, name: &str, columns: &[Vec<f64>]) -> Measured {
    // A model of k factors is determined while (m − k)² ≥ m + k (Lawley and Maxwell).
    let (m, n) = (columns.len(), columns[0].len());
    let most = (0..=o.max_factors)
        .take_while(|k| m > *k && (m - k).pow(2) >= m + k)
        .last()
        .expect("a model without factors is determined");
    f.progress(0.7)?;
    let list = slices(columns);
    let fitted = (most > 0).then(|| cross_validated(&list, most, FOLDS)).flatten();
    f.progress(0.95)?;
    let Some(likelihood) = fitted else {
        let why = format!("{m} signals and up to {most} factors: no model is determined, or a covariance is singular");
        f.metrics(["factors", "shared_variance"].map(|metric| Metric::missing(name, metric, "", n as u64, &why)));
        return Ok(());
    };
    let mut best = 0;
    for (k, v) in likelihood.iter().enumerate() {
        if *v > likelihood[best] {
            best = k;
        }
    }
    f.metric(
        Metric::new(name, "factors", best as f64, "", n as u64)
            .chance(0.0)
            .ground(Basis::Chance, "chance: signals that share nothing")
            .note(format!("of 0 to {most}; greatest likelihood of quarters left out; a count has no interval")),
    );
    let fit = (best > 0).then(|| covariance(&list).and_then(|c| Factors::fit(&c, best, 1000))).flatten();
    f.metric(match fit {
        Some(fit) => Metric::new(name, "shared_variance", mean(&fit.shared()), "", m as u64)
            .chance(0.0)
            .note("n = signals; mean share that the factors explain; no interval: the factors are chosen by the data"),
        None => Metric::missing(name, "shared_variance", "", m as u64, "no factor foretells what was left out"),
    });
    let gained: Vec<f64> = likelihood.iter().map(|v| v - likelihood[0]).collect();
    let x = (0..gained.len()).map(|k| k as f64).collect();
    let axes = (Axis::new("factors", ""), Axis::new("gain of log likelihood a sample", "nats"));
    let curves = vec![curve("left-out quarters", x, gained, CurveStyle::Points)];
    f.shape("number of factors", Shape::Series(Series { x: axes.0, y: axes.1, curves, references: Vec::new() }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::noise;
    use crate::testing::{metric, run, same_values, shifted, subject, traces, value};

    /// Twelve signals in two groups with one factor each: λ = 7, 7, 1 ten times; half of the variance is shared.
    fn groups(n: usize) -> Vec<Vec<f64>> {
        let common = [noise(100, n), noise(101, n)];
        (0..12).map(|k| noise(k, n).iter().zip(&common[k as usize % 2]).map(|(e, c)| e + c).collect()).collect()
    }

    #[test]
    fn two_factors_of_twelve_signals_are_found() {
        let r = traces(&groups(4000), 1.0);
        let o = run(&Dimensionality, &r, vec![subject("V_m", &[])], &[]).unwrap();
        let m = metric(&o, "p.V_m", "participation_ratio");
        let (low, high) = m.ends().unwrap();
        let truth = 24.0 * 24.0 / (2.0 * 49.0 + 10.0);
        assert!(low < truth && truth < high && high - low < 0.6 && m.p_value.unwrap() < 0.02, "{truth} {m:?}");
        assert!(m.chance.unwrap() > 11.5, "{m:?}");
        assert_eq!((value(&o, "p.V_m", "components_above_chance"), value(&o, "p.V_m", "factors")), (2.0, 2.0));
        assert!((value(&o, "p.V_m", "shared_variance") - 0.5).abs() < 0.03);
        same_values(&o, &run(&Dimensionality, &shifted(&r, 1e9), vec![subject("V_m", &[])], &[]).unwrap(), 1e-9);
    }

    #[test]
    fn noise_fills_all_directions_and_what_cannot_be_told_says_why() {
        let columns: Vec<Vec<f64>> = (0..8).map(|k| noise(k, 1000)).collect();
        let o = run(&Dimensionality, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert!(
            value(&o, "p.V_m", "components_above_chance") <= 1.0 && value(&o, "p.V_m", "participation_ratio") > 7.5
        );
        for (columns, why) in
            [(vec![noise(1, 300), vec![1.0; 300]], "1 signals that vary"), (columns_of(8, 12), "of 12")]
        {
            let o = run(&Dimensionality, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
            let m = metric(&o, "p.V_m", "participation_ratio");
            assert!(m.value.is_none() && m.note.contains(why), "{m:?}");
        }
    }

    fn columns_of(m: u64, n: usize) -> Vec<Vec<f64>> {
        (0..m).map(|k| noise(k, n)).collect()
    }
}
