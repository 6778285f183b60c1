//! Operators of space in expressions: `laplacian(u)`, `convolve(gaussian(sigma), u)`, `axial(V_m, R_a)`, ...

use std::ops::Range;

use super::{Checker, Type, Typed};
use crate::graph::{Id, Node, Symbol};
use crate::space::{KernelShape, OperatorKind};
use crate::syntax::{Expr, ExprKind};
use spikedeck_core::diagnostic::{Diagnostic, did_you_mean};
use spikedeck_core::units::Dimension;

impl Checker<'_> {
    /// `name(...)`, where the name is one of [`super::super::space::OPERATORS`].
    pub(super) fn operator(&mut self, name: &str, name_span: &Range<usize>, list: &[Expr], e: &Expr) -> Option<Typed> {
        let wanted = if matches!(name, "convolve" | "axial") { 2 } else { 1 };
        if list.len() != wanted {
            let plural = match name {
                "convolve" => "arguments, a kernel and what it is applied to",
                "axial" => "arguments, a state and a resistivity",
                _ => "argument",
            };
            return self.fail(Diagnostic::error(
                format!("`{name}` takes {wanted} {plural}, not {}", list.len()),
                e.span.clone(),
            ));
        }
        if self.space.is_none() {
            let message = format!("`{name}` needs neighbours in space, which there are none of here");
            let help = "operators of space stand in the `equations` of a model whose population has a `grid` \
                        (`axial`: sections)";
            return self.fail(Diagnostic::error(message, name_span.clone()).help(help));
        }
        let kind = match name {
            "laplacian" => OperatorKind::Laplacian,
            "gradient" => OperatorKind::Gradient(None),
            "gradient_x" => OperatorKind::Gradient(Some(0)),
            "gradient_y" => OperatorKind::Gradient(Some(1)),
            "axial" => OperatorKind::Axial(self.resistivity(&list[1])?.0),
            _ => self.kernel(&list[0])?,
        };
        let resistivity = if name == "axial" { self.resistivity(&list[1])?.1 } else { Dimension::NONE };
        let (argument, d) = self.number(&list[usize::from(name == "convolve")])?;
        if name == "axial" && !matches!(self.graph.node(argument), Node::Symbol(Symbol::State(_))) {
            return self.fail(
                Diagnostic::error("`axial` is of a state", list[0].span.clone()).help("write `axial(V_m, R_a)`"),
            );
        }
        let space = self.space.as_mut().expect("an operator without space was refused above");
        // A literal zero has every dimension, and so its derivatives.
        let (id, d) = space.port(self.graph, kind, (argument, d.unwrap_or(Dimension::NONE)), resistivity, e);
        Some(Typed { id, kind: Type::Number(d) })
    }

    /// The second argument of `axial`, with its dimension.
    fn resistivity(&mut self, e: &Expr) -> Option<(Id, Dimension)> {
        let (id, d) = self.number(e)?;
        if self.graph.depends(id, |s| !matches!(s, Symbol::Parameter(_))) {
            return self.fail(Diagnostic::error(
                "a resistivity does not change: it is made of parameters only",
                e.span.clone(),
            ));
        }
        // A literal zero has every dimension.
        Some((id, d.unwrap_or(Dimension::NONE)))
    }

    /// The first argument of `convolve`.
    fn kernel(&mut self, e: &Expr) -> Option<OperatorKind> {
        let names = || KernelShape::LIST.iter().map(|k| k.0);
        let known =
            || format!("kernels: {}, such as `convolve(gaussian(sigma), u)`", names().collect::<Vec<_>>().join(", "));
        let ExprKind::Call(name, span, list) = &e.kind else {
            return self
                .fail(Diagnostic::error("the first argument of `convolve` is a kernel", e.span.clone()).help(known()));
        };
        let Some((_, shape, arguments)) = KernelShape::LIST.iter().find(|k| k.0 == name) else {
            let help = did_you_mean(name, names()).map_or_else(known, |n| format!("did you mean `{n}`?"));
            return self.fail(Diagnostic::error(format!("unknown kernel `{name}`"), span.clone()).help(help));
        };
        if if arguments.is_empty() { list.is_empty() } else { list.len() != arguments.len() } {
            let count = if arguments.is_empty() { "one or more".to_owned() } else { arguments.len().to_string() };
            return self.fail(Diagnostic::error(
                format!("kernel `{name}` takes {count} arguments, not {}", list.len()),
                e.span.clone(),
            ));
        }
        let length = self.space.as_ref().expect("a kernel belongs to an operator, which needs space").length;
        let mut ids = Vec::new();
        for (x, width) in list.iter().zip(arguments.iter().copied().chain(std::iter::repeat(false))) {
            let (want, what) =
                if width { (length, "the width of a kernel") } else { (Dimension::NONE, "the strength of a kernel") };
            let id = self.expect(x, want, what)?;
            if self.graph.depends(id, |s| !matches!(s, Symbol::Parameter(_))) {
                return self.fail(Diagnostic::error(
                    "a kernel does not change: it is made of parameters only",
                    x.span.clone(),
                ));
            }
            ids.push(id);
        }
        Some(OperatorKind::Convolve(*shape, ids))
    }
}
