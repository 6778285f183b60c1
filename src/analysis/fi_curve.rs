//! Firing rate against constant input: all currents as lanes of one stepper.

use super::binding::{Bound, UnitOptions, display};
use super::prelude::*;
use rayon::prelude::*;
use spikedeck_core::trajectory::Trajectory;
use spikedeck_core::units::{brief, short};
use spikedeck_scenario::{InputId, Integrator, SpikeTimes};
use spikedeck_signal::{Axis, Curve, CurveStyle, NamedShape, ReferenceLine, Series, Shape};
use spikedeck_sim::{Stepper, StepperSpec, UnitValues};

/// `kind = "fi_curve"`.
#[derive(Debug, Clone, Copy)]
pub struct FiCurve;

/// Rounds of refinement of the rheobase; each divides its bracket by the number of lanes.
const ROUNDS: usize = 5;

const CARD: AnalysisCard = AnalysisCard {
    title: "f-I curve",
    synonyms: &["f_i_curve", "gain_curve", "input_output_curve", "frequency_current"],
    summary: "firing rate against constant input, with rheobase, latency, and the rate of exactly located spikes",
    formula: "mean rate: spikes after the transient / (duration − transient); steady rate: 1 / mean of the last three \
              intervals; \
              rheobase: the least input with a spike after the transient, on the grid and refined inside its cell",
    assumptions: "One unit, input constant from the start, initial state as in the scenario; the last three intervals \
                  are steady.",
    bias: "Spike times stand on the grid of the step (unless the scenario interpolates them): intervals are too long \
           by up to one \
           step. The dashed curve locates each crossing to rounding and shows how much that matters.",
    cost: "O(inputs × steps), six times with refinement.",
    caveats: "A slow unit that fires later than `duration` counts as silent, so the rheobase is that of this \
              duration. With adaptation, \
              mean and steady rate differ: both are given. Bistable units: the curve is that of this initial state.",
    references: &[
        "Gerstner, Kistler, Naud, Paninski 2014, Neuronal Dynamics, doi:10.1017/CBO9781107447615",
        "Fourcaud-Trocmé, Hansel, van Vreeswijk, Brunel 2003, J Neurosci 23:11628-11640, \
         doi:10.1523/JNEUROSCI.23-37-11628.2003",
    ],
};

options! {
    /// What `fi_curve` can be told.
    pub struct Options {
        input: InputId = input(), "input port that is stepped (default the first)";
        from: Option<Quantity> = of_input("input"), "first input, a quantity such as \"0 nA\" (default none)";
        to: Option<Quantity> = of_input("input"), "last input (default twice what the stimuli give)";
        steps: usize = integer("21").between(2.0, 100_000.0), "number of inputs, ends included";
        duration: Option<Time> = time_if_given().stretch(), "length of each run (default the scenario's duration)";
        transient: Option<Time> = time_if_given().or_zero(),
            "left out of mean rate and rheobase (default the scenario's transient)";
        refine: bool = flag(true), "refine the rheobase inside its cell of the grid";
        exact: bool = flag(true),
            "also the steady rate of exactly located spikes, where the model has a reset";
        unit: UnitOptions = shared();
    }
}

impl Estimator for FiCurve {
    type Options = Options;
    const KIND: &'static str = "fi_curve";
    const SUBJECTS: Subjects = Subjects::Population;
    const CARD: AnalysisCard = CARD;
    const TABLE: &'static str = "values";

    fn together(o: &Options, times: RunTimes) -> Result<(), Wrong> {
        if let (Some(from), Some(to)) = (o.from, o.to)
            && from.si >= to.si
        {
            let message = "`to` is not above `from`".to_owned();
            return Err(Wrong { key: "to", message, help: "inputs are stepped from the lower to the higher".into() });
        }
        let (whole, transient) = lengths(o, times);
        if whole <= transient {
            return Err(Wrong {
                key: if o.duration.is_some() { "duration" } else { "transient" },
                message: format!(
                    "each run lasts {}, and its first {} are left out: nothing is left",
                    times.show(whole),
                    times.show(transient)
                ),
                help: "`duration` is longer than `transient`, which is the scenario's if it is not said".into(),
            });
        }
        let steps = (whole / times.dt).round();
        if (whole / times.dt - steps).abs() > 1e-6 || steps < 1.0 {
            let message = format!("`duration` of {} is no multiple of the step", times.show(whole));
            let help = format!("the step is {}", times.show(times.dt));
            return Err(Wrong { key: "duration", message, help });
        }
        Ok(())
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let request = f.request;
        let bound = Bound::new(request, &o.unit)?;
        let protocol = Protocol::new(request, o, &bound)?;
        let runs = f.part(0, 3, |f| protocol.runs(f, &protocol.inputs))?;
        let exact = if o.exact { f.part(1, 3, |f| protocol.exact(f))? } else { None };
        let refined = if o.refine { f.part(2, 3, |f| protocol.refine(f, &runs))? } else { None };
        let name = &bound.population.name;
        let rheobase = protocol.rheobase(&runs, refined);
        f.word(match (rheobase.value, protocol.first_firing(&runs)) {
            (Some(r), _) => format!("{name}: fires from {} {} on", brief(r), protocol.unit),
            (None, Some(_)) => format!("{name}: fires at the lowest input already"),
            (None, None) => format!("{name}: silent at all inputs"),
        });
        f.metric(rheobase);
        f.metrics(protocol.metrics(&runs));
        f.shapes(protocol.shapes(&runs, exact, refined));
        bound.warnings.iter().for_each(|w| f.warn(w));
        Ok(())
    }
}

/// How long each run is, and what of it is left out, in seconds (or time units).
fn lengths(o: &Options, times: RunTimes) -> (f64, f64) {
    let or = |given: Option<Time>, usual: f64| given.map_or(usual, |t| t.seconds);
    (or(o.duration, times.duration), or(o.transient, times.transient))
}

/// What is stepped, and for how long.
struct Protocol<'b, 'a> {
    bound: &'b Bound<'a>,
    port: usize,
    /// Inputs in SI.
    inputs: Vec<f64>,
    unit: String,
    scale: f64,
    dt: f64,
    steps: u64,
    /// In seconds (or time units).
    transient: f64,
    seed: u64,
    integrator: Integrator,
    spike_times: SpikeTimes,
}

/// Spike times of one input, in seconds (or time units).
type Run = Vec<f64>;

impl<'b, 'a> Protocol<'b, 'a> {
    fn new(request: &Request<'_>, o: &Options, bound: &'b Bound<'a>) -> Result<Self, AnalysisError> {
        let spec = request.scenario.ok_or_else(|| AnalysisError::Unsuitable("an f-I curve needs a scenario".into()))?;
        let port = o.input.index();
        if !bound.system.spikes() {
            return Err(AnalysisError::Unsuitable(format!(
                "`{}` has no threshold, so it has no spikes to count",
                bound.population.name
            )));
        }
        let (from, to) = (o.from.map_or(0.0, |q| q.si), o.to.map_or(2.0 * bound.inputs[port], |q| q.si));
        if from.is_nan() || to.is_nan() || from >= to {
            return Err(AnalysisError::Unsuitable(
                "give `from` and `to`, the first below the second, as in from = \"0 nA\", to = \"10 nA\"".into(),
            ));
        }
        let times = spec.simulation.times();
        let (whole, transient) = lengths(o, times);
        let (unit, scale) = display(bound.system.inputs()[port].dimension);
        Ok(Self {
            bound,
            port,
            inputs: between(from, to, o.steps),
            unit,
            scale,
            dt: times.dt,
            steps: (whole / times.dt).round() as u64,
            transient,
            seed: spec.simulation.noise_seed(),
            integrator: bound.population.integrator,
            spike_times: spec.simulation.spike_times,
        })
    }

    /// Spike times for each of `inputs`, as lanes of one stepper.
    fn runs(&self, f: &Findings<'_>, inputs: &[f64]) -> Result<Vec<Run>, AnalysisError> {
        let shared = |v: &[f64]| v.iter().map(|v| UnitValues::Shared(*v)).collect::<Vec<_>>();
        let entity = format!("populations.{}", self.bound.population.name);
        let mut stepper = Stepper::new(StepperSpec {
            system: self.bound.system,
            integrator: self.integrator,
            dt: self.dt,
            substeps: self.bound.population.substeps,
            parameters: shared(&self.bound.parameters),
            initial: shared(&self.bound.initial),
            first_unit: 0,
            lanes: inputs.len(),
            seed: self.seed,
            entity: &entity,
            spike_times: self.spike_times,
            noise_factor: 1.0,
            in_stages: false,
        })
        .map_err(|e| AnalysisError::Unsuitable(e.message))?;
        let columns: Vec<Vec<f64>> = (0..self.bound.inputs.len())
            .map(|p| if p == self.port { inputs.to_vec() } else { vec![self.bound.inputs[p]; inputs.len()] })
            .collect();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let mut runs = vec![Vec::new(); inputs.len()];
        let mut spikes = Vec::new();
        for step in 0..self.steps {
            if step % 4096 == 0 {
                f.progress(step as f64 / self.steps as f64)?;
            }
            let mut nothing: Vec<&mut [f64]> = self.bound.system.event_ports().iter().map(|_| &mut [][..]).collect();
            spikes.clear();
            stepper.advance(step, &columns, &mut nothing, &mut spikes);
            for s in &spikes {
                runs[s.lane as usize].push((step as f64 + s.fraction) * self.dt);
            }
            stepper.reset(step, &spikes);
        }
        match stepper.not_finite() {
            Some((lane, _)) => Err(AnalysisError::Unsuitable(format!(
                "a state became infinite or NaN at {} {}: take a smaller step or another integrator",
                short(inputs[lane as usize] / self.scale),
                self.unit
            ))),
            None => Ok(runs),
        }
    }

    fn after(&self, run: &[f64]) -> usize {
        run.iter().filter(|&&t| t > self.transient * (1.0 + 1e-12)).count()
    }

    /// First input of the grid with a spike after the transient.
    fn first_firing(&self, runs: &[Run]) -> Option<usize> {
        runs.iter().position(|r| self.after(r) > 0)
    }

    /// The rheobase inside its cell of the grid: between the last silent input and the first that fires.
    fn refine(&self, f: &mut Findings<'_>, runs: &[Run]) -> Result<Option<f64>, AnalysisError> {
        let Some(first) = self.first_firing(runs).filter(|&i| i > 0) else { return Ok(None) };
        let (mut low, mut high) = (self.inputs[first - 1], self.inputs[first]);
        for round in 0..ROUNDS {
            let inputs = between(low, high, 18);
            let inside = f.part(round, ROUNDS, |f| self.runs(f, &inputs))?;
            let Some(i) = self.first_firing(&inside).filter(|&i| i > 0) else { break };
            (low, high) = (inputs[i - 1], inputs[i]);
        }
        Ok(Some(high))
    }

    /// Steady rate of exactly located spikes for each input; `None` where the model has no reset. A trajectory that
    /// locates its spikes goes at its own pace, so that inputs are no lanes here: they are shared out to the threads.
    fn exact(&self, f: &Findings<'_>) -> Result<Option<Vec<f64>>, AnalysisError> {
        let mut rates = Vec::new();
        for some in self.inputs.chunks(rayon::current_num_threads().max(1)) {
            f.progress(rates.len() as f64 / self.inputs.len() as f64)?;
            let found: Option<Vec<f64>> = some.par_iter().map(|&input| self.exact_rate(input)).collect();
            let Some(found) = found else { return Ok(None) };
            rates.extend(found);
        }
        Ok(Some(rates))
    }

    /// The same for one input.
    fn exact_rate(&self, input: f64) -> Option<f64> {
        let flow = self.bound.with_input(self.port, input);
        let mut trajectory = Trajectory::new(&flow, 0.0, &self.bound.initial, Vec::new(), self.dt);
        if !trajectory.is_hybrid() || !flow.is_autonomous() {
            return None;
        }
        let (mut times, mut seen) = (Vec::new(), 0);
        // A single state starts each interval anew, so two spikes say it all.
        let enough = if flow.dimension() == 1 { 3 } else { u64::MAX };
        while trajectory.t < self.steps as f64 * self.dt * (1.0 - 1e-12) && trajectory.resets < enough {
            trajectory.advance(self.dt).ok()?;
            if trajectory.resets > seen {
                seen = trajectory.resets;
                times.push(trajectory.last_reset);
            }
        }
        Some(steady_rate(&times))
    }

    /// The least input that fires, `best` if it is known better than on the grid. The lowest of the grid is none: the
    /// least may lie below it.
    fn least_input(&self, name: &str, runs: &[Run], best: Option<f64>, note: &str) -> Metric {
        let (subject, n) = (&self.bound.population.name, self.inputs.len() as u64);
        let missing = |why: String| Metric::missing(subject, name, &self.unit, n, why);
        match self.first_firing(runs) {
            None => missing("no input of the grid gives a spike after the transient".into()),
            Some(0) => missing(format!(
                "the unit fires at the lowest input already, {} {}: choose a lower `from`",
                short(self.inputs[0] / self.scale),
                self.unit
            )),
            Some(i) => {
                let value = best.unwrap_or(self.inputs[i]) / self.scale;
                Metric::new(subject, name, value, &self.unit, n).note(note)
            }
        }
    }

    fn rheobase(&self, runs: &[Run], refined: Option<f64>) -> Metric {
        let inside = "refined inside its cell of the grid, for this duration";
        let note = if refined.is_some() { inside } else { "on the grid" };
        self.least_input("rheobase", runs, refined, note)
    }

    fn metrics(&self, runs: &[Run]) -> Vec<Metric> {
        let subject = &self.bound.population.name;
        let hertz = self.bound.base.rate_unit();
        let note = "least input of the grid with a spike after the transient";
        let mut list = vec![self.least_input("rheobase_grid", runs, None, note)];
        for (i, run) in runs.iter().enumerate().filter(|(_, r)| !r.is_empty()) {
            // The input stands in the name with its unit: `rate.250_pA`.
            let at = |what: &str| {
                Axis::new("", self.unit.as_str()).unit_after(&format!("{what}.{}", short(self.inputs[i] / self.scale)))
            };
            let spikes = run.len() as u64;
            list.push(Metric::new(subject, at("spikes"), spikes as f64, "", spikes).note("at this input, whole run"));
            list.push(
                Metric::new(subject, at("rate"), self.mean_rate(run), hertz, self.after(run) as u64)
                    .note("after the transient"),
            );
            list.push(if run.len() < 2 {
                Metric::missing(subject, at("steady_rate"), hertz, spikes, "one spike makes no interval")
            } else {
                Metric::new(subject, at("steady_rate"), steady_rate(run), hertz, spikes.min(4))
                    .note("of the last three intervals")
            });
        }
        list
    }

    fn mean_rate(&self, run: &[f64]) -> f64 {
        self.after(run) as f64 / (self.steps as f64 * self.dt - self.transient)
    }

    fn shapes(&self, runs: &[Run], exact: Option<Vec<f64>>, refined: Option<f64>) -> Vec<NamedShape> {
        let x: Vec<f64> = self.inputs.iter().map(|i| i / self.scale).collect();
        let axis = || Axis::new(self.bound.system.inputs()[self.port].name.clone(), self.unit.clone());
        let curve = |name: &str, y: Vec<f64>, style| Curve { name: name.into(), x: x.clone(), y, band: None, style };
        let steady = runs.iter().map(|r| steady_rate(r)).collect();
        let mut curves = vec![
            curve("steady rate", steady, CurveStyle::Line),
            curve("mean rate", runs.iter().map(|r| self.mean_rate(r)).collect(), CurveStyle::Points),
        ];
        if let Some(exact) = exact {
            curves.push(curve("spikes located exactly", exact, CurveStyle::Theory));
        }
        let references = refined.map(|r| ReferenceLine { name: "rheobase".into(), at: r / self.scale, vertical: true });
        let rate = Series {
            x: axis(),
            y: Axis::new("rate", self.bound.base.rate_unit()),
            curves,
            references: references.into_iter().collect(),
        };
        let seconds = self.bound.base.seconds();
        let latency = runs.iter().map(|r| r.first().map_or(f64::NAN, |t| t / seconds)).collect();
        let first = Series {
            x: axis(),
            y: Axis::new("first spike", self.bound.base.unit()),
            curves: vec![curve("latency", latency, CurveStyle::Line)],
            references: Vec::new(),
        };
        vec![NamedShape::new("f-I curve", Shape::Series(rate)), NamedShape::new("latency", Shape::Series(first))]
    }
}

/// `n` values from one end to the other, ends included.
fn between(from: f64, to: f64, n: usize) -> Vec<f64> {
    (0..n).map(|i| if i + 1 == n { to } else { from + (to - from) * i as f64 / (n - 1) as f64 }).collect()
}

/// 1 over the mean of the last three intervals (fewer if there are fewer); 0 without spikes, and not a number of a
/// single one, which makes no interval.
fn steady_rate(times: &[f64]) -> f64 {
    let last = &times[times.len().saturating_sub(4)..];
    match last {
        [first, .., end] => (last.len() - 1) as f64 / (end - first),
        [] => 0.0,
        [_] => f64::NAN,
    }
}

#[cfg(test)]
#[path = "fi_curve_tests.rs"]
mod tests;
