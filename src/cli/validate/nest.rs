//! Numbers of NEST that ship (`data/reference/plasticity_nest.py` made them): the weight that each spike sends.

use serde_json::Value;

use super::{Bench, Case, CliError, Row, column};

const SOURCE: &str = "NEST 3.10.0, data/reference/plasticity_nest.py";

pub(super) const CASES: &[Case] =
    &[Case { name: "plasticity", group: "nest", is_quick: true, source: SOURCE, rows: plasticity }];

/// NEST's synapse models as rules of ours.
const RULES: [(&str, &str); 8] = [
    (
        "stdp_additive",
        "{ kind = 'stdp_pair', w_max = '1 pA', tau_plus = '16.8 ms', tau_minus = '33.7 ms', A_plus = 0.02, \
         A_minus = 0.022 }",
    ),
    (
        "stdp_multiplicative",
        "{ kind = 'stdp_pair', preset = 'multiplicative', w_max = '1 pA', A_plus = 0.02, A_minus = 0.022 }",
    ),
    (
        "stdp_gutig",
        "{ kind = 'stdp_pair', w_max = '1 pA', A_plus = 0.02, A_minus = 0.022, mu_plus = 0.4, mu_minus = 0.4 }",
    ),
    (
        "stdp_power_law",
        "{ kind = 'stdp_power_law', w_0 = '1 pA', tau_plus = '15 ms', tau_minus = '30 ms', lambda = 0.1, \
         alpha = 0.06, mu = 0.4 }",
    ),
    (
        "stdp_triplet",
        "{ kind = 'stdp_triplet', w_max = '100 pA', A2_plus = 0.00005, A3_plus = 0.00006, A2_minus = 0.00007, \
         A3_minus = 0.000023, tau_y = '125 ms' }",
    ),
    ("vogels", "{ kind = 'vogels_inhibitory', w_max = '10 pA', eta = 0.001, rho_0 = '5 Hz' }"),
    ("tsodyks2", "{ kind = 'tsodyks_markram', preset = 'mixed' }"),
    ("tsodyks", "{ kind = 'tsodyks_markram', preset = ['mixed', 'tsodyks_2000'] }"),
];

/// Two neurons that repeat listed spikes, some of which reach the synapse in the same step.
fn plasticity(bench: &Bench<'_>) -> Result<Vec<Row>, CliError> {
    let reference: Value =
        serde_json::from_str(spikedeck_data::PLASTICITY_NEST).expect("a file that is built in is JSON");
    let numbers = |v: &Value| -> Vec<f64> { v.as_array().into_iter().flatten().filter_map(Value::as_f64).collect() };
    let list = |key: &str| -> String {
        numbers(&reference[key]).iter().map(|t| format!("\"{t} ms\"")).collect::<Vec<_>>().join(", ")
    };
    let (pre, post, delay) = (list("pre_ms"), list("post_ms"), &reference["delay_ms"]);
    let mut rows = Vec::new();
    for (name, rule) in RULES {
        let case = &reference["cases"][name];
        let variable = if name.starts_with("tsodyks") { "efficacy" } else { "w" };
        let recording = bench.recorded(&format!(
            r#"
[simulation]
duration = "1 s"
dt = "0.1 ms"
[populations.pre]
model = "lif"
parameters = {{ t_ref = "0 ms" }}
receptors.in = {{ kind = "delta" }}
[populations.post]
model = "lif"
parameters = {{ t_ref = "0 ms" }}
receptors.in = {{ kind = "delta" }}
receptors.syn = {{ kind = "exp_current", tau = "2 ms" }}
[stimuli.a]
target = "pre.in"
kind = "spikes"
times = [{pre}]
weight = "50 mV"
[stimuli.b]
target = "post.in"
kind = "spikes"
times = [{post}]
weight = "50 mV"
[projections.syn]
from = "pre"
to = "post.syn"
connect = "one_to_one"
weight = "{} pA"
delay = "{delay} ms"
plasticity = {rule}
[record.pre]
spikes = true
[record.syn]
traces = [{{ variables = ["{variable}"] }}]
"#,
            case["weight"]
        ))?;
        let values = column(&recording, "syn", variable, 0)?;
        let sent = recording.spikes_of("pre").map_or(&[][..], |s| &s.times[..]);
        let theirs = numbers(&case["weights"]);
        let mut row = Row::new(format!("weights of {name}"), "pA", 1e-12);
        if sent.len() != theirs.len() {
            row = row.with("number of spikes", f64::NAN, 0.0);
        }
        let ours = |t: f64| values.get((t / 0.1).round() as usize).copied().unwrap_or(f64::NAN);
        rows.push(row.with_each(sent.iter().zip(&theirs).map(|(t, right)| (format!("{t} ms"), ours(*t), *right))));
    }
    Ok(rows)
}
