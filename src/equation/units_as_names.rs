//! Units that stand where a name should, as other tools write them (`13*mV`): told once, with what is written here.

use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::parse_unit;

/// Whether a name that nothing has is a unit. One letter is rather a name that was forgotten (`m`, `A`).
pub(super) fn is_unit(name: &str) -> bool {
    name.chars().count() > 1 && parse_unit(name).is_ok()
}

/// Leaves of all diagnostics about units as names the first, with what is right for each of these units.
pub(super) fn told_once<T>(found: &mut Vec<T>, diagnostic: impl Fn(&mut T) -> &mut Diagnostic) {
    let mut units: Vec<String> = Vec::new();
    let mut first = None;
    let mut at = 0;
    found.retain_mut(|f| {
        let unit = diagnostic(f).unknown.clone().filter(|name| is_unit(name));
        let stays = unit.is_none() || first.is_none();
        if let Some(unit) = unit {
            first = first.or(Some(at));
            if !units.contains(&unit) {
                units.push(unit);
            }
        }
        at += usize::from(stays);
        stays
    });
    if let Some(first) = first {
        let brackets: Vec<String> = units.iter().map(|u| format!("`[1 {u}]`")).collect();
        diagnostic(&mut found[first]).help = Some(format!(
            "write a quantity in brackets with its unit, `[13 {}]`; the units alone are {}",
            units[0],
            brackets.join(", ")
        ));
    }
}
