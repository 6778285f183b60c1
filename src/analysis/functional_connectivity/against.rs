//! How far a matrix of correlations is from one that was measured, and how it changes from window to window.

use super::{Found, LEAST, Of, Options, partial_correlations};
use crate::dependence::signals::Signal;
use crate::prelude::*;
use spikedeck_core::kolmogorov;
use spikedeck_core::number::shown;
use spikedeck_core::statistics::{deviation, mean, pearson};
use spikedeck_core::surrogate::p_value;
use spikedeck_core::units::short;
use spikedeck_scenario::FileMatrix;
use spikedeck_scenario::catalog::Named;
use spikedeck_signal::{Axis, CurveStyle, Matrix, Series, Shape};

/// Exchanges of regions where no number is said.
const PERMUTATIONS: usize = 999;
/// Most windows.
const MOST_WINDOWS: usize = 1000;
/// Most pairs of which each is drawn.
const MOST_DRAWN: usize = 5000;

/// The matrix here against one that was measured; `places` are the signals of the matrix here among all.
///
/// # Errors
/// `Unsuitable` where the file has another number of regions, or some of the same and others, or in another order.
pub fn fit(
    o: &Options,
    f: &mut Findings<'_>,
    name: &str,
    measured: &FileMatrix,
    all: &[Signal],
    (list, places): (&[Found], &[usize]),
) -> Measured {
    if measured.size != all.len() {
        return Err(AnalysisError::Unsuitable(format!(
            "`against`: {} is a matrix of {} regions, and there are {} signals",
            measured.file,
            measured.size,
            all.len()
        )));
    }
    let mut by_order = "";
    if let Some(given) = &measured.names {
        let own: Vec<&str> = all.iter().map(|s| s.unit.as_deref().unwrap_or(&s.name)).collect();
        match Named::of(&own, given) {
            Named::Alike => {}
            Named::Unrelated => by_order = "; regions in their order: no name of the file is one of these signals",
            Named::Differ(k) => {
                return Err(AnalysisError::Unsuitable(format!(
                    "`against`: {} has other regions, or the same in another order: number {} is `{}` there and `{}` \
                     here; name all as they are named here, in this order, or none",
                    measured.file,
                    k + 1,
                    given[k],
                    own[k]
                )));
            }
        }
    }
    let pairs = list.len() as u64;
    if list.len() < 3 {
        f.metric(Metric::missing(name, "fit", "", pairs, "needs three pairs"));
        return Ok(());
    }
    let here: Vec<f64> = list.iter().map(|found| found.r).collect();
    let there = |order: &[usize]| -> Vec<f64> {
        let at = |k: usize| order[k];
        list.iter().map(|found| measured.values[at(found.pair.0) * measured.size + at(found.pair.1)]).collect()
    };
    let distance = |values: &[f64]| {
        (here.iter().zip(values).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / here.len() as f64).sqrt()
    };
    let values = there(places);
    let (r, far) = (pearson(&here, &values), distance(&values));
    // What differs by rounding alone is alike.
    let varies = |v: &[f64]| deviation(v, 0) > 1e-9 * v.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    if !r.is_finite() || !varies(&here) || !varies(&values) {
        let why = "all pairs of the measured matrix, or of the one here, are alike";
        f.metric(Metric::missing(name, "fit", "", pairs, why));
        return Ok(());
    }
    let key = f.key(name, "regions");
    let count = o.permutations.unwrap_or(PERMUTATIONS);
    let (mut drawn, mut apart) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for k in 0..count {
        if k % 64 == 0 {
            f.progress(0.7 + 0.2 * k as f64 / count as f64)?;
        }
        let mut stream = key.stream(k as u32, 0);
        let mut order = places.to_vec();
        for i in (1..order.len()).rev() {
            order.swap(i, stream.below(i as u32 + 1) as usize);
        }
        let values = there(&order);
        drawn.push(pearson(&here, &values));
        apart.push(-distance(&values));
    }
    let exchanged = format!("p against {count} exchanges of regions");
    let left = format!("no interval: pairs share signals{by_order}");
    let tested = |m: Metric| m.note("n = pairs").null_by(&exchanged).note(&left);
    f.metrics([
        tested(
            Metric::new(name, "fit", r, "", pairs)
                .chance(mean(&drawn))
                .p(p_value(r, &drawn))
                .note(format!("correlation with {}", measured.file)),
        ),
        tested(
            Metric::new(name, "fit_distance", far, "", pairs)
                .chance(-mean(&apart))
                .p(p_value(-far, &apart))
                .note(format!("root mean square difference from {}", measured.file)),
        ),
    ]);
    f.word(format!("fit {} to {}", shown(r), measured.file));
    if list.len() <= MOST_DRAWN {
        let curves = vec![curve(name, values, here, CurveStyle::Points)];
        let (x, y) = (Axis::new(format!("measured ({})", measured.file), ""), Axis::new("here", ""));
        f.shape("fit", Shape::Series(Series { x, y, curves, references: Vec::new() }));
    }
    Ok(())
}

/// Correlations of the matrices of windows with each other (FCD), if windows are asked for.
///
/// # Errors
/// `Cancelled`; `Unsuitable` for windows that are too short, too few or too many.
pub fn dynamics(o: &Options, f: &mut Findings<'_>, name: &str, kept: &[&Signal]) -> Measured {
    let Some(window) = o.window else { return Ok(()) };
    let (Some(first), pairs) = (kept.first(), kept.len() * kept.len().saturating_sub(1) / 2) else {
        return Ok(());
    };
    let (n, interval) = (first.values.len(), first.interval);
    let samples = |t: Time| (t.seconds / interval).round() as usize;
    let (length, step) = (samples(window), o.window_step.map_or(samples(window) / 2, samples).max(1));
    let windows = if length <= n { (n - length) / step + 1 } else { 0 };
    let least = if o.measure == Of::Partial { LEAST.max(kept.len() + 5) } else { LEAST };
    if length < least || !(3..=MOST_WINDOWS).contains(&windows) || pairs < 3 {
        return Err(AnalysisError::Unsuitable(format!(
            "`window`: {windows} windows of {length} samples ({} s apart) of {pairs} pairs: 3 to {MOST_WINDOWS} \
             windows of {least} samples or more, and three pairs, can be compared",
            short(interval)
        )));
    }
    let mut matrices = Vec::with_capacity(windows);
    for k in 0..windows {
        f.progress(0.9 + 0.05 * k as f64 / windows as f64)?;
        matrices.push(correlations(o, kept, k * step..k * step + length));
    }
    let unknown = matrices.iter().filter(|m| m.iter().any(|v| !v.is_finite())).count();
    if unknown > 0 {
        let why = format!("{unknown} of {windows} windows have no matrix: a signal does not vary there");
        f.metric(Metric::missing(name, "fcd_mean", "", windows as u64, why));
        return Ok(());
    }
    let mut values = vec![1.0; windows * windows];
    let mut apart = Vec::with_capacity(windows * (windows - 1) / 2);
    for i in 0..windows {
        f.progress(0.95 + 0.05 * i as f64 / windows as f64)?;
        for j in i + 1..windows {
            let r = pearson(&matrices[i], &matrices[j]);
            (values[i * windows + j], values[j * windows + i]) = (r, r);
            // What windows share makes them alike.
            if (j - i) * step >= length {
                apart.push(r);
            }
        }
    }
    told(f, name, (&apart, windows));
    if let Some(measured) = &o.fcd_against {
        f.metric(distance(name, measured, &values, windows));
    }
    let seconds = |k: usize| short((first.start + (k * step) as f64 * interval) + 0.5 * length as f64 * interval);
    let names: Vec<String> = (0..windows).map(seconds).collect();
    f.shape(
        "dynamics",
        Shape::Matrix(Matrix {
            value: Axis::new("correlation of matrices", ""),
            row_axis: "middle of a window (s)".into(),
            column_axis: "middle of a window (s)".into(),
            rows: names.clone(),
            columns: names,
            values,
            chance: None,
            significant: None,
            diverging: true,
        }),
    );
    Ok(())
}

/// Kolmogorov and Smirnov's distance of all pairs of windows from all of a file: those that share samples are alike on
/// either side.
fn distance(name: &str, measured: &FileMatrix, values: &[f64], windows: usize) -> Metric {
    let pairs = |size: usize, at: &[f64]| -> Vec<f64> {
        (0..size).flat_map(|i| (i + 1..size).map(move |j| i * size + j)).map(|k| at[k]).collect()
    };
    let (here, there) = (pairs(windows, values), pairs(measured.size, &measured.values));
    match kolmogorov::distance(&here, &there) {
        Some(d) => Metric::new(name, "fcd_distance", d, "", here.len() as u64).note(format!(
            "n = pairs of windows, with those that share samples; Kolmogorov and Smirnov's distance from the {} pairs \
             of {}, whose windows have to be as long and as far apart; no p, no interval: pairs share windows",
            there.len(),
            measured.file
        )),
        None => {
            Metric::missing(name, "fcd_distance", "", here.len() as u64, format!("{} holds no pair", measured.file))
        }
    }
}

/// Numbers of how windows that share nothing agree.
fn told(f: &mut Findings<'_>, name: &str, (apart, windows): (&[f64], usize)) {
    let n = apart.len() as u64;
    if apart.len() < 3 {
        let why = "fewer than three pairs of windows share no sample";
        f.metric(Metric::missing(name, "fcd_mean", "", n, why));
        return;
    }
    let note = format!("n = pairs of {windows} windows that share no sample; no interval: pairs share windows");
    f.metrics([
        Metric::new(name, "fcd_mean", mean(apart), "", n).note(&note).note(
            "no chance level: of a process whose matrix does not change it is near 1 the more structure that has",
        ),
        Metric::new(name, "fcd_sd", deviation(apart, 1), "", n).note(&note),
    ]);
}

/// Correlations of all pairs over a stretch; NaN where there is none.
fn correlations(o: &Options, kept: &[&Signal], stretch: std::ops::Range<usize>) -> Vec<f64> {
    let columns: Vec<&[f64]> = kept.iter().map(|s| &s.values[stretch.clone()]).collect();
    let partial = match o.measure {
        Of::Correlation => None,
        Of::Partial => Some(partial_correlations(&columns)),
    };
    let pairs = (0..columns.len()).flat_map(|i| (i + 1..columns.len()).map(move |j| (i, j)));
    let of = |(i, j): (usize, usize)| match &partial {
        None => pearson(columns[i], columns[j]),
        Some(all) => all.as_ref().map_or(f64::NAN, |p| p[(i, j)]),
    };
    pairs.map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::FunctionalConnectivity;
    use super::*;
    use crate::Outcome;
    use crate::series::fixtures::noise;
    use crate::testing::{metric, run, subject, traces, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Recording;

    /// Eight signals, each of which is noise of its own and a part of a common one that grows with its number; after
    /// half of the time the parts are turned round if `switches`.
    fn graded(switches: bool, n: usize) -> Recording {
        let common = noise(99, n);
        let one = |k: usize| -> Vec<f64> {
            let own = noise(k as u64, n);
            let part = |t: usize| if switches && t >= n / 2 { 7 - k } else { k };
            (0..n).map(|t| own[t] + 0.3 * part(t) as f64 * common[t]).collect()
        };
        traces(&(0..8).map(one).collect::<Vec<_>>(), 1.0)
    }

    fn file(size: usize, at: impl Fn(usize, usize) -> f64) -> OptionValue {
        let values = (0..size * size).map(|k| at((k / size).min(k % size), (k / size).max(k % size))).collect();
        OptionValue::Matrix(FileMatrix { file: "measured.csv".into(), size, values, names: None })
    }

    fn measured(r: &Recording, options: &[(&'static str, OptionValue)]) -> Outcome {
        run(&FunctionalConnectivity, r, vec![subject("V_m", &[])], options).unwrap()
    }

    /// r of two of these: a b/√((1 + a²)(1 + b²)).
    fn truth(i: usize, j: usize) -> f64 {
        let (a, b) = (0.3 * i as f64, 0.3 * j as f64);
        a * b / ((1.0 + a * a) * (1.0 + b * b)).sqrt()
    }

    #[test]
    fn a_matrix_fits_the_one_that_it_comes_from_and_no_other() {
        let r = graded(false, 20_000);
        let o = measured(&r, &[("against", file(8, truth))]);
        let fit = metric(&o, "p.V_m", "fit");
        assert!(fit.value.unwrap() > 0.99 && fit.p_value == Some(1.0 / 1000.0), "{fit:?}");
        assert!(fit.chance.unwrap().abs() < 0.1 && fit.n == Some(28), "{fit:?}");
        let far = metric(&o, "p.V_m", "fit_distance");
        assert!(far.value.unwrap() < 0.02 && far.chance.unwrap() > 0.2 && far.p_value == Some(1.0 / 1000.0), "{far:?}");
        // Twice as strong: the correlation cannot tell, the distance can.
        let o = measured(&r, &[("against", file(8, |i, j| 0.5 * truth(i, j)))]);
        assert!(value(&o, "p.V_m", "fit") > 0.99 && value(&o, "p.V_m", "fit_distance") > 0.15);
        let o = measured(&r, &[("against", file(8, |i, j| truth(7 - j, 7 - i)))]);
        assert!(value(&o, "p.V_m", "fit") < 0.0);
        // Other regions, by chance: p is uniform.
        let mut small = 0;
        for seed in 0..40 {
            let other = noise(1000 + seed, 64);
            let o = measured(
                &graded(false, 400),
                &[("against", file(8, |i, j| other[8 * i + j])), ("permutations", OptionValue::Integer(39))],
            );
            small += u32::from(metric(&o, "p.V_m", "fit").p_value.unwrap() <= 0.1);
        }
        // Binomial of 40: 0.1 gives more than 10 with a chance of 0.002.
        assert!(small <= 10, "{small} of 40");
    }

    #[test]
    fn matrices_that_change_are_told_from_those_that_do_not() {
        let with = |extra: &[(&'static str, OptionValue)]| {
            let mut options = vec![("window", OptionValue::Number(1.0)), ("window_step", OptionValue::Number(0.5))];
            options.extend_from_slice(extra);
            options
        };
        let steady = measured(&graded(false, 20_000), &with(&[]));
        let other = measured(&graded(true, 20_000), &with(&[]));
        let get = |o: &Outcome, name: &str| value(o, "p.V_m", name);
        assert!(get(&steady, "fcd_mean") > 0.95 && get(&steady, "fcd_sd") < 0.03);
        // Half of the pairs are of one state, half of two, which are turned round.
        assert!(get(&other, "fcd_mean") < 0.7 && get(&other, "fcd_sd") > 0.4, "{}", get(&other, "fcd_sd"));
        let Some(Shape::Matrix(m)) = steady.shapes.iter().find(|s| s.name == "dynamics").map(|s| &s.shape) else {
            panic!("no matrix of windows")
        };
        assert_eq!((m.rows.len(), m.rows[0].as_str()), (39, "0.5"));
        let near = measured(&graded(false, 20_000), &with(&[("fcd_against", file(5, |_, _| 0.999_9))]));
        assert_eq!(get(&near, "fcd_distance"), 1.0);
        let own: Vec<f64> = m.values.clone();
        let same = measured(&graded(false, 20_000), &with(&[("fcd_against", file(39, |i, j| own[39 * i + j]))]));
        assert_eq!(get(&same, "fcd_distance"), 0.0, "from itself");
        assert!(metric(&same, "p.V_m", "fcd_distance").n == Some(39 * 38 / 2));
        let turned = measured(&graded(true, 20_000), &with(&[("fcd_against", file(39, |i, j| own[39 * i + j]))]));
        assert!(get(&turned, "fcd_distance") > 0.4, "{}", get(&turned, "fcd_distance"));
    }

    #[test]
    fn files_of_other_regions_are_refused() {
        let r = graded(false, 400);
        let why = |options: &[(&'static str, OptionValue)]| {
            run(&FunctionalConnectivity, &r, vec![subject("V_m", &[])], options).unwrap_err().to_string()
        };
        assert!(why(&[("against", file(7, truth))]).contains("a matrix of 7 regions, and there are 8 signals"));
        let values = vec![0.0; 64].into();
        let names = Some((0..8).map(|k| (7 - k).to_string()).collect());
        let turned = OptionValue::Matrix(FileMatrix { file: "m.csv".into(), size: 8, values, names });
        assert!(why(&[("against", turned)]).contains("another order: number 1 is `7` there and `0` here"));
        // One name of them is another: that is no order to go by. None is known: it is, and is told.
        let named = |names: [&str; 8]| {
            let names = Some(names.into_iter().map(str::to_owned).collect());
            let values = (0..64).map(|k| truth((k / 8).min(k % 8), (k / 8).max(k % 8))).collect();
            OptionValue::Matrix(FileMatrix { file: "m.csv".into(), size: 8, values, names })
        };
        let one = named(["0", "2", "1", "3", "4", "5", "6", "insula"]);
        assert!(why(&[("against", one)]).contains("number 2 is `2` there and `1` here"));
        let o = measured(&r, &[("against", named(["a", "b", "c", "d", "e", "f", "g", "h"]))]);
        let fit = metric(&o, "p.V_m", "fit");
        assert!(fit.note.contains("regions in their order") && fit.value.unwrap() > 0.9, "{fit:?}");
        let o = measured(&r, &[("against", named(["0", "1", "2", "3", "4", "5", "6", "7"]))]);
        let fit = metric(&o, "p.V_m", "fit");
        assert!(!fit.note.contains("in their order") && fit.value.unwrap() > 0.9, "{fit:?}");
        // Names of units are names, whatever stands in them.
        let names = ["insula, left", "x[1]", "\"c\"", "3", "e", "f", "g", "h"];
        let mut called = r.clone();
        called.populations[0].names = names.map(str::to_owned).to_vec();
        let o = measured(&called, &[("against", named(names))]);
        assert!(!metric(&o, "p.V_m", "fit").note.contains("in their order"));
        assert!(why(&[("window", OptionValue::Number(0.01))]).contains("10 samples"));
        let flat = measured(&r, &[("against", file(8, |_, _| 0.3))]);
        assert!(metric(&flat, "p.V_m", "fit").note.contains("alike"));
    }
}
