//! Plasticity rules: what two spikes, or two rates, do to the connection between them.
//!
//! A rule is a set of equations of which some belong to the connection and some to a unit at one of its ends: names
//! that end in `_pre` are kept once for each source, names that end in `_post` once for each target, all others for
//! each connection. `w` is the weight; it is there without being declared. `on_pre` and `on_post` are statements that
//! run when a spike of the source, or of the target, reaches the connection; they run one after the other and see the
//! traces as they were before that spike. In `on_pre` the name `efficacy` may be given a value: the factor of what is
//! delivered (1 where it is not).

use std::ops::Range;

use super::derive::{derivatives, jumps};
use super::graph::{Id, Symbol};
use super::line::{Line, read_lines};
use super::print::Printer;
use super::system::{System, Typeset};
use super::{Declaration, Part, Source, Variable};
use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::Dimension;

/// The factor of what is delivered, assigned in `on_pre`.
pub const EFFICACY: &str = "efficacy";
/// The weight.
pub const WEIGHT: &str = "w";

/// Which text of a rule a diagnostic is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RulePart {
    /// `equations`.
    Equations,
    /// `on_pre`.
    OnPre,
    /// `on_post`.
    OnPost,
}

/// Where a state of a rule lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// One value a source unit.
    Pre,
    /// One value a target unit.
    Post,
    /// One value a connection.
    Connection,
}

impl Side {
    /// The side that a name says.
    pub fn of(name: &str) -> Self {
        if name.ends_with("_pre") {
            Self::Pre
        } else if name.ends_with("_post") {
            Self::Post
        } else {
            Self::Connection
        }
    }
}

/// The texts of a rule. Of `source`, the equations, parameters, given names (`r_pre`, `r_post` of rules between rates),
/// unit of time and dimension of the weight count.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleTexts {
    /// Equations with the names they use.
    pub source: Source,
    /// Statements at a spike of the source.
    pub on_pre: Option<String>,
    /// Statements at a spike of the target.
    pub on_post: Option<String>,
}

/// An understood rule.
///
/// The same equations twice: `pre` resets as `on_pre` says, `post` as `on_post` says. Both have the same states and
/// parameters.
#[derive(Debug, Clone)]
pub struct Rule {
    texts: RuleTexts,
    /// Equations, and the effect of a spike of the source.
    pub pre: System,
    /// Equations, and the effect of a spike of the target.
    pub post: System,
}

/// The equation of a state, where it is written out. What is wrong with lines is said by [`System::parse`].
fn equation_of(name: &str, source: &Source) -> Option<Line> {
    let lines = read_lines(&source.equations, source.weight, &mut Vec::new());
    lines.into_iter().find(|line| line.differential && line.name == name)
}

impl Rule {
    /// Understands a rule.
    ///
    /// # Errors
    /// Everything that is wrong with it, with the text that it is in.
    pub fn parse(texts: &RuleTexts) -> Result<Self, Vec<(RulePart, Diagnostic)>> {
        let system = |statements: &Option<String>| {
            let mut source = texts.source.clone();
            if equation_of(WEIGHT, &texts.source).is_none() {
                source.equations.push_str("\ndw/dt = 0 : weight");
            }
            source.equations.push_str("\ndefficacy/dt = 0 : 1");
            source.reset.clone_from(statements);
            // A reset needs a threshold; this one is never looked at.
            source.threshold = statements.as_ref().map(|_| "t < 0".to_owned());
            System::parse(&source)
        };
        let mut found: Vec<(RulePart, Diagnostic)> = Vec::new();
        let mut keep = |list: Vec<(Part, Diagnostic)>, statements: RulePart, equations: bool| {
            for (part, d) in list {
                // What is wrong with the equations is found with either list of statements, and said once.
                if part == Part::Reset {
                    found.push((statements, d));
                } else if equations {
                    found.push((RulePart::Equations, d));
                }
            }
        };
        let (pre, post) = (system(&texts.on_pre), system(&texts.on_post));
        let rule = match (pre, post) {
            (Ok(pre), Ok(post)) => Self { texts: texts.clone(), pre, post },
            (pre, post) => {
                keep(pre.err().unwrap_or_default(), RulePart::OnPre, true);
                keep(post.err().unwrap_or_default(), RulePart::OnPost, texts.on_pre.is_none());
                return Err(found);
            }
        };
        found.extend(rule.sides());
        found.extend(rule.between_events());
        if rule.is_continuous() && texts.source.given.is_empty() {
            let d =
                Diagnostic::error("this rule has neither spikes nor rates to go by", 0..texts.source.equations.len())
                    .help("state `on_pre` or `on_post`, or name rates in `given = { r_pre = \"1\", r_post = \"1\" }`");
            found.push((RulePart::Equations, d));
        }
        if found.is_empty() { Ok(rule) } else { Err(found) }
    }

    /// The rule for weights of another dimension.
    ///
    /// # Errors
    /// Where the equations do not allow it.
    pub fn with_weight(&self, weight: Dimension) -> Result<Self, Vec<(RulePart, Diagnostic)>> {
        let mut texts = self.texts.clone();
        let before = texts.source.weight.replace(weight);
        for Declaration { dimension, .. } in &mut texts.source.parameters {
            if Some(*dimension) == before {
                *dimension = weight;
            }
        }
        Self::parse(&texts)
    }

    /// Its texts.
    pub fn texts(&self) -> &RuleTexts {
        &self.texts
    }

    /// Whether it acts all the time, on rates, and not at spikes.
    pub fn is_continuous(&self) -> bool {
        self.texts.on_pre.is_none() && self.texts.on_post.is_none()
    }

    /// States with the side that they live on; `w` and `efficacy` are among them.
    pub fn states(&self) -> &[Variable] {
        self.pre.states()
    }

    /// Who may change what, and from what.
    fn sides(&self) -> Vec<(RulePart, Diagnostic)> {
        let mut found = Vec::new();
        let states = self.pre.states();
        for (system, part, own, text) in [
            (&self.pre, RulePart::OnPre, Side::Pre, self.texts.on_pre.as_deref()),
            (&self.post, RulePart::OnPost, Side::Post, self.texts.on_post.as_deref()),
        ] {
            let span = 0..text.map_or(0, str::len);
            let mut say = |m: String, help: &str| found.push((part, Diagnostic::error(m, span.clone()).help(help)));
            let (word, ending) = if own == Side::Pre { ("on_pre", "_pre") } else { ("on_post", "_post") };
            for &(state, value) in &system.parts().reset {
                let name = states[state].name.as_str();
                let graph = &system.parts().graph;
                if graph.depends(value, |s| s == Symbol::Time) {
                    say(
                        format!("`{word}` changes `{name}` by time itself, which a spike does not bring with it"),
                        "keep it as a state: a line `dclock/dt = 1/[1 s] : 1` counts seconds, and `dk/dt = -k/tau : 1` \
                         decays",
                    );
                    continue;
                }
                if graph.depends(value, |s| !matches!(s, Symbol::State(_) | Symbol::Parameter(_))) {
                    say(
                        format!(
                            "`{word}` changes `{name}` by a quantity of a neuron, which a spike does not bring with it"
                        ),
                        "a rule between spikes has states and parameters of its own; one between rates, without \
                         `on_pre` and `on_post`, sees what `given` names",
                    );
                    continue;
                }
                let side = Side::of(name);
                if name == EFFICACY && own == Side::Post {
                    say(
                        "a spike of the target delivers nothing, so it has no efficacy".to_owned(),
                        "set `efficacy` in `on_pre`",
                    );
                } else if side != Side::Connection && side != own {
                    say(
                        format!("`{word}` changes `{name}`, which belongs to the other end"),
                        "a trace is changed by the spikes of its own unit; let the name end otherwise to keep it for \
                         each connection",
                    );
                } else if side == own
                    && system
                        .parts()
                        .graph
                        .depends(value, |s| matches!(s, Symbol::State(i) if Side::of(&states[i as usize].name) != own))
                {
                    say(
                        format!(
                            "`{name}` is one value a unit, but `{word}` makes it depend on the connection or on the \
                             other end"
                        ),
                        &format!("use only names that end in `{ending}`, or leave the ending away"),
                    );
                }
            }
        }
        found
    }

    /// Where the equation of a state stands: its line, and all of the text where it is not written out (`w`).
    fn line_of(&self, name: &str) -> Range<usize> {
        equation_of(name, &self.texts.source).map_or(0..self.texts.source.equations.len(), |line| line.span)
    }

    /// Between spikes a state follows a linear equation of its own side, so that it can be brought to the next spike in
    /// one go.
    fn between_events(&self) -> Vec<(RulePart, Diagnostic)> {
        let parts = self.pre.parts();
        if self.is_continuous() {
            return self.between_rates();
        }
        let states = self.pre.states();
        let mut graph = parts.graph.clone();
        let mut found = Vec::new();
        let mut say = |name: &str, m: String, help: &str| {
            found.push((RulePart::Equations, Diagnostic::error(m, self.line_of(name)).help(help)));
        };
        for (i, v) in states.iter().enumerate() {
            let drift = parts.drift[i];
            let side = Side::of(&v.name);
            if parts.diffusion[i].is_some() {
                say(
                    &v.name,
                    format!("`{}` has noise, which a rule between spikes cannot have", v.name),
                    "leave `xi` out",
                );
            }
            let foreign = parts.graph.depends(drift, |s| match s {
                Symbol::State(j) => Side::of(&states[j as usize].name) != side,
                Symbol::Parameter(_) => false,
                _ => true,
            });
            if foreign {
                say(
                    &v.name,
                    format!(
                        "between spikes `{}` may only depend on itself, on states of its own side, and on parameters",
                        v.name
                    ),
                    "let a spike bring the other values in: `on_pre` and `on_post` see all of them",
                );
                continue;
            }
            let slopes: Vec<Id> =
                (0..states.len()).map(|j| derivatives(&mut graph, &[drift], Symbol::State(j as u32))[0]).collect();
            let is_state = |s: Symbol| matches!(s, Symbol::State(_));
            if slopes.iter().any(|&d| graph.depends(d, is_state)) || jumps(&graph, drift, is_state) {
                say(
                    &v.name,
                    format!("between spikes `{}` must follow a linear equation with constant coefficients", v.name),
                    "only then is its value at the next spike known in closed form; write the nonlinear part into \
                     `on_pre` or `on_post`",
                );
            }
        }
        found
    }

    /// Between rates, what is kept for a unit depends on that unit only.
    fn between_rates(&self) -> Vec<(RulePart, Diagnostic)> {
        let parts = self.pre.parts();
        let states = self.pre.states();
        let given = &self.texts.source.given;
        let mut found = Vec::new();
        for (i, (v, &drift)) in states.iter().zip(&parts.drift).enumerate() {
            let side = Side::of(&v.name);
            if parts.diffusion[i].is_some() {
                let d = Diagnostic::error(
                    format!("`{}` has noise, which a rule between rates cannot have", v.name),
                    self.line_of(&v.name),
                );
                found.push((RulePart::Equations, d.help("leave `xi` out")));
            }
            let foreign = |name: &str| Side::of(name) != side;
            if side != Side::Connection
                && parts.graph.depends(drift, |s| match s {
                    Symbol::State(i) => foreign(&states[i as usize].name),
                    Symbol::Given(i) => foreign(&given[i as usize].name),
                    _ => false,
                })
            {
                let d = Diagnostic::error(
                    format!("`{}` is one value a unit, and its equation looks at the other end", v.name),
                    self.line_of(&v.name),
                )
                .help("let the name end otherwise to keep it for each connection");
                found.push((RulePart::Equations, d));
            }
        }
        found
    }

    /// The rule in lines: equations, then what spikes do.
    pub fn typeset(&self) -> Vec<String> {
        let parts = self.pre.parts();
        let shown = |line: &(Typeset, String)| match line.0 {
            // What nobody wrote: states that only spikes change, and a threshold that is never looked at.
            Typeset::Rate(s) => {
                ![WEIGHT, EFFICACY].contains(&parts.states[s].name.as_str())
                    || parts.graph.value(parts.drift[s]) != Some(0.0)
            }
            Typeset::Threshold | Typeset::Reset | Typeset::Plays => false,
            Typeset::Subexpression(_) | Typeset::Refractory | Typeset::Event(_) => true,
        };
        let mut lines: Vec<String> = self.pre.typeset_parts().into_iter().filter(shown).map(|line| line.1).collect();
        for (system, when) in [(&self.pre, "at a spike of the source"), (&self.post, "at a spike of the target")] {
            let p = system.parts();
            let names = |s: Symbol| system.name(s);
            let printer = Printer::new(&p.graph, &names, Vec::new());
            let list: Vec<String> = p
                .reset
                .iter()
                .map(|&(s, id)| {
                    let arrow = if p.states[s].name == EFFICACY { "=" } else { "←" };
                    format!("{} {arrow} {}", p.states[s].name, printer.print(id))
                })
                .collect();
            if !list.is_empty() {
                lines.push(format!("{when}: {}", list.join(", ")));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(equations: &str, on_pre: Option<&str>, on_post: Option<&str>) -> RuleTexts {
        let parameters = ["tau", "k"].map(|n| Declaration {
            name: n.to_owned(),
            dimension: if n == "tau" { Dimension::SECOND } else { Dimension::AMPERE },
        });
        RuleTexts {
            source: Source {
                equations: equations.to_owned(),
                parameters: parameters.to_vec(),
                weight: Some(Dimension::AMPERE),
                ..Source::default()
            },
            on_pre: on_pre.map(str::to_owned),
            on_post: on_post.map(str::to_owned),
        }
    }

    fn first(t: &RuleTexts) -> String {
        Rule::parse(t).unwrap_err()[0].1.message.clone()
    }

    /// What jumps has no slope, and is not linear for that.
    #[test]
    fn between_spikes_nothing_jumps() {
        for jump in ["sign(x_pre - 0.5)", "floor(x_pre)", "step(x_pre - 1)", "where(x_pre > 0.5, 1, 0)"] {
            let t = texts(&format!("dx_pre/dt = -{jump}/tau : 1"), Some("w += k*x_pre; x_pre += 1"), None);
            assert!(first(&t).contains("must follow a linear equation"), "{jump}: {}", first(&t));
        }
    }

    /// However an equation is written, it is found, and what is wrong with it is told where it stands.
    #[test]
    fn the_equation_of_a_state_is_found_however_it_is_written() {
        for of in ["d{}/dt = ", "d{} / dt = ", "  d{}\t/dt=", "d {}/ dt = ", "d{}/dt ="] {
            let of = |name: &str| of.replace("{}", name);
            let all = |x: &str, w: &str| {
                let (a, b, c) = (of("dx"), of("x"), of("w"));
                format!("# dw/dt and dx/dt\n{a}-dx/tau : 1\n{b}{x} : 1 # x\n{c}{w} : weight")
            };
            let good = texts(&all("-x/tau", "-w/tau"), Some("w += k*x; dx += 1"), None);
            let rule = Rule::parse(&good).unwrap_or_else(|found| panic!("{}: {}", of("w"), found[0].1.message));
            let names: Vec<&str> = rule.states().iter().map(|s| s.name.as_str()).collect();
            assert_eq!(names, ["dx", "x", "w", "efficacy"]);
            let equations = all("-x**2/tau", "-w*x/tau");
            let found = Rule::parse(&texts(&equations, Some("dx += 1"), None)).unwrap_err();
            let told: Vec<&str> = found.iter().map(|(_, d)| &equations[d.span.clone()]).collect();
            let lines = [format!("{}-x**2/tau : 1", of("x")), format!("{}-w*x/tau : weight", of("w"))];
            assert_eq!(told, [lines[0].trim(), lines[1].trim()]);
        }
    }

    #[test]
    fn a_pair_rule_is_understood_and_fits_other_weights() {
        let t = texts(
            "dx_pre/dt = -x_pre/tau : 1\ndy_post/dt = -y_post/tau : 1",
            Some("w -= k*y_post; efficacy = x_pre; x_pre += 1"),
            Some("w += k*x_pre; y_post += 1"),
        );
        let rule = Rule::parse(&t).unwrap();
        assert!(!rule.is_continuous());
        assert_eq!(
            rule.states().iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
            ["x_pre", "y_post", "w", "efficacy"]
        );
        assert_eq!(rule.with_weight(Dimension::SIEMENS).unwrap().states()[2].dimension, Dimension::SIEMENS);
        assert!(
            rule.typeset().iter().any(|l| l.starts_with("at a spike of the target: y_post ← ")),
            "{:?}",
            rule.typeset()
        );
    }

    #[test]
    fn what_a_rule_may_not_do() {
        let trace = "dx_pre/dt = -x_pre/tau : 1\ndy_post/dt = -y_post/tau : 1";
        assert!(first(&texts(trace, Some("y_post += 1"), None)).contains("the other end"));
        // Neither time nor what a neuron is comes with a spike, wherever it is named and however it is used.
        for name in ["t/[1 ms]", "r_pre", "r_post", "early", "both"] {
            for use_of in ["w += {}*[1 pA]", "x_pre += {}", "w *= 1 + {}", "efficacy = {}", "w = where({} > 1, w, 2*w)"]
            {
                let equations = format!("{trace}\nearly = exp(-t/[1 s]) : 1\nboth = early*r_pre : 1");
                let said = |on_pre: &str, on_post: &str| {
                    let mut t = texts(&equations, Some(on_pre), Some(on_post));
                    t.source.given = ["r_pre", "r_post"]
                        .map(|n| Declaration { name: n.to_owned(), dimension: Dimension::NONE })
                        .to_vec();
                    first(&t)
                };
                let statement = use_of.replace("{}", name);
                let found = said(&statement, "y_post += 1");
                assert!(found.contains("which a spike does not bring with it"), "{statement}: {found}");
                if use_of.starts_with("w ") {
                    let found = said("x_pre += 1", &statement);
                    assert!(found.contains("which a spike does not bring with it"), "{statement}: {found}");
                }
            }
        }
        assert!(first(&texts(trace, Some("x_pre += y_post"), None)).contains("one value a unit"));
        assert!(first(&texts(trace, None, Some("efficacy = 0.5"))).contains("no efficacy"));
        assert!(first(&texts("dx_pre/dt = -x_pre**2/tau : 1", Some("x_pre += 1"), None)).contains("linear"));
        assert!(first(&texts(&trace.replace("-x_pre", "-y_post"), Some("x_pre += 1"), None)).contains("own side"));
        assert!(first(&texts("dw/dt = -w/tau : weight", None, None)).contains("neither spikes nor rates"));
        let noisy = |on_pre| {
            let mut t = texts("dw/dt = k*r_pre*xi*tau**0.5 : weight", on_pre, None);
            t.source.given =
                vec![Declaration { name: "r_pre".to_owned(), dimension: Dimension::NONE.per(Dimension::SECOND) }];
            first(&t)
        };
        assert!(noisy(None).contains("noise"), "{}", noisy(None));
        // The weight's unit is checked as any other.
        assert!(first(&texts(trace, Some("w += x_pre"), None)).contains("unit A"));
    }
}
