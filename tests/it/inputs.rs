//! Inputs that change in time, against what is known of them.

use std::process::Command;

use serde_json::Value;

/// Events that 4,000 units have counted, as mean of `V_m - V_reset` over units in units of the weight, at each time
/// (ms).
fn counted(rate: &str, sources: u32, dt: &str, times: &[f64]) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counter.toml");
    let text = format!(
        "[simulation]
duration = \"400 ms\"
dt = \"{dt}\"
seed = 4
[populations.p]
model = \"perfect_if\"
size = 4000
parameters = {{ V_th = \"1000 V\", V_reset = \"0 mV\" }}
receptors.in = {{ kind = \"delta\" }}
[stimuli.s]
target = \"p.in\"
kind = \"poisson\"
rate = \"{rate}\"
sources = {sources}
weight = \"1 mV\"
[record.p]
traces = [{{ name = \"v\", variables = [\"V_m\"], interval = \"10 ms\" }}]
"
    );
    std::fs::write(&path, text).unwrap();
    let out = folder.path().join("out");
    let ran = Command::new(env!("CARGO_BIN_EXE_spikedeck"))
        .args(["run", path.to_str().unwrap(), "--threads", "1", "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    let table = spikedeck::store::read(&out.join("traces/p-v.parquet"), None).unwrap();
    let (time, v) = (table.numbers("time_ms").unwrap(), table.numbers("V_m_mV").unwrap());
    let mean = |at: f64| {
        let here: Vec<f64> = time.iter().zip(&v).filter(|(t, _)| (**t - at).abs() < 1e-6).map(|(_, v)| *v).collect();
        assert_eq!(here.len(), 4000);
        here.iter().sum::<f64>() / 4000.0
    };
    times.iter().map(|t| mean(*t)).collect()
}

/// The number of events up to a time is the integral of the rate, for slow and fast rates, few and many sources, and a
/// rate that would be negative; the steps of a coarse grid sum to the same integral.
#[test]
fn a_poisson_rate_in_time_is_counted_as_its_integral() {
    let turn = std::f64::consts::TAU * 5.0;
    // Of 1 + sin(2 pi 5 Hz t): t + (1 - cos) / (2 pi 5 Hz).
    let whole = |t: f64| t + (1.0 - (turn * t).cos()) / turn;
    // Of what is above zero of sin(2 pi 5 Hz t), over two periods of 200 ms.
    let half = |t: f64| {
        let (periods, rest) = ((t * 5.0).floor(), (t * 5.0).fract() / 5.0);
        (2.0 * periods + if rest < 0.1 { 1.0 - (turn * rest).cos() } else { 2.0 }) / turn
    };
    let times = [50.0, 100.0, 150.0, 250.0, 400.0];
    for (rate, sources, dt, hertz, integral) in [
        ("[50 Hz]*(1 + sin(6.283185307179586*t*[5 Hz]))", 1, "0.1 ms", 50.0, &whole as &dyn Fn(f64) -> f64),
        ("[50 Hz]*(1 + sin(6.283185307179586*t*[5 Hz]))", 1000, "1 ms", 50_000.0, &whole),
        ("[50 Hz]*sin(6.283185307179586*t*[5 Hz])", 1, "0.5 ms", 50.0, &half),
    ] {
        for (at, found) in times.iter().zip(counted(rate, sources, dt, &times)) {
            let wanted = hertz * integral(at / 1000.0);
            let error = (wanted / 4000.0).sqrt();
            assert!((found - wanted).abs() < 4.5 * error + 1e-9, "{rate} at {at} ms: {found}, expected {wanted}");
        }
    }
}

/// An expression in which time does not stand is a rate as any other, bit for bit.
#[test]
fn a_rate_without_time_is_a_steady_one() {
    let steady = counted("20 Hz", 1, "0.1 ms", &[100.0, 400.0]);
    assert_eq!(counted("[10 Hz]*2", 1, "0.1 ms", &[100.0, 400.0]), steady);
}

/// A rate that is not a number stops the run and is named; it never is no events, or some.
#[test]
fn a_rate_that_is_not_a_number_stops_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.toml");
    let text = "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.p]\nmodel = \"lif\"\n\
                receptors.in = { kind = \"delta\" }\n[stimuli.s]\ntarget = \"p.in\"\nkind = \"poisson\"\n\
                rate = \"sqrt([5 ms] - t)*[100 Hz/ms**0.5]\"\nweight = \"1 mV\"\n[record.p]\nspikes = true\n";
    std::fs::write(&path, text).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_spikedeck"))
        .args(["run", path.to_str().unwrap(), "--threads", "1", "--json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(3), "{said}");
    let last: Value = serde_json::from_str(String::from_utf8_lossy(&ran.stdout).lines().last().unwrap()).unwrap();
    assert_eq!(last["status"], "failed");
}
