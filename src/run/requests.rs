//! What analyses look at is recorded without being asked for twice.

use spikedeck_scenario::{
    Observable, Place, PopulationId, RecordSpec, Spec, Subject, TraceRequest, Traced, VariableId,
};

/// Name of the trace requests that analyses imply, before their number (`traces/exc-analysis-1.parquet`).
const IMPLIED: &str = "analysis";
/// Most bytes that implied traces take together, however much memory there is: more would make a careless
/// `of = "exc.V_m"` on a large network slow; the file can ask for more with `[record]`.
const IMPLIED_BYTES: u64 = 512 << 20;
/// Units of a population without threshold that are recorded when nothing else is asked for.
const DEFAULT_UNITS: u32 = 10;

/// `spec` with everything recorded that its analyses look at, and with the spikes of populations that have no
/// `[record]` entry (or the states of a few units where nothing spikes), with remarks where memory set the sampling
/// interval.
pub(crate) fn with_implied_records(spec: &Spec, budget: u64) -> (Spec, Vec<String>) {
    let mut spec = spec.clone();
    let mut remarks = Vec::new();
    let mut wanted: Vec<(PopulationId, Traced, Vec<u32>)> = Vec::new();
    let subjects: Vec<Subject> =
        spec.analyses.iter().flat_map(|a| a.of.iter().chain(&a.source).chain(&a.target)).cloned().collect();
    let recorded = |p: PopulationId| spec.records.iter().any(|r| r.place == Place::Population(p));
    let unrecorded: Vec<PopulationId> = spec.population_ids().map(|(p, _)| p).filter(|&p| !recorded(p)).collect();
    for subject in subjects {
        // What is looked at of connections stands in `[record]`: the scenario asks for it.
        let Place::Population(id) = subject.place else { continue };
        // What stands beside the populations is recorded already.
        let Some(population) = spec.populations.get(id.index()) else { continue };
        match &subject.what {
            Observable::Spikes | Observable::Rate => record_of(&mut spec, id).spikes = true,
            Observable::Variable(name) => {
                let found = VariableId::named(&population.system, name);
                let variable = found.expect("the scenario refuses subjects that the population does not have");
                let units = if subject.units.is_empty() {
                    (0..population.size as u32).collect()
                } else {
                    subject.units.clone()
                };
                wanted.push((id, Traced::of_unit(variable), units));
            }
            Observable::Population => {}
        }
    }
    for p in unrecorded {
        let population = spec.population(p);
        if population.system.spikes() {
            record_of(&mut spec, p).spikes = true;
        } else if !wanted.iter().any(|w| w.0 == p) {
            let units: Vec<u32> = (0..(population.size as u32).min(DEFAULT_UNITS)).collect();
            let own = VariableId::own(&population.system);
            let states = own.filter(|(id, _)| matches!(id, VariableId::State(_))).map(Traced::of_unit);
            wanted.extend(states.map(|variable| (p, variable, units.clone())));
        }
    }
    wanted.retain(|(p, variable, units)| !is_recorded(&spec, *p, variable, units));
    let units = wanted.iter().fold(0_u64, |sum, w| sum.saturating_add(w.2.len() as u64));
    let bytes = units.saturating_mul(spec.simulation.steps.saturating_add(1)).saturating_mul(8);
    let every = sampling(bytes, (budget / 4).min(IMPLIED_BYTES));
    if every > 1 {
        let what: Vec<String> = wanted.iter().map(|w| format!("{}.{}", spec.population(w.0).name, w.1.name)).collect();
        remarks.push(format!(
            "{} recorded every {every} steps, because every step would take {} MB; ask for another interval in \
             [record]",
            what.join(", "),
            bytes / 1_000_000
        ));
    }
    for (p, variable, units) in wanted {
        let record = record_of(&mut spec, p);
        match record.traces.iter_mut().find(|t| t.implied && t.units == units && t.every == every) {
            Some(request) if request.variables.contains(&variable) => {}
            Some(request) => request.variables.push(variable),
            None => {
                let mut number = 1;
                while record.traces.iter().any(|t| t.name == format!("{IMPLIED}-{number}")) {
                    number += 1;
                }
                record.traces.push(TraceRequest {
                    name: format!("{IMPLIED}-{number}"),
                    variables: vec![variable],
                    units,
                    every,
                    implied: true,
                });
            }
        }
    }
    (spec, remarks)
}

fn record_of(spec: &mut Spec, population: PopulationId) -> &mut RecordSpec {
    let place = Place::Population(population);
    let at = spec.records.iter().position(|r| r.place == place).unwrap_or_else(|| {
        spec.records.push(RecordSpec::of(place));
        spec.records.len() - 1
    });
    &mut spec.records[at]
}

/// Whether the file itself asks for this variable of all these units (then its interval is the author's choice).
fn is_recorded(spec: &Spec, population: PopulationId, variable: &Traced, units: &[u32]) -> bool {
    spec.records.iter().filter(|r| r.place == Place::Population(population)).flat_map(|r| &r.traces).any(|t| {
        t.variables.contains(variable) && {
            let have: std::collections::HashSet<u32> = t.units.iter().copied().collect();
            units.iter().all(|u| have.contains(u))
        }
    })
}

/// The least of 1, 2, 5, 10, 20, 50, ... steps at which `bytes` shrink to what is allowed.
fn sampling(bytes: u64, allowed: u64) -> u64 {
    let mut every = 1;
    for factor in [2, 5, 10].into_iter().cycle() {
        if bytes / every <= allowed.max(1) || every >= 1_000_000 {
            break;
        }
        let decade = 10u64.pow(every.ilog10());
        every = decade * factor;
    }
    every
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    /// What is recorded of the one population of a scenario whose trace of one unit has this name: names of traces with
    /// their units.
    fn recorded(trace: &str) -> Vec<(String, Vec<u32>)> {
        let text = format!(
            "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n\
             [populations.cell]\nmodel = \"adex\"\nsize = 2\n\
             [record.cell]\ntraces = [{{ name = \"{trace}\", variables = [\"V_m\"], units = [0] }}]\n\
             [analyses.levels]\nkind = \"levels\"\nof = \"cell.V_m\"\n"
        );
        let source = Source { text, origin: None, name: "t".into(), variant: None };
        let (spec, _) = crate::resolve(&source, &[]).map_err(|e| e.render(false)).unwrap();
        let (full, _) = with_implied_records(&spec, 1 << 40);
        full.records.iter().flat_map(|r| &r.traces).map(|t| (t.name.clone(), t.units.clone())).collect()
    }

    /// Whatever the user calls a trace, it has what he asked for, and what the analyses look at is another.
    #[test]
    fn a_trace_of_the_scenario_stays_as_it_is_asked_for() {
        for (name, implied) in [
            ("slow", "analysis-1"),
            ("analysis", "analysis-1"),
            ("analysis-slow", "analysis-1"),
            ("analysis-1", "analysis-2"),
        ] {
            let wanted = [(name.to_owned(), vec![0]), (implied.to_owned(), vec![0, 1])];
            assert_eq!(recorded(name), wanted, "{name}");
        }
    }

    #[test]
    fn sampling_grows_in_round_steps() {
        assert_eq!(sampling(100, 100), 1);
        assert_eq!(sampling(101, 100), 2);
        assert_eq!(sampling(400, 100), 5);
        assert_eq!(sampling(900, 100), 10);
        assert_eq!(sampling(1_900, 100), 20);
        assert_eq!(sampling(4_100, 100), 50);
    }
}
