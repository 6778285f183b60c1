//! Bands of frequency, as options of analyses list them.

use super::catalog::Band;
use super::resolver::Resolver;
use spikedeck_core::units::Quantity;
use spikedeck_model::document::{Item, Node};

/// `NAME LOW HIGH` each; a unit may stand after each end, or after both.
pub(super) fn bands(resolver: &mut Resolver<'_>, node: &Node, what: &str) -> Option<Vec<Band>> {
    let Item::List(list) = &node.item else {
        resolver.error_help(
            &node.place,
            format!("{what} is a list, not {}", node.what()),
            "write [\"NAME LOW HIGH\"], as in [\"alpha 8 13\"]",
        );
        return None;
    };
    let mut found: Vec<Band> = Vec::new();
    let mut sound = true;
    for one in list {
        match band(resolver, one) {
            Some(new) if found.iter().any(|old| old.name == new.name) => {
                resolver.error(&one.place, format!("the band `{}` is there twice", new.name));
                sound = false;
            }
            Some(new) => found.push(new),
            None => sound = false,
        }
    }
    sound.then_some(found)
}

fn band(resolver: &mut Resolver<'_>, node: &Node) -> Option<Band> {
    let text = resolver.text(node, "a band")?;
    let form = "write \"NAME LOW HIGH\", as in \"alpha 8 13\" or \"slow 0.1 Hz 1 Hz\"";
    // Words with their places; a number begins an end, and what follows it is its unit.
    let mut words = text.split_whitespace().map(|w| (w.as_ptr() as usize - text.as_ptr() as usize, w));
    let Some((_, name)) = words.next() else {
        resolver.error_help(&node.place, "a band without a name", form);
        return None;
    };
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for (at, word) in words {
        match parts.last_mut() {
            Some(part) if word.parse::<f64>().is_err() => part.1 = at + word.len(),
            _ => parts.push((at, at + word.len())),
        }
    }
    let [low, high] = parts.as_slice() else {
        resolver.error_help(&node.place, format!("`{text}` is no band: a name and two ends"), form);
        return None;
    };
    let dimension = resolver.rate_dimension();
    let mut end = |(from, to): (usize, usize), other: &str| {
        let written = &text[from..to];
        // A unit that only one end has is that of both; without one they are in hertz.
        let unit = |t: &str| t.split_once(char::is_whitespace).map(|(_, unit)| unit.trim().to_owned());
        let bare = written.parse::<f64>().is_ok();
        match unit(other).or_else(|| (!dimension.is_none()).then(|| "Hz".to_owned())) {
            Some(unit) if bare => match Quantity::parse(&format!("{written} {unit}")) {
                Ok(q) if q.dimension == dimension => Some(q.value),
                // The other end says what is wrong with its unit.
                _ => None,
            },
            _ => resolver.quantity_inside(node, written, from, dimension, "a band's end"),
        }
    };
    let (from, to) = (end(*low, &text[high.0..high.1]), end(*high, &text[low.0..low.1]));
    let (from, to) = (from?, to?);
    if !(0.0..to).contains(&from) {
        resolver.error_help(
            &node.place,
            format!("the band `{name}` ends below its beginning, or begins below 0"),
            form,
        );
        return None;
    }
    Some(Band { name: name.to_owned(), low: from, high: to })
}
