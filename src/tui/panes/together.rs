//! The same pane of several columns in one: laid over each other, or what the others have beyond the first.

use crate::panes::pane::Pane;
use spikedeck_run::{Finished, compare, difference_interval};
use spikedeck_signal::{
    Axis, Card, Curve, CurveStyle, Distribution, Image, Matrix, Metric, PhasePortrait, Raster, RasterGroup,
    ReferenceLine, ScalarRow, Scalars, Series, Shape, step_begin,
};

/// How the panes of several columns are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Together {
    /// Beside each other.
    #[default]
    Beside,
    /// Laid over each other in one pane.
    Over,
    /// Less the first.
    Less,
}

impl Together {
    /// The next of them.
    pub fn next(self) -> Self {
        match self {
            Self::Beside => Self::Over,
            Self::Over => Self::Less,
            Self::Less => Self::Beside,
        }
    }

    /// What the screen says of it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Beside => "side by side",
            Self::Over => "laid over each other",
            Self::Less => "less A",
        }
    }
}

/// A pane with the letter of its column.
pub type Lettered<'a> = (char, &'a Pane);

/// Curves of one pane that can be told apart.
const MOST: usize = 8;

/// The panes of one key as one; `None` where they cannot be brought together (planes over each other, other axes).
pub fn combined(mode: Together, all: &[Lettered<'_>]) -> Option<Pane> {
    let (_, first) = all.first()?;
    let (shape, title, key) = match mode {
        Together::Beside => return None,
        Together::Over => (over(all)?, first.title.clone(), first.key.clone()),
        Together::Less => {
            let others: Vec<String> = all[1..].iter().map(|(letter, _)| format!("{letter} − {}", all[0].0)).collect();
            (less(all)?, format!("{}, {}", first.title, others.join(", ")), format!("less/{}", first.key))
        }
    };
    let mut words = if mode == Together::Over { told(all) } else { String::new() };
    let most = (MOST / all.len().max(1)).max(1);
    let has_more = |pane: &Pane| match &pane.shape.shape {
        Shape::Series(s) => s.curves.iter().filter(|c| is_data(c)).count() > most,
        _ => false,
    };
    if mode == Together::Over && all.iter().any(|(_, p)| has_more(p)) {
        words = format!("first {most} of each; {words}");
    }
    let mut pane = Pane::new(key, title, shape, words);
    pane.warnings =
        all.iter().flat_map(|(letter, p)| p.warnings.iter().map(move |w| format!("{letter}: {w}"))).collect();
    Some(pane)
}

/// What each of them found, with its letter.
fn told(all: &[Lettered<'_>]) -> String {
    let each = all.iter().filter(|(_, p)| !p.summary.is_empty()).map(|(letter, p)| format!("{letter} {}", p.summary));
    each.collect::<Vec<_>>().join("; ")
}

/// All of a kind, if all are.
fn each<'a, T>(all: &[Lettered<'a>], of: impl Fn(&'a Shape) -> Option<&'a T>) -> Option<Vec<(char, &'a T)>> {
    all.iter().map(|(letter, pane)| Some((*letter, of(&pane.shape.shape)?))).collect()
}

macro_rules! kind {
    ($all:expr, $name:ident) => {
        each($all, |s| if let Shape::$name(inner) = s { Some(inner) } else { None })
    };
}

fn over(all: &[Lettered<'_>]) -> Option<Shape> {
    if let Some(series) = kind!(all, Series) {
        return series_over(&series).map(Shape::Series);
    }
    if let Some(all) = kind!(all, Distribution) {
        return distributions_over(&all);
    }
    if let Some(all) = kind!(all, Raster) {
        return Some(Shape::Raster(rasters_over(&all)));
    }
    if let Some(all) = kind!(all, Phase) {
        return phases_over(&all).map(Shape::Phase);
    }
    kind!(all, Scalars).map(|all| Shape::Scalars(scalars_over(&all)))
}

/// A curve's name with the letter of its column.
fn lettered(letter: char, name: &str) -> String {
    if name.is_empty() { letter.to_string() } else { format!("{letter} {name}") }
}

/// Whether axes show the same, so that curves can stand over one of them.
fn alike(a: &Axis, b: &Axis) -> bool {
    a.label == b.label && a.unit == b.unit
}

fn is_data(curve: &Curve) -> bool {
    !matches!(curve.style, CurveStyle::Theory | CurveStyle::Chance)
}

fn series_over(all: &[(char, &Series)]) -> Option<Series> {
    let (_, first) = all.first()?;
    if !all.iter().all(|(_, s)| alike(&s.x, &first.x) && alike(&s.y, &first.y)) {
        return None;
    }
    let most = (MOST / all.len()).max(1);
    let mut curves: Vec<Curve> = Vec::new();
    let mut references: Vec<ReferenceLine> = Vec::new();
    for (letter, s) in all {
        let data = s.curves.iter().filter(|c| is_data(c)).take(most);
        curves.extend(data.map(|c| Curve { name: lettered(*letter, &c.name), ..c.clone() }));
        for theory in s.curves.iter().filter(|c| !is_data(c)) {
            // What theory says of both alike is said once.
            if !curves.iter().any(|c| c.x == theory.x && c.y == theory.y) {
                let is_first = std::ptr::eq(*s, *first);
                let name = if is_first { theory.name.clone() } else { lettered(*letter, &theory.name) };
                curves.push(Curve { name, ..theory.clone() });
            }
        }
        for line in &s.references {
            if !references.contains(line) {
                references.push(line.clone());
            }
        }
    }
    Some(Series { x: first.x.clone(), y: first.y.clone(), curves, references })
}

/// Bars over each other where bins are the same, else their heights as steps.
fn distributions_over(all: &[(char, &Distribution)]) -> Option<Shape> {
    let (_, first) = all.first()?;
    if all.iter().all(|(_, d)| d.edges == first.edges && alike(&d.x, &first.x) && alike(&d.y, &first.y)) {
        let heights = all.iter().flat_map(|(letter, d)| {
            d.heights.iter().map(move |(name, heights)| (lettered(*letter, name), heights.clone()))
        });
        return Some(Shape::Distribution(Distribution { heights: heights.collect(), ..(*first).clone() }));
    }
    let steps: Vec<(char, Series)> = all.iter().map(|(letter, d)| (*letter, steps(d))).collect();
    let borrowed: Vec<(char, &Series)> = steps.iter().map(|(letter, s)| (*letter, s)).collect();
    series_over(&borrowed).map(Shape::Series)
}

/// A histogram as steps that end at the right edges: counts of bins that are not as wide for a unit of x.
fn steps(d: &Distribution) -> Series {
    let counts = d.y.unit.is_empty();
    let per = |k: usize, h: f64| if counts { h / (d.edges[k + 1] - d.edges[k]) } else { h };
    let heights_of =
        |list: &[f64]| list.iter().enumerate().take(d.edges.len().saturating_sub(1)).map(|(k, h)| per(k, *h)).collect();
    let curve = |(name, heights): &(String, Vec<f64>)| Curve {
        name: name.clone(),
        x: d.edges.iter().skip(1).copied().collect(),
        y: heights_of(heights),
        style: CurveStyle::Steps,
        ..Curve::default()
    };
    let unit = if d.x.unit.is_empty() { "1".to_owned() } else { d.x.unit.clone() };
    let y = if counts { Axis::new(format!("{} per {unit}", d.y.label), "") } else { d.y.clone() };
    Series { x: d.x.clone(), y, curves: d.heights.iter().map(curve).collect(), references: d.references.clone() }
}

fn rasters_over(all: &[(char, &Raster)]) -> Raster {
    let groups = all.iter().flat_map(|(letter, r)| {
        r.groups.iter().map(move |g| RasterGroup { name: lettered(*letter, &g.name), ..g.clone() })
    });
    let rates = all.iter().flat_map(|(letter, r)| {
        r.rate.curves.iter().map(move |c| Curve { name: lettered(*letter, &c.name), ..c.clone() })
    });
    let extent =
        all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |a, (_, r)| (a.0.min(r.extent.0), a.1.max(r.extent.1)));
    let first = all[0].1;
    Raster {
        x: first.x.clone(),
        extent,
        groups: groups.collect(),
        rate: Series { curves: rates.collect(), ..first.rate.clone() },
    }
}

fn phases_over(all: &[(char, &PhasePortrait)]) -> Option<PhasePortrait> {
    let (_, first) = all.first()?;
    if !all.iter().all(|(_, p)| alike(&p.x, &first.x) && alike(&p.y, &first.y)) {
        return None;
    }
    let trajectories = all.iter().flat_map(|(letter, p)| {
        p.trajectories.iter().map(move |c| Curve { name: lettered(*letter, &c.name), ..c.clone() })
    });
    let mut nullclines = first.nullclines.clone();
    for (letter, p) in &all[1..] {
        let others = p.nullclines.iter().filter(|n| !first.nullclines.iter().any(|own| own.1 == n.1));
        nullclines.extend(others.map(|(name, segments)| (lettered(*letter, name), segments.clone())));
    }
    // Two fields cannot be told apart: the first one's stays.
    Some(PhasePortrait {
        trajectories: trajectories.collect(),
        nullclines,
        fixed_points: all.iter().flat_map(|(_, p)| p.fixed_points.clone()).collect(),
        ..(*first).clone()
    })
}

/// One table: each row of the first with that of every other below it, then what only others have.
fn scalars_over(all: &[(char, &Scalars)]) -> Scalars {
    let mut names: Vec<&str> = Vec::new();
    for (_, s) in all {
        for row in &s.rows {
            if !names.contains(&plain(&row.name)) {
                names.push(plain(&row.name));
            }
        }
    }
    let row = |name: &str, (letter, s): &(char, &Scalars)| {
        let found = s.rows.iter().find(|r| plain(&r.name) == name)?;
        Some(ScalarRow { name: lettered(*letter, &found.name), measured: found.measured.clone() })
    };
    Scalars { rows: names.into_iter().flat_map(|name| all.iter().filter_map(move |one| row(name, one))).collect() }
}

/// A row's name without the mark of an expectation.
fn plain(name: &str) -> &str {
    name.trim_start_matches(['✓', '✗', ' '])
}

/// What the others have beyond the first.
fn less(all: &[Lettered<'_>]) -> Option<Shape> {
    if all.len() < 2 {
        return None;
    }
    if let Some(series) = kind!(all, Series) {
        return series_less(&series).map(Shape::Series);
    }
    if let Some(all) = kind!(all, Distribution) {
        // Bins that are others hold others.
        if all.iter().any(|(_, d)| d.edges != all[0].1.edges) {
            return None;
        }
        let steps: Vec<(char, Series)> = all.iter().map(|(letter, d)| (*letter, steps(d))).collect();
        let borrowed: Vec<(char, &Series)> = steps.iter().map(|(letter, s)| (*letter, s)).collect();
        return series_less(&borrowed).map(Shape::Series);
    }
    if let Some(all) = kind!(all, Raster) {
        let rates: Vec<(char, &Series)> = all.iter().map(|(letter, r)| (*letter, &r.rate)).collect();
        return series_less(&rates).map(Shape::Series);
    }
    // Of three planes there are two differences, which one pane does not hold.
    if let Some(all) = kind!(all, Image).filter(|all| all.len() == 2) {
        return image_less(all[0].1, all[1].1).map(Shape::Image);
    }
    if let Some(all) = kind!(all, Matrix).filter(|all| all.len() == 2) {
        return matrix_less(all[0].1, all[1].1).map(Shape::Matrix);
    }
    // Numbers are held against each other in one place, with all that is known of the runs.
    None
}

/// Each curve less that of the same name in the first; at the first's abscissae, where the other has values there.
fn series_less(all: &[(char, &Series)]) -> Option<Series> {
    let (_, first) = all.first()?;
    if !all.iter().all(|(_, s)| alike(&s.x, &first.x) && alike(&s.y, &first.y)) {
        return None;
    }
    let mut curves = Vec::new();
    for (letter, other) in &all[1..] {
        for a in first.curves.iter().filter(|c| is_data(c)) {
            let Some(b) = other.curves.iter().find(|c| is_data(c) && c.name == a.name) else { continue };
            if let Some(curve) = curve_less(a, b) {
                // One curve each: the letter says enough.
                let name = if first.curves.iter().filter(|c| is_data(c)).count() < 2 { "" } else { a.name.as_str() };
                curves.push(Curve { name: lettered(*letter, name), ..curve });
            }
        }
    }
    if curves.is_empty() {
        return None;
    }
    let none = ReferenceLine { name: "no difference".into(), at: 0.0, vertical: false };
    // Differences are of both signs, whatever the values are.
    let y = Axis::new(format!("difference of {}", first.y.label), first.y.unit.clone());
    Some(Series { x: first.x.clone(), y, curves, references: vec![none] })
}

fn curve_less(a: &Curve, b: &Curve) -> Option<Curve> {
    let n = a.x.len().min(a.y.len());
    if a.x == b.x {
        let y = a.y.iter().zip(&b.y).map(|(a, b)| b - a).collect();
        let band = a.band.as_ref().zip(b.band.as_ref()).map(|(one, two)| {
            let at = |k: usize| {
                let (low, high) = ((one.0[k], one.1[k]), (two.0[k], two.1[k]));
                difference_interval(a.y[k], low, b.y[k], high).unwrap_or((f64::NAN, f64::NAN))
            };
            (0..n.min(b.y.len())).map(at).unzip()
        });
        return Some(Curve { x: a.x.clone(), y, band, style: a.style, ..Curve::default() });
    }
    if !(a.x.is_sorted() && b.x.is_sorted()) || b.y.len() < 2 {
        return None;
    }
    let (x, y): (Vec<f64>, Vec<f64>) =
        a.x.iter().zip(&a.y).filter_map(|(x, value)| Some((*x, at(b, *x)? - value))).unzip();
    (!x.is_empty()).then(|| Curve { x, y, style: a.style, ..Curve::default() })
}

/// The value of a curve at an abscissa: of steps the one whose step holds it, else between its samples.
fn at(curve: &Curve, x: f64) -> Option<f64> {
    let after = curve.x.partition_point(|v| *v < x);
    let (right, y) = (*curve.x.get(after)?, *curve.y.get(after)?);
    if curve.style == CurveStyle::Steps {
        // The first step has a beginning.
        return (x > step_begin(&curve.x, 0)).then_some(y);
    }
    if right == x {
        return Some(y);
    }
    let before = after.checked_sub(1)?;
    // A gap stays one.
    let part = (x - curve.x[before]) / (right - curve.x[before]);
    Some(curve.y[before] + (y - curve.y[before]) * part)
}

fn image_less(a: &Image, b: &Image) -> Option<Image> {
    let same = (a.width, a.height, a.x_range, a.y_range) == (b.width, b.height, b.x_range, b.y_range);
    let same = same && alike(&a.value, &b.value) && a.values.len() == b.values.len();
    same.then(|| Image {
        value: Axis::new(format!("difference of {}", a.value.label), a.value.unit.clone()),
        values: a.values.iter().zip(&b.values).map(|(a, b)| b - a).collect(),
        diverging: true,
        ..a.clone()
    })
}

fn matrix_less(a: &Matrix, b: &Matrix) -> Option<Matrix> {
    let same = a.rows == b.rows && a.columns == b.columns && alike(&a.value, &b.value);
    same.then(|| Matrix {
        value: Axis::new(format!("difference of {}", a.value.label), a.value.unit.clone()),
        values: a.values.iter().zip(&b.values).map(|(a, b)| b - a).collect(),
        chance: None,
        significant: None,
        diverging: true,
        ..a.clone()
    })
}

/// The numbers of other runs less those of the first, with interval and p as the table of differences has them.
pub fn numbers_less(runs: &[&Finished], letters: &[char]) -> Shape {
    let compared = compare(runs);
    let mut rows = Vec::new();
    for row in &compared.rows {
        for (k, letter) in letters.iter().enumerate().skip(1) {
            let Some(value) = row.differences[k] else { continue };
            let measured = Metric {
                value: Some(value),
                unit: row.unit.clone(),
                ci_low: row.difference_intervals[k].map(|i| i.0),
                ci_high: row.difference_intervals[k].map(|i| i.1),
                p_value: row.p_adjusted[k],
                chance: Some(0.0),
                ..Metric::default()
            };
            let name = if letters.len() > 2 { lettered(*letter, &row.metric) } else { row.metric.clone() };
            rows.push(ScalarRow { name, measured });
        }
    }
    Shape::Scalars(Scalars { rows })
}

/// A pane that says why columns are not in it together.
pub fn apart(mode: Together, all: &[Lettered<'_>], pane: &Pane) -> Pane {
    let letters: Vec<String> = all.iter().map(|(letter, _)| letter.to_string()).collect();
    let text = match (letters.len(), mode) {
        (1, _) => format!("{} alone has this pane.", letters[0]),
        (_, Together::Less) => {
            format!("{} cannot be subtracted here; side by side (o) they can be seen.", letters.join(", "))
        }
        (_, _) => format!("{} cannot be laid over each other; side by side (o) they can be seen.", letters.join(", ")),
    };
    let card = Card::prose([(String::new(), text)]);
    Pane::new(format!("apart/{}", pane.key), pane.title.clone(), Shape::Card(card), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(x: &[f64], y: &[f64], style: CurveStyle) -> Shape {
        let curve = Curve { x: x.to_vec(), y: y.to_vec(), style, ..Curve::default() };
        Shape::Series(Series { y: Axis::new("V_m", "mV"), curves: vec![curve], ..Series::default() })
    }

    fn pane(shape: Shape) -> Pane {
        Pane::new("trace/a", "A trace", shape, "it is 3 mV")
    }

    fn both(mode: Together, a: Shape, b: Shape) -> Option<Pane> {
        let (a, b) = (pane(a), pane(b));
        combined(mode, &[('A', &a), ('B', &b)])
    }

    #[test]
    fn curves_lie_over_each_other_with_their_letters() {
        let line = |y: &[f64]| series(&[0.0, 1.0, 2.0], y, CurveStyle::Line);
        let found = both(Together::Over, line(&[1.0, 2.0, 3.0]), line(&[2.0, 2.0, 2.0])).unwrap();
        let Shape::Series(s) = &found.shape.shape else { panic!() };
        let names: Vec<&str> = s.curves.iter().map(|c| c.name.as_str()).collect();
        assert_eq!((names, found.summary.as_str()), (vec!["A", "B"], "A it is 3 mV; B it is 3 mV"));
        assert_eq!(found.key, "trace/a", "it is looked at as the pane itself");
        // Another unit is another axis.
        let Shape::Series(mut other) = line(&[1.0]) else { panic!() };
        other.y.unit = "nA".into();
        assert!(both(Together::Over, line(&[1.0]), Shape::Series(other)).is_none());
    }

    /// The difference of a curve to itself is zero; between samples it follows the line, on steps the step; where the
    /// other has no values there is none.
    #[test]
    fn differences_are_at_the_places_of_the_first() {
        let of = |a: Shape, b: Shape| {
            let found = both(Together::Less, a, b)?;
            let Shape::Series(s) = &found.shape.shape else { panic!() };
            Some((s.curves[0].x.clone(), s.curves[0].y.clone()))
        };
        let line = |x: &[f64], y: &[f64]| series(x, y, CurveStyle::Line);
        let a = line(&[0.0, 1.0, 2.0], &[1.0, 4.0, 9.0]);
        assert_eq!(of(a.clone(), a.clone()).unwrap().1, [0.0; 3]);
        let shifted = line(&[0.5, 1.5, 2.5], &[1.0, 3.0, 5.0]);
        assert_eq!(of(a.clone(), shifted).unwrap(), (vec![1.0, 2.0], vec![2.0 - 4.0, 4.0 - 9.0]));
        let steps = |x: &[f64], y: &[f64]| series(x, y, CurveStyle::Steps);
        let wide = steps(&[2.0, 4.0], &[10.0, 20.0]);
        assert_eq!(of(steps(&[1.0, 2.0, 3.0], &[0.0; 3]), wide.clone()).unwrap().1, [10.0, 10.0, 20.0]);
        let before = of(steps(&[-2.0, 0.0, 2.0], &[0.0; 3]), wide).unwrap();
        assert_eq!(before, (vec![2.0], vec![10.0]), "before the first step there is nothing");
        assert!(of(a, line(&[7.0, 8.0], &[1.0, 1.0])).is_none(), "they have no time in common");
    }

    #[test]
    fn numbers_of_both_stand_in_one_table() {
        let table = |value: f64| {
            let metric = Metric::new("exc.spikes", "rate", value, "Hz", 9);
            Shape::Scalars(Scalars::from_metrics(&[metric]))
        };
        assert!(both(Together::Less, table(10.0), table(25.0)).is_none(), "they are compared with their runs");
        let joint = both(Together::Over, table(10.0), table(25.0)).unwrap();
        let Shape::Scalars(s) = &joint.shape.shape else { panic!() };
        let names: Vec<&str> = s.rows.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["A exc.spikes rate", "B exc.spikes rate"]);
    }

    /// Bins of other widths lie over each other as counts for a unit, and are not subtracted.
    #[test]
    fn histograms_of_other_bins_are_not_subtracted() {
        let bins = |edges: &[f64], heights: &[f64]| {
            let (x, y) = (Axis::new("interval", "ms"), Axis::new("count", ""));
            let heights = vec![(String::new(), heights.to_vec())];
            Shape::Distribution(Distribution { x, y, edges: edges.to_vec(), heights, references: Vec::new() })
        };
        let (a, b) = (bins(&[0.0, 2.0, 4.0], &[6.0, 2.0]), bins(&[0.0, 1.0, 4.0], &[3.0, 3.0]));
        assert!(both(Together::Less, a.clone(), b.clone()).is_none());
        let found = both(Together::Over, a.clone(), b).unwrap();
        let Shape::Series(s) = &found.shape.shape else { panic!() };
        assert_eq!((s.curves[0].y.clone(), s.curves[1].y.clone()), (vec![3.0, 1.0], vec![3.0, 1.0]));
        assert_eq!(s.y.label, "count per ms");
        assert!(both(Together::Less, a.clone(), a).is_some());
    }

    #[test]
    fn planes_and_matrices_have_differences_and_no_overlay() {
        let image = |values: Vec<f64>| Shape::Image(Image { width: 2, height: 1, values, ..Image::default() });
        let found = both(Together::Less, image(vec![1.0, 2.0]), image(vec![4.0, 0.0])).unwrap();
        let Shape::Image(i) = &found.shape.shape else { panic!() };
        assert_eq!((&i.values[..], i.diverging), (&[3.0, -2.0][..], true));
        assert!(both(Together::Over, image(vec![1.0, 2.0]), image(vec![4.0, 0.0])).is_none());
        let wide = Shape::Image(Image { width: 1, height: 2, values: vec![0.0; 2], ..Image::default() });
        assert!(both(Together::Less, image(vec![1.0, 2.0]), wide).is_none());
    }
}
