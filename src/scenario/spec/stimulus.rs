//! Resolved stimuli.

use super::network::Target;
pub use crate::stimulus::*;

/// A stimulus.
#[derive(Debug, Clone, PartialEq)]
pub struct StimulusSpec {
    /// Name.
    pub name: String,
    /// Where it acts.
    pub target: Target,
    /// Which units; all if empty.
    pub units: Vec<u32>,
    /// What it is; all values SI, times in seconds.
    pub kind: StimulusKind,
}
