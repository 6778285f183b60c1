//! Whether a population can be stepped as the scenario says, as far as equations and names tell: what depends on values
//! is found when the network is built.

use super::resolver::Resolver;
use super::spec::{Boundary, GridSpec, Integrator, PopulationSpec, SpikeTimes};
use spikedeck_equation::space::OperatorKind;
use spikedeck_model::document::Node;
use spikedeck_model::report::SourceSpan;

/// Where what is looked at stands.
pub(super) struct Nodes<'a> {
    pub integrator: Option<&'a Node>,
    pub grid: Option<&'a Node>,
    pub substeps: Option<&'a Node>,
    /// The population, for what it does not state itself.
    pub population: &'a SourceSpan,
}

impl Nodes<'_> {
    fn integrator(&self) -> &SourceSpan {
        self.integrator.map_or(self.population, |n| &n.place)
    }

    fn grid(&self, key: &str) -> &SourceSpan {
        let grid = self.grid.map(|n| n.get(key).unwrap_or(n));
        grid.map_or(self.population, |n| &n.place)
    }
}

/// Reports what cannot be stepped.
pub(super) fn check(resolver: &mut Resolver<'_>, p: &PopulationSpec, nodes: &Nodes<'_>) {
    let name = p.integrator.name();
    if p.tree.is_some() {
        check_tree(resolver, p, nodes);
    } else if let Some(grid) = &p.grid {
        check_grid(resolver, p, grid, nodes);
    } else if p.integrator.is_of_space() {
        resolver.error_help(
            nodes.integrator(),
            format!("`{name}` is a scheme of space, and population `{}` has no `grid`", p.name),
            "name a rule for equations, such as rk4, or give the population a `grid`",
        );
    }
    let pointwise = p.grid.as_ref().and_then(|g| g.pointwise).or(Some(p.integrator)).filter(|i| !i.is_of_space());
    if let Some(rule) = pointwise.filter(|i| p.tree.is_none() && *i != Integrator::Auto && !i.is_noisy())
        && p.system.is_stochastic()
    {
        let of_grid = p.grid.as_ref().is_some_and(|g| g.pointwise.is_some());
        resolver.error_help(
            if of_grid { nodes.grid("pointwise") } else { nodes.integrator() },
            format!("`{}` has no noise, but the equations of `{}` contain `xi`", rule.name(), p.name),
            "use euler_maruyama, heun_stratonovich or milstein",
        );
    }
    if resolver.spike_times == SpikeTimes::Exact && p.system.spikes() && p.system.is_stochastic() && p.tree.is_none() {
        resolver.error_help(
            nodes.population,
            format!("spike_times = \"exact\" needs equations without noise, and those of `{}` contain `xi`", p.name),
            "use spike_times = \"interpolated\"",
        );
    }
}

fn check_tree(resolver: &mut Resolver<'_>, p: &PopulationSpec, nodes: &Nodes<'_>) {
    if !matches!(p.integrator, Integrator::Auto | Integrator::BackwardEuler | Integrator::CrankNicolson) {
        resolver.error_help(
            nodes.integrator(),
            format!("`{}` does not step a tree", p.integrator.name()),
            "use backward_euler (order 1) or crank_nicolson (order 2)",
        );
    }
    if resolver.spike_times == SpikeTimes::Exact {
        resolver.error_help(
            nodes.population,
            format!("exact spike times are for linear models of points, and population `{}` is a tree", p.name),
            "use spike_times = \"interpolated\"",
        );
    }
}

fn check_grid(resolver: &mut Resolver<'_>, p: &PopulationSpec, grid: &GridSpec, nodes: &Nodes<'_>) {
    let operators = p.system.operators();
    let has = |kind: &OperatorKind| operators.iter().any(|o| o.kind == *kind);
    if grid.shape.len() > 1 && has(&OperatorKind::Gradient(None)) {
        resolver.error_help(
            nodes.grid("shape"),
            "`gradient` is the derivative along a line, and this grid has two axes",
            "write `gradient_x` or `gradient_y` in the equations",
        );
    }
    if grid.shape.len() < 2 && has(&OperatorKind::Gradient(Some(1))) {
        resolver.error(
            nodes.grid("shape"),
            "`gradient_y` is the derivative along the second axis, and this grid is a line",
        );
    }
    if grid.noise.0 > 0.0
        && let Some(o) = operators.iter().find(|o| o.dimension != grid.noise.1)
    {
        let message = format!(
            "the noise of the ends has unit {}, but what `{}` is of has unit {}",
            grid.noise.1,
            p.system.inputs()[o.input].name,
            o.dimension
        );
        resolver.error(nodes.grid("noise"), message);
    }
    if let Some(rule) = grid.pointwise.filter(|i| i.is_of_space()) {
        resolver.error_help(
            nodes.grid("pointwise"),
            format!("`{}` is a scheme of space, and `pointwise` is the rule for the rest", rule.name()),
            "name it as `integrator`; `pointwise` is such as rk4",
        );
    }
    if p.substeps > 1 {
        resolver.error_help(
            nodes.substeps.map_or(nodes.population, |n| &n.place),
            "substeps are steps of the equations alone, and on a grid all is stepped together",
            "take a shorter `dt`",
        );
    }
    let sound = [Boundary::Periodic, Boundary::NoFlux, Boundary::Killed];
    if p.integrator == Integrator::Spectral
        && (grid.boundary[0] != grid.boundary[1] || !sound.contains(&grid.boundary[0]))
    {
        resolver
            .error(nodes.grid("boundary"), "spectral needs the same ends on both sides: periodic, no_flux or killed");
    }
}
