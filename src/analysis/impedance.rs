//! Impedance at rest: how large and how late a state follows a small oscillation of an input, over its frequency.

mod chirp;

use super::binding::{Bound, UnitOptions, display};
use super::prelude::*;
use spikedeck_core::linear::eigenvalues;
use spikedeck_core::phase::newton;
use spikedeck_core::response::response;
use spikedeck_core::trajectory::Trajectory;
use spikedeck_core::units::brief;
use spikedeck_equation::family::{Family, Free};
use spikedeck_scenario::{InputId, StateId};
use spikedeck_signal::{Axis, CurveStyle, ReferenceLine, Series, Shape};
use std::f64::consts::{SQRT_2, TAU};

/// `kind = "impedance"`.
#[derive(Debug, Clone, Copy)]
pub struct Impedance;

/// How far below the slowest and above the fastest mode frequencies go where none are given.
const BEYOND: f64 = 10.0;
/// A trajectory that ends farther than this share of a state's size from the fixed point did not come there.
const NEAR: f64 = 1e-2;
/// Halvings of the interval around a frequency that is looked for.
const ROUNDS: usize = 80;

const CARD: AnalysisCard = AnalysisCard {
    title: "Impedance",
    synonyms: &["zap", "resonance", "linear_response", "transfer_function", "admittance", "frequency_response"],
    summary: "how a state at rest follows a small oscillation of an input: size and phase over frequency, resonance",
    formula: "Z(f) = e_sᵀ (2πi f − J)⁻¹ ∂f/∂I at the fixed point; resonance: greatest |Z|; Q = |Z| there over |Z(0)|\n\
              with `zap`, as in an experiment: the unit is driven from rest by I + A sin φ(t), whose frequency grows \
              by the same factor in equal times, and by I − A sin φ(t); Z_zap(f) is the transform of half the \
              difference over that of the chirp; \
              deviation: root mean square of |Z_zap − Z|/|Z| over the frequencies",
    assumptions: "Deterministic equations of one unit, which rest at the fixed point that the trajectory from the \
                  initial state comes to, with constant input. Oscillations are small: the response is linear.",
    bias: "None: the Jacobian is symbolic. A chirp of finite amplitude shows the same up to the square of its size, \
           which `zap` measures.",
    cost: "O(n³) a frequency; with `zap` O(samples) a frequency",
    caveats: "Of a fixed point that is unstable the numbers have no meaning in an experiment, and there is a warning. \
              Spikes are no part of it. Near a Hopf point the peak grows without bound, and the linear range shrinks.",
    references: &[
        "Hutcheon, Yarom 2000, Trends Neurosci 23:216-222, doi:10.1016/S0166-2236(00)01547-2",
        "Puil, Gimbarzevsky, Miura 1986, J Neurophysiol 55:995-1016, doi:10.1152/jn.1986.55.5.995",
        "Koch 1984, Biol Cybern 50:15-33, doi:10.1007/BF00317936",
    ],
};

options! {
    /// What `impedance` can be told.
    pub struct Options {
        input: InputId = input(), "input that oscillates";
        state: StateId = state(), "state that follows";
        from: Option<Frequency> = frequency_if_given(), "lowest frequency (default a tenth of the slowest mode's)";
        to: Option<Frequency> = frequency_if_given(), "highest frequency (default ten times the fastest mode's)";
        points: usize = integer("400").between(10.0, 1e6), "frequencies, evenly spaced in their logarithm";
        zap: Option<Quantity> = of_input("input"),
            "amplitude of a chirp (ZAP) that drives the unit from rest, to hold against the linear response";
        zap_duration: Option<Time> = time_if_given(),
            "how long the chirp lasts (default 20 periods of the lowest frequency)";
        duration: Option<Time> = time_if_given().stretch(), "time to come to rest (default the scenario's duration)";
        step: Option<Time> = time_if_given().piece(), "step of the Runge-Kutta scheme (default the scenario's dt)";
        unit: UnitOptions = shared();
    }
}

impl Estimator for Impedance {
    type Options = Options;
    const KIND: &'static str = "impedance";
    const SUBJECTS: Subjects = Subjects::Population;
    const CARD: AnalysisCard = CARD;
    const TABLE: &'static str = "values";

    fn together(o: &Options, _: RunTimes) -> Result<(), Wrong> {
        if let (Some(from), Some(to)) = (o.from, o.to)
            && from.hertz >= to.hertz
        {
            let message = "`to` is not above `from`".to_owned();
            return Err(Wrong { key: "to", message, help: "frequencies go from the lower to the higher".into() });
        }
        Ok(())
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let bound = Bound::new(f.request, &o.unit)?;
        bound.warnings.iter().for_each(|w| f.warn(w));
        let subject = &bound.population.name;
        let (state, port) = (o.state.index(), o.input.index());
        let (rest, came) = match at_rest(o, &bound, f)? {
            Ok(rest) => rest,
            Err(why) => {
                f.metric(Metric::missing(subject, "resonance", bound.base.rate_unit(), 0, &why));
                f.word(format!("{subject}: no impedance, {why}"));
                return Ok(());
            }
        };
        if !came {
            f.warn("the trajectory did not come to this fixed point within `duration`: the unit may do something else");
        }
        let Some(family) = Family::new(bound.system, &bound.parameters, &bound.inputs, Free::Input(port)) else {
            let why = format!("the equations of `{subject}` depend on time by themselves: they have no rest");
            return Err(AnalysisError::Unsuitable(why));
        };
        let n = rest.len();
        let (mut jacobian, mut slope) = (vec![0.0; n * n], vec![0.0; n]);
        spikedeck_core::family::Family::jacobian(&family, &rest, bound.inputs[port], &mut jacobian, &mut slope);
        let Some(modes) = eigenvalues(&jacobian, n) else {
            return Err(AnalysisError::Unsuitable(format!("the Jacobian of `{subject}` at rest is not finite")));
        };
        if modes.iter().any(|m| m.0 > 0.0) {
            f.warn("the fixed point is unstable: no experiment would see this impedance");
        }
        let linear = Linear { jacobian, slope, state };
        let (low, high) = range(o, &modes);
        if linear.size(low).is_none_or(|z| z == 0.0) || low >= high {
            let why = format!(
                "`{}` of `{subject}` does not follow `{}` at rest, or `from` lies above the fastest mode",
                bound.system.states()[state].name,
                bound.system.inputs()[port].name
            );
            return Err(AnalysisError::Unsuitable(why));
        }
        let frequencies: Vec<f64> =
            (0..o.points).map(|k| low * (high / low).powf(k as f64 / (o.points - 1) as f64)).collect();
        let (unit, scale) = display(bound.system.states()[state].dimension.per(bound.system.inputs()[port].dimension));
        let found = Found { linear: &linear, frequencies: &frequencies, scale };
        let (rest_unit, rest_scale) = display(bound.system.states()[state].dimension);
        let name = format!("rest.{}", bound.system.states()[state].name);
        f.metrics(found.metrics(subject, &unit, bound.base.rate_unit()));
        f.metric(Metric::new(subject, name, rest[state] / rest_scale, rest_unit, 1).note("where the unit rests"));
        let resonance = found.peak();
        f.word(match (resonance, found.top() == 0) {
            (Some(peak), _) => format!("{subject}: resonates at {} {}", brief(peak), bound.base.rate_unit()),
            (None, true) => format!("{subject}: no resonance, the response falls with frequency"),
            (None, false) => {
                format!("{subject}: no resonance in the range, at whose upper end the response is greatest")
            }
        });
        let by_chirp = match o.zap {
            Some(amplitude) => {
                let drive = chirp::Drive { family: &family, bound: &bound, rest: &rest, modes: &modes };
                drive.measure(o, amplitude.si, &linear, &frequencies, f)?
            }
            None => None,
        };
        let x = || Axis::new("frequency", bound.base.rate_unit()).log();
        let references = |at: Option<f64>| {
            at.map(|at| ReferenceLine { name: "resonance".into(), at, vertical: true }).into_iter().collect()
        };
        let of = |value: &dyn Fn(f64) -> f64| frequencies.iter().map(|f| value(*f)).collect::<Vec<_>>();
        let size = of(&|f| linear.size(f).map_or(f64::NAN, |z| z / scale));
        let phase = of(&|f| linear.phase(f).map_or(f64::NAN, f64::to_degrees));
        for (title, y, values) in
            [("impedance", Axis::new("|Z|", unit.as_str()), size), ("phase", Axis::new("phase of Z", "deg"), phase)]
        {
            let mut curves = vec![curve(title, frequencies.clone(), values, CurveStyle::Line)];
            if let Some(seen) = &by_chirp {
                let y = seen.z.iter().map(|(z, arg)| if title == "phase" { arg.to_degrees() } else { z / scale });
                curves.push(curve("by the chirp", seen.frequencies.clone(), y.collect(), CurveStyle::Points));
            }
            f.shape(title, Shape::Series(Series { x: x(), y, curves, references: references(resonance) }));
        }
        Ok(())
    }
}

/// The fixed point that the trajectory from the initial state comes to, and whether it came there; or why there is
/// none.
fn at_rest(
    o: &Options,
    bound: &Bound<'_>,
    f: &Findings<'_>,
) -> Result<Result<(Vec<f64>, bool), String>, AnalysisError> {
    let times = f.scenario().expect("the equations were bound from a scenario").simulation.times();
    let or = |time: Option<Time>, usual: f64| time.map_or(usual, |t| t.seconds);
    let (duration, step) = (or(o.duration, times.duration), or(o.step, times.dt));
    let mut trajectory = Trajectory::new(&bound.flow, 0.0, &bound.initial, Vec::new(), step);
    let mut size: Vec<f64> = bound.initial.iter().map(|x| x.abs()).collect();
    let mut half = 0;
    for k in 0..100 {
        f.progress(f64::from(k) / 100.0)?;
        if let Err(error) = trajectory.advance(duration / 100.0) {
            return Ok(Err(format!("{error}, on the way to rest: a smaller `step` may help")));
        }
        if k == 50 {
            half = trajectory.resets;
        }
        size.iter_mut().zip(&trajectory.x).for_each(|(s, x)| *s = s.max(x.abs()));
    }
    if trajectory.is_hybrid() && trajectory.resets > half {
        return Ok(Err("the unit fires, and does not rest".into()));
    }
    let scale: Vec<f64> = size
        .iter()
        .zip(bound.system.states())
        .map(|(s, v)| if *s > 0.0 { *s } else { display(v.dimension).1 })
        .collect();
    let mut x = trajectory.x.clone();
    let all: Vec<usize> = (0..x.len()).collect();
    if !newton(&bound.flow, 0.0, &mut x, &all, &scale) {
        return Ok(Err("Newton's method finds no fixed point from where the trajectory ends".into()));
    }
    // Of a threshold that only marks spikes, rest may lie on either side.
    let height = bound.flow.threshold(0.0, &x, &mut vec![0.0; x.len()]).filter(|_| trajectory.is_hybrid());
    if height.is_some_and(|h| h > 0.0) {
        return Ok(Err("the fixed point lies beyond the threshold, where the unit does not rest".into()));
    }
    let came = x.iter().zip(&trajectory.x).zip(&scale).all(|((a, b), s)| (a - b).abs() <= NEAR * s);
    Ok(Ok((x, came)))
}

/// Lowest and highest frequency.
fn range(o: &Options, modes: &[(f64, f64)]) -> (f64, f64) {
    let sizes = || modes.iter().map(|m| m.0.hypot(m.1) / TAU).filter(|s| *s > 0.0);
    let fastest = sizes().fold(0.0, f64::max);
    // A mode that only rounding moves is none.
    let slowest = sizes().filter(|s| *s > 1e-9 * fastest).fold(f64::INFINITY, f64::min);
    (o.from.map_or(slowest / BEYOND, |f| f.hertz), o.to.map_or(fastest * BEYOND, |f| f.hertz))
}

/// The equations at rest.
struct Linear {
    jacobian: Vec<f64>,
    slope: Vec<f64>,
    state: usize,
}

impl Linear {
    fn size(&self, frequency: f64) -> Option<f64> {
        response(&self.jacobian, &self.slope, TAU * frequency).map(|x| x[self.state].norm())
    }

    /// In radians: above 0 the state is ahead of the input.
    fn phase(&self, frequency: f64) -> Option<f64> {
        response(&self.jacobian, &self.slope, TAU * frequency).map(|x| x[self.state].arg())
    }
}

struct Found<'l> {
    linear: &'l Linear,
    frequencies: &'l [f64],
    scale: f64,
}

impl Found<'_> {
    /// The size of the response; without bound where the equations are singular.
    fn sizes(&self) -> Vec<f64> {
        self.frequencies.iter().map(|f| self.linear.size(*f).map_or(f64::INFINITY, |z| z / self.scale)).collect()
    }

    /// Place of the greatest response of those in the range.
    fn top(&self) -> usize {
        let sizes = self.sizes();
        let places = 0..sizes.len();
        places.max_by(|&a, &b| sizes[a].total_cmp(&sizes[b])).expect("there are at least ten frequencies")
    }

    /// The frequency of the greatest response inside the range, refined; `None` where it is greatest at an end.
    fn peak(&self) -> Option<f64> {
        let top = self.top();
        if top == 0 || top + 1 == self.frequencies.len() {
            return None;
        }
        let (mut low, mut high) = (self.frequencies[top - 1], self.frequencies[top + 1]);
        for _ in 0..ROUNDS {
            let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if self.linear.size(a)? < self.linear.size(b)? { low = a } else { high = b }
        }
        Some(f64::midpoint(low, high))
    }

    /// Where the response is greatest, from 0 to the end of the range: at the peak, at an end, or at 0.
    fn greatest(&self) -> Option<(f64, f64)> {
        let top = self.peak().unwrap_or(self.frequencies[self.top()]);
        let inside = self.linear.size(top).map(|z| (top, z));
        let steady = self.linear.size(0.0).map(|z| (0.0, z));
        inside.into_iter().chain(steady).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Above where it is greatest, the frequency at which the response has fallen to that over the root of two.
    fn cut(&self) -> Option<f64> {
        let (top, greatest) = self.greatest()?;
        let below = |f: f64| self.linear.size(f).is_some_and(|z| z < greatest / SQRT_2);
        let high = self.frequencies.iter().copied().find(|f| *f > top && below(*f))?;
        let (mut low, mut high) = (top, high);
        for _ in 0..ROUNDS {
            let middle = f64::midpoint(low, high);
            if below(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }

    fn metrics(&self, subject: &str, unit: &str, rate: &str) -> Vec<Metric> {
        let n = self.frequencies.len() as u64;
        let missing = |name: &str, unit: &str, why: &str| Metric::missing(subject, name, unit, n, why);
        let steady = self.linear.size(0.0);
        let mut list = vec![match steady {
            Some(z) => Metric::new(subject, "steady", z / self.scale, unit, n).note("|Z| at frequency 0"),
            None => missing("steady", unit, "the Jacobian at rest is singular"),
        }];
        let peak = self.peak();
        let greatest = peak.and_then(|f| self.linear.size(f));
        if let (Some(peak), Some(z)) = (peak, greatest) {
            list.push(Metric::new(subject, "resonance", peak, rate, n).note("n = frequencies; where |Z| is greatest"));
            list.push(Metric::new(subject, "peak", z / self.scale, unit, n).note("|Z| there"));
            if let Some(steady) = steady.filter(|s| *s > 0.0) {
                list.push(Metric::new(subject, "q", z / steady, "", n).note("|Z| at resonance over that at 0"));
            }
        } else {
            let why = "|Z| is greatest at an end of the range: no resonance inside";
            list.extend([missing("resonance", rate, why), missing("peak", unit, why)]);
        }
        list.push(match self.cut() {
            Some(cut) => Metric::new(subject, "cutoff", cut, rate, n)
                .note("above it |Z| is below its greatest value over the root of 2"),
            None => missing("cutoff", rate, "the response does not fall that far inside the range"),
        });
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equation_fixtures::{Model, run, word};
    use crate::testing::metric;
    use spikedeck_signal::Recording;

    /// A passive membrane, R 100 Mohm and τ 20 ms: Z = R/(1 + 2πi f τ), no resonance, cut-off 1/(2πτ) = 7.957747 Hz.
    #[test]
    fn a_passive_membrane_is_a_low_pass() {
        let model = Model {
            equations: "dV_m/dt = (E_L - V_m + R_m*I)/tau_m : V",
            parameters: &[("tau_m", "20 ms"), ("E_L", "-70 mV"), ("R_m", "100 Mohm")],
            inputs: &[("I", "A")],
            initial: &["-60 mV"],
            ..Model::default()
        };
        let out = run(&Impedance, &model.scenario(1e-4, 5000, &[]), &Recording::default(), &[]).unwrap();
        let value = |name: &str| metric(&out, "p", name).value;
        assert_eq!(metric(&out, "p", "steady").unit, "Mohm");
        assert!((value("steady").unwrap() - 100.0).abs() < 1e-9);
        assert!(value("resonance").is_none());
        assert!((value("cutoff").unwrap() - 1.0 / (TAU * 0.02)).abs() < 1e-9);
        assert!((value("rest.V_m").unwrap() + 70.0).abs() < 1e-9);
    }

    /// The cut-off is found from wherever the range begins, and there is none where the response does not fall to it.
    /// A unit that fires has no impedance, whatever Newton's method finds beyond its threshold.
    #[test]
    fn ranges_and_thresholds_are_minded() {
        let mut model = Model {
            equations: "dV_m/dt = (E_L - V_m + R_m*I)/tau_m : V",
            parameters: &[("tau_m", "20 ms"), ("E_L", "-70 mV"), ("R_m", "100 Mohm"), ("V_th", "-55 mV")],
            inputs: &[("I", "A")],
            initial: &["-60 mV"],
            ..Model::default()
        };
        let at = |model: &Model, current: &str, options: &[(&'static str, crate::equation_fixtures::Said)]| {
            run(&Impedance, &model.scenario(1e-4, 5000, &[("I", current)]), &Recording::default(), options).unwrap()
        };
        let out = at(&model, "0 nA", &[("from", word("20 Hz"))]);
        assert!((metric(&out, "p", "cutoff").value.unwrap() - 1.0 / (TAU * 0.02)).abs() < 1e-9);
        let out = at(&model, "0 nA", &[("from", word("1 Hz")), ("to", word("2 Hz"))]);
        assert!(metric(&out, "p", "cutoff").value.is_none());
        model.threshold = Some("V_m > V_th");
        model.reset = Some("V_m = E_L");
        assert!(metric(&at(&model, "0.1 nA", &[]), "p", "steady").value.is_some());
        let fires = at(&model, "0.2 nA", &[]);
        assert!(fires.summary.contains("the unit fires"), "{}", fires.summary);
        assert!(fires.metrics.iter().all(|m| m.value.is_none()));
    }

    /// Below a resonance the response grows up to the end of the range, and that is no fall.
    #[test]
    fn a_response_that_grows_is_told() {
        let model = Model {
            equations: "dV/dt = (-0.1*V - W + I)/1 : 1\ndW/dt = (0.4*V - W)/20 : 1",
            inputs: &[("I", "1")],
            initial: &["0.1", "0"],
            time_unit: spikedeck_equation::TimeUnit::Dimensionless,
            ..Model::default()
        };
        let options = [("from", word("0.001")), ("to", word("0.01"))];
        let out = run(&Impedance, &model.scenario(0.05, 20_000, &[]), &Recording::default(), &options).unwrap();
        assert!(out.summary.contains("upper end"), "{}", out.summary);
        assert!(metric(&out, "p", "cutoff").value.is_none() && metric(&out, "p", "resonance").value.is_none());
    }

    /// A membrane with a slow restorative current, C V' = −gV − W + I, τ W' = bV − W: Z = 1/(iωC + g + b/(1 + iωτ)).
    #[test]
    fn a_slow_current_makes_a_resonance() {
        let model = Model {
            equations: "dV/dt = (-g*V - W + I)/C : 1\ndW/dt = (b*V - W)/tau : 1",
            parameters: &[("g", "0.1"), ("C", "1"), ("b", "0.4"), ("tau", "20")],
            inputs: &[("I", "1")],
            initial: &["0.1", "0"],
            time_unit: spikedeck_equation::TimeUnit::Dimensionless,
            ..Model::default()
        };
        let out = run(&Impedance, &model.scenario(0.05, 20_000, &[]), &Recording::default(), &[]).unwrap();
        let value = |name: &str| metric(&out, "p", name).value.unwrap();
        // |Z|² = (1 + s)/((g + b − Cs/τ)² + (g + C/τ)² s) with s = (ωτ)²: the derivative vanishes at the positive root
        // of c² s² + 2c² s − ((g + b)² + 2c(g + b) − (g + c)²) = 0, c = C/τ.
        let (g, b, c, tau) = (0.1_f64, 0.4_f64, 1.0 / 20.0, 20.0);
        let rest = (g + b) * (g + b) + 2.0 * c * (g + b) - (g + c) * (g + c);
        let s: f64 = -1.0 + (1.0 + rest / (c * c)).sqrt();
        assert!((value("resonance") - s.sqrt() / tau / TAU).abs() < 1e-8, "{}", value("resonance"));
        assert!((value("steady") - 1.0 / (g + b)).abs() < 1e-12);
        let peak = ((1.0 + s) / ((g + b - c * s).powi(2) + (g + c).powi(2) * s)).sqrt();
        assert!((value("peak") - peak).abs() < 1e-9 && (value("q") - peak * (g + b)).abs() < 1e-9);
    }

    /// What a chirp shows goes to the linear response as the square of its size; a unit that it makes fire has none.
    #[test]
    fn a_chirp_shows_the_linear_response() {
        let mut model = Model {
            equations: "dV/dt = (-g*V - W - c*V**2 + I)/C : 1\ndW/dt = (b*V - W)/tau : 1",
            parameters: &[("g", "0.1"), ("C", "1"), ("b", "0.4"), ("tau", "20"), ("c", "0.05"), ("top", "0.5")],
            inputs: &[("I", "1")],
            initial: &["0.1", "0"],
            time_unit: spikedeck_equation::TimeUnit::Dimensionless,
            ..Model::default()
        };
        let at = |model: &Model, zap: &str| {
            let options = [("from", word("0.004")), ("to", word("0.2")), ("zap", word(zap))];
            run(&Impedance, &model.scenario(0.05, 20_000, &[]), &Recording::default(), &options).unwrap()
        };
        let (small, large) = (at(&model, "0.005"), at(&model, "0.05"));
        let value = |o: &crate::Outcome, name: &str| metric(o, "p", name).value.unwrap();
        let (a, b) = (value(&small, "zap.deviation"), value(&large, "zap.deviation"));
        assert!(a < 1e-3 && b > 5.0 * a, "{a} {b}");
        assert!((value(&small, "zap.resonance") / value(&small, "resonance") - 1.0).abs() < 1e-3);
        assert!(value(&large, "zap.swing") > 5.0 * value(&small, "zap.swing"));
        // Size and phase with the points of the chirp beside, and the numbers.
        assert_eq!(small.shapes.len(), 3);
        model.threshold = Some("V > top");
        model.reset = Some("V = 0");
        let fires = at(&model, "1");
        assert!(metric(&fires, "p", "zap.deviation").note.contains("the unit fires"));
        assert!(metric(&fires, "p", "resonance").value.is_some());
    }
}
