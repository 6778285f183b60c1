//! Synchrony: Golomb's chi, Kuramoto's order, ISI- and SPIKE-distance, SPIKE-synchronization, coincidences.

mod global;
mod pairs;

use super::prelude::*;
use super::train_pairs::{Compared, Groups};
use spikedeck_scenario::{Observable, Spec, Subject};

/// The analysis `synchrony`.
pub struct Synchrony;

const CARD: AnalysisCard = AnalysisCard {
    title: "Synchrony",
    synonyms: &["kuramoto", "order_parameter", "golomb", "chi", "metastability"],
    summary: "Golomb chi of traces, Kuramoto order of phases, ISI- and SPIKE-distance, SPIKE-synchronization, \
              coincidences",
    formula: "χ² = Var_t(mean_i V_i)/mean_i Var_t(V_i)\nR(t) = |mean_i exp(i φ_i)|, φ = 2π(t − t_k)/(t_(k+1) − \
              t_k)\nISI = ⟨|ν1 − ν2|/max(ν1, ν2)⟩\nSPIKE = ⟨(S1 ν2 + S2 ν1)/(2 ⟨ν⟩²)⟩\nSYNC = coincident spikes/all \
              spikes, window half the least of the four intervals around\ncoincidence = share of spikes with a spike \
              of the other within δ",
    assumptions: "χ needs the same variable of many units on one time axis. Phases grow evenly between spikes. The \
                  distances need no time scale; coincidence has δ. Chance: χ 1/√N; R √(π/4N); ISI 1/2, SPIKE 0.2956 \
                  and SYNC 1/4 for Poisson trains of equal rate; coincidence 1 − exp(−2δ r).",
    bias: "χ and R of independent units are not 0 but of order 1/√N, and more where units are slow: their p-values \
           compare them with surrogates in which each unit is shifted in time on its own, and there is a warning \
           above 0.05. Coincidence grows with the rate, hence its chance level.",
    cost: "χ O(N samples); R O(N times); distances O(M² spikes) for M units, pairs in parallel",
    caveats: "Intervals of distances are over units: pairs share units, so they are not independent. Distances of \
              silent trains follow from the edges alone. A few spikes give coincidences by accident: look at n and at \
              the chance level. Unequal rates alone move ISI and SPIKE distances.",
    references: &[
        "Golomb 2007, doi:10.4249/scholarpedia.1347",
        "Kuramoto 1984, doi:10.1007/978-3-642-69689-3",
        "Kreuz and others 2007, doi:10.1016/j.jneumeth.2007.05.031",
        "Kreuz and others 2013, doi:10.1152/jn.00873.2012",
        "Kreuz, Mulansky, Bozanic 2015, doi:10.1152/jn.00848.2014",
        "Mulansky and others 2015, doi:10.1109/EBCCSP.2015.7300693",
    ],
};

options! {
    /// What `synchrony` can be told.
    pub struct Options {
        phase: bool = flag(false),
            "whether the variable is a phase in radians (a state that its model calls circular always is)";
        step: Option<Time> = time_if_given().piece(),
            "time step of R(t) from spikes (default: 1 ms, or a 2000th of the window)";
        delta: Time = time("2 ms").or(derived::TWENTIETH).or_zero(), "greatest lag of a coincidence";
        max_tau: Option<Time> = time_if_given(), "upper bound of the window of SPIKE-synchronization";
        max_units: usize = integer("100").between(2.0, 5000.0),
            "units that are compared pair by pair (evenly spaced over the population)";
    }
}

impl Estimator for Synchrony {
    type Options = Options;
    const KIND: &'static str = "synchrony";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let mut groups = Groups::default();
        f.each_spiking(|f, s| {
            if let Observable::Variable(name) = &s.what {
                let columns = subject::variable(f.request, s)?;
                if o.phase || is_circular(f.scenario(), s, name) {
                    global::order_of_variable(&columns, f);
                } else {
                    global::chi(&columns, f);
                }
                return Ok(());
            }
            groups.add(s, subject::trains(f.request, s)?);
            Ok(())
        })?;
        f.each(&groups.all(), |f, group| {
            if group.trains.trains.len() > 1 {
                global::order_of_spikes(o, &group.trains, f);
            }
            let compared = Compared::of(group, o.max_units, true, f)?;
            pairs::distances(o, &compared, f)
        })
    }
}

/// Whether the model of a subject's population says that this state is an angle.
fn is_circular(scenario: Option<&Spec>, s: &Subject, state: &str) -> bool {
    let population = scenario.and_then(|spec| spec.population_at(s.place));
    population.is_some_and(|p| p.model.circular.iter().any(|c| c == state))
}

#[cfg(test)]
mod tests;
