//! Events that arrive together, where a rule is not linear in the state: each finds what those before it left.

use super::*;

/// Values of `s.s` of a saturating conductance without decay to speak of, at 1 ms steps.
fn saturating(size: usize, stimuli: &str) -> Vec<Vec<f64>> {
    let text = format!(
        "[simulation]\nduration = \"20 ms\"\ndt = \"0.1 ms\"\nseed = 3\n[populations.n]\nmodel = \"lif\"\nsize = \
         {size}\n\
         parameters = {{ V_th = \"1000 mV\" }}\nreceptors.s = {{ kind = \"saturating_conductance\", tau = \"1e9 ms\" \
         }}\n\
         [populations.source]\nmodel = \"lif\"\nsize = 4\nreceptors.in = \"delta\"\n\
         [record.n]\ntraces = [{{ variables = [\"s.s\"], interval = \"1 ms\" }}]\n{stimuli}"
    );
    let text = text.replace("receptors.in = \"delta\"", "receptors.in = { kind = \"delta\" }");
    let one = run(&text);
    if size >= 512 {
        assert_eq!(trace(&run_on(&text, 2), "n", "s.s"), trace(&one, "n", "s.s"), "threads");
    }
    trace(&one, "n", "s.s").chunks(size).map(<[f64]>::to_vec).collect()
}

fn list(name: &str, times: &[&str], weight: f64) -> String {
    let times: Vec<String> = times.iter().map(|t| format!("\"{t} ms\"")).collect();
    format!(
        "[stimuli.{name}]\ntarget = \"n.s\"\nkind = \"spikes\"\ntimes = [{}]\nweight = {weight}\n",
        times.join(", ")
    )
}

/// n in one list, one of each of n stimuli, one of each of n sources, and one after the other: the same.
#[test]
fn how_events_are_bundled_makes_no_difference() {
    for (n, w) in [(2_usize, 0.5), (3, 0.2), (4, 0.9), (4, 0.0625)] {
        let expected = 1.0 - (1.0_f64 - w).powi(n as i32);
        let at = |rows: &[Vec<f64>]| rows[12][0];
        let listed = at(&saturating(1, &list("a", &vec!["6"; n], w)));
        let several: String = (0..n).map(|k| list(&format!("a{k}"), &["6"], w)).collect();
        let several = at(&saturating(1, &several));
        let apart: Vec<String> = (0..n).map(|k| format!("{}", 6.0 + 0.1 * k as f64)).collect();
        let apart: Vec<&str> = apart.iter().map(String::as_str).collect();
        let apart = at(&saturating(1, &list("a", &apart, w)));
        // Sources that fire in one step, 1 ms earlier.
        let connect = |weight: &str| {
            let units: Vec<String> = (0..n).map(|u| u.to_string()).collect();
            format!(
                "[stimuli.go]\ntarget = \"source.in\"\nunits = [{}]\nkind = \"spikes\"\ntimes = [\"5 ms\"]\nweight = \
                 \"100 mV\"\n\
                 [projections.p]\nfrom = \"source\"\nto = \"n.s\"\nconnect = \"all_to_all\"\nweight = {weight}\ndelay \
                 = \"1 ms\"\n",
                units.join(", ")
            )
        };
        let sources = at(&saturating(1, &connect(&w.to_string())));
        let drawn = at(&saturating(1, &connect(&format!("{{ uniform = [{w}, {w}] }}"))));
        for (how, found) in
            [("listed", listed), ("stimuli", several), ("apart", apart), ("sources", sources), ("drawn", drawn)]
        {
            assert!((found - expected).abs() < 1e-7, "{n} of {w}, {how}: {found}, expected {expected}");
        }
        assert_eq!([listed.to_bits(); 3], [several, sources, drawn].map(f64::to_bits), "bit for bit");
    }
}

/// The bounds of the card, at every rate and step, on one thread and on two, and in whatever order weights come.
#[test]
fn a_saturating_conductance_stays_below_one() {
    let poisson = |name: &str, rate: &str, sources: usize, weight: &str| {
        format!(
            "[stimuli.{name}]\ntarget = \"n.s\"\nkind = \"poisson\"\nrate = \"{rate}\"\nsources = {sources}\nweight = \
             {weight}\n"
        )
    };
    for (size, rate, sources) in [(20, "10 Hz", 100), (3, "10 kHz", 4), (600, "1 kHz", 10)] {
        for weight in ["0.5", "0.05", "{ uniform = [0.1, 0.9] }"] {
            let rows = saturating(size, &(poisson("a", rate, sources, weight) + &poisson("b", rate, 3, "0.3")));
            let all = || rows.iter().flatten();
            assert!(all().all(|s| (0.0..=1.0).contains(s)), "{rate} {weight}");
            assert!(all().any(|s| *s > 0.3), "{rate} {weight}");
        }
    }
}

/// The mean of numpy's event by event simulation: 0.837 at 0.1 ms, 0.872 at 1 ms.
#[test]
fn ordinary_input_has_the_mean_of_single_events() {
    for (dt, mean, most) in [("0.1 ms", 0.837, 1.0), ("1 ms", 0.872, 1.0)] {
        let text = format!(
            "[simulation]\nduration = \"10 s\"\ndt = \"{dt}\"\nseed = 1\n[populations.n]\nmodel = \"lif\"\nsize = 20\n\
             parameters = {{ V_th = \"1000 mV\" }}\nreceptors.s = {{ kind = \"saturating_conductance\", tau = \"10 \
             ms\" }}\n\
             [stimuli.many]\ntarget = \"n.s\"\nkind = \"poisson\"\nrate = \"10 Hz\"\nsources = 100\nweight = 0.5\n\
             [record.n]\ntraces = [{{ variables = [\"s.s\"], interval = \"1 ms\" }}]\n"
        );
        let result = run(&text);
        let s = trace(&result, "n", "s.s");
        let found = s.iter().sum::<f64>() / s.len() as f64;
        assert!((found - mean).abs() < 0.002, "{dt}: {found}, numpy has {mean}");
        assert!(s.iter().all(|v| *v >= 0.0 && *v < most), "{dt}");
    }
}

/// On the compartments of a tree, too.
#[test]
fn on_trees_each_event_finds_what_those_before_it_left() {
    let text = "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.n]\nmodel = \"membrane\"\nsize = 5\n\
        cable = { length = \"100 um\", diameter = \"2 um\", compartments = 2 }\nchannels.leak = { kind = \"leak\" }\n\
        receptors.s = { kind = \"saturating_conductance\", tau = \"1e9 ms\", at = \"cable(0.25)\" }\n\
        [stimuli.a]\ntarget = \"n.s\"\nkind = \"spikes\"\ntimes = [\"6 ms\", \"6 ms\", \"6 ms\"]\nweight = 0.5\n\
        [record.n]\ntraces = [{ variables = [\"s.s\"], interval = \"1 ms\" }]\n";
    let result = run(text);
    let s = trace(&result, "n", "s.s");
    let most = s.iter().copied().fold(0.0, f64::max);
    assert!((most - 0.875).abs() < 1e-7, "{most}");
}

/// Time in what an event adds is the time at which it arrives: on points of one block and of several, on trees, with a
/// delay and without, whether events add up or not, whatever the step and its parts.
#[test]
fn time_in_what_an_event_adds_is_that_of_its_arrival() {
    for (rule, adds_up) in [("g += w*(t/[1 ms])", true), ("g += w*(t/[1 ms] + 1e-20*g/[1 S])", false)] {
        for (dt, at) in [("0.05 ms", 1.0), ("0.1 ms", 1.3), ("0.5 ms", 3.5), ("0.1 ms", 0.0)] {
            for (place, size) in [
                ("model = \"lif\"\nparameters = { V_th = \"1000 V\" }\n", 1),
                ("model = \"lif\"\nparameters = { V_th = \"1000 V\" }\n", 700),
                ("model = \"adex\"\nintegrator = \"rk4\"\n", 3),
                (
                    "model = \"membrane\"
channels.leak = { kind = \"leak\" }
cable = { length = \"100 um\", diameter \
                     = \"2 um\", compartments = 1 }
",
                    2,
                ),
            ] {
                let text = format!(
                    "[simulation]
duration = \"5 ms\"
dt = \"{dt}\"
[receptors.timed]
given = {{ V_m = \"V\" }}
port = \"I\"
equations = \"\"\"
dg/dt = -g/tau : S
I = g*(E_rev - V_m) : A
\"\"\"
on_event = \"{rule}\"
[receptors.timed.parameters]
tau = {{ value = \"1e9 s\", about = \"t\" }}
E_rev = {{ value = \"-70 mV\", about = \"e\" }}
[populations.n]
size = {size}
{place}\
                     receptors.a = {{ kind = \"timed\" }}
[populations.s]
model = \"lif\"
receptors.d = {{ kind = \
                     \"delta\" }}
[stimuli.p]
target = \"n.a\"
kind = \"spikes\"
times = [\"{at} ms\"]
weight = \"1 nS\"
[stimuli.fire]
target = \"s.d\"
kind = \"spikes\"
times = [\"{at} ms\"]
weight = \"1 V\"
[projections.late]
from = \"s\"
to = \"n.a\"
connect = \"all_to_all\"
weight = \"1 nS\"
delay = \"1 ms\"
[projections.now]
from = \"s\"
to = \"n.a\"
connect = \"all_to_all\"
weight = \"1 nS\"
delay = \"0 ms\"
[record.s]
spikes = true
[record.n]
traces = [{{ variables = [\"a.g\"], interval = \"5 ms\" }}]
"
                );
                let result = run(&text);
                let fired = result.recording.spikes[0].times[0];
                let expected = at + fired + (fired + 1.0);
                let system = &super::spec(&text).populations[0].system;
                assert_eq!(system.superposes(0), adds_up);
                let g = trace(&result, "n", "a.g");
                let last = &g[g.len() / 2..];
                assert!(last.iter().all(|g| (g - expected).abs() < 1e-6), "{rule} at {at}, {dt}, {place}: {last:?}");
            }
        }
    }
}

/// An input ends where an event arrives, and another begins: what an event adds is not made of it, directly or through
/// what a receptor is given.
#[test]
fn inputs_in_what_an_event_adds_are_refused() {
    let load = |text: &str| {
        load(text, None, "test", &Overrides::default(), library(), &Catalog::default(), &NoFiles)
            .map(|_| ())
            .map_err(|report| format!("{report:?}"))
    };
    let model = |effect: &str| {
        format!(
            "[simulation]
duration = \"2 ms\"
dt = \"0.1 ms\"
[models.m]
equations = \"\"\"
dv/dt = -v/[1 ms] : 1
both = v + 2*I : 1
\"\"\"
inputs = {{ I = \"1\" }}
on_event = \"{effect}\"
[populations.n]
model = \"m\"
"
        )
    };
    for effect in ["v += w*I", "v += w*both", "v += w*where(I > 0, 1, 2)", "v -= w*exp(I)*v"] {
        let said = load(&model(effect)).unwrap_err();
        assert!(said.contains("depends on an input"), "{effect}: {said}");
    }
    load(&model("v += w*(1 + v)")).unwrap();
    let carried = "[simulation]
duration = \"2 ms\"
dt = \"0.1 ms\"
[models.m]
equations = \"\"\"
dv/dt = -v/[1 ms] \
        + I/[1 ms] : 1
seen = v + I : 1
\"\"\"
inputs = { I = \"1\" }
[receptors.r]
given = { seen = \"1\" }
port = \
        \"I\"
equations = \"\"\"
dg/dt = -g/[1 ms] : 1
I = g : 1
\"\"\"
on_event = \"g += w*seen\"
[populations.n]
model = \"m\"
receptors.r = { kind = \"r\" }
";
    let said = load(carried).unwrap_err();
    assert!(said.contains("depends on an input"), "{said}");
    load(&carried.replace("seen = v + I", "seen = 2*v")).unwrap();
}
