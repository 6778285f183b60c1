//! Coherence of two signals when what others explain is taken out of both.

use super::Found;
use crate::dependence::signals::Pairs;
use crate::prelude::*;
use spikedeck_core::fft::Complex64;

/// The signals that are given each other.
pub(super) fn members(pairs: &Pairs, unfit: &[Option<String>]) -> Result<Vec<usize>, AnalysisError> {
    let all: Vec<usize> = (0..unfit.len()).filter(|&k| unfit[k].is_none()).collect();
    if !pairs.same || all.len() < 3 {
        return Err(AnalysisError::Unsuitable(format!(
            "`partial` takes three signals or more that vary, and the same in `source` as in `target`; there are {}{}",
            all.len(),
            if pairs.same { "" } else { ", not the same in both" }
        )));
    }
    Ok(all)
}

impl Found {
    /// The same of what is left when others are taken out.
    pub(super) fn given(self, partial: &[Complex64]) -> Self {
        let coherence = self
            .coherence
            .iter()
            .zip(partial)
            .map(|(whole, z)| if whole.is_nan() { f64::NAN } else { z.norm_sqr().min(1.0) })
            .collect();
        Self { coherence, phase: partial.iter().map(|z| z.arg()).collect(), ..self }
    }
}
