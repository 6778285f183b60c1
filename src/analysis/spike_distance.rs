//! SPIKE-distance of pairs of trains.

use super::prelude::*;
use super::train_pairs::{self, Measure, PairOptions, Tail};
use super::train_profile::{self, Profile};
use spikedeck_core::spike_distance::{
    Framed, POISSON_SPIKE, adaptive_spike_distance, spike_dissimilarity, spike_distance_framed, spike_stretches,
};

/// The analysis `spike_distance`.
pub struct SpikeDistance;

const CARD: AnalysisCard = AnalysisCard {
    title: "SPIKE-distance",
    synonyms: &["spike_profile"],
    summary: "how far the spikes around each time are from those of the other train: each pair, mean, profile, \
              surrogates",
    formula: "S(t) = (S1 ν2 + S2 ν1)/(2 ⟨ν⟩²), S_k = distance of the spikes around t to the other train, weighted by \
              nearness\nSPIKE = ⟨S(t)⟩\nadaptive: ⟨ν⟩ max(⟨ν⟩, threshold) in place of ⟨ν⟩²",
    assumptions: "No time scale. The spikes around the window stand at its edges, or an interval beyond the outermost \
                  (as PySpike, with its edge correction). Chance: 0.2956 for Poisson trains of equal rate.",
    bias: "The edges count as spikes of trains that fire seldom: few spikes give distances of the edges.",
    cost: "O(pairs · spikes), once for each surrogate",
    caveats: "Unequal rates alone make it large. More regular trains are nearer than Poisson trains are by nothing but \
              their regularity: compare with the surrogates, which keep it. The p-value asks whether trains are nearer \
              than surrogates are.",
    references: &[
        "Kreuz and others 2013, doi:10.1152/jn.00873.2012",
        "Satuvuori and others 2017, doi:10.1016/j.jneumeth.2017.05.028",
    ],
};

options! {
    /// What `spike_distance` can be told.
    pub struct Options {
        profile: train_profile::Options = shared();
        pairs: PairOptions = shared();
    }
}

impl Estimator for SpikeDistance {
    type Options = Options;
    const KIND: &'static str = "spike_distance";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        train_pairs::each_group(f, o.pairs.max_units, true, |f, c| {
            let threshold = o.profile.adaptive.of(c);
            let level = (threshold == 0.0).then_some(POISSON_SPIKE);
            let m = Measure {
                name: "spike_distance",
                label: "SPIKE-distance",
                unit: "",
                itself: 0.0,
                range: (0.0, 1.0),
                diverging: false,
                chance: level.map(|at| (at, "chance: Poisson trains of equal rate")),
                tail: Tail::Below,
                growth: 0.0,
                by_spikes: false,
                work: 1.0,
            };
            let distance = |a: &Framed, b: &Framed| {
                if threshold > 0.0 { adaptive_spike_distance(a, b, threshold) } else { spike_distance_framed(a, b) }
            };
            let found = train_pairs::measure(f, &o.pairs, c, &m, Framed::new, distance)?;
            f.word(c.word("SPIKE-distance", found, train_profile::told(threshold, f.base.unit())));
            let mut profile = Profile::new(c.edges, o.profile.profile_bins);
            if found.is_some() {
                c.each_pair(f, |a, b| {
                    let (a, b) = (Framed::new(a, c.edges), Framed::new(b, c.edges));
                    spike_stretches(&a, &b, |from, to, nu, at| {
                        profile.add(from, to, |time| spike_dissimilarity(nu, at(time), threshold));
                    });
                })?;
                profile.draw(f, &c.subject, "SPIKE-distance", level);
            }
            Ok(())
        })
    }
}
