//! Sections cut into compartments: areas, positions, and the axial resistances between them.
//!
//! Units of a tree are its compartments, section by section, and after them its nodes: the points without membrane at
//! which sections begin, end and meet. Resistances are stated for a resistivity of one ohm metre.

use super::section::{Section, Tree, distance};

/// How a section is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cut {
    /// So that no compartment is longer than this share of the length constant at a frequency (Hines and Carnevale
    /// 2001): `2 floor((L/(share lambda_f) + 0.9)/2) + 1` compartments.
    Lambda {
        /// Share of the length constant.
        share: f64,
        /// Frequency in Hz.
        frequency: f64,
    },
    /// No compartment longer than this (metres).
    Longest(f64),
    /// As many in every section.
    Count(usize),
}

impl Cut {
    /// Number of compartments of `section`, with resistivity (ohm metre) and capacitance per area (farad per square
    /// metre).
    pub fn count(self, section: &Section, resistivity: f64, capacitance: f64) -> usize {
        match self {
            Self::Count(n) => n.max(1),
            Self::Longest(longest) => ((section.length() / longest - 1e-9).ceil() as usize).max(1),
            Self::Lambda { share, frequency } => {
                // lambda_f = sqrt(d/(4 pi f R_a C_m)), each cone with its own diameter.
                let electrotonic = section.over_root_diameter()
                    * (4.0 * std::f64::consts::PI * frequency * resistivity * capacitance).sqrt();
                let n = 0.5 * (electrotonic / share + 0.9);
                if n.is_finite() && n >= 0.0 { (n as usize) * 2 + 1 } else { 1 }
            }
        }
    }
}

/// A tree cut into compartments. All lists of units have one entry a compartment, then one a node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Compartments {
    /// The sections.
    pub tree: Tree,
    /// First compartment of each section, and their number.
    pub ranges: Vec<(usize, usize)>,
    /// Number of compartments; the units after them are nodes.
    pub count: usize,
    /// Node at the beginning of each section, where it has one of its own or its parent's, and at its end.
    pub ends: Vec<(usize, usize)>,
    /// Area of the membrane in square metres; 0 for nodes.
    pub area: Vec<f64>,
    /// Diameter: of the cylinder of that area and length.
    pub diameter: Vec<f64>,
    /// Length; 0 for nodes.
    pub length: Vec<f64>,
    /// Path from the beginning of the root to the middle.
    pub distance: Vec<f64>,
    /// Positions of the middles.
    pub position: Vec<[f64; 3]>,
    /// Links along the tree.
    pub links: Vec<Link>,
}

/// A resistance between two units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// One unit.
    pub a: usize,
    /// The other.
    pub b: usize,
    /// `∫ dx/(cross-section)` inside `a` and inside `b`, per metre: times the resistivity of each it is a resistance.
    pub inside: [f64; 2],
    /// The compartment whose resistivity counts on each side.
    pub of: [usize; 2],
}

impl Compartments {
    /// Number of units: compartments and nodes.
    pub fn units(&self) -> usize {
        self.area.len()
    }

    /// Section of a compartment, or of the node's own.
    pub fn section_of(&self, unit: usize) -> usize {
        if unit < self.count {
            return self.ranges.partition_point(|r| r.0 + r.1 <= unit);
        }
        // The node at its far end, or, of the root, the first that begins there.
        let ends = || self.ends.iter();
        let far = ends().position(|e| e.1 == unit);
        far.or_else(|| ends().position(|e| e.0 == unit)).expect("a node is an end of a section")
    }

    /// The unit at `x` (0 to 1) of a section: a node at the ends, a compartment between.
    pub fn at(&self, section: usize, x: f64) -> usize {
        let (first, n) = self.ranges[section];
        if x <= 0.0 {
            self.ends[section].0
        } else if x >= 1.0 {
            self.ends[section].1
        } else {
            first + ((x * n as f64) as usize).min(n - 1)
        }
    }
}

/// A slice of a section between two path lengths: area, `∫ dx/(cross-section)`.
fn slice(section: &Section, from: f64, to: f64) -> (f64, f64) {
    let (mut start, mut area, mut inside) = (0.0, 0.0, 0.0);
    for w in section.points.windows(2) {
        let length = distance(w[0].at, w[1].at);
        let (a, b) = (from.max(start) - start, to.min(start + length) - start);
        if length > 0.0 && b > a {
            let radius = |x: f64| 0.5 * (w[0].diameter + (w[1].diameter - w[0].diameter) * (x / length));
            let (ra, rb, h) = (radius(a), radius(b), b - a);
            area += std::f64::consts::PI * (ra + rb) * (h * h + (rb - ra) * (rb - ra)).sqrt();
            inside += h / (std::f64::consts::PI * ra * rb);
        }
        start += length;
    }
    (area, inside)
}

/// The position at a path length.
fn point_at(section: &Section, path: f64) -> ([f64; 3], f64) {
    let mut start = 0.0;
    for w in section.points.windows(2) {
        let length = distance(w[0].at, w[1].at);
        if length > 0.0 && path <= start + length {
            let s = ((path - start) / length).clamp(0.0, 1.0);
            let mut at = w[0].at;
            (0..3).for_each(|k| at[k] += s * (w[1].at[k] - at[k]));
            return (at, w[0].diameter + s * (w[1].diameter - w[0].diameter));
        }
        start += length;
    }
    section.points.last().map_or(([0.0; 3], 0.0), |p| (p.at, p.diameter))
}

/// Cuts `tree`: `counts` compartments a section.
pub fn cut(tree: &Tree, counts: &[usize]) -> Compartments {
    let count: usize = counts.iter().sum();
    let starts = tree.starts();
    let mut out = Compartments { tree: tree.clone(), count, ..Compartments::default() };
    // `inside` of the first and the second half of each compartment.
    let mut halves: Vec<[f64; 2]> = Vec::with_capacity(count);
    for (s, &n) in tree.sections.iter().zip(counts) {
        let (first, whole) = (out.area.len(), s.length());
        out.ranges.push((first, n));
        let start = starts[out.ranges.len() - 1];
        for k in 0..n {
            let edge = |k: f64| whole * k / n as f64;
            let (from, middle, to) = (edge(k as f64), edge(k as f64 + 0.5), edge(k as f64 + 1.0));
            let (left, right) = (slice(s, from, middle), slice(s, middle, to));
            let area = left.0 + right.0;
            out.area.push(area);
            out.length.push(to - from);
            out.diameter.push(area / (std::f64::consts::PI * (to - from)));
            out.distance.push(start + middle);
            out.position.push(point_at(s, middle).0);
            halves.push([left.1, right.1]);
        }
    }
    let node = |out: &mut Compartments, section: usize, path: f64| {
        let (at, diameter) = point_at(&tree.sections[section], path);
        out.area.push(0.0);
        out.length.push(0.0);
        out.diameter.push(diameter);
        out.distance.push(starts[section] + path);
        out.position.push(at);
        out.area.len() - 1
    };
    for (k, s) in tree.sections.iter().enumerate() {
        let (first, n) = out.ranges[k];
        let begin = match s.parent {
            None => node(&mut out, k, 0.0),
            Some((p, x)) => out.at(p, x),
        };
        let end = node(&mut out, k, s.length());
        out.ends.push((begin, end));
        let last = first + n - 1;
        // A child on the middle of its parent's compartment begins at that middle.
        out.links.push(Link { a: begin, b: first, inside: [0.0, halves[first][0]], of: [first, first] });
        for c in first..last {
            out.links.push(Link { a: c, b: c + 1, inside: [halves[c][1], halves[c + 1][0]], of: [c, c + 1] });
        }
        out.links.push(Link { a: last, b: end, inside: [halves[last][1], 0.0], of: [last, last] });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::section::Point;
    use super::*;
    use std::f64::consts::PI;

    fn cylinder(name: &str, length: f64, diameter: f64, parent: Option<(usize, f64)>) -> Section {
        let points = vec![Point { at: [0.0; 3], diameter }, Point { at: [length, 0.0, 0.0], diameter }];
        Section { name: name.into(), region: name.into(), parent, points }
    }

    #[test]
    fn a_cylinder_keeps_its_area_and_resistance() {
        let tree = Tree { sections: vec![cylinder("a", 1e-3, 2e-6, None), cylinder("b", 5e-4, 1e-6, Some((0, 1.0)))] };
        let c = cut(&tree, &[5, 3]);
        assert_eq!((c.units(), c.count, c.links.len()), (8 + 3, 8, 6 + 4));
        assert!((c.area[..5].iter().sum::<f64>() - PI * 2e-6 * 1e-3).abs() < 1e-20);
        let r: f64 = c.links[..6].iter().map(|l| l.inside[0] + l.inside[1]).sum();
        assert!((r / (1e-3 / (PI * 1e-12)) - 1.0).abs() < 1e-12);
        assert_eq!((c.at(0, 1.0), c.at(1, 0.0)), (c.ends[0].1, c.ends[0].1));
        assert_eq!((c.at(0, 0.5), c.at(0, 0.7), c.section_of(6)), (2, 3, 1));
        assert!((c.distance[5] - (1e-3 + 5e-4 / 6.0)).abs() < 1e-15);
    }

    #[test]
    fn a_cone_has_the_area_of_a_cone_however_it_is_cut() {
        let points = vec![Point { at: [0.0; 3], diameter: 4e-6 }, Point { at: [0.0, 1e-4, 0.0], diameter: 1e-6 }];
        let tree = Tree { sections: vec![Section { name: "a".into(), region: "a".into(), parent: None, points }] };
        let exact = PI * (2e-6 + 0.5e-6) * (1e-8f64 + 1.5e-6 * 1.5e-6).sqrt();
        for n in [1, 3, 10] {
            let c = cut(&tree, &[n]);
            assert!((c.area.iter().sum::<f64>() / exact - 1.0).abs() < 1e-12);
            let r: f64 = c.links.iter().map(|l| l.inside[0] + l.inside[1]).sum();
            assert!((r / (1e-4 / (PI * 2e-6 * 0.5e-6)) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn d_lambda_counts_as_published() {
        // lambda_100 of 1 um, 100 ohm cm, 1 uF/cm2 is 1e5 sqrt(1/(4 pi 100 100 1)) = 282.09 um.
        let s = cylinder("a", 500e-6, 1e-6, None);
        let lambda = Cut::Lambda { share: 0.1, frequency: 100.0 };
        let by_formula = (0.5 * (500.0_f64 / (0.1 * 282.094_791_773_878_1) + 0.9)) as usize * 2 + 1;
        assert_eq!(lambda.count(&s, 1.0, 0.01), by_formula);
        assert_eq!((Cut::Longest(7.5e-6).count(&s, 1.0, 0.01), Cut::Count(4).count(&s, 1.0, 0.01)), (67, 4));
    }
}
