//! Declarations in words, for `explain`, the page of all keys and whoever else reads.

use super::{Family, Key, Need, Of, Range, Section, Takes, toml};
use spikedeck_core::units::{Dimension, Quantity, display_unit};

impl Of {
    /// The unit in words: `time`, `length`.
    pub fn words(self) -> String {
        match self {
            Self::Number => "number".to_owned(),
            Self::Time => "time".to_owned(),
            Self::Frequency => "frequency".to_owned(),
            Self::Fixed(dimension) if dimension == Dimension::METRE => "length".to_owned(),
            Self::Fixed(dimension) => format!("quantity in {}", display_unit(dimension).symbol),
            Self::Target => "unit of what it is for".to_owned(),
            Self::Density => "unit of the target times s**0.5".to_owned(),
            Self::Said(words) => words.to_owned(),
        }
    }

    /// A unit to write as an example.
    fn example(self) -> &'static str {
        match self {
            Self::Time => "ms",
            Self::Frequency => "Hz",
            Self::Fixed(dimension) if dimension == Dimension::METRE => "um",
            Self::Number | Self::Said(_) | Self::Fixed(_) => "",
            Self::Target => "nA",
            Self::Density => "pA*s**0.5",
        }
    }
}

impl Takes {
    /// What is taken, in words.
    pub fn words(&self) -> String {
        let joined =
            |words: &mut dyn Iterator<Item = &str>| words.map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
        match *self {
            Self::Quantity(Of::Said(of)) => format!("quantity ({of})"),
            Self::Quantity(Of::Target) => "quantity (unit of what it is for)".to_owned(),
            Self::Quantity(of) => of.words(),
            Self::Value(of) => format!("value ({})", of.words()),
            Self::Quantities(of, None) => format!("list of quantities ({})", of.words()),
            Self::Quantities(of, Some(n)) => format!("list of {n} quantities ({})", of.words()),
            Self::Matrix(of) => format!("list of rows of quantities ({})", of.words()),
            Self::Whole => "whole number".to_owned(),
            Self::Wholes(least, most) => format!("list of 1 to {most} whole numbers from {least}"),
            Self::Flag => "true or false".to_owned(),
            Self::Text("") => "text".to_owned(),
            Self::Texts(what) => format!("list: {what} each"),
            Self::OneOrMore(what) => format!("{what}, or a list of them"),
            Self::Choice(words) => joined(&mut words.iter().map(|w| w.name)),
            Self::Words(words) => joined(&mut words.iter().copied()),
            Self::Choices(words) => format!("{}, or a list of two", joined(&mut words.iter().map(|w| w.name))),
            Self::Bare(family) => joined(&mut family.kinds.iter().filter(|k| k.keys.is_empty()).map(|k| k.name)),
            Self::Integrator => "name of an integrator, or `auto`".to_owned(),
            Self::Morphology => "SWC file".to_owned(),
            Self::Definition(kind) => format!("name of a {}", kind.word()),
            Self::KindOf => "name of a kind".to_owned(),
            Self::Units => "units: `[0, 1]`, `\"0..10\"` (without 10), `\"all\"`".to_owned(),
            Self::File(columns) => format!("file of {} (Parquet or CSV)", columns.name),
            Self::Table(_) | Self::One(_) => "table".to_owned(),
            Self::Tables(_) => "list of tables".to_owned(),
            Self::Named(_) | Self::NamedOne(_) | Self::Analyses => "table of tables, by name".to_owned(),
            Self::Open(others) => format!("table: {}", others.about),
            Self::Either(list) => list.iter().map(Self::words).collect::<Vec<_>>().join("; or "),
            Self::Text(what) | Self::Anything(what) => what.to_owned(),
        }
    }

    /// The unit of its numbers.
    pub(super) fn of(&self) -> Of {
        match *self {
            Self::Either(list) => list.first().map_or(Of::Number, Self::of),
            Self::Quantity(of) | Self::Value(of) | Self::Quantities(of, _) | Self::Matrix(of) => of,
            _ => Of::Number,
        }
    }
}

impl Key {
    /// What holds without it: the default, that it is required, or what is then the case.
    pub fn without(&self) -> String {
        match self.need {
            Need::Required(_) => "required".to_owned(),
            Need::Default("") => "nothing".to_owned(),
            Need::Default(text) => format!("`{}`", toml(text)),
            Need::Optional(what) => what.to_owned(),
        }
    }

    /// The sound values in words; nothing where all are.
    pub fn bounds_in_words(&self) -> String {
        let dimension = match self.takes.of() {
            Of::Time => Dimension::SECOND,
            Of::Frequency => Dimension::HERTZ,
            Of::Fixed(dimension) => dimension,
            Of::Number | Of::Target | Of::Density | Of::Said(_) => Dimension::NONE,
        };
        let show = |value: f64| {
            if value == 0.0 { "0".to_owned() } else { Quantity { value, dimension }.to_string() }
        };
        match self.range {
            Range::Any => match self.takes {
                Takes::Quantity(Of::Time | Of::Frequency) => "not negative".to_owned(),
                _ => String::new(),
            },
            Range::Above(low) => format!("above {}", show(low)),
            Range::From(low) => format!("from {}", show(low)),
            Range::Within(low, high) if high.is_infinite() || high >= f64::MAX => format!("from {}", show(low)),
            Range::Within(low, high) => format!("{} to {}", show(low), show(high)),
        }
    }

    /// `key = value` as an example, of keys that are required.
    fn example(&self) -> Option<String> {
        let Need::Required(text) = self.need else { return None };
        let unit = self.takes.of().example();
        let text = if unit.is_empty() { text.replace(" {unit}", ".0") } else { text.replace("{unit}", unit) };
        Some(format!("{} = {}", self.name, toml(&text)))
    }
}

impl Section {
    /// Its required keys, each as a line to copy.
    pub fn example(&self) -> Vec<String> {
        self.keys.iter().filter_map(Key::example).collect()
    }
}

impl Family {
    /// A kind, each key as a line to copy, without what is common to all kinds.
    pub fn example(&self, kind: &Section) -> Vec<String> {
        let by = self.by.filter(|_| self.kinds.iter().any(|k| k.name == kind.name));
        let name = by.map(|by| format!("{by} = \"{}\"", kind.name));
        name.into_iter().chain(kind.example()).collect()
    }
}
