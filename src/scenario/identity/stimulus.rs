//! `[stimuli.NAME]`: each kind writes what it is made of, by the keys that it declares.

use serde_json::{Map, Value as Json, json};

use super::Writer;
use super::quantity::{expression, numbers, quantity, units, value, whole_numbers};
use crate::language::{self, Of};
use crate::spec::{StimulusSpec, Value};
use crate::stimulus::Stimulus as _;
use spikedeck_core::units::Dimension;

impl Writer<'_> {
    pub(super) fn stimulus(&self, stimulus: &StimulusSpec) -> Json {
        let StimulusSpec { name, target, units: list, kind } = stimulus;
        let (target, port) = self.target(target);
        let mut object = Map::new();
        object.insert("name".into(), json!(name));
        object.insert("target".into(), json!(target));
        object.insert("units".into(), units(list));
        object.insert("kind".into(), json!(kind.name()));
        for (key, value) in kind.entries(&Dimensions { port, time: self.time() }) {
            assert!(object.insert(key, value).is_none(), "a kind of stimulus names a key that all have");
        }
        Json::Object(object)
    }
}

/// The dimensions that the values of a stimulus have.
struct Dimensions {
    /// Of the port that it acts on: amplitudes and weights.
    port: Dimension,
    /// Of times.
    time: Dimension,
}

impl Dimensions {
    fn of(&self, of: Of) -> Dimension {
        match of {
            Of::Number | Of::Said(_) => Dimension::NONE,
            Of::Time => self.time,
            Of::Frequency => Dimension::NONE.per(self.time),
            Of::Fixed(dimension) => dimension,
            Of::Target => self.port,
            Of::Density => {
                let root = self.time.power(0.5).expect("half of a whole exponent is a multiple of a twelfth");
                self.port.times(root)
            }
        }
    }
}

impl language::Writer for Dimensions {
    fn value(&self, v: &Value, of: Of) -> Json {
        value(v, self.of(of))
    }

    fn quantity(&self, value: f64, of: Of) -> Json {
        json!(quantity(value, self.of(of)))
    }

    fn list(&self, values: &[f64], of: Of) -> Json {
        numbers(values, self.of(of))
    }

    fn expression(&self, text: &str) -> Json {
        expression(text)
    }

    fn units(&self, list: &[u32]) -> Json {
        whole_numbers(list)
    }
}
