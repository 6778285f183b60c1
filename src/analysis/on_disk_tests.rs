//! What stays on disk gives the numbers that it gives in memory, or none: for every analysis, whatever fits at once.

use crate::testing::{poisson, recording, subject, traces};
use crate::{ANALYSES, Analysis, AnalysisError, Outcome, Request, Subjects};
use spikedeck_scenario::{AnalysisSpec, Subject};
use spikedeck_signal::{Absent, OnDisk, Recording, Rows, SpikeTrains, TimeBase, Trace};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A recording that is handed over in parts of so many rows.
#[derive(Debug)]
struct Parts(Recording, usize);

impl Rows for Parts {
    fn spikes(&self, population: &str, take: &mut dyn FnMut(&[f64], &[u32])) -> Result<(), String> {
        let spikes = self.0.spikes_of(population).ok_or("it is not there")?;
        spikes.times.chunks(self.1).zip(spikes.units.chunks(self.1)).for_each(|(times, units)| take(times, units));
        Ok(())
    }

    fn samples(&self, trace: &Trace, take: &mut dyn FnMut(&[f64])) -> Result<(), String> {
        let found = self.0.traces.iter().find(|t| t.without_values() == *trace).ok_or("it is not there")?;
        found.values.chunks(self.1 * trace.units.len()).for_each(take);
        Ok(())
    }
}

/// The same recording on disk.
fn stored(whole: &Recording, rows: usize, room: u64) -> Recording {
    let absent = |population: &str, variable: Option<&str>| Absent {
        population: population.into(),
        variable: variable.map(Into::into),
        why: "it stays on disk".into(),
    };
    let mut left = whole.without_data();
    left.absent.extend(whole.spikes.iter().map(|s| absent(&s.population, None)));
    left.absent.extend(whole.traces.iter().map(|t| absent(&t.population, Some(&t.variable))));
    left.on_disk = Some(OnDisk {
        spikes: std::mem::take(&mut left.spikes),
        traces: std::mem::take(&mut left.traces),
        room,
        rows: Arc::new(Parts(whole.clone(), rows)),
    });
    left
}

fn run(analysis: &dyn Analysis, recording: &Recording, of: &[Subject]) -> Result<Outcome, AnalysisError> {
    let declaration = analysis.declaration();
    let (of, source, target) = match declaration.subjects {
        Subjects::Directed => (vec![], of[..1].to_vec(), of[of.len() - 1..].to_vec()),
        _ => (of.to_vec(), vec![], vec![]),
    };
    let (name, kind) = ("x".into(), declaration.kind.into());
    let spec = AnalysisSpec { name, kind, of, source, target, options: BTreeMap::new() };
    analysis.run(&Request {
        spec: &spec,
        scenario: None,
        recording,
        trains: &SpikeTrains::new(recording),
        seed: 1,
        cancel: &AtomicBool::new(false),
    })
}

#[test]
fn what_stays_on_disk_gives_the_same_numbers_or_none() {
    let trains: Vec<Vec<f64>> = (0..12).map(|u| poisson(4, u, 5.0 + f64::from(u), 4000.0)).collect();
    let mut whole = recording(&trains, 4000.0);
    whole.transient = 300.0;
    let wave = |u: u32| (0..2000).map(|k| (f64::from(k) * 0.02 + f64::from(u)).sin() + f64::from(u)).collect();
    whole.traces = traces(&(0..3).map(wave).collect::<Vec<Vec<f64>>>(), 2.0).traces;
    let mean = Subject { text: "mean(p.V_m)".into(), mean: true, ..subject("V_m", &[]) };
    let subjects = [
        vec![subject("spikes", &[])],
        vec![subject("rate", &[])],
        vec![subject("spikes", &[3]), subject("spikes", &[1, 3, 11])],
        vec![subject("V_m", &[])],
        vec![subject("V_m", &[2])],
        vec![mean, subject("rate", &[2])],
    ];
    let (mut same, mut none) = (BTreeMap::new(), 0);
    for base in [TimeBase::Milliseconds, TimeBase::Dimensionless] {
        whole.time_base = base;
        for analysis in ANALYSES.iter().filter(|a| a.declaration().subjects != Subjects::Population) {
            let kind = analysis.declaration().kind;
            for of in &subjects {
                let wanted = run(*analysis, &whole, of);
                for (rows, room) in [(1, 0), (7, 900), (100_000, 2000), (64, 40_000), (3, 1 << 30)] {
                    let told = |e: &AnalysisError| e.to_string();
                    match (&wanted, run(*analysis, &stored(&whole, rows, room), of)) {
                        (Ok(wanted), Ok(found)) => {
                            assert_eq!(found.metrics, wanted.metrics, "{kind} of {} with {room}", of[0].text);
                            assert_eq!(found.summary, wanted.summary);
                            assert!(wanted.warnings.iter().all(|w| found.warnings.contains(w)), "{kind}");
                            *same.entry(kind).or_insert(0) += 1;
                        }
                        (_, Err(error @ AnalysisError::Absent { .. })) => {
                            assert!(room < 1 << 30 || base == TimeBase::Dimensionless, "{kind}: {error}");
                            none += 1;
                        }
                        (Err(wanted), Err(found)) => assert_eq!(told(wanted), told(&found), "{kind}"),
                        (wanted, found) => panic!("{kind} of {}: {wanted:?}, and {found:?}", of[0].text),
                    }
                }
            }
        }
    }
    // Those that look at one unit after another need none of it at once but the largest.
    for kind in ["rates", "isi", "population_rate", "raster"] {
        assert!(same[kind] > 8, "{kind}: {same:?}");
    }
    assert!(none > 50, "{none}");
}
