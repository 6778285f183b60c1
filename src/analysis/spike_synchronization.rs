//! SPIKE-synchronization of pairs of trains.

use super::prelude::*;
use super::train_pairs::{self, Measure, PairOptions, Tail};
use super::train_profile::{self, Profile};
use spikedeck_core::spike_distance::{Edges, coincidences};

/// The analysis `spike_synchronization`.
pub struct SpikeSynchronization;

const CARD: AnalysisCard = AnalysisCard {
    title: "SPIKE-synchronization",
    synonyms: &["spike_sync", "event_synchronization"],
    summary: "share of spikes that coincide, by a window that follows the intervals: each pair, all, profile, \
              surrogates",
    formula: "SYNC = coincident spikes/all spikes\ntwo spikes coincide if |Δt| < τ, τ = half the least of the four \
              intervals around them\nadaptive: a spike reaches up to a quarter of the threshold towards the other",
    assumptions: "No time scale, but for `max_tau`. Of all pairs spikes are counted together (as PySpike), so that \
                  trains count by their spikes. Chance: 1/4 for Poisson trains of equal rate.",
    bias: "None for Poisson trains; more regular trains coincide more often by chance: 0.35 and more for trains with a \
           refractory time.",
    cost: "O(pairs · spikes), once for each surrogate",
    caveats: "A coincidence is no common cause: compare with the surrogates, which keep the intervals of each train. \
              Bursts have a narrow window, which `adaptive` widens.",
    references: &[
        "Kreuz, Mulansky, Bozanic 2015, doi:10.1152/jn.00848.2014",
        "Satuvuori and others 2017, doi:10.1016/j.jneumeth.2017.05.028",
        "Mulansky and others 2015, doi:10.1109/EBCCSP.2015.7300693",
    ],
};

options! {
    /// What `spike_synchronization` can be told.
    pub struct Options {
        max_tau: Option<Time> = time_if_given(), "upper bound of the window of a coincidence";
        profile: train_profile::Options = shared();
        pairs: PairOptions = shared();
    }
}

impl Estimator for SpikeSynchronization {
    type Options = Options;
    const KIND: &'static str = "spike_synchronization";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        train_pairs::each_group(f, o.pairs.max_units, true, |f, c| {
            let (threshold, max_tau) = (o.profile.adaptive.of(c), o.max_tau.map(|t| t.axis));
            let level = (threshold == 0.0 && max_tau.is_none()).then_some(0.25);
            let m = Measure {
                name: "spike_synchronization",
                label: "SPIKE-synchronization",
                unit: "",
                itself: 1.0,
                range: (0.0, 1.0),
                diverging: false,
                chance: level.map(|at| (at, "chance: Poisson trains of equal rate")),
                tail: Tail::Above,
                growth: 0.0,
                by_spikes: true,
                work: 1.0,
            };
            let share = |(a, e): &(Vec<f64>, Edges), (b, _): &(Vec<f64>, Edges)| {
                let mut coincident = 0.0;
                coincidences(a, b, *e, max_tau, threshold, |_, _| coincident += 2.0);
                coincident / (a.len() + b.len()) as f64
            };
            let found = train_pairs::measure(f, &o.pairs, c, &m, |train, e| (train.to_vec(), e), share)?;
            f.word(c.word("SPIKE-synchronization", found, train_profile::told(threshold, f.base.unit())));
            let mut profile = Profile::new(c.edges, o.profile.profile_bins);
            if found.is_some() {
                c.each_pair(f, |a, b| {
                    let mut marks = (vec![0.0; a.len()], vec![0.0; b.len()]);
                    coincidences(a, b, c.edges, max_tau, threshold, |i, j| (marks.0[i], marks.1[j]) = (1.0, 1.0));
                    a.iter().zip(marks.0).chain(b.iter().zip(marks.1)).for_each(|(t, v)| profile.add_at(*t, v));
                })?;
                profile.draw(f, &c.subject, "SPIKE-synchronization", level);
            }
            Ok(())
        })
    }
}
