//! The largest Lyapunov exponent from data: how fast all neighbours within a distance part, for several distances.

use super::prelude::*;
use super::series::embedded::EmbeddingOptions;
use super::series::exponent::{self, Fit, FitOptions};
use super::series::{self, Series};
use spikedeck_core::divergence::{Divergence, Look, kantz, region};
use spikedeck_core::number::shown;
use spikedeck_core::statistics::deviation;

/// `kind = "kantz"`.
#[derive(Debug, Clone, Copy)]
pub struct Kantz;

const CARD: AnalysisCard = AnalysisCard {
    title: "Largest Lyapunov exponent (Kantz)",
    synonyms: &["lyapunov_from_data"],
    summary: "the largest Lyapunov exponent from data: how fast all neighbours within a distance part, for several \
              distances",
    formula: "S(ε, k) = ⟨ln(1/|U_i| Σ_{j ∈ U_i} |x_{i+k} − x_{j+k}|)⟩ over points X_i = (x_i, x_{i+τ}, …) with at \
              least \
              `neighbours` others U_i closer than ε (maximum norm), which are more than `theiler` away in time; x the \
              newest coordinate\n\
              λ = slope of S(ε, k) per unit of time over its straight part, for the smallest ε that has one",
    assumptions: "A deterministic, stationary series with noise well below ε, long against the time in which states \
                  return.",
    bias: "Averaged over neighbours before the logarithm, it is less moved by noise than that of single neighbours; \
           too \
           large an ε saturates before a straight part shows.",
    cost: "O(N log N + N · neighbours · steps) a distance",
    caveats: "No slope without its curve: the curves of all distances should run in parallel over the part where the \
              slope \
              is taken. Where none has a straight part (distances that grow by e or more, a line that explains 99 % of \
              the variance) there is no value. Few points have neighbours at small distances: n says how many.",
    references: &[
        "Kantz 1994, Phys Lett A 185:77-87, doi:10.1016/0375-9601(94)90991-1",
        "Kantz, Schreiber 2003, Nonlinear Time Series Analysis, doi:10.1017/CBO9780511755798",
        "Theiler 1986, Phys Rev A 34:2427-2432, doi:10.1103/PhysRevA.34.2427",
    ],
};

/// Share of all points that have neighbours, at least, for a distance to count.
const LEAST_SHARE: f64 = 0.1;

options! {
    /// What `kantz` can be told.
    pub struct Options {
        unfolded: EmbeddingOptions = shared();
        distance: Option<f64> = number_if_given().between(1e-9, 10.0),
            "ε in standard deviations (default: the smallest of several that has a straight part)";
        distances: usize = integer("5").between(1.0, 20.0), "how many are looked at, each twice the one before";
        smallest: f64 = number("0.01").between(1e-9, 10.0), "the smallest of them, in standard deviations";
        neighbours: usize = integer("5").between(1.0, 1000.0), "how many a point has at the least";
        fit: FitOptions = shared();
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for Kantz {
    type Options = Options;
    const KIND: &'static str = "kantz";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let wanted = [("lambda", f.base.per_time()), ("r_squared", "")];
        let mut drawn = Vec::new();
        series::each(f, o.bin, exponent::LEAST, &wanted, |f, s| {
            let chosen = o.unfolded.of(s)?;
            f.progress(0.2)?;
            let steps = o.fit.steps(s)?;
            let look = Look { embedding: chosen.embedding, window: chosen.window, steps, blocks: exponent::BLOCKS };
            let mut curves = match exponent::too_short(s, look) {
                Some(why) => Err(why),
                None => Ok(curves(o, f, s, look)?),
            }
            .and_then(|all| if all.is_empty() { Err(few(o, s)) } else { Ok(all) });
            let all = match &mut curves {
                Ok(all) => all,
                Err(why) => {
                    f.metrics(wanted.iter().map(|(metric, unit)| s.missing(metric, unit, why.as_str())));
                    return Ok(());
                }
            };
            let curved = all.iter().take_while(|(_, d)| region(&d.curve).is_none()).count();
            // Where none has a straight part the smallest distance says so.
            let best = if curved < all.len() { curved } else { 0 };
            let (distance, found) = all.remove(best);
            let label = |d: f64| format!("{} ε {} sd", s.name, shown(d));
            let how = format!("ε {} standard deviations; {}; n = points with neighbours", shown(distance), chosen.how);
            drawn.push(exponent::told(f, s, &o.fit, Fit { label: label(distance), found, how })?);
            drawn.extend(all.iter().map(|(d, found)| exponent::beside(s, &label(*d), found)));
            Ok(())
        })?;
        f.shapes(exponent::shape(f.base, "mean ln distance", &drawn));
        Ok(())
    }
}

/// The curves of the distances at which enough points have neighbours.
fn curves(o: &Options, f: &Findings<'_>, s: &Series, look: Look) -> Result<Vec<(f64, Divergence)>, AnalysisError> {
    let distances: Vec<f64> = match o.distance {
        Some(one) => vec![one],
        None => (0..o.distances).map(|k| o.smallest * (k as f64).exp2()).collect(),
    };
    let sd = deviation(&s.values, 0);
    let enough = (LEAST_SHARE * look.embedding.points(s.values.len()) as f64) as u64;
    let mut all = Vec::new();
    for (k, &distance) in distances.iter().enumerate() {
        f.progress(0.2 + 0.8 * k as f64 / distances.len() as f64)?;
        let found = kantz(&s.values, look, distance * sd, o.neighbours);
        if found.points >= enough.max(1) {
            all.push((distance, found));
        }
    }
    Ok(all)
}

fn few(o: &Options, s: &Series) -> String {
    format!(
        "at no distance have {:.0} % of the points {} neighbours: {} samples are few, or take larger distances",
        100.0 * LEAST_SHARE,
        o.neighbours,
        s.n()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, henon, logistic, noise};
    use crate::testing::{metric, run, subject, traces, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::{Recording, Shape, TimeBase};

    fn of(values: Vec<f64>, options: &[(&'static str, OptionValue)]) -> crate::Outcome {
        let recording = Recording { time_base: TimeBase::Dimensionless, ..traces(&[values], 1.0) };
        run(&Kantz, &recording, vec![subject("V_m", &[])], options).unwrap()
    }

    #[test]
    fn maps_have_their_exponents() {
        for (values, truth) in [(logistic(6000), std::f64::consts::LN_2), (henon(6000), 0.4192)] {
            let o = of(values, &[]);
            let m = metric(&o, "p.V_m", "lambda");
            assert!((m.value.unwrap() - truth).abs() < 0.04, "{truth} {m:?}");
            assert!(value(&o, "p.V_m", "r_squared") > 0.98);
            let Shape::Series(drawn) = &o.shapes[0].shape else { panic!() };
            assert!(drawn.curves.len() > 3, "all distances are shown");
        }
    }

    #[test]
    fn noise_and_distances_without_neighbours_have_none() {
        assert!(metric(&of(noise(1, 1500), &[]), "p.V_m", "lambda").value.is_none());
        let o = of(logistic(1000), &[("distance", OptionValue::Number(1e-6))]);
        assert!(metric(&o, "p.V_m", "lambda").note.contains("at no distance"));
    }

    #[test]
    fn bad_input_is_missing() {
        bad_series(&Kantz, "lambda");
    }
}
