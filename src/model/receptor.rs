//! Fitting a receptor to the model that carries it: its units follow those of the host.
//!
//! A receptor file names units of the host by `dim(NAME)`: `dg/dt = -g/tau : dim(I)/dim(V_m)` is a conductance on a
//! membrane in amperes and a conductance density on one in amperes per square metre, and a plain number on a model whose
//! published equations are plain numbers.

use std::sync::Arc;

use super::Definition;
use crate::core::units::Dimension;
use crate::equation::{Source, System};

/// How a text was edited, so that places in the edited text can be told in the original.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(usize, usize, usize)>);

impl Edits {
    /// The place in the original of `byte` of the edited text.
    pub(super) fn back(&self, byte: usize) -> usize {
        let mut shift = 0isize;
        for &(at, old, new) in &self.0 {
            let start = (at as isize + shift) as usize;
            if byte < start {
                break;
            }
            if byte < start + new {
                return at + (byte - start).min(old);
            }
            shift += new as isize - old as isize;
        }
        (byte as isize - shift).max(0) as usize
    }
}

/// The texts with `dim(...)` resolved for a membrane in volts with an input in amperes: how a receptor file is checked alone.
pub(super) fn assume_membrane(source: &Source, port: Option<&str>) -> (Source, Edits) {
    let mut out = source.clone();
    let dimension = |name: &str| {
        source.given.iter().find(|g| g.name == name).map(|g| g.dimension).or((port == Some(name)).then_some(Dimension::AMPERE))
    };
    let (equations, edits) = resolve_units(&source.equations, &dimension);
    out.equations = equations;
    (out, edits)
}

fn resolve_units(text: &str, dimension: &dyn Fn(&str) -> Option<Dimension>) -> (String, Edits) {
    let mut out = String::with_capacity(text.len());
    let mut edits = Vec::new();
    let mut i = 0;
    while let Some(found) = text[i..].find("dim(") {
        let start = i + found;
        let Some(length) = text[start..].find(')') else { break };
        let name = text[start + 4..start + length].trim();
        out.push_str(&text[i..start]);
        let before = out.len();
        match dimension(name) {
            Some(d) => out.push_str(&format!("({d})")),
            None => out.push_str(&text[start..=start + length]),
        }
        edits.push((start, length + 1, out.len() - before));
        i = start + length + 1;
    }
    out.push_str(&text[i..]);
    (out, Edits(edits))
}

/// The receptor with the units that `host` gives it, its current adding to input port `port` (default: the one its file
/// names).
///
/// # Errors
/// One sentence when the host lacks the port or a name that the receptor is given, or when the units do not fit.
pub fn fit_receptor(receptor: &Definition, host: &Definition, port: Option<&str>) -> Result<Arc<Definition>, String> {
    let names = |list: &[crate::equation::Variable]| list.iter().map(|v| format!("`{}`", v.name)).collect::<Vec<_>>().join(", ");
    let own_port = receptor.port.as_deref();
    let host_port = port.or(own_port);
    let mut current = None;
    if let Some(wanted) = host_port {
        let Some(input) = host.system.inputs().iter().find(|v| v.name == wanted) else {
            let have = names(host.system.inputs());
            let have = if have.is_empty() { "it has no inputs".to_owned() } else { format!("its inputs are {have}") };
            return Err(format!("model `{}` has no input `{wanted}` for the current of receptor `{}`; {have}", host.name, receptor.name));
        };
        current = Some(input.dimension);
    }
    let mut texts = receptor.texts.clone();
    for given in &mut texts.given {
        let found = host.system.states().iter().chain(host.system.subexpressions()).find(|v| v.name == given.name);
        let Some(found) = found else {
            return Err(format!(
                "receptor `{}` acts on `{}`, which model `{}` does not have; its states are {}",
                receptor.name,
                given.name,
                host.name,
                names(host.system.states())
            ));
        };
        given.dimension = found.dimension;
    }
    let dimension = |name: &str| {
        texts.given.iter().find(|g| g.name == name).map(|g| g.dimension).or(if own_port == Some(name) { current } else { None })
    };
    let (mut equations, _) = resolve_units(&texts.equations, &dimension);
    if let (Some(own), Some(wanted)) = (own_port, host_port) {
        if own != wanted {
            equations = equations
                .lines()
                .map(|l| match l.trim_start().strip_prefix(own).map(str::trim_start) {
                    Some(rest) if rest.starts_with('=') => format!("{wanted} {rest}"),
                    _ => l.to_owned(),
                })
                .collect::<Vec<_>>()
                .join("\n");
        }
    }
    texts.equations = equations;
    let system = System::parse(&texts).map_err(|problems| {
        let first = problems.into_iter().next().map(|(_, d)| d.message).unwrap_or_default();
        format!("receptor `{}` does not fit model `{}`: {first}", receptor.name, host.name)
    })?;
    Ok(Arc::new(Definition { texts, system, port: host_port.map(str::to_owned), ..receptor.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_the_host_and_places_stay() {
        let text = "dg/dt = -g/tau : dim(I)/dim(V_m)\nI = g*(E - V_m) : dim(I)";
        let (out, edits) = resolve_units(text, &|n| if n == "I" { Some(Dimension::AMPERE) } else { Some(Dimension::VOLT) });
        assert_eq!(out, "dg/dt = -g/tau : (A)/(V)\nI = g*(E - V_m) : (A)");
        assert_eq!(edits.back(out.find("I = g").unwrap()), text.find("I = g").unwrap());
        assert_eq!(edits.back(3), 3);
    }
}
