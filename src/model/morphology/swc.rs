//! SWC files: one sample a line (`id type x y z radius parent`, micrometres), as neuromorpho.org and most tracing
//! programs write them (Cannon et al. 1998, doi:10.1016/S0165-0270(98)00091-0).

mod rows;

use std::collections::HashMap;
use std::ops::Range;

use self::rows::{Row, Rows};
use super::section::{Point, Section, Tree, distance};
use spikedeck_signal::{FileColumn, FileColumns};

const fn micrometres(name: &'static [&'static str], about: &'static str) -> FileColumn {
    FileColumn { names: name, unit: "um", required: true, about, ending: "" }
}

const fn whole(name: &'static [&'static str], about: &'static str) -> FileColumn {
    FileColumn { names: name, unit: "", required: true, about, ending: "" }
}

/// Columns of an SWC file, in this order where no heading names them.
pub static SWC: FileColumns = FileColumns {
    name: "SWC",
    about: "a morphology: one sample a line, words apart by blanks, commas or semicolons, in this order or as a \
            heading names them; `#` begins a comment",
    columns: &[
        whole(&["id", "n", "index", "sample"], "number of the sample"),
        whole(&["type", "label", "structure"], "1 soma, 2 axon, 3 basal dendrite, 4 apical dendrite, others by number"),
        micrometres(&["x"], "where it is"),
        micrometres(&["y"], "where it is"),
        micrometres(&["z"], "where it is"),
        micrometres(&["radius", "r"], "half the diameter"),
        whole(&["parent", "pid", "parent_id"], "number of the sample that it hangs on; -1 for the root"),
    ],
    others: None,
};

/// What a line has to be.
fn line_of_columns() -> String {
    let names: Vec<&str> = SWC.columns.iter().map(|c| c.names[0]).collect();
    format!("each line is `{}`", names.join(" "))
}

/// How the samples of type 1 are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Soma {
    /// One sample: a cylinder as long as wide, neurites at its middle. Three samples of the neuromorpho convention: the
    /// same. More: a section of cones like any other. A neurite begins at its own first sample.
    #[default]
    Neuron,
    /// Exactly three samples: the centre and two points one radius away; a cylinder as long as wide.
    ThreePoint,
    /// Cones between samples everywhere, also from the soma to the first sample of a neurite.
    AsSamples,
}

impl Soma {
    /// All, by the names that scenarios use.
    pub const LIST: [(&'static str, Self); 3] =
        [("neuron", Self::Neuron), ("three-point", Self::ThreePoint), ("as-samples", Self::AsSamples)];
}

/// Something wrong in a file: which bytes of its text, what, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

#[derive(Debug, Clone)]
struct Sample {
    id: i64,
    kind: i64,
    point: Point,
    parent: i64,
    span: Range<usize>,
    line: usize,
}

/// Reads the text of an SWC file. Diameters below `least` (metres) become `least`; without it they must be positive.
///
/// # Errors
/// Everything that is wrong: lines that are no samples, ids that are there twice, parents that are missing or come
/// later (or in a circle), several roots, diameters of zero, a soma that does not fit the reading.
pub fn read(text: &str, soma: Soma, least: Option<f64>) -> Result<Tree, Vec<Wrong>> {
    let rows = Rows::new(text).map_err(|w| vec![w])?;
    let mut wrong = Vec::new();
    let mut samples = Vec::new();
    for row in &rows.rows {
        match sample(row, &rows.places) {
            Ok(s) => samples.push(s),
            Err(w) => wrong.push(w),
        }
    }
    if samples.is_empty() && wrong.is_empty() {
        wrong.push(Wrong { span: 0..0, message: "this file has no samples".into(), help: line_of_columns() });
    }
    let parents = link(&samples, &mut wrong);
    if let Some(least) = least {
        for s in &mut samples {
            s.point.diameter = s.point.diameter.max(least);
        }
    }
    // Files without radii have none anywhere: one message tells of all.
    let mut thin = samples.iter().filter(|s| s.point.diameter <= 0.0);
    if let Some(s) = thin.next() {
        let others = thin.count();
        let others = if others == 0 { String::new() } else { format!(", and so have {others} others") };
        wrong.push(Wrong {
            span: s.span.clone(),
            message: format!("sample {} (line {}) has the radius {}{others}", s.id, s.line, s.point.diameter * 0.5e6),
            help: "a radius is above zero; `least_diameter = \"0.5 um\"` in the scenario replaces what is thinner"
                .into(),
        });
    }
    if !wrong.is_empty() {
        wrong.sort_by_key(|w| w.span.start);
        return Err(wrong);
    }
    sections(&samples, &parents, soma).map_err(|w| vec![w])
}

/// What is not as it stands in a file that can be read, with counts: columns that are not known, diameters that became
/// the `least`, and lengths that are probably not in micrometres.
pub fn notes(text: &str, least: Option<f64>) -> Vec<String> {
    let Ok(Rows { rows, places, unknown }) = Rows::new(text) else { return Vec::new() };
    let mut notes = Vec::new();
    let known = SWC.columns.len();
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(|w| format!("`{w}`")).collect();
        notes.push(format!(
            "columns {} of {} samples have no meaning here and are not used",
            names.join(", "),
            rows.len()
        ));
    }
    let most = known + unknown.len();
    let mut longer = rows.iter().filter(|row| row.words.len() > most);
    if let Some(first) = longer.next() {
        let (count, of) = (1 + longer.count(), rows.len());
        notes.push(format!(
            "{count} of {of} samples have more than {most} columns, and the others are not used: line {} has \
             `{}` there",
            first.line,
            first.words[most..].join(" ")
        ));
    }
    let radii: Vec<f64> = rows.iter().filter_map(|row| row.words.get(places[5])?.parse().ok()).collect();
    let thinner = least.map_or(0, |least| radii.iter().filter(|r| **r * 2e-6 < least).count());
    if thinner > 0 {
        notes.push(format!(
            "{thinner} of {} samples are thinner than `least_diameter` and are as thick as it",
            rows.len()
        ));
    }
    let thickest = radii.iter().copied().fold(0.0, f64::max);
    if !(THICKEST.0..=THICKEST.1).contains(&thickest) {
        notes.push(format!(
            "its thickest sample has a radius of {thickest} um: is this file in micrometres, as SWC files are?"
        ));
    }
    notes
}

/// Radii (micrometres) between which the thickest sample of a cell is: those of a thin branch, and of the giant axon of
/// the squid.
const THICKEST: (f64, f64) = (0.05, 500.0);

fn sample(row: &Row<'_>, places: &[usize; 7]) -> Result<Sample, Wrong> {
    let Row { line, span, words, starts } = row;
    let fail = |message: String| Wrong { span: span.clone(), message, help: line_of_columns() };
    let in_word = |k: usize, message: String| {
        let at = places[k];
        Wrong { span: starts[at]..starts[at] + words[at].len(), ..fail(message) }
    };
    if places.iter().any(|&at| at >= words.len()) {
        return Err(fail(format!("line {line} has {} columns, not seven", words.len())));
    }
    if words.len() > SWC.columns.len() && words.iter().any(|w| w.is_empty()) {
        return Err(fail(format!("line {line} has {} columns, and not all of them hold something", words.len())));
    }
    let own = places.map(|at| words[at]);
    let mut values = [0.0; 7];
    for (k, (v, w)) in values.iter_mut().zip(&own).enumerate() {
        *v = w
            .parse::<f64>()
            .ok()
            .filter(|v| v.is_finite())
            .ok_or_else(|| in_word(k, format!("line {line}: `{w}` is no number")))?;
    }
    for k in [0, 1, 6] {
        if values[k].fract() != 0.0 {
            return Err(in_word(k, format!("line {line}: `{}` is no whole number", own[k])));
        }
    }
    let point = Point { at: [values[2] * 1e-6, values[3] * 1e-6, values[4] * 1e-6], diameter: values[5] * 2e-6 };
    let [id, kind, .., parent] = values.map(|v| v as i64);
    Ok(Sample { id, kind, point, parent, span: span.clone(), line: *line })
}

/// Index of each sample's parent.
fn link(samples: &[Sample], wrong: &mut Vec<Wrong>) -> Vec<Option<usize>> {
    // A line that is no sample may be the parent of others: that it is wrong has been said.
    let is_whole = wrong.is_empty();
    let mut at: HashMap<i64, usize> = HashMap::new();
    for (k, s) in samples.iter().enumerate() {
        if let Some(&first) = at.get(&s.id) {
            wrong.push(Wrong {
                span: s.span.clone(),
                message: format!(
                    "sample {} is there twice: in line {} and in line {}",
                    s.id, samples[first].line, s.line
                ),
                help: "every sample has an id of its own".into(),
            });
        } else {
            at.insert(s.id, k);
        }
    }
    let parents: Vec<Option<usize>> =
        samples.iter().map(|s| at.get(&s.parent).copied().filter(|_| s.parent >= 0)).collect();
    let mut root: Option<usize> = None;
    for (k, s) in samples.iter().enumerate() {
        let mut say =
            |message: String, help: &str| wrong.push(Wrong { span: s.span.clone(), message, help: help.to_owned() });
        if s.parent < 0 {
            if let Some(first) = root {
                let message = format!(
                    "sample {} (line {}) is a second root; the first is in line {}",
                    s.id, s.line, samples[first].line
                );
                say(message, "a morphology is one tree: only one sample has the parent -1");
            }
            root = root.or(Some(k));
            continue;
        }
        match parents[k] {
            None if !is_whole => {}
            None => say(
                format!("sample {} (line {}) hangs on sample {}, which is not in this file", s.id, s.line, s.parent),
                "the parent of a sample is the id of a line before it, or -1",
            ),
            Some(p) if p >= k && in_circle(&parents, k) => say(
                format!("sample {} (line {}) is its own ancestor: its parents lead in a circle", s.id, s.line),
                "the parent of a sample is the id of a line before it, or -1",
            ),
            Some(p) if p >= k => say(
                format!(
                    "sample {} (line {}) comes before its parent {}, which is in line {}",
                    s.id, s.line, s.parent, samples[p].line
                ),
                "parents stand before their children",
            ),
            Some(_) => {}
        }
    }
    if root.is_none() && !samples.is_empty() && wrong.is_empty() {
        wrong.push(Wrong {
            span: samples[0].span.clone(),
            message: "no sample is the root".into(),
            help: "one sample has the parent -1".into(),
        });
    }
    parents
}

fn in_circle(parents: &[Option<usize>], k: usize) -> bool {
    let mut at = parents[k];
    for _ in 0..=parents.len() {
        match at {
            Some(p) if p == k => return true,
            Some(p) => at = parents[p],
            None => return false,
        }
    }
    false
}

fn region(kind: i64) -> String {
    match kind {
        1 => "soma".to_owned(),
        2 => "axon".to_owned(),
        3 => "dendrite".to_owned(),
        4 => "apical".to_owned(),
        other => format!("type{other}"),
    }
}

fn sections(samples: &[Sample], parents: &[Option<usize>], soma: Soma) -> Result<Tree, Wrong> {
    let bodies: Vec<usize> = (0..samples.len()).filter(|&k| samples[k].kind == 1).collect();
    let cylinder = body(samples, parents, &bodies, soma)?;
    let mut tree = Tree::default();
    // The section and the place on it that each sample became.
    let mut spot: Vec<Option<(usize, f64)>> = vec![None; samples.len()];
    if let Some(points) = cylinder {
        tree.sections.push(Section { name: String::new(), region: region(1), parent: None, points });
        for &k in &bodies {
            spot[k] = Some((0, 0.5));
        }
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); samples.len()];
    for (k, p) in parents.iter().enumerate() {
        if let Some(p) = p {
            children[*p].push(k);
        }
    }
    // A run begins at the root, after a branch, or where the type changes.
    let begins = |k: usize| match parents[k] {
        None => true,
        Some(p) => children[p].len() > 1 || samples[p].kind != samples[k].kind || spot[p].is_some(),
    };
    let mut starts: Vec<usize> = (0..samples.len()).filter(|&k| spot[k].is_none() && begins(k)).collect();
    starts.sort_unstable();
    for first in starts {
        let mut run = vec![first];
        while let [only] = children[run[run.len() - 1]][..]
            && samples[only].kind == samples[first].kind
            && spot[only].is_none()
        {
            run.push(only);
        }
        let mut points: Vec<Point> = Vec::new();
        let mut parent = None;
        if let Some(p) = parents[first] {
            parent = spot[p];
            let from_soma = samples[p].kind == 1 && samples[first].kind != 1 && soma != Soma::AsSamples;
            let (a, b) = (samples[p].point, samples[first].point);
            if !from_soma {
                points.push(a);
            } else if run.len() == 1 {
                // A neurite of one sample: from the soma's sample to it, as thick as itself.
                points.push(Point { at: a.at, diameter: b.diameter });
            }
        }
        points.extend(run.iter().map(|&k| samples[k].point));
        points.dedup_by(|b, a| distance(a.at, b.at) == 0.0);
        let index = tree.sections.len();
        if points.len() < 2 {
            if parents[first].is_none() && run.len() == 1 && !children[first].is_empty() {
                // A root that branches at once: its children begin there.
                spot[first] = None;
                continue;
            }
            return Err(Wrong {
                span: samples[first].span.clone(),
                message: format!(
                    "sample {} (line {}) stands alone: a section has at least two samples",
                    samples[first].id, samples[first].line
                ),
                help: "a soma of one sample is read with `soma = \"neuron\"`".into(),
            });
        }
        for &k in &run {
            spot[k] = Some((index, 1.0));
        }
        tree.sections.push(Section { name: String::new(), region: region(samples[first].kind), parent, points });
    }
    order(&mut tree);
    name(&mut tree);
    Ok(tree)
}

/// The soma as a cylinder as long as wide, where the reading makes it one.
fn body(
    samples: &[Sample],
    parents: &[Option<usize>],
    bodies: &[usize],
    soma: Soma,
) -> Result<Option<Vec<Point>>, Wrong> {
    let whole = |centre: Point, axis: usize| {
        let r = 0.5 * centre.diameter;
        [-r, 0.0, r]
            .map(|d| {
                let mut p = centre;
                p.at[axis] += d;
                p
            })
            .to_vec()
    };
    let three = || {
        let [c, a, b] = bodies else { return None };
        let (root, r) = (samples[*c].point, 0.5 * samples[*c].point.diameter);
        let star = parents[*a] == Some(*c) && parents[*b] == Some(*c);
        let close = |k: usize| (distance(samples[k].point.at, root.at) - r).abs() <= 0.05 * r + 1e-9;
        (star && close(*a) && close(*b)).then(|| whole(root, 1))
    };
    match (soma, bodies) {
        (Soma::AsSamples, _) | (Soma::Neuron, []) => Ok(None),
        (Soma::Neuron, [one]) => Ok(Some(whole(samples[*one].point, 0))),
        (Soma::Neuron, _) => Ok(three()),
        (Soma::ThreePoint, _) => match three() {
            Some(points) => Ok(Some(points)),
            None => Err(Wrong {
                span: bodies.first().map_or(0..0, |&k| samples[k].span.clone()),
                message: format!(
                    "`three-point` needs three samples of type 1, the centre and two one radius from it; this file has \
                     {} that do not fit",
                    bodies.len()
                ),
                help: "read the soma with `soma = \"neuron\"` or `soma = \"as-samples\"`".into(),
            }),
        },
    }
}

/// Roots that hang on nothing but the first section hang on its beginning.
fn order(tree: &mut Tree) {
    for k in 1..tree.sections.len() {
        if tree.sections[k].parent.is_none() {
            tree.sections[k].parent = Some((0, 0.0));
        }
    }
}

/// A region of one section gives it its name; the sections of others are numbered: `dendrite_0`, `dendrite_1`, ...
fn name(tree: &mut Tree) {
    let mut count: HashMap<String, usize> = HashMap::new();
    for s in &tree.sections {
        *count.entry(s.region.clone()).or_default() += 1;
    }
    let mut next: HashMap<String, usize> = HashMap::new();
    for s in &mut tree.sections {
        let n = next.entry(s.region.clone()).or_default();
        s.name = if count[&s.region] == 1 { s.region.clone() } else { format!("{}_{n}", s.region) };
        *n += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: &str = "# a soma, a dendrite that branches, an axon
1 1 0 0 0 10 -1
2 3 10 0 0 1 1
3 3 60 0 0 1 2
4 3 100 30 0 0.5 3
5 3 100 -30 0 0.5 3
6 2 -10 0 0 0.5 1
7 2 -110 0 0 0.5 6
";

    #[test]
    fn a_file_becomes_sections_with_names() {
        let tree = read(CELL, Soma::Neuron, None).unwrap();
        let names: Vec<&str> = tree.sections.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["soma", "dendrite_0", "dendrite_1", "dendrite_2", "axon"]);
        assert!((tree.sections[0].length() - 20e-6).abs() < 1e-15);
        assert_eq!(tree.sections[1].parent, Some((0, 0.5)));
        assert!((tree.sections[1].length() - 50e-6).abs() < 1e-12, "begins at its own first sample");
        assert_eq!((tree.sections[2].parent, tree.sections[3].parent), (Some((1, 1.0)), Some((1, 1.0))));
        assert!((tree.sections[2].length() - 50e-6).abs() < 1e-12);
        assert!((tree.sections[4].length() - 100e-6).abs() < 1e-12);
    }

    #[test]
    fn three_samples_are_a_cylinder_of_the_area_of_the_sphere() {
        let text = "1 1 0 0 0 10 -1\n2 1 0 -10 0 10 1\n3 1 0 10 0 10 1\n4 3 10 0 0 1 1\n5 3 50 0 0 1 4\n";
        for soma in [Soma::ThreePoint, Soma::Neuron] {
            let tree = read(text, soma, None).unwrap();
            assert_eq!(tree.sections.len(), 2);
            assert!((tree.sections[0].length() - tree.sections[0].points[0].diameter).abs() < 1e-15);
            assert_eq!(tree.sections[1].parent, Some((0, 0.5)));
        }
        // As samples they are two cones from the centre, and the dendrite begins there as well.
        let tree = read(text, Soma::AsSamples, None).unwrap();
        assert!((tree.sections.iter().map(Section::length).sum::<f64>() - 70e-6).abs() < 1e-12);
        assert!(read(CELL, Soma::ThreePoint, None).unwrap_err()[0].message.contains("three samples of type 1"));
    }

    #[test]
    fn what_is_not_used_is_told_with_counts() {
        let text = "# a b c d e f g h\n1 1 0 0 0 5 -1 0.5 x # i\n\n2 3 9 0 0 0.1 1\n3 3 20 0 0 0.2 2 7\n";
        assert!(read(text, Soma::Neuron, Some(0.3e-6)).is_ok());
        let told = notes(text, Some(0.3e-6));
        assert!(told[0].contains("2 of 3 samples have more than 7 columns") && told[0].contains("line 2 has `0.5 x`"));
        assert!(told[1].starts_with("1 of 3 samples are thinner"), "{told:?}");
        assert!(notes("1 1 0 0 0 5 -1\n2 3 9 0 0 1 1\n", Some(1e-6)).is_empty() && notes(CELL, None).is_empty());
    }

    /// One morphology however it is written; what is not micrometres, or may be something else, is said.
    #[test]
    fn separators_headings_and_ends_of_lines_do_not_matter() {
        let plain = "1 1 0 0 0 10 -1\n2 3 20.5 0 0 1 1\n3 3 120 0 0 1 2\n4 3 20 50 0 0.8 1\n";
        let tree = read(plain, Soma::Neuron, None).unwrap();
        let swap = |line: &str| {
            let mut words: Vec<&str> = line.split(' ').rev().collect();
            words.push("9\n");
            words.join(";")
        };
        let swapped: Vec<String> = plain.lines().map(swap).collect();
        let swapped = swapped.concat();
        for (text, notes_of) in [
            (plain.replace('\n', "\r"), 0),
            (plain.replace('\n', "\r\n"), 0),
            (plain.replace(' ', "\t"), 0),
            (plain.replace(' ', ","), 0),
            (plain.replace(' ', ", "), 0),
            (plain.replace(' ', ";"), 0),
            (format!("\u{feff}{plain}"), 0),
            (format!("id type x y z radius parent\n{plain}"), 0),
            (format!("# from a program\nN,Type,X,Y,Z,R,PID\n{}", plain.replace(' ', ",")), 0),
            (format!("parent;radius;z;y;x;type;id;depth\n{swapped}"), 1),
        ] {
            assert_eq!(read(&text, Soma::Neuron, None).as_ref(), Ok(&tree), "{text:?}");
            assert_eq!(notes(&text, None).len(), notes_of, "{text:?}: {:?}", notes(&text, None));
        }
        for (text, told) in [
            (format!("id type x y z diameter parent\n{plain}"), "names no column `radius`"),
            ("1,1,0,0,0,10,-1\n2,3,20,5,0,0,1,1\n".to_owned(), "line 2 has 8 words between commas, not 7"),
            ("1 1 0,5 0 0 10 -1\n".to_owned(), "line 1: `0,5` is no number"),
        ] {
            let wrong = read(&text, Soma::Neuron, None).unwrap_err();
            assert!(wrong[0].message.contains(told), "{text:?}: {wrong:?}");
        }
        for factor in [1e-3, 1e3] {
            let text = format!("1 1 0 0 0 {} -1\n2 3 {} 0 0 {} 1\n", 10.0 * factor, 50.0 * factor, factor);
            let told = notes(&text, None);
            assert!(told.len() == 1 && told[0].contains("is this file in micrometres"), "{told:?}");
        }
    }

    #[test]
    fn what_is_wrong_names_the_line() {
        let messages = |text: &str| {
            read(text, Soma::Neuron, None).unwrap_err().into_iter().map(|w| w.message).collect::<Vec<_>>().join("; ")
        };
        assert!(
            messages("1 1 0 0 0 5 -1\n1 3 9 0 0 1 1\n").contains("sample 1 is there twice: in line 1 and in line 2")
        );
        assert!(messages("1 1 0 0 0 5 -1\n2 3 9 0 0 1 7\n").contains("hangs on sample 7, which is not in this file"));
        // What hangs on a line that is no sample is not wrong by itself; all else is told with it.
        let broken = "1 1 0 0 0 5 -1\n2 3 9 0 oops 1 1\n3 3 9 9 0 1 2\n4 3 9 9 0 1 3\n";
        assert_eq!(messages(broken), "line 2: `oops` is no number");
        assert_eq!(messages("1 1 0 0 x 5 -1\n2 3 9 0 0 1 1\n"), "line 1: `x` is no number");
        let twice = messages(&format!("{broken}4 3 9 9 0 1 -1\n"));
        assert!(twice.contains("`oops` is no number; sample 4 is there twice"), "{twice}");
        assert!(messages("1 1 0 0 0 5 -1\n2 3 9 0 0 1 3\n3 3 9 9 0 1 2\n").contains("parents lead in a circle"));
        assert!(
            messages("1 1 0 0 0 5 -1\n2 3 9 0 0 1 3\n3 3 9 9 0 1 1\n")
                .contains("comes before its parent 3, which is in line 3")
        );
        assert!(messages("1 1 0 0 0 5 -1\n2 3 9 0 0 1 -1\n").contains("second root"));
        assert!(messages("1 1 0 0 0 5 -1\n2 3 9 0 0 0 1\n").contains("has the radius 0"));
        assert!(messages("1 1 0 0 0 5\n").contains("has 6 columns"));
        assert!(messages("1 1 0 zero 0 5 -1\n").contains("`zero` is no number"));
        assert!(read("1 1 0 0 0 5 -1\n2 3 9 0 0 0 1\n", Soma::Neuron, Some(1e-6)).is_ok());
    }
}
