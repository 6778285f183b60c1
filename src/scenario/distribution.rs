//! Distributions: what a value that differs between units or connections is drawn from.

use std::sync::Arc;

use super::language::{
    Context, Declared, Exact, Flag, Key, Maybe, Number, Of, Reader, Section, Size, Takes, Target, declare,
};
use super::resolver::{Resolver, suggest, unit_example};
use super::spec::{Distribution, Value};
use super::value::{Wanted, show};
use spikedeck_core::units::{Dimension, parse_unit};
use spikedeck_model::document::{Entry, Item, Node};
use spikedeck_model::name_of;

/// Makes one closed list of the distributions: one that is not read does not compile.
macro_rules! distributions {
    ($( $Kind:ident = $key:literal, $takes:expr, $about:expr; )*) => {
        /// Every distribution: a table with one of these keys.
        pub static DISTRIBUTIONS: Section = Section::only_one(
            "distribution",
            "a value that differs between units or connections, written instead of a quantity",
            &[$( Key::optional($key, $takes, "another", $about) ),*],
        );

        /// Which distribution a value is drawn from.
        #[derive(Clone, Copy)]
        enum DistributionKind {
            $( $Kind ),*
        }

        impl DistributionKind {
            /// The one with this key.
            fn of(key: &str) -> Option<Self> {
                match key {
                    $( $key => Some(Self::$Kind), )*
                    _ => None,
                }
            }
        }
    };
}

distributions! {
    Uniform = "uniform", Takes::Quantities(Of::Target, Some(2)), "uniform from low to high: `[low, high]`";
    Normal = "normal", Takes::Table(&Normal::SECTION), Normal::SECTION.about;
    Lognormal = "lognormal", Takes::Table(&Lognormal::SECTION), Lognormal::SECTION.about;
    Gamma = "gamma", Takes::Table(&Gamma::SECTION), Gamma::SECTION.about;
    Values = "values", Takes::Quantities(Of::Target, None), "listed: one value for each unit, in order";
    Linspace = "linspace", Takes::Quantities(Of::Target, Some(2)),
        "evenly spaced over the units, ends included: `[from, to]`";
}

declare! {
    /// normal, redrawn until inside the bounds, or put at them
    struct Normal = "normal" {
        /// mean
        mean: f64 = Exact<Target>, needs "1 {unit}";
        /// standard deviation
        sd: f64 = Size<Target>, needs "1 {unit}";
        /// least value
        min: Option<f64> = Maybe<Exact<Target>>, without "no bound";
        /// greatest value
        max: Option<f64> = Maybe<Exact<Target>>, without "no bound";
        /// values beyond a bound become the bound (most published scripts do that) instead of being redrawn
        clip: bool = Flag, or "false";
    }
}

declare! {
    /// lognormal, by mean and standard deviation of the logarithm of the value divided by `unit`
    struct Lognormal = "lognormal" {
        /// mean of the logarithm
        mu: f64 = Number, needs "0.0";
        /// standard deviation of the logarithm
        sigma: f64 = Size<super::language::Plain>, needs "1.0";
        /// the unit that the logarithm is of; required where the value has one
        unit: Option<f64> = Maybe<Unit>, without "plain numbers";
    }
}

declare! {
    /// gamma, by shape and scale
    struct Gamma = "gamma" {
        /// shape
        shape: f64 = Size<super::language::Plain>, needs "2.0";
        /// scale
        scale: f64 = Size<Target>, needs "1 {unit}";
    }
}

/// The unit of a lognormal value: SI value of one.
struct Unit;

impl super::language::Field for Unit {
    type Out = f64;
    const TAKES: Takes = Takes::Text("a unit, such as `mV`");

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<f64> {
        let (dimension, what) = (reader.context.target, reader.context.place);
        match parse_unit(reader.resolver.text(node, &format!("`{}`", key.name))?) {
            Ok((scale, d)) if d == dimension => Some(scale),
            Ok((_, d)) => {
                let wrong = format!("{what} is {}, but this is the unit of {}", name_of(dimension), name_of(d));
                reader.resolver.error(&node.place, wrong);
                None
            }
            Err(d) => {
                reader.resolver.report.put_inside(node, d);
                None
            }
        }
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<f64> {
        None
    }

    fn write(value: &f64, _: &dyn super::language::Writer) -> serde_json::Value {
        serde_json::json!(value)
    }
}

impl Resolver<'_> {
    /// Reads `{ uniform = [...] }` and the like.
    pub fn distribution<N>(&mut self, node: &Node, entries: &[Entry], wanted: &Wanted<'_, N>) -> Option<Value<N>> {
        let [entry] = entries else {
            self.error_help(
                &node.place,
                format!("a distribution has one key, {} has {}", wanted.what, entries.len()),
                "write `{ uniform = [low, high] }`, `{ normal = { mean = ..., sd = ... } }`, \
                 `{ lognormal = { mu = ..., sigma = ..., unit = \"...\" } }`, \
                 `{ gamma = { shape = ..., scale = ... } }`, `{ values = [...] }` or `{ linspace = [from, to] }`",
            );
            return None;
        };
        let (d, what) = (wanted.dimension, wanted.what.as_str());
        let value = &entry.value;
        let Some(kind) = DistributionKind::of(&entry.key) else {
            let kinds = DISTRIBUTIONS.keys.iter().map(|k| k.name);
            let message = format!("there is no distribution `{}`", entry.key);
            self.error_help(&entry.place, message, suggest(&entry.key, kinds));
            return None;
        };
        let drawn = match kind {
            DistributionKind::Uniform => {
                let [low, high] = self.pair(value, d, what)?;
                if low > high {
                    let wrong =
                        format!("`uniform` goes from low to high; here {} is above {}", show(low, d), show(high, d));
                    self.error(&value.place, wrong);
                    return None;
                }
                Distribution::Uniform { low, high }
            }
            DistributionKind::Linspace => {
                if wanted.count.is_none() {
                    self.error_help(
                        &entry.place,
                        "evenly spaced values are not possible here: the connections of this rule have no order",
                        "use one_to_one, all_to_all or edges, or another distribution",
                    );
                    return None;
                }
                let [from, to] = self.pair(value, d, what)?;
                Distribution::Linspace { from, to }
            }
            DistributionKind::Normal => {
                let Normal { mean, sd, min, max, clip } = self.drawn(value, wanted)?;
                let (low, high) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
                if low >= high || (!clip && (low > mean + 6.0 * sd || high < mean - 6.0 * sd)) {
                    self.error(&value.place, "these bounds leave (almost) nothing of the distribution");
                    return None;
                }
                Distribution::Normal { mean, sd, min, max, clip }
            }
            DistributionKind::Lognormal => {
                let Lognormal { mu, sigma, unit } = self.drawn(value, wanted)?;
                if unit.is_none() && !d.is_none() {
                    self.error_help(
                        &value.place,
                        "a lognormal distribution needs the unit that the logarithm is of",
                        format!("add `unit = \"{}\"`", unit_example(d)),
                    );
                    return None;
                }
                Distribution::Lognormal { mu, sigma, unit: unit.unwrap_or(1.0) }
            }
            DistributionKind::Gamma => {
                let Gamma { shape, scale } = self.drawn(value, wanted)?;
                Distribution::Gamma { shape, scale }
            }
            DistributionKind::Values => {
                return self.listed(value, wanted).map(|values| Value::Each(Arc::from(values)));
            }
        };
        Some(Value::Drawn(drawn))
    }

    /// Reads the keys of a distribution.
    fn drawn<D: Declared, N>(&mut self, node: &Node, wanted: &Wanted<'_, N>) -> Option<D> {
        let context = Context { target: wanted.dimension, place: &wanted.what, ..Context::default() };
        let mut reader = Reader::of(self, node, format!("`{}`", D::SECTION.name), D::SECTION.keys, context)?;
        let drawn = D::read(&mut reader);
        reader.finish();
        drawn
    }

    /// Reads `values = [...]`.
    fn listed<N>(&mut self, node: &Node, wanted: &Wanted<'_, N>) -> Option<Vec<f64>> {
        let Item::List(list) = &node.item else {
            self.error(&node.place, format!("`values` is a list, not {}", node.what()));
            return None;
        };
        let values: Vec<f64> = list.iter().filter_map(|n| self.quantity(n, wanted.dimension, &wanted.what)).collect();
        match wanted.count {
            Some(n) if n != list.len() => {
                self.error(&node.place, format!("{} values are listed for {n} units", list.len()));
                None
            }
            None => {
                let wrong = "listed values are not possible here: their number is not known beforehand";
                self.error(&node.place, wrong);
                None
            }
            Some(_) => (values.len() == list.len()).then_some(values),
        }
    }

    fn pair(&mut self, node: &Node, dimension: Dimension, what: &str) -> Option<[f64; 2]> {
        if let Item::List(list) = &node.item
            && let [a, b] = list.as_slice()
        {
            let a = self.quantity(a, dimension, what);
            let b = self.quantity(b, dimension, what);
            return Some([a?, b?]);
        }
        let example = unit_example(dimension);
        let help = if example.is_empty() {
            "write `[0, 1]`".to_owned()
        } else {
            format!("write `[\"0 {example}\", \"1 {example}\"]`")
        };
        self.error_help(&node.place, "two values are due here, from and to", help);
        None
    }
}
