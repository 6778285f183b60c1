//! Spike time tiling coefficient of pairs of trains.

use super::prelude::*;
use super::train_pairs::{self, Measure, PairOptions, Tail};
use spikedeck_core::number::{counted, shown};
use spikedeck_core::spike_tiles::{Tiles, tiling_coefficient};

/// The analysis `sttc`.
pub struct Sttc;

const CARD: AnalysisCard = AnalysisCard {
    title: "Spike time tiling coefficient",
    synonyms: &["spike_time_tiling_coefficient", "tiling_coefficient"],
    summary: "correlation of spike times within ± delta that does not depend on rates: each pair, mean, surrogates",
    formula: "STTC = ½ ((P_a − T_b)/(1 − P_a T_b) + (P_b − T_a)/(1 − P_b T_a))\nP_a = share of the spikes of a within \
              ± Δ of a spike of b\nT_a = share of the window within ± Δ of a spike of a",
    assumptions: "Trains over one window. Tiles are cut at its edges and count once where they overlap; a lag of \
                  exactly Δ counts (times are compared as they are, to 1e-9 s). 0 for independent trains of any rate, \
                  1 for equal ones; a half whose numerator and denominator vanish is 1. Silent trains have no value.",
    bias: "None for independent trains. Common slow changes of the rates raise it: surrogates that shift or shuffle \
           destroy these too, a dither keeps them.",
    cost: "O(pairs · spikes), once for each surrogate",
    caveats: "It depends on Δ: a value without its Δ says nothing. The mean over pairs can be 0 while some pairs are \
              correlated and others anticorrelated; look at the matrix. With few spikes it moves in large steps.",
    references: &[
        "Cutts and Eglen 2014, doi:10.1523/JNEUROSCI.2767-14.2014",
        "Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x",
        "Louis, Gerstein, Grün, Diesmann 2010, doi:10.3389/fncom.2010.00127",
    ],
};

options! {
    /// What `sttc` can be told.
    pub struct Options {
        delta: Time = time("5 ms").or(derived::TWENTIETH).or_zero(),
            "greatest lag of spikes that count as together (Δ)";
        pairs: PairOptions = shared();
    }
}

impl Estimator for Sttc {
    type Options = Options;
    const KIND: &'static str = "sttc";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        train_pairs::each_group(f, o.pairs.max_units, true, |f, c| {
            if c.silent() > 0 {
                f.warn(format!(
                    "{}: {} no coefficient",
                    c.subject,
                    counted(c.silent(), "train is empty and has", "trains are empty and have")
                ));
            }
            let (delta, guard) = (o.delta.axis, c.guard());
            let m = Measure {
                name: "sttc",
                label: "STTC",
                unit: "",
                itself: 1.0,
                range: (-1.0, 1.0),
                diverging: true,
                chance: Some((0.0, "chance: independent trains")),
                tail: Tail::Both,
                growth: 0.0,
                by_spikes: false,
                work: 1.0,
            };
            let found = train_pairs::measure(
                f,
                &o.pairs,
                c,
                &m,
                |train, edges| Tiles::new(train.to_vec(), delta, edges),
                |a, b| tiling_coefficient(a, b, delta, guard),
            )?;
            let unit = f.base.unit();
            f.word(match found {
                Some(mean) => format!("{}: STTC {} within {} {unit}", c.subject, shown(mean), shown(delta)),
                None => format!("{}: no two trains have spikes", c.subject),
            });
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, same_values, shifted, subject, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Shape;

    fn matrix(o: &crate::Outcome) -> &spikedeck_signal::Matrix {
        let found = o.shapes.iter().find_map(|s| if let Shape::Matrix(m) = &s.shape { Some(m) } else { None });
        found.unwrap()
    }

    /// ground-truth.md C10, in milliseconds, Δ 50 ms.
    #[test]
    fn trains_of_elephant() {
        let trains =
            [vec![0.2, 0.4, 0.6, 0.7], vec![0.3, 0.45, 0.8, 0.9, 0.95], vec![0.2, 0.4, 0.6], vec![0.1, 0.4, 0.5, 0.6]];
        let trains: Vec<Vec<f64>> = trains.iter().map(|t| t.iter().map(|x| x * 1000.0).collect()).collect();
        let o = run(&Sttc, &recording(&trains, 1000.0), vec![], &[("delta", OptionValue::Number(0.05))]).unwrap();
        let m = matrix(&o);
        for (at, expected) in [(1, -0.221371709), (2, 0.790322581), (3, 0.125), (0, 1.0)] {
            assert!((m.values[at] - expected).abs() < 1e-9, "{at} {}", m.values[at]);
            assert_eq!(m.values[at], m.values[4 * at]);
        }
        assert_eq!(metric(&o, "p.spikes", "sttc").n, Some(6));
        assert_eq!(metric(&o, "p.spikes", "significant_pairs").value, Some(0.0));
    }

    /// Two units that follow a third, one in two spikes, stand out of five that do not.
    #[test]
    fn pairs_with_common_input_are_found() {
        let common = poisson(1, 90, 10.0, 40_000.0);
        let mut trains: Vec<Vec<f64>> = (0..6).map(|u| poisson(1, u, 10.0, 40_000.0)).collect();
        for t in &mut trains[..2] {
            t.extend(common.iter().map(|t| t + 1.0).filter(|t| *t <= 40_000.0));
            t.sort_by(f64::total_cmp);
        }
        let options = [("surrogates", OptionValue::Integer(999))];
        for kind in ["shift", "dither", "dead_time_dither", "isi_dither", "joint_isi_dither", "isi_shuffle", "uniform"]
        {
            let mut options = options.to_vec();
            options.push(("surrogate", OptionValue::Text(kind.into())));
            let o = run(&Sttc, &recording(&trains, 40_000.0), vec![], &options).unwrap();
            let m = matrix(&o);
            let marked = m.significant.as_ref().unwrap();
            assert!(marked[1] && marked[6] && marked.iter().filter(|s| **s).count() <= 4, "{kind} {marked:?}");
            assert!(m.values[1] > 0.3 && m.chance.as_ref().unwrap()[1].abs() < 0.7 * m.values[1], "{kind}");
            assert!((1.0..=2.0).contains(&value(&o, "p.spikes", "significant_pairs")));
            if ["shift", "isi_shuffle", "uniform"].contains(&kind) {
                assert!(metric(&o, "p.spikes", "sttc").p_value.unwrap() < 0.05, "{kind}");
            }
        }
        let o = run(&Sttc, &recording(&trains[..2], 40_000.0), vec![], &[]).unwrap();
        let m = metric(&o, "p.spikes", "sttc");
        let (low, high) = m.ends().unwrap();
        assert!(low > 0.2 && low < m.value.unwrap() && m.value.unwrap() < high && high < 0.7, "{m:?}");
        assert_eq!(m.p_value, Some(0.01));
    }

    /// Elephant's issue 706: the coefficient must not know when the recording began, nor how units are numbered.
    #[test]
    fn blind_to_absolute_time_and_to_the_order_of_units() {
        let mut trains: Vec<Vec<f64>> =
            (0..5).map(|u| poisson(2, u, 20.0, 4096.0).iter().map(|t| (t * 8.0).round() / 8.0).collect()).collect();
        let r = recording(&trains, 4096.0);
        let options = [("surrogates", OptionValue::Integer(0))];
        let o = run(&Sttc, &r, vec![], &options).unwrap();
        for by in [16384.0, 1e9, 1.7e12] {
            same_values(&o, &run(&Sttc, &shifted(&r, by), vec![], &options).unwrap(), 1e-9);
        }
        trains.reverse();
        same_values(&o, &run(&Sttc, &recording(&trains, 4096.0), vec![], &options).unwrap(), 1e-12);
    }

    #[test]
    fn bad_input_is_said() {
        let with = |trains: &[Vec<f64>]| run(&Sttc, &recording(trains, 100.0), vec![], &[]);
        assert!(with(&[vec![1.0]]).unwrap_err().to_string().contains("at least two units"));
        let o = with(&[vec![], vec![], vec![5.0]]).unwrap();
        assert!(metric(&o, "p.spikes", "sttc").value.is_none());
        assert!(o.warnings[0].contains("2 trains are empty"));
        let o = with(&[vec![5.0, 5.0, 9.0], vec![5.0, 9.0], vec![]]).unwrap();
        assert_eq!(value(&o, "p.spikes", "sttc"), 1.0);
        assert!(o.warnings.iter().any(|w| w.contains("1 repeated spike times")));
        let clock: Vec<f64> = (1..=99).map(f64::from).collect();
        let o = with(&vec![clock; 3]).unwrap();
        let m = metric(&o, "p.spikes", "sttc");
        assert!(m.value == Some(1.0) && m.ends().is_none(), "{m:?}");
        let two = vec![subject("spikes", &[0]), subject("spikes", &[1])];
        let r = recording(&[vec![10.0, 20.0], vec![11.0, 22.0]], 100.0);
        let o = run(&Sttc, &r, two, &[]).unwrap();
        assert!(metric(&o, "p.spikes[0]+p.spikes[1]", "sttc").note.contains("no interval: fewer than 40 spikes"));
    }
}
