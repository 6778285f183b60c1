//! libFuzzer's entry: `SPIKEDECK_FUZZ` names the target; with `SPIKEDECK_SEEDS` its inputs are first written there.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use spikedeck_fuzz::{TARGETS, Target};

fn target() -> &'static Target {
    static CHOSEN: OnceLock<&'static Target> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = std::env::var("SPIKEDECK_FUZZ").unwrap_or_default();
        TARGETS.iter().find(|t| t.name == name).unwrap_or_else(|| {
            let names: Vec<&str> = TARGETS.iter().map(|t| t.name).collect();
            panic!("SPIKEDECK_FUZZ names a target: one of {}", names.join(", "))
        })
    })
}

fuzz_target!(
    init: {
        // A panic that the program catches and tells as a damaged file is no find; libFuzzer's own hook ends at any.
        let ends = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !spikedeck::store::panics_are_caught() {
                ends(info);
            }
        }));
        if let Some(folder) = std::env::var_os("SPIKEDECK_SEEDS") {
            for (k, seed) in (target().seeds)().into_iter().enumerate() {
                std::fs::write(std::path::Path::new(&folder).join(format!("seed-{k:03}")), seed).expect("seeds can be \
                    written");
            }
        }
    },
    |data: &[u8]| (target().take)(data)
);
