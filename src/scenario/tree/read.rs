//! The shape of a tree: sections of the scenario, one cable, or an SWC file; cut into compartments.

use std::sync::Arc;

use super::coupling::{Coupling, Stated, axial};
use super::{COMPARTMENTS, SECTION, TreeShape, length};
use crate::files::FileUse;
use crate::language::Table;
use crate::resolver::{Resolver, suggest};
use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::Dimension;
use spikedeck_model::document::{Entry, Item, Node};
use spikedeck_model::morphology::swc::{self, Soma};
use spikedeck_model::morphology::{Cut, Point, Section, Tree, cut};
use spikedeck_model::report::SourceSpan;
use spikedeck_model::{Definition, built_in_morphology, morphologies};

/// Most compartments of one cell.
const LARGEST: usize = 1_000_000;

/// The keys that say what the tree is.
pub(crate) const SHAPES: [&str; 3] = ["sections", "cable", "morphology"];

/// What a population says of its tree.
struct Written<'n> {
    /// `sections`, `cable`, `morphology`.
    shapes: [Option<&'n Node>; 3],
    soma: Option<&'n Node>,
    least: Option<&'n Node>,
    compartments: Option<&'n Node>,
    held: Option<&'n Node>,
    threshold_at: Option<&'n Node>,
}

/// Reads what makes a population a tree; `None` where nothing does, or something is wrong.
pub(crate) fn read(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'_>,
    model: &Definition,
    at: &SourceSpan,
) -> Option<TreeShape> {
    let written = Written {
        shapes: SHAPES.map(|key| f.get(key)),
        soma: f.get("soma"),
        least: f.get("least_diameter"),
        compartments: f.get("compartments"),
        held: f.get("held"),
        threshold_at: f.get("threshold_at"),
    };
    let Some(shape) = written.shapes.iter().copied().flatten().next() else {
        written.refuse_without_shape(resolver, f, model, at);
        return None;
    };
    if let Some(second) = written.shapes.iter().copied().flatten().nth(1) {
        resolver.error(
            &second.place,
            "a tree is made of `sections`, of one `cable`, or of a `morphology`; here are two of them",
        );
    }
    for n in ["grid", "positions"].iter().filter_map(|key| f.get(key)) {
        resolver.error(&n.place, "a tree says already where its units are");
    }
    let coupling = Coupling::read(resolver, model, &shape.place)?;
    let tree = written.tree(resolver, f);
    let rule = how(resolver, written.compartments, &shape.place);
    let ((tree, own), rule) = (tree?, rule?);
    let counts = counts(resolver, &coupling, (&tree, &own, rule), Stated::of(f, model), &shape.place)?;
    let mut shape = TreeShape { compartments: Arc::new(cut(&tree, &counts)), spiking: Vec::new(), held: Vec::new() };
    written.watch(resolver, model, &mut shape);
    written.hold(resolver, coupling.dimension, &mut shape);
    Some(shape)
}

impl Written<'_> {
    /// What belongs to a tree, and there is none.
    fn refuse_without_shape(
        &self,
        resolver: &mut Resolver<'_>,
        f: &mut Table<'_>,
        model: &Definition,
        at: &SourceSpan,
    ) {
        let others = [self.soma, self.least, self.compartments, self.held, self.threshold_at];
        for n in others.iter().copied().flatten() {
            resolver.error_help(
                &n.place,
                "this belongs to a tree, and the population has no shape",
                "add `sections`, `cable` or `morphology`",
            );
        }
        if axial(model).is_some() && f.get("grid").is_none() {
            resolver.error_help(
                at,
                format!(
                    "`{}` has `axial` in its equations, and a population of points has nothing that is axial",
                    model.name
                ),
                "add `cable = { length = \"1 mm\", diameter = \"2 um\" }`, `sections` or `morphology`",
            );
        }
    }

    /// The sections, and into how many compartments those are cut that say so themselves.
    fn tree(&self, resolver: &mut Resolver<'_>, f: &mut Table<'_>) -> Option<(Tree, Vec<Option<usize>>)> {
        let [sections_node, cable, file] = self.shapes;
        let tree = if let Some(n) = sections_node {
            sections(resolver, n)
        } else if let Some(n) = cable {
            one_section(resolver, "cable", n, &[]).map(|(s, count)| (Tree { sections: vec![s] }, vec![count]))
        } else {
            let least = self.least.and_then(|n| length(resolver, n, "`least_diameter`"));
            let soma = f.word(resolver, "soma", "reading of the soma");
            file.and_then(|n| swc_file(resolver, n, soma, least)).map(|t| {
                let n = t.sections.len();
                (t, vec![None; n])
            })
        };
        if file.is_none() {
            for n in [self.soma, self.least].into_iter().flatten() {
                resolver.error(&n.place, "this says how a `morphology` is read, and there is none");
            }
        }
        tree
    }

    /// Where it spikes: in the middle of the first section, if no place is named.
    fn watch(&self, resolver: &mut Resolver<'_>, model: &Definition, shape: &mut TreeShape) {
        if let Some(n) = self.threshold_at {
            shape.spiking = shape.units_at(resolver, n);
            if matches!(&n.item, Item::List(list) if list.is_empty()) {
                resolver.error(&n.place, "this list of places is empty");
            }
        }
        // A threshold alone can be watched at an end as well; a reset needs parameters, which only compartments have.
        let p = model.system.parts();
        let resets = !p.reset.is_empty() || p.refractory.is_some();
        let at_node = shape.spiking.iter().any(|&u| u as usize >= shape.compartments.count);
        if let Some(n) = self.threshold_at.filter(|_| resets && at_node) {
            resolver.error_help(
                &n.place,
                "a model with a reset spikes in a compartment; the end of a section has no membrane",
                "write a place inside, such as `soma(0.5)` or `axon(0.99)`",
            );
        }
        shape.spiking.sort_unstable();
        shape.spiking.dedup();
        if shape.spiking.is_empty() {
            shape.spiking = vec![shape.compartments.at(0, 0.5) as u32];
        }
    }

    /// Places whose voltage is held, and at which values.
    fn hold(&self, resolver: &mut Resolver<'_>, dimension: Dimension, shape: &mut TreeShape) {
        let held = self.held.map_or(&[][..], |n| {
            n.entries().unwrap_or_else(|| {
                resolver.error_help(
                    &n.place,
                    format!("`held` is a table of places, not {}", n.what()),
                    "write `held = { \"soma(0.5)\" = \"-65 mV\" }`",
                );
                &[]
            })
        });
        for e in held {
            let named = Node { place: e.place.clone(), item: Item::Text(e.key.clone()) };
            if let Some(v) = resolver.quantity(&e.value, dimension, "the value that is held") {
                shape.held.extend(shape.units_at(resolver, &named).into_iter().map(|u| (u, v)));
            }
        }
    }
}

/// Into how many compartments each section is cut.
fn counts(
    resolver: &mut Resolver<'_>,
    coupling: &Coupling,
    (tree, own, rule): (&Tree, &[Option<usize>], Cut),
    stated: Stated<'_, '_>,
    at: &SourceSpan,
) -> Option<Vec<usize>> {
    let of = |(section, own): (&Section, &Option<usize>)| {
        own.unwrap_or_else(|| {
            let (resistivity, capacitance) = coupling.electric(&stated, section);
            rule.count(section, resistivity, capacitance)
        })
    };
    let counts: Vec<usize> = tree.sections.iter().zip(own).map(of).collect();
    let all = counts.iter().sum::<usize>();
    if all > LARGEST {
        resolver.error(at, format!("this tree would have {all} compartments; at most {LARGEST} are possible"));
        return None;
    }
    Some(counts)
}

/// `{ d_lambda = 0.1, frequency = "100 Hz" }`, `{ longest = "10 um" }` or `{ per_section = 11 }`.
fn how(resolver: &mut Resolver<'_>, node: Option<&Node>, at: &SourceSpan) -> Option<Cut> {
    let nothing = Node { place: at.clone(), item: Item::Table(Vec::new()) };
    let node = node.unwrap_or(&nothing);
    let mut f = Table::of(resolver, node, "`compartments`", &[])?;
    for section in COMPARTMENTS.others {
        f.with(section.keys);
    }
    let bounds = f.key("d_lambda").bounds();
    let share = f.get("d_lambda").map(|n| resolver.number(n, "`d_lambda`", bounds));
    let frequency = f.get("frequency").map(|n| resolver.quantity(n, Dimension::HERTZ, "`frequency`"));
    let longest = f.get("longest").map(|n| length(resolver, n, "`longest`"));
    let least = f.key("per_section").least();
    let count = f.get("per_section").map(|n| resolver.whole(n, "`per_section`", least));
    let standard = (f.default_number("d_lambda"), f.default_number("frequency"));
    f.finish(resolver);
    if [share.is_some() || frequency.is_some(), longest.is_some(), count.is_some()].iter().filter(|x| **x).count() > 1 {
        resolver.error(&node.place, "compartments are cut by `d_lambda`, by `longest` or by `per_section`; choose one");
        return None;
    }
    match (longest, count) {
        (Some(v), _) => v.map(Cut::Longest),
        (_, Some(n)) => n.map(|n| Cut::Count(n as usize)),
        _ => Some(Cut::Lambda {
            share: share.unwrap_or(Some(standard.0))?,
            frequency: frequency.unwrap_or(Some(standard.1))?,
        }),
    }
}

/// `[populations.NAME.sections.SECTION]`, parents found whatever their order.
fn sections(resolver: &mut Resolver<'_>, node: &Node) -> Option<(Tree, Vec<Option<usize>>)> {
    let before = resolver.report.errors();
    let Some(entries) = node.entries() else {
        resolver.error_help(
            &node.place,
            format!("`sections` holds one table a section, not {}", node.what()),
            "write `sections.soma = { ... }`",
        );
        return None;
    };
    let mut left: Vec<&Entry> = entries.iter().collect();
    let (mut tree, mut counts) = (Tree::default(), Vec::new());
    let names: Vec<&str> = entries.iter().map(|e| e.key.as_str()).collect();
    while !left.is_empty() {
        let known: Vec<String> = tree.sections.iter().map(|s: &Section| s.name.clone()).collect();
        let ready = left.iter().position(|e| match e.value.get("parent").and_then(Node::as_text) {
            None => true,
            Some(p) => {
                let name = p.split('(').next().unwrap_or("").trim();
                known.iter().any(|k| k == name) || !names.contains(&name)
            }
        });
        let Some(ready) = ready else {
            let list: Vec<&str> = left.iter().map(|e| e.key.as_str()).collect();
            resolver
                .error(&left[0].place, format!("these sections hang on each other in a circle: {}", list.join(", ")));
            return None;
        };
        let e = left.remove(ready);
        crate::check_name(resolver, &e.key, &e.place, "section");
        if let Some((section, count)) = one_section(resolver, &e.key, &e.value, &tree.sections) {
            if section.parent.is_none() && !tree.sections.is_empty() {
                resolver.error_help(
                    &e.place,
                    format!(
                        "section `{}` hangs on nothing, and `{}` is the root already",
                        e.key, tree.sections[0].name
                    ),
                    format!("add `parent = \"{}(1)\"`", tree.sections[0].name),
                );
            }
            tree.sections.push(section);
            counts.push(count);
        } else if e.value.get("parent").is_none() {
            return None;
        }
    }
    if entries.is_empty() {
        resolver.error(&node.place, "a tree has at least one section");
    }
    (resolver.report.errors() == before).then_some((tree, counts))
}

/// One section of a scenario, with its own number of compartments if it states one. Sections lie along x.
fn one_section(
    resolver: &mut Resolver<'_>,
    name: &str,
    node: &Node,
    known: &[Section],
) -> Option<(Section, Option<usize>)> {
    let mut f = Table::of(resolver, node, format!("section `{name}`"), SECTION.keys)?;
    let whole = f.require(resolver, "length").and_then(|n| length(resolver, n, "`length`"));
    let diameters = f.require(resolver, "diameter").and_then(|n| match &n.item {
        Item::List(list) if list.len() >= 2 => {
            list.iter().map(|d| length(resolver, d, "`diameter`")).collect::<Option<Vec<f64>>>()
        }
        Item::List(_) => {
            resolver.error(
                &n.place,
                "a section that tapers has two diameters or more, evenly spaced: `[\"2 um\", \"1 um\"]`",
            );
            None
        }
        _ => length(resolver, n, "`diameter`").map(|d| vec![d, d]),
    });
    let region = f
        .get("region")
        .and_then(|n| resolver.text(n, "`region`").map(str::to_owned))
        .unwrap_or_else(|| name.to_owned());
    let least = f.key("compartments").least();
    let count = f.get("compartments").and_then(|n| resolver.whole(n, "`compartments`", least)).map(|n| n as usize);
    let parent = match f.get("parent") {
        None => None,
        Some(n) => {
            let text = resolver.text(n, "`parent`")?.trim().to_owned();
            let (parent, x) =
                text.split_once('(').map_or((text.as_str(), "1"), |(p, x)| (p.trim(), x.trim_end_matches(')').trim()));
            let Some(index) = known.iter().position(|s| s.name == parent) else {
                let help = suggest(parent, known.iter().map(|s| s.name.as_str()));
                resolver.error_help(
                    &n.place,
                    format!("section `{name}` hangs on `{parent}`, which is not there"),
                    help,
                );
                return None;
            };
            let Some(x) = x.parse::<f64>().ok().filter(|x| (0.0..=1.0).contains(x)) else {
                resolver.error_help(
                    &n.place,
                    format!("`{text}` is no place on section `{parent}`"),
                    "write `parent = \"soma(0.5)\"`, from 0 to 1",
                );
                return None;
            };
            Some((index, x))
        }
    };
    f.finish(resolver);
    let (whole, diameters) = (whole?, diameters?);
    let start = parent.map_or([0.0; 3], |(p, x)| {
        let points = &known[p].points;
        let (a, b) = (points[0].at, points[points.len() - 1].at);
        [0, 1, 2].map(|k| a[k] + x * (b[k] - a[k]))
    });
    let n = (diameters.len() - 1) as f64;
    let points = diameters
        .iter()
        .enumerate()
        .map(|(k, &diameter)| Point { at: [start[0] + whole * k as f64 / n, start[1], start[2]], diameter })
        .collect();
    Some((Section { name: name.to_owned(), region, parent, points }, count))
}

/// The tree in the SWC file that `node` names: beside the scenario, or built in.
fn swc_file(resolver: &mut Resolver<'_>, node: &Node, soma: Soma, least: Option<f64>) -> Option<Tree> {
    let name = resolver.text(node, "`morphology`")?.to_owned();
    let path = resolver.path(&name);
    let beside = match resolver.files.text(&path) {
        Ok(text) => text,
        Err(error) => {
            resolver.error(&node.place, error.to_string());
            return None;
        }
    };
    if let Some(text) = &beside {
        resolver.uses(FileUse::of(&path, text.as_bytes()));
    }
    let (shown, text) = match (beside, built_in_morphology(&name)) {
        (Some(text), _) => (path.display().to_string(), text),
        (None, Some(text)) => (format!("data/morphologies/{name}"), text.to_owned()),
        (None, None) => {
            let help = format!(
                "relative paths start from the folder of the scenario file; built in are: {}",
                morphologies().join(", ")
            );
            resolver.error_help(&node.place, format!("there is no morphology {}", path.display()), help);
            return None;
        }
    };
    match swc::read(&text, soma, least) {
        Ok(tree) => {
            for note in swc::notes(&text, least) {
                resolver.report.put(&node.place, Diagnostic::warning(note, 0..0));
            }
            Some(tree)
        }
        Err(wrong) => {
            let index = resolver.report.text(shown, text.as_str());
            for w in wrong {
                resolver.error_help(&SourceSpan { text: index, span: w.span }, w.message, w.help);
            }
            None
        }
    }
}
