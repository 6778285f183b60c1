//! What a run takes of memory, part by part, before it is begun: the program, the network, what is recorded, and what
//! analyses and tables make of that. Spikes are in none of them: how many there will be is not known.
//!
//! The factors are those of measured runs (the greatest resident size beside the samples that were recorded): an
//! analysis of traces holds its columns beside the recording, as they are and as it needs them; a table is
//! made whole before it is written, with a row of time, unit and values for each sample.

use super::measure;
use spikedeck_core::units::short;
use spikedeck_scenario::{Observable, Spec, TraceRequest};
use spikedeck_sim::Network;

/// Bytes of the program itself, before it does anything.
const PROGRAM: u64 = 20 << 20;

/// The same of what writes tables: encoders, compression, and the pages of the program that these are in.
const WRITERS: u64 = 16 << 20;

/// Bytes of a row of a table of traces beside its values: time and unit.
const ROW: u64 = 12;

/// Hundredths of what is allowed up to which a recording that left memory is read back at the end.
pub(super) const READ_BACK: u64 = 40;

/// What a run will take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footprint {
    /// Whether it goes to a folder.
    streams: bool,
    /// The network, with what takes most of it.
    network: (u64, String),
    /// Samples of traces, all of them.
    pub recorded: u64,
    /// Samples that are in memory at once.
    pub held: u64,
    /// What analyses make of them.
    analysed: u64,
    /// The largest table of them.
    written: u64,
    /// The analysis that cuts time into most pieces: bytes, and what to say of it.
    pieces: Option<(u64, String)>,
}

impl Footprint {
    /// Of a scenario of which everything that analyses look at is recorded, where so much is allowed; `streams` says
    /// whether what is recorded can go to a folder.
    pub fn of(spec: &Spec, allowed: u64, streams: bool) -> Self {
        let requests = || spec.records.iter().flat_map(|r| &r.traces);
        let recorded = requests().fold(0, |sum: u64, t| sum.saturating_add(bytes(spec, t, 0)));
        let held = match recorded {
            all if !streams || all <= share(allowed, READ_BACK) => all,
            _ => allowed / spikedeck_sim::PARTS,
        };
        let looks_at_traces = spec
            .analyses
            .iter()
            .any(|a| a.of.iter().chain(&a.source).chain(&a.target).any(|s| matches!(s.what, Observable::Variable(_))));
        let table = requests().map(|t| bytes(spec, t, ROW)).max().unwrap_or(0);
        // Of a recording that is not all there, as much of a table.
        let part = |whole: u64| (u128::from(whole) * u128::from(held) / u128::from(recorded.max(1))) as u64;
        Self {
            streams,
            network: Network::estimate(spec),
            recorded,
            held,
            analysed: if looks_at_traces { share(held, 175) } else { 0 },
            written: if streams { share(part(table), 120) } else { 0 },
            pieces: pieces(spec),
        }
    }

    /// Bytes beside the program, which must be allowed, with what takes most of them. What can go to a folder is not
    /// among them.
    pub fn needed(&self) -> (u64, String) {
        let (mut needed, mut largest) = self.network.clone();
        if !self.streams {
            let traces = self.held.saturating_add(self.analysed.max(self.held));
            if traces > needed {
                let megabytes = short((traces as f64 / 1e6).round());
                largest = format!(
                    "the traces that are recorded take {megabytes} MB of it, with what is made of them; with --out \
                     they go to disk"
                );
            }
            needed = needed.saturating_add(traces);
        }
        match &self.pieces {
            Some((bytes, what)) if *bytes > needed => (needed.saturating_add(*bytes), what.clone()),
            _ => (needed, largest),
        }
    }

    /// Bytes at the worst moment: what the system will see.
    pub fn peak(&self) -> u64 {
        let pieces = self.pieces.as_ref().map_or(0, |p| p.0);
        let made = self.analysed.max(self.written).max(pieces);
        program(self.streams).saturating_add(self.network.0).saturating_add(self.held).saturating_add(made)
    }

    /// The same for some runs side by side in one program, of which the largest peaks at `peak` without a folder.
    pub fn side_by_side(peak: u64, runs: usize, streams: bool) -> u64 {
        let each = peak.saturating_sub(program(false));
        program(streams).saturating_add(each.saturating_mul(runs as u64))
    }
}

fn program(streams: bool) -> u64 {
    PROGRAM + if streams { WRITERS } else { 0 }
}

/// So many hundredths.
pub(super) fn share(bytes: u64, hundredths: u64) -> u64 {
    (u128::from(bytes) * u128::from(hundredths) / 100).min(u128::from(u64::MAX)) as u64
}

/// Bytes of the samples of a request, with so many for each row of all its variables.
fn bytes(spec: &Spec, t: &TraceRequest, row: u64) -> u64 {
    let samples = spec.simulation.steps / t.every.max(1) + 1;
    (t.units.len() as u64).saturating_mul(t.variables.len() as u64 * 8 + row).saturating_mul(samples)
}

/// The analysis that cuts the run into most pieces, in words, with the bytes that these take.
fn pieces(spec: &Spec) -> Option<(u64, String)> {
    let whole = spec.simulation.dt * spec.simulation.steps as f64;
    let of = |entry: &spikedeck_scenario::AnalysisSpec| {
        let (n, bytes, key) = measure::pieces(entry, whole)?;
        let text = format!("`{key}` of analysis {} makes {} pieces of the run", entry.name, short(n.round()));
        Some((bytes, text))
    };
    spec.analyses.iter().filter_map(of).max_by_key(|p| p.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests;

    const MIB: u64 = 1 << 20;

    fn of(name: &str, allowed: u64, streams: bool) -> Footprint {
        let spec = crate::load(name, &[]).unwrap().0;
        Footprint::of(&requests::with_implied_records(&spec, allowed).0, allowed, streams)
    }

    /// Greatest resident sizes of shipped scenarios (release build, Linux on x86-64, one thread), without a folder and
    /// with one, in KiB: each is told within 1.3 times.
    #[test]
    fn what_is_told_is_what_was_measured() {
        let measured = [
            ("brunel-2000", 57_300, 79_528),
            ("random-rate-network", 26_956, 54_400),
            ("gray-scott", 30_728, 56_212),
            ("detailed-neuron", 20_880, 36_400),
            ("lif-fi", 20_300, 35_904),
            ("song-miller-abbott", 20_908, 37_868),
            ("jansen-rit-two-columns", 20_996, 37_360),
            ("spike-train-measures", 21_788, 38_592),
            ("reading-a-population", 24_276, 44_116),
            ("hodgkin-huxley-step", 23_712, 41_552),
        ];
        for (name, without, with) in measured {
            for (streams, peak) in [(false, without), (true, with)] {
                let told = of(name, 1 << 40, streams).peak() as f64;
                let ratio = told / (f64::from(peak) * 1024.0);
                assert!((1.0 / 1.3..1.3).contains(&ratio), "{name}, folder {streams}: {told} is {ratio:.2} of it");
            }
        }
    }

    /// A recording is counted sample by sample; what does not fit is held in parts.
    #[test]
    fn samples_are_counted_and_held_as_far_as_they_fit() {
        // 64 x 64 cells at 101 times.
        let samples = 64 * 64 * 101 * 8;
        let whole = of("gray-scott", 1 << 40, true);
        assert_eq!((whole.recorded, whole.held), (samples, samples));
        let (needed, said) = of("gray-scott", 1 << 40, false).needed();
        let traces = samples * 11 / 4;
        assert!(needed > traces && needed < traces + 2 * MIB && said.contains("--out"), "{needed} {said}");
        // A folder takes what memory does not.
        assert!(whole.needed().0 < 2 * MIB, "{:?}", whole.needed());
        let small = of("gray-scott", 4 * MIB, true);
        assert_eq!(small.held, MIB);
        assert!(small.peak() < whole.peak());
    }

    #[test]
    fn runs_side_by_side_share_the_program() {
        let one = of("hodgkin-huxley-step", 1 << 40, false).peak();
        assert_eq!(Footprint::side_by_side(one, 1, false), one);
        assert_eq!(Footprint::side_by_side(one, 3, false), 3 * one - 2 * program(false));
        assert_eq!(Footprint::side_by_side(one, 1, true), one + WRITERS);
    }
}
