//! A system as mathematics: what estimators that need the equations ask of it.

use super::linear::multiply;

/// dx/dt = f(t, x) with its Jacobian; with a threshold and a reset it is a hybrid system.
pub trait Dynamics {
    /// Number of states.
    fn dimension(&self) -> usize;
    /// f(t, x) into `out`.
    fn rate(&self, t: f64, x: &[f64], out: &mut [f64]);
    /// Jacobian of f, row-major.
    fn jacobian(&self, t: f64, x: &[f64], out: &mut [f64]);
    /// The Jacobian times `k` vectors, which are the columns of `frame` (row-major, `frame[i * k + j]`), into `out`,
    /// and the Jacobian's diagonal. Systems that are [`Dynamics::is_sparse`] do it without the whole matrix, which else
    /// stands in `room`.
    fn tangent(
        &self,
        t: f64,
        x: &[f64],
        (frame, k): (&[f64], usize),
        out: &mut [f64],
        diagonal: &mut [f64],
        room: &mut Vec<f64>,
    ) {
        dense_tangent(self, (t, x), (frame, k), out, diagonal, room);
    }
    /// Whether [`Dynamics::tangent`] does without the whole Jacobian.
    fn is_sparse(&self) -> bool {
        false
    }
    /// h(x), positive beyond the threshold, with its gradient; `None` without a threshold.
    fn threshold(&self, _t: f64, _x: &[f64], _gradient: &mut [f64]) -> Option<f64> {
        None
    }
    /// The reset applied in place, with its Jacobian; false without a reset.
    fn reset(&self, _t: f64, _x: &mut [f64], _jacobian: &mut [f64]) -> bool {
        false
    }
    /// How long the system is refractory after a spike from state x (already reset), and which states are held.
    fn refractory(&self, _x: &[f64]) -> Option<(f64, Vec<usize>)> {
        None
    }
}

/// [`Dynamics::tangent`] by the whole Jacobian.
fn dense_tangent<D: Dynamics + ?Sized>(
    system: &D,
    (t, x): (f64, &[f64]),
    (frame, k): (&[f64], usize),
    out: &mut [f64],
    diagonal: &mut [f64],
    room: &mut Vec<f64>,
) {
    let n = system.dimension();
    room.resize(n * n, 0.0);
    system.jacobian(t, x, room);
    diagonal.iter_mut().zip(room.iter().step_by(n + 1)).for_each(|(d, v)| *d = *v);
    multiply(room, frame, out, n, k);
}

/// The same system in coordinates y = x/scale, so that volts and amperes weigh alike in a norm.
#[derive(Debug)]
pub struct Scaled<'a, D: ?Sized> {
    /// The system.
    pub inner: &'a D,
    /// Typical size of each state; all positive.
    pub scale: Vec<f64>,
}

impl<D: Dynamics + ?Sized> Scaled<'_, D> {
    /// y to x.
    pub fn unscaled(&self, y: &[f64]) -> Vec<f64> {
        y.iter().zip(&self.scale).map(|(y, s)| y * s).collect()
    }

    fn rescale(&self, jacobian: &mut [f64]) {
        let n = self.scale.len();
        for (i, row) in jacobian.chunks_exact_mut(n).enumerate() {
            for (entry, s) in row.iter_mut().zip(&self.scale) {
                *entry *= s / self.scale[i];
            }
        }
    }
}

impl<D: Dynamics + ?Sized> Dynamics for Scaled<'_, D> {
    fn dimension(&self) -> usize {
        self.inner.dimension()
    }

    fn rate(&self, t: f64, y: &[f64], out: &mut [f64]) {
        self.inner.rate(t, &self.unscaled(y), out);
        for (o, s) in out.iter_mut().zip(&self.scale) {
            *o /= s;
        }
    }

    fn jacobian(&self, t: f64, y: &[f64], out: &mut [f64]) {
        self.inner.jacobian(t, &self.unscaled(y), out);
        self.rescale(out);
    }

    fn tangent(
        &self,
        t: f64,
        y: &[f64],
        (frame, k): (&[f64], usize),
        out: &mut [f64],
        diagonal: &mut [f64],
        room: &mut Vec<f64>,
    ) {
        if !self.inner.is_sparse() {
            return dense_tangent(self, (t, y), (frame, k), out, diagonal, room);
        }
        let rows = |of: &mut [f64], factor: fn(f64) -> f64| {
            for (row, s) in of.chunks_exact_mut(k.max(1)).zip(&self.scale) {
                for v in row {
                    *v *= factor(*s);
                }
            }
        };
        let mut unscaled = frame.to_vec();
        rows(&mut unscaled, |s| s);
        self.inner.tangent(t, &self.unscaled(y), (&unscaled, k), out, diagonal, room);
        rows(out, |s| 1.0 / s);
    }

    fn is_sparse(&self) -> bool {
        self.inner.is_sparse()
    }

    fn threshold(&self, t: f64, y: &[f64], gradient: &mut [f64]) -> Option<f64> {
        let h = self.inner.threshold(t, &self.unscaled(y), gradient)?;
        for (g, s) in gradient.iter_mut().zip(&self.scale) {
            *g *= s;
        }
        Some(h)
    }

    fn reset(&self, t: f64, y: &mut [f64], jacobian: &mut [f64]) -> bool {
        let mut x = self.unscaled(y);
        if !self.inner.reset(t, &mut x, jacobian) {
            return false;
        }
        self.rescale(jacobian);
        for ((y, x), s) in y.iter_mut().zip(&x).zip(&self.scale) {
            *y = x / s;
        }
        true
    }

    fn refractory(&self, y: &[f64]) -> Option<(f64, Vec<usize>)> {
        self.inner.refractory(&self.unscaled(y))
    }
}
