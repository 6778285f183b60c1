//! Percentile bootstrap with draws that depend on the key only (Efron and Tibshirani 1993, doi:10.1201/9780429246593).

use super::rng::Key;
use super::statistics::quantile;

/// Percentile interval of `statistic` under `replicates` resamplings of `0..n` with replacement. The statistic gets the
/// drawn indices; values that are not finite are left out. `None` with fewer than two items or when too few replicates
/// (under half) gave a value.
pub fn interval(
    n: usize,
    replicates: u32,
    level: f64,
    key: Key,
    mut statistic: impl FnMut(&[usize]) -> f64,
) -> Option<(f64, f64)> {
    if n < 2 {
        return None;
    }
    let mut drawn = vec![0; n];
    let mut values = Vec::with_capacity(replicates as usize);
    for replicate in 0..replicates {
        let mut stream = key.stream(replicate, 0);
        for i in &mut drawn {
            *i = stream.below(n as u32) as usize;
        }
        let value = statistic(&drawn);
        if value.is_finite() {
            values.push(value);
        }
    }
    if values.len() * 2 < replicates as usize {
        return None;
    }
    values.sort_by(f64::total_cmp);
    Some((quantile(&values, (1.0 - level) / 2.0), quantile(&values, 0.5 + level / 2.0)))
}

/// The same for the mean of `values`.
pub fn mean_interval(values: &[f64], replicates: u32, level: f64, key: Key) -> Option<(f64, f64)> {
    interval(values.len(), replicates, level, key, |drawn| {
        drawn.iter().map(|&i| values[i]).sum::<f64>() / drawn.len() as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_has_the_width_of_its_standard_error() {
        let mut s = Key::new(5, "bootstrap", "data").stream(0, 0);
        let values: Vec<f64> = (0..400).map(|_| s.uniform()).collect();
        let key = Key::new(5, "bootstrap", "mean");
        let (low, high) = mean_interval(&values, 2000, 0.95, key).unwrap();
        // sd of uniform is 0.2887; 2 * 1.96 * 0.2887 / 20 = 0.0566
        assert!((high - low - 0.0566).abs() < 0.006, "{}", high - low);
        assert_eq!(mean_interval(&values, 2000, 0.95, key), Some((low, high)));
        assert_eq!(mean_interval(&values[..1], 100, 0.95, key), None);
    }
}
