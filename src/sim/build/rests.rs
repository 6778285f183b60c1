//! Refractory times off the grid. Those that are written down are multiples of the step, or refused when the scenario
//! is read; those that are drawn or computed are known only now, and units rest whole steps: how many times are moved,
//! and by how much, is told as of other times that are moved to the grid.

use super::population::PopulationValues;
use crate::values::at;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::TimeUnit;
use spikedeck_equation::graph::Symbol;
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::{PopulationSpec, Spec};

/// A time this part of itself away from the grid stands on it.
const ROUNDING: f64 = 1e-9;

/// What is to be said of the refractory times of a population.
pub(super) fn rounded(spec: &Spec, population: &PopulationSpec, values: &PopulationValues) -> Option<String> {
    let p = population.system.parts();
    let time = p.refractory?;
    let dt = spec.simulation.dt;
    let dimensionless = population.time_unit() == TimeUnit::Dimensionless;
    let dimension = if dimensionless { Dimension::NONE } else { Dimension::SECOND };
    let shown = |value: f64| Quantity { value, dimension }.to_string();
    if p.graph.depends(time, |s| !matches!(s, Symbol::Parameter(_))) {
        return Some(format!(
            "the refractory time follows what changes during the run: each is rounded to whole steps of {}, by at \
             most half of one",
            shown(dt)
        ));
    }
    let tape = Tape::new(&p.graph, &[time]);
    let per_second = population.time_unit().per_second();
    let (mut moved, mut gone, mut most) = (0_usize, 0_usize, 0.0_f64);
    for unit in 0..population.size {
        let parameters: Vec<f64> = values.parameters.iter().map(|column| at(column, unit)).collect();
        let seconds = tape.value(&Values { parameters: &parameters, ..Values::default() }) / per_second;
        let steps = (seconds / dt).round().max(0.0);
        let shift = steps.mul_add(-dt, seconds).abs();
        // What is no number is told at the spike that it follows.
        if shift.is_finite() && shift > ROUNDING * seconds.abs() {
            moved += 1;
            gone += usize::from(steps == 0.0 && seconds > 0.0);
            most = most.max(shift);
        }
    }
    let none = if gone == 0 { String::new() } else { format!(" ({gone} of them to none)") };
    (moved > 0).then(|| {
        format!(
            "the refractory times of {moved} of {} units are no multiples of the step of {} and are rounded to \
             such{none}, moved by at most {}",
            population.size,
            shown(dt),
            shown(most)
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::Network;
    use crate::tests::spec;

    /// A scenario of LIF neurons with these refractory times.
    fn warnings(t_ref: &str) -> Vec<String> {
        let text = format!(
            "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[populations.n]\nmodel = \"lif\"\nsize = 4\n\
             parameters = {{ t_ref = {t_ref} }}\n"
        );
        Network::examine(&spec(&text)).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn times_off_the_grid_are_counted_and_bounded() {
        // Evenly spaced: 2, 2.05, 2.1, 2.15 ms, of which two are moved by half a step.
        let said = warnings("{ linspace = [\"2 ms\", \"2.15 ms\"] }");
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("2 of 4 units") && said[0].contains("at most 0.05 ms"), "{said:?}");
        let said = warnings("\"[0.03 ms]*i + [0.01 ms]\"");
        // 0.01, 0.04, 0.07, 0.1 ms: the first two become none, the third a whole step.
        assert!(said[0].contains("3 of 4 units") && said[0].contains("2 of them to none"), "{said:?}");
        assert!(said[0].contains("at most 0.04 ms"), "{said:?}");
        for on_grid in ["\"2 ms\"", "{ linspace = [\"2 ms\", \"2.3 ms\"] }", "\"[0.1 ms]*(i + 1)\""] {
            assert!(warnings(on_grid).is_empty(), "{on_grid}");
        }
    }
}
