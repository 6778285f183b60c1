//! Smoothing of regular samples by a kernel of unit area.

/// Form of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// Constant over the width.
    Boxcar,
    /// Normal; the width is its standard deviation.
    Gaussian,
    /// Causal exponential; the width is its time constant.
    Exponential,
}

impl Kernel {
    /// Weights with the index of time zero; width in samples. At the ends of the data the kernel is cut and scaled back
    /// to unit area by [`smooth`].
    fn weights(self, width: f64) -> (Vec<f64>, usize) {
        match self {
            Self::Boxcar => {
                // An odd number of samples, with part weights at both ends, so that the area is the width for any
                // width.
                let half = ((width - 1.0) / 2.0).max(0.0);
                let whole = half.floor() as usize;
                let rest = half - whole as f64;
                let mut w = vec![1.0; 2 * whole + 1];
                if rest > 1e-9 {
                    w.insert(0, rest);
                    w.push(rest);
                }
                let zero = w.len() / 2;
                (w, zero)
            }
            Self::Gaussian => {
                let reach = (5.0 * width).ceil() as usize;
                let at = |k: usize| (-0.5 * ((k as f64 - reach as f64) / width).powi(2)).exp();
                ((0..=2 * reach).map(at).collect(), reach)
            }
            Self::Exponential => {
                let reach = (10.0 * width).ceil() as usize;
                // Index 0 is the present; the reach looks into the past.
                ((0..=reach).rev().map(|k| (-(k as f64) / width).exp()).collect(), reach)
            }
        }
    }
}

/// Smooths `values` with a kernel of `width` samples. O(n · width).
pub fn smooth(values: &[f64], kernel: Kernel, width: f64) -> Vec<f64> {
    if width <= 0.0 || !width.is_finite() {
        return values.to_vec();
    }
    let (weights, zero) = kernel.weights(width);
    (0..values.len())
        .map(|i| {
            let from = zero.saturating_sub(i);
            let to = weights.len().min(values.len() + zero - i);
            let (mut sum, mut area) = (0.0, 0.0);
            for (w, v) in weights[from..to].iter().zip(&values[i + from - zero..]) {
                sum += w * v;
                area += w;
            }
            sum / area
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_stay_and_area_is_kept() {
        for kernel in [Kernel::Boxcar, Kernel::Gaussian, Kernel::Exponential] {
            for v in smooth(&[3.0; 50], kernel, 4.0) {
                assert!((v - 3.0).abs() < 1e-14);
            }
            let mut impulse = vec![0.0; 201];
            impulse[100] = 1.0;
            let s = smooth(&impulse, kernel, 4.0);
            assert!((s.iter().sum::<f64>() - 1.0).abs() < 1e-4, "{kernel:?}");
            let centre: f64 = s.iter().enumerate().map(|(i, v)| i as f64 * v).sum();
            let expected = if kernel == Kernel::Exponential { 100.0 + 1.0 / (0.25f64.exp() - 1.0) } else { 100.0 };
            assert!((centre - expected).abs() < 0.01, "{kernel:?} {centre} {expected}");
            // Causal: nothing before the impulse.
            assert!(kernel != Kernel::Exponential || s[..100].iter().all(|&v| v == 0.0));
        }
        let s = smooth(&[0.0, 0.0, 6.0, 0.0, 0.0], Kernel::Boxcar, 3.0);
        for (a, b) in s.iter().zip([0.0, 2.0, 2.0, 2.0, 0.0]) {
            assert!((a - b).abs() < 1e-15);
        }
    }
}
