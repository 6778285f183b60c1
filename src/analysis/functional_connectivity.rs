//! Functional connectivity: correlations and partial correlations of many signals, and how far two such matrices are
//! from each other.

mod against;

use super::dependence::signals::{self, Signal};
use super::options::matrix_if_given;
use super::prelude::*;
use spikedeck_core::factors::partial_correlations;
use spikedeck_core::number::shown;
use spikedeck_core::statistics::{correlation_interval, mean, normal_two_sided, pearson};
use spikedeck_core::surrogate::{Correction, adjust};
use spikedeck_core::worth::samples_for_one;
use spikedeck_scenario::FileMatrix;
use spikedeck_signal::{Axis, Matrix, Shape};

/// The analysis `functional_connectivity`.
pub struct FunctionalConnectivity;

const CARD: AnalysisCard = AnalysisCard {
    title: "Functional connectivity",
    synonyms: &[
        "correlation_matrix",
        "partial_correlation",
        "cross_correlation_matrix",
        "fc",
        "connectome",
        "fcd",
        "functional_connectivity_dynamics",
        "empirical_functional_connectivity",
    ],
    summary: "correlation of each two signals, as it is or given all others, how alike two halves are, and how alike a \
              measured matrix is",
    formula: "r = cov(x, y)/(sd x sd y);  partial: −P_xy/√(P_xx P_yy), P the inverse of the covariance of all\n\
              p and interval: Fisher's z with n/(1 + 2 Σ (1 − k/n) ρ_x ρ_y) independent samples (less 3, and less the \
              number of those given)\n\
              halves_agreement = correlation over pairs of z of the first and of the second half\n\
              fit = correlation over pairs with the matrix of `against`; fit_distance = root mean square \
              difference; p: regions exchanged (Mantel)\n\
              FCD: correlation over pairs of the matrices of two windows; fcd_mean, fcd_sd: over pairs of windows that \
              share no sample; fcd_distance: Kolmogorov and Smirnov's, of all pairs of windows to all of `fcd_against`",
    assumptions: "Stationary signals, of which a linear relation is asked; many more samples than signals (partial).",
    bias: "None to speak of for r; partial correlations of few samples scatter widely.",
    cost: "O(N m²), O(m³) partial; O(W² m²) for W windows",
    caveats: "A correlation is not a connection: common input makes one, and an inhibitory loop may hide one. The \
              partial one takes out what was recorded, and nothing else; it joins signals that drive a common target. \
              A fit above chance says that strong pairs are strong in both: neighbours are so in most brains and \
              models; halves_agreement is about what can be reached. Windows that share samples are alike by that: \
              those of `fcd_against` have to be as long and as far apart. An fcd_mean below 1 or an fcd_sd above 0 is \
              no sign of dynamics: windows are short, and only surrogates of a process that does not change tell.",
    references: &[
        "Friston 2011, Brain Connect 1:13-36, doi:10.1089/brain.2011.0008",
        "Marrelec and others 2006, Neuroimage 32:228-237, doi:10.1016/j.neuroimage.2005.12.057",
        "Bartlett 1946, J R Stat Soc 8:27-41, doi:10.2307/2983611",
        "Deco, Ponce-Alvarez, Mantini, Romani, Hagmann, Corbetta 2013, J Neurosci 33:11239-11252, \
         doi:10.1523/JNEUROSCI.1091-13.2013",
        "Hansen, Battaglia, Spiegler, Deco, Jirsa 2015, NeuroImage 105:525-535, \
         doi:10.1016/j.neuroimage.2014.11.001",
    ],
};

words! {
    /// Which correlation.
    pub enum Of {
        /// As it is.
        Correlation = "correlation",
        /// Given all others.
        Partial = "partial",
    }
}

options! {
    /// What `functional_connectivity` can be told.
    pub struct Options {
        measure: Of = choice(Of::Correlation), "correlation, or partial: given all other signals";
        bin: Option<Time> = signal_bin();
        fdr: Correction = choice(Correction::BenjaminiHochberg), "correction of p-values over all pairs";
        level: f64 = number("0.05").between(0.0, 1.0), "level at which a corrected p-value counts as significant";
        against: Option<FileMatrix> = matrix_if_given(),
            "file with a matrix that was measured, of the same regions in the same order (rows of text, .npy, or \
             Parquet; a first row and a first column may hold names)";
        permutations: Option<usize> = integer_if_given().between(19.0, 1e6),
            "against: how often regions are exchanged (default 999)";
        window: Option<Time> = time_if_given().piece(), "length of the windows whose matrices are compared (FCD)";
        window_step: Option<Time> = time_if_given().piece(),
            "from one window to the next (default half of a window)";
        fcd_against: Option<FileMatrix> = matrix_if_given(),
            "file with a matrix of windows against windows that was measured (FCD), of any size, with windows as long \
             and as far apart as here";
    }
}

/// Most signals.
const MOST: usize = 128;
/// Pairs up to which each stands among the numbers.
const MOST_NUMBERS: usize = 45;
/// Samples that are needed.
const LEAST: usize = 20;

/// A pair with what was found.
struct Found {
    pair: (usize, usize),
    r: f64,
    /// Independent samples, less those that the others take.
    worth: f64,
}

impl Found {
    fn p(&self) -> f64 {
        if self.worth <= 4.0 {
            f64::NAN
        } else {
            normal_two_sided(self.r.clamp(-1.0, 1.0).atanh() * (self.worth - 3.0).sqrt())
        }
    }
}

impl Estimator for FunctionalConnectivity {
    type Options = Options;
    const KIND: &'static str = "functional_connectivity";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn together(o: &Options, _: RunTimes) -> Result<(), Wrong> {
        let wrong = |key, message: &str, help: &str| Wrong { key, message: message.into(), help: help.into() };
        if o.permutations.is_some() && o.against.is_none() {
            return Err(wrong("permutations", "there is no matrix whose regions are exchanged", "add `against`"));
        }
        let (has_step, has_file) = (o.window_step.is_some(), o.fcd_against.is_some());
        match &o.window {
            None if has_step || has_file => {
                let key = if has_step { "window_step" } else { "fcd_against" };
                Err(wrong(key, "there are no windows", "add `window`, such as \"60 s\""))
            }
            _ => Ok(()),
        }
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let all = signals::aligned(f.request, &f.request.spec.of, o.bin)?;
        let name = f.request.spec.of.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join("+");
        let (m, n) = (all.len(), all[0].values.len());
        if !(2..=MOST).contains(&m) {
            return Err(AnalysisError::Unsuitable(format!("{m} signals: a matrix needs 2 to {MOST}")));
        }
        if n < LEAST {
            return Err(AnalysisError::Unsuitable(format!("{name}: {n} samples, fewer than {LEAST}")));
        }
        let (kept, silent): (Vec<&Signal>, Vec<&Signal>) =
            all.iter().partition(|s| super::coherence::unfit(s).is_none());
        if !silent.is_empty() {
            let why = super::coherence::unfit(silent[0]).unwrap_or_default();
            f.warn(format!("{} of {m} signals have no correlation ({why})", silent.len()));
        }
        let whole = found(o, &kept, 0..n);
        f.progress(0.7)?;
        let halves = [found(o, &kept, 0..n / 2), found(o, &kept, n / 2..n)];
        match whole {
            None => {
                let why = "the signals are too many or too much alike for these samples: one is made of others";
                f.metric(Metric::missing(&name, "mean", "", n as u64, why));
                f.word(format!("{name}: no value, {why}"));
            }
            Some(list) => {
                told(o, f, &name, &kept, &list, halves, n);
                if let Some(measured) = &o.against {
                    let places: Vec<usize> = (0..m).filter(|&k| super::coherence::unfit(&all[k]).is_none()).collect();
                    against::fit(o, f, &name, measured, &all, (&list, &places))?;
                }
            }
        }
        against::dynamics(o, f, &name, &kept)
    }
}

/// Correlations over a stretch of the samples; `None` where the covariance is singular, or fewer than two signals.
fn found(o: &Options, all: &[&Signal], stretch: std::ops::Range<usize>) -> Option<Vec<Found>> {
    let columns: Vec<&[f64]> = all.iter().map(|s| &s.values[stretch.clone()]).collect();
    let (m, n) = (columns.len(), stretch.len());
    if m < 2 {
        return None;
    }
    let partial = match o.measure {
        Of::Correlation => None,
        Of::Partial if n <= m + 4 => return None,
        Of::Partial => Some(partial_correlations(&columns)?),
    };
    let mut list = Vec::with_capacity(m * (m - 1) / 2);
    let mut worth = samples_for_one(&columns).into_iter();
    for i in 0..m {
        for j in i + 1..m {
            let given = if partial.is_some() { m - 2 } else { 0 };
            let of_one = worth.next().expect("there is one for each pair");
            let worth = n as f64 / of_one - given as f64;
            let r = partial.as_ref().map_or_else(|| pearson(columns[i], columns[j]), |p| p[(i, j)]);
            list.push(Found { pair: (i, j), r, worth });
        }
    }
    Some(list)
}

fn told(
    o: &Options,
    f: &mut Findings<'_>,
    name: &str,
    all: &[&Signal],
    list: &[Found],
    halves: [Option<Vec<Found>>; 2],
    n: usize,
) {
    let p: Vec<Option<f64>> = list.iter().map(|found| Some(found.p()).filter(|p| p.is_finite())).collect();
    let adjusted = adjust(&p, o.fdr);
    let what = match o.measure {
        Of::Correlation => "correlation",
        Of::Partial => "partial_correlation",
    };
    if list.len() <= MOST_NUMBERS {
        for (found, p) in list.iter().zip(&p) {
            let (i, j) = found.pair;
            let m = Metric::new(format!("{}~{}", all[i].name, all[j].name), what, found.r, "", n as u64).chance(0.0);
            f.metric(match p {
                None => m.note(format!("no interval and no p: {:.1} independent samples", found.worth)),
                Some(p) => {
                    let (low, high) = correlation_interval(found.r, found.worth, 0.95);
                    m.interval(low, high)
                        .ground(Basis::Interval, "95 % interval (Fisher), of as many samples as are independent")
                        .p(*p)
                        .ground(Basis::Null, "p: no correlation, of as many samples as are independent")
                        .note(format!("worth {:.0} independent samples", found.worth))
                }
            });
        }
    }
    let hits = adjusted.iter().flatten().filter(|p| **p <= o.level).count();
    let r: Vec<f64> = list.iter().map(|found| found.r).collect();
    f.metrics([
        Metric::new(name, "mean", mean(&r), "", list.len() as u64)
            .chance(0.0)
            .ground(Basis::Chance, "chance of a correlation: 0")
            .note(format!("n = pairs; mean {}; no interval: pairs share signals", what.replace('_', " "))),
        Metric::new(name, "significant_pairs", hits as f64, "", list.len() as u64)
            .note(format!("n = pairs; after correction at {}", o.level)),
        agreement(name, list.len(), halves),
    ]);
    f.word(format!(
        "{name}: mean {} {}, {hits} of {} pairs significant",
        what.replace('_', " "),
        shown(mean(&r)),
        list.len()
    ));
    let names: Vec<String> = all.iter().map(|s| s.name.clone()).collect();
    let itself = (0..all.len()).map(|k| ((k, k), 1.0, false));
    let pairs = list.iter().zip(&adjusted).map(|(found, p)| (found.pair, found.r, p.is_some_and(|p| p <= o.level)));
    let value = Axis::new(what.replace('_', " "), "");
    let matrix = Matrix::of_pairs(value, ("signal", names.clone()), ("signal", names), true, itself.chain(pairs));
    f.shape("matrix", Shape::Matrix(Matrix { diverging: true, ..matrix }));
}

/// How alike the matrices of both halves are: what a model's matrix can reach at the most against one that was
/// measured.
fn agreement(name: &str, pairs: usize, halves: [Option<Vec<Found>>; 2]) -> Metric {
    let [Some(first), Some(second)] = halves else {
        return Metric::missing(name, "halves_agreement", "", pairs as u64, "a half of the samples has no matrix");
    };
    if pairs < 3 {
        return Metric::missing(name, "halves_agreement", "", pairs as u64, "needs three pairs");
    }
    let z = |list: &[Found]| list.iter().map(|f| f.r.clamp(-0.999_999, 0.999_999).atanh()).collect::<Vec<f64>>();
    Metric::new(name, "halves_agreement", pearson(&z(&first), &z(&second)), "", pairs as u64).chance(0.0).note(
        "n = pairs; correlation of the matrices of the first and the second half; no interval: pairs share signals",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::noise;
    use crate::testing::{metric, run, same_values, shifted, subject, traces, value};
    use spikedeck_scenario::OptionValue;

    /// x → y → z: x and z correlate by 1/√3, and given y not at all.
    #[test]
    fn a_chain_by_both_measures() {
        let x = noise(1, 20_000);
        let add = |a: &[f64], seed: u64| a.iter().zip(noise(seed, 20_000)).map(|(a, b)| a + b).collect::<Vec<f64>>();
        let y = add(&x, 2);
        let z = add(&y, 3);
        let r = traces(&[x, y, z], 1.0);
        let of = |options: &[(&'static str, OptionValue)]| {
            run(&FunctionalConnectivity, &r, vec![subject("V_m", &[])], options).unwrap()
        };
        let o = of(&[]);
        let m = metric(&o, "p.V_m[0]~p.V_m[2]", "correlation");
        let (low, high) = m.ends().unwrap();
        let truth = 3.0_f64.sqrt().recip();
        assert!(low < truth && truth < high && m.p_value.unwrap() < 1e-6 && high - low < 0.03, "{m:?}");
        assert_eq!(value(&o, "p.V_m", "significant_pairs"), 3.0);
        same_values(
            &o,
            &run(&FunctionalConnectivity, &shifted(&r, 1e9), vec![subject("V_m", &[])], &[]).unwrap(),
            1e-9,
        );
        let o = of(&[("measure", OptionValue::Text("partial".into()))]);
        let m = metric(&o, "p.V_m[0]~p.V_m[2]", "partial_correlation");
        let (low, high) = m.ends().unwrap();
        assert!(low < 0.0 && 0.0 < high && m.p_value.unwrap() > 0.001, "{m:?}");
        assert!((value(&o, "p.V_m[0]~p.V_m[1]", "partial_correlation") - 0.5).abs() < 0.03);
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let x = noise(1, 100);
        let r = traces(&[x.clone(), x.clone()], 1.0);
        let partial = [("measure", OptionValue::Text("partial".into()))];
        let o = run(&FunctionalConnectivity, &r, vec![subject("V_m", &[])], &partial).unwrap();
        assert!(metric(&o, "p.V_m", "mean").note.contains("too much alike"));
        let r = traces(&[x.clone(), noise(2, 100), vec![1.0; 100]], 1.0);
        let o = run(&FunctionalConnectivity, &r, vec![subject("V_m", &[])], &[]).unwrap();
        assert!(o.warnings[0].contains("1 of 3") && value(&o, "p.V_m[0]~p.V_m[1]", "correlation").abs() < 0.4);
        let r = traces(&[x], 1.0);
        assert!(run(&FunctionalConnectivity, &r, vec![subject("V_m", &[])], &[]).is_err());
    }
}
