//! Estimators on whole scenarios: what they make of a scenario that says little.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use spikedeck::run;
use spikedeck::signal::Outcome;

fn resolve(text: &str) -> Result<spikedeck::scenario::Spec, String> {
    let source = run::Source { text: text.to_owned(), origin: None, name: "test".into(), variant: None };
    run::resolve(&source, &[]).map(|found| found.0).map_err(|e| e.render(false))
}

fn outcomes(text: &str) -> Vec<Outcome> {
    let spec = resolve(text).unwrap_or_else(|e| panic!("{e}"));
    let options = run::Options { threads: 1, ..run::Options::default() };
    let tell: run::Tell = Arc::new(|_| {});
    run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell).unwrap().outcomes
}

fn value(outcomes: &[Outcome], name: &str) -> f64 {
    let metric = outcomes.iter().flat_map(|o| &o.metrics).find(|m| m.full_name() == name);
    let metric = metric.unwrap_or_else(|| panic!("no {name}"));
    metric.value.unwrap_or_else(|| panic!("{name}: {}", metric.note))
}

/// Two states with the same equation, one of which is called theta. No model calls either an angle.
#[test]
fn a_state_is_an_angle_by_its_model_and_not_by_its_name() {
    let text = r#"
[simulation]
duration = "500 ms"
dt = "0.1 ms"
[models.m]
equations = """
dV_m/dt = (E_L - V_m + R_m*I)/tau_m : V
dtheta/dt = (th_0 - theta)/tau_th : V
dthr/dt = (th_0 - thr)/tau_th : V
"""
threshold = "V_m > theta"
reset = "V_m = E_L; theta += [5 mV]; thr += [5 mV]"
inputs = { I = "A" }
initial = { V_m = "E_L", theta = "th_0", thr = "th_0" }
parameters = { tau_m = "20 ms", tau_th = "50 ms", E_L = "-70 mV", th_0 = "-50 mV", R_m = "100 Mohm" }
[populations.p]
model = "m"
size = 5
[stimuli.d]
target = "p.I"
kind = "constant"
amplitude = "0.3 nA"
[analyses.a]
kind = "synchrony"
of = "p.theta"
[analyses.b]
kind = "synchrony"
of = "p.thr"
[record.p]
traces = [{ variables = ["theta", "thr"] }]
"#;
    let found = outcomes(text);
    let names = |o: &Outcome| o.metrics.iter().map(|m| m.metric.clone()).collect::<Vec<_>>();
    assert_eq!((names(&found[0]), names(&found[1])), (vec!["chi".into(), "chi2".into()], names(&found[0])));
    // Five units that do the same are in full synchrony, and nothing is to be said against that.
    assert!((value(&found, "a.p.theta.chi") - 1.0).abs() < 1e-9);
    assert!(found.iter().all(|o| o.warnings.is_empty()), "{found:?}");

    let marked = text.replace("threshold = ", "circular = [\"theta\"]\nthreshold = ");
    let error = resolve(&marked).unwrap_err();
    assert!(error.contains("`theta` is a voltage (V), and no angle"), "{error}");
    let error = resolve(&text.replace("threshold = ", "circular = [\"phi\"]\nthreshold = ")).unwrap_err();
    assert!(error.contains("`phi` is no state") && error.contains("V_m, theta, thr"), "{error}");
}

/// The model of phase oscillators calls its phase an angle; five that turn together are in order, without a warning.
#[test]
fn the_phase_of_a_model_of_phases_is_an_angle() {
    let found = outcomes(
        "[simulation]\nduration = 20\ndt = 0.01\n[populations.p]\nmodel = \"kuramoto_oscillator\"\nsize = 5\n\
         [record.p]\ntraces = [{ variables = [\"theta\"] }]\n[analyses.s]\nkind = \"synchrony\"\nof = \"p.theta\"\n",
    );
    assert!((value(&found, "s.p.theta.order_mean") - 1.0).abs() < 1e-12);
    assert!(found[0].warnings.is_empty(), "{:?}", found[0].warnings);
}

const CLOCKS: &str = r#"
[simulation]
duration = 500
dt = 0.01
[populations.p]
model = "theta"
size = 2
parameters = { eta = { values = [1.0, 1.05] } }
[record.p]
spikes = true
"#;

/// Two theta neurons of period pi: without a unit of time a default in milliseconds would be thousandths of it.
#[test]
fn where_time_has_no_unit_times_come_from_the_data_and_are_told() {
    let found = outcomes(&format!(
        "{CLOCKS}[analyses.c]\nkind = \"correlogram\"\nof = \"p.spikes\"\n\
         [analyses.r]\nkind = \"rhythm\"\nof = \"p.spikes[0]\"\n\
         [analyses.d]\nkind = \"population_rate\"\nof = \"p.spikes\"\n\
         [analyses.given]\nkind = \"population_rate\"\nof = \"p.spikes\"\nbin = 10\n"
    ));
    let [correlogram, rhythm, rate, given] = found.as_slice() else { panic!("{found:?}") };
    let setting = |o: &Outcome, key: &str| {
        let setting = o.settings.iter().find(|s| s.key == key).unwrap_or_else(|| panic!("no {key}: {:?}", o.settings));
        assert!(o.warnings.iter().any(|w| w.contains(&format!("`{key}` is"))), "{:?}", o.warnings);
        setting.value
    };
    // The typical interval is some 3.1: bins of a twentieth, in whole steps of 0.01; lags up to five.
    assert!((setting(correlogram, "bin") - 0.15).abs() < 0.011);
    assert!((setting(correlogram, "max_lag") - 15.5).abs() < 0.3);
    // A clock is no burst; it was nine of them.
    assert_eq!(value(&found, "r.p.spikes[0].burst_count"), 0.0);
    assert!((setting(rhythm, "burst_isi") - 1.57).abs() < 0.02);
    // One spike of two units in a bin of 0.15; it was 1000 over bins of 0.001.
    assert!(value(&found, "d.p.spikes.max") < 7.0);
    assert!((setting(rate, "bin") - 0.15).abs() < 0.011);
    // What is written is taken, and nothing is told; the width of a kernel counts where there is one.
    assert!(given.settings.is_empty() && given.warnings.is_empty(), "{given:?}");
}

#[test]
fn an_option_that_no_data_can_tell_has_to_be_said_where_time_has_no_unit() {
    let text = format!("{CLOCKS}[analyses.s]\nkind = \"signal_to_noise\"\nof = \"p.spikes\"\n");
    let error = resolve(&text).unwrap_err();
    assert!(error.contains("`signal_to_noise` needs `frequency` where time has no unit"), "{error}");
    resolve(&format!("{text}frequency = 0.3\n")).unwrap_or_else(|e| panic!("{e}"));
}
