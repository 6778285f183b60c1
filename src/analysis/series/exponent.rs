//! An exponent as the slope of a curve of divergence: its straight part, its interval, and what is drawn of it.

use super::Series;
use crate::prelude::*;
use spikedeck_core::delay::mean_period;
use spikedeck_core::divergence::{Divergence, Look, Region, fit, region};
use spikedeck_core::number::{shown, with_unit};
use spikedeck_core::surrogate::jackknife_interval;
use spikedeck_signal::{Axis, Curve, CurveStyle, NamedShape, ReferenceLine, Series as Curves, Shape, TimeBase};

/// Samples that exponents need.
pub const LEAST: usize = 200;
/// Blocks of the series that the interval rests on.
pub const BLOCKS: usize = 10;
/// Points below which nothing is said.
const LEAST_POINTS: usize = 100;
/// Mean periods that neighbours are followed.
const PERIODS: f64 = 10.0;

options! {
    /// Over which part of the curve its slope is taken.
    pub struct FitOptions {
        steps: Option<Time> = time_if_given(), "how long neighbours are followed (default: ten mean periods)";
        from: Option<Time> = time_if_given().or_zero(),
            "where the straight part begins (default: with `to`, that which the curve has)";
        to: Option<Time> = time_if_given(), "where it ends";
    }
}

impl FitOptions {
    /// How many steps neighbours are followed.
    ///
    /// # Errors
    /// A time that is no multiple of the interval between samples.
    pub fn steps(&self, s: &Series) -> Result<usize, AnalysisError> {
        let given = self.steps.map(|time| s.samples("steps", time)).transpose()?;
        let to = self.to.map(|time| s.samples("to", time)).transpose()?;
        let usual = ((PERIODS * mean_period(&s.values)).ceil() as usize).clamp(10, (s.values.len() / 4).max(10));
        Ok(given.or(to).unwrap_or(usual).max(to.unwrap_or(0)).max(1))
    }

    /// The straight part of a curve.
    fn region(&self, s: &Series, curve: &[f64]) -> Result<Result<Region, String>, AnalysisError> {
        let (from, to) = match (self.from, self.to) {
            (None, None) => {
                return Ok(region(curve).ok_or_else(|| {
                    "the curve of divergence has no straight part over which distances grow by e: see the curve; \
                     noise jumps to its plateau, what is regular stays flat"
                        .to_owned()
                }));
            }
            (from, to) => (from, to),
        };
        let from = from.map_or(Ok(0), |time| s.samples("from", time))?;
        let to = to.map_or(Ok(curve.len() - 1), |time| s.samples("to", time))?.min(curve.len() - 1);
        if to <= from {
            return Err(AnalysisError::Unsuitable(format!(
                "`to` ({}) is not after `from` ({})",
                with_unit(s.axis(to as f64), s.base.unit()),
                with_unit(s.axis(from as f64), s.base.unit())
            )));
        }
        let known = curve[from..=to].iter().all(|v| v.is_finite());
        Ok(if known { Ok(fit(curve, from, to)) } else { Err("no neighbours are apart there".to_owned()) })
    }
}

/// Why a series is too short for what is looked at.
pub fn too_short(s: &Series, look: Look) -> Option<String> {
    let points = look.embedding.points(s.values.len()).saturating_sub(look.steps);
    (points < LEAST_POINTS + 2 * look.window).then(|| {
        format!(
            "too few points: {} samples leave {points} of {} coordinates {} apart that are followed {} steps, with \
            none \
             within {}",
            s.n(),
            look.embedding.dimension,
            look.embedding.delay,
            look.steps,
            look.window
        )
    })
}

/// A curve with what it is.
pub struct Fit {
    /// Its name.
    pub label: String,
    /// The curve.
    pub found: Divergence,
    /// How it was found.
    pub how: String,
}

/// What is drawn of one series.
pub struct Drawn {
    curves: Vec<Curve>,
}

/// Tells the slope of a curve and its straight part; both numbers are missing where there is none.
///
/// # Errors
/// A choice of the straight part that is none.
pub fn told(f: &mut Findings<'_>, s: &Series, o: &FitOptions, fit: Fit) -> Result<Drawn, AnalysisError> {
    let time = |k: usize| s.axis(k as f64);
    let x: Vec<f64> = (0..fit.found.curve.len()).map(time).collect();
    let mut curves = vec![curve(&fit.label, x, fit.found.curve.clone(), CurveStyle::Line)];
    let (unit, n) = (s.base.per_time(), fit.found.points);
    let straight = match o.region(s, &fit.found.curve)? {
        Ok(straight) => straight,
        Err(why) => {
            f.metrics(
                [("lambda", unit), ("r_squared", "")]
                    .map(|(metric, unit)| Metric::missing(&s.name, metric, unit, n, &why).note(&fit.how)),
            );
            f.word(format!("{}: no exponent, the curve of divergence has no straight part", fit.label));
            return Ok(Drawn { curves });
        }
    };
    let per = 1.0 / s.seconds(1.0);
    let lambda = straight.slope * per;
    let over = format!(
        "slope of the curve from {} to {}, R² {:.4}",
        shown(time(straight.from)),
        with_unit(time(straight.to), s.base.unit()),
        straight.share
    );
    let left_out: Vec<f64> = fit.found.slopes_without(&straight).iter().map(|v| v * per).collect();
    let m = Metric::new(&s.name, "lambda", lambda, unit, n).note(over).note(&fit.how);
    f.metric(match jackknife_interval(lambda, &left_out) {
        Some((low, high)) => m
            .interval(low, high)
            .interval_by(format!("95 % interval of this slope by leaving out each of {BLOCKS} blocks"))
            .note("it knows nothing of another straight part"),
        None => m.note("no interval: blocks are too short"),
    });
    f.metric(
        Metric::new(&s.name, "r_squared", straight.share, "", (straight.to - straight.from + 1) as u64)
            .note("share of the variance of the curve's straight part that the line explains; n = steps"),
    );
    f.word(format!("{}: largest Lyapunov exponent {} {unit}", fit.label, shown(lambda)));
    let ends = [straight.from, straight.to];
    let height = |k: usize| straight.offset + straight.slope * k as f64;
    let line = ends.iter().map(|k| height(*k)).collect();
    curves.push(curve(format!("{} fitted", fit.label), ends.map(time).to_vec(), line, CurveStyle::Line));
    Ok(Drawn { curves })
}

/// A curve without its slope.
pub fn beside(s: &Series, label: &str, found: &Divergence) -> Drawn {
    let x = (0..found.curve.len()).map(|k| s.axis(k as f64)).collect();
    Drawn { curves: vec![curve(label, x, found.curve.clone(), CurveStyle::Line)] }
}

/// The curves with the lines through their straight parts.
pub fn shape(base: TimeBase, what: &str, drawn: &[Drawn]) -> Vec<NamedShape> {
    let curves: Vec<Curve> = drawn.iter().flat_map(|d| d.curves.clone()).collect();
    if curves.is_empty() {
        return Vec::new();
    }
    let x = Axis::new("time", base.unit());
    let (y, references) = (Axis::new(what, ""), Vec::<ReferenceLine>::new());
    vec![NamedShape::new("divergence", Shape::Series(Curves { x, y, curves, references }))]
}
