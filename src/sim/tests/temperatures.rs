//! No temperature lies below absolute zero, wherever it is read from.

use super::{Cause, Stop, run_on, spec};
use crate::Network;
use spikedeck_model::library;
use spikedeck_scenario::{Catalog, NoFiles, Overrides, load};

/// Two Hodgkin-Huxley cells at a temperature.
fn text(celsius: &str, rest: &str) -> String {
    format!(
        "[simulation]\nduration = \"2 ms\"\ndt = \"0.01 ms\"\n[populations.n]\nmodel = \"hodgkin_huxley\"\nsize = 2\n\
         parameters = {{ celsius = {celsius} }}\n{rest}"
    )
}

/// What is wrong with a text, if anything is.
fn wrong(text: &str) -> Option<String> {
    let read = load(text, None, "t", &Overrides::default(), library(), &Catalog::default(), &NoFiles);
    match read {
        Err(report) => Some(report.render(false)),
        Ok((spec, _)) => Network::examine(&spec).err().map(|e| e.to_string()),
    }
}

#[test]
fn written_and_drawn_temperatures_are_above_absolute_zero() {
    let impossible = [
        "\"-300 degC\"",
        "\"0 K\"",
        "\"-10 K\"",
        "\"-273.15 degC\"",
        "{ uniform = [\"-280 degC\", \"10 degC\"] }",
        "{ linspace = [\"6.3 degC\", \"-274 degC\"] }",
        "{ values = [\"6.3 degC\", \"-500 degC\"] }",
        // Half of such a distribution, and so one of sixteen draws of eight scenarios, is surely below.
        "{ normal = { mean = \"-273.1499 degC\", sd = \"200 K\" } }",
        "\"[-274 degC]*(1 + i)\"",
    ];
    for celsius in impossible {
        let said = (1..=8).find_map(|seed| {
            wrong(&text(celsius, "").replace("dt = \"0.01 ms\"", &format!("dt = \"0.01 ms\"\nseed = {seed}")))
        });
        let said = said.unwrap_or_else(|| panic!("{celsius} is accepted"));
        assert!(said.contains("-273.15 degC"), "{celsius}: {said}");
    }
    for celsius in ["\"-273 degC\"", "\"0.5 K\"", "\"289.45 K\"", "{ uniform = [\"6 degC\", \"20 degC\"] }"] {
        assert_eq!(wrong(&text(celsius, "")), None, "{celsius}");
    }
}

#[test]
fn a_stimulus_does_not_cool_below_absolute_zero() {
    let cooled = |by: &str| {
        let stimulus =
            format!("[stimuli.c]\ntarget = \"n.celsius\"\nkind = \"step\"\namplitude = \"{by}\"\nstart = \"1 ms\"\n");
        run_on(&text("\"6.3 degC\"", &stimulus), 1).stopped
    };
    assert_eq!(cooled("-6 K"), None);
    let stopped = cooled("-300 K");
    assert!(matches!(&stopped, Some(Stop::NotFinite { cause: Cause::Range(name), .. }) if name == "c"), "{stopped:?}");
}

#[test]
fn models_and_states_have_no_impossible_temperature() {
    let own = |default: &str, initial: &str| {
        format!(
            "[simulation]\nduration = \"2 ms\"\ndt = \"0.01 ms\"\n[models.m]\n\
             equations = \"dT/dt = (T_0 - T)/[10 ms] : degC\"\n[models.m.parameters]\nT_0 = \"{default}\"\n\
             [populations.n]\nmodel = \"m\"\n\
             initial = {{ T = \"{initial}\" }}\n"
        )
    };
    assert_eq!(wrong(&own("20 degC", "36 degC")), None);
    for (default, initial) in [("-300 degC", "36 degC"), ("20 degC", "-300 degC"), ("20 degC", "0 K")] {
        assert!(wrong(&own(default, initial)).is_some(), "{default} {initial}");
    }
    // Kelvin may be a difference: it is told, and not refused.
    let kelvin = own("20 degC", "36 degC").replace("T_0 = \"20 degC\"", "T_0 = \"20 degC\"\ndelta = \"5 K\"");
    assert_eq!(wrong(&kelvin), None);
    let negative = kelvin.replace("initial", "parameters = { delta = \"-5 K\" }\ninitial");
    assert!(spec(&negative).warnings.iter().any(|w| w.contains("no temperature")), "{:?}", spec(&negative).warnings);
}
