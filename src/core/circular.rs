//! Circular statistics: mean resultant and Rayleigh's test.

/// Length of the mean resultant vector of angles (radians) and its direction; NaN of nothing.
pub fn resultant(angles: &[f64]) -> (f64, f64) {
    let (s, c) = angles.iter().fold((0.0, 0.0), |(s, c), a| (s + a.sin(), c + a.cos()));
    let n = angles.len() as f64;
    ((s / n).hypot(c / n), s.atan2(c))
}

/// p-value of Rayleigh's test of uniformity for `n` independent angles with mean resultant length `r` (approximation of
/// Wilkie 1983, doi:10.2307/2347954, as in Zar).
pub fn rayleigh_p(r: f64, n: usize) -> f64 {
    let n = n as f64;
    let sum = r * n;
    ((1.0 + 4.0 * n + 4.0 * (n * n - sum * sum)).sqrt() - (1.0 + 2.0 * n)).exp().min(1.0)
}

/// Expected length of the mean resultant of `n` independent uniform angles, sqrt(pi/(4 n)) (exact to 1 % from n = 5 on,
/// and 1 for a single angle).
pub fn resultant_by_chance(n: usize) -> f64 {
    (std::f64::consts::PI / (4.0 * n as f64)).sqrt().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use std::f64::consts::{PI, TAU};

    #[test]
    fn resultants() {
        let (r, angle) = resultant(&[0.3, 0.3, 0.3]);
        assert!((r - 1.0).abs() < 1e-15 && (angle - 0.3).abs() < 1e-15);
        assert!(resultant(&[0.0, PI / 2.0, PI, 1.5 * PI]).0 < 1e-15);
        assert!(resultant(&[]).0.is_nan());
        // Two million draws of 20 uniform angles with NumPy: a share of 0.03855 ± 0.00014 has R of 0.4 or more.
        assert!((rayleigh_p(0.4, 20) - 0.03855).abs() < 5e-4, "{}", rayleigh_p(0.4, 20));
    }

    #[test]
    fn chance_matches_uniform_angles() {
        let mut total = 0.0;
        let mut rejected = 0;
        for trial in 0..2000 {
            let mut s = Key::new(1, "circular", "chance").stream(trial, 0);
            let angles: Vec<f64> = (0..12).map(|_| TAU * s.uniform()).collect();
            let r = resultant(&angles).0;
            total += r;
            rejected += u32::from(rayleigh_p(r, 12) < 0.05);
        }
        assert!((total / 2000.0 - resultant_by_chance(12)).abs() < 0.01);
        assert!((60..140).contains(&rejected), "{rejected}");
    }
}
