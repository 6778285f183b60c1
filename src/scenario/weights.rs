//! Signs and bounds of weights: what would be clipped, turned round or has no meaning is said before anything runs.

use super::resolver::Resolver;
use super::spec::{Distribution, PairName, Value};
use super::value::show;
use spikedeck_core::units::Dimension;
use spikedeck_model::WeightRole;
use spikedeck_model::document::Node;

/// Standard deviations that a drawn value is expected to stay within: one in a thousand lies beyond.
const LIKELY: f64 = 3.0;

/// Where the values of a quantity lie.
struct Reach {
    /// Least and greatest of what is certain to come, or typical where all is drawn.
    sure: [f64; 2],
    /// The same of all but one in a thousand.
    likely: [f64; 2],
}

impl Reach {
    fn of<N>(value: &Value<N>) -> Option<Self> {
        let exactly = |low: f64, high: f64| Some(Self { sure: [low, high], likely: [low, high] });
        match value {
            Value::Constant(v) => exactly(*v, *v),
            Value::Each(list) if list.is_empty() => None,
            Value::Each(list) => exactly(
                list.iter().copied().fold(f64::INFINITY, f64::min),
                list.iter().copied().fold(-f64::INFINITY, f64::max),
            ),
            Value::Drawn(Distribution::Uniform { low: a, high: b } | Distribution::Linspace { from: a, to: b }) => {
                exactly(a.min(*b), a.max(*b))
            }
            Value::Drawn(Distribution::Normal { mean, sd, min, max, .. }) => {
                let (low, high) = (min.unwrap_or(-f64::INFINITY), max.unwrap_or(f64::INFINITY));
                let inside = |v: f64| v.clamp(low, high);
                let typical = inside(*mean);
                Some(Self {
                    sure: [typical, typical],
                    likely: [inside(mean - LIKELY * sd), inside(mean + LIKELY * sd)],
                })
            }
            Value::Drawn(Distribution::Lognormal { mu, sigma, unit }) => {
                let at = |x: f64| unit * spikedeck_core::math::exp(x);
                Some(Self { sure: [at(*mu), at(*mu)], likely: [0.0, at(mu + LIKELY * sigma)] })
            }
            Value::Drawn(Distribution::Gamma { shape, scale }) => {
                let mean = shape * scale;
                Some(Self { sure: [mean, mean], likely: [0.0, mean + LIKELY * shape.sqrt() * scale] })
            }
            Value::Expression(_) => None,
        }
    }
}

impl Resolver<'_> {
    /// The weight of events at a port of dimension `port`: a conductance is not negative.
    pub fn conductance<N>(&mut self, node: &Node, port: Dimension, weight: &Value<N>) {
        let area = Dimension::METRE.times(Dimension::METRE);
        if port != Dimension::SIEMENS && port != Dimension::SIEMENS.per(area) {
            return;
        }
        let Some(reach) = Reach::of(weight) else { return };
        if reach.sure[0] < 0.0 {
            self.error_help(
                &node.place,
                format!("a conductance is not negative, and this weight is {}", show(reach.sure[0], port)),
                "whether a conductance excites or inhibits is up to the reversal potential of the receptor",
            );
        } else if reach.likely[0] < 0.0 {
            self.warn(
                &node.place,
                format!(
                    "conductances are drawn here of which some are negative, {} and below",
                    show(reach.likely[0], port)
                ),
                "bound the distribution with `min`",
            );
        }
    }
}

/// A parameter of a rule that the weights are held against.
pub(super) struct Held<'a> {
    pub name: &'a str,
    pub role: WeightRole,
    pub value: f64,
    pub node: &'a Node,
}

/// Checks such a parameter against the initial weights, which stand at `node`.
pub(super) fn hold(
    resolver: &mut Resolver<'_>,
    held: &Held<'_>,
    weights: &Value<PairName>,
    node: &Node,
    dimension: Dimension,
) {
    let Held { name, role, value, node: own } = held;
    if *value == 0.0 {
        resolver.error(&own.place, format!("`{name}` is not zero: weights are measured by it"));
        return;
    }
    let Some(reach) = Reach::of(weights) else { return };
    // As if all were positive.
    let towards = |ends: [f64; 2]| if *value > 0.0 { (ends[0], ends[1]) } else { (-ends[1], -ends[0]) };
    let (low, high) = towards(reach.sure);
    let sign = value.signum();
    if low < 0.0 {
        resolver.error_help(
            &own.place,
            format!(
                "`{name}` is {}, and there are weights of the other sign, such as {}",
                show(*value, dimension),
                show(sign * low, dimension)
            ),
            "give it the sign of the weights; a rule does not carry weights across zero",
        );
        return;
    }
    let most = value.abs() * (1.0 + 1e-9);
    if *role == WeightRole::Bound && high > most {
        resolver.error_help(
            &node.place,
            format!(
                "weights begin beyond their bound: {}, where `{name}` is {}",
                show(sign * high, dimension),
                show(*value, dimension)
            ),
            "the first change would clip them; raise the bound or lower the weight",
        );
        return;
    }
    let (low, high) = towards(reach.likely);
    if low < 0.0 || (*role == WeightRole::Bound && high > most) {
        let which = if low < 0.0 { "the other sign".to_owned() } else { format!("more than `{name}`") };
        resolver.warn(
            &node.place,
            format!("weights are drawn here of which some have {which}"),
            "the first change clips them; bound the distribution",
        );
    }
}
