//! `delay` of a projection.

use crate::resolver::Resolver;
use crate::spec::{PairName, Value};
use crate::value::{KnownNames, Wanted};
use spikedeck_model::document::Node;

/// Steps that a delay may take: connections store it in two bytes.
pub const MOST_DELAY: u64 = u16::MAX as u64;

/// Fixed delays are multiples of the step; drawn and computed ones are rounded to at least one step when the network is
/// built.
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    node: &Node,
    count: Option<usize>,
    names: KnownNames<'_, PairName>,
) -> Option<Value<PairName>> {
    let dimension = resolver.time_dimension();
    let names = Some(names);
    let value = resolver.value(node, &Wanted { dimension, what: "the delay".to_owned(), count, names })?;
    let fixed: &[f64] = match &value {
        Value::Constant(v) => std::slice::from_ref(v),
        Value::Each(list) => list,
        _ => &[],
    };
    for v in fixed {
        if *v < 0.0 {
            resolver.error(&node.place, "the delay is not negative");
            return None;
        }
        let steps = resolver.multiple(&node.place, *v, "the delay")?;
        if steps > MOST_DELAY {
            let help = "a longer step, or a chain of units, carries a signal further";
            resolver.error_help(
                &node.place,
                format!("the delay is {steps} steps, and at most {MOST_DELAY} are kept"),
                help,
            );
            return None;
        }
    }
    let duration = resolver.duration;
    if duration > 0.0 && !fixed.is_empty() && fixed.iter().all(|v| *v >= duration) {
        resolver.warn(&node.place, "the delay is not shorter than the run", "nothing arrives");
    }
    Some(value)
}
