//! Front: when a wave arrives in each cell, and its speed (conduction velocity) by regression.

use super::places;
use super::prelude::*;
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::student_quantile;
use spikedeck_core::units::brief;
use spikedeck_signal::{Axis, CurveStyle, Series, Shape};

/// The analysis `front`.
pub struct Front;

const CARD: AnalysisCard = AnalysisCard {
    title: "Front",
    synonyms: &["wave_speed", "propagation_speed", "conduction_velocity"],
    summary: "when a wave arrives in each cell, and its speed by regression",
    formula: "t_j = first time at which cell j crosses the level upwards, interpolated linearly; speed = 1/slope of \
              the least-squares line of t_j over x_j, \
              for the cells between the shares `from` and `to` of the length",
    assumptions: "One wave travels along the first axis with one speed over the stretch that is fitted.",
    bias: "The fit leaves both ends out, where a wave forms or meets a boundary. On a grid fronts are slower or \
           faster than in continuous space by a share of order h².",
    cost: "O(samples · cells)",
    caveats: "The first crossing counts: noise that crosses the level earlier spoils it. Fronts that are pulled \
              (Fisher) approach their speed as 3/(2t), so that a fit over a finite time is below it. In a plane only \
              the middle row is looked at.",
    references: &[
        "Hodgkin and Huxley 1952, J Physiol 117:500-544, doi:10.1113/jphysiol.1952.sp004764",
        "van Saarloos 2003, Phys Rep 386:29-222, doi:10.1016/j.physrep.2003.08.001",
    ],
};

options! {
    /// What `front` can be told.
    pub struct Options {
        level: f64 = number("0.5").between(0.0, 1.0),
            "level that counts as arrival, as a share of the range of all samples";
        from: f64 = number("0.3").between(0.0, 1.0), "where the fit starts, as a share of the length";
        to: f64 = number("0.7").between(0.0, 1.0), "where it ends";
    }
}

impl Estimator for Front {
    type Options = Options;
    const KIND: &'static str = "front";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let base = f.base;
        let (mut curves, mut unit) = (Vec::new(), String::new());
        f.each_subject(|f, s| {
            let columns = subject::variable(f.request, s)?;
            let line = places::line(f.request, s, &columns)?;
            let all = || columns.columns.iter().flatten().copied();
            let (least, greatest) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, g), v| (l.min(v), g.max(v)));
            let level = least + o.level * (greatest - least);
            let arrival = |c: usize| crossing(&columns.columns[c], level);
            let arrivals: Vec<(f64, f64)> = line
                .x
                .iter()
                .zip(&line.columns)
                .filter_map(|(&x, &c)| Some((x, columns.start + columns.interval * arrival(c)?)))
                .collect();
            let stretch = o.from * line.length..=o.to * line.length;
            let fitted: Vec<(f64, f64)> = arrivals.iter().copied().filter(|a| stretch.contains(&a.0)).collect();
            let (speed_unit, scale) = line.speed(base);
            let n = fitted.len() as u64;
            match through(&fitted) {
                Some(Fitted { slope, error, correlation }) if slope.abs() > 0.0 => {
                    let speed = scale / slope;
                    let spread = student_quantile(fitted.len() - 2) * error * scale / (slope * slope);
                    let metric = Metric::new(&s.text, "speed", speed, &speed_unit, n).note("n = cells fitted");
                    f.metric(if correlation > 2.0 / (n as f64).sqrt() {
                        metric.note(format!(
                            "no interval: how late a cell is depends on its neighbours (correlation {correlation:.2}), \
                             as where a front bends or its delays add up"
                        ))
                    } else {
                        metric
                            .interval(speed - spread, speed + spread)
                            .interval_by("95 % interval of the regression (t)")
                    });
                    f.word(format!("{}: speed {} {speed_unit}", s.text, brief(speed)));
                }
                _ => {
                    let why = "needs arrivals in three cells of the stretch, at different times";
                    f.metric(Metric::missing(&s.text, "speed", &speed_unit, n, why));
                }
            }
            let share = arrivals.len() as f64 / line.x.len() as f64;
            f.metric(
                Metric::new(&s.text, "reached", share, "", line.x.len() as u64)
                    .note("share of the cells that the front reached"),
            );
            unit = line.unit;
            let (x, y) = arrivals.into_iter().unzip();
            curves.push(curve(&s.text, x, y, CurveStyle::Points));
            Ok(())
        })?;
        let (x, y) = (Axis::new("position", unit), Axis::new("arrival", base.unit()));
        f.shape("arrivals", Shape::Series(Series { x, y, curves, references: Vec::new() }));
        Ok(())
    }
}

/// The first upward crossing, in samples.
fn crossing(values: &[f64], level: f64) -> Option<f64> {
    let k = values.windows(2).position(|w| w[0] < level && w[1] >= level)?;
    Some(k as f64 + (level - values[k]) / (values[k + 1] - values[k]))
}

/// A least-squares line.
struct Fitted {
    slope: f64,
    /// Standard error of the slope, points taken as independent.
    error: f64,
    /// How what is left of a point is correlated with what is left of the next.
    correlation: f64,
}

fn through(points: &[(f64, f64)]) -> Option<Fitted> {
    if points.len() < 3 {
        return None;
    }
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let (mx, my) = (mean(&x), mean(&y));
    let sxx: f64 = x.iter().map(|v| (v - mx) * (v - mx)).sum();
    let slope = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>() / sxx;
    let left: Vec<f64> = points.iter().map(|p| p.1 - my - slope * (p.0 - mx)).collect();
    let rest: f64 = left.iter().map(|r| r * r).sum();
    let next: f64 = left.windows(2).map(|w| w[0] * w[1]).sum();
    let error = (rest / (points.len() - 2) as f64 / sxx).sqrt();
    Some(Fitted { slope, error, correlation: if rest > 0.0 { next / rest } else { 0.0 } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_are_interpolated_and_slopes_fitted() {
        assert_eq!(crossing(&[0.0, 1.0, 3.0, 0.0, 9.0], 2.0), Some(1.5));
        assert_eq!(crossing(&[5.0, 4.0], 2.0), None);
        let found = through(&[(0.0, 1.0), (1.0, 3.5), (2.0, 6.0)]).unwrap();
        assert!((found.slope - 2.5).abs() < 1e-12 && found.error < 1e-12);
        assert!(through(&[(0.0, 1.0), (1.0, 3.5)]).is_none());
    }
}
