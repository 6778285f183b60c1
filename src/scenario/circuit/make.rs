//! What is said of each population and of each pair → entries of the tables of a scenario.

use super::Made;
use super::amount::{Amount, entry, node, normal, table, text, whole};
use super::keys::{Draws, Drive};
use super::pairs::{Number, Pair};
use super::read::{Background, Circuit, Member};
use super::scaling::connections;
use crate::language::Words as _;
use crate::resolver::Resolver;
use spikedeck_core::units::Dimension;
use spikedeck_model::DefinitionKind;
use spikedeck_model::document::{Entry, Item, Node};
use spikedeck_model::report::SourceSpan;

/// Why a weight or a delay has to be one quantity.
const WHY: &str = "what is scaled or spread is a quantity, such as \"87.8 pA\"; `weight_spread` and `delay_spread` \
                   make normal values about it";

/// How many connections a pair has at full scale.
struct Count {
    /// What its rule takes: connections in all, or sources of each target.
    drawn: f64,
    /// Sources of each target, in the mean.
    indegree: f64,
}

impl Circuit<'_> {
    /// What the circuit makes; nothing where something is wrong with it.
    pub(super) fn make(&self, resolver: &mut Resolver<'_>, root: &Node) -> Option<Made> {
        let before = resolver.report.errors();
        let counts: Vec<Count> = self.pairs.iter().filter_map(|p| self.count(resolver, p)).collect();
        (counts.len() == self.pairs.len()).then_some(())?;
        let projections = self.pairs.iter().zip(&counts).filter_map(|(p, n)| self.projection(resolver, root, p, n));
        let projections: Vec<Entry> = projections.collect();
        let mut stimuli = Vec::new();
        for at in 0..self.members.len() {
            if let Some(b) = self.background.as_ref().filter(|b| matches!(b.drive, Drive::Poisson)) {
                stimuli.extend(self.background(resolver, b, at));
            }
            stimuli.extend(self.constant(resolver, root, &counts, at));
        }
        let record = self.record.into_iter().flat_map(|r| {
            self.members.iter().map(|m| entry(m.name, m.place, Node { place: r.place.clone(), item: r.item.clone() }))
        });
        let made = [self.populations(), projections, stimuli, record.collect()];
        (resolver.report.errors() == before).then_some(made)
    }

    /// The populations, where the circuit makes them.
    fn populations(&self) -> Vec<Entry> {
        let Some(each) = self.each else { return Vec::new() };
        let one = |m: &Member<'_>| {
            let mut keys = each.entries().unwrap_or_default().to_vec();
            let size = self.scaling.size(m.size.expect("`sizes` has one for each population that is made"));
            keys.push(entry("size", m.size_place, whole(m.size_place, size)));
            entry(m.name, m.place, node(m.place, Item::Table(keys)))
        };
        self.members.iter().map(one).collect()
    }

    /// Whether a pair of units may have several connections.
    fn multapses(&self, pair: &Pair<'_>) -> bool {
        let follows = matches!((pair.number, pair.draws), (Number::Probability(_), Draws::FixedTotalNumber));
        self.multapses.unwrap_or(follows)
    }

    /// The size of a population, which has to be known for `pair`.
    fn size(&self, resolver: &mut Resolver<'_>, at: usize) -> Option<f64> {
        let member = &self.members[at];
        if member.size.is_none() {
            resolver.error_help(
                member.place,
                format!(
                    "the number of units of `{}` is not said by `size`, and connections follow from it",
                    member.name
                ),
                "say `size` in the population, or how many connections there are by what does not depend on it",
            );
        }
        member.size
    }

    /// How many connections a pair has at full scale.
    fn count(&self, resolver: &mut Resolver<'_>, pair: &Pair<'_>) -> Option<Count> {
        let targets = |resolver: &mut Resolver<'_>| self.size(resolver, pair.target);
        Some(match (pair.number, pair.draws) {
            (Number::Probability(p), draws) => {
                let (from, to) = (self.size(resolver, pair.source)?, targets(resolver)?);
                if p >= 1.0 && matches!(draws, Draws::FixedTotalNumber) && self.multapses(pair) {
                    resolver.error_help(
                        pair.place,
                        "no number of connections that may repeat a pair connects all with certainty",
                        "write a probability below 1, or `multapses = false`",
                    );
                    return None;
                }
                let total = match draws {
                    Draws::Probability => p * from * to,
                    Draws::FixedIndegree => connections(p, from * to, false),
                    Draws::FixedTotalNumber => connections(p, from * to, self.multapses(pair)),
                };
                let indegree = total / to;
                Count { drawn: if matches!(draws, Draws::FixedIndegree) { indegree } else { total }, indegree }
            }
            (_, Draws::Probability) => {
                let help = "write `probability = [[...]]`, or `rule = \"fixed_total_number\"`";
                resolver.error_help(pair.place, "`rule = \"probability\"` draws by a table of probabilities", help);
                return None;
            }
            (Number::Indegree(indegree), Draws::FixedIndegree) => Count { drawn: indegree, indegree },
            (Number::Indegree(indegree), Draws::FixedTotalNumber) => {
                Count { drawn: indegree * targets(resolver)?, indegree }
            }
            (Number::Total(total), Draws::FixedIndegree) => {
                let indegree = total / targets(resolver)?;
                Count { drawn: indegree, indegree }
            }
            (Number::Total(total), Draws::FixedTotalNumber) => {
                Count { drawn: total, indegree: total / targets(resolver)? }
            }
        })
    }

    /// `connect` of a pair.
    fn connect(&self, resolver: &mut Resolver<'_>, pair: &Pair<'_>, count: &Count) -> Option<Node> {
        let place = pair.place;
        let flag = |value: bool| node(place, Item::Flag(value));
        let number = match pair.draws {
            Draws::Probability => {
                let Number::Probability(p) = pair.number else { unreachable!("others were refused when counted") };
                let scaled = self.scaling.probability(p);
                if scaled > 1.0 {
                    resolver.error_help(
                        place,
                        format!("with fewer units as many connections need a probability of {scaled:.3}"),
                        "raise `scale`, lower `indegree_scale`, or take `rule = \"fixed_indegree\"` with `multapses`",
                    );
                    return None;
                }
                ("p", node(place, Item::Float(scaled)))
            }
            Draws::FixedIndegree => ("indegree", whole(place, self.scaling.indegree(count.drawn))),
            Draws::FixedTotalNumber => ("total", whole(place, self.scaling.total(count.drawn))),
        };
        let mut keys = vec![("rule", text(place, pair.draws.word())), number, ("autapses", flag(self.autapses))];
        if self.multapses(pair) {
            keys.push(("multapses", flag(true)));
        }
        Some(table(place, keys))
    }

    /// A projection.
    fn projection(&self, resolver: &mut Resolver<'_>, root: &Node, pair: &Pair<'_>, count: &Count) -> Option<Entry> {
        let (source, target) = (&self.members[pair.source], &self.members[pair.target]);
        let connect = self.connect(resolver, pair, count)?;
        let mut keys = vec![
            ("from", text(source.place, source.name)),
            ("to", text(pair.receptor.1, format!("{}.{}", target.name, pair.receptor.0))),
            ("connect", connect),
            ("weight", self.weight(resolver, pair)?),
        ];
        if let Some(delay) = pair.delay {
            keys.push(("delay", spread_delay(resolver, root, delay, pair.delay_spread)?));
        }
        let name = format!("{}{}_{}", self.prefix, source.name, target.name);
        Some(entry(name, pair.place, table(pair.place, keys)))
    }

    /// The weight of a pair.
    fn weight(&self, resolver: &mut Resolver<'_>, pair: &Pair<'_>) -> Option<Node> {
        let (written, spread) = (pair.weight, pair.weight_spread);
        if self.scaling.keeps_connections() && spread == 0.0 {
            return Some(written.clone());
        }
        let amount = Amount::needed(resolver, written, "the weight of a pair", WHY)?;
        let (root, place) = (self.scaling.root(), &written.place);
        let mean = amount.over(root, self.decimals);
        if spread == 0.0 {
            return Some(node(place, mean));
        }
        let bound = (if amount.is_negative() { "max" } else { "min" }, amount.zero());
        Some(normal(place, mean, amount.spread(root, spread, self.decimals), bound))
    }

    /// Poisson spikes from outside.
    fn background(&self, resolver: &mut Resolver<'_>, of: &Background<'_>, at: usize) -> Option<Entry> {
        let (member, (sources, place)) = (&self.members[at], of.sources[at]);
        let weight = if self.scaling.keeps_connections() {
            of.weight.clone()
        } else {
            let amount = Amount::needed(resolver, of.weight, "the weight of the background", WHY)?;
            node(&of.weight.place, amount.over(self.scaling.root(), self.decimals))
        };
        let keys = [
            ("target", text(of.receptor.1, format!("{}.{}", member.name, of.receptor.0))),
            ("kind", text(place, Drive::Poisson.word())),
            ("rate", of.rate.clone()),
            ("sources", whole(place, self.scaling.indegree(sources).max(1.0))),
            ("weight", weight),
        ];
        Some(entry(format!("{}background_{}", self.prefix, member.name), member.place, table(place, keys)))
    }

    /// The constant current of a population: what scaled connections lose of the mean of what arrives, and the
    /// background where it is a current.
    fn constant(&self, resolver: &mut Resolver<'_>, root: &Node, counts: &[Count], at: usize) -> Option<Entry> {
        let constant = self.background.as_ref().filter(|b| matches!(b.drive, Drive::Constant));
        let place = match (&self.rates, constant) {
            (Some((node, _)), _) => &node.place,
            (None, Some(b)) => &b.weight.place,
            (None, None) => return None,
        };
        let lost = 1.0 - self.scaling.root();
        let mut current = 0.0;
        let mut unit = None;
        if let Some((_, rates)) = &self.rates {
            for (pair, count) in self.pairs.iter().zip(counts).filter(|(p, _)| p.target == at) {
                let brought = self.brought(resolver, root, (at, pair.receptor, place), pair.weight)?;
                current += count.indegree * brought.0 * rates[pair.source];
                unit.get_or_insert(brought.1);
            }
        }
        let outside = match &self.background {
            Some(b) => {
                let brought = self.brought(resolver, root, (at, b.receptor, place), b.weight)?;
                unit.get_or_insert(brought.1);
                let rate = resolver.quantity(b.rate, Dimension::HERTZ, "the rate of the background")?;
                b.sources[at].0 * brought.0 * rate
            }
            None => 0.0,
        };
        let amount = match constant {
            Some(_) => lost * current + outside,
            None => lost * (current + outside),
        };
        // A population that nothing arrives at loses nothing.
        let unit = unit?;
        let member = &self.members[at];
        let keys = [
            ("target", text(place, format!("{}.{}", member.name, self.current))),
            ("kind", text(place, "constant")),
            ("amplitude", node(place, unit.in_unit(amount, self.decimals))),
        ];
        Some(entry(format!("{}constant_{}", self.prefix, member.name), member.place, table(place, keys)))
    }

    /// The charge that one spike of this weight brings, and the weight as it is written.
    fn brought(
        &self,
        resolver: &mut Resolver<'_>,
        root: &Node,
        (at, receptor, place): (usize, (&str, &SourceSpan), &SourceSpan),
        weight: &Node,
    ) -> Option<(f64, Amount)> {
        let amount = Amount::needed(resolver, weight, "a weight whose mean is taken", WHY)?;
        let time = self.charge(resolver, root, &self.members[at], receptor, place)?;
        if amount.meant.dimension != Dimension::AMPERE {
            resolver.error_help(
                &weight.place,
                "constant currents replace the mean of what currents bring, and this weight is none",
                "write it in pA, or leave `rates` and a constant background out",
            );
            return None;
        }
        Some((amount.meant.value * time, amount))
    }

    /// The charge that a spike brings to a receptor, for a weight of one.
    fn charge(
        &self,
        resolver: &mut Resolver<'_>,
        root: &Node,
        member: &Member<'_>,
        (name, stands): (&str, &SourceSpan),
        place: &SourceSpan,
    ) -> Option<f64> {
        let written = root.get("populations").and_then(|p| p.get(member.name));
        let in_population = |p: Option<&Node>| p.and_then(|p| p.get("receptors")).and_then(|r| r.get(name)).cloned();
        let (own, shared) = (in_population(written), in_population(self.each));
        let Some(receptor) = shared.clone().or_else(|| own.clone()) else {
            resolver.error(stands, format!("`{}` has no receptor `{name}`", member.name));
            return None;
        };
        let kind_of = |node: &Node| node.get("kind").unwrap_or(node).as_text().map(str::to_owned);
        let kind = own.as_ref().and_then(|n| n.get("kind").and_then(Node::as_text).map(str::to_owned));
        let kind = kind.or_else(|| kind_of(&receptor)).unwrap_or_default();
        let factor = match kind.as_str() {
            "exp_current" => 1.0,
            "alpha_current" => std::f64::consts::E,
            _ => {
                resolver.error_help(
                    place,
                    format!("what `{kind}` at `{}.{name}` brings in the mean is no constant current", member.name),
                    "currents replace what arrives at receptors of the kinds `exp_current` and `alpha_current`",
                );
                return None;
            }
        };
        let tau = own.as_ref().and_then(|n| n.get("tau")).or_else(|| receptor.get("tau"));
        let time = match tau {
            Some(node) => resolver.quantity(node, Dimension::SECOND, "`tau`")?,
            None => {
                let definition = resolver.library.get(DefinitionKind::Receptor, &kind)?;
                definition.parameter("tau").map(|p| p.default)?
            }
        };
        Some(factor * time)
    }
}

/// A delay with its spread, of at least one step.
fn spread_delay(resolver: &mut Resolver<'_>, root: &Node, written: &Node, spread: f64) -> Option<Node> {
    if spread == 0.0 {
        return Some(written.clone());
    }
    let amount = Amount::needed(resolver, written, "the delay of a pair", WHY)?;
    // A step that is missing or wrong is told where it belongs, and nothing is run without one.
    let step = root.get("simulation").and_then(|s| s.get("dt")).filter(|n| Amount::of(n).is_some())?;
    let sd = amount.spread(1.0, spread, None);
    Some(normal(&written.place, written.item.clone(), sd, ("min", step.item.clone())))
}
