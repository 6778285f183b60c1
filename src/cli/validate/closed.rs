//! Closed forms: what paper and pencil say.

use super::{Bench, Case, CliError, Row, column};

pub(super) const CASES: &[Case] = &[
    Case { name: "lif-interval", group: "closed", is_quick: true, source: "closed forms", rows: lif_interval },
    Case { name: "postsynaptic-potential", group: "closed", is_quick: true, source: "closed forms", rows: potential },
    Case { name: "order-of-schemes", group: "closed", is_quick: true, source: "closed forms", rows: orders },
    Case { name: "cable-resistance", group: "closed", is_quick: true, source: "closed forms", rows: cable },
    Case { name: "cable-modes", group: "closed", is_quick: false, source: "closed forms", rows: modes },
];

/// T = t_ref + tau ln((V_inf - V_reset)/(V_inf - V_th)) (Gerstner et al. 2014, doi:10.1017/CBO9781107447615), by spikes
/// that are located between steps of 0.1 ms.
fn lif_interval(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let mut text = "[simulation]\nduration = \"1 s\"\ndt = \"0.1 ms\"\nspike_times = \"exact\"\n".to_owned();
    let currents = [380.0_f64, 400.0, 500.0, 800.0, 2000.0];
    for (k, current) in currents.iter().enumerate() {
        text.extend([format!(
            "[populations.p{k}]\nmodel = \"lif\"\n[stimuli.s{k}]\ntarget = \"p{k}.I\"\nkind = \"constant\"\n\
             amplitude = \"{current} pA\"\n[record.p{k}]\nspikes = true\n"
        )]);
    }
    let recording = bench.recorded(&text)?;
    let mut row = Row::new("interval of a leaky neuron", "ms", 1e-9);
    for (spikes, current) in recording.spikes.iter().zip(currents) {
        // tau_m = 10 ms, R_m = 40 Mohm, E_L = V_reset = -70 mV, V_th = -55 mV, t_ref = 2 ms.
        let above = 0.04 * current;
        let right = 2.0 + 10.0 * (above / (above - 15.0)).ln();
        row = row.with_each(spikes.times.windows(2).map(|w| (format!("{current} pA"), w[1] - w[0], right)));
    }
    Ok(vec![row])
}

/// The response of a passive membrane to a current that jumps and decays: R w tau_s/(tau_s - tau_m) (e^(-t/tau_s) -
/// e^(-t/tau_m)) (Rotter and Diesmann 1999, doi:10.1007/s004220050570).
fn potential(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let recording = bench.recorded(
        r#"
[simulation]
duration = "60 ms"
dt = "0.1 ms"
[populations.a]
model = "lif"
parameters = { tau_m = "20 ms", R_m = "100 Mohm" }
receptors.syn = { kind = "exp_current", tau = "5 ms" }
[stimuli.s]
target = "a.syn"
kind = "spikes"
times = ["10 ms"]
weight = "50 pA"
[record.a]
traces = [{ variables = ["V_m"], interval = "0.1 ms" }]
"#,
    )?;
    let right = |t: f64| match t - 10.0 {
        since if since > 0.0 => -70.0 + 5.0 * (5.0 / -15.0) * ((-since / 5.0).exp() - (-since / 20.0).exp()),
        _ => -70.0,
    };
    let values = column(&recording, "a", "V_m", 0)?;
    let times = (0..values.len()).map(|k| k as f64 * 0.1);
    let each = times.zip(&values).map(|(t, v)| (format!("{t:.1} ms"), *v, right(t)));
    Ok(vec![Row::new("postsynaptic potential", "mV", 1e-9).with_each(each)])
}

/// dx/dt = x (1 - x) has the solution 1/(1 + (1/x0 - 1) e^-t): the order in which errors vanish with the step.
fn orders(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let mut row = Row::new("order of a scheme", "", 0.05);
    for (scheme, order) in [("euler", 1.0), ("heun", 2.0), ("rk4", 4.0)] {
        let error = |dt: f64| -> Result<f64, CliError> {
            let recording = bench.recorded(&format!(
                "[simulation]\nduration = 4\ndt = {dt}\n[models.logistic]\ntime_unit = \"1\"\n\
                 equations = \"dx/dt = x*(1 - x) : 1\"\ninitial = {{ x = \"0.1\" }}\n[populations.p]\n\
                 model = \"logistic\"\nintegrator = \"{scheme}\"\n[record.p]\n\
                 traces = [{{ variables = [\"x\"], interval = 4 }}]\n"
            ))?;
            let values = column(&recording, "p", "x", 0)?;
            let last = values.last().copied().unwrap_or(f64::NAN);
            Ok((last - 1.0 / (1.0 + 9.0 * (-4.0_f64).exp())).abs())
        };
        row = row.with(scheme, (error(0.05)? / error(0.025)?).log2(), order);
    }
    Ok(vec![row])
}

/// A sealed cable: 1 mm long, 2 um wide, 150 ohm cm, 0.05 mS/cm2, 1 uF/cm2.
fn sealed(duration: &str, dt: &str, more: &str, units: &str, interval: &str) -> String {
    format!(
        r#"
[simulation]
duration = "{duration}"
dt = "{dt}"
[populations.a]
model = "membrane"
cable = {{ length = "1000 um", diameter = "2 um", compartments = 401 }}
parameters = {{ R_a = "150 ohm*cm" }}
channels.leak = {{ kind = "leak", g = "0.05 mS/cm**2", E = "-65 mV" }}
{more}
[record.a]
traces = [{{ variables = ["V_m"], units = [{units}], interval = "{interval}" }}]
"#
    )
}

/// Its length constant over its length: sqrt(d R_m/(4 R_a))/l.
fn length_constant() -> f64 {
    (2e-4 / 4.0 * 20_000.0 / 150.0_f64).sqrt() / 0.1
}

/// R_inf coth(l/lambda) where the current enters, R_inf/sinh(l/lambda) at the far end (Rall 1959,
/// doi:10.1016/0014-4886(59)90046-9; Koch 1999).
fn cable(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let stimulus = "[stimuli.i]\ntarget = \"a.I\"\nunits = [\"cable(0)\"]\nkind = \"constant\"\namplitude = \"1 pA\"";
    let text = sealed("600 ms", "1 ms", stimulus, "\"cable(0)\", \"cable(1)\"", "100 ms");
    let recording = bench.recorded(&text)?;
    let constant = length_constant();
    // In megaohm: resistivity times length constant over the cross section.
    let infinite = 150.0 * constant * 0.1 / (std::f64::consts::PI * 1e-8) * 1e-6;
    let at_rest = |n: usize| -> Result<f64, CliError> {
        let values = column(&recording, "a", "V_m", n)?;
        Ok((values.last().copied().unwrap_or(f64::NAN) + 65.0) * 1e3)
    };
    Ok(vec![
        Row::new("resistance of a sealed cable", "Mohm", 0.005)
            .with("where the current enters", at_rest(0)?, infinite / (1.0 / constant).tanh())
            .with("far end", at_rest(1)?, infinite / (1.0 / constant).sinh()),
    ])
}

/// A cosine of n half waves decays with tau/(1 + (n pi lambda/l)^2) (Rall 1969, doi:10.1016/S0006-3495(69)86467-2).
fn modes(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let mut row = Row::new("time constants of a sealed cable", "ms", 1e-3);
    for n in [1, 2, 3] {
        let more = format!(
            "initial = {{ V_m = \"-[65 mV] + [1 mV]*cos({n}*3.141592653589793*distance/[1000 um])\" }}\n\
             integrator = \"crank_nicolson\""
        );
        let recording = bench.recorded(&sealed("2 ms", "0.005 ms", &more, "\"cable(0)\"", "2 ms"))?;
        let values = column(&recording, "a", "V_m", 0)?;
        let &[first, last] = &values[..] else {
            return Err(CliError::Other(format!("{} samples where there should be two", values.len())));
        };
        let ours = -2.0 / ((last + 65.0) / (first + 65.0)).ln();
        let right = 20.0 / (1.0 + (f64::from(n) * std::f64::consts::PI * length_constant()).powi(2));
        row = row.with(format!("mode {n}"), ours, right);
    }
    Ok(vec![row])
}
