//! Synchrony: Golomb's chi, Kuramoto's order, ISI- and SPIKE-distance, SPIKE-synchronization, coincidences.

mod global;
mod pairs;

use super::{
    Analysis, AnalysisCard, AnalysisDeclaration, AnalysisError, Metric, Outcome, Request, Subjects, bounded, from_zero,
    option, subject,
};
use spikedeck_scenario::{Observable, OptionKind};
use spikedeck_signal::NamedShape;

/// The analysis `synchrony`.
pub struct Synchrony;

static CARD: AnalysisCard = AnalysisCard {
    title: "Synchrony",
    summary: "Golomb chi of traces, Kuramoto order of phases, ISI- and SPIKE-distance, SPIKE-synchronization, coincidences",
    formula: "χ² = Var_t(mean_i V_i)/mean_i Var_t(V_i)\nR(t) = |mean_i exp(i φ_i)|, φ = 2π(t − t_k)/(t_(k+1) − t_k)\nISI = ⟨|ν1 − ν2|/max(ν1, ν2)⟩\nSPIKE = ⟨(S1 ν2 + S2 ν1)/(2 ⟨ν⟩²)⟩\nSYNC = coincident spikes/all spikes, window half the least of the four intervals around\ncoincidence = share of spikes with a spike of the other within δ",
    assumptions: "χ needs the same variable of many units on one time axis. Phases grow evenly between spikes. The distances need no time scale; coincidence has δ. Chance: χ 1/√N; R √(π/4N); ISI 1/2, SPIKE 0.2956 and SYNC 1/4 for Poisson trains of equal rate; coincidence 1 − exp(−2δ r).",
    bias: "χ and R of independent units are not 0 but of order 1/√N: below three times that they say nothing. Coincidence grows with the rate, hence its chance level.",
    cost: "χ O(N samples); R O(N times); distances O(M² spikes) for M units, pairs in parallel",
    caveats: "Intervals of distances resample units; pairs share units, so they are not independent. Distances of silent trains follow from the edges alone. A few spikes give coincidences by accident: look at n and at the chance level. Unequal rates alone move ISI and SPIKE distances.",
    references: &[
        "Golomb 2007, doi:10.4249/scholarpedia.1347",
        "Kuramoto 1984, doi:10.1007/978-3-642-69689-3",
        "Kreuz and others 2007, doi:10.1016/j.jneumeth.2007.05.031",
        "Kreuz and others 2013, doi:10.1152/jn.00873.2012",
        "Kreuz, Mulansky, Bozanic 2015, doi:10.1152/jn.00848.2014",
        "Mulansky and others 2015, doi:10.1109/EBCCSP.2015.7300693",
    ],
};

/// What a group of trains or columns gave.
#[derive(Default)]
struct Found {
    metrics: Vec<Metric>,
    shapes: Vec<NamedShape>,
    warnings: Vec<String>,
    words: Vec<String>,
}

impl Analysis for Synchrony {
    fn declaration(&self) -> AnalysisDeclaration {
        AnalysisDeclaration {
            kind: "synchrony",
            subjects: Subjects::Of,
            options: vec![
                option(
                    "phase",
                    OptionKind::Flag,
                    Some("false"),
                    "whether the variable is a phase in radians (one named theta always is)",
                ),
                option(
                    "step",
                    OptionKind::Time,
                    None,
                    "time step of R(t) from spikes (default: 1 ms, or a 2000th of the window)",
                ),
                from_zero(option("delta", OptionKind::Time, Some("2 ms"), "greatest lag of a coincidence")),
                option("max_tau", OptionKind::Time, None, "upper bound of the window of SPIKE-synchronization"),
                bounded(
                    option(
                        "max_units",
                        OptionKind::Integer,
                        Some("100"),
                        "units that are compared pair by pair (evenly spaced over the population)",
                    ),
                    2.0,
                    5000.0,
                ),
            ],
        }
    }

    fn card(&self) -> &'static AnalysisCard {
        &CARD
    }

    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        let mut found = Found::default();
        // Single trains are compared with one another: two neurons are often two populations.
        let mut single: Option<subject::Trains> = None;
        let mut groups = Vec::new();
        for s in subject::of_or_all_spikes(request)? {
            request.check_cancelled()?;
            if let Observable::Variable(name) = &s.what {
                let columns = subject::columns(request, &s, 1e-3)?;
                if request.flag("phase") || name == "theta" {
                    global::order_of_variable(request, &columns, &mut found);
                } else {
                    global::chi(&columns, &mut found);
                }
                continue;
            }
            let trains = subject::trains(request, &s)?;
            match &mut single {
                _ if trains.trains.len() > 1 => groups.push(trains),
                None => single = Some(trains),
                Some(all) => {
                    all.subject = format!("{}+{}", all.subject, trains.subject);
                    all.trains.extend(trains.trains);
                    all.units.extend(trains.units);
                }
            }
        }
        groups.extend(single);
        for trains in groups {
            if trains.trains.len() < 2 {
                return Err(AnalysisError::Unsuitable(format!(
                    "{}: synchrony needs at least two units",
                    trains.subject
                )));
            }
            global::order_of_spikes(request, &trains, &mut found);
            pairs::distances(request, &trains, &mut found)?;
        }
        Ok(request.outcome("Synchrony", found.shapes, found.metrics, found.words.join("; "), found.warnings))
    }
}

#[cfg(test)]
mod tests;
