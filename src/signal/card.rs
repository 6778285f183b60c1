//! Text in sections: the card of a model, of an analysis, of a run.

use serde::{Deserialize, Serialize};

/// What the lines of a section are to whoever fits it into a width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lines {
    /// Prose: lines that end because a file is narrow flow together.
    #[default]
    Flow,
    /// Each is one thing, such as a reference or a command, and is wrapped alone.
    Each,
    /// Equations and tables, which keep them as they are.
    Kept,
}

/// A section of a [`Card`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CardSection {
    /// Its heading; may be empty.
    pub heading: String,
    /// Its text.
    pub text: String,
    /// What the lines of the text are.
    pub lines: Lines,
}

impl CardSection {
    /// Prose.
    pub fn prose(heading: impl Into<String>, text: impl Into<String>) -> Self {
        Self { heading: heading.into(), text: text.into(), lines: Lines::Flow }
    }

    /// A thing a line.
    pub fn list(heading: impl Into<String>, text: impl Into<String>) -> Self {
        Self { lines: Lines::Each, ..Self::prose(heading, text) }
    }

    /// Equations, or a table.
    pub fn kept(heading: impl Into<String>, text: impl Into<String>) -> Self {
        Self { lines: Lines::Kept, ..Self::prose(heading, text) }
    }
}

/// Text in sections: a model card.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Card {
    /// The sections.
    pub sections: Vec<CardSection>,
}

impl Card {
    /// A card of prose: heading and text of each section.
    pub fn prose(sections: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { sections: sections.into_iter().map(|(heading, text)| CardSection::prose(heading, text)).collect() }
    }

    /// The section under a heading.
    pub fn section(&self, heading: &str) -> Option<&CardSection> {
        self.sections.iter().find(|s| s.heading == heading)
    }
}
