//! Victor and Purpura's distance of pairs of trains.

use super::prelude::*;
use super::train_pairs::{self, Measure, PairOptions, Tail};
use spikedeck_core::number::shown;
use spikedeck_core::spike_distance::Edges;
use spikedeck_core::train_metric::victor_purpura;

/// The analysis `victor_purpura`.
pub struct VictorPurpura;

const CARD: AnalysisCard = AnalysisCard {
    title: "Victor-Purpura distance",
    synonyms: &["victor_purpura_distance", "vp_distance", "spike_time_metric"],
    summary: "least cost of turning one train into another by adding, removing and moving spikes: each pair, mean, \
              surrogates",
    formula: "D = least sum of steps: 1 for a spike added or removed, |Δt|/τ for one moved (q = 1/τ)\nshare = \
              D/(n_a + n_b)",
    assumptions: "τ is the distance over which moving a spike costs as much as removing it; spikes farther apart than \
                  2 τ are never moved onto each other. τ → ∞ counts spikes (|n_a − n_b|), τ → 0 counts those not at \
                  equal times. Spikes of a train keep their order.",
    bias: "It grows with the number of spikes: compare with the surrogates, or look at the share, which is 0 for equal \
           trains and 1 for trains without anything in common.",
    cost: "O(pairs · (spikes + pairs of spikes nearer than 2 τ)), once for each surrogate",
    caveats: "Distances of trains with different numbers of spikes are at least |n_a − n_b| whatever their times. The \
              p-value asks whether trains are nearer than surrogates are.",
    references: &[
        "Victor and Purpura 1996, doi:10.1152/jn.1996.76.2.1310",
        "Victor and Purpura 1997, doi:10.1088/0954-898X_8_2_003",
    ],
};

options! {
    /// What `victor_purpura` can be told.
    pub struct Options {
        tau: Time = time("20 ms").or(derived::HALF),
            "time over which moving a spike costs as much as removing one (1/q)";
        pairs: PairOptions = shared();
    }
}

impl Estimator for VictorPurpura {
    type Options = Options;
    const KIND: &'static str = "victor_purpura";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        train_pairs::each_group(f, o.pairs.max_units, false, |f, c| {
            let q = 1.0 / o.tau.axis;
            // Spikes within reach of one, on average.
            let rate = c.trains.iter().map(Vec::len).sum::<usize>() as f64 / c.trains.len() as f64;
            let near = 1.0 + 4.0 * o.tau.axis * rate / (c.edges.stop - c.edges.start);
            let m = Measure {
                name: "victor_purpura",
                label: "Victor-Purpura distance",
                unit: "",
                itself: 0.0,
                range: (0.0, f64::INFINITY),
                diverging: false,
                chance: None,
                tail: Tail::Below,
                growth: 1.0,
                by_spikes: false,
                work: near,
            };
            let ready = |train: &[f64], _: Edges| train.to_vec();
            let found = train_pairs::measure(f, &o.pairs, c, &m, ready, |a, b| victor_purpura(a, b, q))?;
            let plain = PairOptions { made: o.pairs.made.without(), ..o.pairs.clone() };
            let share = Measure {
                name: "victor_purpura_share",
                label: "Victor-Purpura distance per spike",
                range: (0.0, 1.0),
                growth: 0.0,
                ..m
            };
            let per_spike = |a: &Vec<f64>, b: &Vec<f64>| victor_purpura(a, b, q) / (a.len() + b.len()) as f64;
            let share = train_pairs::measure(f, &plain, c, &share, ready, per_spike)?;
            let (base, tau) = (f.base, shown(o.tau.axis));
            f.word(match found.zip(share) {
                Some((d, s)) => {
                    format!("{}: distance {}, {} per spike (τ {} {})", c.subject, shown(d), shown(s), tau, base.unit())
                }
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

    /// ground-truth.md C10, in milliseconds, q 5/s.
    #[test]
    fn trains_of_elephant() {
        let trains =
            [vec![0.2, 0.4, 0.6, 0.7], vec![0.3, 0.45, 0.8, 0.9, 0.95], vec![0.2, 0.4, 0.6], vec![0.1, 0.4, 0.5, 0.6]];
        let trains: Vec<Vec<f64>> = trains.iter().map(|t| t.iter().map(|x| x * 1000.0).collect()).collect();
        let o = run(&VictorPurpura, &recording(&trains, 1000.0), vec![], &[("tau", OptionValue::Number(0.2))]).unwrap();
        for (at, expected) in [(1, 3.75), (2, 1.0), (3, 1.5)] {
            assert!((matrix(&o).values[at] - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn copies_are_near_and_time_and_order_do_not_matter() {
        let mut trains: Vec<Vec<f64>> = (0..5).map(|u| poisson(4, u, 20.0, 8192.0)).collect();
        let none = [("surrogates", OptionValue::Integer(0))];
        let r = recording(&trains, 8192.0);
        let o = run(&VictorPurpura, &r, vec![], &none).unwrap();
        same_values(&o, &run(&VictorPurpura, &shifted(&r, 65536.0), vec![], &none).unwrap(), 1e-8);
        trains.reverse();
        same_values(&o, &run(&VictorPurpura, &recording(&trains, 8192.0), vec![], &none).unwrap(), 1e-9);
        // Each spike 2 ms later: a tenth of the cost of removing it.
        trains[1] = trains[0].iter().map(|t| t + 2.0).collect();
        let o = run(&VictorPurpura, &recording(&trains, 8200.0), vec![], &[]).unwrap();
        let m = matrix(&o);
        assert!((m.values[1] / (0.1 * trains[0].len() as f64) - 1.0).abs() < 0.05, "{}", m.values[1]);
        assert!(m.significant.as_ref().unwrap()[1] && value(&o, "p.spikes", "significant_pairs") <= 2.0);
        let share = value(&o, "p.spikes", "victor_purpura_share");
        assert!(share > 0.2 && share < 0.8);
        let o = run(&VictorPurpura, &recording(&trains[..2], 8200.0), vec![], &[]).unwrap();
        assert!((value(&o, "p.spikes", "victor_purpura_share") - 0.05).abs() < 0.01);
        let (low, high) = metric(&o, "p.spikes", "victor_purpura").ends().unwrap();
        assert!(low > 8.0 && high < 30.0, "{low} {high}");
    }

    #[test]
    fn silent_trains_have_distances_and_silence_has_none() {
        let o = run(&VictorPurpura, &recording(&[vec![], vec![5.0, 5.0], vec![]], 100.0), vec![], &[]).unwrap();
        assert_eq!(matrix(&o).values, [0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0]);
        assert_eq!(metric(&o, "p.spikes", "victor_purpura_share").n, Some(2));
        let o = run(&VictorPurpura, &recording(&[vec![], vec![]], 100.0), vec![], &[]).unwrap();
        assert!(metric(&o, "p.spikes", "victor_purpura").value.is_none());
    }
}
