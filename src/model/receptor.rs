//! A receptor whose current goes to another input port of its host than the one its file names.

use std::sync::Arc;

use super::Definition;
use spikedeck_equation::System;

/// The receptor with its current named for input port `port` of the host (`I_dendrite` instead of `I`).
///
/// # Errors
/// One sentence when the receptor states no current, or its equations do not allow the new name.
pub fn redirect(receptor: &Arc<Definition>, port: &str) -> Result<Arc<Definition>, String> {
    let Some(own) = receptor.port.as_deref() else {
        return Err(format!(
            "receptor `{}` acts on the state itself and has no current that could go to `{port}`",
            receptor.name
        ));
    };
    if own == port {
        return Ok(receptor.clone());
    }
    let mut texts = receptor.texts.clone();
    texts.equations = texts
        .equations
        .lines()
        .map(|l| match l.trim_start().strip_prefix(own).map(str::trim_start) {
            Some(rest) if rest.starts_with('=') => format!("{port} {rest}"),
            _ => l.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n");
    let system = System::parse(&texts).map_err(|problems| {
        let first = problems.into_iter().next().map(|(_, d)| d.message).unwrap_or_default();
        format!("the current of receptor `{}` cannot be called `{port}`: {first}", receptor.name)
    })?;
    Ok(Arc::new(Definition { texts, system, port: Some(port.to_owned()), ..(**receptor).clone() }))
}
