//! `validate` from outside: all cases, also those that take longer, whatever stands in the folder.

use std::process::{Command, Output, Stdio};

use crate::sweep::said;

/// What is held against other tools is the scenario that ships, and no file that is called as it is.
#[test]
fn all_cases_are_below_their_bar() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["pyramidal-cell", "detailed-neuron"] {
        std::fs::write(folder.path().join(name), "this is no scenario").unwrap();
    }
    let validate = |args: &[&str]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
        command.current_dir(folder.path()).arg("validate").args(args).stdin(Stdio::null()).output().unwrap()
    };
    let objects = |out: &Output| -> Vec<serde_json::Value> {
        assert!(out.status.success(), "{}", said(out));
        String::from_utf8_lossy(&out.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    };
    let cases = objects(&validate(&["--list", "--json"]));
    let named = |name: &str| cases.iter().find(|c| c["name"] == name).unwrap();
    let longer = named("pyramidal-cell");
    assert!(longer["quick"] == false && longer["group"] == "neuron", "{longer}");
    let rows = objects(&validate(&["--json"]));
    assert!(rows.len() >= cases.len(), "{} rows of {} cases", rows.len(), cases.len());
    assert!(rows.iter().all(|r| r["passed"] == true && r["n"].as_u64() > Some(0)), "{rows:?}");
    let told = validate(&["pyramidal-cell", "lif-interval"]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.status.success() && text.contains("3 of 3 are below their bar"), "{}", said(&told));
    // Columns are where the heading has them.
    let at = |line: &str| line.chars().count();
    let heading = text.lines().find(|l| l.contains("largest difference")).unwrap();
    let row = text.lines().find(|l| l.contains("interval of a leaky neuron")).unwrap();
    let bar = |line: &str, word: &str| at(&line[..line.find(word).unwrap()]) + at(word);
    assert_eq!(bar(heading, "bar"), bar(row, "1e-9"), "{text}");
    for nothing in [&["--list", "--threads", "2"][..], &["--microcircuit", "a", "--against", "b", "--quick"]] {
        assert_eq!(validate(nothing).status.code(), Some(2), "{nothing:?}");
    }
}
