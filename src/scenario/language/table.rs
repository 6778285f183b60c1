//! A table of a scenario and the keys that are declared for it.

use super::{Key, Need, Words, toml};
use crate::resolver::Resolver;
use spikedeck_core::units::Quantity;
use spikedeck_model::document::{Fields, Node};
use spikedeck_model::report::SourceSpan;

/// A table while it is read: gives what stands at declared keys, and refuses the others at the end.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    fields: Fields<'a>,
    keys: Vec<&'static Key>,
}

impl<'a> Table<'a> {
    /// Starts reading the table at `node`, which is called `what` in messages.
    pub fn of(
        resolver: &mut Resolver<'_>,
        node: &'a Node,
        what: impl Into<String>,
        keys: &'static [Key],
    ) -> Option<Self> {
        let fields = Fields::of(&mut resolver.report, node, what)?;
        let mut table = Self { fields, keys: Vec::new() };
        table.with(keys);
        Some(table)
    }

    /// Further keys that this table may have.
    pub fn with(&mut self, keys: &'static [Key]) {
        self.with_but(keys, None);
    }

    /// The same; one of them is declared, but must not stand there.
    pub fn with_but(&mut self, keys: &'static [Key], withheld: Option<&str>) {
        for key in keys {
            if withheld != Some(key.name) {
                self.fields.allow(key.name);
            }
            self.keys.push(key);
        }
    }

    /// The declaration of a key. Readers ask for no other.
    pub fn key(&self, name: &str) -> &'static Key {
        let found = self.keys.iter().find(|k| k.name == name);
        found.unwrap_or_else(|| unreachable!("`{name}` is read, but not declared for {}", self.fields.what))
    }

    /// What stands at a key, if anything does.
    pub fn get(&mut self, name: &str) -> Option<&'a Node> {
        self.fields.get(self.key(name).name)
    }

    /// What stands at a key that is required; its absence is an error with the declared example.
    pub fn require(&mut self, resolver: &mut Resolver<'_>, name: &str) -> Option<&'a Node> {
        let Need::Required(example) = self.key(name).need else {
            unreachable!("`{name}` of {} may be left out", self.fields.what)
        };
        self.require_as(resolver, name, &toml(example))
    }

    /// The same with another example, as TOML writes it.
    pub fn require_as(&mut self, resolver: &mut Resolver<'_>, name: &str, example: &str) -> Option<&'a Node> {
        let example = resolver.in_own_names(example);
        self.fields.require(&mut resolver.report, self.key(name).name, &example)
    }

    /// The declared default of a key.
    fn default(&self, name: &str) -> &'static str {
        match self.key(name).need {
            Need::Default(text) => text,
            Need::Required(_) | Need::Optional(_) => {
                unreachable!("`{name}` of {} has no default", self.fields.what)
            }
        }
    }

    /// The number that is declared as the default of a key, in SI.
    pub fn default_number(&self, name: &str) -> f64 {
        let text = self.default(name);
        Quantity::parse(text)
            .map_or_else(|_| unreachable!("the default of `{name}` is a quantity: {text}"), |q| q.value)
    }

    /// Yes or no; the declared default where nothing or something wrong stands there.
    pub fn flag(&mut self, resolver: &mut Resolver<'_>, name: &str) -> bool {
        let given = self.get(name).and_then(|n| resolver.flag(n, &format!("`{name}`")));
        given.unwrap_or_else(|| self.default(name) == "true")
    }

    /// A whole number within its declared bounds; the declared default where nothing or something wrong stands there.
    pub fn whole(&mut self, resolver: &mut Resolver<'_>, name: &str) -> u64 {
        let least = self.key(name).least();
        let given = self.get(name).and_then(|n| resolver.whole(n, &format!("`{name}`"), least));
        given.unwrap_or_else(|| self.default_number(name) as u64)
    }

    /// A string; the declared default where nothing or something wrong stands there.
    pub fn text(&mut self, resolver: &mut Resolver<'_>, name: &str) -> String {
        let given = self.get(name).and_then(|n| resolver.text(n, &format!("`{name}`")));
        given.unwrap_or_else(|| self.default(name)).to_owned()
    }

    /// One of the words of `W`, which are called `what` in messages; the declared default where nothing or something
    /// wrong stands there.
    pub fn word<W: Words>(&mut self, resolver: &mut Resolver<'_>, name: &str, what: &str) -> W {
        self.get(name).and_then(|n| word(resolver, n, what)).unwrap_or_else(|| self.default_word(name))
    }

    /// The word that is declared as the default of a key.
    pub fn default_word<W: Words>(&self, name: &str) -> W {
        let word = self.default(name);
        W::of(word).unwrap_or_else(|| unreachable!("`{word}` is a word of `{name}`"))
    }

    /// Where the table stands.
    pub fn place(&self) -> &SourceSpan {
        &self.fields.place
    }

    /// What the table is called in messages.
    pub fn what(&self) -> &str {
        &self.fields.what
    }

    /// Accepts keys that the scenario or a model file names, and gives what stands at one.
    pub fn named(&mut self, name: &str) -> Option<&'a Node> {
        self.fields.get(name)
    }

    /// What stands at a key that a model file names; its absence is an error.
    pub fn require_named(&mut self, resolver: &mut Resolver<'_>, name: &str, example: &str) -> Option<&'a Node> {
        self.fields.require(&mut resolver.report, name, example)
    }

    /// Refuses every key that is not declared.
    pub fn finish(self, resolver: &mut Resolver<'_>) {
        self.fields.finish(&mut resolver.report);
    }

    /// The same; `hint` may know better what a strange key meant.
    pub fn finish_with(self, resolver: &mut Resolver<'_>, hint: &dyn Fn(&str) -> Option<String>) {
        self.fields.finish_with(&mut resolver.report, hint);
    }
}

/// One of the words of `W`, which are called `what` in messages.
pub(crate) fn word<W: Words>(resolver: &mut Resolver<'_>, node: &Node, what: &str) -> Option<W> {
    let words: Vec<&str> = W::WORDS.iter().map(|w| w.name).collect();
    resolver.choice(node, what, &words).and_then(W::of)
}
