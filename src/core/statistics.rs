//! Means, variances, quantiles, correlation, and intervals that have closed forms.

use statrs::distribution::{Beta, ChiSquared, ContinuousCDF, Normal, StudentsT};

use super::math::log;

/// Mean; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Sum of squared deviations from the mean (two passes, with the correction of Chan, Golub and LeVeque 1983,
/// doi:10.1080/00031305.1983.10483115).
fn squares(values: &[f64]) -> f64 {
    let m = mean(values);
    let (s, c) = values.iter().fold((0.0, 0.0), |(s, c), &v| {
        let d = v - m;
        (s + d * d, c + d)
    });
    s - c * c / values.len() as f64
}

/// Variance with divisor `n - ddof`; NaN with `ddof` values or fewer.
pub fn variance(values: &[f64], ddof: usize) -> f64 {
    if values.len() <= ddof { f64::NAN } else { (squares(values) / (values.len() - ddof) as f64).max(0.0) }
}

/// Standard deviation with divisor `n - ddof`.
pub fn deviation(values: &[f64], ddof: usize) -> f64 {
    variance(values, ddof).sqrt()
}

/// Quantile of ascending values with linear interpolation between order statistics (type 7, NumPy's default).
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = q.clamp(0.0, 1.0) * last as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(last);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

/// Median; NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// Whether a variance is more than rounding of values of this size leaves.
pub fn varies(variance: f64, size: f64) -> bool {
    variance > (1e-13 * size).powi(2)
}

/// Pearson correlation; NaN if a side does not vary.
pub fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (mean(x), mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (&a, &b) in x.iter().zip(y) {
        xy += (a - mx) * (b - my);
        xx += (a - mx) * (a - mx);
        yy += (b - my) * (b - my);
    }
    let n = x.len() as f64;
    if varies(xx / n, mx.abs()) && varies(yy / n, my.abs()) {
        (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0)
    } else {
        f64::NAN
    }
}

/// Quantile of the standard normal distribution.
pub fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// Two-sided p-value of a standard normal score.
pub fn normal_two_sided(z: f64) -> f64 {
    (2.0 * Normal::standard().sf(z.abs())).min(1.0)
}

/// Mean with the interval of Student's t; infinite with fewer than two values.
pub fn mean_interval(values: &[f64], level: f64) -> (f64, f64, f64) {
    let m = mean(values);
    let n = values.len() as f64;
    let half = match StudentsT::new(0.0, 1.0, n - 1.0) {
        Ok(t) if values.len() > 1 => t.inverse_cdf(0.5 + level / 2.0) * deviation(values, 1) / n.sqrt(),
        _ => f64::INFINITY,
    };
    (m, m - half, m + half)
}

/// Standard error of the mean of values that depend on those before them, and its degrees of freedom: from covariances
/// up to `reach` values apart under a flat-top window, 1 up to half of the reach (Politis and Romano 1995,
/// doi:10.1111/j.1467-9892.1995.tb00223.x). Alternation, by which a sum scatters less than independent values do,
/// counts as well. `None` with fewer than ten values, a reach that leaves less than three degrees of freedom, or values
/// that are all alike. O(n reach).
pub fn dependent_error(values: &[f64], reach: usize) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let freedom = if reach == 0 { n - 1.0 } else { 0.75 * n / reach as f64 };
    if values.len() < 10 || freedom < 3.0 {
        return None;
    }
    let m = mean(values);
    let covariance = |lag: usize| values.iter().zip(&values[lag..]).map(|(a, b)| (a - m) * (b - m)).sum::<f64>() / n;
    let own = covariance(0);
    if !varies(own, m.abs()) {
        return None;
    }
    let (mut sum, mut worth) = (own, 1.0);
    for lag in 1..=reach {
        let weight = (2.0 * (1.0 - lag as f64 / (reach as f64 + 1.0))).min(1.0);
        sum += 2.0 * weight * covariance(lag);
        worth += 2.0 * weight;
    }
    // The mean is one of these values: each covariance is too small by the variance of the mean. No sum scatters less
    // than one value does.
    let of_sum = (n * sum / (1.0 - worth / n)).max(own);
    Some((of_sum.sqrt() / n, freedom.min(n - 1.0)))
}

/// 97.5 % quantile of Student's t with any number of degrees of freedom.
pub fn student_quantile_of(freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |t| t.inverse_cdf(0.975))
}

/// Two-sided p-value of a score under Student's t with any number of degrees of freedom.
pub fn student_two_sided(score: f64, freedom: f64) -> f64 {
    if score.is_infinite() {
        return 0.0;
    }
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |t| (2.0 * t.sf(score.abs())).min(1.0))
}

/// Exact interval of a Poisson mean from a count (Garwood 1936, doi:10.1093/biomet/28.3-4.437).
pub fn poisson_interval(count: u64, level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    let low = if count == 0 { 0.0 } else { 0.5 * chi_squared_quantile(2.0 * count as f64, tail) };
    (low, 0.5 * chi_squared_quantile(2.0 * (count as f64 + 1.0), 1.0 - tail))
}

/// The same for a count that may be a sum of halves: the same quantiles, continued between whole numbers.
pub fn poisson_interval_of(count: f64, level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    let low = if count > 0.0 { 0.5 * chi_squared_quantile(2.0 * count, tail) } else { 0.0 };
    (low, 0.5 * chi_squared_quantile(2.0 * (count + 1.0), 1.0 - tail))
}

/// Probability that a Poisson variable of this mean is at least `count`, continued between whole numbers.
pub fn poisson_tail(mean: f64, count: f64) -> f64 {
    if count <= 0.0 { 1.0 } else { statrs::function::gamma::gamma_lr(count, mean) }
}

/// Logarithm of the gamma function of a positive number (Lanczos 1964, doi:10.1137/0701008; to 1e-14 of its value, with
/// the same bits on every machine).
pub fn log_gamma(x: f64) -> f64 {
    const G: f64 = 7.0;
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let sum = TERMS.iter().zip(1..).fold(0.999_999_999_999_809_9, |sum, (term, k)| sum + term / (x + f64::from(k)));
    let t = x + G + 0.5;
    0.5 * log(std::f64::consts::TAU) + (x + 0.5) * log(t) - t + log(sum)
}

/// Interval of a mean that cannot be below `bound`: Student's t on the logarithm of its distance from there (the delta
/// method), so that no end passes the bound. `None` with fewer than two values or none that differ.
pub fn mean_interval_above(values: &[f64], bound: f64, level: f64) -> Option<(f64, f64)> {
    let (m, low, high) = mean_interval(values, level);
    let distance = m - bound;
    let half = (high - low) / 2.0;
    if !half.is_finite() || half <= 0.0 || distance <= 0.0 {
        return None;
    }
    let factor = (half / distance).exp();
    Some((bound + distance / factor, bound + distance * factor))
}

/// Exact interval of a share from `hits` of `n` (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404).
pub fn share_interval(hits: u64, n: u64, level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    let (k, m) = (hits as f64, (n - hits.min(n)) as f64);
    let quantile = |a: f64, b: f64, p: f64| Beta::new(a, b).map_or(f64::NAN, |d| d.inverse_cdf(p));
    let low = if hits == 0 { 0.0 } else { quantile(k, m + 1.0, tail) };
    (low, if hits >= n { 1.0 } else { quantile(k + 1.0, m, 1.0 - tail) })
}

/// The same for `n` that is what dependent values are worth, with the share that was found.
pub fn share_interval_of(share: f64, n: f64, level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    let (k, m) = (share * n, (1.0 - share) * n);
    let quantile = |a: f64, b: f64, p: f64| Beta::new(a, b).map_or(f64::NAN, |d| d.inverse_cdf(p));
    let low = if k > 0.0 { quantile(k, m + 1.0, tail) } else { 0.0 };
    (low, if m > 0.0 { quantile(k + 1.0, m, 1.0 - tail) } else { 1.0 })
}

/// Quantile of the chi-squared distribution; NaN for freedom that is not positive. Above 1e5 degrees of freedom the
/// cube-root approximation of Wilson and Hilferty 1931 (doi:10.1073/pnas.17.12.684), which is then exact to 1e-8.
pub fn chi_squared_quantile(freedom: f64, p: f64) -> f64 {
    if freedom > 1e5 {
        let s = 2.0 / (9.0 * freedom);
        return freedom * (1.0 - s + normal_quantile(p) * s.sqrt()).powi(3);
    }
    ChiSquared::new(freedom).map_or(f64::NAN, |d| d.inverse_cdf(p))
}

/// Probability that a chi-squared variable is at least `x`.
pub fn chi_squared_tail(freedom: f64, x: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { ChiSquared::new(freedom).map_or(f64::NAN, |d| d.sf(x)) }
}

/// Interval of a Pearson correlation of `n` independent pairs by Fisher's z (1921).
pub fn correlation_interval(r: f64, n: f64, level: f64) -> (f64, f64) {
    if n <= 3.0 || !r.is_finite() {
        return (f64::NAN, f64::NAN);
    }
    let half = normal_quantile(0.5 + level / 2.0) / (n - 3.0).sqrt();
    ((r.atanh() - half).tanh(), (r.atanh() + half).tanh())
}

/// Samples of a signal that are worth one independent sample for its mean: 1 + 2 Σ ρ(m) up to the first autocorrelation
/// that is not positive (at least 1). Long signals are looked at on every lag up to 200 and then in steps that grow by
/// a tenth.
pub fn correlation_time(x: &[f64]) -> f64 {
    let m = mean(x);
    let at = |lag: usize| x.iter().zip(&x[lag..]).map(|(a, b)| (a - m) * (b - m)).sum::<f64>();
    let own = at(0);
    let (mut sum, mut lag) = (0.0, 1);
    while lag < x.len() / 2 {
        let value = at(lag) / own;
        let next = if lag < 200 { lag + 1 } else { lag + lag / 10 };
        if value.is_nan() || value <= 0.0 {
            break;
        }
        sum += value * (next - lag) as f64;
        lag = next;
    }
    1.0 + 2.0 * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }

    #[test]
    fn log_gamma_has_its_values() {
        // Factorials, and the square root of pi at a half.
        let mut factorial = 1.0_f64;
        for n in 1..30_u32 {
            close(log_gamma(f64::from(n)), factorial.ln(), 1e-13 * (1.0 + factorial.ln()));
            factorial *= f64::from(n);
        }
        close(log_gamma(0.5), std::f64::consts::PI.sqrt().ln(), 1e-14);
        for x in [0.01, 0.3, 1.01, 2.7, 11.0, 101.0, 1e4] {
            close(log_gamma(x), statrs::function::gamma::ln_gamma(x), 1e-13 * (1.0 + log_gamma(x).abs()));
        }
    }

    #[test]
    fn moments_and_quantiles() {
        let v = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        close(mean(&v), 5.0, 0.0);
        close(variance(&v, 0), 4.0, 1e-15);
        close(variance(&v, 1), 32.0 / 7.0, 1e-15);
        close(quantile(&v, 0.25), 4.0, 0.0);
        close(median(&[3.0, 1.0, 2.0, 10.0]), 2.5, 0.0);
        assert!(variance(&[1.0], 1).is_nan() && quantile(&[], 0.5).is_nan());
        // A large offset does not swallow the variance.
        close(variance(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0], 1), 30.0, 1e-9);
        close(pearson(&[1.0, 2.0, 3.0, 4.0], &[2.0, 1.0, 4.0, 3.0]), 0.6, 1e-15);
        assert!(pearson(&[1.0, 1.0], &[0.0, 1.0]).is_nan());
        assert!(pearson(&[-65.1; 3], &[0.0, 1.0, 2.0]).is_nan());
    }

    /// SciPy 1.17: `chi2.ppf`, `beta.ppf`, `t.ppf`.
    #[test]
    fn intervals() {
        let (low, high) = poisson_interval(10, 0.95);
        close(low, 4.795388696, 1e-8);
        close(high, 18.390356042, 1e-8);
        close(poisson_interval(0, 0.95).1, 3.688879454, 1e-8);
        let (low, high) = share_interval(2, 7, 0.95);
        close(low, 0.036692566, 1e-8);
        close(high, 0.709579136, 1e-8);
        let (m, low, high) = mean_interval(&[1.0, 2.0, 3.0, 4.0], 0.95);
        close(m, 2.5, 0.0);
        close(high - low, 2.0 * 3.182446305 * (5.0f64 / 3.0 / 4.0).sqrt(), 1e-7);
        assert!(mean_interval(&[1.0], 0.95).2.is_infinite());
        close(chi_squared_quantile(2e5, 0.975) / 2e5, 1.006207416, 1e-8);
    }
}
