//! Populations that play spikes, and the kinds of spikes that they play.

use super::*;
use spikedeck_core::statistics::log_gamma;
use spikedeck_signal::Spikes;

/// One population `in` that plays `spikes`, recorded; `rest` is what else there is.
fn played(seconds: f64, size: usize, spikes: &str, rest: &str) -> String {
    format!(
        "[simulation]\nduration = \"{seconds} s\"\ndt = \"0.1 ms\"\nseed = 4\n\
         [populations.in]\nmodel = \"spike_source\"\nsize = {size}\nspikes = {{ {spikes} }}\n\
         [record.in]\nspikes = true\n{rest}"
    )
}

fn spikes_of(text: &str) -> Spikes {
    let result = run(text);
    result.recording.spikes_of("in").expect("recorded").clone()
}

/// Times of each unit in milliseconds.
fn trains(spikes: &Spikes) -> Vec<Vec<f64>> {
    let mut trains = vec![Vec::new(); spikes.size];
    spikes.times.iter().zip(&spikes.units).for_each(|(t, u)| trains[*u as usize].push(*t));
    trains
}

#[test]
fn listed_spikes_are_played_at_their_times_by_every_unit() {
    let list = "kind = \"spikes\", times = [\"3 ms\", \"0 ms\", \"3.04 ms\", \"10 ms\", \"99 ms\", \"99.97 ms\"]";
    let spikes = spikes_of(&played(0.1, 2, list, ""));
    // A spike carries the end of a step: none at zero. Two within a step are two.
    let expected = [0.1, 3.0, 3.0, 10.0, 99.0, 100.0];
    for train in trains(&spikes) {
        assert_eq!(train, expected);
    }
    let mut sorted = spikes.times.clone();
    sorted.sort_by(f64::total_cmp);
    assert_eq!(spikes.times, sorted);
}

/// What a source sends is what neurons send that spike at the same moments: targets, plastic weights, all bits.
#[test]
fn projections_see_played_spikes_as_those_of_neurons() {
    // Each time once: a neuron fires once in a step.
    let times: std::collections::BTreeSet<u32> = (1..60).map(|k| k * k % 97).collect();
    let times: Vec<String> = times.iter().map(|t| format!("\"{t}.3 ms\"")).collect();
    let kind = format!("kind = \"spikes\", times = [{}]", times.join(", "));
    let rest = "[populations.out]\nmodel = \"lif\"\nsize = 3\n\
        receptors.a = { kind = \"exp_current\", tau = \"3 ms\" }\n\
        [projections.p]\nfrom = \"in\"\nto = \"out.a\"\nconnect = \"all_to_all\"\n\
        weight = { uniform = [\"200 pA\", \"900 pA\"] }\n\
        delay = { uniform = [\"0.1 ms\", \"3 ms\"] }\nplasticity = { kind = \"stdp_pair\", w_max = \"1 nA\" }\n\
        [record.out]\nspikes = true\ntraces = [{ variables = [\"V_m\"], units = [0, 1, 2] }]\n\
        [record.p]\ntraces = [{ variables = [\"w\"] }]\n";
    let source = played(0.12, 2, &kind, rest);
    let neurons = source.replace(
        &format!("model = \"spike_source\"\nsize = 2\nspikes = {{ {kind} }}\n"),
        &format!(
            "model = \"lif\"\nsize = 2\nparameters = {{ t_ref = \"0 ms\" }}\nreceptors.d = {{ kind = \"delta\" }}\n\
             [stimuli.relay]\ntarget = \"in.d\"\n{}\nweight = \"1 V\"\n",
            kind.replace("\", times", "\"\ntimes")
        ),
    );
    assert_ne!(source, neurons);
    let (a, b) = (run(&source), run(&neurons));
    for population in ["in", "out"] {
        assert_eq!(a.recording.spikes_of(population), b.recording.spikes_of(population), "{population}");
    }
    assert!(a.recording.spikes_of("out").unwrap().times.len() > 5, "the targets fire");
    assert_eq!(trace(&a, "out", "V_m"), trace(&b, "out", "V_m"));
    let weights = trace(&a, "p", "w");
    assert_eq!(weights, trace(&b, "p", "w"));
    assert!(weights.first() != weights.last(), "weights change");
}

/// A source that is played at t reaches its targets d later, as a stimulus that is listed there.
#[test]
fn what_is_played_arrives_after_the_delay() {
    let out = "[populations.out]\nmodel = \"lif\"\nreceptors.a = { kind = \"exp_current\", tau = \"3 ms\" }\n\
        [record.out]\ntraces = [{ variables = [\"V_m\"] }]\n";
    let project = "[projections.p]\nfrom = \"in\"\nto = \"out.a\"\nconnect = \"all_to_all\"\n\
        weight = \"100 pA\"\ndelay = \"1.5 ms\"\n";
    let a = run(&played(0.05, 1, "kind = \"spikes\", times = [\"5 ms\", \"20 ms\"]", &format!("{out}{project}")));
    let stimulus =
        "[stimuli.s]\ntarget = \"out.a\"\nkind = \"spikes\"\ntimes = [\"6.5 ms\", \"21.5 ms\"]\nweight = \"100 pA\"\n";
    let b = run(&played(0.05, 1, "kind = \"spikes\", times = [\"5 ms\"]", &format!("{out}{stimulus}")));
    assert_eq!(trace(&a, "out", "V_m"), trace(&b, "out", "V_m"));
}

const DRAWN: [&str; 6] = [
    "kind = \"poisson\", rate = \"20 Hz\"",
    "kind = \"poisson\", rate = \"[20 Hz]*(1 + 0.8*sin(t/[20 ms]) + 0*i)\"",
    "kind = \"renewal\", rate = \"20 Hz\", cv = 0.4",
    "kind = \"renewal\", rate = \"[20 Hz]*(1 + 0.8*sin(t/[20 ms]))\", distribution = \"lognormal\", cv = 0.7",
    "kind = \"correlated\", rate = \"20 Hz\", correlation = 0.3, jitter = \"2 ms\"",
    "kind = \"correlated\", rate = \"20 Hz\", correlation = 0.3, sharing = \"single\"",
];

/// Neither threads nor other units change what a unit plays.
#[test]
fn what_a_unit_plays_depends_on_nothing_else() {
    for kind in DRAWN {
        let text = played(0.3, 700, kind, "");
        let whole = spikes_of(&text);
        assert_eq!(run_on(&text, 2).recording.spikes_of("in").unwrap(), &whole, "{kind}: threads");
        let few = trains(&spikes_of(&played(0.3, 37, kind, "")));
        assert_eq!(few, trains(&whole)[..37], "{kind}: other units");
        assert_ne!(few[0], few[1], "{kind}");
    }
}

/// The mean number of spikes is that of the rate from the first window on, at every kind: within 4.5 standard
/// deviations, with the variance of counts taken from the sample.
#[test]
fn rates_are_right_from_the_beginning() {
    for kind in DRAWN {
        let all = trains(&spikes_of(&played(0.25, 3000, kind, "")));
        for window in [(0.0, 12.5), (100.0, 225.7)] {
            let counts: Vec<f64> =
                all.iter().map(|t| t.iter().filter(|t| **t > window.0 && **t <= window.1).count() as f64).collect();
            // Shared events make counts of units depend on each other; these are tested by themselves.
            if kind.contains("correlated") {
                continue;
            }
            let rate = 0.02;
            let integral = |t: f64| {
                if kind.contains("sin") { rate * (t + 0.8 * 20.0 * (1.0 - (t / 20.0).cos())) } else { rate * t }
            };
            let expected = integral(window.1) - integral(window.0);
            let n = counts.len() as f64;
            let mean = counts.iter().sum::<f64>() / n;
            let variance = counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / n;
            assert!(
                (mean - expected).abs() < 4.5 * (variance / n).sqrt(),
                "{kind} {window:?}: {mean}, expected {expected}"
            );
        }
    }
}

/// Greatest distance of the distribution of values from a closed form, times the square root of their number: above
/// 1.95 with probability 0.001 where they agree (Kolmogorov).
fn distance(mut values: Vec<f64>, cumulative: impl Fn(f64) -> f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let far = values.iter().enumerate().map(|(k, v)| {
        let f = cumulative(*v);
        (f - k as f64 / n).abs().max((f - (k + 1) as f64 / n).abs())
    });
    far.fold(0.0, f64::max) * n.sqrt()
}

/// The normal distribution by its series (Marsaglia 2004, doi:10.18637/jss.v011.i04), to 1e-12.
fn normal_cumulative(x: f64) -> f64 {
    if x.abs() > 8.0 {
        return f64::from(u8::from(x > 0.0));
    }
    let (mut sum, mut term, mut k) = (x, x, 1.0);
    while term.abs() > 1e-17 {
        k += 2.0;
        term *= x * x / k;
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

/// A distribution function.
type Cumulative = Box<dyn Fn(f64) -> f64>;

/// Intervals of every distribution, with and without dead time, against closed forms. A step rounds times up to 0.1 ms,
/// which at these rates is less than what the test sees.
#[test]
fn intervals_have_their_distribution() {
    // Gamma of shape 3 in closed form: 1 - exp(-y) (1 + y + y^2/2).
    let gamma = |x: f64| 1.0 - (-3.0 * x).exp() * (1.0 + 3.0 * x + 4.5 * x * x);
    let weibull = |x: f64| 1.0 - (-(x * log_gamma(1.5).exp()).powi(2)).exp();
    let sigma = (1.0_f64 + 0.36).ln().sqrt();
    let lognormal = move |x: f64| normal_cumulative((x.max(1e-300).ln() + 0.5 * sigma * sigma) / sigma);
    // Inverse Gaussian of mean 1 and shape 1/cv^2.
    let shape = 1.0 / 0.49_f64;
    let inverse = move |x: f64| {
        let root = (shape / x.max(1e-300)).sqrt();
        normal_cumulative(root * (x - 1.0)) + (2.0 * shape).exp() * normal_cumulative(-root * (x + 1.0))
    };
    let exponential = |x: f64| 1.0 - (-x).exp();
    let cases: [(&str, f64, Cumulative); 6] = [
        ("cv = 0.57735026918962573", 0.0, Box::new(gamma)),
        ("distribution = \"weibull\", cv = 0.52272320087706339", 0.0, Box::new(weibull)),
        ("distribution = \"lognormal\", cv = 0.6", 0.0, Box::new(lognormal)),
        ("distribution = \"inverse_gaussian\", cv = 0.7", 0.0, Box::new(inverse)),
        ("cv = 1.0, dead_time = \"50 ms\"", 50.0, Box::new(exponential)),
        ("cv = 0.57735026918962573, dead_time = \"50 ms\"", 50.0, Box::new(gamma)),
    ];
    for (keys, dead, cumulative) in cases {
        // One mean interval is 200 ms; the first 20 of each unit, so that none is missing because it is long.
        let kind = format!("kind = \"renewal\", rate = \"5 Hz\", {keys}");
        let all = trains(&spikes_of(&played(12.0, 150, &kind, "")));
        let intervals: Vec<f64> =
            all.iter().flat_map(|t| t.windows(2).take(20).map(|w| w[1] - w[0]).collect::<Vec<_>>()).collect();
        assert!(intervals.len() == 150 * 20, "{keys}: {} intervals", intervals.len());
        let free = 200.0 - dead;
        let d = distance(intervals, |t| cumulative(((t - dead) / free).max(0.0)));
        assert!(d < 1.95, "{keys}: {d}");
    }
    // Regular: a random phase, then no difference but that of the grid.
    let all = trains(&spikes_of(&played(3.0, 400, "kind = \"renewal\", rate = \"5 Hz\", cv = 0.0", "")));
    assert!(all.iter().all(|t| t.windows(2).all(|w| (w[1] - w[0] - 200.0).abs() < 0.11)));
    assert!(distance(all.iter().map(|t| t[0]).collect(), |t| t / 200.0) < 1.95, "phases are uniform");
}

/// In the time that the rate stretches, intervals have their distribution (Brown and others 2002,
/// doi:10.1162/08997660252741149).
#[test]
fn a_rate_that_changes_stretches_the_intervals() {
    let kind = "kind = \"renewal\", cv = 0.57735026918962573, rate = \"[5 Hz]*(1 + 0.9*sin(t/[100 ms]))\"";
    let all = trains(&spikes_of(&played(12.0, 150, kind, "")));
    let passed = |t: f64| 0.005 * (t + 0.9 * 100.0 * (1.0 - (t / 100.0).cos()));
    let intervals: Vec<f64> = all
        .iter()
        .flat_map(|t| t.windows(2).take(20).map(|w| passed(w[1]) - passed(w[0])).collect::<Vec<_>>())
        .collect();
    let d = distance(intervals, |x| 1.0 - (-3.0 * x).exp() * (1.0 + 3.0 * x + 4.5 * x * x));
    assert!(d < 1.95, "{d}");
}

/// Half the step: the same spikes, each at most a step away.
#[test]
fn renewal_spikes_do_not_depend_on_the_step() {
    let text = played(2.0, 20, "kind = \"renewal\", rate = \"15 Hz\", cv = 0.8", "");
    let (a, b) = (trains(&spikes_of(&text)), trains(&spikes_of(&text.replace("0.1 ms", "0.05 ms"))));
    for (a, b) in a.iter().zip(&b) {
        assert!(a.len().abs_diff(b.len()) <= 1);
        assert!(a.iter().zip(b).all(|(x, y)| (x - y).abs() < 0.051 && x - y > -1e-9), "{a:?}\n{b:?}");
    }
}

/// Counts of pairs of units in windows: their correlation is that which was asked for, and the lags of shared events
/// are triangular over twice the jitter.
#[test]
fn shared_events_correlate_counts_as_asked() {
    for (sharing, correlation, jitter) in [
        ("multiple", 0.3, 0.0),
        ("single", 0.3, 0.0),
        ("multiple", 0.1, 5.0),
        ("single", 0.5, 5.0),
        ("multiple", 1.0, 0.0),
    ] {
        let kind = format!(
            "kind = \"correlated\", rate = \"20 Hz\", correlation = {correlation:.1}, \
             sharing = \"{sharing}\", jitter = \"{jitter} ms\""
        );
        // Windows of 100 ms.
        let (seconds, size, window) = (120.0, 8, 100.0);
        let all = trains(&spikes_of(&played(seconds, size, &kind, "")));
        let bins = (seconds * 1000.0 / window) as usize;
        let counts: Vec<Vec<f64>> = all
            .iter()
            .map(|t| {
                let mut counts = vec![0.0; bins];
                for t in t {
                    counts[(((t - 1e-6) / window) as usize).min(bins - 1)] += 1.0;
                }
                counts
            })
            .collect();
        let n = bins as f64;
        let mean = |c: &[f64]| c.iter().sum::<f64>() / n;
        let covariance =
            |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - mean(a)) * (y - mean(b))).sum::<f64>() / n;
        for c in &counts {
            assert!((mean(c) - 2.0).abs() < 4.5 * (2.0 / n).sqrt(), "{kind}: {} a window", mean(c));
        }
        let mut pairs = Vec::new();
        for a in 0..size {
            for b in 0..a {
                let root = (covariance(&counts[a], &counts[a]) * covariance(&counts[b], &counts[b])).sqrt();
                pairs.push(covariance(&counts[a], &counts[b]) / root);
            }
        }
        let found = pairs.iter().sum::<f64>() / pairs.len() as f64;
        // A lag beyond the end of a window moves an event into the next: its mean is a third of the jitter.
        let expected = correlation * (1.0 - jitter / 3.0 / window);
        // One pair has a standard error of 0.03 over the bins, and there are 28 of them.
        let slack = 0.05 * (20.0 * (1.0 - correlation)).min(1.0) + 1e-9;
        assert!((found - expected).abs() < slack, "{kind}: {found}, expected {expected}");
        if correlation == 1.0 {
            assert!(all.iter().all(|t| *t == all[0]), "all units play one train");
        }
        if jitter > 0.0 {
            // Lags of the nearest pairs beyond chance: none further than the jitter, and about half within 0.29 of it.
            let lags: Vec<f64> = all[0]
                .iter()
                .flat_map(|t| all[1].iter().map(move |s| s - t).filter(|l| l.abs() < 4.0 * jitter))
                .collect();
            let chance = all[0].len() as f64 * all[1].len() as f64 / (seconds * 1000.0);
            let within = |low: f64, high: f64| {
                let found = lags.iter().filter(|l| l.abs() >= low && l.abs() < high).count() as f64;
                let by_chance = 2.0 * (high - low) * chance;
                (found - by_chance, found.sqrt().max(1.0))
            };
            let shared = correlation * 20.0 * seconds;
            let (far, noise) = within(1.05 * jitter, 3.0 * jitter);
            assert!(far.abs() < 4.5 * noise, "{kind}: {far} beyond the jitter");
            // Within half the jitter: 1 - 1/4 of a triangle.
            let (near, noise) = within(0.0, 0.5 * jitter);
            assert!((near - 0.75 * shared).abs() < 4.5 * noise, "{kind}: {near} of {shared}");
        }
    }
}

/// A rate that is no number, or gives more spikes than can be played, stops the run and says where.
#[test]
fn a_rate_that_is_no_number_of_spikes_stops_the_run() {
    for kind in ["poisson", "renewal"] {
        let cv = if kind == "renewal" { ", cv = 0.5" } else { "" };
        for rate in [
            "[20 Hz]*where(t > [50 ms], sqrt(1 - 2*i), 1)",
            "[20 Hz]*(1 + i*(2 - i)*where(t > [50 ms], 1e14, 0))",
            "[1e300 Hz]*i*(2 - i)*exp(t/[1 us])",
        ] {
            let text = played(0.1, 3, &format!("kind = \"{kind}\", rate = \"{rate}\"{cv}"), "");
            let result = run_on(&text, 1);
            let Some(Stop::NotFinite { population, unit, variable, cause, .. }) = &result.stopped else {
                panic!("{kind} {rate}: {:?}", result.stopped)
            };
            let found = (population.as_str(), *unit, variable.as_str(), cause);
            assert_eq!(found, ("in", 1, "spikes", &Cause::Rate("in.spikes".to_owned())), "{kind} {rate}");
        }
        // One that does not change is refused before the run.
        let text = played(0.1, 3, &format!("kind = \"{kind}\", rate = \"1e14 Hz\"{cv}"), "");
        let refused = crate::Network::examine(&super::spec(&text)).unwrap_err().to_string();
        assert!(refused.contains("events a step"), "{refused}");
    }
}

/// Between grid points a window is as long as it is written: spikes come for the part of a step that is inside.
#[test]
fn windows_off_the_grid_have_their_spikes() {
    for (kind, keys, correlation) in [
        ("poisson", "", 0.0),
        ("poisson", "*(1 + 0*t/[1 s])", 0.0),
        ("renewal", "", 0.0),
        ("correlated", ", correlation = 0.05, jitter = \"2.5 ms\"", 0.05),
        ("correlated", ", correlation = 0.05, sharing = \"single\"", 0.05),
    ] {
        let (times, more) = if keys.starts_with('*') { (keys, "") } else { ("", keys) };
        let rate = if times.is_empty() { "\"50 Hz\"".to_owned() } else { format!("\"[50 Hz]{times}\"") };
        let cv = if kind == "renewal" { ", cv = 0.7" } else { "" };
        let kind = format!("kind = \"{kind}\", rate = {rate}{cv}{more}, start = \"3.2 ms\", stop = \"8.6 ms\"");
        // Steps of 2 ms: the first has 0.8 ms of the window, the last 0.6 ms.
        let text = played(0.02, 4000, &kind, "").replace("0.1 ms", "2 ms");
        // Runs differ by their seed, so that events that units share count anew.
        let runs = if correlation > 0.0 { 100 } else { 20 };
        let counts: Vec<[f64; 4]> = (0..runs)
            .map(|seed| {
                let spikes = spikes_of(&text.replace("seed = 4", &format!("seed = {seed}")));
                let at = |time: f64| spikes.times.iter().filter(|t| (**t - time).abs() < 1e-6).count() as f64;
                assert_eq!(spikes.times.len() as f64, [4.0, 6.0, 8.0, 10.0].map(at).iter().sum::<f64>(), "{kind}");
                [4.0, 6.0, 8.0, 10.0].map(at)
            })
            .collect();
        for (step, length) in [0.8, 2.0, 2.0, 0.6].into_iter().enumerate() {
            let mean = counts.iter().map(|c| c[step]).sum::<f64>() / f64::from(runs);
            let expected: f64 = 4000.0 * 0.05 * length;
            // Counts of units that share events have this correlation at most.
            let error = ((expected + 4000.0 * expected * correlation) / f64::from(runs)).sqrt();
            assert!((mean - expected).abs() < 4.5 * error, "{kind}, step {step}: {mean}, expected {expected}");
        }
    }
}
