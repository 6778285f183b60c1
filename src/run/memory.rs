//! How much memory a run may hold.

use spikedeck_scenario::Spec;

/// Bytes of memory that are free for a new process, as the kernel estimates it.
pub fn free_memory() -> u64 {
    if let Ok(text) = std::fs::read_to_string("/proc/meminfo") {
        let kib = text
            .lines()
            .find_map(|l| l.strip_prefix("MemAvailable:"))
            .and_then(|l| l.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
        if let Some(kib) = kib {
            return kib * 1024;
        }
    }
    // Without that file: what is certainly there on any machine that builds this program.
    2 << 30
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
