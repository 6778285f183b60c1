//! `[simulation]`, `[expect]`: how long, how fine, what is expected.

use super::language::{Key, Of, Range, Section, Table, Takes, Words, word, words};
use super::population::integrator;
use super::resolver::Resolver;
use super::spec::{AnalysisSpec, Expect, Original, Seeds, Simulation, SpikeTimes};
use spikedeck_core::units::{Quantity, short};
use spikedeck_model::document::Node;
use spikedeck_model::report::SourceSpan;
use spikedeck_signal::TimeBase;

words! {
    /// What is checked by running again.
    enum Check {
        /// the run is repeated at half the step, and the shifts of spike times and metrics are reported
        HalveDt = "halve_dt",
    }
}

/// `[simulation]`.
pub(super) static SIMULATION: Section = Section::new(
    "simulation",
    "how long, how fine, and with which random numbers",
    &[
        Key::required("duration", Takes::Quantity(Of::Time), "2 s", "how long: a multiple of `dt`")
            .range(Range::Above(0.0)),
        Key::required("dt", Takes::Quantity(Of::Time), "0.1 ms", "step of time").range(Range::Above(0.0)),
        Key::default(
            "transient",
            Takes::Quantity(Of::Time),
            "0 s",
            "left out of every analysis: a multiple of `dt`, shorter than the run",
        ),
        Key::default("seed", Takes::Whole, "1", "seed of all random numbers").range(Range::From(0.0)),
        Key::optional("wiring_seed", Takes::Whole, "`seed`", "seed of connections with their drawn weights and delays")
            .range(Range::From(0.0)),
        Key::optional("values_seed", Takes::Whole, "`seed`", "seed of drawn parameters and initial values")
            .range(Range::From(0.0)),
        Key::optional("noise_seed", Takes::Whole, "`seed`", "seed of noise and of stimuli that are drawn")
            .range(Range::From(0.0)),
        Key::default("trial", Takes::Whole, "0", "which trial: each has noise of its own, on one network")
            .range(Range::From(0.0)),
        Key::optional(
            "memory",
            Takes::Text("an amount, such as `2 GB` or `500 MiB`"),
            "three quarters of what is free",
            "what a run may hold, beside some 30 MB of the program itself",
        ),
        Key::default("spike_times", Takes::Choice(SpikeTimes::WORDS), "grid", "how spike times are found"),
        Key::optional("check", Takes::Choice(Check::WORDS), "no check", "what is checked by running again"),
        Key::default("integrator", Takes::Integrator, "auto", "how time is stepped, in populations that do not say it"),
    ],
);

/// `[expect.NAME]`.
pub(super) static EXPECT: Section = Section::new(
    "expect",
    "the range that a metric is expected in: `run` fails outside it",
    &[
        Key::required(
            "metric",
            Takes::Text("`ANALYSIS.SUBJECT.METRIC`, or `run.failure.time`"),
            "ANALYSIS.SUBJECT.METRIC",
            "which metric",
        ),
        Key::optional(
            "min",
            WRITTEN,
            "no bound",
            "least value; `min`, `max` or both are given, in one unit; a plain number is one, and 0 is 0 in any unit",
        ),
        Key::optional("max", WRITTEN, "no bound", "greatest value"),
        Key::default(
            "source",
            Takes::Text("a publication, or how the range was found"),
            "",
            "where the range comes from",
        ),
        Key::optional("original", WRITTEN, "no earlier program", "what an earlier program gave; needs `reason`"),
        Key::optional(
            "reason",
            Takes::Text("a sentence, or `same`"),
            "no earlier program",
            "why ours differs from `original`",
        ),
    ],
);

const WRITTEN: Takes = Takes::Quantity(Of::Said("that of the metric"));

/// Reads `[simulation]` and fills in the time axis of the resolver.
pub(super) fn simulation(resolver: &mut Resolver<'_>, node: Option<&Node>, root: &SourceSpan) -> Option<Simulation> {
    let before = resolver.report.errors();
    let example =
        if resolver.time_base == TimeBase::Milliseconds { ("\"2 s\"", "\"0.1 ms\"") } else { ("100", "0.01") };
    let Some(node) = node else {
        resolver.error_help(
            root,
            "a scenario needs `[simulation]`",
            format!("add `[simulation]` with `duration = {}` and `dt = {}`", example.0, example.1),
        );
        return None;
    };
    let mut f = Table::of(resolver, node, "`[simulation]`", SIMULATION.keys)?;
    let dt_node = f.require_as(resolver, "dt", example.1);
    let dt = dt_node.and_then(|n| resolver.time(n, "`dt`").map(|v| (n, v)));
    if let Some((n, v)) = dt {
        if v > 0.0 {
            resolver.dt = v;
        } else {
            resolver.error(&n.place, "`dt` is above zero");
        }
    }
    let duration_node = f.require_as(resolver, "duration", example.0);
    let mut steps = 0;
    if let Some(n) = duration_node
        && let Some(v) = resolver.time(n, "`duration`")
    {
        if v > 0.0 {
            resolver.duration = v;
            steps = resolver.multiple(&n.place, v, "`duration`").unwrap_or(0);
        } else {
            resolver.error(&n.place, "`duration` is above zero");
        }
    }
    let transient_steps = f.get("transient").map_or(0, |n| {
        let s = resolver.steps(n, "`transient`").unwrap_or(0);
        if steps > 0 && s >= steps {
            resolver.error_help(
                &n.place,
                "the transient is as long as the run: nothing is left for the analyses",
                "make `duration` longer or `transient` shorter",
            );
        }
        s
    });
    resolver.transient = transient_steps as f64 * resolver.dt;
    let seed = f.whole(resolver, "seed");
    let mut own = |name: &str, resolver: &mut Resolver<'_>| {
        let given = f.get(name).and_then(|n| resolver.whole(n, &format!("`{name}`"), 0));
        given.unwrap_or(seed)
    };
    let seeds = Seeds {
        wiring: own("wiring_seed", resolver),
        values: own("values_seed", resolver),
        noise: own("noise_seed", resolver),
    };
    let trial = f.whole(resolver, "trial");
    let memory = f.get("memory").and_then(|n| memory(resolver, n));
    let spike_times = f.word(resolver, "spike_times", "way to find spike times");
    let check_halve_dt = match f.get("check").and_then(|n| word::<Check>(resolver, n, "check")) {
        Some(Check::HalveDt) => true,
        None => false,
    };
    resolver.spike_times = spike_times;
    resolver.integrator = f.get("integrator").and_then(|n| integrator(resolver, n)).unwrap_or_default();
    f.finish(resolver);
    (resolver.report.errors() == before).then_some(Simulation {
        time_base: resolver.time_base,
        dt: resolver.dt,
        steps,
        transient_steps,
        seed,
        seeds,
        trial,
        memory,
        spike_times,
        check_halve_dt,
    })
}

/// Units of memory in bytes.
const MEMORY_UNITS: [(&str, f64); 7] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1024.0 * 1024.0),
    ("GiB", 1024.0 * 1024.0 * 1024.0),
];

/// `"2 GB"`, `"500 MiB"`: a size in bytes.
fn memory(resolver: &mut Resolver<'_>, node: &Node) -> Option<u64> {
    let text = resolver.text(node, "`memory`")?.trim().to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let unit = MEMORY_UNITS.iter().find(|unit| unit.0 == text[digits..].trim());
    match (text[..digits].parse::<f64>(), unit) {
        (Ok(v), Some((_, scale))) if v * scale >= 1.0 => Some((v * scale) as u64),
        _ => {
            resolver.error_help(
                &node.place,
                format!("`{text}` is no amount of memory"),
                "write \"500 MB\" or \"2 GiB\"",
            );
            None
        }
    }
}

/// The metric of a run that is expected to end by a value that is not finite: the time of that.
pub const FAILURE_TIME: &str = "run.failure.time";

/// Reads `[expect.NAME]`.
pub(super) fn expectations(
    resolver: &mut Resolver<'_>,
    node: &Node,
    analyses: &[AnalysisSpec],
    named: &[&str],
) -> Vec<Expect> {
    let mut list = Vec::new();
    let Some(entries) = node.entries() else {
        resolver.error(&node.place, format!("`expect` holds one table an expectation, not {}", node.what()));
        return list;
    };
    for e in entries {
        let what = format!("expectation `{}`", e.key);
        let Some(mut f) = Table::of(resolver, &e.value, what, EXPECT.keys) else { continue };
        let metric_node = f.require(resolver, "metric");
        let metric = metric_node.and_then(|n| resolver.text(n, "`metric`")).unwrap_or("").to_owned();
        if let Some(n) = metric_node.filter(|_| !metric.is_empty()) {
            let first = metric.split('.').next().unwrap_or("");
            if metric == FAILURE_TIME && !named.contains(&first) {
                // The run itself: no analysis gives this one.
            } else if !named.contains(&first) {
                let help = super::resolver::suggest(first, named.iter().copied());
                resolver.error_help(&n.place, format!("there is no analysis `{first}` in this scenario"), help);
            } else if metric.matches('.').count() < 2 && analyses.iter().any(|a| a.name == first && !a.of.is_empty()) {
                resolver.error_help(
                    &n.place,
                    format!("`{metric}` does not name a metric"),
                    "metrics are named ANALYSIS.SUBJECT.METRIC, such as `psd.exc.rate.peak`",
                );
            }
        }
        let mut unit: Option<String> = None;
        let mut bound = |resolver: &mut Resolver<'_>, key: &str| {
            let n = f.get(key)?;
            let (value, text) = written(resolver, n)?;
            match &unit {
                Some(first) if *first != text => {
                    resolver.error(
                        &n.place,
                        format!("`min` and `max` are written in one unit; here `{first}` and `{text}`"),
                    );
                }
                _ => unit = Some(text),
            }
            Some((value, n.place.clone()))
        };
        let min = bound(resolver, "min");
        let max = bound(resolver, "max");
        let source = f.text(resolver, "source");
        if min.is_none() && max.is_none() && f.get("min").is_none() && f.get("max").is_none() {
            resolver.error_help(
                &e.place,
                format!("expectation `{}` expects nothing", e.key),
                "add `min`, `max` or both",
            );
        }
        if let (Some((a, _)), Some((b, place))) = (&min, &max)
            && a > b
        {
            resolver.error(place, format!("`max` ({}) is below `min` ({})", short(*b), short(*a)));
        }
        let (min, max) = (min.map(|m| m.0), max.map(|m| m.0));
        let original = original(resolver, &mut f, (min, max, unit.as_deref().unwrap_or("")));
        f.finish(resolver);
        list.push(Expect { name: e.key.clone(), metric, min, max, unit: unit.unwrap_or_default(), source, original });
    }
    list
}

/// `original` and `reason` of an expectation whose range is from `min` to `max` in `unit`: the one needs the other.
fn original(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'_>,
    (min, max, unit): (Option<f64>, Option<f64>, &str),
) -> Option<Original> {
    let (value_node, reason_node) = (f.get("original"), f.get("reason"));
    let (value_node, reason_node) = match (value_node, reason_node) {
        (None, None) => return None,
        (Some(v), Some(r)) => (v, r),
        (Some(v), None) => {
            resolver.error_help(
                &v.place,
                "`original` needs `reason`",
                "say why ours differs, or write `reason = \"same\"`",
            );
            return None;
        }
        (None, Some(r)) => {
            resolver.error_help(
                &r.place,
                "`reason` says why a number differs from `original`",
                "add `original`, what the earlier program gave",
            );
            return None;
        }
    };
    let (value, written_in) = written(resolver, value_node)?;
    let reason = resolver.text(reason_node, "`reason`")?.trim().to_owned();
    if reason.is_empty() {
        resolver.error(&reason_node.place, "`reason` is empty");
    }
    let outside = min.is_some_and(|m| value < m) || max.is_some_and(|m| value > m);
    if reason == "same" && written_in == unit && outside {
        resolver.error_help(
            &value_node.place,
            format!("the reason is `same`, but {} is outside the expected range", short(value)),
            "say why ours differs, or correct the range",
        );
    }
    Some(Original { value, unit: written_in, reason })
}

/// Number and unit text of a quantity as it was written: `"8 Hz"` gives 8 and `Hz`.
pub(super) fn written(resolver: &mut Resolver<'_>, node: &Node) -> Option<(f64, String)> {
    if let Some(v) = node.as_number() {
        if !v.is_finite() {
            resolver.error_help(
                &node.place,
                format!("{v} is no bound: nothing is held against it"),
                "write a number, or leave the bound out",
            );
            return None;
        }
        return Some((v, String::new()));
    }
    let text = resolver.text(node, "a bound")?.trim().to_owned();
    if text != "bit"
        && !text.ends_with("bits")
        && !text.ends_with("bit")
        && !text.ends_with("nats")
        && let Err(d) = Quantity::parse(&text)
    {
        resolver.report.put_inside(node, d);
        return None;
    }
    let end = (1..=text.len())
        .rev()
        .filter(|i| text.is_char_boundary(*i))
        .find(|i| text[..*i].trim().parse::<f64>().is_ok())?;
    Some((text[..end].trim().parse().ok()?, text[end..].trim().to_owned()))
}
