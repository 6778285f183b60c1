//! The phase response curve of a unit that oscillates: by how much a small kick advances it, over the cycle.

use super::binding::{Bound, UnitOptions, display};
use super::prelude::*;
use spikedeck_core::phase_response::{Response, Settings, phase_response};
use spikedeck_core::units::brief;
use spikedeck_scenario::StateId;
use spikedeck_signal::{Axis, CurveStyle, ReferenceLine, Series, Shape};

/// `kind = "phase_response"`.
#[derive(Debug, Clone, Copy)]
pub struct PhaseResponse;

/// The state misses itself by more than this share of its size: the cycle was not reached in full.
const LOOSE: f64 = 1e-5;

/// Spacings of points beyond which two are not neighbours.
const GAP: f64 = 1.5;

const CARD: AnalysisCard = AnalysisCard {
    title: "Phase response curve",
    synonyms: &["prc", "iprc", "phase_response_curve", "adjoint", "phase_sensitivity"],
    summary: "by how much a small kick to a state advances an oscillating unit, over its cycle",
    formula: "Z(t) = dt/dx along the cycle: Z' = −J(x(t))ᵀ Z, Z(t + T) = Z(t), Z·f = 1; at a reset Z⁻ = Sᵀ Z⁺ with the \
              saltation matrix S\n\
              advance = Z·δx for a small kick δx",
    assumptions: "Deterministic equations of one unit with constant input, which come to a stable cycle from the \
                  initial state within the transient. Kicks are small: Z is the slope of the response, in time per \
                  unit of the state.",
    bias: "None but that of the integration: the product with the flow is 1 at every point, and the multiplier of the \
           cycle that should be 1 shows how well it closes.",
    cost: "O(n³) a step over one period; O(n) a step until the cycle is reached",
    caveats: "Of strong kicks it says nothing. A kick while a state is held (refractory) is left out. Near a fold of \
              cycles or a homoclinic orbit the cycle is reached slowly: the multipliers say how slowly.",
    references: &[
        "Ermentrout, Kopell 1991, J Math Biol 29:195-217, doi:10.1007/BF00160535",
        "Ermentrout 1996, Neural Comput 8:979-1001, doi:10.1162/neco.1996.8.5.979",
        "Shirasaka, Kurebayashi, Nakao 2017, Chaos 27:023119, doi:10.1063/1.4977195",
    ],
};

options! {
    /// What `phase_response` can be told.
    pub struct Options {
        state: StateId = state(), "state that is kicked, and whose upward crossings of its middle cut the cycle";
        points: usize = integer("200").between(10.0, 100_000.0), "points along the cycle";
        transient: Option<Time> = time_if_given().or_zero(),
            "time for the cycle to be reached (default the scenario's duration)";
        longest: Option<Time> = time_if_given(),
            "longest time between two crossings (default the scenario's duration)";
        step: Option<Time> = time_if_given().piece(), "step of the Runge-Kutta scheme (default the scenario's dt)";
        unit: UnitOptions = shared();
    }
}

impl Estimator for PhaseResponse {
    type Options = Options;
    const KIND: &'static str = "phase_response";
    const SUBJECTS: Subjects = Subjects::Population;
    const CARD: AnalysisCard = CARD;
    const TABLE: &'static str = "values";

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let bound = Bound::new(f.request, &o.unit)?;
        bound.warnings.iter().for_each(|w| f.warn(w));
        if !bound.flow.is_autonomous() {
            let why = "the equations depend on time by themselves: a cycle has no phase of its own";
            return Err(AnalysisError::Unsuitable(why.into()));
        }
        if let Some(why) = bound.flow.unlike_later() {
            return Err(AnalysisError::Unsuitable(format!("no adjoint goes through the spikes here, as {why}")));
        }
        let spec = f.scenario().expect("the equations were bound from a scenario");
        let times = spec.simulation.times();
        let or = |time: Option<Time>, usual: f64| time.map_or(usual, |t| t.seconds);
        let (transient, longest) = (or(o.transient, times.duration), or(o.longest, times.duration));
        let step = or(o.step, times.dt);
        let state = o.state.index();
        let settings = Settings { state, level: None, transient, longest, step, points: o.points };
        let mut asked = 0_u32;
        let found = phase_response(&bound.flow, &bound.initial, settings, || {
            asked = asked.saturating_add(1);
            !asked.is_multiple_of(64) || f.progress(1.0 - 1.0 / (1.0 + 1e-4 * f64::from(asked))).is_ok()
        });
        f.request.check_cancelled()?;
        let subject = &bound.population.name;
        let (unit, scale) = display(bound.system.states()[state].dimension);
        let base = bound.base;
        let per = match unit.as_str() {
            "" => base.unit().to_owned(),
            u if u.contains(['*', '/']) => format!("{}/({u})", base.unit()),
            u => format!("{}/{u}", base.unit()),
        };
        let response = match found {
            Ok(Some(response)) => response,
            Ok(None) => return Err(AnalysisError::Cancelled),
            Err(why) => {
                f.metric(Metric::missing(subject, "period", base.unit(), 0, why.to_string()));
                f.word(format!("{subject}: no phase response, {why}"));
                return Ok(());
            }
        };
        if response.gap > LOOSE {
            f.warn(format!(
                "the state misses itself by {:.1e} of its size after a period: a longer `transient` may help",
                response.gap
            ));
        }
        let factor = scale / base.seconds();
        let curve = Shown { response: &response, state, factor, seconds: base.seconds(), points: o.points };
        f.metrics(curve.metrics(subject, base.unit(), &per, base.rate_unit()));
        f.shape("phase response", curve.shape(&bound.system.states()[state].name, base.unit(), &per));
        f.word(curve.summary(subject, base.unit(), &per));
        Ok(())
    }
}

/// The response of one state, in display units.
struct Shown<'r> {
    response: &'r Response,
    state: usize,
    /// Display units of time per display unit of the state, for one in SI.
    factor: f64,
    seconds: f64,
    /// Points that a whole cycle has.
    points: usize,
}

impl Shown<'_> {
    fn values(&self) -> Vec<f64> {
        self.response.advance.iter().map(|z| z[self.state] * self.factor).collect()
    }

    fn phases(&self) -> Vec<f64> {
        self.response.times.iter().map(|t| t / self.response.period).collect()
    }

    /// Place of the greatest (or least) value.
    fn extreme(&self, sign: f64) -> usize {
        let values = self.values();
        (0..values.len())
            .max_by(|&a, &b| (sign * values[a]).total_cmp(&(sign * values[b])))
            .expect("a cycle has at least one point")
    }

    fn metrics(&self, subject: &str, time: &str, per: &str, rate: &str) -> Vec<Metric> {
        let (values, phases) = (self.values(), self.phases());
        let n = values.len() as u64;
        let (high, low) = (self.extreme(1.0), self.extreme(-1.0));
        let period = self.response.period;
        let phase = "phase from 0 to 1";
        let mut list = vec![
            Metric::new(subject, "period", period / self.seconds, time, n).note("n = points along the cycle"),
            Metric::new(subject, "frequency", 1.0 / period, rate, n),
            Metric::new(subject, "max", values[high], per, n).note("most that a small kick advances"),
            Metric::new(subject, "max_phase", phases[high], "", n).note(phase),
            Metric::new(subject, "min", values[low], per, n).note("below 0 a kick delays"),
            Metric::new(subject, "min_phase", phases[low], "", n).note(phase),
        ];
        // Over time, by trapezoids. While the state is held kicks do nothing, and there are no points: nothing is drawn
        // across that part.
        let (mut area, mut delay, mut whole, mut covered) = (0.0, 0.0, 0.0, 0.0);
        let mut gaps = false;
        for k in 0..values.len() {
            let next = (k + 1) % values.len();
            let width = (phases[next] - phases[k]).rem_euclid(1.0);
            if width > GAP / self.points as f64 {
                gaps = true;
                continue;
            }
            let mean = f64::midpoint(values[k], values[next]);
            area += width * mean;
            whole += width * mean.abs();
            delay += width * (-mean).max(0.0);
            covered += width;
        }
        let (mean, over) = if gaps {
            (area / covered, "over the part of the cycle in which the state is not held")
        } else {
            (area, "over the cycle")
        };
        list.push(Metric::new(subject, "mean", mean, per, n).note(over));
        list.push(if whole > 0.0 {
            Metric::new(subject, "delaying", delay / whole, "", n)
                .note("part of the area under |Z| in which kicks delay: near 0 is type 1, much of it type 2")
        } else {
            Metric::missing(subject, "delaying", "", n, "kicks to this state change the phase nowhere")
        });
        let trivial = |m: &&(f64, f64)| (m.0 - 1.0).hypot(m.1);
        if let Some(one) = self.response.multipliers.iter().min_by(|a, b| trivial(a).total_cmp(&trivial(b))) {
            list.push(
                Metric::new(subject, "closing", one.0, "", n).note("multiplier that is 1 where the cycle closes"),
            );
            let others = self.response.multipliers.iter().filter(|m| *m != one);
            if let Some(slowest) = others.map(|m| m.0.hypot(m.1)).reduce(f64::max) {
                let note = "of a deviation from the cycle this is left after a period";
                list.push(Metric::new(subject, "multiplier", slowest, "", n).note(note));
            }
        }
        if self.response.resets > 0 {
            let resets = self.response.resets;
            list.push(Metric::new(subject, "resets", resets as f64, "", resets).note("in a period"));
        }
        list
    }

    fn shape(&self, state: &str, time: &str, per: &str) -> Shape {
        let x = self.response.times.iter().map(|t| t / self.seconds).collect();
        let since = if self.response.resets > 0 { "time since the reset" } else { "time since the upward crossing" };
        let name = format!("advance by {state}");
        Shape::Series(Series {
            x: Axis::new(since, time),
            y: Axis::new(name.clone(), per),
            curves: vec![curve(name, x, self.values(), CurveStyle::Line)],
            references: vec![ReferenceLine { name: "0".into(), at: 0.0, vertical: false }],
        })
    }

    fn summary(&self, subject: &str, time: &str, per: &str) -> String {
        let (values, phases) = (self.values(), self.phases());
        let (high, low) = (self.extreme(1.0), self.extreme(-1.0));
        format!(
            "{subject}: period {} {time}, kicks advance by up to {} {per} at phase {}, and {}",
            brief(self.response.period / self.seconds),
            brief(values[high]),
            brief(phases[high]),
            if values[low] < 0.0 {
                format!("delay by up to {} {per} at phase {}", brief(-values[low]), brief(phases[low]))
            } else {
                "delay nowhere".to_owned()
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equation_fixtures::{Model, number, run, whole};
    use crate::testing::metric;
    use spikedeck_equation::TimeUnit;
    use spikedeck_signal::Recording;

    /// The theta neuron (Ermentrout 1996) in the form of the quadratic one, V' = V² + 1: Z = 1/f = 1/(1 + V²), and with
    /// limits at ±100 the period is 2 atan(100).
    #[test]
    fn a_quadratic_neuron_is_advanced_at_every_phase() {
        let model = Model {
            equations: "dv/dt = v**2 + I : 1",
            inputs: &[("I", "1")],
            initial: &["0"],
            threshold: Some("v > 100"),
            reset: Some("v = -100"),
            time_unit: TimeUnit::Dimensionless,
            ..Model::default()
        };
        let scenario = model.scenario(0.001, 10_000, &[("I", "1")]);
        let out = run(&PhaseResponse, &scenario, &Recording::default(), &[("transient", number(5.0))]).unwrap();
        let value = |name: &str| metric(&out, "p", name).value.unwrap();
        assert!((value("period") - 2.0 * 100.0_f64.atan()).abs() < 1e-6, "{}", value("period"));
        assert_eq!(value("resets"), 1.0);
        // Z is greatest, 1, where the flow is slowest: at V = 0, half-way between two spikes.
        assert!((value("max") - 1.0).abs() < 1e-3 && (value("max_phase") - 0.5).abs() < 0.01);
        assert!(value("min") > 0.0 && value("delaying") == 0.0);
        assert!((value("closing") - 1.0).abs() < 1e-6);
    }

    /// V' = (E − V)/τ with E = 20, τ = 10, threshold 15, reset 0: Z = τ/(E − V), whose mean over the time in which V
    /// is not held is τ (1/5 − 1/20)/ln 4 whatever the rest after a spike, because dt = Z dV.
    #[test]
    fn the_mean_is_over_the_time_in_which_the_state_moves() {
        let cases: [&'static [(&'static str, &'static str)]; 3] = [
            &[("E", "20"), ("tau", "10"), ("t_ref", "0")],
            &[("E", "20"), ("tau", "10"), ("t_ref", "5")],
            &[("E", "20"), ("tau", "10"), ("t_ref", "20")],
        ];
        for parameters in cases {
            let model = Model {
                equations: "dv/dt = (E + I - v)/tau : 1",
                parameters,
                inputs: &[("I", "1")],
                initial: &["0"],
                threshold: Some("v > 15"),
                reset: Some("v = 0"),
                refractory: Some(("t_ref", &["v"])),
                time_unit: TimeUnit::Dimensionless,
            };
            let scenario = model.scenario(0.01, 20_000, &[("I", "0")]);
            let points = [("points", whole(2000))];
            let out = run(&PhaseResponse, &scenario, &Recording::default(), &points).unwrap();
            let value = metric(&out, "p", "mean").value.unwrap();
            let wanted = 10.0 * (1.0 / 5.0 - 1.0 / 20.0) / 4.0_f64.ln();
            assert!((value - wanted).abs() < 2e-3 * wanted, "{parameters:?}: {value} is not {wanted}");
            assert_eq!(metric(&out, "p", "delaying").value.unwrap(), 0.0);
        }
    }

    /// FitzHugh-Nagumo at 0.5 (ground truth C7: period 39.4744) is delayed by kicks at some phases: type 2. At 0 it
    /// rests, and there is a word for it.
    #[test]
    fn fitzhugh_nagumo_is_of_type_2() {
        let model = Model {
            equations: "dv/dt = v - v**3/3 - w + I : 1\ndw/dt = 0.08*(v + 0.7 - 0.8*w) : 1",
            inputs: &[("I", "1")],
            initial: &["-1", "-0.5"],
            time_unit: TimeUnit::Dimensionless,
            ..Model::default()
        };
        let scenario = model.scenario(0.02, 20_000, &[("I", "0.5")]);
        let out = run(&PhaseResponse, &scenario, &Recording::default(), &[]).unwrap();
        let value = |name: &str| metric(&out, "p", name).value.unwrap();
        assert!((value("period") - 39.4744).abs() < 2e-4, "{}", value("period"));
        assert!(value("min") < 0.0 && value("delaying") > 0.05, "{}", value("delaying"));
        assert!((value("closing") - 1.0).abs() < 1e-4 && value("multiplier") < 0.1);
        let scenario = model.scenario(0.02, 20_000, &[]);
        let out = run(&PhaseResponse, &scenario, &Recording::default(), &[]).unwrap();
        assert!(metric(&out, "p", "period").value.is_none() && out.summary.contains("no cycle"), "{}", out.summary);
    }
}
