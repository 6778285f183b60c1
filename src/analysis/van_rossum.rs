//! Van Rossum's distance of pairs of trains.

use super::prelude::*;
use super::train_pairs::{self, Measure, PairOptions, Tail};
use spikedeck_core::number::shown;
use spikedeck_core::train_metric::{Filtered, Scale, van_rossum};

/// The analysis `van_rossum`.
pub struct VanRossum;

const CARD: AnalysisCard = AnalysisCard {
    title: "van Rossum distance",
    synonyms: &["van_rossum_distance"],
    summary: "distance of spike trains filtered by an exponential: each pair, mean, surrogates",
    formula: "D² = ΣΣ exp(−|a_i − a_j|/τ) + ΣΣ exp(−|b_i − b_j|/τ) − 2 ΣΣ exp(−|a_i − b_j|/τ)",
    assumptions: "Each train is filtered by exp(−t/τ) after every spike, as if it were followed to the end of the last \
                  one. With scale = \"spike\" one spike against none is 1 (as Elephant); with scale = \"integral\" it \
                  is √½, the integral as published. τ → 0 counts spikes not at equal times, τ → ∞ compares numbers of \
                  spikes alone.",
    bias: "It grows with the number of spikes: compare with the surrogates.",
    cost: "O(pairs · spikes) by running sums, once for each surrogate",
    caveats: "Trains of different rates are far apart whatever their times; near trains of low rates may be nearer \
              than equal ones of high rates are to a shifted copy. The p-value asks whether trains are nearer than \
              surrogates are.",
    references: &[
        "van Rossum 2001, doi:10.1162/089976601300014321",
        "Houghton and Kreuz 2012, doi:10.3109/0954898X.2012.673048",
    ],
};

words! {
    for Scale {
        Spike = "spike",
        Integral = "integral",
    }
}

options! {
    /// What `van_rossum` can be told.
    pub struct Options {
        tau: Time = time("10 ms").or(derived::HALF), "time constant of the filter";
        scale: Scale = choice(Scale::Spike),
            "one spike against none is 1 (as Elephant), or √½ (integral, as published)";
        pairs: PairOptions = shared();
    }
}

impl Estimator for VanRossum {
    type Options = Options;
    const KIND: &'static str = "van_rossum";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        train_pairs::each_group(f, o.pairs.max_units, false, |f, c| {
            let m = Measure {
                name: "van_rossum",
                label: "van Rossum distance",
                unit: "",
                itself: 0.0,
                range: (0.0, f64::INFINITY),
                diverging: false,
                chance: None,
                tail: Tail::Below,
                // Its square grows with the length.
                growth: 0.5,
                by_spikes: false,
                work: 1.0,
            };
            let (tau, scale) = (o.tau.axis, o.scale);
            let found = train_pairs::measure(
                f,
                &o.pairs,
                c,
                &m,
                |train, _| Filtered::new(train.to_vec(), tau),
                |a, b| van_rossum(a, b, scale),
            )?;
            let unit = f.base.unit();
            f.word(match found {
                Some(d) => format!("{}: distance {} (τ {} {unit})", c.subject, shown(d), shown(tau)),
                None => format!("{}: nothing fired", c.subject),
            });
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, same_values, shifted, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Shape;

    fn matrix(o: &crate::Outcome) -> &spikedeck_signal::Matrix {
        let found = o.shapes.iter().find_map(|s| if let Shape::Matrix(m) = &s.shape { Some(m) } else { None });
        found.unwrap()
    }

    /// ground-truth.md C10 (Elephant 1.2.1), in milliseconds, τ 100 ms.
    #[test]
    fn trains_of_elephant() {
        let trains =
            [vec![0.2, 0.4, 0.6, 0.7], vec![0.3, 0.45, 0.8, 0.9, 0.95], vec![0.2, 0.4, 0.6], vec![0.1, 0.4, 0.5, 0.6]];
        let trains: Vec<Vec<f64>> = trains.iter().map(|t| t.iter().map(|x| x * 1000.0).collect()).collect();
        let tau = ("tau", OptionValue::Number(0.1));
        let o = run(&VanRossum, &recording(&trains, 1000.0), vec![], std::slice::from_ref(&tau)).unwrap();
        for (at, expected) in [(1, 2.850063020), (2, 1.0), (3, 1.714393794)] {
            assert!((matrix(&o).values[at] - expected).abs() < 2e-9);
        }
        let scale = ("scale", OptionValue::Text("integral".into()));
        let other = run(&VanRossum, &recording(&trains, 1000.0), vec![], &[tau, scale]).unwrap();
        let (d, published) = (value(&o, "p.spikes", "van_rossum"), value(&other, "p.spikes", "van_rossum"));
        assert!((published - d * 0.5f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn copies_are_near_and_time_and_order_do_not_matter() {
        let mut trains: Vec<Vec<f64>> = (0..5).map(|u| poisson(4, u, 20.0, 8192.0)).collect();
        let none = [("surrogates", OptionValue::Integer(0))];
        let r = recording(&trains, 8192.0);
        let o = run(&VanRossum, &r, vec![], &none).unwrap();
        same_values(&o, &run(&VanRossum, &shifted(&r, 65536.0), vec![], &none).unwrap(), 1e-8);
        trains.reverse();
        same_values(&o, &run(&VanRossum, &recording(&trains, 8192.0), vec![], &none).unwrap(), 1e-9);
        trains[1] = trains[0].iter().map(|t| t + 1.0).collect();
        let o = run(&VanRossum, &recording(&trains, 8200.0), vec![], &[]).unwrap();
        let m = matrix(&o);
        assert!(m.values[1] < 0.5 * m.chance.as_ref().unwrap()[1]);
        assert!(m.significant.as_ref().unwrap()[1] && value(&o, "p.spikes", "significant_pairs") <= 2.0);
        assert_eq!(metric(&o, "p.spikes", "van_rossum").p_value, Some(0.005));
    }

    #[test]
    fn silent_trains_have_distances_and_silence_has_none() {
        let o = run(&VanRossum, &recording(&[vec![], vec![5.0], vec![]], 100.0), vec![], &[]).unwrap();
        assert_eq!(matrix(&o).values, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        let o = run(&VanRossum, &recording(&[vec![], vec![]], 100.0), vec![], &[]).unwrap();
        assert!(metric(&o, "p.spikes", "van_rossum").value.is_none());
    }
}
