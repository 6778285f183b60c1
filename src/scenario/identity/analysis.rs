//! `[analyses.NAME]`.

use serde_json::{Map, Value as Json, json};

use super::Writer;
use super::quantity::{quantity, units};
use crate::catalog::{OptionKind, OptionValue, ParamSpec};
use crate::spec::{AnalysisSpec, Observable, Subject};
use spikedeck_core::units::Dimension;

impl Writer<'_> {
    pub(super) fn analysis(&self, analysis: &AnalysisSpec) -> Json {
        let AnalysisSpec { name, kind, of, source, target, options } = analysis;
        let declared = self.catalog.analyses.get(kind.as_str()).map_or(&[][..], |d| &d.options);
        let mut object = Map::new();
        object.insert("name".into(), json!(name));
        object.insert("kind".into(), json!(kind));
        for (key, subjects) in [("of", of), ("source", source), ("target", target)] {
            if !subjects.is_empty() {
                object.insert(key.into(), subjects.iter().map(|s| self.subject(s)).collect());
            }
        }
        let options: Map<String, Json> = options
            .iter()
            .map(|(key, value)| {
                let dimension = declared.iter().find(|p| p.key == *key).map_or(Dimension::NONE, |p| self.dimension(p));
                ((*key).to_owned(), option(value, dimension))
            })
            .collect();
        object.insert("options".into(), Json::Object(options));
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

    /// The dimension of an option's numbers in this scenario.
    fn dimension(&self, option: &ParamSpec) -> Dimension {
        let ParamSpec { key: _, kind, default: _, range: _, about: _ } = option;
        match kind {
            OptionKind::Time => self.time(),
            OptionKind::Frequency => self.rate(),
            OptionKind::Quantity(d) => *d,
            OptionKind::Integer | OptionKind::Flag | OptionKind::Choice(_) | OptionKind::Text | OptionKind::Texts => {
                Dimension::NONE
            }
        }
    }
}

fn option(value: &OptionValue, dimension: Dimension) -> Json {
    match value {
        OptionValue::Number(v) => json!(quantity(*v, dimension)),
        OptionValue::Integer(v) => json!(v),
        OptionValue::Flag(v) => json!(v),
        OptionValue::Text(v) => json!(v),
        OptionValue::Texts(v) => json!(v),
    }
}
