//! The Lyapunov spectrum of one unit's equations, or of a network of coupled units, by tangent dynamics from the
//! symbolic Jacobian.

mod network;
mod windows;

use super::prelude::*;
use spikedeck_core::number::shown;
use std::f64::consts::LN_2;

use super::binding::{Bound, UnitOptions};
use spikedeck_core::dynamics::Dynamics;
use spikedeck_core::linear::eigenvalues;
use spikedeck_core::lyapunov::{Settings, Spectrum, kaplan_yorke, spectrum};
use spikedeck_core::trajectory::{Scheme, Trajectory, TrajectoryError};
use spikedeck_core::units::short;
use spikedeck_signal::{Axis, CurveStyle, NamedShape, ReferenceLine, Series, Shape, TimeBase};

/// `kind = "lyapunov"`.
#[derive(Debug, Clone, Copy)]
pub struct Lyapunov;

/// Most states that a full spectrum is computed for without being asked.
const MOST_EXPONENTS: usize = 16;

const CARD: AnalysisCard = AnalysisCard {
    title: "Lyapunov spectrum",
    synonyms: &["lyapunov_exponents", "lyapunov_spectrum", "chaos", "kaplan_yorke", "benettin"],
    summary: "how fast neighbouring states part, in every direction, from the equations of a unit or of a network",
    formula: "M' = J(x) M flies with x' = f(x); every interval M = Q R; λᵢ = Σ ln Rᵢᵢ / T\n\
              of a map: M → (1 + h J(x)) M with x → x + h f(x)\n\
              at a reset g on h(x) = 0: M → (Dg + (f⁺ − Dg f⁻)∇hᵀ/(∇h·f⁻)) M\n\
              at a pulse that arrives, or a rest that ends, δt late: M → Dg M + (Dg f⁻ − f⁺) δt, where δt is that of \
              the spike that it comes from, −∇h·M/(∇h·f⁻)\n\
              Kaplan-Yorke dimension: j + Σ_{i≤j} λᵢ/|λ_{j+1}|; Pesin entropy rate: Σ of the positive ones",
    assumptions: "Deterministic equations of one unit, or with `coupled` of all units with their connections \
                  (continuous ones without delay; spikes with any delay, as pulses at exact times, with resets and \
                  rests of all units; no plasticity), with constant input: noise, other connections and inputs that \
                  change are left out, and said so. The trajectory after the transient stays on one attractor.",
    bias: "The estimate converges as 1/T; the zero exponent of a flow shows how far it is (a value near it is not \
           told from zero). The \
           interval rests on how growth in stretches of the run depends on the growth before (it mostly evens out, so \
           that blocks taken as independent would say too much), the curve shows the rest. The sum must equal the mean \
           divergence of the flow: both are given.",
    cost: "O(n² k) a step for n states and k exponents, four Jacobians a step; of a network O(k (n + connections)) a \
           step, and O((n + pulses under way) k²) an interval; of spikes, a step of all for each time at which some \
           arrive, and O(k) for each unit that is reached. Resets are located to rounding.",
    caveats: "Finite-time exponents are of the directions that grew most until then, one after the other, and depend \
              on the window. A long transient that looks chaotic is not told from chaos. Coexisting attractors: what \
              is measured depends on the initial state. Steps too long for a stiff model show as a sum that differs \
              from the divergence: halve `step`. A crossing that only grazes the threshold has no saltation matrix; \
              such events are counted.",
    references: &[
        "Benettin, Galgani, Giorgilli, Strelcyn 1980, Meccanica 15:9-20, doi:10.1007/BF02128236",
        "Shimada, Nagashima 1979, Prog Theor Phys 61:1605-1616, doi:10.1143/PTP.61.1605",
        "Kaplan, Yorke 1979, Lect Notes Math 730:204-227, doi:10.1007/BFb0064319",
        "Pesin 1977, Russ Math Surv 32:55-114, doi:10.1070/RM1977v032n04ABEH001639",
        "di Bernardo, Budd, Champneys, Kowalczyk 2008, Piecewise-smooth Dynamical Systems, \
         doi:10.1007/978-1-84628-708-4",
        "Monteforte, Wolf 2010, Phys Rev Lett 105:268104, doi:10.1103/PhysRevLett.105.268104",
    ],
};

words! {
    for Scheme {
        Flow = "flow",
        Map = "map",
    }
}

options! {
    /// What `lyapunov` can be told.
    pub struct Options {
        exponents: Option<usize> = integer_if_given().between(1.0, 1000.0),
            "how many, the largest first (default all, up to 16)";
        duration: Option<Time> = time_if_given().stretch(), "time measured (default the scenario's duration after its \
            transient)";
        transient: Option<Time> = time_if_given().or_zero(),
            "time left out first, for state and frame (default the scenario's transient, at least a tenth of its \
             duration)";
        step: Option<Time> = time_if_given().piece(), "step of the Runge-Kutta scheme (default the scenario's dt)";
        interval: Option<Time> = time_if_given().piece(), "time between orthonormalisations (default ten steps)";
        scheme: Scheme = choice(Scheme::Flow),
            "flow: of the differential equations; map: of the map that Euler's scheme makes of them, for maps written \
             as du/dt = f(u) - u \
             with a step of 1, or to see what a scheme adds";
        batches: usize = integer("20").between(4.0, 400.0),
            "part of the time, a batches-th, up to which growth is taken to depend on growth before (for the interval)";
        coupled: bool = flag(false),
            "of the whole: all units of the populations of `of` with the connections among them";
        window: Option<Time> = time_if_given().piece(),
            "also exponents of stretches of this length (finite-time exponents): how much growth differs along the run";
        unit: UnitOptions = shared();
    }
}

impl Estimator for Lyapunov {
    type Options = Options;
    const KIND: &'static str = "lyapunov";
    const SUBJECTS: Subjects = Subjects::Population;
    const CARD: AnalysisCard = CARD;
    const TABLE: &'static str = "values";

    fn together(o: &Options, times: RunTimes) -> Result<(), Wrong> {
        let Times { step, duration, interval, .. } = Times::of(o, times);
        let window = o.window.map_or(interval, |w| w.seconds);
        let cannot = |key, message: String| {
            let help = "exponents are measured over `duration`, in steps and intervals that it holds".to_owned();
            Err(Wrong { key, message, help })
        };
        let longer = |what: &str, time: f64| {
            format!("{what} of {} is longer than the `duration` of {}", times.show(time), times.show(duration))
        };
        if duration <= 0.0 {
            return cannot("duration", "`duration` is above zero".to_owned());
        }
        if step > duration {
            return cannot("step", longer("a step", step));
        }
        if interval > duration {
            return cannot("interval", longer("an interval", interval));
        }
        if window < interval * (1.0 - 1e-9) {
            let (window, interval) = (times.show(window), times.show(interval));
            return cannot("window", format!("a window of {window} is shorter than the `interval` of {interval}"));
        }
        if o.window.is_some() && 2.0 * window > duration * (1.0 + 1e-9) {
            return cannot("window", longer("twice the window", 2.0 * window));
        }
        Ok(())
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        if o.coupled {
            return network::measure(o, f);
        }
        let request = f.request;
        let bound = Bound::new(request, &o.unit)?;
        let about =
            About { subject: bound.population.name.clone(), base: bound.base, dimension: bound.flow.dimension() };
        let settings = settings(request, o, about.dimension)?;
        if settings.scheme == Scheme::Map
            && Trajectory::new(&bound.flow, 0.0, &bound.initial, Vec::new(), settings.step).is_hybrid()
        {
            return Err(AnalysisError::Unsuitable(format!(
                "`scheme = \"map\"` knows no threshold, and the units of `{}` are reset at one: leave the option \
                 out",
                about.subject
            )));
        }
        if let Some(why) = bound.flow.unlike_later().filter(|_| settings.scheme == Scheme::Flow) {
            return Err(AnalysisError::Unsuitable(format!(
                "vectors do not go through the spikes of `{}` here, as {why}; `coupled = true` follows rests that \
                 depend on states",
                about.subject
            )));
        }
        let steps = 200.0 + (settings.transient + settings.duration) / settings.interval;
        let mut done = 0.0;
        let found = spectrum(&bound.flow, &bound.initial, settings, || {
            done += 1.0;
            f.progress(done / steps).is_ok()
        });
        request.check_cancelled()?;
        bound.warnings.iter().for_each(|w| f.warn(w));
        if !bound.flow.is_autonomous() {
            f.warn("the equations depend on time: no exponent is zero for time's sake");
        }
        match &found {
            Ok(found) => {
                let rests = warn(found, &bound, settings, f);
                about.tell(found, settings, rests, f);
            }
            Err(error) => about.tell_failure(error, f),
        }
        Ok(())
    }
}

/// What the exponents are of.
struct About {
    subject: String,
    base: TimeBase,
    dimension: usize,
}

impl About {
    /// `rests` says whether the trajectory stays at a fixed point.
    fn tell(&self, found: &Spectrum, settings: Settings, rests: bool, f: &mut Findings<'_>) {
        f.metrics(metrics(found, self, settings, rests));
        f.shapes([curves(found, self.base)]);
        f.shapes(windows::curves(found, self.base));
        f.word(summary(found, self));
    }

    fn tell_failure(&self, error: &TrajectoryError, f: &mut Findings<'_>) {
        let why = format!("the trajectory could not be followed: {error}; a smaller `step` may help");
        f.metric(Metric::missing(&self.subject, "lambda_1", self.base.per_time(), 0, &why));
        f.word(format!("Lyapunov spectrum of {}: no value, {why}", self.subject));
    }
}

/// How long is measured and in which steps, in seconds (or time units).
struct Times {
    step: f64,
    transient: f64,
    duration: f64,
    interval: f64,
}

impl Times {
    fn of(o: &Options, times: RunTimes) -> Self {
        let or = |time: Option<Time>, usual: f64| time.map_or(usual, |t| t.seconds);
        let step = or(o.step, times.dt);
        Self {
            step,
            transient: or(o.transient, times.transient.max(0.1 * times.duration)),
            duration: or(o.duration, times.duration - times.transient),
            interval: or(o.interval, 10.0 * step),
        }
    }
}

fn settings(request: &Request<'_>, o: &Options, n: usize) -> Result<Settings, AnalysisError> {
    let Some(spec) = request.scenario else {
        return Err(AnalysisError::Unsuitable("exponents are of equations, and this recording has none".into()));
    };
    let Times { step, transient, duration, interval } = Times::of(o, spec.simulation.times());
    let exponents = o.exponents.map_or(n.min(MOST_EXPONENTS), |k| k.min(n));
    let (scheme, batches) = (o.scheme, o.batches);
    let window = o.window.map(|t| t.seconds);
    Ok(Settings { exponents, transient, duration, step, scheme, interval, batches, window })
}

fn metrics(found: &Spectrum, about: &About, settings: Settings, rests: bool) -> Vec<Metric> {
    let (subject, base, dimension) = (&about.subject, about.base, about.dimension);
    // Exponents are per second, or per time unit of a dimensionless system.
    let unit = base.per_time();
    let n = found.renormalisations;
    let mut list = Vec::new();
    for (i, &e) in found.exponents.iter().enumerate() {
        let name = format!("lambda_{}", i + 1);
        if e == f64::NEG_INFINITY {
            list.push(Metric::missing(subject, name, unit, n, "minus infinity: the reset forgets this direction"));
            continue;
        }
        let half = found.half_width[i];
        let m = Metric::new(subject, name, e, unit, n)
            .note("natural logarithm")
            .interval(e - half, e + half)
            .interval_by(format!("95 % interval (t), growth dependent up to a {}th of the time", settings.batches));
        list.push(m.note(format!("running sd {}", short(found.running_sd[i]))));
    }
    let all = found.exponents.len() == dimension && found.exponents.iter().all(|e| e.is_finite());
    if all {
        list.push(Metric::new(subject, "sum", found.exponents.iter().sum(), unit, n).note("of all exponents"));
    }
    if let Some(divergence) = found.divergence {
        list.push(
            Metric::new(subject, "divergence", divergence, unit, n)
                .note("mean growth of volumes, with resets: equals the sum"),
        );
    }
    list.extend(geometry(found, about, rests));
    if settings.window.is_some() {
        list.extend(windows::measures(found, about));
    }
    if found.resets > 0 {
        let rate = Metric::new(subject, "rate", found.resets as f64 / found.time, base.rate_unit(), found.resets);
        list.push(rate.note("resets on the trajectory measured"));
    }
    list
}

/// The dimension of the attractor and the rate at which it makes entropy.
fn geometry(found: &Spectrum, about: &About, rests: bool) -> [Metric; 2] {
    let (subject, base, dimension, n) = (&about.subject, about.base, about.dimension, found.renormalisations);
    let per = if base == TimeBase::Milliseconds { "bits/s" } else { "bits/time" };
    let clear = snapped(found);
    let name = "kaplan_yorke_dimension";
    if rests && clear.first().is_some_and(|e| *e > 0.0) {
        let why = "the trajectory stays at a fixed point that is unstable, which is no attractor";
        return [Metric::missing(subject, name, "", n, why), Metric::missing(subject, "entropy_rate", per, n, why)];
    }
    let of = match kaplan_yorke(&clear, dimension) {
        Some(d) => Metric::new(subject, name, d, "", n).note("exponents within their interval of 0 count as 0"),
        None => Metric::missing(subject, name, "", n, "more exponents are needed: their sum never becomes negative"),
    };
    [of, entropy_rate(subject, &clear, dimension, per, n)]
}

/// The sum of the positive exponents among the largest, which `clear` holds in falling order: of all that are positive
/// only where one of them is not, or there are no more.
fn entropy_rate(subject: &str, clear: &[f64], dimension: usize, per: &str, n: u64) -> Metric {
    if clear.len() < dimension && clear.iter().all(|e| *e > 0.0) {
        let why = format!(
            "all of the {} exponents computed are positive, and more may be: raise `exponents` until one is not",
            clear.len()
        );
        return Metric::missing(subject, "entropy_rate", per, n, why);
    }
    let positive: f64 = clear.iter().filter(|e| **e > 0.0).sum();
    Metric::new(subject, "entropy_rate", positive / LN_2 + 0.0, per, n)
        .note("Pesin: sum of the positive exponents, an upper bound")
}

/// The exponents, those that are not told from zero as zero: they are small and zero lies in their interval.
fn snapped(found: &Spectrum) -> Vec<f64> {
    let largest = found.exponents.iter().filter(|e| e.is_finite()).fold(0.0_f64, |m, e| m.max(e.abs()));
    let is_zero = |i: usize, e: f64| e.abs() <= 2.0 * found.half_width[i] && e.abs() < 1e-2 * largest;
    found.exponents.iter().enumerate().map(|(i, &e)| if is_zero(i, e) { 0.0 } else { e }).collect()
}

/// That the flow was followed too coarsely, if it was.
fn warn_of_step(found: &Spectrum, settings: Settings, f: &mut Findings<'_>) {
    let sum: f64 = found.exponents.iter().sum();
    if let Some(divergence) = found.divergence
        && (sum - divergence).abs() > 1e-2 * divergence.abs().max(found.exponents[0].abs())
    {
        f.warn(format!(
            "the exponents sum to {}, the flow's mean divergence is {}: the step of {} is too long",
            short(sum),
            short(divergence),
            short(settings.step)
        ));
    }
}

/// That the run had not come to an attractor, where growth says so.
fn warn_of_drift(found: &Spectrum, f: &mut Findings<'_>) {
    let fastest = found.exponents.iter().filter(|e| e.is_finite()).fold(0.0_f64, |m, e| m.max(e.abs()));
    let drifts = |d: &Option<f64>| d.filter(|d| d.abs() > 5e-2 * fastest);
    if let Some((j, drift)) = found.drift.iter().enumerate().find_map(|(j, d)| drifts(d).map(|d| (j, d))) {
        f.warn(format!(
            "exponent {} is {} {} in the second half of the time than in the first: the run is not on its attractor \
             yet, or changes slowly; a longer `transient` or `duration` tells",
            j + 1,
            short(drift.abs()),
            if drift < 0.0 { "smaller" } else { "greater" }
        ));
    }
}

fn warn_of_grazing(found: &Spectrum, f: &mut Findings<'_>) {
    if found.grazing > 0 {
        f.warn(format!("{} crossings only grazed the threshold and were taken without saltation", found.grazing));
    }
}

/// What a reader should know; whether the trajectory rests.
fn warn(found: &Spectrum, bound: &Bound<'_>, settings: Settings, f: &mut Findings<'_>) -> bool {
    warn_of_step(found, settings, f);
    warn_of_grazing(found, f);
    warn_of_drift(found, f);
    let n = bound.flow.dimension();
    // A threshold without a reset marks spikes of a smooth flow: there is nothing to miss.
    let mut after = found.state.clone();
    let resets = bound.flow.reset(found.time, &mut after, &mut vec![0.0; n * n]).is_some() && after != found.state;
    if found.resets == 0 && resets {
        f.warn("no reset happened while measuring: these are the exponents of the silent unit");
    }
    let at_rest = at_rest(found, &bound.flow);
    if let Some(at_rest) = &at_rest {
        f.warn(format!(
            "the trajectory rests at a fixed point; the real parts of its eigenvalues (at most 16) are {at_rest}"
        ));
    }
    at_rest.is_some()
}

/// Real parts of the eigenvalues where the trajectory ended, if it rests there.
fn at_rest<D: Dynamics>(found: &Spectrum, flow: &D) -> Option<String> {
    let n = flow.dimension();
    let mut f = vec![0.0; n];
    flow.rate(found.time, &found.state, &mut f);
    let still = f.iter().zip(&found.state).all(|(f, x)| f.abs() * found.time <= 1e-6 * x.abs().max(f64::MIN_POSITIVE));
    if !still || found.resets > 0 {
        return None;
    }
    let mut jacobian = vec![0.0; n * n];
    flow.jacobian(found.time, &found.state, &mut jacobian);
    let values = eigenvalues(&jacobian, n)?;
    let most = values.iter().take(MOST_EXPONENTS);
    Some(most.map(|v| short(v.0)).collect::<Vec<_>>().join(", "))
}

fn curves(found: &Spectrum, base: TimeBase) -> NamedShape {
    let seconds = base.seconds();
    let time: Vec<f64> = found.curve.iter().map(|c| c.0 / seconds).collect();
    let curves = (0..found.exponents.len())
        .map(|j| {
            let y = found.curve.iter().map(|c| c.1[j]).collect();
            curve(format!("λ{}", j + 1), time.clone(), y, CurveStyle::Line)
        })
        .collect();
    let mut x = Axis::new("time measured", base.unit());
    x.is_time = false;
    let y = Axis::new("exponent", base.per_time());
    let references = vec![ReferenceLine { name: "0".into(), at: 0.0, vertical: false }];
    NamedShape::new("convergence", Shape::Series(Series { x, y, curves, references }))
}

fn summary(found: &Spectrum, about: &About) -> String {
    let list: Vec<String> = found.exponents.iter().take(4).map(|e| shown(*e)).collect();
    let clear = snapped(found);
    let verdict = match clear.first() {
        Some(e) if *e > 0.0 && found.exponents[0] > found.half_width[0] => "chaotic",
        Some(e) if *e < 0.0 => "settles at a fixed point or is silent",
        _ => "regular",
    };
    format!("{}: exponents {} {} ({verdict})", about.subject, list.join(", "), about.base.per_time())
}

#[cfg(test)]
#[path = "lyapunov_tests.rs"]
mod tests;
