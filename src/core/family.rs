//! A flow with one free parameter, which continuation follows through its values.

use super::dynamics::Dynamics;

/// dx/dt = f(x, p), which does not depend on time by itself, with its derivatives.
pub trait Family {
    /// Number of states.
    fn dimension(&self) -> usize;
    /// f(x, p) into `out`.
    fn rate(&self, x: &[f64], p: f64, out: &mut [f64]);
    /// df/dx, row-major, and df/dp.
    fn jacobian(&self, x: &[f64], p: f64, out: &mut [f64], slope: &mut [f64]);
}

/// A family in plain numbers: y = x/scale, μ = (p − from)/span, and time in units of `time`. Volts and amperes then
/// weigh alike in a norm, and the parameter's range is that from 0 to 1.
#[derive(Debug)]
pub struct Plain<'a, F: ?Sized> {
    /// The family.
    pub inner: &'a F,
    /// Typical size of each state; all positive.
    pub scale: Vec<f64>,
    /// First value of the parameter.
    pub from: f64,
    /// Last less the first.
    pub span: f64,
    /// Unit of time.
    pub time: f64,
}

impl<F: Family + ?Sized> Plain<'_, F> {
    /// y to x.
    pub fn state(&self, y: &[f64]) -> Vec<f64> {
        y.iter().zip(&self.scale).map(|(y, s)| y * s).collect()
    }

    /// x to y.
    pub fn plain(&self, x: &[f64]) -> Vec<f64> {
        x.iter().zip(&self.scale).map(|(x, s)| x / s).collect()
    }

    /// μ to p.
    pub fn parameter(&self, mu: f64) -> f64 {
        self.span.mul_add(mu, self.from)
    }

    /// The unit of time in which the fastest thing that happens at `x` has the rate 1, to within the number of states.
    #[must_use]
    pub fn with_time_of(mut self, x: &[f64], mu: f64) -> Self {
        let n = self.scale.len();
        let (mut jacobian, mut slope) = (vec![0.0; n * n], vec![0.0; n]);
        self.time = 1.0;
        self.jacobian(&self.plain(x), mu, &mut jacobian, &mut slope);
        let size = jacobian.iter().map(|v| v * v).sum::<f64>().sqrt();
        if size.is_finite() && size > 0.0 {
            self.time = (n as f64).sqrt() / size;
        }
        self
    }
}

impl<F: Family + ?Sized> Family for Plain<'_, F> {
    fn dimension(&self) -> usize {
        self.scale.len()
    }

    fn rate(&self, y: &[f64], mu: f64, out: &mut [f64]) {
        self.inner.rate(&self.state(y), self.parameter(mu), out);
        for (o, s) in out.iter_mut().zip(&self.scale) {
            *o *= self.time / s;
        }
    }

    fn jacobian(&self, y: &[f64], mu: f64, out: &mut [f64], slope: &mut [f64]) {
        let n = self.scale.len();
        self.inner.jacobian(&self.state(y), self.parameter(mu), out, slope);
        for (i, row) in out.chunks_exact_mut(n).enumerate() {
            for (entry, s) in row.iter_mut().zip(&self.scale) {
                *entry *= self.time * s / self.scale[i];
            }
            slope[i] *= self.time * self.span / self.scale[i];
        }
    }
}

/// One member of a family, as a system.
#[derive(Debug)]
pub struct Member<'a, F: ?Sized> {
    /// The family.
    pub family: &'a F,
    /// The value of its parameter.
    pub parameter: f64,
}

impl<F: Family + ?Sized> Dynamics for Member<'_, F> {
    fn dimension(&self) -> usize {
        self.family.dimension()
    }

    fn rate(&self, _: f64, x: &[f64], out: &mut [f64]) {
        self.family.rate(x, self.parameter, out);
    }

    fn jacobian(&self, _: f64, x: &[f64], out: &mut [f64]) {
        let mut slope = vec![0.0; self.family.dimension()];
        self.family.jacobian(x, self.parameter, out, &mut slope);
    }
}
