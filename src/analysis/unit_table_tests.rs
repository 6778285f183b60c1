//! Numbers of every unit are those that an analysis of the unit alone gives.

use crate::testing::{gamma, poisson, recording, run, subject, traces};
use crate::{Analysis, autocorrelation_time::AutocorrelationTime, isi::Isi, levels::Levels, rates::Rates};
use spikedeck_scenario::{OptionValue, Subject};
use spikedeck_signal::{Metric, Outcome, Recording};

/// The value that the table has of a measure of the `row`-th unit; none where it is missing there.
fn entry(o: &Outcome, measure: &str, row: usize) -> Option<f64> {
    let [table] = &o.units[..] else { panic!("one subject has one table, not {}", o.units.len()) };
    let found = table.measures.iter().find(|m| m.name == measure).unwrap_or_else(|| panic!("no measure {measure}"));
    Some(found.values[row]).filter(|v| !v.is_nan())
}

/// Holds the table of all units against the metrics of each alone.
fn is_that_of_each(
    analysis: &dyn Analysis,
    recording: &Recording,
    what: &str,
    measures: &[&str],
    options: &[(&'static str, OptionValue)],
) {
    let all = run(analysis, recording, vec![subject(what, &[])], options).unwrap();
    let units = all.units[0].units.clone();
    assert!(units.len() > 8 && all.units[0].measures.iter().all(|m| m.values.len() == units.len()));
    let mut known = 0;
    for (row, &unit) in units.iter().enumerate() {
        let one = run(analysis, recording, vec![subject(what, &[unit])], options).unwrap();
        assert!(one.units.is_empty(), "a single unit is among the numbers");
        for measure in measures {
            let alone = one.metrics.iter().find(|m: &&Metric| m.metric == *measure);
            let alone = alone.unwrap_or_else(|| panic!("{measure} of unit {unit}"));
            assert_eq!(entry(&all, measure, row), alone.value, "{measure} of unit {unit}");
            known += usize::from(alone.value.is_some());
            if *measure == "cv" || *measure == "mean_rate" {
                let ends =
                    entry(&all, &format!("{measure}_low"), row).zip(entry(&all, &format!("{measure}_high"), row));
                assert_eq!(ends, alone.ends(), "{measure} of unit {unit}");
            }
        }
    }
    assert!(known > 5 * units.len() / 2, "{known}");
}

#[test]
fn units_of_a_population_have_their_own_numbers() {
    let mut trains: Vec<Vec<f64>> = (0..9).map(|u| poisson(11, u, 2.0 + 6.0 * f64::from(u), 4000.0)).collect();
    // Silent, one spike, two, twice at one time, regular, too few for an interval.
    trains.extend([vec![], vec![700.0], vec![10.0, 20.0], vec![5.0, 5.0, 9.0], gamma(12, 0, 4, 20.0, 4000.0)]);
    trains.push((1..=40).map(|k| f64::from(k) * 100.0).collect());
    let mut r = recording(&trains, 4000.0);
    r.transient = 200.0;
    let rates = ["mean_rate", "latency", "steady_rate", "adaptation_index", "spike_count"];
    is_that_of_each(&Rates, &r, "spikes", &rates, &[("onset", OptionValue::Number(0.1))]);
    is_that_of_each(&Isi, &r, "spikes", &["mean_isi", "cv", "cv2", "lv", "lvr", "fano"], &[]);
}

#[test]
fn units_of_a_state_have_their_own_numbers() {
    let wave = |u: u32| -> Vec<f64> {
        let period = 40.0 + 7.0 * f64::from(u);
        (0..2000).map(|k| f64::from(u) + (std::f64::consts::TAU * f64::from(k) / period).sin()).collect()
    };
    let mut columns: Vec<Vec<f64>> = (0..10).map(wave).collect();
    columns.push(vec![-65.0; 2000]);
    is_that_of_each(&Levels, &traces(&columns, 0.5), "V_m", &["min", "max", "range", "mean", "sd", "period"], &[]);
}

/// Names are those of the population that the subject is of, whatever stands in its name and in theirs.
#[test]
fn units_are_called_by_their_population() {
    let columns: Vec<Vec<f64>> = (0..3).map(|k| crate::series::fixtures::noise(k, 400)).collect();
    let mut r = traces(&columns, 1.0);
    r.populations[0].name = "p[1]".into();
    r.populations[0].names = ["x[1]", "y, left", "z"].map(str::to_owned).to_vec();
    r.traces[0].population = "p[1]".into();
    let of = || vec![Subject { text: "p[1].V_m".into(), ..subject("V_m", &[]) }];
    let o = run(&Levels, &r, of(), &[]).unwrap();
    assert_eq!(o.units[0].names, Some(r.populations[0].names.clone()));
    let each = run(&AutocorrelationTime, &r, of(), &[]).unwrap();
    for name in ["p[1].V_m[\"x[1]\"]", "p[1].V_m[\"y, left\"]", "p[1].V_m[z]"] {
        assert!(each.metrics.iter().any(|m| m.subject == name), "{name}: {:?}", each.metrics[0]);
    }
}
