//! Surrogates of one series: the same values in an order that keeps none, or only the linear part, of what they tell of
//! each other (Theiler and others 1992, doi:10.1016/0167-2789(92)90102-S; Schreiber and Schmitz 1996,
//! doi:10.1103/PhysRevLett.77.635).

use super::fft::{Complex64, complex_plan};
use super::rng::Stream;

/// The values in a random order.
pub fn shuffled(values: &[f64], stream: &mut Stream) -> Vec<f64> {
    let mut drawn = values.to_vec();
    for i in (1..drawn.len()).rev() {
        drawn.swap(i, stream.below(i as u32 + 1) as usize);
    }
    drawn
}

/// Rounds after which an order that still changes is taken as it is.
const MOST_ROUNDS: usize = 100;

/// The values in an order with (nearly) the power spectrum that they had: spectrum and values are imposed in turn until
/// the order stays. The last to be imposed are the values. Beginning and end of the series should be alike. O(rounds n
/// log n).
pub fn same_spectrum(values: &[f64], stream: &mut Stream) -> Vec<f64> {
    let n = values.len();
    if n < 4 {
        return shuffled(values, stream);
    }
    let plan = complex_plan(n);
    let mut scratch = vec![Complex64::default(); plan.get_inplace_scratch_len()];
    let mut buffer: Vec<Complex64> = values.iter().map(|&v| Complex64::new(v, 0.0)).collect();
    plan.process_with_scratch(&mut buffer, &mut scratch);
    let amplitudes: Vec<f64> = buffer.iter().map(|c| c.norm()).collect();
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut drawn = shuffled(values, stream);
    let mut before: Vec<u32> = Vec::new();
    for _ in 0..MOST_ROUNDS {
        buffer.iter_mut().zip(&drawn).for_each(|(c, &v)| *c = Complex64::new(v, 0.0));
        plan.process_with_scratch(&mut buffer, &mut scratch);
        for (c, &a) in buffer.iter_mut().zip(&amplitudes) {
            let norm = c.norm();
            // The transform back is that of the conjugates, conjugated; of real series its real part.
            *c = if norm > 0.0 { c.conj() * (a / norm) } else { Complex64::new(a, 0.0) };
        }
        plan.process_with_scratch(&mut buffer, &mut scratch);
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_unstable_by(|&a, &b| buffer[a as usize].re.total_cmp(&buffer[b as usize].re).then(a.cmp(&b)));
        order.iter().zip(&sorted).for_each(|(&place, &v)| drawn[place as usize] = v);
        if order == before {
            break;
        }
        before = order;
    }
    drawn
}

/// The stretch of a series whose ends fit together best, at least nine tenths of it: what [`same_spectrum`] repeats in
/// circles has no step then.
pub fn fitting_ends(values: &[f64]) -> std::ops::Range<usize> {
    let n = values.len();
    if n < 40 {
        return 0..n;
    }
    let most = n / 20;
    let size = super::statistics::deviation(values, 0);
    let rough = super::statistics::deviation(&values.windows(2).map(|w| w[1] - w[0]).collect::<Vec<_>>(), 0);
    // A mismatch of value and of slope, in units of what steps there are, and what is cut away.
    let cost = |from: usize, to: usize| {
        let jump = (values[from] - values[to - 1]).abs() / size.max(f64::MIN_POSITIVE);
        let turn = ((values[from + 1] - values[from]) - (values[to - 1] - values[to - 2])).abs()
            / rough.max(f64::MIN_POSITIVE);
        jump + 0.5 * turn + (n - (to - from)) as f64 / n as f64
    };
    let step = (most / 100).max(1);
    let pairs = (0..most).step_by(step).flat_map(|from| (n - most..=n).step_by(step).map(move |to| (from, to)));
    let best = pairs.min_by(|a, b| cost(a.0, a.1).total_cmp(&cost(b.0, b.1)));
    best.map_or(0..n, |(from, to)| from..to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delay::autocorrelation;
    use crate::normal::normal;
    use crate::rng::Key;

    #[test]
    fn the_same_values_and_nearly_the_same_autocorrelation() {
        let key = Key::new(1, "series_surrogate", "test");
        let mut x = vec![0.0];
        for k in 1..2000 {
            x.push(0.8 * x[k - 1] + normal(key, 0, k as u64));
        }
        let mut s = key.stream(1, 0);
        let (shuffled, same) = (shuffled(&x, &mut s), same_spectrum(&x, &mut s));
        let sorted = |v: &[f64]| {
            let mut v = v.to_vec();
            v.sort_by(f64::total_cmp);
            v
        };
        assert_eq!(sorted(&x), sorted(&shuffled));
        assert_eq!(sorted(&x), sorted(&same));
        let (of_x, of_same, of_shuffled) =
            (autocorrelation(&x, 3), autocorrelation(&same, 3), autocorrelation(&shuffled, 3));
        for lag in 1..4 {
            assert!((of_x[lag] - of_same[lag]).abs() < 0.02 && of_shuffled[lag].abs() < 0.08);
        }
        assert_ne!(same, same_spectrum(&x, &mut s));
    }

    #[test]
    fn ends_that_fit_are_found() {
        let x: Vec<f64> = (0..1030).map(|k| (std::f64::consts::TAU * f64::from(k) / 100.0).sin()).collect();
        let r = fitting_ends(&x);
        assert!(r.len() >= 900 && (x[r.start] - x[r.end - 1]).abs() < 0.15, "{r:?}");
    }
}
