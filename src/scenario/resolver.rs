//! What every part of the reader needs at hand: the report, the libraries, the files, the time axis.

use std::path::{Path, PathBuf};

use super::catalog::{Catalog, RunTimes};
use super::files::{FileError, FileLoader, FileTable, FileUse};
use super::spec::{Integrator, SpikeTimes};
use super::value::KnownNames;
use spikedeck_core::diagnostic::{Diagnostic, did_you_mean};
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::Formula;
use spikedeck_model::document::{Item, Node};
use spikedeck_model::report::SourceSpan;
use spikedeck_model::{Library, Report, name_of};
use spikedeck_signal::data::Refused;
use spikedeck_signal::{FileColumns, TimeBase};

/// Steps that are counted exactly in floating point.
const MOST_STEPS: f64 = 9e15;

/// What turns the text of a scenario into what it means, part by part.
pub(super) struct Resolver<'a> {
    pub report: Report,
    pub library: &'a Library,
    pub catalog: &'a Catalog,
    pub files: &'a dyn FileLoader,
    /// Files that the scenario was read from besides its own.
    pub used: Vec<FileUse>,
    /// Folder that relative paths start from.
    pub folder: Option<PathBuf>,
    pub time_base: TimeBase,
    /// Step in seconds (or time units); 0 while unknown, then multiples are not checked.
    pub dt: f64,
    /// Duration likewise.
    pub duration: f64,
    /// What is left out of analyses, likewise.
    pub transient: f64,
    /// What steps populations that name no integrator themselves.
    pub integrator: Integrator,
    /// How spike times are found.
    pub spike_times: SpikeTimes,
    /// Names of the scenario's populations, which examples are told with.
    pub names: Vec<String>,
}

impl Resolver<'_> {
    /// An example with the names of this scenario: the declared ones speak of the populations `exc` and `inh`.
    pub fn in_own_names(&self, example: &str) -> String {
        let Some(first) = self.names.first() else { return example.to_owned() };
        let own = |word: &str| match word {
            "exc" => first.clone(),
            "inh" => self.names.get(1).unwrap_or(first).clone(),
            other => other.to_owned(),
        };
        // A population stands alone or before a dot.
        let mut out = String::with_capacity(example.len());
        let mut word = String::new();
        let mut after_dot = false;
        for c in example.chars().chain([' ']) {
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            let told = if after_dot { std::mem::take(&mut word) } else { own(&std::mem::take(&mut word)) };
            out.push_str(&told);
            out.push(c);
            after_dot = c == '.';
        }
        out.pop();
        out
    }

    pub fn error(&mut self, place: &SourceSpan, message: impl Into<String>) {
        self.report.error(place, message);
    }

    pub fn error_help(&mut self, place: &SourceSpan, message: impl Into<String>, help: impl Into<String>) {
        self.report.error_help(place, message, help);
    }

    /// The dimension of times: seconds, or none in dimensionless scenarios.
    pub fn time_dimension(&self) -> Dimension {
        match self.time_base {
            TimeBase::Milliseconds => Dimension::SECOND,
            TimeBase::Dimensionless => Dimension::NONE,
        }
    }

    /// The times of the run, for what has to fit into them.
    pub fn times(&self) -> RunTimes {
        RunTimes { base: self.time_base, dt: self.dt, duration: self.duration, transient: self.transient }
    }

    /// The dimension of rates and frequencies.
    pub fn rate_dimension(&self) -> Dimension {
        Dimension::NONE.per(self.time_dimension())
    }

    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        if node.as_text().is_none() {
            self.error(&node.place, format!("{what} is a string, not {}", node.what()));
        }
        node.as_text()
    }

    pub fn flag(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Item::Flag(b) = node.item {
            return Some(b);
        }
        self.error(&node.place, format!("{what} is true or false, not {}", node.what()));
        None
    }

    /// A whole number of at least `least`.
    pub fn whole(&mut self, node: &Node, what: &str, least: u64) -> Option<u64> {
        match node.item {
            Item::Integer(v) if v >= 0 && v as u64 >= least => Some(v as u64),
            Item::Integer(v) => {
                self.error(&node.place, format!("{what} is at least {least}, not {v}"));
                None
            }
            Item::Float(v) if v.fract() == 0.0 && v.abs() < 1e15 => {
                self.error_help(
                    &node.place,
                    format!("{what} is a whole number"),
                    format!("write {v:.0}, without point and exponent"),
                );
                None
            }
            Item::Float(v) => {
                self.error(&node.place, format!("{what} is a whole number, not {v}"));
                None
            }
            _ => {
                self.error(&node.place, format!("{what} is a whole number, not {}", node.what()));
                None
            }
        }
    }

    /// A plain number within bounds.
    pub fn number(&mut self, node: &Node, what: &str, range: (f64, f64)) -> Option<f64> {
        let v = self.quantity(node, Dimension::NONE, what)?;
        if v < range.0 || v > range.1 || v.is_nan() {
            let bounds = if range.1.is_infinite() {
                format!("at least {}", range.0)
            } else {
                format!("from {} to {}", range.0, range.1)
            };
            self.error(&node.place, format!("{what} is {bounds}, not {v}"));
            return None;
        }
        Some(v)
    }

    /// One of a list of words.
    pub fn choice<'w>(&mut self, node: &Node, what: &str, words: &[&'w str]) -> Option<&'w str> {
        let given = self.text(node, what)?.to_owned();
        if let Some(found) = words.iter().find(|w| **w == given) {
            return Some(found);
        }
        self.error_help(&node.place, format!("there is no {what} `{given}`"), suggest(&given, words.iter().copied()));
        None
    }

    /// A quantity of this dimension, in SI.
    pub fn quantity(&mut self, node: &Node, dimension: Dimension, what: &str) -> Option<f64> {
        let q = self.any_quantity(node, dimension, what)?;
        if let Some(value) = q.meant_as(dimension) {
            if let Some(message) = impossible(value, dimension, what) {
                self.error(&node.place, message);
                return None;
            }
            return Some(value);
        }
        let written = node.as_text().map_or_else(|| node.to_toml(), str::to_owned);
        let (message, help) = self.misfit(q, &written, dimension, what);
        self.error_help(&node.place, message, help);
        None
    }

    /// The same of a part of the string `node` that begins at byte `start` of it.
    pub fn quantity_inside(
        &mut self,
        node: &Node,
        written: &str,
        start: usize,
        dimension: Dimension,
        what: &str,
    ) -> Option<f64> {
        let start = start + written.len() - written.trim_start().len();
        let written = written.trim();
        let q = match Quantity::parse(written) {
            Ok(q) => q,
            Err(d) => {
                self.report.put_inside(node, d.shifted(start));
                return None;
            }
        };
        if let Some(value) = q.meant_as(dimension) {
            let Some(message) = impossible(value, dimension, what) else { return Some(value) };
            self.report.put_inside(node, Diagnostic::error(message, start..start + written.len()));
            return None;
        }
        let (message, help) = self.misfit(q, written, dimension, what);
        let wrong = Diagnostic::error(message, start..start + written.len()).help(help);
        self.report.put_inside(node, wrong);
        None
    }

    /// What to say of a quantity, and of how it is written, where another dimension is due.
    fn misfit(&self, q: Quantity, written: &str, dimension: Dimension, what: &str) -> (String, String) {
        if (q.dimension, dimension) == (Dimension::CELSIUS, Dimension::KELVIN) {
            return (
                format!("{what} is in kelvin, but this is a temperature in degrees Celsius"),
                "write a temperature with 273.15 more in K, and a difference with as many K".to_owned(),
            );
        }
        if q.dimension.is_none() {
            return (
                format!("a bare number where a unit is due: {what} is {}", name_of(dimension)),
                format!("write \"{written} {}\"", unit_example(dimension)),
            );
        }
        if dimension.is_none() && q.dimension == Dimension::SECOND && self.time_base == TimeBase::Dimensionless {
            return (
                format!("{what} is a plain number: all models here are dimensionless, and time has no unit"),
                "write the number without a unit".to_owned(),
            );
        }
        let help = if dimension.is_none() {
            "write the number without a unit".to_owned()
        } else {
            format!("write it in {}", unit_example(dimension))
        };
        (format!("{what} is {}, but this is {}", name_of(dimension), name_of(q.dimension)), help)
    }

    /// A quantity of any dimension; `dimension` only serves the message.
    pub fn any_quantity(&mut self, node: &Node, dimension: Dimension, what: &str) -> Option<Quantity> {
        if let Some(v) = node.as_number() {
            if !v.is_finite() {
                self.error(&node.place, format!("{what} is not a finite number"));
                return None;
            }
            return Some(Quantity::number(v));
        }
        let Some(text) = node.as_text() else {
            let example =
                if dimension.is_none() { "a number".to_owned() } else { format!("\"1 {}\"", unit_example(dimension)) };
            self.error_help(
                &node.place,
                format!("{what} is {}, not {}", name_of(dimension), node.what()),
                format!("write {example}"),
            );
            return None;
        };
        match Quantity::parse(text) {
            Ok(q) => Some(q),
            Err(d) => {
                self.report.put_inside(node, d);
                None
            }
        }
    }

    /// A time in seconds (or time units) of at least 0.
    pub fn time(&mut self, node: &Node, what: &str) -> Option<f64> {
        let v = self.quantity(node, self.time_dimension(), what)?;
        if v < 0.0 {
            self.error(&node.place, format!("{what} is not negative"));
            return None;
        }
        Some(v)
    }

    /// A time as a number of steps; refused when it is no multiple of the step.
    pub fn steps(&mut self, node: &Node, what: &str) -> Option<u64> {
        let v = self.time(node, what)?;
        self.multiple(&node.place, v, what)
    }

    /// `value` as a number of steps (relative tolerance 1e-9); refused when it is no multiple of the step.
    pub fn multiple(&mut self, place: &SourceSpan, value: f64, what: &str) -> Option<u64> {
        if self.dt <= 0.0 {
            return None;
        }
        let n = (value / self.dt).round();
        if n > MOST_STEPS {
            self.error_help(
                place,
                format!("{what} is {n:.1e} steps"),
                "a run has at most 9e15; time is counted exactly in steps",
            );
            return None;
        }
        if (value - n * self.dt).abs() <= 1e-9 * value.abs() {
            return Some(n as u64);
        }
        let below = (value / self.dt).floor() * self.dt;
        let show = |v: f64| Quantity { value: v, dimension: self.time_dimension() }.to_string();
        let message = format!("{what} ({}) is no multiple of the step ({})", show(value), show(self.dt));
        let help =
            format!("the nearest are {} and {}; it is never rounded silently", show(below), show(below + self.dt));
        self.error_help(place, message, help);
        None
    }

    /// `text` as an expression of this dimension in `names`; errors point into `node`.
    pub fn expression<N: Clone>(
        &mut self,
        node: &Node,
        text: &str,
        dimension: Dimension,
        names: &KnownNames<'_, N>,
    ) -> Option<Formula<N>> {
        match Formula::parse(text, &names.scope(), dimension) {
            Ok(formula) => {
                for d in formula.warnings() {
                    self.report.put_inside(node, d.clone());
                }
                Some(formula)
            }
            Err(problems) => {
                for mut d in problems {
                    let unknown = d.unknown.as_deref();
                    if matches!(unknown, Some("x" | "y" | "z")) && !names.has("x") {
                        d.help = Some("units have x, y and z only where their population has `positions`".to_owned());
                    } else if unknown == Some("distance") && names.has("i_pre") {
                        d.help =
                            Some("connections have a distance only where both populations have `positions`".to_owned());
                    }
                    self.report.put_inside(node, d);
                }
                None
            }
        }
    }

    /// Warns at a place; an empty help is none.
    pub fn warn(&mut self, place: &SourceSpan, message: impl Into<String>, help: impl Into<String>) {
        let help: String = help.into();
        let warning = Diagnostic::warning(message, 0..0);
        self.report.put(place, if help.is_empty() { warning } else { warning.help(help) });
    }

    /// The path that a scenario means by `text`: relative ones start from its folder.
    pub fn path(&self, text: &str) -> PathBuf {
        let path = Path::new(text);
        match &self.folder {
            Some(folder) if path.is_relative() => folder.join(path),
            _ => path.to_path_buf(),
        }
    }

    /// What was read of a file, or nothing where it is refused; what should be known of it is warned of.
    pub fn taken<T>(&mut self, node: &Node, read: Result<T, Refused>, notes: impl Fn(&T) -> &[String]) -> Option<T> {
        match read {
            Ok(read) => {
                for note in notes(&read) {
                    self.report.put(&node.place, Diagnostic::warning(note, 0..0));
                }
                Some(read)
            }
            Err(refused) => {
                self.refused(node, refused);
                None
            }
        }
    }

    /// Says what is wrong with the file that `node` names: in the file, where its text can be shown.
    pub fn refused(&mut self, node: &Node, refused: Refused) {
        let path = node.as_text().map(|name| self.path(name));
        match path.and_then(|path| self.files.located(&path, &refused)) {
            Some(wrong) => self.report.put_in_text(&wrong),
            None => self.error_help(&node.place, refused.message, refused.help),
        }
    }

    /// Says why the file that `node` names was not read.
    pub fn unread(&mut self, node: &Node, error: FileError) {
        match error {
            FileError::Missing(_) => {
                let help = "relative paths start from the folder of the scenario file";
                self.error_help(&node.place, error.to_string(), help);
            }
            FileError::Unreadable(why) => self.error(&node.place, why),
            FileError::InText(wrong) => self.report.put_in_text(&wrong),
        }
    }

    /// Notes a file that was read.
    pub fn uses(&mut self, file: FileUse) {
        if !self.used.iter().any(|f| f.path == file.path) {
            self.used.push(file);
        }
    }

    /// The table of a kind in the file that `node` names.
    pub fn file_table(&mut self, node: &Node, what: &str, columns: &FileColumns) -> Option<FileTable> {
        let text = self.text(node, what)?.to_owned();
        let path = self.path(&text);
        match self.files.table(&path, columns) {
            Ok(table) => {
                if let Some(file) = self.files.file(&path) {
                    self.uses(file);
                }
                Some(table)
            }
            Err(error) => {
                self.unread(node, error);
                None
            }
        }
    }
}

/// What is wrong with a value that nothing of its dimension can have.
fn impossible(value: f64, dimension: Dimension, what: &str) -> Option<String> {
    let least = dimension.least().filter(|least| value < *least)?;
    let shown = |value: f64| Quantity { value, dimension }.to_string();
    Some(format!("{what} is {}, and no temperature lies below absolute zero, {}", shown(value), shown(least)))
}

/// "did you mean" or the list of what there is.
pub(super) fn suggest<'a>(word: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = did_you_mean(word, candidates.clone()) {
        return format!("did you mean `{near}`?");
    }
    let list: Vec<&str> = candidates.collect();
    if list.is_empty() { "there are none".to_owned() } else { format!("there are: {}", list.join(", ")) }
}

/// A unit to write as an example: the display unit of the dimension.
pub(super) fn unit_example(dimension: Dimension) -> String {
    spikedeck_core::units::display_unit(dimension).symbol
}
