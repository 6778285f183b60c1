//! The table of benchmark cases.

use super::network::{Kept, Network, Per, Scenario};
use super::{Measured, estimates};
use crate::error::CliError;

/// A case: name, what it measures, and how.
pub(super) struct Case {
    pub name: &'static str,
    pub about: &'static str,
    pub work: Work,
}

/// What one repeat does.
pub(super) enum Work {
    /// Calls this with a number of threads.
    Estimate(fn(usize) -> Result<Measured, CliError>),
    /// Runs a network.
    Network(Network),
}

impl Work {
    /// One repeat.
    pub fn once(&self, threads: usize) -> Result<Measured, CliError> {
        match self {
            Self::Estimate(run) => run(threads),
            Self::Network(network) => network.once(threads),
        }
    }
}

type Settings = &'static [(&'static str, &'static str)];

/// One second after the start, whatever the scenario's own duration.
const SECOND: Settings = &[("simulation.duration", "1 s"), ("simulation.transient", "0 s")];

/// The same, and in-degree 64 + 16 at ten times the size.
const TENFOLD: Settings = &[
    ("populations.exc.size", "32000"),
    ("populations.inh.size", "8000"),
    ("projections.exc_exc.connect.p", "0.002"),
    ("projections.exc_inh.connect.p", "0.002"),
    ("projections.inh_exc.connect.p", "0.002"),
    ("projections.inh_inh.connect.p", "0.002"),
    ("simulation.duration", "1 s"),
    ("simulation.transient", "0 s"),
];

/// A hundred steps of a field of two states.
const PLANE: Settings = &[
    ("populations.plane.grid.shape", "[512, 512]"),
    ("simulation.duration", "100"),
    ("record.plane.traces", "[{ variables = [\"v\"], interval = 100 }]"),
];

/// Columns that differ in the mean of their noise.
const COLUMNS: Settings = &[
    ("populations.column.size", "100"),
    ("stimuli.noise.mean", "{ linspace = [\"50 Hz\", \"350 Hz\"] }"),
    ("simulation.duration", "100 s"),
];

/// A second of the microcircuit at a tenth, at half and at the whole of its size.
const TENTH: Settings =
    &[("circuits.column.scale", "0.1"), ("simulation.duration", "1 s"), ("simulation.transient", "0 s")];
const HALF: Settings =
    &[("circuits.column.scale", "0.5"), ("simulation.duration", "1 s"), ("simulation.transient", "0 s")];
const WHOLE: Settings =
    &[("circuits.column.scale", "1"), ("simulation.duration", "1 s"), ("simulation.transient", "0 s")];
/// The whole of it, with a constant current in place of what arrives from outside.
const WHOLE_DC: Settings = &[
    ("circuits.column.scale", "1"),
    ("circuits.column.background.kind", "constant"),
    ("simulation.duration", "1 s"),
    ("simulation.transient", "0 s"),
];

const HODGKIN_HUXLEY: Scenario = Scenario::Text("hodgkin-huxley-bench", include_str!("hodgkin-huxley.toml"));
const STDP: Scenario = Scenario::Text("stdp-bench", include_str!("stdp.toml"));
const AXON: Scenario = Scenario::Text("axon-bench", include_str!("axon.toml"));
const BRANCHED: Scenario = Scenario::Text("branched-bench", include_str!("branched.toml"));
const JANSEN_RIT: Scenario = Scenario::Text("jansen-rit-bench", include_str!("jansen-rit.toml"));

/// A network whose spikes are kept.
const fn network(scenario: Scenario, set: Settings, per: Option<Per>) -> Work {
    Work::Network(Network { scenario, set, kept: Kept::Spikes, per, seeds: None })
}

/// Cases that take minutes or gigabytes: they run where they are named.
pub(super) const LARGE: &[Case] = &[
    Case {
        name: "microcircuit-0.5",
        about: "half of the cortical microcircuit, 38,586 neurons, 75 million connections, Poisson drive, 1 s",
        work: network(Scenario::BuiltIn("microcircuit-large"), HALF, None),
    },
    Case {
        name: "microcircuit-1",
        about: "the whole of it, 77,169 neurons, 299 million connections, Poisson drive, 1 s",
        work: network(Scenario::BuiltIn("microcircuit-large"), WHOLE, None),
    },
    Case {
        name: "microcircuit-1-dc",
        about: "the whole of it with constant currents from outside, 1 s",
        work: network(Scenario::BuiltIn("microcircuit-large"), WHOLE_DC, None),
    },
];

/// The cases that a word names: the one of this name, or all that go on with a dash, `microcircuit` for
/// `microcircuit-0.1` and its like.
pub(super) fn named(word: &str) -> Vec<&'static Case> {
    let all = || CASES.iter().chain(LARGE);
    let exact: Vec<&Case> = all().filter(|c| c.name == word).collect();
    let of_family = |c: &&Case| c.name.strip_prefix(word).is_some_and(|rest| rest.starts_with('-'));
    if exact.is_empty() { all().filter(of_family).collect() } else { exact }
}

/// Every quick case.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "parquet",
        about: "10^7 spikes (population, unit, time) to a Parquet file",
        work: Work::Estimate(estimates::parquet),
    },
    Case {
        name: "welch",
        about: "Welch's spectrum of 10^7 samples, 4096 a segment, half overlap, Hann",
        work: Work::Estimate(estimates::spectrum),
    },
    Case {
        name: "spike-distance",
        about: "SPIKE-distance of all pairs of 100 trains of about 1000 spikes",
        work: Work::Estimate(estimates::distances),
    },
    Case {
        name: "ksg",
        about: "KSG mutual information of 10^5 pairs of normal numbers (correlation 0.6), k = 4",
        work: Work::Estimate(estimates::ksg_information),
    },
    Case {
        name: "cuba-4000",
        about: "Vogels-Abbott CUBA network, 4000 neurons, 1 s",
        work: network(Scenario::BuiltIn("balanced-cuba"), SECOND, None),
    },
    Case {
        name: "cuba-40000",
        about: "the same, 40,000 neurons, same in-degree",
        work: network(Scenario::BuiltIn("balanced-cuba"), TENFOLD, None),
    },
    Case {
        name: "coba-4000",
        about: "Vogels-Abbott COBA network, 4000 neurons, 1 s",
        work: network(Scenario::BuiltIn("balanced-coba"), SECOND, None),
    },
    Case {
        name: "coba-40000",
        about: "the same, 40,000 neurons, same in-degree",
        work: network(Scenario::BuiltIn("balanced-coba"), TENFOLD, None),
    },
    Case {
        name: "brunel",
        about: "Brunel 2000, asynchronous irregular, 12,500 neurons, 15.6 million connections, 1 s",
        work: network(Scenario::BuiltIn("brunel-2000"), SECOND, None),
    },
    Case {
        name: "hodgkin-huxley",
        about: "10,000 Hodgkin-Huxley neurons, 6 to 20 uA/cm2, exponential Euler, 0.01 ms, 100 ms",
        work: network(HODGKIN_HUXLEY, &[], Some(Per::Unit("ns_per_neuron_step"))),
    },
    Case {
        name: "gray-scott",
        about: "Gray-Scott in a plane of 512 x 512 cells, ftcs, 100 steps",
        work: network(Scenario::BuiltIn("gray-scott"), PLANE, Some(Per::Cell)),
    },
    Case {
        name: "axon-1000",
        about: "Hodgkin-Huxley axon of 1000 compartments, 0.025 ms, 100 ms",
        work: network(AXON, &[], Some(Per::Compartment)),
    },
    Case {
        name: "swc",
        about: "branched neuron from SWC, compartments of 7.5 um, 0.025 ms, 100 ms",
        work: network(BRANCHED, &[], Some(Per::Compartment)),
    },
    Case {
        name: "swc-100",
        about: "100 copies of it",
        work: network(BRANCHED, &[("populations.cell.size", "100")], Some(Per::Compartment)),
    },
    Case {
        name: "jansen-rit",
        about: "a Jansen-Rit column with noise, Euler, 0.1 ms, 1000 s",
        work: Work::Network(Network {
            scenario: JANSEN_RIT,
            set: &[],
            kept: Kept::AsWritten,
            per: Some(Per::Unit("ns_per_column_step")),
            seeds: None,
        }),
    },
    Case {
        name: "jansen-rit-100",
        about: "100 columns, 50 to 350 pulses per s, 100 s",
        work: Work::Network(Network {
            scenario: JANSEN_RIT,
            set: COLUMNS,
            kept: Kept::AsWritten,
            per: Some(Per::Unit("ns_per_column_step")),
            seeds: None,
        }),
    },
    Case {
        name: "stdp",
        about: "10,000 integrate-and-fire neurons, 10 million connections with pair STDP, 2 million inhibitory ones, \
                1 s",
        work: network(STDP, &[], None),
    },
    Case {
        name: "izhikevich-2003",
        about: "Izhikevich's 1000-neuron network (2003), 100 seeds of 1 s",
        work: Work::Network(Network {
            scenario: Scenario::BuiltIn("izhikevich-network-2003"),
            set: SECOND,
            kept: Kept::Spikes,
            per: None,
            seeds: Some(100),
        }),
    },
    Case {
        name: "microcircuit-0.1",
        about: "a tenth of the cortical microcircuit (Potjans, Diesmann 2014), 7717 neurons, 3 million connections, \
                Poisson drive, 1 s",
        work: network(Scenario::BuiltIn("microcircuit-large"), TENTH, None),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Names are given once, and every scenario resolves with its settings.
    #[test]
    fn every_network_resolves() {
        let all: Vec<&Case> = CASES.iter().chain(LARGE).collect();
        for (k, case) in all.iter().enumerate() {
            assert!(all[..k].iter().all(|c| c.name != case.name), "{} is there twice", case.name);
            if let Work::Network(network) = &case.work {
                let spec = network.spec().unwrap_or_else(|e| panic!("{}: {e:?}", case.name));
                assert!(spec.analyses.is_empty() && spec.simulation.steps >= 100, "{}", case.name);
                if let Some(per) = network.per {
                    assert!(per.updates(&spec) >= 1e6, "{}", case.name);
                }
            }
        }
    }

    #[test]
    fn a_word_names_a_case_or_a_family() {
        let names = |word: &str| named(word).iter().map(|c| c.name).collect::<Vec<_>>();
        assert_eq!(names("swc"), ["swc"]);
        assert_eq!(names("cuba"), ["cuba-4000", "cuba-40000"]);
        let circuit = ["microcircuit-0.1", "microcircuit-0.5", "microcircuit-1", "microcircuit-1-dc"];
        assert_eq!(names("microcircuit"), circuit);
        assert!(names("micro").is_empty() && names("").is_empty());
    }

    /// The sizes that the cases tell, and a background that is spikes or a current.
    #[test]
    fn the_microcircuit_is_as_large_as_is_told() {
        for (case, units, poisson) in [
            ("microcircuit-0.1", 7717, 8),
            ("microcircuit-0.5", 38_586, 8),
            ("microcircuit-1", 77_169, 8),
            ("microcircuit-1-dc", 77_169, 0),
        ] {
            let Work::Network(network) = &named(case)[0].work else { panic!("{case} is a network") };
            let spec = network.spec().unwrap();
            assert_eq!(spec.populations.iter().map(|p| p.size).sum::<usize>(), units, "{case}");
            let drawn = spec.stimuli.iter().filter(|s| s.name.starts_with("background_")).count();
            assert_eq!((drawn, spec.stimuli.len() - drawn), (poisson, 8), "{case}");
        }
    }
}
