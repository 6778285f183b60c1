//! `[projections.NAME]`.

use serde_json::{Map, Value as Json, json};

use super::Writer;
use super::equations;
use super::quantity::{expression, number, numbers, quantity, value, whole_numbers};
use crate::spec::{Coupling, PlasticitySpec, ProjectionSpec, Rule, RuleSpec};
use spikedeck_core::units::Dimension;
use spikedeck_equation::rule::WEIGHT;

impl Writer<'_> {
    pub(super) fn projection(&self, projection: &ProjectionSpec) -> Json {
        let ProjectionSpec {
            name,
            from,
            to,
            rule,
            autapses,
            multapses,
            weight,
            weight_dimension,
            delay,
            coupling,
            allow_unstable,
            implicit,
            plasticity,
            draws_of,
        } = projection;
        let mut object = json!({
            "name": name,
            "from": self.spec.population(*from).name,
            "to": self.target(to).0,
            "connect": self.rule(rule, *weight_dimension),
            "autapses": autapses,
            "multapses": multapses,
            "weight": value(weight, *weight_dimension),
            "delay": value(delay, self.time()),
            "carries": match coupling {
                Coupling::Event => json!("spikes"),
                Coupling::Continuous { value } => expression(value.text()),
            },
        });
        if let Some(PlasticitySpec { rules }) = plasticity {
            object["plasticity"] = rules.iter().map(plastic).collect();
        }
        if *allow_unstable {
            object["allow_unstable"] = json!(true);
        }
        if *implicit {
            object["implicit"] = json!(true);
        }
        if let Some(other) = draws_of {
            object["draws_of"] = json!(other);
        }
        object
    }

    fn rule(&self, rule: &Rule, weight_dimension: Dimension) -> Json {
        let length = |metres: f64| quantity(metres, Dimension::METRE);
        match rule {
            Rule::OneToOne => json!({ "rule": "one_to_one" }),
            Rule::AllToAll => json!({ "rule": "all_to_all" }),
            Rule::Probability { p } => json!({ "rule": "probability", "p": number(*p) }),
            Rule::FixedIndegree { indegree } => json!({ "rule": "fixed_indegree", "indegree": indegree }),
            Rule::FixedOutdegree { outdegree } => json!({ "rule": "fixed_outdegree", "outdegree": outdegree }),
            Rule::FixedTotalNumber { total } => json!({ "rule": "fixed_total_number", "total": total }),
            Rule::Neighbours { radius, periodic } => {
                json!({ "rule": "neighbours", "radius": length(*radius), "periodic": periodic })
            }
            Rule::Gaussian { p_max, sigma, periodic } => {
                json!({ "rule": "gaussian", "p_max": number(*p_max), "sigma": length(*sigma), "periodic": periodic })
            }
            Rule::SmallWorld { neighbours, p_rewire } => {
                json!({ "rule": "small_world", "neighbours": neighbours, "p_rewire": number(*p_rewire) })
            }
            Rule::Edges { source, target, weight, delay } => {
                let mut object = json!({
                    "rule": "edges",
                    "count": source.len(),
                    "source": whole_numbers(source),
                    "target": whole_numbers(target),
                });
                if let Some(list) = weight {
                    object["weight"] = numbers(list, weight_dimension);
                }
                if let Some(list) = delay {
                    object["delay"] = numbers(list, self.time());
                }
                object
            }
        }
    }
}

/// One rule of plasticity: equations, then values.
fn plastic(spec: &RuleSpec) -> Json {
    let RuleSpec { definition, rule, parameters, initial, given } = spec;
    let mut object = Map::new();
    object.insert("name".into(), json!(definition.name));
    let mut equations = Map::new();
    equations::rule(rule.texts(), &mut equations);
    object.insert("equations".into(), Json::Object(equations));
    let values: Map<String, Json> = rule
        .pre
        .parameters()
        .iter()
        .zip(parameters)
        .map(|(v, &x)| (v.name.clone(), json!(quantity(x, v.dimension))))
        .collect();
    object.insert("parameters".into(), Json::Object(values));
    // The projection has its own weights.
    let starts: Map<String, Json> = rule
        .states()
        .iter()
        .zip(initial)
        .filter(|(v, _)| v.name != WEIGHT)
        .map(|(v, &x)| (v.name.clone(), json!(quantity(x, v.dimension))))
        .collect();
    object.insert("initial".into(), Json::Object(starts));
    if !given.is_empty() {
        let names = rule.texts().source.given.iter();
        let rates: Map<String, Json> =
            names.zip(given).map(|(g, formula)| (g.name.clone(), expression(formula.text()))).collect();
        object.insert("given".into(), Json::Object(rates));
    }
    Json::Object(object)
}
