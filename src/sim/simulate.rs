//! A scenario from its text to what was recorded, in one call: the door for programs that use the engine as a library.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::{BuildError, Network, Observer, SimulationResult};
use spikedeck_model::{Report, library};
use spikedeck_scenario::{Catalog, FileLoader, NoFiles, Overrides, Spec, load};

/// Why a text gave no run.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// Everything that is wrong with the scenario, each with line and caret.
    #[error("{0}")]
    Scenario(Box<Report>),
    /// The network cannot be built as asked.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// Lets a run go to its end and looks at nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn progress(&mut self, _step: u64, _steps: u64) -> bool {
        true
    }
}

/// Understands a scenario that names no files, with the built-in models; the warnings stand beside it. The engine knows
/// no analyses: a scenario that has some is for `spikedeck::run`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn understand(text: &str) -> Result<(Spec, Vec<String>), SimulateError> {
    understand_with(text, None, &NoFiles)
}

/// The same for a scenario that names files, which `files` reads; relative paths start from the folder of `origin`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn understand_with(
    text: &str,
    origin: Option<&Path>,
    files: &dyn FileLoader,
) -> Result<(Spec, Vec<String>), SimulateError> {
    load(text, origin, "scenario", &Overrides::default(), library(), &Catalog::default(), files)
        .map_err(|report| SimulateError::Scenario(Box::new(report)))
}

/// Understands a scenario and runs it to its end on one thread (results do not depend on the number of threads).
///
/// ```
/// let text = r#"
///     [simulation]
///     duration = "100 ms"
///     dt = "0.1 ms"
///     [populations.cell]
///     model = "lif"
///     [stimuli.step]
///     target = "cell.I"
///     kind = "constant"
///     amplitude = "500 pA"
///     [record.cell]
///     spikes = true
/// "#;
/// let result = spikedeck_sim::simulate(text)?;
/// assert_eq!(result.stopped, None);
/// assert!(!result.recording.spikes_of("cell").expect("they are recorded").is_empty());
/// # Ok::<(), spikedeck_sim::SimulateError>(())
/// ```
///
/// # Errors
/// Everything that is wrong with the scenario, or why its network cannot be built.
pub fn simulate(text: &str) -> Result<SimulationResult, SimulateError> {
    let (spec, _) = understand(text)?;
    Ok(Network::build(&spec, 1, &AtomicBool::new(false))?.run(&mut Unobserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let text = "[simulation]\nduration = \"10 mV\"\ndt = \"0.1 ms\"\n[populations.p]\nmodel = \"lif\"\n";
        let error = simulate(text).unwrap_err();
        assert!(matches!(error, SimulateError::Scenario(_)));
        assert!(error.to_string().contains("scenario.toml:2"), "{error}");
    }
}
