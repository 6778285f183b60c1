//! The bifurcation diagram of one unit's equations: branches of equilibria and of cycles over one parameter, and what
//! happens on them.

mod diagram;
mod follow;

use super::binding::{Bound, UnitOptions, display};
use super::prelude::*;
use follow::{Followed, Turned};
use spikedeck_core::continuation::{End, Kind};
use spikedeck_core::cycles::{End as CycleEnd, Turn};
use spikedeck_core::number::counted;
use spikedeck_core::units::brief;
use spikedeck_scenario::{StateId, VariableId};

/// `kind = "bifurcation"`.
#[derive(Debug, Clone, Copy)]
pub struct Bifurcation;

const CARD: AnalysisCard = AnalysisCard {
    title: "Bifurcation diagram",
    synonyms: &["continuation", "bifurcations", "hopf", "saddle_node", "limit_cycles", "fold_of_cycles", "floquet"],
    summary: "branches of equilibria and of cycles over one parameter or input, with folds, Hopf and branch points",
    formula: "f(x, p) = 0 by pseudo-arclength continuation: Newton's method on [f; t·(z − z₀) − s], z = (x, p)\n\
              fold: dp/ds = 0; branch point: det [f_x f_p; t] = 0; Hopf point: two eigenvalues of f_x at ±iω, with \
              the first Lyapunov coefficient l₁ (below 0: supercritical)\n\
              cycles: dx/dτ = T f(x, p), x(0) = x(1), by collocation at four Gauss points in each interval of a mesh \
              that adapts; stable where all Floquet multipliers but the trivial one lie inside the unit circle",
    assumptions: "Deterministic, autonomous equations of one unit with constant input: noise and connections are left \
                  out, and said so. What is shown of a cycle is the least and the greatest value of `state`.",
    bias: "Special points are located to about 1e-9 of the range. Derivatives are symbolic; those of second and third \
           order for l₁ are differences of the Jacobian, good to some 1e-6.",
    cost: "O(n³) a point of equilibria; O(intervals n³) a round of Newton's method for a cycle",
    caveats: "Only branches that are reached are there: through equilibria that Newton's method finds from \
              trajectories and from states drawn around them at five values of the parameter, through branch points, \
              and cycles from Hopf points. An isolated branch, and cycles that begin at homoclinic orbits alone, may \
              be missed. Of models with a reset the equilibria are those below the threshold, and cycles are not \
              followed. l₁ depends on the units of the states; its sign does not.",
    references: &[
        "Keller 1977, in Rabinowitz (ed) Applications of Bifurcation Theory, Academic Press, 359-384",
        "Kuznetsov 2004, Elements of Applied Bifurcation Theory, doi:10.1007/978-1-4757-3978-7",
        "Doedel, Keller, Kernevez 1991, Int J Bifurcation Chaos 1:745-772, doi:10.1142/S0218127491000555",
        "Veltz 2020, BifurcationKit.jl, hal-02902346",
    ],
};

options! {
    /// What `bifurcation` can be told.
    pub struct Options {
        parameter: VariableId = adjustable(), "parameter or input that is varied (default the first input)";
        from: Option<Quantity> = of_input("parameter"), "its lowest value (default 0)";
        to: Option<Quantity> = of_input("parameter"), "its highest value (default twice what it is)";
        state: StateId = state(), "state that is shown (default the first)";
        cycles: bool = flag(true), "also follow the cycles that begin at Hopf points";
        resolution: usize = integer("50").between(5.0, 10_000.0),
            "least number of points over the range: the longest step is the range over it";
        points: usize = integer("2000").between(10.0, 1e6), "most points of a branch to either side of its start";
        intervals: usize = integer("60").between(5.0, 2000.0), "intervals of the mesh on which a cycle is computed";
        longest: f64 = number("40").between(1.0, 1e6),
            "period, over that at the Hopf point, beyond which a cycle counts as homoclinic";
        unit: UnitOptions = shared();
    }
}

impl Estimator for Bifurcation {
    type Options = Options;
    const KIND: &'static str = "bifurcation";
    const SUBJECTS: Subjects = Subjects::Population;
    const CARD: AnalysisCard = CARD;
    const TABLE: &'static str = "special points";

    fn together(o: &Options, _: RunTimes) -> Result<(), Wrong> {
        if let (Some(from), Some(to)) = (o.from, o.to)
            && from.si >= to.si
        {
            let message = "`to` is not above `from`".to_owned();
            return Err(Wrong { key: "to", message, help: "the parameter goes from the lower to the higher".into() });
        }
        Ok(())
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let bound = Bound::new(f.request, &o.unit)?;
        bound.warnings.iter().for_each(|w| f.warn(w));
        let followed = Followed::new(o, &bound, f)?;
        warn(&followed, f);
        f.metrics(Table { followed: &followed, bound: &bound, state: o.state.index() }.metrics());
        f.shapes(diagram::shapes(&followed, &bound, o.state.index()));
        f.word(summary(&followed, &bound));
        Ok(())
    }
}

/// What a reader should know of branches that end where they should not.
fn warn(followed: &Followed, f: &mut Findings<'_>) {
    let lost = |n: usize, what: &str| format!("{n} {what} could not be followed to an end: they stop inside the range");
    let many = |n: usize, what: &str, key: &str| format!("{n} {what} have as many points as they may: raise `{key}`");
    let ends = || followed.branches.iter().flat_map(|b| b.ends);
    let count = |end: End| ends().filter(|e| *e == end).count();
    if count(End::Lost) > 0 {
        f.warn(lost(count(End::Lost), "branches of equilibria"));
    }
    if count(End::Points) > 0 {
        f.warn(many(count(End::Points), "branches of equilibria", "points"));
    }
    if count(End::Bound) > 0 {
        f.warn(format!(
            "{} where a state is a hundred times as large as in any trajectory",
            counted(count(End::Bound), "branch of equilibria ends", "branches of equilibria end")
        ));
    }
    let count = |end: CycleEnd| followed.cycles.iter().filter(|b| b.end == end).count();
    if count(CycleEnd::Lost) > 0 {
        f.warn(lost(count(CycleEnd::Lost), "branches of cycles"));
    }
    if count(CycleEnd::Cycles) > 0 {
        f.warn(many(count(CycleEnd::Cycles), "branches of cycles", "points"));
    }
    if count(CycleEnd::Long) > 0 {
        f.warn(format!(
            "{} where their period is `longest` times that at the Hopf point",
            counted(count(CycleEnd::Long), "branch of cycles is cut", "branches of cycles are cut")
        ));
    }
    if followed.cycles.iter().flat_map(|b| &b.cycles).any(|c| c.is_stable().is_none()) {
        f.warn(
            "of some cycles it is not known whether they are stable: their multipliers are too far apart for numbers",
        );
    }
    let hopf = |s: &&follow::Special| matches!(s.kind, Kind::Hopf { .. }) && s.coefficient.is_some();
    let undecided = followed.special.iter().filter(hopf).filter(|s| !s.is_decided).count();
    if undecided > 0 {
        f.warn(format!(
            "at {undecided} Hopf points the first Lyapunov coefficient is zero to rounding: what begins there is not \
             decided, and its cycles are not followed"
        ));
    }
    if followed.branches.is_empty() {
        f.warn("no equilibrium was found in the range");
    }
    if let Some(why) = &followed.without_cycles {
        f.warn(why);
    }
}

fn summary(followed: &Followed, bound: &Bound<'_>) -> String {
    let list = |what: &str, values: Vec<f64>| {
        let unit = &followed.unit.0;
        let each: Vec<String> = values.iter().map(|v| brief(v / followed.unit.1)).collect();
        (!each.is_empty()).then(|| format!("{what} at {} {unit}", each.join(", ")))
    };
    let of = |wanted: fn(&Kind) -> bool| {
        followed.special.iter().filter(|s| wanted(&s.kind)).map(|s| s.at.parameter).collect::<Vec<_>>()
    };
    let turns = |wanted: Turn| followed.turns.iter().filter(|t| t.turn == wanted).map(|t| t.cycle.parameter).collect();
    let parts: Vec<String> = [
        list("folds", of(|k| matches!(k, Kind::Fold))),
        list("Hopf points", of(|k| matches!(k, Kind::Hopf { .. }))),
        list("branch points", of(|k| matches!(k, Kind::BranchPoint))),
        list("rest reaches the threshold", followed.reached.iter().map(|p| p.parameter).collect()),
        list("folds of cycles", turns(Turn::Fold)),
        list("period doublings", turns(Turn::PeriodDoubling)),
        list("tori", turns(Turn::Torus)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let what = if parts.is_empty() { "nothing happens in the range".to_owned() } else { parts.join(", ") };
    format!("{} over {}: {what}", bound.population.name, followed.name)
}

/// What the numbers are made of.
struct Table<'t, 'a> {
    followed: &'t Followed,
    bound: &'t Bound<'a>,
    state: usize,
}

impl Table<'_, '_> {
    fn metrics(&self) -> Vec<Metric> {
        let followed = self.followed;
        let points: usize = followed.branches.iter().map(|b| b.points.len()).sum();
        let subject = &self.bound.population.name;
        let count = |name: &str, n: usize| Metric::new(subject, name, n as f64, "", points as u64);
        let mut list = vec![
            count("branches", followed.branches.len()).note("of equilibria; n = points"),
            count("cycle_branches", followed.cycles.len()).note("from Hopf points"),
        ];
        for (name, wanted) in [("fold", 0), ("hopf", 1), ("branch_point", 2)] {
            let number = |k: &Kind| match k {
                Kind::Fold => 0,
                Kind::Hopf { .. } => 1,
                Kind::BranchPoint => 2,
            };
            let these = followed.special.iter().filter(|s| number(&s.kind) == wanted);
            for (k, special) in these.enumerate() {
                self.special(&format!("{name}_{}", k + 1), special, &mut list);
            }
        }
        for (k, point) in followed.reached.iter().enumerate() {
            let (name, variable) = (format!("threshold_{}", k + 1), &self.bound.system.states()[self.state]);
            let note = "rest reaches the threshold: beyond it the unit fires";
            list.push(self.parameter(&name, point.parameter).note(note));
            list.push(self.shown(&format!("{name}.{}", variable.name), point.x[self.state]).note("there"));
        }
        for (name, wanted) in
            [("cycle_fold", Turn::Fold), ("period_doubling", Turn::PeriodDoubling), ("torus", Turn::Torus)]
        {
            for (k, turned) in followed.turns.iter().filter(|t| t.turn == wanted).enumerate() {
                self.turned(&format!("{name}_{}", k + 1), turned, &mut list);
            }
        }
        let ends = followed.cycles.iter().filter(|b| b.end == CycleEnd::Homoclinic);
        for (k, last) in ends.filter_map(|b| b.cycles.last()).enumerate() {
            let note = "where the period grows without bound: a homoclinic orbit, or a saddle-node on the cycle";
            list.push(self.parameter(&format!("homoclinic_{}", k + 1), last.parameter).note(note));
        }
        list
    }

    fn parameter(&self, name: &str, value: f64) -> Metric {
        let (unit, scale) = &self.followed.unit;
        Metric::new(&self.bound.population.name, name, value / scale, unit, 1)
    }

    /// The shown state at a point.
    fn shown(&self, name: &str, value: f64) -> Metric {
        let variable = &self.bound.system.states()[self.state];
        let (unit, scale) = display(variable.dimension);
        Metric::new(&self.bound.population.name, name, value / scale, unit, 1)
    }

    fn special(&self, name: &str, special: &follow::Special, list: &mut Vec<Metric>) {
        let subject = &self.bound.population.name;
        let note = match special.kind {
            Kind::Fold => "the branch turns: two equilibria meet",
            Kind::BranchPoint => "another branch crosses",
            Kind::Hopf { .. } => "a pair of eigenvalues crosses the imaginary axis",
        };
        list.push(self.parameter(name, special.at.parameter).note(note));
        let variable = &self.bound.system.states()[self.state];
        list.push(self.shown(&format!("{name}.{}", variable.name), special.at.x[self.state]).note("there"));
        let Kind::Hopf { omega } = special.kind else { return };
        let frequency = omega / std::f64::consts::TAU;
        list.push(
            Metric::new(subject, format!("{name}.frequency"), frequency, self.bound.base.rate_unit(), 1)
                .note("imaginary part over 2π"),
        );
        let coefficient = format!("{name}.lyapunov_coefficient");
        list.push(match special.coefficient {
            Some(l) if !special.is_decided => Metric::new(subject, coefficient, l, "", 1)
                .note("zero to rounding: not decided, cycles may fill a plane here and none are followed"),
            Some(l) => Metric::new(subject, coefficient, l, "", 1)
                .note(onset(l, &special.at.eigenvalues, omega))
                .note("Kuznetsov's l₁, |q| = 1 with the states in their display units"),
            None => Metric::missing(subject, coefficient, "", 1, "the linear systems of its formula are singular here"),
        });
    }

    fn turned(&self, name: &str, turned: &Turned, list: &mut Vec<Metric>) {
        let note = match turned.turn {
            Turn::Fold => "two cycles meet and vanish",
            Turn::PeriodDoubling => "a Floquet multiplier is -1: a cycle of twice the period begins",
            Turn::Torus => "a pair of Floquet multipliers is on the unit circle",
        };
        let from = format!("of the branch from the Hopf point at {}", brief(turned.from / self.followed.unit.1));
        list.push(self.parameter(name, turned.cycle.parameter).note(note).note(from));
        let base = self.bound.base;
        let period = turned.cycle.period / base.seconds();
        list.push(Metric::new(&self.bound.population.name, format!("{name}.period"), period, base.unit(), 1));
        let (low, high) = turned.cycle.extent[self.state];
        list.push(self.shown(&format!("{name}.min"), low));
        list.push(self.shown(&format!("{name}.max"), high));
    }
}

/// What begins at a Hopf point with this first Lyapunov coefficient.
fn onset(coefficient: f64, eigenvalues: &[(f64, f64)], omega: f64) -> &'static str {
    // The pair itself has a real part of rounding.
    let grows = eigenvalues.iter().any(|e| e.0 > 1e-6 * omega);
    match (coefficient < 0.0, grows) {
        (true, false) => "supercritical: stable cycles begin",
        (false, false) => "subcritical: unstable cycles begin around a stable rest",
        (true, true) => "supercritical, but another direction grows: the cycles are unstable as well",
        (false, true) => "subcritical, and another direction grows: the cycles are unstable",
    }
}

#[cfg(test)]
mod tests;
