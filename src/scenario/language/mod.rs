//! The scenario language, declared: every section, every kind of a thing, every key, said once.
//!
//! A [`Section`] is a table with its [`Key`]s; a [`Family`] is a table that is one of several kinds, each a section.
//! From these come the readers (`reader`: no key is looked up that is not declared, no default is written twice), the
//! JSON Schema (`crate::schema`), `spikedeck list` and `explain`, and the page of all keys (`reference`). What is read
//! into a typed struct is declared together with it by `declare!`.

mod field;
mod prose;
mod reader;
mod reference;
mod table;
mod words;

pub(crate) use field::{Amount, Declared, Density, Exact, Field, Flag, Frequency, Length, Maybe, Number, PerTime};
pub(crate) use field::{Plain, Size, Start, Stop};
pub(crate) use field::{Target, Time, WEIGHT, Weight, Whole, Word};
pub(crate) use reader::{Context, Reader};
pub use reference::reference;
pub(crate) use table::{Table, word};
pub use words::Words;
pub(crate) use words::words;

use spikedeck_core::units::Dimension;
use spikedeck_signal::FileColumns;

/// The unit that a value has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Of {
    /// None: a plain number.
    Number,
    /// Time; a plain number in dimensionless scenarios.
    Time,
    /// Per time; a plain number in dimensionless scenarios.
    Frequency,
    /// This one.
    Fixed(Dimension),
    /// That of what the value is for: the target of a stimulus, the parameter that is drawn.
    Target,
    /// That of the target times s**0.5.
    Density,
    /// Another, said in words.
    Said(&'static str),
}

/// One of the words that a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordOf {
    /// As it is written.
    pub name: &'static str,
    /// What it means, in one line.
    pub about: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// One quantity.
    Quantity(Of),
    /// A quantity, an expression or a distribution: one for all, or one for each unit or connection.
    Value(Of),
    /// A list of quantities: any number, or that many.
    Quantities(Of, Option<usize>),
    /// A list of rows of quantities, a row for each target and a column for each source.
    Matrix(Of),
    /// A whole number.
    Whole,
    /// A list of whole numbers of at least the first, at most as many as the second.
    Wholes(u64, usize),
    /// Yes or no.
    Flag,
    /// A string; what it says.
    Text(&'static str),
    /// A list of strings; what each says.
    Texts(&'static str),
    /// A string or a list of strings; what each says.
    OneOrMore(&'static str),
    /// One of these words.
    Choice(&'static [WordOf]),
    /// One of these words, which say what they mean.
    Words(&'static [&'static str]),
    /// One of these words, or two of them in a list.
    Choices(&'static [WordOf]),
    /// The name of a kind of this family that has no keys of its own.
    Bare(&'static Family),
    /// The name of an integrator.
    Integrator,
    /// An SWC file, or the name of a built-in one.
    Morphology,
    /// The name of a model, receptor, channel or rule.
    Definition(spikedeck_model::DefinitionKind),
    /// The name of one of the kinds of the family that it stands in.
    KindOf,
    /// A subset of units: a list, a range `"0..10"` (without its end), `"all"`, on a tree places by name.
    Units,
    /// A file with columns of numbers.
    File(&'static FileColumns),
    /// A table.
    Table(&'static Section),
    /// A list of tables.
    Tables(&'static Section),
    /// A table of tables, each called by a name of one's own.
    Named(&'static Section),
    /// A table that is one of several kinds.
    One(&'static Family),
    /// A table of such tables, each called by a name of one's own.
    NamedOne(&'static Family),
    /// A table of analyses by names of one's own; which kinds there are is handed in.
    Analyses,
    /// A table whose keys the scenario or a model file names.
    Open(&'static Others),
    /// Any of these.
    Either(&'static [Self]),
    /// Whatever TOML can write; what it is.
    Anything(&'static str),
}

/// Whether a key may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It is required; an example of its value.
    Required(&'static str),
    /// Without it this is taken, as it would be written.
    Default(&'static str),
    /// It may be left out; what is then the case.
    Optional(&'static str),
}

/// The values that are sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// All.
    Any,
    /// Above this.
    Above(f64),
    /// From this on.
    From(f64),
    /// From the one to the other.
    Within(f64, f64),
}

/// A key: what it takes, what holds without it, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Whether it may be left out.
    pub need: Need,
    /// Bounds of numbers, in SI.
    pub range: Range,
    /// One line of meaning.
    pub about: &'static str,
}

/// A table of a scenario, or one kind of such a table.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Name: of the table, or of the kind.
    pub name: &'static str,
    /// One line of meaning.
    pub about: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
    /// Keys besides these, which the scenario or a model file names.
    pub others: Option<Others>,
    /// Whether exactly one of the keys stands there.
    pub only_one: bool,
}

/// Keys that the scenario or a model file names.
#[derive(Debug, Clone, Copy)]
pub struct Others {
    /// What they are.
    pub about: &'static str,
    /// What they take.
    pub takes: Takes,
    /// Parameters of the definitions of this kind are among them.
    pub parameters_of: Option<spikedeck_model::DefinitionKind>,
}

/// A table that is one of several kinds.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// What one of them is called in messages and lists.
    pub name: &'static str,
    /// One line of meaning.
    pub about: &'static str,
    /// The key that says which kind; kinds without one are told by their keys.
    pub by: Option<&'static str>,
    /// Keys of all kinds; the key that says which is one of them.
    pub common: &'static [Key],
    /// The kinds that the key names, or all.
    pub kinds: &'static [&'static Section],
    /// Kinds that are told by a key of their own, and have none of the common keys.
    pub others: &'static [&'static Section],
}

impl Section {
    /// A table with these keys and no others.
    pub const fn new(name: &'static str, about: &'static str, keys: &'static [Key]) -> Self {
        Self { name, about, keys, others: None, only_one: false }
    }

    /// A table with these keys and others that somebody else names.
    pub const fn open(name: &'static str, about: &'static str, keys: &'static [Key], others: Others) -> Self {
        Self { others: Some(others), ..Self::new(name, about, keys) }
    }

    /// A table in which exactly one of these keys stands.
    pub const fn only_one(name: &'static str, about: &'static str, keys: &'static [Key]) -> Self {
        Self { only_one: true, ..Self::new(name, about, keys) }
    }

    /// The declared key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|k| k.name == name)
    }
}

impl Key {
    /// A key that has to be there.
    pub const fn required(name: &'static str, takes: Takes, example: &'static str, about: &'static str) -> Self {
        Self { name, takes, need: Need::Required(example), range: Range::Any, about }
    }

    /// A key that may be left out; `default` is then taken, as it would be written.
    pub const fn default(name: &'static str, takes: Takes, default: &'static str, about: &'static str) -> Self {
        Self { name, takes, need: Need::Default(default), range: Range::Any, about }
    }

    /// A key that may be left out, and what is then the case.
    pub const fn optional(name: &'static str, takes: Takes, without: &'static str, about: &'static str) -> Self {
        Self { name, takes, need: Need::Optional(without), range: Range::Any, about }
    }

    /// The least whole number.
    pub(crate) fn least(&self) -> u64 {
        match self.range {
            Range::From(low) | Range::Within(low, _) => low as u64,
            Range::Above(low) => low as u64 + 1,
            Range::Any => 0,
        }
    }

    /// The least and the greatest number.
    pub(crate) fn bounds(&self) -> (f64, f64) {
        match self.range {
            Range::Any => (f64::NEG_INFINITY, f64::INFINITY),
            Range::From(low) | Range::Above(low) => (low, f64::INFINITY),
            Range::Within(low, high) => (low, high),
        }
    }

    /// With bounds.
    #[must_use]
    pub const fn range(mut self, range: Range) -> Self {
        self.range = range;
        self
    }
}

impl Family {
    /// The kind of this name.
    pub fn kind(&self, name: &str) -> Option<&'static Section> {
        self.kinds.iter().chain(self.others).copied().find(|k| k.name == name)
    }

    /// Names of the kinds that its key may name.
    pub fn words(&self) -> Vec<&'static str> {
        self.kinds.iter().map(|k| k.name).collect()
    }
}

/// A declared default or example as TOML would have it: quoted where it is no number, no flag, no list and no table.
pub(crate) fn toml(text: &str) -> String {
    let within = |open: char, close: char| text.starts_with(open) && text.ends_with(close);
    let table = within('[', ']') || within('{', '}') || within('"', '"');
    let bare = table || text.parse::<f64>().is_ok() || matches!(text, "true" | "false");
    if bare { text.to_owned() } else { format!("\"{text}\"") }
}

/// The meaning of a key from the lines of a doc comment, each of which begins with a space.
pub(crate) const fn first_word(line: &'static str) -> &'static str {
    match line.as_bytes() {
        [b' ', ..] => line.split_at(1).1,
        _ => line,
    }
}

/// Declares a typed struct together with its keys in scenarios: its reader, its meaning and what is written of it into
/// a manifest come from one list.
///
/// A field is `NAME: TYPE = FIELD, NEED [, RANGE];` where `FIELD` says what the key takes (a [`Field`]), `NEED` is
/// `needs "example"`, `or "default"` or `without "what is then the case"`, and `RANGE` is `above LOW`, `from LOW` or
/// `from LOW to HIGH`. The one-line doc comments are the meanings that people read.
macro_rules! declare {
    (
        #[doc = $about:literal]
        $vis:vis struct $Name:ident = $name:literal {
            $( #[doc = $meaning:literal]
               $field:ident : $type:ty = $takes:ty, $need:ident $text:literal
               $(, $bound:ident $low:literal $(to $high:literal)? )? ; )*
        }
    ) => {
        #[doc = $about]
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $Name {
            $( #[doc = $meaning] pub $field: $type, )*
        }

        impl $crate::language::Declared for $Name {
            const SECTION: $crate::language::Section = $crate::language::Section::new(
                $name,
                $crate::language::first_word($about),
                &[ $( $crate::language::Key {
                    name: stringify!($field),
                    takes: <$takes as $crate::language::Field>::TAKES,
                    need: $crate::language::declare!(@need $need $text),
                    range: $crate::language::declare!(@range $( $bound $low $($high)? )?),
                    about: $crate::language::first_word($meaning),
                } ),* ],
            );

            fn read(reader: &mut $crate::language::Reader<'_, '_, '_, '_>) -> Option<Self> {
                // All keys are read before the first that is wrong ends it: everything wrong is said at once.
                $( let $field = reader.field::<$takes>(stringify!($field)); )*
                let _ = reader;
                Some(Self { $( $field: $field?, )* })
            }

            fn write(&self, writer: &dyn $crate::Writer) -> serde_json::Map<String, serde_json::Value> {
                let _ = writer;
                serde_json::Map::from_iter::<[(String, serde_json::Value); _]>([ $( (
                    stringify!($field).to_owned(),
                    <$takes as $crate::language::Field>::write(&self.$field, writer),
                ) ),* ])
            }
        }
    };
    (@need needs $text:literal) => { $crate::language::Need::Required($text) };
    (@need or $text:literal) => { $crate::language::Need::Default($text) };
    (@need without $text:literal) => { $crate::language::Need::Optional($text) };
    (@range) => { $crate::language::Range::Any };
    (@range above $low:literal) => { $crate::language::Range::Above($low) };
    (@range from $low:literal) => { $crate::language::Range::From($low) };
    (@range from $low:literal $high:literal) => { $crate::language::Range::Within($low, $high) };
}
pub(crate) use declare;

/// How values are written into a manifest or hashed: each with its unit.
pub trait Writer {
    /// A value that may differ from unit to unit.
    fn value(&self, value: &crate::Value, of: Of) -> serde_json::Value;

    /// A quantity in SI.
    fn quantity(&self, value: f64, of: Of) -> serde_json::Value;

    /// A list of quantities in SI.
    fn list(&self, values: &[f64], of: Of) -> serde_json::Value;

    /// An expression, by its text.
    fn expression(&self, text: &str) -> serde_json::Value;

    /// A list of units.
    fn units(&self, units: &[u32]) -> serde_json::Value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_core::units::Quantity;

    /// Every section that a key leads to, once.
    fn walk(section: &'static Section, seen: &mut Vec<&'static Section>) {
        if seen.iter().any(|s| std::ptr::eq(*s, section)) {
            return;
        }
        seen.push(section);
        for key in section.keys {
            inside(&key.takes, seen);
        }
        if let Some(others) = &section.others {
            inside(&others.takes, seen);
        }
    }

    fn inside(takes: &Takes, seen: &mut Vec<&'static Section>) {
        match *takes {
            Takes::Table(section) | Takes::Tables(section) | Takes::Named(section) => walk(section, seen),
            Takes::One(family) | Takes::NamedOne(family) => {
                family.kinds.iter().chain(family.others).for_each(|kind| walk(kind, seen));
            }
            Takes::Open(others) => inside(&others.takes, seen),
            Takes::Either(list) => list.iter().for_each(|t| inside(t, seen)),
            _ => {}
        }
    }

    #[test]
    fn defaults_fit_what_their_keys_take() {
        let mut all = Vec::new();
        walk(&crate::SCENARIO, &mut all);
        walk(&crate::DISTRIBUTIONS, &mut all);
        assert!(all.len() > 40, "{} sections", all.len());
        for section in &all {
            for key in section.keys {
                let place = format!("{}.{}", section.name, key.name);
                assert!(!key.about.is_empty(), "{place} says what it means");
                assert!(section.keys.iter().filter(|k| k.name == key.name).count() == 1, "{place} is declared twice");
                let Need::Default(text) = key.need else { continue };
                let sound = match key.takes {
                    Takes::Quantity(_) | Takes::Value(_) => Quantity::parse(text).is_ok(),
                    Takes::Whole => text.parse::<u64>().is_ok_and(|v| v >= key.least()),
                    Takes::Flag => matches!(text, "true" | "false"),
                    Takes::Choice(words) | Takes::Choices(words) => words.iter().any(|w| w.name == text),
                    Takes::Integrator | Takes::Text(_) => true,
                    _ => false,
                };
                assert!(sound, "{place} cannot be {text:?}");
            }
        }
    }
}
