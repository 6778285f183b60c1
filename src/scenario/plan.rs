//! `[simulation]`, `[expect]`, `[variants]`, `[sweep]`: how long, how fine, what is expected, what is varied.

use super::desk::Desk;
use super::overrides::{adds_entry, check_path};
use super::population::integrator;
use super::spec::{AnalysisSpec, Expect, Original, Simulation, SpikeTimes, Sweep};
use spikedeck_core::units::{Quantity, short};
use spikedeck_model::document::{Fields, Item, Node};
use spikedeck_model::report::Place;
use spikedeck_signal::TimeBase;

/// Reads `[simulation]` and fills in the time axis of the desk.
pub(super) fn simulation(desk: &mut Desk<'_>, node: Option<&Node>, root: &Place) -> Option<Simulation> {
    let before = desk.report.errors();
    let example = if desk.time_base == TimeBase::Milliseconds { ("\"2 s\"", "\"0.1 ms\"") } else { ("100", "0.01") };
    let Some(node) = node else {
        desk.error_help(
            root,
            "a scenario needs `[simulation]`",
            format!("add `[simulation]` with `duration = {}` and `dt = {}`", example.0, example.1),
        );
        return None;
    };
    let mut f = Fields::of(&mut desk.report, node, "`[simulation]`")?;
    let dt_node = f.require(&mut desk.report, "dt", example.1);
    let dt = dt_node.and_then(|n| desk.time(n, "`dt`").map(|v| (n, v)));
    if let Some((n, v)) = dt {
        if v > 0.0 {
            desk.dt = v;
        } else {
            desk.error(&n.place, "`dt` is above zero");
        }
    }
    let duration_node = f.require(&mut desk.report, "duration", example.0);
    let mut steps = 0;
    if let Some(n) = duration_node
        && let Some(v) = desk.time(n, "`duration`")
    {
        if v > 0.0 {
            desk.duration = v;
            steps = desk.multiple(&n.place, v, "`duration`").unwrap_or(0);
        } else {
            desk.error(&n.place, "`duration` is above zero");
        }
    }
    let transient_steps = f.get("transient").map_or(0, |n| {
        let s = desk.steps(n, "`transient`").unwrap_or(0);
        if steps > 0 && s >= steps {
            desk.error_help(
                &n.place,
                "the transient is as long as the run: nothing is left for the analyses",
                "make `duration` longer or `transient` shorter",
            );
        }
        s
    });
    let seed = f.get("seed").and_then(|n| desk.whole(n, "`seed`", 0)).unwrap_or(1);
    let memory = f.get("memory").and_then(|n| memory(desk, n));
    let spike_times = match f
        .get("spike_times")
        .and_then(|n| desk.choice(n, "way to find spike times", &["grid", "interpolated", "exact"]))
    {
        Some("interpolated") => SpikeTimes::Interpolated,
        Some("exact") => SpikeTimes::Exact,
        _ => SpikeTimes::Grid,
    };
    desk.spike_times = spike_times;
    let check_halve_dt = f.get("check").and_then(|n| desk.choice(n, "check", &["halve_dt"])).is_some();
    desk.integrator = f.get("integrator").and_then(|n| integrator(desk, n)).unwrap_or_default();
    f.finish(&mut desk.report);
    (desk.report.errors() == before).then_some(Simulation {
        time_base: desk.time_base,
        dt: desk.dt,
        steps,
        transient_steps,
        seed,
        memory,
        spike_times,
        check_halve_dt,
    })
}

/// `"2 GB"`, `"500 MiB"`: a size in bytes.
fn memory(desk: &mut Desk<'_>, node: &Node) -> Option<u64> {
    let text = desk.text(node, "`memory`")?.trim().to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let scale = match text[digits..].trim() {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => f64::NAN,
    };
    match text[..digits].parse::<f64>() {
        Ok(v) if scale.is_finite() && v * scale >= 1.0 => Some((v * scale) as u64),
        _ => {
            desk.error_help(&node.place, format!("`{text}` is no amount of memory"), "write \"500 MB\" or \"2 GiB\"");
            None
        }
    }
}

/// The metric of a run that is expected to end by a value that is not finite: the time of that.
pub const FAILURE_TIME: &str = "run.failure.time";

/// Reads `[expect.NAME]`.
pub(super) fn expectations(desk: &mut Desk<'_>, node: &Node, analyses: &[AnalysisSpec], named: &[&str]) -> Vec<Expect> {
    let mut list = Vec::new();
    let Some(entries) = node.entries() else {
        desk.error(&node.place, format!("`expect` holds one table an expectation, not {}", node.what()));
        return list;
    };
    for e in entries {
        let Some(mut f) = Fields::of(&mut desk.report, &e.value, format!("expectation `{}`", e.key)) else { continue };
        let metric_node = f.require(&mut desk.report, "metric", "\"ANALYSIS.SUBJECT.METRIC\"");
        let metric = metric_node.and_then(|n| desk.text(n, "`metric`")).unwrap_or("").to_owned();
        if let Some(n) = metric_node.filter(|_| !metric.is_empty()) {
            let first = metric.split('.').next().unwrap_or("");
            if metric == FAILURE_TIME && !named.contains(&first) {
                // The run itself: no analysis gives this one.
            } else if !named.contains(&first) {
                let help = super::desk::suggest(first, named.iter().copied());
                desk.error_help(&n.place, format!("there is no analysis `{first}` in this scenario"), help);
            } else if metric.matches('.').count() < 2 && analyses.iter().any(|a| a.name == first && !a.of.is_empty()) {
                desk.error_help(
                    &n.place,
                    format!("`{metric}` does not name a metric"),
                    "metrics are named ANALYSIS.SUBJECT.METRIC, such as `psd.exc.rate.peak`",
                );
            }
        }
        let mut unit: Option<String> = None;
        let mut bound = |desk: &mut Desk<'_>, key: &str| {
            let n = f.get(key)?;
            let (value, text) = written(desk, n)?;
            match &unit {
                Some(first) if *first != text => {
                    desk.error(
                        &n.place,
                        format!("`min` and `max` are written in one unit; here `{first}` and `{text}`"),
                    );
                }
                _ => unit = Some(text),
            }
            Some((value, n.place.clone()))
        };
        let min = bound(desk, "min");
        let max = bound(desk, "max");
        let source = f.get("source").and_then(|n| desk.text(n, "`source`")).unwrap_or("").to_owned();
        if min.is_none() && max.is_none() && f.get("min").is_none() && f.get("max").is_none() {
            desk.error_help(&e.place, format!("expectation `{}` expects nothing", e.key), "add `min`, `max` or both");
        }
        if let (Some((a, _)), Some((b, place))) = (&min, &max)
            && a > b
        {
            desk.error(place, format!("`max` ({}) is below `min` ({})", short(*b), short(*a)));
        }
        let (min, max) = (min.map(|m| m.0), max.map(|m| m.0));
        let original = original(desk, &mut f, (min, max, unit.as_deref().unwrap_or("")));
        f.finish(&mut desk.report);
        list.push(Expect { name: e.key.clone(), metric, min, max, unit: unit.unwrap_or_default(), source, original });
    }
    list
}

/// `original` and `reason` of an expectation whose range is from `min` to `max` in `unit`: the one needs the other.
fn original(
    desk: &mut Desk<'_>,
    f: &mut Fields<'_>,
    (min, max, unit): (Option<f64>, Option<f64>, &str),
) -> Option<Original> {
    let (value_node, reason_node) = (f.get("original"), f.get("reason"));
    let (value_node, reason_node) = match (value_node, reason_node) {
        (None, None) => return None,
        (Some(v), Some(r)) => (v, r),
        (Some(v), None) => {
            desk.error_help(
                &v.place,
                "`original` needs `reason`",
                "say why ours differs, or write `reason = \"same\"`",
            );
            return None;
        }
        (None, Some(r)) => {
            desk.error_help(
                &r.place,
                "`reason` says why a number differs from `original`",
                "add `original`, what the earlier program gave",
            );
            return None;
        }
    };
    let (value, written_in) = written(desk, value_node)?;
    let reason = desk.text(reason_node, "`reason`")?.trim().to_owned();
    if reason.is_empty() {
        desk.error(&reason_node.place, "`reason` is empty");
    }
    let outside = min.is_some_and(|m| value < m) || max.is_some_and(|m| value > m);
    if reason == "same" && written_in == unit && outside {
        desk.error_help(
            &value_node.place,
            format!("the reason is `same`, but {} is outside the expected range", short(value)),
            "say why ours differs, or correct the range",
        );
    }
    Some(Original { value, unit: written_in, reason })
}

/// Number and unit text of a quantity as it was written: `"8 Hz"` gives 8 and `Hz`.
fn written(desk: &mut Desk<'_>, node: &Node) -> Option<(f64, String)> {
    if let Some(v) = node.as_number() {
        return Some((v, String::new()));
    }
    let text = desk.text(node, "a bound")?.trim().to_owned();
    if text != "bit"
        && !text.ends_with("bits")
        && !text.ends_with("bit")
        && !text.ends_with("nats")
        && let Err(d) = Quantity::parse(&text)
    {
        desk.report.put_inside(node, d);
        return None;
    }
    let end = (1..=text.len())
        .rev()
        .filter(|i| text.is_char_boundary(*i))
        .find(|i| text[..*i].trim().parse::<f64>().is_ok())?;
    Some((text[..end].trim().parse().ok()?, text[end..].trim().to_owned()))
}

/// Checks `[variants]`: every path leads somewhere. The values are checked when the variant is chosen.
pub(super) fn variants(desk: &mut Desk<'_>, root: &Node) -> Vec<String> {
    let Some(node) = root.get("variants") else { return Vec::new() };
    let Some(entries) = node.entries() else {
        desk.error(&node.place, format!("`variants` holds one table a variant, not {}", node.what()));
        return Vec::new();
    };
    for e in entries {
        super::check_name(desk, &e.key, &e.place, "variant");
        match e.value.entries() {
            Some(paths) => {
                for p in paths.iter().filter(|p| p.key.contains('.') && !adds_entry(&p.key, &p.value)) {
                    check_path(&mut desk.report, root, &p.key, &p.place);
                }
            }
            None => desk.error_help(
                &e.value.place,
                format!("variant `{}` is a table of overrides", e.key),
                "write `\"populations.exc.parameters.tau_m\" = \"30 ms\"`",
            ),
        }
    }
    entries.iter().map(|e| e.key.clone()).collect()
}

/// Reads `[sweep]`.
pub(super) fn sweep(desk: &mut Desk<'_>, root: &Node, node: &Node) -> Option<Sweep> {
    let mut f = Fields::of(&mut desk.report, node, "`[sweep]`")?;
    let seeds = f.get("seeds").and_then(|n| desk.whole(n, "`seeds`", 1)).unwrap_or(1) as u32;
    let mut axes = Vec::new();
    if let Some(n) = f.get("axes") {
        for e in n.entries().unwrap_or_default() {
            if !check_path(&mut desk.report, root, &e.key, &e.place) {
                continue;
            }
            if let Some(values) = axis(desk, &e.value) {
                axes.push((e.key.clone(), values));
            }
        }
        if n.entries().is_none() {
            desk.error(&n.place, format!("`axes` is a table of paths, not {}", n.what()));
        }
    }
    f.finish(&mut desk.report);
    Some(Sweep { axes, seeds })
}

/// Values of one axis as TOML text: a list, or `{ from, to, steps }` evenly spaced (`log = true`: in ratio).
fn axis(desk: &mut Desk<'_>, node: &Node) -> Option<Vec<String>> {
    if let Item::List(list) = &node.item {
        if list.is_empty() {
            desk.error(&node.place, "an axis without values");
            return None;
        }
        return Some(list.iter().map(Node::to_toml).collect());
    }
    let mut f = Fields::of(&mut desk.report, node, "a sweep axis")?;
    if let Some(values) = f.get("values") {
        let Item::List(list) = &values.item else {
            desk.error(&values.place, format!("`values` is a list, not {}", values.what()));
            return None;
        };
        f.finish(&mut desk.report);
        return Some(list.iter().map(Node::to_toml).collect());
    }
    let from_node = f.require(&mut desk.report, "from", "\"10 ms\"");
    let to_node = f.require(&mut desk.report, "to", "\"30 ms\"");
    let steps = f.require(&mut desk.report, "steps", "21").and_then(|n| desk.whole(n, "`steps`", 2));
    let log = f.get("log").and_then(|n| desk.flag(n, "`log`")).unwrap_or(false);
    f.finish(&mut desk.report);
    let (from, unit) = written(desk, from_node?)?;
    let (to, other) = written(desk, to_node?)?;
    let to_place = &to_node?.place;
    if unit != other {
        desk.error(to_place, format!("`from` and `to` are written in one unit; here `{unit}` and `{other}`"));
        return None;
    }
    if log && (from <= 0.0 || to <= 0.0) {
        desk.error(to_place, "an axis in ratio (`log = true`) is above zero");
        return None;
    }
    let steps = steps?;
    let whole = from_node.is_some_and(|n| matches!(n.item, Item::Integer(_)))
        && to_node.is_some_and(|n| matches!(n.item, Item::Integer(_)));
    let point = |k: u64| {
        let s = k as f64 / (steps - 1) as f64;
        let v = if k == 0 {
            from
        } else if k == steps - 1 {
            to
        } else if log {
            from * (to / from).powf(s)
        } else {
            from + (to - from) * s
        };
        let number = short(v);
        if unit.is_empty() {
            // Whole-number axes stay whole where they can (sizes, in-degrees).
            if number.contains(['.', 'e']) || whole { number } else { format!("{number}.0") }
        } else {
            format!("\"{number} {unit}\"")
        }
    };
    Some((0..steps).map(point).collect())
}
