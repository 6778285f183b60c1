//! The largest Lyapunov exponent from data: how fast nearest neighbours part.

use super::prelude::*;
use super::series;
use super::series::embedded::EmbeddingOptions;
use super::series::exponent::{self, Fit, FitOptions};
use spikedeck_core::divergence::{Look, rosenstein};

/// `kind = "rosenstein"`.
#[derive(Debug, Clone, Copy)]
pub struct Rosenstein;

const CARD: AnalysisCard = AnalysisCard {
    title: "Largest Lyapunov exponent (Rosenstein)",
    synonyms: &["largest_lyapunov", "lyap_r", "lyapunov_from_data"],
    summary: "the largest Lyapunov exponent from data: how fast nearest neighbours part, with the curve and its \
              straight \
              part",
    formula: "d(k) = ⟨ln ‖X_{i+k} − X_{j(i)+k}‖⟩ over points X_i = (x_i, x_{i+τ}, …) and the nearest neighbour \
              X_{j(i)} of \
              each (Euclidean), which is more than `theiler` away in time\n\
              λ = slope of d(k) per unit of time over its straight part",
    assumptions: "A deterministic, stationary series with little noise, long against the time in which states return; \
                  neighbours near enough to part by a factor of e at least before they are as far apart as any.",
    bias: "Noise raises the curve's start and lowers the slope. Too small a dimension mixes false neighbours in, which \
           part at once. For flows the first part of the curve is the turn into the direction that grows; it belongs \
           to \
           no exponent.",
    cost: "O(N log N + N · steps)",
    caveats: "No slope without its curve: look whether there is a straight part at all. It is the longest stretch, \
              below \
              four fifths of the way to the plateau, over which distances grow by e or more and a line explains 99 % \
              of \
              the variance; where there is none, there is no value (noise jumps to the plateau, cycles stay flat). \
              `from` and `to` choose another stretch. A positive slope of a short curve is no proof of chaos: compare \
              with surrogates of the same spectrum, other dimensions and delays, and the 0-1 test.",
    references: &[
        "Rosenstein, Collins, De Luca 1993, Physica D 65:117-134, doi:10.1016/0167-2789(93)90009-P",
        "Kantz, Schreiber 2003, Nonlinear Time Series Analysis, doi:10.1017/CBO9780511755798",
        "Theiler 1986, Phys Rev A 34:2427-2432, doi:10.1103/PhysRevA.34.2427",
    ],
};

options! {
    /// What `rosenstein` can be told.
    pub struct Options {
        unfolded: EmbeddingOptions = shared();
        fit: FitOptions = shared();
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for Rosenstein {
    type Options = Options;
    const KIND: &'static str = "rosenstein";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let wanted = [("lambda", f.base.per_time()), ("r_squared", "")];
        let mut fits = Vec::new();
        series::each(f, o.bin, exponent::LEAST, &wanted, |f, s| {
            let chosen = o.unfolded.of(s)?;
            f.progress(0.3)?;
            let steps = o.fit.steps(s)?;
            let look = Look { embedding: chosen.embedding, window: chosen.window, steps, blocks: exponent::BLOCKS };
            if let Some(why) = exponent::too_short(s, look) {
                f.metrics(wanted.iter().map(|(metric, unit)| s.missing(metric, unit, &why)));
                return Ok(());
            }
            let found = rosenstein(&s.values, look);
            let how = format!("{}; n = points with a neighbour", chosen.how);
            fits.push(exponent::told(f, s, &o.fit, Fit { label: s.name.clone(), found, how })?);
            Ok(())
        })?;
        f.shapes(exponent::shape(f.base, "mean ln distance", &fits));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, henon, logistic, lorenz, noise};
    use crate::testing::{metric, run, subject, traces, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::{Recording, TimeBase};

    fn plain(values: Vec<f64>, interval: f64) -> Recording {
        Recording { time_base: TimeBase::Dimensionless, ..traces(&[values], interval) }
    }

    fn of(values: Vec<f64>, interval: f64, options: &[(&'static str, OptionValue)]) -> crate::Outcome {
        run(&Rosenstein, &plain(values, interval), vec![subject("V_m", &[])], options).unwrap()
    }

    /// ln 2; 0.4192; 0.9056.
    #[test]
    fn exponents_that_are_known() {
        for (values, interval, truth, tolerance) in [
            (logistic(4000), 1.0, std::f64::consts::LN_2, 0.04),
            (henon(4000), 1.0, 0.4192, 0.03),
            (lorenz(10_000, 0.02), 0.02, 0.9056, 0.1),
        ] {
            let o = of(values, interval, &[]);
            let m = metric(&o, "p.V_m", "lambda");
            assert!((m.value.unwrap() - truth).abs() < tolerance, "{truth} {m:?}");
            assert!(value(&o, "p.V_m", "r_squared") > 0.98);
            assert!(!o.shapes.is_empty() && m.unit == "1/time");
        }
    }

    #[test]
    fn without_a_straight_part_there_is_no_number() {
        let sine: Vec<f64> = (0..3000).map(|k| (f64::from(k) * 0.1).sin()).collect();
        for values in [sine, noise(4, 2000)] {
            let o = of(values, 1.0, &[]);
            let m = metric(&o, "p.V_m", "lambda");
            assert!(m.value.is_none() && m.note.contains("straight"), "{m:?}");
            assert!(o.shapes.iter().any(|s| s.name.contains("divergence")), "the curve is shown");
        }
    }

    #[test]
    fn a_stretch_can_be_chosen() {
        let options = [("from", OptionValue::Number(1.0)), ("to", OptionValue::Number(5.0))];
        let o = of(logistic(3000), 1.0, &options);
        let m = metric(&o, "p.V_m", "lambda");
        assert!((m.value.unwrap() - 0.69).abs() < 0.05 && m.note.contains("from 1 to 5"), "{m:?}");
    }

    #[test]
    fn bad_input_is_missing() {
        bad_series(&Rosenstein, "lambda");
        let o = of(logistic(300), 1.0, &[("steps", OptionValue::Number(290.0))]);
        assert!(metric(&o, "p.V_m", "lambda").note.contains("few points"), "{:?}", o.metrics);
    }
}
