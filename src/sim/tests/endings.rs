//! How runs end: refused, failed, cancelled, too large for memory; nothing is lost.

use super::*;

const LARGE: &str = "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\nmemory = \"20 MB\"\n[populations.a]\nmodel \
                     = \"lif\"\nsize = 10000\nreceptors.in = { kind = \"delta\" }\n\
    [projections.big]\nfrom = \"a\"\nto = \"a.in\"\nconnect = { rule = \"fixed_indegree\", indegree = 5000 }\nweight \
    = \"1 mV\"\ndelay = \"1 ms\"\n";

#[test]
fn a_network_that_does_not_fit_is_refused_with_the_figure() {
    let (needed, largest) = Network::estimate(&spec(LARGE));
    // 50 million connections of two bytes.
    assert!((100_000_000..120_000_000).contains(&needed), "{needed}");
    assert!(largest.contains("big") && largest.contains("50000000"), "{largest}");
    let error = Network::build(&spec(LARGE), 1, &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(error, BuildError::Memory { allowed: 20_000_000, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("MiB") && text.contains("projection big"), "{text}");
}

#[test]
fn building_can_be_cancelled() {
    let error = Network::build(&spec(&LARGE.replace("20 MB", "2 GB")), 1, &AtomicBool::new(true)).unwrap_err();
    assert_eq!(error, BuildError::Cancelled);
}

#[test]
fn a_value_that_is_not_finite_is_reported_and_the_rest_kept() {
    // dx/dt = x^2 from 1/2 + i/4 blows up at 1/x(0): unit 2 of three first, soon after t = 1.
    let text = "[simulation]\nduration = 5.0\ndt = 0.01\n[models.burst]\ntime_unit = \"1\"\nequations = \"\"\"\ndx/dt \
                = x**2 : 1\ndy/dt = -y : 1\n\"\"\"\ninitial = { x = 0.5, y = 1.0 }\n\
        [populations.a]\nmodel = \"burst\"\nsize = 3\nintegrator = \"rk4\"\ninitial = \
        { x = { values = [0.5, 0.75, 1.0] } }\n[record.a]\ntraces = [{ variables = [\"y\"] }]\n";
    let result = run_on(text, 1);
    let Some(Stop::NotFinite { population, unit, variable, time, .. }) = result.stopped else {
        panic!("{:?}", result.stopped)
    };
    assert_eq!((population.as_str(), unit, variable.as_str()), ("a", 2, "x"));
    assert!((1.0..1.2).contains(&time), "{time}");
    assert_eq!(result.recording.window.stop, time);
    let y = &result.recording.traces[0];
    assert!(y.len() as u64 >= result.steps && y.len() as u64 <= result.steps + 1, "{} {}", y.len(), result.steps);
    for k in 0..y.len() {
        assert!((y.values[3 * k] - (-0.01 * k as f64).exp()).abs() < 1e-8);
    }
}

/// Counts epochs; stops after some, keeps parts.
struct Watch {
    epochs: u32,
    stop_after: u32,
    parts: Option<Vec<Recording>>,
    seen: usize,
}

impl Observer for Watch {
    fn progress(&mut self, step: u64, steps: u64) -> bool {
        assert!(step <= steps);
        self.epochs += 1;
        self.epochs < self.stop_after
    }
    fn wants_snapshot(&mut self) -> bool {
        true
    }
    fn snapshot(&mut self, so_far: &Recording) {
        self.seen = so_far.spikes[0].len();
    }
    fn takes_parts(&self) -> bool {
        self.parts.is_some()
    }
    fn part(&mut self, part: Recording) -> Result<(), String> {
        self.parts.as_mut().expect("asked for").push(part);
        Ok(())
    }
}

const BUSY: &str = "[simulation]\nduration = \"400 ms\"\ndt = \"0.1 ms\"\nmemory = \"3 MB\"\n[populations.a]\nmodel = \
                    \"lif\"\nsize = 300\ninitial = { V_m = { uniform = [\"-70 mV\", \"-55 mV\"] } }\n\
    [stimuli.s]\ntarget = \"a.I\"\nkind = \"constant\"\namplitude = \"600 pA\"\n[record.a]\nspikes = true\ntraces = \
    [{ variables = [\"V_m\"], units = \"0..20\" }]\n";

#[test]
fn a_cancelled_run_keeps_its_data() {
    let mut watch = Watch { epochs: 0, stop_after: 3, parts: None, seen: 0 };
    let text = BUSY.replace("400 ms", "400 s").replace("3 MB", "200 MB");
    let started = std::time::Instant::now();
    let result = Network::build(&spec(&text), 1, &AtomicBool::new(false)).unwrap().run(&mut watch);
    assert!(started.elapsed().as_secs() < 20);
    assert_eq!(result.stopped, Some(Stop::Cancelled));
    assert_eq!(watch.epochs, 3);
    assert_eq!(result.recording.window.stop, result.steps as f64 * 0.1);
    assert_eq!(result.recording.traces[0].len() as u64, result.steps + 1);
    assert_eq!(watch.seen, result.recording.spikes[0].len(), "the last snapshot shows what is left");
    let whole = run_on(&BUSY.replace("3 MB", "200 MB"), 1);
    let (part, whole) = (&result.recording.spikes[0], &whole.recording.spikes[0]);
    let n = part.len().min(whole.len());
    assert!(part.times[..n] == whole.times[..n] && part.units[..n] == whole.units[..n]);
}

/// However fast a run records, a part holds no more than a share of what a recording may take: while it is written a
/// table stands beside it that takes up to three times as much.
#[test]
fn parts_keep_the_memory_allowed() {
    for memory in ["4 MB", "20 MB"] {
        let text = BUSY
            .replace("400 ms", "1 s")
            .replace("3 MB", memory)
            .replace("size = 300", "size = 2000")
            .replace("units = \"0..20\"", "units = \"all\"");
        let mut watch = Watch { epochs: 0, stop_after: u32::MAX, parts: Some(Vec::new()), seen: 0 };
        let result = Network::build(&spec(&text), 1, &AtomicBool::new(false)).unwrap().run(&mut watch);
        assert_eq!(result.stopped, None);
        let bytes = |r: &Recording| {
            r.traces.iter().map(|t| t.values.len() * 8).chain(r.spikes.iter().map(|s| s.len() * 12)).sum::<usize>()
                as f64
        };
        let sizes: Vec<f64> = watch.parts.unwrap().iter().map(bytes).collect();
        let allowed = memory.trim_end_matches(" MB").parse::<f64>().unwrap() * 1e6;
        assert!(sizes.len() > 4 && sizes.iter().all(|s| *s < 0.34 * allowed), "{memory}: {sizes:?}");
    }
}

#[test]
fn what_outgrows_memory_goes_in_parts_that_are_the_whole() {
    let text = BUSY.replace("400 ms", "4 s");
    let mut watch = Watch { epochs: 0, stop_after: u32::MAX, parts: Some(Vec::new()), seen: 0 };
    let result = Network::build(&spec(&text), 1, &AtomicBool::new(false)).unwrap().run(&mut watch);
    assert_eq!(result.stopped, None);
    let mut parts = watch.parts.unwrap();
    assert!(parts.len() >= 2, "{}", parts.len());
    parts.push(result.recording);
    let whole = run_on(&text.replace("3 MB", "200 MB"), 1).recording;
    assert_eq!(parts.iter().flat_map(|p| p.spikes[0].times.clone()).collect::<Vec<_>>(), whole.spikes[0].times);
    assert_eq!(parts.iter().flat_map(|p| p.traces[0].values.clone()).collect::<Vec<_>>(), whole.traces[0].values);
    let mut at = 0;
    for part in &parts {
        assert!((part.traces[0].start - whole.traces[0].time(at)).abs() < 1e-9);
        at += part.traces[0].len();
    }
    // Without anybody to take them the run stops and says so.
    let mut watch = Watch { epochs: 0, stop_after: u32::MAX, parts: None, seen: 0 };
    let result = Network::build(&spec(&text), 1, &AtomicBool::new(false)).unwrap().run(&mut watch);
    assert!(matches!(result.stopped, Some(Stop::Sink(message)) if message.contains("memory")));
    assert!(!result.recording.spikes[0].is_empty());
}

/// Units whose time constants go down to 0.03 ms, under forward Euler with steps of 0.1 ms.
const UNSTABLE: &str = "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = \
                        600\nintegrator = \"euler\"\n\
    parameters = { tau_m = { linspace = [\"20 ms\", \"0.03 ms\"] } }\n";

#[test]
fn the_fastest_unit_decides_whether_a_step_is_stable() {
    let refused = |threads| Network::build(&spec(UNSTABLE), threads, &AtomicBool::new(false)).unwrap_err().to_string();
    let one = refused(1);
    // dt must be below twice the time constant of the last unit.
    assert!(
        one.contains("populations.a") && (one.contains("below 5.9999e-5 s") || one.contains("below 6.0000e-5 s")),
        "{one}"
    );
    assert_eq!(refused(2), one);
    assert_eq!(Network::examine(&spec(UNSTABLE)).unwrap_err().to_string(), one);
    assert!(Network::examine(&spec(&UNSTABLE.replace("0.03 ms", "0.06 ms"))).is_ok());
}

#[test]
fn estimates_count_what_rules_keep_and_delays_that_come_with_pairs() {
    let text = |plasticity: &str| {
        format!(
            "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.a]\nmodel = \"lif\"\nsize = 1000\n\
             receptors.in = {{ kind = \"delta\" }}\n\
             [projections.p]\nfrom = \"a\"\nto = \"a.in\"\nconnect = {{ rule = \"fixed_indegree\", indegree = 900 }}\n\
             weight = \"1 mV\"\ndelay = \"1 ms\"\n{plasticity}"
        )
    };
    let bytes = |text: &str| Network::estimate(&spec(text)).0;
    let rule = "plasticity = { kind = \"own\" }\n[plasticity.own]\nequations = \"\"\"\ndy_post/dt = -y_post/tau : 1\n\
                dtag/dt = -tag/tau : 1\n\"\"\"\non_post = \"w += w*tag; y_post += 1\"\nparameters = \
                { tau = \"20 ms\" }\n";
    let more = bytes(&text(rule)) - bytes(&text(""));
    // 900,000 connections with a weight, a tag and the moment of their last event; 32 spikes of 1000 targets with a
    // trace; the trace now and at 16 grid points.
    let expected = 900_000 * (8 + 8 + 4) + 1000 * 32 * 12 + 1000 * 17 * 8 + 1000 * 8;
    assert!(more.abs_diff(expected) < expected / 100, "{more} {expected}");
    // A delay of 1000 steps in a list is a ring of 1024 rows.
    let mut listed = spec(&text(""));
    let pairs = |delay| spikedeck_scenario::Rule::Edges {
        source: [0, 1].into(),
        target: [1, 0].into(),
        weight: None,
        delay: Some([1e-3, delay].into()),
    };
    listed.projections[0].rule = pairs(1e-3);
    let short = Network::estimate(&listed).0;
    listed.projections[0].rule = pairs(100e-3);
    assert!(Network::estimate(&listed).0 - short > 1000 * 8 * 900, "{short}");
}

/// Events that do not add up are kept one by one: sources that spike together fill a list as long as there are
/// connections.
#[test]
fn estimates_count_events_that_are_kept_one_by_one() {
    let of = |kind: &str, weight: &str, indegree: u32| {
        let text = format!(
            "[simulation]\nduration = \"1 ms\"\ndt = \"0.1 ms\"\n[populations.n]\nmodel = \"lif\"\nsize = 1000\n\
             receptors.e = {{ kind = \"{kind}\" }}\n[projections.p]\nfrom = \"n\"\nto = \"n.e\"\n\
             connect = {{ rule = \"fixed_indegree\", indegree = {indegree} }}\nweight = {weight}\ndelay = \"0.1 ms\"\n"
        );
        Network::estimate(&spec(&text)).0
    };
    for (few, many) in [(10, 100), (1, 500)] {
        let more = |kind: &str, weight: &str| of(kind, weight, many) - of(kind, weight, few);
        let (sums, singles) = (more("exp_current", "\"1 pA\""), more("saturating_conductance", "0.1"));
        let connections = 1000 * u64::from(many - few);
        assert!(singles >= sums + 16 * connections, "{few} {many}: {singles} and {sums}");
    }
}

/// What waits for computed delays is known only when they are: each of two projections fits, both together do not.
#[test]
fn computed_delays_are_held_against_memory_together() {
    // A ring of 2000 steps for 1000 lanes keeps 2048 rows of 8 bytes a lane.
    let text = |first: &str, second: &str| {
        format!(
            "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\nmemory = \"22 MB\"\n[populations.a]\nmodel = \
             \"lif\"\nsize = 1000\nreceptors.one = {{ kind = \"delta\" }}\nreceptors.two = {{ kind = \"delta\" }}\n\
             [projections.first]\nfrom = \"a\"\nto = \"a.one\"\nconnect = \"one_to_one\"\nweight = \"1 mV\"\ndelay = \
             {first}\n\
             [projections.second]\nfrom = \"a\"\nto = \"a.two\"\nconnect = \"one_to_one\"\nweight = \"1 mV\"\ndelay = \
             {second}\n"
        )
    };
    let build = |text: &str, threads: usize| Network::build(&spec(text), threads, &AtomicBool::new(false)).map(|_| ());
    for threads in [1, 2] {
        let long = "\"[200 ms] + [0 ms]*i_pre\"";
        assert_eq!(build(&text(long, "\"1 ms\""), threads), Ok(()));
        // A ring for delays that are known is part of the estimate already.
        assert_eq!(build(&text("\"200 ms\"", "\"[1 ms] + [0 ms]*i_pre\""), threads), Ok(()));
        let error = build(&text(long, long), threads).unwrap_err();
        let BuildError::Memory { needed, allowed: 22_000_000, largest } = error else { panic!("{error:?}") };
        assert!(
            (25_000_000..35_000_000).contains(&needed) && largest.contains("2000 steps at populations.a"),
            "{needed} {largest}"
        );
    }
}

/// Where units differ, the one whose state decays fastest and the one whose states are coupled most are looked at.
#[test]
fn a_step_too_long_for_one_unit_is_refused_whichever_it_is() {
    let text = |a: &str, b: &str| {
        format!(
            "[simulation]\nduration = 1\ndt = 0.01\n[models.pair]\ntime_unit = \"1\"\nequations = \"\"\"\ndx/dt = \
             -a*x + b*y : 1\ndy/dt = b*x - a*y : 1\n\"\"\"\nparameters = {{ a = 1, b = 0 }}\n\
             [populations.p]\nmodel = \"pair\"\nsize = 3\nintegrator = \"euler\"\nparameters = {{ a = {{ values = \
             [{a}] }}, b = {{ values = [{b}] }} }}\n"
        )
    };
    let refused = |a: &str, b: &str| match Network::build(&spec(&text(a, b)), 1, &AtomicBool::new(false)) {
        Ok(_) => None,
        Err(e) => Some(e.to_string()),
    };
    assert_eq!(refused("1, 190, 150", "0, 0, 20"), None);
    // Rates 300 alone; 299 = 150 + 149 by coupling, beside a greater 160 alone.
    assert!(refused("1, 300, 50", "0, 0, 45").unwrap().contains("3.0000e2"));
    assert!(refused("1, 150, 160", "0, 149, 0").unwrap().contains("2.9900e2"));
}
