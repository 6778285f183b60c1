//! Numbers of other tools on the same series (data/reference/series_tools.py).

use crate::delay::Embedding;
use crate::divergence::{Look, rosenstein};
use crate::entropy::Counts;
use crate::fluctuation::fluctuations;
use crate::information::{entropy, quantile_bins};
use crate::reference_sets::MinStd;
use crate::statistics::deviation;
use crate::{lempel_ziv, ordinal, sample_entropy};

fn stored() -> serde_json::Value {
    serde_json::from_str(include_str!("../../data/reference/series_tools.json")).unwrap()
}

fn list(of: &serde_json::Value, key: &str) -> Vec<f64> {
    of[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn near(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() <= 1e-9 * want.abs().max(1.0), "{what}: {got} is not {want}");
}

#[test]
fn series_have_the_numbers_of_other_tools() {
    let all = stored();
    let mut g = MinStd::new(1);
    let noise: Vec<f64> = (0..1000).map(|_| g.normal()).collect();
    let mut x = 0.3123;
    let chaos: Vec<f64> = (0..1000)
        .map(|_| {
            x = 4.0 * x * (1.0 - x);
            x
        })
        .collect();
    for (name, values) in [("noise", noise), ("chaos", chaos)] {
        let of = &all[name];
        let number = |key: &str| of[key].as_f64().unwrap();
        let r = 0.2 * deviation(&values, 0);
        let found = sample_entropy::matches(&values, 2, r, 0).entropy().unwrap();
        near(found, number("sample_entropy_nolds"), "nolds");
        near(found, number("sample_entropy_antropy"), "antropy");
        let bits = entropy(&ordinal::counts(&ordinal::patterns(&values, 4, 2), 24));
        near(bits, number("permutation_entropy_antropy"), "antropy");
        near(bits * std::f64::consts::LN_2, number("permutation_entropy_ordpy"), "ordpy");
        near(lempel_ziv::words(&quantile_bins(&values, 2).0) as f64, number("lempel_ziv_antropy"), "antropy");
        let scales: Vec<usize> = list(of, "dfa_scales").iter().map(|s| *s as usize).collect();
        let roots = fluctuations(&values, 1, &scales).unwrap();
        for (got, want) in roots.iter().zip(list(of, "dfa_fluctuations")) {
            near(got.root(None), want, "dfa by polyfit");
        }
        let want = list(of, "rosenstein_curve");
        let look =
            Look { embedding: Embedding { dimension: 2, delay: 1 }, window: 5, steps: want.len() - 1, blocks: 3 };
        for (got, want) in rosenstein(&values, look).curve.iter().zip(want) {
            near(*got, want, "nolds lyap_r");
        }
    }
}

#[test]
fn entropies_have_the_numbers_of_infomeasure() {
    let all = stored();
    let counts: Vec<u64> = all["counts"].as_array().unwrap().iter().map(|c| c.as_u64().unwrap()).collect();
    let c = Counts::new(&counts, counts.len() as f64);
    let of = |key: &str| all[key].as_f64().unwrap();
    near(c.plug_in(), of("discrete"), "discrete");
    near(c.miller_madow(), of("miller_madow"), "miller_madow");
    near(c.chao_shen(), of("chao_shen"), "chao_shen");
    near(c.grassberger(), of("grassberger_2003"), "grassberger");
    near(c.shrinkage(), of("shrink"), "shrink");
}
