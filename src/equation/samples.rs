//! Systems that tests of equations and of steppers begin with (also included by the tests of `sim`, whose parent module
//! brings the names in).

use super::{Declaration, Source};
use spikedeck_core::units::Dimension;

pub(crate) fn declaration(name: &str, unit: &str) -> Declaration {
    let dimension = if unit == "1" { Dimension::NONE } else { spikedeck_core::units::parse_unit(unit).unwrap().1 };
    Declaration { name: name.to_owned(), dimension }
}

pub(crate) fn source(equations: &str, parameters: &str, inputs: &str) -> Source {
    let list = |text: &str| {
        text.split_whitespace().map(|p| p.split_once(':').unwrap()).map(|(n, u)| declaration(n, u)).collect()
    };
    Source { equations: equations.to_owned(), parameters: list(parameters), inputs: list(inputs), ..Source::default() }
}

pub(crate) fn adex() -> Source {
    Source {
        threshold: Some("V_m > V_peak".to_owned()),
        reset: Some("V_m = V_reset; w += b".to_owned()),
        ..source(
            "dV_m/dt = (g_L*(E_L - V_m) + g_L*Delta_T*exp((V_m - V_T)/Delta_T) - w + I)/C_m : V\ndw/dt = (a*(V_m - \
             E_L) - w)/tau_w : A # adaptation\n",
            "C_m:F g_L:S E_L:V V_T:V Delta_T:V a:S tau_w:s b:A V_reset:V V_peak:V",
            "I:A",
        )
    }
}

pub(crate) fn exp_conductance() -> Source {
    let list = [declaration("V_m", "V")];
    Source {
        given: list.to_vec(),
        on_event: Some("g += w".to_owned()),
        ..source("dg/dt = -g/tau : S\nI = g*(E_rev - V_m) : A", "tau:s E_rev:V", "")
    }
}
