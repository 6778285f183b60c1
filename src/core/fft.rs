//! Fast Fourier transforms with plans that are made once a length and shared. rustfft picks its instructions, and with
//! them the order of its sums, by machine: that is for estimates, and what is simulated has
//! [`super::circular_convolution`].

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use realfft::{RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

pub use rustfft::num_complex::Complex64;

/// The shared plan of a complex forward transform of `n` samples.
pub fn complex_plan(n: usize) -> Arc<dyn Fft<f64>> {
    static PLANNER: OnceLock<Mutex<FftPlanner<f64>>> = OnceLock::new();
    // A panic of another thread cannot leave a planner half made: plans are only added.
    PLANNER
        .get_or_init(|| Mutex::new(FftPlanner::new()))
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .plan_fft_forward(n)
}

fn real_planner() -> MutexGuard<'static, RealFftPlanner<f64>> {
    static PLANNER: OnceLock<Mutex<RealFftPlanner<f64>>> = OnceLock::new();
    PLANNER.get_or_init(|| Mutex::new(RealFftPlanner::new())).lock().unwrap_or_else(PoisonError::into_inner)
}

/// The shared plan of a real forward transform of `n` samples.
pub(crate) fn real_plan(n: usize) -> Arc<dyn RealToComplex<f64>> {
    real_planner().plan_fft_forward(n)
}
