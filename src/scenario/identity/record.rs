//! `[record.NAME]`.

use serde_json::{Map, Value as Json, json};

use super::Writer;
use super::equations::unit;
use super::quantity::units;
use crate::spec::{RecordSpec, TraceRequest};

impl Writer<'_> {
    pub(super) fn record(&self, record: &RecordSpec) -> Json {
        let RecordSpec { place, spikes, traces, connections } = record;
        let (key, name) = self.place(*place);
        let mut object = Map::new();
        object.insert(key.into(), name);
        object.insert("spikes".into(), json!(spikes));
        object.insert("connections".into(), json!(connections));
        object.insert("traces".into(), traces.iter().map(trace).collect());
        Json::Object(object)
    }
}

fn trace(request: &TraceRequest) -> Json {
    // What analyses imply follows from them.
    let TraceRequest { name, variables, units: list, every, implied: _ } = request;
    let variables: Vec<Json> = variables.iter().map(|v| json!([v.name, unit(v.dimension)])).collect();
    json!({ "name": name, "variables": variables, "units": units(list), "every_steps": every })
}
