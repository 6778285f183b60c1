//! The full Lyapunov spectrum of one unit's equations, by tangent dynamics from the symbolic Jacobian.

use std::f64::consts::LN_2;

use super::binding::Bound;
use super::{
    Analysis, AnalysisCard, AnalysisDeclaration, AnalysisError, Metric, Outcome, Request, Subjects, bounded, from_zero,
    option,
};
use spikedeck_core::flight::{Flight, Scheme};
use spikedeck_core::linear::eigenvalues;
use spikedeck_core::lyapunov::{Settings, Spectrum, kaplan_yorke, spectrum};
use spikedeck_core::units::short;
use spikedeck_scenario::OptionKind;
use spikedeck_signal::{Axis, Curve, CurveStyle, NamedShape, ReferenceLine, Scalars, Series, Shape, TimeBase};

/// `kind = "lyapunov"`.
#[derive(Debug, Clone, Copy)]
pub struct Lyapunov;

/// Most states that a full spectrum is computed for without being asked.
const MOST_EXPONENTS: usize = 16;

static CARD: AnalysisCard = AnalysisCard {
    title: "Lyapunov spectrum",
    summary: "how fast neighbouring states part, in every direction, from the equations; positive: chaos",
    formula: "M' = J(x) M flies with x' = f(x); every interval M = Q R; λᵢ = Σ ln Rᵢᵢ / T\n\
              of a map: M → (1 + h J(x)) M with x → x + h f(x)\n\
              at a reset g on h(x) = 0: M → (Dg + (f⁺ − Dg f⁻)∇hᵀ/(∇h·f⁻)) M\n\
              Kaplan-Yorke dimension: j + Σ_{i≤j} λᵢ/|λ_{j+1}|; Pesin entropy rate: Σ of the positive ones",
    assumptions: "Deterministic equations of one unit, with constant input: noise, connections and inputs that change are left out, and \
                  said so. The trajectory after the transient stays on one attractor.",
    bias: "The estimate converges as 1/T; the zero exponent of a flow shows how far it is (a value near it is not told from zero). The \
           interval rests on batch means, the curve shows the rest. The sum must equal the mean divergence of the flow: both are given.",
    cost: "O(n² k) a step for n states and k exponents, four Jacobians a step; resets are located to rounding.",
    caveats: "A long transient that looks chaotic is not told from chaos. Coexisting attractors: what is measured depends on the initial \
              state. Steps too long for a stiff model show as a sum that differs from the divergence: halve `step`. A crossing that \
              only grazes the threshold has no saltation matrix; such events are counted.",
    references: &[
        "Benettin, Galgani, Giorgilli, Strelcyn 1980, Meccanica 15:9-20, doi:10.1007/BF02128236",
        "Shimada, Nagashima 1979, Prog Theor Phys 61:1605-1616, doi:10.1143/PTP.61.1605",
        "Kaplan, Yorke 1979, Lect Notes Math 730:204-227, doi:10.1007/BFb0064319",
        "Pesin 1977, Russ Math Surv 32:55-114, doi:10.1070/RM1977v032n04ABEH001639",
        "di Bernardo, Budd, Champneys, Kowalczyk 2008, Piecewise-smooth Dynamical Systems, doi:10.1007/978-1-84628-708-4",
        "Monteforte, Wolf 2010, Phys Rev Lett 105:268104, doi:10.1103/PhysRevLett.105.268104",
    ],
};

/// Options of analyses of equations.
pub(super) fn equation_options() -> Vec<spikedeck_scenario::ParamSpec> {
    vec![
        bounded(
            option("unit", OptionKind::Integer, Some("0"), "whose parameters and initial state are taken"),
            0.0,
            4e9,
        ),
        option(
            "inputs",
            OptionKind::Choice(&["final", "none"]),
            Some("final"),
            "stimuli as they are at the end of the run, held constant; or none",
        ),
        option(
            "set",
            OptionKind::Texts,
            None,
            "parameters and inputs to set, as in [\"I = 0.5 nA\"]; they win over stimuli",
        ),
    ]
}

impl Analysis for Lyapunov {
    fn declaration(&self) -> AnalysisDeclaration {
        let mut options = vec![
            bounded(
                option("exponents", OptionKind::Integer, None, "how many, the largest first (default all, up to 16)"),
                1.0,
                1000.0,
            ),
            option(
                "duration",
                OptionKind::Time,
                None,
                "time measured (default the scenario's duration after its transient)",
            ),
            from_zero(option(
                "transient",
                OptionKind::Time,
                None,
                "time left out first, for state and frame (default the scenario's transient, at least a tenth of its duration)",
            )),
            option("step", OptionKind::Time, None, "step of the Runge-Kutta scheme (default the scenario's dt)"),
            option("interval", OptionKind::Time, None, "time between orthonormalisations (default ten steps)"),
            option(
                "scheme",
                OptionKind::Choice(&["flow", "map"]),
                Some("flow"),
                "flow: of the differential equations; map: of the map that Euler's scheme makes of them, for maps written as du/dt = f(u) - u \
                 with a step of 1, or to see what a scheme adds",
            ),
            bounded(
                option("batches", OptionKind::Integer, Some("20"), "batch means that the interval rests on"),
                3.0,
                400.0,
            ),
        ];
        options.extend(equation_options());
        AnalysisDeclaration { kind: "lyapunov", subjects: Subjects::Population, options }
    }

    fn card(&self) -> &'static AnalysisCard {
        &CARD
    }

    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        let bound = Bound::new(request)?;
        let settings = settings(request, &bound)?;
        let subject = bound.population.name.clone();
        if settings.scheme == Scheme::Map
            && Flight::new(&bound.flow, 0.0, &bound.initial, Vec::new(), settings.step).is_hybrid()
        {
            return Err(AnalysisError::Unsuitable(format!(
                "`scheme = \"map\"` knows no threshold, and the units of `{subject}` are reset at one: leave the option out"
            )));
        }
        let found = spectrum(&bound.flow, &bound.initial, settings, || request.check_cancelled().is_ok());
        request.check_cancelled()?;
        let mut warnings = bound.warnings.clone();
        if !bound.flow.is_autonomous() {
            warnings.push("the equations depend on time: no exponent is zero for time's sake".into());
        }
        let (metrics, shapes, summary) = match &found {
            Ok(found) => {
                warn(found, &bound, settings, &mut warnings);
                let metrics = metrics(found, &bound, settings);
                (metrics, vec![curve(found, &bound)], summary(found, &bound))
            }
            Err(error) => {
                let why = format!("the trajectory could not be followed: {error}; a smaller `step` may help");
                let missing = Metric::missing(&subject, "lambda_1", unit(bound.base), 0, &why);
                (vec![missing], Vec::new(), format!("Lyapunov spectrum of {subject}: no value, {why}"))
            }
        };
        let mut outcome = Outcome {
            name: request.spec.name.clone(),
            kind: request.spec.kind.clone(),
            title: CARD.title.into(),
            shapes,
            metrics,
            summary,
            warnings,
        };
        for m in &mut outcome.metrics {
            m.analysis.clone_from(&request.spec.name);
        }
        outcome.shapes.push(NamedShape::new("values", Shape::Scalars(Scalars::from_metrics(&outcome.metrics))));
        Ok(outcome)
    }
}

fn settings(request: &Request<'_>, bound: &Bound<'_>) -> Result<Settings, AnalysisError> {
    let simulation = request.scenario.map(|s| &s.simulation);
    let (dt, steps, transient_steps) = simulation.map_or((0.0, 0, 0), |s| (s.dt, s.steps, s.transient_steps));
    let whole = steps as f64 * dt;
    let step = request.number("step").unwrap_or(dt);
    let transient = request.number("transient").unwrap_or((transient_steps as f64 * dt).max(0.1 * whole));
    let duration = request.number("duration").unwrap_or(whole - transient_steps as f64 * dt);
    let interval = request.number("interval").unwrap_or(10.0 * step);
    for (name, value) in [("step", step), ("duration", duration), ("interval", interval)] {
        if value.is_nan() || value <= 0.0 {
            return Err(AnalysisError::Unsuitable(format!("`{name}` must be positive, it is {}", short(value))));
        }
    }
    if interval > duration || step > duration {
        return Err(AnalysisError::Unsuitable(format!(
            "`duration` of {} must hold steps and intervals of {}",
            short(duration),
            short(interval)
        )));
    }
    let n = bound.flow.dimension();
    let exponents = request.integer("exponents").map_or(n.min(MOST_EXPONENTS), |k| (k.max(1) as usize).min(n));
    let batches = request.integer("batches").unwrap_or(20).max(3) as usize;
    let scheme = if request.text("scheme") == Some("map") { Scheme::Map } else { Scheme::Flow };
    Ok(Settings { exponents, transient, duration, step, scheme, interval, batches })
}

/// Exponents are per second, or per time unit of a dimensionless system.
fn unit(base: TimeBase) -> &'static str {
    match base {
        TimeBase::Milliseconds => "1/s",
        TimeBase::Dimensionless => "1/time",
    }
}

fn metrics(found: &Spectrum, bound: &Bound<'_>, settings: Settings) -> Vec<Metric> {
    let subject = &bound.population.name;
    let unit = unit(bound.base);
    let n = found.renormalisations;
    let mut list = Vec::new();
    for (i, &e) in found.exponents.iter().enumerate() {
        let name = format!("lambda_{}", i + 1);
        if e == f64::NEG_INFINITY {
            list.push(Metric::missing(subject, name, unit, n, "minus infinity: the reset forgets this direction"));
            continue;
        }
        let half = found.half_width[i];
        let note = format!(
            "natural logarithm; 95 % of {} batch means; running sd {}",
            settings.batches,
            short(found.running_sd[i])
        );
        list.push(Metric::new(subject, name, e, unit, n).interval(e - half, e + half).note(note));
    }
    let dimension = bound.flow.dimension();
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
    let clear = snapped(found);
    match kaplan_yorke(&clear, dimension) {
        Some(d) => {
            list.push(
                Metric::new(subject, "kaplan_yorke_dimension", d, "", n)
                    .note("exponents within their interval of 0 count as 0"),
            );
        }
        None => list.push(Metric::missing(
            subject,
            "kaplan_yorke_dimension",
            "",
            n,
            "more exponents are needed: their sum never becomes negative",
        )),
    }
    let positive: f64 = clear.iter().filter(|e| **e > 0.0).sum();
    let per = if bound.base == TimeBase::Milliseconds { "bits/s" } else { "bits/time" };
    list.push(
        Metric::new(subject, "entropy_rate", positive / LN_2 + 0.0, per, n)
            .note("Pesin: sum of the positive exponents, an upper bound"),
    );
    if found.resets > 0 {
        let rate = Metric::new(subject, "rate", found.resets as f64 / found.time, bound.base.rate_unit(), found.resets);
        list.push(rate.note("resets on the trajectory measured"));
    }
    list
}

/// The exponents, those that are not told from zero as zero: they are small and zero lies in their interval.
fn snapped(found: &Spectrum) -> Vec<f64> {
    let largest = found.exponents.iter().filter(|e| e.is_finite()).fold(0.0_f64, |m, e| m.max(e.abs()));
    let is_zero = |i: usize, e: f64| e.abs() <= 2.0 * found.half_width[i] && e.abs() < 1e-2 * largest;
    found.exponents.iter().enumerate().map(|(i, &e)| if is_zero(i, e) { 0.0 } else { e }).collect()
}

fn warn(found: &Spectrum, bound: &Bound<'_>, settings: Settings, warnings: &mut Vec<String>) {
    let sum: f64 = found.exponents.iter().sum();
    if let Some(divergence) = found.divergence
        && (sum - divergence).abs() > 1e-2 * divergence.abs().max(found.exponents[0].abs())
    {
        warnings.push(format!(
            "the exponents sum to {}, the flow's mean divergence is {}: the step of {} is too long",
            short(sum),
            short(divergence),
            short(settings.step)
        ));
    }
    if found.grazing > 0 {
        warnings
            .push(format!("{} crossings only grazed the threshold and were taken without saltation", found.grazing));
    }
    let n = bound.flow.dimension();
    // A threshold without a reset marks spikes of a smooth flow: there is nothing to miss.
    let mut after = found.state.clone();
    let resets = bound.flow.reset(found.time, &mut after, &mut vec![0.0; n * n]).is_some() && after != found.state;
    if found.resets == 0 && resets {
        warnings.push("no reset happened while measuring: these are the exponents of the silent unit".into());
    }
    if let Some(at_rest) = at_rest(found, bound) {
        warnings
            .push(format!("the trajectory rests at a fixed point; the real parts of its eigenvalues are {at_rest}"));
    }
}

/// Real parts of the eigenvalues where the trajectory ended, if it rests there.
fn at_rest(found: &Spectrum, bound: &Bound<'_>) -> Option<String> {
    let n = bound.flow.dimension();
    let mut f = vec![0.0; n];
    bound.flow.rate(found.time, &found.state, &mut f);
    let still = f.iter().zip(&found.state).all(|(f, x)| f.abs() * found.time <= 1e-6 * x.abs().max(f64::MIN_POSITIVE));
    if !still || found.resets > 0 {
        return None;
    }
    let mut jacobian = vec![0.0; n * n];
    bound.flow.jacobian(found.time, &found.state, &mut jacobian);
    let values = eigenvalues(&jacobian, n)?;
    Some(values.iter().map(|v| short(v.0)).collect::<Vec<_>>().join(", "))
}

fn curve(found: &Spectrum, bound: &Bound<'_>) -> NamedShape {
    let seconds = bound.base.seconds();
    let time: Vec<f64> = found.curve.iter().map(|c| c.0 / seconds).collect();
    let curves = (0..found.exponents.len())
        .map(|j| Curve {
            name: format!("λ{}", j + 1),
            x: time.clone(),
            y: found.curve.iter().map(|c| c.1[j]).collect(),
            band: None,
            style: CurveStyle::Line,
        })
        .collect();
    let mut x = Axis::new("time measured", bound.base.unit());
    x.is_time = false;
    let y = Axis::new("exponent", unit(bound.base));
    let references = vec![ReferenceLine { name: "0".into(), at: 0.0, vertical: false }];
    NamedShape::new("convergence", Shape::Series(Series { x, y, curves, references }))
}

fn summary(found: &Spectrum, bound: &Bound<'_>) -> String {
    let list: Vec<String> = found.exponents.iter().take(4).map(|e| format!("{e:.4}")).collect();
    let clear = snapped(found);
    let verdict = match clear.first() {
        Some(e) if *e > 0.0 && found.exponents[0] > found.half_width[0] => "chaotic",
        Some(e) if *e < 0.0 => "settles at a fixed point or is silent",
        _ => "regular",
    };
    format!("{}: exponents {} {} ({verdict})", bound.population.name, list.join(", "), unit(bound.base))
}

#[cfg(test)]
#[path = "lyapunov_tests.rs"]
mod tests;
