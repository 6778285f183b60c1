//! `spikedeck doctor`: what the terminal and the machine can do, and what to change.

use std::io::{self, IsTerminal, Write};

use super::error::CliError;
use super::output::{self, Align, Grid, Tone};
use spikedeck_core::number;
use spikedeck_core::vector::{self, Level};
use spikedeck_run::free_memory;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// One finding: what, what was found, whether it is well, and what would be better.
struct Finding {
    what: &'static str,
    found: String,
    well: bool,
    advice: String,
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let findings = [terminal(), size(), colours(), unicode(), link(), memory(), threads(), simd(), clock()];
    let mut out = output::out();
    if args.json {
        let mut object = serde_json::Map::new();
        object.insert("version".into(), env!("CARGO_PKG_VERSION").into());
        for f in &findings {
            object.insert(
                f.what.replace(' ', "_"),
                serde_json::json!({ "found": f.found, "well": f.well, "advice": f.advice }),
            );
        }
        writeln!(out, "{}", serde_json::Value::Object(object))?;
    } else {
        writeln!(out, "spikedeck {}", env!("CARGO_PKG_VERSION"))?;
        let mut grid = Grid::new(&[Align::Left; 4]);
        for f in &findings {
            let mark = if f.well { "✓" } else { "!" };
            grid.row([mark, f.what, &f.found, &f.advice], if f.well { Tone::Plain } else { Tone::Warn });
        }
        grid.write(&mut out, "  ", false, output::colour_on_stdout())?;
    }
    Ok(out.flush()?)
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn terminal() -> Finding {
    let term = variable("TERM");
    let on_terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
    let found = match (on_terminal, term.is_empty()) {
        (_, true) => "TERM is not set".to_owned(),
        (true, false) => term.clone(),
        (false, false) => format!("{term} (standard input or output is no terminal)"),
    };
    let well = on_terminal && !term.is_empty() && term != "dumb";
    let advice = if well { "" } else { "the dashboard needs a terminal; `run`, `compare` and the others do not" };
    Finding { what: "terminal", found, well, advice: advice.into() }
}

fn size() -> Finding {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 => {
            let well = size.ws_col >= 80 && size.ws_row >= 24;
            let advice = if well { "" } else { "80x24 or more shows panes side by side; 20x5 still works" };
            Finding { what: "size", found: format!("{}x{}", size.ws_col, size.ws_row), well, advice: advice.into() }
        }
        _ => Finding {
            what: "size",
            found: "unknown".into(),
            well: false,
            advice: "the terminal does not tell its size".into(),
        },
    }
}

fn colours() -> Finding {
    let (term, colour_term) = (variable("TERM"), variable("COLORTERM"));
    let none = !variable("NO_COLOR").is_empty();
    let (found, well) = if none {
        ("none (NO_COLOR is set)", true)
    } else if colour_term == "truecolor" || colour_term == "24bit" || term.ends_with("-direct") {
        ("16 million", true)
    } else if term.contains("256color") {
        ("256", true)
    } else if term.is_empty() || term == "dumb" {
        ("none", false)
    } else {
        ("16", false)
    };
    let advice = if well { "" } else { "if the terminal shows more, set TERM=xterm-256color or COLORTERM=truecolor" };
    Finding { what: "colours", found: found.into(), well, advice: advice.into() }
}

fn unicode() -> Finding {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().map(|n| variable(n)).find(|v| !v.is_empty()).unwrap_or_default();
    let well = locale.to_lowercase().replace('-', "").contains("utf8");
    let found = if locale.is_empty() { "no locale is set".to_owned() } else { locale };
    let advice = if well {
        "do you see braille, blocks and sub-scripts? ⣿ ▚ τₘ"
    } else {
        "set LANG=C.UTF-8, or marker = \"ascii\" in the settings"
    };
    Finding { what: "unicode", found, well, advice: advice.into() }
}

fn link() -> Finding {
    let remote = !variable("SSH_CONNECTION").is_empty() || !variable("SSH_TTY").is_empty();
    let multiplexer = if !variable("TMUX").is_empty() {
        ", inside tmux"
    } else if !variable("STY").is_empty() {
        ", inside screen"
    } else {
        ""
    };
    Finding {
        what: "link",
        found: format!("{}{multiplexer}", if remote { "over SSH" } else { "local" }),
        well: true,
        advice: String::new(),
    }
}

fn memory() -> Finding {
    let free = free_memory();
    let well = free > 1 << 30;
    let advice = if well {
        format!("a run may hold {}", number::bytes(free / 4 * 3))
    } else {
        "large networks will be refused".into()
    };
    Finding { what: "memory", found: format!("{} free", number::bytes(free)), well, advice }
}

fn threads() -> Finding {
    let n = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Finding {
        what: "threads",
        found: n.to_string(),
        well: true,
        advice: "results do not depend on their number".into(),
    }
}

fn simd() -> Finding {
    let (level, detected) = (vector::level(), vector::detected());
    let name = |level: Level| match (level, cfg!(target_arch = "x86_64")) {
        (Level::Avx512, _) => "AVX-512",
        (Level::Avx2, _) => "AVX2 with FMA",
        (Level::Baseline, true) => "baseline (neither AVX2 nor FMA)",
        (Level::Baseline, false) => std::env::consts::ARCH,
    };
    let lowered = level < detected;
    let found =
        if lowered { format!("{}, lowered from {}", name(level), name(detected)) } else { name(level).to_owned() };
    let advice = match (lowered, level) {
        (true, _) => format!("{} lowers it; results are the same, only slower", vector::VARIABLE),
        (false, Level::Baseline) if cfg!(target_arch = "x86_64") => "results are the same, only slower".to_owned(),
        (false, _) => String::new(),
    };
    Finding { what: "simd", found, well: advice.is_empty(), advice }
}

/// A short piece of real work tells a throttled or busy machine from a quick one: the best of five, so that one
/// interruption does not count.
fn clock() -> Finding {
    const STEPS: u32 = 400_000;
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let mut x = std::hint::black_box(0.5f64);
        let began = std::time::Instant::now();
        for _ in 0..STEPS {
            x = x * 0.999_999 + 1e-6;
        }
        std::hint::black_box(x);
        best = best.min(began.elapsed().as_secs_f64() / f64::from(STEPS) * 1e9);
    }
    let slow = best > 6.0;
    Finding {
        what: "speed",
        found: format!("{best:.1} ns for a multiplication and an addition that wait for each other"),
        well: !slow,
        advice: if slow { "the machine is busy or throttled: 2 to 4 ns are usual".into() } else { String::new() },
    }
}
