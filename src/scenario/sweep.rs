//! `[variants]`, `[sweep]`: what is varied.

use super::design::{MOST_SOBOL_AXES, drawn};
use super::language::{Key, Of, Others, Range, Section, Table, Takes, Words as _};
use super::overrides::{adds_entry, check_path, segments};
use super::plan::written;
use super::resolver::Resolver;
use super::spec::{Design, Redraws, Sweep, Trials};
use spikedeck_core::number::count;
use spikedeck_core::units::short;
use spikedeck_model::document::{Item, Node};
use spikedeck_model::report::SourceSpan;

/// `[variants.NAME]`.
pub(super) static VARIANT: Section = Section::open(
    "variants",
    "named overrides, run as `SCENARIO:NAME`",
    &[],
    Others {
        about: "a path, bare (its table is merged) or in quotes: `\"populations.exc.parameters.tau_m\"`",
        takes: Takes::Anything("the value that stands there instead"),
        parameters_of: None,
    },
);

/// `[sweep]`.
pub(super) static SWEEP: Section = Section::new(
    "sweep",
    "what is run for several values: the product of the axes, with several seeds",
    &[
        Key::optional("axes", Takes::Open(&AXES), "none", "the axes, by the path that each varies"),
        Key::default("seeds", Takes::Whole, "1", "seeds of each point: `simulation.seed`, seed + 1, ...")
            .range(Range::From(1.0)),
        Key::default("design", Takes::Choice(Design::WORDS), "product", "how the values of the axes make points"),
        Key::optional("points", Takes::Whole, "none", "number of combinations, where a design draws them")
            .range(Range::From(1.0)),
        Key::default("redraws", Takes::Choice(Redraws::WORDS), "all", "what another seed draws anew"),
    ],
);

/// `[trials]`.
pub(super) static TRIALS: Section = Section::new(
    "trials",
    "trials of one network: connections and drawn values stay, noise is drawn anew in each",
    &[
        Key::default("count", Takes::Whole, "1", "number of trials, of each condition where there are axes")
            .range(Range::From(1.0)),
        Key::optional("axes", Takes::Open(&AXES), "one condition", "what differs between conditions, by path"),
    ],
);

static AXES: Others = Others {
    about: "a path in quotes, such as `\"populations.exc.parameters.tau_m\"`",
    takes: Takes::Either(&[
        Takes::Anything("a list of values"),
        Takes::Table(&LISTED),
        Takes::Table(&SPACED),
        Takes::Table(&DRAWN),
    ]),
    parameters_of: None,
};

static LISTED: Section = Section::new(
    "axis",
    "listed values of an axis",
    &[Key::required(
        "values",
        Takes::Anything("a list of values"),
        "[\"10 ms\", \"20 ms\"]",
        "the values, as the path takes them",
    )],
);

static SPACED: Section = Section::new(
    "axis",
    "evenly spaced values of an axis, both ends included",
    &[
        Key::required("from", WRITTEN, "10 ms", "first value"),
        Key::required("to", WRITTEN, "30 ms", "last value, in the unit of the first"),
        Key::required("steps", Takes::Whole, "21", "number of values").range(Range::From(2.0)),
        Key::default("log", Takes::Flag, "false", "evenly spaced in ratio; both ends are above zero"),
    ],
);

static DRAWN: Section = Section::new(
    "axis",
    "the ends of an axis, between which a design draws values",
    &[
        Key::required(
            "from",
            WRITTEN,
            "10 ms",
            "one end; between whole numbers whole numbers are drawn (`0.0` is none)",
        ),
        Key::required("to", WRITTEN, "30 ms", "the other, in the unit of the first"),
        Key::default("log", Takes::Flag, "false", "drawn evenly in ratio; both ends are above zero"),
    ],
);

const WRITTEN: Takes = Takes::Quantity(Of::Said("that of what is varied"));

/// Checks `[variants]`: every path leads somewhere. The values are checked when the variant is chosen.
pub(super) fn variants(resolver: &mut Resolver<'_>, root: &Node) -> Vec<String> {
    let Some(node) = root.get("variants") else { return Vec::new() };
    let Some(entries) = node.entries() else {
        resolver.error(&node.place, format!("`variants` holds one table a variant, not {}", node.what()));
        return Vec::new();
    };
    for e in entries {
        super::check_name(resolver, &e.key, &e.place, "variant");
        match e.value.entries() {
            Some(paths) => {
                for p in paths.iter().filter(|p| p.key.contains('.') && !adds_entry(&p.key, &p.value)) {
                    check_path(&mut resolver.report, root, &p.key, &p.place);
                }
            }
            None => resolver.error_help(
                &e.value.place,
                format!("variant `{}` is a table of overrides", e.key),
                "write `\"populations.exc.parameters.tau_m\" = \"30 ms\"`",
            ),
        }
    }
    entries.iter().map(|e| e.key.clone()).collect()
}

/// Reads `[sweep]`.
pub(super) fn sweep(resolver: &mut Resolver<'_>, root: &Node, node: &Node, seed: u64) -> Option<Sweep> {
    let mut f = Table::of(resolver, node, "`[sweep]`", SWEEP.keys)?;
    let seeds = f.whole(resolver, "seeds");
    let redraws: Redraws = f.word(resolver, "redraws", "part of what is drawn");
    let design: Design = f.word(resolver, "design", "design of a sweep");
    let least = f.key("points").least();
    let points = f.get("points").map(|n| (n, resolver.whole(n, "`points`", least)));
    let axes_node = f.get("axes");
    f.finish(resolver);
    let axes = match design {
        Design::Product | Design::Zip => {
            if let Some((node, _)) = points {
                let why = format!("`points` is of designs that draw them, and `{}` does not", design.word());
                resolver.error(&node.place, why);
            }
            axes(resolver, root, axes_node)
        }
        Design::Random | Design::LatinHypercube | Design::Sobol => {
            let Some(points) = points.map(|p| p.1) else {
                let why = format!("`design = \"{}\"` draws points: `points` says how many", design.word());
                resolver.error(&node.place, why);
                return None;
            };
            drawn_axes(resolver, root, (axes_node, &node.place), (design, seed, points?))?
        }
    };
    set_by_the_plan(resolver, root, axes_node, &|written, key| {
        (key == redraws.key()).then(|| {
            (
                format!("`{written}` is set for each point by the seeds of the sweep"),
                format!("for N seeds from S on write `seeds = N` in [sweep] and `{key} = S` in [simulation]"),
            )
        })
    });
    let sweep = Sweep { axes, seeds: seeds as u32, redraws, design };
    if design == Design::Zip
        && let Some(other) = sweep.axes.iter().find(|a| a.1.len() != sweep.axes[0].1.len())
    {
        let (first, one, two) = (&sweep.axes[0].0, sweep.axes[0].1.len(), other.1.len());
        let why = format!("`zip` takes axes of one length; `{first}` has {one} values and `{}` has {two}", other.0);
        resolver.error(&axes_node.unwrap_or(node).place, why);
        return None;
    }
    few_enough(resolver, &node.place, "the sweep", seeds.max(1).saturating_mul(sweep.combinations()))?;
    Some(sweep)
}

/// The axes of a design that draws `points` values between the ends of each.
fn drawn_axes(
    resolver: &mut Resolver<'_>,
    root: &Node,
    (node, place): (Option<&Node>, &SourceSpan),
    (design, seed, points): (Design, u64, u64),
) -> Option<Vec<(String, Vec<String>)>> {
    let Some(node) = node.filter(|n| n.entries().is_none_or(|e| !e.is_empty())) else {
        let why = format!("`design = \"{}\"` draws points, and there are no axes to draw them on", design.word());
        resolver.error(place, why);
        return None;
    };
    let Some(entries) = node.entries() else {
        resolver.error(&node.place, format!("`axes` is a table of paths, not {}", node.what()));
        return None;
    };
    if points > MOST_POINTS {
        too_many(resolver, &node.place, "the sweep", points);
        return None;
    }
    if design == Design::Sobol && entries.len() > MOST_SOBOL_AXES {
        let why = format!("a Sobol sequence has at most {MOST_SOBOL_AXES} axes here; `latin_hypercube` has any number");
        resolver.error(&node.place, why);
        return None;
    }
    let places = drawn(design, seed, entries.len(), points);
    let mut axes = Vec::new();
    for (at, e) in entries.iter().enumerate() {
        if !check_path(&mut resolver.report, root, &e.key, &e.place) {
            continue;
        }
        let Some(mut f) = Table::of(resolver, &e.value, "an axis of a design that draws values", DRAWN.keys) else {
            continue;
        };
        let ends = Ends::read(resolver, &mut f);
        f.finish(resolver);
        if let Some(ends) = ends {
            axes.push((e.key.clone(), places.iter().map(|place| ends.drawn(place[at])).collect()));
        }
    }
    Some(axes)
}

/// Reads `[trials]`.
pub(super) fn trials(resolver: &mut Resolver<'_>, root: &Node, node: &Node) -> Option<Trials> {
    let mut f = Table::of(resolver, node, "`[trials]`", TRIALS.keys)?;
    let count = f.whole(resolver, "count");
    let node_of_axes = f.get("axes");
    let axes = axes(resolver, root, node_of_axes);
    f.finish(resolver);
    // A condition is set after the seed of its point: other seeds would be the same trials under another name.
    let redrawn = root.get("sweep").and_then(seeded).map(Redraws::key);
    set_by_the_plan(resolver, root, node_of_axes, &|written, key| {
        (Some(key) == redrawn).then(|| {
            (
                format!("`{written}` is what the seeds of the sweep draw anew, and each condition would set it again"),
                "leave out `seeds` in [sweep], or say with `redraws` that they draw something else".to_owned(),
            )
        })
    });
    let of_the_sweep: Vec<Vec<String>> = root
        .get("sweep")
        .map_or_else(Vec::new, |sweep| paths(sweep.get("axes")).into_iter().map(|(path, _, _)| path).collect());
    for (path, written, place) in paths(node_of_axes) {
        if of_the_sweep.contains(&path) {
            resolver.error_help(
                place,
                format!("`{written}` is an axis of the sweep already"),
                "a value is varied by the sweep or between trials, not by both",
            );
        }
    }
    let conditions = axes.iter().fold(count.max(1), |product, axis| product.saturating_mul(axis.1.len() as u64));
    few_enough(resolver, &node.place, "`[trials]`", conditions)?;
    Some(Trials { axes, count: count as u32 })
}

/// The paths of axes, each by its parts, as written, and where.
fn paths(axes: Option<&Node>) -> Vec<(Vec<String>, &str, &SourceSpan)> {
    let entries = axes.and_then(Node::entries).unwrap_or_default();
    entries.iter().map(|e| (segments(&e.key), e.key.as_str(), &e.place)).collect()
}

/// What the seeds of a `[sweep]` draw anew, where there are several; what is wrong with it is told elsewhere.
fn seeded(sweep: &Node) -> Option<Redraws> {
    let several = matches!(sweep.get("seeds").map(|n| &n.item), Some(Item::Integer(n)) if *n > 1);
    let redraws = match sweep.get("redraws").map(|n| &n.item) {
        Some(Item::Text(word)) => Redraws::of(word)?,
        _ => Redraws::All,
    };
    several.then_some(redraws)
}

/// What is to be said of an axis as it is written over this key of `[simulation]`, and what helps.
type OfSeeds<'a> = dyn Fn(&str, &str) -> Option<(String, String)> + 'a;

/// Refuses axes over what a plan of points sets itself, or what no point has: such an axis would be without effect.
fn set_by_the_plan(resolver: &mut Resolver<'_>, root: &Node, axes: Option<&Node>, of_seeds: &OfSeeds<'_>) {
    let mut seen: Vec<Vec<String>> = Vec::new();
    for (path, written, place) in paths(axes) {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        let told = match parts[..] {
            ["simulation", "trial"] if root.get("trials").is_some() => Some((
                format!("`{written}` is set for each trial"),
                "the first trial is `trial` in [simulation], and `count` in [trials] says how many follow".to_owned(),
            )),
            [table @ ("sweep" | "trials" | "variants"), ..] => Some((
                format!("`{written}` is no value of a point: [{table}] makes the points"),
                "vary what a simulation has: `populations.exc.parameters.tau_m`".to_owned(),
            )),
            ["simulation", key] if of_seeds(written, key).is_some() => of_seeds(written, key),
            _ if seen.contains(&path) => Some((
                format!("`{written}` is an axis already, written in another way"),
                "an axis stands once".to_owned(),
            )),
            _ => None,
        };
        if let Some((message, help)) = told {
            resolver.error_help(place, message, help);
        }
        seen.push(path);
    }
}

/// The axes of a sweep or of trials; what is wrong is reported.
fn axes(resolver: &mut Resolver<'_>, root: &Node, node: Option<&Node>) -> Vec<(String, Vec<String>)> {
    let mut axes = Vec::new();
    if let Some(n) = node {
        for e in n.entries().unwrap_or_default() {
            if !check_path(&mut resolver.report, root, &e.key, &e.place) {
                continue;
            }
            if let Some(values) = axis(resolver, &e.value) {
                axes.push((e.key.clone(), values));
            }
        }
        if n.entries().is_none() {
            resolver.error(&n.place, format!("`axes` is a table of paths, not {}", n.what()));
        }
    }
    axes
}

/// None, with an error, where there are more points than can be held.
fn few_enough(resolver: &mut Resolver<'_>, place: &SourceSpan, what: &str, points: u64) -> Option<()> {
    if points > MOST_POINTS {
        too_many(resolver, place, what, points);
        return None;
    }
    Some(())
}

/// Most points of a sweep: each is a scenario of its own in memory.
const MOST_POINTS: u64 = 1_000_000;

fn too_many(resolver: &mut Resolver<'_>, place: &SourceSpan, what: &str, points: u64) {
    resolver.error_help(
        place,
        format!("{what} has {} points, and {} is the most", count(points), count(MOST_POINTS)),
        "fewer steps, fewer axes or fewer seeds; several scenarios may share the work",
    );
}

/// Values of one axis as TOML text: a list, or `{ from, to, steps }` evenly spaced (`log = true`: in ratio).
fn axis(resolver: &mut Resolver<'_>, node: &Node) -> Option<Vec<String>> {
    if let Item::List(list) = &node.item {
        if list.is_empty() {
            resolver.error(&node.place, "an axis without values");
            return None;
        }
        return Some(list.iter().map(Node::to_toml).collect());
    }
    let listed = node.get("values").is_some();
    let mut f = Table::of(resolver, node, "a sweep axis", if listed { LISTED.keys } else { SPACED.keys })?;
    if let Some(values) = node.get("values") {
        let Item::List(list) = &values.item else {
            resolver.error(&values.place, format!("`values` is a list, not {}", values.what()));
            return None;
        };
        f.finish(resolver);
        if list.is_empty() {
            resolver.error(&values.place, "an axis without values");
            return None;
        }
        return Some(list.iter().map(Node::to_toml).collect());
    }
    let ends = Ends::read(resolver, &mut f);
    let least = f.key("steps").least();
    let steps = f.require(resolver, "steps").and_then(|n| resolver.whole(n, "`steps`", least));
    f.finish(resolver);
    let (ends, steps) = (ends?, steps?);
    if steps > MOST_POINTS {
        too_many(resolver, &node.place, "this axis", steps);
        return None;
    }
    Some((0..steps).map(|k| ends.at(k as f64 / (steps - 1) as f64)).collect())
}

/// The two ends of an axis, as they are written.
struct Ends {
    from: f64,
    to: f64,
    unit: String,
    log: bool,
    /// Whether both are whole numbers.
    whole: bool,
}

impl Ends {
    /// Reads `from`, `to` and `log`.
    fn read(resolver: &mut Resolver<'_>, f: &mut Table<'_>) -> Option<Self> {
        let (from_node, to_node) = (f.require(resolver, "from"), f.require(resolver, "to"));
        let log = f.flag(resolver, "log");
        let (from, unit) = written(resolver, from_node?)?;
        let (to, other) = written(resolver, to_node?)?;
        let to_place = &to_node?.place;
        if unit != other {
            resolver.error(to_place, format!("`from` and `to` are written in one unit; here `{unit}` and `{other}`"));
            return None;
        }
        if log && (from <= 0.0 || to <= 0.0) {
            resolver.error(to_place, "an axis in ratio (`log = true`) is above zero");
            return None;
        }
        let is_whole = |n: Option<&Node>| n.is_some_and(|n| matches!(n.item, Item::Integer(_)));
        Some(Self { from, to, unit, log, whole: is_whole(from_node) && is_whole(to_node) })
    }

    /// The value a part `s` of the way, as TOML text.
    fn at(&self, s: f64) -> String {
        self.text(self.value(s))
    }

    /// The same of a drawn part: between whole numbers whole numbers are drawn, each as often as the others.
    fn drawn(&self, s: f64) -> String {
        let Self { from, to, log, whole, .. } = self;
        match (*whole, *log) {
            (true, false) => {
                let (low, high) = (from.min(*to), from.max(*to));
                self.text((low + (high - low + 1.0) * s).floor())
            }
            (true, true) => self.text(self.value(s).round()),
            (false, _) => self.text(self.value(s)),
        }
    }

    fn value(&self, s: f64) -> f64 {
        let Self { from, to, log, .. } = self;
        match s {
            0.0 => *from,
            1.0 => *to,
            _ if *log => from * (to / from).powf(s),
            _ => from + (to - from) * s,
        }
    }

    fn text(&self, v: f64) -> String {
        let Self { unit, whole, .. } = self;
        let number = short(v);
        if !unit.is_empty() {
            format!("\"{number} {unit}\"")
        } else if number.contains(['.', 'e']) || *whole {
            // Whole-number axes stay whole where they can (sizes, in-degrees).
            number
        } else {
            format!("{number}.0")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Catalog, NoFiles, Overrides, load};
    use spikedeck_model::library;

    /// What is said of a scenario with these lines.
    fn told(lines: &str) -> Result<(), String> {
        let text = format!(
            "[simulation]\nduration = \"1 ms\"\ndt = \"0.1 ms\"\n[populations.p]\nmodel = \"lif\"\n[stimuli.s]\n\
             target = \"p.I\"\nkind = \"constant\"\namplitude = \"1 pA\"\n{lines}"
        );
        let read = load(&text, None, "s", &Overrides::default(), library(), &Catalog::default(), &NoFiles);
        read.map(|_| ()).map_err(|report| report.to_string())
    }

    /// An axis over what the plan of points sets itself would be overwritten point by point, and one over what no point
    /// has would do nothing: both are refused, however the path is written.
    #[test]
    fn axes_without_effect_are_refused() {
        let cases = [
            ("[sweep.axes]\n\"simulation.seed\" = [7, 8]\n", "by the seeds of the sweep"),
            ("[sweep.axes]\n'simulation.\"seed\"' = [7, 8]\n", "by the seeds of the sweep"),
            ("[sweep]\ndesign = \"zip\"\n[sweep.axes]\n\"simulation.seed\" = [7, 8]\n", "by the seeds of the sweep"),
            (
                "[sweep]\nredraws = \"noise\"\n[sweep.axes]\n\"simulation.noise_seed\" = [7, 8]\n",
                "`noise_seed = S` in [simulation]",
            ),
            (
                "[sweep]\ndesign = \"sobol\"\npoints = 4\n[sweep.axes]\n\"simulation.seed\" = { from = 1, to = 9 }\n",
                "by the seeds of the sweep",
            ),
            ("[sweep.axes]\n\"sweep.seeds\" = [1, 2]\n", "[sweep] makes the points"),
            ("[trials]\ncount = 2\n[sweep.axes]\n\"trials.count\" = [1, 2]\n", "[trials] makes the points"),
            ("[trials]\ncount = 2\n[sweep.axes]\n\"simulation.trial\" = [1, 2]\n", "is set for each trial"),
            ("[trials.axes]\n\"simulation.trial\" = [1, 2]\n", "is set for each trial"),
            (
                "[sweep]\nseeds = 3\n[trials.axes]\n\"simulation.seed\" = [1, 2]\n",
                "is what the seeds of the sweep draw anew",
            ),
            (
                "[sweep]\nseeds = 3\nredraws = \"noise\"\n[trials.axes]\n\"simulation.noise_seed\" = [7, 8]\n",
                "`redraws`",
            ),
            (
                "[sweep.axes]\n\"stimuli.s.amplitude\" = [\"1 pA\"]\n'stimuli.\"s\".amplitude' = [\"2 pA\"]\n",
                "is an axis already",
            ),
            (
                "[sweep.axes]\n\"stimuli.s.amplitude\" = [\"1 pA\"]\n[trials.axes]\n\"stimuli.s.amplitude\" = \
                 [\"2 pA\"]\n",
                "is an axis of the sweep already",
            ),
        ];
        for (lines, expected) in cases {
            let said = told(lines).unwrap_err();
            assert!(said.contains(expected), "{lines}: {said}");
        }
        for lines in [
            "[sweep]\nseeds = 3\n[sweep.axes]\n\"simulation.noise_seed\" = [7, 8]\n",
            "[sweep]\nredraws = \"wiring\"\n[sweep.axes]\n\"simulation.seed\" = [7, 8]\n",
            "[sweep.axes]\n\"simulation.trial\" = [1, 2]\n",
            "[trials.axes]\n\"simulation.seed\" = [1, 2]\n",
            "[sweep]\nseeds = 1\n[trials.axes]\n\"simulation.seed\" = [1, 2]\n",
            "[sweep]\nseeds = 3\nredraws = \"wiring\"\n[trials.axes]\n\"simulation.noise_seed\" = [1, 2]\n",
            "[sweep.axes]\n\"stimuli.s.amplitude\" = [\"1 pA\"]\n[trials.axes]\n\"stimuli.s.start\" = [\"1 ms\"]\n",
        ] {
            assert_eq!(told(lines), Ok(()), "{lines}");
        }
    }
}
