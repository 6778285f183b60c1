//! The threshold of spikes in the traces of what crosses it.

use crate::panes::pane::Pane;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_scenario::{PopulationSpec, Spec, Value};
use spikedeck_signal::{ReferenceLine, Shape};

/// Part of the range of a trace by which a line outside of it may lie beyond: what is farther would flatten the trace.
const BESIDE: f64 = 0.25;

/// Puts the threshold of a population into the pane of the state that crosses it, where it is one number for all units
/// and not far from what is seen.
pub fn drawn(panes: Vec<Pane>, spec: Option<&Spec>) -> Vec<Pane> {
    let Some(spec) = spec else { return panes };
    let of = |pane: &Pane| {
        let name = pane.key.strip_prefix("trace/")?;
        spec.populations.iter().find_map(|p| {
            let (state, line, at) = threshold(p)?;
            // Several populations in one pane have thresholds of their own.
            (name == format!("{}.{state}", p.name) && is_near(pane, at)).then(|| (line.to_owned(), at))
        })
    };
    let with = |pane: Pane| match of(&pane) {
        Some((name, at)) => pane.with_reference(ReferenceLine { name, at, vertical: false }),
        None => pane,
    };
    panes.into_iter().map(with).collect()
}

fn is_near(pane: &Pane, at: f64) -> bool {
    let Shape::Series(series) = &pane.shape.shape else { return false };
    let values = series.curves.iter().flat_map(|c| c.y.iter().copied()).filter(|y| y.is_finite());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(y), h.max(y)));
    let beyond = BESIDE * (high - low);
    (low - beyond..=high + beyond).contains(&at)
}

/// The state whose crossing is a spike, and what it crosses, by name and by value in the unit that is shown: where the
/// condition is that a state is above a parameter that all units share, or above a number. Angles go round.
fn threshold(p: &PopulationSpec) -> Option<(&str, &str, f64)> {
    if p.system.plays() {
        return None;
    }
    let (state, above) = p.model.texts.threshold.as_deref()?.split_once('>')?;
    let (state, above) = (state.trim(), above.trim_start_matches('=').trim());
    if p.model.circular.iter().any(|c| c == state) {
        return None;
    }
    let dimension = p.system.states().iter().find(|v| v.name == state)?.dimension;
    let quantity = |value: f64, dimension: Dimension| Quantity { value, dimension };
    let literal = above.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(above);
    let mut name = "threshold";
    let found = match p.system.parameters().iter().position(|v| v.name == above) {
        Some(at) => match p.parameters.get(at)? {
            Value::Constant(value) => {
                name = above;
                quantity(*value, dimension)
            }
            Value::Each(_) | Value::Drawn(_) | Value::Expression(_) => return None,
        },
        None => Quantity::parse(literal).ok().filter(|q| q.dimension == dimension)?,
    };
    Some((state, name, found.as_written()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_run as run;
    use spikedeck_signal::{Axis, Curve, Series};

    fn lines(text: &str, key: &str) -> Vec<f64> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.toml");
        std::fs::write(&path, text).unwrap();
        let (spec, _) = run::load(&path.display().to_string(), &[]).unwrap_or_else(|e| panic!("{}", e.render(false)));
        let curve = Curve { x: vec![0.0, 1.0], y: vec![-65.0, -53.0], ..Curve::default() };
        let series =
            Series { x: Axis::new("time", "ms"), y: Axis::new("V_m", "mV"), curves: vec![curve], ..Series::default() };
        let panes = drawn(vec![Pane::new(key, "V_m", Shape::Series(series), "")], Some(&spec));
        let Shape::Series(series) = &panes[0].shape.shape else { panic!() };
        assert!(series.references.iter().all(|r| r.name == "V_th" && !r.vertical));
        series.references.iter().map(|r| r.at).collect()
    }

    /// A number that all units share is drawn, as it was set, in the pane of what crosses it and in no other.
    #[test]
    fn the_threshold_stands_where_it_is_crossed() {
        let text = |more: &str| {
            format!(
                "title = 'a'\n[simulation]\nduration = '10 ms'\ndt = '0.1 ms'\n[populations.exc]\nmodel = 'lif'\n\
                 size = 3\n[populations.exc.parameters]\n{more}\n[record.exc]\nspikes = true\n"
            )
        };
        assert_eq!(lines(&text("V_th = '-52.5 mV'"), "trace/exc.V_m"), [-52.5]);
        assert_eq!(lines(&text("V_th = { normal = { mean = '-50 mV', sd = '1 mV' } }"), "trace/exc.V_m"), [0.0; 0]);
        assert_eq!(lines(&text("V_th = '-52.5 mV'"), "trace/inh.V_m"), [0.0; 0]);
        assert_eq!(lines(&text("V_th = '-20 mV'"), "trace/exc.V_m"), [0.0; 0], "the trace would be flat");
        assert_eq!(lines(&text("V_th = '-52.5 mV'"), "plane/exc.V_m"), [0.0; 0]);
        assert!(drawn(Vec::new(), None).is_empty());
    }
}
