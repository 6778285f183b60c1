//! ISI-distance of pairs of trains.

use super::prelude::*;
use super::train_pairs::{self, Measure, PairOptions, Tail};
use super::train_profile::{self, Profile};
use spikedeck_core::spike_distance::{Edges, adaptive_isi_distance, dissimilarity, isi_stretches};

/// The analysis `isi_distance`.
pub struct IsiDistance;

const CARD: AnalysisCard = AnalysisCard {
    title: "ISI-distance",
    synonyms: &["isi_profile"],
    summary: "how different the current intervals of trains are, over time: each pair, mean, profile, surrogates",
    formula: "I(t) = |ν1 − ν2|/max(ν1, ν2), ν = the interval that t lies in\nISI = ⟨I(t)⟩\nadaptive: |ν1 − ν2|/max(ν1, \
              ν2, threshold)",
    assumptions: "No time scale. Before the first spike the current interval reaches from the edge of the window to \
                  it, or is the first one if that is longer; likewise after the last (as PySpike). A train without \
                  spikes is one long interval. Chance: 1/2 for Poisson trains of equal rate.",
    bias: "The edges count as spikes of trains that fire seldom: few spikes give distances of the edges.",
    cost: "O(pairs · spikes), once for each surrogate",
    caveats: "It compares momentary rates, not the times of spikes: two clocks of one rate have distance 0 at any \
              phase. Unequal rates alone make it large. The p-value asks whether trains are nearer than surrogates \
              are.",
    references: &[
        "Kreuz and others 2007, doi:10.1016/j.jneumeth.2007.05.031",
        "Satuvuori and others 2017, doi:10.1016/j.jneumeth.2017.05.028",
    ],
};

options! {
    /// What `isi_distance` can be told.
    pub struct Options {
        profile: train_profile::Options = shared();
        pairs: PairOptions = shared();
    }
}

impl Estimator for IsiDistance {
    type Options = Options;
    const KIND: &'static str = "isi_distance";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        train_pairs::each_group(f, o.pairs.max_units, true, |f, c| {
            let threshold = o.profile.adaptive.of(c);
            let level = (threshold == 0.0).then_some(0.5);
            let m = Measure {
                name: "isi_distance",
                label: "ISI-distance",
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
            let distance =
                |(a, e): &(Vec<f64>, Edges), (b, _): &(Vec<f64>, Edges)| adaptive_isi_distance(a, b, *e, threshold);
            let found = train_pairs::measure(f, &o.pairs, c, &m, |train, e| (train.to_vec(), e), distance)?;
            f.word(c.word("ISI-distance", found, train_profile::told(threshold, f.base.unit())));
            let mut profile = Profile::new(c.edges, o.profile.profile_bins);
            if found.is_some() {
                c.each_pair(f, |a, b| {
                    isi_stretches(a, b, c.edges, |from, to, x, y| {
                        profile.add(from, to, |_| dissimilarity(x, y, threshold));
                    });
                })?;
                profile.draw(f, &c.subject, "ISI-distance", level);
            }
            Ok(())
        })
    }
}
