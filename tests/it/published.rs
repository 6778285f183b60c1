//! Published numbers that follow from the equations of the model files alone: where rest loses its stability, with what
//! frequency, where it vanishes; and closed forms of synapses.

use std::sync::Arc;

use spikedeck::core::linear::{eigenvalues, solve};
use spikedeck::equation::flow::Flow;
use spikedeck::model::{Definition, DefinitionKind, library};

use crate::trees::{close, column, recorded};

/// A model with one value a parameter.
struct Cell {
    definition: Arc<Definition>,
    parameters: Vec<f64>,
}

impl Cell {
    fn new(name: &str, preset: &str, set: &[(&str, f64)]) -> Self {
        let definition = library().get(DefinitionKind::Model, name).unwrap();
        let chosen: &[(String, f64)] =
            if preset.is_empty() { &[] } else { &definition.preset(preset).unwrap().parameters };
        let value = |p: &spikedeck::model::Parameter| {
            let own = set.iter().find(|s| s.0 == p.name).map(|s| s.1);
            own.or_else(|| chosen.iter().find(|s| s.0 == p.name).map(|s| s.1)).unwrap_or(p.default)
        };
        let parameters = definition.parameters.iter().map(value).collect();
        Self { definition, parameters }
    }

    /// Its equations with a value at the first input.
    fn at(&self, input: f64) -> Flow {
        let mut inputs = vec![0.0; self.definition.system.inputs().len()];
        inputs[0] = input;
        Flow::new(&self.definition.system, &self.parameters, &inputs)
    }
}

/// A fixed point near `guess`, by Newton's method.
fn rest(flow: &Flow, guess: &[f64]) -> Option<Vec<f64>> {
    let n = guess.len();
    let (mut x, mut f, mut jacobian) = (guess.to_vec(), vec![0.0; n], vec![0.0; n * n]);
    for _ in 0..60 {
        flow.rate(0.0, &x, &mut f);
        flow.jacobian(0.0, &x, &mut jacobian);
        let step = solve(&jacobian, &f)?;
        x.iter_mut().zip(&step).for_each(|(x, s)| *x -= s);
        if x.iter().any(|v| !v.is_finite()) {
            return None;
        }
        if x.iter().zip(&step).all(|(x, s)| s.abs() <= 1e-12 * (x.abs() + 1e-9)) {
            return Some(x);
        }
    }
    None
}

/// The fixed point at `to`, followed from `from` in `steps`.
fn followed(cell: &Cell, start: &[f64], (from, to): (f64, f64), steps: u32) -> Vec<f64> {
    let mut x = start.to_vec();
    for k in 0..=steps {
        x = rest(&cell.at(from + (to - from) * f64::from(k) / f64::from(steps)), &x).unwrap();
    }
    x
}

/// The eigenvalue with the greatest real part.
fn leading(flow: &Flow, x: &[f64]) -> (f64, f64) {
    let mut jacobian = vec![0.0; x.len() * x.len()];
    flow.jacobian(0.0, x, &mut jacobian);
    eigenvalues(&jacobian, x.len()).unwrap()[0]
}

/// Between `at - step` and `at + step` a pair of complex eigenvalues crosses; its frequency there.
fn hopf(cell: &Cell, near: &[f64], at: f64, step: f64) -> f64 {
    let growth = |input: f64| leading(&cell.at(input), &rest(&cell.at(input), near).unwrap());
    let (below, above) = (growth(at - step), growth(at + step));
    assert!(below.0 * above.0 < 0.0, "no crossing at {at}: {below:?} {above:?}");
    assert!(below.1.abs() > 0.0 && above.1.abs() > 0.0, "no oscillation at {at}");
    0.5 * (below.1 + above.1).abs() / std::f64::consts::TAU
}

/// Followed upwards, the fixed point is there just below `at` and not just above.
fn vanishes(cell: &Cell, start: &[f64], from: f64, at: f64, step: f64) {
    let last = followed(cell, start, (from, at - step), 400);
    let beyond = rest(&cell.at(at + step), &last);
    let far = beyond.is_none_or(|x| x.iter().zip(&last).any(|(a, b)| (a - b).abs() > 0.05 * b.abs()));
    assert!(far, "the fixed point goes on beyond {at}");
}

/// One uA/cm2 in A/m2.
const DENSITY: f64 = 0.01;

#[test]
fn hodgkin_huxley_rests_and_loses_its_rest_where_published() {
    let start = [-0.065, 0.052_93, 0.596_12, 0.317_68];
    // Leak, rest, both Hopf currents.
    for (leak, mv, low, high) in [
        (-54.3, -64.974_05, 9.7493, 154.4963),
        (-54.387, -64.996_38, 9.7754, 154.5224),
        (-54.4, -64.999_72, 9.7793, 154.5263),
    ] {
        let cell = Cell::new("hodgkin_huxley", "", &[("E_L", leak * 1e-3)]);
        let x = rest(&cell.at(0.0), &start).unwrap();
        close(x[0] * 1e3, mv, 5.1e-6, "rest");
        if leak == -54.387 {
            close(x[1], 0.052_955, 5.1e-7, "m");
            close(x[2], 0.595_994, 5.1e-7, "h");
            close(x[3], 0.317_732, 5.1e-7, "n");
        }
        let near = followed(&cell, &x, (0.0, low * DENSITY), 20);
        close(hopf(&cell, &near, low * DENSITY, 1e-4 * DENSITY), 93.30, 0.006, "frequency at the lower Hopf point");
        let near = followed(&cell, &near, (low * DENSITY, high * DENSITY), 300);
        close(hopf(&cell, &near, high * DENSITY, 1e-4 * DENSITY), 169.17, 0.006, "frequency at the upper Hopf point");
    }
}

#[test]
fn morris_lecar_and_fitzhugh_nagumo_change_where_published() {
    let start = [-0.060_8, 0.0149];
    let class_2 = Cell::new("morris_lecar", "hopf", &[]);
    let near = followed(&class_2, &start, (0.0, 93.857_6 * DENSITY), 100);
    hopf(&class_2, &near, 93.857_6 * DENSITY, 0.000_2 * DENSITY);
    let near = followed(&class_2, &near, (93.857_6 * DENSITY, 212.018_8 * DENSITY), 200);
    hopf(&class_2, &near, 212.018_8 * DENSITY, 0.000_2 * DENSITY);
    for preset in ["snlc", "homoclinic"] {
        vanishes(&Cell::new("morris_lecar", preset, &[]), &start, 0.0, 39.963 * DENSITY, 0.001 * DENSITY);
    }
    let homoclinic = Cell::new("morris_lecar", "homoclinic", &[]);
    let focus = rest(&homoclinic.at(45.0 * DENSITY), &[0.006, 0.35]).unwrap();
    let near = followed(&homoclinic, &focus, (45.0 * DENSITY, 36.316_2 * DENSITY), 100);
    hopf(&homoclinic, &near, 36.316_2 * DENSITY, 0.000_2 * DENSITY);

    let cell = Cell::new("fitzhugh_nagumo", "", &[]);
    let x = rest(&cell.at(0.0), &[-1.2, -0.6]).unwrap();
    close(x[0], -1.199_408_0, 5.1e-8, "v");
    close(x[1], -0.624_260_0, 5.1e-8, "w");
    for (at, v) in [(0.331_281_337_454_7, -0.967_470_9), (1.418_718_662_545_3, 0.967_470_9)] {
        let near = followed(&cell, &x, (0.0, at), 100);
        close(near[0], v, 5.1e-8, "v at the Hopf point");
        let omega = hopf(&cell, &near, at, 1e-9) * std::f64::consts::TAU;
        close(omega, 0.275_506_8, 5.1e-8, "angular frequency");
    }
}

#[test]
fn exponential_neurons_lose_their_rest_where_the_formulas_say() {
    let pico = 1e-12;
    let adex = Cell::new("adex", "", &[]);
    let x = rest(&adex.at(0.0), &[-0.0706, 0.0]).unwrap();
    let near = followed(&adex, &x, (0.0, 627.182_5 * pico), 400);
    hopf(&adex, &near, 627.182_5 * pico, 2e-4 * pico);
    vanishes(&adex, &x, 0.0, 627.311_1 * pico, 2e-3 * pico);
    vanishes(&Cell::new("adex", "", &[("a", 0.0)]), &x, 0.0, 546.0 * pico, 2e-3 * pico);
}

/// All p at which, along the fixed points of a column, complex pairs cross, and those at which two fixed points meet.
fn column_bifurcations(v0: f64) -> (Vec<f64>, Vec<f64>) {
    let cell = Cell::new("jansen_rit", "", &[("v0", v0)]);
    let (gain_e, gain_i, c) = (3.25e-3 / 100.0, 22e-3 / 50.0, 135.0);
    let rate = |v: f64| 5.0 / (1.0 + (560.0 * (v0 - v)).exp());
    // Every fixed point has one v: the rest follows, p too.
    let point = |v: f64| {
        let y0 = gain_e * rate(v);
        let y2 = gain_i * 0.25 * c * rate(0.25 * c * y0);
        let y1 = v + y2;
        (y1 / gain_e - 0.8 * c * rate(c * y0), [y0, y1, y2, 0.0, 0.0, 0.0])
    };
    let look = |v: f64| {
        let (p, x) = point(v);
        let flow = cell.at(p);
        let mut f = [0.0; 6];
        flow.rate(0.0, &x, &mut f);
        assert!(f.iter().all(|f| f.abs() < 1e-9), "a fixed point of the file's equations: {f:?}");
        let mut jacobian = [0.0; 36];
        flow.jacobian(0.0, &x, &mut jacobian);
        let all = eigenvalues(&jacobian, 6).unwrap();
        let pair = all.iter().find(|e| e.1 > 0.0).map_or(f64::NAN, |e| e.0);
        (pair, point(v + 1e-9).0 - point(v - 1e-9).0)
    };
    let bisect = |mut low: f64, mut high: f64, of: &dyn Fn(f64) -> f64| {
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if of(low) * of(middle) <= 0.0 { high = middle } else { low = middle }
        }
        point(0.5 * (low + high)).0
    };
    let (mut pairs, mut folds) = (Vec::new(), Vec::new());
    for k in 0..2000 {
        let (low, high) = (-5e-3 + 1e-5 * f64::from(k), -5e-3 + 1e-5 * f64::from(k + 1));
        let (a, b) = (look(low), look(high));
        if a.0 * b.0 < 0.0 && (a.0 - b.0).abs() < 5.0 {
            pairs.push(bisect(low, high, &|v| look(v).0));
        }
        if a.1 * b.1 < 0.0 {
            folds.push(bisect(low, high, &|v| look(v).1));
        }
    }
    (pairs, folds)
}

#[test]
fn jansen_rit_columns_bifurcate_where_published() {
    let (pairs, folds) = column_bifurcations(6e-3);
    for p in [-12.1475, 89.8291, 315.6964] {
        assert!(pairs.iter().any(|found| (found - p).abs() < 1e-3), "Hopf point at {p}: {pairs:?}");
    }
    assert_eq!(folds.len(), 2, "{folds:?}");
    for p in [113.5863, -41.3014] {
        assert!(folds.iter().any(|found| (found - p).abs() < 1e-3), "saddle-node at {p}: {folds:?}");
    }
    // The published form with v0 = 5.52 mV is another object.
    let (pairs, folds) = column_bifurcations(5.52e-3);
    assert!(
        pairs.iter().any(|p| (p - 516.06).abs() < 0.02) && !pairs.iter().any(|p| (80.0..100.0).contains(p)),
        "{pairs:?}"
    );
    for p in [111.79, -13.82] {
        assert!(folds.iter().any(|found| (found - p).abs() < 0.01), "saddle-node at {p}: {folds:?}");
    }
}

#[test]
fn fixed_points_of_population_models() {
    let cowan = Cell::new("wilson_cowan", "", &[("P_0", 1.0)]);
    close(rest(&cowan.at(0.0), &[0.03, 0.01]).unwrap()[0], 0.028_686_8, 5.1e-8, "Wilson-Cowan at P = 1");
    let quadratic = Cell::new("montbrio", "", &[]);
    for (guess, r, stable) in [(0.08, 0.081_134_4, true), (0.5, 0.472_980_3, false), (1.0, 1.030_596_8, true)] {
        let x = rest(&quadratic.at(0.0), &[guess, -1.0 / (std::f64::consts::TAU * guess)]).unwrap();
        close(x[0], r, 5.1e-8, "rate");
        assert_eq!(leading(&quadratic.at(0.0), &x).0 < 0.0, stable, "{r}");
    }
    let uncoupled = Cell::new("montbrio", "", &[("eta", 1.0), ("J", 0.0)]);
    close(rest(&uncoupled.at(0.0), &[0.35, -0.45]).unwrap()[0], 0.349_722_0, 5.1e-8, "uncoupled");
}

#[test]
fn the_magnesium_block_has_its_published_values() {
    let values = [
        (-80.0, 0.024_424_7),
        (-65.0, 0.059_668_2),
        (-40.0, 0.230_155_3),
        (-20.525_25, 0.5),
        (-20.0, 0.508_140_7),
        (0.0, 0.781_181_6),
        (20.0, 0.925_018_0),
        (40.0, 0.977_08),
    ];
    let list: Vec<String> = values.iter().map(|v| format!("\"{} mV\"", v.0)).collect();
    let text = format!(
        "[simulation]
duration = \"1 ms\"
dt = \"1 ms\"
[populations.a]
model = \"lif\"
size = 8
parameters = {{ V_th = \"1 V\" }}
initial = {{ V_m = {{ values = [{}] }} }}
receptors.nmda = {{ kind = \"nmda\" }}
[record.a]
traces = [{{ variables = [\"nmda.B\"] }}]
",
        list.join(", ")
    );
    let recording = recorded(&text, 1);
    let block = recording.traces_of("a", "nmda.B").next().unwrap();
    for (n, (v, expected)) in values.iter().enumerate() {
        close(column(block, n)[0], *expected, if *v == 40.0 { 5e-6 } else { 6e-8 }, &format!("block at {v} mV"));
    }
}

/// What six or more spikes at 20 Hz release.
fn released(rule: &str, spikes: u32) -> Vec<f64> {
    let times: Vec<String> = (0..spikes).map(|k| format!("\"{} ms\"", 10 + 50 * k)).collect();
    let text = format!(
        "[simulation]
duration = \"{} ms\"
dt = \"0.1 ms\"
[populations.a]
model = \"lif\"
receptors.in = {{ kind = \"delta\" }}
[populations.b]
model = \"lif\"
receptors.in = {{ kind = \"delta\" }}
[stimuli.s]
target = \"a.in\"
kind = \"spikes\"
times = [{}]
weight = \"50 mV\"
[projections.p]
from = \"a\"
to = \"b.in\"
connect = \"one_to_one\"
weight = \"1 mV\"
delay = \"1 ms\"
plasticity = {{ kind = \"tsodyks_markram\", {rule} }}
[record.p]
traces = [{{ variables = [\"efficacy\"], interval = \"50 ms\" }}]
",
        50 * spikes + 50,
        times.join(", ")
    );
    let recording = recorded(&text, 1);
    let values = column(recording.traces_of("p", "efficacy").next().unwrap(), 0);
    values[1..=spikes as usize].to_vec()
}

#[test]
fn short_term_plasticity_releases_what_was_computed() {
    let near = |rule: &str, expected: &[f64]| {
        for (n, (found, want)) in released(rule, expected.len() as u32).iter().zip(expected).enumerate() {
            close(*found, *want, 6e-6, &format!("{rule}, spike {n}"));
        }
    };
    let facilitating = "U = 0.15, tau_fac = \"750 ms\", tau_rec = \"50 ms\"";
    near(facilitating, &[0.15, 0.254_42, 0.322_65, 0.368_96, 0.402_21, 0.427_02]);
    near(&format!("preset = \"raised_before_release\", {facilitating}"), &[0.2775, 0.340_21, 0.384_74]);
    let depressing = "U = 0.5, tau_rec = \"800 ms\", tau_fac = \"0 ms\"";
    near(depressing, &[0.5, 0.265_15, 0.154_83, 0.103_02, 0.078_68]);
    // x settles at (1 - e)/(1 - (1 - U) e) = 0.114252, and half of that is released.
    close(*released(depressing, 40).last().unwrap(), 0.5 * 0.114_252, 5e-7, "steady release");
}

#[test]
fn one_spike_needs_the_published_current() {
    // The least constant current that gives a spike from rest: 2.2403 uA/cm2.
    let spikes = |current: f64| {
        let text = format!(
            "[simulation]
duration = \"60 ms\"
dt = \"0.01 ms\"
[populations.a]
model = \"hodgkin_huxley\"
integrator = \"rk4\"
initial = {{ V_m = \"-64.99638 mV\", m = 0.052955, h = 0.595994, n = 0.317732 }}
[stimuli.i]
target = \"a.I\"
kind = \"constant\"
amplitude = \"{current} uA/cm**2\"
[record.a]
spikes = true
"
        );
        recorded(&text, 1).spikes_of("a").unwrap().times.len()
    };
    assert_eq!((spikes(2.2395), spikes(2.2411)), (0, 1));
}

#[test]
fn multi_timescale_thresholds_follow_nest() {
    // NEST's test of mat2_psc_exp: 2400 pA, spikes at steps 11, 32 and 54 of 0.1 ms.
    let text = "[simulation]
duration = \"6 ms\"
dt = \"0.1 ms\"
[populations.a]
model = \"mat2\"
[stimuli.i]
target = \"a.I\"
kind = \"step\"
amplitude = \"2400 pA\"
start = \"0.2 ms\"
stop = \"6 ms\"
[record.a]
spikes = true
traces = [{ variables = [\"V_m\", \"V_th\"] }]
";
    let recording = recorded(text, 1);
    let steps: Vec<i64> = recording.spikes_of("a").unwrap().times.iter().map(|t| (t * 10.0).round() as i64).collect();
    assert_eq!(steps, [11, 32, 54]);
    let v = column(recording.traces_of("a", "V_m").next().unwrap(), 0);
    for (step, expected) in [(3, -67.6238), (10, -52.2573), (11, -50.2324)] {
        close(v[step], expected, 5.1e-5, &format!("V at step {step}"));
    }
    let threshold = column(recording.traces_of("a", "V_th").next().unwrap(), 0);
    close(threshold[12], -12.3692, 5.1e-5, "threshold a step after the spike");
}

#[test]
fn bumps_of_the_wizard_hat_have_their_closed_form_width() {
    // w = (1 - |x|) exp(-|x|): the width D of the stable bump solves D exp(-D) = threshold.
    for (threshold, width) in [(0.1, 3.577_15), (0.2, 2.542_64)] {
        let text = format!(
            "[simulation]
duration = 40
dt = 0.05
[models.field]
time_unit = \"1\"
equations = \"du/dt = -u + convolve(wizard_hat(1), sigmoid(200*(u - threshold))) : 1\"
parameters = {{ threshold = {threshold} }}
[populations.p]
model = \"field\"
grid = {{ shape = [800], spacing = 0.025, boundary = \"periodic\" }}
initial = {{ u = \"where(abs(x - 10) < 1.3, 1, 0)\" }}
[record.p]
traces = [{{ variables = [\"u\"], interval = 40 }}]
"
        );
        let recording = recorded(&text, 1);
        let trace = recording.traces_of("p", "u").next().unwrap();
        let u = &trace.values[800..];
        let edge = |up: bool| {
            let k = (0..799)
                .find(|&k| {
                    if up {
                        u[k] < threshold && u[k + 1] >= threshold
                    } else {
                        u[k] >= threshold && u[k + 1] < threshold
                    }
                })
                .unwrap();
            (k as f64 + (threshold - u[k]) / (u[k + 1] - u[k])) * 0.025
        };
        // The rate is steep, not a step, which takes half a per cent.
        close(edge(false) - edge(true), width, 0.03, &format!("width at {threshold}"));
    }
}

#[test]
fn a_leaky_neuron_under_a_constant_current_follows_nest() {
    // NEST's test of iaf_psc_alpha: 1000 pA that act from 0.2 ms on, steps of 0.1 ms.
    let text = "[simulation]
duration = \"8 ms\"
dt = \"0.1 ms\"
[populations.a]
model = \"lif\"
[stimuli.i]
target = \"a.I\"
kind = \"step\"
amplitude = \"1000 pA\"
start = \"0.2 ms\"
stop = \"8 ms\"
[record.a]
spikes = true
traces = [{ variables = [\"V_m\"] }]
";
    let recording = recorded(text, 1);
    let v = column(recording.traces_of("a", "V_m").next().unwrap(), 0);
    for (step, expected) in [(3, -69.602), (4, -69.2079), (10, -66.9247), (49, -55.0001)] {
        close(v[step], expected, 5.1e-5, &format!("V at step {step}"));
    }
    let first = recording.spikes_of("a").unwrap().times[0];
    close(first, 5.0, 1e-9, "spike");
    assert!(v[70] == -70.0 && v[71] > -70.0, "it moves again at 7.1 ms: {} {}", v[70], v[71]);
}

#[test]
fn hodgkin_huxley_with_neurons_leak_fires_at_the_published_rate() {
    for (current, rate) in [(7.0, 58.460), (10.0, 68.390)] {
        let text = format!(
            "[simulation]
duration = \"1 s\"
dt = \"0.01 ms\"
spike_times = \"interpolated\"
[populations.a]
model = \"hodgkin_huxley\"
preset = \"neuron_hh\"
integrator = \"rk4\"
[stimuli.i]
target = \"a.I\"
kind = \"constant\"
amplitude = \"{current} uA/cm**2\"
[record.a]
spikes = true
"
        );
        let recording = recorded(&text, 1);
        let times = &recording.spikes_of("a").unwrap().times;
        let n = times.len();
        close(3000.0 / (times[n - 1] - times[n - 4]), rate, 0.002, &format!("rate at {current}"));
    }
}
