//! The cortical microcircuit of Potjans and Diesmann (2014, doi:10.1093/cercor/bhs358) at full scale: distances of the
//! distributions of rates, CV and correlations within each population.

use super::{CliError, Row};
use crate::distributions::of_sets;
use spikedeck_run::Quantity;

pub(super) const SOURCE: &str = "KS distances of ten seeds of NEST among each other";

/// Populations as the scenario calls them.
const POPULATIONS: [&str; 8] = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"];

/// The greatest of the distances that seeds of the reference have among each other: least and greatest were 0.008 and
/// 0.037 of rates, 0.006 and 0.027 of CV, 0.017 and 0.056 of correlations.
fn bar(quantity: Quantity) -> f64 {
    match quantity {
        Quantity::Rate => 0.037,
        Quantity::Cv => 0.027,
        Quantity::Correlation => 0.056,
    }
}

/// A row for each population and measure: the mean distance of one run of each side.
pub(super) fn rows(runs: &str, against: &str) -> Result<Vec<Row>, CliError> {
    let found = of_sets(runs, against)?;
    for note in &found.notes {
        super::output::say(&format!("note: {note}"));
    }
    let missing: Vec<&str> =
        POPULATIONS.into_iter().filter(|p| !found.rows.iter().any(|r| r.population == *p)).collect();
    if !missing.is_empty() {
        return Err(CliError::Usage(format!(
            "{runs} and {against} are not both of the microcircuit: populations {} are missing",
            missing.join(", ")
        )));
    }
    let of_it = found.rows.iter().filter(|r| POPULATIONS.contains(&r.population.as_str()));
    Ok(of_it
        .map(|r| {
            let row = Row::new(format!("{} of {}", r.quantity.name(), r.population), "", bar(r.quantity));
            // The distance of equal distributions is 0.
            row.with(format!("n {} and {}", r.n.0, r.n.1), r.between.unwrap_or(f64::NAN), 0.0)
        })
        .collect())
}
