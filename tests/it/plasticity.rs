//! Rules of plasticity in the lists, in scenarios, and at the command line.

use std::process::{Command, Output, Stdio};

use spikedeck::model::{DefinitionKind, library};
use spikedeck::run;
use spikedeck::scenario::built_in;

fn output(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spikedeck")).args(args).env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap()
}

#[test]
fn every_rule_appears_in_a_scenario() {
    let specs: Vec<_> = built_in().iter().filter_map(|s| run::load(&s.name, &[]).ok()).map(|(spec, _)| spec).collect();
    let used = |name: &str| {
        let rules =
            specs.iter().flat_map(|s| &s.projections).filter_map(|p| p.plasticity.as_ref()).flat_map(|p| &p.rules);
        rules.into_iter().any(|r| r.definition.name == name)
    };
    let names = library().names(DefinitionKind::Plasticity);
    assert!(names.len() >= 9);
    let missing: Vec<_> = names.into_iter().filter(|n| !used(n)).collect();
    assert!(missing.is_empty(), "no scenario shows {missing:?}");
}

const RUNAWAY: &str = r#"
title = "Weights without bounds"
[simulation]
duration = "2 s"
dt = "0.1 ms"
[populations.a]
model = "lif"
size = 3
receptors.syn = { kind = "exp_current", tau = "2 ms" }
[stimuli.drive]
target = "a.I"
kind = "constant"
amplitude = "1 nA"
[projections.p]
from = "a"
to = "a.syn"
connect = "all_to_all"
weight = "1e-9 pA"
delay = "1 ms"
plasticity = { kind = "runaway" }
[plasticity.runaway]
equations = "dy_post/dt = -y_post/tau : 1"
on_pre = "w *= 1 + 1e40*y_post"
on_post = "y_post += 1"
parameters = { tau = "20 ms" }
"#;

/// A rule without bounds that diverges: exit status 3, with the connection and the time.
#[test]
fn a_diverging_rule_ends_with_status_three() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runaway.toml");
    std::fs::write(&path, RUNAWAY).unwrap();
    let out = output(&["run", path.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(3), "{text}");
    assert!(text.contains("the weight of connection") && text.contains("of p is no longer finite at"), "{text}");
}

/// What is recorded of connections is written, read again and drawn as any other trace.
#[test]
fn weights_are_kept_with_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let out = out.to_str().unwrap();
    let ran = output(&["run", "stdp-window:fast", "--out", out, "--format", "csv"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let rows = std::fs::read_to_string(format!("{out}/connections.csv")).unwrap();
    let last = |row: &str| row.split(',').nth(5).unwrap().parse::<f64>().unwrap();
    assert_eq!(rows.lines().count(), 13);
    assert!(rows.lines().skip(1).all(|r| (last(r) - 0.5).abs() > 1e-3), "{rows}");
    let figure = folder.path().join("window.svg");
    let drawn = output(&["plot", out, "--analysis", "window", "-o", figure.to_str().unwrap()]);
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    assert!(figure.exists());
}

#[test]
fn rules_are_listed_and_explained() {
    let text = |args: &[&str]| String::from_utf8(output(args).stdout).unwrap();
    assert!(text(&["list", "plasticity"]).contains("stdp_pair"));
    let card = text(&["explain", "plasticity/stdp_pair"]);
    assert!(card.contains("at a spike of the target") && card.contains("10.1038/78829"), "{card}");
    assert!(text(&["show", "oja"]).contains("dw/dt"));
}

/// The same where spikes of the target do it and the source never fires: weights that would be infinite at the end.
#[test]
fn a_rule_that_diverges_at_spikes_of_the_target_ends_with_status_three() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runaway.toml");
    let text = RUNAWAY
        .replace("on_pre = \"w *= 1 + 1e40*y_post\"\non_post = \"y_post += 1\"", "on_post = \"w *= 1e60; y_post += 1\"")
        .replace("from = \"a\"", "from = \"silent\"")
        .replace("[stimuli.drive]", "[populations.silent]\nmodel = \"lif\"\n[stimuli.drive]");
    assert!(text.contains("1e60") && text.contains("populations.silent"));
    std::fs::write(&path, text).unwrap();
    let out = output(&["run", path.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{text}");
    assert!(
        text.contains("the weight of connection 0 -> 0 of p is no longer finite at") && text.contains("ms"),
        "{text}"
    );
}
