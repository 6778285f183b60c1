//! The columns of files that people bring, declared: the names that are accepted, units, what is required.

/// A column of a file.
#[derive(Debug, Clone, Copy)]
pub struct FileColumn {
    /// The names that it may have; the first is the one that is recommended.
    pub names: &'static [&'static str],
    /// Unit of its numbers, in words; empty for numbers and names without one.
    pub unit: &'static str,
    /// Whether it has to be there.
    pub required: bool,
    /// One line of meaning.
    pub about: &'static str,
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
    /// Columns besides these: what they are. None where others are left alone.
    pub others: Option<&'static str>,
}

impl FileColumns {
    /// The names that the column declared as `name` may have. Readers ask for no other.
    pub fn names_of(&self, name: &str) -> &'static [&'static str] {
        let found = self.columns.iter().find(|c| c.names.contains(&name));
        found
            .unwrap_or_else(|| unreachable!("`{name}` is looked up, but not declared as a column of {}", self.name))
            .names
    }

    /// Whether a column is one of those that are declared.
    pub fn declares(&self, name: &str) -> bool {
        self.columns.iter().any(|c| c.names.contains(&name))
    }
}
