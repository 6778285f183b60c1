//! What couples the compartments of a tree: `axial` in the equations, with the resistivity and the capacitance of each
//! section, by which sections are cut.

use super::REST;
use crate::language::Table;
use crate::resolver::Resolver;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::derive::derivative;
use spikedeck_equation::graph::{Node as Operand, Symbol};
use spikedeck_equation::space::{Operator, OperatorKind};
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_model::document::{Item, Node};
use spikedeck_model::morphology::Section;
use spikedeck_model::report::SourceSpan;
use spikedeck_model::{Definition, Geometry, Preset};

/// The operator that couples compartments, if a model has it.
pub(super) fn axial(model: &Definition) -> Option<&Operator> {
    model.system.operators().iter().find(|o| matches!(o.kind, OperatorKind::Axial(_)))
}

/// What of a population says the parameters of its sections.
pub(super) struct Stated<'n, 'm> {
    parameters: Option<&'n Node>,
    presets: Vec<&'m Preset>,
    model: &'m Definition,
}

impl<'n, 'm> Stated<'n, 'm> {
    /// The parameters that the scenario states, and the presets that it chooses; those that do not exist are reported
    /// when the population is read.
    pub fn of(f: &mut Table<'n>, model: &'m Definition) -> Self {
        let preset = f.get("preset");
        let nodes = match preset.map(|n| &n.item) {
            Some(Item::List(list)) => list.as_slice(),
            _ => preset.map_or(&[][..], std::slice::from_ref),
        };
        let presets = nodes.iter().filter_map(|n| model.preset(n.as_text()?)).collect();
        Self { parameters: f.get("parameters"), presets, model }
    }

    /// What the scenario states of a parameter for a section.
    fn written(&self, name: &str, section: &Section) -> Option<f64> {
        let n = self.parameters?.get(name)?;
        let plain =
            |n: &Node| n.as_text().and_then(|t| Quantity::parse(t).ok()).map(|q| q.value).or_else(|| n.as_number());
        match n.entries() {
            Some(_) => [&section.name, &section.region, REST].iter().find_map(|key| n.get(key).and_then(plain)),
            None => plain(n),
        }
    }

    /// The parameters of a section: those that the scenario states for it, that a preset has (later ones win), or that
    /// are the model's; of a square metre.
    fn parameters(&self, section: &Section) -> Vec<f64> {
        let of = |d: &spikedeck_model::Parameter| {
            let of_preset = || self.presets.iter().rev().find_map(|p| p.parameters.iter().find(|v| v.0 == d.name));
            let usual = || of_preset().map_or(d.default, |v| v.1);
            if d.geometry == Some(Geometry::Area) { 1.0 } else { self.written(&d.name, section).unwrap_or_else(usual) }
        };
        self.model.parameters.iter().map(of).collect()
    }
}

/// `axial(V_m, R_a)` in the equations of a model.
pub(super) struct Coupling {
    /// Dimension of the state that is coupled.
    pub dimension: Dimension,
    resistivity: Tape,
    /// Factor before the current along the tree: one over the capacitance.
    per_current: Tape,
}

impl Coupling {
    /// That of `model`, for a tree that is said `at`.
    pub fn read(resolver: &mut Resolver<'_>, model: &Definition, at: &SourceSpan) -> Option<Self> {
        let Some(along) = axial(model) else {
            resolver.error_help(
                at,
                format!(
                    "`{}` has no `axial(V_m, R_a)` in its equations, so that nothing flows along a tree",
                    model.name
                ),
                "use `model = \"membrane\"` with `channels`, or write the operator into the equations",
            );
            return None;
        };
        let p = model.system.parts();
        let (OperatorKind::Axial(resistivity), Operand::Symbol(Symbol::State(state))) =
            (&along.kind, p.graph.node(along.argument))
        else {
            unreachable!("`axial` is of a state, else the model is refused")
        };
        let state = state as usize;
        let mut graph = p.graph.clone();
        let per_current = derivative(&mut graph, p.drift[state], Symbol::Input(along.input as u32));
        if graph.depends(per_current, |s| !matches!(s, Symbol::Parameter(_))) {
            resolver.error_help(
                at,
                format!("`{}` is not in proportion to its `axial`", p.states[state].name),
                "the factor before `axial` is made of parameters only, as `1/C_m` is",
            );
            return None;
        }
        let resistivity = Tape::new(&graph, &[*resistivity]);
        let per_current = Tape::new(&graph, &[per_current]);
        Some(Self { dimension: p.states[state].dimension, resistivity, per_current })
    }

    /// Resistivity and capacitance per area of a section.
    pub fn electric(&self, stated: &Stated<'_, '_>, section: &Section) -> (f64, f64) {
        let parameters = stated.parameters(section);
        let values = Values { parameters: &parameters, ..Values::default() };
        (self.resistivity.value(&values), 1.0 / self.per_current.value(&values))
    }
}
