//! Sections: unbranched pieces of cable, and the tree that they make. Lengths in metres.

/// A point along a section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Position.
    pub at: [f64; 3],
    /// Diameter.
    pub diameter: f64,
}

/// An unbranched cable: truncated cones between points.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Name, unique in the tree.
    pub name: String,
    /// Region (`soma`, `axon`, `dendrite`, `apical`, or a name of the scenario's own).
    pub region: String,
    /// Section that it hangs on (always before it), and where, from 0 to 1.
    pub parent: Option<(usize, f64)>,
    /// At least two points of positive diameter, with a positive distance between the first and the last.
    pub points: Vec<Point>,
}

/// A tree of sections, parents before children; the first is the root.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    /// The sections.
    pub sections: Vec<Section>,
}

/// Distance of two points.
pub fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let [x, y, z] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    (x * x + y * y + z * z).sqrt()
}

impl Section {
    /// Path length.
    pub fn length(&self) -> f64 {
        self.points.windows(2).map(|w| distance(w[0].at, w[1].at)).sum()
    }

    /// Electrotonic measure of d_lambda: `∫ dx / sqrt(d)` with each cone's mean diameter, in square roots of metres
    /// (for a cylinder `L / sqrt(d)`), as NEURON's `lambda_f` sums it (Hines and Carnevale 2001,
    /// doi:10.1177/107385840100700207).
    pub fn over_root_diameter(&self) -> f64 {
        self.points
            .windows(2)
            .map(|w| distance(w[0].at, w[1].at) / (0.5 * (w[0].diameter + w[1].diameter)).sqrt())
            .sum()
    }
}

impl Tree {
    /// Path from the root's beginning to the beginning of each section.
    pub fn starts(&self) -> Vec<f64> {
        let lengths: Vec<f64> = self.sections.iter().map(Section::length).collect();
        let mut starts: Vec<f64> = Vec::with_capacity(self.sections.len());
        for s in &self.sections {
            starts.push(s.parent.map_or(0.0, |(p, x)| starts[p] + x * lengths[p]));
        }
        starts
    }
}
