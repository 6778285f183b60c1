//! How many Slepian tapers are taken.

use super::prelude::*;
use spikedeck_core::units::short;

/// Whether so many tapers keep what they see within the band.
pub(super) fn tapers_fit(tapers: usize, nw: f64) -> Result<(), Wrong> {
    if tapers as f64 <= 2.0 * nw {
        return Ok(());
    }
    let message = format!("{tapers} tapers with nw {} keep little of what they see within the band", short(nw));
    Err(Wrong { key: "tapers", message, help: "2 nw tapers at the most, and better one less".into() })
}

/// Tapers that keep nearly all within the band.
pub(super) fn usual_tapers(nw: f64) -> usize {
    ((2.0 * nw).round() as usize).saturating_sub(1).max(1)
}
