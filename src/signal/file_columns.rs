//! The columns of files that people bring, declared: the names that are accepted, units, what is required.

/// A column of a file.
#[derive(Debug, Clone, Copy)]
pub struct FileColumn {
    /// The names that it may have, in small letters; the first is the one that is recommended.
    pub names: &'static [&'static str],
    /// Unit of its numbers, in words; empty for numbers and names without one.
    pub unit: &'static str,
    /// Whether it has to be there.
    pub required: bool,
    /// One line of meaning.
    pub about: &'static str,
    /// An example of the unit that may stand at the end of its name (`time_ms`); empty where none may.
    pub ending: &'static str,
}

/// A kind of file by its columns.
#[derive(Debug, Clone, Copy)]
pub struct FileColumns {
    /// What it is called.
    pub name: &'static str,
    /// One line of meaning.
    pub about: &'static str,
    /// Its columns.
    pub columns: &'static [FileColumn],
    /// Columns besides these: what they are. None where others have no meaning.
    pub others: Option<&'static str>,
}

impl FileColumn {
    /// How its name is written where one is recommended.
    pub fn recommended(&self) -> String {
        if self.ending.is_empty() { self.names[0].to_owned() } else { format!("{}_{}", self.names[0], self.ending) }
    }
}

impl FileColumns {
    /// The column declared as `name`. Readers ask for no other.
    pub fn column(&self, name: &str) -> &'static FileColumn {
        let found = self.columns.iter().find(|c| c.names.contains(&name));
        found.unwrap_or_else(|| unreachable!("`{name}` is looked up, but not declared as a column of {}", self.name))
    }

    /// Whether a column called `name` in a file is the one that is declared as `declared`.
    pub fn asks_for_as(&self, declared: &str, name: &str) -> bool {
        super::data::is_named(self.column(declared), name)
    }

    /// Whether a column of this name is read: it is declared, or others have a meaning too.
    pub fn asks_for(&self, name: &str) -> bool {
        self.others.is_some() || self.columns.iter().any(|c| super::data::is_named(c, name))
    }
}
