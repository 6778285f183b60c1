//! The real binary: exit codes, pipes, JSON, errors, files.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use spikedeck::core::vector;

fn spikedeck() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spikedeck"));
    command.env("NO_COLOR", "1").env_remove("SPIKEDECK_THEME").env_remove(vector::VARIABLE).stdin(Stdio::null());
    command
}

fn output(args: &[&str]) -> Output {
    spikedeck().args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Three neurons under constant current: regular firing that any machine simulates in no time.
const SMALL: &str = r#"
title = "Three neurons"
[simulation]
duration = "500 ms"
dt = "0.1 ms"
seed = 3
[populations.exc]
model = "lif"
size = 3
[stimuli.drive]
target = "exc.I"
kind = "constant"
amplitude = "1 nA"
[record.exc]
spikes = true
traces = [{ name = "v", variables = ["V_m"], units = [0, 2], interval = "1 ms" }]
[analyses.isi]
kind = "isi"
of = "exc.spikes"
"#;

fn scenario(folder: &Path, name: &str, more: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, format!("{SMALL}{more}")).unwrap();
    path.display().to_string()
}

#[test]
fn help_names_every_command_and_version_is_told() {
    let help = output(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    insta::assert_snapshot!("help", text(&help.stdout));
    assert!(text(&output(&["--version"]).stdout).starts_with("spikedeck "));
}

#[test]
fn wrong_usage_is_2_and_says_what_would_be_right() {
    for (args, needle) in [
        (&["run"][..], "SCENARIO"),
        (&["run", "balanced-cobaa"], "balanced-coba"),
        (&["run", "none.toml"], "there is no file none.toml"),
        (&["explain", "adexx"], "did you mean `adex`?"),
        (&["explain", "colour/adex"], "is no kind"),
        (&["show", "nothing-like-it-at-all"], "no built-in file"),
        (&["bench", "nosuch"], "there are: parquet"),
        (&["compare", "one"], "2"),
        (&["run", "x", "--set", "nonsense"], "PATH=VALUE"),
        (&["lsit"], "list"),
    ] {
        let out = output(args);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {}", text(&out.stderr));
        assert!(text(&out.stderr).contains(needle), "{args:?}: {}", text(&out.stderr));
        assert!(out.stdout.is_empty(), "{args:?} says nothing on standard output");
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child =
        spikedeck().args(["show", "brunel-2000"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""));
}

#[test]
fn lists_are_json_when_asked() {
    for what in ["scenarios", "models", "receptors", "stimuli", "analyses", "integrators"] {
        let out = output(&["list", what, "--json"]);
        assert_eq!(out.status.code(), Some(0));
        let lines = text(&out.stdout);
        assert!(lines.lines().count() > 3, "{what}: {lines}");
        for line in lines.lines() {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(
                entry["name"].is_string() && entry["summary"].as_str().is_some_and(|s| !s.is_empty()),
                "{what}: {line}"
            );
        }
    }
}

#[test]
fn several_checks_answer_in_order_and_say_no_empty_lines() {
    let folder = tempfile::tempdir().unwrap();
    let good = scenario(folder.path(), "good.toml", "");
    let out = output(&["check", &good, "nowhere.toml"]);
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(text(&out.stderr), "spikedeck: there is no file nowhere.toml\n");
    assert_eq!(
        text(&out.stdout),
        format!("✓ {good}: 1 population, 3 units, 0 projections, 1 analysis, 0 expectations\n")
    );
}

/// What `run` refuses before it starts, `check` refuses in the same words.
#[test]
fn check_refuses_what_run_refuses_before_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stiff.toml");
    fs::write(
        &path,
        "[simulation]
duration = \"10 ms\"
dt = \"0.1 ms\"
[populations.p]
model = \"lif\"
size = 1
integrator = \"euler\"
parameters = { tau_m = \"0.03 ms\" }
",
    )
    .unwrap();
    let path = path.to_str().unwrap();
    let (check, run) = (output(&["check", path]), output(&["run", path]));
    assert_eq!((check.status.code(), run.status.code()), (Some(2), Some(2)));
    let said = text(&run.stderr);
    let words = said.trim_end().trim_start_matches("spikedeck: ");
    assert!(words.contains("`euler` is not stable for this step"), "{words}");
    assert_eq!(text(&check.stderr).trim_end(), format!("{path}: {words}"));
    assert!(check.stdout.is_empty());
}

/// A pattern that is read as it stands but may give NaN is a warning of `check`, with its place.
#[test]
fn warnings_of_equations_reach_check() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warn.toml");
    fs::write(
        &path,
        "[simulation]
duration = 1
dt = 0.1
[models.m]
time_unit = \"1\"
equations = \"dx/dt = x/(exp(x) - 1) : 1\"
[populations.p]
model = \"m\"
size = 1
",
    )
    .unwrap();
    let out = output(&["check", path.to_str().unwrap()]);
    let errors = text(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{errors}");
    assert!(errors.contains("warning: ") && errors.contains("warn.toml:6:"), "{errors}");
}

/// Runs over the same seeds are held against each other seed by seed.
#[test]
fn runs_over_the_same_seeds_are_compared_in_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let noisy = "[sweep]\nseeds = 3\n[analyses.rates]\nkind = \"rates\"\nof = \"exc.spikes\"\n";
    let path = scenario(folder.path(), "noisy.toml", noisy);
    let changed = fs::read_to_string(&path).unwrap().replace(
        "kind = \"constant\"\namplitude = \"1 nA\"",
        "kind = \"ou_noise\"\nmean = \"0.5 nA\"\nsigma = \"0.3 nA\"\ntau = \"5 ms\"",
    );
    fs::write(&path, changed).unwrap();
    let out = folder.path().join("out");
    assert_eq!(output(&["run", &path, "-q", "--out", out.to_str().unwrap()]).status.code(), Some(0));
    let other = folder.path().join("other");
    let set = "stimuli.drive.mean=\"0.52 nA\"";
    assert_eq!(output(&["run", &path, "-q", "--set", set, "--out", other.to_str().unwrap()]).status.code(), Some(0));
    let compared = output(&["compare", out.to_str().unwrap(), other.to_str().unwrap(), "--json"]);
    assert_eq!(compared.status.code(), Some(0), "{}", text(&compared.stderr));
    let rows: Vec<serde_json::Value> =
        text(&compared.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let rate = rows.iter().find(|r| r["metric"] == "rates.exc.spikes.mean_rate").unwrap();
    assert_eq!(rate["pairs"], 3);
    assert!(rate["difference"].as_f64().unwrap() > 0.0, "more current, more spikes at the same noise: {rate}");
    // The interval, the p-value and the size of the effect are of the same three differences: t = d_z √3, and Hedges'
    // factor of two degrees of freedom is 1/√π.
    let number = |key: &str| rate[key].as_f64().unwrap_or_else(|| panic!("{key}: {rate}"));
    assert_eq!(number("p_value") < 0.05, number("ci_low") > 0.0, "{rate}");
    let half = number("difference") - number("ci_low");
    // 4.302653 is the 97.5 % quantile of Student's t with two degrees of freedom.
    let effect = 4.302_653 * number("difference") / (half * 3f64.sqrt()) / std::f64::consts::PI.sqrt();
    assert!((number("effect") / effect - 1.0).abs() < 1e-6, "{effect}: {rate}");
    // The same stands in the report of both.
    let page = folder.path().join("both.html");
    let args = ["report", out.to_str().unwrap(), other.to_str().unwrap(), "-o", page.to_str().unwrap()];
    let reported = output(&args);
    assert_eq!(reported.status.code(), Some(0), "{}", text(&reported.stderr));
    let page = fs::read_to_string(&page).unwrap();
    for part in ["g_z", "seed by seed over 3 seeds", "rates.exc.spikes.mean_rate", "<svg", "ou_noise", "0.52 nA"] {
        assert!(page.contains(part), "{part}");
    }
    // Nothing is written over, and an ending that means nothing is refused before anything is done.
    assert_eq!(output(&args).status.code(), Some(2));
    assert_eq!(output(&["report", out.to_str().unwrap(), "-o", "report.pdf"]).status.code(), Some(2));
}

/// Opening a run gives its scenario back, unless a file it names has changed.
#[test]
fn a_run_opens_with_its_scenario_and_a_readable_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let small = scenario(folder.path(), "small.toml", "[variants.weak]\n\"stimuli.drive.amplitude\" = \"0.8 nA\"\n");
    let out = folder.path().join("out");
    let set = "populations.exc.parameters.tau_m=\"12 ms\"";
    assert_eq!(
        output(&["run", &format!("{small}:weak"), "-q", "--set", set, "--out", out.to_str().unwrap()]).status.code(),
        Some(0)
    );
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(
        manifest["resolved"]["stimuli"][0],
        serde_json::json!({
            "name": "drive", "target": "exc.I", "units": "all", "kind": "constant", "amplitude": "800 pA",
        })
    );
    let back = spikedeck::table::open(&out).unwrap();
    let spec = back.spec.unwrap_or_else(|| panic!("{:?}", back.warnings));
    assert_eq!(
        (spec.variant.as_deref(), spec.hash.as_str()),
        (Some("weak"), manifest["scenario"]["hash"].as_str().unwrap())
    );
    let text_of = fs::read_to_string(out.join("scenario.toml")).unwrap();
    fs::write(out.join("scenario.toml"), text_of.replace("size = 3", "size = 4")).unwrap();
    let back = spikedeck::table::open(&out).unwrap();
    assert!(
        back.spec.is_none() && back.warnings.iter().any(|w| w.contains("not the one that was run")),
        "{:?}",
        back.warnings
    );
}

/// A value that lies just outside of its range does not look as if it lay inside, and has its unit.
#[test]
fn a_failed_check_shows_enough_digits_and_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let more = "[analyses.rates]
kind = \"rates\"
of = \"exc.spikes\"
[expect.rate]
metric = \"rates.exc.spikes.mean_rate\"
min = \"146.00001 Hz\"
max = \"146.00002 Hz\"
";
    let out = output(&["run", &scenario(folder.path(), "close.toml", more)]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stdout).contains("= 146, expected 146.00001 to 146.00002 Hz"), "{}", text(&out.stdout));
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_takes_nothing_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let out = spikedeck().args(["list", "models"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("No space left"), "{}", text(&out.stderr));
}

#[test]
fn a_wrong_scenario_is_2_with_all_errors_and_carets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    fs::write(&path, SMALL.replace("\"0.1 ms\"", "\"0.1 mV\"").replace("size = 3", "sise = 3")).unwrap();
    let out = output(&["check", path.to_str().unwrap()]);
    let errors = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2));
    assert!(errors.contains("bad.toml") && errors.contains("sise") && errors.contains("0.1 mV"), "{errors}");
    assert_eq!(output(&["check", &scenario(folder.path(), "good.toml", "")]).status.code(), Some(0));
}

#[test]
fn completions_man_and_schema_come_out_whole() {
    assert!(text(&output(&["completions", "bash"]).stdout).contains("_spikedeck"));
    assert!(text(&output(&["man"]).stdout).contains(".TH"));
    let schema: serde_json::Value = serde_json::from_slice(&output(&["schema"]).stdout).unwrap();
    assert!(schema.is_object());
    assert_eq!(output(&["doctor", "--json"]).status.code(), Some(0));
}

#[test]
fn a_variable_lowers_the_level_of_vector_instructions() {
    let doctor = |level: &str| spikedeck().env("SPIKEDECK_VECTOR", level).args(["doctor", "--json"]).output().unwrap();
    let simd = |level: &str| {
        let found: serde_json::Value = serde_json::from_slice(&doctor(level).stdout).unwrap();
        found["simd"]["found"].as_str().unwrap().to_owned()
    };
    let (whole, least) = (simd(""), simd("baseline"));
    let lowered = least != whole;
    assert_eq!(lowered, vector::detected() > vector::Level::Baseline, "{whole} became {least}");
    assert!(!lowered || least.ends_with(&format!("lowered from {whole}")), "{whole} became {least}");
    // Never raised.
    assert_eq!(simd("avx512"), whole);
    for command in ["doctor", "list"] {
        let out = spikedeck().env("SPIKEDECK_VECTOR", "sse").arg(command).output().unwrap();
        assert_eq!(out.status.code(), Some(2));
        let told = text(&out.stderr);
        assert!(told.contains("SPIKEDECK_VECTOR is `sse`") && told.contains("baseline"), "{told}");
    }
}

#[test]
fn new_writes_a_copy_once() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| spikedeck().current_dir(folder.path()).args(args).output().unwrap();
    assert_eq!(run(&["new", "balanced-cuba"]).status.code(), Some(0));
    assert_eq!(run(&["new", "balanced-cuba"]).status.code(), Some(2));
    assert_eq!(run(&["new", "model/adex"]).status.code(), Some(0));
    assert_eq!(fs::read(folder.path().join("balanced-cuba.toml")).unwrap(), output(&["show", "balanced-cuba"]).stdout);
    assert!(folder.path().join("my_adex.toml").exists());
}

#[test]
fn a_run_prints_metrics_and_leaves_tables_that_open_again() {
    let folder = tempfile::tempdir().unwrap();
    let small = scenario(folder.path(), "small.toml", "");
    let out = folder.path().join("out");
    let run = output(&["run", &small, "--out", out.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    assert!(text(&run.stdout).contains("isi"), "{}", text(&run.stdout));
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((manifest["status"].as_str(), manifest["seed"].as_u64()), (Some("complete"), Some(3)));
    let spikes = spikedeck::store::read(&out.join("spikes.parquet"), None).unwrap();
    assert_eq!(spikes.columns.iter().map(|c| c.0.as_str()).collect::<Vec<_>>(), ["population", "unit", "time_ms"]);
    assert_eq!(Some(spikes.rows() as u64), manifest["rows"]["spikes.parquet"].as_u64());
    assert!(spikes.rows() > 0);
    let back = spikedeck::table::open(&out).unwrap();
    assert_eq!(back.recording.spikes[0].len(), spikes.rows());
    assert_eq!(back.recording.traces[0].units, [0, 2]);
    // The folder is not written over unless asked, and the same seed gives the same bytes.
    assert_eq!(output(&["run", &small, "--out", out.to_str().unwrap()]).status.code(), Some(2));
    let before = fs::read(out.join("spikes.parquet")).unwrap();
    assert_eq!(
        output(&["run", &small, "--out", out.to_str().unwrap(), "--force", "--threads", "1"]).status.code(),
        Some(0)
    );
    assert_eq!(fs::read(out.join("spikes.parquet")).unwrap(), before);
    let compared = output(&["compare", out.to_str().unwrap(), &small, "--json"]);
    assert_eq!(compared.status.code(), Some(0), "{}", text(&compared.stderr));
    for line in text(&compared.stdout).lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(row["difference"].is_null() || row["difference"] == 0.0, "{line}");
    }
}

/// Without a terminal: the page of a scenario, of its finished run, and of the gallery, in words with numbers.
#[test]
fn the_first_page_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let small = scenario(folder.path(), "small.toml", "");
    let of = |args: &[&str]| {
        let told = output(args);
        assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
        text(&told.stdout)
    };
    let page = of(&["--describe", &small]);
    let lines: Vec<&str> = page.lines().collect();
    assert_eq!(lines[0], "small: Three neurons");
    let spikes = lines.iter().position(|l| l.starts_with("Spikes: exc: ")).unwrap();
    assert!(lines[spikes].contains(" spikes of 3 units, from 0 to 500 ms"), "{page}");
    let traces = lines.iter().position(|l| l.contains("V_m (mV) over time (ms): ")).unwrap();
    assert!(lines[traces].contains(" mV, largest at "), "{page}");
    assert!(lines.iter().any(|l| l.contains("exc.spikes mean_isi ") && l.contains(" ms, n ")), "{page}");
    assert!(lines.iter().any(|l| l.starts_with("Run: ") && l.contains("Status: complete")), "{page}");
    // A run that is read back tells the same of its data.
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    of(&["run", &small, "--out", out]);
    let opened = of(&["--describe", out, &small]);
    assert!(opened.lines().any(|l| l == lines[spikes]) && opened.lines().any(|l| l == lines[traces]), "{opened}");
    assert_eq!(opened.lines().filter(|l| *l == lines[0]).count(), 2, "{opened}");
    assert!(of(&["--describe"]).lines().any(|l| l.starts_with("balanced-coba: ")));
    assert_eq!(output(&["--describe", "no-such-scenario"]).status.code(), Some(2));
}

#[test]
fn json_is_one_object_a_metric_and_seeds_make_an_interval() {
    let folder = tempfile::tempdir().unwrap();
    let small = scenario(folder.path(), "small.toml", "");
    let out = output(&["run", &small, "--json"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    for line in text(&out.stdout).lines() {
        let metric: serde_json::Value = serde_json::from_str(line).unwrap();
        if metric.get("metric").is_none() {
            continue;
        }
        for key in [
            "scenario", "seed", "analysis", "subject", "metric", "value", "unit", "ci_low", "chance", "p_value", "n",
            "note",
        ] {
            assert!(metric.get(key).is_some(), "{key} in {line}");
        }
    }
    let sweep =
        scenario(folder.path(), "sweep.toml", "[sweep.axes]\n\"stimuli.drive.amplitude\" = [\"0.8 nA\", \"1 nA\"]\n");
    let out = output(&["run", &sweep, "--json"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let values: std::collections::BTreeSet<String> = text(&out.stdout)
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap())
        .filter(|object| object.get("metric").is_some())
        .map(|metric| metric["stimuli.drive.amplitude_pA"].to_string())
        .collect();
    assert_eq!(values.into_iter().collect::<Vec<_>>(), ["1000.0", "800.0"]);
}

#[test]
fn a_failed_expectation_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let bad =
        scenario(folder.path(), "bad.toml", "[expect.never]\nmetric = \"isi.exc.spikes.no_such_metric\"\nmin = 0\n");
    let out = output(&["run", &bad]);
    assert!(matches!(out.status.code(), Some(1 | 2)), "{}", text(&out.stderr));
}

/// A killed run leaves whole parts, and a manifest that says interrupted.
#[test]
fn a_killed_run_leaves_whole_parts() {
    let folder = tempfile::tempdir().unwrap();
    let long = scenario(folder.path(), "long.toml", "");
    let text_of =
        fs::read_to_string(&long).unwrap().replace("\"500 ms\"", "\"100000 s\"").replace("size = 3", "size = 400");
    fs::write(&long, text_of).unwrap();
    let out = folder.path().join("out");
    let mut child =
        spikedeck().args(["run", &long, "-q", "--out", out.to_str().unwrap()]).stdout(Stdio::piped()).spawn().unwrap();
    let until = || {
        let manifest: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(out.join("manifest.json")).ok()?).ok()?;
        manifest["recording"]["until"].as_f64().filter(|t| *t > 0.0)
    };
    let began = std::time::Instant::now();
    while until().is_none() {
        assert!(began.elapsed().as_secs() < 60, "no part was written in a minute");
        assert!(child.try_wait().unwrap().is_none(), "the run is still going");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let back = spikedeck::table::open(&out).unwrap();
    assert_eq!(back.status, spikedeck::run::Status::Interrupted);
    assert!(!back.recording.spikes[0].is_empty() && out.join("spikes.parts").is_dir());
}

/// A model's card shows its equations, parameters, what steps it, and references.
#[test]
fn the_card_of_a_model_names_its_integrator() {
    for (model, integrator) in
        [("adex", "rk4"), ("lif", "exact"), ("gray_scott", "crank_nicolson"), ("membrane", "backward_euler")]
    {
        let card = text(&output(&["explain", &format!("model/{model}")]).stdout);
        let part = card.split("\nIntegrator\n").nth(1).unwrap_or_else(|| panic!("no integrator in\n{card}"));
        assert!(part.trim_start().starts_with(integrator), "{model}: {part}");
        assert!(card.contains("Equations") && card.contains("Parameters") && card.contains("References"), "{card}");
    }
}

/// Eight million samples, and a memory that holds a tenth of them: they go to disk as they come, and none is lost.
const LARGE: &str = r#"
[simulation]
duration = "4 s"
dt = "0.1 ms"
memory = "8 MB"
[populations.p]
model = "lif"
size = 200
[stimuli.drive]
target = "p.I"
kind = "constant"
amplitude = "450 pA"
[record.p]
spikes = true
traces = [{ name = "v", variables = ["V_m"] }]
[analyses.rates]
kind = "rates"
of = "p.spikes"
"#;

#[test]
fn a_recording_larger_than_memory_goes_to_disk_and_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.toml");
    fs::write(&file, LARGE).unwrap();
    let run = |out: &str, more: &[&str]| {
        let out = folder.path().join(out);
        let mut args = vec!["run", file.to_str().unwrap(), "-q", "--out", out.to_str().unwrap()];
        args.extend(more);
        let result = output(&args);
        assert!(result.status.success(), "{}", text(&result.stderr));
        assert!(!out.join("spikes.parts").exists() && !out.join("traces/p-v.parts").exists(), "parts are merged");
        let table = |name: &str| spikedeck::store::read(&out.join(name), None).unwrap().rows();
        (table("spikes.parquet"), table("traces/p-v.parquet"))
    };
    let streamed = run("streamed", &[]);
    assert_eq!(streamed.1, 200 * 40_001);
    assert_eq!(streamed, run("held", &["--set", "simulation.memory=2 GB"]));
}

/// A limit of file sizes is a disk that is full. Parts that no longer fit end the run with 1; what was written before
/// opens.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_while_parts_stream_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.toml");
    fs::write(&file, LARGE).unwrap();
    let out = folder.path().join("out");
    let limited = |blocks: u32, file: &Path, out: &Path| {
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {} run {} --out {}",
            env!("CARGO_BIN_EXE_spikedeck"),
            file.display(),
            out.display()
        );
        Command::new("sh").args(["-c", &script]).output().unwrap()
    };
    let full = limited(16, &file, &out);
    let errors = text(&full.stderr);
    assert_eq!(full.status.code(), Some(1), "{errors}");
    assert!(errors.contains("arge") && errors.contains("parts"), "{errors}");
    assert_eq!(spikedeck::table::open(&out).unwrap().status, spikedeck::run::Status::Interrupted);
    // Where all is still in memory, the numbers are printed before the tables fail.
    let held = folder.path().join("held.toml");
    fs::write(&held, LARGE.replace("8 MB", "2 GB")).unwrap();
    let full = limited(16, &held, &folder.path().join("out2"));
    assert_eq!(full.status.code(), Some(1), "{}", text(&full.stderr));
    assert!(text(&full.stdout).contains("mean_rate"), "{}", text(&full.stdout));
}

/// Ctrl-C stops at the next epoch, keeps what there is, and is 130.
#[cfg(unix)]
#[test]
fn an_interrupted_run_is_130_and_keeps_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let long = scenario(folder.path(), "long.toml", "");
    let text_of =
        fs::read_to_string(&long).unwrap().replace("\"500 ms\"", "\"100000 s\"").replace("size = 3", "size = 400");
    fs::write(&long, text_of).unwrap();
    let out = folder.path().join("out");
    let mut child = spikedeck()
        .args(["run", &long, "--out", out.to_str().unwrap()])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let errors: Vec<String> = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{errors:?}");
    assert!(errors.iter().any(|l| l.contains("interrupted")), "{errors:?}");
    let manifest = fs::read_to_string(out.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"status\": \"interrupted\""));
    assert!(spikedeck::store::read(&out.join("spikes.parquet"), None).unwrap().rows() > 0);
}

/// What an earlier program gave stands beside ours, in what people read, in JSON, in the manifest and in the table.
#[test]
fn the_numbers_of_an_earlier_program_stand_beside_ours() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let run = output(&["run", "prior-001-hodgkin-huxley", "--out", kept.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    let told = text(&run.stdout);
    let line = told
        .lines()
        .find(|l| l.trim_start().starts_with("peak ") && l.contains("Euler"))
        .unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains("40.27") && line.contains("40.54") && line.contains("mV"), "{line}");
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(kept.join("manifest.json")).unwrap()).unwrap();
    let check = manifest["checks"].as_array().unwrap().iter().find(|c| c["name"] == "peak").unwrap();
    assert!(
        (check["original"].as_f64().unwrap() - 40.543).abs() < 1e-9
            && check["reason"].as_str().unwrap().contains("Euler")
    );
    let json = text(&output(&["run", "prior-001-hodgkin-huxley", "--json"]).stdout);
    let metric: serde_json::Value = json
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .find(|m: &serde_json::Value| m["metric"] == "max")
        .unwrap();
    assert!((metric["original"].as_f64().unwrap() - 40.543).abs() < 1e-9, "{metric}");
}

/// A scenario may show how a scheme fails: it ends with 3 all the same, and says when it left the finite numbers.
#[test]
fn a_run_that_is_meant_to_fail_ends_with_3_and_says_when() {
    let run = output(&["run", "prior-000-as-coded"]);
    assert_eq!(run.status.code(), Some(3));
    assert!(text(&run.stdout).contains("run.failure.time = 441"), "{}", text(&run.stdout));
    assert!(text(&run.stderr).contains("no longer finite at 441;"), "{}", text(&run.stderr));
}

/// Options of analyses that make no sense are found by `check`, not when everything has been simulated.
#[test]
fn times_and_frequencies_of_analyses_are_greater_than_zero() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("times.toml");
    let scenario = |options: &str| {
        format!(
            "title = \"x\"
[simulation]
duration = \"1 s\"
dt = \"0.1 ms\"
[populations.p]
model = \"lif\"
size = 3
[record.p]
spikes = true
[analyses.a]
of = \"p.spikes\"
{options}
"
        )
    };
    for (options, words) in [
        ("kind = \"psd\"\nsegment = \"-1 s\"", "`segment` is greater than 0, not -1"),
        ("kind = \"psd\"\nf_max = \"0 Hz\"", "`f_max` is greater than 0"),
        ("kind = \"correlogram\"\nbin = \"0 ms\"", "`bin` is greater than 0"),
        ("kind = \"synchrony\"\ndelta = \"-2 ms\"", "`delta` is at least 0"),
    ] {
        fs::write(&file, scenario(options)).unwrap();
        let check = output(&["check", file.to_str().unwrap()]);
        assert_eq!(check.status.code(), Some(2), "{options}");
        let told = text(&check.stderr) + &text(&check.stdout);
        assert!(told.contains(words) && told.contains("times.toml:1"), "{options}: {told}");
    }
    fs::write(&file, scenario("kind = \"synchrony\"\ndelta = \"0 ms\"")).unwrap();
    assert_eq!(output(&["check", file.to_str().unwrap()]).status.code(), Some(0));
}

/// What cannot be stepped is refused before it runs, with what would be right.
#[test]
fn grids_that_cannot_be_stepped_are_refused_with_2() {
    for (reference, setting, words) in [
        ("amari-bump", "populations.field.parameters.s_B=100", "wider than the grid, whose shortest side is 60"),
        ("gray-scott", "simulation.dt=2", "needs dt <= 1.562"),
        ("prior-000-as-coded", "populations.pair.grid.allow_unstable=false", "1.50 times as fast as it should"),
        ("cable-passive", "populations.fibre.parameters.R_m=-1 kohm*cm**2", "at least"),
    ] {
        let run = output(&["run", reference, "--set", setting]);
        assert_eq!(run.status.code(), Some(2), "{reference}");
        assert!(text(&run.stderr).contains(words), "{reference}: {}", text(&run.stderr));
    }
}
