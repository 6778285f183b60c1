//! What is not a number is never a spike and never a result: runs stop and say what was not finite first.

use super::*;

/// A neuron whose rate holds `rate`, in which `bad` has no value from 10 ms on.
fn neuron(rate: &str, integrator: &str, size: usize) -> String {
    format!(
        "[simulation]\nduration = \"50 ms\"\ndt = \"0.1 ms\"\n[models.m]\nequations = \"\"\"\n\
         dV_m/dt = (E - V_m)/tau + {rate} : V\nbad = log(([10 ms] - t)/[1 ms]) : 1\n\"\"\"\n\
         threshold = \"V_m > V_th\"\nreset = \"V_m = E\"\nrefractory = {{ time = \"t_ref\", hold = [\"V_m\"] }}\n\
         initial = {{ V_m = \"E\" }}\n\
         parameters = {{ E = \"-65 mV\", tau = \"10 ms\", V_th = \"-50 mV\", V_T = \"-50 mV\", t_ref = \"2 ms\" }}\n\
         [populations.n]\nmodel = \"m\"\nsize = {size}\nintegrator = \"{integrator}\"\n[record.n]\nspikes = true\n"
    )
}

/// Whatever hides it, by whatever scheme, in small and in large populations, with a spike current and without.
#[test]
fn what_is_not_a_number_is_found_behind_bounds_and_conditions() {
    let hidden = [
        "min(bad, 0)",
        "min(0, bad)",
        "max(bad, -1)",
        "clip(bad, -0.1, 0.1)",
        "where(bad > 3, 1, 0)",
        "where(not bad < 3, 1, 0)",
        "where(bad > 3 or bad < -1e9, 1, 0)",
        "step(bad - 9)",
        "sign(bad)*0.1",
        "floor(bad)*0.1",
        "exp(min(bad, 0))*0.1",
    ];
    let current = "exp((V_m - V_T)/[2 mV])*[0.1 mV/ms]";
    let schemes = ["auto", "euler", "euler_sequential", "heun", "rk4", "rk45", "rosenbrock", "exponential_euler"];
    for (k, text) in hidden.iter().enumerate() {
        for (j, scheme) in schemes.iter().enumerate() {
            for spike_current in [false, true] {
                let mut rate = format!("[1 mV/ms]*{text}");
                if spike_current {
                    rate = format!("{rate} + {current}");
                }
                let size = if (j + k) % 4 == 0 { 300 } else { 2 };
                let result = run_on(&neuron(&rate, scheme, size), 1);
                let what = format!("{rate} by {scheme}, {size} units");
                let Some(Stop::NotFinite { variable, time, cause, .. }) = &result.stopped else {
                    panic!("{what}: {:?}", result.stopped)
                };
                assert_eq!((variable.as_str(), cause), ("bad", &Cause::Expression), "{what}");
                assert!((10.0..12.0).contains(time), "{what}: {time}");
                assert!(result.recording.spikes[0].is_empty(), "{what}");
            }
        }
    }
}

/// A threshold or a time at rest without a value decides nothing: neither for a spike nor against it.
#[test]
fn what_decides_about_spikes_has_a_value_or_the_run_stops() {
    let drive = "[1 mV/ms]*3";
    let all = [
        ("V_m > V_th + min(bad, 0)*[1 mV]", "t_ref", "bad"),
        ("V_m > V_th and bad < 1e9", "t_ref", "bad"),
        ("not V_m < V_th*bad", "t_ref", "bad"),
        ("V_m > V_th*sqrt([10 ms] - t)/sqrt([10 ms] - t)", "t_ref", "the threshold"),
        ("V_m > V_th", "t_ref*max(bad, 1)", "bad"),
        ("V_m > V_th", "t_ref*sqrt([10 ms] - t)/sqrt([10 ms] - t)", "the refractory time"),
        ("V_m > V_th", "t_ref*exp(1e9*step((t - [10 ms])/[1 ms]))", "the refractory time"),
    ];
    for (threshold, rest, named) in all {
        for size in [2, 300] {
            for mode in ["grid", "interpolated"] {
                let text = neuron(drive, "rk4", size)
                    .replace("V_m > V_th\"", &format!("{threshold}\""))
                    .replace("time = \"t_ref\"", &format!("time = \"{rest}\""))
                    .replace("dt = \"0.1 ms\"", &format!("dt = \"0.1 ms\"\nspike_times = \"{mode}\""));
                // A condition of two comparisons has no moment at which it is crossed.
                if mode == "interpolated" && (threshold.contains(" and ") || threshold.contains("not ")) {
                    continue;
                }
                let result = run_on(&text, 1);
                let what = format!("{threshold}, rest {rest}, {size} units, {mode}");
                let Some(Stop::NotFinite { variable, time, cause, .. }) = &result.stopped else {
                    panic!("{what}: {:?}", result.stopped)
                };
                assert_eq!((variable.as_str(), cause), (named, &Cause::Expression), "{what}");
                assert!((10.0..17.0).contains(time), "{what}: {time}");
                assert!(result.recording.spikes[0].times.iter().all(|t| *t < 17.0), "{what}");
            }
        }
    }
}

/// What a condition keeps out of the rates has no part in them.
#[test]
fn values_that_are_not_chosen_do_not_count() {
    let result = run(&neuron("where(t < [10 ms], bad, 0)*[0.1 mV/ms]", "rk4", 2));
    assert!(result.recording.spikes[0].is_empty());
}

/// A receptor of one's own, whose conductance is a quotient by the difference of two time constants.
const OWN: &str = "[receptors.own]\nport = \"I\"\ngiven = { V_m = \"V\" }\nequations = \"\"\"\n\
    dg_r/dt = -g_r/tau_rise : S\ndg_d/dt = -g_d/tau_decay : S\ng = (g_d - g_r)*apart : S\n\
    apart = [1 ms]/(tau_decay - tau_rise) : 1\nI = g*(E_rev - V_m) : A\n\"\"\"\n\
    on_event = \"g_r += w; g_d += w\"\nparameters = { tau_rise = \"1 ms\", tau_decay = \"2 ms\", E_rev = \"0 mV\" }\n";

/// The language cannot know the limit of what a person writes.
#[test]
fn parameters_that_make_no_number_are_refused_by_name() {
    for model in ["lif", "adex", "eif"] {
        let text = format!(
            "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n{OWN}[populations.n]\nmodel = \"{model}\"\n\
             receptors.same = {{ kind = \"own\", tau_rise = \"5 ms\", tau_decay = \"5 ms\" }}\n"
        );
        let refused = Network::examine(&spec(&text)).unwrap_err().to_string();
        assert!(
            refused.contains("same.apart") && refused.contains("same.tau_rise = 5 ms, same.tau_decay = 5 ms"),
            "{refused}"
        );
        // Of many the one that has them.
        let text = text
            .replace("[populations.n]\nmodel", "[populations.n]\nsize = 3\nmodel")
            .replace("tau_rise = \"5 ms\"", "tau_rise = { values = [\"1 ms\", \"2 ms\", \"5 ms\"] }");
        let refused = Network::examine(&spec(&text)).unwrap_err().to_string();
        assert!(refused.contains("same.apart` of unit 2"), "{refused}");
    }
}

/// w (t/tau) exp(1 - t/tau), whatever the receptor, the model, the scheme and the way the times are stated; and close
/// to it, closed forms of both sides.
#[test]
fn equal_times_of_rise_and_decay_are_the_alpha_function() {
    let shape = |t: f64, rise: f64, decay: f64| {
        let apart = (decay / rise).ln();
        if apart.abs() < 1e-9 {
            return t / rise * (1.0 - t / rise).exp();
        }
        let peak = rise * decay / (decay - rise) * apart;
        ((-t / decay).exp() - (-t / rise).exp()) / ((-peak / decay).exp() - (-peak / rise).exp())
    };
    for receptor in ["nmda", "ampa", "gaba_a", "dual_exp_conductance"] {
        for (model, scheme) in [("lif", "auto"), ("adex", "exponential_euler"), ("adex", "rosenbrock"), ("lif", "rk4")]
        {
            for (rise, decay) in [(5.0, 5.0), (5.0, 5.0 + 5e-12), (5.0, 5.0001), (5.002, 5.0), (2.0, 5.0)] {
                let text = format!(
                    "[simulation]\nduration = \"40 ms\"\ndt = \"0.02 ms\"\n[populations.n]\nmodel = \"{model}\"\n\
                     size = 2\nintegrator = \"{scheme}\"\nreceptors.syn = {{ kind = \"{receptor}\", \
                     tau_rise = \"{rise} ms\", tau_decay = {{ values = [\"{decay} ms\", \"9 ms\"] }} }}\n\
                     [stimuli.a]\ntarget = \"n.syn\"\nkind = \"spikes\"\ntimes = [\"1 ms\"]\n\
                     weight = \"1 nS\"\n[record.n]\ntraces = [{{ variables = [\"syn.g\"], interval = \"1 ms\" }}]\n"
                );
                let result = run(&text);
                let g = trace(&result, "n", "syn.g");
                for (k, g) in g.iter().step_by(2).enumerate().skip(1) {
                    let expected = shape(k as f64 - 1.0, rise, decay);
                    // Rosenbrock is of order 2 in the step; the others solve such decays, or nearly.
                    let tolerance = if scheme == "rosenbrock" { 1e-4 } else { 2e-9 };
                    assert!(
                        (g - expected).abs() < tolerance,
                        "{receptor}, {model}, {rise} and {decay}: {g} for {expected} at {k} ms"
                    );
                }
            }
        }
    }
}

/// The alpha conductance of 1 nS with 2 ms lifts a leaky neuron by 0.9024 mV (the limit from nearly equal times), and
/// nothing fires without input.
#[test]
fn one_event_at_equal_times_lifts_the_voltage_as_it_should() {
    for receptor in ["dual_exp_conductance", "ampa"] {
        let text = format!(
            "[simulation]
duration = \"50 ms\"
dt = \"0.1 ms\"
[populations.n]
model = \"lif\"
parameters = {{ V_th = \"100 mV\" }}
receptors.same = {{ kind = \"{receptor}\", tau_rise = \"2 ms\", \
             tau_decay = \"2 ms\", E_rev = \"0 mV\" }}
[stimuli.e]
target = \"n.same\"
kind = \"spikes\"
times = [\"10 ms\"]
weight = \"1 nS\"
[record.n]
spikes = true
traces = [{{ variables = [\"V_m\"] }}]
"
        );
        let result = run(&text);
        let v = trace(&result, "n", "V_m");
        let peak = v.iter().copied().fold(f64::NEG_INFINITY, f64::max) - v[0];
        assert!((peak - 0.9024).abs() < 2e-3, "{receptor}: {peak}");
        assert!(result.recording.spikes[0].is_empty());
    }
    let silent = "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\n[populations.exc]\nmodel = \"adex\"\nsize = 10\n\
        receptors.nmda = { kind = \"nmda\", tau_rise = \"5 ms\", tau_decay = \"5 ms\" }\n[record.exc]\nspikes = true\n";
    assert!(run(silent).recording.spikes[0].is_empty());
}

const INPUT: &str = "[simulation]\nduration = \"50 ms\"\ndt = \"0.1 ms\"\n[populations.n]\nmodel = \"lif\"\nsize = 3\n\
    [record.n]\nspikes = true\n[stimuli.calm]\ntarget = \"n.I\"\nkind = \"constant\"\namplitude = \"1 pA\"\n";

#[test]
fn a_stimulus_that_is_not_finite_is_named_with_its_moment() {
    for (value, size) in [("log(([10 ms] - t)/[1 ms])", 3), ("1/([10 ms] - t)*[1 ms]", 3), ("sqrt(1 - t/[10 ms])", 300)]
    {
        for (model, unit) in [("lif", "pA"), ("adex", "pA"), ("izhikevich", "1"), ("hodgkin_huxley", "uA/cm**2")] {
            let calm = if unit == "1" { "0.1".to_owned() } else { format!("\"0.001 {unit}\"") };
            let text =
                INPUT.replace("lif", model).replace("size = 3", &format!("size = {size}")).replace("\"1 pA\"", &calm);
            let value = format!("{value}*[0.001 {unit}]");
            let text = format!(
                "{text}[stimuli.wrong]\ntarget = \"n.I\"\nunits = [2]\nkind = \"expression\"\nvalue = \"{value}\"\n"
            );
            let result = run_on(&text, 1);
            let Some(Stop::NotFinite { variable, unit, time, cause, .. }) = &result.stopped else {
                panic!("{text}: {:?}", result.stopped)
            };
            assert_eq!((variable.as_str(), *unit, cause), ("I", 2, &Cause::Stimulus("wrong".to_owned())), "{text}");
            assert!((9.999..10.2).contains(time), "{time}");
        }
    }
}

#[test]
fn what_projections_bring_is_looked_at_too() {
    let text = format!(
        "{INPUT}[populations.m]\nmodel = \"lif\"\nsize = 3\n[projections.gap]\nkind = \"continuous\"\nfrom = \"n\"\n\
         to = \"m.I\"\n\
         connect = \"one_to_one\"\nvalue = \"w*log(([-69.9 mV] - V_m_pre)/[1 mV])\"\nweight = \"1 pA\"\n[record.m]\n\
         spikes = true\n\
         [stimuli.b]\ntarget = \"n.I\"\nunits = [1]\nkind = \"constant\"\namplitude = \"100 pA\"\n"
    );
    let result = run_on(&text, 1);
    let Some(Stop::NotFinite { population, variable, unit, cause, .. }) = &result.stopped else {
        panic!("{:?}", result.stopped)
    };
    assert_eq!((population.as_str(), variable.as_str(), *unit, cause), ("m", "I", 1, &Cause::Projections));
}

#[test]
fn growth_is_told_apart_from_what_has_no_value() {
    let text = "[simulation]\nduration = 5.0\ndt = 0.01\n[models.burst]\ntime_unit = \"1\"\nequations = \"\"\"\ndy/dt \
                = x : 1\ndx/dt = x**2 : 1\n\"\"\"\n\
        initial = { x = 1.0, y = 0.0 }\n[populations.a]\nmodel = \"burst\"\nintegrator = \"rk4\"\n";
    let Some(Stop::NotFinite { variable, cause, .. }) = run_on(text, 1).stopped else { panic!() };
    assert_eq!((variable.as_str(), cause), ("x", Cause::Growth), "y follows x, and is no cause");
}

/// One compartment whose current has no value leaves no voltage of its cell a number: what is named is the expression,
/// and where it stands.
#[test]
fn on_a_tree_the_expression_and_its_place_are_named() {
    for (cells, integrator) in [(1, "crank_nicolson"), (3, "backward_euler")] {
        let text = format!(
            "[simulation]
duration = \"50 ms\"
dt = \"0.05 ms\"
[receptors.own]
port = \"I\"
given = {{ V_m = \"V\" }}
equations = \"\"\"
dg/dt = -g/tau : S
bad = sqrt(([-60 mV] - V_m)/[1 mV]) : 1
I = g*bad*[1 mV] : A
\"\"\"
on_event = \"g += w\"
parameters = {{ tau = \"5 ms\" }}
[populations.c]
model = \"membrane\"
size = {cells}
integrator = \"{integrator}\"
cable = {{ length = \"300 um\", diameter = \"2 um\", compartments = 5 }}
channels.leak = {{ kind = \"leak\", g = \"0.1 mS/cm**2\", E = \"-70 mV\" }}
receptors.own = {{ kind = \"own\", at = [\"cable(0.7)\"] }}
[stimuli.i]
target = \"c.I\"
units = [\"cable(0.1)\"]
kind = \"step\"
amplitude = \"500 pA\"
start = \"5 ms\"
[record.c]
traces = [{{ variables = [\"V_m\"], interval = \"5 ms\" }}]
"
        );
        let Some(Stop::NotFinite { variable, time, cause, unit, .. }) = run_on(&text, 1).stopped else {
            panic!("it stops")
        };
        assert_eq!((variable.as_str(), cause), ("own.bad", Cause::Expression), "{integrator}");
        assert_eq!(unit, 3, "{integrator}");
        assert!(time > 5.0, "{time}");
    }
}

/// Parameters that are drawn or computed are in the ranges that the model, or a receptor, declares for those that are
/// written down; a distribution that is bounded draws anew.
#[test]
fn drawn_and_computed_parameters_stay_in_their_ranges() {
    let with = |parameters: &str| {
        let text = format!(
            "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.n]\nmodel = \"lif\"\nsize = \
             40\n{parameters}\n"
        );
        Network::examine(&spec(&text)).err().map(|e| e.to_string())
    };
    let normal = |name: &str, more: &str| {
        format!("parameters.{name} = {{ normal = {{ mean = \"10 ms\", sd = \"20 ms\"{more} }} }}")
    };
    for name in ["tau_m", "t_ref"] {
        let told = with(&normal(name, "")).expect("a third of these values are below zero");
        assert!(told.contains(&format!("`{name}`")) && told.contains("of 40 drawn values"), "{told}");
        assert_eq!(with(&normal(name, ", min = \"1 ms\"")), None);
    }
    let told = with("parameters.tau_m = \"[10 ms]*(i - 3)\"").expect("four are not above zero");
    assert!(told.contains("4 are not, the first that of unit 0, -30 ms"), "{told}");
    assert_eq!(with("parameters.tau_m = \"[10 ms]*(i + 1)\""), None);
    let receptor = |tau: &str| with(&format!("receptors.e = {{ kind = \"exp_current\", tau = {tau} }}"));
    let told = receptor("{ normal = { mean = \"1 ms\", sd = \"2 ms\" } }").expect("below zero");
    assert!(told.contains("`e.tau`"), "{told}");
    assert_eq!(receptor("{ uniform = [\"1 ms\", \"2 ms\"] }"), None);
}
