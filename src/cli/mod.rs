//! The command line: one file a subcommand. Results go to standard output, everything else to standard error.
//!
//! Exit status: 0 done, 1 a check failed (or an analysis has no result, or a file could not be written), 2 wrong usage
//! or scenario, 3 numerical failure, 130 interrupted. A closed pipe ends the program quietly with 0.
//!
//! The whole program is
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     spikedeck_cli::main()
//! }
//! ```

mod analyze;
mod bench;
mod check;
mod cluster;
mod compare;
mod config;
mod coverage;
mod dashboard;
mod distributions;
mod doctor;
mod door;
mod error;
mod explain;
mod explain_language;
mod list;
mod output;
mod plot;
mod report;
mod report_file;
mod run;
mod schema;
mod show;
mod states;
mod sweep;
mod sweep_plan;
mod trials;
mod validate;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A terminal laboratory for neural dynamics: scenario files in; rasters, spectra, information, Lyapunov exponents,
/// synchrony and Parquet tables out.
#[derive(Debug, Parser)]
#[command(name = "spikedeck", version, about = ABOUT, args_conflicts_with_subcommands = true, after_help = AFTER)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// What the dashboard shows: scenarios, finished runs or recordings side by side; a gallery without any
    paths: Vec<PathBuf>,
    #[command(flatten)]
    dashboard: dashboard::Flags,
}

/// Said here, because what clap takes by itself is the description of this crate, and that is of the room alone.
const ABOUT: &str = "A terminal laboratory for neural dynamics: scenario files in; rasters, spectra, information, \
                     Lyapunov exponents, synchrony and Parquet tables out.";

const AFTER: &str = "Exit status: 0 done, 1 a check failed, an analysis has no result or a file could not be written, \
                     2 wrong usage or scenario, 3 numerical failure, 130 interrupted.\n\
                     Start with: spikedeck, spikedeck list scenarios, spikedeck run balanced-coba";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios; print what was measured
    Run(run::Args),
    /// Make the points of a sweep by several processes, and go on where it was ended
    Sweep(sweep::Args),
    /// Give the shards of a sweep to Slurm, see how far they are, and gather their tables
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// Measure a recorded run, also a killed one, or a table of spikes or signals
    Analyze(Box<analyze::Args>),
    /// Hold runs or scenarios against the first of them
    Compare(compare::Args),
    /// Draw an analysis of a run as SVG or PNG
    Plot(plot::Args),
    /// Write a report of a run, or of several against the first: figures, numbers, methods, scenario, versions
    Report(report_file::Args),
    /// List what there is
    List(list::Args),
    /// The card of a model, receptor, channel, analysis or scenario
    Explain(explain::Args),
    /// Validate scenarios without running them
    Check(check::Args),
    /// Print a built-in scenario or model file
    Show(show::ShowArgs),
    /// Write a copy of a built-in scenario or model file to start from
    New(show::NewArgs),
    /// Compute closed forms and stored numbers of other tools anew; say how far this binary is from them
    Validate(validate::Args),
    /// Run benchmark cases
    Bench(bench::Args),
    /// The dashboard's settings
    Config(config::Args),
    /// Print the JSON Schema of scenario files
    Schema,
    /// Print completions for a shell
    Completions(schema::CompletionsArgs),
    /// Print the man page
    Man,
    /// Look at the terminal and the machine
    Doctor(doctor::Args),
}

/// Runs the program: parses the arguments, does what they ask for, and gives the exit status.
pub fn main() -> ExitCode {
    hook_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let status = if error.use_stderr() { 2 } else { 0 };
            say_usage(&error);
            return ExitCode::from(status);
        }
    };
    let result = match cli.command {
        _ if let Err(text) = spikedeck_core::vector::asked() => Err(error::CliError::Usage(text)),
        None => dashboard::run(&cli.paths, &cli.dashboard),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Sweep(args)) => sweep::run(&args),
        Some(Command::Cluster(command)) => cluster::run(&command),
        Some(Command::Analyze(args)) => analyze::run(&args),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Plot(args)) => plot::run(&args),
        Some(Command::Report(args)) => report_file::run(&args),
        Some(Command::List(args)) => list::run(&args),
        Some(Command::Explain(args)) => explain::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Show(args)) => show::show(&args),
        Some(Command::New(args)) => show::new(&args),
        Some(Command::Validate(args)) => validate::run(&args),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Config(args)) => config::run(&args),
        Some(Command::Schema) => schema::schema(),
        Some(Command::Completions(args)) => schema::completions(&args),
        Some(Command::Man) => schema::man(),
        Some(Command::Doctor(args)) => doctor::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match error.text() {
                Some(text) if error.is_coloured() => output::say_coloured(&text),
                Some(text) => output::say(&text),
                None => {}
            }
            ExitCode::from(error.status())
        }
    }
}

/// What the parser of arguments has to say: help on standard output, mistakes on standard error.
fn say_usage(error: &clap::Error) {
    let text = error.render();
    // What was typed is repeated here: where it acts on a terminal, the text is plain, and the door writes it out.
    let acts = std::env::args_os().any(|a| a.to_string_lossy().contains(spikedeck_core::visible::is_hidden));
    let of = |coloured: bool| if coloured && !acts { text.ansi().to_string() } else { text.to_string() };
    if error.use_stderr() {
        let text = of(output::colour_on_stderr());
        if acts { output::say(text.trim_end()) } else { output::say_coloured(text.trim_end()) }
    } else {
        let mut out = output::out();
        // A closed pipe while printing help is nobody's mistake.
        let _ = out.write_all(door::trusted(&of(output::colour_on_stdout())).as_bytes()).and_then(|()| out.flush());
    }
}

/// A mistake of the program's own says so in words that can be sent on, instead of a backtrace.
fn hook_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // A damaged file is told as one.
        if spikedeck_store::panics_are_caught() {
            return;
        }
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            before(info);
            return;
        }
        let what = info.payload_as_str().unwrap_or("no reason was given");
        let place = info.location().map_or_else(String::new, |l| format!(" ({}:{})", l.file(), l.line()));
        output::say(&format!(
            "the program made a mistake: {what}{place}\nThis is not your scenario's fault. Please report it with the \
             scenario and this line (version {}); RUST_BACKTRACE=1 says more.",
            env!("CARGO_PKG_VERSION")
        ));
    }));
}
