//! The greatest distance between two empirical distributions (Kolmogorov 1933; Smirnov 1939,
//! doi:10.1214/aoms/1177730256).

/// `sup |F_a - F_b|` over the empirical distribution functions of two samples, ties included; 1 where nothing of one
/// lies beyond anything of the other, 0 of equal samples. Values that are not numbers are not counted; `None` where a
/// sample has no other. O(n log n).
///
/// The samples may differ in number. No p-value comes with it: units of one network are not independent draws, so that
/// the asymptotic law is not theirs.
pub fn distance(a: &[f64], b: &[f64]) -> Option<f64> {
    let sorted = |values: &[f64]| {
        let mut known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        known.sort_by(f64::total_cmp);
        known
    };
    let (a, b) = (sorted(a), sorted(b));
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (mut i, mut j, mut greatest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        // Both step over all values that are equal to the next one: between values the functions are constant.
        let next = a[i].min(b[j]);
        i += a[i..].iter().take_while(|v| **v == next).count();
        j += b[j..].iter().take_while(|v| **v == next).count();
        greatest = greatest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    Some(greatest)
}

#[cfg(test)]
mod tests {
    use super::distance;

    /// By the definition, at every value of either sample.
    fn by_definition(a: &[f64], b: &[f64]) -> f64 {
        let below = |v: &[f64], x: f64| v.iter().filter(|y| **y <= x).count() as f64 / v.len() as f64;
        a.iter().chain(b).map(|&x| (below(a, x) - below(b, x)).abs()).fold(0.0, f64::max)
    }

    /// Samples of all sizes from 1 to 12 with many ties, in any order.
    #[test]
    fn it_is_what_the_definition_says() {
        let mut state = 1_u64;
        let mut draw = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for _ in 0..2000 {
            let mut sample = || -> Vec<f64> { (0..=draw(12)).map(|_| draw(9) as f64 - 3.0).collect() };
            let (a, b) = (sample(), sample());
            let found = distance(&a, &b).unwrap();
            assert!((found - by_definition(&a, &b)).abs() < 1e-15, "{a:?} {b:?}: {found}");
            assert_eq!(distance(&b, &a), Some(found));
            assert_eq!(distance(&a, &a), Some(0.0));
            // A rising change of scale moves nothing.
            let risen = |v: &[f64]| v.iter().map(|x| x.exp()).collect::<Vec<_>>();
            assert_eq!(distance(&risen(&a), &risen(&b)), Some(found));
        }
    }

    #[test]
    fn apart_and_not_known() {
        assert_eq!(distance(&[1.0, 2.0], &[3.0]), Some(1.0));
        // SciPy: ks_2samp([0, 1, 2, 3], [1.5, 2.5, 3.5]).statistic.
        assert_eq!(distance(&[0.0, 1.0, 2.0, 3.0], &[1.5, 2.5, 3.5]), Some(0.5));
        assert_eq!(distance(&[f64::NAN, 1.0], &[1.0]), Some(0.0));
        assert_eq!(distance(&[f64::NAN], &[1.0]), None);
        assert_eq!(distance(&[], &[1.0]), None);
        assert_eq!(distance(&[f64::INFINITY, f64::NEG_INFINITY], &[0.0]), Some(0.5));
    }
}
