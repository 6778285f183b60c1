//! `spikedeck show` and `spikedeck new`: built-in files, printed or copied to start from.

use std::io::Write;
use std::path::PathBuf;

use super::error::CliError;
use super::output;
use spikedeck_core::diagnostic::did_you_mean;
use spikedeck_model::{DefinitionKind, library};
use spikedeck_scenario::{built_in, find_built_in};
use spikedeck_store as store;

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// Name of a built-in scenario, model, receptor, channel or plasticity rule (KIND/NAME, such as model/NAME, where
    /// two share it)
    #[arg(value_name = "[KIND/]NAME")]
    pub name: String,
}

/// Arguments of `new`.
#[derive(Debug, clap::Args)]
pub(super) struct NewArgs {
    /// Name of a built-in scenario, model, receptor or plasticity rule
    #[arg(value_name = "[KIND/]NAME")]
    pub name: String,
    /// File to write; NAME.toml in this folder if not given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
}

pub(super) fn show(args: &ShowArgs) -> Result<(), CliError> {
    let (_, _, text) = find(&args.name)?;
    let mut out = output::out();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

pub(super) fn new(args: &NewArgs) -> Result<(), CliError> {
    let (kind, name, text) = find(&args.name)?;
    // A copy may not have the name of a built-in model: that would hide it.
    let file = match kind {
        "scenario" => format!("{name}.toml"),
        _ => format!("my_{name}.toml"),
    };
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(file));
    let write = if args.force { store::write_bytes } else { store::write_new };
    write(&path, text.as_bytes())?;
    let mut out = output::out();
    writeln!(out, "{}", path.display())?;
    out.flush()?;
    match kind {
        "scenario" => output::say(&format!("change it, then: spikedeck run {}", path.display())),
        word => output::say(&format!(
            "a scenario beside it uses this {word} as \"{}\"",
            path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned())
        )),
    }
    Ok(())
}

/// Kind, name and text of a built-in file.
fn find(reference: &str) -> Result<(&'static str, &str, &'static str), CliError> {
    let (kind, name) = match reference.split_once('/') {
        Some((kind, name)) => (Some(kind.trim_end_matches('s')), name),
        None => (None, reference),
    };
    let mut found = Vec::new();
    if kind.is_none_or(|k| k == "scenario") {
        found.extend(find_built_in(name).map(|s| ("scenario", s.text)));
    }
    for k in DefinitionKind::ALL {
        if kind.is_none_or(|wanted| wanted == k.word()) {
            found.extend(library().text(k, name).map(|text| (k.word(), text)));
        }
    }
    match found[..] {
        [(kind, text)] => Ok((kind, name, text)),
        [] => {
            let mut names: Vec<&str> = built_in().iter().map(|s| s.name.as_str()).collect();
            names.extend(library().names(DefinitionKind::Model));
            names.extend(library().names(DefinitionKind::Receptor));
            names.extend(library().names(DefinitionKind::Channel));
            names.extend(library().names(DefinitionKind::Plasticity));
            let help = did_you_mean(name, names).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            Err(CliError::Usage(format!("no built-in file is called `{reference}`{help}")))
        }
        _ => {
            let kinds: Vec<String> = found.iter().map(|(kind, _)| format!("{kind}/{name}")).collect();
            Err(CliError::Usage(format!("`{name}` is several things: write {}", kinds.join(" or "))))
        }
    }
}
