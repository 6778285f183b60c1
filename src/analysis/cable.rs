//! Cable: length constants, time constants and input resistances of a tree by passive theory.

use super::prelude::*;
use spikedeck_core::number::shown;
use spikedeck_core::units::{Dimension, display_unit};
use spikedeck_signal::{Axis, CurveStyle, Series, Shape};
use spikedeck_sim::Network;

/// The analysis `cable`.
pub struct Cable;

const CARD: AnalysisCard = AnalysisCard {
    title: "Cable properties",
    synonyms: &["voltage_profile"],
    summary: "length constant, time constant, electrotonic length and input resistance of each section of a tree",
    formula: "g = -d(membrane current)/dV per area at the initial state; tau = C_m/g; lambda = sqrt(d/(4 R_a g)); \
              electrotonic length = sum of dx/lambda over compartments; \
              input resistance at the beginning of a section = element of the inverse of the tree's conductance matrix",
    assumptions: "The membrane stands still where it starts and is looked at as if it were linear there; gates do not \
                  move.",
    bias: "Input resistances are those of the compartments, good to the square of their length.",
    cost: "O(compartments · sections)",
    caveats: "Where active currents have a negative slope at the start, there is no length constant: it is missing.",
    references: &[
        "Rall 1959, Exp Neurol 1:491-527, doi:10.1016/0014-4886(59)90046-9",
        "Rall 1969, Biophys J 9:1483-1508, doi:10.1016/S0006-3495(69)86467-2",
    ],
};

impl Estimator for Cable {
    type Options = ();
    const KIND: &'static str = "cable";
    const SUBJECTS: Subjects = Subjects::Population;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, (): &(), f: &mut Findings<'_>) -> Measured {
        let spec = f.scenario().ok_or_else(|| {
            AnalysisError::Unsuitable("this analysis needs the scenario, not a recording alone".into())
        })?;
        let ohm = display_unit(Dimension::OHM);
        f.each_subject(|f, s| {
            let why = || AnalysisError::Unsuitable(format!("{}: a projection has no sections", s.text));
            let sections = Network::electrotonic(spec, s.place.population().ok_or_else(why)?)
                .map_err(|e| AnalysisError::Unsuitable(format!("{}: {e}", s.text)))?;
            for e in &sections {
                let name = format!("{}[{}]", s.text, e.section);
                let mut add = |key: &str, value: f64, unit: &str| {
                    let why = "the membrane's current has no positive slope at the start";
                    f.metric(if value.is_finite() {
                        Metric::new(&name, key, value, unit, 1)
                    } else {
                        Metric::missing(&name, key, unit, 1, why)
                    });
                };
                add("length", e.length * 1e6, "um");
                add("diameter", e.diameter * 1e6, "um");
                add("tau", e.tau * 1e3, "ms");
                add("lambda", e.lambda * 1e6, "um");
                add("electrotonic_length", e.electrotonic, "");
                add("input_resistance", e.input_resistance / ohm.scale, &ohm.symbol);
            }
            if let Some(root) = sections.first() {
                f.word(format!(
                    "{}: {} sections, input resistance {} {}",
                    s.text,
                    sections.len(),
                    shown(root.input_resistance / ohm.scale),
                    ohm.symbol
                ));
            }
            let x = (0..sections.len()).map(|k| k as f64).collect();
            let y = sections.iter().map(|e| e.input_resistance / ohm.scale).collect();
            let series = Series {
                x: Axis::new("section", ""),
                y: Axis::new("input resistance", ohm.symbol.clone()),
                curves: vec![curve(&s.text, x, y, CurveStyle::Points)],
                references: Vec::new(),
            };
            f.shape(format!("input resistance of the sections of {}", s.text), Shape::Series(series));
            Ok(())
        })
    }
}
