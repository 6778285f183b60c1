//! Has this crate compiled again when a file is added to what it holds, and not only when one of them changes.

fn main() {
    for held in
        ["models", "receptors", "channels", "plasticity", "morphologies", "connectomes", "scenarios", "coverage.toml"]
    {
        println!("cargo::rerun-if-changed={held}");
    }
}
