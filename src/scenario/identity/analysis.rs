//! `[analyses.NAME]`.

use serde_json::{Map, Value as Json, json};

use super::Writer;
use super::quantity::{numbers, quantity, units};
use crate::catalog::{Assignment, Band, FileMatrix, OptionKind, OptionValue};
use crate::spec::{AnalysisSpec, Observable, Subject};
use spikedeck_core::units::Dimension;
use spikedeck_equation::System;

impl Writer<'_> {
    pub(super) fn analysis(&self, analysis: &AnalysisSpec) -> Json {
        let AnalysisSpec { name, kind, of, source, target, options } = analysis;
        let declared = self.catalog.analyses.get(kind.as_str()).expect("an analysis that was read is declared");
        let mut object = Map::new();
        object.insert("name".into(), json!(name));
        object.insert("kind".into(), json!(kind));
        for (key, subjects) in [("of", of), ("source", source), ("target", target)] {
            if !subjects.is_empty() {
                object.insert(key.into(), subjects.iter().map(|s| self.subject(s)).collect());
            }
        }
        let written: Map<String, Json> = options
            .iter()
            .map(|(key, value)| {
                let found = declared.options.iter().find(|p| p.key == *key);
                let dimension = self.dimension(&found.expect("an option that was read is declared").kind, analysis);
                ((*key).to_owned(), self.option(value, dimension, analysis))
            })
            .collect();
        object.insert("options".into(), Json::Object(written));
        Json::Object(object)
    }

    fn subject(&self, subject: &Subject) -> Json {
        let Subject { text, place, what, units: list, mean } = subject;
        let (key, name) = self.place(*place);
        let what = match what {
            Observable::Spikes => json!("spikes"),
            Observable::Rate => json!("rate"),
            Observable::Variable(name) => json!({ "variable": name }),
            Observable::Population => json!("equations"),
        };
        let mut object = Map::new();
        // Results are called by it.
        object.insert("text".into(), json!(text));
        object.insert(key.into(), name);
        object.insert("what".into(), what);
        object.insert("units".into(), units(list));
        object.insert("mean".into(), json!(mean));
        Json::Object(object)
    }

    /// The equations that an analysis looks at; options that name parts of them are read from these.
    fn looked_at(&self, analysis: &AnalysisSpec) -> &System {
        let population = analysis.of.first().and_then(|s| self.spec.population_at(s.place));
        &population.expect("options that name parts of a population are of one that is looked at").system
    }

    /// The dimension of an option's numbers in this scenario.
    fn dimension(&self, kind: &OptionKind, analysis: &AnalysisSpec) -> Dimension {
        match kind {
            OptionKind::Time => self.time(),
            OptionKind::Frequency | OptionKind::Bands => self.rate(),
            OptionKind::Quantity(d) => *d,
            OptionKind::OfInput(key) | OptionKind::RangeOf(key) => match analysis.options.get(key) {
                Some(OptionValue::State(id)) => self.looked_at(analysis).states()[id.index()].dimension,
                Some(OptionValue::Input(id)) => self.looked_at(analysis).inputs()[id.index()].dimension,
                Some(OptionValue::Adjustable(id)) => id.of(self.looked_at(analysis)).dimension,
                _ => unreachable!("`{key}` names a variable, and was read before what goes by it"),
            },
            OptionKind::Integer
            | OptionKind::Flag
            | OptionKind::Choice(_)
            | OptionKind::Variable
            | OptionKind::State { .. }
            | OptionKind::Input
            | OptionKind::Adjustable
            | OptionKind::Assignments
            | OptionKind::Arrival
            | OptionKind::Matrix => Dimension::NONE,
        }
    }

    fn option(&self, value: &OptionValue, dimension: Dimension, analysis: &AnalysisSpec) -> Json {
        match value {
            OptionValue::Number(v) => json!(quantity(*v, dimension)),
            OptionValue::Integer(v) => json!(v),
            OptionValue::Flag(v) => json!(v),
            OptionValue::Text(v) => json!(v),
            OptionValue::State(id) => json!(self.looked_at(analysis).states()[id.index()].name),
            OptionValue::Input(id) => json!(self.looked_at(analysis).inputs()[id.index()].name),
            OptionValue::Adjustable(id) => json!(id.of(self.looked_at(analysis)).name),
            OptionValue::Range(low, high) => json!([quantity(*low, dimension), quantity(*high, dimension)]),
            OptionValue::Assignments(list) => {
                // In the order of their names: each is there once, and none depends on another.
                let mut list: Vec<&Assignment> = list.iter().collect();
                list.sort_by(|a, b| a.name.cmp(&b.name));
                let one = |a: &&Assignment| {
                    let Assignment { variable: _, name, dimension, value } = *a;
                    json!([name, quantity(*value, *dimension)])
                };
                list.iter().map(one).collect()
            }
            OptionValue::Bands(list) => {
                let one = |band: &Band| {
                    let Band { name, low, high } = band;
                    json!([name, quantity(*low, dimension), quantity(*high, dimension)])
                };
                list.iter().map(one).collect()
            }
            OptionValue::Projections(list) => list.iter().map(|id| json!(self.spec.projection(*id).name)).collect(),
            OptionValue::Matrix(matrix) => {
                // What is in it decides, and not where it is; there may be millions of numbers.
                let FileMatrix { file: _, size, values, names } = matrix;
                json!({ "size": size, "values": numbers(values, Dimension::NONE), "names": names })
            }
        }
    }
}
