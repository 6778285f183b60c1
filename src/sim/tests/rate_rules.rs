//! Rules between rates: against closed forms.

use super::{run, trace};

/// Oja's rule with constant rates has a closed form: w' = eta y (x - y w).
#[test]
fn rules_between_rates_are_exact_for_constant_rates() {
    let text = "[simulation]\nduration = \"2 s\"\ndt = \"10 ms\"\n\
         [populations.a]\nmodel = \"rate_unit\"\nsize = 2\nparameters = { I_0 = { values = [1.0, 0.5] } }\ninitial = \
         { h = { values = [1.0, 0.5] } }\n\
         [populations.b]\nmodel = \"rate_unit\"\nparameters = { I_0 = 2 }\ninitial = { h = 2 }\n\
         [projections.p]\nfrom = \"a\"\nto = \"b.I\"\nkind = \"continuous\"\nvalue = \"0*w*h_pre\"\nconnect = \
         \"all_to_all\"\nweight = 0.1\nplasticity = { kind = \"oja\", eta = \"1 Hz\", r_pre = \"h\", r_post = \"h\" }\n\
         [record.a]\nconnections = true\n[record.p]\ntraces = [{ variables = [\"w\"] }]\n";
    let r = run(text);
    let w = trace(&r, "p", "w");
    assert_eq!(w.len(), 2 * 201);
    for (k, pair) in w.chunks_exact(2).enumerate() {
        let decay = (-4.0 * 0.01 * k as f64).exp();
        for (found, x) in pair.iter().zip([1.0, 0.5]) {
            let want = x / 2.0 + (0.1 - x / 2.0) * decay;
            assert!((found - want).abs() < 1e-12, "{k}: {found} {want}");
        }
    }
    assert_eq!(r.recording.connections[0].weight_final, w[w.len() - 2..]);
}

/// Two rules between rates of which one counts time in milliseconds and one in seconds: whichever stands first, the
/// weight decays at the sum of both rates.
#[test]
fn rules_that_count_time_in_different_units_add_up() {
    for order in ["\"fast\", \"slow\"", "\"slow\", \"fast\""] {
        let rules: Vec<String> = order.split(", ").map(|kind| format!("{{ kind = {kind}, r_pre = \"h\" }}")).collect();
        let text = format!(
            "[simulation]\nduration = \"100 ms\"\ndt = \"1 ms\"\n\
             [populations.a]\nmodel = \"rate_unit\"\n[populations.b]\nmodel = \"rate_unit\"\n\
             [plasticity.fast]\ntime_unit = \"ms\"\nequations = \"dw/dt = -w/tau + 0*r_pre*w : weight\"\n\
             given = {{ r_pre = \"1\" }}\nparameters = {{ tau = 20 }}\n\
             [plasticity.slow]\ntime_unit = \"s\"\nequations = \"dw/dt = -w/tau + 0*r_pre*w : weight\"\n\
             given = {{ r_pre = \"1\" }}\nparameters = {{ tau = 0.05 }}\n\
             [projections.p]\nfrom = \"a\"\nto = \"b.I\"\nkind = \"continuous\"\nvalue = \"0*w*h_pre\"\n\
             connect = \"all_to_all\"\nweight = 0.1\nplasticity = [{}]\n\
             [record.p]\ntraces = [{{ variables = [\"w\"] }}]\n",
            rules.join(", ")
        );
        let r = run(&text);
        for (k, found) in trace(&r, "p", "w").iter().enumerate() {
            // 1/20 ms + 1/50 ms.
            let want = 0.1 * (-0.07 * k as f64).exp();
            assert!((found - want).abs() < 1e-12, "{order} {k}: {found} {want}");
        }
    }
}
