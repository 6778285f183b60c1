//! spikedeck: see the library's documentation for the map of the house.

fn main() -> std::process::ExitCode {
    spikedeck::cli::main()
}
