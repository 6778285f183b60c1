//! `spikedeck list scenarios --coverage`: which scenario and test show each line of the checklist of earlier programs.

use std::io::Write;

use serde_json::json;

use super::error::CliError;
use super::list::{Args, What};
use super::output::{self, Align, Grid, Tone};
use spikedeck_scenario::{CoverageLine, coverage};

/// What the numbers before the point stand for, in the page's headings.
const SYSTEMS: [(&str, &str); 5] = [
    ("000", "Two fibres on a cable"),
    ("001", "Neuron models"),
    ("002", "Leaky neurons and a sheet of them"),
    ("003", "Spiking, adaptation, coupling, a neural mass"),
    ("004", "A page of equations of neuroscience"),
];

pub(super) fn list(args: &Args) -> Result<(), CliError> {
    if args.what != What::Scenarios {
        return Err(CliError::Usage("--coverage is for scenarios: write `spikedeck list scenarios --coverage`".into()));
    }
    let lines = coverage().map_err(|e| CliError::Other(e.to_owned()))?;
    let mut out = output::out();
    if args.json {
        for l in lines {
            writeln!(
                out,
                "{}",
                json!({
                    "id": l.id,
                    "what": l.what,
                    "scenarios": l.scenarios,
                    "tests": l.tests,
                    "open": l.open,
                    "missing": l.missing,
                })
            )?;
        }
    } else if args.markdown {
        markdown(&mut out, lines)?;
    } else {
        text(&mut out, lines)?;
    }
    Ok(out.flush()?)
}

fn text(out: &mut impl Write, lines: &[CoverageLine]) -> Result<(), CliError> {
    let mut grid = Grid::new(&[Align::Left, Align::Left, Align::Left]);
    for l in lines {
        let shown = match &l.open {
            Some(why) => format!("open: {why}"),
            None => {
                let missing = l.missing.as_ref().map(|m| format!("missing: {m}"));
                l.scenarios.iter().chain(&l.tests).cloned().chain(missing).collect::<Vec<_>>().join(", ")
            }
        };
        grid.row([l.id.clone(), l.what.clone(), shown], if l.open.is_some() { Tone::Dim } else { Tone::Plain });
    }
    grid.write(out, "", false, output::colour_on_stdout())?;
    writeln!(out, "{}", counted(lines))?;
    Ok(())
}

fn counted(lines: &[CoverageLine]) -> String {
    let open = lines.iter().filter(|l| l.open.is_some()).count();
    let part = lines.iter().filter(|l| l.missing.is_some()).count();
    format!("{} of {} lines are shown, {part} of them in part; {open} are open.", lines.len() - open, lines.len())
}

fn markdown(out: &mut impl Write, lines: &[CoverageLine]) -> Result<(), CliError> {
    writeln!(
        out,
        "# What earlier programs did or promised, and what shows it here\n\n\
         Written by `spikedeck list scenarios --coverage --markdown`. Every scenario is a test: its expectations hold \
         in every run of `cargo test`. {}",
        counted(lines)
    )?;
    // A bar would end the cell.
    let cell = |text: &str| text.replace('|', "\\|");
    let names = |list: &[String]| list.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    for (system, title) in SYSTEMS {
        writeln!(out, "\n## {system}: {title}\n\n| Line | What | Scenarios | Tests |\n|---|---|---|---|")?;
        for l in lines.iter().filter(|l| l.id.split('.').next() == Some(system)) {
            let (scenarios, mut tests) = match &l.open {
                Some(why) => (format!("open: {}", cell(why)), String::new()),
                None => (names(&l.scenarios), names(&l.tests)),
            };
            if let Some(missing) = &l.missing {
                tests = [tests, format!("missing: {}", cell(missing))]
                    .into_iter()
                    .filter(|t| !t.is_empty())
                    .collect::<Vec<_>>()
                    .join("; ");
            }
            writeln!(out, "| {} | {} | {scenarios} | {tests} |", l.id, cell(&l.what))?;
        }
    }
    Ok(())
}
