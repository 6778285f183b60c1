//! One hash of everything that decides the result of a scenario, and of nothing else.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::spec::Spec;

/// Hexadecimal SHA-256 over the resolved scenario: equations, values, wiring, stimuli (contents of files included),
/// recording, analyses, time and seed. Titles, texts, expectations, variants and sweeps do not count.
pub(super) fn fingerprint(spec: &Spec) -> String {
    let mut sink = Sink(Sha256::new());
    // `Debug` writes floats with the shortest digits that give back the same bits, so equal text means equal values.
    let mut write = || -> std::fmt::Result {
        write!(sink, "spikedeck-scenario-1\n{:?}\n", spec.simulation)?;
        for p in &spec.populations {
            writeln!(sink, "population {} {} {:?} {:?}", p.name, p.size, p.integrator, p.substeps)?;
            writeln!(sink, "{}", unchanged(&format!("{:?}", p.model.texts), ", weight: None"))?;
            for r in &p.receptors {
                writeln!(
                    sink,
                    "receptor {} {}",
                    r.name,
                    unchanged(&format!("{:?}", r.definition.texts), ", weight: None")
                )?;
            }
            writeln!(sink, "{:?} {:?} {:?}", p.parameters, p.initial, p.positions)?;
            // Nothing is written for points, so that their hashes stay what they were.
            if let Some(grid) = &p.grid {
                writeln!(sink, "{grid:?}")?;
            }
            if let Some(t) = &p.tree {
                for c in &p.channels {
                    writeln!(sink, "channel {} {:?}", c.name, c.definition.texts)?;
                }
                let zones: Vec<_> = t.zones.iter().map(|z| &z.compartments).collect();
                writeln!(
                    sink,
                    "tree {} {:?} {zones:?} {:?} {:?} {:?} {:?}",
                    t.cells, t.compartments, t.spiking, t.slots, t.held, t.steady
                )?;
            }
        }
        for p in &spec.projections {
            writeln!(sink, "{}", unchanged(&format!("{p:?}"), ", plasticity: None"))?;
        }
        for s in &spec.stimuli {
            writeln!(sink, "{s:?}")?;
        }
        for r in &spec.records {
            writeln!(sink, "{r:?}")?;
        }
        for a in &spec.analyses {
            writeln!(sink, "{a:?}")?;
        }
        Ok(())
    };
    // Writing into a hash cannot fail; a formatter that did would only shorten what is hashed.
    let _ = write();
    let digest = sink.0.finalize();
    let mut out = String::with_capacity(64);
    for byte in digest {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Without what says nothing: hashes stay what they were before that could be said.
fn unchanged(text: &str, nothing: &str) -> String {
    text.replace(nothing, "")
}

struct Sink(Sha256);

impl std::fmt::Write for Sink {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        self.0.update(s.as_bytes());
        Ok(())
    }
}
