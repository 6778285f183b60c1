//! How much memory a run may hold.

use spikedeck_scenario::Spec;

/// Bytes of memory that are free for this process: of the machine, within the bounds of its job and its own.
pub fn free_memory() -> u64 {
    // Where the system says nothing: what is certainly there on any machine that builds this program.
    spikedeck_sim::free_memory().unwrap_or(2 << 30)
}

/// Bytes a run of `spec` may hold: `simulation.memory`, or three quarters of what is free.
pub(crate) fn budget(spec: &Spec) -> u64 {
    spec.simulation.memory.unwrap_or_else(|| free_memory() / 4 * 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_a_machine_size() {
        let free = free_memory();
        assert!((1 << 24..1 << 50).contains(&free), "{free}");
    }
}
