//! First passage: rate and variation of intervals of one-dimensional integrate-and-fire units with white noise, from
//! theory, beside what was simulated.

use super::binding::{Bound, UnitOptions, WhiteNoise, display};
use super::prelude::*;
use spikedeck_core::first_passage::{Passage, passage};
use spikedeck_core::intervals::cv;
use spikedeck_core::number::shown;
use spikedeck_core::statistics::{mean, mean_interval};
use spikedeck_equation::flow::Flow;
use spikedeck_scenario::{InputId, Port, Value};
use spikedeck_signal::{Axis, Curve, CurveStyle, ReferenceLine, Series, Shape};

/// `kind = "first_passage"`.
#[derive(Debug, Clone, Copy)]
pub struct FirstPassage;

/// Standard deviations of one step's noise by which a threshold that is looked at once a step seems higher:
/// -zeta(1/2)/sqrt(2 pi).
const ONCE_A_STEP: f64 = 0.582_597_157_939_010_7;

const CARD: AnalysisCard = AnalysisCard {
    title: "First passage",
    synonyms: &["siegert", "siegert_rate", "first_passage_time", "renewal_theory", "diffusion_approximation"],
    summary: "rate and CV of a one-dimensional integrate-and-fire unit with white noise, from theory, beside what was \
              simulated",
    formula: "D T″ + f T′ = −1, D W″ + f W′ = −2 D T′² for mean T and variance W of the time from the reset to the \
              threshold, D = s²/2; rate = 1/(t_ref + T), CV = sqrt(W)/(t_ref + T). For the leaky unit this is \
              Siegert's integral",
    assumptions: "One state with threshold and reset; input constant, noise white (of the model and of stimuli that \
                  are densities), each interval begins anew at the reset. A factor of noise that depends on the state \
                  is taken after Ito.",
    bias: "None in theory, whose error by its grid is told. A simulation that looks at the voltage once a step \
           misses crossings between two steps: `rate_in_steps` is the rate with the threshold 0.58 standard deviations \
           of one step's noise higher, which is what it should find (to the order of the step).",
    cost: "O(inputs · 10^5)",
    caveats: "Connections are left out, and so is noise with a correlation time: with either, theory and simulation \
              differ by more than chance, and the ratio says by how much. Without noise the rate is that of the \
              deterministic unit.",
    references: &[
        "Siegert 1951, Phys Rev 81:617-623, doi:10.1103/PhysRev.81.617",
        "Brunel 2000, J Comput Neurosci 8:183-208, doi:10.1023/A:1008925309027",
        "Richardson 2007, Phys Rev E 76:021919, doi:10.1103/PhysRevE.76.021919",
        "Broadie, Glasserman, Kou 1997, Math Finance 7:325-349, doi:10.1111/1467-9965.00035",
    ],
};

options! {
    /// What `first_passage` can be told.
    pub struct Options {
        input: InputId = input(), "input port of the curve (default the first)";
        from: Option<Quantity> = of_input("input"), "first input of the curve, such as \"0 nA\" (default none)";
        to: Option<Quantity> = of_input("input"), "last input of the curve (default twice what the stimuli give)";
        steps: usize = integer("21").between(2.0, 10_000.0), "number of inputs of the curve, ends included";
        unit: UnitOptions = shared();
    }
}

impl Estimator for FirstPassage {
    type Options = Options;
    const KIND: &'static str = "first_passage";
    const SUBJECTS: Subjects = Subjects::Population;
    const CARD: AnalysisCard = CARD;

    fn together(o: &Options, _: RunTimes) -> Result<(), Wrong> {
        match (o.from, o.to) {
            (Some(from), Some(to)) if from.si >= to.si => Err(Wrong {
                key: "to",
                message: "`to` is not above `from`".into(),
                help: "the curve goes from the lower input to the higher".into(),
            }),
            _ => Ok(()),
        }
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let (bound, white) = Bound::with_noise(f.request, &o.unit)?;
        bound.warnings.iter().for_each(|w| f.warn(w));
        let unit = Unit::new(&bound, &white)?;
        let name = bound.population.name.clone();
        let here = unit.at(&bound.flow, &bound.inputs)?;
        let (seconds, hertz) = (bound.base.seconds(), bound.base.rate_unit());
        let by_grid = format!("theory, to {} by its grid", shown(here.passage.error.max(1e-12)));
        f.metric(Metric::new(&name, "rate", here.rate(), hertz, 1).note(&by_grid));
        let cv_here = here.cv();
        f.metric(if cv_here.is_finite() {
            Metric::new(&name, "cv", cv_here, "", 1).note(&by_grid)
        } else {
            Metric::missing(&name, "cv", "", 1, "the unit never fires")
        });
        f.metric(if here.passage.mean.is_finite() {
            Metric::new(&name, "passage_time", here.passage.mean / seconds, f.base.unit(), 1)
                .note("from the reset to the threshold, without the time of rest")
        } else {
            Metric::missing(&name, "passage_time", f.base.unit(), 1, "the threshold is never reached")
        });
        let stepped = unit.in_steps(&here, f)?;
        f.metrics(stepped.clone());
        let expected = stepped.and_then(|m| m.value).unwrap_or_else(|| here.rate());
        f.word(format!("{name}: theory {} {hertz}", shown(here.rate())));
        let measured = Simulated::of(f, o)?;
        if let Some(m) = &measured {
            f.word(format!("simulated {} {hertz}", shown(mean(&m.rates))));
            f.metrics(m.metrics(&name, hertz, expected));
        }
        unit.curves(o, f, measured.as_ref())
    }
}

/// What was simulated of the same units.
struct Simulated {
    /// Rate of each unit.
    rates: Vec<f64>,
    /// Coefficient of variation of each unit that has intervals enough.
    cvs: Vec<f64>,
}

impl Simulated {
    /// Intervals from which a coefficient of variation is taken.
    const INTERVALS: usize = 10;

    /// None where no spikes were recorded, where the connections that theory leaves out would make them another
    /// thing, or where the unit's inputs were set apart from the run's.
    fn of(f: &Findings<'_>, o: &Options) -> Result<Option<Self>, AnalysisError> {
        let (spec, index, population) = super::binding::population(f.request)?;
        let connected = spec.projections.iter().any(|p| p.to.population == index);
        if connected || !o.unit.set.is_empty() || o.unit.inputs != super::binding::Inputs::Final {
            return Ok(None);
        }
        let same = |v: &Value| matches!(v, Value::Constant(_));
        let alike = population.parameters.iter().all(same)
            && spec
                .stimuli
                .iter()
                .filter(|s| s.target.population == index)
                .all(|s| s.units.is_empty() && matches!(s.target.port, Port::Input(_)));
        let units: Vec<u32> = if alike { Vec::new() } else { vec![o.unit.unit as u32] };
        let window = f.recording.analysis_window();
        let seconds = window.length() * f.base.seconds();
        let Some(trains) = f.request.trains.of(&population.name, &units) else { return Ok(None) };
        if seconds <= 0.0 {
            return Ok(None);
        }
        let (mut rates, mut cvs) = (Vec::new(), Vec::new());
        for train in &trains {
            let times = train.within(window);
            rates.push(times.len() as f64 / seconds);
            let intervals: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
            if intervals.len() >= Self::INTERVALS {
                cvs.push(cv(&intervals));
            }
        }
        Ok((!rates.is_empty()).then_some(Self { rates, cvs }))
    }

    /// What was simulated, and its ratio to what theory expects of it.
    fn metrics(&self, name: &str, hertz: &str, expected: f64) -> Vec<Metric> {
        let units = self.rates.len() as u64;
        let simulated = Metric::new(name, "simulated_rate", mean(&self.rates), hertz, units);
        let mut list = Vec::new();
        if units < 2 {
            list.push(simulated.note("of one unit: no interval over units"));
            return list;
        }
        let (m, low, high) = mean_interval(&self.rates, 0.95);
        list.push(simulated.interval(low, high).interval_by("95 % interval over units (t)"));
        if expected > 0.0 {
            let ratio = Metric::new(name, "rate_ratio", m / expected, "", units)
                .interval(low / expected, high / expected)
                .interval_by("95 % interval over units (t)")
                .chance(1.0)
                .chance_by("chance: simulation and theory agree");
            list.push(ratio);
        }
        if self.cvs.len() > 1 {
            let (m, low, high) = mean_interval(&self.cvs, 0.95);
            list.push(
                Metric::new(name, "simulated_cv", m, "", self.cvs.len() as u64)
                    .interval(low, high)
                    .interval_by(format!("95 % interval over units with {} intervals (t)", Self::INTERVALS)),
            );
        }
        list
    }
}

/// A unit with one state, threshold, reset and noise.
struct Unit<'b, 'a> {
    bound: &'b Bound<'a>,
    white: &'b [WhiteNoise<'a>],
    reset: f64,
    threshold: f64,
    /// Time of rest, in seconds (or time units).
    rest: f64,
}

/// Theory at one input.
struct At {
    passage: Passage,
    rest: f64,
}

impl At {
    /// Rate in Hz (or per unit of time).
    fn rate(&self) -> f64 {
        1.0 / (self.rest + self.passage.mean)
    }

    fn cv(&self) -> f64 {
        self.passage.variance.sqrt() / (self.rest + self.passage.mean)
    }
}

impl<'b, 'a> Unit<'b, 'a> {
    fn new(bound: &'b Bound<'a>, white: &'b [WhiteNoise<'a>]) -> Result<Self, AnalysisError> {
        let name = &bound.population.name;
        let refuse = |why: String| Err(AnalysisError::Unsuitable(why));
        let flow = &bound.flow;
        if flow.dimension() != 1 {
            return refuse(format!(
                "`{name}` has {} states: first passage is a theory of one (a leaky, quadratic or exponential \
                 integrate-and-fire unit by itself)",
                flow.dimension()
            ));
        }
        if !flow.is_autonomous() || flow.unlike_later().is_some() {
            return refuse(format!(
                "the equations of `{name}` depend on time by themselves: no interval is like another"
            ));
        }
        let height = |x: f64| flow.threshold(0.0, &[x], &mut [0.0]);
        let mut x = [bound.initial[0]];
        let (Some(_), Some(())) = (height(x[0]), flow.reset(0.0, &mut x, &mut [0.0])) else {
            return refuse(format!(
                "`{name}` has no threshold of one comparison with a reset, so that nothing is passed"
            ));
        };
        let level = |x: f64| height(x).expect("a threshold of one comparison is one at every state");
        let Some(threshold) = root_above(x[0], &level) else {
            return refuse(format!("the threshold of `{name}` does not lie above its reset: nothing goes up to it"));
        };
        // The reset may depend on where it happens: it is taken at the threshold.
        let mut at = [threshold];
        flow.reset(0.0, &mut at, &mut [0.0]).expect("a unit with a reset has one at its threshold");
        let reset = at[0];
        if reset >= threshold {
            return refuse(format!("the reset of `{name}` does not lie below its threshold"));
        }
        let rest = flow.refractory(&[reset]).map_or(0.0, |(time, _)| time);
        Ok(Self { bound, white, reset, threshold, rest })
    }

    /// Theory with these equations and inputs, up to the threshold.
    fn at(&self, flow: &Flow, inputs: &[f64]) -> Result<At, AnalysisError> {
        self.up_to(self.threshold, flow, inputs)
    }

    fn up_to(&self, threshold: f64, flow: &Flow, inputs: &[f64]) -> Result<At, AnalysisError> {
        let rate = |flow: &Flow, x: f64| {
            let mut out = [0.0];
            flow.rate(0.0, &[x], &mut out);
            out[0]
        };
        // What a unit of each noise adds to the rate of the state: inputs enter linearly, which is looked at.
        let more: Vec<(Flow, Flow)> = self
            .white
            .iter()
            .map(|w| {
                let with = |sign: f64| {
                    let mut inputs = inputs.to_vec();
                    inputs[w.port] += sign * w.density;
                    Flow::new(self.bound.system, &self.bound.parameters, &inputs)
                };
                (with(1.0), with(-1.0))
            })
            .collect();
        let mut bent = false;
        let diffusion = |x: f64| {
            let mut own = [0.0];
            flow.noise(0.0, &[x], &mut own);
            let middle = rate(flow, x);
            let outside: f64 = more
                .iter()
                .map(|(up, down)| {
                    let (up, down) = (rate(up, x), rate(down, x));
                    bent |= (up + down - 2.0 * middle).abs() > 1e-6 * (up - down).abs().max(1e-9 * middle.abs());
                    (0.5 * (up - down)).powi(2)
                })
                .sum();
            0.5 * own[0].mul_add(own[0], outside)
        };
        let found = passage(self.reset, threshold, |x| rate(flow, x), diffusion);
        let name = &self.bound.population.name;
        if bent {
            return Err(AnalysisError::Unsuitable(format!(
                "noise does not enter the equation of `{name}` linearly: it is no diffusion"
            )));
        }
        let passage = found.ok_or_else(|| {
            AnalysisError::Unsuitable(format!(
                "`{name}` runs away downwards or has a rate that is no number below its reset: it has no mean time to \
                 its threshold"
            ))
        })?;
        Ok(At { passage, rest: self.rest })
    }

    /// The rate that a simulation finds which looks at the threshold once a step.
    fn in_steps(&self, here: &At, f: &Findings<'_>) -> Result<Option<Metric>, AnalysisError> {
        let (spec, _, population) = super::binding::population(f.request)?;
        let name = &population.name;
        let mut own = [0.0];
        self.bound.flow.noise(0.0, &[self.threshold], &mut own);
        let density = self.density_at_threshold(own[0]);
        if density == 0.0 || population.substeps != 1 {
            return Ok(None);
        }
        let shift = ONCE_A_STEP * density * spec.simulation.dt.sqrt();
        let later = self.up_to(self.threshold + shift, &self.bound.flow, &self.bound.inputs)?;
        let lost = 1.0 - later.rate() / here.rate();
        Ok(Some(
            Metric::new(name, "rate_in_steps", later.rate(), self.bound.base.rate_unit(), 1)
                .note(format!("theory with the threshold as one look a step sees it: {} % less", shown(100.0 * lost))),
        ))
    }

    /// How much noise there is at the threshold, per root of a second.
    fn density_at_threshold(&self, own: f64) -> f64 {
        let rate = |inputs: &[f64]| {
            let mut out = [0.0];
            Flow::new(self.bound.system, &self.bound.parameters, inputs).rate(0.0, &[self.threshold], &mut out);
            out[0]
        };
        let outside = self.white.iter().map(|w| {
            let mut inputs = self.bound.inputs.clone();
            let middle = rate(&inputs);
            inputs[w.port] += w.density;
            (rate(&inputs) - middle).powi(2)
        });
        (own.powi(2) + outside.sum::<f64>()).sqrt()
    }

    /// Rate and CV against the input, with what was simulated at its place.
    fn curves(&self, o: &Options, f: &mut Findings<'_>, measured: Option<&Simulated>) -> Measured {
        let port = o.input.index();
        if self.bound.system.inputs().is_empty() {
            return Ok(());
        }
        let here = self.bound.inputs[port];
        let (from, to) = (o.from.map_or(0.0, |q| q.si), o.to.map_or(2.0 * here, |q| q.si));
        if from.is_nan() || to.is_nan() || from >= to {
            if o.from.is_some() || o.to.is_some() {
                f.warn("no curve: `to` is not above `from`");
            }
            return Ok(());
        }
        let (unit, scale) = display(self.bound.system.inputs()[port].dimension);
        let (mut x, mut rates, mut cvs) = (Vec::new(), Vec::new(), Vec::new());
        for k in 0..o.steps {
            f.progress(k as f64 / o.steps as f64)?;
            let value = from + (to - from) * k as f64 / (o.steps - 1) as f64;
            let mut inputs = self.bound.inputs.clone();
            inputs[port] = value;
            let at = self.at(&self.bound.with_input(port, value), &inputs)?;
            x.push(value / scale);
            rates.push(at.rate());
            cvs.push(at.cv());
        }
        let axis = || Axis::new(self.bound.system.inputs()[port].name.clone(), unit.clone());
        let simulated = |values: &[f64]| -> Option<Curve> {
            let name = "simulated".to_owned();
            if values.is_empty() || !(from..=to).contains(&here) {
                return None;
            }
            Some(curve(name, vec![here / scale], vec![mean(values)], CurveStyle::Points))
        };
        for (what, per, theory, points) in [
            ("rate", self.bound.base.rate_unit(), rates, measured.and_then(|m| simulated(&m.rates))),
            ("CV", "", cvs, measured.and_then(|m| simulated(&m.cvs))),
        ] {
            let mut curves = vec![curve("theory", x.clone(), theory, CurveStyle::Theory)];
            curves.extend(points);
            let series = Series {
                x: axis(),
                y: Axis::new(what, per),
                curves,
                references: vec![ReferenceLine { name: "input".into(), at: here / scale, vertical: true }],
            };
            f.shape(format!("{what} of {} by first passage", self.bound.population.name), Shape::Series(series));
        }
        Ok(())
    }
}

/// The first x above `from` where `height`, negative at `from`, becomes zero: doubled steps, then halves.
fn root_above(from: f64, height: &dyn Fn(f64) -> f64) -> Option<f64> {
    let below = |h: f64| h < 0.0;
    if !below(height(from)) {
        return None;
    }
    let mut low = from;
    let mut step = from.abs().max(1e-6) * 1e-3;
    let mut high = loop {
        let x = low + step;
        let h = height(x);
        if h.is_nan() || !x.is_finite() || step > 1e12 * from.abs().max(1.0) {
            return None;
        }
        if !below(h) {
            break x;
        }
        (low, step) = (x, 2.0 * step);
    };
    for _ in 0..200 {
        let middle = low.midpoint(high);
        if middle <= low || middle >= high {
            break;
        }
        if below(height(middle)) { low = middle } else { high = middle }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::equation_fixtures::{Model, run, whole, word};
    use crate::testing::metric;
    use spikedeck_signal::Recording;

    /// The leaky unit of Siegert's scenario with noise of its own: 5 mV against a threshold 5 mV above the mean.
    fn leaky(noise: &'static str) -> Model {
        Model {
            equations: if noise.is_empty() {
                "dV_m/dt = (E_L - V_m + R_m*I)/tau_m : V"
            } else {
                "dV_m/dt = (E_L - V_m + R_m*I)/tau_m + sigma/sqrt(tau_m)*xi : V"
            },
            parameters: &[
                ("E_L", "15 mV"),
                ("R_m", "80 Mohm"),
                ("tau_m", "20 ms"),
                ("V_th", "20 mV"),
                ("V_reset", "10 mV"),
                ("sigma", "5 mV"),
                ("t_ref", "2 ms"),
            ],
            inputs: &[("I", "A")],
            initial: &["10 mV"],
            threshold: Some("V_m >= V_th"),
            reset: Some("V_m = V_reset"),
            refractory: Some(("t_ref", &["V_m"])),
            ..Model::default()
        }
    }

    fn theory(model: &Model, inputs: &[(&str, &str)]) -> Result<Outcome, AnalysisError> {
        let options = [("from", word("0 pA")), ("to", word("125 pA")), ("steps", whole(3))];
        run(&FirstPassage, &model.scenario(2e-5, 100, inputs), &Recording::default(), &options)
    }

    /// Rates and variations known from Siegert's integral and its closed form of the variance; with the threshold that
    /// a step of 0.02 ms sees, 9.171 Hz.
    #[test]
    fn a_leaky_unit_has_siegerts_rate() {
        let found = theory(&leaky("own"), &[]).unwrap();
        let value = |name: &str| metric(&found, "p", name).value.unwrap();
        assert!((value("rate") - 9.4608).abs() < 1e-4, "{}", value("rate"));
        assert!((value("cv") - 0.81476).abs() < 1e-5, "{}", value("cv"));
        assert!((value("rate_in_steps") - 9.171).abs() < 1e-3, "{}", value("rate_in_steps"));
        assert!(found.warnings.is_empty(), "{:?}", found.warnings);
        // The curve goes through the same value, and through that of the unit at its threshold: 62.5 pA are 5 mV.
        let Shape::Series(s) = &found.shapes[0].shape else { panic!() };
        assert!(
            (s.curves[0].y[0] - 9.4608).abs() < 1e-4 && (s.curves[0].y[1] - 27.3406).abs() < 1e-4,
            "{:?}",
            s.curves
        );
        assert!(s.curves.iter().all(|c| c.style == CurveStyle::Theory), "nothing was simulated");
    }

    /// Without noise: the rate of the deterministic unit, and no rate below the rheobase.
    #[test]
    fn without_noise_it_is_the_deterministic_rate() {
        let found = theory(&leaky(""), &[("I", "187.5 pA")]).unwrap();
        let right = 1.0 / (0.002 + 0.02 * (20.0_f64 / 10.0).ln());
        assert!((metric(&found, "p", "rate").value.unwrap() / right - 1.0).abs() < 1e-7);
        assert_eq!(metric(&found, "p", "cv").value, Some(0.0));
        let silent = theory(&leaky(""), &[]).unwrap();
        assert_eq!(metric(&silent, "p", "rate").value, Some(0.0));
        let cv = metric(&silent, "p", "cv");
        assert!(cv.value.is_none() && cv.note.contains("never fires"), "{cv:?}");
    }

    #[test]
    fn what_theory_cannot_say_is_refused() {
        let two = Model {
            equations: "dV_m/dt = (E_L - V_m + R_m*I - w*R_m)/tau_m : V\ndw/dt = -w/tau_m : A",
            initial: &["10 mV", "0 A"],
            ..leaky("")
        };
        let told = theory(&two, &[]).unwrap_err().to_string();
        assert!(told.contains("2 states"), "{told}");
        let free = Model { threshold: None, reset: None, refractory: None, ..leaky("own") };
        let told = theory(&free, &[]).unwrap_err().to_string();
        assert!(told.contains("threshold"), "{told}");
        let above = Model { reset: Some("V_m = V_th + V_reset"), ..leaky("own") };
        let told = theory(&above, &[]).unwrap_err().to_string();
        assert!(told.contains("does not lie"), "{told}");
    }
}
