//! The identity of a run: one canonical JSON text of everything that decides its result, and the hash of that text.
//!
//! The text is what `manifest.json` stores as `resolved`, and its SHA-256 is the hash of a scenario. Two resolved
//! scenarios that differ in any bit that decides the result have different texts; scenarios with the same values have
//! the same text, however they are written. Titles, descriptions, expectations and variants decide nothing and are not
//! in it; nor is a sweep, whose points are runs of their own. What a scenario takes from files is in it by its values
//! (long lists by their SHA-256), so that a file may be written anew in another format.
//!
//! Every quantity is a string with its unit ([`quantity()`]); counts, seeds and unit numbers are whole numbers.
//! Defaults are written out; a part that is not there (a grid, a tree) is left out, so that a new kind of part changes
//! no identity of scenarios without it. Named things are lists in the order of the file, because their order decides in
//! which order numbers are added. The writer chooses the names of all keys: renaming a field in Rust changes nothing.
//! Structures are taken apart without `..` and enumerations without `_`: a new field does not compile until it is
//! written here, or named as one that decides nothing.
//!
//! Whoever changes what is written for a scenario that could be written before changes [`SCHEMA`] as well.

mod analysis;
mod equations;
mod population;
mod projection;
mod quantity;
mod record;
mod recording;
mod simulation;
mod stimulus;
#[cfg(test)]
mod tests;
mod tree;

pub use quantity::quantity;
pub use simulation::sweep;

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::catalog::Catalog;
use super::spec::{Place, Spec, Target};
pub(crate) use quantity::hexadecimal;
use quantity::sha256;
use spikedeck_core::units::Dimension;
use spikedeck_signal::TimeBase;

/// The form of the text. A stored run whose `resolved.schema` is another one cannot be compared by its hash.
pub const SCHEMA: &str = "spikedeck-run-2";

/// Writes the identity of `spec` into it: [`Spec::canonical`] and [`Spec::hash`]. `catalog` says what unit each option
/// of an analysis has.
pub fn identify(spec: &mut Spec, catalog: &Catalog) {
    let text = canonical(spec, catalog);
    spec.hash = hexadecimal(&sha256(text.as_bytes()));
    spec.canonical = Arc::from(text);
}

/// The canonical JSON of everything that decides the result of `spec`, on one line.
pub fn canonical(spec: &Spec, catalog: &Catalog) -> String {
    let Spec {
        name: _,
        variant: _,
        title: _,
        description: _,
        references: _,
        tags: _,
        simulation,
        populations,
        projections,
        stimuli,
        records,
        recordings,
        analyses,
        expect: _,
        variants: _,
        // Each point of a sweep and each trial is a run, with an identity of its own.
        sweep: _,
        trials: _,
        hash: _,
        canonical: _,
        source: _,
        overrides: _,
        path: _,
        files: _,
        warnings: _,
    } = spec;
    let write = Writer { spec, catalog };
    let mut object = Map::new();
    object.insert("schema".into(), json!(SCHEMA));
    object.insert("simulation".into(), write.simulation(simulation));
    object.insert("populations".into(), populations.iter().map(population::population).collect());
    object.insert("projections".into(), projections.iter().map(|p| write.projection(p)).collect());
    object.insert("stimuli".into(), stimuli.iter().map(|s| write.stimulus(s)).collect());
    object.insert("record".into(), records.iter().map(|r| write.record(r)).collect());
    if !recordings.is_empty() {
        object.insert("recordings".into(), recordings.iter().map(recording::recording).collect());
    }
    object.insert("analyses".into(), analyses.iter().map(|a| write.analysis(a)).collect());
    Json::Object(object).to_string()
}

/// What every part needs to know of the whole.
struct Writer<'a> {
    spec: &'a Spec,
    catalog: &'a Catalog,
}

impl Writer<'_> {
    /// The dimension of times: seconds, or none in dimensionless scenarios.
    fn time(&self) -> Dimension {
        match self.spec.simulation.time_base {
            TimeBase::Milliseconds => Dimension::SECOND,
            TimeBase::Dimensionless => Dimension::NONE,
        }
    }

    /// The dimension of rates and frequencies.
    fn rate(&self) -> Dimension {
        Dimension::NONE.per(self.time())
    }

    /// `POPULATION.PORT`, and the dimension of what arrives there.
    fn target(&self, target: &Target) -> (String, Dimension) {
        let Target { population, port } = target;
        let population = self.spec.population(*population);
        (format!("{}.{}", population.name, population.port_name(*port)), population.port_dimension(*port))
    }

    /// Whose values are recorded or looked at: a population, or a projection.
    fn place(&self, place: Place) -> (&'static str, Json) {
        let key = match place {
            Place::Population(_) => "population",
            Place::Projection(_) => "projection",
        };
        (key, json!(self.spec.place_name(place)))
    }
}
