//! Places on a tree by name: `soma`, `apical(0.7)`, `dendrite_3(1)`.

use super::compartment::Compartments;
use spikedeck_core::diagnostic::did_you_mean;

/// The units that `text` names: one for `SECTION(x)`, all compartments of a section or region for its bare name.
///
/// # Errors
/// What is wrong and what there is.
pub fn units(tree: &Compartments, text: &str) -> Result<Vec<u32>, (String, String)> {
    let text = text.trim();
    let (name, x) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => {
            let inside = rest.strip_suffix(')').map(str::trim);
            let x = inside.and_then(|x| x.parse::<f64>().ok());
            let Some(x) = x else {
                return Err((
                    format!("`{text}` is no place"),
                    "write `SECTION(x)` with x from 0 to 1, such as `apical(0.7)`".into(),
                ));
            };
            if !(0.0..=1.0).contains(&x) {
                return Err((
                    format!("`{text}` lies outside the section: {x} is not from 0 to 1"),
                    "0 is the end towards the root of the tree, 1 the far end".into(),
                ));
            }
            (name.trim(), Some(x))
        }
    };
    let sections = &tree.tree.sections;
    let chosen: Vec<usize> = match sections.iter().position(|s| s.name == name) {
        Some(s) => vec![s],
        None => (0..sections.len()).filter(|&s| sections[s].region == name).collect(),
    };
    match (&chosen[..], x) {
        ([], _) => {
            let mut names: Vec<&str> = sections.iter().map(|s| s.region.as_str()).collect();
            names.extend(sections.iter().map(|s| s.name.as_str()));
            names.dedup();
            let help = did_you_mean(name, names.iter().copied())
                .map_or_else(|| listed(tree), |near| format!("did you mean `{near}`?"));
            Err((format!("there is no section or region `{name}`"), help))
        }
        ([one], Some(x)) => Ok(vec![tree.at(*one, x) as u32]),
        (several, Some(x)) => {
            let (first, last) = (&sections[several[0]].name, &sections[several[several.len() - 1]].name);
            Err((
                format!("`{name}` has {} sections, and `{name}({x})` does not say on which", several.len()),
                format!("name one of `{first}` to `{last}`"),
            ))
        }
        (all, None) => Ok(all
            .iter()
            .flat_map(|&s| tree.ranges[s].0..tree.ranges[s].0 + tree.ranges[s].1)
            .map(|u| u as u32)
            .collect()),
    }
}

/// Regions, and sections where they are few.
fn listed(tree: &Compartments) -> String {
    let mut regions: Vec<&str> = tree.tree.sections.iter().map(|s| s.region.as_str()).collect();
    regions.sort_unstable();
    regions.dedup();
    format!("there are: {}", regions.join(", "))
}

/// The name of a unit: `apical(0.7)`.
pub fn name(tree: &Compartments, unit: usize) -> String {
    let unit = unit % tree.units().max(1);
    let s = tree.section_of(unit);
    let Some(section) = tree.tree.sections.get(s) else { return String::new() };
    if unit >= tree.count {
        let end = u8::from(tree.ends[s].1 == unit);
        return format!("{}({end})", section.name);
    }
    let (first, n) = tree.ranges[s];
    if n == 1 {
        return section.name.clone();
    }
    let x = (unit - first) as f64 + 0.5;
    format!("{}({})", section.name, spikedeck_core::units::short((x / n as f64 * 1e4).round() / 1e4))
}

#[cfg(test)]
mod tests {
    use super::super::cut;
    use super::super::swc::{Soma, read};
    use super::*;

    #[test]
    fn places_are_found_and_refused() {
        let text = "1 1 0 0 0 10 -1
2 3 10 0 0 1 1
3 3 60 0 0 1 2
4 3 100 30 0 0.5 3
5 3 100 -30 0 0.5 3
6 2 -10 0 0 0.5 1
7 2 -110 0 0 0.5 6
";
        let tree = cut(&read(text, Soma::Neuron, None).unwrap(), &[1, 3, 3, 3, 5]);
        assert_eq!(units(&tree, "soma"), Ok(vec![0]));
        assert_eq!(units(&tree, "axon(0.5)"), Ok(vec![12]));
        assert_eq!(units(&tree, "dendrite").unwrap().len(), 9);
        assert_eq!(units(&tree, "dendrite_1(0)"), units(&tree, "dendrite_0(1)"));
        assert_eq!((name(&tree, 12), name(&tree, 0)), ("axon(0.5)".into(), "soma".into()));
        assert!(units(&tree, "dendrite(0.5)").unwrap_err().0.contains("3 sections"));
        assert!(units(&tree, "axon(1.5)").unwrap_err().0.contains("not from 0 to 1"));
        assert!(units(&tree, "axn").unwrap_err().1.contains("did you mean `axon`"));
        for unit in 0..tree.units() {
            assert_eq!(units(&tree, &name(&tree, unit)).unwrap()[0] as usize, unit);
        }
    }
}
