//! What a receptor or channel does for others: events it takes, and names it provides.

use std::collections::HashMap;

use super::{Builder, Entity};
use crate::derive::{derivative, jumps};
use crate::graph::{Binary, Symbol};
use crate::syntax::{Assign, statements};
use crate::{EventPort, Part, Variable};
use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::Dimension;

impl Builder<'_> {
    pub(super) fn provides(&mut self) {
        for name in &self.source.provides {
            let found = match self.table.get(name) {
                Some(&(Entity::State(i), d)) => Some((self.parts.graph.symbol(Symbol::State(i as u32)), d)),
                Some(&(Entity::Sub(i), d)) => self.sub_ids.get(i).copied().flatten().map(|id| (id, d)),
                _ => None,
            };
            match found {
                Some((id, dimension)) => self.parts.provided.push((Variable { name: name.clone(), dimension }, id)),
                None => {
                    let d = Diagnostic::error(
                        format!("`{name}` is provided to others, but is no state or subexpression here"),
                        0..0,
                    );
                    self.say(Part::Equations, vec![d]);
                }
            }
        }
    }

    pub(super) fn on_event(&mut self) {
        let Some(text) = &self.source.on_event else { return };
        let mut list = Vec::new();
        let statements = statements(text, &mut list);
        if self.table.contains_key("w") {
            list.push(
                Diagnostic::error(
                    "`w` is the weight of the event here, so no state or parameter may have this name",
                    0..text.len(),
                )
                .help("give the state another name"),
            );
        }
        if statements.is_empty() && list.is_empty() {
            list.push(Diagnostic::error("nothing happens at an event", 0..text.len()).help("write `g += w`"));
        }
        let failed = !list.is_empty();
        self.say(Part::OnEvent, list);
        if failed {
            return;
        }
        // The weight has the dimension that makes the first increment fit; the others must agree with it.
        let mut weight: Option<Dimension> = None;
        let (mut effects, mut given) = (Vec::new(), Vec::new());
        for s in &statements {
            let Some((entity, d)) = self.target(Part::OnEvent, s) else { continue };
            let sign = match s.assign {
                Assign::Update(Binary::Add) => 1.0,
                Assign::Update(Binary::Sub) => -1.0,
                _ => {
                    let d = Diagnostic::error("an event adds to a state", s.target_span.clone())
                        .help(format!("write `{} += w`", s.target));
                    self.say(Part::OnEvent, vec![d]);
                    continue;
                }
            };
            if weight.is_none() {
                let before = self.found.len();
                let first =
                    self.checked(Part::OnEvent, None, Some(Dimension::NONE), &HashMap::new(), |c| c.number(&s.value));
                if first.is_none() {
                    continue;
                }
                self.found.truncate(before);
                weight = first.map(|(_, gain)| d.per(gain.unwrap_or_default()));
            }
            let what = format!("`{}`", s.target);
            let Some(id) = self.checked(Part::OnEvent, None, weight, &HashMap::new(), |c| c.expect(&s.value, d, &what))
            else {
                continue;
            };
            if self.parts.graph.depends(id, |s| matches!(s, Symbol::Input(_))) {
                let d = Diagnostic::error(
                    format!("what an event adds to `{}` depends on an input", s.target),
                    s.value.span.clone(),
                )
                .help(
                    "an event arrives at a grid point, where one input ends and the next begins: use states, \
                     parameters and `t`",
                );
                self.say(Part::OnEvent, vec![d]);
                continue;
            }
            let g = &mut self.parts.graph;
            let gain = derivative(g, id, Symbol::Weight);
            let at_zero = g.substitute(&[id], |g, s| (s == Symbol::Weight).then(|| g.number(0.0)))[0];
            let is_weight = |s: Symbol| s == Symbol::Weight;
            if g.depends(gain, is_weight) || jumps(g, id, is_weight) || g.value(at_zero) != Some(0.0) {
                let d = Diagnostic::error("an event acts in proportion to its weight `w`", s.value.span.clone())
                    .help("write `g += w*gain`");
                self.say(Part::OnEvent, vec![d]);
                continue;
            }
            let sign = g.number(sign);
            let gain = g.mul(sign, gain);
            match entity {
                Entity::State(i) => effects.push((i, gain)),
                Entity::Given(i) => given.push((i, gain)),
                Entity::Parameter(_) | Entity::Input(_) | Entity::Sub(_) => {
                    unreachable!("`target` gives states and given names only")
                }
            }
        }
        self.parts.events.push(EventPort { name: "event".to_owned(), weight: weight.unwrap_or_default() });
        self.parts.effects.push(effects);
        self.parts.given_effects = given;
    }
}
