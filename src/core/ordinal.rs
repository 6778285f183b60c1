//! Ordinal patterns: in which order the values of a window lie (Bandt and Pompe 2002,
//! doi:10.1103/PhysRevLett.88.174102).

/// Number of patterns of `order` values.
pub fn possible(order: usize) -> usize {
    (1..=order).product()
}

/// The pattern of each window of `order` values, `delay` samples apart: below `order!`, 0 where values rise. Of equal
/// values the earlier counts as the lower. O(values · order²).
pub fn patterns(values: &[f64], order: usize, delay: usize) -> Vec<u32> {
    let windows = values.len().saturating_sub(order.saturating_sub(1) * delay);
    (0..windows).map(|t| pattern(values, t, order, delay)).collect()
}

/// Lehmer's code: of each value the later ones below it, as digits in the system of factorials.
fn pattern(values: &[f64], from: usize, order: usize, delay: usize) -> u32 {
    let at = |k: usize| values[from + k * delay];
    (0..order).fold(0, |code, k| {
        let below = (k + 1..order).filter(|&j| at(j) < at(k)).count();
        code * (order - k) as u32 + below as u32
    })
}

/// How many windows hold equal values: their pattern is a convention.
pub fn tied(values: &[f64], order: usize, delay: usize) -> usize {
    let windows = values.len().saturating_sub(order.saturating_sub(1) * delay);
    let at = |t: usize, k: usize| values[t + k * delay];
    (0..windows).filter(|&t| (1..order).any(|k| (0..k).any(|j| at(t, j) == at(t, k)))).count()
}

/// How often each of `possible` patterns occurs.
pub fn counts(patterns: &[u32], possible: usize) -> Vec<u64> {
    let mut counts = vec![0; possible];
    for &p in patterns {
        counts[p as usize] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::information::entropy;

    /// The example of Bandt and Pompe 2002: 4 7 9 10 6 11 3 has H(2) = 0.918 and H(3) = 1.522.
    #[test]
    fn the_example_of_the_paper() {
        let x = [4.0, 7.0, 9.0, 10.0, 6.0, 11.0, 3.0];
        assert_eq!(counts(&patterns(&x, 2, 1), 2), [4, 2]);
        assert!((entropy(&counts(&patterns(&x, 2, 1), 2)) - 0.918_295_834).abs() < 1e-9);
        assert!((entropy(&counts(&patterns(&x, 3, 1), 6)) - 1.521_928_095).abs() < 1e-9);
    }

    #[test]
    fn every_order_of_values_has_a_pattern_of_its_own() {
        let mut seen = vec![0; possible(4)];
        for code in 0..256_u32 {
            let digits: Vec<f64> = (0..4).map(|k| f64::from(code >> (2 * k) & 3)).collect();
            let mut sorted = digits.clone();
            sorted.sort_by(f64::total_cmp);
            if sorted == [0.0, 1.0, 2.0, 3.0] {
                seen[patterns(&digits, 4, 1)[0] as usize] += 1;
            }
        }
        assert_eq!(seen, vec![1; 24]);
        assert_eq!(patterns(&[1.0, 2.0, 3.0], 3, 1), [0]);
    }

    #[test]
    fn delays_ties_and_short_series() {
        // Every second value rises, neighbours alternate.
        let x = [0.0, 10.0, 1.0, 11.0, 2.0, 12.0];
        assert_eq!(patterns(&x, 3, 2), [0, 0]);
        assert_eq!(patterns(&[5.0, 5.0, 5.0], 2, 1), [0, 0]);
        assert_eq!((tied(&[5.0, 5.0, 4.0, 3.0], 2, 1), tied(&[5.0, 4.0, 5.0, 3.0], 3, 1)), (1, 1));
        assert!(patterns(&[1.0, 2.0], 3, 1).is_empty() && patterns(&[1.0; 5], 3, 3).is_empty());
    }
}
