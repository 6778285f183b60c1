//! The 0-1 test for chaos: one number for a series, near 0 where it is regular and near 1 where it is chaotic.

use super::prelude::*;
use super::series::{self, Series};
use rayon::prelude::*;
use spikedeck_core::delay::autocorrelation;
use spikedeck_core::number::shown;
use spikedeck_core::statistics::{median, quantile};
use spikedeck_core::zero_one::correlation;
use spikedeck_signal::{Axis, CurveStyle, NamedShape, ReferenceLine, Series as Curves, Shape};
use std::f64::consts::PI;

/// `kind = "zero_one_test"`.
#[derive(Debug, Clone, Copy)]
pub struct ZeroOneTest;

const CARD: AnalysisCard = AnalysisCard {
    title: "0-1 test for chaos",
    synonyms: &["gottwald_melbourne", "01_test", "chaos_test"],
    summary: "near 0 for a regular series, near 1 for a chaotic one, without delays and dimensions",
    formula: "p(n) = Σ_{j≤n} (x_j − ⟨x⟩) cos jc, q(n) = Σ_{j≤n} (x_j − ⟨x⟩) sin jc\n\
              D(n) = ⟨(p(j+n) − p(j))² + (q(j+n) − q(j))²⟩, n up to N/10 (without the mean nothing oscillates)\n\
              K = corr(n, D(n)), the median over `frequencies` values of c in (π/5, 4π/5)",
    assumptions: "A deterministic, stationary series of a thousand values or more, sampled as coarsely as it changes.",
    bias: "Of weak chaos and of short series it lies between 0 and 1; it tends to 1 or 0 slowly.",
    cost: "O(frequencies · N²/10)",
    caveats: "Noise is at 1 as well: the test tells chaos from order, not from noise. A flow sampled fast looks \
              regular: \
              it is taken at every `interval` (by itself, where it no longer correlates with itself by half), and the \
              note says which. Frequencies of the series that resonate with c are why the median is taken, and not the \
              mean. There is no interval: a series has one K, and the spread over c is none of its sampling.",
    references: &[
        "Gottwald, Melbourne 2009, SIAM J Appl Dyn Syst 8:129-145, doi:10.1137/080718851",
        "Gottwald, Melbourne 2004, Proc R Soc A 460:603-611, doi:10.1098/rspa.2003.1183",
    ],
};

/// Values that the test needs.
const LEAST: usize = 200;
/// Values beyond which nothing is gained for what they cost.
const MOST: usize = 20_000;
/// Correlation of values that are taken in turn, at most.
const CORRELATED: f64 = 0.5;

options! {
    /// What `zero_one_test` can be told.
    pub struct Options {
        frequencies: usize = integer("41").between(5.0, 1000.0), "values of c";
        interval: Option<Time> = time_if_given().piece(),
            "time between the values that are taken (default: where the series correlates by less than half with \
            itself)";
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for ZeroOneTest {
    type Options = Options;
    const KIND: &'static str = "zero_one_test";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let mut curves = Vec::new();
        series::each(f, o.bin, LEAST, &[("k", "")], |f, s| {
            let every = every(o, s)?;
            let taken: Vec<f64> = s.values.iter().step_by(every).copied().collect();
            let (n, kept) = (taken.len(), &taken[..taken.len().min(MOST)]);
            let step = format!("every {} of {} samples taken", every, s.n());
            let step = if every == 1 { "all samples taken".to_owned() } else { step };
            if n < LEAST {
                let why = format!("{step}: {n} values, fewer than {LEAST}; a longer recording, or `interval`");
                f.metric(s.missing("k", "", why));
                return Ok(());
            }
            if n > MOST {
                f.warn(format!("{}: the first {MOST} of {n} values are looked at", s.name));
            }
            let at = |k: usize| PI / 5.0 + 0.6 * PI * (k as f64 + 0.5) / o.frequencies as f64;
            let mut all = Vec::with_capacity(o.frequencies);
            for some in (0..o.frequencies).collect::<Vec<_>>().chunks(rayon::current_num_threads().max(1)) {
                f.progress(all.len() as f64 / o.frequencies as f64)?;
                all.par_extend(some.par_iter().map(|&k| (at(k), correlation(kept, at(k)))));
            }
            let mut known: Vec<f64> = all.iter().map(|c| c.1).filter(|k| k.is_finite()).collect();
            if known.is_empty() {
                f.metric(s.missing("k", "", "the values taken are all alike"));
                return Ok(());
            }
            known.sort_by(f64::total_cmp);
            let k = median(&known);
            let quartiles = (quantile(&known, 0.25), quantile(&known, 0.75));
            f.metric(s.metric("k", k, "", kept.len() as u64).note(format!(
                "median over {} frequencies (quartiles {:.3} and {:.3}); 0: regular, 1: chaotic or noise; {step}; n = \
                 values; no interval: a series has one K",
                known.len(),
                quartiles.0,
                quartiles.1
            )));
            f.word(format!("{}: K = {} ({})", s.name, shown(k), verdict(k)));
            let (x, y) = all.into_iter().filter(|c| c.1.is_finite()).unzip();
            curves.push(curve(&s.name, x, y, CurveStyle::Points));
            Ok(())
        })?;
        if !curves.is_empty() {
            let (x, y) = (Axis::new("frequency c", ""), Axis::new("K", ""));
            let references = vec![
                ReferenceLine { name: "regular".into(), at: 0.0, vertical: false },
                ReferenceLine { name: "chaotic".into(), at: 1.0, vertical: false },
            ];
            f.shapes([NamedShape::new("K by frequency", Shape::Series(Curves { x, y, curves, references }))]);
        }
        Ok(())
    }
}

fn verdict(k: f64) -> &'static str {
    match k {
        k if k > 0.8 => "chaotic, or noise",
        k if k < 0.2 => "regular",
        _ => "undecided: a longer series is needed",
    }
}

/// Samples from one value that is taken to the next.
fn every(o: &Options, s: &Series) -> Result<usize, AnalysisError> {
    if let Some(interval) = o.interval {
        return Ok(s.samples("interval", interval)?.max(1));
    }
    // Of a map that is coarse by nature every value counts; of a flow those that are no longer alike.
    let r = autocorrelation(&s.values, (s.values.len() / 10).min(2000));
    Ok(r.iter().take_while(|r| **r >= CORRELATED).count().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, logistic};
    use crate::testing::{metric, run, subject, traces, value};

    fn of(values: Vec<f64>) -> crate::Outcome {
        run(&ZeroOneTest, &traces(&[values], 1.0), vec![subject("V_m", &[])], &[]).unwrap()
    }

    #[test]
    fn order_and_chaos() {
        assert!(value(&of(logistic(2000)), "p.V_m", "k") > 0.98);
        let sine: Vec<f64> = (0..8000).map(|k| (f64::from(k) * 0.05).sin()).collect();
        let o = of(sine);
        let m = metric(&o, "p.V_m", "k");
        assert!(m.value.unwrap().abs() < 0.1 && m.note.contains("every"), "{m:?}");
        assert!(o.summary.contains("regular"));
    }

    #[test]
    fn bad_input_is_missing() {
        bad_series(&ZeroOneTest, "k");
    }
}
