use super::*;
use crate::reference_sets::{copy_process, coupled_pair, normals};

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got} is not {want}");
}

/// The table of ground truth C12: N 17.
#[test]
fn a_table_of_three_by_three() {
    let table = Table { rows: 3, columns: 3, counts: vec![4, 1, 0, 1, 3, 2, 0, 1, 5] };
    let p = table.plug_in();
    near(p.rows, 1.579_863_401, 1e-9);
    near(p.columns, 1.565_653_112, 1e-9);
    near(p.joint, 2.536_608_254, 1e-9);
    near(p.information(), 0.608_908_258, 1e-9);
    near(p.miller_madow_bias(), 0.084_864_414, 1e-9);
    near(table.panzeri_treves_bias(true), 0.084_864_414, 1e-9);
    near(p.information() - p.miller_madow_bias(), 0.524_043_844, 1e-9);
    // The G statistic, 2 N I in nats.
    near(2.0 * p.n as f64 * p.information() * std::f64::consts::LN_2, 14.350_143, 1e-6);
}

/// Where every stimulus was seen often enough that all bins occurred, the Bayes count is the naive one; where bins are
/// missing it lies between that and what is possible.
#[test]
fn bayes_counts() {
    assert_eq!(bayes_count(&[5, 3, 9], 3), 3.0);
    let sparse = bayes_count(&[1, 1, 2, 0, 0, 0, 0, 0], 8);
    assert!(sparse > 3.0 && sparse <= 8.0, "{sparse}");
    // Many draws in two of five bins: the others are not relevant.
    assert_eq!(bayes_count(&[500, 500, 0, 0, 0], 5), 2.0);
}

/// Independent symbols: the plug-in value is nearly all bias, and each correction takes most of it away.
#[test]
fn corrections_remove_the_bias_of_independent_symbols() {
    let (bins, n, runs) = (8, 128, 60);
    let (mut raw, mut mm, mut pt, mut qe) = (0.0, 0.0, 0.0, 0.0);
    for run in 0..runs {
        let mut stream = crate::rng::Key::new(11, "information", "test").stream(run, 0);
        let mut draw = || (0..n).map(|_| stream.below(bins as u32)).collect::<Vec<u32>>();
        let (a, b) = (draw(), draw());
        let part =
            |from: usize, to: usize| Table::count(&a[from..to], &b[from..to], bins, bins).plug_in().information();
        let table = Table::count(&a, &b, bins, bins);
        let value = table.plug_in().information();
        raw += value;
        mm += value - table.plug_in().miller_madow_bias();
        pt += value - table.panzeri_treves_bias(false);
        qe += quadratic_extrapolation(
            value,
            f64::midpoint(part(0, 64), part(64, 128)),
            (0..4).map(|q| part(32 * q, 32 * q + 32)).sum::<f64>() / 4.0,
        );
    }
    let runs = f64::from(runs);
    assert!(raw / runs > 0.25, "plug-in {}", raw / runs);
    for (name, value) in [("Miller-Madow", mm), ("Panzeri-Treves", pt), ("quadratic", qe)] {
        assert!((value / runs).abs() < 0.35 * raw / runs, "{name} {}", value / runs);
    }
}

/// Binary symmetric channel with flips of probability p: 1 - H(p), .531004406 bits at .1, .500084042 at .11.
#[test]
fn the_binary_symmetric_channel() {
    for (flips, bits) in [(50, 0.531_004_406_410_718), (55, 0.500_084_041_835_472)] {
        let table = Table { rows: 2, columns: 2, counts: vec![500 - flips, flips, flips, 500 - flips] };
        near(table.plug_in().information(), bits, 1e-14);
    }
}

/// The Gaussian channel carries log2(1 + SNR)/2 bits: signal and noise here are uncorrelated to the last bit.
#[test]
fn the_gaussian_channel() {
    let signal: Vec<f64> = (0..64).map(|k| if k % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let noise: Vec<f64> = (0..64).map(|k| if k % 4 < 2 { 1.0 } else { -1.0 }).collect();
    for (ratio, bits) in [(1.0_f64, 0.5), (3.0, 1.0), (15.0, 2.0)] {
        let received: Vec<f64> = signal.iter().zip(&noise).map(|(s, n)| ratio.sqrt() * s + n).collect();
        near(gaussian(&received, &[&signal], &[]).unwrap(), bits, 1e-12);
    }
}

#[test]
fn bins() {
    assert_eq!(equal_width(&[0.0, 0.9, 1.0, 2.0, 4.0], 4), [0, 0, 1, 2, 3]);
    assert_eq!(equal_width(&[3.0, 3.0], 4), [0, 0]);
    assert_eq!(quantile_bins(&[5.0, 1.0, 2.0, 4.0], 2), (vec![1, 0, 0, 1], 2));
    assert_eq!(quantile_bins(&[0.0, 0.0, 0.0, 7.0], 2), (vec![0, 0, 0, 1], 2));
    assert_eq!(quantile_bins(&[3.0, 3.0], 4), (vec![0, 0], 1));
    assert_eq!(whole_numbers(&[0.0, 3.0, 7.0, 3.0]), (vec![0, 1, 2, 1], 3));
    assert_eq!(words(&[vec![0, 1, 1], vec![1, 0, 1]], 2), (vec![0, 1, 2], 3));
}

/// Copy process of C12 (seed 777): plug-in transfer entropy .532306999801 and .0000424435 bits.
#[test]
fn transfer_entropy_of_a_copy() {
    let (x, y) = copy_process(777, 10_000, 0.1);
    let n = x.len();
    let forward = conditional((&y[1..], 2), (&x[..n - 1], 2), (&y[..n - 1], 2));
    near(forward.bits, 0.532_306_999_801, 1e-11);
    assert!(forward.most >= forward.bits && forward.most <= 1.0);
    let backward = conditional((&x[1..], 2), (&y[..n - 1], 2), (&x[..n - 1], 2));
    near(backward.bits, 0.000_042_443_5, 1e-9);
}

/// The dense and the sorting tally agree.
#[test]
fn tallies_agree() {
    let codes: Vec<u64> = (0..5000u64).map(|i| i * i % 97).collect();
    assert_eq!(tally(codes.clone(), 97), tally(codes, u128::MAX));
}

/// Gaussian MI of the portable set: correlation .597595884, .220899253 nats; and exact values at a given correlation.
#[test]
fn gaussian_information() {
    let (x, y) = normals(1);
    let r2 = 0.597_595_884_f64.powi(2);
    let bits = gaussian(&x, &[&y], &[]).unwrap();
    near(bits * LN_2, 0.220_899_253, 1e-9);
    near(-0.5 * (1.0 - r2).log2(), bits, 1e-8);
    // x and a twin at correlation exactly .5 (orthogonal parts).
    let a = [1.0, 1.0, -1.0, -1.0];
    let b: Vec<f64> = a.iter().zip([1.0, -1.0, 1.0, -1.0]).map(|(p, q)| 0.5 * p + 0.75_f64.sqrt() * q).collect();
    near(gaussian(&a, &[&b], &[]).unwrap(), 0.207_518_749_639_422, 1e-14);
    assert!(gaussian(&a, &[&b, &b], &[]).is_none());
}

/// AR pair of C12 (seed 12345): Gaussian transfer entropy .148933593, .000148730 and .149840206 with two lags, nats.
#[test]
fn gaussian_transfer_entropy() {
    let (x, y) = coupled_pair(12_345, 1000);
    let n = x.len();
    let one = |from: &[f64], to: &[f64]| gaussian(&to[1..], &[&from[..n - 1]], &[&to[..n - 1]]).unwrap() * LN_2;
    near(one(&x, &y), 0.148_933_593, 1e-9);
    near(one(&y, &x), 0.000_148_730, 1e-9);
    let two = gaussian(&y[2..], &[&x[1..n - 1], &x[..n - 2]], &[&y[1..n - 1], &y[..n - 2]]).unwrap() * LN_2;
    near(two, 0.149_840_206, 1e-9);
}

/// With at most `bins` distinct values each is a symbol of its own, however common one of them is; with more, all bins
/// are used, and equal values share one.
#[test]
fn quantile_bins_keep_values_apart() {
    for case in 0..300 {
        let mut s = crate::rng::Key::new(case, "information", "bins").stream(0, 0);
        let (bins, levels) = (2 + s.below(9) as usize, 1 + s.below(14));
        let common = s.below(levels);
        let values: Vec<f64> =
            (0..300).map(|_| f64::from(if s.uniform() < 0.9 { common } else { s.below(levels) }) * 0.7 - 1.0).collect();
        let mut distinct: Vec<f64> = values.clone();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let (symbols, count) = quantile_bins(&values, bins);
        assert_eq!(count, distinct.len().min(bins), "case {case}");
        let mut counts = vec![0_u64; count];
        for s in &symbols {
            counts[*s as usize] += 1;
        }
        assert!(counts.iter().all(|c| *c > 0), "case {case}: a bin is empty");
        for (v, s) in values.iter().zip(&symbols) {
            for (w, t) in values.iter().zip(&symbols) {
                assert!(v != w || s == t, "case {case}: one value in two bins");
            }
        }
        if distinct.len() <= bins {
            let by_value: Vec<u32> = values.iter().map(|v| distinct.partition_point(|d| d < v) as u32).collect();
            assert_eq!(symbols, by_value, "case {case}");
            let table = Table::count(&symbols, &symbols, count, count).plug_in();
            near(table.information(), table.rows, 1e-12);
        }
    }
    // Without ties they are the bins of equal shares that they always were.
    let (symbols, count) = quantile_bins(&(0..80).map(|k| f64::from(k * 37 % 80)).collect::<Vec<_>>(), 8);
    assert_eq!(count, 8);
    assert!((0..8).all(|b| symbols.iter().filter(|s| **s == b).count() == 10));
}
