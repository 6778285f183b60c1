//! Tests of the language as a whole.

use super::*;
use crate::core::units::Dimension;

pub(crate) fn declaration(name: &str, unit: &str) -> Declaration {
    let dimension = if unit == "1" { Dimension::NONE } else { crate::core::units::parse_unit(unit).unwrap().1 };
    Declaration { name: name.to_owned(), dimension }
}

pub(crate) fn source(equations: &str, parameters: &str, inputs: &str) -> Source {
    let list = |text: &str| text.split_whitespace().map(|p| p.split_once(':').unwrap()).map(|(n, u)| declaration(n, u)).collect();
    Source { equations: equations.to_owned(), parameters: list(parameters), inputs: list(inputs), ..Source::default() }
}

pub(crate) fn adex() -> Source {
    Source {
        threshold: Some("V_m > V_peak".to_owned()),
        reset: Some("V_m = V_reset; w += b".to_owned()),
        ..source(
            "dV_m/dt = (g_L*(E_L - V_m) + g_L*Delta_T*exp((V_m - V_T)/Delta_T) - w + I)/C_m : V\ndw/dt = (a*(V_m - E_L) - w)/tau_w : A # adaptation\n",
            "C_m:F g_L:S E_L:V V_T:V Delta_T:V a:S tau_w:s b:A V_reset:V V_peak:V",
            "I:A",
        )
    }
}

#[test]
fn adex_is_understood_and_typeset() {
    let system = System::parse(&adex()).unwrap();
    assert_eq!(system.states().len(), 2);
    let lines = system.typeset();
    assert_eq!(lines[0], "dV_m/dt = (g_L·(E_L − V_m) + g_L·Delta_T·exp((V_m − V_T)/Delta_T) − w + I)/C_m");
    assert_eq!(lines[2], "spike when V_m > V_peak");
    assert_eq!(lines[3], "then V_m ← V_reset, w ← w + b");
}

#[test]
fn wrong_units_name_both_dimensions_and_point_at_the_place() {
    let text = "dV_m/dt = (E_L - V_m + I)/tau_m : V";
    let errors = System::parse(&source(text, "E_L:V tau_m:s", "I:A")).unwrap_err();
    assert_eq!(errors.len(), 1);
    let d = &errors[0].1;
    assert_eq!(d.message, "two different units are added: the left side has unit V, the right side unit A");
    assert_eq!(&text[d.span.clone()], "(E_L - V_m + I)");
    let text = "dV_m/dt = (E_L - V_m) : V\nx = tua_m/tau_m : 1\ny = exp(V_m) : 1";
    let errors = System::parse(&source(text, "E_L:V tau_m:s", "I:A")).unwrap_err();
    let messages: Vec<&str> = errors.iter().map(|e| e.1.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "unknown name `tua_m`",
            "`exp` takes a plain number, this has unit V",
            "dV_m/dt has unit V/s, but this expression has unit V"
        ]
    );
    assert_eq!(errors[0].1.help.as_deref(), Some("did you mean `tau_m`?"));
}

pub(crate) fn exp_conductance() -> Source {
    let list = [declaration("V_m", "V")];
    Source {
        given: list.to_vec(),
        on_event: Some("g += w".to_owned()),
        ..source("dg/dt = -g/tau : S\nI = g*(E_rev - V_m) : A", "tau:s E_rev:V", "")
    }
}

#[test]
fn receptors_join_and_take_the_units_of_their_host() {
    let receptor = System::parse(&exp_conductance()).unwrap();
    let point = System::parse(&source("dV_m/dt = (g_L*(E_L - V_m) + I)/C_m : V", "g_L:S E_L:V C_m:F", "I:A")).unwrap();
    let both = point.carrying("ampa", &receptor).unwrap().carrying("gaba", &receptor).unwrap();
    assert_eq!(both.states()[1].name, "ampa.g");
    assert_eq!(both.event_ports()[1].name, "gaba");
    assert_eq!(both.event_ports()[0].weight, Dimension::SIEMENS);
    assert!(both.typeset().contains(&"dV_m/dt = (g_L·(E_L − V_m) + I + gaba.I + ampa.I)/C_m".to_owned()), "{:?}", both.typeset());
    let density = System::parse(&source("dV_m/dt = (g_L*(E_L - V_m) + I)/C_m : V", "g_L:S/m**2 E_L:V C_m:F/m**2", "I:A/m**2")).unwrap();
    let ampa = density.carrying("ampa", &receptor).unwrap();
    assert_eq!(ampa.event_ports()[0].weight.to_string(), "S/m**2");
    let plain = Source { time_unit: TimeUnit::Millisecond, ..source("dV_m/dt = -V_m + I : 1", "", "I:1") };
    let plain = System::parse(&plain).unwrap().carrying("ampa", &receptor).unwrap();
    assert!(plain.event_ports()[0].weight.is_none());
    assert!(point.carrying("ampa", &point).is_err());
}
