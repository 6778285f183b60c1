//! Memory before it is allocated: an estimate, and what is allowed.

use super::connect::Wiring;
use super::coupling::bytes_of_parts;
use super::delivery::{Ring, blocks, most_runs};
use super::geometry::Geometry;
use super::memory::free_memory;
use super::plasticity::ENOUGH;
use spikedeck_core::rng::Key;
use spikedeck_core::units::short;
use spikedeck_equation::rule::Side;
use spikedeck_scenario::{Coupling, PairName, Port, ProjectionSpec, Rule, Spec, Value};

/// Where the operating system does not say how much memory is free.
const UNKNOWN: u64 = 4 << 30;

/// Bytes of an event that is kept one by one until it arrives: in the list of its step, and in the rounds that hand the
/// list over. As many as there are connections wait at once where all sources spike together.
const SINGLE: u64 = 16 + 8;

/// A part of a network and the bytes that it takes.
type Part = (u64, String);

/// Where the units of each population are.
fn places(spec: &Spec) -> Vec<Geometry> {
    spec.populations.iter().map(|p| Geometry::of(p, spec.simulation.seeds.values)).collect()
}

/// What connects the two ends of a projection.
fn wiring<'a>(spec: &'a Spec, projection: &'a ProjectionSpec, places: &'a [Geometry]) -> Wiring<'a> {
    let (sources, targets) = projection.ends(&spec.populations);
    Wiring {
        rule: &projection.rule,
        sources: sources as u32,
        targets: targets as u32,
        apart: projection.apart(&spec.populations),
        multapses: projection.multapses,
        key: Key::new(0, "", ""),
        from: &places[projection.from.index()],
        to: &places[projection.to.population.index()],
    }
}

/// Connections to expect; none where the rule does not fit its populations.
fn expected(wiring: &Wiring<'_>) -> f64 {
    if wiring.check().is_ok() { wiring.expected() } else { 0.0 }
}

/// Connections to expect of all projections together, without drawing any.
pub(super) fn connections(spec: &Spec) -> f64 {
    let places = places(spec);
    spec.projections.iter().map(|p| expected(&wiring(spec, p, &places))).sum()
}

/// Estimated bytes of everything but the recording, with what takes most.
pub(super) fn estimate(spec: &Spec) -> (u64, String) {
    let mut parts: Vec<Part> = Vec::new();
    let places = places(spec);
    for (index, population) in spec.population_ids() {
        let system = &population.system;
        let n = population.size as u64;
        let each = |values: &[Value]| values.iter().filter(|v| !matches!(v, Value::Constant(_))).count() as u64;
        // States with a scratch copy, parameters that differ (twice: whole, and cut to lane ranges), inputs, positions,
        // refractory counters.
        let columns =
            2 * system.states().len() as u64 + 2 * each(&population.parameters) + 2 * system.inputs().len() as u64 + 5;
        let rings: u64 = population
            .event_ids()
            .map(|port| {
                let longest = spec
                    .projections
                    .iter()
                    .filter(|p| p.to.population == index && p.to.port == Port::Event(port))
                    .map(|p| steps(longest(p), spec.simulation.dt) as usize)
                    .max()
                    .unwrap_or(0);
                Ring::bytes(population.targets(Port::Event(port)), longest)
            })
            .sum();
        parts.push((
            n * 8 * columns + rings,
            format!(
                "population {}: {}",
                population.name,
                spikedeck_core::number::counted(population.size, "unit", "units")
            ),
        ));
    }
    for projection in &spec.projections {
        let to = projection.to.population;
        let wiring = wiring(spec, projection, &places);
        let count = expected(&wiring);
        let (weights, delays) = projection.rule.listed();
        let (weights, delays) = (weights.is_some(), delays.is_some());
        let differ = |value: &Value<PairName>, listed: bool| listed || !matches!(value, Value::Constant(_));
        let changes =
            projection.plasticity.as_ref().is_some_and(spikedeck_scenario::PlasticitySpec::has_connection_states);
        let (weights, delays) = (changes || differ(&projection.weight, weights), differ(&projection.delay, delays));
        let blocks = blocks(count, f64::from(wiring.sources), wiring.targets as usize);
        let longest_steps = steps(longest(projection), spec.simulation.dt) + 1;
        let per_connection = match (&projection.coupling, &projection.rule) {
            (Coupling::Event, rule) => {
                // Pairs that must not repeat are remembered while a fixed number is drawn.
                let seen = if matches!(rule, Rule::FixedTotalNumber { .. }) && !projection.multapses { 18 } else { 0 };
                2 + 8 * u64::from(weights) + 2 * u64::from(delays) + seen
            }
            (Coupling::Continuous { .. }, Rule::AllToAll) if !weights && !delays => 0,
            // Both ends and what differs, beside them a matrix of what they are multiplied with.
            (Coupling::Continuous { .. }, _) => 24 + 8 * u64::from(weights || delays) + 2 * u64::from(delays),
        };
        // Delays are drawn one by one, and kept as runs.
        let runs = most_runs(count, f64::from(wiring.sources), blocks, longest_steps);
        let more = (4.0 * runs - 2.0 * count).max(0.0) + 4.0 * f64::from(wiring.sources) * blocks as f64;
        let runs = if delays && projection.coupling == Coupling::Event { more as u64 } else { 0 };
        let ends = (u64::from(wiring.sources), u64::from(wiring.targets));
        let bytes = (count * per_connection as f64) as u64
            + 4 * u64::from(wiring.sources) * blocks as u64
            + runs
            + plastic(projection, count, ends, spec.simulation.dt);
        parts.push((bytes, format!("projection {}: {} connections", projection.name, short(count.round()))));
        if let Port::Event(port) = projection.to.port
            && projection.coupling == Coupling::Event
            && !spec.population(to).system.superposes(port.index())
        {
            let bytes = (count * SINGLE as f64) as u64;
            parts.push((bytes, format!("events of projection {} that are kept one by one", projection.name)));
        }
        if let Coupling::Continuous { value } = &projection.coupling {
            let slots = steps(longest(projection), spec.simulation.dt) + 2;
            let one_by_one = !changes && (weights || delays || !matches!(projection.rule, Rule::AllToAll));
            let parts_of = if delays { slots } else { 1 };
            let kept = if one_by_one && count > 0.0 { bytes_of_parts(value, &wiring, parts_of) } else { 0 };
            let bytes = power_of_two(slots).saturating_mul(8).saturating_mul(u64::from(wiring.sources));
            let bytes = bytes.saturating_add(kept);
            parts.push((bytes, format!("history of projection {}: {slots} steps", projection.name)));
        }
    }
    let total = parts.iter().fold(1 << 20, |sum: u64, p| sum.saturating_add(p.0));
    let largest = parts
        .into_iter()
        .max_by_key(|p| p.0)
        .map_or_else(String::new, |(bytes, what)| format!("most of it: {what}, {}", size(bytes)));
    (total, largest)
}

/// Steps of a time; so many at most that what is multiplied with them stays a number.
fn steps(time: f64, dt: f64) -> u64 {
    ((time / dt) as u64).min(1 << 40)
}

fn power_of_two(slots: u64) -> u64 {
    slots.checked_next_power_of_two().unwrap_or(u64::MAX)
}

/// The longest delay to expect; listed pairs may bring their own.
fn longest(projection: &ProjectionSpec) -> f64 {
    match projection.rule.listed().1 {
        Some(list) => list.iter().copied().fold(0.0, f64::max),
        None => greatest(&projection.delay),
    }
}

/// What a rule keeps beside weights: values and moments of connections, traces of both ends with what they were within
/// the longest delay, and spikes of targets that some source has not seen.
fn plastic(projection: &ProjectionSpec, connections: f64, (sources, targets): (u64, u64), dt: f64) -> u64 {
    let Some(plasticity) = &projection.plasticity else { return 0 };
    let slots = power_of_two(steps(longest(projection), dt) + 1);
    let [pre, post, own] = [Side::Pre, Side::Post, Side::Connection].map(|side| plasticity.states(side));
    let continuous = projection.coupling != Coupling::Event;
    let history =
        if continuous { pre * sources * slots + post * targets } else { pre * sources + post * targets * (slots + 1) };
    let moments = if !continuous && plasticity.moves() { 4 } else { 0 };
    let seen = if continuous { 0 } else { 8 * sources };
    let kept = if !continuous && plasticity.answers_targets() { targets * ENOUGH as u64 * (4 + 8 * post) } else { 0 };
    (connections * (8 * own + moments) as f64) as u64 + 8 * history + seen + kept
}

/// A greatest value to expect, for delays.
fn greatest(value: &Value<PairName>) -> f64 {
    use spikedeck_scenario::Distribution as D;
    match value {
        Value::Constant(v) => *v,
        Value::Each(list) => list.iter().copied().fold(0.0, f64::max),
        Value::Drawn(D::Uniform { high, .. }) => *high,
        Value::Drawn(D::Normal { mean, sd, max, .. }) => max.unwrap_or(mean + 5.0 * sd),
        Value::Drawn(D::Lognormal { mu, sigma, unit }) => unit * spikedeck_core::math::exp(mu + 5.0 * sigma),
        Value::Drawn(D::Gamma { shape, scale }) => scale * (shape + 10.0 * shape.sqrt() + 10.0),
        Value::Drawn(D::Linspace { from, to }) => from.max(*to),
        // Known only when the connections are; see `afford_computed`.
        Value::Expression(_) => 0.0,
    }
}

/// Bytes that a run may take: the scenario's own bound, or three quarters of what is free.
pub(super) fn allowed(spec: &Spec) -> u64 {
    spec.simulation.memory.unwrap_or_else(|| free_memory().map_or(UNKNOWN, |free| free / 4 * 3))
}

/// Bytes as people read them.
pub(super) fn size(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} bytes"),
    }
}
